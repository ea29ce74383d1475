// fs/ext4/indirect.ts — the block map of ext2 and ext3: twelve direct blocks, then up to three levels of indirect ones.  cf. fs/ext4/indirect.c
import { EFBIG, EOPNOTSUPP } from "../../include/uapi/errno.ts";
import { ext4_free_blocks, ext4_new_blocks, type Run } from "./balloc.ts";
import { BlockMap } from "./block_map.ts";
import type { Ext4Inode } from "./inode.ts";

const NDIR = 12;

export class IndirectMap extends BlockMap {
  private readonly inode: Ext4Inode;
  /** pointers in a block */
  private readonly per: number;
  private readonly root: DataView;

  constructor(inode: Ext4Inode) {
    super();
    this.inode = inode;
    this.per = inode.i_sb.s_blocksize / 4;
    this.root = new DataView(inode.i_block.buffer, inode.i_block.byteOffset, inode.i_block.length);
  }

  get maxBlocks(): number {
    return NDIR + this.per + this.per ** 2 + this.per ** 3;
  }
  /** Indices from the inode down to the pointer of `lblk`.  cf. ext4_block_to_path() */
  private path(lblk: number): number[] {
    const { per } = this;
    let b = lblk;
    if (b < NDIR) return [b];
    b -= NDIR;
    if (b < per) return [NDIR, b];
    b -= per;
    if (b < per * per) return [NDIR + 1, Math.floor(b / per), b % per];
    b -= per * per;
    if (b < per ** 3) return [NDIR + 2, Math.floor(b / (per * per)), Math.floor(b / per) % per, b % per];
    throw EFBIG;
  }
  private table(block: number): DataView {
    if (block >= this.inode.i_sb.s_blocks_count) this.inode.i_sb.corrupted("ext4_ind_check_inode", "invalid block", { ino: this.inode.i_ino, block });
    return this.inode.i_sb.cache.bread(block).view;
  }

  lookup(lblk: number): void {
    this.m_u = false;
    if (lblk >= this.maxBlocks) {
      this.m_p = 0;
      this.m_n = Infinity;
      return;
    }
    const path = this.path(lblk);
    let v = this.root;
    for (let d = 0; d < path.length - 1; d++) {
      const next = v.getUint32(path[d] * 4, true);
      if (next === 0) {
        // the whole subtree is a hole
        const span = this.per ** (path.length - 1 - d);
        let inside = 0;
        for (let k = d + 1; k < path.length; k++) inside = inside * this.per + path[k];
        this.m_p = 0;
        this.m_n = span - inside;
        return;
      }
      v = this.table(next);
    }
    const i = path[path.length - 1];
    const end = path.length === 1 ? NDIR : this.per;
    const p = v.getUint32(i * 4, true);
    let n = 1;
    while (i + n < end && v.getUint32((i + n) * 4, true) === (p === 0 ? 0 : p + n)) n++;
    this.m_p = p;
    this.m_n = n;
  }
  goal(lblk: number): number {
    for (let b = lblk - 1; b >= 0 && b >= lblk - 16; b--) {
      this.lookup(b);
      if (this.m_p !== 0) return this.m_p + lblk - b;
    }
    return 0;
  }

  /** The table that holds the pointer of `lblk`, made if need be; undefined: the inode itself. */
  private leafTable(lblk: number): { block: number; view: DataView } | undefined {
    const { i_sb } = this.inode;
    const path = this.path(lblk);
    let view = this.root;
    let block = 0;
    for (let d = 0; d < path.length - 1; d++) {
      let next = view.getUint32(path[d] * 4, true);
      if (next === 0) {
        next = ext4_new_blocks(i_sb, this.goal(lblk) || this.inode.groupGoal(), 1).start;
        this.inode.i_blocks += i_sb.s_blocksize / 512;
        i_sb.journal_dirty_metadata(i_sb.cache.getblk(next));
        view.setUint32(path[d] * 4, next, true);
        this.touch(block);
      }
      block = next;
      view = this.table(next);
    }
    return block === 0 ? undefined : { block, view };
  }
  private touch(block: number): void {
    const { i_sb } = this.inode;
    if (block === 0) this.inode.mark_dirty();
    else i_sb.journal_dirty_metadata(i_sb.cache.bread(block));
  }

  insert(lblk: number, n: number, p: number, unwritten: boolean): void {
    if (unwritten) throw EOPNOTSUPP;
    if (lblk + n > this.maxBlocks) throw EFBIG;
    // all tables first: that may fail
    for (let b = lblk; b < lblk + n; b++) this.leafTable(b);
    for (let i = 0; i < n; i++) {
      const path = this.path(lblk + i);
      const t = this.leafTable(lblk + i);
      (t?.view ?? this.root).setUint32(path[path.length - 1] * 4, p + i, true);
      this.touch(t?.block ?? 0);
    }
    this.inode.mark_dirty();
  }

  remove(lblk: number, n: number, freed: Run[]): void {
    const end = Math.min(lblk + n, this.maxBlocks);
    let base = NDIR;
    for (let i = Math.min(lblk, NDIR); i < Math.min(end, NDIR); i++) this.drop(this.root, i, freed);
    for (let level = 1; level <= 3; level++) {
      const span = this.per ** level;
      const from = Math.max(lblk - base, 0);
      const to = Math.min(end - base, span);
      const slot = (NDIR + level - 1) * 4;
      const block = this.root.getUint32(slot, true);
      if (block !== 0 && from < to && this.removeIn(block, level, from, to, freed)) this.root.setUint32(slot, 0, true);
      base += span;
    }
    this.inode.mark_dirty();
  }
  private drop(v: DataView, i: number, freed: Run[]): void {
    const p = v.getUint32(i * 4, true);
    if (p === 0) return;
    v.setUint32(i * 4, 0, true);
    const last = freed[freed.length - 1];
    if (last !== undefined && last.start + last.len === p) last.len++;
    else freed.push({ start: p, len: 1 });
  }
  /** Unmaps [from, to) under the table `block`, which spans per**level blocks. Frees the table and returns true if nothing is left in it. */
  private removeIn(block: number, level: number, from: number, to: number, freed: Run[]): boolean {
    const { i_sb } = this.inode;
    const v = this.table(block);
    const span = this.per ** (level - 1);
    for (let i = Math.floor(from / span); i * span < to; i++) {
      if (level === 1) {
        this.drop(v, i, freed);
        continue;
      }
      const child = v.getUint32(i * 4, true);
      if (child !== 0 && this.removeIn(child, level - 1, Math.max(from - i * span, 0), Math.min(to - i * span, span), freed)) v.setUint32(i * 4, 0, true);
    }
    for (let i = 0; i < this.per; i++)
      if (v.getUint32(i * 4, true) !== 0) {
        this.touch(block);
        return false;
      }
    i_sb.forget_block(block);
    ext4_free_blocks(i_sb, block, 1);
    this.inode.i_blocks -= i_sb.s_blocksize / 512;
    return true;
  }

  /** Blocks are always written here. */
  convert(): void {}
  /** The tables are kept in their buffers all the time. */
  store(): void {}
  shift(): void {
    throw EOPNOTSUPP;
  }
  forEach(from: number, each: (lblk: number, n: number, p: number, unwritten: boolean) => boolean): void {
    // not just to i_size: a truncate has set that already
    for (let b = from; b < this.maxBlocks; ) {
      this.lookup(b);
      const n = this.m_n;
      if (this.m_p !== 0 && !each(b, n, this.m_p, false)) return;
      b += n;
    }
  }
}
