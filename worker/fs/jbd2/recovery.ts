// fs/jbd2/recovery.ts — replaying a journal that was not put into place: ours, or one that Linux left.  cf. fs/jbd2/recovery.c
//
// Three passes over the same blocks: how far the transactions are complete, which blocks they revoke, and writing the rest to their places.
import type { Journal } from "./journal.ts";
import {
  COMMIT_CHECKSUM, J_HEADER, JBD2_COMMIT_BLOCK, JBD2_DESCRIPTOR_BLOCK, JBD2_FLAG_ESCAPE, JBD2_FLAG_LAST_TAG, JBD2_FLAG_SAME_UUID, JBD2_INCOMPAT_64BIT,
  JBD2_INCOMPAT_CSUM_V3, JBD2_MAGIC, JBD2_REVOKE_BLOCK, journal_tag_bytes,
} from "./format.ts";

interface Tag {
  readonly block: number;
  readonly flags: number;
  readonly checksum: number;
}

/** later(a, b): transaction a is newer, or the same. Numbers wrap. */
const tid_geq = (a: number, b: number): boolean => ((a - b) | 0) >= 0;

export class Recovery {
  readonly j: Journal;
  /** block: the newest transaction that revokes it */
  readonly revoked = new Map<number, number>();
  private readonly buf: Uint8Array;
  private readonly v: DataView;
  replayed = 0;

  constructor(j: Journal) {
    this.j = j;
    this.buf = new Uint8Array(j.blocksize);
    this.v = new DataView(this.buf.buffer);
  }
  private read(at: number): void {
    this.j.io.read(this.j.blocks[at]! * this.j.blocksize, this.buf);
  }
  private next(at: number): number {
    return at + 1 >= this.j.maxlen ? this.j.first : at + 1;
  }
  private tags(): Tag[] {
    const { j, v } = this;
    const size = journal_tag_bytes(j.incompat);
    const end = j.blocksize - (j.csum ? 4 : 0);
    const out: Tag[] = [];
    for (let o = J_HEADER; o + size <= end; ) {
      const v3 = (j.incompat & JBD2_INCOMPAT_CSUM_V3) !== 0;
      const flags = v3 ? v.getUint32(o + 4) : v.getUint16(o + 6);
      const high = j.incompat & JBD2_INCOMPAT_64BIT ? v.getUint32(o + 8) : 0;
      out.push({ block: v.getUint32(o) + high * 0x100000000, flags, checksum: v3 ? v.getUint32(o + 12) : v.getUint16(o + 4) });
      o += size;
      if ((flags & JBD2_FLAG_SAME_UUID) === 0) o += 16;
      if (flags & JBD2_FLAG_LAST_TAG) break;
    }
    return out;
  }
  private revokes(sequence: number): void {
    const { j, v } = this;
    const size = j.incompat & JBD2_INCOMPAT_64BIT ? 8 : 4;
    const end = Math.min(v.getUint32(J_HEADER), j.blocksize - (j.csum ? 4 : 0));
    for (let o = J_HEADER + 4; o + size <= end; o += size) {
      const block = size === 8 ? v.getUint32(o) * 0x100000000 + v.getUint32(o + 4) : v.getUint32(o);
      const known = this.revoked.get(block);
      if (known === undefined || tid_geq(sequence, known)) this.revoked.set(block, sequence);
    }
  }

  /** One pass, up to transaction `end` (scan: undefined). Returns the number of the first transaction that is not complete. */
  pass(what: "scan" | "revoke" | "replay", end: number | undefined): number {
    const { j } = this;
    let sequence = j.sequence;
    let at = j.start;
    // no more blocks than the journal has: a damaged one must not go round for ever
    for (let n = 0; n < j.maxlen; n++) {
      if (end !== undefined && tid_geq(sequence, end)) return sequence;
      this.read(at);
      const { v } = this;
      if (v.getUint32(0) !== JBD2_MAGIC || v.getUint32(8) !== sequence) return sequence;
      at = this.next(at);
      switch (v.getUint32(4)) {
        case JBD2_DESCRIPTOR_BLOCK: {
          if (j.csum && v.getUint32(j.blocksize - 4) !== j.tailChecksum(this.buf.slice())) return sequence;
          for (const tag of this.tags()) {
            if (what === "replay") this.replay(tag, at, sequence);
            at = this.next(at);
            n++;
          }
          break;
        }
        case JBD2_COMMIT_BLOCK:
          if (j.csum && v.getUint32(COMMIT_CHECKSUM) !== j.commitChecksum(this.buf)) return sequence;
          sequence = (sequence + 1) >>> 0;
          break;
        case JBD2_REVOKE_BLOCK:
          if (what === "revoke") this.revokes(sequence);
          break;
        default:
          return sequence;
      }
    }
    return sequence;
  }
  private replay(tag: Tag, at: number, sequence: number): void {
    const { j } = this;
    const revoked = this.revoked.get(tag.block);
    if (revoked !== undefined && tid_geq(revoked, sequence)) return;
    const data = new Uint8Array(j.blocksize);
    j.io.read(j.blocks[at]! * j.blocksize, data);
    if (j.csum) {
      const sum = j.tagChecksum(data, sequence);
      if ((j.incompat & JBD2_INCOMPAT_CSUM_V3 ? sum : sum & 0xffff) !== tag.checksum) return;
    }
    if (tag.flags & JBD2_FLAG_ESCAPE) new DataView(data.buffer).setUint32(0, JBD2_MAGIC);
    j.io.write(tag.block * j.blocksize, data);
    this.replayed++;
  }
}

/** Replays what is complete and empties the journal. Returns how many blocks were written.  cf. jbd2_journal_recover() */
export function jbd2_journal_recover(j: Journal): number {
  if (j.start === 0) {
    j.sequence = (j.sequence + 1) >>> 0;
    return 0;
  }
  const r = new Recovery(j);
  const end = r.pass("scan", undefined);
  r.pass("revoke", end);
  r.pass("replay", end);
  j.sequence = (end + 1) >>> 0;
  j.empty();
  return r.replayed;
}
