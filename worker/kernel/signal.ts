// kernel/signal.ts — sending, queueing, taking signals; stop and continue.  cf. kernel/signal.c
//
// The port, on the way back to user mode (arch/um): while task.sigpending or task.notify_resume, call get_signal(task). It returns a signal with
// a handler (build the frame, then signal_setup_done), or undefined: then, if task.state is not TASK_RUNNING the task was stopped or is dead and the
// scheduler goes on (get_signal is to be called again when it is back: notify_resume); else a call that ended in ERESTART* is restarted and
// restore_saved_sigmask() called.
import { EAGAIN, EINVAL, EPERM } from "../include/uapi/errno.ts";
import {
  CLD_CONTINUED, CLD_DUMPED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, NSIG, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_NODEFER, SA_RESETHAND, SIGABRT, SIGBUS, SIGCHLD,
  SIGCONT, SIGFPE, SIGILL, SIGKILL, SIGQUIT, SIGRTMIN, SIGSEGV, SIGSTOP, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH, SIGXCPU, SIGXFSZ, SIG_DFL,
  SIG_IGN, SI_KERNEL, SI_TIMER, SI_USER, SS_AUTODISARM, SS_DISABLE,
} from "../include/uapi/signal.ts";
import { CAP_KILL, capable } from "./cred.ts";
import type { Kernel } from "./kernel.ts";
import { do_exit } from "./exit.ts";
import { child_reaper, pgrp_members } from "./pid.ts";
import { ptrace_report_syscall_exit, ptrace_signal, ptrace_signal_resumed, ptrace_trap_stop } from "./ptrace.ts";
import {
  RLIMIT_SIGPENDING, SIGNAL_CLD_CONTINUED, SIGNAL_CLD_STOPPED, SIGNAL_GROUP_EXIT, SIGNAL_STOP_CONTINUED, SIGNAL_STOP_STOPPED, SIGNAL_UNKILLABLE, SigSet,
  type KSigaction, type SigInfo, type SigPending,
} from "./signal_types.ts";
import {
  PF_EXITING, PF_SIGNALED, TASK_INTERRUPTIBLE, TASK_RUNNING, TASK_STOPPED, TASK_TRACED, TASK_UNINTERRUPTIBLE, type Task,
} from "./task.ts";
import { NSEC_PER_TICK } from "./time/timekeeping.ts";

const freeze = (s: SigSet): SigSet => Object.freeze(s) as SigSet;
const STOP_SET = freeze(SigSet.of(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU));
const CONT_SET = freeze(SigSet.of(SIGCONT));
const ONLY_SET = freeze(SigSet.of(SIGKILL, SIGSTOP));
const IGNORE_SET = freeze(SigSet.of(SIGCONT, SIGCHLD, SIGWINCH, SIGURG));
const COREDUMP_SET = freeze(SigSet.of(SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ));
/** raised by an instruction: taken before others, so that the frame points to it */
const SYNCHRONOUS_SET = freeze(SigSet.of(SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS));

export const sig_kernel_only = (sig: number): boolean => ONLY_SET.has(sig);
export const sig_kernel_stop = (sig: number): boolean => STOP_SET.has(sig);
export const sig_kernel_ignore = (sig: number): boolean => IGNORE_SET.has(sig);
export const sig_kernel_coredump = (sig: number): boolean => COREDUMP_SET.has(sig);
export const valid_signal = (sig: number): boolean => sig >= 0 && sig <= NSIG;

/** A signal that a handler is to be run for. */
export interface KSignal {
  readonly sig: number;
  readonly info: SigInfo;
  readonly ka: KSigaction;
}

/** From a process, by kill(2). */
export function si_user(sender: Task, sig: number, code = SI_USER): SigInfo {
  return { signo: sig, errno: 0, code, pid: sender.tgid, uid: sender.cred.uid };
}
/** From the kernel itself. */
export function si_kernel(sig: number): SigInfo {
  return { signo: sig, errno: 0, code: SI_KERNEL, pid: 0, uid: 0 };
}

// --- what is pending

/** Brings task.sigpending and task.sigkilled up to date. To be called whenever a mask or a queue changed. */
export function recalc_sigpending(task: Task): void {
  const p = task.pending.signal;
  const s = task.signal.shared_pending.signal;
  const b = task.blocked;
  task.sigpending = ((p.lo | s.lo) & ~b.lo) !== 0 || ((p.hi | s.hi) & ~b.hi) !== 0 || task.jobctl_stop !== 0 || task.tracing.trap_stop;
  task.sigkilled = p.has(SIGKILL);
  if (task.sigpending) task.kernel.arch.set_exit_work();
}

