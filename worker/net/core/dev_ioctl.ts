// net/core/dev_ioctl.ts — SIOCGIF*, SIOCSIF*: what ifconfig asks.  cf. net/core/dev_ioctl.c, net/ipv4/devinet.c
import { EADDRNOTAVAIL, EINVAL, ENETUNREACH, ENODEV, ENOTTY, EOPNOTSUPP, EPERM } from "../../include/uapi/errno.ts";
import { AF_INET } from "../../include/uapi/socket.ts";
import { CAP_NET_ADMIN, capable } from "../../kernel/cred.ts";
import type { Task } from "../../kernel/task.ts";
import { check_read, check_write, get_user_s32, get_user_u16, get_user_u32, get_user_u64, put_user_u16, put_user_u32, put_user_u64 } from "../../kernel/uaccess.ts";
import { IFF_UP, RT_SCOPE_HOST, RT_SCOPE_UNIVERSE, inet_make_mask, type IfAddr, type NetDevice } from "./dev.ts";

const SIOCADDRT = 0x890b;
const SIOCDELRT = 0x890c;
const SIOCGIFNAME = 0x8910;
const SIOCGIFCONF = 0x8912;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFADDR = 0x8915;
const SIOCSIFADDR = 0x8916;
const SIOCGIFDSTADDR = 0x8917;
const SIOCGIFBRDADDR = 0x8919;
const SIOCSIFBRDADDR = 0x891a;
const SIOCGIFNETMASK = 0x891b;
const SIOCSIFNETMASK = 0x891c;
const SIOCGIFMETRIC = 0x891d;
const SIOCGIFMTU = 0x8921;
const SIOCSIFMTU = 0x8922;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const SIOCGIFTXQLEN = 0x8942;
const SIOCSIFTXQLEN = 0x8943;
const SIOCGIFMAP = 0x8970;

function get_name(task: Task, arg: number): string {
  let s = "";
  for (let i = 0; i < 15; i++) {
    const c = task.kernel.mem.u8[arg + i]!;
    if (c === 0) break;
    s += String.fromCharCode(c);
  }
  return s;
}
function put_name(task: Task, arg: number, name: string): void {
  for (let i = 0; i < 16; i++) task.kernel.mem.u8[arg + i] = i < name.length ? name.charCodeAt(i) : 0;
}
function put_addr(task: Task, at: number, addr: number): void {
  const m = task.kernel.mem;
  put_user_u16(m, at, AF_INET);
  put_user_u16(m, at + 2, 0);
  m.view.setUint32(at + 4, addr, false);
  put_user_u64(m, at + 8, 0);
}
const classful = (addr: number): number => (addr >>> 31 === 0 ? 8 : addr >>> 30 === 2 ? 16 : 24);
const prefix_of = (mask: number): number => (mask === 0 ? 0 : 32 - Math.clz32(mask & -mask) === 0 ? 32 : 32 - (31 - Math.clz32(mask & -mask)));

