// fs/ext4/super.ts — the mounted file system: its super block, its transaction, its caches.  cf. fs/ext4/super.c, ext4_jbd2.c
//
// An operation calls journal_start, changes buffers, inodes and groups in memory, and marks them dirty. commit() makes one transaction of all that is dirty:
// data first (ordered mode), then inodes, groups and super block into their buffers, the buffers into the journal, then into place.
import { EIO, ENODEV, ENOTBLK, EINVAL, EROFS, EUCLEAN, EBUSY, Errno } from "../../include/uapi/errno.ts";
import { SB_RDONLY } from "../../include/uapi/mount.ts";
import { S_ISBLK } from "../../include/uapi/stat.ts";
import { crc32c } from "../../lib/crc32c.ts";
import { restart_state, type Task } from "../../kernel/task.ts";
import { wait_host, type HostResult } from "../../kernel/host_wait.ts";
import { KTimer } from "../../kernel/time/timer.ts";
import { CAP_SYS_RESOURCE, in_group_p } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { panic } from "../../kernel/panic.ts";
import { NSEC_PER_SEC } from "../../kernel/time/timekeeping.ts";
import type { BlockDevice, BlockHolder } from "../../drivers/block/genhd.ts";
import { BufferCache, type BufferHead } from "../buffer.ts";
import { Dentry, FileSystemType, SuperBlock, type StatFs, type Timespec64 } from "../fs.ts";
import { current_time } from "../inode.ts";
import { kern_path } from "../namei.ts";
import { Journal } from "../jbd2/journal.ts";
import { jbd2_journal_recover } from "../jbd2/recovery.ts";
import { ext4_group_desc_csum_verify, loadGroup, storeGroup, type GroupDesc } from "./balloc.ts";
import { finishDirBlock } from "./dirent.ts";
import * as F from "./ext4.ts";
import { get64, isSparseGroup, put64 } from "./ext4.ts";
import { finishExtentBlock } from "./extents.ts";
import { Ext4Inode } from "./inode.ts";
import { ext4_default_options, ext4_parse_options, ext4_show_options, type Ext4Options } from "./options.ts";
import { ext4_orphan_cleanup } from "./orphan.ts";
import { finishXattrBlock } from "./xattr.ts";

const SUPER_AT = 1024;
/** free blocks below which what the running transaction freed is worth a commit */
const PINNED_LIMIT = 512;

/** Where an error is. */
export interface ErrorPlace {
  readonly ino?: number;
  readonly block?: number;
}
/** cf. save_error_info() */
function save_error_info(es: DataView, sec: number, func: string, at: ErrorPlace, errno: Errno): void {
  const note = (time: number, timeHi: number, ino: number, block: number, name: number, code: number): void => {
    es.setUint32(time, sec >>> 0, true);
    es.setUint8(timeHi, Math.floor(sec / 0x100000000));
    es.setUint32(ino, at.ino ?? 0, true);
    put64(es, block, block + 4, at.block ?? 0);
    for (let i = 0; i < 32; i++) es.setUint8(name + i, i < 31 ? func.charCodeAt(i) || 0 : 0);
    es.setUint8(code, ERROR_CODES[errno.name] ?? EXT4_ERR_UNKNOWN);
  };
  es.setUint16(F.S_STATE, es.getUint16(F.S_STATE, true) | F.EXT4_ERROR_FS, true);
  if (es.getUint32(F.S_FIRST_ERROR_TIME, true) === 0) note(F.S_FIRST_ERROR_TIME, 0x278, 0x19c, 0x1a0, 0x1a8, 0x27a);
  note(F.S_LAST_ERROR_TIME, 0x279, 0x1d0, 0x1d8, 0x1e0, 0x27b);
  es.setUint32(F.S_ERROR_COUNT, es.getUint32(F.S_ERROR_COUNT, true) + 1, true);
}
/** s_first_error_errcode: EXT4_ERR_* */
const ERROR_CODES: Readonly<Record<string, number>> = { EIO: 2, ENOMEM: 3, EBADMSG: 4, EUCLEAN: 5, ENOSPC: 6, EROFS: 8 };
const EXT4_ERR_UNKNOWN = 1;

/** Commits what has been dirty for a while.  cf. kjournald2 */
export class CommitTimer extends KTimer {
  readonly sb: Ext4SuperBlock;
  constructor(sb: Ext4SuperBlock) {
    super();
    this.sb = sb;
  }
  expire(): void {
    if (this.sb.readonly) return;
    try {
      this.sb.commit();
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
    }
    this.sb.flushSoon();
  }
}

