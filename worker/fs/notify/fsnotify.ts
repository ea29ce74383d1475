// fs/notify/fsnotify.ts — tells inotify what happens to files.  cf. fs/notify/fsnotify.c, include/linux/fsnotify.h
//
// Nothing is looked at while nobody watches (`active` is 0): the calls below cost one comparison then.
import type { Kernel } from "../../kernel/kernel.ts";
import type { File, Iattr, Inode } from "../fs.ts";
import type { InotifyWatch } from "./inotify.ts";

export const IN_ACCESS = 0x1;
export const IN_MODIFY = 0x2;
export const IN_ATTRIB = 0x4;
export const IN_CLOSE_WRITE = 0x8;
export const IN_CLOSE_NOWRITE = 0x10;
export const IN_OPEN = 0x20;
export const IN_MOVED_FROM = 0x40;
export const IN_MOVED_TO = 0x80;
export const IN_CREATE = 0x100;
export const IN_DELETE = 0x200;
export const IN_DELETE_SELF = 0x400;
export const IN_MOVE_SELF = 0x800;
export const IN_UNMOUNT = 0x2000;
export const IN_Q_OVERFLOW = 0x4000;
export const IN_IGNORED = 0x8000;
export const IN_ISDIR = 0x40000000;

export class Fsnotify {
  readonly kernel: Kernel;
  /** watches there are */
  active = 0;
  private cookie = 0;
  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  private tell(inode: Inode, mask: number, name: string, cookie = 0): void {
    const watches = inode.i_watches;
    if (watches !== undefined) for (const w of [...watches]) w.event(mask, name, cookie);
  }
  /** An event on an open file: its watchers hear it, and those of its directory with its name. */
  private on_file(file: File, mask: number): void {
    const inode = file.f_inode;
    if (this.active === 0 || inode === undefined) return;
    const dir = inode.is_dir ? IN_ISDIR : 0;
    const dentry = file.f_path?.dentry;
    if (dentry !== undefined && dentry.d_parent !== dentry) this.tell(dentry.d_parent.d_inode!, mask | dir, dentry.d_name);
    this.tell(inode, mask | dir, "");
  }
  open(file: File): void {
    if (this.active > 0) this.on_file(file, IN_OPEN);
  }
  access(file: File): void {
    if (this.active > 0) this.on_file(file, IN_ACCESS);
  }
  written(file: File): void {
    if (this.active > 0) this.on_file(file, IN_MODIFY);
  }
  close(file: File): void {
    if (this.active > 0) this.on_file(file, file.writable ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
  }
  /** Truncation and the like, of an inode without a known name: also its names in watched directories. */
  modify(inode: Inode): void {
    if (this.active > 0) this.with_parents(inode, IN_MODIFY);
  }
  change(inode: Inode, attr: Iattr): void {
    if (this.active === 0) return;
    if (attr.size !== undefined) this.with_parents(inode, IN_MODIFY);
    if ((attr.mode ?? attr.uid ?? attr.gid ?? attr.atime ?? attr.mtime) !== undefined) this.with_parents(inode, IN_ATTRIB);
  }
  /** Watched directories are few: looks which of them hold a cached name of the inode. */
  private with_parents(inode: Inode, mask: number): void {
    const dir = inode.is_dir ? IN_ISDIR : 0;
    for (const parent of this.watched()) {
      for (const dentry of parent.dentries()) if (dentry.d_inode === inode) parent.event(mask | dir, dentry.d_name, 0);
    }
    this.tell(inode, mask | dir, "");
  }
  private watched(): InotifyWatch[] {
    const out: InotifyWatch[] = [];
    for (const group of this.groups) for (const w of group.watches.values()) if (w.inode.is_dir) out.push(w);
    return out;
  }
  /** inotify instances, in the order in which they were made */
  readonly groups = new Set<{ watches: Map<number, InotifyWatch> }>();

  create(dir: Inode, name: string, isdir: boolean): void {
    if (this.active > 0) this.tell(dir, IN_CREATE | (isdir ? IN_ISDIR : 0), name);
  }
  link(dir: Inode, name: string, inode: Inode): void {
    if (this.active === 0) return;
    this.tell(inode, IN_ATTRIB, "");
    this.tell(dir, IN_CREATE, name);
  }
  /** A link to the inode went: its watchers hear that its attributes changed. */
  link_count(inode: Inode): void {
    if (this.active > 0 && !inode.is_dir) this.tell(inode, IN_ATTRIB, "");
  }
  /** The name went, after what the inode itself had to say. */
  delete(dir: Inode, name: string, isdir: boolean): void {
    if (this.active > 0) this.tell(dir, IN_DELETE | (isdir ? IN_ISDIR : 0), name);
  }
  move(olddir: Inode, oldname: string, newdir: Inode, newname: string, inode: Inode): void {
    if (this.active === 0) return;
    const cookie = ++this.cookie;
    const dir = inode.is_dir ? IN_ISDIR : 0;
    this.tell(olddir, IN_MOVED_FROM | dir, oldname, cookie);
    this.tell(newdir, IN_MOVED_TO | dir, newname, cookie);
    this.tell(inode, IN_MOVE_SELF, "");
  }
  /** The last name went. Its watches end when its last user does: `now`, or with fput. */
  inode_gone(inode: Inode, now: boolean): void {
    if (this.active === 0 || !now) return;
    this.delete_self(inode);
  }
  delete_self(inode: Inode): void {
    const watches = inode.i_watches;
    if (watches === undefined) return;
    this.tell(inode, IN_DELETE_SELF, "");
    for (const w of [...watches]) w.group.remove(w);
  }
}
