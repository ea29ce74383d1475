// kernel/prctl.ts — prctl(2).  cf. kernel/sys.c
import { EFAULT, EINVAL, EPERM } from "../include/uapi/errno.ts";
import { CAP_EMPTY_SET, CAP_LAST_CAP, CAP_SETPCAP, capable, prepare_creds } from "./cred.ts";
import { Int, SYSCALL_DEFINE, ULong } from "./syscall.ts";
import type { Task } from "./task.ts";
import { check_write, get_user_u8, put_user_u32, put_user_u64 } from "./uaccess.ts";

const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_KEEPCAPS = 7;
const PR_SET_KEEPCAPS = 8;
const PR_GET_TIMING = 13;
const PR_SET_TIMING = 14;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_GET_SECCOMP = 21;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_GET_TSC = 25;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_SET_TIMERSLACK = 29;
const PR_GET_TIMERSLACK = 30;
const PR_MCE_KILL_GET = 34;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_GET_TID_ADDRESS = 40;
const PR_GET_THP_DISABLE = 42;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_IS_SET = 1;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_LOWER = 3;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

const SECBIT_KEEP_CAPS = 1 << 4;
const SECURE_ALL_BITS = 0x55;
const SECURE_ALL_LOCKS = SECURE_ALL_BITS << 1;
const SECBIT_NO_CAP_AMBIENT_RAISE = 1 << 6;

/** a C string of at most 15 bytes, cut */
function get_name(task: Task, addr: number): string {
  let s = "";
  for (let i = 0; i < 15; i++) {
    const c = get_user_u8(task.kernel.mem, addr + i);
    if (c === 0) break;
    s += String.fromCharCode(c);
  }
  return s;
}

