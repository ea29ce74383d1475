// mm/nommu.ts — mmap and its kin on a machine without an MMU.  cf. mm/nommu.c, Documentation/admin-guide/mm/nommu-mmap.rst
//
// A mapping is a copy in a contiguous run of pages, or the pages of a file system that has them in memory. The address is the kernel's choice
// always: a hint is ignored, MAP_FIXED is EINVAL (unless nommu.map_fixed=own and the caller owns the place). Protections are noted, not enforced.
import { EACCES, EBADF, EINVAL, ENODEV, ENOMEM, EOVERFLOW, EPERM } from "../include/uapi/errno.ts";
import { O_ACCMODE, O_APPEND, O_RDWR, O_WRONLY } from "../include/uapi/fcntl.ts";
import { S_ISBLK, S_ISCHR, S_ISREG } from "../include/uapi/stat.ts";
import { MNT_NOEXEC } from "../include/uapi/mount.ts";
import type { File } from "../fs/fs.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Fd, Int, MmapFlags, MmapProt, Ptr, Size, SYSCALL_DEFINE, ULong } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import {
  VM_EXEC, VM_MAPPED_DIRECT, VM_MAYEXEC, VM_MAYOVERLAY, VM_MAYREAD, VM_MAYSHARE, VM_MAYWRITE, VM_READ, VM_SHARED, VM_WRITE, VmArea, type Mm,
} from "./mm_types.ts";
import { forget_shadow, free_run, put_region, VmRegion } from "./nommu_types.ts";
import { PAGE_ALIGN, PAGE_SIZE } from "./page_alloc.ts";
import { show_mem } from "./show_mem.ts";
import { memset } from "../lib/bytes.ts";

export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
const MAP_TYPE = 0xf;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
const TASK_SIZE = 2 ** 47 - 4096;
/** vm.max_map_count */
const MAX_MAP_COUNT = 65530;
const MREMAP_FIXED = 2;

function get_file(file: File): File {
  file.f_count++;
  return file;
}

export function current_mm(task: Task): Mm {
  if (task.mm === undefined) throw EINVAL;
  return task.mm;
}

/** nommu.map_fixed=own: a process may do with its own mappings what an ordinary Linux lets it do. */
export const owns = (kernel: Kernel): boolean => kernel.params.get("nommu.map_fixed") === "own";

/** What a file allows: "copy" a private copy, "direct" its own memory; and whether this request is refused.  cf. validate_mmap_request() */
function capabilities(file: File, prot: number, flags: number): { direct: boolean; copy: boolean } {
  const inode = file.f_inode;
  const mode = inode?.i_mode ?? 0;
  const offers = file.f_op.mmap_capabilities;
  if (offers === false) throw ENODEV;
  let direct = offers === "direct";
  let copy = offers === "copy" || offers === "zero" || (direct && (S_ISREG(mode) || S_ISBLK(mode)));
  if (S_ISCHR(mode) && offers === "direct") copy = false;
  if ((file.f_flags & O_ACCMODE) === O_WRONLY) throw EACCES;
  if ((flags & MAP_TYPE) === MAP_SHARED) {
    if ((prot & PROT_WRITE) !== 0 && (file.f_flags & O_ACCMODE) !== O_RDWR) throw EACCES;
    if ((file.f_flags & O_APPEND) !== 0 && (file.f_flags & O_ACCMODE) !== 0) throw EACCES;
    if (!direct) throw ENODEV;
    copy = false;
  } else {
    // a private writable mapping is always a copy
    if (!copy && !direct) throw ENODEV;
    if ((prot & PROT_WRITE) !== 0) direct = false;
    if (!direct && !copy) throw ENODEV;
  }
  if ((prot & PROT_EXEC) !== 0 && file.f_path !== undefined && (file.f_path.mnt.mnt_flags & MNT_NOEXEC) !== 0) throw EPERM;
  return { direct, copy };
}

