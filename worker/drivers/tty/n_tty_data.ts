// drivers/tty/n_tty_data.ts — the line discipline's buffers, and how characters go out: columns, echo.  cf. drivers/tty/n_tty.c
import {
  IUTF8, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, TABDLY,
} from "../../include/uapi/termios.ts";
import { iscntrl, toupper } from "../../lib/ctype.ts";
import { EchoBuffer, N_TTY_BUF_SIZE } from "./n_tty_echo.ts";
import type { TtyStruct } from "./tty_struct.ts";

const BS = 8;
const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

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
  readonly echo: EchoBuffer = new EchoBuffer();

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
  /** Forgets what was typed. */
  reset_buffer_flags(): void {
    this.read_head = this.read_tail = this.canon_head = 0;
    this.erasing = false;
    this.clear_marks();
  }
  /** The same, and echo that waits. */
  reset(): void {
    this.reset_buffer_flags();
    this.lnext = false;
    this.echo.clear();
  }

  is_continuation(tty: TtyStruct, c: number): boolean {
    return tty.iflag(IUTF8) && is_utf8_cont(c);
  }

  /** Bytes that `c` becomes on its way out, appended to `out` if it then is not longer than `space`; keeps count of columns.  cf. do_output_char() */
  output_char(tty: TtyStruct, c: number, out: number[], space: number): boolean {
    const { column, canon_column } = this;
    const length = out.length;
    this.append_char(tty, c, out);
    if (out.length <= space) return true;
    out.length = length;
    this.column = column;
    this.canon_column = canon_column;
    return false;
  }
  private append_char(tty: TtyStruct, c: number, out: number[]): void {
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
        if (tty.oflag(OLCUC)) c = toupper(c);
        if (!this.is_continuation(tty, c)) this.column++;
    }
    out.push(c);
  }
}
