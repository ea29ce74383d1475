// fs/proc/base.ts — the directory of a process: what its files show.  cf. fs/proc/base.c
//
// Inodes know a pid and a key; the tables below say what a key means. A pid whose task has gone makes ESRCH, a name that was looked up ENOENT.
import { EACCES, EBADF, EINVAL, EIO, ENOENT, EPERM, ESRCH } from "../../include/uapi/errno.ts";
import { DT_DIR, DT_LNK, DT_REG, S_IFREG } from "../../include/uapi/stat.ts";
import { O_CLOEXEC, O_PATH } from "../../include/uapi/fcntl.ts";
import { CAP_SYS_PTRACE, CAP_SYS_RESOURCE, capable } from "../../kernel/cred.ts";
import { EXIT_DEAD, TASK_RUNNING, type Task } from "../../kernel/task.ts";
import type { VmArea } from "../../mm/mm_types.ts";
import { File, type Inode, type Path, type Iattr } from "../fs.ts";
import { d_path } from "../dcache.ts";
import { GenericFops } from "../generic_file.ts";
import { PseudoInode, TextInode, dir_mode, kstrtol, link_mode, type PseudoSuper } from "../pseudo.ts";
import { show_limits, show_stat, show_statm, show_status } from "./array.ts";
import { map_line } from "./meminfo.ts";
import { ProcMounts, show_mountinfo, show_mounts, show_mountstats } from "./mounts.ts";

type Emit = (name: string, ino: number, type: number, next: number) => boolean;

/** May `task` look into `target`?  cf. ptrace_may_access(PTRACE_MODE_READ_FSCREDS) */
export function ptrace_may_access(task: Task, target: Task): boolean {
  if (task.signal === target.signal) return true;
  const a = task.cred;
  const b = target.cred;
  const same = a.fsuid === b.euid && a.fsuid === b.suid && a.fsuid === b.uid && a.fsgid === b.egid && a.fsgid === b.sgid && a.fsgid === b.gid;
  if (!same && !capable(task, CAP_SYS_PTRACE)) return false;
  return (target.mm?.dumpable ?? 1) === 1 || capable(task, CAP_SYS_PTRACE);
}

interface PidEntry {
  readonly type: "file" | "dir" | "link" | "mem";
  readonly mode: number;
  readonly show?: (t: Task, reader: Task) => string;
  readonly store?: (t: Task, writer: Task, text: string) => void;
  /** only for who may ptrace it */
  readonly guarded?: boolean;
  /** processes only, not threads */
  readonly tgid?: boolean;
}

function user_string(t: Task, from: number, to: number): string {
  const m = t.kernel.mem;
  if (t.mm === undefined || from === 0 || to <= from || to > m.size) return "";
  const bytes = new Uint8Array(to - from);
  const n = t.mm.read(t.kernel, from, bytes, 0, bytes.length);
  let s = "";
  for (const c of bytes.subarray(0, n)) s += String.fromCharCode(c);
  return s;
}

/** argv as it stands in memory; a program that wrote over its end (setproctitle) shows on into its environment.  cf. get_mm_cmdline() */
function show_cmdline(t: Task): string {
  const { mm } = t;
  if (mm === undefined) return "";
  const s = user_string(t, mm.arg_start, mm.arg_end);
  if (s === "" || s.endsWith("\0")) return s;
  const more = s + user_string(t, mm.env_start, mm.env_end);
  const end = more.indexOf("\0");
  return end < 0 ? more : more.slice(0, end + 1);
}

function show_maps(t: Task): string {
  const { mm } = t;
  if (mm === undefined) return "";
  return mm.vmas
    .map((v: VmArea) => map_line(v.vm_start, v.vm_end, v.vm_flags, v.vm_pgoff, v.vm_file, v.vm_start <= mm.start_stack && v.vm_end >= mm.start_stack ? "[stack]" : ""))
    .join("");
}

function show_auxv(t: Task): string {
  let s = "";
  for (const v of t.mm?.saved_auxv ?? []) for (let i = 0, x = v; i < 8; i++, x = Math.floor(x / 256)) s += String.fromCharCode(x % 256);
  return s;
}

