// fs/ext4/page_io.ts — the cached data of one file: reading, writing, writing back.  cf. mm/filemap.c, fs/ext4/page-io.c
//
// Pages of 4 KiB. Blocks are allocated when a page is written to; a dirty page goes to the device at the next commit, before the metadata
// that leads to it (ordered mode). Bytes of a page beyond the end of the file are always zero.
import { PAGE_SIZE } from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";
import { memset } from "../../lib/bytes.ts";

/** pages read at once when one is missing */
const READ_AHEAD = 32;
/** pages written at once */
const WRITE_BATCH = 64;

export class Page {
  readonly data: Uint8Array;
  dirty = false;
  /** bit i: block i of the page is known to be allocated and written */
  mapped = 0;
  /** goes up with each change of `data`: who keeps a copy of it (machine/freeze.ts) need not compare */
  writes = 0;
  constructor(data: Uint8Array) {
    this.data = data;
  }
}

export class Mapping {
  private readonly inode: Ext4Inode;
  readonly pages = new Map<number, Page>();
  private readonly dirty = new Set<number>();
  constructor(inode: Ext4Inode) {
    this.inode = inode;
  }
  /** The first of blocks [from, to) that is in a page waiting to be written; `to` if none is. */
  next_dirty(from: number, to: number): number {
    const per = PAGE_SIZE / this.inode.i_sb.s_blocksize;
    let found = to;
    for (const index of this.dirty) {
      const first = Math.max(from, index * per);
      if (first < Math.min(found, (index + 1) * per)) found = first;
    }
    return found;
  }
  get nrDirty(): number {
    return this.dirty.size;
  }

  /** Copies [pos, pos+len) to buf[off...]. The range lies within the file.  cf. filemap_read() */
  read(buf: Uint8Array, off: number, len: number, pos: number): void {
    this.inode.i_sb.shrink_pages();
    const end = pos + len;
    let to = off;
    for (let at = pos; at < end; ) {
      const index = Math.floor(at / PAGE_SIZE);
      const from = at - index * PAGE_SIZE;
      const n = Math.min(PAGE_SIZE - from, end - at);
      const page = this.pages.get(index) ?? this.fill(index, Math.ceil((end - index * PAGE_SIZE) / PAGE_SIZE));
      if (page === undefined) memset(buf, 0, to, to + n);
      else copy(page.data, from, buf, to, n);
      at += n;
      to += n;
    }
  }

