// worker/cpu/vectors/generate.ts — the state that a recorded case starts from: a function of the case's name and seed

import type { Group } from "./shapes.ts";
import { DATA, emptyState, type State } from "./state.ts";

/** xorshift32, seeded by a text and a number. */
export class Random {
  private s: number;

  constructor(text: string, seed: number) {
    let h = 0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1);
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    this.s = h | 1;
    for (let i = 0; i < 4; i++) this.next();
  }
  /** 32 random bits. */
  next(): number {
    this.s ^= this.s << 13;
    this.s ^= this.s >>> 17;
    this.s ^= this.s << 5;
    return this.s >>> 0;
  }
  below(n: number): number {
    return this.next() % n;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
  u64(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }
}

const EDGES = [0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn,
  0x8000000000000000n, 0xffffffffffffffffn, 0xffffffff80000000n, 0xfffffffffffffffen, 0x8080808080808080n, 0x7f7f7f7f7f7f7f7fn, 0x8000800080008000n, 0xffff0000ffff0000n];
const F32 = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0xffa00000, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x4f000000, 0xcf000000,
  0x5f000000, 0xdf000000, 0x3f000000, 0xbf000000, 0x3fc00000, 0x40200000, 0x4b000001, 0x4effffff, 0x33800000, 0x00800001, 0x20000000, 0x1fffffff];
const F64 = [0n, 0x8000000000000000n, 0x3ff0000000000000n, 0xbff0000000000000n, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n, 0xfff8000000000001n, 0x7ff0000000000001n, 0xfff4000000000000n,
  1n, 0x800fffffffffffffn, 0x0010000000000000n, 0x7fefffffffffffffn, 0x41e0000000000000n, 0xc1e0000000000000n, 0xc1e0000000200000n, 0x41dfffffffc00000n, 0x43e0000000000000n, 0xc3e0000000000000n,
  0x3fe0000000000000n, 0xbfe0000000000000n, 0x3ff8000000000000n, 0x4004000000000000n, 0x4330000000000001n, 0x3810000000000000n, 0x36a0000000000000n, 0x47efffffe0000000n, 0x47f0000000000000n, 0x3ca0000000000000n];
const F80: [number, number, number][] = [[0, 0, 0], [0x8000, 0, 0], [0x3fff, 0x80000000, 0], [0xbfff, 0x80000000, 0], [0x7fff, 0x80000000, 0], [0xffff, 0x80000000, 0], [0x7fff, 0xc0000000, 5], [0x7fff, 0x80000001, 0],
  [0xffff, 0xa0000000, 0], [0xffff, 0xc0000000, 0], [0, 0, 1], [0, 0x80000000, 0], [0x8000, 0x7fffffff, 0xffffffff], [1, 0x80000000, 0], [0x7ffe, 0xffffffff, 0xffffffff], [0x7fff, 0, 0], [0x4000, 0x40000000, 0],
  [0x4000, 0xc90fdaa2, 0x2168c235], [0x3ffe, 0x80000000, 0], [0x3fff, 0xc0000000, 0], [0x403d, 0xffffffff, 0xffffffff], [0x401d, 0xffffffff, 0x80000000], [0xc03e, 0x80000000, 0], [0x403e, 0x80000000, 0],
  [0x43ff, 0x80000000, 0], [0x3c00, 0x80000000, 0], [0x3c01, 0xffffffff, 0xffffffff], [0x407f, 0x80000000, 0], [0x3f81, 0x80000000, 0], [0x3f6a, 0x80000001, 0], [0x400e, 0x80000000, 0], [0xc00d, 0xffff0000, 0]];

function integer(r: Random): bigint {
  const k = r.below(8);
  if (k < 4) return r.pick(EDGES);
  return k < 6 ? r.u64() : k === 6 ? r.u64() >> BigInt(r.below(64)) : BigInt(r.below(256));
}
function f32(r: Random): number {
  const k = r.below(8);
  if (k < 3) return r.pick(F32);
  if (k < 6) return ((r.next() & 0x807fffff) | ((127 - 12 + r.below(24)) << 23)) >>> 0;
  if (k === 6) return ((r.next() & 0x80000000) | ((127 + r.below(16)) << 23) | (r.below(128) << 16)) >>> 0;
  return r.next();
}
function f64(r: Random): bigint {
  const k = r.below(8);
  if (k < 3) return r.pick(F64);
  if (k < 6) return (r.u64() & 0x800fffffffffffffn) | (BigInt(1023 - 30 + r.below(60)) << 52n);
  if (k === 6) return (r.u64() & 0x8000000000000000n) | (BigInt(1023 + r.below(16)) << 52n) | (BigInt(r.below(16)) << 48n);
  return r.u64();
}
function f80(r: Random): [number, number, number] {
  const k = r.below(10);
  if (k < 3) return r.pick(F80);
  const hi = (r.next() | 0x80000000) >>> 0, sign = (r.next() & 1) << 15;
  if (k < 7) return [sign | (16383 - 40 + r.below(80)), hi, k === 5 ? 0 : k === 6 ? (r.next() & 0xfffff800) >>> 0 : r.next()];
  if (k < 9) return [sign | (16383 + r.below(40)), (hi & 0xff000000) >>> 0, 0];
  return [sign | r.below(0x7fff), hi, r.next()];
}

