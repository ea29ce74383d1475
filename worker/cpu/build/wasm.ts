// worker/cpu/build/wasm.ts — the part of the WebAssembly builder that both tiers share: values in locals, memory checks, control.
//
// A scalar or vector value is the number of a wasm local (>= 0) or of a constant (< 0). Every verb leaves its result in a fresh local; the
// engine's own compiler removes the moves. What differs between the tiers (where operands and registers are, how to leave) is abstract.

import { EXIT_GP } from "../exit.ts";
import type { GuestMemory } from "../memory.ts";
import { GUEST_READ_MIN, GUEST_WRITE_MIN } from "../memory.ts";
import type { Condition, FlagKind } from "../flags.ts";
import { MXCSR_LOOK, MXCSR_USUAL, ST_ARG, ST_MXCSR, ST_RET, ST_XARG, ST_XRET } from "../state.ts";
import type { Builder, InsnForm, IntBinary, IntCompare, Operand } from "./builder.ts";
import { FreeLocals } from "./free_locals.ts";
import type { WasmType } from "./module.ts";
import { Bytes } from "./module.ts";
import type { Op, Ty } from "./ops.ts";
import { COMPARE_OPCODES, INT_OPCODES, OPS, fold } from "./ops.ts";
import type { Lane, SimdBinary, SimdShift, SimdTest, SimdUnary } from "./simd_ops.ts";
import { LANES, SIMD_OPS } from "./simd_ops.ts";

/** log2 of the bytes of guest memory that share one byte of the code map. */
export const CODE_SHIFT = 8;

/** Addresses and sizes that generated code has built in. */
export interface WasmLayout {
  readonly mem: GuestMemory;
  /** the state block */
  readonly state: number;
  /** code map: one byte for each 2^CODE_SHIFT bytes of guest memory; not zero: a store that starts here may hit decoded code */
  readonly codeMap: number;
}

const LOAD = { i32: 0x28, i64: 0x29, f32: 0x2a, f64: 0x2b } as const;
const NONE: readonly number[] = [];
const STORE = { i32: 0x36, i64: 0x37, f32: 0x38, f64: 0x39 } as const;

export abstract class WasmBuilder implements Builder<number, number> {
  abstract readonly form: InsnForm;
  code: Bytes;
  /** how long the code was when this began */
  protected start: number;
  /** types of all locals, parameters included */
  types: WasmType[] = [];
  /** imported functions by name, numbered in the order in which they were needed: the module must import them so */
  imports: Map<string, number>;
  protected readonly layout: WasmLayout;
  private readonly constType: WasmType[] = [];
  private readonly constLo: number[] = [];
  private readonly constHi: number[] = [];
  private readonly constBytes = new Map<number, readonly number[]>();
  /** constants of this instruction */
  private constants = 0;
  protected readonly free = new FreeLocals();
  /** by local: how many low bytes of it may be other than zero, as far as is known */
  protected readonly bytes: number[] = [];
  private readonly used: number[] = [];
  /** end of the code when the last thing emitted was `local.set tail`; else -1 */
  private tailAt = -1;
  private tailLocal = -1;

  /** @param code what is emitted is appended to it */
  constructor(layout: WasmLayout, imports: Map<string, number>, code = new Bytes(512)) {
    this.layout = layout;
    this.imports = imports;
    this.code = code;
    this.start = code.len;
  }
  /** The same for another function: what is emitted from now on is appended to this code. */
  protected startCode(code: Bytes, imports: Map<string, number>): void {
    this.code = code;
    this.start = code.len;
    this.imports = imports;
    this.types = [];
    this.unlikelyAt = [];
    this.free.clear();
    while (this.used.length > 0) this.used.pop();
    this.constants = 0;
    this.constBytes.clear();
    this.tailAt = -1;
  }

  // ---- raw emission

