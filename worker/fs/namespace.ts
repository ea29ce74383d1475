// fs/namespace.ts — the mount tree: mount, umount2, pivot_root.  cf. fs/namespace.c, fs/super.c, init/do_mounts.c
//
// One namespace. A mount sits on a dentry of its parent mount; several may be stacked on one place, the latest is seen.
import { EAGAIN, EBUSY, EINVAL, ELOOP, ENODEV, ENOENT, ENOTDIR, EPERM } from "../include/uapi/errno.ts";
import { AT_FDCWD } from "../include/uapi/fcntl.ts";
import {
  MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MNT_NOATIME, MNT_NODEV, MNT_NODIRATIME, MNT_NOEXEC, MNT_NOSUID, MNT_NOSYMFOLLOW, MNT_READONLY, MNT_RELATIME,
  MS_BIND, MS_DIRSYNC, MS_MANDLOCK, MS_MOVE, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_NOSYMFOLLOW, MS_PRIVATE, MS_RDONLY,
  MS_REC, MS_RELATIME, MS_REMOUNT, MS_SILENT, MS_STRICTATIME, MS_SYNCHRONOUS, SB_RDONLY, UMOUNT_NOFOLLOW,
} from "../include/uapi/mount.ts";
import { S_ISBLK } from "../include/uapi/stat.ts";
import { CAP_SYS_ADMIN, capable } from "../kernel/cred.ts";
import { SYSCALL_DEFINE, Hex, Path as PathArg, Ptr, Str } from "../kernel/syscall.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { strncpy_from_user } from "../kernel/uaccess.ts";
import { is_subdir } from "./dcache.ts";
import { cleanup_mnt } from "./file_table.ts";
import { Mount, type Dentry, type FileSystemType, type Path, type SuperBlock } from "./fs.ts";
import { LOOKUP_FOLLOW, user_path_at } from "./namei.ts";
import { Filename } from "./names.ts";
import { PROPAGATION, change_mnt_propagation, is_mnt_shared, mount_tree, propagate_mnt, propagated_to } from "./pnode.ts";
import { filename_lookup } from "./namei.ts";
import type { Vfs } from "./vfs.ts";

const MS_MGC_VAL = 0xc0ed0000;
const MS_MGC_MSK = 0xffff0000;
export const SB_FLAGS = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC;

export function mnt_flags_of(flags: number): number {
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

/** The mount is nowhere any more: it goes with its last user.  cf. mntput_no_expire() */
function mntput_final(mnt: Mount): void {
  mnt.mnt_umounted = true;
  if (mnt.mnt_count <= 0) cleanup_mnt(mnt);
}

/** Puts `mnt` on top of `where`.  cf. attach_recursive_mnt() */
export function attach_mnt(vfs: Vfs, mnt: Mount, where: Path): void {
  mnt.mnt_parent = where.mnt;
  mnt.mnt_mountpoint = where.dentry;
  where.mnt.mnt_mounts.add(mnt);
  where.dentry.d_mounted++;
  where.dentry.d_count++;
  const on = vfs.mountpoints.get(where.dentry);
  if (on === undefined) vfs.mountpoints.set(where.dentry, [mnt]);
  else on.push(mnt);
  if (where.mnt.mnt_attached) commit_tree(vfs, mnt);
}
/** A tree of mounts is in the tree now. */
function commit_tree(vfs: Vfs, mnt: Mount): void {
  for (const m of mount_tree(mnt)) {
    m.mnt_attached = true;
    vfs.detached.delete(m);
    if (!vfs.mounts.includes(m)) vfs.mounts.push(m);
  }
  vfs.touch_mnt_namespace();
}
/** Mounts a tree on `where`, and its copies wherever that is seen.  cf. attach_recursive_mnt() */
function attach_recursive_mnt(vfs: Vfs, mnt: Mount, where: Path): void {
  attach_mnt(vfs, mnt, where);
  if (is_mnt_shared(where.mnt))
    propagate_mnt(vfs, mnt, where.mnt, where.dentry, (from) => copy_tree(vfs, from, from.mnt_root, true), (made, to, at) => attach_mnt(vfs, made, { mnt: to, dentry: at }));
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
    mntput_final(mnt);
    throw EBUSY;
  }
  attach_recursive_mnt(vfs, mnt, path);
}

export function do_remount(task: Task, path: Path, flags: number, data: string): void {
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
  mnt.mnt_sb.kernel.vfs.touch_mnt_namespace();
}

/** Another mount of what `old` shows below `root`: in the same peer group.  cf. clone_mnt() */
function clone_mnt(vfs: Vfs, old: Mount, root: Dentry): Mount {
  const mnt = new_mount(vfs, old.mnt_sb, root, old.mnt_devname, old.mnt_flags);
  mnt.mnt_group_id = old.mnt_group_id;
  mnt.mnt_master = old.mnt_master;
  return mnt;
}
/** A copy of `from` and, with `recursive`, of what is mounted below `root` in it; attached nowhere. Unbindable mounts below are left out. */
export function copy_tree(vfs: Vfs, from: Mount, root: Dentry, recursive: boolean): Mount {
  const copy = clone_mnt(vfs, from, root);
  vfs.detached.add(copy);
  if (recursive)
    for (const child of [...from.mnt_mounts]) {
      if (child.mnt_unbindable || !is_subdir(child.mnt_mountpoint, root)) continue;
      attach_mnt(vfs, copy_tree(vfs, child, child.mnt_root, true), { mnt: copy, dentry: child.mnt_mountpoint });
    }
  return copy;
}

