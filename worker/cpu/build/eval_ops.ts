// worker/cpu/build/eval_ops.ts — the scalar and vector operations of the vocabulary, said plainly: for the oracle.
//
// Integers are BigInts of their width, unsigned; floats are numbers. Vectors are 16 bytes.

import type { Op, Ty } from "./ops.ts";
import { OPS } from "./ops.ts";
import type { SimdOp } from "./simd_ops.ts";

/** A scalar value. */
export interface Val {
  t: Ty;
  /** i32, i64 */
  i: bigint;
  /** f32, f64 */
  f: number;
}

const scratch = new DataView(new ArrayBuffer(8));

export function integer(t: "i32" | "i64", i: bigint): Val {
  return { t, i: BigInt.asUintN(t === "i64" ? 64 : 32, i), f: 0 };
}
export function floating(t: "f32" | "f64", f: number): Val {
  return { t, i: 0n, f: t === "f32" ? Math.fround(f) : f };
}
/** A float from its bits: through integers, so that NaNs keep their payload as far as a number can. */
function fromBits(t: "f32" | "f64", bits: bigint): Val {
  if (t === "f64") {
    scratch.setBigUint64(0, bits);
    return { t, i: bits, f: scratch.getFloat64(0) };
  }
  scratch.setUint32(0, Number(bits));
  return { t, i: bits, f: scratch.getFloat32(0) };
}
/** The bits of a float. Those of a NaN are kept in `i` by whoever made it of bits. */
export function toBits(v: Val): bigint {
  if (v.t === "i32" || v.t === "i64") return v.i;
  if (Number.isNaN(v.f) && v.i !== 0n) return v.i;
  if (v.t === "f64") {
    scratch.setFloat64(0, v.f);
    return scratch.getBigUint64(0);
  }
  scratch.setFloat32(0, v.f);
  return BigInt(scratch.getUint32(0));
}

const bool = (b: boolean): Val => integer("i32", b ? 1n : 0n);

/** To the nearest integer, ties to even. */
function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52 || x === 0) return x;
  const floor = Math.floor(x), rest = x - floor;
  const r = rest < 0.5 ? floor : rest > 0.5 ? floor + 1 : floor % 2 === 0 ? floor : floor + 1;
  return r === 0 && (x < 0 || Object.is(x, -0)) ? -0 : r;
}
function trunc(x: number): number {
  return Math.trunc(x);
}

