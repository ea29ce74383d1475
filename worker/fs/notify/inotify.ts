// fs/notify/inotify.ts — inotify: watches on inodes, a queue of events to read.  cf. fs/notify/inotify/inotify_user.c
import { EAGAIN, EEXIST, EINVAL, ENOSPC, ENOTTY } from "../../include/uapi/errno.ts";
import { AT_FDCWD, O_CLOEXEC, O_NONBLOCK, O_RDONLY } from "../../include/uapi/fcntl.ts";
import { FIONREAD } from "../../include/uapi/ioctls.ts";
import { WaitQueue, sleep_on } from "../../kernel/sched/wait.ts";
import { Fd, Hex, Int, Path as PathArg, SYSCALL_DEFINE } from "../../kernel/syscall.ts";
import type { Task } from "../../kernel/task.ts";
import { put_user_u32 } from "../../kernel/uaccess.ts";
import { type File, FileOperations, POLLIN, POLLRDNORM, type Inode } from "../fs.ts";
import { anon_inode_getfile } from "../anon_inodes.ts";
import { fput } from "../file_table.ts";
import { MAY_READ, inode_permission } from "../inode.ts";
import { LOOKUP_DIRECTORY, LOOKUP_FOLLOW, user_path_at } from "../namei.ts";
import { IN_IGNORED, IN_ISDIR, IN_Q_OVERFLOW, IN_UNMOUNT } from "./fsnotify.ts";

const IN_ALL_EVENTS = 0xfff;
const IN_ONLYDIR = 0x01000000;
const IN_DONT_FOLLOW = 0x02000000;
const IN_EXCL_UNLINK = 0x04000000;
const IN_MASK_CREATE = 0x10000000;
const IN_MASK_ADD = 0x20000000;
const IN_ONESHOT = 0x80000000;
const ALL_INOTIFY_BITS = IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ISDIR | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT;
/** fs.inotify.max_queued_events, max_user_watches */
export const MAX_QUEUED_EVENTS = 16384;
export const MAX_USER_WATCHES = 65536;

interface InotifyEvent {
  wd: number;
  mask: number;
  cookie: number;
  name: string;
}

/** One inode watched by one instance. */
export class InotifyWatch {
  readonly group: InotifyGroup;
  readonly wd: number;
  readonly inode: Inode;
  mask: number;
  constructor(group: InotifyGroup, wd: number, inode: Inode, mask: number) {
    this.group = group;
    this.wd = wd;
    this.inode = inode;
    this.mask = mask;
  }
  get excl_unlink(): boolean {
    return (this.mask & IN_EXCL_UNLINK) !== 0;
  }
  event(mask: number, name: string, cookie: number): void {
    if ((this.mask & mask & IN_ALL_EVENTS) === 0) return;
    this.group.queue({ wd: this.wd, mask: mask >>> 0, cookie, name });
    if ((this.mask & IN_ONESHOT) !== 0) this.group.remove(this);
  }
}

const record_length = (e: InotifyEvent): number => 16 + (e.name === "" ? 0 : (e.name.length + 1 + 15) & ~15);

/** An inotify instance. */
export class InotifyGroup extends FileOperations {
  readonly watches = new Map<number, InotifyWatch>();
  private readonly events: InotifyEvent[] = [];
  private next_wd = 1;
  readonly wait: WaitQueue = new WaitQueue();

