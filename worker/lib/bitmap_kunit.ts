// lib/bitmap_kunit.ts — bits of byte maps, across bytes and at both ends.  cf. lib/test_bitmap.c
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { bitmap_clear, bitmap_set, find_next_bit, find_next_zero_bit, test_bit } from "./bitmap.ts";

const bits = (map: Uint8Array): string => Array.from({ length: map.length * 8 }, (_, i) => (test_bit(map, i) ? "1" : "0")).join("");

export const bitmapSuite: KunitSuite = {
  name: "bitmap",
  module: "lib/bitmap",
  cases: [
    KUNIT_CASE_PARAM("set_and_clear", [[0, 1], [7, 2], [3, 10], [8, 8], [5, 27], [0, 32], [31, 1]] as const, ([s, n]) => `${n} bits from ${s}`, (test, [s, n]) => {
      const map = new Uint8Array(4);
      bitmap_set(map, s, n);
      test.KUNIT_EXPECT_EQ(bits(map), "0".repeat(s) + "1".repeat(n) + "0".repeat(32 - s - n));
      map.fill(0xff);
      bitmap_clear(map, s, n);
      test.KUNIT_EXPECT_EQ(bits(map), "1".repeat(s) + "0".repeat(n) + "1".repeat(32 - s - n));
    }),
    KUNIT_CASE("find_next_bit", (test) => {
      const map = Uint8Array.of(0, 0x80, 0, 1);
      test.KUNIT_EXPECT_EQ(find_next_bit(map, 32, 0), 15);
      test.KUNIT_EXPECT_EQ(find_next_bit(map, 32, 15), 15);
      test.KUNIT_EXPECT_EQ(find_next_bit(map, 32, 16), 24);
      test.KUNIT_EXPECT_EQ(find_next_bit(map, 32, 25), 32);
      test.KUNIT_EXPECT_EQ(find_next_bit(map, 20, 16), 20);
    }),
    KUNIT_CASE("find_next_zero_bit", (test) => {
      const map = Uint8Array.of(0xff, 0x7f, 0xff, 0xfe);
      test.KUNIT_EXPECT_EQ(find_next_zero_bit(map, 32, 0), 15);
      test.KUNIT_EXPECT_EQ(find_next_zero_bit(map, 32, 16), 24);
      test.KUNIT_EXPECT_EQ(find_next_zero_bit(map, 24, 16), 24);
    }),
    KUNIT_CASE("two_maps", (test) => {
      const map = Uint8Array.of(0x0f);
      const also = Uint8Array.of(0x30);
      test.KUNIT_EXPECT_EQ(find_next_zero_bit(map, 8, 0, also), 6);
      test.KUNIT_EXPECT_EQ(find_next_bit(map, 8, 6, also), 8);
    }),
  ],
};
