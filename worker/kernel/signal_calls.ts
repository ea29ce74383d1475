// kernel/signal_calls.ts — the system calls about signals.  cf. kernel/signal.c, second half
import { EAGAIN, EINTR, EINVAL, ENOMEM, EPERM, ERESTARTNOHAND, ESRCH } from "../include/uapi/errno.ts";
import {
  NSIG, SA_IMMUTABLE, SA_NODEFER, SA_RESETHAND, SA_RESTART, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_ONSTACK, SA_RESTORER, SA_SIGINFO, SIGKILL, SIGSTOP, SIG_BLOCK,
  SIG_DFL, SIG_IGN, SIG_SETMASK, SIG_UNBLOCK, SI_TKILL, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK,
} from "../include/uapi/signal.ts";
import { find_process, find_task, pgrp_members, processes } from "./pid.ts";
import { pidfd_or_proc_task } from "./pidfd.ts";
import { copy_siginfo_from_user, copy_siginfo_to_user } from "./siginfo.ts";
import {
  check_kill_permission, dequeue_signal, group_send_sig_info, on_sig_stack, recalc_sigpending, send_signal, set_current_blocked, set_user_sigmask, si_user, sig_kernel_ignore,
  sig_kernel_only, valid_signal,
} from "./signal.ts";
import { get_user_sigset, put_user_sigset, type SigInfo } from "./signal_types.ts";
import { sleep_on } from "./sched/wait.ts";
import { Fd, Int, Pid, Ptr, Signal, Size, SYSCALL_DEFINE, UInt } from "./syscall.ts";
import { restart_state, type Task } from "./task.ts";
import { get_timespec } from "./time/time.ts";
import { check_read, check_write, get_user_u32, get_user_u64, put_user_u32, put_user_u64 } from "./uaccess.ts";

const SIGSETSIZE = 8;
const KNOWN_SA = SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND | SA_RESTORER;

/** rt_sigaction(2). struct sigaction of the kernel: handler, flags, restorer, mask; 32 bytes */
export const sys_rt_sigaction = SYSCALL_DEFINE("rt_sigaction", [Signal, Ptr, Ptr, Size], (task, sig, act, oact, size) => {
  if (size !== SIGSETSIZE) throw EINVAL;
  const m = task.kernel.mem;
  if (act !== 0) check_read(m, act, 32);
  if (sig < 1 || sig > NSIG || (act !== 0 && sig_kernel_only(sig))) throw EINVAL;
  const k = task.sighand.action[sig]!;
  if ((k.flags & SA_IMMUTABLE) !== 0) throw EINVAL;
  const old = { ...k, mask: k.mask.copy() };
  if (act !== 0) {
    k.handler = get_user_u64(m, act);
    k.flags = (get_user_u32(m, act + 8) & KNOWN_SA) >>> 0;
    k.restorer = get_user_u64(m, act + 16);
    k.mask = get_user_sigset(m, act + 24);
    k.mask.del(SIGKILL);
    k.mask.del(SIGSTOP);
    // POSIX: what is ignored from now on is no longer pending either
    if (k.handler === SIG_IGN || (k.handler === SIG_DFL && sig_kernel_ignore(sig))) {
      for (const p of [task.signal.shared_pending, ...[...task.signal.threads].map((t) => t.pending)]) {
        p.signal.del(sig);
        p.list = p.list.filter((i) => i.signo !== sig);
      }
      for (const t of task.signal.threads) recalc_sigpending(t);
    }
  }
  if (oact !== 0) {
    check_write(m, oact, 32);
    put_user_u64(m, oact, old.handler);
    put_user_u64(m, oact + 8, old.flags);
    put_user_u64(m, oact + 16, old.restorer);
    put_user_sigset(m, oact + 24, old.mask);
  }
  return 0;
});

/** rt_sigprocmask(2) */
export const sys_rt_sigprocmask = SYSCALL_DEFINE("rt_sigprocmask", [Int, Ptr, Ptr, Size], (task, how, nset, oset, size) => {
  if (size !== SIGSETSIZE) throw EINVAL;
  const m = task.kernel.mem;
  const old = task.blocked;
  if (nset !== 0) {
    const set = get_user_sigset(m, nset);
    if (how === SIG_BLOCK) set_current_blocked(task, old.or(set));
    else if (how === SIG_UNBLOCK) set_current_blocked(task, old.minus(set));
    else if (how === SIG_SETMASK) set_current_blocked(task, set);
    else throw EINVAL;
  }
  if (oset !== 0) put_user_sigset(m, oset, old);
  return 0;
});

/** rt_sigpending(2) */
export const sys_rt_sigpending = SYSCALL_DEFINE("rt_sigpending", [Ptr, Size], (task, uset, size) => {
  if (size > SIGSETSIZE) throw EINVAL;
  const set = task.pending.signal.or(task.signal.shared_pending.signal).and(task.blocked);
  const m = task.kernel.mem;
  check_write(m, uset, size);
  for (let i = 0; i < size; i++) m.u8[uset + i] = ((i < 4 ? set.lo : set.hi) >>> (8 * (i & 3))) & 0xff;
  return 0;
});

