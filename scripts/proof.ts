// scripts/proof.ts — npm run proof: vectors, random programs, and what of real programs the vectors cover
//
//   npm run proof                                       all recorded vectors in every executor, 10,000 random programs, the coverage
//   npm run proof -- --programs=N [--seed=N] [--length=N] [--rounds=N] [--record]
//                                                       random programs on this machine's CPU and in every executor, nothing else. --rounds: each is a loop
//                                                       that gets hot, compiled on the way. A program that comes out differently is shrunk and printed.
//                                                       --record writes worker/cpu/vectors/programs.txt (or programs_hot.txt) for npm test
//   npm run proof -- --in=chromium|firefox [--every=N]  the recorded vectors in a browser
//   npm run proof -- --encodings=N|all [--seed=N]       N random encodings, or every opcode, one instruction each
//   npm run proof -- --coverage                         the coverage alone

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadIced } from "../worker/cpu/iced.ts";
import { changes, difference, format } from "../worker/cpu/vectors/compare.ts";
import { execute, EXECUTORS, makeExecutor, TIERED } from "../worker/cpu/vectors/executor.ts";
import { makeProgram } from "../worker/cpu/vectors/program.ts";
import { comparable, programState } from "../worker/cpu/vectors/programs.ts";
import { GROUPS } from "../worker/cpu/vectors/shapes.ts";
import type { Outcome } from "../worker/cpu/vectors/state.ts";
import { runPrograms, runVectors } from "../worker/cpu/vectors/suite.ts";
import { coverage, usualSources } from "./coverage.ts";
import { encodings } from "./encodings.ts";
import { assemble, buildRecorder, runNative } from "./native.ts";

const text = (name: string): string | undefined => process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3);
const option = (name: string, otherwise: number): number => Number(text(name) ?? otherwise);
const total = option("programs", 10_000), first = option("seed", 1), length = option("length", 30), rounds = option("rounds", 1);
const record = process.argv.includes("--record");
const VECTORS = join(import.meta.dirname, "../worker/cpu/vectors");

const iced = await loadIced();

/** Whether all recordings come out as they should. */
function vectors(): boolean {
  let failures = 0;
  for (const executor of EXECUTORS) {
    const cpu = makeExecutor(executor, iced);
    let cases = 0, wrong = 0;
    for (const { name } of [...GROUPS, { name: "programs" }]) {
      const recorded = readFileSync(join(VECTORS, `${name}.txt`), "utf8");
      const r = name === "programs" ? runPrograms(cpu, executor, recorded) : runVectors(cpu, executor, recorded);
      for (const w of r.wrong) console.log(`${executor.name}: ${name}: ${w}`);
      cases += r.cases;
      wrong += r.wrong.length;
    }
    console.log(`${executor.name}: ${cases} recorded cases, ${wrong} disagree with the processor`);
    failures += wrong;
  }
  return failures === 0;
}

/** Whether `total` random programs do here what they do on this machine's processor. */
function programs(): boolean {
  const recorder = buildRecorder();
  if (recorder === undefined) throw new Error("random programs need an x86-64 Linux with gcc and binutils");
  const cpus = (rounds > 1 ? TIERED : EXECUTORS).map((executor) => ({ executor, cpu: makeExecutor(executor, iced) }));
  const assembled = (all: string[][]): Buffer[] => assemble(all.map((lines) => lines.join("\n"))).map((hex) => Buffer.from(hex, "hex"));

  /** The first difference of an executor from the processor, or from the first executor's count; "" if none. */
  const disagreement = (seed: number, code: Buffer, native: Outcome): string => {
    const from = programState(seed, code);
    const want = changes(from, native);
    let count = -1;
    for (const { executor, cpu } of cpus) {
      let d: string;
      try {
        const before = cpu.retired;
        d = difference("program", from, want, changes(from, execute(cpu, from, executor)));
        const retired = cpu.retired - before;
        if (count < 0) count = retired;
        else if (d === "" && retired !== count) d = `${retired} instructions have retired, and ${count} in the ${cpus[0]!.executor.name}`;
      } catch (e) {
        d = String(e);
      }
      if (d !== "") return `${executor.name}: ${d}`;
    }
    return "";
  };
  /** Runs one program everywhere; "" if all agree, or if it cannot be assembled or compared. */
  const tryProgram = (seed: number, lines: string[]): string => {
    let code: Buffer;
    try {
      code = assembled([lines])[0]!;
    } catch {
      return "";
    }
    const native = runNative(recorder, [programState(seed, code)])[0]!;
    return comparable(native) ? disagreement(seed, code, native) : "";
  };
  const shrink = (seed: number, program: string[]): string[] => {
    let lines = program;
    for (let chunk = Math.ceil(lines.length / 2); chunk >= 1; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2))
      for (let i = 0; i < lines.length; ) {
        const fewer = [...lines.slice(0, i), ...lines.slice(i + chunk)];
        if (fewer.length < lines.length && tryProgram(seed, fewer) !== "") lines = fewer;
        else i += chunk;
      }
    return lines;
  };

  let run = 0, skipped = 0, instructions = 0, failures = 0, said = performance.now();
  const recorded: string[] = [`# recorded on hardware by scripts/proof.ts --record: seed, code, what changed`];
  const BATCH = rounds > 1 ? 50 : 200;
  for (let at = 0; at < total; at += BATCH) {
    const seeds = Array.from({ length: Math.min(BATCH, total - at) }, (_, i) => first + at + i);
    const sources = seeds.map((seed) => makeProgram(seed, length, `P${seed}`, rounds));
    const codes = assembled(sources);
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
          const small = shrink(seed, sources[i]!);
          console.log(`seed ${seed}: ${d}\n  shrunk: ${tryProgram(seed, small)}\n    ${small.join("\n    ")}`);
        }
      } else if (record) recorded.push(`${seed} ${codes[i]!.toString("hex")} ${format(changes(programState(seed, codes[i]!), natives[i]!))}`);
    });
    if (performance.now() - said > 60_000) {
      said = performance.now();
      console.log(`… ${run} programs, ${instructions} instructions, ${failures} disagree`);
    }
  }
  const regions = cpus.map(({ executor, cpu }) => (cpu.jit === undefined ? executor.name : `${executor.name} (${cpu.jit.counters.regions} regions)`));
  console.log(`${run} programs, ${instructions} instructions, in ${regions.join(", ")}: ${failures} disagree with the processor; ${skipped} could not be compared`);
  if (record) writeFileSync(join(VECTORS, rounds > 1 ? "programs_hot.txt" : "programs.txt"), recorded.join("\n") + "\n");
  return failures === 0;
}

const browser = text("in");
const alone = process.argv.some((a) => /^--(programs|seed|length|rounds)=|^--record$/.test(a));
let right = true;
const bytes = text("encodings");
if (browser !== undefined) right = await (await import("./proof/browser.ts")).proveIn(browser, option("every", 1));
else if (bytes !== undefined) right = encodings(iced, bytes === "all" ? "all" : Number(bytes), first, (line) => console.log(line));
else if (process.argv.includes("--coverage")) console.log(coverage(iced, usualSources(), false));
else if (alone) right = programs();
else {
  right = vectors();
  right = programs() && right;
  console.log(coverage(iced, usualSources(), false));
}
process.exitCode = right ? 0 : 1;
