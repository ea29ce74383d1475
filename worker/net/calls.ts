// net/calls.ts — the system calls of sockets.  cf. net/socket.c
import {
  EAFNOSUPPORT, EINVAL, EMFILE, EMSGSIZE, ENOBUFS, EOPNOTSUPP, EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT, Errno,
} from "../include/uapi/errno.ts";
import {
  AF_INET, AF_NETLINK, AF_UNIX, IPPROTO_ICMP, IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, MSG_CMSG_CLOEXEC, MSG_DONTWAIT, MSG_WAITFORONE, SOCK_CLOEXEC, SOCK_DGRAM,
  SOCK_NONBLOCK, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, SOCK_TYPE_MASK, SOL_SOCKET, SOMAXCONN,
} from "../include/uapi/socket.ts";
import { CAP_NET_RAW, capable } from "../kernel/cred.ts";
import { RLIMIT_NOFILE } from "../kernel/signal_types.ts";
import { SLEEP } from "../kernel/sched/wait.ts";
import { Fd, Hex, InBuf, Int, OutBuf, Ptr, SYSCALL_DEFINE, Size, SockAddr, UInt } from "../kernel/syscall.ts";
import { restart_state, type Task } from "../kernel/task.ts";
import { get_timespec } from "../kernel/time/time.ts";
import { check_read, check_write, copy_from_user, get_user_s32, get_user_u64, put_user_u32, put_user_u64 } from "../kernel/uaccess.ts";
import { fput } from "../fs/file_table.ts";
import { gather, import_iovec, nested, scatter } from "../fs/read_write.ts";
import { RawSock } from "./ipv4/raw.ts";
import { TcpSock } from "./ipv4/tcp.ts";
import { UdpSock } from "./ipv4/udp.ts";
import { NetlinkSock } from "./netlink/af_netlink.ts";
import { put_cmsgs, scm_destroy, scm_send } from "./scm.ts";
import { sock_getsockopt, sock_setsockopt, sockfd_lookup, type RecvMsg, type Scm, type SendMsg, type Socket } from "./socket.ts";
import { UnixSock } from "./unix/af_unix.ts";

const NETLINK_ROUTE = 0;
/** no message is longer */
const MAX_LEN = 0x7ffff000;

function sock_create(task: Task, family: number, type: number, protocol: number, flags: number): Socket {
  const { kernel } = task;
  if (type < 0 || type > 10) throw EINVAL;
  switch (family) {
    case AF_UNIX:
      if (protocol !== 0 && protocol !== AF_UNIX) throw EPROTONOSUPPORT;
      if (type !== SOCK_STREAM && type !== SOCK_DGRAM && type !== SOCK_RAW && type !== SOCK_SEQPACKET) throw ESOCKTNOSUPPORT;
      return new UnixSock(kernel, task, type === SOCK_RAW ? SOCK_DGRAM : type, flags);
    case AF_INET:
      if (protocol < 0 || protocol > 255) throw EINVAL;
      if (type === SOCK_STREAM) {
        if (protocol !== IPPROTO_IP && protocol !== IPPROTO_TCP) throw EPROTONOSUPPORT;
        return new TcpSock(kernel, task, flags);
      }
      if (type === SOCK_DGRAM) {
        // ping sockets: net.ipv4.ping_group_range is empty
        if (protocol === IPPROTO_ICMP) throw EPERM;
        if (protocol !== IPPROTO_IP && protocol !== IPPROTO_UDP) throw EPROTONOSUPPORT;
        return new UdpSock(kernel, task, flags);
      }
      if (type !== SOCK_RAW) throw ESOCKTNOSUPPORT;
      if (protocol === IPPROTO_IP) throw EPROTONOSUPPORT;
      if (!capable(task, CAP_NET_RAW)) throw EPERM;
      return new RawSock(kernel, task, protocol, flags);
    case AF_NETLINK:
      if (type !== SOCK_RAW && type !== SOCK_DGRAM) throw ESOCKTNOSUPPORT;
      if (protocol !== NETLINK_ROUTE) throw EPROTONOSUPPORT;
      return new NetlinkSock(kernel, task, type, protocol, flags);
    default:
      throw EAFNOSUPPORT;
  }
}
function install(task: Task, sock: Socket, flags: number): number {
  try {
    return task.files!.alloc_fd(task, sock.file, (flags & SOCK_CLOEXEC) !== 0);
  } catch (e) {
    fput(task, sock.file);
    throw e;
  }
}
const check_flags = (flags: number): void => {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) throw EINVAL;
};

