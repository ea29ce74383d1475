// lib/crc32c_kunit.ts — against published check values, in one piece and in several.  cf. lib/crc32test.c
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { crc16, crc32c, crc32c_le32 } from "./crc32c.ts";

const ascii = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
const final = (c: number): number => ~c >>> 0;

export const crc32cSuite: KunitSuite = {
  name: "crc32c",
  module: "lib/crc32c",
  cases: [
    // RFC 3720 B.4 and the usual check string
    KUNIT_CASE_PARAM(
      "known",
      [
        [ascii("123456789"), 0xe3069283], [new Uint8Array(32), 0x8a9136aa], [new Uint8Array(32).fill(0xff), 0x62a8ab43],
        [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e], [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
      ] as const,
      ([b]) => `${b.length} bytes, first ${b[0]}`,
      (test, [b, want]) => test.KUNIT_EXPECT_EQ(final(crc32c(0xffffffff, b)), want),
    ),
    KUNIT_CASE("pieces", (test) => {
      const b = ascii("The quick brown fox jumps over the lazy dog");
      for (let cut = 0; cut <= b.length; cut++) test.KUNIT_EXPECT_EQ(crc32c(crc32c(0xffffffff, b, 0, cut), b, cut), crc32c(0xffffffff, b), `cut at ${cut}`);
    }),
    KUNIT_CASE("le32", (test) => test.KUNIT_EXPECT_EQ(crc32c_le32(0xffffffff, 0x34333231), crc32c(0xffffffff, ascii("1234")))),
    KUNIT_CASE("crc16", (test) => test.KUNIT_EXPECT_EQ(crc16(0, ascii("123456789")), 0xbb3d)),
  ],
};
