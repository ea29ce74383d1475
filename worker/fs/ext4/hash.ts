// fs/ext4/hash.ts — hashes of names, for indexed directories.  cf. fs/ext4/hash.c, lib/halfmd4 (RFC 1320), TEA (Wheeler and Needham)
//
// A hash is two 32-bit numbers, major and minor; the lowest bit of major is 0 (in the index it says that a hash goes on in the next block).

export const DX_HASH_LEGACY = 0;
export const DX_HASH_HALF_MD4 = 1;
export const DX_HASH_TEA = 2;
export const DX_HASH_LEGACY_UNSIGNED = 3;
export const DX_HASH_HALF_MD4_UNSIGNED = 4;
export const DX_HASH_TEA_UNSIGNED = 5;

const EXT4_HTREE_EOF_32BIT = 0x7fffffff;

export interface DxHash {
  hash: number;
  minor: number;
}

/** Eight words of a name's bytes, padded the way the hashes want it.  cf. str2hashbuf_signed() */
function str2hashbuf(name: string, from: number, words: number, signed: boolean, out: Int32Array): void {
  const len = name.length - from;
  let pad = len | (len << 8);
  pad |= pad << 16;
  let val = pad;
  const n = Math.min(len, words * 4);
  let k = 0;
  let i = 0;
  for (; i < n; i++) {
    const c = name.charCodeAt(from + i);
    val = (signed && c > 127 ? c - 256 : c) + (val << 8);
    if (i % 4 === 3) {
      out[k++] = val;
      val = pad;
    }
  }
  if (k < words) out[k++] = val;
  while (k < words) out[k++] = pad;
}

const K2 = 0x5a827999;
const K3 = 0x6ed9eba1;

/** cf. half_md4_transform(): a cut-down MD4 of 8 words into 4 */
function half_md4(s: Int32Array, x: Int32Array): void {
  let a = s[0];
  let b = s[1];
  let c = s[2];
  let d = s[3];
  const rol = (v: number, n: number): number => (v << n) | (v >>> (32 - n));
  const f = (x1: number, y: number, z: number): number => z ^ (x1 & (y ^ z));
  const g = (x1: number, y: number, z: number): number => (x1 & y) + ((x1 ^ y) & z);
  const h = (x1: number, y: number, z: number): number => x1 ^ y ^ z;
  a = rol((a + f(b, c, d) + x[0]) | 0, 3);
  d = rol((d + f(a, b, c) + x[1]) | 0, 7);
  c = rol((c + f(d, a, b) + x[2]) | 0, 11);
  b = rol((b + f(c, d, a) + x[3]) | 0, 19);
  a = rol((a + f(b, c, d) + x[4]) | 0, 3);
  d = rol((d + f(a, b, c) + x[5]) | 0, 7);
  c = rol((c + f(d, a, b) + x[6]) | 0, 11);
  b = rol((b + f(c, d, a) + x[7]) | 0, 19);
  a = rol((a + g(b, c, d) + x[1] + K2) | 0, 3);
  d = rol((d + g(a, b, c) + x[3] + K2) | 0, 5);
  c = rol((c + g(d, a, b) + x[5] + K2) | 0, 9);
  b = rol((b + g(c, d, a) + x[7] + K2) | 0, 13);
  a = rol((a + g(b, c, d) + x[0] + K2) | 0, 3);
  d = rol((d + g(a, b, c) + x[2] + K2) | 0, 5);
  c = rol((c + g(d, a, b) + x[4] + K2) | 0, 9);
  b = rol((b + g(c, d, a) + x[6] + K2) | 0, 13);
  a = rol((a + h(b, c, d) + x[3] + K3) | 0, 3);
  d = rol((d + h(a, b, c) + x[7] + K3) | 0, 9);
  c = rol((c + h(d, a, b) + x[2] + K3) | 0, 11);
  b = rol((b + h(c, d, a) + x[6] + K3) | 0, 15);
  a = rol((a + h(b, c, d) + x[1] + K3) | 0, 3);
  d = rol((d + h(a, b, c) + x[5] + K3) | 0, 9);
  c = rol((c + h(d, a, b) + x[0] + K3) | 0, 11);
  b = rol((b + h(c, d, a) + x[4] + K3) | 0, 15);
  s[0] += a;
  s[1] += b;
  s[2] += c;
  s[3] += d;
}

/** cf. TEA_transform() */
function tea(s: Int32Array, x: Int32Array): void {
  let b0 = s[0];
  let b1 = s[1];
  let sum = 0;
  for (let n = 0; n < 16; n++) {
    sum = (sum + 0x9e3779b9) | 0;
    b0 = (b0 + (((b1 << 4) + x[0]) ^ (b1 + sum) ^ ((b1 >>> 5) + x[1]))) | 0;
    b1 = (b1 + (((b0 << 4) + x[2]) ^ (b0 + sum) ^ ((b0 >>> 5) + x[3]))) | 0;
  }
  s[0] += b0;
  s[1] += b1;
}

/** cf. dx_hack_hash_signed() */
function dx_hack_hash(name: string, signed: boolean): number {
  let hash0 = 0x12a3fe2d;
  let hash1 = 0x37abe8f9;
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i);
    let hash = (hash1 + (hash0 ^ Math.imul(signed && c > 127 ? c - 256 : c, 7152373))) >>> 0;
    if (hash & 0x80000000) hash = (hash - 0x7fffffff) >>> 0;
    hash1 = hash0;
    hash0 = hash;
  }
  return (hash0 << 1) >>> 0;
}

/** The hash of `name` (a byte string) under `version`; `seed` is the super block's, four words. Undefined: a version we do not know.  cf. ext4fs_dirhash() */
export function ext4fs_dirhash(name: string, version: number, seed: Int32Array): DxHash | undefined {
  const s = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  if (seed.some((w) => w !== 0)) s.set(seed);
  const x = new Int32Array(8);
  let hash: number;
  let minor = 0;
  switch (version) {
    case DX_HASH_LEGACY:
    case DX_HASH_LEGACY_UNSIGNED:
      hash = dx_hack_hash(name, version === DX_HASH_LEGACY);
      break;
    case DX_HASH_HALF_MD4:
    case DX_HASH_HALF_MD4_UNSIGNED:
      for (let p = 0; p < name.length; p += 32) {
        str2hashbuf(name, p, 8, version === DX_HASH_HALF_MD4, x);
        half_md4(s, x);
      }
      hash = s[1] >>> 0;
      minor = s[2] >>> 0;
      break;
    case DX_HASH_TEA:
    case DX_HASH_TEA_UNSIGNED:
      for (let p = 0; p < name.length; p += 16) {
        str2hashbuf(name, p, 4, version === DX_HASH_TEA, x);
        tea(s, x);
      }
      hash = s[0] >>> 0;
      minor = s[1] >>> 0;
      break;
    default:
      return undefined;
  }
  hash = (hash & ~1) >>> 0;
  // the end-of-directory mark is no hash
  if (hash === (EXT4_HTREE_EOF_32BIT << 1) >>> 0) hash = ((EXT4_HTREE_EOF_32BIT - 1) << 1) >>> 0;
  return { hash, minor };
}
