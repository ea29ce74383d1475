// fs/splice.ts — sendfile, copy_file_range, splice, tee, vmsplice; fadvise and readahead.  cf. fs/splice.c, fs/read_write.c, mm/fadvise.c
//
// Data goes through a kernel buffer. What was read and not yet written is kept in the call's restart state while the output sleeps, so that
// nothing is lost or taken twice.
import { EBADF, EINVAL, EISDIR, EOVERFLOW, ESPIPE, EXDEV, EAGAIN, ETXTBSY, EPERM } from "../include/uapi/errno.ts";
import { O_APPEND, O_NONBLOCK } from "../include/uapi/fcntl.ts";
import { S_ISDIR, S_ISFIFO, S_ISREG } from "../include/uapi/stat.ts";
import { sleep_on } from "../kernel/sched/wait.ts";
import { Fd, Hex, Off, Ptr, SYSCALL_DEFINE, Size, Int } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { get_user_s64, put_user_u64 } from "../kernel/uaccess.ts";
import type { File } from "./fs.ts";
import { type Pipe, get_pipe_info } from "./pipe.ts";
import { MAX_RW_COUNT, gather, generic_write_check_limits, import_iovec, nested, vfs_read, vfs_write } from "./read_write.ts";

const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_MORE = 4;
const SPLICE_F_GIFT = 8;
const SPLICE_F_ALL = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;
const CHUNK = 65536;

/** What sendfile remembers while its output sleeps. */
interface Transfer {
  done: number;
  /** bytes read from the input, not all written */
  held: Uint8Array;
  sub: unknown;
}

/** Moves up to `count` bytes from `input` at `pos` to a file that may sleep. Returns how many; the positions are the caller's. */
function do_transfer(task: Task, input: File, pos: number, output: File, opos: number, count: number): number {
  const st = (task.restart ??= { done: 0, held: new Uint8Array(0), sub: undefined }) as Transfer;
  while (st.done < count) {
    if (st.held.length === 0) {
      const buf = new Uint8Array(Math.min(CHUNK, count - st.done));
      const n = nested(task, { sub: undefined }, () => vfs_read(task, input, buf, 0, buf.length, pos + st.done));
      task.restart = st;
      if (n === 0) break;
      st.held = buf.subarray(0, n).slice();
    }
    let n: number;
    try {
      n = nested(task, st, () => vfs_write(task, output, st.held, 0, st.held.length, opos + st.done));
      st.sub = undefined;
    } catch (e) {
      if (st.done > 0 && (e === EAGAIN || task.signal_pending())) return st.done;
      throw e;
    }
    st.done += n;
    st.held = st.held.slice(n);
    if (n === 0 || (st.held.length > 0 && task.signal_pending())) break;
  }
  return st.done;
}

/** An offset argument: where to begin, and how to tell where it ended. */
interface Offset {
  readonly pos: number;
  readonly end: (n: number) => void;
}
function offset_arg(task: Task, addr: number, file: File): Offset {
  if (addr === 0)
    return {
      pos: file.f_pos,
      end: (n) => {
        if (file.seekable) file.f_pos += n;
      },
    };
  const pos = get_user_s64(task.kernel.mem, addr);
  return { pos, end: (n) => put_user_u64(task.kernel.mem, addr, pos + n) };
}

/** sendfile(2) */
export const sys_sendfile64 = SYSCALL_DEFINE("sendfile", [Fd, Fd, Ptr, Size], (task, out_fd, in_fd, offset, count) => {
  if (offset !== 0) get_user_s64(task.kernel.mem, offset);
  const input = task.files!.fget(in_fd);
  if (!input.readable) throw EBADF;
  if (!input.seekable && offset !== 0) throw ESPIPE;
  if (offset_arg(task, offset, input).pos < 0 || count >= 2 ** 63) throw EINVAL;
  const output = task.files!.fget(out_fd);
  if (!output.writable) throw EBADF;
  if (offset_arg(task, offset, input).pos >= Math.min(input.f_inode?.maxBytes ?? Infinity, output.f_inode?.maxBytes ?? Infinity)) throw EOVERFLOW;
  const out = get_pipe_info(output);
  if (out !== undefined) return splice_file_to_pipe(task, input, offset_arg(task, offset, input), output, out, Math.min(count, MAX_RW_COUNT), output.f_flags & O_NONBLOCK ? SPLICE_F_NONBLOCK : 0);
  if ((output.f_flags & O_APPEND) !== 0 || !(input.seekable || input.f_op.noop_llseek)) throw EINVAL;
  if (count === 0) return 0;
  if (!input.f_op.splice_reads || !output.f_op.splices) throw EINVAL;
  if (input.f_inode !== undefined && S_ISDIR(input.f_inode.i_mode)) throw EINVAL;
  const at = offset_arg(task, offset, input);
  const opos = output.f_pos;
  const n = do_transfer(task, input, at.pos, output, opos, Math.min(count, MAX_RW_COUNT));
  at.end(n);
  if (output.seekable) output.f_pos = opos + n;
  return n;
});

