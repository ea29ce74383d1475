// fs/ext4/orphan.ts — inodes that must be truncated or deleted even if the machine dies: the list on disk, and the clean-up at mount.
// cf. fs/ext4/orphan.c
//
// The list is chained through i_dtime, from s_last_orphan on; here it is `sb.orphans`, newest last.
import { Errno } from "../../include/uapi/errno.ts";
import { S_ISREG, S_ISDIR, S_ISLNK } from "../../include/uapi/stat.ts";
import { crc32c, crc32c_le32 } from "../../lib/crc32c.ts";
import { COMPAT_ORPHAN_FILE, RO_COMPAT_ORPHAN_PRESENT, S_FEATURE_RO_COMPAT, S_LAST_ORPHAN, S_ORPHAN_FILE_INUM } from "./ext4.ts";
import { ext4_free_inode, inodeInUse } from "./ialloc.ts";
import type { Ext4Inode } from "./inode.ts";
import type { Ext4SuperBlock } from "./super.ts";
import { ext4_truncate } from "./truncate.ts";
import { freeXattrBlock } from "./xattr.ts";

export function ext4_orphan_add(inode: Ext4Inode): void {
  if (inode.i_orphan) return;
  const sb = inode.i_sb;
  inode.i_orphan = true;
  const last = sb.orphans[sb.orphans.length - 1];
  inode.i_dtime = last === undefined ? 0 : last.i_ino;
  sb.orphans.push(inode);
  sb.dirty_super = true;
  inode.mark_dirty();
}

export function ext4_orphan_del(inode: Ext4Inode): void {
  if (!inode.i_orphan) return;
  const sb = inode.i_sb;
  inode.i_orphan = false;
  const i = sb.orphans.lastIndexOf(inode);
  sb.orphans.splice(i, 1);
  const next = sb.orphans[i];
  if (next !== undefined) {
    next.i_dtime = inode.i_dtime;
    next.mark_dirty();
  }
  inode.i_dtime = 0;
  sb.dirty_super = true;
  inode.mark_dirty();
}

/** The last user of an inode without names is gone: frees its blocks and the inode.  cf. ext4_evict_inode() */
export function ext4_evict_inode(inode: Ext4Inode): void {
  const sb = inode.i_sb;
  if (inode.i_dead || inode.i_nlink !== 0) return;
  if (sb.readonly) {
    // nothing can be freed; the next mount that may write does it
    inode.mapping.drop(0, Infinity);
    return;
  }
  sb.journal_start(0);
  try {
    inode.mapping.drop(0, Infinity);
    if (inode.hasBlocks) {
      inode.i_size = 0;
      ext4_truncate(inode);
    }
    freeXattrBlock(inode);
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
    // a corrupted map: what can't be found can't be freed
    sb.error("ext4_evict_inode", `couldn't truncate inode ${inode.i_ino} (err ${-e.code})`, { ino: inode.i_ino }, e);
  }
  ext4_orphan_del(inode);
  ext4_free_inode(inode);
  inode.i_size = 0;
  inode.i_dtime = sb.current_time().sec;
  inode.i_dead = true;
  inode.mark_dirty();
}

/** What a crash left to be deleted or truncated.  cf. ext4_orphan_cleanup() */
export function ext4_orphan_cleanup(sb: Ext4SuperBlock): void {
  const inos: number[] = [];
  for (let ino = sb.es.getUint32(S_LAST_ORPHAN, true); ino !== 0 && inos.length < sb.s_inodes_count; ) {
    const inode = orphanGet(sb, ino);
    if (inode === undefined || inos.includes(ino)) break;
    inos.push(ino);
    ino = inode.i_dtime;
  }
  const first = inos.length;
  if (sb.compat & COMPAT_ORPHAN_FILE && sb.ro_compat & RO_COMPAT_ORPHAN_PRESENT) inos.push(...takeOrphanFile(sb));
  // Newest first on disk, newest last here.
  for (let i = first - 1; i >= 0; i--) {
    const inode = orphanGet(sb, inos[i]);
    if (inode === undefined || inode.i_orphan) continue;
    inode.i_orphan = true;
    sb.orphans.push(inode);
  }
  let deleted = 0;
  let truncated = 0;
  for (const ino of inos) {
    sb.journal_start(0);
    const inode = orphanGet(sb, ino);
    if (inode === undefined) continue;
    if (inode.i_nlink > 0) {
      if (S_ISREG(inode.i_mode) || S_ISDIR(inode.i_mode) || S_ISLNK(inode.i_mode)) {
        inode.mapping.truncate(inode.i_size);
        ext4_truncate(inode);
      }
      ext4_orphan_del(inode);
      truncated++;
    } else {
      ext4_evict_inode(inode);
      deleted++;
    }
  }
  sb.es.setUint32(S_LAST_ORPHAN, 0, true);
  sb.dirty_super = true;
  if (deleted > 0) sb.info(`${deleted} orphan inode${deleted > 1 ? "s" : ""} deleted`);
  if (truncated > 0) sb.info(`${truncated} truncate${truncated > 1 ? "s" : ""} cleaned up`);
}

function orphanGet(sb: Ext4SuperBlock, ino: number): Ext4Inode | undefined {
  if (ino < sb.s_first_ino || ino > sb.s_inodes_count || !inodeInUse(sb, ino)) {
    sb.error("ext4_orphan_get", `bad orphan inode ${ino}`);
    return undefined;
  }
  try {
    return sb.iget(ino, true);
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
    return undefined;
  }
}

/** Inode numbers in the orphan file, which is emptied. We keep our own orphans in the list, so it stays empty. */
function takeOrphanFile(sb: Ext4SuperBlock): number[] {
  const file = sb.iget(sb.es.getUint32(S_ORPHAN_FILE_INUM, true), true);
  const found: number[] = [];
  const bs = sb.s_blocksize;
  const n = (bs - 8) / 4;
  for (let b = 0; b < Math.ceil(file.i_size / bs); b++) {
    const p = file.bmap(b);
    if (p === 0) continue;
    const bh = sb.cache.bread(p);
    for (let i = 0; i < n; i++) {
      const ino = bh.view.getUint32(i * 4, true);
      if (ino !== 0) found.push(ino);
      bh.view.setUint32(i * 4, 0, true);
    }
    if (sb.has_metadata_csum) {
      const le = crc32c_le32(crc32c_le32(file.csum_seed, p % 0x100000000), Math.floor(p / 0x100000000));
      bh.view.setUint32(bs - 4, crc32c(le, bh.b_data, 0, bs - 8), true);
    }
    sb.journal_dirty_metadata(bh);
  }
  sb.ro_compat &= ~RO_COMPAT_ORPHAN_PRESENT;
  sb.es.setUint32(S_FEATURE_RO_COMPAT, sb.ro_compat, true);
  sb.dirty_super = true;
  return found;
}
