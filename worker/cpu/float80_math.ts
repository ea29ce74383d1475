// worker/cpu/float80_math.ts — the x87's transcendental and other slow instructions.  cf. SDM Vol. 1 8.3.6–8.3.10
//
// Fixed-point BigInt with far more bits than the result has, rounded once: the error stays under half a unit in the
// last place plus 2^-60 of one, better than the SDM promises (one unit).

import { classify, DE, DENORMAL, Float80, IE, INFINITY, PE, ZE, ZERO } from "./float80.ts";

type Words = [se: number, hi: number, lo: number];

const P = 288n; // bits behind the point in the series
const ONE = 1n << P;

/** atanh(n/d) in fixed point, for small n/d. */
function atanhSeries(z: bigint): bigint {
  const z2 = (z * z) >> P;
  let sum = 0n, term = z;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term / k;
    term = (term * z2) >> P;
  }
  return sum;
}

function atanSeries(z: bigint): bigint {
  const z2 = (z * z) >> P;
  let sum = 0n, term = z, sign = 1n;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += (sign * term) / k;
    term = (term * z2) >> P;
    sign = -sign;
  }
  return sum;
}

const LN2 = 2n * atanhSeries(ONE / 3n);
const LOG2E = (ONE * ONE) / LN2;
const PI = 16n * atanSeries(ONE / 5n) - 4n * atanSeries(ONE / 239n); // Machin
/** The x87 reduces its trigonometric arguments by this much of pi: 66 bits of significand. cf. SDM Vol. 1 8.3.8 */
const PI66 = (PI >> (P - 64n)) << (P - 64n);

/** Smallest integer n with |m| < 2^n. */
function bitLength(m: bigint): number {
  const s = (m < 0n ? -m : m).toString(16);
  return (s.length - 1) * 4 + (32 - Math.clz32(parseInt(s[0]!, 16)));
}

/** Significand and exponent: value = m × 2^e (sign apart). */
function parts(a: Words): { sign: number; m: bigint; e: number } {
  const exp = a[0] & 0x7fff;
  return { sign: a[0] >>> 15, m: (BigInt(a[1]) << 32n) | BigInt(a[2]), e: (exp === 0 ? 1 : exp) - 16383 - 63 };
}

/** x = m × 2^e as fixed point with P bits; what falls below is lost. */
function fixed(m: bigint, e: number): bigint {
  const s = Number(P) + e;
  return s >= 0 ? m << BigInt(s) : m >> BigInt(-s);
}

/** e^y - 1 in fixed point, |y| < 1. */
function expm1(y: bigint): bigint {
  let sum = 0n, term = y;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    sum += term;
    term = ((term * y) >> P) / k;
  }
  return sum;
}

/** ln(m × 2^-63 normalised to [sqrt ½, sqrt 2)) with the power of two taken out: returns log2(value) in fixed point. */
function log2Big(m: bigint, e: number): bigint {
  // value = m × 2^e; bring it to x in [0.7, 1.42)
  let k = bitLength(m) + e;
  let x = fixed(m, e - k); // [½, 1)
  if (x < (ONE * 181n) / 256n) {
    x <<= 1n;
    k--;
  }
  const z = ((x - ONE) << P) / (x + ONE);
  return ((2n * atanhSeries(z) * LOG2E) >> P) + (BigInt(k) << P);
}

export class Float80Math extends Float80 {
  private packFixed(v: bigint, scale = 0): void {
    const sign = v < 0n ? 1 : 0;
    this.packBig(sign, sign ? -v : v, -Number(P) + scale, true);
  }

  /** F2XM1: 2^x - 1 for -1 <= x <= 1; the SDM leaves other arguments undefined, we answer x. */
  f2xm1(a: Words): void {
    if (this.nan1(...a)) return;
    const k = classify(...a);
    if (k === ZERO) return this.set(...a);
    if (k === INFINITY) return a[0] & 0x8000 ? this.set(0xbfff, 0x80000000, 0) : this.set(...a);
    if (k === DENORMAL) this.flags |= DE;
    const { sign, m, e } = parts(a);
    const top = e + bitLength(m); // |x| < 2^top
    if (top > 1 || (top === 1 && m !== 1n << 63n)) {
      this.flags |= PE;
      return this.set(...a);
    }
    if (top === 1) {
      this.flags |= PE;
      if (sign) this.set(0xbffe, 0x80000000, 0);
      else this.set(0x3fff, 0x80000000, 0);
      return;
    }
    if (top < -80) return this.firstTerm(sign, m * LN2, e);
    const y = (fixed(sign ? -m : m, e) * LN2) >> P;
    this.packFixed(expm1(y));
  }

