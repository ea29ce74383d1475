// fs/namespace.ts — the mount tree: mount, umount2, pivot_root.  cf. fs/namespace.c, fs/super.c, init/do_mounts.c
//
// One namespace. A mount sits on a dentry of its parent mount; several may be stacked on one place, the latest is seen.
import { EBUSY, EINVAL, ELOOP, ENODEV, ENOENT, ENOTDIR, EPERM } from "../include/uapi/errno.ts";
import { AT_FDCWD } from "../include/uapi/fcntl.ts";
import {
  MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MNT_NOATIME, MNT_NODEV, MNT_NODIRATIME, MNT_NOEXEC, MNT_NOSUID, MNT_NOSYMFOLLOW, MNT_READONLY, MNT_RELATIME,
  MS_BIND, MS_DIRSYNC, MS_MANDLOCK, MS_MOVE, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_PRIVATE, MS_RDONLY,
  MS_REC, MS_RELATIME, MS_REMOUNT, MS_SHARED, MS_SLAVE, MS_STRICTATIME, MS_SYNCHRONOUS, MS_UNBINDABLE, SB_RDONLY, UMOUNT_NOFOLLOW,
} from "../include/uapi/mount.ts";
import { S_ISBLK } from "../include/uapi/stat.ts";
import { CAP_SYS_ADMIN, capable } from "../kernel/cred.ts";
import { SYSCALL_DEFINE, Hex, Path as PathArg, Ptr, Str } from "../kernel/syscall.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { strncpy_from_user } from "../kernel/uaccess.ts";
import { is_subdir } from "./dcache.ts";
import { Mount, type Dentry, type FileSystemType, type Path, type SuperBlock } from "./fs.ts";
import { LOOKUP_FOLLOW, user_path_at } from "./namei.ts";
import { Filename } from "./names.ts";
import { filename_lookup } from "./namei.ts";
import type { Vfs } from "./vfs.ts";

const MS_MGC_VAL = 0xc0ed0000;
const MS_MGC_MSK = 0xffff0000;
const SB_FLAGS = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC;

function mnt_flags_of(flags: number): number {
  let m = 0;
  if ((flags & MS_NOATIME) === 0) m |= MNT_RELATIME;
  if ((flags & MS_NOSUID) !== 0) m |= MNT_NOSUID;
  if ((flags & MS_NODEV) !== 0) m |= MNT_NODEV;
  if ((flags & MS_NOEXEC) !== 0) m |= MNT_NOEXEC;
  if ((flags & MS_NOATIME) !== 0) m |= MNT_NOATIME;
  if ((flags & MS_NODIRATIME) !== 0) m |= MNT_NODIRATIME;
  if ((flags & MS_STRICTATIME) !== 0) m &= ~(MNT_RELATIME | MNT_NOATIME);
  if ((flags & MS_RDONLY) !== 0) m |= MNT_READONLY;
  if ((flags & MS_NOSYMFOLLOW) !== 0) m |= MNT_NOSYMFOLLOW;
  return m;
}

/** A mount that is nowhere in the tree yet. Throws what the file system says.  cf. vfs_kern_mount() */
export function vfs_kern_mount(kernel: Kernel, task: Task | undefined, type: FileSystemType, flags: number, source: string, data: string): Mount {
  const mounted = task === undefined || !type.requires_dev ? undefined : find_super(task, type, source);
  if (mounted !== undefined) {
    // the same device again: the same file system, if it is as writable
    if (((mounted.s_flags ^ flags) & SB_RDONLY) !== 0) throw EBUSY;
    return new_mount(kernel.vfs, mounted, mounted.s_root, source, mnt_flags_of(flags));
  }
  const sb = type.mount(kernel, task, source, flags & SB_FLAGS, data);
  return new_mount(kernel.vfs, sb, sb.s_root, source, mnt_flags_of(flags));
}

/** The super block of a block device that is mounted with this type already.  cf. get_tree_bdev() */
function find_super(task: Task, type: FileSystemType, source: string): SuperBlock | undefined {
  if (source === "") return undefined;
  const inode = filename_lookup(task, AT_FDCWD, new Filename(source), LOOKUP_FOLLOW).dentry.d_inode!;
  if (!S_ISBLK(inode.i_mode)) return undefined;
  return task.kernel.vfs.supers.find((sb) => sb.s_dev === inode.i_rdev && sb.type.name === type.name);
}

