// kernel/printk_calls.ts — syslog(2).  cf. kernel/printk/printk.c do_syslog()
import { EINVAL, EPERM } from "../include/uapi/errno.ts";
import { CAP_SYSLOG, CAP_SYS_ADMIN, capable } from "./cred.ts";
import { LOG_BUF_LEN, type LogRecord } from "./printk.ts";
import { sleep_on } from "./sched/wait.ts";
import { Int, OutBuf, SYSCALL_DEFINE } from "./syscall.ts";
import { check_write } from "./uaccess.ts";

const CLOSE = 0;
const OPEN = 1;
const READ = 2;
const READ_ALL = 3;
const READ_CLEAR = 4;
const CLEAR = 5;
const CONSOLE_OFF = 6;
const CONSOLE_ON = 7;
const CONSOLE_LEVEL = 8;
const SIZE_UNREAD = 9;
const SIZE_BUFFER = 10;

/** syslog(2) */
export const sys_syslog = SYSCALL_DEFINE("syslog", [Int, OutBuf, Int], (task, type, buf, len) => {
  const { kernel } = task;
  const log = kernel.printk;
  // dmesg_restrict is 0: reading all and its size are free
  if (type !== READ_ALL && type !== SIZE_BUFFER && !capable(task, CAP_SYSLOG) && !capable(task, CAP_SYS_ADMIN)) throw EPERM;
  const put = (text: string): number => {
    kernel.mem.written(buf, text.length);
    for (let i = 0; i < text.length; i++) kernel.mem.u8[buf + i] = text.charCodeAt(i);
    return text.length;
  };
  switch (type) {
    case CLOSE:
    case OPEN:
      return 0;
    case READ: {
      if (buf === 0 || len < 0) throw EINVAL;
      if (len === 0) return 0;
      check_write(kernel.mem, buf, len);
      let rec = log.record_from(log.syslog_seq);
      if (rec === undefined) return sleep_on(task, [log.log_wait]);
      let text = "";
      while (rec !== undefined) {
        if (rec.seq !== log.syslog_seq) {
          log.syslog_seq = rec.seq;
          log.syslog_partial = 0;
        }
        const line = log.format_syslog(rec).slice(log.syslog_partial);
        if (text.length + line.length > len) {
          // a record that does not fit is only cut when nothing else was given
          if (text === "") {
            text = line.slice(0, len);
            log.syslog_partial += len;
          }
          break;
        }
        text += line;
        log.syslog_seq = rec.seq + 1;
        log.syslog_partial = 0;
        rec = log.record_from(log.syslog_seq);
      }
      return put(text);
    }
    case READ_ALL:
    case READ_CLEAR: {
      if (buf === 0 || len < 0) throw EINVAL;
      if (len === 0) return 0;
      check_write(kernel.mem, buf, len);
      // the newest records that fit
      const fits: string[] = [];
      let room = len;
      for (let i = log.records.length - 1; i >= 0; i--) {
        const rec: LogRecord = log.records[i]!;
        if (rec.seq < log.clear_seq) break;
        const line = log.format_syslog(rec);
        if (line.length > room) break;
        room -= line.length;
        fits.push(line);
      }
      const n = put(fits.reverse().join(""));
      if (type === READ_CLEAR) log.clear_seq = log.next_seq;
      return n;
    }
    case CLEAR:
      log.clear_seq = log.next_seq;
      return 0;
    case CONSOLE_OFF:
      if (log.saved_console_loglevel < 0) log.saved_console_loglevel = log.console_loglevel;
      log.console_loglevel = log.minimum_console_loglevel;
      return 0;
    case CONSOLE_ON:
      if (log.saved_console_loglevel >= 0) {
        log.console_loglevel = log.saved_console_loglevel;
        log.saved_console_loglevel = -1;
      }
      return 0;
    case CONSOLE_LEVEL:
      if (len < 1 || len > 8) throw EINVAL;
      log.console_loglevel = Math.max(len, log.minimum_console_loglevel);
      log.saved_console_loglevel = -1;
      return 0;
    case SIZE_UNREAD: {
      let n = 0;
      for (const rec of log.records) if (rec.seq >= log.syslog_seq) n += log.format_syslog(rec).length;
      return n - log.syslog_partial;
    }
    case SIZE_BUFFER:
      return LOG_BUF_LEN;
    default:
      throw EINVAL;
  }
});
