// src/transcript_view.tsx — the transcript on the page: for screen readers, phones, copying, and looking back.
import { type ReactNode, useEffect, useRef } from "react";
import { CopyButton } from "./copy.tsx";
import type { Session } from "./session.ts";
import { useStore } from "./store.ts";
import { asText, ending } from "./transcript.ts";

/** entries on the page */
const SHOWN = 100;

export function TranscriptView({ session }: { readonly session: Session }): ReactNode {
  const { entries } = useStore(session.transcript);
  const box = useRef<HTMLDivElement>(null);
  const last = entries.at(-1);
  useEffect(() => {
    const b = box.current;
    if (b !== null) b.scrollTop = b.scrollHeight;
  }, [entries.length, last?.output]);
  return (
    <div className="transcript" ref={box} tabIndex={0} role="log" aria-live="off" aria-label="Transcript">
      <div className="row">
        <CopyButton text={() => asText(entries)} disabled={entries.length === 0}>
          Copy all
        </CopyButton>
        <span className="hint">Grouped by command. How each ended is what the kernel told the shell.</span>
      </div>
      {entries.slice(-SHOWN).map((e) => (
        <section key={e.id} aria-label={e.command ?? "Before the first command"}>
          <div className="cmd">
            <b>{e.command ?? "(start)"}</b>
            {e.ends.map(([comm, status], i) => (
              <span key={i} className={`badge ${status === 0 ? "good" : "bad"}`}>
                {comm}: {ending(status)}
              </span>
            ))}
            <CopyButton text={() => e.output}>Copy</CopyButton>
          </div>
          {e.output !== "" && <pre>{e.output}</pre>}
        </section>
      ))}
      {entries.length === 0 && <p className="empty">Nothing has been printed yet.</p>}
    </div>
  );
}
