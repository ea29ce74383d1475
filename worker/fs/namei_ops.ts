// fs/namei_ops.ts — making, removing, linking and renaming names.  cf. fs/namei.c do_mkdirat() and below
import {
  EACCES, EBUSY, EEXIST, EINVAL, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EXDEV, EMLINK,
} from "../include/uapi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from "../include/uapi/fcntl.ts";
import {
  S_IALLUGO, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_IRWXUGO, S_ISDIR, S_ISREG, S_ISUID, S_ISVTX, new_decode_dev,
} from "../include/uapi/stat.ts";
import { CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_MKNOD, capable } from "../kernel/cred.ts";
import { DirFd, Hex, Mode, Path as PathArg, SYSCALL_DEFINE, UInt, Str } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { d_add, d_delete, d_exchange, d_move, is_subdir } from "./dcache.ts";
import type { Dentry, Inode, Mount } from "./fs.ts";
import { MAY_EXEC, MAY_READ, MAY_WRITE, S_APPEND, S_IMMUTABLE, inode_owner_or_capable, inode_permission, mnt_want_write } from "./inode.ts";
import {
  LAST_DOT, LAST_DOTDOT, LAST_NORM, LAST_ROOT, LOOKUP_EMPTY, LOOKUP_FOLLOW, filename_parentat, lookup_one, filename_lookup,
} from "./namei.ts";
import type { Filename } from "./names.ts";
import { owner_for } from "./open.ts";

/** the most a file system lets a file be linked, where it does not say less itself */
const LINK_MAX = 65000;

/** A name to be made: its directory, the negative dentry. */
export interface NewName {
  mnt: Mount;
  parent: Dentry;
  dentry: Dentry;
}

function may_create(task: Task, mnt: Mount, parent: Dentry): void {
  mnt_want_write(mnt);
  if (parent.d_unhashed) throw ENOENT;
  inode_permission(task, parent.d_inode!, MAY_WRITE | MAY_EXEC);
}

/** Walks to a name that must not exist. `dir`: a directory will be made, so a trailing slash is fine.  cf. filename_create() */
export function filename_create(task: Task, dfd: number, name: Filename, dir = false): NewName {
  const nd = filename_parentat(task, dfd, name);
  if (nd.last_type !== LAST_NORM) throw EEXIST;
  const parent = nd.dentry;
  const dentry = lookup_one(task, parent, nd.last);
  if (dentry.d_inode !== undefined) throw EEXIST;
  if (nd.trailing && !dir) throw ENOENT;
  return { mnt: nd.mnt, parent, dentry };
}

const user_name = (task: Task, addr: number, empty = false): Filename => task.kernel.vfs.names.getname(task.kernel.mem, addr, empty);

/** Throws EEXIST.  cf. do_mkdirat(), init_mkdir() */
export function mkdir_at(task: Task, dfd: number, name: Filename, mode: number): number {
  const at = filename_create(task, dfd, name, true);
  may_create(task, at.mnt, at.parent);
  const dir = at.parent.d_inode!;
  const { mode: m, owner } = owner_for(task, dir, S_IFDIR | (mode & (S_IRWXUGO | S_ISVTX)));
  at.dentry.d_inode = dir.mkdir(at.dentry.d_name, m, owner);
  task.kernel.vfs.fsnotify.create(dir, at.dentry.d_name, true);
  return 0;
}
const do_mkdirat = (task: Task, dfd: number, addr: number, mode: number): number => mkdir_at(task, dfd, user_name(task, addr), mode);
/** mkdir(2) */
export const sys_mkdir = SYSCALL_DEFINE("mkdir", [PathArg, Mode], (task, name, mode) => do_mkdirat(task, AT_FDCWD, name, mode));
/** mkdirat(2) */
export const sys_mkdirat = SYSCALL_DEFINE("mkdirat", [DirFd, PathArg, Mode], do_mkdirat);

