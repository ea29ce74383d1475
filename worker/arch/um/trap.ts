// arch/um/trap.ts — faults of the CPU as signals.  cf. arch/um/nommu/trap.c, arch/x86/kernel/traps.c
import {
  EXIT_BP, EXIT_DB, EXIT_DE, EXIT_GP, EXIT_INT, EXIT_MF, EXIT_NAMES, EXIT_OF, EXIT_PF, EXIT_SELECTOR, EXIT_SS, EXIT_UD, EXIT_XM, type Exit,
} from "../../cpu/exit.ts";
import { ST_FCW, ST_FSW, ST_MXCSR, RSP } from "../../cpu/state.ts";
import { SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SI_KERNEL } from "../../include/uapi/signal.ts";
import { force_sig_info } from "../../kernel/signal.ts";
import type { Task } from "../../kernel/task.ts";
import { BUG } from "../../kernel/panic.ts";
import { KERN_EMERG, KERN_INFO } from "../../kernel/printk.ts";
import type { UmArch } from "./process.ts";

const SEGV_MAPERR = 1;
const ILL_ILLOPN = 2;
const FPE_INTDIV = 1;
const FPE_FLTDIV = 3;
const FPE_FLTOVF = 4;
const FPE_FLTUND = 5;
const FPE_FLTRES = 6;
const FPE_FLTINV = 7;
const TRAP_TRACE = 2;

/** si_code for a floating-point exception from its status bits, those unmasked only. */
function fpe_code(bits: number): number {
  if ((bits & 1) !== 0) return FPE_FLTINV;
  if ((bits & 4) !== 0) return FPE_FLTDIV;
  if ((bits & 8) !== 0) return FPE_FLTOVF;
  if ((bits & 0x12) !== 0) return FPE_FLTUND;
  return (bits & 0x20) !== 0 ? FPE_FLTRES : 0;
}

/** Sends the signal that the exit stands for. */
export function relay_signal(task: Task, exit: Exit): void {
  const { cpu } = task.kernel.arch as UmArch;
  const { thread } = task;
  const rip = cpu.state.rip;
  const send = (signo: number, code: number, addr: number, trap_no: number, error_code = 0): void => {
    thread.trap_no = trap_no;
    thread.error_code = error_code;
    thread.orig_ax = -1;
    force_sig_info({ signo, errno: 0, code, addr, trapno: trap_no }, task);
  };
  switch (exit) {
    case EXIT_PF: {
      // user mode, plus write and fetch, as the hardware's error code has them
      const error = 4 | (cpu.exit_write ? 2 : 0) | (cpu.exit_exec ? 16 : 0);
      thread.cr2 = cpu.exit_addr;
      show_segv(task, cpu.exit_addr, rip, cpu.state.get(RSP), error);
      return send(SIGSEGV, SEGV_MAPERR, cpu.exit_addr, 14, error);
    }
    case EXIT_GP:
      return send(SIGSEGV, SI_KERNEL, 0, 13);
    case EXIT_SELECTOR:
      return send(SIGSEGV, SI_KERNEL, 0, 13, cpu.exit_vector);
    case EXIT_OF:
      return send(SIGSEGV, SI_KERNEL, 0, 4);
    case EXIT_SS:
      return send(SIGBUS, SI_KERNEL, 0, 12);
    case EXIT_INT:
      return send(SIGSEGV, SI_KERNEL, 0, 13, cpu.exit_vector * 8 + 2);
    case EXIT_UD:
      return send(SIGILL, ILL_ILLOPN, rip, 6);
    case EXIT_DE:
      return send(SIGFPE, FPE_INTDIV, rip, 0);
    case EXIT_MF:
      return send(SIGFPE, fpe_code(cpu.state.get32(ST_FSW) & ~cpu.state.get32(ST_FCW) & 0x3f), rip, 16);
    case EXIT_XM: {
      const mxcsr = cpu.state.get32(ST_MXCSR);
      return send(SIGFPE, fpe_code(mxcsr & ~(mxcsr >> 7) & 0x3f), rip, 19);
    }
    case EXIT_BP:
      return send(SIGTRAP, SI_KERNEL, 0, 3);
    case EXIT_DB:
      return send(SIGTRAP, TRAP_TRACE, rip, 1);
    default:
      BUG(`exit ${EXIT_NAMES[exit]} reached the trap handler`);
  }
}

/** The line that Linux logs for a fault that nobody handles.  cf. arch/um/kernel/trap.c show_segv_info() */
function show_segv(task: Task, addr: number, ip: number, sp: number, error: number): void {
  if (task.sighand.action[SIGSEGV]!.handler > 1) return;
  const hex = (n: number): string => n.toString(16);
  task.kernel.printk.printk(task.pid > 1 ? KERN_INFO : KERN_EMERG, `${task.comm}[${task.pid}]: segfault at ${hex(addr)} ip ${hex(ip).padStart(16, "0")} sp ${hex(sp).padStart(16, "0")} error ${hex(error)}`);
}
