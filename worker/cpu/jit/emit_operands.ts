// worker/cpu/jit/emit_operands.ts — operands in compiled code: constants, and registers that are locals.

import type { InsnForm, Operand } from "../build/builder.ts";
import type { Bytes, WasmType } from "../build/module.ts";
import type { SimdBinary } from "../build/simd_ops.ts";
import { HIGH, type Insn } from "../decode.ts";
import { GUEST_READ_MIN } from "../memory.ts";
import { ST_FPR, ST_FS_BASE, ST_GS_BASE, ST_XMM } from "../state.ts";
import { CONSTANT, type Addresses } from "./addresses.ts";
import { FlagBuilder } from "./emit_flags.ts";
import { factOf, forget, type Facts } from "./facts.ts";
import type { Links } from "./links.ts";

/** General registers; xmm n is register GPRS + n here. */
export const GPRS = 16;
/** Nothing is known of any register's width: eight bytes each. */
export const WIDE = -1;
/** By register, the greater of both widths. */
function wider(a: number, b: number): number {
  let all = 0;
  for (let mask = 3; mask !== 0; mask <<= 2) all |= (a & mask) >>> 0 > (b & mask) >>> 0 ? a & mask : b & mask;
  return all;
}

export abstract class OperandBuilder extends FlagBuilder {
  form!: InsnForm;
  protected insn!: Insn;
  protected readonly links: Links;
  /** local of general register n, of xmm n at 16 + n; -1: not touched */
  protected readonly home: number[] = new Array<number>(32).fill(-1);
  /** local of the low lane of xmm n, f64 or f32, of which `home` then holds the rest alone; -1: it has none */
  protected readonly low: number[] = new Array<number>(16).fill(-1);

  constructor(links: Links) {
    super(links, new Map());
    this.links = links;
  }
  protected override startCode(code: Bytes, imports: Map<string, number>): void {
    super.startCode(code, imports);
    this.home.fill(-1);
    this.low.fill(-1);
    this.lows.fill(-1);
    this.changes = 0;
    this.setWidths(WIDE);
  }

  /** masks of registers: see liveness.ts. What has been written since control came from outside; whose locals are right. */
  protected dirty = 0;
  protected valid = 0;
  private wrote(n: number): void {
    this.changes++;
    const bit = 1 << n;
    this.dirty |= bit;
    this.valid |= bit;
  }

  /** by general register, two bits each: the logarithm of how many low bytes of it may be other than zero, as far as is known here */
  protected widths = WIDE;
  private bytesOfReg(n: number): number {
    return 1 << ((this.widths >>> (2 * n)) & 3);
  }
  private setBytesOfReg(n: number, bytes: number): void {
    this.widths = (this.widths & ~(3 << (2 * n))) | ((31 - Math.clz32(bytes)) << (2 * n));
  }
  /** by general register: a local that holds its low byte, where lowKnown has its bit: what was written there is read again, mostly, to be extended */
  private readonly lows: number[] = new Array<number>(GPRS).fill(-1);
  private lowKnown = 0;
  protected setWidths(to: number): void {
    this.lowKnown = 0;
    this.widths = to;
  }
  private bytesOf(v: number): number {
    if (v >= 0) return this.bytes[v]!;
    const n = this.typeOf(v) === "i64" ? this.constant64(v) : this.constantOf(v)! >>> 0;
    return n === undefined || n < 0 || n >= 0x1_0000_0000 ? 8 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 4;
  }

  // ---- values that are addresses, or may become some

  protected abstract readonly addresses: Addresses;
  /** by local: the symbol of its value (-1: none), and what is added to it */
  private readonly symbols: number[] = [];
  private readonly offsets: number[] = [];

