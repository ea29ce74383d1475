// fs/anon_inodes.ts — inodes of files that have no name: pipes, eventfds, epolls, sockets.  cf. fs/anon_inodes.c, fs/pipe.c pipefs, net/socket.c sockfs
import { ENOSYS, ENXIO } from "../include/uapi/errno.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { File, type FileOperations, FileSystemType, Inode, SuperBlock, Dentry, Mount, type Iattr, type StatFs } from "./fs.ts";
import { current_time } from "./inode.ts";

/** A file system that only the kernel mounts: it is there to give st_dev and f_type. */
export class PseudoFsType extends FileSystemType {
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
  }
  override mount(): SuperBlock {
    throw ENOSYS;
  }
}

export class PseudoSuperBlock extends SuperBlock {
  readonly type: PseudoFsType;
  constructor(kernel: Kernel, name: string, magic: number) {
    super(kernel);
    this.type = new PseudoFsType(name);
    this.s_dev = kernel.vfs.get_anon_bdev();
    this.s_magic = magic;
    this.s_root = new Dentry("/", undefined, new AnonInode(this, 0o040000), this);
    this.s_kern_mnt = new Mount(0, this, this.s_root, name);
  }
  override statfs(): StatFs {
    return { type: this.s_magic, bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0, namelen: 255, fsid: [0, 0], flags: 0 };
  }
}

export class AnonInode extends Inode {
  constructor(sb: SuperBlock, mode: number) {
    super(sb);
    this.i_ino = sb.kernel.vfs.get_next_ino();
    this.i_mode = mode;
    this.i_atime = this.i_mtime = this.i_ctime = current_time(sb.kernel);
  }
  /** Only pipes can be opened again, and they are not asked here. */
  override open(): never {
    throw ENXIO;
  }
  override setattr(attr: Iattr): void {
    if (attr.mode !== undefined) this.i_mode = attr.mode;
    if (attr.uid !== undefined) this.i_uid = attr.uid;
    if (attr.gid !== undefined) this.i_gid = attr.gid;
    if (attr.atime !== undefined) this.i_atime = attr.atime;
    if (attr.mtime !== undefined) this.i_mtime = attr.mtime;
    if (attr.ctime !== undefined) this.i_ctime = attr.ctime;
  }
}

export const PIPEFS_MAGIC = 0x50495045;
export const ANON_INODE_FS_MAGIC = 0x09041934;
export const SOCKFS_MAGIC = 0x534f434b;

export class AnonInodes {
  readonly pipefs: PseudoSuperBlock;
  readonly sockfs: PseudoSuperBlock;
  private readonly anon_inodefs: PseudoSuperBlock;
  /** one inode serves all eventfds, epolls, timerfds ... as in Linux */
  readonly anon_inode: AnonInode;

  constructor(kernel: Kernel) {
    this.anon_inodefs = new PseudoSuperBlock(kernel, "anon_inodefs", ANON_INODE_FS_MAGIC);
    this.pipefs = new PseudoSuperBlock(kernel, "pipefs", PIPEFS_MAGIC);
    this.sockfs = new PseudoSuperBlock(kernel, "sockfs", SOCKFS_MAGIC);
    this.anon_inode = new AnonInode(this.anon_inodefs, 0o600);
    this.anon_inode.i_count = 1;
  }
  pipe_inode(uid: number, gid: number): AnonInode {
    return this.make(this.pipefs, 0o010600, uid, gid);
  }
  sock_inode(uid: number, gid: number): AnonInode {
    return this.make(this.sockfs, 0o140777, uid, gid);
  }
  private make(sb: SuperBlock, mode: number, uid: number, gid: number): AnonInode {
    const inode = new AnonInode(sb, mode);
    inode.i_uid = uid;
    inode.i_gid = gid;
    return inode;
  }
}

/** An open file that belongs to no path: of an eventfd, a timerfd ...  cf. anon_inode_getfile() */
export function anon_inode_getfile(kernel: Kernel, fops: FileOperations, flags: number): File {
  const { vfs } = kernel;
  vfs.anon.anon_inode.i_count++;
  vfs.nr_files++;
  return new File(undefined, vfs.anon.anon_inode, flags, fops);
}
