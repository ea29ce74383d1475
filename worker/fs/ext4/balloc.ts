// fs/ext4/balloc.ts — group descriptors, block bitmaps, allocating and freeing blocks.  cf. fs/ext4/balloc.c, mballoc.c
//
// A block that was freed stays out of use (`pinned`) until the transaction that freed it is committed: data written into it earlier
// would destroy what a crash must still find there.
import { ENOSPC } from "../../include/uapi/errno.ts";
import { bitmap_clear, bitmap_set, find_next_bit, find_next_zero_bit, test_bit } from "../../lib/bitmap.ts";
import { crc16, crc32c, crc32c_le32 } from "../../lib/crc32c.ts";
import type { BufferHead } from "../buffer.ts";
import { BG_BLOCK_UNINIT, INCOMPAT_META_BG, isSparseGroup, RO_COMPAT_GDT_CSUM, S_FIRST_META_BG } from "./ext4.ts";
import type { Ext4SuperBlock } from "./super.ts";

/** A block group.  cf. struct ext4_group_desc */
export class GroupDesc {
  readonly group: number;
  block_bitmap = 0;
  inode_bitmap = 0;
  inode_table = 0;
  free_blocks = 0;
  free_inodes = 0;
  used_dirs = 0;
  itable_unused = 0;
  flags = 0;
  block_bitmap_csum = 0;
  inode_bitmap_csum = 0;
  /** the bitmaps, once needed; they stay */
  bbm: BufferHead | undefined;
  ibm: BufferHead | undefined;
  /** the bitmap's checksum must be made anew */
  bbm_dirty = false;
  ibm_dirty = false;
  /** bits of blocks that the running transaction freed */
  pinned: Uint8Array | undefined;
  /** no free block below this bit */
  first_free = 0;
  constructor(group: number) {
    this.group = group;
  }
}

/** Where the descriptor of `group` is: block, and offset in it.  cf. descriptor_loc() */
export function descriptorLocation(sb: Ext4SuperBlock, group: number): { block: number; off: number } {
  const perBlock = Math.floor(sb.s_blocksize / sb.s_desc_size);
  const nr = Math.floor(group / perBlock);
  const off = (group % perBlock) * sb.s_desc_size;
  if ((sb.incompat & INCOMPAT_META_BG) === 0 || nr < sb.es.getUint32(S_FIRST_META_BG, true)) return { block: sb.s_sb_block + 1 + nr, off };
  const first = nr * perBlock;
  return { block: ext4_group_first_block_no(sb, first) + (ext4_bg_has_super(sb, first) ? 1 : 0), off };
}

export function ext4_group_first_block_no(sb: Ext4SuperBlock, group: number): number {
  return sb.s_first_data_block + group * sb.s_blocks_per_group;
}
/** blocks in `group`: the last one may be short */
export function blocksInGroup(sb: Ext4SuperBlock, group: number): number {
  return Math.min(sb.s_blocks_per_group, sb.s_blocks_count - ext4_group_first_block_no(sb, group));
}
export function ext4_bg_has_super(sb: Ext4SuperBlock, group: number): boolean {
  return sb.bg_has_super(group, isSparseGroup);
}

export function loadGroup(sb: Ext4SuperBlock, group: number): GroupDesc {
  const { block, off } = descriptorLocation(sb, group);
  const bh = sb.cache.bread(block);
  bh.b_pinned = true;
  const v = bh.view;
  const g = new GroupDesc(group);
  const wide = sb.s_desc_size >= 64;
  const hi = (at: number, factor: number): number => (wide ? (factor === 0x10000 ? v.getUint16(off + at, true) : v.getUint32(off + at, true)) * factor : 0);
  g.block_bitmap = v.getUint32(off, true) + hi(0x20, 0x100000000);
  g.inode_bitmap = v.getUint32(off + 4, true) + hi(0x24, 0x100000000);
  g.inode_table = v.getUint32(off + 8, true) + hi(0x28, 0x100000000);
  g.free_blocks = v.getUint16(off + 12, true) + hi(0x2c, 0x10000);
  g.free_inodes = v.getUint16(off + 14, true) + hi(0x2e, 0x10000);
  g.used_dirs = v.getUint16(off + 16, true) + hi(0x30, 0x10000);
  g.flags = sb.has_group_csum ? v.getUint16(off + 18, true) : 0;
  g.block_bitmap_csum = v.getUint16(off + 0x18, true) + hi(0x38, 0x10000);
  g.inode_bitmap_csum = v.getUint16(off + 0x1a, true) + hi(0x3a, 0x10000);
  g.itable_unused = v.getUint16(off + 0x1c, true) + hi(0x32, 0x10000);
  return g;
}