  protected override temp(type: WasmType): number {
    return this.unknown(super.temp(type));
  }
  protected override permanent(type: WasmType): number {
    return this.unknown(super.permanent(type));
  }
  private unknown(local: number): number {
    this.symbols[local] = -1;
    this.bases[local] = -1;
    return local;
  }
  /** by local: its value is that of another one, if no register has been set since (`changes`), plus a constant */
  private readonly bases: number[] = [];
  private readonly displacements: number[] = [];
  private readonly since: number[] = [];
  private changes = 0;
  /**
   * Engines do not know that an address which has been checked has 32 bits, and add in 64 bits before they cut. What is added is no more than the lowest address, so
   * that the base is not below zero: it can be a displacement of the access itself.
   */
  protected override place(address: number): number {
    if (address < 0) {
      const n = this.constant64(address);
      if (n === undefined || n < 0 || n >= this.layout.mem.size) return super.place(address);
      this.i32const(0);
      return n;
    }
    const base = this.bases[address]!, by = this.displacements[address]!;
    if (base < 0 || this.since[address] !== this.changes) return super.place(address);
    this.get(base);
    this.byte(0xa7);
    if (by >= 0 && by <= GUEST_READ_MIN) return by;
    this.i32const(by | 0);
    this.byte(0x6a);
    return 0;
  }
  private means(v: number, symbol: number, offset: number): number {
    this.symbols[v] = symbol === CONSTANT || Math.abs(offset) < 0x40000000 ? symbol : -1;
    this.offsets[v] = offset;
    return v;
  }
  /** Symbol of a value, -1 if it has none; its offset is then `offsetOf` it. */
  protected symbolOf(v: number): number {
    if (v >= 0) return this.symbols[v]!;
    const n = this.constant64(v);
    return n !== undefined && n >= 0 && n < 0x80000000 ? CONSTANT : -1;
  }
  protected offsetOf(v: number): number {
    return v >= 0 ? this.offsets[v]! : this.constant64(v)!;
  }
  private moved(r: number, v: number, by: number, sign: number): number {
    const n = this.constant64(by);
    if (v >= 0 && n !== undefined && this.symbolOf(v) >= 0) this.means(r, this.symbolOf(v), this.offsetOf(v) + sign * n);
    return r;
  }
  override add(a: number, b: number): number {
    return this.moved(super.add(a, b), a, b, 1);
  }
  override sub(a: number, b: number): number {
    return this.moved(super.sub(a, b), a, b, -1);
  }
  override assign(variable: number, v: number): void {
    super.assign(variable, v);
    this.symbols[variable] = -1;
    this.bases[variable] = -1;
  }
  override when(c: number, yes: () => void, no?: () => void): void {
    if (this.constantOf(c) !== undefined) {
      super.when(c, yes, no);
      return;
    }
    const known = this.addresses.save(), before = this.widths;
    let after = before;
    super.when(c, () => {
      yes();
      after = this.widths;
      this.setWidths(before);
    }, no && (() => {
      this.addresses.restore(known);
      no();
    }));
    this.setWidths(wider(this.widths, after));
    this.addresses.restore(known);
  }

  /** By the module's table: call_indirect, or return_call_indirect. */
  protected override callImport(name: string, opcode = 0x10): void {
    this.i32const(this.importOf(name));
    this.code.op(opcode + 1, this.links.typeOf(name));
    this.byte(0);
  }

  // ---- operands

