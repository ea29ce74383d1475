// src/inspect/sled.tsx — page 0 as a grid: one cell for each nop, which is one system call; lit by how often it was called.
import { type KeyboardEvent, memo, type ReactNode, useEffect, useRef, useState } from "react";
import { count } from "../format.ts";
import type { Session } from "../session.ts";
import { useStore } from "../store.ts";
import { usePoll } from "./poll.ts";
import { Head, numbers } from "../head.tsx";
import { CELLS, JUMP_TO, kindOf, slide } from "./trampoline.ts";

const COLUMNS = 32;
const ROWS = Array.from({ length: CELLS / COLUMNS }, (_, i) => i);

const names = (session: Session): Promise<(string | undefined)[]> => session.ask("callNames");

/** 0 none, 1..6 by powers of eight or so. */
const heat = (n: number): number => (n === 0 ? 0 : Math.min(6, 1 + Math.floor(Math.log2(n) / 3)));

/** `calls`, `total`: undefined while nobody has said how many there were. */
export function describe(cell: number, name: string, calls: number | undefined, total: number): string {
  const at = `0x${cell.toString(16)}`;
  const kind = kindOf(cell);
  if (kind === "unused") return `${at}: nothing. Who jumps here faults.`;
  if (kind === "tail") return `${at}: mov $__kernel_vsyscall, %r11; pop %rcx; jmp *%r11 — the way into the kernel.`;
  if (kind === "jump") return `${at}: a short jump to 0x${JUMP_TO.toString(16)}, so that small numbers slide less.`;
  const { nops } = slide(cell);
  const share = calls !== undefined && total > 0 && calls > 0 ? `, ${((100 * calls) / total).toFixed(calls * 20 < total ? 1 : 0)} % of all calls` : "";
  return `${at} = ${cell}: ${name}${calls === undefined ? "" : ` — ${calls === 0 ? "not called yet" : `called ${count(calls)} ${calls === 1 ? "time" : "times"}${share}`}`}. From here: ${nops} nops.`;
}

const Cell = memo(({ cell, level, at, here }: { readonly cell: number; readonly level: number; readonly at: boolean; readonly here: boolean }): ReactNode => (
  <span role="gridcell" className={`cell h${level} ${kindOf(cell)}${at ? " focus" : ""}${here ? " here" : ""}`} data-cell={cell} />
));

/** 32 cells; `levels`: a digit of heat for each, `at` and `here` the column that is looked at and the one that a recorded call stands at, or -1 */
const GridRow = memo(({ row, levels, at, here }: { readonly row: number; readonly levels: string; readonly at: number; readonly here: number }): ReactNode => (
  <div role="row">
    {Array.from(levels, (level, i) => (
      <Cell key={i} cell={row * COLUMNS + i} level={Number(level)} at={i === at} here={i === here} />
    ))}
  </div>
));

interface SledProps {
  readonly session: Session;
  /** the address that a recorded call stands at */
  readonly here: number | undefined;
  readonly at: number;
  readonly setAt: (cell: number) => void;
}

export function Sled({ session, here, at, setAt }: SledProps): ReactNode {
  const { status } = useStore(session.figures);
  const table = usePoll(session, names, 60_000);
  const [asTable, setAsTable] = useState(false);
  const histogram = status?.histogram;
  const total = status === undefined ? 0 : status.calls + status.trapped;
  const text = describe(at, table === undefined ? "a system call" : (table[at] ?? "no such call"), histogram?.[at], total);
  const grid = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const onKey = (e: globalThis.KeyboardEvent): void => {
      const typing = (e.target as HTMLElement).closest("textarea, input, select, .xterm, dialog") !== null;
      if (e.key === "t" && !typing && !e.ctrlKey && !e.altKey && !e.metaKey) setAsTable((t) => !t);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const onKeyDown = (e: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS, Home: -CELLS, End: CELLS, PageUp: -4 * COLUMNS, PageDown: 4 * COLUMNS }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    setAt(Math.max(0, Math.min(CELLS - 1, at + step)));
  };
  const used = histogram === undefined ? [] : [...histogram].map((n, nr) => [nr, n] as const).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  return (
    <>
      {asTable ? (
        <table>
          <caption>Calls so far, most frequent first</caption>
          <Head columns={["address", "call", numbers("times"), numbers("nops from there")]} />
          <tbody>
            {used.map(([nr, n]) => (
              <tr key={nr}>
                <td>{nr}</td>
                <td>{table?.[nr] ?? "–"}</td>
                <td className="number">{count(n)}</td>
                <td className="number">{slide(nr).nops}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <div
          className="grid"
          role="grid"
          ref={grid}
          tabIndex={0}
          aria-label={`Page 0 as a grid of ${CELLS} addresses. Arrow keys move. ${text}`}
          onKeyDown={onKeyDown}
          onPointerMove={(e) => {
            const cell = (e.target as HTMLElement).dataset["cell"];
            if (cell !== undefined) setAt(Number(cell));
          }}
        >
          {ROWS.map((row) => {
            const column = (cell: number | undefined): number => (cell !== undefined && Math.floor(cell / COLUMNS) === row ? cell % COLUMNS : -1);
            const levels = Array.from({ length: COLUMNS }, (_, i) => heat(histogram?.[row * COLUMNS + i] ?? 0)).join("");
            return <GridRow key={row} row={row} levels={levels} at={column(at)} here={column(here)} />;
          })}
        </div>
      )}
      <p className="explain">{text}</p>
      <div className="row">
        <button type="button" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? "Show the grid" : "Show as a table"} <kbd>t</kbd>
        </button>
        <span className="legend" aria-hidden="true">
          <span className="cell h0" /> never <span className="cell h1" />
          <span className="cell h2" />
          <span className="cell h3" />
          <span className="cell h4" />
          <span className="cell h5" />
          <span className="cell h6" /> often <span className="cell tail" /> the way in
        </span>
      </div>
    </>
  );
}
