// fs/timerfd.ts — timers that are read.  cf. fs/timerfd.c
import { EAGAIN, ECANCELED, EINVAL, EPERM } from "../include/uapi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from "../include/uapi/fcntl.ts";
import { CAP_WAKE_ALARM, capable } from "../kernel/cred.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { Fd, Hex, Int, Ptr, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { KTimer } from "../kernel/time/timer.ts";
import { get_timespec64, put_timespec } from "../kernel/time/time.ts";
import { check_read, check_write } from "../kernel/uaccess.ts";
import { type File, POLLIN, FileOperations } from "./fs.ts";
import { fput } from "./file_table.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const CLOCK_REALTIME_ALARM = 8;
const CLOCK_BOOTTIME_ALARM = 9;
const TFD_TIMER_ABSTIME = 1;
const TFD_TIMER_CANCEL_ON_SET = 2;
const NSEC = 1_000_000_000;

export class TimerfdTimer extends KTimer {
  readonly ctx: TimerFd;
  constructor(ctx: TimerFd) {
    super();
    this.ctx = ctx;
  }
  /** One expiry; the intervals that pass until somebody reads are counted then. */
  expire(): void {
    this.ctx.expired = true;
    this.ctx.ticks++;
    this.ctx.wqh.wake_up();
  }
}

export class TimerFd extends FileOperations {
  private readonly kernel: Kernel;
  readonly clockid: number;
  /** expirations that nobody has read */
  ticks = 0;
  expired = false;
  /** ns, 0: one shot */
  interval = 0;
  settime_flags = 0;
  /** kernel.time.clock_was_set_seq when it was set, for TFD_TIMER_CANCEL_ON_SET */
  private was_set = 0;
  private readonly timer: TimerfdTimer;
  readonly wqh: WaitQueue = new WaitQueue();
  constructor(kernel: Kernel, clockid: number) {
    super();
    this.kernel = kernel;
    this.clockid = clockid;
    this.timer = new TimerfdTimer(this);
  }
  private get realtime(): boolean {
    return this.clockid === CLOCK_REALTIME || this.clockid === CLOCK_REALTIME_ALARM;
  }
  /** An interval timer that fired goes on from where it was due, and counts what it missed.  cf. hrtimer_forward_now() */
  private forward(): void {
    if (!this.expired || this.interval === 0) return;
    const { time } = this.kernel;
    const missed = Math.floor((time.monotonic() - this.timer.expires) / this.interval);
    this.ticks += missed;
    this.expired = false;
    time.timers.add(this.timer, this.timer.expires + (missed + 1) * this.interval);
  }
  private canceled(): boolean {
    if (!this.kernel.time.cancel_on_set.has(this) || this.was_set === this.kernel.time.clock_was_set_seq) return false;
    this.was_set = this.kernel.time.clock_was_set_seq;
    return true;
  }
  settime(flags: number, sec: number, nsec: number, interval: number): void {
    const { time } = this.kernel;
    time.timers.del(this.timer);
    this.settime_flags = flags;
    if ((flags & TFD_TIMER_CANCEL_ON_SET) !== 0 && (flags & TFD_TIMER_ABSTIME) !== 0 && this.realtime) time.cancel_on_set.add(this);
    else time.cancel_on_set.delete(this);
    this.timer.realtime = (flags & TFD_TIMER_ABSTIME) !== 0 && this.realtime;
    this.was_set = time.clock_was_set_seq;
    this.ticks = 0;
    this.expired = false;
    this.interval = interval;
    if (sec === 0 && nsec === 0) return;
    const absolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    const at = !absolute ? time.monotonic() + sec * NSEC + nsec : this.realtime ? time.realtime_to_monotonic(sec, nsec) : sec * NSEC + nsec;
    time.timers.add(this.timer, at);
  }
  /** ns until it fires next, 0: disarmed */
  remaining(): number {
    this.forward();
    return this.timer.armed ? Math.max(1, this.timer.expires - this.kernel.time.monotonic()) : 0;
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len < 8) throw EINVAL;
    if (this.canceled()) {
      this.ticks = 0;
      throw ECANCELED;
    }
    if (this.ticks === 0) {
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [this.wqh]);
    }
    this.forward();
    const view = new DataView(buf.buffer, buf.byteOffset);
    view.setUint32(off, this.ticks >>> 0, true);
    view.setUint32(off + 4, Math.floor(this.ticks / 0x100000000), true);
    this.ticks = 0;
    this.expired = false;
    return 8;
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wqh);
    return this.ticks > 0 || (this.kernel.time.cancel_on_set.has(this) && this.was_set !== this.kernel.time.clock_was_set_seq) ? POLLIN : 0;
  }
  /** CLOCK_REALTIME was set: whoever waits is told ECANCELED. */
  clock_was_set(): void {
    this.wqh.wake_up();
  }
  override release(): void {
    this.kernel.time.cancel_on_set.delete(this);
    this.kernel.time.timers.del(this.timer);
  }
  override get noop_llseek(): boolean {
    return true;
  }
  override d_dname(): string {
    return "anon_inode:[timerfd]";
  }
  override show_fdinfo(): string {
    const left = this.remaining();
    const pair = (ns: number): string => `(${Math.floor(ns / NSEC)}, ${ns % NSEC})`;
    return `clockid: ${this.clockid}\nticks: ${this.ticks}\nsettime flags: 0${this.settime_flags.toString(8)}\nit_value: ${pair(left)}\nit_interval: ${pair(this.interval)}\n`;
  }
}

