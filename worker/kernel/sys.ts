// kernel/sys.ts — limits, usage, priorities, names of groups and sessions, uname, sysinfo.  cf. kernel/sys.c
import { EACCES, EINVAL, EPERM, ESRCH } from "../include/uapi/errno.ts";
import { CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE, capable } from "./cred.ts";
import type { Kernel } from "./kernel.ts";
import { memparse } from "./params.ts";
import { find_task, pgrp_members, task_ppid } from "./pid.ts";
import {
  RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE,
  RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK, RLIM_NLIMITS, newUsage, type Rlimit, type Usage,
} from "./signal_types.ts";
import { Int, Pid, Ptr, Str, SYSCALL_DEFINE, UInt } from "./syscall.ts";
import { PF_FORKNOEXEC, type Task } from "./task.ts";
import { NSEC_PER_SEC, NSEC_PER_TICK } from "./time/timekeeping.ts";
import { check_read, check_write, clear_user, get_user_u64, put_user_u16, put_user_u32, put_user_u64 } from "./uaccess.ts";

// --- usage

export function usage_add(to: Usage, from: Usage): void {
  to.utime += from.utime;
  to.stime += from.stime;
  to.minflt += from.minflt;
  to.majflt += from.majflt;
  to.nvcsw += from.nvcsw;
  to.nivcsw += from.nivcsw;
  to.inblock += from.inblock;
  to.oublock += from.oublock;
  to.maxrss = Math.max(to.maxrss, from.maxrss);
}
export function usage_of_thread(t: Task): Usage {
  const u = newUsage();
  u.utime = t.utime;
  u.stime = t.stime;
  u.nvcsw = t.nvcsw;
  u.nivcsw = t.nivcsw;
  u.inblock = t.inblock;
  u.oublock = t.oublock;
  u.maxrss = Math.max(t.signal.usage.maxrss, t.mm?.maxrss() ?? 0);
  return u;
}
/** All threads of a process, those that are gone too. */
export function usage_of_process(t: Task): Usage {
  const u = { ...t.signal.usage };
  for (const thread of t.signal.threads) usage_add(u, usage_of_thread(thread));
  return u;
}
/** CPU time of a process, ns */
export function process_cputime(t: Task): { utime: number; stime: number } {
  let utime = t.signal.usage.utime;
  let stime = t.signal.usage.stime;
  for (const thread of t.signal.threads) {
    utime += thread.utime;
    stime += thread.stime;
  }
  return { utime, stime };
}

/** Something of the task's process is due after so much CPU time: run_posix_cpu_timers() is to look. */
export function watch_cpu_time(task: Task): void {
  task.signal.cpu_timers = true;
  task.kernel.arch.set_exit_work();
}

/** struct rusage, 144 bytes. Throws EFAULT. */
export function getrusage_to_user(task: Task, addr: number, u: Usage): void {
  const m = task.kernel.mem;
  clear_user(m, addr, 144);
  const timeval = (off: number, ns: number): void => {
    put_user_u64(m, addr + off, Math.floor(ns / NSEC_PER_SEC));
    put_user_u64(m, addr + off + 8, Math.floor((ns % NSEC_PER_SEC) / 1000));
  };
  timeval(0, u.utime);
  timeval(16, u.stime);
  put_user_u64(m, addr + 32, u.maxrss);
  put_user_u64(m, addr + 64, u.minflt);
  put_user_u64(m, addr + 72, u.majflt);
  put_user_u64(m, addr + 88, u.inblock);
  put_user_u64(m, addr + 96, u.oublock);
  put_user_u64(m, addr + 128, u.nvcsw);
  put_user_u64(m, addr + 136, u.nivcsw);
}

/** getrusage(2) */
export const sys_getrusage = SYSCALL_DEFINE("getrusage", [Int, Ptr], (task, who, ru) => {
  const u = newUsage();
  if (who === 0) usage_add(u, usage_of_process(task));
  else if (who === -1) usage_add(u, task.signal.cusage);
  else if (who === 1) usage_add(u, usage_of_thread(task));
  else throw EINVAL;
  getrusage_to_user(task, ru, u);
  return 0;
});

