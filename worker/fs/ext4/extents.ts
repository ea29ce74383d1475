// fs/ext4/extents.ts — extent trees.  cf. fs/ext4/extents.c
//
// Unlike Linux, the tree of an inode that is in use is kept as a list of leaves with plain objects, and its nodes are written at commit:
//
//   leaves[]  -> extents, sorted        one leaf per block, or the one in the inode (block 0) with at most 4
//   levels[0] -> index blocks over the leaves, densely filled;  levels[1] over levels[0] ...;  the root in the inode holds the rest (<= 4)
//
// Blocks for nodes are taken when the list grows, so that a commit never lacks space.
import { EFBIG } from "../../include/uapi/errno.ts";
import { crc32c } from "../../lib/crc32c.ts";
import { ext4_free_blocks, ext4_new_blocks, type Run } from "./balloc.ts";
import { BlockMap } from "./block_map.ts";
import { CSUM_EXTENT } from "./ext4.ts";
import type { BufferHead } from "../buffer.ts";
import type { Ext4Inode } from "./inode.ts";

const EXT4_EXT_MAGIC = 0xf30a;
const EXT_INIT_MAX_LEN = 32768;
const EXT_UNWRITTEN_MAX_LEN = 32767;
const ROOT_MAX = 4;
const HEADER = 12;
const ENTRY = 12;
const EXT_MAX_DEPTH = 5;
export const EXT_MAX_BLOCKS = 0xffffffff;

/** `n` blocks of the file from `b` on are at `p`; `u`: unwritten. */
export class Extent {
  b: number;
  n: number;
  p: number;
  u: boolean;
  constructor(b: number, n: number, p: number, u: boolean) {
    this.b = b;
    this.n = n;
    this.p = p;
    this.u = u;
  }
}

export class Leaf {
  /** where it is, 0: in the inode */
  block: number;
  ex: Extent[];
  dirty = true;
  constructor(block: number, ex: Extent[]) {
    this.block = block;
    this.ex = ex;
  }
}

export class ExtentTree extends BlockMap {
  private readonly inode: Ext4Inode;
  private leaves: Leaf[] = [new Leaf(0, [])];
  /** index blocks, level above the leaves first */
  private levels: number[][] = [];
  private dirty = false;
  /** empty leaves found on disk, to be freed when the tree is next written */
  private readonly spare: number[] = [];
  /** where the last lookup ended */
  private at = 0;

  constructor(inode: Ext4Inode) {
    super();
    this.inode = inode;
  }

  /** Reads the tree of an inode that is on disk. Throws EIO (EUCLEAN, EBADMSG) for a broken one. */
  static load(inode: Ext4Inode): ExtentTree {
    const t = new ExtentTree(inode);
    t.leaves = [];
    const root = new DataView(inode.i_block.buffer, inode.i_block.byteOffset, inode.i_block.length);
    t.loadNode(root, 0, -1);
    if (t.leaves.length === 0) t.leaves.push(new Leaf(0, []));
    let end = 0;
    for (const leaf of t.leaves) {
      leaf.dirty = false;
      for (const e of leaf.ex) {
        if (e.b < end || e.n === 0 || e.p + e.n > inode.i_sb.s_blocks_count) t.bad("invalid extent entries");
        end = e.b + e.n;
      }
    }
    return t;
  }
  private bad(what: string): never {
    this.inode.i_sb.corrupted("ext4_ext_check_inode", `pblk 0: bad header/extent: ${what}`, { ino: this.inode.i_ino });
  }
  /** `depth` -1: the root, which says how deep the tree is. */
  private loadNode(v: DataView, block: number, depth: number): void {
    const entries = v.getUint16(2, true);
    const max = v.getUint16(4, true);
    const d = v.getUint16(6, true);
    if (v.getUint16(0, true) !== EXT4_EXT_MAGIC) this.bad("invalid magic");
    if (d > EXT_MAX_DEPTH || (depth >= 0 && d !== depth)) this.bad("unexpected eh_depth");
    if (entries > max || HEADER + max * ENTRY > v.byteLength) this.bad("invalid eh_entries");
    if (d === 0) {
      const ex: Extent[] = [];
      for (let i = 0, o = HEADER; i < entries; i++, o += ENTRY) {
        const raw = v.getUint16(o + 4, true);
        const u = raw > EXT_INIT_MAX_LEN;
        ex.push(new Extent(v.getUint32(o, true), u ? raw - EXT_INIT_MAX_LEN : raw, v.getUint32(o + 8, true) + v.getUint16(o + 6, true) * 0x100000000, u));
      }
      if (ex.length > 0 || block === 0) this.leaves.push(new Leaf(block, ex));
      else this.spare.push(block);
      return;
    }
    if (block !== 0) (this.levels[d - 1] ??= []).push(block);
    const { i_sb } = this.inode;
    for (let i = 0, o = HEADER; i < entries; i++, o += ENTRY) {
      const child = v.getUint32(o + 4, true) + v.getUint16(o + 8, true) * 0x100000000;
      if (child < 1 || child >= i_sb.s_blocks_count) this.bad("invalid index");
      const bh = i_sb.cache.bread(child);
      if (i_sb.has_metadata_csum && !bh.b_verified && !bh.b_dirty) {
        const tail = HEADER + bh.view.getUint16(4, true) * ENTRY;
        if (tail + 4 > bh.b_data.length || bh.view.getUint32(tail, true) !== crc32c(this.inode.csum_seed, bh.b_data, 0, tail)) this.bad("extent tree corrupted");
        bh.b_verified = true;
      }
      this.loadNode(bh.view, child, d - 1);
    }
  }

