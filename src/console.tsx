// src/console.tsx — the console's frame: the terminal, what the boot waits for, problems, and a few commands to try.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { size } from "./format.ts";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";
import { TRY } from "./try.ts";
import { openPanel } from "./ui.ts";

function Waiting({ session }: { readonly session: Session }): ReactNode {
  const { waiting } = useStore(session.state);
  if (waiting === undefined || waiting.what === "starting") return null;
  const known = waiting.total > 0;
  return (
    <div className="waiting" role="status">
      <span>
        {waiting.what}
        {known ? `: ${size(waiting.done)} of ${size(waiting.total)}` : "…"}
      </span>
      {known && <progress max={waiting.total} value={Math.min(waiting.done, waiting.total)} aria-label={waiting.what} />}
      {known && (
        <button type="button" onClick={() => session.stop()}>
          Cancel
        </button>
      )}
    </div>
  );
}

function Messages({ session }: { readonly session: Session }): ReactNode {
  const { problem, notes, ended, power } = useStore(session.state);
  return (
    <>
      {problem !== undefined && (
        <div className="message problem" role="alert">
          <p>{problem.text}</p>
          {problem.scratch && (
            <button type="button" onClick={() => void session.startScratch()}>
              Start on a scratch copy
            </button>
          )}
          {problem.inUse && (
            <button type="button" onClick={() => void session.startScratch(true)}>
              Start on a copy with its changes
            </button>
          )}
          <button type="button" onClick={() => session.dismiss()}>
            Close
          </button>
        </div>
      )}
      {notes.map((text) => (
        <div className="message note" role="status" key={text}>
          <p>{text}</p>
        </div>
      ))}
      {ended !== undefined && power !== "starting" && power !== "running" && (
        <div className={`message ${power === "crashed" ? "problem" : "note"}`} role="status">
          <p>{ended}</p>
          <button type="button" className="primary" onClick={() => void session.start()}>
            Start again
          </button>
        </div>
      )}
    </>
  );
}

export function ConsoleView({ session }: { readonly session: Session }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const { power } = useStore(session.state);
  const [inside, setInside] = useState(false);
  useEffect(() => (place.current === null ? undefined : session.console.mount(place.current)), [session]);
  return (
    <section className="console">
      <div
        className={`screen ${inside ? "inside" : ""}`}
        data-region="console"
        role="group"
        tabIndex={0}
        aria-label={`Console, ${power}. Press Enter to type, F6 to leave.`}
        onFocus={(e) => setInside(e.target !== e.currentTarget)}
        onBlur={() => setInside(false)}
        onKeyDown={(e) => {
          if (e.target === e.currentTarget && (e.key === "Enter" || e.key === " ")) {
            e.preventDefault();
            session.console.focus();
          }
        }}
      >
        <div className="terminal" ref={place} />
        <Waiting session={session} />
      </div>
      <Messages session={session} />
      <div className="try" aria-label="Commands to try">
        <span className="hint">{inside ? "F6 leaves the console" : "Click or press Enter in the console to type"}</span>
        {TRY.map((t) => (
          <button type="button" className="chip" key={t.label} title={t.command} disabled={power !== "running"} onClick={() => session.run(t)}>
            {t.label}
          </button>
        ))}
        <button type="button" className="chip" onClick={() => openPanel("page 0")}>
          what is at address 0?
        </button>
      </div>
    </section>
  );
}
