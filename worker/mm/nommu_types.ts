// mm/nommu_types.ts — regions: the runs of memory behind mappings, which several mappings may share.  cf. struct vm_region, mm/nommu.c
import type { Kernel } from "../kernel/kernel.ts";
import type { File, Inode } from "../fs/fs.ts";
import type { Mm } from "./mm_types.ts";
import { PAGE_SIZE } from "./page_alloc.ts";

/** [start, end), whole pages */
export type Range = readonly [number, number];

/** A content that is not in memory: the ranges one after the other. Relatives have the same list of ranges. */
export interface Kept {
  readonly ranges: readonly Range[];
  readonly bytes: Uint8Array;
}

/** Contents of a region that several processes have, each its own (mm/shadow.ts). */
export class Shadow {
  /** whose content stands in memory, and where; undefined: nobody's any more */
  resident: Mm | undefined;
  ranges: readonly Range[];
  /** of all others */
  readonly copies = new Map<Mm, Kept>();
  constructor(ranges: readonly Range[], resident: Mm) {
    this.ranges = ranges;
    this.resident = resident;
  }
}

export class VmRegion {
  vm_flags: number;
  /** [vm_start, vm_end) is mapped, [vm_start, vm_top) is owned */
  vm_start: number;
  vm_end: number;
  vm_top: number;
  vm_pgoff: number;
  /** keeps the file open while mapped */
  vm_file: File | undefined;
  /** the memory belongs to the file system (a direct mapping), not to this region */
  readonly foreign: boolean;
  usage = 1;
  /** what of it a program writes to, as far as that is known (an image's data) */
  writable: readonly Range[] | undefined = undefined;
  shadow: Shadow | undefined = undefined;
  /** programs that know nothing of each other have it by turns: its shadow says whose turn it is */
  by_turns = false;
  /** buffers that earlier forks needed: a new one costs more than to fill it */
  spare: Uint8Array[] | undefined = undefined;
  constructor(flags: number, start: number, end: number, top: number, pgoff: number, file: File | undefined, foreign: boolean) {
    this.vm_flags = flags;
    this.vm_start = start;
    this.vm_end = end;
    this.vm_top = top;
    this.vm_pgoff = pgoff;
    this.vm_file = file;
    this.foreign = foreign;
  }
  get inode(): Inode | undefined {
    return this.vm_file?.f_inode;
  }
}

/** All regions of the machine (nommu_region_tree). */
export class NommuRegions {
  readonly all = new Set<VmRegion>();
  /** nommu.et_exec=: where programs go that are linked to fixed addresses (mm/fixed.ts) */
  fixed: VmRegion | undefined = undefined;
  /** "munmap of memory not mmapped" is logged five times */
  munmap_warnings = 0;
  /** pages in private copies of files (/proc/meminfo MmapCopy) */
  mmap_pages_allocated = 0;
}

/** buffers that a region keeps */
const SPARE = 4;

export function keep_spare(region: VmRegion, copy: Uint8Array): void {
  const spare = (region.spare ??= []);
  if (spare.length < SPARE) spare.push(copy);
}

/** `mm` has no mapping of the region any more: its content of it goes. */
export function forget_shadow(region: VmRegion, mm: Mm): void {
  const { shadow } = region;
  if (shadow === undefined || mm.vmas.some((v) => v.vm_region === region)) return;
  const copy = shadow.copies.get(mm);
  shadow.copies.delete(mm);
  if (copy !== undefined) keep_spare(region, copy.bytes);
  if (shadow.resident === mm) shadow.resident = undefined;
  if (shadow.copies.size === 0 && !region.by_turns) region.shadow = undefined;
}

/** One mapping of the region less; the last frees its memory.  cf. put_nommu_region() */
export function put_region(kernel: Kernel, region: VmRegion): void {
  if (--region.usage > 0) return;
  kernel.regions.all.delete(region);
  const file = region.vm_file;
  region.vm_file = undefined;
  if (!region.foreign && region.vm_top > region.vm_start) free_run(kernel, region.vm_start, region.vm_top);
  if (file !== undefined) kernel.vfs.fput(undefined, file);
}

/** Gives [from, to) back; whatever code it held is forgotten. */
export function free_run(kernel: Kernel, from: number, to: number): void {
  kernel.arch.flush_icache_range(from, to - from);
  kernel.pages.free_pages_exact(from, (to - from) / PAGE_SIZE);
  kernel.regions.mmap_pages_allocated -= (to - from) / PAGE_SIZE;
}
