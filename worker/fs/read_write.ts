// fs/read_write.ts — read, write and their vectors, lseek.  cf. fs/read_write.c
import { Errno, EBADF, EFAULT, EFBIG, EINVAL, EOPNOTSUPP, EOVERFLOW, EAGAIN, ESPIPE } from "../include/uapi/errno.ts";
import { O_APPEND, O_DSYNC, O_NONBLOCK, O_SYNC, RWF_APPEND, RWF_ATOMIC, RWF_DSYNC, RWF_HIPRI, RWF_NOAPPEND, RWF_NOWAIT, RWF_SYNC, SEEK_HOLE } from "../include/uapi/fcntl.ts";
import { MS_SYNCHRONOUS } from "../include/uapi/mount.ts";
import { S_ISREG } from "../include/uapi/stat.ts";
import { RLIMIT_FSIZE } from "../kernel/signal_types.ts";
import { send_sig } from "../kernel/signal.ts";
import { Fd, Hex, InBuf, Int, IovIn, IovOut, Off, OutBuf, Ptr, SYSCALL_DEFINE, Size, UInt } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { USER_MIN_WRITE, access_ok, check_read, get_user_u64, type Memory } from "../kernel/uaccess.ts";
import { VM_EXEC } from "../mm/mm_types.ts";
import { FMODE_ATOMIC_POS, FMODE_NOWAIT, POLLIN, type File, type Inode } from "./fs.ts";
import { S_SYNC, file_remove_privs } from "./inode.ts";

const SIGXFSZ = 25;
/** no call moves more (INT_MAX rounded down to a page) */
export const MAX_RW_COUNT = 0x7ffff000;
const IOV_MAX = 1024;

/** Length of a user buffer that will be filled: not longer than memory goes on. Throws EFAULT, EINVAL. */
function out_len(m: Memory, addr: number, len: number): number {
  if (len >= 0x8000000000000000) throw EINVAL;
  if (len === 0) return 0;
  if (addr < USER_MIN_WRITE || addr >= m.size) throw EFAULT;
  return Math.min(len, MAX_RW_COUNT, m.size - addr);
}
function in_len(m: Memory, addr: number, len: number): number {
  if (len >= 0x8000000000000000) throw EINVAL;
  if (len === 0) return 0;
  if (!access_ok(m, addr, 1)) throw EFAULT;
  return Math.min(len, MAX_RW_COUNT, m.size - addr);
}

/** Reads into buf at `pos` on behalf of `task`.  cf. vfs_read() */
export function vfs_read(task: Task, file: File, buf: Uint8Array, off: number, len: number, pos: number): number {
  if (!file.readable) throw EBADF;
  return read_into(task, file, buf, off, len, pos);
}
/** The same, of a file that was found readable. */
function read_into(task: Task, file: File, buf: Uint8Array, off: number, len: number, pos: number): number {
  const n = file.f_op.read(file, task, buf, off, len, pos);
  // a program may read code into its memory
  if (n > 0 && buf === task.kernel.mem.u8) task.kernel.arch.flush_icache_range(off, n);
  const { signal } = task;
  signal.rchar += n;
  signal.syscr++;
  const { fsnotify } = task.kernel.vfs;
  if (fsnotify.active && n > 0) fsnotify.access(file);
  return n;
}

/** Bytes that may be written at `pos` under RLIMIT_FSIZE, and what a file can hold. @throws EFBIG, with SIGXFSZ when it is the limit */
export function generic_write_check_limits(task: Task, inode: Inode, pos: number, len: number): number {
  const limit = task.signal.rlim[RLIMIT_FSIZE]!.cur;
  if (pos >= limit) {
    send_sig(SIGXFSZ, task);
    throw EFBIG;
  }
  if (pos >= inode.maxBytes) throw EFBIG;
  return Math.min(len, limit - pos);
}

