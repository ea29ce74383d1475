// worker/cpu/insn/sse_float.ts — SSE floating point: arithmetic, comparison, rounding.  SDM Vol. 1 chapter 11, Vol. 2
//
// The fast path is WebAssembly's own operation. It is exact when MXCSR rounds to nearest, masks everything and has the precision
// exception already recorded (it is sticky, and nearly every program sets it at once), no operand is denormal, and the
// result is neither NaN nor infinite nor tiny: then no other exception can have arisen. All else is done by sse.ts.

import type { Builder, Operand } from "../build/builder.ts";
import type { Op } from "../build/ops.ts";
import type { SimdBinary } from "../build/simd_ops.ts";
import { ADD, ADDSUB, CMP, DIV, MAX, MIN, MUL, ROUND, SQRT, SUB } from "../sse.ts";
import { ST_MXCSR, STATUS_FLAGS } from "../state.ts";
import { type Definitions, insn } from "./define.ts";
import { lanes, repeat } from "./vector.ts";

export const SSE_FLOAT: Definitions = [];
const def = SSE_FLOAT;

const MXCSR_CONTROL = 0xffc0, MXCSR_PE = 0x20, MXCSR_DEFAULT = 0x1f80, MXCSR_MASKS_DAZ = 0x1fc0;

/** i32: rounding to nearest, all masked, no DAZ or FTZ. */
export function plain<V, X>(b: Builder<V, X>): V {
  return b.cmp("eq", b.and(b.getState(ST_MXCSR, "i32"), b.i32(MXCSR_CONTROL)), b.i32(MXCSR_DEFAULT));
}
/** The same with the precision exception recorded: an inexact result adds nothing. */
export function plainInexact<V, X>(b: Builder<V, X>): V {
  return b.eqz(b.odd());
}
/** All masked, no DAZ: enough for what does not round. */
export function masked<V, X>(b: Builder<V, X>): V {
  return b.cmp("eq", b.and(b.getState(ST_MXCSR, "i32"), b.i32(MXCSR_MASKS_DAZ)), b.i32(MXCSR_DEFAULT));
}

type Size = 4 | 8;
const op = (size: Size, name: string): Op => `f${size * 8}.${name}` as Op;
const MIN_NORMAL = { 4: 2 ** -126, 8: 2 ** -1022 } as const;

/** The low 4 or 8 bytes of an operand, as a float and as an integer. */
export function low<V, X>(b: Builder<V, X>, o: Operand, size: Size): [V, V] {
  if (o.kind === "xmm") {
    const x = b.readLow(o, size);
    return [x, toBits(b, size, x)];
  }
  const v = b.read(o);
  return [toFloat(b, size, v), v];
}
export function toFloat<V, X>(b: Builder<V, X>, size: Size, v: V): V {
  return b.op(size === 8 ? "f64.reinterpret_i64" : "f32.reinterpret_i32", v);
}
export function toBits<V, X>(b: Builder<V, X>, size: Size, v: V): V {
  return b.op(size === 8 ? "i64.reinterpret_f64" : "i32.reinterpret_f32", v);
}
export function float<V, X>(b: Builder<V, X>, size: Size, n: number): V {
  return size === 8 ? b.f64(n) : b.f32(n);
}

/** i32: the float with these bits is denormal (zero is not). */
export function denormal<V, X>(b: Builder<V, X>, size: Size, v: V): V {
  return size === 8
    ? b.cmp("lt_u", b.sub(b.shl(v, b.i64(1)), b.i64(1)), b.i64((1n << 53n) - 1n))
    : b.cmp("lt_u", b.sub(b.shl(v, b.i32(1)), b.i32(1)), b.i32(0xffffff));
}
export function finite<V, X>(b: Builder<V, X>, size: Size, v: V): V {
  return b.op(op(size, "lt"), b.op(op(size, "abs"), v), float(b, size, Infinity));
}
function ordered<V, X>(b: Builder<V, X>, size: Size, x: V, y: V): V {
  return b.and(b.op(op(size, "eq"), x, x), b.op(op(size, "eq"), y, y));
}
const suffix = (size: Size): string => (size === 8 ? "sd" : "ss");

