// worker/cpu/build/eval.ts — the oracle: a builder that executes at once, in obvious BigInt. Slow, readable, written apart from the emitter.

import type { Condition, FlagKind } from "../flags.ts";
import type { Insn } from "../decode.ts";
import { HIGH } from "../decode.ts";
import { EXIT_ADDRESS, EXIT_GP, EXIT_KERNEL, EXIT_PF } from "../exit.ts";
import { GUEST_READ_MIN, GUEST_WRITE_MIN } from "../memory.ts";
import {
  AF, CF, MXCSR_LOOK, MXCSR_USUAL, OF, PF, RAX, SF, STATUS_FLAGS, ST_ARG, ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_FPR, ST_FS_BASE, ST_GS_BASE,
  ST_MXCSR, ST_RET, ST_XARG, ST_XMM, ST_XRET, ZF,
} from "../state.ts";
import { getStatusFlags, setStatusFlags } from "../flags.ts";
import type { Builder, InsnForm, IntBinary, IntCompare, Operand } from "./builder.ts";
import type { Helper, HelperContext } from "./helpers.ts";
import type { Op, Ty } from "./ops.ts";
import type { Lane, SimdBinary, SimdShift, SimdTest, SimdUnary } from "./simd_ops.ts";
import { floating, fromLanes, integer, lanesOf, scalar, toBits, vector, vectorTest } from "./eval_ops.ts";
import type { Val } from "./eval_ops.ts";

/** Thrown by a verb that faults or leaves. */
export class Leave {
  readonly exit: number;
  /** The instruction is complete. */
  readonly retired: boolean;
  constructor(exit: number, retired: boolean) {
    this.exit = exit;
    this.retired = retired;
  }
}

type Vec = Uint8Array;
const MASK64 = (1n << 64n) - 1n;

/** Executes one instruction on the live state: set `insn`, call the definition, then read `target`. */
export class EvalBuilder implements Builder<Val, Vec> {
  private readonly cpu: HelperContext;
  private readonly helpers: Readonly<Record<string, Helper>>;
  insn!: Insn;
  /** Where a branch went; undefined: on to the next instruction. */
  target: bigint | undefined;

  constructor(cpu: HelperContext, helpers: Readonly<Record<string, Helper>>) {
    this.cpu = cpu;
    this.helpers = helpers;
  }

  get form(): InsnForm {
    return this.insn.shape.form;
  }
  private raw(at: number, size: number): bigint {
    let v = 0n;
    for (let i = size - 1; i >= 0; i--) v = (v << 8n) | BigInt(this.cpu.mem.u8[at + i]!);
    return v;
  }
  private setRaw(at: number, size: number, v: bigint): void {
    for (let i = 0; i < size; i++) this.cpu.mem.u8[at + i] = Number((v >> BigInt(8 * i)) & 255n);
  }
  private st(offset: number): number {
    return this.cpu.state.base + offset;
  }
  private sized(size: number, v: bigint): Val {
    return integer(size === 8 ? "i64" : "i32", BigInt.asUintN(size * 8, v));
  }

  i32(n: number): Val {
    return integer("i32", BigInt(n));
  }
  i64(n: number | bigint): Val {
    return integer("i64", BigInt(n));
  }
  f32(n: number): Val {
    return floating("f32", n);
  }
  f64(n: number): Val {
    return floating("f64", n);
  }
  imm(n: number, size: number): Val {
    return size === 8 ? this.i64(n) : this.i32(n);
  }

