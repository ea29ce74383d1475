// fs/ext4/inode.ts — the inode: read from and written to the inode table, its blocks, and what the VFS asks of it.  cf. fs/ext4/inode.c
//
// An inode in use is this object; the table is brought up to date at commit only (store()), however often it was marked dirty.
import {
  EFBIG,
  EINVAL,
  EIO,
  ENOSPC,
  ENOTDIR,
  EOPNOTSUPP,
  ESTALE,
  EBADMSG,
} from "../../include/uapi/errno.ts";
import { S_ISBLK, S_ISCHR, S_ISDIR, S_ISLNK, S_ISREG, new_decode_dev, new_encode_dev, MAJOR, MINOR, MKDEV } from "../../include/uapi/stat.ts";
import { crc32c, crc32c_le32 } from "../../lib/crc32c.ts";
import type { Task } from "../../kernel/task.ts";
import { dir_operations } from "../generic_file.ts";
import { Inode, File, type Iattr, type Owner, type Path, type Timespec64 } from "../fs.ts";
import { FIEMAP_EXTENT_UNWRITTEN } from "../../include/uapi/fcntl.ts";
import { S_APPEND, S_IMMUTABLE, S_NOATIME, S_SYNC } from "../inode.ts";
import { posix_acl_chmod, type AclType, type PosixAcl } from "../posix_acl.ts";
import { ext4_free_blocks, ext4_group_first_block_no, ext4_new_blocks, type Run } from "./balloc.ts";
import type { BlockMap } from "./block_map.ts";
import { ext4_readdir } from "./dir.ts";
import {
  EXT4_APPEND_FL,
  EXT4_EA_INODE_FL,
  EXT4_EXTENTS_FL,
  EXT4_FL_USER_MODIFIABLE,
  EXT4_FL_USER_VISIBLE,
  EXT4_HUGE_FILE_FL,
  EXT4_IMMUTABLE_FL,
  EXT4_NOATIME_FL,
  EXT4_OTHER_FLMASK,
  EXT4_REG_FLMASK,
  EXT4_SYNC_FL,
  EXT4_INLINE_DATA_FL,
  get64,
  GOOD_OLD_INODE_SIZE,
  I_ATIME,
  I_ATIME_EXTRA,
  I_BLOCK,
  I_BLOCK_LEN,
  I_BLOCKS_HIGH,
  I_BLOCKS_LO,
  I_CHECKSUM_HI,
  I_CHECKSUM_LO,
  I_CRTIME,
  I_CRTIME_EXTRA,
  I_CTIME,
  I_CTIME_EXTRA,
  I_DTIME,
  I_EXTRA_ISIZE,
  I_FILE_ACL_HIGH,
  I_FILE_ACL_LO,
  I_FLAGS,
  I_GENERATION,
  I_GID,
  I_GID_HIGH,
  I_LINKS_COUNT,
  I_MODE,
  I_MTIME,
  I_MTIME_EXTRA,
  I_SIZE_HIGH,
  I_SIZE_LO,
  I_UID,
  I_UID_HIGH,
  PAGE_SIZE,
  put64,
  RO_COMPAT_HUGE_FILE,
} from "./ext4.ts";
import { ExtentTree } from "./extents.ts";
import { ext4_file_operations } from "./file.ts";
import { IndirectMap } from "./indirect.ts";
import * as namei from "./namei.ts";
import { ext4_evict_inode } from "./orphan.ts";
import { Mapping } from "./page_io.ts";
import type { Ext4SuperBlock } from "./super.ts";
import { ext4_truncate } from "./truncate.ts";
import * as xattr from "./xattr.ts";

