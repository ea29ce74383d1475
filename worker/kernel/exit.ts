// kernel/exit.ts — the end of tasks, and waiting for it.  cf. kernel/exit.c
import { O_NONBLOCK } from "../include/uapi/fcntl.ts";
import { EAGAIN, ECHILD, EINVAL, Errno, ESRCH } from "../include/uapi/errno.ts";
import { PTRACE_EVENT_EXIT } from "../include/uapi/ptrace.ts";
import { CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, CLD_TRAPPED, SIGCHLD, SIGCONT, SIGHUP } from "../include/uapi/signal.ts";
import {
  P_ALL, P_PGID, P_PID, P_PIDFD, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WSTOPPED, WUNTRACED, __WALL, __WCLONE, __WNOTHREAD,
} from "../include/uapi/wait.ts";
import { exit_robust_list, exit_pi_state } from "./futex.ts";
import { mm_release } from "./fork.ts";
import type { Kernel } from "./kernel.ts";
import { pidfd_task } from "./pidfd.ts";
import { panic } from "./panic.ts";
import { exit_ptrace, ptrace_event, ptrace_event_enabled, ptrace_unlink } from "./ptrace.ts";
import { child_reaper, pgrp_members, session_members } from "./pid.ts";
import { getrusage_to_user, usage_add, usage_of_process } from "./sys.ts";
import {
  do_group_exit, do_notify_parent, flush_sigqueue, kill_pgrp, send_signal, will_become_orphaned_pgrp, zap_other_threads,
} from "./signal.ts";
import { SIGNAL_GROUP_EXIT, SIGNAL_STOP_CONTINUED, SIGNAL_STOP_STOPPED } from "./signal_types.ts";
import { SLEEP, sleep_on } from "./sched/wait.ts";
import { Int, Pid, Ptr, SYSCALL_DEFINE, WaitOptions, WaitStatus } from "./syscall.ts";
import { EXIT_DEAD, EXIT_ZOMBIE, PF_EXITING, TASK_TRACED, type Task } from "./task.ts";
import { exit_timers } from "./time/posix_timers.ts";
import { check_write, put_user_u32 } from "./uaccess.ts";

/** The parent's list and the tables forget a dead task. */
export function release_task(task: Task): void {
  const kernel = task.kernel;
  const signal = task.signal;
  usage_add(signal.usage, { ...signal.usage, utime: task.utime, stime: task.stime, nvcsw: task.nvcsw, nivcsw: task.nivcsw, inblock: task.inblock, oublock: task.oublock, minflt: 0, majflt: 0, maxrss: 0 });
  task.state = EXIT_DEAD;
  signal.threads.delete(task);
  task.real_parent?.children.delete(task);
  if (task.tracing.traced) ptrace_unlink(task);
  if (kernel.tasks.get(task.pid) === task) kernel.tasks.delete(task.pid);
  kernel.vfs.proc_flush_pid(task);
  task.sighand.count--;
  flush_sigqueue(task.pending);
  // the leader of a group waited, dead, for its threads: now its parent hears of it
  const leader = task.group_leader;
  if (leader !== task && signal.threads.size === 1 && leader.state === EXIT_ZOMBIE) {
    if (leader.exit_signal >= 0 && do_notify_parent(leader, leader.exit_signal)) release_task(leader);
  }
  if (signal.group_exec_task !== undefined) kernel.sched.wake_up_process(signal.group_exec_task);
}

function find_new_reaper(father: Task): Task | undefined {
  for (const t of father.signal.threads) if (t !== father && (t.flags & PF_EXITING) === 0) return t;
  if (father.signal.has_child_subreaper) {
    for (let p = father.real_parent; p !== undefined; p = p.real_parent) {
      if (p.signal.is_child_subreaper) for (const t of p.signal.threads) if ((t.flags & PF_EXITING) === 0) return t;
    }
  }
  return child_reaper(father.kernel);
}

