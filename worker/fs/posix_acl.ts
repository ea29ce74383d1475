// fs/posix_acl.ts — access control lists: what they grant, what new files inherit of them, how programs pass them.  cf. fs/posix_acl.c
//
// A list is an array that is never changed. An inode remembers its own (i_acl, i_default_acl); only a file system whose s_posixacl is set has any.
import { EACCES, EINVAL, EIO, ENODATA, EOPNOTSUPP, EPERM } from "../include/uapi/errno.ts";
import { S_IFMT, S_IFLNK, S_ISDIR, S_ISGID, S_ISLNK } from "../include/uapi/stat.ts";
import { CAP_FOWNER, CAP_FSETID, in_group_p, type Cred } from "../kernel/cred.ts";
import type { Inode } from "./fs.ts";

export const ACL_USER_OBJ = 0x01;
export const ACL_USER = 0x02;
export const ACL_GROUP_OBJ = 0x04;
export const ACL_GROUP = 0x08;
export const ACL_MASK = 0x10;
export const ACL_OTHER = 0x20;
/** the id of an entry that names nobody */
export const ACL_UNDEFINED_ID = 0xffffffff;

export const XATTR_NAME_POSIX_ACL_ACCESS = "system.posix_acl_access";
export const XATTR_NAME_POSIX_ACL_DEFAULT = "system.posix_acl_default";
const POSIX_ACL_XATTR_VERSION = 2;

export type AclType = "access" | "default";

export interface PosixAclEntry {
  readonly e_tag: number;
  readonly e_perm: number;
  /** of a user or group, else ACL_UNDEFINED_ID */
  readonly e_id: number;
}
export type PosixAcl = readonly PosixAclEntry[];

/** The list that an attribute of this name is, undefined for all other names.  cf. is_posix_acl_xattr() */
export function acl_type(name: string): AclType | undefined {
  return name === XATTR_NAME_POSIX_ACL_ACCESS ? "access" : name === XATTR_NAME_POSIX_ACL_DEFAULT ? "default" : undefined;
}
export const namesSomebody = (tag: number): boolean => tag === ACL_USER || tag === ACL_GROUP;

/** A list as programs pass it; null for an empty one. Throws EINVAL, EOPNOTSUPP (another version).  cf. posix_acl_from_xattr() */
export function posix_acl_from_xattr(value: Uint8Array): PosixAcl | null {
  if (value.length === 0) return null;
  const v = new DataView(value.buffer, value.byteOffset, value.length);
  if (value.length < 4) throw EINVAL;
  if (v.getUint32(0, true) !== POSIX_ACL_XATTR_VERSION) throw EOPNOTSUPP;
  if ((value.length - 4) % 8 !== 0) throw EINVAL;
  const acl: PosixAclEntry[] = [];
  for (let at = 4; at < value.length; at += 8) {
    const e_tag = v.getUint16(at, true);
    const e_id = namesSomebody(e_tag) ? v.getUint32(at + 4, true) : ACL_UNDEFINED_ID;
    if (![ACL_USER_OBJ, ACL_USER, ACL_GROUP_OBJ, ACL_GROUP, ACL_MASK, ACL_OTHER].includes(e_tag) || (namesSomebody(e_tag) && e_id === ACL_UNDEFINED_ID)) throw EINVAL;
    acl.push({ e_tag, e_perm: v.getUint16(at + 2, true), e_id });
  }
  return acl.length === 0 ? null : acl;
}
export function posix_acl_to_xattr(acl: PosixAcl): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 + 8 * acl.length));
  out.setUint32(0, POSIX_ACL_XATTR_VERSION, true);
  for (const [i, e] of acl.entries()) {
    out.setUint16(4 + 8 * i, e.e_tag, true);
    out.setUint16(6 + 8 * i, e.e_perm, true);
    out.setUint32(8 + 8 * i, e.e_id, true);
  }
  return new Uint8Array(out.buffer);
}

