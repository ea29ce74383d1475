// worker/cpu/vectors.test.ts — every executor against what this instruction did on a real processor

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Cpu } from "./cpu.ts";
import { loadIced } from "./iced.ts";
import { EXECUTORS, makeExecutor, TIERED } from "./vectors/executor.ts";
import { GROUPS } from "./vectors/shapes.ts";
import { runPrograms, runVectors } from "./vectors/suite.ts";

const read = (name: string): string => readFileSync(join(import.meta.dirname, "vectors", `${name}.txt`), "utf8");

for (const executor of EXECUTORS)
  describe(executor.name, () => {
    let cpu: Cpu;
    beforeAll(async () => {
      cpu = makeExecutor(executor, await loadIced());
    });
    for (const group of GROUPS)
      test(`${group.name} does what hardware does`, () => {
        const text = read(group.name);
        // compiling takes a millisecond a case: of the large groups every fourth here, all of them in `npm run proof`
        const every = executor.options.jit === true && text.length > 30_000 ? 4 : 1;
        expect(runVectors(cpu, executor, text, every).wrong).toEqual([]);
      }, 60_000);
    test("random programs do what they do on hardware", () => {
      const before = cpu.interpreter.counters.joined;
      expect(runPrograms(cpu, executor, read("programs")).wrong).toEqual([]);
      if (executor.joined === true) expect(cpu.interpreter.counters.joined - before).toBeGreaterThan(40);
    }, 60_000);
  });

for (const executor of TIERED)
  test(`${executor.name}: random programs that get hot do what they do on hardware`, async () => {
    const cpu = makeExecutor(executor, await loadIced());
    expect(runPrograms(cpu, executor, read("programs_hot")).wrong).toEqual([]);
    if (cpu.jit !== undefined) expect(cpu.jit.counters.regions).toBeGreaterThan(40);
    else expect(cpu.interpreter.counters.joined).toBeGreaterThan(40);
  }, 60_000);
