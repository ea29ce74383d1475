// src/session.ts — the page's side of the machine: what it is doing, what it is to boot, and the worker that does it.
import { type Remote, wrap } from "comlink";
import type { BootRequest, Connect, DiskRequest, ImageFile, ImageSource, MachineControl, SavedSession, Status, ToPage, ToWorker } from "../worker/protocol.ts";
import type { Breakpoint, CheckSpec, Go, InspectorCalls, MachineEvent } from "../worker/protocol/inspect.ts";
import { describe } from "./brought.ts";
import { checkCommandLine, otherDisks, withDisk } from "./cmdline.ts";
import { count, plain } from "./format.ts";
import { ENGINE } from "./engine.ts";
import { machineWorker, manifest } from "./early.ts";
import { kept, tabName, takeName } from "./kept.ts";
import { judge } from "./link/guest.ts";
import { isPageKey } from "./keys.ts";
import { Store } from "./store.ts";
import { Console } from "./terminal.ts";
import { type Entry, Transcript } from "./transcript.ts";
import type { Try } from "./try.ts";

export type Power = "off" | "starting" | "running" | "paused" | "halted" | "crashed";

/** Where a start begins: at power-on; at the prompt, if there is a snapshot; where the tab's machine was. */
export type Beginning = "boot" | "prompt" | "session";

export interface ImageChoice {
  readonly name: string;
  readonly title: string;
  readonly source: ImageSource;
  /** the command line that its programs need; "" when any will do */
  readonly cmdline: string;
  /** a machine at its prompt, when the command line is this */
  readonly snapshot?: { readonly url: string; readonly cmdline: string };
}

/** A start from a link or a bundle. */
export interface Opening {
  readonly cmdline: string;
  readonly disk: DiskRequest;
  readonly request: Pick<BootRequest, "replay" | "overlay" | "files">;
}

/** A sentence that wants attention; `scratch`: a scratch copy would be the way out. */
export interface Problem {
  readonly text: string;
  readonly scratch: boolean;
  /** another tab has the disk: a copy of what it has stored would be a way out, too */
  readonly inUse?: boolean;
}

/** Something that the visitor should know; `download`: taking the disk along is the way out. */
export interface Note {
  readonly text: string;
  readonly download: boolean;
}

export interface State {
  readonly power: Power;
  readonly waiting: { readonly what: string; readonly done: number; readonly total: number } | undefined;
  readonly storing: boolean;
  readonly problem: Problem | undefined;
  readonly notes: readonly Note[];
  /** how it ended */
  readonly ended: string | undefined;
  readonly choices: readonly ImageChoice[];
  readonly chosen: string | undefined;
  readonly cmdline: string;
  readonly keep: boolean;
  readonly isolated: boolean;
  /** what can be booted is known: the first start can be asked for */
  readonly found: boolean;
  /** the machine is on its way to another moment, and is as good as paused */
  readonly jumping: boolean;
  /** why the machine stands still, if a breakpoint or a step stopped it */
  readonly stopped: string | undefined;
  /** consoles beside con0 that have printed something: a shell is there */
  readonly alive: readonly number[];
  readonly breakpoints: readonly Breakpoint[];
  /** the last fault, until it is dismissed */
  readonly fault: Extract<MachineEvent, { type: "fault" }> | undefined;
  /** the machine that runs was started with other settings than those shown */
  readonly stale: boolean;
  /** a machine that was kept by a tab that is gone: whether to go on with it is asked before another one starts, which would write to its disk */
  readonly lost: { readonly id: string; readonly about: SavedSession } | undefined;
  /** the machine did not boot, but went on from a snapshot */
  readonly resumed: { readonly session: boolean } | undefined;
  /** what the disk that runs is called, and whether it is kept */
  readonly running: { readonly disk: string; readonly keep: boolean; /** its command line */ readonly line: string } | undefined;
}

/** what a jump in time is called while it is waited for (worker/main.ts) */
export const GOING = "going there";

