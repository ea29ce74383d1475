// worker/cpu/insn/sse_int.ts — packed integers, SSE2 to SSE4.2 and their MMX forms.  SDM Vol. 2

import type { Builder, Operand } from "../build/builder.ts";
import type { SimdBinary, SimdShift, SimdUnary } from "../build/simd_ops.ts";
import { CF, STATUS_FLAGS, ZF } from "../state.ts";
import { type Definitions, insn } from "./define.ts";
import { lanes, mmxBegin, putVec, range, repeat, vec, zeroX } from "./vector.ts";

export const SSE_INT: Definitions = [];
const def = SSE_INT;

/** The result from destination and source; with mmx set only the low halves are meant. */
type Packed = <V, X>(b: Builder<V, X>, x: X, y: X, mmx: boolean) => X;

function packed(names: string | readonly string[], f: Packed): void {
  insn(def, names, (b, dst, src) => {
    const mmx = dst.kind === "mm";
    if (mmx) mmxBegin(b);
    putVec(b, dst, f(b, vec(b, dst, mmx), vec(b, src, mmx), mmx));
  });
}

const DIRECT: Record<string, SimdBinary> = {
  paddb: "i8x16.add", paddw: "i16x8.add", paddd: "i32x4.add", paddq: "i64x2.add", psubb: "i8x16.sub", psubw: "i16x8.sub", psubd: "i32x4.sub", psubq: "i64x2.sub",
  paddsb: "i8x16.add_sat_s", paddsw: "i16x8.add_sat_s", paddusb: "i8x16.add_sat_u", paddusw: "i16x8.add_sat_u",
  psubsb: "i8x16.sub_sat_s", psubsw: "i16x8.sub_sat_s", psubusb: "i8x16.sub_sat_u", psubusw: "i16x8.sub_sat_u",
  pmullw: "i16x8.mul", pmulld: "i32x4.mul", pmaddwd: "i32x4.dot_i16x8_s", pavgb: "i8x16.avgr_u", pavgw: "i16x8.avgr_u",
  pminub: "i8x16.min_u", pminsb: "i8x16.min_s", pminuw: "i16x8.min_u", pminsw: "i16x8.min_s", pminud: "i32x4.min_u", pminsd: "i32x4.min_s",
  pmaxub: "i8x16.max_u", pmaxsb: "i8x16.max_s", pmaxuw: "i16x8.max_u", pmaxsw: "i16x8.max_s", pmaxud: "i32x4.max_u", pmaxsd: "i32x4.max_s",
  pcmpeqb: "i8x16.eq", pcmpeqw: "i16x8.eq", pcmpeqd: "i32x4.eq", pcmpeqq: "i64x2.eq", pcmpgtb: "i8x16.gt_s", pcmpgtw: "i16x8.gt_s", pcmpgtd: "i32x4.gt_s", pcmpgtq: "i64x2.gt_s",
  pand: "v128.and", por: "v128.or", pxor: "v128.xor",
};
for (const [name, op] of Object.entries(DIRECT)) packed(name, (b, x, y) => b.xx(op, x, y));
packed("pandn", (b, x, y) => b.xx("v128.andnot", y, x));

for (const [name, op] of [["packsswb", "i8x16.narrow_i16x8_s"], ["packuswb", "i8x16.narrow_i16x8_u"], ["packssdw", "i16x8.narrow_i32x4_s"], ["packusdw", "i16x8.narrow_i32x4_u"]] as const)
  packed(name, (b, x, y, mmx) => (mmx ? b.xx(op, b.shuffle(x, y, lanes(8, 0, 2)), zeroX(b)) : b.xx(op, x, y)));

/** Upper halves of the 16-bit products. */
const high = lanes(2, 1, 3, 5, 7, 9, 11, 13, 15);
// two multiplications with sums, of which one part is zero, and a blend: engines take ten instructions for the way of pmulhuw
packed("pmulhw", (b, x, y) => {
  const product = (mask: bigint): typeof x => b.xx("i32x4.dot_i16x8_s", b.xx("v128.and", x, b.constX(repeat(4, mask))), y);
  return b.shuffle(b.xshift("i32x4.shr_u", product(0xffffn), b.i32(16)), product(0xffff0000n), lanes(2, 0, 9, 2, 11, 4, 13, 6, 15));
});
packed("pmulhuw", (b, x, y) => b.shuffle(b.xx("i32x4.extmul_low_i16x8_u", x, y), b.xx("i32x4.extmul_high_i16x8_u", x, y), high));
for (const [name, op] of [["pmuludq", "i64x2.extmul_low_i32x4_u"], ["pmuldq", "i64x2.extmul_low_i32x4_s"]] as const)
  packed(name, (b, x, y) => b.xx(op, b.shuffle(x, x, lanes(4, 0, 2, 0, 2)), b.shuffle(y, y, lanes(4, 0, 2, 0, 2))));

