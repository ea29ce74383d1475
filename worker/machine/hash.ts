// machine/hash.ts — XXH64 in WebAssembly: of memory pages where they lie, and of bytes from elsewhere.  cf. lib/xxhash.c
//
// The same in every engine: integer arithmetic only. Lengths are multiples of 8. A pass over RAM compares each page's hash with the one noted last
// time, so what has changed is found without the help of whoever wrote it, guest or kernel.
import { Assembler } from "../cpu/build/assembler.ts";
import { ModuleWriter, type Bytes } from "../cpu/build/module.ts";
import type { GuestMemory } from "../cpu/memory.ts";

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 1 << PAGE_SHIFT;
/** bytes from elsewhere are hashed in parts of this size */
const SCRATCH = 65536;

const P1 = 0x9e3779b185ebca87n, P2 = 0xc2b2ae3d27d4eb4fn, P3 = 0x165667b19e3779f9n, P4 = 0x85ebca77c2b2ae63n, P5 = 0x27d4eb2f165667c5n;
const ADD = 0x7c, MUL = 0x7e, XOR = 0x85, SHR = 0x88, ROTL = 0x89;

/** i64.const */
function constant(a: Assembler, value: bigint): Assembler {
  a.op(0x42);
  let v = BigInt.asIntN(64, value);
  for (;;) {
    const seven = Number(v & 127n);
    v >>= 7n;
    if ((v === 0n && seven < 64) || (v === -1n && seven >= 64)) return a.op(seven);
    a.op(seven | 128);
  }
}

/** hash(address, length, seed) */
function hashBody(): Bytes {
  const a = new Assembler();
  const [P, LEN, SEED, END, A, H] = [0, 1, 2, 3, 4, 8] as const;
  const k = (v: bigint): Assembler => constant(a, v);
  /** x on the stack: rotl(acc + x * P2, 31) * P1 */
  const round = (acc: number | undefined): void => {
    k(P2).op(MUL);
    if (acc !== undefined) a.get(acc).op(ADD);
    k(31n).op(ROTL);
    k(P1).op(MUL);
  };
  a.get(P).get(LEN).op(0x6a).set(END);
  a.get(LEN).const(32).op(0x4f).op(0x04, 0x40);
  {
    a.get(SEED);
    k(P1 + P2).op(ADD).set(A);
    a.get(SEED);
    k(P2).op(ADD).set(A + 1);
    a.get(SEED).set(A + 2);
    a.get(SEED);
    k(-P1).op(ADD).set(A + 3);
    a.loop();
    for (let i = 0; i < 4; i++) {
      a.get(P).load64(8 * i);
      round(A + i);
      a.set(A + i);
    }
    a.get(P).const(32).op(0x6a).tee(P).const(32).op(0x6a).get(END).op(0x4d).brIf(0).end();
    [1n, 7n, 12n, 18n].forEach((n, i) => {
      a.get(A + i);
      k(n).op(ROTL);
      if (i > 0) a.op(ADD);
    });
    a.set(H);
    for (let i = 0; i < 4; i++) {
      a.get(A + i);
      round(undefined);
      a.get(H).op(XOR);
      k(P1).op(MUL);
      k(P4).op(ADD).set(H);
    }
  }
  a.op(0x05);
  a.get(SEED);
  k(P5).op(ADD).set(H);
  a.end();
  a.get(H).get(LEN).op(0xad).op(ADD).set(H);
  a.block().loop().get(P).get(END).op(0x4f).brIf(1);
  a.get(P).load64(0);
  round(undefined);
  a.get(H).op(XOR);
  k(27n).op(ROTL);
  k(P1).op(MUL);
  k(P4).op(ADD).set(H);
  a.get(P).const(8).op(0x6a).set(P).br(0).end().end();
  const shift = (n: bigint, times: bigint | undefined): void => {
    a.get(H).get(H);
    k(n).op(SHR).op(XOR);
    if (times !== undefined) k(times).op(MUL);
    a.set(H);
  };
  shift(33n, P2);
  shift(29n, P3);
  shift(32n, undefined);
  return a.get(H).end().take();
}

