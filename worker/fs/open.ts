// fs/open.ts — open and its relatives, close, and what changes a file by name: truncate, chmod, chown, access.  cf. fs/open.c, fs/namei.c path_openat()
import {
  EACCES, EBADF, EEXIST, EFBIG, EINVAL, EISDIR, ELOOP, ENODEV, ENOENT, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, ESPIPE, ETXTBSY, E2BIG, EAGAIN,
} from "../include/uapi/errno.ts";
import {
  AT_EACCESS, AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_ZERO_RANGE, O_ACCMODE, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_EXCL, O_LARGEFILE, O_NOATIME, O_NOCTTY,
  O_NOFOLLOW, O_PATH, O_RDONLY, O_TMPFILE_BIT, O_TRUNC, O_WRONLY, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT,
} from "../include/uapi/fcntl.ts";
import { MNT_NODEV, MNT_NOEXEC } from "../include/uapi/mount.ts";
import {
  S_IALLUGO, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_ISGID, S_IFREG, S_IFSOCK, S_ISVTX, S_ISBLK, S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG,
} from "../include/uapi/stat.ts";
import { CAP_FSETID, CAP_SYS_CHROOT, capable, in_group_p, prepare_creds, Caps, type Cred } from "../kernel/cred.ts";
import { RLIMIT_FSIZE } from "../kernel/signal_types.ts";
import { send_sig } from "../kernel/signal.ts";
import { DirFd, Fd, Hex, Int, Mode, Off, OpenFlags, Path as PathArg, Ptr, SYSCALL_DEFINE, Size, UInt } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { get_user_u64, get_user_u8, check_read } from "../kernel/uaccess.ts";
import { d_add } from "./dcache.ts";
import { type Dentry, FMODE_CAN_ODIRECT, File, FileOperations, type Iattr, type Inode, type Owner, type Path } from "./fs.ts";
import { fput, path_get } from "./file_table.ts";
import {
  MAY_EXEC, MAY_READ, MAY_WRITE, S_APPEND, S_IMMUTABLE, current_time, inode_init_owner, inode_owner_or_capable, inode_permission,
  killed_suid, mnt_want_write, notify_change, removed_suid,
} from "./inode.ts";
import {
  LAST_NORM, LOOKUP_DIRECTORY, LOOKUP_EMPTY, LOOKUP_FOLLOW, filename_lookup, filename_parentat, follow_last_link, lookup_one, may_chdir, traverse_mounts, user_path_at,
} from "./namei.ts";
import { break_lease } from "./leases.ts";
import { Filename } from "./names.ts";
import { posix_acl_create } from "./posix_acl.ts";
import { fifo_open, type FifoOpen } from "./pipe.ts";

const SIGXFSZ = 25;
const VALID_OPEN_FLAGS = 0o37777703;

/** A descriptor that only names a place (O_PATH). */
export class EmptyFops extends FileOperations {}
export const empty_fops = new EmptyFops();

const acc_mode_of = (flags: number): number => [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE][flags & O_ACCMODE]!;

/** May `task` open what is at `path` for `acc`?  cf. may_open() */
function may_open(task: Task, path: Path, acc: number, flags: number): void {
  const inode = path.dentry.d_inode!;
  switch (inode.i_mode & S_IFMT) {
    case S_IFLNK:
      throw ELOOP;
    case S_IFDIR:
      if ((acc & MAY_WRITE) !== 0) throw EISDIR;
      if ((acc & MAY_EXEC) !== 0) throw EACCES;
      break;
    case S_IFBLK:
    case S_IFCHR:
      if ((path.mnt.mnt_flags & MNT_NODEV) !== 0) throw EACCES;
      break;
    case S_IFREG:
      if ((acc & MAY_EXEC) !== 0 && (path.mnt.mnt_flags & MNT_NOEXEC) !== 0) throw EACCES;
      if ((acc & MAY_WRITE) !== 0) mnt_want_write(path.mnt);
      break;
    default:
      if ((acc & MAY_EXEC) !== 0) throw EACCES;
  }
  inode_permission(task, inode, acc);
  if ((inode.i_flags & S_APPEND) !== 0) {
    if ((flags & O_ACCMODE) !== O_RDONLY && (flags & O_APPEND) === 0) throw EPERM;
    if ((flags & O_TRUNC) !== 0) throw EPERM;
  }
  if ((flags & O_NOATIME) !== 0 && !inode_owner_or_capable(task.cred, inode)) throw EPERM;
}