export class Ext4Inode extends Inode {
  declare readonly i_sb: Ext4SuperBlock;
  i_dtime = 0;
  /** EXT4_*_FL: as on disk; what of it the VFS minds is in i_flags */
  e_flags = 0;
  /** block with extended attributes, 0 for none */
  i_file_acl = 0;
  i_extra_isize = 0;
  /** block map, or target of a short symbolic link, or device number */
  readonly i_block = new Uint8Array(I_BLOCK_LEN);
  /** what follows the extra fields in the table: extended attributes in the inode */
  i_body = new Uint8Array(0);
  /** cached data */
  readonly mapping: Mapping;
  /** seed of checksums of what belongs to this inode */
  csum_seed = 0;
  /** in the list of orphans */
  i_orphan = false;
  /** evicted: the object must not be used again */
  i_dead = false;
  private blocks: BlockMap | undefined;

  constructor(sb: Ext4SuperBlock, ino: number) {
    super(sb);
    this.i_ino = ino;
    this.mapping = new Mapping(this);
  }

  // --- on disk

  /** A new inode: extra fields as large as the file system wants, an empty block map. */
  initNew(): void {
    const sb = this.i_sb;
    this.i_extra_isize = sb.s_inode_size > GOOD_OLD_INODE_SIZE ? sb.s_want_extra_isize : 0;
    this.i_body = new Uint8Array(Math.max(0, sb.s_inode_size - GOOD_OLD_INODE_SIZE - this.i_extra_isize));
    this.seed();
    if (this.e_flags & EXT4_EXTENTS_FL) {
      // an empty root
      this.i_block.set([0x0a, 0xf3, 0, 0, 4, 0, 0, 0]);
      this.blocks = new ExtentTree(this);
    }
  }
  /** cf. ext4_set_inode_flags() */
  ext4_set_inode_flags(): void {
    const f = this.e_flags;
    this.i_flags =
      (f & EXT4_SYNC_FL ? S_SYNC : 0) | (f & EXT4_NOATIME_FL ? S_NOATIME : 0) | (f & EXT4_APPEND_FL ? S_APPEND : 0) | (f & EXT4_IMMUTABLE_FL ? S_IMMUTABLE : 0);
  }
  seed(): void {
    this.csum_seed = crc32c_le32(crc32c_le32(this.i_sb.csum_seed, this.i_ino), this.i_generation);
  }

