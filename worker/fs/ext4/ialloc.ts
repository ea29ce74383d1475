// fs/ext4/ialloc.ts — allocating and freeing inodes.  cf. fs/ext4/ialloc.c
import { EIO, ENOSPC } from "../../include/uapi/errno.ts";
import { S_ISDIR, S_ISGID, S_ISLNK, S_ISREG } from "../../include/uapi/stat.ts";
import { bitmap_clear, bitmap_set, find_next_zero_bit, test_bit } from "../../lib/bitmap.ts";
import { crc32c } from "../../lib/crc32c.ts";
import type { BufferHead } from "../buffer.ts";
import type { Owner } from "../fs.ts";
import { ext4_read_block_bitmap, type GroupDesc } from "./balloc.ts";
import {
  BG_BLOCK_UNINIT,
  BG_INODE_UNINIT,
  BG_INODE_ZEROED,
  EXT4_EXTENTS_FL,
  EXT4_FL_INHERITED,
  EXT4_OTHER_FLMASK,
  EXT4_REG_FLMASK,
  EXT4_ROOT_INO,
  EXT4_TOPDIR_FL,
  INCOMPAT_EXTENTS,
} from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";
import type { Ext4SuperBlock } from "./super.ts";

/** cf. ext4_read_inode_bitmap() */
function ext4_read_inode_bitmap(sb: Ext4SuperBlock, g: GroupDesc): BufferHead {
  if (g.ibm !== undefined) return g.ibm;
  let bh: BufferHead;
  if (g.flags & BG_INODE_UNINIT) {
    bh = sb.cache.getblk(g.inode_bitmap);
    bitmap_set(bh.b_data, sb.s_inodes_per_group, sb.s_blocksize * 8 - sb.s_inodes_per_group);
  } else {
    bh = sb.cache.bread(g.inode_bitmap);
    if (sb.has_metadata_csum) {
      const c = crc32c(sb.csum_seed, bh.b_data, 0, sb.s_inodes_per_group >>> 3);
      if ((sb.s_desc_size >= 64 ? c : c & 0xffff) !== g.inode_bitmap_csum) sb.corrupted("ext4_validate_inode_bitmap", `Corrupt inode bitmap - block_group = ${g.group}, inode_bitmap = ${g.inode_bitmap}`);
    }
  }
  bh.b_pinned = true;
  g.ibm = bh;
  return bh;
}

/** Where a new directory goes: those at the top are spread, others stay near their parent while that group is not too full.  cf. find_group_orlov() */
function find_group_orlov(sb: Ext4SuperBlock, parent: Ext4Inode): GroupDesc | undefined {
  const groups = sb.groups;
  const avgInodes = sb.free_inodes / groups.length;
  const avgBlocks = sb.free_blocks / groups.length;
  const parentGroup = Math.floor((parent.i_ino - 1) / sb.s_inodes_per_group);
  if (parent.i_ino === EXT4_ROOT_INO || parent.e_flags & EXT4_TOPDIR_FL) {
    let best: GroupDesc | undefined;
    for (const g of groups) {
      if (g.free_inodes === 0 || g.free_inodes < avgInodes || g.free_blocks < avgBlocks) continue;
      if (best === undefined || g.used_dirs < best.used_dirs) best = g;
    }
    if (best !== undefined) return best;
  }
  for (let i = 0; i < groups.length; i++) {
    const g = groups[(parentGroup + i) % groups.length];
    if (g.free_inodes > 0 && g.free_inodes >= avgInodes / 4 && g.free_blocks >= avgBlocks / 4) return g;
  }
  return find_group_other(sb, parentGroup);
}

/** The parent's group, or the next that has both inodes and blocks; at last any with an inode.  cf. find_group_other() */
function find_group_other(sb: Ext4SuperBlock, parentGroup: number): GroupDesc | undefined {
  const n = sb.groups.length;
  for (const blocks of [1, 0])
    for (let i = 0; i < n; i++) {
      const g = sb.groups[(parentGroup + i) % n];
      if (g.free_inodes > 0 && g.free_blocks >= blocks) return g;
    }
  return undefined;
}

