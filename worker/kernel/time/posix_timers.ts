// kernel/time/posix_timers.ts — clocks, clock_nanosleep, timer_create.  cf. kernel/time/posix-timers.c, hrtimer.c
import { EAGAIN, EINVAL, EOPNOTSUPP, EPERM, ERESTARTNOHAND, ERESTART_RESTARTBLOCK } from "../../include/uapi/errno.ts";
import { NSIG, SIGALRM, SI_TIMER } from "../../include/uapi/signal.ts";
import {
  CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME,
  CLOCK_REALTIME_ALARM, CLOCK_REALTIME_COARSE, CLOCK_TAI, CLOCK_THREAD_CPUTIME_ID, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, TIMER_ABSTIME,
} from "../../include/uapi/time.ts";
import { CAP_SYS_TIME, CAP_WAKE_ALARM, capable } from "../cred.ts";
import type { Kernel } from "../kernel.ts";
import { find_task } from "../pid.ts";
import { send_signal } from "../signal.ts";
import type { SigInfo } from "../signal_types.ts";
import { sleep_on } from "../sched/wait.ts";
import { process_cputime, watch_cpu_time } from "../sys.ts";
import { Int, Ptr, SYSCALL_DEFINE, Timespec } from "../syscall.ts";
import { RestartBlock, restart_state, type Task } from "../task.ts";
import { check_read, check_write, get_user_s32, get_user_u32, put_user_u32 } from "../uaccess.ts";
import { KTIME_MAX, get_timespec, get_timespec64, put_timespec, put_timespec64, timespec64_valid } from "./time.ts";
import { KTimer } from "./timer.ts";
import { NSEC_PER_SEC, NSEC_PER_TICK } from "./timekeeping.ts";

const isRealtime = (clock: number): boolean => clock === CLOCK_REALTIME || clock === CLOCK_REALTIME_COARSE || clock === CLOCK_REALTIME_ALARM || clock === CLOCK_TAI;
const isMonotonic = (clock: number): boolean =>
  clock === CLOCK_MONOTONIC || clock === CLOCK_MONOTONIC_RAW || clock === CLOCK_MONOTONIC_COARSE || clock === CLOCK_BOOTTIME || clock === CLOCK_BOOTTIME_ALARM;

/** The task whose CPU time a clock id names, and whether only its own thread counts. undefined: no CPU clock. Throws EINVAL. */
function cpu_clock(task: Task, clock: number): { task: Task; thread: boolean } | undefined {
  if (clock === CLOCK_PROCESS_CPUTIME_ID) return { task, thread: false };
  if (clock === CLOCK_THREAD_CPUTIME_ID) return { task, thread: true };
  if (clock >= 0) return undefined;
  if ((clock & 3) === 3) throw EINVAL;
  const pid = ~(clock >> 3);
  const thread = (clock & 4) !== 0;
  const t = pid === 0 ? task : find_task(task.kernel, pid);
  if (t === undefined || (thread && t.signal !== task.signal) || (!thread && t.group_leader !== t && pid !== 0)) throw EINVAL;
  return { task: t, thread };
}
function cpu_clock_sample(c: { task: Task; thread: boolean }): number {
  if (c.thread) return c.task.utime + c.task.stime;
  const { utime, stime } = process_cputime(c.task);
  return utime + stime;
}

/** Reads a clock. Throws EINVAL for one that is not there. */
function clock_get(task: Task, clock: number): { sec: number; nsec: number } {
  const time = task.kernel.time;
  if (isRealtime(clock)) {
    const t = time.realtime();
    return clock === CLOCK_REALTIME_COARSE ? { sec: t.sec, nsec: t.nsec - (t.nsec % NSEC_PER_TICK) } : t;
  }
  let ns: number;
  if (isMonotonic(clock)) ns = clock === CLOCK_MONOTONIC_COARSE ? time.monotonic() - (time.monotonic() % NSEC_PER_TICK) : time.monotonic();
  else {
    const cpu = cpu_clock(task, clock);
    if (cpu === undefined) throw EINVAL;
    ns = cpu_clock_sample(cpu);
  }
  return { sec: Math.floor(ns / NSEC_PER_SEC), nsec: ns % NSEC_PER_SEC };
}
export const sys_clock_gettime = SYSCALL_DEFINE("clock_gettime", [Int, Ptr], (task, clock, tp) => {
  put_timespec64(task.kernel.mem, tp, clock_get(task, clock));
  return 0;
});
export const sys_clock_getres = SYSCALL_DEFINE("clock_getres", [Int, Ptr], (task, clock, tp) => {
  clock_get(task, clock);
  if (tp !== 0) put_timespec(task.kernel.mem, tp, clock === CLOCK_REALTIME_COARSE || clock === CLOCK_MONOTONIC_COARSE ? NSEC_PER_TICK : 1);
  return 0;
});
export const sys_clock_settime = SYSCALL_DEFINE("clock_settime", [Int, Ptr], (task, clock, tp) => {
  if (clock !== CLOCK_REALTIME) {
    clock_get(task, clock);
    throw EINVAL;
  }
  const t = get_timespec64(task.kernel.mem, tp);
  if (!timespec64_valid(t)) throw EINVAL;
  if (!capable(task, CAP_SYS_TIME)) throw EPERM;
  task.kernel.time.set_realtime(t.sec, t.nsec);
  return 0;
});

