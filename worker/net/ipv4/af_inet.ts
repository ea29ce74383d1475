// net/ipv4/af_inet.ts — what TCP, UDP and raw sockets share: addresses, ports, options.  cf. net/ipv4/af_inet.c, ip_sockglue.c
import {
  EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EINVAL, ENETUNREACH, ENODEV, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, EPROTO,
} from "../../include/uapi/errno.ts";
import { AF_INET, IPPROTO_IP, SOCK_STREAM } from "../../include/uapi/socket.ts";
import { CAP_NET_BIND_SERVICE, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { Socket, int_opt, type RecvMsg } from "../socket.ts";

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
  readonly ip_opts = new Map<number, number>();
  /** multicast groups that were joined, and on which interface */
  private readonly groups: { group: number; index: number }[] = [];
  /** the address, the port were asked for, not found by the kernel: SOCK_BINDADDR_LOCK, SOCK_BINDPORT_LOCK */
  protected bound_addr = false;
  protected bound_port = false;

  constructor(kernel: Kernel, task: Task | undefined, type: number, protocol: number, flags = 0) {
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
    this.bound_addr = a.addr !== 0;
    this.bound_port = a.port !== 0;
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
    if (name === IP_ADD_MEMBERSHIP || name === IP_DROP_MEMBERSHIP) {
      this.membership(name === IP_ADD_MEMBERSHIP, value);
      return;
    }
    if (name === IP_OPTIONS) {
      if (value.length > 40) throw EINVAL;
      if (value.length > 0) throw EOPNOTSUPP;
      return;
    }
    const val = value.length >= 4 ? int_opt(value) : (value[0] ?? 0);
    const opt = IP_OPTS[name];
    if (opt === undefined) throw ENOPROTOOPT;
    if (val === -1 && opt.reset === true) this.ip_opts.delete(name);
    else if ((opt.min !== undefined && val < opt.min) || (opt.max !== undefined && val > opt.max)) throw EINVAL;
    else this.ip_opts.set(name, opt.max === undefined && opt.min === undefined ? Number(val !== 0) : val);
  }
  override getopt(_task: Task, level: number, name: number): Uint8Array {
    if (level !== IPPROTO_IP) throw EOPNOTSUPP;
    if (name === IP_OPTIONS) return new Uint8Array(0);
    if (name === IP_MTU) {
      if (this.dport === 0) throw ENOTCONN;
      return new Uint8Array(Int32Array.of(Math.min(this.kernel.net.lo.mtu, IP_MAX_MTU)).buffer);
    }
    const opt = IP_OPTS[name];
    if (opt === undefined) throw ENOPROTOOPT;
    return new Uint8Array(Int32Array.of(this.ip_opts.get(name) ?? opt.initial).buffer);
  }
  get ttl(): number {
    return this.ip_opts.get(IP_TTL) ?? 64;
  }
  /** IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP: struct ip_mreq, or ip_mreqn.  cf. ip_mc_join_group() */
  private membership(join: boolean, value: Uint8Array): void {
    if (this.type === SOCK_STREAM) throw EPROTO;
    if (value.length < 8) throw EINVAL;
    const v = new DataView(value.buffer, value.byteOffset);
    const group = v.getUint32(0, false);
    const addr = v.getUint32(4, false);
    const index = value.length >= 12 ? v.getInt32(8, true) : 0;
    const { devices } = this.kernel.net;
    const dev = index !== 0 ? devices.find((d) => d.index === index) : devices.find((d) => d.addrs.some((a) => a.addr === addr));
    if (!isMulticast(group)) throw join ? EINVAL : EADDRNOTAVAIL;
    if (join && dev === undefined) throw ENODEV;
    const at = this.groups.findIndex((g) => g.group === group && (dev === undefined || g.index === dev.index));
    if (join) {
      if (at >= 0) throw EADDRINUSE;
      this.groups.push({ group, index: dev!.index });
    } else if (at < 0) throw EADDRNOTAVAIL;
    else this.groups.splice(at, 1);
  }
  /** What IP_PKTINFO, IP_RECVTTL and IP_RECVTOS add to a message.  cf. ip_cmsg_recv_offset() */
  protected ip_cmsg_recv(msg: RecvMsg, dst: number, ttl: number, tos: number): void {
    const wants = (name: number): boolean => (this.ip_opts.get(name) ?? 0) !== 0;
    if (wants(IP_PKTINFO)) {
      const data = new Uint8Array(12);
      const v = new DataView(data.buffer);
      v.setInt32(0, this.kernel.net.lo.index, true);
      v.setUint32(4, dst, false);
      v.setUint32(8, dst, false);
      msg.control.push({ level: IPPROTO_IP, type: IP_PKTINFO, data });
    }
    if (wants(IP_RECVTTL)) msg.control.push({ level: IPPROTO_IP, type: IP_TTL, data: new Uint8Array(Int32Array.of(ttl).buffer) });
    if (wants(IP_RECVTOS)) msg.control.push({ level: IPPROTO_IP, type: IP_TOS, data: Uint8Array.of(tos) });
  }
}
const IP_MAX_MTU = 65535;
export const IP_TOS = 1;
const IP_TTL = 2;
const IP_HDRINCL = 3;
const IP_OPTIONS = 4;
const IP_PKTINFO = 8;
const IP_RECVTTL = 12;
const IP_RECVTOS = 13;
const IP_MTU = 14;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
/** Those that are kept: the value that nobody has set, the range (none: yes or no), whether -1 unsets. */
const IP_OPTS: Readonly<Record<number, { readonly initial: number; readonly min?: number; readonly max?: number; readonly reset?: boolean }>> = {
  [IP_TOS]: { initial: 0, min: 0, max: 255 },
  [IP_TTL]: { initial: 64, min: 1, max: 255, reset: true },
  [IP_HDRINCL]: { initial: 0 },
  /* IP_ROUTER_ALERT */ 5: { initial: 0 },
  /* IP_RECVOPTS */ 6: { initial: 0 },
  /* IP_RETOPTS */ 7: { initial: 0 },
  [IP_PKTINFO]: { initial: 0 },
  /* IP_MTU_DISCOVER: IP_PMTUDISC_WANT */ 10: { initial: 1, min: 0, max: 5 },
  /* IP_RECVERR */ 11: { initial: 0 },
  [IP_RECVTTL]: { initial: 0 },
  [IP_RECVTOS]: { initial: 0 },
  /* IP_FREEBIND */ 15: { initial: 0 },
  /* IP_TRANSPARENT */ 19: { initial: 0 },
  /* IP_RECVORIGDSTADDR */ 20: { initial: 0 },
  /* IP_MINTTL */ 21: { initial: 0, min: 0, max: 255 },
  /* IP_NODEFRAG */ 22: { initial: 0 },
  /* IP_CHECKSUM */ 23: { initial: 0 },
  /* IP_BIND_ADDRESS_NO_PORT */ 24: { initial: 0 },
  [IP_MULTICAST_TTL]: { initial: 1, min: 0, max: 255, reset: true },
  [IP_MULTICAST_LOOP]: { initial: 1 },
  /* IP_MULTICAST_ALL */ 49: { initial: 1 },
  /* IP_UNICAST_IF */ 50: { initial: 0, min: 0 },
};
