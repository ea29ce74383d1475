// worker/cpu/cpu.test.ts — small programs from end to end: results, exits, counts, faults.

import { beforeAll, describe, expect, test } from "vitest";
import { assemble } from "../test/asm.ts";
import { Cpu, cpuBytes } from "./cpu.ts";
import { EXIT_BP, EXIT_BUDGET, EXIT_DB, EXIT_DE, EXIT_GP, EXIT_KERNEL, EXIT_PF, EXIT_SYSCALL, EXIT_UD } from "./exit.ts";
import type { Iced } from "./iced.ts";
import { loadIced } from "./iced.ts";
import { GuestMemory } from "./memory.ts";
import { Oracle } from "./oracle.ts";
import { R8, R9, RAX, RBX, RCX, RDI, RDX, RSI, RSP, TF } from "./state.ts";

let iced: Iced;
beforeAll(async () => {
  iced = await loadIced();
});

const SIZE = 4 << 20, CODE = 0x100000, DATA = 0x200000, STACK = 0x3f0000;

describe.each(["interpreter", "joined", "compiled", "oracle"])("%s", (executor) => {
function machine(source: string): Cpu {
  const mem = new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true);
  const cpu = new Cpu(mem, { iced, records: 4096, jit: executor === "compiled", hot: 2, warm: executor === "joined" ? 1 : 0 });
  mem.u8.set(assemble(source, CODE), CODE);
  cpu.state.rip = CODE;
  cpu.state.set(RSP, STACK);
  if (executor === "oracle") {
    const oracle = new Oracle(cpu);
    cpu.run = (budget) => oracle.run(budget);
  }
  return cpu;
}

test("a loop sums, and its instructions are counted exactly", () => {
  const cpu = machine("mov $100, %ecx; xor %eax, %eax; 1: add %rcx, %rax; dec %ecx; jnz 1b; syscall");
  expect(cpu.run(10_000)).toBe(EXIT_SYSCALL);
  expect(cpu.state.get(RAX)).toBe(5050);
  expect(cpu.retired).toBe(2 + 300 + 1);
});

test("a budget is never overrun and can be as small as one", () => {
  const whole = machine("mov $50, %ecx; xor %eax, %eax; 1: add %rcx, %rax; dec %ecx; jnz 1b; syscall");
  whole.run(1000);
  const steps = machine("mov $50, %ecx; xor %eax, %eax; 1: add %rcx, %rax; dec %ecx; jnz 1b; syscall");
  let n = 0;
  while (steps.run(1) === EXIT_BUDGET) expect(steps.retired).toBe(++n);
  expect(steps.retired).toBe(whole.retired);
  expect(steps.state.save()).toEqual(whole.state.save());
});

test("call, ret, push and pop keep the stack", () => {
  const cpu = machine("call 2f; mov %eax, %ebx; syscall; 2: push $7; pop %rax; ret");
  expect(cpu.run(100)).toBe(EXIT_SYSCALL);
  expect(cpu.state.get(RBX)).toBe(7);
  expect(cpu.state.get(RSP)).toBe(STACK);
});

test("high byte registers and partial writes", () => {
  const cpu = machine("movabs $0x1122334455667788, %rax; mov $0xaa, %ah; mov %ah, %bl; mov $0x1234, %cx; movb $9, %dl; mov %eax, %eax; syscall");
  cpu.run(100);
  expect(cpu.state.get64(RAX)).toBe(0x5566aa88n);
  expect(cpu.state.get(RBX)).toBe(0xaa);
});

describe("faults are precise", () => {
  test("the null page, read", () => {
    const cpu = machine("mov $5, %eax; mov 8(%rbx), %eax; mov $6, %eax");
    expect(cpu.run(100)).toBe(EXIT_PF);
    expect([cpu.exit_addr, cpu.exit_write, cpu.state.get(RAX), cpu.state.rip, cpu.retired]).toEqual([8, false, 5, CODE + 5, 1]);
  });
  test("past the end of memory, write; the stack pointer stays", () => {
    const cpu = machine(`mov $${SIZE + 4}, %rsp; push %rax`);
    expect(cpu.run(100)).toBe(EXIT_PF);
    expect([cpu.exit_addr, cpu.exit_write, cpu.state.get(RSP)]).toEqual([SIZE, true, SIZE + 4]);
  });
  test("the kernel's pages, write", () => {
    const cpu = machine("mov $0x2000, %ebx; mov (%rbx), %eax; mov %eax, (%rbx)");
    expect(cpu.run(100)).toBe(EXIT_PF);
    expect([cpu.exit_addr, cpu.exit_write, cpu.retired]).toEqual([0x2000, true, 2]);
  });
  test("a non-canonical address is #GP", () => {
    const cpu = machine("movabs $0x1234567812345678, %rbx; mov (%rbx), %eax");
    expect(cpu.run(100)).toBe(EXIT_GP);
  });
  test("a jump to nowhere", () => {
    const cpu = machine("mov $0x7fff0000, %eax; jmp *%rax");
    expect(cpu.run(100)).toBe(EXIT_PF);
    expect([cpu.exit_addr, cpu.exit_exec, cpu.state.rip, cpu.retired]).toEqual([0x7fff0000, true, 0x7fff0000, 2]);
  });
  test("division by zero and overflow of the quotient", () => {
    expect(machine("xor %ecx, %ecx; div %ecx").run(10)).toBe(EXIT_DE);
    expect(machine("mov $2, %edx; mov $2, %ecx; div %rcx").run(10)).toBe(EXIT_DE);
    expect(machine("movabs $0x8000000000000000, %rax; cqo; mov $-1, %rcx; idiv %rcx").run(10)).toBe(EXIT_DE);
  });
  test("no such instruction", () => {
    const cpu = machine("nop; ud2");
    expect(cpu.run(10)).toBe(EXIT_UD);
    expect([cpu.state.rip, cpu.retired]).toEqual([CODE + 1, 1]);
  });
  test("int1 has retired, and is a step's trap", () => {
    const cpu = machine(".byte 0xf1; nop");
    expect(cpu.run(10)).toBe(EXIT_DB);
    expect([cpu.state.rip, cpu.retired]).toEqual([CODE + 1, 1]);
  });
  test("int3 has retired", () => {
    const cpu = machine("int3; nop");
    expect(cpu.run(10)).toBe(EXIT_BP);
    expect([cpu.state.rip, cpu.retired]).toEqual([CODE + 1, 1]);
  });
});

test("vmcall is legal at the door only", () => {
  const cpu = machine("vmcall; vmcall");
  cpu.door = CODE;
  expect(cpu.run(10)).toBe(EXIT_KERNEL);
  expect(cpu.state.rip).toBe(CODE + 3);
  expect(cpu.run(10)).toBe(EXIT_UD);
});

test("TF stops after each instruction", () => {
  const cpu = machine("mov $1, %eax; mov $2, %eax; nop");
  cpu.state.rflags |= TF;
  expect(cpu.run(100)).toBe(EXIT_DB);
  expect([cpu.state.get(RAX), cpu.retired]).toEqual([1, 1]);
  cpu.state.rflags &= ~TF;
  expect(cpu.run(2)).toBe(EXIT_BUDGET);
});

test("64-bit multiplication and division", () => {
  const cpu = machine("movabs $0xfedcba9876543210, %rax; movabs $0x123456789abcdef1, %rbx; mul %rbx; mov %rdx, %r8; mov %rax, %r9; div %rbx; syscall");
  cpu.run(100);
  expect((cpu.state.get64(R8) << 64n) | cpu.state.get64(R9)).toBe(0xfedcba9876543210n * 0x123456789abcdef1n);
  expect(cpu.state.get64(RAX)).toBe(0xfedcba9876543210n);
});

test("rep movs and rep stos count as one; a fault shows how far they got", () => {
  const cpu = machine(`mov $${DATA}, %edi; mov $64, %ecx; mov $0x5a, %al; rep stosb; mov $${DATA}, %esi; mov $${DATA + 1000}, %edi; mov $8, %ecx; rep movsq; syscall`);
  expect(cpu.run(100)).toBe(EXIT_SYSCALL);
  expect(cpu.retired).toBe(9);
  expect([...cpu.mem.u8.subarray(DATA + 1000, DATA + 1064)]).toEqual(new Array(64).fill(0x5a));
  expect(cpu.state.get(RDI)).toBe(DATA + 1064);
  const bad = machine(`mov $${SIZE - 16}, %edi; mov $5, %ecx; rep stosq`);
  expect(bad.run(100)).toBe(EXIT_PF);
  expect([bad.exit_addr, bad.state.get(RCX), bad.state.get(RDI)]).toEqual([SIZE, 3, SIZE]);
});

test("repe cmpsb and repne scasb stop where they should", () => {
  const cpu = machine("lea 1f(%rip), %rsi; lea 2f(%rip), %rdi; mov $9, %ecx; repe cmpsb; setb %dl; syscall; 1: .ascii \"abcd1\"; 2: .ascii \"abcd2\"");
  cpu.run(100);
  expect([cpu.state.get(RCX), cpu.state.get(RDX)]).toEqual([4, 1]);
});

describe("code that is written to", () => {
  test("the next instruction in the same block is the new one", () => {
    const cpu = machine("movb $7, 1f+1(%rip); 1: mov $1, %al; syscall");
    cpu.run(100);
    expect(cpu.state.get(RAX)).toBe(7);
  });
  test("a loop that rewrites itself", () => {
    const cpu = machine("mov $3, %ecx; 1: mov $1, %al; add %al, %bl; incb 1b+1(%rip); dec %ecx; jnz 1b; syscall");
    cpu.run(100);
    expect(cpu.state.get(RBX)).toBe(1 + 2 + 3);
  });
  test("the kernel writes code", () => {
    const cpu = machine("mov $1, %al; syscall");
    cpu.run(10);
    cpu.mem.u8[CODE + 1] = 9;
    cpu.code_written(CODE + 1, 1);
    cpu.state.rip = CODE;
    cpu.run(10);
    expect(cpu.state.get(RAX)).toBe(9);
  });
});

test("code that the kernel writes anew stays, if it comes out the same; else not", () => {
  for (const jit of [false, true]) {
    const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: 100 });
    const code = assemble("mov $1000, %ecx; xor %ebx, %ebx; 1: add $1, %ebx; dec %ecx; jnz 1b; syscall", CODE);
    const run = (k: number): number => {
      const before = cpu.interpreter.counters.decoded;
      cpu.mem.u8.fill(0, CODE, CODE + code.length);
      cpu.code_changed(CODE, code.length);
      cpu.mem.u8.set(code, CODE);
      cpu.mem.u8[CODE + 9] = k;
      cpu.code_changed(CODE, 7);
      cpu.code_changed(CODE + 9, 1);
      cpu.state.rip = CODE;
      expect(cpu.run(100_000)).toBe(EXIT_SYSCALL);
      expect(cpu.state.get(RBX)).toBe(1000 * k);
      return cpu.interpreter.counters.decoded - before;
    };
    expect(code[9]).toBe(1);
    expect(run(1)).toBeGreaterThan(0);
    expect(run(1)).toBe(0);
    expect(run(2)).toBeGreaterThan(0);
    expect(run(2)).toBe(0);
    expect(cpu.interpreter.counters.invalidated).toBeLessThan(4);
  }
});