export class Ext4SuperBlock extends SuperBlock implements BlockHolder {
  readonly type: FileSystemType;
  readonly bdev: BlockDevice;
  readonly cache: BufferCache;
  /** the super block, in its buffer */
  readonly es: DataView;
  private readonly superBh: BufferHead;
  readonly s_sb_block: number;
  readonly compat: number;
  incompat: number;
  ro_compat: number;
  readonly has_metadata_csum: boolean;
  readonly has_group_csum: boolean;
  readonly csum_seed: number;
  readonly uuid: Uint8Array;
  readonly s_blocks_count: number;
  readonly s_inodes_count: number;
  readonly s_first_data_block: number;
  readonly s_blocks_per_group: number;
  readonly s_inodes_per_group: number;
  readonly s_inode_size: number;
  readonly s_desc_size: number;
  readonly s_first_ino: number;
  readonly s_want_extra_isize: number;
  readonly s_itb_per_group: number;
  readonly s_hash_seed: Int32Array;
  readonly s_def_hash_version: number;
  readonly hash_unsigned: number;
  readonly groups: GroupDesc[] = [];
  /** blocks only root may use */
  r_blocks: number;
  free_blocks = 0;
  free_inodes = 0;
  private overhead = 0;
  journal: Journal | undefined;

  readonly icache = new Map<number, Ext4Inode>();
  readonly orphans: Ext4Inode[] = [];
  readonly dirty_inodes = new Set<Ext4Inode>();
  readonly dirty_data = new Set<Ext4Inode>();
  readonly dirty_groups = new Set<GroupDesc>();
  readonly pinned_groups = new Set<GroupDesc>();
  private readonly dirty_buffers = new Set<BufferHead>();
  dirty_super = false;
  pinned_blocks = 0;
  /** pages of data in memory, 4 KiB each, and how many there may be before some are forgotten */
  nr_pages = 0;
  max_pages = 24_576;
  readonly = false;
  private aborted = false;
  private generation: number;
  private readonly timer: CommitTimer;
  /** what was asked for, and what the super block says without being asked */
  readonly options: Ext4Options;
  private readonly own_options: Ext4Options;

