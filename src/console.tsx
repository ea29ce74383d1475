// src/console.tsx — the console's frame: the terminal, what the boot waits for, problems, and a few commands to try.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ActionButton } from "./button.tsx";
import { FileNews } from "./file_news.tsx";
import { CopyButton } from "./copy.tsx";
import { count, size } from "./format.ts";
import { offline, takeUpdate } from "./offline.ts";
import { GOING, type Session } from "./session.ts";
import { useStore } from "./store.ts";
import { TranscriptView } from "./transcript_view.tsx";
import { TRY } from "./try.ts";
import { openPanel, showMemory, ui } from "./ui.ts";

function Waiting({ session }: { readonly session: Session }): ReactNode {
  const { waiting } = useStore(session.state);
  if (waiting === undefined || waiting.what === "starting") return null;
  const known = waiting.total > 0;
  // to another moment: the machine is there, and its way is no number of bytes
  const going = waiting.what === GOING;
  return (
    <div className="waiting" role="status">
      <span>
        {waiting.what}
        {!known ? "…" : going ? `: ${Math.floor((100 * waiting.done) / waiting.total)} %` : `: ${size(waiting.done)} of ${size(waiting.total)}`}
      </span>
      {known && <progress max={waiting.total} value={Math.min(waiting.done, waiting.total)} aria-label={waiting.what} />}
      {known && (
        <button type="button" onClick={() => (going ? void session.control.cancelSeek() : session.stop())}>
          {going ? "Stop here" : "Cancel"}
        </button>
      )}
    </div>
  );
}

