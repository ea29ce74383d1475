// src/ui.ts — what is open on the page. Anything may open anything: buttons, keys, the palette, lessons, links.
import { PANELS, type PanelName } from "./panels.ts";
import { Store } from "./store.ts";

export { PANELS, type PanelName };

/** Sheets lie over the page, one at a time. */
export type Sheet = "help" | "commands" | "share";

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
  /** the lesson that is open, and its step; the list of lessons; or none */
  readonly lesson: { readonly id: string; readonly step: number } | "list" | undefined;
}

const WIDTH = "pagezero.width";
const wide = matchMedia("(min-width: 900px)");

function remembered(): number {
  try {
    const n = Number(localStorage.getItem(WIDTH));
    return n >= 20 && n <= 75 ? n : 36;
  } catch {
    return 36;
  }
}

export const ui = new Store<Ui>({
  panel: wide.matches ? "page 0" : undefined, sheet: undefined, still: matchMedia("(prefers-reduced-motion: reduce)").matches, focus: undefined, address: 0, width: remembered(), lesson: undefined,
});

export const openPanel = (panel: PanelName | undefined): void => ui.set({ panel });
export const openLesson = (lesson: Ui["lesson"]): void => ui.set({ lesson });
export const openSheet = (sheet: Sheet | undefined): void => ui.set({ sheet });

/** Shows `address` in the memory panel. */
export function showMemory(address: number): void {
  ui.set({ panel: "memory", address });
}

export function setWidth(percent: number): void {
  const width = Math.round(Math.max(20, Math.min(75, percent)) * 10) / 10;
  ui.set({ width });
  try {
    localStorage.setItem(WIDTH, String(width));
  } catch {
    // a window that keeps nothing: it lasts as long as the window
  }
}
