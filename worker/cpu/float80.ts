// worker/cpu/float80.ts — arithmetic of the x87: 80-bit numbers, bit for bit as hardware.  cf. SDM Vol. 1 chapters 4.8 and 8
//
// A number is three machine words: se (sign and 15-bit exponent), hi and lo (the 64-bit significand with its explicit
// integer bit), hi and lo as unsigned 32-bit. Operations take their operands as words and leave the result in
// (se, hi, lo) of the unit, so nothing is allocated. BigInt appears in the square root only.

import { classify, DE, DENORMAL, IE, INFINITY, mulHigh, OE, PE, QNAN, RC_CHOP, RC_DOWN, RC_NEAREST, RC_UP, SNAN, UE, UNSUPPORTED, ZE, ZERO } from "./float80_format.ts";

export * from "./float80_format.ts";

export class Float80 {
  /** The result of the last operation. */
  se = 0;
  hi = 0;
  lo = 0;
  /** Exceptions raised since the caller cleared them (IE … PE). */
  flags = 0;
  /** Whether the last rounding went away from zero (C1). */
  up = false;
  /** Rounding control, precision in bits (24, 53, 64), and the exceptions that are masked. */
  rc = RC_NEAREST;
  precision = 64;
  masks = 0x3f;
  /** Whether the last narrowing was of a number below the normal range, whatever became of it. */
  tiny = false;
  /** Third result of rem(): the low quotient bits, and whether reduction is incomplete. */
  quotient = 0;
  partial = false;

  // Scratch of align(): a significand and 32 bits below it, the lowest of them sticky.
  private h = 0;
  private l = 0;
  private x = 0;

  /** Takes the control word's rounding, precision and masks. */
  control(fcw: number): void {
    this.rc = (fcw >>> 10) & 3;
    const pc = (fcw >>> 8) & 3;
    this.precision = pc === 0 ? 24 : pc === 2 ? 53 : 64;
    this.masks = fcw & 0x3f;
    this.flags = 0;
    this.up = false;
  }

  set(se: number, hi: number, lo: number): void {
    this.se = se;
    this.hi = hi >>> 0;
    this.lo = lo >>> 0;
  }

  zero(sign: number): void {
    this.set(sign << 15, 0, 0);
  }

  infinity(sign: number): void {
    this.set((sign << 15) | 0x7fff, 0x80000000, 0);
  }

  /** Invalid operation: the default NaN ("real indefinite"). */
  invalid(): void {
    this.flags |= IE;
    this.set(0xffff, 0xc0000000, 0);
  }

  /** True if an operand is a NaN or unsupported; the result is then in place. Table 4-7 of the SDM. */
  nan1(se: number, hi: number, lo: number): boolean {
    const k = classify(se, hi, lo);
    if (k < QNAN) return false;
    if (k === UNSUPPORTED) this.invalid();
    else {
      if (k === SNAN) this.flags |= IE;
      this.set(se, hi | 0x40000000, lo);
    }
    return true;
  }

  nan2(ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number): boolean {
    const a = classify(ase, ahi, alo), b = classify(bse, bhi, blo);
    if (a < QNAN && b < QNAN) return false;
    if (a === UNSUPPORTED || b === UNSUPPORTED) {
      this.invalid();
      return true;
    }
    if (a === SNAN || b === SNAN) this.flags |= IE;
    let first: boolean;
    if (b < QNAN) first = true;
    else if (a < QNAN) first = false;
    else if (a !== b) first = a === QNAN; // a quiet one wins over a signalling one
    else if (ahi !== bhi) first = ahi > bhi;
    else if (alo !== blo) first = alo > blo;
    else first = ase >>> 15 <= bse >>> 15;
    if (first) this.set(ase, ahi | 0x40000000, alo);
    else this.set(bse, bhi | 0x40000000, blo);
    return true;
  }

  /** Normalises a denormal into (h, l) and returns its exponent; raises DE. */
  private normalise(se: number, hi: number, lo: number): number {
    let exp = se & 0x7fff;
    if (exp === 0 && (hi | lo) !== 0) {
      this.flags |= DE;
      exp = 1;
      if (hi === 0) {
        hi = lo;
        lo = 0;
        exp -= 32;
      }
      const n = Math.clz32(hi);
      if (n) {
        hi = (hi << n) | (lo >>> (32 - n));
        lo <<= n;
        exp -= n;
      }
    }
    this.h = hi >>> 0;
    this.l = lo >>> 0;
    return exp;
  }

