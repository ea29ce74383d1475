// fs/jbd2/journal.ts — the journal of a file system: one transaction at a time, written ahead, then put into place.  cf. fs/jbd2/journal.c, commit.c
//
// A commit: descriptor and blocks after those of the transaction before; a barrier; the commit block, and the journal's super block, which from now on begins with this
// transaction; a barrier; the blocks go to their places. What a barrier separates never reaches the disk in the other order, so a power failure anywhere leaves either this
// transaction complete in the journal, or the one before complete in its places. Only the newest transaction is ever replayed, or the newest two while neither has freed a
// block that was used again: so no revoke record is ever needed.
import { crc32c } from "../../lib/crc32c.ts";
import type { BufferHead, BlockIo } from "../buffer.ts";
import {
  COMMIT_CHECKSUM, COMMIT_SEC, J_BLOCKSIZE, J_CHECKSUM, J_CHECKSUM_TYPE, J_ERRNO, J_FEATURE_INCOMPAT, J_FIRST, J_HEADER, J_MAXLEN, J_SEQUENCE, J_START, J_SUPER_SIZE, J_UUID,
  JBD2_COMMIT_BLOCK, JBD2_CRC32C_CHKSUM, JBD2_DESCRIPTOR_BLOCK, JBD2_FLAG_ESCAPE, JBD2_FLAG_LAST_TAG, JBD2_FLAG_SAME_UUID, JBD2_INCOMPAT_64BIT, JBD2_INCOMPAT_CSUM_V2,
  JBD2_INCOMPAT_CSUM_V3, JBD2_KNOWN_INCOMPAT, JBD2_MAGIC, JBD2_SUPERBLOCK_V1, JBD2_SUPERBLOCK_V2, journal_tag_bytes,
} from "./format.ts";

const ZERO4 = new Uint8Array(4);

export class Journal {
  readonly io: BlockIo;
  readonly blocksize: number;
  /** physical block of each block of the journal */
  readonly blocks: Float64Array;
  readonly sb: Uint8Array;
  readonly view: DataView;
  /** number of the next transaction */
  sequence: number;
  incompat: number;
  seed = 0;
  /** block of the journal at which the next transaction begins */
  head: number;
  /** blocks that the last transaction has, which must not be overwritten yet */
  private last = 0;

  private constructor(io: BlockIo, blocksize: number, blocks: readonly number[], sb: Uint8Array) {
    this.io = io;
    this.blocksize = blocksize;
    this.blocks = Float64Array.from(blocks);
    this.sb = sb;
    this.view = new DataView(sb.buffer, sb.byteOffset, sb.length);
    this.sequence = this.view.getUint32(J_SEQUENCE);
    this.incompat = this.view.getUint32(4) === JBD2_SUPERBLOCK_V2 ? this.view.getUint32(J_FEATURE_INCOMPAT) : 0;
    this.seed = crc32c(0xffffffff, sb, J_UUID, J_UUID + 16);
    this.head = this.first;
  }

