// worker/cpu/build/helpers_float.ts — slow paths of x87, SSE and the cryptographic instructions, by the names definitions call

import { HELPERS_CRYPTO } from "../crypto.ts";
import { checkPcmp } from "../pcmpstr.ts";
import { ADD, MUL, type SseFloat } from "../sse.ts";
import { ST_ARG, ST_MXCSR, ST_XMM } from "../state.ts";
import type { Arith, MemKind, X87 } from "../x87.ts";
import { EXIT_GP, EXIT_UD } from "../exit.ts";
import { arg, arg32, argAddress, checkAccess, type Helper, type HelperContext, retAddress, setRet, xargAddress, xretAddress } from "./helpers.ts";

const table: Record<string, Helper> = { ...HELPERS_CRYPTO };

// ---- SSE -----------------------------------------------------------------------------------------------------------

const put = (cpu: HelperContext, at: number, wide: boolean, s: SseFloat): void => {
  cpu.mem.dv.setInt32(at, s.w0, true);
  if (wide) cpu.mem.dv.setInt32(at + 4, s.w1, true);
};

for (const wide of [false, true]) {
  const S = wide ? "sd" : "ss", P = wide ? "pd" : "ps", size = wide ? 8 : 4;
  /** Scalar: operation, bits, bits → bits. */
  table[`sse_${S}`] = (cpu) => {
    const s = cpu.sse, dv = cpu.mem.dv, a = argAddress(cpu, 1), b = argAddress(cpu, 2);
    s.begin();
    s.lane(arg32(cpu, 0), wide, wide ? dv.getInt32(a + 4, true) : 0, dv.getInt32(a, true), wide ? dv.getInt32(b + 4, true) : 0, dv.getInt32(b, true));
    put(cpu, retAddress(cpu, 0), wide, s);
    return s.end();
  };
  /** Packed: operation; X, X → X. */
  table[`sse_${P}`] = (cpu) => {
    const s = cpu.sse, dv = cpu.mem.dv, a = xargAddress(cpu, 0), b = xargAddress(cpu, 1), to = xretAddress(cpu), op = arg32(cpu, 0);
    s.begin();
    for (let i = 0; i < 16; i += size) {
      s.lane(op, wide, wide ? dv.getInt32(a + i + 4, true) : 0, dv.getInt32(a + i, true), wide ? dv.getInt32(b + i + 4, true) : 0, dv.getInt32(b + i, true), (i & size) !== 0);
      put(cpu, to + i, wide, s);
    }
    return s.end();
  };
  for (const name of ["ucomi", "comi"])
    table[`sse_${name}${S}`] = (cpu) => {
      const s = cpu.sse, dv = cpu.mem.dv, a = argAddress(cpu, 0), b = argAddress(cpu, 1);
      s.begin();
      setRet(cpu, 0, s.compareFlags(wide, wide ? dv.getInt32(a + 4, true) : 0, dv.getInt32(a, true), wide ? dv.getInt32(b + 4, true) : 0, dv.getInt32(b, true), name === "comi"));
      return s.end();
    };
  table[`sse_int_${S}`] = (cpu) => {
    const s = cpu.sse, a = argAddress(cpu, 0);
    s.begin();
    s.fromInt(wide, cpu.mem.dv.getInt32(a + 4, true), cpu.mem.dv.getUint32(a, true));
    put(cpu, retAddress(cpu, 0), wide, s);
    return s.end();
  };
  /** bits, size of the integer in bytes, chop → integer */
  table[`sse_${S}_int`] = (cpu) => {
    const s = cpu.sse, a = argAddress(cpu, 0);
    s.begin();
    s.toInt(wide, wide ? cpu.mem.dv.getInt32(a + 4, true) : 0, cpu.mem.dv.getInt32(a, true), arg32(cpu, 1) * 8, arg32(cpu, 2) !== 0);
    put(cpu, retAddress(cpu, 0), true, s);
    return s.end();
  };
  table[`sse_${S}_${wide ? "ss" : "sd"}`] = (cpu) => {
    const s = cpu.sse, a = argAddress(cpu, 0);
    s.begin();
    s.resize(wide, wide ? cpu.mem.dv.getInt32(a + 4, true) : 0, cpu.mem.dv.getInt32(a, true));
    put(cpu, retAddress(cpu, 0), !wide, s);
    return s.end();
  };
  /** Packed floats to i32 lanes; chop. Two doubles leave the upper half zero. */
  table[`sse_${P}_dq`] = (cpu) => {
    const s = cpu.sse, dv = cpu.mem.dv, a = xargAddress(cpu, 0), to = xretAddress(cpu), chop = arg32(cpu, 0) !== 0;
    s.begin();
    for (let i = 0; i < 16; i += size) {
      s.toInt(wide, wide ? dv.getInt32(a + i + 4, true) : 0, dv.getInt32(a + i, true), 32, chop);
      dv.setInt32(to + (i * 4) / size, s.w0, true);
    }
    if (wide) clearHigh(cpu, to);
    return s.end();
  };
  /** Fused multiply and add of every lane, or of the lowest. */
  for (const scalar of [false, true])
    table[`fma_${scalar ? S : P}`] = (cpu) => {
      const s = cpu.sse, dv = cpu.mem.dv, to = xretAddress(cpu), code = arg32(cpu, 0);
      const word = (n: number, i: number): [number, number] => {
        const at = xargAddress(cpu, n) + i;
        return [wide ? dv.getInt32(at + 4, true) : 0, dv.getInt32(at, true)];
      };
      s.begin();
      for (let i = 0; i < (scalar ? size : 16); i += size) {
        s.fma(code, wide, (i & size) !== 0, word(0, i), word(1, i), word(2, i));
        put(cpu, to + i, wide, s);
      }
      return s.end();
    };
  /** The dot product: lanes of imm's upper half multiply, lanes of its lower half receive. */
  table[`sse_dp${P}`] = (cpu) => dot(cpu, wide);
}

