// scripts/lockstep.ts — whole programs in other ways: executors, thresholds and slices must not matter. Finds the first instruction where they do (determinism.ts).
//
//   npx tsx scripts/lockstep.ts [--seeds=N] [--first=N] [--every=N] [--kernels[=REPS]] [--guest] [COMMAND…]
//
// One machine is interpreted, all at once, boots and is given the commands; there is a fingerprint every N instructions. Then a machine for each seed,
// which says: compiled or not, what is hot, how long a slice is. --kernels adds the bench's kernels, --guest the guest's test programs.

import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadIced } from "../worker/cpu/iced.ts";
import { Random } from "../worker/cpu/vectors/generate.ts";
import { image } from "../worker/test/boot.ts";
import { boot, compare, type Mark, markOf, type Session, slice, type Start, type Way } from "./determinism.ts";
import { guestEntries, guestPrograms } from "./guest.ts";
import { compile, USERSPACE } from "./userspace/compile.ts";
import { makeExt4 } from "./userspace/ext4.ts";
import { rootTree } from "./userspace/tree.ts";

/** The way that is recorded. */
const plain = (): Way => ({ name: "interpreted, in one piece", jit: false, slice: () => Infinity });

/** The way of a seed. */
function wayOf(seed: number): Way {
  const r = new Random("lockstep", seed);
  const jit = r.below(5) > 0, hot = Math.floor(2 ** (5 + r.below(900) / 100));
  const most = Math.floor(10 ** (2.5 + r.below(350) / 100));
  const warm = Math.floor(2 ** (2 + r.below(900) / 100));
  return { name: `seed ${seed}: joined when reached ${warm} times, ${jit ? `compiled when ${hot}` : "interpreted"}, slices up to ${most}`, jit, warm, hot, slice: () => 1 + r.below(most) };
}

const MEMORY = 64 << 20;

/** Runs the commands, each typed when the machine sleeps at the shell's prompt, with a mark every `every` instructions and one at the end. */
function record(start: Start, commands: readonly string[], every: number): { session: Session; marks: Mark[] } {
  const way = plain();
  const t = boot(start, way);
  const marks: Mark[] = [];
  let typed = 0;
  for (let next = every; ; ) {
    const reason = slice(t, way, next - t.now.at);
    if (reason === "host") throw new Error("a disk in memory made the machine wait for its host");
    if (t.now.at >= next) {
      marks.push(markOf(t));
      next = t.now.at + every;
    }
    if (reason === "halted") break;
    if (reason !== "idle") continue;
    const prompt = /[#$] $/.test(new TextDecoder().decode(t.machine.tap.lines[0]!.history().slice(-100)));
    if (prompt && typed < commands.length) t.input(0, new TextEncoder().encode(`${commands[typed++]}\n`));
    else if (!prompt && t.until() < Infinity) t.advance_idle(t.until());
    else break;
  }
  marks.push(markOf(t));
  return { session: { ...start, log: t.log, end: t.end }, marks };
}

/** A disk with programs beside the usual ones. */
function diskWith(entries: Parameters<typeof makeExt4>[1]): Uint8Array {
  const path = join(tmpdir(), `pagezero-lockstep-${process.pid}.ext4`);
  try {
    makeExt4(path, [...rootTree(USERSPACE), ...entries], { size: 48 });
    return image(path);
  } finally {
    rmSync(path, { force: true });
  }
}

const BUSYBOX = [
  "cd /tmp; seq 1 20000 | sort -r | md5sum; ls -lR / 2>/dev/null | sha1sum; for i in $(seq 1 60); do echo $i | sed 's/1/x/g'; done | sort | uniq -c | awk '{ s += $1 } END { print s }'",
  "dd if=/dev/zero bs=4k count=200 2>/dev/null | gzip | gunzip | sha256sum; tar cf - /etc | tar tf - | wc -l; vi -c ':q' /etc/passwd 2>/dev/null | wc -c; awk 'BEGIN { for (i = 0; i < 20000; i++) s += sin(i) * sqrt(i); printf \"%.10f\\n\", s }'; echo '2^200' | bc 2>/dev/null || true",
  "sh -c 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; echo $i'; find / -name '*.conf' 2>/dev/null | xargs cat 2>/dev/null | cksum; sync",
];

const iced = await loadIced();
const args = process.argv.slice(2);
const text = (name: string): string | undefined => args.find((a) => a.startsWith(`--${name}`))?.slice(name.length + 3);
const number = (name: string, otherwise: number): number => Number(text(name) || otherwise);
const given = args.filter((a) => !a.startsWith("--"));
const commands = given.length > 0 ? [...given] : text("kernels") === undefined && text("guest") === undefined ? BUSYBOX : [];
const more: Parameters<typeof makeExt4>[1][number][] = [];
if (text("kernels") !== undefined) {
  const names = [...readFileSync("scripts/bench/guest/kernels.c", "utf8").matchAll(/\{"([a-z0-9]+)", \w+\}/g)].map((x) => x[1]!);
  more.push({ path: "/bench/kernels", type: "file", mode: 0o755, content: readFileSync(compile("scripts/bench/guest/kernels.c", "-O2")) });
  commands.push(`for k in ${names.join(" ")}; do /bench/kernels $k ${number("kernels", 1)}; done`);
}
if (text("guest") !== undefined) {
  more.push(...guestEntries(guestPrograms()));
  commands.push("/guest/run /guest /tmp/work");
}
const seeds = number("seeds", 10), first = number("first", 1), every = number("every", 2_000_000);
let start = performance.now();
const { session, marks } = record({ iced, cmdline: `ubd0=disk rw mem=${MEMORY >> 20}m loglevel=4 init=/sbin/init`, disk: more.length > 0 ? diskWith(more) : image() }, commands, every);
const end = marks.at(-1)!.at;
console.log(`${end} instructions, ${marks.length} marks, in ${((performance.now() - start) / 1000).toFixed(1)} s`);
let wrong = 0;
start = performance.now();
for (let seed = first; seed < first + seeds; seed++) {
  const difference = compare(session, marks, plain, () => wayOf(seed));
  if (difference !== undefined) {
    wrong++;
    console.log(`${wayOf(seed).name}: ${difference.words}`);
  }
  if (args.includes("--verbose")) console.log(`${wayOf(seed).name}: ${((performance.now() - start) / 1000).toFixed(1)} s so far`);
  if ((seed - first + 1) % 10 === 0) console.log(`… ${seed - first + 1} seeds, ${((performance.now() - start) / 1000).toFixed(0)} s, ${wrong} differ`);
}
console.log(`${seeds} ways, ${(seeds * end).toExponential(2)} instructions compared every ${every}: ${wrong} differ`);
process.exitCode = wrong > 0 ? 1 : 0;
