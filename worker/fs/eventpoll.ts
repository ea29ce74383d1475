// fs/eventpoll.ts — epoll.  cf. fs/eventpoll.c
//
// epoll_wait asks every watched file what is ready, in the order in which they were added, beginning after the one that was reported last, so
// that none starves. Edge-triggered items are reported when one of their wait queues was woken since they were last reported.
import { EEXIST, EFAULT, EINTR, EINVAL, ELOOP, ENOENT, EPERM, EOPNOTSUPP } from "../include/uapi/errno.ts";
import { O_CLOEXEC, O_RDWR } from "../include/uapi/fcntl.ts";
import { S_ISDIR, S_ISREG } from "../include/uapi/stat.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { Fd, Hex, Int, Ptr, SYSCALL_DEFINE, Size, Timespec } from "../kernel/syscall.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, check_write } from "../kernel/uaccess.ts";
import { type File, FileOperations, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM } from "./fs.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";
import { fput } from "./file_table.ts";
import { call_sigmask, get_timeout } from "./select.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLLWAKEUP = 1 << 29;
const EPOLLEXCLUSIVE = 1 << 28;
const EPOLLONESHOT = 1 << 30;
const EPOLLET = 1 << 31;
const EPOLLEXCLUSIVE_OK_BITS = POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;
const EP_PRIVATE_BITS = EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE;
const EP_MAX_EVENTS = Math.floor(0x7fffffff / 12);
const EP_MAX_NESTS = 4;

export class EpItem {
  readonly fd: number;
  readonly file: File;
  events: number;
  data_lo: number;
  data_hi: number;
  /** edge-triggered: sum of its wait queues' wake-up counts when it was last reported; -1: not yet */
  seen = -1;
  constructor(fd: number, file: File, events: number, lo: number, hi: number) {
    this.fd = fd;
    this.file = file;
    this.events = events;
    this.data_lo = lo;
    this.data_hi = hi;
  }
}

const EPIOCSPARAMS = 0x40088a01;
const EPIOCGPARAMS = 0x80088a02;

export class EventPoll extends FileOperations {
  readonly file: File;
  /** in the order in which they were added; one file may be there under several descriptors */
  readonly items: EpItem[] = [];
  /** who looks now has slept to the end of its time */
  late = false;
  /** a watch was added or changed: waiters look again */
  readonly wq: WaitQueue = new WaitQueue();

