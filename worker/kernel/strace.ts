// kernel/strace.ts — a system call as one line of text, made from its declaration: for the page's list and for debugging.
//
// Reads guest memory only; a bad pointer is shown as a number.
import type { Errno } from "../include/uapi/errno.ts";
import * as ioctls from "../include/uapi/ioctls.ts";
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from "../include/uapi/stat.ts";
import { signal_name } from "../include/uapi/signal.ts";
import { Fd, Hex, Int, type Kind, MmapProt, Path, Pid, Ptr, Size, Str, type Syscall, UInt, ULong } from "./syscall.ts";
import type { Memory } from "./uaccess.ts";

/** bytes of a buffer or string that are shown */
const STRSIZE = 32;

const hex = (n: number): string => `0x${n.toString(16)}`;

/** Names of the set bits; what has no name is left as a number. */
function flags(value: number, names: readonly (readonly [number, string])[], zero: string): string {
  const out: string[] = [];
  let rest = value;
  for (const [bit, name] of names) {
    if (bit !== 0 && Math.floor(rest / bit) % 2 === 1 && (bit & (bit - 1)) === 0) {
      out.push(name);
      rest -= bit;
    }
  }
  if (rest !== 0) out.push(hex(rest));
  return out.length === 0 ? zero : out.join("|");
}

const OPEN = [
  [0o100, "O_CREAT"], [0o200, "O_EXCL"], [0o400, "O_NOCTTY"], [0o1000, "O_TRUNC"], [0o2000, "O_APPEND"], [0o4000, "O_NONBLOCK"], [0o10000, "O_DSYNC"],
  [0o40000, "O_DIRECT"], [0o100000, "O_LARGEFILE"], [0o200000, "O_DIRECTORY"], [0o400000, "O_NOFOLLOW"], [0o1000000, "O_NOATIME"],
  [0o2000000, "O_CLOEXEC"], [0o10000000, "O_PATH"],
] as const;
const PROT = [[1, "PROT_READ"], [2, "PROT_WRITE"], [4, "PROT_EXEC"]] as const;
const MMAP = [
  [1, "MAP_SHARED"], [2, "MAP_PRIVATE"], [0x10, "MAP_FIXED"], [0x20, "MAP_ANONYMOUS"], [0x100, "MAP_GROWSDOWN"], [0x800, "MAP_DENYWRITE"],
  [0x2000, "MAP_LOCKED"], [0x4000, "MAP_NORESERVE"], [0x8000, "MAP_POPULATE"], [0x20000, "MAP_STACK"],
] as const;
const CLONE = [
  [0x100, "CLONE_VM"], [0x200, "CLONE_FS"], [0x400, "CLONE_FILES"], [0x800, "CLONE_SIGHAND"], [0x1000, "CLONE_PIDFD"], [0x4000, "CLONE_VFORK"],
  [0x8000, "CLONE_PARENT"], [0x10000, "CLONE_THREAD"], [0x40000, "CLONE_SYSVSEM"], [0x80000, "CLONE_SETTLS"], [0x100000, "CLONE_PARENT_SETTID"],
  [0x200000, "CLONE_CHILD_CLEARTID"], [0x400000, "CLONE_DETACHED"], [0x1000000, "CLONE_CHILD_SETTID"],
] as const;

/** A C string literal of some bytes. */
function quote(m: Memory, addr: number, len: number, more: boolean): string {
  let s = '"';
  for (let i = 0; i < len; i++) {
    const c = m.u8[addr + i]!;
    if (c === 10) s += "\\n";
    else if (c === 9) s += "\\t";
    else if (c === 13) s += "\\r";
    else if (c === 34 || c === 92) s += `\\${String.fromCharCode(c)}`;
    else if (c >= 32 && c < 127) s += String.fromCharCode(c);
    else s += `\\${c.toString(8)}`;
  }
  return `${s}"${more ? "..." : ""}`;
}
const readable = (m: Memory, addr: number, len: number): boolean => addr >= 0x1000 && len >= 0 && addr + len <= m.size;