  /**
   * Reads page `index` and, as far as they follow on the device and are not here, some after it. Undefined: the page is a hole of the file.
   * `want`: pages that will be asked for.
   */
  private fill(index: number, want: number): Page | undefined {
    const { inode } = this;
    const sb = inode.i_sb;
    const bs = sb.s_blocksize;
    const per = PAGE_SIZE / bs;
    const { map } = inode;
    const lastPage = Math.ceil(inode.i_size / PAGE_SIZE);
    const limit = Math.min(lastPage - index, Math.max(READ_AHEAD, Math.min(want, READ_AHEAD * 8)));
    map.lookup(index * per);
    if (map.m_p !== 0 && !map.m_u && map.m_n >= per) {
      // the common case: whole pages in one run
      let n = 1;
      const max = Math.min(limit, Math.floor(map.m_n / per));
      while (n < max && !this.pages.has(index + n)) n++;
      const data = new Uint8Array(n * PAGE_SIZE);
      sb.readData(map.m_p, data);
      for (let i = 0; i < n; i++) {
        const page = new Page(data.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
        page.mapped = (1 << per) - 1;
        this.add(index + i, page);
      }
    } else {
      const page = new Page(new Uint8Array(PAGE_SIZE));
      for (let b = 0; b < per; ) {
        map.lookup(index * per + b);
        const n = Math.min(map.m_n, per - b);
        if (map.m_p !== 0 && !map.m_u) {
          sb.readData(map.m_p, page.data.subarray(b * bs, (b + n) * bs));
          page.mapped |= ((1 << n) - 1) << b;
        }
        b += n;
      }
      if (page.mapped === 0) return undefined;
      this.add(index, page);
    }
    const tail = this.pages.get(lastPage - 1);
    if (tail !== undefined && lastPage - 1 >= index) {
      tail.data.fill(0, inode.i_size - (lastPage - 1) * PAGE_SIZE);
      tail.writes++;
    }
    return this.pages.get(index);
  }
  private add(index: number, page: Page): void {
    this.pages.set(index, page);
    this.inode.i_sb.nr_pages++;
  }
  /** The page, read or, if it is a hole or past the end, new and zero. */
  private grab(index: number): Page {
    const have = this.pages.get(index) ?? (index * PAGE_SIZE < this.inode.i_size ? this.fill(index, 1) : undefined);
    if (have !== undefined) return have;
    const page = new Page(new Uint8Array(PAGE_SIZE));
    this.add(index, page);
    return page;
  }
  private markDirty(index: number, page: Page): void {
    if (page.dirty) return;
    page.dirty = true;
    this.dirty.add(index);
    this.inode.i_sb.dirtyData(this.inode);
  }

  /**
   * Writes buf[off, off+len) at `pos`; the file has been extended with zeros up to pos. Returns how much: less than len when space ran out.
   * Throws ENOSPC for none, EFBIG. i_size is the caller's.  cf. generic_perform_write()
   */
  write(buf: Uint8Array, off: number, len: number, pos: number): number {
    const bs = this.inode.i_sb.s_blocksize;
    const end = pos + this.reserve(pos, len);
    let from = off;
    for (let at = pos; at < end; ) {
      const index = Math.floor(at / PAGE_SIZE);
      const o = at - index * PAGE_SIZE;
      const n = Math.min(PAGE_SIZE - o, end - at);
      let page = this.pages.get(index);
      if (page === undefined) {
        // a page that is overwritten as a whole need not be read
        if (n === PAGE_SIZE) this.add(index, (page = new Page(new Uint8Array(PAGE_SIZE))));
        else page = this.grab(index);
      }
      copy(buf, from, page.data, o, n);
      page.writes++;
      const b0 = Math.floor(o / bs);
      page.mapped |= ((1 << (Math.ceil((o + n) / bs) - b0)) - 1) << b0;
      if (!page.dirty) this.markDirty(index, page);
      at += n;
      from += n;
    }
    return end - pos;
  }
  /** Blocks for [pos, pos+len): returns how many bytes of it have some. */
  private reserve(pos: number, len: number): number {
    const bs = this.inode.i_sb.s_blocksize;
    const per = PAGE_SIZE / bs;
    const first = Math.floor(pos / bs);
    const last = Math.floor((pos + len - 1) / bs);
    // the quick way: one page that has all its blocks already
    const index = Math.floor(first / per);
    if (Math.floor(last / per) === index) {
      const page = this.pages.get(index);
      const bits = ((1 << (last - first + 1)) - 1) << (first - index * per);
      if (page !== undefined && (page.mapped & bits) === bits) return len;
    }
    // A page that is only partly overwritten must be read before its unwritten blocks count as written.
    if (pos % PAGE_SIZE !== 0) this.grab(index);
    if ((pos + len) % PAGE_SIZE !== 0) this.grab(Math.floor(last / per));
    const n = this.inode.ext4_map_blocks(first, last - first + 1, false);
    return Math.min(len, (first + n) * bs - pos);
  }

  /** The file is about to grow from `old` bytes: what lies on the device after its end in the last block is made zero. */
  zeroTail(old: number): void {
    const o = old % PAGE_SIZE;
    if (old % this.inode.i_sb.s_blocksize === 0) return;
    const index = (old - o) / PAGE_SIZE;
    const page = this.pages.get(index) ?? this.fill(index, 1);
    if (page !== undefined) this.markDirty(index, page);
  }
  /** Drops what lies at or after `size`; the rest of the last block becomes zero. */
  truncate(size: number): void {
    const o = size % PAGE_SIZE;
    const keep = (size - o) / PAGE_SIZE;
    if (o !== 0) {
      const bs = this.inode.i_sb.s_blocksize;
      const page = this.pages.get(keep) ?? this.fill(keep, 1);
      if (page !== undefined) {
        page.data.fill(0, o);
        page.writes++;
        page.mapped &= (1 << Math.ceil(o / bs)) - 1;
        if (o % bs !== 0) this.markDirty(keep, page);
      }
    }
    this.drop(o === 0 ? keep : keep + 1, Infinity);
  }
  /** Zeros [pos, end) in memory after blocks in there were freed or made unwritten: only whole blocks count as no longer mapped. */
  punch(pos: number, end: number): void {
    const bs = this.inode.i_sb.s_blocksize;
    for (let at = pos; at < end; ) {
      const index = Math.floor(at / PAGE_SIZE);
      const o = at - index * PAGE_SIZE;
      const n = Math.min(PAGE_SIZE - o, end - at);
      if (n === PAGE_SIZE) {
        // jump over long stretches without pages
        const stop = Math.floor(end / PAGE_SIZE);
        this.drop(index, stop);
        at = stop * PAGE_SIZE;
        continue;
      }
      const page = this.pages.get(index) ?? (index * PAGE_SIZE < this.inode.i_size ? this.fill(index, 1) : undefined);
      if (page !== undefined) {
        page.data.fill(0, o, o + n);
        page.writes++;
        const b0 = Math.ceil(o / bs);
        const b1 = Math.floor((o + n) / bs);
        for (let b = b0; b < b1; b++) page.mapped &= ~(1 << b);
        if (page.mapped !== 0) this.markDirty(index, page);
      }
      at += n;
    }
  }
  /** Forgets pages [from, to), dirty or not. */
  drop(from: number, to: number): void {
    if (this.pages.size === 0) return;
    const forget = (index: number): void => {
      if (!this.pages.delete(index)) return;
      this.dirty.delete(index);
      this.inode.i_sb.nr_pages--;
    };
    if (to - from < this.pages.size) for (let i = from; i < to; i++) forget(i);
    else for (const i of [...this.pages.keys()]) if (i >= from && i < to) forget(i);
    if (this.dirty.size === 0) this.inode.i_sb.dirty_data.delete(this.inode);
  }
  /** Forgets pages that are not dirty. */
  dropClean(): void {
    for (const [i, page] of this.pages)
      if (!page.dirty) {
        this.pages.delete(i);
        this.inode.i_sb.nr_pages--;
      }
  }

  /** Writes all dirty pages to their blocks. Throws EIO.  cf. ext4_writepages() */
  writeback(): void {
    const { inode } = this;
    const sb = inode.i_sb;
    const bs = sb.s_blocksize;
    const per = PAGE_SIZE / bs;
    const { map } = inode;
    const order = [...this.dirty].sort((a, b) => a - b);
    const batch = new Batch(sb.s_blocksize, (block, bytes) => sb.writeData(block, bytes));
    for (const index of order) {
      const page = this.pages.get(index) as Page;
      for (let b = 0; b < per; ) {
        map.lookup(index * per + b);
        const n = Math.min(map.m_n, per - b);
        if (map.m_p !== 0 && !map.m_u) batch.add(map.m_p, page.data, b * bs, n);
        b += n;
      }
    }
    batch.end();
    for (const index of order) (this.pages.get(index) as Page).dirty = false;
    this.dirty.clear();
  }
}

/** Joins writes of neighbouring blocks. */
export class Batch {
  private readonly bs: number;
  private readonly out: (block: number, bytes: Uint8Array) => void;
  private readonly buf: Uint8Array;
  private block = 0;
  private n = 0;
  constructor(bs: number, out: (block: number, bytes: Uint8Array) => void) {
    this.bs = bs;
    this.out = out;
    this.buf = new Uint8Array(WRITE_BATCH * PAGE_SIZE);
  }
  add(block: number, data: Uint8Array, off: number, n: number): void {
    if (this.n > 0 && (block !== this.block + this.n || (this.n + n) * this.bs > this.buf.length)) this.end();
    if (this.n === 0) this.block = block;
    this.buf.set(data.subarray(off, off + n * this.bs), this.n * this.bs);
    this.n += n;
  }
  end(): void {
    if (this.n > 0) this.out(this.block, this.buf.subarray(0, this.n * this.bs));
    this.n = 0;
  }
}

/** below this a loop is quicker than making a view */
const SMALL = 48;

function copy(src: Uint8Array, from: number, dst: Uint8Array, to: number, n: number): void {
  if (n <= SMALL) for (let i = 0; i < n; i++) dst[to + i] = src[from + i];
  else if (n === src.length) dst.set(src, to);
  else dst.set(src.subarray(from, from + n), to);
}
