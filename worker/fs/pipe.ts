// fs/pipe.ts — pipes and FIFOs.  cf. fs/pipe.c
import { EAGAIN, EBUSY, EFAULT, EINVAL, ENOTTY, ENXIO, EPERM, EPIPE, ERESTARTSYS } from "../include/uapi/errno.ts";
import { O_ACCMODE, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../include/uapi/fcntl.ts";
import { CAP_SYS_RESOURCE, capable } from "../kernel/cred.ts";
import { WaitQueue, sleep_on, SLEEP } from "../kernel/sched/wait.ts";
import { send_sig } from "../kernel/signal.ts";
import { Hex, Ptr, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { put_user_u32, check_write } from "../kernel/uaccess.ts";
import { File, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, type Inode, type Path } from "./fs.ts";
import { fput } from "./file_table.ts";
import { current_time, file_accessed } from "./inode.ts";

const SIGPIPE = 13;
export const PIPE_BUF = 4096;
const PIPE_SIZE = 65536;
/** fs.pipe-max-size */
export const PIPE_MAX_SIZE = 1048576;
const FIONREAD = 0x541b;

/**
 * A ring of bytes that a read end and a write end share. `readers` and `writers` count open Files; whoever changes head, tail or a count
 * wakes the other side. In packet mode (O_DIRECT) `packets` holds the lengths of what was written, one read takes one.
 */
export class Pipe {
  /** grows up to `limit` as it is needed */
  private ring = new Uint8Array(PIPE_BUF);
  private head = 0;
  length = 0;
  limit = PIPE_SIZE;
  readers = 0;
  writers = 0;
  /** how many Files were ever opened: FIFO opens wait for a change */
  r_counter = 0;
  w_counter = 0;
  packets: number[] = [];
  readonly rd_wait: WaitQueue = new WaitQueue();
  readonly wr_wait: WaitQueue = new WaitQueue();

  get free(): number {
    return this.limit - this.length;
  }
  /** Appends bytes; there is room. */
  put(buf: Uint8Array, off: number, n: number): void {
    if (this.length + n > this.ring.length) this.grow(this.length + n);
    const ring = this.ring;
    let at = this.head + this.length;
    if (at >= ring.length) at -= ring.length;
    const first = Math.min(n, ring.length - at);
    if (first <= 32) for (let i = 0; i < first; i++) ring[at + i] = buf[off + i]!;
    else ring.set(buf.subarray(off, off + first), at);
    if (n > first) ring.set(buf.subarray(off + first, off + n), 0);
    this.length += n;
  }
  /** Copies the first n bytes from `skip` on without taking them. */
  peek(buf: Uint8Array, off: number, n: number, skip = 0): void {
    const ring = this.ring;
    let at = this.head + skip;
    if (at >= ring.length) at -= ring.length;
    const first = Math.min(n, ring.length - at);
    if (first <= 32) for (let i = 0; i < first; i++) buf[off + i] = ring[at + i]!;
    else buf.set(ring.subarray(at, at + first), off);
    if (n > first) buf.set(ring.subarray(0, n - first), off + first);
  }
  take(n: number): void {
    this.length -= n;
    this.head = this.length === 0 ? 0 : (this.head + n) % this.ring.length;
  }
  private grow(need: number): void {
    let size = this.ring.length;
    while (size < need) size *= 2;
    this.resize(Math.min(size, Math.max(this.limit, need)));
  }
  private resize(size: number): void {
    const next = new Uint8Array(size);
    this.peek(next, 0, this.length);
    this.ring = next;
    this.head = 0;
  }
  /** F_SETPIPE_SZ. Throws EBUSY when more is in it. */
  set_size(size: number): void {
    if (this.length > size) throw EBUSY;
    this.limit = size;
    if (this.ring.length > size) this.resize(Math.max(size, PIPE_BUF));
    this.wr_wait.wake_up();
  }
}

interface PipeProgress {
  done: number;
}

/** One end of a pipe, or both (a FIFO opened O_RDWR). */
export class PipeFile extends File {
  readonly pipe: Pipe;
  declare f_inode: Inode;
  constructor(path: Path | undefined, inode: Inode, flags: number, pipe: Pipe) {
    super(path, inode, flags);
    this.pipe = pipe;
    if (this.readable) {
      pipe.readers++;
      pipe.r_counter++;
    }
    if (this.writable) {
      pipe.writers++;
      pipe.w_counter++;
    }
  }
  override read(task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    const { pipe } = this;
    if (pipe.length === 0) {
      if (pipe.writers === 0) return 0;
      if ((this.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [pipe.rd_wait]);
    }
    let n = Math.min(len, pipe.length);
    let gone = n;
    if (pipe.packets.length > 0) {
      const packet = pipe.packets.shift()!;
      n = Math.min(len, packet);
      gone = packet;
    }
    pipe.peek(buf, off, n);
    pipe.take(gone);
    pipe.wr_wait.wake_up();
    file_accessed(this);
    return n;
  }
  override write(task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len === 0) return 0;
    const { pipe } = this;
    let done = (task.restart as PipeProgress | undefined)?.done ?? 0;
    if (pipe.readers === 0) {
      send_sig(SIGPIPE, task);
      if (done > 0) return done;
      throw EPIPE;
    }
    const packet = (this.f_flags & O_DIRECT) !== 0;
    const atomic = len <= PIPE_BUF;
    const room = pipe.free;
    const n = packet ? Math.min(len - done, PIPE_BUF) : len - done;
    if (atomic || packet ? room >= n : room > 0) {
      const chunk = Math.min(n, room);
      pipe.put(buf, off + done, chunk);
      if (packet) pipe.packets.push(chunk);
      done += chunk;
      pipe.rd_wait.wake_up();
      this.f_inode.i_mtime = this.f_inode.i_ctime = current_time(this.f_inode.i_sb.kernel);
      if (done === len) return done;
      task.restart = { done };
      if (packet) return this.write(task, buf, off, len);
    }
    if ((this.f_flags & O_NONBLOCK) !== 0) {
      if (done > 0) return done;
      throw EAGAIN;
    }
    if (done > 0 && task.signal_pending()) return done;
    sleep_on(task, [pipe.wr_wait]);
  }
  override poll(_task: Task, queues: WaitQueue[] | undefined): number {
    const { pipe } = this;
    let mask = 0;
    if (this.readable) {
      queues?.push(pipe.rd_wait);
      if (pipe.length > 0) mask |= POLLIN | POLLRDNORM;
      if (pipe.writers === 0 && (this.hung_up || pipe.w_counter !== this.w_seen)) mask |= POLLHUP;
    }
    if (this.writable) {
      queues?.push(pipe.wr_wait);
      if (pipe.free >= PIPE_BUF) mask |= POLLOUT | POLLWRNORM;
      if (pipe.readers === 0) mask |= POLLERR;
    }
    return mask;
  }
  /** A FIFO that no writer ever opened since this File was does not poll as hung up; a pipe does at once. */
  hung_up = true;
  w_seen = 0;
  override ioctl(task: Task, cmd: number, arg: number): number {
    if (cmd !== FIONREAD) throw ENOTTY;
    put_user_u32(task.kernel.mem, arg, this.pipe.length);
    return 0;
  }
  override fsync(): void {
    throw EINVAL;
  }
  override d_dname(): string {
    return `pipe:[${this.f_inode.i_ino}]`;
  }
  override release(): void {
    const { pipe } = this;
    if (this.readable) pipe.readers--;
    if (this.writable) pipe.writers--;
    pipe.rd_wait.wake_up();
    pipe.wr_wait.wake_up();
    if (pipe.readers === 0 && pipe.writers === 0 && this.f_inode.i_pipe === pipe) this.f_inode.i_pipe = undefined;
  }
  /** F_GETPIPE_SZ, F_SETPIPE_SZ: the new size. Throws EPERM beyond fs.pipe-max-size. */
  set_pipe_size(task: Task, size: number): number {
    if (size === 0) throw EINVAL;
    let rounded = PIPE_BUF;
    while (rounded < size) rounded *= 2;
    if (rounded > 0x80000000) throw EINVAL;
    if (rounded > PIPE_MAX_SIZE && rounded > this.pipe.limit && !capable(task, CAP_SYS_RESOURCE)) throw EPERM;
    this.pipe.set_size(rounded);
    return rounded;
  }
}

/** Both ends of a new pipe: [read, write].  cf. create_pipe_files() */
export function create_pipe_files(task: Task, flags: number): [PipeFile, PipeFile] {
  const pipe = new Pipe();
  const inode = task.kernel.vfs.anon.pipe_inode(task.cred.fsuid, task.cred.fsgid);
  inode.i_pipe = pipe;
  inode.i_count = 2;
  task.kernel.vfs.nr_files += 2;
  const keep = flags & (O_NONBLOCK | O_DIRECT);
  return [new PipeFile(undefined, inode, O_RDONLY | (flags & O_NONBLOCK), pipe), new PipeFile(undefined, inode, O_WRONLY | keep, pipe)];
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
export const sys_pipe2 = SYSCALL_DEFINE("pipe2", [Ptr, Hex], do_pipe2);
/** pipe(2) */
export const sys_pipe = SYSCALL_DEFINE("pipe", [Ptr], (task, fildes) => do_pipe2(task, fildes, 0));

/** What an open of a FIFO that waits for the other side remembers. */
export interface FifoOpen {
  fifo?: PipeFile;
  /** counter of the other side when the wait began */
  seen?: number;
}

/**
 * Opens a FIFO: a reader waits for a writer, a writer for a reader (O_NONBLOCK: no waiting, ENXIO for a writer without reader). `state` is
 * the call's restart object: after a sleep the same File goes on waiting.  cf. fifo_open()
 */
export function fifo_open(task: Task, path: Path, inode: Inode, flags: number, state: FifoOpen): PipeFile {
  let file = state.fifo;
  if (file === undefined) {
    const pipe = (inode.i_pipe ??= new Pipe());
    const nonblock = (flags & O_NONBLOCK) !== 0;
    const mode = flags & O_ACCMODE;
    if (mode === O_WRONLY && nonblock && pipe.readers === 0) {
      if (pipe.writers === 0) inode.i_pipe = undefined;
      throw ENXIO;
    }
    file = new PipeFile(path, inode, flags, pipe);
    file.hung_up = false;
    file.w_seen = pipe.w_counter;
    inode.i_count++;
    (mode === O_RDONLY ? pipe.wr_wait : pipe.rd_wait).wake_up();
    if (mode === O_RDWR || nonblock) return done(file, inode);
    if (mode === O_RDONLY ? pipe.writers > 0 : pipe.readers > 0) return done(file, inode);
    state.fifo = file;
    state.seen = mode === O_RDONLY ? pipe.w_counter : pipe.r_counter;
  }
  const { pipe } = file;
  const reader = (file.f_flags & O_ACCMODE) === O_RDONLY;
  if ((reader ? pipe.w_counter : pipe.r_counter) !== state.seen) return done(file, file.f_inode);
  try {
    sleep_on(task, [reader ? pipe.rd_wait : pipe.wr_wait], { interrupted: ERESTARTSYS });
  } catch (e) {
    if (e !== SLEEP) {
      state.fifo = undefined;
      file.release();
      file.f_inode.i_count--;
    }
    throw e;
  }
}

function done(file: PipeFile, inode: Inode): PipeFile {
  inode.i_count--;
  return file;
}
