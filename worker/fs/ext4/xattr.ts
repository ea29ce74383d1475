// fs/ext4/xattr.ts — extended attributes: in the inode behind its fields, and in one block of their own.  cf. fs/ext4/xattr.c
//
// Both places hold entries (name_len u8, name_index u8, value_offs u16, value_inum u32, value_size u32, hash u32, name, padded to 4) that grow up and
// values that grow down. A change writes both anew: what fits stays in the inode, the rest goes into the block.
import { sameBytes } from "../../lib/bytes.ts";
import { ENODATA, ENOSPC, EEXIST, EOPNOTSUPP, ERANGE } from "../../include/uapi/errno.ts";
import { crc32c, crc32c_le32 } from "../../lib/crc32c.ts";
import type { BufferHead } from "../buffer.ts";
import type { AclType, PosixAcl } from "../posix_acl.ts";
import { ext4_acl_from_disk, ext4_acl_to_disk } from "./acl.ts";
import { ext4_free_blocks, ext4_new_blocks } from "./balloc.ts";
import { CSUM_XATTR } from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";

const MAGIC = 0xea020000;
const IN_INODE_HEADER = 4;
const BLOCK_HEADER = 32;
const ENTRY = 16;
const H_REFCOUNT = 4;
const H_BLOCKS = 8;
const H_HASH = 12;
const H_CHECKSUM = 16;
const ACL_ACCESS = 2;
const ACL_DEFAULT = 3;
const aclIndex = (type: AclType): number => (type === "access" ? ACL_ACCESS : ACL_DEFAULT);
const XATTR_CREATE = 1;
const XATTR_REPLACE = 2;
/** names of these indices have the prefix, or are the prefix */
const PREFIXES: readonly (readonly [number, string])[] = [
  [ACL_ACCESS, "system.posix_acl_access"], [ACL_DEFAULT, "system.posix_acl_default"], [1, "user."], [4, "trusted."], [6, "security."],
];

interface Attr {
  readonly index: number;
  readonly name: string;
  value: Uint8Array;
}

const pad = (n: number): number => (n + 3) & ~3;
const size = (a: Attr): number => ENTRY + pad(a.name.length) + pad(a.value.length);

/** Index and rest of a full name. Throws EOPNOTSUPP for a prefix that ext4 has no number for; access lists are asked for by their own operations. */
function split(full: string): { index: number; name: string } {
  for (const [index, prefix] of PREFIXES)
    if (prefix.endsWith(".") && full.startsWith(prefix) && full.length > prefix.length) return { index, name: full.slice(prefix.length) };
  throw EOPNOTSUPP;
}
const fullName = (a: Attr): string | undefined => {
  const p = PREFIXES.find(([index]) => index === a.index)?.[1];
  return p === undefined ? undefined : p + a.name;
};

/** Entries from `at` on; values are at offsets from `base`. */
function parse(bytes: Uint8Array, at: number, base: number): Attr[] {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: Attr[] = [];
  while (at + ENTRY <= bytes.length && v.getUint32(at, true) !== 0) {
    const n = bytes[at]!;
    const offs = base + v.getUint16(at + 2, true);
    const len = v.getUint32(at + 8, true);
    if (at + ENTRY + n > bytes.length || offs + len > bytes.length) break;
    let name = "";
    for (let i = 0; i < n; i++) name += String.fromCharCode(bytes[at + ENTRY + i]!);
    out.push({ index: bytes[at + 1]!, name, value: bytes.slice(offs, offs + len) });
    at += ENTRY + pad(n);
  }
  return out;
}
function bodyHasAttrs({ i_body: b }: Ext4Inode): boolean {
  return b.length >= IN_INODE_HEADER + 4 && new DataView(b.buffer, b.byteOffset, b.length).getUint32(0, true) === MAGIC;
}
function inInode(inode: Ext4Inode): Attr[] {
  return bodyHasAttrs(inode) ? parse(inode.i_body, IN_INODE_HEADER, IN_INODE_HEADER) : [];
}
/** There may be attributes; false: there are none. */
export function ext4_has_xattrs(inode: Ext4Inode): boolean {
  return inode.i_file_acl !== 0 || bodyHasAttrs(inode);
}
function readBlock(inode: Ext4Inode): BufferHead | undefined {
  if (inode.i_file_acl === 0) return undefined;
  const bh = inode.i_sb.cache.bread(inode.i_file_acl);
  if (bh.view.getUint32(0, true) !== MAGIC) return inode.i_sb.corrupted("ext4_xattr_block_get", `bad block ${inode.i_file_acl}`, { ino: inode.i_ino });
  return bh;
}
function inBlock(inode: Ext4Inode): Attr[] {
  const bh = readBlock(inode);
  return bh === undefined ? [] : parse(bh.b_data, BLOCK_HEADER, 0);
}

