// fs/hostfs/hostfs_kern.ts — hostfs: a directory that guest and host share: `mount -t hostfs none /mnt/host`.  cf. fs/hostfs/hostfs_kern.c
//
// UML's hostfs shows the host's own files. A browser has none to show, so here it is one directory (however often it is mounted) into which the host puts what a
// person hands over, as an event of the log, and out of which it reads what the guest has left there. Its bytes are pages of the page pool, as ramfs has them, so
// that a snapshot has them, too.
import { EINVAL, EISDIR, ENOMEM, type Errno } from "../../include/uapi/errno.ts";
import { S_IFREG, S_ISDIR, S_ISREG } from "../../include/uapi/stat.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { FileSystemType, File, type Owner, type Path, type StatFs, type SuperBlock } from "../fs.ts";
import { RamfsFops, RamfsInode, RamfsSuper } from "../ramfs.ts";

/** cf. HOSTFS_SUPER_MAGIC */
export const HOSTFS_SUPER_MAGIC = 0x00c0ffee;
const ROOT: Owner = { uid: 0, gid: 0 };
/** bytes of a file that is handed over, and of its name */
export const FILE_MAX = 32 << 20;
export const NAME_MAX = 255;

/** A file, as the host sees it. */
export interface HostFile {
  /** below the directory, a byte string */
  readonly path: string;
  readonly size: number;
}

export class HostfsFops extends RamfsFops {
  /** it was written through this description */
  private changed = false;
  override write(file: File, task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    this.changed = true;
    return super.write(file, task, buf, off, len, pos);
  }
  override release(file: File, task: Task | undefined): void {
    super.release(file, task);
    const inode = file.f_inode as HostfsInode;
    if (this.changed && inode.i_nlink > 0) inode.i_sb.written(inode);
  }
}

export class HostfsInode extends RamfsInode {
  declare readonly i_sb: HostfsSuper;
  /** names come from outside: what was absent may be there now */
  override d_cacheable(): boolean {
    return false;
  }
  /** in a cached name: unless something else has taken its place */
  override d_revalidate(): boolean {
    return this.i_nlink > 0;
  }
  override open(task: Task | undefined, path: Path, flags: number): File {
    return S_ISREG(this.i_mode) ? new File(path, this, flags, new HostfsFops()) : super.open(task, path, flags);
  }
}

export class HostfsSuper extends RamfsSuper {
  constructor(kernel: Kernel, type: FileSystemType) {
    super(kernel, type, 0o755);
    this.s_magic = HOSTFS_SUPER_MAGIC;
    // the host's end of it stays when the guest unmounts
    this.s_active = 1;
  }
  override new_inode(mode: number, owner: Owner): RamfsInode {
    return this.init_inode(new HostfsInode(this, this.new_ino(), mode), owner);
  }
  override statfs(): StatFs {
    return { ...super.statfs(), type: HOSTFS_SUPER_MAGIC };
  }
  override show_options(): string {
    return "";
  }
  get root(): HostfsInode {
    return this.s_root.d_inode as HostfsInode;
  }

  /** A person hands over a file: it is in the directory, in place of one of its name. Returns the errno of a failure; then nothing has changed but that an older one may be gone. */
  put(name: string, bytes: Uint8Array): Errno | undefined {
    if (name === "" || name === "." || name === ".." || name.length > NAME_MAX || /[/\0]/.test(name)) return EINVAL;
    const { root } = this;
    const old = root.lookup(name);
    if (old !== undefined && S_ISDIR(old.i_mode)) return EISDIR;
    // an open file goes on as it was: it has lost its name, as with rename(2)
    if (old !== undefined) {
      root.unlink(name, old);
      if (old.i_count === 0) old.evict();
    }
    const inode = root.create(name, S_IFREG | 0o644, ROOT) as HostfsInode;
    try {
      this.fill(inode, bytes);
    } catch (e) {
      root.unlink(name, inode);
      inode.evict();
      return e as Errno;
    }
    return undefined;
  }
  private fill(inode: HostfsInode, bytes: Uint8Array): void {
    // in one piece, so that it can be mapped shared; page by page where memory is in pieces
    try {
      inode.setattr({ size: bytes.length });
    } catch (e) {
      if (e !== ENOMEM) throw e;
    }
    if (inode.write_at(bytes, 0, bytes.length, 0) < bytes.length) throw ENOMEM;
  }

  /** All regular files, by path. */
  files(): HostFile[] {
    const out: HostFile[] = [];
    const walk = (dir: RamfsInode, at: string): void => {
      for (const [name, { inode }] of dir.entries) {
        if (S_ISDIR(inode.i_mode)) walk(inode, `${at}${name}/`);
        else if (S_ISREG(inode.i_mode)) out.push({ path: at + name, size: inode.i_size });
      }
    };
    walk(this.root, "");
    return out.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  /** A file's bytes, looked at without leaving a trace; undefined when there is none. */
  contents(path: string): Uint8Array<ArrayBuffer> | undefined {
    const inode = path.split("/").reduce<RamfsInode | undefined>((dir, name) => dir?.entries.get(name)?.inode, this.root);
    if (inode === undefined || !S_ISREG(inode.i_mode)) return undefined;
    const bytes = new Uint8Array(inode.i_size);
    inode.read_at(bytes, 0, bytes.length, 0);
    return bytes;
  }
  /** The guest has written a file and closed it: the host hears of it. */
  written(inode: HostfsInode): void {
    const found = this.files().find(({ path }) => path.split("/").reduce<RamfsInode | undefined>((dir, name) => dir?.entries.get(name)?.inode, this.root) === inode);
    if (found !== undefined) this.kernel.os.hostFile?.(found.path, found.size);
  }
}

export class HostfsType extends FileSystemType {
  readonly name = "hostfs";
  /** the one directory */
  sb!: HostfsSuper;
  init(kernel: Kernel): void {
    this.sb = new HostfsSuper(kernel, this);
  }
  /** `-o PATH`, a part of the host's tree in UML: there is but one directory here. */
  override mount(_kernel: Kernel, _task: Task | undefined, _source: string, _flags: number, data: string): SuperBlock {
    if (data !== "" && data !== "/") throw EINVAL;
    return this.sb;
  }
}
