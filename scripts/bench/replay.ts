// scripts/bench/replay.ts — what recording, snapshots, going back and beginning at a snapshot cost: ms of this processor, and bytes.
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

/** ms of this process's processor time: what else this host does hardly counts. */
function ms(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const round = (n: number): string => (n < 10 ? n.toFixed(1) : n.toFixed(0));

async function create(image: Uint8Array): Promise<Machine> {
  const os = new NodeOs({ disks: new Map([["disk", new MemoryStore("disk", image.slice())]]), scratch: true, write: () => undefined, print: () => undefined });
  return new Machine({ cmdline: CMDLINE, os, iced: await loadIced(), shared: true });
}
interface Runner {
  run(n: number): string;
  until(): number;
  advance_idle(ns: number): void;
  input(line: number, bytes: Uint8Array): void;
}
/** Until all sleep, then `think` ns more. */
function rest(r: Runner, m: Machine, think: number, after: (idle: boolean) => void): void {
  const end = (): number => m.kernel.time.monotonic();
  for (;;) {
    const reason = r.run(1_000_000);
    after(reason === "idle");
    if (reason !== "idle") continue;
    if (r.until() - end() > THINK) break;
    r.advance_idle(r.until());
  }
  r.advance_idle(end() + think);
}
function session(r: Runner, m: Machine, minutes: number, after: (idle: boolean) => void): void {
  for (let i = 0; i < minutes; i++)
    for (const line of MINUTE) {
      r.input(0, new TextEncoder().encode(`${line}\n`));
      rest(r, m, THINK, after);
    }
}

export async function benchReplay(minutes: number): Promise<void> {
  const image = new Uint8Array(readFileSync(IMAGE));
  const images = new Map([["disk", (pos: number, buf: Uint8Array): void => buf.set(image.subarray(pos, pos + buf.length))]]);
  const nothing = (): void => undefined;

  // recording: the same session with and without snapshots and the log's upkeep, in turns
  const plain: number[] = [], recorded: number[] = [];
  let timeline!: Timeline;
  const pauses: number[] = [];
  for (let round_ = 0; round_ < 3; round_++) {
    const bare = await create(image);
    bare.boot();
    rest(bare, bare, 0, nothing);
    let from = ms();
    session(bare, bare, 3, nothing);
    plain.push(ms() - from);

    const m = await create(image);
    const t = new Timeline(m);
    m.boot();
    rest(t, m, 0, nothing);
    const keeper = new Keeper(t);
    from = ms();
    let last = from;
    let idle = 0;
    session(t, m, 3, (sleeps) => {
      const now = ms();
      if (keeper.due(now - last, (idle += sleeps ? 500 : 0), sleeps)) {
        keeper.take(ms);
        pauses.push(keeper.pause);
      }
      last = ms();
    });
    recorded.push(ms() - from);
    timeline = t;
  }
  const overhead = (median(recorded) / median(plain) - 1) * 100;
  console.log(`three minutes of shell: ${round(median(plain))} ms without a record, ${round(median(recorded))} ms with log and snapshots: ${overhead.toFixed(1)} %`);
  console.log(`snapshots in that time: ${timeline.snapshots.length}, ${(timeline.snapshots.bytes / 1e6).toFixed(1)} MB`);

  // going back after so many minutes
  const m = timeline.machine;
  const keeper = new Keeper(timeline);
  let last = ms();
  let idle = 0;
  session(timeline, m, minutes - 3, (sleeps) => {
    const now = ms();
    if (keeper.due(now - last, (idle += sleeps ? 500 : 0), sleeps)) {
      keeper.take(ms);
      pauses.push(keeper.pause);
    }
    last = ms();
  });
  console.log(`pause for a snapshot: ${round(median(pauses))} ms (longest ${round(Math.max(...pauses))}, of ${pauses.length})`);
  console.log(`after ${minutes} minutes: instruction ${m.retired}, ${timeline.log.length} events, ${timeline.snapshots.length} snapshots, ${(timeline.snapshots.bytes / 1e6).toFixed(1)} MB`);
  const end = timeline.now;
  for (const step of ["instruction", "call", "second"] as const) {
    const costs: number[] = [];
    await timeline.seek(end);
    for (let i = 0; i < 5; i++) {
      const from = ms();
      await timeline.back(step);
      costs.push(ms() - from);
    }
    console.log(`step back by one ${step}: ${round(median(costs))} ms (${costs.map(round).join(" ")})`);
  }
  const costs: number[] = [];
  for (let i = 1; i <= 5; i++) {
    const from = ms();
    await timeline.seek({ at: Math.floor((end.at * i) / 6) });
    costs.push(ms() - from);
  }
  console.log(`seek to one to five sixths of the session: ${costs.map(round).join(" ")} ms`);
  const fingerprint = [0, 1, 2].map(() => {
    const from = ms();
    timeline.fingerprint();
    return ms() - from;
  });
  console.log(`a fingerprint: ${round(median(fingerprint))} ms`);

  // beginning at the prompt
  const cold = await create(image);
  const t = new Timeline(cold);
  let from = ms();
  cold.boot();
  cold.resize(0, 80, 24);
  rest(t, cold, 0, nothing);
  const boot = ms() - from;
  const packed = gzipSync(t.save(images), { level: 9 });
  const again = new Timeline(await create(image));
  from = ms();
  again.resume(new Uint8Array(gunzipSync(packed)), images);
  console.log(`to the prompt: ${round(boot)} ms by booting, ${round(ms() - from)} ms from a snapshot of ${(packed.length / 1e3).toFixed(0)} kB`);
}
