// fs/file_table.ts — references: of open files, paths and inodes.  cf. fs/file_table.c, fs/inode.c iput()
import type { Task } from "../kernel/task.ts";
import { O_ACCMODE, O_PATH, O_RDONLY } from "../include/uapi/fcntl.ts";
import { S_ISREG } from "../include/uapi/stat.ts";
import type { File, Inode, Mount, Path } from "./fs.ts";

/** One user more of a path: its mount is busy, its inode stays.  cf. path_get() */
export function path_get(path: Path): void {
  path.mnt.mnt_count++;
  path.dentry.d_count++;
  const inode = path.dentry.d_inode;
  if (inode !== undefined) inode.i_count++;
}

/** cf. path_put() */
export function path_put(path: Path): void {
  path.dentry.d_count--;
  const inode = path.dentry.d_inode;
  if (inode !== undefined) iput(inode);
  if (--path.mnt.mnt_count === 0 && path.mnt.mnt_umounted) cleanup_mnt(path.mnt);
}

/** Nothing uses the mount any more: the file system is closed when it was its last. */
export function cleanup_mnt(mnt: Mount): void {
  const sb = mnt.mnt_sb;
  const { vfs } = sb.kernel;
  mnt.mnt_root.d_count--;
  if (--sb.s_active > 0) return;
  vfs.supers.splice(vfs.supers.indexOf(sb), 1);
  for (const dentry of vfs.dentry_lru) if (dentry.d_sb === sb) vfs.dentry_lru.delete(dentry);
  sb.put_super();
}

export function ihold(inode: Inode): void {
  inode.i_count++;
}

/** One user less; an inode without users and links is freed on its file system.  cf. iput() */
export function iput(inode: Inode): void {
  if (--inode.i_count > 0 || inode.i_nlink > 0) return;
  if (inode.i_watches !== undefined) inode.i_sb.kernel.vfs.fsnotify.delete_self(inode);
  inode.evict();
}

/** One reference more to an open file.  cf. get_file() */
export function get_file(file: File): File {
  file.f_count++;
  return file;
}

/**
 * One reference less; the last one releases the file: watches and locks on it go, then its own release(), then the path.
 * `task` is whoever did it (undefined: the kernel).  cf. fput()
 */
export function fput(task: Task | undefined, file: File): void {
  if (--file.f_count > 0) return;
  if (file.f_ep !== undefined) for (const ep of [...file.f_ep]) ep.eventpoll_release(file);
  const inode = file.f_inode;
  const opath = (file.f_flags & O_PATH) !== 0;
  if (inode !== undefined && !opath) {
    inode.i_sb.kernel.vfs.nr_files--;
    if (inode.i_flock !== undefined) inode.i_sb.kernel.vfs.locks.remove_file(inode, file);
    inode.i_sb.kernel.vfs.fsnotify.close(file);
  }
  file.f_op.release(file, task);
  if (inode !== undefined && !opath && S_ISREG(inode.i_mode) && (file.f_flags & O_ACCMODE) !== O_RDONLY) {
    inode.i_writecount--;
    inode.i_sb.s_writers--;
  }
  if (file.f_path !== undefined) path_put(file.f_path);
  else if (inode !== undefined) iput(inode);
}
