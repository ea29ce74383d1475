// kernel/ptrace.ts — one process watches and drives another.  cf. kernel/ptrace.c, include/linux/ptrace.h
//
// A stop is a state: ptrace_stop() marks the task TASK_TRACED with what the tracer's wait4 is to tell, and whoever called it gives up the CPU the way
// its place in the kernel has for that (SLEEP in a system call's body, undefined from get_signal). When the tracer lets go of it, that place is
// entered again and finds in task.ptrace_* what the stop was about.
import { EINVAL, EIO, EPERM, ESRCH } from "../include/uapi/errno.ts";
import {
  NT_PRFPREG, NT_PRSTATUS, PTRACE_ARCH_PRCTL, PTRACE_ATTACH, PTRACE_CONT, PTRACE_DETACH, PTRACE_EVENTMSG_SYSCALL_ENTRY, PTRACE_EVENTMSG_SYSCALL_EXIT,
  PTRACE_EVENT_EXEC, PTRACE_EVENT_STOP, PTRACE_GETEVENTMSG, PTRACE_GETFPREGS, PTRACE_GETREGS, PTRACE_GETREGSET, PTRACE_GETSIGINFO, PTRACE_GETSIGMASK,
  PTRACE_GET_SYSCALL_INFO, PTRACE_INTERRUPT, PTRACE_KILL, PTRACE_LISTEN, PTRACE_OLDSETOPTIONS, PTRACE_O_EXITKILL, PTRACE_O_MASK, PTRACE_O_TRACESYSGOOD,
  PTRACE_PEEKDATA, PTRACE_PEEKSIGINFO, PTRACE_PEEKSIGINFO_SHARED, PTRACE_PEEKTEXT, PTRACE_PEEKUSR, PTRACE_POKEDATA, PTRACE_POKETEXT, PTRACE_POKEUSR,
  PTRACE_SEIZE, PTRACE_SETFPREGS, PTRACE_SETOPTIONS, PTRACE_SETREGS, PTRACE_SETREGSET, PTRACE_SETSIGINFO, PTRACE_SETSIGMASK, PTRACE_SINGLESTEP,
  PTRACE_SYSCALL, PTRACE_SYSEMU, PTRACE_SYSEMU_SINGLESTEP, PTRACE_TRACEME, USER_DEBUGREG, USER_FPREGS_SIZE, USER_REGS_SIZE, USER_SIZE,
} from "../include/uapi/ptrace.ts";
import { CLD_TRAPPED, SIGKILL, SIGSTOP, SIGTRAP } from "../include/uapi/signal.ts";
import { CAP_SYS_PTRACE, capable } from "./cred.ts";
import { do_notify_parent, do_notify_ptracer, recalc_sigpending, send_signal, set_current_blocked, si_kernel, signal_wake_up, valid_signal } from "./signal.ts";
import { SIGINFO_SIZE, copy_siginfo_from_user, copy_siginfo_to_user } from "./siginfo.ts";
import { SIGNAL_STOP_STOPPED, get_user_sigset, put_user_sigset, type SigInfo } from "./signal_types.ts";
import { Long, Pid, Ptr, SYSCALL_DEFINE } from "./syscall.ts";
import { EXIT_ZOMBIE, PF_EXITING, PF_KTHREAD, TASK_STOPPED, TASK_TRACED, type Task } from "./task.ts";
import { check_read, check_write, get_user_u64, put_user_u64 } from "./uaccess.ts";

const AUDIT_ARCH_X86_64 = 0xc000003e;

/** May `task` drive `target`?  cf. ptrace_may_access(PTRACE_MODE_ATTACH_REALCREDS) */
function may_attach(task: Task, target: Task): boolean {
  const a = task.cred;
  const b = target.cred;
  const same = a.uid === b.euid && a.uid === b.suid && a.uid === b.uid && a.gid === b.egid && a.gid === b.sgid && a.gid === b.gid;
  if (!same && !capable(task, CAP_SYS_PTRACE)) return false;
  return (target.mm?.dumpable ?? 1) === 1 || capable(task, CAP_SYS_PTRACE);
}

