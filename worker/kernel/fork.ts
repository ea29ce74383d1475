// kernel/fork.ts — new tasks.  cf. kernel/fork.c
//
// Without an MMU an address space cannot be copied: fork(2), and clone without CLONE_VM, are EINVAL. (Linux's code lets such a clone through
// and documents that it must not be used; here it is refused.) With nommu.fork=shadow they work (mm/shadow.ts).
import { newThread } from "./arch.ts";
import { EAGAIN, EINVAL, EPERM, E2BIG, EEXIST } from "../include/uapi/errno.ts";
import {
  CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_CLEAR_SIGHAND, CLONE_DETACHED, CLONE_FILES, CLONE_FS, CLONE_INTO_CGROUP, CLONE_NEWCGROUP, CLONE_NEWIPC,
  CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS, CLONE_PARENT, CLONE_PARENT_SETTID, CLONE_PIDFD, CLONE_PTRACE, CLONE_SETTLS,
  CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_UNTRACED, CLONE_VFORK, CLONE_VM, CSIGNAL,
} from "../include/uapi/sched.ts";
import { NSIG, SIGCHLD, SIG_IGN, SS_DISABLE } from "../include/uapi/signal.ts";
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE, Cred, capable } from "./cred.ts";
import { futex_wake_addr } from "./futex.ts";
import type { Kernel } from "./kernel.ts";
import { alloc_pid } from "./pid.ts";
import { KSigaction, RLIMIT_NPROC, SIGNAL_UNKILLABLE, SigHand, SigPending, SigSet, SignalStruct } from "./signal_types.ts";
import { PTRACE_EVENT_CLONE, PTRACE_EVENT_FORK, PTRACE_EVENT_VFORK, PTRACE_EVENT_VFORK_DONE } from "../include/uapi/ptrace.ts";
import { ptrace_event, ptrace_event_enabled, ptrace_init_task } from "./ptrace.ts";
import { recalc_sigpending } from "./signal.ts";
import { SLEEP, sleep_on } from "./sched/wait.ts";
import { init_rlimits } from "./sys.ts";
import { CloneFlags, Int, Ptr, SYSCALL_DEFINE, Size, ULong } from "./syscall.ts";
import { PF_FORKNOEXEC, PF_SUPERPRIV, PF_KTHREAD, SCHED_NORMAL, SysvSem, TASK_INTERRUPTIBLE, Task, restart_state } from "./task.ts";
import { check_read, check_write, get_user_u32, get_user_u64, put_user_u32 } from "./uaccess.ts";

/** struct kernel_clone_args */
export interface CloneArgs {
  /** CLONE_* without the exit signal */
  flags: number;
  exit_signal: number;
  /** top of the child's stack; 0: the parent's */
  stack: number;
  tls: number;
  pidfd: number;
  parent_tid: number;
  child_tid: number;
  set_tid: number[];
}

const NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

function nproc(kernel: Kernel, uid: number): number {
  let n = 0;
  for (const t of kernel.tasks.values()) if (t.cred.uid === uid) n++;
  return n;
}

