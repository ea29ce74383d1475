// worker/main.ts — what the machine's Web Worker does: runs the machine in slices, so that keys, control calls and the clock get in between them.
import { expose, transfer } from "comlink";
import { loadIced } from "./cpu/iced.ts";
import type { BrowserDisk, DiskBlocks } from "./os-browser/disk.ts";
import type { CpuStart } from "./cpu/remote.ts";
import { linkControl } from "./link/control.ts";
import { fromLinkEvents, toLinkEvents } from "./link/events.ts";
import { fromByteString, Inspector } from "./machine/inspect.ts";
import { Machine } from "./machine.ts";
import { Disks, Turn } from "./main_disks.ts";
import { SessionSaver, storedEvents } from "./main_session.ts";
import { codec, gunzip } from "./os-browser/codec.ts";
import { lockDisk } from "./os-browser/lock.ts";
import { forgetSession, loadSession, lostSession, sessionLock } from "./os-browser/sessions.ts";
import { BrowserOs } from "./os-browser/os.ts";
import type { MachineEvent } from "./protocol/inspect.ts";
import { snapshotHeader } from "./replay/snapshot_file.ts";
import { Keeper } from "./replay/keeper.ts";
import { type SeekOptions, Timeline } from "./replay/timeline.ts";
import type { Recording, TimelineState } from "./protocol/replay.ts";
import { type BootRequest, type Connect, type MachineControl, type ToPage, type ToWorker } from "./protocol.ts";

/** Before anybody asks: every machine needs it, and it takes longer than all else of a start. */
const loading = loadIced();
loading.catch(() => undefined);

/** How long the machine may run before others get their turn, ms: what a key waits at most. */
const SLICE_MS = 5;
/** After a key the slices are shorter, for so long: what a program answers at once is on the screen with the next frame. Parts of a slice, and ms. */
const QUICK = 4;
const QUICK_MS = 25;
const STATUS_MS = 100;
/** Output that the page has not shown yet, bytes: above it the machine waits, so that ^C gets through a flood. */
const UNSHOWN = 1 << 18;

/** um=ptrace: starts the worker that runs the guest. */
function startCpu(start: CpuStart): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./main_cpu.ts", import.meta.url), { type: "module", name: "cpu" });
    worker.onmessage = () => resolve();
    worker.onerror = (e) => reject(new Error(`The worker for the CPU does not start: ${e.message}`));
    worker.postMessage(start);
  });
}

/** A published snapshot, unpacked; undefined: it cannot be had. */
async function fetchSnapshot(url: string): Promise<Uint8Array | undefined> {
  try {
    const response = await fetch(url);
    if (!response.ok) return undefined;
    const packed = new Uint8Array(await response.arrayBuffer());
    // a server may have unpacked it on the way
    return packed[0] === 0x1f ? await gunzip(packed) : packed;
  } catch {
    return undefined;
  }
}

/** Console output on its way to the page, in one message per line and slice. */
class Output {
  private readonly post: (message: ToPage, transferred?: Transferable[]) => void;
  private readonly pending = new Map<number, Uint8Array[]>();
  /** bytes posted and not yet shown */
  unshown = 0;
  constructor(post: (message: ToPage, transferred?: Transferable[]) => void) {
    this.post = post;
  }
  write(line: number, bytes: Uint8Array): void {
    const parts = this.pending.get(line);
    if (parts === undefined) this.pending.set(line, [bytes]);
    else parts.push(bytes);
  }
  flush(): void {
    for (const [line, parts] of this.pending) {
      const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
      let n = 0;
      for (const p of parts) {
        bytes.set(p, n);
        n += p.length;
      }
      this.send(line, bytes, false);
    }
    this.pending.clear();
  }
  private send(line: number, bytes: Uint8Array<ArrayBuffer>, fresh: boolean): void {
    this.unshown += bytes.length;
    this.post({ type: "output", line, bytes, fresh }, [bytes.buffer]);
  }
  /** The console shows this and nothing else. */
  repaint(line: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.pending.delete(line);
    this.send(line, bytes, true);
  }
}

