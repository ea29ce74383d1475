// drivers/block/genhd.ts — block devices: disks, their partitions, and what open(2) of /dev/ubda gives.  cf. block/genhd.c, block/fops.c, block/ioctl.c
//
// A disk is a host's BlockStore (arch/um/os.ts). Reads and writes of the raw device go straight to the store; a mounted file system registers
// itself as the device's holder, so that raw readers see what it has not written back yet, and it sees what raw writers change.
import {
  EBUSY,
  EINVAL,
  EIO,
  ENOSPC,
  ENOTTY,
  ENXIO,
  EACCES,
  EPERM,
  EROFS,
} from "../../include/uapi/errno.ts";
import type { BlockStore } from "../../arch/um/os.ts";
import type { Devices } from "../base/core.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { restart_state, type Task } from "../../kernel/task.ts";
import { wait_host, type HostResult } from "../../kernel/host_wait.ts";
import { put_user_u16, put_user_u32, put_user_u64, get_user_u32, get_user_u64 } from "../../kernel/uaccess.ts";
import { File, type Inode, type Path, FMODE_CAN_ODIRECT, FMODE_LSEEK, FileOperations } from "../../fs/fs.ts";
import { readPartitions } from "./partitions.ts";

export const SECTOR_SIZE = 512;

/** What a mounted file system tells its device, so that raw access and the file system see the same bytes. */
export interface BlockHolder {
  /** Lays cached bytes that are newer than the store over buf[off, off+len), which came from byte `pos` of the device. */
  overlayRead(pos: number, buf: Uint8Array, off: number, len: number): void;
  /** Someone wrote [pos, pos+len) of the device behind the file system's back. */
  rawWritten(pos: number, len: number): void;
}

/** A whole disk.  cf. struct gendisk */
export class GenDisk {
  /** as in /proc/partitions: "ubda" */
  readonly disk_name: string;
  readonly major: number;
  readonly first_minor: number;
  /** minors reserved for it and its partitions */
  readonly minors: number;
  readonly store: BlockStore;
  /** /sys/block/NAME/device/serial */
  serial = "";
  constructor(name: string, major: number, firstMinor: number, minors: number, store: BlockStore) {
    this.disk_name = name;
    this.major = major;
    this.first_minor = firstMinor;
    this.minors = minors;
    this.store = store;
  }
}

/** A disk or one of its partitions.  cf. struct block_device */
export class BlockDevice {
  readonly bd_disk: GenDisk;
  /** major << 20 | minor */
  readonly bd_dev: number;
  readonly name: string;
  /** 0: the whole disk */
  readonly bd_partno: number;
  /** bytes from the start of the disk */
  readonly start: number;
  /** bytes */
  readonly size: number;
  /** set with BLKROSET, or because the host's file can't be written */
  bd_read_only: boolean;
  /** the file system that is mounted from it: nobody else may mount it (EBUSY) */
  bd_holder: BlockHolder | undefined;
  /** what BLKBSZSET chose */
  bd_block_size = 4096;
  /** sectors read and written, requests: /proc/diskstats */
  readonly stats = { reads: 0, sectorsRead: 0, writes: 0, sectorsWritten: 0, discards: 0, flushes: 0 };
  constructor(disk: GenDisk, dev: number, name: string, partno: number, start: number, size: number) {
    this.bd_disk = disk;
    this.bd_dev = dev;
    this.name = name;
    this.bd_partno = partno;
    this.start = start;
    this.size = size;
    this.bd_read_only = disk.store.readonly;
  }

