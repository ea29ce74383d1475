// scripts/bench/translator.test.ts — every function of a large program can be translated, alone and with copies of what it calls: the engine takes all modules, and no analysis goes on for ever

import { expect, test } from "vitest";
import { subject } from "./translator.ts";

test("all of busybox is translated, and a quarter of it with copies of what is called", async () => {
  const { cpu, functions } = await subject();
  const jit = cpu.jit!;
  expect(functions.length).toBeGreaterThan(2000);
  for (const rip of functions) jit.compile(rip);
  const alone = jit.counters.insns, bytes = jit.counters.bytes;
  expect(alone).toBeGreaterThan(150_000);
  // modules and all
  expect(bytes / alone).toBeLessThan(73); // 71.0
  cpu.flush();
  cpu.interpreter.heat = () => 600;
  for (const rip of functions.filter((_, n) => n % 4 === 0)) jit.compile(rip);
  expect(jit.counters.insns - alone).toBeGreaterThan(alone / 4);
  expect((jit.counters.bytes - bytes) / (jit.counters.insns - alone)).toBeLessThan(62); // 60.1
}, 60_000);