/** Makes a task notice its signals: wakes it if it sleeps interruptibly; a fatal one wakes it from any sleep or stop. */
export function signal_wake_up(task: Task, fatal: boolean): void {
  recalc_sigpending(task);
  task.sigpending = true;
  task.kernel.arch.set_exit_work();
  const sched = task.kernel.sched;
  if (task.state === TASK_INTERRUPTIBLE || (fatal && task.state === TASK_UNINTERRUPTIBLE)) sched.wake_up_process(task);
  else if (fatal && (task.state === TASK_STOPPED || task.state === TASK_TRACED)) sched.wake_up_stopped(task);
}

function flush_sigqueue_mask(mask: SigSet, pending: SigPending): void {
  if (!pending.signal.intersects(mask)) return;
  pending.signal.assign(pending.signal.minus(mask));
  pending.list = pending.list.filter((i) => !mask.has(i.signo));
}
/** Drops what is pending for this thread (execve, exit). */
export function flush_sigqueue(pending: SigPending): void {
  pending.signal.clear();
  pending.list = [];
}

function sig_task_ignored(task: Task, sig: number, force: boolean): boolean {
  const handler = task.sighand.action[sig]!.handler;
  if ((task.signal.flags & SIGNAL_UNKILLABLE) !== 0 && handler === SIG_DFL && !(force && sig_kernel_only(sig))) return true;
  return handler === SIG_IGN || (handler === SIG_DFL && sig_kernel_ignore(sig));
}
/** A signal that would be dropped on delivery is not queued at all, unless it is blocked (its action may change until then). */
function sig_ignored(task: Task, sig: number, force: boolean): boolean {
  if (task.blocked.has(sig) || task.real_blocked?.has(sig) === true) return false;
  // a tracer sees those, too
  if (task.tracing.traced && sig !== SIGKILL) return false;
  return sig_task_ignored(task, sig, force);
}

/** Stop and continue take effect when sent, whatever is blocked. Whether the signal is to be queued. */
function prepare_signal(sig: number, task: Task, force: boolean): boolean {
  const signal = task.signal;
  if ((signal.flags & SIGNAL_GROUP_EXIT) !== 0) return sig === SIGKILL;
  if (sig_kernel_stop(sig)) {
    flush_sigqueue_mask(CONT_SET, signal.shared_pending);
    for (const t of signal.threads) flush_sigqueue_mask(CONT_SET, t.pending);
  } else if (sig === SIGCONT) {
    flush_sigqueue_mask(STOP_SET, signal.shared_pending);
    for (const t of signal.threads) {
      flush_sigqueue_mask(STOP_SET, t.pending);
      t.jobctl_stop = 0;
      if (t.state === TASK_STOPPED) task.kernel.sched.wake_up_stopped(t);
      else if (t.tracing.listening) {
        t.tracing.listening = false;
        t.tracing.trap_stop = true;
        task.kernel.sched.wake_up_stopped(t);
      }
      recalc_sigpending(t);
    }
    const why = (signal.flags & SIGNAL_STOP_STOPPED) !== 0 ? SIGNAL_CLD_CONTINUED : signal.group_stop_count > 0 ? SIGNAL_CLD_STOPPED : 0;
    if (why !== 0) {
      signal.flags = (signal.flags & SIGNAL_UNKILLABLE) | why | SIGNAL_STOP_CONTINUED;
      signal.group_stop_count = 0;
      signal.group_exit_code = 0;
    }
  }
  return !sig_ignored(task, sig, force);
}

function wants_signal(sig: number, task: Task): boolean {
  if (task.blocked.has(sig) || (task.flags & PF_EXITING) !== 0) return false;
  if (sig === SIGKILL) return true;
  if (task.state === TASK_STOPPED || task.state === TASK_TRACED) return false;
  return task === task.kernel.current || !task.sigpending;
}

