// fs/exec.ts — execve: from a path to a running program.  cf. fs/exec.c
import {
  E2BIG, EFAULT, EINVAL, ELIBBAD, ELOOP, ENOEXEC, Errno,
} from "../include/uapi/errno.ts";
import { AT_EMPTY_PATH, AT_FDCWD } from "../include/uapi/fcntl.ts";
import { MNT_NOSUID } from "../include/uapi/mount.ts";
import { ET_DYN } from "../include/uapi/elf.ts";
import { S_ISGID, S_ISUID } from "../include/uapi/stat.ts";
import type { Cred } from "../kernel/cred.ts";
import { bprm_creds } from "../kernel/cred_calls.ts";
import { PTRACE_EVENT_EXEC } from "../include/uapi/ptrace.ts";
import { de_thread } from "../kernel/exit.ts";
import { ptrace_event } from "../kernel/ptrace.ts";
import { exit_itimers } from "../kernel/time/posix_timers.ts";
import { flush_signal_handlers, mm_release, unshare_sighand } from "../kernel/fork.ts";
import { force_sigsegv, sas_ss_reset } from "../kernel/signal.ts";
import { Argv, DirFd, Hex, Path as PathArg, SYSCALL_DEFINE } from "../kernel/syscall.ts";
import { PF_FORKNOEXEC, type Task } from "../kernel/task.ts";
import { get_user_u64, strncpy_from_user } from "../kernel/uaccess.ts";
import { SIGSEGV } from "../include/uapi/signal.ts";
import { Mm } from "../mm/mm_types.ts";
import { PAGE_SIZE } from "../mm/page_alloc.ts";
import { check_elf, elf_fits, elf_interpreter, exec_stack_size, fetch_elf, load_elf_fdpic, type ElfFile } from "./binfmt_elf_fdpic.ts";
import { is_script, load_script } from "./binfmt_script.ts";
import { BINPRM_BUF_SIZE, type LinuxBinprm } from "./binprm.ts";
import { fput, path_get } from "./file_table.ts";
import type { File } from "./fs.ts";
import { Filename } from "./names.ts";
import { allow_write_access, deny_write_access, do_open_execat } from "./open.ts";

/** Without an MMU the strings of an exec are copied page by page: 32 of them. */
const MAX_ARG_PAGES = 32;
const ARG_MAX = MAX_ARG_PAGES * PAGE_SIZE - 8;
const MAX_ARG_STRLEN = PAGE_SIZE * 32;
/** #! lines that may lead to each other */
const MAX_DEPTH = 5;
const S_IXGRP = 0o010;

/** Strings of a NULL-terminated array of pointers; a NULL array is empty.  cf. count(), copy_strings() */
function read_strings(task: Task, array: number): string[] {
  const out: string[] = [];
  if (array === 0) return out;
  const m = task.kernel.mem;
  for (let p = array; ; p += 8) {
    const s = get_user_u64(m, p);
    if (s === 0) return out;
    if (s >= m.size) throw EFAULT;
    out.push(strncpy_from_user(m, s, MAX_ARG_STRLEN, E2BIG));
    if (out.length > ARG_MAX / 9) throw E2BIG;
  }
}

function check_arg_size(bprm: LinuxBinprm): void {
  const bytes = [bprm.filename, ...bprm.envp, ...bprm.argv].reduce((n, s) => n + s.length + 1, 0);
  if (bytes > ARG_MAX) throw E2BIG;
}

/** First bytes of a file, zeros behind its end.  cf. prepare_binprm() */
function read_head(task: Task, file: File): Uint8Array {
  const buf = new Uint8Array(BINPRM_BUF_SIZE);
  for (let n = 0; n < buf.length; ) {
    const got = file.f_op.read(file, task, buf, n, buf.length - n, n);
    if (got === 0) break;
    n += got;
  }
  return buf;
}

/** Credentials by the set-id bits of the file, which for a script is its interpreter.  cf. bprm_fill_uid() */
function exec_creds(task: Task, file: File): { cred: Cred; secure: boolean } {
  const { i_mode, i_uid, i_gid } = file.f_inode!;
  const setid = (file.f_path!.mnt.mnt_flags & MNT_NOSUID) === 0;
  return bprm_creds(
    task,
    setid && (i_mode & S_ISUID) !== 0 ? i_uid : undefined,
    setid && (i_mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP) ? i_gid : undefined,
  );
}

/** Opens, and for a program that turns out unfit closes again. */
function open_exec(task: Task, dfd: number, name: Filename, flags: number): File {
  const file = do_open_execat(task, dfd, name, flags);
  deny_write_access(file.f_inode!);
  return file;
}
function close_exec(task: Task, file: File): void {
  allow_write_access(file.f_inode!);
  fput(task, file);
}

/** The interpreter's headers, opened. Throws its own open error, or ELIBBAD. */
function open_interpreter(task: Task, exec: ElfFile): ElfFile | undefined {
  const path = elf_interpreter(task, exec);
  if (path === undefined) return undefined;
  const file = open_exec(task, AT_FDCWD, new Filename(path), 0);
  try {
    const elf = fetch_elf(task, file, path, read_head(task, file));
    if (elf?.e_type !== ET_DYN) throw ELIBBAD;
    check_elf(elf);
    return elf;
  } catch (e) {
    close_exec(task, file);
    throw e;
  }
}

