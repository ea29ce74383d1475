// src/inspect/owners.ts — colours and patterns of the memory map: the colour says whose, the pattern what. Safe for the colour-blind.
import type { MemoryRow } from "../../worker/protocol/inspect.ts";

/** after Okabe and Ito; readable on both grounds as areas, never used for text */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a900"] as const;

export const colour = (pid: number): string => COLOURS[pid % COLOURS.length]!;

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
