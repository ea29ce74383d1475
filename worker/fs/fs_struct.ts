// fs/fs_struct.ts — what tasks share of the VFS: the descriptor table and root, pwd, umask.  cf. fs/file.c, fs/fs_struct.c
//
// FilesStruct is shared by CLONE_FILES, FsStruct by CLONE_FS; both count their users.
import { EBADF, EINVAL, EMFILE, type Errno } from "../include/uapi/errno.ts";
import { O_PATH } from "../include/uapi/fcntl.ts";
import { RLIMIT_NOFILE } from "../kernel/signal_types.ts";
import type { Task } from "../kernel/task.ts";
import type { File, Path } from "./fs.ts";
import { fput, path_get, path_put } from "./file_table.ts";

/** fs.nr_open: no descriptor table may be larger */
export const NR_OPEN = 1048576;

/** A descriptor table. Descriptors index `fds`; the lowest free one is taken first. */
export class FilesStruct {
  count = 1;
  readonly fds: (File | undefined)[] = [];
  /** 1 where FD_CLOEXEC is set */
  readonly cloexec: number[] = [];
  /** no free descriptor below it */
  next_fd = 0;

  /** The file of a descriptor that may be used for I/O: EBADF if closed or O_PATH. */
  fget(fd: number): File {
    const file = this.fds[fd];
    if (file === undefined || (file.f_flags & O_PATH) !== 0) throw EBADF;
    return file;
  }
  /** The same, O_PATH descriptors too.  cf. fdget_raw() */
  fget_raw(fd: number): File {
    const file = this.fds[fd];
    if (file === undefined) throw EBADF;
    return file;
  }
  peek(fd: number): File | undefined {
    return this.fds[fd];
  }

  /**
   * Gives `file` (whose reference it takes over) the lowest free descriptor from `start` on. Throws EMFILE at RLIMIT_NOFILE
   * (the caller still owns the file then).  cf. alloc_fd() + fd_install()
   */
  alloc_fd(task: Task, file: File, cloexec = false, start = 0): number {
    const fd = this.find_free(start);
    if (fd >= Math.min(task.signal.rlim[RLIMIT_NOFILE]!.cur, NR_OPEN)) throw EMFILE;
    this.install(fd, file, cloexec);
    return fd;
  }
  /** The descriptor that alloc_fd would give. Throws EMFILE.  cf. get_unused_fd_flags() */
  get_unused_fd(task: Task): number {
    const fd = this.find_free();
    if (fd >= Math.min(task.signal.rlim[RLIMIT_NOFILE]!.cur, NR_OPEN)) throw EMFILE;
    return fd;
  }
  /** The lowest free descriptor from `start` on. */
  find_free(start = 0): number {
    const fds = this.fds;
    let fd = Math.max(start, this.next_fd);
    while (fds[fd] !== undefined) fd++;
    if (start <= this.next_fd) this.next_fd = fd;
    return fd;
  }
  install(fd: number, file: File, cloexec: boolean): void {
    const fds = this.fds;
    while (fds.length < fd) {
      fds.push(undefined);
      this.cloexec.push(0);
    }
    fds[fd] = file;
    this.cloexec[fd] = cloexec ? 1 : 0;
    if (fd === this.next_fd) this.next_fd = fd + 1;
  }
  /** Frees the descriptor without closing the file; returns the file or undefined. */
  uninstall(fd: number): File | undefined {
    const file = this.fds[fd];
    if (file === undefined) return undefined;
    this.fds[fd] = undefined;
    this.cloexec[fd] = 0;
    if (fd < this.next_fd) this.next_fd = fd;
    return file;
  }
  /** close(2): EBADF if it is not open. What flush says is thrown after the descriptor is gone. */
  close(task: Task, fd: number): void {
    const file = this.uninstall(fd);
    if (file === undefined) throw EBADF;
    filp_close(task, file, this);
  }
  /** dup2/dup3: newfd becomes oldfd's file. */
  replace(task: Task, newfd: number, file: File, cloexec: boolean): void {
    if (newfd < 0 || newfd >= Math.min(task.signal.rlim[RLIMIT_NOFILE]!.cur, NR_OPEN)) throw EBADF;
    const old = this.uninstall(newfd);
    file.f_count++;
    this.install(newfd, file, cloexec);
    if (old !== undefined) {
      try {
        filp_close(task, old, this);
      } catch {
        // dup2 does not report what close said (man 2 dup)
      }
    }
  }
  /** A copy that shares the open file descriptions.  cf. dup_fd() */
  dup(): FilesStruct {
    const copy = new FilesStruct();
    for (let fd = 0; fd < this.fds.length; fd++) {
      const file = this.fds[fd];
      if (file !== undefined) file.f_count++;
      copy.fds.push(file);
      copy.cloexec.push(this.cloexec[fd]!);
    }
    copy.next_fd = this.next_fd;
    return copy;
  }
  /** execve: closes what has FD_CLOEXEC. */
  do_close_on_exec(task: Task): void {
    for (let fd = 0; fd < this.fds.length; fd++) if (this.cloexec[fd] === 1) this.closeQuietly(task, fd);
  }
  /** close_range(2) without flags */
  close_range(task: Task, first: number, last: number): void {
    if (first > last) throw EINVAL;
    const end = Math.min(last, this.fds.length - 1);
    for (let fd = first; fd <= end; fd++) this.closeQuietly(task, fd);
  }
  /** One user less; the last one closes everything. `task` may be exiting.  cf. put_files_struct() */
  put(task: Task): void {
    if (--this.count > 0) return;
    for (let fd = 0; fd < this.fds.length; fd++) this.closeQuietly(task, fd);
    this.fds.length = 0;
    this.cloexec.length = 0;
    this.next_fd = 0;
  }
  private closeQuietly(task: Task, fd: number): void {
    const file = this.uninstall(fd);
    if (file === undefined) return;
    try {
      filp_close(task, file, this);
    } catch {
      // nobody is left to hear of it
    }
  }
}

/** Closing of one descriptor: flush, POSIX locks of this table, one reference.  cf. filp_close() */
export function filp_close(task: Task, file: File, files: FilesStruct): void {
  let err: Errno | undefined;
  try {
    file.f_op.flush(file, task);
  } catch (e) {
    err = e as Errno;
  }
  const inode = file.f_inode;
  if (inode?.i_flock !== undefined && (file.f_flags & O_PATH) === 0) task.kernel.vfs.locks.remove_posix(inode, files);
  fput(task, file);
  if (err !== undefined) throw err;
}

export class FsStruct {
  users = 1;
  root: Path;
  pwd: Path;
  umask = 0o022;
  /** Takes a reference to both paths. */
  constructor(root: Path, pwd: Path) {
    this.root = root;
    this.pwd = pwd;
    path_get(root);
    path_get(pwd);
  }
  set_root(path: Path): void {
    path_get(path);
    path_put(this.root);
    this.root = path;
  }
  set_pwd(path: Path): void {
    path_get(path);
    path_put(this.pwd);
    this.pwd = path;
  }
  /** cf. copy_fs_struct() */
  dup(): FsStruct {
    const copy = new FsStruct(this.root, this.pwd);
    copy.umask = this.umask;
    return copy;
  }
  /** One user less.  cf. exit_fs() */
  put(): void {
    if (--this.users > 0) return;
    path_put(this.root);
    path_put(this.pwd);
  }
}
