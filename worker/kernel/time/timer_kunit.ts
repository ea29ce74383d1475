// kernel/time/timer_kunit.ts — the heap of timers: order, equal times, disarming, arming again.
import { KUNIT_CASE, type KunitSuite } from "../../kunit/suite.ts";
import { KTimer, Timers } from "./timer.ts";

class Named extends KTimer {
  readonly n: number;
  constructor(n: number) {
    super();
    this.n = n;
  }
  expire(): void {}
}
function drain(t: Timers, now: number): number[] {
  const out: number[] = [];
  for (let x = t.pop(now); x !== undefined; x = t.pop(now)) out.push((x as Named).n);
  return out;
}

export const timerSuite: KunitSuite = {
  name: "timers",
  module: "kernel/time/timer",
  cases: [
    KUNIT_CASE("by_time", (test) => {
      const t = new Timers();
      for (const n of [5, 3, 9, 1, 7]) t.add(new Named(n), n * 10);
      test.KUNIT_EXPECT_EQ(t.next(), 10);
      test.KUNIT_EXPECT_MEMEQ(drain(t, 50), [1, 3, 5]);
      test.KUNIT_EXPECT_EQ(t.next(), 70);
      test.KUNIT_EXPECT_MEMEQ(drain(t, 1000), [7, 9]);
      test.KUNIT_EXPECT_EQ(t.next(), Infinity);
    }),
    KUNIT_CASE("equal_times_in_order_of_arming", (test) => {
      const t = new Timers();
      for (let n = 0; n < 20; n++) t.add(new Named(n), 100);
      test.KUNIT_EXPECT_MEMEQ(drain(t, 100), Array.from({ length: 20 }, (_, i) => i));
    }),
    KUNIT_CASE("disarm", (test) => {
      const t = new Timers();
      const all = Array.from({ length: 50 }, (_, n) => new Named(n));
      for (const x of all) t.add(x, (x.n * 37) % 50);
      for (const x of all) if (x.n % 3 === 0) test.KUNIT_EXPECT_TRUE(t.del(x), `timer ${x.n} was armed`);
      test.KUNIT_EXPECT_FALSE(t.del(all[0]!), "armed after del");
      const left = drain(t, 1e9);
      test.KUNIT_EXPECT_MEMEQ(left, all.filter((x) => x.n % 3 !== 0).sort((a, b) => ((a.n * 37) % 50) - ((b.n * 37) % 50)).map((x) => x.n));
    }),
    KUNIT_CASE("arm_again", (test) => {
      const t = new Timers();
      const x = new Named(1);
      t.add(x, 100);
      t.add(x, 50);
      test.KUNIT_EXPECT_EQ(t.size, 1);
      test.KUNIT_EXPECT_EQ(t.next(), 50);
      t.add(x, Infinity);
      test.KUNIT_EXPECT_FALSE(x.armed, "armed for ever");
    }),
  ],
};
