// fs/generic_file.ts — bases for the Files of file systems: regular files and directories.  cf. mm/filemap.c, fs/libfs.c, fs/read_write.c
//
// A file system's regular File extends GenericFile and writes read, write, fsync, fallocate (and, with memory of its own, the mmap part);
// its directory File is DirFile as it stands, reading through Inode.iterate.
import { EINVAL, EISDIR, ENXIO, EOVERFLOW } from "../include/uapi/errno.ts";
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../include/uapi/fcntl.ts";
import type { Task } from "../kernel/task.ts";
import { File, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, type Inode, type Path } from "./fs.ts";

/** Largest file position that numbers hold exactly, and more than any file system here allows (MAX_LFS_FILESIZE). */
export const MAX_LFS_FILESIZE = Number.MAX_SAFE_INTEGER;

/** lseek(2) for a file of `size` bytes: the new position, also stored in f_pos. Throws EINVAL, ENXIO.  cf. generic_file_llseek_size() */
export function generic_file_llseek(file: File, off: number, whence: number, size: number, max = MAX_LFS_FILESIZE): number {
  let pos: number;
  switch (whence) {
    case SEEK_SET:
      pos = off;
      break;
    case SEEK_CUR:
      pos = file.f_pos + off;
      break;
    case SEEK_END:
      pos = size + off;
      break;
    case SEEK_DATA:
      if (off < 0 || off >= size) throw ENXIO;
      pos = off;
      break;
    case SEEK_HOLE:
      if (off < 0 || off >= size) throw ENXIO;
      pos = size;
      break;
    default:
      throw EINVAL;
  }
  if (pos < 0) throw EINVAL;
  if (pos > max) throw whence === SEEK_SET || max < MAX_LFS_FILESIZE ? EINVAL : EOVERFLOW;
  file.f_pos = pos;
  return pos;
}

/** An open regular file with positions. Reads and writes are the subclass's. */
export abstract class GenericFile extends File {
  /** set: every open regular file has one */
  declare f_inode: Inode;
  constructor(path: Path | undefined, inode: Inode, flags: number) {
    super(path, inode, flags);
  }
  override get seekable(): boolean {
    return true;
  }
  override llseek(_task: Task, off: number, whence: number): number {
    return generic_file_llseek(this, off, whence, this.f_inode.i_size, Math.min(MAX_LFS_FILESIZE, this.f_inode.maxBytes));
  }
  override poll(): number {
    return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
  }
  override fsync(task: Task, _datasync: boolean): void {
    this.f_inode.i_sb.sync_fs(task);
  }
}

/** An open directory. f_pos is a cookie: 0 ".", 1 "..", then the file system's own. */
export class DirFile extends File {
  declare f_inode: Inode;
  constructor(path: Path | undefined, inode: Inode, flags: number) {
    super(path, inode, flags);
  }
  override get seekable(): boolean {
    return true;
  }
  override read(): number {
    throw EISDIR;
  }
  override llseek(_task: Task, off: number, whence: number): number {
    if (whence !== SEEK_SET && whence !== SEEK_CUR && whence !== SEEK_END) throw EINVAL;
    return generic_file_llseek(this, off, whence, this.f_inode.i_size);
  }
  override iterate(_task: Task, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    this.f_inode.iterate(this.f_pos, emit);
  }
  override fsync(task: Task, _datasync: boolean): void {
    this.f_inode.i_sb.sync_fs(task);
  }
}
