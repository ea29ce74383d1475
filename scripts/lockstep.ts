// scripts/lockstep.ts — the same boot in other ways: executors, thresholds and slices must not matter. Finds the first instruction where they do.
//
//   npx tsx scripts/lockstep.ts [--seeds=N] [--first=N] [--every=N] [--kernels[=REPS]] [--guest] [COMMAND…]
//
// One machine is interpreted, all at once, boots and is given the commands; every N instructions (and whenever it sleeps) registers of all tasks, all of
// memory and all output become a digest. Then a machine for each seed, which says: compiled or not, what is hot, how long a slice is. At the first digest
// that differs both are run again and again until the instruction is found. --kernels adds the bench's kernels, --guest the guest's test programs.

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { loadIced } from "../worker/cpu/iced.ts";
import { Random } from "../worker/cpu/vectors/generate.ts";
import { taskRegisters } from "../worker/machine/fingerprint.ts";
import { image, TestMachine } from "../worker/test/boot.ts";
import { guestEntries, guestPrograms } from "./guest.ts";
import { compile, USERSPACE } from "./userspace/compile.ts";
import { makeExt4 } from "./userspace/ext4.ts";
import { rootTree } from "./userspace/tree.ts";

/** One way to run the machine. */
export interface Way {
  readonly name: string;
  readonly jit: boolean;
  readonly hot?: number;
  /** instructions of the next slice, at most */
  slice(): number;
}

/** The machine whose digests count. */
const PLAIN: Way = { name: "interpreted, in one piece", jit: false, slice: () => Infinity };

/** The way of a seed. */
export function wayOf(seed: number): Way {
  const r = new Random("lockstep", seed);
  const jit = r.below(5) > 0, hot = Math.floor(2 ** (5 + r.below(900) / 100));
  const most = Math.floor(10 ** (2.5 + r.below(350) / 100));
  return { name: `seed ${seed}: ${jit ? `compiled when reached ${hot} times` : "interpreted"}, slices up to ${most}`, jit, hot, slice: () => 1 + r.below(most) };
}

export interface Script {
  readonly cmdline: string;
  readonly disk: Uint8Array;
  /** typed one after the other, each when the machine sleeps at the shell's prompt */
  readonly commands: readonly string[];
}

/** Where a run was looked at: after so many instructions, and so many times at that count. */
interface Mark {
  readonly at: number;
  readonly digest: string;
}

const MEMORY = 64 << 20;

/** A machine that follows a script. */
export class Run {
  readonly m: TestMachine;
  readonly way: Way;
  private readonly script: Script;
  private typed = 0;
  ended = false;

