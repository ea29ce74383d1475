// worker/cpu/exit.ts — why Cpu.run() came back.

/** The budget is used up; nothing else happened. rip: the next instruction. */
export const EXIT_BUDGET = 1;
/** `vmcall` (0f 01 c1) at the door: the guest calls the kernel. rip: after it. It has retired. */
export const EXIT_KERNEL = 2;
/** `syscall` or `sysenter`. rip: after it; rcx and r11 are as before. It has retired. */
export const EXIT_SYSCALL = 3;
/** #PF: `exit_addr`, `exit_write`, `exit_exec` say where. rip: the faulting instruction, nothing of which has happened. */
export const EXIT_PF = 4;
/** #UD. rip: the instruction. */
export const EXIT_UD = 5;
/** #DE. rip: the instruction. */
export const EXIT_DE = 6;
/** #GP: non-canonical address outside the stack segment, misaligned address, privileged instruction. rip: the instruction. */
export const EXIT_GP = 7;
/** int3. rip: after it. It has retired. */
export const EXIT_BP = 8;
/** Single step (TF): one instruction has retired. rip: the next one. int1 alike, with or without TF. */
export const EXIT_DB = 9;
/** `int n`, n in `exit_vector`. rip: the instruction (Linux gives SIGSEGV for all but 0x80). */
export const EXIT_INT = 10;
/** x87 exception unmasked (#MF). rip: the instruction that noticed. */
export const EXIT_MF = 11;
/** SSE exception unmasked (#XM). rip: the instruction. */
export const EXIT_XM = 12;
/** #SS: non-canonical address by rsp or rbp, of push, pop, call …. rip: the instruction. */
export const EXIT_SS = 13;
/** `int 4` (#OF). rip: after it. It has retired. */
export const EXIT_OF = 14;
/** #GP for a selector, whose error code is in `exit_vector`. rip: the instruction. */
export const EXIT_SELECTOR = 15;

/** Not for the outside: TF may have changed; run() must look. The instruction has retired. */
export const EXIT_RECHECK = 102;

/** The same: the kernel was called from compiled code (Cpu.kernel), which had to be left. All is counted. */
export const EXIT_CALLED = 104;
/** Not for the outside: a non-canonical address, or one that is misaligned. ST_EXIT_ADDR, ST_EXIT_FLAGS; run() makes #GP or #SS of it. */
export const EXIT_ADDRESS = 106;

export type Exit =
  | typeof EXIT_BUDGET
  | typeof EXIT_KERNEL
  | typeof EXIT_SYSCALL
  | typeof EXIT_PF
  | typeof EXIT_UD
  | typeof EXIT_DE
  | typeof EXIT_GP
  | typeof EXIT_BP
  | typeof EXIT_DB
  | typeof EXIT_INT
  | typeof EXIT_MF
  | typeof EXIT_XM
  | typeof EXIT_SS
  | typeof EXIT_OF
  | typeof EXIT_SELECTOR;

/** Names for messages and traces, by number. */
export const EXIT_NAMES: readonly string[] = [
  "none", "budget", "kernel", "syscall", "#PF", "#UD", "#DE", "#GP", "#BP", "#DB", "int", "#MF", "#XM", "#SS", "#OF", "#GP(selector)",
];
