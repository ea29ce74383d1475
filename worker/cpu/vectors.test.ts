// worker/cpu/vectors.test.ts — every executor against what this instruction did on a real processor

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Cpu, cpuBytes } from "./cpu.ts";
import { loadIced } from "./iced.ts";
import { GuestMemory } from "./memory.ts";
import { changes, difference } from "./vectors/compare.ts";
import { execute, MEMORY_SIZE } from "./vectors/executor.ts";
import { initialState } from "./vectors/generate.ts";
import { GROUPS } from "./vectors/shapes.ts";
import { parseVectors } from "./vectors/vectors.ts";

const EXECUTORS = [{ name: "interpreter", options: {} }];

for (const { name, options } of EXECUTORS)
  describe(name, () => {
    let cpu: Cpu;
    beforeAll(async () => {
      cpu = new Cpu(new GuestMemory(MEMORY_SIZE, cpuBytes(MEMORY_SIZE, 4096), true), { iced: await loadIced(), records: 4096, ...options });
    });
    for (const group of GROUPS)
      test(`${group.name} does what hardware does`, () => {
        const { kind, vectors } = parseVectors(readFileSync(join(import.meta.dirname, "vectors", `${group.name}.txt`), "utf8"));
        const wrong = new Map<string, string>();
        for (const v of vectors) {
          const from = initialState(kind, v.asm, v.seed, v.code);
          let got: Map<string, string>;
          try {
            got = changes(from, execute(cpu, from));
          } catch (e) {
            got = new Map([["end", String(e)]]);
          }
          const d = difference(v.asm, from, v.want, got);
          if (d !== "" && !wrong.has(v.asm)) wrong.set(v.asm, `seed ${v.seed}: ${d}`);
        }
        expect([...wrong].map(([asm, d]) => `${asm}: ${d}`)).toEqual([]);
      }, 60_000);
  });