  constructor(kernel: Kernel) {
    super();
    this.file = anon_inode_getfile(kernel, this, O_RDWR);
  }
  private find(fd: number, file: File): number {
    return this.items.findIndex((i) => i.fd === fd && i.file === file);
  }
  ctl(op: number, fd: number, file: File, events: number, lo: number, hi: number): void {
    const i = this.find(fd, file);
    switch (op) {
      case EPOLL_CTL_ADD:
        if (i >= 0) throw EEXIST;
        this.items.push(new EpItem(fd, file, events, lo, hi));
        (file.f_ep ??= []).push(this);
        break;
      case EPOLL_CTL_MOD: {
        if (i < 0) throw ENOENT;
        const item = this.items[i]!;
        if (((item.events | events) & EPOLLEXCLUSIVE) !== 0) throw EINVAL;
        item.events = events;
        item.data_lo = lo;
        item.data_hi = hi;
        item.seen = -1;
        break;
      }
      case EPOLL_CTL_DEL:
        if (i < 0) throw ENOENT;
        this.items.splice(i, 1);
        file.f_ep!.splice(file.f_ep!.indexOf(this), 1);
        return;
    }
    this.wq.wake_up();
  }
  /** The file goes away. */
  eventpoll_release(file: File): void {
    for (let i = this.items.length - 1; i >= 0; i--) if (this.items[i]!.file === file) this.items.splice(i, 1);
    file.f_ep = undefined;
  }
  /** What the item has to report, 0 for nothing; adds its queues when asked. */
  private ready(task: Task, item: EpItem, queues: WaitQueue[] | undefined, exclusive?: WaitQueue[]): { revents: number; stamp: number } {
    const edge = (item.events & EPOLLET) !== 0;
    const own: WaitQueue[] | undefined = edge || queues !== undefined ? [] : undefined;
    const revents = item.file.f_op.poll(item.file, task, own) & (item.events | POLLERR | POLLHUP) & ~EP_PRIVATE_BITS;
    if (own !== undefined && queues !== undefined) {
      queues.push(...own);
      if ((item.events & EPOLLEXCLUSIVE) !== 0) exclusive?.push(...own);
    }
    let stamp = 0;
    if (edge) for (const q of own!) stamp += q.seq;
    return { revents: edge && stamp === item.seen ? 0 : revents, stamp };
  }
  /** Up to `max` ready items to `out`. Items that were reported go to the end. Adds the queues to wait on, and which of them wake only one. */
  collect(task: Task, max: number, out: (events: number, lo: number, hi: number) => void, queues?: WaitQueue[], exclusive?: WaitQueue[]): number {
    let count = 0;
    const { items } = this;
    const reported: EpItem[] = [];
    for (let i = 0; i < items.length && count < max; ) {
      const item = items[i]!;
      if ((item.events & ~EP_PRIVATE_BITS) === 0 || (this.late && (item.events & EPOLLEXCLUSIVE) !== 0)) {
        i++;
        continue;
      }
      const { revents, stamp } = this.ready(task, item, queues, exclusive);
      if (revents === 0) {
        i++;
        continue;
      }
      out(revents, item.data_lo, item.data_hi);
      count++;
      if ((item.events & EPOLLONESHOT) !== 0) item.events &= EP_PRIVATE_BITS;
      else if ((item.events & EPOLLET) !== 0) item.seen = stamp;
      items.splice(i, 1);
      reported.push(item);
    }
    items.push(...reported);
    return count;
  }
  /** Busy polling is for network cards; other requests are no requests.  cf. ep_eventpoll_ioctl() */
  override ioctl(_file: File, _task: Task, cmd: number, _arg: number): number {
    throw cmd === EPIOCSPARAMS || cmd === EPIOCGPARAMS ? EOPNOTSUPP : EINVAL;
  }
  override poll(_file: File, task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    let ready = false;
    for (const item of this.items) {
      if ((item.events & ~EP_PRIVATE_BITS) === 0) continue;
      if (this.ready(task, item, queues).revents !== 0) ready = true;
    }
    return ready ? POLLIN | POLLRDNORM : 0;
  }
  /** Levels of epolls in epolls below this one. Throws ELOOP when `target` is among them, or it is too deep.  cf. ep_loop_check_proc() */
  private depth_below(target: File, depth = 0): number {
    if (depth > EP_MAX_NESTS) throw ELOOP;
    let below = 0;
    for (const { file } of this.items) {
      if (file === target) throw ELOOP;
      if (file.f_op instanceof EventPoll) below = Math.max(below, file.f_op.depth_below(target, depth + 1) + 1);
    }
    return below;
  }
  /** cf. ep_get_upwards_depth_proc() */
  private depth_above(depth = 0): number {
    if (depth > EP_MAX_NESTS) throw ELOOP;
    let above = 0;
    for (const ep of this.file.f_ep ?? []) above = Math.max(above, ep.depth_above(depth + 1) + 1);
    return above;
  }
  /** This one is about to be watched by `target`: throws ELOOP when that would be a circle, or too deep.  cf. ep_loop_check() */
  check_nesting(target: EventPoll): void {
    if (this.depth_below(target.file) + 1 + target.depth_above() > EP_MAX_NESTS) throw ELOOP;
  }
  override get noop_llseek(): boolean {
    return true;
  }
  override d_dname(): string {
    return "anon_inode:[eventpoll]";
  }
  override show_fdinfo(file: File): string {
    let s = "";
    for (const i of this.items) {
      const hex = (v: number, w: number): string => (v >>> 0).toString(16).padStart(w, " ");
      const data = i.data_hi === 0 ? hex(i.data_lo, 16) : (i.data_hi.toString(16) + (i.data_lo >>> 0).toString(16).padStart(8, "0")).padStart(16);
      const inode = i.file.f_inode;
      s += `tfd: ${String(i.fd).padStart(8)} events: ${hex(i.events, 8)} data: ${data}  pos:${i.file.f_pos} ino:${(inode?.i_ino ?? 0).toString(16)} sdev:${(inode?.i_sb.s_dev ?? 0).toString(16)}\n`;
    }
    return s;
  }
  override release(file: File): void {
    for (const { file } of this.items) {
      const list = file.f_ep!;
      list.splice(list.indexOf(this), 1);
      if (list.length === 0) file.f_ep = undefined;
    }
    this.items.length = 0;
  }
}

