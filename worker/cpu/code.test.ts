// worker/cpu/code.test.ts — code that comes and goes, and faults of code that is hot: the same in every executor, to the registers and the count.

import { beforeAll, describe, expect, test } from "vitest";
import { assemble } from "../test/asm.ts";
import { Cpu, cpuBytes } from "./cpu.ts";
import { EXIT_BP, EXIT_GP, EXIT_PF, EXIT_SYSCALL } from "./exit.ts";
import { type Iced, loadIced } from "./iced.ts";
import { GuestMemory } from "./memory.ts";
import { Oracle } from "./oracle.ts";
import { R8, RAX, RBX, RCX, RDI, RDX, RSI, RSP } from "./state.ts";

let iced: Iced;
beforeAll(async () => {
  iced = await loadIced();
});

const SIZE = 4 << 20, CODE = 0x100000, DATA = 0x200000, STACK = 0x3f0000;
/** More than it takes to be compiled, and to be there when the code changes or the fault comes. */
const HOT = 40;

describe.each(["interpreter", "joined", "joined, in slices", "compiled", "compiled, in slices", "oracle"])("%s", (executor) => {
  const compiled = executor.startsWith("compiled"), joined = executor.startsWith("joined");
  function machine(source: string, at = CODE): Cpu {
    const mem = new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true);
    const cpu = new Cpu(mem, { iced, records: 4096, jit: compiled, hot: 3, warm: joined ? 1 : 0 });
    mem.u8.set(assemble(source, at), at);
    cpu.state.rip = at;
    cpu.state.set(RSP, STACK);
    if (executor === "oracle") {
      const oracle = new Oracle(cpu);
      cpu.run = (budget) => oracle.run(budget);
    }
    return cpu;
  }
  /** Runs to an exit that is none of the budget's; the last slice is as small as the others. */
  function run(cpu: Cpu, budget = 1_000_000): number {
    if (!executor.endsWith("in slices")) return cpu.run(budget);
    let exit: number = 1;
    for (let left = budget; exit === 1 && left > 0; left -= 13) exit = cpu.run(Math.min(13, left));
    return exit;
  }
  const wasCompiled = (cpu: Cpu): void => {
    if (compiled) expect(cpu.jit!.counters.regions).toBeGreaterThan(0);
    if (joined) expect(cpu.interpreter.counters.joined).toBeGreaterThan(0);
  };

  describe("code", () => {
    test("an instruction on two pages changes where either page does", () => {
      // add imm32, %ebx with its immediate across the page: bytes 2 and 3 here, 4 and 5 there
      const at = CODE + 0x1000 - 4;
      const cpu = machine(`
        mov $${HOT}, %ecx; xor %ebx, %ebx
     1: call .Lfunc; dec %ecx; jnz 1b
        addb $1, ${at + 2}
        mov $${HOT}, %ecx
     2: call .Lfunc; dec %ecx; jnz 2b
        addb $1, ${at + 5}
        mov $${HOT}, %ecx
     3: call .Lfunc; dec %ecx; jnz 3b
        int3
        .org ${at - CODE}
     .Lfunc: .byte 0x81, 0xc3, 1, 0, 0, 0
        ret`);
      expect(run(cpu)).toBe(EXIT_BP);
      expect(cpu.state.get(RBX)).toBe((HOT * 1 + HOT * 2 + HOT * (2 + 0x01000000)) % 2 ** 32);
      expect(cpu.retired).toBe(2 + 3 * 5 * HOT - 0 + 2 + 2 + 1);
      wasCompiled(cpu);
    });

    test("memory is freed and used again: what was code is data, and then other code", () => {
      const cpu = machine(`
        mov $${DATA}, %r12d; mov $1, %r13d
     1: # a function that returns r13: b8 imm32 c3, at a place of its own
        movb $0xb8, (%r12); mov %r13d, 1(%r12); movb $0xc3, 5(%r12)
        mov $${HOT}, %ecx
     2: call *%r12; add %eax, %ebx; dec %ecx; jnz 2b
        # freed: filled with data, then used for a function that adds
        mov %r12, %rdi; mov $64, %ecx; mov $0xff, %al; rep stosb
        movb $0x01, (%r12); movb $0xcb, 1(%r12); movb $0xc3, 2(%r12)   # add %ecx, %ebx; ret
        mov $${HOT}, %ecx
     3: call *%r12; dec %ecx; jnz 3b
        inc %r13d; cmp $20, %r13d; jne 1b; int3`);
      expect(run(cpu)).toBe(EXIT_BP);
      let want = 0;
      for (let n = 1; n < 20; n++) want += HOT * n + (HOT * (HOT + 1)) / 2;
      expect(cpu.state.get(RBX)).toBe(want);
      wasCompiled(cpu);
    });

    test("a hot loop rewrites the instruction ahead of itself, the one that it is, and the one behind", () => {
      const cpu = machine(`
        mov $200, %ecx; xor %ebx, %ebx; xor %edx, %edx
     1: mov %cl, 2f+1(%rip)
     2: mov $0, %al
        movzbl %al, %eax; add %eax, %ebx
     3: mov $0, %sil
        movzbl %sil, %esi; add %esi, %edx
        mov %cl, 3b+2(%rip)
        dec %ecx; jnz 1b; int3`);
      expect(run(cpu)).toBe(EXIT_BP);
      // the first sees its own round, the second the round before
      expect([cpu.state.get(RBX), cpu.state.get(RDX)]).toEqual([20100, 20100 - 1]);
    });

    test("code is changed by a function that it calls, and by a string instruction", () => {
      const cpu = machine(`
        mov $60, %r9d; xor %ebx, %ebx
     1: call 5f
     2: mov $0x11111111, %eax
        add %eax, %ebx
        lea 7f(%rip), %rsi; lea 4f+1(%rip), %rdi; mov $4, %ecx; rep movsb
     4: mov $0x22222222, %eax
        add %eax, %ebx
        incl 7f(%rip)
        dec %r9d; jnz 1b; int3
     5: mov %r9d, 2b+1(%rip); ret
     7: .long 5`);
      expect(run(cpu)).toBe(EXIT_BP);
      let want = 0;
      for (let n = 0; n < 60; n++) want += 60 - n + (5 + n);
      expect(cpu.state.get(RBX)).toBe(want);
    });

    test("others write code between two slices: the kernel, a debugger, another CPU", () => {
      const cpu = machine("1: mov $1, %eax; add %eax, %ebx; jmp 1b");
      let want = 0;
      for (let n = 1; n < 12; n++) {
        cpu.mem.u8[CODE + 1] = n;
        cpu.code_written(CODE + 1, 1);
        run(cpu, 3 * 50);
        want += 50 * n;
        expect(cpu.state.get(RBX)).toBe(want);
      }
      expect(cpu.retired).toBe(11 * 150);
      wasCompiled(cpu);
    });

    test("a program that is a compiler: expressions become functions, which are called until they are hot, and are replaced", () => {
      // emits, for n = 1…30: xor eax, eax; then n times { add eax, edi ; imul eax, eax, 3 }; ret, at ever the same place
      const cpu = machine(`
        mov $1, %r13d; xor %ebx, %ebx
     1: mov $${DATA}, %edi
        mov $0xc031, %eax; stosw
        mov %r13d, %ecx
     2: mov $0xf801, %eax; stosw; mov $0x03c06b, %eax; stosl; dec %rdi; dec %ecx; jnz 2b
        mov $0xc3, %al; stosb
        mov $${HOT}, %r12d
     3: mov %r12d, %edi; mov $${DATA}, %eax; call *%rax; add %eax, %ebx; dec %r12d; jnz 3b
        inc %r13d; cmp $31, %r13d; jne 1b; int3`);
      expect(run(cpu)).toBe(EXIT_BP);
      let want = 0;
      for (let n = 1; n <= 30; n++)
        for (let x = HOT; x > 0; x--) {
          let v = 0;
          for (let i = 0; i < n; i++) v = Math.imul(v + x, 3);
          want = (want + v) | 0;
        }
      expect(cpu.state.get(RBX)).toBe(want >>> 0);
      wasCompiled(cpu);
    });

    test("a program that compiles traces: a guard's exit is patched to a side trace, and the code is thrown away and made anew", () => {
      // in rounds of ecx: the root trace adds r13d for even ones; for odd ones its guard leaves by a stub, whose handler adds 4 r13d, and at
      // the fifth exit makes a side trace of that, across two pages, to which the guard goes from then on
      const SIDE = DATA + 0x1000 - 3;
      const cpu = machine(`
        mov $12, %r13d; xor %ebx, %ebx; xor %r12d, %r12d
     1: mov $${DATA}, %edi; lea root(%rip), %rsi; mov $(rend-root), %ecx; rep movsb
        movl $(0x40-(rexit-root)-4), ${DATA}+rexit-root; mov %r13d, ${DATA}+radd-root; movl $(root-rloop-4), ${DATA}+rloop-root
        movb $0xe9, ${DATA}+0x40; lea handler(%rip), %eax; sub $${DATA}+0x45, %eax; mov %eax, ${DATA}+0x41
        xor %r14d, %r14d; mov $400, %ecx; mov $${DATA}, %eax; call *%rax
        mov $${DATA}, %edi; mov $0x1100, %ecx; mov $0xcc, %al; rep stosb
        dec %r13d; jnz 1b; int3
      handler: inc %r12d; inc %r14d; lea (%rbx,%r13,4), %ebx; cmp $5, %r14d; jne 5f
        push %rcx; mov $${SIDE}, %edi; lea side(%rip), %rsi; mov $(send-side), %ecx; rep movsb; pop %rcx
        lea (,%r13,4), %eax; mov %eax, ${SIDE}+sadd-side; movl $(${DATA}-${SIDE}+side-sloop-4), ${SIDE}+sloop-side
        movl $(${SIDE}-${DATA}+root-rexit-4), ${DATA}+rexit-root
     5: dec %ecx; jz 6f; mov $${DATA}, %eax; jmp *%rax
     6: ret
      root: test $1, %cl; .byte 0x0f, 0x85
      rexit: .long 0; .byte 0x81, 0xc3
      radd: .long 0; dec %ecx; .byte 0x0f, 0x85
      rloop: .long 0; ret
      rend:
      side: .byte 0x81, 0xc3
      sadd: .long 0; dec %ecx; .byte 0x0f, 0x85
      sloop: .long 0; ret
      send:`);
      expect(run(cpu)).toBe(EXIT_BP);
      expect([cpu.state.get(RBX), cpu.state.get_lo(12)]).toEqual([78 * 1000, 60]);
      wasCompiled(cpu);
    });

    test("a program with inline caches: call sites are patched to where they went last", () => {
      // rel32 of the call at 2 is rewritten each time that the kind of the object changes, every 16 rounds
      const cpu = machine(`
        mov $320, %ecx; xor %ebx, %ebx
     1: mov %ecx, %eax; shr $4, %eax; and $1, %eax
        lea 4f(%rip), %rdx; lea 5f(%rip), %rsi; test %eax, %eax; cmovnz %rsi, %rdx
        lea 3f(%rip), %rsi; sub %rsi, %rdx
        cmp %edx, 2f+1(%rip); je 2f
        mov %edx, 2f+1(%rip); inc %edi
     2: .byte 0xe8; .long 0
     3: dec %ecx; jnz 1b; int3
     4: add $1, %ebx; ret
     5: add $1000, %ebx; ret`);
      expect(run(cpu)).toBe(EXIT_BP);
      expect([cpu.state.get(RBX), cpu.state.get(RDI)]).toEqual([160 * 1000 + 160, 21]);
    });
  });

  describe("a fault in a hot loop", () => {
    /** Registers, rip and count at the fault; the loop at 1 is compiled by then. */
    const at = (cpu: Cpu): unknown[] => [cpu.exit_addr, cpu.exit_write, cpu.state.rip, cpu.state.get(RAX), cpu.state.get(RBX), cpu.state.get(RCX), cpu.state.rflags & 0x8d5, cpu.retired];

    test("a read that walks past the end of RAM", () => {
      const cpu = machine(`mov $${SIZE - 8 * HOT}, %ebx; xor %eax, %eax; xor %ecx, %ecx\n1: add (%rbx), %rax; inc %ecx; add $8, %rbx; jmp 1b`);
      expect(run(cpu)).toBe(EXIT_PF);
      expect(at(cpu)).toEqual([SIZE, false, CODE + 9, 0, SIZE, HOT, cpu.state.rflags & 0x8d5, 3 + 4 * HOT]);
      wasCompiled(cpu);
    });
    test("a write that straddles the end of RAM", () => {
      const cpu = machine(`mov $${SIZE - 8 * HOT + 3}, %ebx; mov $7, %eax; xor %ecx, %ecx\n1: mov %rax, (%rbx); inc %ecx; add $8, %rbx; jmp 1b`);
      expect(run(cpu)).toBe(EXIT_PF);
      expect(at(cpu).slice(0, 6)).toEqual([SIZE, true, CODE + 12, 7, SIZE - 5, HOT - 1]);
      expect(cpu.retired).toBe(3 + 4 * (HOT - 1));
      // nothing of the last one is there
      expect(cpu.mem.u8[SIZE - 5]).toBe(0);
      wasCompiled(cpu);
    });
    test("a walk down into the kernel's pages writes no further, and reads on, into the NULL page", () => {
      const writes = machine(`mov $${0x100000 + 8 * HOT}, %ebx; xor %ecx, %ecx\n1: sub $8, %rbx; mov %rcx, (%rbx); inc %ecx; jmp 1b`, DATA);
      expect(run(writes)).toBe(EXIT_PF);
      expect([writes.exit_addr, writes.exit_write, writes.state.get(RBX), writes.state.get(RCX)]).toEqual([writes.state.get(RBX), true, writes.exit_addr, (0x100000 + 8 * HOT - writes.exit_addr) / 8 - 1]);
      expect(writes.retired).toBe(2 + 4 * writes.state.get(RCX) + 1);
      const reads = machine(`mov $${0x1000 + 8 * HOT}, %ebx; xor %ecx, %ecx\n1: sub $8, %rbx; mov (%rbx), %rax; inc %ecx; jmp 1b`);
      expect(run(reads)).toBe(EXIT_PF);
      expect([reads.exit_addr, reads.exit_write, reads.state.get(RBX), reads.state.get(RCX), reads.retired]).toEqual([0xff8, false, 0xff8, HOT, 2 + 4 * HOT + 1]);
      wasCompiled(reads);
    });
    test("a list that ends in NULL, followed too far: displacements and all", () => {
      const cpu = machine(`
        mov $${DATA}, %ebx; mov $${HOT}, %ecx
     1: lea 64(%rbx), %rdx; mov %rdx, 16(%rbx); mov %ecx, 24(%rbx); mov %rdx, %rbx; dec %ecx; jnz 1b
        movq $0, -48(%rbx); mov $${DATA}, %ebx; xor %eax, %eax
     2: add 24(%rbx), %eax; mov 16(%rbx), %rbx; jmp 2b`);
      expect(run(cpu)).toBe(EXIT_PF);
      expect([cpu.exit_addr, cpu.exit_write, cpu.state.get(RAX), cpu.state.get(RBX), cpu.retired]).toEqual([24, false, (HOT * (HOT + 1)) / 2, 0, 2 + 6 * HOT + 3 + 3 * HOT]);
      wasCompiled(cpu);
    });
    test("an address that stops being canonical", () => {
      const cpu = machine(`mov $${DATA}, %ebx; mov $${HOT}, %ecx\n1: mov (%rbx), %eax; dec %ecx; jnz 1b; movabs $0x7ffffffffffffff0, %rdx; add %rdx, %rbx; inc %ecx; jmp 1b`);
      expect(run(cpu)).toBe(EXIT_GP);
      expect([cpu.state.rip, cpu.state.get(RCX), cpu.retired]).toEqual([CODE + 10, 1, 2 + 3 * HOT + 4]);
    });
    test("push and call down to the end of the stack: rsp stays where it was", () => {
      const cpu = machine(`mov $${0x100000 + 16 * HOT}, %esp\n1: push %rcx; inc %ecx; call 1b`, DATA);
      expect(run(cpu)).toBe(EXIT_PF);
      expect(cpu.exit_write).toBe(true);
      expect(cpu.state.get(RSP)).toBe(cpu.exit_addr + 8);
      const pushed = (0x100000 + 16 * HOT - cpu.state.get(RSP)) / 8;
      // push, inc, call; push, inc, call …: two of three go onto the stack
      expect([cpu.state.get(RCX), cpu.retired]).toEqual([Math.ceil(pushed / 2), 1 + Math.floor(pushed / 2) * 3 + (pushed % 2) * 2]);
    });
    test("rep movs across the end of RAM, again and again: the registers say how far it got, and it goes on from there", () => {
      const cpu = machine(`
        mov $${HOT}, %r8d
     1: mov $${DATA}, %esi; mov $${DATA + 0x1000}, %edi; mov $16, %ecx; rep movsq; dec %r8d; jnz 1b
        mov $${SIZE - 40}, %edi; mov $16, %ecx; mov $${DATA}, %esi
        rep movsq; syscall`);
      expect(run(cpu)).toBe(EXIT_PF);
      expect([cpu.exit_addr, cpu.exit_write, cpu.state.get(RCX), cpu.state.get(RDI), cpu.state.get(RSI), cpu.retired]).toEqual([SIZE, true, 11, SIZE, DATA + 40, 1 + 6 * HOT + 3]);
      // whoever handles it moves the target away
      cpu.state.set(RDI, DATA + 0x2000);
      expect(run(cpu)).toBe(EXIT_SYSCALL);
      expect([cpu.state.get(RCX), cpu.state.get(RDI), cpu.retired]).toEqual([0, DATA + 0x2000 + 88, 1 + 6 * HOT + 5]);
    });
    test("rep stos and repne scas at the end of a page and of RAM", () => {
      const cpu = machine(`
        mov $${DATA + 0xffc}, %edi; mov $9, %ecx; mov $0x41, %al; rep stosb; mov %rdi, %r8
        mov $${SIZE - 5}, %edi; mov $100, %ecx; mov $0x42, %al; repne scasb; syscall`);
      expect(run(cpu)).toBe(EXIT_PF);
      expect([cpu.exit_addr, cpu.exit_write, cpu.state.get(RCX), cpu.state.get(RDI), cpu.state.get(R8), cpu.retired]).toEqual([SIZE, false, 95, SIZE, DATA + 0x1005, 8]);
    });
  });
});

