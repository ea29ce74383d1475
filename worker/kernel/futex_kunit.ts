// kernel/futex_kunit.ts — futexes: wake-ups in order, bitsets, requeueing, and the operations of FUTEX_WAKE_OP.
import { EAGAIN, EFAULT, EINVAL, ENOSYS, type Errno } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import {
  FUTEX_CLOCK_REALTIME, FUTEX_CMP_REQUEUE, FUTEX_REQUEUE, FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAKE, FUTEX_WAKE_BITSET, FUTEX_WAKE_OP, sys_futex,
} from "./futex.ts";
import { FutexQ } from "./futex_types.ts";

/** A page with two futexes, and calls in the name of the task that runs the suites. */
interface Page {
  readonly a: number;
  readonly b: number;
  futex(uaddr: number, op: number, val?: number, utime?: number, uaddr2?: number, val3?: number): number;
  word(addr: number, value?: number): number;
  /** puts a waiter on the queue; where it waits now */
  wait(addr: number, bitset?: number): () => number | undefined;
}
function withPage(test: KUnitTest, run: (p: Page) => void): void {
  const { kernel } = test;
  const task = kernel.current!;
  const a = test.KUNIT_ASSERT_NOT_NULL(kernel.pages.alloc_pages_exact(1), "a page");
  kernel.mem.u8.fill(0, a, a + 4096);
  try {
    run({
      a,
      b: a + 64,
      futex: (uaddr, op, val = 0, utime = 0, uaddr2 = 0, val3 = 0) => sys_futex.body(task, uaddr, op, val, utime, uaddr2, val3),
      word: (addr, value) => {
        if (value !== undefined) kernel.mem.view.setUint32(addr, value, true);
        return kernel.mem.view.getUint32(addr, true);
      },
      wait: (addr, bitset) => {
        const q = new FutexQ(task, addr, bitset);
        kernel.futexes.queues.set(addr, [...(kernel.futexes.queues.get(addr) ?? []), q]);
        return () => q.addr;
      },
    });
  } finally {
    kernel.futexes.queues.delete(a);
    kernel.futexes.queues.delete(a + 64);
    kernel.pages.free_pages_exact(a, 1);
  }
}

/** FUTEX_OP(op, oparg, cmp, cmparg) of <linux/futex.h> */
const wake_op = (op: number, oparg: number, cmp: number, cmparg: number): number => (((op & 15) << 28) | ((cmp & 15) << 24) | ((oparg & 0xfff) << 12) | (cmparg & 0xfff)) >>> 0;
const SHIFT = 8;

export const futexSuite: KunitSuite = {
  name: "futex",
  module: "kernel/futex",
  cases: [
    KUNIT_CASE("wakes_in_order_of_arrival", (test) =>
      withPage(test, ({ a, futex, wait }) => {
        const [x, y, z] = [wait(a), wait(a), wait(a)];
        test.KUNIT_EXPECT_EQ(futex(a, FUTEX_WAKE, 2), 2, "woken");
        test.KUNIT_EXPECT_TRUE(x() === undefined && y() === undefined && z() === a, "the first two");
        test.KUNIT_EXPECT_EQ(futex(a, FUTEX_WAKE, 100), 1, "the rest");
        test.KUNIT_EXPECT_EQ(futex(a, FUTEX_WAKE, 1), 0, "nobody");
      }),
    ),
    KUNIT_CASE("bitsets_must_meet", (test) =>
      withPage(test, ({ a, futex, wait }) => {
        const [x, y] = [wait(a, 1), wait(a, 6)];
        test.KUNIT_EXPECT_EQ(futex(a, FUTEX_WAKE_BITSET, 10, 0, 0, 4), 1, "woken");
        test.KUNIT_EXPECT_TRUE(x() === a && y() === undefined, "only the second");
        test.KUNIT_EXPECT_ERRNO(EINVAL, () => futex(a, FUTEX_WAKE_BITSET, 10, 0, 0, 0), "no bits");
      }),
    ),
    KUNIT_CASE("another_value_is_EAGAIN", (test) =>
      withPage(test, ({ a, futex, word }) => {
        word(a, 5);
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => futex(a, FUTEX_WAIT, 4), "wait");
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => futex(a, FUTEX_WAIT_BITSET, 4, 0, 0, 1), "wait with bits");
      }),
    ),
    KUNIT_CASE_PARAM(
      "refused",
      [["an odd address", 1, FUTEX_WAKE, EINVAL], ["NULL", NaN, FUTEX_WAIT, EFAULT], ["no such operation", 0, 77, ENOSYS], ["the clock of a wake-up", 0, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, ENOSYS]] as [string, number, number, Errno][],
      ([what]) => what,
      (test, [what, off, op, e]) => withPage(test, ({ a, futex }) => test.KUNIT_EXPECT_ERRNO(e, () => futex(Number.isNaN(off) ? 0 : a + off, op, 0), what)),
    ),
    KUNIT_CASE("requeue_wakes_some_and_moves_some", (test) =>
      withPage(test, ({ a, b, futex, wait }) => {
        const all = [wait(a), wait(a), wait(a), wait(a)];
        test.KUNIT_EXPECT_EQ(futex(a, FUTEX_REQUEUE, 1, 2, b), 3, "woken and moved");
        test.KUNIT_EXPECT_EQ(all.map((q) => (q() === a ? "a" : q() === b ? "b" : "-")).join(""), "-bba", "where they are");
        test.KUNIT_EXPECT_EQ(futex(b, FUTEX_WAKE, 9), 2, "woken at the new place");
      }),
    ),
    KUNIT_CASE("cmp_requeue_looks_first", (test) =>
      withPage(test, ({ a, b, futex, wait, word }) => {
        const q = wait(a);
        word(a, 7);
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => futex(a, FUTEX_CMP_REQUEUE, 1, 1, b, 8), "another value");
        test.KUNIT_EXPECT_EQ(q(), a, "nothing moved");
        test.KUNIT_EXPECT_EQ(futex(a, FUTEX_CMP_REQUEUE, 0, 1, b, 7), 1, "moved");
      }),
    ),
    KUNIT_CASE_PARAM(
      "wake_op_operation",
      [["set", 0, 12, 12], ["add", 1, 3, 13], ["add a negative", 1, -4, 6], ["or", 2, 5, 15], ["andn", 3, 2, 8], ["xor", 4, 6, 12], ["set a shifted bit", 0 | SHIFT, 20, 1 << 20]] as const,
      ([what]) => what,
      (test, [, op, oparg, want]) =>
        withPage(test, ({ a, b, futex, word }) => {
          word(b, 10);
          futex(a, FUTEX_WAKE_OP, 1, 1, b, wake_op(op, oparg, 0, 0));
          test.KUNIT_EXPECT_EQ(word(b), want, "the word");
        }),
    ),
    KUNIT_CASE_PARAM(
      "wake_op_comparison",
      [["eq", 0, 10, 2], ["eq, not", 0, 11, 1], ["ne", 1, 11, 2], ["lt", 2, 11, 2], ["lt, not", 2, 10, 1], ["le", 3, 10, 2], ["gt", 4, 9, 2], ["gt a negative", 4, -1, 2], ["ge", 5, 10, 2]] as const,
      ([what]) => what,
      (test, [, cmp, cmparg, woken]) =>
        withPage(test, ({ a, b, futex, wait, word }) => {
          wait(a);
          wait(b);
          word(b, 10);
          test.KUNIT_EXPECT_EQ(futex(a, FUTEX_WAKE_OP, 1, 1, b, wake_op(1, 1, cmp, cmparg)), woken, "woken");
        }),
    ),
  ],
};
