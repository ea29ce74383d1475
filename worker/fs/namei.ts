// fs/namei.ts — path walk: from a name to a mount and a dentry.  cf. fs/namei.c
//
// One Nameidata per VFS holds the state of the walk that is going on; who keeps the result copies it (nd.path()). A walk never sleeps.
import { EACCES, EBADF, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../include/uapi/errno.ts";
import {
  AT_FDCWD, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV,
} from "../include/uapi/fcntl.ts";
import { MNT_NOSYMFOLLOW } from "../include/uapi/mount.ts";
import { S_IFDIR, S_IFLNK, S_IFMT } from "../include/uapi/stat.ts";
import type { Task } from "../kernel/task.ts";
import type { Dentry, Inode, Mount, Path } from "./fs.ts";
import { d_add, d_drop } from "./dcache.ts";
import { MAY_EXEC, inode_permission, touch_atime } from "./inode.ts";
import { Filename, NAME_MAX } from "./names.ts";

/** follow a symbolic link in the last component */
export const LOOKUP_FOLLOW = 1;
/** the result must be a directory */
export const LOOKUP_DIRECTORY = 2;
/** an empty name means the starting point (AT_EMPTY_PATH) */
export const LOOKUP_EMPTY = 0x4000;

/** What the last component of a parent lookup is. */
export const LAST_NORM = 0;
/** the name is "/" or ended in a magic link: there is no last component */
export const LAST_ROOT = 1;
export const LAST_DOT = 2;
export const LAST_DOTDOT = 3;

const MAXSYMLINKS = 40;

/** A walk: where it stands, and how many links it followed. */
export class Nameidata implements Path {
  mnt!: Mount;
  dentry!: Dentry;
  root_mnt!: Mount;
  root_dentry!: Dentry;
  /** parent lookups: the last component, not yet looked up, and its type */
  last = "";
  last_type = LAST_NORM;
  /** the last component ended with a slash */
  trailing = false;
  links = 0;
  /** RESOLVE_* of openat2 */
  resolve = 0;
  path(): Path {
    return { mnt: this.mnt, dentry: this.dentry };
  }
}

/** The mount on top of nd, if any, as long as there is one.  cf. follow_down() */
function traverse_mounts(task: Task, nd: Nameidata): void {
  while (nd.dentry.d_mounted > 0) {
    const on = task.kernel.vfs.mountpoints.get(nd.dentry);
    // the last one, without a closure: many paths begin on a mount
    let i = on === undefined ? -1 : on.length - 1;
    while (i >= 0 && on![i]!.mnt_parent !== nd.mnt) i--;
    const mounted = on?.[i];
    if (mounted === undefined) return;
    if ((nd.resolve & RESOLVE_NO_XDEV) !== 0) throw EXDEV;
    mounted.mnt_expiry_mark = false;
    nd.mnt = mounted;
    nd.dentry = mounted.mnt_root;
  }
}

/** ".."  cf. handle_dots() */
function follow_dotdot(task: Task, nd: Nameidata): void {
  for (;;) {
    if (nd.dentry === nd.root_dentry && nd.mnt === nd.root_mnt) {
      if ((nd.resolve & RESOLVE_BENEATH) !== 0) throw EXDEV;
      break;
    }
    if (nd.dentry !== nd.mnt.mnt_root) {
      nd.dentry = nd.dentry.d_parent;
      break;
    }
    if (nd.mnt.mnt_parent === nd.mnt) break;
    if ((nd.resolve & RESOLVE_NO_XDEV) !== 0) throw EXDEV;
    nd.dentry = nd.mnt.mnt_mountpoint;
    nd.mnt = nd.mnt.mnt_parent;
  }
  traverse_mounts(task, nd);
}

/** The dentry of `name` in directory `dir`, negative or not; asks the file system where the cache does not know.  cf. lookup_fast(), lookup_slow() */
export function lookup_one(task: Task, dir: Dentry, name: string): Dentry {
  const cached = dir.d_children.get(name);
  if (cached !== undefined) {
    if (!cached.d_revalidate || (cached.d_inode !== undefined && cached.d_inode.d_revalidate())) {
      cached.d_referenced = true;
      return cached;
    }
    if (cached.d_count > 0 || cached.d_mounted > 0) cached.d_parent.d_children.delete(name);
    d_drop(task.kernel.vfs, cached);
  }
  if (name.length > NAME_MAX) throw ENAMETOOLONG;
  const inode = dir.d_inode!.lookup(name);
  const dentry = d_add(task.kernel.vfs, dir, name, inode);
  dentry.d_revalidate = !dir.d_inode!.d_cacheable();
  return dentry;
}

function may_lookup(task: Task, nd: Nameidata): void {
  const inode = nd.dentry.d_inode!;
  const mode = inode.i_mode;
  if ((mode & S_IFMT) !== S_IFDIR) throw ENOTDIR;
  // everybody may search: nothing to ask (file systems with rules of their own leave a bit out, lists may leave somebody out)
  if ((mode & 0o111) !== 0o111 || inode.i_acl !== null) inode_permission(task, inode, MAY_EXEC);
}

/** One component from a directory; `follow`: if it is a symbolic link, goes where it leads.  cf. walk_component() */
function walk_component(task: Task, nd: Nameidata, name: string, follow: boolean, trailing = false): void {
  may_lookup(task, nd);
  if (name === ".") return;
  if (name === "..") return follow_dotdot(task, nd);
  const parent = nd.dentry;
  const dentry = lookup_one(task, parent, name);
  const inode = dentry.d_inode;
  if (inode === undefined) throw ENOENT;
  nd.dentry = dentry;
  if ((inode.i_mode & S_IFMT) === S_IFLNK) {
    if (follow) step_into_link(task, nd, parent, trailing);
    return;
  }
  if (dentry.d_mounted > 0) traverse_mounts(task, nd);
}

/** In a directory where anybody makes what only its owner may remove, a link is followed for its owner, and for the directory's.  cf. may_follow_link() */
function may_follow_link(task: Task, dir: Inode, link: Inode): void {
  if (task.kernel.vfs.protected_symlinks === 0 || link.i_uid === task.cred.fsuid || (dir.i_mode & 0o1002) !== 0o1002 || dir.i_uid === link.i_uid) return;
  throw EACCES;
}

/** nd is at a symbolic link found in `parent`: goes where it leads, links there followed too. `trailing`: it is the end of the whole path */
function step_into_link(task: Task, nd: Nameidata, parent: Dentry, trailing: boolean): void {
  if (trailing) may_follow_link(task, parent.d_inode!, nd.dentry.d_inode!);
  const target = begin_link(task, nd, parent);
  if (target === undefined) return;
  const { parts } = target;
  for (let i = 0; i < parts.length; i++) walk_component(task, nd, parts[i]!, true, trailing && i === parts.length - 1);
  if (target.trailing && !nd.dentry.d_inode!.is_dir) throw ENOTDIR;
}

/** Reads the link that nd is at and goes to where its text starts; undefined: a magic link, nd is at its end.  cf. pick_link() */
function begin_link(task: Task, nd: Nameidata, parent: Dentry): Filename | undefined {
  if (++nd.links > MAXSYMLINKS) throw ELOOP;
  const inode = nd.dentry.d_inode!;
  if ((nd.resolve & RESOLVE_NO_SYMLINKS) !== 0 || (nd.mnt.mnt_flags & MNT_NOSYMFOLLOW) !== 0) throw ELOOP;
  touch_atime(nd.mnt, inode);
  const magic = inode.get_link(task);
  if (magic !== undefined) {
    if ((nd.resolve & (RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) throw (nd.resolve & RESOLVE_NO_MAGICLINKS) !== 0 ? ELOOP : EXDEV;
    if ((nd.resolve & RESOLVE_NO_XDEV) !== 0 && magic.mnt !== nd.mnt) throw EXDEV;
    nd.mnt = magic.mnt;
    nd.dentry = magic.dentry;
    return undefined;
  }
  const text = inode.readlink(task);
  if (text === "") throw ENOENT;
  const target = inode.i_link !== undefined && inode.i_link.name === text ? inode.i_link : (inode.i_link = new Filename(text));
  if (target.absolute) nd_jump_root(nd);
  else nd.dentry = parent;
  return target;
}

function nd_jump_root(nd: Nameidata): void {
  if ((nd.resolve & RESOLVE_BENEATH) !== 0) throw EXDEV;
  if ((nd.resolve & RESOLVE_NO_XDEV) !== 0 && nd.mnt !== nd.root_mnt) throw EXDEV;
  nd.mnt = nd.root_mnt;
  nd.dentry = nd.root_dentry;
}

/** Where a walk begins: root, working directory, or descriptor `dfd`.  cf. path_init() */
function path_init(task: Task, nd: Nameidata, dfd: number, name: Filename, resolve: number): void {
  const fs = task.fs!;
  nd.links = 0;
  nd.resolve = resolve;
  nd.root_mnt = fs.root.mnt;
  nd.root_dentry = fs.root.dentry;
  if (resolve === 0 && name.absolute) {
    nd.mnt = nd.root_mnt;
    nd.dentry = nd.root_dentry;
    return;
  }
  if (dfd === AT_FDCWD) {
    nd.mnt = fs.pwd.mnt;
    nd.dentry = fs.pwd.dentry;
  } else {
    const path = task.files!.fget_raw(dfd).f_path;
    if (path === undefined) throw name.parts.length > 0 ? ENOTDIR : EBADF;
    if (name.parts.length > 0 && !path.dentry.d_inode!.is_dir) throw ENOTDIR;
    nd.mnt = path.mnt;
    nd.dentry = path.dentry;
  }
  if (resolve === 0) return;
  if ((resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) {
    nd.root_mnt = nd.mnt;
    nd.root_dentry = nd.dentry;
  }
  if (name.absolute) nd_jump_root(nd);
}

/**
 * Looks `name` up from `dfd` on. Flags are LOOKUP_*, `resolve` openat2's RESOLVE_*. The result is valid until the next walk.
 * Throws ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EBADF, EXDEV.  cf. filename_lookup()
 */
export function filename_lookup(task: Task, dfd: number, name: Filename, flags: number, resolve = 0): Nameidata {
  const nd = task.kernel.vfs.nd;
  const parts = name.parts;
  if (parts.length === 0 && !name.absolute) {
    if ((flags & LOOKUP_EMPTY) === 0) throw ENOENT;
    if (dfd !== AT_FDCWD) {
      const path = task.files!.fget_raw(dfd).f_path;
      if (path === undefined) throw EBADF;
    }
  }
  path_init(task, nd, dfd, name, resolve);
  const last = parts.length - 1;
  for (let i = 0; i < last; i++) walk_component(task, nd, parts[i]!, true);
  if (last >= 0) walk_component(task, nd, parts[last]!, name.trailing || (flags & LOOKUP_FOLLOW) !== 0, true);
  if ((name.trailing || (flags & LOOKUP_DIRECTORY) !== 0) && !nd.dentry.d_inode!.is_dir) throw ENOTDIR;
  return nd;
}

/** Walks to the directory of the last component; nd.last and nd.last_type tell what is left.  cf. filename_parentat() */
export function filename_parentat(task: Task, dfd: number, name: Filename, resolve = 0): Nameidata {
  const nd = task.kernel.vfs.nd;
  if (name.parts.length === 0 && !name.absolute) throw ENOENT;
  path_init(task, nd, dfd, name, resolve);
  walk_parent(task, nd, name);
  return nd;
}

function walk_parent(task: Task, nd: Nameidata, name: Filename): void {
  const parts = name.parts;
  const last = parts.length - 1;
  for (let i = 0; i < last; i++) walk_component(task, nd, parts[i]!, true);
  set_last(nd, last < 0 ? undefined : parts[last]!, name.trailing);
  if (last >= 0) may_lookup(task, nd);
}

function set_last(nd: Nameidata, last: string | undefined, trailing: boolean): void {
  nd.last = last ?? "";
  nd.trailing = trailing;
  nd.last_type = last === undefined ? LAST_ROOT : last === "." ? LAST_DOT : last === ".." ? LAST_DOTDOT : LAST_NORM;
}

/** nd is at a symbolic link, found as the last component in `parent`: walks its text up to its own last component. Whether there is one (magic: no).  cf. open_last_lookups() */
export function follow_last_link(task: Task, nd: Nameidata, parent: Dentry): boolean {
  const trailing = nd.trailing;
  may_follow_link(task, parent.d_inode!, nd.dentry.d_inode!);
  const target = begin_link(task, nd, parent);
  if (target === undefined) {
    set_last(nd, undefined, trailing);
    return false;
  }
  walk_parent(task, nd, target);
  if (trailing) nd.trailing = true;
  return true;
}

export { traverse_mounts };

/** Looks up the path at user address `addr`. */
export function user_path_at(task: Task, dfd: number, addr: number, flags: number): Nameidata {
  const kernel = task.kernel;
  return filename_lookup(task, dfd, kernel.vfs.names.getname(kernel.mem, addr, (flags & LOOKUP_EMPTY) !== 0), flags);
}

/** Looks up a path the kernel has as text. */
export function kern_path(task: Task, name: string, flags = LOOKUP_FOLLOW): Path {
  return filename_lookup(task, AT_FDCWD, new Filename(name), flags).path();
}

/** Throws EACCES unless the inode is a directory the task may search. */
export function may_chdir(task: Task, path: Path): void {
  const inode = path.dentry.d_inode!;
  if (!inode.is_dir) throw ENOTDIR;
  inode_permission(task, inode, MAY_EXEC);
}
export { EACCES };
