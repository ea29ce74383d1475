// fs/notify/fsnotify.ts — tells inotify what happens to files.  cf. fs/notify/fsnotify.c, include/linux/fsnotify.h
//
// Nothing is looked at while nobody watches (`active` is 0): the calls below cost one comparison then.
import type { Kernel } from "../../kernel/kernel.ts";
import type { Dentry, File, Iattr, Inode } from "../fs.ts";
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

  private tell(inode: Inode, mask: number, name: string, cookie = 0, gone = false): void {
    const watches = inode.i_watches;
    if (watches !== undefined) for (const w of [...watches]) if (!gone || !w.excl_unlink) w.event(mask, name, cookie);
  }
  /** An event on an open file: its watchers hear it, and those of its directory with its name. */
  private on_file(file: File, mask: number): void {
    const inode = file.f_inode;
    if (this.active > 0 && inode !== undefined) this.on_dentry(file.f_path?.dentry, inode, mask, true);
  }
  /** `opened`: by an open file, so that who asked for IN_EXCL_UNLINK hears nothing of a name that is gone. */
  private on_dentry(dentry: Dentry | undefined, inode: Inode, mask: number, opened = false): void {
    if (inode.is_dir) mask |= IN_ISDIR;
    const gone = opened && dentry !== undefined && dentry.d_unhashed;
    // the directory may be gone, too
    const parent = dentry?.d_parent.d_inode;
    if (dentry !== undefined && parent !== undefined && dentry.d_parent !== dentry) this.tell(parent, mask, dentry.d_name, 0, gone);
    this.tell(inode, mask, "", 0, gone);
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
  /** By the name that was used.  cf. fsnotify_change() */
  change(dentry: Dentry | undefined, inode: Inode, attr: Iattr): void {
    if (this.active === 0) return;
    let mask = attr.size !== undefined ? IN_MODIFY : 0;
    if ((attr.mode ?? attr.uid ?? attr.gid) !== undefined) mask |= IN_ATTRIB;
    // one of the times alone was set as by an access or a change
    if (attr.atime !== undefined) mask |= attr.mtime !== undefined ? IN_ATTRIB : IN_ACCESS;
    else if (attr.mtime !== undefined) mask |= IN_MODIFY;
    if (mask !== 0) this.on_dentry(dentry, inode, mask);
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
  /** `target` had the new name. */
  move(olddir: Inode, oldname: string, newdir: Inode, newname: string, inode: Inode, target?: Inode): void {
    if (this.active === 0) return;
    const cookie = ++this.cookie;
    const dir = inode.is_dir ? IN_ISDIR : 0;
    this.tell(olddir, IN_MOVED_FROM | dir, oldname, cookie);
    this.tell(newdir, IN_MOVED_TO | dir, newname, cookie);
    if (target !== undefined) this.tell(target, IN_ATTRIB | (target.is_dir ? IN_ISDIR : 0), "");
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
