// fs/eventfd_kunit.ts — the counter: 64 bits, its ceiling, semaphores, readiness.
import { EAGAIN, EINVAL } from "../include/uapi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../include/uapi/fcntl.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { anon_inode_getfile } from "./anon_inodes.ts";
import { EventFd } from "./eventfd.ts";
import { fput } from "./file_table.ts";
import { POLLERR, POLLIN, POLLOUT } from "./fs.ts";

const EFD_SEMAPHORE = 1;
const MAX = 0xffff_ffff_ffff_fffen;

function withCounter(test: KUnitTest, count: number, flags: number, run: (c: { write(v: bigint): number; read(): bigint; poll(): number }) => void): void {
  const task = test.kernel.current!;
  const file = anon_inode_getfile(task.kernel, new EventFd(count, flags), O_RDWR | O_NONBLOCK);
  const v = new DataView(new ArrayBuffer(8));
  const u8 = new Uint8Array(v.buffer);
  try {
    run({
      write: (n) => {
        v.setBigUint64(0, n, true);
        return file.f_op.write(file, task, u8, 0, 8, 0);
      },
      read: () => {
        file.f_op.read(file, task, u8, 0, 8, 0);
        return v.getBigUint64(0, true);
      },
      poll: () => file.f_op.poll(file, task, undefined) & (POLLIN | POLLOUT | POLLERR),
    });
    test.KUNIT_EXPECT_ERRNO(EINVAL, () => file.f_op.read(file, task, u8, 0, 7, 0), "a short read");
    test.KUNIT_EXPECT_ERRNO(EINVAL, () => file.f_op.write(file, task, u8, 0, 7, 0), "a short write");
  } finally {
    fput(task, file);
  }
}

export const eventfdSuite: KunitSuite = {
  name: "eventfd",
  module: "fs/eventfd",
  cases: [
    KUNIT_CASE_PARAM("sums", [[[1n, 2n, 3n], 6n], [[0xffffffffn, 1n], 0x100000000n], [[0x1_0000_0000n, 0xffff_ffffn, 1n], 0x2_0000_0000n], [[MAX], MAX], [[0n, 5n], 5n]] as const, ([a]) => a.join("+"), (test, [add, sum]) =>
      withCounter(test, 0, 0, (c) => {
        for (const n of add) c.write(n);
        test.KUNIT_EXPECT_EQ(c.read(), sum, "the sum");
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => c.read(), "a read of nothing");
      }),
    ),
    KUNIT_CASE("a_semaphore_gives_one_at_a_time", (test) =>
      withCounter(test, 2, EFD_SEMAPHORE, (c) => {
        test.KUNIT_EXPECT_EQ(c.read(), 1n);
        test.KUNIT_EXPECT_EQ(c.read(), 1n);
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => c.read(), "a third read");
        c.write(0x1_0000_0000n);
        test.KUNIT_EXPECT_EQ(c.read(), 1n, "one of 2^32");
      }),
    ),
    KUNIT_CASE("the_ceiling_is_not_passed", (test) =>
      withCounter(test, 1, 0, (c) => {
        c.write(MAX - 1n);
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => c.write(1n), "one more");
        test.KUNIT_EXPECT_EQ(c.poll(), POLLIN, "ready for reading only");
        test.KUNIT_EXPECT_EQ(c.read(), MAX);
        test.KUNIT_EXPECT_EQ(c.poll(), POLLOUT, "ready for writing only");
      }),
    ),
    KUNIT_CASE("all_ones_can_not_be_added", (test) => withCounter(test, 0, 0, (c) => test.KUNIT_EXPECT_ERRNO(EINVAL, () => c.write(0xffff_ffff_ffff_ffffn), "2^64-1"))),
  ],
};
