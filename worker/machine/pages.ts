// machine/pages.ts — many pages of bytes, of which few change from one snapshot to the next: a persistent tree that shares what is the same.

/** pages in a chunk */
const FAN = 64;

/** The bytes of a page, never changed; undefined: as they were at power-on (zeros in RAM, the image's on a disk). */
export type Page = Uint8Array | undefined;

interface Chunk {
  readonly data: readonly Page[];
  /** two words for each page: low and high half of its hash; zero where data is undefined */
  readonly hash: Int32Array;
}

export interface PageChange {
  readonly page: number;
  readonly data: Page;
  readonly lo: number;
  readonly hi: number;
}

export class PageTree {
  private readonly chunks: readonly (Chunk | undefined)[];
  constructor(chunks: readonly (Chunk | undefined)[] = []) {
    this.chunks = chunks;
  }

  get(page: number): Page {
    return this.chunks[Math.floor(page / FAN)]?.data[page % FAN];
  }
  /** Hash of a page as it was noted; undefined with its data. */
  hash(page: number): { lo: number; hi: number } | undefined {
    const chunk = this.chunks[Math.floor(page / FAN)];
    const i = page % FAN;
    return chunk?.data[i] === undefined ? undefined : { lo: chunk.hash[2 * i]!, hi: chunk.hash[2 * i + 1]! };
  }
  /** The tree with these pages changed. */
  with(changes: readonly PageChange[]): PageTree {
    if (changes.length === 0) return this;
    const chunks = this.chunks.slice();
    const fresh = new Map<number, { data: Page[]; hash: Int32Array }>();
    for (const { page, data, lo, hi } of changes) {
      const n = Math.floor(page / FAN);
      let chunk = fresh.get(n);
      if (chunk === undefined) {
        const old = chunks[n];
        chunk = old === undefined ? { data: new Array<Page>(FAN).fill(undefined), hash: new Int32Array(2 * FAN) } : { data: old.data.slice(), hash: old.hash.slice() };
        fresh.set(n, chunk);
        while (chunks.length < n) chunks.push(undefined);
        chunks[n] = chunk;
      }
      const i = page % FAN;
      chunk.data[i] = data;
      chunk.hash[2 * i] = data === undefined ? 0 : lo;
      chunk.hash[2 * i + 1] = data === undefined ? 0 : hi;
    }
    return new PageTree(chunks);
  }
  /** Pages whose bytes are not the same objects in both: at least all that differ, ascending. */
  differing(other: PageTree): number[] {
    const out: number[] = [];
    const n = Math.max(this.chunks.length, other.chunks.length);
    for (let c = 0; c < n; c++) {
      const a = this.chunks[c], b = other.chunks[c];
      if (a === b) continue;
      for (let i = 0; i < FAN; i++) if (a?.data[i] !== b?.data[i]) out.push(c * FAN + i);
    }
    return out;
  }
  /** All pages that have bytes, ascending. */
  *entries(): Generator<readonly [page: number, data: Uint8Array, hash: { lo: number; hi: number }]> {
    for (let c = 0; c < this.chunks.length; c++) {
      const chunk = this.chunks[c];
      if (chunk === undefined) continue;
      for (let i = 0; i < FAN; i++) {
        const data = chunk.data[i];
        if (data !== undefined) yield [c * FAN + i, data, { lo: chunk.hash[2 * i]!, hi: chunk.hash[2 * i + 1]! }];
      }
    }
  }
}

/** Pages by what is in them, as long as somebody else holds them too: the same bytes are kept once. */
export class PagePool {
  private readonly pages = new Map<bigint, WeakRef<Uint8Array>>();
  /** bytes of new pages so far */
  copied = 0;
  private sweepAt = 4096;

  get(lo: number, hi: number, make: () => Uint8Array): Uint8Array {
    const key = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    const known = this.pages.get(key)?.deref();
    if (known !== undefined) return known;
    const page = make();
    this.copied += page.length;
    this.pages.set(key, new WeakRef(page));
    if (this.pages.size > this.sweepAt) {
      for (const [k, ref] of this.pages) if (ref.deref() === undefined) this.pages.delete(k);
      this.sweepAt = 2 * this.pages.size + 4096;
    }
    return page;
  }
}
