// net/unix/af_unix.ts — AF_UNIX: streams, datagrams, sequenced packets between processes.  cf. net/unix/af_unix.c
import {
  EADDRINUSE, ECONNREFUSED, ECONNRESET, EEXIST, EINVAL, EISCONN, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE, EPROTOTYPE, type Errno,
} from "../../include/uapi/errno.ts";
import { AT_FDCWD } from "../../include/uapi/fcntl.ts";
import { S_IFSOCK, S_ISSOCK } from "../../include/uapi/stat.ts";
import {
  SIOCATMARK, SO_OOBINLINE, AF_UNIX, AF_UNSPEC, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, RCV_SHUTDOWN, SCM_CREDENTIALS, SEND_SHUTDOWN, SHUTDOWN_MASK, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM,
  SOL_SOCKET,
} from "../../include/uapi/socket.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { put_user_u32 } from "../../kernel/uaccess.ts";
import { POLL_IN, send_sigurg } from "../../fs/fasync.ts";
import { fput, get_file, ihold, iput } from "../../fs/file_table.ts";
import {
  POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM, type File, type Inode,
} from "../../fs/fs.ts";
import { MAY_WRITE, inode_permission } from "../../fs/inode.ts";
import { kern_path } from "../../fs/namei.ts";
import { filename_create, vfs_mknod } from "../../fs/namei_ops.ts";
import { Filename } from "../../fs/names.ts";
import { own_creds, scm_destroy } from "../scm.ts";
import { unix_gc, unix_inflight, unix_notinflight } from "./garbage.ts";
import { Socket, type RecvMsg, type SendMsg, type Ucred } from "../socket.ts";

/** net.unix.max_dgram_qlen */
const MAX_DGRAM_QLEN = 10;
const CHUNK = 32768;
/** what a message costs of the sender's buffer beside its bytes */
const OVERHEAD = 768;

/** A message, or a piece of a stream. */
export class UnixSkb {
  readonly data: Uint8Array;
  /** bytes of a stream that were taken already */
  taken = 0;
  readonly creds: Ucred;
  /** the sender gave or wants credentials to be compared */
  fds: File[];
  readonly from: UnixSock;
  constructor(data: Uint8Array, creds: Ucred, fds: File[], from: UnixSock) {
    this.data = data;
    this.creds = creds;
    this.fds = fds;
    this.from = from;
  }
}

type State = "close" | "listen" | "established";

export class UnixSock extends Socket {
  sk_state: State = "close";
  /** sun_path as bound: a path, or a NUL and a name; undefined: not bound */
  addr: Uint8Array | undefined;
  bound_inode: Inode | undefined;
  peer: UnixSock | undefined;
  dead = false;
  readonly rxq: UnixSkb[] = [];
  /** listening: connections to accept */
  readonly pending: UnixSock[] = [];
  backlog = 0;
  /** bytes sent and not yet read */
  wmem = 0;
  private peer_cred: Ucred | undefined;
  private peer_groups: readonly number[] | undefined;
  /** the urgent byte that has not been read or passed */
  private oob: UnixSkb | undefined;

  constructor(kernel: Kernel, task: Task, type: number, flags = 0) {
    super(kernel, task, AF_UNIX, type, 0, flags);
  }
  override peercred(): Ucred {
    return this.peer_cred ?? super.peercred();
  }
  override peergroups(): readonly number[] | undefined {
    return this.peer_groups;
  }
  private get stream(): boolean {
    return this.type === SOCK_STREAM;
  }

