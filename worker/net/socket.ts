// net/socket.ts — what all sockets share: the file, options, waiting; making and finding them.  cf. net/socket.c, net/core/sock.c
import { EAGAIN, EDOM, EINTR, EINVAL, ENODATA, ENODEV, ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP, EPERM, EPIPE, ERESTARTSYS, type Errno } from "../include/uapi/errno.ts";
import { O_NONBLOCK, O_RDWR } from "../include/uapi/fcntl.ts";
import { SIGPIPE } from "../include/uapi/signal.ts";
import {
  FIONREAD, MSG_DONTWAIT, MSG_NOSIGNAL, SIOCOUTQ, SO_ACCEPTCONN, SO_BINDTODEVICE, SO_BROADCAST, SO_DEBUG, SO_DOMAIN, SO_DONTROUTE, SO_ERROR,
  SO_KEEPALIVE, SO_LINGER, SO_MARK, SO_NO_CHECK, SO_OOBINLINE, SO_PASSCRED, SO_PEERCRED, SO_PRIORITY, SO_PROTOCOL, SO_RCVBUF, SO_RCVBUFFORCE, SO_RCVLOWAT,
  SO_BUSY_POLL, SO_COOKIE, SO_INCOMING_CPU, SO_LOCK_FILTER, SO_MAX_PACING_RATE, SO_MEMINFO, SO_NOFCS, SO_PASSSEC, SO_PEEK_OFF, SO_PEERGROUPS, SO_PEERNAME, SO_RXQ_OVFL,
  SO_SELECT_ERR_QUEUE, SO_TIMESTAMPING, SO_WIFI_STATUS, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDBUFFORCE, SO_SNDLOWAT, SO_SNDTIMEO, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TYPE, SOL_SOCKET,
} from "../include/uapi/socket.ts";
import { CAP_NET_ADMIN, CAP_NET_RAW, capable } from "../kernel/cred.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { WaitQueue, sleep_on } from "../kernel/sched/wait.ts";
import { send_sig } from "../kernel/signal.ts";
import { restart_state, type Task } from "../kernel/task.ts";
import { put_user_u32 } from "../kernel/uaccess.ts";
import { kill_fasync } from "../fs/fasync.ts";
import { fput } from "../fs/file_table.ts";
import { FMODE_NOWAIT, File, FileOperations } from "../fs/fs.ts";
import { dev_ioctl } from "./core/dev_ioctl.ts";

/** net.core.{r,w}mem_default and _max */
export const SK_MEM_DEFAULT = 212992;
export const SK_MEM_MAX = 212992;
const SOCK_MIN_SNDBUF = 4608;
const SOCK_MIN_RCVBUF = 2304;

export interface Ucred {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
/** What goes along with a message. */
export interface Scm {
  /** owned: whoever takes them puts them */
  fds: File[];
  /** given by SCM_CREDENTIALS; else the sender's own */
  creds: Ucred;
}
export interface SendMsg {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly len: number;
  readonly flags: number;
  /** sockaddr as given; undefined: none */
  readonly name: Uint8Array | undefined;
  scm: Scm | undefined;
}
/** A control message that goes to the user (SCM_RIGHTS apart). */
export interface Cmsg {
  readonly level: number;
  readonly type: number;
  readonly data: Uint8Array;
}
export interface RecvMsg {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly len: number;
  readonly flags: number;
  // filled by the protocol:
  name: Uint8Array | undefined;
  out_flags: number;
  readonly control: Cmsg[];
  /** files to install; owned by the message */
  fds: File[];
}
/** What a blocking send or receive remembers. */
export interface SockWait {
  until: number;
  done: number;
}

export abstract class Socket extends FileOperations {
  readonly file: File;
  readonly kernel: Kernel;
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** set by the other side or the network, read once */
  sk_err: Errno | undefined;
  /** RCV_SHUTDOWN, SEND_SHUTDOWN */
  sk_shutdown = 0;
  readonly wq: WaitQueue = new WaitQueue();
  listening = false;
  sndbuf = SK_MEM_DEFAULT;
  rcvbuf = SK_MEM_DEFAULT;
  /** ns, 0: for ever */
  sndtimeo = 0;
  rcvtimeo = 0;
  rcvlowat = 1;
  reuseaddr = false;
  reuseport = false;
  passcred = false;
  timestamp = 0;
  linger = -1;
  /** where MSG_PEEK looks, -1: at the front; see SO_PEEK_OFF */
  peek_off = -1;
  /** SO_COOKIE, 0: nobody has asked yet */
  cookie = 0;
  /** options that are kept and change nothing: by number */
  readonly kept = new Map<number, number>();

