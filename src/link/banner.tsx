// src/link/banner.tsx — what was opened, above the console: questions before it boots, then its title, its notes, its command and the verdict.
import type { ReactNode } from "react";
import { ENGINE } from "../engine.ts";
import { count } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { guest } from "./guest.ts";
import { bootable, bootOpened, closeOpened, runArmed } from "./open.ts";

export function LinkBanner({ session }: { readonly session: Session }): ReactNode {
  const { opened } = useStore(guest);
  const { power } = useStore(session.state);
  if (opened === undefined) return null;
  const { link, problems, questions, verdict, phase } = opened;
  const impossible = phase === "asking" && !bootable(session, opened);
  const events = link.extra.input?.length ?? 0;
  return (
    <section className="opened" data-region="link" tabIndex={-1} aria-label={`Opened ${opened.from}`}>
      <div className="said">
        <b>{link.title === "" ? `This machine is from a ${opened.from}` : link.title}</b>
        <span>
          {link.title === "" ? "" : `from a ${opened.from}; `}a scratch disk: nothing that you keep is touched
          {events > 0 ? `; it repeats ${count(events)} recorded inputs` : ""}
          {link.at === undefined ? "" : `, up to instruction ${count(link.at)}`}
          {link.engine === undefined || link.engine === ENGINE ? "" : `; made by another version of this page (${link.engine}; this is ${ENGINE}): it may come out otherwise`}
          {/(?:^| )time=real(?: |$)/.test(opened.cmdline) ? "; its clock is this computer’s (time=real): what was recorded comes out the same, and from there no two runs do" : ""}
        </span>
      </div>
      {(problems.length > 0 || questions.length > 0 || link.unknown.length > 0) && (
        <ul>
          {questions.map((q) => (
            <li key={q}>{q}</li>
          ))}
          {problems.map((p) => (
            <li key={p.key + p.text}>
              {p.key === "" ? "" : <code>{p.key}</code>} {p.text}
            </li>
          ))}
          {link.unknown.length > 0 && <li>Made by a newer version; not understood here, and kept: {link.unknown.map(([k]) => k).join(", ")}</li>}
        </ul>
      )}
      {link.extra.notes !== undefined && (
        <details open={link.extra.notes.length < 600}>
          <summary>Notes</summary>
          <pre>{link.extra.notes}</pre>
        </details>
      )}
      {verdict !== undefined && (
        <p className={verdict.same ? "verdict same" : "verdict other"} role="status">
          <span aria-hidden="true">{verdict.same ? "✓" : "✗"}</span> {verdict.text}
        </p>
      )}
      <div className="row">
        {phase === "asking" && (
          <button type="button" className="primary" disabled={impossible} onClick={() => void bootOpened(session)}>
            {problems.length > 0 ? "Boot anyway" : link.source === undefined ? "Boot it" : "Fetch and boot it"}
          </button>
        )}
        {phase === "done" && opened.armed && link.extra.command !== undefined && (
          <>
            <span>
              It brings a command: <code>{link.extra.command.trim()}</code>
            </span>
            <button type="button" className="primary" disabled={power !== "running"} onClick={() => runArmed(session)}>
              Run it
            </button>
          </>
        )}
        {phase === "done" && power === "paused" && link.at !== undefined && (
          <button type="button" onClick={() => session.resume()}>
            Run on from here
          </button>
        )}
        <button type="button" onClick={() => closeOpened(session)}>
          {phase === "asking" ? "Boot the usual machine" : "Close"}
        </button>
      </div>
    </section>
  );
}
