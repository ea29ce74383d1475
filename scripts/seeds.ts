// scripts/seeds.ts — `npm run seeds -- N`: random sessions, each run twice in different ways; whatever differs is traced to its first instruction.
//
//   npm run seeds -- [N] [--from=SEED] [--mem=MEGABYTES]
//
// A seed says what is typed, and when: in the middle of the boot, of a program, or while all sleep. The first machine is driven so, with slices and a
// threshold of the compiled tier that the seed says; the second, with others or without that tier, replays the log. Their fingerprints must be equal
// where the session ends and at moments on the way. If they are not, the instruction is looked for (determinism.ts).
import { readFileSync } from "node:fs";
import { loadIced } from "../worker/cpu/iced.ts";
import type { Timeline } from "../worker/replay/timeline.ts";
import { boot, compare, type Mark, markOf, slice, type Start, type Way } from "./determinism.ts";
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

/** instructions after which a machine that never comes to rest is not waited for any longer */
const QUIET = 20_000_000;

/** Drives a machine as the seed says; marks on the way, the last at the end. */
function drive(start: Start, seed: number, way: Way): { t: Timeline; marks: Mark[] } {
  const dice = new Dice(seed);
  const t = boot(start, way);
  const marks: Mark[] = [];
  const inputs = 3 + dice.next(25);
  for (let i = 0; i <= inputs; i++) {
    // sometimes in the middle of things, sometimes when all is quiet
    const quiet = i === inputs || dice.next(3) === 0;
    let left = quiet ? QUIET : dice.next(dice.next(2) === 0 ? 20_000 : 3_000_000);
    const pause = dice.next(4) === 0 ? dice.next(2e9) : 0;
    let reason: ReturnType<Timeline["run"]> = "slice";
    while (left > 0) {
      const before = t.now.at;
      reason = slice(t, way, left);
      left -= t.now.at - before;
      if (reason === "halted") break;
      if (reason !== "idle") continue;
      const until = t.until();
      if (!quiet || until - t.now.ns > 3e9) break;
      t.advance_idle(until);
    }
    if (t.machine.kernel.halted !== undefined) break;
    if (reason === "idle") t.advance_idle(t.now.ns + pause);
    if (i % 4 === 3 || i === inputs) marks.push(markOf(t));
    if (i === inputs) break;
    if (dice.next(12) === 0) t.resize(0, 20 + dice.next(150), 5 + dice.next(60));
    else t.input(0, new TextEncoder().encode(COMMANDS[dice.next(COMMANDS.length)]!));
  }
  if (marks.length === 0 || t.machine.kernel.halted !== undefined) marks.push(markOf(t));
  return { t, marks };
}

/** The two ways of a seed; each time the same slices in the same order. */
function waysOf(seed: number): readonly [first: () => Way, second: () => Way] {
  const dice = new Dice(seed ^ 0x5eed);
  const firstMost = [500, 40_000, 3_000_000][dice.next(3)]!, firstHot = 2 + dice.next(3000);
  const jit = dice.next(3) !== 0;
  const hot = 2 + dice.next(20_000), most = jit ? [300, 70_000, 5_000_000][dice.next(3)]! : 1_000_000;
  const warm = [2, 100, 2000][dice.next(3)]!;
  const some = (limit: number, which: number): (() => number) => {
    const slices = new Dice(seed ^ which);
    return () => 1 + slices.next(limit);
  };
  return [
    () => ({ name: `compiled after ${firstHot}, slices up to ${firstMost}`, jit: true, hot: firstHot, slice: some(firstMost, 0x51) }),
    () => ({ name: `${jit ? `compiled after ${hot}` : "interpreted"}, joined after ${warm}, slices up to ${most}`, jit, warm, hot: jit ? hot : 2, slice: some(most, 0x52) }),
  ];
}

const iced = await loadIced();
const disk = new Uint8Array(readFileSync(IMAGE));
let failures = 0, instructions = 0, events = 0;
const started = Date.now();
for (let n = 0; n < total; n++) {
  const seed = from + n;
  const [first, second] = waysOf(seed);
  const start: Start = { iced, disk, cmdline: `ubd0=disk rw mem=${mem}m loglevel=4 init=/sbin/init seed=${seed.toString(16)}` };
  const { t, marks } = drive(start, seed, first());
  instructions += t.now.at;
  events += t.log.length;
  const difference = compare({ ...start, log: t.log, end: t.end }, marks, first, second);
  if (difference !== undefined) {
    failures++;
    console.log(`seed ${seed} (${first().name}; ${second().name}): ${difference.words}`);
  }
  if ((n + 1) % 10 === 0 || n + 1 === total)
    console.log(`${n + 1} seeds from ${from}: ${failures} differ; ${(instructions / 1e6).toFixed(0)} M instructions, ${events} events, ${((Date.now() - started) / 1000).toFixed(0)} s`);
}
process.exitCode = failures > 0 ? 1 : 0;