  /** Takes the fields from the inode table. Throws ESTALE for a free inode, EUCLEAN or EBADMSG for a broken one.  cf. __ext4_iget() */
  load(allowFree = false): void {
    const sb = this.i_sb;
    const { bh, off } = sb.rawInode(this.i_ino);
    const raw = bh.b_data.subarray(off, off + sb.s_inode_size);
    const v = new DataView(raw.buffer, raw.byteOffset, raw.length);
    this.i_mode = v.getUint16(I_MODE, true);
    this.i_nlink = v.getUint16(I_LINKS_COUNT, true);
    this.i_dtime = v.getUint32(I_DTIME, true);
    if (!allowFree && this.i_nlink === 0 && (this.i_mode === 0 || this.i_dtime !== 0)) throw ESTALE;
    this.i_generation = v.getUint32(I_GENERATION, true);
    this.seed();
    const wide = sb.s_inode_size > GOOD_OLD_INODE_SIZE;
    this.i_extra_isize = wide ? v.getUint16(I_EXTRA_ISIZE, true) : 0;
    if (GOOD_OLD_INODE_SIZE + this.i_extra_isize > sb.s_inode_size || this.i_extra_isize & 3)
      sb.corrupted("ext4_iget", `iget: bad extra_isize ${this.i_extra_isize} (inode size ${sb.s_inode_size})`, { ino: this.i_ino });
    if (sb.has_metadata_csum && !this.csumOk(raw, v)) sb.corrupted("ext4_iget", "iget: checksum invalid", { ino: this.i_ino }, EBADMSG);
    this.i_uid = v.getUint16(I_UID, true) + v.getUint16(I_UID_HIGH, true) * 0x10000;
    this.i_gid = v.getUint16(I_GID, true) + v.getUint16(I_GID_HIGH, true) * 0x10000;
    this.i_size = get64(v, I_SIZE_LO, I_SIZE_HIGH);
    this.e_flags = v.getUint32(I_FLAGS, true);
    this.ext4_set_inode_flags();
    this.i_blocks = v.getUint32(I_BLOCKS_LO, true) + (sb.ro_compat & RO_COMPAT_HUGE_FILE ? v.getUint16(I_BLOCKS_HIGH, true) * 0x100000000 : 0);
    if (this.e_flags & EXT4_HUGE_FILE_FL) this.i_blocks *= sb.s_blocksize / 512;
    this.i_file_acl = v.getUint32(I_FILE_ACL_LO, true) + v.getUint16(I_FILE_ACL_HIGH, true) * 0x100000000;
    this.i_atime = getTime(v, I_ATIME, I_ATIME_EXTRA, this.i_extra_isize);
    this.i_ctime = getTime(v, I_CTIME, I_CTIME_EXTRA, this.i_extra_isize);
    this.i_mtime = getTime(v, I_MTIME, I_MTIME_EXTRA, this.i_extra_isize);
    if (this.i_extra_isize >= I_CRTIME_EXTRA + 4 - GOOD_OLD_INODE_SIZE) this.i_btime = getTime(v, I_CRTIME, I_CRTIME_EXTRA, this.i_extra_isize);
    this.i_block.set(raw.subarray(I_BLOCK, I_BLOCK + I_BLOCK_LEN));
    this.i_body = wide ? raw.slice(GOOD_OLD_INODE_SIZE + this.i_extra_isize) : new Uint8Array(0);
    this.i_acl = this.i_default_acl = xattr.ext4_has_xattrs(this) ? undefined : null;
    if (S_ISCHR(this.i_mode) || S_ISBLK(this.i_mode)) {
      const old = v.getUint32(I_BLOCK, true);
      this.i_rdev = old !== 0 ? MKDEV((old >>> 8) & 0xff, old & 0xff) : new_decode_dev(v.getUint32(I_BLOCK + 4, true));
    }
    if (this.e_flags & (EXT4_INLINE_DATA_FL | EXT4_EA_INODE_FL)) sb.corrupted("ext4_iget", `unexpected inode flags ${this.e_flags.toString(16)}`, { ino: this.i_ino });
  }
  private csumOk(raw: Uint8Array, v: DataView): boolean {
    const have = v.getUint16(I_CHECKSUM_LO, true) + (this.hasHi ? v.getUint16(I_CHECKSUM_HI, true) * 0x10000 : 0);
    // a table that was never written holds zeros
    return have === this.csum(raw) || (have === 0 && raw.every((b) => b === 0));
  }
  private get hasHi(): boolean {
    return this.i_extra_isize >= I_CHECKSUM_HI + 2 - GOOD_OLD_INODE_SIZE;
  }
  private csum(raw: Uint8Array): number {
    let c = crc32c(this.csum_seed, raw, 0, I_CHECKSUM_LO);
    c = crc32c(c, ZERO2);
    c = crc32c(c, raw, I_CHECKSUM_LO + 2, GOOD_OLD_INODE_SIZE);
    if (raw.length > GOOD_OLD_INODE_SIZE) {
      if (this.hasHi) {
        c = crc32c(c, raw, GOOD_OLD_INODE_SIZE, I_CHECKSUM_HI);
        c = crc32c(c, ZERO2);
        c = crc32c(c, raw, I_CHECKSUM_HI + 2, raw.length);
        return c;
      }
      c = crc32c(c, raw, GOOD_OLD_INODE_SIZE, raw.length);
    }
    return this.hasHi ? c : c & 0xffff;
  }