  /** Shifts (h, l, x) right by n, keeping a sticky bit. */
  private shiftJam(n: number): void {
    let h = this.h, l = this.l, x = this.x;
    if (n >= 96) {
      x = (h | l | x) !== 0 ? 1 : 0;
      h = l = 0;
    } else {
      while (n >= 32) {
        x = (l >>> 0) | (x !== 0 ? 1 : 0);
        l = h;
        h = 0;
        n -= 32;
      }
      if (n) {
        const lost = x << (32 - n);
        x = ((l << (32 - n)) | (x >>> n) | (lost !== 0 ? 1 : 0)) >>> 0;
        l = ((h << (32 - n)) | (l >>> n)) >>> 0;
        h >>>= n;
      }
    }
    this.h = h >>> 0;
    this.l = l >>> 0;
    this.x = x >>> 0;
  }

  /** Rounds (h, l, x) to `bits` in place; returns 1 if it carried out of the top (h is then 0x80000000), sets inexact/up. */
  private inexact = false;
  private roundBits(sign: number, bits: number): number {
    let h = this.h, l = this.l;
    // The rounding unit, the half and what lies below, as if the bits under the last one were one number.
    let half: boolean, rest: boolean, odd: boolean;
    if (bits === 64) {
      half = this.x >>> 31 === 1;
      rest = (this.x & 0x7fffffff) !== 0;
      odd = (l & 1) === 1;
    } else if (bits > 32) {
      const drop = 64 - bits; // 1..31
      half = ((l >>> (drop - 1)) & 1) === 1;
      rest = ((l & ((1 << (drop - 1)) - 1)) | this.x) !== 0;
      odd = ((l >>> drop) & 1) === 1;
      l = (l & ~((1 << drop) - 1)) >>> 0;
    } else if (bits === 32) {
      half = l >>> 31 === 1;
      rest = ((l & 0x7fffffff) | this.x) !== 0;
      odd = (h & 1) === 1;
      l = 0;
    } else {
      const drop = 32 - bits; // 1..31
      half = ((h >>> (drop - 1)) & 1) === 1;
      rest = ((h & ((1 << (drop - 1)) - 1)) | l | this.x) !== 0;
      odd = ((h >>> drop) & 1) === 1;
      h = (h & ~((1 << drop) - 1)) >>> 0;
      l = 0;
    }
    this.inexact = half || rest;
    let inc: boolean;
    switch (this.rc) {
      case RC_NEAREST: inc = half && (rest || odd); break;
      case RC_DOWN: inc = sign === 1 && this.inexact; break;
      case RC_UP: inc = sign === 0 && this.inexact; break;
      default: inc = false;
    }
    this.up = inc;
    let carry = 0;
    if (inc) {
      if (bits > 32) {
        l += bits === 64 ? 1 : 2 ** (64 - bits);
        if (l > 0xffffffff) {
          l -= 0x100000000;
          h += 1;
        }
      } else h += bits === 32 ? 1 : 2 ** (32 - bits);
      if (h > 0xffffffff) {
        h = 0x80000000;
        carry = 1;
      }
    }
    this.h = h >>> 0;
    this.l = l >>> 0;
    this.x = 0;
    return carry;
  }

