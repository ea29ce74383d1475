// net/ipv4/udp.ts — UDP over loopback.  cf. net/ipv4/udp.c
import { EACCES, ECONNREFUSED, EDESTADDRREQ, EINVAL, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPIPE } from "../../include/uapi/errno.ts";
import { AF_INET, AF_UNSPEC, IPPROTO_UDP, MSG_OOB, MSG_PEEK, MSG_TRUNC, RCV_SHUTDOWN, SEND_SHUTDOWN, SHUTDOWN_MASK, SOCK_DGRAM, SO_BROADCAST } from "../../include/uapi/socket.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { POLL_IN } from "../../fs/fasync.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRBAND, POLLWRNORM, type File } from "../../fs/fs.ts";
import type { RecvMsg, SendMsg } from "../socket.ts";
import { IP_TOS, InetSock, parse_sockaddr_in, sockaddr_in } from "./af_inet.ts";

interface Datagram {
  readonly data: Uint8Array;
  readonly saddr: number;
  readonly sport: number;
  readonly daddr: number;
  readonly ttl: number;
  readonly tos: number;
}
const OVERHEAD = 768;

export class UdpSock extends InetSock {
  private readonly rxq: Datagram[] = [];
  /** bytes queued, with overhead */
  rmem = 0;
  drops = 0;
  private connected = false;

  constructor(kernel: Kernel, task: Task, flags = 0) {
    super(kernel, task, SOCK_DGRAM, IPPROTO_UDP, flags);
  }
  table(): ReadonlySet<UdpSock> {
    return this.kernel.net.udp;
  }
  protected hash(): void {
    this.kernel.net.udp.add(this);
  }
  connect(_task: Task, addr: Uint8Array): void {
    if (addr.length >= 2 && (addr[0]! | (addr[1]! << 8)) === AF_UNSPEC) {
      // cf. __udp_disconnect(): what bind(2) did not ask for goes
      this.daddr = this.dport = 0;
      this.connected = false;
      if (!this.bound_addr) this.rcv_saddr = 0;
      if (!this.bound_port) {
        this.kernel.net.udp.delete(this);
        this.num = 0;
      }
      return;
    }
    const a = parse_sockaddr_in(addr);
    const { dst, src } = this.route(a.addr);
    this.autobind(src);
    this.daddr = dst;
    this.dport = a.port;
    this.connected = true;
    if (this.rcv_saddr === 0) this.rcv_saddr = src;
  }
  sendmsg(task: Task, msg: SendMsg): number {
    if (msg.len > 65507) throw EMSGSIZE;
    if ((msg.flags & MSG_OOB) !== 0) throw EOPNOTSUPP;
    this.autobind(this.rcv_saddr);
    let to = this.connected ? { addr: this.daddr, port: this.dport } : undefined;
    if (msg.name !== undefined) {
      // AF_UNSPEC will do
      const a = parse_sockaddr_in(msg.name[0] === AF_UNSPEC && msg.name[1] === 0 && msg.name.length >= 16 ? Uint8Array.from(msg.name, (c, i) => (i === 0 ? AF_INET : c)) : msg.name);
      if (a.port === 0) throw EINVAL;
      to = a;
    }
    if (to === undefined) throw EDESTADDRREQ;
    const err = this.sock_error();
    if (err !== undefined) throw err;
    if ((this.sk_shutdown & SEND_SHUTDOWN) !== 0) throw EPIPE;
    if (to.addr === 0xffffffff && (this.kept.get(SO_BROADCAST) ?? 0) === 0) throw EACCES;
    const { dst, src } = this.route(to.addr);
    this.autobind(src);
    this.kernel.net.loopback_xmit(28 + msg.len);
    const target = this.lookup(dst, to.port, src);
    const connected = this.connected && dst === this.daddr && to.port === this.dport;
    if (target === undefined) {
      // the answer is an ICMP port unreachable, which only a connected socket hears
      if (connected) {
        this.sk_err = ECONNREFUSED;
        this.wq.wake_up();
      }
      return msg.len;
    }
    target.deliver({ data: msg.buf.slice(msg.off, msg.off + msg.len), saddr: src, sport: this.num, daddr: dst, ttl: this.ttl, tos: this.ip_opts.get(IP_TOS) ?? 0 });
    return msg.len;
  }
  /** The best match for a datagram: connected before bound, an address before any. */
  private lookup(dst: number, port: number, src: number): UdpSock | undefined {
    let best: UdpSock | undefined;
    let score = -1;
    for (const s of this.kernel.net.udp) {
      if (s.num !== port || (s.rcv_saddr !== 0 && s.rcv_saddr !== dst)) continue;
      if (s.dport !== 0 && (s.daddr !== src || s.dport !== this.num)) continue;
      const n = (s.rcv_saddr !== 0 ? 1 : 0) + (s.dport !== 0 ? 2 : 0);
      // of equals the youngest
      if (n >= score) {
        best = s;
        score = n;
      }
    }
    return best;
  }
  private deliver(d: Datagram): void {
    if (this.rmem > 0 && this.rmem + d.data.length + OVERHEAD > this.rcvbuf) {
      this.drops++;
      return;
    }
    this.rmem += d.data.length + OVERHEAD;
    this.rxq.push(d);
    this.data_ready(POLL_IN);
  }
  recvmsg(task: Task, msg: RecvMsg): number {
    const err = this.sock_error();
    if (err !== undefined) throw err;
    const d = this.rxq[0];
    if (d === undefined) {
      if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0 && !this.nonblock(msg.flags)) return 0;
      return this.wait(task, msg.flags, this.state(task, this.rcvtimeo));
    }
    const n = Math.min(msg.len, d.data.length);
    msg.buf.set(d.data.subarray(0, n), msg.off);
    if (n < d.data.length) msg.out_flags |= MSG_TRUNC;
    msg.name = sockaddr_in(d.saddr, d.sport);
    this.stamp(msg);
    this.ip_cmsg_recv(msg, d.daddr, d.ttl, d.tos);
    if ((msg.flags & MSG_PEEK) === 0) {
      this.rxq.shift();
      this.rmem -= d.data.length + OVERHEAD;
    }
    return (msg.flags & MSG_TRUNC) !== 0 ? d.data.length : n;
  }
  override inq(): number {
    return this.rxq[0]?.data.length ?? 0;
  }
  override shutdown(how: number): void {
    // whoever polls it hears of it, connected or not
    this.sk_shutdown |= how + 1;
    this.wq.wake_up();
    if (!this.connected) throw ENOTCONN;
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    let mask = POLLOUT | POLLWRNORM | POLLWRBAND;
    if (this.sk_err !== undefined) mask |= POLLERR;
    if (this.sk_shutdown === SHUTDOWN_MASK) mask |= POLLHUP;
    if ((this.sk_shutdown & RCV_SHUTDOWN) !== 0) mask |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.rxq.length > 0) mask |= POLLIN | POLLRDNORM;
    return mask;
  }
  override release(): void {
    this.kernel.net.udp.delete(this);
    this.rxq.length = 0;
    this.wq.wake_up();
  }
}
