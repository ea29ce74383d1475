// src/panels.ts — the names of the panels, in the order of their tabs.

export const PANELS = ["machine", "disks", "page 0", "calls", "processes", "memory", "cpu", "bench"] as const;
export type PanelName = (typeof PANELS)[number];
