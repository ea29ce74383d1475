// drivers/tty/n_tty.ts — the line discipline: lines, erasing, echo, signals from keys, flow control; read and write.  cf. drivers/tty/n_tty.c
import { EAGAIN, EIO } from "../../include/uapi/errno.ts";
import { O_NONBLOCK } from "../../include/uapi/fcntl.ts";
import { SIGINT, SIGQUIT, SIGTSTP, SIGTTIN } from "../../include/uapi/signal.ts";
import { TIOCPKT_DATA, TIOCPKT_DOSTOP, TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_IOCTL, TIOCPKT_NOSTOP, TIOCPKT_START, TIOCPKT_STOP } from "../../include/uapi/ioctls.ts";
import {
  DISABLED_CHAR, ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ECHOPRT, EXTPROC, ICANON, ICRNL, IEXTEN, IGNCR, INLCR, ISIG, ISTRIP, IUCLC, IXANY, IXON,
  NOFLSH, OPOST, PARMRK, TOSTOP, VEOF, VEOL, VEOL2, VERASE, VINTR, VKILL, VLNEXT, VMIN, VQUIT, VREPRINT, VSTART, VSTOP, VSUSP, VTIME, VWERASE,
} from "../../include/uapi/termios.ts";
import { POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from "../../fs/fs.ts";
import { kill_pgrp } from "../../kernel/signal.ts";
import { sleep_on, type WaitQueue } from "../../kernel/sched/wait.ts";
import { restart_state, type Task } from "../../kernel/task.ts";
import { isalnum, iscntrl, tolower } from "../../lib/ctype.ts";
import type { NTty } from "./n_tty_data.ts";
import { N_TTY_BUF_SIZE } from "./n_tty_echo.ts";
import { tty_check_change } from "./tty_jobctrl.ts";
import type { TtyFilePrivate } from "./tty_io.ts";
import type { Termios, TtyStruct } from "./tty_struct.ts";

const BS = 8;
const TAB = 9;
const LF = 10;
const CR = 13;
const SLASH = 0x2f;
const UNDERSCORE = 0x5f;
const TENTH = 100_000_000;
/** input processing is needed at all */
const FANCY_IFLAG = ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK;
const FANCY_LFLAG = ICANON | ISIG | ECHO;
/** bytes made before the driver is asked for room again */
const CHUNK = 2048;

// --- flow control
export function stop_tty(tty: TtyStruct): void {
  if (tty.stopped) return;
  tty.stopped = true;
  packet_status(tty, TIOCPKT_STOP, TIOCPKT_START);
}
export function start_tty(tty: TtyStruct): void {
  if (!tty.stopped || tty.tco_stopped) return;
  tty.stopped = false;
  packet_status(tty, TIOCPKT_START, TIOCPKT_STOP);
  tty.write_wait.wake_up();
}
/** What was echoed until now goes out, before anything stops it again. */
function start_and_echo(tty: TtyStruct): void {
  start_tty(tty);
  tty.ldata.echo.process(tty);
}
/** Something that a master in packet mode is told. */
function packet_status(tty: TtyStruct, set: number, clear: number): void {
  const master = tty.link;
  if (master === undefined || !master.packet) return;
  tty.pktstatus = (tty.pktstatus & ~clear) | set;
  master.read_wait.wake_up();
}
/** Drops input that was processed and not read. What the line discipline had no room for comes in now (flush_to_ldisc), unless it is dropped, too.  cf. n_tty_flush_buffer() */
export function n_tty_flush_buffer(tty: TtyStruct): void {
  tty.ldata.reset_buffer_flags();
  packet_status(tty, TIOCPKT_FLUSHREAD, 0);
  tty.driver.unthrottle(tty);
}
export function flush_write(tty: TtyStruct): void {
  tty.driver.flush_buffer(tty);
  packet_status(tty, TIOCPKT_FLUSHWRITE, 0);
  tty.write_wait.wake_up();
}

// --- input
/** Bytes arrive from the line: those that the line discipline has room for are processed now. */
export function tty_receive(tty: TtyStruct, buf: Uint8Array, off: number, len: number): void {
  tty.flip.put(buf, off, len);
  flush_to_ldisc(tty);
}
export function flush_to_ldisc(tty: TtyStruct): void {
  const { flip, ldata } = tty;
  const fancy = (tty.termios.c_iflag & FANCY_IFLAG) !== 0 || (tty.termios.c_lflag & FANCY_LFLAG) !== 0;
  while (flip.length > 0) {
    const free = N_TTY_BUF_SIZE - ldata.read_cnt;
    const room = (tty.iflag(PARMRK) ? Math.ceil(free / 3) : free) - 1;
    if (room <= 0) {
      // an overlong line: its last character is overwritten until something ends it
      if (!ldata.icanon || ldata.canon_head !== ldata.read_tail) break;
      if (room < 0) ldata.read_head--;
    }
    const c = flip.first();
    flip.drop(1);
    if (fancy) {
      receive_fancy(tty, c);
      ldata.echo.commit(tty);
    }
    else ldata.put(c);
  }
  if (fancy) ldata.echo.flush(tty);
  if ((!ldata.icanon || tty.lflag(EXTPROC)) && ldata.read_cnt > 0) input_ready(tty);
}
function input_ready(tty: TtyStruct): void {
  for (const f of tty.files) f.kill_fasync();
  tty.read_wait.wake_up();
}

function receive_fancy(tty: TtyStruct, c: number): void {
  const { ldata } = tty;
  if (tty.lflag(EXTPROC) && !tty.iflag(ISTRIP) && !(tty.iflag(IUCLC) && tty.lflag(IEXTEN))) return ldata.put(c);
  if (tty.iflag(ISTRIP)) c &= 0x7f;
  if (tty.iflag(IUCLC) && tty.lflag(IEXTEN)) c = tolower(c);
  if (ldata.lnext) {
    ldata.lnext = false;
    receive_char(tty, c);
  } else if (tty.lflag(EXTPROC)) ldata.put(c);
  else receive_special(tty, c);
}
/** A character that means itself.  cf. n_tty_receive_char() */
function receive_char(tty: TtyStruct, c: number): void {
  const { ldata } = tty;
  if (tty.stopped && !tty.tco_stopped && tty.iflag(IXON) && tty.iflag(IXANY)) start_and_echo(tty);
  if (tty.lflag(ECHO)) {
    finish_erasing(ldata);
    if (ldata.canon_head === ldata.read_head) ldata.echo.set_canon_col();
    ldata.echo.char(tty, c);
  }
  if (c === 0xff && tty.iflag(PARMRK)) ldata.put(c);
  ldata.put(c);
}
function finish_erasing(ldata: NTty): void {
  if (!ldata.erasing) return;
  ldata.echo.char_raw(SLASH);
  ldata.erasing = false;
}
function signal_char(tty: TtyStruct, sig: number, c: number): void {
  const { ldata } = tty;
  if (!tty.lflag(NOFLSH)) {
    ldata.reset();
    flush_write(tty);
    packet_status(tty, TIOCPKT_FLUSHREAD, 0);
  }
  if (tty.pgrp !== 0) kill_pgrp(tty.kernel, tty.pgrp, sig);
  if (tty.iflag(IXON)) start_tty(tty);
  if (tty.lflag(ECHO)) ldata.echo.char(tty, c);
  else ldata.echo.process(tty);
}
function receive_special(tty: TtyStruct, c: number): void {
  const { ldata } = tty;
  const iexten = tty.lflag(IEXTEN);
  const typed = c;
  const is = (which: number): boolean => c !== DISABLED_CHAR && c === tty.cc(which);
  if (tty.iflag(IXON)) {
    if (is(VSTART)) return start_and_echo(tty);
    if (is(VSTOP)) return stop_tty(tty);
  }
  if (tty.lflag(ISIG)) {
    if (is(VINTR)) return signal_char(tty, SIGINT, c);
    if (is(VQUIT)) return signal_char(tty, SIGQUIT, c);
    if (is(VSUSP)) return signal_char(tty, SIGTSTP, c);
  }
  if (tty.stopped && !tty.tco_stopped && tty.iflag(IXON) && tty.iflag(IXANY)) start_and_echo(tty);
  if (c === CR) {
    if (tty.iflag(IGNCR)) return;
    if (tty.iflag(ICRNL)) c = LF;
  } else if (c === LF && tty.iflag(INLCR)) c = CR;
  const echo = tty.lflag(ECHO);
  if (ldata.icanon) {
    if (is(VERASE) || is(VKILL) || (iexten && is(VWERASE))) return eraser(tty, c);
    if (iexten && is(VLNEXT)) {
      ldata.lnext = true;
      if (echo) {
        finish_erasing(ldata);
        if (tty.lflag(ECHOCTL)) {
          ldata.echo.char_raw(0x5e);
          ldata.echo.char_raw(BS);
        }
      }
      return;
    }
    if (iexten && echo && is(VREPRINT)) {
      finish_erasing(ldata);
      ldata.echo.char(tty, c);
      ldata.echo.char_raw(LF);
      for (let p = ldata.canon_head; p < ldata.read_head; p++) ldata.echo.char(tty, ldata.at(p));
      return;
    }
    if (c === LF) {
      if (echo || tty.lflag(ECHONL)) ldata.echo.char_raw(LF);
      return line_complete(tty, c);
    }
    if (is(VEOF)) return line_complete(tty, DISABLED_CHAR);
    if (is(VEOL) || (iexten && is(VEOL2))) {
      if (echo) {
        if (ldata.canon_head === ldata.read_head) ldata.echo.set_canon_col();
        ldata.echo.char(tty, c);
      }
      if (c === 0xff && tty.iflag(PARMRK)) ldata.put(c);
      return line_complete(tty, c);
    }
  }
  if (echo) {
    finish_erasing(ldata);
    // a newline that was typed as such means nothing special without lines
    if (c === LF && typed === CR) ldata.echo.char_raw(LF);
    else {
      if (ldata.canon_head === ldata.read_head) ldata.echo.set_canon_col();
      ldata.echo.char(tty, c);
    }
  }
  if (c === 0xff && tty.iflag(PARMRK)) ldata.put(c);
  ldata.put(c);
}
function line_complete(tty: TtyStruct, c: number): void {
  const { ldata } = tty;
  const end = ldata.read_head;
  ldata.put(c);
  ldata.mark_line_end(end);
  ldata.canon_head = ldata.read_head;
  input_ready(tty);
}

/** ERASE, KILL, WERASE.  cf. eraser() */
function eraser(tty: TtyStruct, c: number): void {
  const { ldata } = tty;
  const echo = tty.lflag(ECHO);
  if (ldata.read_head === ldata.canon_head) return;
  let kind: "erase" | "werase" | "kill" = "kill";
  if (c === tty.cc(VERASE)) kind = "erase";
  else if (c === tty.cc(VWERASE)) kind = "werase";
  else {
    if (!echo) {
      ldata.read_head = ldata.canon_head;
      return;
    }
    if (!tty.lflag(ECHOK) || !tty.lflag(ECHOKE) || !tty.lflag(ECHOE)) {
      ldata.read_head = ldata.canon_head;
      finish_erasing(ldata);
      ldata.echo.char(tty, tty.cc(VKILL));
      if (tty.lflag(ECHOK)) ldata.echo.char_raw(LF);
      return;
    }
  }
  let seen_alnum = false;
  while (ldata.read_head !== ldata.canon_head) {
    let head = ldata.read_head;
    do c = ldata.at(--head);
    while (ldata.is_continuation(tty, c) && head !== ldata.canon_head);
    // half a character is left alone
    if (ldata.is_continuation(tty, c)) break;
    if (kind === "werase") {
      if (isalnum(c) || c === UNDERSCORE) seen_alnum = true;
      else if (seen_alnum) break;
    }
    const bytes = ldata.read_head - head;
    ldata.read_head = head;
    if (echo) echo_erased(tty, c, head, bytes, kind);
    if (kind === "erase") break;
  }
  if (ldata.read_head === ldata.canon_head && echo) finish_erasing(ldata);
}
function echo_erased(tty: TtyStruct, c: number, head: number, bytes: number, kind: string): void {
  const { ldata } = tty;
  if (tty.lflag(ECHOPRT)) {
    if (!ldata.erasing) {
      ldata.echo.char_raw(0x5c);
      ldata.erasing = true;
    }
    ldata.echo.char(tty, c);
    for (let i = 1; i < bytes; i++) {
      ldata.echo.char_raw(ldata.at(head + i));
      ldata.echo.move_back_col();
    }
  } else if (kind === "erase" && !tty.lflag(ECHOE)) ldata.echo.char(tty, tty.cc(VERASE));
  else if (c === TAB) {
    let num_chars = 0;
    let after_tab = false;
    for (let p = ldata.read_head; p !== ldata.canon_head; ) {
      const d = ldata.at(--p);
      if (d === TAB) {
        after_tab = true;
        break;
      }
      if (iscntrl(d)) num_chars += tty.lflag(ECHOCTL) ? 2 : 0;
      else if (!ldata.is_continuation(tty, d)) num_chars++;
    }
    ldata.echo.erase_tab(num_chars, after_tab);
  } else {
    const times = iscntrl(c) ? (tty.lflag(ECHOCTL) ? 2 : 0) : 1;
    for (let i = 0; i < times; i++) for (const b of [BS, 32, BS]) ldata.echo.char_raw(b);
  }
}

// --- reading
export function input_available(tty: TtyStruct, poll = false): boolean {
  const { ldata } = tty;
  if (ldata.icanon && !tty.lflag(EXTPROC)) return ldata.canon_head !== ldata.read_tail;
  return ldata.read_cnt >= (poll && tty.cc(VTIME) === 0 && tty.cc(VMIN) > 0 ? tty.cc(VMIN) : 1);
}
/** Bytes that a read could take now.  cf. inq_canon() */
export function n_tty_inq(tty: TtyStruct): number {
  const { ldata } = tty;
  if (!ldata.icanon || tty.lflag(EXTPROC)) return ldata.read_cnt;
  let n = ldata.canon_head - ldata.read_tail;
  for (let p = ldata.read_tail; p !== ldata.canon_head; p++) if (ldata.line_ends(p) && ldata.at(p) === DISABLED_CHAR) n--;
  return n;
}
/** At most one line. The mark of an end of file right behind what was asked for goes with it. */
function copy_line(tty: TtyStruct, buf: Uint8Array, off: number, len: number): number {
  const { ldata } = tty;
  let n = 0;
  while (ldata.read_tail !== ldata.canon_head) {
    const p = ldata.read_tail;
    const c = ldata.at(p);
    const end = ldata.line_ends(p);
    const eof = end && c === DISABLED_CHAR;
    if (n === len && !eof) break;
    ldata.read_tail++;
    if (!eof) buf[off + n++] = c;
    if (end) break;
  }
  return n;
}
function copy_raw(tty: TtyStruct, buf: Uint8Array, off: number, len: number): number {
  const { ldata } = tty;
  const n = Math.min(len, ldata.read_cnt);
  for (let i = 0; i < n; i++) buf[off + i] = ldata.at(ldata.read_tail + i);
  ldata.read_tail += n;
  if (ldata.canon_head < ldata.read_tail) ldata.canon_head = ldata.read_tail;
  return n;
}
interface ReadState {
  done: number;
  /** absolute ns; Infinity: none. -1: not begun */
  deadline: number;
}

/** read(2). Throws EIO, EAGAIN, ERESTARTSYS. */
export function n_tty_read(task: Task, tty: TtyStruct, priv: TtyFilePrivate, buf: Uint8Array, off: number, len: number): number {
  if (!priv.console) tty_check_change(task, tty, SIGTTIN);
  if (len === 0) return 0;
  const st = restart_state<ReadState>(task, () => ({ done: 0, deadline: -1 }));
  const now = task.kernel.time.monotonic();
  const canon = tty.ldata.icanon;
  const vmin = canon ? 0 : tty.cc(VMIN);
  const vtime = canon ? 0 : tty.cc(VTIME) * TENTH;
  const minimum = vmin > 0 ? vmin : 1;
  if (st.deadline < 0) st.deadline = canon || vmin > 0 ? Infinity : now + vtime;
  for (;;) {
    const { link } = tty;
    if (tty.packet && link !== undefined && link.pktstatus !== 0 && st.done === 0) {
      buf[off] = link.pktstatus;
      link.pktstatus = 0;
      return 1;
    }
    if (!input_available(tty)) flush_to_ldisc(tty);
    if (!input_available(tty)) {
      if (tty.other_closed) {
        if (st.done > 0) return st.done;
        throw EIO;
      }
      if (priv.hung_up || now >= st.deadline) return st.done;
      if (st.done > 0 && task.signal_pending()) return st.done;
      if ((priv.file.f_flags & O_NONBLOCK) !== 0) {
        if (st.done > 0) return st.done;
        throw EAGAIN;
      }
      sleep_on(task, [tty.read_wait], { until: st.deadline });
    }
    let at = off + st.done;
    let left = len - st.done;
    if (tty.packet && st.done === 0) {
      buf[at++] = TIOCPKT_DATA;
      left--;
      st.done++;
    }
    const n = tty.ldata.icanon && !tty.lflag(EXTPROC) ? copy_line(tty, buf, at, left) : copy_raw(tty, buf, at, left);
    st.done += n;
    took_input(tty);
    if (canon || st.done >= minimum || st.done >= len) return st.done;
    if (vtime > 0) st.deadline = now + vtime;
  }
}
function took_input(tty: TtyStruct): void {
  if (tty.flip.length > 0) flush_to_ldisc(tty);
  tty.driver.unthrottle(tty);
}

// --- writing
/** write(2). Throws EIO, EAGAIN, ERESTARTSYS. */
export function n_tty_write(task: Task, tty: TtyStruct, priv: TtyFilePrivate, buf: Uint8Array, off: number, len: number): number {
  if (tty.lflag(TOSTOP) && !priv.console) tty_check_change(task, tty);
  const st = restart_state(task, () => ({ done: 0 }));
  const { ldata, driver } = tty;
  const opost = tty.oflag(OPOST);
  ldata.echo.process(tty);
  while (st.done < len) {
    // a master may write to a slave that nobody has open: it is there for the next one
    if (priv.hung_up || (tty.link !== undefined && tty.link.count === 0 && driver.kind !== "master")) {
      if (st.done > 0) return st.done;
      throw EIO;
    }
    const room = tty.stopped ? 0 : driver.write_room(tty);
    const before = st.done;
    if (room > 0 && !opost) {
      const n = Math.min(room, len - st.done);
      driver.write(tty, buf, off + st.done, n);
      st.done += n;
    } else if (room > 0) {
      const out: number[] = [];
      while (st.done < len && out.length < CHUNK && ldata.output_char(tty, buf[off + st.done]!, out, room)) st.done++;
      if (out.length > 0) driver.write(tty, Uint8Array.from(out), 0, out.length);
    }
    if (st.done > before) continue;
    if (st.done > 0 && task.signal_pending()) return st.done;
    if ((priv.file.f_flags & O_NONBLOCK) !== 0) {
      if (st.done > 0) return st.done;
      throw EAGAIN;
    }
    sleep_on(task, [tty.write_wait]);
  }
  return st.done;
}

export function n_tty_poll(tty: TtyStruct, priv: TtyFilePrivate, queues: WaitQueue[] | undefined): number {
  queues?.push(tty.read_wait, tty.write_wait);
  let mask = 0;
  if (!input_available(tty, true)) flush_to_ldisc(tty);
  if (input_available(tty, true)) mask |= POLLIN | POLLRDNORM;
  if (tty.packet && tty.link !== undefined && tty.link.pktstatus !== 0) mask |= POLLPRI | POLLIN | POLLRDNORM;
  if (tty.other_closed || priv.hung_up) mask |= POLLHUP;
  if (!tty.stopped && tty.driver.write_room(tty) > 0) mask |= POLLOUT | POLLWRNORM;
  return mask;
}

/** New modes: lines are joined or cut anew when ICANON changes.  cf. n_tty_set_termios() */
export function n_tty_set_termios(tty: TtyStruct, old: Termios): void {
  const { ldata } = tty;
  if (((old.c_lflag ^ tty.termios.c_lflag) & (ICANON | EXTPROC)) !== 0) {
    ldata.clear_marks();
    if (!tty.lflag(ICANON) || ldata.read_cnt === 0) ldata.canon_head = ldata.read_tail;
    else {
      ldata.mark_line_end(ldata.read_head - 1);
      ldata.canon_head = ldata.read_head;
    }
    ldata.erasing = ldata.lnext = false;
  }
  ldata.icanon = tty.lflag(ICANON);
  if (!tty.iflag(IXON) && (old.c_iflag & IXON) !== 0 && !tty.tco_stopped) start_tty(tty);
  const stops = (t: Termios): boolean => (t.c_iflag & IXON) !== 0 && t.c_cc[VSTOP] === 0x13 && t.c_cc[VSTART] === 0x11;
  if (stops(old) !== stops(tty.termios)) packet_status(tty, stops(tty.termios) ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
  if (((old.c_lflag | tty.termios.c_lflag) & EXTPROC) !== 0) packet_status(tty, TIOCPKT_IOCTL, 0);
  flush_to_ldisc(tty);
  tty.write_wait.wake_up();
  tty.read_wait.wake_up();
}
