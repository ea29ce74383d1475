// src/actions.ts — the one table of all that can be done: buttons, keys, tooltips and the command palette are made from it.
import { downloadDisk } from "./disks.ts";
import { pickFiles } from "./files.ts";
import { copyText } from "./clipboard.ts";
import type { Session } from "./session.ts";
import { setSignal, signal } from "./signal.ts";
import { toggleTheme } from "./theme.ts";
import { TRY } from "./try.ts";
import { openLesson, openPanel, openSheet, setReader, PANELS, type PanelName, ui } from "./ui.ts";

export interface Action {
  readonly id: string;
  /** what it does, as an imperative */
  readonly title: string;
  readonly group: string;
  /** keys as "Ctrl+Shift+P"; a letter alone is never taken while the console has the focus */
  readonly keys?: readonly string[];
  /** the page takes its keys even while the console has the focus */
  readonly everywhere?: boolean;
  /** its button takes the place of the opposite one: the second click of a double click is not for it */
  readonly deliberate?: boolean;
  readonly can?: (session: Session) => boolean;
  readonly run: (session: Session) => void;
}

export const TITLES: Readonly<Record<PanelName, string>> = { machine: "Machine", disks: "Disks", "page 0": "Page 0", calls: "Calls", processes: "Processes", memory: "Memory", cpu: "CPU", bench: "Bench" };

const power = (s: Session): string => s.state.get().power;
const on = (s: Session): boolean => s.isOn;
/** it stands still, and may go on from where it is */
const still = (s: Session): boolean => power(s) === "paused" && !s.state.get().jumping;

const here = (s: Session): Session["console"] => s.consoles[Number(ui.get().screen)] ?? s.console;

const region = (step: number) => (): void => void document.dispatchEvent(new CustomEvent("pagezero:region", { detail: step }));

const BASE: readonly Action[] = [
  { id: "start", title: "Start the machine", group: "Machine", deliberate: true, can: (s) => !on(s) && s.state.get().found, run: (s) => void s.start() },
  { id: "stop", title: "Stop: pull the plug", group: "Machine", deliberate: true, can: on, run: (s) => s.stop() },
  { id: "restart", title: "Restart the machine", group: "Machine", can: on, run: (s) => void s.restart() },
  { id: "pause", title: "Pause", group: "Machine", keys: ["F8"], can: (s) => power(s) === "running", run: (s) => s.pause() },
  { id: "resume", title: "Run on", group: "Machine", keys: ["F8"], everywhere: true, can: still, run: (s) => s.resume() },
  { id: "step", title: "One instruction", group: "CPU", keys: ["F11"], everywhere: true, can: still, run: (s) => s.go("step") },
  { id: "over", title: "One instruction, but over a call", group: "CPU", keys: ["F10"], everywhere: true, can: still, run: (s) => s.go("over") },
  { id: "until call", title: "Until the next system call", group: "CPU", keys: ["F9"], everywhere: true, can: still, run: (s) => s.go("call") },
  { id: "back", title: "One instruction back", group: "CPU", keys: ["Shift+F11"], everywhere: true, can: still, run: (s) => void s.back("instruction") },
  { id: "back call", title: "Back to the last system call", group: "CPU", keys: ["Shift+F9"], everywhere: true, can: still, run: (s) => void s.back("call") },
  { id: "back second", title: "One second of the guest back", group: "CPU", can: (s) => on(s) && power(s) !== "starting" && !s.state.get().jumping, run: (s) => void s.back("second") },
  { id: "live", title: "To the present", group: "CPU", can: (s) => on(s) && !s.state.get().jumping && s.figures.get().status?.live === false, run: (s) => void s.live() },
  { id: "getpid", title: "Run getpid, and record the call", group: "Machine", can: (s) => power(s) === "running", run: (s) => void s.run(TRY[0]!) },
  { id: "share", title: "Share this machine: link, QR code, file", group: "Machine", can: (s) => power(s) === "running" || still(s), run: () => openSheet("share") },
  { id: "download", title: "Download the disk", group: "Machine", can: (s) => s.state.get().running !== undefined, run: (s) => void downloadDisk(s, s.state.get().running!.disk) },
  { id: "put", title: "Put files into the guest", group: "Machine", can: on, run: (s) => pickFiles(s) },
  ...PANELS.map((p, i): Action => ({ id: `panel ${p}`, title: `Show ${TITLES[p]}`, group: "View", keys: [`Alt+${i + 1}`], run: () => openPanel(p) })),
  { id: "lessons", title: "Lessons: open or close", group: "View", run: () => openLesson(ui.get().lesson === undefined ? "list" : undefined) },
  { id: "tour", title: "Ten-minute tour", group: "View", run: () => openLesson({ id: "tour", step: 0 }) },
  { id: "inspect", title: "Open or close the panel", group: "View", run: () => openPanel(ui.get().panel === undefined ? "page 0" : undefined) },
  { id: "theme", title: "Light or dark theme", group: "View", run: toggleTheme },
  { id: "still", title: "Stop or start all movement", group: "View", keys: ["."], run: () => ui.set({ still: !ui.get().still }) },
  { id: "find", title: "Find in the console", group: "Console", keys: ["Ctrl+Shift+F"], everywhere: true, run: () => ui.set({ finding: true, tab: "console", screen: ui.get().screen === "transcript" ? 0 : ui.get().screen }) },
  { id: "copy", title: "Copy what is marked in the console", group: "Console", keys: ["Ctrl+Shift+C"], everywhere: true, run: (s) => void copyText(here(s).selection) },
  { id: "paste", title: "Paste into the console", group: "Console", keys: ["Ctrl+Shift+V"], everywhere: true, can: (s) => power(s) === "running", run: () => openSheet("paste") },
  { id: "transcript", title: "Transcript: commands, their output, how they ended", group: "Console", run: () => ui.set({ screen: ui.get().screen === "transcript" ? 0 : "transcript", tab: "console" }) },
  { id: "reader", title: "Screen-reader mode", group: "View", run: () => setReader(!ui.get().reader) },
  { id: "present", title: "Present: large type, no frames", group: "View", run: () => ui.set({ present: !ui.get().present }) },
  { id: "next region", title: "Next region of the page; the way out of the console", group: "Keyboard", keys: ["F6"], everywhere: true, run: region(1) },
  { id: "previous region", title: "Previous region", group: "Keyboard", keys: ["Shift+F6"], everywhere: true, run: region(-1) },
  { id: "done", title: "Signal: I am done (the page’s edge, title and icon)", group: "Workshop", run: () => setSignal(signal.get().now === "done" ? undefined : "done") },
  { id: "stuck", title: "Signal: I am stuck", group: "Workshop", run: () => setSignal(signal.get().now === "stuck" ? undefined : "stuck") },
  { id: "check", title: "Is this browser ready? (preflight)", group: "Workshop", run: () => openSheet("check") },
  { id: "console", title: "Console, and back", group: "Keyboard", keys: ["Ctrl+`"], everywhere: true, run: region(0) },
  { id: "commands", title: "Search all commands", group: "Keyboard", keys: ["Ctrl+Shift+P", "Ctrl+K"], everywhere: true, run: () => openSheet("commands") },
  { id: "help", title: "Help and keyboard", group: "Keyboard", keys: ["?"], run: () => openSheet("help") },
];