/** Makes a node at a new name, with what the umask leaves of `mode`: what bind(2) of a unix socket does, too.  cf. vfs_mknod() */
export function vfs_mknod(task: Task, at: NewName, mode: number, rdev: number): Inode {
  may_create(task, at.mnt, at.parent);
  const type = mode & S_IFMT;
  // a whiteout, 0:0, is anybody's
  if ((type === S_IFBLK || (type === S_IFCHR && rdev !== 0)) && !capable(task, CAP_MKNOD)) throw EPERM;
  const dir = at.parent.d_inode!;
  const { mode: m, owner } = owner_for(task, dir, mode);
  const name = at.dentry.d_name;
  const inode = type === S_IFREG ? dir.create(name, m, owner) : dir.mknod(name, m, rdev, owner);
  at.dentry.d_inode = inode;
  task.kernel.vfs.fsnotify.create(dir, name, false);
  return inode;
}
function do_mknodat(task: Task, dfd: number, addr: number, mode: number, dev: number): number {
  let type = mode & S_IFMT;
  if (type === 0) type = S_IFREG;
  if (type === S_IFDIR) throw EPERM;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type)) throw EINVAL;
  const at = filename_create(task, dfd, user_name(task, addr));
  const device = type === S_IFCHR || type === S_IFBLK;
  vfs_mknod(task, at, type | (mode & S_IALLUGO), device ? new_decode_dev(dev) : 0);
  return 0;
}
/** mknod(2) */
export const sys_mknod = SYSCALL_DEFINE("mknod", [PathArg, Mode, UInt], (task, name, mode, dev) => do_mknodat(task, AT_FDCWD, name, mode, dev));
/** mknodat(2) */
export const sys_mknodat = SYSCALL_DEFINE("mknodat", [DirFd, PathArg, Mode, UInt], do_mknodat);

function do_symlinkat(task: Task, oldname: number, dfd: number, newname: number): number {
  const target = user_name(task, oldname);
  const at = filename_create(task, dfd, user_name(task, newname));
  may_create(task, at.mnt, at.parent);
  const dir = at.parent.d_inode!;
  const { owner } = owner_for(task, dir, S_IFLNK | 0o777);
  at.dentry.d_inode = dir.symlink(at.dentry.d_name, target.name, owner);
  task.kernel.vfs.fsnotify.create(dir, at.dentry.d_name, false);
  return 0;
}
/** symlink(2) */
export const sys_symlink = SYSCALL_DEFINE("symlink", [Str, PathArg], (task, oldname, newname) => do_symlinkat(task, oldname, AT_FDCWD, newname));
/** symlinkat(2) */
export const sys_symlinkat = SYSCALL_DEFINE("symlinkat", [Str, DirFd, PathArg], do_symlinkat);

/** What others made is linked only by who may read and write it.  cf. may_linkat(), safe_hardlink_source() */
function may_linkat(task: Task, inode: Inode): void {
  if (task.kernel.vfs.protected_hardlinks === 0 || inode_owner_or_capable(task.cred, inode)) return;
  const mode = inode.i_mode;
  if (!S_ISREG(mode) || (mode & S_ISUID) !== 0 || (mode & 0o2010) === 0o2010) throw EPERM;
  try {
    inode_permission(task, inode, MAY_READ | MAY_WRITE);
  } catch (e) {
    throw e === EACCES ? EPERM : e;
  }
}

function do_linkat(task: Task, olddfd: number, oldname: number, newdfd: number, newname: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const empty = (flags & AT_EMPTY_PATH) !== 0;
  const name = user_name(task, oldname, empty);
  // LOOKUP_LINKAT_EMPTY: the descriptor must have been opened by who links, as he is now
  if (empty && olddfd !== AT_FDCWD && !name.absolute && task.files!.fget_raw(olddfd).f_cred !== task.cred && !capable(task, CAP_DAC_READ_SEARCH)) throw ENOENT;
  const old = filename_lookup(task, olddfd, name, ((flags & AT_SYMLINK_FOLLOW) !== 0 ? LOOKUP_FOLLOW : 0) | (empty ? LOOKUP_EMPTY : 0)).path();
  const at = filename_create(task, newdfd, user_name(task, newname));
  if (old.mnt !== at.mnt) throw EXDEV;
  const inode = old.dentry.d_inode!;
  may_linkat(task, inode);
  may_create(task, at.mnt, at.parent);
  if (at.parent.d_sb !== old.dentry.d_sb) throw EXDEV;
  if ((inode.i_flags & (S_APPEND | S_IMMUTABLE)) !== 0) throw EPERM;
  if (S_ISDIR(inode.i_mode)) throw EPERM;
  if (inode.i_nlink === 0 && !old.dentry.d_tmpfile) throw ENOENT;
  if (inode.i_nlink >= LINK_MAX) throw EMLINK;
  const dir = at.parent.d_inode!;
  dir.link(at.dentry.d_name, inode);
  at.dentry.d_inode = inode;
  task.kernel.vfs.fsnotify.link(dir, at.dentry.d_name, inode);
  return 0;
}
/** link(2) */
export const sys_link = SYSCALL_DEFINE("link", [PathArg, PathArg], (task, oldname, newname) => do_linkat(task, AT_FDCWD, oldname, AT_FDCWD, newname, 0));
/** linkat(2) */
export const sys_linkat = SYSCALL_DEFINE("linkat", [DirFd, PathArg, DirFd, PathArg, Hex], do_linkat);

