// init/initcalls.ts — what comes up by itself, level by level.  cf. include/linux/init.h, the initcall levels
import { ubd_init } from "../arch/um/drivers/ubd_kern.ts";
import type { Kernel } from "../kernel/kernel.ts";

/** Protocol families and other cores. */
export function arch_initcalls(kernel: Kernel): void {
  kernel.printk.info("VFS: Disk quotas dquot_6.6.0\nVFS: Dquot-cache hash table entries: 512 (order 0, 4096 bytes)");
}
/** File systems. */
export function fs_initcalls(_kernel: Kernel): void {}
/** Drivers. */
export function device_initcalls(kernel: Kernel): void {
  kernel.printk.info("workingset: timestamp_bits=62 max_order=16 bucket_order=0\nio scheduler mq-deadline registered");
  ubd_init(kernel);
}