/** Makes the File for what is at `path`; rights were checked. `state` serves FIFOs that wait.  cf. do_dentry_open() */
export function do_dentry_open(task: Task, path: Path, flags: number, state: () => FifoOpen): File {
  const inode = path.dentry.d_inode!;
  const { kernel } = task;
  const writing = (flags & O_ACCMODE) !== O_RDONLY;
  let file: File;
  switch (inode.i_mode & S_IFMT) {
    case S_IFCHR:
      file = kernel.chrdev.chrdev_open(task, path, inode, flags);
      break;
    case S_IFBLK:
      file = kernel.blkdev.open(task, path, inode, flags);
      break;
    case S_IFIFO:
      file = fifo_open(task, path, inode, flags, state());
      break;
    case S_IFSOCK:
      throw ENXIO;
    case S_IFREG:
      if (writing && inode.i_writecount < 0) throw ETXTBSY;
      file = inode.open(task, path, flags);
      if (writing) {
        inode.i_writecount++;
        inode.i_sb.s_writers++;
      }
      break;
    default:
      file = inode.open(task, path, flags);
  }
  const opened_file = opened(task, file, path, inode, flags);
  if ((flags & O_DIRECT) !== 0 && (file.f_mode & FMODE_CAN_ODIRECT) === 0) {
    fput(task, opened_file);
    throw EINVAL;
  }
  return opened_file;
}

function opened(task: Task, file: File, path: Path, inode: Inode, flags: number): File {
  file.f_inode ??= inode;
  file.f_cred = task.cred;
  // a pipe opened again through /proc/PID/fd has no path either
  const anon = path.mnt === inode.i_sb.s_kern_mnt;
  file.f_path = anon ? undefined : path;
  file.f_flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
  if (anon) inode.i_count++;
  else path_get(path);
  inode.i_sb.kernel.vfs.nr_files++;
  return file;
}

/** Whose the inode will be that `task` makes in `dir`, and its permissions: what the umask or a default list leaves of `mode`.  cf. vfs_prepare_mode() */
export function owner_for(task: Task, dir: Inode, mode: number): { mode: number; owner: Owner } {
  // a file that is executable by a group its maker is not in does not run as that group.  cf. mode_strip_sgid()
  const foreign = (dir.i_mode & S_ISGID) !== 0 && !in_group_p(task.cred, dir.i_gid) && !capable(task, CAP_FSETID);
  if (foreign && (mode & S_IFMT) !== S_IFDIR && (mode & 0o2010) === 0o2010) mode &= ~S_ISGID;
  const o = inode_init_owner(dir, mode, { uid: task.cred.fsuid, gid: task.cred.fsgid });
  const { mode: m, ...acls } = posix_acl_create(dir, o.mode, task.fs!.umask);
  return { mode: m, owner: { uid: o.uid, gid: o.gid, ...acls } };
}

/** Walks to what an open with O_CREAT means, making it if it is not there. Returns the path and whether it was made.  cf. open_last_lookups(), lookup_open() */
function lookup_create(task: Task, dfd: number, name: Filename, flags: number, mode: number, resolve: number): { path: Path; dir: Inode; created: boolean } {
  const { vfs } = task.kernel;
  const nd = filename_parentat(task, dfd, name, resolve);
  for (;;) {
    if (nd.last_type !== LAST_NORM) {
      if (nd.last === "" && !name.absolute) return { path: nd.path(), dir: nd.dentry.d_inode!, created: false };
      throw (flags & O_EXCL) !== 0 ? EEXIST : EISDIR;
    }
    if (nd.trailing) throw EISDIR;
    const parent = nd.dentry;
    const dentry = lookup_one(task, parent, nd.last);
    const inode = dentry.d_inode;
    if (inode === undefined) {
      const dir = parent.d_inode!;
      mnt_want_write(nd.mnt);
      if (parent.d_unhashed) throw ENOENT;
      inode_permission(task, dir, MAY_WRITE | MAY_EXEC);
      const { mode: m, owner } = owner_for(task, dir, S_IFREG | (mode & S_IALLUGO));
      dentry.d_inode = dir.create(nd.last, m, owner);
      nd.dentry = dentry;
      vfs.fsnotify.create(dir, nd.last, false);
      return { path: nd.path(), dir, created: true };
    }
    if ((flags & O_EXCL) !== 0) throw EEXIST;
    nd.dentry = dentry;
    if (S_ISLNK(inode.i_mode)) {
      if ((flags & O_NOFOLLOW) !== 0) throw ELOOP;
      if (!follow_last_link(task, nd, parent)) return { path: nd.path(), dir: parent.d_inode!, created: false };
      continue;
    }
    traverse_mounts(task, nd);
    return { path: nd.path(), dir: parent.d_inode!, created: false };
  }
}

