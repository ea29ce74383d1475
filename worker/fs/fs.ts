// fs/fs.ts — the objects of the VFS: SuperBlock, Inode, Dentry, Mount, Path, File, FileOperations.  cf. include/linux/fs.h, dcache.h, mount.h
//
// File names and paths are byte strings: JavaScript strings with one char (0..255) per byte. Whoever shows them decodes UTF-8.
// Data moves as (buf, off, len): `buf` is guest memory itself (off = guest address) or a kernel buffer; no views are made per call.
import type { Cred } from "../kernel/cred.ts";
import type { Memory } from "../kernel/uaccess.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import type { WaitQueue } from "../kernel/sched/wait.ts";
import type { FileLockContext } from "./locks.ts";
import type { Filename } from "./names.ts";
import type { Pipe } from "./pipe.ts";
import type { EventPoll } from "./eventpoll.ts";
import type { AclType, PosixAcl } from "./posix_acl.ts";
import type { InotifyWatch } from "./notify/inotify.ts";
import { S_ISDIR, S_ISREG } from "../include/uapi/stat.ts";
import { EINVAL, EISDIR, ENODEV, ENOTDIR, ENOTTY, EOPNOTSUPP, EPERM, EROFS, ESPIPE } from "../include/uapi/errno.ts";

/** Seconds since the epoch (may be negative) and nanoseconds. */
export interface Timespec64 {
  sec: number;
  nsec: number;
}

/** struct kstatfs */
export interface StatFs {
  type: number;
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
  namelen: number;
  fsid: [number, number];
  flags: number;
}

/** What chmod, chown, truncate and utimensat change. Absent: unchanged.  cf. struct iattr */
export interface Iattr {
  mode?: number;
  uid?: number;
  gid?: number;
  size?: number;
  atime?: Timespec64;
  mtime?: Timespec64;
  ctime?: Timespec64;
}

export abstract class FileSystemType {
  abstract readonly name: string;
  /** needs a block device (no "nodev" in /proc/filesystems) */
  readonly requires_dev: boolean = false;
  /** Mounts: `source` as given to mount(2), `data` the option string. Throws an Errno; says why with printk where Linux does. */
  abstract mount(kernel: Kernel, task: Task | undefined, source: string, flags: number, data: string): SuperBlock;
}

export abstract class SuperBlock {
  readonly kernel: Kernel;
  abstract readonly type: FileSystemType;
  /** device number as makedev() packs it in kernel form: major << 20 | minor */
  s_dev = 0;
  /** SB_RDONLY, SB_NOSUID ... */
  s_flags = 0;
  s_root!: Dentry;
  /** bytes */
  s_blocksize = 4096;
  s_magic = 0;
  /** of pipefs and the like: a mount that is nowhere in the tree */
  s_kern_mnt: Mount | undefined;
  /** mounts of it; the last umount calls put_super */
  s_active = 0;
  /** its inodes may have access control lists (SB_POSIXACL) */
  s_posixacl = false;
  /** Files open for writing: they keep it from becoming read-only */
  s_writers = 0;
  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }
  abstract statfs(): StatFs;
  /** Writes back everything of this file system. May wait for the host: see sync_host in kernel/host_wait.ts. */
  sync_fs(_task: Task | undefined): void {}
  /** ro <-> rw and new options. Default: takes the flags. */
  remount_fs(flags: number, _data: string): void {
    this.s_flags = flags;
  }
  /** The last mount is gone. */
  put_super(): void {}
  /** bytes of file data it keeps in memory, and how many of them are newer than the disk (/proc/meminfo) */
  cached_bytes(): { cached: number; dirty: number } {
    return { cached: 0, dirty: 0 };
  }
  /** what /proc/mounts shows after ro/rw, with a leading comma: ",relatime" is the mount's, this is the fs's own */
  show_options(): string {
    return "";
  }
}

