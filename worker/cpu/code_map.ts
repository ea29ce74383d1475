// worker/cpu/code_map.ts — which parts of guest memory are known to be code, and what happens to what is known when they are written to.
//
// A byte for each granule of guest memory, read by each store: not zero, and the store tells. Decoded blocks and compiled code are registered with the
// granules that they lie in. The same map tells of first stores to pages, for who saves memory.

import { type Block, type CompiledCode, type Granule, isDead, isSource } from "./block.ts";
import type { GuestMemory } from "./memory.ts";
import { CODE_SHIFT } from "./build/wasm.ts";

// bits of the map
const CODE = 1, GUARDED = 2;
const PAGE_SHIFT = 12;
/** words of a granule */
const IMAGE_WORDS = 1 << (CODE_SHIFT - 2);
/** Bytes of the longest store, less one: so far before a block it may begin that hits it. */
const BEFORE = 15;

export class CodeMap {
  private readonly mem: GuestMemory;
  /** where the bytes are */
  private readonly map: number;
  /** of a block of records whose bytes have changed, and who else is to know */
  private readonly kill: (block: Block) => void;
  /** by number */
  private readonly granules = new Map<number, Granule>();

  /** @param map where in memory its bytes are, one for each 2^CODE_SHIFT of guest memory */
  constructor(mem: GuestMemory, map: number, kill: (block: Block) => void) {
    this.mem = mem;
    this.map = map;
    this.kill = kill;
  }

  /** Compiled code was made from guest memory [start, end). */
  watch(start: number, end: number, compiled: CompiledCode): void {
    this.register({ at: 0, count: 0, start, end, dead: false, goal: 0, compiled });
  }

  /** Compiled code that the byte at `address` is part of. */
  compiledAt(address: number): CompiledCode | undefined {
    return this.granules.get(address >>> CODE_SHIFT)?.blocks.find((b) => b.compiled !== undefined && !isDead(b) && b.start <= address && address < b.end)?.compiled;
  }
  /** No compiled code is to be told any more. */
  unwatch(): void {
    for (const [g, granule] of this.granules) {
      granule.blocks = granule.blocks.filter((b) => b.compiled === undefined);
      if (granule.blocks.length === 0) this.granules.delete(g);
      this.thinned(g);
    }
  }
  /** Pieces of code that are kept for the granules, dead ones too: for tests. */
  get registered(): number {
    return [...this.granules.values()].reduce((n, { blocks }) => n + blocks.length, 0);
  }

  /** A block that is alive: told when its bytes change. */
  register(block: Block): void {
    const first = block.start >> CODE_SHIFT, last = (block.end - 1) >> CODE_SHIFT;
    for (let g = first; g <= last; g++) {
      const granule = this.granules.get(g);
      if (granule === undefined) this.granules.set(g, { number: g, blocks: [block], image: undefined, changed: false });
      else {
        // compiled code comes back, and is registered again where it had been all the time
        const stale = (b: Block): boolean => isDead(b) || (b.compiled !== undefined && b.compiled === block.compiled && b.start === block.start);
        if (granule.blocks.some(stale)) granule.blocks = granule.blocks.filter((b) => !stale(b));
        granule.blocks.push(block);
        granule.image = undefined;
      }
      this.mark(g);
    }
    // a store of up to 16 bytes that starts before the block may reach into it
    const before = (block.start - BEFORE) >> CODE_SHIFT;
    if (before >= 0 && before !== first) this.mark(before);
  }
  private mark(granule: number): void {
    this.mem.u8[this.map + granule]! |= CODE;
  }
  private unmark(granule: number): void {
    this.mem.u8[this.map + granule]! &= ~CODE;
  }
  /** Blocks have gone from a granule, or its last one has: a mark that nothing needs would make each store there a slow one, for good. */
  private thinned(granule: number): void {
    for (let g = Math.max(granule - 1, 0); g <= granule; g++) if (!this.granules.has(g) && !this.reachesInto(g + 1)) this.unmark(g);
  }

