// kernel/sched/wait.ts — wait queues, and how a system call sleeps.  cf. kernel/sched/wait.c
//
// The machine is plain data, so nothing of a sleeping call may live on a JavaScript stack: `sleep_on` records where the task waits
// and throws `SLEEP`; the task is parked, and when it is woken its handler runs again from its first line. What it must remember
// (a deadline, bytes already moved) lives in `task.restart`. So a handler is always: try; if it cannot be done now, sleep_on(...).
import type { Errno } from "../../include/uapi/errno.ts";
import { ERESTARTSYS } from "../../include/uapi/errno.ts";
import type { Task } from "../task.ts";

/** Thrown by sleep_on: this attempt is over, the task sleeps. Only do_syscall_64 catches it. */
export class Sleep {}
export const SLEEP = Object.freeze(new Sleep());

/** A place to wait. Tasks are woken in the order in which they came. */
export class WaitQueue {
  /** insertion-ordered: FIFO wake-up is part of determinism */
  readonly waiters = new Set<Task>();
  /** those of them of whom one wake-up shall wake only one: see EPOLLEXCLUSIVE */
  exclusive: Set<Task> | undefined;
  /** wake-ups so far: edge-triggered epoll compares it */
  seq = 0;

  /** Wakes every waiter (they re-check their condition), or with `n` the first n; of the exclusive ones the first. Linux: wake_up / wake_up_all. */
  wake_up(n = Infinity): void {
    this.seq++;
    if (this.waiters.size === 0) return;
    const { exclusive } = this;
    let one = false;
    for (const task of [...this.waiters]) {
      if (n-- <= 0) return;
      if (exclusive?.has(task) === true) {
        if (one) continue;
        one = true;
      }
      task.kernel.sched.wake_up_process(task);
    }
  }
}

export interface SleepOptions {
  /** absolute CLOCK_MONOTONIC time, ns, at which the task is woken anyway; the handler then finds the time passed */
  readonly until?: number;
  /** what a pending signal makes of the call; default ERESTARTSYS (restarted under SA_RESTART). `null`: not interruptible */
  readonly interrupted?: Errno | null;
  /** which of the queues wake only one of those who wait so */
  readonly exclusive?: readonly WaitQueue[];
}

/**
 * Parks `task` on all of `queues` until one is woken, `until` is reached or a signal arrives, and ends this attempt of the call.
 * The caller has just found its condition false. With a signal already pending nothing sleeps: `interrupted` is thrown instead
 * (so the condition is always looked at before the signal, as in wait_event_interruptible).
 */
export function sleep_on(task: Task, queues: readonly WaitQueue[], options: SleepOptions = {}): never {
  const interrupted = options.interrupted === undefined ? ERESTARTSYS : options.interrupted;
  if (interrupted !== null ? task.signal_pending() : task.fatal_signal_pending()) throw interrupted ?? ERESTARTSYS;
  for (const q of queues) {
    q.waiters.add(task);
    task.waiting_on.push(q);
  }
  for (const q of options.exclusive ?? []) (q.exclusive ??= new Set()).add(task);
  task.kernel.sched.park(task, interrupted !== null, options.until);
  throw SLEEP;
}
