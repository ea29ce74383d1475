// kernel/kernel.ts — the kernel of one machine: the root that everything hangs off. No module has state of its own.
import type { Arch } from "./arch.ts";
import type { Os } from "../arch/um/os.ts";
import type { Memory } from "./uaccess.ts";
import type { Sched } from "./sched/core.ts";
import type { Task } from "./task.ts";
import type { Printk } from "./printk.ts";
import type { Timekeeping } from "./time/timekeeping.ts";
import type { Vfs } from "../fs/vfs.ts";
import type { PageAlloc } from "../mm/page_alloc.ts";
import type { NommuRegions } from "../mm/nommu_types.ts";
import type { ShadowFork } from "../mm/shadow.ts";
import type { CharDevices } from "../drivers/char/chrdev.ts";
import type { Devices } from "../drivers/base/core.ts";
import type { BlockDevices } from "../drivers/block/genhd.ts";
import type { Random } from "../drivers/char/random.ts";
import type { Params } from "./params.ts";
import type { Uts } from "./utsname.ts";
import type { StdioConsole } from "../arch/um/drivers/stdio_console.ts";
import type { Ipc } from "../ipc/ipc.ts";
import type { Net } from "../net/core/dev.ts";
import type { Pidfs } from "./pidfd.ts";
import type { Futexes } from "./futex_types.ts";

/** Each field is a subsystem's state, made by init/main.ts in Linux's order. */
export class Kernel {
  readonly mem: Memory;
  readonly arch: Arch;
  readonly os: Os;
  params!: Params;
  printk!: Printk;
  time!: Timekeeping;
  sched!: Sched;
  /** by pid (thread id); insertion order is creation order */
  readonly tasks = new Map<number, Task>();
  vfs!: Vfs;
  pages!: PageAlloc;
  regions!: NommuRegions;
  /** nommu.fork=shadow; undefined: there is no fork */
  shadow: ShadowFork | undefined;
  chrdev!: CharDevices;
  blkdev!: BlockDevices;
  devices!: Devices;
  random!: Random;
  uts!: Uts;
  futexes!: Futexes;
  pidfs!: Pidfs;
  /** con0 .. con15 */
  console!: StdioConsole;
  net!: Net;
  ipc!: Ipc;
  /** Ctrl-Alt-Del restarts at once (reboot(2) CAD_ON) instead of sending SIGINT to init */
  cad = true;
  /** kernel.sysrq: keys of magic SysRq that a keyboard would be heard for; the file /proc/sysrq-trigger always is */
  sysrq = 1;
  /** the hint at nommu.fork= was logged */
  fork_refused = false;
  /** the hint at nommu.et_exec= was logged */
  et_exec_refused = false;
  /** the hint at nommu.map_fixed= was logged */
  map_fixed_refused = false;
  /** the last process id given out */
  last_pid = 0;
  /** kernel.pid_max */
  pid_max = 32768;
  /** /proc/exitcode: UML's exit status on halt */
  exitcode = 0;
  /** Why the machine has stopped; set together with throwing HALT (kernel/panic.ts) */
  halted: "halt" | "poweroff" | "restart" | "panic" | undefined;
  /** the task whose registers are in the CPU; undefined while idle */
  current: Task | undefined;
  /** a work of the host that must end before another instruction retires (kernel/host_wait.ts) */
  host_work: Promise<void> | undefined;

  constructor(mem: Memory, arch: Arch, os: Os) {
    this.mem = mem;
    this.arch = arch;
    this.os = os;
  }
}
