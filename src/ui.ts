// src/ui.ts — what is open on the page. Anything may open anything: buttons, keys, the palette, lessons, links.
import { PANELS, type PanelName } from "./panels.ts";
import { Store } from "./store.ts";

export { PANELS, type PanelName };

/** Sheets lie over the page, one at a time. */
export type Sheet = "help" | "commands" | "share" | "paste" | "file" | "check";

export interface Ui {
  readonly panel: PanelName | undefined;
  readonly sheet: Sheet | undefined;
  /** moving pictures stand still */
  readonly still: boolean;
  /** the process that the panels are about; undefined: all */
  readonly focus: number | undefined;
  /** where the memory panel looks */
  readonly address: number;
  /** width of the panel in per cent of the page */
  readonly width: number;
  /** what the console's place shows: a console, or the transcript */
  readonly screen: number | "transcript";
  /** text is looked for in the console */
  readonly finding: boolean;
  /** the screen-reader mode; big type for a wall */
  readonly reader: boolean;
  readonly present: boolean;
  /** on a phone: which of the three is seen */
  readonly tab: "text" | "console" | "inspect";
  /** the lesson that is open, and its step; the list of lessons; or none */
  readonly lesson: { readonly id: string; readonly step: number } | "list" | undefined;
}

const WIDTH = "pagezero.width";
const wide = matchMedia("(min-width: 900px)");

const READER = "pagezero.reader";
function stored(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // a window that keeps nothing: it lasts as long as the window
  }
}
function remembered(): number {
  const n = Number(stored(WIDTH));
  return n >= 20 && n <= 75 ? n : 36;
}

export const ui = new Store<Ui>({
  panel: wide.matches ? "page 0" : undefined, sheet: undefined, still: matchMedia("(prefers-reduced-motion: reduce)").matches, focus: undefined, address: 0, width: remembered(), lesson: undefined,
  screen: 0, finding: false, reader: stored(READER) === "1", present: false, tab: "console",
});

export const openPanel = (panel: PanelName | undefined): void => ui.set({ panel, tab: panel === undefined ? "console" : "inspect" });
export const openLesson = (lesson: Ui["lesson"]): void => ui.set({ lesson, tab: lesson === undefined ? "console" : "text" });
export function setReader(reader: boolean): void {
  ui.set({ reader, screen: reader ? "transcript" : 0 });
  keep(READER, reader ? "1" : "0");
}
export const openSheet = (sheet: Sheet | undefined): void => ui.set({ sheet });

/** Shows `address` in the memory panel. */
export function showMemory(address: number): void {
  ui.set({ panel: "memory", address, tab: "inspect" });
}

export function setWidth(percent: number): void {
  const width = Math.round(Math.max(20, Math.min(75, percent)) * 10) / 10;
  ui.set({ width });
  keep(WIDTH, String(width));
}
