// replay/timeline.ts — a machine with a past: what happened can be run again, to any instruction, and left for another future.
//
// All that came from outside is in the log; everything else follows from it. Snapshots on the way make going back quick. A moment is (instructions
// retired, monotonic clock, events): among those with the same count, the others say which. Whoever has a Timeline runs the machine through it only.
import type { Machine, Reason } from "../machine.ts";
import type { Input, InputEvent } from "../machine/input.ts";
import { Snapshots, type Snapshot } from "../machine/snapshot.ts";
import { readSnapshot, writingSnapshot } from "./snapshot_file.ts";
import { SnapshotList } from "./snapshots.ts";

export interface Moment {
  /** instructions retired since power-on */
  readonly at: number;
  /** the guest's monotonic clock, ns */
  readonly ns: number;
  /** events that have entered */
  readonly events: number;
}

/** A history that was left for another one, or the one that is followed. */
export interface Branch {
  readonly id: number;
  /** all of its events, from power-on */
  readonly log: readonly InputEvent[];
  /** as far as it was run */
  readonly end: Moment;
  /** where it left the branch before it; undefined for the first */
  readonly from: Moment | undefined;
}

export type Step = "instruction" | "call" | "second";

export interface SeekOptions {
  /** Lets others have their turn; called about every 10 ms of work. */
  readonly turn?: () => Promise<void>;
  /** From 0 to 1. */
  readonly progress?: (done: number) => void;
  /** Asked now and then: true ends the seek where it is. */
  readonly cancelled?: () => boolean;
  /** Output is sent as it comes: for a machine that only goes forward. */
  readonly show?: boolean;
}

/** instructions between two turns of a seek */
const CHUNK = 4_000_000;

const order = (a: Moment, b: Moment): number => a.at - b.at || a.ns - b.ns || a.events - b.events;
const before = (a: Moment, b: Moment): boolean => order(a, b) < 0;
/** Just before the event that comes as number `events`. */
const momentOf = (e: InputEvent, events: number): Moment => ({ at: e.at, ns: e.ns, events });

export class Timeline {
  readonly machine: Machine;
  readonly snapshots: SnapshotList;
  private readonly taker: Snapshots;
  /** events of the branch that are still to come; undefined end: nothing is known of the future */
  private ahead: InputEvent[] = [];
  private known: Moment | undefined;
  private readonly left: Branch[] = [];
  private branch = 0;
  private branches_made = 1;
  private came_from: Moment | undefined;

  /** `machine`: best before it boots (machine/snapshot.ts). `budget`: bytes that snapshots may take. */
  constructor(machine: Machine, budget = 256 << 20) {
    this.machine = machine;
    this.taker = new Snapshots(machine);
    this.snapshots = new SnapshotList(budget);
  }

  /** True: the machine is at the end of what is known of it, and what comes in goes on with the branch. */
  get live(): boolean {
    return this.known === undefined;
  }
  get now(): Moment {
    const { machine } = this;
    return { at: machine.retired, ns: machine.kernel.time.monotonic(), events: machine.log.length };
  }
  /** The furthest moment of the branch: now, while live. */
  get end(): Moment {
    return this.known ?? this.now;
  }
  /** All events of the branch, those to come too. */
  get log(): readonly InputEvent[] {
    return [...this.machine.log, ...this.ahead];
  }
  /** The branch that is followed, and those that were left. */
  get branches(): readonly Branch[] {
    return [...this.left, { id: this.branch, log: this.log, end: this.end, from: this.came_from }].sort((a, b) => a.id - b.id);
  }
  get current(): number {
    return this.branch;
  }

  /**
   * Runs for at most `instructions`, as Machine.run; events of the log enter at their moments. "end": the branch ends here, and from now on the
   * machine is live.
   */
  run(instructions: number): Reason | "end" {
    return this.runEvents(instructions, Infinity);
  }
  /** The same, but events from number `limit` on stay out. */
  private runEvents(instructions: number, limit: number): Reason | "end" {
    const { machine } = this;
    if (this.known === undefined) return machine.run(instructions);
    const goal = machine.retired + Math.floor(instructions);
    for (;;) {
      const event = this.ahead[0];
      if (event !== undefined && machine.log.length >= limit) return machine.run(goal - machine.retired);
      const next: { readonly at: number; readonly ns: number } = event ?? this.known;
      if (machine.retired > next.at) throw new Error(`the replay has gone astray: it is at instruction ${machine.retired}, the next event at ${next.at}`);
      const reason = machine.run(Math.min(goal, next.at) - machine.retired);
      if (reason === "halted") {
        this.arrive();
        return reason;
      }
      if (reason === "host" || machine.retired < next.at) return reason;
      const ns = machine.kernel.time.monotonic();
      if (ns < next.ns) {
        if (reason === "idle") return reason;
        throw new Error(`the replay has gone astray: at instruction ${next.at} the clock stands at ${ns} ns, it was ${next.ns}`);
      }
      if (event === undefined) {
        this.arrive();
        return "end";
      }
      this.ahead.shift();
      machine.log.push(event);
      machine.apply(event);
    }
  }
  private arrive(): void {
    this.known = undefined;
    this.ahead = [];
    this.machine.tap.replaying = false;
  }
  /** All tasks sleep: monotonic ns of what comes next, Infinity if nothing does. */
  until(): number {
    const { machine } = this;
    const next = this.ahead[0] ?? this.known;
    return next !== undefined && machine.retired === next.at ? Math.min(machine.until(), next.ns) : machine.until();
  }
  advance_idle(ns: number): void {
    this.machine.advance_idle(Math.min(ns, this.until()));
  }