// --- who traces whom

function ptrace_link(task: Task, tracer: Task): void {
  task.parent = tracer;
  task.tracing.traced = true;
  tracer.ptraced.add(task);
}
/** The tracee is its parent's again, and goes on unless its process is stopped.  cf. __ptrace_unlink() */
export function ptrace_unlink(task: Task): void {
  const t = task.tracing;
  task.parent?.ptraced.delete(task);
  task.parent = task.real_parent;
  const stopped = task.state === TASK_TRACED;
  t.clear();
  if (task.single_step) task.kernel.arch.user_single_step(task, false);
  task.single_step = false;
  if ((task.flags & PF_EXITING) !== 0) return;
  // part of a group that is stopped: it takes part in that again
  if ((task.signal.flags & SIGNAL_STOP_STOPPED) !== 0 && stopped) task.jobctl_stop ||= task.stop_signal || SIGSTOP;
  if (stopped) task.kernel.sched.wake_up_stopped(task);
  recalc_sigpending(task);
}

/** The tracer ends: its tracees are left, or killed if they asked for it. Those that are dead already are told of, or reaped.  cf. exit_ptrace() */
export function exit_ptrace(tracer: Task, reap: (dead: Task) => void): void {
  for (const t of [...tracer.ptraced]) {
    const kill = (t.tracing.options & PTRACE_O_EXITKILL) !== 0;
    const dead = detach_dead(tracer, t);
    if (kill && !t.exit_state_dead()) send_signal(SIGKILL, si_kernel(SIGKILL), t, true, true);
    if (dead) reap(t);
  }
}
/** Whether the tracee is a zombie that nobody waits for any more.  cf. __ptrace_detach() */
function detach_dead(tracer: Task, t: Task): boolean {
  ptrace_unlink(t);
  if (t.state !== EXIT_ZOMBIE) return false;
  if (t.group_leader !== t) return true;
  if (t.signal.threads.size > 1 || t.real_parent === undefined) return false;
  if (t.real_parent.signal !== tracer.signal) return do_notify_parent(t, t.exit_signal);
  return false;
}

/** A child of a tracee whose tracer wants it: traced from its first instruction on.  cf. ptrace_init_task() */
export function ptrace_init_task(child: Task, parent: Task): void {
  const tracer = parent.parent!;
  ptrace_link(child, tracer);
  child.tracing.seized = parent.tracing.seized;
  child.tracing.options = parent.tracing.options;
  if (child.tracing.seized) child.tracing.trap_stop = true;
  else {
    child.pending.signal.add(SIGSTOP);
    child.pending.list.push(si_kernel(SIGSTOP));
  }
  recalc_sigpending(child);
}

// --- stops

/**
 * Stops a tracee and tells its tracer: wait4 gives `code` as the signal (with the event above it). Whether it is stopped: a task that is being killed
 * is not.
 */
export function ptrace_stop(task: Task, code: number, message: number, info: SigInfo | undefined): boolean {
  const t = task.tracing;
  if (!t.traced || task.sigkilled) return false;
  task.kernel.arch.leave_entry(task);
  t.stop(code, message, info);
  task.state = TASK_TRACED;
  task.notify_resume = true;
  task.kernel.arch.set_exit_work();
  do_notify_ptracer(task, CLD_TRAPPED, code & 0x7f);
  return true;
}

const trap_info = (task: Task, code: number): SigInfo => ({ signo: SIGTRAP, errno: 0, code, pid: task.tgid, uid: task.cred.uid });

const event_enabled = (task: Task, event: number): boolean => task.tracing.traced && (task.tracing.options & (1 << event)) !== 0;

