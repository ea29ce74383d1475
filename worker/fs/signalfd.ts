// fs/signalfd.ts — signals that are read.  cf. fs/signalfd.c
import { EAGAIN, EINVAL } from "../include/uapi/errno.ts";
import { O_CLOEXEC, O_NONBLOCK, O_RDWR } from "../include/uapi/fcntl.ts";
import { sleep_on, type WaitQueue } from "../kernel/sched/wait.ts";
import { dequeue_signal } from "../kernel/signal.ts";
import { SigSet, get_user_sigset, type SigInfo } from "../kernel/signal_types.ts";
import { Fd, Hex, Ptr, SYSCALL_DEFINE, Size } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { type File, POLLIN, FMODE_NOWAIT, FileOperations } from "./fs.ts";
import { fput } from "./file_table.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";

const SIGKILL = 9;
const SIGSTOP = 19;
const SIGINFO_SIZE = 128;

/** struct signalfd_siginfo */
function put_signalfd_siginfo(buf: Uint8Array, off: number, info: SigInfo): void {
  buf.fill(0, off, off + SIGINFO_SIZE);
  const view = new DataView(buf.buffer, buf.byteOffset);
  const u32 = (at: number, v: number | undefined): void => view.setUint32(off + at, (v ?? 0) >>> 0, true);
  const u64 = (at: number, v: number | undefined): void => {
    u32(at, v);
    u32(at + 4, Math.floor((v ?? 0) / 0x100000000));
  };
  u32(0, info.signo);
  u32(4, info.errno);
  u32(8, info.code);
  u32(12, info.pid);
  u32(16, info.uid);
  u32(20, info.fd);
  u32(24, info.tid);
  u32(28, info.band);
  u32(32, info.overrun);
  u32(36, info.trapno);
  u32(40, info.status);
  u32(44, info.value_lo);
  u32(48, info.value_lo);
  u32(52, info.value_hi);
  u64(56, info.utime);
  u64(64, info.stime);
  u64(72, info.addr);
}

/** Takes signals of whoever reads it: it belongs to no task. */
export class SignalFd extends FileOperations {
  sigmask: SigSet;
  constructor(mask: SigSet) {
    super();
    this.sigmask = mask;
  }
  override get f_mode(): number {
    return FMODE_NOWAIT;
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    const max = Math.floor(len / SIGINFO_SIZE);
    if (max === 0) throw EINVAL;
    const others = this.sigmask.not();
    let n = 0;
    for (; n < max; n++) {
      const info = dequeue_signal(task, others);
      if (info === undefined) break;
      put_signalfd_siginfo(buf, off + n * SIGINFO_SIZE, info);
    }
    if (n > 0) return n * SIGINFO_SIZE;
    if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
    sleep_on(task, [task.sighand.signalfd_wqh]);
  }
  override poll(_file: File, task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(task.sighand.signalfd_wqh);
    return task.pending.signal.intersects(this.sigmask) || task.signal.shared_pending.signal.intersects(this.sigmask) ? POLLIN : 0;
  }
  override get noop_llseek(): boolean {
    return true;
  }
  override d_dname(): string {
    return "anon_inode:[signalfd]";
  }
  override show_fdinfo(): string {
    return `sigmask:\t${this.sigmask}\n`;
  }
}

function do_signalfd4(task: Task, ufd: number, user_mask: number, size: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0 || size !== 8) throw EINVAL;
  const mask = get_user_sigset(task.kernel.mem, user_mask);
  mask.del(SIGKILL);
  mask.del(SIGSTOP);
  if (ufd !== -1) {
    const old = task.files!.fget(ufd);
    if (!(old.f_op instanceof SignalFd)) throw EINVAL;
    old.f_op.sigmask = mask;
    task.sighand.signalfd_wqh.wake_up();
    return ufd;
  }
  const file = anon_inode_getfile(task.kernel, new SignalFd(mask), O_RDWR | (flags & O_NONBLOCK));
  try {
    return task.files!.alloc_fd(task, file, (flags & O_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, file);
    throw e;
  }
}
/** signalfd4(2) */
export const sys_signalfd4 = SYSCALL_DEFINE("signalfd4", [Fd, Ptr, Size, Hex], do_signalfd4);
/** signalfd(2) */
export const sys_signalfd = SYSCALL_DEFINE("signalfd", [Fd, Ptr, Size], (task, ufd, mask, size) => do_signalfd4(task, ufd, mask, size, 0));