  /** Something comes in from a person. In the past this begins a new branch; what was recorded is kept in the old one. */
  input(line: number, bytes: Uint8Array): void {
    this.fork();
    this.machine.input(line, bytes);
  }
  resize(line: number, cols: number, rows: number): void {
    // the window of whoever looks at the past is not part of it
    if (this.live) this.machine.resize(line, cols, rows);
  }
  /** As Machine.poke(): in the past this begins a new branch, too. */
  poke(address: number, bytes: Uint8Array): void {
    this.fork();
    this.machine.poke(address, bytes);
  }
  /** As Machine.file(). */
  file(name: string, bytes: Uint8Array): void {
    this.fork();
    this.machine.file(name, bytes);
  }
  tick(ns: number): void {
    if (this.live) this.machine.tick(ns);
  }
  /** The machine goes on from here, and not as it did. Nothing happens while live. */
  fork(): void {
    if (this.live) return;
    this.left.push({ id: this.branch, log: this.log, end: this.end, from: this.came_from });
    this.branch = this.branches_made++;
    this.came_from = this.now;
    this.snapshots.dropAfter(this.now);
    this.arrive();
  }
  /** Follows another branch from where both are the same; it then lies ahead. Seek to its end to be where it was left. */
  async follow(id: number, options: SeekOptions = {}): Promise<void> {
    const i = this.left.findIndex((b) => b.id === id);
    if (i < 0) return;
    const to = this.left[i]!;
    const { log, end } = this;
    let same = 0;
    while (same < Math.min(log.length, to.log.length) && sameEvent(log[same]!, to.log[same]!)) same++;
    // both are one until the first event that only one of them has, or the end of the shorter
    const parts = (l: readonly InputEvent[], e: Moment): Moment => (l[same] === undefined ? e : momentOf(l[same], same));
    const last = [parts(log, end), parts(to.log, to.end)].reduce((a, b) => (before(a, b) ? a : b));
    this.left[i] = { id: this.branch, log, end, from: this.came_from };
    this.branch = to.id;
    this.came_from = to.from;
    this.snapshots.dropAfter(last);
    if (this.machine.log.length > same || before(last, this.now)) {
      const base = this.snapshots.at(last);
      if (base === undefined) throw new Error("there is no snapshot from before the branches parted");
      this.restore(base, to.log, to.end);
    } else this.plan(to.log.slice(this.machine.log.length), to.end);
    await this.seek(before(this.now, last) ? last : this.now, options);
  }
  /** A log from elsewhere (a link, a bundle) lies ahead of a machine just booted; it ends at `end`. */
  load(log: readonly InputEvent[], end: Moment): void {
    this.plan(log.slice(this.machine.log.length), end);
  }
  private plan(ahead: InputEvent[], end: Moment): void {
    this.ahead = ahead;
    this.known = end;
    this.machine.tap.replaying = true;
  }