/** socket(2) */
export const sys_socket = SYSCALL_DEFINE("socket", [Int, Int, Int], (task, family, type, protocol) => {
  const flags = type & ~SOCK_TYPE_MASK;
  check_flags(flags);
  return install(task, sock_create(task, family, type & SOCK_TYPE_MASK, protocol, flags), flags);
});
/** socketpair(2) */
export const sys_socketpair = SYSCALL_DEFINE("socketpair", [Int, Int, Int, Ptr], (task, family, type, protocol, usockvec) => {
  const flags = type & ~SOCK_TYPE_MASK;
  check_flags(flags);
  check_write(task.kernel.mem, usockvec, 8);
  const a = sock_create(task, family, type & SOCK_TYPE_MASK, protocol, flags);
  const b = sock_create(task, family, type & SOCK_TYPE_MASK, protocol, flags);
  try {
    a.socketpair(task, b);
  } catch (e) {
    fput(task, a.file);
    fput(task, b.file);
    throw e;
  }
  let fd: number;
  try {
    fd = install(task, a, flags);
  } catch (e) {
    fput(task, b.file);
    throw e;
  }
  try {
    put_user_u32(task.kernel.mem, usockvec + 4, install(task, b, flags));
  } catch (e) {
    task.files!.close(task, fd);
    throw e;
  }
  put_user_u32(task.kernel.mem, usockvec, fd);
  return 0;
});

/** Throws EINVAL, EFAULT. */
function move_addr_to_kernel(task: Task, addr: number, len: number): Uint8Array {
  if (len < 0 || len > 128) throw EINVAL;
  return copy_from_user(task.kernel.mem, addr, len);
}
/** As much of the address as there is room for, and its whole length. */
function move_addr_to_user(task: Task, name: Uint8Array, addr: number, ulen: number): void {
  const m = task.kernel.mem;
  const room = get_user_s32(m, ulen);
  if (room < 0) throw EINVAL;
  const n = Math.min(room, name.length);
  if (n > 0) check_write(m, addr, n);
  m.u8.set(name.subarray(0, n), addr);
  put_user_u32(m, ulen, name.length);
}

export const sys_bind = SYSCALL_DEFINE("bind", [Fd, SockAddr, Int], (task, fd, umyaddr, addrlen) => {
  const sock = sockfd_lookup(task, fd);
  sock.bind(task, move_addr_to_kernel(task, umyaddr, addrlen));
  return 0;
});
export const sys_connect = SYSCALL_DEFINE("connect", [Fd, SockAddr, Int], (task, fd, uservaddr, addrlen) => {
  task.files!.fget(fd);
  const addr = move_addr_to_kernel(task, uservaddr, addrlen);
  sockfd_lookup(task, fd).connect(task, addr, 0);
  return 0;
});
export const sys_listen = SYSCALL_DEFINE("listen", [Fd, Int], (task, fd, backlog) => {
  sockfd_lookup(task, fd).listen(task, backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : backlog);
  return 0;
});
function do_accept4(task: Task, fd: number, uaddr: number, ulen: number, flags: number): number {
  task.files!.fget(fd);
  check_flags(flags);
  const sock = sockfd_lookup(task, fd);
  if (task.files!.find_free() >= task.signal.rlim[RLIMIT_NOFILE]!.cur) throw EMFILE;
  const end = sock.accept(task, 0);
  end.file.f_flags |= flags & SOCK_NONBLOCK;
  if (uaddr !== 0) {
    try {
      let name: Uint8Array;
      try {
        name = end.getname(true);
      } catch (e) {
        // the connector is gone already
        if (!(e instanceof Errno)) throw e;
        name = Uint8Array.of(end.family, 0);
      }
      move_addr_to_user(task, name, uaddr, ulen);
    } catch (e) {
      fput(task, end.file);
      throw e;
    }
  }
  return install(task, end, flags);
}
export const sys_accept4 = SYSCALL_DEFINE("accept4", [Fd, SockAddr, Ptr, Hex], do_accept4);
export const sys_accept = SYSCALL_DEFINE("accept", [Fd, SockAddr, Ptr], (task, fd, uaddr, ulen) => do_accept4(task, fd, uaddr, ulen, 0));
export const sys_getsockname = SYSCALL_DEFINE("getsockname", [Fd, SockAddr, Ptr], (task, fd, uaddr, ulen) => {
  move_addr_to_user(task, sockfd_lookup(task, fd).getname(false), uaddr, ulen);
  return 0;
});
export const sys_getpeername = SYSCALL_DEFINE("getpeername", [Fd, SockAddr, Ptr], (task, fd, uaddr, ulen) => {
  move_addr_to_user(task, sockfd_lookup(task, fd).getname(true), uaddr, ulen);
  return 0;
});
export const sys_shutdown = SYSCALL_DEFINE("shutdown", [Fd, Int], (task, fd, how) => {
  const sock = sockfd_lookup(task, fd);
  if (how < 0 || how > 2) throw EINVAL;
  sock.shutdown(how);
  return 0;
});
/** AF_UNIX has no options of its own. */
function no_options(sock: Socket, level: number): void {
  if (level !== SOL_SOCKET && sock.family === AF_UNIX) throw EOPNOTSUPP;
}
export const sys_setsockopt = SYSCALL_DEFINE("setsockopt", [Fd, Int, Int, Ptr, Int], (task, fd, level, optname, optval, optlen) => {
  const sock = sockfd_lookup(task, fd);
  if (optlen < 0) throw EINVAL;
  no_options(sock, level);
  const value = copy_from_user(task.kernel.mem, optval, Math.min(optlen, 4096));
  if (level === SOL_SOCKET) sock_setsockopt(task, sock, optname, value);
  else sock.setopt(task, level, optname, value);
  return 0;
});
export const sys_getsockopt = SYSCALL_DEFINE("getsockopt", [Fd, Int, Int, Ptr, Ptr], (task, fd, level, optname, optval, optlen) => {
  const sock = sockfd_lookup(task, fd);
  no_options(sock, level);
  const m = task.kernel.mem;
  const len = get_user_s32(m, optlen);
  if (len < 0) throw EINVAL;
  const value = level === SOL_SOCKET ? sock_getsockopt(sock, optname, len) : sock.getopt(task, level, optname);
  const n = Math.min(len, value.length);
  check_write(m, optval, n);
  m.u8.set(value.subarray(0, n), optval);
  put_user_u32(m, optlen, n);
  return 0;
});