  /** Reads and checks everything. Throws EINVAL (and says why) for what is no ext4, or one with features that are not known.  cf. __ext4_fill_super() */
  constructor(kernel: Kernel, type: FileSystemType, bdev: BlockDevice, flags: number, data: string) {
    super(kernel);
    this.type = type;
    this.bdev = bdev;
    this.s_dev = bdev.bd_dev;
    this.s_flags = flags;
    this.s_magic = F.EXT4_SUPER_MAGIC;
    const head = new Uint8Array(1024);
    if (bdev.size < 2048) this.refuse(flags, "unable to read superblock");
    bdev.read(SUPER_AT, head);
    let es: DataView = new DataView(head.buffer);
    if (es.getUint16(F.S_MAGIC, true) !== F.EXT4_SUPER_MAGIC) this.refuse(flags, "VFS: Can't find ext4 filesystem");
    const log = es.getUint32(F.S_LOG_BLOCK_SIZE, true);
    if (log > 2) this.refuse(0, `bad block size ${1024 * 2 ** Math.min(log, 20)}`);
    this.s_blocksize = 1024 << log;
    this.compat = es.getUint32(F.S_FEATURE_COMPAT, true);
    this.incompat = es.getUint32(F.S_FEATURE_INCOMPAT, true);
    this.ro_compat = es.getUint32(F.S_FEATURE_RO_COMPAT, true);
    const unknown = this.incompat & ~F.INCOMPAT_SUPP;
    if (unknown !== 0) this.refuse(0, `Couldn't mount because of unsupported optional features (${(unknown >>> 0).toString(16)})`);
    const unknownRo = this.ro_compat & ~F.RO_COMPAT_SUPP;
    if (unknownRo !== 0 && (flags & SB_RDONLY) === 0)
      this.refuse(0, `couldn't mount RDWR because of unsupported optional features (${(unknownRo >>> 0).toString(16)})`);
    this.has_metadata_csum = (this.ro_compat & F.RO_COMPAT_METADATA_CSUM) !== 0;
    this.has_group_csum = this.has_metadata_csum || (this.ro_compat & F.RO_COMPAT_GDT_CSUM) !== 0;
    this.uuid = head.slice(F.S_UUID, F.S_UUID + 16);
    if (this.has_metadata_csum && crc32c(0xffffffff, head, 0, F.S_CHECKSUM) !== es.getUint32(F.S_CHECKSUM, true))
      this.refuse(0, "VFS: Found ext4 filesystem with invalid superblock checksum.  Run e2fsck?");
    this.csum_seed = (this.incompat & F.INCOMPAT_CSUM_SEED) !== 0 ? es.getUint32(F.S_CHECKSUM_SEED, true) : crc32c(0xffffffff, this.uuid);

    const wide = (this.incompat & F.INCOMPAT_64BIT) !== 0;
    this.s_blocks_count = wide ? get64(es, F.S_BLOCKS_COUNT_LO, F.S_BLOCKS_COUNT_HI) : es.getUint32(F.S_BLOCKS_COUNT_LO, true);
    this.r_blocks = wide ? get64(es, F.S_R_BLOCKS_COUNT_LO, F.S_R_BLOCKS_COUNT_HI) : es.getUint32(F.S_R_BLOCKS_COUNT_LO, true);
    this.s_inodes_count = es.getUint32(F.S_INODES_COUNT, true);
    this.s_first_data_block = es.getUint32(F.S_FIRST_DATA_BLOCK, true);
    this.s_blocks_per_group = es.getUint32(F.S_BLOCKS_PER_GROUP, true);
    this.s_inodes_per_group = es.getUint32(F.S_INODES_PER_GROUP, true);
    const dynamic = es.getUint32(F.S_REV_LEVEL, true) > 0;
    this.s_inode_size = dynamic ? es.getUint16(F.S_INODE_SIZE, true) : F.GOOD_OLD_INODE_SIZE;
    this.s_first_ino = dynamic ? es.getUint32(F.S_FIRST_INO, true) : 11;
    this.s_desc_size = wide ? es.getUint16(F.S_DESC_SIZE, true) : 32;
    this.s_want_extra_isize = Math.min(Math.max(es.getUint16(F.S_WANT_EXTRA_ISIZE, true), 32), Math.max(0, this.s_inode_size - F.GOOD_OLD_INODE_SIZE));
    this.s_itb_per_group = Math.ceil((this.s_inodes_per_group * this.s_inode_size) / this.s_blocksize);
    this.s_hash_seed = new Int32Array(4);
    for (let i = 0; i < 4; i++) this.s_hash_seed[i] = es.getInt32(F.S_HASH_SEED + 4 * i, true);
    this.s_def_hash_version = head[F.S_DEF_HASH_VERSION]!;
    this.hash_unsigned = (es.getUint32(F.S_FLAGS, true) & F.EXT2_FLAGS_UNSIGNED_HASH) !== 0 ? 3 : 0;
    if (this.s_inode_size < F.GOOD_OLD_INODE_SIZE || this.s_inode_size > this.s_blocksize || (this.s_inode_size & (this.s_inode_size - 1)) !== 0)
      this.refuse(0, `unsupported inode size: ${this.s_inode_size}`);
    if (this.s_blocks_per_group === 0 || this.s_blocks_per_group > this.s_blocksize * 8 || this.s_inodes_per_group === 0 || this.s_inodes_per_group > this.s_blocksize * 8)
      this.refuse(0, "bad group size");
    if (this.s_blocks_count * this.s_blocksize > bdev.size)
      this.refuse(0, `bad geometry: block count ${this.s_blocks_count} exceeds size of device (${Math.floor(bdev.size / this.s_blocksize)} blocks)`);

    this.own_options = ext4_default_options(es.getUint16(F.S_ERRORS, true), es.getUint16(F.S_DEF_RESUID, true), es.getUint16(F.S_DEF_RESGID, true));
    this.options = { ...this.own_options };
    this.setOptions(data);
    this.cache = new BufferCache(bdev, this.s_blocksize);
    this.s_sb_block = this.s_blocksize === 1024 ? 1 : 0;
    this.timer = new CommitTimer(this);
    this.readonly = (flags & SB_RDONLY) !== 0;
    if ((this.compat & F.COMPAT_HAS_JOURNAL) !== 0) this.journal = this.loadJournal(es);
    this.superBh = this.cache.bread(this.s_sb_block);
    this.superBh.b_pinned = true;
    const off = SUPER_AT - this.s_sb_block * this.s_blocksize;
    es = new DataView(this.superBh.b_data.buffer, this.superBh.b_data.byteOffset + off, 1024);
    this.es = es;
    this.generation = (es.getUint32(F.S_WTIME, true) ^ crc32c(0, this.uuid)) >>> 0;

    const count = Math.ceil((this.s_blocks_count - this.s_first_data_block) / this.s_blocks_per_group);
    for (let g = 0; g < count; g++) {
      if (!ext4_group_desc_csum_verify(this, g)) this.refuse(0, `ext4_check_descriptors: Checksum for group ${g} failed`);
      const group = loadGroup(this, g);
      for (const [name, block] of [["Block bitmap", group.block_bitmap], ["Inode bitmap", group.inode_bitmap], ["Inode table", group.inode_table]] as const)
        if (block < this.s_first_data_block || block >= this.s_blocks_count) this.refuse(0, `ext4_check_descriptors: ${name} for group ${g} not in group (block ${block})!`);
      this.groups.push(group);
      this.free_blocks += group.free_blocks;
      this.free_inodes += group.free_inodes;
    }
    this.overhead = this.s_first_data_block + (this.journal?.blocks.length ?? 0);
    for (let g = 0; g < count; g++) this.overhead += this.baseMetaBlocks(g) + 2 + this.s_itb_per_group;
    this.setHolder();
    if (!this.readonly) this.startWriting();
    const root = this.iget(F.EXT4_ROOT_INO);
    if (!root.is_dir) this.refuse(0, "corrupt root inode, run e2fsck");
    this.s_root = new Dentry("/", undefined, root, this);
  }