/** rt_sigsuspend(2) */
export const sys_rt_sigsuspend = SYSCALL_DEFINE("rt_sigsuspend", [Ptr, Size], (task, unewset, size) => {
  if (size !== SIGSETSIZE) throw EINVAL;
  const set = get_user_sigset(task.kernel.mem, unewset);
  restart_state(task, () => {
    set_user_sigmask(task, set);
    return {};
  });
  return sleep_on(task, [], { interrupted: ERESTARTNOHAND });
});

/** pause(2) */
export const sys_pause = SYSCALL_DEFINE("pause", [], (task) => sleep_on(task, [], { interrupted: ERESTARTNOHAND }));

interface TimedWait {
  until: number;
  waiting: boolean;
}
/** rt_sigtimedwait(2) */
export const sys_rt_sigtimedwait = SYSCALL_DEFINE("rt_sigtimedwait", [Ptr, Ptr, Ptr, Size], (task, uthese, uinfo, uts, size) => {
  if (size !== SIGSETSIZE) throw EINVAL;
  const m = task.kernel.mem;
  const these = get_user_sigset(m, uthese);
  these.del(SIGKILL);
  these.del(SIGSTOP);
  const st = restart_state<TimedWait>(task, () => {
    const ts = uts === 0 ? undefined : get_timespec(m, uts);
    return { until: ts === undefined ? Infinity : task.kernel.time.monotonic() + ts, waiting: false };
  });
  if (st.waiting) {
    st.waiting = false;
    task.blocked = task.real_blocked!;
    task.real_blocked = undefined;
  }
  const info = dequeue_signal(task, these.not());
  if (info !== undefined) {
    if (uinfo !== 0) copy_siginfo_to_user(m, uinfo, info);
    return info.signo;
  }
  if (task.kernel.time.monotonic() >= st.until) throw EAGAIN;
  if (task.signal_pending()) throw EINTR;
  st.waiting = true;
  task.real_blocked = task.blocked;
  task.blocked = task.blocked.minus(these);
  recalc_sigpending(task);
  return sleep_on(task, [], { until: st.until, interrupted: EINTR });
});

// --- kill

/** To each of some processes: all that may be reached. @throws ESRCH if there are none, EPERM if none may be.  cf. __kill_pgrp_info() */
function kill_all(targets: readonly Task[], sig: number, info: SigInfo, task: Task, everybody = false): void {
  let sent = 0;
  for (const t of targets) {
    try {
      group_send_sig_info(sig, { ...info }, task, t);
      sent++;
    } catch (e) {
      // kill(-1): EPERM for some is no error; a group: only if none could be reached
      if (e !== EPERM) throw e;
      if (everybody) sent++;
    }
  }
  if (targets.length === 0) throw ESRCH;
  if (sent === 0) throw EPERM;
}

/** kill(2) */
export const sys_kill = SYSCALL_DEFINE("kill", [Pid, Signal], (task, pid, sig) => {
  const kernel = task.kernel;
  const info = si_user(task, sig);
  if (pid > 0) {
    const t = find_task(kernel, pid);
    if (t === undefined) throw ESRCH;
    group_send_sig_info(sig, info, task, t);
    return 0;
  }
  if (pid === -0x80000000) throw ESRCH;
  const targets =
    pid === -1 ? processes(kernel).filter((t) => t.tgid > 1 && t.signal !== task.signal && (t.mm !== undefined || t.exit_state_dead())) : pgrp_members(kernel, pid === 0 ? task.signal.pgrp : -pid);
  if (!valid_signal(sig)) throw EINVAL;
  kill_all(targets, sig, info, task, pid === -1);
  return 0;
});

function do_send_specific(task: Task, tgid: number, pid: number, sig: number, info: SigInfo): number {
  const t = find_task(task.kernel, pid);
  if (t === undefined || (tgid > 0 && t.tgid !== tgid)) throw ESRCH;
  check_kill_permission(sig, task, t);
  if (sig !== 0 && !t.exit_state_dead()) send_signal(sig, info, t, false, false);
  return 0;
}
export const sys_tkill = SYSCALL_DEFINE("tkill", [Pid, Signal], (task, pid, sig) => {
  if (pid <= 0) throw EINVAL;
  return do_send_specific(task, 0, pid, sig, si_user(task, sig, SI_TKILL));
});
export const sys_tgkill = SYSCALL_DEFINE("tgkill", [Pid, Pid, Signal], (task, tgid, pid, sig) => {
  if (pid <= 0 || tgid <= 0) throw EINVAL;
  return do_send_specific(task, tgid, pid, sig, si_user(task, sig, SI_TKILL));
});

