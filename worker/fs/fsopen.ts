// fs/fsopen.ts — mounting in steps: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr.  cf. fs/fsopen.c, fs/namespace.c
//
// A context collects a file system's parameters; its parameters are looked at when it is created or reconfigured, so that it is then that a wrong one is
// EINVAL. A mount that is not in the tree yet is held by a descriptor, and dissolved with it.
import { EBUSY, EINVAL, ENODATA, ENODEV, EOPNOTSUPP, EPERM, E2BIG } from "../include/uapi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD, AT_NO_AUTOMOUNT, AT_RECURSIVE, AT_SYMLINK_NOFOLLOW, O_CLOEXEC, O_PATH, O_RDWR } from "../include/uapi/fcntl.ts";
import {
  FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE_EXCL, FSCONFIG_CMD_RECONFIGURE, FSCONFIG_SET_BINARY, FSCONFIG_SET_FD, FSCONFIG_SET_FLAG, FSCONFIG_SET_PATH,
  FSCONFIG_SET_PATH_EMPTY, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, FSPICK_CLOEXEC, FSPICK_EMPTY_PATH, FSPICK_NO_AUTOMOUNT, FSPICK_SYMLINK_NOFOLLOW,
  MNT_NOATIME, MNT_NODEV, MNT_NODIRATIME, MNT_NOEXEC, MNT_NOSUID, MNT_NOSYMFOLLOW, MNT_READONLY, MNT_RELATIME, MOUNT_ATTR_IDMAP, MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME,
  MOUNT_ATTR__ATIME, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_F_SYMLINKS, MOVE_MOUNT_MASK, MOVE_MOUNT_SET_GROUP, MOVE_MOUNT_T_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS,
  MS_DIRSYNC, MS_LAZYTIME, MS_MANDLOCK, MS_RDONLY, MS_SYNCHRONOUS, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE, SB_RDONLY,
} from "../include/uapi/mount.ts";
import { CAP_SYS_ADMIN, capable } from "../kernel/cred.ts";
import { Fd, DirFd, Hex, Int, Path as PathArg, Ptr, SYSCALL_DEFINE, Size, Str, UInt } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_read, get_user_u64, strncpy_from_user } from "../kernel/uaccess.ts";
import { EmptyFops, empty_fops } from "./open.ts";
import { File, type FileSystemType, type Mount, type Path, FileOperations } from "./fs.ts";
import { LOOKUP_EMPTY, LOOKUP_FOLLOW, user_path_at } from "./namei.ts";
import { SB_FLAGS, copy_tree, do_move_mount, umount_tree, vfs_kern_mount } from "./namespace.ts";
import { fput, path_get, path_put } from "./file_table.ts";
import { PROPAGATION, change_mnt_propagation, mount_tree } from "./pnode.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";

/** Parameters that are flags of every file system.  cf. vfs_parse_sb_flag() */
const SB_FLAG: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [MS_RDONLY, 0], rw: [0, MS_RDONLY], sync: [MS_SYNCHRONOUS, 0], async: [0, MS_SYNCHRONOUS], dirsync: [MS_DIRSYNC, 0], mand: [MS_MANDLOCK, 0],
  nomand: [0, MS_MANDLOCK], lazytime: [MS_LAZYTIME, 0], nolazytime: [0, MS_LAZYTIME],
};

type Phase = "create" | "mount" | "reconfigure" | "failed";

/** What fsopen and fspick open.  cf. struct fs_context */
export class FsContext extends FileOperations {
  readonly type: FileSystemType;
  phase: Phase;
  source: string | undefined;
  sb_flags = 0;
  options: string[] = [];
  /** made by FSCONFIG_CMD_CREATE, for fsmount; or what fspick picked */
  root: Mount | undefined;
  picked: Path | undefined;
  constructor(type: FileSystemType, phase: Phase) {
    super();
    this.type = type;
    this.phase = phase;
  }
  /** The log of what went wrong: nothing is written to it. */
  override read(): number {
    throw ENODATA;
  }
  override d_dname(): string {
    return "anon_inode:[fscontext]";
  }
  override release(file: File, task: Task | undefined): void {
    const { vfs } = file.f_inode!.i_sb.kernel;
    if (this.root !== undefined) umount_tree(vfs, this.root);
    if (this.picked !== undefined) path_put(this.picked);
    super.release(file, task);
  }
}

/** The root of a tree that nothing but this descriptor holds: it is dissolved with it, unless it has been mounted.  cf. FMODE_NEED_UNMOUNT */
export class DetachedMountFops extends EmptyFops {
  override release(file: File, task: Task | undefined): void {
    super.release(file, task);
    const { mnt } = file.f_path!;
    const { vfs } = mnt.mnt_sb.kernel;
    if (!mnt.mnt_attached && vfs.detached.has(mnt) && mnt.mnt_parent === mnt) umount_tree(vfs, mnt);
  }
}

