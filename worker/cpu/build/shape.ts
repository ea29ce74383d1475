// worker/cpu/build/shape.ts — tier 0's builder: one wasm function per shape, operand fields loaded from the decoded record.
//
// A shape function is (record, left) → next record. 1 instead says: see ST_EXIT. `left` is how many instructions may still retire.

import type { Shape } from "../decode.ts";
import { EXIT_KERNEL } from "../exit.ts";
import type { Condition, FlagKind } from "../flags.ts";
import { FL_ADD, FL_BITS, FL_DEC, FL_EXPLICIT, FL_INC, FL_SUB, FLAG_KINDS, CONDITIONS } from "../flags.ts";
import { STATUS_FLAGS, ST_EXIT, ST_FL_A, ST_FL_B, ST_FL_OP, ST_FL_RES, ST_LEFT, ST_RIP, ST_XMM, ST_FPR, CF, OF, AF } from "../state.ts";
import type { InsnForm, Operand } from "./builder.ts";
import { WasmBuilder } from "./wasm.ts";
import type { WasmLayout } from "./wasm.ts";

// The decoded record: REC_SIZE bytes.
/** u32: table slot of the shape function */
export const REC_FN = 0;
/** u32: address of the instruction; of the next one */
export const REC_RIP = 4;
export const REC_NEXT = 8;
/** u32 x 3: addresses of the register homes of operands 0–2; a second immediate */
export const REC_OP = 12;
/** u32: addresses of the homes of base and index; shift count of the index; address of the home of the segment base */
export const REC_BASE = 24;
export const REC_INDEX = 28;
export const REC_SCALE = 32;
export const REC_SEGMENT = 36;
/** i64 */
export const REC_DISP = 40;
export const REC_IMM = 48;
/** u32: record of the branch target once known */
export const REC_CHAIN = 56;
/** u32: times a branch that counts was taken, counting down; or compiled code's slot */
export const REC_HOT = 60;
export const REC_SIZE = 64;
/** Operands that a record has room for. */
export const REC_OPERANDS = 3;

export class ShapeBuilder extends WasmBuilder {
  form: InsnForm = { name: "", operands: [], rep: 0, opsize: 0, addrsize: 8 };
  private shape: Shape | undefined;
  /** Times that a branch target is reached before EXIT_HOT; 0: not counted, there is no compiled tier. */
  private readonly hot: number;

  constructor(layout: WasmLayout, imports: Map<string, number>, hot: number) {
    super(layout, imports);
    this.hot = hot;
  }

  /** Starts a function; then comes the definition; then finish(). */
  begin(shape: Shape | undefined, params = 2): void {
    this.code.len = 0;
    this.releaseTemps();
    this.types = params === 2 ? ["i32", "i32"] : [];
    this.free.clear();
    this.barrier();
    this.shape = shape;
    if (shape !== undefined) this.form = shape.form;
  }
  /** After the definition: on to the next record. */
  finish(): void {
    this.byte(0x20);
    this.byte(0);
    this.i32const(REC_SIZE);
    this.byte(0x6a);
    this.byte(0x0b);
  }
  /** Emits the return of an i32 value that is on the stack. */
  private ret32(): void {
    this.byte(0x0f);
  }

  /** A field of the record: i32, or i64 with opcode 0x29. */
  private field(offset: number, opcode = 0x28): void {
    this.byte(0x20);
    this.byte(0);
    this.memarg(opcode, 0, offset);
  }
  private home(o: Operand): void {
    this.field(REC_OP + 4 * o.index);
  }

