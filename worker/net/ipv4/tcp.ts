// net/ipv4/tcp.ts — TCP over loopback: connections between two sockets of this machine.  cf. net/ipv4/tcp.c, inet_connection_sock.c
//
// Both ends are here, so no segments are made: what one writes is queued at the other, a FIN is a flag, a RST an error. States and what the calls
// say are TCP's.
import {
  EADDRINUSE, EADDRNOTAVAIL, EALREADY, ECONNABORTED, ECONNREFUSED, ECONNRESET, EINPROGRESS, EINVAL, EISCONN, ENOTCONN, EPIPE,
} from "../../include/uapi/errno.ts";
import {
  AF_UNSPEC, IPPROTO_TCP, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK, SIOCATMARK, SOCK_STREAM, SOMAXCONN, SO_OOBINLINE,
} from "../../include/uapi/socket.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { put_user_u32 } from "../../kernel/uaccess.ts";
import { POLL_IN, send_sigurg } from "../../fs/fasync.ts";
import { fput } from "../../fs/file_table.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM, type File } from "../../fs/fs.ts";
import type { RecvMsg, SendMsg, Socket } from "../socket.ts";
import { InetSock, parse_sockaddr_in } from "./af_inet.ts";
import { tcp_time_wait, time_waiters } from "./tcp_minisocks.ts";
import { tcp_getsockopt, tcp_setsockopt } from "./tcp_opts.ts";

export const TCP_ESTABLISHED = 1;
export const TCP_SYN_SENT = 2;
export const TCP_FIN_WAIT1 = 4;
export const TCP_FIN_WAIT2 = 5;
export const TCP_TIME_WAIT = 6;
export const TCP_CLOSE = 7;
export const TCP_CLOSE_WAIT = 8;
export const TCP_LAST_ACK = 9;
export const TCP_LISTEN = 10;

/** net.ipv4.tcp_{r,w}mem's defaults */
const TCP_RMEM = 131072;
const TCP_WMEM = 16384;

export class TcpSock extends InetSock {
  sk_state = TCP_CLOSE;
  peer: TcpSock | undefined;
  private readonly rxq: Uint8Array[] = [];
  private rx_taken = 0;
  rx_bytes = 0;
  /** place of the urgent byte, counted from the next one to be read; undefined: none that has not been passed */
  private urg_at: number | undefined;
  /** the urgent byte while MSG_OOB may still have it */
  private urg: number | undefined;
  readonly pending: TcpSock[] = [];
  /** SYNs that found the queue full: sent again until there is room */
  readonly syns: TcpSock[] = [];
  backlog = 0;
  /** a connect that was begun and whose end has not been told: SS_CONNECTING */
  private connecting = false;
  /** no process has it any more, and the other end may still write: FIN_WAIT2 */
  private orphan = false;
  readonly opts = new Map<number, number>();
  congestion = "cubic";

  constructor(kernel: Kernel, task: Task | undefined, flags = 0) {
    super(kernel, task, SOCK_STREAM, IPPROTO_TCP, flags);
    this.rcvbuf = TCP_RMEM;
    this.sndbuf = TCP_WMEM;
  }
  table(): ReadonlySet<TcpSock> {
    return this.kernel.net.tcp;
  }
  protected hash(): void {
    this.kernel.net.tcp.add(this);
  }
  /** A port may be shared by sockets that agree, but not with one that listens. */
  protected override may_share(other: InetSock): boolean {
    if (this.reuseport && other.reuseport) return true;
    return this.reuseaddr && other.reuseaddr && (other as TcpSock).sk_state !== TCP_LISTEN;
  }

