// fs/sync.ts — sync, syncfs, fsync, fdatasync, sync_file_range.  cf. fs/sync.c
import { EBADF, EINVAL, ESPIPE } from "../include/uapi/errno.ts";
import { S_ISBLK, S_ISDIR, S_ISLNK, S_ISREG } from "../include/uapi/stat.ts";
import { wait_host, type HostResult } from "../kernel/host_wait.ts";
import { Errno } from "../include/uapi/errno.ts";
import { Fd, Hex, Off, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import type { File } from "./fs.ts";
import { nested } from "./read_write.ts";

/** What sync remembers: how many file systems are done, the state of the one at hand, and the disks' flush. */
interface SyncState extends HostResult {
  done: number;
  sub: unknown;
}

/** sync(2): every file system, then every disk. Errors are nobody's. */
export const sys_sync = SYSCALL_DEFINE("sync", [], (task) => {
  ksys_sync(task);
  return 0;
});

export function ksys_sync(task: Task): void {
  const { kernel } = task;
  const st = (task.restart ??= { done: 0, sub: undefined }) as SyncState;
  const { supers } = kernel.vfs;
  while (st.done < supers.length) {
    try {
      nested(task, st, () => supers[st.done]!.sync_fs(task));
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
    }
    st.sub = undefined;
    st.done++;
  }
  try {
    wait_host(kernel, st, () => kernel.blkdev.flush_all());
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
  }
}

/** syncfs(2) */
export const sys_syncfs = SYSCALL_DEFINE("syncfs", [Fd], (task, fd) => {
  const file = task.files!.fget(fd);
  if (file.f_inode === undefined) throw EBADF;
  file.f_inode.i_sb.sync_fs(task);
  return 0;
});

/** cf. vfs_fsync() */
function vfs_fsync(task: Task, file: File, datasync: boolean): void {
  file.f_op.fsync(file, task, datasync);
}

/** fsync(2) */
export const sys_fsync = SYSCALL_DEFINE("fsync", [Fd], (task, fd) => {
  vfs_fsync(task, task.files!.fget(fd), false);
  return 0;
});
/** fdatasync(2) */
export const sys_fdatasync = SYSCALL_DEFINE("fdatasync", [Fd], (task, fd) => {
  vfs_fsync(task, task.files!.fget(fd), true);
  return 0;
});

/** sync_file_range(2): writes the file's data out; like Linux it promises nothing about durability of metadata. */
export const sys_sync_file_range = SYSCALL_DEFINE("sync_file_range", [Fd, Off, Off, Hex], (task, fd, off, nbytes, flags) => {
  const file = task.files!.fget(fd);
  if ((flags & ~7) !== 0 || off < 0 || nbytes < 0) throw EINVAL;
  const mode = file.f_inode?.i_mode ?? 0;
  if (!S_ISREG(mode) && !S_ISBLK(mode) && !S_ISDIR(mode) && !S_ISLNK(mode)) throw ESPIPE;
  file.f_op.fsync(file, task, true);
  return 0;
});
