// fs/namei_kunit.ts — walking paths on the first file system.
import { ELOOP, ENOENT, ENOTDIR, type Errno } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import type { Inode } from "./fs.ts";
import { kern_path } from "./namei.ts";

const ROOT = { uid: 0, gid: 0 };
/** /kunit with a file, a directory, links that lead somewhere, nowhere, in circles. */
function build(test: KUnitTest): void {
  const root = test.kernel.vfs.root.dentry.d_inode!;
  const d = root.mkdir("kunit", 0o040755, ROOT);
  d.create("file", 0o100644, ROOT);
  const sub = d.mkdir("sub", 0o040755, ROOT);
  sub.create("deep", 0o100644, ROOT);
  d.symlink("link", "file", ROOT);
  d.symlink("dirlink", "/kunit/sub", ROOT);
  d.symlink("dangling", "nowhere", ROOT);
  d.symlink("loop", "loop", ROOT);
  for (let i = 0; i < 42; i++) d.symlink(`chain${i}`, i === 0 ? "file" : `chain${i - 1}`, ROOT);
}
const at = (test: KUnitTest, path: string): Inode => kern_path(test.kernel.current!, path).dentry.d_inode!;

export const pathSuite: KunitSuite = {
  name: "path_lookup",
  module: "fs/namei",
  init: (test) => {
    if (test.kernel.vfs.root.dentry.d_inode!.lookup("kunit") === undefined) build(test);
  },
  cases: [
    KUNIT_CASE_PARAM(
      "same_file",
      [["/kunit/file", "/kunit/link"], ["/kunit/sub/deep", "/kunit/dirlink/deep"], ["/kunit", "/kunit/sub/.."], ["/kunit/file", "//kunit/./sub/../file"], ["/", "/../.."], ["/kunit/sub", "/kunit/dirlink/"]] as const,
      ([, b]) => b,
      (test, [a, b]) => test.KUNIT_EXPECT_EQ(at(test, b).i_ino, at(test, a).i_ino),
    ),
    KUNIT_CASE_PARAM(
      "refused",
      [["/kunit/nothing", ENOENT], ["/kunit/nothing/x", ENOENT], ["/kunit/file/x", ENOTDIR], ["/kunit/file/", ENOTDIR], ["/kunit/dangling", ENOENT], ["/kunit/loop", ELOOP], ["/kunit/file/..", ENOTDIR]] as [string, Errno][],
      ([p]) => p,
      (test, [p, e]) => test.KUNIT_EXPECT_ERRNO(e, () => at(test, p), p),
    ),
    KUNIT_CASE("forty_links_are_followed_and_no_more", (test) => {
      test.KUNIT_EXPECT_EQ(at(test, "/kunit/chain39").i_ino, at(test, "/kunit/file").i_ino);
      test.KUNIT_EXPECT_ERRNO(ELOOP, () => at(test, "/kunit/chain40"), "the 41st");
    }),
  ],
};