  // --- names
  bind(task: Task, addr: Uint8Array): void {
    const name = sun_path(addr);
    if (name === undefined) {
      if (this.addr === undefined) this.autobind();
      return;
    }
    const { net } = this.kernel;
    // a socket file is made, or found to be in the way, before anybody asks whether this socket has a name already
    if (this.addr !== undefined && name[0] === 0) throw EINVAL;
    if (name[0] === 0) {
      const key = this.abstract_key(name);
      if (net.unix_abstract.has(key)) throw EADDRINUSE;
      net.unix_abstract.set(key, this);
    } else {
      let inode: Inode;
      try {
        const at = filename_create(task, AT_FDCWD, new Filename(latin1(name)));
        if (this.addr !== undefined) throw EINVAL;
        inode = vfs_mknod(task, at, S_IFSOCK | 0o777, 0);
      } catch (e) {
        throw e === EEXIST ? EADDRINUSE : e;
      }
      ihold(inode);
      this.bound_inode = inode;
      net.unix_inodes.set(inode, this);
    }
    this.addr = name;
  }
  /** Abstract names are those of one type.  cf. unix_abstract_hash() */
  private abstract_key(name: Uint8Array): string {
    return `${this.type}${latin1(name)}`;
  }
  /** A free abstract name of five hex digits. */
  private autobind(): void {
    const { net } = this.kernel;
    for (;;) {
      const name = Uint8Array.from(`\0${(net.unix_autobind++ & 0xfffff).toString(16).padStart(5, "0")}`, (c) => c.charCodeAt(0));
      const key = this.abstract_key(name);
      if (net.unix_abstract.has(key)) continue;
      this.addr = name;
      net.unix_abstract.set(key, this);
      return;
    }
  }
  getname(peer: boolean): Uint8Array {
    if (peer && this.peer === undefined) throw ENOTCONN;
    return sockaddr_un(peer ? this.peer!.addr : this.addr);
  }
  private find_other(task: Task, addr: Uint8Array): UnixSock {
    const name = sun_path(addr);
    if (name === undefined) throw EINVAL;
    let other: UnixSock | undefined;
    if (name[0] === 0) other = this.kernel.net.unix_abstract.get(this.abstract_key(name));
    else {
      const inode = kern_path(task, latin1(name)).dentry.d_inode!;
      inode_permission(task, inode, MAY_WRITE);
      if (S_ISSOCK(inode.i_mode)) other = this.kernel.net.unix_inodes.get(inode);
    }
    if (other === undefined || other.dead) throw ECONNREFUSED;
    if (other.type !== this.type) throw EPROTOTYPE;
    return other;
  }