  private setHolder(): void {
    this.bdev.bd_holder = this;
  }
  private refuse(flags: number, why: string): never {
    const SILENT = 0x8000;
    if ((flags & SILENT) === 0) this.kernel.printk.err(`EXT4-fs (${this.bdev.name}): ${why}`);
    throw EINVAL;
  }
  info(text: string): void {
    this.kernel.printk.info(`EXT4-fs (${this.bdev.name}): ${text}`);
  }
  warning(func: string, text: string): void {
    this.kernel.printk.warn(`EXT4-fs warning (device ${this.bdev.name}): ${func}: ${text}`);
  }
  /** The file system is damaged: says so, notes it in the super block, and does what errors= wants.  cf. __ext4_error(), ext4_handle_error() */
  error(func: string, text: string, at: ErrorPlace = {}, errno: Errno = EUCLEAN): void {
    this.report(func, text, at, errno, false);
  }
  /** The same, and the operation fails. */
  corrupted(func: string, text: string, at: ErrorPlace = {}, errno: Errno = EUCLEAN): never {
    this.error(func, text, at, errno);
    throw errno;
  }
  /** Nothing can be written any more, whatever errors= says.  cf. ext4_abort() */
  private abort(func: string, text: string): never {
    if (!this.readonly) this.report(func, text, {}, EIO, true);
    throw EROFS;
  }
  private report(func: string, text: string, at: ErrorPlace, errno: Errno, forceRo: boolean): void {
    const { printk } = this.kernel;
    const place = `${at.ino === undefined ? "" : `inode #${at.ino}: `}${at.block === undefined ? "" : `block ${at.block}: `}`;
    printk.crit(`EXT4-fs error (device ${this.bdev.name}): ${func}: ${place}comm ${this.kernel.current?.comm ?? "swapper"}: ${text}`);
    if (this.es === undefined || this.bdev.bd_read_only || (this.readonly && !forceRo)) return;
    const goesOn = !forceRo && this.options.errors === F.EXT4_ERRORS_CONTINUE;
    save_error_info(this.es, this.current_time().sec, func, at, errno);
    this.dirty_super = true;
    if (!goesOn) {
      this.abortJournal();
      try {
        this.sumSuper();
        this.writeBlock(this.superBh);
      } catch (e) {
        // the device itself is what fails
        if (!(e instanceof Errno)) throw e;
      }
    }
    if (this.options.errors === F.EXT4_ERRORS_PANIC) panic(this.kernel, `EXT4-fs (device ${this.bdev.name}): panic forced after error`, ["ext4_handle_error", func]);
    if (goesOn) return;
    printk.crit(`EXT4-fs (${this.bdev.name}): Remounting filesystem read-only`);
    this.s_flags |= SB_RDONLY;
    this.readonly = true;
  }
  /** What is not committed never will be, and the next mount hears of it.  cf. jbd2_journal_abort() */
  private abortJournal(): void {
    if (this.aborted) return;
    this.aborted = true;
    if (this.journal === undefined) return;
    this.kernel.printk.err(`Aborting journal on device ${this.bdev.name}-${this.es.getUint32(F.S_JOURNAL_INUM, true)}.`);
    try {
      this.journal.write_errno(-EIO.code);
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
    }
  }

  // --- journal

