// src/inspect/trampoline.ts — page 0 as worker/arch/um/trampoline.ts writes it: which address is what.

export const CELLS = 512;
/** the jump over two of the nops, and where it leads */
export const JUMP = 214;
export const JUMP_TO = 343;
/** the code at the end of the nops, and the first byte behind it */
export const TAIL = 463;
export const TAIL_END = 477;
export const KERNEL_VSYSCALL = 0x1000;

/** Instructions from address `nr` to the kernel's door: nops, the jump if it lies on the way, and the tail's four with vmcall. */
export function slide(nr: number): { readonly nops: number; readonly jumps: number } {
  if (nr <= JUMP) return { nops: JUMP - nr + (TAIL - JUMP_TO), jumps: 1 };
  return { nops: TAIL - nr, jumps: 0 };
}

export type CellKind = "nop" | "jump" | "tail" | "unused";
export function kindOf(cell: number): CellKind {
  if (cell >= TAIL_END) return "unused";
  if (cell >= TAIL) return "tail";
  return cell === JUMP || cell === JUMP + 1 ? "jump" : "nop";
}