/** Finds the thread that takes a signal, and wakes it; a signal that kills, kills the whole group at once. */
function complete_signal(sig: number, task: Task, group: boolean): void {
  const signal = task.signal;
  let target: Task | undefined;
  if (wants_signal(sig, task)) target = task;
  else if (group) for (const t of signal.threads) if (target === undefined && wants_signal(sig, t)) target = t;
  if (target === undefined) return;
  const handler = target.sighand.action[sig]!.handler;
  const fatal = handler === SIG_DFL && !sig_kernel_ignore(sig) && !sig_kernel_stop(sig) && (signal.flags & SIGNAL_UNKILLABLE) === 0;
  if ((fatal || sig === SIGKILL) && (signal.flags & SIGNAL_GROUP_EXIT) === 0 && target.real_blocked?.has(sig) !== true && !sig_kernel_coredump(sig) && (sig === SIGKILL || !target.tracing.traced)) {
    signal.flags = (signal.flags & SIGNAL_UNKILLABLE) | SIGNAL_GROUP_EXIT;
    signal.group_exit_code = sig;
    signal.group_stop_count = 0;
    for (const t of signal.threads) {
      t.jobctl_stop = 0;
      t.pending.signal.add(SIGKILL);
      signal_wake_up(t, true);
    }
    return;
  }
  signal_wake_up(target, sig === SIGKILL);
}

/**
 * Queues a signal for a thread (`group` false) or its process. `force`: from the kernel, so that init is not protected against SIGKILL.
 * Throws EAGAIN when a queue of sigqueue's is full.
 */
export function send_signal(sig: number, info: SigInfo, task: Task, group: boolean, force = info.code === SI_KERNEL || info.code > SI_KERNEL): void {
  if ((task.flags & PF_EXITING) !== 0 && !group) return;
  if (!prepare_signal(sig, task, force)) return;
  const pending = group ? task.signal.shared_pending : task.pending;
  if (sig < SIGRTMIN && pending.signal.has(sig)) return;
  if (sig >= SIGRTMIN && pending.list.length >= task.signal.rlim[RLIMIT_SIGPENDING]!.cur && info.code !== SI_USER && info.code < 0 && info.code !== SI_TIMER) throw EAGAIN;
  if (sig !== SIGKILL) pending.list.push(info);
  pending.signal.add(sig);
  task.sighand.signalfd_wqh.wake_up();
  complete_signal(sig, task, group);
}

/** To a process, from the kernel. */
export function send_sig(sig: number, task: Task): void {
  if (task.sighand !== undefined) send_signal(sig, si_kernel(sig), task, false);
}
export function group_send_sig(sig: number, task: Task): void {
  send_signal(sig, si_kernel(sig), task, true);
}
/** To a process group, from the kernel (the tty's ^C; hang-up). */
export function kill_pgrp(kernel: Kernel, pgrp: number, sig: number): void {
  for (const t of pgrp_members(kernel, pgrp)) send_signal(sig, si_kernel(sig), t, true);
}

/** A signal that cannot be blocked or ignored: what an instruction did. */
export function force_sig_info(info: SigInfo, task: Task): void {
  const action = task.sighand.action[info.signo]!;
  const blocked = task.blocked.has(info.signo);
  if (blocked || action.handler === SIG_IGN) {
    action.handler = SIG_DFL;
    if (blocked) {
      const set = task.blocked.copy();
      set.del(info.signo);
      task.blocked = set;
    }
  }
  if (action.handler === SIG_DFL) task.signal.flags &= ~SIGNAL_UNKILLABLE;
  send_signal(info.signo, info, task, false, true);
  recalc_sigpending(task);
}
export function force_sig(sig: number, task: Task): void {
  force_sig_info(si_kernel(sig), task);
}
export function force_sig_fault(sig: number, code: number, addr: number, task: Task): void {
  force_sig_info({ signo: sig, errno: 0, code, addr }, task);
}
/** A frame could not be written: SIGSEGV, which kills if the frame was SIGSEGV's own. */
export function force_sigsegv(sig: number, task: Task): void {
  if (sig === SIGSEGV) task.sighand.action[SIGSEGV]!.handler = SIG_DFL;
  force_sig(SIGSEGV, task);
}

// --- masks

