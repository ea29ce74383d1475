// fs/fcntl.ts — fcntl and dup.  cf. fs/fcntl.c, fs/file.c
import { EBADF, EINVAL, EPERM, ESRCH } from "../include/uapi/errno.ts";
import {
  FASYNC, FD_CLOEXEC, F_ADD_SEALS, F_DUPFD, F_DUPFD_CLOEXEC, F_DUPFD_QUERY, F_GETFD, F_GETFL, F_GETLEASE, F_GETLK, F_GETOWN, F_GETOWN_EX, F_GETPIPE_SZ, F_GETSIG,
  F_GET_SEALS, F_NOTIFY, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_SETFD, F_SETFL, F_SETLEASE, F_SETLK, F_SETLKW, F_SETOWN, F_SETOWN_EX, F_SETPIPE_SZ, F_SETSIG,
  O_APPEND, O_CLOEXEC, O_DIRECT, O_NOATIME, O_NONBLOCK, O_PATH,
} from "../include/uapi/fcntl.ts";
import { S_ISFIFO } from "../include/uapi/stat.ts";
import { RLIMIT_NOFILE } from "../kernel/signal_types.ts";
import { Fd, Hex, Int, SYSCALL_DEFINE, Long } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { get_user_s32, put_user_u32, check_write } from "../kernel/uaccess.ts";
import { FMODE_CAN_ODIRECT, type File } from "./fs.ts";
import { fcntl_getlease, fcntl_setlease } from "./leases.ts";
import { S_APPEND, inode_owner_or_capable } from "./inode.ts";
import { fcntl_getlk, fcntl_setlk } from "./locks.ts";
import { PipeEnd } from "./pipe.ts";

const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

const F_OWNER_TID = 0;
const F_OWNER_PID = 1;
const F_OWNER_PGRP = 2;

function dupfd(task: Task, file: File, from: number, cloexec: boolean): number {
  if (from < 0 || from >= task.signal.rlim[RLIMIT_NOFILE]!.cur) throw EINVAL;
  const fd = task.files!.alloc_fd(task, file, cloexec, from);
  file.f_count++;
  return fd;
}

/** O_ASYNC on or off.  @returns whether the file has it at all */
export function set_fasync(task: Task, file: File, on: boolean): boolean {
  if (on === ((file.f_flags & FASYNC) !== 0)) return true;
  if (!file.f_op.has_fasync) return false;
  file.f_op.fasync(file, task, on);
  file.f_flags = on ? file.f_flags | FASYNC : file.f_flags & ~FASYNC;
  return true;
}

function setfl(task: Task, file: File, arg: number): void {
  const inode = file.f_inode;
  if (((arg ^ file.f_flags) & O_APPEND) !== 0 && inode !== undefined && (inode.i_flags & S_APPEND) !== 0) throw EPERM;
  if ((arg & O_NOATIME) !== 0 && (file.f_flags & O_NOATIME) === 0 && inode !== undefined && !inode_owner_or_capable(task.cred, inode)) throw EPERM;
  // of a pipe it makes packets
  if ((arg & O_DIRECT) !== 0 && (inode === undefined || !S_ISFIFO(inode.i_mode)) && (file.f_mode & FMODE_CAN_ODIRECT) === 0) throw EINVAL;
  set_fasync(task, file, (arg & FASYNC) !== 0);
  file.f_flags = (file.f_flags & ~SETFL_MASK) | (arg & SETFL_MASK);
}

function f_setown(task: Task, file: File, who: number): void {
  if (who === -2147483648) throw EINVAL;
  const { tasks } = task.kernel;
  if (who > 0 && !tasks.has(who)) throw ESRCH;
  if (who < 0 && ![...tasks.values()].some((t) => t.signal.pgrp === -who)) throw ESRCH;
  file.f_owner = who;
}

