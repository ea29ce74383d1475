// kernel/time/itimer.ts — getitimer, setitimer, alarm.  cf. kernel/time/itimer.c
import { EINVAL } from "../../include/uapi/errno.ts";
import { SIGALRM } from "../../include/uapi/signal.ts";
import { ITIMER_PROF, ITIMER_REAL, ITIMER_VIRTUAL } from "../../include/uapi/time.ts";
import type { Kernel } from "../kernel.ts";
import { group_send_sig } from "../signal.ts";
import type { SignalStruct } from "../signal_types.ts";
import { process_cputime, watch_cpu_time } from "../sys.ts";
import { Int, Ptr, SYSCALL_DEFINE, UInt } from "../syscall.ts";
import type { Task } from "../task.ts";
import { check_read, check_write } from "../uaccess.ts";
import { KTIME_MAX, get_timeval, put_timeval } from "./time.ts";
import { NSEC_PER_SEC } from "./timekeeping.ts";
import { KTimer } from "./timer.ts";

/** ITIMER_REAL of a process */
export class RealTimer extends KTimer {
  readonly signal: SignalStruct;
  constructor(signal: SignalStruct) {
    super();
    this.signal = signal;
  }
  expire(kernel: Kernel): void {
    const interval = this.signal.it_real_incr;
    if (interval !== 0) {
      const late = Math.floor((kernel.time.monotonic() - this.expires) / interval);
      kernel.time.timers.add(this, this.expires + (late + 1) * interval);
    }
    for (const t of this.signal.threads) {
      group_send_sig(SIGALRM, t.group_leader);
      return;
    }
  }
}

interface Setting {
  value: number;
  interval: number;
}
function get(task: Task, which: number): Setting {
  const signal = task.signal;
  if (which === ITIMER_REAL) {
    const t = signal.real_timer;
    return { value: t !== undefined && t.armed ? Math.max(1000, t.expires - task.kernel.time.monotonic()) : signal.it_real_beyond !== 0 ? signal.it_real_beyond - task.kernel.time.monotonic() : 0, interval: signal.it_real_incr };
  }
  const { utime, stime } = process_cputime(task);
  const it = which === ITIMER_VIRTUAL ? signal.it_virt : signal.it_prof;
  const now = which === ITIMER_VIRTUAL ? utime : utime + stime;
  return { value: it.expires === 0 ? 0 : Math.max(1000, it.expires - now), interval: it.interval };
}
/** value 0 disarms. ns. */
function set(task: Task, which: number, s: Setting): void {
  const signal = task.signal;
  if (which === ITIMER_REAL) {
    const t = (signal.real_timer ??= new RealTimer(signal));
    task.kernel.time.timers.del(t);
    signal.it_real_incr = s.value === 0 ? 0 : s.interval;
    signal.it_real_beyond = s.value < KTIME_MAX ? 0 : task.kernel.time.monotonic() + s.value;
    if (s.value !== 0 && s.value < KTIME_MAX) task.kernel.time.timers.add(t, task.kernel.time.monotonic() + s.value);
    return;
  }
  const { utime, stime } = process_cputime(task);
  const it = which === ITIMER_VIRTUAL ? signal.it_virt : signal.it_prof;
  it.expires = s.value === 0 ? 0 : s.value + (which === ITIMER_VIRTUAL ? utime : utime + stime);
  it.interval = s.interval;
  if (it.expires !== 0) watch_cpu_time(task);
}
function check(which: number): void {
  if (which !== ITIMER_REAL && which !== ITIMER_VIRTUAL && which !== ITIMER_PROF) throw EINVAL;
}
function put(task: Task, addr: number, s: Setting): void {
  put_timeval(task.kernel.mem, addr, s.interval);
  put_timeval(task.kernel.mem, addr + 16, s.value);
}

export const sys_getitimer = SYSCALL_DEFINE("getitimer", [Int, Ptr], (task, which, value) => {
  check(which);
  check_write(task.kernel.mem, value, 32);
  put(task, value, get(task, which));
  return 0;
});
export const sys_setitimer = SYSCALL_DEFINE("setitimer", [Int, Ptr, Ptr], (task, which, value, ovalue) => {
  const m = task.kernel.mem;
  let s: Setting = { value: 0, interval: 0 };
  if (value !== 0) {
    check_read(m, value, 32);
    s = { interval: get_timeval(m, value), value: get_timeval(m, value + 16) };
  }
  check(which);
  const old = get(task, which);
  set(task, which, s);
  if (ovalue !== 0) {
    check_write(m, ovalue, 32);
    put(task, ovalue, old);
  }
  return 0;
});
/** alarm(2): seconds that were left, rounded to the nearest, at least 1 */
export const sys_alarm = SYSCALL_DEFINE("alarm", [UInt], (task, seconds) => {
  const old = get(task, ITIMER_REAL).value;
  set(task, ITIMER_REAL, { value: Math.min(seconds, 0x7fffffff) * NSEC_PER_SEC, interval: 0 });
  return old === 0 ? 0 : Math.max(1, Math.round(old / NSEC_PER_SEC));
});