packed("psadbw", (b, x, y) => {
  const d = b.xx("v128.or", b.xx("i8x16.sub_sat_u", x, y), b.xx("i8x16.sub_sat_u", y, x));
  const s = b.x("i32x4.extadd_pairwise_i16x8_u", b.x("i16x8.extadd_pairwise_i8x16_u", d));
  return b.xx("i64x2.add", b.xx("v128.and", s, b.constX(repeat(8, 0xffffffffn))), b.xshift("i64x2.shr_u", s, b.i32(32)));
});

// Shifts: a count beyond the width clears, or fills with the sign.
function shift(name: string, op: SimdShift, width: number): void {
  insn(def, name, (b, dst, src) => {
    const mmx = dst.kind === "mm";
    if (mmx) mmxBegin(b);
    let big, n;
    if (src.kind === "imm") {
      n = b.trunc(b.read(src));
      big = b.cmp("gt_u", n, b.i32(width - 1));
    } else {
      const count = b.extract("i64x2", vec(b, src, mmx), 0);
      big = b.cmp("gt_u", count, b.i64(width - 1));
      n = b.trunc(count);
    }
    const x = vec(b, dst, mmx);
    if (op.endsWith("shr_s")) putVec(b, dst, b.xshift(op, x, b.select(big, b.i32(width - 1), n)));
    else putVec(b, dst, b.selectX(big, zeroX(b), b.xshift(op, x, n)));
  });
}
shift("psllw", "i16x8.shl", 16);
shift("pslld", "i32x4.shl", 32);
shift("psllq", "i64x2.shl", 64);
shift("psrlw", "i16x8.shr_u", 16);
shift("psrld", "i32x4.shr_u", 32);
shift("psrlq", "i64x2.shr_u", 64);
shift("psraw", "i16x8.shr_s", 16);
shift("psrad", "i32x4.shr_s", 32);

// ---- SSSE3 ---------------------------------------------------------------------------------------------------------

packed("pshufb", (b, x, y, mmx) => b.xx("i8x16.swizzle", x, b.xx("v128.and", y, b.constX(repeat(1, mmx ? 0x87n : 0x8fn)))));

const EVEN16 = lanes(2, 0, 2, 4, 6, 8, 10, 12, 14), ODD16 = lanes(2, 1, 3, 5, 7, 9, 11, 13, 15);
const EVEN32 = lanes(4, 0, 2, 4, 6), ODD32 = lanes(4, 1, 3, 5, 7);
for (const [name, op, even, odd] of [["phaddw", "i16x8.add", EVEN16, ODD16], ["phaddd", "i32x4.add", EVEN32, ODD32], ["phaddsw", "i16x8.add_sat_s", EVEN16, ODD16],
  ["phsubw", "i16x8.sub", EVEN16, ODD16], ["phsubd", "i32x4.sub", EVEN32, ODD32], ["phsubsw", "i16x8.sub_sat_s", EVEN16, ODD16]] as const)
  packed(name, (b, x, y, mmx) => {
    const lo = mmx ? b.shuffle(x, y, lanes(8, 0, 2)) : x;
    return b.xx(op, b.shuffle(lo, y, even), b.shuffle(lo, y, odd));
  });

packed("pmaddubsw", (b, x, y) => {
  const lo = b.xx("i16x8.mul", b.x("i16x8.extend_low_i8x16_u", x), b.x("i16x8.extend_low_i8x16_s", y));
  const hi = b.xx("i16x8.mul", b.x("i16x8.extend_high_i8x16_u", x), b.x("i16x8.extend_high_i8x16_s", y));
  return b.xx("i16x8.add_sat_s", b.shuffle(lo, hi, EVEN16), b.shuffle(lo, hi, ODD16));
});

// The one product that saturates here and does not on x86 is -1 × -1.
packed("pmulhrsw", (b, x, y) => {
  const min = b.constX(repeat(2, 0x8000n));
  return b.xx("v128.xor", b.xx("i16x8.q15mulr_sat_s", x, y), b.xx("v128.and", b.xx("i16x8.eq", x, min), b.xx("i16x8.eq", y, min)));
});

for (const [name, shr, sub, ne, width] of [["psignb", "i8x16.shr_s", "i8x16.sub", "i8x16.ne", 8], ["psignw", "i16x8.shr_s", "i16x8.sub", "i16x8.ne", 16], ["psignd", "i32x4.shr_s", "i32x4.sub", "i32x4.ne", 32]] as const)
  packed(name, (b, x, y) => {
    const m = b.xshift(shr, y, b.i32(width - 1));
    return b.xx("v128.and", b.xx(sub, b.xx("v128.xor", x, m), m), b.xx(ne, y, zeroX(b)));
  });
for (const [name, op] of [["pabsb", "i8x16.abs"], ["pabsw", "i16x8.abs"], ["pabsd", "i32x4.abs"]] as const) packed(name, (b, _x, y) => b.x(op, y));

// ---- SSE4 ----------------------------------------------------------------------------------------------------------

