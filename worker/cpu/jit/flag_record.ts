// worker/cpu/jit/flag_record.ts — flags as compiled code keeps them: the setter is known while compiling, its operands are locals.
//
// mem: they are in the state block. canon: in the four locals that mirror it (where control flow meets). Everything else: set by the
// instruction of that kind from these locals; nothing has been computed yet, and often never is.

export type FlagRecord =
  | { readonly kind: "mem" }
  | { readonly kind: "canon" }
  /** r = x - y or x + y (logic: y undefined: as a comparison of r with 0) with or without a carry; values of `size` bytes */
  | { readonly kind: "sub" | "add" | "adc" | "sbb"; readonly size: number; readonly r: number; readonly x: number; readonly y: number }
  | { readonly kind: "logic"; readonly size: number; readonly r: number }
  /** CF is that of `carry` */
  | { readonly kind: "inc" | "dec"; readonly size: number; readonly r: number; readonly carry: FlagRecord }
  /** ZF, SF, PF of r; the others are i32 values 0 or 1 */
  | { readonly kind: "explicit"; readonly size: number; readonly r: number; readonly c: number | undefined; readonly o: number | undefined; readonly a: number | undefined }
  /** those in `which` are bits of image, the others as in base */
  | { readonly kind: "patch"; readonly which: number; readonly image: number; readonly base: FlagRecord }
  /** all six, where rflags has them */
  | { readonly kind: "bits"; readonly image: number };

export const MEM: FlagRecord = { kind: "mem" };
export const CANON: FlagRecord = { kind: "canon" };

/** The locals that a record needs alive. */
export function localsOf(f: FlagRecord): number[] {
  switch (f.kind) {
    case "mem":
    case "canon":
      return [];
    case "logic":
      return [f.r];
    case "inc":
    case "dec":
      return [f.r, ...localsOf(f.carry)];
    case "explicit":
      return [f.r, f.c, f.o, f.a].filter((v): v is number => v !== undefined);
    case "patch":
      return [f.image, ...localsOf(f.base)];
    case "bits":
      return [f.image];
    default:
      return [f.r, f.x, f.y];
  }
}