/** Makes a task like `parent`, as the flags say, not yet runnable. Throws EINVAL, EAGAIN, EMFILE, EFAULT with nothing changed. */
export function copy_process(parent: Task, args: CloneArgs): Task {
  const kernel = parent.kernel;
  const flags = args.flags;
  if ((flags & CLONE_THREAD) !== 0 && (flags & CLONE_SIGHAND) === 0) throw EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && (flags & CLONE_VM) === 0) throw EINVAL;
  if ((flags & CLONE_PARENT) !== 0 && (parent.signal.flags & SIGNAL_UNKILLABLE) !== 0) throw EINVAL;
  if ((flags & NAMESPACES) !== 0) throw capable(parent, CAP_SYS_ADMIN) || (flags & CLONE_NEWUSER) !== 0 ? EINVAL : EPERM;
  if ((flags & CLONE_PIDFD) !== 0 && (flags & CLONE_DETACHED) !== 0) throw EINVAL;
  if ((flags & CLONE_VM) === 0 && kernel.shadow === undefined) {
    if (!kernel.fork_refused) kernel.printk.info(`${parent.comm}[${parent.pid}]: fork needs an MMU; nommu.fork=shadow on the command line does without`);
    kernel.fork_refused = true;
    throw EINVAL;
  }
  const clear_sighand = args.flags >= CLONE_CLEAR_SIGHAND && Math.floor(args.flags / CLONE_CLEAR_SIGHAND) % 2 === 1;
  if (clear_sighand && (flags & CLONE_SIGHAND) !== 0) throw EINVAL;
  if (nproc(kernel, parent.cred.uid) >= parent.signal.rlim[RLIMIT_NPROC]!.cur && parent.cred.uid !== 0 && !capable(parent, CAP_SYS_RESOURCE) && !capable(parent, CAP_SYS_ADMIN)) throw EAGAIN;
  if ((flags & CLONE_PARENT_SETTID) !== 0) check_write(kernel.mem, args.parent_tid, 4);
  if ((flags & CLONE_PIDFD) !== 0) check_write(kernel.mem, args.pidfd, 4);
  let pid: number;
  if (args.set_tid.length > 0) {
    pid = args.set_tid[0]!;
    if (!capable(parent, CAP_SYS_ADMIN)) throw EPERM;
    if (kernel.tasks.has(pid)) throw EEXIST;
  } else pid = alloc_pid(kernel);

  const child = new Task(kernel, pid, newThread(new Uint8Array(parent.thread.state.length)), parent.cred);
  child.comm = parent.comm;
  child.flags = (parent.flags & ~PF_SUPERPRIV) | PF_FORKNOEXEC;
  child.start_time = kernel.time.monotonic();
  child.no_new_privs = parent.no_new_privs;
  child.personality = parent.personality;
  child.timer_slack_ns = child.default_timer_slack_ns = parent.timer_slack_ns;
  child.ioprio = parent.ioprio;
  if (parent.reset_on_fork) {
    child.policy = SCHED_NORMAL;
    child.nice = Math.max(0, parent.nice);
  } else {
    child.policy = parent.policy;
    child.rt_priority = parent.rt_priority;
    child.nice = parent.nice;
  }

  if ((flags & CLONE_PIDFD) !== 0) {
    const file = kernel.pidfs.pidfd_prepare(child, 0);
    const fd = parent.files!.alloc_fd(parent, file, true);
    put_user_u32(kernel.mem, args.pidfd, fd);
  }

  const files = parent.files;
  if ((flags & CLONE_FILES) !== 0 && files !== undefined) files.count++;
  child.files = (flags & CLONE_FILES) !== 0 ? files : files?.dup();
  const fs = parent.fs;
  if ((flags & CLONE_FS) !== 0 && fs !== undefined) fs.users++;
  child.fs = (flags & CLONE_FS) !== 0 ? fs : fs?.dup();
  if ((flags & CLONE_SYSVSEM) !== 0) {
    if (parent.sysvsem === undefined) parent.sysvsem = new SysvSem();
    parent.sysvsem.users++;
    child.sysvsem = parent.sysvsem;
  }
  if (parent.mm !== undefined && (flags & CLONE_VM) !== 0) {
    parent.mm.users++;
    child.mm = parent.mm;
  } else if (parent.mm !== undefined) child.mm = kernel.shadow!.dup_mm(parent);

  if ((flags & CLONE_SIGHAND) !== 0) {
    child.sighand = parent.sighand;
    child.sighand.count++;
  } else {
    child.sighand = new SigHand();
    for (let sig = 1; sig <= NSIG; sig++) {
      const from = parent.sighand.action[sig]!;
      if (!clear_sighand) Object.assign(child.sighand.action[sig]!, from, { mask: from.mask.copy() });
      else if (from.handler === SIG_IGN) child.sighand.action[sig]!.handler = SIG_IGN;
    }
  }
  child.pending = new SigPending();
  child.blocked = parent.blocked.copy();
  // a vfork child shares the stack it was called on; any other gets no alternate stack
  if ((flags & (CLONE_VM | CLONE_VFORK)) === CLONE_VM) child.sas_ss_flags = SS_DISABLE;
  else {
    child.sas_ss_sp = parent.sas_ss_sp;
    child.sas_ss_size = parent.sas_ss_size;
    child.sas_ss_flags = parent.sas_ss_flags;
  }

  if ((flags & CLONE_THREAD) !== 0) {
    child.signal = parent.signal;
    child.group_leader = parent.group_leader;
    child.tgid = parent.tgid;
    child.exit_signal = -1;
  } else {
    child.signal = copy_signal(parent);
    child.exit_signal = (flags & CLONE_PARENT) !== 0 ? parent.group_leader.exit_signal : args.exit_signal;
  }
  const real_parent = (flags & (CLONE_PARENT | CLONE_THREAD)) !== 0 ? parent.real_parent : parent;
  child.real_parent = child.parent = real_parent;
  if ((flags & CLONE_CHILD_CLEARTID) !== 0) child.clear_child_tid = args.child_tid;
  if ((flags & CLONE_CHILD_SETTID) !== 0) child.set_child_tid = args.child_tid;

  kernel.arch.copy_thread(child, parent, args.stack, (flags & CLONE_SETTLS) !== 0 ? args.tls : undefined);

  kernel.tasks.set(pid, child);
  child.signal.threads.add(child);
  if ((flags & CLONE_THREAD) === 0) real_parent?.children.add(child);
  kernel.sched.nr_forks++;
  if ((flags & CLONE_PARENT_SETTID) !== 0) put_user_u32(kernel.mem, args.parent_tid, pid);
  if (child.set_child_tid !== 0) {
    try {
      check_write(kernel.mem, child.set_child_tid, 4);
      if (kernel.shadow !== undefined && child.mm !== undefined) kernel.shadow.poke_u32(kernel, child.mm, child.set_child_tid, pid);
      else put_user_u32(kernel.mem, child.set_child_tid, pid);
    } catch {
      // Linux ignores it too: schedule_tail()
    }
  }
  recalc_sigpending(child);
  return child;
}

