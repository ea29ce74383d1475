// arch/um/do_syscall_64.ts — from an exit of the CPU to a system call's body and back.  cf. arch/x86/um/nommu/do_syscall_64.c
//
// The only place where an Errno is caught. A call that must wait leaves task.syscall_nr set: when the task runs again, so does the body.
import { NUMBERS } from "../../cpu/door.ts";
import type { Exit } from "../../cpu/exit.ts";
import type { CpuState } from "../../cpu/state.ts";
import { R10, R11, R8, R9, RAX, RCX, RDI, RDX, RSI } from "../../cpu/state.ts";
import { ENOSYS, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, ERESTART_RESTARTBLOCK, EINTR, Errno } from "../../include/uapi/errno.ts";
import { SA_RESTART, SIGSEGV } from "../../include/uapi/signal.ts";
import { HOST_WAIT } from "../../kernel/host_wait.ts";
import { ptrace_report_syscall_entry, ptrace_report_syscall_exit } from "../../kernel/ptrace.ts";
import { SLEEP } from "../../kernel/sched/wait.ts";
import { force_sig_fault, get_signal, restore_saved_sigmask, signal_setup_done } from "../../kernel/signal.ts";
import type { Body, Kind, Row, Width } from "../../kernel/syscall.ts";
import { TASK_RUNNING, type Task } from "../../kernel/task.ts";
import type { UmArch } from "./process.ts";
import { Overflow, setup_rt_frame } from "./signal.ts";
import { syscall_table } from "./syscall_64.ts";
import { is_rewritten, is_site, rewrite_site } from "./zpoline.ts";

const NR_RESTART_SYSCALL = 219;
/** An import is read from its module each time; what is a constant of this one is a constant of the machine code. */
const AX = RAX;
/** Width as a number: a switch on these is quick. */
const S32 = 0, U32 = 1, U64 = 2, S64 = 3;
const WIDTHS: Readonly<Record<Width, number>> = { s32: S32, u32: U32, u64: U64, s64: S64 };

/** A row made ready for dispatch: every object of the same form, so that calls through it stay quick. */
interface Entry {
  readonly body: Body;
  readonly arguments: number;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  readonly w4: number;
  readonly w5: number;
}
function entryWith(body: Body, kinds: readonly Kind[]): Entry {
  const w = (n: number): number => (n < kinds.length ? WIDTHS[kinds[n]!.width] : S32);
  return { body, arguments: kinds.length, w0: w(0), w1: w(1), w2: w(2), w3: w(3), w4: w(4), w5: w(5) };
}
function entryOf(row: Row | undefined): Entry | undefined {
  if (row === undefined) return undefined;
  if (row.state !== "errno") return entryWith(row.call.body, row.call.kinds);
  const { errno } = row;
  return entryWith(() => {
    throw errno;
  }, []);
}
/** A call that `observer` is told of. One that sleeps ends in attempt(). */
function toldEntry(e: Entry, nr: number, observer: SyscallObserver): Entry {
  const body: Body = (task, ...args) => {
    observer.enter(task, nr);
    let result: number;
    try {
      result = e.body(task, ...args);
    } catch (x) {
      if (x instanceof Errno) observer.exit(task, nr, -x.code);
      throw x;
    }
    observer.exit(task, nr, result);
    return result;
  };
  return { ...e, body };
}
/** A number that no call has. */
const NO_CALL = entryWith(() => {
  throw ENOSYS;
}, []);
/** by number; $door asks for each below NUMBERS */
const entries: readonly Entry[] = Array.from({ length: Math.max(NUMBERS, syscall_table.length) }, (_, nr) => entryOf(syscall_table[nr]) ?? NO_CALL);
/** What result() gives of a call that is not over: no error is positive. */
const PARKED = 1;
/** What a body threw, as rax has it, or PARKED: it waits. */
function result_of(e: unknown): number {
  if (e === SLEEP || e === HOST_WAIT) return PARKED;
  if (!(e instanceof Errno)) throw e;
  return -e.code;
}

function argument(state: CpuState, reg: number, width: number): number {
  switch (width) {
    case S32:
      return state.get_lo(reg);
    case U32:
      return state.get_lo(reg) >>> 0;
    case U64:
      return state.get(reg);
    default:
      return state.get_signed(reg);
  }
}
function call_body(e: Entry, task: Task, state: CpuState): number {
  const { body } = e;
  if (e.arguments === 0) return body(task);
  const a = argument(state, RDI, e.w0);
  if (e.arguments === 1) return body(task, a);
  const b = argument(state, RSI, e.w1);
  if (e.arguments === 2) return body(task, a, b);
  const c = argument(state, RDX, e.w2);
  if (e.arguments === 3) return body(task, a, b, c);
  return body(task, a, b, c, argument(state, R10, e.w3), argument(state, R8, e.w4), argument(state, R9, e.w5));
}