  private home(o: Operand): number {
    const r = this.insn.reg[o.index]!;
    if (o.kind === "mm") return this.st(ST_FPR + 16 * r);
    if (o.kind === "xmm") return this.st(ST_XMM + 32 * r);
    return this.st(r >= HIGH ? 8 * (r - HIGH) + 1 : 8 * r);
  }
  read(o: Operand): Val {
    if (o.kind === "mem") return this.load(o.size, this.address(o));
    if (o.kind === "imm") {
      const second = this.form.operands.some((p) => p.kind === "imm" && p.index < o.index);
      if (second) return this.i32(this.insn.imm2);
      const v = (BigInt(this.insn.immHi) << 32n) | BigInt(this.insn.immLo >>> 0);
      return integer(o.size === 8 ? "i64" : "i32", v);
    }
    if (o.kind !== "reg" && o.kind !== "mm") throw new Error(`${this.form.name}: read of ${o.kind}`);
    return this.sized(o.size, this.raw(this.home(o), o.size));
  }
  write(o: Operand, v: Val): void {
    if (o.kind === "mem") {
      this.store(o.size, this.address(o), v);
      return;
    }
    const home = this.home(o);
    if (o.kind === "mm") this.setRaw(home + 8, 2, 0xffffn);
    if (o.size === 4) this.setRaw(home, 8, BigInt.asUintN(32, v.i));
    else this.setRaw(home, o.size, v.i);
  }
  offset(_o: Operand): Val {
    const n = this.insn;
    let a = (BigInt(n.dispHi) << 32n) | BigInt(n.dispLo >>> 0);
    if (n.base >= 0) a += this.raw(this.st(8 * n.base), 8);
    if (n.index >= 0) a += this.raw(this.st(8 * n.index), 8) << BigInt(n.scale);
    return this.i64(this.form.addrsize === 4 ? BigInt.asUintN(32, a) : a);
  }
  address(o: Operand): Val {
    return this.i64(this.offset(o).i + this.segmentBase().i);
  }
  segmentBase(): Val {
    const s = this.insn.segment;
    return this.i64(s === 0 ? 0n : this.raw(this.st(s === 1 ? ST_FS_BASE : ST_GS_BASE), 8));
  }
  readX(o: Operand, unaligned?: boolean): Vec {
    if (o.kind === "xmm") return this.cpu.mem.u8.slice(this.home(o), this.home(o) + 16);
    return this.loadX(o.size, this.address(o), unaligned !== true);
  }
  readLow(o: Operand, size: 4 | 8): Val {
    return this.extract(size === 8 ? "f64x2" : "f32x4", this.readX(o), 0);
  }
  writeLow(o: Operand, size: 4 | 8, v: Val): void {
    this.writeX(o, this.replace(size === 8 ? "f64x2" : "f32x4", this.readX(o), 0, v));
  }
  readHigh(o: Operand): Vec {
    return this.cpu.mem.u8.slice(this.home(o) + 16, this.home(o) + 32);
  }
  writeHigh(o: Operand, x: Vec): void {
    this.cpu.mem.u8.set(x, this.home(o) + 16);
  }
  writeX(o: Operand, x: Vec, unaligned?: boolean): void {
    if (o.kind === "xmm") this.cpu.mem.u8.set(x, this.home(o));
    else this.storeX(o.size, this.address(o), x, unaligned !== true);
  }
  reg(n: number, size: number): Val {
    return this.sized(size, this.raw(this.st(8 * n), size));
  }
  setReg(n: number, size: number, v: Val): void {
    if (size === 4) this.setRaw(this.st(8 * n), 8, BigInt.asUintN(32, v.i));
    else this.setRaw(this.st(8 * n), size, v.i);
  }
  readAh(): Val {
    return this.i32(this.cpu.mem.u8[this.st(8 * RAX + 1)]!);
  }
  writeAh(v: Val): void {
    this.setRaw(this.st(8 * RAX + 1), 1, v.i);
  }
  regX(n: number): Vec {
    return this.cpu.mem.u8.slice(this.st(ST_XMM + 32 * n), this.st(ST_XMM + 32 * n) + 16);
  }
  setRegX(n: number, x: Vec): void {
    this.cpu.mem.u8.set(x, this.st(ST_XMM + 32 * n));
  }