/** What follows, until sse_decide, is one instruction's: see SseFloat.gathering. */
table["sse_gather"] = ({ sse }) => {
  sse.gathering = false;
  sse.begin();
  sse.gathering = true;
  return 0;
};
table["sse_decide"] = ({ sse }) => sse.decide();

function clearHigh(cpu: HelperContext, to: number): void {
  cpu.mem.dv.setInt32(to + 8, 0, true);
  cpu.mem.dv.setInt32(to + 12, 0, true);
}

function dot(cpu: HelperContext, wide: boolean): number {
  const s = cpu.sse, dv = cpu.mem.dv, imm = arg32(cpu, 0), a = xargAddress(cpu, 0), b = xargAddress(cpu, 1), to = xretAddress(cpu);
  const size = wide ? 8 : 4, n = 16 / size;
  const hi = (at: number): number => (wide ? dv.getInt32(at + 4, true) : 0);
  let r = 0;
  const products: [number, number][] = [];
  s.begin();
  for (let i = 0; i < n; i++) {
    if ((imm >> (4 + i)) & 1) {
      s.lane(MUL, wide, hi(a + i * size), dv.getInt32(a + i * size, true), hi(b + i * size), dv.getInt32(b + i * size, true));
      products.push([s.w1, s.w0]);
    } else products.push([0, 0]);
  }
  r = s.end();
  if (r) return r;
  const sum = (x: [number, number], y: [number, number]): [number, number] => {
    s.begin();
    s.lane(ADD, wide, x[0], x[1], y[0], y[1]);
    r = r || s.end();
    return [s.w1, s.w0];
  };
  const total = wide ? sum(products[0]!, products[1]!) : sum(sum(products[0]!, products[1]!), sum(products[2]!, products[3]!));
  for (let i = 0; i < n; i++) {
    const on = (imm >> i) & 1;
    dv.setInt32(to + i * size, on ? total[1] : 0, true);
    if (wide) dv.setInt32(to + i * size + 4, on ? total[0] : 0, true);
  }
  return r;
}

