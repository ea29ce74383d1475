// worker/cpu/build/builder.ts — Builder<V, X>: the vocabulary in which every instruction is defined, once.
//
// Executors are builders: the interpreter's shapes (operand fields come from a decoded record), the compiled tier (operands are
// constants, registers are locals), and the BigInt oracle. A definition may branch in TypeScript on what is static (an operand's kind and
// size, the prefixes) and never on a V or X. Faults come before effects: a verb that can fault (load, store, read, write, readX, writeX,
// trapIf, call) may only follow a change of state if that change is meant to stay when it does fault.

import type { Condition, FlagKind } from "../flags.ts";
import type { Op, Ty } from "./ops.ts";
import type { Lane, SimdBinary, SimdShift, SimdTest, SimdUnary } from "./simd_ops.ts";

/**
 * What an operand is. reg: general register (also ah–bh). mem: memory. imm: immediate. rel: target of a near branch.
 * xmm, mm, st: those registers. seg: segment register.
 */
export type OperandKind = "reg" | "mem" | "imm" | "rel" | "xmm" | "mm" | "st" | "seg";

/** The static part of an operand: what a definition may branch on. */
export interface Operand {
  readonly kind: OperandKind;
  /** bytes: of the register, of the memory operand (0 if it has none, as for lea), of the immediate after extension */
  readonly size: number;
  /** its place in the instruction, from 0: where an executor looks for its value */
  readonly index: number;
  /** what is static in every executor: the number of an st (0–7) or seg register, the immediate of a definition with fixedImm; else -1 */
  readonly fixed: number;
}

/** The static part of the whole instruction. */
export interface InsnForm {
  /** lower-case mnemonic; the string instruction movsd is "movsd_string", cmpsd "cmpsd_string" */
  readonly name: string;
  readonly operands: readonly Operand[];
  /** 0 none, 1 rep/repe (f3), 2 repne (f2) */
  readonly rep: 0 | 1 | 2;
  /** operand size in bytes of an instruction without operands that has one (pushf, string instructions …), else 0 */
  readonly opsize: number;
  /** 4 with an address-size prefix, else 8 */
  readonly addrsize: 4 | 8;
}

/** i32.add for i32 values and i64.add for i64 ones, and so on. Both arguments must have the same type. */
export type IntBinary = "add" | "sub" | "mul" | "and" | "or" | "xor" | "shl" | "shr_u" | "shr_s" | "rotl" | "rotr"
  | "div_u" | "div_s" | "rem_u" | "rem_s";
/** Result: i32, 0 or 1. */
export type IntCompare = "eq" | "ne" | "lt_u" | "lt_s" | "le_u" | "le_s" | "gt_u" | "gt_s" | "ge_u" | "ge_s";

/**
 * V: a scalar value of type i32, i64, f32 or f64. X: 128 bits.
 * Values of 1, 2 and 4 bytes are i32, of 8 bytes i64. An i32 from `read` or `load` of 1 or 2 bytes is zero-extended; whatever takes a
 * value "of size n" (write, store, flags) ignores the bits above n.
 */
export interface Builder<V, X> {
  readonly form: InsnForm;

  // Constants
  i32(n: number): V;
  /** n: a safe integer, negative numbers sign-extended, or a bigint */
  i64(n: number | bigint): V;
  f32(n: number): V;
  f64(n: number): V;
  /** n as a value for operands of this size: i64 for 8, else i32 */
  imm(n: number, size: number): V;