function do_loopback(task: Task, path: Path, source: string, recursive: boolean): void {
  const vfs = task.kernel.vfs;
  if (source === "") throw EINVAL;
  const old = filename_lookup(task, AT_FDCWD, new Filename(source), LOOKUP_FOLLOW).path();
  if (!old.mnt.mnt_attached || old.mnt.mnt_unbindable) throw EINVAL;
  if (!same_type(old.dentry, path.dentry)) throw ENOTDIR;
  attach_recursive_mnt(vfs, copy_tree(vfs, old.mnt, old.dentry, recursive), path);
}

/** Moves the mount whose root `old` is to `path`; a tree that is attached nowhere is put there. Throws EINVAL, ELOOP.  cf. do_move_mount() */
export function do_move_mount(vfs: Vfs, old: Path, path: Path): void {
  const { mnt } = old;
  const attached = mnt.mnt_attached;
  if (old.dentry !== mnt.mnt_root || !path.mnt.mnt_attached) throw EINVAL;
  if (attached ? mnt.mnt_parent === mnt || is_mnt_shared(mnt.mnt_parent) : !vfs.detached.has(mnt) || mnt.mnt_parent !== mnt) throw EINVAL;
  if (!same_type(old.dentry, path.dentry)) throw EINVAL;
  if (is_mnt_shared(path.mnt)) for (const m of mount_tree(mnt)) if (m.mnt_unbindable) throw EINVAL;
  for (let m = path.mnt; ; m = m.mnt_parent) {
    if (m === mnt) throw ELOOP;
    if (m.mnt_parent === m) break;
  }
  if (attached) detach_mnt(vfs, mnt);
  attach_recursive_mnt(vfs, mnt, path);
}
function move_old(task: Task, path: Path, source: string): void {
  if (source === "") throw EINVAL;
  do_move_mount(task.kernel.vfs, filename_lookup(task, AT_FDCWD, new Filename(source), LOOKUP_FOLLOW).path(), path);
}

/** cf. do_change_type() */
function do_change_type(task: Task, path: Path, flags: number): void {
  const type = flags & ~(MS_REC | MS_SILENT);
  if ((type & ~PROPAGATION) !== 0 || (type & (type - 1)) !== 0) throw EINVAL;
  if (path.dentry !== path.mnt.mnt_root) throw EINVAL;
  for (const mnt of (flags & MS_REC) !== 0 ? [...mount_tree(path.mnt)] : [path.mnt]) change_mnt_propagation(task.kernel.vfs, mnt, type);
}

/** cf. path_mount() */
export function path_mount(task: Task, source: string, path: Path, fstype: string | undefined, flags: number, data: string): void {
  if ((flags & MS_MGC_MSK) >>> 0 === MS_MGC_VAL) flags &= ~MS_MGC_MSK;
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  if ((flags & MS_REMOUNT) !== 0) do_remount(task, path, flags, data);
  else if ((flags & MS_BIND) !== 0) do_loopback(task, path, source, (flags & MS_REC) !== 0);
  else if ((flags & PROPAGATION) !== 0) do_change_type(task, path, flags);
  else if ((flags & MS_MOVE) !== 0) move_old(task, path, source);
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
export function umount_tree(vfs: Vfs, mnt: Mount): void {
  for (const child of [...mnt.mnt_mounts]) umount_tree(vfs, child);
  if (mnt.mnt_parent !== mnt) detach_mnt(vfs, mnt);
  mnt.mnt_attached = false;
  change_mnt_propagation(vfs, mnt, MS_PRIVATE);
  vfs.detached.delete(mnt);
  const at = vfs.mounts.indexOf(mnt);
  if (at >= 0) vfs.mounts.splice(at, 1);
  vfs.touch_mnt_namespace();
  mntput_final(mnt);
}

/** umount2(2) */
export const sys_umount2 = SYSCALL_DEFINE("umount2", [PathArg, Hex], (task, name, flags) => {
  const vfs = task.kernel.vfs;
  if ((flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW)) !== 0) throw EINVAL;
  const expiring = vfs.mounts.filter((m) => m.mnt_expiry_mark);
  const { mnt, dentry } = user_path_at(task, AT_FDCWD, name, (flags & UMOUNT_NOFOLLOW) !== 0 ? 0 : LOOKUP_FOLLOW).path();
  // this very walk is no use of it
  if (expiring.includes(mnt)) mnt.mnt_expiry_mark = true;
  if (dentry !== mnt.mnt_root || !mnt.mnt_attached) throw EINVAL;
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  if ((flags & MNT_EXPIRE) !== 0) {
    if (mnt === task.fs!.root.mnt || (flags & (MNT_FORCE | MNT_DETACH)) !== 0) throw EINVAL;
    if (mnt.mnt_count > 0) throw EBUSY;
    // the second such call in a row takes it away
    if (!expiring.includes(mnt)) {
      mnt.mnt_expiry_mark = true;
      throw EAGAIN;
    }
  }
  if (mnt === task.fs!.root.mnt && (flags & MNT_DETACH) === 0) {
    // the root cannot go; Linux makes it read-only instead
    if ((mnt.mnt_sb.s_flags & SB_RDONLY) === 0) do_remount(task, { mnt, dentry: mnt.mnt_root }, MS_RDONLY, "");
    return 0;
  }
  if (mnt.mnt_parent === mnt) throw EINVAL;
  const copies = propagated_to(vfs, mnt);
  const busy = (m: Mount): boolean => m.mnt_count > 0;
  if ((flags & MNT_DETACH) === 0 && (mnt.mnt_mounts.size > 0 || busy(mnt) || copies.some((m) => m.mnt_mounts.size === 0 && busy(m)))) throw EBUSY;
  mnt.mnt_sb.sync_fs(task);
  umount_tree(vfs, mnt);
  for (const m of copies) if (m.mnt_mounts.size === 0 || (flags & MNT_DETACH) !== 0) umount_tree(vfs, m);
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
