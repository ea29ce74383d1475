// mm/page_alloc_kunit.ts — the buddy allocator: orders, trimming, joining, fragmentation that really hurts.
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { get_order, MAX_ORDER, PAGE_SIZE, PageAlloc } from "./page_alloc.ts";

const MB = 1 << 20;
const fresh = (): PageAlloc => new PageAlloc(MB, 17 * MB);
const text = (a: PageAlloc): string => a.buddyinfo().join(" ");

export const pageAllocSuite: KunitSuite = {
  name: "page_alloc",
  module: "mm/page_alloc",
  cases: [
    KUNIT_CASE_PARAM("get_order", [[1, 0], [2, 1], [3, 2], [4, 2], [5, 3], [1024, 10], [1025, 11]] as const, ([n]) => `${n} pages`, (test, [n, o]) => test.KUNIT_EXPECT_EQ(get_order(n), o)),
    KUNIT_CASE("all_is_free_at_first", (test) => {
      const a = fresh();
      test.KUNIT_EXPECT_EQ(a.nr_free, 4096);
      test.KUNIT_EXPECT_EQ(a.holes().length, 1);
      test.KUNIT_EXPECT_MEMEQ(a.holes()[0]!, [MB, 16 * MB]);
    }),
    KUNIT_CASE("blocks_are_aligned_to_their_size", (test) => {
      const a = fresh();
      for (let o = 0; o <= 9; o++) test.KUNIT_EXPECT_EQ(a.alloc_pages(o)! % (PAGE_SIZE * 2 ** o), 0, `address of order ${o}`);
    }),
    KUNIT_CASE("lowest_first", (test) => {
      const a = fresh();
      test.KUNIT_EXPECT_EQ(a.alloc_pages(0), MB);
      test.KUNIT_EXPECT_EQ(a.alloc_pages(0), MB + PAGE_SIZE);
      a.free_pages(MB, 0);
      test.KUNIT_EXPECT_EQ(a.alloc_pages(0), MB);
    }),
    KUNIT_CASE("buddies_join", (test) => {
      const a = fresh();
      const before = text(a);
      const got = Array.from({ length: 100 }, () => a.alloc_pages(0)!);
      test.KUNIT_EXPECT_EQ(a.nr_free, 3996);
      for (const i of [...got.keys()].sort((x, y) => ((x * 37) % 100) - ((y * 37) % 100))) a.free_pages(got[i]!, 0);
      test.KUNIT_EXPECT_EQ(text(a), before, "free blocks");
    }),
    KUNIT_CASE("trim_gives_the_excess_back", (test) => {
      const a = fresh();
      const run = a.alloc_run(5)!;
      test.KUNIT_EXPECT_EQ(run.total, 5);
      test.KUNIT_EXPECT_EQ(a.nr_free, 4091);
      a.free_pages_exact(run.addr, 5);
      test.KUNIT_EXPECT_EQ(a.nr_free, 4096);
    }),
    KUNIT_CASE("nr_trim_pages_0_keeps_it", (test) => {
      const a = fresh();
      a.nr_trim_pages = 0;
      test.KUNIT_EXPECT_EQ(a.alloc_run(5)!.total, 8);
      a.nr_trim_pages = 4;
      test.KUNIT_EXPECT_EQ(a.alloc_run(5)!.total, 8, "an excess of 3 under nr_trim_pages=4");
      test.KUNIT_EXPECT_EQ(a.alloc_run(12)!.total, 12, "an excess of 4 under nr_trim_pages=4");
    }),
    KUNIT_CASE("too_large", (test) => {
      const a = fresh();
      test.KUNIT_EXPECT_EQ(a.alloc_run(2 ** MAX_ORDER + 1), undefined);
      test.KUNIT_EXPECT_EQ(a.alloc_pages(13), undefined);
      test.KUNIT_EXPECT_EQ(a.nr_free, 4096);
    }),
    KUNIT_CASE("part_of_a_run_can_be_freed", (test) => {
      const a = fresh();
      const { addr } = a.alloc_run(8)!;
      a.free_pages_exact(addr + 2 * PAGE_SIZE, 3);
      test.KUNIT_EXPECT_EQ(a.nr_free, 4091);
      a.free_pages_exact(addr, 2);
      a.free_pages_exact(addr + 5 * PAGE_SIZE, 3);
      test.KUNIT_EXPECT_EQ(a.holes().length, 1);
    }),
  ],
};

export const fragmentationSuite: KunitSuite = {
  name: "fragmentation",
  module: "mm/page_alloc",
  cases: [
    KUNIT_CASE("half_is_free_and_two_pages_are_not_to_be_had", (test) => {
      const a = fresh();
      const got: number[] = [];
      for (let p = a.alloc_pages(0); p !== undefined; p = a.alloc_pages(0)) got.push(p);
      for (const p of got) if ((p / PAGE_SIZE) % 2 === 0) a.free_pages(p, 0);
      test.KUNIT_EXPECT_EQ(a.nr_free, 2048);
      test.KUNIT_EXPECT_EQ(a.alloc_run(2), undefined);
      test.KUNIT_EXPECT_EQ(a.holes().length, 2048);
    }),
    KUNIT_CASE("neighbours_that_are_no_buddies", (test) => {
      const a = fresh();
      const got: number[] = [];
      for (let p = a.alloc_pages(0); p !== undefined; p = a.alloc_pages(0)) got.push(p);
      // pages 1 and 2 of an aligned four: contiguous, and no block
      const odd = got.find((p) => (p / PAGE_SIZE) % 4 === 1)!;
      a.free_pages(odd, 0);
      a.free_pages(odd + PAGE_SIZE, 0);
      test.KUNIT_EXPECT_EQ(a.holes()[0]![1], 2 * PAGE_SIZE);
      test.KUNIT_EXPECT_EQ(a.alloc_pages(1), undefined);
    }),
    KUNIT_CASE("random_use_leaks_nothing", (test) => {
      const a = fresh();
      let x = 1;
      const rnd = (n: number): number => (x = (Math.imul(x, 1664525) + 1013904223) >>> 0) % n;
      const live: { addr: number; total: number }[] = [];
      for (let i = 0; i < 2000; i++) {
        if (rnd(2) === 0) {
          const run = a.alloc_run(1 + rnd(60));
          if (run !== undefined) live.push(run);
        } else if (live.length > 0) {
          const [run] = live.splice(rnd(live.length), 1);
          a.free_pages_exact(run!.addr, run!.total);
        }
      }
      const used = live.reduce((n, r) => n + r.total, 0);
      test.KUNIT_EXPECT_EQ(a.nr_free, 4096 - used);
      const sorted = live.toSorted((p, q) => p.addr - q.addr);
      for (let i = 1; i < sorted.length; i++) test.KUNIT_EXPECT_LE(sorted[i - 1]!.addr + sorted[i - 1]!.total * PAGE_SIZE, sorted[i]!.addr, "end of one run, start of the next");
      for (const r of live) a.free_pages_exact(r.addr, r.total);
      test.KUNIT_EXPECT_EQ(a.holes().length, 1);
    }),
  ],
};
