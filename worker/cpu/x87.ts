// worker/cpu/x87.ts — the x87: register stack, control and status words, and one method per instruction.  cf. SDM Vol. 1 chapter 8
//
// The instructions are slow paths: definitions check the memory operand and call in here. Each method returns 0, or EXIT_MF
// if an unmasked exception of an earlier instruction is pending; the instruction has then done nothing.

import { EXIT_MF } from "./exit.ts";
import { classify, DE, IE, INFINITY, NORMAL, OE, QNAN, SNAN, UE, UNSUPPORTED, ZE, ZERO } from "./float80.ts";
import { Float80Math, loadConstant } from "./float80_math.ts";
import type { GuestMemory } from "./memory.ts";
import { type CpuState, ST_FCW, ST_FDP, ST_FIP, ST_FOP, ST_FPR, ST_FSW, ST_FTW } from "./state.ts";

const SF = 0x40, ES = 0x80, C0 = 0x100, C1 = 0x200, C2 = 0x400, C3 = 0x4000, BUSY = 0x8000;
const CONDITION_BITS = C0 | C1 | C2 | C3;

type Words = [se: number, hi: number, lo: number];

/** The operations of the D8 column. */
export type Arith = "add" | "mul" | "sub" | "subr" | "div" | "divr";

/** Width of a memory operand: a float, a double, or an integer of 16, 32 or 64 bits. */
export type MemKind = "f32" | "f64" | "i16" | "i32" | "i64";

export class X87 {
  private readonly state: CpuState;
  private readonly mem: GuestMemory;
  private readonly fpr: number;
  readonly f = new Float80Math();
  private readonly a: Words = [0, 0, 0];
  private readonly b: Words = [0, 0, 0];

  constructor(state: CpuState) {
    this.state = state;
    this.mem = state.mem;
    this.fpr = state.base + ST_FPR;
  }

  // ---- the stack ---------------------------------------------------------------------------------------------------

  private get fsw(): number {
    return this.state.get32(ST_FSW);
  }
  private set fsw(v: number) {
    this.state.set32(ST_FSW, v);
  }
  private get fcw(): number {
    return this.state.get32(ST_FCW);
  }

  private physical(i: number): number {
    return ((this.fsw >> 11) + i) & 7;
  }

  private empty(i: number): boolean {
    return ((this.state.get32(ST_FTW) >> (this.physical(i) * 2)) & 3) === 3;
  }

  private load(i: number, to: Words): Words {
    const at = (this.fpr >> 2) + this.physical(i) * 4;
    to[2] = this.mem.u32[at]!;
    to[1] = this.mem.u32[at + 1]!;
    to[0] = this.mem.u32[at + 2]! & 0xffff;
    return to;
  }

  private store(i: number, se: number, hi: number, lo: number): void {
    const p = this.physical(i), at = (this.fpr >> 2) + p * 4;
    this.mem.u32[at] = lo;
    this.mem.u32[at + 1] = hi;
    this.mem.u32[at + 2] = se;
    this.state.set32(ST_FTW, this.state.get32(ST_FTW) & ~(3 << (p * 2)));
  }

  private pop(): void {
    this.state.set32(ST_FTW, this.state.get32(ST_FTW) | (3 << (this.physical(0) * 2)));
    this.turn(1);
  }

  private turn(by: number): void {
    const fsw = this.fsw;
    this.fsw = (fsw & ~0x3800) | ((fsw + (by << 11)) & 0x3800);
  }

  private pushResult(): void {
    this.turn(-1);
    this.store(0, this.f.se, this.f.hi, this.f.lo);
  }

  // ---- exceptions --------------------------------------------------------------------------------------------------

  /** A waiting instruction begins: EXIT_MF if an exception is pending. */
  private begin(): number {
    if (this.fsw & ES) return EXIT_MF;
    this.f.control(this.fcw);
    return 0;
  }

  /** Like begin, for operations that the precision control does not concern. */
  private beginExact(): number {
    const r = this.begin();
    this.f.precision = 64;
    return r;
  }

  /** Records exceptions and C1; true if one is unmasked that stops the result from being delivered. */
  private raise(stopping: number, c1: boolean): boolean {
    const flags = this.f.flags, fcw = this.fcw;
    let fsw = (this.fsw & ~C1) | (flags & 0x3f);
    if (c1) fsw |= C1;
    if (flags & ~fcw & 0x3f) fsw |= ES | BUSY;
    this.fsw = fsw;
    return (flags & ~fcw & stopping) !== 0;
  }

