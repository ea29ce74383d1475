// fs/ioctl.ts — ioctl: what every file answers, then the file's own.  cf. fs/ioctl.c
import { EBADF, EPERM } from "../include/uapi/errno.ts";
import { FASYNC, FS_APPEND_FL, FS_IMMUTABLE_FL, O_NONBLOCK } from "../include/uapi/fcntl.ts";
import { S_ISDIR, S_ISREG } from "../include/uapi/stat.ts";
import { CAP_LINUX_IMMUTABLE, capable } from "../kernel/cred.ts";
import { Fd, Hex, SYSCALL_DEFINE, ULong } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { get_user_s32, get_user_u32, put_user_u32 } from "../kernel/uaccess.ts";
import type { File } from "./fs.ts";
import { inode_owner_or_capable, mnt_want_write } from "./inode.ts";

const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIOASYNC = 0x5452;
const FIOQSIZE = 0x5460;
const FIBMAP = 1;
const FIGETBSZ = 2;
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IOC_GETVERSION = 0x80087601;

function set_flags(task: Task, file: File, flags: number): void {
  const inode = file.f_inode!;
  if (file.f_path !== undefined) mnt_want_write(file.f_path.mnt);
  if (!inode_owner_or_capable(task.cred, inode)) throw EPERM;
  const old = inode.fileattr_get();
  if (((flags ^ old) & (FS_APPEND_FL | FS_IMMUTABLE_FL)) !== 0 && !capable(task, CAP_LINUX_IMMUTABLE)) throw EPERM;
  inode.fileattr_set(flags);
}

/** ioctl(2) */
export const sys_ioctl = SYSCALL_DEFINE("ioctl", [Fd, Hex, ULong], (task, fd, cmd, arg) => {
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
      const on = get_user_s32(m, arg) !== 0;
      if (on !== ((file.f_flags & FASYNC) !== 0)) file.fasync(task, on);
      file.f_flags = on ? file.f_flags | FASYNC : file.f_flags & ~FASYNC;
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
    case FIBMAP:
      break;
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
  return file.ioctl(task, cmd, arg);
});

