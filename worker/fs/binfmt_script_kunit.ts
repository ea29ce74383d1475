// fs/binfmt_script_kunit.ts — the first line of a script.
import { ENOEXEC } from "../include/uapi/errno.ts";
import { Cred } from "../kernel/cred.ts";
import { KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { is_script, load_script } from "./binfmt_script.ts";
import { BINPRM_BUF_SIZE, type LinuxBinprm } from "./binprm.ts";

function bprm(line: string): LinuxBinprm {
  const buf = new Uint8Array(BINPRM_BUF_SIZE);
  for (let i = 0; i < Math.min(line.length, buf.length); i++) buf[i] = line.charCodeAt(i);
  return { file: undefined as never, filename: "/s", interp: "/s", argv: ["zero", "one"], envp: [], buf, cred: new Cred(), secureexec: false };
}

export const scriptSuite: KunitSuite = {
  name: "binfmt_script",
  module: "fs/binfmt_script",
  cases: [
    KUNIT_CASE_PARAM(
      "argv",
      [["#!/bin/sh\n", "/bin/sh|/s|one"], ["#!/bin/sh -e\necho", "/bin/sh|-e|/s|one"], ["#! \t/bin/env  a b \t\n", "/bin/env|a b|/s|one"], ["#!/x", "/x|/s|one"]] as const,
      ([l]) => JSON.stringify(l),
      (test, [line, argv]) => {
        const b = bprm(line);
        test.KUNIT_EXPECT_TRUE(is_script(b), "is_script");
        load_script(b);
        test.KUNIT_EXPECT_EQ(b.argv.join("|"), argv);
      },
    ),
    KUNIT_CASE_PARAM("refused", ["#!\n", "#!   \n", `#!/${"x".repeat(300)}`], (l) => JSON.stringify(l.slice(0, 12)), (test, line) => test.KUNIT_EXPECT_ERRNO(ENOEXEC, () => load_script(bprm(line)), "load_script")),
    KUNIT_CASE_PARAM("not_a_script", ["", "# !", "#", "!#/bin/sh"], (l) => JSON.stringify(l), (test, line) => test.KUNIT_EXPECT_FALSE(is_script(bprm(line)), "is_script")),
  ],
};
