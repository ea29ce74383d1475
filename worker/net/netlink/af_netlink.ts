// net/netlink/af_netlink.ts — NETLINK_ROUTE as far as `ip` asks: links, addresses, routes.  cf. net/netlink/af_netlink.c, net/core/rtnetlink.c
import { EAFNOSUPPORT, EEXIST, EADDRNOTAVAIL, EINVAL, EMSGSIZE, ENETUNREACH, ENODEV, EOPNOTSUPP, EPERM, Errno } from "../../include/uapi/errno.ts";
import { AF_INET, AF_NETLINK, MSG_PEEK, MSG_TRUNC } from "../../include/uapi/socket.ts";
import { CAP_NET_ADMIN, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, type File } from "../../fs/fs.ts";
import { IFF_LOOPBACK, IFF_LOWER_UP, IFF_RUNNING, IFF_UP, RT_SCOPE_HOST, RT_SCOPE_UNIVERSE, inet_make_mask, type IfAddr, type NetDevice } from "../core/dev.ts";
import { Socket, type RecvMsg, type SendMsg } from "../socket.ts";

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
const NLM_F_MULTI = 2;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTM_GETNEIGH = 30;
const RTM_GETRULE = 34;
const RTM_BASE = 16;
const SOL_NETLINK = 270;

/** Builds one netlink message. */
export class Writer {
  private bytes: number[] = [];
  u8(v: number): this {
    this.bytes.push(v & 0xff);
    return this;
  }
  u16(v: number): this {
    return this.u8(v).u8(v >>> 8);
  }
  u32(v: number): this {
    return this.u16(v & 0xffff).u16(v >>> 16);
  }
  be32(v: number): this {
    return this.u8(v >>> 24).u8(v >>> 16).u8(v >>> 8).u8(v);
  }
  private pad(): this {
    while (this.bytes.length % 4 !== 0) this.bytes.push(0);
    return this;
  }
  attr(type: number, body: (w: Writer) => void): this {
    const w = new Writer();
    body(w);
    this.u16(4 + w.bytes.length).u16(type);
    this.bytes.push(...w.bytes);
    return this.pad();
  }
  string(type: number, s: string): this {
    return this.attr(type, (w) => {
      for (const c of s) w.u8(c.charCodeAt(0));
      w.u8(0);
    });
  }
  message(type: number, flags: number, seq: number, pid: number): Uint8Array {
    this.pad();
    const out = new Uint8Array(16 + this.bytes.length);
    const v = new DataView(out.buffer);
    v.setUint32(0, out.length, true);
    v.setUint16(4, type, true);
    v.setUint16(6, flags, true);
    v.setUint32(8, seq, true);
    v.setUint32(12, pid, true);
    out.set(this.bytes, 16);
    return out;
  }
}

