// src/inspect/strip.tsx — all of the memory on one strip, in order of addresses; the upper one is all of it, the lower one the part that is zoomed to.
import { type KeyboardEvent, memo, type ReactNode, useMemo, useState, type WheelEvent } from "react";
import type { MemoryMap, MemoryRow } from "../../worker/protocol/inspect.ts";
import { hex, size } from "../format.ts";
import { paint, pattern } from "./owners.ts";

const WIDTH = 1000;
const LEAST = 1 << 14;

export const title = (r: MemoryRow): string => `${hex(r.start)} to ${hex(r.end)}: ${r.kind === "free" ? "free" : r.note}, ${size(r.end - r.start)}`;

/** Rows that can be seen in [from, to) at a width of WIDTH: those that are thinner than a pixel are drawn once for each pixel. */
export function visible(rows: readonly MemoryRow[], from: number, to: number): (readonly [row: MemoryRow, x: number, width: number])[] {
  const scale = WIDTH / (to - from);
  const out: [MemoryRow, number, number][] = [];
  for (const r of rows) {
    if (r.end <= from || r.start >= to) continue;
    const x = Math.max(0, (r.start - from) * scale);
    const width = Math.min(WIDTH, (r.end - from) * scale) - x;
    const last = out.at(-1);
    if (width < 1 && last !== undefined && Math.floor(last[1]) === Math.floor(x) && last[2] < 1.5 && last[0].kind !== "free") continue;
    out.push([r, x, Math.max(1, width)]);
  }
  return out;
}

/** The part where anybody lives, if that is a small part of the whole. */
function inhabited(map: Pick<MemoryMap, "rows" | "size">): { from: number; to: number } | undefined {
  const end = map.rows.reduce((m, r) => (r.kind === "free" ? m : Math.max(m, r.end)), 0);
  const to = Math.min(map.size, Math.max(LEAST, Math.ceil((end * 1.25) / LEAST) * LEAST));
  return to * 4 < map.size ? { from: 0, to } : undefined;
}

interface StripProps {
  readonly rows: readonly MemoryRow[];
  readonly size: number;
  readonly address: number;
  readonly focus: number | undefined;
  readonly go: (address: number) => void;
}

/** What lies in [from, to), without the mark. */
const Owners = memo(({ rows, from, to, height, focus }: Pick<StripProps, "rows" | "focus"> & { readonly from: number; readonly to: number; readonly height: number }): ReactNode =>
  visible(rows, from, to).map(([r, x, width]) => {
    const over = pattern(r);
    const faded = focus !== undefined && r.owner !== focus && r.kind !== "free";
    return (
      <g key={r.start} opacity={faded ? 0.25 : 1}>
        <rect x={x} y={0} width={width} height={height} fill={paint(r)}>
          <title>{title(r)}</title>
        </rect>
        {over !== undefined && <rect x={x} y={0} width={width} height={height} fill={`url(#mem-${over})`} pointerEvents="none" />}
      </g>
    );
  }),
);

function Bar({ rows, from, to, height, address, focus, go, label }: Omit<StripProps, "size"> & { readonly from: number; readonly to: number; readonly height: number; readonly label: string }): ReactNode {
  const scale = WIDTH / (to - from);
  const at = (address - from) * scale;
  return (
    <svg
      className="memstrip"
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      style={{ height }}
      role="img"
      aria-label={label}
      onClick={(e) => {
        const box = e.currentTarget.getBoundingClientRect();
        go(Math.floor(from + ((e.clientX - box.left) / box.width) * (to - from)));
      }}
    >
      <Owners rows={rows} from={from} to={to} height={height} focus={focus} />
      {at >= 0 && at <= WIDTH && <rect className="mark" x={at - 1.5} y={0} width={3} height={height} />}
    </svg>
  );
}

