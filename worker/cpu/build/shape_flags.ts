// worker/cpu/build/shape_flags.ts — flags in tier 0: noted while a function is written, and in the state block when it is left, or when somebody looks there.

import type { Condition, FlagKind } from "../flags.ts";
import { CONDITIONS, FL_ADD, FL_BITS, FL_DEC, FL_EXPLICIT, FL_INC, FL_SUB, FLAG_KINDS } from "../flags.ts";
import { AF, CF, OF, STATUS_FLAGS, ST_FL_A, ST_FL_B, ST_FL_OP, ST_FL_RES } from "../state.ts";
import { WasmBuilder } from "./wasm.ts";

/** A setter of the flags: see flags.ts; values as they are, not extended. No b: it is 0. With `carry`, b is CF, as an i64. */
interface FlagNote {
  readonly op: number;
  readonly size: number;
  readonly r: number;
  readonly a: number;
  readonly b: number | undefined;
  readonly carry: boolean;
}

export abstract class NotedFlags extends WasmBuilder {
  /** It sets flags in a branch: they must be in the state block before it. */
  perhaps = false;
  /** What the flags are, if that is not in the state block yet; and whether this instruction has set them */
  protected noted: FlagNote | undefined;
  protected notedHere = false;
  /** branches and loops around what is emitted */
  protected depth = 0;

  /** Only the flags need what the instruction has worked out. */
  protected release(): void {
    this.barrier();
    if (this.noted === undefined) return this.releaseTemps();
    const keep = (v: number): number => {
      if (v >= 0) return v;
      this.get(v);
      return this.take(this.typeOf(v));
    };
    const { op, size, r, a, b, carry } = this.noted;
    const noted = { op, size, r: keep(r), a: keep(a), b: b === undefined ? undefined : keep(b), carry };
    this.noted = noted;
    const values = [noted.r, noted.a];
    if (noted.b !== undefined) values.push(noted.b);
    this.releaseTemps([...new Set(values)]);
  }
  private wide(size: number, v: number): number {
    return this.sext(this.signed(size, v));
  }
  /** These are the flags now. */
  private note(f: FlagNote): void {
    this.change();
    if (this.depth > 0) this.storeNote(f);
    else {
      this.noted = f;
      this.notedHere = true;
    }
  }
  /** The flags are going to change; perhaps, if that is within a branch. */
  private change(): void {
    if (this.depth === 0) this.noted = undefined;
    else if (this.noted !== undefined) throw new Error(`${this.form.name}: the flags before a branch that sets them are not in the state block`);
    else this.perhaps = true;
  }
  private storeNote({ op, size, r, a, b, carry }: FlagNote): void {
    this.setState(ST_FL_OP, this.i32(op));
    this.setState(ST_FL_RES, this.wide(size, r));
    this.setState(ST_FL_A, this.wide(size, a));
    this.setState(ST_FL_B, b === undefined ? this.i64(0) : carry ? b : this.wide(size, b));
  }
  /** On this way the flags are in the state block. */
  protected storeFlags(): void {
    if (this.noted !== undefined) this.storeNote(this.noted);
  }
  /** From here on they are there. */
  protected settle(): void {
    this.storeFlags();
    if (this.depth === 0) this.noted = undefined;
  }
  flags(kind: FlagKind, size: number, r: number, x?: number, y?: number): void {
    // a logical result is as a comparison with zero: every condition comes out right
    if (kind === "logic") this.note({ op: FL_SUB, size, r, a: r, b: undefined, carry: false });
    else if (kind === "inc" || kind === "dec") {
      const c = this.zext(this.cond("b"));
      const one = this.imm(1, this.typeOf(r) === "i64" ? 8 : 4);
      const before = kind === "inc" ? this.sub(r, one) : this.add(r, one);
      this.note({ op: kind === "inc" ? FL_INC : FL_DEC, size, r, a: before, b: c, carry: true });
    } else this.note({ op: FLAG_KINDS[kind], size, r, a: x!, b: y!, carry: false });
  }
  flagsFrom(size: number, r: number, c?: number, o?: number, a?: number): void {
    this.instead(FL_EXPLICIT, this.wide(size, r), this.zext(this.flagImage(c, o, a)));
  }
  flagsLater(size: number, r: number, of: readonly number[], work: (of: readonly number[]) => [c: number, o?: number]): void {
    this.flagsFrom(size, r, ...work(of));
  }
  setFlags(which: number, image: number): void {
    let bits = this.and(image, this.i32(which));
    if (which !== STATUS_FLAGS) bits = this.or(bits, this.and(this.getFlags(), this.i32(STATUS_FLAGS & ~which)));
    this.instead(FL_BITS, this.i64(0), this.zext(bits));
  }
  /** Flags that are worked out are written at once. */
  private instead(op: number, r: number, a: number): void {
    this.change();
    this.setState(ST_FL_OP, this.i32(op));
    this.setState(ST_FL_RES, r);
    this.setState(ST_FL_A, a);
    this.setState(ST_FL_B, this.i64(0));
  }
  getFlags(): number {
    this.settle();
    this.callImport("$getflags");
    return this.take("i32");
  }
  cond(cc: Condition): number {
    const n = CONDITIONS.indexOf(cc), positive = CONDITIONS[n & ~1]!;
    const v = this.fromNote(positive) ?? this.positive(positive);
    return n & 1 ? this.eqz(v) : v;
  }
  /** A condition, from what the flags were noted as, if that is easy. */
  private fromNote(cc: Condition): number | undefined {
    if (this.noted === undefined) return undefined;
    const { op, size, r, a, b } = this.noted;
    const n = (v: number): number => this.signed(size, v);
    const zero = this.imm(0, this.typeOf(r) === "i64" ? 8 : 4);
    if (cc === "e") return this.eqz(n(r));
    if (cc === "s") return this.cmp("lt_s", n(r), zero);
    if (op !== FL_SUB) return undefined;
    const compare = ({ b: "lt_u", be: "le_u", l: "lt_s", le: "le_s" } as const)[cc as string];
    return compare === undefined ? undefined : this.cmp(compare, n(a), b === undefined ? zero : n(b));
  }
  override when(c: number, yes: () => void, no?: () => void): void {
    this.inBranch(() => super.when(c, yes, no));
  }
  override loop(cond: () => number, body: () => void): void {
    this.inBranch(() => super.loop(cond, body));
  }
  private inBranch(emit: () => void): void {
    // what comes may set flags, too, or not
    if (this.notedHere) this.settle();
    this.depth++;
    emit();
    this.depth--;
  }
  private positive(cc: Condition): number {
    this.settle();
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
      this.byte(0x0f); // return
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
}