  private constructor(m: TestMachine, way: Way, script: Script) {
    this.m = m;
    this.way = way;
    this.script = script;
  }
  static async start(way: Way, script: Script): Promise<Run> {
    const m = await TestMachine.create({ cmdline: script.cmdline, disks: { disk: script.disk.slice() }, jit: way.jit, ...(way.hot === undefined ? {} : { hot: way.hot }) });
    m.machine.boot();
    return new Run(m, way, script);
  }
  get at(): number {
    return this.m.machine.retired;
  }
  /** On to `goal`, or to where the machine sleeps: then what comes next has come in. `whole`: not in the slices of the way. */
  to(goal: number, whole = false): void {
    const { machine } = this.m;
    while (!this.ended && this.at < goal) {
      const reason = machine.run(Math.min(whole ? Infinity : this.way.slice(), goal - this.at));
      if (reason === "slice") continue;
      if (reason === "host") throw new Error("a disk in memory made the machine wait for its host");
      const prompt = /[#$] $/.test(this.m.text);
      if (reason === "halted") this.ended = true;
      else if (prompt && this.typed < this.script.commands.length) this.m.type(`${this.script.commands[this.typed++]}\n`);
      else if (!prompt && machine.until() < Infinity) machine.advance_idle(machine.until());
      else this.ended = true;
    }
  }
  /** Registers of all tasks, memory, output. */
  digest(): string {
    const { machine } = this.m;
    const hash = createHash("sha1").update(`${machine.retired} ${machine.kernel.time.monotonic()} ${this.m.text}`);
    for (const t of taskRegisters(machine)) hash.update(String(t.pid)).update(t.registers);
    return hash.update(machine.cpu.mem.u8.subarray(0, MEMORY)).digest("hex");
  }
  /** Registers and the bytes at rip, for a person. */
  words(): string[] {
    const { state, mem } = this.m.machine.cpu;
    const names = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
    const code = mem.u8.subarray(state.rip, state.rip + 15);
    return [...names.map((n, i) => `${n}=${state.get64(i).toString(16)}`), `rip=${state.rip.toString(16)}`, `rflags=${state.rflags.toString(16)}`, `count=${this.at}`, `bytes=${Buffer.from(code).toString("hex")}`];
  }
}

/** Runs the script in one piece; a mark every `every` instructions, and one at the end. */
export async function reference(script: Script, every: number): Promise<Mark[]> {
  const run = await Run.start(PLAIN, script);
  const marks: Mark[] = [];
  while (!run.ended) {
    run.to(run.at + every);
    marks.push({ at: run.at, digest: run.digest() });
  }
  return marks;
}

/** How another way differs from the marks: a report with the first instruction that came out differently; "" if it does not. */
export async function compareWay(make: () => Way, script: Script, marks: readonly Mark[]): Promise<string> {
  const run = await Run.start(make(), script);
  for (const [i, mark] of marks.entries()) {
    run.to(mark.at);
    if (run.at === mark.at && run.digest() === mark.digest) continue;
    return `${run.way.name}: differs at instruction ${run.at} (wanted ${mark.at})\n${await firstDifference(make, script, marks, i)}`;
  }
  return "";
}

/** Between mark `bad` - 1 and mark `bad`: runs both to the middle, again and again. */
async function firstDifference(make: () => Way, script: Script, marks: readonly Mark[], bad: number): Promise<string> {
  const probe = async (at: number): Promise<{ a: Run; b: Run; same: boolean }> => {
    const a = await Run.start(PLAIN, script), b = await Run.start(make(), script);
    for (const { at: mark } of marks.slice(0, bad)) b.to(mark);
    a.to(at);
    b.to(at, true);
    return { a, b, same: a.at === b.at && a.digest() === b.digest() };
  };
  let good = marks[bad - 1]?.at ?? 0, wrong = marks[bad]!.at;
  if ((await probe(wrong)).same) return "  it does not when it runs there in one piece: the slices between matter";
  while (wrong - good > 1) {
    const middle = Math.floor((good + wrong) / 2);
    if ((await probe(middle)).same) good = middle;
    else wrong = middle;
  }
  const before = await probe(good), after = await probe(wrong);
  const differs = after.a.words().map((w, i) => (w === after.b.words()[i] ? "" : `${w} became ${after.b.words()[i]}`)).filter((w) => w !== "");
  return `  the first instruction that differs is the one after ${good}: ${before.a.words().slice(16).join(" ")}\n  ${differs.join("\n  ") || "registers are the same: memory or output differs"}`;
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

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await loadIced();
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
  const script: Script = { cmdline: `ubd0=disk rw mem=${MEMORY >> 20}m loglevel=4 init=/sbin/init`, disk: more.length > 0 ? diskWith(more) : image(), commands };
  const seeds = number("seeds", 10), first = number("first", 1), every = number("every", 2_000_000);
  let start = performance.now();
  const marks = await reference(script, every);
  const end = marks.at(-1)!.at;
  console.log(`${end} instructions, ${marks.length} marks, in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  let wrong = 0;
  start = performance.now();
  for (let seed = first; seed < first + seeds; seed++) {
    const d = await compareWay(() => wayOf(seed), script, marks);
    if (d !== "") {
      wrong++;
      console.log(d);
    }
    if (args.includes("--verbose")) console.log(`${wayOf(seed).name}: ${((performance.now() - start) / 1000).toFixed(1)} s so far`);
    if ((seed - first + 1) % 10 === 0) console.log(`… ${seed - first + 1} seeds, ${((performance.now() - start) / 1000).toFixed(0)} s, ${wrong} differ`);
  }
  console.log(`${seeds} ways, ${(seeds * end).toExponential(2)} instructions compared every ${every}: ${wrong} differ`);
  process.exitCode = wrong > 0 ? 1 : 0;
}