  get maxBlocks(): number {
    return EXT_MAX_BLOCKS;
  }
  private get cap(): number {
    return Math.floor((this.inode.i_sb.s_blocksize - HEADER) / ENTRY);
  }
  /** the leaf that holds or would hold `lblk` */
  private leafFor(lblk: number): number {
    const { leaves } = this;
    if (leaves.length === 1) return 0;
    const a = this.at;
    if (a < leaves.length && leaves[a].ex[0].b <= lblk && (a + 1 === leaves.length || leaves[a + 1].ex[0].b > lblk)) return a;
    let lo = 0;
    let hi = leaves.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if (leaves[mid].ex[0].b <= lblk) lo = mid;
      else hi = mid - 1;
    }
    this.at = lo;
    return lo;
  }
  /** index of the last extent with b <= lblk, -1 if there is none */
  private indexIn(leaf: Leaf, lblk: number): number {
    const { ex } = leaf;
    let lo = -1;
    let hi = ex.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if (ex[mid].b <= lblk) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }

  lookup(lblk: number): void {
    const l = this.leafFor(lblk);
    const leaf = this.leaves[l];
    const i = this.indexIn(leaf, lblk);
    if (i >= 0) {
      const e = leaf.ex[i];
      if (lblk < e.b + e.n) {
        this.m_p = e.p + lblk - e.b;
        this.m_n = e.b + e.n - lblk;
        this.m_u = e.u;
        return;
      }
    }
    const next = leaf.ex[i + 1] ?? this.leaves[l + 1]?.ex[0];
    this.m_p = 0;
    this.m_u = false;
    this.m_n = next === undefined ? Infinity : next.b - lblk;
  }
  goal(lblk: number): number {
    const leaf = this.leaves[this.leafFor(lblk)];
    const i = this.indexIn(leaf, lblk);
    if (i >= 0) {
      const e = leaf.ex[i];
      return e.p + Math.min(lblk - e.b, e.n + 1024);
    }
    const next = leaf.ex[0];
    return next === undefined ? 0 : Math.max(1, next.p - Math.min(next.b - lblk, 1024));
  }

  private touch(leaf: Leaf): void {
    leaf.dirty = true;
    this.dirty = true;
    this.inode.mark_dirty();
  }
  private newNode(goal: number): number {
    const { i_sb } = this.inode;
    const { start } = ext4_new_blocks(i_sb, goal > 0 ? goal : this.inode.groupGoal(), 1);
    this.inode.i_blocks += i_sb.s_blocksize / 512;
    return start;
  }
  private freeNode(block: number): void {
    const { i_sb } = this.inode;
    i_sb.forget_block(block);
    ext4_free_blocks(i_sb, block, 1);
    this.inode.i_blocks -= i_sb.s_blocksize / 512;
  }
  /** index blocks that `n` leaves need, per level */
  private wantLevels(n: number): number[] {
    const want: number[] = [];
    for (let k = n; k > ROOT_MAX; want.push(k)) k = Math.ceil(k / this.cap);
    return want;
  }
  /** Takes or frees index blocks until they suit `n` leaves. Growing may throw ENOSPC (what was taken is then freed by the next call). */
  private fitLevels(n: number): void {
    const want = this.wantLevels(n);
    for (let k = 0; k < want.length; k++) {
      const level = (this.levels[k] ??= []);
      while (level.length < want[k]) level.push(this.newNode(this.leaves[this.leaves.length - 1].block));
    }
    for (let k = 0; k < this.levels.length; k++) while (this.levels[k].length > (want[k] ?? 0)) this.freeNode(this.levels[k].pop() as number);
    this.levels.length = want.length;
  }

  /** Makes room for `k` (1 or 2) more extents in the leaf for `lblk`; returns its index. Throws ENOSPC without a visible change. */
  private room(lblk: number, k: number): number {
    const l = this.leafFor(lblk);
    const leaf = this.leaves[l];
    if (leaf.ex.length + k <= (leaf.block === 0 ? ROOT_MAX : this.cap)) return l;
    if (leaf.block === 0) {
      leaf.block = this.newNode(leaf.ex[0].p);
      this.touch(leaf);
      return l;
    }
    const block = this.newNode(leaf.block);
    try {
      this.fitLevels(this.leaves.length + 1);
    } catch (e) {
      this.freeNode(block);
      this.fitLevels(this.leaves.length);
      throw e;
    }
    // Appending leaves the full leaf as it is; anything else splits it in the middle.
    const last = l === this.leaves.length - 1 && lblk >= leaf.ex[leaf.ex.length - 1].b;
    const cut = last ? leaf.ex.length - 2 : leaf.ex.length >>> 1;
    const upper = new Leaf(block, leaf.ex.splice(cut));
    this.leaves.splice(l + 1, 0, upper);
    this.touch(leaf);
    this.touch(upper);
    return lblk >= upper.ex[0].b ? l + 1 : l;
  }

  insert(lblk: number, n: number, p: number, unwritten: boolean): void {
    if (lblk + n > EXT_MAX_BLOCKS) throw EFBIG;
    const maxLen = unwritten ? EXT_UNWRITTEN_MAX_LEN : EXT_INIT_MAX_LEN;
    if (n > maxLen) {
      // pieces; the caller's run is at most a group, so this is rare
      this.insert(lblk, maxLen, p, unwritten);
      this.insert(lblk + maxLen, n - maxLen, p + maxLen, unwritten);
      return;
    }
    let leaf = this.leaves[this.leafFor(lblk)];
    let i = this.indexIn(leaf, lblk);
    const prev = leaf.ex[i];
    const next = leaf.ex[i + 1];
    const joinPrev = prev !== undefined && prev.u === unwritten && prev.b + prev.n === lblk && prev.p + prev.n === p && prev.n + n <= maxLen;
    const joinNext = next !== undefined && next.u === unwritten && lblk + n === next.b && p + n === next.p && next.n + n <= maxLen;
    if (joinPrev) {
      prev.n += n;
      if (joinNext && prev.n + next.n <= maxLen) {
        prev.n += next.n;
        leaf.ex.splice(i + 1, 1);
      }
    } else if (joinNext) {
      next.b = lblk;
      next.p = p;
      next.n += n;
    } else {
      leaf = this.leaves[this.room(lblk, 1)];
      i = this.indexIn(leaf, lblk);
      leaf.ex.splice(i + 1, 0, new Extent(lblk, n, p, unwritten));
    }
    this.touch(leaf);
  }

  remove(lblk: number, n: number, freed: Run[]): void {
    const end = lblk + n;
    // Only a range within one extent makes two of it.
    this.lookup(lblk);
    if (this.m_p !== 0 && this.m_n > n) {
      const p = this.m_p;
      const leaf = this.leaves[this.room(lblk, 1)];
      const i = this.indexIn(leaf, lblk);
      const e = leaf.ex[i];
      const tail = new Extent(end, e.b + e.n - end, p + n, e.u);
      if (e.b === lblk) leaf.ex.splice(i, 1, tail);
      else {
        e.n = lblk - e.b;
        leaf.ex.splice(i + 1, 0, tail);
      }
      freed.push({ start: p, len: n });
      this.touch(leaf);
      return;
    }
    let l = this.leafFor(lblk);
    const first = l;
    while (l < this.leaves.length) {
      const leaf = this.leaves[l];
      if (leaf.ex.length > 0 && leaf.ex[0].b >= end) break;
      let i = Math.max(0, this.indexIn(leaf, lblk));
      const cut = i;
      let whole = 0;
      let changed = false;
      for (; i < leaf.ex.length; i++) {
        const e = leaf.ex[i];
        if (e.b >= end) break;
        const from = Math.max(e.b, lblk);
        const to = Math.min(e.b + e.n, end);
        if (from >= to) continue;
        freed.push({ start: e.p + from - e.b, len: to - from });
        changed = true;
        if (from === e.b && to === e.b + e.n) {
          whole++;
          e.n = 0;
        } else if (from === e.b) {
          e.p += to - e.b;
          e.n -= to - e.b;
          e.b = to;
        } else e.n = from - e.b;
      }
      if (whole > 0) {
        let k = cut;
        for (let j = cut; j < leaf.ex.length; j++) if (leaf.ex[j].n > 0) leaf.ex[k++] = leaf.ex[j];
        leaf.ex.length = k;
      }
      if (changed) this.touch(leaf);
      l++;
    }
    this.tidy(first, l);
  }

  /** Drops empty leaves of [from, to), joins sparse neighbours, and moves what fits back into the inode. */
  private tidy(from: number, to: number): void {
    const { leaves, cap } = this;
    let k = from;
    for (let l = from; l < leaves.length; l++) {
      const leaf = leaves[l];
      const prev = k > 0 ? leaves[k - 1] : undefined;
      if (l < to && leaf.ex.length === 0) {
        if (leaf.block !== 0) this.freeNode(leaf.block);
      } else if (l <= to && prev !== undefined && prev.ex.length + leaf.ex.length <= cap >>> 1) {
        for (const e of leaf.ex) prev.ex.push(e);
        if (leaf.block !== 0) this.freeNode(leaf.block);
        this.touch(prev);
      } else leaves[k++] = leaf;
    }
    leaves.length = k;
    if (k === 0) leaves.push(new Leaf(0, []));
    if (leaves.length === 1 && leaves[0].block !== 0 && leaves[0].ex.length <= ROOT_MAX) {
      this.freeNode(leaves[0].block);
      leaves[0].block = 0;
    }
    this.dirty = true;
    this.inode.mark_dirty();
    this.fitLevels(leaves.length);
  }

  convert(lblk: number, n: number, unwritten: boolean): void {
    for (let b = lblk; b < lblk + n; ) {
      this.lookup(b);
      const len = Math.min(this.m_n, lblk + n - b);
      if (this.m_p !== 0 && this.m_u !== unwritten) this.convertPart(b, len, unwritten);
      b += len;
    }
  }
  /** [lblk, lblk+n) lies within one extent. */
  private convertPart(lblk: number, n: number, unwritten: boolean): void {
    const leaf = this.leaves[this.room(lblk, 2)];
    let i = this.indexIn(leaf, lblk);
    const e = leaf.ex[i];
    const p = e.p + lblk - e.b;
    const after = e.b + e.n - (lblk + n);
    if (after > 0) leaf.ex.splice(i + 1, 0, new Extent(lblk + n, after, p + n, e.u));
    const mid = new Extent(lblk, n, p, unwritten);
    if (lblk > e.b) {
      e.n = lblk - e.b;
      leaf.ex.splice(++i, 0, mid);
    } else leaf.ex[i] = mid;
    // join with what now matches on either side
    const maxLen = unwritten ? EXT_UNWRITTEN_MAX_LEN : EXT_INIT_MAX_LEN;
    for (const j of [i, i - 1]) {
      const a = leaf.ex[j];
      const b = leaf.ex[j + 1];
      if (a === undefined || b === undefined || a.u !== b.u || a.b + a.n !== b.b || a.p + a.n !== b.p || a.n + b.n > maxLen) continue;
      a.n += b.n;
      leaf.ex.splice(j + 1, 1);
    }
    this.touch(leaf);
  }

  /** An extent that goes over `lblk` becomes two. Throws ENOSPC. */
  private split(lblk: number): void {
    this.lookup(lblk);
    if (this.m_p === 0) return;
    const leaf = this.leaves[this.room(lblk, 1)];
    const i = this.indexIn(leaf, lblk);
    const e = leaf.ex[i];
    if (e.b === lblk) return;
    leaf.ex.splice(i + 1, 0, new Extent(lblk, e.b + e.n - lblk, e.p + lblk - e.b, e.u));
    e.n = lblk - e.b;
    this.touch(leaf);
  }
  shift(lblk: number, by: number): void {
    if (by > 0) this.split(lblk);
    for (const leaf of this.leaves)
      for (const e of leaf.ex)
        if (e.b >= lblk) {
          e.b += by;
          this.touch(leaf);
        }
  }
  forEach(from: number, each: (lblk: number, n: number, p: number, unwritten: boolean) => boolean): void {
    for (let l = this.leafFor(from); l < this.leaves.length; l++)
      for (const e of this.leaves[l].ex) if (e.b + e.n > from && !each(e.b, e.n, e.p, e.u)) return;
  }

  store(): void {
    if (!this.dirty) return;
    this.dirty = false;
    for (const block of this.spare.splice(0)) this.freeNode(block);
    this.fitLevels(this.leaves.length);
    const root = new DataView(this.inode.i_block.buffer, this.inode.i_block.byteOffset, this.inode.i_block.length);
    this.inode.i_block.fill(0);
    const [only] = this.leaves;
    if (only.block === 0) {
      only.dirty = false;
      putHeader(root, only.ex.length, ROOT_MAX, 0);
      putExtents(root, only.ex);
      return;
    }
    let blocks: number[] = [];
    let firsts: number[] = [];
    for (const leaf of this.leaves) {
      blocks.push(leaf.block);
      firsts.push(leaf.ex[0].b);
      if (!leaf.dirty) continue;
      leaf.dirty = false;
      const v = this.node(leaf.block);
      putHeader(v, leaf.ex.length, this.cap, 0);
      putExtents(v, leaf.ex);
    }
    let depth = 1;
    for (const level of this.levels) {
      const upFirsts: number[] = [];
      for (let k = 0; k < level.length; k++) {
        const lo = k * this.cap;
        const hi = Math.min(lo + this.cap, blocks.length);
        const v = this.node(level[k]);
        putHeader(v, hi - lo, this.cap, depth);
        putIndex(v, firsts.slice(lo, hi), blocks.slice(lo, hi));
        upFirsts.push(firsts[lo]);
      }
      blocks = level;
      firsts = upFirsts;
      depth++;
    }
    putHeader(root, blocks.length, ROOT_MAX, depth);
    putIndex(root, firsts, blocks);
  }
  private node(block: number): DataView {
    const { i_sb, csum_seed } = this.inode;
    const bh = i_sb.cache.getblk(block);
    bh.b_csum = CSUM_EXTENT;
    bh.b_seed = csum_seed;
    i_sb.journal_dirty_metadata(bh);
    return bh.view;
  }
}

