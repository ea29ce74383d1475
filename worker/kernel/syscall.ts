// kernel/syscall.ts — one declaration per system call: name, kinds of arguments, body.  cf. include/linux/syscalls.h
//
// Dispatch, strace and docs/syscalls.md are all derived from it. The kinds turn registers into numbers before the body runs and say
// how strace prints them. The table that gives each number its row is arch/um/syscall_64.ts.
import type { Errno } from "../include/uapi/errno.ts";
import type { Task } from "./task.ts";

/** How the 64 bits of an argument register become a number. u64 and s64 are exact up to 2^53. */
export type Width = "s32" | "u32" | "s64" | "u64";

/** A kind of argument. `show` names the strace formatter (kernel/strace.ts); `width` the conversion. */
export interface Kind {
  readonly width: Width;
  readonly show: string;
}
const kind = (width: Width, show: string): Kind => ({ width, show });

export const Int = kind("s32", "int");
export const UInt = kind("u32", "uint");
export const Long = kind("s64", "int");
export const ULong = kind("u64", "uint");
export const Size = kind("u64", "uint");
export const Off = kind("s64", "int");
/** flags: 32 bits, which C libraries pass sign-extended, too */
export const Hex = kind("u32", "hex");
/** octal permission bits */
export const Mode = kind("u32", "mode");
export const Fd = kind("s32", "fd");
/** a descriptor or AT_FDCWD */
export const DirFd = kind("s32", "dirfd");
export const Pid = kind("s32", "int");
/** a guest address */
export const Ptr = kind("u64", "ptr");
/** address of a NUL-terminated path; the body reads it with strncpy_from_user */
export const Path = kind("u64", "path");
/** address of some other NUL-terminated string */
export const Str = kind("u64", "str");
/** a buffer that the call reads; the next argument is its length */
export const InBuf = kind("u64", "inbuf");
/** a buffer that the call fills; its result is how much */
export const OutBuf = kind("u64", "outbuf");
export const OpenFlags = kind("u32", "open");
export const Signal = kind("s32", "signal");
export const Argv = kind("u64", "argv");
export const MmapProt = kind("u32", "prot");
export const MmapFlags = kind("u32", "mmap");
export const CloneFlags = kind("u64", "clone");
export const Timespec = kind("u64", "timespec");
export const SockAddr = kind("u64", "sockaddr");
/** struct iovec[] that the call reads from or fills; the next argument says how many */
export const IovIn = kind("u64", "iovin");
export const IovOut = kind("u64", "iovout");
/** where wait4 writes the status; its options */
export const WaitStatus = kind("u64", "wstatus");
export const WaitOptions = kind("s32", "woptions");
/** number of an ioctl; the next argument may be decoded by it */
export const IoctlCmd = kind("u32", "ioctl");
export const IoctlArg = kind("u64", "ioctlarg");
/** struct pollfd[]; the next argument says how many */
export const PollFds = kind("u64", "pollfds");
/** int[2] that pipe fills */
export const FdPair = kind("u64", "fdpair");
/** struct stat that the call fills */
export const StatBuf = kind("u64", "stat");

type Numbers<K extends readonly Kind[]> = { [I in keyof K]: number };
/** What a body is given: the task and one number per kind. It returns the result (0..2^53), throws an Errno, or sleeps (sched/wait.ts). */
export type Body = (task: Task, ...args: number[]) => number;

export interface Syscall {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly body: Body;
}

/** Declares a system call. The body is checked against the number of kinds. */
export function SYSCALL_DEFINE<const K extends readonly Kind[]>(
  name: string,
  kinds: K,
  body: (task: Task, ...args: Numbers<K>) => number,
): Syscall {
  return { name, kinds, body: body as Body };
}

/** A row of the table: how complete the call is. A call that is not there fails with the errno Linux would give; nothing pretends. */
export type Row =
  | { readonly state: "full"; readonly call: Syscall }
  | { readonly state: "partial"; readonly call: Syscall; readonly missing: string }
  | { readonly state: "errno"; readonly name: string; readonly errno: Errno; readonly why: string };

export const full = (call: Syscall): Row => ({ state: "full", call });
export const partial = (call: Syscall, missing: string): Row => ({ state: "partial", call, missing });
export const absent = (name: string, errno: Errno, why: string): Row => ({ state: "errno", name, errno, why });