function new_mount(vfs: Vfs, sb: SuperBlock, root: Dentry, devname: string, flags: number): Mount {
  const mnt = new Mount(vfs.next_mnt_id++, sb, root, devname);
  mnt.mnt_flags = flags;
  root.d_count++;
  if (sb.s_active++ === 0) vfs.supers.push(sb);
  return mnt;
}

/** The last reference to a mount goes: the file system is closed when it was its last.  cf. cleanup_mnt() */
function mntput_final(vfs: Vfs, mnt: Mount): void {
  mnt.mnt_root.d_count--;
  if (--mnt.mnt_sb.s_active > 0) return;
  vfs.supers.splice(vfs.supers.indexOf(mnt.mnt_sb), 1);
  for (const dentry of vfs.dentry_lru) if (dentry.d_sb === mnt.mnt_sb) vfs.dentry_lru.delete(dentry);
  mnt.mnt_sb.put_super();
}

/** Puts `mnt` on top of `where`.  cf. attach_recursive_mnt() */
export function attach_mnt(vfs: Vfs, mnt: Mount, where: Path): void {
  mnt.mnt_parent = where.mnt;
  mnt.mnt_mountpoint = where.dentry;
  mnt.mnt_attached = true;
  where.mnt.mnt_mounts.add(mnt);
  where.dentry.d_mounted++;
  where.dentry.d_count++;
  const on = vfs.mountpoints.get(where.dentry);
  if (on === undefined) vfs.mountpoints.set(where.dentry, [mnt]);
  else on.push(mnt);
  if (!vfs.mounts.includes(mnt)) vfs.mounts.push(mnt);
}

/** Takes `mnt` out of its place.  cf. detach_mnt() */
function detach_mnt(vfs: Vfs, mnt: Mount): void {
  const at = mnt.mnt_mountpoint;
  mnt.mnt_parent.mnt_mounts.delete(mnt);
  at.d_mounted--;
  at.d_count--;
  const on = vfs.mountpoints.get(at)!;
  on.splice(on.indexOf(mnt), 1);
  if (on.length === 0) vfs.mountpoints.delete(at);
  mnt.mnt_parent = mnt;
  mnt.mnt_mountpoint = mnt.mnt_root;
  mnt.mnt_attached = false;
}

/** The first file system: an empty ramfs that everything else is mounted on.  cf. init_mount_tree() */
export function init_mount_tree(kernel: Kernel, ramfs: FileSystemType): void {
  const vfs = kernel.vfs;
  const mnt = vfs_kern_mount(kernel, undefined, ramfs, 0, "rootfs", "");
  mnt.mnt_attached = true;
  vfs.mounts.push(mnt);
  vfs.root = { mnt, dentry: mnt.mnt_root };
}

/**
 * Mounts the root file system over the first one and makes it vfs.root; the caller gives init's FsStruct that root. /proc/mounts calls its
 * device /dev/root, whatever it is. Throws the errno.
 * cf. mount_root_generic(), prepare_namespace()
 */
export function mount_root(kernel: Kernel, type: FileSystemType, source: string, flags: number, data: string): SuperBlock {
  const sb = type.mount(kernel, undefined, source, flags & SB_FLAGS, data);
  const mnt = new_mount(kernel.vfs, sb, sb.s_root, "/dev/root", mnt_flags_of(flags));
  attach_mnt(kernel.vfs, mnt, kernel.vfs.root);
  kernel.vfs.root = { mnt, dentry: mnt.mnt_root };
  return mnt.mnt_sb;
}

/** Mounts a file system of the kernel's own choice on `where`.  cf. init_mount() */
export function init_mount(kernel: Kernel, fstype: string, source: string, where: Path, flags = 0, data = ""): void {
  const type = kernel.vfs.get_fs_type(fstype);
  if (type === undefined) throw ENODEV;
  attach_mnt(kernel.vfs, vfs_kern_mount(kernel, undefined, type, flags, source, data), where);
}

function same_type(a: Dentry, b: Dentry): boolean {
  return a.d_inode!.is_dir === b.d_inode!.is_dir;
}