function Messages({ session }: { readonly session: Session }): ReactNode {
  const { problem, notes, ended, power, lost, resumed } = useStore(session.state);
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
      {lost !== undefined && (
        <div className="message note" role="status">
          <p>
            A tab that is gone has left its machine: kept on {new Date(lost.about.saved).toLocaleString()}, at instruction {count(lost.about.at)}, disk {lost.about.disk}.
          </p>
          <button type="button" className="primary" onClick={() => void session.goOnWithLost()}>
            Go on with it
          </button>
          <button type="button" onClick={() => void session.forgetLost()}>
            Forget it, start a new one
          </button>
        </div>
      )}
      {resumed !== undefined && power !== "off" && (
        <div className="message note" role="status">
          <p>{resumed.session ? "Your machine goes on where it was: its memory was kept in this browser." : "Begun at the prompt, from a snapshot of a boot: nothing was skipped, it only happened earlier."}</p>
          <button type="button" onClick={() => void session.restart()}>
            {resumed.session ? "Boot afresh" : "Watch it boot"}
          </button>
          <button type="button" onClick={() => session.dismissResumed()}>
            Close
          </button>
        </div>
      )}
      {notes.map((n) => (
        <div className="message note" role="status" key={n.text}>
          <p>{n.text}</p>
          {n.download && (
            <ActionButton session={session} id="download">
              Download now
            </ActionButton>
          )}
          <button type="button" onClick={() => session.dismissNote(n)}>
            Close
          </button>
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

/** A newer version of the page is here. */
function Update(): ReactNode {
  const { update } = useStore(offline);
  if (!update) return null;
  return (
    <div className="message note" role="status">
      <p>A new version of this page is here. The machine that runs is that of the old one; it ends with a reload, unless it is kept.</p>
      <button type="button" className="primary" onClick={takeUpdate}>
        Reload
      </button>
      <button type="button" onClick={() => offline.set({ update: false })}>
        Later
      </button>
    </div>
  );
}

/** A process was ended by a fault: what happened, in a sentence, and where to look. */
function Crash({ session }: { readonly session: Session }): ReactNode {
  const { fault } = useStore(session.state);
  if (fault === undefined) return null;
  const report = (): string =>
    [fault.words, "", ...fault.registers.map(([n, v]) => `${n} ${v}`), "", ...fault.code.map((l) => `${l.address.toString(16).padStart(8, "0")}  ${l.bytes.padEnd(24)} ${l.text}`), "", "Last system calls:", ...fault.calls].join("\n");
  return (
    <div className="message problem" role="alert">
      <p>
        {fault.words}{" "}
        <code>
          {fault.code[0]?.text} at {fault.rip.toString(16)}
        </code>
      </p>
      <button type="button" onClick={() => showMemory(fault.rip)}>
        Look at the code
      </button>
      <CopyButton text={report}>Copy a report</CopyButton>
      <button type="button" onClick={() => session.dismiss()}>
        Close
      </button>
    </div>
  );
}

function Find({ session }: { readonly session: Session }): ReactNode {
  const { screen } = useStore(ui);
  const [text, setText] = useState("");
  const [found, setFound] = useState(true);
  const console = session.consoles[Number(screen)] ?? session.console;
  const close = (): void => {
    console.endFind();
    ui.set({ finding: false });
    console.focus();
  };
  const find = (up: boolean): void => void console.find(text, up).then(setFound, () => undefined);
  return (
    <form
      className="find row"
      onSubmit={(e) => {
        e.preventDefault();
        find(true);
      }}
      onKeyDown={(e) => {
        if (e.key === "Escape") close();
      }}
    >
      <input
        type="text"
        aria-label="Find in the console"
        autoFocus
        spellCheck={false}
        value={text}
        onChange={(e) => {
          setText(e.target.value);
          // nobody has looked for this yet
          setFound(true);
        }}
      />
      <button type="submit">Up</button>
      <button type="button" onClick={() => find(false)}>
        Down
      </button>
      <span role="status">{found || text === "" ? "" : "Not there."}</span>
      <button type="button" className="icon" aria-label="End the search" onClick={close}>
        ✕
      </button>
    </form>
  );
}

const SHELL = (line: number): string => `setsid sh </dev/tty${line} >/dev/tty${line} 2>&1 &\n`;

/** Which console, or the transcript; and what can be done with it. */
function Screens({ session, inside }: { readonly session: Session; readonly inside: boolean }): ReactNode {
  const { screen } = useStore(ui);
  const { power, alive } = useStore(session.state);
  return (
    <div className="screens">
      <div className="row" role="group" aria-label="What is shown here">
        {session.consoles.map((_, line) => (
          <button type="button" key={line} aria-pressed={screen === line} onClick={() => ui.set({ screen: line })}>
            con{line}
          </button>
        ))}
        <button type="button" aria-pressed={screen === "transcript"} onClick={() => ui.set({ screen: "transcript" })}>
          Transcript
        </button>
      </div>
      {typeof screen === "number" && screen > 0 && !alive.includes(screen) && (
        <button type="button" className="chip" disabled={power !== "running"} title={SHELL(screen)} onClick={() => session.type(SHELL(screen))}>
          start a shell here
        </button>
      )}
      {/* both take their room always: a click outside must not find the page moved because the console lost the focus */}
      <span className="hint">
        <span data-now={!inside}>Click or press Enter in the console to type</span>
        <span data-now={inside}>F6 leaves the console</span>
      </span>
      <div className="row tools">
        <ActionButton session={session} id="find">
          Find
        </ActionButton>
        <ActionButton session={session} id="copy">
          Copy
        </ActionButton>
        <ActionButton session={session} id="paste">
          Paste
        </ActionButton>
      </div>
    </div>
  );
}

export function ConsoleView({ session }: { readonly session: Session }): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const { power } = useStore(session.state);
  const { screen, finding, reader, present } = useStore(ui);
  const [inside, setInside] = useState(false);
  const shown = session.consoles[Number(screen)] ?? session.console;
  useEffect(() => {
    const p = place.current;
    if (p === null) return undefined;
    const unmount = shown.mount(p);
    return () => {
      unmount();
      p.replaceChildren();
    };
  }, [shown]);
  useEffect(() => {
    for (const c of session.consoles) c.look(reader, present ? 20 : 13);
  }, [session, reader, present]);
  return (
    <section className="console">
      <Screens session={session} inside={inside} />
      {finding && <Find session={session} />}
      {screen === "transcript" && <TranscriptView session={session} />}
      <div
        className={`screen ${inside ? "inside" : ""}`}
        data-region="console"
        role="group"
        tabIndex={0}
        hidden={screen === "transcript"}
        aria-label={`Console, ${power}. Press Enter to type, F6 to leave.`}
        onFocus={(e) => setInside(e.target !== e.currentTarget)}
        onBlur={() => setInside(false)}
        onKeyDown={(e) => {
          if (e.target === e.currentTarget && (e.key === "Enter" || e.key === " ")) {
            e.preventDefault();
            shown.focus();
          }
        }}
      >
        <div className="terminal" ref={place} />
        <Waiting session={session} />
      </div>
      <Crash session={session} />
      <Messages session={session} />
      <Update />
      <FileNews session={session} />
      <div className="try" role="group" aria-label="Commands to try">
        {TRY.map((t) => (
          <button type="button" className="chip" key={t.label} title={t.command} disabled={power !== "running"} onClick={() => void session.run(t)}>
            {t.label}
          </button>
        ))}
        <button type="button" className="chip" onClick={() => openPanel("page 0")}>
          what is at address 0?
        </button>
        <ActionButton session={session} id="tour" className="chip">
          ten-minute tour
        </ActionButton>
      </div>
    </section>
  );
}
