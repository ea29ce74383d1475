// kernel/time/timer.ts — timers: a binary heap by expiry.  cf. kernel/time/hrtimer.c
//
// A timer is an object with a method, not a callback, so that the heap is plain data and can be snapshotted.
import type { Kernel } from "../kernel.ts";

/** Something that happens at a time. Subclasses say what; they run between instructions, in no task's context. */
export abstract class KTimer {
  /** absolute CLOCK_MONOTONIC, ns; meaningful while armed */
  expires = Infinity;
  /** order of arming: equal times fire first come, first served */
  seq = 0;
  /** place in the heap, -1 when not armed */
  index = -1;
  /** due at a reading of CLOCK_REALTIME: moves when that clock is set */
  realtime = false;
  get armed(): boolean {
    return this.index >= 0;
  }
  /** CLOCK_REALTIME was set forward by `delta` ns, and `expires` has followed. */
  clock_was_set(_delta: number): void {}
  /** Called once, already disarmed; may arm itself again. */
  abstract expire(kernel: Kernel): void;
}

export class Timers {
  private readonly heap: KTimer[] = [];
  private seq = 0;
  private readonly kernel: Kernel | undefined;

  /** `kernel`: whose first timer may become an earlier one. */
  constructor(kernel?: Kernel) {
    this.kernel = kernel;
  }

  /** Arms `timer` (again) for absolute monotonic ns; Infinity only disarms. */
  add(timer: KTimer, expires: number): void {
    this.del(timer);
    if (expires === Infinity) return;
    this.kernel?.arch.set_exit_work();
    timer.expires = expires;
    timer.seq = ++this.seq;
    timer.index = this.heap.length;
    this.heap.push(timer);
    this.up(timer.index);
  }
  /** CLOCK_REALTIME was set forward by `delta` ns: what is due at a reading of it is due that much earlier. */
  clock_was_set(delta: number): void {
    for (const timer of this.heap.filter((t) => t.realtime)) {
      this.add(timer, timer.expires - delta);
      timer.clock_was_set(delta);
    }
  }
  /** Disarms. Whether it was armed. */
  del(timer: KTimer): boolean {
    const i = timer.index;
    if (i < 0) return false;
    timer.index = -1;
    const last = this.heap.pop()!;
    if (last !== timer) {
      this.heap[i] = last;
      last.index = i;
      this.up(i);
      this.down(last.index);
    }
    return true;
  }
  /** when the first timer fires, Infinity if none is armed */
  next(): number {
    return this.heap.length === 0 ? Infinity : this.heap[0]!.expires;
  }
  /** Takes the first timer that is due at `now`. */
  pop(now: number): KTimer | undefined {
    const first = this.heap[0];
    if (first === undefined || first.expires > now) return undefined;
    this.del(first);
    return first;
  }
  get size(): number {
    return this.heap.length;
  }

  private before(a: KTimer, b: KTimer): boolean {
    return a.expires < b.expires || (a.expires === b.expires && a.seq < b.seq);
  }
  private swap(i: number, j: number): void {
    const a = this.heap[i]!;
    const b = this.heap[j]!;
    this.heap[i] = b;
    this.heap[j] = a;
    b.index = i;
    a.index = j;
  }
  private up(i: number): void {
    while (i > 0) {
      const p = (i - 1) >> 1;
      if (!this.before(this.heap[i]!, this.heap[p]!)) return;
      this.swap(i, p);
      i = p;
    }
  }
  private down(i: number): void {
    const n = this.heap.length;
    for (;;) {
      let m = i;
      for (const c of [2 * i + 1, 2 * i + 2]) if (c < n && this.before(this.heap[c]!, this.heap[m]!)) m = c;
      if (m === i) return;
      this.swap(i, m);
      i = m;
    }
  }
}
