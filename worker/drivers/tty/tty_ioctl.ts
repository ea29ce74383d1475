// drivers/tty/tty_ioctl.ts — ioctls of terminals.  cf. drivers/tty/tty_ioctl.c, tty_io.c
import { EINVAL, EIO, ENOTTY, EPERM } from "../../include/uapi/errno.ts";
import {
  FIONREAD, TCFLSH, TCGETA, TCGETS, TCGETS2, TCSBRK, TCSBRKP, TCSETA, TCSETAF, TCSETAW, TCSETS, TCSETS2, TCSETSF, TCSETSF2, TCSETSW, TCSETSW2, TCXONC, TIOCCBRK,
  TIOCEXCL, TIOCGDEV, TIOCGETD, TIOCGEXCL, TIOCGLCKTRMIOS, TIOCGPGRP, TIOCGPTPEER, TIOCGSID, TIOCGSOFTCAR, TIOCGWINSZ, TIOCNOTTY, TIOCNXCL, TIOCOUTQ, TIOCPKT, TIOCSBRK, TIOCSCTTY, TIOCSETD, TIOCSLCKTRMIOS, TIOCSPGRP, TIOCSSOFTCAR, TIOCSTI,
  TIOCSWINSZ, TIOCVHANGUP,
} from "../../include/uapi/ioctls.ts";
import { SIGWINCH } from "../../include/uapi/signal.ts";
import { CLOCAL, NCCS, VSTART, VSTOP } from "../../include/uapi/termios.ts";
import { CAP_SYS_ADMIN, capable } from "../../kernel/cred.ts";
import { kill_pgrp } from "../../kernel/signal.ts";
import type { Task } from "../../kernel/task.ts";
import { check_read, check_write, get_user_s32, get_user_u16, get_user_u32, get_user_u8, put_user_u16, put_user_u32, put_user_u8 } from "../../kernel/uaccess.ts";
import { flush_write, n_tty_flush_buffer, n_tty_inq, n_tty_set_termios, start_tty, stop_tty, tty_receive } from "./n_tty.ts";
import { no_tty, tiocsctty, tty_check_change, tty_hangup, tty_jobctrl_ioctl } from "./tty_jobctrl.ts";
import { Termios, type TtyStruct, type WinSize } from "./tty_struct.ts";
import type { File } from "../../fs/fs.ts";

const N_TTY = 0;
const NCC = 8;
const CBAUD = 0o10017;
const BOTHER = 0o10000;
/** speeds by the code in c_cflag, from B0; then from B57600 = 0o10001 */
const BAUD = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const BAUD_EX = [0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000];

function baud_rate(cflag: number): number {
  const code = cflag & CBAUD;
  return (code & 0o10000) !== 0 ? BAUD_EX[code & 0o17]! : BAUD[code]!;
}

/** struct ktermios in user memory: termios is 36 bytes, termios2 has two speeds behind it. */
function put_termios(task: Task, addr: number, t: Termios, two: boolean): void {
  const m = task.kernel.mem;
  check_write(m, addr, two ? 44 : 36);
  [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag].forEach((v, i) => put_user_u32(m, addr + 4 * i, v >>> 0));
  put_user_u8(m, addr + 16, t.c_line);
  for (let i = 0; i < NCCS; i++) put_user_u8(m, addr + 17 + i, t.c_cc[i]!);
  if (!two) return;
  put_user_u32(m, addr + 36, t.c_ispeed);
  put_user_u32(m, addr + 40, t.c_ospeed);
}
function get_termios(task: Task, addr: number, old: Termios, kind: "termios" | "termios2" | "termio"): Termios {
  const m = task.kernel.mem;
  const t = old.copy();
  if (kind === "termio") {
    check_read(m, addr, 17);
    const low = (v: number, i: number): number => (v & ~0xffff) | get_user_u16(m, addr + 2 * i);
    t.c_iflag = low(t.c_iflag, 0);
    t.c_oflag = low(t.c_oflag, 1);
    t.c_cflag = low(t.c_cflag, 2);
    t.c_lflag = low(t.c_lflag, 3);
    t.c_line = get_user_u8(m, addr + 8);
    for (let i = 0; i < NCC; i++) t.c_cc[i] = get_user_u8(m, addr + 9 + i);
  } else {
    check_read(m, addr, kind === "termios2" ? 44 : 36);
    t.c_iflag = get_user_u32(m, addr);
    t.c_oflag = get_user_u32(m, addr + 4);
    t.c_cflag = get_user_u32(m, addr + 8);
    t.c_lflag = get_user_u32(m, addr + 12);
    t.c_line = get_user_u8(m, addr + 16);
    t.c_cc = Array.from({ length: NCCS }, (_, i) => get_user_u8(m, addr + 17 + i));
  }
  if (kind === "termios2" && (t.c_cflag & CBAUD) === BOTHER) {
    t.c_ispeed = get_user_u32(m, addr + 36);
    t.c_ospeed = get_user_u32(m, addr + 40);
  } else t.c_ispeed = t.c_ospeed = baud_rate(t.c_cflag);
  return t;
}
function put_termio(task: Task, addr: number, t: Termios): void {
  const m = task.kernel.mem;
  check_write(m, addr, 18);
  [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag].forEach((v, i) => put_user_u16(m, addr + 2 * i, v & 0xffff));
  put_user_u8(m, addr + 8, t.c_line);
  for (let i = 0; i < NCC; i++) put_user_u8(m, addr + 9 + i, t.c_cc[i]!);
}

