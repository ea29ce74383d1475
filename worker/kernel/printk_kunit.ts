// kernel/printk_kunit.ts — records, levels, what dmesg and /dev/kmsg show.
import { KUNIT_CASE, type KunitSuite } from "../kunit/suite.ts";
import { LOG_BUF_LEN, Printk } from "./printk.ts";
import type { KUnitTest } from "../kunit/test.ts";

/** A log of its own, with what reaches its console. */
function fresh(test: KUnitTest): { log: Printk; shown: string[] } {
  const log = new Printk(test.kernel);
  const shown: string[] = [];
  log.register_console({ name: "test", write: (text) => void shown.push(text) });
  return { log, shown };
}

export const printkSuite: KunitSuite = {
  name: "printk",
  module: "kernel/printk",
  cases: [
    KUNIT_CASE("level_decides_what_is_shown", (test) => {
      const { log, shown } = fresh(test);
      log.console_loglevel = 5;
      log.info("not shown");
      log.warn("shown");
      test.KUNIT_EXPECT_EQ(shown.join(""), "shown\n");
      test.KUNIT_EXPECT_EQ(log.records.length, 2);
    }),
    KUNIT_CASE("lines_of_one_record", (test) => {
      const { log, shown } = fresh(test);
      log.err("one\ntwo\n");
      test.KUNIT_EXPECT_EQ(shown.join(""), "one\ntwo\n");
      test.KUNIT_EXPECT_EQ(log.records.length, 1);
    }),
    KUNIT_CASE("old_records_go", (test) => {
      const { log } = fresh(test);
      log.console_loglevel = 0;
      for (let i = 0; i < 3000; i++) log.info("x".repeat(100));
      test.KUNIT_EXPECT_LE(log.records.reduce((n, r) => n + r.text.length + 16, 0), LOG_BUF_LEN, "bytes kept");
      test.KUNIT_EXPECT_EQ(log.records.at(-1)!.seq, 2999);
      test.KUNIT_EXPECT_EQ(log.record_from(0)!.seq, log.records[0]!.seq);
      test.KUNIT_EXPECT_EQ(log.record_from(3000), undefined);
    }),
    KUNIT_CASE("timestamps", (test) => {
      const { log } = fresh(test);
      test.KUNIT_EXPECT_EQ(log.timestamp(1_234_567_890), "[    1.234567] ");
    }),
    KUNIT_CASE("kmsg_escapes", (test) => {
      const { log } = fresh(test);
      log.printk(4, "a\\b\x01");
      test.KUNIT_EXPECT_TRUE(log.format_kmsg(log.records[0]!).endsWith(";a\\x5cb\\x01\n"), "escaped bytes");
    }),
  ],
};