/** An event that the tracer asked for: stops (true). Exec's is the SIGTRAP of old if it did not ask.  cf. ptrace_event() */
export function ptrace_event(task: Task, event: number, message: number): boolean {
  if (event_enabled(task, event)) return ptrace_stop(task, (event << 8) | SIGTRAP, message, trap_info(task, (event << 8) | SIGTRAP));
  if (event === PTRACE_EVENT_EXEC && task.tracing.traced && !task.tracing.seized) send_signal(SIGTRAP, si_kernel(SIGTRAP), task, false, false);
  return false;
}
export const ptrace_event_enabled = event_enabled;

/** Before or after a system call of a task with task.trace_syscall. Whether it stopped. */
export function ptrace_report_syscall(task: Task, message: number): boolean {
  const code = (task.tracing.options & PTRACE_O_TRACESYSGOOD) !== 0 ? SIGTRAP | 0x80 : SIGTRAP;
  return ptrace_stop(task, code, message, trap_info(task, code));
}
export function ptrace_report_syscall_entry(task: Task): boolean {
  const stopped = ptrace_report_syscall(task, PTRACE_EVENTMSG_SYSCALL_ENTRY);
  if (stopped) task.tracing.at_entry = true;
  return stopped;
}
export function ptrace_report_syscall_exit(task: Task): boolean {
  return ptrace_report_syscall(task, PTRACE_EVENTMSG_SYSCALL_EXIT);
}

/** A signal is about to be taken: the tracer sees it first. Whether the task stopped.  cf. ptrace_signal() */
export function ptrace_signal(task: Task, info: SigInfo): boolean {
  const stopped = ptrace_stop(task, info.signo, 0, info);
  if (stopped) task.tracing.signal = info;
  return stopped;
}
/** After that stop: the signal to go on with, undefined for none. The tracer may have chosen another. */
export function ptrace_signal_resumed(task: Task): SigInfo | undefined {
  const t = task.tracing;
  const info = t.signal!;
  t.signal = undefined;
  const sig = t.resume_signal;
  t.resume_signal = 0;
  if (sig === 0) return undefined;
  if (sig === info.signo) return info;
  const tracer = task.parent;
  return { signo: sig, errno: 0, code: 0, pid: tracer?.tgid ?? 0, uid: tracer?.cred.uid ?? 0 };
}

/** The whole process stops, or PTRACE_INTERRUPT: a tracee's part in it. Whether it stopped.  cf. do_jobctl_trap() */
export function ptrace_trap_stop(task: Task, sig: number): boolean {
  if (task.tracing.seized) {
    const code = (PTRACE_EVENT_STOP << 8) | (sig || SIGTRAP);
    return ptrace_stop(task, code, 0, trap_info(task, code));
  }
  return ptrace_stop(task, sig, 0, undefined);
}

// --- what a tracer asks

function traced_task(tracer: Task, pid: number, stopped: boolean): Task {
  const t = tracer.kernel.tasks.get(pid);
  if (t === undefined || !t.tracing.traced || t.parent !== tracer) throw ESRCH;
  if (stopped && (t.state !== TASK_TRACED || t.tracing.listening)) throw ESRCH;
  return t;
}

function ptrace_attach(tracer: Task, pid: number, seize: boolean, addr: number, options: number): number {
  if (seize && (addr !== 0 || (options & ~PTRACE_O_MASK) !== 0)) throw EIO;
  const task = tracer.kernel.tasks.get(pid);
  if (task === undefined) throw ESRCH;
  if ((task.flags & PF_KTHREAD) !== 0 || task.signal === tracer.signal) throw EPERM;
  if (!may_attach(tracer, task) || task.exit_state_dead() || task.tracing.traced) throw EPERM;
  ptrace_link(task, tracer);
  task.tracing.seized = seize;
  task.tracing.options = seize ? options : 0;
  if (!seize) send_signal(SIGSTOP, si_kernel(SIGSTOP), task, false, true);
  // stopped already: it becomes a stop that the tracer sees
  if (task.state === TASK_STOPPED) {
    task.jobctl_stop = task.stop_signal || SIGSTOP;
    task.tracing.trap_stop = true;
    task.kernel.sched.wake_up_stopped(task);
  }
  return 0;
}

