// replay/keeper.ts — when snapshots are taken of a machine that runs. The host's clock is the caller's business.
import type { Timeline } from "./timeline.ts";

/** host ms of running between two snapshots, at least */
const BUSY_MS = 250;
/** at most this part of the time goes into taking them */
const SHARE = 0.02;
/** host ms between two snapshots of a machine that sleeps now and then */
const IDLE_MS = 1000;

export class Keeper {
  private readonly timeline: Timeline;
  private busy = 0;
  private lastAt = -Infinity;
  private retired = 0;
  /** ms that the last snapshot took, and the longest one; how many there were */
  pause = 0;
  longest = 0;
  taken = 0;

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }
  /** The machine ran for `ms`, and stands still now (not waiting for its host). Whether a snapshot is to be taken. */
  due(ms: number, now: number, idle: boolean): boolean {
    this.busy += ms;
    const { timeline } = this;
    if (!timeline.live || timeline.machine.retired === this.retired) return false;
    if (this.busy >= Math.max(BUSY_MS, this.pause / SHARE)) return true;
    return idle && now - this.lastAt >= Math.max(IDLE_MS, this.pause / SHARE);
  }
  /** Takes one; `clock` tells host ms. */
  take(clock: () => number): void {
    const from = clock();
    this.timeline.snapshot();
    this.lastAt = clock();
    this.pause = this.lastAt - from;
    this.longest = Math.max(this.longest, this.pause);
    this.busy = 0;
    this.retired = this.timeline.machine.retired;
    this.taken++;
  }
}
