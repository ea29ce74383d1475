// kernel/panic.ts — the end of the machine: panic, oops, halt; and where in the kernel a task is.  cf. kernel/panic.c, lib/dump_stack.c, arch/um/kernel/sysrq.c
import type { Kernel } from "./kernel.ts";
import { CONSOLE_LOGLEVEL_MOTORMOUTH, KERN_WARNING } from "./printk.ts";
import type { Task } from "./task.ts";

/** Thrown when the machine stops: nothing more is executed. kernel.halted says why. Only the run loop catches it. */
export class Halt {}
export const HALT: Halt = Object.freeze(new Halt());

/**
 * The functions of the kernel that a task is in, innermost first. It is the same whatever executes the machine, so it is made of what the machine
 * knows: `innermost`, then the call or the signal that led there, then page 0's entry.
 */
export function stack_trace(kernel: Kernel, task: Task | undefined, innermost: readonly string[]): string[] {
  if (task === undefined || (task.tgid === 1 && task.mm === undefined)) return [...innermost, "kernel_init", "ret_from_fork"];
  if (task.syscall_nr >= 0) return [...innermost, `sys_${kernel.arch.syscall_name(task.syscall_nr)}`, "do_syscall_64", "__kernel_vsyscall"];
  return [...innermost, "get_signal", "do_signal", "interrupt_end", "userspace"];
}

/** cf. show_stack() */
export function show_stack(kernel: Kernel, task: Task | undefined, level: number, innermost: readonly string[]): void {
  kernel.printk.printk(level, `Call Trace:\n${stack_trace(kernel, task, innermost).map((f) => ` ${f}`).join("\n")}\n`);
}

/** Who and where, the registers, the last system calls.  cf. dump_stack(), show_regs() */
function dump_stack(kernel: Kernel, innermost: readonly string[]): void {
  const task = kernel.current;
  const { uts, printk: log } = kernel;
  const comm = task?.comm ?? "swapper";
  log.printk(KERN_WARNING, `CPU: 0 UID: ${task?.cred.uid ?? 0} PID: ${task?.pid ?? 0} Comm: ${comm} Not tainted ${uts.release} ${uts.version}`);
  show_stack(kernel, task, KERN_WARNING, innermost);
  for (const line of kernel.arch.show_regs(task)) log.printk(KERN_WARNING, line);
}

/** cf. console_verbose() */
function console_verbose(kernel: Kernel): void {
  if (kernel.printk.console_loglevel !== 0) kernel.printk.console_loglevel = CONSOLE_LOGLEVEL_MOTORMOUTH;
}

/** Stops the machine in Linux's words. `text` without a newline; `from`: the kernel's functions that led here, innermost first. */
export function panic(kernel: Kernel, text: string, from: readonly string[] = []): never {
  console_verbose(kernel);
  kernel.printk.emerg(`Kernel panic - not syncing: ${text}`);
  dump_stack(kernel, ["panic", ...from]);
  kernel.halted = "panic";
  throw HALT;
}

/** A broken invariant of the kernel: a bug of ours. */
export function BUG(what: string): never {
  throw new Error(`kernel BUG: ${what}`);
}

/** The kernel failed at something that is no errno: a bug of ours. It is logged as Linux logs an oops; whoever runs the machine gets the error itself. */
export function oops(kernel: Kernel, error: unknown): void {
  const what = error instanceof Error ? error.message : String(error);
  console_verbose(kernel);
  kernel.printk.emerg(`BUG: failure: ${what}`);
  kernel.printk.emerg("Kernel panic - not syncing: BUG!");
  dump_stack(kernel, ["panic"]);
}

export function machine_stop(kernel: Kernel, how: "halt" | "poweroff" | "restart"): never {
  kernel.halted = how;
  throw HALT;
}