/** times(2): clock ticks; the result counts from boot */
export const sys_times = SYSCALL_DEFINE("times", [Ptr], (task, tbuf) => {
  const m = task.kernel.mem;
  const ticks = (ns: number): number => Math.floor(ns / NSEC_PER_TICK);
  if (tbuf !== 0) {
    check_write(m, tbuf, 32);
    const own = process_cputime(task);
    put_user_u64(m, tbuf, ticks(own.utime));
    put_user_u64(m, tbuf + 8, ticks(own.stime));
    put_user_u64(m, tbuf + 16, ticks(task.signal.cusage.utime));
    put_user_u64(m, tbuf + 24, ticks(task.signal.cusage.stime));
  }
  return ticks(task.kernel.time.monotonic());
});
// --- limits

const MB = 1024 * 1024;
/** What init starts with.  cf. INIT_RLIMITS, fork_init() */
export function init_rlimits(kernel: Kernel): Rlimit[] {
  const inf = Infinity;
  const lim: Rlimit[] = [];
  const set = (n: number, cur: number, max: number): void => {
    lim[n] = { cur, max };
  };
  // as fork_init() computes max_threads: threads may take an eighth of memory
  const threads = Math.max(20, Math.floor(kernel.mem.size / 4096 / 8 / 8) * 8) / 2;
  set(RLIMIT_CPU, inf, inf);
  set(RLIMIT_FSIZE, inf, inf);
  set(RLIMIT_DATA, inf, inf);
  // programs take this for the size of their stack
  set(RLIMIT_STACK, memparse(kernel.params.get("nommu.stack") ?? "") || 8 * MB, inf);
  set(RLIMIT_CORE, 0, inf);
  set(RLIMIT_RSS, inf, inf);
  set(RLIMIT_NPROC, threads, threads);
  set(RLIMIT_NOFILE, 1024, 4096);
  set(RLIMIT_MEMLOCK, 8 * MB, 8 * MB);
  set(RLIMIT_AS, inf, inf);
  set(RLIMIT_LOCKS, inf, inf);
  set(RLIMIT_SIGPENDING, threads, threads);
  set(RLIMIT_MSGQUEUE, 819200, 819200);
  set(RLIMIT_NICE, 0, 0);
  set(RLIMIT_RTPRIO, 0, 0);
  set(RLIMIT_RTTIME, inf, inf);
  return lim;
}

