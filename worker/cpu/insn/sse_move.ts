// worker/cpu/insn/sse_move.ts — SSE: moves, shuffles, inserts and extracts, logic, control.  SDM Vol. 2

import type { Builder, Operand } from "../build/builder.ts";
import { EXIT_GP } from "../exit.ts";
import { RAX, RDI, ST_MXCSR } from "../state.ts";
import { type Definitions, insn } from "./define.ts";
import { lanes, mmxBegin, mmxEnd, putVec, range, vec, zeroX } from "./vector.ts";

export const SSE_MOVE: Definitions = [];
const def = SSE_MOVE;

insn(def, ["movaps", "movapd", "movdqa", "movntps", "movntpd", "movntdq", "movntdqa"], (b, dst, src) => b.writeX(dst, b.readX(src)));
insn(def, ["movups", "movupd", "movdqu", "lddqu"], (b, dst, src) => b.writeX(dst, b.readX(src, true), true));

/** Register to register merges into the low lane; from memory the rest is cleared. */
function scalarMove<V, X>(b: Builder<V, X>, dst: Operand, src: Operand, size: number): void {
  const y = b.readX(src);
  if (dst.kind === "xmm" && src.kind === "xmm") b.writeX(dst, b.shuffle(b.readX(dst), y, [...range(16, size), ...range(size, 16 - size)]));
  else b.writeX(dst, y);
}
insn(def, "movss", (b, dst, src) => scalarMove(b, dst, src, 4));
insn(def, "movsd", (b, dst, src) => scalarMove(b, dst, src, 8));

insn(def, ["movd", "movq"], (b, dst, src) => {
  if (dst.kind === "xmm") {
    if (src.kind === "mem") b.writeX(dst, b.readX(src));
    else if (src.kind === "xmm") b.writeX(dst, b.shuffle(b.readX(src), zeroX(b), [...range(0, 8), ...range(16, 8)]));
    else b.writeX(dst, src.size === 8 ? b.replace("i64x2", zeroX(b), 0, b.read(src)) : b.replace("i32x4", zeroX(b), 0, b.read(src)));
  } else if (src.kind === "xmm") b.write(dst, dst.size === 8 ? b.extract("i64x2", b.readX(src), 0) : b.extract("i32x4", b.readX(src), 0));
  else {
    mmxBegin(b);
    const v = b.read(src);
    b.write(dst, dst.kind === "mm" ? b.zext(v) : b.fit(dst.size, v));
    mmxEnd(b);
  }
});

insn(def, "movntq", (b, dst, src) => {
  mmxBegin(b);
  b.write(dst, b.read(src));
  mmxEnd(b);
});
insn(def, "movnti", (b, dst, src) => b.write(dst, b.read(src)));

insn(def, ["movlps", "movlpd"], (b, dst, src) => half(b, dst, src, 0));
insn(def, ["movhps", "movhpd"], (b, dst, src) => half(b, dst, src, 1));
function half<V, X>(b: Builder<V, X>, dst: Operand, src: Operand, lane: number): void {
  if (dst.kind === "mem") b.write(dst, b.extract("i64x2", b.readX(src), lane));
  else b.writeX(dst, b.replace("i64x2", b.readX(dst), lane, b.read(src)));
}
insn(def, "movhlps", (b, dst, src) => b.writeX(dst, b.shuffle(b.readX(dst), b.readX(src), lanes(8, 3, 1))));
insn(def, "movlhps", (b, dst, src) => b.writeX(dst, b.shuffle(b.readX(dst), b.readX(src), lanes(8, 0, 2))));

insn(def, "movddup", (b, dst, src) => {
  const x = b.readX(src);
  b.writeX(dst, b.shuffle(x, x, lanes(8, 0, 0)));
});
insn(def, "movsldup", (b, dst, src) => {
  const x = b.readX(src);
  b.writeX(dst, b.shuffle(x, x, lanes(4, 0, 0, 2, 2)));
});
insn(def, "movshdup", (b, dst, src) => {
  const x = b.readX(src);
  b.writeX(dst, b.shuffle(x, x, lanes(4, 1, 1, 3, 3)));
});

insn(def, "movmskps", (b, dst, src) => b.write(dst, b.fit(dst.size, b.xtest("i32x4.bitmask", b.readX(src)))));
insn(def, "movmskpd", (b, dst, src) => b.write(dst, b.fit(dst.size, b.xtest("i64x2.bitmask", b.readX(src)))));
insn(def, "pmovmskb", (b, dst, src) => {
  const mmx = src.kind === "mm";
  if (mmx) mmxBegin(b);
  const x = vec(b, src, mmx);
  if (mmx) mmxEnd(b);
  b.write(dst, b.fit(dst.size, b.xtest("i8x16.bitmask", x)));
});

insn(def, "movdq2q", (b, dst, src) => {
  mmxBegin(b);
  mmxEnd(b);
  b.write(dst, b.extract("i64x2", b.readX(src), 0));
});
insn(def, "movq2dq", (b, dst, src) => {
  mmxBegin(b);
  mmxEnd(b);
  b.writeX(dst, b.replace("i64x2", zeroX(b), 0, b.read(src)));
});

