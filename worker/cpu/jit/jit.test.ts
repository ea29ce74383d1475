// worker/cpu/jit/jit.test.ts — compiled code against the interpreter: wherever it is entered, and wherever it has to stop.

import { expect, test } from "vitest";
import { assemble } from "../../test/asm.ts";
import { Cpu, cpuBytes } from "../cpu.ts";
import { Insn } from "../decode.ts";
import { EXIT_BP, EXIT_BUDGET, EXIT_KERNEL } from "../exit.ts";
import { loadIced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { R8, RAX, RBP, RBX, RCX, RDX, RSP } from "../state.ts";

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
  "a loop that is entered beside its first block": `
  mov $5, %edx; mov $3, %edi; test $1, %bl; je 2f; test $1, %cl; je 3f
2: add (%rsi), %ebx; dec %edx; jg 2b; mov $2, %edx
3: add %edx, %ecx; dec %edi; jg 2b; int3`,
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
  "loops within loops, in a function": `
call 1f; int3
1: push %rbx; mov $3, %r8d
2: mov $2, %r9d; mov $2, %r10d; add %r8, %rax; test $1, %al; je 4f
3: mov $3, %r10d; jmp 5f
4: add $7, %rbx; test $8, %al; jne 6f
5: lea (%rax,%rbx,2), %rax; mov %rax, -0x40(%rsp); dec %r10d; jg 5b
   xor %rbx, %rax; test $8, %al; jne 7f
6: dec %r9d; jnz 3b
7: dec %r8d; jnz 2b
   pop %rbx; ret`,
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
      // it is seen where a function begins
      start(compiled);
      compiled.run(1);
      compiled.run(2);
      compiled.jit!.compile(entry);
      // each byte of code is watched once
      for (const { ranges } of compiled.jit!.list()) expect(ranges.every(([from, to], i) => from < to && (i === 0 || from > ranges[i - 1]![1]))).toBe(true);
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
  });

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

test("what only compiled code goes to is compiled as well", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true });
  // the second half of the loop, which is compiled by then, calls something else
  const code = assemble("1: call *%rbx; cmp $100000, %ecx; cmove %rdx, %rbx; dec %ecx; jnz 1b; int3; .balign 64; ret; .balign 64; add $1, %rax; ret", CODE);
  cpu.mem.u8.set(code, CODE);
  cpu.state.rip = CODE;
  cpu.state.set(RSP, 0x300000);
  cpu.state.set(RCX, 200_000);
  cpu.state.set(RBX, CODE + 64);
  cpu.state.set(RDX, CODE + 128);
  expect(cpu.run(10_000_000)).toBe(EXIT_BP);
  expect(cpu.state.get(RAX)).toBe(99_999);
  expect(cpu.jit!.slotAt(CODE + 128)).toBeGreaterThan(0);
});


// the trampoline, in short: nops, and on to the door
const DOOR = 0x1000;
const TRAMPOLINE = `1: mov $3, %eax; call *%rbx; add %rax, %r8; dec %ebp; jnz 1b; int3; .balign 64; nop; nop; nop; mov $${DOOR}, %r11d; pop %rcx; jmp *%r11`;

/** calls that its program makes */
const CALLS = 1500;
/** What a small kernel does at the door, and what it sees there. */
function called(cpu: Pick<Cpu, "state" | "retired">, log: string[], n: number): void {
  const { state } = cpu;
  log.push([cpu.retired, state.rip, state.rflags, ...Array.from({ length: 16 }, (_, r) => state.get(r))].join());
  state.set(RAX, n % 50);
  if (n % 50 === 49) state.set(R8, 7); // the caller's own registers, as a signal's frame would
  if (n % 70 === 69) state.rip = CODE + 0x80; // elsewhere: which jumps back by itself
}