/** What of it reached a disk is not known by process: the last three lines stay 0.  cf. do_io_accounting() */
function show_io(t: Task): string {
  const { rchar, wchar, syscr, syscw } = t.signal;
  return `rchar: ${rchar}\nwchar: ${wchar}\nsyscr: ${syscr}\nsyscw: ${syscw}\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n`;
}

/** "running", or number, arguments unknown, sp and ip.  cf. proc_pid_syscall() */
function show_syscall(t: Task): string {
  if (t.state === TASK_RUNNING) return "running\n";
  const { arch } = t.kernel;
  const sp = `0x${arch.sp(t).toString(16)} 0x${arch.ip(t).toString(16)}`;
  return t.syscall_nr < 0 ? `-1 ${sp}\n` : `${t.syscall_nr} 0x0 0x0 0x0 0x0 0x0 0x0 ${sp}\n`;
}

function set_comm(t: Task, writer: Task, text: string): void {
  if (writer.signal !== t.signal) throw EINVAL;
  t.comm = text.replace(/\n.*$/s, "").slice(0, 15);
}
function set_oom(t: Task, writer: Task, text: string): void {
  const v = kstrtol(text);
  if (v < -1000 || v > 1000) throw EINVAL;
  if (v < t.signal.oom_score_adj && !capable(writer, CAP_SYS_RESOURCE)) throw EACCES;
  t.signal.oom_score_adj = v;
}

/** The older scale, -17 (never) to 15.  cf. oom_adj_write() */
function set_oom_adj(t: Task, writer: Task, text: string): void {
  const v = kstrtol(text);
  if ((v < -16 || v > 15) && v !== -17) throw EINVAL;
  set_oom(t, writer, String(v === 15 ? 1000 : Math.trunc((v * 1000) / 17)));
}

const file = (mode: number, show: (t: Task, reader: Task) => string, more: Partial<PidEntry> = {}): PidEntry => ({ type: "file", mode, show, ...more });
const dir = (mode: number, more: Partial<PidEntry> = {}): PidEntry => ({ type: "dir", mode, ...more });
const link: PidEntry = { type: "link", mode: 0o777, guarded: true };

const PID_ENTRIES: Readonly<Record<string, PidEntry>> = {
  task: dir(0o555, { tgid: true }),
  fd: dir(0o500),
  fdinfo: dir(0o555),
  net: dir(0o555, { tgid: true }),
  environ: file(0o400, (t) => (t.mm === undefined ? "" : user_string(t, t.mm.env_start, t.mm.env_end)), { guarded: true }),
  auxv: file(0o400, show_auxv, { guarded: true }),
  status: file(0o444, show_status),
  personality: file(0o400, (t) => `${t.personality.toString(16).padStart(8, "0")}\n`, { guarded: true }),
  limits: file(0o444, show_limits),
  comm: file(0o644, (t) => `${t.comm}\n`, { store: set_comm }),
  syscall: file(0o400, show_syscall, { guarded: true }),
  cmdline: file(0o444, show_cmdline),
  stat: file(0o444, (t) => show_stat(t, true)),
  statm: file(0o444, show_statm),
  maps: file(0o444, show_maps, { guarded: true }),
  mem: { type: "mem", mode: 0o600, guarded: true },
  cwd: link,
  root: link,
  exe: link,
  mounts: file(0o444, (t) => show_mounts(t)),
  mountinfo: file(0o444, (t) => show_mountinfo(t)),
  mountstats: file(0o400, (t) => show_mountstats(t), { tgid: true }),
  wchan: file(0o444, () => "0"),
  stack: file(0o400, () => ""),
  schedstat: file(0o444, (t) => `${t.utime + t.stime} 0 ${t.nvcsw + t.nivcsw}\n`),
  oom_score: file(0o444, (t) => `${Math.max(0, t.signal.oom_score_adj)}\n`),
  oom_score_adj: file(0o644, (t) => `${t.signal.oom_score_adj}\n`, { store: set_oom }),
  oom_adj: file(0o644, (t) => `${t.signal.oom_score_adj === 1000 ? 15 : Math.trunc((t.signal.oom_score_adj * 17) / 1000)}\n`, { store: set_oom_adj }),
  timerslack_ns: file(0o666, (t) => `${t.timer_slack_ns}\n`, {
    store: (t, _writer, text) => {
      const v = kstrtol(text);
      t.timer_slack_ns = v === 0 ? t.default_timer_slack_ns : v;
    },
  }),
  io: file(0o400, show_io, { guarded: true }),
};

