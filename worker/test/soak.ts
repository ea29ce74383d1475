// worker/test/soak.ts — mixed work at a shell that must leave nothing behind, and what is counted before and after.
import type { Kernel } from "../kernel/kernel.ts";

export const WORK: readonly string[] = [
  "for i in 1 2 3 4 5; do echo $i | cat | wc -c >/dev/null; done",
  "ls -lR /etc | sort | uniq | wc -l; x=$(date | cut -c1-3); sleep 1 & wait",
  "mkdir -p /tmp/a/b; cp /etc/inittab /tmp/a/b/; tar -C /tmp -cf /tmp/t.tar a; tar -C /tmp -xf /tmp/t.tar; rm -rf /tmp/a /tmp/t.tar",
  "(sleep 5 & kill $!; wait) 2>/dev/null; ps >/dev/null; top -b -n 1 >/dev/null; free >/dev/null",
  "ifconfig lo up; (echo x | nc -l -p 77 >/dev/null &) ; usleep 200000; nc 127.0.0.1 77 </dev/null >/dev/null; ping -c 1 127.0.0.1 >/dev/null",
  "mkfifo /tmp/f; (cat /tmp/f >/dev/null &); echo hi > /tmp/f; rm /tmp/f; usleep 100000",
];

/** What the kernel holds, by kind. */
export function held(k: Kernel): Record<string, number> {
  let mapped = 0;
  for (const r of k.regions.all) if (!r.foreign) mapped += (r.vm_top - r.vm_start) / 4096;
  return {
    // what is neither free nor somebody's mapping belongs to the kernel
    kernel_pages: k.pages.totalram_pages() - k.pages.nr_free_pages() - mapped,
    tasks: k.tasks.size, files: k.vfs.nr_files, dentries: k.vfs.dentry_lru.size, futexes: k.futexes.queues.size, timers: k.time.timers.size, tcp: k.net.tcp.size, udp: k.net.udp.size, raw: k.net.raw.size,
    unix: k.net.unix_abstract.size + k.net.unix_inodes.size,
  };
}