export abstract class Inode {
  readonly i_sb: SuperBlock;
  i_ino = 0;
  /** S_IFMT bits and permissions */
  i_mode = 0;
  i_nlink = 1;
  i_uid = 0;
  i_gid = 0;
  /** bytes */
  i_size = 0;
  /** 512-byte units */
  i_blocks = 0;
  i_rdev = 0;
  i_atime: Timespec64 = { sec: 0, nsec: 0 };
  i_mtime: Timespec64 = { sec: 0, nsec: 0 };
  i_ctime: Timespec64 = { sec: 0, nsec: 0 };
  i_btime: Timespec64 | undefined = undefined;
  /** S_IMMUTABLE, S_APPEND ... of the inode (FS_IOC_SETFLAGS) */
  i_flags = 0;
  i_generation = 0;
  /** access control lists (fs/posix_acl.ts): null none, undefined not read yet */
  i_acl: PosixAcl | null | undefined = null;
  i_default_acl: PosixAcl | null | undefined = null;
  /** changes with every write to the data: what exec's translation cache is keyed by */
  i_version = 0;
  /** open Files, working directories and other users (path_get, ihold) that keep a nlink 0 inode alive: see evict */
  i_count = 0;
  /** > 0: opened for writing that often; < 0: being executed (deny_write_access)  */
  i_writecount = 0;
  /** the pipe behind a FIFO that is open */
  i_pipe: Pipe | undefined = undefined;
  /** POSIX, OFD and flock locks (fs/locks.ts) */
  i_flock: FileLockContext | undefined = undefined;
  /** inotify watches */
  i_watches: InotifyWatch[] | undefined = undefined;
  /** a symbolic link's text, split (fs/namei.ts) */
  i_link: Filename | undefined = undefined;
  /** S_ISSOCK: who is bound to it (net/unix) */
  i_socket: unknown = undefined;
  constructor(sb: SuperBlock) {
    this.i_sb = sb;
  }

  // --- inode_operations. Names are single components. They throw; defaults are what Linux's VFS says of a file system without the operation.
  // The VFS has checked rights and existence, and gives modes with their S_IFMT bits, umask, default lists and set-group-id directories taken
  // into account (`cred` is who will own the new inode). The file system changes link counts, the directory's and the inode's times.
  /** The inode of `name`, or undefined. */
  lookup(_name: string): Inode | undefined {
    throw ENOTDIR;
  }
  /** Whether the dcache may trust what `lookup` said. If not, each use asks `d_revalidate` of what was found, and absent names are looked up again. */
  d_cacheable(): boolean {
    return true;
  }
  /** Of an inode in a directory that is not cacheable: is it still there? (procfs: the process lives) */
  d_revalidate(): boolean {
    return true;
  }
  create(_name: string, _mode: number, _cred: Owner): Inode {
    throw EPERM;
  }
  mkdir(_name: string, _mode: number, _cred: Owner): Inode {
    throw EPERM;
  }
  mknod(_name: string, _mode: number, _rdev: number, _cred: Owner): Inode {
    throw EPERM;
  }
  symlink(_name: string, _target: string, _cred: Owner): Inode {
    throw EPERM;
  }
  link(_name: string, _inode: Inode): void {
    throw EPERM;
  }
  unlink(_name: string, _inode: Inode): void {
    throw EPERM;
  }
  rmdir(_name: string, _inode: Inode): void {
    throw EPERM;
  }
  /** Moves this[name] to newdir[newname] (same sb); `victim` is what is replaced; RENAME_EXCHANGE swaps the two. */
  rename(_name: string, _inode: Inode, _newdir: Inode, _newname: string, _victim: Inode | undefined, _flags: number): void {
    throw EPERM;
  }
  /** The target of a symbolic link. */
  readlink(_task: Task | undefined): string {
    throw EINVAL;
  }
  /** A magic link (/proc/self/exe, fd/N): where it leads, instead of a text to walk. */
  get_link(_task: Task): Path | undefined {
    return undefined;
  }
  /** A file system's own permission rule (procfs): whether `mask` (MAY_READ 4, MAY_WRITE 2, MAY_EXEC 1) is granted; undefined: the mode bits decide. */
  permission(_task: Task, _mask: number): boolean | undefined {
    return undefined;
  }
  /** Brings the fields that stat shows up to date, where they are computed. */
  getattr(): void {}
  /** Changes what is given and writes it. Rights were checked and ctime is among the attributes; `size` truncates or extends. */
  setattr(_attr: Iattr): void {
    throw EPERM;
  }
  /** All names of a directory but "." and "..", in the order and with the cookies that readdir shows: calls emit(name, ino, DT_x, next cookie) from cookie `pos` (>= 2) on until it returns false. */
  iterate(_pos: number, _emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    throw ENOTDIR;
  }
  /** An unnamed file in this directory, nlink 0 (O_TMPFILE). */
  tmpfile(_mode: number, _cred: Owner): Inode {
    throw EOPNOTSUPP;
  }
  /** Makes a File for an open, with operations that mostly are a GenericFops or DirFops (fs/generic_file.ts). Devices, FIFOs and sockets are handled by the VFS before this is asked. */
  open(_task: Task | undefined, _path: Path, _flags: number): File {
    throw ENODEV;
  }
  /** FS_IOC_GETFLAGS: FS_*_FL bits */
  fileattr_get(): number {
    throw ENOTTY;
  }
  fileattr_set(_flags: number): void {
    throw ENOTTY;
  }
  /** FS_IOC_FIEMAP: tells the mapped runs of bytes [from, to), in order, FIEMAP_EXTENT_* flags with each, until `each` says false. */
  fiemap(_from: number, _to: number, _each: (at: number, physical: number, len: number, flags: number) => boolean): void {
    throw EOPNOTSUPP;
  }
  /** FIBMAP: where a block of the file is on its device, 0 for a hole */
  bmap_block(_block: number): number {
    throw EINVAL;
  }
  /** Reads a list that is not remembered. */
  get_acl(_type: AclType): PosixAcl | null {
    return null;
  }
  /** Stores a list that was checked, null: has none any more; and the mode that comes with it, with ctime where it differs. */
  set_acl(_type: AclType, _acl: PosixAcl | null, _mode: number): void {
    throw EOPNOTSUPP;
  }
  getxattr(_name: string): Uint8Array {
    throw EOPNOTSUPP;
  }
  setxattr(_name: string, _value: Uint8Array, _flags: number): void {
    throw EOPNOTSUPP;
  }
  listxattr(): string[] {
    return [];
  }
  removexattr(_name: string): void {
    throw EOPNOTSUPP;
  }
  /** largest size of a file, bytes */
  get maxBytes(): number {
    return 2 ** 63;
  }
  /** i_count and i_nlink are 0: free it. */
  evict(): void {}
  /** st_blksize */
  get blksize(): number {
    return this.i_sb.s_blocksize;
  }
  get is_dir(): boolean {
    return (this.i_mode & 0o170000) === 0o040000;
  }
}

