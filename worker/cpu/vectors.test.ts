// worker/cpu/vectors.test.ts — every executor against what this instruction did on a real processor

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Cpu } from "./cpu.ts";
import { loadIced } from "./iced.ts";
import { changes, difference } from "./vectors/compare.ts";
import { execute, EXECUTORS, makeExecutor } from "./vectors/executor.ts";
import { initialState } from "./vectors/generate.ts";
import { programState } from "./vectors/programs.ts";
import { GROUPS } from "./vectors/shapes.ts";
import { parseVectors } from "./vectors/vectors.ts";

const read = (name: string): string => readFileSync(join(import.meta.dirname, "vectors", `${name}.txt`), "utf8");

for (const executor of EXECUTORS)
  describe(executor.name, () => {
    let cpu: Cpu;
    beforeAll(async () => {
      cpu = makeExecutor(executor, await loadIced());
    });
    for (const group of GROUPS)
      test(`${group.name} does what hardware does`, () => {
        const { kind, avx, vectors } = parseVectors(read(group.name));
        const wrong = new Map<string, string>();
        // compiling takes a millisecond a case: of the large groups every fourth here, all of them in `npm run proof`
        const every = executor.options.jit === true && vectors.length > 400 ? 4 : 1;
        for (const v of vectors.filter((_, k) => k % every === 0)) {
          const from = initialState(kind, v.asm, v.seed, v.code, avx);
          let got: Map<string, string>;
          try {
            got = changes(from, execute(cpu, from, executor.budget));
          } catch (e) {
            got = new Map([["end", String(e)]]);
          }
          const d = difference(v.asm, from, v.want, got);
          if (d !== "" && !wrong.has(v.asm)) wrong.set(v.asm, `seed ${v.seed}: ${d}`);
        }
        expect([...wrong].map(([asm, d]) => `${asm}: ${d}`)).toEqual([]);
      }, 60_000);
    test("random programs do what they do on hardware", () => {
      const wrong: string[] = [];
      for (const line of read("programs").split("\n").slice(1)) {
        if (line === "") continue;
        const [seed, hex, ...fields] = line.split(" ");
        const from = programState(Number(seed), Uint8Array.from(hex!.match(/../g)!, (h) => parseInt(h, 16)));
        const want = new Map(fields.map((f) => f.split("=") as [string, string]));
        const d = difference("program", from, want, changes(from, execute(cpu, from, executor.budget)));
        if (d !== "") wrong.push(`seed ${seed}: ${d}`);
      }
      expect(wrong).toEqual([]);
    }, 60_000);
  });