/** cf. determine_vm_flags() */
function determine_vm_flags(file: File | undefined, prot: number, flags: number, direct: boolean): number {
  let vm = prot & (VM_READ | VM_WRITE | VM_EXEC);
  if (file === undefined) {
    vm |= VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
    if ((flags & MAP_TYPE) === MAP_SHARED) vm |= VM_SHARED | VM_MAYSHARE;
    return vm;
  }
  vm |= VM_MAYREAD | VM_MAYEXEC;
  if ((flags & MAP_TYPE) === MAP_SHARED) {
    vm |= VM_SHARED | VM_MAYSHARE;
    if ((file.f_flags & O_ACCMODE) === O_RDWR) vm |= VM_MAYWRITE;
  } else {
    vm |= VM_MAYWRITE;
    if ((prot & PROT_WRITE) === 0) vm |= VM_MAYOVERLAY;
  }
  if (direct) vm |= VM_MAPPED_DIRECT;
  return vm;
}

function no_memory(kernel: Kernel, task: Task, len: number): never {
  kernel.printk.err(`nommu: Allocation of length ${len} from process ${task.pid} (${task.comm}) failed`);
  show_mem(kernel);
  throw ENOMEM;
}

/** A run of `len` bytes (page multiple), zeroed or filled from the file.  cf. do_mmap_private() */
function private_copy(kernel: Kernel, task: Task, len: number, file: File | undefined, pgoff: number): { start: number; top: number } {
  const run = kernel.pages.alloc_run(len / PAGE_SIZE);
  if (run === undefined) no_memory(kernel, task, len);
  const start = run.addr;
  kernel.regions.mmap_pages_allocated += run.total;
  kernel.arch.flush_icache_range(start, run.total * PAGE_SIZE);
  const u8 = kernel.mem.u8;
  let filled = 0;
  if (file !== undefined && file.f_op.mmap_capabilities !== "zero") {
    try {
      while (filled < len) {
        const n = file.f_op.read(file, task, u8, start + filled, len - filled, pgoff * PAGE_SIZE + filled);
        if (n === 0) break;
        filled += n;
      }
    } catch (e) {
      free_run(kernel, start, start + run.total * PAGE_SIZE);
      throw e;
    }
  }
  memset(u8, 0, start + filled, start + run.total * PAGE_SIZE);
  return { start, top: start + run.total * PAGE_SIZE };
}

/** The region that a new shareable mapping joins, if one holds all of it; EINVAL where one holds only a part, unless it may be `apart`.  cf. do_mmap() */
function find_shareable(kernel: Kernel, file: File, pgoff: number, pages: number, apart: boolean): VmRegion | undefined {
  for (const r of kernel.regions.all) {
    if ((r.vm_flags & (VM_MAYSHARE | VM_MAYOVERLAY)) === 0 || r.inode !== file.f_inode || r.inode === undefined) continue;
    const rend = r.vm_pgoff + (r.vm_end - r.vm_start) / PAGE_SIZE;
    if (r.vm_pgoff >= pgoff + pages || pgoff >= rend) continue;
    if (r.vm_pgoff <= pgoff && pgoff + pages <= rend) return r;
    if (!apart) {
      kernel.printk.warn("Attempt to share mismatched mappings");
      throw EINVAL;
    }
  }
  return undefined;
}

/**
 * mmap(2): the address. `pgoff` in pages. Throws what the decision table of the facts says.
 * cf. do_mmap()
 */
