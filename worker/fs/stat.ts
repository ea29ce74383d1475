// fs/stat.ts — stat, statx, readlink.  cf. fs/stat.c
import { EBADF, EINVAL, ENOENT } from "../include/uapi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW } from "../include/uapi/fcntl.ts";
import {
  MAJOR, MINOR, STATX_ATTR_APPEND, STATX_ATTR_IMMUTABLE, STATX_ATTR_MOUNT_ROOT, STATX_ATTR_NODUMP, STATX_BASIC_STATS, STATX_BTIME, STATX_MNT_ID, STATX__RESERVED,
  S_ISBLK, S_ISCHR, S_ISLNK, new_encode_dev,
} from "../include/uapi/stat.ts";
import { DirFd, Fd, Hex, Int, OutBuf, Path as PathArg, Ptr, StatBuf, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_write, get_user_u8, type Memory } from "../kernel/uaccess.ts";
import type { Inode, Mount, Timespec64 } from "./fs.ts";
import { S_APPEND, S_IMMUTABLE, touch_atime } from "./inode.ts";
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, user_path_at } from "./namei.ts";

function put64(m: Memory, addr: number, v: number): void {
  m.view.setUint32(addr, v, true);
  m.view.setInt32(addr + 4, v >= 0 && v < 0x100000000 ? 0 : Math.floor(v / 0x100000000), true);
}
/** Words 2w and 2w+1 of struct stat. */
function word64(out: Uint32Array, at: number, v: number): void {
  out[at] = v;
  out[at + 1] = v >= 0 && v < 0x100000000 ? 0 : Math.floor(v / 0x100000000);
}
function time64(out: Uint32Array, at: number, t: Timespec64): void {
  word64(out, at, t.sec);
  out[at + 2] = t.nsec;
  out[at + 3] = 0;
}

/** struct stat of x86-64, 144 bytes, in words at `at` of `out`. */
function fill_stat(out: Uint32Array, at: number, inode: Inode): void {
  word64(out, at, new_encode_dev(inode.i_sb.s_dev));
  word64(out, at + 2, inode.i_ino);
  word64(out, at + 4, inode.i_nlink);
  out[at + 6] = inode.i_mode;
  out[at + 7] = inode.i_uid;
  out[at + 8] = inode.i_gid;
  out[at + 9] = 0;
  word64(out, at + 10, S_ISCHR(inode.i_mode) || S_ISBLK(inode.i_mode) ? new_encode_dev(inode.i_rdev) : 0);
  word64(out, at + 12, inode.i_size);
  word64(out, at + 14, inode.blksize);
  word64(out, at + 16, inode.i_blocks);
  time64(out, at + 18, inode.i_atime);
  time64(out, at + 22, inode.i_mtime);
  time64(out, at + 26, inode.i_ctime);
  for (let i = 30; i < 36; i++) out[at + i] = 0;
}

/** struct stat to user memory. Throws EFAULT.  cf. cp_new_stat() */
export function cp_new_stat(m: Memory, addr: number, inode: Inode): number {
  check_write(m, addr, 144);
  inode.getattr();
  if ((addr & 3) === 0) fill_stat(m.u32, addr >>> 2, inode);
  else {
    const words = new Uint32Array(36);
    fill_stat(words, 0, inode);
    m.u8.set(new Uint8Array(words.buffer), addr);
  }
  return 0;
}

/** stat(2) */
export const sys_stat = SYSCALL_DEFINE("stat", [PathArg, StatBuf], (task, name, buf) =>
  cp_new_stat(task.kernel.mem, buf, user_path_at(task, AT_FDCWD, name, LOOKUP_FOLLOW).dentry.d_inode!),
);
/** lstat(2) */
export const sys_lstat = SYSCALL_DEFINE("lstat", [PathArg, StatBuf], (task, name, buf) => cp_new_stat(task.kernel.mem, buf, user_path_at(task, AT_FDCWD, name, 0).dentry.d_inode!));
/** fstat(2) */
export const sys_fstat = SYSCALL_DEFINE("fstat", [Fd, StatBuf], (task, fd, buf) => {
  const inode = task.files!.fget_raw(fd).f_inode;
  if (inode === undefined) throw EBADF;
  return cp_new_stat(task.kernel.mem, buf, inode);
});

/** What statx, newfstatat look at: the path, or the file itself for an empty one. */
function lookup_stat(task: Task, dfd: number, name: number, flags: number): { inode: Inode; mnt: Mount | undefined; root: boolean } {
  if ((flags & AT_EMPTY_PATH) !== 0 && dfd !== AT_FDCWD && (name === 0 || get_user_u8(task.kernel.mem, name) === 0)) {
    const file = task.files!.fget_raw(dfd);
    if (file.f_inode === undefined) throw EBADF;
    return { inode: file.f_inode, mnt: file.f_path?.mnt, root: file.f_path !== undefined && file.f_path.dentry === file.f_path.mnt.mnt_root };
  }
  const nd = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0));
  return { inode: nd.dentry.d_inode!, mnt: nd.mnt, root: nd.dentry === nd.mnt.mnt_root };
}

