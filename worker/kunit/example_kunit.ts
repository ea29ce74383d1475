// kunit/example_kunit.ts — how a suite looks, and that expectations fail when they should.  cf. lib/kunit/kunit-example-test.c
import { EINVAL, ENOENT } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "./suite.ts";
import { CASE_END, KUnitTest } from "./test.ts";

/** Runs expectations against a test of its own; what they logged. */
function inner(test: KUnitTest, run: (t: KUnitTest) => void): KUnitTest {
  const t = new KUnitTest(test.kernel, "inner", undefined);
  try {
    run(t);
  } catch (e) {
    if (e !== CASE_END) throw e;
  }
  return t;
}

export const exampleSuite: KunitSuite = {
  name: "example",
  module: "kunit/example_kunit",
  cases: [
    KUNIT_CASE("example_simple_test", (test) => test.KUNIT_EXPECT_EQ(1 + 1, 2)),
    KUNIT_CASE("example_skip_test", (test) => test.kunit_skip("this test should be skipped")),
    KUNIT_CASE("example_all_expect_macros_test", (test) => {
      const bad: ((t: KUnitTest) => void)[] = [
        (t) => t.KUNIT_EXPECT_EQ(1, 2), (t) => t.KUNIT_EXPECT_NE("a", "a"), (t) => t.KUNIT_EXPECT_LT(2, 2), (t) => t.KUNIT_EXPECT_LE(3, 2),
        (t) => t.KUNIT_EXPECT_TRUE(false), (t) => t.KUNIT_EXPECT_FALSE(true), (t) => t.KUNIT_EXPECT_MEMEQ([1, 2], [1, 3]), (t) => t.KUNIT_EXPECT_MEMEQ([1], [1, 2]),
        (t) => t.KUNIT_FAIL("asked for"),
        (t) => t.KUNIT_EXPECT_ERRNO(EINVAL, () => 0),
        (t) => t.KUNIT_EXPECT_ERRNO(EINVAL, () => {
          throw ENOENT;
        }),
        (t) => t.KUNIT_ASSERT_EQ(1, 2), (t) => t.KUNIT_ASSERT_TRUE(false), (t) => void t.KUNIT_ASSERT_NOT_NULL(undefined),
      ];
      for (const [i, f] of bad.entries()) test.KUNIT_EXPECT_TRUE(inner(test, f).failed, `expectation ${i} that is wrong`);
    }),
    KUNIT_CASE("example_assert_ends_test", (test) => {
      let after = false;
      inner(test, (t) => {
        t.KUNIT_ASSERT_EQ(1, 2);
        after = true;
      });
      test.KUNIT_EXPECT_FALSE(after, "the line after a failed assertion");
    }),
    KUNIT_CASE_PARAM("example_params_test", [3, 2, 1], (n) => `example value ${n}`, (test, n) => {
      if (n === 3) test.kunit_skip("unsupported param value");
      test.KUNIT_EXPECT_EQ(n % n, 0);
    }),
  ],
};
