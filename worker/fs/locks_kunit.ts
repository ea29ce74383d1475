// fs/locks_kunit.ts — POSIX locks: how ranges split and join, who conflicts with whom.
import { EAGAIN, EBADF, EINVAL } from "../include/uapi/errno.ts";
import { F_OFD_SETLK, F_RDLCK, F_SETLK, F_UNLCK, F_WRLCK, O_RDONLY, O_RDWR } from "../include/uapi/fcntl.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { fput } from "./file_table.ts";
import type { File } from "./fs.ts";
import { fcntl_setlk } from "./locks.ts";
import { RamfsSuper, RamfsType } from "./ramfs.ts";

const TYPES = { r: F_RDLCK, w: F_WRLCK, u: F_UNLCK } as const;
type Lock = (type: keyof typeof TYPES, start: number, len: number, whence?: number) => void;

/** A file in memory: how its descriptors lock, and what is locked: "r0-9 w20-" (no end: to the end of file). */
function withFile(test: KUnitTest, run: (open: (flags: number) => { posix: Lock; ofd: Lock; file: File }, shown: () => string) => void): void {
  const { kernel } = test;
  const task = kernel.current!;
  const root = new RamfsSuper(kernel, new RamfsType("ramfs"), 0o755).s_root;
  const inode = root.d_inode!.create("f", 0o100644, { uid: 0, gid: 0 });
  const page = test.KUNIT_ASSERT_NOT_NULL(kernel.pages.alloc_pages_exact(1), "a page");
  const files: File[] = [];
  const lock = (file: File, cmd: number): Lock => (type, start, len, whence = 0) => {
    const v = kernel.mem.view;
    kernel.mem.u8.fill(0, page, page + 32);
    v.setUint16(page, TYPES[type], true);
    v.setUint16(page + 2, whence, true);
    v.setBigInt64(page + 8, BigInt(start), true);
    v.setBigInt64(page + 16, BigInt(len), true);
    fcntl_setlk(task, file, cmd, page);
  };
  try {
    run(
      (flags) => {
        const file = inode.open(task, { mnt: kernel.vfs.root.mnt, dentry: root }, flags);
        files.push(file);
        return { posix: lock(file, F_SETLK), ofd: lock(file, F_OFD_SETLK), file };
      },
      () => (inode.i_flock?.posix ?? []).map((l) => `${l.type === F_WRLCK ? "w" : "r"}${l.start}-${l.end === Infinity ? "" : l.end}`).join(" "),
    );
  } finally {
    kernel.pages.free_pages_exact(page, 1);
    if (inode.i_flock !== undefined) inode.i_flock.posix.length = 0;
    for (const f of files) fput(task, f);
  }
}

export const locksSuite: KunitSuite = {
  name: "posix_locks",
  module: "fs/locks",
  cases: [
    KUNIT_CASE_PARAM(
      "ranges",
      [
        ["w 0 10", "w0-9"], ["w 0 0", "w0-"], ["r 0 10, r 10 10", "r0-19"], ["r 0 10, r 5 10", "r0-14"], ["r 0 10, w 10 10", "r0-9 w10-19"], ["w 0 30, u 10 10", "w0-9 w20-29"],
        ["w 0 30, u 10 19", "w0-9 w29-29"], ["w 0 30, r 10 10", "w0-9 r10-19 w20-29"], ["w 0 30, u 0 0", ""], ["r 0 5, r 10 5, r 5 5", "r0-14"], ["w 100 -50", "w50-99"], ["w 0 0, u 10 0", "w0-9"], ["r 0 10, r 20 10, w 5 20", "r0-4 w5-24 r25-29"],
      ] as const,
      ([ops]) => ops,
      (test, [ops, want]) =>
        withFile(test, (open, shown) => {
          const { posix } = open(O_RDWR);
          for (const op of ops.split(", ")) {
            const [type, start, len] = op.split(" ");
            posix(type as "r", Number(start), Number(len));
          }
          test.KUNIT_EXPECT_EQ(shown(), want, "locks");
        }),
    ),
    KUNIT_CASE("another_owner_conflicts", (test) =>
      withFile(test, (open) => {
        const [x, y] = [open(O_RDWR), open(O_RDWR)];
        x.ofd("r", 0, 10);
        y.ofd("r", 5, 10);
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => y.ofd("w", 9, 1), "a write lock over another's read lock");
        test.KUNIT_EXPECT_ERRNO(EAGAIN, () => x.posix("w", 14, 1), "a process against an open file");
        y.ofd("w", 10, 5);
      }),
    ),
    KUNIT_CASE("an_owner_does_not_conflict_with_itself", (test) =>
      withFile(test, (open, shown) => {
        const [x, y] = [open(O_RDWR), open(O_RDWR)];
        x.posix("w", 0, 10);
        y.posix("r", 0, 10); // the same process through another descriptor
        test.KUNIT_EXPECT_EQ(shown(), "r0-9", "locks");
      }),
    ),
    KUNIT_CASE("the_mode_must_allow_it", (test) => withFile(test, (open) => test.KUNIT_EXPECT_ERRNO(EBADF, () => open(O_RDONLY).posix("w", 0, 1), "a write lock on a file open for reading"))),
    KUNIT_CASE_PARAM("nonsense", [["w -1 1", EINVAL], ["w 0 -1", EINVAL], ["w 0 1 9", EINVAL]] as const, ([op]) => op, (test, [op, e]) =>
      withFile(test, (open) => {
        const [, start, len, whence] = op.split(" ");
        test.KUNIT_EXPECT_ERRNO(e, () => open(O_RDWR).posix("w", Number(start), Number(len), Number(whence ?? 0)), op);
      }),
    ),
  ],
};
