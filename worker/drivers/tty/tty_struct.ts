// drivers/tty/tty_struct.ts — the state of a terminal, and what a driver does for it.  cf. include/linux/tty.h, tty_driver.h
import { MKDEV, new_encode_dev } from "../../include/uapi/stat.ts";
import { B38400, CREAD, CS8, ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, HUPCL, ICANON, ICRNL, IEXTEN, INIT_C_CC, ISIG, IXON, ONLCR, OPOST } from "../../include/uapi/termios.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import type { TtyFilePrivate } from "./tty_io.ts";
import { NTty } from "./n_tty_data.ts";
import { disassociate_ctty } from "./tty_jobctrl.ts";
import type { File } from "../../fs/fs.ts";

/** struct ktermios */
export class Termios {
  c_iflag = ICRNL | IXON;
  c_oflag = OPOST | ONLCR;
  c_cflag = B38400 | CS8 | CREAD | HUPCL;
  c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  c_line = 0;
  c_cc: number[] = [...INIT_C_CC];
  c_ispeed = 38400;
  c_ospeed = 38400;
  copy(): Termios {
    const t = Object.assign(new Termios(), this);
    t.c_cc = [...this.c_cc];
    return t;
  }
}

export interface WinSize {
  row: number;
  col: number;
  xpixel: number;
  ypixel: number;
}

/** What is under a kind of terminals: a console line, a pseudo terminal. One object per kind. */
export abstract class TtyDriver {
  abstract readonly name: string;
  abstract readonly major: number;
  abstract readonly minor_start: number;
  /** "master", "slave": a pseudo terminal's ends */
  abstract readonly kind: "console" | "master" | "slave";
  /** Takes `len` bytes from buf[off...]; there is room for them. */
  abstract write(tty: TtyStruct, buf: Uint8Array, off: number, len: number): void;
  /** bytes that write can take now */
  abstract write_room(tty: TtyStruct): number;
  /** One File more. Throws EIO. */
  open(_tty: TtyStruct, _task: Task | undefined): void {}
  /** One File less; tty.count is what is left. */
  close(_tty: TtyStruct, _task: Task | undefined): void {}
  /** The last File is closed, and those that were hung up. */
  remove(_tty: TtyStruct): void {}
  /** Drops output that was not taken yet. */
  flush_buffer(_tty: TtyStruct): void {}
  /** The reader took input: there is room again. */
  unthrottle(_tty: TtyStruct): void {}
  /** A terminal's own ioctls; undefined: not one of them. */
  ioctl(_tty: TtyStruct, _file: File, _task: Task, _cmd: number, _arg: number): number | undefined {
    return undefined;
  }
}

/** Bytes that came in and that the line discipline had no room for yet.  cf. struct tty_port, tty_buffer */
export class FlipBuffer {
  private bytes: Uint8Array = new Uint8Array(64);
  private start = 0;
  length = 0;
  put(buf: Uint8Array, off: number, len: number): void {
    if (this.start + this.length + len > this.bytes.length) {
      const grown = this.length + len > this.bytes.length ? new Uint8Array(2 * (this.length + len)) : this.bytes;
      grown.set(this.bytes.subarray(this.start, this.start + this.length));
      this.bytes = grown;
      this.start = 0;
    }
    this.bytes.set(buf.subarray(off, off + len), this.start + this.length);
    this.length += len;
  }
  first(): number {
    return this.bytes[this.start]!;
  }
  drop(n: number): void {
    this.start += n;
    this.length -= n;
    if (this.length === 0) this.start = 0;
  }
  clear(): void {
    this.start = this.length = 0;
  }
}

/** struct tty_struct */
export class TtyStruct {
  readonly kernel: Kernel;
  readonly driver: TtyDriver;
  readonly index: number;
  termios: Termios;
  /** TIOCSLCKTRMIOS: bits that stay as they are */
  termios_locked: Termios | undefined;
  readonly winsize: WinSize = { row: 0, col: 0, xpixel: 0, ypixel: 0 };
  readonly ldata: NTty = new NTty();
  readonly flip: FlipBuffer = new FlipBuffer();
  readonly read_wait: WaitQueue = new WaitQueue();
  readonly write_wait: WaitQueue = new WaitQueue();
  /** open Files, in the order of opening */
  readonly files = new Set<TtyFilePrivate>();
  /** Files that were hung up and are not closed yet */
  hung = 0;
  /** foreground process group and session; 0: none */
  pgrp = 0;
  session = 0;
  /** the other end of a pseudo terminal */
  link: TtyStruct | undefined;
  /** output is stopped by ^S, or by TCOOFF */
  stopped = false;
  tco_stopped = false;
  /** TIOCEXCL */
  exclusive = false;
  /** of a pseudo terminal: the other end is closed; not yet unlocked */
  other_closed = false;
  pty_locked = false;
  /** TTY_IO_ERROR: reads and writes are EIO */
  io_error = false;
  /** TIOCPKT, and what the master has not been told yet */
  packet = false;
  pktstatus = 0;

  constructor(kernel: Kernel, driver: TtyDriver, index: number, termios: Termios) {
    this.kernel = kernel;
    this.driver = driver;
    this.index = index;
    this.termios = termios;
  }
  get count(): number {
    return this.files.size;
  }
  /** name as in /dev: "tty0", "pts/3" */
  get name(): string {
    return `${this.driver.name}${this.index}`;
  }
  /** MKDEV(major, minor) */
  get devt(): number {
    return MKDEV(this.driver.major, this.driver.minor_start + this.index);
  }
  /** as in /proc/PID/stat */
  dev_nr(): number {
    return new_encode_dev(this.devt);
  }
  pgrp_nr(): number {
    return this.pgrp === 0 ? -1 : this.pgrp;
  }
  iflag(flag: number): boolean {
    return (this.termios.c_iflag & flag) !== 0;
  }
  oflag(flag: number): boolean {
    return (this.termios.c_oflag & flag) !== 0;
  }
  lflag(flag: number): boolean {
    return (this.termios.c_lflag & flag) !== 0;
  }
  cc(which: number): number {
    return this.termios.c_cc[which]!;
  }
  /** A session leader gives the terminal up, by exit or TIOCNOTTY. */
  disassociate_ctty(task: Task, on_exit: boolean): void {
    disassociate_ctty(task, this, on_exit);
  }
}
