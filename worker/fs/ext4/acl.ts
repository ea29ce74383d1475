// fs/ext4/acl.ts — POSIX access control lists as programs pass them (version 2) and as they are on disk (version 1).  cf. fs/ext4/acl.c, fs/posix_acl.c
//
// They are stored and given back, and set the mode's bits; permission is decided by the mode alone.
import { EACCES, EINVAL, EIO, EOPNOTSUPP } from "../../include/uapi/errno.ts";
import type { Ext4Inode } from "./inode.ts";

const USER_VERSION = 2;
const DISK_VERSION = 1;
const ACL_USER_OBJ = 0x01;
const ACL_USER = 0x02;
const ACL_GROUP_OBJ = 0x04;
const ACL_GROUP = 0x08;
const ACL_MASK = 0x10;
const ACL_OTHER = 0x20;
const NO_ID = 0xffffffff;

interface AclEntry {
  readonly tag: number;
  readonly perm: number;
  readonly id: number;
}

const named = (tag: number): boolean => tag === ACL_USER || tag === ACL_GROUP;

/** Throws EOPNOTSUPP for another version, EINVAL for what is no list.  cf. posix_acl_from_xattr() */
function fromUser(value: Uint8Array): AclEntry[] {
  const v = new DataView(value.buffer, value.byteOffset, value.length);
  if (value.length < 4 || (value.length - 4) % 8 !== 0) throw EINVAL;
  if (v.getUint32(0, true) !== USER_VERSION) throw EOPNOTSUPP;
  return Array.from({ length: (value.length - 4) / 8 }, (_, i) => {
    const at = 4 + 8 * i;
    const tag = v.getUint16(at, true);
    return { tag, perm: v.getUint16(at + 2, true), id: named(tag) ? v.getUint32(at + 4, true) : NO_ID };
  });
}
/** cf. ext4_acl_to_disk() */
function toDisk(acl: readonly AclEntry[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 + acl.reduce((n, e) => n + (named(e.tag) ? 8 : 4), 0)));
  out.setUint32(0, DISK_VERSION, true);
  let at = 4;
  for (const e of acl) {
    out.setUint16(at, e.tag, true);
    out.setUint16(at + 2, e.perm, true);
    if (named(e.tag)) out.setUint32(at + 4, e.id, true);
    at += named(e.tag) ? 8 : 4;
  }
  return new Uint8Array(out.buffer);
}
/** A list on disk as programs have it. Throws EIO for a damaged one.  cf. ext4_acl_from_disk() */
export function ext4_acl_from_disk(value: Uint8Array): Uint8Array {
  const v = new DataView(value.buffer, value.byteOffset, value.length);
  if (value.length < 4 || v.getUint32(0, true) !== DISK_VERSION) throw EIO;
  const acl: AclEntry[] = [];
  for (let at = 4; at < value.length; ) {
    const tag = at + 4 <= value.length ? v.getUint16(at, true) : 0;
    const size = named(tag) ? 8 : 4;
    if (at + size > value.length) throw EIO;
    acl.push({ tag, perm: v.getUint16(at + 2, true), id: size === 8 ? v.getUint32(at + 4, true) : NO_ID });
    at += size;
  }
  const out = new DataView(new ArrayBuffer(4 + 8 * acl.length));
  out.setUint32(0, USER_VERSION, true);
  acl.forEach((e, i) => {
    out.setUint16(4 + 8 * i, e.tag, true);
    out.setUint16(6 + 8 * i, e.perm, true);
    out.setUint32(8 + 8 * i, e.id, true);
  });
  return new Uint8Array(out.buffer);
}

/** Owner, named users, group, named groups, a mask if anybody is named, others: in this order.  cf. posix_acl_valid() */
function valid(acl: readonly AclEntry[]): boolean {
  const tags = acl.map((e) => e.tag);
  const order = [ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK, ACL_OTHER].flatMap((t) => tags.filter((x) => x === t));
  const one = (tag: number): boolean => tags.filter((t) => t === tag).length === 1;
  return (
    order.length === tags.length && order.every((t, i) => t === tags[i]) && one(ACL_USER_OBJ) && one(ACL_GROUP_OBJ) && one(ACL_OTHER) && (one(ACL_MASK) || !tags.some((t) => named(t) || t === ACL_MASK)) &&
    acl.every((e) => (e.perm & ~7) === 0 && (!named(e.tag) || e.id !== NO_ID))
  );
}

/**
 * What is to be stored for a list that a program sets; undefined: nothing, as the mode says it all (or the list is empty). An access list changes the inode's mode.
 * Throws EINVAL, EOPNOTSUPP, EACCES (a default list of what is no directory).  cf. ext4_set_acl()
 */
export function ext4_acl_to_disk(inode: Ext4Inode, access: boolean, value: Uint8Array): Uint8Array | undefined {
  const acl = fromUser(value);
  if (!access && !inode.is_dir) throw EACCES;
  if (acl.length === 0) return undefined;
  if (!valid(acl)) throw EINVAL;
  if (!access) return toDisk(acl);
  const perm = (tag: number): number | undefined => acl.find((e) => e.tag === tag)?.perm;
  const group = perm(ACL_MASK) ?? perm(ACL_GROUP_OBJ)!;
  inode.i_mode = (inode.i_mode & ~0o777) | (perm(ACL_USER_OBJ)! << 6) | (group << 3) | perm(ACL_OTHER)!;
  return acl.length === 3 ? undefined : toDisk(acl);
}
/** An access list after chmod: owner, mask (or group) and others as the mode has them.  cf. __posix_acl_chmod() */
export function ext4_acl_chmod(value: Uint8Array, mode: number): Uint8Array {
  const acl = fromUser(ext4_acl_from_disk(value));
  const mask = acl.some((e) => e.tag === ACL_MASK);
  const bits = (e: AclEntry): number => (e.tag === ACL_USER_OBJ ? mode >> 6 : e.tag === ACL_OTHER ? mode : e.tag === (mask ? ACL_MASK : ACL_GROUP_OBJ) ? mode >> 3 : e.perm) & 7;
  return toDisk(acl.map((e) => ({ ...e, perm: bits(e) })));
}
