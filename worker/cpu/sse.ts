// worker/cpu/sse.ts — SSE floating point when the fast path will not do: NaNs, denormals, rounding modes, exceptions.  cf. SDM Vol. 1 chapter 11
//
// An operation runs in 80 bits rounded to odd (chopped, the last bit sticky), which leaves a second rounding to 53 or 24 bits exact.

import { EXIT_XM } from "./exit.ts";
import { DE, Float80, IE, PE, RC_CHOP, UE, ZE } from "./float80.ts";
import { type CpuState, ST_MXCSR } from "./state.ts";

export const ADD = 0, MUL = 1, SUB = 2, DIV = 3, SQRT = 4, MIN = 5, MAX = 6;
/** Even lanes subtract, odd ones add. */
export const ADDSUB = 7;
/** ROUND + imm8 & 15 */
export const ROUND = 32;
/** CMP + predicate: 0–7 of SSE, 0–31 of AVX */
export const CMP = 64;
/** By predicate & 15: for which relations it holds (1 less, 2 equal, 4 greater, 8 unordered). */
const HOLDS = [2, 1, 3, 8, 13, 14, 12, 7, 10, 9, 11, 0, 5, 6, 4, 15] as const;
/** Predicates below 16 that signal for a quiet NaN; those above do the opposite. */
const SIGNALS = 0x6666;

const DAZ = 0x40, FTZ = 0x8000;

/** Bits of a float of either size: w1 above (0 for f32), w0 below. */
export class SseFloat {
  private readonly state: CpuState;
  private readonly f = new Float80();
  /** Result bits. */
  w1 = 0;
  w0 = 0;
  private mxcsr = 0;
  private flags = 0;
  /** end() is not the end: the exceptions of another lane may come, and then decide() */
  gathering = false;

  constructor(state: CpuState) {
    this.state = state;
  }

  begin(): void {
    if (this.gathering) return;
    this.mxcsr = this.state.get32(ST_MXCSR);
    this.flags = 0;
  }

  /** Records the exceptions of all lanes; EXIT_XM if one is unmasked. */
  end(): number {
    return this.gathering ? 0 : this.decide();
  }
  decide(): number {
    this.gathering = false;
    const unmasked = ~(this.mxcsr >> 7) & 0x3f;
    const before = IE | DE | ZE;
    let flags = this.flags;
    if (flags & unmasked & before) flags &= before;
    this.state.set32(ST_MXCSR, this.mxcsr | flags);
    return flags & unmasked ? EXIT_XM : 0;
  }

  private static nan(wide: boolean, w1: number, w0: number): boolean {
    return wide ? (w1 & 0x7ff00000) === 0x7ff00000 && ((w1 & 0xfffff) | w0) !== 0 : (w0 & 0x7fffffff) > 0x7f800000;
  }

  private static signalling(wide: boolean, w1: number, w0: number): boolean {
    return SseFloat.nan(wide, w1, w0) && !(wide ? w1 & 0x80000 : w0 & 0x400000);
  }

  private static denormal(wide: boolean, w1: number, w0: number): boolean {
    return wide ? (w1 & 0x7ff00000) === 0 && ((w1 & 0xfffff) | w0) !== 0 : (w0 & 0x7f800000) === 0 && (w0 & 0x7fffff) !== 0;
  }

  private out(w1: number, w0: number): void {
    this.w1 = w1;
    this.w0 = w0;
  }

  private quiet(wide: boolean, w1: number, w0: number): void {
    if (wide) this.out(w1 | 0x80000, w0);
    else this.out(0, w0 | 0x400000);
  }

  private static sign(wide: boolean, w1: number, w0: number): number {
    return (wide ? w1 : w0) >>> 31;
  }

  private static zero(wide: boolean, w1: number, w0: number): boolean {
    return ((wide ? w1 & 0x7fffffff : 0) | (wide ? w0 : w0 & 0x7fffffff)) === 0;
  }

  private signedZero(wide: boolean, sign: number): void {
    if (wide) this.out(sign << 31, 0);
    else this.out(0, sign << 31);
  }

  private static compare(wide: boolean, a1: number, a0: number, b1: number, b0: number): number {
    const a = toNumber(wide, a1, a0), b = toNumber(wide, b1, b0);
    return a < b ? -1 : a > b ? 1 : a === b ? 0 : 2;
  }

