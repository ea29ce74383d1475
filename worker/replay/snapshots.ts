// replay/snapshots.ts — which snapshots are kept: many of what was just now, fewer of long ago, within a budget.
import type { Snapshot } from "../machine/snapshot.ts";

interface Moment {
  readonly at: number;
  readonly ns: number;
  readonly events: number;
}
const notAfter = (s: Snapshot, m: Moment): boolean => s.retired < m.at || (s.retired === m.at && (s.ns < m.ns || (s.ns === m.ns && s.events <= m.events)));

export class SnapshotList {
  private readonly budget: number;
  /** ascending */
  private list: Snapshot[] = [];
  constructor(budget: number) {
    this.budget = budget;
  }
  get length(): number {
    return this.list.length;
  }
  get last(): Snapshot | undefined {
    return this.list.at(-1);
  }
  /** bytes that all of them take, about */
  get bytes(): number {
    return this.list.reduce((n, s) => n + s.own, 0);
  }
  add(s: Snapshot): void {
    const i = this.list.findLastIndex((o) => notAfter(o, { at: s.retired, ns: s.ns, events: s.events }));
    const there = this.list[i];
    if (there !== undefined && there.retired === s.retired && there.ns === s.ns && there.events === s.events) return;
    this.list.splice(i + 1, 0, s);
    while (this.bytes > this.budget && this.list.length > 3) this.thin();
  }
  /** Drops the one whose absence costs least: the gap it leaves, measured by how long ago it is. The first and the last stay. */
  private thin(): void {
    const now = this.list.at(-1)!.retired;
    let best = 1;
    let least = Infinity;
    for (let i = 1; i < this.list.length - 1; i++) {
      const gap = this.list[i + 1]!.retired - this.list[i - 1]!.retired;
      const cost = gap / Math.max(1, now - this.list[i]!.retired);
      if (cost < least) {
        least = cost;
        best = i;
      }
    }
    this.list.splice(best, 1);
  }
  /** The last one not after a moment. */
  at(m: Moment): Snapshot | undefined {
    return this.list.findLast((s) => notAfter(s, m));
  }
  /** The last one whose clock stood before `ns`, or at it. */
  atTime(ns: number): Snapshot | undefined {
    return this.list.findLast((s) => s.ns <= ns);
  }
  dropAfter(m: Moment): void {
    this.list = this.list.filter((s) => notAfter(s, m));
  }
  all(): readonly Snapshot[] {
    return this.list;
  }
}