  /** `task`: who asks for it; undefined: a connection that waits to be accepted */
  constructor(kernel: Kernel, task: Task | undefined, family: number, type: number, protocol: number, flags = 0) {
    super();
    const inode = kernel.vfs.anon.sock_inode(task?.cred.fsuid ?? 0, task?.cred.fsgid ?? 0);
    inode.i_count++;
    this.file = new File(undefined, inode, O_RDWR | (flags & O_NONBLOCK), this);
    kernel.vfs.nr_files++;
    this.kernel = kernel;
    this.family = family;
    this.type = type;
    this.protocol = protocol;
  }

  override get splices(): boolean {
    return true;
  }
  override get f_mode(): number {
    return FMODE_NOWAIT;
  }
  override get has_fasync(): boolean {
    return true;
  }
  /** What is refused before the control messages of a sendmsg are looked at. */
  before_send(): void {}
  // --- proto_ops
  abstract bind(task: Task, addr: Uint8Array): void;
  abstract connect(task: Task, addr: Uint8Array, flags: number): void;
  listen(_task: Task, _backlog: number): void {
    throw EOPNOTSUPP;
  }
  /** The next connection. May sleep. */
  accept(_task: Task, _flags: number): Socket {
    throw EOPNOTSUPP;
  }
  abstract getname(peer: boolean): Uint8Array;
  abstract sendmsg(task: Task, msg: SendMsg): number;
  abstract recvmsg(task: Task, msg: RecvMsg): number;
  shutdown(_how: number): void {
    throw EOPNOTSUPP;
  }
  /** The other end for socketpair(2). */
  socketpair(_task: Task, _other: Socket): void {
    throw EOPNOTSUPP;
  }
  /** bytes that a read would give at least, for FIONREAD */
  inq(): number {
    return 0;
  }
  /** does SO_PEEK_OFF mean anything to it? */
  get peeks(): boolean {
    return false;
  }
  outq(): number {
    return 0;
  }
  setopt(_task: Task, _level: number, _name: number, _value: Uint8Array): void {
    throw ENOPROTOOPT;
  }
  getopt(_task: Task, _level: number, _name: number): Uint8Array {
    throw ENOPROTOOPT;
  }
  peercred(): Ucred {
    return { pid: 0, uid: 0xffffffff, gid: 0xffffffff };
  }
  /** supplementary groups of the other end; undefined: nobody is known there */
  peergroups(): readonly number[] | undefined {
    return undefined;
  }

  // --- file operations
  override read(_file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    // as System V had it.  cf. sock_read_iter()
    if (len === 0) return 0;
    const msg: RecvMsg = { buf, off, len, flags: 0, name: undefined, out_flags: 0, control: [], fds: [] };
    const n = this.recvmsg(task, msg);
    for (const f of msg.fds) fput(task, f);
    return n;
  }
  override write(_file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    return this.sendmsg(task, { buf, off, len, flags: 0, name: undefined, scm: undefined });
  }
  override ioctl(_file: File, task: Task, cmd: number, arg: number): number {
    const m = task.kernel.mem;
    switch (cmd) {
      case FIONREAD:
        if (this.listening) throw EINVAL;
        put_user_u32(m, arg, this.inq());
        return 0;
      case SIOCOUTQ:
        if (this.listening) throw EINVAL;
        put_user_u32(m, arg, this.outq());
        return 0;
      default:
        return dev_ioctl(task, cmd, arg);
    }
  }
  override d_dname(file: File): string {
    return `socket:[${file.f_inode!.i_ino}]`;
  }