  /** A product m × (constant with P bits) × 2^e as the first term of a series whose rest is below the result's precision. */
  private firstTerm(sign: number, m: bigint, e: number): void {
    this.packBig(sign, m, e - Number(P), true);
  }

  /** FYL2X: y × log2(x). */
  fyl2x(x: Words, y: Words): void {
    if (this.nan2(...y, ...x)) return;
    const kx = classify(...x), ky = classify(...y);
    const xs = x[0] >>> 15, ys = y[0] >>> 15;
    if (kx === DENORMAL || ky === DENORMAL) this.flags |= DE;
    if (kx === ZERO) {
      if (ky === ZERO) return this.refuse();
      if (ky !== INFINITY) this.flags |= ZE;
      return this.infinity(ys ^ 1);
    }
    if (xs) {
      this.flags &= ~DE;
      return this.refuse();
    }
    const one = x[0] === 0x3fff && x[1] === 0x80000000 && x[2] === 0;
    if (kx === INFINITY) return ky === ZERO ? this.refuse() : this.infinity(ys);
    if (ky === INFINITY) {
      if (one) return this.refuse();
      return this.infinity(ys ^ ((x[0] & 0x7fff) < 0x3fff ? 1 : 0));
    }
    const less = (x[0] & 0x7fff) < 0x3fff ? 1 : 0;
    if (ky === ZERO || one) return this.zero(ys ^ less);
    const { m, e } = parts(x);
    const Y = parts(y);
    const bits = bitLength(m);
    const l = log2Big(m, e);
    if ((m & (m - 1n)) === 0n) {
      // a power of two: the logarithm is an exact integer
      const n = bits - 1 + e;
      this.packBig(ys ^ (n < 0 ? 1 : 0), Y.m * BigInt(Math.abs(n)), Y.e, false);
      this.flags |= PE;
      return;
    }
    this.packBig(ys ^ (l < 0n ? 1 : 0), Y.m * (l < 0n ? -l : l), Y.e - Number(P), true);
  }

  /** FYL2XP1: y × log2(x + 1), for |x| < 1 - sqrt(½). */
  fyl2xp1(x: Words, y: Words): void {
    if (this.nan2(...y, ...x)) return;
    const kx = classify(...x), ky = classify(...y);
    const xs = x[0] >>> 15, ys = y[0] >>> 15;
    if (kx === DENORMAL || ky === DENORMAL) this.flags |= DE;
    const X = parts(x), Y = parts(y);
    if (kx === ZERO) {
      if (ky === INFINITY) return this.refuse();
      return this.zero(xs ^ ys);
    }
    const top = kx === INFINITY ? 99999 : X.e + bitLength(X.m);
    if (ky === INFINITY) return this.infinity(xs ^ ys);
    if (xs && top > 0) {
      // x <= -1 is undefined; hardware gives x back
      this.flags |= PE;
      return this.set(...x);
    }
    if (kx === INFINITY) return ky === ZERO ? this.refuse() : this.infinity(ys);
    if (ky === ZERO) return this.zero(xs ^ ys);
    if (top < -80) return this.firstTerm(xs ^ ys, X.m * Y.m * LOG2E, X.e + Y.e);
    let l: bigint;
    if (top > 0) l = top > 200 ? log2Big(X.m, X.e) : log2Big((1n << 200n) + (X.m << BigInt(200 + Math.max(X.e, -200))), -200);
    else {
      const t = fixed(xs ? -X.m : X.m, X.e);
      if (t < -(ONE * 75n) / 256n || t > (ONE * 106n) / 256n) l = log2Big(ONE + t, -Number(P));
      else l = (2n * atanhSeries((t << P) / (2n * ONE + t)) * LOG2E) >> P;
    }
    this.packBig(ys ^ (l < 0n ? 1 : 0), Y.m * (l < 0n ? -l : l), Y.e - Number(P), true);
  }

