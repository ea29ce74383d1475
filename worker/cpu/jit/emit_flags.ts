// worker/cpu/jit/emit_flags.ts — flags in compiled code: set by noting operands, worked out when somebody asks (flag_record.ts).
import type { Condition, FlagKind } from "../flags.ts";
import { CONDITIONS, FL_ADD, FL_BITS, FL_DEC, FL_EXPLICIT, FL_INC, FL_SUB, FLAG_KINDS } from "../flags.ts";
import type { Bytes } from "../build/module.ts";
import { WasmBuilder } from "../build/wasm.ts";
import { STATUS_FLAGS, ST_FL_A, ST_FL_B, ST_FL_OP, ST_FL_RES } from "../state.ts";
import { CANON, GIVEN, MEM, pushLocals, type FlagRecord } from "./flag_record.ts";

/** The even condition that an odd one is the opposite of. */
const OPPOSITE: Partial<Record<Condition, Condition>> = Object.fromEntries(CONDITIONS.flatMap((cc, n) => (n & 1 ? [[cc, CONDITIONS[n - 1]!]] : [])));
/** Bit of the flag that a condition asks for, if it is one flag. */
const SINGLE: Partial<Record<Condition, number>> = { b: 0, p: 2, e: 6, s: 7, o: 11 };

export abstract class FlagBuilder extends WasmBuilder {
  /** where the flags are at this point of the code */
  protected flag: FlagRecord = MEM;
  /** temporaries that `flag` needs alive */
  protected readonly pinned: number[] = [];
  /**
   * The canonical locals: what ST_FL_* hold, but not yet worked out. The low byte of op is ST_FL_OP, the next one by how much a, b and the
   * result are to be shifted up and down again, for their sign; without GIVEN the result is not in res, but a - b or a + b.
   */
  private readonly fl = { op: 0, res: 1, a: 2, b: 3 };

  protected override startCode(code: Bytes, imports: Map<string, number>): void {
    super.startCode(code, imports);
    this.permanent("i32");
    for (let i = 0; i < 3; i++) this.permanent("i64");
    this.setFlag(MEM);
  }
  /** the canonical locals hold the flags as well, whatever `flag` is */
  protected canonToo = false;
  protected setFlag(f: FlagRecord): void {
    this.canonToo = f.kind === "canon";
    this.flag = f;
    const { pinned } = this;
    while (pinned.length > 0) pinned.pop();
    pushLocals(f, pinned);
  }
  /** A value that outlives its instruction: constants are put into a local. */
  protected keep(v: number): number {
    if (v >= 0) return v;
    this.get(v);
    return this.take(this.typeOf(v));
  }

  protected word(opcode: number, offset: number): void {
    this.memarg(opcode, this.layout.state + offset);
  }
  private getFlagLocals(): void {
    const { op, res, a, b } = this.fl;
    this.get(op);
    this.get(res);
    this.get(a);
    this.get(b);
  }
  /** A local becomes this value. */
  private put(local: number, v: number): void {
    this.get(v);
    this.set(local);
    this.barrier();
  }
  /** The canonical locals to the state block. */
  protected storeFlags(): void {
    this.getFlagLocals();
    this.callImport("$settle");
  }
  /** The canonical locals as arguments of a function that may settle them, or that there is nothing to settle. */
  protected passFlags(): void {
    if (this.flag.kind === "canon") this.getFlagLocals();
    else {
      this.i32const(-1);
      for (let i = 0; i < 3; i++) this.i64const(0);
    }
  }
  /** Works out the canonical locals, as $settle does: but for op they are then just as in the state block. The kind, as it would be there. */
  private settle(): number {
    const { op, res, a, b } = this.fl;
    const shift = this.zext(this.and(this.shr(op, this.i32(8)), this.i32(0xff)));
    const wide = (v: number): number => this.sar(this.shl(v, shift), shift);
    const kind = this.and(op, this.i32(0xff));
    const worked = this.select(this.cmp("eq", kind, this.i32(FL_ADD)), this.add(a, b), this.sub(a, b));
    this.put(res, wide(this.select(this.and(op, this.i32(GIVEN)), res, worked)));
    this.put(a, wide(a));
    this.put(b, wide(b));
    this.put(op, this.or(kind, this.i32(GIVEN)));
    return kind;
  }

