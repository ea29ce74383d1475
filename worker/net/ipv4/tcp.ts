// net/ipv4/tcp.ts — TCP over loopback: connections between two sockets of this machine.  cf. net/ipv4/tcp.c, inet_connection_sock.c
//
// Both ends are here, so no segments are made: what one writes is queued at the other, a FIN is a flag, a RST an error. States and what the calls
// say are TCP's.
import {
  EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, ECONNREFUSED, ECONNRESET, EINVAL, EISCONN, ENOPROTOOPT, ENOTCONN, EPIPE,
} from "../../include/uapi/errno.ts";
import {
  AF_UNSPEC, IPPROTO_TCP, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK, SIOCATMARK, SOCK_STREAM, SOMAXCONN,
} from "../../include/uapi/socket.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { put_user_u32 } from "../../kernel/uaccess.ts";
import { fput } from "../../fs/file_table.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM } from "../../fs/fs.ts";
import { int_opt, type RecvMsg, type SendMsg, type Socket } from "../socket.ts";
import { InetSock, parse_sockaddr_in } from "./af_inet.ts";

export const TCP_ESTABLISHED = 1;
export const TCP_FIN_WAIT1 = 4;
export const TCP_FIN_WAIT2 = 5;
export const TCP_TIME_WAIT = 6;
export const TCP_CLOSE = 7;
export const TCP_CLOSE_WAIT = 8;
export const TCP_LAST_ACK = 9;
export const TCP_LISTEN = 10;

const TCP_NODELAY = 1;
const TCP_MAXSEG = 2;
const TCP_CORK = 3;
const TCP_INFO = 11;
const KNOWN_OPTS = [TCP_NODELAY, TCP_MAXSEG, TCP_CORK, 4, 5, 6, 7, 8, 9, 10, 12, 18, 23];
/** net.ipv4.tcp_{r,w}mem's defaults */
const TCP_RMEM = 131072;
const TCP_WMEM = 16384;

export class TcpSock extends InetSock {
  sk_state = TCP_CLOSE;
  peer: TcpSock | undefined;
  private readonly rxq: Uint8Array[] = [];
  private rx_taken = 0;
  rx_bytes = 0;
  private oob: number | undefined;
  readonly pending: TcpSock[] = [];
  backlog = 0;
  private readonly opts = new Map<number, number>();