function do_new_mount(task: Task, path: Path, fstype: string | undefined, flags: number, source: string, data: string): void {
  if (fstype === undefined) throw EINVAL;
  const vfs = task.kernel.vfs;
  const type = vfs.get_fs_type(fstype);
  if (type === undefined) throw ENODEV;
  if (!path.dentry.d_inode!.is_dir) throw ENOTDIR;
  const mnt = vfs_kern_mount(task.kernel, task, type, flags, source, data);
  if (path.dentry === path.mnt.mnt_root && path.mnt.mnt_sb === mnt.mnt_sb) {
    mntput_final(vfs, mnt);
    throw EBUSY;
  }
  attach_mnt(vfs, mnt, path);
}

function do_remount(task: Task, path: Path, flags: number, data: string): void {
  const { mnt, dentry } = path;
  if (dentry !== mnt.mnt_root) throw EINVAL;
  const sb = mnt.mnt_sb;
  if ((flags & MS_BIND) === 0) {
    const next = (sb.s_flags & ~SB_FLAGS) | (flags & SB_FLAGS);
    if ((next & SB_RDONLY) !== 0 && (sb.s_flags & SB_RDONLY) === 0) {
      if (sb.s_writers > 0) throw EBUSY;
      sb.sync_fs(task);
    }
    sb.remount_fs(next, data);
  }
  let m = mnt_flags_of(flags);
  // no word about atime: as it was
  if ((flags & (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)) === 0)
    m = (m & ~(MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME)) | (mnt.mnt_flags & (MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME));
  mnt.mnt_flags = m;
}

/** Copies the mounts below `from` (a bind with MS_REC) under `to`. */
function copy_tree(vfs: Vfs, from: Mount, root: Dentry, to: Mount): void {
  for (const child of [...from.mnt_mounts]) {
    if (child === to || !is_subdir(child.mnt_mountpoint, root)) continue;
    const copy = new_mount(vfs, child.mnt_sb, child.mnt_root, child.mnt_devname, child.mnt_flags);
    attach_mnt(vfs, copy, { mnt: to, dentry: child.mnt_mountpoint });
    copy_tree(vfs, child, child.mnt_root, copy);
  }
}

function do_loopback(task: Task, path: Path, source: string, recursive: boolean): void {
  const vfs = task.kernel.vfs;
  if (source === "") throw EINVAL;
  const old = filename_lookup(task, AT_FDCWD, new Filename(source), LOOKUP_FOLLOW).path();
  if (!old.mnt.mnt_attached) throw EINVAL;
  if (!same_type(old.dentry, path.dentry)) throw ENOTDIR;
  const mnt = new_mount(vfs, old.mnt.mnt_sb, old.dentry, old.mnt.mnt_devname, old.mnt.mnt_flags);
  if (recursive) copy_tree(vfs, old.mnt, old.dentry, mnt);
  attach_mnt(vfs, mnt, path);
}

function do_move_mount(task: Task, path: Path, source: string): void {
  const vfs = task.kernel.vfs;
  if (source === "") throw EINVAL;
  const old = filename_lookup(task, AT_FDCWD, new Filename(source), LOOKUP_FOLLOW).path();
  if (old.dentry !== old.mnt.mnt_root || old.mnt.mnt_parent === old.mnt) throw EINVAL;
  if (!same_type(old.dentry, path.dentry)) throw EINVAL;
  for (let m = path.mnt; ; m = m.mnt_parent) {
    if (m === old.mnt) throw ELOOP;
    if (m.mnt_parent === m) break;
  }
  detach_mnt(vfs, old.mnt);
  attach_mnt(vfs, old.mnt, path);
}

/** cf. path_mount() */
export function path_mount(task: Task, source: string, path: Path, fstype: string | undefined, flags: number, data: string): void {
  if ((flags & MS_MGC_MSK) >>> 0 === MS_MGC_VAL) flags &= ~MS_MGC_MSK;
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  const propagation = flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE);
  if ((flags & MS_REMOUNT) !== 0) do_remount(task, path, flags, data);
  else if ((flags & MS_BIND) !== 0) do_loopback(task, path, source, (flags & MS_REC) !== 0);
  else if (propagation !== 0) {
    // all mounts are private; a private mount made private or slave stays what it is. Peer groups are not there.
    if ((flags & (MS_SHARED | MS_UNBINDABLE)) !== 0 || (propagation & (propagation - 1)) !== 0) throw EINVAL;
    if (path.dentry !== path.mnt.mnt_root) throw EINVAL;
  } else if ((flags & MS_MOVE) !== 0) do_move_mount(task, path, source);
  else do_new_mount(task, path, fstype, flags, source, data);
}

