// machine/snapshot.ts — a machine between two instructions, as data; and a machine from it.
//
// RAM, the CPU's block and the kernel's object graph are all there is. Decoded code is not kept: it is made again. The disks' contents are the
// host's: whoever restores a machine gives it disks in the same state.
import { errnoByCode } from "../include/uapi/errno.ts";
import { HOST_WAIT } from "../kernel/host_wait.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { SLEEP } from "../kernel/sched/wait.ts";
import type { UmArch } from "../arch/um/process.ts";
import type { Cpu } from "../cpu/cpu.ts";
import { kernelClasses } from "./classes.ts";
import { Externals, freeze, thaw, type ClassTable, type Frozen } from "./graph.ts";

/** Structured-clonable. */
export interface Snapshot {
  readonly cmdline: string;
  readonly ram: Uint8Array;
  readonly cpu: Uint8Array;
  readonly retired: number;
  readonly kernel: Frozen;
  readonly zpoline: Frozen;
}

const classes: ClassTable = kernelClasses();

/** What every machine has of its own, or all machines have in common. */
function externalsOf(kernel: Kernel): Externals {
  const x = new Externals();
  x.add("mem", kernel.mem);
  x.add("mem.u8", kernel.mem.u8);
  x.add("os", kernel.os);
  x.add("arch", kernel.arch);
  x.add("SLEEP", SLEEP);
  x.add("HOST_WAIT", HOST_WAIT);
  for (const [code, errno] of errnoByCode) x.add(`errno ${code}`, errno);
  for (const bdev of kernel.blkdev?.devices.values() ?? []) x.add(`disk ${bdev.bd_disk.disk_name}`, bdev.bd_disk.store);
  return x;
}

/** Takes a snapshot of a machine that stands still (not while it waits for the host). */
export function takeSnapshot(kernel: Kernel, cpu: Cpu, cmdline: string): Snapshot {
  if (kernel.host_work !== undefined) throw new Error("the machine waits for its host: no snapshot can be taken now");
  const externals = externalsOf(kernel);
  return {
    cmdline,
    ram: cpu.mem.u8.slice(0, cpu.mem.size),
    cpu: cpu.state.save(),
    retired: cpu.retired,
    kernel: freeze(kernel, classes, externals),
    zpoline: freeze((kernel.arch as UmArch).zpoline, classes, externals),
  };
}

/** Makes `kernel` (of a machine of the same size, booted or not, with the same disks) what it was. */
export function restoreSnapshot(s: Snapshot, kernel: Kernel, cpu: Cpu): void {
  if (s.ram.length !== cpu.mem.size) throw new Error(`the snapshot is of a machine with ${s.ram.length >> 20} MiB, this one has ${cpu.mem.size >> 20}`);
  cpu.mem.u8.set(s.ram);
  cpu.flush();
  cpu.state.load(s.cpu);
  cpu.retired = s.retired;
  const externals = externalsOf(kernel);
  thaw(s.kernel, classes, externals, kernel);
  (kernel.arch as UmArch).zpoline = thaw(s.zpoline, classes, externals) as UmArch["zpoline"];
}
