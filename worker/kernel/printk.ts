// kernel/printk.ts — the kernel's log: a ring of records, and the console that shows them.  cf. kernel/printk/printk.c
import { WaitQueue } from "./sched/wait.ts";
import type { Kernel } from "./kernel.ts";

export const KERN_EMERG = 0;
export const KERN_ALERT = 1;
export const KERN_CRIT = 2;
export const KERN_ERR = 3;
export const KERN_WARNING = 4;
export const KERN_NOTICE = 5;
export const KERN_INFO = 6;
export const KERN_DEBUG = 7;

export const CONSOLE_LOGLEVEL_DEFAULT = 7;
export const CONSOLE_LOGLEVEL_QUIET = 4;
export const CONSOLE_LOGLEVEL_DEBUG = 10;
export const CONSOLE_LOGLEVEL_MOTORMOUTH = 15;
/** bytes of text that the log holds (CONFIG_LOG_BUF_SHIFT 17) */
export const LOG_BUF_LEN = 1 << 17;

export interface LogRecord {
  readonly seq: number;
  /** monotonic ns */
  readonly ts: number;
  readonly level: number;
  /** 0 the kernel, 1 user (/dev/kmsg) */
  readonly facility: number;
  /** without the newline; bytes as latin1 */
  readonly text: string;
}

/** Where printk shows what it logs. `text` ends with a newline. */
export interface PrintkConsole {
  readonly name: string;
  write(text: string): void;
}

export class Printk {
  private readonly kernel: Kernel;
  readonly records: LogRecord[] = [];
  private bytes = 0;
  /** sequence number of the next record */
  next_seq = 0;
  /** of the first that `dmesg` shows (syslog(2) CLEAR moves it) */
  clear_seq = 0;
  /** of the next that syslog(2) READ gives, and how many bytes of it were read */
  syslog_seq = 0;
  syslog_partial = 0;
  /** records below this level go to the console */
  console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;
  default_message_loglevel = KERN_WARNING;
  minimum_console_loglevel = 1;
  default_console_loglevel = CONSOLE_LOGLEVEL_DEFAULT;
  /** as it was before syslog(2) CONSOLE_OFF */
  saved_console_loglevel = -1;
  /** printk.time=1: time stamps on the console and in syslog(2) */
  printk_time = false;
  /** undefined: UML's stderr0, one line of host output each */
  console: PrintkConsole | undefined;
  /** readers of /dev/kmsg and syslog(2) */
  readonly log_wait: WaitQueue = new WaitQueue();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** Logs `text` (newlines separate lines of one record) and shows it when `level` is below the console's. */
  printk(level: number, text: string, facility = 0): void {
    const ts = this.kernel.time === undefined ? 0 : this.kernel.time.monotonic();
    const rec: LogRecord = { seq: this.next_seq++, ts, level, facility, text: text.endsWith("\n") ? text.slice(0, -1) : text };
    this.records.push(rec);
    this.bytes += rec.text.length + 16;
    while (this.bytes > LOG_BUF_LEN && this.records.length > 1) this.bytes -= this.records.shift()!.text.length + 16;
    if (level < this.console_loglevel) this.show(rec);
    this.log_wait.wake_up();
  }
  emerg(text: string): void {
    this.printk(KERN_EMERG, text);
  }
  alert(text: string): void {
    this.printk(KERN_ALERT, text);
  }
  crit(text: string): void {
    this.printk(KERN_CRIT, text);
  }
  err(text: string): void {
    this.printk(KERN_ERR, text);
  }
  warn(text: string): void {
    this.printk(KERN_WARNING, text);
  }
  notice(text: string): void {
    this.printk(KERN_NOTICE, text);
  }
  info(text: string): void {
    this.printk(KERN_INFO, text);
  }
  debug(text: string): void {
    this.printk(KERN_DEBUG, text);
  }

  /** `[    1.234567] ` */
  timestamp(ts: number): string {
    const us = Math.floor(ts / 1000);
    return `[${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, "0")}] `;
  }
  private show(rec: LogRecord): void {
    const prefix = this.printk_time ? this.timestamp(rec.ts) : "";
    for (const line of rec.text.split("\n")) {
      if (this.console !== undefined) this.console.write(prefix + line + "\n");
      else this.kernel.os.hostPrint(prefix + line);
    }
  }

  /** A console takes over from the one before. Nothing is shown twice: what was logged so far has been shown. */
  register_console(console: PrintkConsole): void {
    this.console = console;
  }

  /** the record with sequence number >= seq, undefined when there is none yet */
  record_from(seq: number): LogRecord | undefined {
    const first = this.records[0];
    if (first === undefined || seq >= this.next_seq) return undefined;
    return this.records[Math.max(0, seq - first.seq)];
  }
  /** As syslog(2) and dmesg have it: `<6>text\n`, each line with its prefix. */
  format_syslog(rec: LogRecord): string {
    const prefix = `<${rec.facility * 8 + rec.level}>` + (this.printk_time ? this.timestamp(rec.ts) : "");
    return rec.text.split("\n").map((l) => `${prefix}${l}\n`).join("");
  }
  /** As a read of /dev/kmsg gives it: `6,seq,usec,-;text\n`, unprintable bytes as \xNN. */
  format_kmsg(rec: LogRecord): string {
    let text = "";
    for (const c of rec.text) {
      const b = c.charCodeAt(0);
      text += b < 32 || b >= 127 || c === "\\" ? `\\x${b.toString(16).padStart(2, "0")}` : c;
    }
    return `${rec.facility * 8 + rec.level},${rec.seq},${Math.floor(rec.ts / 1000)},-;${text}\n`;
  }
  /** What was written to /dev/kmsg: `<N>text`, the prefix is optional. */
  write_kmsg(data: string): void {
    const m = /^<(\d{1,4})>/.exec(data);
    const prio = m === null ? 8 + this.default_message_loglevel : Number(m[1]);
    const facility = prio >> 3;
    this.printk(prio & 7, (m === null ? data : data.slice(m[0].length)).replace(/\n$/, ""), facility === 0 ? 1 : facility);
  }
}