function cap_ambient(task: Task, op: number, cap: number): number {
  if (op === PR_CAP_AMBIENT_CLEAR_ALL) {
    if (cap !== 0) throw EINVAL;
    const c = prepare_creds(task.cred);
    c.cap_ambient = CAP_EMPTY_SET;
    task.cred = c;
    return 0;
  }
  if (cap > CAP_LAST_CAP || cap < 0) throw EINVAL;
  if (op === PR_CAP_AMBIENT_IS_SET) return task.cred.cap_ambient.has(cap) ? 1 : 0;
  if (op !== PR_CAP_AMBIENT_RAISE && op !== PR_CAP_AMBIENT_LOWER) throw EINVAL;
  const c = prepare_creds(task.cred);
  if (op === PR_CAP_AMBIENT_RAISE) {
    if (!c.cap_permitted.has(cap) || !c.cap_inheritable.has(cap) || (c.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) throw EPERM;
    c.cap_ambient = c.cap_ambient.with(cap);
  } else c.cap_ambient = c.cap_ambient.without(cap);
  task.cred = c;
  return 0;
}

/** prctl(2) */
export const sys_prctl = SYSCALL_DEFINE("prctl", [Int, ULong, ULong, ULong, ULong], (task, option, arg2, arg3, arg4, arg5) => {
  const m = task.kernel.mem;
  const none = (): void => {
    if (arg3 !== 0 || arg4 !== 0 || arg5 !== 0) throw EINVAL;
  };
  switch (option) {
    case PR_SET_PDEATHSIG:
      if (arg2 > 64) throw EINVAL;
      task.pdeath_signal = arg2;
      return 0;
    case PR_GET_PDEATHSIG:
      put_user_u32(m, arg2, task.pdeath_signal);
      return 0;
    case PR_GET_DUMPABLE:
      return task.mm?.dumpable ?? 0;
    case PR_SET_DUMPABLE:
      if (arg2 !== 0 && arg2 !== 1) throw EINVAL;
      if (task.mm !== undefined) task.mm.dumpable = arg2;
      return 0;
    case PR_GET_KEEPCAPS:
      return (task.cred.securebits & SECBIT_KEEP_CAPS) !== 0 ? 1 : 0;
    case PR_SET_KEEPCAPS: {
      if (arg2 > 1) throw EINVAL;
      if ((task.cred.securebits & (SECBIT_KEEP_CAPS << 1)) !== 0) throw EPERM;
      const c = prepare_creds(task.cred);
      c.securebits = arg2 === 1 ? c.securebits | SECBIT_KEEP_CAPS : c.securebits & ~SECBIT_KEEP_CAPS;
      task.cred = c;
      return 0;
    }
    case PR_GET_TIMING:
      return 0;
    case PR_SET_TIMING:
      if (arg2 !== 0) throw EINVAL;
      return 0;
    case PR_SET_NAME:
      task.comm = get_name(task, arg2);
      return 0;
    case PR_GET_NAME:
      check_write(m, arg2, 16);
      for (let i = 0; i < 16; i++) m.u8[arg2 + i] = i < task.comm.length ? task.comm.charCodeAt(i) : 0;
      return 0;
    case PR_GET_SECCOMP:
      return 0;
    case PR_CAPBSET_READ:
      if (arg2 > CAP_LAST_CAP) throw EINVAL;
      return task.cred.cap_bset.has(arg2) ? 1 : 0;
    case PR_CAPBSET_DROP: {
      if (!capable(task, CAP_SETPCAP)) throw EPERM;
      if (arg2 > CAP_LAST_CAP) throw EINVAL;
      const c = prepare_creds(task.cred);
      c.cap_bset = c.cap_bset.without(arg2);
      task.cred = c;
      return 0;
    }
    case PR_GET_TSC:
      put_user_u32(m, arg2, 1);
      return 0;
    case PR_GET_SECUREBITS:
      return task.cred.securebits;
    case PR_SET_SECUREBITS: {
      const old = task.cred.securebits;
      const locked = (old & SECURE_ALL_LOCKS) >>> 1;
      if ((locked & (old ^ arg2)) !== 0 || (old & SECURE_ALL_LOCKS & ~arg2) !== 0 || (arg2 & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) !== 0 || !capable(task, CAP_SETPCAP)) throw EPERM;
      const c = prepare_creds(task.cred);
      c.securebits = arg2;
      task.cred = c;
      return 0;
    }
    case PR_SET_TIMERSLACK:
      task.timer_slack_ns = arg2 === 0 ? task.default_timer_slack_ns : arg2;
      return 0;
    case PR_GET_TIMERSLACK:
      return task.timer_slack_ns;
    case PR_MCE_KILL_GET:
      if (arg2 !== 0) throw EINVAL;
      none();
      return 2;
    case PR_SET_CHILD_SUBREAPER:
      task.signal.is_child_subreaper = arg2 !== 0;
      if (arg2 !== 0) for (const child of task.children) mark_subreaper(child);
      return 0;
    case PR_GET_CHILD_SUBREAPER:
      put_user_u32(m, arg2, task.signal.is_child_subreaper ? 1 : 0);
      return 0;
    case PR_SET_NO_NEW_PRIVS:
      if (arg2 !== 1) throw EINVAL;
      none();
      task.no_new_privs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      if (arg2 !== 0) throw EINVAL;
      none();
      return task.no_new_privs ? 1 : 0;
    case PR_GET_TID_ADDRESS:
      if (arg2 === 0) throw EFAULT;
      put_user_u64(m, arg2, task.clear_child_tid);
      return 0;
    case PR_GET_THP_DISABLE:
      if (arg2 !== 0) throw EINVAL;
      none();
      return 0;
    case PR_CAP_AMBIENT:
      if (arg4 !== 0 || arg5 !== 0) throw EINVAL;
      return cap_ambient(task, arg2, arg3);
    default:
      throw EINVAL;
  }
});
function mark_subreaper(task: Task): void {
  task.signal.has_child_subreaper = true;
  for (const t of task.signal.threads) for (const child of t.children) mark_subreaper(child);
}
