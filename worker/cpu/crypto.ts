// worker/cpu/crypto.ts — AES-NI, PCLMULQDQ and the SHA extensions.  SDM Vol. 2; FIPS 197, FIPS 180-4

import { arg32, type Helper, type HelperContext, xargAddress, xretAddress } from "./build/helpers.ts";

// ---- AES -----------------------------------------------------------------------------------------------------------

const xtime = (a: number): number => ((a << 1) ^ (a & 0x80 ? 0x1b : 0)) & 0xff;
function gmul(a: number, b: number): number {
  let r = 0;
  for (; b; b >>= 1, a = xtime(a)) if (b & 1) r ^= a;
  return r;
}

/** The S-box is the inverse in GF(2^8) and an affine map. Powers of 3 are all elements but 0, and those of its inverse, 0xf6, their inverses. */
const SBOX = new Uint8Array(256), INVERSE = new Uint8Array(256);
function enter(x: number, inv: number): void {
  let s = 0x63;
  for (let i = 0; i < 5; i++) s ^= ((inv << i) | (inv >> (8 - i))) & 0xff;
  SBOX[x] = s;
  INVERSE[s] = x;
}
enter(0, 0);
for (let n = 0, x = 1, inv = 1; n < 255; n++, x = gmul(x, 3), inv = gmul(inv, 0xf6)) enter(x, inv);
const times = (n: number): Uint8Array => Uint8Array.from({ length: 256 }, (_, x) => gmul(x, n));
const M2 = times(2), M3 = times(3), M9 = times(9), M11 = times(11), M13 = times(13), M14 = times(14);

function aes(cpu: HelperContext, decrypt: boolean, last: boolean): number {
  const u8 = cpu.mem.u8, s = xargAddress(cpu, 0), k = xargAddress(cpu, 1), to = xretAddress(cpu);
  const box = decrypt ? INVERSE : SBOX;
  for (let c = 0; c < 4; c++) {
    const at = (row: number): number => box[u8[s + ((4 * (c + (decrypt ? 4 - row : row)) + row) & 15)]!]!;
    const a = at(0), b = at(1), d = at(2), e = at(3);
    const o = to + 4 * c, ko = k + 4 * c;
    let r0 = a, r1 = b, r2 = d, r3 = e;
    if (!last) [r0, r1, r2, r3] = decrypt ? unmix(a, b, d, e) : mix(a, b, d, e);
    u8[o] = r0 ^ u8[ko]!;
    u8[o + 1] = r1 ^ u8[ko + 1]!;
    u8[o + 2] = r2 ^ u8[ko + 2]!;
    u8[o + 3] = r3 ^ u8[ko + 3]!;
  }
  return 0;
}
function mix(a: number, b: number, c: number, d: number): [number, number, number, number] {
  return [M2[a]! ^ M3[b]! ^ c ^ d, a ^ M2[b]! ^ M3[c]! ^ d, a ^ b ^ M2[c]! ^ M3[d]!, M3[a]! ^ b ^ c ^ M2[d]!];
}
function unmix(a: number, b: number, c: number, d: number): [number, number, number, number] {
  return [M14[a]! ^ M11[b]! ^ M13[c]! ^ M9[d]!, M9[a]! ^ M14[b]! ^ M11[c]! ^ M13[d]!, M13[a]! ^ M9[b]! ^ M14[c]! ^ M11[d]!, M11[a]! ^ M13[b]! ^ M9[c]! ^ M14[d]!];
}

// ---- carry-less multiplication -------------------------------------------------------------------------------------

/** 32 × 32 → low word; the high word by the reflected product. */
function clmul32(a: number, b: number): [lo: number, hi: number] {
  let lo = 0, hi = 0;
  for (let i = 0; i < 32; i++)
    if ((b >>> i) & 1) {
      lo ^= a << i;
      if (i) hi ^= a >>> (32 - i);
    }
  return [lo, hi];
}

// ---- SHA -----------------------------------------------------------------------------------------------------------

const rol = (x: number, n: number): number => (x << n) | (x >>> (32 - n));
const ror = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

/** Vector argument n as four words, the lowest first. */
function words(cpu: HelperContext, n: number): [number, number, number, number] {
  const at = xargAddress(cpu, n), dv = cpu.mem.dv;
  return [dv.getInt32(at, true), dv.getInt32(at + 4, true), dv.getInt32(at + 8, true), dv.getInt32(at + 12, true)];
}
function answer(cpu: HelperContext, w0: number, w1: number, w2: number, w3: number): number {
  const at = xretAddress(cpu), dv = cpu.mem.dv;
  dv.setInt32(at, w0, true);
  dv.setInt32(at + 4, w1, true);
  dv.setInt32(at + 8, w2, true);
  dv.setInt32(at + 12, w3, true);
  return 0;
}

const SHA1_K = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const;