/** In a sticky directory O_CREAT does not open what somebody else made there.  cf. may_create_in_sticky() */
function may_create_in_sticky(task: Task, dir: Inode, inode: Inode): void {
  const { vfs } = task.kernel;
  const fifo = S_ISFIFO(inode.i_mode);
  const reg = S_ISREG(inode.i_mode);
  if ((dir.i_mode & S_ISVTX) === 0 || (fifo && vfs.protected_fifos === 0) || (reg && vfs.protected_regular === 0)) return;
  if (inode.i_uid === dir.i_uid || inode.i_uid === task.cred.fsuid) return;
  if ((dir.i_mode & 0o002) !== 0 || ((dir.i_mode & 0o020) !== 0 && ((fifo && vfs.protected_fifos >= 2) || (reg && vfs.protected_regular >= 2)))) throw EACCES;
}

function do_tmpfile(task: Task, dfd: number, name: Filename, flags: number, mode: number, resolve: number): Path {
  const nd = filename_lookup(task, dfd, name, ((flags & O_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | LOOKUP_DIRECTORY, resolve);
  const path = nd.path();
  const dir = path.dentry.d_inode!;
  mnt_want_write(path.mnt);
  inode_permission(task, dir, MAY_WRITE | MAY_EXEC);
  const { mode: m, owner } = owner_for(task, dir, S_IFREG | (mode & S_IALLUGO));
  const inode = dir.tmpfile(m, owner);
  const dentry = d_add(task.kernel.vfs, path.dentry, `#${inode.i_ino}`, inode);
  dentry.d_parent.d_children.delete(dentry.d_name);
  task.kernel.vfs.dentry_lru.delete(dentry);
  dentry.d_unhashed = true;
  dentry.d_tmpfile = (flags & O_EXCL) === 0;
  return { mnt: path.mnt, dentry };
}

/** Truncates an opened file whose rights were checked.  cf. do_truncate() */
export function do_truncate(task: Task, dentry: Dentry | undefined, inode: Inode, size: number): void {
  const limit = task.signal.rlim[RLIMIT_FSIZE]!.cur;
  if (size > limit && size > inode.i_size) {
    send_sig(SIGXFSZ, task);
    throw EFBIG;
  }
  const now = current_time(task.kernel);
  const attr: Iattr = { size, mtime: now, ctime: now };
  const mode = removed_suid(inode, task.cred);
  if (mode !== undefined) attr.mode = mode;
  inode.setattr(attr);
  task.kernel.vfs.fsnotify.change(dentry, inode, attr);
}

/**
 * Opens by name: the File has one reference, the caller's. May sleep (FIFO): the call then runs again.  cf. do_filp_open()
 */
export function do_filp_open(task: Task, dfd: number, name: Filename, flags: number, mode: number, resolve = 0): File {
  const waiting = task.restart as FifoOpen | undefined;
  if (waiting?.fifo !== undefined) {
    const f = waiting.fifo;
    return opened(task, fifo_open(task, f.f_path!, f.f_inode!, f.f_flags, waiting), f.f_path!, f.f_inode!, f.f_flags);
  }
  if ((flags & O_PATH) !== 0) {
    const nd = filename_lookup(task, dfd, name, ((flags & O_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & O_DIRECTORY) !== 0 ? LOOKUP_DIRECTORY : 0), resolve);
    const path = nd.path();
    const file = new File(path, path.dentry.d_inode, flags & ~O_CLOEXEC, empty_fops);
    file.f_cred = task.cred;
    path_get(path);
    return file;
  }
  let path: Path;
  let created = false;
  if ((flags & O_TMPFILE_BIT) !== 0) {
    path = do_tmpfile(task, dfd, name, flags, mode, resolve);
    created = true;
  } else if ((flags & O_CREAT) !== 0) {
    const found = lookup_create(task, dfd, name, flags, mode, resolve);
    ({ path, created } = found);
    if (!created) {
      if (path.dentry.d_inode!.is_dir) throw EISDIR;
      may_create_in_sticky(task, found.dir, path.dentry.d_inode!);
    }
  } else {
    const follow = (flags & O_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0;
    path = filename_lookup(task, dfd, name, follow | ((flags & O_DIRECTORY) !== 0 ? LOOKUP_DIRECTORY : 0), resolve).path();
  }
  const inode = path.dentry.d_inode!;
  if (!created) {
    may_open(task, path, acc_mode_of(flags) | ((flags & O_TRUNC) !== 0 ? MAY_WRITE : 0), flags);
    if ((flags & O_TRUNC) !== 0 && S_ISREG(inode.i_mode)) mnt_want_write(path.mnt);
    if (inode.i_flock !== undefined) break_lease(task, inode, flags);
  }
  const file = do_dentry_open(task, path, flags, () => {
    const st: FifoOpen = {};
    task.restart = st;
    return st;
  });
  if (!created && (flags & O_TRUNC) !== 0 && S_ISREG(inode.i_mode)) {
    try {
      do_truncate(task, path.dentry, inode, 0);
    } catch (e) {
      fput(task, file);
      throw e;
    }
  }
  task.kernel.vfs.fsnotify.open(file);
  return file;
}

/** Opens a program for execve: a regular file that may be executed, kept from being written until fput + allow_write_access.  cf. do_open_execat() */
export function do_open_execat(task: Task, dfd: number, name: Filename, flags: number): File {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const nd = filename_lookup(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0));
  const path = nd.path();
  const inode = path.dentry.d_inode!;
  may_open(task, path, MAY_EXEC, O_RDONLY);
  if (!S_ISREG(inode.i_mode)) throw EACCES;
  if (inode.i_writecount > 0) throw ETXTBSY;
  return opened(task, inode.open(task, path, O_RDONLY), path, inode, O_RDONLY);
}
/** While a program runs its file can't be opened for writing. */
export function deny_write_access(inode: Inode): void {
  if (inode.i_writecount > 0) throw ETXTBSY;
  inode.i_writecount--;
}
export function allow_write_access(inode: Inode): void {
  inode.i_writecount++;
}

const O_PATH_FLAGS = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;

/** What open and openat make of their flags; openat2 says what it means.  cf. build_open_how() */
function build_open_how(flags: number, mode: number): { flags: number; mode: number } {
  flags &= VALID_OPEN_FLAGS;
  if ((flags & O_PATH) !== 0) flags &= O_PATH_FLAGS;
  return { flags, mode: (flags & (O_CREAT | O_TMPFILE_BIT)) === 0 ? 0 : mode & S_IALLUGO };
}

/** @throws EINVAL.  cf. build_open_flags() */
function check_open_flags(flags: number, mode: number): void {
  if ((flags & (O_CREAT | O_TMPFILE_BIT)) === 0 ? mode !== 0 : mode > S_IALLUGO) throw EINVAL;
  if ((flags & (O_CREAT | O_DIRECTORY)) === (O_CREAT | O_DIRECTORY)) throw EINVAL;
  if ((flags & O_TMPFILE_BIT) !== 0 && ((flags & O_DIRECTORY) === 0 || (flags & O_ACCMODE) === O_RDONLY)) throw EINVAL;
  if ((flags & O_PATH) !== 0 && (flags & ~O_PATH_FLAGS) !== 0) throw EINVAL;
}

function do_sys_openat2(task: Task, dfd: number, filename: number, flags: number, mode: number, resolve: number): number {
  check_open_flags(flags, mode);
  const name = task.kernel.vfs.names.getname(task.kernel.mem, filename);
  // a descriptor is taken first: without one, nothing is opened or made
  task.files!.get_unused_fd(task);
  const file = do_filp_open(task, dfd, name, flags | ((flags & O_PATH) === 0 ? O_LARGEFILE : 0), mode, resolve);
  try {
    return task.files!.alloc_fd(task, file, (flags & O_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, file);
    throw e;
  }
}
function do_sys_openat(task: Task, dfd: number, filename: number, flags: number, mode: number): number {
  const how = build_open_how(flags, mode);
  return do_sys_openat2(task, dfd, filename, how.flags, how.mode, 0);
}

/** open(2) */
export const sys_open = SYSCALL_DEFINE("open", [PathArg, OpenFlags, Mode], (task, filename, flags, mode) => do_sys_openat(task, AT_FDCWD, filename, flags, mode));
/** openat(2) */
export const sys_openat = SYSCALL_DEFINE("openat", [DirFd, PathArg, OpenFlags, Mode], do_sys_openat);
/** creat(2) */
export const sys_creat = SYSCALL_DEFINE("creat", [PathArg, Mode], (task, filename, mode) => do_sys_openat(task, AT_FDCWD, filename, O_CREAT | O_WRONLY | O_TRUNC, mode));

/** openat2(2): struct open_how {u64 flags, mode, resolve} */
export const sys_openat2 = SYSCALL_DEFINE("openat2", [DirFd, PathArg, Ptr, Size], (task, dfd, filename, how, size) => {
  const m = task.kernel.mem;
  if (size < 24) throw EINVAL;
  if (size > 4096) throw E2BIG;
  check_read(m, how, size);
  for (let i = 24; i < size; i++) if (get_user_u8(m, how + i) !== 0) throw E2BIG;
  const flags = get_user_u64(m, how);
  const mode = get_user_u64(m, how + 8);
  const resolve = get_user_u64(m, how + 16);
  if (flags > 0xffffffff || (flags & ~VALID_OPEN_FLAGS) !== 0 || resolve > 0x3f) throw EINVAL;
  if ((resolve & RESOLVE_BENEATH) !== 0 && (resolve & RESOLVE_IN_ROOT) !== 0) throw EINVAL;
  check_open_flags(flags, mode);
  if ((resolve & RESOLVE_CACHED) !== 0 && (flags & (O_TRUNC | O_CREAT | O_TMPFILE_BIT)) !== 0) throw EAGAIN;
  return do_sys_openat2(task, dfd, filename, flags, mode, resolve & ~RESOLVE_CACHED);
});

/** close(2) */
export const sys_close = SYSCALL_DEFINE("close", [UInt], (task, fd) => {
  task.files!.close(task, fd);
  return 0;
});

const CLOSE_RANGE_UNSHARE = 2;
const CLOSE_RANGE_CLOEXEC = 4;
/** close_range(2) */
export const sys_close_range = SYSCALL_DEFINE("close_range", [UInt, UInt, Hex], (task, first, last, flags) => {
  if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) !== 0 || first > last) throw EINVAL;
  if ((flags & CLOSE_RANGE_UNSHARE) !== 0 && task.files!.count > 1) {
    const shared = task.files!;
    task.files = shared.dup();
    shared.put(task);
  }
  const files = task.files!;
  if ((flags & CLOSE_RANGE_CLOEXEC) !== 0) {
    for (let fd = first; fd <= Math.min(last, files.fds.length - 1); fd++) if (files.fds[fd] !== undefined) files.cloexec[fd] = 1;
  } else files.close_range(task, first, last);
  return 0;
});

function check_truncate(inode: Inode, length: number): void {
  if (length < 0) throw EINVAL;
  if (inode.is_dir) throw EISDIR;
  if (!S_ISREG(inode.i_mode)) throw EINVAL;
}

/** truncate(2) */
export const sys_truncate = SYSCALL_DEFINE("truncate", [PathArg, Off], (task, name, length) => {
  if (length < 0) throw EINVAL;
  const { mnt, dentry } = user_path_at(task, AT_FDCWD, name, LOOKUP_FOLLOW);
  const inode = dentry.d_inode!;
  check_truncate(inode, length);
  mnt_want_write(mnt);
  inode_permission(task, inode, MAY_WRITE);
  if ((inode.i_flags & (S_APPEND | S_IMMUTABLE)) !== 0) throw EPERM;
  if (inode.i_writecount < 0) throw ETXTBSY;
  if (inode.i_flock !== undefined) break_lease(task, inode, O_WRONLY);
  do_truncate(task, dentry, inode, length);
  return 0;
});
/** ftruncate(2) */
export const sys_ftruncate = SYSCALL_DEFINE("ftruncate", [Fd, Off], (task, fd, length) => {
  if (length < 0) throw EINVAL;
  const file = task.files!.fget(fd);
  const inode = file.f_inode;
  if (inode === undefined || !S_ISREG(inode.i_mode) || !file.writable) throw EINVAL;
  if ((inode.i_flags & S_APPEND) !== 0) throw EPERM;
  do_truncate(task, file.f_path?.dentry, inode, length);
  return 0;
});

/** fallocate(2) */
export const sys_fallocate = SYSCALL_DEFINE("fallocate", [Fd, Hex, Off, Off], (task, fd, mode, off, len) => {
  const file = task.files!.fget(fd);
  if (off < 0 || len <= 0) throw EINVAL;
  const what = mode & ~FALLOC_FL_KEEP_SIZE;
  if (![0, FALLOC_FL_UNSHARE_RANGE, FALLOC_FL_ZERO_RANGE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE].includes(what)) throw EOPNOTSUPP;
  // a hole keeps the size, and what moves the rest cannot
  if (what === FALLOC_FL_PUNCH_HOLE && mode === what) throw EOPNOTSUPP;
  if ((what === FALLOC_FL_COLLAPSE_RANGE || what === FALLOC_FL_INSERT_RANGE) && mode !== what) throw EOPNOTSUPP;
  if (!file.writable) throw EBADF;
  const inode = file.f_inode;
  if (inode === undefined) throw ENODEV;
  if (mode !== 0 && mode !== FALLOC_FL_KEEP_SIZE && (inode.i_flags & S_APPEND) !== 0) throw EPERM;
  if ((inode.i_flags & S_IMMUTABLE) !== 0) throw EPERM;
  if (S_ISFIFO(inode.i_mode)) throw ESPIPE;
  if (S_ISDIR(inode.i_mode)) throw EISDIR;
  if (!S_ISREG(inode.i_mode) && !S_ISBLK(inode.i_mode)) throw ENODEV;
  if (off + len > 0x7fffffffffff) throw EFBIG;
  if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && off + len > task.signal.rlim[RLIMIT_FSIZE]!.cur) {
    send_sig(SIGXFSZ, task);
    throw EFBIG;
  }
  file.f_op.fallocate(file, task, mode, off, len);
  task.kernel.vfs.fsnotify.written(file);
  return 0;
});

