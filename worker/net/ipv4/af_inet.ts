// net/ipv4/af_inet.ts — what TCP, UDP and raw sockets share: addresses, ports, options.  cf. net/ipv4/af_inet.c, ip_sockglue.c
import {
  EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EINVAL, ENETUNREACH, ENOPROTOOPT, ENOTCONN,
} from "../../include/uapi/errno.ts";
import { AF_INET, IPPROTO_IP } from "../../include/uapi/socket.ts";
import { CAP_NET_BIND_SERVICE, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { Socket, int_opt } from "../socket.ts";

const PORT_MIN = 32768;
const PORT_MAX = 60999;

export interface SockAddrIn {
  addr: number;
  port: number;
}
/** Throws EINVAL, EAFNOSUPPORT. */
export function parse_sockaddr_in(b: Uint8Array): SockAddrIn {
  if (b.length < 16) throw EINVAL;
  if ((b[0]! | (b[1]! << 8)) !== AF_INET) throw EAFNOSUPPORT;
  return { port: (b[2]! << 8) | b[3]!, addr: ((b[4]! << 24) | (b[5]! << 16) | (b[6]! << 8) | b[7]!) >>> 0 };
}
export function sockaddr_in(addr: number, port: number): Uint8Array {
  const b = new Uint8Array(16);
  const v = new DataView(b.buffer);
  v.setUint16(0, AF_INET, true);
  v.setUint16(2, port, false);
  v.setUint32(4, addr, false);
  return b;
}
const isMulticast = (addr: number): boolean => addr >>> 28 === 14;

/** Sums 16-bit words, as IP, ICMP, TCP and UDP do.  cf. ip_compute_csum() */
export function in_cksum(b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i += 2) sum += (b[i]! << 8) | (b[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export abstract class InetSock extends Socket {
  /** local address as bound (0: any), and the one shown once connected */
  rcv_saddr = 0;
  /** local port (raw: the protocol), 0: none yet */
  num = 0;
  daddr = 0;
  dport = 0;
  ttl = 64;
  readonly ip_opts = new Map<number, number>();

  constructor(kernel: Kernel, task: Task, type: number, protocol: number, flags = 0) {
    super(kernel, task, AF_INET, type, protocol, flags);
  }
  /** The other sockets of this protocol. */
  abstract table(): ReadonlySet<InetSock>;
  /** Whether two sockets may share a port. */
  protected may_share(other: InetSock): boolean {
    return (this.reuseaddr && other.reuseaddr) || (this.reuseport && other.reuseport);
  }
  protected port_conflict(addr: number, port: number): boolean {
    for (const o of this.table()) {
      if (o === this || o.num !== port) continue;
      if (o.rcv_saddr !== 0 && addr !== 0 && o.rcv_saddr !== addr) continue;
      if (!this.may_share(o)) return true;
    }
    return false;
  }
  /** A free local port for `addr`. Throws `full` when there is none. */
  protected ephemeral(addr: number, full = EADDRINUSE): number {
    const { net } = this.kernel;
    for (let i = PORT_MIN; i <= PORT_MAX; i++) {
      const port = net.next_port;
      net.next_port = port >= PORT_MAX ? PORT_MIN : port + 1;
      let used = false;
      for (const o of this.table()) if (o.num === port && (o.rcv_saddr === 0 || addr === 0 || o.rcv_saddr === addr)) used = true;
      if (!used) return port;
    }
    throw full;
  }
  bind(task: Task, b: Uint8Array): void {
    const a = this.parse_bind(b);
    if (a.addr !== 0 && !isMulticast(a.addr) && a.addr !== 0xffffffff && !this.kernel.net.is_local(a.addr)) throw EADDRNOTAVAIL;
    if (a.port !== 0 && a.port < 1024 && !capable(task, CAP_NET_BIND_SERVICE)) throw EACCES;
    if (this.num !== 0) throw EINVAL;
    if (a.port === 0) this.num = this.ephemeral(a.addr);
    else {
      if (this.port_conflict(a.addr, a.port)) throw EADDRINUSE;
      this.num = a.port;
    }
    this.rcv_saddr = a.addr;
    this.hash();
  }
  protected parse_bind(b: Uint8Array): SockAddrIn {
    if (b.length < 16) throw EINVAL;
    const family = b[0]! | (b[1]! << 8);
    // AF_UNSPEC with INADDR_ANY is taken for AF_INET
    if (family === 0 && b[4] === 0 && b[5] === 0 && b[6] === 0 && b[7] === 0) return { addr: 0, port: (b[2]! << 8) | b[3]! };
    return parse_sockaddr_in(b);
  }
  /** It has a port now: enters the table. */
  protected abstract hash(): void;
  protected autobind(addr = 0): void {
    if (this.num !== 0) return;
    this.num = this.ephemeral(addr, EAGAIN);
    this.hash();
  }
  /** Where to, and from which address. Throws ENETUNREACH. */
  protected route(dst: number): { dst: number; src: number } {
    const to = dst === 0 ? 0x7f000001 : dst;
    const src = this.kernel.net.route_source(to);
    if (src === undefined) throw ENETUNREACH;
    return { dst: to, src: this.rcv_saddr !== 0 ? this.rcv_saddr : src };
  }
  getname(peer: boolean): Uint8Array {
    if (!peer) return sockaddr_in(this.rcv_saddr, this.num);
    if (this.dport === 0) throw ENOTCONN;
    return sockaddr_in(this.daddr, this.dport);
  }
  override setopt(_task: Task, level: number, name: number, value: Uint8Array): void {
    if (level !== IPPROTO_IP) throw ENOPROTOOPT;
    const val = value.length >= 4 ? int_opt(value) : (value[0] ?? 0);
    switch (name) {
      case IP_TTL:
        if (val !== -1 && (val < 1 || val > 255)) throw EINVAL;
        this.ttl = val === -1 ? 64 : val;
        return;
      case IP_TOS:
      case IP_RECVTTL:
      case IP_PKTINFO:
      case IP_RECVERR:
      case IP_MTU_DISCOVER:
      case IP_MULTICAST_TTL:
      case IP_MULTICAST_LOOP:
      case IP_FREEBIND:
        this.ip_opts.set(name, val);
        return;
      default:
        throw ENOPROTOOPT;
    }
  }
  override getopt(_task: Task, level: number, name: number): Uint8Array {
    if (level !== IPPROTO_IP) throw ENOPROTOOPT;
    const b = new Uint8Array(4);
    const put = (v: number): Uint8Array => (new DataView(b.buffer).setInt32(0, v, true), b);
    if (name === IP_TTL) return put(this.ttl);
    if (this.ip_opts.has(name)) return put(this.ip_opts.get(name)!);
    if (name === IP_TOS || name === IP_RECVTTL || name === IP_PKTINFO || name === IP_RECVERR || name === IP_MTU_DISCOVER) return put(0);
    throw ENOPROTOOPT;
  }
}
const IP_TOS = 1;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IP_RECVERR = 11;
const IP_RECVTTL = 12;
const IP_FREEBIND = 15;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