  check(address: Val, n: number, write: boolean): void {
    const a = address.i, size = BigInt(this.cpu.mem.size);
    if (a >= BigInt(write ? GUEST_WRITE_MIN : GUEST_READ_MIN) && a + BigInt(n) <= size) return;
    this.cpu.state.set32(ST_EXIT_FLAGS, (write ? 1 : 0) | (n << 8));
    const canonical = BigInt.asUintN(64, BigInt.asIntN(48, a)) === a;
    this.setRaw(this.st(ST_EXIT_ADDR), 8, canonical && a < size && a + BigInt(n) > size ? size : a);
    throw new Leave(canonical ? EXIT_PF : EXIT_ADDRESS, false);
  }
  load(size: number, address: Val): Val {
    this.check(address, size, false);
    return this.sized(size, this.raw(Number(address.i), size));
  }
  store(size: number, address: Val, v: Val): void {
    this.check(address, size, true);
    this.setRaw(Number(address.i), size, v.i);
    this.cpu.code_written(Number(address.i), size);
  }
  private checkAligned(address: Val): void {
    if ((address.i & 15n) === 0n) return;
    this.setRaw(this.st(ST_EXIT_ADDR), 8, address.i);
    this.cpu.state.set32(ST_EXIT_FLAGS, 4 | (16 << 8));
    throw new Leave(EXIT_ADDRESS, false);
  }
  loadX(size: number, address: Val, aligned: boolean): Vec {
    if (aligned && size === 16) this.checkAligned(address);
    this.check(address, size, false);
    const x = new Uint8Array(16);
    x.set(this.cpu.mem.u8.subarray(Number(address.i), Number(address.i) + size));
    return x;
  }
  storeX(size: number, address: Val, x: Vec, aligned: boolean): void {
    if (aligned && size === 16) this.checkAligned(address);
    this.check(address, size, true);
    this.cpu.mem.u8.set(x.subarray(0, size), Number(address.i));
    this.cpu.code_written(Number(address.i), size);
  }
  odd(): Val {
    return this.xor(this.and(this.getState(ST_MXCSR, "i32"), this.i32(MXCSR_LOOK)), this.i32(MXCSR_USUAL));
  }
  getState(offset: number, type: "i32" | "i64"): Val {
    return integer(type, this.raw(this.st(offset), type === "i64" ? 8 : 4));
  }
  setState(offset: number, v: Val): void {
    this.setRaw(this.st(offset), v.t === "i64" || v.t === "f64" ? 8 : 4, toBits(v));
  }

  op(name: Op, a: Val, b?: Val): Val {
    return scalar(name, a, b);
  }
  int(op: IntBinary, a: Val, b: Val): Val {
    return scalar(`${a.t as "i32" | "i64"}.${op}`, a, b);
  }
  cmp(op: IntCompare, a: Val, b: Val): Val {
    return scalar(`${a.t as "i32" | "i64"}.${op}`, a, b);
  }
  add(a: Val, b: Val): Val {
    return this.int("add", a, b);
  }
  sub(a: Val, b: Val): Val {
    return this.int("sub", a, b);
  }
  mul(a: Val, b: Val): Val {
    return this.int("mul", a, b);
  }
  and(a: Val, b: Val): Val {
    return this.int("and", a, b);
  }
  or(a: Val, b: Val): Val {
    return this.int("or", a, b);
  }
  xor(a: Val, b: Val): Val {
    return this.int("xor", a, b);
  }
  shl(a: Val, n: Val): Val {
    return this.int("shl", a, n);
  }
  shr(a: Val, n: Val): Val {
    return this.int("shr_u", a, n);
  }
  sar(a: Val, n: Val): Val {
    return this.int("shr_s", a, n);
  }
  eqz(a: Val): Val {
    return this.i32(a.i === 0n ? 1 : 0);
  }
  nez(a: Val): Val {
    return this.i32(a.i === 0n ? 0 : 1);
  }
  zext(a: Val): Val {
    return integer("i64", a.i);
  }
  sext(a: Val): Val {
    return a.t === "i64" ? a : integer("i64", BigInt.asIntN(32, a.i));
  }
  trunc(a: Val): Val {
    return integer("i32", a.i);
  }
  mask(size: number, a: Val): Val {
    return size >= 4 ? a : integer(a.t as "i32" | "i64", BigInt.asUintN(size * 8, a.i));
  }
  signed(size: number, a: Val): Val {
    return integer(a.t as "i32" | "i64", BigInt.asIntN(size * 8, a.i));
  }
  fit(size: number, a: Val): Val {
    return size === 8 ? this.zext(a) : this.trunc(a);
  }
  mulhU(a: Val, b: Val): Val {
    return this.i64((a.i * b.i) >> 64n);
  }
  mulhS(a: Val, b: Val): Val {
    return this.i64((BigInt.asIntN(64, a.i) * BigInt.asIntN(64, b.i)) >> 64n);
  }
  select(c: Val, a: Val, b: Val): Val {
    if (a.t !== b.t) throw new Error(`${this.form.name}: select of ${a.t}, ${b.t}`);
    return { ...(c.i !== 0n ? a : b) };
  }
  selectX(c: Val, a: Vec, b: Vec): Vec {
    return (c.i !== 0n ? a : b).slice();
  }
  variable(init: Val): Val {
    return { ...init };
  }
  assign(variable: Val, v: Val): void {
    if (variable.t !== v.t) throw new Error(`${this.form.name}: ${v.t} assigned to ${variable.t}`);
    variable.i = v.i;
    variable.f = v.f;
  }
  variableX(init: Vec): Vec {
    return init.slice();
  }
  assignX(variable: Vec, v: Vec): void {
    variable.set(v);
  }