/** The slow path if one of `bad`; returns the float that came out. */
function orSlow<V, X>(b: Builder<V, X>, size: Size, bad: V[], code: number, x: V, y: V, r: V, excuse?: () => V): V {
  const out = b.variable(r);
  b.unlikely(bad, () => {
    b.call(`sse_${suffix(size)}`, [b.i32(code), x, y]);
    b.assign(out, toFloat(b, size, b.ret(0, size === 8 ? "i64" : "i32")));
  }, excuse);
  return out;
}

/** The exponent field of a float's bits. */
function exponent<V, X>(b: Builder<V, X>, size: Size, v: V): V {
  return size === 8 ? b.shr(b.shl(v, b.i64(1)), b.i64(53)) : b.shr(b.shl(v, b.i32(1)), b.i32(24));
}
/** i32: a result that is not finite, or so small that it may have been rounded as a denormal, or zero. */
function unsure<V, X>(b: Builder<V, X>, size: Size, r: V): V {
  const e = exponent(b, size, toBits(b, size, r));
  return b.cmp("gt_u", b.sub(e, b.imm(3, size)), b.imm(size === 8 ? 0x7fb : 0xfb, size));
}
/** What must be looked at in operands: whether they are denormal, unless that is known. */
function operandChecks<V, X>(b: Builder<V, X>, size: Size, ...operands: [Operand, V][]): V[] {
  return operands.filter(([o]) => o.kind !== "xmm" || !b.known(`normal${size}`, o)).map(([, v]) => denormal(b, size, v));
}
/** None of these is denormal in its low lane, or the instruction would not have got here. */
function learnNormal<V, X>(b: Builder<V, X>, size: Size, ...operands: Operand[]): void {
  for (const o of operands) if (o.kind === "xmm") b.learn(`normal${size}`, o);
}

const ARITH: [string, string, number][] = [["add", "add", ADD], ["sub", "sub", SUB], ["mul", "mul", MUL], ["div", "div", DIV]];
for (const [name, verb, code] of ARITH)
  for (const size of [4, 8] as const)
    insn(def, name + suffix(size), (b, dst, src) => {
      const [y, yb] = low(b, src, size), [x, xb] = low(b, dst, size);
      const r = b.op(op(size, verb), x, y);
      const bad = [b.odd(), ...operandChecks(b, size, [dst, xb], [src, yb]), unsure(b, size, r)];
      // Exact results need no PE: those of whole numbers, and those with a zero.
      const excuse = (): V_ => {
        const zero = float(b, size, 0), isZero = (v: V_): V_ => b.op(op(size, "eq"), v, zero);
        const whole = (v: V_): V_ => b.op(op(size, "eq"), b.op(op(size, "trunc"), v), v);
        let z = isZero(x);
        if (code !== DIV) z = b.or(z, isZero(y));
        if (code === MUL || code === DIV) z = b.and(z, isZero(r)); // and not 0 × infinity, 0 / 0
        else z = b.and(b.or(z, isZero(r)), finite(b, size, r));
        let e = b.and(z, b.eqz(b.or(denormal(b, size, xb), denormal(b, size, yb))));
        if (code !== DIV) e = b.or(e, b.and(b.op(op(size, "lt"), b.op(op(size, "abs"), r), float(b, size, size === 8 ? 2 ** 53 : 2 ** 24)), b.and(whole(x), whole(y))));
        return b.and(e, plain(b));
      };
      type V_ = typeof r;
      b.writeLow(dst, size, orSlow(b, size, bad, code, xb, yb, r, excuse));
      learnNormal(b, size, dst, src);
    });

for (const size of [4, 8] as const) {
  insn(def, "sqrt" + suffix(size), (b, dst, src) => {
    const [y, yb] = low(b, src, size);
    const r = b.op(op(size, "sqrt"), y);
    const bad = [b.odd(), ...operandChecks(b, size, [src, yb]), b.op(op(size, "ne"), r, r)];
    b.writeLow(dst, size, orSlow(b, size, bad, SQRT, yb, yb, r));
    learnNormal(b, size, dst, src);
  });
  for (const [name, rel, code] of [["min", "lt", MIN], ["max", "gt", MAX]] as const)
    insn(def, name + suffix(size), (b, dst, src) => {
      const [y, yb] = low(b, src, size), [x, xb] = low(b, dst, size);
      const bad = [b.eqz(masked(b)), b.eqz(ordered(b, size, x, y)), ...operandChecks(b, size, [dst, xb], [src, yb])];
      const r = b.select(b.op(op(size, rel), x, y), x, y);
      b.writeLow(dst, size, orSlow(b, size, bad, code, xb, yb, r));
    });
  for (const name of ["ucomi", "comi"])
    insn(def, name + suffix(size), (b, dst, src) => {
      const [y, yb] = low(b, src, size), [x, xb] = low(b, dst, size);
      const image = b.variable(b.or(b.op(op(size, "lt"), x, y), b.shl(b.op(op(size, "eq"), x, y), b.i32(6))));
      b.unlikely([b.eqz(masked(b)), b.eqz(ordered(b, size, x, y)), ...operandChecks(b, size, [dst, xb], [src, yb])], () => {
        b.call(`sse_${name}${suffix(size)}`, [xb, yb]);
        b.assign(image, b.ret(0, "i32"));
      });
      b.setFlags(STATUS_FLAGS, image);
    });
}