// --- sleeping

/** What a nanosleep that a stop interrupted goes on with. */
export class NanosleepRestart extends RestartBlock {
  readonly until: number;
  readonly rmtp: number;
  constructor(until: number, rmtp: number) {
    super();
    this.until = until;
    this.rmtp = rmtp;
  }
  restart(task: Task): number {
    return nanosleep_until(task, this.until, this.rmtp, false);
  }
}
function nanosleep_until(task: Task, until: number, rmtp: number, absolute: boolean): number {
  const left = until - task.kernel.time.monotonic();
  if (left <= 0) return 0;
  if (task.signal_pending()) {
    if (absolute) throw ERESTARTNOHAND;
    if (rmtp !== 0) put_timespec(task.kernel.mem, rmtp, Math.min(left, KTIME_MAX));
    task.restart_block = new NanosleepRestart(until, rmtp);
    throw ERESTART_RESTARTBLOCK;
  }
  return sleep_on(task, absolute ? [task.kernel.time.clock_set] : [], { until });
}
interface SleepUntil {
  until: number;
  /** a reading of CLOCK_REALTIME, in place of until */
  wall?: { sec: number; nsec: number };
}
/** nanosleep(2) */
export const sys_nanosleep = SYSCALL_DEFINE("nanosleep", [Timespec, Ptr], (task, rqtp, rmtp) => {
  const st = restart_state<SleepUntil>(task, () => ({ until: task.kernel.time.monotonic() + get_timespec(task.kernel.mem, rqtp) }));
  return nanosleep_until(task, st.until, rmtp, false);
});
/** clock_nanosleep(2) */
export const sys_clock_nanosleep = SYSCALL_DEFINE("clock_nanosleep", [Int, Int, Ptr, Ptr], (task, clock, flags, rqtp, rmtp) => {
  const time = task.kernel.time;
  if (clock === CLOCK_THREAD_CPUTIME_ID || clock === CLOCK_MONOTONIC_COARSE || clock === CLOCK_REALTIME_COARSE || clock === CLOCK_MONOTONIC_RAW) {
    throw EOPNOTSUPP;
  }
  if (!isRealtime(clock) && !isMonotonic(clock)) {
    if (cpu_clock(task, clock) === undefined) throw EINVAL;
    return cpu_nanosleep(task, clock, flags, rqtp);
  }
  const absolute = (flags & TIMER_ABSTIME) !== 0;
  const st = restart_state<SleepUntil>(task, () => {
    const t = get_timespec64(task.kernel.mem, rqtp);
    if (!timespec64_valid(t)) throw EINVAL;
    if (!absolute) return { until: time.monotonic() + get_timespec(task.kernel.mem, rqtp) };
    if (isRealtime(clock)) return { until: 0, wall: t };
    return { until: Math.min(KTIME_MAX, t.sec * NSEC_PER_SEC + t.nsec) };
  });
  // when that reading will be there changes with every setting of the clock
  const until = st.wall === undefined ? st.until : time.realtime_to_monotonic(st.wall.sec, st.wall.nsec);
  return nanosleep_until(task, until, rmtp, absolute);
});
/** Sleeps until a process has used so much CPU time: looks again whenever it could have, at the earliest. */
function cpu_nanosleep(task: Task, clock: number, flags: number, rqtp: number): number {
  const cpu = cpu_clock(task, clock)!;
  const st = restart_state<SleepUntil>(task, () => {
    const rel = get_timespec(task.kernel.mem, rqtp);
    return { until: (flags & TIMER_ABSTIME) !== 0 ? rel : cpu_clock_sample(cpu) + rel };
  });
  const left = st.until - cpu_clock_sample(cpu);
  if (left <= 0) return 0;
  return sleep_on(task, [], { until: task.kernel.time.monotonic() + left, interrupted: ERESTARTNOHAND });
}

// --- timers of a process