test("more code than there is room for is decoded again", () => {
  const cpu = machine("mov $3, %edx; 1: .rept 3000; inc %eax; .endr; dec %edx; jnz 1b; syscall");
  expect(cpu.run(100_000)).toBe(EXIT_SYSCALL);
  expect(cpu.state.get(RAX)).toBe(9000);
  expect(cpu.retired).toBe(1 + 3 * 3002 + 1);
});

test("bit strings reach beyond their operand", () => {
  const cpu = machine(`mov $${DATA}, %ebx; mov $-1, %rax; bts %rax, (%rbx); mov $100, %eax; bts %eax, (%rbx); setc %dl; bt %eax, (%rbx); setc %dh; syscall`);
  cpu.run(100);
  expect([cpu.mem.u8[DATA - 1], cpu.mem.u8[DATA + 12], cpu.state.get(RDX)]).toEqual([0x80, 0x10, 0x100]);
});

test("flags survive pushf and popf", () => {
  const cpu = machine("stc; pushf; pop %rsi; xor %eax, %eax; pushf; pop %rdi; push $0x8d5; popf; pushf; pop %r8; syscall");
  cpu.run(100);
  expect([cpu.state.get(RSI) & 1, cpu.state.get(RDI), cpu.state.get(R8)]).toEqual([1, 0x246, 0x8d5 | 0x202]);
});
});

