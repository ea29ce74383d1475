// fs/names_kunit.ts — paths taken apart.
import { KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { Filename } from "./names.ts";

export const filenameSuite: KunitSuite = {
  name: "filename",
  module: "fs/names",
  cases: [
    KUNIT_CASE_PARAM(
      "parts",
      [["a", "a", false, false], ["/", "", true, false], ["/a/b", "a b", true, false], ["a//b/", "a b", false, true], ["./../x", ". .. x", false, false], ["///", "", true, false]] as const,
      ([s]) => `"${s}"`,
      (test, [s, parts, absolute, trailing]) => {
        const f = new Filename(s);
        test.KUNIT_EXPECT_EQ(f.parts.join(" "), parts);
        test.KUNIT_EXPECT_EQ(f.absolute, absolute, "absolute");
        test.KUNIT_EXPECT_EQ(f.trailing, trailing, "trailing slash");
      },
    ),
  ],
};
