// kernel/task.ts — a task: one thread of a process.  cf. include/linux/sched.h, struct task_struct
//
// Plain data: everything here can be snapshotted. Shared parts (mm, files, fs, sighand, signal) are objects that tasks point to,
// exactly as in Linux, so CLONE_VM, CLONE_FILES, CLONE_FS, CLONE_SIGHAND and CLONE_THREAD are a matter of sharing a pointer.
import type { Thread } from "./arch.ts";
import type { Kernel } from "./kernel.ts";
import type { WaitQueue } from "./sched/wait.ts";
import type { Cred } from "./cred.ts";
import type { Mm } from "../mm/mm_types.ts";
import type { FilesStruct, FsStruct } from "../fs/fs_struct.ts";
import type { SigHand, SigInfo, SignalStruct, SigPending, SigSet } from "./signal_types.ts";
import type { SleepTimer } from "./sched/core.ts";

export const TASK_RUNNING = 0;
export const TASK_INTERRUPTIBLE = 1;
export const TASK_UNINTERRUPTIBLE = 2;
export const TASK_STOPPED = 4;
export const TASK_TRACED = 8;
export const EXIT_DEAD = 16;
export const EXIT_ZOMBIE = 32;

/** flags */
export const PF_KTHREAD = 0x200000;
export const PF_EXITING = 0x4;
export const PF_SIGNALED = 0x400;
export const PF_DUMPCORE = 0x200;
export const PF_FORKNOEXEC = 0x40;
export const PF_SUPERPRIV = 0x100;

export const SCHED_NORMAL = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;

/**
 * A call that a signal interrupted with ERESTART_RESTARTBLOCK, and that no handler ended: restart_syscall(2) goes on with it. cf. struct restart_block
 */
export abstract class RestartBlock {
  /** the rest of the call, as its body would do it: returns, throws an Errno, or sleeps */
  abstract restart(task: Task): number;
}

/** What a tracer has asked of a task, and the stop it is in.  cf. task_struct's ptrace, jobctl, last_siginfo */
export class Tracing {
  traced = false;
  /** by PTRACE_SEIZE */
  seized = false;
  /** PTRACE_O_* */
  options = 0;
  /** of the stop: what wait4 gives in place of the signal; 0 when it has been told */
  code = 0;
  /** PTRACE_GETEVENTMSG */
  message = 0;
  info: SigInfo | undefined;
  /** the stop is about this signal, which is to be taken next; and what the tracer made of it (0: nothing) */
  signal: SigInfo | undefined;
  resume_signal = 0;
  /** stopped before a system call; it will not be made (PTRACE_SYSEMU) */
  at_entry = false;
  sysemu = false;
  /** stopped in execve, and is still to stop at its end */
  at_exec = false;
  /** told of its end already */
  exit_told = false;
  /** to stop for PTRACE_INTERRUPT, or because its group is stopped */
  trap_stop = false;
  /** PTRACE_LISTEN */
  listening = false;

  /** A stop begins. */
  stop(code: number, message: number, info: SigInfo | undefined): void {
    this.code = code;
    this.message = message;
    this.info = info;
    this.listening = false;
  }
  /** No longer traced. */
  clear(): void {
    this.traced = this.seized = this.at_exec = this.trap_stop = this.listening = this.sysemu = false;
    this.options = this.code = this.resume_signal = 0;
    this.signal = this.info = undefined;
  }
}

/** SEM_UNDO's list (ipc/sem.ts), once there is one; shared under CLONE_SYSVSEM. */
export class SysvSem {
  users = 1;
  undo: { exit_sem(task: Task): void } | undefined;
}

export class Task {
  readonly kernel: Kernel;
  /** thread id */
  pid: number;
  tgid: number;
  /** at most 15 bytes */
  comm = "";
  state = TASK_RUNNING;
  /** the leader of the thread group (itself for a process) */
  group_leader: Task;
  real_parent: Task | undefined;
  /** who is told of its state: the real parent, or the tracer */
  parent: Task | undefined;
  /** whose real parent it is */
  readonly children = new Set<Task>();
  /** whom it traces */
  readonly ptraced = new Set<Task>();
  readonly tracing = new Tracing();
  /** the tracer wants to see each system call (TIF_SYSCALL_TRACE), each instruction (TIF_SINGLESTEP) */
  trace_syscall = false;
  single_step = false;
  /** wait status (as wait4 gives it), once a zombie */
  exit_code = 0;
  exit_signal = 17;