  override listen(_task: Task, backlog: number): void {
    // an attempt whose end connect(2) has not told yet.  cf. inet_listen(): SS_UNCONNECTED
    if (this.connecting) throw EINVAL;
    if (this.sk_state !== TCP_CLOSE && this.sk_state !== TCP_LISTEN) throw EINVAL;
    this.backlog = Math.min(backlog < 0 ? SOMAXCONN : backlog, SOMAXCONN);
    if (this.sk_state === TCP_LISTEN) return;
    this.autobind();
    for (const o of this.kernel.net.tcp) {
      if (o === this || o.sk_state !== TCP_LISTEN || o.num !== this.num || (this.reuseport && o.reuseport)) continue;
      if (o.rcv_saddr === 0 || this.rcv_saddr === 0 || o.rcv_saddr === this.rcv_saddr) throw EADDRINUSE;
    }
    this.sk_state = TCP_LISTEN;
    this.listening = true;
  }
  /** cf. __inet_stream_connect() */
  connect(task: Task, addr: Uint8Array, flags: number): void {
    if (addr.length >= 2 && (addr[0]! | (addr[1]! << 8)) === AF_UNSPEC) {
      this.disconnect();
      return;
    }
    const st = this.state(task, this.sndtimeo);
    if (!this.connecting) {
      if (this.sk_state !== TCP_CLOSE) throw EISCONN;
      this.send_syn(addr);
      if (this.nonblock(flags)) throw EINPROGRESS;
    } else if (this.sk_state === TCP_SYN_SENT && st.done === 0 && this.nonblock(flags)) throw EALREADY;
    st.done = 1;
    if (this.sk_state === TCP_SYN_SENT) this.wait(task, flags, st, [this.wq], EINPROGRESS);
    this.connecting = false;
    if (this.sk_state !== TCP_CLOSE) return;
    const err = this.sock_error() ?? ECONNABORTED;
    this.disconnect();
    throw err;
  }
  /** cf. tcp_v4_connect() */
  private send_syn(addr: Uint8Array): void {
    if (addr.length < 16) throw EINVAL;
    const a = parse_sockaddr_in(addr);
    const { dst, src } = this.route(a.addr);
    if (this.num === 0) {
      this.num = this.ephemeral(0, EADDRNOTAVAIL);
      this.hash();
    }
    if (this.rcv_saddr === 0) this.rcv_saddr = src;
    this.daddr = dst;
    this.dport = a.port;
    this.connecting = true;
    this.sk_state = TCP_SYN_SENT;
    this.sk_shutdown = 0;
    this.kernel.net.loopback_xmit(60);
    const listener = this.lookup_listener(dst, a.port);
    if (listener === undefined) this.tcp_reset();
    else if (listener.pending.length > listener.backlog) listener.syns.push(this);
    else this.establish(listener);
  }
  /** The handshake: our SYN has found room in the listener's queue. */
  private establish(listener: TcpSock): void {
    const end = new TcpSock(this.kernel, undefined);
    end.rcv_saddr = this.daddr;
    end.num = this.dport;
    end.daddr = this.rcv_saddr;
    end.dport = this.num;
    end.reuseaddr = listener.reuseaddr;
    end.reuseport = listener.reuseport;
    end.rcvbuf = listener.rcvbuf;
    end.sndbuf = listener.sndbuf;
    end.linger = listener.linger;
    for (const [k, v] of listener.opts) end.opts.set(k, v);
    for (const [k, v] of listener.kept) end.kept.set(k, v);
    for (const [k, v] of listener.ip_opts) end.ip_opts.set(k, v);
    end.hash();
    end.peer = this;
    this.peer = end;
    end.sk_state = this.sk_state = TCP_ESTABLISHED;
    this.kernel.net.loopback_xmit(60);
    this.kernel.net.loopback_xmit(52);
    listener.pending.push(end);
    listener.data_ready(POLL_IN);
    this.wq.wake_up();
  }
  private lookup_listener(dst: number, port: number): TcpSock | undefined {
    let best: TcpSock | undefined;
    for (const s of this.kernel.net.tcp) {
      if (s.sk_state !== TCP_LISTEN || s.num !== port || (s.rcv_saddr !== 0 && s.rcv_saddr !== dst)) continue;
      if (best === undefined || (best.rcv_saddr === 0 && s.rcv_saddr !== 0)) best = s;
    }
    return best;
  }
  private disconnect(): void {
    if (this.sk_state === TCP_LISTEN) this.drop_pending();
    else if (this.peer !== undefined) this.reset_peer();
    if (this.sk_state === TCP_SYN_SENT) this.forget_syn();
    this.sk_state = TCP_CLOSE;
    this.connecting = false;
    this.listening = false;
    this.peer = undefined;
    this.daddr = this.dport = 0;
    this.sk_shutdown = 0;
    this.wq.wake_up();
  }
  override accept(task: Task, flags: number): Socket {
    if (this.sk_state !== TCP_LISTEN) throw EINVAL;
    const end = this.pending.shift();
    if (end === undefined) return this.wait(task, flags, this.state(task, this.rcvtimeo));
    this.syns.shift()?.establish(this);
    const inode = end.file.f_inode!;
    inode.i_uid = task.cred.fsuid;
    inode.i_gid = task.cred.fsgid;
    return end;
  }

