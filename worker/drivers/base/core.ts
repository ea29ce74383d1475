// drivers/base/core.ts — the devices of a kernel: what devtmpfs and sysfs show.  cf. drivers/base/core.c
import type { Kernel } from "../../kernel/kernel.ts";

export interface Device {
  /** name in /dev: "tty0", "pts/ptmx", "ubda1" */
  readonly name: string;
  /** class as in /sys/class: "tty", "mem", "block" */
  readonly cls: string;
  /** MKDEV(major, minor) */
  readonly devt: number;
  readonly block: boolean;
  /** permissions of the node */
  readonly mode: number;
  /** parent for /sys: "virtual", or the disk of a partition */
  readonly parent: string;
  /** further files of /sys, name to text without newline: size, ro ... */
  readonly attrs: Map<string, string>;
}

export class Devices {
  readonly kernel: Kernel;
  readonly list: Device[] = [];
  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }
  /** Announces a device: a node appears in devtmpfs, an entry in sysfs.  cf. device_create() */
  device_create(dev: { name: string; cls: string; devt: number; block?: boolean; mode?: number; parent?: string; attrs?: Map<string, string> }): Device {
    const d: Device = {
      name: dev.name,
      cls: dev.cls,
      devt: dev.devt,
      block: dev.block ?? false,
      mode: dev.mode ?? 0o600,
      parent: dev.parent ?? "virtual",
      attrs: dev.attrs ?? new Map<string, string>(),
    };
    this.list.push(d);
    this.kernel.vfs.devtmpfs?.create_node(d);
    return d;
  }
  device_destroy(devt: number, block = false): void {
    const i = this.list.findIndex((d) => d.devt === devt && d.block === block);
    if (i < 0) return;
    const [d] = this.list.splice(i, 1);
    this.kernel.vfs.devtmpfs?.delete_node(d!);
  }
}