  protected byte(b: number): void {
    this.code.byte(b);
  }
  protected typeOf(v: number): WasmType {
    return v >= 0 ? this.types[v]! : this.constType[-1 - v]!;
  }
  /** A fresh local, given back by releaseTemps. */
  protected temp(type: WasmType): number {
    const local = this.fresh(type);
    this.bytes[local] = 8;
    return local;
  }
  protected fresh(type: WasmType): number {
    const local = this.reuse(type);
    this.used.push(local);
    return local;
  }
  /** A local of this type: a free one, or a new one. */
  protected reuse(type: WasmType): number {
    const free = this.free.of(type);
    return free.length > 0 ? free.pop()! : this.types.push(type) - 1;
  }
  /** A local that stays. */
  protected permanent(type: WasmType): number {
    this.bytes[this.types.length] = 8;
    return this.types.push(type) - 1;
  }
  /** All temporaries of the instruction are dead, but for those that are kept. */
  protected releaseTemps(kept: readonly number[] = NONE): void {
    const { used } = this;
    if (used.length > 0) {
      for (let i = 0; i < used.length; i++) if (!kept.includes(used[i]!)) this.free.of(this.types[used[i]!]!).push(used[i]!);
      while (used.length > 0) used.pop();
    }
    for (let i = 0; i < kept.length; i++) used.push(kept[i]!);
    this.constants = 0;
    if (this.constBytes.size > 0) this.constBytes.clear();
  }
  protected get(v: number): void {
    const c = this.code;
    if (v >= 0) {
      if (this.tailAt === c.len && this.tailLocal === v) {
        // the value was stored just now: turn `local.set v` into `local.tee v`
        c.buf[this.tailAt - (v < 128 ? 2 : v < 16384 ? 3 : 4)] = 0x22;
        this.tailAt = -1;
        return;
      }
      c.op(0x20, v);
      return;
    }
    const k = -1 - v;
    const lo = this.constLo[k]!, hi = this.constHi[k]!;
    switch (this.constType[k]!) {
      case "i32":
        c.i32const(lo);
        break;
      case "i64":
        c.byte(0x42);
        c.s64(lo, hi);
        break;
      case "f32":
        c.byte(0x43);
        for (let i = 0; i < 32; i += 8) c.byte((lo >>> i) & 255);
        break;
      case "f64":
        c.byte(0x44);
        for (let i = 0; i < 32; i += 8) c.byte((lo >>> i) & 255);
        for (let i = 0; i < 32; i += 8) c.byte((hi >>> i) & 255);
        break;
      case "v128":
        c.byte(0xfd);
        c.u32(12);
        for (const b of this.constBytes.get(k)!) c.byte(b);
        break;
    }
  }
  protected set(local: number): void {
    this.code.op(0x21, local);
    this.tailAt = this.code.len;
    this.tailLocal = local;
  }
  /** The value on the stack, in a fresh local. */
  protected take(type: WasmType): number {
    const t = this.temp(type);
    this.set(t);
    return t;
  }
  /** No peephole across this point. */
  protected barrier(): void {
    this.tailAt = -1;
  }
  protected i32const(n: number): void {
    this.code.i32const(n);
  }
  protected i64const(n: number): void {
    this.code.i64const(n);
  }
  protected memarg(opcode: number, offset: number): void {
    this.code.access(opcode, offset);
  }
  protected simd(op: number): void {
    this.code.op(0xfd, op);
  }
  /** A vector's load or store. */
  protected simdAccess(op: number, offset: number): void {
    this.code.byte(0xfd);
    this.code.access(op, offset);
  }
  /** Number of what is imported by this name. */
  protected importOf(name: string): number {
    let index = this.imports.get(name);
    if (index === undefined) this.imports.set(name, (index = this.imports.size));
    return index;
  }
  /** opcode: call, or 0x12: return_call */
  protected callImport(name: string, opcode = 0x10): void {
    this.code.op(opcode, this.importOf(name));
  }
  protected if(): void {
    this.code.op(0x04, 0x40);
    this.barrier();
  }
  /** where in its code there is a branch that is seldom taken */
  unlikelyAt: number[] = [];
  /** The branch emitted next is seldom taken. */
  protected seldom(): void {
    this.unlikelyAt.push(this.code.len - this.start);
  }
  protected else(): void {
    this.code.byte(0x05);
    this.barrier();
  }
  protected end(): void {
    this.code.byte(0x0b);
    this.barrier();
  }
  protected constant(type: WasmType, lo: number, hi: number): number {
    const k = this.constants++;
    this.constType[k] = type;
    this.constLo[k] = lo | 0;
    this.constHi[k] = hi | 0;
    return -1 - k;
  }
  /** What constant() was given for a scalar v < 0. */
  protected described(v: number): { type: WasmType; lo: number; hi: number } {
    return { type: this.constType[-1 - v]!, lo: this.constLo[-1 - v]!, hi: this.constHi[-1 - v]! };
  }
  /** Value of an i32 or i64 constant's low half, or undefined if v is not a constant. */
  protected constantOf(v: number): number | undefined {
    return v < 0 ? this.constLo[-1 - v] : undefined;
  }
  /** Value of an i64 constant, signed, if it is a safe integer. */
  protected constant64(v: number): number | undefined {
    if (v >= 0 || this.constType[-1 - v] !== "i64") return undefined;
    const n = this.constHi[-1 - v]! * 0x1_0000_0000 + (this.constLo[-1 - v]! >>> 0);
    return Number.isSafeInteger(n) ? n : undefined;
  }