/** Goes on: `sig` is what it takes in place of the signal it stopped with, or gets besides.  cf. ptrace_resume() */
function ptrace_resume(task: Task, request: number, sig: number): number {
  if (!valid_signal(sig)) throw EIO;
  const t = task.tracing;
  task.trace_syscall = request === PTRACE_SYSCALL || request === PTRACE_SYSEMU || request === PTRACE_SYSEMU_SINGLESTEP;
  t.sysemu = request === PTRACE_SYSEMU || request === PTRACE_SYSEMU_SINGLESTEP;
  const step = request === PTRACE_SINGLESTEP || request === PTRACE_SYSEMU_SINGLESTEP;
  if (step !== task.single_step) {
    task.single_step = step;
    task.kernel.arch.user_single_step(task, step);
  }
  if (t.signal !== undefined) t.resume_signal = sig;
  else if (sig !== 0) send_signal(sig, si_kernel(sig), task, false, true);
  t.code = 0;
  task.kernel.sched.wake_up_stopped(task);
  return 0;
}

function peek(tracer: Task, task: Task, addr: number, data: number): number {
  const word = new Uint8Array(8);
  if (task.mm?.read(task.kernel, addr, word, 0, 8) !== 8) throw EIO;
  check_write(tracer.kernel.mem, data, 8);
  tracer.kernel.mem.u8.set(word, data);
  return 0;
}
const word_of = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  const v = new DataView(bytes.buffer);
  v.setUint32(0, value >>> 0, true);
  v.setUint32(4, Math.floor(value / 0x100000000) >>> 0, true);
  return bytes;
};
/** `data` as the register has it: an argument of 64 bits. */
function data_word(tracer: Task): Uint8Array {
  return tracer.kernel.arch.syscall_argument_bytes(tracer, 3);
}
function poke(tracer: Task, task: Task, addr: number): number {
  if (task.mm?.write(task.kernel, addr, data_word(tracer), 0, 8) !== 8) throw EIO;
  return 0;
}

function peek_user(tracer: Task, task: Task, addr: number, data: number): number {
  if (addr % 8 !== 0 || addr >= USER_SIZE || addr < 0) throw EIO;
  let word: Uint8Array = word_of(0);
  if (addr < USER_REGS_SIZE) word = task.kernel.arch.get_regs(task).subarray(addr, addr + 8);
  check_write(tracer.kernel.mem, data, 8);
  tracer.kernel.mem.u8.set(word, data);
  return 0;
}
function poke_user(tracer: Task, task: Task, addr: number, data: number): number {
  if (addr % 8 !== 0 || addr >= USER_SIZE || addr < 0) throw EIO;
  if (addr < USER_REGS_SIZE) {
    const regs = task.kernel.arch.get_regs(task);
    regs.set(data_word(tracer), addr);
    task.kernel.arch.set_regs(task, regs);
    return 0;
  }
  // there are no debug registers: all that can be written to them is nothing
  if (addr >= USER_DEBUGREG && data === 0) return 0;
  throw EIO;
}

function regset(tracer: Task, task: Task, type: number, iov: number, write: boolean): number {
  const m = tracer.kernel.mem;
  check_read(m, iov, 16);
  const base = get_user_u64(m, iov);
  const { arch } = task.kernel;
  if (type !== NT_PRSTATUS && type !== NT_PRFPREG) throw EINVAL;
  const bytes = type === NT_PRSTATUS ? arch.get_regs(task) : arch.get_fpregs(task);
  const wanted = get_user_u64(m, iov + 8);
  if (wanted % 8 !== 0) throw EINVAL;
  const len = Math.min(wanted, bytes.length);
  if (write) {
    check_read(m, base, len);
    bytes.set(m.u8.subarray(base, base + len));
    if (type === NT_PRSTATUS) arch.set_regs(task, bytes);
    else arch.set_fpregs(task, bytes);
  } else {
    check_write(m, base, len);
    m.u8.set(bytes.subarray(0, len), base);
  }
  put_user_u64(m, iov + 8, len);
  return 0;
}