/** The host's clock and the guest's at the same moment: ms and ns. */
interface Clocks {
  readonly host: number;
  readonly guest: number;
}
/** What a terminal answers by itself: where the cursor is, what it can do, that it has the focus. In a replay it was answered already. */
function isReport(bytes: Uint8Array): boolean {
  // eslint-disable-next-line no-control-regex
  return /^(?:\x1b\[(?:\d+;\d+R|[?>]?[\d;]*c|0n|\?[\d;]*\$y|[IO])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\))+$/.test(String.fromCharCode(...bytes.subarray(0, 1000)));
}

/** time=real: a busy guest's clock may be so much behind the host's, ns */
const LAG = 20e6;

class Host {
  private readonly port: MessagePort;
  private readonly output: Output;
  private readonly turn = new Turn();
  private readonly disks: Disks;
  private booting = false;
  private machine: Machine | undefined;
  private timeline: Timeline | undefined;
  private keeper: Keeper | undefined;
  private inspector: Inspector | undefined;
  /** blocks of the disk that differed from its image at power-on */
  private overlay: readonly (readonly [number, Uint8Array<ArrayBuffer>])[] = [];
  /** what the machine was booted with */
  private request: BootRequest | undefined;
  /** keeps the machine over a reload */
  private saver: SessionSaver | undefined;
  /** a kept disk that stores nothing until the machine is where it was */
  private held: BrowserDisk | undefined;
  /** what was typed before the machine was there, or was where it was: it waits, in order */
  private readonly typed: ToWorker[] = [];
  /** what is typed before the machine is there is meant for it: not for one of a link, which would go another way than it tells */
  private patient = false;
  private paused = false;
  /** how often the page has asked for something from the machine's inside */
  private asked = 0;
  /** as it was asked for: without what the kernel adds */
  private cmdline = "";
  private readonly events: MachineEvent[] = [];
  /** ends a wait of the run loop */
  private wake: (() => void) | undefined;
  /** While the machine sleeps: the host's and the guest's clock when that began */
  private asleep: Clocks | undefined;
  /** time=real: when the clocks were equal */
  private real: Clocks | undefined;
  /** a jump in time is under way: the run loop waits */
  private seeking = false;
  private cancelled = false;
  /** what was recorded runs without its waits */
  private fast = false;
  /** of the page's terminals, by line */
  private readonly windows = new Map<number, { readonly cols: number; readonly rows: number }>();
  /** pause where the recording ends */
  private stopAtEnd = false;
  /** instructions in a slice */
  private slice = 200_000;
  /** when the last key came */
  private keyAt = -Infinity;
  /** the guest's clock in the last status */
  private statusNs = -1;
  private statusAt = 0;
  private busyMs = 0;
  private busyFrom = 0;

  constructor(port: MessagePort) {
    this.port = port;
    this.output = new Output((message, transferred) => this.post(message, transferred));
    this.disks = new Disks({
      note: (text, download = false) => this.post({ type: "note", text, download }),
      storing: (on) => this.post({ type: "storing", on }),
      waiting: (what, done, total) => this.post({ type: "waiting", what, done, total }),
    });
    port.onmessage = (e: MessageEvent<ToWorker>) => this.receive(e.data);
  }
  private post(message: ToPage, transferred: Transferable[] = []): void {
    this.port.postMessage(message, transferred);
  }

