// fs/ext4/mballoc_kunit.ts — the block allocator on a file system of its own, in memory.  cf. fs/ext4/mballoc-test.c
import { BlockDevice, GenDisk } from "../../drivers/block/genhd.ts";
import { ENOSPC } from "../../include/uapi/errno.ts";
import { CAP_EMPTY_SET, prepare_creds } from "../../kernel/cred.ts";
import { test_bit } from "../../lib/bitmap.ts";
import { MemoryStore } from "../../lib/memory_store.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import type { KUnitTest } from "../../kunit/test.ts";
import { blocksInGroup, ext4_bg_has_super, ext4_free_blocks, ext4_group_first_block_no, ext4_new_blocks, ext4_read_block_bitmap } from "./balloc.ts";
import { mkfs } from "./mkfs.ts";
import { Ext4FsType, Ext4SuperBlock } from "./super.ts";

/** An empty file system of three groups of 8192 blocks of 1 KiB (the last one shorter), with a journal: what is freed can be had again after a commit. */
function fresh(test: KUnitTest): Ext4SuperBlock {
  const { kernel } = test;
  const disk = new GenDisk("kunitd", 259, 0, 1, new MemoryStore("kunit", new Uint8Array(20 << 20)));
  const bdev = new BlockDevice(disk, disk.major << 20, disk.disk_name, 0, 0, disk.store.size);
  mkfs(kernel, bdev, { blockSize: 1024, uuid: new Uint8Array(16).fill(7), time: 1_700_000_000 });
  return new Ext4SuperBlock(kernel, new Ext4FsType("ext4"), bdev, 0, "");
}
/** Are the free blocks of each group those of its bitmap? */
function counted(test: KUnitTest, sb: Ext4SuperBlock): void {
  let all = 0;
  for (const g of sb.groups) {
    const map = ext4_read_block_bitmap(sb, g).b_data;
    let free = 0;
    for (let i = 0; i < blocksInGroup(sb, g.group); i++) if (!test_bit(map, i)) free++;
    test.KUNIT_EXPECT_EQ(g.free_blocks, free, `free blocks of group ${g.group}`);
    all += free;
  }
  test.KUNIT_EXPECT_EQ(sb.free_blocks, all, "free blocks");
}