function string(m: Memory, addr: number, max: number): string {
  if (addr === 0) return "NULL";
  if (!readable(m, addr, 1)) return hex(addr);
  let len = 0;
  while (len < max && readable(m, addr, len + 1) && m.u8[addr + len] !== 0) len++;
  return quote(m, addr, len, len === max);
}
function buffer(m: Memory, addr: number, len: number): string {
  if (addr === 0) return "NULL";
  if (!readable(m, addr, len)) return hex(addr);
  return quote(m, addr, Math.min(len, STRSIZE), len > STRSIZE);
}
function argv(m: Memory, addr: number): string {
  if (addr === 0) return "NULL";
  const out: string[] = [];
  for (let i = 0; ; i++) {
    if (!readable(m, addr + 8 * i, 8)) return hex(addr);
    const p = m.view.getUint32(addr + 8 * i, true);
    if (p === 0) break;
    if (i === 8) {
      out.push("...");
      break;
    }
    out.push(string(m, p, STRSIZE));
  }
  return `[${out.join(", ")}]`;
}
function timespec(m: Memory, addr: number): string {
  if (addr === 0) return "NULL";
  if (!readable(m, addr, 16)) return hex(addr);
  const s = (a: number): number => m.view.getUint32(a, true) + m.view.getInt32(a + 4, true) * 0x100000000;
  return `{${s(addr)}, ${s(addr + 8)}}`;
}
function sockaddr(m: Memory, addr: number): string {
  if (addr === 0) return "NULL";
  if (!readable(m, addr, 16)) return hex(addr);
  const family = m.view.getUint16(addr, true);
  if (family === 1) return `{AF_UNIX, ${m.u8[addr + 2] === 0 ? `@${string(m, addr + 3, 107)}` : string(m, addr + 2, 108)}}`;
  if (family === 2) return `{AF_INET, ${m.u8.subarray(addr + 4, addr + 8).join(".")}:${m.view.getUint16(addr + 2, false)}}`;
  return `{family ${family}}`;
}

/** Names of ioctls, by number. */
const IOCTLS: ReadonlyMap<number, string> = new Map(Object.entries(ioctls).flatMap(([name, n]) => (typeof n === "number" && /^(?:T|F)/.test(name) ? [[n, name] as const] : [])));
const WAIT = [[1, "WNOHANG"], [2, "WUNTRACED"], [8, "WCONTINUED"], [0x20000000, "__WNOTHREAD"], [0x40000000, "__WALL"]] as const;
const POLL = [[1, "POLLIN"], [2, "POLLPRI"], [4, "POLLOUT"], [8, "POLLERR"], [16, "POLLHUP"], [32, "POLLNVAL"], [64, "POLLRDNORM"], [256, "POLLWRNORM"], [0x2000, "POLLRDHUP"]] as const;
const TYPES: ReadonlyMap<number, string> = new Map([[S_IFSOCK, "S_IFSOCK"], [S_IFLNK, "S_IFLNK"], [S_IFREG, "S_IFREG"], [S_IFBLK, "S_IFBLK"], [S_IFDIR, "S_IFDIR"], [S_IFCHR, "S_IFCHR"], [S_IFIFO, "S_IFIFO"]]);
/** elements of an array that are shown */
const SOME = 8;