  /** Opens the journal that lies in `blocks`. Returns a sentence if it is none that can be used.  cf. journal_get_superblock() */
  static load(io: BlockIo, blocksize: number, blocks: readonly number[]): Journal | string {
    const sb = new Uint8Array(blocksize);
    if (blocks.length === 0) return "no journal found";
    io.read(blocks[0]! * blocksize, sb);
    const v = new DataView(sb.buffer);
    const type = v.getUint32(4);
    if (v.getUint32(0) !== JBD2_MAGIC || (type !== JBD2_SUPERBLOCK_V1 && type !== JBD2_SUPERBLOCK_V2)) return "no valid journal superblock found";
    if (v.getUint32(J_BLOCKSIZE) !== blocksize) return "journal block size is not the file system's";
    if (v.getUint32(J_MAXLEN) > blocks.length) return "journal file too short";
    const j = new Journal(io, blocksize, blocks, sb);
    if (j.incompat & ~JBD2_KNOWN_INCOMPAT) return `unrecognised features in journal: ${j.incompat.toString(16)}`;
    if (j.csum && v.getUint32(J_CHECKSUM) !== j.superChecksum()) return "journal superblock checksum error";
    return j;
  }
  get maxlen(): number {
    return this.view.getUint32(J_MAXLEN);
  }
  get first(): number {
    return this.view.getUint32(J_FIRST);
  }
  /** block of the journal at which its oldest transaction begins; 0: it is empty */
  get start(): number {
    return this.view.getUint32(J_START);
  }
  /** what it failed with, negative; 0: nothing */
  get errno(): number {
    return this.view.getInt32(J_ERRNO);
  }
  /** Notes it in the super block, where start and sequence stay as they were written last.  cf. jbd2_journal_update_sb_errno() */
  write_errno(errno: number): void {
    this.view.setInt32(J_ERRNO, errno);
    if (this.csum) this.view.setUint32(J_CHECKSUM, this.superChecksum());
    this.io.write(this.blocks[0]! * this.blocksize, this.sb);
  }
  get csum(): boolean {
    return (this.incompat & (JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3)) !== 0;
  }
  private superChecksum(): number {
    return crc32c(crc32c(crc32c(0xffffffff, this.sb, 0, J_CHECKSUM), ZERO4), this.sb, J_CHECKSUM + 4, J_SUPER_SIZE) >>> 0;
  }

  /** Turns on what the file system's own features ask for.  cf. jbd2_journal_set_features() */
  set_features(wide: boolean, csum: boolean): void {
    if (this.view.getUint32(4) !== JBD2_SUPERBLOCK_V2) return;
    if (wide) this.incompat |= JBD2_INCOMPAT_64BIT;
    if (csum) {
      this.incompat = (this.incompat & ~JBD2_INCOMPAT_CSUM_V2) | JBD2_INCOMPAT_CSUM_V3;
      this.sb[J_CHECKSUM_TYPE] = JBD2_CRC32C_CHKSUM;
    }
    this.view.setUint32(J_FEATURE_INCOMPAT, this.incompat);
  }
  /** Writes the journal's super block: `start` 0 says that there is nothing to recover.  cf. jbd2_write_superblock() */
  write_super(start: number): void {
    this.view.setUint32(J_START, start);
    this.view.setUint32(J_SEQUENCE, this.sequence);
    if (this.csum) this.view.setUint32(J_CHECKSUM, this.superChecksum());
    this.io.write(this.blocks[0]! * this.blocksize, this.sb);
  }

  /** How many metadata blocks one transaction may have. */
  get capacity(): number {
    const room = this.maxlen - this.first - 2;
    const perDescriptor = Math.floor((this.blocksize - J_HEADER - 16 - 4) / journal_tag_bytes(this.incompat));
    return room - Math.ceil(room / perDescriptor) - 1;
  }