/** Changes the mask of a task; SIGKILL and SIGSTOP stay unblocked. */
export function set_current_blocked(task: Task, set: SigSet): void {
  const blocked = set.minus(ONLY_SET);
  const old = task.blocked;
  task.blocked = blocked;
  // signals of the process that this thread would have taken now wait for another one
  const newly = blocked.minus(old);
  if (task.sigpending && task.signal.shared_pending.signal.intersects(newly)) {
    for (const t of task.signal.threads) {
      if (t === task || (t.flags & PF_EXITING) !== 0) continue;
      if (task.signal.shared_pending.signal.intersects(newly.minus(t.blocked)) && !t.sigpending) signal_wake_up(t, false);
    }
  }
  recalc_sigpending(task);
}
/** The mask that sigsuspend and friends left aside comes back (the call ends without a handler). */
export function restore_saved_sigmask(task: Task): void {
  const saved = task.saved_sigmask;
  if (saved === undefined) return;
  task.saved_sigmask = undefined;
  set_current_blocked(task, saved);
}
/** The mask that a signal frame stores. */
export function sigmask_to_save(task: Task): SigSet {
  return task.saved_sigmask ?? task.blocked;
}
/** For ppoll, pselect, epoll_pwait: a mask for the length of the call. First attempt only; do_syscall_64 puts the old one back. */
export function set_user_sigmask(task: Task, set: SigSet): void {
  task.saved_sigmask = task.blocked;
  task.kernel.arch.set_exit_work();
  set_current_blocked(task, set);
}

/** A frame was built (or could not be): the mask while the handler runs. */
export function signal_setup_done(failed: boolean, ksig: KSignal, task: Task): void {
  if (failed) {
    force_sigsegv(ksig.sig, task);
    return;
  }
  task.saved_sigmask = undefined;
  if ((task.sas_ss_flags & SS_AUTODISARM) !== 0) sas_ss_reset(task);
  const set = task.blocked.or(ksig.ka.mask);
  if ((ksig.ka.flags & SA_NODEFER) === 0) set.add(ksig.sig);
  set_current_blocked(task, set);
}

// --- sigaltstack

export function on_sig_stack(task: Task, sp: number): boolean {
  if ((task.sas_ss_flags & SS_AUTODISARM) !== 0) return false;
  return sp > task.sas_ss_sp && sp - task.sas_ss_sp <= task.sas_ss_size;
}
export function sas_ss_reset(task: Task): void {
  task.sas_ss_sp = 0;
  task.sas_ss_size = 0;
  task.sas_ss_flags = SS_DISABLE;
}

// --- taking signals

function next_signal(pending: SigPending, mask: SigSet): number {
  const ready = pending.signal.minus(mask);
  if (ready.isEmpty()) return 0;
  const sync = ready.and(SYNCHRONOUS_SET);
  return (sync.isEmpty() ? ready : sync).first();
}
function collect_signal(sig: number, pending: SigPending): SigInfo {
  const i = pending.list.findIndex((e) => e.signo === sig);
  const info = i < 0 ? { signo: sig, errno: 0, code: SI_USER, pid: 0, uid: 0 } : pending.list.splice(i, 1)[0]!;
  if (!pending.list.some((e) => e.signo === sig)) pending.signal.del(sig);
  return info;
}
/** Takes the first pending signal that is not in `mask`, the thread's own before the process's. */
export function dequeue_signal(task: Task, mask: SigSet): SigInfo | undefined {
  let pending = task.pending;
  let sig = next_signal(pending, mask);
  if (sig === 0) {
    pending = task.signal.shared_pending;
    sig = next_signal(pending, mask);
  }
  if (sig === 0) {
    recalc_sigpending(task);
    return undefined;
  }
  const info = collect_signal(sig, pending);
  if (info.code === SI_TIMER && info.tid !== undefined) rearm_posix_timer(task, info);
  recalc_sigpending(task);
  return info;
}
function rearm_posix_timer(task: Task, info: SigInfo): void {
  const timer = task.signal.posix_timers.get(info.tid!);
  if (timer !== undefined) info.overrun = timer.signal_taken(task.kernel);
}

/** No member of the group has a parent in the same session but another group: nobody could continue it. */
export function is_current_pgrp_orphaned(task: Task): boolean {
  return will_become_orphaned_pgrp(task.kernel, task.signal.pgrp, undefined);
}
export function will_become_orphaned_pgrp(kernel: Kernel, pgrp: number, ignored: Task | undefined): boolean {
  for (const p of pgrp_members(kernel, pgrp)) {
    const parent = p.real_parent;
    if (p === ignored || (p.exit_state_dead() && p.signal.threads.size === 1) || parent === undefined || parent === child_reaper(kernel)) continue;
    if (parent.signal.pgrp !== pgrp && parent.signal.session === p.signal.session) return false;
  }
  return true;
}