/** scan(first page, past the last, table, out): notes new hashes in the table, the pages' numbers in out; how many */
function scanBody(hash: number): Bytes {
  const a = new Assembler();
  const [PAGE, LAST, TABLE, OUT, N, H, SLOT] = [0, 1, 2, 3, 4, 5, 6] as const;
  a.block().loop().get(PAGE).get(LAST).op(0x4f).brIf(1);
  a.get(PAGE).const(PAGE_SHIFT).op(0x74).const(PAGE_SIZE);
  constant(a, 0n).call(hash).set(H);
  a.get(TABLE).get(PAGE).const(3).op(0x74).op(0x6a).tee(SLOT).load64(0).get(H).op(0x52).if();
  a.get(SLOT).get(H).store64(0);
  a.get(OUT).get(N).const(2).op(0x74).op(0x6a).get(PAGE).store(0);
  a.get(N).const(1).op(0x6a).set(N).end();
  a.get(PAGE).const(1).op(0x6a).set(PAGE).br(0).end().end();
  return a.get(N).end().take();
}

/** 64 bits as two halves. */
export interface Hash64 {
  readonly lo: number;
  readonly hi: number;
}
export const hex64 = ({ lo, hi }: Hash64): string => (hi >>> 0).toString(16).padStart(8, "0") + (lo >>> 0).toString(16).padStart(8, "0");

/** Bytes above guest RAM that a Hasher takes. */
export const hasherBytes = (size: number): number => 12 * (size >>> PAGE_SHIFT) + SCRATCH + 256;

/** Hashes of one machine's memory, and the table of what its pages were when last looked at. */
export class Hasher {
  readonly mem: GuestMemory;
  /** pages of RAM */
  readonly pages: number;
  /** of a page of zeros */
  readonly zero: Hash64;
  private readonly table: number;
  private readonly out: number;
  private readonly scratch: number;
  private readonly hashFn: (address: number, length: number, seed: bigint) => bigint;
  private readonly scanFn: (first: number, last: number, table: number, out: number) => number;

  constructor(mem: GuestMemory) {
    this.mem = mem;
    this.pages = mem.size >>> PAGE_SHIFT;
    this.table = mem.reserve(8 * this.pages);
    this.out = mem.reserve(4 * this.pages);
    this.scratch = mem.reserve(SCRATCH);
    const w = new ModuleWriter();
    w.importMemory("mem", mem.buffer.byteLength / 65536, mem.shared);
    const hash = w.addFunction(w.type(["i32", "i32", "i64"], ["i64"]), ["i32", "i64", "i64", "i64", "i64", "i64"], hashBody());
    w.exportFunction("hash", hash);
    w.exportFunction("scan", w.addFunction(w.type(["i32", "i32", "i32", "i32"], ["i32"]), ["i32", "i64", "i32"], scanBody(hash)));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(w.finish()), { e: { mem: mem.memory } });
    this.hashFn = exports["hash"] as Hasher["hashFn"];
    this.scanFn = exports["scan"] as Hasher["scanFn"];
    this.zero = this.bytes(new Uint8Array(PAGE_SIZE));
    // a new memory is all zeros
    for (let i = 0; i < this.pages; i++) this.note(i, this.zero);
  }

  private halves(h: bigint): Hash64 {
    return { lo: Number(h & 0xffffffffn) | 0, hi: Number((h >> 32n) & 0xffffffffn) | 0 };
  }
  /** Of bytes from anywhere, padded with zeros to a multiple of 8; parts of 64 KiB are chained by seed. */
  bytes(data: Uint8Array): Hash64 {
    let seed = 0n;
    for (let at = 0; at === 0 || at < data.length; at += SCRATCH) {
      const n = Math.min(SCRATCH, data.length - at);
      const padded = (n + 7) & ~7;
      this.mem.u8.fill(0, this.scratch + n, this.scratch + padded);
      this.mem.u8.set(data.subarray(at, at + n), this.scratch);
      seed = BigInt.asUintN(64, this.hashFn(this.scratch, padded, seed));
    }
    return this.halves(seed);
  }
  /** Of the table: one hash for all of RAM as it was when last looked at. */
  root(): Hash64 {
    return this.halves(this.hashFn(this.table, 8 * this.pages, 0n));
  }
  /** Looks at pages [first, last): those that are not what they were, ascending. The view is good until the next call. */
  scan(first: number, last: number): Uint32Array {
    const n = this.scanFn(first, last, this.table, this.out);
    return this.mem.u32.subarray(this.out >>> 2, (this.out >>> 2) + n);
  }
  /** What is noted of a page. */
  lo(page: number): number {
    return this.mem.i32[(this.table >>> 2) + 2 * page]!;
  }
  hi(page: number): number {
    return this.mem.i32[(this.table >>> 2) + 2 * page + 1]!;
  }
  /** Notes the hash of a page that somebody has just put there. */
  note(page: number, hash: Hash64): void {
    this.mem.i32[(this.table >>> 2) + 2 * page] = hash.lo;
    this.mem.i32[(this.table >>> 2) + 2 * page + 1] = hash.hi;
  }
}
