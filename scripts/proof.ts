// scripts/proof.ts — npm run proof: random programs, on this machine's CPU and in every executor; and what the vectors cover
//
//   npm run proof -- [--programs=N] [--seed=N] [--length=N] [--record]
//
// A program that comes out differently is shrunk and printed. --record writes worker/cpu/vectors/programs.txt for npm test.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadIced } from "../worker/cpu/iced.ts";
import { changes, difference, format } from "../worker/cpu/vectors/compare.ts";
import { execute, EXECUTORS, makeExecutor } from "../worker/cpu/vectors/executor.ts";
import { comparable, programState } from "../worker/cpu/vectors/programs.ts";
import { makeProgram } from "../worker/cpu/vectors/program.ts";
import type { Outcome } from "../worker/cpu/vectors/state.ts";
import { coverage, usualPrograms } from "./coverage.ts";
import { assemble, buildRecorder, runNative } from "./native.ts";

const option = (name: string, otherwise: number): number => Number(process.argv.find((a) => a.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise);
const total = option("programs", 10_000), first = option("seed", 1), length = option("length", 30);
const record = process.argv.includes("--record");

const recorder = buildRecorder();
if (recorder === undefined) throw new Error("the proof needs an x86-64 Linux with gcc and binutils");
const iced = await loadIced();
const cpus = EXECUTORS.map((e) => ({ name: e.name, budget: e.budget, cpu: makeExecutor(e, iced) }));

const assembled = (programs: string[][]): Buffer[] => assemble(programs.map((lines) => lines.join("\n"))).map((hex) => Buffer.from(hex, "hex"));

/** The first difference of an executor from the processor; "" if none. */
function disagreement(seed: number, code: Buffer, native: Outcome): string {
  const from = programState(seed, code);
  const want = changes(from, native);
  for (const { name, budget, cpu } of cpus) {
    let d: string;
    try {
      d = difference("program", from, want, changes(from, execute(cpu, from, budget)));
    } catch (e) {
      d = String(e);
    }
    if (d !== "") return `${name}: ${d}`;
  }
  return "";
}

/** Runs one program everywhere; "" if all agree, or if it cannot be assembled or compared. */
function tryProgram(seed: number, lines: string[]): string {
  let code: Buffer;
  try {
    code = assembled([lines])[0]!;
  } catch {
    return "";
  }
  const native = runNative(recorder!, [programState(seed, code)])[0]!;
  return comparable(native) ? disagreement(seed, code, native) : "";
}

function shrink(seed: number, program: string[]): string[] {
  let lines = program;
  for (let chunk = Math.ceil(lines.length / 2); chunk >= 1; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2))
    for (let i = 0; i < lines.length; ) {
      const fewer = [...lines.slice(0, i), ...lines.slice(i + chunk)];
      if (fewer.length < lines.length && tryProgram(seed, fewer) !== "") lines = fewer;
      else i += chunk;
    }
  return lines;
}

let run = 0, skipped = 0, instructions = 0, failures = 0;
const recorded: string[] = ["# recorded on hardware by scripts/proof.ts --record: seed, code, what changed"];
const BATCH = 200;
for (let at = 0; at < total; at += BATCH) {
  const seeds = Array.from({ length: Math.min(BATCH, total - at) }, (_, i) => first + at + i);
  const programs = seeds.map((seed) => makeProgram(seed, length, `P${seed}`));
  const codes = assembled(programs);
  const natives = runNative(recorder, seeds.map((seed, i) => programState(seed, codes[i]!)));
  seeds.forEach((seed, i) => {
    if (!comparable(natives[i]!)) {
      skipped++;
      return;
    }
    run++;
    const before = cpus[0]!.cpu.retired;
    const d = disagreement(seed, codes[i]!, natives[i]!);
    instructions += cpus[0]!.cpu.retired - before;
    if (d !== "") {
      failures++;
      if (failures <= 10) {
        const small = shrink(seed, programs[i]!);
        console.log(`seed ${seed}: ${d}\n  shrunk: ${tryProgram(seed, small)}\n    ${small.join("\n    ")}`);
      }
    } else if (record) recorded.push(`${seed} ${codes[i]!.toString("hex")} ${format(changes(programState(seed, codes[i]!), natives[i]!))}`);
  });
}
console.log(`${run} programs, ${instructions} instructions, in ${cpus.map((c) => c.name).join(", ")}: ${failures} disagree with the processor; ${skipped} could not be compared`);
console.log(coverage(iced, usualPrograms(), false));
if (record) writeFileSync(join(import.meta.dirname, "../worker/cpu/vectors/programs.txt"), recorded.join("\n") + "\n");
process.exitCode = failures ? 1 : 0;