  private from(wide: boolean, w1: number, w0: number): void {
    if (wide) this.f.fromF64(w1, w0);
    else this.f.fromF32(w0);
  }

  /** Rounds the unit's number to the size, as MXCSR says; leaves the bits. */
  private narrow(wide: boolean): void {
    const f = this.f;
    f.rc = (this.mxcsr >> 13) & 3;
    f.masks = (this.mxcsr >> 7) & 0x3f;
    f.flags = 0;
    const sign = f.se >>> 15;
    if (wide) f.toF64(f.se, f.hi, f.lo);
    else f.toF32(f.se, f.hi, f.lo);
    this.flags |= f.flags;
    if (f.tiny && this.mxcsr & FTZ && f.masks & UE) {
      this.flags |= UE | PE;
      this.signedZero(wide, sign);
    } else this.out(f.hi, f.lo);
  }

  /**
   * The common case of a slow path: all exceptions masked, no DAZ or FTZ, operands normal and far from the ends of their range, whatever
   * the rounding. JavaScript's result is the nearest one; the sign of its error, which is worked out exactly, gives the others. False: not done.
   */
  private quick(op: number, wide: boolean, a1: number, a0: number, b1: number, b0: number): boolean {
    if ((this.mxcsr & 0x9fc0) !== 0x1f80) return false;
    if (wide) {
      const ea = (a1 >>> 20) & 0x7ff, eb = (b1 >>> 20) & 0x7ff;
      if (ea < 600 || ea > 1440 || eb < 600 || eb > 1440) return false;
    } else {
      const ea = (a0 >>> 23) & 0xff, eb = (b0 >>> 23) & 0xff;
      if (ea === 0 || ea === 255 || eb === 0 || eb === 255) return false;
    }
    const x = toNumber(wide, a1, a0);
    let y = toNumber(wide, b1, b0), r: number, error: number;
    const round = wide ? (v: number): number => v : Math.fround;
    switch (op) {
      case SUB:
        y = -y;
      // falls through
      case ADD: {
        const s = x + y, t = s - x, low = x - (s - t) + (y - t);
        r = round(s);
        if (r === 0) return false;
        error = s - r || low;
        break;
      }
      case MUL: {
        const p = x * y;
        r = round(p);
        error = wide ? productError(x, y, p) : p - r;
        break;
      }
      case DIV: {
        r = round(x / y);
        const p = r * y, rest = x - p - (wide ? productError(r, y, p) : 0);
        error = y < 0 ? -rest : rest;
        break;
      }
      case SQRT: {
        if (y < 0) return false;
        r = round(Math.sqrt(y));
        const p = r * r;
        error = y - p - (wide ? productError(r, r, p) : 0);
        break;
      }
      default:
        return false;
    }
    if (!wide && !(Math.abs(r) > 2 ** -120 && Math.abs(r) < 2 ** 126)) return false;
    let w1 = 0, w0: number;
    if (wide) {
      view.setFloat64(0, r);
      w1 = view.getInt32(0);
      w0 = view.getInt32(4);
    } else {
      view.setFloat32(0, r);
      w0 = view.getInt32(0);
    }
    if (error !== 0) {
      this.flags |= PE;
      const rc = (this.mxcsr >> 13) & 3;
      // The number that is nearest may lie on the wrong side: then its neighbour is meant, farther from zero or nearer.
      if (rc === 3 ? r > 0 !== error > 0 : rc === 1 ? error < 0 : rc === 2 && error > 0) {
        const step = r > 0 === error > 0 ? 1 : -1, low = w0;
        w0 = (w0 + step) | 0;
        if (wide && (step > 0 ? w0 === 0 : low === 0)) w1 += step;
      }
    }
    this.out(w1, w0);
    return true;
  }