export function do_mmap(task: Task, file: File | undefined, addr: number, len: number, prot: number, flags: number, pgoff: number): number {
  const kernel = task.kernel;
  const mm = current_mm(task);
  if ((flags & MAP_FIXED) !== 0) {
    if (owns(kernel)) return map_own(task, mm, file, addr, len, prot, flags, pgoff);
    if (!kernel.map_fixed_refused && mm.find_vma(addr) !== undefined) {
      kernel.printk.info(`${task.comm}[${task.pid}]: MAP_FIXED needs an MMU; nommu.map_fixed=own on the command line does without`);
      kernel.map_fixed_refused = true;
    }
    throw EINVAL;
  }
  const type = flags & MAP_TYPE;
  if (type !== MAP_PRIVATE && type !== MAP_SHARED) throw EINVAL;
  if (len === 0) throw EINVAL;
  const rlen = PAGE_ALIGN(len);
  if (rlen === 0 || rlen > TASK_SIZE) throw ENOMEM;
  if (pgoff + rlen / PAGE_SIZE > 2 ** 52) throw EOVERFLOW;
  const caps = file === undefined ? { direct: false, copy: true } : capabilities(file, prot, flags);
  // who may replace parts of a private mapping must have a copy
  if (type === MAP_PRIVATE && caps.direct && caps.copy && owns(kernel)) caps.direct = false;
  const vm_flags = determine_vm_flags(file, prot, flags, caps.direct);
  const shareable = file !== undefined && (vm_flags & (VM_MAYSHARE | VM_MAYOVERLAY)) !== 0;

  let region: VmRegion | undefined;
  if (shareable) {
    // with an MMU private mappings may overlap in any way: gcc's link-time optimizer maps sections of one file
    region = find_shareable(kernel, file, pgoff, rlen / PAGE_SIZE, caps.direct || (type === MAP_PRIVATE && owns(kernel)));
    if (region !== undefined) {
      region.usage++;
      const start = region.vm_start + (pgoff - region.vm_pgoff) * PAGE_SIZE;
      mm.insert_vma(new VmArea(start, start + rlen, vm_flags, pgoff, get_file(file), region));
      return start;
    }
  }
  if (file !== undefined && caps.direct) {
    const at = file.f_op.get_unmapped_area(file, pgoff, rlen);
    if (at !== undefined) region = new VmRegion(vm_flags, at, at + rlen, at + rlen, pgoff, get_file(file), true);
    else if ((vm_flags & VM_SHARED) !== 0) throw ENODEV;
  }
  if (region === undefined) {
    const { start, top } = private_copy(kernel, task, rlen, file, pgoff);
    region = new VmRegion(vm_flags & ~VM_MAPPED_DIRECT, start, start + rlen, top, pgoff, file && get_file(file), false);
  }
  kernel.regions.all.add(region);
  mm.insert_vma(new VmArea(region.vm_start, region.vm_end, region.vm_flags, pgoff, file && get_file(file), region));
  if (file !== undefined && !region.foreign) code_placed(task, file, prot, pgoff, region.vm_start, rlen);
  return region.vm_start;
}

/**
 * nommu.map_fixed=own: MAP_FIXED within one mapping of the caller's own. The contents of the place change (file bytes, or zeros) and nothing else
 * moves; a place that is shared with others is EINVAL. Unlike Linux: there it is EINVAL always.
 */
function map_own(task: Task, mm: Mm, file: File | undefined, addr: number, len: number, prot: number, flags: number, pgoff: number): number {
  const kernel = task.kernel;
  if (addr % PAGE_SIZE !== 0 || len === 0) throw EINVAL;
  const type = flags & MAP_TYPE;
  if (type !== MAP_PRIVATE && !(type === MAP_SHARED && file === undefined)) throw EINVAL;
  const end = addr + PAGE_ALIGN(len);
  let vma = mm.vmas.find((v) => v.vm_start <= addr && end <= v.vm_end);
  if (vma === undefined) throw EINVAL;
  if (file !== undefined) capabilities(file, prot | PROT_WRITE, flags);
  if (vma.vm_region.foreign || vma.vm_region.usage > 1) {
    // others see these pages: this process gets its own at the same place only if nobody else is there
    throw EINVAL;
  }
  no_longer_shared(vma);
  vma.vm_flags |= prot & (VM_READ | VM_WRITE | VM_EXEC);
  vma = undefined;
  const u8 = kernel.mem.u8;
  kernel.arch.flush_icache_range(addr, end - addr);
  let filled = 0;
  if (file !== undefined) {
    while (filled < end - addr) {
      const n = file.f_op.read(file, task, u8, addr + filled, end - addr - filled, pgoff * PAGE_SIZE + filled);
      if (n === 0) break;
      filled += n;
    }
  }
  memset(u8, 0, addr + filled, end);
  if (file !== undefined) code_placed(task, file, prot, pgoff, addr, end - addr);
  return addr;
}

