// worker/cpu/insn/avx.ts — AVX and AVX2: the SSE definitions with a third operand and twice as wide; and what SSE does not have.  SDM Vol. 2
//
// A VEX instruction works on each 16-byte lane of its registers as the SSE instruction does, but for where the first source comes
// from. So the SSE definition runs once or twice against a view of the builder in which its destination reads the
// first source, and its writes are kept until all lanes are done. 128-bit forms clear the upper half.

import type { Builder, Operand } from "../build/builder.ts";
import type { Lane } from "../build/simd_ops.ts";
import { EXIT_GP } from "../exit.ts";
import { CF, ST_MXCSR, ST_XMM, STATUS_FLAGS, ZF } from "../state.ts";
import { CMP } from "../sse.ts";
import { type Definition, type Definitions, insn } from "./define.ts";
import { SSE_CONVERT } from "./sse_convert.ts";
import { orSlowX, SSE_FLOAT } from "./sse_float.ts";
import { SSE_INT } from "./sse_int.ts";
import { SSE_MOVE } from "./sse_move.ts";
import { lanes, range, repeat, zeroX } from "./vector.ts";

export const AVX: Definitions = [];
const def = AVX;
const FIXED = { fixedImm: true };
/** All exceptions of MXCSR are masked. */
const MASKS = 0x1f80;

const SSE = new Map<string, Definition>([...SSE_MOVE, ...SSE_INT, ...SSE_FLOAT, ...SSE_CONVERT].map((d) => [d.name, d]));

/** Lane 0 or 1 of an operand; memory need not be aligned. */
function lane<V, X>(b: Builder<V, X>, o: Operand, n: number): X {
  if (o.kind === "mem") {
    if (o.size < 32) return b.readX(o, true);
    return b.loadX(16, n ? b.add(b.address(o), b.i64(16)) : b.address(o), false);
  }
  return n ? b.readHigh(o) : b.readX(o);
}
/** All of a 32-byte memory operand is there, or nothing happens. */
function check<V, X>(b: Builder<V, X>, o: Operand, write = false): void {
  if (o.kind === "mem" && o.size === 32) b.check(b.address(o), 32, write);
}
function put<V, X>(b: Builder<V, X>, dst: Operand, low: X, high?: X): void {
  b.writeX(dst, low);
  b.writeHigh(dst, high ?? zeroX(b));
}

/** If an exception is unmasked, those of both lanes are gathered, and decided upon together: `work` goes through the lanes of 32 bytes of floats. */
function together<V, X>(b: Builder<V, X>, wide: boolean, work: () => void): void {
  const strict = (): V => b.cmp("ne", b.and(b.getState(ST_MXCSR, "i32"), b.i32(MASKS)), b.i32(MASKS));
  if (wide) b.unlikely([strict()], () => b.call("sse_gather"));
  work();
  if (wide) b.unlikely([strict()], () => b.call("sse_decide"));
}

/** The builder as an SSE definition sees it. */
function view<V, X>(b: Builder<V, X>, name: string, readX: (o: Operand) => X, writeX: (o: Operand, x: X) => void): Builder<V, X> {
  const form = { ...b.form, name };
  const shape = (size: 4 | 8): Lane => (size === 8 ? "f64x2" : "f32x4");
  const readLow = (o: Operand, size: 4 | 8): V => b.extract(shape(size), readX(o), 0);
  const writeLow = (o: Operand, size: 4 | 8, v: V): void => writeX(o, b.replace(shape(size), readX(o), 0, v));
  // what is known is known of registers, not of what stands for them here
  const known = (): boolean => false, learn = (): void => {};
  const own: Record<PropertyKey, unknown> = { readX, writeX, readLow, writeLow, known, learn, form };
  return new Proxy(b, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key];
      const v: unknown = Reflect.get(target, key, target);
      return typeof v === "function" ? v.bind(target) : v;
    },
  });
}

