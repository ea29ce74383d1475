// fs/ext4/mkfs.ts — makes an empty ext4 file system, and fills it from a tar archive.  cf. e2fsprogs misc/mke2fs.c
//
// Plain groups (no flex_bg), metadata checksums, 64bit, a journal. The root directory and the group tables are written by hand; lost+found and the
// journal are then made through the file system itself.
import { EOPNOTSUPP, Errno } from "../../include/uapi/errno.ts";
import { bitmap_set } from "../../lib/bitmap.ts";
import { crc32c, crc32c_le32 } from "../../lib/crc32c.ts";
import { readTar } from "../../lib/tar.ts";
import type { BlockDevice } from "../../drivers/block/genhd.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import * as F from "./ext4.ts";
import { isSparseGroup, put64 } from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";
import { Ext4FsType, Ext4SuperBlock } from "./super.ts";

export interface MkfsOptions {
  /** 1024 or 4096; default 1024 below 512 MB, as mke2fs */
  readonly blockSize?: number;
  readonly label?: string;
  /** 16 bytes; also the seed of directory hashes */
  readonly uuid: Uint8Array;
  /** seconds since the epoch */
  readonly time: number;
}

const INODE_SIZE = 256;
const DESC_SIZE = 64;
/** a journal makes sense from here on, bytes */
const JOURNAL_FROM = 8 << 20;