  /** undefined for kernel threads and zombies */
  mm: Mm | undefined;
  files: FilesStruct | undefined;
  fs: FsStruct | undefined;
  cred: Cred;
  sighand!: SigHand;
  signal!: SignalStruct;
  /** signals for this thread alone */
  pending!: SigPending;
  blocked!: SigSet;
  /** sigsuspend, pselect, ppoll: the mask to restore after the handler ran or the call ends */
  saved_sigmask: SigSet | undefined;
  /** sigtimedwait sleeps with fewer signals blocked: what really is */
  real_blocked: SigSet | undefined;
  /** It left the CPU inside get_signal (stopped, traced): call it again before user mode, even with no signal pending. cf. TIF_NOTIFY_RESUME */
  notify_resume = false;
  sas_ss_sp = 0;
  sas_ss_size = 0;
  sas_ss_flags = 0;

  /** registers while it does not run */
  thread: Thread;

  /** Number of the system call the task is in, -1 outside. While it sleeps, the call is run again when it is woken. */
  syscall_nr = -1;
  /** what the current call must remember across sleeps; undefined when a call begins and after it ended. Plain data only. */
  restart: unknown = undefined;
  /** queues the task is parked on; emptied on wake-up */
  waiting_on: WaitQueue[] = [];
  /** absolute monotonic ns of the sleep's end, Infinity for none */
  wake_at = Infinity;
  /** vfork: the parent that waits until this task execs or exits */
  vfork_done: Task | undefined;
  set_child_tid = 0;
  clear_child_tid = 0;
  robust_list = 0;
  sysvsem: SysvSem | undefined;
  restart_block: RestartBlock | undefined;
  /** PF_* */
  flags = 0;
  /** SIGNAL_STOP pending for this thread: the signal it will stop with, 0 for none */
  jobctl_stop = 0;
  /** how the current stop is reported to waiters: the signal */
  stop_signal = 0;
  /** prctl(PR_SET_PDEATHSIG) */
  pdeath_signal = 0;
  no_new_privs = false;
  personality = 0;
  timer_slack_ns = 50_000;
  default_timer_slack_ns = 50_000;
  /** SCHED_* */
  policy = SCHED_NORMAL;
  /** 1..99 for SCHED_FIFO and SCHED_RR, else 0 */
  rt_priority = 0;
  /** -20..19 */
  nice = 0;
  reset_on_fork = false;
  ioprio = 0;
  sleep_timer: SleepTimer | undefined;
  /** siginfo of the last signal that was taken for a handler: arch/um's frame, PTRACE_GETSIGINFO */
  last_siginfo: SigInfo | undefined;
  /** addresses of PI futexes that it owns */
  readonly pi_owned = new Set<number>();

  /** utime and stime, but for calls that are in no account yet; only kernel/sched/core.ts writes them */
  user_time = 0;
  system_time = 0;
  /** voluntary and involuntary context switches */
  nvcsw = 0;
  nivcsw = 0;
  /** 512-byte blocks read and written */
  inblock = 0;
  oublock = 0;
  /** monotonic ns at its start */
  start_time = 0;

  constructor(kernel: Kernel, pid: number, thread: Thread, cred: Cred) {
    this.kernel = kernel;
    this.pid = pid;
    this.tgid = pid;
    this.group_leader = this;
    this.thread = thread;
    this.cred = cred;
  }

  /** retired instructions spent in it, = user time in ns */
  get utime(): number {
    this.kernel.sched.settle();
    return this.user_time;
  }
  /** ns spent in the kernel for it */
  get stime(): number {
    this.kernel.sched.settle();
    return this.system_time;
  }

  /** Whether an unblocked signal waits: the loops of sleeping calls look at it through sleep_on. Kept up to date by kernel/signal.ts (recalc_sigpending). */
  sigpending = false;
  signal_pending(): boolean {
    return this.sigpending;
  }
  fatal_signal_pending(): boolean {
    return this.sigpending && this.sigkilled;
  }
  /** a zombie, or gone */
  exit_state_dead(): boolean {
    return this.state === EXIT_ZOMBIE || this.state === EXIT_DEAD;
  }
  /** SIGKILL is pending (or the group exits) */
  sigkilled = false;
}

/** What a handler keeps across sleeps: `init()` makes it on the first attempt, later attempts get the same object back. */
export function restart_state<T extends object>(task: Task, init: () => T): T {
  return (task.restart ??= init()) as T;
}
