// kernel/futex_types.ts — who waits on which futex.  cf. kernel/futex/futex.h
import type { Task } from "./task.ts";

export const FUTEX_BITSET_MATCH_ANY = 0xffffffff;

/** One waiter on one address. */
export class FutexQ {
  readonly task: Task;
  /** where it waits now: changes when it is requeued; undefined once woken */
  addr: number | undefined;
  readonly bitset: number;
  /** waits for a PI futex's ownership */
  pi: boolean;
  /** its place among the futexes of futex_waitv */
  readonly index: number;
  /** FUTEX_WAIT_REQUEUE_PI: the PI futex that it may be moved to, 0 otherwise */
  readonly requeue_pi: number;
  constructor(task: Task, addr: number, bitset = FUTEX_BITSET_MATCH_ANY, pi = false, index = 0, requeue_pi = 0) {
    this.task = task;
    this.addr = addr;
    this.bitset = bitset;
    this.pi = pi;
    this.index = index;
    this.requeue_pi = requeue_pi;
  }
}

/** Without an MMU an address means the same to everyone: futexes are keyed by address, private or not. */
export class Futexes {
  /** in order of arrival */
  readonly queues = new Map<number, FutexQ[]>();
}
