// mm/shadow.ts — nommu.fork=shadow: fork(2) for unmodified programs, in one address space.
//
// Parent and child have the same mappings at the same addresses. What is private to a process and writable has one content for each of them:
// that of the process that ran last stands in memory (it is resident), the others' are kept aside and exchanged when another one is about to
// run. Pages that do not differ are not touched. What is kept aside is the emulator's memory, not the guest's; so that a guest cannot fork more
// than a real machine of its size could hold, a fork needs as much free memory as it copies. Not in Linux; MINIX did this on the Atari ST.
import { ENOMEM } from "../include/uapi/errno.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import { Mm, VM_MAYOVERLAY, VM_SHARED, VM_WRITE, VmArea } from "./mm_types.ts";
import { keep_spare, Shadow, type Kept, type Range, type VmRegion } from "./nommu_types.ts";
import { PAGE_SIZE } from "./page_alloc.ts";

/** Does each process have a content of its own here? */
function is_private(vma: VmArea): boolean {
  if ((vma.vm_flags & VM_SHARED) !== 0 || vma.vm_region.foreign) return false;
  return vma.vm_file === undefined || (vma.vm_flags & VM_WRITE) !== 0 || (vma.vm_flags & VM_MAYOVERLAY) === 0;
}
const ranges_of = (region: VmRegion): readonly Range[] => region.shadow?.ranges ?? region.writable ?? [[region.vm_start, region.vm_top]];
const size_of = (ranges: readonly Range[]): number => ranges.reduce((n, [from, to]) => n + to - from, 0);

function save(u8: Uint8Array, region: VmRegion, ranges: readonly Range[]): Kept {
  const size = size_of(ranges);
  const old = region.spare?.pop();
  const out = old?.length === size ? old : new Uint8Array(size);
  let at = 0;
  for (const [from, to] of ranges) {
    out.set(u8.subarray(from, to), at);
    at += to - from;
  }
  return { ranges, bytes: out };
}

const WORDS = PAGE_SIZE >> 2;
const page_buffer = new Uint8Array(PAGE_SIZE);

/** Are the pages at x[a] and y[b] the same? Eight words at a time: most pages are, and this loop is what a switch between relatives costs. */
function same_page(x: Int32Array, a: number, y: Int32Array, b: number): boolean {
  for (const end = a + WORDS; a < end; a += 8, b += 8) {
    const d =
      (x[a] ^ y[b]) | (x[a + 1] ^ y[b + 1]) | (x[a + 2] ^ y[b + 2]) | (x[a + 3] ^ y[b + 3]) | (x[a + 4] ^ y[b + 4]) | (x[a + 5] ^ y[b + 5]) | (x[a + 6] ^ y[b + 6]) | (x[a + 7] ^ y[b + 7]);
    if (d !== 0) return false;
  }
  return true;
}

/** Exchanges memory and `copy`, page by page where they differ. */
function exchange(kernel: Kernel, ranges: readonly Range[], copy: Uint8Array): void {
  const { u8, i32 } = kernel.mem;
  const kept = new Int32Array(copy.buffer, copy.byteOffset, copy.length >> 2);
  let at = 0;
  for (const [from, to] of ranges)
    for (let page = from; page < to; page += PAGE_SIZE, at += WORDS) {
      if (same_page(i32, page >>> 2, kept, at)) continue;
      page_buffer.set(u8.subarray(page, page + PAGE_SIZE));
      u8.set(copy.subarray(at * 4, at * 4 + PAGE_SIZE), page);
      copy.set(page_buffer, at * 4);
      kernel.arch.flush_icache_range(page, PAGE_SIZE);
    }
}