  queue(e: InotifyEvent): void {
    const last = this.events.at(-1);
    if (last !== undefined && last.wd === e.wd && last.mask === e.mask && last.name === e.name && last.cookie === e.cookie) return;
    if (this.events.length >= MAX_QUEUED_EVENTS) {
      if (last!.mask !== IN_Q_OVERFLOW) this.events.push({ wd: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: "" });
      return;
    }
    this.events.push(e);
    this.wait.wake_up();
  }
  add(task: Task, inode: Inode, arg: number): number {
    const mask = arg & (IN_ALL_EVENTS | IN_ONESHOT | IN_EXCL_UNLINK);
    for (const w of this.watches.values()) {
      if (w.inode !== inode) continue;
      if ((arg & IN_MASK_CREATE) !== 0) throw EEXIST;
      w.mask = (arg & IN_MASK_ADD) !== 0 ? w.mask | mask : mask;
      return w.wd;
    }
    if (this.watches.size >= MAX_USER_WATCHES) throw ENOSPC;
    const w = new InotifyWatch(this, this.next_wd++, inode, mask);
    this.watches.set(w.wd, w);
    (inode.i_watches ??= []).push(w);
    task.kernel.vfs.fsnotify.active++;
    return w.wd;
  }
  remove(w: InotifyWatch): void {
    this.drop(w);
    this.queue({ wd: w.wd, mask: IN_IGNORED, cookie: 0, name: "" });
  }
  private drop(w: InotifyWatch): void {
    if (!this.watches.delete(w.wd)) return;
    const list = w.inode.i_watches!;
    list.splice(list.indexOf(w), 1);
    if (list.length === 0) w.inode.i_watches = undefined;
    w.inode.i_sb.kernel.vfs.fsnotify.active--;
  }
  override get has_fasync(): boolean {
    return true;
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (this.events.length === 0) {
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [this.wait]);
    }
    const view = new DataView(buf.buffer, buf.byteOffset);
    let at = 0;
    for (;;) {
      const e = this.events[0];
      if (e === undefined) return at;
      const n = record_length(e);
      if (at + n > len) {
        if (at === 0) throw EINVAL;
        return at;
      }
      view.setInt32(off + at, e.wd, true);
      view.setUint32(off + at + 4, e.mask, true);
      view.setUint32(off + at + 8, e.cookie, true);
      view.setUint32(off + at + 12, n - 16, true);
      for (let i = 16; i < n; i++) buf[off + at + i] = i - 16 < e.name.length ? e.name.charCodeAt(i - 16) : 0;
      at += n;
      this.events.shift();
    }
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wait);
    return this.events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }
  override ioctl(_file: File, task: Task, cmd: number, arg: number): number {
    if (cmd !== FIONREAD) throw ENOTTY;
    put_user_u32(task.kernel.mem, arg, this.events.reduce((n, e) => n + record_length(e), 0));
    return 0;
  }
  override get noop_llseek(): boolean {
    return true;
  }
  override d_dname(): string {
    return "anon_inode:inotify";
  }
  override show_fdinfo(): string {
    let s = "";
    for (const w of this.watches.values())
      s += `inotify wd:${w.wd.toString(16)} ino:${w.inode.i_ino.toString(16)} sdev:${w.inode.i_sb.s_dev.toString(16)} mask:${(w.mask & IN_ALL_EVENTS).toString(16)} ignored_mask:0 \n`;
    return s;
  }
  override release(file: File): void {
    for (const w of [...this.watches.values()]) this.drop(w);
    file.f_inode!.i_sb.kernel.vfs.fsnotify.groups.delete(this);
  }
}

/** inotify_init1(2) */
function do_inotify_init(task: Task, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) throw EINVAL;
  const group = new InotifyGroup();
  const file = anon_inode_getfile(task.kernel, group, O_RDONLY | (flags & O_NONBLOCK));
  try {
    const fd = task.files!.alloc_fd(task, file, (flags & O_CLOEXEC) !== 0);
    task.kernel.vfs.fsnotify.groups.add(group);
    return fd;
  } catch (e) {
    fput(task, file);
    throw e;
  }
}
export const sys_inotify_init1 = SYSCALL_DEFINE("inotify_init1", [Hex], do_inotify_init);
/** inotify_init(2) */
export const sys_inotify_init = SYSCALL_DEFINE("inotify_init", [], (task) => do_inotify_init(task, 0));

/** inotify_add_watch(2) */
export const sys_inotify_add_watch = SYSCALL_DEFINE("inotify_add_watch", [Fd, PathArg, Hex], (task, fd, name, mask) => {
  if ((mask & ALL_INOTIFY_BITS) === 0 || (mask & ~ALL_INOTIFY_BITS) !== 0) throw EINVAL;
  const { f_op: group } = task.files!.fget(fd);
  if ((mask & IN_MASK_ADD) !== 0 && (mask & IN_MASK_CREATE) !== 0) throw EINVAL;
  if (!(group instanceof InotifyGroup)) throw EINVAL;
  const flags = ((mask & IN_DONT_FOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((mask & IN_ONLYDIR) !== 0 ? LOOKUP_DIRECTORY : 0);
  const { dentry } = user_path_at(task, AT_FDCWD, name, flags);
  inode_permission(task, dentry.d_inode!, MAY_READ);
  return group.add(task, dentry.d_inode!, mask);
});
/** inotify_rm_watch(2) */
export const sys_inotify_rm_watch = SYSCALL_DEFINE("inotify_rm_watch", [Fd, Int], (task, fd, wd) => {
  const { f_op: group } = task.files!.fget(fd);
  if (!(group instanceof InotifyGroup)) throw EINVAL;
  const w = group.watches.get(wd);
  if (w === undefined) throw EINVAL;
  group.remove(w);
  return 0;
});