  // --- connections
  override listen(task: Task, backlog: number): void {
    if (this.type === SOCK_DGRAM) throw EOPNOTSUPP;
    if (this.addr === undefined || (this.sk_state !== "close" && this.sk_state !== "listen")) throw EINVAL;
    if (backlog > this.backlog) this.wq.wake_up();
    this.backlog = backlog;
    this.sk_state = "listen";
    this.listening = true;
    this.peer_cred = own_creds(task);
    this.peer_groups = task.cred.groups;
  }
  connect(task: Task, addr: Uint8Array, flags: number): void {
    if (this.type === SOCK_DGRAM) return this.dgram_connect(task, addr);
    if (sun_path(addr) === undefined) throw EINVAL;
    if (this.passcred && this.addr === undefined) this.autobind();
    const other = this.find_other(task, addr);
    if (other.sk_state !== "listen" || (other.sk_shutdown & RCV_SHUTDOWN) !== 0) throw ECONNREFUSED;
    const st = this.state(task, this.sndtimeo);
    if (other.pending.length > other.backlog) this.wait(task, flags, st, [other.wq]);
    if (this.sk_state !== "close") throw this.sk_state === "established" ? EISCONN : EINVAL;
    const end = new UnixSock(this.kernel, task, this.type);
    end.addr = other.addr;
    end.passcred = other.passcred;
    end.sk_state = this.sk_state = "established";
    end.peer = this;
    this.peer = end;
    end.peer_cred = own_creds(task);
    end.peer_groups = task.cred.groups;
    this.peer_cred = other.peer_cred;
    this.peer_groups = other.peer_groups;
    other.pending.push(end);
    other.wq.wake_up();
  }
  /** cf. unix_dgram_connect() */
  private dgram_connect(task: Task, addr: Uint8Array): void {
    if (addr.length < 2) throw EINVAL;
    let other: UnixSock | undefined;
    if ((addr[0]! | (addr[1]! << 8)) !== AF_UNSPEC) {
      if (sun_path(addr) === undefined) throw EINVAL;
      if (this.passcred && this.addr === undefined) this.autobind();
      other = this.find_other(task, addr);
      if (other.peer !== undefined && other.peer !== this) throw EPERM;
      this.sk_state = other.sk_state = "established";
    }
    const old = this.peer;
    this.peer = other;
    if (old === undefined) return;
    if (other === undefined) this.sk_state = "close";
    this.wq.wake_up();
    if (other !== old) this.dgram_disconnected(task, old);
  }
  /** What was sent to it is lost, and who was connected to it hears of that.  cf. unix_dgram_disconnected() */
  private dgram_disconnected(task: Task, old: UnixSock): void {
    if (this.rxq.length > 0) {
      this.purge(task);
      if (!old.dead && old.peer === this) {
        old.sk_err = ECONNRESET;
        old.wq.wake_up();
      }
    }
    if (old.peer === undefined && !old.dead) old.sk_state = "close";
  }
  /** cf. skb_queue_purge() */
  private purge(task: Task | undefined): void {
    for (const skb of this.rxq.splice(0)) {
      unix_notinflight(this.kernel, skb.fds);
      scm_destroy(task, skb);
      skb.from.wmem -= skb.data.length + OVERHEAD;
      skb.from.wq.wake_up();
    }
  }
  override accept(task: Task, flags: number): Socket {
    if (this.type === SOCK_DGRAM) throw EOPNOTSUPP;
    if (this.sk_state !== "listen") throw EINVAL;
    const end = this.pending.shift();
    if (end === undefined) {
      if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) throw EINVAL;
      return this.wait(task, flags, this.state(task, this.rcvtimeo));
    }
    this.wq.wake_up();
    return end;
  }
  override socketpair(task: Task, other: Socket): void {
    const o = other as UnixSock;
    this.peer = o;
    o.peer = this;
    this.peer_cred = o.peer_cred = own_creds(task);
    this.peer_groups = o.peer_groups = task.cred.groups;
    this.sk_state = o.sk_state = "established";
  }

  // --- data
  override before_send(): void {
    if (this.type !== SOCK_SEQPACKET) return;
    const err = this.sock_error();
    if (err !== undefined) throw err;
    if (this.sk_state !== "established") throw ENOTCONN;
  }
  sendmsg(task: Task, msg: SendMsg): number {
    this.before_send();
    if ((msg.flags & MSG_OOB) !== 0 && (!this.stream || msg.len === 0)) throw EOPNOTSUPP;
    return this.stream ? this.send_stream(task, msg) : this.send_dgram(task, msg);
  }
  private send_stream(task: Task, msg: SendMsg): number {
    if (msg.name !== undefined) throw this.sk_state === "established" ? EISCONN : EOPNOTSUPP;
    const st = this.state(task, this.sndtimeo);
    try {
      if (this.peer === undefined) throw ENOTCONN;
      if ((this.sk_shutdown & SEND_SHUTDOWN) !== 0 && st.done === 0) return this.pipe_error(task, msg.flags);
      while (st.done < msg.len || (msg.len === 0 && msg.scm !== undefined && msg.scm.fds.length > 0)) {
        const peer = this.peer;
        if ((this.sk_shutdown & SEND_SHUTDOWN) !== 0 || peer === undefined || peer.dead || (peer.sk_shutdown & RCV_SHUTDOWN) !== 0) {
          if (st.done > 0) return st.done;
          return this.pipe_error(task, msg.flags);
        }
        const err = st.done === 0 ? this.sock_error() : undefined;
        if (err !== undefined) throw err;
        const room = this.sndbuf - this.wmem;
        if (room <= 0) {
          if (st.done > 0 && (this.nonblock(msg.flags) || task.signal_pending())) return st.done;
          this.wait(task, msg.flags, st);
        }
        // the urgent byte, the last one, is a message of its own
        const oob = (msg.flags & MSG_OOB) !== 0;
        const n = Math.min(msg.len - st.done - (oob && st.done < msg.len - 1 ? 1 : 0), CHUNK, Math.max(1, room - OVERHEAD));
        this.queue(peer, msg, task, st.done, n);
        st.done += n;
        if (oob && st.done === msg.len) {
          peer.oob = peer.rxq.at(-1)!;
          send_sigurg(this.kernel, peer.file);
        }
        if (msg.len === 0) break;
      }
      return st.done;
    } finally {
      if (msg.scm !== undefined) scm_destroy(task, msg.scm);
    }
  }
  private queue(peer: UnixSock, msg: SendMsg, task: Task, from: number, n: number): void {
    const data = msg.buf.slice(msg.off + from, msg.off + from + n);
    const fds = msg.scm?.fds ?? [];
    if (msg.scm !== undefined) msg.scm.fds = [];
    unix_inflight(this.kernel, fds);
    peer.rxq.push(new UnixSkb(data, msg.scm?.creds ?? own_creds(task), fds, this));
    this.wmem += n + OVERHEAD;
    peer.data_ready(POLL_IN);
  }
  private send_dgram(task: Task, msg: SendMsg): number {
    try {
      // a packet socket ignores addresses
      const named = this.type === SOCK_DGRAM && msg.name !== undefined;
      if (named && sun_path(msg.name!) === undefined) throw EINVAL;
      if (!named && this.peer === undefined) throw ENOTCONN;
      if (this.passcred && this.addr === undefined) this.autobind();
      if (msg.len > this.sndbuf - 32) throw EMSGSIZE;
      const err = this.sock_error();
      if (err !== undefined) throw err;
      if ((this.sk_shutdown & SEND_SHUTDOWN) !== 0) throw EPIPE;
      const peer = named ? this.find_other(task, msg.name!) : this.peer!;
      if (peer.peer !== undefined && peer.peer !== this) throw EPERM;
      if (peer.dead) {
        if (this.type === SOCK_SEQPACKET) throw EPIPE;
        this.peer = undefined;
        this.sk_state = "close";
        this.dgram_disconnected(task, peer);
        throw ECONNREFUSED;
      }
      if ((peer.sk_shutdown & RCV_SHUTDOWN) !== 0) throw EPIPE;
      const full = this.type === SOCK_DGRAM && peer.peer !== this && peer.rxq.length > MAX_DGRAM_QLEN;
      if (full || this.wmem + OVERHEAD > this.sndbuf || (this.wmem > 0 && this.wmem + msg.len > this.sndbuf)) {
        const st = this.state(task, this.sndtimeo);
        this.wait(task, msg.flags, st, full ? [peer.wq, this.wq] : [this.wq]);
      }
      this.queue(peer, msg, task, 0, msg.len);
      return msg.len;
    } finally {
      if (msg.scm !== undefined) scm_destroy(task, msg.scm);
    }
  }

  /** The skb was read: its sender may send more. */
  private consumed(skb: UnixSkb): void {
    skb.from.wmem -= skb.data.length + OVERHEAD;
    skb.from.wq.wake_up();
    this.wq.wake_up();
  }
  private add_scm(msg: RecvMsg, skb: UnixSkb, peek: boolean): void {
    if (this.passcred) {
      const b = new Uint8Array(12);
      const v = new DataView(b.buffer);
      v.setUint32(0, skb.creds.pid, true);
      v.setUint32(4, skb.creds.uid, true);
      v.setUint32(8, skb.creds.gid, true);
      if (!msg.control.some((c) => c.type === SCM_CREDENTIALS)) msg.control.push({ level: SOL_SOCKET, type: SCM_CREDENTIALS, data: b });
    }
    if (peek) for (const f of skb.fds) msg.fds.push(get_file(f));
    else {
      unix_notinflight(this.kernel, skb.fds);
      msg.fds.push(...skb.fds);
      skb.fds = [];
    }
  }
  recvmsg(task: Task, msg: RecvMsg): number {
    if (this.type === SOCK_SEQPACKET && this.sk_state !== "established") throw ENOTCONN;
    if (this.stream && this.sk_state !== "established") throw EINVAL;
    if ((msg.flags & MSG_OOB) !== 0) {
      if (!this.stream) throw EOPNOTSUPP;
      return this.recv_urg(msg);
    }
    return this.stream ? this.recv_stream(task, msg) : this.recv_dgram(task, msg);
  }
  /** cf. unix_stream_recv_urg() */
  private recv_urg(msg: RecvMsg): number {
    const skb = this.oob;
    if (skb === undefined || this.oobinline) throw EINVAL;
    if (msg.len > 0) msg.buf[msg.off] = skb.data[0]!;
    msg.out_flags |= MSG_OOB;
    if ((msg.flags & MSG_PEEK) === 0) this.drop_oob();
    return Math.min(1, msg.len);
  }
  private get oobinline(): boolean {
    return (this.kept.get(SO_OOBINLINE) ?? 0) !== 0;
  }
  /** The urgent byte has been read, or passed over. */
  private drop_oob(): void {
    const skb = this.oob!;
    this.oob = undefined;
    this.rxq.splice(this.rxq.indexOf(skb), 1);
    this.consumed(skb);
  }
  override get peeks(): boolean {
    return true;
  }
  override ioctl(file: File, task: Task, cmd: number, arg: number): number {
    if (cmd !== SIOCATMARK) return super.ioctl(file, task, cmd, arg);
    put_user_u32(task.kernel.mem, arg, this.oob !== undefined && this.rxq[0] === this.oob ? 1 : 0);
    return 0;
  }
  private recv_stream(task: Task, msg: RecvMsg): number {
    const st = this.state(task, this.rcvtimeo);
    const peek = (msg.flags & MSG_PEEK) !== 0;
    const want = (msg.flags & MSG_WAITALL) !== 0 && !peek ? msg.len : Math.min(this.rcvlowat, msg.len);

    let creds: Ucred | undefined;
    let i = 0;
    let moved = st.done;
    let skip = peek ? Math.max(0, this.peek_off) : 0;
    // one that wants nothing waits for something all the same
    for (let first = true; moved < msg.len || first; first = false) {
      const skb = this.rxq[i];
      if (skb !== undefined && skb === this.oob) {
        // a read ends before the urgent byte; the next one takes it in line, or passes over it
        if (moved > 0) break;
        if (this.oobinline) {
          if (!peek) this.oob = undefined;
        } else {
          if (peek) i++;
          else this.drop_oob();
          continue;
        }
      }
      if (skb !== undefined && skip >= skb.data.length - skb.taken) {
        skip -= skb.data.length - skb.taken;
        i++;
        continue;
      }
      if (skb === undefined) {
        if (moved >= want && moved > 0) break;
        const err: Errno | undefined = this.sock_error();
        if (err !== undefined) {
          if (moved > 0) {
            this.sk_err = err;
            break;
          }
          throw err;
        }
        if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) break;
        if (moved > 0 && (task.signal_pending() || this.nonblock(msg.flags))) break;
        if (moved > 0 && task.kernel.time.monotonic() >= st.until) break;
        st.done = moved;
        return this.wait(task, msg.flags, st);
      }
      // bytes of different senders are not mixed when somebody asks who sent them
      if (creds !== undefined && this.passcred && (skb.creds.pid !== creds.pid || skb.creds.uid !== creds.uid || skb.creds.gid !== creds.gid)) break;
      creds = skb.creds;
      if (skb.from.addr !== undefined) msg.name ??= sockaddr_un(skb.from.addr);
      const from = skb.taken + skip;
      const n = Math.min(msg.len - moved, skb.data.length - from);
      msg.buf.set(skb.data.subarray(from, from + n), msg.off + moved);
      skip = 0;
      const had_fds = skb.fds.length > 0;
      this.add_scm(msg, skb, peek);
      moved += n;

      if (peek) i++;
      else {
        skb.taken += n;
        if (skb.taken === skb.data.length) {
          this.rxq.shift();
          this.consumed(skb);
        }
      }
      if (had_fds) break;
    }
    this.move_peek_off(peek, moved);
    return moved;
  }
  /** cf. sk_peek_offset_fwd(), sk_peek_offset_bwd() */
  private move_peek_off(peek: boolean, n: number): void {
    if (this.peek_off >= 0) this.peek_off = peek ? this.peek_off + n : Math.max(0, this.peek_off - n);
  }
  private recv_dgram(task: Task, msg: RecvMsg): number {
    const err = this.sock_error();
    if (err !== undefined) throw err;
    const skb = this.rxq[0];
    if (skb === undefined) {
      if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0 && (this.type === SOCK_SEQPACKET || !this.nonblock(msg.flags))) return 0;
      return this.wait(task, msg.flags, this.state(task, this.rcvtimeo));
    }
    const peek = (msg.flags & MSG_PEEK) !== 0;
    this.stamp(msg);
    const n = Math.min(msg.len, skb.data.length);
    msg.buf.set(skb.data.subarray(0, n), msg.off);
    if (n < skb.data.length) msg.out_flags |= MSG_TRUNC;
    msg.name = skb.from.addr === undefined ? undefined : sockaddr_un(skb.from.addr);
    this.add_scm(msg, skb, peek);
    if (!peek) {
      this.rxq.shift();
      this.consumed(skb);
    }
    return (msg.flags & MSG_TRUNC) !== 0 ? skb.data.length : n;
  }
  override inq(): number {
    if (this.type === SOCK_DGRAM) return this.rxq[0]?.data.length ?? 0;
    return this.rxq.reduce((n, s) => n + s.data.length - s.taken, 0);
  }
  override outq(): number {
    return this.wmem;
  }

  override shutdown(how: number): void {
    const bits = how + 1;
    this.sk_shutdown |= bits;
    const peer = this.peer;
    if (peer !== undefined && this.type !== SOCK_DGRAM) {
      if ((bits & RCV_SHUTDOWN) !== 0) peer.sk_shutdown |= SEND_SHUTDOWN;
      if ((bits & SEND_SHUTDOWN) !== 0) peer.sk_shutdown |= RCV_SHUTDOWN;
      peer.wq.wake_up();
    }
    this.wq.wake_up();
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    let mask = 0;
    if (this.sk_err !== undefined) mask |= POLLERR;
    if (this.oob !== undefined) mask |= POLLPRI;
    if (this.sk_shutdown === SHUTDOWN_MASK) mask |= POLLHUP;
    if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) mask |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.rxq.length > 0 || this.pending.length > 0) mask |= POLLIN | POLLRDNORM;
    if (this.type !== SOCK_DGRAM && this.sk_state === "close") mask |= POLLHUP;
    let writable = this.sk_state !== "listen" && this.wmem * 4 <= this.sndbuf;
    const peer = this.peer;
    if (this.type === SOCK_DGRAM && peer !== undefined && peer.peer !== this && peer.rxq.length > MAX_DGRAM_QLEN) {
      queues?.push(peer.wq);
      writable = false;
    }
    if (writable) mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return mask;
  }
  override release(_file: File, task: Task | undefined): void {
    this.dead = true;
    const { net } = this.kernel;
    if (this.bound_inode !== undefined) {
      net.unix_inodes.delete(this.bound_inode);
      iput(this.bound_inode);
    } else if (this.addr !== undefined && net.unix_abstract.get(this.abstract_key(this.addr)) === this) net.unix_abstract.delete(this.abstract_key(this.addr));
    const peer = this.peer;
    if (peer !== undefined && this.type !== SOCK_DGRAM) {
      peer.sk_shutdown = SHUTDOWN_MASK;
      if (this.rxq.length > 0) peer.sk_err = ECONNRESET;
      peer.wq.wake_up();
    } else peer?.wq.wake_up();
    this.peer = undefined;
    this.purge(task);
    this.oob = undefined;
    for (const end of this.pending.splice(0)) {
      if (end.peer !== undefined) end.peer.sk_err = ECONNRESET;
      fput(task, end.file);
    }
    this.wq.wake_up();
    unix_gc(this.kernel, task);
  }
}

const latin1 = (b: Uint8Array): string => {
  let s = "";
  for (const c of b) s += String.fromCharCode(c);
  return s;
};
/** The name in a sockaddr_un: a path without its NUL, or NUL and an abstract name; undefined for none (autobind). Throws EINVAL. */
function sun_path(addr: Uint8Array): Uint8Array | undefined {
  if (addr.length < 2 || addr.length > 110 || (addr[0]! | (addr[1]! << 8)) !== AF_UNIX) throw EINVAL;
  if (addr.length === 2) return undefined;
  const name = addr.subarray(2);
  if (name[0] === 0) return name.slice();
  const end = name.indexOf(0);
  return name.slice(0, end < 0 ? name.length : end);
}
function sockaddr_un(name: Uint8Array | undefined): Uint8Array {
  if (name === undefined) return Uint8Array.of(AF_UNIX, 0);
  const out = new Uint8Array(2 + name.length + (name[0] === 0 ? 0 : 1));
  out[0] = AF_UNIX;
  out.set(name, 2);
  return out;
}
