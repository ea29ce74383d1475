// kernel/testing.ts — a kernel without CPU, disks or files, for unit tests of what sleeps, wakes and signals.
//
// Tasks have no program: a test makes calls in their name. call() is one system call with all that surrounds it (signals, restart); when it
// sleeps, run() lets time pass and sleepers go on, as the run loop would.
import { EINTR, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, ERESTART_RESTARTBLOCK, Errno } from "../include/uapi/errno.ts";
import { CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM } from "../include/uapi/sched.ts";
import { SA_RESTART, SIGCHLD } from "../include/uapi/signal.ts";
import { Futexes } from "./futex_types.ts";
import { copy_process, new_task } from "./fork.ts";
import { Kernel } from "./kernel.ts";
import { Params } from "./params.ts";
import { Printk } from "./printk.ts";
import { Sched } from "./sched/core.ts";
import { SLEEP } from "./sched/wait.ts";
import { get_signal, restore_saved_sigmask, set_current_blocked, sigmask_to_save, signal_setup_done } from "./signal.ts";
import type { Syscall } from "./syscall.ts";
import { TASK_RUNNING, type Task } from "./task.ts";
import { Timekeeping } from "./time/timekeeping.ts";
import { Uts } from "./utsname.ts";
import { NOTHING_NOTED } from "./arch.ts";
import { sys_restart_syscall } from "./restart.ts";

interface Pending {
  call: Syscall;
  args: number[];
}

/** A result: a number, the name of an errno, or undefined while it sleeps (or the task is stopped or dead). */
export type Result = number | string | undefined;

export class FakeKernel {
  readonly kernel: Kernel;
  readonly init: Task;
  /** handlers that ran: [pid, signal] */
  readonly handled: [number, number][] = [];
  /** log lines */
  readonly log: string[] = [];
  /** a page that tests may write: USER_MIN_WRITE and up */
  readonly user = 0x100000;
  private readonly pending = new Map<Task, Pending>();
  private readonly results = new Map<Task, Result>();
  /** ERESTART* that a stopped task still has to act on */
  private readonly interrupted = new Map<Task, Errno>();

  constructor(memory = 0x200000) {
    const buffer = new ArrayBuffer(memory);
    const mem = {
      buffer, size: memory, u8: new Uint8Array(buffer), i32: new Int32Array(buffer), u32: new Uint32Array(buffer), view: new DataView(buffer), written: () => undefined,
    };
    const arch = {
      noted: NOTHING_NOTED, set_exit_work: (): void => {}, copy_thread: (): void => {}, start_thread: (): void => {}, switch_to: (): void => {}, flush_icache_range: (): void => {},
      syscall_get_nr: (): number => -1, setup_rt_frame: (): void => {}, leave_entry: (): void => {}, show_regs: (): string[] => [], syscall_name: String, ip: (): number => 0, sp: (): number => 0,
    };
    const os = { hostPrint: (line: string): number => this.log.push(line) };
    const kernel = new Kernel(mem, arch as never, os as never);
    kernel.params = new Params("");
    kernel.time = new Timekeeping(kernel, 1_700_000_000);
    kernel.sched = new Sched(kernel);
    kernel.printk = new Printk(kernel);
    kernel.uts = new Uts();
    kernel.futexes = new Futexes();
    kernel.pages = { totalram_pages: () => memory / 4096, nr_free_pages: () => memory / 8192 } as never;
    kernel.vfs = { proc_flush_pid: () => {} } as never;
    this.kernel = kernel;
    this.init = new_task(kernel, "init", 8, false);
    this.init.signal.pgrp = this.init.signal.session = 1;
    this.init.mm = { users: 1, put: () => {}, maxrss: () => 4, dumpable: 1 } as never;
  }