interface SyncedWrite {
  /** result of the write, once made */
  n: number;
  /** the fsync's own restart state */
  sub: unknown;
}

/** Writes from buf at `pos` (O_APPEND is the caller's). Regular files: limits, set-id bits, O_SYNC.  cf. vfs_write() */
export function vfs_write(task: Task, file: File, buf: Uint8Array, off: number, len: number, pos: number, sync = file.f_flags & O_SYNC): number {
  if (!file.writable) throw EBADF;
  return write_from(task, file, buf, off, len, pos, sync);
}
/** The same, of a file that was found writable. */
function write_from(task: Task, file: File, buf: Uint8Array, off: number, len: number, pos: number, sync: number): number {
  let n: number;
  if ((file.f_mode & FMODE_ATOMIC_POS) !== 0 && S_ISREG(file.f_inode!.i_mode)) {
    const inode = file.f_inode!;
    const done = sync === 0 && (inode.i_flags & S_SYNC) === 0 && (inode.i_sb.s_flags & MS_SYNCHRONOUS) === 0 ? undefined : (task.restart as SyncedWrite | undefined);
    if (done !== undefined) n = done.n;
    else {
      if (len > 0) {
        len = generic_write_check_limits(task, inode, pos, len);
        file_remove_privs(task, inode);
      }
      n = file.f_op.write(file, task, buf, off, len, pos);
    }
    if (n > 0 && (sync !== 0 || (inode.i_flags & S_SYNC) !== 0 || (inode.i_sb.s_flags & MS_SYNCHRONOUS) !== 0)) synced(task, file, n, (sync & O_SYNC) === O_DSYNC);
  } else n = file.f_op.write(file, task, buf, off, len, pos);
  const { signal } = task;
  signal.wchar += n;
  signal.syscw++;
  const { fsnotify } = task.kernel.vfs;
  if (fsnotify.active && n > 0) fsnotify.written(file);
  return n;
}

/** fsync after a write; if that waits for the host, the call comes back here without writing again.  cf. generic_write_sync() */
function synced(task: Task, file: File, n: number, datasync: boolean): void {
  const st = (task.restart as SyncedWrite | undefined) ?? { n, sub: undefined };
  nested(task, st, () => file.f_op.fsync(file, task, datasync));
}

/** Runs `body`, which keeps its own state in task.restart, inside a call whose state is `st`. */
export function nested<T>(task: Task, st: { sub: unknown }, body: () => T): T {
  task.restart = st.sub;
  try {
    const result = body();
    task.restart = undefined;
    return result;
  } finally {
    st.sub = task.restart;
    task.restart = st;
  }
}

/** read(2) */
export const sys_read = SYSCALL_DEFINE("read", [Fd, OutBuf, Size], (task, fd, buf, count) => {
  const file = task.files!.fget(fd);
  if (!file.readable) throw EBADF;
  const m = task.kernel.mem;
  const pos = file.f_pos;
  const n = read_into(task, file, m.u8, buf, out_len(m, buf, count), pos);
  if (n > 0 && file.seekable) file.f_pos = pos + n;
  if (task.kernel.arch.follows_code) code_read(task, file, pos, buf, n);
  return n;
});

/** Where a dynamic linker reads libraries because it can't map them (musl's DL_NOMMU_SUPPORT), this is how their code comes in. */
function code_read(task: Task, file: File, pos: number, addr: number, len: number): void {
  if (len < 2 || (file.f_mode & FMODE_ATOMIC_POS) === 0) return;
  const vma = task.mm?.find_vma(addr);
  if (vma !== undefined && (vma.vm_flags & VM_EXEC) !== 0) task.kernel.arch.code_placed(task, file, pos, addr, len);
}

/** Where a write begins: the end of file with O_APPEND. */
function write_pos(file: File): number {
  return (file.f_flags & O_APPEND) !== 0 && file.f_inode !== undefined && S_ISREG(file.f_inode.i_mode) && file.seekable ? file.f_inode.i_size : file.f_pos;
}