  read(o: Operand): number {
    switch (o.kind) {
      case "reg":
        this.home(o);
        this.memarg(o.size === 8 ? 0x29 : o.size === 4 ? 0x28 : o.size === 2 ? 0x2f : 0x2d, 0, 0);
        return this.take(o.size === 8 ? "i64" : "i32");
      case "mem":
        return this.load(o.size, this.address(o));
      case "imm":
        if (this.secondImmediate(o)) this.home(o);
        else this.field(REC_IMM, o.size === 8 ? 0x29 : 0x28);
        return this.take(o.size === 8 ? "i64" : "i32");
      case "mm":
        this.home(o);
        this.memarg(0x29, 0, 0);
        return this.take("i64");
      default:
        throw new Error(`${this.form.name}: read of ${o.kind}`);
    }
  }
  private secondImmediate(o: Operand): boolean {
    return this.form.operands.some((p) => p.kind === "imm" && p.index < o.index);
  }
  write(o: Operand, v: number): void {
    if (o.kind === "mem") {
      this.store(o.size, this.address(o), v);
      return;
    }
    if (o.kind !== "reg" && o.kind !== "mm") throw new Error(`${this.form.name}: write of ${o.kind}`);
    if (o.kind === "mm") {
      // the upper part of the x87 register that it lies in becomes all ones
      this.home(o);
      this.i32const(0xffff);
      this.memarg(0x3b, 0, 8);
    }
    this.home(o);
    this.storeRegister(o.size, v);
  }
  /** Address of the home is on the stack. */
  private storeRegister(size: number, v: number, offset = 0): void {
    const wide = this.typeOf(v) === "i64";
    this.get(v);
    if (size === 8) this.memarg(0x37, 0, offset);
    else if (size === 4) {
      if (wide) {
        this.byte(0xa7);
      }
      this.byte(0xad); // i64.extend_i32_u
      this.memarg(0x37, 0, offset);
    } else if (size === 2) this.memarg(wide ? 0x3d : 0x3b, 0, offset);
    else this.memarg(wide ? 0x3c : 0x3a, 0, offset);
  }
  reg(n: number, size: number): number {
    this.i32const(0);
    this.memarg(size === 8 ? 0x29 : size === 4 ? 0x28 : size === 2 ? 0x2f : 0x2d, 0, this.layout.state + 8 * n);
    return this.take(size === 8 ? "i64" : "i32");
  }
  setReg(n: number, size: number, v: number): void {
    this.i32const(0);
    this.storeRegister(size, v, this.layout.state + 8 * n);
  }
  readAh(): number {
    this.i32const(0);
    this.memarg(0x2d, 0, this.layout.state + 1);
    return this.take("i32");
  }
  writeAh(v: number): void {
    this.i32const(0);
    this.storeRegister(1, v, this.layout.state + 1);
  }
  regX(n: number): number {
    this.i32const(0);
    this.simd(0);
    this.code.u32(0);
    this.code.u32(this.layout.state + ST_XMM + 32 * n);
    return this.take("v128");
  }
  setRegX(n: number, x: number): void {
    this.i32const(0);
    this.get(x);
    this.simd(11);
    this.code.u32(0);
    this.code.u32(this.layout.state + ST_XMM + 32 * n);
  }
  protected highHome(o: Operand): number {
    this.home(o);
    return 16;
  }
  protected readXmm(o: Operand): number {
    this.home(o);
    this.simd(0);
    this.code.u32(0);
    this.code.u32(0);
    return this.take("v128");
  }
  protected writeXmm(o: Operand, x: number): void {
    this.home(o);
    this.get(x);
    this.simd(11);
    this.code.u32(0);
    this.code.u32(0);
  }

  offset(_o: Operand): number {
    const s = this.shape!;
    this.field(REC_DISP, 0x29);
    if (s.hasBase) {
      this.field(REC_BASE);
      this.memarg(0x29, 0, 0);
      this.byte(0x7c);
    }
    if (s.hasIndex) {
      this.field(REC_INDEX);
      this.memarg(0x29, 0, 0);
      this.field(REC_SCALE, 0x35); // i64.load32_u
      this.byte(0x86);
      this.byte(0x7c);
    }
    if (this.form.addrsize === 4) {
      this.byte(0xa7);
      this.byte(0xad);
    }
    return this.take("i64");
  }
  address(o: Operand): number {
    const a = this.offset(o);
    return this.shape!.hasSegment ? this.addSegment(a) : a;
  }
  /** For string instructions, whose registers are not in the record. */
  segmentBase(): number {
    if (!this.shape!.hasSegment) return this.i64(0);
    this.field(REC_SEGMENT);
    this.memarg(0x29, 0, 0);
    return this.take("i64");
  }
  private addSegment(a: number): number {
    return this.add(a, this.segmentBase());
  }

  nextRip(): number {
    this.field(REC_NEXT, 0x35);
    return this.take("i64");
  }
  thisRip(): number {
    this.field(REC_RIP, 0x35);
    return this.take("i64");
  }

