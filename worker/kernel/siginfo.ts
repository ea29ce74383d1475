// kernel/siginfo.ts — siginfo_t in user memory.  cf. include/uapi/asm-generic/siginfo.h, kernel/signal.c siginfo_layout()
import { SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGIO, SIGSEGV, SIGSYS, SIGTRAP, SI_KERNEL, SI_SIGIO, SI_TIMER, SI_USER } from "../include/uapi/signal.ts";
import type { SigInfo } from "./signal_types.ts";
import { check_read, check_write, type Memory } from "./uaccess.ts";

export const SIGINFO_SIZE = 128;
/** POLL_IN to POLL_HUP: what a file says by whatever signal F_SETSIG chose */
const NSIGPOLL = 6;

type Layout = "kill" | "timer" | "poll" | "fault" | "chld" | "rt" | "sys";

function siginfo_layout(sig: number, code: number): Layout {
  if (code > SI_USER && code < SI_KERNEL) {
    if (sig === SIGILL || sig === SIGFPE || sig === SIGSEGV || sig === SIGBUS || sig === SIGTRAP) return "fault";
    if (sig === SIGCHLD) return "chld";
    if (sig === SIGIO) return "poll";
    if (sig === SIGSYS) return "sys";
    if (code <= NSIGPOLL) return "poll";
    return "kill";
  }
  if (code === SI_TIMER) return "timer";
  if (code === SI_SIGIO) return "poll";
  return code < 0 ? "rt" : "kill";
}

/** Writes all 128 bytes at byte `at` of `view`. */
export function write_siginfo(view: DataView, at: number, info: SigInfo): void {
  for (let i = 0; i < SIGINFO_SIZE; i += 4) view.setUint32(at + i, 0);
  const u32 = (off: number, v: number | undefined): void => view.setUint32(at + off, (v ?? 0) >>> 0, true);
  const u64 = (off: number, v: number | undefined): void => {
    u32(off, v);
    u32(off + 4, Math.floor((v ?? 0) / 0x100000000));
  };
  u32(0, info.signo);
  u32(4, info.errno);
  u32(8, info.code);
  switch (siginfo_layout(info.signo, info.code)) {
    case "kill":
      u32(16, info.pid);
      u32(20, info.uid);
      break;
    case "timer":
      u32(16, info.tid);
      u32(20, info.overrun);
      u32(24, info.value_lo);
      u32(28, info.value_hi);
      break;
    case "rt":
      u32(16, info.pid);
      u32(20, info.uid);
      u32(24, info.value_lo);
      u32(28, info.value_hi);
      break;
    case "chld":
      u32(16, info.pid);
      u32(20, info.uid);
      u32(24, info.status);
      u64(32, info.utime);
      u64(40, info.stime);
      break;
    case "fault":
      u64(16, info.addr);
      u32(24, info.trapno);
      break;
    case "poll":
      u64(16, info.band);
      u32(24, info.fd);
      break;
    case "sys":
      u64(16, info.call_addr);
      u32(24, info.syscall);
      u32(28, info.arch);
      break;
  }
}

/** Throws EFAULT. */
export function copy_siginfo_to_user(m: Memory, addr: number, info: SigInfo): void {
  check_write(m, addr, SIGINFO_SIZE);
  write_siginfo(m.view, addr, info);
}

/** What rt_sigqueueinfo is given. Throws EFAULT. */
export function copy_siginfo_from_user(m: Memory, addr: number): SigInfo {
  check_read(m, addr, SIGINFO_SIZE);
  const v = m.view;
  const u32 = (off: number): number => v.getUint32(addr + off, true);
  const i32 = (off: number): number => v.getInt32(addr + off, true);
  const info: SigInfo = { signo: i32(0), errno: i32(4), code: i32(8) };
  switch (siginfo_layout(info.signo, info.code)) {
    case "timer":
      info.tid = i32(16);
      info.overrun = i32(20);
      break;
    case "poll":
      info.band = u32(16);
      info.fd = i32(24);
      return info;
    default:
      info.pid = i32(16);
      info.uid = u32(20);
  }
  info.value_lo = u32(24);
  info.value_hi = u32(28);
  return info;
}