export const detached_mount_fops = new DetachedMountFops();

function install(task: Task, file: File, cloexec: boolean): number {
  try {
    return task.files!.alloc_fd(task, file, cloexec);
  } catch (e) {
    fput(task, file);
    throw e;
  }
}
const need_admin = (task: Task): void => {
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
};

/** fsopen(2) */
export const sys_fsopen = SYSCALL_DEFINE("fsopen", [Str, Hex], (task, fs_name, flags) => {
  need_admin(task);
  if ((flags & ~FSOPEN_CLOEXEC) !== 0) throw EINVAL;
  const type = task.kernel.vfs.get_fs_type(strncpy_from_user(task.kernel.mem, fs_name, 4096, EINVAL));
  if (type === undefined) throw ENODEV;
  return install(task, anon_inode_getfile(task.kernel, new FsContext(type, "create"), O_RDWR), (flags & FSOPEN_CLOEXEC) !== 0);
});

function set_parameter(fc: FsContext, key: string, value: string | undefined): void {
  if (fc.phase !== "create" && fc.phase !== "reconfigure") throw EBUSY;
  if (key === "source") {
    if (value === undefined || fc.source !== undefined) throw EINVAL;
    fc.source = value;
    return;
  }
  const flag = SB_FLAG[key];
  if (flag !== undefined) {
    if (value !== undefined) throw EINVAL;
    fc.sb_flags = (fc.sb_flags | flag[0]) & ~flag[1];
    return;
  }
  // a comma ends a parameter in the string that mount(2) takes
  if (key === "" || key.includes(",") || value?.includes(",") === true) throw EINVAL;
  fc.options.push(value === undefined ? key : `${key}=${value}`);
}

function create_root(task: Task, fc: FsContext): void {
  if (fc.phase !== "create") throw EBUSY;
  fc.phase = "failed";
  const mnt = vfs_kern_mount(task.kernel, task, fc.type, fc.sb_flags, fc.source ?? "none", fc.options.join(","));
  task.kernel.vfs.detached.add(mnt);
  fc.root = mnt;
  fc.phase = "mount";
}
function reconfigure(task: Task, fc: FsContext): void {
  if (fc.phase !== "reconfigure") throw EBUSY;
  const sb = fc.picked!.mnt.mnt_sb;
  const next = (sb.s_flags & ~SB_FLAGS) | (fc.sb_flags & SB_FLAGS);
  if ((next & SB_RDONLY) !== 0 && (sb.s_flags & SB_RDONLY) === 0) {
    if (sb.s_writers > 0) throw EBUSY;
    sb.sync_fs(task);
  }
  sb.remount_fs(next, fc.options.join(","));
  fc.options = [];
}

/** fsconfig(2) */
export const sys_fsconfig = SYSCALL_DEFINE("fsconfig", [Fd, UInt, Str, Ptr, Int], (task, fd, cmd, ukey, value, aux) => {
  const m = task.kernel.mem;
  if (fd < 0) throw EINVAL;
  const key_only = (): boolean => ukey !== 0 && value === 0 && aux === 0;
  const ok = ((): boolean => {
    switch (cmd) {
      case FSCONFIG_SET_FLAG:
        return key_only();
      case FSCONFIG_SET_STRING:
        return ukey !== 0 && value !== 0 && aux === 0;
      case FSCONFIG_SET_BINARY:
        return ukey !== 0 && value !== 0 && aux > 0 && aux <= 1024 * 1024;
      case FSCONFIG_SET_PATH:
      case FSCONFIG_SET_PATH_EMPTY:
        return ukey !== 0 && value !== 0 && (aux === AT_FDCWD || aux >= 0);
      case FSCONFIG_SET_FD:
        return ukey !== 0 && value === 0 && aux >= 0;
      case FSCONFIG_CMD_CREATE:
      case FSCONFIG_CMD_CREATE_EXCL:
      case FSCONFIG_CMD_RECONFIGURE:
        return ukey === 0 && value === 0 && aux === 0;
      default:
        throw EOPNOTSUPP;
    }
  })();
  if (!ok) throw EINVAL;
  const { f_op: fc } = task.files!.fget(fd);
  if (!(fc instanceof FsContext)) throw EINVAL;
  const key = ukey === 0 ? "" : strncpy_from_user(m, ukey, 256, EINVAL);
  switch (cmd) {
    case FSCONFIG_SET_FLAG:
      set_parameter(fc, key, undefined);
      return 0;
    case FSCONFIG_SET_STRING:
      set_parameter(fc, key, strncpy_from_user(m, value, 256, EINVAL));
      return 0;
    case FSCONFIG_SET_BINARY:
      // there is no file system here with a parameter of this kind
      check_read(m, value, aux);
      throw EINVAL;
    case FSCONFIG_SET_PATH:
    case FSCONFIG_SET_PATH_EMPTY:
      strncpy_from_user(m, value, 4096, EINVAL);
      throw EINVAL;
    case FSCONFIG_SET_FD:
      task.files!.fget_raw(aux);
      throw EINVAL;
    case FSCONFIG_CMD_RECONFIGURE:
      reconfigure(task, fc);
      return 0;
    default:
      need_admin(task);
      create_root(task, fc);
      return 0;
  }
});