// ---- packed --------------------------------------------------------------------------------------------------------

const shape = (size: Size): "f32x4" | "f64x2" => (size === 8 ? "f64x2" : "f32x4");
const ishape = (size: Size): "i32x4" | "i64x2" => (size === 8 ? "i64x2" : "i32x4");
const xop = (size: Size, name: string): SimdBinary => `${shape(size)}.${name}` as SimdBinary;
const psuffix = (size: Size): string => (size === 8 ? "pd" : "ps");
const repeatFloat = (size: Size, n: number): number[] => {
  const v = new DataView(new ArrayBuffer(8));
  if (size === 8) v.setFloat64(0, n, true);
  else v.setFloat32(0, n, true);
  return repeat(size, size === 8 ? v.getBigUint64(0, true) : BigInt(v.getUint32(0, true)));
};

/** i32: some lane is denormal. */
export function anyDenormal<V, X>(b: Builder<V, X>, size: Size, x: X): V {
  return b.xtest("v128.any_true", denormalLanes(b, size, x));
}
function denormalLanes<V, X>(b: Builder<V, X>, size: Size, x: X): X {
  if (size === 4) {
    const u = b.xx("i32x4.sub", b.xshift("i32x4.shl", x, b.i32(1)), b.constX(repeat(4, 1n)));
    return b.xx("i32x4.lt_u", u, b.constX(repeat(4, 0xffffffn)));
  }
  // No unsigned comparison of 64-bit lanes: 0 < |x| < smallest normal, as floats.
  const a = b.x("f64x2.abs", x);
  return b.xx("v128.and", b.xx("f64x2.lt", a, b.constX(repeatFloat(8, MIN_NORMAL[8]))), b.xx("f64x2.gt", a, b.constX(repeatFloat(8, 0))));
}
export function allFinite<V, X>(b: Builder<V, X>, size: Size, x: X): V {
  return all(b, size, b.xx(xop(size, "lt"), b.x(`${shape(size)}.abs`, x), b.constX(repeatFloat(size, Infinity))));
}
function all<V, X>(b: Builder<V, X>, size: Size, x: X): V {
  return b.xtest(`${ishape(size)}.all_true`, x);
}
export function orSlowX<V, X>(b: Builder<V, X>, fast: V, r: X, helper: string, args: V[], xargs: X[]): X {
  const out = b.variableX(r);
  b.unlikely([b.eqz(fast)], () => {
    b.call(helper, args, xargs);
    b.assignX(out, b.retX());
  });
  return out;
}

