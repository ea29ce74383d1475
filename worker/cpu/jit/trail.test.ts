// worker/cpu/jit/trail.test.ts — regions are of what has run; what runs later is taken in, and nothing is compiled from each place of a function.

import { expect, test } from "vitest";
import { assemble } from "../../test/asm.ts";
import { Cpu, cpuBytes } from "../cpu.ts";
import { EXIT_BP, EXIT_BUDGET } from "../exit.ts";
import { loadIced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { RSP } from "../state.ts";

const SIZE = 4 << 20, CODE = 0x200000, HOT = 1200;
const part = (what: string): string => `.rept 60; ${what}; rol $3, %eax; .endr`;
/** Two ways through a function, the second of which is taken in the later half of the rounds, and begins `late` bytes behind its beginning; as many regions begin there. */
const WAYS = {
  "where a branch goes": { source: `cmp $5000, %edi; jb 2f; ${part("add %edi, %eax")}; ret; .balign 256; 2: ${part("xor %edi, %eax")}; ret`, late: 512, begin: 0 },
  "what a branch falls into": { source: `cmp $5000, %edi; jae 2f; jmp 1f; .balign 256; 1: ${part("xor %edi, %eax")}; jmp 3f; 2: ${part("add %edi, %eax")}; 3: ret`, late: 256, begin: 0 },
  "what comes behind a call": { source: `cmp $5000, %edi; jae 2f; call g; jmp 1f; .balign 256; 1: ${part("xor %edi, %eax")}; ret; 2: ${part("add %edi, %eax")}; ret; g: ret`, late: 256, begin: 1 },
};

for (const [name, { source, late, begin }] of Object.entries(WAYS))
  test(`${name} is part of a region from when it runs on`, async () => {
    const iced = await loadIced();
    const code = assemble(`mov $10000, %ebx; 1: mov %ebx, %edi; call f; add %rax, %rdx; dec %ebx; jnz 1b; int3; .balign 256; f: test %rsp, %rsp; jz 9f; ${source}; 9: ${part("sub %edi, %eax")}; ud2`, CODE);
    const make = (jit: boolean): Cpu => {
      const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: HOT });
      cpu.mem.u8.set(code, CODE);
      cpu.state.reset();
      cpu.state.set(RSP, 0x300000);
      cpu.state.rip = CODE;
      return cpu;
    };
    const said = (cpu: Cpu): string => [...Array.from({ length: 17 }, (_, r) => cpu.state.get64(r).toString(16)), cpu.state.rflags, cpu.retired].join();
    const plain = make(false), compiled = make(true), jit = compiled.jit!;
    const has = (at: number): boolean => jit.list().some(({ ranges }) => ranges.some(([from, to]) => from <= at && at < to));
    const from = CODE + 256 + late, second = code.length - 2;
    // half of the rounds, but for some
    for (const cpu of [plain, compiled]) expect(cpu.run(4_900 * 125)).toBe(EXIT_BUDGET);
    expect(said(compiled)).toBe(said(plain));
    expect(jit.counters.regions).toBeGreaterThan(0);
    expect(has(from), "what has not run").toBe(false);
    for (const cpu of [plain, compiled]) expect(cpu.run(1e9)).toBe(EXIT_BP);
    expect(said(compiled)).toBe(said(plain));
    expect(has(from), "what has run since").toBe(true);
    expect(has(CODE + second), "what never ran").toBe(false);
    expect(jit.list().filter(({ entry }) => entry >= from && entry < from + 300), "regions that begin there").toHaveLength(begin);
    expect(jit.counters.insns).toBeLessThan(1000);
  });

test("a function whose places become hot together is compiled from where it begins", async () => {
  const iced = await loadIced();
  const steps = Array.from({ length: 24 }, (_, n) => `bt $${n}, %edi; jc 1f; add $${n}, %rax; 1: rol $3, %rax`).join("; ");
  const code = assemble(`mov $40000, %ebx; 1: mov %ebx, %edi; imul $0x9e3779b1, %edi; call f; add %rax, %rdx; dec %ebx; jnz 1b; int3; f: push %rbx; ${steps}; pop %rbx; ret`, CODE);
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true });
  cpu.mem.u8.set(code, CODE);
  cpu.state.reset();
  cpu.state.set(RSP, 0x300000);
  cpu.state.rip = CODE;
  expect(cpu.run(1e9)).toBe(EXIT_BP);
  expect(cpu.jit!.counters.regions).toBeLessThan(6);
});
