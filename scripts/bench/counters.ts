// scripts/bench/counters.ts — what has no noise: how much was translated, into how much, and how often compiled code had to be left.
//
// They depend on the image and on the translator, never on the machine that runs them; a test holds them within bounds.

import type { TestMachine } from "../../worker/test/boot.ts";

export interface Counters {
  /** bytes of WebAssembly for one guest instruction, modules and all */
  readonly wasmBytesPerInsn: number;
  /** thousands of bytes, all together */
  readonly wasmKilobytes: number;
  /** regions, the modules that they are in, and instructions in them */
  readonly regions: number;
  readonly modules: number;
  readonly insns: number;
  /** how often generated code came back to JavaScript, for a million instructions */
  readonly exitsPerMillion: number;
  /** instructions retired, in millions */
  readonly retired: number;
}

/** Those of a machine so far, or since another reading. */
export function counters(m: TestMachine, since?: Raw): Counters {
  const now = raw(m), from = since ?? { bytes: 0, regions: 0, modules: 0, insns: 0, runs: 0, retired: 0 };
  const insns = now.insns - from.insns, retired = now.retired - from.retired;
  return {
    wasmBytesPerInsn: insns === 0 ? 0 : round((now.bytes - from.bytes) / insns),
    wasmKilobytes: round((now.bytes - from.bytes) / 1000),
    regions: now.regions - from.regions,
    modules: now.modules - from.modules,
    insns,
    exitsPerMillion: round(((now.runs - from.runs) / retired) * 1e6),
    retired: round(retired / 1e6),
  };
}
export type Raw = Record<"bytes" | "regions" | "modules" | "insns" | "runs" | "retired", number>;
export function raw(m: TestMachine): Raw {
  const { jit, interpreter, retired } = m.machine.cpu;
  const { bytes, regions, modules, insns } = jit?.counters ?? { bytes: 0, regions: 0, modules: 0, insns: 0 };
  return { bytes, regions, modules, insns, runs: interpreter.counters.runs, retired };
}
const round = (x: number): number => Number(x.toPrecision(4));
