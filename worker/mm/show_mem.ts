// mm/show_mem.ts — what the log shows of memory when there is none, or somebody asks.  cf. mm/show_mem.c
import type { Kernel } from "../kernel/kernel.ts";
import { KERN_WARNING } from "../kernel/printk.ts";

/** KiB of a task's kernel stack (THREAD_SIZE) */
export const KERNEL_STACK_KB = 32;

/** One node, one zone, no caches that could be shrunk.  cf. __show_mem() */
export function show_mem(kernel: Kernel): void {
  const { pages } = kernel;
  const { cached, dirty } = kernel.vfs.page_cache_kb();
  const file = Math.floor(cached / 4);
  const free = pages.nr_free_pages();
  const total = pages.totalram_pages();
  const line = (text: string): void => kernel.printk.printk(KERN_WARNING, text);
  line("Mem-Info:");
  line(
    `active_anon:0 inactive_anon:0 isolated_anon:0\n active_file:0 inactive_file:${file} isolated_file:0\n unevictable:0 dirty:${Math.floor(dirty / 4)} writeback:0\n` +
      ` slab_reclaimable:0 slab_unreclaimable:0\n mapped:0 shmem:0 pagetables:0\n sec_pagetables:0 bounce:0\n kernel_misc_reclaimable:0\n free:${free} free_pcp:0 free_cma:0`,
  );
  line(
    `Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:${file * 4}kB unevictable:0kB isolated(anon):0kB isolated(file):0kB mapped:0kB dirty:${dirty}kB writeback:0kB shmem:0kB ` +
      `writeback_tmp:0kB kernel_stack:${kernel.tasks.size * KERNEL_STACK_KB}kB pagetables:0kB sec_pagetables:0kB all_unreclaimable? no`,
  );
  line(
    `Normal free:${free * 4}kB boost:0kB min:0kB low:0kB high:0kB reserved_highatomic:0KB active_anon:0kB inactive_anon:0kB active_file:0kB inactive_file:${file * 4}kB unevictable:0kB ` +
      `writepending:${dirty}kB present:${kernel.mem.size / 1024}kB managed:${total * 4}kB mlocked:0kB bounce:0kB free_pcp:0kB local_pcp:0kB free_cma:0kB`,
  );
  line("lowmem_reserve[]: 0 0");
  line(`Normal: ${pages.buddyinfo().map((n, order) => `${n}*${2 ** order * 4}kB ${n > 0 ? "(U) " : ""}`).join("")}= ${free * 4}kB`);
  line(`${file} total pagecache pages`);
  line(`${kernel.mem.size / 4096} pages RAM`);
  line("0 pages HighMem/MovableOnly");
  line(`${kernel.mem.size / 4096 - total} pages reserved`);
}