/** Whether the descriptor's checksum is right. */
export function ext4_group_desc_csum_verify(sb: Ext4SuperBlock, group: number): boolean {
  if (!sb.has_group_csum) return true;
  const { block, off } = descriptorLocation(sb, group);
  const bh = sb.cache.bread(block);
  return bh.view.getUint16(off + 0x1e, true) === groupDescCsum(sb, group, bh.b_data, off);
}

const ZERO2 = new Uint8Array(2);

function groupDescCsum(sb: Ext4SuperBlock, group: number, b: Uint8Array, off: number): number {
  const end = off + sb.s_desc_size;
  if (sb.has_metadata_csum) {
    const c = crc32c(crc32c_le32(sb.csum_seed, group), b, off, off + 0x1e);
    return crc32c(crc32c(c, ZERO2), b, off + 0x20, end) & 0xffff;
  }
  if ((sb.ro_compat & RO_COMPAT_GDT_CSUM) === 0) return 0;
  const le = new Uint8Array([group, group >>> 8, group >>> 16, group >>> 24]);
  const c = crc16(crc16(crc16(0xffff, sb.uuid), le), b, off, off + 0x1e);
  return sb.s_desc_size > 32 ? crc16(c, b, off + 0x20, end) : c;
}

/** Writes the descriptor and its bitmaps' checksums into their buffers: part of a commit. */
export function storeGroup(sb: Ext4SuperBlock, g: GroupDesc): void {
  if (sb.has_metadata_csum) {
    if (g.bbm_dirty && g.bbm !== undefined) g.block_bitmap_csum = crc32c(sb.csum_seed, g.bbm.b_data, 0, sb.s_blocks_per_group >>> 3);
    if (g.ibm_dirty && g.ibm !== undefined) g.inode_bitmap_csum = crc32c(sb.csum_seed, g.ibm.b_data, 0, sb.s_inodes_per_group >>> 3);
  }
  g.bbm_dirty = false;
  g.ibm_dirty = false;
  const { block, off } = descriptorLocation(sb, g.group);
  const bh = sb.cache.bread(block);
  const v = bh.view;
  const put = (lo: number, hi: number, x: number): void => {
    v.setUint16(off + lo, x & 0xffff, true);
    if (sb.s_desc_size >= 64) v.setUint16(off + hi, x >>> 16, true);
  };
  put(12, 0x2c, g.free_blocks);
  put(14, 0x2e, g.free_inodes);
  put(16, 0x30, g.used_dirs);
  if (sb.has_group_csum) {
    v.setUint16(off + 18, g.flags, true);
    put(0x1c, 0x32, g.itable_unused);
  }
  if (sb.has_metadata_csum) {
    put(0x18, 0x38, g.block_bitmap_csum);
    put(0x1a, 0x3a, g.inode_bitmap_csum);
  }
  if (sb.has_group_csum) v.setUint16(off + 0x1e, groupDescCsum(sb, g.group, bh.b_data, off), true);
  sb.journal_dirty_metadata(bh);
}

/** The block bitmap of a group, made up if the group was never used.  cf. ext4_read_block_bitmap() */
export function ext4_read_block_bitmap(sb: Ext4SuperBlock, g: GroupDesc): BufferHead {
  if (g.bbm !== undefined) return g.bbm;
  let bh: BufferHead;
  if (g.flags & BG_BLOCK_UNINIT) {
    bh = sb.cache.getblk(g.block_bitmap);
    initBlockBitmap(sb, g, bh.b_data);
  } else {
    bh = sb.cache.bread(g.block_bitmap);
    if (sb.has_metadata_csum) {
      const c = crc32c(sb.csum_seed, bh.b_data, 0, sb.s_blocks_per_group >>> 3);
      if ((sb.s_desc_size >= 64 ? c : c & 0xffff) !== g.block_bitmap_csum) sb.corrupted("ext4_validate_block_bitmap", `bg ${g.group}: bad block bitmap checksum`);
    }
  }
  bh.b_pinned = true;
  g.bbm = bh;
  return bh;
}

/** What is in use in a group that holds nothing but metadata.  cf. ext4_init_block_bitmap() */
function initBlockBitmap(sb: Ext4SuperBlock, g: GroupDesc, map: Uint8Array): void {
  const first = ext4_group_first_block_no(sb, g.group);
  const n = blocksInGroup(sb, g.group);
  bitmap_set(map, 0, sb.baseMetaBlocks(g.group));
  const mark = (block: number, len: number): void => {
    for (let b = block; b < block + len; b++) if (b >= first && b < first + n) bitmap_set(map, b - first, 1);
  };
  // With flex_bg the bitmaps and tables of other groups may lie in this one.
  for (const other of sb.groups) {
    mark(other.block_bitmap, 1);
    mark(other.inode_bitmap, 1);
    if (other.inode_table < first + n && other.inode_table + sb.s_itb_per_group > first) mark(other.inode_table, sb.s_itb_per_group);
  }
  bitmap_set(map, n, sb.s_blocksize * 8 - n);
}