test("a program that is loaded elsewhere is not decoded again, and is itself there: jumps, calls, what lies relative to rip, how it is counted", () => {
  const source = `mov $500, %ecx; 1: call 2f; lea here(%rip), %rax; add here(%rip), %ebx; movl $7, here+4(%rip); cmpl $7, here+4(%rip); jne 3f; dec %ecx; jnz 1b
    movabs $0x1234567890, %rdx; mov 0x${DATA.toString(16)}, %esi; jmp 4f; .fill 200, 1, 0x90; 4: syscall; 2: inc %rdi; ret; 3: ud2; here: .long 3, 0`;
  const code = assemble(source, CODE);
  for (const jit of [false, true]) {
    const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: 100 });
    cpu.mem.u32[DATA >> 2] = 99;
    const decoded: number[] = [];
    for (const base of [CODE + 0x7000, CODE, CODE + 0x3000, CODE + 0x153000]) {
      const before = cpu.interpreter.counters.decoded, retired = cpu.retired;
      cpu.mem.u8.set(code, base);
      cpu.state.reset();
      cpu.state.rip = base;
      cpu.state.set(RSP, STACK);
      expect(cpu.run(100_000)).toBe(EXIT_SYSCALL);
      expect([RAX, RBX, RCX, RDX, RSI, RDI].map((r) => cpu.state.get(r))).toEqual([base + code.length - 8, 1500, 0, 0x1234567890, 99, 500]);
      expect([cpu.state.rip - base, cpu.retired - retired]).toEqual([code.length - 8 - 2 - 4, 1 + 500 * 10 + 4]);
      decoded.push(cpu.interpreter.counters.decoded - before);
    }
    // no more than what a block that met another one had left open
    expect(decoded[0]).toBeGreaterThan(15);
    expect(Math.max(...decoded.slice(1))).toBeLessThan(4);
    // the same bytes at another place in a page, and other bytes that begin in the same way, are decoded
    const before = cpu.interpreter.counters.decoded;
    cpu.mem.u8.set(code, CODE + 0x9010);
    cpu.mem.u8.set(code, CODE + 0xb000);
    cpu.mem.u8[CODE + 0xb000 + code.length - 8] = 5;
    cpu.mem.u8.set(assemble("mov $500, %ecx; syscall", CODE), CODE + 0xd000);
    for (const [base, sum] of [[CODE + 0x9010, 1500], [CODE + 0xb000, 2500], [CODE + 0xd000, 0]] as const) {
      cpu.state.reset();
      cpu.state.rip = base;
      cpu.state.set(RSP, STACK);
      expect(cpu.run(100_000)).toBe(EXIT_SYSCALL);
      expect(cpu.state.get(RBX)).toBe(sum);
    }
    expect(cpu.interpreter.counters.decoded - before).toBeGreaterThan(15);
  }
});

