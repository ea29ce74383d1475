// replay/keeper.test.ts — snapshots come after so much work, in parts while the machine sleeps, at once if it never does, and take no more than their share
import { expect, test } from "vitest";
import type { Timeline } from "./timeline.ts";
import { Keeper } from "./keeper.ts";

/** A timeline whose snapshots take `cost` ms of a clock, in parts of at least 1 ms; each look at it is `step` instructions later. */
function machine(cost: number): { timeline: Timeline; clock: () => number; work: (n: number) => void; taken: () => number } {
  let now = 0, taken = 0;
  const m = { retired: 0 };
  const timeline = {
    live: true, machine: m,
    snapshot: () => {
      now += cost;
      taken++;
    },
    snapshotInParts: () => {
      let left = cost;
      return (enough: () => boolean) => {
        do {
          now += 0.25;
          left -= 0.25;
        } while (left > 0 && !enough());
        if (left <= 0) taken++;
        return left <= 0;
      };
    },
  } as unknown as Timeline;
  return { timeline, clock: () => now, work: (n) => (m.retired += n), taken: () => taken };
}

test("of a machine that comes to rest: in parts of about a millisecond, and none of what never ran", () => {
  const { timeline, clock, work, taken } = machine(5);
  const k = new Keeper(timeline);
  expect(k.due(0, true)).toBeUndefined();
  for (let i = 0; i < 100; i++) {
    work(1);
    // 20 ms of work, then sleep
    if (k.due(20, true) === "parts") for (k.begin(clock); k.next(clock); );
  }
  // two seconds of work, one in 260 ms
  expect(taken()).toBe(7);
  expect(k.taken).toBe(7);
  expect(k.longest).toBeLessThanOrEqual(1.25);
  expect(k.pause).toBe(5);
});

test("of a busy one: at once, and not more than the share; what is dear comes seldom", () => {
  for (const [cost, most] of [[5, 0.02], [40, 0.025]] as const) {
    const { timeline, clock, work, taken } = machine(cost);
    const k = new Keeper(timeline);
    for (let i = 0; i < 10_000; i++) {
      work(1);
      const due = k.due(5, false);
      expect(due).not.toBe("parts");
      if (due === "whole") k.take(clock);
    }
    expect(taken()).toBeGreaterThan(10);
    expect((taken() * cost) / 50_000).toBeLessThan(most);
  }
});

test("one that sleeps, but is woken before a snapshot is complete, gets one at once in the end", () => {
  const { timeline, clock, work, taken } = machine(5);
  const k = new Keeper(timeline);
  const asked: (string | undefined)[] = [];
  for (let i = 0; i < 60; i++) {
    work(1);
    const due = k.due(10, true);
    asked.push(due);
    if (due === "parts") {
      k.begin(clock);
      expect(k.next(clock)).toBe(true);
    } else if (due === "whole") k.take(clock);
  }
  expect(asked.indexOf("parts")).toBe(24);
  expect(asked.indexOf("whole")).toBe(49);
  expect(taken()).toBe(1);
});
