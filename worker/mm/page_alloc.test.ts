// mm/page_alloc.test.ts — orders, trimming, joining, fragmentation, determinism.
import { beforeEach, describe, expect, test } from "vitest";
import { get_order, MAX_ORDER, PAGE_SIZE, PageAlloc } from "./page_alloc.ts";

const MiB = 1 << 20;
let p: PageAlloc;
beforeEach(() => {
  p = new PageAlloc(MiB, 64 * MiB);
});
const whole = (): number[] => new PageAlloc(MiB, 64 * MiB).buddyinfo();

test("the order of a request is that of the next power of two", () => {
  expect([1, 2, 3, 4, 5, 255, 256, 257].map(get_order)).toEqual([0, 1, 2, 2, 3, 8, 8, 9]);
});
test("a pool begins as the largest aligned blocks", () => {
  // 1..2, 2..4, 4..8, 8..16, 16..32, 32..64 MiB
  expect(p.buddyinfo().map((n, order) => n * order).filter((n) => n > 0)).toEqual([8, 9, 10, 11, 12, 13]);
  expect(p.nr_free).toBe(63 * 256);
  expect(p.holes()).toEqual([[MiB, 63 * MiB]]);
});
describe("a run", () => {
  test("is trimmed to what was asked for", () => {
    const run = p.alloc_run(5)!;
    expect(run.total).toBe(5);
    expect(p.nr_free).toBe(63 * 256 - 5);
  });
  test("keeps its power of two when vm.nr_trim_pages is 0, or more than what would be given back", () => {
    p.nr_trim_pages = 0;
    expect(p.alloc_run(5)!.total).toBe(8);
    p.nr_trim_pages = 4;
    expect(p.alloc_run(5)!.total).toBe(8);
    p.nr_trim_pages = 3;
    expect(p.alloc_run(5)!.total).toBe(5);
  });
  test("is aligned to its power of two, lowest address first", () => {
    const a = p.alloc_run(3)!.addr;
    const b = p.alloc_run(4)!.addr;
    expect(a).toBe(MiB);
    expect(b).toBe(MiB + 4 * PAGE_SIZE);
    expect(p.alloc_run(1)!.addr).toBe(MiB + 3 * PAGE_SIZE);
  });
  test("is at most 256 MiB, however much is free", () => {
    const big = new PageAlloc(0, 2048 * MiB);
    expect(big.alloc_run(2 ** MAX_ORDER)!.total).toBe(65536);
    expect(big.alloc_run(2 ** MAX_ORDER + 1)).toBeUndefined();
  });
});
test("what is freed, in any pieces and order, joins to what it was", () => {
  const runs = [1, 7, 30, 2, 513, 64, 9].map((n) => ({ ...p.alloc_run(n)!, n }));
  for (const r of [3, 0, 6, 2, 5, 1].map((i) => runs[i]!)) p.free_pages_exact(r.addr, r.n);
  // the last one page by page, from its end
  const last = runs[4]!;
  for (let i = last.n - 1; i >= 0; i--) p.free_pages_exact(last.addr + i * PAGE_SIZE, 1);
  expect(p.buddyinfo()).toEqual(whole());
  expect(p.nr_free).toBe(63 * 256);
});
test("fragmentation: half of memory free, and no block of two pages", () => {
  const pages: number[] = [];
  for (let a = p.alloc_run(1); a !== undefined; a = p.alloc_run(1)) pages.push(a.addr);
  pages.filter((_, i) => i % 2 === 0).forEach((a) => p.free_pages_exact(a, 1));
  expect(p.nr_free).toBe((63 * 256) / 2);
  expect(p.alloc_run(2)).toBeUndefined();
  expect(p.alloc_run(1)).toBeDefined();
});
test("the layout is a function of the requests", () => {
  const script = (q: PageAlloc): number[] => {
    const out: number[] = [];
    for (let i = 1; i < 200; i++) {
      const n = ((i * 37) % 23) + 1;
      out.push(q.alloc_run(n)!.addr);
      if (i % 3 === 0) q.free_pages_exact(out[i - 2]!, (((i - 1) * 37) % 23) + 1);
    }
    return out;
  };
  expect(script(new PageAlloc(MiB, 64 * MiB))).toEqual(script(p));
});

test("a range of a certain address: all of it or nothing, and the rest stays whole", () => {
  const a = new PageAlloc(MiB, 32 * MiB);
  const free = a.nr_free;
  expect(a.alloc_contig_range(4 * MiB, 9 * MiB + PAGE_SIZE)).toBe(true);
  expect(a.nr_free).toBe(free - (5 * MiB) / PAGE_SIZE - 1);
  expect(a.holes()).toEqual([[MiB, 3 * MiB], [9 * MiB + PAGE_SIZE, 23 * MiB - PAGE_SIZE]]);
  expect(a.alloc_contig_range(9 * MiB, 10 * MiB)).toBe(false);
  expect(a.alloc_contig_range(31 * MiB, 33 * MiB)).toBe(false);
  a.free_pages_exact(4 * MiB, (5 * MiB) / PAGE_SIZE + 1);
  expect([a.nr_free, a.holes()]).toEqual([free, [[MiB, 31 * MiB]]]);
});
