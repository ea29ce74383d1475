// lib/bytes.ts — what is done with bytes in more than one place.

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
