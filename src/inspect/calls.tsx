// src/inspect/calls.tsx — system calls as they happen, written as strace writes them.
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { CallRow } from "../../worker/protocol.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";

/** rows on the screen */
const SHOWN = 400;
const PERIOD_MS = 150;

/** Words that must all be there; `pid:3` and `!` (failed) are special. */
export function matches(row: CallRow, filter: string): boolean {
  return filter
    .split(/\s+/)
    .filter((w) => w !== "")
    .every((w) => {
      if (w === "!") return row.error;
      const pid = /^pid:(\d+)$/.exec(w);
      if (pid !== null) return row.pid === Number(pid[1]);
      return row.text.includes(w) || row.comm === w;
    });
}

export function CallsPanel({ session }: { readonly session: Session }): ReactNode {
  const { power } = useStore(session.state);
  const [rows, setRows] = useState<readonly CallRow[]>([]);
  const [filter, setFilter] = useState("");
  const [follow, setFollow] = useState(true);
  const list = useRef<HTMLDivElement>(null);
  const live = power === "running" || power === "paused";
  useEffect(() => {
    if (!live) return;
    const { control } = session;
    let ended = false;
    let seq = 0;
    const look = async (): Promise<void> => {
      await control.watchCalls(true);
      while (!ended) {
        const more = await control.calls(seq);
        if (more.length > 0 && !ended) {
          seq = more[more.length - 1]!.seq;
          setRows((old) => [...old, ...more].slice(-2000));
        }
        await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
      }
    };
    // the machine may be switched off meanwhile
    look().catch(() => undefined);
    return () => {
      ended = true;
      void control.watchCalls(false).catch(() => undefined);
    };
  }, [session, live]);
  useEffect(() => {
    if (follow && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [rows, follow, filter]);
  const shown = rows.filter((r) => matches(r, filter)).slice(-SHOWN);
  return (
    <div className="calls">
      <p className="story">Each of these went through page 0: the number in rax was the address that was called.</p>
      <div className="row">
        <input type="search" aria-label="Filter" placeholder="openat pid:3 !" value={filter} onChange={(e) => setFilter(e.target.value)} />
        <button type="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>
          Follow
        </button>
        <button type="button" onClick={() => setRows([])}>
          Clear
        </button>
      </div>
      <div className="lines" ref={list} tabIndex={0} role="log" aria-live="off" aria-label="System calls">
        {shown.map((r) => (
          <div key={r.seq} className={r.error ? "error" : ""}>
            <span className="pid">
              {r.pid} {r.comm}
            </span>{" "}
            {r.text}
          </div>
        ))}
        {shown.length === 0 && <p className="empty">{live ? "Nothing yet: type a command in the console." : "The machine is off."}</p>}
      </div>
    </div>
  );
}