const table: Action[] = [...BASE];

/** More actions, from a part of the page that has some; an action of the same id is replaced. */
export function addActions(actions: readonly Action[]): void {
  for (const a of actions) {
    const at = table.findIndex((b) => b.id === a.id);
    if (at < 0) table.push(a);
    else table[at] = a;
  }
}
export const allActions = (): readonly Action[] => table;

export function action(id: string): Action {
  const found = table.find((a) => a.id === id);
  if (found === undefined) throw new Error(`no action ${id}`);
  return found;
}

/** An event as the keys of the table are written. */
export function keyOf(e: { readonly key: string; readonly code: string; readonly ctrlKey: boolean; readonly altKey: boolean; readonly shiftKey: boolean; readonly metaKey: boolean }): string {
  const name = e.code === "Backquote" && e.ctrlKey ? "`" : /^(Digit|Key)/.test(e.code) && (e.altKey || e.ctrlKey) ? e.code.replace(/^Digit|^Key/, "") : e.key;
  const shift = e.shiftKey && (name.length > 1 || e.ctrlKey || e.altKey);
  return `${e.ctrlKey || e.metaKey ? "Ctrl+" : ""}${e.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${name}`;
}

/** The action of a key, if the page takes it: `inConsole`, only what is taken everywhere; `typing`, nothing that is a plain character. */
export function actionOf(key: string, session: Session, inConsole: boolean, typing: boolean): Action | undefined {
  return table.find((a) => {
    if (a.keys?.includes(key) !== true) return false;
    if (inConsole && !(a.everywhere === true && key !== "Ctrl+K")) return false;
    if (typing && key.length === 1) return false;
    return a.can?.(session) ?? true;
  });
}

/** "Pause (F8)", for tooltips. */
export const tooltip = (a: Action): string => (a.keys?.[0] === undefined ? a.title : `${a.title} (${a.keys[0]})`);
