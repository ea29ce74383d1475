// arch/um/fpstate.ts — floating point and vectors in signal frames and for ptrace: an FXSAVE image, with AVX an XSAVE area.  cf. arch/x86/kernel/fpu/signal.c
import type { Cpu } from "../../cpu/cpu.ts";
import { ST_MXCSR, ST_XMM } from "../../cpu/state.ts";
import { EFAULT } from "../../include/uapi/errno.ts";
import { check_read, type Memory } from "../../kernel/uaccess.ts";

export const FXSAVE_SIZE = 512;
const FX_MXCSR = 24;
const FX_XMM = 160;
const MXCSR_MASK = 0xffff;
/** struct _fpx_sw_bytes, in what FXSAVE leaves alone: first magic, size with the second one, features, size without */
const FX_SW = 464;
const FP_XSTATE_MAGIC1 = 0x46505853;
const FP_XSTATE_MAGIC2 = 0x46505845;
const XSTATE_BV = 512;
const XSAVE_YMMH = 576;
const XSAVE_SIZE = 832;
const XFEATURES = 7;
const YMM = 4;
/** cpuid leaf 1, ecx */
const AVX = 1 << 28;

const has_avx = (cpu: Cpu): boolean => (cpu.cpuid(1, 0)[2] & AVX) !== 0;

/** Bytes of the state in a frame, and the flag of a ucontext that says that it is extended. */
export const fpstate_size = (cpu: Cpu): number => (has_avx(cpu) ? XSAVE_SIZE + 4 : FXSAVE_SIZE);
export const fpstate_flag = (cpu: Cpu): number => (has_avx(cpu) ? 1 : 0);

function copyXmm(cpu: Cpu, addr: number, upper: 0 | 16, restore: boolean): void {
  const { u8 } = cpu.mem;
  for (let i = 0; i < 16; i++) {
    const at = cpu.state.base + ST_XMM + 32 * i + upper, there = addr + 16 * i;
    if (restore) u8.copyWithin(at, there, there + 16);
    else u8.copyWithin(there, at, at + 16);
  }
}

/** The whole FXSAVE image: x87, MXCSR and its mask, the XMM registers. */
export function save_fpstate(cpu: Cpu, addr: number): void {
  const { dv } = cpu.mem;
  cpu.fpu.fxsave(addr);
  dv.setUint32(addr + FX_MXCSR, cpu.state.get32(ST_MXCSR), true);
  dv.setUint32(addr + FX_MXCSR + 4, MXCSR_MASK, true);
  copyXmm(cpu, addr + FX_XMM, 0, false);
}
export function restore_fpstate(cpu: Cpu, addr: number): void {
  cpu.fpu.fxrstor(addr);
  cpu.state.set32(ST_MXCSR, cpu.mem.dv.getUint32(addr + FX_MXCSR, true) & MXCSR_MASK);
  copyXmm(cpu, addr + FX_XMM, 0, true);
}

/** What a frame has, of fpstate_size bytes that are zero.  cf. copy_fpstate_to_sigframe() */
export function save_frame(cpu: Cpu, addr: number): void {
  const { dv } = cpu.mem;
  save_fpstate(cpu, addr);
  if (!has_avx(cpu)) return;
  dv.setUint32(addr + FX_SW, FP_XSTATE_MAGIC1, true);
  dv.setUint32(addr + FX_SW + 4, XSAVE_SIZE + 4, true);
  dv.setUint32(addr + FX_SW + 8, XFEATURES, true);
  dv.setUint32(addr + FX_SW + 16, XSAVE_SIZE, true);
  dv.setUint32(addr + XSTATE_BV, XFEATURES, true);
  copyXmm(cpu, addr + XSAVE_YMMH, 16, false);
  dv.setUint32(addr + XSAVE_SIZE, FP_XSTATE_MAGIC2, true);
}
/** Back from a frame, whose program may have changed it, or taken it away. EFAULT if it cannot be read, or has reserved bits in MXCSR.  cf. restore_fpregs_from_user() */
export function restore_frame(cpu: Cpu, mem: Memory, addr: number): void {
  if (addr === 0) return cpu.state.resetFloats();
  check_read(mem, addr, FXSAVE_SIZE);
  const { dv } = cpu.mem;
  if ((dv.getUint32(addr + FX_MXCSR, true) & ~MXCSR_MASK) !== 0) throw EFAULT;
  let parts = XFEATURES & ~YMM;
  if (has_avx(cpu) && dv.getUint32(addr + FX_SW, true) === FP_XSTATE_MAGIC1 && dv.getUint32(addr + FX_SW + 4, true) === XSAVE_SIZE + 4) {
    check_read(mem, addr, XSAVE_SIZE + 4);
    if (dv.getUint32(addr + XSAVE_SIZE, true) === FP_XSTATE_MAGIC2) parts = dv.getUint32(addr + XSTATE_BV, true) & XFEATURES;
  }
  cpu.state.resetFloats();
  const mxcsr = dv.getUint32(addr + FX_MXCSR, true);
  if ((parts & 1) !== 0) cpu.fpu.fxrstor(addr);
  if ((parts & 2) !== 0) copyXmm(cpu, addr + FX_XMM, 0, true);
  if ((parts & YMM) !== 0) copyXmm(cpu, addr + XSAVE_YMMH, 16, true);
  cpu.state.set32(ST_MXCSR, mxcsr);
}