/** consoles that the page shows */
const CONSOLES = 3;
/** ms of work in a period that a speed is measured over */
const MEASURED_MS = 50;
const DEFAULT = "rw mem=256m loglevel=8 init=/sbin/init";

export const sentence = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** Hands a file to the visitor. */
export function save(name: string, file: ImageFile): void {
  const url = URL.createObjectURL(file as Blob);
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** What changes ten times a second, kept apart from the State: only what shows it is drawn anew. */
export interface Figures {
  readonly status: Status | undefined;
  /** millions of instructions per second while it ran, smoothed */
  readonly mips: number;
}

export class Session {
  /** con0, con1, … */
  readonly consoles: readonly Console[] = Array.from({ length: CONSOLES }, () => new Console());
  readonly transcript = new Store<{ entries: readonly Entry[] }>({ entries: [] });
  private readonly written = new Transcript();
  readonly state: Store<State>;
  readonly figures = new Store<Figures>({ status: undefined, mips: 0 });
  private worker: Worker | undefined;
  private port: MessagePort | undefined;
  private api: Remote<MachineControl> | undefined;
  private used = false;
  /** counts starts: whoever has waited for something sees whether somebody was quicker */
  private starts = 0;
  /** what a lesson's step looks for */
  private checks: readonly CheckSpec[] = [];
  /** when the images of former visits are known */
  stored = Promise.resolve();
  private faulted: State["fault"];
  private readonly ears = new Map<(text: string) => void, boolean>();
  private decoder = new TextDecoder();
  private readonly listeners = new Set<(event: MachineEvent) => void>();
  /** instructions that the machines of this page have done: the first ones are slow, and their speed says nothing */
  worked = 0;
  /** M instructions per second in the best period of work */
  fastest = 0;
  /** the command line last used with each image */
  private readonly lines = new Map<string, string>();

  constructor() {
    this.state = new Store<State>({
      power: "off", waiting: undefined, storing: false, problem: undefined, notes: [], ended: undefined, choices: [],
      chosen: undefined, cmdline: "", keep: true, isolated: globalThis.crossOriginIsolated === true, stale: false, running: undefined,
      stopped: undefined, breakpoints: [], fault: undefined, lost: undefined, resumed: undefined, alive: [],
      found: false, jumping: false,
    });
    this.consoles.forEach((console, line) => {
      console.oninput = (bytes) => this.input(line, bytes);
      console.keeps = (e) => isPageKey(e, this);
      console.onresize = (cols, rows) => this.send({ type: "resize", line, cols, rows });
    });
    this.hear((text) => {
      this.written.print(text);
      this.transcript.set({ entries: this.written.entries });
    });
    this.listen((e) => {
      if (e.type !== "end") return;
      if (e.shell) {
        this.written.ended(e.comm, e.status);
        this.transcript.set({ entries: this.written.entries });
      }
      // a fault that a handler took care of is nobody's business
      if ((e.status & 0x7f) !== 0 && this.faulted?.pid === e.pid) this.set({ fault: this.faulted });
    });
  }

  /** con0 */
  get console(): Console {
    return this.consoles[0]!;
  }
  private send(message: ToWorker): void {
    this.port?.postMessage(message);
  }
  private set(change: Partial<State>): void {
    this.state.set(change);
  }

  /** The control calls of the present worker; a new one is made when there is none. */
  get control(): Remote<MachineControl> {
    return this.api ?? this.connect();
  }
  private connect(): Remote<MachineControl> {
    const worker = machineWorker();
    const control = new MessageChannel();
    const bytes = new MessageChannel();
    worker.onerror = (e) => {
      if (this.worker !== worker) return;
      // it answers nothing any more
      this.used = true;
      this.crashed(/^$|fetch|import|load/i.test(e.message) ? "its code did not come from the server" : e.message);
    };
    const connect: Connect<MessagePort> = { control: control.port2, bytes: bytes.port2 };
    worker.postMessage(connect, [control.port2, bytes.port2]);
    this.worker = worker;
    this.port = bytes.port1;
    bytes.port1.onmessage = (e: MessageEvent<ToPage>) => this.receive(e.data);
    this.api = wrap<MachineControl>(control.port1);
    return this.api;
  }
  /** A question to the machine's inside. Rejects while it is off. */
  ask<K extends keyof InspectorCalls>(what: K, ...args: Parameters<InspectorCalls[K]>): Promise<Awaited<ReturnType<InspectorCalls[K]>>> {
    return this.control.ask(what, args) as Promise<Awaited<ReturnType<InspectorCalls[K]>>>;
  }
  /** Tells `ear` of what con0 prints, without what is no text; `all`: also when the console is painted anew, with all that it shows. Returns how to end that. */
  hear(ear: (text: string) => void, all = false): () => void {
    this.ears.set(ear, all);
    return () => this.ears.delete(ear);
  }
  /** Tells `listener` of what happens in the machine. Returns how to end that. */
  listen(listener: (event: MachineEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  /** Ends the worker, and with it machine, disk and lock: like pulling the plug. */
  private disconnect(): void {
    if (this.port !== undefined) this.port.onmessage = null;
    this.worker?.terminate();
    this.worker = undefined;
    this.port = undefined;
    this.api = undefined;
    this.used = false;
  }

  private receive(message: ToPage): void {
    switch (message.type) {
      case "output": {
        const { port } = this;
        const { alive } = this.state.get();
        if (message.line > 0 && !alive.includes(message.line)) this.set({ alive: [...alive, message.line] });
        const { length } = message.bytes;
        if (message.line === 0 && this.ears.size > 0) {
          const fresh = message.fresh === true;
          if (fresh) this.decoder = new TextDecoder();
          const text = plain(this.decoder.decode(message.bytes, { stream: true }));
          for (const [ear, all] of this.ears) if (all || !fresh) ear(text);
        }
        const shown = (): void => port?.postMessage({ type: "shown", bytes: length } satisfies ToWorker);
        const console = this.consoles[message.line];
        if (console === undefined) shown();
        else if (message.fresh === true) console.repaint(message.bytes, shown);
        else console.write(message.bytes, shown);
        break;
      }
      case "waiting": {
        // the answer that it is over comes another way, and may have been quicker
        const { power, jumping } = this.state.get();
        if (message.what === GOING ? jumping : power === "starting") this.set({ waiting: message });
        break;
      }
      case "storing":
        this.set({ storing: message.on });
        break;
      case "status": {
        const { status } = message;
        const before = this.figures.get().mips;
        const now = status.busyMs > 1 ? status.busyInstructions / status.busyMs / 1000 : before;
        this.worked += status.busyInstructions;
        if (status.busyMs >= MEASURED_MS) this.fastest = Math.max(this.fastest, now);
        this.figures.set({ status, mips: before === 0 ? now : before * 0.7 + now * 0.3 });
        judge(status);
        break;
      }
      case "stopped":
        this.set({ power: "paused", stopped: message.why });
        break;
      case "forked":
        this.set({ power: "running", stopped: undefined });
        break;
      case "events":
        for (const e of message.events) {
          if (e.type === "fault") this.faulted = e;
          for (const l of this.listeners) l(e);
        }
        break;
      case "resumed":
        // it is where it is to begin: what stood for the start would hide it
        this.set({ resumed: { session: message.session }, waiting: undefined });
        break;
      case "note":
        this.note(message.text, message.download === true);
        break;
      case "halted":
        this.halted(message.how, message.status);
        break;
      case "crashed":
        this.crashed(message.why);
        break;
    }
  }
  /** What remains of a machine that ends now. */
  private get synced(): string {
    return this.state.get().running?.keep === true ? "What the guest had synced is kept in this browser." : "Its disk was a scratch copy: what it wrote is gone.";
  }
  private halted(how: "halt" | "poweroff" | "restart" | "panic", status: number): void {
    if (how === "restart") {
      this.disconnect();
      void this.start();
      return;
    }
    const what = {
      halt: `The machine was halted. Exit status ${status}.`,
      poweroff: `The machine was powered off. Exit status ${status}.`,
      panic: `The kernel panicked: its last lines in the console say why. Exit status ${status}.`,
    }[how];
    this.set({ power: how === "panic" ? "crashed" : "halted", ended: what, storing: false });
  }
  private crashed(why: string): void {
    const [first = why] = why.split("\n");
    this.console.print(`\r\n\x1b[1mpagezero: ${why.replaceAll("\n", "\r\n")}\x1b[0m\r\n`);
    this.set({ power: "crashed", jumping: false, waiting: undefined, storing: false, ended: `The emulator itself failed: ${first.replace(/\.?$/, ".")} ${this.synced}` });
  }

  /** Finds out what can be booted; the first published image is chosen. */
  async discover(): Promise<void> {
    let published: ImageChoice[] = [];
    try {
      const list = await manifest;
      published = list.map((m) => ({ name: m.name, title: m.title, cmdline: m.cmdline, source: { kind: "published", url: new URL(`images/${m.chunks}`, location.href).href, sha256: m.sha256, gzSize: m.gzSize, chunked: true },
        ...(m.snapshot?.engine === ENGINE ? { snapshot: { url: new URL(`images/${m.snapshot.file}`, location.href).href, cmdline: m.snapshot.cmdline } } : {}) }));
      if (this.state.get().cmdline === "" && list[0] !== undefined) this.set({ cmdline: list[0].cmdline });
    } catch (e) {
      const status = Number(sentence(e));
      const why = e instanceof SyntaxError ? "it is damaged" : status > 0 ? `the server says ${status}` : "the server does not answer";
      const what = status === 404 ? "This server has no disk image." : `The list of disk images did not come: ${why}. Load the page again later.`;
      this.set({ problem: { text: `${what} Choose or drop an ext4 image, or a tar archive of a root directory, to boot from.`, scratch: false } });
    }
    this.found(published);
    // what the visitor has brought before comes when it comes, unless there is nothing else
    this.stored = this.control.storedImages().then(
      (list) => this.found([...published, ...list.map((s): ImageChoice => ({ name: s.name, title: s.about.title, cmdline: s.about.cmdline, source: { kind: "stored" } }))]),
      // no storage here: nothing is stored
      () => undefined,
    );
    if (published.length === 0) await this.stored;
    const { chosen, cmdline } = this.state.get();
    if (cmdline === "") this.set({ cmdline: chosen === undefined ? DEFAULT : withDisk(DEFAULT, chosen) });
  }

  private found(images: readonly ImageChoice[]): void {
    // a file may have been brought meanwhile: it stays, and goes before one of its name that is stored
    const brought = this.state.get().choices.filter((c) => c.source.kind === "file");
    const found = images.filter((c) => !brought.some((f) => f.name === c.name));
    this.set({ choices: [...found, ...brought], chosen: this.state.get().chosen ?? images[0]?.name, found: true });
  }

  /** Boots from this image next, with the line that was last used with it, or that it needs. */
  choose(name: string): void {
    const { chosen, cmdline, choices } = this.state.get();
    if (chosen !== undefined) this.lines.set(chosen, cmdline);
    const needs = choices.find((c) => c.name === name)?.cmdline ?? "";
    this.set({ chosen: name, cmdline: withDisk(this.lines.get(name) ?? (needs !== "" ? needs : cmdline), name), problem: undefined, stale: this.isOn });
  }
  setCommandLine(cmdline: string): void {
    this.set({ cmdline, stale: this.isOn });
  }
  setKeep(keep: boolean): void {
    this.set({ keep, stale: this.isOn });
  }
  /** A file that the visitor has chosen or dropped: it can be booted from, or be a further disk. Resolves to its name here. */
  async bring(file: File, boot = true): Promise<string> {
    const { name, about } = await describe(file);
    const choices = this.state.get().choices.filter((c) => c.name !== name);
    this.set({ choices: [...choices, { name, title: about.title, cmdline: about.cmdline, source: { kind: "file", file, about } }] });
    this.lines.delete(name);
    if (boot) this.choose(name);
    return name;
  }
  get isOn(): boolean {
    const { power } = this.state.get();
    return power === "starting" || power === "running" || power === "paused";
  }
  /** What stands in the way of a start, in sentences. */
  complaints(): string[] {
    const { chosen, choices, cmdline, found } = this.state.get();
    if (!found) return [];
    if (chosen === undefined) return ["Choose a disk image first."];
    return checkCommandLine(cmdline, chosen, choices.map((c) => c.name));
  }
  /** What the machine is to do with a disk. Throws a sentence for a name that is none. */
  request(name: string, use: DiskRequest["use"] = "keep"): DiskRequest {
    const choice = this.state.get().choices.find((c) => c.name === name);
    if (choice === undefined) throw new Error(`There is no image called ${name} here.`);
    return { name, source: choice.source, use };
  }

  /** Starts the machine: what the settings say, or what `opened` asks for, on a scratch disk; or goes on from what `beginning` says. */
  async start(use: DiskRequest["use"] = this.state.get().keep ? "keep" : "scratch", opened?: Opening, beginning: Beginning = "boot"): Promise<void> {
    this.starts++;
    // a worker runs one machine in its life
    if (this.used) this.disconnect();
    const chosen = opened?.disk.name ?? this.state.get().chosen;
    const cmdline = opened?.cmdline ?? this.state.get().cmdline;
    const [complaint] = opened === undefined ? this.complaints() : checkCommandLine(cmdline, opened.disk.name, [opened.disk.name]);
    if (chosen === undefined || complaint !== undefined) {
      this.set({ power: "off", problem: { text: complaint ?? "Choose a disk image first.", scratch: false } });
      return;
    }
    const api = this.control;
    this.used = true;
    for (const c of this.consoles) c.reset();
    this.written.clear();
    this.transcript.set({ entries: [] });
    this.faulted = undefined;
    const disk = opened?.disk ?? this.request(chosen, use);
    const more = opened !== undefined ? [] : otherDisks(cmdline, chosen).map((name) => this.request(name, use));
    this.figures.set({ status: undefined, mips: 0 });
    this.set({
      power: "starting", waiting: { what: "starting", done: 0, total: 0 }, problem: undefined, ended: undefined, notes: [], storing: false,
      stale: false, running: { disk: chosen, keep: disk.use === "keep", line: cmdline }, stopped: undefined, fault: undefined, lost: undefined, resumed: undefined, alive: [], jumping: false,
    });
    const { breakpoints } = this.state.get();
    const { checks } = this;
    const { snapshot } = this.state.get().choices.find((c) => c.name === chosen) ?? {};
    const request: BootRequest = {
      cmdline, disk, more, jit: new URLSearchParams(location.search).get("jit") !== "off", cols: this.console.cols, rows: this.console.rows,
      ...(beginning === "prompt" && snapshot?.cmdline === cmdline ? { snapshot } : {}),
      ...(kept.get().on && opened === undefined ? { session: { id: tabName(), engine: ENGINE, resume: beginning === "session" } } : {}),
      breakpoints, checks,
      ...opened?.request,
    };
    try {
      await api.boot(request);
      if (this.api !== api) return;
      // it may have come to a stop already
      this.set({ waiting: undefined, ...(this.state.get().power === "starting" ? { power: "running" } : {}) });
      // what was changed meanwhile
      if (this.state.get().breakpoints !== breakpoints) void this.ask("breakpoints", this.state.get().breakpoints).catch(() => undefined);
      if (this.checks !== checks) void this.ask("checks", this.checks).catch(() => undefined);
      // from now on the images are the browser's own
      if (use !== "scratch") {
        const stored = new Set([disk, ...more].map((d) => d.name));
        this.set({ choices: this.state.get().choices.map((c): ImageChoice => (stored.has(c.name) && c.source.kind === "file" ? { ...c, source: { kind: "stored" } } : c)) });
      }
    } catch (e) {
      if (this.api !== api) return;
      this.disconnect();
      const inUse = e instanceof Error && e.name === "DiskInUse";
      this.set({ power: "off", waiting: undefined, running: undefined, problem: { text: sentence(e), scratch: inUse || sentence(e).includes("scratch copy"), inUse } });
    }
  }
  /** What a visit begins with: the tab's own machine if it was kept, else the prompt, else a boot. */
  async begin(): Promise<void> {
    const { starts } = this;
    const saved = kept.get().on ? await this.control.savedSession(tabName()).catch(() => undefined) : undefined;
    if (saved === undefined) {
      const lost = kept.get().on ? await this.control.lostSession(tabName()).catch(() => undefined) : undefined;
      // a person was quicker
      if (this.starts !== starts) return;
      if (lost === undefined) return this.start(undefined, undefined, "prompt");
      return this.set({ lost });
    }
    await this.stored;
    if (this.starts !== starts) return;
    const ours = saved.engine === ENGINE && this.state.get().choices.some((c) => c.name === saved.disk);
    if (ours) {
      this.set({ chosen: saved.disk, cmdline: saved.cmdline, keep: saved.use === "keep" });
      await this.start(saved.use, undefined, "session");
      if (this.isOn) return;
    }
    const why = ours ? (this.state.get().problem?.text ?? "it could not be read") : "it is of another version of this page, or of an image that is no longer here";
    await this.control.forgetSession(tabName()).catch(() => undefined);
    await this.start(undefined, undefined, "prompt");
    this.note(`Your machine of ${new Date(saved.saved).toLocaleTimeString()} cannot go on: ${why.replace(/\.$/, "")}. What it had synced is on its disk.`);
  }
  /** This tab takes the place of one that is gone, with its machine. */
  goOnWithLost(): Promise<void> {
    const { lost } = this.state.get();
    if (lost !== undefined) takeName(lost.id);
    this.set({ lost: undefined });
    return this.begin();
  }
  async forgetLost(): Promise<void> {
    const { lost } = this.state.get();
    this.set({ lost: undefined });
    if (lost !== undefined) await this.control.forgetSession(lost.id).catch(() => undefined);
    await this.start(undefined, undefined, "prompt");
  }
  /** Without touching what is kept. `changes`: with the changes kept so far. */
  startScratch(changes = false): Promise<void> {
    this.set({ keep: false });
    return this.start(changes ? "copy" : "scratch");
  }
  complain(text: string): void {
    this.set({ problem: { text, scratch: false } });
  }
  /** Pulls the plug without a word. */
  unplug(): void {
    this.disconnect();
    this.set({ power: "off", running: undefined });
  }
  /** Power off without asking the guest. */
  stop(): void {
    const starting = this.state.get().power === "starting";
    this.disconnect();
    const ended = starting ? "The start was cancelled." : `The machine was switched off. ${this.synced}`;
    this.set({ power: "off", jumping: false, waiting: undefined, storing: false, stale: false, running: undefined, ended });
  }
  restart(): Promise<void> {
    this.disconnect();
    this.set({ power: "off", running: undefined });
    return this.start();
  }
  pause(): void {
    void this.control.pause();
    this.set({ power: "paused", stopped: undefined });
  }
  resume(): void {
    this.go("run");
  }
  /** Goes on from a stop: until something stops it, or for a step. */
  go(how: Go): void {
    void this.ask("go", how).catch(() => undefined);
    this.set({ power: "running", stopped: undefined });
  }
  /** Back in time, to before the last instruction, call or second of the guest. */
  async back(what: "instruction" | "call" | "second"): Promise<void> {
    const words = { instruction: "one instruction", call: "to the last system call", second: "one second of the guest" }[what];
    await this.jump(`Went back ${words}.`, () => this.control.back(what));
  }
  /** A jump in time, which ends paused; `words`: what was done. */
  private async jump(words: string, work: () => Promise<{ readonly live: boolean }>): Promise<void> {
    if (this.state.get().jumping) return;
    const { api } = this;
    try {
      this.set({ power: "paused", jumping: true });
      const { live } = await work();
      if (this.api !== api) return;
      this.set({ power: "paused", jumping: false, waiting: undefined, ended: undefined, stopped: `${words}${live ? "" : " Run on, and it happens again as it did; type something, and it goes another way."}` });
    } catch (e) {
      if (this.api === api) this.set({ jumping: false, waiting: undefined, stopped: `It is not possible to go there: ${sentence(e)}` });
    }
  }
  /** To an instruction of what was recorded, before what was typed there. */
  seek(at: number): Promise<void> {
    return this.jump(`At instruction ${count(at)}.`, () => this.control.seek({ at, first: true }));
  }
  /** To where another branch was left. */
  follow({ id, end }: { readonly id: number; readonly end: { readonly at: number; readonly ns: number; readonly events: number } }): Promise<void> {
    return this.jump(`At the end of branch ${id + 1}.`, async () => {
      await this.control.follow(id);
      return this.control.seek(end);
    });
  }
  /** What was recorded happens again: with its waits, or as fast as it goes. */
  play(speed: "full" | "paced"): void {
    void this.control.play(speed);
    this.set({ power: "running", stopped: undefined });
  }
  /** To the present, where the recording ends. */
  async live(): Promise<void> {
    if (this.state.get().jumping) return;
    const { api } = this;
    try {
      this.set({ jumping: true });
      await this.control.goLive();
      if (this.api === api) this.set({ power: "running", jumping: false, stopped: undefined, waiting: undefined });
    } catch (e) {
      if (this.api === api) this.set({ jumping: false, waiting: undefined, problem: { text: sentence(e), scratch: false } });
    }
  }
  /** What the machine is to tell of, now and after the next start. */
  setChecks(checks: readonly CheckSpec[]): void {
    this.checks = checks;
    if (this.isOn && this.state.get().power !== "starting") void this.ask("checks", checks).catch(() => undefined);
  }
  setBreakpoints(breakpoints: readonly Breakpoint[]): void {
    this.set({ breakpoints });
    if (this.isOn && this.state.get().power !== "starting") void this.ask("breakpoints", breakpoints).catch(() => undefined);
  }
  async resetDisk(name: string): Promise<void> {
    const on = this.isOn;
    this.disconnect();
    this.set({ power: "off", running: undefined, waiting: undefined });
    try {
      await this.control.resetDisk(name);
      this.set({ problem: undefined, ended: undefined });
      if (on) await this.start();
      else this.set({ ended: `The disk ${name} is as its image again.` });
    } catch (e) {
      this.set({ problem: { text: sentence(e), scratch: false } });
    }
  }
  /** Forgets a visitor's image, with what was changed of it. The machine must be off, or run on another disk. */
  async forget(name: string): Promise<void> {
    const choice = this.state.get().choices.find((c) => c.name === name);
    if (choice?.source.kind === "stored") await this.control.forgetImage(name);
    const choices = this.state.get().choices.filter((c) => c !== choice);
    this.set({ choices });
    const [first] = choices;
    if (this.state.get().chosen === name) {
      this.set({ chosen: undefined });
      if (first !== undefined) this.choose(first.name);
    }
  }
  /** Types a command of the page's; what is to be recorded is. */
  async run({ command, record }: Try): Promise<void> {
    // keys take another way to the machine: they must not be there first
    if (record !== undefined) await this.ask("record", record.nr, record.by).catch(() => undefined);
    this.type(`${command}\n`);
  }
  /** Types a command as the visitor would. */
  type(text: string, line = 0): void {
    this.input(line, new TextEncoder().encode(text));
  }
  private input(line: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.send({ type: "input", line, bytes });
    // where it began has been read, or does not matter to whoever works; an escape may be the terminal's own answer
    if (bytes[0] !== 0x1b && this.state.get().resumed !== undefined) this.dismissResumed();
  }
  note(text: string, download = false): void {
    if (!this.state.get().notes.some((n) => n.text === text)) this.set({ notes: [...this.state.get().notes, { text, download }] });
  }
  dismissNote(note: Note): void {
    this.set({ notes: this.state.get().notes.filter((n) => n !== note) });
  }
  dismissResumed(): void {
    this.set({ resumed: undefined });
  }
  dismiss(): void {
    this.set({ problem: undefined, notes: [], fault: undefined });
  }
}