/** `x` and `y` are of these registers (or of memory, or shuffled: undefined). */
function arithX<V, X>(b: Builder<V, X>, size: Size, x: X, y: X, code: number, xo?: Operand, yo?: Operand): X {
  const additive = code === ADD || code === SUB || code === ADDSUB;
  let r: X;
  if (code === ADDSUB) {
    const s = b.xx(xop(size, "sub"), x, y), a = b.xx(xop(size, "add"), x, y);
    r = b.shuffle(s, a, size === 8 ? lanes(8, 0, 3) : lanes(4, 0, 5, 2, 7));
  } else r = b.xx(xop(size, code === ADD ? "add" : code === SUB ? "sub" : code === MUL ? "mul" : "div"), x, y);
  // Half of all exponents are moderate, so that one bit of a difference says whether one is; a NaN's or zero's is not. What is not takes the longer look.
  const at = size === 8 ? 52n : 23n, first = size === 8 ? 514n : 66n;
  const immoderate = (v: X, from: bigint): X => b.xx(`${ishape(size)}.sub`, v, b.constX(repeat(size, from << at)));
  const unknown = (o: Operand | undefined): boolean => o?.kind !== "xmm" || !b.known(`packed${size}`, o);
  let bad = immoderate(r, first);
  const also = (v: X, from: bigint): void => { bad = b.xx("v128.or", bad, immoderate(v, from)); };
  // No operand may be denormal. With the result, a moderate factor proves the other one, if its exponents end lower; so does a divisor.
  if (additive) {
    if (unknown(xo)) also(x, first);
    if (unknown(yo)) also(y, first);
  } else if (unknown(yo)) also(y, code === MUL ? first - 4n : first);
  else if (unknown(xo)) also(x, code === MUL ? first - 4n : first);
  const out = b.variableX(r);
  // one branch for both: the first does not change in a loop
  b.unlikely([b.or(b.odd(), b.xtest(`${ishape(size)}.bitmask`, b.xshift(`${ishape(size)}.shl`, bad, b.i32(1))))], () => {
    b.call(`sse_${psuffix(size)}`, [b.i32(code)], [x, y]);
    b.assignX(out, b.retX());
  }, () => {
    const a = b.x(`${shape(size)}.abs`, r);
    let good = b.xx(xop(size, "lt"), a, b.constX(repeatFloat(size, Infinity)));
    if (!additive) {
      const zero = b.constX(repeatFloat(size, 0));
      let z = b.xx(xop(size, "eq"), x, zero);
      if (code === MUL) z = b.xx("v128.or", z, b.xx(xop(size, "eq"), y, zero));
      z = b.xx("v128.and", z, b.xx(xop(size, "eq"), r, zero));
      good = b.xx("v128.and", good, b.xx("v128.or", b.xx(xop(size, "gt"), a, b.constX(repeatFloat(size, MIN_NORMAL[size]))), z));
    }
    let denormals = b.xx("v128.or", denormalLanes(b, size, x), denormalLanes(b, size, y));
    if (additive) denormals = b.xx("v128.or", denormals, denormalLanes(b, size, r));
    good = b.xx("v128.andnot", good, denormals);
    return b.and(plainInexact(b), all(b, size, good));
  });
  return out;
}

