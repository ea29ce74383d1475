// worker/cpu/insn/sse_convert.ts — SSE: conversions between integers and the two sizes of float.  SDM Vol. 2, Vol. 1 11.4

import type { Builder, Operand } from "../build/builder.ts";
import type { Op } from "../build/ops.ts";
import { ST_MXCSR } from "../state.ts";
import { type Definitions, insn } from "./define.ts";
import { allFinite, anyDenormal, denormal, finite, float, low, masked, orSlowX, plain, plainInexact, toFloat } from "./sse_float.ts";
import { lanes, mmxBegin, mmxEnd, putVec, repeat, vec, zeroX } from "./vector.ts";

export const SSE_CONVERT: Definitions = [];
const def = SSE_CONVERT;

type Size = 4 | 8;
const suffix = (size: Size): string => (size === 8 ? "sd" : "ss");
const MIN_NORMAL_F32 = 2 ** -126;

for (const size of [4, 8] as const) {
  insn(def, "cvtsi2" + suffix(size), (b, dst, src) => {
    const v = b.read(src), wide = src.size === 8;
    const r = b.op(`f${size * 8}.convert_i${wide ? 64 : 32}_s` as Op, v);
    if (size === 8 && !wide) return b.writeLow(dst, size, r); // always exact
    // Exact, whatever MXCSR says, if it fits the significand.
    const small = size === 8
      ? b.cmp("lt_u", b.add(v, b.i64(2 ** 53)), b.i64(2n ** 54n))
      : wide ? b.cmp("lt_u", b.add(v, b.i64(2 ** 24)), b.i64(2 ** 25)) : b.cmp("lt_u", b.add(v, b.i32(2 ** 24)), b.i32(2 ** 25));
    const out = b.variable(r);
    b.unlikely([b.eqz(b.or(small, plainInexact(b)))], () => {
      b.call(`sse_int_${suffix(size)}`, [b.sext(v)]);
      b.assign(out, toFloat(b, size, b.ret(0, size === 8 ? "i64" : "i32")));
    });
    b.writeLow(dst, size, out);
  });

  for (const chop of [true, false])
    insn(def, `cvt${chop ? "t" : ""}${suffix(size)}2si`, (b, dst, src) => {
      const [y, yb] = low(b, src, size), wide = dst.size === 8;
      const f = `f${size * 8}`, i = wide ? "i64" : "i32";
      const whole = chop ? y : b.op(`${f}.nearest` as Op, y);
      const r = b.op(`${i}.trunc_sat_${f}_s` as Op, whole);
      const back = b.op(`${f}.convert_${i}_s` as Op, r);
      // Saturation shows as a difference, or as the greatest number: let the slow path look at that.
      const limit = b.op(`${f}.lt` as Op, b.op(`${f}.abs` as Op, whole), float(b, size, wide ? 2 ** 63 : 2 ** 31));
      const exact = b.op(`${f}.eq` as Op, back, y);
      const fast = b.and(limit, b.or(exact, chop ? b.and(masked(b), inexactSeen(b)) : plainInexact(b)));
      const out = b.variable(r);
      b.unlikely([b.eqz(fast)], () => {
        b.call(`sse_${suffix(size)}_int`, [yb, b.i32(dst.size), b.i32(chop ? 1 : 0)]);
        b.assign(out, b.ret(0, i));
      });
      b.write(dst, out);
    });
}

/** i32 0 or 1: the precision exception is recorded already. */
function inexactSeen<V, X>(b: Builder<V, X>): V {
  return b.nez(b.and(b.getState(ST_MXCSR, "i32"), b.i32(0x20)));
}

insn(def, "cvtss2sd", (b, dst, src) => {
  const [y, yb] = low(b, src, 4);
  const out = b.variable(b.op("f64.promote_f32", y));
  b.unlikely([b.eqz(b.and(masked(b), b.and(finite(b, 4, y), b.eqz(denormal(b, 4, yb)))))], () => {
    b.call("sse_ss_sd", [yb]);
    b.assign(out, toFloat(b, 8, b.ret(0, "i64")));
  });
  b.writeLow(dst, 8, out);
});

insn(def, "cvtsd2ss", (b, dst, src) => {
  const [y, yb] = low(b, src, 8);
  const r = b.op("f32.demote_f64", y);
  const good = b.and(finite(b, 4, r), b.op("f32.gt", b.op("f32.abs", r), b.f32(MIN_NORMAL_F32)));
  const same = b.op("f64.eq", b.op("f64.promote_f32", r), y);
  const fast = b.or(b.and(good, b.or(plainInexact(b), b.and(plain(b), same))), b.op("f64.eq", y, b.f64(0)));
  const out = b.variable(r);
  b.unlikely([b.eqz(fast)], () => {
    b.call("sse_sd_ss", [yb]);
    b.assign(out, toFloat(b, 4, b.ret(0, "i32")));
  });
  b.writeLow(dst, 4, out);
});

// ---- packed --------------------------------------------------------------------------------------------------------

