// fs/generic_file.ts — bases for the Files of file systems: regular files and directories.  cf. mm/filemap.c, fs/libfs.c, fs/read_write.c
//
// A file system's operations of regular files extend GenericFops and have read, write, fsync, fallocate (and, with memory of its own, the mmap part);
// those of its directories are DirFops as they stand, reading through Inode.iterate.
import { EINVAL, EISDIR, ENXIO, EOVERFLOW } from "../include/uapi/errno.ts";
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../include/uapi/fcntl.ts";
import type { Task } from "../kernel/task.ts";
import { type File, FMODE_LSEEK, FileOperations } from "./fs.ts";

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

/** Operations of regular files with positions. Reads and writes are the subclass's. */
export abstract class GenericFops extends FileOperations {
  override get f_mode(): number {
    return FMODE_LSEEK;
  }
  override llseek(file: File, _task: Task, off: number, whence: number): number {
    return generic_file_llseek(file, off, whence, file.f_inode!.i_size, Math.min(MAX_LFS_FILESIZE, file.f_inode!.maxBytes));
  }
  override fsync(file: File, task: Task, _datasync: boolean): void {
    file.f_inode!.i_sb.sync_fs(task);
  }
}

/** Operations of directories. f_pos is a cookie: 0 ".", 1 "..", then the file system's own. */
export class DirFops extends FileOperations {
  override get f_mode(): number {
    return FMODE_LSEEK;
  }
  override read(): number {
    throw EISDIR;
  }
  override llseek(file: File, _task: Task, off: number, whence: number): number {
    if (whence !== SEEK_SET && whence !== SEEK_CUR && whence !== SEEK_END) throw EINVAL;
    return generic_file_llseek(file, off, whence, file.f_inode!.i_size);
  }
  override iterate(file: File, _task: Task, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
    file.f_inode!.iterate(file.f_pos, emit);
  }
  override fsync(file: File, task: Task, _datasync: boolean): void {
    file.f_inode!.i_sb.sync_fs(task);
  }
}
export const dir_operations = new DirFops();
