// mm/mprotect.ts — mprotect(2) and madvise(2), which a kernel without an MMU does not have. With nommu.map_fixed=own they do what they can
// for programs that were made for an ordinary Linux: glibc does not start when they fail.  cf. mm/mprotect.c, mm/madvise.c
import { EACCES, EINVAL, ENOMEM, ENOSYS } from "../include/uapi/errno.ts";
import { Int, MmapProt, Ptr, Size, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE, type VmArea } from "./mm_types.ts";
import { current_mm, no_longer_shared, owns, PROT_WRITE } from "./nommu.ts";
import { PAGE_ALIGN, PAGE_SIZE } from "./page_alloc.ts";
import { memset } from "../lib/bytes.ts";

const PROT_SEM = 8;
const PROT_GROWSDOWN = 0x01000000;
const PROT_GROWSUP = 0x02000000;
const MADV_DONTNEED = 4;
const MADV_FREE = 8;
/** hints that change nothing: NORMAL RANDOM SEQUENTIAL WILLNEED; DONTFORK DOFORK; DONTDUMP DODUMP; WIPEONFORK KEEPONFORK; COLD PAGEOUT POPULATE_READ POPULATE_WRITE */
const MADV_HINTS = new Set([0, 1, 2, 3, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23]);

/** The mappings of the caller that [addr, addr+len) consists of. Throws ENOSYS without the parameter, EINVAL, ENOMEM where there is none. */
function own_areas(task: Task, addr: number, len: number): VmArea[] {
  if (!owns(task.kernel)) throw ENOSYS;
  if (addr % PAGE_SIZE !== 0) throw EINVAL;
  const end = addr + PAGE_ALIGN(len);
  const found: VmArea[] = [];
  let at = addr;
  for (const vma of current_mm(task).vmas) {
    if (at >= end || vma.vm_start > at) break;
    if (vma.vm_end <= at) continue;
    found.push(vma);
    at = vma.vm_end;
  }
  if (at < end) throw ENOMEM;
  return found;
}

/** mprotect(2): what is given is noted of the whole mapping, what is taken away is not, and nothing is enforced. EACCES for writing where others read the same memory. */
export const sys_mprotect = SYSCALL_DEFINE("mprotect", [Ptr, Size, MmapProt], (task, addr, len, prot) => {
  const areas = own_areas(task, addr, len);
  if ((prot & ~(VM_READ | VM_WRITE | VM_EXEC | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)) !== 0) throw EINVAL;
  for (const vma of areas) {
    if ((prot & PROT_WRITE) !== 0 && (vma.vm_flags & VM_WRITE) === 0) {
      if (vma.vm_region.foreign || vma.vm_region.usage > 1) throw EACCES;
      no_longer_shared(vma);
    }
    vma.vm_flags |= prot & (VM_READ | VM_WRITE | VM_EXEC);
  }
  return 0;
});

/** madvise(2): MADV_DONTNEED and MADV_FREE empty private memory without a file; hints are taken note of. */
export const sys_madvise = SYSCALL_DEFINE("madvise", [Ptr, Size, Int], (task, addr, len, advice) => {
  const areas = own_areas(task, addr, len);
  if (MADV_HINTS.has(advice)) return 0;
  if (advice !== MADV_DONTNEED && advice !== MADV_FREE) throw EINVAL;
  const end = addr + PAGE_ALIGN(len);
  for (const vma of areas) {
    if (vma.vm_file !== undefined || (vma.vm_flags & VM_SHARED) !== 0) {
      if (advice === MADV_FREE) throw EINVAL;
      continue;
    }
    const [from, to] = [Math.max(addr, vma.vm_start), Math.min(end, vma.vm_end)];
    task.kernel.arch.flush_icache_range(from, to - from);
    memset(task.kernel.mem.u8, 0, from, to);
  }
  return 0;
});