  // ---- flags

  private wide(size: number, v: number): number {
    return this.sext(this.signed(size, v));
  }
  flags(kind: FlagKind, size: number, r: number, x?: number, y?: number): void {
    if (kind === "logic") this.setFlag({ kind, size, r: this.keep(r) });
    else if (kind === "inc" || kind === "dec") {
      const before = this.flag;
      const carry = before.kind === "inc" || before.kind === "dec" ? before.carry : before;
      this.setFlag({ kind, size, r: this.keep(r), carry });
    } else this.setFlag({ kind, size, r: this.keep(r), x: this.keep(x!), y: this.keep(y!) });
  }
  flagsFrom(size: number, r: number, c?: number, o?: number, a?: number): void {
    const opt = (v: number | undefined): number | undefined => (v === undefined ? undefined : this.keep(v));
    this.setFlag({ kind: "explicit", size, r: this.keep(r), c: opt(c), o: opt(o), a: opt(a) });
  }
  flagsLater(size: number, r: number, of: readonly number[], work: (of: readonly number[]) => [c: number, o?: number]): void {
    this.setFlag({ kind: "later", size, r: this.keep(r), of: of.map((v) => (v < 0 ? this.described(v) : v)), work });
  }
  private now({ of, work }: Extract<FlagRecord, { kind: "later" }>): [c: number, o?: number] {
    return work(of.map((v) => (typeof v === "number" ? v : this.constant(v.type, v.lo, v.hi))));
  }
  setFlags(which: number, image: number): void {
    const bits = this.keep(this.and(image, this.i32(which)));
    if (which === STATUS_FLAGS) {
      this.setFlag({ kind: "bits", image: bits });
      return;
    }
    // a patch that hides the one beneath takes its place; a third on top makes one image of all
    let base = this.flag;
    while (base.kind === "patch" && (base.which & ~which) === 0) base = base.base;
    if (base.kind === "patch" && base.base.kind === "patch") base = { kind: "bits", image: this.keep(this.imageOf(base)) };
    this.setFlag({ kind: "patch", which, image: bits, base });
  }
  getFlags(): number {
    return this.imageOf(this.flag);
  }
  private imageOf(f: FlagRecord): number {
    if (f.kind === "bits") return this.and(f.image, this.i32(STATUS_FLAGS));
    if (f.kind === "patch") return this.or(this.and(this.imageOf(f.base), this.i32(STATUS_FLAGS & ~f.which)), f.image);
    if (f.kind === "mem" || f.kind === "canon") {
      if (f.kind === "canon") this.storeFlags();
      this.callImport("$getflags");
      return this.take("i32");
    }
    let image = this.conditionOf("b", f);
    const or = (c: number, to: number): void => {
      image = this.or(image, this.shl(c, this.i32(to)));
    };
    or(this.conditionOf("p", f), 2);
    or(this.auxiliary(f), 4);
    or(this.conditionOf("e", f), 6);
    or(this.conditionOf("s", f), 7);
    or(this.conditionOf("o", f), 11);
    return image;
  }
  private auxiliary(f: FlagRecord): number {
    const bit4 = (v: number): number => this.and(this.shr(this.trunc(v), this.i32(4)), this.i32(1));
    switch (f.kind) {
      case "logic":
        return this.i32(0);
      case "inc":
      case "dec":
        return bit4(this.xor(f.r, this.stepBack(f.kind, f.r)));
      case "explicit":
        return f.a ?? this.i32(0);
      case "later":
        return this.i32(0);
      case "sub":
      case "add":
      case "adc":
      case "sbb":
        return bit4(this.xor(this.xor(f.x, f.y), f.r));
      default:
        return bit4(this.imageOf(f));
    }
  }
  private stepBack(kind: "inc" | "dec", r: number): number {
    const one = this.typeOf(r) === "i64" ? this.i64(1) : this.i32(1);
    return kind === "inc" ? this.sub(r, one) : this.add(r, one);
  }
  cond(cc: Condition): number {
    const even = OPPOSITE[cc];
    return even === undefined ? this.conditionOf(cc, this.flag) : this.eqz(this.conditionOf(even, this.flag));
  }
  private negative(size: number, v: number): number {
    const s = this.signed(size, v);
    return this.cmp("lt_s", s, this.typeOf(s) === "i64" ? this.i64(0) : this.i32(0));
  }
  /** One of the even conditions, i32, of flags that were set as `f` says. */
  private conditionOf(cc: Condition, f: FlagRecord): number {
    switch (f.kind) {
      case "sub":
        if (cc === "e") return this.cmp("eq", this.mask(f.size, f.x), this.mask(f.size, f.y));
        if (cc === "b") return this.cmp("lt_u", this.mask(f.size, f.x), this.mask(f.size, f.y));
        if (cc === "be") return this.cmp("le_u", this.mask(f.size, f.x), this.mask(f.size, f.y));
        if (cc === "l") return this.cmp("lt_s", this.signed(f.size, f.x), this.signed(f.size, f.y));
        if (cc === "le") return this.cmp("le_s", this.signed(f.size, f.x), this.signed(f.size, f.y));
        if (cc === "o") return this.negative(f.size, this.and(this.xor(f.x, f.y), this.xor(f.x, f.r)));
        return this.fromResult(cc, f.size, f.r);
      case "add":
        if (cc === "b") return this.cmp("lt_u", this.mask(f.size, f.r), this.mask(f.size, f.x));
        if (cc === "o") return this.negative(f.size, this.and(this.xor(f.x, f.r), this.xor(f.y, f.r)));
        return this.combined(cc, f, f.size, f.r);
      case "adc":
        if (cc === "b") return this.negative(f.size, this.or(this.and(f.x, f.y), this.and(this.or(f.x, f.y), this.not(f.r))));
        if (cc === "o") return this.negative(f.size, this.and(this.xor(f.x, f.r), this.xor(f.y, f.r)));
        return this.combined(cc, f, f.size, f.r);
      case "sbb": {
        if (cc === "o") return this.negative(f.size, this.and(this.xor(f.x, f.y), this.xor(f.x, f.r)));
        if (cc !== "b") return this.combined(cc, f, f.size, f.r);
        const nx = this.not(f.x);
        return this.negative(f.size, this.or(this.and(nx, f.y), this.and(this.or(nx, f.y), f.r)));
      }
      case "logic":
        if (cc === "b" || cc === "o") return this.i32(0);
        if (cc === "be") return this.fromResult("e", f.size, f.r);
        if (cc === "l") return this.fromResult("s", f.size, f.r);
        if (cc === "le") {
          const s = this.signed(f.size, f.r);
          return this.cmp("le_s", s, this.typeOf(s) === "i64" ? this.i64(0) : this.i32(0));
        }
        return this.fromResult(cc, f.size, f.r);
      case "inc":
      case "dec": {
        if (cc === "b") return this.conditionOf("b", f.carry);
        if (cc === "o") {
          const x = this.stepBack(f.kind, f.r);
          return this.negative(f.size, f.kind === "inc" ? this.and(this.not(x), f.r) : this.and(x, this.not(f.r)));
        }
        return this.combined(cc, f, f.size, f.r);
      }
      case "explicit":
        if (cc === "b") return f.c ?? this.i32(0);
        if (cc === "o") return f.o ?? this.i32(0);
        return this.combined(cc, f, f.size, f.r);
      case "later":
        if (cc === "b") return this.now(f)[0];
        if (cc === "o") return this.now(f)[1] ?? this.i32(0);
        return this.combined(cc, f, f.size, f.r);
      case "patch": {
        const single = SINGLE[cc];
        if (single !== undefined) return f.which & (1 << single) ? this.and(this.shr(f.image, this.i32(single)), this.i32(1)) : this.conditionOf(cc, f.base);
        if (cc === "be") return this.or(this.conditionOf("b", f), this.conditionOf("e", f));
        const l = this.xor(this.conditionOf("s", f), this.conditionOf("o", f));
        return cc === "l" ? l : this.or(l, this.conditionOf("e", f));
      }
      case "bits":
        return this.fromImage(cc, f.image);
      case "canon":
        return this.fromCanon(cc);
      case "mem":
        return this.fromImage(cc, this.imageOf(f));
    }
  }
  private not(v: number): number {
    return this.xor(v, this.typeOf(v) === "i64" ? this.i64(-1) : this.i32(-1));
  }
  /** e, s, p of a result. */
  private fromResult(cc: Condition, size: number, r: number): number {
    if (cc === "e") return this.eqz(this.mask(size, r));
    if (cc === "s") return this.negative(size, r);
    // parity of the low byte
    const low = this.and(this.trunc(r), this.i32(0xff));
    return this.eqz(this.and(this.op("i32.popcnt", low), this.i32(1)));
  }
  /** be, l and le from the single flags. */
  private combined(cc: Condition, f: FlagRecord, size: number, r: number): number {
    if (cc === "be") return this.or(this.conditionOf("b", f), this.fromResult("e", size, r));
    if (cc === "l") return this.xor(this.fromResult("s", size, r), this.conditionOf("o", f));
    if (cc === "le") return this.or(this.combined("l", f, size, r), this.fromResult("e", size, r));
    return this.fromResult(cc, size, r);
  }
  private fromImage(cc: Condition, image: number): number {
    const bit = (n: number): number => this.and(this.shr(image, this.i32(n)), this.i32(1));
    switch (cc) {
      case "o":
        return bit(11);
      case "b":
        return bit(0);
      case "e":
        return bit(6);
      case "be":
        return this.or(bit(0), bit(6));
      case "s":
        return bit(7);
      case "p":
        return bit(2);
      case "l":
        return this.xor(bit(7), bit(11));
      default: // "le"
        return this.or(this.xor(bit(7), bit(11)), bit(6));
    }
  }
  /** From the canonical locals: a comparison is quick, the rest goes through the image. */
  private fromCanon(cc: Condition): number {
    const op = this.settle();
    const { res, a, b } = this.fl;
    const slow = (): number => {
      // they may be those beneath an inc or dec, so `flag` does not tell
      this.storeFlags();
      this.callImport("$getflags");
      return this.fromImage(cc, this.take("i32"));
    };
    const result = this.variable(this.i32(0));
    const choose = (test: number, quick: () => number): number => {
      super.when(test, () => this.assign(result, quick()), () => this.assign(result, slow()));
      return result;
    };
    const isSub = (): number => this.eqz(op);
    switch (cc) {
      case "e":
        return choose(this.cmp("ne", op, this.i32(FL_BITS)), () => this.eqz(res));
      case "s":
        return choose(this.cmp("ne", op, this.i32(FL_BITS)), () => this.cmp("lt_s", res, this.i64(0)));
      case "b":
        return choose(isSub(), () => this.cmp("lt_u", a, b));
      case "be":
        return choose(isSub(), () => this.cmp("le_u", a, b));
      case "l":
        return choose(isSub(), () => this.cmp("lt_s", a, b));
      case "le":
        return choose(isSub(), () => this.cmp("le_s", a, b));
      default:
        return slow();
    }
  }
  /** Puts the flags into the canonical locals, exactly as the interpreter would have them in the block. */
  protected toCanon(): void {
    const f = this.flag;
    if (f.kind === "canon") return;
    if (!this.canonToo) this.putCanon(f);
    this.setFlag(CANON);
  }
  /** Before a way out: the canonical locals are right, unless the flags are in the state block; conditions still know the setter. */
  protected alsoCanon(): void {
    // what is not free is left to the way out itself: not all engines put off what only that needs
    const { flag } = this;
    if (this.canonToo || (flag.kind !== "sub" && flag.kind !== "add" && flag.kind !== "logic") || this.typeOf(flag.r) !== "i64") return;
    this.putCanon(this.flag);
    this.canonToo = true;
  }
  /** On the way out, after alsoCanon before. */
  protected atLastCanon(): void {
    if (!this.canonToo && this.flag.kind !== "mem") this.putCanon(this.flag);
  }
  private putCanon(f: FlagRecord): void {
    if (f.kind === "canon") return;
    if (f.kind === "mem") {
      this.put(this.fl.op, this.or(this.getState(ST_FL_OP, "i32"), this.i32(GIVEN)));
      this.put(this.fl.res, this.getState(ST_FL_RES, "i64"));
      this.put(this.fl.a, this.getState(ST_FL_A, "i64"));
      this.put(this.fl.b, this.getState(ST_FL_B, "i64"));
      return;
    }
    this.work(f, false);
  }
  /** What set the flags, an FL_* number and values of `size` bytes, goes to the canonical locals, not extended; without a result it is a - b or a + b, and worked out later. Or to the state block, where all is extended. */
  private keepAt(memory: boolean, f: FlagRecord, op: number, size: number, a: number, b: number, res?: number): void {
    if (memory) {
      this.setState(ST_FL_OP, this.i32(op));
      this.setState(ST_FL_A, this.wide(size, a));
      this.setState(ST_FL_B, f.kind === "logic" ? b : this.wide(size, b));
      this.setState(ST_FL_RES, this.wide(size, res ?? (f.kind === "sub" || f.kind === "add" ? f.r : a)));
      return;
    }
    this.put(this.fl.a, this.zext(a));
    this.put(this.fl.b, this.zext(b));
    if (res !== undefined) this.put(this.fl.res, this.zext(res));
    this.put(this.fl.op, this.i32(op | ((64 - 8 * size) << 8) | (res === undefined ? 0 : GIVEN)));
  }
  /** The flags, which are only noted so far, to the canonical locals, or to the state block. */
  private work(f: FlagRecord, memory: boolean): void {
    switch (f.kind) {
      case "canon":
      case "mem":
        break;
      case "logic":
        this.keepAt(memory, f, FL_SUB, f.size, f.r, this.i64(0));
        break;
      case "inc":
      case "dec": {
        const c = this.zext(this.conditionOf("b", f.carry));
        this.keepAt(memory, f, f.kind === "inc" ? FL_INC : FL_DEC, 8, this.wide(f.size, this.stepBack(f.kind, f.r)), c, this.wide(f.size, f.r));
        break;
      }
      case "explicit":
        this.keepAt(memory, f, FL_EXPLICIT, 8, this.zext(this.flagImage(f.c, f.o, f.a)), this.i64(0), this.wide(f.size, f.r));
        break;
      case "later": {
        const [c, o] = this.now(f);
        this.keepAt(memory, f, FL_EXPLICIT, 8, this.zext(this.flagImage(c, o)), this.i64(0), this.wide(f.size, f.r));
        break;
      }
      case "bits":
      case "patch":
        this.keepAt(memory, f, FL_BITS, 8, this.zext(this.imageOf(f)), this.i64(0), this.i64(0));
        break;
      case "sub":
      case "add":
        this.keepAt(memory, f, FLAG_KINDS[f.kind], f.size, f.x, f.y);
        break;
      default:
        this.keepAt(memory, f, FLAG_KINDS[f.kind], f.size, f.x, f.y, f.r);
    }
  }
  protected toMem(): void {
    const f = this.flag;
    if (f.kind === "mem") return;
    if (f.kind === "canon") this.storeFlags();
    else this.work(f, true);
    this.setFlag(MEM);
  }
}
