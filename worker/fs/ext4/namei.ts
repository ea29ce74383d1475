// fs/ext4/namei.ts — names in directories: find, add, remove, and the operations made of these.  cf. fs/ext4/namei.c
import { EINVAL, EMLINK, ENOENT, ENOSPC, ENOTEMPTY } from "../../include/uapi/errno.ts";
import { S_IFLNK, S_ISBLK, S_ISCHR } from "../../include/uapi/stat.ts";
import type { BufferHead } from "../buffer.ts";
import type { Owner } from "../fs.ts";
import {
  dirBlocks, dirSpace, deleteDentry, dirtyDirBlock, ext4_append, ext4_dir_rec_len, ext4_read_dirblock, ext4_search_dir, ext4_type_by_mode, initDirBlock,
  insertDentry, putDentry,
} from "./dirent.ts";
import { dxAdd, dxFind, make_indexed_dir } from "./dx.ts";
import { COMPAT_DIR_INDEX, EXT4_INDEX_FL, EXT4_LINK_MAX, RO_COMPAT_DIR_NLINK } from "./ext4.ts";
import { ext4_new_inode } from "./ialloc.ts";
import type { Ext4Inode } from "./inode.ts";
import { ext4_orphan_add, ext4_orphan_del } from "./orphan.ts";

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

interface Found {
  bh: BufferHead;
  off: number;
}

/** cf. ext4_find_entry() */
function find(dir: Ext4Inode, name: string): Found | undefined {
  if ((dir.e_flags & EXT4_INDEX_FL) !== 0) return dxFind(dir, name);
  const space = dirSpace(dir);
  for (let b = 0; b < dirBlocks(dir); b++) {
    const bh = ext4_read_dirblock(dir, b, false);
    const off = ext4_search_dir(bh, space, name);
    if (off >= 0) return { bh, off };
  }
  return undefined;
}
function must(dir: Ext4Inode, name: string): Found {
  const found = find(dir, name);
  if (found === undefined) throw ENOENT;
  return found;
}

/** cf. ext4_add_entry() */
function add(dir: Ext4Inode, name: string, inode: Ext4Inode): void {
  const type = ext4_type_by_mode(inode.i_mode);
  if ((dir.e_flags & EXT4_INDEX_FL) !== 0) dxAdd(dir, name, inode.i_ino, type);
  else addLinear(dir, name, inode.i_ino, type);
  touch(dir);
}
function addLinear(dir: Ext4Inode, name: string, ino: number, type: number): void {
  const n = dirBlocks(dir);
  for (let b = 0; b < n; b++) if (insertDentry(dir, ext4_read_dirblock(dir, b, false), name, ino, type)) return;
  if (n === 1 && (dir.i_sb.compat & COMPAT_DIR_INDEX) !== 0) {
    make_indexed_dir(dir, name, ino, type);
    return;
  }
  const { bh } = ext4_append(dir);
  initDirBlock(dir, bh);
  if (!insertDentry(dir, bh, name, ino, type)) throw ENOSPC;
}
function remove(dir: Ext4Inode, name: string): void {
  const { bh, off } = must(dir, name);
  deleteDentry(dir, bh, off);
  touch(dir);
}
/** The entry leads to another inode. */
function setEntry(dir: Ext4Inode, name: string, inode: Ext4Inode): void {
  replaceEntry(dir, name, inode);
  touch(dir);
}
function replaceEntry(dir: Ext4Inode, name: string, inode: Ext4Inode): void {
  const { bh, off } = must(dir, name);
  putDentry(dir, bh, off, name, inode.i_ino, ext4_type_by_mode(inode.i_mode));
  dirtyDirBlock(dir, bh, isIndexBlock(dir, bh));
}
/** A directory has moved: that is no change of its contents.  cf. ext4_rename_dir_finish() */
function setParent(dir: Ext4Inode, parent: Ext4Inode): void {
  replaceEntry(dir, "..", parent);
}
/** "." and ".." of an indexed directory are in the root of the index. */
function isIndexBlock(dir: Ext4Inode, bh: BufferHead): boolean {
  return (dir.e_flags & EXT4_INDEX_FL) !== 0 && bh.b_blocknr === dir.bmap(0);
}
function touch(dir: Ext4Inode): void {
  dir.i_mtime = dir.i_ctime = dir.i_sb.current_time();
  dir.i_version++;
  dir.mark_dirty();
}
function changed(inode: Ext4Inode): void {
  inode.i_ctime = inode.i_sb.current_time();
  inode.mark_dirty();
}

