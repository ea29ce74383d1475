// lib/crc32c.ts — CRC-32C and CRC-16, as ext4 and jbd2 use them (no inversion at either end).  cf. lib/crc32c.c, lib/crc16.c

/** Tables for eight bytes at a time: T[k*256 + b] is the effect of byte b, k bytes before the end. */
const T = /* @__PURE__ */ makeTables();

function makeTables(): Int32Array {
  const t = new Int32Array(8 * 256);
  for (let b = 0; b < 256; b++) {
    let c = b;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    t[b] = c;
  }
  for (let b = 0; b < 256; b++) for (let k = 1; k < 8; k++) t[k * 256 + b] = (t[(k - 1) * 256 + b] >>> 8) ^ t[t[(k - 1) * 256 + b] & 0xff];
  return t;
}

/** Continues `crc` (start with ~0) over buf[from, to). The result is unsigned. */
export function crc32c(crc: number, buf: Uint8Array, from = 0, to: number = buf.length): number {
  let c = crc | 0;
  let i = from;
  for (; i + 8 <= to; i += 8) {
    c ^= buf[i] | (buf[i + 1] << 8) | (buf[i + 2] << 16) | (buf[i + 3] << 24);
    c =
      T[1792 + (c & 0xff)] ^
      T[1536 + ((c >>> 8) & 0xff)] ^
      T[1280 + ((c >>> 16) & 0xff)] ^
      T[1024 + (c >>> 24)] ^
      T[768 + buf[i + 4]] ^
      T[512 + buf[i + 5]] ^
      T[256 + buf[i + 6]] ^
      T[buf[i + 7]];
  }
  for (; i < to; i++) c = (c >>> 8) ^ T[(c ^ buf[i]) & 0xff];
  return c >>> 0;
}

/** crc32c of a 32-bit little-endian number. */
export function crc32c_le32(crc: number, v: number): number {
  let c = crc | 0;
  for (let s = 0; s < 32; s += 8) c = (c >>> 8) ^ T[(c ^ (v >>> s)) & 0xff];
  return c >>> 0;
}

/** CRC-16 (polynomial 0x8005 reflected), for group descriptors with uninit_bg but without metadata_csum. Start with 0xffff. */
export function crc16(crc: number, buf: Uint8Array, from = 0, to: number = buf.length): number {
  let c = crc;
  for (let i = from; i < to; i++) {
    c ^= buf[i];
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xa001 : c >>> 1;
  }
  return c;
}