/** Task of a pid inode. Throws ESRCH. */
function task_of(inode: { readonly i_sb: PseudoSuper; readonly pid: number; readonly start: number }): Task {
  const t = inode.i_sb.kernel.tasks.get(inode.pid);
  if (t === undefined || t.start_time !== inode.start || t.state === EXIT_DEAD) throw ESRCH;
  return t;
}

/** What all inodes below /proc/PID have in common: owner, and that they go with the task. */
export abstract class PidInode extends PseudoInode {
  readonly pid: number;
  readonly start: number;
  constructor(sb: PseudoSuper, mode: number, t: Task) {
    super(sb, mode);
    this.pid = t.pid;
    this.start = t.start_time;
    this.own(t);
  }
  private own(t: Task): void {
    const dumpable = (t.mm?.dumpable ?? 1) === 1 || this.i_mode === dir_mode(0o555);
    this.i_uid = dumpable ? t.cred.euid : 0;
    this.i_gid = dumpable ? t.cred.egid : 0;
  }
  override d_revalidate(): boolean {
    const t = this.i_sb.kernel.tasks.get(this.pid);
    if (t === undefined || t.start_time !== this.start || t.state === EXIT_DEAD) return false;
    this.own(t);
    return true;
  }
  override d_cacheable(): boolean {
    return false;
  }
  /** The mode is the kernel's; an owner lasts until the next look at the process.  cf. proc_setattr(), pid_revalidate() */
  override setattr(attr: Iattr): void {
    if (attr.mode !== undefined) throw EPERM;
  }
  get task(): Task {
    return task_of(this);
  }
}

export class PidFile extends TextInode {
  readonly pid: number;
  readonly start: number;
  readonly key: string;
  readonly whole: boolean;
  constructor(sb: PseudoSuper, t: Task, key: string, whole: boolean) {
    super(sb, PID_ENTRIES[key]!.mode);
    this.pid = t.pid;
    this.start = t.start_time;
    this.key = key;
    this.whole = whole;
    this.i_uid = t.cred.euid;
    this.i_gid = t.cred.egid;
  }
  private get entry(): PidEntry {
    return PID_ENTRIES[this.key]!;
  }
  override d_revalidate(): boolean {
    const t = this.i_sb.kernel.tasks.get(this.pid);
    return t !== undefined && t.start_time === this.start && t.state !== EXIT_DEAD;
  }
  override check_open(task: Task | undefined): void {
    const t = task_of(this);
    if (this.entry.guarded === true && task !== undefined && !ptrace_may_access(task, t)) throw EACCES;
  }
  override open(task: Task | undefined, path: Path, flags: number): File {
    if (this.key !== "mounts" && this.key !== "mountinfo") return super.open(task, path, flags);
    this.check_open(task);
    return new File(path, this, flags, new ProcMounts(this));
  }
  override show(reader: Task): string {
    const t = task_of(this);
    return this.key === "stat" ? show_stat(t, this.whole) : this.entry.show!(t, reader);
  }
  override store(writer: Task, text: string): void {
    const { store } = this.entry;
    if (store === undefined) throw EIO;
    store(task_of(this), writer, text);
  }
}

/** /proc/PID/mem: the one memory, where the process has it mapped. */
export class PidMemInode extends PidInode {
  override open(task: Task | undefined, path: Path, flags: number): File {
    if (task !== undefined && !ptrace_may_access(task, this.task)) throw EACCES;
    return new File(path, this, flags, proc_mem_operations);
  }
}
export class PidMemFops extends GenericFops {
  override read(file: File, task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const { mm } = (file.f_inode as PidMemInode).task;
    if (mm === undefined || len === 0) return 0;
    const n = mm.read(task.kernel, pos, buf, off, len);
    if (n === 0) throw EIO;
    return n;
  }
  override write(file: File, task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const { mm } = (file.f_inode as PidMemInode).task;
    if (mm === undefined || len === 0) return 0;
    const n = mm.write(task.kernel, pos, buf, off, len);
    if (n === 0) throw EIO;
    return n;
  }
}

export const proc_mem_operations = new PidMemFops();

