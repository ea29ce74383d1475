// kernel/params.ts — the kernel's command line.  cf. kernel/params.c, init/main.c
//
// What no subsystem knows goes to init: NAME=VALUE into its environment, a bare word into its arguments, all behind `--` too.

/** Parameters that the kernel knows. A name ending in * is a prefix, as __setup("ubd", ...) is. */
const KNOWN = [
  "ubd*", "udb*", "con*", "ssl*", "eth*", "vec*", "umid", "uml_dir", "debug", "quiet", "loglevel", "console", "root", "rootfstype", "rootflags",
  "rootwait", "rootdelay", "ro", "rw", "init", "rdinit", "initrd", "panic", "panic_on_oops", "oops", "hostname", "ignore_loglevel", "noreboot", "reboot",
  "time", "seed", "zpoline", "um", "log_buf_len", "printk_time", "lpj", "maxcpus", "nosmp", "noinitrd", "stderr", "xterm", "mconsole", "iomem", "load_ramdisk",
] as const;

export interface Param {
  readonly name: string;
  /** undefined: no `=` */
  readonly value: string | undefined;
}

/** `-` and `_` are the same in a name. */
const canonical = (name: string): string => (name.includes("-") ? name.replaceAll("-", "_") : name);

/** Splits at blanks outside double quotes; the quotes go.  cf. next_arg() */
function next_args(line: string): string[] {
  const out: string[] = [];
  let word = "";
  let quoted = false;
  let any = false;
  for (const c of line) {
    if (c === '"') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && /\s/.test(c)) {
      if (any) out.push(word);
      word = "";
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) out.push(word);
  return out;
}

export class Params {
  /** as /proc/cmdline shows it */
  readonly saved_command_line: string;
  readonly params: Param[] = [];
  /** what each is at last, by its canonical name: mmap and execve ask */
  private readonly values = new Map<string, string>();
  /** init's arguments (without argv[0]) and environment */
  readonly argv_init: string[] = [];
  readonly envp_init: string[] = ["HOME=/", "TERM=linux"];
  /** names for the line "Unknown kernel command line parameters" */
  readonly unknown: string[] = [];

  constructor(line: string) {
    this.saved_command_line = line;
    const words = next_args(line);
    const dashes = words.indexOf("--");
    const after = dashes < 0 ? [] : words.slice(dashes + 1);
    for (const word of dashes < 0 ? words : words.slice(0, dashes)) {
      const eq = word.indexOf("=");
      const name = eq < 0 ? word : word.slice(0, eq);
      const value = eq < 0 ? undefined : word.slice(eq + 1);
      this.params.push({ name, value });
      this.values.set(canonical(name), value ?? "");
      // "init=" forgets what was meant for an earlier init, as init_setup() does
      if (name === "init" || name === "rdinit") this.argv_init.length = 0;
      if (this.known(name)) continue;
      // "module.param=value" for a module that is not there is not init's business
      if (name.includes(".")) continue;
      this.unknown.push(word);
      if (value === undefined) this.argv_init.push(word);
      else {
        const i = this.envp_init.findIndex((e) => e.startsWith(`${name}=`));
        if (i < 0) this.envp_init.push(word);
        else this.envp_init[i] = word;
      }
    }
    this.argv_init.push(...after);
  }

  private known(name: string): boolean {
    const c = canonical(name);
    return KNOWN.some((k) => (k.endsWith("*") ? c.startsWith(k.slice(0, -1)) : c === k));
  }

  /** The value of the last `name=value`; "" for a bare `name`; undefined when it is not there. */
  get(name: string): string | undefined {
    return this.values.get(canonical(name));
  }
  has(name: string): boolean {
    return this.get(name) !== undefined;
  }
  /** All parameters whose name begins with `prefix`, in order (ubd0=..., ubd1r=...). */
  starting(prefix: string): Param[] {
    return this.params.filter((p) => p.name.startsWith(prefix));
  }
  /** A decimal, 0x or 0 number; undefined when absent or not a number. */
  number(name: string): number | undefined {
    const v = this.get(name);
    if (v === undefined || !/^-?(0x[0-9a-f]+|\d+)$/i.test(v)) return undefined;
    return /^-?0[0-7]+$/.test(v) ? parseInt(v, 8) : Number(v);
  }
  /** The line "Unknown kernel command line parameters ...", undefined when there are none. */
  unknown_message(): string | undefined {
    if (this.unknown.length === 0) return undefined;
    return `Unknown kernel command line parameters "${this.unknown.join(" ")}", will be passed to user space.`;
  }
}

/** A size with suffix K, M, G, T, P; bytes. NaN when it is none.  cf. memparse() */
export function memparse(text: string): number {
  const m = /^(0x[0-9a-f]+|\d+)([kmgtp]?)/i.exec(text);
  if (m === null) return NaN;
  return Number(m[1]) * 1024 ** " kmgtp".indexOf((m[2] || " ").toLowerCase());
}