table["sse_dq_ps"] = (cpu) => {
  const s = cpu.sse, dv = cpu.mem.dv, a = xargAddress(cpu, 0), to = xretAddress(cpu);
  s.begin();
  for (let i = 0; i < 16; i += 4) {
    const v = dv.getInt32(a + i, true);
    s.fromInt(false, v >> 31, v >>> 0);
    put(cpu, to + i, false, s);
  }
  return s.end();
};
table["sse_ps_pd"] = (cpu) => {
  const s = cpu.sse, dv = cpu.mem.dv, a = xargAddress(cpu, 0), to = xretAddress(cpu);
  s.begin();
  for (let i = 0; i < 2; i++) {
    s.resize(false, 0, dv.getInt32(a + i * 4, true));
    put(cpu, to + i * 8, true, s);
  }
  return s.end();
};
table["sse_pd_ps"] = (cpu) => {
  const s = cpu.sse, dv = cpu.mem.dv, a = xargAddress(cpu, 0), to = xretAddress(cpu);
  s.begin();
  for (let i = 0; i < 2; i++) {
    s.resize(true, dv.getInt32(a + i * 8 + 4, true), dv.getInt32(a + i * 8, true));
    put(cpu, to + i * 4, false, s);
  }
  clearHigh(cpu, to);
  return s.end();
};
for (const [name, f] of [["rcp", (x: number) => 1 / x], ["rsqrt", (x: number) => 1 / Math.sqrt(x)]] as const)
  table[`sse_${name}ps`] = (cpu) => {
    const dv = cpu.mem.dv, a = xargAddress(cpu, 0), to = xretAddress(cpu);
    for (let i = 0; i < 16; i += 4) {
      const w = dv.getInt32(a + i, true), e = w & 0x7f800000;
      if ((w & 0x7fffffff) > 0x7f800000) dv.setInt32(to + i, w | 0x400000, true);
      else if (name === "rsqrt" && w < 0 && e !== 0) dv.setInt32(to + i, 0xffc00000 | 0, true);
      else {
        // Denormals count as zero, and a denormal result is flushed to it.
        const sign = w & 0x80000000;
        dv.setFloat32(to + i, f(e === 0 ? 0 : Math.abs(dv.getFloat32(a + i, true))), true);
        let r = dv.getInt32(to + i, true);
        if ((r & 0x7f800000) === 0) r = 0;
        dv.setInt32(to + i, r | sign, true);
      }
    }
    return 0;
  };

table["f16_ps"] = (cpu) => {
  const s = cpu.sse, dv = cpu.mem.dv;
  s.begin();
  for (let i = 0; i < 4; i++) {
    s.fromHalf(dv.getUint16(xargAddress(cpu, 0) + 2 * i, true));
    put(cpu, xretAddress(cpu) + 4 * i, false, s);
  }
  return s.end();
};
table["f16_ph"] = (cpu) => {
  const s = cpu.sse, dv = cpu.mem.dv, to = xretAddress(cpu);
  s.begin();
  for (let i = 0; i < 4; i++) {
    s.toHalf(arg32(cpu, 0), dv.getInt32(xargAddress(cpu, 0) + 4 * i, true));
    dv.setUint16(to + 2 * i, s.w0 & 0xffff, true);
  }
  clearHigh(cpu, to);
  return s.end();
};

// ---- FXSAVE --------------------------------------------------------------------------------------------------------

table["fxsave"] = (cpu) => {
  const at = arg(cpu, 0), dv = cpu.mem.dv;
  cpu.fpu.fxsave(at);
  dv.setUint32(at + 24, cpu.state.get32(ST_MXCSR), true);
  dv.setUint32(at + 28, 0xffff, true);
  for (let i = 0; i < 16; i++) cpu.mem.u8.copyWithin(at + 160 + i * 16, cpu.state.base + ST_XMM + i * 32, cpu.state.base + ST_XMM + i * 32 + 16);
  cpu.code_written(at, 512);
  return 0;
};
table["fxrstor"] = (cpu) => {
  const at = arg(cpu, 0), mxcsr = cpu.mem.dv.getUint32(at + 24, true);
  if (mxcsr & ~0xffff) return EXIT_GP;
  cpu.fpu.fxrstor(at);
  cpu.state.set32(ST_MXCSR, mxcsr);
  for (let i = 0; i < 16; i++) cpu.mem.u8.copyWithin(cpu.state.base + ST_XMM + i * 32, at + 160 + i * 16, at + 176 + i * 16);
  return 0;
};

