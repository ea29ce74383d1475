// src/inspect/hex.tsx — bytes of memory, sixteen a row. It scrolls by itself: an element as tall as 4 GiB of rows cannot be (browsers end at 33 million pixels).
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useEffectEvent, useRef } from "react";
import { hex } from "../format.ts";

export const ROWS = 16;
const WIDE = 16;

export const printable = (b: number): string => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".");

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
      >
        {rows.map((row) => (
          <div role="row" key={row} className="hexrow">
            <span role="rowheader" className="addr">
              {hex(start + row * WIDE)}{"  "}
            </span>
            {Array.from(bytes.subarray(row * WIDE, row * WIDE + WIDE), (b, i) => {
              const a = start + row * WIDE + i;
              const changed = before !== undefined && before[row * WIDE + i] !== undefined && before[row * WIDE + i] !== b;
              const mark = marks.get(a);
              return (
                <span role="gridcell" key={i} className={`b${changed ? " changed" : ""}${a === cursor ? " cursor" : ""}${mark === undefined ? "" : " marked"}${b === 0 ? " zero" : ""}`} title={mark === undefined ? undefined : `${mark} points here`} onClick={() => setCursor(a)}>
                  {hex(b, 2)}
                  {i < WIDE - 1 ? " " : ""}
                </span>
              );
            })}
            <span role="gridcell" className="ascii">
              {"  "}
              {Array.from(bytes.subarray(row * WIDE, row * WIDE + WIDE), printable).join("")}
            </span>
            {"\n"}
          </div>
        ))}
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
