// worker/cpu/jit/summary.ts — what an instruction touches, found by running its definition against a builder that only takes notes.
//
// So liveness and dirtiness follow from the same single definition that is executed; there is no second table to keep in step.
import type { Condition, FlagKind } from "../flags.ts";
import type { Builder, InsnForm, IntBinary, IntCompare, Operand } from "../build/builder.ts";
import type { Op, Ty } from "../build/ops.ts";
import type { Lane, SimdBinary, SimdShift, SimdTest, SimdUnary } from "../build/simd_ops.ts";
import { factOf, forget, NO_FACTS, type Facts } from "./facts.ts";
import { STATEFUL } from "../build/imports.ts";
import { lowerInto } from "../insn/define.ts";
import { HIGH, type Insn } from "../decode.ts";
import { ST_MXCSR, STATUS_FLAGS } from "../state.ts";

/** How an instruction passes control on. */
export type Ending = "next" | "branch" | "jump" | "call" | "ret" | "leave";

/** Bit n of a register mask is general register n, bit 16 + n is xmm n. */
export interface Summary {
  reads: number;
  writes: number;
  /** xmm registers of which the low lane is used as a double, as a single; whole registers are in reads and writes alone */
  doubles: number;
  singles: number;
  /**
   * Memory that is surely accessed, unless the instruction faults: base, index (registers, or -1), scale, displacement, size, 1 for a write + 2 if it must be a
   * multiple of 16, each;
   * and 64-bit registers that become another one (as it was before) plus a constant: register, other, constant, each. See addresses.ts.
   */
  accesses: readonly number[];
  moves: readonly number[];
  /** what is known of xmm registers afterwards that was not before */
  learns: Readonly<Facts>;
  /** the control and status of SSE floats are looked at */
  mxcsr: boolean;
  /** what was in the flags before: stays as it is, is needed (it is read, some of it stays, or the instruction may leave), or is lost */
  flags: "keeps" | "needs" | "sets";
  /** the same, if none of `accesses` can make it leave */
  flagsApart: "keeps" | "needs" | "sets";
  /** there are accesses that `accesses` does not tell of */
  hidden: boolean;
  /** some flag is set, or asked for, whatever else may need them */
  touchesFlags: boolean;
  /** flags are set inside `when` or `loop`: where branches meet they must be in one form */
  conditionalFlags: boolean;
  /** calls a helper that sees and may change the whole state block */
  helper: boolean;
  ending: Ending;
  /** the branch may also not be taken */
  conditional: boolean;
}

const NOTHING = 0;
const none: readonly number[] = [];
/** 128 zero bits, made of whatever; xmm n as it was is n + 1. */
const ZERO = -1;

class Notes implements Builder<number, number> {
  form!: InsnForm;
  insn!: Insn;
  out!: Summary;
  depth = 0;
  /** the displacement or the immediate is part of some value */
  constants = false;
  /** values that are a register, or two, and a constant: four numbers each; the first one is no value */
  private readonly values: number[] = [0, 0, 0, 0];
  private count = 1;
  private readonly accesses: number[] = [];
  private readonly moves: number[] = [];
  private readonly learns: Facts = { scalar: 0, packed: 0 };

  begin(insn: Insn, out: Summary): void {
    this.form = insn.shape.form;
    this.insn = insn;
    this.out = out;
    this.depth = 0;
    this.constants = false;
    this.learns.scalar = this.learns.packed = 0;
    this.count = 1;
    // not length = 0, which engines do far more slowly
    while (this.accesses.length > 0) this.accesses.pop();
    while (this.moves.length > 0) this.moves.pop();
  }
  finish(): void {
    this.out.flagsApart = this.out.flags;
    if (this.accesses.length > 0) {
      this.out.accesses = this.accesses.slice();
      this.out.flags = "needs";
    }
    if (this.moves.length > 0) this.out.moves = this.moves.slice();
    if (this.learns.scalar !== 0) this.out.learns = { ...this.learns };
  }
  private value(base: number, index: number, scale: number, constant: number): number {
    const v = this.values, i = 4 * this.count;
    v[i] = base;
    v[i + 1] = index;
    v[i + 2] = scale;
    v[i + 3] = constant;
    return this.count++;
  }
  /** The sum of two values, if one of them is a constant. */
  private plus(a: number, b: number, sign: number): number {
    const v = this.values;
    if (b <= 0 || v[4 * b]! >= 0 || v[4 * b + 1]! >= 0) return NOTHING;
    return a <= 0 ? NOTHING : this.value(v[4 * a]!, v[4 * a + 1]!, v[4 * a + 2]!, v[4 * a + 3]! + sign * v[4 * b + 3]!);
  }
  private access(size: number, address: number, write: boolean, aligned = false): void {
    if (address > 0 && this.depth === 0) {
      const v = this.values, i = 4 * address;
      this.accesses.push(v[i]!, v[i + 1]!, v[i + 2]!, v[i + 3]!, size, (write ? 1 : 0) | (aligned && size === 16 ? 2 : 0));
    } else this.check();
  }

