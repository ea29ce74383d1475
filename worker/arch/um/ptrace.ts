// arch/um/ptrace.ts — registers as ptrace(2) shows them.  cf. arch/x86/um/ptrace_64.c, arch/x86/include/asm/user_64.h
import type { Cpu } from "../../cpu/cpu.ts";
import {
  type CpuState, R10, R11, R12, R13, R14, R15, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, REG_FS_BASE, REG_GS_BASE, REG_RIP, RSI, RSP, ST_DS, ST_ES, ST_FS, ST_GS, TF,
} from "../../cpu/state.ts";
import { USER_CS, USER_SS } from "../../cpu/insn/segment.ts";
import { USER_FPREGS_SIZE, USER_REGS_SIZE } from "../../include/uapi/ptrace.ts";
import type { Task } from "../../kernel/task.ts";
import { restore_fpstate, save_fpstate } from "./fpstate.ts";

/** struct user_regs_struct, a word each; what is no register of the CPU's has a case of its own below */
const ORIG_RAX = -1, CS = -2, EFLAGS = -3, SS = -4, DS = -5, ES = -6, FS = -7, GS = -8;
const USER_REGS = [
  R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI, ORIG_RAX, REG_RIP, CS, EFLAGS, RSP, SS, REG_FS_BASE, REG_GS_BASE, DS, ES, FS, GS,
] as const;
const KEPT = new Map<number, number>([[DS, ST_DS], [ES, ST_ES], [FS, ST_FS], [GS, ST_GS]]);
/** kernel memory below the page pool: room for one FXSAVE image while it is made */
const SCRATCH = 0xff000;

/** The registers in the CPU, which are `task`'s. */
export function get_user_regs(state: CpuState, task: Task): Uint8Array {
  const regs = new Uint8Array(USER_REGS_SIZE);
  const v = new DataView(regs.buffer);
  USER_REGS.forEach((reg, i) => {
    let lo = 0;
    let hi = 0;
    if (reg >= 0) {
      lo = state.get_lo(reg);
      hi = state.get_hi(reg);
    } else if (reg === ORIG_RAX) {
      lo = task.syscall_nr >= 0 ? task.syscall_nr | 0 : task.thread.orig_ax;
      hi = lo < 0 ? -1 : 0;
    } else if (reg === CS) lo = USER_CS;
    else if (reg === SS) lo = USER_SS;
    else if (reg === EFLAGS) lo = task.single_step ? state.rflags & ~TF : state.rflags;
    else lo = state.get32(KEPT.get(reg)!);
    v.setInt32(8 * i, lo, true);
    v.setInt32(8 * i + 4, hi, true);
  });
  return regs;
}
/** Segments stay what they are; the number of a call that is about to be made is changed with orig_rax. */
export function set_user_regs(state: CpuState, task: Task, regs: Uint8Array): void {
  const v = new DataView(regs.buffer, regs.byteOffset);
  USER_REGS.forEach((reg, i) => {
    const lo = v.getInt32(8 * i, true);
    const hi = v.getInt32(8 * i + 4, true);
    if (reg >= 0) state.set_lo_hi(reg, lo, hi);
    else if (reg === ORIG_RAX) {
      if (task.syscall_nr >= 0) task.syscall_nr = lo >>> 0;
      else task.thread.orig_ax = lo;
    } else if (reg === EFLAGS) state.rflags = task.single_step ? lo | TF : lo;
  });
}

function with_scratch<T>(cpu: Cpu, work: (bytes: Uint8Array) => T): T {
  const bytes = cpu.mem.u8.subarray(SCRATCH, SCRATCH + USER_FPREGS_SIZE);
  const kept = bytes.slice();
  bytes.fill(0);
  try {
    return work(bytes);
  } finally {
    bytes.set(kept);
  }
}
/** The FXSAVE image of what is in the CPU. */
export function get_user_fpregs(cpu: Cpu): Uint8Array {
  return with_scratch(cpu, (bytes) => {
    save_fpstate(cpu, SCRATCH);
    return Uint8Array.from(bytes);
  });
}
export function set_user_fpregs(cpu: Cpu, regs: Uint8Array): void {
  with_scratch(cpu, (bytes) => {
    bytes.set(regs);
    restore_fpstate(cpu, SCRATCH);
  });
}