  /** Writes the fields into the inode table's buffer: part of a commit.  cf. ext4_do_update_inode() */
  store(): void {
    const sb = this.i_sb;
    this.blocks?.store();
    const { bh, off } = sb.rawInode(this.i_ino);
    const raw = bh.b_data.subarray(off, off + sb.s_inode_size);
    const v = new DataView(raw.buffer, raw.byteOffset, raw.length);
    raw.fill(0, 0, GOOD_OLD_INODE_SIZE);
    v.setUint16(I_MODE, this.i_mode, true);
    v.setUint16(I_UID, this.i_uid & 0xffff, true);
    v.setUint16(I_UID_HIGH, this.i_uid >>> 16, true);
    v.setUint16(I_GID, this.i_gid & 0xffff, true);
    v.setUint16(I_GID_HIGH, this.i_gid >>> 16, true);
    put64(v, I_SIZE_LO, I_SIZE_HIGH, this.i_size);
    v.setUint16(I_LINKS_COUNT, this.i_nlink, true);
    v.setUint32(I_DTIME, this.i_dtime, true);
    let blocks = this.i_blocks;
    let flags = this.e_flags & ~EXT4_HUGE_FILE_FL;
    if (blocks >= 2 ** 48) {
      flags |= EXT4_HUGE_FILE_FL;
      blocks /= sb.s_blocksize / 512;
    }
    v.setUint32(I_BLOCKS_LO, blocks % 0x100000000, true);
    v.setUint16(I_BLOCKS_HIGH, Math.floor(blocks / 0x100000000), true);
    v.setUint32(I_FLAGS, flags, true);
    v.setUint32(I_GENERATION, this.i_generation, true);
    v.setUint32(I_FILE_ACL_LO, this.i_file_acl % 0x100000000, true);
    v.setUint16(I_FILE_ACL_HIGH, Math.floor(this.i_file_acl / 0x100000000), true);
    raw.set(this.i_block, I_BLOCK);
    if (sb.s_inode_size > GOOD_OLD_INODE_SIZE) {
      raw.fill(0, GOOD_OLD_INODE_SIZE, GOOD_OLD_INODE_SIZE + this.i_extra_isize);
      v.setUint16(I_EXTRA_ISIZE, this.i_extra_isize, true);
      raw.set(this.i_body, GOOD_OLD_INODE_SIZE + this.i_extra_isize);
    }
    putTime(v, I_ATIME, I_ATIME_EXTRA, this.i_extra_isize, this.i_atime);
    putTime(v, I_CTIME, I_CTIME_EXTRA, this.i_extra_isize, this.i_ctime);
    putTime(v, I_MTIME, I_MTIME_EXTRA, this.i_extra_isize, this.i_mtime);
    if (this.i_btime !== undefined && this.i_extra_isize >= I_CRTIME_EXTRA + 4 - GOOD_OLD_INODE_SIZE) putTime(v, I_CRTIME, I_CRTIME_EXTRA, this.i_extra_isize, this.i_btime);
    if (sb.has_metadata_csum) {
      const c = this.csum(raw);
      v.setUint16(I_CHECKSUM_LO, c & 0xffff, true);
      if (this.hasHi) v.setUint16(I_CHECKSUM_HI, c >>> 16, true);
    }
    sb.journal_dirty_metadata(bh);
  }
  /** The fields changed: they will be in the next commit. */
  mark_dirty(): void {
    this.i_sb.dirtyInode(this);
  }

  // --- blocks