// --- data

/** sendto(2) */
export const sys_sendto = SYSCALL_DEFINE("sendto", [Fd, InBuf, Size, Hex, SockAddr, Int], (task, fd, buff, len, flags, addr, addrlen) => {
  const m = task.kernel.mem;
  const sock = sockfd_lookup(task, fd);
  len = Math.min(len, MAX_LEN);
  if (len > 0) check_read(m, buff, len);
  const name = addr === 0 ? undefined : move_addr_to_kernel(task, addr, addrlen);
  return sock.sendmsg(task, { buf: m.u8, off: buff, len, flags, name, scm: undefined });
});
/** recvfrom(2) */
export const sys_recvfrom = SYSCALL_DEFINE("recvfrom", [Fd, OutBuf, Size, Hex, SockAddr, Ptr], (task, fd, ubuf, len, flags, addr, addrlen) => {
  const m = task.kernel.mem;
  const sock = sockfd_lookup(task, fd);
  len = Math.min(len, MAX_LEN);
  if (len > 0) check_write(m, ubuf, len);
  const msg: RecvMsg = { buf: m.u8, off: ubuf, len, flags, name: undefined, out_flags: 0, control: [], fds: [] };
  const n = sock.recvmsg(task, msg);
  for (const f of msg.fds) fput(task, f);
  if (addr !== 0) move_addr_to_user(task, msg.name ?? new Uint8Array(0), addr, addrlen);
  return n;
});

/** struct msghdr: name, namelen, iov, iovlen, control, controllen, flags; 56 bytes */
interface MsgHdr {
  name: number;
  namelen: number;
  iov: number;
  iovlen: number;
  control: number;
  controllen: number;
}
function copy_msghdr_from_user(task: Task, umsg: number): MsgHdr {
  const m = task.kernel.mem;
  check_read(m, umsg, 56);
  const hdr: MsgHdr = {
    name: get_user_u64(m, umsg), namelen: get_user_s32(m, umsg + 8), iov: get_user_u64(m, umsg + 16), iovlen: get_user_u64(m, umsg + 24),
    control: get_user_u64(m, umsg + 32), controllen: get_user_u64(m, umsg + 40),
  };
  if (hdr.name === 0) hdr.namelen = 0;
  if (hdr.namelen < 0) throw EINVAL;
  if (hdr.iovlen > 1024) throw EMSGSIZE;
  return hdr;
}
function do_sendmsg(task: Task, sock: Socket, umsg: number, flags: number): number {
  const m = task.kernel.mem;
  const hdr = copy_msghdr_from_user(task, umsg);
  const { iov, total } = import_iovec(m, hdr.iov, hdr.iovlen, false);
  const name = hdr.namelen === 0 ? undefined : move_addr_to_kernel(task, hdr.name, Math.min(hdr.namelen, 128));
  let scm: Scm | undefined;
  sock.before_send();
  if (hdr.controllen > 0) {
    if (hdr.controllen > 0x7fffffff) throw ENOBUFS;
    if (sock instanceof UnixSock) scm = scm_send(task, hdr.control, hdr.controllen);
    else check_read(m, hdr.control, hdr.controllen);
  }
  const one = iov.length <= 2;
  const msg: SendMsg = one
    ? { buf: m.u8, off: iov[0] ?? 0, len: total, flags, name, scm }
    : { buf: gather(m, iov, total), off: 0, len: total, flags, name, scm };
  try {
    return sock.sendmsg(task, msg);
  } finally {
    if (msg.scm !== undefined) scm_destroy(task, msg.scm);
  }
}
export const sys_sendmsg = SYSCALL_DEFINE("sendmsg", [Fd, Ptr, Hex], (task, fd, umsg, flags) => do_sendmsg(task, sockfd_lookup(task, fd), umsg, flags));