  // ---- what the tiers do differently

  abstract read(o: Operand): number;
  abstract write(o: Operand, v: number): void;
  abstract offset(o: Operand): number;
  abstract address(o: Operand): number;
  abstract segmentBase(): number;
  abstract reg(n: number, size: number): number;
  abstract setReg(n: number, size: number, v: number): void;
  abstract readAh(): number;
  abstract writeAh(v: number): void;
  abstract regX(n: number): number;
  abstract setRegX(n: number, x: number): void;
  protected abstract readXmm(o: Operand): number;
  protected abstract writeXmm(o: Operand, x: number): void;
  /** Emitted inside an `if`: leaves for a bad access. kind: 1 write, 4 misaligned */
  protected abstract emitFault(address: number, n: number, kind: number): void;
  /** Emitted inside an `if` after a store: decoded code was hit. */
  protected abstract emitCodeHit(address32: number, n: number): void;
  /** Leaves with the exit number that is in this i32 value; nothing of the instruction counts. */
  protected abstract emitTrap(exit: number): void;
  abstract jump(rip: number): void;
  abstract jumpCall(rip: number): void;
  abstract jumpRet(rip: number): void;
  abstract branch(target: Operand, c?: number): void;
  abstract branchCall(target: Operand): void;
  abstract leave(exit: number, rip?: number): void;
  abstract kernel(): void;
  abstract nextRip(): number;
  abstract thisRip(): number;
  abstract flags(kind: FlagKind, size: number, r: number, x?: number, y?: number): void;
  abstract flagsFrom(size: number, r: number, c?: number, o?: number, a?: number): void;
  abstract flagsLater(size: number, r: number, of: readonly number[], work: (of: readonly number[]) => [c: number, o?: number]): void;
  abstract setFlags(which: number, image: number): void;
  abstract getFlags(): number;
  abstract cond(cc: Condition): number;
  /** Around a helper: the state block must be right before it; registers may have changed after. */
  protected abstract beforeHelper(name: string): void;
  protected abstract afterHelper(name: string): void;

  // ---- constants

