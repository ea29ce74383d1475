// worker/cpu/x87_stack.ts — the x87's register stack, exceptions, loads and stores.  cf. SDM Vol. 1 chapter 8
//
// The instructions are slow paths: definitions check the memory operand and call in here. Each method returns 0, or EXIT_MF
// if an unmasked exception of an earlier instruction is pending; the instruction has then done nothing.

import { EXIT_MF } from "./exit.ts";
import { DE, IE, OE, PE, UE, ZE } from "./float80.ts";
import { Float80Math, loadConstant } from "./float80_math.ts";
import type { GuestMemory } from "./memory.ts";
import { type CpuState, ST_FCW, ST_FPR, ST_FSW, ST_FTW } from "./state.ts";

export const SF = 0x40, ES = 0x80, C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000, BUSY = 0x8000;
export type Words = [se: number, hi: number, lo: number];

/** Width of a memory operand: a float, a double, or an integer of 16, 32 or 64 bits. */
export type MemKind = "f32" | "f64" | "i16" | "i32" | "i64";

export class X87Stack {
  protected readonly state: CpuState;
  protected readonly mem: GuestMemory;
  readonly f = new Float80Math();
  protected readonly a: Words = [0, 0, 0];
  protected readonly b: Words = [0, 0, 0];
  /** The whole memory as words, and where in it the control words and the registers lie: the hot paths go there directly. */
  protected readonly u32: Uint32Array;
  protected readonly fcwAt: number;
  protected readonly fswAt: number;
  protected readonly ftwAt: number;
  protected readonly fprAt: number;

  constructor(state: CpuState) {
    this.state = state;
    this.mem = state.mem;
    this.u32 = state.mem.u32;
    this.fcwAt = (state.base + ST_FCW) >>> 2;
    this.fswAt = (state.base + ST_FSW) >>> 2;
    this.ftwAt = (state.base + ST_FTW) >>> 2;
    this.fprAt = (state.base + ST_FPR) >>> 2;
  }

  // ---- the stack ---------------------------------------------------------------------------------------------------

  protected get fsw(): number {
    return this.u32[this.fswAt]! | 0;
  }
  protected set fsw(v: number) {
    this.u32[this.fswAt] = v;
  }
  protected get fcw(): number {
    return this.u32[this.fcwAt]! | 0;
  }

  protected physical(i: number): number {
    return ((this.fsw >> 11) + i) & 7;
  }

  protected empty(i: number): boolean {
    return ((this.u32[this.ftwAt]! >> (this.physical(i) * 2)) & 3) === 3;
  }

  protected load(i: number, to: Words): Words {
    const u32 = this.u32, at = this.fprAt + this.physical(i) * 4;
    to[2] = u32[at]!;
    to[1] = u32[at + 1]!;
    to[0] = u32[at + 2]! & 0xffff;
    return to;
  }

  protected store(i: number, se: number, hi: number, lo: number): void {
    const u32 = this.u32, p = this.physical(i), at = this.fprAt + p * 4;
    u32[at] = lo;
    u32[at + 1] = hi;
    u32[at + 2] = se;
    u32[this.ftwAt] = u32[this.ftwAt]! & ~(3 << (p * 2));
  }

  /** Copies register `from` to register `to`, both by stack number. */
  protected copy(from: number, to: number): void {
    const u32 = this.u32, f = this.fprAt + this.physical(from) * 4, p = this.physical(to), t = this.fprAt + p * 4;
    u32[t] = u32[f]!;
    u32[t + 1] = u32[f + 1]!;
    u32[t + 2] = u32[f + 2]! & 0xffff;
    u32[this.ftwAt] = u32[this.ftwAt]! & ~(3 << (p * 2));
  }

  protected pop(): void {
    this.u32[this.ftwAt] = this.u32[this.ftwAt]! | (3 << (this.physical(0) * 2));
    this.turn(1);
  }

  protected turn(by: number): void {
    const fsw = this.fsw;
    this.fsw = (fsw & ~0x3800) | ((fsw + (by << 11)) & 0x3800);
  }