/** Owner, named users, group, named groups, a mask if anybody is named, others: in this order. Throws EINVAL.  cf. posix_acl_valid() */
export function posix_acl_valid(acl: PosixAcl): void {
  let state = ACL_USER_OBJ;
  let mask = false;
  for (const e of acl) {
    if ((e.e_perm & ~7) !== 0) throw EINVAL;
    switch (e.e_tag) {
      case ACL_USER_OBJ:
        if (state !== ACL_USER_OBJ) throw EINVAL;
        state = ACL_USER;
        break;
      case ACL_USER:
        if (state !== ACL_USER) throw EINVAL;
        mask = true;
        break;
      case ACL_GROUP_OBJ:
        if (state !== ACL_USER) throw EINVAL;
        state = ACL_GROUP;
        break;
      case ACL_GROUP:
        if (state !== ACL_GROUP) throw EINVAL;
        mask = true;
        break;
      case ACL_MASK:
        if (state !== ACL_GROUP) throw EINVAL;
        state = ACL_OTHER;
        break;
      case ACL_OTHER:
        if (state !== ACL_OTHER && (state !== ACL_GROUP || mask)) throw EINVAL;
        state = 0;
        break;
      default:
        throw EINVAL;
    }
  }
  if (state !== 0) throw EINVAL;
}

/** `mode` with the permissions that the list says, and whether they say all of it.  cf. posix_acl_equiv_mode() */
export function posix_acl_equiv_mode(acl: PosixAcl, mode: number): { mode: number; equiv: boolean } {
  const perm = (tag: number): number | undefined => acl.find((e) => e.e_tag === tag)?.e_perm;
  const mask = perm(ACL_MASK);
  const bits = ((perm(ACL_USER_OBJ) ?? 0) << 6) | ((mask ?? perm(ACL_GROUP_OBJ) ?? 0) << 3) | (perm(ACL_OTHER) ?? 0);
  return { mode: (mode & ~0o777) | bits, equiv: mask === undefined && !acl.some((e) => namesSomebody(e.e_tag)) };
}

/** Does the list grant `want` to somebody who is not the owner? Throws EIO for a list that ends without others.  cf. posix_acl_permission() */
export function posix_acl_permission(cred: Cred, inode: Inode, acl: PosixAcl, want: number): boolean {
  want &= 7;
  const grants = (e: PosixAclEntry): boolean => (e.e_perm & want) === want;
  const masked = (e: PosixAclEntry): boolean => grants(e) && grants(acl.find((m) => m.e_tag === ACL_MASK) ?? e);
  let found = false;
  for (const e of acl) {
    switch (e.e_tag) {
      case ACL_USER_OBJ:
        if (inode.i_uid === cred.fsuid) return grants(e);
        break;
      case ACL_USER:
        if (e.e_id === cred.fsuid) return masked(e);
        break;
      case ACL_GROUP_OBJ:
      case ACL_GROUP:
        if (in_group_p(cred, e.e_tag === ACL_GROUP ? e.e_id : inode.i_gid)) {
          found = true;
          if (grants(e)) return masked(e);
        }
        break;
      case ACL_OTHER:
        return !found && grants(e);
      default:
    }
  }
  throw EIO;
}

/** What a new file with `mode` gets of its directory's default list: both become what both grant.  cf. posix_acl_create_masq() */
export function posix_acl_create_masq(acl: PosixAcl, mode: number): { acl: PosixAcl; mode: number; equiv: boolean } {
  const narrowed = chmod_masq(acl, mode, (perm, bits) => perm & bits);
  const m = posix_acl_equiv_mode(narrowed, mode);
  return { acl: narrowed, mode: m.mode, equiv: m.equiv };
}
/** A list after chmod: owner, mask (or group) and others as the mode has them.  cf. __posix_acl_chmod_masq() */
export function posix_acl_chmod_masq(acl: PosixAcl, mode: number): PosixAcl {
  return chmod_masq(acl, mode, (_perm, bits) => bits);
}
function chmod_masq(acl: PosixAcl, mode: number, perm: (perm: number, bits: number) => number): PosixAcl {
  const group = acl.some((e) => e.e_tag === ACL_MASK) ? ACL_MASK : ACL_GROUP_OBJ;
  const shift = (tag: number): number | undefined => (tag === ACL_USER_OBJ ? 6 : tag === group ? 3 : tag === ACL_OTHER ? 0 : undefined);
  return acl.map((e) => {
    const s = shift(e.e_tag);
    return s === undefined ? e : { ...e, e_perm: perm(e.e_perm, (mode >>> s) & 7) };
  });
}

