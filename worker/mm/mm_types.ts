// mm/mm_types.ts — an address space: what of the one memory a process has mapped.  cf. include/linux/mm_types.h, CONFIG_MMU=n
import type { Kernel } from "../kernel/kernel.ts";
import type { Path, File } from "../fs/fs.ts";
import type { VmRegion } from "./nommu_types.ts";
import { read_process_vm, write_process_vm } from "./access.ts";
import { forget_shadow, put_region } from "./nommu_types.ts";

export const VM_READ = 0x1;
export const VM_WRITE = 0x2;
export const VM_EXEC = 0x4;
export const VM_SHARED = 0x8;
export const VM_MAYREAD = 0x10;
export const VM_MAYWRITE = 0x20;
export const VM_MAYEXEC = 0x40;
export const VM_MAYSHARE = 0x80;
/** may be overlaid with another mapping of the same file */
export const VM_MAYOVERLAY = 0x200;
/** pages of a file, mapped directly */
export const VM_MAPPED_DIRECT = 0x400;
export const VM_GROWSDOWN = 0x100;

/** A mapping of a process: [vm_start, vm_end) of a region. */
export class VmArea {
  vm_start: number;
  vm_end: number;
  vm_flags: number;
  /** in pages */
  vm_pgoff: number;
  vm_file: File | undefined;
  readonly vm_region: VmRegion;
  constructor(start: number, end: number, flags: number, pgoff: number, file: File | undefined, region: VmRegion) {
    this.vm_start = start;
    this.vm_end = end;
    this.vm_flags = flags;
    this.vm_pgoff = pgoff;
    this.vm_file = file;
    this.vm_region = region;
  }
}

/** struct mm_struct */
export class Mm {
  /** tasks that use it */
  users = 1;
  /** ascending, not overlapping */
  readonly vmas: VmArea[] = [];
  start_code = 0;
  end_code = 0;
  start_data = 0;
  end_data = 0;
  start_brk = 0;
  brk = 0;
  end_brk = 0;
  start_stack = 0;
  /** bytes */
  stack_size = 0;
  arg_start = 0;
  arg_end = 0;
  env_start = 0;
  env_end = 0;
  /** pairs of type and value, as on the stack */
  saved_auxv: number[] = [];
  exe_file: Path | undefined;
  /** PR_SET_DUMPABLE */
  dumpable = 1;
  hiwater_pages = 0;

  /** bytes that are mapped */
  total_vm(): number {
    let n = 0;
    for (const v of this.vmas) n += v.vm_end - v.vm_start;
    return n;
  }
  /** highest use so far, KiB */
  maxrss(): number {
    return this.hiwater_pages * 4;
  }
  find_vma(addr: number): VmArea | undefined {
    for (const v of this.vmas) if (v.vm_start <= addr && addr < v.vm_end) return v;
    return undefined;
  }
  find_vma_exact(start: number, end: number): VmArea | undefined {
    for (const v of this.vmas) if (v.vm_start === start && v.vm_end === end) return v;
    return undefined;
  }
  insert_vma(vma: VmArea): void {
    let i = this.vmas.length;
    while (i > 0 && this.vmas[i - 1]!.vm_start > vma.vm_start) i--;
    this.vmas.splice(i, 0, vma);
    this.hiwater_pages = Math.max(this.hiwater_pages, this.total_vm() / 4096);
  }
  delete_vma(vma: VmArea): void {
    const i = this.vmas.indexOf(vma);
    if (i >= 0) this.vmas.splice(i, 1);
  }
  /** Copies from this memory at `addr`, whoever runs; returns how many bytes are mapped there, up to `len`.  cf. access_process_vm() */
  read(kernel: Kernel, addr: number, buf: Uint8Array, off: number, len: number): number {
    return read_process_vm(kernel, this, addr, buf, off, len);
  }
  write(kernel: Kernel, addr: number, buf: Uint8Array, off: number, len: number): number {
    return write_process_vm(kernel, this, addr, buf, off, len);
  }
  /** One user less; the last frees all that is mapped.  cf. mmput() */
  put(kernel: Kernel): void {
    if (--this.users > 0) return;
    for (const vma of this.vmas.splice(0)) {
      forget_shadow(vma.vm_region, this);
      if (vma.vm_file !== undefined) kernel.vfs.fput(undefined, vma.vm_file);
      put_region(kernel, vma.vm_region);
    }
    if (this.exe_file !== undefined) {
      const inode = this.exe_file.dentry.d_inode;
      if (inode !== undefined) inode.i_writecount++;
      kernel.vfs.path_put(this.exe_file);
      this.exe_file = undefined;
    }
  }
}
