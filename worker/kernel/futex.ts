// kernel/futex.ts — fast user-space locks: wait, wake, requeue, priority inheritance, robust lists.  cf. kernel/futex/
//
// Without an MMU an address is the same place for everyone, so futexes are keyed by address alone, private or shared. A waiter is a FutexQ in its
// address's queue; who wakes it takes it out and sets q.addr to undefined, by which the waiter's call, run again, knows why it was woken.
import { EAGAIN, EDEADLK, EFAULT, EINVAL, ENOSYS, EPERM, ERESTARTSYS, ERESTART_RESTARTBLOCK, ESRCH, ETIMEDOUT } from "../include/uapi/errno.ts";
import { FUTEX_BITSET_MATCH_ANY, FutexQ } from "./futex_types.ts";
import type { Kernel } from "./kernel.ts";
import { find_task } from "./pid.ts";
import { sleep_on } from "./sched/wait.ts";
import { Int, Ptr, Size, SYSCALL_DEFINE, UInt, ULong } from "./syscall.ts";
import { PF_EXITING, RestartBlock, restart_state, type Task } from "./task.ts";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../include/uapi/time.ts";
import { get_timespec, get_timespec64, timespec64_valid } from "./time/time.ts";
import { check_read, get_user_s64, get_user_u32, get_user_u64, put_user_u32, put_user_u64 } from "./uaccess.ts";

export const FUTEX_WAIT = 0;
export const FUTEX_WAKE = 1;
export const FUTEX_REQUEUE = 3;
export const FUTEX_CMP_REQUEUE = 4;
export const FUTEX_WAKE_OP = 5;
export const FUTEX_LOCK_PI = 6;
export const FUTEX_UNLOCK_PI = 7;
export const FUTEX_TRYLOCK_PI = 8;
export const FUTEX_WAIT_BITSET = 9;
export const FUTEX_WAKE_BITSET = 10;
export const FUTEX_WAIT_REQUEUE_PI = 11;
export const FUTEX_CMP_REQUEUE_PI = 12;
export const FUTEX_LOCK_PI2 = 13;
export const FUTEX_PRIVATE_FLAG = 128;
export const FUTEX_CLOCK_REALTIME = 256;
export const FUTEX_WAITERS = 0x80000000;
export const FUTEX_OWNER_DIED = 0x40000000;
export const FUTEX_TID_MASK = 0x3fffffff;

function check_addr(addr: number): void {
  if (addr % 4 !== 0) throw EINVAL;
}
function enqueue(kernel: Kernel, q: FutexQ): void {
  const list = kernel.futexes.queues.get(q.addr!);
  if (list === undefined) kernel.futexes.queues.set(q.addr!, [q]);
  else list.push(q);
}
function dequeue(kernel: Kernel, q: FutexQ): void {
  if (q.addr === undefined) return;
  const list = kernel.futexes.queues.get(q.addr)!;
  list.splice(list.indexOf(q), 1);
  if (list.length === 0) kernel.futexes.queues.delete(q.addr);
}
function wake_q(kernel: Kernel, q: FutexQ): void {
  dequeue(kernel, q);
  q.addr = undefined;
  kernel.sched.wake_up_process(q.task);
}

/** Wakes up to `n` waiters of an address whose bitsets meet. How many. */
export function futex_wake_addr(kernel: Kernel, addr: number, n: number, bitset = FUTEX_BITSET_MATCH_ANY): number {
  let woken = 0;
  for (const q of [...(kernel.futexes.queues.get(addr) ?? [])]) {
    if (kernel.shadow?.private_elsewhere(kernel, q.task, addr)) continue;
    if (q.pi || q.requeue_pi !== 0) throw EINVAL;
    if ((q.bitset & bitset) === 0) continue;
    wake_q(kernel, q);
    if (++woken >= n) break;
  }
  return woken;
}

interface WaitState {
  q: FutexQ | undefined;
  until: number;
}