export interface Owner {
  /** fsuid, fsgid of who creates */
  uid: number;
  gid: number;
  /** access control lists that the directory hands down */
  acl?: PosixAcl;
  default_acl?: PosixAcl;
}

/** A name in a directory. `d_inode` undefined: known to be absent. */
export class Dentry {
  d_name: string;
  d_parent: Dentry;
  d_inode: Inode | undefined;
  readonly d_sb: SuperBlock;
  readonly d_children = new Map<string, Dentry>();
  /** mounts on top of this dentry exist */
  d_mounted = 0;
  /** removed from its parent (rmdir, unlink) */
  d_unhashed = false;
  /** users of it as a path (Files, working directories, mount points): it stays in the dcache */
  d_count = 0;
  /** looked up since the cache was last pruned */
  d_referenced = false;
  /** unnamed, but linkat may give it a name (O_TMPFILE without O_EXCL) */
  d_tmpfile = false;
  /** its directory is not cacheable: see Inode.d_revalidate */
  d_revalidate = false;
  constructor(name: string, parent: Dentry | undefined, inode: Inode | undefined, sb: SuperBlock) {
    this.d_name = name;
    this.d_parent = parent ?? this;
    this.d_inode = inode;
    this.d_sb = sb;
  }
}

export class Mount {
  readonly mnt_id: number;
  readonly mnt_sb: SuperBlock;
  readonly mnt_root: Dentry;
  mnt_parent: Mount;
  mnt_mountpoint: Dentry;
  mnt_flags = 0;
  /** users: Files, working and root directories. umount is EBUSY while there are some. */
  mnt_count = 0;
  /** in the tree (false after umount) */
  mnt_attached = false;
  readonly mnt_devname: string;
  readonly mnt_mounts = new Set<Mount>();
  /** number of its peer group, 0: not shared; number of the group it is a slave of, 0: none (fs/pnode.ts) */
  mnt_group_id = 0;
  mnt_master = 0;
  mnt_unbindable = false;
  /** MNT_EXPIRE asked for it, and nobody has used it since */
  mnt_expiry_mark = false;
  /** out of the tree for good: goes with its last user */
  mnt_umounted = false;
  constructor(id: number, sb: SuperBlock, root: Dentry, devname: string) {
    this.mnt_id = id;
    this.mnt_sb = sb;
    this.mnt_root = root;
    this.mnt_parent = this;
    this.mnt_mountpoint = root;
    this.mnt_devname = devname;
  }
}

