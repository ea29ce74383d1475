// scripts/bench/replay.ts — what recording, snapshots, going back and beginning at a snapshot cost: ms and bytes.
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { loadIced } from "../../worker/cpu/iced.ts";
import { Machine } from "../../worker/machine.ts";
import { MemoryStore } from "../../worker/lib/memory_store.ts";
import { NodeOs } from "../../worker/os-node/os.ts";
import { Keeper } from "../../worker/replay/keeper.ts";
import { Timeline } from "../../worker/replay/timeline.ts";
import { IMAGE } from "../userspace/image.ts";

const CMDLINE = "ubd0=disk rw mem=256m loglevel=8 init=/sbin/init";
/** what somebody types in a minute at a shell, with the ns between two of them */
const MINUTE = ["ls -l /", "ps", "cat /etc/passwd", "free", "df", "echo hello > /root/f", "cat /root/f", "find /etc | wc -l", "for i in 1 2 3 4 5; do echo $i; done", "ls -l /bin | head -20", "seq 500 | sort -r | head -3", "rm /root/f", "date", "uptime", "uname -a"];
const THINK = 4e9;

/** what a busy guest does; a pair is so many instructions of it */
const BUSY = "while :; do seq 3000 | sort -r | sha256sum; done";
const BUSY_PART = 8_000_000, BUSY_WARM = 20, BUSY_PAIRS = 60;
/** the page's slices take about 5 ms: so does this */
const SLICE = 500_000;

/** ms of this process's processor time, of all its threads: what else this host does hardly counts. */
function ms(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
const wall = (): number => performance.now();
const at = (list: readonly number[], part: number): number => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))] ?? 0;
const median = (list: readonly number[]): number => at(list, 0.5);
const round = (n: number): string => (n < 10 ? n.toFixed(1) : n.toFixed(0));

async function create(image: Uint8Array): Promise<Machine> {
  const os = new NodeOs({ disks: new Map([["disk", new MemoryStore("disk", image.slice())]]), scratch: true, write: () => undefined, print: () => undefined });
  return new Machine({ cmdline: CMDLINE, os, iced: await loadIced(), shared: true });
}

/** Somebody at a machine that has booted, and is recorded as the page does it, or not. */
class Desk {
  readonly machine: Machine;
  readonly timeline: Timeline | undefined;
  private readonly keeper: Keeper | undefined;
  private readonly runner: Pick<Timeline, "run" | "until" | "advance_idle" | "input">;
  /** ms of each snapshot as a whole; and the longest time for which it kept the machine: it may be woken between two parts */
  readonly whole: number[] = [];
  readonly held: number[] = [];

  constructor(machine: Machine, recorded: boolean) {
    this.machine = machine;
    this.timeline = recorded ? new Timeline(machine) : undefined;
    this.keeper = this.timeline && new Keeper(this.timeline);
    this.runner = this.timeline ?? machine;
    machine.boot();
    this.rest();
  }
  private slice(instructions: number): string {
    const from = wall();
    const reason = this.runner.run(instructions);
    const { keeper } = this;
    const due = keeper?.due(wall() - from, reason === "idle");
    if (keeper === undefined || due === undefined) return reason;
    keeper.longest = 0;
    if (due === "whole") keeper.take(wall);
    else for (keeper.begin(wall); keeper.next(wall); );
    this.whole.push(keeper.pause);
    this.held.push(keeper.longest);
    return reason;
  }
  /** Until all sleep, then `think` ns more. */
  rest(think = 0): void {
    const now = (): number => this.machine.kernel.time.monotonic();
    for (;;) {
      if (this.slice(SLICE) !== "idle") continue;
      if (this.runner.until() - now() > THINK) break;
      this.runner.advance_idle(this.runner.until());
    }
    this.runner.advance_idle(now() + think);
  }
  type(line: string): void {
    this.runner.input(0, new TextEncoder().encode(`${line}\n`));
  }
  run(instructions: number): void {
    for (const end = this.machine.retired + instructions; this.machine.retired < end; ) if (this.slice(Math.min(SLICE, end - this.machine.retired)) === "idle") this.runner.advance_idle(this.runner.until());
  }
}

/**
 * Two machines do the same in turns, one with a record: how much more of the processor it takes, in %, and the interval in which nine of ten other choices
 * of the same pairs lie. `work(desk, i)` is done by each of them for each i, now by the one first and now by the other. The first `warm` pairs do not
 * count here: what is compiled then, and when, differs by more between two equal machines than what is looked for. Their snapshots do count, in the share
 * of all the time that was spent in taking them.
 */
