// net/ipv4/raw.ts — raw sockets, and ICMP's answers to echo requests: ping.  cf. net/ipv4/raw.c, icmp.c
import { EACCES, EDESTADDRREQ, EINVAL, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP } from "../../include/uapi/errno.ts";
import { AF_UNSPEC, IPPROTO_ICMP, IPPROTO_IP, IPPROTO_RAW, MSG_OOB, MSG_PEEK, MSG_TRUNC, SOCK_RAW } from "../../include/uapi/socket.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRBAND, POLLWRNORM, type File } from "../../fs/fs.ts";
import { int_opt, type RecvMsg, type SendMsg } from "../socket.ts";
import { InetSock, in_cksum, parse_sockaddr_in, sockaddr_in } from "./af_inet.ts";

const SOL_RAW = 255;
const ICMP_FILTER = 1;
const IP_HDRINCL = 3;
const ICMP_ECHO = 8;
const ICMP_ECHOREPLY = 0;
const OVERHEAD = 768;

interface Packet {
  /** with its IP header */
  readonly data: Uint8Array;
  readonly saddr: number;
}

/** A raw packet reaches all raw sockets of its protocol, and the kernel's ICMP. */
export function ip_local_deliver(kernel: Kernel, packet: Uint8Array): void {
  const v = new DataView(packet.buffer, packet.byteOffset);
  const protocol = packet[9]!;
  const saddr = v.getUint32(12, false);
  const daddr = v.getUint32(16, false);
  kernel.net.loopback_xmit(packet.length);
  for (const s of [...kernel.net.raw]) {
    if (s.protocol !== protocol || (s.rcv_saddr !== 0 && s.rcv_saddr !== daddr) || (s.daddr !== 0 && s.daddr !== saddr)) continue;
    s.deliver({ data: packet, saddr });
  }
  if (protocol !== IPPROTO_ICMP) return;
  const icmp = packet.subarray((packet[0]! & 15) * 4);
  if (icmp.length < 8 || icmp[0] !== ICMP_ECHO || in_cksum(icmp) !== 0) return;
  const reply = icmp.slice();
  reply[0] = ICMP_ECHOREPLY;
  reply[2] = reply[3] = 0;
  const sum = in_cksum(reply);
  reply[2] = sum >>> 8;
  reply[3] = sum & 0xff;
  ip_local_deliver(kernel, ip_build(kernel, daddr, saddr, IPPROTO_ICMP, 64, reply));
}
function ip_build(kernel: Kernel, src: number, dst: number, protocol: number, ttl: number, payload: Uint8Array): Uint8Array {
  const p = new Uint8Array(20 + payload.length);
  const v = new DataView(p.buffer);
  p[0] = 0x45;
  v.setUint16(2, p.length, false);
  v.setUint16(4, kernel.net.ip_id++ & 0xffff, false);
  p[8] = ttl;
  p[9] = protocol;
  v.setUint32(12, src, false);
  v.setUint32(16, dst, false);
  v.setUint16(10, in_cksum(p.subarray(0, 20)), false);
  p.set(payload, 20);
  return p;
}

export class RawSock extends InetSock {
  private readonly rxq: Packet[] = [];
  private rmem = 0;
  private hdrincl: boolean;
  /** ICMP types not wanted, a bit each */
  private filter = 0;

  constructor(kernel: Kernel, task: Task, protocol: number, flags = 0) {
    super(kernel, task, SOCK_RAW, protocol, flags);
    this.num = protocol;
    this.hdrincl = protocol === IPPROTO_RAW;
    this.hash();
  }
  table(): ReadonlySet<RawSock> {
    return this.kernel.net.raw;
  }
  protected hash(): void {
    this.kernel.net.raw.add(this);
  }
  override bind(_task: Task, b: Uint8Array): void {
    this.rcv_saddr = this.parse_bind(b).addr;
  }
  connect(_task: Task, addr: Uint8Array): void {
    if (addr.length >= 2 && (addr[0]! | (addr[1]! << 8)) === AF_UNSPEC) {
      this.daddr = this.dport = 0;
      return;
    }
    this.daddr = this.route(parse_sockaddr_in(addr).addr).dst;
    this.dport = this.protocol;
  }
  sendmsg(_task: Task, msg: SendMsg): number {
    if (msg.len > 65535) throw EMSGSIZE;
    if ((msg.flags & MSG_OOB) !== 0) throw EOPNOTSUPP;
    let dst = this.daddr;
    if (msg.name !== undefined) dst = parse_sockaddr_in(msg.name).addr;
    else if (this.dport === 0) throw EDESTADDRREQ;
    if (dst === 0xffffffff) throw EACCES;
    const way = this.route(dst);
    const data = msg.buf.slice(msg.off, msg.off + msg.len);
    if (this.hdrincl) {
      if (data.length < 20) throw EINVAL;
      ip_local_deliver(this.kernel, data);
    } else ip_local_deliver(this.kernel, ip_build(this.kernel, way.src, way.dst, this.protocol, this.ttl, data));
    return msg.len;
  }
  deliver(p: Packet): void {
    if (this.protocol === IPPROTO_ICMP && p.data[20]! < 32 && ((this.filter >>> p.data[20]!) & 1) !== 0) return;
    if (this.rmem > 0 && this.rmem + p.data.length + OVERHEAD > this.rcvbuf) return;
    this.rmem += p.data.length + OVERHEAD;
    this.rxq.push(p);
    this.wq.wake_up();
  }
  recvmsg(task: Task, msg: RecvMsg): number {
    const p = this.rxq[0];
    if (p === undefined) {
      const err = this.sock_error();
      if (err !== undefined) throw err;
      return this.wait(task, msg.flags, this.state(task, this.rcvtimeo));
    }
    const n = Math.min(msg.len, p.data.length);
    msg.buf.set(p.data.subarray(0, n), msg.off);
    if (n < p.data.length) msg.out_flags |= MSG_TRUNC;
    msg.name = sockaddr_in(p.saddr, 0);
    this.stamp(msg);
    this.ip_cmsg_recv(msg, new DataView(p.data.buffer, p.data.byteOffset).getUint32(16, false), p.data[8]!, p.data[1]!);
    if ((msg.flags & MSG_PEEK) === 0) {
      this.rxq.shift();
      this.rmem -= p.data.length + OVERHEAD;
    }
    return (msg.flags & MSG_TRUNC) !== 0 ? p.data.length : n;
  }
  override setopt(task: Task, level: number, name: number, value: Uint8Array): void {
    if (level === SOL_RAW) {
      if (name !== ICMP_FILTER || this.protocol !== IPPROTO_ICMP) throw ENOPROTOOPT;
      this.filter = int_opt(value) >>> 0;
    } else if (level === IPPROTO_IP && name === IP_HDRINCL) this.hdrincl = int_opt(value) !== 0;
    else super.setopt(task, level, name, value);
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    return POLLOUT | POLLWRNORM | POLLWRBAND | (this.rxq.length > 0 ? POLLIN | POLLRDNORM : 0);
  }
  override release(): void {
    this.kernel.net.raw.delete(this);
    this.rxq.length = 0;
  }
}
