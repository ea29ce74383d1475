// fs/proc/generic.ts — the plain files of /proc: cpuinfo, stat, uptime, version, devices, partitions ...  cf. fs/proc/*.c, arch/um/kernel/um_arch.c
import { EINVAL } from "../../include/uapi/errno.ts";
import { MAJOR, MINOR } from "../../include/uapi/stat.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from "../../kernel/task.ts";
import { kstrtol } from "../pseudo.ts";
import { FileLocks } from "../locks.ts";
import type { ProcTable } from "./internal.ts";

const TICK = 10_000_000;
const ticks = (ns: number): number => Math.floor(ns / TICK);

/** cf. show_stat() */
function show_stat(kernel: Kernel): string {
  const { sched, time } = kernel;
  const cpu = `${ticks(sched.user_ns)} 0 ${ticks(sched.system_ns)} ${ticks(time.idle)} 0 0 0 0 0 0`;
  let running = 0;
  let blocked = 0;
  for (const t of kernel.tasks.values()) {
    if (t.state === TASK_RUNNING) running++;
    if (t.state === TASK_UNINTERRUPTIBLE) blocked++;
  }
  return (
    `cpu  ${cpu}\ncpu0 ${cpu}\nintr 0\nctxt ${sched.nr_switches}\nbtime ${time.btime()}\nprocesses ${sched.nr_forks}\n` +
    `procs_running ${running}\nprocs_blocked ${blocked}\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`
  );
}

const seconds = (ns: number): string => {
  const cs = Math.floor(ns / TICK);
  return `${Math.floor(cs / 100)}.${String(cs % 100).padStart(2, "0")}`;
};

/** cf. loadavg_proc_show() */
function show_loadavg(kernel: Kernel): string {
  const loads = kernel.sched.loadavg().map((l) => {
    const v = l + Math.floor(2048 / 200);
    return `${v >>> 11}.${String(((v & 2047) * 100) >>> 11).padStart(2, "0")}`;
  });
  let running = 0;
  for (const t of kernel.tasks.values()) if (t.state === TASK_RUNNING) running++;
  return `${loads.join(" ")} ${running}/${kernel.tasks.size} ${kernel.last_pid}\n`;
}

/** cf. show_cpuinfo() of arch/um */
function show_cpuinfo(kernel: Kernel): string {
  return (
    `processor\t: 0\nvendor_id\t: User Mode Linux\nmodel name\t: UML\nmode\t\t: nommu\nhost\t\t: pagezero\n` +
    `fpu\t\t: yes\nflags\t\t: ${kernel.vfs.cpu_flags}\ncache_alignment\t: 64\nbogomips\t: 2000.00\n\n`
  );
}

function show_devices(kernel: Kernel): string {
  const line = (major: number, name: string): string => `${String(major).padStart(3)} ${name}\n`;
  const chr = kernel.chrdev.list().map(([major, name]) => line(major, name));
  const blk = [...kernel.blkdev.majors].sort((a, b) => a[0] - b[0]).map(([major, name]) => line(major, name));
  return `Character devices:\n${chr.join("")}\nBlock devices:\n${blk.join("")}`;
}

function show_partitions(kernel: Kernel): string {
  let s = "";
  for (const d of kernel.blkdev.devices.values())
    if (d.size > 0) s += `${String(MAJOR(d.bd_dev)).padStart(4)}  ${String(MINOR(d.bd_dev)).padStart(7)} ${String(Math.floor(d.size / 1024)).padStart(10)} ${d.name}\n`;
  return s === "" ? "" : `major minor  #blocks  name\n\n${s}`;
}

function show_diskstats(kernel: Kernel): string {
  let s = "";
  for (const d of kernel.blkdev.devices.values()) {
    const t = d.stats;
    s += `${String(MAJOR(d.bd_dev)).padStart(4)} ${String(MINOR(d.bd_dev)).padStart(7)} ${d.name} ${t.reads} 0 ${t.sectorsRead} 0 ${t.writes} 0 ${t.sectorsWritten} 0 0 0 0 ${t.discards} 0 0 0 ${t.flushes} 0\n`;
  }
  return s;
}

function show_filesystems(kernel: Kernel): string {
  return kernel.vfs.file_systems.map((t) => `${t.requires_dev ? "" : "nodev"}\t${t.name}\n`).join("");
}

/** cf. locks_show() */
function show_locks(kernel: Kernel): string {
  return FileLocks.show(kernel);
}

/** cf. version_proc_show() */
function show_version(kernel: Kernel): string {
  const { uts } = kernel;
  return `${uts.sysname} version ${uts.release} (pagezero@localhost) (TypeScript) ${uts.version}\n`;
}

function set_exitcode(kernel: Kernel, _task: Task, text: string): void {
  // arch/um/kernel/exitcode.c: at most 17 characters, an integer
  if (text.length > 17) throw EINVAL;
  kernel.exitcode = kstrtol(text) | 0;
}

export const GENERIC_FILES: ProcTable = {
  cmdline: { show: (k) => `${k.params.saved_command_line}\n` },
  consoles: { show: (k) => k.vfs.consoles.join("") },
  cpuinfo: { show: show_cpuinfo },
  devices: { show: show_devices },
  diskstats: { show: show_diskstats },
  execdomains: { show: () => "0-0\tLinux           \t[kernel]\n" },
  exitcode: { mode: 0o644, show: (k) => `${k.exitcode}\n`, store: set_exitcode },
  filesystems: { show: show_filesystems },
  interrupts: { show: () => "           CPU0       \n" },
  iomem: { mode: 0o400, show: () => "" },
  ioports: { mode: 0o400, show: () => "" },
  loadavg: { show: show_loadavg },
  locks: { show: show_locks },
  misc: { show: () => "" },
  modules: { show: () => "" },
  mounts: { link: "self/mounts" },
  net: { link: "self/net" },
  partitions: { show: show_partitions },
  softirqs: { show: () => "                    CPU0       \n" },
  stat: { show: show_stat },
  uptime: { show: (k) => `${seconds(k.time.monotonic())} ${seconds(k.time.idle)}\n` },
  version: { show: show_version },
};