/** v-form of an SSE instruction; `three`: there is a first source beside the destination. */
function derive(name: string, three: boolean, sourceLanes: "both" | "low" = "both"): void {
  const sse = SSE.get(name);
  if (sse === undefined) throw new Error(`no definition of ${name}`);
  insn(def, `v${name}`, (b, dst, ...rest) => {
    const first = three ? rest[0]! : dst;
    const sources = three ? rest.slice(1) : rest;
    const n = dst.size === 32 ? 2 : 1;
    for (const s of [first, ...sources]) check(b, s);
    const low: Operand = { ...dst, size: 16 };
    const results: unknown[] = [];
    const one = (i: number): void => {
      let result;
      const v = view(b, name, (o) => (o === low ? lane(b, first, i) : lane(b, o, sourceLanes === "low" ? 0 : i)), (_o, x) => {
        result = x;
      });
      // The immediate of some has bits of its own for the upper lane.
      sse.lower(v, low, ...sources.map((s) => (i && s.fixed >= 0 && s.kind === "imm" ? { ...s, fixed: s.fixed >> (UPPER_IMM[name] ?? 0) } : s)));
      results.push(result!);
    };
    together(b, n === 2 && FLOATS.test(name), () => range(0, n).forEach(one));
    put(b, dst, results[0] as X_, results[1] as X_ | undefined);
    type X_ = ReturnType<typeof b.retX>;
  }, { fixedImm: sse.fixedImm });
}
/** These round, or look at what they are given. */
const FLOATS = /^(add|sub|mul|div|min|max|addsub|hadd|hsub|sqrt|round|dp)p[sd]$|^cvt/;
/** By how much the immediate is shifted for the upper lane. */
const UPPER_IMM: Readonly<Record<string, number>> = { shufpd: 2, blendps: 4, blendpd: 2, mpsadbw: 3 };

const words = (s: string): string[] => s.split(" ");
for (const name of words("addss addsd addps addpd subss subsd subps subpd mulss mulsd mulps mulpd divss divsd divps divpd minss minsd minps minpd maxss maxsd maxps maxpd " +
  "sqrtss sqrtsd rcpss rsqrtss roundss roundsd addsubps addsubpd haddps haddpd hsubps hsubpd andps andpd andnps andnpd orps orpd xorps xorpd " +
  "cvtss2sd cvtsd2ss cvtsi2ss cvtsi2sd unpcklps unpckhps unpcklpd unpckhpd shufps shufpd blendps blendpd pblendw insertps movhlps movlhps dpps dppd " +
  "paddb paddw paddd paddq psubb psubw psubd psubq paddsb paddsw paddusb paddusw psubsb psubsw psubusb psubusw pmullw pmulld pmaddwd pavgb pavgw " +
  "pminub pminsb pminuw pminsw pminud pminsd pmaxub pmaxsb pmaxuw pmaxsw pmaxud pmaxsd pcmpeqb pcmpeqw pcmpeqd pcmpeqq pcmpgtb pcmpgtw pcmpgtd pcmpgtq " +
  "pand por pxor pandn packsswb packuswb packssdw packusdw pmulhw pmulhuw pmuludq pmuldq psadbw pshufb phaddw phaddd phaddsw phsubw phsubd phsubsw pmaddubsw pmulhrsw " +
  "psignb psignw psignd punpcklbw punpcklwd punpckldq punpcklqdq punpckhbw punpckhwd punpckhdq punpckhqdq palignr mpsadbw pinsrb pinsrw pinsrd pinsrq " +
  "aesenc aesenclast aesdec aesdeclast pclmulqdq")) derive(name, true);
// The count is one for both lanes; an immediate takes its place.
for (const name of words("psllw pslld psllq psrlw psrld psrlq psraw psrad pslldq psrldq")) derive(name, true, "low");
for (const name of words("sqrtps sqrtpd rcpps rsqrtps roundps roundpd pshufd pshuflw pshufhw pabsb pabsw pabsd movsldup movshdup cvtdq2ps cvtps2dq cvttps2dq aesimc aeskeygenassist phminposuw movddup"))
  derive(name, false);