export function ext4_xattr_get(inode: Ext4Inode, full: string): Uint8Array {
  const { index, name } = split(full);
  const a = [...inInode(inode), ...inBlock(inode)].find((x) => x.index === index && x.name === name);
  if (a === undefined) throw ENODATA;
  return a.value;
}
/** Throws EIO for a damaged one.  cf. ext4_get_acl() */
export function ext4_get_acl(inode: Ext4Inode, type: AclType): PosixAcl | null {
  const index = aclIndex(type);
  const a = [...inInode(inode), ...inBlock(inode)].find((x) => x.index === index);
  return a === undefined ? null : ext4_acl_from_disk(a.value);
}
/** cf. __ext4_set_acl() */
export function ext4_set_acl(inode: Ext4Inode, type: AclType, acl: PosixAcl | null): void {
  const index = aclIndex(type);
  if (acl !== null) store(inode, index, "", ext4_acl_to_disk(acl), 0);
  else if ([...inInode(inode), ...inBlock(inode)].some((x) => x.index === index)) store(inode, index, "", undefined, 0);
}
export function ext4_listxattr(inode: Ext4Inode): string[] {
  const acls = inode.i_sb.s_posixacl;
  return [...inInode(inode), ...inBlock(inode)].filter((a) => acls || (a.index !== ACL_ACCESS && a.index !== ACL_DEFAULT)).map(fullName).filter((n): n is string => n !== undefined);
}

