// fs/ioctl.ts — ioctl: what every file answers, then the file's own.  cf. fs/ioctl.c
import { EBADF, EBADR, EFBIG, EINVAL, EISDIR, ENOTTY, EOPNOTSUPP, EPERM, EXDEV } from "../include/uapi/errno.ts";
import {
  FIEMAP_EXTENT_LAST, FS_APPEND_FL, FS_IMMUTABLE_FL, FS_NOATIME_FL, FS_NODUMP_FL, FS_SYNC_FL, O_NONBLOCK,
} from "../include/uapi/fcntl.ts";
import { FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD, FIOQSIZE } from "../include/uapi/ioctls.ts";
import { S_ISDIR, S_ISREG } from "../include/uapi/stat.ts";
import { CAP_LINUX_IMMUTABLE, CAP_SYS_RAWIO, capable } from "../kernel/cred.ts";
import { Fd, IoctlArg, IoctlCmd, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_write, get_user_s32, get_user_u32, get_user_u64, put_user_u32, put_user_u64 } from "../kernel/uaccess.ts";
import type { File, Inode } from "./fs.ts";
import { set_fasync } from "./fcntl.ts";
import { inode_owner_or_capable, mnt_want_write } from "./inode.ts";

const FIBMAP = 1;
const FIGETBSZ = 2;
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_GETVERSION = 0x80087601;
const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_IOC_FIEMAP = 0xc020660b;
const FICLONE = 0x40049409;
const FICLONERANGE = 0x4020940d;
const FIDEDUPERANGE = 0xc0189436;
/** largest file position */
const MAX_BYTES = 2 ** 63;
/** bits of struct fsxattr's fsx_xflags and FS_IOC_GETFLAGS' that mean the same */
const XFLAGS: readonly (readonly [number, number])[] = [[0x8, FS_IMMUTABLE_FL], [0x10, FS_APPEND_FL], [0x20, FS_SYNC_FL], [0x40, FS_NOATIME_FL], [0x80, FS_NODUMP_FL]];
const FSX_SIZE = 28;

function set_flags(task: Task, file: File, flags: number): void {
  const inode = file.f_inode!;
  if (file.f_path !== undefined) mnt_want_write(file.f_path.mnt);
  if (!inode_owner_or_capable(task.cred, inode)) throw EPERM;
  const old = inode.fileattr_get();
  if (((flags ^ old) & (FS_APPEND_FL | FS_IMMUTABLE_FL)) !== 0 && !capable(task, CAP_LINUX_IMMUTABLE)) throw EPERM;
  inode.fileattr_set(flags);
}

/** FS_IOC_FSGETXATTR: struct fsxattr. There are no extent sizes and no projects. */
function get_fsxattr(task: Task, inode: Inode, arg: number): void {
  const m = task.kernel.mem;
  const flags = inode.fileattr_get();
  check_write(m, arg, FSX_SIZE);
  m.u8.fill(0, arg, arg + FSX_SIZE);
  put_user_u32(m, arg, XFLAGS.reduce((x, [xflag, flag]) => ((flags & flag) !== 0 ? x | xflag : x), 0));
}
function set_fsxattr(task: Task, file: File, arg: number): void {
  const m = task.kernel.mem;
  const xflags = get_user_u32(m, arg);
  if (get_user_u32(m, arg + 4) !== 0 || get_user_u32(m, arg + 16) !== 0 || XFLAGS.reduce((x, [xflag]) => x & ~xflag, xflags) !== 0) throw EINVAL;
  if (get_user_u32(m, arg + 12) !== 0) throw EOPNOTSUPP;
  const old = file.f_inode!.fileattr_get();
  set_flags(task, file, XFLAGS.reduce((f, [xflag, flag]) => ((xflags & xflag) !== 0 ? f | flag : f & ~flag), old));
}