  // Operands
  /** Reads a reg, mem, imm or mm operand of 1, 2, 4, 8 bytes. Memory may fault. */
  read(o: Operand): V;
  /** Writes reg, mem or mm. A 4-byte write to a register clears the upper half; narrower ones keep the rest. Memory may fault. */
  write(o: Operand, v: V): void;
  /** Effective address of a mem operand, i64, segment base included (not for lea: see `offset`). */
  address(o: Operand): V;
  /** Effective address without segment base, i64, as lea computes it. */
  offset(o: Operand): V;
  /** Base of the segment that overrides ds in a string instruction, i64; 0 if none. */
  segmentBase(): V;
  /** xmm register, or memory of 16 (must be aligned, else #GP, unless `unaligned`), 8 or 4 bytes (upper part zero). */
  readX(o: Operand, unaligned?: boolean): X;
  /** All 16 bytes of an xmm register, or the low `o.size` bytes (16, 8, 4) to memory. Alignment as for readX. */
  writeX(o: Operand, x: X, unaligned?: boolean): void;
  /** The low lane of an xmm register as a float: f64 for 8 bytes, f32 for 4. Writing it keeps the rest. */
  readLow(o: Operand, size: 4 | 8): V;
  writeLow(o: Operand, size: 4 | 8, v: V): void;
  /** The upper 16 bytes of the ymm register that an xmm operand is the lower half of. */
  readHigh(o: Operand): X;
  writeHigh(o: Operand, x: X): void;
  /** A fixed general register, by number (RAX …): size 1 is the low byte, never ah–bh. */
  reg(n: number, size: number): V;
  setReg(n: number, size: number, v: V): void;
  /** Reads ah (as i32) and writes it. */
  readAh(): V;
  writeAh(v: V): void;
  /** A fixed xmm register. */
  regX(n: number): X;
  setRegX(n: number, x: X): void;

  // Memory, by address (i64). All fault where the guest may not go.
  load(size: number, address: V): V;
  store(size: number, address: V, v: V): void;
  /** 16, 8 or 4 bytes into the low end of an X, the rest zero; `aligned` asks for 16-byte alignment (#GP). */
  loadX(size: number, address: V, aligned: boolean): X;
  storeX(size: number, address: V, x: X, aligned: boolean): void;
  /** Faults unless [address, address + n) may be read (or written): for helpers that go there afterwards. */
  check(address: V, n: number, write: boolean): void;

  // A word of the CPU state block that is not a general register, xmm or flag: offset is one of ST_*.
  getState(offset: number, type: "i32" | "i64"): V;
  setState(offset: number, v: V): void;

  // Scalars
  /** Any scalar operation by its WebAssembly name. */
  op(name: Op, a: V, b?: V): V;
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
  mul(a: V, b: V): V;
  and(a: V, b: V): V;
  or(a: V, b: V): V;
  xor(a: V, b: V): V;
  /** Shift counts have the type of the value and count modulo its width. */
  shl(a: V, n: V): V;
  shr(a: V, n: V): V;
  sar(a: V, n: V): V;
  /** The integer operation of the type of `a`. */
  int(op: IntBinary, a: V, b: V): V;
  cmp(op: IntCompare, a: V, b: V): V;
  /** a === 0, as i32 */
  eqz(a: V): V;
  /** a !== 0, as i32 */
  nez(a: V): V;
  /** To i64 (if it is i32) with zeros or the sign; to i32 from i64. No-ops for the right type. */
  zext(a: V): V;
  sext(a: V): V;
  trunc(a: V): V;
  /** Value of `size` bytes in the type of that size, the bits above cut off; or sign-extended from there to the type. */
  mask(size: number, a: V): V;
  signed(size: number, a: V): V;
  /** To the type of `size` from i32 or i64. */
  fit(size: number, a: V): V;
  /** Upper 64 bits of a product. */
  mulhU(a: V, b: V): V;
  mulhS(a: V, b: V): V;
  /** c ? a : b; both are evaluated. c: i32 */
  select(c: V, a: V, b: V): V;
  selectX(c: V, a: X, b: X): X;
  /** A variable with an initial value, for `assign` inside `when` and `loop`. Use it like any V. */
  variable(init: V): V;
  assign(variable: V, v: V): void;
  variableX(init: X): X;
  assignX(variable: X, v: X): void;