// ---- shuffles ------------------------------------------------------------------------------------------------------

const unpack = (size: number, high: boolean): number[] => {
  const n = 16 / size / 2;
  return range(high ? n : 0, n).flatMap((i) => lanes(size, i, i + 2 * n));
};
for (const [name, size, high] of [["unpcklps", 4, false], ["unpckhps", 4, true], ["unpcklpd", 8, false], ["unpckhpd", 8, true],
  ["punpcklqdq", 8, false], ["punpckhqdq", 8, true]] as const)
  insn(def, name, (b, dst, src) => b.writeX(dst, b.shuffle(b.readX(dst), b.readX(src), unpack(size, high))));

for (const [name, size] of [["punpcklbw", 1], ["punpcklwd", 2], ["punpckldq", 4]] as const)
  insn(def, name, (b, dst, src) => {
    const mmx = dst.kind === "mm";
    if (mmx) mmxBegin(b);
    putVec(b, dst, b.shuffle(vec(b, dst, mmx), vec(b, src, mmx), unpack(size, false)));
  });
for (const [name, size] of [["punpckhbw", 1], ["punpckhwd", 2], ["punpckhdq", 4]] as const)
  insn(def, name, (b, dst, src) => {
    const mmx = dst.kind === "mm";
    if (mmx) mmxBegin(b);
    // The high half of 64 bits is in the middle of the low interleave of 128.
    const order = mmx ? [...unpack(size, false).slice(8), ...range(0, 8)] : unpack(size, true);
    putVec(b, dst, b.shuffle(vec(b, dst, mmx), vec(b, src, mmx), order));
  });

const quad = (imm: number): number[] => [imm & 3, (imm >> 2) & 3, (imm >> 4) & 3, (imm >> 6) & 3];
const FIXED = { fixedImm: true };

insn(def, "pshufd", (b, dst, src, imm) => {
  const x = b.readX(src);
  b.writeX(dst, b.shuffle(x, x, lanes(4, ...quad(imm.fixed))));
}, FIXED);
insn(def, "pshuflw", (b, dst, src, imm) => {
  const x = b.readX(src);
  b.writeX(dst, b.shuffle(x, x, [...lanes(2, ...quad(imm.fixed)), ...range(8, 8)]));
}, FIXED);
insn(def, "pshufhw", (b, dst, src, imm) => {
  const x = b.readX(src);
  b.writeX(dst, b.shuffle(x, x, [...range(0, 8), ...lanes(2, ...quad(imm.fixed).map((n) => n + 4))]));
}, FIXED);
insn(def, "pshufw", (b, dst, src, imm) => {
  mmxBegin(b);
  const x = vec(b, src, true);
  putVec(b, dst, b.shuffle(x, x, [...lanes(2, ...quad(imm.fixed)), ...range(8, 8)]));
}, FIXED);
insn(def, "shufps", (b, dst, src, imm) => {
  const [i, j, k, l] = quad(imm.fixed) as [number, number, number, number];
  b.writeX(dst, b.shuffle(b.readX(dst), b.readX(src), lanes(4, i, j, k + 4, l + 4)));
}, FIXED);
insn(def, "shufpd", (b, dst, src, imm) => b.writeX(dst, b.shuffle(b.readX(dst), b.readX(src), lanes(8, imm.fixed & 1, 2 + ((imm.fixed >> 1) & 1)))), FIXED);

insn(def, "palignr", (b, dst, src, imm) => {
  const mmx = dst.kind === "mm", n = imm.fixed;
  if (mmx) mmxBegin(b);
  const hi = vec(b, dst, mmx), lo = vec(b, src, mmx);
  if (mmx) {
    const both = b.shuffle(lo, hi, lanes(8, 0, 2));
    putVec(b, dst, b.shuffle(both, zeroX(b), range(0, 16).map((i) => (i < 8 && i + n < 16 ? i + n : 16))));
  } else if (n < 16) b.writeX(dst, b.shuffle(lo, hi, range(n, 16)));
  else b.writeX(dst, b.shuffle(hi, zeroX(b), range(0, 16).map((i) => Math.min(i + n - 16, 16))));
}, FIXED);
insn(def, "pslldq", (b, dst, imm) => b.writeX(dst, b.shuffle(b.readX(dst), zeroX(b), range(0, 16).map((i) => (i >= imm.fixed ? i - imm.fixed : 16)))), FIXED);
insn(def, "psrldq", (b, dst, imm) => b.writeX(dst, b.shuffle(b.readX(dst), zeroX(b), range(0, 16).map((i) => Math.min(i + imm.fixed, 16)))), FIXED);

const blend = (size: number, imm: number): number[] => lanes(size, ...range(0, 16 / size).map((i) => ((imm >> i) & 1 ? i + 16 / size : i)));
for (const [name, size] of [["blendps", 4], ["blendpd", 8], ["pblendw", 2]] as const)
  insn(def, name, (b, dst, src, imm) => b.writeX(dst, b.shuffle(b.readX(dst), b.readX(src), blend(size, imm.fixed))), FIXED);
