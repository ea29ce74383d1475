// fs/utimes.ts — utime, utimes, futimesat, utimensat.  cf. fs/utimes.c
import { EBADF, EINVAL } from "../include/uapi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from "../include/uapi/fcntl.ts";
import { DirFd, Hex, Path as PathArg, Ptr, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, get_user_s64 } from "../kernel/uaccess.ts";
import type { Iattr, Timespec64 } from "./fs.ts";
import { current_time, notify_change } from "./inode.ts";
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, user_path_at } from "./namei.ts";
import { change_open } from "./open.ts";

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;

/** What the two times ask for; undefined: both now. `nsec` may be UTIME_NOW or UTIME_OMIT. */
type Times = readonly [Timespec64, Timespec64] | undefined;

/** What vfs_utimes asks of notify_change. @throws EINVAL for a fraction that is none */
function new_attrs(task: Task, times: Times): { attr: Iattr; touch: boolean } {
  if (times !== undefined) for (const t of times) if (t.nsec !== UTIME_NOW && t.nsec !== UTIME_OMIT && (t.nsec < 0 || t.nsec > 999_999_999)) throw EINVAL;
  const now = current_time(task.kernel);
  if (times === undefined || (times[0].nsec === UTIME_NOW && times[1].nsec === UTIME_NOW)) return { attr: { atime: now, mtime: now }, touch: true };
  const attr: Iattr = {};
  if (times[0].nsec !== UTIME_OMIT) attr.atime = times[0].nsec === UTIME_NOW ? now : times[0];
  if (times[1].nsec !== UTIME_OMIT) attr.mtime = times[1].nsec === UTIME_NOW ? now : times[1];
  return { attr, touch: false };
}

function do_utimes(task: Task, dfd: number, name: number, times: Times, flags: number): number {
  if (name === 0 && dfd !== AT_FDCWD) {
    if (flags !== 0) throw EINVAL;
    const file = task.files!.fget(dfd);
    const { attr, touch } = new_attrs(task, times);
    if (file.f_inode === undefined) throw EBADF;
    change_open(task, file, attr, touch);
    return 0;
  }
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) throw EINVAL;
  const nd = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0));
  const { attr, touch } = new_attrs(task, times);
  notify_change(task, nd, nd.dentry.d_inode!, attr, touch);
  return 0;
}

function get_times(task: Task, addr: number, usec: boolean): Times {
  if (addr === 0) return undefined;
  const m = task.kernel.mem;
  check_read(m, addr, 32);
  const one = (at: number): Timespec64 => {
    const frac = get_user_s64(m, at + 8);
    if (usec && (frac < 0 || frac >= 1_000_000)) throw EINVAL;
    return { sec: get_user_s64(m, at), nsec: usec ? frac * 1000 : frac };
  };
  return [one(addr), one(addr + 16)];
}

/** utimensat(2) */
export const sys_utimensat = SYSCALL_DEFINE("utimensat", [DirFd, PathArg, Ptr, Hex], (task, dfd, name, addr, flags) => {
  const times = get_times(task, addr, false);
  // nothing to do: not even the path is looked at
  if (times !== undefined && times[0].nsec === UTIME_OMIT && times[1].nsec === UTIME_OMIT) return 0;
  return do_utimes(task, dfd, name, times, flags);
});
/** futimesat(2) */
export const sys_futimesat = SYSCALL_DEFINE("futimesat", [DirFd, PathArg, Ptr], (task, dfd, name, times) => do_utimes(task, dfd, name, get_times(task, times, true), 0));
/** utimes(2) */
export const sys_utimes = SYSCALL_DEFINE("utimes", [PathArg, Ptr], (task, name, times) => do_utimes(task, AT_FDCWD, name, get_times(task, times, true), 0));
/** utime(2) */
export const sys_utime = SYSCALL_DEFINE("utime", [PathArg, Ptr], (task, name, times) => {
  if (times === 0) return do_utimes(task, AT_FDCWD, name, undefined, 0);
  const m = task.kernel.mem;
  return do_utimes(task, AT_FDCWD, name, [{ sec: get_user_s64(m, times), nsec: 0 }, { sec: get_user_s64(m, times + 8), nsec: 0 }], 0);
});
