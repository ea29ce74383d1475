// worker/cpu/jit/emit_operands.ts — operands in compiled code: constants, and registers that are locals.

import type { InsnForm, Operand } from "../build/builder.ts";
import { HIGH, type Insn } from "../decode.ts";
import { ST_FPR, ST_FS_BASE, ST_GS_BASE, ST_XMM } from "../state.ts";
import { FlagBuilder } from "./emit_flags.ts";
import type { Links } from "./links.ts";

/** General registers; xmm n is register GPRS + n here. */
export const GPRS = 16;

export abstract class OperandBuilder extends FlagBuilder {
  form!: InsnForm;
  protected insn!: Insn;
  protected readonly links: Links;
  /** local of general register n, of xmm n at 16 + n; -1: not touched */
  protected readonly home: number[] = new Array<number>(32).fill(-1);

  constructor(links: Links, imports: Map<string, number>) {
    super(links, imports);
    this.links = links;
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
    this.get(this.local(n));
    if (size === 8) return this.take("i64");
    this.byte(0xa7);
    const v = this.take("i32");
    return this.mask(size, v);
  }
  setReg(n: number, size: number, v: number): void {
    const local = this.local(n);
    if (size === 8) this.get(v);
    else if (size === 4) {
      this.get(v);
      if (this.typeOf(v) === "i64") this.byte(0xa7);
      this.byte(0xad); // i64.extend_i32_u
    } else {
      const wide = this.zext(v);
      const bits = size === 1 ? 0xff : 0xffff;
      this.get(local);
      this.i64const(-1 - bits);
      this.byte(0x83);
      this.get(wide);
      this.i64const(bits);
      this.byte(0x83);
      this.byte(0x84);
    }
    this.set(local);
    this.barrier();
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
  }
  readAh = (): number => this.readHighByte(0);
  writeAh = (v: number): void => this.writeHighByte(0, v);
  regX(n: number): number {
    this.get(this.local(GPRS + n));
    return this.take("v128");
  }
  /** What has been learnt of xmm registers in this block: "fact number". */
  protected readonly facts = new Set<string>();
  override known(fact: string, o: Operand): boolean {
    return this.facts.has(`${fact} ${this.insn.reg[o.index]}`);
  }
  override learn(fact: string, o: Operand): void {
    this.facts.add(`${fact} ${this.insn.reg[o.index]}`);
  }
  setRegX(n: number, x: number): void {
    for (const f of this.facts) if (f.endsWith(` ${n}`)) this.facts.delete(f);
    this.get(x);
    this.set(this.local(GPRS + n));
    this.barrier();
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
        disp();
        this.byte(0x7c);
      }
    }
    if (this.form.addrsize === 4) {
      this.byte(0xa7);
      this.byte(0xad);
    }
    return this.take("i64");
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
