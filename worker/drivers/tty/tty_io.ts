// drivers/tty/tty_io.ts — opening terminals; the open File of one.  cf. drivers/tty/tty_io.c
import { EBUSY, EIO, ENOTTY, ENXIO } from "../../include/uapi/errno.ts";
import { O_NOCTTY } from "../../include/uapi/fcntl.ts";
import { TIOCSPGRP } from "../../include/uapi/ioctls.ts";
import { MINOR } from "../../include/uapi/stat.ts";
import { CAP_SYS_ADMIN, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { CharDriver } from "../char/chrdev.ts";
import { POLL_IN, kill_fasync } from "../../fs/fasync.ts";
import { File, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, type Inode, type Path, FileOperations } from "../../fs/fs.ts";
import { current_time } from "../../fs/inode.ts";
import { n_tty_poll, n_tty_read, n_tty_write } from "./n_tty.ts";
import { tty_ioctl } from "./tty_ioctl.ts";
import { tty_open_proc_set_tty } from "./tty_jobctrl.ts";
import type { TtyDriver, TtyStruct } from "./tty_struct.ts";

export type { TtyStruct } from "./tty_struct.ts";


/** An open terminal.  cf. struct tty_file_private */
export class TtyFilePrivate extends FileOperations {
  readonly tty: TtyStruct;
  /** opened as /dev/console: no job control, and no hang-up */
  readonly console: boolean;
  /** __tty_hangup cut it off: end of file, EIO */
  hung_up = false;
  readonly file: File;
  constructor(path: Path | undefined, inode: Inode, flags: number, tty: TtyStruct, console: boolean) {
    super();
    this.tty = tty;
    this.console = console;
    this.file = new File(path, inode, flags, this);
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (this.hung_up) return 0;
    if (this.tty.io_error) throw EIO;
    const n = n_tty_read(task, this.tty, this, buf, off, len);
    if (n > 0) this.update_time(task.kernel, file, "i_atime");
    return n;
  }
  override write(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (this.hung_up || this.tty.io_error) throw EIO;
    const n = n_tty_write(task, this.tty, this, buf, off, len);
    if (n > 0) this.update_time(task.kernel, file, "i_mtime");
    return n;
  }
  /** To eight seconds, so that keystrokes cannot be timed.  cf. tty_update_time() */
  private update_time(kernel: Kernel, file: File, which: "i_atime" | "i_mtime"): void {
    const inode = file.f_inode!;
    const now = current_time(kernel);
    if (Math.floor(now.sec / 8) !== Math.floor(inode[which].sec / 8)) inode[which] = { sec: now.sec, nsec: 0 };
  }
  override poll(_file: File, _task: Task, queues: WaitQueue[] | undefined): number {
    if (this.hung_up) return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    return n_tty_poll(this.tty, this, queues);
  }
  override ioctl(file: File, task: Task, cmd: number, arg: number): number {
    if (this.hung_up) throw cmd === TIOCSPGRP ? ENOTTY : EIO;
    return tty_ioctl(task, this.tty, file, cmd, arg);
  }
  override get splices(): boolean {
    return true;
  }
  override get has_fasync(): boolean {
    return true;
  }
  override fasync(file: File, _task: Task, on: boolean): void {
    if (!on || file.f_owner !== 0) return;
    const { pgrp } = this.tty;
    file.f_owner = pgrp !== 0 ? -pgrp : 0;
  }
  /** Input came: tells the owner under O_ASYNC. */
  kill_fasync(): void {
    kill_fasync(this.tty.kernel, this.file, POLL_IN);
  }
  override release(_file: File, task: Task | undefined): void {
    const { tty } = this;
    if (tty.files.delete(this)) tty.driver.close(tty, task);
    else tty.hung--;
    if (tty.count + tty.hung === 0) tty.driver.remove(tty);
  }
}

/** A File for `tty`; it becomes the controlling terminal unless it must not. Throws EBUSY, EIO.  cf. tty_open() */
export function tty_open(task: Task, tty: TtyStruct, path: Path | undefined, inode: Inode, flags: number, noctty: boolean, console = false): File {
  if (tty.exclusive && tty.count > 0 && !capable(task, CAP_SYS_ADMIN)) throw EBUSY;
  tty.driver.open(tty, task);
  const priv = new TtyFilePrivate(path, inode, flags, tty, console);
  const { file } = priv;
  tty.files.add(priv);
  if (!noctty && (flags & O_NOCTTY) === 0) tty_open_proc_set_tty(task, tty, file.readable);
  return file;
}

/** /dev/tty (5,0) and /dev/console (5,1). */
export class TtyAuxDriver extends CharDriver {
  /** what /dev/console is */
  private readonly console: TtyStruct;
  constructor(console: TtyStruct) {
    super();
    this.console = console;
  }
  override open(task: Task, path: Path | undefined, inode: Inode, flags: number, rdev: number): File {
    if (MINOR(rdev) === 1) return tty_open(task, this.console, path, inode, flags, true, true);
    const { tty } = task.signal;
    if (tty === undefined) throw ENXIO;
    return tty_open(task, tty, path, inode, flags, true);
  }
}

/** Device nodes of the lines of a driver. */
export class TtyLines extends CharDriver {
  readonly driver: TtyDriver;
  readonly ttys: TtyStruct[];
  constructor(driver: TtyDriver, ttys: TtyStruct[]) {
    super();
    this.driver = driver;
    this.ttys = ttys;
  }
  override open(task: Task, path: Path | undefined, inode: Inode, flags: number, rdev: number): File {
    const tty = this.ttys[MINOR(rdev) - this.driver.minor_start];
    if (tty === undefined) throw ENXIO;
    return tty_open(task, tty, path, inode, flags, false);
  }
}
