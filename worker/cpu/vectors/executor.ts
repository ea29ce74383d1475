// worker/cpu/vectors/executor.ts — puts a recorded state into a Cpu, runs it, and takes the state out again

import { Cpu, cpuBytes, type CpuOptions } from "../cpu.ts";
import type { Iced } from "../iced.ts";
import { GuestMemory } from "../memory.ts";
import { USER_CS, USER_SS } from "../insn/segment.ts";
import { Oracle } from "../oracle.ts";
import * as exits from "../exit.ts";
import { RAX, ST_DS, ST_ES, ST_EXIT_ADDR, ST_FCW, ST_FS, ST_FS_BASE, ST_FSW, ST_GS, ST_GS_BASE, ST_MXCSR, ST_XMM } from "../state.ts";
import { X87 } from "../x87.ts";
import { CODE, CODE_SIZE, DATA, DATA_SIZE, FS_BASE, GS_BASE, type Outcome, type State } from "./state.ts";

/** Every executor: how the Cpu is made, and how many instructions run() is given at a time. */
export interface Executor {
  readonly name: string;
  readonly options: Partial<CpuOptions>;
  readonly budget: number;
  readonly oracle?: boolean;
  /** compiled code is made when the counts say so; otherwise at once, wherever the case begins */
  readonly tiered?: boolean;
  /** instructions are joined into runs at once, wherever the case begins */
  readonly joined?: boolean;
}
export const EXECUTORS: readonly Executor[] = [
  { name: "interpreter", options: { cpu: "v3" }, budget: 1_000_000 },
  { name: "interpreter, single steps", options: { cpu: "v3" }, budget: 1 },
  { name: "interpreter, joined", options: { cpu: "v3" }, budget: 1_000_000, joined: true },
  { name: "compiled", options: { cpu: "v3", jit: true, hot: 2 }, budget: 1_000_000 },
  { name: "oracle", options: { cpu: "v3" }, budget: 1_000_000, oracle: true },
];

/** For programs that run long enough to get hot. Those in slices stop at many places, and go on there. */
export const TIERED: readonly Executor[] = [
  { name: "interpreter, joined when warm", options: { cpu: "v3", warm: 2 }, budget: 1_000_000, tiered: true },
  { name: "interpreter, joined when warm, in slices", options: { cpu: "v3", warm: 2 }, budget: 149, tiered: true },
  { name: "compiled when hot", options: { cpu: "v3", warm: 4, jit: true, hot: 8 }, budget: 1_000_000, tiered: true },
  { name: "compiled when hot, in slices", options: { cpu: "v3", jit: true, hot: 3 }, budget: 149, tiered: true },
];

/** A Cpu of its own for an executor. */
export function makeExecutor(e: Executor, iced: Iced): Cpu {
  const cpu = new Cpu(new GuestMemory(MEMORY_SIZE, cpuBytes(MEMORY_SIZE, 8192), true), { iced, records: 8192, ...e.options });
  if (e.oracle) {
    const oracle = new Oracle(cpu);
    cpu.run = (n) => oracle.run(n);
  }
  return cpu;
}
/** A case that has not ended after so many instructions never will: natively the clock stops it, after some 500 million. */
const MOST = 50_000_000;

/** Guest memory that the recorded addresses need. */
export const MEMORY_SIZE = 32 << 20;
/** Room in guest memory, away from code and data, for an FXSAVE image. */
const SCRATCH = 0x1200000;

/** Vector of the trap that an exit stands for. */
const TRAPS = new Map<number, number>([
  [exits.EXIT_PF, 14], [exits.EXIT_UD, 6], [exits.EXIT_DE, 0], [exits.EXIT_GP, 13], [exits.EXIT_BP, 3], [exits.EXIT_DB, 1], [exits.EXIT_MF, 16], [exits.EXIT_XM, 19], [exits.EXIT_SS, 12], [exits.EXIT_INT, 13], [exits.EXIT_OF, 4], [exits.EXIT_SELECTOR, 13],
]);

/** Runs a case to its trap, `budget` instructions at a time. Trap -1: an exit that is no trap, or it never ended. */
export function execute(cpu: Cpu, from: State, { budget, tiered, joined }: Executor): Outcome {
  const { mem, state } = cpu;
  const fpu = new X87(state);
  mem.u8.set(from.code, CODE);
  cpu.code_written(CODE, CODE_SIZE);
  mem.u8.set(from.data, DATA);
  state.reset();
  for (let i = 0; i < 16; i++) state.set64(RAX + i, from.gpr[i]!);
  state.rip = Number(from.rip);
  state.fs_base = FS_BASE;
  state.gs_base = GS_BASE;
  mem.u8.set(from.fx, SCRATCH);
  fpu.fxrstor(SCRATCH);
  const fx = new DataView(from.fx.buffer, from.fx.byteOffset);
  state.set32(ST_MXCSR, fx.getUint32(24, true));
  for (let i = 0; i < 16; i++) mem.u8.set(from.fx.subarray(160 + 16 * i, 176 + 16 * i), state.base + ST_XMM + 32 * i);
  for (let i = 0; i < 16; i++) mem.u8.set(from.ymmh.subarray(16 * i, 16 * i + 16), state.base + ST_XMM + 32 * i + 16);
  state.rflags = Number(from.rflags);

  // whatever was there before
  if (cpu.jit !== undefined || tiered === true) cpu.flush();
  if (tiered !== true) cpu.jit?.compile(state.rip);
  if (joined === true) cpu.interpreter.join(state.rip);
  let exit: number = exits.EXIT_BUDGET;
  const end = cpu.retired + MOST;
  while (exit === exits.EXIT_BUDGET && cpu.retired < end) exit = cpu.run(budget);

  const gpr = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) gpr[i] = state.get64(RAX + i);
  fpu.fxsave(SCRATCH);
  const out = mem.u8.slice(SCRATCH, SCRATCH + 512);
  const outFx = new DataView(out.buffer);
  outFx.setUint32(24, state.get32(ST_MXCSR), true);
  outFx.setUint16(0, state.get32(ST_FCW), true);
  outFx.setUint16(2, state.get32(ST_FSW), true);
  const ymmh = new Uint8Array(256);
  for (let i = 0; i < 16; i++) {
    out.set(mem.u8.subarray(state.base + ST_XMM + 32 * i, state.base + ST_XMM + 32 * i + 16), 160 + 16 * i);
    ymmh.set(mem.u8.subarray(state.base + ST_XMM + 32 * i + 16, state.base + ST_XMM + 32 * i + 32), 16 * i);
  }
  return {
    trap: TRAPS.get(exit) ?? -1, sig: 0, err: cpu.exit_write ? 2 : 0, cr2: exit === exits.EXIT_PF ? BigInt.asUintN(64, exitAddress(cpu)) : 0n, gpr, rip: BigInt(state.rip), rflags: BigInt(state.rflags),
    fx: out, ymmh, code: mem.u8.slice(CODE, CODE + CODE_SIZE), data: mem.u8.slice(DATA, DATA + DATA_SIZE), avx: from.avx,
    fsBase: state.get64(ST_FS_BASE >> 3), gsBase: state.get64(ST_GS_BASE >> 3), selectors: [state.get32(ST_ES), USER_CS, USER_SS, state.get32(ST_DS), state.get32(ST_FS), state.get32(ST_GS)],
  };
}

/** exit_addr is a double: the upper addresses of data are exact only in the state block. */
function exitAddress(cpu: Cpu): bigint {
  return cpu.exit_exec ? BigInt(cpu.exit_addr) : cpu.state.get64(ST_EXIT_ADDR >> 3);
}