export interface Path {
  readonly mnt: Mount;
  readonly dentry: Dentry;
}

/** poll events (uapi/asm-generic/poll.h) */
export const POLLIN = 0x001;
export const POLLPRI = 0x002;
export const POLLOUT = 0x004;
export const POLLERR = 0x008;
export const POLLHUP = 0x010;
export const POLLNVAL = 0x020;
export const POLLRDNORM = 0x040;
export const POLLRDBAND = 0x080;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLMSG = 0x400;
export const POLLRDHUP = 0x2000;

// what may be done with an open file: f_mode
/** There is a position, and pread, pwrite and lseek use it */
export const FMODE_LSEEK = 0x4;
/** A regular file or a directory: more than one user of a position must not be there at once. Here it says that without a look at the inode. */
export const FMODE_ATOMIC_POS = 0x8000;
/** O_DIRECT may be asked of it */
export const FMODE_CAN_ODIRECT = 0x400000;
/** RWF_NOWAIT may be asked of it */
export const FMODE_NOWAIT = 0x8000000;

/** An open file description. What can be done with it is f_op's: all Files are of one form, so that a call that any of them may come to finds its fields quickly. */
export class File {
  // declared, and assigned by the constructor: an open file is made for each open(2), and engines are slow to define fields
  declare readonly f_op: FileOperations;
  /** FMODE_* */
  declare f_mode: number;
  /** O_ACCMODE and status flags (O_NONBLOCK, O_APPEND ...) */
  declare f_flags: number;
  declare f_pos: number;
  declare f_inode: Inode | undefined;
  declare f_path: Path | undefined;
  /** descriptors, and others, that hold it; the last put releases */
  declare f_count: number;
  /** F_SETOWN: a process, or a process group when negative; F_SETSIG */
  declare f_owner: number;
  declare f_owner_sig: number;
  declare f_owner_tid: boolean;
  /** the descriptor that O_ASYNC was set through: si_fd */
  declare f_fasync_fd: number;
  /** epoll instances that watch it (fs/eventpoll.ts) drop it when the last descriptor goes */
  declare f_ep: EventPoll[] | undefined;
  /** who opened it, for files with a path */
  declare f_cred: Cred | undefined;
  constructor(path: Path | undefined, inode: Inode | undefined, flags: number, fops: FileOperations) {
    this.f_op = fops;
    this.f_mode = fops.f_mode | (inode !== undefined && (S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode)) ? FMODE_ATOMIC_POS : 0);
    this.f_flags = flags;
    this.f_pos = 0;
    this.f_inode = inode;
    this.f_path = path;
    this.f_count = 1;
    this.f_owner = 0;
    this.f_owner_sig = 0;
    this.f_owner_tid = false;
    this.f_fasync_fd = 0;
    this.f_ep = undefined;
    this.f_cred = undefined;
  }
  get readable(): boolean {
    return (this.f_flags & 1) === 0;
  }
  get writable(): boolean {
    return ((this.f_flags + 1) & 2) !== 0;
  }
  /** May pread/pwrite/lseek be used? */
  get seekable(): boolean {
    return (this.f_mode & FMODE_LSEEK) !== 0;
  }
}

/**
 * What can be done with open files of a kind; what a kind does not have is here.  cf. struct file_operations
 *
 * A kind whose Files have nothing of their own but f_pos has one of these for all of them. For others it also keeps what Linux has behind
 * private_data, and there is one for each File.
 *
 * read and write move up to `len` bytes between the file at `pos` and buf[off...]; they return how many, 0 at the end of file. A file without
 * positions (pipe, tty, socket) ignores `pos`. They may sleep (sched/wait.ts): the handler then runs again from its start, so they must not
 * have moved anything before they sleep, or remember it in task.restart.
 */
