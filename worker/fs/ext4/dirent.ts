// fs/ext4/dirent.ts — the blocks of a directory: reading, searching, adding and removing entries in one.  cf. fs/ext4/dir.c, namei.c
//
// An entry: inode u32, rec_len u16, name_len u8, file_type u8, name, padded to 4. Entries fill the block; with metadata_csum the last 12 bytes
// are an entry without inode that holds the checksum.
import { EBADMSG, EIO } from "../../include/uapi/errno.ts";
import { S_IFMT } from "../../include/uapi/stat.ts";
import { crc32c } from "../../lib/crc32c.ts";
import type { BufferHead } from "../buffer.ts";
import { CSUM_DIR_LEAF, CSUM_DX, EXT4_FT_DIR_CSUM, INCOMPAT_FILETYPE } from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";

export const DIR_TAIL = 12;
/** EXT4_FT_x of the four high bits of a mode, and DT_x of an EXT4_FT_x */
const TYPE_BY_SHIFT = [0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0, 6, 0, 0, 0];
export const DT_BY_TYPE = [0, 8, 4, 2, 6, 1, 12, 10];

export const ext4_type_by_mode = (mode: number): number => TYPE_BY_SHIFT[(mode & S_IFMT) >>> 12];
/** bytes an entry with a name of `n` bytes takes */
export const ext4_dir_rec_len = (n: number): number => (n + 8 + 3) & ~3;
/** bytes of a block that entries may fill */
export const dirSpace = (dir: Ext4Inode): number => dir.i_sb.s_blocksize - (dir.i_sb.has_metadata_csum ? DIR_TAIL : 0);
export const dirBlocks = (dir: Ext4Inode): number => Math.ceil(dir.i_size / dir.i_sb.s_blocksize);

/** Block `lblk` of a directory, checked when it comes from the device. Throws EUCLEAN, EBADMSG.  cf. ext4_read_dirblock() */
export function ext4_read_dirblock(dir: Ext4Inode, lblk: number, index: boolean): BufferHead {
  const sb = dir.i_sb;
  const p = dir.bmap(lblk);
  if (p === 0) return sb.corrupted("__ext4_read_dirblock", `Directory hole found for ${index ? "htree index" : "htree leaf"} block`, { ino: dir.i_ino, block: lblk });
  const bh = sb.cache.bread(p);
  if (bh.b_verified || bh.b_dirty) return bh;
  const bs = sb.s_blocksize;
  if (sb.has_metadata_csum) {
    const ok = index
      ? bh.view.getUint32(dxTail(bh) + 4, true) === dxCsum(bh, dir.csum_seed)
      : bh.view.getUint32(bs - DIR_TAIL, true) === 0 && bh.b_data[bs - 5] === EXT4_FT_DIR_CSUM && bh.view.getUint32(bs - 4, true) === crc32c(dir.csum_seed, bh.b_data, 0, bs - DIR_TAIL);
    if (!ok) sb.corrupted("__ext4_read_dirblock", `Directory ${index ? "index" : "block"} failed checksum`, { ino: dir.i_ino, block: lblk }, EBADMSG);
  }
  for (let o = 0; o < bs; ) {
    const len = recLen(bh.view, o, bs);
    const nameLen = bh.b_data[o + 6];
    let what = "";
    if (len < 12) what = "rec_len is smaller than minimal";
    else if (len & 3) what = "rec_len % 4 != 0";
    else if (len < ext4_dir_rec_len(nameLen)) what = "rec_len is too small for name_len";
    else if (o + len > bs) what = "directory entry overrun";
    else if (bh.view.getUint32(o, true) > sb.s_inodes_count) what = "inode out of bounds";
    if (what !== "") sb.corrupted("__ext4_check_dir_entry", `bad entry in directory: ${what} - offset=${o}, inode=${bh.view.getUint32(o, true)}, rec_len=${len}, size=${bs} fake=0`, { ino: dir.i_ino, block: p });
    o += len;
  }
  bh.b_verified = true;
  return bh;
}

/** rec_len; 0 or 65535 stand for a whole block of 64 KiB, which we do not mount. */
function recLen(v: DataView, o: number, bs: number): number {
  return o + 8 > bs ? 0 : v.getUint16(o + 4, true);
}

/** Where the count and limit of an index block are.  cf. get_dx_countlimit() */
export function dxCountOffset(bh: BufferHead): number {
  return bh.view.getUint16(4, true) === bh.b_data.length ? 8 : 32;
}
function dxTail(bh: BufferHead): number {
  const at = dxCountOffset(bh);
  return Math.min(at + bh.view.getUint16(at, true) * 8, bh.b_data.length - 8);
}
function dxCsum(bh: BufferHead, seed: number): number {
  const at = dxCountOffset(bh);
  const tail = dxTail(bh);
  const end = Math.min(at + bh.view.getUint16(at + 2, true) * 8, bh.b_data.length);
  return crc32c(crc32c(crc32c(seed, bh.b_data, 0, end), bh.b_data, tail, tail + 4), ZERO4);
}
const ZERO4 = new Uint8Array(4);