  /** One lane of a binary operation (SQRT and ROUND look at b alone). */
  lane(op: number, wide: boolean, a1: number, a0: number, b1: number, b0: number, odd = false): void {
    const unary = op === SQRT || (op >= ROUND && op < CMP);
    if (unary) {
      a1 = b1;
      a0 = b0;
    }
    if (op < MIN && this.quick(op, wide, a1, a0, b1, b0)) return;
    let aDen = SseFloat.denormal(wide, a1, a0), bDen = SseFloat.denormal(wide, b1, b0);
    if (this.mxcsr & DAZ) {
      if (aDen) {
        a1 &= 0x80000000;
        a0 = wide ? 0 : a0 & 0x80000000;
      }
      if (bDen) {
        b1 &= 0x80000000;
        b0 = wide ? 0 : b0 & 0x80000000;
      }
      aDen = bDen = false;
    }
    const aNan = SseFloat.nan(wide, a1, a0), bNan = SseFloat.nan(wide, b1, b0);
    const snan = SseFloat.signalling(wide, a1, a0) || SseFloat.signalling(wide, b1, b0);
    if (op >= CMP) {
      const p = op - CMP;
      const rel = aNan || bNan ? 2 : SseFloat.compare(wide, a1, a0, b1, b0);
      if (rel === 2) {
        if (snan || ((SIGNALS >> (p & 15)) & 1) !== p >> 4) this.flags |= IE;
      } else if (aDen || bDen) this.flags |= DE;
      const yes = (HOLDS[p & 15]! >> (rel === 2 ? 3 : rel + 1)) & 1;
      this.out(yes && wide ? -1 : 0, yes ? -1 : 0);
      return;
    }
    if (op === MIN || op === MAX) {
      if (aNan || bNan) this.flags |= IE;
      else if (aDen || bDen) this.flags |= DE;
      const rel = SseFloat.compare(wide, a1, a0, b1, b0);
      if (rel === (op === MIN ? -1 : 1)) this.out(a1, a0);
      else this.out(b1, b0);
      return;
    }
    if (aNan || bNan) {
      if (snan) this.flags |= IE;
      return aNan ? this.quiet(wide, a1, a0) : this.quiet(wide, b1, b0);
    }
    if (op >= ROUND) return this.round(op - ROUND, wide, b1, b0);
    // Neither the root of a negative number nor a division by zero looks at a denormal.
    const early = op === SQRT ? SseFloat.sign(wide, b1, b0) === 1 : op === DIV && SseFloat.zero(wide, b1, b0);
    if ((aDen || bDen) && !early) this.flags |= DE;
    const f = this.f;
    f.masks = 0x3f;
    f.precision = 64;
    this.from(wide, b1, b0);
    const bse = f.se, bhi = f.hi, blo = f.lo;
    this.from(wide, a1, a0);
    f.flags = 0;
    f.rc = (this.mxcsr >> 13) & 3; // decides the sign of an exact zero sum
    if (op === ADDSUB) op = odd ? ADD : SUB;
    if (op === ADD || op === SUB) {
      const se = op === SUB ? bse ^ 0x8000 : bse;
      f.add(f.se, f.hi, f.lo, se, bhi, blo);
      if (f.flags & PE) {
        f.flags = 0;
        this.from(wide, a1, a0);
        f.rc = RC_CHOP;
        f.add(f.se, f.hi, f.lo, se, bhi, blo);
      }
    } else {
      f.rc = RC_CHOP;
      if (op === MUL) f.mul(f.se, f.hi, f.lo, bse, bhi, blo);
      else if (op === DIV) f.div(f.se, f.hi, f.lo, bse, bhi, blo);
      else f.sqrt(bse, bhi, blo);
    }
    this.flags |= f.flags & (IE | ZE);
    if (f.flags & PE) f.lo = (f.lo | 1) >>> 0; // to odd
    this.narrow(wide);
  }

  private round(imm: number, wide: boolean, w1: number, w0: number): void {
    const f = this.f;
    this.from(wide, w1, w0);
    f.flags = 0;
    f.rc = imm & 4 ? (this.mxcsr >> 13) & 3 : imm & 3;
    f.precision = 64;
    f.masks = 0x3f;
    f.roundToInt(f.se, f.hi, f.lo);
    if (!(imm & 8)) this.flags |= f.flags & PE;
    this.narrow(wide);
  }