function compare(what: string, plain: Desk, recorded: Desk, warm: number, pairs: number, work: (desk: Desk, i: number) => void): void {
  let total = 0;
  const costs = Array.from({ length: warm + pairs }, (_, i) => {
    const pair: [number, number] = [0, 0];
    for (const which of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const from = ms();
      work([plain, recorded][which]!, i);
      pair[which] = ms() - from;
    }
    total += pair[1];
    return pair;
  }).slice(warm);
  const sum = (k: 0 | 1, list: readonly (readonly [number, number])[] = costs): number => list.reduce((n, c) => n + c[k], 0);
  const more = (list: readonly (readonly [number, number])[]): number => (sum(1, list) / sum(0, list) - 1) * 100;
  let seed = 1;
  const others = Array.from({ length: 500 }, () => more(costs.map(() => costs[(seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % costs.length]!)));
  const inside = recorded.whole.reduce((n, x) => n + x, 0);
  console.log(
    `${what}: ${((inside / total) * 100).toFixed(1)} % of the processor's time in snapshots, from the start (${round(inside)} of ${round(total)} ms); warm, ${pairs} pairs: ` +
      `${round(sum(0))} ms without a record, ${round(sum(1))} ms with one: ${more(costs).toFixed(1)} % more (${at(others, 0.05).toFixed(1)} to ${at(others, 0.95).toFixed(1)})`,
  );
}
function pauses(what: string, { whole, held }: Desk): void {
  console.log(`${what}: ${whole.length} snapshots of ${round(median(whole))} ms (median; ${round(at(whole, 0.9))} at the tenth part, longest ${round(Math.max(...whole))}), which keep the machine for ${round(median(held))} ms at a time (median; longest ${round(Math.max(...held))}); as they came: ${whole.slice(0, 6).map(round).join(" ")} …`);
}

export async function benchReplay(minutes: number): Promise<void> {
  const image = new Uint8Array(readFileSync(IMAGE));
  const images = new Map([["disk", (pos: number, buf: Uint8Array): void => buf.set(image.subarray(pos, pos + buf.length))]]);

  const plain = new Desk(await create(image), false), recorded = new Desk(await create(image), true);
  const lines = minutes * MINUTE.length;
  compare(`${minutes} minutes of shell`, plain, recorded, Math.floor(lines * 0.4), Math.ceil(lines * 0.6), (desk, i) => {
    desk.type(MINUTE[i % MINUTE.length]!);
    desk.rest(THINK);
  });
  pauses(`${minutes} minutes of shell`, recorded);
  const timeline = recorded.timeline!;
  const m = timeline.machine;
  console.log(`after ${minutes} minutes: instruction ${m.retired}, ${timeline.log.length} events, ${timeline.snapshots.length} snapshots, ${(timeline.snapshots.bytes / 1e6).toFixed(1)} MB`);
  const end = timeline.now;
  for (const step of ["instruction", "call", "second"] as const) {
    const costs: number[] = [];
    await timeline.seek(end);
    for (let i = 0; i < 5; i++) {
      const from = wall();
      await timeline.back(step);
      costs.push(wall() - from);
    }
    console.log(`step back by one ${step}: ${round(median(costs))} ms (${costs.map(round).join(" ")})`);
  }
  const costs: number[] = [];
  for (let i = 1; i <= 5; i++) {
    const from = wall();
    await timeline.seek({ at: Math.floor((end.at * i) / 6) });
    costs.push(wall() - from);
  }
  console.log(`seek to one to five sixths of the session: ${costs.map(round).join(" ")} ms`);
  const fingerprint = Array.from({ length: 5 }, () => {
    const from = wall();
    timeline.fingerprint();
    return wall() - from;
  });
  console.log(`a fingerprint: ${round(median(fingerprint))} ms`);

  const busy = [new Desk(await create(image), false), new Desk(await create(image), true)] as const;
  for (const desk of busy) desk.type(BUSY);
  compare("a busy guest", ...busy, BUSY_WARM, BUSY_PAIRS, (desk) => desk.run(BUSY_PART));
  pauses("a busy guest", busy[1]);

  // beginning at the prompt
  const cold = await create(image);
  const t = new Timeline(cold);
  let from = wall();
  cold.boot();
  cold.resize(0, 80, 24);
  for (let reason; (reason = t.run(SLICE)) !== "idle" || t.until() - t.now.ns <= THINK; ) if (reason === "idle") t.advance_idle(t.until());
  const boot = wall() - from;
  const packed = gzipSync(t.save(images), { level: 9 });
  const again = new Timeline(await create(image));
  from = wall();
  again.resume(new Uint8Array(gunzipSync(packed)), images);
  console.log(`to the prompt: ${round(boot)} ms by booting, ${round(wall() - from)} ms from a snapshot of ${(packed.length / 1e3).toFixed(0)} kB`);
}