  protected pushResult(): void {
    this.turn(-1);
    this.store(0, this.f.se, this.f.hi, this.f.lo);
  }

  // ---- exceptions --------------------------------------------------------------------------------------------------

  /** A waiting instruction begins: EXIT_MF if an exception is pending. */
  protected begin(): number {
    if (this.fsw & ES) return EXIT_MF;
    this.f.control(this.fcw);
    return 0;
  }

  /** Like begin, for operations that the precision control does not concern. */
  protected beginExact(): number {
    const r = this.begin();
    this.f.precision = 64;
    return r;
  }

  /** Records exceptions and C1; true if one is unmasked that stops the result from being delivered. */
  protected raise(stopping: number, c1: boolean): boolean {
    let flags = this.f.flags;
    if (flags === 0) {
      this.fsw = c1 ? this.fsw | C1 : this.fsw & ~C1;
      return false;
    }
    const fcw = this.fcw, early = IE | DE | ZE;
    // An unmasked exception of the operands stops the operation before its result can raise any.
    if (stopping & DE && flags & ~fcw & early) {
      flags &= early;
      c1 = false;
    }
    let fsw = (this.fsw & ~C1) | (flags & 0x3f);
    if (c1) fsw |= C1;
    if (flags & ~fcw & 0x3f) fsw |= ES | BUSY;
    this.fsw = fsw;
    return (flags & ~fcw & stopping) !== 0;
  }

  /** Before the operation; a result in a register is delivered scaled when overflow or underflow is unmasked. */
  protected stopped(): boolean {
    return this.raise(IE | DE | ZE, this.f.up);
  }

  /** Stack underflow: true if unmasked, else the indefinite is the result. C1 = 0. */
  protected underflow(): boolean {
    this.f.invalid();
    this.f.up = false;
    this.fsw |= SF;
    return this.raise(IE, false);
  }

  /** Pushes the unit's result; on overflow of the stack the indefinite. */
  protected push(stopping = IE | DE | ZE): void {
    if (!this.empty(-1)) {
      this.f.flags = 0;
      this.f.invalid();
      this.fsw |= SF;
      if (!this.raise(IE, true)) this.pushResult();
      return;
    }
    if (!this.raise(stopping, this.f.up)) this.pushResult();
  }

  // ---- memory operands ---------------------------------------------------------------------------------------------

  protected fetch(kind: MemKind, addr: number): void {
    const dv = this.mem.dv;
    if (kind === "f64") this.f.fromF64(dv.getUint32(addr + 4, true), dv.getUint32(addr, true));
    else if (kind === "f32") this.f.fromF32(dv.getUint32(addr, true));
    else if (kind === "i64") this.f.fromInt(dv.getInt32(addr + 4, true), dv.getUint32(addr, true));
    else {
      const n = kind === "i16" ? dv.getInt16(addr, true) : dv.getInt32(addr, true);
      this.f.fromInt(n < 0 ? -1 : 0, n >>> 0);
    }
  }

  fld_mem(kind: MemKind, addr: number): number {
    const r = this.beginExact();
    if (r) return r;
    this.fetch(kind, addr);
    this.push(IE); // a denormal is loaded even when its exception is unmasked
    return 0;
  }

  fld_m80(addr: number): number {
    const r = this.begin();
    if (r) return r;
    const dv = this.mem.dv;
    this.f.set(dv.getUint16(addr + 8, true), dv.getUint32(addr + 4, true), dv.getUint32(addr, true));
    this.push();
    return 0;
  }

