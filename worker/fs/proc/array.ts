// fs/proc/array.ts — /proc/PID/stat, status, statm, limits.  cf. fs/proc/array.c, fs/proc/task_nommu.c
import { SIG_DFL, SIG_IGN } from "../../include/uapi/signal.ts";
import { task_ppid } from "../../kernel/pid.ts";
import { SigSet, type SigHand } from "../../kernel/signal_types.ts";
import { usage_of_process } from "../../kernel/sys.ts";
import {
  EXIT_DEAD, EXIT_ZOMBIE, TASK_INTERRUPTIBLE, TASK_RUNNING, TASK_STOPPED, TASK_TRACED, TASK_UNINTERRUPTIBLE, type Task,
} from "../../kernel/task.ts";
import type { Mm } from "../../mm/mm_types.ts";

const TICK = 10_000_000;
const PAGE_SIZE = 4096;
const VM_SHARED = 8;
const VM_MAYSHARE = 0x80;

/** Sizes of kernel objects as a 64-bit Linux allocates them; they are part of what task_mem() adds up. */
const KOBJ_VMA = 128;
const KOBJ_REGION = 96;
const KOBJ_MM = 1024;
const KOBJ_FS = 64;
const KOBJ_FILES = 704;
const KOBJ_SIGHAND = 2112;
const KOBJ_TASK = 4096;

const ticks = (ns: number): number => Math.floor(ns / TICK);

const STATES: Readonly<Record<number, readonly [string, string]>> = {
  [TASK_RUNNING]: ["R", "running"],
  [TASK_INTERRUPTIBLE]: ["S", "sleeping"],
  [TASK_UNINTERRUPTIBLE]: ["D", "disk sleep"],
  [TASK_STOPPED]: ["T", "stopped"],
  [TASK_TRACED]: ["t", "tracing stop"],
  [EXIT_ZOMBIE]: ["Z", "zombie"],
  [EXIT_DEAD]: ["X", "dead"],
};
/** The letter and the word for a task's state.  cf. get_task_state() */
export function get_task_state(t: Task): readonly [string, string] {
  return STATES[t.state] ?? ["?", "?"];
}

function dispositions(sighand: SigHand | undefined): { ignored: SigSet; caught: SigSet } {
  const ignored = new SigSet();
  const caught = new SigSet();
  if (sighand !== undefined)
    for (let sig = 1; sig <= 64; sig++) {
      const h = sighand.action[sig]!.handler;
      if (h === SIG_IGN) ignored.add(sig);
      else if (h !== SIG_DFL) caught.add(sig);
    }
  return { ignored, caught };
}

/** A name as status shows it: newlines and backslashes escaped. */
const escaped = (s: string): string => s.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");

/** Bytes in the regions of an address space, those shared with others, and what regions have beyond their mappings.  cf. task_mem() */
function task_mem(t: Task, mm: Mm): { bytes: number; slack: number; sbytes: number } {
  let bytes = 0;
  let sbytes = 0;
  let slack = 0;
  for (const vma of mm.vmas) {
    bytes += KOBJ_VMA;
    const region = vma.vm_region;
    const size = KOBJ_REGION + region.vm_end - region.vm_start;
    if (mm.users > 1 || (vma.vm_flags & (VM_SHARED | VM_MAYSHARE)) !== 0) sbytes += size;
    else {
      bytes += size;
      slack = region.vm_end - vma.vm_end;
    }
  }
  const add = (size: number, users: number): void => {
    if (users > 1) sbytes += size;
    else bytes += size;
  };
  add(KOBJ_MM, mm.users);
  if (t.fs !== undefined) add(KOBJ_FS, t.fs.users);
  if (t.files !== undefined) add(KOBJ_FILES, t.files.count);
  if (t.sighand !== undefined) add(KOBJ_SIGHAND, t.sighand.count);
  return { bytes: bytes + KOBJ_TASK, slack, sbytes };
}

/** cf. proc_pid_status() */
export function show_status(t: Task): string {
  const { cred } = t;
  const [letter, word] = get_task_state(t);
  const { ignored, caught } = dispositions(t.sighand);
  const ids = (...v: number[]): string => v.join("\t");
  let s = `Name:\t${escaped(t.comm)}\n`;
  if (t.fs !== undefined) s += `Umask:\t0${t.fs.umask.toString(8).padStart(3, "0")}\n`;
  s +=
    `State:\t${letter} (${word})\nTgid:\t${t.tgid}\nNgid:\t0\nPid:\t${t.pid}\nPPid:\t${task_ppid(t)}\nTracerPid:\t${t.tracing.traced ? (t.parent?.tgid ?? 0) : 0}\n` +
    `Uid:\t${ids(cred.uid, cred.euid, cred.suid, cred.fsuid)}\nGid:\t${ids(cred.gid, cred.egid, cred.sgid, cred.fsgid)}\n` +
    `FDSize:\t${t.files === undefined ? 0 : Math.max(64, t.files.fds.length)}\nGroups:\t${cred.groups.map((g) => `${g} `).join("")}\n` +
    `Kthread:\t${t.mm === undefined && t.state !== EXIT_ZOMBIE ? 1 : 0}\n`;
  if (t.mm !== undefined) {
    const { bytes, slack, sbytes } = task_mem(t, t.mm);
    const line = (name: string, v: number): string => `${name}:\t${String(v).padStart(8)} bytes\n`;
    s += line("Mem", bytes) + line("Slack", slack) + line("Shared", sbytes);
  }
  s +=
    `Threads:\t${t.signal.threads.size}\nSigQ:\t${t.pending.list.length + t.signal.shared_pending.list.length}/${t.signal.rlim[11]!.cur}\n` +
    `SigPnd:\t${t.pending.signal}\nShdPnd:\t${t.signal.shared_pending.signal}\nSigBlk:\t${t.blocked}\nSigIgn:\t${ignored}\nSigCgt:\t${caught}\n` +
    `CapInh:\t${cred.cap_inheritable}\nCapPrm:\t${cred.cap_permitted}\nCapEff:\t${cred.cap_effective}\nCapBnd:\t${cred.cap_bset}\nCapAmb:\t${cred.cap_ambient}\n` +
    `NoNewPrivs:\t${t.no_new_privs ? 1 : 0}\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n` +
    `voluntary_ctxt_switches:\t${t.nvcsw}\nnonvoluntary_ctxt_switches:\t${t.nivcsw}\n`;
  return s;
}