  /** Takes a snapshot now. Not while the machine waits for its host (Reason "host"). */
  snapshot(): Snapshot {
    const s = this.taker.take();
    this.snapshots.add(s);
    return s;
  }
  /** Begins one that is taken in parts, while the machine sleeps and nothing is done with it. Each call of what is returned goes on until `enough` says so; true: it is complete. */
  snapshotInParts(): (enough: () => boolean) => boolean {
    const taking = this.taker.begin();
    return (enough) => {
      const s = taking.step(enough);
      if (s !== undefined) this.snapshots.add(s);
      return s !== undefined;
    };
  }
  /** The machine, not booted yet, begins where a snapshot file says. Throws a sentence if it is of another machine, or not what it says it is. */
  resume(file: Uint8Array, images: ReadonlyMap<string, (pos: number, buf: Uint8Array) => void>): void {
    const { snapshot, log, histories, fingerprint } = readSnapshot(file, this.taker, images);
    this.taker.restore(snapshot);
    histories.forEach((h, i) => this.machine.tap.lines[i]!.fill(h));
    this.machine.log.push(...log);
    if (this.fingerprint() !== fingerprint) throw new Error("the snapshot does not give the machine that it was made of");
    this.snapshots.add(snapshot);
  }
  /** The machine as it is now as a file; `images`: as in resume(), for bytes that need not be in the file. */
  save(images: ReadonlyMap<string, (pos: number, buf: Uint8Array) => void>): Uint8Array<ArrayBuffer> {
    const saving = this.saving(images);
    for (;;) {
      const { done, value } = saving.next();
      if (done === true) return value;
    }
  }
  /** The same in parts; the machine may run on meanwhile. If there is a snapshot of this moment, none is taken. */
  saving(images: ReadonlyMap<string, (pos: number, buf: Uint8Array) => void>): ReturnType<typeof writingSnapshot> {
    const { now } = this;
    const { last } = this.snapshots;
    const there = last !== undefined && last.retired === now.at && last.ns === now.ns && last.events === now.events;
    return writingSnapshot(there ? last : this.snapshot(), this.machine.log.slice(), this.machine.tap.lines.map((l) => l.history()), this.fingerprint(), images);
  }
  private restore(s: Snapshot, log: readonly InputEvent[], end: Moment): void {
    this.taker.restore(s);
    this.machine.log.length = 0;
    for (const e of log.slice(0, s.events)) this.machine.log.push(e);
    this.plan(log.slice(s.events), end);
  }

  /**
   * Goes to a moment of the branch, back or forward, at full speed. By a count alone: to where all events up to it have entered, and nothing after;
   * `first`: to the first moment with that count, before what came to a machine that slept there.
   * Beyond the end the machine runs on as it would if nobody touched it. Returns where it stopped: elsewhere only if it was cancelled, has halted,
   * or sleeps for ever. Output is recorded, not sent: tap.lines[n].history() is what the console shows now.
   */
  async seek(target: { readonly at: number; readonly ns?: number; readonly events?: number; readonly first?: boolean }, options: SeekOptions = {}): Promise<Moment> {
    const { machine, log, end } = this;
    const { at } = target;
    const events = target.events ?? log.filter((e) => e.at < at || (e.at === at && target.first !== true && (target.ns === undefined || e.ns <= target.ns))).length;
    const last = log[events - 1];
    const goal: Moment = { at, ns: Math.max(target.ns ?? 0, last?.at === at ? last.ns : 0), events };
    const here = this.now;
    const base = this.snapshots.at(goal);
    // a moment that was passed at this very count needs the way back too: the clock of an idle machine only goes on
    const back = before(goal, here);
    if (back && this.live) this.snapshot();
    if (base !== undefined && (back || base.retired - here.at > CHUNK)) this.restore(base, log, end);
    else if (back) throw new Error(`there is no snapshot from before instruction ${at}`);
    else if (this.live) this.plan([], end);
    const beyond = before(end, goal);
    const { tap } = machine;
    const { silent } = tap;
    tap.silent = options.show !== true;
    const start = machine.retired;
    try {
      for (let done = 0; ; ) {
        const { now } = this;
        const there = now.at === goal.at && now.events === events;
        if ((there && now.ns >= goal.ns) || options.cancelled?.() === true) break;
        const reason = this.runEvents(Math.min(CHUNK, Math.max(0, goal.at - now.at)), events);
        done += machine.retired - now.at;
        if (reason === "halted" || (reason === "end" && !beyond)) break;
        if (reason === "host") await machine.host();
        else if (reason === "idle") {
          const until = this.until();
          const arrived = machine.retired === goal.at && machine.log.length === events;
          if (!arrived && until === Infinity) break;
          this.advance_idle(arrived ? Math.max(machine.kernel.time.monotonic(), Math.min(goal.ns, until)) : until);
        }
        if (done >= CHUNK) {
          done = 0;
          options.progress?.(Math.min(1, (machine.retired - start) / Math.max(1, goal.at - start)));
          await options.turn?.();
        }
      }
      machine.settle();
      this.looksAround();
    } finally {
      tap.silent = silent;
    }
    return this.now;
  }
  /** At the end of what is known the machine is live. */
  private looksAround(): void {
    if (this.known !== undefined && this.ahead.length === 0 && !before(this.now, this.known)) this.arrive();
  }

