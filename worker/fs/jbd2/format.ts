// fs/jbd2/format.ts — the journal on disk: big-endian blocks of a file.  cf. include/linux/jbd2.h
export const JBD2_MAGIC = 0xc03b3998;
export const JBD2_DESCRIPTOR_BLOCK = 1;
export const JBD2_COMMIT_BLOCK = 2;
export const JBD2_SUPERBLOCK_V1 = 3;
export const JBD2_SUPERBLOCK_V2 = 4;
export const JBD2_REVOKE_BLOCK = 5;
export const JBD2_FLAG_ESCAPE = 1;
export const JBD2_FLAG_SAME_UUID = 2;
export const JBD2_FLAG_LAST_TAG = 8;
export const JBD2_INCOMPAT_REVOKE = 0x1;
export const JBD2_INCOMPAT_64BIT = 0x2;
export const JBD2_INCOMPAT_ASYNC_COMMIT = 0x4;
export const JBD2_INCOMPAT_CSUM_V2 = 0x8;
export const JBD2_INCOMPAT_CSUM_V3 = 0x10;
export const JBD2_KNOWN_INCOMPAT = JBD2_INCOMPAT_REVOKE | JBD2_INCOMPAT_64BIT | JBD2_INCOMPAT_ASYNC_COMMIT | JBD2_INCOMPAT_CSUM_V2 | JBD2_INCOMPAT_CSUM_V3;
export const JBD2_CRC32C_CHKSUM = 4;

// Offsets in the journal's super block.
export const J_BLOCKSIZE = 0x0c;
export const J_MAXLEN = 0x10;
export const J_FIRST = 0x14;
export const J_SEQUENCE = 0x18;
export const J_START = 0x1c;
export const J_ERRNO = 0x20;
export const J_FEATURE_INCOMPAT = 0x28;
export const J_UUID = 0x30;
export const J_CHECKSUM_TYPE = 0x50;
export const J_CHECKSUM = 0xfc;
export const J_SUPER_SIZE = 1024;
/** of a descriptor or revoke block, and of the checksum in a commit block */
export const J_HEADER = 12;
export const COMMIT_CHECKSUM = 0x10;
export const COMMIT_SEC = 0x30;

/** Bytes of one tag of a descriptor block. */
export function journal_tag_bytes(incompat: number): number {
  if (incompat & JBD2_INCOMPAT_CSUM_V3) return 16;
  const size = 12 + (incompat & JBD2_INCOMPAT_CSUM_V2 ? 2 : 0);
  return incompat & JBD2_INCOMPAT_64BIT ? size : size - 4;
}