/** The SSE instruction itself; an xmm destination loses its upper half. */
for (const name of words("movd movq movmskps movmskpd pmovmskb pextrb pextrw pextrd pextrq extractps ucomiss ucomisd comiss comisd cvtss2si cvttss2si cvtsd2si cvttsd2si ldmxcsr stmxcsr maskmovdqu pcmpistri pcmpistrm pcmpestri pcmpestrm pcmpestri64 pcmpestrm64")) {
  const sse = SSE.get(name)!;
  insn(def, `v${name}`, (b, ...operands) => {
    const [dst, src] = operands;
    if (/movmskp|pmovmskb/.test(name) && src!.size === 32) {
      const bits = name === "movmskps" ? 4 : name === "movmskpd" ? 2 : 16;
      const op = name === "movmskps" ? "i32x4.bitmask" : name === "movmskpd" ? "i64x2.bitmask" : "i8x16.bitmask";
      const m = b.or(b.xtest(op, b.readX(src!)), b.shl(b.xtest(op, b.readHigh(src!)), b.i32(bits)));
      return b.write(dst!, b.fit(dst!.size, m));
    }
    sse.lower(view(b, name, (o) => b.readX(o, true), (o, x) => b.writeX(o, x, true)), ...operands);
    if ((name === "movd" || name === "movq") && dst!.kind === "xmm") b.writeHigh(dst!, zeroX(b));
    if (/strm(64)?$/.test(name)) for (const at of [16, 24]) b.setState(ST_XMM + at, b.i64(0));
  }, { fixedImm: sse.fixedImm });
}

// ---- moves ---------------------------------------------------------------------------------------------------------

for (const [names, aligned] of [["vmovaps vmovapd vmovdqa vmovntps vmovntpd vmovntdq vmovntdqa", true], ["vmovups vmovupd vmovdqu vlddqu", false]] as const)
  insn(def, words(names), (b, dst, src) => {
    const wide = dst.size === 32;
    const mem = dst.kind === "mem" ? dst : src.kind === "mem" ? src : undefined;
    if (mem && aligned) b.trapIf(b.and(b.trunc(b.address(mem)), b.i32(wide ? 31 : 15)), EXIT_GP);
    if (mem) check(b, mem, mem === dst);
    const low = lane(b, src, 0), high = wide ? lane(b, src, 1) : undefined;
    if (dst.kind !== "mem") return put(b, dst, low, high);
    b.storeX(16, b.address(dst), low, false);
    if (high !== undefined) b.storeX(16, b.add(b.address(dst), b.i64(16)), high, false);
  });