/** Children get a new parent; those that are dead already tell it. */
function forget_original_parent(father: Task): void {
  exit_ptrace(father, release_task);
  const reaper = find_new_reaper(father);
  const dead: Task[] = [];
  for (const child of [...father.children]) {
    father.children.delete(child);
    if (reaper === undefined || reaper === father) continue;
    for (const t of child.signal.threads) {
      t.real_parent = reaper;
      if (!t.tracing.traced) t.parent = reaper;
      if (t.pdeath_signal !== 0) send_signal(t.pdeath_signal, { signo: t.pdeath_signal, errno: 0, code: 0, pid: father.tgid, uid: father.cred.uid }, t, true);
    }
    reaper.children.add(child);
    if (reaper.signal === father.signal) continue;
    child.exit_signal = SIGCHLD;
    if (child.state === EXIT_ZOMBIE && !child.tracing.traced && child.signal.threads.size === 1 && do_notify_parent(child, SIGCHLD)) dead.push(child);
    kill_orphaned_pgrp(child, father);
  }
  for (const child of dead) release_task(child);
}

/** A group that becomes orphaned with stopped members in it is hung up and continued (POSIX). */
function kill_orphaned_pgrp(task: Task, parent: Task | undefined): void {
  const kernel = task.kernel;
  let ignored: Task | undefined = task;
  if (parent === undefined) parent = task.real_parent;
  else ignored = undefined;
  if (parent === undefined) return;
  const pgrp = task.signal.pgrp;
  if (parent.signal.pgrp === pgrp || parent.signal.session !== task.signal.session) return;
  if (!will_become_orphaned_pgrp(kernel, pgrp, ignored) || !has_stopped_jobs(kernel, pgrp)) return;
  kill_pgrp(kernel, pgrp, SIGHUP);
  kill_pgrp(kernel, pgrp, SIGCONT);
}
function has_stopped_jobs(kernel: Kernel, pgrp: number): boolean {
  return pgrp_members(kernel, pgrp).some((p) => (p.signal.flags & SIGNAL_STOP_STOPPED) !== 0);
}

/** The session leader goes: the terminal is let go, or the group that once had it is hung up. */
function disassociate(task: Task): void {
  const signal = task.signal;
  if (signal.tty !== undefined) {
    signal.tty.disassociate_ctty(task, true);
  } else if (signal.tty_old_pgrp !== 0) {
    kill_pgrp(task.kernel, signal.tty_old_pgrp, SIGHUP);
    kill_pgrp(task.kernel, signal.tty_old_pgrp, SIGCONT);
    signal.tty_old_pgrp = 0;
  }
  for (const t of session_members(task.kernel, signal.session)) t.signal.tty = undefined;
}

