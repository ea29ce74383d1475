// net/core/dev.ts — network interfaces and their addresses; where a packet may go.  cf. net/core/dev.c, net/ipv4/devinet.c, fib_frontend.c
//
// There is one interface, lo. Addresses are 32-bit numbers in host order.
import type { Inode } from "../../fs/fs.ts";
import type { UnixSock } from "../unix/af_unix.ts";
import type { RawSock } from "../ipv4/raw.ts";
import type { TcpSock } from "../ipv4/tcp.ts";
import type { TimeWait } from "../ipv4/tcp_minisocks.ts";
import type { UdpSock } from "../ipv4/udp.ts";

export const IFF_UP = 0x1;
export const IFF_BROADCAST = 0x2;
export const IFF_LOOPBACK = 0x8;
export const IFF_RUNNING = 0x40;
export const IFF_LOWER_UP = 0x10000;
export const ARPHRD_LOOPBACK = 772;
export const RT_SCOPE_UNIVERSE = 0;
export const RT_SCOPE_HOST = 254;
export const INADDR_LOOPBACK = 0x7f000001;

export interface IfAddr {
  addr: number;
  /** bits of the network */
  prefix: number;
  broadcast: number;
  scope: number;
  label: string;
}
export interface NetStats {
  packets: number;
  bytes: number;
}

export class NetDevice {
  readonly index: number;
  name: string;
  flags: number;
  mtu: number;
  readonly type: number;
  hwaddr = [0, 0, 0, 0, 0, 0];
  txqlen = 1000;
  readonly addrs: IfAddr[] = [];
  readonly rx: NetStats = { packets: 0, bytes: 0 };
  readonly tx: NetStats = { packets: 0, bytes: 0 };
  constructor(index: number, name: string, type: number, flags: number, mtu: number) {
    this.index = index;
    this.name = name;
    this.type = type;
    this.flags = flags;
    this.mtu = mtu;
  }
}

/** prefix length to mask */
export const inet_make_mask = (prefix: number): number => (prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0);

/** All of the machine's network. */
export class Net {
  readonly devices: NetDevice[] = [new NetDevice(1, "lo", ARPHRD_LOOPBACK, IFF_LOOPBACK, 65536)];
  readonly unix_inodes = new Map<Inode, UnixSock>();
  readonly unix_abstract = new Map<string, UnixSock>();
  unix_autobind = 0;
  /** sockets in messages that nobody has received yet, and in how many */
  readonly inflight = new Map<UnixSock, number>();
  gc_running = false;
  /** sockets that have a local port, or, raw ones, that receive */
  readonly tcp = new Set<TcpSock>();
  readonly time_wait: TimeWait[] = [];
  readonly udp = new Set<UdpSock>();
  readonly raw = new Set<RawSock>();
  /** net.ipv4.ip_local_port_range */
  next_port = 32768;
  next_netlink_port = 0;
  readonly netlink_ports = new Set<number>();
  ip_id = 0;
  last_cookie = 0;

  get lo(): NetDevice {
    return this.devices[0]!;
  }
  /** Up or down. Loopback gets its address when it comes up without one, as in inetdev_event(). */
  dev_change_flags(dev: NetDevice, flags: number): void {
    const up = (flags & IFF_UP) !== 0;
    dev.flags = (dev.flags & ~(IFF_UP | IFF_RUNNING | IFF_LOWER_UP)) | (up ? IFF_UP | IFF_RUNNING | IFF_LOWER_UP : 0);
    if (up && dev.addrs.length === 0 && (dev.flags & IFF_LOOPBACK) !== 0) {
      dev.addrs.push({ addr: INADDR_LOOPBACK, prefix: 8, broadcast: 0, scope: RT_SCOPE_HOST, label: dev.name });
    }
  }
  /** Is it one of our own addresses (all of 127/8 on lo)? */
  is_local(addr: number): boolean {
    for (const d of this.devices) {
      if ((d.flags & IFF_UP) === 0) continue;
      for (const a of d.addrs) {
        if (a.addr === addr) return true;
        if ((d.flags & IFF_LOOPBACK) !== 0 && ((a.addr ^ addr) & inet_make_mask(a.prefix)) === 0) return true;
      }
    }
    return false;
  }
  /** The source address for a destination; undefined: unreachable. Everything that can be reached is this machine. */
  route_source(dst: number): number | undefined {
    if (dst === 0xffffffff || !this.is_local(dst)) return undefined;
    return dst;
  }
  /** Counts a packet through lo. */
  loopback_xmit(bytes: number): void {
    const { lo } = this;
    lo.tx.packets++;
    lo.tx.bytes += bytes;
    lo.rx.packets++;
    lo.rx.bytes += bytes;
  }
}
