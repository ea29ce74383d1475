// drivers/tty/sysrq.ts — magic SysRq by /proc/sysrq-trigger: what Linux does and says for each key.  cf. drivers/tty/sysrq.c
//
// Keys that need what is not in this kernel (virtual terminals, a second processor, ftrace, an out-of-memory killer, lists of timers) are no keys.
import { EIO } from "../../include/uapi/errno.ts";
import { SB_RDONLY } from "../../include/uapi/mount.ts";
import { SIGKILL, SIGTERM } from "../../include/uapi/signal.ts";
import { Errno } from "../../include/uapi/errno.ts";
import { proc_create, ProcEntry } from "../../fs/proc/internal.ts";
import { get_task_state } from "../../fs/proc/array.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { machine_stop, panic, show_stack } from "../../kernel/panic.ts";
import { CONSOLE_LOGLEVEL_DEBUG, CONSOLE_LOGLEVEL_DEFAULT, KERN_INFO } from "../../kernel/printk.ts";
import { group_send_sig } from "../../kernel/signal.ts";
import { task_ppid } from "../../kernel/pid.ts";
import { EXIT_DEAD, PF_KTHREAD, SCHED_NORMAL, TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from "../../kernel/task.ts";
import { show_mem } from "../../mm/show_mem.ts";

interface SysrqKey {
  readonly help: string;
  readonly action: string;
  readonly handler: (kernel: Kernel, key: string) => void;
}

const loglevel: SysrqKey = {
  help: "loglevel(0-9)",
  action: "Changing Loglevel",
  handler: ({ printk }, key) => {
    printk.console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;
    printk.info(`sysrq: Loglevel set to ${key}`);
    printk.console_loglevel = Number(key);
  },
};

/** cf. send_sig_all() */
function send_sig_all(kernel: Kernel, sig: number): void {
  for (const t of [...kernel.tasks.values()]) if (t.group_leader === t && (t.flags & PF_KTHREAD) === 0 && t.tgid !== 1 && !t.exit_state_dead()) group_send_sig(sig, t);
  kernel.printk.console_loglevel = CONSOLE_LOGLEVEL_DEBUG;
}

/** cf. do_sync_work() */
function emergency_sync(kernel: Kernel): void {
  for (const sb of kernel.vfs.supers) {
    try {
      sb.sync_fs(undefined);
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
    }
  }
  kernel.printk.warn("Emergency Sync complete");
}

/** All that is on a disk becomes read-only, the last mounted first.  cf. do_emergency_remount() */
function emergency_remount(kernel: Kernel): void {
  for (const sb of [...kernel.vfs.supers].reverse()) {
    if (!sb.type.requires_dev || (sb.s_flags & SB_RDONLY) !== 0) continue;
    try {
      sb.remount_fs(sb.s_flags | SB_RDONLY, "");
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
    }
  }
  kernel.printk.warn("Emergency Remount complete");
}

/** cf. sched_show_task() */
function sched_show_task(kernel: Kernel, t: Task): void {
  const pad = (v: number, width: number): string => String(v).padEnd(width);
  kernel.printk.info(
    `task:${t.comm.slice(0, 15).padEnd(15)} state:${get_task_state(t)[0]} stack:${pad(0, 5)} pid:${pad(t.pid, 5)} tgid:${pad(t.tgid, 5)} ppid:${pad(task_ppid(t), 6)} flags:0x00000000`,
  );
  show_stack(kernel, t, KERN_INFO, t === kernel.current ? ["show_state_filter", "__handle_sysrq"] : t.state === TASK_RUNNING || t.exit_state_dead() ? [] : ["schedule"]);
}
function show_state_filter(kernel: Kernel, state: number | undefined): void {
  for (const t of kernel.tasks.values()) if (t.state !== EXIT_DEAD && (state === undefined || t.state === state)) sched_show_task(kernel, t);
}

/** Real-time tasks become ordinary ones.  cf. normalize_rt_tasks() */
function normalize_rt_tasks(kernel: Kernel): void {
  for (const t of kernel.tasks.values()) {
    if (t.rt_priority === 0) {
      if (t.nice < 0) t.nice = 0;
      continue;
    }
    t.policy = SCHED_NORMAL;
    t.rt_priority = 0;
    kernel.sched.requeue(t);
  }
}

/** In the order of Linux's table: help names them so. */
const KEYS: Readonly<Record<string, SysrqKey>> = {
  ...Object.fromEntries([..."0123456789"].map((k) => [k, loglevel])),
  b: { help: "reboot(b)", action: "Resetting", handler: (k) => machine_stop(k, "restart") },
  c: { help: "crash(c)", action: "Trigger a crash", handler: (k) => panic(k, "sysrq triggered crash", ["sysrq_handle_crash", "__handle_sysrq", "write_sysrq_trigger"]) },
  e: { help: "terminate-all-tasks(e)", action: "Terminate All Tasks", handler: (k) => send_sig_all(k, SIGTERM) },
  i: { help: "kill-all-tasks(i)", action: "Kill All Tasks", handler: (k) => send_sig_all(k, SIGKILL) },
  j: { help: "thaw-filesystems(j)", action: "Emergency Thaw of all frozen filesystems", handler: (k) => k.printk.warn("Emergency Thaw complete") },
  m: { help: "show-memory-usage(m)", action: "Show Memory", handler: show_mem },
  n: { help: "nice-all-RT-tasks(n)", action: "Nice All RT Tasks", handler: normalize_rt_tasks },
  o: {
    help: "poweroff(o)",
    action: "Power Off",
    handler: (k) => {
      k.printk.emerg("reboot: Power down");
      machine_stop(k, "poweroff");
    },
  },
  // only an interrupt has registers to show
  p: { help: "show-registers(p)", action: "Show Regs", handler: () => {} },
  s: { help: "sync(s)", action: "Emergency Sync", handler: emergency_sync },
  t: { help: "show-task-states(t)", action: "Show State", handler: (k) => show_state_filter(k, undefined) },
  u: { help: "unmount(u)", action: "Emergency Remount R/O", handler: emergency_remount },
  w: { help: "show-blocked-tasks(w)", action: "Show Blocked State", handler: (k) => show_state_filter(k, TASK_UNINTERRUPTIBLE) },
};

/** Does what a key is for, and says so whatever the console's log level.  cf. __handle_sysrq() */
export function __handle_sysrq(kernel: Kernel, key: string): void {
  const { printk } = kernel;
  const op = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
  const level = printk.console_loglevel;
  printk.console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;
  printk.info(`sysrq: ${op?.action ?? `HELP : ${[...new Set(Object.values(KEYS))].map((k) => `${k.help} `).join("")}`}`);
  printk.console_loglevel = level;
  op?.handler(kernel, key);
}

/** /proc/sysrq-trigger: the first byte is the key; after an underscore all are. */
export class SysrqTrigger extends ProcEntry {
  constructor() {
    super(0o200);
  }
  override show(): string {
    throw EIO;
  }
  override store(kernel: Kernel, _writer: Task, text: string): void {
    let bulk = false;
    for (const c of text) {
      if (c === "_") bulk = true;
      else __handle_sysrq(kernel, c);
      if (!bulk) break;
    }
  }
}
export function sysrq_init(kernel: Kernel): void {
  proc_create(kernel, "sysrq-trigger", new SysrqTrigger());
}