test("more kinds of instructions than there is room for: all are forgotten, and those that are met again are made again", () => {
  const mem = new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true);
  const cpu = new Cpu(mem, { iced, records: 4096, jit: true, hot: 16 });
  // those of most code come with the first
  mem.u8[CODE] = 0xcc;
  cpu.interpreter.decode(CODE);
  const kept = cpu.interpreter.counters.shapes;
  expect(kept).toBeGreaterThan(300);
  cpu.interpreter.mostShapes = kept + 100;
  const code = assemble("movq %rax, %xmm1; 1: pshuflw $0, %xmm1, %xmm0; movq %xmm0, %rbx; dec %ecx; jnz 1b; int3", CODE), at = CODE + code.indexOf(0x70) + 2;
  for (let round = 0; round < 2; round++)
    for (let imm = 0; imm < 256; imm++) {
      mem.u8.set(code, CODE);
      mem.u8[at] = imm;
      cpu.code_written(CODE, code.length);
      cpu.state.reset();
      cpu.state.rip = CODE;
      cpu.state.set_lo_hi(RAX, 0x11110000, 0x33332222);
      cpu.state.set_lo_hi(1, 50, 0);
      expect(cpu.run(10_000)).toBe(EXIT_BP);
      let want = 0n;
      for (let lane = 0; lane < 4; lane++) want |= BigInt(((imm >> (2 * lane)) & 3) * 0x1111) << BigInt(16 * lane);
      expect(cpu.state.get64(RBX)).toBe(want);
      expect(cpu.decoder.shapes.length).toBeLessThan(2 * kept + 400);
    }
  expect(cpu.interpreter.counters.flushes).toBeGreaterThan(3);
});
