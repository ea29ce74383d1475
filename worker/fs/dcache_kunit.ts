// fs/dcache_kunit.ts — the cache of names: entering, removing, moving, and paths back to text.
import { KUNIT_CASE, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { d_add, d_delete, d_exchange, d_move, d_path, dentry_path, is_subdir, prune_dcache } from "./dcache.ts";
import type { Dentry } from "./fs.ts";

/** Names below the root: a/b/c and a/d. */
function tree(test: KUnitTest): { root: Dentry; a: Dentry; b: Dentry; c: Dentry; d: Dentry } {
  const { vfs } = test.kernel;
  const root = vfs.root.dentry;
  const inode = root.d_inode;
  const a = d_add(vfs, root, "kunit-a", inode);
  const b = d_add(vfs, a, "b", inode);
  return { root, a, b, c: d_add(vfs, b, "c", inode), d: d_add(vfs, a, "d", inode) };
}
function remove(test: KUnitTest, ...dentries: Dentry[]): void {
  for (const d of dentries) {
    d.d_parent.d_children.delete(d.d_name);
    test.kernel.vfs.dentry_lru.delete(d);
  }
}

export const dcacheSuite: KunitSuite = {
  name: "dcache",
  module: "fs/dcache",
  cases: [
    KUNIT_CASE("paths", (test) => {
      const { a, c } = tree(test);
      test.KUNIT_EXPECT_EQ(dentry_path(c), "/kunit-a/b/c");
      test.KUNIT_EXPECT_EQ(d_path({ mnt: test.kernel.vfs.root.mnt, dentry: c }, test.kernel.vfs.root).text, "/kunit-a/b/c");
      const below = d_path({ mnt: test.kernel.vfs.root.mnt, dentry: c }, { mnt: test.kernel.vfs.root.mnt, dentry: a });
      test.KUNIT_EXPECT_EQ(below.text, "/b/c", "seen from a root further down");
      test.KUNIT_EXPECT_TRUE(below.reachable, "reachable");
      remove(test, a);
    }),
    KUNIT_CASE("outside_of_the_root_is_unreachable", (test) => {
      const { a, b, d } = tree(test);
      test.KUNIT_EXPECT_FALSE(d_path({ mnt: test.kernel.vfs.root.mnt, dentry: d }, { mnt: test.kernel.vfs.root.mnt, dentry: b }).reachable, "reachable");
      remove(test, a);
    }),
    KUNIT_CASE("subdirectories", (test) => {
      const { root, a, b, c, d } = tree(test);
      test.KUNIT_EXPECT_TRUE(is_subdir(c, root), "c below the root");
      test.KUNIT_EXPECT_TRUE(is_subdir(c, a), "c below a");
      test.KUNIT_EXPECT_TRUE(is_subdir(b, b), "b below itself");
      test.KUNIT_EXPECT_FALSE(is_subdir(c, d), "c below d");
      remove(test, a);
    }),
    KUNIT_CASE("a_move_takes_what_is_below_along", (test) => {
      const { a, b, c, d } = tree(test);
      d_move(test.kernel.vfs, b, d_add(test.kernel.vfs, d, "new", undefined));
      test.KUNIT_EXPECT_EQ(dentry_path(c), "/kunit-a/d/new/c");
      test.KUNIT_EXPECT_EQ(a.d_children.get("b"), undefined, "the old name");
      test.KUNIT_EXPECT_TRUE(d.d_children.get("new") === b, "the same dentry");
      remove(test, a);
    }),
    KUNIT_CASE("an_exchange_swaps_names_and_parents", (test) => {
      const { a, b, c, d } = tree(test);
      d_exchange(c, d);
      test.KUNIT_EXPECT_EQ(dentry_path(c), "/kunit-a/d");
      test.KUNIT_EXPECT_EQ(dentry_path(d), "/kunit-a/b/c");
      test.KUNIT_EXPECT_TRUE(b.d_children.get("c") === d && a.d_children.get("d") === c, "found under the other name");
      remove(test, a);
    }),
    KUNIT_CASE("a_removed_name_is_negative_or_gone", (test) => {
      const { a, b, c } = tree(test);
      d_delete(test.kernel.vfs, c);
      test.KUNIT_EXPECT_TRUE(b.d_children.get("c") === c && c.d_inode === undefined, "an unused one stays, negative");
      b.d_count++;
      d_delete(test.kernel.vfs, b);
      test.KUNIT_EXPECT_EQ(a.d_children.get("b"), undefined, "a used one's name");
      test.KUNIT_EXPECT_TRUE(b.d_inode !== undefined && b.d_unhashed, "its users keep it");
      test.KUNIT_EXPECT_EQ(d_path({ mnt: test.kernel.vfs.root.mnt, dentry: b }, test.kernel.vfs.root).text, "/kunit-a/b (deleted)");
      remove(test, a);
    }),
    KUNIT_CASE("pruning_spares_what_is_used_and_gives_a_second_chance", (test) => {
      const { vfs } = test.kernel;
      const { a, b, c, d } = tree(test);
      c.d_referenced = true;
      d.d_count++;
      for (let i = 0; i < 2; i++) prune_dcache(vfs, vfs.dentry_lru.size);
      test.KUNIT_EXPECT_TRUE(a.d_children.get("d") === d, "the used one is there");
      test.KUNIT_EXPECT_EQ(b.d_children.get("c"), undefined, "the unused one");
      d.d_count--;
      remove(test, d, a);
    }),
  ],
};
