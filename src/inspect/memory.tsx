// src/inspect/memory.tsx — the one address space: who owns what, and the bytes themselves.
import type { Remote } from "comlink";
import { type ReactNode, useCallback, useState } from "react";
import type { MachineControl, MemoryRow } from "../../worker/protocol.ts";
import { hex, size } from "../format.ts";
import type { Session } from "../session.ts";
import { usePoll } from "./poll.ts";

const ask = (control: Remote<MachineControl>): Promise<{ size: number; rows: MemoryRow[] }> => control.memory();

/** cells of the strip */
const CELLS = 512;
const BYTES = 256;
const hues = [210, 30, 140, 330, 265, 60, 180, 0];

const style = (row: MemoryRow | undefined): Record<string, string> => (row?.owner === undefined ? {} : { "--hue": String(hues[row.owner % hues.length]) });

/** The row that has most of [start, end); what is owned goes before what is free. */
export function dominant(rows: readonly MemoryRow[], start: number, end: number): MemoryRow | undefined {
  let best: MemoryRow | undefined;
  let most = 0;
  for (const r of rows) {
    const n = Math.min(r.end, end) - Math.max(r.start, start);
    const weight = r.kind === "free" ? n / 1e6 : n;
    if (n > 0 && weight > most) {
      most = weight;
      best = r;
    }
  }
  return best;
}

function HexView({ bytes, start }: { readonly bytes: Uint8Array; readonly start: number }): ReactNode {
  const lines = Array.from({ length: Math.ceil(bytes.length / 16) }, (_, i) => bytes.subarray(i * 16, i * 16 + 16));
  return (
    <pre className="hex" tabIndex={0} aria-label="Bytes">
      {lines.map((line, i) => `${hex(start + i * 16)}  ${Array.from(line, (b) => hex(b, 2)).join(" ").padEnd(47)}  ${Array.from(line, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".")).join("")}\n`)}
    </pre>
  );
}

export function MemoryPanel({ session }: { readonly session: Session }): ReactNode {
  const map = usePoll(session, ask, 500);
  const [start, setStart] = useState(0);
  const [text, setText] = useState("0");
  const peek = useCallback((control: Remote<MachineControl>) => control.peek(start, BYTES), [start]);
  const bytes = usePoll(session, peek, 500);
  if (map === undefined) return <p className="empty">The machine is off.</p>;
  const cell = map.size / CELLS;
  const go = (address: number): void => {
    setStart(address);
    setText(address.toString(16));
  };
  return (
    <div className="memory">
      <p className="story">One address space, and everybody is in it. Each cell is {size(cell)}; colours are processes, grey is the kernel's and its file cache, empty is free.</p>
      <div className="strip" role="img" aria-label={`Map of ${size(map.size)} of memory; the table below has the same data`}>
        {Array.from({ length: CELLS }, (_, i) => {
          const row = dominant(map.rows, i * cell, (i + 1) * cell);
          return <span key={i} className={`mem ${row?.kind ?? "free"}${row?.owner === undefined ? "" : " owned"}`} style={style(row)} title={row === undefined ? "" : `${hex(i * cell)} ${row.note} (${row.kind})`} onClick={() => go(Math.floor(i * cell))} />;
        })}
      </div>
      <form
        className="row"
        onSubmit={(e) => {
          e.preventDefault();
          const n = Number.parseInt(text, 16);
          if (n >= 0 && n < map.size) setStart(n);
        }}
      >
        <label>
          address <input value={text} spellCheck={false} onChange={(e) => setText(e.target.value)} size={10} />
        </label>
        <button type="submit">Show</button>
      </form>
      {bytes !== undefined && <HexView bytes={bytes} start={start} />}
      <table>
        <thead>
          <tr>
            <th scope="col">from</th>
            <th scope="col" className="number">
              size
            </th>
            <th scope="col">kind</th>
            <th scope="col">whose</th>
          </tr>
        </thead>
        <tbody>
          {map.rows
            .filter((r) => r.kind !== "free" && r.kind !== "other")
            .map((r) => (
              <tr key={r.start}>
                <td>
                  <button type="button" className="link" onClick={() => go(r.start)}>
                    {hex(r.start)}
                  </button>
                </td>
                <td className="number">{size(r.end - r.start)}</td>
                <td>
                  <span className={`swatch mem ${r.kind}${r.owner === undefined ? "" : " owned"}`} style={style(r)} aria-hidden="true" /> {r.kind}
                </td>
                <td>
                  {r.owner === undefined ? "" : `${r.owner} `}
                  {r.note}
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
