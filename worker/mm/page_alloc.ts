// mm/page_alloc.ts — the buddy allocator: contiguous runs of pages, powers of two.  cf. mm/page_alloc.c
//
// Without an MMU every mapping is one contiguous run, so fragmentation is real: free memory may be plenty and a request fail all the same.
// Free blocks of an order are taken lowest address first, which keeps the layout a function of the requests.

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
/** largest block: 2^16 pages = 256 MiB (arch/um without MMU) */
export const MAX_ORDER = 16;

export const PAGE_ALIGN = (n: number): number => Math.ceil(n / PAGE_SIZE) * PAGE_SIZE;

/** The order whose block holds `pages`. */
export function get_order(pages: number): number {
  let order = 0;
  while (2 ** order < pages) order++;
  return order;
}

/** Not the head of a free block. */
const BUSY = 0xff;

export class PageAlloc {
  /** first and past the last page frame that is managed */
  readonly start_pfn: number;
  readonly end_pfn: number;
  /** order of the free block that begins at a page; BUSY for all others */
  private readonly head: Uint8Array;
  /** by order: page frames of free blocks */
  private readonly free_area: Set<number>[] = [];
  nr_free = 0;
  /** past the highest page frame that was ever given out: beyond it the kernel has written nothing */
  top_pfn = 0;
  /** vm.nr_trim_pages: give back what a request leaves of its power of two if it is at least this many pages; 0 keeps it */
  nr_trim_pages = 1;

  /** Manages [start, end), bytes. */
  constructor(start: number, end: number) {
    this.start_pfn = Math.ceil(start / PAGE_SIZE);
    this.end_pfn = Math.floor(end / PAGE_SIZE);
    this.head = new Uint8Array(this.end_pfn).fill(BUSY);
    for (let i = 0; i <= MAX_ORDER; i++) this.free_area.push(new Set());
    this.free_range(this.start_pfn, this.end_pfn);
  }

  get nr_pages(): number {
    return this.end_pfn - this.start_pfn;
  }
  /** Number of free blocks by order (/proc/buddyinfo). */
  buddyinfo(): number[] {
    return this.free_area.map((s) => s.size);
  }
  /** Free runs as [address, bytes], in address order. */
  holes(): [number, number][] {
    const out: [number, number][] = [];
    for (let pfn = this.start_pfn; pfn < this.end_pfn; ) {
      const order = this.head[pfn]!;
      if (order === BUSY) {
        pfn++;
        continue;
      }
      const size = 2 ** order * PAGE_SIZE;
      const last = out[out.length - 1];
      if (last !== undefined && last[0] + last[1] === pfn * PAGE_SIZE) last[1] += size;
      else out.push([pfn * PAGE_SIZE, size]);
      pfn += 2 ** order;
    }
    return out;
  }

  private insert(pfn: number, order: number): void {
    this.head[pfn] = order;
    this.free_area[order]!.add(pfn);
  }
  private remove(pfn: number, order: number): void {
    this.head[pfn] = BUSY;
    this.free_area[order]!.delete(pfn);
  }

  /** A block of 2^order pages: its address, or undefined.  cf. __get_free_pages() */
  alloc_pages(order: number): number | undefined {
    for (let o = order; o <= MAX_ORDER; o++) {
      const area = this.free_area[o]!;
      if (area.size === 0) continue;
      let pfn = Infinity;
      for (const p of area) if (p < pfn) pfn = p;
      this.remove(pfn, o);
      while (o > order) {
        o--;
        this.insert(pfn + 2 ** o, o);
      }
      this.nr_free -= 2 ** order;
      this.top_pfn = Math.max(this.top_pfn, pfn + 2 ** order);
      return pfn * PAGE_SIZE;
    }
    return undefined;
  }

  /** Frees 2^order pages and joins them with their buddies. */
  free_pages(addr: number, order: number): void {
    let pfn = addr / PAGE_SIZE;
    this.nr_free += 2 ** order;
    while (order < MAX_ORDER) {
      const size = 2 ** order;
      const buddy = Math.floor(pfn / size) % 2 === 0 ? pfn + size : pfn - size;
      if (buddy < this.start_pfn || buddy + size > this.end_pfn || this.head[buddy] !== order) break;
      this.remove(buddy, order);
      pfn = Math.min(pfn, buddy);
      order++;
    }
    this.insert(pfn, order);
  }

  /** Takes the page frames of [start, end), bytes, all of which are free. False: they are not, and nothing has changed.  cf. alloc_contig_range() */
  alloc_contig_range(start: number, end: number): boolean {
    const [from, to] = [start / PAGE_SIZE, end / PAGE_SIZE];
    const found: [pfn: number, order: number][] = [];
    let free = 0;
    this.free_area.forEach((area, order) => {
      for (const pfn of area) {
        if (pfn >= to || pfn + 2 ** order <= from) continue;
        found.push([pfn, order]);
        free += Math.min(to, pfn + 2 ** order) - Math.max(from, pfn);
      }
    });
    if (free !== to - from) return false;
    for (const [pfn, order] of found) {
      this.remove(pfn, order);
      this.nr_free -= 2 ** order;
      this.free_range(pfn, Math.max(pfn, from));
      this.free_range(Math.min(to, pfn + 2 ** order), pfn + 2 ** order);
    }
    this.top_pfn = Math.max(this.top_pfn, to);
    return true;
  }

  totalram_pages(): number {
    return this.nr_pages;
  }
  nr_free_pages(): number {
    return this.nr_free;
  }
  /** A run of exactly `pages` pages, or undefined.  cf. alloc_pages_exact() */
  alloc_pages_exact(pages: number): number | undefined {
    const order = get_order(pages);
    const addr = order > MAX_ORDER ? undefined : this.alloc_pages(order);
    if (addr !== undefined) this.free_pages_exact(addr + pages * PAGE_SIZE, 2 ** order - pages);
    return addr;
  }

  /** Frees the page frames [from, to) in the largest aligned blocks. */
  private free_range(from: number, to: number): void {
    while (from < to) {
      let order = 0;
      while (order < MAX_ORDER && from % 2 ** (order + 1) === 0 && from + 2 ** (order + 1) <= to) order++;
      this.free_pages(from * PAGE_SIZE, order);
      from += 2 ** order;
    }
  }

  /** Frees `pages` pages at `addr`, any number.  cf. free_pages_exact() */
  free_pages_exact(addr: number, pages: number): void {
    this.free_range(addr / PAGE_SIZE, addr / PAGE_SIZE + pages);
  }

  /**
   * A run for `pages` pages, trimmed as nr_trim_pages says. `total` is how many pages of it are kept. Undefined if there is no such block.
   * cf. do_mmap_private()
   */
  alloc_run(pages: number): { addr: number; total: number } | undefined {
    const order = get_order(pages);
    if (order > MAX_ORDER) return undefined;
    const addr = this.alloc_pages(order);
    if (addr === undefined) return undefined;
    const excess = 2 ** order - pages;
    if (this.nr_trim_pages === 0 || excess < this.nr_trim_pages) return { addr, total: 2 ** order };
    this.free_pages_exact(addr + pages * PAGE_SIZE, excess);
    return { addr, total: pages };
  }
}