const X87_PART = 1, SSE_PART = 2, AVX_PART = 4;
table["xsave"] = (cpu) => {
  const at = arg(cpu, 0), parts = arg32(cpu, 1) & 7, { dv, u8 } = cpu.mem, xmm = cpu.state.base + ST_XMM;
  if (parts & X87_PART) cpu.fpu.fxsave(at);
  if (parts & (SSE_PART | AVX_PART)) {
    dv.setUint32(at + 24, cpu.state.get32(ST_MXCSR), true);
    dv.setUint32(at + 28, 0xffff, true);
  }
  for (let i = 0; i < 16; i++) {
    if (parts & SSE_PART) u8.copyWithin(at + 160 + 16 * i, xmm + 32 * i, xmm + 32 * i + 16);
    if (parts & AVX_PART) u8.copyWithin(at + 576 + 16 * i, xmm + 32 * i + 16, xmm + 32 * i + 32);
  }
  dv.setUint32(at + 512, dv.getUint32(at + 512, true) | parts, true); // XSTATE_BV
  cpu.code_written(at, 832);
  return 0;
};
table["xrstor"] = (cpu) => {
  const at = arg(cpu, 0), parts = arg32(cpu, 1) & 7, { dv, u8 } = cpu.mem, xmm = cpu.state.base + ST_XMM;
  const present = dv.getUint32(at + 512, true), mxcsr = dv.getUint32(at + 24, true);
  if (present & ~7 || dv.getUint32(at + 516, true) || dv.getUint32(at + 520, true) || dv.getUint32(at + 524, true)) return EXIT_GP;
  if (parts & (SSE_PART | AVX_PART)) {
    if (mxcsr & ~0xffff) return EXIT_GP;
    cpu.state.set32(ST_MXCSR, mxcsr);
  }
  if (parts & X87_PART) {
    if (present & X87_PART) cpu.fpu.fxrstor(at);
    else cpu.fpu.fninit();
  }
  for (let i = 0; i < 16; i++) {
    const low = xmm + 32 * i;
    if (parts & SSE_PART) {
      if (present & SSE_PART) u8.copyWithin(low, at + 160 + 16 * i, at + 176 + 16 * i);
      else u8.fill(0, low, low + 16);
    }
    if (parts & AVX_PART) {
      if (present & AVX_PART) u8.copyWithin(low + 16, at + 576 + 16 * i, at + 592 + 16 * i);
      else u8.fill(0, low + 16, low + 32);
    }
  }
  return 0;
};

/** Arguments: base, registers (index, destination, mask, scale, whether the index is ymm), sizes of element and of index, elements. */
table["gather"] = (cpu) => {
  const { dv } = cpu.mem, base = argAddress(cpu, 0), registers = arg32(cpu, 1), size = arg32(cpu, 2), indexSize = arg32(cpu, 3);
  const n = indexSize === 8 ? Math.min(arg32(cpu, 4), registers & 0x10000 ? 4 : 2) : arg32(cpu, 4);
  const home = (r: number): number => cpu.state.base + ST_XMM + 32 * (r & 15);
  const index = home(registers), to = home(registers >> 4), mask = home(registers >> 8), scale = BigInt((registers >> 12) & 3);
  if (index === to || index === mask || to === mask) return EXIT_UD;
  for (let i = 0; i < n; i++) {
    const sign = dv.getInt32(mask + size * (i + 1) - 4, true);
    if (sign < 0) {
      const offset = (indexSize === 8 ? dv.getBigInt64(index + 8 * i, true) : BigInt(dv.getInt32(index + 4 * i, true))) << scale;
      const at = Number(BigInt.asUintN(64, dv.getBigUint64(base, true) + offset));
      const r = checkAccess(cpu, at, size, false);
      if (r) return r;
      cpu.mem.u8.copyWithin(to + size * i, at, at + size);
    }
    cpu.mem.u8.fill(0, mask + size * i, mask + size * (i + 1));
  }
  cpu.mem.u8.fill(0, to + size * n, to + 32);
  cpu.mem.u8.fill(0, mask + size * n, mask + 32);
  return 0;
};

// ---- x87: argument 0 is an address or a register number ------------------------------------------------------------

/** Argument 0: what has been checked against the end of memory fits in 32 bits. */
const word = (cpu: HelperContext): number => cpu.mem.u32[(cpu.state.base + ST_ARG) >>> 2]!;

