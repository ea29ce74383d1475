// worker/main.ts — the machine's Web Worker: runs the machine in slices, so that keys, control calls and the clock get in between them.
import { expose, transfer } from "comlink";
import { loadIced } from "./cpu/iced.ts";
import type { CpuStart } from "./cpu/remote.ts";
import { Inspector } from "./machine/inspect.ts";
import { Machine } from "./machine.ts";
import { change, openDatabase } from "./os-browser/database.ts";
import { BrowserDisk, resetDisk } from "./os-browser/disk.ts";
import { loadImage, pack, storedImages } from "./os-browser/image.ts";
import { lockDisk } from "./os-browser/lock.ts";
import { BrowserOs } from "./os-browser/os.ts";
import type { MachineEvent } from "./protocol/inspect.ts";
import { type BootRequest, type Connect, DISK_IN_USE, type MachineControl, type ToPage, type ToWorker } from "./protocol.ts";

/** How long the machine may run before others get their turn, ms: what a key waits at most. */
const SLICE_MS = 8;
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

/** Lets messages in: a turn of the event loop without the timers' clamp. */
class Turn {
  private readonly channel = new MessageChannel();
  private next: (() => void) | undefined;
  constructor() {
    this.channel.port1.onmessage = () => this.next?.();
  }
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.next = resolve;
      this.channel.port2.postMessage(0);
    });
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
      this.unshown += bytes.length;
      this.post({ type: "output", line, bytes }, [bytes.buffer]);
    }
    this.pending.clear();
  }
}

class Host {
  private readonly port: MessagePort;
  private readonly output: Output;
  private readonly turn = new Turn();
  private readonly database: Promise<IDBDatabase | undefined>;
  private booting = false;
  private machine: Machine | undefined;
  private inspector: Inspector | undefined;
  private disk: BrowserDisk | undefined;
  private paused = false;
  private readonly events: MachineEvent[] = [];
  /** ends a wait of the run loop */
  private wake: (() => void) | undefined;
  /** While the machine sleeps: the host's and the guest's clock when that began */
  private asleep: { readonly host: number; readonly guest: number } | undefined;
  /** instructions in a slice */
  private slice = 200_000;
  private statusAt = 0;
  private busyMs = 0;
  private busyFrom = 0;

  constructor(port: MessagePort) {
    this.port = port;
    this.output = new Output((message, transferred) => this.post(message, transferred));
    this.database = openDatabase().catch(() => undefined);
    port.onmessage = (e: MessageEvent<ToWorker>) => this.receive(e.data);
  }
  private post(message: ToPage, transferred: Transferable[] = []): void {
    this.port.postMessage(message, transferred);
  }