  when(c: Val, yes: () => void, no?: () => void): void {
    if (c.i !== 0n) yes();
    else no?.();
  }
  unlikely(bad: readonly Val[], slow: () => void, excuse?: () => Val): void {
    if (bad.some((c) => c.i !== 0n) && (excuse === undefined || excuse().i === 0n)) slow();
  }
  known(): boolean {
    return false;
  }
  learn(): void {}
  loop(cond: () => Val, body: () => void): void {
    while (cond().i !== 0n) body();
  }
  trapIf(c: Val, exit: number): void {
    if (c.i !== 0n) this.trap(exit);
  }
  trap(exit: number): void {
    throw new Leave(exit, false);
  }
  canonical(to: Val): void {
    if (BigInt.asIntN(64, BigInt.asIntN(48, to.i) ^ to.i) !== 0n) this.trap(EXIT_GP);
  }
  leave(exit: number, rip?: Val): void {
    if (rip !== undefined) this.target = rip.i;
    throw new Leave(exit, true);
  }
  kernel(): void {
    this.call("door", [this.thisRip()]);
    this.leave(EXIT_KERNEL);
  }
  jump(rip: Val): void {
    this.target = rip.i;
  }
  jumpCall(rip: Val): void {
    this.jump(rip);
  }
  jumpRet(rip: Val): void {
    this.jump(rip);
  }
  branch(_target: Operand, c?: Val): void {
    if (c === undefined || c.i !== 0n) this.target = ((BigInt(this.insn.immHi) << 32n) | BigInt(this.insn.immLo >>> 0)) & MASK64;
  }
  branchCall(target: Operand): void {
    this.branch(target);
  }
  nextRip(): Val {
    return this.i64(this.insn.rip + this.insn.length);
  }
  thisRip(): Val {
    return this.i64(this.insn.rip);
  }

  private put(which: number, image: number): void {
    setStatusFlags(this.cpu.state, (getStatusFlags(this.cpu.state) & ~which) | (image & which));
  }
  /** ZF, SF and PF of a result. */
  private zsp(size: number, r: Val): number {
    const v = BigInt.asUintN(size * 8, r.i);
    let ones = 0;
    for (let i = 0n; i < 8n; i++) ones += Number((v >> i) & 1n);
    return (v === 0n ? ZF : 0) | (v >> BigInt(size * 8 - 1) ? SF : 0) | (ones % 2 === 0 ? PF : 0);
  }
  flags(kind: FlagKind, size: number, r: Val, x?: Val, y?: Val): void {
    const bits = size * 8;
    const s = (v: bigint): bigint => BigInt.asIntN(bits, v), u = (v: bigint): bigint => BigInt.asUintN(bits, v);
    let image = this.zsp(size, r);
    if (kind === "inc" || kind === "dec") {
      const before = u(kind === "inc" ? r.i - 1n : r.i + 1n);
      const after = s(before) + (kind === "inc" ? 1n : -1n);
      if (after !== s(after)) image |= OF;
      if ((before ^ r.i) & 16n) image |= AF;
      this.put(STATUS_FLAGS & ~CF, image);
      return;
    }
    if (kind !== "logic") {
      const a = u(x!.i), b = u(y!.i);
      // the carry that came in is what the result has more than the operands
      const add = kind === "add" || kind === "adc";
      const carry = add ? u(r.i - a - b) : u(a - b - r.i);
      const exact = add ? a + b + carry : a - b - carry, signed = add ? s(a) + s(b) + carry : s(a) - s(b) - carry;
      if (exact !== u(exact)) image |= CF;
      if (signed !== s(signed)) image |= OF;
      if ((a ^ b ^ r.i) & 16n) image |= AF;
    }
    this.put(STATUS_FLAGS, image);
  }
  flagsFrom(size: number, r: Val, c?: Val, o?: Val, a?: Val): void {
    this.put(STATUS_FLAGS, this.zsp(size, r) | (c?.i ? CF : 0) | (o?.i ? OF : 0) | (a?.i ? AF : 0));
  }
  flagsLater(size: number, r: Val, of: readonly Val[], work: (of: readonly Val[]) => [c: Val, o?: Val]): void {
    this.flagsFrom(size, r, ...work(of));
  }
  setFlags(which: number, image: Val): void {
    this.put(which, Number(image.i & 0xfffn));
  }
  getFlags(): Val {
    return this.i32(getStatusFlags(this.cpu.state));
  }
  cond(cc: Condition): Val {
    const f = getStatusFlags(this.cpu.state);
    const c = (f & CF) !== 0, z = (f & ZF) !== 0, s = (f & SF) !== 0, o = (f & OF) !== 0, p = (f & PF) !== 0;
    const is: Record<Condition, boolean> = {
      o, no: !o, b: c, ae: !c, e: z, ne: !z, be: c || z, a: !c && !z, s, ns: !s, p, np: !p,
      l: s !== o, ge: s === o, le: z || s !== o, g: !z && s === o,
    };
    return this.i32(is[cc] ? 1 : 0);
  }