/** FS_IOC_FIEMAP: struct fiemap, 32 bytes, and room for extents of 56.  cf. ioctl_fiemap(), fiemap_prep() */
function ioctl_fiemap(task: Task, inode: Inode, arg: number): void {
  const m = task.kernel.mem;
  check_write(m, arg, 32);
  const start = get_user_u64(m, arg);
  let len = get_user_u64(m, arg + 8);
  const flags = get_user_u32(m, arg + 16);
  const max = get_user_u32(m, arg + 24);
  if (max > 0x7fffffff / 56) throw EINVAL;
  check_write(m, arg + 32, max * 56);
  if (len === 0) throw EINVAL;
  if (start >= MAX_BYTES) throw EFBIG;
  if (len > MAX_BYTES - start) len = MAX_BYTES - start;
  const unknown = flags & ~(FIEMAP_FLAG_SYNC | FIEMAP_FLAG_CACHE);
  if (unknown !== 0) {
    put_user_u32(m, arg + 16, unknown);
    throw EBADR;
  }
  let n = 0;
  inode.fiemap(start, start + len, (at, physical, bytes, what) => {
    if (max === 0) {
      n++;
      return true;
    }
    if (n === max) return false;
    const to = arg + 32 + 56 * n++;
    m.u8.fill(0, to, to + 56);
    put_user_u64(m, to, at);
    put_user_u64(m, to + 8, physical);
    put_user_u64(m, to + 16, bytes);
    put_user_u32(m, to + 40, what);
    return true;
  });
  // the last one is marked, unless there was no room to see whether it is
  if (n > 0 && n < max) put_user_u32(m, arg + 32 + 56 * (n - 1) + 40, get_user_u32(m, arg + 32 + 56 * (n - 1) + 40) | FIEMAP_EXTENT_LAST);
  put_user_u32(m, arg + 20, n);
}
const FIEMAP_FLAG_SYNC = 1;
const FIEMAP_FLAG_CACHE = 4;

/** No file system here shares blocks between files.  cf. vfs_clone_file_range() */
function ioctl_file_clone(file: File, from: File): never {
  const a = from.f_inode;
  const b = file.f_inode;
  if (a === undefined || b === undefined || a.i_sb !== b.i_sb) throw EXDEV;
  if (S_ISDIR(a.i_mode) || S_ISDIR(b.i_mode)) throw EISDIR;
  if (!S_ISREG(a.i_mode) || !S_ISREG(b.i_mode)) throw EINVAL;
  if (!from.readable || !file.writable) throw EBADF;
  throw EOPNOTSUPP;
}

/** ioctl(2) */
export const sys_ioctl = SYSCALL_DEFINE("ioctl", [Fd, IoctlCmd, IoctlArg], (task, fd, cmd, arg) => {
  const files = task.files!;
  const file = files.fget(fd);
  const m = task.kernel.mem;
  const inode = file.f_inode;
  switch (cmd) {
    case FIOCLEX:
      files.cloexec[fd] = 1;
      return 0;
    case FIONCLEX:
      files.cloexec[fd] = 0;
      return 0;
    case FIONBIO:
      if (get_user_s32(m, arg) !== 0) file.f_flags |= O_NONBLOCK;
      else file.f_flags &= ~O_NONBLOCK;
      return 0;
    case FIOASYNC: {
      if (!set_fasync(task, file, get_user_s32(m, arg) !== 0)) throw ENOTTY;
      return 0;
    }
    case FIONREAD:
      if (inode !== undefined && S_ISREG(inode.i_mode)) {
        put_user_u32(m, arg, inode.i_size - file.f_pos);
        return 0;
      }
      break;
    case FIOQSIZE:
      break;
    case FIGETBSZ:
      if (inode === undefined || file.f_path === undefined) throw EBADF;
      put_user_u32(m, arg, inode.i_sb.s_blocksize);
      return 0;
    case FIBMAP: {
      if (inode === undefined || !S_ISREG(inode.i_mode)) break;
      if (!capable(task, CAP_SYS_RAWIO)) throw EPERM;
      const block = get_user_s32(m, arg);
      if (block < 0) throw EINVAL;
      put_user_u32(m, arg, inode.bmap_block(block));
      return 0;
    }
    case FS_IOC_FIEMAP:
      if (inode === undefined) throw EOPNOTSUPP;
      ioctl_fiemap(task, inode, arg);
      return 0;
    case FS_IOC_FSGETXATTR:
      if (inode === undefined || !(S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode))) break;
      get_fsxattr(task, inode, arg);
      return 0;
    case FS_IOC_FSSETXATTR:
      if (inode === undefined || !(S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode))) break;
      set_fsxattr(task, file, arg);
      return 0;
    case FICLONE:
      return ioctl_file_clone(file, files.fget(arg | 0));
    case FICLONERANGE:
      return ioctl_file_clone(file, files.fget(get_user_s32(m, arg)));
    case FIDEDUPERANGE:
      if (inode === undefined || !S_ISREG(inode.i_mode)) break;
      throw EOPNOTSUPP;
    case FS_IOC_GETFLAGS:
      if (inode === undefined || !(S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode))) break;
      put_user_u32(m, arg, inode.fileattr_get());
      return 0;
    case FS_IOC_SETFLAGS:
      if (inode === undefined || !(S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode))) break;
      set_flags(task, file, get_user_u32(m, arg));
      return 0;
    case FS_IOC_GETVERSION:
      if (inode === undefined || !(S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode))) break;
      put_user_u32(m, arg, inode.i_generation);
      return 0;
  }
  return file.f_op.ioctl(file, task, cmd, arg);
});

