// src/inspect/noted.ts — the system calls that were noted: filters, runs of the same one, and no more of them than a list can hold.
import type { CallRow } from "../../worker/protocol/inspect.ts";

const KEPT = 20_000;

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

/** The rows that were noted, and those of them that a filter lets through: each is looked at once, not again with each look at the machine. */
export interface Noted {
  readonly rows: readonly CallRow[];
  readonly filter: string;
  readonly found: readonly CallRow[];
}
export const NOTHING: Noted = { rows: [], filter: "", found: [] };

/** With what was noted since; the oldest go when there are too many. */
export function more({ rows, filter, found }: Noted, next: readonly CallRow[]): Noted {
  const all = [...rows, ...next];
  const gone = rows.slice(0, Math.max(0, all.length - KEPT)).filter((r) => matches(r, filter)).length;
  return { rows: all.slice(-KEPT), filter, found: [...found.slice(gone), ...next.slice(-KEPT).filter((r) => matches(r, filter))] };
}
export const filtered = (old: Noted, filter: string): Noted => ({ ...old, filter, found: old.rows.filter((r) => matches(r, filter)) });
