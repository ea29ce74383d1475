// fs/coredump.ts — core files: an ELF image of a process that a signal killed.  cf. fs/coredump.c, fs/binfmt_elf.c elf_core_dump()
//
// The notes are an ordinary x86-64 kernel's, not the FDPIC loader's (which puts two load maps into each NT_PRSTATUS), so that debuggers read them.
import { Errno } from "../include/uapi/errno.ts";
import { AT_FDCWD, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from "../include/uapi/fcntl.ts";
import { S_ISREG } from "../include/uapi/stat.ts";
import { task_ppid } from "../kernel/pid.ts";
import { SIGINFO_SIZE, write_siginfo } from "../kernel/siginfo.ts";
import { RLIMIT_CORE, RLIMIT_FSIZE, type SigInfo, type SigSet } from "../kernel/signal_types.ts";
import type { Task } from "../kernel/task.ts";
import { VM_EXEC, VM_READ, VM_WRITE } from "../mm/mm_types.ts";
import { fput } from "./file_table.ts";
import type { File } from "./fs.ts";
import { Filename } from "./names.ts";
import { do_unlinkat } from "./namei_ops.ts";
import { do_filp_open } from "./open.ts";
import { get_task_state } from "./proc/array.ts";

const PAGE_SIZE = 4096;
const EHDR = 64;
const PHDR = 56;
const ET_CORE = 4;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
const NT_PRSTATUS = 1;
const NT_PRFPREG = 2;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_SIGINFO = 0x53494749;
const CHUNK = 1 << 16;

const view = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.length);
const u64 = (v: DataView, at: number, x: number): void => {
  v.setUint32(at, x >>> 0, true);
  v.setUint32(at + 4, Math.floor(x / 0x100000000), true);
};
const sigset = (v: DataView, at: number, s: SigSet): void => {
  v.setUint32(at, s.lo, true);
  v.setUint32(at + 4, s.hi, true);
};

/** The name that core_pattern makes.  cf. format_corename() */
function corename(task: Task, sig: number): string {
  const { vfs, uts, time } = task.kernel;
  const values: Readonly<Record<string, () => string | number>> = {
    "%": () => "%", p: () => task.tgid, P: () => task.tgid, i: () => task.pid, I: () => task.pid, u: () => task.cred.uid, g: () => task.cred.gid, d: () => task.mm!.dumpable,
    s: () => sig, t: () => time.realtime().sec, h: () => uts.nodename, e: () => task.comm, f: () => task.comm, c: () => task.signal.rlim[RLIMIT_CORE]!.cur,
  };
  const name = vfs.core_pattern.replace(/%(.)|%$/g, (_all, c: string | undefined) => String((c === undefined ? undefined : values[c]?.()) ?? "").replaceAll("/", "!"));
  return vfs.core_uses_pid && !/%p/i.test(vfs.core_pattern) ? `${name}.${task.tgid}` : name;
}

function note(type: number, desc: Uint8Array): Uint8Array {
  const b = new Uint8Array(12 + 8 + Math.ceil(desc.length / 4) * 4);
  const v = view(b);
  v.setUint32(0, 5, true);
  v.setUint32(4, desc.length, true);
  v.setUint32(8, type, true);
  b.set([0x43, 0x4f, 0x52, 0x45], 12);
  b.set(desc, 20);
  return b;
}
/** struct elf_prstatus: who, why, and the registers. */
function prstatus(t: Task, sig: number): Uint8Array {
  const b = new Uint8Array(336);
  const v = view(b);
  v.setInt32(0, sig, true);
  v.setInt16(12, sig, true);
  sigset(v, 16, t.pending.signal);
  sigset(v, 24, t.blocked);
  [t.pid, task_ppid(t), t.signal.pgrp, t.signal.session].forEach((x, i) => v.setInt32(32 + 4 * i, x, true));
  [t.utime, t.stime, t.signal.cusage.utime, t.signal.cusage.stime].forEach((ns, i) => {
    u64(v, 48 + 16 * i, Math.floor(ns / 1e9));
    u64(v, 56 + 16 * i, Math.floor((ns % 1e9) / 1000));
  });
  b.set(t.kernel.arch.get_regs(t).subarray(0, 216), 112);
  v.setInt32(328, 1, true);
  return b;
}
/** struct elf_prpsinfo: what ps would say. */
function prpsinfo(t: Task, psargs: Uint8Array): Uint8Array {
  const b = new Uint8Array(136);
  const v = view(b);
  const state = get_task_state(t)[0];
  b[0] = "RSDTtZX".indexOf(state);
  b[1] = state.charCodeAt(0);
  v.setInt8(3, t.nice);
  u64(v, 8, t.flags);
  [t.cred.uid, t.cred.gid, t.tgid, task_ppid(t), t.signal.pgrp, t.signal.session].forEach((x, i) => v.setInt32(16 + 4 * i, x, true));
  for (let i = 0; i < Math.min(15, t.comm.length); i++) b[40 + i] = t.comm.charCodeAt(i);
  b.set(psargs.subarray(0, 79), 56);
  return b;
}