  constructor(kernel: Kernel, task: Task, flags = 0) {
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
  connect(task: Task, addr: Uint8Array, flags: number): void {
    if (addr.length >= 2 && (addr[0]! | (addr[1]! << 8)) === AF_UNSPEC) {
      this.disconnect();
      return;
    }
    if (addr.length < 16) throw EINVAL;
    if ((addr[0]! | (addr[1]! << 8)) !== 2) throw EAFNOSUPPORT;
    if (this.sk_state === TCP_LISTEN) throw EISCONN;
    if (this.sk_state !== TCP_CLOSE) throw EISCONN;
    const a = parse_sockaddr_in(addr);
    const { dst, src } = this.route(a.addr);
    const listener = this.lookup_listener(dst, a.port);
    if (listener === undefined) throw ECONNREFUSED;
    // a full queue drops the SYN: it is sent again until there is room
    const st = this.state(task, this.sndtimeo);
    if (listener.pending.length > listener.backlog) this.wait(task, flags, st, [listener.wq]);
    if (this.num === 0) {
      this.num = this.ephemeral(0, EADDRNOTAVAIL);
      this.hash();
    }
    if (this.rcv_saddr === 0) this.rcv_saddr = src;
    this.daddr = dst;
    this.dport = a.port;
    const end = new TcpSock(this.kernel, task);
    end.rcv_saddr = dst;
    end.num = a.port;
    end.daddr = this.rcv_saddr;
    end.dport = this.num;
    end.reuseaddr = listener.reuseaddr;
    end.reuseport = listener.reuseport;
    end.rcvbuf = listener.rcvbuf;
    end.sndbuf = listener.sndbuf;
    end.linger = listener.linger;
    for (const [k, v] of listener.opts) end.opts.set(k, v);
    for (const [k, v] of listener.kept) end.kept.set(k, v);
    end.hash();
    end.peer = this;
    this.peer = end;
    end.sk_state = this.sk_state = TCP_ESTABLISHED;
    end.sk_shutdown = this.sk_shutdown = 0;
    this.kernel.net.loopback_xmit(60);
    this.kernel.net.loopback_xmit(60);
    this.kernel.net.loopback_xmit(52);
    listener.pending.push(end);
    listener.wq.wake_up();
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
    this.sk_state = TCP_CLOSE;
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
    // connectors that found the queue full
    this.wq.wake_up();
    return end;
  }

  sendmsg(task: Task, msg: SendMsg): number {
    const st = this.state(task, this.sndtimeo);
    while (st.done < msg.len) {
      const err = this.sock_error();
      if (err !== undefined) {
        if (st.done > 0) {
          this.sk_err = err;
          return st.done;
        }
        if (err === EPIPE) return this.pipe_error(task, msg.flags);
        throw err;
      }
      if (this.sk_state === TCP_CLOSE || this.sk_state === TCP_LISTEN || (this.sk_shutdown & SEND_SHUTDOWN) !== 0) {
        if (st.done > 0) return st.done;
        return this.pipe_error(task, msg.flags);
      }
      const peer = this.peer;
      if (peer === undefined) {
        // the other end was closed: it answers with a reset
        this.tcp_reset();
        return msg.len;
      }
      if ((msg.flags & MSG_OOB) !== 0 && msg.len === 1) {
        peer.oob = msg.buf[msg.off]!;
        peer.wq.wake_up();
        return 1;
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
    }
    return st.done;
  }
  private receive(data: Uint8Array): void {
    this.rxq.push(data);
    this.rx_bytes += data.length;
    this.wq.wake_up();
  }
  /** A RST came.  cf. tcp_reset() */
  private tcp_reset(): void {
    this.sk_err = this.sk_state === TCP_CLOSE_WAIT ? EPIPE : ECONNRESET;
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
    if ((msg.flags & MSG_OOB) !== 0) {
      if (this.oob === undefined) throw EINVAL;
      if (msg.len > 0) msg.buf[msg.off] = this.oob;
      if ((msg.flags & MSG_PEEK) === 0) this.oob = undefined;
      return Math.min(1, msg.len);
    }
    const st = this.state(task, this.rcvtimeo);
    const peek = (msg.flags & MSG_PEEK) !== 0;
    const want = (msg.flags & MSG_WAITALL) !== 0 ? msg.len : Math.min(this.rcvlowat, msg.len);
    let moved = st.done;
    let i = 0;
    let skip = this.rx_taken;
    while (moved < msg.len) {
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
      const n = Math.min(msg.len - moved, chunk.length - skip);
      // MSG_TRUNC throws the bytes away
      if ((msg.flags & MSG_TRUNC) === 0) msg.buf.set(chunk.subarray(skip, skip + n), msg.off + moved);
      moved += n;
      skip += n;
      if (!peek) {
        this.rx_taken = skip;
        this.rx_bytes -= n;
      }
      if (skip === chunk.length) {
        skip = 0;
        if (peek) i++;
        else {
          this.rxq.shift();
          this.rx_taken = 0;
        }
      }
    }
    if (!peek) this.peer?.wq.wake_up();
    return moved;
  }
  override inq(): number {
    return this.rx_bytes;
  }
  override outq(): number {
    return this.peer?.rx_bytes ?? 0;
  }
  override ioctl(task: Task, cmd: number, arg: number): number {
    if (cmd === SIOCATMARK) {
      put_user_u32(task.kernel.mem, arg, 0);
      return 0;
    }
    return super.ioctl(task, cmd, arg);
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
    if (this.sk_state === TCP_CLOSE && this.peer === undefined && this.rx_bytes === 0 && this.sk_shutdown === 0) throw ENOTCONN;
    const bits = how + 1;
    const fin = (bits & SEND_SHUTDOWN) !== 0 && (this.sk_shutdown & SEND_SHUTDOWN) === 0;
    this.sk_shutdown |= bits;
    if (fin) this.send_fin();
    this.wq.wake_up();
  }
  override poll(_task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    if (this.sk_state === TCP_LISTEN) return this.pending.length > 0 ? POLLIN | POLLRDNORM : 0;
    let mask = 0;
    if (this.sk_shutdown === SHUTDOWN_MASK || this.sk_state === TCP_CLOSE) mask |= POLLHUP;
    if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) mask |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (this.sk_state !== TCP_CLOSE || this.rx_bytes > 0) {
      if (this.rx_bytes > 0) mask |= POLLIN | POLLRDNORM;
      if ((this.sk_shutdown & SEND_SHUTDOWN) !== 0) mask |= POLLOUT | POLLWRNORM;
      else {
        const { peer } = this;
        // writable when a third of the room is free
        if (peer === undefined || peer.rx_bytes * 3 < (peer.rcvbuf + this.sndbuf) * 2) mask |= POLLOUT | POLLWRNORM;
      }
      if (this.oob !== undefined) mask |= POLLPRI;
    } else mask |= POLLOUT | POLLWRNORM;
    if (this.sk_err !== undefined) mask |= POLLERR;
    return mask;
  }
  override setopt(task: Task, level: number, name: number, value: Uint8Array): void {
    if (level !== IPPROTO_TCP) {
      super.setopt(task, level, name, value);
      return;
    }
    if (!KNOWN_OPTS.includes(name)) throw ENOPROTOOPT;
    this.opts.set(name, int_opt(value));
  }
  override getopt(task: Task, level: number, name: number): Uint8Array {
    if (level !== IPPROTO_TCP) return super.getopt(task, level, name);
    if (name === TCP_INFO) {
      const info = new Uint8Array(104);
      info[0] = this.sk_state;
      return info;
    }
    if (!KNOWN_OPTS.includes(name)) throw ENOPROTOOPT;
    const b = new Uint8Array(4);
    new DataView(b.buffer).setInt32(0, this.opts.get(name) ?? (name === TCP_MAXSEG ? 65483 : 0), true);
    return b;
  }
  private drop_pending(): void {
    for (const end of this.pending.splice(0)) {
      end.reset_peer();
      fput(undefined, end);
    }
  }
  override release(): void {
    this.kernel.net.tcp.delete(this);
    if (this.sk_state === TCP_LISTEN) this.drop_pending();
    else if (this.peer !== undefined) {
      // unread data, or no lingering: a reset; else an orderly end
      if (this.rx_bytes > 0 || this.linger === 0) this.reset_peer();
      else {
        const peer = this.peer;
        if ((this.sk_shutdown & SEND_SHUTDOWN) === 0) this.send_fin();
        peer.peer = undefined;
        this.peer = undefined;
        peer.wq.wake_up();
      }
    }
    this.sk_state = TCP_CLOSE;
    this.listening = false;
    this.rxq.length = 0;
    this.wq.wake_up();
  }
}