/** The credentials access(2) asks with: the real ids, and root's capabilities only if the real user is root. */
function access_override_creds(old: Cred): Cred {
  const cred = prepare_creds(old);
  cred.fsuid = old.uid;
  cred.fsgid = old.gid;
  cred.cap_effective = old.uid === 0 ? old.cap_permitted : new Caps();
  return cred;
}

function do_faccessat(task: Task, dfd: number, name: number, mode: number, flags: number): number {
  if ((mode & ~7) !== 0 || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const saved = task.cred;
  if ((flags & AT_EACCESS) === 0 && (saved.fsuid !== saved.uid || saved.fsgid !== saved.gid || saved.uid !== 0)) task.cred = access_override_creds(saved);
  try {
    const { mnt, dentry } = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0));
    const inode = dentry.d_inode!;
    if ((mode & MAY_EXEC) !== 0 && S_ISREG(inode.i_mode) && (mnt.mnt_flags & MNT_NOEXEC) !== 0) throw EACCES;
    if (mode === 0) return 0;
    inode_permission(task, inode, mode);
    if ((mode & MAY_WRITE) !== 0 && (S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode) || S_ISLNK(inode.i_mode))) mnt_want_write(mnt);
    return 0;
  } finally {
    task.cred = saved;
  }
}
/** access(2) */
export const sys_access = SYSCALL_DEFINE("access", [PathArg, Int], (task, name, mode) => do_faccessat(task, AT_FDCWD, name, mode, 0));
/** faccessat(2) as the kernel has it: no flags */
export const sys_faccessat = SYSCALL_DEFINE("faccessat", [DirFd, PathArg, Int], (task, dfd, name, mode) => do_faccessat(task, dfd, name, mode, 0));
/** faccessat2(2) */
export const sys_faccessat2 = SYSCALL_DEFINE("faccessat2", [DirFd, PathArg, Int, Hex], do_faccessat);