  private receive(message: ToWorker): void {
    // the guest hears of it when it can: there may be none yet, or it is on its way to another moment
    if (message.type === "resize") this.windows.set(message.line, { cols: message.cols, rows: message.rows });
    if (message.type === "shown") this.output.unshown -= message.bytes;
    else if (message.type === "input" && (this.typed.length > 0 || (this.timeline === undefined ? this.patient : this.held !== undefined && !this.timeline.live))) this.typed.push(message);
    else if (this.timeline !== undefined && !this.seeking) {
      this.settle();
      if (message.type === "resize") this.fitWindows(this.timeline);
      else if (this.timeline.live || !isReport(message.bytes)) {
        this.keyAt = performance.now();
        if (!this.timeline.live) {
          this.fast = this.stopAtEnd = this.paused = false;
          this.post({ type: "forked" });
        }
        this.timeline.input(message.line, message.bytes);
      }
      this.saver?.events();
      this.flush();
    }
    this.wake?.();
  }
  /** The guest hears of the windows' sizes; in the past it had those that were recorded. */
  private fitWindows(timeline: Timeline): void {
    if (!timeline.live || this.paused) return;
    for (const [n, { cols, rows }] of this.windows) {
      const last = timeline.machine.log.findLast((e) => "size" in e && e.line === n);
      if (last === undefined || !("size" in last) || last.size.cols !== cols || last.size.rows !== rows) timeline.resize(n, cols, rows);
    }
  }
  /** The guest's clock catches up with the time that it has slept. */
  private settle(): void {
    if (this.asleep === undefined) return;
    this.timeline?.advance_idle(this.asleep.guest + (performance.now() - this.asleep.host) * 1e6);
    this.asleep = undefined;
  }

  private write(line: number, bytes: Uint8Array): void {
    this.output.write(line, bytes);
    this.inspector?.output(line, bytes);
  }
  /** Output and events go to the page. */
  private flush(): void {
    this.output.flush();
    if (this.events.length > 0) this.post({ type: "events", events: this.events.splice(0) });
  }
  private async openDisks({ disk, more, overlay }: BootRequest, saved: DiskBlocks | undefined): Promise<void> {
    await this.disks.open(disk, saved);
    for (const other of more ?? []) await this.disks.open(other);
    if (overlay !== undefined) await this.disks.opened.get(disk.name)!.lay(overlay);
  }
  async boot(request: BootRequest): Promise<void> {
    if (this.booting) throw new Error("This worker has a machine already.");
    this.booting = true;
    this.cmdline = request.cmdline;
    this.patient = request.replay === undefined;
    this.windows.set(0, { cols: request.cols, rows: request.rows });
    this.post({ type: "waiting", what: "starting", done: 0, total: 0 });
    // on its way while the disk is opened
    const snapshot = request.snapshot === undefined ? undefined : fetchSnapshot(request.snapshot.url);
    const { session } = request;
    const mine = session === undefined ? Promise.resolve(true) : lockDisk(sessionLock(session.id));
    const saved = session?.resume === true && (await mine) ? await this.savedOf(request) : undefined;
    const { replay, overlay } = request;
    if (request.disk.use === "keep" && (replay ?? overlay ?? request.files) !== undefined) throw new Error("A link or a bundle starts on a scratch copy only.");
    // the machine is made while its disks come
    const opening = this.openDisks(request, saved?.overlay);
    opening.catch(() => undefined);
    const iced = await loading;
    const { disks } = this;
    const host = {
      get disks() {
        return disks.opened;
      },
      write: (line: number, bytes: Uint8Array) => this.write(line, bytes),
      file: (path: string, size: number) => this.events.push({ type: "file", path: fromByteString(path), size }),
    };
    const shared = globalThis.crossOriginIsolated === true;
    const files = (request.files ?? []).map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
    const machine = new Machine({ cmdline: request.cmdline, os: new BrowserOs(host), iced, shared, jit: request.jit, clock: replay?.clock, files, startCpu });
    const timeline = new Timeline(machine);
    await opening;
    this.post({ type: "waiting", what: "powering on", done: 0, total: 0 });
    await machine.start();
    const disk = this.disks.opened.get(request.disk.name)!;
    this.overlay = saved?.overlay ?? disk.overlay();
    this.machine = machine;
    this.timeline = timeline;
    this.keeper = new Keeper(timeline);
    this.inspector = new Inspector(machine, iced, (e) => this.events.push(e));
    this.inspector.poker = timeline;
    this.inspector.debug.runner = timeline;
    this.inspector.onGo = () => {
      this.paused = false;
      this.wake?.();
    };
    this.inspector.breakpoints(request.breakpoints ?? []);
    this.inspector.checks(request.checks ?? []);
    this.request = request;
    const resumed = saved !== undefined ? await this.goOn(timeline, saved, disk) : disk.changed.size === 0 && this.resume(timeline, disk, await snapshot);
    if (!resumed) machine.boot();
    this.real = { host: performance.now(), guest: machine.kernel.halted === undefined ? machine.kernel.time.monotonic() : 0 };
    // a machine that was resumed has the snapshot that it came from
    if (!resumed && machine.kernel.halted === undefined) this.keeper.take(() => performance.now());
    if (replay !== undefined) {
      const events = fromLinkEvents(replay.events);
      const last = events.at(-1);
      const end = replay.at !== undefined && replay.at > (last?.at ?? 0) ? { at: replay.at, ns: replay.ns ?? 0 } : { at: last?.at ?? 0, ns: Math.max(last?.ns ?? 0, replay.ns ?? 0) };
      timeline.load(events, { ...end, events: events.length });
      this.fast = replay.speed === "full";
      this.paused = replay.speed === "armed";
      this.stopAtEnd = replay.at !== undefined;
    }
    if (session !== undefined && (await mine)) await this.keepSession(session.id, session.engine);
    void this.disks.fetchRest();
    void this.run(machine, timeline).catch((e: unknown) => {
      this.flush();
      this.post({ type: "crashed", why: e instanceof Error ? `${e.message}\n${e.stack ?? ""}` : String(e) });
    });
  }