/** A timer of timer_create. While its signal is pending it is not armed: it is set forward when the signal is taken. */
export class PosixTimer extends KTimer {
  readonly id: number;
  readonly clock: number;
  readonly owner: Task;
  readonly notify: number;
  readonly sig: number;
  readonly value_lo: number;
  readonly value_hi: number;
  /** SIGEV_THREAD_ID: the thread */
  readonly target: Task | undefined;
  /** ns, 0: one shot */
  interval = 0;
  /** absolute on its clock, ns, 0: not set. (CPU clocks: what run_posix_cpu_timers compares.) */
  due = 0;
  /** CPU clock: whose time */
  readonly cpu_task: Task | undefined;
  readonly cpu_thread: boolean;
  /** expiries since the last signal was taken, less the one that sent it */
  private overrun = -1;
  last_overrun = 0;
  signal_queued = false;

  constructor(id: number, clock: number, owner: Task, notify: number, sig: number, value: [number, number], target: Task | undefined, cpu: { task: Task; thread: boolean } | undefined) {
    super();
    this.id = id;
    this.clock = clock;
    this.owner = owner;
    this.notify = notify;
    this.sig = sig;
    this.value_lo = value[0];
    this.value_hi = value[1];
    this.target = target;
    this.cpu_task = cpu?.task;
    this.cpu_thread = cpu?.thread ?? false;
  }

  /** its clock, ns (realtime: as monotonic ns) */
  now(kernel: Kernel): number {
    return this.cpu_task === undefined ? kernel.time.monotonic() : cpu_clock_sample({ task: this.cpu_task, thread: this.cpu_thread });
  }
  set(kernel: Kernel, due: number, interval: number): void {
    this.interval = interval;
    this.due = due;
    this.overrun = -1;
    this.last_overrun = 0;
    this.arm(kernel);
  }
  override clock_was_set(delta: number): void {
    this.due -= delta;
  }
  private arm(kernel: Kernel): void {
    kernel.time.timers.del(this);
    if (this.due === 0) return;
    if (this.cpu_task !== undefined) watch_cpu_time(this.cpu_task);
    else if (this.due < KTIME_MAX) kernel.time.timers.add(this, this.due);
  }
  /** Moves `due` past now by whole intervals, and says how many. */
  private forward(kernel: Kernel): number {
    const n = Math.max(0, Math.floor((this.now(kernel) - this.due) / this.interval) + 1);
    this.due += n * this.interval;
    return n;
  }
  expire(kernel: Kernel): void {
    if (this.notify === SIGEV_NONE) {
      if (this.interval === 0) this.due = 0;
      else {
        this.forward(kernel);
        this.arm(kernel);
      }
      return;
    }
    const target = this.target ?? this.owner.group_leader;
    const info: SigInfo = { signo: this.sig, errno: 0, code: SI_TIMER, tid: this.id, overrun: 0, value_lo: this.value_lo, value_hi: this.value_hi };
    const group = this.target === undefined;
    if (target.exit_state_dead() && target.signal.threads.size <= 1) return;
    send_signal(this.sig, info, target, group, false);
    const pending = group ? target.signal.shared_pending : target.pending;
    this.signal_queued = pending.list.includes(info);
    if (this.interval === 0) this.due = 0;
    else if (!this.signal_queued) {
      // ignored, or swallowed by one of the same number: goes on by itself
      this.overrun += this.forward(kernel);
      this.arm(kernel);
    }
  }
  /** The signal is taken: the timer is set forward. The overrun for si_overrun. */
  signal_taken(kernel: Kernel): number {
    if (!this.signal_queued) return 0;
    this.signal_queued = false;
    if (this.interval !== 0) {
      this.overrun += this.forward(kernel);
      this.arm(kernel);
    }
    this.last_overrun = Math.max(0, Math.min(0x7fffffff, this.overrun));
    this.overrun = -1;
    return this.last_overrun;
  }
  /** ns to go; 0 when not set */
  left(kernel: Kernel): number {
    if (this.due === 0) return 0;
    const now = this.now(kernel);
    if (this.interval !== 0 && this.due <= now && (this.notify === SIGEV_NONE || this.signal_queued)) this.overrun += this.forward(kernel);
    return Math.max(1, this.due - now);
  }
}