/** Sets, or with `value` undefined removes. Throws ENODATA, EEXIST, ENOSPC, ERANGE. */
export function ext4_xattr_set(inode: Ext4Inode, full: string, value: Uint8Array | undefined, flags: number): void {
  const { index, name } = split(full);
  inode.i_sb.journal_start(1);
  store(inode, index, name, value, flags);
}
function store(inode: Ext4Inode, index: number, name: string, value: Uint8Array | undefined, flags: number): void {
  const sb = inode.i_sb;
  const all = [...inInode(inode), ...inBlock(inode)];
  const old = all.find((x) => x.index === index && x.name === name);
  if (old === undefined && (value === undefined || (flags & XATTR_REPLACE) !== 0)) throw ENODATA;
  if (old !== undefined && value !== undefined && (flags & XATTR_CREATE) !== 0) throw EEXIST;
  if (name.length > 255) throw ERANGE;
  if (old !== undefined && value !== undefined && sameBytes(old.value, value)) return;
  const next = all.filter((x) => x !== old);
  if (value !== undefined) next.push({ index, name, value: value.slice() });
  // small ones stay in the inode; Linux keeps entries sorted by index, length of name, name
  next.sort((a, b) => a.index - b.index || a.name.length - b.name.length || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const here: Attr[] = [];
  const there: Attr[] = [];
  let room = inode.i_body.length - IN_INODE_HEADER - 4;
  for (const a of next) {
    if (size(a) <= room) {
      here.push(a);
      room -= size(a);
    } else there.push(a);
  }
  if (BLOCK_HEADER + 4 + there.reduce((n, a) => n + size(a), 0) > sb.s_blocksize) throw ENOSPC;
  storeBlock(inode, there);
  storeInInode(inode, here);
  inode.i_ctime = sb.current_time();
  inode.mark_dirty();
}

/** Writes entries from `at` on, values down from the end. `hashes`: entry hashes are only kept in blocks. */
function put(bytes: Uint8Array, at: number, base: number, attrs: readonly Attr[], hashes: boolean): number {
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = bytes.length;
  let all = 0;
  for (const a of attrs) {
    end -= pad(a.value.length);
    bytes[at] = a.name.length;
    bytes[at + 1] = a.index;
    v.setUint16(at + 2, a.value.length === 0 ? 0 : end - base, true);
    v.setUint32(at + 8, a.value.length, true);
    bytes.set(a.value, end);
    const hash = hashes ? entryHash(a) : 0;
    v.setUint32(at + 12, hash, true);
    all = ((all << 16) ^ (all >>> 16) ^ hash) >>> 0;
    for (let i = 0; i < a.name.length; i++) bytes[at + ENTRY + i] = a.name.charCodeAt(i);
    at += ENTRY + pad(a.name.length);
  }
  return all;
}
/** cf. ext4_xattr_hash_entry() */
function entryHash(a: Attr): number {
  let h = 0;
  for (let i = 0; i < a.name.length; i++) h = ((h << 5) ^ (h >>> 27) ^ a.name.charCodeAt(i)) >>> 0;
  const padded = new Uint8Array(pad(a.value.length));
  padded.set(a.value);
  const v = new DataView(padded.buffer);
  for (let i = 0; i < padded.length; i += 4) h = ((h << 16) ^ (h >>> 16) ^ v.getUint32(i, true)) >>> 0;
  return h;
}
function storeInInode(inode: Ext4Inode, attrs: readonly Attr[]): void {
  inode.i_body.fill(0);
  if (attrs.length === 0) return;
  new DataView(inode.i_body.buffer, inode.i_body.byteOffset).setUint32(0, MAGIC, true);
  put(inode.i_body, IN_INODE_HEADER, IN_INODE_HEADER, attrs, false);
}
function storeBlock(inode: Ext4Inode, attrs: readonly Attr[]): void {
  const sb = inode.i_sb;
  const old = readBlock(inode);
  const shared = old !== undefined && old.view.getUint32(H_REFCOUNT, true) > 1;
  if (attrs.length === 0) {
    freeXattrBlock(inode);
    return;
  }
  if (old === undefined || shared) {
    const run = ext4_new_blocks(sb, inode.groupGoal(), 1);
    if (shared) dropReference(inode, old);
    else inode.i_blocks += sb.s_blocksize / 512;
    inode.i_file_acl = run.start;
  }
  const bh = sb.cache.getblk(inode.i_file_acl);
  bh.view.setUint32(0, MAGIC, true);
  bh.view.setUint32(H_REFCOUNT, 1, true);
  bh.view.setUint32(H_BLOCKS, 1, true);
  bh.view.setUint32(H_HASH, put(bh.b_data, BLOCK_HEADER, 0, attrs, true), true);
  dirtyBlock(inode, bh);
}
function dirtyBlock(inode: Ext4Inode, bh: BufferHead): void {
  bh.b_csum = CSUM_XATTR;
  bh.b_seed = crc32c_le32(crc32c_le32(inode.i_sb.csum_seed, bh.b_blocknr % 0x100000000), Math.floor(bh.b_blocknr / 0x100000000));
  inode.i_sb.journal_dirty_metadata(bh);
}
function dropReference(inode: Ext4Inode, bh: BufferHead): void {
  bh.view.setUint32(H_REFCOUNT, bh.view.getUint32(H_REFCOUNT, true) - 1, true);
  dirtyBlock(inode, bh);
}

/** The inode has no attribute block any more: it is freed unless others use it too. */
export function freeXattrBlock(inode: Ext4Inode): void {
  const bh = readBlock(inode);
  if (bh === undefined) return;
  const sb = inode.i_sb;
  if (bh.view.getUint32(H_REFCOUNT, true) > 1) dropReference(inode, bh);
  else {
    sb.forget_block(inode.i_file_acl);
    ext4_free_blocks(sb, inode.i_file_acl, 1);
  }
  inode.i_blocks -= sb.s_blocksize / 512;
  inode.i_file_acl = 0;
  inode.mark_dirty();
}

const ZERO4 = new Uint8Array(4);
/** Puts the checksum into an attribute block before it is written; its seed includes the block's number. */
export function finishXattrBlock(bh: BufferHead): void {
  const c = crc32c(crc32c(crc32c(bh.b_seed, bh.b_data, 0, H_CHECKSUM), ZERO4), bh.b_data, H_CHECKSUM + 4);
  bh.view.setUint32(H_CHECKSUM, c, true);
}