/** The list of an inode, null if it has none: the file system is asked once.  cf. __get_acl() */
export function get_inode_acl(inode: Inode, type: AclType): PosixAcl | null {
  if (!inode.i_sb.s_posixacl || (inode.i_mode & S_IFMT) === S_IFLNK) return null;
  if (type === "access") return inode.i_acl === undefined ? (inode.i_acl = inode.get_acl(type)) : inode.i_acl;
  return inode.i_default_acl === undefined ? (inode.i_default_acl = inode.get_acl(type)) : inode.i_default_acl;
}

/** What a new inode in `dir` gets: permissions, and the lists that the directory hands down. `mode` is not narrowed by `umask` yet: a default list is in its place.  cf. posix_acl_create() */
export function posix_acl_create(dir: Inode, mode: number, umask: number): { mode: number; acl?: PosixAcl; default_acl?: PosixAcl } {
  if (S_ISLNK(mode)) return { mode };
  const p = get_inode_acl(dir, "default");
  if (p === null) return { mode: mode & ~umask };
  const made = posix_acl_create_masq(p, mode);
  return { mode: made.mode, ...(made.equiv ? {} : { acl: made.acl }), ...(S_ISDIR(mode) ? { default_acl: p } : {}) };
}

/** What chmod does to the access list.  cf. posix_acl_chmod() */
export function posix_acl_chmod(inode: Inode, mode: number): void {
  const acl = get_inode_acl(inode, "access");
  if (acl !== null) {
    const changed = posix_acl_chmod_masq(acl, mode);
    inode.set_acl("access", changed, mode);
    inode.i_acl = changed;
  }
}

/** An access list that is set changes the mode; one that the mode says completely is not kept, and a stranger to the group loses set-group-id.  cf. posix_acl_update_mode() */
export function posix_acl_update_mode(cred: Cred, inode: Inode, acl: PosixAcl | null): { mode: number; acl: PosixAcl | null } {
  const m = acl === null ? { mode: inode.i_mode, equiv: true } : posix_acl_equiv_mode(acl, inode.i_mode);
  const mine = in_group_p(cred, inode.i_gid) || cred.cap_effective.has(CAP_FSETID);
  return { mode: mine ? m.mode : m.mode & ~S_ISGID, acl: m.equiv ? null : acl };
}

/** Sets a list, or with null removes it. Throws EOPNOTSUPP, EACCES (a default list of what is no directory), EPERM, EINVAL.  cf. set_posix_acl() */
export function set_posix_acl(cred: Cred, inode: Inode, type: AclType, acl: PosixAcl | null): void {
  if (!inode.i_sb.s_posixacl || S_ISLNK(inode.i_mode)) throw EOPNOTSUPP;
  if (type === "default" && !S_ISDIR(inode.i_mode)) {
    if (acl === null) return;
    throw EACCES;
  }
  if (cred.fsuid !== inode.i_uid && !cred.cap_effective.has(CAP_FOWNER)) throw EPERM;
  if (acl !== null) posix_acl_valid(acl);
  if (type === "default") {
    inode.set_acl(type, acl, inode.i_mode);
    inode.i_default_acl = acl;
    return;
  }
  const to = posix_acl_update_mode(cred, inode, acl);
  inode.set_acl(type, to.acl, to.mode);
  inode.i_acl = to.acl;
}

/** The value of an attribute that is a list. Throws EOPNOTSUPP, ENODATA.  cf. vfs_get_acl() */
export function vfs_get_acl(inode: Inode, type: AclType): Uint8Array {
  if (!inode.i_sb.s_posixacl || S_ISLNK(inode.i_mode)) throw EOPNOTSUPP;
  const acl = get_inode_acl(inode, type);
  if (acl === null) throw ENODATA;
  return posix_acl_to_xattr(acl);
}