  /** Reads the journal, and replays it if the last user did not finish.  cf. ext4_load_journal() */
  private loadJournal(es: DataView): Journal | undefined {
    const needs = (this.incompat & F.INCOMPAT_RECOVER) !== 0;
    if (needs && this.options.norecovery) return undefined;
    const blocks = this.journalBlocks(es);
    const j = Journal.load(this.bdev, this.s_blocksize, blocks);
    if (typeof j === "string") this.refuse(0, j);
    if (!needs) {
      // a journal that nobody asks to be replayed counts as empty
      if (j.start !== 0 && !this.bdev.bd_read_only) j.write_super(0);
      return j;
    }
    if (this.bdev.bd_read_only) {
      this.kernel.printk.err(`EXT4-fs (${this.bdev.name}): write access unavailable, cannot proceed (try mounting with noload)`);
      throw EROFS;
    }
    if (this.readonly) this.info("INFO: recovery required on readonly filesystem\nEXT4-fs: write access will be enabled during recovery");
    // errors were noted in place, past the journal
    const noted = new Uint8Array(es.buffer, es.byteOffset, 1024).slice(F.S_ERROR_COUNT, F.S_ERROR_END);
    const state = es.getUint16(F.S_STATE, true);
    jbd2_journal_recover(j);
    this.cache.map.clear();
    const head = new Uint8Array(1024);
    this.bdev.read(SUPER_AT, head);
    const v = new DataView(head.buffer);
    head.set(noted, F.S_ERROR_COUNT);
    v.setUint16(F.S_STATE, v.getUint16(F.S_STATE, true) | (state & F.EXT4_ERROR_FS), true);
    this.incompat = v.getUint32(F.S_FEATURE_INCOMPAT, true) & ~F.INCOMPAT_RECOVER;
    this.ro_compat = v.getUint32(F.S_FEATURE_RO_COMPAT, true);
    v.setUint32(F.S_FEATURE_INCOMPAT, this.incompat, true);
    if (this.has_metadata_csum) v.setUint32(F.S_CHECKSUM, crc32c(0xffffffff, head, 0, F.S_CHECKSUM), true);
    this.bdev.write(SUPER_AT, head);
    this.info("recovery complete");
    return j;
  }
  /** Physical blocks of the journal's inode, which is read without any cache: it must be found before recovery. */
  private journalBlocks(es: DataView): number[] {
    const ino = es.getUint32(F.S_JOURNAL_INUM, true);
    const perBlock = Math.floor(this.s_blocksize / this.s_desc_size);
    const group = Math.floor((ino - 1) / this.s_inodes_per_group);
    const desc = new DataView(this.cache.bread(this.s_sb_block + 1 + Math.floor(group / perBlock)).b_data.buffer);
    const off = (group % perBlock) * this.s_desc_size;
    const table = desc.getUint32(off + 8, true) + (this.s_desc_size >= 64 ? desc.getUint32(off + 0x28, true) * 0x100000000 : 0);
    const at = ((ino - 1) % this.s_inodes_per_group) * this.s_inode_size;
    const raw = this.cache.bread(table + Math.floor(at / this.s_blocksize)).b_data;
    const inode = new Ext4Inode(this, ino);
    const o = at % this.s_blocksize;
    inode.i_block.set(raw.subarray(o + F.I_BLOCK, o + F.I_BLOCK + F.I_BLOCK_LEN));
    const v = new DataView(raw.buffer, raw.byteOffset + o, this.s_inode_size);
    inode.i_size = get64(v, F.I_SIZE_LO, F.I_SIZE_HIGH);
    inode.e_flags = v.getUint32(F.I_FLAGS, true);
    inode.i_mode = v.getUint16(F.I_MODE, true);
    inode.i_generation = v.getUint32(F.I_GENERATION, true);
    inode.seed();
    const blocks: number[] = [];
    for (let b = 0; b < Math.ceil(inode.i_size / this.s_blocksize); b++) {
      const p = inode.bmap(b);
      if (p === 0) break;
      blocks.push(p);
    }
    return blocks;
  }

  /** Mounted for writing: features of the journal, mount count and time, what a crash left behind. */
  private startWriting(): void {
    if (this.bdev.bd_read_only) throw EROFS;
    const { es } = this;
    this.clearJournalError();
    this.journal?.set_features((this.incompat & F.INCOMPAT_64BIT) !== 0, this.has_metadata_csum);
    if (es.getUint16(F.S_STATE, true) & F.EXT4_ERROR_FS) this.kernel.printk.warn(`EXT4-fs (${this.bdev.name}): warning: mounting fs with errors, running e2fsck is recommended`);
    es.setUint16(F.S_MNT_COUNT, es.getUint16(F.S_MNT_COUNT, true) + 1, true);
    es.setUint32(F.S_MTIME, this.current_time().sec >>> 0, true);
    if (this.journal === undefined) es.setUint16(F.S_STATE, es.getUint16(F.S_STATE, true) & ~F.EXT4_VALID_FS, true);
    this.askRecovery(true);
    this.dirty_super = true;
    ext4_orphan_cleanup(this);
    this.commit();
  }