/** Ends one task. `code` is a wait status. Returns; the task is then a zombie or gone, and must not run on.  cf. do_exit() */
export function do_exit(task: Task, code: number): void {
  const kernel = task.kernel;
  const signal = task.signal;
  if ((task.flags & PF_EXITING) !== 0) return;
  if (!task.tracing.exit_told && ptrace_event_enabled(task, PTRACE_EVENT_EXIT)) {
    task.tracing.exit_told = true;
    if (ptrace_event(task, PTRACE_EVENT_EXIT, code)) return;
  }
  if (task.tgid === 1 && [...signal.threads].every((t) => t === task || t.exit_state_dead())) {
    const status = (signal.flags & SIGNAL_GROUP_EXIT) !== 0 ? signal.group_exit_code : code;
    panic(kernel, `Attempted to kill init! exitcode=0x${(status >>> 0).toString(16).padStart(8, "0")}`, ["do_exit", "do_group_exit"]);
  }
  task.flags |= PF_EXITING;
  const group_dead = [...signal.threads].every((t) => t === task || (t.flags & PF_EXITING) !== 0);
  if (task.jobctl_stop !== 0) {
    task.jobctl_stop = 0;
    if (signal.group_stop_count > 0) signal.group_stop_count--;
  }
  if (group_dead) exit_timers(task);
  task.exit_code = code;

  exit_robust_list(task);
  exit_pi_state(task);
  mm_release(task);
  const mm = task.mm;
  if (mm !== undefined) {
    signal.usage.maxrss = Math.max(signal.usage.maxrss, mm.maxrss());
    task.mm = undefined;
    mm.put(kernel);
  }
  const sysvsem = task.sysvsem;
  task.sysvsem = undefined;
  if (sysvsem !== undefined && --sysvsem.users === 0) sysvsem.undo?.exit_sem(task);
  const files = task.files;
  task.files = undefined;
  files?.put(task);
  const fs = task.fs;
  task.fs = undefined;
  fs?.put();
  if (group_dead && signal.leader) disassociate(task);

  // exit_notify()
  forget_original_parent(task);
  if (group_dead) kill_orphaned_pgrp(task.group_leader, undefined);
  task.state = EXIT_ZOMBIE;
  signal.wait_pidfd.wake_up();
  let autoreap = false;
  if (task.tracing.traced) {
    const own = task.group_leader === task && signal.threads.size === 1 && !ptrace_reparented(task);
    autoreap = do_notify_parent(task, own ? task.exit_signal : SIGCHLD);
  } else if (task.group_leader === task) {
    autoreap = signal.threads.size === 1 && do_notify_parent(task, task.exit_signal);
  } else {
    autoreap = true;
  }
  if (autoreap) release_task(task);
}

export const sys_exit = SYSCALL_DEFINE("exit", [Int], (task, code) => {
  do_exit(task, (code & 0xff) << 8);
  throw SLEEP;
});
export const sys_exit_group = SYSCALL_DEFINE("exit_group", [Int], (task, code) => {
  do_group_exit(task, (code & 0xff) << 8);
  throw SLEEP;
});

/**
 * execve in a process with threads: the others die, and the one that executes becomes the leader and takes its number. Sleeps until they are
 * gone; to be called (again) at each attempt.
 */
export function de_thread(task: Task): void {
  const signal = task.signal;
  if (signal.threads.size > 1) {
    if ((signal.flags & SIGNAL_GROUP_EXIT) !== 0 || (signal.group_exec_task !== undefined && signal.group_exec_task !== task)) throw ESRCH;
    if (signal.group_exec_task === undefined) {
      signal.group_exec_task = task;
      zap_other_threads(task);
    }
    const leader = task.group_leader;
    const others = [...signal.threads].filter((t) => t !== task && !(t === leader && t.exit_state_dead()));
    if (others.length > 0) sleep_on(task, [], { interrupted: null });
    if (leader !== task) {
      const kernel = task.kernel;
      const parent = leader.real_parent;
      kernel.tasks.delete(task.pid);
      kernel.tasks.delete(leader.pid);
      leader.state = EXIT_DEAD;
      parent?.children.delete(leader);
      signal.threads.delete(leader);
      task.pid = leader.pid;
      task.start_time = leader.start_time;
      if (leader.tracing.traced) ptrace_unlink(leader);
      task.real_parent = parent;
      if (!task.tracing.traced) task.parent = parent;
      task.exit_signal = SIGCHLD;
      task.group_leader = task;
      kernel.tasks.set(task.pid, task);
      parent?.children.add(task);
      task.sighand.count--;
    }
  }
  signal.group_exec_task = undefined;
  task.exit_signal = SIGCHLD;
}

// --- wait

interface WaitOpts {
  type: number;
  id: number;
  options: number;
}
/** What was found: wait4 and waitid each write their part of it. */
interface Waited {
  pid: number;
  uid: number;
  status: number;
  code: number;
  cause: number;
  usage: ReturnType<typeof usage_of_process>;
}

/** Traced by another process than its parent. */
const ptrace_reparented = (task: Task): boolean => task.tracing.traced && task.real_parent?.signal !== task.parent?.signal;