  private receive(message: ToWorker): void {
    if (message.type === "shown") this.output.unshown -= message.bytes;
    else if (this.machine !== undefined) {
      this.settle(this.machine);
      if (message.type === "input") this.machine.input(message.line, message.bytes);
      else this.machine.resize(message.line, message.cols, message.rows);
      this.flush();
    }
    this.wake?.();
  }
  /** The guest's clock catches up with the time that it has slept. */
  private settle(machine: Machine): void {
    if (this.asleep === undefined) return;
    machine.advance_idle(this.asleep.guest + (performance.now() - this.asleep.host) * 1e6);
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
  private note = (text: string): void => this.post({ type: "note", text });

  private async openDisk({ disk }: BootRequest): Promise<BrowserDisk> {
    const db = await this.database;
    let keep = disk.keep;
    if (keep && db === undefined) {
      keep = false;
      this.note("This browser offers no storage here (a private window, perhaps): changes to the disk end with this tab.");
    }
    if (keep && !(await lockDisk(disk.name))) {
      const e = new Error(`The disk ${disk.name} is in use in another tab. Two machines on one disk would destroy it: close the other tab, or start on a scratch copy.`);
      e.name = DISK_IN_USE;
      throw e;
    }
    const { bytes, id } = await loadImage(keep || disk.source.kind !== "file" ? db : undefined, disk.name, disk.source, (what, done, total) => this.post({ type: "waiting", what, done, total }));
    if (!keep || db === undefined) return BrowserDisk.scratch(disk.name, bytes);
    const opened = await BrowserDisk.kept(db, disk.name, bytes, id, crypto.getRandomValues(new Uint32Array(4)).join("-"));
    opened.onstoring = (on) => this.post({ type: "storing", on });
    opened.onnote = this.note;
    return opened;
  }

  async boot(request: BootRequest): Promise<void> {
    if (this.booting) throw new Error("This worker has a machine already.");
    this.booting = true;
    this.post({ type: "waiting", what: "starting", done: 0, total: 0 });
    const [disk, iced] = await Promise.all([this.openDisk(request), loadIced()]);
    this.post({ type: "waiting", what: "powering on", done: 0, total: 0 });
    const os = new BrowserOs({ disks: new Map([[disk.name, disk]]), write: (line, bytes) => this.write(line, bytes) });
    const shared = globalThis.crossOriginIsolated === true;
    const machine = new Machine({ cmdline: request.cmdline, os, iced, shared, jit: request.jit, startCpu });
    await machine.start();
    this.disk = disk;
    this.machine = machine;
    this.inspector = new Inspector(machine, iced, (e) => this.events.push(e));
    this.inspector.onGo = () => {
      this.paused = false;
      this.wake?.();
    };
    machine.boot();
    machine.resize(0, request.cols, request.rows);
    void this.run(machine).catch((e: unknown) => {
      this.flush();
      this.post({ type: "crashed", why: e instanceof Error ? `${e.message}\n${e.stack ?? ""}` : String(e) });
    });
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
  private async run(machine: Machine): Promise<void> {
    for (;;) {
      if (this.paused || this.output.unshown > UNSHOWN) {
        this.status(machine, this.paused);
        await this.wait(Infinity);
        continue;
      }
      const from = performance.now();
      const retired = machine.retired;
      const reason = this.need().debug.run(this.slice);
      const ms = performance.now() - from;
      this.busyMs += ms;
      // the next slice takes about SLICE_MS; a slice cut short says nothing
      if (reason === "slice" && machine.retired - retired >= this.slice) this.slice = Math.round(Math.max(20_000, Math.min(20_000_000, this.slice * Math.max(0.25, Math.min(2, SLICE_MS / Math.max(ms, 0.1))))));
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
        return;
      }
      if (reason === "host") {
        await machine.host();
        continue;
      }
      this.status(machine, retired === machine.retired || performance.now() - this.statusAt > STATUS_MS, reason === "idle");
      if (reason === "slice") {
        await this.turn.take();
        continue;
      }
      const now = machine.kernel.time.monotonic();
      this.asleep = { host: performance.now(), guest: now };
      await this.wait((machine.until() - now) / 1e6);
      this.settle(machine);
    }
  }
  /** Tells the page, if `due`; when the machine falls asleep always, so that the last figures are right. */
  private status(machine: Machine, due: boolean, idle = false): void {
    const now = performance.now();
    if (!due && !(idle && machine.retired !== this.busyFrom)) return;
    if (idle && machine.retired === this.busyFrom && now - this.statusAt < 10 * STATUS_MS) return;
    this.statusAt = now;
    const z = machine.arch.zpoline;
    this.post({
      type: "status",
      status: {
        retired: machine.retired,
        ns: machine.kernel.time.monotonic(),
        calls: z.calls,
        trapped: z.trapped,
        idle,
        busyMs: this.busyMs,
        busyInstructions: machine.retired - this.busyFrom,
        changed: this.disk?.changedBytes ?? 0,
        histogram: Uint32Array.from(z.histogram),
      },
    });
    this.busyMs = 0;
    this.busyFrom = machine.retired;
  }

  private need(): Inspector {
    if (this.inspector === undefined) throw new Error("The machine is off.");
    return this.inspector;
  }
  private async needDatabase(): Promise<IDBDatabase> {
    const db = await this.database;
    if (db === undefined) throw new Error("This browser offers no storage here, so there is nothing to change.");
    return db;
  }

  readonly control: MachineControl = {
    boot: (request) => this.boot(request),
    pause: () => {
      this.paused = true;
      if (this.machine !== undefined) this.settle(this.machine);
    },
    resume: () => {
      this.paused = false;
      this.wake?.();
    },
    download: async () => {
      if (this.disk === undefined) throw new Error("There is no disk yet: start the machine first.");
      const bytes = await pack(this.disk.content);
      const name = `${this.disk.name.replace(/\.gz$/, "")}.gz`;
      return transfer({ name, bytes }, [bytes.buffer]);
    },
    resetDisk: async (name) => {
      if (this.disk?.name === name) throw new Error("Stop the machine before its disk is reset.");
      await resetDisk(await this.needDatabase(), name);
    },
    storedImages: async () => {
      const db = await this.database;
      return db === undefined ? [] : storedImages(db);
    },
    forgetImage: async (name) => {
      const db = await this.needDatabase();
      await resetDisk(db, name);
      await change(db, ["images"], (t) => t.objectStore("images").delete(`file:${name}`));
    },
    ask: (what, args) => this.need().answer(what, args),
  };
}

addEventListener(
  "message",
  (e: MessageEvent<Connect<MessagePort>>) => {
    const host = new Host(e.data.bytes);
    expose(host.control, e.data.control);
  },
  { once: true },
);
