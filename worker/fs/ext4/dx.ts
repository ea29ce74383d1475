// fs/ext4/dx.ts — indexed directories (htree): finding the leaf of a hash, splitting leaves and index blocks.  cf. fs/ext4/namei.c
//
//   block 0: "." ".." dx_root_info entries[]      an entry: hash u32, block u32; entry 0 has limit u16, count u16 in place of the hash
//   index blocks: one fake entry, entries[]       a hash with bit 0 set: the hash goes on from the block before
//   leaves: ordinary directory blocks
import { EIO, ENOSPC } from "../../include/uapi/errno.ts";
import type { BufferHead } from "../buffer.ts";
import {
  dirSpace,
  dirtyDirBlock,
  dentryName,
  ext4_append,
  ext4_dir_rec_len,
  ext4_read_dirblock,
  ext4_search_dir,
  initDirBlock,
  insertDentry,
} from "./dirent.ts";
import { EXT4_INDEX_FL, INCOMPAT_LARGEDIR } from "./ext4.ts";
import { ext4fs_dirhash, type DxHash } from "./hash.ts";
import type { Ext4Inode } from "./inode.ts";

/** One level of the way to a leaf. */
export class DxFrame {
  readonly bh: BufferHead;
  /** offset of entry 0 */
  readonly base: number;
  /** the entry taken */
  at = 0;
  constructor(bh: BufferHead, base: number) {
    this.bh = bh;
    this.base = base;
  }
  get limit(): number {
    return this.bh.view.getUint16(this.base, true);
  }
  get count(): number {
    return this.bh.view.getUint16(this.base + 2, true);
  }
  set count(n: number) {
    this.bh.view.setUint16(this.base + 2, n, true);
  }
  hash(i: number): number {
    return i === 0 ? 0 : this.bh.view.getUint32(this.base + i * 8, true);
  }
  block(i: number): number {
    return this.bh.view.getUint32(this.base + i * 8 + 4, true) & 0x0fffffff;
  }
  set(i: number, hash: number, block: number): void {
    if (i > 0) this.bh.view.setUint32(this.base + i * 8, hash, true);
    this.bh.view.setUint32(this.base + i * 8 + 4, block, true);
  }
  /** Inserts an entry after `at`. */
  insert(hash: number, block: number): void {
    const n = this.count;
    const from = this.base + (this.at + 1) * 8;
    this.bh.b_data.copyWithin(from + 8, from, this.base + n * 8);
    this.count = n + 1;
    this.set(this.at + 1, hash, block);
  }
}

const ROOT_BASE = 32;
const NODE_BASE = 8;
const ROOT_HASH_VERSION = 28;
const ROOT_INFO_LEN = 29;
const ROOT_LEVELS = 30;

/** The hash of a name in `dir`: what its root says, or the file system's default for one that is not indexed (yet). */
export function dirHash(dir: Ext4Inode, name: string): DxHash {
  const sb = dir.i_sb;
  let version = sb.s_def_hash_version;
  if (dir.e_flags & EXT4_INDEX_FL) version = ext4_read_dirblock(dir, 0, true).b_data[ROOT_HASH_VERSION];
  if (version <= 2) version += sb.hash_unsigned;
  const h = ext4fs_dirhash(name, version, sb.s_hash_seed);
  if (h === undefined) return sb.corrupted("dx_probe", `Unrecognised inode hash code ${version}`, { ino: dir.i_ino });
  return h;
}

/** The way to the leaf that holds `hash`. Throws EUCLEAN.  cf. dx_probe() */
export function dx_probe(dir: Ext4Inode, hash: number): DxFrame[] {
  const sb = dir.i_sb;
  const root = ext4_read_dirblock(dir, 0, true);
  const b = root.b_data;
  const levels = b[ROOT_LEVELS];
  if (b[ROOT_INFO_LEN] !== 8 || levels > (sb.incompat & INCOMPAT_LARGEDIR ? 2 : 1)) sb.corrupted("dx_probe", `unsupported hash info or depth (${levels})`, { ino: dir.i_ino });
  const frames: DxFrame[] = [];
  let frame = new DxFrame(root, ROOT_BASE);
  for (let level = 0; ; level++) {
    const { count, limit } = frame;
    if (count === 0 || count > limit || frame.base + limit * 8 > b.length) sb.corrupted("dx_probe", `dx entry: count ${count} beyond limit ${limit}`, { ino: dir.i_ino });
    let lo = 0;
    let hi = count - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >>> 1;
      if (frame.hash(mid) <= hash) lo = mid;
      else hi = mid - 1;
    }
    frame.at = lo;
    frames.push(frame);
    if (level === levels) return frames;
    frame = new DxFrame(ext4_read_dirblock(dir, frame.block(lo), true), NODE_BASE);
  }
}