function do_epoll_create(task: Task, flags: number): number {
  if ((flags & ~O_CLOEXEC) !== 0) throw EINVAL;
  const { file } = new EventPoll(task.kernel);
  try {
    return task.files!.alloc_fd(task, file, (flags & O_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, file);
    throw e;
  }
}
/** epoll_create1(2) */
export const sys_epoll_create1 = SYSCALL_DEFINE("epoll_create1", [Hex], do_epoll_create);
/** epoll_create(2) */
export const sys_epoll_create = SYSCALL_DEFINE("epoll_create", [Int], (task, size) => {
  if (size <= 0) throw EINVAL;
  return do_epoll_create(task, 0);
});

/** epoll_ctl(2): struct epoll_event is packed, 12 bytes */
export const sys_epoll_ctl = SYSCALL_DEFINE("epoll_ctl", [Fd, Int, Fd, Ptr], (task, epfd, op, fd, event) => {
  const m = task.kernel.mem;
  let events = 0;
  let lo = 0;
  let hi = 0;
  if (op !== EPOLL_CTL_DEL) {
    check_read(m, event, 12);
    events = m.view.getUint32(event, true);
    lo = m.view.getUint32(event + 4, true);
    hi = m.view.getUint32(event + 8, true);
  }
  const epfile = task.files!.fget(epfd);
  const { f_op: ep } = epfile;
  const file = task.files!.fget(fd);
  const inode = file.f_inode;
  if (inode !== undefined && ((S_ISREG(inode.i_mode) && !file.f_op.polls) || S_ISDIR(inode.i_mode) || file.f_op.never_polls)) throw EPERM;
  if (epfile === file || !(ep instanceof EventPoll)) throw EINVAL;
  if (op !== EPOLL_CTL_ADD && op !== EPOLL_CTL_DEL && op !== EPOLL_CTL_MOD) throw EINVAL;
  if ((events & EPOLLEXCLUSIVE) !== 0) {
    if (op === EPOLL_CTL_MOD) throw EINVAL;
    if (op === EPOLL_CTL_ADD && (file.f_op instanceof EventPoll || (events & ~EPOLLEXCLUSIVE_OK_BITS) !== 0)) throw EINVAL;
  }
  if (op === EPOLL_CTL_ADD && file.f_op instanceof EventPoll) file.f_op.check_nesting(ep);
  if (op !== EPOLL_CTL_DEL) events |= POLLERR | POLLHUP;
  ep.ctl(op, fd, file, events, lo, hi);
  return 0;
});

/** `ns`: time-out, Infinity for none */
function do_epoll_wait(task: Task, epfd: number, events: number, maxevents: number, ns: number): number {
  if (maxevents <= 0 || maxevents > EP_MAX_EVENTS) throw EINVAL;
  const m = task.kernel.mem;
  check_write(m, events, Math.min(maxevents, 1) * 12);
  const { f_op: ep } = task.files!.fget(epfd);
  if (!(ep instanceof EventPoll)) throw EINVAL;
  const max = Math.min(maxevents, Math.floor((m.size - events) / 12));
  if (max <= 0) throw EFAULT;
  let at = events;
  const out = (revents: number, lo: number, hi: number): void => {
    m.written(at, 12);
    m.view.setUint32(at, revents, true);
    m.view.setUint32(at + 4, lo, true);
    m.view.setUint32(at + 8, hi, true);
    at += 12;
  };
  const now = task.kernel.time.monotonic();
  const st = task.restart as { end: number } | undefined;
  const end = st?.end ?? (ns === Infinity ? Infinity : now + ns);
  // one that slept to the end was not the one whom an exclusive watch woke
  ep.late = st !== undefined && now >= end;
  let n = ep.collect(task, max, out);
  if (n > 0 || ns === 0 || now >= end) return n;
  const queues: WaitQueue[] = [ep.wq];
  const exclusive: WaitQueue[] = [];
  n = ep.collect(task, max, out, queues, exclusive);
  if (n > 0) return n;
  task.restart ??= { end };
  sleep_on(task, queues, { until: end, interrupted: EINTR, exclusive });
}

const ms = (timeout: number): number => (timeout < 0 ? Infinity : timeout * 1_000_000);
/** epoll_wait(2) */
export const sys_epoll_wait = SYSCALL_DEFINE("epoll_wait", [Fd, Ptr, Int, Int], (task, epfd, events, maxevents, timeout) => do_epoll_wait(task, epfd, events, maxevents, ms(timeout)));
/** epoll_pwait(2) */
export const sys_epoll_pwait = SYSCALL_DEFINE("epoll_pwait", [Fd, Ptr, Int, Int, Ptr, Size], (task, epfd, events, maxevents, timeout, sigmask, size) => {
  call_sigmask(task, sigmask, size);
  return do_epoll_wait(task, epfd, events, maxevents, ms(timeout));
});
/** epoll_pwait2(2) */
export const sys_epoll_pwait2 = SYSCALL_DEFINE("epoll_pwait2", [Fd, Ptr, Int, Timespec, Ptr, Size], (task, epfd, events, maxevents, tsp, sigmask, size) => {
  const ns = get_timeout(task.kernel.mem, tsp, false);
  call_sigmask(task, sigmask, size);
  return do_epoll_wait(task, epfd, events, maxevents, ns);
});