/** The mapping may differ from its file from now on: nobody may join its region any more. */
export function no_longer_shared(vma: VmArea): void {
  const r = vma.vm_region;
  if ((r.vm_flags & (VM_MAYSHARE | VM_MAYOVERLAY)) === 0) return;
  r.vm_flags = (r.vm_flags & ~(VM_MAYSHARE | VM_MAYOVERLAY)) | VM_WRITE;
  vma.vm_flags = (vma.vm_flags & ~VM_MAYOVERLAY) | VM_WRITE;
}

/** Tells the port of code that was mapped. */
function code_placed(task: Task, file: File, prot: number, pgoff: number, addr: number, len: number): void {
  const { arch } = task.kernel;
  if (arch.follows_code && (prot & PROT_EXEC) !== 0) arch.code_placed(task, file, pgoff * PAGE_SIZE, addr, len);
}

/** Splits a mapping at `addr`; the lower part stays `vma`. Only a region that no other mapping uses can be split.  cf. split_vma() */
function split_vma(mm: Mm, kernel: Kernel, vma: VmArea, addr: number): void {
  if (vma.vm_file !== undefined) throw ENOMEM;
  if (mm.vmas.length >= MAX_MAP_COUNT) throw ENOMEM;
  const r = vma.vm_region;
  const upper = new VmRegion(r.vm_flags, addr, r.vm_end, r.vm_top, r.vm_pgoff, undefined, r.foreign);
  r.vm_end = r.vm_top = addr;
  const high = new VmArea(addr, vma.vm_end, vma.vm_flags, vma.vm_pgoff, undefined, upper);
  vma.vm_end = addr;
  kernel.regions.all.add(upper);
  mm.insert_vma(high);
}

/** Cuts [from, to) off the beginning or the end of a mapping.  cf. vmi_shrink_vma() */
function shrink_vma(kernel: Kernel, vma: VmArea, from: number, to: number): void {
  const r = vma.vm_region;
  if (from > vma.vm_start) {
    vma.vm_end = from;
    const top = r.vm_top;
    r.vm_end = r.vm_top = from;
    free_run(kernel, from, top);
  } else {
    const start = r.vm_start;
    vma.vm_start = r.vm_start = to;
    free_run(kernel, start, to);
  }
}

/** Part of a mapping of a region that a relative has as well (nommu.fork=shadow): the memory stays until all let go of it. */
function unmap_part(mm: Mm, vma: VmArea, start: number, end: number): void {
  if (start === vma.vm_start) vma.vm_start = end;
  else {
    if (end !== vma.vm_end) {
      if (mm.vmas.length >= MAX_MAP_COUNT) throw ENOMEM;
      vma.vm_region.usage++;
      mm.insert_vma(new VmArea(end, vma.vm_end, vma.vm_flags, vma.vm_pgoff, undefined, vma.vm_region));
    }
    vma.vm_end = start;
  }
}

function delete_vma(kernel: Kernel, task: Task, mm: Mm, vma: VmArea): void {
  mm.delete_vma(vma);
  forget_shadow(vma.vm_region, mm);
  if (vma.vm_file !== undefined) kernel.vfs.fput(task, vma.vm_file);
  put_region(kernel, vma.vm_region);
}

