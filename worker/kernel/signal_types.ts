// kernel/signal_types.ts — signal sets, queued signals, dispositions, and what the threads of a process share.  cf. include/linux/sched/signal.h
import { get_user_u32, put_user_u32 } from "./uaccess.ts";
import { WaitQueue } from "./sched/wait.ts";
import type { Memory } from "./uaccess.ts";
import type { Task } from "./task.ts";
import type { KTimer } from "./time/timer.ts";
import type { PosixTimer } from "./time/posix_timers.ts";
import type { TtyStruct } from "../drivers/tty/tty_io.ts";

/** A set of signals 1..64: signal n is bit n-1. */
export class SigSet {
  lo: number;
  hi: number;
  constructor(lo = 0, hi = 0) {
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
  }
  static of(...signals: number[]): SigSet {
    const s = new SigSet();
    for (const sig of signals) s.add(sig);
    return s;
  }
  has(sig: number): boolean {
    return ((sig <= 32 ? this.lo >>> (sig - 1) : this.hi >>> (sig - 33)) & 1) !== 0;
  }
  add(sig: number): void {
    if (sig <= 32) this.lo = (this.lo | (1 << (sig - 1))) >>> 0;
    else this.hi = (this.hi | (1 << (sig - 33))) >>> 0;
  }
  del(sig: number): void {
    if (sig <= 32) this.lo = (this.lo & ~(1 << (sig - 1))) >>> 0;
    else this.hi = (this.hi & ~(1 << (sig - 33))) >>> 0;
  }
  clear(): void {
    this.lo = this.hi = 0;
  }
  copy(): SigSet {
    return new SigSet(this.lo, this.hi);
  }
  assign(o: SigSet): void {
    this.lo = o.lo;
    this.hi = o.hi;
  }
  or(o: SigSet): SigSet {
    return new SigSet(this.lo | o.lo, this.hi | o.hi);
  }
  and(o: SigSet): SigSet {
    return new SigSet(this.lo & o.lo, this.hi & o.hi);
  }
  minus(o: SigSet): SigSet {
    return new SigSet(this.lo & ~o.lo, this.hi & ~o.hi);
  }
  not(): SigSet {
    return new SigSet(~this.lo, ~this.hi);
  }
  intersects(o: SigSet): boolean {
    return (this.lo & o.lo) !== 0 || (this.hi & o.hi) !== 0;
  }
  isEmpty(): boolean {
    return this.lo === 0 && this.hi === 0;
  }
  /** the lowest signal of the set, 0 for none */
  first(): number {
    if (this.lo !== 0) return 32 - Math.clz32(this.lo & -this.lo);
    if (this.hi !== 0) return 64 - Math.clz32(this.hi & -this.hi);
    return 0;
  }
  /** sixteen hex digits, as in /proc/PID/status */
  toString(): string {
    return this.hi.toString(16).padStart(8, "0") + this.lo.toString(16).padStart(8, "0");
  }
}

/** sigset_t in user memory, 8 bytes */
export function get_user_sigset(m: Memory, addr: number): SigSet {
  return new SigSet(get_user_u32(m, addr), get_user_u32(m, addr + 4));
}
export function put_user_sigset(m: Memory, addr: number, set: SigSet): void {
  put_user_u32(m, addr, set.lo);
  put_user_u32(m, addr + 4, set.hi);
}

/** struct sigaction as the kernel keeps it */
export class KSigaction {
  /** SIG_DFL 0, SIG_IGN 1, or an address */
  handler = 0;
  flags = 0;
  restorer = 0;
  mask: SigSet = new SigSet();
}

/** siginfo_t. Which fields count is decided by `code` and `signo` (siginfo_layout); absent ones are 0. */
export interface SigInfo {
  signo: number;
  errno: number;
  /** SI_USER 0, SI_KERNEL 0x80, SI_QUEUE -1 ... */
  code: number;
  pid?: number;
  uid?: number;
  status?: number;
  /** clock ticks */
  utime?: number;
  stime?: number;
  /** fault address */
  addr?: number;
  trapno?: number;
  /** sigval, two 32-bit halves */
  value_lo?: number;
  value_hi?: number;
  band?: number;
  fd?: number;
  tid?: number;
  overrun?: number;
  call_addr?: number;
  syscall?: number;
  arch?: number;
}

