// worker/cpu/x87.ts — the x87's arithmetic, comparison and control: one method per instruction.  cf. SDM Vol. 1 chapter 8

import { EXIT_MF } from "./exit.ts";
import { classify, DE, IE, INFINITY, NORMAL, QNAN, SNAN, UNSUPPORTED, ZE, ZERO } from "./float80.ts";
import { Float80Math } from "./float80_math.ts";
import { ST_FCW, ST_FDP, ST_FIP, ST_FOP, ST_FSW, ST_FTW } from "./state.ts";
import { BUSY, C0, C1, C2, C3, ES, type MemKind, SF, type Words, X87Stack } from "./x87_stack.ts";

export type { MemKind };

const CONDITION_BITS = C0 | C1 | C2 | C3;

/** The operations of the D8 column. */
export type Arith = "add" | "mul" | "sub" | "subr" | "div" | "divr";

export class X87 extends X87Stack {
  // ---- arithmetic --------------------------------------------------------------------------------------------------

  /** result = (a) op (b) */
  private apply(op: Arith, ase: number, ahi: number, alo: number, bse: number, bhi: number, blo: number): void {
    const f = this.f;
    switch (op) {
      case "add": return f.add(ase, ahi, alo, bse, bhi, blo);
      case "mul": return f.mul(ase, ahi, alo, bse, bhi, blo);
      case "sub": return f.sub(ase, ahi, alo, bse, bhi, blo);
      case "subr": return f.sub(bse, bhi, blo, ase, ahi, alo);
      case "div": return f.div(ase, ahi, alo, bse, bhi, blo);
      default: return f.div(bse, bhi, blo, ase, ahi, alo);
    }
  }

  /** st(dst) = st(dst) op st(src). */
  arith_st(op: Arith, dst: number, src: number, pop: boolean): number {
    const r = this.begin();
    if (r) return r;
    if (this.empty(dst) || this.empty(src)) {
      if (this.underflow()) return 0;
    } else {
      const u32 = this.u32, a = this.fprAt + this.physical(dst) * 4, b = this.fprAt + this.physical(src) * 4;
      this.apply(op, u32[a + 2]! & 0xffff, u32[a + 1]!, u32[a]!, u32[b + 2]! & 0xffff, u32[b + 1]!, u32[b]!);
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
      const a = this.a, b = this.b;
      this.apply(op, a[0], a[1], a[2], b[0], b[1], b[2]);
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
    this.fsw &= ~C2;
    if (this.empty(0) || this.empty(1)) {
      if (this.underflow()) return 0;
    } else {
      f.rem(this.load(0, this.a), this.load(1, this.b), nearest);
      if (this.raise(IE | DE | ZE, (f.quotient & 1) !== 0)) return 0;
      if ((f.se & 0x7fff) !== 0x7fff) this.fsw = (this.fsw & ~(C0 | C3)) | (f.partial ? C2 : 0) | (f.quotient & 4 ? C0 : 0) | (f.quotient & 2 ? C3 : 0);
    }
    this.store(0, f.se, f.hi, f.lo);
    return 0;
  }

  /** For instructions that push a second result: an empty source or a full stack, which is answered here with two default NaNs. True if it was one. */
  private stackFault(): boolean {
    if (!this.empty(0) && this.empty(-1)) return false;
    const { f } = this;
    const over = !this.empty(0);
    f.invalid();
    this.fsw |= SF;
    if (this.raise(IE, over)) return true;
    this.store(0, f.se, f.hi, f.lo);
    this.pushResult();
    return true;
  }

  fxtract(): number {
    const r = this.beginExact();
    if (r) return r;
    const f = this.f;
    if (this.stackFault()) return 0;
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
    if (this.stackFault()) return 0;
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

  private rel = 2;
  /** What a comparison of st(0) with b says: -1, 0, 1, 2; undefined if an unmasked exception stops it. */
  private relation(empty: boolean, signalling: boolean, raised: number): number | undefined {
    this.rel = 2;
    if (empty) return this.underflow() ? undefined : 2;
    const rel = this.f.compare(...this.a, ...this.b, signalling);
    this.rel = rel;
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
    if (rel === undefined) return this.stoppedCompare();
    this.codes(rel);
    for (; pops > 0; pops--) this.pop();
    return 0;
  }

  /** An unmasked exception leaves the condition codes as they would be, but nothing is popped. */
  private stoppedCompare(): number {
    this.codes(this.rel);
    return 0;
  }

  compare_mem(kind: MemKind, addr: number, pop: boolean): number {
    const r = this.begin();
    if (r) return r;
    const empty = this.empty(0);
    this.load(0, this.a);
    const raised = empty ? 0 : this.fetchSource(kind, addr);
    const rel = this.relation(empty, true, raised);
    if (rel === undefined) return this.stoppedCompare();
    this.codes(rel);
    if (pop) this.pop();
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
    const c1 = this.fsw & C1;
    const rel = this.relation(empty, signalling, 0);
    const said = this.rel;
    this.flagsOut = said === 2 ? 0x45 : said < 0 ? 1 : said === 0 ? 0x40 : 0;
    if (!empty) this.fsw |= c1;
    if (rel !== undefined && pop) this.pop();
    return 0;
  }

  ftst(): number {
    const r = this.begin();
    if (r) return r;
    this.load(0, this.a);
    this.b[0] = this.b[1] = this.b[2] = 0;
    const rel = this.relation(this.empty(0), true, 0);
    if (rel === undefined) return this.stoppedCompare();
    this.codes(rel);
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
    if (pop) this.pop();
    this.fsw &= ~C1;
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
    this.fsw &= ~0x3800;
    this.state.set32(ST_FTW, 0xffff);
    return 0;
  }
}

