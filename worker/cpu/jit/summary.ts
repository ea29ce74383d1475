// worker/cpu/jit/summary.ts — what an instruction touches, found by running its definition against a builder that only takes notes.
//
// So liveness and dirtiness follow from the same single definition that is executed; there is no second table to keep in step.
import type { Condition, FlagKind } from "../flags.ts";
import type { Builder, InsnForm, IntBinary, IntCompare, Operand } from "../build/builder.ts";
import type { Op, Ty } from "../build/ops.ts";
import type { Lane, SimdBinary, SimdShift, SimdTest, SimdUnary } from "../build/simd_ops.ts";
import { STATEFUL } from "./links.ts";
import { HIGH, type Insn } from "../decode.ts";

/** How an instruction passes control on. */
export type Ending = "next" | "branch" | "jump" | "call" | "ret" | "leave";

/** Bit n of a register mask is general register n, bit 16 + n is xmm n. */
export interface Summary {
  reads: number;
  writes: number;
  /** flags are set inside `when` or `loop`: where branches meet they must be in one form */
  conditionalFlags: boolean;
  /** calls a helper that sees and may change the whole state block */
  helper: boolean;
  ending: Ending;
  /** the branch may also not be taken */
  conditional: boolean;
}

const NOTHING = 0;

class Notes implements Builder<number, number> {
  form!: InsnForm;
  insn!: Insn;
  out!: Summary;
  depth = 0;

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
  i64 = (): number => NOTHING;
  f32 = (): number => NOTHING;
  f64 = (): number => NOTHING;
  imm = (): number => NOTHING;
  constX = (): number => NOTHING;

  read(o: Operand): number {
    if (o.kind === "reg") this.out.reads |= this.gpr(this.number(o));
    else if (o.kind === "mem") this.mem();
    return NOTHING;
  }
  write(o: Operand): void {
    if (o.kind === "reg") this.setReg(this.number(o) & 15, this.number(o) >= HIGH ? 1 : o.size);
    else if (o.kind === "mem") this.mem();
  }
  address(): number {
    this.mem();
    return NOTHING;
  }
  offset(): number {
    this.mem();
    return NOTHING;
  }
  segmentBase = (): number => NOTHING;
  readX(o: Operand): number {
    if (o.kind === "xmm") this.out.reads |= 0x10000 << this.number(o);
    else this.mem();
    return NOTHING;
  }
  writeX(o: Operand): void {
    if (o.kind === "xmm") this.out.writes |= 0x10000 << this.number(o);
    else this.mem();
  }
  readHigh = (): number => NOTHING;
  writeHigh(): void {}
  reg(n: number): number {
    this.out.reads |= this.gpr(n);
    return NOTHING;
  }
  setReg(n: number, size: number): void {
    this.out.writes |= this.gpr(n);
    // a narrow write keeps the rest, a conditional one may not happen: both need the old value
    if (size < 4 || this.depth > 0) this.out.reads |= this.gpr(n);
  }
  readAh = (): number => this.reg(0);
  writeAh(): void {
    this.setReg(0, 1);
  }
  regX(n: number): number {
    this.out.reads |= 0x10000 << n;
    return NOTHING;
  }
  setRegX(n: number): void {
    this.out.writes |= 0x10000 << n;
  }
  load = (): number => NOTHING;
  store(): void {}
  loadX = (): number => NOTHING;
  storeX(): void {}
  check(): void {}
  getState = (): number => NOTHING;
  setState(): void {}

  op = (_name: Op): number => NOTHING;
  add = (): number => NOTHING;
  sub = (): number => NOTHING;
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
  zext = (): number => NOTHING;
  sext = (): number => NOTHING;
  trunc = (): number => NOTHING;
  mask = (): number => NOTHING;
  signed = (): number => NOTHING;
  fit = (): number => NOTHING;
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
    this.depth++;
    excuse?.();
    slow();
    this.depth--;
  }
  known = (): boolean => false;
  learn(): void {}
  loop(cond: () => number, body: () => void): void {
    this.depth++;
    cond();
    body();
    this.depth--;
  }
  trapIf(): void {}
  trap(): void {
    if (this.depth === 0) this.out.ending = "leave";
  }
  private end(ending: Ending): void {
    this.out.ending = ending;
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

  private setsFlags(): void {
    if (this.depth > 0) this.out.conditionalFlags = true;
  }
  flags(_kind: FlagKind): void {
    this.setsFlags();
  }
  flagsFrom(): void {
    this.setsFlags();
  }
  setFlags(): void {
    this.setsFlags();
  }
  getFlags = (): number => NOTHING;
  cond = (_cc: Condition): number => NOTHING;

  call(name: string): void {
    if (STATEFUL.test(name)) this.out.helper = true;
  }
  ret = (_n: number, _type: Ty): number => NOTHING;
  retX = (): number => NOTHING;
  x = (_op: SimdUnary): number => NOTHING;
  xx = (_op: SimdBinary): number => NOTHING;
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
  const out: Summary = { reads: 0, writes: 0, conditionalFlags: false, helper: false, ending: "next", conditional: false };
  notes.form = insn.shape.form;
  notes.insn = insn;
  notes.out = out;
  notes.depth = 0;
  insn.shape.definition!.lower(notes, ...insn.shape.form.operands);
  return out;
}
