// fs/ext4/file.ts — an open regular file.  cf. fs/ext4/file.c, extents.c (fallocate)
import { EFBIG, EINVAL, EOPNOTSUPP } from "../../include/uapi/errno.ts";
import type { Task } from "../../kernel/task.ts";
import { GenericFile } from "../generic_file.ts";
import { file_accessed } from "../inode.ts";
import type { Path } from "../fs.ts";
import type { Ext4Inode } from "./inode.ts";

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_ZERO_RANGE = 16;

export class Ext4File extends GenericFile {
  declare f_inode: Ext4Inode;
  constructor(path: Path | undefined, inode: Ext4Inode, flags: number) {
    super(path, inode, flags);
  }
  override read(_task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const inode = this.f_inode;
    const n = Math.min(len, inode.i_size - pos);
    if (n <= 0) return 0;
    inode.mapping.read(buf, off, n, pos);
    file_accessed(this);
    return n;
  }
  override write(_task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const inode = this.f_inode;
    const sb = inode.i_sb;
    if (len === 0) return 0;
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
  override get mmap_capabilities(): "copy" {
    return "copy";
  }
  override fallocate(_task: Task, mode: number, off: number, len: number): void {
    const inode = this.f_inode;
    const sb = inode.i_sb;
    const bs = sb.s_blocksize;
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
}