/** mnt_flags for MOUNT_ATTR_*. Throws EINVAL.  cf. attr_flags_to_mnt_flags(), fsmount(2) */
function mnt_flags_for(attr: number): number {
  let flags = 0;
  if ((attr & MOUNT_ATTR_RDONLY) !== 0) flags |= MNT_READONLY;
  if ((attr & MOUNT_ATTR_NOSUID) !== 0) flags |= MNT_NOSUID;
  if ((attr & MOUNT_ATTR_NODEV) !== 0) flags |= MNT_NODEV;
  if ((attr & MOUNT_ATTR_NOEXEC) !== 0) flags |= MNT_NOEXEC;
  if ((attr & MOUNT_ATTR_NODIRATIME) !== 0) flags |= MNT_NODIRATIME;
  if ((attr & MOUNT_ATTR_NOSYMFOLLOW) !== 0) flags |= MNT_NOSYMFOLLOW;
  return flags;
}
function atime_flags(attr: number): number {
  switch (attr & MOUNT_ATTR__ATIME) {
    case 0:
      return MNT_RELATIME;
    case MOUNT_ATTR_NOATIME:
      return MNT_NOATIME;
    case MOUNT_ATTR_STRICTATIME:
      return 0;
    default:
      throw EINVAL;
  }
}
const ATTRS =
  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW;

function detached_file(task: Task, mnt: Mount, cloexec: boolean): number {
  const path: Path = { mnt, dentry: mnt.mnt_root };
  const file = new File(path, mnt.mnt_root.d_inode, O_PATH, detached_mount_fops);
  path_get(path);
  return install(task, file, cloexec);
}

/** fsmount(2) */
export const sys_fsmount = SYSCALL_DEFINE("fsmount", [Fd, Hex, Hex], (task, fd, flags, attr) => {
  need_admin(task);
  if ((flags & ~FSMOUNT_CLOEXEC) !== 0 || (attr & ~ATTRS) !== 0) throw EINVAL;
  const mnt_flags = mnt_flags_for(attr) | atime_flags(attr);
  const { f_op: fc } = task.files!.fget(fd);
  if (!(fc instanceof FsContext)) throw EINVAL;
  if (fc.phase !== "mount" || fc.root === undefined) throw fc.phase === "mount" ? EBUSY : EINVAL;
  const mnt = fc.root;
  fc.root = undefined;
  mnt.mnt_flags = mnt_flags;
  return detached_file(task, mnt, (flags & FSMOUNT_CLOEXEC) !== 0);
});

/** fspick(2) */
export const sys_fspick = SYSCALL_DEFINE("fspick", [DirFd, PathArg, Hex], (task, dfd, name, flags) => {
  need_admin(task);
  if ((flags & ~(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH)) !== 0) throw EINVAL;
  const path = user_path_at(task, dfd, name, ((flags & FSPICK_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & FSPICK_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0)).path();
  if (path.mnt.mnt_root !== path.dentry) throw EINVAL;
  const fc = new FsContext(path.mnt.mnt_sb.type, "reconfigure");
  fc.sb_flags = path.mnt.mnt_sb.s_flags & SB_FLAGS;
  fc.picked = path;
  path_get(path);
  return install(task, anon_inode_getfile(task.kernel, fc, O_RDWR), (flags & FSPICK_CLOEXEC) !== 0);
});

/** open_tree(2) */
export const sys_open_tree = SYSCALL_DEFINE("open_tree", [DirFd, PathArg, Hex], (task, dfd, name, flags) => {
  const clone = (flags & OPEN_TREE_CLONE) !== 0;
  if ((flags & ~(AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)) !== 0) throw EINVAL;
  if ((flags & AT_RECURSIVE) !== 0 && !clone) throw EINVAL;
  if (clone) need_admin(task);
  const path = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0)).path();
  if (!clone) {
    const file = new File(path, path.dentry.d_inode, O_PATH, empty_fops);
    path_get(path);
    return install(task, file, (flags & O_CLOEXEC) !== 0);
  }
  const { vfs } = task.kernel;
  if (path.mnt.mnt_unbindable || (!path.mnt.mnt_attached && !vfs.detached.has(path.mnt))) throw EINVAL;
  return detached_file(task, copy_tree(vfs, path.mnt, path.dentry, (flags & AT_RECURSIVE) !== 0), (flags & O_CLOEXEC) !== 0);
});

