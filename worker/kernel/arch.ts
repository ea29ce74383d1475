// kernel/arch.ts — what the kernel proper asks of its port (arch/um): registers, program start, code caches.
//
// The kernel never sees the CPU; it has this interface, as Linux has asm/*.h.
import type { Task } from "./task.ts";

/** The registers and FPU of a task that does not run: opaque bytes of the CPU (THREAD_STATE_SIZE). Plain data. */
export interface Thread {
  state: Uint8Array;
}

export interface Arch {
  /** The child's registers: a copy of the parent's with rax = 0, the given stack (0: the parent's) and TLS (undefined: the parent's).  cf. copy_thread() */
  copy_thread(child: Task, parent: Task, stack: number, tls: number | undefined): void;
  /** All registers zero but rip and rsp; FPU in its initial state.  cf. start_thread() */
  start_thread(task: Task, ip: number, sp: number): void;
  /** The current task changes: saves prev's registers (if any), loads next's.  cf. __switch_to() */
  switch_to(prev: Task | undefined, next: Task): void;
  /** The kernel wrote code to [addr, addr+len): translations of it must go.  cf. flush_icache_range() */
  flush_icache_range(addr: number, len: number): void;
  /** argument n (0..5) and number of the call that `task` is in, from its saved registers */
  syscall_get_nr(task: Task): number;
  /** Builds a signal frame on the user stack, so that the task runs the handler next. Throws EFAULT if the stack is not writable.  cf. setup_rt_frame() */
  setup_rt_frame(task: Task, sig: number): void;
  /** instruction and stack pointer of a task that is not running, for /proc and oopses */
  ip(task: Task): number;
  sp(task: Task): number;
}