/** An interface request of any socket. Throws ENOTTY for what is none. */
export function dev_ioctl(task: Task, cmd: number, arg: number): number {
  const m = task.kernel.mem;
  const { net } = task.kernel;
  if (cmd === SIOCGIFCONF) return ifconf(task, arg);
  if (cmd === SIOCADDRT || cmd === SIOCDELRT) {
    if (!capable(task, CAP_NET_ADMIN)) throw EPERM;
    // nothing but this machine can be reached
    throw ENETUNREACH;
  }
  if (cmd < 0x8910 || cmd > 0x8971) throw ENOTTY;
  check_read(m, arg, 40);
  check_write(m, arg, 40);
  const data = arg + 16;
  if (cmd === SIOCGIFNAME) {
    const dev = net.devices.find((d) => d.index === get_user_s32(m, data));
    if (dev === undefined) throw ENODEV;
    put_name(task, arg, dev.name);
    return 0;
  }
  const label = get_name(task, arg);
  const dev = net.devices.find((d) => d.name === label.replace(/:.*/, ""));
  if (dev === undefined) throw ENODEV;
  const set = [SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFBRDADDR, SIOCSIFNETMASK, SIOCSIFMTU, SIOCSIFTXQLEN].includes(cmd);
  if (set && !capable(task, CAP_NET_ADMIN)) throw EPERM;
  const addr = (): IfAddr => {
    const a = dev.addrs.find((x) => x.label === label);
    if (a === undefined) throw EADDRNOTAVAIL;
    return a;
  };
  switch (cmd) {
    case SIOCGIFFLAGS:
      put_user_u16(m, data, dev.flags & 0xffff);
      return 0;
    case SIOCSIFFLAGS: {
      const flags = get_user_u16(m, data);
      // an alias that goes down goes away
      if (label.includes(":")) {
        if ((flags & IFF_UP) === 0) dev.addrs.splice(dev.addrs.indexOf(addr()), 1);
        return 0;
      }
      net.dev_change_flags(dev, flags);
      return 0;
    }
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
      put_addr(task, data, addr().addr);
      return 0;
    case SIOCGIFBRDADDR:
      put_addr(task, data, addr().broadcast);
      return 0;
    case SIOCGIFNETMASK:
      put_addr(task, data, inet_make_mask(addr().prefix));
      return 0;
    case SIOCSIFADDR:
      set_addr(task, dev, label, data);
      return 0;
    case SIOCSIFBRDADDR:
      addr().broadcast = m.view.getUint32(data + 4, false);
      return 0;
    case SIOCSIFNETMASK: {
      const mask = m.view.getUint32(data + 4, false);
      if (inet_make_mask(prefix_of(mask)) !== mask) throw EINVAL;
      addr().prefix = prefix_of(mask);
      return 0;
    }
    case SIOCGIFMETRIC:
      put_user_u32(m, data, 0);
      return 0;
    case SIOCGIFMTU:
      put_user_u32(m, data, dev.mtu);
      return 0;
    case SIOCSIFMTU: {
      const mtu = get_user_s32(m, data);
      if (mtu < 0) throw EINVAL;
      dev.mtu = mtu;
      return 0;
    }
    case SIOCGIFHWADDR:
      put_user_u16(m, data, dev.type);
      for (let i = 0; i < 14; i++) m.u8[data + 2 + i] = dev.hwaddr[i] ?? 0;
      return 0;
    case SIOCGIFINDEX:
      put_user_u32(m, data, dev.index);
      return 0;
    case SIOCGIFTXQLEN:
      put_user_u32(m, data, dev.txqlen);
      return 0;
    case SIOCSIFTXQLEN:
      dev.txqlen = get_user_u32(m, data);
      return 0;
    case SIOCGIFMAP:
      m.u8.fill(0, data, data + 24);
      return 0;
    default:
      throw EOPNOTSUPP;
  }
}

function set_addr(task: Task, dev: NetDevice, label: string, data: number): void {
  const m = task.kernel.mem;
  if (get_user_u16(m, data) !== AF_INET) throw EINVAL;
  const addr = m.view.getUint32(data + 4, false);
  const i = dev.addrs.findIndex((a) => a.label === label);
  if (addr === 0) {
    if (i >= 0) dev.addrs.splice(i, 1);
    return;
  }
  const prefix = classful(addr);
  const loop = addr >>> 24 === 127;
  const next: IfAddr = { addr, prefix, broadcast: loop ? 0 : (addr | ~inet_make_mask(prefix)) >>> 0, scope: loop ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE, label };
  if (i >= 0) dev.addrs[i] = next;
  else dev.addrs.push(next);
  task.kernel.net.dev_change_flags(dev, dev.flags | IFF_UP);
}

/** struct ifconf: length, buffer of 40-byte ifreqs; only interfaces that have an address */
function ifconf(task: Task, arg: number): number {
  const m = task.kernel.mem;
  check_read(m, arg, 16);
  const len = get_user_s32(m, arg);
  const buf = get_user_u64(m, arg + 8);
  let at = 0;
  for (const dev of task.kernel.net.devices) {
    for (const a of dev.addrs) {
      if (buf !== 0) {
        if (at + 40 > len) break;
        check_write(m, buf + at, 40);
        m.u8.fill(0, buf + at, buf + at + 40);
        put_name(task, buf + at, a.label);
        put_addr(task, buf + at + 16, a.addr);
      }
      at += 40;
    }
  }
  put_user_u32(m, arg, at);
  return 0;
}
