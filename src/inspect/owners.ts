// src/inspect/owners.ts — colours and patterns of the memory map: the colour says whose, the pattern what. Safe for the colour-blind.
import type { MemoryRow } from "../../worker/protocol/inspect.ts";

/** after Okabe and Ito; readable on both grounds as areas, never used for text */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a900"] as const;

/** who has which colour */
const given = new Map<number, number>();

/** These processes live now: each gets a colour that no other has, as long as there are any, and keeps it. */
export function share(pids: Iterable<number>): void {
  const live = new Set(pids);
  for (const pid of given.keys()) if (!live.has(pid)) given.delete(pid);
  const taken = new Set(given.values());
  for (const pid of live) {
    if (given.has(pid)) continue;
    const free = COLOURS.findIndex((_, i) => !taken.has((pid + i) % COLOURS.length));
    const mine = (pid + Math.max(0, free)) % COLOURS.length;
    given.set(pid, mine);
    taken.add(mine);
  }
}
export const colour = (pid: number): string => COLOURS[given.get(pid) ?? pid % COLOURS.length]!;

/** What a run of memory is painted with: a colour or a pattern of the strip. */
export function paint(row: MemoryRow): string {
  if (row.kind === "free") return "var(--screen)";
  if (row.kind === "trampoline") return "var(--accent)";
  if (row.owner === undefined) return "var(--nobody)";
  return colour(row.owner);
}
/** The name of the pattern that lies over the colour, if any. */
export function pattern(row: MemoryRow): string | undefined {
  return { text: "hatch", stack: "lines", heap: "dots", data: "cross" }[row.kind as "text"];
}