/** A directory has one more subdirectory. Too many to count: nlink 1.  cf. ext4_inc_count() */
function incCount(dir: Ext4Inode): void {
  if (dir.i_nlink === 1) return;
  dir.i_nlink++;
  if (dir.i_nlink >= EXT4_LINK_MAX && (dir.i_sb.ro_compat & RO_COMPAT_DIR_NLINK) !== 0) dir.i_nlink = 1;
  dir.mark_dirty();
}
function decCount(dir: Ext4Inode): void {
  if (dir.i_nlink > 2) dir.i_nlink--;
  dir.mark_dirty();
}
/** Throws EMLINK when the directory can have no further subdirectory. */
function roomForDir(dir: Ext4Inode): void {
  if (dir.i_nlink >= EXT4_LINK_MAX && (dir.i_sb.ro_compat & RO_COMPAT_DIR_NLINK) === 0) throw EMLINK;
}

export function ext4_lookup(dir: Ext4Inode, name: string): Ext4Inode | undefined {
  const found = find(dir, name);
  return found === undefined ? undefined : dir.i_sb.iget(found.bh.view.getUint32(found.off, true));
}

/** Adds the name of a new inode; without room for it the inode is freed again. */
function addNew(dir: Ext4Inode, name: string, inode: Ext4Inode): Ext4Inode {
  try {
    add(dir, name, inode);
  } catch (e) {
    inode.i_nlink = 0;
    inode.evict();
    throw e;
  }
  return inode;
}

export function ext4_create(dir: Ext4Inode, name: string, mode: number, cred: Owner): Ext4Inode {
  dir.i_sb.journal_start(1);
  return addNew(dir, name, ext4_new_inode(dir, mode, cred));
}
export function ext4_tmpfile(dir: Ext4Inode, mode: number, cred: Owner): Ext4Inode {
  dir.i_sb.journal_start(1);
  const inode = ext4_new_inode(dir, mode, cred);
  inode.i_nlink = 0;
  ext4_orphan_add(inode);
  return inode;
}
export function ext4_mknod(dir: Ext4Inode, name: string, mode: number, rdev: number, cred: Owner): Ext4Inode {
  dir.i_sb.journal_start(1);
  const inode = ext4_new_inode(dir, mode, cred);
  if (S_ISCHR(mode) || S_ISBLK(mode)) inode.setRdev(rdev);
  return addNew(dir, name, inode);
}
export function ext4_symlink(dir: Ext4Inode, name: string, target: string, cred: Owner): Ext4Inode {
  dir.i_sb.journal_start(1);
  const inode = ext4_new_inode(dir, S_IFLNK | 0o777, cred);
  try {
    inode.setLink(target);
  } catch (e) {
    inode.i_nlink = 0;
    inode.evict();
    throw e;
  }
  return addNew(dir, name, inode);
}
export function ext4_mkdir(dir: Ext4Inode, name: string, mode: number, cred: Owner): Ext4Inode {
  roomForDir(dir);
  dir.i_sb.journal_start(1);
  const inode = ext4_new_inode(dir, mode, cred);
  try {
    const { bh } = ext4_append(inode);
    initDirBlock(inode, bh);
    dots(inode, bh, dir.i_ino);
  } catch (e) {
    inode.i_nlink = 0;
    inode.evict();
    throw e;
  }
  addNew(dir, name, inode);
  incCount(dir);
  return inode;
}
/** "." and ".." in an empty block; ".." takes all of the rest.  cf. ext4_init_dot_dotdot() */
function dots(inode: Ext4Inode, bh: BufferHead, parent: number): void {
  const dot = ext4_dir_rec_len(1);
  bh.view.setUint16(4, dot, true);
  putDentry(inode, bh, 0, ".", inode.i_ino, 2);
  bh.view.setUint16(dot + 4, dirSpace(inode) - dot, true);
  putDentry(inode, bh, dot, "..", parent, 2);
  dirtyDirBlock(inode, bh);
}

