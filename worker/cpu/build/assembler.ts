// worker/cpu/build/assembler.ts — hand-written wasm, a little readable: for the few functions that are no instructions.

import { Bytes } from "./module.ts";

/** Offset of an address's slot in a hash of 2^bits slots of 8 bytes. */
export function hashSlot(rip: number, bits: number): number {
  return (Math.imul(rip, 0x9e3779b1) >>> (32 - bits)) << 3;
}

/** Hand-written wasm, a little readable. */
export class Assembler {
  private b = new Bytes();
  take(): Bytes {
    const done = this.b;
    this.b = new Bytes();
    return done;
  }
  op(...bytes: number[]): this {
    for (const b of bytes) this.b.byte(b);
    return this;
  }
  private local(op: number, n: number): this {
    this.b.byte(op);
    this.b.u32(n);
    return this;
  }
  get(n: number): this {
    return this.local(0x20, n);
  }
  set(n: number): this {
    return this.local(0x21, n);
  }
  tee(n: number): this {
    return this.local(0x22, n);
  }
  u32(n: number): this {
    this.b.u32(n);
    return this;
  }
  const(n: number): this {
    this.b.byte(0x41);
    this.b.s32(n);
    return this;
  }
  const64(n: number): this {
    this.b.byte(0x42);
    this.b.s64(n % 0x1_0000_0000 | 0, Math.floor(n / 0x1_0000_0000));
    return this;
  }
  private mem(op: number, offset: number): this {
    this.b.byte(op);
    this.b.byte(0);
    this.b.u32(offset);
    return this;
  }
  load(offset: number): this {
    return this.mem(0x28, offset);
  }
  load64(offset: number): this {
    return this.mem(0x29, offset);
  }
  load64u32(offset: number): this {
    return this.mem(0x35, offset);
  }
  store(offset: number): this {
    return this.mem(0x36, offset);
  }
  store64(offset: number): this {
    return this.mem(0x37, offset);
  }
  if(): this {
    return this.op(0x04, 0x40);
  }
  block(): this {
    return this.op(0x02, 0x40);
  }
  loop(): this {
    return this.op(0x03, 0x40);
  }
  end(): this {
    return this.op(0x0b);
  }
  br(n: number): this {
    return this.op(0x0c, n);
  }
  brIf(n: number): this {
    return this.op(0x0d, n);
  }
  return(): this {
    return this.op(0x0f);
  }
  call(f: number): this {
    return this.local(0x10, f);
  }
  callIndirect(type: number, table = 0): this {
    this.local(0x11, type);
    this.b.byte(table);
    return this;
  }
  /** The same, in place of what calls it: leaves no frame. */
  returnCallIndirect(type: number, table = 0): this {
    this.local(0x13, type);
    this.b.byte(table);
    return this;
  }
  /** Address of the slot for the address in an i64 local, in a hash of 2^bits slots of 8 bytes: see hashSlot. */
  hashSlot(rip: number, hash: number, bits: number): this {
    this.get(rip).op(0xa7).const(0x9e3779b1 | 0).op(0x6c).const(32 - bits).op(0x76).const(3).op(0x74);
    return this.const(hash).op(0x6a);
  }
}
