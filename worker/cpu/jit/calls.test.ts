// worker/cpu/jit/calls.test.ts — calls, returns and the stack in compiled code, where functions are copied into their callers: it must stop and go on as the interpreter does.

import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { assemble } from "../../test/asm.ts";
import { Cpu, cpuBytes } from "../cpu.ts";
import { EXIT_BP, EXIT_BUDGET } from "../exit.ts";
import { loadIced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { RBX, RDI, RSP } from "../state.ts";

const SIZE = 4 << 20, CODE = 0x200000, STACK = 0x300000, DATA = 0x280000;
/** Rounds until all is compiled, with copies of what is called: once it has been reached HOT times. */
const HOT = 1200;

interface Case {
  readonly source: string;
  readonly set?: Readonly<Record<number, number>>;
  /** does it end without a fault? */
  readonly ends: boolean;
}

/** A loop of 4,000 rounds that calls f, which calls g; `last` is what g does in a late round. */
const NEST = (last: string): string => `mov $4000, %ebx; 1: mov %ebx, %edi; call f; add %rax, %rdx; dec %ebx; jnz 1b; int3
  f: push %rbx; lea 3(%rdi), %ebx; call g; lea (%rax,%rbx), %rax; pop %rbx; ret
  g: cmp $77, %edi; je 2f; mov %edi, %eax; ret; 2: ${last}`;
const CASES: Record<string, Case> = {
  "a return to an address that there cannot be": { source: NEST("movabs $0x800000000000, %rax; mov %rax, (%rsp); ret"), ends: false },
  "a return to an address that there is not": { source: NEST("movabs $0x7ff000000000, %rax; mov %rax, (%rsp); ret"), ends: false },
  "a return to somewhere else": { source: NEST("lea 3f(%rip), %rax; mov %rax, (%rsp); ret; 3: pop %rbx; mov $5, %eax; ret"), ends: true },
  "a return that leaves a function out": { source: NEST("add $8, %rsp; pop %rbx; mov $7, %eax; ret"), ends: true },
  "a return that takes more from the stack": { source: NEST("mov (%rsp), %rax; sub $16, %rsp; mov %rax, (%rsp); ret $16"), ends: true },
  "calls that come back with another stack pointer": {
    source: `mov $3000, %ebx; 1: mov $9, %edi; mov %rsp, %rbp; call f; mov %rbp, %rsp; add %rax, %rdx; dec %ebx; jnz 1b; int3
      f: dec %edi; js 2f; call f; push %rdi; lea 1(%rax), %rax; pop %rsi; push %rsi; pop %rdi; ret; 2: cmp $77, %ebx; jne 3f; pop %rcx; push %rcx; push %rcx; 3: mov $5, %eax; ret`,
    ends: true,
  },
  "a stack with little room below": { source: NEST("xor %eax, %eax; ret"), set: { [RSP]: 0x100080 }, ends: true },
  "a stack with code below": { source: `jmp 0f; .space 100; 0: ${NEST("xor %eax, %eax; ret")}`, set: { [RSP]: CODE + 96 }, ends: true },
  "a stack that is elsewhere": { source: NEST("mov %rsp, %rcx; mov $0x100004, %esp; push %rax; mov %rcx, %rsp; xor %eax, %eax; ret"), ends: false },
  "a jump through a table": {
    source: `mov $6000, %ebx; lea t(%rip), %r8; 1: mov %ebx, %eax; imul $0x9e3779b1, %eax, %eax; shr $29, %eax; cmp $6, %eax; ja 9f; movslq (%r8,%rax,4), %rax; add %r8, %rax; jmp *%rax
      2: inc %rdx; jmp 9f; 3: lea (%rdx,%rdx), %edx; jmp 9f; 4: xor %ebx, %edx; jmp 9f; 5: rol $3, %edx
      9: cmp $500, %ebx; jne 8f; movslq t+4(%rip), %rcx; mov %ecx, t+8(%rip); movl $9b-t, t(%rip); 8: dec %ebx; jnz 1b; int3
      .balign 8; t: .long 2b-t, 3b-t, 4b-t, 5b-t, 3b-t, 2b-t, 5b-t`,
    ends: true,
  },
  "a jump through a table of addresses": {
    source: `mov $6000, %ebx; 1: mov %ebx, %eax; imul $0x9e3779b1, %eax, %eax; shr $30, %eax; jmp *t(,%rax,8)
      2: inc %rdx; jmp 9f; 3: lea (%rdx,%rdx), %edx; jmp 9f; 4: xor %ebx, %edx; jmp 9f; 5: rol $3, %edx
      9: cmp $500, %ebx; jne 8f; mov $1, %ecx; shl $47, %rcx; mov %rcx, t+16(%rip); 8: dec %ebx; jnz 1b; int3
      .balign 8; t: .quad 2b, 3b, 4b, 5b`,
    ends: false,
  },
  "recursion that runs out of memory": { source: "mov $3000, %ebx; 1: mov $4, %edi; call f; dec %ebx; jnz 1b; mov $1000000, %edi; call f; int3; f: push %rbx; dec %edi; js 2f; call f; inc %rax; 2: pop %rbx; ret", set: { [RSP]: 0x108000 }, ends: false },
  "pushes over code that follows": {
    source: `mov $3000, %ebx; mov %rsp, %rbp; 1: call f; cmp $100, %ebx; jne 2f; lea h(%rip), %rsp; add $16, %rsp; 2: dec %ebx; jnz 1b; mov %rbp, %rsp; int3; f: push %rbx; call h; pop %rbx; ret
      .balign 512; .space 300; h: .byte 0xb8\n.long 0x11223344\n; add %eax, %edx; ret; .space 64`,
    ends: false,
  },
  "a pointer that is read first and sometimes written": {
    source: "mov $5000, %ebx; 1: mov (%rdi), %rax; test $7, %bl; jne 2f; mov %rbx, (%rdi); 2: test $3, %bl; jne 3f; add %rbx, 16(%rdi); 3: add %rax, %rdx; cmp $900, %ebx; jne 4f; lea -0x180008(%rdi), %rdi; 4: dec %ebx; jnz 1b; int3",
    set: { [RDI]: DATA },
    ends: false,
  },
  "registers that are moved to and fro in a loop": {
    source: "mov $5000, %ebx; 1: mov %rdi, %rsi; add $8, %rdi; test $1, %bl; je 2f; push %rdi; add %rbx, (%rdi); pop %rdi; 2: mov %ebx, -8(%rdi); cmp $600, %ebx; jne 3f; mov $0x0ffff8, %esi; 3: mov %rsi, %rdi; add (%rdi), %rdx; dec %ebx; jnz 1b; int3",
    set: { [RDI]: DATA },
    ends: false,
  },
};

test.each(Object.entries(CASES))("%s", async (_, { source, set = {}, ends }) => {
  const iced = await loadIced();
  const code = assemble(source, CODE);
  const make = (jit: boolean): Cpu => {
    const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: HOT });
    cpu.mem.u8.set(code, CODE);
    cpu.state.reset();
    cpu.state.set(RSP, STACK);
    cpu.state.set(RBX, 1);
    for (const [r, v] of Object.entries(set)) cpu.state.set(Number(r), v);
    cpu.state.rip = CODE;
    return cpu;
  };
  const said = (cpu: Cpu): string => [...Array.from({ length: 17 }, (_, r) => cpu.state.get64(r).toString(16)), cpu.state.rflags, cpu.retired].join();
  for (const slice of [1e9, 997]) {
    const plain = make(false), compiled = make(true);
    for (let exit: number = EXIT_BUDGET; exit === EXIT_BUDGET; ) {
      exit = plain.run(slice);
      const stop = (cpu: Cpu, e: number): string => `${e} ${e === EXIT_BUDGET || e === EXIT_BP ? "" : cpu.exit_addr} ${said(cpu)}`;
      expect(stop(compiled, compiled.run(slice)), `slices of ${slice}`).toBe(stop(plain, exit));
      if (exit !== EXIT_BUDGET) expect(exit === EXIT_BP).toBe(ends);
    }
    expect(compiled.jit!.counters.regions).toBeGreaterThan(0);
    expect(Buffer.compare(plain.mem.u8.subarray(0x100000, SIZE), compiled.mem.u8.subarray(0x100000, SIZE)), "memory").toBe(0);
  }
});

test("a region that was compiled before what it calls was called is compiled once more, with one that it goes through", async () => {
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced: await loadIced(), records: 4096, jit: true, hot: HOT });
  // two loops side by side: the first one is hot before the second one, which calls, has run
  const code = assemble("mov $3000, %ecx; 0: dec %ecx; jnz 0b; mov $6000, %ebx; 1: mov %ebx, %edi; call f; add %rax, %rdx; dec %ebx; jnz 1b; int3; f: lea 3(%rdi), %eax; ret", CODE);
  const loops = [CODE + 5, CODE + 14] as const;
  cpu.mem.u8.set(code, CODE);
  cpu.state.set(RSP, STACK);
  cpu.state.rip = CODE;
  const first: (Uint8Array | undefined)[] = [];
  for (let exit: number = EXIT_BUDGET; exit === EXIT_BUDGET; ) {
    exit = cpu.run(1000);
    const module = cpu.jit!.moduleOf(loops[0]);
    if (module !== undefined && !first.includes(module)) first.push(module);
  }
  expect(first.length).toBe(2);
  expect(cpu.jit!.moduleOf(loops[1])).toBe(first[1]);
});