function link_body(d: NetDevice): Writer {
  const w = new Writer();
  w.u8(0).u8(0).u16(d.type).u32(d.index).u32(d.flags).u32(0);
  w.string(3, d.name);
  w.attr(13, (a) => a.u32(d.txqlen));
  w.attr(16, (a) => a.u8((d.flags & IFF_UP) === 0 ? 2 : (d.flags & IFF_LOOPBACK) !== 0 ? 0 : 6));
  w.attr(17, (a) => a.u8(0));
  w.attr(4, (a) => a.u32(d.mtu));
  w.attr(27, (a) => a.u32(0));
  w.attr(1, (a) => d.hwaddr.forEach((b) => a.u8(b)));
  w.attr(2, (a) => d.hwaddr.forEach((b) => a.u8(b)));
  const counters = [d.rx.packets, d.tx.packets, d.rx.bytes, d.tx.bytes];
  w.attr(7, (a) => {
    for (let i = 0; i < 24; i++) a.u32((counters[i] ?? 0) >>> 0);
  });
  w.string(6, (d.flags & IFF_UP) === 0 ? "noop" : "noqueue");
  return w;
}
function addr_body(d: NetDevice, a: IfAddr): Writer {
  const w = new Writer();
  w.u8(AF_INET).u8(a.prefix).u8(0x80).u8(a.scope).u32(d.index);
  w.attr(1, (x) => x.be32(a.addr));
  w.attr(2, (x) => x.be32(a.addr));
  if (a.broadcast !== 0) w.attr(4, (x) => x.be32(a.broadcast));
  w.string(3, a.label);
  w.attr(8, (x) => x.u32(0x80));
  w.attr(6, (x) => x.u32(0xffffffff).u32(0xffffffff).u32(0).u32(0));
  return w;
}
/** table, type, scope: the local table's routes for one address */
function route_bodies(d: NetDevice, a: IfAddr): Writer[] {
  const make = (dst: number, len: number, table: number, type: number, scope: number): Writer => {
    const w = new Writer();
    w.u8(AF_INET).u8(len).u8(0).u8(0).u8(table).u8(2).u8(scope).u8(type).u32(0);
    w.attr(15, (x) => x.u32(table));
    w.attr(1, (x) => x.be32(dst));
    w.attr(7, (x) => x.be32(a.addr));
    w.attr(4, (x) => x.u32(d.index));
    return w;
  };
  const net = (a.addr & inet_make_mask(a.prefix)) >>> 0;
  const out: Writer[] = [];
  if ((d.flags & IFF_LOOPBACK) !== 0 && a.scope === RT_SCOPE_HOST) out.push(make(net, a.prefix, 255, 2, RT_SCOPE_HOST));
  else if (a.prefix < 32) out.push(make(net, a.prefix, 254, 1, 253));
  out.push(make(a.addr, 32, 255, 2, RT_SCOPE_HOST));
  return out;
}

/** Attributes by type. */
function attributes(b: Uint8Array, from: number): Map<number, Uint8Array> {
  const out = new Map<number, Uint8Array>();
  const v = new DataView(b.buffer, b.byteOffset, b.length);
  for (let at = from; at + 4 <= b.length; ) {
    const len = v.getUint16(at, true);
    if (len < 4 || at + len > b.length) break;
    out.set(v.getUint16(at + 2, true) & 0x3fff, b.subarray(at + 4, at + len));
    at += (len + 3) & ~3;
  }
  return out;
}
const text = (b: Uint8Array): string => String.fromCharCode(...b).replace(/\0.*$/s, "");
const be32 = (b: Uint8Array | undefined): number => (b === undefined || b.length < 4 ? 0 : new DataView(b.buffer, b.byteOffset).getUint32(0, false));

export class NetlinkSock extends Socket {
  private portid = 0;
  private groups = 0;
  private readonly rxq: Uint8Array[] = [];