/** Puts the checksum into a directory block before it is written. */
export function finishDirBlock(bh: BufferHead): void {
  const bs = bh.b_data.length;
  if (bh.b_csum === CSUM_DX) bh.view.setUint32(dxTail(bh) + 4, dxCsum(bh, bh.b_seed), true);
  else bh.view.setUint32(bs - 4, crc32c(bh.b_seed, bh.b_data, 0, bs - DIR_TAIL), true);
}
/** The block changed. */
export function dirtyDirBlock(dir: Ext4Inode, bh: BufferHead, index = false): void {
  bh.b_csum = index ? CSUM_DX : CSUM_DIR_LEAF;
  bh.b_seed = dir.csum_seed;
  bh.b_verified = true;
  dir.i_sb.journal_dirty_metadata(bh);
}

/** An empty leaf: one entry without inode, and the tail. */
export function initDirBlock(dir: Ext4Inode, bh: BufferHead): void {
  const bs = dir.i_sb.s_blocksize;
  const space = dirSpace(dir);
  bh.b_data.fill(0);
  bh.view.setUint16(4, space, true);
  if (space !== bs) {
    bh.view.setUint16(space + 4, DIR_TAIL, true);
    bh.b_data[space + 7] = EXT4_FT_DIR_CSUM;
  }
  dirtyDirBlock(dir, bh);
}

/** Offset of the entry `name` in a block, -1 if it is not there.  cf. ext4_search_dir() */
export function ext4_search_dir(bh: BufferHead, space: number, name: string): number {
  const b = bh.b_data;
  const n = name.length;
  const c0 = name.charCodeAt(0);
  for (let o = 0; o + 8 <= space; ) {
    if (b[o + 6] === n && b[o + 8] === c0 && (b[o] | b[o + 1] | b[o + 2] | b[o + 3]) !== 0) {
      let i = 1;
      while (i < n && b[o + 8 + i] === name.charCodeAt(i)) i++;
      if (i === n) return o;
    }
    const len = b[o + 4] | (b[o + 5] << 8);
    if (len < 8) throw EIO;
    o += len;
  }
  return -1;
}

/** Adds an entry to a block; false if it does not fit.  cf. ext4_find_dest_de(), ext4_insert_dentry() */
export function insertDentry(dir: Ext4Inode, bh: BufferHead, name: string, ino: number, type: number): boolean {
  const space = dirSpace(dir);
  const v = bh.view;
  const need = ext4_dir_rec_len(name.length);
  for (let o = 0; o < space; ) {
    const len = v.getUint16(o + 4, true);
    const used = v.getUint32(o, true) === 0 ? 0 : ext4_dir_rec_len(bh.b_data[o + 6]);
    if (len - used >= need) {
      if (used !== 0) {
        v.setUint16(o + 4, used, true);
        v.setUint16(o + used + 4, len - used, true);
      }
      putDentry(dir, bh, o + used, name, ino, type);
      dirtyDirBlock(dir, bh);
      return true;
    }
    o += len;
  }
  return false;
}
/** Fills in an entry whose rec_len is set already. */
export function putDentry(dir: Ext4Inode, bh: BufferHead, o: number, name: string, ino: number, type: number): void {
  bh.view.setUint32(o, ino, true);
  bh.b_data[o + 6] = name.length;
  bh.b_data[o + 7] = dir.i_sb.incompat & INCOMPAT_FILETYPE ? type : 0;
  for (let i = 0; i < name.length; i++) bh.b_data[o + 8 + i] = name.charCodeAt(i);
}

/** Removes the entry at `at`: the one before it takes its place, or it loses its inode.  cf. ext4_generic_delete_entry() */
export function deleteDentry(dir: Ext4Inode, bh: BufferHead, at: number): void {
  const v = bh.view;
  const len = v.getUint16(at + 4, true);
  let prev = -1;
  for (let o = 0; o < at; o += v.getUint16(o + 4, true)) prev = o;
  if (prev >= 0) {
    v.setUint16(prev + 4, v.getUint16(prev + 4, true) + len, true);
    bh.b_data.fill(0, at, at + ext4_dir_rec_len(bh.b_data[at + 6]));
  } else {
    v.setUint32(at, 0, true);
    bh.b_data.fill(0, at + 6, at + ext4_dir_rec_len(bh.b_data[at + 6]));
  }
  dirtyDirBlock(dir, bh);
}

export function dentryName(b: Uint8Array, o: number): string {
  let s = "";
  for (let i = 0, n = b[o + 6]; i < n; i++) s += String.fromCharCode(b[o + 8 + i]);
  return s;
}

/** A new block at the end of a directory. Throws ENOSPC, EFBIG.  cf. ext4_append() */
export function ext4_append(dir: Ext4Inode): { bh: BufferHead; lblk: number } {
  const lblk = dirBlocks(dir);
  dir.ext4_map_blocks(lblk, 1, false);
  const bh = dir.i_sb.cache.getblk(dir.bmap(lblk));
  dir.i_size += dir.i_sb.s_blocksize;
  dir.mark_dirty();
  return { bh, lblk };
}
