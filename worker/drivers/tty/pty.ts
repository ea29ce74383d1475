// drivers/tty/pty.ts — pseudo terminals, the Unix98 way: /dev/ptmx and /dev/pts/N.  cf. drivers/tty/pty.c
import { EIO, EINVAL, ENOSPC } from "../../include/uapi/errno.ts";
import { O_CLOEXEC } from "../../include/uapi/fcntl.ts";
import { TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCSIG, TIOCSPTLCK } from "../../include/uapi/ioctls.ts";
import { MINOR } from "../../include/uapi/stat.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../../include/uapi/signal.ts";
import { B38400, CREAD, CS8 } from "../../include/uapi/termios.ts";
import { devpts_pty_kill, devpts_pty_new } from "../../fs/devpts/inode.ts";
import type { File, Inode, Path } from "../../fs/fs.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { kill_pgrp } from "../../kernel/signal.ts";
import type { Task } from "../../kernel/task.ts";
import { get_user_s32, put_user_u32 } from "../../kernel/uaccess.ts";
import { MKDEV } from "../../include/uapi/stat.ts";
import { CharDriver } from "../char/chrdev.ts";
import { tty_receive } from "./n_tty.ts";
import { tty_hangup } from "./tty_jobctrl.ts";
import { tty_open } from "./tty_io.ts";
import { Termios, TtyDriver, TtyStruct } from "./tty_struct.ts";

export const UNIX98_PTY_MASTER_MAJOR = 128;
export const UNIX98_PTY_SLAVE_MAJOR = 136;
/** kernel.pty.max */
const PTY_MAX = 4096;
/** bytes on their way to the other end that it has not read */
const PTY_BUFFER = 8192;

/** Both ends: what one writes, the other receives. */
export abstract class PtyDriver extends TtyDriver {
  readonly minor_start = 0;
  private readonly ptys: Ptys;
  constructor(ptys: Ptys) {
    super();
    this.ptys = ptys;
  }
  /** A number is free again when both ends are closed. */
  override remove(tty: TtyStruct): void {
    const link = tty.link!;
    if (link.count + link.hung === 0) this.ptys.all.delete(tty.index);
  }
  override write(tty: TtyStruct, buf: Uint8Array, off: number, len: number): void {
    tty_receive(tty.link!, buf, off, len);
  }
  override write_room(tty: TtyStruct): number {
    return Math.max(0, PTY_BUFFER - tty.link!.flip.length);
  }
  override unthrottle(tty: TtyStruct): void {
    const link = tty.link!;
    link.write_wait.wake_up();
  }
  override flush_buffer(tty: TtyStruct): void {
    tty.link!.flip.clear();
  }
}

export class PtyMaster extends PtyDriver {
  readonly name = "ptm";
  readonly major = UNIX98_PTY_MASTER_MAJOR;
  readonly kind = "master" as const;
  override close(tty: TtyStruct): void {
    const slave = tty.link!;
    slave.other_closed = true;
    devpts_pty_kill(tty.kernel, tty.index);
    tty_hangup(slave, false);
  }
  override ioctl(tty: TtyStruct, _file: File, task: Task, cmd: number, arg: number): number | undefined {
    const m = task.kernel.mem;
    const slave = tty.link!;
    switch (cmd) {
      case TIOCSPTLCK:
        slave.pty_locked = get_user_s32(m, arg) !== 0;
        return 0;
      case TIOCGPTLCK:
        put_user_u32(m, arg, slave.pty_locked ? 1 : 0);
        return 0;
      case TIOCGPTN:
        put_user_u32(m, arg, tty.index);
        return 0;
      case TIOCGPKT:
        put_user_u32(m, arg, tty.packet ? 1 : 0);
        return 0;
      case TIOCGPTPEER: {
        const inode = tty.kernel.vfs.devpts.root().nodes.get(String(tty.index));
        if (inode === undefined) throw EIO;
        const peer = tty_open(task, slave, undefined, inode, arg & ~O_CLOEXEC, false);
        inode.i_count++;
        tty.kernel.vfs.nr_files++;
        return task.files!.alloc_fd(task, peer, (arg & O_CLOEXEC) !== 0);
      }
      case TIOCSIG:
        // the number itself, not an address
        if (arg !== SIGINT && arg !== SIGQUIT && arg !== SIGTSTP) throw EINVAL;
        if (slave.pgrp !== 0) kill_pgrp(tty.kernel, slave.pgrp, arg);
        return 0;
      default:
        return undefined;
    }
  }
}

