// kernel/sched/syscalls.ts — sched_*(2).  cf. kernel/sched/syscalls.c
import { E2BIG, EINVAL, EPERM, ESRCH } from "../../include/uapi/errno.ts";
import { CAP_SYS_NICE, capable } from "../cred.ts";
import { find_task } from "../pid.ts";
import { RLIMIT_RTPRIO } from "../signal_types.ts";
import { Int, Pid, Ptr, SYSCALL_DEFINE, Size, UInt } from "../syscall.ts";
import { SCHED_BATCH, SCHED_FIFO, SCHED_IDLE, SCHED_NORMAL, SCHED_RR, type Task } from "../task.ts";
import { put_timespec } from "../time/time.ts";
import { check_read, clear_user, get_user_s32, get_user_u32, get_user_u64, put_user_u32, put_user_u64 } from "../uaccess.ts";
import { TIMESLICE } from "./core.ts";

const SCHED_RESET_ON_FORK = 0x40000000;
const SCHED_FLAG_RESET_ON_FORK = 1;
const SCHED_FLAG_KEEP_POLICY = 8;
const SCHED_FLAG_KEEP_PARAMS = 16;

function target(task: Task, pid: number): Task {
  if (pid < 0) throw EINVAL;
  const t = pid === 0 ? task : find_task(task.kernel, pid);
  if (t === undefined) throw ESRCH;
  return t;
}
const isRt = (policy: number): boolean => policy === SCHED_FIFO || policy === SCHED_RR;
const valid_policy = (policy: number): boolean => policy === SCHED_NORMAL || isRt(policy) || policy === SCHED_BATCH || policy === SCHED_IDLE;

function setscheduler(task: Task, t: Task, policy: number, prio: number, reset: boolean, nice: number | undefined): void {
  if (!valid_policy(policy)) throw EINVAL;
  if (prio < 0 || prio > 99 || isRt(policy) !== (prio > 0)) throw EINVAL;
  if (!capable(task, CAP_SYS_NICE)) {
    const same = task.cred.euid === t.cred.euid || task.cred.euid === t.cred.uid;
    const limit = t.signal.rlim[RLIMIT_RTPRIO]!.cur;
    if (!same) throw EPERM;
    if (isRt(policy) && ((policy !== t.policy && limit === 0) || (prio > t.rt_priority && prio > limit))) throw EPERM;
    if (t.policy === SCHED_IDLE && policy !== SCHED_IDLE) throw EPERM;
    if (nice !== undefined && nice < t.nice) throw EPERM;
    if (t.reset_on_fork && !reset) throw EPERM;
  }
  t.policy = policy;
  t.rt_priority = prio;
  t.reset_on_fork = reset;
  if (nice !== undefined) t.nice = nice;
  task.kernel.sched.requeue(t);
}