  get map(): BlockMap {
    return (this.blocks ??= this.e_flags & EXT4_EXTENTS_FL ? ExtentTree.load(this) : new IndirectMap(this));
  }
  /** Whether i_block holds a block map at all: not for devices, and not for a short link's text. */
  get hasBlocks(): boolean {
    return S_ISREG(this.i_mode) || S_ISDIR(this.i_mode) || (S_ISLNK(this.i_mode) && !this.isFastSymlink);
  }
  /** cf. ext4_inode_is_fast_symlink() */
  get isFastSymlink(): boolean {
    const acl = this.i_file_acl !== 0 ? this.i_sb.s_blocksize / 512 : 0;
    return S_ISLNK(this.i_mode) && this.i_blocks - acl === 0 && this.i_size < I_BLOCK_LEN;
  }
  /** Where the first block of this inode would best be. */
  groupGoal(): number {
    return ext4_group_first_block_no(this.i_sb, Math.floor((this.i_ino - 1) / this.i_sb.s_inodes_per_group));
  }
  /** Physical block of `lblk`, 0 for a hole. */
  bmap(lblk: number): number {
    const { map } = this;
    map.lookup(lblk);
    return map.m_p;
  }
  /**
   * Sees to it that [lblk, lblk+n) has blocks, which count as written (or, with `unwritten`, read as zeros where they are new). Returns for how
   * many blocks from lblk on that is so: fewer than n when space ran out. Throws ENOSPC if not even for the first, EFBIG.
   */
  ext4_map_blocks(lblk: number, n: number, unwritten: boolean): number {
    const { map, i_sb } = this;
    if (lblk + n > map.maxBlocks) throw EFBIG;
    for (let b = lblk; b < lblk + n; ) {
      map.lookup(b);
      const len = Math.min(map.m_n, lblk + n - b);
      try {
        if (map.m_p !== 0) {
          if (map.m_u && !unwritten) map.convert(b, len, false);
          b += len;
          continue;
        }
        const run = ext4_new_blocks(i_sb, map.goal(b) || this.groupGoal(), len);
        try {
          map.insert(b, run.len, run.start, unwritten);
        } catch (e) {
          ext4_free_blocks(i_sb, run.start, run.len);
          throw e;
        }
        this.i_blocks += (run.len * i_sb.s_blocksize) / 512;
        this.mark_dirty();
        b += run.len;
      } catch (e) {
        if (e === ENOSPC && b > lblk) return b - lblk;
        throw e;
      }
    }
    return n;
  }
  /** Frees the blocks of [lblk, lblk+n). Throws ENOSPC when an extent would have to be split. */
  freeRange(lblk: number, n: number): void {
    const freed: Run[] = [];
    this.map.remove(lblk, n, freed);
    for (const r of freed) {
      if (!S_ISREG(this.i_mode)) for (let b = 0; b < r.len; b++) this.i_sb.forget_block(r.start + b);
      ext4_free_blocks(this.i_sb, r.start, r.len);
      this.i_blocks -= (r.len * this.i_sb.s_blocksize) / 512;
    }
    if (freed.length > 0) this.mark_dirty();
  }

  // --- inode_operations

