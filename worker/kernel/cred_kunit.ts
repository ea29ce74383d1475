// kernel/cred_kunit.ts — sets of capabilities on both sides of bit 32, groups, and that credentials are copied before they are changed.
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { CAP_BPF, CAP_CHOWN, CAP_EMPTY_SET, CAP_FULL_SET, CAP_LAST_CAP, CAP_SETFCAP, Caps, Cred, capable, in_group_p, prepare_creds } from "./cred.ts";

export const credSuite: KunitSuite = {
  name: "cred",
  module: "kernel/cred",
  cases: [
    KUNIT_CASE_PARAM("one_capability", [CAP_CHOWN, CAP_SETFCAP, 32, CAP_BPF, CAP_LAST_CAP], String, (test, cap) => {
      const one = CAP_EMPTY_SET.with(cap);
      for (let c = 0; c <= CAP_LAST_CAP; c++) test.KUNIT_EXPECT_EQ(one.has(c), c === cap, `capability ${c}`);
      test.KUNIT_EXPECT_FALSE(CAP_FULL_SET.without(cap).has(cap), "taken away");
      test.KUNIT_EXPECT_TRUE(CAP_FULL_SET.without(cap).with(cap).issubset(CAP_FULL_SET) && CAP_FULL_SET.issubset(CAP_FULL_SET.without(cap).with(cap)), "given back: all");
    }),
    KUNIT_CASE("sets", (test) => {
      const a = new Caps(0b1100, 0b01);
      const b = new Caps(0b1010, 0b11);
      test.KUNIT_EXPECT_EQ([a.and(b), a.or(b), a.minus(b)].map((c) => `${c.lo.toString(2)} ${c.hi.toString(2)}`).join(", "), "1000 1, 1110 11, 100 0");
      test.KUNIT_EXPECT_FALSE(b.issubset(a), "b in a");
      test.KUNIT_EXPECT_TRUE(a.and(b).issubset(a), "their intersection in a");
      test.KUNIT_EXPECT_EQ(new Caps(-1, 0).lo, 0xffffffff, "no sign");
    }),
    KUNIT_CASE("groups", (test) => {
      const c = new Cred();
      c.fsgid = 5;
      c.egid = 6;
      c.groups = [7, 9];
      test.KUNIT_EXPECT_MEMEQ([5, 6, 7, 8, 9].filter((g) => in_group_p(c, g)), [5, 7, 9]);
    }),
    KUNIT_CASE("a_copy_is_changed_not_the_original", (test) => {
      const c = new Cred();
      const d = prepare_creds(c);
      d.uid = 1000;
      d.cap_effective = CAP_EMPTY_SET;
      test.KUNIT_EXPECT_EQ(c.uid, 0, "uid of the original");
      test.KUNIT_EXPECT_TRUE(capable({ cred: c }, CAP_CHOWN) && !capable({ cred: d }, CAP_CHOWN), "capabilities");
    }),
  ],
};