for (const name of ["movss", "movsd", "movlps", "movlpd", "movhps", "movhpd"]) {
  const sse = SSE.get(name)!;
  insn(def, `v${name}`, (b, dst, a, c) => {
    if (dst.kind === "mem") return sse.lower(b, dst, a);
    const from = c ?? a;
    let result;
    sse.lower(view(b, name, (o) => (o === dst ? b.readX(a) : b.readX(o, true)), (_o, x) => {
      result = x;
    }), dst, from);
    put(b, dst, result!);
  });
}
insn(def, ["vbroadcastss", "vpbroadcastd"], (b, dst, src) => spread(b, dst, src, 4));
insn(def, ["vbroadcastsd", "vpbroadcastq"], (b, dst, src) => spread(b, dst, src, 8));
insn(def, "vpbroadcastb", (b, dst, src) => spread(b, dst, src, 1));
insn(def, "vpbroadcastw", (b, dst, src) => spread(b, dst, src, 2));
function spread<V, X>(b: Builder<V, X>, dst: Operand, src: Operand, size: 1 | 2 | 4 | 8): void {
  const name = size === 1 ? "i8x16" : size === 2 ? "i16x8" : size === 4 ? "i32x4" : "i64x2";
  const x = b.splat(name, src.kind === "mem" ? b.read(src) : b.extract(name, b.readX(src), 0));
  put(b, dst, x, dst.size === 32 ? x : undefined);
}
insn(def, ["vbroadcastf128", "vbroadcasti128"], (b, dst, src) => {
  const x = b.readX(src, true);
  put(b, dst, x, x);
});
insn(def, ["vinsertf128", "vinserti128"], (b, dst, a, c, imm) => {
  const y = b.readX(c, true);
  if (imm.fixed & 1) put(b, dst, b.readX(a), y);
  else put(b, dst, y, b.readHigh(a));
}, FIXED);
insn(def, ["vextractf128", "vextracti128"], (b, dst, src, imm) => {
  const x = lane(b, src, imm.fixed & 1);
  if (dst.kind === "mem") b.writeX(dst, x, true);
  else put(b, dst, x);
}, FIXED);
insn(def, ["vperm2f128", "vperm2i128"], (b, dst, a, c, imm) => {
  check(b, c);
  const pick = (n: number) => (n & 8 ? zeroX(b) : lane(b, n & 2 ? c : a, n & 1));
  put(b, dst, pick(imm.fixed & 15), pick(imm.fixed >> 4));
}, FIXED);
insn(def, ["vpermq", "vpermpd"], (b, dst, src, imm) => {
  check(b, src);
  const low = lane(b, src, 0), high = lane(b, src, 1);
  const two = (n: number) => b.shuffle(low, high, lanes(8, n & 3, (n >> 2) & 3));
  put(b, dst, two(imm.fixed), two(imm.fixed >> 4));
}, FIXED);
insn(def, ["vpermd", "vpermps"], (b, dst, index, src) => {
  check(b, src);
  const low = lane(b, src, 0), high = lane(b, src, 1);
  const pick = (n: number) => {
    // Byte numbers of the chosen words: index & 3 within a lane, bit 2 chooses the lane.
    const i = lane(b, index, n);
    const spreadIndex = b.xx("i8x16.swizzle", b.xx("v128.and", i, b.constX(repeat(4, 3n))), b.constX([0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]));
    const bytes = b.xx("i8x16.add", b.xshift("i8x16.shl", spreadIndex, b.i32(2)), b.constX(repeat(4, 0x03020100n)));
    const upper = b.xshift("i32x4.shr_s", b.xshift("i32x4.shl", i, b.i32(29)), b.i32(31));
    return b.bitselect(b.xx("i8x16.swizzle", high, bytes), b.xx("i8x16.swizzle", low, bytes), upper);
  };
  put(b, dst, pick(0), pick(1));
});
insn(def, "vpermilps", (b, dst, a, c) => {
  check(b, a);
  check(b, c);
  const one = (n: number) => {
    const x = lane(b, a, n);
    if (c.kind === "imm") return b.shuffle(x, x, lanes(4, c.fixed & 3, (c.fixed >> 2) & 3, (c.fixed >> 4) & 3, c.fixed >> 6));
    const i = b.xx("v128.and", lane(b, c, n), b.constX(repeat(4, 3n)));
    const s = b.xx("i8x16.swizzle", i, b.constX([0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12]));
    return b.xx("i8x16.swizzle", x, b.xx("i8x16.add", b.xshift("i8x16.shl", s, b.i32(2)), b.constX(repeat(4, 0x03020100n))));
  };
  put(b, dst, one(0), dst.size === 32 ? one(1) : undefined);
}, FIXED);
insn(def, "vpermilpd", (b, dst, a, c) => {
  check(b, a);
  check(b, c);
  const one = (n: number) => {
    const x = lane(b, a, n);
    if (c.kind === "imm") return b.shuffle(x, x, lanes(8, (c.fixed >> (2 * n)) & 1, (c.fixed >> (2 * n + 1)) & 1));
    const upper = b.xshift("i64x2.shr_s", b.xshift("i64x2.shl", lane(b, c, n), b.i32(62)), b.i32(63));
    return b.bitselect(b.shuffle(x, x, lanes(8, 1, 1)), b.shuffle(x, x, lanes(8, 0, 0)), upper);
  };
  put(b, dst, one(0), dst.size === 32 ? one(1) : undefined);
}, FIXED);
insn(def, "vpblendd", (b, dst, a, c, imm) => {
  check(b, c);
  const one = (n: number) => b.shuffle(lane(b, a, n), lane(b, c, n), lanes(4, ...range(0, 4).map((i) => ((imm.fixed >> (4 * n + i)) & 1 ? i + 4 : i))));
  put(b, dst, one(0), dst.size === 32 ? one(1) : undefined);
}, FIXED);
for (const [name, op, width] of [["vblendvps", "i32x4.shr_s", 31], ["vblendvpd", "i64x2.shr_s", 63], ["vpblendvb", "i8x16.shr_s", 7]] as const)
  insn(def, name, (b, dst, a, c, mask) => {
    check(b, c);
    const high = ST_XMM + 32 * mask.fixed + 16;
    const half = (n: number) => (n ? b.replace("i64x2", b.splat("i64x2", b.getState(high, "i64")), 1, b.getState(high + 8, "i64")) : b.regX(mask.fixed));
    const one = (n: number) => b.bitselect(lane(b, c, n), lane(b, a, n), b.xshift(op, half(n), b.i32(width)));
    put(b, dst, one(0), dst.size === 32 ? one(1) : undefined);
  });