  read(o: Operand): number {
    switch (o.kind) {
      case "reg": {
        const n = this.insn.reg[o.index]!;
        return n >= HIGH ? this.readHighByte(n - HIGH) : this.reg(n, o.size);
      }
      case "mem":
        return this.load(o.size, this.address(o));
      case "imm": {
        if (this.form.operands.some((p) => p.kind === "imm" && p.index < o.index)) return this.imm(this.insn.imm2, o.size);
        if (o.size !== 8) return this.i32(this.insn.immLo);
        return this.i64((BigInt(this.insn.immHi) << 32n) | BigInt(this.insn.immLo >>> 0));
      }
      case "mm":
        return this.getState(ST_FPR + 16 * this.insn.reg[o.index]!, "i64");
      default:
        throw new Error(`${this.form.name}: read of ${o.kind}`);
    }
  }
  write(o: Operand, v: number): void {
    if (o.kind === "mem") this.store(o.size, this.address(o), v);
    else if (o.kind === "mm") {
      // the upper part of the x87 register that it lies in becomes all ones
      this.i32const(0);
      this.i32const(0xffff);
      this.word(0x3b, ST_FPR + 16 * this.insn.reg[o.index]! + 8);
      this.setState(ST_FPR + 16 * this.insn.reg[o.index]!, v);
    }
    else {
      const n = this.insn.reg[o.index]!;
      if (n >= HIGH) this.writeHighByte(n - HIGH, v);
      else this.setReg(n, o.size, v);
    }
  }
  protected local(n: number): number {
    const local = this.home[n]!;
    if (local < 0) throw new Error(`${this.form.name}: register ${n} is not in the summary`);
    return local;
  }
  reg(n: number, size: number): number {
    if (size === 1 && (this.lowKnown >>> n) & 1) {
      this.get(this.lows[n]!);
      return this.narrow(1, this.take("i32"));
    }
    this.get(this.local(n));
    const bytes = this.bytesOfReg(n);
    if (size === 8) return this.narrow(bytes, this.means(this.take("i64"), this.addresses.symbolOf(n), this.addresses.offsetOf(n)));
    this.byte(0xa7);
    return this.mask(size, this.narrow(Math.min(4, bytes), this.take("i32")));
  }
  setReg(n: number, size: number, v: number): void {
    const local = this.local(n), symbol = size === 8 ? this.symbolOf(v) : -1;
    this.addresses.set(n, symbol, symbol < 0 ? 0 : this.offsetOf(v));
    this.setBytesOfReg(n, size === 8 ? this.bytesOf(v) : size === 4 ? Math.min(4, this.bytesOf(v)) : Math.max(size, this.bytesOfReg(n)));
    this.lowKnown &= ~(1 << n);
    if (size === 8) this.get(v);
    else if (size === 4) {
      this.get(v);
      if (this.typeOf(v) === "i64") this.byte(0xa7);
      this.byte(0xad); // i64.extend_i32_u
    } else {
      const narrow = this.mask(size, this.trunc(v));
      if (size === 1) {
        if (this.lows[n]! < 0) this.lows[n] = this.permanent("i32");
        this.get(narrow);
        this.set(this.lows[n]!);
        this.barrier();
        this.lowKnown |= 1 << n;
      }
      this.get(local);
      this.i64const(size === 1 ? -0x100 : -0x10000);
      this.byte(0x83);
      this.get(narrow);
      this.byte(0xad);
      this.byte(0x84);
    }
    this.set(local);
    this.barrier();
    this.wrote(n);
  }
  /** Register n becomes the value of a local, of which nothing is known any more. */
  protected setLate(n: number, local: number): void {
    this.get(local);
    this.set(this.local(n));
    this.barrier();
    this.wrote(n);
  }
  private readHighByte(n: number): number {
    this.get(this.local(n));
    this.byte(0xa7);
    this.i32const(8);
    this.byte(0x76);
    this.i32const(0xff);
    this.byte(0x71);
    return this.take("i32");
  }
  private writeHighByte(n: number, v: number): void {
    const wide = this.zext(v);
    const local = this.local(n);
    this.addresses.set(n, -1, 0);
    this.setBytesOfReg(n, Math.max(2, this.bytesOfReg(n)));
    this.get(local);
    this.i64const(-1 - 0xff00);
    this.byte(0x83);
    this.get(wide);
    this.i64const(0xff);
    this.byte(0x83);
    this.i64const(8);
    this.byte(0x86);
    this.byte(0x84);
    this.set(local);
    this.barrier();
    this.wrote(n);
  }
  readAh = (): number => this.readHighByte(0);
  writeAh = (v: number): void => this.writeHighByte(0, v);
  regX(n: number): number {
    this.getWhole(n);
    const x = this.take("v128");
    this.wholeOf[x] = n;
    return x;
  }
  /** xmm registers that temporaries of this instruction are copies of */
  private readonly wholeOf: number[] = [];
  protected override releaseTemps(): void {
    const { wholeOf } = this;
    while (wholeOf.length > 0) wholeOf.pop();
    this.zero = -1;
    super.releaseTemps();
  }
  /** Pushes all of xmm n. */
  protected getWhole(n: number): void {
    this.get(this.local(GPRS + n));
    const low = this.low[n]!;
    if (low < 0) return;
    this.get(low);
    this.simd(this.types[low] === "f64" ? 34 : 32); // replace_lane
    this.byte(0);
  }
  /** xmm n becomes what is on the stack. */
  protected setWhole(n: number): void {
    this.set(this.local(GPRS + n));
    const low = this.low[n]!;
    if (low < 0) return;
    this.get(this.home[GPRS + n]!);
    this.simd(this.types[low] === "f64" ? 33 : 31); // extract_lane
    this.byte(0);
    this.set(low);
    this.barrier();
  }
  override readLow(o: Operand, size: 4 | 8): number {
    const low = this.low[this.insn.reg[o.index]!]!, type = size === 8 ? "f64" : "f32";
    if (low < 0 || this.types[low] !== type) return super.readLow(o, size);
    this.get(low);
    return this.take(type);
  }
  override writeLow(o: Operand, size: 4 | 8, v: number): void {
    const n = this.insn.reg[o.index]!, low = this.low[n]!;
    if (low < 0 || this.types[low] !== (size === 8 ? "f64" : "f32")) {
      super.writeLow(o, size, v);
      return;
    }
    forget(this.facts, n);
    this.get(v);
    this.set(low);
    this.barrier();
    this.wrote(GPRS + n);
  }
  /** What is known of xmm registers here. */
  protected readonly facts: Facts = { scalar: 0, packed: 0 };
  override known(fact: string, o: Operand): boolean {
    const { scalar, packed } = factOf(fact, this.insn.reg[o.index]!);
    return packed === 0 ? (this.facts.scalar & scalar) !== 0 : (this.facts.packed & packed) !== 0;
  }
  override learn(fact: string, o: Operand): void {
    this.learnOf(fact, this.insn.reg[o.index]!);
  }
  private learnOf(fact: string, n: number): void {
    const { scalar, packed } = factOf(fact, n);
    this.facts.scalar |= scalar;
    this.facts.packed |= packed;
  }
  /** 128 bits of zero, of a register by itself */
  private zero = -1;
  override xx(op: SimdBinary, a: number, b: number): number {
    const same = op === "v128.xor" && a >= 0 && this.wholeOf[a] !== undefined && this.wholeOf[a] === this.wholeOf[b];
    const x = super.xx(op, a, b);
    if (same) this.zero = x;
    return x;
  }
  setRegX(n: number, x: number): void {
    forget(this.facts, n);
    if (x === this.zero) for (const fact of ["packed8", "packed4"]) this.learnOf(fact, n);
    this.get(x);
    this.setWhole(n);
    this.barrier();
    this.wrote(GPRS + n);
  }
  protected readXmm(o: Operand): number {
    return this.regX(this.insn.reg[o.index]!);
  }
  protected writeXmm(o: Operand, x: number): void {
    this.setRegX(this.insn.reg[o.index]!, x);
  }
  /** Upper halves of ymm registers are always in the state block. */
  protected highHome(o: Operand): number {
    this.i32const(0);
    return this.links.state + ST_XMM + 32 * this.insn.reg[o.index]! + 16;
  }
  offset(_o: Operand): number {
    const { base, index, scale, dispLo, dispHi } = this.insn;
    const disp = (): void => {
      this.byte(0x42);
      this.code.s64(dispLo, dispHi);
    };
    let from = -1;
    if (base < 0 && index < 0) disp();
    else {
      if (base >= 0) this.get(this.local(base));
      if (index >= 0) {
        this.get(this.local(index));
        if (scale > 0) {
          this.i64const(scale);
          this.byte(0x86);
        }
        if (base >= 0) this.byte(0x7c);
      }
      if (dispLo !== 0 || dispHi !== 0) {
        if (index >= 0) {
          from = this.take("i64");
          this.get(from);
        } else from = this.local(base);
        disp();
        this.byte(0x7c);
      }
    }
    if (this.form.addrsize === 4) {
      this.byte(0xa7);
      this.byte(0xad);
    }
    const v = this.take("i64");
    if (this.form.addrsize === 4) return v;
    if (from >= 0 && dispHi === dispLo >> 31) {
      this.bases[v] = from;
      this.displacements[v] = dispLo;
      this.since[v] = this.changes;
    }
    const { addresses } = this;
    let symbol = CONSTANT, at = dispHi * 0x1_0000_0000 + (dispLo >>> 0);
    if (base >= 0) {
      symbol = addresses.symbolOf(base);
      at += addresses.offsetOf(base);
    }
    if (index >= 0) {
      symbol = addresses.sum(symbol, addresses.symbolOf(index), scale);
      at += addresses.offsetOf(index) * (1 << scale);
    }
    return symbol === CONSTANT && (at < 0 || at >= 0x80000000) ? v : this.means(v, symbol, at);
  }
  address(o: Operand): number {
    const a = this.offset(o);
    return this.insn.segment === 0 ? a : this.add(a, this.segmentBase());
  }
  segmentBase(): number {
    const { segment } = this.insn;
    return segment === 0 ? this.i64(0) : this.getState(segment === 1 ? ST_FS_BASE : ST_GS_BASE, "i64");
  }
  nextRip(): number {
    return this.i64(this.insn.rip + this.insn.length);
  }
  thisRip(): number {
    return this.i64(this.insn.rip);
  }
}