  /** What the last user's journal failed with is the file system's error.  cf. ext4_clear_journal_err() */
  private clearJournalError(): void {
    const errno = this.journal?.errno ?? 0;
    if (errno === 0) return;
    this.warning("ext4_clear_journal_err", `Filesystem error recorded from previous mount: ${errno === -EIO.code ? "IO failure" : `error ${-errno}`}`);
    this.warning("ext4_clear_journal_err", "Marking fs in need of filesystem check.");
    this.es.setUint16(F.S_STATE, this.es.getUint16(F.S_STATE, true) | F.EXT4_ERROR_FS, true);
    this.journal!.write_errno(0);
  }
  /** Before an operation that changes something. `allocates` 1: it may need new blocks. Throws EROFS.  cf. ext4_journal_start() */
  journal_start(allocates: number): void {
    if (this.aborted) this.abort("ext4_journal_check_start", "Detected aborted journal");
    if (this.readonly) throw EROFS;
    if (this.transactionFull() || (allocates !== 0 && this.pinned_blocks > 0 && this.free_blocks - this.r_blocks - this.pinned_blocks < PINNED_LIMIT)) this.commit();
    this.cache.trim();
    this.shrink_pages();
    // what is left is mostly dirty
    if (this.nr_pages > this.max_pages) {
      this.commit();
      this.shrink_pages();
    }
    if (this.timer.index < 0) this.kernel.time.timers.add(this.timer, this.kernel.time.monotonic() + this.options.commit * NSEC_PER_SEC);
  }
  /** Reserved blocks are for root. */
  get privileged(): boolean {
    const cred = this.kernel.current?.cred;
    const { resuid, resgid } = this.options;
    return cred === undefined || cred.fsuid === resuid || (resgid !== 0 && in_group_p(cred, resgid)) || cred.cap_effective.has(CAP_SYS_RESOURCE);
  }
  /** So much is dirty that a further step might not fit the journal. */
  transactionFull(): boolean {
    if (this.journal === undefined) return this.dirty_buffers.size > 4096;
    const more = this.dirty_inodes.size + this.dirty_groups.size * 2;
    return this.dirty_buffers.size + more > this.journal.capacity / 2 - 64;
  }
  journal_dirty_metadata(bh: BufferHead): void {
    if (bh.b_dirty) return;
    bh.b_dirty = true;
    this.dirty_buffers.add(bh);
  }
  dirtyInode(inode: Ext4Inode): void {
    this.dirty_inodes.add(inode);
  }
  dirtyData(inode: Ext4Inode): void {
    this.dirty_data.add(inode);
  }
  /** A metadata block is about to be freed. */
  forget_block(block: number): void {
    const bh = this.cache.forget(block);
    if (bh === undefined) return;
    bh.b_dirty = false;
    this.dirty_buffers.delete(bh);
  }

  /** Makes everything that changed one transaction on the device. Does not wait for the host.  cf. jbd2_journal_commit_transaction() */
  commit(): void {
    this.kernel.time.timers.del(this.timer);
    if (this.aborted) throw EROFS;
    if (this.dirty_inodes.size === 0 && this.dirty_data.size === 0 && this.dirty_buffers.size === 0 && this.dirty_groups.size === 0 && !this.dirty_super) return;
    for (const inode of [...this.dirty_data]) inode.mapping.writeback();
    this.dirty_data.clear();
    // storing an inode may give blocks of its map back, which dirties groups
    for (const inode of this.dirty_inodes) inode.store();
    this.dirty_inodes.clear();
    for (const g of this.dirty_groups) storeGroup(this, g);
    this.dirty_groups.clear();
    this.storeSuper();
    const buffers = [...this.dirty_buffers].sort((a, b) => a.b_blocknr - b.b_blocknr);
    for (const bh of buffers) this.finish(bh);
    try {
      this.journal?.write_transaction(buffers, this.current_time().sec);
      for (const bh of buffers) this.writeBlock(bh);
    } catch (e) {
      if (e instanceof Errno) this.abortJournal();
      throw e;
    }
    for (const bh of buffers) bh.b_dirty = false;
    this.dirty_buffers.clear();
    this.dirty_super = false;
    for (const g of this.pinned_groups) g.pinned = undefined;
    this.pinned_groups.clear();
    this.pinned_blocks = 0;
  }
  private writeBlock(bh: BufferHead): void {
    this.bdev.write(bh.b_blocknr * this.s_blocksize, bh.b_data);
  }
  private finish(bh: BufferHead): void {
    if (!this.has_metadata_csum || bh.b_csum === 0) return;
    if (bh.b_csum === F.CSUM_EXTENT) finishExtentBlock(bh);
    else if (bh.b_csum === F.CSUM_XATTR) finishXattrBlock(bh);
    else finishDirBlock(bh);
  }
  /**
   * From mounting for writing until unmounting the super block asks for recovery, also while the journal is empty: so it is told before
   * the journal is first written. Written in place, at moments when there is no transaction.  cf. ext4_mark_recovery_complete()
   */
  private askRecovery(recover: boolean): void {
    if (this.journal === undefined) return;
    this.incompat = recover ? this.incompat | F.INCOMPAT_RECOVER : this.incompat & ~F.INCOMPAT_RECOVER;
    this.es.setUint32(F.S_FEATURE_INCOMPAT, this.incompat, true);
    this.sumSuper();
    this.writeBlock(this.superBh);
  }
  private sumSuper(): void {
    const { es } = this;
    if (this.has_metadata_csum) es.setUint32(F.S_CHECKSUM, crc32c(0xffffffff, new Uint8Array(es.buffer, es.byteOffset, 1024), 0, F.S_CHECKSUM), true);
  }
  private storeSuper(): void {
    const { es } = this;
    es.setUint32(F.S_FEATURE_INCOMPAT, this.incompat, true);
    put64(es, F.S_FREE_BLOCKS_COUNT_LO, F.S_FREE_BLOCKS_COUNT_HI, this.free_blocks);
    es.setUint32(F.S_FREE_INODES_COUNT, this.free_inodes, true);
    es.setUint32(F.S_WTIME, this.current_time().sec >>> 0, true);
    es.setUint32(F.S_LAST_ORPHAN, this.orphans[this.orphans.length - 1]?.i_ino ?? 0, true);
    this.sumSuper();
    this.journal_dirty_metadata(this.superBh);
  }
  /** Asks the disk to become durable, without anybody waiting for it. */
  flushSoon(): void {
    this.bdev.flush()?.catch(() => {});
  }
  override sync_fs(task: Task | undefined): void {
    if (this.aborted) throw this.readonly ? EROFS : EIO;
    if (!this.readonly) this.commit();
    if (task === undefined) this.flushSoon();
    else wait_host(this.kernel, restart_state<HostResult>(task, () => ({})), () => this.bdev.flush());
  }

