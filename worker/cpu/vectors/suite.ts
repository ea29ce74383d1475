// worker/cpu/vectors/suite.ts — runs recorded cases on an executor and says which come out differently. Needs neither Node nor a page.

import type { Cpu } from "../cpu.ts";
import { changes, difference } from "./compare.ts";
import { execute, type Executor } from "./executor.ts";
import { initialState } from "./generate.ts";
import { programState } from "./programs.ts";
import type { State } from "./state.ts";
import { parseVectors } from "./vectors.ts";

export interface SuiteResult {
  cases: number;
  /** instructions retired */
  instructions: number;
  /** a line for each text that came out differently, by its first case */
  readonly wrong: string[];
}

/** How a case comes out differently from `want`; "" if it does not. */
export function disagreement(cpu: Cpu, executor: Executor, asm: string, from: State, want: Map<string, string>): string {
  try {
    return difference(asm, from, want, changes(from, execute(cpu, from, executor)));
  } catch (e) {
    return String(e);
  }
}

/** Every `every`-th case of a vector file. */
export function runVectors(cpu: Cpu, executor: Executor, text: string, every = 1): SuiteResult {
  const { kind, avx, vectors } = parseVectors(text);
  const wrong = new Map<string, string>();
  const before = cpu.retired;
  let cases = 0;
  for (let i = 0; i < vectors.length; i += every) {
    const v = vectors[i]!;
    cases++;
    const d = disagreement(cpu, executor, v.asm, initialState(kind, v.asm, v.seed, v.code, avx), v.want);
    if (d !== "" && !wrong.has(v.asm)) wrong.set(v.asm, `${v.asm}: seed ${v.seed}: ${d}`);
  }
  return { cases, instructions: cpu.retired - before, wrong: [...wrong.values()] };
}

/** The recorded random programs. */
export function runPrograms(cpu: Cpu, executor: Executor, text: string): SuiteResult {
  const result: SuiteResult = { cases: 0, instructions: 0, wrong: [] };
  const before = cpu.retired;
  for (const line of text.split("\n").slice(1)) {
    if (line === "") continue;
    result.cases++;
    const [seed, hex, ...fields] = line.split(" ");
    const from = programState(Number(seed), Uint8Array.from(hex!.match(/../g)!, (h) => parseInt(h, 16)));
    const d = disagreement(cpu, executor, "program", from, new Map(fields.map((f) => f.split("=") as [string, string])));
    if (d !== "") result.wrong.push(`program of seed ${seed}: ${d}`);
  }
  result.instructions = cpu.retired - before;
  return result;
}
