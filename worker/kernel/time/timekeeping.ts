// kernel/time/timekeeping.ts — the machine's clock.  cf. kernel/time/timekeeping.c
//
// Time is virtual: one nanosecond for each retired instruction, a fixed cost for each system call, and jumps while all tasks sleep. It is a
// function of what was executed, never of the host. `time=real` only changes how far an idle jump may go (the machine decides).
import type { Kernel } from "../kernel.ts";
import { WaitQueue } from "../sched/wait.ts";
import { Ntp } from "./ntp.ts";
import { Timers } from "./timer.ts";

export const NSEC_PER_SEC = 1_000_000_000;
export const NSEC_PER_MSEC = 1_000_000;
export const NSEC_PER_USEC = 1000;
/** sysconf(_SC_CLK_TCK) */
export const USER_HZ = 100;
export const NSEC_PER_TICK = NSEC_PER_SEC / USER_HZ;
/** what a system call costs, ns: about what entry, work and exit of a short call take on hardware */
export const SYSCALL_NSEC = 200;

export class Timekeeping {
  private readonly kernel: Kernel;
  readonly timers: Timers;
  /** CLOCK_MONOTONIC, ns since boot, but for calls that are in no account yet (Arch.noted); exact up to 2^53 (104 days) */
  private now = 0;
  /** CLOCK_REALTIME at monotonic 0: seconds since the epoch, and ns */
  private wall_sec: number;
  private wall_nsec = 0;
  /** changes whenever CLOCK_REALTIME is set: timerfds with TFD_TIMER_CANCEL_ON_SET look at it */
  clock_was_set_seq = 0;
  /** sleepers until a reading of CLOCK_REALTIME */
  readonly clock_set: WaitQueue = new WaitQueue();
  /** timerfds with TFD_TIMER_CANCEL_ON_SET */
  readonly cancel_on_set = new Set<{ clock_was_set(): void }>();
  /** what adjtimex(2) keeps */
  readonly ntp = new Ntp();
  /** ns that all tasks slept */
  idle = 0;
  /** what retired gives, but for those before such calls */
  private insns = 0;

  /** `start`: seconds since the epoch at boot */
  constructor(kernel: Kernel, start: number) {
    this.kernel = kernel;
    this.timers = new Timers(kernel);
    this.wall_sec = Math.floor(start);
  }

  /** CLOCK_MONOTONIC (and _BOOTTIME), ns. An instruction counts once the CPU returned to the kernel. */
  monotonic(): number {
    const { noted } = this.kernel.arch;
    return this.now + (noted.insns + noted.calls * SYSCALL_NSEC);
  }
  /** instructions retired since power on */
  get retired(): number {
    return this.insns + this.kernel.arch.noted.insns;
  }
  /** CLOCK_REALTIME */
  realtime(): { sec: number; nsec: number } {
    const now = this.monotonic();
    const n = this.wall_nsec + (now % NSEC_PER_SEC);
    return { sec: this.wall_sec + Math.floor(now / NSEC_PER_SEC) + Math.floor(n / NSEC_PER_SEC), nsec: n % NSEC_PER_SEC };
  }
  /** When, in monotonic ns, CLOCK_REALTIME reads this. May be negative. */
  realtime_to_monotonic(sec: number, nsec: number): number {
    return (sec - this.wall_sec) * NSEC_PER_SEC + (nsec - this.wall_nsec);
  }
  /** Seconds since the epoch at which the machine booted (/proc/stat btime). */
  btime(): number {
    return this.wall_sec;
  }
  /** clock_settime(CLOCK_REALTIME) */
  set_realtime(sec: number, nsec: number): void {
    const now = this.monotonic();
    let s = sec - Math.floor(now / NSEC_PER_SEC);
    let n = nsec - (now % NSEC_PER_SEC);
    if (n < 0) {
      n += NSEC_PER_SEC;
      s--;
    }
    const delta = (s - this.wall_sec) * NSEC_PER_SEC + (n - this.wall_nsec);
    this.wall_sec = s;
    this.wall_nsec = n;
    this.clock_was_set_seq++;
    this.timers.clock_was_set(delta);
    this.clock_set.wake_up();
    for (const file of this.cancel_on_set) file.clock_was_set();
  }

  /** `n` instructions were retired. */
  retire(n: number): void {
    this.insns += n;
    this.now += n;
  }
  /** The kernel worked for `ns`. */
  advance(ns: number): void {
    this.now += ns;
  }
  /** All tasks sleep: jumps to absolute monotonic `to` (no further than the next timer, if the caller wants it right). */
  advance_idle(to: number): void {
    if (to <= this.now) return;
    this.idle += to - this.now;
    this.now = to;
  }

  /** Fires all timers that are due. Called by the run loop before it schedules. */
  run_timers(): void {
    for (;;) {
      const t = this.timers.pop(this.now);
      if (t === undefined) return;
      t.expire(this.kernel);
    }
  }
  /** When the next timer fires, absolute ns; Infinity for none. */
  next_expiry(): number {
    return this.timers.next();
  }
}