  // --- inodes, data, groups

  /** The inode, from memory or the table. Throws ESTALE, EUCLEAN, EBADMSG. */
  iget(ino: number, allowFree = false): Ext4Inode {
    const have = this.icache.get(ino);
    if (have !== undefined && !have.i_dead) return have;
    if (ino < 1 || ino > this.s_inodes_count) this.corrupted("ext4_iget", "iget: illegal inode #", { ino });
    const inode = this.makeInode(ino);
    inode.load(allowFree);
    this.icache.set(ino, inode);
    return inode;
  }
  makeInode(ino: number): Ext4Inode {
    return new Ext4Inode(this, ino);
  }
  /** Where the inode is in the table. */
  rawInode(ino: number): { bh: BufferHead; off: number } {
    const g = this.groups[Math.floor((ino - 1) / this.s_inodes_per_group)]!;
    const at = ((ino - 1) % this.s_inodes_per_group) * this.s_inode_size;
    return { bh: this.cache.bread(g.inode_table + Math.floor(at / this.s_blocksize)), off: at % this.s_blocksize };
  }
  zeroRawInode(ino: number): void {
    const { bh, off } = this.rawInode(ino);
    bh.b_data.fill(0, off, off + this.s_inode_size);
    this.journal_dirty_metadata(bh);
  }
  nextGeneration(): number {
    this.generation = (Math.imul(this.generation, 1664525) + 1013904223) >>> 0;
    return this.generation;
  }
  current_time(): Timespec64 {
    return current_time(this.kernel);
  }
  readData(block: number, buf: Uint8Array): void {
    this.bdev.read(block * this.s_blocksize, buf);
  }
  writeData(block: number, buf: Uint8Array): void {
    this.bdev.write(block * this.s_blocksize, buf);
  }
  /**
   * Forgets clean pages while there are too many. Only where an operation begins: what it has read or is about to write must stay until its end.
   * cf. shrink_folio_list()
   */
  shrink_pages(): void {
    if (this.nr_pages <= this.max_pages) return;
    for (const inode of this.icache.values()) {
      inode.mapping.dropClean();
      if (this.nr_pages <= this.max_pages * 0.75) return;
    }
  }
  bg_has_super(group: number, sparse: (group: number) => boolean): boolean {
    if (group === 0) return true;
    if ((this.compat & F.COMPAT_SPARSE_SUPER2) !== 0) return group === this.es.getUint32(0x24c, true) || group === this.es.getUint32(0x250, true);
    return (this.ro_compat & F.RO_COMPAT_SPARSE_SUPER) === 0 || sparse(group);
  }
  /** Blocks at the start of a group for the super block and descriptors.  cf. ext4_num_base_meta_clusters() */
  baseMetaBlocks(group: number): number {
    const perBlock = Math.floor(this.s_blocksize / this.s_desc_size);
    const count = Math.ceil((this.s_blocks_count - this.s_first_data_block) / this.s_blocks_per_group);
    const gdb = Math.ceil(count / perBlock);
    const meta = (this.incompat & F.INCOMPAT_META_BG) !== 0;
    const firstMeta = this.es.getUint32(F.S_FIRST_META_BG, true);
    const here = this.bg_has_super(group, isSparseGroup) ? 1 : 0;
    if (!meta || group < firstMeta * perBlock) {
      if (here === 0) return 0;
      return 1 + (meta ? firstMeta : gdb) + this.es.getUint16(F.S_RESERVED_GDT_BLOCKS, true);
    }
    const first = Math.floor(group / perBlock) * perBlock;
    return here + (group === first || group === first + 1 || group === first + perBlock - 1 ? 1 : 0);
  }

  // --- VFS