/** struct ptrace_syscall_info; returns its size, of which at most `size` bytes are written */
function get_syscall_info(tracer: Task, task: Task, size: number, addr: number): number {
  const m = tracer.kernel.mem;
  const { arch } = task.kernel;
  const t = task.tracing;
  const info = new Uint8Array(80);
  const v = new DataView(info.buffer);
  const regs = new DataView(arch.get_regs(task).buffer);
  const copy = (to: number, reg: number): void => {
    v.setUint32(to, regs.getUint32(8 * reg, true), true);
    v.setUint32(to + 4, regs.getUint32(8 * reg + 4, true), true);
  };
  v.setUint32(4, AUDIT_ARCH_X86_64, true);
  copy(8, 16);
  copy(16, 19);
  let length = 24;
  const syscall_stop = t.info?.signo === SIGTRAP && (t.info.code & 0x7f) === SIGTRAP && t.info.code < 0x100;
  if (syscall_stop && t.message === PTRACE_EVENTMSG_SYSCALL_ENTRY) {
    info[0] = PTRACE_EVENTMSG_SYSCALL_ENTRY;
    copy(24, 15);
    [14, 13, 12, 7, 9, 8].forEach((reg, i) => copy(32 + 8 * i, reg));
    length = 80;
  } else if (syscall_stop && t.message === PTRACE_EVENTMSG_SYSCALL_EXIT) {
    info[0] = PTRACE_EVENTMSG_SYSCALL_EXIT;
    copy(24, 10);
    const error = regs.getInt32(84, true) === -1 && regs.getUint32(80, true) > 0xfffff000;
    info[32] = error ? 1 : 0;
    length = 33;
  }
  const n = Math.min(size, length);
  check_write(m, addr, n);
  m.u8.set(info.subarray(0, n), addr);
  return length;
}

/** struct ptrace_peeksiginfo_args at `args`: copies what is pending, and returns how many. */
function peek_siginfo(tracer: Task, task: Task, args: number, data: number): number {
  const m = tracer.kernel.mem;
  check_read(m, args, 16);
  const off = get_user_u64(m, args);
  const flags = m.view.getUint32(args + 8, true);
  const nr = m.view.getInt32(args + 12, true);
  if ((flags & ~PTRACE_PEEKSIGINFO_SHARED) !== 0 || nr < 0) throw EINVAL;
  const { list } = (flags & PTRACE_PEEKSIGINFO_SHARED) !== 0 ? task.signal.shared_pending : task.pending;
  let n = 0;
  for (; n < nr && off + n < list.length; n++) copy_siginfo_to_user(m, data + n * SIGINFO_SIZE, list[off + n]!);
  return n;
}

