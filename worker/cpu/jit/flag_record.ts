// worker/cpu/jit/flag_record.ts — flags as compiled code keeps them: the setter is known while compiling, its operands are locals.
//
// mem: they are in the state block. canon: in the four locals that mirror it (where control flow meets). Everything else: set by the
// instruction of that kind from these locals; nothing has been computed yet, and often never is.
import { Assembler } from "../build/assembler.ts";
import type { Bytes, WasmType } from "../build/module.ts";
import { FL_ADD } from "../flags.ts";
import { ST_FL_A, ST_FL_B, ST_FL_OP, ST_FL_RES } from "../state.ts";

/** A value that is in no local. */
export interface Constant {
  readonly type: WasmType;
  readonly lo: number;
  readonly hi: number;
}

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
  /** the same, with CF and OF as `work` makes them of `of`; it emits code */
  | { readonly kind: "later"; readonly size: number; readonly r: number; readonly of: readonly (number | Constant)[]; readonly work: (of: readonly number[]) => [c: number, o?: number] }
  /** those in `which` are bits of image, the others as in base */
  | { readonly kind: "patch"; readonly which: number; readonly image: number; readonly base: FlagRecord }
  /** all six, where rflags has them */
  | { readonly kind: "bits"; readonly image: number };

/** In the op of the canonical locals: the result is in res. */
export const GIVEN = 0x10000;

/** `$settle` of IMPORTS, with one i64 as its own local: the canonical locals op, res, a, b, as emit_flags.ts tells of them, to the state block. */
export function settleFunction(state: number): Bytes {
  const f = new Assembler();
  const wide = (offset: number): Assembler => f.get(4).op(0x86).get(4).op(0x87).store64(state + offset);
  f.const(0).get(0).const(255).op(0x71).store(state + ST_FL_OP);
  f.get(0).const(8).op(0x76).const(255).op(0x71, 0xad).set(4);
  f.const(0).get(1).get(2).get(3).op(0x7c).get(2).get(3).op(0x7d).get(0).const(255).op(0x71).const(FL_ADD).op(0x46, 0x1b).get(0).const(GIVEN).op(0x71, 0x1b);
  wide(ST_FL_RES);
  f.const(0).get(2);
  wide(ST_FL_A);
  f.const(0).get(3);
  wide(ST_FL_B);
  return f.end().take();
}

export const MEM: FlagRecord = { kind: "mem" };
export const CANON: FlagRecord = { kind: "canon" };

/** Appends the locals that a record needs alive. */
export function pushLocals(f: FlagRecord, to: number[]): void {
  switch (f.kind) {
    case "mem":
    case "canon":
      return;
    case "logic":
      to.push(f.r);
      return;
    case "inc":
    case "dec":
      to.push(f.r);
      pushLocals(f.carry, to);
      return;
    case "explicit":
      to.push(f.r);
      for (const v of [f.c, f.o, f.a]) if (v !== undefined) to.push(v);
      return;
    case "later":
      to.push(f.r);
      for (const v of f.of) if (typeof v === "number") to.push(v);
      return;
    case "patch":
      to.push(f.image);
      pushLocals(f.base, to);
      return;
    case "bits":
      to.push(f.image);
      return;
    default:
      to.push(f.r, f.x, f.y);
  }
}