  constructor(kernel: Kernel, task: Task, type: number, protocol: number, flags = 0) {
    super(kernel, task, AF_NETLINK, type, protocol, flags);
  }
  private autobind(task: Task): void {
    if (this.portid !== 0) return;
    // the first socket of a process is named by its pid
    const { net } = this.kernel;
    this.portid = net.netlink_ports.has(task.tgid) ? 0x80000000 + ++net.next_netlink_port : task.tgid;
    net.netlink_ports.add(this.portid);
  }
  bind(task: Task, addr: Uint8Array): void {
    if (addr.length < 12) throw EINVAL;
    const v = new DataView(addr.buffer, addr.byteOffset);
    if (v.getUint16(0, true) !== AF_NETLINK) throw EINVAL;
    const pid = v.getUint32(4, true);
    if (pid !== 0) {
      if (this.portid !== 0 && this.portid !== pid) throw EINVAL;
      this.portid = pid;
      this.kernel.net.netlink_ports.add(pid);
    } else this.autobind(task);
    this.groups = v.getUint32(8, true);
  }
  connect(task: Task, addr: Uint8Array): void {
    if (addr.length < 12) throw EINVAL;
    this.autobind(task);
  }
  getname(peer: boolean): Uint8Array {
    const b = new Uint8Array(12);
    const v = new DataView(b.buffer);
    v.setUint16(0, AF_NETLINK, true);
    if (!peer) {
      v.setUint32(4, this.portid, true);
      v.setUint32(8, this.groups, true);
    }
    return b;
  }
  sendmsg(task: Task, msg: SendMsg): number {
    if (msg.len > this.sndbuf - 32) throw EMSGSIZE;
    if (msg.name !== undefined) {
      if (msg.name.length < 12 || (msg.name[0]! | (msg.name[1]! << 8)) !== AF_NETLINK) throw EINVAL;
    }
    this.autobind(task);
    const data = msg.buf.slice(msg.off, msg.off + msg.len);
    const v = new DataView(data.buffer);
    for (let at = 0; at + 16 <= data.length; ) {
      const len = v.getUint32(at, true);
      if (len < 16 || at + len > data.length) break;
      this.request(task, data.subarray(at, at + len));
      at += (len + 3) & ~3;
    }
    this.wq.wake_up();
    return msg.len;
  }
  private request(task: Task, b: Uint8Array): void {
    const v = new DataView(b.buffer, b.byteOffset, b.length);
    const type = v.getUint16(4, true);
    const flags = v.getUint16(6, true);
    const seq = v.getUint32(8, true);
    if ((flags & NLM_F_REQUEST) === 0) return;
    let code = 0;
    try {
      if (type < RTM_BASE) return;
      if ((flags & NLM_F_DUMP) !== 0 && (type - RTM_BASE) % 4 === 2) {
        this.dump(type, seq, b);
        return;
      }
      if ((type - RTM_BASE) % 4 !== 2 && !capable(task, CAP_NET_ADMIN)) throw EPERM;
      this.doit(type, seq, b);
    } catch (e) {
      if (!(e instanceof Errno)) throw e;
      code = e.code;
    }
    if (code !== 0 || (flags & NLM_F_ACK) !== 0) {
      const w = new Writer().u32(-code >>> 0);
      for (const byte of code === 0 ? b.subarray(0, 16) : b) w.u8(byte);
      this.rxq.push(w.message(NLMSG_ERROR, 0, seq, this.portid));
    }
  }
  /** One datagram with all answers, and one that says it is all. */
  private dump(type: number, seq: number, b: Uint8Array): void {
    const family = b[16] ?? 0;
    const out: Uint8Array[] = [];
    const add = (t: number, w: Writer): number => out.push(w.message(t, NLM_F_MULTI, seq, this.portid));
    const { devices } = this.kernel.net;
    if (type === RTM_GETLINK) for (const d of devices) add(RTM_NEWLINK, link_body(d));
    else if (type === RTM_GETADDR) {
      if (family === 0 || family === AF_INET) for (const d of devices) for (const a of d.addrs) add(RTM_NEWADDR, addr_body(d, a));
    } else if (type === RTM_GETROUTE) {
      if (family === 0 || family === AF_INET) {
        for (const d of devices) if ((d.flags & IFF_UP) !== 0) for (const a of d.addrs) for (const w of route_bodies(d, a)) add(RTM_NEWROUTE, w);
      }
    } else if (type !== RTM_GETNEIGH && type !== RTM_GETRULE) throw EOPNOTSUPP;
    if (out.length > 0) {
      const all = new Uint8Array(out.reduce((n, m) => n + m.length, 0));
      let at = 0;
      for (const m of out) {
        all.set(m, at);
        at += m.length;
      }
      this.rxq.push(all);
    }
    this.rxq.push(new Writer().u32(0).message(NLMSG_DONE, NLM_F_MULTI, seq, this.portid));
  }
  private device(index: number, name: string | undefined): NetDevice {
    const d = this.kernel.net.devices.find((x) => (index > 0 ? x.index === index : x.name === name));
    if (d === undefined) throw ENODEV;
    return d;
  }
  private doit(type: number, seq: number, b: Uint8Array): void {
    const { net } = this.kernel;
    const v = new DataView(b.buffer, b.byteOffset, b.length);
    switch (type) {
      case RTM_GETLINK:
      case RTM_NEWLINK:
      case RTM_SETLINK: {
        if (b.length < 32) throw EINVAL;
        const attrs = attributes(b, 32);
        const name = attrs.has(3) ? text(attrs.get(3)!) : undefined;
        // RTM_NEWLINK with a kind makes a device: there are no kinds
        if (type === RTM_NEWLINK && attrs.has(18)) throw EOPNOTSUPP;
        const d = this.device(v.getInt32(20, true), name);
        if (type === RTM_GETLINK) {
          this.rxq.push(link_body(d).message(RTM_NEWLINK, 0, seq, this.portid));
          return;
        }
        const mtu = attrs.get(4);
        if (mtu !== undefined && mtu.length >= 4) d.mtu = new DataView(mtu.buffer, mtu.byteOffset).getUint32(0, true);
        const txqlen = attrs.get(13);
        if (txqlen !== undefined && txqlen.length >= 4) d.txqlen = new DataView(txqlen.buffer, txqlen.byteOffset).getUint32(0, true);
        const flags = v.getUint32(24, true);
        const change = v.getUint32(28, true) || 0xffffffff;
        if ((change & IFF_UP) !== 0 && (flags !== 0 || v.getUint32(28, true) !== 0)) net.dev_change_flags(d, flags & ~(IFF_RUNNING | IFF_LOWER_UP));
        return;
      }
      case RTM_NEWADDR:
      case RTM_DELADDR: {
        if (b.length < 24) throw EINVAL;
        if (b[16] !== AF_INET) throw EAFNOSUPPORT;
        const attrs = attributes(b, 24);
        const d = this.device(v.getInt32(20, true), undefined);
        const addr = be32(attrs.get(2) ?? attrs.get(1));
        const prefix = b[17]!;
        if (prefix > 32) throw EINVAL;
        const i = d.addrs.findIndex((a) => a.addr === addr && a.prefix === prefix);
        if (type === RTM_DELADDR) {
          if (i < 0) throw EADDRNOTAVAIL;
          d.addrs.splice(i, 1);
          return;
        }
        if (i >= 0) throw EEXIST;
        d.addrs.push({ addr, prefix, broadcast: be32(attrs.get(4)), scope: b[19] ?? RT_SCOPE_UNIVERSE, label: attrs.has(3) ? text(attrs.get(3)!) : d.name });
        return;
      }
      case RTM_NEWROUTE:
      case RTM_DELROUTE:
        throw ENETUNREACH;
      case RTM_GETROUTE: {
        const dst = be32(attributes(b, 28).get(1));
        const src = net.route_source(dst);
        if (src === undefined) throw ENETUNREACH;
        const w = new Writer();
        w.u8(AF_INET).u8(32).u8(0).u8(0).u8(255).u8(0).u8(0).u8(2).u32(0x200);
        w.attr(15, (x) => x.u32(255));
        w.attr(1, (x) => x.be32(dst));
        w.attr(4, (x) => x.u32(net.lo.index));
        w.attr(7, (x) => x.be32(src));
        this.rxq.push(w.message(RTM_NEWROUTE, 0, seq, this.portid));
        return;
      }
      default:
        throw EOPNOTSUPP;
    }
  }
  recvmsg(task: Task, msg: RecvMsg): number {
    const m = this.rxq[0];
    if (m === undefined) return this.wait(task, msg.flags, this.state(task, this.rcvtimeo));
    const n = Math.min(msg.len, m.length);
    msg.buf.set(m.subarray(0, n), msg.off);
    if (n < m.length) msg.out_flags |= MSG_TRUNC;
    if ((msg.flags & MSG_PEEK) === 0) this.rxq.shift();
    msg.name = this.getname(true);
    return (msg.flags & MSG_TRUNC) !== 0 ? m.length : n;
  }
  override setopt(_task: Task, level: number, name: number, value: Uint8Array): void {
    if (level !== SOL_NETLINK) throw EINVAL;
    this.kept.set(0x10000 + name, value[0] ?? 0);
  }
  override inq(): number {
    return this.rxq[0]?.length ?? 0;
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    queues?.push(this.wq);
    return POLLOUT | POLLWRNORM | (this.rxq.length > 0 ? POLLIN | POLLRDNORM : 0);
  }
  override release(): void {
    this.kernel.net.netlink_ports.delete(this.portid);
    this.rxq.length = 0;
  }
}
