// worker/cpu/jit/jit.test.ts — compiled code against the interpreter: wherever it is entered, and wherever it has to stop.

import { expect, test } from "vitest";
import { assemble } from "../../test/asm.ts";
import { Cpu, cpuBytes } from "../cpu.ts";
import { Insn } from "../decode.ts";
import { EXIT_BP } from "../exit.ts";
import { loadIced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { RBP, RSP } from "../state.ts";

const SIZE = 4 << 20, CODE = 0x100000;

const PROGRAMS = {
  "a loop that is entered in its middle": `
1: mov %r8d, %ecx; xor %esi, %ecx; test %r11, %r11; jne 5f
   and %ebx, %ecx; xor %esi, %ecx; cmp $3, %ebp; jle 6f; jmp 7f
5: xor %ebx, %ecx; cmp $2, %r11; jne 6f
   mov %ebx, %ecx; or %r8d, %ecx; and %ebx, %r8d; and %esi, %ecx; or %r8d, %ecx
6: lea 13(%rdi), %r8d; rol $1, %r8d; mov %r8d, -0x60(%rsp)
7: rol $5, %edx; inc %edi; dec %ebp; and $15, %edi; add %ecx, %edx; inc %r11; and $3, %r11; cmp $-9, %ebp; je 8f
   mov %r9d, %esi; jmp 1b
8: int3`,
  "a switch": `
1: mov %ebp, %eax; and $3, %eax; cmp $3, %eax; ja 9f; lea 2f(%rip), %rdx; movslq (%rdx,%rax,4), %rax; add %rdx, %rax; jmp *%rax
2: .long 3f-2b, 4f-2b, 5f-2b, 6f-2b
3: add %ebp, %ebx; jmp 7f
4: adc %ebx, %ecx; jmp 7f
5: shl %cl, %ebx; jmp 7f
6: push %rbx; call 8f; pop %rsi
7: dec %ebp; jnz 1b; int3
8: sub %ecx, %ebx; ret
9: ud2`,
};

for (const [name, source] of Object.entries(PROGRAMS))
  test(`${name}: the same state at every stop`, async () => {
    const iced = await loadIced();
    const code = assemble(source, CODE);
    const make = (jit: boolean): Cpu => {
      const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: 60_000 });
      cpu.mem.u8.set(code, CODE);
      return cpu;
    };
    const plain = make(false), compiled = make(true);
    const start = (cpu: Cpu): void => {
      cpu.state.reset();
      for (let r = 0; r < 16; r++) cpu.state.set(r, 0x12345 * (r + 3));
      cpu.state.set(RSP, 0x300000);
      cpu.state.set(RBP, 20);
      cpu.state.set(11, 0);
      cpu.state.rip = CODE;
    };
    const said = (cpu: Cpu): string => Array.from({ length: 17 }, (_, r) => cpu.state.get64(r).toString(16)).join() + cpu.state.rflags.toString(16);
    const insn = new Insn();
    for (let entry = CODE; entry < CODE + code.length; entry += Math.max(1, insn.length)) {
      plain.decoder.forget();
      plain.decoder.decode(entry, insn);
      compiled.flush();
      compiled.jit!.compile(entry);
      for (const slice of [1, 7, 16, 40]) {
        start(plain);
        start(compiled);
        for (let exit = 0; exit !== EXIT_BP; ) {
          exit = plain.run(slice);
          expect(compiled.run(slice)).toBe(exit);
          expect(said(compiled)).toBe(said(plain));
        }
      }
    }
  }, 30_000);

test("programs that follow each other at one address are compiled, however many; code that changes all the time is not", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true });
  const { counters } = cpu.jit!;
  /** The n-th program: a loop that is long enough to be compiled, and to live. */
  const run = (n: number, times: number): number => {
    const before = counters.regions;
    const code = assemble(`mov $${times}, %ecx\n1: add $${n}, %rax; xor %rax, %rbx; dec %ecx; jnz 1b; int3`, CODE);
    cpu.mem.u8.set(code, CODE);
    cpu.code_written(CODE, code.length);
    cpu.state.reset();
    cpu.state.rip = CODE;
    expect(cpu.run(10_000_000)).toBe(EXIT_BP);
    return counters.regions - before;
  };
  for (let n = 1; n <= 30; n++) expect(run(n, 200_000), `program ${n}`).toBeGreaterThan(0);
  let compiled = 0;
  for (let n = 31; n <= 60; n++) compiled += run(n, 20_000) > 0 ? 1 : 0;
  expect(compiled).toBeLessThan(15);
});