function copy_signal(parent: Task): SignalStruct {
  const from = parent.signal;
  const signal = new SignalStruct();
  for (const r of from.rlim) signal.rlim.push({ ...r });
  signal.pgrp = from.pgrp;
  signal.session = from.session;
  signal.tty = from.tty;
  signal.oom_score_adj = from.oom_score_adj;
  signal.has_child_subreaper = from.has_child_subreaper || from.is_child_subreaper;
  return signal;
}

interface VforkState {
  child: Task;
  pid: number;
  /** to be told to the tracer */
  event: number;
  /** the tracer knows that the child has let go of the memory */
  done: boolean;
}

/** fork, vfork, clone and clone3 end here: makes the child runnable; for CLONE_VFORK sleeps until it lets go of the memory. */
export function kernel_clone(task: Task, args: CloneArgs): number {
  const st = restart_state<VforkState>(task, () => {
    const child = copy_process(task, args);
    if ((args.flags & CLONE_VFORK) !== 0) child.vfork_done = task;
    const event = clone_event(task, args);
    if (event !== 0 || ((args.flags & CLONE_PTRACE) !== 0 && task.tracing.traced)) ptrace_init_task(child, task);
    task.kernel.sched.wake_up_new_task(child);
    return { child, pid: child.pid, event, done: false };
  });
  if (st.event !== 0) {
    const { event } = st;
    st.event = 0;
    if (ptrace_event(task, event, st.pid)) throw SLEEP;
  }
  if ((args.flags & CLONE_VFORK) !== 0 && st.child.vfork_done === task) {
    if (task.fatal_signal_pending()) st.child.vfork_done = undefined;
    else sleep_on(task, [], { interrupted: null });
  }
  if ((args.flags & CLONE_VFORK) !== 0 && !st.done) {
    st.done = true;
    if (ptrace_event_enabled(task, PTRACE_EVENT_VFORK_DONE) && ptrace_event(task, PTRACE_EVENT_VFORK_DONE, st.pid)) throw SLEEP;
  }
  return st.pid;
}

