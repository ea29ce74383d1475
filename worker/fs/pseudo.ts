// fs/pseudo.ts — files whose content is made when they are read: the base of proc and sysfs.  cf. fs/seq_file.c, fs/libfs.c
//
// Inodes are machine state and hold data only: what a file shows is decided by a method of its class (and keys it holds), never by a stored function.
import { EACCES, EINVAL, EIO, ENODEV, ENOENT, ENOTDIR } from "../include/uapi/errno.ts";
import { S_IFDIR, S_IFLNK, S_IFREG, S_ISDIR, S_ISREG } from "../include/uapi/stat.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { Inode, SuperBlock, Dentry, File, type FileSystemType, type Iattr, type Path, type StatFs } from "./fs.ts";
import { GenericFops, dir_operations } from "./generic_file.ts";
import { S_NOATIME, current_time } from "./inode.ts";

export class PseudoSuper extends SuperBlock {
  readonly type: FileSystemType;
  private readonly blocks: number;
  /** looking up a name that is absent fails by itself (proc), so that mkdir and the like say ENOENT, not EPERM */
  strict = false;
  constructor(kernel: Kernel, type: FileSystemType, magic: number, blocks = 0) {
    super(kernel);
    this.type = type;
    this.s_magic = magic;
    this.s_dev = kernel.vfs.get_anon_bdev();
    this.s_blocksize = 4096;
    this.blocks = blocks;
  }
  set_root(inode: Inode): void {
    this.s_root = new Dentry("/", undefined, inode, this);
  }
  override statfs(): StatFs {
    const n = this.blocks;
    return { type: this.s_magic, bsize: 4096, blocks: n, bfree: n, bavail: n, files: 0, ffree: 0, namelen: 255, fsid: [this.s_dev, 0], flags: 0 };
  }
}

export abstract class PseudoInode extends Inode {
  declare readonly i_sb: PseudoSuper;
  constructor(sb: PseudoSuper, mode: number) {
    super(sb);
    this.i_ino = sb.kernel.vfs.get_next_ino();
    this.i_mode = mode;
    this.i_flags = S_NOATIME;
    this.i_atime = this.i_mtime = this.i_ctime = current_time(sb.kernel);
  }
  /** The inode of `name` in this directory. */
  protected find(_name: string): Inode | undefined {
    throw ENOTDIR;
  }
  override lookup(name: string): Inode | undefined {
    const inode = this.find(name);
    if (inode === undefined && this.i_sb.strict) throw ENOENT;
    return inode;
  }
  override get blksize(): number {
    return 1024;
  }
  override setattr(attr: Iattr): void {
    if (attr.size !== undefined) return;
    if (attr.mode !== undefined) this.i_mode = attr.mode;
    if (attr.uid !== undefined) this.i_uid = attr.uid;
    if (attr.gid !== undefined) this.i_gid = attr.gid;
  }
  override open(_task: Task | undefined, path: Path, flags: number): File {
    if (S_ISDIR(this.i_mode)) return new File(path, this, flags, dir_operations);
    throw ENODEV;
  }
}

/** A regular file that is text. */
export abstract class TextInode extends PseudoInode {
  constructor(sb: PseudoSuper, perm: number) {
    super(sb, S_IFREG | perm);
  }
  /** The whole content now, for a reader. */
  abstract show(reader: Task): string;
  /** What was written, newline and all; an Errno if it is not to its liking. */
  store(_writer: Task, _text: string): void {
    throw EIO;
  }
  /** Asked once per open. */
  check_open(_task: Task | undefined): void {}
  override open(task: Task | undefined, path: Path, flags: number): File {
    if (!S_ISREG(this.i_mode)) throw EACCES;
    this.check_open(task);
    return new File(path, this, flags, new SeqFile());
  }
}

/** Reads come from one rendering, made when a read begins at position 0. */
export class SeqFile extends GenericFops {
  private text = "";
  private shown = false;
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    if (pos === 0 || !this.shown) {
      this.text = (file.f_inode as TextInode).show(task);
      this.shown = true;
    }
    const n = Math.max(0, Math.min(len, this.text.length - pos));
    for (let i = 0; i < n; i++) buf[off + i] = this.text.charCodeAt(pos + i);
    return n;
  }
  override write(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len > 65536) throw EINVAL;
    let text = "";
    for (let i = 0; i < len; i++) text += String.fromCharCode(buf[off + i]!);
    (file.f_inode as TextInode).store(task, text);
    this.shown = false;
    return len;
  }
  override llseek(file: File, task: Task, off: number, whence: number): number {
    if (whence === 2) throw EINVAL;
    return super.llseek(file, task, off, whence);
  }
  override fsync(): void {
    throw EINVAL;
  }
}

export const dir_mode = (perm: number): number => S_IFDIR | perm;
export const link_mode = (perm = 0o777): number => S_IFLNK | perm;

/** An integer as proc and sysfs files take it: decimal, 0x or 0, blanks around. Throws EINVAL. */
export function kstrtol(text: string): number {
  const t = text.trim();
  if (!/^[-+]?(0x[0-9a-f]+|\d+)$/i.test(t)) throw EINVAL;
  const body = t.replace(/^[-+]/, "");
  const v = /^0[0-7]+$/.test(body) ? parseInt(body, 8) : Number(body);
  return t.startsWith("-") ? -v : v;
}