  /** Before the operation; a result in a register is delivered scaled when overflow or underflow is unmasked. */
  private stopped(): boolean {
    return this.raise(IE | DE | ZE, this.f.up);
  }

  /** Stack underflow: true if unmasked, else the indefinite is the result. C1 = 0. */
  private underflow(): boolean {
    this.f.invalid();
    this.f.up = false;
    this.fsw |= SF;
    return this.raise(IE, false);
  }

  /** Pushes the unit's result; on overflow of the stack the indefinite. */
  private push(): void {
    if (!this.empty(-1)) {
      this.f.invalid();
      this.fsw |= SF;
      if (!this.raise(IE, true)) this.pushResult();
      return;
    }
    if (!this.stopped()) this.pushResult();
  }

  // ---- memory operands ---------------------------------------------------------------------------------------------

  private fetch(kind: MemKind, addr: number): void {
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
    this.push();
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
    const a = this.load(i, this.a);
    this.f.set(...a);
    this.push();
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
      this.f.set(...this.load(0, this.a));
      this.raise(0, false);
    }
    this.write80(addr, this.f.se, this.f.hi, this.f.lo);
    this.pop();
    return 0;
  }

  private write80(addr: number, se: number, hi: number, lo: number): void {
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
      this.raise(0, false);
      this.store(i, ...this.load(0, this.a));
    }
    if (pop) this.pop();
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

  // ---- arithmetic --------------------------------------------------------------------------------------------------

  private apply(op: Arith, a: Words, b: Words): void {
    const f = this.f;
    switch (op) {
      case "add": return f.add(a[0], a[1], a[2], b[0], b[1], b[2]);
      case "mul": return f.mul(a[0], a[1], a[2], b[0], b[1], b[2]);
      case "sub": return f.sub(a[0], a[1], a[2], b[0], b[1], b[2]);
      case "subr": return f.sub(b[0], b[1], b[2], a[0], a[1], a[2]);
      case "div": return f.div(a[0], a[1], a[2], b[0], b[1], b[2]);
      default: return f.div(b[0], b[1], b[2], a[0], a[1], a[2]);
    }
  }

  /** st(dst) = st(dst) op st(src). */
  arith_st(op: Arith, dst: number, src: number, pop: boolean): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(dst) || this.empty(src)) {
      if (this.underflow()) return 0;
    } else {
      this.apply(op, this.load(dst, this.a), this.load(src, this.b));
      if (this.stopped()) return 0;
    }
    this.store(dst, this.f.se, this.f.hi, this.f.lo);
    if (pop) this.pop();
    return 0;
  }

  arith_mem(op: Arith, kind: MemKind, addr: number): number {
    const r = this.begin();
    if (r) return r;
    const f = this.f;
    if (this.empty(0)) {
      if (this.underflow()) return 0;
    } else {
      this.load(0, this.a);
      const snan = this.fetchSource(kind, addr);
      this.apply(op, this.a, this.b);
      f.flags |= snan;
      if (this.stopped()) return 0;
    }
    this.store(0, f.se, f.hi, f.lo);
    return 0;
  }

  /** A memory operand of an arithmetic instruction into b, an SNaN still signalling. Returns the exceptions it raises. */
  private fetchSource(kind: MemKind, addr: number): number {
    const f = this.f, b = this.b;
    this.fetch(kind, addr);
    b[0] = f.se;
    b[1] = f.hi;
    b[2] = f.lo;
    let raised = f.flags;
    f.flags = 0;
    // The conversion made an SNaN quiet; the operation itself wants to see it as it was.
    if (raised & IE) b[1] = (b[1] & ~0x40000000) >>> 0;
    // A NaN or an unsupported number on the other side hides a denormal.
    if (raised & DE && classify(...this.a) >= QNAN) raised = 0;
    return raised;
  }

  private unary(run: (f: Float80Math, a: Words) => void): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(0)) {
      if (this.underflow()) return 0;
    } else {
      run(this.f, this.load(0, this.a));
      if (this.stopped()) return 0;
    }
    this.store(0, this.f.se, this.f.hi, this.f.lo);
    return 0;
  }

  fsqrt(): number {
    return this.unary((f, a) => f.sqrt(...a));
  }

  frndint(): number {
    return this.unary((f, a) => f.roundToInt(...a));
  }

  f2xm1(): number {
    return this.unary((f, a) => {
      f.precision = 64;
      f.f2xm1(a);
    });
  }

  /** FABS and FCHS: the sign alone, of anything. */
  sign(change: boolean): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(0)) {
      if (this.underflow()) return 0;
      this.store(0, this.f.se, this.f.hi, this.f.lo);
      return 0;
    }
    this.raise(0, false);
    const [se, hi, lo] = this.load(0, this.a);
    this.store(0, change ? se ^ 0x8000 : se & 0x7fff, hi, lo);
    return 0;
  }

  /** FYL2X, FYL2XP1, FPATAN: st(1) = f(st(0), st(1)), pop. */
  private binaryPop(run: (f: Float80Math, x: Words, y: Words) => void): number {
    const r = this.beginExact();
    if (r) return r;
    if (this.empty(0) || this.empty(1)) {
      if (this.underflow()) return 0;
    } else {
      run(this.f, this.load(0, this.a), this.load(1, this.b));
      if (this.stopped()) return 0;
    }
    this.store(1, this.f.se, this.f.hi, this.f.lo);
    this.pop();
    return 0;
  }

  fyl2x(): number {
    return this.binaryPop((f, x, y) => f.fyl2x(x, y));
  }
  fyl2xp1(): number {
    return this.binaryPop((f, x, y) => f.fyl2xp1(x, y));
  }
  fpatan(): number {
    return this.binaryPop((f, x, y) => f.fpatan(x, y));
  }

  fscale(): number {
    const r = this.beginExact();
    if (r) return r;
    if (this.empty(0) || this.empty(1)) {
      if (this.underflow()) return 0;
    } else {
      this.f.scale(this.load(0, this.a), this.load(1, this.b));
      if (this.stopped()) return 0;
    }
    this.store(0, this.f.se, this.f.hi, this.f.lo);
    return 0;
  }

  fprem(nearest: boolean): number {
    const r = this.beginExact();
    if (r) return r;
    const f = this.f;
    this.fsw &= ~(C0 | C2 | C3);
    if (this.empty(0) || this.empty(1)) {
      if (this.underflow()) return 0;
    } else {
      f.rem(this.load(0, this.a), this.load(1, this.b), nearest);
      if (this.raise(IE | DE | ZE, (f.quotient & 1) !== 0)) return 0;
      this.fsw |= (f.partial ? C2 : 0) | (f.quotient & 4 ? C0 : 0) | (f.quotient & 2 ? C3 : 0);
    }
    this.store(0, f.se, f.hi, f.lo);
    return 0;
  }

  fxtract(): number {
    const r = this.beginExact();
    if (r) return r;
    const f = this.f;
    if (this.empty(0) || !this.empty(-1)) {
      const over = !this.empty(0);
      f.invalid();
      this.fsw |= SF;
      if (this.raise(IE, over)) return 0;
      this.store(0, f.se, f.hi, f.lo);
      this.pushResult();
      return 0;
    }
    const exp = f.xtract(this.load(0, this.a));
    if (this.stopped()) return 0;
    this.store(0, ...exp);
    this.pushResult();
    return 0;
  }

  /** FSIN and FCOS. */
  trig(which: "fsin" | "fcos"): number {
    const r = this.beginExact();
    if (r) return r;
    this.fsw &= ~C2;
    if (this.empty(0)) {
      if (this.underflow()) return 0;
    } else {
      const a = this.load(0, this.a);
      if (this.tooLarge(a)) return 0;
      this.f[which](a);
      if (this.stopped()) return 0;
    }
    this.store(0, this.f.se, this.f.hi, this.f.lo);
    return 0;
  }

  private tooLarge(a: Words): boolean {
    if (!Float80Math.outOfRange(a[0]) || a[1] < 0x80000000) return false;
    this.fsw = (this.fsw & ~C1) | C2;
    return true;
  }

  /** FSINCOS and FPTAN: one result in place, one pushed. */
  trigPush(which: "fsincos" | "fptan"): number {
    const r = this.beginExact();
    if (r) return r;
    const f = this.f;
    this.fsw &= ~C2;
    if (this.empty(0) || !this.empty(-1)) {
      const over = !this.empty(0);
      f.invalid();
      this.fsw |= SF;
      if (this.raise(IE, over)) return 0;
      this.store(0, f.se, f.hi, f.lo);
      this.pushResult();
      return 0;
    }
    const a = this.load(0, this.a);
    if (this.tooLarge(a)) return 0;
    if (which === "fptan") f.fptan(a);
    else f.fsin(a);
    const first: Words = [f.se, f.hi, f.lo];
    const nan = (f.se & 0x7fff) === 0x7fff && which === "fptan" && classify(...a) >= INFINITY;
    if (which === "fsincos") {
      const up = f.up;
      f.fcos(a);
      f.up = up;
    } else if (!nan) f.set(0x3fff, 0x80000000, 0);
    const second: Words = [f.se, f.hi, f.lo];
    if (this.stopped()) return 0;
    this.store(0, ...first);
    f.set(...second);
    this.pushResult();
    return 0;
  }

  // ---- comparison --------------------------------------------------------------------------------------------------

  /** What a comparison of st(0) with b says: -1, 0, 1, 2; undefined if an unmasked exception stops it. */
  private relation(empty: boolean, signalling: boolean, raised: number): number | undefined {
    if (empty) return this.underflow() ? undefined : 2;
    const rel = this.f.compare(...this.a, ...this.b, signalling);
    this.f.flags |= raised & IE && rel !== 2 ? 0 : raised;
    return this.raise(IE | DE, false) ? undefined : rel;
  }

  private codes(rel: number): void {
    this.fsw = (this.fsw & ~CONDITION_BITS) | (rel === 2 ? C0 | C2 | C3 : rel < 0 ? C0 : rel === 0 ? C3 : 0);
  }

  compare_st(i: number, signalling: boolean, pops: number): number {
    const r = this.begin();
    if (r) return r;
    const empty = this.empty(0) || this.empty(i);
    this.load(0, this.a);
    this.load(i, this.b);
    const rel = this.relation(empty, signalling, 0);
    if (rel === undefined) {
      this.codes(2);
      return 0;
    }
    this.codes(rel);
    for (; pops > 0; pops--) this.pop();
    return 0;
  }

  compare_mem(kind: MemKind, addr: number, pop: boolean): number {
    const r = this.begin();
    if (r) return r;
    const empty = this.empty(0);
    this.load(0, this.a);
    const raised = empty ? 0 : this.fetchSource(kind, addr);
    const rel = this.relation(empty, true, raised);
    this.codes(rel ?? 2);
    if (rel !== undefined && pop) this.pop();
    return 0;
  }

  /** FCOMI and kin. Leaves ZF, PF, CF (where they are in rflags) in `flagsOut`, or -1 if flags stay. */
  flagsOut = 0;
  compare_flags(i: number, signalling: boolean, pop: boolean): number {
    const r = this.begin();
    if (r) return r;
    const empty = this.empty(0) || this.empty(i);
    this.load(0, this.a);
    this.load(i, this.b);
    const rel = this.relation(empty, signalling, 0);
    const flags = rel === undefined || rel === 2 ? 0x45 : rel < 0 ? 1 : rel === 0 ? 0x40 : 0;
    this.flagsOut = flags;
    this.fsw &= ~C1;
    if (rel !== undefined && pop) this.pop();
    return 0;
  }

  ftst(): number {
    const r = this.begin();
    if (r) return r;
    this.load(0, this.a);
    this.b[0] = this.b[1] = this.b[2] = 0;
    const rel = this.relation(this.empty(0), true, 0);
    this.codes(rel ?? 2);
    return 0;
  }

  fxam(): number {
    const r = this.begin();
    if (r) return r;
    const a = this.load(0, this.a);
    let c = a[0] & 0x8000 ? C1 : 0;
    if (this.empty(0)) c |= C3 | C0;
    else
      switch (classify(...a)) {
        case UNSUPPORTED: break;
        case QNAN:
        case SNAN: c |= C0; break;
        case NORMAL: c |= C2; break;
        case INFINITY: c |= C2 | C0; break;
        case ZERO: c |= C3; break;
        default: c |= C3 | C2;
      }
    this.fsw = (this.fsw & ~CONDITION_BITS) | c;
    return 0;
  }

  fcmov(i: number, take: boolean): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(0) || this.empty(i)) {
      if (!this.underflow()) this.store(0, this.f.se, this.f.hi, this.f.lo);
      return 0;
    }
    this.raise(0, (this.fsw & C1) !== 0 && false);
    if (take) this.store(0, ...this.load(i, this.a));
    return 0;
  }

  fxch(i: number): number {
    const r = this.begin();
    if (r) return r;
    const e0 = this.empty(0), ei = this.empty(i);
    const a: Words = [...this.load(0, this.a)], b: Words = [...this.load(i, this.b)];
    if (e0 || ei) {
      if (this.underflow()) return 0;
      const nan: Words = [0xffff, 0xc0000000, 0];
      this.store(0, ...(ei ? nan : b));
      this.store(i, ...(e0 ? nan : a));
      return 0;
    }
    this.raise(0, false);
    this.store(0, ...b);
    this.store(i, ...a);
    return 0;
  }

  // ---- control -----------------------------------------------------------------------------------------------------

  fwait(): number {
    return this.fsw & ES ? EXIT_MF : 0;
  }

  fnop(): number {
    return this.fwait();
  }

  fincstp(by: number): number {
    if (this.fsw & ES) return EXIT_MF;
    this.turn(by);
    this.fsw &= ~C1;
    return 0;
  }

  ffree(i: number, pop: boolean): number {
    if (this.fsw & ES) return EXIT_MF;
    this.state.set32(ST_FTW, this.state.get32(ST_FTW) | (3 << (this.physical(i) * 2)));
    if (pop) this.turn(1);
    return 0;
  }

  fninit(): number {
    this.state.set32(ST_FCW, 0x37f);
    this.fsw = 0;
    this.state.set32(ST_FTW, 0xffff);
    for (const o of [ST_FOP, ST_FIP, ST_FIP + 4, ST_FDP, ST_FDP + 4]) this.state.set32(o, 0);
    return 0;
  }

  fnclex(): number {
    this.fsw &= 0x7f00;
    return 0;
  }

  fldcw(addr: number): number {
    if (this.fsw & ES) return EXIT_MF;
    this.setControl(this.mem.dv.getUint16(addr, true));
    return 0;
  }

  private setControl(fcw: number): void {
    this.state.set32(ST_FCW, (fcw & 0x1f3f) | 0x40);
    this.setStatus(this.fsw);
  }

  /** ES and B follow from the exceptions and the masks. */
  private setStatus(fsw: number): void {
    fsw &= ~(ES | BUSY);
    this.fsw = fsw & ~this.fcw & 0x3f ? fsw | ES | BUSY : fsw;
  }

  fnstcw(addr: number): number {
    this.mem.dv.setUint16(addr, this.fcw, true);
    return 0;
  }

  fnstsw(addr: number): number {
    this.mem.dv.setUint16(addr, this.fsw, true);
    return 0;
  }

  /** The full tag word: valid, zero, special, empty, two bits per physical register. */
  private tags(): number {
    const ftw = this.state.get32(ST_FTW), top = (this.fsw >> 11) & 7;
    let tags = 0;
    for (let p = 0; p < 8; p++) {
      let t = 3;
      if (((ftw >> (p * 2)) & 3) !== 3) {
        const k = classify(...this.load(p - top, this.a));
        t = k === NORMAL ? 0 : k === ZERO ? 1 : 2;
      }
      tags |= t << (p * 2);
    }
    return tags;
  }

  /** FNSTENV: 28 bytes, or 14 with an operand-size prefix. Masks all exceptions. */
  fnstenv(addr: number, wide: boolean): number {
    const dv = this.mem.dv, s = this.state;
    const words = [this.fcw, this.fsw, this.tags()];
    if (wide) {
      words.forEach((w, i) => dv.setUint32(addr + i * 4, w | 0xffff0000, true));
      dv.setUint32(addr + 12, s.get32(ST_FIP), true);
      dv.setUint32(addr + 16, (s.get32(ST_FOP) & 0x7ff) << 16, true);
      dv.setUint32(addr + 20, s.get32(ST_FDP), true);
      dv.setUint32(addr + 24, 0xffff0000, true);
    } else {
      words.forEach((w, i) => dv.setUint16(addr + i * 2, w, true));
      for (let i = 6; i < 14; i += 2) dv.setUint16(addr + i, 0, true);
    }
    this.state.set32(ST_FCW, this.fcw | 0x3f);
    this.setStatus(this.fsw);
    return 0;
  }

  fldenv(addr: number, wide: boolean): number {
    if (this.fsw & ES) return EXIT_MF;
    const dv = this.mem.dv, n = wide ? 4 : 2;
    const ftw = dv.getUint16(addr + 2 * n, true);
    let tags = 0;
    for (let p = 0; p < 8; p++) if (((ftw >> (p * 2)) & 3) === 3) tags |= 3 << (p * 2);
    this.state.set32(ST_FTW, tags);
    this.state.set32(ST_FSW, dv.getUint16(addr + n, true));
    this.setControl(dv.getUint16(addr, true));
    if (wide) {
      this.state.set32(ST_FIP, dv.getInt32(addr + 12, true));
      this.state.set32(ST_FIP + 4, 0);
      this.state.set32(ST_FOP, dv.getUint16(addr + 18, true) & 0x7ff);
      this.state.set32(ST_FDP, dv.getInt32(addr + 20, true));
      this.state.set32(ST_FDP + 4, 0);
    }
    return 0;
  }

  fnsave(addr: number, wide: boolean): number {
    const regs = addr + (wide ? 28 : 14);
    this.fnstenv(addr, wide);
    for (let i = 0; i < 8; i++) this.write80(regs + i * 10, ...this.load(i, this.a));
    return this.fninit();
  }

  frstor(addr: number, wide: boolean): number {
    const r = this.fldenv(addr, wide);
    if (r) return r;
    const regs = addr + (wide ? 28 : 14), dv = this.mem.dv, tags = this.state.get32(ST_FTW);
    for (let i = 0; i < 8; i++) this.store(i, dv.getUint16(regs + i * 10 + 8, true), dv.getUint32(regs + i * 10 + 4, true), dv.getUint32(regs + i * 10, true));
    this.state.set32(ST_FTW, tags);
    return 0;
  }

  // ---- FXSAVE ------------------------------------------------------------------------------------------------------

  /** The x87 half of an FXSAVE image: bytes 0–23 and 32–159. */
  fxsave(addr: number): void {
    const dv = this.mem.dv, s = this.state;
    const ftw = s.get32(ST_FTW);
    let valid = 0;
    for (let p = 0; p < 8; p++) if (((ftw >> (p * 2)) & 3) !== 3) valid |= 1 << p;
    dv.setUint16(addr, this.fcw, true);
    dv.setUint16(addr + 2, this.fsw, true);
    dv.setUint16(addr + 4, valid, true);
    dv.setUint16(addr + 6, s.get32(ST_FOP) & 0x7ff, true);
    for (const [to, from] of [[8, ST_FIP], [16, ST_FDP]] as const) {
      dv.setInt32(addr + to, s.get32(from), true);
      dv.setInt32(addr + to + 4, s.get32(from + 4), true);
    }
    for (let i = 0; i < 8; i++) {
      const [se, hi, lo] = this.load(i, this.a);
      this.write80(addr + 32 + i * 16, se, hi, lo);
      dv.setUint16(addr + 42 + i * 16, 0, true);
      dv.setUint32(addr + 44 + i * 16, 0, true);
    }
  }

  fxrstor(addr: number): void {
    const dv = this.mem.dv, s = this.state;
    const valid = dv.getUint8(addr + 4);
    s.set32(ST_FSW, dv.getUint16(addr + 2, true));
    for (let i = 0; i < 8; i++) this.store(i, dv.getUint16(addr + 40 + i * 16, true), dv.getUint32(addr + 36 + i * 16, true), dv.getUint32(addr + 32 + i * 16, true));
    let tags = 0;
    for (let p = 0; p < 8; p++) if (!((valid >> p) & 1)) tags |= 3 << (p * 2);
    s.set32(ST_FTW, tags);
    s.set32(ST_FOP, dv.getUint16(addr + 6, true) & 0x7ff);
    for (const [from, to] of [[8, ST_FIP], [16, ST_FDP]] as const) {
      s.set32(to, dv.getInt32(addr + from, true));
      s.set32(to + 4, dv.getInt32(addr + from + 4, true));
    }
    this.setControl(dv.getUint16(addr, true));
  }

  /** What every MMX instruction but EMMS does to the stack: TOP 0, all valid. EXIT_MF if an exception is pending. */
  mmx(): number {
    if (this.fsw & ES) return EXIT_MF;
    this.fsw &= ~0x3800;
    this.state.set32(ST_FTW, 0);
    return 0;
  }

  emms(): number {
    if (this.fsw & ES) return EXIT_MF;
    this.state.set32(ST_FTW, 0xffff);
    return 0;
  }
}

