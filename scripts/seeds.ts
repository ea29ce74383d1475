// scripts/seeds.ts — `npm run seeds -- N`: random sessions, each run twice in different ways; whatever differs is traced to its first instruction.
//
//   npm run seeds -- [N] [--from=SEED] [--mem=MEGABYTES]
//
// A seed says what is typed, and when: in the middle of the boot, of a program, or while all sleep. The first machine is driven so, with slices and a
// threshold of the compiled tier that the seed says; the second, with others or without that tier, replays the log. Their fingerprints must be equal
// where the session ends and at moments on the way. If they are not, both are sent to the moments in between.
import { readFileSync } from "node:fs";
import { loadIced } from "../worker/cpu/iced.ts";
import { REG_RIP } from "../worker/cpu/state.ts";
import { disassembleAt } from "../worker/machine/disassemble.ts";
import { firstDifference } from "../worker/machine/compare.ts";
import { Machine } from "../worker/machine.ts";
import { MemoryStore } from "../worker/lib/memory_store.ts";
import { NodeOs } from "../worker/os-node/os.ts";
import { Timeline } from "../worker/replay/timeline.ts";
import { IMAGE } from "./userspace/image.ts";

const option = (name: string, otherwise: number): number => Number(process.argv.find((a) => a.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise);
const total = Number(process.argv.slice(2).find((a) => /^\d+$/.test(a)) ?? 20);
const from = option("from", 1);
const mem = option("mem", 32);

const COMMANDS = [
  "ls -l /\n", "echo $((RANDOM % 7)) $RANDOM\n", "cat /proc/meminfo | head -3\n", "ps\n", "seq 300 | sort -r | tail -1\n", "sleep 0.3 &\n", "wait\n", "date\n", "for i in 1 2 3; do echo $i > /tmp/f$i; done\n",
  "cat /tmp/f? 2>&1 | sort\n", "rm -f /tmp/f1; sync\n", "dd if=/dev/urandom bs=1k count=3 2>/dev/null | md5sum\n", "awk 'BEGIN { for (i = 0; i < 3000; i++) x += sin(i); print x }'\n",
  "sh -c 'kill -TERM $$'; echo $?\n", "yes | head -200 | wc -c\n", "find /etc | wc -l\n", "mkdir -p /root/a/b; mv /root/a /root/c; rm -r /root/c\n", "vi /tmp/x\n", ":q!\n", "\x1b", "\x03", "\x04", "\x1a", "fg\n", "\t", "\x7f\x7f",
  "head -c 20000 /bin/busybox | gzip | gunzip | cksum\n", "uptime\n", "top -n 1 -b | head -4\n", "(sleep 0.1; echo late) &\n", "printf '%s\\n' a b c | while read x; do echo [$x]; done\n", "\r", "q", " ",
];

class Dice {
  private x: number;
  constructor(seed: number) {
    this.x = (seed * 2654435761) >>> 0 || 1;
  }
  next(n: number): number {
    this.x ^= this.x << 13;
    this.x ^= this.x >>> 17;
    this.x ^= this.x << 5;
    return (this.x >>> 0) % n;
  }
}

const iced = await loadIced();
const image = new Uint8Array(readFileSync(IMAGE));

interface Way {
  readonly jit: boolean;
  readonly hot: number;
  readonly slice: () => number;
}
function create(seed: number, way: Way): Timeline {
  const os = new NodeOs({ disks: new Map([["disk", new MemoryStore("disk", image.slice())]]), scratch: true, write: () => undefined, print: () => undefined });
  const machine = new Machine({ cmdline: `ubd0=disk rw mem=${mem}m loglevel=4 init=/sbin/init seed=${seed.toString(16)}`, os, iced, shared: false, jit: way.jit, hot: way.hot });
  const t = new Timeline(machine, 64 << 20);
  machine.boot();
  t.snapshot();
  return t;
}

interface Mark {
  readonly at: number;
  readonly ns: number;
  readonly events: number;
  readonly fingerprint: string;
}

/** Drives a machine as the seed says; marks on the way, the last at the end. */
function drive(seed: number, way: Way): { t: Timeline; marks: Mark[] } {
  const dice = new Dice(seed);
  const t = create(seed, way);
  const marks: Mark[] = [];
  const inputs = 3 + dice.next(25);
  for (let i = 0; i <= inputs; i++) {
    // sometimes in the middle of things, sometimes when all is quiet
    let left = i === inputs || dice.next(3) === 0 ? Infinity : dice.next(dice.next(2) === 0 ? 20_000 : 3_000_000);
    const pause = dice.next(4) === 0 ? dice.next(2e9) : 0;
    let reason: ReturnType<Timeline["run"]> = "slice";
    while (left > 0) {
      const before = t.now.at;
      reason = t.run(Math.min(left, way.slice()));
      left -= t.now.at - before;
      if (reason === "halted") break;
      if (reason !== "idle") continue;
      const until = t.until();
      if (left !== Infinity || until - t.now.ns > 3e9) break;
      t.advance_idle(until);
    }
    if (t.machine.kernel.halted !== undefined) break;
    if (reason === "idle") t.advance_idle(t.now.ns + pause);
    if (i % 4 === 3 || i === inputs) marks.push({ fingerprint: t.fingerprint(), ...t.now });
    if (i === inputs) break;
    if (dice.next(12) === 0) t.resize(0, 20 + dice.next(150), 5 + dice.next(60));
    else t.input(0, new TextEncoder().encode(COMMANDS[dice.next(COMMANDS.length)]!));
  }
  if (marks.length === 0 || t.machine.kernel.halted !== undefined) marks.push({ fingerprint: t.fingerprint(), ...t.now });
  return { t, marks };
}

/** The first of the instructions (low, high] after which the machines differ; low is equal. */
async function bisect(a: Timeline, b: Timeline, low: number, high: number): Promise<void> {
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    await a.seek({ at: middle });
    await b.seek({ at: middle });
    if (a.fingerprint() === b.fingerprint()) low = middle;
    else high = middle;
  }
  await a.seek({ at: low });
  await b.seek({ at: low });
  const { u8, size } = a.machine.kernel.mem;
  const rip = a.machine.cpu.state.get(REG_RIP);
  const [line] = disassembleAt(iced, u8, size, rip, 1);
  await a.seek({ at: high });
  await b.seek({ at: high });
  console.log(`  first after instruction ${high}: at 0x${rip.toString(16)} in ${a.machine.kernel.sched.loaded_task?.comm ?? "nobody"}: ${line?.text ?? "?"}\n  ${firstDifference(a.machine, b.machine) ?? "only the fingerprints differ"}`);
}