/** What the kernel asks when nommu.fork=shadow (kernel.shadow): it has no state of its own. */
export class ShadowFork {
  /** The child's memory. Throws ENOMEM.  cf. dup_mm() */
  dup_mm(parent: Task): Mm {
    const { kernel } = parent;
    const old = parent.mm!;
    const regions = new Set(old.vmas.filter(is_private).map((v) => v.vm_region));
    let bytes = 0;
    for (const r of regions) bytes += size_of(ranges_of(r));
    if (bytes > kernel.pages.nr_free * PAGE_SIZE) throw ENOMEM;
    const mm = new Mm();
    const { start_code, end_code, start_data, end_data, start_brk, brk, end_brk, start_stack, stack_size, arg_start, arg_end, env_start, env_end, dumpable } = old;
    Object.assign(mm, { start_code, end_code, start_data, end_data, start_brk, brk, end_brk, start_stack, stack_size, arg_start, arg_end, env_start, env_end, dumpable });
    mm.saved_auxv = [...old.saved_auxv];
    mm.exe_file = old.exe_file;
    if (mm.exe_file !== undefined) kernel.vfs.get_exe(mm.exe_file);
    for (const v of old.vmas) {
      v.vm_region.usage++;
      if (v.vm_file !== undefined) v.vm_file.f_count++;
      mm.insert_vma(new VmArea(v.vm_start, v.vm_end, v.vm_flags, v.vm_pgoff, v.vm_file, v.vm_region));
    }
    for (const r of regions) {
      r.shadow ??= new Shadow(ranges_of(r), old);
      r.shadow.copies.set(mm, save(kernel.mem.u8, r, r.shadow.ranges));
    }
    return mm;
  }
  /** `mm` is about to run: its contents come into memory. */
  swap_in(kernel: Kernel, mm: Mm): void {
    for (const { vm_region: region } of mm.vmas) {
      const { shadow } = region;
      if (shadow === undefined || shadow.resident === mm) continue;
      const copy = shadow.copies.get(mm)!;
      shadow.copies.delete(mm);
      if (shadow.ranges !== copy.ranges) this.set_aside(kernel, region, shadow);
      exchange(kernel, copy.ranges, copy.bytes);
      if (shadow.resident !== undefined) shadow.copies.set(shadow.resident, copy);
      else keep_spare(region, copy.bytes);
      shadow.resident = mm;
      shadow.ranges = copy.ranges;
      if (shadow.copies.size === 0 && !region.by_turns) region.shadow = undefined;
    }
  }
  /** Keeps what stands in memory for its owner, if it has one: after that it is nobody's. */
  private set_aside(kernel: Kernel, region: VmRegion, shadow: Shadow): void {
    if (shadow.resident !== undefined) shadow.copies.set(shadow.resident, save(kernel.mem.u8, region, shadow.ranges));
    shadow.resident = undefined;
  }
  /** [start, end) of a region that programs have by turns is `mm`'s from now on, its content up to the caller. Throws ENOMEM if the content before it cannot be kept. */
  take_turn(kernel: Kernel, region: VmRegion, mm: Mm, start: number, end: number): void {
    const ranges: readonly Range[] = [[start, end]];
    const shadow = (region.shadow ??= new Shadow(ranges, mm));
    if (shadow.resident !== mm) {
      if (size_of(shadow.ranges) > kernel.pages.nr_free * PAGE_SIZE) throw ENOMEM;
      this.set_aside(kernel, region, shadow);
    }
    shadow.resident = mm;
    shadow.ranges = ranges;
    kernel.arch.flush_icache_range(start, end - start);
  }
  /** `other` has, at `addr`, a content that the running process does not see: a futex there is not the same futex. */
  private_elsewhere(kernel: Kernel, other: Task, addr: number): boolean {
    if (other.mm === kernel.current?.mm) return false;
    return other.mm?.find_vma(addr)?.vm_region.shadow !== undefined;
  }
  /** Writes a word into the memory of a process that need not be the running one. */
  poke_u32(kernel: Kernel, mm: Mm, addr: number, value: number): void {
    const shadow = mm.find_vma(addr)?.vm_region.shadow;
    let { view } = kernel.mem;
    if (shadow !== undefined && shadow.resident !== mm) {
      const { ranges, bytes } = shadow.copies.get(mm)!;
      let at = 0;
      for (const [from, to] of ranges) {
        if (addr >= from && addr + 4 <= to) {
          view = new DataView(bytes.buffer, bytes.byteOffset);
          addr += at - from;
          break;
        }
        at += to - from;
      }
    }
    view.setUint32(addr, value, true);
  }
}