  protected emitFault(address: number, n: number, kind: number): void {
    this.field(REC_RIP, 0x35);
    this.get(address);
    this.i32const(n);
    this.i32const(kind);
    this.callImport("$fault");
    this.i32const(1);
    this.ret32();
  }
  protected emitCodeHit(address32: number, n: number): void {
    this.get(address32);
    this.i32const(n);
    this.callImport("$code_hit");
  }
  protected emitTrap(exit: number): void {
    this.setState(ST_RIP, this.thisRip());
    this.setState(ST_EXIT, exit);
    this.i32const(1);
    this.ret32();
  }
  leave(exit: number, rip?: number): void {
    this.setState(ST_RIP, rip ?? this.nextRip());
    this.setState(ST_EXIT, this.i32(exit));
    this.i32const(1);
    this.ret32();
  }
  kernel(): void {
    this.call("door", [this.thisRip()]);
    this.leave(EXIT_KERNEL);
  }
  jump(rip: number): void {
    this.get(rip);
    this.callImport(this.hot > 0 ? "$lookup_hot" : "$lookup");
    this.ret32();
  }
  jumpCall(rip: number): void {
    this.jump(rip);
  }
  jumpRet(rip: number): void {
    // where a call returns to is not worth compiling by itself
    this.get(rip);
    this.callImport("$lookup");
    this.ret32();
  }
  branch(_target: Operand, c?: number): void {
    if (c !== undefined) {
      this.get(c);
      this.if();
    }
    this.byte(0x20);
    this.byte(0);
    this.memarg(0x28, 0, REC_CHAIN);
    const chain = this.take("i32");
    this.get(chain);
    this.if();
    if (this.hot > 0) {
      // counts; from the last but one time on, $hot decides
      this.get(chain);
      this.memarg(0x28, 0, REC_HOT);
      const n = this.take("i32");
      this.get(n);
      this.i32const(this.hot - 1);
      this.byte(0x49); // i32.lt_u
      this.if();
      this.get(chain);
      this.get(n);
      this.i32const(1);
      this.byte(0x6a);
      this.memarg(0x36, 0, REC_HOT);
      this.else();
      this.get(chain);
      this.callImport("$hot");
      this.ret32();
      this.end();
    }
    this.get(chain);
    this.ret32();
    this.end();
    this.byte(0x20);
    this.byte(0);
    this.callImport("$link");
    this.ret32();
    if (c !== undefined) this.end();
  }
  branchCall(target: Operand): void {
    this.branch(target);
  }

  // ---- flags: written to the state block at once

  private setFlagState(op: number, r: number, a: number, b: number): void {
    this.setState(ST_FL_OP, this.i32(op));
    this.setState(ST_FL_RES, r);
    this.setState(ST_FL_A, a);
    this.setState(ST_FL_B, b);
  }
  private wide(size: number, v: number): number {
    return this.sext(this.signed(size, v));
  }
  flags(kind: FlagKind, size: number, r: number, x?: number, y?: number): void {
    if (kind === "logic") {
      // as a comparison with zero: every condition comes out right
      const wide = this.wide(size, r);
      this.setFlagState(FL_SUB, wide, wide, this.i64(0));
    } else if (kind === "inc" || kind === "dec") {
      const c = this.cond("b");
      const one = this.imm(1, this.typeOf(r) === "i64" ? 8 : 4);
      const before = kind === "inc" ? this.sub(r, one) : this.add(r, one);
      this.setFlagState(kind === "inc" ? FL_INC : FL_DEC, this.wide(size, r), this.wide(size, before), this.zext(c));
    } else {
      this.setFlagState(FLAG_KINDS[kind], this.wide(size, r), this.wide(size, x!), this.wide(size, y!));
    }
  }
  flagsFrom(size: number, r: number, c?: number, o?: number, a?: number): void {
    this.setFlagState(FL_EXPLICIT, this.wide(size, r), this.zext(this.flagImage(c, o, a)), this.i64(0));
  }
  flagsLater(size: number, r: number, of: readonly number[], work: (of: readonly number[]) => [c: number, o?: number]): void {
    this.flagsFrom(size, r, ...work(of));
  }
  setFlags(which: number, image: number): void {
    let bits = this.and(image, this.i32(which));
    if (which !== STATUS_FLAGS) bits = this.or(bits, this.and(this.getFlags(), this.i32(STATUS_FLAGS & ~which)));
    this.setFlagState(FL_BITS, this.i64(0), this.zext(bits), this.i64(0));
  }
  getFlags(): number {
    this.callImport("$getflags");
    return this.take("i32");
  }
  cond(cc: Condition): number {
    const n = CONDITIONS.indexOf(cc);
    const v = this.positive(CONDITIONS[n & ~1]!);
    return n & 1 ? this.eqz(v) : v;
  }
  private positive(cc: Condition): number {
    const bit = (n: number): number => this.and(this.shr(this.getFlags(), this.i32(n)), this.i32(1));
    const result = this.variable(this.i32(0));
    const fast = (test: number, quick: () => number, slow: () => number): number => {
      this.when(test, () => this.assign(result, quick()), () => this.assign(result, slow()));
      return result;
    };
    const isSub = (): number => this.eqz(this.getState(ST_FL_OP, "i32"));
    const notBits = (): number => this.cmp("ne", this.getState(ST_FL_OP, "i32"), this.i32(FL_BITS));
    const a = (): number => this.getState(ST_FL_A, "i64"), b = (): number => this.getState(ST_FL_B, "i64");
    const r = (): number => this.getState(ST_FL_RES, "i64");
    switch (cc) {
      case "e":
        return fast(notBits(), () => this.eqz(r()), () => bit(6));
      case "s":
        return fast(notBits(), () => this.cmp("lt_s", r(), this.i64(0)), () => bit(7));
      case "b":
        return fast(isSub(), () => this.cmp("lt_u", a(), b()), () => bit(0));
      case "be":
        return fast(isSub(), () => this.cmp("le_u", a(), b()), () => this.nez(this.and(this.getFlags(), this.i32(0x41))));
      case "l":
        return fast(isSub(), () => this.cmp("lt_s", a(), b()), () => {
          const f = this.getFlags();
          return this.and(this.xor(this.shr(f, this.i32(7)), this.shr(f, this.i32(11))), this.i32(1));
        });
      case "le":
        return fast(isSub(), () => this.cmp("le_s", a(), b()), () => {
          const f = this.getFlags();
          const l = this.xor(this.shr(f, this.i32(7)), this.shr(f, this.i32(11)));
          return this.and(this.or(l, this.shr(f, this.i32(6))), this.i32(1));
        });
      case "o":
        return bit(11);
      default: // "p"
        return bit(2);
    }
  }