  /** Guest memory [address, address + length) has new contents: blocks made from the old ones go. */
  written(address: number, length: number): void {
    if (length <= 0) return;
    const { map, mem: { u8 } } = this;
    const first = address >> CODE_SHIFT, last = (address + length - 1) >> CODE_SHIFT;
    for (let g = first; g <= last; g++) {
      const mapped = u8[map + g]!;
      if (mapped === 0) continue;
      if ((mapped & GUARDED) !== 0) this.touch(g >> (PAGE_SHIFT - CODE_SHIFT));
      const list = this.granules.get(g)?.blocks;
      if (list === undefined) {
        // marked for the sake of the next one, whose blocks may have died where others were written to
        this.thinned(g);
        continue;
      }
      let kept = 0;
      for (const block of list) {
        if (isDead(block)) continue;
        if (block.start < address + length && block.end > address) this.kill(block);
        else list[kept++] = block;
      }
      list.length = kept;
      if (kept === 0) this.granules.delete(g);
      this.thinned(g);
    }
  }
  /** those that are changed */
  private readonly changed: Granule[] = [];
  /** there are some */
  unsettled = false;
  /**
   * Guest memory [address, address + length) may have new contents, while the guest stands still: what they are is looked at when it goes on. execve puts
   * the same program where it was, byte for byte, by way of zeros and of sites that are rewritten one by one.
   */
  rewritten(address: number, length: number): void {
    if (length <= 0) return;
    const { map, mem: { u8 } } = this;
    const last = (address + length - 1) >> CODE_SHIFT;
    for (let g = address >> CODE_SHIFT; g <= last; g++) {
      const mapped = u8[map + g]!;
      if (mapped === 0) continue;
      if ((mapped & GUARDED) !== 0) this.touch(g >> (PAGE_SHIFT - CODE_SHIFT));
      if ((mapped & CODE) === 0) continue;
      const granule = this.granules.get(g);
      if (granule === undefined || granule.changed) continue;
      granule.changed = true;
      this.changed.push(granule);
      this.unsettled = true;
    }
  }
  private isImage({ number, image }: Granule): boolean {
    if (image === undefined) return false;
    const { i32 } = this.mem;
    const at = number << (CODE_SHIFT - 2);
    // eight words at a time: execve has a thousand granules looked at, and nearly all are as they were
    for (let i = 0; i < IMAGE_WORDS; i += 8)
      if (
        ((i32[at + i]! ^ image[i]!) | (i32[at + i + 1]! ^ image[i + 1]!) | (i32[at + i + 2]! ^ image[i + 2]!) | (i32[at + i + 3]! ^ image[i + 3]!) |
          (i32[at + i + 4]! ^ image[i + 4]!) | (i32[at + i + 5]! ^ image[i + 5]!) | (i32[at + i + 6]! ^ image[i + 6]!) | (i32[at + i + 7]! ^ image[i + 7]!)) !== 0
      )
        return false;
    return true;
  }
  /** The guest is about to go on: code that is not what blocks were made from loses them. */
  settle(): void {
    if (!this.unsettled) return;
    this.unsettled = false;
    const { u8 } = this.mem;
    const good = new Set<CompiledCode>();
    for (const granule of this.changed) {
      granule.changed = false;
      if (this.isImage(granule)) continue;
      const { number: g, blocks: list } = granule;
      let kept = 0;
      for (const block of list) {
        if (isDead(block)) continue;
        const { compiled } = block;
        if (compiled === undefined ? isSource(block, u8) : good.has(compiled) || compiled.matches(u8)) {
          if (compiled !== undefined) good.add(compiled);
          list[kept++] = block;
        } else this.kill(block);
      }
      list.length = kept;
      if (kept > 0) granule.image = this.mem.i32.slice(g << (CODE_SHIFT - 2), (g + 1) << (CODE_SHIFT - 2));
      else this.granules.delete(g);
      this.thinned(g);
    }
    this.changed.length = 0;
  }
  /** Is there a block in the first bytes of a granule? */
  private reachesInto(granule: number): boolean {
    const start = granule << CODE_SHIFT;
    return this.granules.get(granule)?.blocks.some((b) => !isDead(b) && b.start < start + BEFORE) === true;
  }

  /** Nothing is code any more. */
  clear(): void {
    for (const g of this.granules.keys()) {
      this.unmark(g);
      if (g > 0) this.unmark(g - 1);
    }
    this.changed.length = 0;
    this.unsettled = false;
    this.granules.clear();
  }

  // ---- pages that nobody should write to

  /** Pages at or above the last guard() that were written to by the guest. */
  readonly touched = new Set<number>();
  /**
   * From now on the first store of the guest to each page above `page` is noted in `touched`: it costs nothing elsewhere, as the map is looked at by every
   * store anyway. (A store that starts in page - 1 may reach into `page`, which is not guarded itself.)
   */
  guard(page: number): void {
    const { map, mem: { u8, size } } = this;
    const per = 1 << (PAGE_SHIFT - CODE_SHIFT);
    const first = page * per + per - 1;
    for (let g = this.guarded; g < first; g++) u8[map + g]! &= ~GUARDED;
    if (this.guarded === 0) for (let g = first; g <= size >>> CODE_SHIFT; g++) u8[map + g]! |= GUARDED;
    this.guarded = Math.max(first, this.guarded);
    for (const p of this.touched) if (p <= page) this.touched.delete(p);
  }
  /** the first granule that may be guarded; 0: none is */
  private guarded = 0;
  private touch(page: number): void {
    if (this.touched.has(page)) return;
    this.touched.add(page);
    const { u8 } = this.mem;
    const per = 1 << (PAGE_SHIFT - CODE_SHIFT);
    const at = this.map + page * per;
    for (let g = 0; g < per - 1; g++) u8[at + g]! &= ~GUARDED;
    // the last granule's stores may reach into the next page
    if (this.touched.has(page + 1)) u8[at + per - 1]! &= ~GUARDED;
    if (this.touched.has(page - 1)) u8[at - 1]! &= ~GUARDED;
  }
}