/** What a wait that a signal interrupted goes on with. */
export class FutexRestart extends RestartBlock {
  readonly addr: number;
  readonly val: number;
  readonly bitset: number;
  readonly until: number;
  constructor(addr: number, val: number, bitset: number, until: number) {
    super();
    this.addr = addr;
    this.val = val;
    this.bitset = bitset;
    this.until = until;
  }
  restart(task: Task): number {
    return futex_wait(task, this.addr, this.val, this.bitset, this.until);
  }
}

/** `until`: absolute monotonic ns */
function futex_wait(task: Task, addr: number, val: number, bitset: number, until: number): number {
  const kernel = task.kernel;
  if (bitset === 0) throw EINVAL;
  check_addr(addr);
  const st = restart_state<WaitState>(task, () => ({ q: undefined, until }));
  if (st.q !== undefined) {
    if (st.q.addr === undefined) return 0;
    dequeue(kernel, st.q);
    st.q = undefined;
    if (kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
    interrupted(task, addr, val, bitset, st.until);
  }
  if (get_user_u32(kernel.mem, addr) !== val) throw EAGAIN;
  if (kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
  if (task.signal_pending()) interrupted(task, addr, val, bitset, st.until);
  st.q = new FutexQ(task, addr, bitset);
  enqueue(kernel, st.q);
  return sleep_on(task, [], { until: st.until });
}
function interrupted(task: Task, addr: number, val: number, bitset: number, until: number): never {
  if (until === Infinity) throw ERESTARTSYS;
  task.restart_block = new FutexRestart(addr, val, bitset, until);
  throw ERESTART_RESTARTBLOCK;
}

function futex_requeue(task: Task, addr: number, addr2: number, nr_wake: number, nr_requeue: number, cmp: number | undefined): number {
  const kernel = task.kernel;
  if (nr_wake < 0 || nr_requeue < 0) throw EINVAL;
  check_addr(addr);
  check_addr(addr2);
  const val = get_user_u32(kernel.mem, addr);
  get_user_u32(kernel.mem, addr2);
  if (cmp !== undefined && val !== cmp) throw EAGAIN;
  let count = 0;
  for (const q of [...(kernel.futexes.queues.get(addr) ?? [])]) {
    if (kernel.shadow?.private_elsewhere(kernel, q.task, addr)) continue;
    if (q.pi || q.requeue_pi !== 0) throw EINVAL;
    if (count < nr_wake) wake_q(kernel, q);
    else if (count - nr_wake < nr_requeue) {
      dequeue(kernel, q);
      q.addr = addr2;
      enqueue(kernel, q);
    } else break;
    count++;
  }
  return count;
}

/** FUTEX_WAKE_OP: the operation on *addr2, and whether its old value passes the comparison */
function futex_atomic_op(task: Task, encoded: number, addr2: number): boolean {
  const m = task.kernel.mem;
  const op = (encoded >>> 28) & 7;
  const cmp = (encoded >>> 24) & 15;
  let oparg = (encoded << 8) >> 20;
  const cmparg = (encoded << 20) >> 20;
  if (encoded >>> 31 !== 0) oparg = 1 << (oparg & 31);
  const old = get_user_u32(m, addr2) | 0;
  let val: number;
  switch (op) {
    case 0: val = oparg; break;
    case 1: val = old + oparg; break;
    case 2: val = old | oparg; break;
    case 3: val = old & ~oparg; break;
    case 4: val = old ^ oparg; break;
    default: throw ENOSYS;
  }
  if (cmp > 5) throw ENOSYS;
  put_user_u32(m, addr2, val >>> 0);
  switch (cmp) {
    case 0: return old === cmparg;
    case 1: return old !== cmparg;
    case 2: return old < cmparg;
    case 3: return old <= cmparg;
    case 4: return old > cmparg;
    default: return old >= cmparg;
  }
}

// --- priority inheritance: the word holds the owner's thread id

function top_waiter(kernel: Kernel, addr: number): FutexQ | undefined {
  let top: FutexQ | undefined;
  for (const q of kernel.futexes.queues.get(addr) ?? []) if (q.pi && (top === undefined || q.task.rt_priority > top.task.rt_priority)) top = q;
  return top;
}
/** Takes a PI futex for `who` if nobody has it; false: it has an owner, who has been told that somebody waits. */
function lock_pi_atomic(kernel: Kernel, addr: number, who: Task, keep_waiters: boolean): boolean {
  const m = kernel.mem;
  const val = get_user_u32(m, addr);
  const owner_tid = val & FUTEX_TID_MASK;
  if (owner_tid === who.pid) throw EDEADLK;
  if (owner_tid === 0) {
    const waiters = keep_waiters || top_waiter(kernel, addr) !== undefined;
    put_user_u32(m, addr, ((val & FUTEX_OWNER_DIED) | who.pid | (waiters ? FUTEX_WAITERS : 0)) >>> 0);
    if (waiters) who.pi_owned.add(addr);
    return true;
  }
  const owner = find_task(kernel, owner_tid);
  if (owner === undefined || owner.exit_state_dead()) throw ESRCH;
  if (owner.mm === undefined) throw EPERM;
  if ((owner.flags & PF_EXITING) !== 0) throw EAGAIN;
  // a ring of tasks that wait for each other
  for (let t: Task | undefined = owner, i = 0; t !== undefined && i < 1024; i++) {
    const waits: FutexQ | undefined = pi_wait_of(kernel, t);
    if (waits === undefined) break;
    t = find_task(kernel, get_user_u32(m, waits.addr!) & FUTEX_TID_MASK);
    if (t === who) throw EDEADLK;
  }
  put_user_u32(m, addr, (val | FUTEX_WAITERS) >>> 0);
  owner.pi_owned.add(addr);
  return false;
}
function pi_wait_of(kernel: Kernel, task: Task): FutexQ | undefined {
  for (const list of kernel.futexes.queues.values()) for (const q of list) if (q.pi && q.task === task) return q;
  return undefined;
}
/** The lock goes to the first waiter. `bits`: kept in the word (FUTEX_OWNER_DIED). */
function pass_pi(kernel: Kernel, addr: number, from: Task, bits: number): boolean {
  const q = top_waiter(kernel, addr);
  from.pi_owned.delete(addr);
  if (q === undefined) return false;
  wake_q(kernel, q);
  const more = top_waiter(kernel, addr) !== undefined;
  put_user_u32(kernel.mem, addr, (q.task.pid | bits | (more ? FUTEX_WAITERS : 0)) >>> 0);
  if (more) q.task.pi_owned.add(addr);
  return true;
}

function futex_lock_pi(task: Task, addr: number, until: number, trylock: boolean): number {
  const kernel = task.kernel;
  check_addr(addr);
  const st = restart_state<WaitState>(task, () => ({ q: undefined, until }));
  if (st.q !== undefined) {
    if (st.q.addr === undefined) return 0;
    dequeue(kernel, st.q);
    st.q = undefined;
    if (kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
    if (task.signal_pending()) throw ERESTARTSYS;
  }
  if (lock_pi_atomic(kernel, addr, task, false)) return 0;
  if (trylock) throw EAGAIN;
  if (kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
  if (task.signal_pending()) throw ERESTARTSYS;
  st.q = new FutexQ(task, addr, FUTEX_BITSET_MATCH_ANY, true);
  enqueue(kernel, st.q);
  return sleep_on(task, [], { until: st.until });
}
function futex_unlock_pi(task: Task, addr: number): number {
  check_addr(addr);
  const val = get_user_u32(task.kernel.mem, addr);
  if ((val & FUTEX_TID_MASK) !== task.pid) throw EPERM;
  if (!pass_pi(task.kernel, addr, task, 0)) put_user_u32(task.kernel.mem, addr, 0);
  return 0;
}

/** FUTEX_WAIT_REQUEUE_PI: waits on `addr`, to be moved to the PI futex `addr2`, and returns owning it. */
function futex_wait_requeue_pi(task: Task, addr: number, val: number, bitset: number, until: number, addr2: number): number {
  const kernel = task.kernel;
  if (addr === addr2 || bitset === 0) throw EINVAL;
  check_addr(addr);
  check_addr(addr2);
  const st = restart_state<WaitState>(task, () => ({ q: undefined, until }));
  if (st.q !== undefined) {
    if (st.q.addr === undefined) return 0;
    const moved = st.q.addr === addr2;
    dequeue(kernel, st.q);
    st.q = undefined;
    if (kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
    throw moved ? EAGAIN : ERESTARTSYS;
  }
  if (get_user_u32(kernel.mem, addr) !== val) throw EAGAIN;
  if (kernel.time.monotonic() >= st.until) throw ETIMEDOUT;
  if (task.signal_pending()) throw ERESTARTSYS;
  st.q = new FutexQ(task, addr, bitset, false, 0, addr2);
  enqueue(kernel, st.q);
  return sleep_on(task, [], { until: st.until });
}
function futex_cmp_requeue_pi(task: Task, addr: number, addr2: number, nr_wake: number, nr_requeue: number, cmp: number): number {
  const kernel = task.kernel;
  if (nr_wake !== 1 || nr_requeue < 0 || addr === addr2) throw EINVAL;
  check_addr(addr);
  check_addr(addr2);
  if (get_user_u32(kernel.mem, addr) !== cmp) throw EAGAIN;
  let count = 0;
  for (const q of [...(kernel.futexes.queues.get(addr) ?? [])]) {
    if (count > nr_requeue) break;
    if (q.requeue_pi !== addr2) throw EINVAL;
    if (lock_pi_atomic(kernel, addr2, q.task, false)) wake_q(kernel, q);
    else {
      dequeue(kernel, q);
      q.addr = addr2;
      q.pi = true;
      enqueue(kernel, q);
    }
    count++;
  }
  return count;
}

/** futex(2) */
export const sys_futex = SYSCALL_DEFINE("futex", [Ptr, Int, UInt, Ptr, Ptr, UInt], (task, uaddr, op, val, utime, uaddr2, val3) => {
  const cmd = op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  const realtime = (op & FUTEX_CLOCK_REALTIME) !== 0;
  if (realtime && cmd !== FUTEX_WAIT_BITSET && cmd !== FUTEX_WAIT_REQUEUE_PI && cmd !== FUTEX_LOCK_PI2) throw ENOSYS;
  const until = (): number => {
    if (utime === 0) return Infinity;
    const time = task.kernel.time;
    if (cmd === FUTEX_WAIT) return time.monotonic() + get_timespec(task.kernel.mem, utime);
    const t = get_timespec64(task.kernel.mem, utime);
    if (!timespec64_valid(t)) throw EINVAL;
    return realtime || cmd === FUTEX_LOCK_PI ? time.realtime_to_monotonic(t.sec, t.nsec) : t.sec * 1e9 + t.nsec;
  };
  // in the requeueing operations the time-out's place holds a count
  const val2 = utime | 0;
  switch (cmd) {
    case FUTEX_WAIT:
      return futex_wait(task, uaddr, val, FUTEX_BITSET_MATCH_ANY, task.restart === undefined ? until() : 0);
    case FUTEX_WAIT_BITSET:
      return futex_wait(task, uaddr, val, val3, until());
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
      check_addr(uaddr);
      const bitset = cmd === FUTEX_WAKE ? FUTEX_BITSET_MATCH_ANY : val3;
      if (bitset === 0) throw EINVAL;
      return futex_wake_addr(task.kernel, uaddr, Math.max(1, val | 0), bitset);
    }
    case FUTEX_REQUEUE:
      return futex_requeue(task, uaddr, uaddr2, val | 0, val2, undefined);
    case FUTEX_CMP_REQUEUE:
      return futex_requeue(task, uaddr, uaddr2, val | 0, val2, val3);
    case FUTEX_WAKE_OP: {
      check_addr(uaddr);
      check_addr(uaddr2);
      const both = futex_atomic_op(task, val3, uaddr2);
      let woken = futex_wake_addr(task.kernel, uaddr, Math.max(1, val | 0));
      if (both) woken += futex_wake_addr(task.kernel, uaddr2, Math.max(1, val2));
      return woken;
    }
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
      return futex_lock_pi(task, uaddr, until(), false);
    case FUTEX_TRYLOCK_PI:
      return futex_lock_pi(task, uaddr, Infinity, true);
    case FUTEX_UNLOCK_PI:
      return futex_unlock_pi(task, uaddr);
    case FUTEX_WAIT_REQUEUE_PI:
      return futex_wait_requeue_pi(task, uaddr, val, FUTEX_BITSET_MATCH_ANY, until(), uaddr2);
    case FUTEX_CMP_REQUEUE_PI:
      return futex_cmp_requeue_pi(task, uaddr, uaddr2, val | 0, val2, val3);
    default:
      throw ENOSYS;
  }
});

// --- futex_waitv

interface WaitvState {
  qs: FutexQ[] | undefined;
}
const FUTEX2_SIZE_MASK = 3;
const FUTEX2_SIZE_U32 = 2;
const FUTEX2_PRIVATE = 128;

/** futex_waitv(2): waits on up to 128 futexes; the index of one that was woken */
export const sys_futex_waitv = SYSCALL_DEFINE("futex_waitv", [Ptr, UInt, UInt, Ptr, Int], (task, waiters, nr, flags, utime, clockid) => {
  const kernel = task.kernel;
  const m = kernel.mem;
  if (flags !== 0 || nr === 0 || nr > 128 || waiters === 0) throw EINVAL;
  let until = Infinity;
  if (utime !== 0) {
    if (clockid !== CLOCK_MONOTONIC && clockid !== CLOCK_REALTIME) throw EINVAL;
    const t = get_timespec64(m, utime);
    if (!timespec64_valid(t)) throw EINVAL;
    until = clockid === CLOCK_REALTIME ? kernel.time.realtime_to_monotonic(t.sec, t.nsec) : t.sec * 1e9 + t.nsec;
  }
  const st = restart_state<WaitvState>(task, () => ({ qs: undefined }));
  if (st.qs !== undefined) {
    const woken = st.qs.find((q) => q.addr === undefined);
    for (const q of st.qs) dequeue(kernel, q);
    st.qs = undefined;
    if (woken !== undefined) return woken.index;
    if (kernel.time.monotonic() >= until) throw ETIMEDOUT;
    throw ERESTARTSYS;
  }
  check_read(m, waiters, 24 * nr);
  const qs: FutexQ[] = [];
  for (let i = 0; i < nr; i++) {
    const at = waiters + 24 * i;
    const f = get_user_u32(m, at + 16);
    if ((f & ~(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE)) !== 0 || (f & FUTEX2_SIZE_MASK) !== FUTEX2_SIZE_U32 || get_user_u32(m, at + 20) !== 0) throw EINVAL;
    const addr = get_user_u64(m, at + 8);
    check_addr(addr);
    qs.push(new FutexQ(task, addr, FUTEX_BITSET_MATCH_ANY, false, i));
  }
  for (const q of qs) if (get_user_u32(m, q.addr!) !== get_user_u32(m, waiters + 24 * q.index)) throw EAGAIN;
  if (kernel.time.monotonic() >= until) throw ETIMEDOUT;
  if (task.signal_pending()) throw ERESTARTSYS;
  for (const q of qs) enqueue(kernel, q);
  st.qs = qs;
  return sleep_on(task, [], { until });
});

// --- the calls of Linux 6.7, one for each operation

function check_flags2(flags: number): void {
  if ((flags & ~(FUTEX2_SIZE_MASK | FUTEX2_PRIVATE)) !== 0 || (flags & FUTEX2_SIZE_MASK) !== FUTEX2_SIZE_U32) throw EINVAL;
}
/** futex_wake(2) */
export const sys_futex_wake = SYSCALL_DEFINE("futex_wake", [Ptr, ULong, Int, UInt], (task, uaddr, mask, nr, flags) => {
  check_flags2(flags);
  check_addr(uaddr);
  if (mask === 0 || mask > 0xffffffff) throw EINVAL;
  return nr <= 0 ? 0 : futex_wake_addr(task.kernel, uaddr, nr, mask);
});
/** futex_wait(2): the time-out is absolute */
export const sys_futex_wait = SYSCALL_DEFINE("futex_wait", [Ptr, ULong, ULong, UInt, Ptr, Int], (task, uaddr, val, mask, flags, timeout, clockid) => {
  check_flags2(flags);
  if (val > 0xffffffff || mask === 0 || mask > 0xffffffff) throw EINVAL;
  let until = Infinity;
  if (timeout !== 0) {
    if (clockid !== CLOCK_MONOTONIC && clockid !== CLOCK_REALTIME) throw EINVAL;
    const t = get_timespec64(task.kernel.mem, timeout);
    if (!timespec64_valid(t)) throw EINVAL;
    until = clockid === CLOCK_REALTIME ? task.kernel.time.realtime_to_monotonic(t.sec, t.nsec) : t.sec * 1e9 + t.nsec;
  }
  return futex_wait(task, uaddr, val, mask, until);
});
/** futex_requeue(2): two struct futex_waitv, from and to */
export const sys_futex_requeue = SYSCALL_DEFINE("futex_requeue", [Ptr, UInt, Int, Int], (task, waiters, flags, nr_wake, nr_requeue) => {
  const m = task.kernel.mem;
  if (flags !== 0 || waiters === 0) throw EINVAL;
  check_read(m, waiters, 48);
  for (const at of [waiters, waiters + 24]) {
    check_flags2(get_user_u32(m, at + 16));
    if (get_user_u32(m, at + 20) !== 0) throw EINVAL;
  }
  return futex_requeue(task, get_user_u64(m, waiters + 8), get_user_u64(m, waiters + 32), nr_wake, nr_requeue, get_user_u32(m, waiters));
});

// --- robust lists

/** set_robust_list(2) */
export const sys_set_robust_list = SYSCALL_DEFINE("set_robust_list", [Ptr, Size], (task, head, len) => {
  if (len !== 24) throw EINVAL;
  task.robust_list = head;
  return 0;
});
/** get_robust_list(2) */
export const sys_get_robust_list = SYSCALL_DEFINE("get_robust_list", [Int, Ptr, Ptr], (task, pid, head_ptr, len_ptr) => {
  const t = pid === 0 ? task : find_task(task.kernel, pid);
  if (t === undefined) throw ESRCH;
  put_user_u64(task.kernel.mem, len_ptr, 24);
  put_user_u64(task.kernel.mem, head_ptr, t.robust_list);
  return 0;
});

const ROBUST_LIST_LIMIT = 2048;
function handle_futex_death(task: Task, addr: number, pi: boolean, pending: boolean): void {
  if (addr % 4 !== 0) return;
  const m = task.kernel.mem;
  const val = get_user_u32(m, addr);
  // the owner died between unlocking and waking
  if (pending && !pi && val === 0) {
    futex_wake_addr(task.kernel, addr, 1);
    return;
  }
  if ((val & FUTEX_TID_MASK) !== task.pid) return;
  put_user_u32(m, addr, ((val & FUTEX_WAITERS) | FUTEX_OWNER_DIED) >>> 0);
  if (!pi && (val & FUTEX_WAITERS) !== 0) futex_wake_addr(task.kernel, addr, 1);
}
/** Marks the locks that a dying thread holds, and wakes a waiter of each. */
export function exit_robust_list(task: Task): void {
  const head = task.robust_list;
  if (head === 0 || task.mm === undefined) return;
  task.robust_list = 0;
  const m = task.kernel.mem;
  try {
    let entry = get_user_u64(m, head);
    const offset = get_user_s64(m, head + 8);
    const pending = get_user_u64(m, head + 16);
    for (let i = 0; i < ROBUST_LIST_LIMIT && entry - (entry % 2) !== head; i++) {
      const pi = entry % 2 === 1;
      const at = entry - (pi ? 1 : 0);
      const next = get_user_u64(m, at);
      if (at !== pending - (pending % 2)) handle_futex_death(task, at + offset, pi, false);
      entry = next;
    }
    if (pending !== 0) handle_futex_death(task, pending - (pending % 2) + offset, pending % 2 === 1, true);
  } catch (e) {
    if (e !== EFAULT && e !== EINVAL) throw e;
  }
}
/** PI futexes that others wait for pass to them with FUTEX_OWNER_DIED. */
export function exit_pi_state(task: Task): void {
  for (const addr of [...task.pi_owned]) pass_pi(task.kernel, addr, task, FUTEX_OWNER_DIED);
}