  // --- help for protocols
  nonblock(flags: number): boolean {
    return (flags & MSG_DONTWAIT) !== 0 || (this.file.f_flags & O_NONBLOCK) !== 0;
  }
  state(task: Task, timeo: number): SockWait {
    return restart_state<SockWait>(task, () => ({ until: timeo === 0 ? Infinity : task.kernel.time.monotonic() + timeo, done: 0 }));
  }
  /** Sleeps until something about this socket (or `queues`) changes; EAGAIN when it may not, or when the time-out has passed. */
  wait(task: Task, flags: number, st: SockWait, queues: readonly WaitQueue[] = [this.wq], timedout: Errno = EAGAIN): never {
    if (this.nonblock(flags)) throw EAGAIN;
    if (task.kernel.time.monotonic() >= st.until) throw timedout;
    return sleep_on(task, queues, { until: st.until, interrupted: st.until === Infinity ? ERESTARTSYS : EINTR });
  }
  /** SO_TIMESTAMP, SO_TIMESTAMPNS: when a message came. It comes when it is sent, and is told as of now. */
  stamp(msg: RecvMsg): void {
    if (this.timestamp === 0) return;
    const { sec, nsec } = this.kernel.time.realtime();
    const part = this.timestamp === SO_TIMESTAMP ? Math.floor(nsec / 1000) : nsec;
    const at = new Uint8Array(BigInt64Array.of(BigInt(sec), BigInt(part)).buffer);
    msg.control.push({ level: SOL_SOCKET, type: this.timestamp, data: at });
  }
  /** Something came (`code`: what SIGIO says of it): waiters look again.  cf. sock_def_readable() */
  data_ready(code: number): void {
    this.wq.wake_up();
    kill_fasync(this.kernel, this.file, code);
  }
  /** Reads and clears the pending error. */
  sock_error(): Errno | undefined {
    const e = this.sk_err;
    this.sk_err = undefined;
    return e;
  }
  /** EPIPE, with SIGPIPE for a stream unless MSG_NOSIGNAL. */
  pipe_error(task: Task, flags: number): never {
    if ((flags & MSG_NOSIGNAL) === 0) send_sig(SIGPIPE, task);
    throw EPIPE;
  }
}

/** The socket of a descriptor. Throws EBADF, ENOTSOCK. */
export function sockfd_lookup(task: Task, fd: number): Socket {
  const { f_op } = task.files!.fget(fd);
  if (!(f_op instanceof Socket)) throw ENOTSOCK;
  return f_op;
}

const u32 = (v: number): Uint8Array => {
  const b = new Uint8Array(4);
  new DataView(b.buffer).setUint32(0, v >>> 0, true);
  return b;
};
const u64 = (v: number): Uint8Array => new Uint8Array(BigInt64Array.of(BigInt(v)).buffer);
const timeval = (ns: number): Uint8Array => {
  const b = new Uint8Array(16);
  const v = new DataView(b.buffer);
  v.setUint32(0, Math.floor(ns / 1e9), true);
  v.setUint32(8, Math.floor((ns % 1e9) / 1000), true);
  return b;
};
/** an int option */
export function int_opt(value: Uint8Array): number {
  if (value.length < 4) throw EINVAL;
  return new DataView(value.buffer, value.byteOffset).getInt32(0, true);
}

const FLAGS = [SO_DEBUG, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_PASSSEC, SO_RXQ_OVFL, SO_WIFI_STATUS, SO_NOFCS, SO_SELECT_ERR_QUEUE];
/** kept as they are given */
const NUMBERS = [SO_PRIORITY, SO_MARK, SO_BUSY_POLL, SO_INCOMING_CPU, SO_LOCK_FILTER];

/** setsockopt(2) at SOL_SOCKET.  cf. sock_setsockopt() */
export function sock_setsockopt(task: Task, sk: Socket, name: number, value: Uint8Array): void {
  if (name === SO_BINDTODEVICE) {
    const dev = String.fromCharCode(...value).replace(/\0.*$/s, "");
    if (dev !== "" && !task.kernel.net.devices.some((d) => d.name === dev)) throw ENODEV;
    // only a binding that is there needs a privilege to be changed.  cf. sock_bindtoindex()
    if ((sk.kept.get(name) ?? 0) !== 0 && !capable(task, CAP_NET_RAW)) throw EPERM;
    sk.kept.set(name, dev === "" ? 0 : 1);
    return;
  }
  const val = int_opt(value);
  const timeo = (): number => {
    if (value.length < 16) throw EINVAL;
    const v = new DataView(value.buffer, value.byteOffset);
    const sec = v.getInt32(4, true) < 0 ? -1 : v.getUint32(0, true) + v.getInt32(4, true) * 0x100000000;
    const usec = v.getInt32(8, true);
    if (usec < 0 || usec >= 1_000_000) throw EDOM;
    return sec < 0 ? 1 : Math.min(2 ** 52, sec * 1e9 + usec * 1000);
  };
  switch (name) {
    case SO_REUSEADDR:
      sk.reuseaddr = val !== 0;
      return;
    case SO_REUSEPORT:
      sk.reuseport = val !== 0;
      return;
    case SO_PASSCRED:
      sk.passcred = val !== 0;
      return;
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
      if (!capable(task, CAP_NET_ADMIN)) throw EPERM;
      if (name === SO_SNDBUFFORCE) sk.sndbuf = Math.max(SOCK_MIN_SNDBUF, val * 2);
      else sk.rcvbuf = Math.max(SOCK_MIN_RCVBUF, val * 2);
      return;
    case SO_SNDBUF:
      sk.sndbuf = Math.max(SOCK_MIN_SNDBUF, Math.min(val < 0 ? SK_MEM_MAX : val, SK_MEM_MAX) * 2);
      sk.wq.wake_up();
      return;
    case SO_RCVBUF:
      sk.rcvbuf = Math.max(SOCK_MIN_RCVBUF, Math.min(val < 0 ? SK_MEM_MAX : val, SK_MEM_MAX) * 2);
      return;
    case SO_RCVTIMEO:
      sk.rcvtimeo = timeo();
      return;
    case SO_SNDTIMEO:
      sk.sndtimeo = timeo();
      return;
    case SO_RCVLOWAT:
      sk.rcvlowat = val < 0 ? 0x7fffffff : val || 1;
      return;
    case SO_LINGER: {
      if (value.length < 8) throw EINVAL;
      sk.linger = val === 0 ? -1 : new DataView(value.buffer, value.byteOffset).getInt32(4, true);
      return;
    }
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
      sk.timestamp = val === 0 ? 0 : name;
      return;
    case SO_PRIORITY:
      if ((val < 0 || val > 6) && !capable(task, CAP_NET_ADMIN)) throw EPERM;
      sk.kept.set(name, val);
      return;
    case SO_MARK:
      if (!capable(task, CAP_NET_ADMIN)) throw EPERM;
      sk.kept.set(name, val);
      return;
    case SO_PEEK_OFF:
      if (!sk.peeks) throw EOPNOTSUPP;
      sk.peek_off = val;
      return;
    case SO_TIMESTAMPING:
    case SO_INCOMING_CPU:
    case SO_MAX_PACING_RATE:
      sk.kept.set(name, val);
      return;
    default:
      if (!FLAGS.includes(name)) throw ENOPROTOOPT;
      sk.kept.set(name, val !== 0 ? 1 : 0);
  }
}

/** getsockopt(2) at SOL_SOCKET, into `len` bytes */
export function sock_getsockopt(sk: Socket, name: number, len: number): Uint8Array {
  switch (name) {
    case SO_TYPE:
      return u32(sk.type);
    case SO_DOMAIN:
      return u32(sk.family);
    case SO_PROTOCOL:
      return u32(sk.protocol);
    case SO_ERROR:
      return u32(sk.sock_error()?.code ?? 0);
    case SO_ACCEPTCONN:
      return u32(sk.listening ? 1 : 0);
    case SO_REUSEADDR:
      return u32(sk.reuseaddr ? 1 : 0);
    case SO_REUSEPORT:
      return u32(sk.reuseport ? 1 : 0);
    case SO_PASSCRED:
      return u32(sk.passcred ? 1 : 0);
    case SO_SNDBUF:
      return u32(sk.sndbuf);
    case SO_RCVBUF:
      return u32(sk.rcvbuf);
    case SO_RCVTIMEO:
      return timeval(sk.rcvtimeo);
    case SO_SNDTIMEO:
      return timeval(sk.sndtimeo);
    case SO_RCVLOWAT:
      return u32(sk.rcvlowat);
    case SO_SNDLOWAT:
      return u32(1);
    case SO_TIMESTAMP:
    case SO_TIMESTAMPNS:
      return u32(sk.timestamp === name ? 1 : 0);
    case SO_LINGER: {
      const b = new Uint8Array(8);
      const v = new DataView(b.buffer);
      v.setInt32(0, sk.linger >= 0 ? 1 : 0, true);
      v.setInt32(4, Math.max(0, sk.linger), true);
      return b;
    }
    case SO_PEERCRED: {
      const c = sk.peercred();
      const b = new Uint8Array(12);
      const v = new DataView(b.buffer);
      v.setUint32(0, c.pid, true);
      v.setUint32(4, c.uid, true);
      v.setUint32(8, c.gid, true);
      return b;
    }
    case SO_BINDTODEVICE:
      return new Uint8Array(0);
    case SO_PEEK_OFF:
      if (!sk.peeks) throw EOPNOTSUPP;
      return u32(sk.peek_off);
    case SO_COOKIE:
      sk.cookie ||= ++sk.kernel.net.last_cookie;
      return u64(sk.cookie);
    case SO_TIMESTAMPING:
      return u64(sk.kept.get(name) ?? 0);
    case SO_MAX_PACING_RATE:
      return u64(sk.kept.get(name) ?? -1);
    case SO_PEERNAME: {
      const name = sk.getname(true);
      if (name.length < len) throw EINVAL;
      return name;
    }
    case SO_PEERGROUPS: {
      const groups = sk.peergroups();
      if (groups === undefined) throw ENODATA;
      return new Uint8Array(Uint32Array.from(groups).buffer);
    }
    // SK_MEMINFO_RMEM_ALLOC, RCVBUF, WMEM_ALLOC, SNDBUF, FWD_ALLOC, WMEM_QUEUED, OPTMEM, BACKLOG, DROPS
    case SO_MEMINFO:
      return new Uint8Array(Uint32Array.of(sk.listening ? 0 : sk.inq(), sk.rcvbuf, sk.outq(), sk.sndbuf, 0, 0, 0, 0, 0).buffer);
    default:
      if (FLAGS.includes(name) || NUMBERS.includes(name)) return u32(sk.kept.get(name) ?? 0);
      throw ENOPROTOOPT;
  }
}
