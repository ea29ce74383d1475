// src/inspect/calls.tsx — system calls as they happen, written as strace writes them; filters, runs, copying.
import { type ReactNode, useEffect, useMemo, useState } from "react";
import type { CallRow } from "../../worker/protocol/inspect.ts";
import { CopyButton } from "../copy.tsx";
import { count, seconds } from "../format.ts";
import { Rows } from "../rows.tsx";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { ui } from "../ui.ts";
import { filtered, more, NOTHING, runs } from "./noted.ts";
import { watched } from "./watched.ts";

const PERIOD_MS = 150;

/** As `strace -f -r` would print it. */
export const asStrace = (rows: readonly CallRow[]): string => rows.map((r) => `[pid ${String(r.pid).padStart(5)}] ${(r.at / 1e9).toFixed(6)} ${r.text}\n`).join("");

export function CallsPanel({ session }: { readonly session: Session }): ReactNode {
  const { power } = useStore(session.state);
  const { focus } = useStore(ui);
  const { log } = useStore(watched);
  const [{ rows, filter, found }, setNoted] = useState(NOTHING);
  const [follow, setFollow] = useState(true);
  const [together, setTogether] = useState(false);
  const [figures, setFigures] = useState(false);
  const [chosen, setChosen] = useState<CallRow>();
  const [notes, setNotes] = useState<ReadonlyMap<string, string>>(new Map());
  const live = power === "running" || power === "paused";
  const setFilter = (words: string): void => setNoted((old) => filtered(old, words));
  useEffect(() => {
    if (log === undefined) return;
    let ended = false;
    let seq = 0;
    const look = async (): Promise<void> => {
      setNotes(new Map(await session.ask("callNotes")));
      while (!ended) {
        const next = await session.ask("calls", seq);
        if (next.length > 0 && !ended) {
          seq = next.at(-1)!.seq;
          setNoted((old) => more(old, next));
        }
        await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
      }
    };
    // the machine may be switched off meanwhile
    look().catch(() => undefined);
    return () => {
      ended = true;
    };
  }, [session, log]);
  const joined = useMemo(() => (together ? runs(found) : []), [found, together]);
  const line = (r: CallRow, n: number): ReactNode => {
    // the result is seen, however long the arguments are
    const end = r.text.lastIndexOf(") = ") + 1;
    return (
      <span className={r.error ? "call error" : "call"} title={r.text} onClick={() => setChosen(r)}>
        <button type="button" className="pid" title={`Only process ${r.pid}`} onClick={() => setFilter(`pid:${r.pid}`)}>
          {r.pid} {r.comm}
        </button>
        {figures && (
          <span className="figures">
            {seconds(r.at)} {r.took > 0 ? `+${(r.took / 1000).toFixed(0)} µs ` : ""}
            {count(r.spent)} instr{" "}
          </span>
        )}
        <span className="arguments">{end > 0 ? r.text.slice(0, end) : r.text}</span>
        {end > 0 && <span>{r.text.slice(end)}</span>}
        {n > 1 && <b> × {n}</b>}
        {r.error && notes.has(r.name) && <span className="badge">{notes.get(r.name)}</span>}
      </span>
    );
  };
  const list = {
    follow,
    onLeave: () => setFollow(false),
    label: "System calls",
    empty: <p className="empty">{!live ? "The machine is off." : rows.length > 0 ? `None of the ${count(rows.length)} calls has all of these words.` : log === undefined ? "…" : "Nothing yet: calls are listed from the opening of this panel on. Type a command in the console."}</p>,
  };
  return (
    <div className="calls">
      <p className="story">
        Each of these went through page 0: the number in rax was the address that was called.
        {focus !== undefined && (
          <>
            {" "}
            Only of process {focus}.{" "}
            <button type="button" className="link" onClick={() => ui.set({ focus: undefined })}>
              show all
            </button>
          </>
        )}
      </p>
      <div className="row">
        <input type="search" aria-label="Filter" placeholder="name:open* pid:3 by:ls fd:1 !" value={filter} onChange={(e) => setFilter(e.target.value)} />
        <button type="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>
          Follow
        </button>
        <button type="button" aria-pressed={together} title="The same call several times in a row as one line" onClick={() => setTogether(!together)}>
          Together
        </button>
        <button type="button" aria-pressed={figures} title="Guest time, time in the call, instructions since the process's last call" onClick={() => setFigures(!figures)}>
          Figures
        </button>
        <CopyButton text={() => asStrace(found)} disabled={found.length === 0}>
          Copy as strace
        </CopyButton>
        <button type="button" onClick={() => setNoted({ rows: [], filter, found: [] })}>
          Clear
        </button>
      </div>
      {together ? <Rows rows={joined} render={([r, n]) => line(r, n)} {...list} /> : <Rows rows={found} render={(r) => line(r, 1)} {...list} />}
      {chosen !== undefined && (
        <p className="chosencall" role="status">
          {chosen.text}
          {notes.has(chosen.name) && <small> {notes.get(chosen.name)}</small>}
        </p>
      )}
    </div>
  );
}