  /** Writes `buffers` into the journal. When it returns they may go to their places. `sec`: time of the commit. */
  write_transaction(buffers: readonly BufferHead[], sec: number): void {
    const bs = this.blocksize;
    const tagBytes = journal_tag_bytes(this.incompat);
    const tail = this.csum ? 4 : 0;
    const perBlock = Math.floor((bs - J_HEADER - 16 - tail) / tagBytes);
    const size = buffers.length + Math.ceil(buffers.length / perBlock) + 1;
    if (this.last + size > this.maxlen - this.first) this.empty();
    const start = this.head;
    const put = (bytes: Uint8Array): void => {
      this.io.write(this.blocks[this.head]! * bs, bytes);
      if (++this.head >= this.maxlen) this.head = this.first;
    };
    for (let i = 0; i < buffers.length; i += perBlock) {
      const part = buffers.slice(i, i + perBlock);
      put(this.descriptor(part, tagBytes));
      for (const bh of part) {
        if (bh.view.getUint32(0) !== JBD2_MAGIC) put(bh.b_data);
        else {
          // a block that looks like the journal's own loses its first word, and its tag says so
          const copy = bh.b_data.slice();
          copy.fill(0, 0, 4);
          put(copy);
        }
      }
    }
    this.io.barrier?.();
    put(this.commitBlock(sec));
    this.write_super(start);
    this.io.barrier?.();
    this.last = size;
    this.sequence = (this.sequence + 1) >>> 0;
  }
  /** All transactions are in their places for good: the journal is empty.  cf. jbd2_mark_journal_empty() */
  empty(): void {
    this.io.barrier?.();
    this.write_super(0);
    this.io.barrier?.();
    this.head = this.first;
    this.last = 0;
  }
  private header(type: number): { bytes: Uint8Array; v: DataView } {
    const bytes = new Uint8Array(this.blocksize);
    const v = new DataView(bytes.buffer);
    v.setUint32(0, JBD2_MAGIC);
    v.setUint32(4, type);
    v.setUint32(8, this.sequence);
    return { bytes, v };
  }
  /** Checksum of a block in the journal, as its tag holds it: over the transaction's number and the block as written. */
  tagChecksum(data: Uint8Array, sequence: number): number {
    const seq = new Uint8Array(4);
    new DataView(seq.buffer).setUint32(0, sequence);
    return crc32c(crc32c(this.seed, seq), data) >>> 0;
  }
  private descriptor(part: readonly BufferHead[], tagBytes: number): Uint8Array {
    const { bytes, v } = this.header(JBD2_DESCRIPTOR_BLOCK);
    let o = J_HEADER;
    part.forEach((bh, i) => {
      const escape = bh.view.getUint32(0) === JBD2_MAGIC;
      let flags = escape ? JBD2_FLAG_ESCAPE : 0;
      if (i > 0) flags |= JBD2_FLAG_SAME_UUID;
      if (i === part.length - 1) flags |= JBD2_FLAG_LAST_TAG;
      let data = bh.b_data;
      if (escape) (data = data.slice()).fill(0, 0, 4);
      const sum = this.csum ? this.tagChecksum(data, this.sequence) : 0;
      v.setUint32(o, bh.b_blocknr % 0x100000000);
      const high = Math.floor(bh.b_blocknr / 0x100000000);
      if (this.incompat & JBD2_INCOMPAT_CSUM_V3) {
        v.setUint32(o + 4, flags);
        v.setUint32(o + 8, high);
        v.setUint32(o + 12, sum);
      } else {
        v.setUint16(o + 4, sum & 0xffff);
        v.setUint16(o + 6, flags);
        if (this.incompat & JBD2_INCOMPAT_64BIT) v.setUint32(o + 8, high);
      }
      o += tagBytes;
      // the first tag is followed by the file system's UUID
      if (i === 0) {
        bytes.set(this.sb.subarray(J_UUID, J_UUID + 16), o);
        o += 16;
      }
    });
    if (this.csum) v.setUint32(this.blocksize - 4, this.tailChecksum(bytes));
    return bytes;
  }
  /** Checksum in the last four bytes of a descriptor or revoke block. */
  tailChecksum(bytes: Uint8Array): number {
    return crc32c(crc32c(this.seed, bytes, 0, this.blocksize - 4), ZERO4) >>> 0;
  }
  commitChecksum(bytes: Uint8Array): number {
    return crc32c(crc32c(crc32c(this.seed, bytes, 0, COMMIT_CHECKSUM), ZERO4), bytes, COMMIT_CHECKSUM + 4, this.blocksize) >>> 0;
  }
  private commitBlock(sec: number): Uint8Array {
    const { bytes, v } = this.header(JBD2_COMMIT_BLOCK);
    v.setUint32(COMMIT_SEC, Math.floor(sec / 0x100000000));
    v.setUint32(COMMIT_SEC + 4, sec >>> 0);
    if (this.csum) v.setUint32(COMMIT_CHECKSUM, this.commitChecksum(bytes));
    return bytes;
  }}