/** Moves to the next leaf; its first hash (bit 0: continued), or -1 at the end.  cf. ext4_htree_next_block() */
export function dx_next(dir: Ext4Inode, frames: DxFrame[]): number {
  let d = frames.length - 1;
  while (d >= 0 && frames[d].at + 1 >= frames[d].count) d--;
  if (d < 0) return -1;
  const hash = frames[d].hash(++frames[d].at);
  for (d++; d < frames.length; d++) frames[d] = new DxFrame(ext4_read_dirblock(dir, frames[d - 1].block(frames[d - 1].at), true), NODE_BASE);
  return hash;
}
export function dx_leaf(frames: DxFrame[]): number {
  const f = frames[frames.length - 1];
  return f.block(f.at);
}

/** cf. ext4_dx_find_entry() */
export function dxFind(dir: Ext4Inode, name: string): { bh: BufferHead; off: number } | undefined {
  const { hash } = dirHash(dir, name);
  const frames = dx_probe(dir, hash);
  for (;;) {
    const bh = ext4_read_dirblock(dir, dx_leaf(frames), false);
    const off = ext4_search_dir(bh, dirSpace(dir), name);
    if (off >= 0) return { bh, off };
    const next = dx_next(dir, frames);
    if (next < 0 || (next & 1) === 0 || (next & ~1) >>> 0 !== hash) return undefined;
  }
}

/** How many entries an index block has room for. */
function limitOf(dir: Ext4Inode, base: number): number {
  return Math.floor((dir.i_sb.s_blocksize - base - (dir.i_sb.has_metadata_csum ? 8 : 0)) / 8);
}

/** A directory of one full block becomes an indexed one with two leaves; the new name goes into the right one.  cf. make_indexed_dir() */
export function make_indexed_dir(dir: Ext4Inode, name: string, ino: number, type: number): void {
  const bs = dir.i_sb.s_blocksize;
  const root = ext4_read_dirblock(dir, 0, false);
  const { bh, lblk } = ext4_append(dir);
  // All entries but "." and ".." move to the new block.
  initDirBlock(dir, bh);
  const dotdot = root.view.getUint32(12, true);
  const moved: Entry[] = entriesOf(dir, root, 24);
  pack(dir, bh, moved);
  root.b_data.fill(0, 24);
  root.view.setUint32(12, dotdot, true);
  root.view.setUint16(16, bs - 12, true);
  root.b_data[ROOT_HASH_VERSION] = dir.i_sb.s_def_hash_version;
  root.b_data[ROOT_INFO_LEN] = 8;
  const frame = new DxFrame(root, ROOT_BASE);
  root.view.setUint16(ROOT_BASE, limitOf(dir, ROOT_BASE), true);
  frame.count = 1;
  frame.set(0, 0, lblk);
  dir.e_flags |= EXT4_INDEX_FL;
  dirtyDirBlock(dir, root, true);
  dir.mark_dirty();
  dxAdd(dir, name, ino, type);
}

interface Entry {
  ino: number;
  type: number;
  name: string;
  hash: number;
}
function entriesOf(dir: Ext4Inode, bh: BufferHead, from: number): Entry[] {
  const found: Entry[] = [];
  const space = dirSpace(dir);
  for (let o = from; o < space; o += bh.view.getUint16(o + 4, true)) {
    const ino = bh.view.getUint32(o, true);
    if (ino !== 0) found.push({ ino, type: bh.b_data[o + 7], name: dentryName(bh.b_data, o), hash: 0 });
  }
  return found;
}
/** Makes a leaf hold just these entries. */
function pack(dir: Ext4Inode, bh: BufferHead, entries: Entry[]): void {
  initDirBlock(dir, bh);
  const space = dirSpace(dir);
  let o = 0;
  for (let i = 0; i < entries.length; i++) {
    const e = entries[i];
    const len = i === entries.length - 1 ? space - o : ext4_dir_rec_len(e.name.length);
    bh.view.setUint16(o + 4, len, true);
    bh.view.setUint32(o, e.ino, true);
    bh.b_data[o + 6] = e.name.length;
    bh.b_data[o + 7] = e.type;
    for (let k = 0; k < e.name.length; k++) bh.b_data[o + 8 + k] = e.name.charCodeAt(k);
    o += len;
  }
}