insn(def, ["vzeroupper", "vzeroall"], (b) => {
  for (let n = 0; n < 16; n++) {
    for (const at of [16, 24]) b.setState(ST_XMM + 32 * n + at, b.i64(0));
    if (b.form.name === "vzeroall") b.setRegX(n, zeroX(b));
  }
});
insn(def, ["vptest", "vtestps", "vtestpd"], (b, dst, src) => {
  check(b, src);
  const sign = b.form.name === "vtestps" ? repeat(4, 0x80000000n) : b.form.name === "vtestpd" ? repeat(8, 1n << 63n) : repeat(1, 0xffn);
  let both = b.i32(0), not = b.i32(0);
  for (let n = 0; n < (dst.size === 32 ? 2 : 1); n++) {
    const x = lane(b, dst, n), y = b.xx("v128.and", lane(b, src, n), b.constX(sign));
    both = b.or(both, b.xtest("v128.any_true", b.xx("v128.and", x, y)));
    not = b.or(not, b.xtest("v128.any_true", b.xx("v128.andnot", y, x)));
  }
  b.setFlags(STATUS_FLAGS, b.or(b.mul(b.eqz(both), b.i32(ZF)), b.mul(b.eqz(not), b.i32(CF))));
});

/** VMASKMOV, VPMASKMOV: lanes whose mask has its sign bit set; no other lane is touched, nor can it fault. */
for (const [names, size] of [["vmaskmovps vpmaskmovd", 4], ["vmaskmovpd vpmaskmovq", 8]] as const)
  insn(def, words(names), (b, dst, mask, other) => {
    const name = size === 4 ? "i32x4" : "i64x2", wide = (dst.kind === "mem" ? mask : dst).size === 32, per = 16 / size;
    const mem = dst.kind === "mem" ? dst : other;
    const at = b.address(mem);
    const results = [];
    for (let n = 0; n < (wide ? 2 : 1); n++) {
      const m = b.xtest(`${name}.bitmask`, lane(b, mask, n));
      const out = b.variableX(zeroX(b));
      for (let i = 0; i < per; i++)
        b.when(b.and(m, b.i32(1 << i)), () => {
          const a = b.add(at, b.i64(n * 16 + i * size));
          if (dst.kind === "mem") b.store(size, a, b.extract(name, lane(b, other, n), i));
          else b.assignX(out, b.replace(name, out, i, b.load(size, a)));
        });
      results.push(out);
    }
    if (dst.kind !== "mem") put(b, dst, results[0]!, results[1]);
  });

