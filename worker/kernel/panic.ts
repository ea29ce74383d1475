// kernel/panic.ts — the end of the machine: panic, halt.  cf. kernel/panic.c, kernel/reboot.c
import type { Kernel } from "./kernel.ts";

/** Thrown when the machine stops: nothing more is executed. kernel.halted says why. Only the run loop catches it. */
export class Halt {}
export const HALT: Halt = Object.freeze(new Halt());

/** Stops the machine in Linux's words. `text` without a newline. */
export function panic(kernel: Kernel, text: string): never {
  const task = kernel.current;
  kernel.printk.emerg(`Kernel panic - not syncing: ${text}`);
  const cmdline = task?.comm ?? "swapper";
  kernel.printk.printk(3, `CPU: 0 PID: ${task?.pid ?? 0} Comm: ${cmdline} Not tainted ${kernel.uts.release} ${kernel.uts.version}`);
  for (const line of kernel.arch.show_regs(task)) kernel.printk.printk(3, line);
  kernel.halted = "panic";
  throw HALT;
}

/** A broken invariant of the kernel: a bug of ours. */
export function BUG(what: string): never {
  throw new Error(`kernel BUG: ${what}`);
}

export function machine_stop(kernel: Kernel, how: "halt" | "poweroff" | "restart"): never {
  kernel.halted = how;
  throw HALT;
}
