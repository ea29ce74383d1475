// fs/jbd2/format_kunit.ts — how wide the tags of a descriptor block are.  cf. fs/jbd2/journal.c journal_tag_bytes()
import { KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import { JBD2_INCOMPAT_64BIT, JBD2_INCOMPAT_CSUM_V2, JBD2_INCOMPAT_CSUM_V3, JBD2_INCOMPAT_REVOKE, journal_tag_bytes } from "./format.ts";

export const jbd2Suite: KunitSuite = {
  name: "jbd2_format",
  module: "fs/jbd2/format",
  cases: [
    KUNIT_CASE_PARAM(
      "tag_bytes",
      [
        ["32 bit", 0, 8], ["32 bit, revoke", JBD2_INCOMPAT_REVOKE, 8], ["64 bit", JBD2_INCOMPAT_64BIT, 12], ["32 bit, checksum 2", JBD2_INCOMPAT_CSUM_V2, 10],
        ["64 bit, checksum 2", JBD2_INCOMPAT_64BIT | JBD2_INCOMPAT_CSUM_V2, 14], ["32 bit, checksum 3", JBD2_INCOMPAT_CSUM_V3, 16],
        ["64 bit, checksum 3", JBD2_INCOMPAT_64BIT | JBD2_INCOMPAT_CSUM_V3, 16],
      ] as const,
      ([what]) => what,
      (test, [, features, want]) => test.KUNIT_EXPECT_EQ(journal_tag_bytes(features), want, "bytes"),
    ),
  ],
};
