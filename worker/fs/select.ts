// fs/select.ts — select, pselect6, poll, ppoll.  cf. fs/select.c
//
// A first look asks every file without registering anywhere, so that a call that finds something never allocates; only when nothing is ready
// the wait queues are collected and the task parks on all of them. Time-outs are absolute from the first attempt on.
import { EBADF, EFAULT, EINTR, EINVAL, ERESTARTNOHAND, ERESTART_RESTARTBLOCK } from "../include/uapi/errno.ts";
import { O_PATH } from "../include/uapi/fcntl.ts";
import { RLIMIT_NOFILE, SigSet } from "../kernel/signal_types.ts";
import { set_user_sigmask } from "../kernel/signal.ts";
import { SLEEP, sleep_on, type WaitQueue } from "../kernel/sched/wait.ts";
import { Int, PollFds, Ptr, SYSCALL_DEFINE, Size, Timespec, UInt } from "../kernel/syscall.ts";
import { RestartBlock, type Task } from "../kernel/task.ts";
import { access_ok, check_read, check_write, get_user_s64, get_user_u32, get_user_u64, put_user_u64, type Memory } from "../kernel/uaccess.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "./fs.ts";
import type { FilesStruct } from "./fs_struct.ts";

const NSEC = 1_000_000_000;
const POLLIN_SET = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const POLLOUT_SET = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const POLLEX_SET = POLLPRI;

/** What select and poll remember while they sleep. */
interface PollWait {
  /** absolute monotonic ns, Infinity: none */
  end: number;
}

/** The deadline of this call, fixed at the first attempt. `ns` is the time-out as given, Infinity for none. */
function deadline(task: Task, ns: number): number {
  const st = task.restart as PollWait | undefined;
  if (st !== undefined) return st.end;
  return ns === Infinity ? Infinity : task.kernel.time.monotonic() + ns;
}
function wait(task: Task, queues: WaitQueue[], end: number, interrupted: typeof EINTR): never {
  task.restart ??= { end };
  sleep_on(task, queues, { until: end, interrupted });
}

/** timespec or timeval (usec) at addr as ns; NULL: Infinity. Throws EINVAL. */
export function get_timeout(m: Memory, addr: number, usec: boolean): number {
  if (addr === 0) return Infinity;
  check_read(m, addr, 16);
  let sec = get_user_s64(m, addr);
  let frac = get_user_s64(m, addr + 8);
  if (usec) {
    sec += Math.floor(frac / 1_000_000);
    if (sec < 0 || frac < 0) throw EINVAL;
    frac = (frac % 1_000_000) * 1000;
  }
  if (sec < 0 || frac < 0 || frac >= NSEC) throw EINVAL;
  return sec > 8e6 * 1000 ? Infinity : sec * NSEC + frac;
}
/** What is left of a time-out, written back.  cf. poll_select_finish() */
function put_remaining(task: Task, addr: number, end: number, usec: boolean): void {
  if (addr === 0 || end === Infinity) return;
  const m = task.kernel.mem;
  const left = Math.max(0, end - task.kernel.time.monotonic());
  try {
    put_user_u64(m, addr, Math.floor(left / NSEC));
    put_user_u64(m, addr + 8, usec ? Math.floor((left % NSEC) / 1000) : left % NSEC);
  } catch {
    // a time-out in read-only memory stays as it is
  }
}

/** One round over the descriptors below n. Sets result bits from `out`; returns how many. */
function select_round(task: Task, m: Memory, files: FilesStruct, n: number, sets: readonly number[], out: Uint32Array, words: number, queues: WaitQueue[] | undefined): number {
  const { view } = m;
  const { fds } = files;
  const [inp, outp, exp] = sets as [number, number, number];
  let count = 0;
  for (let w = 0; w < words; w++) {
    const inw = inp === 0 ? 0 : view.getUint32(inp + w * 4, true);
    const outw = outp === 0 ? 0 : view.getUint32(outp + w * 4, true);
    const exw = exp === 0 ? 0 : view.getUint32(exp + w * 4, true);
    let all = inw | outw | exw;
    let rin = 0;
    let rout = 0;
    let rex = 0;
    while (all !== 0) {
      const low = all & -all;
      all ^= low;
      const fd = w * 32 + 31 - Math.clz32(low);
      if (fd >= n) break;
      const file = fds[fd];
      if (file === undefined || (file.f_flags & O_PATH) !== 0) throw EBADF;
      const mask = file.f_op.poll(file, task, queues);
      if ((inw & low) !== 0 && (mask & POLLIN_SET) !== 0) {
        rin |= low;
        count++;
      }
      if ((outw & low) !== 0 && (mask & POLLOUT_SET) !== 0) {
        rout |= low;
        count++;
      }
      if ((exw & low) !== 0 && (mask & POLLEX_SET) !== 0) {
        rex |= low;
        count++;
      }
    }
    out[w] = rin;
    out[words + w] = rout;
    out[2 * words + w] = rex;
  }
  return count;
}