/** cf. set_termios(). A driver takes its output at once, so there is nothing to drain. */
function set_termios(task: Task, tty: TtyStruct, addr: number, kind: "termios" | "termios2" | "termio", flush: boolean): number {
  tty_check_change(task, tty);
  const old = tty.termios;
  const t = get_termios(task, addr, old, kind);
  if (flush) n_tty_flush_buffer(tty);
  unset_locked_termios(t, old, tty.termios_locked);
  // hardware bits that a pseudo terminal does not have cannot be taken away
  if (tty.driver.kind !== "console") t.c_cflag = (t.c_cflag & ~0o460) | 0o260;
  tty.termios = t;
  n_tty_set_termios(tty, old);
  return 0;
}
/** What TIOCSLCKTRMIOS has locked stays as it was. */
function unset_locked_termios(t: Termios, old: Termios, locked: Termios | undefined): void {
  if (locked === undefined) return;
  const keep = (now: number, was: number, lock: number): number => (now & ~lock) | (was & lock);
  t.c_iflag = keep(t.c_iflag, old.c_iflag, locked.c_iflag);
  t.c_oflag = keep(t.c_oflag, old.c_oflag, locked.c_oflag);
  t.c_cflag = keep(t.c_cflag, old.c_cflag, locked.c_cflag);
  t.c_lflag = keep(t.c_lflag, old.c_lflag, locked.c_lflag);
  if (locked.c_line !== 0) t.c_line = old.c_line;
  t.c_cc = t.c_cc.map((c, i) => (locked.c_cc[i] !== 0 ? old.c_cc[i]! : c));
}
/** Nothing is locked. */
function no_locks(): Termios {
  const t = new Termios();
  t.c_iflag = t.c_oflag = t.c_cflag = t.c_lflag = t.c_ispeed = t.c_ospeed = 0;
  t.c_cc.fill(0);
  return t;
}

/** A new size, told to the foreground group if it is one.  cf. tty_do_resize(), pty_resize() */
export function tty_do_resize(tty: TtyStruct, ws: WinSize): void {
  const w = tty.winsize;
  if (w.row === ws.row && w.col === ws.col && w.xpixel === ws.xpixel && w.ypixel === ws.ypixel) return;
  const groups = new Set([tty.pgrp, tty.link?.pgrp ?? 0]);
  for (const g of groups) if (g !== 0) kill_pgrp(tty.kernel, g, SIGWINCH);
  for (const t of tty.link === undefined ? [tty] : [tty, tty.link]) Object.assign(t.winsize, ws);
}

function tcxonc(task: Task, tty: TtyStruct, arg: number): number {
  tty_check_change(task, tty);
  switch (arg) {
    case 0:
      tty.tco_stopped = true;
      stop_tty(tty);
      return 0;
    case 1:
      // what ^S has stopped stays so
      if (!tty.tco_stopped) return 0;
      tty.tco_stopped = false;
      start_tty(tty);
      return 0;
    case 2:
    case 3: {
      const c = tty.cc(arg === 2 ? VSTOP : VSTART);
      if (c !== 0 && !tty.tco_stopped && tty.driver.write_room(tty) > 0) tty.driver.write(tty, Uint8Array.of(c), 0, 1);
      return 0;
    }
    default:
      throw EINVAL;
  }
}
function tcflsh(task: Task, tty: TtyStruct, arg: number): number {
  tty_check_change(task, tty);
  if (arg < 0 || arg > 2) throw EINVAL;
  if (arg !== 1) {
    tty.flip.clear();
    n_tty_flush_buffer(tty);
  }
  if (arg !== 0) flush_write(tty);
  return 0;
}
function tiocsti(task: Task, tty: TtyStruct, arg: number): number {
  if (!capable(task, CAP_SYS_ADMIN) && task.signal.tty !== tty) throw EPERM;
  tty_receive(tty, Uint8Array.of(get_user_u8(task.kernel.mem, arg)), 0, 1);
  return 0;
}