/** Signals that wait for a task or a thread group: the set, and what came with them in order. */
export class SigPending {
  readonly signal: SigSet = new SigSet();
  list: SigInfo[] = [];
}

/** Dispositions, shared by CLONE_SIGHAND. */
export class SigHand {
  /** by signal number; [0] is unused */
  readonly action: KSigaction[] = Array.from({ length: 65 }, () => new KSigaction());
  count = 1;
  /** signalfds that poll: woken whenever a signal is queued */
  readonly signalfd_wqh: WaitQueue = new WaitQueue();
}

export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 10;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIMIT_RTTIME = 15;
export const RLIM_NLIMITS = 16;

/** A limit; Infinity is RLIM_INFINITY. */
export interface Rlimit {
  cur: number;
  max: number;
}

/** An interval timer of setitimer: ns; `expires` absolute on its clock, 0 when not armed. */
export interface Itimer {
  expires: number;
  interval: number;
}

/** struct rusage's counters of threads that are gone, or of children that were waited for */
export interface Usage {
  /** ns */
  utime: number;
  stime: number;
  minflt: number;
  majflt: number;
  nvcsw: number;
  nivcsw: number;
  inblock: number;
  oublock: number;
  /** KiB */
  maxrss: number;
}
export const newUsage = (): Usage => ({ utime: 0, stime: 0, minflt: 0, majflt: 0, nvcsw: 0, nivcsw: 0, inblock: 0, oublock: 0, maxrss: 0 });

export const SIGNAL_STOP_STOPPED = 1;
export const SIGNAL_STOP_CONTINUED = 2;
export const SIGNAL_GROUP_EXIT = 4;
export const SIGNAL_CLD_STOPPED = 0x10;
export const SIGNAL_CLD_CONTINUED = 0x20;
export const SIGNAL_UNKILLABLE = 0x40;

/** What the threads of one process share.  cf. struct signal_struct */
export class SignalStruct {
  /** live threads, in order of creation; the leader is first and stays (as a zombie) until the others are gone */
  readonly threads = new Set<Task>();
  /** signals for the process */
  readonly shared_pending: SigPending = new SigPending();
  /** parents waiting in wait4 and waitid */
  readonly wait_chldexit: WaitQueue = new WaitQueue();
  /** SIGNAL_* */
  flags = 0;
  /** wait status that all threads exit with, under SIGNAL_GROUP_EXIT; or the signal that stops them */
  group_exit_code = 0;
  /** threads that must still stop before the parent is told */
  group_stop_count = 0;
  /** the thread that executes while the others of its group die */
  group_exec_task: Task | undefined;

  pgrp = 0;
  session = 0;
  /** session leader */
  leader = false;
  tty: TtyStruct | undefined;
  /** group of the tty when it was lost */
  tty_old_pgrp = 0;
  is_child_subreaper = false;
  has_child_subreaper = false;

  readonly rlim: Rlimit[] = [];
  /** ITIMER_REAL's timer; _VIRTUAL and _PROF are compared with CPU time at each accounting */
  real_timer: KTimer | undefined;
  it_real_incr = 0;
  /** ITIMER_REAL is set for this, absolute ns, which is past the end of the clock and never comes; 0: it is not */
  it_real_beyond = 0;
  it_virt: Itimer = { expires: 0, interval: 0 };
  it_prof: Itimer = { expires: 0, interval: 0 };
  /** some timer or limit of CPU time may be armed: the scheduler looks at them at each accounting */
  cpu_timers = false;
  /** timer_create's, by id */
  readonly posix_timers = new Map<number, PosixTimer>();
  next_posix_timer_id = 0;

  /** of threads that exited */
  readonly usage: Usage = newUsage();
  /** of children that were waited for */
  readonly cusage: Usage = newUsage();
  oom_score_adj = 0;
  /** /proc/PID/io: bytes and calls of read(2) and its like, of write(2) and its like */
  rchar = 0;
  wchar = 0;
  syscr = 0;
  syscw = 0;
  /** MEMBARRIER_CMD_REGISTER_* that were made */
  membarrier_state = 0;
  /** pidfds of the process that poll */
  readonly wait_pidfd: WaitQueue = new WaitQueue();
}