/** The four signal sets of stat are 31 bits wide, decimal. */
const low31 = (set: SigSet): number => set.lo & 0x7fffffff;

/** cf. do_task_stat(); `whole`: the process, not the thread */
export function show_stat(t: Task, whole: boolean): string {
  const { signal, mm } = t;
  const usage = whole ? usage_of_process(t) : undefined;
  const { ignored, caught } = dispositions(t.sighand);
  const rt = t.rt_priority > 0;
  const priority = rt ? -1 - t.rt_priority : 20 + t.nice;
  const rsslim = signal.rlim[5]!.cur;
  const exited = t.state === EXIT_ZOMBIE || t.state === EXIT_DEAD;
  const fields: (number | string)[] = [
    t.pid, `(${t.comm})`, get_task_state(t)[0], task_ppid(t), signal.pgrp, signal.session, signal.tty === undefined ? 0 : signal.tty.dev_nr(),
    signal.tty === undefined ? -1 : signal.tty.pgrp_nr(), t.flags, 0, 0, 0, 0, ticks(usage?.utime ?? t.utime), ticks(usage?.stime ?? t.stime),
    whole ? ticks(signal.cusage.utime) : 0, whole ? ticks(signal.cusage.stime) : 0, priority, t.nice, signal.threads.size, 0, ticks(t.start_time),
    mm?.total_vm() ?? 0, 0, rsslim === Infinity ? "18446744073709551615" : rsslim, mm?.start_code ?? 0, mm?.end_code ?? 0, mm?.start_stack ?? 0,
    0, 0, low31(t.pending.signal), low31(t.blocked), low31(ignored), low31(caught), 0, 0, 0, t.exit_signal, 0,
    t.rt_priority, t.policy, 0, 0, 0, mm?.start_data ?? 0, mm?.end_data ?? 0, mm?.start_brk ?? 0, mm?.arg_start ?? 0, mm?.arg_end ?? 0, mm?.env_start ?? 0,
    mm?.env_end ?? 0, exited ? t.exit_code : 0,
  ];
  return `${fields.join(" ")}\n`;
}

/** cf. proc_pid_statm(), task_statm() of task_nommu.c */
export function show_statm(t: Task): string {
  const { mm } = t;
  if (mm === undefined) return "0 0 0 0 0 0 0\n";
  let size = KOBJ_MM;
  for (const vma of mm.vmas) size += KOBJ_VMA + KOBJ_REGION + vma.vm_region.vm_end - vma.vm_region.vm_start;
  const align = (n: number): number => Math.ceil(n / PAGE_SIZE) * PAGE_SIZE;
  const page = (n: number): number => Math.floor(n / PAGE_SIZE) * PAGE_SIZE;
  const text = (align(mm.end_code) - page(mm.start_code)) / PAGE_SIZE;
  // an unsigned difference, shifted: with the stack below the data it is what is left of 2^64, and so is the sum
  const data = BigInt.asUintN(64, BigInt(align(mm.start_stack) - page(mm.start_data))) >> 12n;
  const total = BigInt(Math.floor(size / PAGE_SIZE) + text) + data;
  return `${total} ${total} 0 ${text} 0 ${data} 0\n`;
}

const LIMITS: readonly (readonly [number, string, string])[] = [
  [0, "Max cpu time", "seconds"], [1, "Max file size", "bytes"], [2, "Max data size", "bytes"], [3, "Max stack size", "bytes"], [4, "Max core file size", "bytes"],
  [5, "Max resident set", "bytes"], [6, "Max processes", "processes"], [7, "Max open files", "files"], [8, "Max locked memory", "bytes"],
  [9, "Max address space", "bytes"], [10, "Max file locks", "locks"], [11, "Max pending signals", "signals"], [12, "Max msgqueue size", "bytes"],
  [13, "Max nice priority", ""], [14, "Max realtime priority", ""], [15, "Max realtime timeout", "us"],
];
/** cf. proc_pid_limits() */
export function show_limits(t: Task): string {
  const col = (v: number): string => (v === Infinity ? "unlimited" : String(v)).padEnd(20);
  let s = `${"Limit".padEnd(25)} ${"Soft Limit".padEnd(20)} ${"Hard Limit".padEnd(20)} ${"Units".padEnd(10)}\n`;
  for (const [n, name, unit] of LIMITS) {
    const r = t.signal.rlim[n]!;
    s += `${name.padEnd(25)} ${col(r.cur)} ${col(r.max)} ${unit === "" ? "" : unit.padEnd(10)}\n`;
  }
  return s;
}
