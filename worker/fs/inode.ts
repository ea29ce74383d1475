// fs/inode.ts — rights and times of inodes, whatever their file system.  cf. fs/inode.c, fs/attr.c, fs/namei.c generic_permission()
import { EACCES, EPERM, EROFS } from "../include/uapi/errno.ts";
import { O_NOATIME } from "../include/uapi/fcntl.ts";
import { MNT_NOATIME, MNT_NODIRATIME, MNT_READONLY, MNT_RELATIME, SB_RDONLY } from "../include/uapi/mount.ts";
import { S_IFDIR, S_IFMT, S_ISGID, S_ISREG, S_ISUID, S_IXGRP } from "../include/uapi/stat.ts";
import { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, in_group_p, type Cred } from "../kernel/cred.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import type { File, Iattr, Inode, Mount, Path, Timespec64 } from "./fs.ts";
import { get_inode_acl, posix_acl_permission } from "./posix_acl.ts";

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

/** Inode.i_flags (include/linux/fs.h) */
export const S_SYNC = 1;
export const S_NOATIME = 2;
export const S_APPEND = 4;
export const S_IMMUTABLE = 8;

/** Now, for time stamps.  cf. current_time() */
export function current_time(kernel: Kernel): Timespec64 {
  return kernel.time.realtime();
}

/** Do mode or access list grant `mask` to `cred`?  cf. acl_permission_check() */
function acl_permission_check(cred: Cred, inode: Inode, mask: number): boolean {
  const mode = inode.i_mode;
  let bits: number;
  if (cred.fsuid === inode.i_uid) bits = mode >>> 6;
  else {
    if (inode.i_acl !== null && (mode & 0o070) !== 0) {
      const acl = get_inode_acl(inode, "access");
      if (acl !== null) return posix_acl_permission(cred, inode, acl, mask);
    }
    bits = in_group_p(cred, inode.i_gid) ? mode >>> 3 : mode;
  }
  return (mask & ~bits & 7) === 0;
}
/** The same, capabilities included.  cf. generic_permission() */
export function generic_permission(cred: Cred, inode: Inode, mask: number): boolean {
  if (acl_permission_check(cred, inode, mask)) return true;
  const mode = inode.i_mode;
  const caps = cred.cap_effective;
  if ((mode & S_IFMT) === S_IFDIR) {
    if ((mask & MAY_WRITE) === 0 && caps.has(CAP_DAC_READ_SEARCH)) return true;
    return caps.has(CAP_DAC_OVERRIDE);
  }
  if (mask === MAY_READ && caps.has(CAP_DAC_READ_SEARCH)) return true;
  return ((mask & MAY_EXEC) === 0 || (mode & 0o111) !== 0) && caps.has(CAP_DAC_OVERRIDE);
}

/** Throws EACCES (EPERM: immutable; EROFS: read-only file system) unless `task` may `mask` on the inode.  cf. inode_permission() */
export function inode_permission(task: Task, inode: Inode, mask: number, cred: Cred = task.cred): void {
  if ((mask & MAY_WRITE) !== 0) {
    const type = inode.i_mode & S_IFMT;
    if ((inode.i_sb.s_flags & SB_RDONLY) !== 0 && (type === S_IFDIR || type === 0o100000 || type === 0o120000)) throw EROFS;
    if ((inode.i_flags & S_IMMUTABLE) !== 0) throw EPERM;
  }
  const own = inode.permission(task, mask);
  if (own === undefined ? !generic_permission(cred, inode, mask) : !own) throw EACCES;
}

/** Throws EROFS unless the mount and its file system may be written.  cf. mnt_want_write() */
export function mnt_want_write(mnt: Mount): void {
  if ((mnt.mnt_flags & MNT_READONLY) !== 0 || (mnt.mnt_sb.s_flags & SB_RDONLY) !== 0) throw EROFS;
}

/** Is the caller the owner, or may it act as one?  cf. inode_owner_or_capable() */
export function inode_owner_or_capable(cred: Cred, inode: Inode): boolean {
  return cred.fsuid === inode.i_uid || cred.cap_effective.has(CAP_FOWNER);
}

const DAY = 86400;