export const HELPERS_CRYPTO: Readonly<Record<string, Helper>> = {
  aesenc: (cpu) => aes(cpu, false, false),
  aesenclast: (cpu) => aes(cpu, false, true),
  aesdec: (cpu) => aes(cpu, true, false),
  aesdeclast: (cpu) => aes(cpu, true, true),
  aesimc: (cpu) => {
    const u8 = cpu.mem.u8, s = xargAddress(cpu, 0), to = xretAddress(cpu);
    for (let c = 0; c < 16; c += 4) u8.set(unmix(u8[s + c]!, u8[s + c + 1]!, u8[s + c + 2]!, u8[s + c + 3]!), to + c);
    return 0;
  },
  aeskeygenassist: (cpu) => {
    const [, x1, , x3] = words(cpu, 0), rcon = arg32(cpu, 0) & 0xff;
    const sub = (w: number): number => SBOX[w & 255]! | (SBOX[(w >>> 8) & 255]! << 8) | (SBOX[(w >>> 16) & 255]! << 16) | (SBOX[w >>> 24]! << 24);
    return answer(cpu, sub(x1), ror(sub(x1), 8) ^ rcon, sub(x3), ror(sub(x3), 8) ^ rcon);
  },
  pclmulqdq: (cpu) => {
    const imm = arg32(cpu, 0), a = words(cpu, 0), b = words(cpu, 1);
    const [al, ah] = imm & 1 ? [a[2], a[3]] : [a[0], a[1]], [bl, bh] = imm & 16 ? [b[2], b[3]] : [b[0], b[1]];
    const l = clmul32(al, bl), h = clmul32(ah, bh), m = clmul32(al, bh), n = clmul32(ah, bl);
    return answer(cpu, l[0], l[1] ^ m[0] ^ n[0], h[0] ^ m[1] ^ n[1], h[1]);
  },
  sha1nexte: (cpu) => {
    const a = words(cpu, 0), b = words(cpu, 1);
    return answer(cpu, b[0], b[1], b[2], (b[3] + rol(a[3], 30)) | 0);
  },
  sha1msg1: (cpu) => {
    const a = words(cpu, 0), b = words(cpu, 1);
    return answer(cpu, a[0] ^ b[2], a[1] ^ b[3], a[2] ^ a[0], a[3] ^ a[1]);
  },
  sha1msg2: (cpu) => {
    const a = words(cpu, 0), b = words(cpu, 1);
    const w16 = rol(a[3] ^ b[2], 1), w17 = rol(a[2] ^ b[1], 1), w18 = rol(a[1] ^ b[0], 1), w19 = rol(a[0] ^ w16, 1);
    return answer(cpu, w19, w18, w17, w16);
  },
  sha1rnds4: (cpu) => {
    const f = arg32(cpu, 0) & 3, x = words(cpu, 0), w = words(cpu, 1);
    let [d, c, b, a] = x, e = 0;
    for (let i = 0; i < 4; i++) {
      const g = f === 0 ? (b & c) ^ (~b & d) : f === 2 ? (b & c) ^ (b & d) ^ (c & d) : b ^ c ^ d;
      const t = (g + rol(a, 5) + w[3 - i]! + e + SHA1_K[f]!) | 0;
      e = d;
      d = c;
      c = rol(b, 30);
      b = a;
      a = t;
    }
    return answer(cpu, d, c, b, a);
  },
  sha256msg1: (cpu) => {
    const a = words(cpu, 0), b = words(cpu, 1);
    const s0 = (x: number): number => ror(x, 7) ^ ror(x, 18) ^ (x >>> 3);
    return answer(cpu, (a[0] + s0(a[1])) | 0, (a[1] + s0(a[2])) | 0, (a[2] + s0(a[3])) | 0, (a[3] + s0(b[0])) | 0);
  },
  sha256msg2: (cpu) => {
    const a = words(cpu, 0), b = words(cpu, 1);
    const s1 = (x: number): number => ror(x, 17) ^ ror(x, 19) ^ (x >>> 10);
    const w16 = (a[0] + s1(b[2])) | 0, w17 = (a[1] + s1(b[3])) | 0, w18 = (a[2] + s1(w16)) | 0, w19 = (a[3] + s1(w17)) | 0;
    return answer(cpu, w16, w17, w18, w19);
  },
  sha256rnds2: (cpu) => {
    const s1 = words(cpu, 0), s2 = words(cpu, 1), wk = words(cpu, 2);
    let [h, g, d, c] = s1, [f, e, b, a] = s2;
    for (let i = 0; i < 2; i++) {
      const t = (((e & f) ^ (~e & g)) + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + wk[i]! + h) | 0;
      const u = (t + ((a & b) ^ (a & c) ^ (b & c)) + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22))) | 0;
      h = g;
      g = f;
      f = e;
      e = (t + d) | 0;
      d = c;
      c = b;
      b = a;
      a = u;
    }
    return answer(cpu, f, e, b, a);
  },
};