/** copy_file_range(2) */
export const sys_copy_file_range = SYSCALL_DEFINE("copy_file_range", [Fd, Ptr, Fd, Ptr, Size, Hex], (task, fd_in, off_in, fd_out, off_out, len, flags) => {
  const input = task.files!.fget(fd_in);
  const output = task.files!.fget(fd_out);
  const src = offset_arg(task, off_in, input);
  const dst = offset_arg(task, off_out, output);
  if (flags !== 0) throw EINVAL;
  const a = input.f_inode;
  const b = output.f_inode;
  if (a === undefined || b === undefined) throw EINVAL;
  if (S_ISDIR(a.i_mode) || S_ISDIR(b.i_mode)) throw EISDIR;
  if (!S_ISREG(a.i_mode) || !S_ISREG(b.i_mode)) throw EINVAL;
  if (!input.readable || !output.writable || (output.f_flags & O_APPEND) !== 0) throw EBADF;
  if (a.i_sb !== b.i_sb && a.i_sb.type !== b.i_sb.type) throw EXDEV;
  if ((b.i_flags & 8) !== 0) throw EPERM;
  if (b.i_writecount < 0) throw ETXTBSY;
  // sums of unsigned numbers that wrap
  if ((src.pos < 0 && src.pos + len >= 0 && len > 0) || (dst.pos < 0 && dst.pos + len >= 0 && len > 0)) throw EOVERFLOW;
  if (src.pos < 0 || dst.pos < 0) throw EINVAL;
  let count = Math.min(len, MAX_RW_COUNT);
  if (src.pos + count >= 2 ** 63 || dst.pos + count >= 2 ** 63) throw EOVERFLOW;
  count = Math.max(0, Math.min(count, a.i_size - src.pos));
  count = generic_write_check_limits(task, b, dst.pos, count);
  if (a === b && src.pos + count > dst.pos && src.pos < dst.pos + count) throw EINVAL;
  const n = do_transfer(task, input, src.pos, output, dst.pos, count);
  src.end(n);
  dst.end(n);
  return n;
});