/** Shifts with a count of its own for each element. */
for (const [name, op, width] of [["vpsllvd", "i32.shl", 32], ["vpsrlvd", "i32.shr_u", 32], ["vpsravd", "i32.shr_s", 32], ["vpsllvq", "i64.shl", 64], ["vpsrlvq", "i64.shr_u", 64]] as const)
  insn(def, name, (b, dst, a, c) => {
    check(b, c);
    const shape = width === 32 ? "i32x4" : "i64x2";
    const constant = (n: number) => (width === 32 ? b.i32(n) : b.i64(n));
    const one = (n: number) => {
      const x = lane(b, a, n), y = lane(b, c, n);
      let r = zeroX(b);
      for (let i = 0; i < 128 / width; i++) {
        const count = b.extract(shape, y, i), big = b.cmp("gt_u", count, constant(width - 1)), v = b.extract(shape, x, i);
        const e = op === "i32.shr_s" ? b.op(op, v, b.select(big, constant(31), count)) : b.select(big, constant(0), b.op(op, v, count));
        r = b.replace(shape, r, i, e);
      }
      return r;
    };
    put(b, dst, one(0), dst.size === 32 ? one(1) : undefined);
  });

// ---- comparison, conversion ----------------------------------------------------------------------------------------

/** Floats in one lane or in both. */
function twice<V, X>(b: Builder<V, X>, dst: Operand, wide: boolean, one: (n: number) => X): void {
  const results: X[] = [];
  together(b, wide, () => range(0, wide ? 2 : 1).forEach((n) => results.push(one(n))));
  put(b, dst, results[0]!, results[1]);
}

/** 32 predicates: bit 4 turns signalling round; bits 0–3 are the relation. */
for (const size of [4, 8] as const) {
  const p = size === 8 ? "pd" : "ps", s = size === 8 ? "sd" : "ss";
  insn(def, `vcmp${p}`, (b, dst, a, c, imm) => {
    check(b, c);
    const one = (n: number) => orSlowX(b, b.i32(0), zeroX(b), `sse_${p}`, [b.i32(CMP + (imm.fixed & 31))], [lane(b, a, n), lane(b, c, n)]);
    twice(b, dst, dst.size === 32, one);
  }, FIXED);
  insn(def, `vcmp${s}`, (b, dst, a, c, imm) => {
    const x = b.readX(a), y = c.kind === "mem" ? b.read(c) : b.extract(size === 8 ? "i64x2" : "i32x4", b.readX(c), 0);
    b.call(`sse_${s}`, [b.i32(CMP + (imm.fixed & 31)), b.extract(size === 8 ? "i64x2" : "i32x4", x, 0), y]);
    put(b, dst, b.replace(size === 8 ? "i64x2" : "i32x4", x, 0, b.ret(0, size === 8 ? "i64" : "i32")));
  }, FIXED);
}

