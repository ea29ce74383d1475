// kernel/params_kunit.ts — the command line: words, quotes, what goes to init, sizes.  cf. lib/cmdline_kunit.c
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { memparse, Params } from "./params.ts";

export const cmdlineSuite: KunitSuite = {
  name: "cmdline",
  module: "kernel/params",
  cases: [
    KUNIT_CASE("values", (test) => {
      const p = new Params('root=/dev/ubda rw loglevel=8 empty= quoted="a b"');
      test.KUNIT_EXPECT_EQ(p.get("root"), "/dev/ubda");
      test.KUNIT_EXPECT_EQ(p.get("rw"), "");
      test.KUNIT_EXPECT_EQ(p.get("empty"), "");
      test.KUNIT_EXPECT_EQ(p.get("quoted"), "a b");
      test.KUNIT_EXPECT_EQ(p.get("absent"), undefined);
      test.KUNIT_EXPECT_EQ(p.number("loglevel"), 8);
    }),
    KUNIT_CASE("last_wins", (test) => test.KUNIT_EXPECT_EQ(new Params("init=/a init=/b").get("init"), "/b")),
    KUNIT_CASE("dash_is_underscore", (test) => test.KUNIT_EXPECT_EQ(new Params("log-buf-len=4").get("log_buf_len"), "4")),
    KUNIT_CASE("init_gets_the_rest", (test) => {
      const p = new Params("rw single FOO=bar mem=64m -- -x 'y'");
      test.KUNIT_EXPECT_EQ(p.argv_init.join("|"), "single|-x|'y'");
      test.KUNIT_EXPECT_EQ(p.envp_init.join("|"), "HOME=/|TERM=linux|FOO=bar|mem=64m");
      test.KUNIT_EXPECT_EQ(p.unknown_message(), 'Unknown kernel command line parameters "single FOO=bar mem=64m", will be passed to user space.');
    }),
    KUNIT_CASE("init_env_is_replaced", (test) => test.KUNIT_EXPECT_EQ(new Params("TERM=xterm").envp_init.join("|"), "HOME=/|TERM=xterm")),
    KUNIT_CASE("module_params_are_not_inits", (test) => test.KUNIT_EXPECT_EQ(new Params("nomodule.x=1").unknown.length, 0)),
    KUNIT_CASE_PARAM("memparse", [["0", 0], ["4096", 4096], ["64k", 65536], ["64M", 2 ** 26], ["1g", 2 ** 30], ["0x10", 16], ["x", NaN], ["-1", NaN]] as const, ([s]) => s, (test, [s, n]) =>
      test.KUNIT_EXPECT_EQ(memparse(s), n),
    ),
    KUNIT_CASE_PARAM("number", [["5", 5], ["0x1f", 31], ["010", 8], ["-3", -3], ["1x", undefined], ["", undefined]] as const, ([s]) => `"${s}"`, (test, [s, n]) =>
      test.KUNIT_EXPECT_EQ(new Params(`n=${s}`).number("n"), n),
    ),
  ],
};
