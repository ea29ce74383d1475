// kernel/sched/core.ts — who runs next.  cf. kernel/sched/core.c
//
// One CPU, one queue, first in first out, a time slice in retired instructions: what runs when is a function of what was executed, whatever
// executes it. A real-time task (SCHED_FIFO, SCHED_RR) goes before the others.
//
// The run loop (machine.ts):  time.run_timers(); task = sched.schedule(); none -> time.advance_idle(time.next_expiry()), or wait for the
// outside; else run the CPU for at most sched.budget() instructions, sched.account(task, retired), handle the exit.
import type { NotedCalls } from "../arch.ts";
import type { Kernel } from "../kernel.ts";
import type { Task } from "../task.ts";
import { EXIT_DEAD, EXIT_ZOMBIE, TASK_INTERRUPTIBLE, TASK_RUNNING, TASK_STOPPED, TASK_TRACED, TASK_UNINTERRUPTIBLE } from "../task.ts";
import { KTimer } from "../time/timer.ts";
import { next_cpu_timer, run_posix_cpu_timers } from "../time/posix_cpu_timers.ts";
import { NSEC_PER_SEC, SYSCALL_NSEC } from "../time/timekeeping.ts";

/** later than this is never: 104 days of monotonic ns */
const KTIME_MAX = 2 ** 53;
/** instructions (= ns) that a task may run while others wait */
export const TIMESLICE = 1_000_000;

/** The end of a sleep that has one. */
export class SleepTimer extends KTimer {
  readonly task: Task;
  constructor(task: Task) {
    super();
    this.task = task;
  }
  expire(kernel: Kernel): void {
    kernel.sched.wake_up_process(this.task);
  }
}

/** load averages are fixed-point with 11 bits; decay factors for 5 s steps: 1, 5, 15 minutes */
const FSHIFT = 11;
const FIXED_1 = 1 << FSHIFT;
const EXP = [1884, 2014, 2037] as const;
const LOAD_FREQ = 5 * NSEC_PER_SEC;

export class Sched {
  private readonly kernel: Kernel;
  /** runnable tasks but the current one */
  private readonly queue: Task[] = [];
  /** whose registers are in the CPU, though it may sleep or be dead by now */
  private loaded: Task | undefined;
  /** instructions left of the current slice */
  private slice = 0;
  need_resched = false;
  /** for /proc/stat */
  nr_switches = 0;
  nr_forks = 0;
  private user = 0;
  private system = 0;
  private readonly avenrun = [0, 0, 0];
  private next_load = LOAD_FREQ;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Makes a new task runnable. */
  wake_up_new_task(task: Task): void {
    task.state = TASK_RUNNING;
    this.enqueue(task);
  }

  /**
   * The current (or a new) task leaves the CPU until wake_up_process. `until`: absolute monotonic ns at which it is woken anyway.
   * It only marks: the caller ends the attempt (throws SLEEP), the run loop then schedules.
   */
  park(task: Task, interruptible: boolean, until = Infinity): void {
    task.state = interruptible ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE;
    task.wake_at = until;
    task.nvcsw++;
    this.kernel.arch.set_exit_work();
    if (until < KTIME_MAX) this.kernel.time.timers.add((task.sleep_timer ??= new SleepTimer(task)), until);
  }

  /** Wakes a sleeping task. Of no effect on one that runs, is stopped, or is dead. Whether it slept. */
  wake_up_process(task: Task): boolean {
    if (task.state !== TASK_INTERRUPTIBLE && task.state !== TASK_UNINTERRUPTIBLE) return false;
    this.activate(task);
    return true;
  }
  /** Wakes a task from a stop (SIGCONT, SIGKILL). */
  wake_up_stopped(task: Task): boolean {
    if (task.state !== TASK_STOPPED && task.state !== TASK_TRACED) return false;
    this.activate(task);
    return true;
  }
  private activate(task: Task): void {
    for (const q of task.waiting_on) {
      q.waiters.delete(task);
      q.exclusive?.delete(task);
    }
    task.waiting_on.length = 0;
    task.wake_at = Infinity;
    if (task.sleep_timer !== undefined) this.kernel.time.timers.del(task.sleep_timer);
    task.state = TASK_RUNNING;
    if (task !== this.kernel.current) this.enqueue(task);
  }
  private enqueue(task: Task): void {
    if (task.rt_priority > 0) {
      let i = 0;
      while (i < this.queue.length && this.queue[i]!.rt_priority >= task.rt_priority) i++;
      this.queue.splice(i, 0, task);
      if ((this.kernel.current?.rt_priority ?? 0) < task.rt_priority) this.yield_();
      return;
    }
    this.queue.push(task);
  }

  /** The priority of a task changed: it takes its new place among those that wait. */
  requeue(task: Task): void {
    const i = this.queue.indexOf(task);
    if (i < 0) return;
    this.queue.splice(i, 1);
    this.enqueue(task);
  }
  /** sched_yield: lets all others of the queue run first. */
  yield_(): void {
    this.need_resched = true;
    this.kernel.arch.set_exit_work();
  }