export function Strip({ rows, size: all, address, focus, go }: StripProps): ReactNode {
  const [view, setView] = useState<{ from: number; to: number } | undefined>(() => inhabited({ rows, size: all }));
  const { from, to } = view ?? { from: 0, to: all };
  const zoom = (factor: number, middle = address): void => {
    const length = Math.max(LEAST, Math.min(all, (to - from) * factor));
    const centre = middle >= from && middle < to ? middle : (from + to) / 2;
    const start = Math.max(0, Math.min(all - length, Math.floor(centre - length / 2)));
    setView(length >= all ? undefined : { from: start, to: start + length });
  };
  const move = (step: number): void => {
    const length = to - from;
    const start = Math.max(0, Math.min(all - length, from + step * length));
    setView({ from: start, to: start + length });
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    if (e.key === "+" || e.key === "=") zoom(0.5);
    else if (e.key === "-") zoom(2);
    else if (e.key === "ArrowLeft") move(-0.25);
    else if (e.key === "ArrowRight") move(0.25);
    else if (e.key === "0") setView(undefined);
    else return;
    e.preventDefault();
  };
  const onWheel = (e: WheelEvent<HTMLDivElement>): void => {
    const box = e.currentTarget.getBoundingClientRect();
    if (e.shiftKey) move(Math.sign(e.deltaY) * 0.1);
    else zoom(e.deltaY > 0 ? 1.4 : 0.7, Math.floor(from + ((e.clientX - box.left) / box.width) * (to - from)));
  };
  const used = useMemo(() => {
    const owners = new Map<number, string>();
    for (const r of rows) if (r.owner !== undefined && !owners.has(r.owner)) owners.set(r.owner, r.note.split(" · ")[0]!.split(",")[0]!);
    return owners;
  }, [rows]);
  return (
    <div className="strips">
      <svg width="0" height="0" style={{ position: "absolute" }} aria-hidden="true">
        <defs>
          <pattern id="mem-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect width="2" height="6" fill="#0007" />
          </pattern>
          <pattern id="mem-lines" width="6" height="6" patternUnits="userSpaceOnUse">
            <rect width="6" height="2" fill="#0007" />
          </pattern>
          <pattern id="mem-dots" width="6" height="6" patternUnits="userSpaceOnUse">
            <circle cx="3" cy="3" r="1.3" fill="#0008" />
          </pattern>
          <pattern id="mem-cross" width="8" height="8" patternUnits="userSpaceOnUse">
            <path d="M0 4h8M4 0v8" stroke="#0006" />
          </pattern>
        </defs>
      </svg>
      {view !== undefined && (
        <div className="overview">
          <Bar rows={rows} address={address} focus={focus} from={0} to={all} height={14} label="All of memory" go={(a) => setView({ from: Math.max(0, Math.min(all - (to - from), a - (to - from) / 2)), to: Math.max(to - from, Math.min(all, a + (to - from) / 2)) })} />
          <span className="lens" style={{ insetInlineStart: `${(100 * from) / all}%`, width: `${Math.max(0.4, (100 * (to - from)) / all)}%` }} />
        </div>
      )}
      <div className="zoomed" tabIndex={0} role="group" aria-label={`Memory from ${hex(from)} to ${hex(to)}. Plus and minus zoom, arrows move, 0 shows all. The table has the same data.`} onKeyDown={onKeyDown} onWheel={onWheel}>
        <Bar rows={rows} address={address} focus={focus} from={from} to={to} height={54} label={`Map of ${size(to - from)} of memory; the table below has the same data`} go={go} />
        <div className="ends">
          <span>{hex(from)}</span>
          <span>{hex(to)}</span>
        </div>
      </div>
      <div className="row">
        <button type="button" aria-label="Zoom in" onClick={() => zoom(0.4)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" disabled={view === undefined} onClick={() => zoom(2.5)}>
          −
        </button>
        <button type="button" disabled={view === undefined} onClick={() => setView(undefined)}>
          All
        </button>
        <span className="legend" aria-hidden="true">
          {[...used].slice(0, 7).map(([pid, name]) => (
            <span key={pid}>
              <span className="swatch" style={{ background: paint({ start: 0, end: 0, kind: "map", owner: pid, note: "" }) }} /> {pid} {name}
            </span>
          ))}
          <span>
            <span className="swatch kernelish" /> kernel, file cache
          </span>
          <span>
            <span className="swatch freeish" /> free
          </span>
        </span>
        <span className="legend" aria-hidden="true">
          {(["hatch", "lines", "dots", "cross"] as const).map((p) => (
            <span key={p}>
              <svg width="16" height="11" className="swatch">
                <rect width="16" height="11" fill="var(--nobody)" />
                <rect width="16" height="11" fill={`url(#mem-${p})`} />
              </svg>{" "}
              {{ hatch: "text", lines: "stack", dots: "heap", cross: "data" }[p]}
            </span>
          ))}
        </span>
      </div>
    </div>
  );
}
