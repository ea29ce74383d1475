// fs/exec_kunit.ts — execve's refusals before anything is given up.  cf. fs/exec_test.c
import { EACCES, ENOENT, ENOEXEC, ENOTDIR, type Errno } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { comm_of, kernel_execve } from "./exec.ts";

const ROOT = { uid: 0, gid: 0 };
function build(test: KUnitTest): void {
  const root = test.kernel.vfs.root.dentry.d_inode!;
  const d = root.mkdir("kunit-exec", 0o040755, ROOT);
  d.create("plain", 0o100644, ROOT);
  d.create("empty", 0o100755, ROOT);
  d.mkdir("dir", 0o040755, ROOT);
}

export const execSuite: KunitSuite = {
  name: "exec",
  module: "fs/exec",
  init: (test) => {
    if (test.kernel.vfs.root.dentry.d_inode!.lookup("kunit-exec") === undefined) build(test);
  },
  cases: [
    KUNIT_CASE_PARAM(
      "refused",
      [["missing", ENOENT], ["plain", EACCES], ["dir", EACCES], ["plain/x", ENOTDIR], ["empty", ENOEXEC]] as [string, Errno][],
      ([p]) => p,
      (test, [p, e]) => {
        const task = test.kernel.current!;
        test.KUNIT_EXPECT_ERRNO(e, () => kernel_execve(task, `/kunit-exec/${p}`, ["x"], []), "execve");
        test.KUNIT_EXPECT_EQ(task.mm, undefined, "the old address space");
      },
    ),
    KUNIT_CASE("files_may_be_written_again_after_a_failure", (test) => {
      const inode = test.kernel.vfs.root.dentry.d_inode!.lookup("kunit-exec")!.lookup("empty")!;
      test.KUNIT_EXPECT_EQ(inode.i_writecount, 0);
    }),
    KUNIT_CASE("comm", (test) => {
      test.KUNIT_EXPECT_EQ(comm_of("/usr/bin/a-name-of-more-than-15-bytes"), "a-name-of-more-");
      test.KUNIT_EXPECT_EQ(comm_of("sh"), "sh");
    }),
  ],
};