  /**
   * Rounds a normalised significand (top bit of h set) with an unbounded biased exponent to the unit's precision and
   * leaves the packed number; raises OE, UE, PE. An unmasked overflow or underflow gives the wrapped exponent.
   */
  pack(sign: number, exp: number, h: number, l: number, x: number, bits = this.precision): void {
    this.h = h >>> 0;
    this.l = l >>> 0;
    this.x = x >>> 0;
    if (exp <= 0) {
      let tiny = exp < 0;
      if (!tiny) {
        // Tininess is judged after rounding as if the exponent were unbounded.
        tiny = this.roundBits(sign, bits) === 0;
        this.h = h >>> 0;
        this.l = l >>> 0;
        this.x = x >>> 0;
      }
      if (tiny && !(this.masks & UE)) {
        exp += 24576 + this.roundBits(sign, bits);
        this.flags |= UE;
        if (this.inexact) this.flags |= PE;
        if (exp <= 0) {
          this.flags |= PE;
          this.up = false;
          return this.zero(sign);
        }
        this.set((sign << 15) | exp, this.h, this.l);
        return;
      }
      this.shiftJam(1 - exp);
      this.roundBits(sign, bits);
      if (this.inexact) this.flags |= tiny ? UE | PE : PE;
      this.set((sign << 15) | (this.h >>> 31), this.h, this.l);
      return;
    }
    exp += this.roundBits(sign, bits);
    if (exp >= 0x7fff) {
      this.flags |= OE;
      if (!(this.masks & OE)) {
        if (exp - 24576 >= 0x7fff) {
          this.flags |= PE;
          this.up = true;
          return this.infinity(sign);
        }
        if (this.inexact) this.flags |= PE;
        this.set((sign << 15) | (exp - 24576), this.h, this.l);
        return;
      }
      this.flags |= PE;
      const toInfinity = this.rc === RC_NEAREST || (this.rc === RC_UP && sign === 0) || (this.rc === RC_DOWN && sign === 1);
      this.up = toInfinity;
      if (toInfinity) this.infinity(sign);
      else if (bits === 64) this.set((sign << 15) | 0x7ffe, 0xffffffff, 0xffffffff);
      else if (bits > 32) this.set((sign << 15) | 0x7ffe, 0xffffffff, -(2 ** (64 - bits)) >>> 0);
      else this.set((sign << 15) | 0x7ffe, -(2 ** (32 - bits)) >>> 0, 0);
      return;
    }
    if (this.inexact) this.flags |= PE;
    this.set((sign << 15) | exp, this.h, this.l);
  }

  add(ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number): void {
    if (this.nan2(ase, ahi, alo, bse, bhi, blo)) return;
    const as = ase >>> 15, bs = bse >>> 15;
    const ainf = (ase & 0x7fff) === 0x7fff, binf = (bse & 0x7fff) === 0x7fff;
    let bexp = this.normalise(bse, bhi, blo);
    const bh = this.h, bl = this.l;
    let aexp = this.normalise(ase, ahi, alo);
    if (ainf || binf) {
      if (ainf && binf && as !== bs) this.invalid();
      else this.infinity(ainf ? as : bs);
      return;
    }
    let ah = this.h, al = this.l, ch = bh, cl = bl, sign = as;
    const az = (ah | al) === 0, bz = (ch | cl) === 0;
    if (az && bz) {
      this.zero(as === bs ? as : this.rc === RC_DOWN ? 1 : 0);
      return;
    }
    if (bz) return this.pack(as, aexp, ah, al, 0);
    if (az) return this.pack(bs, bexp, ch, cl, 0);
    if (aexp < bexp || (aexp === bexp && (ah < ch || (ah === ch && al < cl)))) {
      let t = ah; ah = ch; ch = t;
      t = al; al = cl; cl = t;
      t = aexp; aexp = bexp; bexp = t;
      sign = bs;
    }
    this.h = ch;
    this.l = cl;
    this.x = 0;
    this.shiftJam(aexp - bexp);
    if (as === bs) {
      let l = al + this.l, h = ah + this.h;
      if (l > 0xffffffff) {
        l -= 0x100000000;
        h += 1;
      }
      let x = this.x;
      if (h > 0xffffffff) {
        x = ((x >>> 1) | (x & 1) | (l << 31)) >>> 0;
        l = ((l >>> 1) | ((h & 1) << 31)) >>> 0;
        h = (((h - 0x100000000) >>> 1) | 0x80000000) >>> 0;
        aexp++;
      }
      return this.pack(sign, aexp, h, l, x);
    }
    let x = -this.x, l = al - this.l, h = ah - this.h;
    if (x < 0) {
      x += 0x100000000;
      l -= 1;
    }
    if (l < 0) {
      l += 0x100000000;
      h -= 1;
    }
    if ((h | l | x) === 0) return this.zero(this.rc === RC_DOWN ? 1 : 0);
    while (h === 0) {
      h = l;
      l = x;
      x = 0;
      aexp -= 32;
    }
    const n = Math.clz32(h);
    if (n) {
      h = ((h << n) | (l >>> (32 - n))) >>> 0;
      l = ((l << n) | (x >>> (32 - n))) >>> 0;
      x = (x << n) >>> 0;
      aexp -= n;
    }
    this.pack(sign, aexp, h, l, x);
  }