/** The event that this clone is to a tracer which asked for it; 0 for none. */
function clone_event(task: Task, args: CloneArgs): number {
  if (!task.tracing.traced || (args.flags & CLONE_UNTRACED) !== 0) return 0;
  const event = (args.flags & CLONE_VFORK) !== 0 ? PTRACE_EVENT_VFORK : args.exit_signal !== SIGCHLD ? PTRACE_EVENT_CLONE : PTRACE_EVENT_FORK;
  return ptrace_event_enabled(task, event) ? event : 0;
}

/** The task stops using its memory (exit, execve): wakes a parent in vfork, clears and wakes the word of CLONE_CHILD_CLEARTID. */
export function mm_release(task: Task): void {
  const addr = task.clear_child_tid;
  if (addr !== 0 && task.mm !== undefined) {
    task.clear_child_tid = 0;
    // only if somebody else can see it
    if (task.mm.users > 1) {
      try {
        put_user_u32(task.kernel.mem, addr, 0);
        futex_wake_addr(task.kernel, addr, 1);
      } catch {
        // a wild address hurts only whoever gave it
      }
    }
  }
  const parent = task.vfork_done;
  if (parent !== undefined) {
    task.vfork_done = undefined;
    task.kernel.sched.wake_up_process(parent);
  }
}

const plain = (flags: number, exit_signal: number): CloneArgs => ({ flags, exit_signal, stack: 0, tls: 0, pidfd: 0, parent_tid: 0, child_tid: 0, set_tid: [] });

/** fork(2) */
export const sys_fork = SYSCALL_DEFINE("fork", [], (task) => kernel_clone(task, plain(0, SIGCHLD)));

/** vfork(2) */
export const sys_vfork = SYSCALL_DEFINE("vfork", [], (task) => kernel_clone(task, plain(CLONE_VFORK | CLONE_VM, SIGCHLD)));

/** clone(2) */
export const sys_clone = SYSCALL_DEFINE("clone", [CloneFlags, Ptr, Ptr, Ptr, ULong], (task, clone_flags, newsp, parent_tid, child_tid, tls) => {
  const flags = (clone_flags % 0x100000000) - (clone_flags & CSIGNAL);
  if ((flags & CLONE_PIDFD) !== 0 && (flags & CLONE_PARENT_SETTID) !== 0) throw EINVAL;
  return kernel_clone(task, { flags, exit_signal: clone_flags & CSIGNAL, stack: newsp, tls, pidfd: parent_tid, parent_tid, child_tid, set_tid: [] });
});

/** clone3(2) */
export const sys_clone3 = SYSCALL_DEFINE("clone3", [Ptr, Size], (task, uargs, size) => {
  const m = task.kernel.mem;
  if (size > 4096) throw E2BIG;
  if (size < 64) throw EINVAL;
  check_read(m, uargs, size);
  for (let i = 88; i < size; i++) if (m.u8[uargs + i] !== 0) throw E2BIG;
  const u64 = (off: number): number => (off + 8 <= size ? get_user_u64(m, uargs + off) : 0);
  const flags = u64(0);
  const exit_signal = u64(32);
  const stack = u64(40);
  const stack_size = u64(48);
  const set_tid = u64(64);
  const set_tid_size = u64(72);
  if (flags >= CLONE_INTO_CGROUP * 2 || (flags & (CLONE_DETACHED | (CSIGNAL & ~CLONE_NEWTIME))) !== 0) throw EINVAL;
  if (flags >= CLONE_INTO_CGROUP || (flags & CLONE_NEWTIME) !== 0) throw EINVAL;
  if (exit_signal > NSIG || ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exit_signal !== 0)) throw EINVAL;
  if ((stack === 0) !== (stack_size === 0)) throw EINVAL;
  if (stack !== 0 && stack + stack_size > m.size) throw EINVAL;
  if ((set_tid === 0) !== (set_tid_size === 0) || set_tid_size > 32) throw EINVAL;
  const tids: number[] = [];
  for (let i = 0; i < set_tid_size; i++) tids.push(get_user_u32(m, set_tid + 4 * i));
  // one pid namespace: one number at most, and a sensible one
  if (tids.length > 1 || (tids.length === 1 && (tids[0]! <= 0 || tids[0]! >= task.kernel.pid_max))) throw EINVAL;
  return kernel_clone(task, {
    flags, exit_signal, stack: stack === 0 ? 0 : stack + stack_size, tls: u64(56), pidfd: u64(8), child_tid: u64(16), parent_tid: u64(24), set_tid: tids,
  });
});

