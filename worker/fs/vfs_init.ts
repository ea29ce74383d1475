// fs/vfs_init.ts — the VFS comes up: file system types, the first mount, pseudo file systems.  cf. fs/dcache.c vfs_caches_init()
import type { Kernel } from "../kernel/kernel.ts";
import { AnonInodes } from "./anon_inodes.ts";
import { init_mount_tree } from "./namespace.ts";
import { ProcType } from "./proc/root.ts";
import { DevptsType } from "./devpts/inode.ts";
import { SysfsType } from "./sysfs/sysfs.ts";
import { HostfsType } from "./hostfs/hostfs_kern.ts";
import { RamfsType } from "./ramfs.ts";

/** kernel.vfs exists; afterwards vfs.root is an empty ramfs.  */
export function vfs_caches_init(kernel: Kernel): void {
  const { vfs } = kernel;
  vfs.anon = new AnonInodes(kernel);
  const ramfs = new RamfsType("ramfs");
  vfs.register_filesystem(ramfs);
  vfs.register_filesystem(new ProcType());
  vfs.register_filesystem(new SysfsType());
  vfs.devpts = new DevptsType();
  vfs.register_filesystem(vfs.devpts);
  vfs.register_filesystem(new RamfsType("tmpfs"));
  vfs.hostfs = new HostfsType();
  vfs.register_filesystem(vfs.hostfs);
  vfs.devpts.init(kernel);
  vfs.hostfs.init(kernel);
  init_mount_tree(kernel, new RamfsType("rootfs"));
}