export const mballocSuite: KunitSuite = {
  name: "ext4_mballoc_test",
  module: "fs/ext4/balloc",
  cases: [
    KUNIT_CASE("the_goal_is_taken_if_it_is_free", (test) => {
      const sb = fresh(test);
      const goal = ext4_group_first_block_no(sb, 0) + 4000;
      const run = ext4_new_blocks(sb, goal, 10);
      test.KUNIT_EXPECT_EQ(run.start, goal, "start");
      test.KUNIT_EXPECT_EQ(run.len, 10, "length");
      const next = ext4_new_blocks(sb, goal, 10);
      test.KUNIT_EXPECT_EQ(next.start, goal + 10, "a taken goal: what follows it");
      counted(test, sb);
    }),
    KUNIT_CASE("a_run_stops_at_what_is_taken", (test) => {
      const sb = fresh(test);
      const at = ext4_group_first_block_no(sb, 0) + 5000;
      ext4_new_blocks(sb, at + 4, 1);
      test.KUNIT_EXPECT_EQ(ext4_new_blocks(sb, at, 100).len, 4, "length up to the taken block");
      counted(test, sb);
    }),
    KUNIT_CASE("what_is_given_back_can_be_had_again", (test) => {
      const sb = fresh(test);
      const before = sb.free_blocks;
      const run = ext4_new_blocks(sb, ext4_group_first_block_no(sb, 1) + 100, 500);
      test.KUNIT_EXPECT_EQ(sb.free_blocks, before - run.len, "free blocks");
      ext4_free_blocks(sb, run.start, run.len);
      test.KUNIT_EXPECT_EQ(sb.free_blocks, before, "free blocks");
      test.KUNIT_EXPECT_NE(ext4_new_blocks(sb, run.start, 1).start, run.start, "a place that the journal still needs");
      sb.commit();
      test.KUNIT_EXPECT_EQ(ext4_new_blocks(sb, run.start, run.len).start, run.start, "the same place");
      counted(test, sb);
    }),
    KUNIT_CASE("a_range_over_two_groups_is_freed_in_both", (test) => {
      const sb = fresh(test);
      const edge = ext4_group_first_block_no(sb, 2);
      const left = ext4_new_blocks(sb, edge - 20, 20);
      test.KUNIT_ASSERT_EQ(left.start + left.len, edge, "end of the first group's blocks");
      const g2 = sb.groups[2]!.free_blocks;
      // the second group begins with its own tables: what is freed there must have been taken
      const right = ext4_new_blocks(sb, edge, 1);
      test.KUNIT_EXPECT_TRUE(right.start > edge, "beyond the tables");
      ext4_free_blocks(sb, left.start, left.len);
      ext4_free_blocks(sb, right.start, right.len);
      test.KUNIT_EXPECT_EQ(sb.groups[2]!.free_blocks, g2, "free blocks of group 2");
      counted(test, sb);
    }),
    KUNIT_CASE("a_full_group_sends_to_the_next", (test) => {
      const sb = fresh(test);
      const first = ext4_group_first_block_no(sb, 1);
      while (sb.groups[1]!.free_blocks > 0) ext4_new_blocks(sb, first, 2048);
      const run = ext4_new_blocks(sb, first + 10, 8);
      test.KUNIT_EXPECT_NE(Math.floor((run.start - sb.s_first_data_block) / sb.s_blocks_per_group), 1, "group");
      counted(test, sb);
    }),
    KUNIT_CASE("fragments_are_used_when_nothing_else_is_left", (test) => {
      const sb = fresh(test);
      const taken: number[] = [];
      while (sb.free_blocks > 0) {
        const run = ext4_new_blocks(sb, 1, 2048);
        for (let i = 0; i < run.len; i++) taken.push(run.start + i);
      }
      for (let i = 0; i < taken.length; i += 3) ext4_free_blocks(sb, taken[i]!, 1);
      sb.commit();
      const run = ext4_new_blocks(sb, 1, 64);
      test.KUNIT_EXPECT_TRUE(run.len >= 1 && run.len <= 2, `a fragment of ${run.len}`);
      counted(test, sb);
    }),
    KUNIT_CASE("the_reserve_is_root_s", (test) => {
      const sb = fresh(test);
      test.KUNIT_EXPECT_TRUE(sb.r_blocks > 0, "a reserve");
      const task = test.kernel.current!;
      const root = task.cred;
      task.cred = prepare_creds(root);
      task.cred.fsuid = 1000;
      task.cred.cap_effective = CAP_EMPTY_SET;
      try {
        while (sb.free_blocks > sb.r_blocks) ext4_new_blocks(sb, 1, 2048);
        test.KUNIT_EXPECT_EQ(sb.free_blocks, sb.r_blocks, "what is left");
        test.KUNIT_EXPECT_ERRNO(ENOSPC, () => ext4_new_blocks(sb, 1, 1), "a block for a user");
      } finally {
        task.cred = root;
      }
      test.KUNIT_EXPECT_EQ(ext4_new_blocks(sb, 1, 1).len, 1, "a block for root");
    }),
    KUNIT_CASE("nothing_left_is_ENOSPC", (test) => {
      const sb = fresh(test);
      while (sb.free_blocks > 0) ext4_new_blocks(sb, 1, 2048);
      test.KUNIT_EXPECT_ERRNO(ENOSPC, () => ext4_new_blocks(sb, 1, 1), "allocation");
      counted(test, sb);
    }),
    KUNIT_CASE_PARAM("goals_out_of_range", [0, -5, 1e9], String, (test, goal) => {
      const sb = fresh(test);
      const run = ext4_new_blocks(sb, goal, 4);
      test.KUNIT_EXPECT_TRUE(run.start > 0 && run.start + run.len <= sb.s_blocks_count, `blocks of the file system, not ${run.start}`);
      counted(test, sb);
    }),
    KUNIT_CASE_PARAM("groups_with_a_copy_of_the_super_block", [[0, true], [1, true], [2, false], [3, true], [4, false], [9, true], [27, true], [35, false], [49, true], [125, true]] as const, ([g]) => String(g), (test, [g, has]) => {
      test.KUNIT_EXPECT_EQ(ext4_bg_has_super(fresh(test), g), has, `group ${g}`);
    }),
  ],
};