export const sys_sched_yield = SYSCALL_DEFINE("sched_yield", [], (task) => {
  task.kernel.sched.yield_();
  return 0;
});
export const sys_sched_setscheduler = SYSCALL_DEFINE("sched_setscheduler", [Pid, Int, Ptr], (task, pid, policy, param) => {
  if (policy < 0 || param === 0) throw EINVAL;
  const prio = get_user_s32(task.kernel.mem, param);
  setscheduler(task, target(task, pid), policy & ~SCHED_RESET_ON_FORK, prio, (policy & SCHED_RESET_ON_FORK) !== 0, undefined);
  return 0;
});
export const sys_sched_setparam = SYSCALL_DEFINE("sched_setparam", [Pid, Ptr], (task, pid, param) => {
  if (param === 0) throw EINVAL;
  const prio = get_user_s32(task.kernel.mem, param);
  const t = target(task, pid);
  setscheduler(task, t, t.policy, prio, t.reset_on_fork, undefined);
  return 0;
});
export const sys_sched_getscheduler = SYSCALL_DEFINE("sched_getscheduler", [Pid], (task, pid) => {
  const t = target(task, pid);
  return t.policy | (t.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
});
export const sys_sched_getparam = SYSCALL_DEFINE("sched_getparam", [Pid, Ptr], (task, pid, param) => {
  if (param === 0) throw EINVAL;
  put_user_u32(task.kernel.mem, param, target(task, pid).rt_priority);
  return 0;
});
/** struct sched_attr: size, policy, flags u64, nice, priority, runtime, deadline, period u64: 48 bytes */
export const sys_sched_setattr = SYSCALL_DEFINE("sched_setattr", [Pid, Ptr, UInt], (task, pid, uattr, flags) => {
  if (uattr === 0 || pid < 0 || flags !== 0) throw EINVAL;
  const m = task.kernel.mem;
  check_read(m, uattr, 48);
  const size = get_user_u32(m, uattr) || 48;
  if (size < 48 || size > 4096) {
    put_user_u32(m, uattr, 56);
    throw E2BIG;
  }
  const t = target(task, pid);
  const f = get_user_u64(m, uattr + 8);
  if (f > 0x7f) throw EINVAL;
  const policy = (f & SCHED_FLAG_KEEP_POLICY) !== 0 ? t.policy : get_user_s32(m, uattr + 4);
  const keep = (f & SCHED_FLAG_KEEP_PARAMS) !== 0;
  const nice = Math.max(-20, Math.min(19, get_user_s32(m, uattr + 16)));
  setscheduler(task, t, policy, keep ? t.rt_priority : get_user_s32(m, uattr + 20), (f & SCHED_FLAG_RESET_ON_FORK) !== 0, isRt(policy) || keep ? undefined : nice);
  return 0;
});
export const sys_sched_getattr = SYSCALL_DEFINE("sched_getattr", [Pid, Ptr, UInt, UInt], (task, pid, uattr, usize, flags) => {
  if (uattr === 0 || usize > 4096 || usize < 48 || flags !== 0) throw EINVAL;
  const t = target(task, pid);
  const m = task.kernel.mem;
  const size = Math.min(usize, 56);
  clear_user(m, uattr, size);
  put_user_u32(m, uattr, size);
  put_user_u32(m, uattr + 4, t.policy);
  put_user_u64(m, uattr + 8, t.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0);
  put_user_u32(m, uattr + 16, isRt(t.policy) ? 0 : t.nice >>> 0);
  put_user_u32(m, uattr + 20, t.rt_priority);
  return 0;
});
const SCHED_DEADLINE = 6;
const SCHED_EXT = 7;
export const sys_sched_get_priority_max = SYSCALL_DEFINE("sched_get_priority_max", [Int], (_task, policy) => {
  if (isRt(policy)) return 99;
  if (valid_policy(policy) || policy === SCHED_DEADLINE || policy === SCHED_EXT) return 0;
  throw EINVAL;
});
export const sys_sched_get_priority_min = SYSCALL_DEFINE("sched_get_priority_min", [Int], (_task, policy) => {
  if (isRt(policy)) return 1;
  if (valid_policy(policy) || policy === SCHED_DEADLINE || policy === SCHED_EXT) return 0;
  throw EINVAL;
});
export const sys_sched_rr_get_interval = SYSCALL_DEFINE("sched_rr_get_interval", [Pid, Ptr], (task, pid, interval) => {
  const t = target(task, pid);
  put_timespec(task.kernel.mem, interval, t.policy === SCHED_FIFO ? 0 : TIMESLICE);
  return 0;
});
/** One CPU: its mask is 1. The raw call gives the size of the kernel's mask, 8 bytes. */
export const sys_sched_getaffinity = SYSCALL_DEFINE("sched_getaffinity", [Pid, UInt, Ptr], (task, pid, len, mask) => {
  if (len < 8 || len % 8 !== 0) throw EINVAL;
  target(task, pid);
  put_user_u64(task.kernel.mem, mask, 1);
  return 8;
});
export const sys_sched_setaffinity = SYSCALL_DEFINE("sched_setaffinity", [Pid, Size, Ptr], (task, pid, len, mask) => {
  const m = task.kernel.mem;
  check_read(m, mask, Math.min(len, 8));
  const t = target(task, pid);
  if (task.cred.euid !== t.cred.euid && task.cred.euid !== t.cred.uid && !capable(task, CAP_SYS_NICE)) throw EPERM;
  if (len === 0 || (m.u8[mask]! & 1) === 0) throw EINVAL;
  return 0;
});
