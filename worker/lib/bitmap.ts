// lib/bitmap.ts — searching and setting runs of bits in little-endian bitmaps.  cf. lib/find_bit.c, lib/bitmap.c

/** The first clear bit in [from, end) of `map` (also clear in `also`, if given), or `end`. */
export function find_next_zero_bit(map: Uint8Array, end: number, from: number, also?: Uint8Array): number {
  for (let i = from; i < end; ) {
    const byte = (map[i >>> 3] | (also === undefined ? 0 : also[i >>> 3])) >>> (i & 7);
    if (byte === 0xff >>> (i & 7)) {
      i = (i | 7) + 1;
      continue;
    }
    if ((byte & 1) === 0) return i;
    i++;
  }
  return end;
}

/** The first set bit in [from, end) of `map` (or of `also`), or `end`. */
export function find_next_bit(map: Uint8Array, end: number, from: number, also?: Uint8Array): number {
  for (let i = from; i < end; ) {
    const byte = (map[i >>> 3] | (also === undefined ? 0 : also[i >>> 3])) >>> (i & 7);
    if (byte === 0) {
      i = (i | 7) + 1;
      continue;
    }
    if ((byte & 1) !== 0) return i;
    i++;
  }
  return end;
}

export function test_bit(map: Uint8Array, i: number): boolean {
  return (map[i >>> 3] & (1 << (i & 7))) !== 0;
}

/** Sets bits [start, start+len). */
export function bitmap_set(map: Uint8Array, start: number, len: number): void {
  let i = start;
  const end = start + len;
  while (i < end && (i & 7) !== 0) {
    map[i >>> 3] |= 1 << (i & 7);
    i++;
  }
  while (i + 8 <= end) {
    map[i >>> 3] = 0xff;
    i += 8;
  }
  for (; i < end; i++) map[i >>> 3] |= 1 << (i & 7);
}

/** Clears bits [start, start+len). */
export function bitmap_clear(map: Uint8Array, start: number, len: number): void {
  let i = start;
  const end = start + len;
  while (i < end && (i & 7) !== 0) {
    map[i >>> 3] &= ~(1 << (i & 7));
    i++;
  }
  while (i + 8 <= end) {
    map[i >>> 3] = 0;
    i += 8;
  }
  for (; i < end; i++) map[i >>> 3] &= ~(1 << (i & 7));
}
