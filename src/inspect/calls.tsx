// src/inspect/calls.tsx — system calls as they happen, written as strace writes them; filters, runs, copying.
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { CallRow } from "../../worker/protocol/inspect.ts";
import { CopyButton } from "../copy.tsx";
import { count, seconds } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { ui } from "../ui.ts";

/** rows on the screen */
const SHOWN = 400;
const KEPT = 20_000;
const PERIOD_MS = 150;

/** Words that must all be there; `name:open*`, `pid:3`, `by:sh`, `ret<0`, `fd:3` and `!` (failed) are special. */
export function matches(row: CallRow, filter: string): boolean {
  return filter
    .split(/\s+/)
    .filter((w) => w !== "")
    .every((w) => {
      if (w === "!" || w === "ret<0") return row.error;
      const m = /^(name|pid|by|fd):(.+)$/.exec(w);
      if (m?.[1] === "name") return m[2]!.endsWith("*") ? row.name.startsWith(m[2]!.slice(0, -1)) : row.name === m[2];
      if (m?.[1] === "pid") return row.pid === Number(m[2]);
      if (m?.[1] === "by") return row.comm === m[2];
      if (m?.[1] === "fd") return row.text.startsWith(`${row.name}(${m[2]!},`) || row.text.startsWith(`${row.name}(${m[2]!})`);
      return row.text.includes(w) || row.comm === w;
    });
}

/** Neighbours of the same call by the same process become one line. */
export function runs(rows: readonly CallRow[]): (readonly [row: CallRow, n: number])[] {
  const out: [CallRow, number][] = [];
  for (const r of rows) {
    const last = out.at(-1);
    if (last !== undefined && last[0].pid === r.pid && last[0].name === r.name && last[0].error === r.error) {
      last[0] = r;
      last[1]++;
    } else out.push([r, 1]);
  }
  return out;
}

/** As `strace -f -r` would print it. */
export const asStrace = (rows: readonly CallRow[]): string => rows.map((r) => `[pid ${String(r.pid).padStart(5)}] ${(r.at / 1e9).toFixed(6)} ${r.text}\n`).join("");

export function CallsPanel({ session }: { readonly session: Session }): ReactNode {
  const { power } = useStore(session.state);
  const { focus } = useStore(ui);
  const [rows, setRows] = useState<readonly CallRow[]>([]);
  const [filter, setFilter] = useState("");
  const [follow, setFollow] = useState(true);
  const [together, setTogether] = useState(false);
  const [more, setMore] = useState(false);
  const [notes, setNotes] = useState<ReadonlyMap<string, string>>(new Map());
  const list = useRef<HTMLDivElement>(null);
  const live = power === "running" || power === "paused";
  useEffect(() => {
    if (!live) return;
    let ended = false;
    let seq = 0;
    const look = async (): Promise<void> => {
      setNotes(new Map(await session.ask("callNotes")));
      await session.ask("watchCalls", true, undefined, focus);
      while (!ended) {
        const next = await session.ask("calls", seq);
        if (next.length > 0 && !ended) {
          seq = next.at(-1)!.seq;
          setRows((old) => [...old, ...next].slice(-KEPT));
        }
        await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
      }
    };
    // the machine may be switched off meanwhile
    look().catch(() => undefined);
    return () => {
      ended = true;
      void session.ask("watchCalls", false).catch(() => undefined);
    };
  }, [session, live, focus]);
  const found = useMemo(() => rows.filter((r) => matches(r, filter)), [rows, filter]);
  const shown = useMemo(() => (together ? runs(found) : found.map((r) => [r, 1] as const)).slice(-SHOWN), [found, together]);
  useEffect(() => {
    if (follow && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [shown, follow]);
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
        <button type="button" aria-pressed={more} title="Guest time, time in the call, instructions since the process's last call" onClick={() => setMore(!more)}>
          Figures
        </button>
        <CopyButton text={() => asStrace(found)} disabled={found.length === 0}>
          Copy as strace
        </CopyButton>
        <button type="button" onClick={() => setRows([])}>
          Clear
        </button>
      </div>
      <div className="lines" ref={list} tabIndex={0} role="log" aria-live="off" aria-label="System calls">
        {shown.map(([r, n]) => (
          <div key={r.seq} className={r.error ? "error" : ""} title={notes.get(r.name)}>
            <button type="button" className="pid" title={`Only process ${r.pid}`} onClick={() => setFilter(`pid:${r.pid}`)}>
              {r.pid} {r.comm}
            </button>{" "}
            {more && (
              <span className="figures">
                {seconds(r.at)} {r.took > 0 ? `+${(r.took / 1000).toFixed(0)} µs ` : ""}
                {count(r.spent)} instr{" "}
              </span>
            )}
            {r.text}
            {n > 1 && <b> × {n}</b>}
            {r.error && notes.has(r.name) && <span className="badge">{notes.get(r.name)}</span>}
          </div>
        ))}
        {shown.length === 0 && <p className="empty">{live ? (rows.length > 0 ? `None of the ${count(rows.length)} calls has all of these words.` : "Nothing yet: type a command in the console.") : "The machine is off."}</p>}
      </div>
    </div>
  );
}
