// fs/proc/root.ts — procfs: the file system, its root, the directories of its plain files.  cf. fs/proc/root.c
import { EACCES, EINVAL, EIO } from "../../include/uapi/errno.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../../include/uapi/stat.ts";
import { O_NONBLOCK } from "../../include/uapi/fcntl.ts";
import { CAP_SYSLOG, capable } from "../../kernel/cred.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { sleep_on, type WaitQueue } from "../../kernel/sched/wait.ts";
import type { Task } from "../../kernel/task.ts";
import { EAGAIN, ENOENT } from "../../include/uapi/errno.ts";
import { S_IFREG } from "../../include/uapi/stat.ts";
import { File, FileSystemType, POLLIN, POLLRDNORM, type Inode, type Path, type SuperBlock, FileOperations } from "../fs.ts";
import { PseudoInode, PseudoSuper, TextInode, dir_mode, link_mode } from "../pseudo.ts";
import { EntryInode, PidDir } from "./base.ts";
import { GENERIC_FILES } from "./generic.ts";
import type { ProcTable, ProcTableEntry } from "./internal.ts";
import { MEMORY_FILES } from "./meminfo.ts";
import { SYSCTL_FILES } from "./sysctl.ts";

type Emit = (name: string, ino: number, type: number, next: number) => boolean;

export const PROC_SUPER_MAGIC = 0x9fa0;

/** All constant entries by path. */
const FILES: ProcTable = Object.freeze({ ...GENERIC_FILES, ...MEMORY_FILES, ...SYSCTL_FILES });
const entry_of = (path: string): ProcTableEntry | undefined => (Object.hasOwn(FILES, path) ? FILES[path] : undefined);

export class ProcType extends FileSystemType {
  readonly name = "proc";
  private sb: PseudoSuper | undefined;
  /** One instance, however often it is mounted (one pid namespace). */
  override mount(kernel: Kernel, _task: Task | undefined, _source: string, _flags: number, data: string): SuperBlock {
    for (const option of data.split(",")) if (option !== "" && !/^(hidepid=(0|off)|gid=\d+|subset=)$/.test(option)) throw EINVAL;
    if (this.sb === undefined) {
      this.sb = new PseudoSuper(kernel, this, PROC_SUPER_MAGIC);
      this.sb.strict = true;
      this.sb.set_root(new ProcDir(this.sb, ""));
      this.sb.s_active = 1;
    }
    return this.sb;
  }
}

/** A file of the tables. */
export class ProcFile extends TextInode {
  readonly path: string;
  constructor(sb: PseudoSuper, path: string) {
    super(sb, entry_of(path)!.mode ?? 0o444);
    this.path = path;
  }
  override show(reader: Task): string {
    return entry_of(this.path)!.show!(this.i_sb.kernel, reader);
  }
  override store(writer: Task, text: string): void {
    const { store } = entry_of(this.path)!;
    if (store === undefined) throw EIO;
    store(this.i_sb.kernel, writer, text);
  }
}

export class ProcSymlink extends PseudoInode {
  readonly target: string;
  constructor(sb: PseudoSuper, target: string) {
    super(sb, link_mode());
    this.target = target;
  }
  override readlink(task: Task | undefined): string {
    if (this.target === "self" || this.target === "thread-self") {
      if (task === undefined) throw ENOENT;
      return this.target === "self" ? String(task.tgid) : `${task.tgid}/task/${task.pid}`;
    }
    return this.target;
  }
}

