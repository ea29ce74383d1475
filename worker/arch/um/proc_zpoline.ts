// arch/um/proc_zpoline.ts — /proc/zpoline: what was rewritten, what was left and why, and how calls came in. Not in Linux.
//
//   mode: 1                      zpoline= (1, lazy, 0); then `check: 1` under zpoline.check=1
//   scope: exec,interp           zpoline.scope= (exec,interp; all: libraries too)
//   page0: 1234                  calls through page 0
//   trapped: 0                   calls by a `syscall` instruction that is still one
//   lazy: 0                      sites that were rewritten at their first use
//
//   base      pid  sites  rewritten  left  skipped  file     one line for each file, as it was put into memory last; left: in functions that use their
//                                                            red zone; skipped: bytes that did not decode; behind it, where there are no section headers:
//                                                            `e` code found by .eh_frame, `~` by linear sweep
//
//   nr   calls  name             by system call number
import { proc_create, ProcEntry } from "../../fs/proc/internal.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { CodeSource } from "./code_ranges.ts";
import type { UmArch } from "./process.ts";
import { syscall_table } from "./syscall_64.ts";

const MARK: Record<CodeSource, string> = { sections: " ", eh_frame: "e", sweep: "~" };

const pad = (v: number | string, width: number): string => String(v).padStart(width);

function call_name(nr: number): string {
  const row = syscall_table[nr];
  if (row === undefined) return "-";
  return row.state === "errno" ? row.name : row.call.name;
}

export class ZpolineEntry extends ProcEntry {
  override show(kernel: Kernel): string {
    const arch = kernel.arch as UmArch, z = arch.zpoline;
    const lines = [`mode: ${z.mode}`, `check: ${z.check ? 1 : 0}`, `scope: ${z.scope}`, `page0: ${arch.page0_calls}`, `trapped: ${z.trapped}`, `lazy: ${z.lazily}`, ""];
    lines.push(`${"base".padEnd(10)}${pad("pid", 6)}${pad("sites", 7)}${pad("rewritten", 11)}${pad("left", 6)}${pad("skipped", 9)}  file`);
    for (const image of z.images.values()) {
      const { sites, skipped, source } = image.translation;
      const left = sites.filter((s) => s.left !== undefined).length;
      lines.push(
        `${image.base.toString(16).padStart(8, "0")}  ${pad(image.pid, 6)}${pad(sites.length, 7)}${pad(sites.length - left, 11)}${pad(left, 6)}${pad(skipped, 8)}${MARK[source]}  ${image.name}`,
      );
    }
    lines.push("", `${pad("nr", 4)}${pad("calls", 10)}  name`);
    arch.cpu.log.histogram.forEach((n, nr) => {
      if (n > 0) lines.push(`${pad(nr, 4)}${pad(n, 10)}  ${call_name(nr)}`);
    });
    return `${lines.join("\n")}\n`;
  }
}

export function proc_zpoline_init(kernel: Kernel): void {
  proc_create(kernel, "zpoline", new ZpolineEntry());
}
