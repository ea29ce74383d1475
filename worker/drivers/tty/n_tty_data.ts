// drivers/tty/n_tty_data.ts — the line discipline's buffers, and how characters go out: columns, echo.  cf. drivers/tty/n_tty.c
import {
  ECHOCTL, ECHOPRT, IUTF8, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, TABDLY,
} from "../../include/uapi/termios.ts";
import type { TtyStruct } from "./tty_struct.ts";

export const N_TTY_BUF_SIZE = 4096;
const BS = 8;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
/** echo that waits for room; what comes on top is lost, as it is in Linux */
const ECHO_LIMIT = 4096;

export const iscntrl = (c: number): boolean => c < 32 || c === 127;
const is_utf8_cont = (c: number): boolean => (c & 0xc0) === 0x80;

/** Positions count up for ever; `& (N_TTY_BUF_SIZE - 1)` gives the place in the ring. */
export class NTty {
  private readonly read_buf: Uint8Array = new Uint8Array(N_TTY_BUF_SIZE);
  /** 1 where a line ends: newline, EOL, or the place of an end of file */
  private readonly read_flags: Uint8Array = new Uint8Array(N_TTY_BUF_SIZE);
  read_head = 0;
  read_tail = 0;
  /** end of the last complete line */
  canon_head = 0;
  icanon = true;
  /** next character is taken literally (^V) */
  lnext = false;
  /** inside an ECHOPRT erasure */
  erasing = false;
  column = 0;
  canon_column = 0;
  /** echo that found no room */
  private echo_held: number[] = [];

  at(pos: number): number {
    return this.read_buf[pos & (N_TTY_BUF_SIZE - 1)]!;
  }
  line_ends(pos: number): boolean {
    return this.read_flags[pos & (N_TTY_BUF_SIZE - 1)] === 1;
  }
  get read_cnt(): number {
    return this.read_head - this.read_tail;
  }
  put(c: number): void {
    this.read_buf[this.read_head & (N_TTY_BUF_SIZE - 1)] = c;
    this.read_flags[this.read_head & (N_TTY_BUF_SIZE - 1)] = 0;
    this.read_head++;
  }
  mark_line_end(pos: number): void {
    this.read_flags[pos & (N_TTY_BUF_SIZE - 1)] = 1;
  }
  clear_marks(): void {
    this.read_flags.fill(0);
  }
  reset(): void {
    this.read_head = this.read_tail = this.canon_head = 0;
    this.erasing = this.lnext = false;
    this.clear_marks();
    this.echo_held = [];
  }

  is_continuation(tty: TtyStruct, c: number): boolean {
    return tty.iflag(IUTF8) && is_utf8_cont(c);
  }

  /** Bytes that `c` becomes on its way out, appended to `out`; keeps count of columns.  cf. do_output_char() */
  output_char(tty: TtyStruct, c: number, out: number[]): void {
    switch (c) {
      case LF:
        if (tty.oflag(ONLRET)) this.column = 0;
        if (tty.oflag(ONLCR)) {
          this.canon_column = this.column = 0;
          out.push(CR, LF);
          return;
        }
        this.canon_column = this.column;
        break;
      case CR:
        if (tty.oflag(ONOCR) && this.column === 0) return;
        if (tty.oflag(OCRNL)) {
          c = LF;
          if (tty.oflag(ONLRET)) this.canon_column = this.column = 0;
          break;
        }
        this.canon_column = this.column = 0;
        break;
      case TAB: {
        const spaces = 8 - (this.column & 7);
        this.column += spaces;
        if ((tty.termios.c_oflag & TABDLY) !== TABDLY) break;
        for (let i = 0; i < spaces; i++) out.push(SPACE);
        return;
      }
      case BS:
        if (this.column > 0) this.column--;
        break;
      default:
        if (iscntrl(c)) break;
        if (tty.oflag(OLCUC) && c >= 97 && c <= 122) c -= 32;
        if (!this.is_continuation(tty, c)) this.column++;
    }
    out.push(c);
  }

  // --- echo
  /** As it is, but through output processing. */
  echo_char_raw(tty: TtyStruct, c: number, out: number[]): void {
    if (tty.oflag(OPOST)) this.output_char(tty, c, out);
    else out.push(c);
  }
  /** A control character becomes ^X under ECHOCTL. */
  echo_char(tty: TtyStruct, c: number, out: number[]): void {
    if (tty.lflag(ECHOCTL) && iscntrl(c) && c !== TAB) {
      this.column += 2;
      out.push(0x5e, c ^ 0x40);
    } else this.echo_char_raw(tty, c, out);
  }
  /** Backspaces over a tab. `num_chars`: columns since the tab before it, or (not `after_tab`) since the line began. */
  echo_erase_tab(num_chars: number, after_tab: boolean, out: number[]): void {
    const from = after_tab ? num_chars : num_chars + this.canon_column;
    for (let n = 8 - (from & 7); n > 0; n--) {
      out.push(BS);
      if (this.column > 0) this.column--;
    }
  }
  finish_erasing(tty: TtyStruct, out: number[]): void {
    if (!this.erasing) return;
    if (tty.lflag(ECHOPRT)) this.echo_char_raw(tty, 0x2f, out);
    this.erasing = false;
  }
  /** Where the line that is being typed begins. */
  set_canon_col(): void {
    this.canon_column = this.column;
  }
  /** Sends echo, as far as there is room; the rest waits.  cf. commit_echoes() */
  commit_echoes(tty: TtyStruct, out: number[]): void {
    if (this.echo_held.length > 0) {
      this.echo_held.push(...out.slice(0, ECHO_LIMIT - this.echo_held.length));
      this.process_echoes(tty);
      return;
    }
    if (out.length === 0) return;
    const room = tty.stopped ? 0 : tty.driver.write_room(tty);
    const n = Math.min(room, out.length);
    if (n > 0) tty.driver.write(tty, Uint8Array.from(n === out.length ? out : out.slice(0, n)), 0, n);
    if (n < out.length) this.echo_held = out.slice(n, n + ECHO_LIMIT);
  }
  /** Sends what waits.  cf. process_echoes() */
  process_echoes(tty: TtyStruct): void {
    if (this.echo_held.length === 0 || tty.stopped) return;
    const n = Math.min(tty.driver.write_room(tty), this.echo_held.length);
    if (n === 0) return;
    const part = this.echo_held.slice(0, n);
    this.echo_held = this.echo_held.slice(n);
    tty.driver.write(tty, Uint8Array.from(part), 0, n);
  }
}