  override lookup(name: string): Inode | undefined {
    return namei.ext4_lookup(this, name);
  }
  override create(name: string, mode: number, cred: Owner): Inode {
    return namei.ext4_create(this, name, mode, cred);
  }
  override mkdir(name: string, mode: number, cred: Owner): Inode {
    return namei.ext4_mkdir(this, name, mode, cred);
  }
  override mknod(name: string, mode: number, rdev: number, cred: Owner): Inode {
    return namei.ext4_mknod(this, name, mode, rdev, cred);
  }
  override symlink(name: string, target: string, cred: Owner): Inode {
    return namei.ext4_symlink(this, name, target, cred);
  }
  override link(name: string, inode: Inode): void {
    namei.ext4_link(this, name, inode as Ext4Inode);
  }
  override unlink(name: string, inode: Inode): void {
    namei.ext4_unlink(this, name, inode as Ext4Inode);
  }
  override rmdir(name: string, inode: Inode): void {
    namei.ext4_rmdir(this, name, inode as Ext4Inode);
  }
  override rename(name: string, inode: Inode, newdir: Inode, newname: string, victim: Inode | undefined, flags: number): void {
    namei.ext4_rename(this, name, inode as Ext4Inode, newdir as Ext4Inode, newname, victim as Ext4Inode | undefined, flags);
  }
  override tmpfile(mode: number, cred: Owner): Inode {
    return namei.ext4_tmpfile(this, mode, cred);
  }
  override readlink(_task: Task | undefined): string {
    if (!S_ISLNK(this.i_mode)) throw EINVAL;
    let bytes: Uint8Array;
    if (this.isFastSymlink) bytes = this.i_block.subarray(0, this.i_size);
    else {
      const p = this.bmap(0);
      if (p === 0 || this.i_size >= this.i_sb.s_blocksize) throw EIO;
      bytes = this.i_sb.cache.bread(p).b_data.subarray(0, this.i_size);
    }
    let s = "";
    for (const b of bytes) {
      if (b === 0) break;
      s += String.fromCharCode(b);
    }
    return s;
  }
  /** Sets the text of a new symbolic link of at least I_BLOCK_LEN bytes, or of a shorter one in the inode. */
  setLink(target: string): void {
    this.i_size = target.length;
    let to: Uint8Array = this.i_block;
    if (target.length >= I_BLOCK_LEN) {
      this.ext4_map_blocks(0, 1, false);
      const bh = this.i_sb.cache.getblk(this.bmap(0));
      this.i_sb.journal_dirty_metadata(bh);
      to = bh.b_data;
    } else {
      this.e_flags &= ~EXT4_EXTENTS_FL;
      this.blocks = undefined;
      to.fill(0);
    }
    for (let i = 0; i < target.length; i++) to[i] = target.charCodeAt(i);
    this.mark_dirty();
  }
  /** Makes a new inode a device node. */
  setRdev(rdev: number): void {
    this.i_rdev = rdev;
    const v = new DataView(this.i_block.buffer);
    const old = MAJOR(rdev) < 256 && MINOR(rdev) < 256;
    v.setUint32(0, old ? (MAJOR(rdev) << 8) | MINOR(rdev) : 0, true);
    v.setUint32(4, old ? 0 : new_encode_dev(rdev), true);
  }
  override setattr(attr: Iattr): void {
    this.i_sb.journal_start(attr.size === undefined ? 0 : 1);
    if (attr.size !== undefined && attr.size !== this.i_size) {
      if (!S_ISREG(this.i_mode)) throw EINVAL;
      this.setSize(attr.size);
    }
    if (attr.mode !== undefined) {
      this.i_mode = (this.i_mode & 0o170000) | (attr.mode & 0o7777);
      posix_acl_chmod(this, this.i_mode);
    }
    if (attr.uid !== undefined) this.i_uid = attr.uid;
    if (attr.gid !== undefined) this.i_gid = attr.gid;
    if (attr.atime !== undefined) this.i_atime = attr.atime;
    if (attr.mtime !== undefined) this.i_mtime = attr.mtime;
    if (attr.ctime !== undefined) this.i_ctime = attr.ctime;
    this.mark_dirty();
  }
  /** Truncates or extends. Throws EFBIG. */
  setSize(size: number): void {
    const old = this.i_size;
    if (size > this.maxBytes) throw EFBIG;
    if (size > old) {
      this.mapping.zeroTail(old);
      this.i_size = size;
    } else {
      this.mapping.truncate(size);
      this.i_size = size;
      ext4_truncate(this);
    }
    this.i_version++;
    this.mark_dirty();
  }
  override get maxBytes(): number {
    return Math.min(this.map.maxBlocks * this.i_sb.s_blocksize, Number.MAX_SAFE_INTEGER - PAGE_SIZE);
  }
  override iterate(pos: number, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    if (!S_ISDIR(this.i_mode)) throw ENOTDIR;
    ext4_readdir(this, pos, emit);
  }
  override open(_task: Task | undefined, path: Path, flags: number): File {
    if (S_ISDIR(this.i_mode)) return new File(path, this, flags, dir_operations);
    return new File(path, this, flags, ext4_file_operations);
  }
  override fileattr_get(): number {
    return this.e_flags & EXT4_FL_USER_VISIBLE;
  }
  /** cf. ext4_fileattr_set(), ext4_ioctl_setflags() */
  override fileattr_set(flags: number): void {
    if ((flags & ~EXT4_FL_USER_VISIBLE) !== 0) throw EOPNOTSUPP;
    const set = flags & EXT4_FL_USER_MODIFIABLE;
    const fits = S_ISDIR(this.i_mode) ? -1 : S_ISREG(this.i_mode) ? EXT4_REG_FLMASK : EXT4_OTHER_FLMASK;
    if ((set & ~fits) !== 0) throw EOPNOTSUPP;
    // blocks stay as they are kept: no migration
    if (((set ^ this.e_flags) & EXT4_EXTENTS_FL) !== 0) throw EOPNOTSUPP;
    this.i_sb.journal_start(0);
    this.e_flags = (this.e_flags & ~EXT4_FL_USER_MODIFIABLE) | set;
    this.ext4_set_inode_flags();
    this.i_ctime = this.i_sb.current_time();
    this.mark_dirty();
  }
  override fiemap(from: number, to: number, each: (at: number, physical: number, len: number, flags: number) => boolean): void {
    if (!this.hasBlocks) return;
    const bs = this.i_sb.s_blocksize;
    const first = Math.floor(from / bs);
    const end = Math.ceil(to / bs);
    this.map.forEach(first, (b, n, p, unwritten) => {
      if (b >= end) return false;
      const at = Math.max(b, first);
      return each(at * bs, (p + at - b) * bs, (Math.min(b + n, end) - at) * bs, unwritten ? FIEMAP_EXTENT_UNWRITTEN : 0);
    });
  }
  override bmap_block(block: number): number {
    this.i_sb.commit();
    if (block >= this.map.maxBlocks) return 0;
    this.map.lookup(block);
    return this.map.m_u ? 0 : this.map.m_p;
  }
  override get_acl(type: AclType): PosixAcl | null {
    return xattr.ext4_get_acl(this, type);
  }
  override set_acl(type: AclType, acl: PosixAcl | null, mode: number): void {
    this.i_sb.journal_start(1);
    xattr.ext4_set_acl(this, type, acl);
    if (mode === this.i_mode) return;
    this.i_mode = mode;
    this.i_ctime = this.i_sb.current_time();
    this.mark_dirty();
  }
  override getxattr(name: string): Uint8Array {
    return xattr.ext4_xattr_get(this, name);
  }
  override setxattr(name: string, value: Uint8Array, flags: number): void {
    xattr.ext4_xattr_set(this, name, value, flags);
  }
  override listxattr(): string[] {
    return xattr.ext4_listxattr(this);
  }
  override removexattr(name: string): void {
    xattr.ext4_xattr_set(this, name, undefined, 0);
  }
  override evict(): void {
    ext4_evict_inode(this);
  }
}

const ZERO2 = new Uint8Array(2);

/** Seconds in 32 bits, and where there are extra bits 2 more of them and the nanoseconds.  cf. ext4_decode_extra_time() */
export function getTime(v: DataView, at: number, extraAt: number, extraSize: number): Timespec64 {
  const sec = v.getInt32(at, true);
  if (extraSize < extraAt + 4 - GOOD_OLD_INODE_SIZE) return { sec, nsec: 0 };
  const extra = v.getUint32(extraAt, true);
  return { sec: sec + (extra & 3) * 0x100000000, nsec: Math.min(extra >>> 2, 999999999) };
}
export function putTime(v: DataView, at: number, extraAt: number, extraSize: number, t: Timespec64): void {
  if (extraSize < extraAt + 4 - GOOD_OLD_INODE_SIZE) {
    v.setInt32(at, Math.max(-0x80000000, Math.min(0x7fffffff, t.sec)), true);
    return;
  }
  // what the two bits can hold: 1901 to 2446
  const sec = Math.max(-0x80000000, Math.min(0x37fffffff, t.sec));
  v.setInt32(at, sec | 0, true);
  v.setUint32(extraAt, (((sec - (sec | 0)) / 0x100000000) & 3) | (t.nsec << 2), true);
}