/** Takes part in a group stop, or starts one with `sig`. Whether the task is stopped now. */
function do_signal_stop(task: Task, sig: number): boolean {
  const signal = task.signal;
  if (task.jobctl_stop === 0) {
    if ((signal.flags & SIGNAL_STOP_STOPPED) === 0) signal.group_exit_code = sig;
    signal.group_stop_count = 1;
    task.jobctl_stop = sig;
    for (const t of signal.threads) {
      if (t === task || t.state === TASK_STOPPED || (t.flags & PF_EXITING) !== 0) continue;
      t.jobctl_stop = sig;
      signal.group_stop_count++;
      signal_wake_up(t, false);
    }
  }
  task.stop_signal = task.jobctl_stop;
  task.jobctl_stop = 0;
  const last = signal.group_stop_count > 0 && --signal.group_stop_count === 0;
  const first = (signal.flags & SIGNAL_STOP_STOPPED) === 0;
  if (last) signal.flags = (signal.flags & SIGNAL_UNKILLABLE) | SIGNAL_STOP_STOPPED;
  recalc_sigpending(task);
  if (last && first) do_notify_parent_cldstop(task, CLD_STOPPED);
  if (task.tracing.traced) return ptrace_trap_stop(task, task.stop_signal);
  task.state = TASK_STOPPED;
  task.notify_resume = true;
  return true;
}

/**
 * What the task does about its signals before it goes back to user mode. See the head of this file. Sets task.last_siginfo.
 */
export function get_signal(task: Task): KSignal | undefined {
  const { signal, tracing } = task;
  if (task.state !== TASK_RUNNING) return undefined;
  task.notify_resume = false;
  if (tracing.at_exec) {
    tracing.at_exec = false;
    if (task.trace_syscall && ptrace_report_syscall_exit(task)) return undefined;
  }
  for (;;) {
    if ((signal.flags & (SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED)) !== 0) {
      const why = (signal.flags & SIGNAL_CLD_CONTINUED) !== 0 ? CLD_CONTINUED : CLD_STOPPED;
      signal.flags &= ~(SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED);
      do_notify_parent_cldstop(task, why);
    }
    if ((signal.flags & SIGNAL_GROUP_EXIT) !== 0 || (signal.group_exec_task !== undefined && signal.group_exec_task !== task && task.sigkilled)) {
      do_group_exit(task, signal.group_exit_code);
      return undefined;
    }
    if (task.jobctl_stop !== 0 && do_signal_stop(task, 0)) return undefined;
    if (tracing.trap_stop) {
      tracing.trap_stop = false;
      recalc_sigpending(task);
      if (ptrace_trap_stop(task, 0)) return undefined;
    }

    let info: SigInfo | undefined;
    if (tracing.signal !== undefined) {
      info = ptrace_signal_resumed(task);
      if (info === undefined) continue;
      if (task.blocked.has(info.signo)) {
        send_signal(info.signo, info, task, false, false);
        continue;
      }
    } else {
      info = dequeue_signal(task, task.blocked);
      if (info === undefined) return undefined;
      if (tracing.traced && info.signo !== SIGKILL && ptrace_signal(task, info)) return undefined;
    }
    const sig = info.signo;
    const ka = task.sighand.action[sig]!;
    if (ka.handler === SIG_IGN) continue;
    if (ka.handler !== SIG_DFL) {
      const copy = Object.assign({}, ka) as KSigaction;
      if ((ka.flags & SA_RESETHAND) !== 0) ka.handler = SIG_DFL;
      task.last_siginfo = info;
      return { sig, info, ka: copy };
    }
    if (sig_kernel_ignore(sig)) continue;
    if ((signal.flags & SIGNAL_UNKILLABLE) !== 0 && !sig_kernel_only(sig)) continue;
    if (sig_kernel_stop(sig)) {
      // a stop from the terminal reaches no orphaned group: nobody could continue it
      if (sig !== SIGSTOP && is_current_pgrp_orphaned(task)) continue;
      if (do_signal_stop(task, sig)) return undefined;
      continue;
    }
    task.flags |= PF_SIGNALED;
    const dumped = sig_kernel_coredump(sig) && task.kernel.vfs.do_coredump(task, info);
    do_group_exit(task, dumped ? sig | 0x80 : sig);
    return undefined;
  }
}