/** write(2) */
export const sys_write = SYSCALL_DEFINE("write", [Fd, InBuf, Size], (task, fd, buf, count) => {
  const file = task.files!.fget(fd);
  if (!file.writable) throw EBADF;
  const m = task.kernel.mem;
  const len = in_len(m, buf, count);
  const sync = file.f_flags & O_SYNC;
  if (!file.seekable) return write_from(task, file, m.u8, buf, len, 0, sync);
  const pos = write_pos(file);
  const n = write_from(task, file, m.u8, buf, len, pos, sync);
  if (n > 0) file.f_pos = pos + n;
  return n;
});

/** pread64(2) */
export const sys_pread64 = SYSCALL_DEFINE("pread64", [Fd, OutBuf, Size, Off], (task, fd, buf, count, pos) => {
  if (pos < 0) throw EINVAL;
  const file = task.files!.fget(fd);
  if (!file.seekable) throw ESPIPE;
  if (!file.readable) throw EBADF;
  const m = task.kernel.mem;
  return vfs_read(task, file, m.u8, buf, out_len(m, buf, count), pos);
});
/** pwrite64(2) */
export const sys_pwrite64 = SYSCALL_DEFINE("pwrite64", [Fd, InBuf, Size, Off], (task, fd, buf, count, pos) => {
  if (pos < 0) throw EINVAL;
  const file = task.files!.fget(fd);
  if (!file.seekable) throw ESPIPE;
  if (!file.writable) throw EBADF;
  const m = task.kernel.mem;
  // Linux appends all the same (man 2 pwrite, BUGS)
  const at = (file.f_flags & O_APPEND) !== 0 ? write_pos(file) : pos;
  return vfs_write(task, file, m.u8, buf, in_len(m, buf, count), at);
});

/** iovecs of user memory: address, length pairs, empty ones left out.  Throws EINVAL, EFAULT.  cf. import_iovec() */
export function import_iovec(m: Memory, vec: number, vlen: number, writable: boolean): { iov: number[]; total: number } {
  if (vlen > IOV_MAX) throw EINVAL;
  if (vlen > 0) check_read(m, vec, vlen * 16);
  const iov: number[] = [];
  let total = 0;
  for (let i = 0; i < vlen; i++) {
    const addr = get_user_u64(m, vec + i * 16);
    let len = get_user_u64(m, vec + i * 16 + 8);
    if (len >= 0x8000000000000000) throw EINVAL;
    if (len === 0) continue;
    if (writable ? addr < USER_MIN_WRITE || addr >= m.size : !access_ok(m, addr, 1)) throw EFAULT;
    len = Math.min(len, m.size - addr, MAX_RW_COUNT - total);
    if (len > 0) iov.push(addr, len);
    total += len;
  }
  return { iov, total };
}

