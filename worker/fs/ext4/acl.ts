// fs/ext4/acl.ts — access control lists as they are on disk: version 1, ids only where somebody is named.  cf. fs/ext4/acl.c
import { EIO } from "../../include/uapi/errno.ts";
import { ACL_UNDEFINED_ID, namesSomebody, type PosixAcl, type PosixAclEntry } from "../posix_acl.ts";

const EXT4_ACL_VERSION = 1;

export function ext4_acl_to_disk(acl: PosixAcl): Uint8Array {
  const out = new DataView(new ArrayBuffer(4 + acl.reduce((n, e) => n + (namesSomebody(e.e_tag) ? 8 : 4), 0)));
  out.setUint32(0, EXT4_ACL_VERSION, true);
  let at = 4;
  for (const e of acl) {
    out.setUint16(at, e.e_tag, true);
    out.setUint16(at + 2, e.e_perm, true);
    if (namesSomebody(e.e_tag)) out.setUint32(at + 4, e.e_id, true);
    at += namesSomebody(e.e_tag) ? 8 : 4;
  }
  return new Uint8Array(out.buffer);
}
/** Throws EIO for a damaged one. */
export function ext4_acl_from_disk(value: Uint8Array): PosixAcl | null {
  const v = new DataView(value.buffer, value.byteOffset, value.length);
  if (value.length < 4 || v.getUint32(0, true) !== EXT4_ACL_VERSION) throw EIO;
  const acl: PosixAclEntry[] = [];
  for (let at = 4; at < value.length; ) {
    const e_tag = at + 4 <= value.length ? v.getUint16(at, true) : 0;
    const size = namesSomebody(e_tag) ? 8 : 4;
    if (at + size > value.length) throw EIO;
    acl.push({ e_tag, e_perm: v.getUint16(at + 2, true), e_id: size === 8 ? v.getUint32(at + 4, true) : ACL_UNDEFINED_ID });
    at += size;
  }
  return acl.length === 0 ? null : acl;
}