type Run = (f: X87, n: number, cpu: HelperContext) => number;
const x87 = (name: string, run: Run): void => {
  table[name] = (cpu) => run(cpu.fpu, word(cpu), cpu);
};
/** Like x87, for those that write `bytes` at the address. */
const x87Store = (name: string, bytes: number, run: Run): void => {
  table[name] = (cpu) => {
    const at = word(cpu), r = run(cpu.fpu, at, cpu);
    if (r === 0) cpu.code_written(at, bytes);
    return r;
  };
};
const KINDS: [MemKind, number][] = [["f32", 4], ["f64", 8], ["i16", 2], ["i32", 4], ["i64", 8]];
for (const [kind, bytes] of KINDS) {
  x87(`fld_${kind}`, (f, at) => f.fld_mem(kind, at));
  x87Store(`fst_${kind}`, bytes, (f, at) => f.fst_mem(kind, at, false, false));
  x87Store(`fstp_${kind}`, bytes, (f, at) => f.fst_mem(kind, at, true, false));
  x87Store(`fisttp_${kind}`, bytes, (f, at) => f.fst_mem(kind, at, true, true));
  for (const op of ["add", "mul", "sub", "subr", "div", "divr"] as Arith[]) x87(`f${op}_${kind}`, (f, at) => f.arith_mem(op, kind, at));
  x87(`fcom_${kind}`, (f, at) => f.compare_mem(kind, at, false));
  x87(`fcomp_${kind}`, (f, at) => f.compare_mem(kind, at, true));
}
x87("fld_m80", (f, at) => f.fld_m80(at));
x87Store("fstp_m80", 10, (f, at) => f.fstp_m80(at));
x87("fbld", (f, at) => f.fbld(at));
x87Store("fbstp", 10, (f, at) => f.fbstp(at));
x87("fld_st", (f, i) => f.fld_st(i));
x87("fst_st", (f, i) => f.fst_st(i, false));
x87("fstp_st", (f, i) => f.fst_st(i, true));
x87("fstpnce", (f, i) => f.fstpnce(i));
/** Arguments: destination, source. */
for (const op of ["add", "mul", "sub", "subr", "div", "divr"] as Arith[]) {
  x87(`f${op}_st`, (f, dst, cpu) => f.arith_st(op, dst, arg32(cpu, 1), false));
  x87(`f${op}p_st`, (f, dst, cpu) => f.arith_st(op, dst, arg32(cpu, 1), true));
}
for (const name of ["fld1", "fldz", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2"] as const) x87(name, (f) => f.fld_const(name));
for (const name of ["fsqrt", "frndint", "f2xm1", "fyl2x", "fyl2xp1", "fpatan", "fscale", "fxtract", "ftst", "fxam", "fwait", "fnop", "fninit", "fnclex", "emms"] as const) x87(name, (f) => f[name]());
x87("fabs", (f) => f.sign(false));
x87("fchs", (f) => f.sign(true));
x87("fprem", (f) => f.fprem(false));
x87("fprem1", (f) => f.fprem(true));
x87("fsin", (f) => f.trig("fsin"));
x87("fcos", (f) => f.trig("fcos"));
x87("fsincos", (f) => f.trigPush("fsincos"));
x87("fptan", (f) => f.trigPush("fptan"));
for (const [name, signalling] of [["fcom", true], ["fucom", false]] as const) {
  x87(`${name}_st`, (f, i) => f.compare_st(i, signalling, 0));
  x87(`${name}p_st`, (f, i) => f.compare_st(i, signalling, 1));
  x87(`${name}pp`, (f) => f.compare_st(1, signalling, 2));
  const flags = (pop: boolean): Run => (f, i, cpu) => {
    const r = f.compare_flags(i, signalling, pop);
    setRet(cpu, 0, f.flagsOut);
    return r;
  };
  x87(`${name}i`, flags(false));
  x87(`${name}ip`, flags(true));
}
/** Arguments: register, whether to move. */
x87("fcmov", (f, i, cpu) => f.fcmov(i, arg32(cpu, 1) !== 0));
x87("fxch", (f, i) => f.fxch(i));
x87("fincstp", (f) => f.fincstp(1));
x87("fdecstp", (f) => f.fincstp(-1));
x87("ffree", (f, i) => f.ffree(i, false));
x87("ffreep", (f, i) => f.ffree(i, true));
x87("fldcw", (f, at) => f.fldcw(at));
x87Store("fnstcw", 2, (f, at) => f.fnstcw(at));
x87Store("fnstsw", 2, (f, at) => f.fnstsw(at));
for (const wide of [true, false]) {
  const w = wide ? "" : "16";
  x87Store(`fnstenv${w}`, wide ? 28 : 14, (f, at) => f.fnstenv(at, wide));
  x87(`fldenv${w}`, (f, at) => f.fldenv(at, wide));
  x87Store(`fnsave${w}`, wide ? 108 : 94, (f, at) => f.fnsave(at, wide));
  x87(`frstor${w}`, (f, at) => f.frstor(at, wide));
}

// ---- SSE4.2 strings ------------------------------------------------------------------------------------------------

table["pcmpistr"] = (cpu) => checkPcmp(cpu, false);
table["pcmpestr"] = (cpu) => checkPcmp(cpu, true);

export const FLOAT_HELPERS: Readonly<Record<string, Helper>> = table;