test("a call from compiled code is what it is from any other: registers, counts, and where it goes on", async () => {
  const iced = await loadIced();
  const code = assemble(`${TRAMPOLINE}; .balign 128; inc %r9; jmp *%rcx`, CODE);
  const run = (jit: boolean, slice: number, cost = 0, hot = 20): { log: string[]; inside: number; cpu: Cpu } => {
    const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot });
    cpu.mem.u8.set(code, CODE);
    cpu.mem.u8.set([0x0f, 0x01, 0xc1, 0xff, 0xe1], DOOR);
    cpu.door = DOOR;
    cpu.state.rip = CODE;
    cpu.state.set(RSP, 0x300000);
    cpu.state.set(RBX, CODE + 64);
    cpu.state.set(RBP, CALLS);
    const log: string[] = [];
    let calls = 0, inside = 0, until = 0;
    // instructions that are accounted for; calls in the log that are not; what had retired when cpu.told was last cleared
    let known = 0, waiting = 0, since = 0;
    const account = (): void => {
      known += cpu.log.insns;
      cpu.log.accounted();
      waiting = 0;
    };
    const follow = (): number => {
      since = cpu.retired;
      cpu.told = 0;
      return until - cpu.retired;
    };
    cpu.kernel = {
      cost,
      tag: 7,
      called: () => {
        inside++;
        account();
        known = cpu.retired;
        called(cpu, log, calls++);
        return follow();
      },
      quick: (rax) => {
        inside++;
        expect(rax).toBe(3);
        expect(cpu.log.calls).toBe(++waiting);
        const retired = known + cpu.log.insns;
        expect(cpu.retiredNow()).toBe(retired);
        called({ state: cpu.state, retired }, log, calls++);
        if (calls % 5 === 0) account();
        if (calls % 11 === 0) cpu.attend();
      },
      again: () => {
        expect(cpu.retired).toBe(known + cpu.log.insns);
        expect(cpu.told).toBe(cpu.retired - since);
        return follow();
      },
    };
    for (;;) {
      until = cpu.retired + slice;
      const exit = cpu.run(slice);
      if (exit === EXIT_KERNEL) called(cpu, log, calls++);
      else if (exit === EXIT_BP) break;
      else expect(exit).toBe(EXIT_BUDGET);
      expect(cpu.retired).toBeLessThanOrEqual(until);
    }
    return { log, inside, cpu };
  };
  const plain = run(false, 1000);
  expect(plain.inside).toBe(0);
  expect(plain.log.length).toBe(CALLS);
  for (const slice of [5, 17, 100, 10_000]) {
    const compiled = run(true, slice);
    expect(compiled.log).toEqual(plain.log);
    expect(compiled.cpu.state.save()).toEqual(plain.cpu.state.save());
    expect(compiled.cpu.retired).toBe(plain.cpu.retired);
    if (slice === 10_000) expect(compiled.inside).toBeGreaterThan(0.9 * CALLS);
    // hot ones have the trampoline as part of the caller's code
    for (const [cost, hot] of slice === 17 || slice === 10_000 ? [[1, 20], [30, 600], [0, 600]] as const : []) {
      const quick = run(true, slice, cost, hot);
      expect(quick.log).toEqual(plain.log);
      expect(quick.cpu.state.save()).toEqual(plain.cpu.state.save());
      expect(quick.cpu.retired).toBe(plain.cpu.retired);
      if (slice < 10_000 || cost === 0) continue;
      // what was noted, by $door and without it
      const { log } = quick.cpu;
      expect(log.noted).toBeGreaterThan(hot === 20 ? 0.8 * CALLS : 0.4 * CALLS);
      expect(log.histogram[3]).toBe(log.noted);
      expect([...log.recent()]).toEqual(Array.from({ length: 16 }, () => [7, 3]).flat());
      const at = plain.log.map((line) => Number(line.split(",")[0]));
      expect(at.filter((n) => log.before(n) === n - 1).length).toBe(log.noted);
    }
  }
});

test("a jump to where there is no memory goes to just that address", async () => {
  const iced = await loadIced();
  // 8 MiB back from 1 MiB: the address is near 2^64
  const code = assemble("1: dec %ebp; jnz 1b; .byte 0xe9; .long -0x800000", CODE);
  const end = (jit: boolean): readonly [number, number, Uint8Array] => {
    const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit, hot: 50 });
    cpu.mem.u8.set(code, CODE);
    cpu.state.rip = CODE;
    cpu.state.set(RBP, 100_000);
    const exit = cpu.run(10_000_000);
    return [exit, cpu.state.rip, cpu.state.save()];
  };
  expect(end(true)).toEqual(end(false));
});

test("an interpreter whose instructions jump to each other leaves nothing on the stack", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 4096), true), { iced, records: 4096, jit: true, hot: 16 });
  // each piece goes on at an address from a table that nobody could know of; far from each other, so that each is compiled by itself
  const PIECES = 8, TABLE = 0x200000;
  for (let n = 0; n < PIECES; n++) {
    const at = CODE + n * 0x4040;
    const end = n === 0 ? "dec %ecx; jz 9f;" : "";
    cpu.mem.u8.set(assemble(`add $${n + 1}, %rax; ${end} mov (%rsi), %rdx; add $8, %rsi; and $-65, %rsi; jmp *%rdx; 9: int3`, at), at);
    cpu.mem.dv.setBigUint64(TABLE + 8 * n, BigInt(CODE + ((n + 1) % PIECES) * 0x4040), true);
  }
  cpu.state.rip = CODE;
  cpu.state.set(RCX, 200_000);
  cpu.state.set(6, TABLE);
  expect(cpu.run(50_000_000)).toBe(EXIT_BP);
  expect(cpu.jit!.counters.regions).toBeGreaterThanOrEqual(PIECES);
  expect(cpu.state.get(RAX)).toBe(199_999 * 36 + 1);
});

test("a function with a great many values may call itself as deep as it likes", async () => {
  const iced = await loadIced();
  const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 65536), true), { iced, records: 65536, jit: true, hot: 16 });
  const much = Array.from({ length: 400 }, (_, n) => `mov ${8 * (n % 60)}(%rdi), %r8; imul %r8, %r9; add %r9, %rbx; cmp $${n}, %r8; je 7f`).join("; ");
  cpu.mem.u8.set(assemble(`1: call 2f; int3; 2: ${much}; 7: dec %ecx; jz 3f; call 2b; 3: inc %rax; ret`, CODE), CODE);
  for (let n = 0; n < 60; n++) cpu.mem.dv.setBigUint64(0x200000 + 8 * n, BigInt(1000 + n), true);
  for (const depth of [100, 20_000]) {
    cpu.state.reset();
    cpu.state.rip = CODE;
    cpu.state.set(RSP, 0x3ffff0);
    cpu.state.set(RCX, depth);
    cpu.state.set(7, 0x200000);
    expect(cpu.run(100_000_000)).toBe(EXIT_BP);
    expect(cpu.state.get(RAX)).toBe(depth);
  }
});
