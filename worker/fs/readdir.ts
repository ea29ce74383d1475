// fs/readdir.ts — getdents.  cf. fs/readdir.c
import { EINVAL, ENOENT, ENOTDIR, EFAULT } from "../include/uapi/errno.ts";
import { DT_DIR } from "../include/uapi/stat.ts";
import { Fd, OutBuf, SYSCALL_DEFINE, UInt } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { USER_MIN_WRITE, type Memory } from "../kernel/uaccess.ts";
import type { File } from "./fs.ts";
import { DirFops } from "./generic_file.ts";
import { file_accessed } from "./inode.ts";

/** Emits "." and ".." (cookies 0 and 1), then what the file system has, from f_pos on; f_pos follows what was taken.  cf. iterate_dir(), dir_emit_dots() */
export function iterate_dir(task: Task, file: File, emit: (name: string, ino: number, type: number, next: number) => boolean): void {
  if (!(file.f_op instanceof DirFops)) throw ENOTDIR;
  const path = file.f_path!;
  const inode = file.f_inode!;
  if (inode.i_nlink === 0 || path.dentry.d_unhashed) throw ENOENT;
  if (file.f_pos === 0) {
    if (!emit(".", inode.i_ino, DT_DIR, 1)) return;
    file.f_pos = 1;
  }
  if (file.f_pos === 1) {
    const { dentry, mnt } = path;
    const parent = dentry === mnt.mnt_root ? dentry : dentry.d_parent;
    if (!emit("..", parent.d_inode!.i_ino, DT_DIR, 2)) return;
    file.f_pos = 2;
  }
  file.f_op.iterate(file, task, (name, ino, type, next) => {
    if (!emit(name, ino, type, next)) return false;
    file.f_pos = next;
    return true;
  });
  file_accessed(file);
}

/** Writes the record of one entry; returns its length, or 0 if it does not fit into `room`. `old`: linux_dirent instead of linux_dirent64. */
function put_dirent(m: Memory, at: number, room: number, name: string, ino: number, type: number, next: number, old: boolean): number {
  const len = (18 + name.length + 2 + 7) & ~7;
  if (len > room) return 0;
  const { view, u8 } = m;
  view.setUint32(at, ino >>> 0, true);
  view.setUint32(at + 4, Math.floor(ino / 0x100000000), true);
  view.setUint32(at + 8, next >>> 0, true);
  view.setUint32(at + 12, Math.floor(next / 0x100000000), true);
  view.setUint16(at + 16, len, true);
  let p = at + 18;
  if (!old) u8[p++] = type;
  for (let i = 0; i < name.length; i++) u8[p++] = name.charCodeAt(i);
  u8.fill(0, p, at + len);
  if (old) u8[at + len - 1] = type;
  return len;
}

function do_getdents(task: Task, fd: number, dirent: number, count: number, old: boolean): number {
  const file = task.files!.fget(fd);
  const m = task.kernel.mem;
  if (!(file.f_op instanceof DirFops)) throw ENOTDIR;
  if (dirent < USER_MIN_WRITE || dirent >= m.size) throw EFAULT;
  const end = dirent + Math.min(count, m.size - dirent);
  m.written(dirent, end - dirent);
  let at = dirent;
  let full = false;
  iterate_dir(task, file, (name, ino, type, next) => {
    const n = put_dirent(m, at, end - at, name, ino, type, next, old);
    if (n === 0) {
      full = true;
      return false;
    }
    at += n;
    return true;
  });
  if (full && at === dirent) throw EINVAL;
  return at - dirent;
}

/** getdents64(2) */
export const sys_getdents64 = SYSCALL_DEFINE("getdents64", [Fd, OutBuf, UInt], (task, fd, dirent, count) => do_getdents(task, fd, dirent, count, false));
/** getdents(2) */
export const sys_getdents = SYSCALL_DEFINE("getdents", [Fd, OutBuf, UInt], (task, fd, dirent, count) => do_getdents(task, fd, dirent, count, true));