/** Writes an empty file system that fills the device. Throws an Error with a sentence if it is too small. */
export function mkfs(kernel: Kernel, dev: BlockDevice, options: MkfsOptions): void {
  const bs = options.blockSize ?? (dev.size < 512 << 20 ? 1024 : 4096);
  const first = bs === 1024 ? 1 : 0;
  const perGroup = bs * 8;
  let blocks = Math.floor(dev.size / bs);
  if (blocks < 512) throw new Error(`${dev.name} is too small for a file system: ${dev.size} bytes`);
  let groups = Math.ceil((blocks - first) / perGroup);
  const inodesPerGroup = Math.min(bs * 8, Math.ceil(Math.max(64, (Math.min(blocks, perGroup) * bs) / 8192) / 16) * 16);
  const tableBlocks = (inodesPerGroup * INODE_SIZE) / bs;
  const gdtBlocks = Math.ceil((groups * DESC_SIZE) / bs);
  // a last group that has no room for its own tables is left out
  const rest = (blocks - first) % perGroup;
  if (groups > 1 && rest > 0 && rest < tableBlocks + gdtBlocks + 50) {
    blocks -= rest;
    groups--;
  }
  const seed = crc32c(0xffffffff, options.uuid);

  const es = new Uint8Array(1024);
  const s = new DataView(es.buffer);
  s.setUint32(F.S_INODES_COUNT, inodesPerGroup * groups, true);
  put64(s, F.S_BLOCKS_COUNT_LO, F.S_BLOCKS_COUNT_HI, blocks);
  put64(s, F.S_R_BLOCKS_COUNT_LO, F.S_R_BLOCKS_COUNT_HI, Math.floor(blocks / 20));
  s.setUint32(F.S_FIRST_DATA_BLOCK, first, true);
  s.setUint32(F.S_LOG_BLOCK_SIZE, bs === 1024 ? 0 : 2, true);
  s.setUint32(F.S_LOG_CLUSTER_SIZE, bs === 1024 ? 0 : 2, true);
  s.setUint32(F.S_BLOCKS_PER_GROUP, perGroup, true);
  s.setUint32(F.S_CLUSTERS_PER_GROUP, perGroup, true);
  s.setUint32(F.S_INODES_PER_GROUP, inodesPerGroup, true);
  s.setUint32(F.S_WTIME, options.time, true);
  s.setUint16(F.S_MAX_MNT_COUNT, 0xffff, true);
  s.setUint16(F.S_MAGIC, F.EXT4_SUPER_MAGIC, true);
  s.setUint16(F.S_STATE, F.EXT4_VALID_FS, true);
  s.setUint16(F.S_ERRORS, F.EXT4_ERRORS_CONTINUE, true);
  s.setUint32(F.S_LASTCHECK, options.time, true);
  s.setUint32(F.S_REV_LEVEL, 1, true);
  s.setUint32(F.S_FIRST_INO, 11, true);
  s.setUint16(F.S_INODE_SIZE, INODE_SIZE, true);
  s.setUint32(F.S_FEATURE_COMPAT, F.COMPAT_EXT_ATTR | F.COMPAT_DIR_INDEX, true);
  s.setUint32(F.S_FEATURE_INCOMPAT, F.INCOMPAT_FILETYPE | F.INCOMPAT_EXTENTS | F.INCOMPAT_64BIT, true);
  const roCompat = F.RO_COMPAT_SPARSE_SUPER | F.RO_COMPAT_LARGE_FILE | F.RO_COMPAT_HUGE_FILE | F.RO_COMPAT_DIR_NLINK | F.RO_COMPAT_EXTRA_ISIZE | F.RO_COMPAT_METADATA_CSUM;
  s.setUint32(F.S_FEATURE_RO_COMPAT, roCompat, true);
  es.set(options.uuid, F.S_UUID);
  es.set(options.uuid, F.S_HASH_SEED);
  for (let i = 0; i < Math.min(16, options.label?.length ?? 0); i++) es[F.S_VOLUME_NAME + i] = (options.label as string).charCodeAt(i);
  es[F.S_DEF_HASH_VERSION] = 1;
  s.setUint16(F.S_DESC_SIZE, DESC_SIZE, true);
  s.setUint32(F.S_DEFAULT_MOUNT_OPTS, 0xc, true);
  s.setUint32(F.S_MKFS_TIME, options.time, true);
  s.setUint16(F.S_MIN_EXTRA_ISIZE, 32, true);
  s.setUint16(F.S_WANT_EXTRA_ISIZE, 32, true);
  s.setUint32(F.S_FLAGS, F.EXT2_FLAGS_SIGNED_HASH, true);
  es[F.S_CHECKSUM_TYPE] = 1;

  const gdt = new Uint8Array(gdtBlocks * bs);
  const g = new DataView(gdt.buffer);
  let free = 0;
  let rootBlock = 0;
  for (let n = 0; n < groups; n++) {
    const start = first + n * perGroup;
    const size = Math.min(perGroup, blocks - start);
    const base = isSparseGroup(n) ? 1 + gdtBlocks : 0;
    let used = base + 2 + tableBlocks;
    if (n === 0) rootBlock = start + used++;
    const bits = new Uint8Array(bs);
    bitmap_set(bits, 0, used);
    bitmap_set(bits, size, perGroup - size);
    const inodes = new Uint8Array(bs);
    bitmap_set(inodes, 0, n === 0 ? 10 : 0);
    bitmap_set(inodes, inodesPerGroup, bs * 8 - inodesPerGroup);
    dev.write((start + base) * bs, bits);
    dev.write((start + base + 1) * bs, inodes);
    const zero = new Uint8Array(bs);
    for (let b = 0; b < tableBlocks; b++) dev.write((start + base + 2 + b) * bs, zero);
    const o = n * DESC_SIZE;
    g.setUint32(o, start + base, true);
    g.setUint32(o + 4, start + base + 1, true);
    g.setUint32(o + 8, start + base + 2, true);
    g.setUint16(o + 12, size - used, true);
    g.setUint16(o + 14, inodesPerGroup - (n === 0 ? 10 : 0), true);
    g.setUint16(o + 16, n === 0 ? 1 : 0, true);
    g.setUint16(o + 18, F.BG_INODE_ZEROED, true);
    g.setUint16(o + 0x1c, inodesPerGroup - (n === 0 ? 10 : 0), true);
    const bsum = crc32c(seed, bits, 0, perGroup >>> 3);
    const isum = crc32c(seed, inodes, 0, inodesPerGroup >>> 3);
    g.setUint16(o + 0x18, bsum & 0xffff, true);
    g.setUint16(o + 0x38, bsum >>> 16, true);
    g.setUint16(o + 0x1a, isum & 0xffff, true);
    g.setUint16(o + 0x3a, isum >>> 16, true);
    g.setUint16(o + 0x1e, crc32c(crc32c_le32(seed, n), gdt, o, o + DESC_SIZE) & 0xffff, true);
    free += size - used;
  }
  put64(s, F.S_FREE_BLOCKS_COUNT_LO, F.S_FREE_BLOCKS_COUNT_HI, free);
  s.setUint32(F.S_FREE_INODES_COUNT, inodesPerGroup * groups - 10, true);
  s.setUint32(F.S_CHECKSUM, crc32c(0xffffffff, es, 0, F.S_CHECKSUM), true);
  dev.write(0, new Uint8Array(1024));
  dev.write(1024, es);
  dev.write((first + 1) * bs, gdt);

  writeRoot(dev, { bs, seed, rootBlock, table: first + 1 + gdtBlocks + 2, time: options.time });

  const sb = new Ext4SuperBlock(kernel, new Ext4FsType("ext4"), dev, 0, "");
  const root = sb.s_root.d_inode as Ext4Inode;
  root.mkdir("lost+found", 0o40700, { uid: 0, gid: 0 });
  if (blocks * bs >= JOURNAL_FROM) makeJournal(sb, Math.max(1024, Math.min(Math.floor(blocks / 16), 16384)), options.uuid);
  sb.put_super();

  // copies of super block and descriptors
  dev.read(1024, es);
  dev.read((first + 1) * bs, gdt);
  for (let n = 1; n < groups; n++) {
    if (!isSparseGroup(n)) continue;
    s.setUint16(0x5a, n, true);
    s.setUint32(F.S_CHECKSUM, crc32c(0xffffffff, es, 0, F.S_CHECKSUM), true);
    dev.write((first + n * perGroup) * bs, es);
    dev.write((first + n * perGroup + 1) * bs, gdt);
  }
}