/** A new inode for a name in `dir`: allocated, initialized, dirty, nlink 1 (2 for a directory). Throws ENOSPC.  cf. ext4_new_inode() */
export function ext4_new_inode(dir: Ext4Inode, mode: number, owner: Owner): Ext4Inode {
  const sb = dir.i_sb;
  const isDir = S_ISDIR(mode);
  const g = isDir ? find_group_orlov(sb, dir) : find_group_other(sb, Math.floor((dir.i_ino - 1) / sb.s_inodes_per_group));
  if (g === undefined) throw ENOSPC;
  const bh = ext4_read_inode_bitmap(sb, g);
  const bit = find_next_zero_bit(bh.b_data, sb.s_inodes_per_group, 0);
  const ino = g.group * sb.s_inodes_per_group + bit + 1;
  if (bit >= sb.s_inodes_per_group || ino < sb.s_first_ino) {
    sb.error("ext4_new_inode", `reserved inode found cleared - inode=${ino}`);
    throw EIO;
  }
  bitmap_set(bh.b_data, bit, 1);
  sb.journal_dirty_metadata(bh);
  g.ibm_dirty = true;
  if (g.flags & BG_BLOCK_UNINIT) {
    // e2fsck takes a group with inodes for one whose block bitmap counts
    sb.journal_dirty_metadata(ext4_read_block_bitmap(sb, g));
    g.bbm_dirty = true;
    g.flags &= ~BG_BLOCK_UNINIT;
  }
  if (sb.has_group_csum) {
    const used = g.flags & BG_INODE_UNINIT ? 0 : sb.s_inodes_per_group - g.itable_unused;
    g.flags &= ~BG_INODE_UNINIT;
    if (bit >= used) {
      if ((g.flags & BG_INODE_ZEROED) === 0) for (let i = used; i < bit; i++) sb.zeroRawInode(g.group * sb.s_inodes_per_group + i + 1);
      g.itable_unused = sb.s_inodes_per_group - bit - 1;
    }
  }
  g.free_inodes--;
  sb.free_inodes--;
  if (isDir) g.used_dirs++;
  sb.dirty_groups.add(g);

  const inode = sb.makeInode(ino);
  inode.i_mode = mode;
  inode.i_uid = owner.uid;
  inode.i_gid = owner.gid;
  if (sb.options.grpid) inode.i_gid = dir.i_gid;
  else if (dir.i_mode & S_ISGID) {
    inode.i_gid = dir.i_gid;
    if (isDir) inode.i_mode |= S_ISGID;
  }
  inode.i_nlink = isDir ? 2 : 1;
  const now = sb.current_time();
  inode.i_atime = now;
  inode.i_mtime = now;
  inode.i_ctime = now;
  inode.i_btime = now;
  inode.i_generation = sb.nextGeneration();
  let flags = dir.e_flags & EXT4_FL_INHERITED;
  if (!isDir) flags &= S_ISREG(mode) ? EXT4_REG_FLMASK : EXT4_OTHER_FLMASK;
  if (sb.incompat & INCOMPAT_EXTENTS && (isDir || S_ISREG(mode) || S_ISLNK(mode))) flags |= EXT4_EXTENTS_FL;
  inode.e_flags = flags;
  inode.ext4_set_inode_flags();
  inode.initNew();
  sb.icache.set(ino, inode);
  inode.mark_dirty();
  try {
    if (owner.acl !== undefined) inode.set_acl("access", (inode.i_acl = owner.acl), inode.i_mode);
    if (owner.default_acl !== undefined) inode.set_acl("default", (inode.i_default_acl = owner.default_acl), inode.i_mode);
  } catch (e) {
    inode.i_nlink = 0;
    inode.evict();
    throw e;
  }
  return inode;
}

/** Gives the inode back; its blocks are gone already.  cf. ext4_free_inode() */
export function ext4_free_inode(inode: Ext4Inode): void {
  const sb = inode.i_sb;
  const g = sb.groups[Math.floor((inode.i_ino - 1) / sb.s_inodes_per_group)];
  const bit = (inode.i_ino - 1) % sb.s_inodes_per_group;
  const bh = ext4_read_inode_bitmap(sb, g);
  sb.icache.delete(inode.i_ino);
  if (!test_bit(bh.b_data, bit)) {
    sb.error("ext4_free_inode", `bit already cleared for inode ${inode.i_ino}`);
    return;
  }
  bitmap_clear(bh.b_data, bit, 1);
  sb.journal_dirty_metadata(bh);
  g.ibm_dirty = true;
  g.free_inodes++;
  sb.free_inodes++;
  if (S_ISDIR(inode.i_mode)) g.used_dirs--;
  sb.dirty_groups.add(g);
}

/** Whether the bitmap says that `ino` is in use. */
export function inodeInUse(sb: Ext4SuperBlock, ino: number): boolean {
  const g = sb.groups[Math.floor((ino - 1) / sb.s_inodes_per_group)];
  return test_bit(ext4_read_inode_bitmap(sb, g).b_data, (ino - 1) % sb.s_inodes_per_group);
}