  /** Reads buf.length bytes at byte `pos`. Throws EIO when the host fails or the range leaves the device. */
  read(pos: number, buf: Uint8Array): void {
    if (pos + buf.length > this.size) throw EIO;
    this.stats.reads++;
    this.stats.sectorsRead += Math.ceil(buf.length / SECTOR_SIZE);
    try {
      this.bd_disk.store.read(this.start + pos, buf);
    } catch {
      throw EIO;
    }
  }
  /** Writes all of `buf` at byte `pos`. Throws EIO, EROFS. */
  write(pos: number, buf: Uint8Array): void {
    if (this.bd_read_only) throw EROFS;
    if (pos + buf.length > this.size) throw EIO;
    this.stats.writes++;
    this.stats.sectorsWritten += Math.ceil(buf.length / SECTOR_SIZE);
    try {
      this.bd_disk.store.write(this.start + pos, buf);
    } catch {
      throw EIO;
    }
  }
  /** Makes what was written durable: undefined when that is so already, else a promise for wait_host.  cf. blkdev_issue_flush() */
  flush(): Promise<void> | undefined {
    this.stats.flushes++;
    return this.bd_disk.store.flush();
  }
  /** Nothing that is written from now on reaches the disk before what was written so far. Throws EIO when the host fails. */
  barrier(): void {
    try {
      this.bd_disk.store.barrier?.();
    } catch {
      throw EIO;
    }
  }
  /** flush for where no system call can be restarted (umount, remount): the machine stands still until it is done, errors are lost as in Linux. */
  flushAndStop(kernel: Kernel): void {
    const promise = this.flush();
    if (promise === undefined) return;
    const before = kernel.host_work;
    kernel.arch.set_exit_work();
    kernel.host_work = Promise.allSettled([before, promise]).then(() => undefined);
  }
  discard(pos: number, len: number): void {
    this.stats.discards++;
    this.bd_disk.store.discard?.(this.start + pos, len);
  }
}

/** A node in /dev, an entry in /sys. */
function announce(devices: Devices, d: BlockDevice): void {
  devices.device_create({
    name: d.name, cls: "block", devt: d.bd_dev, block: true, mode: 0o660, ...(d.bd_partno > 0 ? { parent: d.bd_disk.disk_name } : {}),
    attrs: new Map([["size", String(Math.floor(d.size / SECTOR_SIZE))], ["ro", d.bd_read_only ? "1" : "0"]]),
  });
}

/** All block devices of a machine. */
export class BlockDevices {
  /** by bd_dev; the order of insertion is that of /proc/partitions */
  readonly devices = new Map<number, BlockDevice>();
  /** major -> name, for /proc/devices */
  readonly majors = new Map<number, string>();

  register_blkdev(major: number, name: string): void {
    this.majors.set(major, name);
  }
  /** Announces a disk and its partitions; with `devices` their nodes appear in /dev.  cf. add_disk() */
  add_disk(disk: GenDisk, devices?: Devices): BlockDevice {
    const whole = new BlockDevice(disk, (disk.major << 20) | disk.first_minor, disk.disk_name, 0, 0, disk.store.size - (disk.store.size % SECTOR_SIZE));
    this.devices.set(whole.bd_dev, whole);
    if (devices !== undefined) announce(devices, whole);
    this.rescan(disk, devices);
    return whole;
  }
  /** Reads the partition table again (BLKRRPART). Throws EBUSY when a partition is mounted.  cf. bdev_disk_changed() */
  rescan(disk: GenDisk, devices?: Devices): void {
    const whole = this.devices.get((disk.major << 20) | disk.first_minor);
    if (whole === undefined) return;
    const old = [...this.devices.values()].filter((d) => d.bd_disk === disk && d.bd_partno > 0);
    if (old.some((d) => d.bd_holder !== undefined)) throw EBUSY;
    for (const d of old) {
      this.devices.delete(d.bd_dev);
      devices?.device_destroy(d.bd_dev, true);
    }
    const sep = /\d$/.test(disk.disk_name) ? "p" : "";
    for (const p of readPartitions(whole)) {
      if (p.number >= disk.minors) continue;
      const dev = (disk.major << 20) | (disk.first_minor + p.number);
      const part = new BlockDevice(disk, dev, `${disk.disk_name}${sep}${p.number}`, p.number, p.start, p.size);
      this.devices.set(dev, part);
      if (devices !== undefined) announce(devices, part);
    }
  }
  lookup(dev: number): BlockDevice | undefined {
    return this.devices.get(dev);
  }
  by_name(name: string): BlockDevice | undefined {
    for (const d of this.devices.values()) if (d.name === name) return d;
    return undefined;
  }
  /** What open(2) of a block special file gives. Throws ENXIO without such a device, EACCES for writing a read-only one.  cf. blkdev_open() */
  open(_task: Task | undefined, path: Path | undefined, inode: Inode, flags: number): File {
    const bdev = this.lookup(inode.i_rdev);
    if (bdev === undefined) throw ENXIO;
    if ((flags & 3) !== 0 && bdev.bd_read_only) throw EACCES;
    // O_EXCL on a block device: only if nobody has claimed it
    if (flags & 0o200 && bdev.bd_holder !== undefined) throw EBUSY;
    return new File(path, inode, flags, new BlockFops(bdev));
  }
  /** Every disk's store made durable, for sync(2) after the file systems wrote back. */
  flush_all(): Promise<void> | undefined {
    const pending: Promise<void>[] = [];
    const seen = new Set<GenDisk>();
    for (const d of this.devices.values()) {
      if (seen.has(d.bd_disk)) continue;
      seen.add(d.bd_disk);
      const p = d.flush();
      if (p !== undefined) pending.push(p);
    }
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
  }
}