/** Only the kernel may claim codes >= 0 and SI_TKILL towards others. */
function queueinfo(task: Task, pid: number, sig: number, uinfo: number): SigInfo {
  const info = copy_siginfo_from_user(task.kernel.mem, uinfo);
  info.signo = sig;
  if ((info.code >= 0 || info.code === SI_TKILL) && pid !== task.tgid && pid !== task.pid) throw EPERM;
  return info;
}
export const sys_rt_sigqueueinfo = SYSCALL_DEFINE("rt_sigqueueinfo", [Pid, Signal, Ptr], (task, pid, sig, uinfo) => {
  const info = queueinfo(task, pid, sig, uinfo);
  const t = find_task(task.kernel, pid);
  if (t === undefined) throw ESRCH;
  group_send_sig_info(sig, info, task, t);
  return 0;
});
export const sys_rt_tgsigqueueinfo = SYSCALL_DEFINE("rt_tgsigqueueinfo", [Pid, Pid, Signal, Ptr], (task, tgid, pid, sig, uinfo) => {
  check_read(task.kernel.mem, uinfo, 48);
  if (pid <= 0 || tgid <= 0) throw EINVAL;
  return do_send_specific(task, tgid, pid, sig, queueinfo(task, pid, sig, uinfo));
});

const PIDFD_SIGNAL_THREAD = 1;
const PIDFD_SIGNAL_THREAD_GROUP = 2;
const PIDFD_SIGNAL_PROCESS_GROUP = 4;
/** pidfd_send_signal(2) */
export const sys_pidfd_send_signal = SYSCALL_DEFINE("pidfd_send_signal", [Fd, Signal, Ptr, UInt], (task, pidfd, sig, uinfo, flags) => {
  if ((flags & ~(PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP | PIDFD_SIGNAL_PROCESS_GROUP)) !== 0 || (flags & (flags - 1)) !== 0) throw EINVAL;
  const t = pidfd_or_proc_task(task.files!.fget(pidfd));
  const info = uinfo === 0 ? si_user(task, sig) : queueinfo(task, t.tgid, sig, uinfo);
  if (uinfo !== 0 && get_user_u32(task.kernel.mem, uinfo) !== sig) throw EINVAL;
  if (t.exit_state_dead() && find_process(task.kernel, t.tgid) !== t) throw ESRCH;
  if (flags === PIDFD_SIGNAL_PROCESS_GROUP) kill_all(pgrp_members(task.kernel, t.signal.pgrp), sig, info, task);
  else if (flags === PIDFD_SIGNAL_THREAD) {
    check_kill_permission(sig, task, t);
    if (sig !== 0) send_signal(sig, info, t, false, false);
  } else group_send_sig_info(sig, info, task, t);
  return 0;
});

// --- the alternate stack

/** sigaltstack(2). stack_t: sp, flags (int), size; 24 bytes. The port says where the stack pointer is. */
export const sys_sigaltstack = SYSCALL_DEFINE("sigaltstack", [Ptr, Ptr], (task, uss, uoss) => {
  const m = task.kernel.mem;
  const on = on_sig_stack(task, task.kernel.arch.sp(task));
  const old = { sp: task.sas_ss_sp, size: task.sas_ss_size, flags: (task.sas_ss_size === 0 ? SS_DISABLE : on ? SS_ONSTACK : 0) | (task.sas_ss_flags & SS_AUTODISARM) };
  if (uss !== 0) {
    check_read(m, uss, 24);
    do_sigaltstack(task, get_user_u64(m, uss), get_user_u32(m, uss + 8), get_user_u64(m, uss + 16), on);
  }
  if (uoss !== 0) put_altstack(task, uoss, old);
  return 0;
});
function do_sigaltstack(task: Task, sp: number, flags: number, size: number, on: boolean): void {
  if (on) throw EPERM;
  const mode = (flags & ~SS_AUTODISARM) >>> 0;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) throw EINVAL;
  // nothing is asked for: a stack of no bytes that is there already is no error
  if (task.sas_ss_sp === sp && task.sas_ss_size === size && task.sas_ss_flags === flags >>> 0) return;
  if (mode === SS_DISABLE) {
    task.sas_ss_sp = 0;
    task.sas_ss_size = 0;
  } else {
    if (size < 2048) throw ENOMEM;
    task.sas_ss_sp = sp;
    task.sas_ss_size = size;
  }
  task.sas_ss_flags = flags >>> 0;
}
function put_altstack(task: Task, addr: number, s: { sp: number; flags: number; size: number }): void {
  const m = task.kernel.mem;
  check_write(m, addr, 24);
  put_user_u64(m, addr, s.sp);
  put_user_u32(m, addr + 8, s.flags);
  put_user_u32(m, addr + 12, 0);
  put_user_u64(m, addr + 16, s.size);
}
/** uc_stack of a signal frame.  cf. __save_altstack() */
export function save_altstack(task: Task, addr: number): void {
  put_altstack(task, addr, { sp: task.sas_ss_sp, flags: task.sas_ss_flags, size: task.sas_ss_size });
}
/** rt_sigreturn: what the handler left in uc_stack counts again. Errors but EFAULT are ignored. */
export function restore_altstack(task: Task, addr: number, sp: number): void {
  const m = task.kernel.mem;
  check_read(m, addr, 24);
  try {
    do_sigaltstack(task, get_user_u64(m, addr), get_user_u32(m, addr + 8), get_user_u64(m, addr + 16), on_sig_stack(task, sp));
  } catch {
    // Linux ignores it as well: the stack pointer may still be on the alternate stack
  }
}