/** The whole process ends. `code` is a wait status. */
export function do_group_exit(task: Task, code: number): void {
  const signal = task.signal;
  if ((signal.flags & SIGNAL_GROUP_EXIT) !== 0) code = signal.group_exit_code;
  else if (signal.group_exec_task === undefined) {
    signal.group_exit_code = code;
    signal.flags = (signal.flags & SIGNAL_UNKILLABLE) | SIGNAL_GROUP_EXIT;
    zap_other_threads(task);
  }
  do_exit(task, code);
}
/** Sends SIGKILL to the other threads of the group; returns how many there are. */
export function zap_other_threads(task: Task): number {
  let count = 0;
  task.signal.group_stop_count = 0;
  for (const t of task.signal.threads) {
    if (t === task) continue;
    t.jobctl_stop = 0;
    count++;
    if (t.exit_state_dead()) continue;
    t.pending.signal.add(SIGKILL);
    signal_wake_up(t, true);
  }
  return count;
}

// --- telling the parent

const clock_t = (ns: number): number => Math.floor(ns / NSEC_PER_TICK);

/** A process ended: SIGCHLD (or its exit signal) to the parent. Whether it is to be reaped at once (nobody will wait for it). */
export function do_notify_parent(task: Task, sig: number): boolean {
  const parent = task.parent!;
  const status = task.exit_code & 0x7f;
  const info: SigInfo = {
    signo: sig, errno: 0, pid: task.pid, uid: task.cred.uid,
    code: status === 0 ? CLD_EXITED : (task.exit_code & 0x80) !== 0 ? CLD_DUMPED : CLD_KILLED,
    status: status === 0 ? (task.exit_code >> 8) & 0xff : status,
    utime: clock_t(task.utime + task.signal.usage.utime), stime: clock_t(task.stime + task.signal.usage.stime),
  };
  let autoreap = false;
  // clone(2) takes any byte
  let send = valid_signal(sig) && sig !== 0;
  if (sig === SIGCHLD && !task.tracing.traced) {
    const action = parent.sighand.action[SIGCHLD]!;
    if (action.handler === SIG_IGN || (action.flags & SA_NOCLDWAIT) !== 0) {
      autoreap = true;
      if (action.handler === SIG_IGN) send = false;
    }
  }
  if (send) send_signal(sig, info, parent, true, false);
  parent.signal.wait_chldexit.wake_up();
  return autoreap;
}

/** A tracee stopped: to its tracer.  cf. do_notify_parent_cldstop(task, true, why) */
export function do_notify_ptracer(task: Task, why: number, status: number): void {
  const parent = task.parent!;
  const action = parent.sighand.action[SIGCHLD]!;
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) {
    const info: SigInfo = { signo: SIGCHLD, errno: 0, code: why, pid: task.pid, uid: task.cred.uid, utime: clock_t(task.utime), stime: clock_t(task.stime), status };
    send_signal(SIGCHLD, info, parent, true, false);
  }
  parent.signal.wait_chldexit.wake_up();
}

/** A child stopped or went on. */
export function do_notify_parent_cldstop(task: Task, why: number): void {
  const leader = task.group_leader;
  const parent = leader.real_parent;
  if (parent === undefined) return;
  const info: SigInfo = {
    signo: SIGCHLD, errno: 0, code: why, pid: leader.pid, uid: leader.cred.uid,
    utime: clock_t(leader.utime), stime: clock_t(leader.stime),
    status: why === CLD_CONTINUED ? SIGCONT : task.signal.group_exit_code & 0x7f,
  };
  const action = parent.sighand.action[SIGCHLD]!;
  if (action.handler !== SIG_IGN && (action.flags & SA_NOCLDSTOP) === 0) send_signal(SIGCHLD, info, parent, true, false);
  parent.signal.wait_chldexit.wake_up();
}

// --- kill

function kill_ok_by_cred(sender: Task, t: Task): boolean {
  const c = sender.cred;
  const o = t.cred;
  return c.euid === o.suid || c.euid === o.uid || c.uid === o.suid || c.uid === o.uid || capable(sender, CAP_KILL);
}
/** Throws EINVAL or EPERM.  cf. check_kill_permission() */
export function check_kill_permission(sig: number, sender: Task, t: Task): void {
  if (!valid_signal(sig)) throw EINVAL;
  if (sender.signal === t.signal || kill_ok_by_cred(sender, t)) return;
  if (sig === SIGCONT && sender.signal.session === t.signal.session) return;
  throw EPERM;
}
/** From a process to another; sig 0 only asks. */
export function group_send_sig_info(sig: number, info: SigInfo, sender: Task, t: Task): void {
  check_kill_permission(sig, sender, t);
  if (sig !== 0) send_signal(sig, info, t, true, false);
}
