// mm/fixed.ts — nommu.et_exec=SIZE: room for programs that are linked to fixed addresses (ELF type EXEC: Debian's python3 and gcc).
//
// Without an MMU nobody can promise an address, so Linux refuses such programs. Here a run of memory at the address that linkers take is kept for
// them from the start. All of them are in it by turns: whose content stands there is exchanged when another one is about to run, as after a fork
// (mm/shadow.ts). Not in Linux.
import { ENOMEM } from "../include/uapi/errno.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { memparse } from "../kernel/params.ts";
import { VM_EXEC, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_WRITE, VmArea, type Mm } from "./mm_types.ts";
import { VmRegion } from "./nommu_types.ts";
import { PAGE_ALIGN } from "./page_alloc.ts";

/** where ld puts programs on x86-64 */
const ET_EXEC_BASE = 0x400000;
const FLAGS = VM_READ | VM_WRITE | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

/** At boot, before anybody has memory: sets the room aside, and says so where it is not to be had. */
export function reserve_fixed(kernel: Kernel): void {
  const text = kernel.params.get("nommu.et_exec");
  if (text === undefined) return;
  const log = kernel.printk;
  const size = PAGE_ALIGN(memparse(text));
  if (!(size > 0)) return log.warn(`nommu.et_exec=${text}: a size is wanted, such as 64m; ignored`);
  if (kernel.shadow === undefined) return log.warn("nommu.et_exec: needs nommu.fork=shadow, ignored");
  const [start, end] = [ET_EXEC_BASE, ET_EXEC_BASE + size];
  if (!kernel.pages.alloc_contig_range(start, end)) return log.warn(`nommu.et_exec: there are no ${size >> 20} MiB of memory at 0x${start.toString(16)}, ignored`);
  const region = new VmRegion(FLAGS, start, end, end, 0, undefined, false);
  region.by_turns = true;
  kernel.regions.fixed = region;
  kernel.regions.all.add(region);
}

/** Is there room for a program at [start, end)? If not, tells once how much of it would do. */
export function fixed_fits(kernel: Kernel, who: string, start: number, end: number): boolean {
  const region = kernel.regions.fixed;
  if (region !== undefined && start >= region.vm_start && end <= region.vm_end) return true;
  if (!kernel.et_exec_refused && start >= ET_EXEC_BASE) {
    const need = Math.max(64, Math.ceil((end - ET_EXEC_BASE) / 2 ** 20));
    kernel.printk.info(`${who}: linked to a fixed address, which needs an MMU; nommu.fork=shadow nommu.et_exec=${need}m on the command line does without`);
    kernel.et_exec_refused = true;
  }
  return false;
}

/** The mapping for a program at [start, end), whole pages; what stands there is the caller's to write. Throws ENOMEM. */
export function map_fixed(kernel: Kernel, mm: Mm, start: number, end: number): VmArea {
  const region = kernel.regions.fixed;
  if (region === undefined) throw ENOMEM;
  kernel.shadow!.take_turn(kernel, region, mm, start, end);
  region.usage++;
  const vma = new VmArea(start, end, FLAGS, 0, undefined, region);
  mm.insert_vma(vma);
  return vma;
}