  fld_st(i: number): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(i)) {
      if (!this.underflow()) this.pushResult();
      return 0;
    }
    if (!this.empty(-1)) {
      this.push();
      return 0;
    }
    this.fsw &= ~C1;
    this.copy(i, -1);
    this.turn(-1);
    return 0;
  }

  fld_const(name: "fld1" | "fldz" | "fldl2t" | "fldl2e" | "fldpi" | "fldlg2" | "fldln2"): number {
    const r = this.beginExact();
    if (r) return r;
    if (name === "fld1") this.f.set(0x3fff, 0x80000000, 0);
    else if (name === "fldz") this.f.set(0, 0, 0);
    else loadConstant(this.f, name);
    this.push();
    return 0;
  }

  /** FST/FSTP/FIST/FISTP/FISTTP to memory. */
  fst_mem(kind: MemKind, addr: number, pop: boolean, chop: boolean): number {
    const r = this.beginExact();
    if (r) return r;
    const f = this.f;
    const float = kind === "f32" || kind === "f64";
    const missing = this.empty(0);
    if (missing) {
      this.fsw |= SF;
      f.flags |= IE;
      if (kind === "f32") f.set(0, 0, 0xffc00000);
      else if (kind === "f64") f.set(0, 0xfff80000, 0);
      else f.set(0, kind === "i64" ? 0x80000000 : 0xffffffff, kind === "i64" ? 0 : kind === "i32" ? 0x80000000 : 0xffff8000);
    } else {
      const [se, hi, lo] = this.load(0, this.a);
      if (kind === "f32") f.toF32(se, hi, lo);
      else if (kind === "f64") f.toF64(se, hi, lo);
      else f.toInt(se, hi, lo, kind === "i64" ? 64 : kind === "i32" ? 32 : 16, chop);
    }
    if (f.flags & ~this.fcw & (OE | UE)) {
      f.flags &= ~PE; // nothing was rounded: nothing is stored
      f.up = false;
    }
    if (this.raise(float ? IE | OE | UE : IE, missing ? false : f.up)) return 0;
    const dv = this.mem.dv;
    if (kind === "i16") dv.setUint16(addr, f.lo & 0xffff, true);
    else {
      dv.setUint32(addr, f.lo, true);
      if (kind === "f64" || kind === "i64") dv.setUint32(addr + 4, f.hi, true);
    }
    if (pop) this.pop();
    return 0;
  }

  fstp_m80(addr: number): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(0)) {
      if (this.underflow()) return 0;
    } else {
      this.fsw &= ~C1;
      const u32 = this.u32, at = this.fprAt + this.physical(0) * 4;
      this.write80(addr, u32[at + 2]!, u32[at + 1]!, u32[at]!);
      this.pop();
      return 0;
    }
    this.write80(addr, this.f.se, this.f.hi, this.f.lo);
    this.pop();
    return 0;
  }

  protected write80(addr: number, se: number, hi: number, lo: number): void {
    const dv = this.mem.dv;
    dv.setUint32(addr, lo, true);
    dv.setUint32(addr + 4, hi, true);
    dv.setUint16(addr + 8, se, true);
  }

  fst_st(i: number, pop: boolean): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(0)) {
      if (this.underflow()) return 0;
      this.store(i, this.f.se, this.f.hi, this.f.lo);
    } else {
      this.fsw &= ~C1;
      this.copy(0, i);
    }
    if (pop) this.pop();
    return 0;
  }

  fstpnce(i: number): number {
    const r = this.begin();
    if (r) return r;
    this.raise(0, false);
    if (!this.empty(0)) this.store(i, ...this.load(0, this.a));
    this.pop();
    return 0;
  }

  fbld(addr: number): number {
    const r = this.beginExact();
    if (r) return r;
    this.f.fromBcd(this.mem.u8.subarray(addr, addr + 10));
    this.push();
    return 0;
  }

  fbstp(addr: number): number {
    const r = this.beginExact();
    if (r) return r;
    let out: Uint8Array;
    if (this.empty(0)) {
      this.fsw |= SF;
      this.f.flags |= IE;
      out = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff]);
      if (this.raise(IE, false)) return 0;
    } else {
      out = this.f.toBcd(this.load(0, this.a));
      if (this.raise(IE, this.f.up)) return 0;
    }
    this.mem.u8.set(out, addr);
    this.pop();
    return 0;
  }
}