/** set_tid_address(2) */
export const sys_set_tid_address = SYSCALL_DEFINE("set_tid_address", [Ptr], (task, tidptr) => {
  task.clear_child_tid = tidptr;
  return task.pid;
});

/** unshare(2): files and fs; there are no namespaces to leave */
export const sys_unshare = SYSCALL_DEFINE("unshare", [ULong], (task, flags) => {
  const known = CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VM | CLONE_THREAD | CLONE_SYSVSEM | NAMESPACES | CLONE_NEWTIME;
  if (flags > 0xffffffff || (flags & ~known) !== 0) throw EINVAL;
  if ((flags & (NAMESPACES | CLONE_NEWTIME)) !== 0) throw capable(task, CAP_SYS_ADMIN) ? EINVAL : EPERM;
  if ((flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)) !== 0 && task.signal.threads.size > 1) throw EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && task.sighand.count > 1) throw EINVAL;
  if ((flags & CLONE_VM) !== 0 && task.mm !== undefined && task.mm.users > 1) throw EINVAL;
  const fs = task.fs;
  if ((flags & CLONE_FS) !== 0 && fs !== undefined && fs.users > 1) {
    task.fs = fs.dup();
    fs.put();
  }
  const files = task.files;
  if ((flags & CLONE_FILES) !== 0 && files !== undefined && files.count > 1) {
    task.files = files.dup();
    files.put(task);
  }
  return 0;
});

/** setns(2): there is one namespace of each kind */
export const sys_setns = SYSCALL_DEFINE("setns", [Int, Int], (task, fd, _flags) => {
  task.files!.fget(fd);
  throw EINVAL;
});

/** A task from nothing: init (pid 1, runnable once it has a program) or a kernel thread (asleep).  cf. user_mode_thread(), kernel_thread() */
export function new_task(kernel: Kernel, comm: string, stateSize: number, kthread: boolean): Task {
  const task = new Task(kernel, alloc_pid(kernel), newThread(new Uint8Array(stateSize)), new Cred());
  task.comm = comm;
  task.sighand = new SigHand();
  task.signal = new SignalStruct();
  task.signal.rlim.push(...init_rlimits(kernel));
  task.pending = new SigPending();
  task.blocked = new SigSet();
  task.signal.threads.add(task);
  task.sas_ss_flags = SS_DISABLE;
  task.start_time = kernel.time.monotonic();
  if (kthread) {
    task.flags |= PF_KTHREAD;
    task.state = TASK_INTERRUPTIBLE;
  }
  if (task.pid === 1) task.signal.flags |= SIGNAL_UNKILLABLE;
  kernel.tasks.set(task.pid, task);
  return task;
}

/** execve: caught signals get their default action; the handlers are no longer shared.  cf. flush_signal_handlers(), unshare_sighand() */
export function unshare_sighand(task: Task): void {
  if (task.sighand.count <= 1) return;
  const old = task.sighand;
  task.sighand = new SigHand();
  for (let sig = 1; sig <= NSIG; sig++) Object.assign(task.sighand.action[sig]!, old.action[sig]!);
  old.count--;
}
export function flush_signal_handlers(task: Task): void {
  for (let sig = 1; sig <= NSIG; sig++) {
    const handler = task.sighand.action[sig]!.handler;
    const fresh = new KSigaction();
    if (handler === SIG_IGN) fresh.handler = SIG_IGN;
    task.sighand.action[sig] = fresh;
  }
}