/** chdir(2) */
export const sys_chdir = SYSCALL_DEFINE("chdir", [PathArg], (task, name) => {
  const path = user_path_at(task, AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY).path();
  may_chdir(task, path);
  task.fs!.set_pwd(path);
  return 0;
});
/** fchdir(2) */
export const sys_fchdir = SYSCALL_DEFINE("fchdir", [Fd], (task, fd) => {
  const path = task.files!.fget_raw(fd).f_path;
  if (path === undefined) throw ENOTDIR;
  may_chdir(task, path);
  task.fs!.set_pwd(path);
  return 0;
});
/** chroot(2) */
export const sys_chroot = SYSCALL_DEFINE("chroot", [PathArg], (task, name) => {
  const path = user_path_at(task, AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY).path();
  may_chdir(task, path);
  if (!capable(task, CAP_SYS_CHROOT)) throw EPERM;
  task.fs!.set_root(path);
  return 0;
});

function do_fchmodat(task: Task, dfd: number, name: number, mode: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const path = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0));
  const inode = path.dentry.d_inode!;
  if (S_ISLNK(inode.i_mode)) throw EOPNOTSUPP;
  notify_change(task, path, inode, { mode: mode & S_IALLUGO });
  return 0;
}
/** chmod(2) */
export const sys_chmod = SYSCALL_DEFINE("chmod", [PathArg, Mode], (task, name, mode) => do_fchmodat(task, AT_FDCWD, name, mode, 0));
/** fchmodat(2) as the kernel has it: no flags */
export const sys_fchmodat = SYSCALL_DEFINE("fchmodat", [DirFd, PathArg, Mode], (task, dfd, name, mode) => do_fchmodat(task, dfd, name, mode, 0));
/** fchmodat2(2) */
export const sys_fchmodat2 = SYSCALL_DEFINE("fchmodat2", [DirFd, PathArg, Mode, Hex], do_fchmodat);
/** fchmod(2) */
export const sys_fchmod = SYSCALL_DEFINE("fchmod", [Fd, Mode], (task, fd, mode) => {
  change_open(task, task.files!.fget(fd), { mode: mode & S_IALLUGO });
  return 0;
});