  /**
   * a × b + c, rounded once. code: bit 0 negates the product, bit 1 the addend; 4 adds in odd lanes and subtracts in even
   * ones, 5 the other way round.
   */
  fma(code: number, wide: boolean, odd: boolean, a: readonly [number, number], b: readonly [number, number], c: readonly [number, number]): void {
    const daz = (this.mxcsr & DAZ) !== 0;
    const operands = [a, b, c].map(([w1, w0]) => {
      const denormal = SseFloat.denormal(wide, w1, w0);
      if (denormal && daz) return { w1: w1 & 0x80000000, w0: wide ? 0 : w0 & 0x80000000, denormal: false };
      return { w1, w0, denormal };
    });
    const [x, y, z] = operands as [Operand3, Operand3, Operand3];
    if (operands.some((o) => SseFloat.signalling(wide, o.w1, o.w0))) this.flags |= IE;
    const nan = operands.find((o) => SseFloat.nan(wide, o.w1, o.w0));
    if (nan) return this.quiet(wide, nan.w1, nan.w0);
    const s = (o: Operand3): number => SseFloat.sign(wide, o.w1, o.w0);
    const value = (o: Operand3): number => toNumber(wide, o.w1, o.w0);
    const negateAddend = code === 4 ? !odd : code === 5 ? odd : (code & 2) !== 0;
    const ps = s(x) ^ s(y) ^ (code < 4 ? code & 1 : 0), cs = s(z) ^ (negateAddend ? 1 : 0);
    const vx = value(x), vy = value(y), vz = value(z);
    const infinite = (v: number): boolean => Math.abs(v) === Infinity;
    const product = infinite(vx) || infinite(vy);
    if ((product && (vx === 0 || vy === 0)) || (product && infinite(vz) && ps !== cs)) {
      this.flags |= IE;
      return wide ? this.out(0xfff80000 | 0, 0) : this.out(0, 0xffc00000 | 0);
    }
    if (operands.some((o) => o.denormal)) this.flags |= DE;
    if (product || infinite(vz)) {
      const sign = product ? ps : cs;
      return wide ? this.out((sign << 31) | 0x7ff00000, 0) : this.out(0, (sign << 31) | 0x7f800000);
    }
    const X = exact(wide, x), Y = exact(wide, y), Z = exact(wide, z);
    const pm = X.m * Y.m, pe = X.e + Y.e;
    const e = pm === 0n ? Z.e : Z.m === 0n ? pe : Math.min(pe, Z.e);
    let sum = (ps ? -1n : 1n) * (pm << BigInt(pm === 0n ? 0 : pe - e)) + (cs ? -1n : 1n) * (Z.m << BigInt(Z.m === 0n ? 0 : Z.e - e));
    if (sum === 0n) {
      const down = ((this.mxcsr >> 13) & 3) === 1;
      return this.signedZero(wide, pm === 0n && Z.m === 0n && ps === cs ? ps : ps === cs ? ps : down ? 1 : 0);
    }
    const sign = sum < 0n ? 1 : 0;
    if (sign) sum = -sum;
    const f = this.f;
    f.rc = RC_CHOP;
    f.masks = 0x3f;
    f.flags = 0;
    f.packBig(sign, sum, e, false);
    if (f.flags & PE) f.lo = (f.lo | 1) >>> 0;
    this.narrow(wide);
  }

  /** From the bits of a half: exact. */
  fromHalf(h: number): void {
    const sign = (h >> 15) & 1, exp = (h >> 10) & 31, m = h & 0x3ff;
    if (exp === 31) {
      if (m && !(m & 0x200)) this.flags |= IE;
      return this.out(0, (sign << 31) | 0x7f800000 | (m << 13) | (m ? 0x400000 : 0));
    }
    if (exp) return this.out(0, (sign << 31) | ((exp + 112) << 23) | (m << 13));
    if (m === 0) return this.out(0, sign << 31);
    const n = Math.clz32(m) - 21; // a denormal half is a normal float, and not a denormal operand
    this.out(0, (sign << 31) | ((113 - n) << 23) | (((m << n) & 0x3ff) << 13));
  }

