// worker/cpu/insn/vector.ts — what the definitions of SSE and MMX share: operands as 128 bits, the x87 state behind MMX

import type { Builder, Operand } from "../build/builder.ts";
import { EXIT_MF } from "../exit.ts";
import { ST_FSW, ST_FTW } from "../state.ts";

export const ZERO16: readonly number[] = new Array<number>(16).fill(0);

export function zeroX<V, X>(b: Builder<V, X>): X {
  return b.constX(ZERO16);
}

/** Lane numbers from, from + 1, … */
export function range(from: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => from + i);
}

/** Shuffle numbers for lanes of `size` bytes: lanes(2, 0, 9) is lane 0 of the first and lane 1 of the second vector. */
export function lanes(size: number, ...numbers: number[]): number[] {
  return numbers.flatMap((n) => range(n * size, size));
}

/** An xmm register or memory operand as it is; an mm register or its memory operand in the low half, zero above. */
export function vec<V, X>(b: Builder<V, X>, o: Operand, mmx: boolean): X {
  if (!mmx) return b.readX(o);
  return b.replace("i64x2", zeroX(b), 0, b.zext(b.read(o)));
}

/** Before an MMX instruction reads anything: #MF if an exception is pending. */
export function mmxBegin<V, X>(b: Builder<V, X>): void {
  b.trapIf(b.and(b.getState(ST_FSW, "i32"), b.i32(0x80)), EXIT_MF);
}

/** After the last fault of an MMX instruction: TOP is 0, all registers are valid. */
export function mmxEnd<V, X>(b: Builder<V, X>): void {
  b.setState(ST_FSW, b.and(b.getState(ST_FSW, "i32"), b.i32(~0x3800)));
  b.setState(ST_FTW, b.i32(0));
}

/** Writes a result to an xmm or mm register. */
export function putVec<V, X>(b: Builder<V, X>, o: Operand, x: X): void {
  if (o.kind === "mm") {
    mmxEnd(b);
    b.write(o, b.extract("i64x2", x, 0));
  } else b.writeX(o, x);
}

/** Bits of a mask spread to bytes, repeated over 16 bytes, little endian. */
export function repeat(size: number, value: bigint): number[] {
  const one = range(0, size).map((i) => Number((value >> BigInt(8 * i)) & 0xffn));
  return range(0, 16).map((i) => one[i % size]!);
}
