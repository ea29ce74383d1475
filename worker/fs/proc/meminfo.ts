// fs/proc/meminfo.ts — meminfo, buddyinfo, vmstat and maps of a machine without an MMU.  cf. fs/proc/meminfo.c, fs/proc/nommu.c, mm/vmstat.c
import { MAJOR, MINOR } from "../../include/uapi/stat.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { File } from "../fs.ts";
import { d_path } from "../dcache.ts";
import { KERNEL_STACK_KB } from "../../mm/show_mem.ts";
import type { ProcTable } from "./internal.ts";

const VM_READ = 1;
const VM_WRITE = 2;
const VM_EXEC = 4;
const VM_SHARED = 8;
const VM_MAYSHARE = 0x80;

/** seq_setwidth: the path begins at this column */
const PATH_COLUMN = 73;
const hex = (v: number, width: number): string => v.toString(16).padStart(width, "0");

/** A line of maps: a mapping, or a region.  cf. nommu_vma_show(), nommu_region_show() */
export function map_line(start: number, end: number, flags: number, pgoff: number, file: File | undefined, name: string): string {
  const inode = file?.f_inode;
  const dev = inode?.i_sb.s_dev ?? 0;
  const perms =
    ((flags & VM_READ) !== 0 ? "r" : "-") +
    ((flags & VM_WRITE) !== 0 ? "w" : "-") +
    ((flags & VM_EXEC) !== 0 ? "x" : "-") +
    ((flags & VM_MAYSHARE) !== 0 ? ((flags & VM_SHARED) !== 0 ? "S" : "s") : "p");
  const line = `${hex(start, 8)}-${hex(end, 8)} ${perms} ${hex(pgoff * 4096, 8)} ${hex(MAJOR(dev), 2)}:${hex(MINOR(dev), 2)} ${inode?.i_ino ?? 0} `;
  const path = file === undefined ? name : file.f_path === undefined ? file.f_op.d_dname(file) : d_path(file.f_path, undefined).text;
  return (path === "" ? line : line.padEnd(PATH_COLUMN) + path) + "\n";
}

/** All regions in address order. */
function show_maps(kernel: Kernel): string {
  const regions = [...kernel.regions.all].sort((a, b) => a.vm_start - b.vm_start);
  return regions.map((r) => map_line(r.vm_start, r.vm_end, r.vm_flags, r.vm_pgoff, r.vm_file, "")).join("");
}

const kb = (label: string, value: number): string => `${(label + ":").padEnd(16)}${String(Math.floor(value)).padStart(8)} kB\n`;

function show_meminfo(kernel: Kernel): string {
  const total = kernel.pages.nr_pages * 4;
  const free = kernel.pages.nr_free * 4;
  const { cached, dirty } = kernel.vfs.page_cache_kb();
  const zero = (label: string): string => kb(label, 0);
  return (
    kb("MemTotal", total) + kb("MemFree", free) + kb("MemAvailable", free) + zero("Buffers") + kb("Cached", cached) + zero("SwapCached") +
    zero("Active") + kb("Inactive", cached) + zero("Active(anon)") + zero("Inactive(anon)") + zero("Active(file)") + kb("Inactive(file)", cached) +
    zero("Unevictable") + zero("Mlocked") + kb("MmapCopy", kernel.regions.mmap_pages_allocated * 4) + zero("SwapTotal") + zero("SwapFree") +
    kb("Dirty", dirty) + zero("Writeback") + zero("AnonPages") + zero("Mapped") + zero("Shmem") + zero("KReclaimable") + zero("Slab") +
    zero("SReclaimable") + zero("SUnreclaim") + kb("KernelStack", kernel.tasks.size * KERNEL_STACK_KB) + zero("PageTables") + zero("SecPageTables") +
    zero("NFS_Unstable") + zero("Bounce") + zero("WritebackTmp") + kb("CommitLimit", total / 2) + zero("Committed_AS") +
    zero("VmallocTotal") + zero("VmallocUsed") + zero("VmallocChunk") + zero("Percpu")
  );
}

function show_buddyinfo(kernel: Kernel): string {
  return `Node 0, zone   Normal ${kernel.pages.buddyinfo().map((n: number) => String(n).padStart(6) + " ").join("")}\n`;
}

/** Of what Linux counts, what there is; KiB of the disks as pgpgin and pgpgout.  cf. vmstat_show() */
function show_vmstat(kernel: Kernel): string {
  const { cached, dirty } = kernel.vfs.page_cache_kb();
  let read = 0;
  let written = 0;
  for (const d of kernel.blkdev.devices.values()) {
    if (d.bd_partno > 0) continue;
    read += d.stats.sectorsRead;
    written += d.stats.sectorsWritten;
  }
  const values: readonly (readonly [string, number])[] = [
    ["nr_free_pages", kernel.pages.nr_free], ["nr_mlock", 0], ["nr_inactive_anon", 0], ["nr_active_anon", 0], ["nr_inactive_file", cached / 4], ["nr_active_file", 0],
    ["nr_unevictable", 0], ["nr_slab_reclaimable", 0], ["nr_slab_unreclaimable", 0], ["nr_anon_pages", 0], ["nr_mapped", 0], ["nr_file_pages", cached / 4], ["nr_dirty", dirty / 4],
    ["nr_writeback", 0], ["nr_shmem", 0], ["nr_kernel_stack", kernel.tasks.size * KERNEL_STACK_KB], ["pgpgin", read / 2], ["pgpgout", written / 2], ["pswpin", 0], ["pswpout", 0],
    ["pgfault", 0], ["pgmajfault", 0], ["nr_mmap_copy_pages", kernel.regions.mmap_pages_allocated],
  ];
  return values.map(([name, v]) => `${name} ${Math.floor(v)}\n`).join("");
}

export const MEMORY_FILES: ProcTable = {
  buddyinfo: { show: show_buddyinfo },
  maps: { show: show_maps },
  meminfo: { show: show_meminfo },
  swaps: { show: () => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" },
  vmstat: { show: show_vmstat },
};
