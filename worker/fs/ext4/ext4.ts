// fs/ext4/ext4.ts — constants and layout of ext4 on disk.  cf. fs/ext4/ext4.h, Documentation/filesystems/ext4/

export const EXT4_SUPER_MAGIC = 0xef53;
export const EXT4_ROOT_INO = 2;
export const EXT4_NAME_LEN = 255;
export const EXT4_LINK_MAX = 65000;

// Offsets in the super block (1024 bytes at byte 1024 of the device).
export const S_INODES_COUNT = 0x00;
export const S_BLOCKS_COUNT_LO = 0x04;
export const S_R_BLOCKS_COUNT_LO = 0x08;
export const S_FREE_BLOCKS_COUNT_LO = 0x0c;
export const S_FREE_INODES_COUNT = 0x10;
export const S_FIRST_DATA_BLOCK = 0x14;
export const S_LOG_BLOCK_SIZE = 0x18;
export const S_LOG_CLUSTER_SIZE = 0x1c;
export const S_BLOCKS_PER_GROUP = 0x20;
export const S_CLUSTERS_PER_GROUP = 0x24;
export const S_INODES_PER_GROUP = 0x28;
export const S_MTIME = 0x2c;
export const S_WTIME = 0x30;
export const S_MNT_COUNT = 0x34;
export const S_MAX_MNT_COUNT = 0x36;
export const S_MAGIC = 0x38;
export const S_STATE = 0x3a;
export const S_ERRORS = 0x3c;
export const S_LASTCHECK = 0x40;
export const S_CREATOR_OS = 0x48;
export const S_REV_LEVEL = 0x4c;
export const S_DEF_RESUID = 0x50;
export const S_DEF_RESGID = 0x52;
export const S_FIRST_INO = 0x54;
export const S_INODE_SIZE = 0x58;
export const S_FEATURE_COMPAT = 0x5c;
export const S_FEATURE_INCOMPAT = 0x60;
export const S_FEATURE_RO_COMPAT = 0x64;
export const S_UUID = 0x68;
export const S_VOLUME_NAME = 0x78;
export const S_LAST_MOUNTED = 0x88;
export const S_RESERVED_GDT_BLOCKS = 0xce;
export const S_JOURNAL_UUID = 0xd0;
export const S_JOURNAL_INUM = 0xe0;
export const S_JOURNAL_DEV = 0xe4;
export const S_LAST_ORPHAN = 0xe8;
export const S_HASH_SEED = 0xec;
export const S_DEF_HASH_VERSION = 0xfc;
export const S_JNL_BACKUP_TYPE = 0xfd;
export const S_DESC_SIZE = 0xfe;
export const S_DEFAULT_MOUNT_OPTS = 0x100;
export const S_FIRST_META_BG = 0x104;
export const S_MKFS_TIME = 0x108;
export const S_JNL_BLOCKS = 0x10c;
export const S_BLOCKS_COUNT_HI = 0x150;
export const S_R_BLOCKS_COUNT_HI = 0x154;
export const S_FREE_BLOCKS_COUNT_HI = 0x158;
export const S_MIN_EXTRA_ISIZE = 0x15c;
export const S_WANT_EXTRA_ISIZE = 0x15e;
export const S_FLAGS = 0x160;
export const S_LOG_GROUPS_PER_FLEX = 0x174;
export const S_CHECKSUM_TYPE = 0x175;
export const S_KBYTES_WRITTEN = 0x178;
export const S_ERROR_COUNT = 0x194;
export const S_FIRST_ERROR_TIME = 0x198;
export const S_LAST_ERROR_TIME = 0x1cc;
/** past what is noted of errors */
export const S_ERROR_END = 0x200;
export const S_CHECKSUM_SEED = 0x270;
export const S_ORPHAN_FILE_INUM = 0x280;
export const S_CHECKSUM = 0x3fc;

export const EXT4_VALID_FS = 1;
export const EXT4_ERROR_FS = 2;
export const EXT4_ORPHAN_FS = 4;
export const EXT4_ERRORS_CONTINUE = 1;
export const EXT4_ERRORS_RO = 2;
export const EXT4_ERRORS_PANIC = 3;
export const EXT2_FLAGS_SIGNED_HASH = 1;
export const EXT2_FLAGS_UNSIGNED_HASH = 2;

export const COMPAT_HAS_JOURNAL = 0x4;
export const COMPAT_EXT_ATTR = 0x8;
export const COMPAT_RESIZE_INODE = 0x10;
export const COMPAT_DIR_INDEX = 0x20;
export const COMPAT_SPARSE_SUPER2 = 0x200;
export const COMPAT_ORPHAN_FILE = 0x1000;
export const INCOMPAT_FILETYPE = 0x2;
export const INCOMPAT_RECOVER = 0x4;
export const INCOMPAT_JOURNAL_DEV = 0x8;
export const INCOMPAT_META_BG = 0x10;
export const INCOMPAT_EXTENTS = 0x40;
export const INCOMPAT_64BIT = 0x80;
export const INCOMPAT_FLEX_BG = 0x200;
export const INCOMPAT_CSUM_SEED = 0x2000;
export const INCOMPAT_LARGEDIR = 0x4000;
export const INCOMPAT_SUPP =
  INCOMPAT_FILETYPE |
  INCOMPAT_RECOVER |
  INCOMPAT_META_BG |
  INCOMPAT_EXTENTS |
  INCOMPAT_64BIT |
  INCOMPAT_FLEX_BG |
  INCOMPAT_CSUM_SEED |
  INCOMPAT_LARGEDIR;
