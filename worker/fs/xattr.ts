// fs/xattr.ts — extended attributes.  cf. fs/xattr.c
import { E2BIG, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE } from "../include/uapi/errno.ts";
import { AT_FDCWD, XATTR_CREATE, XATTR_REPLACE } from "../include/uapi/fcntl.ts";
import { S_ISDIR, S_ISREG, S_ISVTX } from "../include/uapi/stat.ts";
import { CAP_SETFCAP, CAP_SYS_ADMIN, capable } from "../kernel/cred.ts";
import { Fd, Hex, InBuf, OutBuf, Path as PathArg, Str, SYSCALL_DEFINE, Size } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { check_write, copy_from_user, copy_to_user, strncpy_from_user } from "../kernel/uaccess.ts";
import type { Inode, Path } from "./fs.ts";
import { MAY_READ, MAY_WRITE, S_APPEND, S_IMMUTABLE, inode_owner_or_capable, inode_permission, mnt_want_write } from "./inode.ts";
import { LOOKUP_FOLLOW, user_path_at } from "./namei.ts";
import { acl_type, posix_acl_from_xattr, set_posix_acl, vfs_get_acl, type AclType, type PosixAcl } from "./posix_acl.ts";

const XATTR_NAME_MAX = 255;
const XATTR_SIZE_MAX = 65536;
const XATTR_LIST_MAX = 65536;

interface Target {
  inode: Inode;
  path: Path | undefined;
}
function by_path(task: Task, name: number, follow: boolean): Target {
  const path = user_path_at(task, AT_FDCWD, name, follow ? LOOKUP_FOLLOW : 0);
  return { inode: path.dentry.d_inode!, path };
}
function by_fd(task: Task, fd: number): Target {
  const file = task.files!.fget(fd);
  if (file.f_inode === undefined) throw EOPNOTSUPP;
  return { inode: file.f_inode, path: file.f_path };
}
function xattr_name(task: Task, addr: number): string {
  const name = strncpy_from_user(task.kernel.mem, addr, XATTR_NAME_MAX + 1, ERANGE);
  if (name === "") throw ERANGE;
  return name;
}

/** Which name spaces the caller may use.  cf. xattr_permission() */
function xattr_permission(task: Task, inode: Inode, name: string, mask: number): void {
  if ((mask & MAY_WRITE) !== 0) may_write_xattr(inode);
  if (name.startsWith("security.") || name.startsWith("system.")) return;
  if (name.startsWith("trusted.")) {
    if (!capable(task, CAP_SYS_ADMIN)) throw (mask & MAY_WRITE) !== 0 ? EPERM : ENODATA;
    return;
  }
  if (name.startsWith("user.")) {
    if (!S_ISREG(inode.i_mode) && !S_ISDIR(inode.i_mode)) throw (mask & MAY_WRITE) !== 0 ? EPERM : ENODATA;
    if (S_ISDIR(inode.i_mode) && (inode.i_mode & S_ISVTX) !== 0 && (mask & MAY_WRITE) !== 0 && !inode_owner_or_capable(task.cred, inode)) throw EPERM;
  }
  inode_permission(task, inode, mask);
}

/** A name that is nothing but its prefix belongs to nobody, one with another prefix neither; there are no system names but those of access lists.  cf. xattr_resolve_name() */
function xattr_resolve_name(name: string): void {
  if (/^(user|trusted|security)\.$/.test(name)) throw EINVAL;
  if (!/^(user|trusted|security)\./.test(name)) throw EOPNOTSUPP;
}

/** The checks of an attribute that needs no right to the data.  cf. may_write_xattr() */
function may_write_xattr(inode: Inode): void {
  if ((inode.i_flags & (S_IMMUTABLE | S_APPEND)) !== 0) throw EPERM;
}
function set_acl(task: Task, t: Target, type: AclType, acl: PosixAcl | null): number {
  may_write_xattr(t.inode);
  set_posix_acl(task.cred, t.inode, type, acl);
  task.kernel.vfs.fsnotify.change(t.path?.dentry, t.inode, { mode: 0 });
  return 0;
}

/** security.* is for who administers the system; file capabilities have a capability of their own.  cf. cap_inode_setxattr(), cap_convert_nscap() */
function cap_inode_setxattr(task: Task, name: string): void {
  if (name.startsWith("security.") && !capable(task, name === "security.capability" ? CAP_SETFCAP : CAP_SYS_ADMIN)) throw EPERM;
}