  i32(n: number): number {
    return this.constant("i32", n, 0);
  }
  i64(n: number | bigint): number {
    if (typeof n === "bigint") return this.constant("i64", Number(BigInt.asIntN(32, n)), Number(BigInt.asIntN(32, n >> 32n)));
    return this.constant("i64", n % 0x1_0000_0000, Math.floor(n / 0x1_0000_0000));
  }
  f32(n: number): number {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, n);
    return this.constant("f32", view.getInt32(0), 0);
  }
  f64(n: number): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, n);
    return this.constant("f64", view.getInt32(4), view.getInt32(0));
  }
  imm(n: number, size: number): number {
    return size === 8 ? this.i64(n) : this.i32(n);
  }
  constX(bytes: readonly number[]): number {
    const v = this.constant("v128", 0, 0);
    this.constBytes.set(-1 - v, bytes);
    return v;
  }

  // ---- memory

  check(address: number, n: number, write: boolean): void {
    const min = write ? GUEST_WRITE_MIN : GUEST_READ_MIN;
    this.get(address);
    this.i64const(min);
    this.byte(0x7d); // i64.sub
    this.i64const(this.layout.mem.size - n - min);
    this.byte(0x56); // i64.gt_u
    this.seldom();
    this.if();
    this.emitFault(address, n, write ? 1 : 0);
    this.end();
  }
  protected checkAligned(address: number, n: number): void {
    this.get(address);
    this.byte(0xa7);
    this.i32const(n - 1);
    this.byte(0x71);
    this.seldom();
    this.if();
    this.emitFault(address, n, 4);
    this.end();
  }
  load(size: number, address: number): number {
    this.check(address, size, false);
    return this.loadUnchecked(size, address);
  }
  /** Pushes an address that has been checked; with the offset returned it is what it should be. */
  protected place(address: number): number {
    this.get(address);
    this.byte(0xa7); // i32.wrap_i64
    return 0;
  }
  protected loadUnchecked(size: number, address: number): number {
    const offset = this.place(address);
    this.memarg(size === 8 ? 0x29 : size === 4 ? 0x28 : size === 2 ? 0x2f : 0x2d, offset);
    return this.narrow(size, this.take(size === 8 ? "i64" : "i32"));
  }
  store(size: number, address: number, v: number): void {
    this.check(address, size, true);
    const offset = this.place(address);
    this.get(v);
    const wide = this.typeOf(v) === "i64";
    if (size === 8) this.memarg(0x37, offset);
    else if (size === 4) this.memarg(wide ? 0x3e : 0x36, offset);
    else if (size === 2) this.memarg(wide ? 0x3d : 0x3b, offset);
    else this.memarg(wide ? 0x3c : 0x3a, offset);
    this.testCode(address, size);
  }
  /** After a store at the address: was there code? */
  protected testCode(address: number, n: number): void {
    this.get(address);
    this.byte(0xa7);
    const a = this.take("i32");
    this.get(a);
    this.i32const(CODE_SHIFT);
    this.byte(0x76); // i32.shr_u
    this.memarg(0x2d, this.layout.codeMap);
    this.seldom();
    this.if();
    this.emitCodeHit(a, n);
    this.end();
  }
  loadX(size: number, address: number, aligned: boolean): number {
    if (aligned && size === 16) this.checkAligned(address, 16);
    this.check(address, size, false);
    const offset = this.place(address);
    this.simdAccess(size === 16 ? 0 : size === 8 ? 93 : 92, offset);
    return this.take("v128");
  }
  storeX(size: number, address: number, x: number, aligned: boolean): void {
    if (aligned && size === 16) this.checkAligned(address, 16);
    this.check(address, size, true);
    const offset = this.place(address);
    this.get(x);
    this.simdAccess(size === 16 ? 11 : size === 8 ? 91 : size === 4 ? 90 : size === 2 ? 89 : 88, offset);
    if (size < 16) this.code.byte(0);
    this.testCode(address, size);
  }
  readX(o: Operand, unaligned?: boolean): number {
    if (o.kind === "xmm") return this.readXmm(o);
    return this.loadX(o.size, this.address(o), unaligned !== true);
  }
  readLow(o: Operand, size: 4 | 8): number {
    return this.extract(size === 8 ? "f64x2" : "f32x4", this.readX(o), 0);
  }
  writeLow(o: Operand, size: 4 | 8, v: number): void {
    this.writeX(o, this.replace(size === 8 ? "f64x2" : "f32x4", this.readX(o), 0, v));
  }
  /** Pushes an address; with the offset returned it is that of the upper half of a ymm register. */
  protected abstract highHome(o: Operand): number;
  readHigh(o: Operand): number {
    const offset = this.highHome(o);
    this.simdAccess(0, offset);
    return this.take("v128");
  }
  writeHigh(o: Operand, x: number): void {
    const offset = this.highHome(o);
    this.get(x);
    this.simdAccess(11, offset);
  }
  writeX(o: Operand, x: number, unaligned?: boolean): void {
    if (o.kind === "xmm") this.writeXmm(o, x);
    else this.storeX(o.size, this.address(o), x, unaligned !== true);
  }

  odd(): number {
    return this.xor(this.and(this.getState(ST_MXCSR, "i32"), this.i32(MXCSR_LOOK)), this.i32(MXCSR_USUAL));
  }
  getState(offset: number, type: "i32" | "i64"): number {
    this.i32const(0);
    this.memarg(type === "i64" ? 0x29 : 0x28, this.layout.state + offset);
    return this.take(type);
  }
  setState(offset: number, v: number): void {
    this.i32const(0);
    this.get(v);
    const type = this.typeOf(v);
    this.memarg(type === "i64" ? 0x37 : type === "i32" ? 0x36 : STORE[type as Ty], this.layout.state + offset);
  }

  // ---- scalars

  op(name: Op, a: number, b?: number): number {
    const row = OPS[name], opcode = row[0];
    this.get(a);
    if (b !== undefined) this.get(b);
    if ((opcode & 0xff) === 0xfc) this.code.op(0xfc, opcode >> 8);
    else this.byte(opcode);
    return this.take(row[2]);
  }
  /** The operation with this opcode, of one value. */
  private unary(opcode: number, a: number, result: WasmType): number {
    this.get(a);
    this.byte(opcode);
    return this.take(result);
  }
  int(op: IntBinary, a: number, b: number): number {
    return this.binary(INT_OPCODES[op], a, b);
  }
  cmp(op: IntCompare, a: number, b: number): number {
    if (op === "gt_u" && a < 0 && b < 0 && this.typeOf(a) === "i32") return this.i32((this.constantOf(a)! >>> 0) > (this.constantOf(b)! >>> 0) ? 1 : 0);
    this.get(a);
    this.get(b);
    this.byte(COMPARE_OPCODES[op] + (this.typeOf(a) === "i64" ? 0xb : 0));
    return this.take("i32");
  }
  private binary(op32: number, a: number, b: number): number {
    const type = this.typeOf(a);
    if (a < 0 && b < 0 && type === "i32") {
      const folded = fold(op32, this.constLo[-1 - a]!, this.constLo[-1 - b]!);
      if (folded !== undefined) return this.i32(folded);
    }
    if (a < 0 && b < 0 && op32 === 0x6b && this.constHi[-1 - a] === 0 && this.constHi[-1 - b] === 0)
      return this.i64((this.constLo[-1 - a]! >>> 0) - (this.constLo[-1 - b]! >>> 0));
    this.get(a);
    this.get(b);
    this.byte(type === "i64" ? op32 + 0x12 : op32);
    return this.take(type);
  }
  add(a: number, b: number): number { return this.binary(0x6a, a, b); }
  sub(a: number, b: number): number { return this.binary(0x6b, a, b); }
  mul(a: number, b: number): number { return this.binary(0x6c, a, b); }
  and(a: number, b: number): number { return this.binary(0x71, a, b); }
  or(a: number, b: number): number { return this.binary(0x72, a, b); }
  xor(a: number, b: number): number { return this.binary(0x73, a, b); }
  shl(a: number, n: number): number {
    return this.binary(0x74, a, n);
  }
  sar(a: number, n: number): number {
    return this.binary(0x75, a, n);
  }
  shr(a: number, n: number): number {
    return this.binary(0x76, a, n);
  }
  eqz(a: number): number {
    const known = this.constantOf(a);
    if (known !== undefined && this.typeOf(a) === "i32") return this.i32(known === 0 ? 1 : 0);
    return this.unary(this.typeOf(a) === "i64" ? 0x50 : 0x45, a, "i32");
  }
  nez(a: number): number {
    return this.typeOf(a) === "i64" ? this.op("i64.ne", a, this.i64(0)) : this.op("i32.ne", a, this.i32(0));
  }
  zext(a: number): number {
    if (this.typeOf(a) === "i64") return a;
    const known = this.constantOf(a);
    return known !== undefined ? this.constant("i64", known, 0) : this.narrow(Math.min(4, this.bytes[a]!), this.unary(0xad, a, "i64"));
  }
  sext(a: number): number {
    return this.typeOf(a) === "i64" ? a : this.unary(0xac, a, "i64");
  }
  trunc(a: number): number {
    if (this.typeOf(a) === "i32") return a;
    const known = this.constantOf(a);
    return known !== undefined ? this.i32(known) : this.unary(0xa7, a, "i32");
  }
  /** `v`, of which all but the low `size` bytes are zero. */
  protected narrow(size: number, v: number): number {
    if (v >= 0) this.bytes[v] = size;
    return v;
  }
  mask(size: number, a: number): number {
    if (size >= 4 || (a >= 0 && this.bytes[a]! <= size)) return a;
    return this.narrow(size, this.and(a, this.imm(size === 1 ? 0xff : 0xffff, this.typeOf(a) === "i64" ? 8 : 4)));
  }
  signed(size: number, a: number): number {
    if (size === 8) return a;
    if (this.typeOf(a) === "i64") return this.unary(size === 4 ? 0xc4 : size === 2 ? 0xc3 : 0xc2, a, "i64");
    return size === 4 ? a : this.unary(size === 2 ? 0xc1 : 0xc0, a, "i32");
  }
  fit(size: number, a: number): number {
    return size === 8 ? this.zext(a) : this.trunc(a);
  }
  mulhU(a: number, b: number): number {
    const low = this.i64(0xffffffff), k = this.i64(32);
    const al = this.and(a, low), ah = this.shr(a, k), bl = this.and(b, low), bh = this.shr(b, k);
    const mid = this.add(this.mul(ah, bl), this.shr(this.mul(al, bl), k));
    const mid2 = this.add(this.mul(al, bh), this.and(mid, low));
    return this.add(this.add(this.mul(ah, bh), this.shr(mid, k)), this.shr(mid2, k));
  }
  mulhS(a: number, b: number): number {
    const k = this.i64(63);
    const u = this.mulhU(a, b);
    return this.sub(this.sub(u, this.and(this.sar(a, k), b)), this.and(this.sar(b, k), a));
  }
  select(c: number, a: number, b: number): number {
    if (c < 0) return this.variable(this.constantOf(c) !== 0 ? a : b);
    this.get(a);
    this.get(b);
    this.get(c);
    this.byte(0x1b);
    return this.take(this.typeOf(a));
  }
  selectX(c: number, a: number, b: number): number { return this.select(c, a, b); }
  variable(init: number): number {
    this.get(init);
    return this.take(this.typeOf(init));
  }
  assign(variable: number, v: number): void {
    this.get(v);
    this.set(variable);
  }
  variableX(init: number): number { return this.variable(init); }
  assignX(variable: number, v: number): void { this.assign(variable, v); }

  // ---- control

  when(c: number, yes: () => void, no?: () => void): void {
    const known = this.constantOf(c);
    if (known !== undefined) {
      if (known !== 0) yes();
      else no?.();
      return;
    }
    this.get(c);
    this.if();
    yes();
    if (no !== undefined) {
      this.else();
      no();
    }
    this.end();
  }
  unlikely(bad: readonly number[], slow: () => void, excuse?: () => number): void {
    this.when(bad.reduce((a, c) => this.or(a, c)), () => (excuse ? this.when(this.eqz(excuse()), slow) : slow()));
  }
  known(_fact: string, _o: Operand): boolean { return false; }
  learn(_fact: string, _o: Operand): void {}
  loop(cond: () => number, body: () => void): void {
    for (const b of [0x02, 0x40, 0x03, 0x40]) this.byte(b); // block, loop
    this.barrier();
    this.get(cond());
    this.byte(0x45); // i32.eqz
    this.byte(0x0d); // br_if 1
    this.byte(1);
    this.barrier();
    body();
    this.byte(0x0c); // br 0
    this.byte(0);
    this.end();
    this.end();
  }
  canonical(to: number): void {
    this.trapIf(this.cmp("ne", this.sar(this.shl(to, this.i64(16)), this.i64(16)), to), EXIT_GP);
  }
  trapIf(c: number, exit: number): void {
    this.get(c);
    this.if();
    this.emitTrap(this.i32(exit));
    this.end();
  }
  trap(exit: number): void {
    this.emitTrap(this.i32(exit));
  }

  call(helper: string, args: readonly number[] = [], xargs: readonly number[] = []): void {
    args.forEach((v, i) => this.setState(ST_ARG + 8 * i, this.zext(v)));
    xargs.forEach((x, i) => {
      this.i32const(0);
      this.get(x);
      this.simdAccess(11, this.layout.state + ST_XARG + 16 * i);
    });
    this.beforeHelper(helper);
    this.callImport(helper);
    const status = this.take("i32");
    this.afterHelper(helper);
    this.get(status);
    this.seldom();
    this.if();
    this.emitTrap(status);
    this.end();
  }
  ret(n: number, type: Ty): number {
    this.i32const(0);
    this.memarg(LOAD[type], this.layout.state + ST_RET + 8 * n);
    return this.take(type);
  }
  retX(): number {
    this.i32const(0);
    this.simdAccess(0, this.layout.state + ST_XRET);
    return this.take("v128");
  }

  // ---- 128 bits

  x(op: SimdUnary, a: number): number {
    this.get(a);
    this.simd(SIMD_OPS[op][0]);
    return this.take("v128");
  }
  xx(op: SimdBinary, a: number, b: number): number {
    this.get(a);
    this.get(b);
    this.simd(SIMD_OPS[op][0]);
    return this.take("v128");
  }
  xshift(op: SimdShift, a: number, n: number): number {
    this.get(a);
    this.get(n);
    this.simd(SIMD_OPS[op][0]);
    return this.take("v128");
  }
  xtest(op: SimdTest, a: number): number {
    this.get(a);
    this.simd(SIMD_OPS[op][0]);
    return this.take("i32");
  }
  bitselect(a: number, b: number, mask: number): number {
    for (const x of [a, b, mask]) this.get(x);
    this.simd(82);
    return this.take("v128");
  }
  shuffle(a: number, b: number, lanes: readonly number[]): number {
    this.get(a);
    this.get(b);
    this.simd(13);
    for (const l of lanes) this.byte(l);
    return this.take("v128");
  }
  splat(lane: Lane, v: number): number {
    this.get(v);
    this.simd(LANES[lane][0]);
    return this.take("v128");
  }
  extract(lane: Lane, x: number, n: number): number {
    this.get(x);
    this.simd(LANES[lane][1]);
    this.byte(n);
    return this.take(LANES[lane][4]);
  }
  replace(lane: Lane, x: number, n: number, v: number): number {
    this.get(x);
    this.get(v);
    this.simd(LANES[lane][2]);
    this.byte(n);
    return this.take("v128");
  }

  /** Image of flags worked out from values that are 0 or 1. */
  protected flagImage(c?: number, o?: number, a?: number): number {
    let image = c ?? this.i32(0);
    if (o !== undefined) image = this.or(image, this.shl(o, this.i32(11)));
    if (a !== undefined) image = this.or(image, this.shl(a, this.i32(4)));
    return image;
  }
}
