// src/inspect/hex.tsx — bytes of memory, sixteen a row. It scrolls by itself: an element as tall as 4 GiB of rows cannot be (browsers end at 33 million pixels).
import { type KeyboardEvent, memo, type MouseEvent, type PointerEvent, type ReactNode, useEffect, useEffectEvent, useRef } from "react";
import { hex } from "../format.ts";

export const ROWS = 16;
const WIDE = 16;

export const printable = (b: number): string => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".");

interface RowProps {
  readonly address: number;
  /** its bytes as text, one character each: equal texts need not be drawn again */
  readonly text: string;
  /** which of them changed: bit i for byte i */
  readonly changed: number;
  /** the byte that the cursor is on; -1: none of these */
  readonly cursor: number;
  /** what points to them: "3 rsp", one a line */
  readonly marks: string;
}
const Row = memo(({ address, text, changed, cursor, marks }: RowProps): ReactNode => {
  const bytes = Array.from(text, (c) => c.charCodeAt(0));
  const marked = new Map(marks === "" ? [] : marks.split("\n").map((m) => [Number.parseInt(m, 10), m.slice(m.indexOf(" ") + 1)] as const));
  return (
    <div role="row" className="hexrow" data-row={address}>
      <span role="rowheader" className="addr">
        {hex(address)}{"  "}
      </span>
      {bytes.map((b, i) => {
        const mark = marked.get(i);
        return (
          <span role="gridcell" key={i} data-at={i} className={`b${(changed >> i) & 1 ? " changed" : ""}${i === cursor ? " cursor" : ""}${mark === undefined ? "" : " marked"}${b === 0 ? " zero" : ""}`} title={mark === undefined ? undefined : `${mark} points here`}>
            {hex(b, 2)}
            {i < WIDE - 1 ? " " : ""}
          </span>
        );
      })}
      <span role="gridcell" className="ascii">
        {"  "}
        {bytes.map(printable).join("")}
      </span>
      {"\n"}
    </div>
  );
});

interface HexProps {
  readonly bytes: Uint8Array;
  readonly start: number;
  /** bytes that were at `start` before, to mark what changed */
  readonly before: Uint8Array | undefined;
  readonly size: number;
  readonly cursor: number;
  readonly setStart: (address: number) => void;
  readonly setCursor: (address: number) => void;
  /** what points where: registers by address */
  readonly marks: ReadonlyMap<number, string>;
}

export function HexView({ bytes, start, before, size, cursor, setStart, setCursor, marks }: HexProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const last = Math.max(0, size - ROWS * WIDE);
  const scroll = (rows: number): void => setStart(Math.max(0, Math.min(last, start + rows * WIDE)));
  const scrollBy = useEffectEvent(scroll);
  useEffect(() => {
    const el = box.current;
    // not passive: the page is not to scroll along
    const onWheel = (e: WheelEvent): void => {
      e.preventDefault();
      scrollBy(Math.sign(e.deltaY) * 3);
    };
    el?.addEventListener("wheel", onWheel, { passive: false });
    return () => el?.removeEventListener("wheel", onWheel);
  }, []);
  const move = (to: number): void => {
    const at = Math.max(0, Math.min(size - 1, to));
    setCursor(at);
    if (at < start) setStart(Math.floor(at / WIDE) * WIDE);
    else if (at >= start + ROWS * WIDE) setStart(Math.min(last, (Math.floor(at / WIDE) - ROWS + 1) * WIDE));
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -WIDE, ArrowDown: WIDE, PageUp: -ROWS * WIDE, PageDown: ROWS * WIDE, Home: -(cursor % WIDE), End: WIDE - 1 - (cursor % WIDE) }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    move(cursor + step);
  };
  const onClick = (e: MouseEvent): void => {
    const cell = (e.target as HTMLElement).closest<HTMLElement>("[data-at]");
    if (cell !== null) setCursor(Number(cell.closest<HTMLElement>("[data-row]")!.dataset["row"]) + Number(cell.dataset["at"]));
  };
  const drag = (e: PointerEvent<HTMLDivElement>): void => {
    const r = e.currentTarget.getBoundingClientRect();
    setStart(Math.floor((Math.max(0, Math.min(1, (e.clientY - r.top) / r.height)) * last) / WIDE) * WIDE);
  };
  const rows = Array.from({ length: Math.ceil(bytes.length / WIDE) }, (_, i) => i);
  const at = cursor - start;
  return (
    <div className="hexbox">
      <div
        className="hex"
        ref={box}
        tabIndex={0}
        role="grid"
        aria-label={`Bytes from ${hex(start)}. Arrow keys move. ${at >= 0 && at < bytes.length ? `${hex(cursor)}: ${hex(bytes[at]!, 2)}` : ""}`}
        onKeyDown={onKeyDown}
        onClick={onClick}
      >
        {rows.map((row) => {
          const from = row * WIDE;
          const part = bytes.subarray(from, from + WIDE);
          let changed = 0;
          if (before !== undefined) part.forEach((b, i) => (changed |= before[from + i] !== undefined && before[from + i] !== b ? 1 << i : 0));
          const marked = Array.from(part, (_, i) => (marks.has(start + from + i) ? `${i} ${marks.get(start + from + i)}` : "")).filter((m) => m !== "");
          return <Row key={row} address={start + from} text={String.fromCharCode(...part)} changed={changed} cursor={at >= from && at < from + WIDE ? at - from : -1} marks={marked.join("\n")} />;
        })}
      </div>
      <div
        className="scrollbar"
        role="scrollbar"
        aria-controls="panel-body"
        aria-label="Where in memory"
        aria-orientation="vertical"
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={start}
        aria-valuetext={hex(start)}
        tabIndex={-1}
        onPointerDown={(e) => {
          e.currentTarget.setPointerCapture(e.pointerId);
          drag(e);
        }}
        onPointerMove={(e) => (e.currentTarget.hasPointerCapture(e.pointerId) ? drag(e) : undefined)}
      >
        <span style={{ insetBlockStart: `${last === 0 ? 0 : (94 * start) / last}%` }} />
      </div>
    </div>
  );
}