/** Writes in pieces up to a limit; whether there was room. */
export class CoreFile {
  private readonly task: Task;
  private readonly file: File;
  private readonly limit: number;
  private pos = 0;
  constructor(task: Task, file: File, limit: number) {
    this.task = task;
    this.file = file;
    this.limit = limit;
  }
  emit(b: Uint8Array): boolean {
    const n = Math.min(b.length, this.limit - this.pos);
    for (let done = 0; done < n; ) {
      const k = this.file.f_op.write(this.file, this.task, b, done, n - done, this.pos);
      if (k <= 0) return false;
      done += k;
      this.pos += k;
    }
    return n === b.length;
  }
}

function elf_core_dump(task: Task, info: SigInfo, out: CoreFile): void {
  const { kernel } = task;
  const mm = task.mm!;
  const args = new Uint8Array(Math.min(79, mm.arg_end - mm.arg_start));
  mm.read(kernel, mm.arg_start, args, 0, args.length);
  const psargs = args.map((c) => (c === 0 ? 32 : c));
  const siginfo = new Uint8Array(SIGINFO_SIZE);
  write_siginfo(view(siginfo), 0, info);
  const auxv = new Uint8Array(mm.saved_auxv.length * 8);
  mm.saved_auxv.forEach((x, i) => u64(view(auxv), 8 * i, x));
  const others = [...task.signal.threads].filter((t) => t !== task);
  const notes = [
    note(NT_PRSTATUS, prstatus(task, info.signo)), note(NT_PRPSINFO, prpsinfo(task, psargs)), note(NT_SIGINFO, siginfo), note(NT_AUXV, auxv), note(NT_PRFPREG, kernel.arch.get_fpregs(task)),
    ...others.flatMap((t) => [note(NT_PRSTATUS, prstatus(t, info.signo)), note(NT_PRFPREG, kernel.arch.get_fpregs(t))]),
  ];
  const notes_len = notes.reduce((n, b) => n + b.length, 0);
  const head = new Uint8Array(EHDR + PHDR * (mm.vmas.length + 1));
  const v = view(head);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  v.setUint16(16, ET_CORE, true);
  v.setUint16(18, EM_X86_64, true);
  v.setUint32(20, 1, true);
  u64(v, 32, EHDR);
  v.setUint16(52, EHDR, true);
  v.setUint16(54, PHDR, true);
  v.setUint16(56, mm.vmas.length + 1, true);
  const phdr = (i: number, type: number, flags: number, off: number, addr: number, filesz: number, memsz: number, align: number): void => {
    const at = EHDR + PHDR * i;
    v.setUint32(at, type, true);
    v.setUint32(at + 4, flags, true);
    [off, addr, 0, filesz, memsz, align].forEach((x, k) => u64(v, at + 8 + 8 * k, x));
  };
  phdr(0, PT_NOTE, 0, head.length, 0, notes_len, 0, 4);
  const data = Math.ceil((head.length + notes_len) / PAGE_SIZE) * PAGE_SIZE;
  let off = data;
  // what came from a file and could not be written to is in that file
  const sizes = mm.vmas.map((a) => (a.vm_file === undefined || (a.vm_flags & VM_WRITE) !== 0 ? a.vm_end - a.vm_start : 0));
  mm.vmas.forEach((a, i) => {
    const flags = ((a.vm_flags & VM_READ) !== 0 ? 4 : 0) | ((a.vm_flags & VM_WRITE) !== 0 ? 2 : 0) | ((a.vm_flags & VM_EXEC) !== 0 ? 1 : 0);
    phdr(i + 1, PT_LOAD, flags, off, a.vm_start, sizes[i]!, a.vm_end - a.vm_start, PAGE_SIZE);
    off += sizes[i]!;
  });
  if (!out.emit(head)) return;
  for (const b of notes) if (!out.emit(b)) return;
  if (!out.emit(new Uint8Array(data - head.length - notes_len))) return;
  const buf = new Uint8Array(CHUNK);
  for (let i = 0; i < mm.vmas.length; i++)
    for (let done = 0; done < sizes[i]!; done += CHUNK) {
      const n = Math.min(CHUNK, sizes[i]! - done);
      buf.fill(0);
      mm.read(kernel, mm.vmas[i]!.vm_start + done, buf, 0, n);
      if (!out.emit(buf.subarray(0, n))) return;
    }
}

function unlink(task: Task, name: string): void {
  try {
    do_unlinkat(task, AT_FDCWD, new Filename(name));
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
  }
}

/** A signal ends the process with a core file where it may have one: whether it has. Pipes to programs (`|` in core_pattern) are not there.  cf. do_coredump() */
export function do_coredump(task: Task, info: SigInfo): boolean {
  const { mm } = task;
  const limit = Math.min(task.signal.rlim[RLIMIT_CORE]!.cur, task.signal.rlim[RLIMIT_FSIZE]!.cur);
  const name = corename(task, info.signo);
  if (mm === undefined || mm.dumpable !== 1 || task.signal.rlim[RLIMIT_CORE]!.cur < PAGE_SIZE || name === "" || name.startsWith("|") || task.fs === undefined) return false;
  let file: File | undefined;
  try {
    // what is there already goes: a core file is always a new one
    unlink(task, name);
    file = do_filp_open(task, AT_FDCWD, new Filename(name), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o100600);
    const inode = file.f_inode!;
    if (!S_ISREG(inode.i_mode) || inode.i_nlink !== 1 || inode.i_uid !== task.cred.fsuid || (inode.i_mode & 0o677) !== 0o600) return false;
    elf_core_dump(task, info, new CoreFile(task, file, limit));
    return true;
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
    return false;
  } finally {
    if (file !== undefined) fput(task, file);
  }
}
