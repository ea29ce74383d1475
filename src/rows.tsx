// src/rows.tsx — a long list of lines of the same height, of which only those are drawn that can be seen.
import { type ReactNode, type UIEvent, useEffect, useRef, useState } from "react";

/** pixels; .lines of inspect.css says the same */
const LINE = 18;
/** lines drawn above and below what is seen */
const MORE = 4;

interface RowsProps<T> {
  readonly rows: readonly T[];
  /** keep the end in view */
  readonly follow: boolean;
  /** the visitor scrolls back */
  readonly onLeave: () => void;
  readonly label: string;
  readonly render: (row: T) => ReactNode;
  /** instead of rows, when there is none */
  readonly empty: ReactNode;
}

export function Rows<T>({ rows, follow, onLeave, label, render, empty }: RowsProps<T>): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useEffect(() => {
    const el = box.current;
    if (el === null) return undefined;
    const observer = new ResizeObserver(() => setHeight(el.clientHeight));
    observer.observe(el);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (follow && box.current !== null) box.current.scrollTop = rows.length * LINE;
  }, [rows, follow]);
  const seen = Math.ceil(height / LINE) + 1;
  const first = Math.max(0, (follow ? rows.length - seen : Math.min(Math.floor(top / LINE), rows.length - seen)) - MORE);
  const onScroll = (e: UIEvent<HTMLDivElement>): void => {
    if (!follow) setTop(e.currentTarget.scrollTop);
  };
  const leave = (): void => {
    if (!follow) return;
    setTop(box.current?.scrollTop ?? 0);
    onLeave();
  };
  return (
    <div
      className="lines"
      ref={box}
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label={label}
      onScroll={onScroll}
      onWheel={(e) => e.deltaY < 0 && leave()}
      onKeyDown={(e) => ["ArrowUp", "PageUp", "Home"].includes(e.key) && leave()}
      onTouchMove={leave}
    >
      {rows.length === 0 ? (
        empty
      ) : (
        <div style={{ height: rows.length * LINE }}>
          <div style={{ transform: `translateY(${first * LINE}px)` }}>
            {/* by place, not by row: lines that stream past change the text of what is there */}
            {rows.slice(first, first + seen + 2 * MORE).map((row, i) => (
              <div key={i} className="line">
                {render(row)}
              </div>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}
