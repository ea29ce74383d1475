// kernel/time/time.ts — struct timespec and timeval in user memory; gettimeofday, time.  cf. kernel/time/time.c
import { EINVAL, EPERM } from "../../include/uapi/errno.ts";
import { CAP_SYS_TIME, capable } from "../cred.ts";
import { Ptr, SYSCALL_DEFINE } from "../syscall.ts";
import { check_read, check_write, get_user_s64, put_user_u64, type Memory } from "../uaccess.ts";
import { NSEC_PER_SEC } from "./timekeeping.ts";

/** ns later than any clock of ours: KTIME_MAX. Sums with it stay finite. */
export const KTIME_MAX = 2 ** 53;

/** A relative time: ns, at most KTIME_MAX. Throws EFAULT, EINVAL (negative, or 1e9 ns and more). */
export function get_timespec(m: Memory, addr: number): number {
  check_read(m, addr, 16);
  const sec = get_user_s64(m, addr);
  const nsec = get_user_s64(m, addr + 8);
  if (sec < 0 || nsec < 0 || nsec >= NSEC_PER_SEC) throw EINVAL;
  return Math.min(KTIME_MAX, sec * NSEC_PER_SEC + nsec);
}
/** The same, not yet joined: for absolute CLOCK_REALTIME, which does not fit a double. */
export function get_timespec64(m: Memory, addr: number): { sec: number; nsec: number } {
  check_read(m, addr, 16);
  return { sec: get_user_s64(m, addr), nsec: get_user_s64(m, addr + 8) };
}
export const timespec64_valid = (t: { sec: number; nsec: number }): boolean => t.sec >= 0 && t.nsec >= 0 && t.nsec < NSEC_PER_SEC;

/** `ns` >= 0 */
export function put_timespec(m: Memory, addr: number, ns: number): void {
  check_write(m, addr, 16);
  put_user_u64(m, addr, Math.floor(ns / NSEC_PER_SEC));
  put_user_u64(m, addr + 8, ns % NSEC_PER_SEC);
}
export function put_timespec64(m: Memory, addr: number, t: { sec: number; nsec: number }): void {
  check_write(m, addr, 16);
  put_user_u64(m, addr, t.sec);
  put_user_u64(m, addr + 8, t.nsec);
}
/** struct timeval as ns, which may be later than KTIME_MAX. Throws EFAULT, EINVAL. */
export function get_timeval(m: Memory, addr: number): number {
  check_read(m, addr, 16);
  const sec = get_user_s64(m, addr);
  const usec = get_user_s64(m, addr + 8);
  if (sec < 0 || usec < 0 || usec >= 1_000_000) throw EINVAL;
  return Math.min(2 ** 63, sec * NSEC_PER_SEC + usec * 1000);
}
export function put_timeval(m: Memory, addr: number, ns: number): void {
  check_write(m, addr, 16);
  put_user_u64(m, addr, Math.floor(ns / NSEC_PER_SEC));
  put_user_u64(m, addr + 8, Math.floor((ns % NSEC_PER_SEC) / 1000));
}

/** gettimeofday(2) */
export const sys_gettimeofday = SYSCALL_DEFINE("gettimeofday", [Ptr, Ptr], (task, tv, tz) => {
  const m = task.kernel.mem;
  if (tv !== 0) {
    const t = task.kernel.time.realtime();
    check_write(m, tv, 16);
    put_user_u64(m, tv, t.sec);
    put_user_u64(m, tv + 8, Math.floor(t.nsec / 1000));
  }
  if (tz !== 0) put_user_u64(m, tz, 0);
  return 0;
});
/** settimeofday(2) */
export const sys_settimeofday = SYSCALL_DEFINE("settimeofday", [Ptr, Ptr], (task, tv, tz) => {
  const m = task.kernel.mem;
  if (tz !== 0) check_read(m, tz, 8);
  if (tv !== 0) {
    check_read(m, tv, 16);
    const sec = get_user_s64(m, tv);
    const usec = get_user_s64(m, tv + 8);
    if (usec < 0 || usec >= 1_000_000 || sec < 0) throw EINVAL;
    if (!capable(task, CAP_SYS_TIME)) throw EPERM;
    task.kernel.time.set_realtime(sec, usec * 1000);
  } else if (!capable(task, CAP_SYS_TIME)) throw EPERM;
  return 0;
});
/** time(2) */
export const sys_time = SYSCALL_DEFINE("time", [Ptr], (task, tloc) => {
  const { sec } = task.kernel.time.realtime();
  if (tloc !== 0) put_user_u64(task.kernel.mem, tloc, sec);
  return sec;
});