/** Told of calls: for strace, the page's list, breakpoints. */
export interface SyscallObserver {
  /** Numbers of the calls that it is to be told of; of others it may be told, or of their end alone. undefined: all, and no call is a quick one. It may change while the machine stands still, or in a call. */
  readonly wants?: ReadonlySet<number> | undefined;
  /** Every call that begins, whatever it wants: it is asked often. */
  came?(task: Task, nr: number): void;
  /** before the first attempt */
  enter(task: Task, nr: number): void;
  /** after the last; `result` as in rax */
  exit(task: Task, nr: number, result: number): void;
  /** an instruction faulted, nothing of which has happened; `exit` as Cpu.run() gave it */
  fault?(task: Task, exit: Exit): void;
}

export class Entry64 {
  private readonly arch: UmArch;
  private readonly state: CpuState;
  observer: SyscallObserver | undefined;
  /** what quick() calls: `entries`, but for those that `observer` wants to be told of; and who that was, and what it wanted */
  private table: readonly Entry[] = entries;
  private told: SyscallObserver | undefined;
  private wanted: ReadonlySet<number> | undefined;
  constructor(arch: UmArch) {
    this.arch = arch;
    this.state = arch.cpu.state;
    arch.syscall_name = (nr) => {
      const row = syscall_table[nr];
      if (row === undefined) return String(nr);
      return row.state === "errno" ? row.name : row.call.name;
    };
  }

  // What nearly every call does is in attempt(); the rest is in functions of its own, so that this fits into one piece of machine code with its caller.

  /** Somebody is to be told of each of this task's calls, or the way in is to be looked at. */
  watches(task: Task): boolean {
    const { observer } = this;
    const wanted = observer === undefined ? undefined : observer.wants;
    if (observer !== undefined && wanted === undefined) return true;
    if (observer !== this.told || wanted !== this.wanted) this.tell(observer, wanted);
    return task.trace_syscall || this.arch.zpoline.check;
  }
  private tell(observer: SyscallObserver | undefined, wanted: ReadonlySet<number> | undefined): void {
    this.told = observer;
    this.wanted = wanted;
    this.table = observer === undefined ? entries : entries.map((e, nr) => (wanted!.has(nr) ? toldEntry(e, nr, observer) : e));
  }

  /** The guest came through page 0, having retired `n` instructions since they were accounted: rcx is where it goes on. */
  door(task: Task, n: number): void {
    if (this.arch.zpoline.check && this.stray(task, n)) return;
    this.begin(task, n);
  }
  /** zpoline.check=1: not from a rewritten site? */
  private stray(task: Task, n: number): boolean {
    const { state } = this;
    if (is_rewritten(task.kernel, this.arch.zpoline, state.get(RCX) - 2)) return false;
    this.arch.zpoline.strays++;
    task.kernel.sched.account(task, n);
    state.rip = state.get(RCX);
    task.thread.orig_ax = -1;
    force_sig_fault(SIGSEGV, 1, 0, task);
    return true;
  }

  /** A `syscall` instruction that is still one, after `n` instructions. */
  trapped(task: Task, n: number): void {
    const { state } = this;
    const z = this.arch.zpoline;
    const rip = state.rip;
    z.trapped++;
    state.set(RCX, rip);
    state.set(R11, state.rflags);
    if (z.mode === "lazy" && is_site(task.kernel, rip - 2)) {
      rewrite_site(task.kernel, z, rip - 2);
      z.lazily++;
    }
    this.begin(task, n);
  }

  private begin(task: Task, n: number): void {
    const { arch, state } = this;
    const { sched, time } = task.kernel;
    sched.account_call(task, n);
    task.syscall_nr = state.get_hi(RAX) === 0 ? state.get_lo(RAX) >>> 0 : 0xffffffff;
    arch.cpu.log.note(time.retired, task.pid, task.syscall_nr);
    if ((this.observer !== undefined || task.trace_syscall) && this.watched(task, task.syscall_nr)) return;
    this.attempt(task);
  }
  /** Who wants to know of it is told that a call begins. It stops there? */
  private watched(task: Task, nr: number): boolean {
    this.observer?.came?.(task, nr);
    this.observer?.enter(task, nr);
    if (!task.trace_syscall) return false;
    this.state.set(RAX, -ENOSYS.code);
    return ptrace_report_syscall_entry(task);
  }

  /** The task is in a call and was woken: from a sleep, or from the stop of a tracee before its call. */
  resume(task: Task): void {
    const { tracing } = task;
    if (tracing.at_entry) {
      tracing.at_entry = false;
      // killed, left out by PTRACE_SYSEMU, or given the number -1: the call is not made
      if (task.sigkilled || tracing.sysemu || task.syscall_nr === 0xffffffff) {
        const skipped = tracing.sysemu;
        task.syscall_nr = -1;
        task.thread.orig_ax = -1;
        if (!task.sigkilled && !skipped && task.trace_syscall && ptrace_report_syscall_exit(task)) return;
        if (task.sigpending || task.notify_resume) this.do_signal(task);
        return;
      }
    }
    this.attempt(task);
  }