  sendmsg(task: Task, msg: SendMsg): number {
    const st = this.state(task, this.sndtimeo);
    // one of nothing finds out whether anything could be sent
    for (let first = true; st.done < msg.len || first; first = false) {
      const err = this.sock_error();
      if (err !== undefined) {
        if (st.done > 0) {
          this.sk_err = err;
          return st.done;
        }
        if (err === EPIPE) return this.pipe_error(task, msg.flags);
        throw err;
      }
      if (this.sk_state === TCP_SYN_SENT) this.wait(task, msg.flags, st);
      if (this.sk_state === TCP_CLOSE || this.sk_state === TCP_LISTEN || (this.sk_shutdown & SEND_SHUTDOWN) !== 0) {
        if (st.done > 0) return st.done;
        return this.pipe_error(task, msg.flags);
      }
      if (msg.len === 0) break;
      const peer = this.peer;
      if (peer === undefined || peer.orphan) {
        // the other end was closed: it answers with a reset
        if (peer !== undefined) peer.bury();
        this.tcp_reset();
        return msg.len;
      }
      const room = peer.rcvbuf + this.sndbuf - peer.rx_bytes;
      if (room <= 0) {
        if (st.done > 0 && (this.nonblock(msg.flags) || task.signal_pending())) return st.done;
        this.wait(task, msg.flags, st);
      }
      const n = Math.min(msg.len - st.done, room);
      peer.receive(msg.buf.slice(msg.off + st.done, msg.off + st.done + n));
      this.kernel.net.loopback_xmit(52 + n);
      st.done += n;
      if ((msg.flags & MSG_OOB) !== 0 && st.done === msg.len) peer.receive_urgent();
    }
    return st.done;
  }
  private receive(data: Uint8Array): void {
    this.rxq.push(data);
    this.rx_bytes += data.length;
    this.data_ready(POLL_IN);
  }
  /** The last byte that came is urgent.  cf. tcp_check_urg(), tcp_urg() */
  private receive_urgent(): void {
    this.urg_at = this.rx_bytes - 1;
    this.urg = this.rxq.at(-1)!.at(-1);
    send_sigurg(this.kernel, this.file);
    this.wq.wake_up();
  }
  /** A RST came.  cf. tcp_reset() */
  private tcp_reset(): void {
    this.sk_err = this.sk_state === TCP_CLOSE_WAIT ? EPIPE : this.sk_state === TCP_SYN_SENT ? ECONNREFUSED : ECONNRESET;
    this.sk_state = TCP_CLOSE;
    this.sk_shutdown = SHUTDOWN_MASK;
    this.peer = undefined;
    this.wq.wake_up();
  }
  private reset_peer(): void {
    const peer = this.peer;
    this.peer = undefined;
    peer?.tcp_reset();
  }
  recvmsg(task: Task, msg: RecvMsg): number {
    if (this.sk_state === TCP_LISTEN) throw ENOTCONN;
    if ((msg.flags & MSG_OOB) !== 0) return this.recv_urg(msg);
    const st = this.state(task, this.rcvtimeo);
    const peek = (msg.flags & MSG_PEEK) !== 0;
    const want = (msg.flags & MSG_WAITALL) !== 0 ? msg.len : Math.min(this.rcvlowat, msg.len);
    let moved = st.done;
    let i = 0;
    let skip = this.rx_taken;
    let passed = false;
    // one that wants nothing waits for something all the same
    for (let first = true; moved < msg.len || first; first = false) {
      const chunk = this.rxq[i];
      if (chunk === undefined) {
        if (moved >= want && moved > 0) break;
        const err = moved > 0 ? undefined : this.sock_error();
        if (err !== undefined) {
          if (err === EPIPE) return 0;
          throw err;
        }
        if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) break;
        if (this.sk_state === TCP_CLOSE) {
          if (moved > 0) break;
          throw ENOTCONN;
        }
        if (moved > 0 && (this.nonblock(msg.flags) || task.signal_pending() || task.kernel.time.monotonic() >= st.until)) break;
        st.done = peek ? 0 : moved;
        return this.wait(task, msg.flags, st);
      }
      let n = Math.min(msg.len - moved, chunk.length - skip);
      // a read ends before the urgent byte; the next one takes it in line, or passes over it
      const urg_in = this.urg_at === undefined || passed ? Infinity : peek ? this.urg_at - moved : this.urg_at;
      if (urg_in === 0) {
        if (moved > 0) break;
        passed = true;
        if (!this.oobinline) {
          this.advance(1, peek);
          if (++skip === chunk.length) {
            skip = 0;
            if (peek) i++;
          }
          continue;
        }
      } else if (urg_in > 0) n = Math.min(n, urg_in);
      // MSG_TRUNC throws the bytes away
      if ((msg.flags & MSG_TRUNC) === 0) msg.buf.set(chunk.subarray(skip, skip + n), msg.off + moved);
      moved += n;
      skip += n;
      this.advance(n, peek);
      if (skip === chunk.length) {
        skip = 0;
        if (peek) i++;
      }
    }
    if (!peek) this.peer?.wq.wake_up();
    return moved;
  }
  /** n bytes were read, of one piece. */
  private advance(n: number, peek: boolean): void {
    if (peek) return;
    this.rx_bytes -= n;
    this.rx_taken += n;
    if (this.rx_taken === this.rxq[0]!.length) {
      this.rxq.shift();
      this.rx_taken = 0;
    }
    if (this.urg_at === undefined) return;
    this.urg_at -= n;
    if (this.urg_at < 0) this.urg_at = this.urg = undefined;
  }
  /** cf. tcp_recv_urg() */
  private recv_urg(msg: RecvMsg): number {
    if (this.oobinline || this.urg === undefined) throw EINVAL;
    if (this.sk_state === TCP_CLOSE && this.rx_bytes === 0) throw ENOTCONN;
    msg.out_flags |= MSG_OOB;
    if (msg.len > 0) msg.buf[msg.off] = this.urg;
    else msg.out_flags |= MSG_TRUNC;
    if ((msg.flags & MSG_PEEK) === 0) this.urg = undefined;
    return Math.min(1, msg.len);
  }
  private get oobinline(): boolean {
    return (this.kept.get(SO_OOBINLINE) ?? 0) !== 0;
  }
  override inq(): number {
    return this.urg_at === undefined || this.oobinline ? this.rx_bytes : this.urg_at;
  }
  override outq(): number {
    return this.peer?.rx_bytes ?? 0;
  }
  override ioctl(file: File, task: Task, cmd: number, arg: number): number {
    if (cmd === SIOCATMARK) {
      put_user_u32(task.kernel.mem, arg, this.urg_at === 0 ? 1 : 0);
      return 0;
    }
    return super.ioctl(file, task, cmd, arg);
  }

  /** Our FIN reaches the other end. */
  private send_fin(): void {
    const peer = this.peer;
    if (this.sk_state === TCP_ESTABLISHED) this.sk_state = TCP_FIN_WAIT2;
    else if (this.sk_state === TCP_CLOSE_WAIT) this.sk_state = TCP_CLOSE;
    if (peer === undefined) return;
    peer.sk_shutdown |= RCV_SHUTDOWN;
    if (peer.sk_state === TCP_ESTABLISHED) peer.sk_state = TCP_CLOSE_WAIT;
    else if (peer.sk_state === TCP_FIN_WAIT2) {
      peer.sk_state = TCP_CLOSE;
      peer.sk_shutdown = SHUTDOWN_MASK;
      tcp_time_wait(this.kernel, peer);
      if (peer.orphan) peer.bury();
    }
    this.kernel.net.loopback_xmit(52);
    peer.wq.wake_up();
  }
  override shutdown(how: number): void {
    if (this.sk_state === TCP_LISTEN) {
      if (((how + 1) & RCV_SHUTDOWN) === 0) return;
      this.drop_pending();
      this.sk_state = TCP_CLOSE;
      this.listening = false;
      this.wq.wake_up();
      return;
    }
    const bits = how + 1;
    if (this.sk_state === TCP_CLOSE) {
      // whoever polls it hears of it all the same
      this.sk_shutdown |= bits;
      this.wq.wake_up();
      throw ENOTCONN;
    }
    if (this.sk_state === TCP_SYN_SENT) {
      this.disconnect();
      return;
    }
    const fin = (bits & SEND_SHUTDOWN) !== 0 && (this.sk_shutdown & SEND_SHUTDOWN) === 0;
    this.sk_shutdown |= bits;
    if (fin) this.send_fin();
    this.wq.wake_up();
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    if (this.sk_state === TCP_LISTEN) return this.pending.length > 0 ? POLLIN | POLLRDNORM : 0;
    if (this.sk_state === TCP_SYN_SENT) return 0;
    let mask = 0;
    if (this.sk_shutdown === SHUTDOWN_MASK || this.sk_state === TCP_CLOSE) mask |= POLLHUP;
    if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) mask |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (this.sk_state !== TCP_CLOSE || this.rx_bytes > 0) {
      if (this.rx_bytes > (this.urg_at === 0 && !this.oobinline ? 1 : 0)) mask |= POLLIN | POLLRDNORM;
      if ((this.sk_shutdown & SEND_SHUTDOWN) !== 0) mask |= POLLOUT | POLLWRNORM;
      else {
        const { peer } = this;
        // writable when a third of the room is free
        if (peer === undefined || peer.rx_bytes * 3 < (peer.rcvbuf + this.sndbuf) * 2) mask |= POLLOUT | POLLWRNORM;
      }
      if (this.urg !== undefined) mask |= POLLPRI;
    } else mask |= POLLOUT | POLLWRNORM;
    if (this.sk_err !== undefined) mask |= POLLERR;
    return mask;
  }
  override setopt(task: Task, level: number, name: number, value: Uint8Array): void {
    if (level !== IPPROTO_TCP) {
      super.setopt(task, level, name, value);
      return;
    }
    tcp_setsockopt(this, name, value);
  }
  override getopt(task: Task, level: number, name: number): Uint8Array {
    return level === IPPROTO_TCP ? tcp_getsockopt(this, name) : super.getopt(task, level, name);
  }
  override getname(peer: boolean): Uint8Array {
    if (peer && (this.sk_state === TCP_CLOSE || this.sk_state === TCP_SYN_SENT)) throw ENOTCONN;
    return super.getname(peer);
  }
  /** A port in TIME_WAIT is taken, unless both agreed to share it. */
  protected override port_conflict(addr: number, port: number): boolean {
    if (super.port_conflict(addr, port)) return true;
    return time_waiters(this.kernel).some(
      (t) => t.num === port && (t.rcv_saddr === 0 || addr === 0 || t.rcv_saddr === addr) && !((this.reuseaddr && t.reuseaddr) || (this.reuseport && t.reuseport)),
    );
  }
  private forget_syn(): void {
    for (const s of this.kernel.net.tcp) {
      const at = s.syns.indexOf(this);
      if (at >= 0) s.syns.splice(at, 1);
    }
  }
  /** The orphan's time is over. */
  private bury(): void {
    this.kernel.net.tcp.delete(this);
    this.sk_state = TCP_CLOSE;
    this.peer = undefined;
  }
  private drop_pending(): void {
    for (const end of this.pending.splice(0)) {
      end.reset_peer();
      fput(undefined, end.file);
    }
    for (const s of this.syns.splice(0)) s.tcp_reset();
  }
  override release(): void {
    if (this.sk_state === TCP_LISTEN) this.drop_pending();
    else if (this.sk_state === TCP_SYN_SENT) this.forget_syn();
    else if (this.peer !== undefined) {
      // unread data, or no lingering: a reset; else an orderly end
      if (this.rx_bytes > 0 || this.linger === 0) this.reset_peer();
      else if ((this.sk_shutdown & SEND_SHUTDOWN) === 0) this.send_fin();
    }
    this.listening = false;
    this.rxq.length = 0;
    this.rx_bytes = 0;
    this.wq.wake_up();
    if (this.sk_state === TCP_FIN_WAIT2 && this.peer !== undefined) {
      this.orphan = true;
      return;
    }
    const { peer } = this;
    if (peer !== undefined) {
      peer.peer = undefined;
      peer.wq.wake_up();
    }
    this.bury();
  }
}
