// drivers/char/chrdev.ts — character device numbers and who drives them.  cf. fs/char_dev.c
import { EBUSY, ENXIO } from "../../include/uapi/errno.ts";
import { MAJOR, MINOR } from "../../include/uapi/stat.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import type { File, Inode, Path } from "../../fs/fs.ts";

/**
 * What drives a range of numbers: makes the File of an open. A class (so that it can be snapshotted), one object per driver.
 * `rdev` tells which minor; a driver may look at flags (O_NOCTTY, O_NONBLOCK). Throws ENXIO, EBUSY, EIO ..., or sleeps.
 */
export abstract class CharDriver {
  abstract open(task: Task, path: Path | undefined, inode: Inode, flags: number, rdev: number): File;
}

interface Region {
  readonly major: number;
  readonly first: number;
  readonly count: number;
  readonly name: string;
  readonly driver: CharDriver;
}

/** All character devices of a kernel: /proc/devices, chrdev_open. */
export class CharDevices {
  readonly kernel: Kernel;
  readonly regions: Region[] = [];
  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Minors [first, first+count) of `major` belong to `driver`. Throws EBUSY when some are taken.  cf. register_chrdev_region() */
  register(major: number, first: number, count: number, name: string, driver: CharDriver): void {
    for (const r of this.regions)
      if (r.major === major && first < r.first + r.count && r.first < first + count) throw EBUSY;
    this.regions.push({ major, first, count, name, driver });
  }
  /** Opens the device that `inode` (S_IFCHR) names. Throws ENXIO if nobody drives it.  cf. chrdev_open() */
  chrdev_open(task: Task, path: Path | undefined, inode: Inode, flags: number): File {
    const major = MAJOR(inode.i_rdev);
    const minor = MINOR(inode.i_rdev);
    for (const r of this.regions)
      if (r.major === major && minor >= r.first && minor < r.first + r.count) return r.driver.open(task, path, inode, flags, inode.i_rdev);
    throw ENXIO;
  }
  /** majors and names, ascending, as /proc/devices lists them */
  list(): [number, string][] {
    const seen = new Map<string, [number, string]>();
    for (const r of this.regions) seen.set(`${r.major} ${r.name}`, [r.major, r.name]);
    return [...seen.values()].sort((a, b) => a[0] - b[0]);
  }
}