  /**
   * Chooses who runs, and puts its registers into the CPU; undefined when all sleep. Also ends the slice of a task that used it up.
   */
  schedule(): Task | undefined {
    this.settle();
    const kernel = this.kernel;
    const cur = kernel.current;
    const runnable = cur !== undefined && cur.state === TASK_RUNNING;
    if (runnable && !this.need_resched && this.slice > 0) return cur;
    this.need_resched = false;
    if (runnable) {
      if (this.queue.length === 0 || this.queue[0]!.rt_priority < cur.rt_priority) {
        this.slice = TIMESLICE;
        return cur;
      }
      cur.nivcsw++;
      kernel.current = undefined;
      this.enqueue(cur);
      this.need_resched = false;
    }
    const next = this.queue.shift();
    kernel.current = next;
    if (next === undefined) return undefined;
    this.slice = TIMESLICE;
    if (next !== this.loaded) {
      this.nr_switches++;
      const prev = this.loaded;
      const alive = prev !== undefined && prev.state !== EXIT_ZOMBIE && prev.state !== EXIT_DEAD;
      this.loaded = next;
      kernel.arch.switch_to(alive ? prev : undefined, next);
    }
    return next;
  }

  /** Would schedule() let it go on, with nothing changed, while its slice lasts? */
  stays(task: Task): boolean {
    return task === this.kernel.current && task.state === TASK_RUNNING && !this.need_resched;
  }

  /** Whose registers the CPU holds: those of any other task are in task.thread. */
  get loaded_task(): Task | undefined {
    return this.loaded;
  }

  /** Instructions that the current task may run before the kernel must look: to its slice's end or the next timer. At least 1. */
  budget(): number {
    return Math.max(1, this.room());
  }
  /** The same, 0 or less if it must look now. */
  room(): number {
    // to the end of the slice even if nobody waits: where it is renewed must not depend on how often run() is called
    this.settle();
    let most = this.slice;
    const { current, time } = this.kernel;
    const now = time.monotonic();
    const timer = time.next_expiry() - now;
    if (timer < most) most = timer;
    if (this.next_load - now < most) most = this.next_load - now;
    if (current !== undefined && current.signal.cpu_timers) most = Math.min(most, next_cpu_timer(current));
    return most;
  }

  /** `task` retired `n` instructions in user mode. */
  account(task: Task, n: number): void {
    this.settle();
    this.kernel.time.retire(n);
    task.user_time += n;
    this.user += n;
    this.slice -= n;
    if (task.signal.cpu_timers) run_posix_cpu_timers(task);
    if (this.kernel.time.monotonic() >= this.next_load) this.calc_load();
  }
  /** `task` retired `n` instructions in user mode, and made a system call: account() and account_syscall(). Between two steps of the load average there is little to do. */
  account_call(task: Task, n: number): void {
    this.settle();
    const { time } = this.kernel;
    if (task.signal.cpu_timers || time.monotonic() + n >= this.next_load) {
      this.account(task, n);
      this.account_syscall(task);
      return;
    }
    time.retire(n);
    time.advance(SYSCALL_NSEC);
    task.user_time += n;
    task.system_time += SYSCALL_NSEC;
    this.user += n;
    this.system += SYSCALL_NSEC;
    this.slice -= n + SYSCALL_NSEC;
  }
  /**
   * Brings all accounts up to date: what the port has noted of calls is put in when somebody looks. They are the current task's, whose process has no timers on
   * CPU time; since room() was asked no timer was armed, and all that it retired and SYSCALL_NSEC for each call are still less than it said.
   */
  settle(): void {
    const { noted } = this.kernel.arch;
    if (noted.calls !== 0) this.catch_up(noted);
  }
  private catch_up(noted: NotedCalls): void {
    const { time, current } = this.kernel;
    const n = noted.insns, ns = noted.calls * SYSCALL_NSEC;
    noted.accounted();
    time.retire(n);
    time.advance(ns);
    current!.user_time += n;
    current!.system_time += ns;
    this.user += n;
    this.system += ns;
    this.slice -= n + ns;
  }
  /** of all tasks, for /proc/stat */
  get user_ns(): number {
    this.settle();
    return this.user;
  }
  get system_ns(): number {
    this.settle();
    return this.system;
  }
  /** `task` made a system call. */
  private account_syscall(task: Task): void {
    this.kernel.time.advance(SYSCALL_NSEC);
    task.system_time += SYSCALL_NSEC;
    this.system += SYSCALL_NSEC;
    this.slice -= SYSCALL_NSEC;
  }

  /** tasks that run or are ready to */
  nr_running(): number {
    const cur = this.kernel.current;
    return this.queue.length + (cur !== undefined && cur.state === TASK_RUNNING ? 1 : 0);
  }

  /** Catches up with the 5 s steps that passed; between two calls the number of active tasks is taken as constant. */
  private calc_load(): void {
    const now = this.kernel.time.monotonic();
    const active = this.nr_running() << FSHIFT;
    let steps = Math.min(1000, Math.floor((now - this.next_load) / LOAD_FREQ) + 1);
    this.next_load += (Math.floor((now - this.next_load) / LOAD_FREQ) + 1) * LOAD_FREQ;
    for (; steps > 0; steps--) {
      for (let i = 0; i < 3; i++) {
        const old = this.avenrun[i]!;
        const load = old * EXP[i]! + active * (FIXED_1 - EXP[i]!) + (active >= old ? FIXED_1 - 1 : 0);
        this.avenrun[i] = Math.floor(load / FIXED_1);
      }
    }
  }
  /** 1, 5 and 15 minute load averages in units of 1/2048 */
  loadavg(): readonly number[] {
    if (this.kernel.time.monotonic() >= this.next_load) this.calc_load();
    return this.avenrun;
  }
}