/** timer_create(2). struct sigevent: value 8 bytes, signo, notify, thread id */
export const sys_timer_create = SYSCALL_DEFINE("timer_create", [Int, Ptr, Ptr], (task, clock, sevp, timerid) => {
  const m = task.kernel.mem;
  if (sevp !== 0) check_read(m, sevp, 64);
  const cpu = isRealtime(clock) || isMonotonic(clock) ? undefined : cpu_clock(task, clock);
  if (cpu === undefined && !isRealtime(clock) && !isMonotonic(clock)) throw EINVAL;
  if (clock === CLOCK_REALTIME_COARSE || clock === CLOCK_MONOTONIC_COARSE || clock === CLOCK_MONOTONIC_RAW) throw EOPNOTSUPP;
  if ((clock === CLOCK_REALTIME_ALARM || clock === CLOCK_BOOTTIME_ALARM) && !capable(task, CAP_WAKE_ALARM)) throw EPERM;
  const id = task.signal.next_posix_timer_id;
  let notify = SIGEV_SIGNAL;
  let sig = SIGALRM;
  let value: [number, number] = [id, 0];
  let target: Task | undefined;
  if (sevp !== 0) {
    value = [get_user_u32(m, sevp), get_user_u32(m, sevp + 4)];
    sig = get_user_s32(m, sevp + 8);
    notify = get_user_s32(m, sevp + 12);
    if (notify === (SIGEV_SIGNAL | SIGEV_THREAD_ID)) {
      target = find_task(task.kernel, get_user_s32(m, sevp + 16));
      if (target === undefined || target.signal !== task.signal) throw EINVAL;
    } else if (notify !== SIGEV_NONE && notify !== SIGEV_SIGNAL && notify !== SIGEV_THREAD) throw EINVAL;
    if (notify !== SIGEV_NONE && (sig <= 0 || sig > NSIG)) throw EINVAL;
  }
  check_write(m, timerid, 4);
  if (task.signal.posix_timers.size >= 4096) throw EAGAIN;
  task.signal.next_posix_timer_id = (id + 1) & 0x7fffffff;
  task.signal.posix_timers.set(id, new PosixTimer(id, clock, task, notify, sig, value, target, cpu));
  put_user_u32(m, timerid, id);
  return 0;
});
function lookup(task: Task, id: number): PosixTimer {
  const timer = task.signal.posix_timers.get(id);
  if (timer === undefined) throw EINVAL;
  return timer;
}
function put_itimerspec(task: Task, addr: number, left: number, interval: number): void {
  put_timespec(task.kernel.mem, addr, interval);
  put_timespec(task.kernel.mem, addr + 16, left);
}
/** timer_settime(2) */
export const sys_timer_settime = SYSCALL_DEFINE("timer_settime", [Int, Int, Ptr, Ptr], (task, id, flags, new_setting, old_setting) => {
  const kernel = task.kernel;
  if (new_setting === 0) throw EINVAL;
  check_read(kernel.mem, new_setting, 32);
  const interval = get_timespec(kernel.mem, new_setting);
  const value = get_timespec64(kernel.mem, new_setting + 16);
  if (!timespec64_valid(value)) throw EINVAL;
  const timer = lookup(task, id);
  if (old_setting !== 0) check_write(kernel.mem, old_setting, 32);
  const old_left = timer.left(kernel);
  const old_interval = timer.interval;
  let due = 0;
  if (value.sec !== 0 || value.nsec !== 0) {
    timer.realtime = false;
    if ((flags & TIMER_ABSTIME) === 0) due = timer.now(kernel) + Math.min(KTIME_MAX, value.sec * NSEC_PER_SEC + value.nsec);
    else if ((timer.realtime = isRealtime(timer.clock))) due = kernel.time.realtime_to_monotonic(value.sec, value.nsec);
    else due = value.sec * NSEC_PER_SEC + value.nsec;
    if (due === 0) due = 1;
  }
  // one that is switched off forgets how often.  cf. common_timer_set()
  timer.set(kernel, due, due === 0 && timer.cpu_task === undefined ? 0 : interval);
  if (old_setting !== 0) put_itimerspec(task, old_setting, old_left, old_interval);
  return 0;
});
/** timer_gettime(2) */
export const sys_timer_gettime = SYSCALL_DEFINE("timer_gettime", [Int, Ptr], (task, id, setting) => {
  const timer = lookup(task, id);
  check_write(task.kernel.mem, setting, 32);
  put_itimerspec(task, setting, timer.left(task.kernel), timer.interval);
  return 0;
});
export const sys_timer_getoverrun = SYSCALL_DEFINE("timer_getoverrun", [Int], (task, id) => lookup(task, id).last_overrun);
export const sys_timer_delete = SYSCALL_DEFINE("timer_delete", [Int], (task, id) => {
  task.kernel.time.timers.del(lookup(task, id));
  task.signal.posix_timers.delete(id);
  return 0;
});

/** The process ends or executes: its POSIX timers go; on exit ITIMER_REAL too. */
export function exit_itimers(task: Task): void {
  for (const t of task.signal.posix_timers.values()) task.kernel.time.timers.del(t);
  task.signal.posix_timers.clear();
}
export function exit_timers(task: Task): void {
  exit_itimers(task);
  if (task.signal.real_timer !== undefined) task.kernel.time.timers.del(task.signal.real_timer);
  task.signal.real_timer = undefined;
}