/** timerfd_create(2) */
export const sys_timerfd_create = SYSCALL_DEFINE("timerfd_create", [Int, Hex], (task, clockid, flags) => {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) throw EINVAL;
  if (![CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM].includes(clockid)) throw EINVAL;
  if ((clockid === CLOCK_REALTIME_ALARM || clockid === CLOCK_BOOTTIME_ALARM) && !capable(task, CAP_WAKE_ALARM)) throw EPERM;
  const file = anon_inode_getfile(task.kernel, new TimerFd(task.kernel, clockid), O_RDWR | (flags & O_NONBLOCK));
  try {
    return task.files!.alloc_fd(task, file, (flags & O_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, file);
    throw e;
  }
});

function timerfd(task: Task, fd: number): TimerFd {
  const { f_op } = task.files!.fget(fd);
  if (!(f_op instanceof TimerFd)) throw EINVAL;
  return f_op;
}

function put_itimerspec(task: Task, addr: number, ctx: TimerFd): void {
  const m = task.kernel.mem;
  check_write(m, addr, 32);
  put_timespec(m, addr, ctx.interval);
  put_timespec(m, addr + 16, ctx.remaining());
}

/** timerfd_settime(2): struct itimerspec {interval, value} */
export const sys_timerfd_settime = SYSCALL_DEFINE("timerfd_settime", [Fd, Hex, Ptr, Ptr], (task, ufd, flags, utmr, otmr) => {
  const m = task.kernel.mem;
  check_read(m, utmr, 32);
  const interval = get_timespec64(m, utmr);
  const value = get_timespec64(m, utmr + 16);
  const bad = (t: { sec: number; nsec: number }): boolean => t.sec < 0 || t.nsec < 0 || t.nsec >= NSEC;
  if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) !== 0 || bad(interval) || bad(value)) throw EINVAL;
  const ctx = timerfd(task, ufd);
  if (otmr !== 0) put_itimerspec(task, otmr, ctx);
  ctx.settime(flags, value.sec, value.nsec, interval.sec * NSEC + interval.nsec);
  return 0;
});
/** timerfd_gettime(2) */
export const sys_timerfd_gettime = SYSCALL_DEFINE("timerfd_gettime", [Fd, Ptr], (task, ufd, otmr) => {
  put_itimerspec(task, otmr, timerfd(task, ufd));
  return 0;
});
