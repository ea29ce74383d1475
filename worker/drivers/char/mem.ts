// drivers/char/mem.ts — /dev/mem, null, zero, full, random, urandom, kmsg.  cf. drivers/char/mem.c, kernel/printk/printk.c devkmsg
import { EAGAIN, EFAULT, EINVAL, ENOSPC, ENXIO, EPERM, EPIPE } from "../../include/uapi/errno.ts";
import { O_NONBLOCK, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_SET } from "../../include/uapi/fcntl.ts";
import { MINOR, MKDEV } from "../../include/uapi/stat.ts";
import { CAP_SYS_RAWIO, capable } from "../../kernel/cred.ts";
import { sleep_on, type WaitQueue } from "../../kernel/sched/wait.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { FMODE_LSEEK, FMODE_NOWAIT, File, FileOperations, POLLERR, POLLIN, POLLPRI, POLLRDNORM, type Inode, type Path } from "../../fs/fs.ts";
import { CharDriver } from "./chrdev.ts";
import { random_fops } from "./random.ts";
import { memset } from "../../lib/bytes.ts";

const MEM_MAJOR = 1;

/** Reads nothing, swallows everything; a seek goes to 0. */
export class NullFops extends FileOperations {
  override get never_polls(): boolean {
    return true;
  }
  override get splice_reads(): boolean {
    return false;
  }
  override get f_mode(): number {
    return FMODE_LSEEK | FMODE_NOWAIT;
  }
  override llseek(file: File): number {
    return (file.f_pos = 0);
  }
  override read(_file: File, _task: Task, _buf: Uint8Array, _off: number, _len: number, _pos: number): number {
    return 0;
  }
  override write(_file: File, _task: Task, _buf: Uint8Array, _off: number, len: number): number {
    return len;
  }
}

export const null_fops = new NullFops();

/** Zeros without end. */
export class ZeroFops extends NullFops {
  override get splice_reads(): boolean {
    return true;
  }
  override read(_file: File, _task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len < 64) for (let i = 0; i < len; i++) buf[off + i] = 0;
    else memset(buf, 0, off, off + len);
    return len;
  }
  override get mmap_capabilities(): "zero" | false {
    return "zero";
  }
}

export const zero_fops = new ZeroFops();

/** Zeros, but never room to write. */
export class FullFops extends ZeroFops {
  override write(): number {
    throw ENOSPC;
  }
  override get mmap_capabilities(): false {
    return false;
  }
}

export const full_fops = new FullFops();

/** All of guest RAM. */
export class MemFops extends FileOperations {
  override get never_polls(): boolean {
    return true;
  }
  override get f_mode(): number {
    return FMODE_LSEEK;
  }
  override llseek(file: File, _task: Task, off: number, whence: number): number {
    if (whence !== SEEK_SET && whence !== SEEK_CUR) throw EINVAL;
    const pos = whence === SEEK_CUR ? file.f_pos + off : off;
    if (pos < 0) throw EINVAL;
    return (file.f_pos = pos);
  }
  override read(_file: File, task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const m = task.kernel.mem;
    const n = Math.min(len, m.size - pos);
    if (n <= 0) return 0;
    if (buf === m.u8) m.u8.copyWithin(off, pos, pos + n);
    else buf.set(m.u8.subarray(pos, pos + n), off);
    return n;
  }
  override write(_file: File, task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const m = task.kernel.mem;
    const n = Math.min(len, m.size - pos);
    if (n <= 0) throw EFAULT;
    m.u8.set(buf.subarray(off, off + n), pos);
    task.kernel.arch.flush_icache_range(pos, n);
    return n;
  }
  override get mmap_capabilities(): "direct" {
    return "direct";
  }
  override get_unmapped_area(_file: File, pgoff: number, _len: number): number {
    return pgoff * 4096;
  }
}

export const mem_fops = new MemFops();

/** /dev/kmsg: records of the log, one a read; what is written is logged. */
export class DevkmsgUser extends FileOperations {
  private seq = 0;
  override get f_mode(): number {
    return FMODE_LSEEK;
  }
  override llseek(_file: File, task: Task, off: number, whence: number): number {
    if (off !== 0) throw EINVAL;
    const log = task.kernel.printk;
    if (whence === SEEK_SET) this.seq = log.records[0]?.seq ?? 0;
    else if (whence === SEEK_DATA) this.seq = log.clear_seq;
    else if (whence === SEEK_END) this.seq = log.next_seq;
    else throw EINVAL;
    return 0;
  }
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    const log = task.kernel.printk;
    const first = log.records[0];
    if (first !== undefined && this.seq < first.seq) {
      // the record was overwritten meanwhile
      this.seq = first.seq;
      throw EPIPE;
    }
    const rec = log.record_from(this.seq);
    if (rec === undefined) {
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [log.log_wait]);
    }
    const text = log.format_kmsg(rec);
    if (text.length > len) throw EINVAL;
    for (let i = 0; i < text.length; i++) buf[off + i] = text.charCodeAt(i);
    this.seq = rec.seq + 1;
    return text.length;
  }
  override write(_file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    if (len > 992) throw EINVAL;
    let text = "";
    for (let i = 0; i < len; i++) text += String.fromCharCode(buf[off + i]!);
    task.kernel.printk.write_kmsg(text);
    return len;
  }
  override poll(_file: File, task: Task, queues: WaitQueue[] | undefined): number {
    const log = task.kernel.printk;
    queues?.push(log.log_wait);
    if (log.record_from(this.seq) === undefined) return 0;
    return POLLIN | POLLRDNORM | (this.seq < log.records[0]!.seq ? POLLERR | POLLPRI : 0);
  }
}

/** Major 1. */
export class MemDriver extends CharDriver {
  override open(task: Task, path: Path | undefined, inode: Inode, flags: number, rdev: number): File {
    switch (MINOR(rdev)) {
      case 1:
        if (!capable(task, CAP_SYS_RAWIO)) throw EPERM;
        return new File(path, inode, flags, mem_fops);
      case 3:
        return new File(path, inode, flags, null_fops);
      case 5:
        return new File(path, inode, flags, zero_fops);
      case 7:
        return new File(path, inode, flags, full_fops);
      case 8:
      case 9:
        return new File(path, inode, flags, random_fops);
      case 11:
        return new File(path, inode, flags, new DevkmsgUser());
      default:
        throw ENXIO;
    }
  }
}

const DEVICES: readonly (readonly [number, string, number])[] = [
  [1, "mem", 0o640], [3, "null", 0o666], [5, "zero", 0o666], [7, "full", 0o666], [8, "random", 0o666], [9, "urandom", 0o666], [11, "kmsg", 0o644],
];

/** cf. chr_dev_init() */
export function chr_dev_init(kernel: Kernel): void {
  kernel.chrdev.register(MEM_MAJOR, 0, 256, "mem", new MemDriver());
  for (const [minor, name, mode] of DEVICES) kernel.devices.device_create({ name, cls: "mem", devt: MKDEV(MEM_MAJOR, minor), mode });
}
