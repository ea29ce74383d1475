// src/theme.ts — light or dark: the system's wish, unless the visitor has chosen.
import type { ITheme } from "@xterm/xterm";
import { Store } from "./store.ts";

export type Theme = "light" | "dark";

/** index.html asks for it as well, before this is there */
const KEY = "pagezero.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined;
  }
}
const current = (): Theme => chosen() ?? (system.matches ? "dark" : "light");

export const theme = new Store<{ theme: Theme }>({ theme: current() });

function apply(): void {
  document.documentElement.dataset["theme"] = theme.get().theme;
}
theme.subscribe(apply);
apply();
system.addEventListener("change", () => theme.set({ theme: current() }));

export function toggleTheme(): void {
  const next = theme.get().theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // a window that keeps nothing: the choice lasts as long as it
  }
  theme.set({ theme: next });
}

/** The terminal's colours; all of them readable on the background. */
export const TERMINAL: Readonly<Record<Theme, ITheme>> = {
  dark: {
    background: "#0b0e14", foreground: "#d6dbe5", cursor: "#f2b84b", cursorAccent: "#0b0e14", selectionBackground: "#2f4565",
    black: "#4a5468", red: "#ff7b85", green: "#8ccf7e", yellow: "#e9c46a", blue: "#7ab2ff", magenta: "#d7a2f5", cyan: "#6fd3d0", white: "#d6dbe5",
    brightBlack: "#8792a8", brightRed: "#ff9aa2", brightGreen: "#a9e29c", brightYellow: "#f4d58a", brightBlue: "#9fc8ff", brightMagenta: "#e5bffa",
    brightCyan: "#95e4e1", brightWhite: "#ffffff",
  },
  light: {
    background: "#fbfaf7", foreground: "#22262e", cursor: "#a35b00", cursorAccent: "#fbfaf7", selectionBackground: "#cfe0fb",
    black: "#22262e", red: "#b3202c", green: "#2d6a1f", yellow: "#7a5500", blue: "#1a4fb4", magenta: "#7d2aa3", cyan: "#00666b", white: "#5b6270",
    brightBlack: "#5b6270", brightRed: "#c4323e", brightGreen: "#3a7a2b", brightYellow: "#8a6200", brightBlue: "#2a62cc", brightMagenta: "#9040b5",
    brightCyan: "#0b777c", brightWhite: "#3b414c",
  },
};
