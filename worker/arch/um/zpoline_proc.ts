// arch/um/zpoline_proc.ts — /proc/zpoline: how system calls came in, and what was rewritten.
//
//   mode 1                     zpoline= of the command line
//   calls 4711                 system calls that came through page 0
//   trapped 2                  that a `syscall` instruction brought
//   lazy 0                     sites that their first use rewrote
//   sites 497                  addresses in memory that are rewritten
//   image /bin/busybox base=100000 pid=14 comm=sh sites=120 rewritten=118 left=2 instructions=210000 skipped=3 code=symbols
//   left /bin/busybox 1a2b3 red zone        offset in the image, reason
//   call 0 123                 number of the call, how often
import { ProcEntry, proc_create } from "../../fs/proc/internal.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Zpoline } from "./zpoline.ts";

export class ZpolineEntry extends ProcEntry {
  private readonly zpoline: Zpoline;
  constructor(zpoline: Zpoline) {
    super();
    this.zpoline = zpoline;
  }
  show(): string {
    const z = this.zpoline;
    let s = `mode ${z.mode}\ncalls ${z.calls}\ntrapped ${z.trapped}\nlazy ${z.lazily}\nsites ${z.rewritten.size}\n`;
    for (const image of z.images.values()) {
      const t = image.translation;
      const left = t.sites.filter((site) => site.left !== undefined);
      s +=
        `image ${image.name} base=${image.base.toString(16)} pid=${image.pid} comm=${image.comm} sites=${t.sites.length} rewritten=${t.sites.length - left.length} ` +
        `left=${left.length} instructions=${t.instructions} skipped=${t.skipped} code=${t.swept ? "sweep" : "sections"}\n`;
      for (const site of left) s += `left ${image.name} ${site.offset.toString(16)} ${site.left}\n`;
    }
    z.histogram.forEach((n, nr) => {
      if (n > 0) s += `call ${nr} ${n}\n`;
    });
    return s;
  }
}

export function zpoline_proc_init(kernel: Kernel, zpoline: Zpoline): void {
  proc_create(kernel, "zpoline", new ZpolineEntry(zpoline));
}