export function ext4_link(dir: Ext4Inode, name: string, inode: Ext4Inode): void {
  if (inode.i_nlink >= EXT4_LINK_MAX) throw EMLINK;
  dir.i_sb.journal_start(1);
  add(dir, name, inode);
  inode.i_nlink++;
  // a file made without a name (O_TMPFILE) gets one
  if (inode.i_nlink === 1) ext4_orphan_del(inode);
  changed(inode);
}
export function ext4_unlink(dir: Ext4Inode, name: string, inode: Ext4Inode): void {
  dir.i_sb.journal_start(0);
  remove(dir, name);
  inode.i_nlink = Math.max(0, inode.i_nlink - 1);
  if (inode.i_nlink === 0) ext4_orphan_add(inode);
  changed(inode);
}
/** Nothing but "." and "..".  cf. ext4_empty_dir() */
function isEmpty(dir: Ext4Inode): boolean {
  let empty = true;
  dir.iterate(2, () => (empty = false));
  return empty;
}
export function ext4_rmdir(dir: Ext4Inode, name: string, inode: Ext4Inode): void {
  if (!isEmpty(inode)) throw ENOTEMPTY;
  dir.i_sb.journal_start(0);
  remove(dir, name);
  inode.i_nlink = 0;
  ext4_orphan_add(inode);
  changed(inode);
  decCount(dir);
}

/** Moves or exchanges.  cf. ext4_rename(), ext4_cross_rename() */
export function ext4_rename(dir: Ext4Inode, name: string, inode: Ext4Inode, newdir: Ext4Inode, newname: string, victim: Ext4Inode | undefined, flags: number): void {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0) throw EINVAL;
  const cross = dir !== newdir;
  if ((flags & RENAME_EXCHANGE) !== 0) {
    if (victim === undefined) throw ENOENT;
    dir.i_sb.journal_start(1);
    setEntry(dir, name, victim);
    setEntry(newdir, newname, inode);
    if (cross) {
      if (inode.is_dir) setParent(inode, newdir);
      if (victim.is_dir) setParent(victim, dir);
      if (inode.is_dir && !victim.is_dir) {
        decCount(dir);
        incCount(newdir);
      } else if (victim.is_dir && !inode.is_dir) {
        decCount(newdir);
        incCount(dir);
      }
    }
    changed(inode);
    changed(victim);
    return;
  }
  if (victim !== undefined && victim.is_dir && !isEmpty(victim)) throw ENOTEMPTY;
  if (inode.is_dir && cross && victim === undefined) roomForDir(newdir);
  dir.i_sb.journal_start(1);
  if (victim !== undefined) setEntry(newdir, newname, inode);
  else add(newdir, newname, inode);
  remove(dir, name);
  if (inode.is_dir && cross) {
    setParent(inode, newdir);
    decCount(dir);
    if (victim === undefined) incCount(newdir);
  }
  changed(inode);
  if (victim === undefined) return;
  if (victim.is_dir) {
    victim.i_nlink = 0;
    if (!cross) decCount(dir);
  } else victim.i_nlink = Math.max(0, victim.i_nlink - 1);
  if (victim.i_nlink === 0) ext4_orphan_add(victim);
  changed(victim);
}