  private refuse(): void {
    this.invalid();
  }

  /** FPATAN: the angle of the point (x, y), between -pi and pi. */
  fpatan(x: Words, y: Words): void {
    if (this.nan2(...y, ...x)) return;
    const kx = classify(...x), ky = classify(...y);
    const xs = x[0] >>> 15, ys = y[0] >>> 15;
    if (kx === DENORMAL || ky === DENORMAL) this.flags |= DE;
    if (ky === INFINITY) {
      if (kx === INFINITY) return this.angle(ys, xs ? (PI * 3n) / 4n : PI / 4n);
      return this.angle(ys, PI / 2n);
    }
    if (kx === INFINITY || ky === ZERO) {
      if (xs) return this.angle(ys, PI);
      return this.zero(ys);
    }
    if (kx === ZERO) return this.angle(ys, PI / 2n);
    const X = parts(x), Y = parts(y);
    const d = Y.e + bitLength(Y.m) - X.e - bitLength(X.m);
    if (d < -80 && !xs) {
      // atan(t) = t for tiny t; the quotient with 200 bits
      return this.packBig(ys, (Y.m << 200n) / X.m - 1n, Y.e - X.e - 200, true);
    }
    if (d > 200) return this.angle(ys, PI / 2n);
    if (d < -200) return this.angle(ys, PI);
    // t = min/max in fixed point
    const swap = d > 0 || (d === 0 && compareBig(Y, X) > 0);
    const n = swap ? X : Y, q = swap ? Y : X;
    const s = BigInt(n.e - q.e + Number(P));
    let t = (n.m << s) / q.m;
    let base = 0n;
    // halve the argument's range twice: atan t = atan c + atan((t - c) / (1 + tc)), c = 1/2 and 1/4
    for (const [c, at] of ATANS) {
      if (t > (c * 5n) / 8n) {
        t = ((t - c) << P) / (ONE + ((t * c) >> P));
        base += at;
      }
    }
    let r = base + atanSeries(t);
    if (swap) r = PI / 2n - r;
    if (xs) r = PI - r;
    this.angle(ys, r);
  }

  private angle(sign: number, r: bigint): void {
    this.packBig(sign, r, -Number(P), true);
  }

  /** True if |x| >= 2^63: the trigonometric instructions then set C2 and change nothing. */
  static outOfRange(se: number): boolean {
    return (se & 0x7fff) >= 16383 + 63 && (se & 0x7fff) !== 0x7fff;
  }

  /** Reduces |x| by pi/2: the quadrant and the rest in fixed point. */
  private reduce(a: Words): { quadrant: number; r: bigint } {
    const { m, e } = parts(a);
    const half = PI66 >> 1n;
    const v = fixed(m, e);
    let n = (v + (half >> 1n)) / half;
    const r = v - n * half;
    n &= 3n;
    return { quadrant: Number(n), r };
  }

  private sinSeries(r: bigint): bigint {
    const r2 = (r * r) >> P;
    let sum = 0n, term = r;
    for (let k = 2n; term !== 0n && term !== -1n; k += 2n) {
      sum += term;
      term = -((term * r2) >> P) / (k * (k + 1n));
    }
    return sum;
  }