  call(helper: string, args: readonly Val[] = [], xargs: readonly Vec[] = []): void {
    args.forEach((v, i) => this.setRaw(this.st(ST_ARG + 8 * i), 8, v.i));
    xargs.forEach((x, i) => this.cpu.mem.u8.set(x, this.st(ST_XARG + 16 * i)));
    const f = this.helpers[helper];
    if (f === undefined) throw new Error(`no helper ${helper}`);
    const status = f(this.cpu);
    if (status !== 0) throw new Leave(status, false);
  }
  ret(n: number, type: Ty): Val {
    const bits = this.raw(this.st(ST_RET + 8 * n), type === "i64" || type === "f64" ? 8 : 4);
    if (type === "f64") return scalar("f64.reinterpret_i64", integer("i64", bits));
    if (type === "f32") return scalar("f32.reinterpret_i32", integer("i32", bits));
    return integer(type, bits);
  }
  retX(): Vec {
    return this.cpu.mem.u8.slice(this.st(ST_XRET), this.st(ST_XRET) + 16);
  }

  x(op: SimdUnary, a: Vec): Vec {
    return vector(op, a);
  }
  xx(op: SimdBinary, a: Vec, b: Vec): Vec {
    return vector(op, a, b);
  }
  xshift(op: SimdShift, a: Vec, n: Val): Vec {
    return vector(op, a, undefined, Number(n.i & 0xffn));
  }
  xtest(op: SimdTest, a: Vec): Val {
    return vectorTest(op, a);
  }
  bitselect(a: Vec, b: Vec, mask: Vec): Vec {
    return Uint8Array.from(mask, (m, i) => (a[i]! & m) | (b[i]! & ~m));
  }
  shuffle(a: Vec, b: Vec, lanes: readonly number[]): Vec {
    return Uint8Array.from(lanes, (l) => (l < 16 ? a[l]! : b[l - 16]!));
  }
  private laneBits(lane: Lane): number {
    return Number(lane.slice(1).split("x")[0]);
  }
  splat(lane: Lane, v: Val): Vec {
    const bits = this.laneBits(lane);
    return fromLanes(new Array<bigint>(128 / bits).fill(BigInt.asUintN(bits, toBits(v))), bits);
  }
  extract(lane: Lane, x: Vec, n: number): Val {
    const bits = this.laneBits(lane), v = lanesOf(x, bits)[n]!;
    if (lane === "f64x2") return scalar("f64.reinterpret_i64", integer("i64", v));
    if (lane === "f32x4") return scalar("f32.reinterpret_i32", integer("i32", v));
    return integer(bits === 64 ? "i64" : "i32", v);
  }
  replace(lane: Lane, x: Vec, n: number, v: Val): Vec {
    const bits = this.laneBits(lane), lanes = lanesOf(x, bits);
    lanes[n] = BigInt.asUintN(bits, toBits(v));
    return fromLanes(lanes, bits);
  }
  constX(bytes: readonly number[]): Vec {
    return Uint8Array.from(bytes);
  }
}
