// src/inspect/mmu.tsx — what is missing: the same processes as a machine with an MMU would show them, each in an address space of its own.
import { memo, type ReactNode, useState } from "react";
import type { MemoryRow } from "../../worker/protocol/inspect.ts";
import { size } from "../format.ts";
import { paint, pattern } from "./owners.ts";

const WIDTH = 1000;
const HEIGHT = 16;
/** where things lie in a process of an ordinary Linux: the program low, what is mapped in the middle, the stack at the top */
const PLACES: Readonly<Partial<Record<MemoryRow["kind"], number>>> = { text: 0, data: 0, heap: 0, map: 0.5, stack: 1 };

interface Lane {
  readonly pid: number;
  readonly name: string;
  readonly total: number;
  readonly parts: readonly (readonly [row: MemoryRow, x: number, width: number])[];
}

/** Each process's regions as in an address space of its own; widths are in proportion. */
export function lanes(all: readonly MemoryRow[]): readonly Lane[] {
  const owners = new Map<number, MemoryRow[]>();
  for (const r of all) if (r.owner !== undefined) owners.set(r.owner, [...(owners.get(r.owner) ?? []), r]);
  const sum = (rows: readonly MemoryRow[]): number => rows.reduce((n, r) => n + r.end - r.start, 0);
  const largest = Math.max(1, ...[...owners.values()].map(sum));
  // the largest one fills two thirds: the rest is the gap that nothing is mapped in
  const scale = (WIDTH * 0.66) / largest;
  return [...owners].map(([pid, rows]) => {
    const parts: [MemoryRow, number, number][] = [];
    const group = (place: number): readonly MemoryRow[] => rows.filter((r) => (PLACES[r.kind] ?? 0.5) === place);
    for (const place of [0, 0.5, 1]) {
      const width = sum(group(place)) * scale;
      let x = place === 0 ? 8 : place === 1 ? WIDTH - width : Math.max(sum(group(0)) * scale + 24, WIDTH * 0.5 - width / 2);
      for (const r of group(place)) {
        const w = (r.end - r.start) * scale;
        parts.push([r, x, Math.max(1, w)]);
        x += w;
      }
    }
    return { pid, name: rows[0]!.note.split(" · ")[0]!.split(",")[0]!, total: sum(rows), parts };
  });
}

export const WithMmu = memo(({ rows }: { readonly rows: readonly MemoryRow[] }): ReactNode => {
  const [shown, setShown] = useState(false);
  return (
    <div className="mmu">
      <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
        With an MMU it would be
      </button>
      {shown && (
        <>
          <ul>
            {lanes(rows).map((l) => (
              <li key={l.pid}>
                <span>
                  {l.pid} {l.name}
                </span>
                <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" style={{ height: HEIGHT }} role="img" aria-label={`${size(l.total)}, in a space of its own`}>
                  {l.parts.map(([r, x, w]) => (
                    <g key={r.start} opacity={0.55}>
                      <rect x={x} y={0} width={w} height={HEIGHT} fill={paint(r)} />
                      {pattern(r) !== undefined && <rect x={x} y={0} width={w} height={HEIGHT} fill={`url(#mem-${pattern(r)})`} />}
                    </g>
                  ))}
                </svg>
              </li>
            ))}
          </ul>
          <p className="story">
            Each process would be alone, from the first address to the last: the same addresses for all, the program low, the stack high, nothing between. A neighbour’s memory has no address there, so it cannot be poked. A stack
            can grow into the gap, <code>fork</code> can share pages until somebody writes, and free pages need not lie side by side. None of that is here: this picture is a drawing of what is missing, not of this machine.
          </p>
        </>
      )}
    </div>
  );
});
