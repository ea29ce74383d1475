// arch/um/signal.ts — signal frames and the way back from them.  cf. arch/x86/um/signal.c, arch/x86/include/uapi/asm/sigcontext.h
//
// From the stack pointer downwards: 128 bytes of red zone, the FXSAVE or XSAVE area (64-byte aligned), siginfo, ucontext, the restorer's address. At the
// handler's first instruction rsp + 8 is a multiple of 16, as after a call.
import { R10, R11, R12, R13, R14, R15, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, REG_RIP, RSI, RSP } from "../../cpu/state.ts";
import { USER_CS, USER_SS } from "../../cpu/insn/segment.ts";
import { SA_ONSTACK } from "../../include/uapi/signal.ts";
import { write_siginfo } from "../../kernel/siginfo.ts";
import { force_sigsegv, on_sig_stack, set_current_blocked, type KSignal } from "../../kernel/signal.ts";
import { restore_altstack, save_altstack } from "../../kernel/signal_calls.ts";
import { get_user_sigset, put_user_sigset } from "../../kernel/signal_types.ts";
import { SYSCALL_DEFINE } from "../../kernel/syscall.ts";
import type { Task } from "../../kernel/task.ts";
import { check_read, check_write, put_user_u32, put_user_u64 } from "../../kernel/uaccess.ts";
import { Errno } from "../../include/uapi/errno.ts";
import { SIGSEGV } from "../../include/uapi/signal.ts";
import { fpstate_flag, fpstate_size, restore_frame, save_frame } from "./fpstate.ts";
import type { UmArch } from "./process.ts";

const RED_ZONE = 128;
/** struct rt_sigframe: pretcode, then the ucontext, then the siginfo */
const UC = 8;
/** uc_flags: the selector of the stack is in the frame, and is put back as it is there */
const UC_SIGCONTEXT_SS = 2;
const UC_STRICT_RESTORE_SS = 4;
const UC_STACK = UC + 16;
const UC_MCONTEXT = UC + 40;
const UC_SIGMASK = UC_MCONTEXT + 256;
const INFO = UC_SIGMASK + 8;
const FRAME_SIZE = INFO + 128;
/** struct sigcontext: the registers in this order, eight bytes each, then rip and rflags */
const SIGCONTEXT = [R8, R9, R10, R11, R12, R13, R14, R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP, REG_RIP] as const;
const SC_RIP = UC_MCONTEXT + 8 * 16;
const SC_FLAGS = SC_RIP + 8;
const SC_SEGMENTS = SC_FLAGS + 8;
const SC_ERR = SC_SEGMENTS + 8;
const SC_FPSTATE = SC_ERR + 32;
const TF = 0x100;
const DF = 0x400;

/** Builds the frame for `ksig` and points the registers at the handler. Throws EFAULT if there is no room for it. */
export function setup_rt_frame(task: Task, ksig: KSignal): void {
  const { cpu } = task.kernel.arch as UmArch;
  const { mem } = task.kernel;
  const { state } = cpu;
  let sp = state.get(RSP) - RED_ZONE;
  const entering = (ksig.ka.flags & SA_ONSTACK) !== 0 && task.sas_ss_size !== 0 && !on_sig_stack(task, state.get(RSP));
  if (entering) sp = task.sas_ss_sp + task.sas_ss_size;
  const size = fpstate_size(cpu);
  const fp = Math.floor((sp - size) / 64) * 64;
  const frame = Math.floor((fp - FRAME_SIZE) / 16) * 16 - 8;
  check_write(mem, frame, fp + size - frame);
  if (entering && frame < task.sas_ss_sp) throw new Overflow();

  const u64 = (at: number, v: number): void => put_user_u64(mem, frame + at, v);
  mem.u8.fill(0, frame, fp + size);
  u64(0, ksig.ka.restorer);
  u64(UC, UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | fpstate_flag(cpu));
  save_altstack(task, frame + UC_STACK);
  SIGCONTEXT.forEach((reg, i) => {
    put_user_u32(mem, frame + UC_MCONTEXT + 8 * i, state.get_lo(reg) >>> 0);
    put_user_u32(mem, frame + UC_MCONTEXT + 8 * i + 4, state.get_hi(reg) >>> 0);
  });
  u64(SC_FLAGS, (task.single_step ? state.rflags & ~TF : state.rflags) >>> 0);
  mem.view.setUint16(frame + SC_SEGMENTS, USER_CS, true);
  mem.view.setUint16(frame + SC_SEGMENTS + 6, USER_SS, true);
  u64(SC_ERR, task.thread.error_code);
  u64(SC_ERR + 8, task.thread.trap_no);
  u64(SC_ERR + 16, task.blocked.lo >>> 0);
  u64(SC_ERR + 24, task.thread.cr2);
  u64(SC_FPSTATE, fp);
  put_user_sigset(mem, frame + UC_SIGMASK, task.saved_sigmask ?? task.blocked);
  write_siginfo(mem.view, frame + INFO, ksig.info);
  save_frame(cpu, fp);
  cpu.code_written(frame, fp + size - frame);
  // the handler begins with floats as a program does
  state.resetFloats();

  state.set(RDI, ksig.sig);
  state.set(RSI, frame + INFO);
  state.set(RDX, frame + UC);
  state.set(RAX, 0);
  state.set(RSP, frame);
  state.rflags = task.single_step ? state.rflags & ~DF : state.rflags & ~(TF | DF);
  state.rip = ksig.ka.handler;
}

/** The alternate stack is full: SIGSEGV, as for a stack that cannot be written. */
export class Overflow {}

/** rt_sigreturn(2): everything as the frame says. rsp points just above the restorer's address. */
export const sys_rt_sigreturn = SYSCALL_DEFINE("rt_sigreturn", [], (task) => {
  const { cpu } = task.kernel.arch as UmArch;
  const { mem } = task.kernel;
  const { state } = cpu;
  const frame = state.get(RSP) - 8;
  // whatever is restored is no result of a call, and nothing to restart
  task.syscall_nr = -1;
  task.thread.orig_ax = -1;
  try {
    check_read(mem, frame, FRAME_SIZE);
    const v = mem.view;
    set_current_blocked(task, get_user_sigset(mem, frame + UC_SIGMASK));
    SIGCONTEXT.forEach((reg, i) => state.set_lo_hi(reg, v.getInt32(frame + UC_MCONTEXT + 8 * i, true), v.getInt32(frame + UC_MCONTEXT + 8 * i + 4, true)));
    state.rflags = v.getUint32(frame + SC_FLAGS, true);
    state.replaced();
    const fp = v.getUint32(frame + SC_FPSTATE, true) + v.getUint32(frame + SC_FPSTATE + 4, true) * 0x100000000;
    restore_frame(cpu, mem, fp);
    restore_altstack(task, frame + UC_STACK, state.get(RSP));
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
    force_sigsegv(SIGSEGV, task);
  }
  return 0;
});