  private gpr(n: number): number {
    return 1 << (n & 15);
  }
  private mem(): void {
    const { base, index } = this.insn;
    if (base >= 0) this.out.reads |= this.gpr(base);
    if (index >= 0) this.out.reads |= this.gpr(index);
  }
  private number(o: Operand): number {
    return this.insn.reg[o.index]!;
  }

  i32 = (): number => NOTHING;
  i64(n: number | bigint): number {
    return typeof n === "number" ? this.value(-1, -1, 0, n) : NOTHING;
  }
  f32 = (): number => NOTHING;
  f64 = (): number => NOTHING;
  imm(n: number, size: number): number {
    return size === 8 ? this.i64(n) : NOTHING;
  }
  constX = (): number => NOTHING;

  read(o: Operand): number {
    if (o.kind === "reg") return this.reg(this.number(o), o.size);
    if (o.kind === "mem") this.access(o.size, this.address(), false);
    else if (o.kind === "imm" && o.size === 8 && o.index < 2) {
      this.constants = true;
      return this.value(-1, -1, 0, this.insn.immHi * 0x1_0000_0000 + (this.insn.immLo >>> 0));
    }
    return NOTHING;
  }
  write(o: Operand, v: number): void {
    if (o.kind === "reg") this.setReg(this.number(o) & 15, this.number(o) >= HIGH ? 1 : o.size, v);
    else if (o.kind === "mem") this.access(o.size, this.address(), true);
  }
  address(): number {
    const a = this.offset();
    return this.insn.segment === 0 ? a : NOTHING;
  }
  offset(): number {
    this.mem();
    const { base, index, scale, dispLo, dispHi } = this.insn;
    // of a register that this instruction has written before nothing is known
    const old = (r: number): boolean => r < 0 || (this.out.writes & this.gpr(r)) === 0;
    if (this.form.addrsize === 4 || !old(base) || !old(index)) return NOTHING;
    this.constants = true;
    return this.value(base, index, scale, dispHi * 0x1_0000_0000 + (dispLo >>> 0));
  }
  segmentBase = (): number => NOTHING;
  readX(o: Operand, unaligned?: boolean): number {
    if (o.kind === "xmm") return this.regX(this.number(o));
    this.access(o.size, this.address(), false, unaligned !== true);
    return NOTHING;
  }
  writeX(o: Operand, x: number, unaligned?: boolean): void {
    if (o.kind === "xmm") this.setRegX(this.number(o), x);
    else this.access(o.size, this.address(), true, unaligned !== true);
  }
  private low(o: Operand, size: 4 | 8): number {
    const bit = 0x10000 << this.number(o);
    if (size === 8) this.out.doubles |= bit;
    else this.out.singles |= bit;
    return bit;
  }
  readLow(o: Operand, size: 4 | 8): number {
    this.out.reads |= this.low(o, size);
    return NOTHING;
  }
  writeLow(o: Operand, size: 4 | 8): void {
    const bit = this.low(o, size);
    this.out.reads |= bit;
    this.out.writes |= bit;
    forget(this.learns, this.number(o));
  }
  readHigh = (): number => NOTHING;
  writeHigh(): void {}
  reg(n: number, size: number): number {
    this.out.reads |= this.gpr(n);
    if (size !== 8) return NOTHING;
    if ((this.out.writes & this.gpr(n)) === 0) return this.value(n, -1, 0, 0);
    const at = this.moved(n);
    return at < 0 ? NOTHING : this.value(this.moves[at + 1]!, -1, 0, this.moves[at + 2]!);
  }
  /** Where `moves` tells of register n, or -1. */
  private moved(n: number): number {
    for (let i = 0; i < this.moves.length; i += 3) if (this.moves[i] === n) return i;
    return -1;
  }
  setReg(n: number, size: number, v: number): void {
    this.out.writes |= this.gpr(n);
    const at = this.moved(n);
    if (at >= 0) this.moves.splice(at, 3);
    if (size === 8 && v > 0 && this.depth === 0 && this.values[4 * v]! >= 0 && this.values[4 * v + 1]! < 0) this.moves.push(n, this.values[4 * v]!, this.values[4 * v + 3]!);
    // a narrow write keeps the rest, a conditional one may not happen: both need the old value
    if (size < 4 || this.depth > 0) this.out.reads |= this.gpr(n);
  }
  readAh = (): number => this.reg(0, 1);
  writeAh(): void {
    this.setReg(0, 1, NOTHING);
  }
  regX(n: number): number {
    this.out.reads |= 0x10000 << n;
    return this.out.writes & (0x10000 << n) ? NOTHING : n + 1;
  }
  setRegX(n: number, x: number): void {
    this.out.writes |= 0x10000 << n;
    if (this.depth > 0) this.out.reads |= 0x10000 << n; // it may not happen: the old value is needed
    forget(this.learns, n);
    if (x === ZERO) for (const fact of ["packed8", "packed4"]) this.learnOf(fact, n);
  }
  private learnOf(fact: string, n: number): void {
    if (this.depth > 0) return;
    const { scalar, packed } = factOf(fact, n);
    this.learns.scalar |= scalar;
    this.learns.packed |= packed;
  }
  load(size: number, address: number): number {
    this.access(size, address, false);
    return NOTHING;
  }
  store(size: number, address: number): void {
    this.access(size, address, true);
  }
  loadX(size: number, address: number, aligned: boolean): number {
    this.access(size, address, false, aligned);
    return NOTHING;
  }
  storeX(size: number, address: number, _x: number, aligned: boolean): void {
    this.access(size, address, true, aligned);
  }
  check(): void {
    this.out.flags = "needs";
    this.out.hidden = true;
  }
  odd(): number {
    this.out.mxcsr = true;
    return NOTHING;
  }
  getState(offset: number): number {
    if (offset === ST_MXCSR) this.out.mxcsr = true;
    return NOTHING;
  }
  setState(offset: number): void {
    if (offset === ST_MXCSR) this.out.mxcsr = true;
  }

