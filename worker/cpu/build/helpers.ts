// worker/cpu/build/helpers.ts — slow paths shared by all executors: plain functions on the CPU state block, reached by b.call(name).

import type { GuestMemory } from "../memory.ts";
import type { SseFloat } from "../sse.ts";
import type { CpuState } from "../state.ts";
import type { X87 } from "../x87.ts";
import { ST_ARG, ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_RET, ST_XARG, ST_XRET } from "../state.ts";
import { EXIT_ADDRESS, EXIT_PF } from "../exit.ts";
import { GUEST_READ_MIN, GUEST_WRITE_MIN } from "../memory.ts";

/** What a helper may touch. */
export interface HelperContext {
  readonly mem: GuestMemory;
  readonly state: CpuState;
  /** Instructions retired before the present one. */
  retiredNow(): number;
  /** A helper has written guest memory: decoded code there must go. */
  code_written(address: number, length: number): void;
  /** What cpuid answers: eax, ebx, ecx, edx. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
  /** Where vmcall is legal. */
  readonly door: number;
  /** The x87, and SSE's floating point beyond the fast path. */
  readonly fpu: X87;
  readonly sse: SseFloat;
}

/** Does its work and returns 0, or an EXIT_* number: then it must have changed nothing (or what hardware changes). */
export type Helper = (cpu: HelperContext) => number;

/** Byte address of argument n (u64), of result n, of vector argument n, of the vector result. */
export const argAddress = (cpu: HelperContext, n: number): number => cpu.state.base + ST_ARG + 8 * n;
export const retAddress = (cpu: HelperContext, n: number): number => cpu.state.base + ST_RET + 8 * n;
export const xargAddress = (cpu: HelperContext, n: number): number => cpu.state.base + ST_XARG + 16 * n;
export const xretAddress = (cpu: HelperContext): number => cpu.state.base + ST_XRET;

/** Argument n as an unsigned number (exact below 2^53). */
export function arg(cpu: HelperContext, n: number): number {
  const at = argAddress(cpu, n);
  return cpu.mem.dv.getUint32(at + 4, true) * 0x1_0000_0000 + cpu.mem.dv.getUint32(at, true);
}
/** Low 32 bits of argument n, signed. */
export function arg32(cpu: HelperContext, n: number): number {
  return cpu.mem.dv.getInt32(argAddress(cpu, n), true);
}
export function arg64(cpu: HelperContext, n: number): bigint {
  return cpu.mem.dv.getBigUint64(argAddress(cpu, n), true);
}
/** Sets result n; negative numbers are sign-extended. */
export function setRet(cpu: HelperContext, n: number, value: number): void {
  const at = retAddress(cpu, n);
  cpu.mem.dv.setInt32(at, value | 0, true);
  cpu.mem.dv.setInt32(at + 4, Math.floor(value / 0x1_0000_0000) | 0, true);
}
export function setRet64(cpu: HelperContext, n: number, value: bigint): void {
  cpu.mem.dv.setBigUint64(retAddress(cpu, n), BigInt.asUintN(64, value), true);
}

/** 0 if [address, address + length) may be read or written, else the exit, noted. `address`: as arg() gives it. */
export function checkAccess(cpu: HelperContext, address: number, length: number, write: boolean): number {
  const min = write ? GUEST_WRITE_MIN : GUEST_READ_MIN;
  if (address >= min && address + length <= cpu.mem.size) return 0;
  const hi = Math.floor(address / 0x1_0000_0000);
  cpu.state.set32(ST_EXIT_ADDR, address % 0x1_0000_0000 | 0);
  cpu.state.set32(ST_EXIT_ADDR + 4, hi | 0);
  cpu.state.set32(ST_EXIT_FLAGS, (write ? 1 : 0) | (length << 8));
  return hi >= 0x8000 && hi < 0xffff8000 ? EXIT_ADDRESS : EXIT_PF;
}

/** A file of helpers exports one of these, by name. */
export type Helpers = Readonly<Record<string, Helper>>;