function writeRoot(dev: BlockDevice, at: { bs: number; seed: number; rootBlock: number; table: number; time: number }): void {
  const { bs, seed, rootBlock, table, time } = at;
  const iseed = crc32c_le32(crc32c_le32(seed, F.EXT4_ROOT_INO), 0);
  const raw = new Uint8Array(INODE_SIZE);
  const v = new DataView(raw.buffer);
  v.setUint16(F.I_MODE, 0o40755, true);
  v.setUint32(F.I_SIZE_LO, bs, true);
  for (const t of [F.I_ATIME, F.I_CTIME, F.I_MTIME, F.I_CRTIME]) v.setUint32(t, time, true);
  v.setUint16(F.I_LINKS_COUNT, 2, true);
  v.setUint32(F.I_BLOCKS_LO, bs / 512, true);
  v.setUint32(F.I_FLAGS, F.EXT4_EXTENTS_FL, true);
  raw.set([0x0a, 0xf3, 1, 0, 4, 0, 0, 0], F.I_BLOCK);
  v.setUint16(F.I_BLOCK + 16, 1, true);
  v.setUint32(F.I_BLOCK + 20, rootBlock, true);
  v.setUint16(F.I_EXTRA_ISIZE, 32, true);
  const sum = crc32c(iseed, raw);
  v.setUint16(F.I_CHECKSUM_LO, sum & 0xffff, true);
  v.setUint16(F.I_CHECKSUM_HI, sum >>> 16, true);
  dev.write(table * bs + INODE_SIZE, raw);
  const dir = new Uint8Array(bs);
  const d = new DataView(dir.buffer);
  dir.set([2, 0, 0, 0, 12, 0, 1, 2, 46], 0);
  dir.set([2, 0, 0, 0, 0, 0, 2, 2, 46, 46], 12);
  d.setUint16(16, bs - 24, true);
  d.setUint16(bs - 8, 12, true);
  dir[bs - 5] = F.EXT4_FT_DIR_CSUM;
  d.setUint32(bs - 4, crc32c(iseed, dir, 0, bs - 12), true);
  dev.write(rootBlock * bs, dir);
}

const JOURNAL_INO = 8;

/** An empty journal of `n` blocks. */
function makeJournal(sb: Ext4SuperBlock, n: number, uuid: Uint8Array): void {
  const j = sb.makeInode(JOURNAL_INO);
  j.i_mode = 0o100600;
  j.e_flags = F.EXT4_EXTENTS_FL;
  j.i_atime = j.i_mtime = j.i_ctime = j.i_btime = sb.current_time();
  j.initNew();
  for (let done = 0; done < n; ) done += j.ext4_map_blocks(done, n - done, false);
  j.i_size = n * sb.s_blocksize;
  j.mark_dirty();
  const zero = new Uint8Array(sb.s_blocksize);
  for (let b = 1; b < n; b++) sb.writeData(j.bmap(b), zero);
  const v = new DataView(zero.buffer);
  // magic, version 2; block size, length, first block, sequence; our UUID, one user
  [0xc03b3998, 4, 0, sb.s_blocksize, n, 1, 1].forEach((x, i) => v.setUint32(4 * i, x));
  zero.set(uuid, 0x30);
  v.setUint32(0x40, 1);
  sb.writeData(j.bmap(0), zero);
  sb.commit();
  sb.es.setUint32(F.S_FEATURE_COMPAT, sb.compat | F.COMPAT_HAS_JOURNAL, true);
  sb.es.setUint32(F.S_JOURNAL_INUM, JOURNAL_INO, true);
  sb.dirty_super = true;
}