const BLKROSET = 0x125d;
const BLKROGET = 0x125e;
const BLKRRPART = 0x125f;
const BLKGETSIZE = 0x1260;
const BLKFLSBUF = 0x1261;
const BLKRASET = 0x1262;
const BLKRAGET = 0x1263;
const BLKSECTGET = 0x1267;
const BLKSSZGET = 0x1268;
const BLKDISCARD = 0x1277;
const BLKIOMIN = 0x1278;
const BLKIOOPT = 0x1279;
const BLKALIGNOFF = 0x127a;
const BLKPBSZGET = 0x127b;
const BLKDISCARDZEROES = 0x127c;
const BLKROTATIONAL = 0x127e;
const BLKZEROOUT = 0x127f;
const BLKGETDISKSEQ = 0x80081280;
const BLKBSZGET = 0x80081270;
const BLKBSZSET = 0x40081271;
const BLKGETSIZE64 = 0x80081272;
const HDIO_GETGEO = 0x0301;

/** bytes moved per store access by raw reads and writes */
const CHUNK = 0x10000;

/** An open block device. */
export class BlockFops extends FileOperations {
  readonly bdev: BlockDevice;
  constructor(bdev: BlockDevice) {
    super();
    this.bdev = bdev;
  }
  override get f_mode(): number {
    return FMODE_LSEEK | FMODE_CAN_ODIRECT;
  }
  override read(_file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const n = Math.max(0, Math.min(len, this.bdev.size - pos));
    for (let done = 0; done < n; done += CHUNK) {
      const part = new Uint8Array(Math.min(CHUNK, n - done));
      this.bdev.read(pos + done, part);
      this.bdev.bd_holder?.overlayRead(pos + done, part, 0, part.length);
      buf.set(part, off + done);
    }
    return n;
  }
  override write(_file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    if (this.bdev.bd_read_only) throw EPERM;
    const n = Math.max(0, Math.min(len, this.bdev.size - pos));
    if (n === 0 && len > 0) throw ENOSPC;
    for (let done = 0; done < n; done += CHUNK) {
      // a copy: the host's interfaces may not take a view of shared memory
      this.bdev.write(pos + done, buf.slice(off + done, off + Math.min(done + CHUNK, n)));
    }
    this.bdev.bd_holder?.rawWritten(pos, n);
    return n;
  }
  override llseek(file: File, _task: Task, off: number, whence: number): number {
    const base = whence === 0 ? 0 : whence === 1 ? file.f_pos : whence === 2 ? this.bdev.size : Number.NaN;
    const to = base + off;
    if (!(to >= 0 && to <= this.bdev.size)) throw EINVAL;
    file.f_pos = to;
    return to;
  }
  override fsync(_file: File, task: Task, _datasync: boolean): void {
    wait_host(task.kernel, restart_state<HostResult>(task, () => ({})), () => this.bdev.flush());
  }
  override get mmap_capabilities(): "copy" {
    return "copy";
  }
  override ioctl(file: File, task: Task, cmd: number, arg: number): number {
    const mem = task.kernel.mem;
    const { bdev } = this;
    switch (cmd) {
      case BLKROGET:
        put_user_u32(mem, arg, bdev.bd_read_only ? 1 : 0);
        return 0;
      case BLKROSET:
        bdev.bd_read_only = get_user_u32(mem, arg) !== 0 || bdev.bd_disk.store.readonly;
        return 0;
      case BLKRRPART:
        if (bdev.bd_partno !== 0 || bdev.bd_disk.minors <= 1) throw EINVAL;
        if (bdev.bd_holder !== undefined) throw EBUSY;
        task.kernel.blkdev.rescan(bdev.bd_disk, task.kernel.devices);
        return 0;
      case BLKGETSIZE:
        put_user_u64(mem, arg, bdev.size / SECTOR_SIZE);
        return 0;
      case BLKGETSIZE64:
        put_user_u64(mem, arg, bdev.size);
        return 0;
      case BLKFLSBUF:
        wait_host(task.kernel, restart_state<HostResult>(task, () => ({})), () => bdev.flush());
        return 0;
      case BLKRASET:
        return 0;
      case BLKRAGET:
        put_user_u64(mem, arg, 256);
        return 0;
      case BLKSECTGET:
        put_user_u16(mem, arg, 256);
        return 0;
      case BLKSSZGET:
      case BLKPBSZGET:
      case BLKIOMIN:
        put_user_u32(mem, arg, SECTOR_SIZE);
        return 0;
      case BLKIOOPT:
      case BLKALIGNOFF:
      case BLKDISCARDZEROES:
        put_user_u32(mem, arg, 0);
        return 0;
      case BLKROTATIONAL:
        put_user_u16(mem, arg, 0);
        return 0;
      case BLKBSZGET:
        put_user_u32(mem, arg, bdev.bd_block_size);
        return 0;
      case BLKBSZSET: {
        const size = get_user_u32(mem, arg);
        if (size < 512 || size > 4096 || (size & (size - 1)) !== 0) throw EINVAL;
        bdev.bd_block_size = size;
        return 0;
      }
      case BLKGETDISKSEQ:
        put_user_u64(mem, arg, 1 + (bdev.bd_disk.first_minor >> 4));
        return 0;
      case BLKDISCARD:
      case BLKZEROOUT: {
        if (!file.writable) throw EPERM;
        const start = get_user_u64(mem, arg);
        const len = get_user_u64(mem, arg + 8);
        if (start % SECTOR_SIZE !== 0 || len % SECTOR_SIZE !== 0 || start + len > bdev.size) throw EINVAL;
        if (cmd === BLKDISCARD) bdev.discard(start, len);
        else for (let p = 0; p < len; p += CHUNK) bdev.write(start + p, new Uint8Array(Math.min(CHUNK, len - p)));
        bdev.bd_holder?.rawWritten(start, len);
        return 0;
      }
      case HDIO_GETGEO: {
        // what ubd says: 128 heads, 32 sectors
        const sectors = bdev.bd_disk.store.size / SECTOR_SIZE;
        put_user_u16(mem, arg, 128 | (32 << 8));
        put_user_u16(mem, arg + 2, Math.floor(sectors / 4096) & 0xffff);
        put_user_u64(mem, arg + 8, bdev.start / SECTOR_SIZE);
        return 0;
      }
      default:
        throw ENOTTY;
    }
  }
}