/** Free blocks that `sb`'s current user may take. */
function spendable(sb: Ext4SuperBlock): number {
  return sb.free_blocks - (sb.privileged ? 0 : sb.r_blocks);
}

export interface Run {
  start: number;
  len: number;
}

/** a search for a run of blocks asks for no more than this */
const MAX_WANT = 2048;

/**
 * Takes up to `count` contiguous free blocks, at `goal` if that is free, else nearby. Throws ENOSPC.
 * cf. ext4_mb_new_blocks(): first the goal itself, then a long enough run in each group from the goal's on, then whatever there is.
 */
export function ext4_new_blocks(sb: Ext4SuperBlock, goal: number, count: number): Run {
  const may = Math.min(count, spendable(sb));
  if (may <= 0) throw ENOSPC;
  let at = goal >= sb.s_first_data_block && goal < sb.s_blocks_count ? goal : sb.s_first_data_block;
  const goalGroup = Math.floor((at - sb.s_first_data_block) / sb.s_blocks_per_group);
  at -= ext4_group_first_block_no(sb, goalGroup);
  const g0 = sb.groups[goalGroup];
  if (g0.free_blocks > 0) {
    const map = ext4_read_block_bitmap(sb, g0).b_data;
    const n = blocksInGroup(sb, goalGroup);
    if (at < n && !test_bit(map, at) && (g0.pinned === undefined || !test_bit(g0.pinned, at)))
      return take(sb, g0, at, find_next_bit(map, Math.min(n, at + may), at, g0.pinned) - at);
  }
  for (const want of may > 8 ? [Math.min(may, MAX_WANT), Math.min(may >>> 2, 64), 1] : [may, 1]) {
    for (let i = 0; i <= sb.groups.length; i++) {
      // the goal's group is looked at twice: from the goal on, then (last) from its start
      const g = sb.groups[(goalGroup + i) % sb.groups.length];
      if (g.free_blocks < want) continue;
      const map = ext4_read_block_bitmap(sb, g).b_data;
      const n = blocksInGroup(sb, g.group);
      let from = i === 0 ? Math.max(at, g.first_free) : g.first_free;
      let known = i !== 0;
      while (from < n) {
        const start = find_next_zero_bit(map, n, from, g.pinned);
        if (known && g.pinned === undefined) {
          g.first_free = start;
          known = false;
        }
        if (start >= n) break;
        const end = find_next_bit(map, Math.min(n, start + may), start, g.pinned);
        if (end - start >= want) return take(sb, g, start, end - start);
        from = end + 1;
      }
    }
  }
  throw ENOSPC;
}

function take(sb: Ext4SuperBlock, g: GroupDesc, bit: number, len: number): Run {
  const bh = ext4_read_block_bitmap(sb, g);
  bitmap_set(bh.b_data, bit, len);
  sb.journal_dirty_metadata(bh);
  g.bbm_dirty = true;
  g.flags &= ~BG_BLOCK_UNINIT;
  g.free_blocks -= len;
  sb.free_blocks -= len;
  if (bit === g.first_free) g.first_free = bit + len;
  sb.dirty_groups.add(g);
  return { start: ext4_group_first_block_no(sb, g.group) + bit, len };
}

/** Gives [block, block+count) back. Metadata blocks must have been forgotten before (sb.forget_block). */
export function ext4_free_blocks(sb: Ext4SuperBlock, block: number, count: number): void {
  if (block < sb.s_first_data_block || block + count > sb.s_blocks_count) {
    sb.error("ext4_free_blocks", `Freeing blocks not in datazone - block = ${block}, count = ${count}`);
    return;
  }
  let start = block;
  let left = count;
  while (left > 0) {
    const group = Math.floor((start - sb.s_first_data_block) / sb.s_blocks_per_group);
    const g = sb.groups[group];
    const bit = start - ext4_group_first_block_no(sb, group);
    const len = Math.min(left, sb.s_blocks_per_group - bit);
    const bh = ext4_read_block_bitmap(sb, g);
    if (find_next_zero_bit(bh.b_data, bit + len, bit) !== bit + len) {
      sb.error("mb_free_blocks", `group ${group}, block ${start}:freeing already freed block (bit ${bit}); block bitmap corrupt.`);
      return;
    }
    bitmap_clear(bh.b_data, bit, len);
    if (sb.journal !== undefined) {
      g.pinned ??= new Uint8Array(sb.s_blocksize);
      bitmap_set(g.pinned, bit, len);
      sb.pinned_blocks += len;
      sb.pinned_groups.add(g);
    }
    sb.journal_dirty_metadata(bh);
    g.bbm_dirty = true;
    g.free_blocks += len;
    sb.free_blocks += len;
    if (bit < g.first_free) g.first_free = bit;
    sb.dirty_groups.add(g);
    start += len;
    left -= len;
  }
}