  sub(ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number): void {
    if (this.nan2(ase, ahi, alo, bse, bhi, blo)) return;
    this.add(ase, ahi, alo, bse ^ 0x8000, bhi, blo);
  }

  mul(ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number): void {
    if (this.nan2(ase, ahi, alo, bse, bhi, blo)) return;
    const sign = (ase ^ bse) >>> 15;
    const bexp = this.normalise(bse, bhi, blo);
    const bh = this.h, bl = this.l;
    const aexp = this.normalise(ase, ahi, alo);
    const ah = this.h, al = this.l;
    const az = (ah | al) === 0, bz = (bh | bl) === 0;
    if (aexp === 0x7fff || bexp === 0x7fff) {
      if (az || bz) {
        this.flags &= ~DE;
        this.invalid();
      } else this.infinity(sign);
      return;
    }
    if (az || bz) return this.zero(sign);
    // 64 × 64: four partial products, schoolbook
    const p0 = Math.imul(al, bl) >>> 0;
    let w1 = mulHigh(al, bl) + (Math.imul(al, bh) >>> 0) + (Math.imul(ah, bl) >>> 0);
    let c = w1 >= 0x200000000 ? 2 : w1 >= 0x100000000 ? 1 : 0;
    w1 = w1 >>> 0;
    let w2 = mulHigh(al, bh) + mulHigh(ah, bl) + (Math.imul(ah, bh) >>> 0) + c;
    c = w2 >= 0x200000000 ? 2 : w2 >= 0x100000000 ? 1 : 0;
    w2 = w2 >>> 0;
    let w3 = (mulHigh(ah, bh) + c) >>> 0;
    let exp = aexp + bexp - 16382;
    if (w3 >>> 31 === 0) {
      w3 = ((w3 << 1) | (w2 >>> 31)) >>> 0;
      w2 = ((w2 << 1) | (w1 >>> 31)) >>> 0;
      w1 = ((w1 << 1) | (p0 >>> 31)) >>> 0;
      exp--;
    }
    this.pack(sign, exp, w3, w2, w1 | (p0 !== 0 ? 1 : 0));
  }

  div(ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number): void {
    if (this.nan2(ase, ahi, alo, bse, bhi, blo)) return;
    const sign = (ase ^ bse) >>> 15;
    const ak = classify(ase, ahi, alo), bk = classify(bse, bhi, blo);
    if (ak === INFINITY) {
      if (bk === INFINITY) return this.invalid();
      if (bk === DENORMAL) this.flags |= DE;
      return this.infinity(sign);
    }
    if (bk === ZERO && ak === ZERO) return this.invalid();
    if (bk === ZERO) {
      this.flags |= ZE; // and not DE, whatever is divided
      return this.infinity(sign);
    }
    const bexp = this.normalise(bse, bhi, blo);
    const bh = this.h, bl = this.l;
    const aexp = this.normalise(ase, ahi, alo);
    let rh = this.h, rl = this.l;
    if (bk === INFINITY || ak === ZERO) return this.zero(sign);
    let exp = aexp - bexp + 16383;
    // Restoring division, one bit a step; the first bit is 1 after this adjustment.
    let top = 0; // bit 64 of the remainder
    if (rh < bh || (rh === bh && rl < bl)) {
      top = rh >>> 31;
      rh = ((rh << 1) | (rl >>> 31)) >>> 0;
      rl = (rl << 1) >>> 0;
      exp--;
    }
    let qh = 0, ql = 0, qx = 0;
    for (let i = 0; i < 66; i++) {
      let bit = 0;
      if (top || rh > bh || (rh === bh && rl >= bl)) {
        bit = 1;
        rl -= bl;
        rh -= bh;
        if (rl < 0) {
          rl += 0x100000000;
          rh -= 1;
        }
        if (rh < 0) rh += 0x100000000;
      }
      if (i < 32) qh = (qh << 1) | bit;
      else if (i < 64) ql = (ql << 1) | bit;
      else qx |= bit << (95 - i);
      top = rh >>> 31;
      rh = ((rh << 1) | (rl >>> 31)) >>> 0;
      rl = (rl << 1) >>> 0;
    }
    if ((top | rh | rl) !== 0) qx |= 1;
    this.pack(sign, exp, qh, ql, qx);
  }