/** Bytes of a pipe that can be had now; sleeps for the first. 0: no writers. */
function pipe_ready(task: Task, file: File, pipe: Pipe, flags: number): number {
  if (pipe.length === 0 && pipe.writers > 0) {
    if ((flags & SPLICE_F_NONBLOCK) !== 0 || (file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
    sleep_on(task, [pipe.rd_wait]);
  }
  return pipe.length;
}
/** Room in a pipe; sleeps until there is some. With no reader the write that follows raises SIGPIPE. */
function pipe_room(task: Task, file: File, pipe: Pipe, flags: number): number {
  if (pipe.readers === 0) {
    nested(task, { sub: undefined }, () => file.f_op.write(file, task, new Uint8Array(1), 0, 1, 0));
    return 0;
  }
  if (pipe.free === 0) {
    if ((flags & SPLICE_F_NONBLOCK) !== 0 || (file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
    sleep_on(task, [pipe.wr_wait]);
  }
  return pipe.free;
}

/** Reads `input` at `at` into a pipe; `max` is not 0 but for sendfile. */
function splice_file_to_pipe(task: Task, input: File, at: Offset, output: File, pipe: Pipe, max: number, flags: number): number {
  const room = pipe_room(task, output, pipe, flags);
  if (max === 0) return 0;
  if (!input.f_op.splice_reads || (input.f_inode !== undefined && S_ISDIR(input.f_inode.i_mode))) throw EINVAL;
  const st = (task.restart ??= { sub: undefined }) as { sub: unknown };
  const buf = new Uint8Array(Math.min(max, room));
  const n = nested(task, st, () => vfs_read(task, input, buf, 0, buf.length, at.pos));
  pipe.put(buf, 0, n);
  pipe.rd_wait.wake_up();
  at.end(n);
  return n;
}

/** splice(2) */
export const sys_splice = SYSCALL_DEFINE("splice", [Fd, Ptr, Fd, Ptr, Size, Hex], (task, fd_in, off_in, fd_out, off_out, len, flags) => {
  if (len === 0) return 0;
  if ((flags & ~SPLICE_F_ALL) !== 0) throw EINVAL;
  const input = task.files!.fget(fd_in);
  const output = task.files!.fget(fd_out);
  const ip = get_pipe_info(input);
  const op = get_pipe_info(output);
  if ((ip !== undefined && off_in !== 0) || (op !== undefined && off_out !== 0)) throw ESPIPE;
  for (const off of [off_out, off_in]) if (off !== 0) get_user_s64(task.kernel.mem, off);
  if (!input.readable || !output.writable) throw EBADF;
  if (((ip !== undefined ? input.f_flags : 0) | (op !== undefined ? output.f_flags : 0)) & O_NONBLOCK) flags |= SPLICE_F_NONBLOCK;
  const max = Math.min(len, MAX_RW_COUNT);
  if (ip !== undefined && op !== undefined) {
    if (ip === op) throw EINVAL;
    const have = pipe_ready(task, input, ip, flags);
    if (have === 0) return 0;
    const n = Math.min(max, have, pipe_room(task, output, op, flags));
    const buf = new Uint8Array(n);
    const got = ip.peek(buf, 0, n);
    ip.take(got);
    op.put(buf, 0, got);
    ip.wr_wait.wake_up();
    op.rd_wait.wake_up();
    return got;
  }
  if (ip !== undefined) {
    if (off_out !== 0 && !output.seekable) throw EINVAL;
    if ((output.f_flags & O_APPEND) !== 0) throw EINVAL;
    const at = offset_arg(task, off_out, output);
    if (at.pos < 0 || !output.f_op.splices) throw EINVAL;
    const st = (task.restart ??= { sub: undefined }) as { sub: unknown };
    const have = pipe_ready(task, input, ip, flags);
    const n = Math.min(max, have);
    if (n === 0) return 0;
    const buf = new Uint8Array(n);
    ip.peek(buf, 0, n);
    const wrote = nested(task, st, () => vfs_write(task, output, buf, 0, n, at.pos));
    ip.take(wrote);
    ip.wr_wait.wake_up();
    at.end(wrote);
    return wrote;
  }
  if (op !== undefined) {
    if (off_in !== 0 && !input.seekable) throw EINVAL;
    const at = offset_arg(task, off_in, input);
    if (at.pos < 0) throw EINVAL;
    return splice_file_to_pipe(task, input, at, output, op, max, flags);
  }
  throw EINVAL;
});

/** tee(2): copies without taking. */
export const sys_tee = SYSCALL_DEFINE("tee", [Fd, Fd, Size, Hex], (task, fdin, fdout, len, flags) => {
  if ((flags & ~SPLICE_F_ALL) !== 0) throw EINVAL;
  if (len === 0) return 0;
  const input = task.files!.fget(fdin);
  const output = task.files!.fget(fdout);
  if (!input.readable || !output.writable) throw EBADF;
  const ip = get_pipe_info(input);
  const op = get_pipe_info(output);
  if (ip === undefined || op === undefined || ip === op) throw EINVAL;
  const have = pipe_ready(task, input, ip, flags);
  if (have === 0) return 0;
  const n = Math.min(len, have, pipe_room(task, output, op, flags));
  const buf = new Uint8Array(n);
  ip.peek(buf, 0, n);
  op.put(buf, 0, n);
  op.rd_wait.wake_up();
  return n;
});

/** vmsplice(2): into a pipe the segments' bytes are copied; out of one as readv. */
export const sys_vmsplice = SYSCALL_DEFINE("vmsplice", [Fd, Ptr, Size, Hex], (task, fd, iov, nr_segs, flags) => {
  if ((flags & ~SPLICE_F_ALL) !== 0) throw EINVAL;
  const file = task.files!.fget(fd);
  if (!file.readable && !file.writable) throw EBADF;
  const m = task.kernel.mem;
  const { iov: segments, total } = import_iovec(m, iov, nr_segs, !file.writable);
  if (total === 0) return 0;
  const pipe = get_pipe_info(file);
  if (pipe === undefined) throw EBADF;
  if (file.writable) {
    const room = pipe_room(task, file, pipe, flags);
    const n = Math.min(room, total);
    pipe.put(gather(m, segments, total), 0, n);
    pipe.rd_wait.wake_up();
    return n;
  }
  const have = pipe_ready(task, file, pipe, flags);
  let done = 0;
  for (let i = 0; i < segments.length && done < have; i += 2) {
    const n = Math.min(segments[i + 1]!, have - done);
    m.written(segments[i]!, n);
    pipe.peek(m.u8, segments[i]!, n);
    pipe.take(n);
    done += n;
  }
  pipe.wr_wait.wake_up();
  return done;
});

/** fadvise64(2): advice is checked, and there is nothing to do: all of a file's cache is in memory. */
export const sys_fadvise64 = SYSCALL_DEFINE("fadvise64", [Fd, Off, Off, Int], (task, fd, _offset, len, advice) => {
  const file = task.files!.fget(fd);
  if (file.f_inode !== undefined && S_ISFIFO(file.f_inode.i_mode)) throw ESPIPE;
  if (len < 0 || advice < 0 || advice > 5) throw EINVAL;
  return 0;
});
/** readahead(2) */
export const sys_readahead = SYSCALL_DEFINE("readahead", [Fd, Off, Size], (task, fd) => {
  const file = task.files!.fget(fd);
  if (!file.readable) throw EBADF;
  if (file.f_inode === undefined || !S_ISREG(file.f_inode.i_mode)) throw EINVAL;
  return 0;
});