/** `ptrace`: the caller asks as the tracer. */
function eligible(wo: WaitOpts, p: Task, ptrace: boolean): boolean {
  if (wo.type === P_PID ? p.pid !== wo.id : wo.type === P_PGID ? p.signal.pgrp !== wo.id : false) return false;
  if (ptrace || (wo.options & __WALL) !== 0) return true;
  return (p.exit_signal !== SIGCHLD) === ((wo.options & __WCLONE) !== 0);
}

/** Does its being there keep a wait from ECHILD? One that has ended and is not asked for does not.  cf. wait_consider_task(): notask_error */
const may_come = (wo: WaitOpts, p: Task): boolean => p.state !== EXIT_ZOMBIE || (wo.options & WEXITED) !== 0 || p.tracing.traced || p.signal.threads.size > 1;

function wait_consider(task: Task, wo: WaitOpts, p: Task, ptrace: boolean): Waited | undefined {
  const signal = p.signal;
  if (p.state === EXIT_ZOMBIE) {
    // the parent of a tracee hears of its end after the tracer
    if (p.tracing.traced && !ptrace) return undefined;
    if ((wo.options & WEXITED) === 0 || (p.group_leader === p && signal.threads.size > 1)) return undefined;
    const status = (signal.flags & SIGNAL_GROUP_EXIT) !== 0 ? signal.group_exit_code : p.exit_code;
    const killed = status & 0x7f;
    const usage = usage_of_process(p);
    const r: Waited = {
      pid: p.pid, uid: p.cred.uid, status, usage,
      code: killed === 0 ? CLD_EXITED : (status & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED,
      cause: killed === 0 ? (status >> 8) & 0xff : killed,
    };
    if ((wo.options & WNOWAIT) === 0) {
      const reparented = ptrace_reparented(p);
      if (p.group_leader === p && !reparented) {
        usage_add(task.signal.cusage, usage);
        usage_add(task.signal.cusage, signal.cusage);
      }
      if (p.group_leader === p && reparented) {
        ptrace_unlink(p);
        if (do_notify_parent(p, p.exit_signal)) release_task(p);
      } else release_task(p);
    }
    return r;
  }
  if (ptrace) {
    const { tracing } = p;
    if (p.state === TASK_TRACED && !tracing.listening && tracing.code !== 0) {
      const { code } = tracing;
      if ((wo.options & WNOWAIT) === 0) tracing.code = 0;
      return { pid: p.pid, uid: p.cred.uid, status: (code << 8) | 0x7f, code: CLD_TRAPPED, cause: code, usage: usage_of_process(p) };
    }
  } else   if ((wo.options & WUNTRACED) !== 0 && (signal.flags & SIGNAL_STOP_STOPPED) !== 0 && signal.group_exit_code !== 0) {
    const sig = signal.group_exit_code;
    if ((wo.options & WNOWAIT) === 0) signal.group_exit_code = 0;
    return { pid: p.pid, uid: p.cred.uid, status: (sig << 8) | 0x7f, code: CLD_STOPPED, cause: sig, usage: usage_of_process(p) };
  }
  if ((wo.options & WCONTINUED) !== 0 && (signal.flags & SIGNAL_STOP_CONTINUED) !== 0) {
    if ((wo.options & WNOWAIT) === 0) signal.flags &= ~SIGNAL_STOP_CONTINUED;
    return { pid: p.pid, uid: p.cred.uid, status: 0xffff, code: CLD_CONTINUED, cause: SIGCONT, usage: usage_of_process(p) };
  }
  return undefined;
}

/** Finds a child to report, or sleeps for one. undefined under WNOHANG. */
function do_wait(task: Task, wo: WaitOpts): Waited | undefined {
  let any = false;
  for (const t of task.signal.threads) {
    if (t !== task && (wo.options & __WNOTHREAD) !== 0) continue;
    for (const p of t.children) {
      const ptrace = p.tracing.traced && !ptrace_reparented(p);
      if (!eligible(wo, p, ptrace)) continue;
      any ||= may_come(wo, p);
      const found = wait_consider(task, wo, p, ptrace);
      if (found !== undefined) return found;
    }
    for (const p of t.ptraced) {
      if (!eligible(wo, p, true)) continue;
      any ||= may_come(wo, p);
      const found = wait_consider(task, wo, p, true);
      if (found !== undefined) return found;
    }
  }
  if (!any) throw ECHILD;
  if ((wo.options & WNOHANG) !== 0) return undefined;
  return sleep_on(task, [task.signal.wait_chldexit]);
}

/** wait4(2) */
export const sys_wait4 = SYSCALL_DEFINE("wait4", [Pid, WaitStatus, WaitOptions, Ptr], (task, upid, stat_addr, options, ru) => {
  if ((options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) throw EINVAL;
  if (upid === -0x80000000) throw ESRCH;
  const wo: WaitOpts = { type: P_ALL, id: 0, options: options | WEXITED };
  if (upid < -1) {
    wo.type = P_PGID;
    wo.id = -upid;
  } else if (upid === 0) {
    wo.type = P_PGID;
    wo.id = task.signal.pgrp;
  } else if (upid > 0) {
    wo.type = P_PID;
    wo.id = upid;
  }
  const found = do_wait(task, wo);
  if (found === undefined) return 0;
  if (stat_addr !== 0) put_user_u32(task.kernel.mem, stat_addr, found.status);
  if (ru !== 0) getrusage_to_user(task, ru, found.usage);
  return found.pid;
});

/** cf. kernel_waitid() */
function kernel_waitid(task: Task, which: number, id: number, options: number): Waited | undefined {
  if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL)) !== 0) throw EINVAL;
  if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) throw EINVAL;
  const wo: WaitOpts = { type: which, id, options };
  let nonblock = false;
  if (which === P_PID) {
    if (id <= 0) throw EINVAL;
  } else if (which === P_PGID) {
    if (id < 0) throw EINVAL;
    if (id === 0) wo.id = task.signal.pgrp;
  } else if (which === P_PIDFD) {
    if (id < 0) throw EINVAL;
    const file = task.files!.fget(id);
    const target = pidfd_task(file);
    nonblock = (file.f_flags & O_NONBLOCK) !== 0 && (options & WNOHANG) === 0;
    if (nonblock) wo.options |= WNOHANG;
    wo.type = P_PID;
    wo.id = target.pid;
  } else if (which !== P_ALL) throw EINVAL;
  const found = do_wait(task, wo);
  if (found === undefined && nonblock) throw EAGAIN;
  return found;
}

/** What waitid(2) tells: these fields and no others of a siginfo; zeros where there is nothing to tell. Throws EFAULT. */
function put_waitid_info(task: Task, infop: number, found: Waited | undefined): void {
  const m = task.kernel.mem;
  check_write(m, infop, 128);
  const fields = found === undefined ? [0, 0, 0, 0, 0, 0] : [SIGCHLD, 0, found.code, found.pid, found.uid, found.cause];
  [0, 4, 8, 16, 20, 24].forEach((offset, i) => m.view.setInt32(infop + offset, fields[i]!, true));
}

/** waitid(2): an error is told to `infop` as well, with zeros. */
export const sys_waitid = SYSCALL_DEFINE("waitid", [Int, Pid, Ptr, Int, Ptr], (task, which, id, infop, options, ru) => {
  let found: Waited | undefined;
  try {
    found = kernel_waitid(task, which, id, options);
  } catch (e) {
    if (e instanceof Errno && infop !== 0) put_waitid_info(task, infop, undefined);
    throw e;
  }
  if (found !== undefined && ru !== 0) getrusage_to_user(task, ru, found.usage);
  if (infop !== 0) put_waitid_info(task, infop, found);
  return 0;
});
