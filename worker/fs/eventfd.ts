// fs/eventfd.ts — a counter to wait for.  cf. fs/eventfd.c
import { EAGAIN, EINVAL } from "../include/uapi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from "../include/uapi/fcntl.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { Hex, SYSCALL_DEFINE, UInt } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { type File, POLLERR, POLLIN, POLLOUT, FMODE_NOWAIT, FileOperations } from "./fs.ts";
import { fput } from "./file_table.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";

const EFD_SEMAPHORE = 1;
const TWO32 = 0x100000000;

export class EventFd extends FileOperations {
  /** the 64-bit counter: it may hold up to 2^64-2 */
  private lo: number;
  private hi = 0;
  readonly semaphore: boolean;
  readonly wqh: WaitQueue = new WaitQueue();
  constructor(count: number, flags: number) {
    super();
    this.lo = count;
    this.semaphore = (flags & EFD_SEMAPHORE) !== 0;
  }
  override get writes_segments(): boolean {
    return true;
  }
  override get f_mode(): number {
    return FMODE_NOWAIT;
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len < 8) throw EINVAL;
    if (this.lo === 0 && this.hi === 0) {
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [this.wqh]);
    }
    const view = new DataView(buf.buffer, buf.byteOffset);
    view.setUint32(off, this.semaphore ? 1 : this.lo, true);
    view.setUint32(off + 4, this.semaphore ? 0 : this.hi, true);
    if (this.semaphore) {
      if (this.lo === 0) this.hi--;
      this.lo = (this.lo - 1) >>> 0;
    } else this.lo = this.hi = 0;
    this.wqh.wake_up();
    return 8;
  }
  /** Adds; sleeps while the sum would be more than 2^64-2. */
  override write(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len !== 8) throw EINVAL;
    const view = new DataView(buf.buffer, buf.byteOffset);
    const lo = view.getUint32(off, true);
    const hi = view.getUint32(off + 4, true);
    if (lo === 0xffffffff && hi === 0xffffffff) throw EINVAL;
    const sum_lo = this.lo + lo;
    const sum_hi = this.hi + hi + (sum_lo >= TWO32 ? 1 : 0);
    if (sum_hi >= TWO32 || (sum_hi === 0xffffffff && sum_lo >>> 0 === 0xffffffff)) {
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [this.wqh]);
    }
    this.lo = sum_lo >>> 0;
    this.hi = sum_hi;
    this.wqh.wake_up();
    return 8;
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wqh);
    let mask = 0;
    if (this.lo !== 0 || this.hi !== 0) mask |= POLLIN;
    const max = this.hi === 0xffffffff && this.lo === 0xffffffff;
    if (max) mask |= POLLERR;
    if (this.hi !== 0xffffffff || this.lo < 0xfffffffe) mask |= POLLOUT;
    return mask;
  }
  override get noop_llseek(): boolean {
    return true;
  }
  override d_dname(): string {
    return "anon_inode:[eventfd]";
  }
  override show_fdinfo(): string {
    const count = this.hi === 0 ? this.lo.toString(16) : this.hi.toString(16) + this.lo.toString(16).padStart(8, "0");
    return `eventfd-count: ${count.padStart(16)}\neventfd-semaphore: ${this.semaphore ? 1 : 0}\n`;
  }
}

function do_eventfd(task: Task, count: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | EFD_SEMAPHORE)) !== 0) throw EINVAL;
  const file = anon_inode_getfile(task.kernel, new EventFd(count, flags), O_RDWR | (flags & O_NONBLOCK));
  try {
    return task.files!.alloc_fd(task, file, (flags & O_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, file);
    throw e;
  }
}
/** eventfd2(2) */
export const sys_eventfd2 = SYSCALL_DEFINE("eventfd2", [UInt, Hex], do_eventfd);
/** eventfd(2) */
export const sys_eventfd = SYSCALL_DEFINE("eventfd", [UInt], (task, count) => do_eventfd(task, count, 0));
