// kernel/uaccess_kunit.ts — user memory: limits at both ends, widths, strings.  cf. lib/usercopy_kunit.c
import { EFAULT, ENAMETOOLONG } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import {
  check_read, check_write, clear_user, copy_from_user, copy_to_user, get_user_s32, get_user_s64, get_user_u16, get_user_u64, put_user_u16, put_user_u32, put_user_u64, strncpy_from_user,
  USER_MIN_WRITE,
} from "./uaccess.ts";

/** A page to play with. */
function page(test: KUnitTest): number {
  return test.KUNIT_ASSERT_NOT_NULL(test.kernel.pages.alloc_pages_exact(1), "a page");
}
function withPage(test: KUnitTest, run: (addr: number) => void): void {
  const addr = page(test);
  try {
    run(addr);
  } finally {
    test.kernel.pages.free_pages_exact(addr, 1);
  }
}

export const uaccessSuite: KunitSuite = {
  name: "uaccess",
  module: "kernel/uaccess",
  cases: [
    KUNIT_CASE("limits", (test) => {
      const m = test.kernel.mem;
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_read(m, 0, 1), "read of NULL");
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_read(m, 0xfff, 1), "read of page 0's end");
      check_read(m, 0x1000, 1);
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_write(m, USER_MIN_WRITE - 1, 1), "write to the kernel's pages");
      check_write(m, m.size - 8, 8);
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_write(m, m.size - 7, 8), "write across the end");
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_read(m, m.size, 1), "read past the end");
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_read(m, NaN, 1), "read of no number");
      test.KUNIT_EXPECT_ERRNO(EFAULT, () => check_read(m, 2 ** 63, 1), "read of a kernel address");
    }),
    KUNIT_CASE_PARAM("u64_round_trip", [0, 1, 0xffffffff, 0x100000000, 2 ** 53 - 1, -1, -(2 ** 40)], String, (test, v) =>
      withPage(test, (a) => {
        put_user_u64(test.kernel.mem, a, v);
        test.KUNIT_EXPECT_EQ(v < 0 ? get_user_s64(test.kernel.mem, a) : get_user_u64(test.kernel.mem, a), v);
      }),
    ),
    KUNIT_CASE("narrow", (test) =>
      withPage(test, (a) => {
        const m = test.kernel.mem;
        put_user_u32(m, a, 0xfffffffe);
        test.KUNIT_EXPECT_EQ(get_user_s32(m, a), -2);
        put_user_u16(m, a, 0x12345);
        test.KUNIT_EXPECT_EQ(get_user_u16(m, a), 0x2345);
      }),
    ),
    KUNIT_CASE("copies", (test) =>
      withPage(test, (a) => {
        const m = test.kernel.mem;
        copy_to_user(m, a, Uint8Array.of(1, 2, 3));
        const b = copy_from_user(m, a, 3);
        clear_user(m, a, 2);
        test.KUNIT_EXPECT_MEMEQ(b, [1, 2, 3]);
        test.KUNIT_EXPECT_MEMEQ(copy_from_user(m, a, 3), [0, 0, 3]);
      }),
    ),
    KUNIT_CASE("strings", (test) =>
      withPage(test, (a) => {
        const m = test.kernel.mem;
        copy_to_user(m, a, Uint8Array.of(0x61, 0xff, 0, 0x62));
        test.KUNIT_EXPECT_EQ(strncpy_from_user(m, a), "a\xff");
        test.KUNIT_EXPECT_ERRNO(ENAMETOOLONG, () => strncpy_from_user(m, a, 2), "a string that is too long");
        test.KUNIT_EXPECT_ERRNO(EFAULT, () => strncpy_from_user(m, 8), "a string at 8");
      }),
    ),
  ],
};
