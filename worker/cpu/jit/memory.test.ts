// worker/cpu/jit/memory.test.ts — the compiled tier's memory is bounded: for much code, and for code that keeps changing.

import { expect, test } from "vitest";
import { assemble } from "../../test/asm.ts";
import { Cpu, cpuBytes } from "../cpu.ts";
import { EXIT_BP } from "../exit.ts";
import { loadIced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { RCX, RSP } from "../state.ts";

const SIZE = 8 << 20, CODE = 0x100000;
const MIB = 1 << 20;

test("20,000 blocks, compiled and run, take less than 150 MiB", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 65536), true), { iced, records: 65536, jit: true });
  // a function of nine blocks, at 2,250 places
  const one = assemble("cmp $1, %ecx; je 2f; test %edx, %edx; jne 2f; add %rax, %rbx; 2: cmp %rbx, %rsi; ja 3f; mov %rbx, 8(%rdi); 3: test $4, %cl; je 4f; mov (%rdi), %rdx; jmp 5f; 4: xor %edx, %edx; 5: int3", CODE);
  for (let n = 0; n < 2250; n++) cpu.mem.u8.set(one, CODE + 256 * n);
  const before = process.memoryUsage().rss;
  for (let n = 0; n < 2250; n++) {
    const at = CODE + 256 * n;
    cpu.jit!.compile(at);
    cpu.state.reset();
    cpu.state.set(RSP, 0x700000);
    cpu.state.set(7, 0x600000);
    cpu.state.rip = at;
    expect(cpu.run(1000)).toBe(EXIT_BP);
  }
  const { regions, insns, flushes } = cpu.jit!.counters;
  expect(flushes).toBe(0);
  expect(regions).toBe(2250);
  expect(insns).toBe(2250 * 14);
  const taken = (process.memoryUsage().rss - before) / MIB;
  expect(taken).toBeLessThan(150);
}, 60_000);

test("code that is replaced over and over leaves nothing behind", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true });
  const round = (n: number): void => {
    // a program of its own each time, that lives long enough to be compiled
    const code = assemble(`1: add $${n}, %rax; call 2f; dec %ecx; jnz 1b; int3; 2: xor %rax, %rbx; ret`, CODE);
    cpu.mem.u8.set(code, CODE);
    cpu.code_written(CODE, code.length);
    cpu.state.reset();
    cpu.state.set(RSP, 0x700000);
    cpu.state.set(RCX, 200_000);
    cpu.state.rip = CODE;
    expect(cpu.run(10_000_000)).toBe(EXIT_BP);
  };
  for (let n = 1; n <= 20; n++) round(n);
  const held = cpu.jit!.held();
  for (let n = 21; n <= 60; n++) round(n);
  expect(cpu.jit!.counters.regions).toBeGreaterThanOrEqual(60);
  expect(cpu.jit!.held()).toEqual(held);
}, 60_000);

test("regions in many places that are gone leave nothing behind in any", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true, hot: 16 });
  // every other one calls something seldom: such regions are noted, as they may be compiled once more
  for (let n = 0; n < 20; n++) {
    const at = CODE + 0x2000 * n, call = n % 2 === 0 ? "cmp $3, %ecx; jne 3f; call 2f; 3:" : "";
    cpu.mem.u8.set(assemble(`1: add $1, %rax; ${call} dec %ecx; jnz 1b; int3; .skip 4000; 2: ret`, at), at);
    cpu.state.reset();
    cpu.state.set(RSP, 0x700000);
    cpu.state.set(RCX, 1000);
    cpu.state.rip = at;
    expect(cpu.run(100_000)).toBe(EXIT_BP);
  }
  expect(cpu.jit!.held()).toMatchObject({ regions: 20, cold: 10 });
  cpu.code_written(CODE, 0x2000 * 20);
  expect(cpu.jit!.held()).toMatchObject({ regions: 0, steps: 0, cold: 0 });
}, 60_000);

test("programs that take turns in one place do not pile up where neither is changed", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true, hot: 16 });
  // two that differ in the first granule only: the loop reaches into others
  const programs = [1, 2].map((n) => assemble(`1: add $${n}, %rax; jmp 2f; .skip 600; 2: xor %rax, %rbx; jmp 3f; .skip 600; 3: dec %ecx; jnz 1b; int3`, CODE));
  const round = (n: number): void => {
    cpu.mem.u8.set(programs[n % 2]!, CODE);
    cpu.code_changed(CODE, 16);
    cpu.state.reset();
    cpu.state.set(RSP, 0x700000);
    cpu.state.set(RCX, 1000);
    cpu.state.rip = CODE;
    expect(cpu.run(1_000_000)).toBe(EXIT_BP);
  };
  for (let n = 0; n < 20; n++) round(n);
  const before = cpu.interpreter.code.registered;
  for (let n = 0; n < 100; n++) round(n);
  expect(cpu.jit!.counters.revived).toBeGreaterThan(50);
  expect(cpu.interpreter.code.registered).toBe(before);
}, 60_000);

test("compiled code goes when its modules are too many bytes, and what runs is compiled again", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 65536), true), { iced, records: 65536, jit: true, hot: 16 });
  cpu.jit!.mostBytes = 20_000;
  for (let n = 0; n < 200; n++) {
    const at = CODE + 256 * n;
    const code = assemble("1: add %rax, %rbx; dec %ecx; jnz 1b; int3", at);
    cpu.mem.u8.set(code, at);
    cpu.state.reset();
    cpu.state.set(RCX, 1000);
    cpu.state.rip = at;
    expect(cpu.run(1_000_000)).toBe(EXIT_BP);
    expect(cpu.jit!.bytes).toBeLessThan(25_000);
  }
  expect(cpu.jit!.counters.flushes).toBeGreaterThan(3);
  expect(cpu.jit!.counters.regions).toBeGreaterThanOrEqual(200);
  // and nothing of what went is kept for the bytes that it came from
  cpu.jit!.flush();
  expect(cpu.interpreter.code.registered).toBe(cpu.interpreter.counters.blocks + cpu.interpreter.counters.copied);
}, 60_000);