  sqrt(se: number, hi: number, lo: number): void {
    if (this.nan1(se, hi, lo)) return;
    const k = classify(se, hi, lo);
    if (k === ZERO) return this.set(se, hi, lo);
    if (se & 0x8000) return this.invalid();
    if (k === INFINITY) return this.infinity(0);
    const exp = this.normalise(se, hi, lo);
    const odd = (exp - 16383) & 1;
    const m = ((BigInt(this.h) << 32n) | BigInt(this.l)) << BigInt(odd ? 128 : 127); // an even power of two below
    // The integer root of a 191/192-bit number has 96 bits: significand and 32 below.
    let r = 1n << 96n;
    for (;;) {
      const next = (r + m / r) >> 1n;
      if (next >= r) break;
      r = next;
    }
    const sticky = r * r !== m ? 1 : 0;
    this.pack(0, ((exp - 16383 - odd) >> 1) + 16383, Number(r >> 64n), Number((r >> 32n) & 0xffffffffn), Number(r & 0xffffffffn) | sticky);
  }

  /**
   * Compares: -1, 0, 1, or 2 for unordered. An unordered comparison raises IE when signalling, or for an SNaN.
   */
  compare(ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number, signalling: boolean): number {
    const a = classify(ase, ahi, alo), b = classify(bse, bhi, blo);
    if (a >= QNAN || b >= QNAN) {
      if (signalling || a >= SNAN || b >= SNAN) this.flags |= IE;
      return 2;
    }
    if (a === DENORMAL || b === DENORMAL) this.flags |= DE;
    if (a === ZERO && b === ZERO) return 0;
    const as = ase >>> 15, bs = bse >>> 15;
    if (as !== bs) return as ? -1 : 1;
    const ae = Math.max(ase & 0x7fff, 1), be = Math.max(bse & 0x7fff, 1);
    const d = ae !== be ? ae - be : ahi !== bhi ? ahi - bhi : alo - blo;
    return d === 0 ? 0 : (d < 0) !== (as === 1) ? -1 : 1;
  }

  /** FRNDINT: to an integer by the rounding control. */
  roundToInt(se: number, hi: number, lo: number): void {
    if (this.nan1(se, hi, lo)) return;
    const k = classify(se, hi, lo);
    if (k === ZERO || k === INFINITY) return this.set(se, hi, lo);
    const sign = se >>> 15;
    const exp = this.normalise(se, hi, lo) - 16383; // value = 1.m × 2^exp
    if (exp >= 63) return this.set(se, hi, lo);
    const bits = exp + 1; // integer bits of the significand
    if (bits <= 0) {
      // Below one: the answer is 0 or 1.
      const half = exp === -1;
      const more = half && ((this.h & 0x7fffffff) | this.l) !== 0;
      this.flags |= PE;
      const one = this.rc === RC_NEAREST ? half && more : this.rc === RC_UP ? sign === 0 : this.rc === RC_DOWN ? sign === 1 : false;
      this.up = one;
      if (one) this.set((sign << 15) | 16383, 0x80000000, 0);
      else this.zero(sign);
      return;
    }
    this.x = 0;
    const carry = this.roundBits(sign, bits);
    if (this.inexact) this.flags |= PE;
    this.set((sign << 15) | (exp + 16383 + carry), this.h, this.l);
  }

