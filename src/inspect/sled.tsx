// src/inspect/sled.tsx — page 0: one cell for each nop, which is one system call; lit by how often it was called.
import type { Remote } from "comlink";
import { type KeyboardEvent, memo, type ReactNode, useEffect, useState } from "react";
import type { ImageRow, MachineControl } from "../../worker/protocol.ts";
import { count } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { usePoll } from "./poll.ts";

const CELLS = 512;
const COLUMNS = 32;
/** the trampoline as arch/um/trampoline.ts writes it */
const TAIL = 463;
const TAIL_END = 477;

const names = (control: Remote<MachineControl>): Promise<(string | undefined)[]> => control.callNames();
const images = (control: Remote<MachineControl>): Promise<ImageRow[]> => control.images();

/** 0 none, 1..6 by powers of eight or so. */
const heat = (n: number): number => (n === 0 ? 0 : Math.min(6, 1 + Math.floor(Math.log2(n) / 3)));

function describe(cell: number, name: string | undefined, calls: number): string {
  if (cell >= TAIL_END) return `0x${cell.toString(16)}: unused`;
  if (cell >= TAIL) return `0x${cell.toString(16)}: mov $__kernel_vsyscall, %r11; pop %rcx; jmp *%r11`;
  return `0x${cell.toString(16)} = ${cell}: ${name ?? "no such call"}, ${calls === 0 ? "not called yet" : `called ${count(calls)} ${calls === 1 ? "time" : "times"}`}`;
}

const Cell = memo(({ cell, level, focus }: { readonly cell: number; readonly level: number; readonly focus: boolean }): ReactNode => (
  <span role="gridcell" className={`cell h${level}${cell >= TAIL_END ? " unused" : cell >= TAIL ? " tail" : ""}${focus ? " focus" : ""}`} data-cell={cell} />
));

const LETTERS = Array.from({ length: CELLS / COLUMNS }, (_, i) => i);

export function SledPanel({ session }: { readonly session: Session }): ReactNode {
  const { status } = useStore(session.state);
  const table = usePoll(session, names, 60_000);
  const files = usePoll(session, images, 500);
  const [at, setAt] = useState(39);
  const [asTable, setAsTable] = useState(false);
  const histogram = status?.histogram;
  const calls = histogram?.[at] ?? 0;
  useEffect(() => {
    const onKey = (e: globalThis.KeyboardEvent): void => {
      const typing = (e.target as HTMLElement).closest("textarea, input, select, .xterm") !== null;
      if (e.key === "t" && !typing && !e.ctrlKey && !e.altKey && !e.metaKey) setAsTable((t) => !t);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const onKeyDown = (e: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS, Home: -CELLS, End: CELLS }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    setAt(Math.max(0, Math.min(CELLS - 1, at + step)));
  };
  const used = histogram === undefined ? [] : [...histogram].map((n, nr) => [nr, n] as const).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  return (
    <div className="sled">
      <p className="story">
        A program calls the kernel with <code>call *%rax</code>: it jumps to the address that is the call's number. All of these bytes are <code>nop</code>s, so it slides to the end, and into
        the kernel. Bright cells were called often.
      </p>
      {asTable ? (
        <table>
          <caption>Calls so far</caption>
          <thead>
            <tr>
              <th scope="col">address</th>
              <th scope="col">call</th>
              <th scope="col" className="number">
                times
              </th>
            </tr>
          </thead>
          <tbody>
            {used.map(([nr, n]) => (
              <tr key={nr}>
                <td>{nr}</td>
                <td>{table?.[nr] ?? "–"}</td>
                <td className="number">{count(n)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <div
          className="grid"
          role="grid"
          tabIndex={0}
          aria-label={`Page 0 as a grid of ${CELLS} addresses. Arrow keys move. ${describe(at, table?.[at], calls)}`}
          onKeyDown={onKeyDown}
          onPointerMove={(e) => {
            const cell = (e.target as HTMLElement).dataset["cell"];
            if (cell !== undefined) setAt(Number(cell));
          }}
        >
          {LETTERS.map((row) => (
            <div role="row" key={row}>
              {Array.from({ length: COLUMNS }, (_, i) => {
                const cell = row * COLUMNS + i;
                return <Cell key={cell} cell={cell} level={heat(histogram?.[cell] ?? 0)} focus={cell === at} />;
              })}
            </div>
          ))}
        </div>
      )}
      <p className="explain" aria-live="off">
        {describe(at, table?.[at], calls)}
      </p>
      <div className="row">
        <button type="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? "Show the grid" : "Show as a table"} <kbd>t</kbd>
        </button>
      </div>
      <h3>Two bytes each</h3>
      <p className="story">
        At <code>execve</code>, each <code>0f 05</code> (<code>syscall</code>) in a program and its loader became <code>ff d0</code> (<code>call *%rax</code>).
      </p>
      <table>
        <thead>
          <tr>
            <th scope="col">file</th>
            <th scope="col" className="number">
              sites
            </th>
            <th scope="col" className="number">
              rewritten
            </th>
            <th scope="col" className="number">
              left
            </th>
          </tr>
        </thead>
        <tbody>
          {(files ?? []).map((f) => (
            <tr key={f.name}>
              <td>{f.name}</td>
              <td className="number">{f.sites}</td>
              <td className="number">{f.rewritten}</td>
              <td className="number">{f.left}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {files === undefined && <p className="empty">The machine is off.</p>}
    </div>
  );
}