/** A read was made through `file`: moves atime as the mount asks (relatime by default).  cf. touch_atime() */
export function file_accessed(file: File): void {
  if ((file.f_flags & O_NOATIME) === 0 && file.f_path !== undefined && file.f_inode !== undefined) touch_atime(file.f_path.mnt, file.f_inode);
}
export function touch_atime(mnt: Mount, inode: Inode): void {
  const flags = mnt.mnt_flags;
  if ((flags & (MNT_NOATIME | MNT_READONLY)) !== 0 || (inode.i_flags & S_NOATIME) !== 0) return;
  if ((inode.i_sb.s_flags & SB_RDONLY) !== 0) return;
  if ((flags & MNT_NODIRATIME) !== 0 && inode.is_dir) return;
  const a = inode.i_atime;
  const now = current_time(inode.i_sb.kernel);
  if ((flags & MNT_RELATIME) !== 0 && !notAfter(a, inode.i_mtime) && !notAfter(a, inode.i_ctime) && now.sec - a.sec < DAY) return;
  if (a.sec === now.sec && a.nsec === now.nsec) return;
  inode.setattr({ atime: now });
}
const notAfter = (a: Timespec64, b: Timespec64): boolean => a.sec < b.sec || (a.sec === b.sec && a.nsec <= b.nsec);

/** The permissions a new inode in `dir` gets: the directory's group, and S_ISGID inherited by directories, where dir has S_ISGID.  cf. inode_init_owner() */
export function inode_init_owner(dir: Inode, mode: number, cred: { uid: number; gid: number }): { mode: number; uid: number; gid: number } {
  if ((dir.i_mode & S_ISGID) === 0) return { mode, uid: cred.uid, gid: cred.gid };
  return { mode: (mode & S_IFMT) === S_IFDIR ? mode | S_ISGID : mode, uid: cred.uid, gid: dir.i_gid };
}

/** The set-id bits that a change of owner takes away.  cf. setattr_should_drop_sgid() */
export function killed_suid(inode: Inode, cred: Cred): number {
  const mode = inode.i_mode;
  let kill = mode & S_ISUID;
  // S_ISGID without group execution once meant mandatory locking; for members of the group it stays
  if ((mode & S_ISGID) !== 0 && ((mode & S_IXGRP) !== 0 || !(in_group_p(cred, inode.i_gid) || cred.cap_effective.has(CAP_FSETID)))) kill |= S_ISGID;
  return kill;
}

/** What a write does to set-id bits: the mode without them, or undefined when nothing changes.  cf. setattr_should_drop_suidgid() */
export function removed_suid(inode: Inode, cred: Cred): number | undefined {
  const mode = inode.i_mode;
  if (!S_ISREG(mode) || (mode & 0o6000) === 0 || cred.cap_effective.has(CAP_FSETID)) return undefined;
  const kill = killed_suid(inode, cred);
  return kill === 0 ? undefined : mode & ~kill;
}

/** Removes set-id bits before a write.  cf. file_remove_privs() */
export function file_remove_privs(task: Task, inode: Inode): void {
  if ((inode.i_mode & 0o6000) === 0) return;
  const mode = removed_suid(inode, task.cred);
  if (mode !== undefined) inode.setattr({ mode, ctime: current_time(inode.i_sb.kernel) });
}

/** Checks that `task` may make the change, and makes it, with ctime. Throws EPERM, EROFS.  cf. setattr_prepare() + notify_change() */
export function notify_change(task: Task, path: Path | undefined, inode: Inode, attr: Iattr, times_touch = false): void {
  if (path !== undefined) mnt_want_write(path.mnt);
  const cred = task.cred;
  if ((inode.i_flags & (S_IMMUTABLE | S_APPEND)) !== 0 && (attr.mode ?? attr.uid ?? attr.gid ?? (times_touch ? undefined : attr.atime ?? attr.mtime)) !== undefined) throw EPERM;
  if ((inode.i_flags & S_IMMUTABLE) !== 0) throw EPERM;
  const change: Iattr = { ...attr, ctime: current_time(inode.i_sb.kernel) };
  if (attr.uid !== undefined && (cred.fsuid !== inode.i_uid || attr.uid !== inode.i_uid) && !cred.cap_effective.has(CAP_CHOWN)) throw EPERM;
  if (
    attr.gid !== undefined &&
    !(cred.fsuid === inode.i_uid && (attr.gid === inode.i_gid || in_group_p(cred, attr.gid))) &&
    !cred.cap_effective.has(CAP_CHOWN)
  )
    throw EPERM;
  if (attr.mode !== undefined) {
    if (!inode_owner_or_capable(cred, inode)) throw EPERM;
    let mode = (inode.i_mode & S_IFMT) | (attr.mode & 0o7777);
    const gid = attr.gid ?? inode.i_gid;
    if (!in_group_p(cred, gid) && !cred.cap_effective.has(CAP_FSETID)) mode &= ~S_ISGID;
    change.mode = mode;
  }
  if ((attr.atime ?? attr.mtime) !== undefined && !inode_owner_or_capable(cred, inode)) {
    if (!times_touch) throw EPERM;
    inode_permission(task, inode, MAY_WRITE);
  }
  inode.setattr(change);
  inode.i_sb.kernel.vfs.fsnotify.change(path?.dentry, inode, attr);
}
