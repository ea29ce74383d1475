// kernel/arch.ts — what the kernel proper asks of its port (arch/um): registers, program start, code caches.
//
// The kernel never sees the CPU; it has this interface, as Linux has asm/*.h.
import type { File } from "../fs/fs.ts";
import type { Task } from "./task.ts";

/** The registers and FPU of a task that does not run: opaque bytes of the CPU (THREAD_STATE_SIZE). Plain data. */
export interface Thread {
  state: Uint8Array;
  /** number of the system call whose result is in rax and may have to be restarted; -1: none */
  orig_ax: number;
  /** of the last fault, for signal frames */
  trap_no: number;
  error_code: number;
  cr2: number;
}
export const newThread = (state: Uint8Array): Thread => ({ state, orig_ax: -1, trap_no: 0, error_code: 0, cr2: 0 });

/** Calls of the current task that are in no account yet, and instructions before them: see Sched.settle(). */
export interface NotedCalls {
  readonly calls: number;
  readonly insns: number;
  /** They are in the accounts now. */
  accounted(): void;
}

/** Of a port that accounts at once. */
export const NOTHING_NOTED: NotedCalls = Object.freeze({ calls: 0, insns: 0, accounted: () => undefined });

export interface Arch {
  /** The child's registers: a copy of the parent's with rax = 0, the given stack (0: the parent's) and TLS (undefined: the parent's).  cf. copy_thread() */
  copy_thread(child: Task, parent: Task, stack: number, tls: number | undefined): void;
  /** All registers zero but rip and rsp; FPU in its initial state.  cf. start_thread() */
  start_thread(task: Task, ip: number, sp: number): void;
  /** The current task changes: saves prev's registers (if any), loads next's.  cf. __switch_to() */
  switch_to(prev: Task | undefined, next: Task): void;
  /** The kernel wrote code to [addr, addr+len): translations of it must go.  cf. flush_icache_range() */
  flush_icache_range(addr: number, len: number): void;
  /**
   * Something is to be seen to before the current task's program goes on: a signal, a mask to be put back, another task, a timer. It is all that the way
   * back to a program asks after most calls.  cf. TIF_*, exit_to_user_mode_loop()
   */
  set_exit_work(): void;
  /** What the port has noted for Sched.settle(). */
  readonly noted: NotedCalls;
  /** argument n (0..5) of the call that `task` is in */
  syscall_get_argument(task: Task, n: number): number;
  /** bytes of Thread.state */
  readonly thread_size: number;
  /** CPUID.1:EDX, for AT_HWCAP; address of the vDSO's ELF header, 0 for none */
  readonly elf_hwcap: number;
  readonly sysinfo_ehdr: number;
  /** A program is in memory and about to start: the port may change its code. Throws an Errno: the exec fails.  cf. elf_arch_finalize_exec() */
  finalize_exec(task: Task, images: readonly ExecImage[]): void;
  /** wants code_placed() */
  readonly follows_code: boolean;
  /** `len` bytes of `file` from `pos` on are at `addr` now, by mmap(2) or read(2), where the task may execute them: the port may change that code. */
  code_placed(task: Task, file: File, pos: number, addr: number, len: number): void;
  /** The task stops on its way through the entry: what its registers say then is where its program goes on. */
  leave_entry(task: Task): void;
  /** struct user_regs_struct of a task: for ptrace(2) */
  get_regs(task: Task): Uint8Array;
  set_regs(task: Task, regs: Uint8Array): void;
  /** struct user_fpregs_struct */
  get_fpregs(task: Task): Uint8Array;
  set_fpregs(task: Task, regs: Uint8Array): void;
  /** A SIGTRAP after each instruction, or no longer. */
  user_single_step(task: Task, on: boolean): void;
  /** arch_prctl(2) of another task: PTRACE_ARCH_PRCTL */
  arch_prctl(task: Task, option: number, arg: number): number;
  /** all 64 bits of argument n (0..5) of the call that `task` is in */
  syscall_argument_bytes(task: Task, n: number): Uint8Array;
  /** for a panic: the registers of the running task and the last system calls, as lines of the log.  cf. show_regs() */
  show_regs(task: Task | undefined): string[];
  /** "read" of 0; the number itself if there is no such call */
  syscall_name(nr: number): string;
  /** instruction and stack pointer of a task that is not running, for /proc and oopses */
  ip(task: Task): number;
  sp(task: Task): number;
}

/** A PT_LOAD segment of an ELF file: virtual address, place in the file, sizes in bytes. */
export interface ElfCodeSegment {
  readonly p_vaddr: number;
  readonly p_offset: number;
  readonly p_filesz: number;
  /** PF_X 1, PF_W 2, PF_R 4 */
  readonly p_flags: number;
}
/** An ELF file as far as it tells where its code is. */
export interface ElfCode {
  readonly file: File;
  /** what people call it: the path */
  readonly name: string;
  readonly segments: readonly ElfCodeSegment[];
  /** of the section headers, in the file; 0 if there are none */
  readonly e_shoff: number;
  readonly e_shnum: number;
  /** virtual address of PT_GNU_EH_FRAME, if there is one */
  readonly eh_frame_hdr: number | undefined;
}
/** A segment that is in memory, at `addr`. */
export interface ExecSegment extends ElfCodeSegment {
  readonly addr: number;
  readonly p_memsz: number;
}
/** An ELF file as execve put it into memory: the program, or its interpreter. */
export interface ExecImage extends ElfCode {
  readonly segments: readonly ExecSegment[];
}
