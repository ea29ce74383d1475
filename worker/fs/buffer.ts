// fs/buffer.ts — the cached metadata blocks of one device.  cf. fs/buffer.c
//
// A block that is dirty belongs to the running transaction (jbd2/journal.ts) and stays here until that is committed. Clean blocks beyond
// `max` are dropped, oldest first, but only by trim(), which is called between operations: within one, a BufferHead stays valid.

/** What blocks are read from and written to: a BlockDevice (drivers/block/genhd.ts), or an image that is being made. */
export interface BlockIo {
  /** bytes */
  readonly size: number;
  read(pos: number, buf: Uint8Array): void;
  write(pos: number, buf: Uint8Array): void;
  /** Nothing that is written from now on reaches the device before what was written so far. */
  barrier?(): void;
}

export class BufferHead {
  readonly b_blocknr: number;
  readonly b_data: Uint8Array;
  readonly view: DataView;
  /** newer than the device */
  b_dirty = false;
  /** never dropped by trim() */
  b_pinned = false;
  /** its checksum was found right, or was set by us */
  b_verified = false;
  /** kind of checksum to put in before it is written (the file system's numbering; 0 none) and that checksum's seed */
  b_csum = 0;
  b_seed = 0;
  constructor(blocknr: number, data: Uint8Array) {
    this.b_blocknr = blocknr;
    this.b_data = data;
    this.view = new DataView(data.buffer, data.byteOffset, data.length);
  }
}

export class BufferCache {
  readonly io: BlockIo;
  readonly blocksize: number;
  readonly map = new Map<number, BufferHead>();
  /** clean blocks kept */
  max: number;
  constructor(io: BlockIo, blocksize: number, max = 16384) {
    this.io = io;
    this.blocksize = blocksize;
    this.max = max;
  }

  /** The block, read if it is not here yet. Throws EIO.  cf. sb_bread() */
  bread(block: number): BufferHead {
    const have = this.map.get(block);
    if (have !== undefined) return have;
    const bh = new BufferHead(block, new Uint8Array(this.blocksize));
    this.io.read(block * this.blocksize, bh.b_data);
    this.map.set(block, bh);
    return bh;
  }
  /** The block without reading it, zeroed: it is about to be filled.  cf. sb_getblk() */
  getblk(block: number): BufferHead {
    const have = this.map.get(block);
    if (have !== undefined) {
      have.b_data.fill(0);
      have.b_verified = false;
      have.b_csum = 0;
      return have;
    }
    const bh = new BufferHead(block, new Uint8Array(this.blocksize));
    this.map.set(block, bh);
    return bh;
  }
  /** The block is no longer metadata: its contents are of no interest. */
  forget(block: number): BufferHead | undefined {
    const bh = this.map.get(block);
    if (bh !== undefined) this.map.delete(block);
    return bh;
  }
  /** Drops clean blocks beyond `max`. Only between operations. */
  trim(): void {
    if (this.map.size <= this.max) return;
    let excess = this.map.size - (this.max >>> 1);
    for (const [block, bh] of this.map) {
      if (bh.b_dirty || bh.b_pinned) continue;
      this.map.delete(block);
      if (--excess <= 0) return;
    }
  }
  /** Lays blocks that are newer than the device over buf[off, off+len), which was read from byte `pos`. */
  overlay(pos: number, buf: Uint8Array, off: number, len: number): void {
    const bs = this.blocksize;
    for (let block = Math.floor(pos / bs); block * bs < pos + len; block++) {
      const bh = this.map.get(block);
      if (bh === undefined || !bh.b_dirty) continue;
      const from = Math.max(pos, block * bs);
      const to = Math.min(pos + len, (block + 1) * bs);
      buf.set(bh.b_data.subarray(from - block * bs, to - block * bs), off + from - pos);
    }
  }
  /** The device was written at [pos, pos+len) by someone else: cached blocks take the new bytes. */
  refresh(pos: number, len: number): void {
    const bs = this.blocksize;
    for (let block = Math.floor(pos / bs); block * bs < pos + len; block++) {
      const bh = this.map.get(block);
      if (bh === undefined) continue;
      const from = Math.max(pos, block * bs);
      const part = new Uint8Array(Math.min(pos + len, (block + 1) * bs) - from);
      this.io.read(from, part);
      bh.b_data.set(part, from - block * bs);
    }
  }
}
