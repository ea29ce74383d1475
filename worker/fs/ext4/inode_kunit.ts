// fs/ext4/inode_kunit.ts — times in inodes: the range that two extra bits give, both ways.  cf. fs/ext4/inode-test.c
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import { getTime, putTime } from "./inode.ts";

/** extra bits, the 32-bit field, the seconds: the table of Documentation/filesystems/ext4/inodes.rst, lower and upper end of each row */
const TABLE: readonly (readonly [extra: number, field: number, sec: number])[] = [
  [0, 0x80000000, -0x80000000], [0, 0xffffffff, -1], [0, 0, 0], [0, 0x7fffffff, 0x7fffffff],
  [1, 0x80000000, 0x80000000], [1, 0xffffffff, 0xffffffff], [1, 0, 0x100000000], [1, 0x7fffffff, 0x17fffffff],
  [2, 0x80000000, 0x180000000], [2, 0xffffffff, 0x1ffffffff], [2, 0, 0x200000000], [2, 0x7fffffff, 0x27fffffff],
  [3, 0x80000000, 0x280000000], [3, 0xffffffff, 0x2ffffffff], [3, 0, 0x300000000], [3, 0x7fffffff, 0x37fffffff],
];
/** where the field and its extra bits are in the test's bytes; ext4 looks at the size of the extra part to see whether they are there */
const FIELD = 8;
const EXTRA = 128 + 4;
const WIDE = 32;
const bytes = (): DataView => new DataView(new ArrayBuffer(256));
const named = ([extra, field]: readonly number[]): string => `${extra}:${field!.toString(16).padStart(8, "0")}`;

export const ext4InodeSuite: KunitSuite = {
  name: "ext4_inode_test",
  module: "fs/ext4/inode",
  cases: [
    KUNIT_CASE_PARAM("inode_test_xtimestamp_decoding", TABLE, named, (test, [extra, field, sec]) => {
      const v = bytes();
      v.setUint32(FIELD, field, true);
      v.setUint32(EXTRA, extra | (987654321 << 2), true);
      const t = getTime(v, FIELD, EXTRA, WIDE);
      test.KUNIT_EXPECT_EQ(t.sec, sec, "seconds");
      test.KUNIT_EXPECT_EQ(t.nsec, 987654321, "nanoseconds");
    }),
    KUNIT_CASE_PARAM("inode_test_xtimestamp_encoding", TABLE, named, (test, [extra, field, sec]) => {
      const v = bytes();
      putTime(v, FIELD, EXTRA, WIDE, { sec, nsec: 123456789 });
      test.KUNIT_EXPECT_EQ(v.getUint32(FIELD, true), field, "field");
      test.KUNIT_EXPECT_EQ(v.getUint32(EXTRA, true) & 3, extra, "extra bits");
      test.KUNIT_EXPECT_EQ(v.getUint32(EXTRA, true) >>> 2, 123456789, "nanoseconds");
    }),
    KUNIT_CASE_PARAM("clamped", [[-0x80000001, -0x80000000], [0x380000000, 0x37fffffff], [1e15, 0x37fffffff]] as const, ([sec]) => String(sec), (test, [sec, want]) => {
      const v = bytes();
      putTime(v, FIELD, EXTRA, WIDE, { sec, nsec: 0 });
      test.KUNIT_EXPECT_EQ(getTime(v, FIELD, EXTRA, WIDE).sec, want, "seconds");
    }),
    KUNIT_CASE("small_inodes_have_32_bits_and_no_nanoseconds", (test) => {
      const v = bytes();
      putTime(v, FIELD, EXTRA, 4, { sec: 0x100000000, nsec: 5 });
      test.KUNIT_EXPECT_EQ(v.getUint32(EXTRA, true), 0, "bytes of somebody else");
      const t = getTime(v, FIELD, EXTRA, 4);
      test.KUNIT_EXPECT_EQ(t.sec, 0x7fffffff, "seconds");
      test.KUNIT_EXPECT_EQ(t.nsec, 0, "nanoseconds");
    }),
  ],
};