/** An attribute of a kind that ext4 does not have is left out, as tar does. */
function setAttribute(inode: Ext4Inode, file: string, name: string, value: string): void {
  try {
    inode.setxattr(name, Uint8Array.from(value, (c) => c.charCodeAt(0)), 0);
  } catch (e) {
    if (e === EOPNOTSUPP) return;
    throw e instanceof Errno ? new Error(`${file}: its attribute ${name} cannot be stored: ${e.name}`) : e;
  }
}

/**
 * Makes the directories, files, links and devices of a tar archive (ustar, pax, GNU), a step at a time: gives how many bytes of the archive are done, and returns how many
 * entries there were. Throws an Error with a sentence.
 */
export function* populateFromTar(sb: Ext4SuperBlock, tar: Uint8Array): Generator<number, number> {
  const root = sb.s_root.d_inode as Ext4Inode;
  const find = (path: readonly string[]): Ext4Inode | undefined => path.reduce<Ext4Inode | undefined>((at, name) => at?.lookup(name) as Ext4Inode | undefined, root);
  let n = 0;
  const times: [Ext4Inode, number][] = [];
  for (const e of readTar(tar)) {
    const path = e.name.split("/").filter((x) => x !== "" && x !== ".");
    if (path.includes("..")) continue;
    const owner = { uid: e.uid, gid: e.gid };
    let inode: Ext4Inode | undefined;
    try {
      const name = path.pop();
      if (name === undefined) inode = root;
      else {
        let dir = root;
        for (const part of path) dir = (dir.lookup(part) ?? dir.mkdir(part, 0o40755, { uid: 0, gid: 0 })) as Ext4Inode;
        const old = dir.lookup(name) as Ext4Inode | undefined;
        if (old !== undefined && !(e.type === "dir" && old.is_dir)) {
          dir.unlink(name, old);
          if (old.i_nlink === 0) old.evict();
        }
        if (e.type === "dir") inode = old?.is_dir ? old : (dir.mkdir(name, 0o40000 | e.mode, owner) as Ext4Inode);
        else if (e.type === "link") {
          const target = find(e.target.split("/").filter((x) => x !== "" && x !== "."));
          if (target !== undefined) dir.link(name, target);
          n++;
          continue;
        } else if (e.type === "symlink") inode = dir.symlink(name, e.target, owner) as Ext4Inode;
        else if (e.type === "file") {
          inode = dir.create(name, 0o100000 | e.mode, owner) as Ext4Inode;
          for (let done = 0; done < e.data.length; ) {
            sb.journal_start(1);
            const len = Math.min(1 << 20, e.data.length - done);
            done += inode.mapping.write(e.data, done, len, done);
            inode.i_size = done;
            inode.mark_dirty();
            if (done < e.data.length) yield e.data.byteOffset - tar.byteOffset + done;
          }
        } else inode = dir.mknod(name, e.format | e.mode, e.rdev, owner) as Ext4Inode;
      }
    } catch (err) {
      if (err instanceof Errno) throw new Error(`${e.name}: ${err.name === "ENOSPC" ? "the disk is full" : err.name}`);
      throw err;
    }
    if (e.type !== "symlink") inode.i_mode = (inode.i_mode & 0o170000) | e.mode;
    inode.i_uid = e.uid;
    inode.i_gid = e.gid;
    for (const [name, value] of e.xattrs) setAttribute(inode, e.name, name, value);
    times.push([inode, e.mtime]);
    n++;
    yield e.data.byteOffset - tar.byteOffset + e.data.length;
  }
  for (const [inode, sec] of times) {
    inode.i_atime = inode.i_mtime = { sec, nsec: 0 };
    inode.mark_dirty();
  }
  sb.commit();
  return n;
}