/** what a receive into several buffers keeps while it sleeps */
interface Scattered {
  buf?: Uint8Array;
}
function do_recvmsg(task: Task, sock: Socket, umsg: number, flags: number): number {
  const m = task.kernel.mem;
  const hdr = copy_msghdr_from_user(task, umsg);
  check_write(m, umsg, 56);
  const { iov, total } = import_iovec(m, hdr.iov, hdr.iovlen, true);
  const one = iov.length <= 2;
  if (one && iov.length > 0) m.written(iov[0]!, iov[1]!);
  const buf = one ? m.u8 : ((task.restart as Scattered | undefined)?.buf ?? new Uint8Array(total));
  const msg: RecvMsg = { buf, off: one ? (iov[0] ?? 0) : 0, len: total, flags, name: undefined, out_flags: 0, control: [], fds: [] };
  let n: number;
  try {
    n = sock.recvmsg(task, msg);
  } catch (e) {
    if (e === SLEEP && !one) (task.restart as Scattered).buf = buf;
    throw e;
  }
  if (!one) scatter(m, iov, buf, Math.min(n, total));
  if (hdr.name !== 0) {
    const name = msg.name ?? new Uint8Array(0);
    const len = Math.min(hdr.namelen, name.length);
    check_write(m, hdr.name, len);
    m.u8.set(name.subarray(0, len), hdr.name);
    put_user_u32(m, umsg + 8, name.length);
  }
  const used = put_cmsgs(task, msg, hdr.control, hdr.control === 0 ? 0 : hdr.controllen);
  put_user_u64(m, umsg + 40, used);
  put_user_u32(m, umsg + 48, (msg.out_flags | (flags & MSG_CMSG_CLOEXEC)) >>> 0);
  return n;
}
export const sys_recvmsg = SYSCALL_DEFINE("recvmsg", [Fd, Ptr, Hex], (task, fd, umsg, flags) => do_recvmsg(task, sockfd_lookup(task, fd), umsg, flags));

/** Many messages: struct mmsghdr is a msghdr and a length, 64 bytes. */
interface Many {
  count: number;
  until: number;
  sub: unknown;
}
export const sys_sendmmsg = SYSCALL_DEFINE("sendmmsg", [Fd, Ptr, UInt, Hex], (task, fd, mmsg, vlen, flags) => {
  const sock = sockfd_lookup(task, fd);
  const st = restart_state<Many>(task, () => ({ count: 0, until: 0, sub: undefined }));
  vlen = Math.min(vlen, 1024);
  while (st.count < vlen) {
    const at = mmsg + 64 * st.count;
    try {
      const n = nested(task, st, () => do_sendmsg(task, sock, at, st.count > 0 ? flags | MSG_DONTWAIT : flags));
      put_user_u32(task.kernel.mem, at + 56, n);
    } catch (e) {
      if (e instanceof Errno && st.count > 0) break;
      throw e;
    }
    st.count++;
  }
  return st.count;
});
export const sys_recvmmsg = SYSCALL_DEFINE("recvmmsg", [Fd, Ptr, UInt, Hex, Ptr], (task, fd, mmsg, vlen, flags, timeout) => {
  const { time, mem } = task.kernel;
  if (timeout !== 0) check_read(mem, timeout, 16);
  const sock = sockfd_lookup(task, fd);
  const st = restart_state<Many>(task, () => ({ count: 0, until: timeout === 0 ? Infinity : time.monotonic() + get_timespec(mem, timeout), sub: undefined }));
  vlen = Math.min(vlen, 1024);
  while (st.count < vlen) {
    const at = mmsg + 64 * st.count;
    try {
      const f = st.count > 0 && (flags & MSG_WAITFORONE) !== 0 ? flags | MSG_DONTWAIT : flags;
      const n = nested(task, st, () => do_recvmsg(task, sock, at, f & ~MSG_WAITFORONE));
      put_user_u32(mem, at + 56, n);
    } catch (e) {
      if (e instanceof Errno && st.count > 0) break;
      throw e;
    }
    st.count++;
    // the time-out is looked at after each message only, as in Linux
    if (time.monotonic() >= st.until) break;
  }
  return st.count;
});