/** Throws ENOTTY for what no terminal knows.  cf. tty_ioctl(), n_tty_ioctl(), tty_mode_ioctl() */
export function tty_ioctl(task: Task, tty: TtyStruct, file: File, cmd: number, arg: number): number {
  const m = task.kernel.mem;
  // modes asked of a master are the slave's
  const real = tty.driver.kind === "master" ? tty.link! : tty;
  const own = tty.driver.ioctl(tty, file, task, cmd, arg);
  if (own !== undefined) return own;
  switch (cmd) {
    case TCGETS:
      put_termios(task, arg, real.termios, false);
      return 0;
    case TCGETS2:
      put_termios(task, arg, real.termios, true);
      return 0;
    case TCGETA:
      put_termio(task, arg, real.termios);
      return 0;
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
      return set_termios(task, real, arg, "termios", cmd === TCSETSF);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
      return set_termios(task, real, arg, "termios2", cmd === TCSETSF2);
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
      return set_termios(task, real, arg, "termio", cmd === TCSETAF);
    case TIOCGSOFTCAR:
      put_user_u32(m, arg, (real.termios.c_cflag & CLOCAL) !== 0 ? 1 : 0);
      return 0;
    case TIOCSSOFTCAR:
      real.termios.c_cflag = (real.termios.c_cflag & ~CLOCAL) | (get_user_s32(m, arg) !== 0 ? CLOCAL : 0);
      return 0;
    case TIOCGLCKTRMIOS:
      put_termios(task, arg, real.termios_locked ?? no_locks(), false);
      return 0;
    case TIOCSLCKTRMIOS:
      if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
      real.termios_locked = get_termios(task, arg, no_locks(), "termios");
      return 0;
    case TCSBRK:
    case TCSBRKP:
    case TIOCSBRK:
      tty_check_change(task, tty);
      return 0;
    case TIOCCBRK:
      return 0;
    case TCXONC:
      return tcxonc(task, tty, arg);
    case TCFLSH:
      return tcflsh(task, tty, arg);
    case TIOCEXCL:
      tty.exclusive = true;
      return 0;
    case TIOCNXCL:
      tty.exclusive = false;
      return 0;
    case TIOCGEXCL:
      put_user_u32(m, arg, tty.exclusive ? 1 : 0);
      return 0;
    case TIOCSCTTY:
      return tiocsctty(task, real, file, arg);
    case TIOCNOTTY:
      return no_tty(task, tty);
    case TIOCGPGRP:
      return tty_jobctrl_ioctl(task, tty, real, "getpgrp", arg);
    case TIOCSPGRP:
      return tty_jobctrl_ioctl(task, tty, real, "setpgrp", arg);
    case TIOCGSID:
      return tty_jobctrl_ioctl(task, tty, real, "getsid", arg);
    case TIOCOUTQ:
      put_user_u32(m, arg, 0);
      return 0;
    case FIONREAD:
      put_user_u32(m, arg, n_tty_inq(tty));
      return 0;
    case TIOCSTI:
      return tiocsti(task, tty, arg);
    case TIOCGWINSZ: {
      const w = tty.winsize;
      check_write(m, arg, 8);
      [w.row, w.col, w.xpixel, w.ypixel].forEach((v, i) => put_user_u16(m, arg + 2 * i, v));
      return 0;
    }
    case TIOCSWINSZ:
      check_read(m, arg, 8);
      tty_do_resize(tty, { row: get_user_u16(m, arg), col: get_user_u16(m, arg + 2), xpixel: get_user_u16(m, arg + 4), ypixel: get_user_u16(m, arg + 6) });
      return 0;
    case TIOCGPTPEER:
      throw EIO;
    case TIOCPKT:
      if (tty.driver.kind !== "master") throw ENOTTY;
      if (get_user_s32(m, arg) === 0) tty.packet = false;
      else if (!tty.packet) {
        tty.link!.pktstatus = 0;
        tty.packet = true;
      }
      return 0;
    case TIOCGETD:
      put_user_u32(m, arg, N_TTY);
      return 0;
    case TIOCSETD:
      tty_check_change(task, tty);
      if (get_user_s32(m, arg) !== N_TTY) throw EINVAL;
      return 0;
    case TIOCVHANGUP:
      if (!capable(task, CAP_SYS_ADMIN)) throw EPERM;
      tty_hangup(tty, false);
      return 0;
    case TIOCGDEV:
      put_user_u32(m, arg, real.dev_nr());
      return 0;
    default:
      throw ENOTTY;
  }
}

