// fs/pipe.ts — pipes and FIFOs.  cf. fs/pipe.c
import { EAGAIN, EBUSY, EFAULT, EINVAL, ENOTTY, ENXIO, EPERM, EPIPE, ERESTARTSYS } from "../include/uapi/errno.ts";
import { O_ACCMODE, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../include/uapi/fcntl.ts";
import { CAP_SYS_RESOURCE, capable } from "../kernel/cred.ts";
import { WaitQueue, sleep_on, SLEEP } from "../kernel/sched/wait.ts";
import { send_sig } from "../kernel/signal.ts";
import { FdPair, Hex, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { put_user_u32, check_write } from "../kernel/uaccess.ts";
import { FMODE_NOWAIT, File, FileOperations, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, type Inode, type Path } from "./fs.ts";
import { fput } from "./file_table.ts";
import { POLL_IN, POLL_OUT, kill_fasync } from "./fasync.ts";
import { current_time, file_accessed } from "./inode.ts";

const SIGPIPE = 13;
export const PIPE_BUF = 4096;
const PIPE_SIZE = 65536;
/** fs.pipe-max-size */
export const PIPE_MAX_SIZE = 1048576;
const FIONREAD = 0x541b;

/** One page of a pipe: what one write (or the end of a longer one) put there, and what later small ones appended. */
interface PipeBuffer {
  data: Uint8Array;
  /** next byte to read, and one past the last byte */
  from: number;
  to: number;
  /** a packet of its own (O_DIRECT): nothing is appended, and one read takes no more */
  packet: boolean;
}

/**
 * A queue of pages that a read end and a write end share. How full it is counts in pages, not in bytes, as in Linux: a page is free again when
 * all of it was read. `readers` and `writers` count open Files; whoever changes the queue or a count wakes the other side.
 */
export class Pipe {
  private readonly bufs: PipeBuffer[] = [];
  /** a page that was emptied, for the next write */
  private spare: Uint8Array | undefined;
  /** bytes in it */
  length = 0;
  /** F_GETPIPE_SZ: capacity in bytes, whole pages */
  limit = PIPE_SIZE;
  readers = 0;
  writers = 0;
  /** how many Files were ever opened: FIFO opens wait for a change */
  r_counter = 0;
  w_counter = 0;
  readonly rd_wait: WaitQueue = new WaitQueue();
  readonly wr_wait: WaitQueue = new WaitQueue();
  /** ends under O_ASYNC */
  readonly async = new Set<File>();

  /** Data came, or room. Wakes the other side and tells it by signal if it asked for that. */
  changed(kernel: Kernel, came: boolean): void {
    (came ? this.rd_wait : this.wr_wait).wake_up();
    for (const file of this.async) if (came ? file.readable : file.writable) kill_fasync(kernel, file, came ? POLL_IN : POLL_OUT);
  }
  /** pages that are free, in bytes */
  get free(): number {
    return this.limit - this.bufs.length * PIPE_BUF;
  }
  /** Appends n bytes (at most a page) to the last page, if they fit there. Whether they did. */
  merge(buf: Uint8Array, off: number, n: number): boolean {
    const last = this.bufs[this.bufs.length - 1];
    if (last === undefined || last.packet || last.to + n > PIPE_BUF) return false;
    if (last.to + n > last.data.length) {
      const bigger = new Uint8Array(Math.min(PIPE_BUF, Math.max(2 * last.data.length, last.to + n)));
      bigger.set(last.data.subarray(0, last.to));
      last.data = bigger;
    }
    copy(last.data, last.to, buf, off, n);
    last.to += n;
    this.length += n;
    return true;
  }
  /** Puts up to n bytes into free pages; returns how many. */
  put(buf: Uint8Array, off: number, n: number, packet = false): number {
    let done = 0;
    const max = this.limit / PIPE_BUF;
    while (done < n && this.bufs.length < max) {
      const chunk = Math.min(PIPE_BUF, n - done);
      let data = this.spare;
      if (data !== undefined && data.length >= chunk) this.spare = undefined;
      else data = new Uint8Array(Math.max(64, chunk));
      copy(data, 0, buf, off + done, chunk);
      this.bufs.push({ data, from: 0, to: chunk, packet });
      done += chunk;
    }
    this.length += done;
    return done;
  }
  /** Copies up to n bytes from the front, without taking them; returns how many (no more than one packet). */
  peek(buf: Uint8Array, off: number, n: number): number {
    let done = 0;
    for (const b of this.bufs) {
      const chunk = Math.min(n - done, b.to - b.from);
      copy(buf, off + done, b.data, b.from, chunk);
      done += chunk;
      if (done === n || b.packet) break;
    }
    return done;
  }
  /** Takes n bytes that were peeked at; the rest of a packet goes with them. */
  take(n: number): void {
    while (this.bufs.length > 0) {
      const b = this.bufs[0]!;
      const chunk = b.packet ? b.to - b.from : Math.min(n, b.to - b.from);
      this.length -= chunk;
      n -= chunk;
      b.from += chunk;
      if (b.from === b.to) {
        this.spare = b.data;
        this.bufs.shift();
      }
      if (n <= 0) return;
    }
  }
  /** F_SETPIPE_SZ. Throws EBUSY when more pages are in use. */
  set_size(size: number): void {
    if (this.bufs.length * PIPE_BUF > size) throw EBUSY;
    this.limit = size;
    this.wr_wait.wake_up();
  }
}

/** A short copy is a loop: a view costs more than the bytes. */
function copy(to: Uint8Array, at: number, from: Uint8Array, off: number, n: number): void {
  if (n <= 32) for (let i = 0; i < n; i++) to[at + i] = from[off + i]!;
  else to.set(from.subarray(off, off + n), at);
}

interface PipeProgress {
  done: number;
}

/** One end of a pipe, or both (a FIFO opened O_RDWR). */
export class PipeEnd extends FileOperations {
  readonly pipe: Pipe;
  constructor(pipe: Pipe) {
    super();
    this.pipe = pipe;
  }
  /** An open end of a pipe. */
  static open(path: Path | undefined, inode: Inode, flags: number, pipe: Pipe): File {
    const file = new File(path, inode, flags, new PipeEnd(pipe));
    if (file.readable) {
      pipe.readers++;
      pipe.r_counter++;
    }
    if (file.writable) {
      pipe.writers++;
      pipe.w_counter++;
    }
    return file;
  }
  override get has_fasync(): boolean {
    return true;
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    const { pipe } = this;
    if (pipe.length === 0) {
      if (pipe.writers === 0) return 0;
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [pipe.rd_wait]);
    }
    const n = pipe.peek(buf, off, len);
    pipe.take(n);
    pipe.changed(task.kernel, false);
    file_accessed(file);
    return n;
  }
  override write(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    const { pipe } = this;
    let done = (task.restart as PipeProgress | undefined)?.done ?? 0;
    if (pipe.readers === 0) {
      send_sig(SIGPIPE, task);
      if (done > 0) return done;
      throw EPIPE;
    }
    const packet = (file.f_flags & O_DIRECT) !== 0;
    const before = done;
    const small = len % PIPE_BUF;
    // the odd end of the data goes into the last page first, if there is room
    if (done === 0 && small > 0 && !packet && pipe.merge(buf, off, small)) done = small;
    done += pipe.put(buf, off + done, len - done, packet);
    if (done > before) {
      pipe.changed(task.kernel, true);
      file.f_inode!.i_mtime = file.f_inode!.i_ctime = current_time(task.kernel);
      if (done === len) return done;
      task.restart = { done };
    }
    if ((file.f_flags & O_NONBLOCK) !== 0) {
      if (done > 0) return done;
      throw EAGAIN;
    }
    if (done > 0 && task.signal_pending()) return done;
    sleep_on(task, [pipe.wr_wait]);
  }
  override poll(file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    const { pipe } = this;
    let mask = 0;
    if (file.readable) {
      queues?.push(pipe.rd_wait);
      if (pipe.length > 0) mask |= POLLIN | POLLRDNORM;
      if (pipe.writers === 0 && (this.hung_up || pipe.w_counter !== this.w_seen)) mask |= POLLHUP;
    }
    if (file.writable) {
      queues?.push(pipe.wr_wait);
      if (pipe.free > 0) mask |= POLLOUT | POLLWRNORM;
      if (pipe.readers === 0) mask |= POLLERR;
    }
    return mask;
  }
  /** A FIFO that no writer ever opened since this File was does not poll as hung up; a pipe does at once. */
  hung_up = true;
  w_seen = 0;
  override ioctl(_file: File, task: Task, cmd: number, arg: number): number {
    if (cmd !== FIONREAD) throw ENOTTY;
    put_user_u32(task.kernel.mem, arg, this.pipe.length);
    return 0;
  }
  override fasync(file: File, _task: Task, on: boolean): void {
    if (on) this.pipe.async.add(file);
    else this.pipe.async.delete(file);
  }
  override fsync(): void {
    throw EINVAL;
  }
  override d_dname(file: File): string {
    return `pipe:[${file.f_inode!.i_ino}]`;
  }
  override release(file: File): void {
    const { pipe } = this;
    pipe.async.delete(file);
    if (file.readable) pipe.readers--;
    if (file.writable) pipe.writers--;
    pipe.rd_wait.wake_up();
    pipe.wr_wait.wake_up();
    if (pipe.readers === 0 && pipe.writers === 0 && file.f_inode!.i_pipe === pipe) file.f_inode!.i_pipe = undefined;
  }
  /** F_GETPIPE_SZ, F_SETPIPE_SZ: the new size. Throws EPERM beyond fs.pipe-max-size. */
  set_pipe_size(task: Task, size: number): number {
    let rounded = PIPE_BUF;
    while (rounded < size) rounded *= 2;
    if (rounded > 0x80000000) throw EINVAL;
    if (rounded > PIPE_MAX_SIZE && rounded > this.pipe.limit && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
    this.pipe.set_size(rounded);
    return rounded;
  }
}

/** The pipe behind an open file, if there is one.  cf. get_pipe_info() */
export function get_pipe_info(file: File): Pipe | undefined {
  const { f_op } = file;
  return f_op instanceof PipeEnd ? f_op.pipe : undefined;
}

/** Both ends of a new pipe: [read, write].  cf. create_pipe_files() */
export function create_pipe_files(task: Task, flags: number): [File, File] {
  const pipe = new Pipe();
  const inode = task.kernel.vfs.anon.pipe_inode(task.cred.fsuid, task.cred.fsgid);
  inode.i_pipe = pipe;
  inode.i_count = 2;
  task.kernel.vfs.nr_files += 2;
  const keep = flags & (O_NONBLOCK | O_DIRECT);
  const ends: [File, File] = [PipeEnd.open(undefined, inode, O_RDONLY | (flags & O_NONBLOCK), pipe), PipeEnd.open(undefined, inode, O_WRONLY | keep, pipe)];
  for (const end of ends) end.f_mode |= FMODE_NOWAIT;
  return ends;
}

function do_pipe2(task: Task, fildes: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) throw EINVAL;
  const files = task.files!;
  const [r, w] = create_pipe_files(task, flags);
  const cloexec = (flags & O_CLOEXEC) !== 0;
  let rfd = -1;
  try {
    rfd = files.alloc_fd(task, r, cloexec);
    const wfd = files.alloc_fd(task, w, cloexec);
    try {
      check_write(task.kernel.mem, fildes, 8);
    } catch {
      files.uninstall(wfd);
      throw EFAULT;
    }
    put_user_u32(task.kernel.mem, fildes, rfd);
    put_user_u32(task.kernel.mem, fildes + 4, wfd);
    return 0;
  } catch (e) {
    if (rfd >= 0) files.uninstall(rfd);
    fput(task, r);
    fput(task, w);
    throw e;
  }
}

/** pipe2(2) */
export const sys_pipe2 = SYSCALL_DEFINE("pipe2", [FdPair, Hex], do_pipe2);
/** pipe(2) */
export const sys_pipe = SYSCALL_DEFINE("pipe", [FdPair], (task, fildes) => do_pipe2(task, fildes, 0));

/** What an open of a FIFO that waits for the other side remembers. */
export interface FifoOpen {
  fifo?: File;
  /** counter of the other side when the wait began */
  seen?: number;
}

/**
 * Opens a FIFO: a reader waits for a writer, a writer for a reader (O_NONBLOCK: no waiting, ENXIO for a writer without reader). `state` is
 * the call's restart object: after a sleep the same File goes on waiting.  cf. fifo_open()
 */
export function fifo_open(task: Task, path: Path, inode: Inode, flags: number, state: FifoOpen): File {
  let file = state.fifo;
  if (file === undefined) {
    const mode = flags & O_ACCMODE;
    if (mode === O_ACCMODE) throw EINVAL;
    const pipe = (inode.i_pipe ??= new Pipe());
    // of pipe(2), opened through /proc: nobody waits for anybody, whichever end is left
    const is_pipe = inode.i_sb === task.kernel.vfs.anon.pipefs;
    const nonblock = (flags & O_NONBLOCK) !== 0;
    if (!is_pipe && mode === O_WRONLY && nonblock && pipe.readers === 0) {
      if (pipe.writers === 0) inode.i_pipe = undefined;
      throw ENXIO;
    }
    file = PipeEnd.open(path, inode, flags, pipe);
    const end = file.f_op as PipeEnd;
    end.hung_up = false;
    end.w_seen = pipe.w_counter;
    inode.i_count++;
    (mode === O_RDONLY ? pipe.wr_wait : pipe.rd_wait).wake_up();
    if (is_pipe || mode === O_RDWR || nonblock) return done(file, inode);
    if (mode === O_RDONLY ? pipe.writers > 0 : pipe.readers > 0) return done(file, inode);
    state.fifo = file;
    state.seen = mode === O_RDONLY ? pipe.w_counter : pipe.r_counter;
  }
  const { pipe } = file.f_op as PipeEnd;
  const reader = (file.f_flags & O_ACCMODE) === O_RDONLY;
  if ((reader ? pipe.w_counter : pipe.r_counter) !== state.seen) return done(file, inode);
  try {
    sleep_on(task, [reader ? pipe.rd_wait : pipe.wr_wait], { interrupted: ERESTARTSYS });
  } catch (e) {
    if (e !== SLEEP) {
      state.fifo = undefined;
      file.f_op.release(file, task);
      inode.i_count--;
    }
    throw e;
  }
}

function done(file: File, inode: Inode): File {
  inode.i_count--;
  return file;
}