for (const size of [4, 8] as const) {
  for (const [name, , code] of ARITH) insn(def, name + psuffix(size), (b, dst, src) => {
    const y = b.readX(src);
    b.writeX(dst, arithX(b, size, b.readX(dst), y, code, dst, src));
    for (const o of [dst, src]) if (o.kind === "xmm") b.learn(`packed${size}`, o);
  });
  insn(def, "addsub" + psuffix(size), (b, dst, src) => b.writeX(dst, arithX(b, size, b.readX(dst), b.readX(src), ADDSUB)));
  for (const [name, code] of [["hadd", ADD], ["hsub", SUB]] as const)
    insn(def, name + psuffix(size), (b, dst, src) => {
      const x = b.readX(dst), y = b.readX(src);
      const even = size === 8 ? lanes(8, 0, 2) : lanes(4, 0, 2, 4, 6), odd = size === 8 ? lanes(8, 1, 3) : lanes(4, 1, 3, 5, 7);
      b.writeX(dst, arithX(b, size, b.shuffle(x, y, even), b.shuffle(x, y, odd), code));
    });
  insn(def, "sqrt" + psuffix(size), (b, dst, src) => {
    const y = b.readX(src), r = b.x(`${shape(size)}.sqrt`, y);
    const fast = b.and(plainInexact(b), b.and(all(b, size, b.xx(xop(size, "eq"), r, r)), b.eqz(anyDenormal(b, size, y))));
    b.writeX(dst, orSlowX(b, fast, r, `sse_${psuffix(size)}`, [b.i32(SQRT)], [y, y]));
  });
  const quietX = <V, X>(b: Builder<V, X>, x: X, y: X): V =>
    b.and(masked(b), all(b, size, b.xx("v128.andnot", b.xx("v128.and", b.xx(xop(size, "eq"), x, x), b.xx(xop(size, "eq"), y, y)),
      b.xx("v128.or", denormalLanes(b, size, x), denormalLanes(b, size, y)))));
  for (const [name, rel, code] of [["min", "lt", MIN], ["max", "gt", MAX]] as const)
    insn(def, name + psuffix(size), (b, dst, src) => {
      const y = b.readX(src), x = b.readX(dst);
      const r = b.bitselect(x, y, b.xx(xop(size, rel), x, y));
      b.writeX(dst, orSlowX(b, quietX(b, x, y), r, `sse_${psuffix(size)}`, [b.i32(code)], [x, y]));
    });
  const RELATIONS = ["eq", "lt", "le", "ne"] as const; // of ordered numbers; 3 (unordered) is never true of them
  insn(def, "cmp" + psuffix(size), (b, dst, src, imm) => {
    const y = b.readX(src), x = b.readX(dst), p = imm.fixed & 7;
    let r = (p & 3) === 3 ? b.constX(repeat(1, 0n)) : b.xx(xop(size, RELATIONS[p & 3]!), x, y);
    if (p & 4) r = b.x("v128.not", r);
    b.writeX(dst, orSlowX(b, quietX(b, x, y), r, `sse_${psuffix(size)}`, [b.i32(CMP + p)], [x, y]));
  }, { fixedImm: true });
  insn(def, "cmp" + suffix(size), (b, dst, src, imm) => {
    const [y, yb] = low(b, src, size), [x, xb] = low(b, dst, size), p = imm.fixed & 7;
    let c = (p & 3) === 3 ? b.i32(0) : b.op(op(size, RELATIONS[p & 3]!), x, y);
    if (p & 4) c = b.eqz(c);
    const m = b.variable(b.sub(b.imm(0, size), b.fit(size, c)));
    b.unlikely([b.eqz(masked(b)), b.eqz(ordered(b, size, x, y)), ...operandChecks(b, size, [dst, xb], [src, yb])], () => {
      b.call(`sse_${suffix(size)}`, [b.i32(CMP + p), xb, yb]);
      b.assign(m, b.ret(0, size === 8 ? "i64" : "i32"));
    });
    b.writeX(dst, b.replace(ishape(size), b.readX(dst), 0, m));
  }, { fixedImm: true });

  const MODES = ["nearest", "floor", "ceil", "trunc"] as const;
  insn(def, "round" + suffix(size), (b, dst, src, imm) => {
    const [y, yb] = low(b, src, size), n = imm.fixed & 15;
    const r = b.op(op(size, MODES[n & 4 ? 0 : n & 3]!), y);
    let fast = b.and(n & 4 ? plain(b) : masked(b), b.op(op(size, "eq"), y, y));
    if (!(n & 8)) fast = b.and(fast, b.or(b.op(op(size, "eq"), r, y), b.nez(b.and(b.getState(ST_MXCSR, "i32"), b.i32(MXCSR_PE)))));
    b.writeLow(dst, size, orSlow(b, size, [b.eqz(fast)], ROUND + n, yb, yb, r));
  }, { fixedImm: true });
  insn(def, "round" + psuffix(size), (b, dst, src, imm) => {
    const y = b.readX(src), n = imm.fixed & 15;
    const r = b.x(`${shape(size)}.${MODES[n & 4 ? 0 : n & 3]!}`, y);
    let fast = b.and(n & 4 ? plain(b) : masked(b), all(b, size, b.xx(xop(size, "eq"), y, y)));
    if (!(n & 8)) fast = b.and(fast, b.or(all(b, size, b.xx(xop(size, "eq"), r, y)), b.nez(b.and(b.getState(ST_MXCSR, "i32"), b.i32(MXCSR_PE)))));
    b.writeX(dst, orSlowX(b, fast, r, `sse_${psuffix(size)}`, [b.i32(ROUND + n)], [y, y]));
  }, { fixedImm: true });
  insn(def, "dp" + psuffix(size), (b, dst, src, imm) => {
    b.call(`sse_dp${psuffix(size)}`, [b.i32(imm.fixed)], [b.readX(dst), b.readX(src)]);
    b.writeX(dst, b.retX());
  }, { fixedImm: true });
}

// Approximations: the SDM promises 1.5 × 2^-12; we give more. They raise nothing.
for (const name of ["rcp", "rsqrt"]) {
  insn(def, name + "ps", (b, dst, src) => {
    b.call(`sse_${name}ps`, [], [b.readX(src)]);
    b.writeX(dst, b.retX());
  });
  insn(def, name + "ss", (b, dst, src) => {
    const [, y] = low(b, src, 4);
    b.call(`sse_${name}ps`, [], [b.replace("i32x4", b.constX(repeat(1, 0n)), 0, y)]);
    b.writeX(dst, b.replace("i32x4", b.readX(dst), 0, b.extract("i32x4", b.retX(), 0)));
  });
}