  private cosSeries(r: bigint): bigint {
    const r2 = (r * r) >> P;
    let sum = 0n, term = ONE;
    for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
      sum += term;
      term = -((term * r2) >> P) / (k * (k + 1n));
    }
    return sum;
  }

  fsin(a: Words): void {
    if (this.trivial(a, "sin")) return;
    const { quadrant, r } = this.reduce(a);
    const v = quadrant & 1 ? this.cosSeries(r) : this.sinSeries(r);
    this.packFixed((quadrant & 2 ? 1 : 0) !== a[0] >>> 15 ? -v : v);
  }

  fcos(a: Words): void {
    if (this.trivial(a, "cos")) return;
    const { quadrant, r } = this.reduce(a);
    const v = quadrant & 1 ? this.sinSeries(r) : this.cosSeries(r);
    this.packFixed(quadrant === 1 || quadrant === 2 ? -v : v);
  }

  /** FPTAN without its push of 1. */
  fptan(a: Words): void {
    if (this.trivial(a, "tan")) return;
    const { quadrant, r } = this.reduce(a);
    const s = this.sinSeries(r), c = this.cosSeries(r);
    let v = quadrant & 1 ? -(c << P) / s : (s << P) / c;
    if (a[0] & 0x8000) v = -v;
    this.packFixed(v);
  }

  /** Arguments that need no series. */
  private trivial(a: Words, kind: "sin" | "cos" | "tan"): boolean {
    if (this.nan1(...a)) return true;
    const k = classify(...a);
    if (k === INFINITY) {
      this.invalid();
      return true;
    }
    if (k === ZERO) {
      if (kind === "cos") this.set(0x3fff, 0x80000000, 0);
      else this.set(...a);
      return true;
    }
    if (k === DENORMAL) this.flags |= DE;
    if ((a[0] & 0x7fff) < 16383 - 80) {
      // A hair less than 1 (cosine), less (sine) or more (tangent) than x.
      const { sign, m, e } = parts(a);
      if (kind === "cos") this.packBig(0, (1n << 96n) - 1n, -96, true);
      else this.packBig(sign, (m << 128n) + (kind === "sin" ? -1n : 1n), e - 128, true);
      return true;
    }
    return false;
  }

  /**
   * FPREM (chop) and FPREM1 (nearest): the remainder of a / b, at most 63 bits of quotient at a time. Leaves the low
   * quotient bits and whether the reduction is still partial.
   */
  rem(a: Words, b: Words, nearest: boolean): void {
    this.quotient = 0;
    this.partial = false;
    if (this.nan2(...a, ...b)) return;
    const ka = classify(...a), kb = classify(...b);
    if (ka === INFINITY || kb === ZERO) return this.invalid();
    if (ka === DENORMAL || kb === DENORMAL) this.flags |= DE;
    const sign = a[0] >>> 15;
    if (ka === ZERO) return this.set(...a);
    const A = parts(a), B = parts(b);
    if (kb === INFINITY) return this.packBig(sign, A.m, A.e, false);
    const d = A.e + bitLength(A.m) - (B.e + bitLength(B.m));
    if (d < -1) return this.packBig(sign, A.m, A.e, false);
    let q: bigint, r: bigint, e: number;
    if (d < 64) {
      e = Math.min(A.e, B.e);
      const am = A.m << BigInt(A.e - e), bm = B.m << BigInt(B.e - e);
      q = am / bm;
      r = am - q * bm;
      let rs = sign;
      if (nearest && (2n * r > bm || (2n * r === bm && (q & 1n) === 1n))) {
        q += 1n;
        r = bm - r;
        rs ^= 1;
      }
      this.quotient = Number(q & 7n);
      return r === 0n ? this.zero(sign) : this.packBig(rs, r, e, false);
    }
    // Partial: bring the difference of exponents down by n, 32 <= n <= 63.
    const n = 32 + (d % 32);
    const shift = d - n;
    e = B.e + shift;
    const low = Math.min(A.e, e);
    const am = A.m << BigInt(A.e - low), bm = B.m << BigInt(e - low);
    r = am % bm;
    this.partial = true;
    if (r === 0n) this.zero(sign);
    else this.packBig(sign, r, low, false);
  }

  /** FSCALE: a × 2^trunc(b). */
  scale(a: Words, b: Words): void {
    if (this.nan2(...a, ...b)) return;
    const ka = classify(...a), kb = classify(...b);
    if (ka === DENORMAL || kb === DENORMAL) this.flags |= DE;
    const sign = a[0] >>> 15;
    if (kb === INFINITY) {
      if (b[0] & 0x8000) return ka === INFINITY ? this.refuse() : this.zero(sign);
      return ka === ZERO ? this.refuse() : this.infinity(sign);
    }
    if (ka === ZERO || ka === INFINITY) return this.set(...a);
    const B = parts(b);
    let n = 0;
    if (kb !== ZERO && B.e > -64) n = B.e + 63 > 16 ? 0x10000 : Number(B.m >> BigInt(-B.e));
    if (n > 0x10000) n = 0x10000;
    if (b[0] & 0x8000) n = -n;
    const A = parts(a);
    this.packBig(sign, A.m, A.e + n, false);
  }

  /** FXTRACT: the significand is left as the result; the exponent is returned as words. */
  xtract(a: Words): Words {
    if (this.nan1(...a)) return [this.se, this.hi, this.lo];
    const k = classify(...a);
    if (k === INFINITY) {
      this.set(...a);
      return [0x7fff, 0x80000000, 0];
    }
    if (k === ZERO) {
      this.flags |= ZE;
      this.set(...a);
      return [0xffff, 0x80000000, 0];
    }
    if (k === DENORMAL) this.flags |= DE;
    const { sign, m, e } = parts(a);
    const n = e + bitLength(m) - 1;
    this.fromInt(n < 0 ? 0xffffffff : 0, n >>> 0);
    const exp: Words = [this.se, this.hi, this.lo];
    this.packBig(sign, m, 1 - bitLength(m), false);
    return exp;
  }

  /** FBLD: ten bytes of packed decimal. */
  fromBcd(bytes: Uint8Array): void {
    let v = 0n;
    for (let i = 8; i >= 0; i--) v = v * 100n + BigInt((bytes[i]! >> 4) * 10 + (bytes[i]! & 15));
    this.packBig(bytes[9]! >>> 7, v, 0, false);
  }

  /** FBSTP: packed decimal, or the packed indefinite with IE. */
  toBcd(a: Words): Uint8Array {
    const out = new Uint8Array(10);
    const k = classify(...a);
    if (k < INFINITY) {
      const before = this.flags;
      this.toInt(a[0] & 0x7fff, a[1], a[2], 64, false);
      if (a[0] & 0x8000 && (this.rc === 1 || this.rc === 2)) {
        // a magnitude was rounded: directed rounding turns with the sign
        this.flags = before;
        const rc = this.rc;
        this.rc = 3 - rc;
        this.toInt(a[0] & 0x7fff, a[1], a[2], 64, false);
        this.rc = rc;
      }
      let v = (BigInt(this.hi) << 32n) | BigInt(this.lo);
      if (v < 1000000000000000000n) {
        for (let i = 0; i < 9; i++) {
          const d = Number(v % 100n);
          v /= 100n;
          out[i] = (Math.floor(d / 10) << 4) | d % 10;
        }
        out[9] = (a[0] >>> 15) << 7;
        return out;
      }
      this.flags = before;
    }
    this.flags |= IE;
    this.up = false;
    out.set([0xc0, 0xff, 0xff], 7);
    return out;
  }
}

const ATANS: [bigint, bigint][] = [[ONE / 2n, atanSeries(ONE / 2n)], [ONE / 4n, atanSeries(ONE / 4n)], [ONE / 8n, atanSeries(ONE / 8n)]];

function compareBig(a: { m: bigint; e: number }, b: { m: bigint; e: number }): number {
  const e = Math.min(a.e, b.e);
  const d = (a.m << BigInt(a.e - e)) - (b.m << BigInt(b.e - e));
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}

export const CONSTANTS: Record<string, Words> = {
  fld1: [0x3fff, 0x80000000, 0],
  fldz: [0, 0, 0],
};

/** FLDPI and its kin: rounded by the rounding control, without an exception. Value = top 64 bits and the rest. */
export function loadConstant(f: Float80, name: "fldl2t" | "fldl2e" | "fldpi" | "fldlg2" | "fldln2"): void {
  const c = { fldpi: PI, fldl2e: LOG2E, fldln2: LN2, fldl2t: LOG2_10, fldlg2: (ONE * ONE) / LOG2_10 }[name];
  f.packBig(0, c, -Number(P), true);
  f.flags = 0;
  f.up = false;
}

const LOG2_10 = log2Big(10n, 0);
