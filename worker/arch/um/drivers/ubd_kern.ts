// arch/um/drivers/ubd_kern.ts — UML's disks: ubd<n><flags>=file[,backing[,serial]].  cf. arch/um/drivers/ubd_kern.c
import { GenDisk } from "../../../drivers/block/genhd.ts";
import type { Kernel } from "../../../kernel/kernel.ts";
import type { BlockStore } from "../os.ts";

export const UBD_MAJOR = 98;
/** devices; each has 16 minors, for partitions */
export const MAX_DEV = 16;
const UBD_SHIFT = 4;

export interface UbdConfig {
  readonly n: number;
  readonly file: string;
  readonly backing: string | undefined;
  readonly serial: string;
  readonly readonly: boolean;
  readonly sync: boolean;
  /** other machines may write to it as well */
  readonly shared: boolean;
}

/** Parses one parameter, without "ubd" before it. Returns what to do, or UML's words about what is wrong.  cf. ubd_setup_common() */
export function parse_ubd(text: string): UbdConfig | string {
  const unit = /^(\d+|[a-z])/.exec(text);
  if (unit === null) return "Parse error on device number";
  const n = /\d/.test(unit[0]) ? Number(unit[0]) : unit[0].charCodeAt(0) - 97;
  if (n >= MAX_DEV) return `Device number ${n} out of range 0..${MAX_DEV - 1}`;
  const rest = text.slice(unit[0].length);
  const equals = rest.indexOf("=");
  if (equals < 0) return "Missing '='";
  const flags = rest.slice(0, equals);
  if (flags.length > 6 || /[^rscdt]/.test(flags)) return "Expected '=' or flag letter (r, s, c, t or d)";
  const [file = "", backing, serial = ""] = rest.slice(equals + 1).split(/[,:]/);
  if (file === "") return "No file name";
  if (flags.includes("d") && backing) return "Can't specify both 'd' and a COW file";
  return { n, file, backing: backing || undefined, serial, readonly: flags.includes("r"), sync: flags.includes("s"), shared: flags.includes("c") };
}

/** Opens the disks of the command line. A disk that cannot be had is told in the log; the boot goes on without it.  cf. ubd_init() */
export function ubd_init(kernel: Kernel): void {
  const { params, printk: log, os } = kernel;
  kernel.blkdev.register_blkdev(UBD_MAJOR, "ubd");
  for (const p of params.starting("udb")) log.warn(`udb${p.name.slice(3)} specified on command line is almost certainly a ubd -> udb TYPO`);
  const all_sync = params.params.some((p) => p.name === "ubd" && p.value === "sync");
  const seen = new Set<number>();
  for (const p of params.starting("ubd")) {
    if (p.name === "ubd") continue;
    const config = parse_ubd(p.value === undefined ? p.name.slice(3) : `${p.name.slice(3)}=${p.value}`);
    if (typeof config === "string") {
      log.err(`Failed to initialize ubd device ${p.name.slice(3)} :${config}`);
      continue;
    }
    if (seen.has(config.n)) {
      log.err(`Failed to initialize ubd device ${config.n} :Device is already configured`);
      continue;
    }
    seen.add(config.n);
    let store: BlockStore;
    try {
      store = os.openBlock(config.file, config.backing, { readonly: config.readonly, sync: config.sync || all_sync, shared: config.shared });
    } catch (e) {
      log.err(`Failed to initialize ubd device ${config.n} :${e instanceof Error ? e.message : String(e)}`);
      continue;
    }
    add_disk(kernel, config, store);
  }
}

function add_disk(kernel: Kernel, config: UbdConfig, store: BlockStore): void {
  const name = `ubd${String.fromCharCode(97 + config.n)}`;
  const disk = new GenDisk(name, UBD_MAJOR, config.n << UBD_SHIFT, 1 << UBD_SHIFT, store);
  disk.serial = config.serial;
  kernel.blkdev.add_disk(disk, kernel.devices);
}