  /** Begins at a snapshot. False: it could not be had, or is not for this machine; then the machine is as new. */
  private resume(timeline: Timeline, disk: BrowserDisk, file: Uint8Array | undefined): boolean {
    if (file === undefined) return false;
    try {
      if (snapshotHeader(file).cmdline !== timeline.machine.cmdline) return false;
      timeline.resume(file, new Map([[disk.name, (pos, buf) => disk.read(pos, buf)]]));
    } catch (e) {
      // half made: a machine is never made twice of one memory
      if (timeline.machine.kernel.time !== undefined) throw e;
      return false;
    }
    this.output.repaint(0, timeline.machine.tap.lines[0]!.history());
    this.post({ type: "resumed", at: timeline.now.at, session: false });
    return true;
  }

  /** The kept machine that a boot is to go on with, if it is one of this emulator and of this image. */
  private async savedOf({ session, disk, cmdline }: BootRequest): Promise<Awaited<ReturnType<typeof loadSession>>> {
    const db = session?.resume === true ? await this.disks.storage : undefined;
    const saved = db === undefined ? undefined : await loadSession(db, session!.id).catch(() => undefined);
    const { about } = saved ?? {};
    return about?.engine === session?.engine && about?.cmdline === cmdline && about?.disk === disk.name && about.use === disk.use ? saved : undefined;
  }
  /** Goes on with a kept machine: its snapshot, then what came from outside since, at full speed. */
  private async goOn(timeline: Timeline, saved: NonNullable<Awaited<ReturnType<typeof loadSession>>>, disk: BrowserDisk): Promise<boolean> {
    timeline.resume(await gunzip(saved.snapshot), new Map());
    const tail = storedEvents(saved.tail);
    const last = tail.at(-1);
    if (last !== undefined) {
      timeline.load([...timeline.machine.log, ...tail], { at: last.at, ns: last.ns, events: timeline.machine.log.length + tail.length });
      this.fast = true;
    }
    this.held = disk;
    this.output.repaint(0, timeline.machine.tap.lines[0]!.history());
    this.post({ type: "resumed", at: timeline.now.at, session: true });
    return true;
  }
  private async keepSession(id: string, engine: string): Promise<boolean> {
    const { request, timeline } = this;
    const db = await this.disks.storage;
    if (db === undefined || request === undefined || timeline === undefined || request.replay !== undefined || (request.more ?? []).length > 0 || timeline.machine.kernel.params.get("time") === "real") return false;
    const { disk, cmdline } = request;
    const about = { engine, cmdline, disk: disk.name, image: this.disks.imageOf(disk.name), use: disk.use };
    this.saver = new SessionSaver(db, id, about, this.overlay, timeline, (text) => this.post({ type: "note", text }));
    this.wake?.();
    return true;
  }