function ptrace_request(tracer: Task, task: Task, request: number, addr: number, data: number): number {
  const m = tracer.kernel.mem;
  const t = task.tracing;
  const { arch } = task.kernel;
  switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
      return peek(tracer, task, addr, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
      return poke(tracer, task, addr);
    case PTRACE_PEEKUSR:
      return peek_user(tracer, task, addr, data);
    case PTRACE_POKEUSR:
      return poke_user(tracer, task, addr, data);
    case PTRACE_GETREGS:
      check_write(m, data, USER_REGS_SIZE);
      m.u8.set(arch.get_regs(task), data);
      return 0;
    case PTRACE_SETREGS:
      check_read(m, data, USER_REGS_SIZE);
      arch.set_regs(task, m.u8.slice(data, data + USER_REGS_SIZE));
      return 0;
    case PTRACE_GETFPREGS:
      check_write(m, data, USER_FPREGS_SIZE);
      m.u8.set(arch.get_fpregs(task), data);
      return 0;
    case PTRACE_SETFPREGS:
      check_read(m, data, USER_FPREGS_SIZE);
      arch.set_fpregs(task, m.u8.slice(data, data + USER_FPREGS_SIZE));
      return 0;
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
      return regset(tracer, task, addr, data, request === PTRACE_SETREGSET);
    case PTRACE_ARCH_PRCTL:
      return arch.arch_prctl(task, data, addr);
    case PTRACE_SETOPTIONS:
    case PTRACE_OLDSETOPTIONS:
      if ((data & ~PTRACE_O_MASK) !== 0) throw EINVAL;
      t.options = data;
      return 0;
    case PTRACE_GETEVENTMSG:
      put_user_u64(m, data, t.message);
      return 0;
    case PTRACE_GETSIGINFO:
      if (t.info === undefined) throw EINVAL;
      copy_siginfo_to_user(m, data, t.info);
      return 0;
    case PTRACE_SETSIGINFO: {
      if (t.info === undefined) throw EINVAL;
      const info = copy_siginfo_from_user(m, data);
      t.info = info;
      if (t.signal !== undefined) t.signal = info;
      return 0;
    }
    case PTRACE_PEEKSIGINFO:
      return peek_siginfo(tracer, task, addr, data);
    case PTRACE_GETSIGMASK:
      if (addr !== 8) throw EINVAL;
      check_write(m, data, 8);
      put_user_sigset(m, data, task.saved_sigmask ?? task.blocked);
      return 0;
    case PTRACE_SETSIGMASK:
      if (addr !== 8) throw EINVAL;
      check_read(m, data, 8);
      set_current_blocked(task, get_user_sigset(m, data));
      task.saved_sigmask = undefined;
      return 0;
    case PTRACE_GET_SYSCALL_INFO:
      return get_syscall_info(tracer, task, addr, data);
    case PTRACE_CONT:
    case PTRACE_SYSCALL:
    case PTRACE_SINGLESTEP:
    case PTRACE_SYSEMU:
    case PTRACE_SYSEMU_SINGLESTEP:
      return ptrace_resume(task, request, data);
    case PTRACE_LISTEN:
      if (!t.seized || t.info === undefined || t.info.code >> 8 !== PTRACE_EVENT_STOP) throw EIO;
      t.listening = true;
      return 0;
    case PTRACE_DETACH: {
      if (!valid_signal(data)) throw EIO;
      if (t.signal !== undefined) {
        // get_signal goes on with this one, untraced
        const { signal } = t;
        ptrace_unlink(task);
        task.tracing.signal = signal;
        task.tracing.resume_signal = data;
      } else {
        ptrace_unlink(task);
        if (data !== 0) send_signal(data, si_kernel(data), task, false, true);
      }
      return 0;
    }
    default:
      throw EIO;
  }
}

/** ptrace(2) */
export const sys_ptrace = SYSCALL_DEFINE("ptrace", [Long, Pid, Ptr, Ptr], (task, request, pid, addr, data) => {
  if (request === PTRACE_TRACEME) {
    if (task.tracing.traced || task.real_parent === undefined) throw EPERM;
    ptrace_link(task, task.real_parent);
    return 0;
  }
  if (request === PTRACE_ATTACH || request === PTRACE_SEIZE) return ptrace_attach(task, pid, request === PTRACE_SEIZE, addr, data);
  if (request === PTRACE_KILL) {
    const t = traced_task(task, pid, false);
    if (!t.exit_state_dead()) send_signal(SIGKILL, si_kernel(SIGKILL), t, false, true);
    return 0;
  }
  if (request === PTRACE_INTERRUPT) {
    const t = traced_task(task, pid, false);
    if (!t.tracing.seized) throw EIO;
    t.tracing.trap_stop = true;
    if (t.state === TASK_TRACED && t.tracing.listening) {
      t.tracing.listening = false;
      t.kernel.sched.wake_up_stopped(t);
    } else signal_wake_up(t, false);
    return 0;
  }
  return ptrace_request(task, traced_task(task, pid, true), request, addr, data);
});