function setxattr(task: Task, t: Target, nameaddr: number, value: number, size: number, flags: number): number {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) throw EINVAL;
  const name = xattr_name(task, nameaddr);
  if (size > XATTR_SIZE_MAX) throw E2BIG;
  const bytes = size > 0 ? copy_from_user(task.kernel.mem, value, size) : new Uint8Array(0);
  if (t.path !== undefined) mnt_want_write(t.path.mnt);
  const acl = acl_type(name);
  if (acl !== undefined) return set_acl(task, t, acl, posix_acl_from_xattr(bytes));
  xattr_permission(task, t.inode, name, MAY_WRITE);
  cap_inode_setxattr(task, name);
  xattr_resolve_name(name);
  t.inode.setxattr(name, bytes, flags);
  task.kernel.vfs.fsnotify.change(t.path?.dentry, t.inode, { mode: 0 });
  return 0;
}
function vfs_getxattr(task: Task, inode: Inode, name: string): Uint8Array {
  const acl = acl_type(name);
  if (acl !== undefined) return vfs_get_acl(inode, acl);
  xattr_permission(task, inode, name, MAY_READ);
  xattr_resolve_name(name);
  return inode.getxattr(name);
}
function getxattr(task: Task, t: Target, nameaddr: number, value: number, size: number): number {
  const name = xattr_name(task, nameaddr);
  const bytes = vfs_getxattr(task, t.inode, name);
  if (size === 0) return bytes.length;
  if (bytes.length > size) throw ERANGE;
  copy_to_user(task.kernel.mem, value, bytes);
  return bytes.length;
}
function listxattr(task: Task, t: Target, list: number, size: number): number {
  const names = t.inode.listxattr().filter((n) => !n.startsWith("trusted.") || capable(task, CAP_SYS_ADMIN));
  const text = names.map((n) => `${n}\0`).join("");
  if (size === 0) return text.length;
  if (text.length > Math.min(size, XATTR_LIST_MAX)) throw text.length > XATTR_LIST_MAX ? E2BIG : ERANGE;
  const m = task.kernel.mem;
  if (text.length > 0) check_write(m, list, text.length);
  for (let i = 0; i < text.length; i++) m.u8[list + i] = text.charCodeAt(i);
  return text.length;
}
function removexattr(task: Task, t: Target, nameaddr: number): number {
  const name = xattr_name(task, nameaddr);
  if (t.path !== undefined) mnt_want_write(t.path.mnt);
  const acl = acl_type(name);
  if (acl !== undefined) return set_acl(task, t, acl, null);
  xattr_permission(task, t.inode, name, MAY_WRITE);
  cap_inode_setxattr(task, name);
  xattr_resolve_name(name);
  t.inode.removexattr(name);
  task.kernel.vfs.fsnotify.change(t.path?.dentry, t.inode, { mode: 0 });
  return 0;
}

/** setxattr(2) */
export const sys_setxattr = SYSCALL_DEFINE("setxattr", [PathArg, Str, InBuf, Size, Hex], (task, path, name, value, size, flags) => setxattr(task, by_path(task, path, true), name, value, size, flags));
/** lsetxattr(2) */
export const sys_lsetxattr = SYSCALL_DEFINE("lsetxattr", [PathArg, Str, InBuf, Size, Hex], (task, path, name, value, size, flags) => setxattr(task, by_path(task, path, false), name, value, size, flags));
/** fsetxattr(2) */
export const sys_fsetxattr = SYSCALL_DEFINE("fsetxattr", [Fd, Str, InBuf, Size, Hex], (task, fd, name, value, size, flags) => setxattr(task, by_fd(task, fd), name, value, size, flags));
/** getxattr(2) */
export const sys_getxattr = SYSCALL_DEFINE("getxattr", [PathArg, Str, OutBuf, Size], (task, path, name, value, size) => getxattr(task, by_path(task, path, true), name, value, size));
/** lgetxattr(2) */
export const sys_lgetxattr = SYSCALL_DEFINE("lgetxattr", [PathArg, Str, OutBuf, Size], (task, path, name, value, size) => getxattr(task, by_path(task, path, false), name, value, size));
/** fgetxattr(2) */
export const sys_fgetxattr = SYSCALL_DEFINE("fgetxattr", [Fd, Str, OutBuf, Size], (task, fd, name, value, size) => getxattr(task, by_fd(task, fd), name, value, size));
/** listxattr(2) */
export const sys_listxattr = SYSCALL_DEFINE("listxattr", [PathArg, OutBuf, Size], (task, path, list, size) => listxattr(task, by_path(task, path, true), list, size));
/** llistxattr(2) */
export const sys_llistxattr = SYSCALL_DEFINE("llistxattr", [PathArg, OutBuf, Size], (task, path, list, size) => listxattr(task, by_path(task, path, false), list, size));
/** flistxattr(2) */
export const sys_flistxattr = SYSCALL_DEFINE("flistxattr", [Fd, OutBuf, Size], (task, fd, list, size) => listxattr(task, by_fd(task, fd), list, size));
/** removexattr(2) */
export const sys_removexattr = SYSCALL_DEFINE("removexattr", [PathArg, Str], (task, path, name) => removexattr(task, by_path(task, path, true), name));
/** lremovexattr(2) */
export const sys_lremovexattr = SYSCALL_DEFINE("lremovexattr", [PathArg, Str], (task, path, name) => removexattr(task, by_path(task, path, false), name));
/** fremovexattr(2) */
export const sys_fremovexattr = SYSCALL_DEFINE("fremovexattr", [Fd, Str], (task, fd, name) => removexattr(task, by_fd(task, fd), name));
