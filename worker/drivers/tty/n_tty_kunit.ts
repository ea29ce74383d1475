// drivers/tty/n_tty_kunit.ts — the line discipline: editing, echo, and what a reader gets.
import { ECHO, ICANON, ICRNL, ISIG, VMIN, VTIME } from "../../include/uapi/termios.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import type { KUnitTest } from "../../kunit/test.ts";
import { input_available, n_tty_inq, n_tty_read, n_tty_set_termios, n_tty_write, tty_receive } from "./n_tty.ts";
import { Termios, TtyDriver, TtyStruct } from "./tty_struct.ts";
import type { TtyFilePrivate } from "./tty_io.ts";

/** A line that remembers what was sent. */
class TestDriver extends TtyDriver {
  readonly name = "kunit";
  readonly major = 0;
  readonly minor_start = 0;
  readonly kind = "console";
  sent = "";
  write(_tty: TtyStruct, buf: Uint8Array, off: number, len: number): void {
    for (let i = 0; i < len; i++) this.sent += String.fromCharCode(buf[off + i]!);
  }
  write_room(): number {
    return 65536;
  }
}
interface Line {
  readonly tty: TtyStruct;
  readonly driver: TestDriver;
  type(s: string): void;
  read(n?: number): string;
}
const bytes = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

function line(test: KUnitTest, change: (t: Termios) => void = () => {}): Line {
  const driver = new TestDriver();
  const tty = new TtyStruct(test.kernel, driver, 0, new Termios());
  const old = tty.termios.copy();
  change(tty.termios);
  n_tty_set_termios(tty, old);
  // never sleeps: what is not there is EAGAIN
  const file = { file: { f_flags: 0o4000 }, console: true, hung_up: false } as unknown as TtyFilePrivate;
  return {
    tty,
    driver,
    type: (s) => tty_receive(tty, bytes(s), 0, s.length),
    read: (n = 4096) => {
      const task = test.kernel.current!;
      task.restart = undefined;
      const buf = new Uint8Array(n);
      const got = n_tty_read(task, tty, file, buf, 0, n);
      task.restart = undefined;
      return String.fromCharCode(...buf.subarray(0, got));
    },
  };
}

export const nTtySuite: KunitSuite = {
  name: "n_tty",
  module: "drivers/tty/n_tty",
  cases: [
    KUNIT_CASE_PARAM(
      "lines",
      [
        ["abc\n", "abc\n"], ["abc\r", "abc\n"], ["abx\x7fc\n", "abc\n"], ["\x7f\x7fa\n", "a\n"], ["one two\x17three\n", "one three\n"], ["one two  \x17x\n", "one x\n"], ["wrong\x15right\n", "right\n"],
        ["a\x16\x03b\n", "a\x03b\n"], ["ab\x04", "ab"],
      ] as const,
      ([s]) => JSON.stringify(s),
      (test, [typed, want]) => {
        const l = line(test);
        l.type(typed);
        test.KUNIT_EXPECT_EQ(l.read(), want);
      },
    ),
    KUNIT_CASE_PARAM(
      "echo",
      [["ab\n", "ab\r\n"], ["a\x7f", "a\b \b"], ["\x01", "^A"], ["\x01\x7f", "^A\b \b\b \b"], ["ab\x15", "ab\b \b\b \b"], ["\t\x7f", "\t\b\b\b\b\b\b\b\b"]] as const,
      ([s]) => JSON.stringify(s),
      (test, [typed, want]) => {
        const l = line(test);
        l.type(typed);
        test.KUNIT_EXPECT_EQ(l.driver.sent, want);
      },
    ),
    KUNIT_CASE("nothing_is_readable_before_the_line_ends", (test) => {
      const l = line(test);
      l.type("half");
      test.KUNIT_EXPECT_FALSE(input_available(l.tty), "input available");
      l.type("\n");
      test.KUNIT_EXPECT_TRUE(input_available(l.tty), "input available");
      test.KUNIT_EXPECT_EQ(n_tty_inq(l.tty), 5);
    }),
    KUNIT_CASE("one_line_at_a_time_and_the_rest_later", (test) => {
      const l = line(test);
      l.type("first\nsecond\n");
      test.KUNIT_EXPECT_EQ(l.read(3), "fir");
      test.KUNIT_EXPECT_EQ(l.read(), "st\n");
      test.KUNIT_EXPECT_EQ(l.read(), "second\n");
    }),
    KUNIT_CASE("end_of_file", (test) => {
      const l = line(test);
      l.type("\x04");
      test.KUNIT_EXPECT_EQ(l.read(), "");
      l.type("x\n");
      test.KUNIT_EXPECT_EQ(l.read(), "x\n");
    }),
    KUNIT_CASE("without_echo", (test) => {
      const l = line(test, (t) => (t.c_lflag &= ~ECHO));
      l.type("secret\n");
      test.KUNIT_EXPECT_EQ(l.driver.sent, "");
      test.KUNIT_EXPECT_EQ(l.read(), "secret\n");
    }),
    KUNIT_CASE("output_is_processed", (test) => {
      const l = line(test);
      const b = bytes("a\nb\r\n");
      n_tty_write(test.kernel.current!, l.tty, { file: { f_flags: 0 }, console: true, hung_up: false } as unknown as TtyFilePrivate, b, 0, b.length);
      test.kernel.current!.restart = undefined;
      test.KUNIT_EXPECT_EQ(l.driver.sent, "a\r\nb\r\r\n");
    }),
  ],
};

const raw = (min: number, time: number) => (t: Termios): void => {
  t.c_lflag &= ~(ICANON | ECHO | ISIG);
  t.c_iflag &= ~ICRNL;
  t.c_cc[VMIN] = min;
  t.c_cc[VTIME] = time;
};

export const nTtyRawSuite: KunitSuite = {
  name: "n_tty_raw",
  module: "drivers/tty/n_tty",
  cases: [
    KUNIT_CASE("bytes_as_they_come", (test) => {
      const l = line(test, raw(1, 0));
      l.type("a\r\x03\x7f\x04");
      test.KUNIT_EXPECT_EQ(l.read(), "a\r\x03\x7f\x04");
      test.KUNIT_EXPECT_EQ(l.driver.sent, "");
    }),
    KUNIT_CASE("min_0_time_0_returns_at_once", (test) => test.KUNIT_EXPECT_EQ(line(test, raw(0, 0)).read(), "")),
    KUNIT_CASE("what_was_being_edited_becomes_readable", (test) => {
      const l = line(test);
      l.type("half");
      const old = l.tty.termios.copy();
      raw(1, 0)(l.tty.termios);
      n_tty_set_termios(l.tty, old);
      test.KUNIT_EXPECT_EQ(l.read(), "half");
    }),
  ],
};
