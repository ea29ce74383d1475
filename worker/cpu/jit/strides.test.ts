// worker/cpu/jit/strides.test.ts — loops of compiled code that must stop in their n-th round, though the round was looked at long before: as the interpreter does.

import { Buffer } from "node:buffer";
import { expect, test } from "vitest";
import { assemble } from "../../test/asm.ts";
import { Cpu, cpuBytes } from "../cpu.ts";
import { Insn } from "../decode.ts";
import { EXIT_BP, EXIT_BUDGET } from "../exit.ts";
import { loadIced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { RBX, RCX, RDI, RSI, RSP, ST_MXCSR, ST_XMM } from "../state.ts";

const SIZE = 4 << 20, CODE = 0x200000, DATA = 0x280000;
const PE_ONLY = 0x1fa0;

interface Case {
  readonly source: string;
  /** registers, by number */
  readonly set: Readonly<Record<number, number>>;
  readonly doubles?: readonly number[];
  /** does it end without a fault? */
  readonly ends: boolean;
}

const FILL = "1: mov %al, (%rdi); add $STEP, %rdi; inc %rcx; cmp %rbx, %rcx; jne 1b";
const CASES: Record<string, Case> = {};
for (const step of [1, 24])
  for (const n of [0, 300])
    CASES[`a store in round ${n} of steps of ${step} changes code that follows`] = {
      source: `mov $1, %edx; lea 5f(%rip), %rdi; imul $-${step}, %rbx, %rax; add %rax, %rdi; mov $7, %eax; xor %ecx, %ecx; inc %rbx
        ${FILL.replace("STEP", String(step))}; jmp 4f
        .space 20000; .balign 64
      4: .byte 0xb8\n5: .long 0x11223344\n; add %eax, %edx; int3`,
      set: { [RBX]: n },
      // byte by byte they overwrite an opcode, too
      ends: step > 1 || n === 0,
    };
for (const n of [1, 1100]) {
  const up = (size: number): Record<number, number> => ({ [RSI]: SIZE - size * n - 3, [RBX]: 1e6, [RCX]: 0 });
  CASES[`reads run into the end of memory in round ${n}`] = { source: "1: add (%rsi), %rax; lea 8(%rsi), %rsi; dec %rbx; jnz 1b; int3", set: up(8), ends: false };
  CASES[`reads by an index run into the end of memory in round ${n}`] = {
    source: "xor %ecx, %ecx; 1: movzbl (%rsi,%rcx,4), %eax; add %rax, %rdx; inc %rcx; cmp %rbx, %rcx; jb 1b; int3", set: up(4), ends: false };
  CASES[`reads go down to page 0 in round ${n}`] = { source: "1: add (%rsi), %rax; sub $16, %rsi; dec %rbx; jnz 1b; int3", set: { ...up(0), [RSI]: 0x1000 + 16 * n }, ends: false };
  CASES[`writes go down to what is not theirs in round ${n}`] = { source: "1: add %ecx, 4(%rsi); sub $4, %rsi; inc %ecx; jnz 1b; int3", set: { ...up(0), [RSI]: 0x100000 + 4 * n }, ends: false };
  CASES[`an aligned read that is not, in round ${n}`] = { source: "1: paddq (%rsi), %xmm0; add $8, %rsi; dec %rbx; jnz 1b; int3", set: { ...up(0), [RSI]: DATA + 16 * n }, ends: false };
}
CASES["an aligned read that never is"] = { source: "1: paddq -0x10(%rsi), %xmm0; add $0x30, %rsi; dec %rbx; jnz 1b; int3", set: { [RSI]: DATA + 8, [RBX]: 100 }, ends: false };
CASES["two ways through a loop, of which one writes"] = {
  source: "1: mov (%rsi), %eax; test $3, %al; je 2f; add %al, 5(%rdi); inc %rdi; 2: add $2, %rsi; dec %rbx; jnz 1b; int3", set: { [RSI]: DATA, [RDI]: DATA + 900, [RBX]: 1000 }, ends: true };
CASES["a loop within a loop that moves its pointer"] = {
  source: "1: mov %rdi, %rsi; mov $20, %ecx; 2: add %ecx, (%rsi); add $12, %rsi; dec %ecx; jnz 2b; add $4, %rdi; dec %rbx; jnz 1b; int3", set: { [RDI]: DATA, [RBX]: 50 }, ends: true };
CASES["pointers that change places"] = {
  source: "1: mov (%rsi), %eax; add %eax, (%rdi); lea 4(%rsi), %rdx; lea 4(%rdi), %rsi; mov %rdx, %rdi; dec %rbx; jnz 1b; int3", set: { [RSI]: DATA, [RDI]: DATA + 0x1000, [RBX]: 200 }, ends: true };
// chains of 200 links, the last of which leads to 0 or back to the first: loops that are not looked ahead, and begin where their flags are dead (rotate.ts)
const CHAIN = (last: string): string => `mov $${DATA}, %eax; mov $199, %ecx; 0: lea 40(%rax), %rdx; mov %rdx, (%rax); mov %rdx, %rax; dec %ecx; jnz 0b; movq $${last}, (%rax); mov $${DATA}, %eax; xor %edx, %edx;`;
for (const [what, source] of Object.entries({
  "compares at its end": "1: mov (%rax), %rax; lea 3(%rdx), %rdx; cmp %rdx, %rbx; ja 1b; int3",
  "shifts at its end": "1: mov (%rax), %rax; mov %rax, %rcx; add $1, %rdx; shr $5, %rcx; jmp 1b",
  "has two ways round": "1: mov (%rax), %rax; add $5, %rdx; test $8, %dl; jne 1b; xor %rdx, %rcx; jmp 1b",
  "compares narrow values": `1: mov (%rax), %rax; movzbl %ah, %ecx; cmp $200, %cl; ja 2f; movzwl %ax, %esi; add %cl, %sil; setb %cl; test %si, %si; je 3f; 2: movsbl %cl, %edi; add %rdi, %rdx; not %cl; cmp %cl, %dl; jne 1b
    3: mov $0xfe, %ecx; inc %cl; inc %cl; cmp $1, %cx; jne 1b; dec %rdx; jmp 1b`,
})) {
  CASES[`a chain that ends, in a loop that ${what}`] = { source: `${CHAIN("0")} ${source}`, set: { [RBX]: 1e6 }, ends: false };
}
CASES["a chain that goes round until a number is reached"] = { source: `${CHAIN(String(DATA))} 1: mov (%rax), %rax; lea 3(%rdx), %rdx; cmp %rdx, %rbx; ja 1b; int3`, set: { [RBX]: 4000 }, ends: true };
for (const [what, value] of Object.entries({ "a denormal": 1e-310, "not a number": NaN, infinite: -Infinity, "zero": -0, "very large": 1e300, "very small": 1e-300 }))
  for (const at of [0, 46])
    CASES[`element ${at} is ${what}`] = {
      source: "xorpd %xmm1, %xmm1; 1: movsd (%rsi), %xmm0; unpcklpd %xmm0, %xmm0; mulpd 0x200(%rsi), %xmm0; addpd %xmm0, %xmm1; divpd 0x400(%rsi), %xmm0; subpd %xmm0, %xmm1; movapd %xmm1, 0x800(%rsi); add $16, %rsi; dec %rbx; jnz 1b; int3",
      set: { [RSI]: DATA, [RBX]: 24 },
      doubles: Array.from({ length: 192 }, (_, i) => (i === at || i === at + 70 || i === at + 140 ? value : 1 / (i + 3))),
      ends: true,
    };

test.each(Object.entries(CASES))("%s", async (_, { source, set, doubles, ends }) => {
  const iced = await loadIced();
  const code = assemble(source, CODE);
  const make = (jit: boolean): Cpu => new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: 60_000 });
  const plain = make(false), compiled = make(true);
  const start = (cpu: Cpu): void => {
    cpu.mem.u8.fill(0, CODE, DATA + 0x4000);
    cpu.mem.u8.set(code, CODE);
    cpu.mem.u8.fill(0, 0x100000, 0x104000);
    for (let i = 0; i < 4096; i++) cpu.mem.u8[DATA + i] = i * 7;
    doubles?.forEach((v, i) => cpu.mem.dv.setFloat64(DATA + 8 * i, v, true));
    cpu.code_written(CODE, DATA + 0x4000 - CODE);
    cpu.state.reset();
    cpu.state.set32(ST_MXCSR, PE_ONLY);
    cpu.state.set(RSP, DATA + 0x10000);
    for (const [r, v] of Object.entries(set)) cpu.state.set(Number(r), v);
    cpu.state.rip = CODE;
    cpu.retired = 0;
  };
  const said = (cpu: Cpu): string =>
    [...Array.from({ length: 17 }, (_, r) => cpu.state.get64(r).toString(16)), cpu.state.rflags, cpu.state.get32(ST_MXCSR), cpu.retired, Buffer.from(cpu.mem.u8.subarray(cpu.state.base + ST_XMM, cpu.state.base + ST_XMM + 64)).toString("hex")].join();
  const insn = new Insn();
  const entries: number[] = [];
  start(plain);
  for (let at = CODE; at < CODE + code.length; at += insn.length) {
    plain.decoder.forget();
    plain.decoder.decode(at, insn);
    if (insn.length === 0) break;
    // what .space has left
    if (code[at - CODE] !== 0 || code[at - CODE + 1] !== 0) entries.push(at);
  }
  for (const slice of [1e9, 97]) {
    const stops: string[] = [];
    start(plain);
    for (let exit: number = EXIT_BUDGET; exit === EXIT_BUDGET; ) {
      exit = plain.run(slice);
      stops.push(`${exit} ${exit === EXIT_BUDGET || exit === EXIT_BP ? "" : plain.exit_addr} ${said(plain)}`);
    }
    expect(stops[stops.length - 1]!.startsWith(`${EXIT_BP} `)).toBe(ends);
    for (const entry of entries) {
      compiled.flush();
      start(compiled);
      compiled.jit!.compile(entry);
      for (const stop of stops) {
        const exit = compiled.run(slice);
        expect(`${exit} ${exit === EXIT_BUDGET || exit === EXIT_BP ? "" : compiled.exit_addr} ${said(compiled)}`, `compiled at ${entry.toString(16)}, slices of ${slice}`).toBe(stop);
      }
      expect(Buffer.compare(plain.mem.u8.subarray(0x100000, SIZE), compiled.mem.u8.subarray(0x100000, SIZE)), "memory").toBe(0);
    }
  }
});
