// fs/pipe_kunit.ts — the queue of pages behind a pipe, and both ends of it.
import { EAGAIN, EBUSY } from "../include/uapi/errno.ts";
import { O_NONBLOCK } from "../include/uapi/fcntl.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { fput } from "./file_table.ts";
import { POLLHUP, POLLIN, POLLOUT } from "./fs.ts";
import { Pipe, PipeEnd, create_pipe_files } from "./pipe.ts";

const bytes = (n: number, first = 0): Uint8Array => Uint8Array.from({ length: n }, (_, i) => (first + i) & 255);

export const pipeSuite: KunitSuite = {
  name: "pipe",
  module: "fs/pipe",
  cases: [
    KUNIT_CASE("bytes_come_out_in_order", (test) => {
      const p = new Pipe();
      test.KUNIT_EXPECT_EQ(p.put(bytes(5000), 0, 5000), 5000);
      test.KUNIT_EXPECT_TRUE(p.merge(bytes(10, 5000), 0, 10), "a small write joins the last page");
      const out = new Uint8Array(5010);
      test.KUNIT_EXPECT_EQ(p.peek(out, 0, 9000), 5010);
      test.KUNIT_EXPECT_MEMEQ(out, bytes(5010));
      p.take(5010);
      test.KUNIT_EXPECT_EQ(p.length, 0);
    }),
    KUNIT_CASE("a_full_page_takes_no_more", (test) => {
      const p = new Pipe();
      p.put(bytes(4096), 0, 4096);
      test.KUNIT_EXPECT_FALSE(p.merge(bytes(1), 0, 1), "merge");
      p.take(4095);
      test.KUNIT_EXPECT_FALSE(p.merge(bytes(1), 0, 1), "merge after a read");
      test.KUNIT_EXPECT_EQ(p.free, 15 * 4096);
      p.take(1);
      test.KUNIT_EXPECT_EQ(p.free, 16 * 4096);
    }),
    KUNIT_CASE("room_is_counted_in_pages", (test) => {
      const p = new Pipe();
      for (let i = 0; i < 16; i++) test.KUNIT_EXPECT_EQ(p.put(bytes(4000), 0, 4000), 4000);
      test.KUNIT_EXPECT_EQ(p.put(bytes(1), 0, 1), 0);
      test.KUNIT_EXPECT_EQ(p.length, 64000);
    }),
    KUNIT_CASE("a_packet_is_read_alone", (test) => {
      const p = new Pipe();
      p.put(bytes(10), 0, 10, true);
      p.put(bytes(20), 0, 20, true);
      const out = new Uint8Array(100);
      test.KUNIT_EXPECT_EQ(p.peek(out, 0, 4), 4);
      p.take(4);
      test.KUNIT_EXPECT_EQ(p.peek(out, 0, 100), 20);
    }),
    KUNIT_CASE_PARAM("size", [[4096, undefined], [8192, undefined], [2048, EBUSY]] as const, ([size]) => String(size), (test, [size, errno]) => {
      const p = new Pipe();
      p.put(bytes(100), 0, 100);
      if (errno !== undefined) test.KUNIT_EXPECT_ERRNO(errno, () => p.set_size(size), "set_size");
      else {
        p.set_size(size);
        test.KUNIT_EXPECT_EQ(p.limit, size);
      }
    }),
    KUNIT_CASE("ends_poll_and_hang_up", (test) => {
      const task = test.kernel.current!;
      const [r, w] = create_pipe_files(task, O_NONBLOCK);
      test.KUNIT_EXPECT_ERRNO(EAGAIN, () => r.f_op.read(r, task, new Uint8Array(1), 0, 1, 0), "an empty pipe");
      test.KUNIT_EXPECT_EQ(r.f_op.poll(r, task, undefined) & POLLIN, 0);
      test.KUNIT_EXPECT_EQ(w.f_op.poll(w, task, undefined) & POLLOUT, POLLOUT);
      test.KUNIT_EXPECT_EQ(w.f_op.write(w, task, bytes(3), 0, 3, 0), 3);
      test.KUNIT_EXPECT_EQ(r.f_op.poll(r, task, undefined) & (POLLIN | POLLHUP), POLLIN);
      fput(task, w);
      test.KUNIT_EXPECT_EQ(r.f_op.poll(r, task, undefined) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
      test.KUNIT_EXPECT_EQ((r.f_op as PipeEnd).set_pipe_size(task, 0), 4096);
      fput(task, r);
    }),
  ],
};