export class PtySlave extends PtyDriver {
  readonly name = "pts/";
  readonly major = UNIX98_PTY_SLAVE_MAJOR;
  readonly kind = "slave" as const;
  override open(tty: TtyStruct): void {
    // also for those who have it open already, until the next one that succeeds
    tty.io_error = tty.other_closed || tty.pty_locked || tty.link!.count !== 1;
    if (tty.io_error) throw EIO;
    tty.link!.other_closed = false;
  }
  override close(tty: TtyStruct): void {
    if (tty.count > 0) return;
    const master = tty.link!;
    tty.io_error = true;
    master.other_closed = true;
    master.read_wait.wake_up();
    master.write_wait.wake_up();
  }
}

/** All open pseudo terminals: masters by their number. */
export class Ptys {
  readonly all = new Map<number, TtyStruct>();
  readonly master: PtyMaster = new PtyMaster(this);
  readonly slave: PtySlave = new PtySlave(this);

  /** The lowest free number. Throws ENOSPC. */
  create(kernel: Kernel): TtyStruct {
    let index = 0;
    while (this.all.has(index)) index++;
    if (index >= PTY_MAX) throw ENOSPC;
    const raw = new Termios();
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
    raw.c_cflag = B38400 | CS8 | CREAD;
    const cooked = new Termios();
    cooked.c_cflag = raw.c_cflag;
    const master = new TtyStruct(kernel, this.master, index, raw);
    const slave = new TtyStruct(kernel, this.slave, index, cooked);
    master.ldata.icanon = false;
    master.link = slave;
    slave.link = master;
    slave.pty_locked = true;
    this.all.set(index, master);
    return master;
  }
}

/** /dev/ptmx and /dev/pts/ptmx */
export class PtmxDriver extends CharDriver {
  private readonly ptys: Ptys;
  constructor(ptys: Ptys) {
    super();
    this.ptys = ptys;
  }
  override open(task: Task, path: Path | undefined, inode: Inode, flags: number): File {
    const master = this.ptys.create(task.kernel);
    devpts_pty_new(task.kernel, master.index, task);
    return tty_open(task, master, path, inode, flags, true);
  }
}

export class PtsDriver extends CharDriver {
  private readonly ptys: Ptys;
  constructor(ptys: Ptys) {
    super();
    this.ptys = ptys;
  }
  override open(task: Task, path: Path | undefined, inode: Inode, flags: number, rdev: number): File {
    const master = this.ptys.all.get(MINOR(rdev));
    if (master === undefined) throw EIO;
    return tty_open(task, master.link!, path, inode, flags, false);
  }
}

/** cf. unix98_pty_init() */
export function unix98_pty_init(kernel: Kernel): void {
  const ptys = new Ptys();
  kernel.chrdev.register(5, 2, 1, "/dev/ptmx", new PtmxDriver(ptys));
  kernel.chrdev.register(UNIX98_PTY_SLAVE_MAJOR, 0, PTY_MAX, "pts", new PtsDriver(ptys));
  kernel.chrdev.register(UNIX98_PTY_MASTER_MAJOR, 0, PTY_MAX, "ptm", new PtsDriver(new Ptys()));
  kernel.devices.device_create({ name: "ptmx", cls: "tty", devt: MKDEV(5, 2), mode: 0o666 });
}
