// kernel/signal_types_kunit.ts — sets of 64 signals in two words.
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { SigSet } from "./signal_types.ts";

export const sigsetSuite: KunitSuite = {
  name: "sigset",
  module: "kernel/signal_types",
  cases: [
    KUNIT_CASE_PARAM("add_has_delete", [1, 2, 31, 32, 33, 63, 64], (n) => `signal ${n}`, (test, n) => {
      const s = new SigSet();
      s.add(n);
      for (let i = 1; i <= 64; i++) test.KUNIT_EXPECT_EQ(s.has(i), i === n, `has(${i})`);
      s.del(n);
      test.KUNIT_EXPECT_FALSE(s.has(n), "after delete");
    }),
    KUNIT_CASE("or_minus_intersects", (test) => {
      const a = SigSet.of(1, 40);
      const b = SigSet.of(40, 64);
      test.KUNIT_EXPECT_TRUE(a.intersects(b), "both have 40");
      test.KUNIT_EXPECT_TRUE(a.or(b).has(64), "64 in the union");
      test.KUNIT_EXPECT_FALSE(a.minus(b).has(40), "40 taken away");
      test.KUNIT_EXPECT_TRUE(a.minus(b).has(1), "1 stays");
      test.KUNIT_EXPECT_FALSE(a.minus(b).intersects(b), "nothing in common");
    }),
  ],
};