  /** The body of $getflags: the six flags from the state block. Type: () → i32. */
  emitGetFlags(): void {
    const op = this.getState(ST_FL_OP, "i32"), a = this.getState(ST_FL_A, "i64"), b = this.getState(ST_FL_B, "i64");
    const r = this.getState(ST_FL_RES, "i64");
    const is = (kind: number): number => this.cmp("eq", op, this.i32(kind));
    this.when(is(FL_BITS), () => {
      this.get(this.and(this.trunc(a), this.i32(STATUS_FLAGS)));
      this.ret32();
    });
    const sign = (v: number, to: number): number => this.shl(this.trunc(this.shr(v, this.i64(63))), this.i32(to));
    const not = (v: number): number => this.xor(v, this.i64(-1));
    const p = this.xor(this.trunc(r), this.shr(this.and(this.trunc(r), this.i32(0xff)), this.i32(4)));
    const even = this.xor(this.and(this.shr(this.i32(0x6996), this.and(p, this.i32(15))), this.i32(1)), this.i32(1));
    let f = this.or(this.shl(even, this.i32(2)), this.shl(this.eqz(r), this.i32(6)));
    f = this.variable(this.or(f, sign(r, 7)));
    const or = (v: number): void => this.assign(f, this.or(f, v));
    const af = (): void => or(this.and(this.trunc(this.xor(this.xor(a, b), r)), this.i32(0x10)));
    this.when(is(FL_EXPLICIT), () => or(this.and(this.trunc(a), this.i32(CF | OF | AF))), () => {
      this.when(this.cmp("ge_u", op, this.i32(FL_INC)), () => {
        or(this.and(this.trunc(b), this.i32(1)));
        or(this.and(this.trunc(this.xor(a, r)), this.i32(0x10)));
        this.when(is(FL_INC), () => or(sign(this.and(not(a), r), 11)), () => or(sign(this.and(a, not(r)), 11)));
      }, () => {
        af();
        // add and adc are odd-and-even neighbours 1 and 2, sub and sbb 0 and 3
        this.when(this.or(is(FL_ADD), is(FLAG_KINDS.adc)), () => {
          or(sign(this.or(this.and(a, b), this.and(this.or(a, b), not(r))), 0));
          or(sign(this.and(this.xor(a, r), this.xor(b, r)), 11));
        }, () => {
          or(sign(this.or(this.and(not(a), b), this.and(this.or(not(a), b), r)), 0));
          or(sign(this.and(this.xor(a, b), this.xor(a, r)), 11));
        });
      });
    });
    this.get(f);
    this.byte(0x0b);
  }

  protected beforeHelper(_name: string): void {
    this.i32const(0);
    this.byte(0x20);
    this.byte(1);
    this.memarg(0x36, 0, this.layout.state + ST_LEFT);
  }
  protected afterHelper(_name: string): void {
    // registers are in the state block: nothing to reload
  }
}

/** Where mm registers are: offset of the home in the state block. */
export function mmHome(n: number): number {
  return ST_FPR + 16 * n;
}