/** move_mount(2) */
export const sys_move_mount = SYSCALL_DEFINE("move_mount", [DirFd, PathArg, DirFd, PathArg, Hex], (task, from_dfd, from_name, to_dfd, to_name, flags) => {
  need_admin(task);
  if ((flags & ~MOVE_MOUNT_MASK) !== 0) throw EINVAL;
  const look = (dfd: number, name: number, follow: number, empty: number): Path =>
    user_path_at(task, dfd, name, ((flags & follow) !== 0 ? LOOKUP_FOLLOW : 0) | ((flags & empty) !== 0 ? LOOKUP_EMPTY : 0)).path();
  const to = look(to_dfd, to_name, MOVE_MOUNT_T_SYMLINKS, MOVE_MOUNT_T_EMPTY_PATH);
  const from = look(from_dfd, from_name, MOVE_MOUNT_F_SYMLINKS, MOVE_MOUNT_F_EMPTY_PATH);
  if ((flags & MOVE_MOUNT_SET_GROUP) !== 0) {
    if (from.dentry !== from.mnt.mnt_root || to.dentry !== to.mnt.mnt_root || from.mnt.mnt_sb !== to.mnt.mnt_sb) throw EINVAL;
    if (to.mnt.mnt_group_id !== 0 || to.mnt.mnt_master !== 0) throw EINVAL;
    to.mnt.mnt_group_id = from.mnt.mnt_group_id;
    to.mnt.mnt_master = from.mnt.mnt_master;
    return 0;
  }
  do_move_mount(task.kernel.vfs, from, to);
  return 0;
});

const MOUNT_ATTR_SIZE = 32;
/** struct mount_attr may grow up to a page: what is past the end of what is known here must be zero. */
function check_tail(task: Task, addr: number, size: number): void {
  const m = task.kernel.mem;
  check_read(m, addr, size);
  for (let i = MOUNT_ATTR_SIZE; i < size; i++) if (m.u8[addr + i] !== 0) throw E2BIG;
}

/** mount_setattr(2): struct mount_attr { u64 attr_set, attr_clr, propagation, userns_fd } */
export const sys_mount_setattr = SYSCALL_DEFINE("mount_setattr", [DirFd, PathArg, Hex, Ptr, Size], (task, dfd, name, flags, uattr, usize) => {
  if ((flags & ~(AT_EMPTY_PATH | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)) !== 0) throw EINVAL;
  if (usize > 4096) throw E2BIG;
  if (usize < MOUNT_ATTR_SIZE) throw EINVAL;
  need_admin(task);
  check_tail(task, uattr, usize);
  const m = task.kernel.mem;
  const [set, clr, propagation] = [0, 8, 16].map((at) => get_user_u64(m, uattr + at)) as [number, number, number];
  if (set === 0 && clr === 0 && propagation === 0) return 0;
  if (propagation > 0xffffffff || (propagation & ~PROPAGATION) !== 0 || (propagation & (propagation - 1)) !== 0) throw EINVAL;
  if (set > 0xffffffff || clr > 0xffffffff || (set & ~(ATTRS | MOUNT_ATTR_IDMAP)) !== 0 || (clr & ~(ATTRS | MOUNT_ATTR_IDMAP)) !== 0) throw EINVAL;
  if ((clr & MOUNT_ATTR__ATIME) !== 0 ? (clr & MOUNT_ATTR__ATIME) !== MOUNT_ATTR__ATIME : (set & MOUNT_ATTR__ATIME) !== 0) throw EINVAL;
  // mounts are mapped through user namespaces, and there are none
  if (((set | clr) & MOUNT_ATTR_IDMAP) !== 0) throw EINVAL;
  let on = mnt_flags_for(set);
  let off = mnt_flags_for(clr);
  if ((clr & MOUNT_ATTR__ATIME) !== 0) {
    off |= MNT_RELATIME | MNT_NOATIME;
    on |= atime_flags(set);
  }
  const path = user_path_at(task, dfd, name, ((flags & AT_SYMLINK_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & AT_EMPTY_PATH) !== 0 ? LOOKUP_EMPTY : 0)).path();
  if (path.dentry !== path.mnt.mnt_root) throw EINVAL;
  const mounts = (flags & AT_RECURSIVE) !== 0 ? [...mount_tree(path.mnt)] : [path.mnt];
  if ((on & MNT_READONLY) !== 0 && mounts.some((mnt) => (mnt.mnt_flags & MNT_READONLY) === 0 && mnt.mnt_sb.s_writers > 0)) throw EBUSY;
  for (const mnt of mounts) {
    mnt.mnt_flags = (mnt.mnt_flags & ~off) | on;
    if (propagation !== 0) change_mnt_propagation(task.kernel.vfs, mnt, propagation);
  }
  return 0;
});