/** Runs a program in place of the present one. Returns 0 with the task set up to start it.  cf. do_execveat_common(), bprm_execve() */
export function do_execve(task: Task, dfd: number, name: Filename, argv: string[], envp: string[], flags: number): number {
  de_thread_check(task);
  const opened: File[] = [];
  try {
    let file = open_exec(task, dfd, name, flags);
    opened.push(file);
    const shown = name.name === "" || (!name.absolute && dfd !== AT_FDCWD) ? `/dev/fd/${dfd}${name.name === "" ? "" : `/${name.name}`}` : name.name;
    const bprm: LinuxBinprm = { file, filename: shown, interp: shown, argv, envp, buf: read_head(task, file), cred: task.cred, secureexec: false };
    // an empty argv has bitten programs: Linux gives them one empty string
    if (bprm.argv.length === 0) bprm.argv = [""];
    check_arg_size(bprm);
    for (let depth = 0; is_script(bprm); depth++) {
      if (depth === MAX_DEPTH) throw ELOOP;
      const interpreter = load_script(bprm);
      bprm.filename = bprm.interp = interpreter;
      file = open_exec(task, AT_FDCWD, new Filename(interpreter), 0);
      opened.push(file);
      bprm.file = file;
      bprm.buf = read_head(task, file);
      check_arg_size(bprm);
    }
    bprm.filename = shown;
    ({ cred: bprm.cred, secure: bprm.secureexec } = exec_creds(task, file));
    const exec = fetch_elf(task, file, bprm.interp, bprm.buf);
    if (exec === undefined || !elf_fits(task, exec)) throw ENOEXEC;
    const interp = open_interpreter(task, exec);
    if (interp !== undefined) opened.push(interp.file);
    check_elf(exec);
    if (exec_stack_size(task.kernel, exec, interp) < 2 * PAGE_SIZE) throw EINVAL;
    const old_pid = task.pid;
    de_thread(task);
    begin_new_exec(task, bprm, file);
    try {
      load_elf_fdpic(task, task.mm!, bprm, exec, interp);
      if (ptrace_event(task, PTRACE_EVENT_EXEC, old_pid)) task.tracing.at_exec = true;
    } catch (e) {
      // past the point of no return: there is no program to go back to
      if (!(e instanceof Errno)) throw e;
      force_sigsegv(SIGSEGV, task);
      throw e;
    }
    return 0;
  } finally {
    for (const f of opened) close_exec(task, f);
  }
}

/** Nothing that this attempt opens may be left open when de_thread sleeps: so it is waited for first. */
function de_thread_check(task: Task): void {
  if (task.signal.group_exec_task === task) de_thread(task);
}

/** The old program is gone: memory, handlers, descriptors marked close-on-exec.  cf. begin_new_exec() */
function begin_new_exec(task: Task, bprm: LinuxBinprm, file: File): void {
  const kernel = task.kernel;
  const old = task.mm;
  mm_release(task);
  const mm = new Mm();
  task.mm = mm;
  mm.exe_file = file.f_path!;
  path_get(mm.exe_file);
  deny_write_access(file.f_inode!);
  old?.put(kernel);
  task.flags &= ~PF_FORKNOEXEC;
  task.comm = comm_of(bprm.filename);
  exit_itimers(task);
  unshare_sighand(task);
  flush_signal_handlers(task);
  sas_ss_reset(task);
  if (task.files !== undefined && task.files.count > 1) {
    const copy = task.files.dup();
    task.files.put(task);
    task.files = copy;
  }
  task.files?.do_close_on_exec(task);
  task.cred = bprm.cred;
  task.exit_signal = 17;
  task.robust_list = 0;
  task.clear_child_tid = 0;
  mm.dumpable = bprm.secureexec ? 0 : 1;
}

/** Last component of a path, at most 15 bytes. */
export const comm_of = (path: string): string => path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("/") + 16);

/** execve(2) */
export const sys_execve = SYSCALL_DEFINE("execve", [PathArg, Argv, Argv], (task, filename, argv, envp) =>
  do_execve(task, AT_FDCWD, task.kernel.vfs.names.getname(task.kernel.mem, filename), read_strings(task, argv), read_strings(task, envp), 0),
);

/** execveat(2) */
export const sys_execveat = SYSCALL_DEFINE("execveat", [DirFd, PathArg, Argv, Argv, Hex], (task, dfd, filename, argv, envp, flags) =>
  do_execve(
    task,
    dfd,
    task.kernel.vfs.names.getname(task.kernel.mem, filename, (flags & AT_EMPTY_PATH) !== 0),
    read_strings(task, argv),
    read_strings(task, envp),
    flags,
  ),
);

/** What the kernel itself starts: init. Throws the errno.  cf. kernel_execve() */
export function kernel_execve(task: Task, filename: string, argv: string[], envp: string[]): void {
  do_execve(task, AT_FDCWD, new Filename(filename), argv, envp, 0);
}