/** readv on any file: positioned files segment by segment, streams through one buffer so that the File sees one read. */
function do_iter_read(task: Task, file: File, vec: number, vlen: number, pos: number): number {
  const m = task.kernel.mem;
  const { iov, total } = import_iovec(m, vec, vlen, true);
  if (total === 0) return 0;
  if (iov.length <= 2) return vfs_read(task, file, m.u8, iov[0] ?? 0, total, pos);
  if (file.seekable) {
    let done = 0;
    for (let i = 0; i < iov.length; i += 2) {
      const n = vfs_read(task, file, m.u8, iov[i]!, iov[i + 1]!, pos + done);
      done += n;
      if (n < iov[i + 1]!) break;
    }
    return done;
  }
  const buf = new Uint8Array(Math.min(total, 1 << 20));
  const n = vfs_read(task, file, buf, 0, buf.length, pos);
  scatter(m, iov, buf, n);
  return n;
}
/** Spreads the first n bytes of buf over the segments. */
export function scatter(m: Memory, iov: number[], buf: Uint8Array, n: number): void {
  let at = 0;
  for (let i = 0; i < iov.length && at < n; i += 2) {
    const len = Math.min(iov[i + 1]!, n - at);
    m.written(iov[i]!, len);
    m.u8.set(buf.subarray(at, at + len), iov[i]!);
    at += len;
  }
}
/** The segments' bytes in one buffer. */
export function gather(m: Memory, iov: number[], total: number): Uint8Array {
  const buf = new Uint8Array(total);
  let at = 0;
  for (let i = 0; i < iov.length; i += 2) {
    buf.set(m.u8.subarray(iov[i]!, iov[i]! + iov[i + 1]!), at);
    at += iov[i + 1]!;
  }
  return buf;
}
/** cf. do_loop_readv_writev() */
function do_loop_writev(task: Task, file: File, iov: number[]): number {
  let done = 0;
  for (let i = 0; i < iov.length; i += 2) {
    try {
      done += vfs_write(task, file, task.kernel.mem.u8, iov[i]!, iov[i + 1]!, 0);
    } catch (e) {
      if (done > 0 && e instanceof Errno) break;
      throw e;
    }
  }
  return done;
}
function do_iter_write(task: Task, file: File, vec: number, vlen: number, pos: number, sync?: number): number {
  const m = task.kernel.mem;
  const { iov, total } = import_iovec(m, vec, vlen, false);
  if (total === 0) return 0;
  if (file.f_op.writes_segments) return do_loop_writev(task, file, iov);
  if (iov.length <= 2) return vfs_write(task, file, m.u8, iov[0] ?? 0, total, pos, sync);
  return vfs_write(task, file, gather(m, iov, total), 0, total, pos, sync);
}

/** readv(2) */
export const sys_readv = SYSCALL_DEFINE("readv", [Fd, IovOut, UInt], (task, fd, vec, vlen) => {
  const file = task.files!.fget(fd);
  if (!file.readable) throw EBADF;
  const pos = file.f_pos;
  const n = do_iter_read(task, file, vec, vlen, pos);
  if (n > 0 && file.seekable) file.f_pos = pos + n;
  return n;
});
/** writev(2) */
export const sys_writev = SYSCALL_DEFINE("writev", [Fd, IovIn, UInt], (task, fd, vec, vlen) => {
  const file = task.files!.fget(fd);
  if (!file.writable) throw EBADF;
  const pos = write_pos(file);
  const n = do_iter_write(task, file, vec, vlen, pos);
  if (n > 0 && file.seekable) file.f_pos = pos + n;
  return n;
});

const RWF_SUPPORTED = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND | RWF_ATOMIC;

/** cf. kiocb_set_rw_flags() */
function check_rw_flags(file: File, flags: number): void {
  if ((flags & ~RWF_SUPPORTED) !== 0) throw EOPNOTSUPP;
  if ((flags & RWF_APPEND) !== 0 && (flags & RWF_NOAPPEND) !== 0) throw EINVAL;
  if ((flags & RWF_NOWAIT) !== 0 && (file.f_mode & FMODE_NOWAIT) === 0) throw EOPNOTSUPP;
  // no file system here promises a write that is whole or not at all
  if ((flags & RWF_ATOMIC) !== 0) throw EOPNOTSUPP;
}

