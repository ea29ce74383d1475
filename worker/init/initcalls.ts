// init/initcalls.ts — what comes up by itself, level by level.  cf. include/linux/init.h, the initcall levels
import { stdio_console_init } from "../arch/um/drivers/stdio_console.ts";
import { ubd_init } from "../arch/um/drivers/ubd_kern.ts";
import { Ext4FsType } from "../fs/ext4/super.ts";
import { proc_zpoline_init } from "../arch/um/proc_zpoline.ts";
import { unix98_pty_init } from "../drivers/tty/pty.ts";
import { proc_tty_init } from "../drivers/tty/proc.ts";
import { sysrq_init } from "../drivers/tty/sysrq.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Ipc } from "../ipc/ipc.ts";
import { ipc_proc_init } from "../ipc/proc.ts";
import { Net } from "../net/core/dev.ts";
import { net_proc_init } from "../net/proc.ts";
import { net_sysctl_init } from "../net/sysctl.ts";

/** Protocol families and other cores. */
export function arch_initcalls(kernel: Kernel): void {
  kernel.printk.info("NET: Registered PF_NETLINK/PF_ROUTE protocol family");
  kernel.net = new Net();
  kernel.ipc = new Ipc();
  kernel.printk.info("VFS: Disk quotas dquot_6.6.0\nVFS: Dquot-cache hash table entries: 512 (order 0, 4096 bytes)");
}
/** File systems; the other protocol families. */
export function fs_initcalls(kernel: Kernel): void {
  for (const name of ["ext4", "ext3", "ext2"] as const) kernel.vfs.register_filesystem(new Ext4FsType(name));
  net_proc_init(kernel);
  net_sysctl_init(kernel);
  ipc_proc_init(kernel);
  kernel.printk.info("NET: Registered PF_INET protocol family\nNET: Registered PF_UNIX/PF_LOCAL protocol family");
}
/** Drivers. */
export function device_initcalls(kernel: Kernel): void {
  kernel.printk.info("workingset: timestamp_bits=62 max_order=16 bucket_order=0\nio scheduler mq-deadline registered");
  proc_zpoline_init(kernel);
  unix98_pty_init(kernel);
  proc_tty_init(kernel);
  sysrq_init(kernel);
  no_network(kernel);
  stdio_console_init(kernel);
  ubd_init(kernel);
}
/** Network devices of the host (UML's eth0=, vec0:) are none of this machine's: said, so that nobody waits for one. */
function no_network(kernel: Kernel): void {
  for (const kind of ["eth", "vec"])
    for (const { name, value } of kernel.params.starting(kind))
      if (/^\w+\d/.test(name)) kernel.printk.warn(`${name.split(":")[0]}: no network leaves this machine, "${value ?? name}" is not opened; lo is there`);
}
