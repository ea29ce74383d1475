// fs/ramfs_kunit.ts — files in memory: pages, holes, contiguous growth, names, and that nothing is leaked.
import { EFBIG, ENOTEMPTY } from "../include/uapi/errno.ts";
import { RENAME_EXCHANGE } from "../include/uapi/fcntl.ts";
import { KUNIT_CASE, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { RamfsInode, RamfsSuper, RamfsType } from "./ramfs.ts";

const ROOT = { uid: 0, gid: 0 };
const root = (test: KUnitTest): RamfsInode => new RamfsSuper(test.kernel, new RamfsType("ramfs"), 0o755).s_root.d_inode as RamfsInode;
const file = (test: KUnitTest): RamfsInode => root(test).create("f", 0o100644, ROOT) as RamfsInode;

export const ramfsSuite: KunitSuite = {
  name: "ramfs",
  module: "fs/ramfs",
  cases: [
    KUNIT_CASE("what_is_written_is_read_across_pages", (test) => {
      const f = file(test);
      const data = Uint8Array.from({ length: 9000 }, (_, i) => i % 251);
      test.KUNIT_EXPECT_EQ(f.write_at(data, 0, 9000, 100), 9000);
      const out = new Uint8Array(9100);
      test.KUNIT_EXPECT_EQ(f.read_at(out, 0, 20000, 0), 9100);
      test.KUNIT_EXPECT_MEMEQ(out.subarray(100), data);
      test.KUNIT_EXPECT_MEMEQ(out.subarray(0, 100), new Uint8Array(100));
      f.evict();
    }),
    KUNIT_CASE("holes_cost_nothing_and_read_as_zeros", (test) => {
      const free = test.kernel.pages.nr_free;
      const f = file(test);
      f.write_at(new Uint8Array([1]), 0, 1, 2 ** 40);
      test.KUNIT_EXPECT_EQ(free - test.kernel.pages.nr_free, 1, "pages");
      const out = new Uint8Array([9, 9]);
      test.KUNIT_EXPECT_EQ(f.read_at(out, 0, 2, 5000), 2);
      test.KUNIT_EXPECT_MEMEQ(out, [0, 0]);
      f.evict();
      test.KUNIT_EXPECT_EQ(test.kernel.pages.nr_free, free, "free pages");
    }),
    KUNIT_CASE("growth_from_empty_is_contiguous", (test) => {
      const free = test.kernel.pages.nr_free;
      const f = file(test);
      f.setattr({ size: 20000 });
      const at = f.mapping(0, 20000);
      test.KUNIT_EXPECT_TRUE(at !== undefined, "a mapping");
      test.KUNIT_EXPECT_EQ(f.mapping(3, 4096), at! + 3 * 4096);
      test.KUNIT_EXPECT_EQ(f.mapping(4, 8192), undefined, "a mapping past the end");
      test.KUNIT_EXPECT_EQ(free - test.kernel.pages.nr_free, 5, "pages, the rest of the power of two given back");
      f.setattr({ size: 0 });
      test.KUNIT_EXPECT_EQ(test.kernel.pages.nr_free, free, "free pages");
    }),
    KUNIT_CASE("more_than_four_gigabytes_is_refused", (test) => test.KUNIT_EXPECT_ERRNO(EFBIG, () => file(test).setattr({ size: 2 ** 32 }), "ftruncate")),
    KUNIT_CASE("shrinking_clears_what_growing_shows_again", (test) => {
      const f = file(test);
      f.write_at(new Uint8Array([1, 2, 3, 4]), 0, 4, 0);
      f.setattr({ size: 2 });
      f.setattr({ size: 4 });
      const out = new Uint8Array(4);
      f.read_at(out, 0, 4, 0);
      test.KUNIT_EXPECT_MEMEQ(out, [1, 2, 0, 0]);
      f.evict();
    }),
    KUNIT_CASE("directories_count_links_and_must_be_empty", (test) => {
      const r = root(test);
      const d = r.mkdir("d", 0o040755, ROOT) as RamfsInode;
      d.create("x", 0o100644, ROOT);
      test.KUNIT_EXPECT_EQ(r.i_nlink, 3);
      test.KUNIT_EXPECT_ERRNO(ENOTEMPTY, () => r.rmdir("d", d), "rmdir");
      d.unlink("x", d.lookup("x")!);
      r.rmdir("d", d);
      test.KUNIT_EXPECT_EQ(r.i_nlink, 2);
      test.KUNIT_EXPECT_EQ(d.i_nlink, 0);
    }),
    KUNIT_CASE("exchange_swaps_names", (test) => {
      const r = root(test);
      const a = r.create("a", 0o100644, ROOT);
      const b = r.mkdir("b", 0o040755, ROOT);
      r.rename("a", a, r, "b", b, RENAME_EXCHANGE);
      test.KUNIT_EXPECT_EQ(r.lookup("a")!, b);
      test.KUNIT_EXPECT_EQ(r.lookup("b")!, a);
      test.KUNIT_EXPECT_EQ(r.i_nlink, 3);
    }),
    KUNIT_CASE("readdir_goes_on_from_a_cookie", (test) => {
      const r = root(test);
      for (const n of ["a", "b", "c"]) r.create(n, 0o100644, ROOT);
      const names: string[] = [];
      let cookie = 0;
      r.iterate(2, (name, _ino, _type, next) => {
        names.push(name);
        cookie = next;
        return false;
      });
      r.unlink("a", r.lookup("a")!);
      r.iterate(cookie, (name) => {
        names.push(name);
        return true;
      });
      test.KUNIT_EXPECT_EQ(names.join(), "a,b,c");
    }),
  ],
};