  op = (_name: Op): number => NOTHING;
  add(a: number, b: number): number {
    return this.plus(a, b, 1) || this.plus(b, a, 1);
  }
  sub(a: number, b: number): number {
    return this.plus(a, b, -1);
  }
  mul = (): number => NOTHING;
  and = (): number => NOTHING;
  or = (): number => NOTHING;
  xor = (): number => NOTHING;
  shl = (): number => NOTHING;
  shr = (): number => NOTHING;
  sar = (): number => NOTHING;
  int = (_op: IntBinary): number => NOTHING;
  cmp = (_op: IntCompare): number => NOTHING;
  eqz = (): number => NOTHING;
  nez = (): number => NOTHING;
  zext(a: number): number {
    return a;
  }
  sext(a: number): number {
    return a;
  }
  trunc = (): number => NOTHING;
  mask = (): number => NOTHING;
  signed = (): number => NOTHING;
  fit(size: number, a: number): number {
    return size === 8 ? a : NOTHING;
  }
  mulhU = (): number => NOTHING;
  mulhS = (): number => NOTHING;
  select = (): number => NOTHING;
  selectX = (): number => NOTHING;
  variable = (): number => NOTHING;
  assign(): void {}
  variableX = (): number => NOTHING;
  assignX(): void {}

  when(_c: number, yes: () => void, no?: () => void): void {
    this.depth++;
    yes();
    no?.();
    this.depth--;
  }
  unlikely(_bad: readonly number[], slow: () => void, excuse?: () => number): void {
    this.out.flags = "needs";
    this.depth++;
    excuse?.();
    slow();
    this.depth--;
  }
  known = (): boolean => false;
  learn(fact: string, o: Operand): void {
    this.learnOf(fact, this.number(o));
  }
  loop(cond: () => number, body: () => void): void {
    this.depth++;
    cond();
    body();
    this.depth--;
  }
  trapIf(): void {
    this.out.flags = "needs";
  }
  canonical(): void {
    this.out.flags = "needs";
  }
  trap(): void {
    this.out.flags = "needs";
    if (this.depth === 0) this.out.ending = "leave";
  }
  private end(ending: Ending): void {
    this.out.ending = ending;
    if (ending !== "branch") this.out.flags = "needs";
  }
  jump(): void {
    this.end("jump");
  }
  jumpCall(): void {
    this.end("call");
  }
  jumpRet(): void {
    this.end("ret");
  }
  branch(_target: Operand, c?: number): void {
    this.end("branch");
    this.out.conditional = c !== undefined;
  }
  branchCall(): void {
    this.end("call");
  }
  leave(): void {
    this.end("leave");
  }
  kernel(): void {
    this.end("call");
  }
  nextRip = (): number => NOTHING;
  thisRip = (): number => NOTHING;