/** Conversions that widen: the upper lane of the result comes from the upper half of the source's 16 bytes. */
for (const name of words("cvtps2pd cvtdq2pd pmovsxbw pmovsxwd pmovsxdq pmovzxbw pmovzxwd pmovzxdq pmovsxbd pmovsxwq pmovzxbd pmovzxwq pmovsxbq pmovzxbq")) {
  const sse = SSE.get(name)!;
  insn(def, `v${name}`, (b, dst, src) => {
    // How many bytes of source make one lane.
    const step = /b[q]$/.test(name) ? 2 : /bd$|wq$/.test(name) ? 4 : 8;
    const wide = dst.size === 32;
    const from = src.kind === "mem" && src.size < 4 ? b.replace("i32x4", zeroX(b), 0, b.read(src)) : b.readX(src, true);
    twice(b, dst, wide, (n) => {
      let result;
      const x = n === 0 ? from : b.shuffle(from, zeroX(b), range(0, 16).map((i) => Math.min(i + step, 16)));
      const register: Operand = { ...dst, size: 16 };
      sse.lower(view(b, name, () => x, (_o, r) => {
        result = r;
      }), register, register);
      return result!;
    });
  });
}
/** Conversions that narrow: two lanes of 8 bytes into one. */
for (const name of words("cvtpd2ps cvtpd2dq cvttpd2dq")) {
  const sse = SSE.get(name)!;
  insn(def, `v${name}`, (b, dst, src) => {
    check(b, src);
    const results: ReturnType<typeof b.retX>[] = [];
    together(b, src.size === 32, () => range(0, src.size / 16).forEach((n) => {
      let result;
      sse.lower(view(b, name, () => lane(b, src, n), (_o, r) => {
        result = r;
      }), dst, src);
      results.push(result!);
    }));
    put(b, dst, results.length === 2 ? b.shuffle(results[0]!, results[1]!, lanes(8, 0, 2)) : results[0]!);
  });
}
insn(def, "vcvtph2ps", (b, dst, src) => {
  const x = b.readX(src, true);
  const one = (n: number) => {
    b.call("f16_ps", [], [n ? b.shuffle(x, zeroX(b), lanes(8, 1, 2)) : x]);
    return b.retX();
  };
  twice(b, dst, dst.size === 32, one);
});
insn(def, "vcvtps2ph", (b, dst, src, imm) => {
  const one = (n: number) => {
    b.call("f16_ph", [b.i32(imm.fixed)], [lane(b, src, n)]);
    return b.retX();
  };
  let x: ReturnType<typeof b.retX>;
  together(b, src.size === 32, () => {
    const low = one(0);
    x = src.size === 32 ? b.shuffle(low, one(1), lanes(8, 0, 2)) : low;
  });
  if (dst.kind === "mem") b.writeX(dst, x!, true);
  else put(b, dst, x!);
}, FIXED);

// ---- FMA -----------------------------------------------------------------------------------------------------------

/** Which of the three operands are multiplied, and which is added, by the digits of the mnemonic. */
for (const [order, [x, y, z]] of [["132", [0, 2, 1]], ["213", [1, 0, 2]], ["231", [1, 2, 0]]] as const)
  for (const [kind, code] of [["fmadd", 0], ["fmsub", 2], ["fnmadd", 1], ["fnmsub", 3], ["fmaddsub", 4], ["fmsubadd", 5]] as const)
    for (const type of ["ps", "pd", "ss", "sd"] as const) {
      if (code >= 4 && type.startsWith("s")) continue;
      insn(def, `v${kind}${order}${type}`, (b, ...operands) => {
        const dst = operands[0]!;
        check(b, operands[2]!);
        const one = (n: number) => {
          const value = operands.map((o) => lane(b, o, n));
          b.call(`fma_${type}`, [b.i32(code)], [value[x]!, value[y]!, value[z]!]);
          if (type.startsWith("p")) return b.retX();
          const shape = type === "sd" ? "i64x2" : "i32x4";
          return b.replace(shape, b.readX(dst), 0, b.extract(shape, b.retX(), 0));
        };
        twice(b, dst, dst.size === 32, one);
      });
    }

/** Gathers: the decoder puts the registers into an immediate behind the operands. */
for (const [names, element, index] of [["vpgatherdd vgatherdps", 4, 4], ["vpgatherdq vgatherdpd", 8, 4], ["vpgatherqd vgatherqps", 4, 8], ["vpgatherqq vgatherqpd", 8, 8]] as const)
  insn(def, words(names), (b, dst, mem, _mask, registers) =>
    b.call("gather", [b.address(mem), b.read(registers!), b.i32(element), b.i32(index), b.i32(dst.size / element)]));