insn(def, "ptest", (b, dst, src) => {
  const x = b.readX(dst), y = b.readX(src);
  const z = b.eqz(b.xtest("v128.any_true", b.xx("v128.and", x, y)));
  const c = b.eqz(b.xtest("v128.any_true", b.xx("v128.andnot", y, x)));
  b.setFlags(STATUS_FLAGS, b.or(b.mul(z, b.i32(ZF)), b.mul(c, b.i32(CF))));
});

/** PMOVSX and PMOVZX: a chain of extensions of the low part. */
const EXTEND: Record<string, SimdUnary[]> = {};
for (const s of ["s", "u"] as const) {
  const bw = `i16x8.extend_low_i8x16_${s}`, wd = `i32x4.extend_low_i16x8_${s}`, dq = `i64x2.extend_low_i32x4_${s}`;
  const p = s === "s" ? "pmovsx" : "pmovzx";
  Object.assign(EXTEND, { [`${p}bw`]: [bw], [`${p}bd`]: [bw, wd], [`${p}bq`]: [bw, wd, dq], [`${p}wd`]: [wd], [`${p}wq`]: [wd, dq], [`${p}dq`]: [dq] });
}
for (const [name, ops] of Object.entries(EXTEND))
  insn(def, name, (b, dst, src) => {
    let x = src.kind === "mem" && src.size < 4 ? b.replace("i32x4", zeroX(b), 0, b.read(src)) : b.readX(src);
    for (const op of ops) x = b.x(op, x);
    b.writeX(dst, x);
  });

insn(def, "phminposuw", (b, dst, src) => {
  const x = b.readX(src);
  // Value above, index below: the smallest is the first of the smallest.
  const key = (i: number) => b.or(b.shl(b.extract("i16x8", x, i), b.i32(3)), b.i32(i));
  let best = key(0);
  for (let i = 1; i < 8; i++) {
    const k = key(i);
    best = b.select(b.cmp("lt_u", k, best), k, best);
  }
  const v = b.or(b.shr(best, b.i32(3)), b.shl(b.and(best, b.i32(7)), b.i32(16)));
  b.writeX(dst, b.replace("i32x4", zeroX(b), 0, v));
});

insn(def, "mpsadbw", (b, dst, src, imm) => {
  const x = b.readX(dst), y = b.readX(src);
  const xo = imm.fixed & 4, yo = (imm.fixed & 3) * 4;
  let sum = zeroX(b);
  for (let j = 0; j < 4; j++) {
    const w = b.x("i16x8.extend_low_i8x16_u", b.shuffle(x, x, [...range(xo + j, 8), ...range(0, 8)]));
    const c = b.splat("i16x8", b.extract("i8x16", y, yo + j));
    sum = b.xx("i16x8.add", sum, b.x("i16x8.abs", b.xx("i16x8.sub", w, c)));
  }
  b.writeX(dst, sum);
}, { fixedImm: true });

// Slow paths, in TypeScript: strings and cryptography.
for (const name of ["aesenc", "aesenclast", "aesdec", "aesdeclast", "sha1nexte", "sha1msg1", "sha1msg2", "sha256msg1", "sha256msg2"])
  insn(def, name, (b, dst, src) => {
    b.call(name, [], [b.readX(dst), b.readX(src, name.startsWith("sha"))]);
    b.writeX(dst, b.retX());
  });
insn(def, "aesimc", (b, dst, src) => {
  b.call("aesimc", [], [b.readX(src)]);
  b.writeX(dst, b.retX());
});
insn(def, "sha256rnds2", (b, dst, src) => {
  b.call("sha256rnds2", [], [b.readX(dst), b.readX(src, true), b.regX(0)]);
  b.writeX(dst, b.retX());
});
insn(def, "aeskeygenassist", (b, dst, src, imm) => {
  b.call("aeskeygenassist", [b.read(imm)], [b.readX(src)]);
  b.writeX(dst, b.retX());
});
insn(def, ["pclmulqdq", "sha1rnds4"], (b, dst, src, imm) => {
  b.call(b.form.name, [b.read(imm)], [b.readX(dst), b.readX(src, b.form.name === "sha1rnds4")]);
  b.writeX(dst, b.retX());
});

/** PCMPxSTRx: the lengths in rax and rdx (64 bits wide with REX.W) or found by a zero; an index in rcx or a mask in xmm0. */
for (const name of ["pcmpistri", "pcmpistrm", "pcmpestri", "pcmpestrm", "pcmpestri64", "pcmpestrm64"])
  insn(def, name, (b, dst: Operand, src, imm) => {
    const x = b.readX(dst), y = b.readX(src, true);
    const size = name.endsWith("64") ? 8 : 4;
    const a = name.includes("estr") ? b.sext(b.reg(0, size)) : b.i64(16), d = name.includes("estr") ? b.sext(b.reg(2, size)) : b.i64(16);
    b.call(name.includes("estr") ? "pcmpestr" : "pcmpistr", [b.read(imm), a, d], [x, y]);
    b.setFlags(STATUS_FLAGS, b.ret(1, "i32"));
    if (name.includes("stri")) b.setReg(1, 4, b.ret(0, "i32"));
    else b.setRegX(0, b.retX());
  });
