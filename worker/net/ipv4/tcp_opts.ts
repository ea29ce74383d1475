// net/ipv4/tcp_opts.ts — options of TCP: what setsockopt takes and getsockopt tells at IPPROTO_TCP.  cf. do_tcp_setsockopt(), do_tcp_getsockopt()
import { EINVAL, ENOENT, ENOPROTOOPT } from "../../include/uapi/errno.ts";
import { int_opt } from "../socket.ts";
import type { TcpSock } from "./tcp.ts";

const TCP_NODELAY = 1;
const TCP_MAXSEG = 2;
const TCP_CORK = 3;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_SYNCNT = 7;
const TCP_LINGER2 = 8;
const TCP_DEFER_ACCEPT = 9;
const TCP_WINDOW_CLAMP = 10;
const TCP_INFO = 11;
const TCP_QUICKACK = 12;
const TCP_CONGESTION = 13;
const TCP_USER_TIMEOUT = 18;
const TCP_FASTOPEN = 23;

/** Those that are kept: the value that nobody has set, and what may be set. */
const OPTS: Readonly<Record<number, { readonly initial: number; readonly flag?: boolean; readonly min?: number; readonly max?: number; readonly zero?: boolean }>> = {
  [TCP_NODELAY]: { initial: 0, flag: true },
  [TCP_MAXSEG]: { initial: 0, min: 88, max: 32767, zero: true },
  [TCP_CORK]: { initial: 0, flag: true },
  [TCP_KEEPIDLE]: { initial: 7200, min: 1, max: 32767 },
  [TCP_KEEPINTVL]: { initial: 75, min: 1, max: 32767 },
  [TCP_KEEPCNT]: { initial: 9, min: 1, max: 127 },
  [TCP_SYNCNT]: { initial: 6, min: 1, max: 127 },
  [TCP_LINGER2]: { initial: 60 },
  [TCP_DEFER_ACCEPT]: { initial: 0 },
  [TCP_WINDOW_CLAMP]: { initial: 65536 },
  [TCP_QUICKACK]: { initial: 1, flag: true },
  [TCP_USER_TIMEOUT]: { initial: 0, min: 0 },
  [TCP_FASTOPEN]: { initial: 0, min: 0 },
};
/** the segment size over loopback */
const LO_MSS = 65483;
const MSS_NOW = 536;
const CONGESTION = "cubic";
const int = (v: number): Uint8Array => new Uint8Array(Int32Array.of(v).buffer);

export function tcp_setsockopt(sk: TcpSock, name: number, value: Uint8Array): void {
  if (name === TCP_CONGESTION) {
    if (value.length < 1) throw EINVAL;
    const wanted = String.fromCharCode(...value).replace(/\0.*$/s, "");
    if (wanted !== CONGESTION && wanted !== "reno") throw ENOENT;
    sk.congestion = wanted;
    return;
  }
  const val = int_opt(value);
  const opt = OPTS[name];
  if (opt === undefined) throw ENOPROTOOPT;
  if (!(opt.zero === true && val === 0) && ((opt.min !== undefined && val < opt.min) || (opt.max !== undefined && val > opt.max))) throw EINVAL;
  sk.opts.set(name, opt.flag === true ? Number(val !== 0) : val);
}

export function tcp_getsockopt(sk: TcpSock, name: number): Uint8Array {
  if (name === TCP_INFO) {
    const info = new Uint8Array(104);
    info[0] = sk.sk_state;
    return info;
  }
  if (name === TCP_CONGESTION) return Uint8Array.from(sk.congestion.padEnd(16, "\0"), (c) => c.charCodeAt(0));
  const opt = OPTS[name];
  if (opt === undefined) throw ENOPROTOOPT;
  if (name === TCP_MAXSEG) return int(sk.peer !== undefined ? LO_MSS : sk.opts.get(name) || MSS_NOW);
  return int(sk.opts.get(name) ?? opt.initial);
}
