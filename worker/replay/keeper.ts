// replay/keeper.ts — when snapshots are taken of a machine that runs. The host's clock is the caller's business.
import type { Timeline } from "./timeline.ts";

/** host ms of running between two snapshots, at least: how long it takes to go from one to any moment before the next */
const BUSY_MS = 250;
/** a busy machine may run so much longer than it must: it may come to rest, and then nobody waits for a snapshot */
const PATIENCE_MS = 250;
/** at most this part of the running time goes into taking them while the machine is busy, and while it sleeps and loses nothing by it */
const SHARE = 0.02, IDLE_SHARE = 0.05;
/** of a machine that sleeps now and then, after so many ms at the latest: who steps back waits for as long */
const IDLE_MS = 300;
/** the first ones take longer, as their code is new to the engine: they say nothing about the next */
const COLD = 4;
/** and come after so many ms at the latest */
const COLD_MS = 500;
/** host ms that a part of a snapshot takes, about */
const PART_MS = 1;

export class Keeper {
  private readonly timeline: Timeline;
  private busy = 0;
  private retired = 0;
  /** goes on with the one that is being taken */
  private part: ((enough: () => boolean) => boolean) | undefined;
  private partly = 0;
  /** ms that the last snapshot took, and the longest time that one has kept the machine; how many there were */
  pause = 0;
  longest = 0;
  taken = 0;

  constructor(timeline: Timeline) {
    this.timeline = timeline;
  }
  /**
   * The machine ran for `ms`, and stands still now (not waiting for its host); `idle`: all of it sleeps. Whether a snapshot is to be taken, and whether in
   * parts, as somebody may wake it.
   */
  due(ms: number, idle: boolean): "whole" | "parts" | undefined {
    this.busy += ms;
    const { timeline } = this;
    if (!timeline.live || timeline.machine.retired === this.retired) return undefined;
    const most = this.taken < COLD ? COLD_MS : Infinity;
    // who sleeps, but never for long enough, is busy
    if (this.busy >= Math.max(BUSY_MS + PATIENCE_MS, Math.min(this.pause / SHARE, most))) return "whole";
    return idle && this.busy >= Math.max(BUSY_MS, Math.min(this.pause / IDLE_SHARE, IDLE_MS)) ? "parts" : undefined;
  }
  /** Takes one; `clock` tells host ms. */
  take(clock: () => number): void {
    const from = clock();
    this.timeline.snapshot();
    const ms = clock() - from;
    this.longest = Math.max(this.longest, ms);
    this.done(ms);
  }
  /** Begins one, of a machine that sleeps. */
  begin(clock: () => number): void {
    const from = clock();
    this.part = this.timeline.snapshotInParts();
    this.partly = clock() - from;
  }
  /** A part of it. False: it is complete, or there is none; if the machine is woken before that, it has not been. */
  next(clock: () => number): boolean {
    if (this.part === undefined) return false;
    const from = clock();
    const complete = this.part(() => clock() - from >= PART_MS);
    const ms = clock() - from;
    this.longest = Math.max(this.longest, ms);
    this.partly += ms;
    if (!complete) return true;
    this.part = undefined;
    this.done(this.partly);
    return false;
  }
  private done(ms: number): void {
    this.pause = ms;
    this.busy = 0;
    this.retired = this.timeline.machine.retired;
    this.taken++;
  }
}