  /** Until something wakes it, or `ms` have passed. */
  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms < 2 ** 31 ? setTimeout(() => this.wake?.(), ms) : undefined;
      this.wake = () => {
        this.wake = undefined;
        clearTimeout(timer);
        resolve();
      };
    });
  }
  private async run(machine: Machine, timeline: Timeline): Promise<void> {
    for (;;) {
      if (this.paused || this.seeking || this.output.unshown > UNSHOWN) {
        if (!this.seeking) this.status(machine, this.paused, this.paused);
        await this.wait(Infinity);
        continue;
      }
      this.fitWindows(timeline);
      const from = performance.now();
      const retired = machine.retired;
      const quick = from - this.keyAt < QUICK_MS;
      const reason = this.need().debug.run(quick ? this.slice / QUICK : this.slice);
      const ms = performance.now() - from;
      this.busyMs += ms;
      // the next slice takes about SLICE_MS; a slice cut short says nothing
      if (reason === "slice" && !quick && machine.retired - retired >= this.slice) this.slice = Math.round(Math.max(20_000, Math.min(20_000_000, this.slice * Math.max(0.25, Math.min(2, SLICE_MS / Math.max(ms, 0.1))))));
      this.flush();
      if (reason === "stop") {
        this.paused = true;
        this.status(machine, true);
        const why = this.need().stopped();
        this.flush();
        this.post({ type: "stopped", why });
        continue;
      }
      if (reason === "halted") {
        this.status(machine, true, true);
        this.post({ type: "halted", how: machine.kernel.halted ?? "halt", status: machine.exit_status });
        // going back in time makes it run again
        while (machine.kernel.halted !== undefined) await this.wait(Infinity);
        continue;
      }
      if (reason === "host") {
        await machine.host();
        continue;
      }
      if (reason === "end") {
        this.fast = false;
        if (this.stopAtEnd) {
          this.paused = true;
          this.post({ type: "stopped", why: "Stopped: this is the moment that the link names." });
        }
        this.stopAtEnd = false;
        this.real = { host: performance.now(), guest: timeline.now.ns };
        continue;
      }
      this.followClock(machine);
      if (timeline.live) {
        this.held?.release();
        this.held = undefined;
        for (const message of this.typed.splice(0)) this.receive(message);
      }
      this.saver?.events();
      const due = this.due(ms, reason === "idle");
      if (due === "whole") {
        this.keeper?.take(() => performance.now());
        this.saveSession();
      }
      this.status(machine, retired === machine.retired || performance.now() - this.statusAt > STATUS_MS, reason === "idle");
      if (reason === "slice") {
        await this.turn.take();
        continue;
      }
      const now = machine.kernel.time.monotonic();
      if (this.fast && timeline.until() < Infinity) {
        timeline.advance_idle(timeline.until());
        continue;
      }
      const asleep = (this.asleep = { host: performance.now(), guest: now });
      const until = asleep.host + (timeline.until() - now) / 1e6;
      if (due !== "parts" || !(await this.keepAsleep(until))) await this.wait(until - performance.now());
      this.settle();
    }
  }
  /** Whether a snapshot is to be taken, for going back or for a reload: Keeper.due(). */
  private due(ms: number, idle: boolean): ReturnType<Keeper["due"]> {
    const now = performance.now();
    const forReload = this.saver?.due(now) !== true ? undefined : idle && !this.saver.late(now) ? "parts" : "whole";
    return this.keeper?.due(ms, idle) ?? forReload;
  }
  /** The moment that a snapshot was just taken of is kept over a reload, if it is time for that. */
  private saveSession(): void {
    const now = performance.now();
    if (this.saver?.due(now) === true) this.saver.take(now, () => this.turn.take());
  }
  /** A snapshot in parts, of a machine that sleeps until host ms `until`. Ends when something wakes it, or wants to know something of it; true: it is awake. */
  private async keepAsleep(until: number): Promise<boolean> {
    const { asked, keeper } = this;
    const clock = (): number => performance.now();
    let awake = false;
    this.wake = () => {
      awake = true;
    };
    keeper?.begin(clock);
    let more = true;
    while (!awake && this.asked === asked && clock() < until) {
      more = keeper?.next(clock) === true;
      if (!more) break;
      await this.turn.take();
    }
    this.wake = undefined;
    if (!more) this.saveSession();
    return awake;
  }
  /** time=real: a busy guest's clock is the host's too. */
  private followClock(machine: Machine): void {
    if (this.real === undefined || machine.kernel.params.get("time") !== "real") return;
    const now = this.real.guest + (performance.now() - this.real.host) * 1e6;
    if (now - machine.kernel.time.monotonic() > LAG) this.timeline?.tick(now);
  }

  /** A jump in time: the run loop stands still meanwhile, and afterwards the machine is paused and its console painted anew. */
  private async jump(work: (timeline: Timeline, options: SeekOptions) => Promise<unknown>): Promise<TimelineState> {
    const { machine, timeline } = this;
    if (machine === undefined || timeline === undefined) throw new Error("The machine is off.");
    if (this.seeking) throw new Error("It is on its way to another moment: wait, or cancel that first.");
    this.settle();
    this.seeking = true;
    this.cancelled = false;
    this.paused = true;
    this.wake?.();
    const { observer } = machine.entry;
    try {
      while (machine.kernel.host_work !== undefined) await machine.host();
      // what happens again on the way is no news
      machine.entry.observer = undefined;
      await work(timeline, {
        turn: () => this.turn.take(),
        progress: (done) => this.post({ type: "waiting", what: "going there", done: Math.round(done * 1000), total: 1000 }),
        cancelled: () => this.cancelled,
      });
    } finally {
      this.seeking = false;
      machine.entry.observer = observer;
      machine.tap.lines.forEach((line, n) => {
        if (n === 0 || line.history().length > 0) this.output.repaint(n, line.history());
      });
      this.status(machine, true, true);
      this.wake?.();
    }
    return this.timelineState();
  }
  private timelineState(): TimelineState {
    const { timeline, keeper } = this;
    if (timeline === undefined || keeper === undefined) throw new Error("The machine is off.");
    return {
      now: timeline.now, end: timeline.end, live: timeline.live, current: timeline.current,
      branches: timeline.branches.map(({ id, end, from, log }) => ({ id, end, from, events: log.length })),
      snapshots: timeline.snapshots.length, bytes: timeline.snapshots.bytes, pauseMs: keeper.longest,
    };
  }
  /** Once the host owes the machine nothing. */
  private async still(): Promise<{ machine: Machine; timeline: Timeline }> {
    const { machine, timeline } = this;
    if (machine === undefined || timeline === undefined) throw new Error("The machine is off.");
    if (this.seeking) throw new Error("It is on its way to another moment: wait, or cancel that first.");
    this.settle();
    while (machine.kernel.host_work !== undefined) {
      await machine.host();
      machine.settle();
    }
    return { machine, timeline };
  }

  /** Tells the page, if `due`; when the machine falls asleep always, so that the last figures are right. */
  private status(machine: Machine, due: boolean, idle = false): void {
    const now = performance.now();
    if (!due && !(idle && machine.retired !== this.busyFrom)) return;
    const ns = machine.kernel.time.monotonic();
    // at one instruction clock and disk move on, and a machine that has paused tells no more
    if (idle && machine.retired === this.busyFrom && (!this.paused || ns === this.statusNs) && now - this.statusAt < 10 * STATUS_MS) return;
    this.statusAt = now;
    this.statusNs = ns;
    const z = machine.arch.zpoline;
    // a machine that was stopped before a call is done stays so: to look at it whole would do the call
    const still = (idle || this.paused) && machine.kernel.host_work === undefined && !this.seeking && !((machine.kernel.current?.syscall_nr ?? -1) >= 0);
    this.post({
      type: "status",
      status: {
        retired: machine.retired,
        ns,
        calls: machine.arch.page0_calls,
        trapped: z.trapped,
        idle,
        busyMs: this.busyMs,
        busyInstructions: machine.retired - this.busyFrom,
        changed: this.disks.changedBytes,
        fingerprint: still ? this.timeline?.fingerprint() : undefined,
        live: this.timeline?.live ?? true,
        histogram: Uint32Array.from(machine.cpu.log.histogram),
      },
    });
    this.busyMs = 0;
    this.busyFrom = machine.retired;
  }

  /** All that makes this machine again. */
  private async recording(): Promise<Recording> {
    const { machine, timeline } = await this.still();
    const overlay = this.overlay.map(([block, bytes]) => [block, bytes.slice()] as const);
    return { cmdline: this.cmdline, clock: machine.clock, events: toLinkEvents(machine.log), now: timeline.now, fingerprint: timeline.fingerprint(), overlay };
  }
  private need(): Inspector {
    if (this.inspector === undefined) throw new Error("The machine is off.");
    return this.inspector;
  }
  readonly control: MachineControl = {
    boot: (request) => this.boot(request),
    pause: () => {
      this.paused = true;
      this.settle();
      this.wake?.();
    },
    resume: () => {
      this.paused = false;
      this.wake?.();
    },
    download: (disk, progress) => this.disks.download(disk, progress),
    disks: () => this.disks.list(),
    changes: (disk, progress) => this.disks.changes(disk, progress),
    cancel: () => this.disks.cancel(),
    resetDisk: (name) => this.disks.reset(name),
    savedSession: async (id) => {
      const db = await this.disks.storage;
      return db === undefined ? undefined : (await loadSession(db, id))?.about;
    },
    lostSession: async (own) => {
      const db = await this.disks.storage;
      return db === undefined ? undefined : lostSession(db, own);
    },
    keepSession: (id, engine) => this.keepSession(id, engine),
    forgetSession: async (id) => {
      // another one may begin while this is on its way
      const { saver } = this;
      this.saver = undefined;
      await saver?.forget();
      const db = await this.disks.storage;
      if (db !== undefined && saver?.id !== id) await forgetSession(db, id);
    },
    storedImages: () => this.disks.storedImages(),
    forgetImage: (name) => this.disks.forgetImage(name),
    ask: (what, args) => {
      this.asked++;
      return this.need().answer(what, args);
    },
    timeline: () => this.timelineState(),
    seek: (target) => this.jump((t, o) => t.seek(target, o)),
    back: (step) => this.jump((t, o) => t.back(step, o)),
    forward: (step) => this.jump((t, o) => t.forward(step, o)),
    cancelSeek: () => {
      this.cancelled = true;
    },
    play: (speed) => {
      this.fast = speed === "full";
      this.paused = false;
      this.wake?.();
    },
    goLive: async () => {
      const state = await this.jump((t, o) => t.seek(t.end, o));
      this.paused = false;
      this.wake?.();
      return state;
    },
    fork: () => {
      this.timeline?.fork();
      return this.timelineState();
    },
    follow: (branch) => this.jump((t, o) => t.follow(branch, o)),
    fingerprint: async () => (await this.still()).timeline.fingerprint(),
    recording: async () => {
      const r = await this.recording();
      return transfer(r, r.overlay.map(([, bytes]) => bytes.buffer));
    },
    ...linkControl(codec, () => this.recording()),
  };
}

/** The page has sent the ends of its channels. */
export function connect({ bytes, control }: Connect<MessagePort>): void {
  expose(new Host(bytes).control, control);
}