/** preadv's offset comes in two halves; on x86-64 the low one is all of it. -1: the file's own position, and that moves */
function preadv2(task: Task, fd: number, vec: number, vlen: number, pos: number, flags: number): number {
  const current = pos === -1;
  if (!current && pos < 0) throw EINVAL;
  const file = task.files!.fget(fd);
  if (!current && !file.seekable) throw ESPIPE;
  if (!file.readable) throw EBADF;
  if (import_iovec(task.kernel.mem, vec, vlen, true).total === 0) return 0;
  check_rw_flags(file, flags);
  if ((flags & RWF_NOWAIT) !== 0 && !file.seekable && (file.f_flags & O_NONBLOCK) === 0 && (file.f_op.poll(file, task, undefined) & POLLIN) === 0) throw EAGAIN;
  const at = current ? file.f_pos : pos;
  const n = do_iter_read(task, file, vec, vlen, at);
  if (current && n > 0 && file.seekable) file.f_pos = at + n;
  return n;
}
function pwritev2(task: Task, fd: number, vec: number, vlen: number, pos: number, flags: number): number {
  const current = pos === -1;
  if (!current && pos < 0) throw EINVAL;
  const file = task.files!.fget(fd);
  if (!current && !file.seekable) throw ESPIPE;
  if (!file.writable) throw EBADF;
  if (import_iovec(task.kernel.mem, vec, vlen, false).total === 0) return 0;
  check_rw_flags(file, flags);
  // a write to a regular file takes the lock and the blocks that it wants.  cf. ext4_buffered_write_iter()
  if ((flags & RWF_NOWAIT) !== 0 && S_ISREG(file.f_inode?.i_mode ?? 0)) throw EOPNOTSUPP;
  const append = ((flags & RWF_APPEND) !== 0 || ((file.f_flags & O_APPEND) !== 0 && (flags & RWF_NOAPPEND) === 0)) && file.f_inode !== undefined && S_ISREG(file.f_inode.i_mode);
  const at = append ? file.f_inode!.i_size : current ? file.f_pos : pos;
  const sync = (file.f_flags & O_SYNC) | ((flags & RWF_SYNC) !== 0 ? O_SYNC : 0) | ((flags & RWF_DSYNC) !== 0 ? O_DSYNC : 0);
  const n = do_iter_write(task, file, vec, vlen, at, sync);
  if (current && n > 0 && file.seekable) file.f_pos = at + n;
  return n;
}
/** preadv(2) */
export const sys_preadv = SYSCALL_DEFINE("preadv", [Fd, Ptr, UInt, Off, Off], (task, fd, vec, vlen, pos) => {
  if (pos < 0) throw EINVAL;
  return preadv2(task, fd, vec, vlen, pos, 0);
});
/** pwritev(2) */
export const sys_pwritev = SYSCALL_DEFINE("pwritev", [Fd, Ptr, UInt, Off, Off], (task, fd, vec, vlen, pos) => {
  if (pos < 0) throw EINVAL;
  return pwritev2(task, fd, vec, vlen, pos, 0);
});
/** preadv2(2) */
export const sys_preadv2 = SYSCALL_DEFINE("preadv2", [Fd, Ptr, UInt, Off, Off, Hex], (task, fd, vec, vlen, pos, _hi, flags) => preadv2(task, fd, vec, vlen, pos, flags));
/** pwritev2(2) */
export const sys_pwritev2 = SYSCALL_DEFINE("pwritev2", [Fd, Ptr, UInt, Off, Off, Hex], (task, fd, vec, vlen, pos, _hi, flags) => pwritev2(task, fd, vec, vlen, pos, flags));

/** lseek(2) */
export const sys_lseek = SYSCALL_DEFINE("lseek", [Fd, Off, Int], (task, fd, off, whence) => {
  const file = task.files!.fget(fd);
  if (whence < 0 || whence > SEEK_HOLE) throw EINVAL;
  if (file.f_op.noop_llseek) return 0;
  if (!file.seekable) throw ESPIPE;
  const pos = file.f_op.llseek(file, task, off, whence);
  if (pos > Number.MAX_SAFE_INTEGER) throw EOVERFLOW;
  return pos;
});

/** The kernel's own read of a file: into buf[0..], all that is there up to buf.length.  cf. kernel_read() */
export function kernel_read(task: Task, file: File, buf: Uint8Array, pos: number): number {
  let done = 0;
  while (done < buf.length) {
    const n = file.f_op.read(file, task, buf, done, buf.length - done, pos + done);
    if (n <= 0) break;
    done += n;
  }
  return done;
}
