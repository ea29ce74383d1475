// worker/cpu/float80_format.ts — exceptions, rounding modes and kinds of 80-bit numbers.  cf. SDM Vol. 1 chapters 4.8 and 8

export const IE = 1, DE = 2, ZE = 4, OE = 8, UE = 16, PE = 32;

export const RC_NEAREST = 0, RC_DOWN = 1, RC_UP = 2, RC_CHOP = 3;

/** What a number is. UNSUPPORTED: pseudo-infinity, pseudo-NaN, unnormal: encodings that every operation refuses. */
export const ZERO = 0, DENORMAL = 1, NORMAL = 2, INFINITY = 3, QNAN = 4, SNAN = 5, UNSUPPORTED = 6;

export function classify(se: number, hi: number, lo: number): number {
  const exp = se & 0x7fff;
  if (exp === 0) return (hi | lo) === 0 ? ZERO : DENORMAL;
  if (hi >>> 31 === 0) return UNSUPPORTED;
  if (exp !== 0x7fff) return NORMAL;
  if (((hi & 0x7fffffff) | lo) === 0) return INFINITY;
  return hi & 0x40000000 ? QNAN : SNAN;
}

/** Upper 32 bits of the unsigned product of two 32-bit numbers. */
export function mulHigh(a: number, b: number): number {
  const al = a & 0xffff, ah = a >>> 16, bl = b & 0xffff, bh = b >>> 16;
  const mid = (Math.imul(al, bh) >>> 0) + (Math.imul(al, bl) >>> 16); // at most 2^32 - 1
  const mid2 = (Math.imul(ah, bl) >>> 0) + (mid & 0xffff);
  return (Math.imul(ah, bh) + (mid >>> 16) + (mid2 >>> 16)) >>> 0;
}