/** In a sticky directory only the owners of directory and file may remove.  cf. check_sticky() */
function check_sticky(task: Task, dir: Inode, inode: Inode): boolean {
  if ((dir.i_mode & S_ISVTX) === 0) return false;
  const { cred } = task;
  return cred.fsuid !== inode.i_uid && cred.fsuid !== dir.i_uid && !cred.cap_effective.has(CAP_FOWNER);
}

/** cf. may_delete() */
function may_delete(task: Task, dir: Inode, victim: Inode, isdir: boolean): void {
  inode_permission(task, dir, MAY_WRITE | MAY_EXEC);
  if ((dir.i_flags & S_APPEND) !== 0) throw EPERM;
  if (check_sticky(task, dir, victim) || (victim.i_flags & (S_APPEND | S_IMMUTABLE)) !== 0) throw EPERM;
  if (isdir) {
    if (!victim.is_dir) throw ENOTDIR;
  } else if (victim.is_dir) throw EISDIR;
}

/** After a name went: frees the inode when it was the last and nobody has it open. */
function removed(task: Task, dir: Inode, dentry: Dentry, inode: Inode): void {
  const { fsnotify } = task.kernel.vfs;
  fsnotify.link_count(inode);
  const isdir = inode.is_dir;
  const used = dentry.d_count > 0;
  d_delete(task.kernel.vfs, dentry);
  if (inode.i_nlink === 0) {
    fsnotify.inode_gone(inode, !used && inode.i_count === 0);
    if (inode.i_count === 0) inode.evict();
  }
  fsnotify.delete(dir, dentry.d_name, isdir);
}

export function do_unlinkat(task: Task, dfd: number, name: Filename): void {
  const nd = filename_parentat(task, dfd, name);
  if (nd.last_type !== LAST_NORM) throw EISDIR;
  const { mnt } = nd;
  const parent = nd.dentry;
  const dentry = lookup_one(task, parent, nd.last);
  const inode = dentry.d_inode;
  if (inode === undefined) throw ENOENT;
  if (nd.trailing) throw inode.is_dir ? EISDIR : ENOTDIR;
  mnt_want_write(mnt);
  const dir = parent.d_inode!;
  may_delete(task, dir, inode, false);
  if (dentry.d_mounted > 0) throw EBUSY;
  dir.unlink(dentry.d_name, inode);
  removed(task, dir, dentry, inode);
}

function do_rmdirat(task: Task, dfd: number, name: Filename): void {
  const nd = filename_parentat(task, dfd, name);
  if (nd.last_type === LAST_DOTDOT) throw ENOTEMPTY;
  if (nd.last_type === LAST_DOT) throw EINVAL;
  if (nd.last_type === LAST_ROOT) throw EBUSY;
  const { mnt } = nd;
  const parent = nd.dentry;
  const dentry = lookup_one(task, parent, nd.last);
  const inode = dentry.d_inode;
  if (inode === undefined) throw ENOENT;
  mnt_want_write(mnt);
  const dir = parent.d_inode!;
  may_delete(task, dir, inode, true);
  if (dentry.d_mounted > 0) throw EBUSY;
  dir.rmdir(dentry.d_name, inode);
  removed(task, dir, dentry, inode);
}
/** unlink(2) */
export const sys_unlink = SYSCALL_DEFINE("unlink", [PathArg], (task, name) => {
  do_unlinkat(task, AT_FDCWD, user_name(task, name));
  return 0;
});
/** rmdir(2) */
export const sys_rmdir = SYSCALL_DEFINE("rmdir", [PathArg], (task, name) => {
  do_rmdirat(task, AT_FDCWD, user_name(task, name));
  return 0;
});
/** unlinkat(2) */
export const sys_unlinkat = SYSCALL_DEFINE("unlinkat", [DirFd, PathArg, Hex], (task, dfd, name, flag) => {
  if ((flag & ~AT_REMOVEDIR) !== 0) throw EINVAL;
  if ((flag & AT_REMOVEDIR) !== 0) do_rmdirat(task, dfd, user_name(task, name));
  else do_unlinkat(task, dfd, user_name(task, name));
  return 0;
});

/** Is some mount of the same file system seen through a dentry at or below `dentry`? Then it can't be moved away from under it. */
const is_mountpoint = (dentry: Dentry): boolean => dentry.d_mounted > 0;

