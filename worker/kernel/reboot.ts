// kernel/reboot.ts — reboot(2): halt, power off, restart.  cf. kernel/reboot.c
import { EINVAL, EPERM } from "../include/uapi/errno.ts";
import { CAP_SYS_BOOT, capable } from "./cred.ts";
import type { Kernel } from "./kernel.ts";
import { machine_stop } from "./panic.ts";
import { Hex, Int, Ptr, SYSCALL_DEFINE } from "./syscall.ts";
import { check_read, strncpy_from_user } from "./uaccess.ts";

const MAGIC1 = -0x011e2153; // 0xfee1dead
const MAGIC2 = new Set([672274793, 85072278, 369367448, 537993216]);
const RESTART = 0x01234567;
const HALT_CMD = 0xcdef0123;
const CAD_ON = 0x89abcdef;
const CAD_OFF = 0;
const POWER_OFF = 0x4321fedc;
const RESTART2 = 0xa1b2c3d4;
const SW_SUSPEND = 0xd000fce2;
const KEXEC = 0x45584543;

export function kernel_restart(kernel: Kernel, cmd: string | undefined): never {
  kernel.printk.emerg(cmd === undefined ? "reboot: Restarting system" : `reboot: Restarting system with command '${cmd}'`);
  machine_stop(kernel, "restart");
}
export function kernel_halt(kernel: Kernel): never {
  kernel.printk.emerg("reboot: System halted");
  machine_stop(kernel, "halt");
}
/** reboot(2). UML sets no pm_power_off, so powering off becomes a halt. */
export const sys_reboot = SYSCALL_DEFINE("reboot", [Int, Int, Hex, Ptr], (task, magic1, magic2, cmd, arg) => {
  const kernel = task.kernel;
  if (!capable(task, CAP_SYS_BOOT)) throw EPERM;
  if (magic1 !== MAGIC1 || !MAGIC2.has(magic2)) throw EINVAL;
  cmd %= 0x100000000;
  if (cmd === POWER_OFF) cmd = HALT_CMD;
  switch (cmd) {
    case RESTART:
      return kernel_restart(kernel, undefined);
    case RESTART2:
      check_read(kernel.mem, arg, 1);
      return kernel_restart(kernel, strncpy_from_user(kernel.mem, arg, 255));
    case CAD_ON:
    case CAD_OFF:
      kernel.cad = cmd === CAD_ON;
      return 0;
    case HALT_CMD:
      return kernel_halt(kernel);
    case SW_SUSPEND:
    case KEXEC:
      throw EINVAL;
    default:
      throw EINVAL;
  }
});