/** cwd, root, exe: magic links. */
export class PidLink extends PidInode {
  readonly key: string;
  constructor(sb: PseudoSuper, t: Task, key: string) {
    super(sb, link_mode(), t);
    this.key = key;
  }
  private path(task: Task): Path {
    const t = this.task;
    if (!ptrace_may_access(task, t)) throw EACCES;
    const path = this.key === "exe" ? t.mm?.exe_file : this.key === "cwd" ? t.fs?.pwd : t.fs?.root;
    if (path === undefined) throw ENOENT;
    return path;
  }
  override get_link(task: Task): Path {
    return this.path(task);
  }
  override readlink(task: Task | undefined): string {
    const reader = task ?? this.task;
    return d_path(this.path(reader), reader.fs?.root).text;
  }
}

/** fd/N */
export class FdLink extends PidInode {
  readonly fd: number;
  constructor(sb: PseudoSuper, t: Task, fd: number) {
    super(sb, link_mode(fd_perm(t.files!.peek(fd)!)), t);
    this.fd = fd;
    this.i_size = 64;
  }
  private file(): File {
    const f = this.task.files?.peek(this.fd);
    if (f === undefined) throw ENOENT;
    return f;
  }
  override d_revalidate(): boolean {
    if (!super.d_revalidate()) return false;
    const f = this.i_sb.kernel.tasks.get(this.pid)!.files?.peek(this.fd);
    if (f === undefined) return false;
    this.i_mode = link_mode(fd_perm(f));
    return true;
  }
  override get_link(task: Task): Path | undefined {
    if (!ptrace_may_access(task, this.task)) throw EACCES;
    const f = this.file();
    return f.f_path ?? f.f_op.anon_path(f);
  }
  override readlink(task: Task | undefined): string {
    if (task !== undefined && !ptrace_may_access(task, this.task)) throw EACCES;
    const f = this.file();
    return f.f_path === undefined ? f.f_op.d_dname(f) : d_path(f.f_path, task?.fs?.root).text;
  }
}
const fd_perm = (f: File): number => (f.readable ? 0o500 : 0) | (f.writable ? 0o300 : 0);

/** fdinfo/N */
export class FdInfo extends TextInode {
  readonly pid: number;
  readonly start: number;
  readonly fd: number;
  constructor(sb: PseudoSuper, t: Task, fd: number) {
    super(sb, 0o400);
    this.pid = t.pid;
    this.start = t.start_time;
    this.fd = fd;
    this.i_uid = t.cred.euid;
    this.i_gid = t.cred.egid;
  }
  override d_revalidate(): boolean {
    return this.i_sb.kernel.tasks.get(this.pid)?.files?.peek(this.fd) !== undefined;
  }
  override show(): string {
    const files = task_of(this).files;
    const f = files?.peek(this.fd);
    if (f === undefined) throw ENOENT;
    const flags = (f.f_flags & ~O_CLOEXEC) | (files!.cloexec[this.fd] === 1 ? O_CLOEXEC : 0);
    return `pos:\t${f.f_pos}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${f.f_path?.mnt.mnt_id ?? 0}\nino:\t${f.f_inode?.i_ino ?? 0}\n${(f.f_flags & O_PATH) === 0 ? f.f_op.show_fdinfo(f) : ""}`;
  }
}

/** fd and fdinfo: a name per descriptor. */
export class FdDir extends PidInode {
  readonly info: boolean;
  constructor(sb: PseudoSuper, t: Task, info: boolean) {
    super(sb, dir_mode(info ? 0o555 : 0o500), t);
    this.info = info;
    this.i_nlink = 2;
  }
  override permission(task: Task, _mask: number): boolean | undefined {
    return task.signal === this.task.signal ? true : undefined;
  }
  protected override find(name: string): Inode | undefined {
    if (!/^(0|[1-9]\d{0,8})$/.test(name)) return undefined;
    const t = this.task;
    if (t.files?.peek(Number(name)) === undefined) return undefined;
    return this.info ? new FdInfo(this.i_sb, t, Number(name)) : new FdLink(this.i_sb, t, Number(name));
  }
  override iterate(pos: number, emit: Emit): void {
    const fds = this.task.files?.fds ?? [];
    for (let fd = pos - 2; fd < fds.length; fd++)
      if (fds[fd] !== undefined && !emit(String(fd), this.i_ino * 4096 + fd, this.info ? DT_REG : DT_LNK, fd + 3)) return;
  }
}