test.each(["a store", "the kernel"])("what was code and is overwritten by %s leaves no mark in the code map, wherever it lay in its granules", (by) => {
  const mem = new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true);
  const cpu = new Cpu(mem, { iced, records: 4096, jit: true, hot: 3 });
  const marks = (): number => mem.u8.subarray(mem.codeMap, mem.codeMap + (SIZE >>> 8)).reduce((n, x) => n + (x === 0 ? 0 : 1), 0);
  // stores of up to 16 bytes before these reach into them, so that granules are marked which have no code of their own
  const code = assemble(`mov $${HOT}, %ecx; 1: dec %ecx; jnz 1b; int3`, CODE);
  for (let at = CODE; at < CODE + 0x4000; at += 0x100 - 7) {
    mem.u8.set(code, at);
    cpu.state.rip = at;
    expect(cpu.run(1000)).toBe(EXIT_BP);
  }
  expect(marks()).toBeGreaterThan(0x40);
  if (by === "a store") {
    for (let at = CODE; at < CODE + 0x4800; at += 0x30) cpu.code_written(at, 0x30);
  } else {
    mem.u8.fill(0, CODE, CODE + 0x4800);
    cpu.code_changed(CODE, 0x4800);
    mem.u8.set(assemble("int3", DATA), DATA);
    cpu.state.rip = DATA;
    expect(cpu.run(1)).toBe(EXIT_BP);
    cpu.code_written(DATA, 1);
  }
  expect(marks()).toBe(0);
});