function saturate(x: number, bits: number, signed: boolean): bigint {
  if (Number.isNaN(x)) return 0n;
  const min = signed ? -(1n << BigInt(bits - 1)) : 0n, max = (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
  if (x === Infinity) return max;
  if (x === -Infinity) return min;
  const v = BigInt(trunc(x));
  return v < min ? min : v > max ? max : v;
}

function floatOp(name: string, a: number, b: number): number {
  switch (name) {
    case "abs": return Math.abs(a);
    case "neg": return -a;
    case "ceil": return Math.ceil(a);
    case "floor": return Math.floor(a);
    case "trunc": return trunc(a);
    case "nearest": return nearest(a);
    case "sqrt": return Math.sqrt(a);
    case "add": return a + b;
    case "sub": return a - b;
    case "mul": return a * b;
    case "div": return a / b;
    case "min": return Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.min(a, b);
    case "max": return Number.isNaN(a) || Number.isNaN(b) ? NaN : Math.max(a, b);
    case "pmin": return b < a ? b : a;
    case "pmax": return a < b ? b : a;
    default: throw new Error(`no float operation ${name}`);
  }
}
function floatCompare(name: string, a: number, b: number): boolean {
  switch (name) {
    case "eq": return a === b;
    case "ne": return a !== b;
    case "lt": return a < b;
    case "gt": return a > b;
    case "le": return a <= b;
    case "ge": return a >= b;
    default: throw new Error(`no comparison ${name}`);
  }
}

/** add … rotr, and the comparisons (as 0 or 1), of `bits` wide integers. */
function intOp(name: string, bits: number, x: bigint, y: bigint): bigint {
  const u = (v: bigint): bigint => BigInt.asUintN(bits, v), s = (v: bigint): bigint => BigInt.asIntN(bits, v);
  const n = y & BigInt(bits - 1);
  switch (name) {
    case "add": return u(x + y);
    case "sub": return u(x - y);
    case "mul": return u(x * y);
    case "and": return x & y;
    case "or": return x | y;
    case "xor": return x ^ y;
    case "shl": return u(x << n);
    case "shr_u": return x >> n;
    case "shr_s": return u(s(x) >> n);
    case "rotl": return u((x << n) | (x >> (BigInt(bits) - n)));
    case "rotr": return u((x >> n) | (x << (BigInt(bits) - n)));
    case "div_u": return x / y;
    case "rem_u": return x % y;
    case "div_s": return u(s(x) / s(y));
    case "rem_s": return u(s(x) % s(y));
    case "eq": return x === y ? 1n : 0n;
    case "ne": return x !== y ? 1n : 0n;
    case "lt_u": return x < y ? 1n : 0n;
    case "le_u": return x <= y ? 1n : 0n;
    case "gt_u": return x > y ? 1n : 0n;
    case "ge_u": return x >= y ? 1n : 0n;
    case "lt_s": return s(x) < s(y) ? 1n : 0n;
    case "le_s": return s(x) <= s(y) ? 1n : 0n;
    case "gt_s": return s(x) > s(y) ? 1n : 0n;
    case "ge_s": return s(x) >= s(y) ? 1n : 0n;
    case "min_u": return x < y ? x : y;
    case "max_u": return x > y ? x : y;
    case "min_s": return s(x) < s(y) ? x : y;
    case "max_s": return s(x) > s(y) ? x : y;
    case "avgr_u": return (x + y + 1n) >> 1n;
    case "add_sat_u": return x + y >> BigInt(bits) ? u(-1n) : x + y;
    case "sub_sat_u": return x < y ? 0n : x - y;
    case "add_sat_s": return u(clamp(s(x) + s(y), bits));
    case "sub_sat_s": return u(clamp(s(x) - s(y), bits));
    case "q15mulr_sat_s": return u(clamp((s(x) * s(y) + 0x4000n) >> 15n, bits));
    default: throw new Error(`no integer operation ${name}`);
  }
}
function clamp(v: bigint, bits: number): bigint {
  const max = (1n << BigInt(bits - 1)) - 1n;
  return v > max ? max : v < -max - 1n ? -max - 1n : v;
}
function intUnary(name: string, bits: number, x: bigint): bigint {
  let n = 0;
  switch (name) {
    case "clz":
      while (n < bits && !((x >> BigInt(bits - 1 - n)) & 1n)) n++;
      return BigInt(n);
    case "ctz":
      while (n < bits && !((x >> BigInt(n)) & 1n)) n++;
      return BigInt(n);
    case "popcnt":
      for (let i = 0; i < bits; i++) n += Number((x >> BigInt(i)) & 1n);
      return BigInt(n);
    case "abs": return BigInt.asIntN(bits, x) < 0n ? BigInt.asUintN(bits, -x) : x;
    case "neg": return BigInt.asUintN(bits, -x);
    case "extend8_s": return BigInt.asUintN(bits, BigInt.asIntN(8, x));
    case "extend16_s": return BigInt.asUintN(bits, BigInt.asIntN(16, x));
    case "extend32_s": return BigInt.asUintN(bits, BigInt.asIntN(32, x));
    default: throw new Error(`no integer operation ${name}`);
  }
}

/** Any scalar operation. */
export function scalar(op: Op, a: Val, b?: Val): Val {
  const [, argument, result, count] = OPS[op];
  if (a.t !== argument || (count === 2 && b?.t !== argument)) throw new Error(`${op} of ${a.t}, ${b?.t}`);
  const name = op.slice(4);
  const bits = argument === "i64" ? 64 : 32;
  switch (name) {
    case "eqz": return bool(a.i === 0n);
    case "wrap_i64":
    case "extend_i32_u": return integer(result as "i32" | "i64", a.i);
    case "extend_i32_s": return integer("i64", BigInt.asIntN(32, a.i));
    case "convert_i32_s": return floating(result as "f32" | "f64", Number(BigInt.asIntN(32, a.i)));
    case "convert_i64_s": return floating(result as "f32" | "f64", result === "f32" ? roundToF32(BigInt.asIntN(64, a.i)) : Number(BigInt.asIntN(64, a.i)));
    case "demote_f64":
    case "promote_f32": return floating(result as "f32" | "f64", a.f);
    case "reinterpret_f32":
    case "reinterpret_f64": return integer(result as "i32" | "i64", toBits(a));
    case "reinterpret_i32":
    case "reinterpret_i64": return fromBits(result as "f32" | "f64", a.i);
    case "trunc_sat_f32_s":
    case "trunc_sat_f64_s": return integer(result as "i32" | "i64", saturate(a.f, result === "i64" ? 64 : 32, true));
    default:
  }
  if (argument === "f32" || argument === "f64") {
    if (result === "i32") return bool(floatCompare(name, a.f, b!.f));
    if (name === "abs" || name === "neg" || name === "copysign") {
      const sign = 1n << BigInt(argument === "f64" ? 63 : 31), x = toBits(a);
      return fromBits(argument, name === "abs" ? x & ~sign : name === "neg" ? x ^ sign : (x & ~sign) | (toBits(b!) & sign));
    }
    return floating(argument, floatOp(name, a.f, b?.f ?? 0));
  }
  return integer(result as "i32" | "i64", count === 1 ? intUnary(name, bits, a.i) : intOp(name, bits, a.i, b!.i));
}

/** A 64-bit integer to the nearest float32, rounded once. */
function roundToF32(v: bigint): number {
  const neg = v < 0n, m = neg ? -v : v;
  const length = m.toString(2).length;
  if (length <= 24) return Number(v);
  const drop = BigInt(length - 24), half = 1n << (drop - 1n), rest = m & ((1n << drop) - 1n);
  let top = m >> drop;
  if (rest > half || (rest === half && (top & 1n) === 1n)) top++;
  const r = Number(top) * 2 ** Number(drop);
  return neg ? -r : r;
}

/** Lanes of a vector as unsigned integers. */
export function lanesOf(x: Uint8Array, bits: number): bigint[] {
  const out: bigint[] = [];
  for (let at = 0; at < 16; at += bits / 8) {
    let v = 0n;
    for (let k = bits / 8 - 1; k >= 0; k--) v = (v << 8n) | BigInt(x[at + k]!);
    out.push(v);
  }
  return out;
}
export function fromLanes(lanes: readonly bigint[], bits: number): Uint8Array {
  const x = new Uint8Array(16);
  lanes.forEach((v, i) => {
    for (let k = 0; k < bits / 8; k++) x[(i * bits) / 8 + k] = Number((v >> BigInt(8 * k)) & 255n);
  });
  return x;
}
function floats(x: Uint8Array, bits: number): Val[] {
  return lanesOf(x, bits).map((v) => fromBits(bits === 64 ? "f64" : "f32", v));
}

/** Any vector operation whose result is a vector; the shift count is a number. */
export function vector(op: SimdOp, a: Uint8Array, b?: Uint8Array, count?: number): Uint8Array {
  const [shape, name] = op.split(".") as [string, string];
  const kind = shape[0]!, bits = shape === "v128" ? 64 : Number(shape.slice(1).split("x")[0]);
  const all = BigInt.asUintN(bits, -1n);
  if (shape === "v128") {
    const x = lanesOf(a, 64), y = b === undefined ? x : lanesOf(b, 64);
    return fromLanes(x.map((v, i) => {
      switch (name) {
        case "not": return v ^ all;
        case "and": return v & y[i]!;
        case "andnot": return v & (y[i]! ^ all);
        case "or": return v | y[i]!;
        default: return v ^ y[i]!; // xor
      }
    }), 64);
  }
  const m = /^(extend|extmul)_(low|high)_i(\d+)x\d+_([su])$/.exec(name);
  if (m !== null) {
    const half = Number(m[3]), from = m[2] === "high" ? 128 / bits : 0;
    const ext = (x: Uint8Array): bigint[] => lanesOf(x, half).slice(from, from + 128 / bits).map((v) => (m[4] === "s" ? BigInt.asIntN(half, v) : v));
    const x = ext(a), y = b === undefined ? [] : ext(b);
    return fromLanes(x.map((v, i) => BigInt.asUintN(bits, m[1] === "extmul" ? v * y[i]! : v)), bits);
  }
  const pair = /^extadd_pairwise_i(\d+)x\d+_([su])$/.exec(name);
  if (pair !== null) {
    const half = Number(pair[1]);
    const x = lanesOf(a, half).map((v) => (pair[2] === "s" ? BigInt.asIntN(half, v) : v));
    return fromLanes(Array.from({ length: 128 / bits }, (_, i) => BigInt.asUintN(bits, x[2 * i]! + x[2 * i + 1]!)), bits);
  }
  const narrow = /^narrow_i\d+x\d+_([su])$/.exec(name);
  if (narrow !== null) {
    const wide = bits * 2, max = (1n << BigInt(narrow[1] === "s" ? bits - 1 : bits)) - 1n, min = narrow[1] === "s" ? -max - 1n : 0n;
    const one = (x: Uint8Array): bigint[] => lanesOf(x, wide).map((v) => {
      const s = BigInt.asIntN(wide, v);
      return BigInt.asUintN(bits, s > max ? max : s < min ? min : s);
    });
    return fromLanes([...one(a), ...one(b!)], bits);
  }
  if (name === "dot_i16x8_s") {
    const x = lanesOf(a, 16).map((v) => BigInt.asIntN(16, v)), y = lanesOf(b!, 16).map((v) => BigInt.asIntN(16, v));
    return fromLanes([0, 1, 2, 3].map((i) => BigInt.asUintN(32, x[2 * i]! * y[2 * i]! + x[2 * i + 1]! * y[2 * i + 1]!)), 32);
  }
  if (name === "swizzle") return Uint8Array.from(b!, (i) => (i < 16 ? a[i]! : 0));
  if (name === "demote_f64x2_zero") return fromLanes(floats(a, 64).map((v) => toBits(floating("f32", v.f))).concat([0n, 0n]), 32);
  if (name === "promote_low_f32x4") return fromLanes(floats(a, 32).slice(0, 2).map((v) => toBits(floating("f64", v.f))), 64);
  if (name.startsWith("convert_")) {
    const x = lanesOf(a, 32).slice(0, 128 / bits).map((v) => (name.endsWith("_s") ? BigInt.asIntN(32, v) : v));
    return fromLanes(x.map((v) => toBits(floating(bits === 64 ? "f64" : "f32", Number(v)))), bits);
  }
  if (name.startsWith("trunc_sat_")) {
    const from64 = name.includes("f64x2"), signed = !name.includes("_u");
    const x = floats(a, from64 ? 64 : 32).map((v) => BigInt.asUintN(32, saturate(v.f, 32, signed)));
    return fromLanes(from64 ? [...x, 0n, 0n] : x, 32);
  }
  if (kind === "f") {
    const t = bits === 64 ? "f64" : "f32";
    const x = floats(a, bits), y = b === undefined ? x : floats(b, bits);
    return fromLanes(x.map((v, i) => {
      if (/^(eq|ne|lt|gt|le|ge)$/.test(name)) return floatCompare(name, v.f, y[i]!.f) ? all : 0n;
      const sign = 1n << BigInt(bits - 1);
      if (name === "abs") return toBits(v) & ~sign;
      if (name === "neg") return toBits(v) ^ sign;
      if (name === "pmin") return toBits(y[i]!.f < v.f ? y[i]! : v);
      if (name === "pmax") return toBits(v.f < y[i]!.f ? y[i]! : v);
      return toBits(floating(t, floatOp(name, v.f, y[i]!.f)));
    }), bits);
  }
  const x = lanesOf(a, bits);
  if (count !== undefined) return fromLanes(x.map((v) => intOp(name, bits, v, BigInt(count & (bits - 1)))), bits);
  if (b === undefined) return fromLanes(x.map((v) => intUnary(name, bits, v)), bits);
  const y = lanesOf(b, bits);
  const mask = /^(eq|ne|lt|gt|le|ge)/.test(name);
  return fromLanes(x.map((v, i) => {
    const r = intOp(name, bits, v, y[i]!);
    return mask ? (r === 1n ? all : 0n) : r;
  }), bits);
}

/** any_true, all_true, bitmask. */
export function vectorTest(op: SimdOp, a: Uint8Array): Val {
  const [shape, name] = op.split(".") as [string, string];
  if (name === "any_true") return bool(a.some((v) => v !== 0));
  const bits = Number(shape.slice(1).split("x")[0]);
  const x = lanesOf(a, bits);
  if (name === "all_true") return bool(x.every((v) => v !== 0n));
  let mask = 0n;
  x.forEach((v, i) => (mask |= ((v >> BigInt(bits - 1)) & 1n) << BigInt(i)));
  return integer("i32", mask);
}