/** cf. core_sys_select() */
function core_sys_select(task: Task, n: number, inp: number, outp: number, exp: number, ns: number, tsp: number, usec: boolean): number {
  const m = task.kernel.mem;
  const files = task.files!;
  if (n < 0) throw EINVAL;
  n = Math.min(n, Math.max(files.fds.length, 64));
  // the sets are arrays of 64-bit words
  const words = Math.ceil(n / 64) * 2;
  const sets = [inp, outp, exp];
  for (const s of sets) if (s !== 0) check_write(m, s, words * 4);
  const out = new Uint32Array(words * 3);
  let count = select_round(task, m, files, n, sets, out, words, undefined);
  const end = deadline(task, ns);
  if (count === 0 && ns !== 0 && task.kernel.time.monotonic() < end) {
    const queues: WaitQueue[] = [];
    count = select_round(task, m, files, n, sets, out, words, queues);
    if (count === 0) {
      try {
        wait(task, queues, end, ERESTARTNOHAND);
      } catch (e) {
        if (e !== SLEEP) put_remaining(task, tsp, end, usec);
        throw e;
      }
    }
  }
  for (let i = 0; i < 3; i++) {
    const s = sets[i]!;
    if (s !== 0) for (let w = 0; w < words; w++) m.view.setUint32(s + w * 4, out[i * words + w]!, true);
  }
  put_remaining(task, tsp, ns === 0 ? 0 : end, usec);
  return count;
}

/** select(2) */
export const sys_select = SYSCALL_DEFINE("select", [Int, Ptr, Ptr, Ptr, Timespec], (task, n, inp, outp, exp, tvp) =>
  core_sys_select(task, n, inp, outp, exp, get_timeout(task.kernel.mem, tvp, true), tvp, true),
);

/** A signal mask for the length of the call; on the first attempt only. */
export function call_sigmask(task: Task, sigmask: number, size: number): void {
  if (sigmask === 0) return;
  if (size !== 8) throw EINVAL;
  const m = task.kernel.mem;
  if (task.restart !== undefined) return;
  set_user_sigmask(task, new SigSet(get_user_u32(m, sigmask), get_user_u32(m, sigmask + 4)));
}

/** pselect6(2): the sixth argument points to the mask and its size. */
export const sys_pselect6 = SYSCALL_DEFINE("pselect6", [Int, Ptr, Ptr, Ptr, Timespec, Ptr], (task, n, inp, outp, exp, tsp, sig) => {
  const m = task.kernel.mem;
  const ns = get_timeout(m, tsp, false);
  if (sig !== 0) {
    const mask = get_user_u64(m, sig);
    call_sigmask(task, mask, get_user_u64(m, sig + 8));
  }
  return core_sys_select(task, n, inp, outp, exp, ns, tsp, false);
});

function poll_round(task: Task, m: Memory, ufds: number, nfds: number, queues: WaitQueue[] | undefined): number {
  const { view } = m;
  const { fds } = task.files!;
  let count = 0;
  for (let i = 0, p = ufds; i < nfds; i++, p += 8) {
    const fd = view.getInt32(p, true);
    let revents = 0;
    if (fd >= 0) {
      const file = fds[fd];
      if (file === undefined || (file.f_flags & O_PATH) !== 0) revents = POLLNVAL;
      else revents = file.f_op.poll(file, task, queues) & (view.getUint16(p + 4, true) | POLLERR | POLLHUP);
    }
    view.setUint16(p + 6, revents, true);
    if (revents !== 0) count++;
  }
  return count;
}

/** cf. do_sys_poll() */
function do_sys_poll(task: Task, ufds: number, nfds: number, ns: number, tsp: number, interrupted: typeof EINTR): number {
  const m = task.kernel.mem;
  if (nfds > task.signal.rlim[RLIMIT_NOFILE]!.cur) throw EINVAL;
  if (nfds > 0 && !access_ok(m, ufds, nfds * 8)) throw EFAULT;
  if (nfds > 0) check_write(m, ufds, nfds * 8);
  let count = poll_round(task, m, ufds, nfds, undefined);
  const end = deadline(task, ns);
  if (count === 0 && ns !== 0 && task.kernel.time.monotonic() < end) {
    const queues: WaitQueue[] = [];
    count = poll_round(task, m, ufds, nfds, queues);
    if (count === 0) {
      try {
        wait(task, queues, end, interrupted);
      } catch (e) {
        if (e !== SLEEP) put_remaining(task, tsp, end, false);
        throw e;
      }
    }
  }
  put_remaining(task, tsp, ns === 0 ? 0 : end, false);
  return count;
}

/** The rest of a poll that a stop interrupted: the time-out goes on running.  cf. do_restart_poll() */
export class PollRestart extends RestartBlock {
  readonly ufds: number;
  readonly nfds: number;
  readonly end: number;
  constructor(ufds: number, nfds: number, end: number) {
    super();
    this.ufds = ufds;
    this.nfds = nfds;
    this.end = end;
  }
  restart(task: Task): number {
    task.restart ??= { end: this.end };
    return do_sys_poll(task, this.ufds, this.nfds, Infinity, 0, ERESTART_RESTARTBLOCK);
  }
}

/** poll(2) */
export const sys_poll = SYSCALL_DEFINE("poll", [PollFds, UInt, Int], (task, ufds, nfds, timeout) => {
  const ns = timeout < 0 ? Infinity : timeout * 1_000_000;
  try {
    return do_sys_poll(task, ufds, nfds, ns, 0, ERESTART_RESTARTBLOCK);
  } catch (e) {
    if (e === ERESTART_RESTARTBLOCK) task.restart_block = new PollRestart(ufds, nfds, deadline(task, ns));
    throw e;
  }
});
/** ppoll(2) */
export const sys_ppoll = SYSCALL_DEFINE("ppoll", [PollFds, UInt, Timespec, Ptr, Size], (task, ufds, nfds, tsp, sigmask, size) => {
  const ns = get_timeout(task.kernel.mem, tsp, false);
  call_sigmask(task, sigmask, size);
  return do_sys_poll(task, ufds, nfds, ns, tsp, ERESTARTNOHAND);
});