export abstract class FileOperations {
  /** FMODE_* of its Files */
  get f_mode(): number {
    return 0;
  }
  read(_file: File, _task: Task, _buf: Uint8Array, _off: number, _len: number, _pos: number): number {
    throw EINVAL;
  }
  write(_file: File, _task: Task, _buf: Uint8Array, _off: number, _len: number, _pos: number): number {
    throw EINVAL;
  }
  /** lseek(2) does nothing to it and says 0: eventfds and the like.  cf. noop_llseek() */
  get noop_llseek(): boolean {
    return false;
  }
  /** Returns the new position. `whence`: SEEK_SET.. */
  llseek(_file: File, _task: Task, _off: number, _whence: number): number {
    throw ESPIPE;
  }
  /** Ready events, a mask of POLL*. When `queues` is given, adds the wait queues that announce a change. */
  poll(_file: File, _task: Task, _queues: WaitQueue[] | undefined): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  ioctl(_file: File, _task: Task, _cmd: number, _arg: number): number {
    throw ENOTTY;
  }
  /** Directories. Emits from f_pos on; see Inode.iterate. */
  iterate(_file: File, _task: Task, _emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    throw ENOTDIR;
  }
  fsync(_file: File, _task: Task, _datasync: boolean): void {
    throw EINVAL;
  }
  fallocate(_file: File, _task: Task, _mode: number, _off: number, _len: number): void {
    throw EOPNOTSUPP;
  }
  /** Each close(2) of a descriptor; errors are reported and the descriptor is gone all the same. */
  flush(_file: File, _task: Task): void {}
  /** For /proc/PID/fd/N of a file without a path: a path in a pseudo file system that leads to its inode (pipes can be opened again). */
  anon_path(file: File): Path | undefined {
    const inode = file.f_inode;
    const mnt = inode?.i_sb.s_kern_mnt;
    return inode === undefined || mnt === undefined ? undefined : { mnt, dentry: new Dentry(this.d_dname(file), undefined, inode, inode.i_sb) };
  }
  /** O_ASYNC can go on: files that say no never have the flag. */
  get has_fasync(): boolean {
    return false;
  }
  /** O_ASYNC goes on or off: SIGIO (or F_SETSIG's) for f_owner when input comes. */
  fasync(_file: File, _task: Task, _on: boolean): void {}
  /** What /proc/PID/fd/N leads to in words when there is no path: "pipe:[1]", "anon_inode:[eventfd]". */
  d_dname(_file: File): string {
    return "anon_inode:[none]";
  }
  /** Has splice operations: what they do is what read and write do. */
  get splices(): boolean {
    return (this.f_mode & FMODE_LSEEK) !== 0;
  }
  get splice_reads(): boolean {
    return this.splices;
  }
  /** A vector is written segment by segment, each a write of its own (there is a write operation, and no write_iter). */
  get writes_segments(): boolean {
    return false;
  }
  /** Has no poll operation in Linux: select and poll find it always ready, epoll refuses it. */
  get never_polls(): boolean {
    return false;
  }
  /** A regular file that has a poll operation all the same: /proc/mounts. */
  get polls(): boolean {
    return false;
  }
  /** The last reference is gone. */
  release(_file: File, _task: Task | undefined): void {}
  /** nommu: what mmap may do with it: "copy" (private copies only, ext4), "direct" (memory of its own: ramfs, get_unmapped_area), or false: ENODEV. */
  get mmap_capabilities(): "copy" | "direct" | "zero" | false {
    return false;
  }
  /** direct mapping: address in guest memory of [pgoff*4096, +len), contiguous, or undefined.  cf. ramfs_nommu_get_unmapped_area() */
  get_unmapped_area(_file: File, _pgoff: number, _len: number): number | undefined {
    return undefined;
  }
  /** what /proc/PID/fdinfo adds */
  show_fdinfo(_file: File): string {
    return "";
  }
}

export { EISDIR, EROFS };
export type { Memory };