/** /proc/kmsg: the log as syslog(2) READ gives it; what is read is gone. */
export class KmsgInode extends PseudoInode {
  override open(task: Task | undefined, path: Path, flags: number): File {
    if (task !== undefined && !capable(task, CAP_SYSLOG)) throw EACCES;
    return new File(path, this, flags, kmsg_proc_ops);
  }
}
export class ProcKmsgFops extends FileOperations {
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number): number {
    const log = task.kernel.printk;
    if (log.record_from(log.syslog_seq) === undefined) {
      if ((file.f_flags & O_NONBLOCK) !== 0) throw EAGAIN;
      sleep_on(task, [log.log_wait]);
    }
    let n = 0;
    for (;;) {
      const rec = log.record_from(log.syslog_seq);
      if (rec === undefined) return n;
      const text = log.format_syslog(rec);
      if (rec.seq !== log.syslog_seq) log.syslog_partial = 0;
      const from = log.syslog_partial;
      const take = Math.min(len - n, text.length - from);
      for (let i = 0; i < take; i++) buf[off + n + i] = text.charCodeAt(from + i);
      n += take;
      if (from + take < text.length) {
        log.syslog_seq = rec.seq;
        log.syslog_partial = from + take;
        return n;
      }
      log.syslog_seq = rec.seq + 1;
      log.syslog_partial = 0;
    }
  }
  override poll(_file: File, task: Task, queues: WaitQueue[] | undefined): number {
    const log = task.kernel.printk;
    queues?.push(log.log_wait);
    return log.record_from(log.syslog_seq) === undefined ? 0 : POLLIN | POLLRDNORM;
  }
}

export const kmsg_proc_ops = new ProcKmsgFops();

/** A directory of plain files: "" is the root, which has the processes too. */
export class ProcDir extends PseudoInode {
  readonly path: string;
  constructor(sb: PseudoSuper, path: string) {
    super(sb, dir_mode(0o555));
    this.path = path;
    this.i_nlink = 2;
  }
  override d_cacheable(): boolean {
    return false;
  }
  /** Names in it, made of the tables and of what subsystems added. */
  private names(): Map<string, number> {
    const prefix = this.path === "" ? "" : `${this.path}/`;
    const out = new Map<string, number>();
    const add = (key: string, type: number): void => {
      if (!key.startsWith(prefix)) return;
      const rest = key.slice(prefix.length);
      const slash = rest.indexOf("/");
      if (slash < 0) out.set(rest, type);
      else out.set(rest.slice(0, slash), DT_DIR);
    };
    for (const key of Object.keys(FILES)) add(key, FILES[key]!.link === undefined ? DT_REG : DT_LNK);
    // "net" itself is a link into the process
    for (const key of this.i_sb.kernel.vfs.proc_entries.keys()) if (!key.startsWith("net/")) add(key, DT_REG);
    if (this.path === "") {
      out.set("kmsg", DT_REG);
      out.set("self", DT_LNK);
      out.set("thread-self", DT_LNK);
    }
    return out;
  }
  protected override find(name: string): Inode | undefined {
    const sb = this.i_sb;
    const key = this.path === "" ? name : `${this.path}/${name}`;
    if (this.path === "") {
      if (/^[1-9]\d{0,8}$/.test(name)) {
        const t = sb.kernel.tasks.get(Number(name));
        return t === undefined || t.group_leader !== t ? undefined : new PidDir(sb, t, true);
      }
      if (name === "self" || name === "thread-self") return new ProcSymlink(sb, name);
      if (name === "kmsg") return new KmsgInode(sb, S_IFREG | 0o400);
    }
    const entry = entry_of(key);
    if (entry !== undefined) return entry.link === undefined ? new ProcFile(sb, key) : new ProcSymlink(sb, entry.link);
    if (sb.kernel.vfs.proc_entries.has(key)) return new EntryInode(sb, key);
    return this.names().get(name) === DT_DIR ? new ProcDir(sb, key) : undefined;
  }
  /** plain files first, then processes from cookie 2^20 on, by pid */
  override iterate(pos: number, emit: Emit): void {
    const names = [...this.names()];
    const PIDS = 0x100000;
    if (pos < PIDS)
      for (let i = pos - 2; i < names.length; i++) {
        const last = i === names.length - 1;
        if (!emit(names[i]![0], this.i_ino * 4096 + i, names[i]![1], last ? PIDS : i + 3)) return;
      }
    if (this.path !== "") return;
    const from = Math.max(0, pos - PIDS);
    const pids: number[] = [];
    for (const t of this.i_sb.kernel.tasks.values()) if (t.group_leader === t && t.pid >= from) pids.push(t.pid);
    pids.sort((a, b) => a - b);
    for (const pid of pids) if (!emit(String(pid), 0x10000000 + pid, DT_DIR, PIDS + pid + 1)) return;
  }
}
