// fs/devtmpfs.ts — a ramfs that the kernel fills with device nodes; every mount is the same one.  cf. drivers/base/devtmpfs.c
import { S_IFBLK, S_IFCHR, S_IFDIR } from "../include/uapi/stat.ts";
import type { Device } from "../drivers/base/core.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { FileSystemType, type SuperBlock } from "./fs.ts";
import { d_drop } from "./dcache.ts";
import { RamfsInode, RamfsSuper } from "./ramfs.ts";

export class Devtmpfs extends FileSystemType {
  readonly name = "devtmpfs";
  private sb: RamfsSuper | undefined;
  override mount(kernel: Kernel): SuperBlock {
    if (this.sb === undefined) {
      this.sb = new RamfsSuper(kernel, this, 0o755);
      // the kernel's own hold: the nodes outlive every mount
      this.sb.s_active = 1;
      kernel.vfs.supers.push(this.sb);
    }
    return this.sb;
  }
  /** The directory and last component of a name that may have slashes ("pts/ptmx"); directories are made. */
  private parent(name: string): { dir: RamfsInode; last: string } {
    const parts = name.split("/");
    let dir = this.sb!.s_root.d_inode as RamfsInode;
    for (const part of parts.slice(0, -1)) dir = (dir.lookup(part) ?? dir.mkdir(part, S_IFDIR | 0o755, { uid: 0, gid: 0 })) as RamfsInode;
    return { dir, last: parts.at(-1)! };
  }
  create_node(device: Device): void {
    if (this.sb === undefined) return;
    const { dir, last } = this.parent(device.name);
    const mode = (device.block ? S_IFBLK : S_IFCHR) | device.mode;
    if (dir.lookup(last) === undefined) dir.mknod(last, mode, device.devt, { uid: 0, gid: 0 });
    this.forget(device.name);
  }
  delete_node(device: Device): void {
    if (this.sb === undefined) return;
    const { dir, last } = this.parent(device.name);
    const inode = dir.lookup(last);
    if (inode !== undefined && inode.i_rdev === device.devt) dir.unlink(last, inode);
    this.forget(device.name);
  }
  /** The dcache must not go on believing what it knew about the name. */
  private forget(name: string): void {
    let dentry = this.sb!.s_root;
    for (const part of name.split("/")) {
      const child = dentry.d_children.get(part);
      if (child === undefined) return;
      dentry = child;
    }
    d_drop(this.sb!.kernel.vfs, dentry);
  }
}

/** Makes devtmpfs with nodes for all devices known so far; later ones appear by themselves.  cf. devtmpfs_init() */
export function devtmpfs_init(kernel: Kernel): void {
  const { vfs } = kernel;
  const type = new Devtmpfs();
  vfs.register_filesystem(type);
  type.mount(kernel);
  vfs.devtmpfs = type;
  for (const d of kernel.devices.list) type.create_node(d);
}