/** newfstatat(2) */
export const sys_newfstatat = SYSCALL_DEFINE("newfstatat", [DirFd, PathArg, StatBuf, Hex], (task, dfd, name, buf, flags) => {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) !== 0) throw EINVAL;
  return cp_new_stat(task.kernel.mem, buf, lookup_stat(task, dfd, name, flags).inode);
});

function put_statx_time(m: Memory, addr: number, t: Timespec64): void {
  put64(m, addr, t.sec);
  m.view.setUint32(addr + 8, t.nsec, true);
  m.view.setUint32(addr + 12, 0, true);
}

/** statx(2) */
export const sys_statx = SYSCALL_DEFINE("statx", [DirFd, PathArg, Hex, Hex, Ptr], (task, dfd, name, flags, mask, buf) => {
  if (mask >= STATX__RESERVED && ((mask / STATX__RESERVED) & 1) !== 0) throw EINVAL;
  if ((flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE) throw EINVAL;
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE)) !== 0) throw EINVAL;
  const { inode, mnt, root } = lookup_stat(task, dfd, name, flags);
  const m = task.kernel.mem;
  check_write(m, buf, 256);
  inode.getattr();
  const { view } = m;
  m.u8.fill(0, buf, buf + 256);
  let attributes = root ? STATX_ATTR_MOUNT_ROOT : 0;
  if ((inode.i_flags & S_APPEND) !== 0) attributes |= STATX_ATTR_APPEND;
  if ((inode.i_flags & S_IMMUTABLE) !== 0) attributes |= STATX_ATTR_IMMUTABLE;
  const btime = inode.i_btime !== undefined && (mask & STATX_BTIME) !== 0;
  view.setUint32(buf, STATX_BASIC_STATS | STATX_MNT_ID | (btime ? STATX_BTIME : 0), true);
  view.setUint32(buf + 4, inode.blksize, true);
  put64(m, buf + 8, attributes);
  view.setUint32(buf + 16, inode.i_nlink, true);
  view.setUint32(buf + 20, inode.i_uid, true);
  view.setUint32(buf + 24, inode.i_gid, true);
  view.setUint16(buf + 28, inode.i_mode, true);
  put64(m, buf + 32, inode.i_ino);
  put64(m, buf + 40, inode.i_size);
  put64(m, buf + 48, inode.i_blocks);
  put64(m, buf + 56, STATX_ATTR_MOUNT_ROOT | STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP);
  put_statx_time(m, buf + 64, inode.i_atime);
  if (btime) put_statx_time(m, buf + 80, inode.i_btime!);
  put_statx_time(m, buf + 96, inode.i_ctime);
  put_statx_time(m, buf + 112, inode.i_mtime);
  if (S_ISCHR(inode.i_mode) || S_ISBLK(inode.i_mode)) {
    view.setUint32(buf + 128, MAJOR(inode.i_rdev), true);
    view.setUint32(buf + 132, MINOR(inode.i_rdev), true);
  }
  view.setUint32(buf + 136, MAJOR(inode.i_sb.s_dev), true);
  view.setUint32(buf + 140, MINOR(inode.i_sb.s_dev), true);
  put64(m, buf + 144, mnt?.mnt_id ?? 0);
  return 0;
});

function do_readlinkat(task: Task, dfd: number, name: number, buf: number, size: number): number {
  if (size <= 0) throw EINVAL;
  const m = task.kernel.mem;
  const empty = get_user_u8(m, name) === 0;
  const { mnt, dentry } = user_path_at(task, dfd, name, LOOKUP_EMPTY);
  const inode = dentry.d_inode!;
  if (!S_ISLNK(inode.i_mode)) throw empty ? ENOENT : EINVAL;
  touch_atime(mnt, inode);
  const text = inode.readlink(task);
  const n = Math.min(size, text.length);
  check_write(m, buf, n);
  for (let i = 0; i < n; i++) m.u8[buf + i] = text.charCodeAt(i);
  return n;
}
/** readlink(2) */
export const sys_readlink = SYSCALL_DEFINE("readlink", [PathArg, OutBuf, Int], (task, name, buf, size) => do_readlinkat(task, AT_FDCWD, name, buf, size));
/** readlinkat(2) */
export const sys_readlinkat = SYSCALL_DEFINE("readlinkat", [DirFd, PathArg, OutBuf, Int], do_readlinkat);