/** munmap(2).  cf. do_munmap() */
export function do_munmap(task: Task, start: number, len: number): void {
  const kernel = task.kernel;
  const mm = current_mm(task);
  const rlen = PAGE_ALIGN(len);
  if (rlen === 0) throw EINVAL;
  const end = start + rlen;
  const vma = mm.vmas.find((v) => v.vm_end > start && v.vm_start < end);
  if (vma === undefined) {
    if (kernel.regions.munmap_warnings++ < 5)
      kernel.printk.warn(
        `munmap of memory not mmapped by process ${task.pid} (${task.comm}): 0x${start.toString(16)}-0x${(end - 1).toString(16)}`,
      );
    throw EINVAL;
  }
  if (vma.vm_file !== undefined) {
    if (start > vma.vm_start || end !== vma.vm_end) throw EINVAL;
    if (start === vma.vm_start) return delete_vma(kernel, task, mm, vma);
    throw EINVAL;
  }
  if (start === vma.vm_start && end === vma.vm_end) return delete_vma(kernel, task, mm, vma);
  if (start < vma.vm_start || end > vma.vm_end) throw EINVAL;
  if (start % PAGE_SIZE !== 0) throw EINVAL;
  if (end !== vma.vm_end && end % PAGE_SIZE !== 0) throw EINVAL;
  if (vma.vm_region.foreign) throw EINVAL;
  if (vma.vm_region.usage > 1) return unmap_part(mm, vma, start, end);
  if (start !== vma.vm_start && end !== vma.vm_end) split_vma(mm, kernel, vma, end);
  shrink_vma(kernel, vma, start, end);
}

/** mremap(2): in place only.  cf. do_mremap() */
export function do_mremap(task: Task, addr: number, old_len: number, new_len: number, flags: number, new_addr: number): number {
  const mm = current_mm(task);
  const olen = PAGE_ALIGN(old_len);
  const nlen = PAGE_ALIGN(new_len);
  if (olen === 0 || nlen === 0) throw EINVAL;
  if (addr % PAGE_SIZE !== 0) throw EINVAL;
  if ((flags & MREMAP_FIXED) !== 0 && new_addr !== addr) throw EINVAL;
  const vma = mm.find_vma_exact(addr, addr + olen);
  if (vma === undefined) throw EINVAL;
  if ((vma.vm_flags & (VM_MAYSHARE | VM_MAYOVERLAY)) !== 0) throw EPERM;
  const region = vma.vm_region;
  if (nlen > region.vm_top - vma.vm_start || (region.usage > 1 && nlen > olen)) throw ENOMEM;
  vma.vm_end = vma.vm_start + nlen;
  return vma.vm_start;
}

/** mmap(2) */
export const sys_mmap = SYSCALL_DEFINE("mmap", [Ptr, Size, MmapProt, MmapFlags, Fd, ULong], (task, addr, len, prot, flags, fd, off) => {
  if (off % PAGE_SIZE !== 0) throw EINVAL;
  let file: File | undefined;
  if ((flags & MAP_ANONYMOUS) === 0) {
    if (task.files === undefined) throw EBADF;
    file = task.files.fget(fd);
  }
  return do_mmap(task, file, addr, len, prot, flags, off / PAGE_SIZE);
});

/** munmap(2) */
export const sys_munmap = SYSCALL_DEFINE("munmap", [Ptr, Size], (task, addr, len) => {
  do_munmap(task, addr, len);
  return 0;
});

/** mremap(2) */
export const sys_mremap = SYSCALL_DEFINE("mremap", [Ptr, Size, Size, Int, Ptr], (task, addr, old_len, new_len, flags, new_addr) =>
  do_mremap(task, addr, old_len, new_len, flags, new_addr),
);

/** brk(2): never fails, and says where the break is. Within [start_brk, end_brk) only, which the ELF loader leaves empty. */
export const sys_brk = SYSCALL_DEFINE("brk", [Ptr], (task, brk) => {
  const mm = current_mm(task);
  if (brk < mm.start_brk || brk > mm.end_brk) return mm.brk;
  if (brk > mm.brk) {
    task.kernel.arch.flush_icache_range(mm.brk, brk - mm.brk);
    memset(task.kernel.mem.u8, 0, mm.brk, brk);
  }
  mm.brk = brk;
  return brk;
});