insn(def, "blendvps", (b, dst, src) => b.writeX(dst, b.bitselect(b.readX(src), b.readX(dst), b.xshift("i32x4.shr_s", b.regX(0), b.i32(31)))));
insn(def, "blendvpd", (b, dst, src) => b.writeX(dst, b.bitselect(b.readX(src), b.readX(dst), b.xshift("i64x2.shr_s", b.regX(0), b.i32(63)))));
insn(def, "pblendvb", (b, dst, src) => b.writeX(dst, b.bitselect(b.readX(src), b.readX(dst), b.xshift("i8x16.shr_s", b.regX(0), b.i32(7)))));

insn(def, "insertps", (b, dst, src, imm) => {
  const n = imm.fixed, from = src.kind === "mem" ? 0 : n >> 6, to = (n >> 4) & 3;
  const x = b.shuffle(b.readX(dst), b.readX(src), lanes(4, ...range(0, 4).map((i) => (i === to ? 4 + from : i))));
  b.writeX(dst, n & 15 ? b.shuffle(x, zeroX(b), lanes(4, ...range(0, 4).map((i) => ((n >> i) & 1 ? 4 : i)))) : x);
}, FIXED);

for (const [name, lane, mask] of [["pextrb", "i8x16", 15], ["pextrw", "i16x8", 7], ["pextrd", "i32x4", 3], ["pextrq", "i64x2", 1], ["extractps", "i32x4", 3]] as const)
  insn(def, name, (b, dst, src, imm) => {
    const mmx = src.kind === "mm";
    if (mmx) {
      mmxBegin(b);
      mmxEnd(b);
    }
    b.write(dst, b.fit(dst.size, b.extract(lane, vec(b, src, mmx), imm.fixed & (mmx ? 3 : mask))));
  }, FIXED);
for (const [name, lane, mask] of [["pinsrb", "i8x16", 15], ["pinsrw", "i16x8", 7], ["pinsrd", "i32x4", 3], ["pinsrq", "i64x2", 1]] as const)
  insn(def, name, (b, dst, src, imm) => {
    const mmx = dst.kind === "mm";
    if (mmx) mmxBegin(b);
    const v = b.read(src);
    putVec(b, dst, b.replace(lane, vec(b, dst, mmx), imm.fixed & (mmx ? 3 : mask), name === "pinsrq" ? v : b.trunc(v)));
  }, FIXED);

// ---- logic ---------------------------------------------------------------------------------------------------------

for (const [names, op] of [[["andps", "andpd"], "v128.and"], [["orps", "orpd"], "v128.or"], [["xorps", "xorpd"], "v128.xor"]] as const)
  insn(def, names, (b, dst, src) => b.writeX(dst, b.xx(op, b.readX(dst), b.readX(src))));
insn(def, ["andnps", "andnpd"], (b, dst, src) => b.writeX(dst, b.xx("v128.andnot", b.readX(src), b.readX(dst))));

// ---- masked stores, control ----------------------------------------------------------------------------------------

insn(def, ["maskmovdqu", "maskmovq"], (b, ...operands) => {
  const mmx = b.form.name === "maskmovq";
  const [value, mask] = operands.slice(-2) as [Operand, Operand];
  if (mmx) mmxBegin(b);
  const to = b.form.addrsize === 4 ? b.zext(b.reg(RDI, 4)) : b.reg(RDI, 8);
  const x = vec(b, value, mmx), m = b.xtest("i8x16.bitmask", vec(b, mask, mmx));
  for (let i = 0; i < (mmx ? 8 : 16); i++)
    b.when(b.and(m, b.i32(1 << i)), () => b.store(1, b.add(to, b.i64(i)), b.extract("i8x16", x, i)));
  if (mmx) mmxEnd(b);
});

insn(def, "ldmxcsr", (b, src) => {
  const v = b.read(src);
  b.trapIf(b.and(v, b.i32(~0xffff)), EXIT_GP);
  b.setState(ST_MXCSR, v);
});
insn(def, "stmxcsr", (b, dst) => b.write(dst, b.getState(ST_MXCSR, "i32")));

for (const name of ["fxsave", "fxsave64", "fxrstor", "fxrstor64"])
  insn(def, name, (b, mem) => {
    const at = b.address(mem);
    b.trapIf(b.and(b.trunc(at), b.i32(15)), EXIT_GP);
    b.check(at, 512, name.startsWith("fxsave"));
    b.call(name.replace("64", ""), [at]);
  });

/** The standard form alone; edx:eax says which of x87, SSE and AVX. */
for (const name of ["xsave", "xsave64", "xrstor", "xrstor64"])
  insn(def, name, (b, mem) => {
    const at = b.address(mem);
    b.trapIf(b.and(b.trunc(at), b.i32(63)), EXIT_GP);
    b.check(at, 832, name.startsWith("xsave"));
    b.call(name.replace("64", ""), [at, b.reg(RAX, 4)]);
  });