  // Control. Values made inside a branch do not exist outside it: use variables.
  when(c: V, yes: () => void, no?: () => void): void;
  /** i32: not zero unless floats round to nearest, all their exceptions are masked, and that of precision has been recorded. */
  odd(): V;
  /**
   * If one of `bad` (i32) is not zero, and `excuse`, if given, comes out zero: slow(). That is for the rare case of an instruction that has
   * changed nothing yet: compiled code then leaves, and the interpreter executes the instruction.
   */
  unlikely(bad: readonly V[], slow: () => void, excuse?: () => V): void;
  /**
   * Whether a fact about the value of an operand (an xmm register) has been learnt since the register was written last. Never in an
   * executor that does not see what comes before an instruction. Only what holds in every case that goes on may be learnt.
   */
  known(fact: string, o: Operand): boolean;
  learn(fact: string, o: Operand): void;
  /** While cond() is not zero: body(). */
  loop(cond: () => V, body: () => void): void;
  /** #DE, #UD, #GP …: an EXIT_* number; the instruction has no effect beyond what was written before. */
  trapIf(c: V, exit: number): void;
  trap(exit: number): void;
  /**
   * A target outside the 48-bit space is refused by the jump itself, not by the fetch: #GP. What follows is the jump; between them registers may be set as
   * a whole, and no flags; in a call, which is refused here, memory may be written, too.
   */
  canonical(to: V): void;
  /** The instruction is complete, and control goes to `rip` (i64): indirect jumps and returns. */
  jump(rip: V): void;
  /** The same for a call: compiled code expects control to come back behind this instruction. */
  jumpCall(rip: V): void;
  /** Return: compiled code compares with where it expects control. */
  jumpRet(rip: V): void;
  /** Near branch to the target of a rel operand; unless `c` (i32), if given, is zero. */
  branch(target: Operand, c?: V): void;
  /** The same, as a call. */
  branchCall(target: Operand): void;
  /** The instruction is complete (it retires), and run() returns this EXIT_* number. rip (i64): after it, if not given. */
  leave(exit: number, rip?: V): void;
  /** #UD anywhere but at the door; there leave(EXIT_KERNEL). Compiled code may call the kernel instead, and go on behind this instruction. */
  kernel(): void;
  /** Address of the next instruction, i64. Of this one. */
  nextRip(): V;
  thisRip(): V;

  // Flags
  /** Sets all six as `kind` does, from result and operands of `size` bytes. adc and sbb: x, y without the carry. inc, dec, logic: no x, y. */
  flags(kind: FlagKind, size: number, r: V, x?: V, y?: V): void;
  /** ZF, SF, PF from r; CF, OF and AF from i32 values that are 0 or 1 (absent: 0). */
  flagsFrom(size: number, r: V, c?: V, o?: V, a?: V): void;
  /** The same, of CF and OF as `work` makes them of the values `of`: at once, or when somebody asks, or never. */
  flagsLater(size: number, r: V, of: readonly V[], work: (of: readonly V[]) => [c: V, o?: V]): void;
  /** Replaces those of the six that are in `which` (CF | ZF …) with the bits of `image` (i32, as in rflags). */
  setFlags(which: number, image: V): void;
  /** The six as in rflags, i32. */
  getFlags(): V;
  /** i32, 0 or 1 */
  cond(cc: Condition): V;

  // Slow paths
  /**
   * Calls a helper (helpers.ts): a plain function on the CPU. Arguments are i32 or i64 (in ST_ARG as u64) and X (in ST_XARG); it
   * may fault or trap by its return value. Its results: `ret`, `retX`, valid until the next call.
   */
  call(helper: string, args?: readonly V[], xargs?: readonly X[]): void;
  ret(n: number, type: Ty): V;
  retX(): X;

  // 128 bits
  x(op: SimdUnary, a: X): X;
  xx(op: SimdBinary, a: X, b: X): X;
  /** Unlike x86's, the count (i32) is taken modulo the lane's width: test for greater ones yourself. */
  xshift(op: SimdShift, a: X, n: V): X;
  /** i32 */
  xtest(op: SimdTest, a: X): V;
  bitselect(a: X, b: X, mask: X): X;
  /** 16 lane numbers: 0–15 from a, 16–31 from b */
  shuffle(a: X, b: X, lanes: readonly number[]): X;
  splat(lane: Lane, v: V): X;
  /** i8 and i16 lanes zero-extended */
  extract(lane: Lane, x: X, n: number): V;
  replace(lane: Lane, x: X, n: number, v: V): X;
  /** 16 bytes */
  constX(bytes: readonly number[]): X;
}

/** An operand of an instruction by number; throws where there is none. */
export function operand(form: InsnForm, n: number): Operand {
  const o = form.operands[n];
  if (o === undefined) throw new Error(`${form.name} has no operand ${n}`);
  return o;
}