  /** Packs a magnitude given as a BigInt: value = m × 2^e, with a sticky part below if `inexactBelow`. */
  packBig(sign: number, m: bigint, e: number, inexactBelow: boolean, bits = 64): void {
    if (m === 0n) return this.zero(sign);
    const len = m.toString(16).length * 4;
    const top = len - Math.clz32(Number(m >> BigInt(len - 4)) << 28);
    let sticky = inexactBelow ? 1 : 0;
    let w: bigint;
    if (top > 96) {
      w = m >> BigInt(top - 96);
      if (w << BigInt(top - 96) !== m) sticky = 1;
    } else w = m << BigInt(96 - top);
    this.pack(sign, e + top - 1 + 16383, Number(w >> 64n), Number((w >> 32n) & 0xffffffffn), Number(w & 0xffffffffn) | sticky, bits);
  }

  // ---- conversions -------------------------------------------------------------------------------------------------

  /** From a signed 64-bit integer (exact). */
  fromInt(hi: number, lo: number): void {
    const sign = hi < 0 || hi > 0x7fffffff ? 1 : 0;
    if (sign) {
      lo = -lo >>> 0;
      hi = (lo === 0 ? -hi : ~hi) >>> 0;
    }
    if ((hi | lo) === 0) return this.zero(0);
    let exp = 16383 + 63;
    if (hi === 0) {
      hi = lo;
      lo = 0;
      exp -= 32;
    }
    const n = Math.clz32(hi);
    if (n) {
      hi = (hi << n) | (lo >>> (32 - n));
      lo <<= n;
    }
    this.set((sign << 15) | (exp - n), hi, lo);
  }

  /** From the bits of an f32. */
  fromF32(w: number): void {
    const sign = w >>> 31, exp = (w >>> 23) & 0xff, m = w & 0x7fffff;
    if (exp === 0xff) {
      if (m === 0) return this.infinity(sign);
      if (!(m & 0x400000)) this.flags |= IE;
      return this.set((sign << 15) | 0x7fff, 0xc0000000 | (m << 8), 0);
    }
    if (exp === 0) {
      if (m === 0) return this.zero(sign);
      this.flags |= DE;
      const n = Math.clz32(m);
      return this.set((sign << 15) | (16383 - 126 + 8 - n), m << n, 0);
    }
    this.set((sign << 15) | (exp + 16383 - 127), 0x80000000 | (m << 8), 0);
  }

  /** From the bits of an f64. */
  fromF64(w1: number, w0: number): void {
    const sign = w1 >>> 31, exp = (w1 >>> 20) & 0x7ff;
    const hi = ((w1 << 11) | (w0 >>> 21)) & 0x7fffffff, lo = w0 << 11;
    if (exp === 0x7ff) {
      if ((hi | lo) === 0) return this.infinity(sign);
      if (!(hi & 0x40000000)) this.flags |= IE;
      return this.set((sign << 15) | 0x7fff, hi | 0xc0000000, lo);
    }
    if (exp === 0) {
      if ((hi | lo) === 0) return this.zero(sign);
      const flags = this.flags;
      const e = this.normalise(0, hi, lo);
      this.flags = flags | DE;
      return this.set((sign << 15) | (e + 16383 - 1023), this.h, this.l);
    }
    this.set((sign << 15) | (exp + 16383 - 1023), hi | 0x80000000, lo);
  }

  /** To f32 bits, in `lo`. An unmasked overflow or underflow leaves the value unspecified: the caller must not store it. */
  toF32(se: number, hi: number, lo: number): void {
    this.narrow(se, hi, lo, 24, 127);
  }

  /** To f64 bits, in `hi` and `lo`. */
  toF64(se: number, hi: number, lo: number): void {
    this.narrow(se, hi, lo, 53, 1023);
  }

  /** To the bits of a half, in `lo`. */
  toF16(se: number, hi: number, lo: number): void {
    this.narrow(se, hi, lo, 11, 15);
  }

