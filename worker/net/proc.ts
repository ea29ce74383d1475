// net/proc.ts — /proc/net: interfaces, sockets, routes.  cf. net/core/net-procfs.c, net/ipv4/{tcp_ipv4,udp,raw,fib_trie,arp,proc}.c, net/unix/af_unix.c
import { ProcEntry, proc_create } from "../fs/proc/internal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { InetSock } from "./ipv4/af_inet.ts";
import { Socket } from "./socket.ts";
import { UnixSock } from "./unix/af_unix.ts";

const TCP_ESTABLISHED = 1;
const TCP_CLOSE = 7;
const TCP_LISTEN = 10;

const hex = (v: number, width: number): string => (v >>> 0).toString(16).toUpperCase().padStart(width, "0");
const dec = (v: number, width: number): string => String(v).padStart(width);
/** An address as its four bytes make a little-endian number, and a port. */
function endpoint(addr: number, port: number): string {
  const swapped = ((addr & 0xff) << 24) | ((addr & 0xff00) << 8) | ((addr >>> 8) & 0xff00) | (addr >>> 24);
  return `${hex(swapped, 8)}:${hex(port, 4)}`;
}

/** Sockets that some process has open, in the order of processes and descriptors, each once. */
function open_sockets(kernel: Kernel): Socket[] {
  const seen = new Set<Socket>();
  for (const t of kernel.tasks.values()) for (const f of t.files?.fds ?? []) if (f?.f_op instanceof Socket) seen.add(f.f_op);
  return [...seen];
}

export class NetDevEntry extends ProcEntry {
  show(kernel: Kernel): string {
    let s =
      "Inter-|   Receive                                                |  Transmit\n" +
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";
    for (const d of kernel.net.devices)
      s +=
        `${d.name.padStart(6)}: ${dec(d.rx.bytes, 7)} ${dec(d.rx.packets, 7)} ${dec(0, 4)} ${dec(0, 4)} ${dec(0, 4)} ${dec(0, 5)} ${dec(0, 10)} ${dec(0, 9)} ` +
        `${dec(d.tx.bytes, 8)} ${dec(d.tx.packets, 7)} ${dec(0, 4)} ${dec(0, 4)} ${dec(0, 4)} ${dec(0, 5)} ${dec(0, 7)} ${dec(0, 10)}\n`;
    return s;
  }
}

/** One line of tcp, udp or raw up to the inode. */
function inet_line(sl: string, s: InetSock, state: number, rx: number): string {
  const inode = s.file.f_inode!;
  return `${sl}: ${endpoint(s.rcv_saddr, s.num)} ${endpoint(s.daddr, s.dport)} ${hex(state, 2)} 00000000:${hex(rx, 8)} 00:00000000 00000000 ${dec(inode.i_uid, 5)}        0 ${inode.i_ino} 1 0000000000000000`;
}

export class TcpEntry extends ProcEntry {
  show(kernel: Kernel): string {
    let out = `${"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode".padEnd(149)}\n`;
    let sl = 0;
    for (const s of kernel.net.tcp) {
      if (s.sk_state === TCP_CLOSE) continue;
      const tail = s.sk_state === TCP_LISTEN ? "100 0 0 10 0" : "20 4 30 10 -1";
      const rx = s.sk_state === TCP_LISTEN ? s.pending.length : s.rx_bytes;
      out += `${`${inet_line(dec(sl++, 4), s, s.sk_state, rx)} ${tail}`.padEnd(149)}\n`;
    }
    return out;
  }
}

export class UdpEntry extends ProcEntry {
  show(kernel: Kernel): string {
    let out = `${"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops".padEnd(127)}\n`;
    for (const s of kernel.net.udp) {
      const state = s.dport === 0 ? TCP_CLOSE : TCP_ESTABLISHED;
      out += `${`${inet_line(dec(s.num & 255, 5), s, state, s.rmem)} ${s.drops}`.padEnd(127)}\n`;
    }
    return out;
  }
}

export class RawEntry extends ProcEntry {
  show(kernel: Kernel): string {
    let out = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n";
    for (const s of kernel.net.raw) out += `${inet_line(dec(s.protocol, 4), s, TCP_CLOSE, 0)} 0\n`;
    return out;
  }
}

/** sun_path as text: an abstract name's NULs show as @. */
function unix_path(s: UnixSock): string {
  if (s.addr === undefined) return "";
  let text = "";
  for (const c of s.addr) text += c === 0 ? "@" : String.fromCharCode(c);
  return ` ${s.addr[0] === 0 ? text : text.replace(/@.*$/, "")}`;
}
export class UnixEntry extends ProcEntry {
  show(kernel: Kernel): string {
    let out = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    for (const s of open_sockets(kernel)) {
      if (!(s instanceof UnixSock)) continue;
      const listening = s.sk_state === "listen";
      // SS_UNCONNECTED 1, SS_CONNECTED 3; __SO_ACCEPTCON
      const state = s.sk_state === "established" ? 3 : 1;
      out += `0000000000000000: ${hex(2, 8)} ${hex(0, 8)} ${hex(listening ? 0x10000 : 0, 8)} ${hex(s.type, 4)} ${hex(state, 2)} ${dec(s.file.f_inode!.i_ino, 5)}${unix_path(s)}\n`;
    }
    return out;
  }
}

/** The main routing table: loopback's addresses are in the local one, which is not shown. */
export class RouteEntry extends ProcEntry {
  show(): string {
    return `${"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT".padEnd(127)}\n`;
  }
}
export class ArpEntry extends ProcEntry {
  show(): string {
    return "IP address       HW type     Flags       HW address            Mask     Device\n";
  }
}
export class SockstatEntry extends ProcEntry {
  show(kernel: Kernel): string {
    const { tcp, udp, raw } = kernel.net;
    let inuse = 0;
    for (const s of tcp) if (s.sk_state !== TCP_CLOSE) inuse++;
    return `sockets: used ${open_sockets(kernel).length}\nTCP: inuse ${inuse} orphan 0 tw 0 alloc ${tcp.size} mem 0\nUDP: inuse ${udp.size} mem 0\nRAW: inuse ${raw.size}\nFRAG: inuse 0 memory 0\n`;
  }
}

/** Puts the files into /proc/net. */
export function net_proc_init(kernel: Kernel): void {
  proc_create(kernel, "net/arp", new ArpEntry());
  proc_create(kernel, "net/dev", new NetDevEntry());
  proc_create(kernel, "net/raw", new RawEntry());
  proc_create(kernel, "net/route", new RouteEntry());
  proc_create(kernel, "net/sockstat", new SockstatEntry());
  proc_create(kernel, "net/tcp", new TcpEntry());
  proc_create(kernel, "net/udp", new UdpEntry());
  proc_create(kernel, "net/unix", new UnixEntry());
}