/** RLIM_INFINITY and what is larger than 2^53 read as Infinity. */
function get_rlim(task: Task, addr: number): number {
  const m = task.kernel.mem;
  const v = get_user_u64(m, addr);
  return v >= 0x7fffffffffffffff ? Infinity : v;
}
function put_rlimit(task: Task, addr: number, r: Rlimit): void {
  const m = task.kernel.mem;
  check_write(m, addr, 16);
  [r.cur, r.max].forEach((v, i) => {
    if (v === Infinity) {
      put_user_u32(m, addr + 8 * i, 0xffffffff);
      put_user_u32(m, addr + 8 * i + 4, 0xffffffff);
    } else put_user_u64(m, addr + 8 * i, v);
  });
}
function do_prlimit(task: Task, target: Task, resource: number, new_rlim: Rlimit | undefined): Rlimit {
  if (resource >= RLIM_NLIMITS) throw EINVAL;
  const lim = target.signal.rlim[resource]!;
  const old = { ...lim };
  if (new_rlim !== undefined) {
    if (new_rlim.cur > new_rlim.max) throw EINVAL;
    if (resource === RLIMIT_NOFILE && new_rlim.max > 1048576) throw EPERM;
    if (new_rlim.max > lim.max && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
    lim.cur = new_rlim.cur;
    lim.max = new_rlim.max;
    if (resource === RLIMIT_CPU && lim.cur !== Infinity) watch_cpu_time(target);
  }
  return old;
}
export const sys_getrlimit = SYSCALL_DEFINE("getrlimit", [UInt, Ptr], (task, resource, rlim) => {
  put_rlimit(task, rlim, do_prlimit(task, task, resource, undefined));
  return 0;
});
export const sys_setrlimit = SYSCALL_DEFINE("setrlimit", [UInt, Ptr], (task, resource, rlim) => {
  check_read(task.kernel.mem, rlim, 16);
  do_prlimit(task, task, resource, { cur: get_rlim(task, rlim), max: get_rlim(task, rlim + 8) });
  return 0;
});
export const sys_prlimit64 = SYSCALL_DEFINE("prlimit64", [Pid, UInt, Ptr, Ptr], (task, pid, resource, new_rlim, old_rlim) => {
  let next: Rlimit | undefined;
  if (new_rlim !== 0) {
    check_read(task.kernel.mem, new_rlim, 16);
    next = { cur: get_rlim(task, new_rlim), max: get_rlim(task, new_rlim + 8) };
  }
  const target = pid === 0 ? task : find_task(task.kernel, pid);
  if (target === undefined) throw ESRCH;
  if (target.signal !== task.signal) {
    const c = task.cred;
    const t = target.cred;
    const same = c.uid === t.euid && c.uid === t.suid && c.uid === t.uid && c.gid === t.egid && c.gid === t.sgid && c.gid === t.gid;
    if (!same && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
  }
  const old = do_prlimit(task, target, resource, next);
  if (old_rlim !== 0) put_rlimit(task, old_rlim, old);
  return 0;
});

// --- ids of processes

export const sys_getpid = SYSCALL_DEFINE("getpid", [], (task) => task.tgid);
export const sys_gettid = SYSCALL_DEFINE("gettid", [], (task) => task.pid);
export const sys_getppid = SYSCALL_DEFINE("getppid", [], (task) => task_ppid(task));
export const sys_getpgrp = SYSCALL_DEFINE("getpgrp", [], (task) => task.signal.pgrp);

function process_or_self(task: Task, pid: number): Task {
  const p = pid === 0 ? task.group_leader : find_task(task.kernel, pid);
  if (p === undefined) throw ESRCH;
  return p;
}
export const sys_getpgid = SYSCALL_DEFINE("getpgid", [Pid], (task, pid) => process_or_self(task, pid).signal.pgrp);
export const sys_getsid = SYSCALL_DEFINE("getsid", [Pid], (task, pid) => process_or_self(task, pid).signal.session);

/** setpgid(2) */
export const sys_setpgid = SYSCALL_DEFINE("setpgid", [Pid, Pid], (task, pid, pgid) => {
  const leader = task.group_leader;
  if (pid === 0) pid = leader.pid;
  if (pgid === 0) pgid = pid;
  if (pgid < 0) throw EINVAL;
  const p = find_task(task.kernel, pid);
  if (p === undefined) throw ESRCH;
  if (p.group_leader !== p) throw EINVAL;
  if (p.real_parent?.signal === leader.signal) {
    if (p.signal.session !== leader.signal.session) throw EPERM;
    if ((p.flags & PF_FORKNOEXEC) === 0) throw EACCES;
  } else if (p !== leader) throw ESRCH;
  if (p.signal.leader) throw EPERM;
  if (pgid !== pid) {
    const group = pgrp_members(task.kernel, pgid)[0];
    if (group === undefined || group.signal.session !== leader.signal.session) throw EPERM;
  }
  p.signal.pgrp = pgid;
  return 0;
});

/** setsid(2) */
export const sys_setsid = SYSCALL_DEFINE("setsid", [], (task) => {
  const leader = task.group_leader;
  const signal = leader.signal;
  if (signal.leader || pgrp_members(task.kernel, leader.pid).length > 0) throw EPERM;
  signal.leader = true;
  signal.session = leader.pid;
  signal.pgrp = leader.pid;
  signal.tty = undefined;
  signal.tty_old_pgrp = 0;
  return leader.pid;
});

// --- uname

const UTS_LEN = 64;
/** uname(2) */
export const sys_newuname = SYSCALL_DEFINE("uname", [Ptr], (task, name) => {
  const m = task.kernel.mem;
  const u = task.kernel.uts;
  check_write(m, name, 6 * 65);
  [u.sysname, u.nodename, u.release, u.version, u.machine, u.domainname].forEach((s, i) => {
    const at = name + 65 * i;
    m.u8.fill(0, at, at + 65);
    for (let j = 0; j < s.length && j < UTS_LEN; j++) m.u8[at + j] = s.charCodeAt(j);
  });
  return 0;
});
function user_name(task: Task, addr: number, len: number): string {
  if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
  if (len < 0 || len > UTS_LEN) throw EINVAL;
  check_read(task.kernel.mem, addr, len);
  let s = "";
  for (let i = 0; i < len && task.kernel.mem.u8[addr + i] !== 0; i++) s += String.fromCharCode(task.kernel.mem.u8[addr + i]!);
  return s;
}
export const sys_sethostname = SYSCALL_DEFINE("sethostname", [Str, Int], (task, name, len) => {
  task.kernel.uts.nodename = user_name(task, name, len);
  return 0;
});
export const sys_setdomainname = SYSCALL_DEFINE("setdomainname", [Str, Int], (task, name, len) => {
  task.kernel.uts.domainname = user_name(task, name, len);
  return 0;
});

/** sysinfo(2), 112 bytes */
export const sys_sysinfo = SYSCALL_DEFINE("sysinfo", [Ptr], (task, info) => {
  const kernel = task.kernel;
  const m = kernel.mem;
  clear_user(m, info, 112);
  put_user_u64(m, info, Math.floor(kernel.time.monotonic() / NSEC_PER_SEC));
  kernel.sched.loadavg().forEach((l, i) => put_user_u64(m, info + 8 + 8 * i, l * 32));
  put_user_u64(m, info + 32, kernel.pages.totalram_pages() * 4096);
  put_user_u64(m, info + 40, kernel.pages.nr_free_pages() * 4096);
  put_user_u16(m, info + 80, Math.min(0xffff, kernel.tasks.size));
  put_user_u32(m, info + 104, 1);
  return 0;
});

// --- priorities

function set_one_prio(task: Task, p: Task, nice: number): void {
  if (task.cred.euid !== p.cred.uid && task.cred.euid !== p.cred.euid && !capable(task, CAP_SYS_NICE)) throw EPERM;
  if (nice < p.nice && !can_nice(task, p, nice)) throw EACCES;
  p.nice = nice;
}
function can_nice(task: Task, p: Task, nice: number): boolean {
  return 20 - nice <= p.signal.rlim[RLIMIT_NICE]!.cur || capable(task, CAP_SYS_NICE);
}
/** PRIO_PROCESS 0, PRIO_PGRP 1, PRIO_USER 2 */
function prio_targets(task: Task, which: number, who: number): Task[] {
  const kernel = task.kernel;
  switch (which) {
    case 0: {
      const t = who === 0 ? task : find_task(kernel, who);
      return t === undefined ? [] : [t];
    }
    case 1:
      return pgrp_members(kernel, who === 0 ? task.signal.pgrp : who).flatMap((p) => [...p.signal.threads]);
    case 2: {
      const uid = who === 0 ? task.cred.uid : who;
      return [...kernel.tasks.values()].filter((t) => t.cred.uid === uid);
    }
    default:
      throw EINVAL;
  }
}
export const sys_setpriority = SYSCALL_DEFINE("setpriority", [Int, Int, Int], (task, which, who, niceval) => {
  const nice = Math.max(-20, Math.min(19, niceval));
  const targets = prio_targets(task, which, who);
  if (targets.length === 0) throw ESRCH;
  for (const p of targets) set_one_prio(task, p, nice);
  return 0;
});
/** the raw call gives 20 - nice, 1..40 */
export const sys_getpriority = SYSCALL_DEFINE("getpriority", [Int, Int], (task, which, who) => {
  const targets = prio_targets(task, which, who);
  if (targets.length === 0) throw ESRCH;
  return Math.max(...targets.map((p) => 20 - p.nice));
});

/** ioprio_get(2), ioprio_set(2): kept, without effect on order */
export const sys_ioprio_set = SYSCALL_DEFINE("ioprio_set", [Int, Int, Int], (task, which, who, ioprio) => {
  const cls = ioprio >> 13;
  if (cls > 3 || (ioprio & 7) !== (ioprio & 0x1fff)) throw EINVAL;
  if (cls === 1 && !capable(task, CAP_SYS_ADMIN) && !capable(task, CAP_SYS_NICE)) throw EPERM;
  if (cls === 0 && (ioprio & 0x1fff) !== 0) throw EINVAL;
  const targets = prio_targets(task, which - 1, who);
  if (targets.length === 0) throw ESRCH;
  for (const p of targets) p.ioprio = ioprio;
  return 0;
});
export const sys_ioprio_get = SYSCALL_DEFINE("ioprio_get", [Int, Int], (task, which, who) => {
  const targets = prio_targets(task, which - 1, who);
  if (targets.length === 0) throw ESRCH;
  return Math.min(...targets.map((p) => p.ioprio));
});

/** getcpu(2): there is one */
export const sys_getcpu = SYSCALL_DEFINE("getcpu", [Ptr, Ptr, Ptr], (task, cpup, nodep) => {
  const m = task.kernel.mem;
  if (cpup !== 0) put_user_u32(m, cpup, 0);
  if (nodep !== 0) put_user_u32(m, nodep, 0);
  return 0;
});

/** personality(2) */
export const sys_personality = SYSCALL_DEFINE("personality", [UInt], (task, persona) => {
  const old = task.personality;
  if (persona !== 0xffffffff) task.personality = persona;
  return old;
});
