// drivers/tty/n_tty_echo.ts — echo that is on its way out: characters, and what to do with the column when their turn comes.  cf. drivers/tty/n_tty.c
import { ECHO, ECHOCTL, ECHONL, OPOST } from "../../include/uapi/termios.ts";
import { iscntrl } from "../../lib/ctype.ts";
import type { NTty } from "./n_tty_data.ts";
import type { TtyStruct } from "./tty_struct.ts";

export const N_TTY_BUF_SIZE = 4096;
const BS = 8;
const TAB = 9;
/** Before a control character that is shown as ^X, before itself, or before one of the three below. */
const ECHO_OP_START = 0xff;
const ECHO_OP_MOVE_BACK_COL = 0x80;
const ECHO_OP_SET_CANON_COL = 0x81;
/** one more byte: columns modulo eight, AFTER_TAB */
const ECHO_OP_ERASE_TAB = 0x82;
const AFTER_TAB = 0x80;
/** Echo is sent at the end of what was received, or when it has grown by a block. */
const ECHO_BLOCK = 256;
/** What finds no room is kept up to here; then the oldest of it is lost. */
const ECHO_DISCARD_WATERMARK = N_TTY_BUF_SIZE - (ECHO_BLOCK + 32);

export class EchoBuffer {
  private bytes: number[] = [];
  /** what may be sent; what may be sent when something asks for it */
  private committed = 0;
  private marked = 0;

  clear(): void {
    this.bytes = [];
    this.committed = this.marked = 0;
  }
  /** As it is, but through output processing. */
  char_raw(c: number): void {
    if (c === ECHO_OP_START) this.bytes.push(ECHO_OP_START);
    this.bytes.push(c);
  }
  /** A control character becomes ^X under ECHOCTL. */
  char(tty: TtyStruct, c: number): void {
    if (tty.lflag(ECHOCTL) && iscntrl(c) && c !== TAB) this.bytes.push(ECHO_OP_START, c);
    else this.char_raw(c);
  }
  /** The byte before did not take a column after all. */
  move_back_col(): void {
    this.bytes.push(ECHO_OP_START, ECHO_OP_MOVE_BACK_COL);
  }
  /** Here the line begins that is being typed. */
  set_canon_col(): void {
    this.bytes.push(ECHO_OP_START, ECHO_OP_SET_CANON_COL);
  }
  /** Backspaces over a tab. `num_chars`: columns since the tab before it, or (not `after_tab`) since the line began. */
  erase_tab(num_chars: number, after_tab: boolean): void {
    this.bytes.push(ECHO_OP_START, ECHO_OP_ERASE_TAB, (num_chars & 7) | (after_tab ? AFTER_TAB : 0));
  }

  /** A character has been dealt with.  cf. commit_echoes() */
  commit(tty: TtyStruct): void {
    const n = this.bytes.length;
    this.marked = n;
    if (n < ECHO_BLOCK || n % ECHO_BLOCK > this.committed % ECHO_BLOCK) return;
    this.committed = n;
    this.send(tty);
  }
  /** Sends what was there when a character had been dealt with.  cf. process_echoes() */
  process(tty: TtyStruct): void {
    if (this.marked === 0) return;
    this.committed = this.marked;
    this.send(tty);
  }
  /** The end of what was received.  cf. flush_echoes() */
  flush(tty: TtyStruct): void {
    if (!tty.lflag(ECHO | ECHONL) || this.committed === this.bytes.length) return;
    this.committed = this.bytes.length;
    this.send(tty);
  }

  /** cf. __process_echoes() */
  private send(tty: TtyStruct): void {
    const { bytes } = this;
    const space = tty.stopped ? 0 : tty.driver.write_room(tty);
    const out: number[] = [];
    let tail = 0;
    while (tail < this.committed) {
      const n = this.one(tty, tail, out, space);
      if (n === 0) break;
      tail += n;
    }
    while (this.committed - tail >= ECHO_DISCARD_WATERMARK) tail += bytes[tail] !== ECHO_OP_START ? 1 : bytes[tail + 1] === ECHO_OP_ERASE_TAB ? 3 : 2;
    this.bytes = tail === bytes.length ? [] : bytes.slice(tail);
    this.committed -= tail;
    this.marked = Math.max(0, this.marked - tail);
    if (out.length > 0) tty.driver.write(tty, Uint8Array.from(out), 0, out.length);
  }
  /** What is at `tail`, into `out`, which may become `space` long; how many bytes that was, 0 if there is no room. */
  private one(tty: TtyStruct, tail: number, out: number[], space: number): number {
    const { ldata } = tty;
    const c = this.bytes[tail]!;
    if (c !== ECHO_OP_START) return this.plain(tty, ldata, c, out, space) ? 1 : 0;
    const op = this.bytes[tail + 1]!;
    switch (op) {
      case ECHO_OP_MOVE_BACK_COL:
        if (ldata.column > 0) ldata.column--;
        return 2;
      case ECHO_OP_SET_CANON_COL:
        ldata.canon_column = ldata.column;
        return 2;
      case ECHO_OP_ERASE_TAB: {
        const from = this.bytes[tail + 2]!;
        const num_bs = 8 - (((from & AFTER_TAB) !== 0 ? from : from + ldata.canon_column) & 7);
        if (out.length + num_bs > space) return 0;
        for (let i = 0; i < num_bs; i++) out.push(BS);
        ldata.column = Math.max(0, ldata.column - num_bs);
        return 3;
      }
      case ECHO_OP_START:
        if (out.length >= space) return 0;
        out.push(ECHO_OP_START);
        ldata.column++;
        return 2;
      default:
        if (out.length + 2 > space) return 0;
        out.push(0x5e, op ^ 0x40);
        ldata.column += 2;
        return 2;
    }
  }
  private plain(tty: TtyStruct, ldata: NTty, c: number, out: number[], space: number): boolean {
    if (tty.oflag(OPOST)) return ldata.output_char(tty, c, out, space);
    if (out.length >= space) return false;
    out.push(c);
    return true;
  }
}
