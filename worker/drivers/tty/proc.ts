// drivers/tty/proc.ts — /proc/tty: which numbers are terminals, as ps wants to know.  cf. drivers/tty/tty_io.c show_tty_driver(), fs/proc/proc_tty.c
import { proc_create, ProcEntry } from "../../fs/proc/internal.ts";
import type { Kernel } from "../../kernel/kernel.ts";

/** driver, node without /dev/, major, minors, kind */
const DRIVERS: readonly (readonly [string, string, number, string, string])[] = [
  ["/dev/tty", "tty", 5, "0", "system:/dev/tty"],
  ["/dev/console", "console", 5, "1", "system:console"],
  ["/dev/ptmx", "ptmx", 5, "2", "system"],
  ["pty_slave", "pts", 136, "0-1048575", "pty:slave"],
  ["pty_master", "ptm", 128, "0-1048575", "pty:master"],
  ["UML console", "tty", 4, "0-15", "console"],
];

export class TtyDriversEntry extends ProcEntry {
  show(): string {
    return DRIVERS.map(([driver, node, major, minors, kind]) => `${driver.padEnd(20)} /dev/${node.padEnd(8)} ${String(major).padStart(3)} ${minors.includes("-") ? minors : minors.padStart(7)} ${kind}\n`).join("");
  }
}
export class TtyLdiscsEntry extends ProcEntry {
  show(): string {
    return "n_tty       0\n";
  }
}
export function proc_tty_init(kernel: Kernel): void {
  proc_create(kernel, "tty/drivers", new TtyDriversEntry());
  proc_create(kernel, "tty/ldiscs", new TtyLdiscsEntry());
}
