// scripts/bench/translator.ts — how fast the compiled tier translates: the functions of busybox, without running them.
//
// Each function becomes a module of its own, instance and all; then once more as if all of it were called often, so that small functions are
// copied into their callers. What counts is the processor time of the one thread that does it; by stage, the shortest time of each function in the later passes. It runs as a program of its own, put together
// like the page's: tsx would give each function its name anew whenever it is made, and take a third longer.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { Cpu, cpuBytes } from "../../worker/cpu/cpu.ts";
import { Insn } from "../../worker/cpu/decode.ts";
import { loadIced } from "../../worker/cpu/iced.ts";
import { STAGES, type Stage } from "../../worker/cpu/jit/jit.ts";
import { GuestMemory } from "../../worker/cpu/memory.ts";

const PROGRAM = ".cache/userspace/out/busybox", BASE = 0x100000, SIZE = 8 << 20, RECORDS = 4096;

/** A program in guest memory, and where its functions begin: what is called directly, in order of address. */
export interface Subject {
  readonly cpu: Cpu;
  readonly functions: readonly number[];
}

/** Loads the segments of an ELF file at `BASE`, and looks through its code for calls. */
export async function subject(path = PROGRAM): Promise<Subject> {
  const file = readFileSync(path);
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, RECORDS), true), { iced: await loadIced(), records: RECORDS, jit: true });
  const found = new Set<number>();
  const segments = Array.from({ length: file.readUInt16LE(56) }, (_, n) => file.subarray(Number(file.readBigUInt64LE(32)) + n * file.readUInt16LE(54)));
  for (const s of segments) {
    const [type, flags] = [s.readUInt32LE(0), s.readUInt32LE(4)], [offset, address, , size] = [8, 16, 24, 32].map((at) => Number(s.readBigUInt64LE(at)));
    if (type !== 1) continue;
    cpu.mem.u8.set(file.subarray(offset!, offset! + size!), BASE + address!);
    if ((flags & 1) === 0) continue;
    const insn = new Insn();
    for (let rip = BASE + address!, end = rip + size!; rip < end; rip += Math.max(1, insn.length)) {
      cpu.decoder.decode(rip, insn);
      const { name, operands } = insn.shape.form, target = insn.immLo >>> 0;
      if (name === "call" && operands[0]!.kind === "rel" && target >= BASE + address! && target < end) found.add(target);
    }
  }
  return { cpu, functions: [...found].sort((a, b) => a - b) };
}

/** Nanoseconds that this thread has run; where the system does not tell, the process's. */
function processorTime(): number {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[0]);
  } catch {
    return process.cpuUsage().user * 1000;
  }
}

interface Speed {
  /** instructions translated, in thousands */
  readonly thousands: number;
  /** of processor time */
  readonly ms: number;
  /** million instructions a second */
  readonly perSecond: number;
}

/** Instructions that a run begins with, while the engine knows nothing of the translator yet. */
const COLD = 20_000;
/** Passes over the program, each from nothing. */
const PASSES = 4;
/** How often everything was called, as the second kind of pass has it. */
const OFTEN = 600;

/** Where the time of a later pass goes: nanoseconds an instruction, by stage. */
type Stages = Record<Stage, number>;
type Passes = "cold" | "first" | "warm" | "copies";
export type Translator = Record<Passes, Speed> & { readonly stages: Stages };

const noTime = (value: number): Stages => Object.fromEntries(STAGES.map((s) => [s, value])) as Stages;
/** Takes the time of each stage of each function, and keeps the shortest: whatever else a machine does can only make it longer. */
class Laps {
  private readonly shortest = new Map<number, Stages>();
  private now = noTime(0);
  private last = 0n;
  begin(): void {
    this.now = noTime(0);
    this.last = process.hrtime.bigint();
  }
  lap(stage: Stage): void {
    const before = this.last;
    this.last = process.hrtime.bigint();
    this.now[stage] += Number(this.last - before);
  }
  end(rip: number): void {
    const best = this.shortest.get(rip);
    if (best === undefined) this.shortest.set(rip, this.now);
    else for (const s of STAGES) best[s] = Math.min(best[s], this.now[s]);
  }
  /** For each of so many instructions. */
  each(insns: number): Stages {
    const sum = noTime(0);
    for (const one of this.shortest.values()) for (const s of STAGES) sum[s] += one[s] / insns;
    return sum;
  }
}

/** The first 20,000 instructions, all of the first pass, the best of those that follow; the same with copies of what is called. */
export async function translate(): Promise<Translator> {
  const { cpu, functions } = await subject();
  const jit = cpu.jit!, speed = (insns: number, ns: number): Speed => ({ thousands: insns / 1000, ms: ns / 1e6, perSecond: (insns / ns) * 1e3 });
  const found: Partial<Record<Passes, Speed>> = {};
  const note = (what: Passes, now: Speed): void => {
    const before = found[what];
    if (before === undefined || before.perSecond < now.perSecond) found[what] = now;
  };
  const laps = new Laps();
  jit.lap = (stage) => laps.lap(stage);
  let stages = noTime(0);
  for (let pass = 0; pass < 2 * PASSES; pass++) {
    cpu.flush();
    if (pass === PASSES) cpu.interpreter.heat = () => OFTEN;
    const from = jit.counters.insns, start = processorTime();
    for (const rip of functions) {
      laps.begin();
      jit.compile(rip);
      if (pass > 0 && pass < PASSES) laps.end(rip);
      if (found.cold === undefined && jit.counters.insns - from >= COLD) note("cold", speed(jit.counters.insns - from, processorTime() - start));
    }
    if (pass === PASSES - 1) stages = laps.each(jit.counters.insns - from);
    note(pass === 0 ? "first" : pass < PASSES ? "warm" : "copies", speed(jit.counters.insns - from, processorTime() - start));
  }
  return { ...found, stages } as Translator;
}

const NAMES: Record<Passes, string> = {
  cold: "the first 20,000", first: "the first pass", warm: "a later pass", copies: "with copies of what is called",
};

/** `npm run bench -- translator` */
export async function benchTranslator(say: (line: string) => void, json: boolean): Promise<void> {
  const { build } = await import("vite");
  const folder = mkdtempSync(resolve(".cache/translator-"));
  try {
    await build({ configFile: false, logLevel: "error", build: { ssr: "scripts/bench/translator.ts", outDir: folder, emptyOutDir: false, minify: false, rollupOptions: { output: { entryFileNames: "translator.mjs" } } } });
    const program = `import { translate } from ${JSON.stringify(join(folder, "translator.mjs"))}; console.log(JSON.stringify(await translate()));`;
    const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", maxBuffer: 1 << 24 });
    if (status !== 0) throw new Error(stderr);
    const found = JSON.parse(stdout) as Translator;
    say(`${"instructions of busybox".padEnd(32)}${"thousands".padStart(10)}${"ms".padStart(8)}${"M/s".padStart(8)}`);
    for (const [name, text] of Object.entries(NAMES)) {
      const { thousands, ms, perSecond } = found[name as Passes];
      say(`${text.padEnd(32)}${thousands.toFixed(1).padStart(10)}${ms.toFixed(0).padStart(8)}${perSecond.toFixed(3).padStart(8)}`);
    }
    say("");
    say(`${"a later pass, by stage".padEnd(32)}${"ns each".padStart(10)}`);
    for (const stage of STAGES) say(`${stage.padEnd(32)}${found.stages[stage].toFixed(0).padStart(10)}`);
    if (json) console.log(JSON.stringify(found));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