  /** Where one step back from here is: undefined at the beginning. */
  async back(step: Step, options: SeekOptions = {}): Promise<Moment> {
    const { at, ns } = this.now;
    if (step === "instruction") return this.seek({ at: Math.max(0, at - 1) }, options);
    if (step === "second") return this.seekTime(Math.max(0, ns - 1e9), options);
    const call = await this.lastCall(at, options);
    return call === undefined ? this.now : this.seek({ at: call }, options);
  }
  /** The count just before the last system call that was made before `at`. */
  private async lastCall(at: number, options: SeekOptions): Promise<number | undefined> {
    const known = this.machine.cpu.log.before(at);
    if (known !== undefined) return known;
    // not remembered: run from the snapshots before, the nearest first
    for (let base = this.snapshots.at({ at: at - 1, ns: Infinity, events: Infinity }); base !== undefined; base = this.snapshots.at({ at: base.retired - 1, ns: Infinity, events: Infinity })) {
      await this.seek({ at: base.retired, ns: base.ns, events: base.events }, options);
      await this.seek({ at: at - 1 }, options);
      const found = this.machine.cpu.log.before(at);
      if (found !== undefined || base.retired === 0) return found;
    }
    return undefined;
  }
  /** The last moment at which the guest's clock stood at `ns` or before. */
  private async seekTime(ns: number, options: SeekOptions): Promise<Moment> {
    const { log, end } = this;
    const base = this.snapshots.atTime(ns);
    if (base === undefined) throw new Error("there is no snapshot from before that time");
    if (this.live) this.snapshot();
    this.restore(base, log, end);
    const { tap, kernel } = this.machine;
    const { silent } = tap;
    tap.silent = true;
    try {
      for (let done = 0; kernel.time.monotonic() < ns && options.cancelled?.() !== true; ) {
        // an instruction takes a nanosecond, a call more: so this never goes too far but for the last call
        const left = ns - kernel.time.monotonic();
        const from = this.machine.retired;
        const reason = this.run(Math.max(1, Math.min(CHUNK, Math.floor(left))));
        done += this.machine.retired - from;
        if (reason === "halted" || reason === "end") break;
        if (reason === "host") await this.machine.host();
        else if (reason === "idle") {
          if (this.until() === Infinity) break;
          this.advance_idle(Math.min(ns, this.until()));
        }
        if (done >= CHUNK) {
          done = 0;
          await options.turn?.();
        }
      }
    } finally {
      tap.silent = silent;
    }
    return this.now;
  }

  /** Forward by one step: instructions and calls one at a time, a second of the guest's clock. */
  async forward(step: Step, options: SeekOptions = {}): Promise<Moment> {
    const { at, ns } = this.now;
    if (step === "instruction") return this.seek({ at: at + 1 }, options);
    if (step === "second") {
      await this.seekForwardTime(ns + 1e9, options);
      return this.now;
    }
    return this.now;
  }
  private async seekForwardTime(ns: number, options: SeekOptions): Promise<void> {
    const { kernel } = this.machine;
    while (kernel.time.monotonic() < ns && options.cancelled?.() !== true) {
      const reason = this.run(Math.max(1, Math.min(CHUNK, Math.floor(ns - kernel.time.monotonic()))));
      if (reason === "halted") return;
      if (reason === "host") await this.machine.host();
      else if (reason === "idle") {
        if (this.until() === Infinity) return;
        this.advance_idle(Math.min(ns, this.until()));
      }
      await options.turn?.();
    }
  }

  /** 16 hexadecimal digits: equal wherever the same was done, by whatever executor. Not while the machine waits for its host. */
  fingerprint(): string {
    return this.taker.fingerprint();
  }
}

const sameInput = (a: Input, b: Input): boolean => {
  if ("bytes" in a) return "bytes" in b && a.line === b.line && a.bytes.length === b.bytes.length && a.bytes.every((x, i) => x === b.bytes[i]);
  if ("size" in a) return "size" in b && a.line === b.line && a.size.cols === b.size.cols && a.size.rows === b.size.rows;
  if ("poke" in a) return "poke" in b && a.poke.address === b.poke.address && a.poke.bytes.length === b.poke.bytes.length && a.poke.bytes.every((x, i) => x === b.poke.bytes[i]);
  if ("file" in a) return "file" in b && a.file.name === b.file.name && a.file.bytes.length === b.file.bytes.length && a.file.bytes.every((x, i) => x === b.file.bytes[i]);
  return "clock" in b && a.clock === b.clock;
};
function sameEvent(a: InputEvent, b: InputEvent): boolean {
  return a.at === b.at && a.ns === b.ns && sameInput(a, b);
}