function do_renameat2(task: Task, olddfd: number, from: number, newdfd: number, to: number, flags: number): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) throw EINVAL;
  if ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0 && (flags & RENAME_EXCHANGE) !== 0) throw EINVAL;
  const { vfs } = task.kernel;
  let nd = filename_parentat(task, olddfd, user_name(task, from));
  const { mnt, dentry: old_dir, last: old_last, last_type: old_type, trailing: old_trailing } = nd;
  nd = filename_parentat(task, newdfd, user_name(task, to));
  const new_dir = nd.dentry;
  const { last: new_last, last_type: new_type, trailing: new_trailing } = nd;
  if (nd.mnt !== mnt) throw EXDEV;
  if (old_type !== LAST_NORM) throw EBUSY;
  if (new_type !== LAST_NORM) throw (flags & RENAME_NOREPLACE) !== 0 ? EEXIST : EBUSY;
  mnt_want_write(mnt);
  const old = lookup_one(task, old_dir, old_last);
  const inode = old.d_inode;
  if (inode === undefined) throw ENOENT;
  const next = lookup_one(task, new_dir, new_last);
  const victim = next.d_inode;
  if ((flags & RENAME_NOREPLACE) !== 0 && victim !== undefined) throw EEXIST;
  if ((flags & RENAME_EXCHANGE) !== 0) {
    if (victim === undefined) throw ENOENT;
    if (new_trailing && !victim.is_dir) throw ENOTDIR;
  }
  if (!inode.is_dir) {
    if (old_trailing) throw ENOTDIR;
    if ((flags & RENAME_EXCHANGE) === 0 && new_trailing) throw ENOTDIR;
  }
  // a directory can't go into itself, nor be replaced by something inside it
  if (is_subdir(new_dir, old)) throw EINVAL;
  if (is_subdir(old_dir, next)) throw (flags & RENAME_EXCHANGE) !== 0 ? EINVAL : ENOTEMPTY;
  const od = old_dir.d_inode!;
  const ndir = new_dir.d_inode!;
  if (inode === victim) return 0;
  may_delete(task, od, inode, inode.is_dir);
  if (victim === undefined) {
    if (new_dir.d_unhashed) throw ENOENT;
    inode_permission(task, ndir, MAY_WRITE | MAY_EXEC);
  } else if ((flags & RENAME_EXCHANGE) !== 0) may_delete(task, ndir, victim, victim.is_dir);
  else may_delete(task, ndir, victim, inode.is_dir);
  if (od !== ndir) {
    // ".." of a moved directory changes
    if (inode.is_dir) inode_permission(task, inode, MAY_WRITE);
    if ((flags & RENAME_EXCHANGE) !== 0 && victim!.is_dir) inode_permission(task, victim!, MAY_WRITE);
  }
  if (is_mountpoint(old) || is_mountpoint(next)) throw EBUSY;
  if (new_last.length > 255) throw ENAMETOOLONG;
  od.rename(old_last, inode, ndir, new_last, victim, flags);
  if ((flags & RENAME_EXCHANGE) !== 0) {
    d_exchange(old, next);
    vfs.fsnotify.move(od, old_last, ndir, new_last, inode);
    vfs.fsnotify.move(ndir, new_last, od, old_last, victim!);
    return 0;
  }
  const used = next.d_count > 0;
  d_move(vfs, old, next);
  if ((flags & RENAME_WHITEOUT) !== 0) d_add(vfs, old_dir, old_last, od.lookup(old_last));
  vfs.fsnotify.move(od, old_last, ndir, new_last, inode, victim);
  if (victim !== undefined && victim.i_nlink === 0) {
    vfs.fsnotify.inode_gone(victim, !used && victim.i_count === 0);
    if (victim.i_count === 0) victim.evict();
  }
  return 0;
}
/** rename(2) */
export const sys_rename = SYSCALL_DEFINE("rename", [PathArg, PathArg], (task, from, to) => do_renameat2(task, AT_FDCWD, from, AT_FDCWD, to, 0));
/** renameat(2) */
export const sys_renameat = SYSCALL_DEFINE("renameat", [DirFd, PathArg, DirFd, PathArg], (task, olddfd, from, newdfd, to) => do_renameat2(task, olddfd, from, newdfd, to, 0));
/** renameat2(2) */
export const sys_renameat2 = SYSCALL_DEFINE("renameat2", [DirFd, PathArg, DirFd, PathArg, Hex], do_renameat2);

