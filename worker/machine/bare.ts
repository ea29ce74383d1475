// machine/bare.ts — a kernel without programs, CPU and memory: enough to make and to read file systems.
import { BlockDevice, GenDisk } from "../drivers/block/genhd.ts";
import { Ext4FsType, Ext4SuperBlock } from "../fs/ext4/super.ts";
import { Kernel } from "../kernel/kernel.ts";
import { Printk } from "../kernel/printk.ts";
import { Timekeeping } from "../kernel/time/timekeeping.ts";
import { NOTHING_NOTED, type Arch } from "../kernel/arch.ts";
import type { BlockStore, Os } from "../arch/um/os.ts";
import { MKDEV } from "../include/uapi/stat.ts";

/** Such a kernel, whose clock stands at `time` seconds since the epoch. Nothing that it does ever reaches a CPU. */
export function bareKernel(time: number): Kernel {
  const buffer = new ArrayBuffer(0);
  const mem = { buffer, size: 0, u8: new Uint8Array(buffer), i32: new Int32Array(buffer), u32: new Uint32Array(buffer), view: new DataView(buffer), written: () => undefined };
  const arch: Pick<Arch, "noted" | "set_exit_work"> = { noted: NOTHING_NOTED, set_exit_work: () => undefined };
  const kernel = new Kernel(mem, arch as Arch, {} as Os);
  kernel.time = new Timekeeping(kernel, time);
  kernel.printk = new Printk(kernel);
  kernel.printk.register_console({ name: "none", write: () => undefined });
  return kernel;
}

/** `store` as a block device of nobody's. */
export function bareDevice(store: BlockStore): BlockDevice {
  return new BlockDevice(new GenDisk("ubda", 98, 0, 16, store), MKDEV(98, 0), "ubda", 0, 0, store.size - (store.size % 512));
}

/** Mounts the ext4 file system that fills `store`; its journal is replayed. Throws EINVAL for what is none, and whatever a damaged one gives. */
export function bareMount(kernel: Kernel, store: BlockStore, flags = 0): Ext4SuperBlock {
  return new Ext4SuperBlock(kernel, new Ext4FsType("ext4"), bareDevice(store), flags, "");
}
