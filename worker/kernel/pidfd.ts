// kernel/pidfd.ts — what the kernel proper knows of pidfds; the file itself is fs/pidfs.ts.
import { EBADF } from "../include/uapi/errno.ts";
import type { File } from "../fs/fs.ts";
import type { Task } from "./task.ts";

/** Operations of a file that stands for a process. */
export interface PidFile {
  /** the process; throws ESRCH when it was reaped */
  pidfd_task(): Task;
}

/** Makes pidfds: fs/pidfs.ts has the implementation. */
export interface Pidfs {
  /** A file (one reference, the caller's) for the process of `target`. `flags`: O_NONBLOCK. */
  pidfd_prepare(target: Task, flags: number): File;
}

/** A directory of /proc stands for its process, too, where only signals are sent.  cf. tgid_pidfd_to_pid() */
export function pidfd_or_proc_task(file: File): Task {
  const inode = file.f_inode as Partial<PidDirInode> | undefined;
  return inode?.tgid_pidfd === undefined ? pidfd_task(file) : inode.tgid_pidfd();
}
/** The inode of /proc/PID. */
export interface PidDirInode {
  /** throws EBADF when it is a thread's */
  tgid_pidfd(): Task;
}

/** Throws EBADF when the file is no pidfd.  cf. pidfd_pid() */
export function pidfd_task(file: File): Task {
  const f = file.f_op as Partial<PidFile>;
  if (f.pidfd_task === undefined) throw EBADF;
  return f.pidfd_task();
}