/** task: the threads */
export class TaskDir extends PidInode {
  protected override find(name: string): Inode | undefined {
    if (!/^[1-9]\d{0,8}$/.test(name)) return undefined;
    const t = this.i_sb.kernel.tasks.get(Number(name));
    if (t === undefined || t.signal !== this.task.signal) return undefined;
    return new PidDir(this.i_sb, t, false);
  }
  override getattr(): void {
    this.i_nlink = 2 + this.task.signal.threads.size;
  }
  override iterate(pos: number, emit: Emit): void {
    const threads = [...this.task.signal.threads];
    for (let i = pos - 2; i < threads.length; i++) if (!emit(String(threads[i]!.pid), this.i_ino * 4096 + threads[i]!.pid, DT_DIR, i + 3)) return;
  }
}

/** net: files that net/ registers as "net/NAME" */
export class NetDir extends PidInode {
  protected override find(name: string): Inode | undefined {
    return this.i_sb.kernel.vfs.proc_entries.has(`net/${name}`) ? new EntryInode(this.i_sb, `net/${name}`) : undefined;
  }
  override iterate(pos: number, emit: Emit): void {
    const names = [...this.i_sb.kernel.vfs.proc_entries.keys()].filter((k) => k.startsWith("net/"));
    for (let i = pos - 2; i < names.length; i++) if (!emit(names[i]!.slice(4), this.i_ino * 4096 + i, DT_REG, i + 3)) return;
  }
}

/** A file that a subsystem registered with proc_create. */
export class EntryInode extends TextInode {
  readonly path: string;
  constructor(sb: PseudoSuper, path: string) {
    super(sb, sb.kernel.vfs.proc_entries.get(path)!.mode);
    this.path = path;
  }
  override show(reader: Task): string {
    const e = this.i_sb.kernel.vfs.proc_entries.get(this.path);
    if (e === undefined) throw ENOENT;
    return e.show(this.i_sb.kernel, reader);
  }
  override store(writer: Task, text: string): void {
    const e = this.i_sb.kernel.vfs.proc_entries.get(this.path);
    if (e === undefined) throw ENOENT;
    e.store(this.i_sb.kernel, writer, text);
  }
}

/** /proc/PID (whole) and /proc/PID/task/TID */
export class PidDir extends PidInode {
  readonly whole: boolean;
  constructor(sb: PseudoSuper, t: Task, whole: boolean) {
    super(sb, dir_mode(0o555), t);
    this.whole = whole;
    this.i_nlink = 9;
  }
  /** It may stand for the process where a pidfd is wanted to send a signal. */
  tgid_pidfd(): Task {
    if (!this.whole) throw EBADF;
    return this.task;
  }
  private names(): string[] {
    return Object.keys(PID_ENTRIES).filter((k) => this.whole || PID_ENTRIES[k]!.tgid !== true);
  }
  protected override find(name: string): Inode | undefined {
    const e = Object.hasOwn(PID_ENTRIES, name) ? PID_ENTRIES[name]! : undefined;
    if (e === undefined || (e.tgid === true && !this.whole)) return undefined;
    const t = this.task;
    const sb = this.i_sb;
    switch (e.type) {
      case "file":
        return new PidFile(sb, t, name, this.whole);
      case "link":
        return new PidLink(sb, t, name);
      case "mem":
        return new PidMemInode(sb, S_IFREG | e.mode, t);
      case "dir":
        if (name === "task") return new TaskDir(sb, dir_mode(e.mode), t);
        if (name === "net") return new NetDir(sb, dir_mode(e.mode), t);
        return new FdDir(sb, t, name === "fdinfo");
    }
  }
  override iterate(pos: number, emit: Emit): void {
    const names = this.names();
    for (let i = pos - 2; i < names.length; i++) {
      const { type } = PID_ENTRIES[names[i]!]!;
      if (!emit(names[i]!, this.i_ino * 4096 + i, type === "dir" ? DT_DIR : type === "link" ? DT_LNK : DT_REG, i + 3)) return;
    }
  }
}

