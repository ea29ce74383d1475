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
import type { SigHand, SignalStruct, SigPending, SigSet } from "./signal_types.ts";

export const TASK_RUNNING = 0;
export const TASK_INTERRUPTIBLE = 1;
export const TASK_UNINTERRUPTIBLE = 2;
export const TASK_STOPPED = 4;
export const TASK_TRACED = 8;
export const EXIT_DEAD = 16;
export const EXIT_ZOMBIE = 32;

export class Task {
  readonly kernel: Kernel;
  /** thread id */
  readonly pid: number;
  tgid: number;
  /** at most 15 bytes */
  comm = "";
  state = TASK_RUNNING;
  /** the leader of the thread group (itself for a process) */
  group_leader: Task;
  real_parent: Task | undefined;
  parent: Task | undefined;
  readonly children = new Set<Task>();
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

  /** retired instructions spent in it, = user time in ns */
  utime = 0;
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

  /** Whether an unblocked signal waits: the loops of sleeping calls look at it through sleep_on. Kept up to date by kernel/signal.ts (recalc_sigpending). */
  sigpending = false;
  signal_pending(): boolean {
    return this.sigpending;
  }
  fatal_signal_pending(): boolean {
    return this.sigpending && this.sigkilled;
  }
  /** SIGKILL is pending (or the group exits) */
  sigkilled = false;
}

/** What a handler keeps across sleeps: `init()` makes it on the first attempt, later attempts get the same object back. */
export function restart_state<T extends object>(task: Task, init: () => T): T {
  return (task.restart ??= init()) as T;
}