let failures = 0, instructions = 0, events = 0;
const started = Date.now();
for (let n = 0; n < total; n++) {
  const seed = from + n;
  const dice = new Dice(seed ^ 0x5eed);
  const some = (most: number) => (): number => 1 + dice.next(most);
  const first: Way = { jit: true, hot: 2 + dice.next(3000), slice: some([500, 40_000, 3_000_000][dice.next(3)]!) };
  const second: Way = dice.next(3) === 0 ? { jit: false, hot: 2, slice: some(1_000_000) } : { jit: true, hot: 2 + dice.next(20_000), slice: some([300, 70_000, 5_000_000][dice.next(3)]!) };
  const say = (what: string): void => console.log(`seed ${seed}: ${what} (compiled after ${first.hot}; ${second.jit ? `after ${second.hot}` : "never"})`);
  let equal = 0;
  const a = drive(seed, first);
  instructions += a.t.now.at;
  events += a.t.log.length;
  const b = create(seed, second);
  b.load(a.t.log, a.t.end);
  try {
    for (const mark of a.marks) {
      while (b.now.at < mark.at || b.machine.log.length < mark.events || b.now.ns < mark.ns) {
        const there = b.now.at === mark.at && b.machine.log.length === mark.events;
        const reason = there ? b.run(0) : b.run(Math.min(second.slice(), Math.max(0, mark.at - b.now.at)));
        if (reason === "halted" || reason === "end") break;
        if (reason === "idle") b.advance_idle(there ? Math.min(mark.ns, b.until()) : b.until());
      }
      // a mark among several events of one moment is passed: the next one will tell
      if (b.machine.log.length > mark.events) continue;
      if (b.fingerprint() !== mark.fingerprint) throw new Error(`they differ at instruction ${mark.at}`);
      equal = mark.at;
    }
  } catch (e) {
    failures++;
    say(e instanceof Error ? e.message : String(e));
    const high = Math.min(a.t.now.at, Math.max(b.now.at, equal + 1));
    const b2 = create(seed, second);
    b2.load(a.t.log, a.t.end);
    await bisect(a.t, b2, equal, high).catch((x: unknown) => console.log(`  the search failed: ${String(x)}`));
  }
  if ((n + 1) % 10 === 0 || n + 1 === total)
    console.log(`${n + 1} seeds from ${from}: ${failures} differ; ${(instructions / 1e6).toFixed(0)} M instructions, ${events} events, ${((Date.now() - started) / 1000).toFixed(0)} s`);
}
process.exitCode = failures > 0 ? 1 : 0;