  private setsFlags(all: boolean): void {
    this.out.touchesFlags = true;
    if (this.depth > 0) this.out.conditionalFlags = true;
    if (this.out.flags === "keeps") this.out.flags = all && this.depth === 0 ? "sets" : "needs";
  }
  flags(kind: FlagKind): void {
    this.setsFlags(kind !== "inc" && kind !== "dec");
  }
  flagsFrom(): void {
    this.setsFlags(true);
  }
  flagsLater(): void {
    this.setsFlags(true);
  }
  setFlags(which: number): void {
    this.setsFlags(which === STATUS_FLAGS);
  }
  private asksFlags(): number {
    this.out.touchesFlags = true;
    if (this.out.flags === "keeps") this.out.flags = "needs";
    return NOTHING;
  }
  getFlags(): number {
    return this.asksFlags();
  }
  cond(_cc: Condition): number {
    return this.asksFlags();
  }

  call(name: string): void {
    this.out.flags = "needs";
    if (STATEFUL.test(name)) this.out.helper = true;
  }
  ret = (_n: number, _type: Ty): number => NOTHING;
  retX = (): number => NOTHING;
  x = (_op: SimdUnary): number => NOTHING;
  xx(op: SimdBinary, a: number, b: number): number {
    return op === "v128.xor" && a === b && a > 0 ? ZERO : NOTHING;
  }
  xshift = (_op: SimdShift): number => NOTHING;
  xtest = (_op: SimdTest): number => NOTHING;
  bitselect = (): number => NOTHING;
  shuffle = (): number => NOTHING;
  splat = (_lane: Lane): number => NOTHING;
  extract = (_lane: Lane): number => NOTHING;
  replace = (_lane: Lane): number => NOTHING;
}

const notes = new Notes();

/** The summary of a decoded instruction that has a definition. */
export function summarise(insn: Insn): Summary {
  const out: Summary = { reads: 0, writes: 0, doubles: 0, singles: 0, learns: NO_FACTS, accesses: none, moves: none, mxcsr: false, flags: "keeps", flagsApart: "keeps", hidden: false, touchesFlags: false, conditionalFlags: false, helper: false, ending: "next", conditional: false };
  notes.begin(insn, out);
  lowerInto(notes, insn.shape);
  notes.finish();
  return out;
}

/** log2 of how many summaries with constants are kept. */
const BITS = 12;
/** Summaries, of which one is enough for all instructions that begin with the same bytes; those that have constants in them, for all with the same ones. */
export class Summaries {
  private readonly slots: (Insn | undefined)[] = new Array<Insn | undefined>(1 << BITS).fill(undefined);
  private readonly known: (Summary | undefined)[] = new Array<Summary | undefined>(1 << BITS).fill(undefined);

  of(insn: Insn): Summary {
    const { encoding } = insn;
    if (encoding === undefined) return summarise(insn);
    const { summary } = encoding;
    if (summary === null) return this.withConstants(insn, encoding.id);
    if (summary !== undefined) return summary;
    const made = summarise(insn);
    encoding.summary = notes.constants ? null : made;
    return made;
  }
  private withConstants(insn: Insn, id: number): Summary {
    const slot = Math.imul(id + Math.imul(insn.dispLo, 0x3d4d51) + Math.imul(insn.immLo, 0x2c1b3c6d), 0x9e3779b1) >>> (32 - BITS), same = this.slots[slot];
    if (same !== undefined && same.encoding === insn.encoding && same.dispLo === insn.dispLo && same.dispHi === insn.dispHi && same.immLo === insn.immLo && same.immHi === insn.immHi) return this.known[slot]!;
    this.slots[slot] = insn;
    return (this.known[slot] = summarise(insn));
  }
  clear(): void {
    this.slots.fill(undefined);
    this.known.fill(undefined);
  }
}