/** `left`: bytes that were moved, or as many as there are. */
function iovec(m: Memory, addr: number, count: number, left: number): string {
  if (addr === 0) return "NULL";
  const out: string[] = [];
  for (let i = 0; i < count; i++) {
    if (!readable(m, addr + 16 * i, 16)) return hex(addr);
    if (i === SOME) {
      out.push("...");
      break;
    }
    const base = m.view.getUint32(addr + 16 * i, true);
    const len = m.view.getUint32(addr + 16 * i + 8, true);
    out.push(`{${buffer(m, base, Math.min(len, left))}, ${len}}`);
    left -= Math.min(len, left);
  }
  return `[${out.join(", ")}]`;
}
/** What wait4 says of a child, as the macros of wait(2) take it apart. */
function wait_status(m: Memory, addr: number): string {
  if (addr === 0) return "NULL";
  if (!readable(m, addr, 4)) return hex(addr);
  const s = m.view.getUint32(addr, true);
  if ((s & 0x7f) === 0) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${(s >> 8) & 0xff}}]`;
  if ((s & 0xff) === 0x7f) return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${signal_name((s >> 8) & 0x7f)}}]`;
  if (s === 0xffff) return "[{WIFCONTINUED(s)}]";
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signal_name(s & 0x7f)}${(s & 0x80) === 0 ? "" : " && WCOREDUMP(s)"}}]`;
}
function pollfds(m: Memory, addr: number, count: number, result: number | undefined): string {
  if (addr === 0) return "NULL";
  const out: string[] = [];
  for (let i = 0; i < count; i++) {
    if (!readable(m, addr + 8 * i, 8)) return hex(addr);
    if (i === SOME) {
      out.push("...");
      break;
    }
    const revents = m.view.getUint16(addr + 8 * i + 6, true);
    out.push(`{fd=${m.view.getInt32(addr + 8 * i, true)}, events=${flags(m.view.getUint16(addr + 8 * i + 4, true), POLL, "0")}${(result ?? 0) > 0 && revents !== 0 ? `, revents=${flags(revents, POLL, "0")}` : ""}}`);
  }
  return `[${out.join(", ")}]`;
}
function stat(m: Memory, addr: number): string {
  if (!readable(m, addr, 144)) return addr === 0 ? "NULL" : hex(addr);
  const mode = m.view.getUint32(addr + 24, true);
  const type = TYPES.get(mode & S_IFMT) ?? `0${(mode & S_IFMT).toString(8)}`;
  const size = m.view.getUint32(addr + 48, true) + m.view.getInt32(addr + 52, true) * 0x100000000;
  const device = type === "S_IFCHR" || type === "S_IFBLK";
  const rdev = m.view.getUint32(addr + 40, true);
  return `{st_mode=${type}|0${(mode & 0o7777).toString(8)}, ${device ? `st_rdev=makedev(${hex((rdev >> 8) & 0xfff)}, ${hex((rdev & 0xff) | ((rdev >> 12) & 0xfff00))})` : `st_size=${size}`}, ...}`;
}
/** The argument of the ioctls that people meet; a number for the others. */
function ioctl_argument(m: Memory, cmd: number, value: number, result: number | undefined): string {
  const done = result !== undefined && result >= 0;
  if ((cmd === ioctls.TIOCGWINSZ && done) || cmd === ioctls.TIOCSWINSZ) {
    if (!readable(m, value, 8)) return hex(value);
    const n = (at: number): number => m.view.getUint16(value + at, true);
    return `{ws_row=${n(0)}, ws_col=${n(2)}, ws_xpixel=${n(4)}, ws_ypixel=${n(6)}}`;
  }
  if (((cmd === ioctls.TIOCGPGRP || cmd === ioctls.TIOCGSID || cmd === ioctls.FIONREAD) && done) || cmd === ioctls.TIOCSPGRP || cmd === ioctls.FIONBIO) return readable(m, value, 4) ? `[${m.view.getInt32(value, true)}]` : hex(value);
  return value < 4096 ? String(value) : hex(value);
}

/** One argument. `before` is the one ahead of it (an ioctl's number), `next` is the following one (a buffer's length), `result` what the call returned, once it has. */
function argument(m: Memory, show: string, value: number, next: number, result: number | undefined, before = 0): string {
  switch (show) {
    case "hex":
      return hex(value);
    case "ptr":
      return value === 0 ? "NULL" : hex(value);
    case "mode":
      return `0${value.toString(8)}`;
    case "dirfd":
      return value === -100 ? "AT_FDCWD" : String(value);
    case "path":
      return string(m, value, 256);
    case "str":
      return string(m, value, STRSIZE);
    case "inbuf":
      return buffer(m, value, next);
    case "outbuf":
      return result === undefined || result < 0 ? (value === 0 ? "NULL" : hex(value)) : buffer(m, value, result);
    case "open": {
      const access = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"][value & 3]!;
      const rest = flags(value - (value & 3), OPEN, "");
      return rest === "" ? access : `${access}|${rest}`;
    }
    case "signal":
      return value === 0 ? "0" : signal_name(value);
    case "argv":
      return argv(m, value);
    case "prot":
      return flags(value, PROT, "PROT_NONE");
    case "mmap":
      return flags(value, MMAP, "0");
    case "clone":
      return `${flags(value - (value & 0xff), CLONE, "0")}${(value & 0xff) === 0 ? "" : `|${signal_name(value & 0xff)}`}`;
    case "timespec":
      return timespec(m, value);
    case "sockaddr":
      return sockaddr(m, value);
    case "iovin":
      return iovec(m, value, next, Infinity);
    case "iovout":
      return result === undefined || result < 0 ? argument(m, "ptr", value, next, result) : iovec(m, value, next, result);
    case "wstatus":
      return result === undefined || result <= 0 ? argument(m, "ptr", value, next, result) : wait_status(m, value);
    case "woptions":
      return flags(value >>> 0, WAIT, "0");
    case "ioctl":
      return IOCTLS.get(value) ?? hex(value);
    case "ioctlarg":
      return ioctl_argument(m, before, value, result);
    case "pollfds":
      return pollfds(m, value, next, result);
    case "fdpair":
      return result !== 0 || !readable(m, value, 8) ? argument(m, "ptr", value, next, result) : `[${m.view.getInt32(value, true)}, ${m.view.getInt32(value + 4, true)}]`;
    case "stat":
      return result === 0 ? stat(m, value) : argument(m, "ptr", value, next, result);
    default:
      return String(value);
  }
}

/** `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3`; result undefined: not returned yet (`exit(0) = ?`). */
export function formatSyscall(m: Memory, call: Syscall, args: readonly number[], result: number | Errno | undefined): string {
  const value = typeof result === "number" ? result : undefined;
  const shown = call.kinds.map((k, i) => argument(m, k.show, args[i] ?? 0, args[i + 1] ?? 0, value, args[i - 1] ?? 0));
  const end = result === undefined ? "?" : end_of(result);
  return `${call.name}(${shown.join(", ")}) = ${end}`;
}

const end_of = (result: number | Errno): string => (typeof result === "number" ? (result >= 0x100000 ? hex(result) : String(result)) : `-1 ${result.name}`);

const Hex64: Kind = { width: "u64", show: "hex" };

/** Arguments of calls that are not there, so that they can be written down nevertheless. */
const ABSENT: Readonly<Record<string, readonly Kind[]>> = {
  mprotect: [Ptr, Size, MmapProt], msync: [Ptr, Size, Hex], mincore: [Ptr, Size, Ptr], madvise: [Ptr, Size, Int], ptrace: [Int, Pid, Ptr, Ptr], mlock: [Ptr, Size], munlock: [Ptr, Size],
  mlockall: [Hex], munlockall: [], vhangup: [], adjtimex: [Ptr], acct: [Path], swapon: [Path, Hex], swapoff: [Path], iopl: [Int], ioperm: [ULong, ULong, Int], uselib: [Path],
  modify_ldt: [Int, Ptr, ULong], init_module: [Ptr, ULong, Str], delete_module: [Str, Hex], set_thread_area: [Ptr], get_thread_area: [Ptr], io_setup: [UInt, Ptr], io_destroy: [ULong],
  io_getevents: [ULong, ULong, ULong, Ptr, Ptr], io_submit: [ULong, ULong, Ptr], io_cancel: [ULong, Ptr, Ptr], remap_file_pages: [Ptr, Size, MmapProt, ULong, Hex],
  mbind: [Ptr, Size, Int, Ptr, ULong, Hex], set_mempolicy: [Int, Ptr, ULong], get_mempolicy: [Ptr, Ptr, ULong, Ptr, Hex], add_key: [Str, Str, Ptr, Size, Int], request_key: [Str, Str, Str, Int],
  keyctl: [Int, ULong, ULong, ULong, ULong], perf_event_open: [Ptr, Pid, Int, Fd, Hex], fanotify_init: [Hex, Hex], fanotify_mark: [Fd, Hex, ULong, Fd, Path],
  clock_adjtime: [Int, Ptr], process_vm_readv: [Pid, Ptr, ULong, Ptr, ULong, Hex], process_vm_writev: [Pid, Ptr, ULong, Ptr, ULong, Hex], kcmp: [Pid, Pid, Int, ULong, ULong],
  finit_module: [Fd, Str, Hex], seccomp: [Int, Hex, Ptr], memfd_create: [Str, Hex], bpf: [Int, Ptr, UInt], userfaultfd: [Hex], mlock2: [Ptr, Size, Hex], pkey_mprotect: [Ptr, Size, MmapProt, Int],
  pkey_alloc: [Hex, Hex], pkey_free: [Int], rseq: [Ptr, UInt, Hex, Hex], io_uring_setup: [UInt, Ptr], io_uring_enter: [Fd, UInt, UInt, Hex], io_uring_register: [Fd, UInt, Ptr, UInt],
  open_tree: [Fd, Path, Hex], move_mount: [Fd, Path, Fd, Path, Hex], fsopen: [Str, Hex], fsconfig: [Fd, UInt, Str, Ptr, Int], fsmount: [Fd, Hex, Hex], fspick: [Fd, Path, Hex],
  process_madvise: [Fd, Ptr, ULong, Int, Hex], cachestat: [Fd, Ptr, Ptr, Hex], mseal: [Ptr, Size, Hex], memfd_secret: [Hex], quotactl: [Int, Path, Int, Ptr], name_to_handle_at: [Fd, Path, Ptr, Ptr, Hex],
  open_by_handle_at: [Fd, Ptr, Hex], map_shadow_stack: [Ptr, Size, Hex], landlock_create_ruleset: [Ptr, Size, Hex], afs_syscall: [], security: [], vserver: [], tuxcall: [],
  kexec_load: [ULong, ULong, Ptr, Hex], sysfs: [Int, ULong, ULong], lookup_dcookie: [ULong, Ptr, Size],
};

/** A call that has no body here: with the arguments that Linux would take, or the six registers where that is not known. `raw`: registers as signed numbers. */
export function formatAbsent(m: Memory, name: string, raw: readonly number[], result: number | Errno): string {
  const kinds = ABSENT[name] ?? Array.from({ length: 6 }, () => Hex64);
  const shown = kinds.map((k, i) => {
    const v = raw[i] ?? 0;
    return argument(m, k.show, k.width === "s32" ? v | 0 : k.width === "u32" ? v >>> 0 : v < 0 && k.show !== "int" ? v + 2 ** 64 : v, raw[i + 1] ?? 0, undefined);
  });
  return `${name}(${shown.join(", ")}) = ${end_of(result)}`;
}