  /** To a half, in w0; rounding by imm8 bits 0–1, or MXCSR if bit 2 is set. */
  toHalf(imm: number, w0: number): void {
    const sign = w0 >>> 31;
    if (SseFloat.nan(false, 0, w0)) {
      if (SseFloat.signalling(false, 0, w0)) this.flags |= IE;
      return this.out(0, (sign << 15) | 0x7e00 | ((w0 >> 13) & 0x3ff));
    }
    if (SseFloat.denormal(false, 0, w0)) {
      if (this.mxcsr & DAZ) w0 &= 0x80000000;
      else this.flags |= DE;
    }
    const f = this.f;
    f.fromF32(w0);
    f.flags = 0;
    f.masks = (this.mxcsr >> 7) & 0x3f;
    f.rc = imm & 4 ? (this.mxcsr >> 13) & 3 : imm & 3;
    f.toF16(f.se, f.hi, f.lo);
    this.flags |= f.flags;
    this.out(0, f.lo);
  }

  /** To the other size. */
  resize(wide: boolean, w1: number, w0: number): void {
    const nan = SseFloat.nan(wide, w1, w0);
    if (SseFloat.signalling(wide, w1, w0)) this.flags |= IE;
    if (!nan && SseFloat.denormal(wide, w1, w0)) {
      if (this.mxcsr & DAZ) {
        w0 = wide ? 0 : w0 & 0x80000000;
        w1 &= 0x80000000;
      } else this.flags |= DE;
    }
    this.f.flags = 0;
    this.from(wide, w1, w0);
    this.narrow(!wide);
  }

  /** To an integer of 32 or 64 bits in w1:w0. */
  toInt(wide: boolean, w1: number, w0: number, size: number, chop: boolean): void {
    const f = this.f;
    if (this.mxcsr & DAZ && SseFloat.denormal(wide, w1, w0)) w1 = w0 = 0;
    this.from(wide, w1, w0);
    f.flags = 0;
    f.rc = (this.mxcsr >> 13) & 3;
    f.toInt(f.se, f.hi, f.lo, size, chop);
    this.flags |= f.flags;
    this.out(f.hi, f.lo);
  }

  /** From a signed integer of 64 bits. */
  fromInt(wide: boolean, hi: number, lo: number): void {
    this.f.fromInt(hi, lo);
    this.narrow(wide);
  }

  /** UCOMIS and COMIS: ZF, PF, CF as in rflags. */
  compareFlags(wide: boolean, a1: number, a0: number, b1: number, b0: number, signalling: boolean): number {
    this.lane(CMP + (signalling ? 1 : 3), wide, a1, a0, b1, b0);
    if (this.mxcsr & DAZ) {
      if (SseFloat.denormal(wide, a1, a0)) a1 = a0 = 0;
      if (SseFloat.denormal(wide, b1, b0)) b1 = b0 = 0;
    }
    const rel = SseFloat.compare(wide, a1, a0, b1, b0);
    return rel === 2 ? 0x45 : rel < 0 ? 1 : rel === 0 ? 0x40 : 0;
  }
}


const view = new DataView(new ArrayBuffer(8)); // holds nothing from one call to the next

/** x × y - p, for p = x × y rounded: exact (Dekker, Veltkamp) where nothing overflows or underflows. */
function productError(x: number, y: number, p: number): number {
  const cx = 134217729 * x, cy = 134217729 * y;
  const xh = cx - (cx - x), xl = x - xh, yh = cy - (cy - y), yl = y - yh;
  return xl * yl - (p - xh * yh - xl * yh - xh * yl);
}

interface Operand3 {
  readonly w1: number;
  readonly w0: number;
  readonly denormal: boolean;
}

/** Magnitude of a finite number: m × 2^e. */
function exact(wide: boolean, o: Operand3): { m: bigint; e: number } {
  const exp = wide ? (o.w1 >>> 20) & 0x7ff : (o.w0 >>> 23) & 0xff;
  const fraction = wide ? (BigInt(o.w1 & 0xfffff) << 32n) | BigInt(o.w0 >>> 0) : BigInt(o.w0 & 0x7fffff);
  const bits = wide ? 52 : 23, bias = wide ? 1023 : 127;
  return exp === 0 ? { m: fraction, e: 1 - bias - bits } : { m: fraction | (1n << BigInt(bits)), e: exp - bias - bits };
}

/** The number that the bits stand for. */
function toNumber(wide: boolean, w1: number, w0: number): number {
  view.setInt32(0, wide ? w1 : w0);
  if (!wide) return view.getFloat32(0);
  view.setInt32(4, w0);
  return view.getFloat64(0);
}