insn(def, "cvtdq2pd", (b, dst, src) => b.writeX(dst, b.x("f64x2.convert_low_i32x4_s", b.readX(src))));
insn(def, "cvtdq2ps", (b, dst, src) => {
  const y = b.readX(src);
  b.writeX(dst, orSlowX(b, plainInexact(b), b.x("f32x4.convert_i32x4_s", y), "sse_dq_ps", [], [y]));
});

/** All lanes in range of i32, as f32x4 or f64x2: |x| < 2^31. */
function inRange<V, X>(b: Builder<V, X>, size: Size, x: X): V {
  if (size === 4) return b.xtest("i32x4.all_true", b.xx("f32x4.lt", b.x("f32x4.abs", x), b.constX(repeat(4, 0x4f000000n))));
  return b.xtest("i64x2.all_true", b.xx("f64x2.lt", b.x("f64x2.abs", x), b.constX(repeat(8, 0x41e0000000000000n))));
}

for (const chop of [true, false]) {
  const t = chop ? "t" : "";
  insn(def, `cvt${t}ps2dq`, (b, dst, src) => {
    const y = b.readX(src), w = chop ? y : b.x("f32x4.nearest", y);
    const r = b.x("i32x4.trunc_sat_f32x4_s", w);
    const fast = b.and(inRange(b, 4, w), chop ? b.and(masked(b), inexactSeen(b)) : plainInexact(b));
    b.writeX(dst, orSlowX(b, fast, r, "sse_ps_dq", [b.i32(chop ? 1 : 0)], [y]));
  });
  insn(def, `cvt${t}pd2dq`, (b, dst, src) => b.writeX(dst, pd2dq(b, b.readX(src), chop)));
}

function pd2dq<V, X>(b: Builder<V, X>, y: X, chop: boolean): X {
  const w = chop ? y : b.x("f64x2.nearest", y);
  const r = b.x("i32x4.trunc_sat_f64x2_s_zero", w);
  const fast = b.and(inRange(b, 8, w), chop ? b.and(masked(b), inexactSeen(b)) : plainInexact(b));
  return orSlowX(b, fast, r, "sse_pd_dq", [b.i32(chop ? 1 : 0)], [y]);
}

insn(def, "cvtps2pd", (b, dst, src) => {
  const y = b.readX(src), low = b.shuffle(y, zeroX(b), lanes(8, 0, 2));
  const fast = b.and(masked(b), b.and(allFinite(b, 4, low), b.eqz(anyDenormal(b, 4, low))));
  b.writeX(dst, orSlowX(b, fast, b.x("f64x2.promote_low_f32x4", y), "sse_ps_pd", [], [y]));
});
insn(def, "cvtpd2ps", (b, dst, src) => {
  const y = b.readX(src), r = b.x("f32x4.demote_f64x2_zero", y);
  // Each of the two results finite and normal; or from a zero.
  const back = b.x("f64x2.promote_low_f32x4", b.x("f32x4.abs", r));
  const good = b.xx("v128.and", b.xx("f64x2.lt", back, b.constX(repeat(8, 0x7ff0000000000000n))), b.xx("f64x2.gt", back, b.constX(repeat(8, 0x3810000000000000n))));
  const zero = b.xx("f64x2.eq", y, zeroX(b));
  const fast = b.and(plainInexact(b), b.xtest("i64x2.all_true", b.xx("v128.or", good, zero)));
  b.writeX(dst, orSlowX(b, fast, r, "sse_pd_ps", [], [y]));
});

// ---- MMX -----------------------------------------------------------------------------------------------------------

/** An mm register makes the x87 enter MMX state; memory does not for CVTPI2PD, and does for CVTPI2PS on no processor we met. */
function fromMmx<V, X>(b: Builder<V, X>, src: Operand): X {
  if (src.kind === "mm") mmxBegin(b);
  const y = vec(b, src, true);
  if (src.kind === "mm") mmxEnd(b);
  return y;
}
insn(def, "cvtpi2pd", (b, dst, src) => b.writeX(dst, b.x("f64x2.convert_low_i32x4_s", fromMmx(b, src))));
insn(def, "cvtpi2ps", (b, dst, src) => {
  const y = fromMmx(b, src);
  const r = orSlowX(b, plainInexact(b), b.x("f32x4.convert_i32x4_s", y), "sse_dq_ps", [], [y]);
  b.writeX(dst, b.shuffle(r, b.readX(dst), lanes(8, 0, 3)));
});
for (const chop of [true, false]) {
  const t = chop ? "t" : "";
  insn(def, `cvt${t}ps2pi`, (b, dst, src) => {
    mmxBegin(b);
    // Only the low two lanes count: the others become zero, which raises nothing.
    const y = src.kind === "mem" ? b.readX(src) : b.shuffle(b.readX(src), zeroX(b), lanes(8, 0, 2));
    mmxEnd(b); // stays when the conversion traps
    b.call("sse_ps_dq", [b.i32(chop ? 1 : 0)], [y]);
    putVec(b, dst, b.retX());
  });
  insn(def, `cvt${t}pd2pi`, (b, dst, src) => {
    mmxBegin(b);
    const y = b.readX(src);
    mmxEnd(b);
    putVec(b, dst, pd2dq(b, y, chop));
  });
}