/** Adds a name to an indexed directory. Throws ENOSPC, also when the index is full.  cf. ext4_dx_add_entry() */
export function dxAdd(dir: Ext4Inode, name: string, ino: number, type: number): void {
  const { hash } = dirHash(dir, name);
  for (;;) {
    const frames = dx_probe(dir, hash);
    const leaf = ext4_read_dirblock(dir, dx_leaf(frames), false);
    if (insertDentry(dir, leaf, name, ino, type)) return;
    if (makeIndexRoom(dir, frames)) continue;
    if (do_split(dir, frames, leaf, hash, name, ino, type)) return;
  }
}

/** Splits full index blocks on the way to a leaf. True if something changed: the way must be found again. */
function makeIndexRoom(dir: Ext4Inode, frames: DxFrame[]): boolean {
  const sb = dir.i_sb;
  const last = frames.length - 1;
  if (frames[last].count < frames[last].limit) return false;
  let d = last;
  while (d > 0 && frames[d - 1].count >= frames[d - 1].limit) d--;
  if (d === 0) {
    // every level is full: the root's entries move one level down
    if (frames.length > (sb.incompat & INCOMPAT_LARGEDIR ? 2 : 1)) {
      sb.warning("ext4_dx_add_entry", `Directory (ino: ${dir.i_ino}) index full, reach max htree level :${frames.length}`);
      throw ENOSPC;
    }
    const root = frames[0];
    const { bh, lblk } = ext4_append(dir);
    const node = newNode(dir, bh);
    const n = root.count;
    bh.b_data.set(root.bh.b_data.subarray(ROOT_BASE + 4, ROOT_BASE + n * 8), NODE_BASE + 4);
    node.count = n;
    root.count = 1;
    root.set(0, 0, lblk);
    root.bh.b_data[ROOT_LEVELS]++;
    dirtyDirBlock(dir, bh, true);
    dirtyDirBlock(dir, root.bh, true);
    return true;
  }
  // frames[d] is full, its parent is not: the upper half goes into a new block
  const full = frames[d];
  const { bh, lblk } = ext4_append(dir);
  const node = newNode(dir, bh);
  const n = full.count;
  const keep = n >>> 1;
  const hash2 = full.hash(keep);
  bh.b_data.set(full.bh.b_data.subarray(full.base + keep * 8 + 4, full.base + n * 8), NODE_BASE + 4);
  node.count = n - keep;
  full.count = keep;
  frames[d - 1].insert(hash2, lblk);
  dirtyDirBlock(dir, bh, true);
  dirtyDirBlock(dir, full.bh, true);
  dirtyDirBlock(dir, frames[d - 1].bh, true);
  return true;
}
function newNode(dir: Ext4Inode, bh: BufferHead): DxFrame {
  bh.b_data.fill(0);
  bh.view.setUint16(4, dir.i_sb.s_blocksize, true);
  bh.view.setUint16(NODE_BASE, limitOf(dir, NODE_BASE), true);
  return new DxFrame(bh, NODE_BASE);
}

/** Splits a full leaf in two by hash and adds the name. False if it still does not fit (very long names).  cf. do_split() */
function do_split(dir: Ext4Inode, frames: DxFrame[], leaf: BufferHead, hash: number, name: string, ino: number, type: number): boolean {
  const entries = entriesOf(dir, leaf, 0);
  for (const e of entries) e.hash = dirHash(dir, e.name).hash;
  // sort() is stable: equal hashes keep their order
  entries.sort((a, b) => a.hash - b.hash);
  let size = 0;
  let move = 0;
  const half = dir.i_sb.s_blocksize / 2;
  for (let i = entries.length - 1; i >= 0; i--) {
    const len = ext4_dir_rec_len(entries[i].name.length);
    if (size + len / 2 > half) break;
    size += len;
    move++;
  }
  const split = move > 0 ? Math.max(1, entries.length - move) : entries.length >>> 1;
  if (split < 1 || split >= entries.length) throw EIO;
  const hash2 = entries[split].hash;
  const continued = hash2 === entries[split - 1].hash ? 1 : 0;
  const { bh, lblk } = ext4_append(dir);
  pack(dir, leaf, entries.slice(0, split));
  pack(dir, bh, entries.slice(split));
  const frame = frames[frames.length - 1];
  frame.insert(hash2 + continued, lblk);
  dirtyDirBlock(dir, frame.bh, true);
  return insertDentry(dir, hash >= hash2 ? bh : leaf, name, ino, type);
}