  /** A whole call, number `nr`, that nobody watches but who is in `table`; if more is to be done than to set rax, attend() is to be called. */
  quick(task: Task, nr: number): void {
    const { state, told } = this;
    task.syscall_nr = nr;
    if (told !== undefined) told.came?.(task, nr);
    let result: number;
    try {
      result = call_body(this.table[nr]!, task, state);
    } catch (e) {
      result = result_of(e);
      if (result === PARKED) {
        this.arch.set_exit_work();
        return;
      }
      if (task.sigpending || task.notify_resume) task.thread.orig_ax = nr;
    }
    task.restart = undefined;
    if (task.syscall_nr < 0) {
      this.arch.set_exit_work();
      return;
    }
    state.set(AX, result);
    task.syscall_nr = -1;
  }
  /** After quick(): what the call has left to be seen to on the way back. */
  attend(task: Task): void {
    if (task.syscall_nr < 0) this.exit_work(task);
  }

  /** Runs the body of the call that the task is in: the first time, and again whenever the task was woken. */
  attempt(task: Task): void {
    const { state } = this;
    const nr = task.syscall_nr;
    const entry = nr < entries.length ? entries[nr]! : NO_CALL;
    let result: number;
    try {
      result = call_body(entry, task, state);
    } catch (e) {
      result = result_of(e);
      if (result === PARKED) return;
    }
    task.restart = undefined;
    if (task.syscall_nr < 0 || task.sigpending || task.notify_resume || task.saved_sigmask !== undefined || task.trace_syscall || this.observer !== undefined) {
      this.finish(task, nr, result);
      return;
    }
    state.set(AX, result);
    task.thread.orig_ax = -1;
    task.syscall_nr = -1;
  }
  /** The end of a call with more to do than to set rax. */
  private finish(task: Task, nr: number, result: number): void {
    if (task.syscall_nr >= 0) {
      this.state.set(RAX, result);
      task.thread.orig_ax = nr;
      task.syscall_nr = -1;
    }
    this.observer?.exit(task, nr, result);
    if (task.trace_syscall && task.state === TASK_RUNNING && ptrace_report_syscall_exit(task)) return;
    this.exit_work(task);
  }
  /** On the way back from a call. */
  private exit_work(task: Task): void {
    if (task.sigpending || task.notify_resume) this.do_signal(task);
    else {
      if (task.saved_sigmask !== undefined) restore_saved_sigmask(task);
      task.thread.orig_ax = -1;
    }
  }

  /** Signals on the way back to user mode.  cf. arch/um/kernel/signal.c do_signal() */
  do_signal(task: Task): void {
    for (;;) {
      const ksig = get_signal(task);
      if (ksig === undefined) {
        // stopped or dead: what is left to do here is done when it runs again
        if (task.state !== TASK_RUNNING) return;
        this.restart(task);
        if (task.saved_sigmask !== undefined) restore_saved_sigmask(task);
        return;
      }
      this.arch.leave_entry(task);
      this.interrupted(task, (ksig.ka.flags & SA_RESTART) !== 0);
      let failed = false;
      try {
        setup_rt_frame(task, ksig);
      } catch (e) {
        if (!(e instanceof Errno) && !(e instanceof Overflow)) throw e;
        failed = true;
      }
      signal_setup_done(failed, ksig, task);
      if (!task.sigpending && !task.notify_resume) return;
    }
  }

  private error(task: Task, errno: Errno): boolean {
    return task.thread.orig_ax >= 0 && this.arch.cpu.state.get_hi(RAX) === -1 && this.arch.cpu.state.get_lo(RAX) === -errno.code;
  }
  /** A handler will run: the call it interrupted ends with EINTR, or begins anew after it. */
  private interrupted(task: Task, sa_restart: boolean): void {
    const { state } = this.arch.cpu;
    if (this.error(task, ERESTARTNOHAND) || this.error(task, ERESTART_RESTARTBLOCK)) state.set(RAX, -EINTR.code);
    else if (this.error(task, ERESTARTSYS) && !sa_restart) state.set(RAX, -EINTR.code);
    else if (this.error(task, ERESTARTSYS) || this.error(task, ERESTARTNOINTR)) this.rewind(task, task.thread.orig_ax);
    task.thread.orig_ax = -1;
  }
  /** No handler: the call begins anew as if nothing had been. */
  private restart(task: Task): void {
    const again = [ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND].some((e) => this.error(task, e));
    const block = this.error(task, ERESTART_RESTARTBLOCK);
    if (again || block) {
      this.arch.leave_entry(task);
      this.rewind(task, block ? NR_RESTART_SYSCALL : task.thread.orig_ax);
    }
    task.thread.orig_ax = -1;
  }
  /** Both forms of a site are two bytes long, and both take the number from rax. */
  private rewind(task: Task, nr: number): void {
    const { state } = this.arch.cpu;
    state.set(RAX, nr);
    state.rip = state.rip - 2;
    task.thread.orig_ax = -1;
  }
}