function putHeader(v: DataView, entries: number, max: number, depth: number): void {
  v.setUint16(0, EXT4_EXT_MAGIC, true);
  v.setUint16(2, entries, true);
  v.setUint16(4, max, true);
  v.setUint16(6, depth, true);
}
function putExtents(v: DataView, ex: Extent[]): void {
  let o = HEADER;
  for (const e of ex) {
    v.setUint32(o, e.b, true);
    v.setUint16(o + 4, e.u ? e.n + EXT_INIT_MAX_LEN : e.n, true);
    v.setUint16(o + 6, Math.floor(e.p / 0x100000000), true);
    v.setUint32(o + 8, e.p % 0x100000000, true);
    o += ENTRY;
  }
}
function putIndex(v: DataView, firsts: number[], blocks: number[]): void {
  for (let i = 0, o = HEADER; i < blocks.length; i++, o += ENTRY) {
    v.setUint32(o, firsts[i], true);
    v.setUint32(o + 4, blocks[i] % 0x100000000, true);
    v.setUint16(o + 8, Math.floor(blocks[i] / 0x100000000), true);
    v.setUint16(o + 10, 0, true);
  }
}

/** Puts the checksum into a node of a tree before it is written: it stands behind the room for entries. */
export function finishExtentBlock(bh: BufferHead): void {
  const tail = HEADER + bh.view.getUint16(4, true) * ENTRY;
  if (tail + 4 <= bh.b_data.length) bh.view.setUint32(tail, crc32c(bh.b_seed, bh.b_data, 0, tail), true);
}