function owner_ex(task: Task, file: File, addr: number, set: boolean): number {
  const m = task.kernel.mem;
  if (!set) {
    put_user_u32(m, addr, file.f_owner < 0 ? F_OWNER_PGRP : file.f_owner_tid ? F_OWNER_TID : F_OWNER_PID);
    put_user_u32(m, addr + 4, Math.abs(file.f_owner));
    return 0;
  }
  const type = get_user_s32(m, addr);
  const pid = get_user_s32(m, addr + 4);
  if (type < F_OWNER_TID || type > F_OWNER_PGRP) throw EINVAL;
  f_setown(task, file, type === F_OWNER_PGRP ? -pid : pid);
  file.f_owner_tid = type === F_OWNER_TID;
  return 0;
}

function do_fcntl(task: Task, fd: number, cmd: number, arg: number): number {
  const files = task.files!;
  const file = files.fget_raw(fd);
  const int = arg | 0;
  if ((file.f_flags & O_PATH) !== 0 && ![F_DUPFD, F_DUPFD_CLOEXEC, F_DUPFD_QUERY, F_GETFD, F_SETFD, F_GETFL].includes(cmd)) throw EBADF;
  switch (cmd) {
    case F_DUPFD:
      return dupfd(task, file, int, false);
    case F_DUPFD_CLOEXEC:
      return dupfd(task, file, int, true);
    case F_DUPFD_QUERY:
      return files.peek(int) === file ? 1 : 0;
    case F_GETFD:
      return files.cloexec[fd]! === 1 ? FD_CLOEXEC : 0;
    case F_SETFD:
      files.cloexec[fd] = int & FD_CLOEXEC;
      return 0;
    case F_GETFL:
      return file.f_flags;
    case F_SETFL:
      setfl(task, file, int);
      if ((int & FASYNC) !== 0) file.f_fasync_fd = fd;
      return 0;
    case F_GETLK:
    case F_OFD_GETLK:
      return fcntl_getlk(task, file, cmd, arg);
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return fcntl_setlk(task, file, cmd, arg);
    case F_GETOWN:
      return file.f_owner;
    case F_SETOWN:
      f_setown(task, file, int);
      file.f_owner_tid = false;
      return 0;
    case F_GETOWN_EX:
      check_write(task.kernel.mem, arg, 8);
      return owner_ex(task, file, arg, false);
    case F_SETOWN_EX:
      return owner_ex(task, file, arg, true);
    case F_GETSIG:
      return file.f_owner_sig;
    case F_SETSIG:
      if (int < 0 || int > 64) throw EINVAL;
      file.f_owner_sig = int;
      return 0;
    case F_GETPIPE_SZ:
      if (!(file.f_op instanceof PipeEnd)) throw EBADF;
      return file.f_op.pipe.limit;
    case F_SETPIPE_SZ:
      if (!(file.f_op instanceof PipeEnd)) throw EBADF;
      return file.f_op.set_pipe_size(task, arg >>> 0);
    case F_GETLEASE:
      return fcntl_getlease(task, file);
    case F_SETLEASE:
      file.f_fasync_fd = fd;
      return fcntl_setlease(task, file, int);
    // no dnotify, no memfd to seal
    case F_NOTIFY:
    case F_ADD_SEALS:
    case F_GET_SEALS:
    default:
      throw EINVAL;
  }
}
/** fcntl(2) */
export const sys_fcntl = SYSCALL_DEFINE("fcntl", [Fd, Int, Long], do_fcntl);

/** dup(2) */
export const sys_dup = SYSCALL_DEFINE("dup", [Fd], (task, fd) => {
  const file = task.files!.fget_raw(fd);
  const copy = task.files!.alloc_fd(task, file);
  file.f_count++;
  return copy;
});
/** dup2(2) */
export const sys_dup2 = SYSCALL_DEFINE("dup2", [Fd, Fd], (task, oldfd, newfd) => {
  const file = task.files!.fget_raw(oldfd);
  if (oldfd !== newfd) task.files!.replace(task, newfd, file, false);
  return newfd;
});
/** dup3(2) */
export const sys_dup3 = SYSCALL_DEFINE("dup3", [Fd, Fd, Hex], (task, oldfd, newfd, flags) => {
  if ((flags & ~O_CLOEXEC) !== 0 || oldfd === newfd) throw EINVAL;
  const file = task.files!.fget_raw(oldfd);
  task.files!.replace(task, newfd, file, (flags & O_CLOEXEC) !== 0);
  return newfd;
});

