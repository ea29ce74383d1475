// arch/um/drivers/stdio_console.ts — con0 .. con15, /dev/tty0 .. /dev/tty15: lines that the host shows.  cf. arch/um/drivers/stdio_console.c, line.c
import { MKDEV } from "../../../include/uapi/stat.ts";
import { TtyAuxDriver, TtyLines } from "../../../drivers/tty/tty_io.ts";
import { tty_receive } from "../../../drivers/tty/n_tty.ts";
import { tty_do_resize } from "../../../drivers/tty/tty_ioctl.ts";
import { Termios, TtyDriver, TtyStruct } from "../../../drivers/tty/tty_struct.ts";
import type { Kernel } from "../../../kernel/kernel.ts";
import type { PrintkConsole } from "../../../kernel/printk.ts";

export const NR_CONSOLES = 16;
const TTY_MAJOR = 4;
const TTYAUX_MAJOR = 5;
/** what the host takes at once */
const ROOM = 65536;

export class ConsoleDriver extends TtyDriver {
  readonly name = "tty";
  readonly major = TTY_MAJOR;
  readonly minor_start = 0;
  readonly kind = "console" as const;
  override write(tty: TtyStruct, buf: Uint8Array, off: number, len: number): void {
    // a copy: guest memory may be shared, and the host keeps what it gets
    tty.kernel.os.consoleWrite(tty.index, buf.slice(off, off + len));
  }
  override write_room(): number {
    return ROOM;
  }
}

/** printk on a line. */
export class LineConsole implements PrintkConsole {
  readonly name: string;
  private readonly kernel: Kernel;
  private readonly line: number;
  constructor(kernel: Kernel, line: number) {
    this.kernel = kernel;
    this.line = line;
    this.name = `tty${line}`;
  }
  write(text: string): void {
    const out = text.replaceAll("\n", "\r\n");
    this.kernel.os.consoleWrite(this.line, Uint8Array.from(out, (c) => c.charCodeAt(0) & 0xff));
  }
}

export class StdioConsole {
  readonly ttys: TtyStruct[];
  constructor(kernel: Kernel) {
    const driver = new ConsoleDriver();
    this.ttys = Array.from({ length: NR_CONSOLES }, (_, i) => new TtyStruct(kernel, driver, i, new Termios()));
  }
  /** Bytes that came in on line `line`. */
  input(line: number, bytes: Uint8Array): void {
    const tty = this.ttys[line];
    if (tty !== undefined) tty_receive(tty, bytes, 0, bytes.length);
  }
  /** The window of line `line` has a new size. */
  resize(line: number, cols: number, rows: number): void {
    const tty = this.ttys[line];
    if (tty !== undefined) tty_do_resize(tty, { row: rows, col: cols, xpixel: 0, ypixel: 0 });
  }
}

/** The line that console= names last: where printk and /dev/console go. */
function console_line(kernel: Kernel): number {
  const names = kernel.params.params.filter((p) => p.name === "console").map((p) => /^tty(\d*)(,|$)/.exec(p.value ?? ""));
  const found = names.findLast((m) => m !== null);
  const line = found === undefined || found === null || found[1] === "" ? 0 : Number(found[1]);
  return line < NR_CONSOLES ? line : 0;
}

/** cf. stdio_init() */
export function stdio_console_init(kernel: Kernel): void {
  const log = kernel.printk;
  const console = new StdioConsole(kernel);
  kernel.console = console;
  const line = console_line(kernel);
  const driver = console.ttys[0]!.driver;
  kernel.chrdev.register(TTYAUX_MAJOR, 0, 2, "/dev/tty", new TtyAuxDriver(console.ttys[line]!));
  kernel.chrdev.register(TTY_MAJOR, 0, NR_CONSOLES, "tty", new TtyLines(driver, console.ttys));
  kernel.devices.device_create({ name: "tty", cls: "tty", devt: MKDEV(TTYAUX_MAJOR, 0), mode: 0o666 });
  kernel.devices.device_create({ name: "console", cls: "tty", devt: MKDEV(TTYAUX_MAJOR, 1), mode: 0o600 });
  for (let i = 0; i < NR_CONSOLES; i++) kernel.devices.device_create({ name: `tty${i}`, cls: "tty", devt: MKDEV(TTY_MAJOR, i), mode: 0o620 });
  log.info("Initialized stdio console driver");
  log.info(`Console initialized on /dev/tty${line}`);
  log.info("printk: console [stderr0] disabled");
  log.register_console(new LineConsole(kernel, line));
  log.info(`printk: console [tty${line}] enabled`);
  kernel.vfs.consoles.push(`tty${line}`.padEnd(21) + `-WU (EC p  )    4:${line}\n`);
}