/** notify_change of an open file, which may have no mount (pipes). */
export function change_open(task: Task, file: File, attr: Iattr, touch = false): void {
  const inode = file.f_inode;
  if (inode === undefined) throw EBADF;
  notify_change(task, file.f_path, inode, attr, touch);
}

function chown_common(task: Task, path: Path | undefined, inode: Inode, uid: number, gid: number): void {
  const attr: Iattr = {};
  if (uid !== -1 && uid !== 0xffffffff) attr.uid = uid;
  if (gid !== -1 && gid !== 0xffffffff) attr.gid = gid;
  // set-id bits go, root's too, and when neither id is given as well
  const kill = inode.is_dir ? 0 : killed_suid(inode, task.cred);
  if (kill !== 0) attr.mode = inode.i_mode & ~kill;
  notify_change(task, path, inode, attr);
}
function do_fchownat(task: Task, dfd: number, name: number, uid: number, gid: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const path = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0));
  chown_common(task, path, path.dentry.d_inode!, uid, gid);
  return 0;
}
/** fchownat(2) */
export const sys_fchownat = SYSCALL_DEFINE("fchownat", [DirFd, PathArg, UInt, UInt, Hex], do_fchownat);
/** chown(2) */
export const sys_chown = SYSCALL_DEFINE("chown", [PathArg, UInt, UInt], (task, name, uid, gid) => do_fchownat(task, AT_FDCWD, name, uid, gid, 0));
/** lchown(2) */
export const sys_lchown = SYSCALL_DEFINE("lchown", [PathArg, UInt, UInt], (task, name, uid, gid) => do_fchownat(task, AT_FDCWD, name, uid, gid, AT_SYMLINK_NOFOLLOW));
/** fchown(2) */
export const sys_fchown = SYSCALL_DEFINE("fchown", [Fd, UInt, UInt], (task, fd, uid, gid) => {
  const file = task.files!.fget(fd);
  const inode = file.f_inode;
  if (inode === undefined) throw EBADF;
  chown_common(task, file.f_path, inode, uid, gid);
  return 0;
});

/** umask(2) */
export const sys_umask = SYSCALL_DEFINE("umask", [Mode], (task, mask) => {
  const old = task.fs!.umask;
  task.fs!.umask = mask & 0o777;
  return old;
});