const string_or = (task: Task, addr: number, max: number): string | undefined => (addr === 0 ? undefined : strncpy_from_user(task.kernel.mem, addr, max, EINVAL));

/** mount(2) */
export const sys_mount = SYSCALL_DEFINE("mount", [Str, PathArg, Str, Hex, Ptr], (task, dev_name, dir_name, type, flags, data) => {
  const fstype = string_or(task, type, 4096);
  const source = string_or(task, dev_name, 4096) ?? "none";
  const options = string_or(task, data, 4096) ?? "";
  const path = user_path_at(task, AT_FDCWD, dir_name, LOOKUP_FOLLOW).path();
  path_mount(task, source, path, fstype, flags, options);
  return 0;
});

/** Takes a mount, and with `lazy` all below it, out of the tree. */
function umount_tree(vfs: Vfs, mnt: Mount): void {
  for (const child of [...mnt.mnt_mounts]) umount_tree(vfs, child);
  detach_mnt(vfs, mnt);
  vfs.mounts.splice(vfs.mounts.indexOf(mnt), 1);
  mntput_final(vfs, mnt);
}

/** umount2(2) */
export const sys_umount2 = SYSCALL_DEFINE("umount2", [PathArg, Hex], (task, name, flags) => {
  const vfs = task.kernel.vfs;
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) throw EINVAL;
  const { mnt, dentry } = user_path_at(task, AT_FDCWD, name, (flags & UMOUNT_NOFOLLOW) !== 0 ? 0 : LOOKUP_FOLLOW).path();
  if (dentry !== mnt.mnt_root || !mnt.mnt_attached) throw EINVAL;
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  if ((flags & MNT_EXPIRE) !== 0) throw EINVAL;
  if (mnt === task.fs!.root.mnt && (flags & MNT_DETACH) === 0) {
    // the root cannot go; Linux makes it read-only instead
    if ((mnt.mnt_sb.s_flags & SB_RDONLY) === 0) do_remount(task, { mnt, dentry: mnt.mnt_root }, MS_RDONLY, "");
    return 0;
  }
  if (mnt.mnt_parent === mnt) throw EINVAL;
  if ((flags & MNT_DETACH) === 0 && (mnt.mnt_mounts.size > 0 || mnt.mnt_count > 0)) throw EBUSY;
  mnt.mnt_sb.sync_fs(task);
  umount_tree(vfs, mnt);
  return 0;
});

/** pivot_root(2): the mount at new_root becomes the root, the old root goes to put_old below it. */
export const sys_pivot_root = SYSCALL_DEFINE("pivot_root", [PathArg, PathArg], (task, new_name, old_name) => {
  const { kernel } = task;
  const vfs = kernel.vfs;
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  const next = user_path_at(task, AT_FDCWD, new_name, LOOKUP_FOLLOW).path();
  if (!next.dentry.d_inode!.is_dir) throw ENOTDIR;
  const put = user_path_at(task, AT_FDCWD, old_name, LOOKUP_FOLLOW).path();
  if (!put.dentry.d_inode!.is_dir) throw ENOTDIR;
  const root = task.fs!.root;
  if (next.mnt === root.mnt || put.mnt === root.mnt) throw EBUSY;
  if (root.dentry !== root.mnt.mnt_root || root.mnt.mnt_parent === root.mnt) throw EINVAL;
  if (next.dentry !== next.mnt.mnt_root || next.mnt.mnt_parent === next.mnt) throw EINVAL;
  if (next.dentry.d_unhashed) throw ENOENT;
  for (let m = put.mnt; m !== next.mnt; m = m.mnt_parent) if (m.mnt_parent === m) throw EINVAL;
  const above = { mnt: root.mnt.mnt_parent, dentry: root.mnt.mnt_mountpoint };
  detach_mnt(vfs, next.mnt);
  detach_mnt(vfs, root.mnt);
  attach_mnt(vfs, root.mnt, put);
  attach_mnt(vfs, next.mnt, above);
  for (const t of kernel.tasks.values()) {
    if (t.fs === undefined) continue;
    const { fs } = t;
    if (fs.root.dentry === root.dentry && fs.root.mnt === root.mnt && fs !== task.fs) fs.set_root(next);
    if (fs.pwd.dentry === root.dentry && fs.pwd.mnt === root.mnt) fs.set_pwd(next);
  }
  task.fs!.set_root(next);
  vfs.root = next;
  return 0;
});
