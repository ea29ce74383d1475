// fs/ext4/file.ts — an open regular file.  cf. fs/ext4/file.c, extents.c (fallocate)
import { SEEK_DATA, SEEK_HOLE } from "../../include/uapi/fcntl.ts";
import { EFBIG, EINVAL, ENXIO, EOPNOTSUPP, EPERM } from "../../include/uapi/errno.ts";
import type { Task } from "../../kernel/task.ts";
import { GenericFops } from "../generic_file.ts";
import { S_IMMUTABLE, file_accessed } from "../inode.ts";
import { FMODE_CAN_ODIRECT, FMODE_LSEEK, FMODE_NOWAIT, type File } from "../fs.ts";
import { EXT4_EXTENTS_FL, PAGE_SIZE } from "./ext4.ts";
import type { Ext4Inode } from "./inode.ts";

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_COLLAPSE_RANGE = 8;
const FALLOC_FL_ZERO_RANGE = 16;
const FALLOC_FL_INSERT_RANGE = 32;

export class Ext4Fops extends GenericFops {
  override get f_mode(): number {
    return FMODE_LSEEK | FMODE_CAN_ODIRECT | FMODE_NOWAIT;
  }
  override read(file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const inode = file.f_inode as Ext4Inode;
    if (len === 0 || pos >= inode.maxBytes) return 0;
    // one that finds the end is a read, too
    file_accessed(file);
    const n = Math.min(len, inode.i_size - pos);
    if (n <= 0) return 0;
    inode.mapping.read(buf, off, n, pos);
    return n;
  }
  override write(file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const inode = file.f_inode as Ext4Inode;
    const sb = inode.i_sb;
    if (len === 0) return 0;
    if ((inode.i_flags & S_IMMUTABLE) !== 0) throw EPERM;
    if (pos >= inode.maxBytes) throw EFBIG;
    sb.journal_start(1);
    const want = Math.min(len, inode.maxBytes - pos);
    if (pos > inode.i_size) inode.mapping.zeroTail(inode.i_size);
    const n = inode.mapping.write(buf, off, want, pos);
    if (pos + n > inode.i_size) inode.i_size = pos + n;
    inode.i_mtime = inode.i_ctime = sb.current_time();
    inode.i_version++;
    inode.mark_dirty();
    return n;
  }
  /** SEEK_DATA and SEEK_HOLE by what has blocks; what was written and has none yet is data.  cf. ext4_llseek(), iomap_seek_hole() */
  override llseek(file: File, task: Task, off: number, whence: number): number {
    if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return super.llseek(file, task, off, whence);
    const inode = file.f_inode as Ext4Inode;
    if (off < 0 || off >= inode.i_size) throw ENXIO;
    const bs = inode.i_sb.s_blocksize;
    const { map } = inode;
    const end = Math.ceil(inode.i_size / bs);
    for (let b = Math.floor(off / bs); b < end; ) {
      map.lookup(b);
      let run = Math.min(map.m_n, end - b);
      let data = map.m_p !== 0 && !map.m_u;
      if (!data) {
        const dirty = inode.mapping.next_dirty(b, b + run);
        data = dirty === b;
        run = data ? 1 : dirty - b;
      }
      if (data === (whence === SEEK_DATA)) return (file.f_pos = Math.max(off, b * bs));
      b += run;
    }
    if (whence === SEEK_DATA) throw ENXIO;
    return (file.f_pos = inode.i_size);
  }
  override get mmap_capabilities(): "copy" {
    return "copy";
  }
  override fallocate(file: File, _task: Task, mode: number, off: number, len: number): void {
    const inode = file.f_inode as Ext4Inode;
    const sb = inode.i_sb;
    const bs = sb.s_blocksize;
    if (mode === FALLOC_FL_COLLAPSE_RANGE || mode === FALLOC_FL_INSERT_RANGE) {
      this.move(inode, mode === FALLOC_FL_INSERT_RANGE, off, len);
      return;
    }
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) !== 0) throw EOPNOTSUPP;
    if (off + len > inode.maxBytes) throw EFBIG;
    sb.journal_start(1);
    const end = off + len;
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) {
      if ((mode & FALLOC_FL_KEEP_SIZE) === 0) throw EOPNOTSUPP;
      inode.mapping.punch(off, Math.min(end, inode.i_size));
      const from = Math.ceil(off / bs);
      const to = Math.floor(end / bs);
      if (to > from) inode.freeRange(from, to - from);
    } else {
      if ((mode & FALLOC_FL_ZERO_RANGE) !== 0) {
        inode.mapping.punch(off, Math.min(end, inode.i_size));
        const from = Math.ceil(off / bs);
        const to = Math.floor(end / bs);
        if (to > from) inode.freeRange(from, to - from);
      }
      const first = Math.floor(off / bs);
      const count = Math.ceil(end / bs) - first;
      if (inode.i_size % bs !== 0) inode.mapping.zeroTail(inode.i_size);
      for (let done = 0; done < count; ) {
        const n = inode.ext4_map_blocks(first + done, count - done, true);
        if (n === 0) throw EINVAL;
        done += n;
      }
      if ((mode & FALLOC_FL_KEEP_SIZE) === 0 && end > inode.i_size) inode.i_size = end;
    }
    inode.i_mtime = inode.i_ctime = sb.current_time();
    inode.i_version++;
    inode.mark_dirty();
  }
  /** What lies behind a place moves: to make room for a hole, or to fill the place of what is taken out.  cf. ext4_insert_range(), ext4_collapse_range() */
  private move(inode: Ext4Inode, insert: boolean, off: number, len: number): void {
    const sb = inode.i_sb;
    const bs = sb.s_blocksize;
    if ((inode.e_flags & EXT4_EXTENTS_FL) === 0) throw EOPNOTSUPP;
    if (off % bs !== 0 || len % bs !== 0) throw EINVAL;
    if (insert) {
      if (inode.i_size > inode.maxBytes - len) throw EFBIG;
      if (off >= inode.i_size) throw EINVAL;
    } else if (off + len >= inode.i_size) throw EINVAL;
    // pages are by place: what is in memory goes to its blocks, and is read again from where they then are
    sb.commit();
    sb.journal_start(1);
    inode.mapping.drop(Math.floor(off / PAGE_SIZE), Infinity);
    if (insert) inode.map.shift(off / bs, len / bs);
    else {
      inode.freeRange(off / bs, len / bs);
      inode.map.shift((off + len) / bs, -len / bs);
    }
    inode.i_size += insert ? len : -len;
    inode.i_mtime = inode.i_ctime = sb.current_time();
    inode.i_version++;
    inode.mark_dirty();
  }
}
export const ext4_file_operations = new Ext4Fops();