export const RO_COMPAT_SPARSE_SUPER = 0x1;
export const RO_COMPAT_LARGE_FILE = 0x2;
export const RO_COMPAT_BTREE_DIR = 0x4;
export const RO_COMPAT_HUGE_FILE = 0x8;
export const RO_COMPAT_GDT_CSUM = 0x10;
export const RO_COMPAT_DIR_NLINK = 0x20;
export const RO_COMPAT_EXTRA_ISIZE = 0x40;
export const RO_COMPAT_METADATA_CSUM = 0x400;
export const RO_COMPAT_READONLY = 0x1000;
export const RO_COMPAT_ORPHAN_PRESENT = 0x10000;
export const RO_COMPAT_SUPP =
  RO_COMPAT_SPARSE_SUPER |
  RO_COMPAT_LARGE_FILE |
  RO_COMPAT_BTREE_DIR |
  RO_COMPAT_HUGE_FILE |
  RO_COMPAT_GDT_CSUM |
  RO_COMPAT_DIR_NLINK |
  RO_COMPAT_EXTRA_ISIZE |
  RO_COMPAT_METADATA_CSUM |
  RO_COMPAT_ORPHAN_PRESENT;

// Group descriptors: flags.
export const BG_INODE_UNINIT = 1;
export const BG_BLOCK_UNINIT = 2;
export const BG_INODE_ZEROED = 4;

// Offsets in an inode.
export const I_MODE = 0x00;
export const I_UID = 0x02;
export const I_SIZE_LO = 0x04;
export const I_ATIME = 0x08;
export const I_CTIME = 0x0c;
export const I_MTIME = 0x10;
export const I_DTIME = 0x14;
export const I_GID = 0x18;
export const I_LINKS_COUNT = 0x1a;
export const I_BLOCKS_LO = 0x1c;
export const I_FLAGS = 0x20;
export const I_VERSION = 0x24;
export const I_BLOCK = 0x28;
export const I_BLOCK_LEN = 60;
export const I_GENERATION = 0x64;
export const I_FILE_ACL_LO = 0x68;
export const I_SIZE_HIGH = 0x6c;
export const I_BLOCKS_HIGH = 0x74;
export const I_FILE_ACL_HIGH = 0x76;
export const I_UID_HIGH = 0x78;
export const I_GID_HIGH = 0x7a;
export const I_CHECKSUM_LO = 0x7c;
export const I_EXTRA_ISIZE = 0x80;
export const I_CHECKSUM_HI = 0x82;
export const I_CTIME_EXTRA = 0x84;
export const I_MTIME_EXTRA = 0x88;
export const I_ATIME_EXTRA = 0x8c;
export const I_CRTIME = 0x90;
export const I_CRTIME_EXTRA = 0x94;
export const GOOD_OLD_INODE_SIZE = 128;

// Inode flags, as FS_IOC_GETFLAGS shows them too.
export const EXT4_SYNC_FL = 0x8;
export const EXT4_IMMUTABLE_FL = 0x10;
export const EXT4_APPEND_FL = 0x20;
export const EXT4_NOATIME_FL = 0x80;
export const EXT4_INDEX_FL = 0x1000;
export const EXT4_TOPDIR_FL = 0x20000;
export const EXT4_HUGE_FILE_FL = 0x40000;
export const EXT4_EXTENTS_FL = 0x80000;
export const EXT4_EA_INODE_FL = 0x200000;
export const EXT4_INLINE_DATA_FL = 0x10000000;
/** what a user sees, and what FS_IOC_SETFLAGS may change */
export const EXT4_FL_USER_VISIBLE = 0x705bdfff;
export const EXT4_FL_USER_MODIFIABLE = 0x604bc0ff;
/** what a new inode inherits from its directory, and what of it suits a file that is no directory / neither directory nor regular file */
export const EXT4_FL_INHERITED = 0x1c4cf;
export const EXT4_REG_FLMASK = ~0x10000;
export const EXT4_OTHER_FLMASK = 0x40 | EXT4_NOATIME_FL;

// Directory entries: inode u32, rec_len u16, name_len u8, file_type u8, name.
export const EXT4_FT_DIR_CSUM = 0xde;

// Kinds of checksums of buffers (BufferHead.b_csum).
export const CSUM_DIR_LEAF = 1;
export const CSUM_DX = 2;
export const CSUM_EXTENT = 3;
export const CSUM_XATTR = 4;

/** bytes of a page of the page cache */
export const PAGE_SIZE = 4096;

/** A 64-bit number as two little-endian 32-bit halves at offsets `lo` and `hi`. */
export function get64(v: DataView, lo: number, hi: number): number {
  return v.getUint32(lo, true) + v.getUint32(hi, true) * 0x100000000;
}
export function put64(v: DataView, lo: number, hi: number, x: number): void {
  v.setUint32(lo, x % 0x100000000, true);
  v.setUint32(hi, Math.floor(x / 0x100000000), true);
}
/** Whether `x` is a power of 3, 5 or 7: groups that hold a copy of the super block under sparse_super. */
export function isSparseGroup(group: number): boolean {
  if (group <= 1) return true;
  for (const base of [3, 5, 7]) {
    let n = base;
    while (n < group) n *= base;
    if (n === group) return true;
  }
  return false;
}