  override statfs(): StatFs {
    const u = new DataView(this.uuid.buffer, this.uuid.byteOffset, 16);
    const bfree = Math.max(0, this.free_blocks);
    return {
      type: F.EXT4_SUPER_MAGIC, bsize: this.s_blocksize, blocks: this.s_blocks_count - (this.options.minixdf ? 0 : this.overhead), bfree, bavail: Math.max(0, bfree - this.r_blocks),
      files: this.s_inodes_count, ffree: this.free_inodes, namelen: F.EXT4_NAME_LEN,
      fsid: [(u.getUint32(0, true) ^ u.getUint32(8, true)) >>> 0, (u.getUint32(4, true) ^ u.getUint32(12, true)) >>> 0], flags: 0,
    };
  }
  private setOptions(data: string): void {
    ext4_parse_options(this.kernel, data, this.options);
    this.s_posixacl = this.options.acl;
  }
  override show_options(): string {
    return ext4_show_options(this.options, this.own_options);
  }
  override remount_fs(flags: number, data: string): void {
    const { data: mode } = this.options;
    this.setOptions(data);
    if (this.options.data !== mode && this.options.data !== undefined && (mode ?? "ordered") !== this.options.data) {
      this.options.data = mode;
      this.kernel.printk.err(`EXT4-fs (${this.bdev.name}): Cannot change data mode on remount`);
      throw EINVAL;
    }
    if (this.aborted) this.abort("ext4_remount", "Abort forced by user");
    const ro = (flags & SB_RDONLY) !== 0;
    if (ro && !this.readonly) {
      this.commit();
      this.finishWriting();
      this.bdev.flushAndStop(this.kernel);
      this.readonly = true;
    } else if (!ro && this.readonly) {
      if ((this.ro_compat & ~F.RO_COMPAT_SUPP) !== 0) this.refuse(0, `couldn't mount RDWR because of unsupported optional features (${((this.ro_compat & ~F.RO_COMPAT_SUPP) >>> 0).toString(16)})`);
      this.readonly = false;
      try {
        this.startWriting();
      } catch (e) {
        this.readonly = true;
        throw e;
      }
    }
    this.s_flags = flags;
    this.info(`re-mounted ${uuidText(this.uuid)} ${ro ? "ro" : "r/w"}.`);
  }
  private finishWriting(): void {
    this.journal?.empty();
    this.askRecovery(false);
    if (this.journal === undefined) {
      this.es.setUint16(F.S_STATE, this.es.getUint16(F.S_STATE, true) | F.EXT4_VALID_FS, true);
      this.dirty_super = true;
      this.commit();
    }
  }
  override put_super(): void {
    if (!this.readonly && !this.aborted) {
      for (const inode of [...this.orphans]) if (inode.i_count === 0) inode.evict();
      this.commit();
      this.finishWriting();
    }
    this.kernel.time.timers.del(this.timer);
    if (!this.readonly) this.bdev.flushAndStop(this.kernel);
    this.bdev.bd_holder = undefined;
    this.info(`unmounting filesystem ${uuidText(this.uuid)}.`);
  }

  // --- raw access to the device while mounted

  overlayRead(pos: number, buf: Uint8Array, off: number, len: number): void {
    this.cache.overlay(pos, buf, off, len);
  }
  rawWritten(pos: number, len: number): void {
    this.cache.refresh(pos, len);
  }
}

export function uuidText(u: Uint8Array): string {
  const hex = Array.from(u, (b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** ext4, and what it mounts in place of ext2 and ext3. */
export class Ext4FsType extends FileSystemType {
  readonly name: string;
  override readonly requires_dev = true;
  constructor(name: "ext4" | "ext3" | "ext2") {
    super();
    this.name = name;
  }
  mount(kernel: Kernel, task: Task | undefined, source: string, flags: number, data: string): SuperBlock {
    const bdev = this.device(kernel, task, source);
    if (bdev.bd_holder !== undefined) throw EBUSY;
    if (bdev.bd_read_only && (flags & SB_RDONLY) === 0) throw EROFS;
    const sb = new Ext4SuperBlock(kernel, this, bdev, flags, data);
    const mode = sb.journal === undefined ? "without journal" : `with ${sb.options.data === "journal" ? "journalled" : (sb.options.data ?? "ordered")} data mode`;
    sb.info(`mounted filesystem ${uuidText(sb.uuid)} ${sb.readonly ? "ro" : "r/w"} ${mode}. Quota mode: none.`);
    return sb;
  }
  /** The device that `source` names. Throws ENOTBLK, ENODEV, and what the path says. */
  private device(kernel: Kernel, task: Task | undefined, source: string): BlockDevice {
    if (task === undefined) {
      const bdev = kernel.blkdev.by_name(source.replace(/^\/dev\//, ""));
      if (bdev === undefined) throw ENODEV;
      return bdev;
    }
    const inode = kern_path(task, source).dentry.d_inode!;
    if (!S_ISBLK(inode.i_mode)) throw ENOTBLK;
    const bdev = kernel.blkdev.lookup(inode.i_rdev);
    if (bdev === undefined) throw ENODEV;
    return bdev;
  }
}