  private narrow(se: number, hi: number, lo: number, bits: number, bias: number): void {
    const sign = se >>> 15, emax = 2 * bias + 1;
    const k = classify(se, hi, lo);
    let exp: number;
    this.tiny = false;
    if (k === UNSUPPORTED) {
      this.flags |= IE;
      return this.assemble(1, emax, 0xc0000000, 0, bits);
    }
    if (k === QNAN || k === SNAN) {
      if (k === SNAN) this.flags |= IE;
      return this.assemble(sign, emax, hi | 0x40000000, lo, bits);
    }
    if (k === INFINITY) return this.assemble(sign, emax, 0x80000000, 0, bits);
    if (k === ZERO) return this.assemble(sign, 0, 0, 0, bits);
    const flags = this.flags;
    exp = this.normalise(se, hi, lo) - 16383 + bias;
    this.flags = flags; // storing a denormal is not a denormal operand: it underflows
    const h = this.h, l = this.l;
    this.x = 0;
    if (exp <= 0) {
      const tiny = this.roundBits(sign, bits) === 0 || exp < 0;
      this.tiny = tiny;
      const unboundedInexact = this.inexact;
      this.h = h;
      this.l = l;
      this.x = 0;
      this.shiftJam(1 - exp);
      this.roundBits(sign, bits);
      if (tiny && !(this.masks & UE)) {
        this.flags |= unboundedInexact ? UE | PE : UE;
        return this.assemble(sign, this.h >>> 31, this.h, this.l, bits);
      }
      if (tiny && this.inexact) this.flags |= UE;
      if (this.inexact) this.flags |= PE;
      return this.assemble(sign, this.h >>> 31, this.h, this.l, bits);
    }
    exp += this.roundBits(sign, bits);
    if (exp >= emax) {
      this.flags |= this.masks & OE || this.inexact ? OE | PE : OE;
      const toInfinity = this.rc === RC_NEAREST || (this.rc === RC_UP && sign === 0) || (this.rc === RC_DOWN && sign === 1);
      this.up = toInfinity;
      if (toInfinity) this.assemble(sign, emax, 0x80000000, 0, bits);
      else this.assemble(sign, emax - 1, 0xffffffff, 0xffffffff, bits);
      return;
    }
    if (this.inexact) this.flags |= PE;
    this.assemble(sign, exp, this.h, this.l, bits);
  }

  /** Puts a narrow float together in hi:lo; the integer bit of h is dropped. */
  private assemble(sign: number, exp: number, h: number, l: number, bits: number): void {
    if (bits === 11) this.set(0, 0, (sign << 15) | (exp << 10) | ((h & 0x7fffffff) >>> 21));
    else if (bits === 24) this.set(0, 0, (sign << 31) | (exp << 23) | ((h & 0x7fffffff) >>> 8));
    else this.set(0, (sign << 31) | (exp << 20) | ((h & 0x7fffffff) >>> 11), (h << 21) | (l >>> 11));
  }

  /**
   * To a signed integer of 16, 32 or 64 bits in hi:lo, by the rounding control (`chop`: FISTTP). Out of range, NaN:
   * IE and the integer indefinite, the most negative number.
   */
  toInt(se: number, hi: number, lo: number, size: number, chop: boolean): void {
    const k = classify(se, hi, lo);
    const sign = se >>> 15;
    const rc = this.rc;
    if (chop) this.rc = RC_CHOP;
    let ok = k < INFINITY;
    let h = 0, l = 0;
    if (ok && k !== ZERO) {
      const flags = this.flags;
      const exp = (se & 0x7fff) === 0 ? -16383 : (se & 0x7fff) - 16383;
      if (exp > 63) ok = false;
      else {
        this.h = hi;
        this.l = lo;
        this.x = 0;
        this.shiftJam(63 - exp);
        const carry = this.roundBits(sign, 64);
        h = this.h;
        l = this.l;
        if (carry) ok = false;
        else if (size === 64) ok = h < 0x80000000 || (sign === 1 && h === 0x80000000 && l === 0);
        else {
          const limit = size === 32 ? 0x80000000 : 0x8000;
          ok = h === 0 && (l < limit || (sign === 1 && l === limit));
        }
        this.flags = ok && this.inexact ? flags | PE : flags;
      }
    }
    this.rc = rc;
    if (!ok) {
      this.flags |= IE;
      this.up = false;
      if (size === 64) this.set(0, 0x80000000, 0);
      else if (size === 32) this.set(0, 0xffffffff, 0x80000000);
      else this.set(0, 0xffffffff, 0xffff8000);
      return;
    }
    if (sign) {
      l = -l >>> 0;
      h = (l === 0 ? -h : ~h) >>> 0;
    }
    this.set(0, h, l);
  }
}