  get now(): number {
    return this.kernel.time.monotonic();
  }
  /** A child process of `parent` (init), which shares the memory, as after vfork and exec. */
  process(parent: Task = this.init): Task {
    return copy_process(parent, { flags: CLONE_VM, exit_signal: SIGCHLD, stack: 0, tls: 0, pidfd: 0, parent_tid: 0, child_tid: 0, set_tid: [] });
  }
  thread(of: Task): Task {
    const flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    return copy_process(of, { flags, exit_signal: 0, stack: 0, tls: 0, pidfd: 0, parent_tid: 0, child_tid: 0, set_tid: [] });
  }

  /** One system call of `task`, now. */
  call(task: Task, call: Syscall, ...args: number[]): Result {
    this.kernel.time.advance(1);
    this.pending.set(task, { call, args });
    this.results.delete(task);
    this.kernel.current = task;
    this.attempt(task);
    this.kernel.current = undefined;
    return this.results.get(task);
  }
  /** What the task's last call came to. */
  result(task: Task): Result {
    return this.results.get(task);
  }
  /** What `task`, in user mode, does about its signals. */
  signals(task: Task): void {
    this.kernel.current = task;
    this.exit_to_user(task, undefined);
    this.kernel.current = undefined;
  }
  /** Lets woken tasks go on and time pass, until all sleep with no timer before `until` (ns; default: now, so that no time passes). */
  run(until = this.now): void {
    const { sched, time } = this.kernel;
    for (let i = 0; i < 10000; i++) {
      time.run_timers();
      const task = sched.schedule();
      if (task !== undefined) {
        if (this.pending.has(task)) this.attempt(task);
        else this.exit_to_user(task, this.interrupted.get(task));
        this.kernel.current = undefined;
        continue;
      }
      const next = time.next_expiry();
      if (next > until) {
        time.advance_idle(until);
        return;
      }
      time.advance_idle(next);
    }
    throw new Error("never comes to rest");
  }

  private attempt(task: Task): void {
    const { call, args } = this.pending.get(task)!;
    let errno: Errno | undefined;
    try {
      const value = call.body(task, ...args);
      this.results.set(task, value);
    } catch (e) {
      if (e === SLEEP) {
        this.results.delete(task);
        return;
      }
      if (!(e instanceof Errno)) throw e;
      errno = e;
      this.results.set(task, e.name);
    }
    task.restart = undefined;
    this.exit_to_user(task, errno);
  }

  private exit_to_user(task: Task, errno: Errno | undefined): void {
    const restart = errno === ERESTARTSYS || errno === ERESTARTNOHAND || errno === ERESTARTNOINTR || errno === ERESTART_RESTARTBLOCK ? errno : undefined;
    const pending = this.pending.get(task);
    while (task.sigpending || task.notify_resume) {
      const ksig = get_signal(task);
      if (task.state !== TASK_RUNNING) {
        // it comes back to the same place
        if (restart !== undefined) this.interrupted.set(task, restart);
        if (restart !== undefined) this.results.delete(task);
        this.stopped.set(task, pending);
        this.pending.delete(task);
        return;
      }
      if (ksig === undefined) break;
      this.handled.push([task.pid, ksig.sig]);
      // the handler returns at once
      const frame = sigmask_to_save(task).copy();
      signal_setup_done(false, ksig, task);
      set_current_blocked(task, frame);
      if (restart !== undefined && !(restart === ERESTARTNOINTR || (restart === ERESTARTSYS && (ksig.ka.flags & SA_RESTART) !== 0))) {
        this.results.set(task, EINTR.name);
        this.pending.delete(task);
        this.interrupted.delete(task);
        return;
      }
    }
    restore_saved_sigmask(task);
    this.interrupted.delete(task);
    if (restart === undefined) {
      this.pending.delete(task);
      return;
    }
    const again = pending ?? this.stopped.get(task)!;
    this.pending.set(task, restart === ERESTART_RESTARTBLOCK ? { call: sys_restart_syscall, args: [] } : again);
    this.attempt(task);
  }
  private readonly stopped = new Map<Task, Pending | undefined>();
}