/** 16 bytes of operand for the kind. */
function lanes(r: Random, kind: Group["kind"], v: DataView, at: number): void {
  if (kind === "s") for (let i = 0; i < 4; i++) v.setUint32(at + 4 * i, f32(r), true);
  else if (kind === "d" || (kind === "x" && r.below(2) === 0)) for (let i = 0; i < 2; i++) v.setBigUint64(at + 8 * i, f64(r), true);
  else if (kind === "x" && r.below(3) === 0) for (let i = 0; i < 4; i++) v.setUint32(at + 4 * i, f32(r), true);
  else if (kind === "x" && r.below(4) < 2) {
    const [se, hi, lo] = f80(r);
    v.setUint32(at, lo, true);
    v.setUint32(at + 4, hi, true);
    v.setUint16(at + 8, se, true);
  } else if (kind === "string") for (let i = 0; i < 16; i++) v.setUint8(at + i, r.pick([0x61, 0x61, 0x62, 0x63, 0x7a, 0xe1, 0, 0x61]));
  else for (let i = 0; i < 2; i++) v.setBigUint64(at + 8 * i, integer(r), true);
}

/** The state before a case: registers, memory and control words follow from kind, text and seed alone. */
export function initialState(kind: Group["kind"], text: string, seed: number, code: Uint8Array, avx = false): State {
  const r = new Random(text, seed);
  const s = emptyState();
  s.code.set(code);
  for (let i = 0; i < 16; i++) s.gpr[i] = integer(r);
  const at = [0, 0, 0, 0x800, 0xe00, 0x880, 0x400, 0xc00];
  for (const i of [3, 4, 5, 6, 7]) s.gpr[i] = BigInt(DATA + at[i]!);
  if (kind === "string") {
    s.gpr[1] = BigInt(r.below(10));
    if (r.below(3) === 0) s.gpr[0] = BigInt(r.below(20) - 2) & 0xffffffffffffffffn;
    else s.gpr[0] = 0x6161616161616161n;
    s.gpr[2] = BigInt(r.below(20));
  }
  if (kind === "bits") {
    const small = (): bigint => BigInt.asUintN(64, BigInt(r.below(2000) - 1000));
    s.gpr[1] = small();
    if (r.below(2)) s.gpr[9] = small();
  }
  s.rflags = BigInt(0x202 | (r.next() & 0x8d5) | (kind === "string" && r.below(4) === 0 ? 0x400 : 0));
  const data = new DataView(s.data.buffer);
  for (let i = 0; i < 4096; i += 4) data.setUint32(i, Math.imul(i + 1, 0x01234567) ^ (i << 3), true);
  for (const base of [0x400, 0x800, 0xc00]) for (let i = -32; i < 96; i += 16) lanes(r, kind, data, base + i);
  if (kind === "string") s.data.copyWithin(0xc00 - 32, 0x400 - 32, 0x400 + r.below(40));
  const fx = new DataView(s.fx.buffer);
  for (let i = 0; i < 16; i++) lanes(r, kind, fx, 160 + 16 * i);
  if (kind === "string" && r.below(2)) s.fx.copyWithin(160 + 16, 160 + 32, 160 + 32 + r.below(17));

  if (avx) {
    s.avx = true;
    const y = new DataView(s.ymmh.buffer);
    for (let i = 0; i < 16; i++) lanes(r, kind, y, 16 * i);
  }
  if (kind === "s" || kind === "d" || r.below(3) === 0) {
    let mxcsr = 0x1f80;
    if (r.below(2)) mxcsr |= 0x20;
    if (r.below(4) === 0) mxcsr |= r.next() & 0x3f;
    if (r.below(3) === 0) mxcsr |= r.below(4) << 13;
    if (r.below(8) === 0) mxcsr |= 0x40;
    if (r.below(8) === 0) mxcsr |= 0x8000;
    if (r.below(8) === 0) mxcsr &= ~(r.next() & 0x1f80);
    // An exception that is both recorded and unmasked would be the business of an earlier instruction.
    fx.setUint32(24, mxcsr & ~(~(mxcsr >> 7) & 0x3f), true);
  }
  if (kind === "x" || kind === "mmx" || r.below(3) === 0) {
    let fcw = 0x7f | (r.below(4) << 10) | (r.pick([0, 2, 3, 3]) << 8);
    if (r.below(3) > 0) fcw = 0x37f;
    if (kind === "x" && r.below(8) === 0) fcw &= ~(r.next() & 0x3f);
    let fsw = (r.next() & 0x4700) | (r.below(2) ? r.below(8) << 11 : 0);
    if (r.below(3) === 0) fsw |= r.next() & 0x3f & fcw;
    if (kind === "x" && r.below(24) === 0) fsw |= r.next() & 0x3f;
    if (fsw & ~fcw & 0x3f) fsw |= 0x8080;
    fx.setUint16(0, fcw | 0x40, true);
    fx.setUint16(2, fsw, true);
    s.fx[4] = kind === "mmx" ? r.pick([0, 0xff, 0x3c]) : r.pick([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xfe, r.next() & 0xff]);
    if (kind === "x" && r.below(3) === 0) s.fx[4] = 0x0f << ((fsw >> 11) & 7) | (0x0f << ((fsw >> 11) & 7)) >> 8;
    for (let i = 0; i < 8; i++) {
      const [se, hi, lo] = f80(r);
      fx.setUint32(32 + 16 * i, lo, true);
      fx.setUint32(36 + 16 * i, hi, true);
      fx.setUint16(40 + 16 * i, se, true);
      if (kind === "mmx") fx.setBigUint64(32 + 16 * i, integer(r), true);
    }
  }
  return s;
}
