// arch/um/trampoline.ts — page 0 and the kernel's entry, byte for byte.  cf. arch/x86/um/zpoline.c, arch/x86/um/nommu/entry_64.S
//
//   0 .. N-1   90 each              one nop for each system call number
//   214        eb 7f                over two of them: a jump ahead by 127, so that low numbers slide less
//   N          49 bb <u64>          mov  $__kernel_vsyscall, %r11
//   N+10       59                   pop  %rcx          the return address that call *%rax has pushed: rsp is as the program had it
//   N+11       41 ff e3             jmp  *%r11
//
// __kernel_vsyscall, in the page after it:
//   0          0f 01 c1             vmcall             to the kernel, which is not guest code
//   3          ff e1                jmp  *%rcx         back: what sysret does
import type { Memory } from "../../kernel/uaccess.ts";

/** Highest system call number + 1, as in Linux 6.12 (mseal is 462). */
export const NR_SYSCALLS = 463;
/** Numbers of which nothing is left but a byte of the jump. */
const JUMP_AT = 214;
export const KERNEL_VSYSCALL = 0x1000;
/** after its `vmcall`: the jump back */
export const VSYSCALL_RETURN = KERNEL_VSYSCALL + 3;
/** where the trampoline's tail begins */
export const TRAMPOLINE_TAIL = NR_SYSCALLS;

/** Writes both.  cf. setup_zpoline_trampoline() */
export function setup_zpoline_trampoline(mem: Memory): void {
  const { u8, view } = mem;
  u8.fill(0x90, 0, NR_SYSCALLS);
  u8.set([0xeb, 0x7f], JUMP_AT);
  u8.set([0x49, 0xbb], TRAMPOLINE_TAIL);
  view.setUint32(TRAMPOLINE_TAIL + 2, KERNEL_VSYSCALL, true);
  view.setUint32(TRAMPOLINE_TAIL + 6, 0, true);
  u8.set([0x59, 0x41, 0xff, 0xe3], TRAMPOLINE_TAIL + 10);
  setup_vsyscall(mem);
}

/** The entry alone, for the modes without a trampoline: page 0 stays zero, and nothing can be executed there that makes sense. */
export function setup_vsyscall(mem: Memory): void {
  mem.u8.set([0x0f, 0x01, 0xc1, 0xff, 0xe1], KERNEL_VSYSCALL);
}
