// worker/cpu/jit/emit.ts — the compiled tier's builder: a region becomes one WebAssembly function, () → next rip.
//
// Guest registers that the region touches live in locals that always hold the current value, loaded at the entry and after whatever may
// change the state block; leaving stores those that the region writes. The function returns the address to continue at, with all state in the
// block, or -1 with ST_EXIT and ST_RIP set. A caller that gets the address it expects goes on; any other address it passes on: the
// dispatcher takes it from there. Instructions are counted at block starts, and checked where control can go round: at the entry, at loop
// headers and behind calls, for the longest way to the next check; so no more than the budget is ever retired.
import type { Condition, FlagKind } from "../flags.ts";
import { CONDITIONS, FL_BITS, FL_DEC, FL_EXPLICIT, FL_INC, FL_SUB, FLAG_KINDS } from "../flags.ts";
import type { InsnForm, Operand } from "../build/builder.ts";
import { Bytes, type WasmType } from "../build/module.ts";
import { CODE_SHIFT, WasmBuilder, type WasmLayout } from "../build/wasm.ts";
import { HIGH, type Insn } from "../decode.ts";
import {
  STATUS_FLAGS, ST_DEPTH, ST_EXIT, ST_FL_A, ST_FL_B, ST_FL_OP, ST_FL_RES, ST_FPR, ST_FS_BASE, ST_GS_BASE, ST_LEFT, ST_RIP, ST_XMM,
} from "../state.ts";
import { CANON, localsOf, MEM, type FlagRecord } from "./flag_record.ts";
import type { Block, Edge, Region } from "./region.ts";
import { emitStructured, type Emitter } from "./structure.ts";

/** Guest calls nested as WebAssembly calls: a worker's stack in Chromium holds some 3,300 frames. */
const MAX_DEPTH = 700;
/** The jump table: direct-mapped pairs of u32 [guest address, table slot]. */
export const JUMP_ENTRIES = 4096;

/** What a region needs to know of the rest of the compiled tier. */
export interface Links extends WasmLayout {
  /** address of the jump table */
  readonly jumps: number;
  /** address of the word that holds the table slot of the code at `rip`, or 0 while there is none */
  slotOf(rip: number): number;
  /** type index of () → i64 in the module being written */
  readonly regionType: number;
}

const GPRS = 16;

export class RegionBuilder extends WasmBuilder implements Emitter {
  form!: InsnForm;
  private readonly links: Links;
  private readonly region: Region;
  private insn!: Insn;
  private block!: Block;
  /** local of general register n, of xmm n at 16 + n; -1: not touched */
  private readonly home: number[] = new Array<number>(32).fill(-1);
  private readonly left: number;
  private readonly out: number;
  private readonly hit: number;
  private readonly fl: { op: number; res: number; a: number; b: number };
  private flag: FlagRecord = MEM;
  /** instructions of the block from the present one on, itself included: counted already */
  private remaining = 0;
  /** open blocks, loops and ifs */
  private depth = 0;
  /** open whens and loops of the present instruction */
  private nest = 0;
  /** where flags must be in one form around the branches within an instruction */
  private norm: FlagRecord | undefined;
  private readonly temps: number[] = [];
  private readonly pinned = new Set<number>();
  private readonly leaked = new Set<number>();
  /** stores whose code test is still to come: [tested, address, bytes] */
  private hits: [number, number, number][] = [];
  private hitUsed = false;
  private edgeOut: ((k: number) => void) | undefined;
  private readonly longest: number[];

  constructor(links: Links, imports: Map<string, number>, region: Region) {
    super(links, imports);
    this.links = links;
    this.region = region;
    this.code = new Bytes(4096);
    for (let n = 0; n < 32; n++) if ((region.used >>> n) & 1) this.home[n] = this.permanent(n < GPRS ? "i64" : "v128");
    this.left = this.permanent("i32");
    this.out = this.permanent("i64");
    this.hit = this.permanent("i32");
    this.fl = { op: this.permanent("i32"), res: this.permanent("i64"), a: this.permanent("i64"), b: this.permanent("i64") };
    this.longest = longestWays(region);
  }

  /** The body of the function, with its end; `types` are its locals. */
  compile(): Bytes {
    this.open(0x02); // to here with the flags where they are in the block
    this.open(0x02); // to here with the flags in the canonical locals
    this.loadState();
    emitStructured(this.region.succ, this.region.analysis, this);
    this.byte(0x00); // unreachable
    this.end();
    this.storeFlags();
    this.end();
    this.storeState();
    this.get(this.out);
    this.byte(0x0b);
    return this.code;
  }

  // ---- locals: temporaries of an instruction, but for those that the flags still need

  protected override temp(type: WasmType): number {
    const local = this.free[type].pop() ?? this.types.push(type) - 1;
    this.temps.push(local);
    return local;
  }
  protected override releaseTemps(): void {
    let kept = 0;
    for (const local of this.temps) {
      if (this.pinned.has(local)) this.temps[kept++] = local;
      else if (!this.leaked.has(local)) this.free[this.types[local]!].push(local);
    }
    this.temps.length = kept;
    super.releaseTemps();
  }
  private setFlag(f: FlagRecord): void {
    this.flag = f;
    this.pinned.clear();
    for (const local of localsOf(f)) this.pinned.add(local);
  }
  /** A value that outlives its instruction: constants are put into a local. */
  private keep(v: number): number {
    if (v >= 0) return v;
    this.get(v);
    return this.take(this.typeOf(v));
  }

  // ---- structure

  private open(opcode: number): void {
    this.byte(opcode);
    this.byte(0x40);
    this.depth++;
    this.barrier();
  }
  protected override if(): void {
    super.if();
    this.depth++;
  }
  protected override end(): void {
    super.end();
    this.depth--;
  }
  get depthOffset(): number {
    return this.depth;
  }
  openBlock(): void {
    this.open(0x02);
  }
  openLoop(): void {
    this.toCanon();
    this.open(0x03);
  }
  close(): void {
    this.end();
  }
  br(depth: number): void {
    this.toCanon();
    this.byte(0x0c);
    this.code.u32(depth);
    this.barrier();
  }
  leaveTo(rip: number): void {
    this.exitTo(() => this.i64const(rip), 0);
  }
  exitEdge(n: number, k: number): void {
    const e = this.region.blocks[n]!.edges[this.region.edgeOf[n]![k]!]!;
    this.tailTo(e);
  }

  body(n: number): void {
    const { analysis, blocks } = this.region;
    const block = (this.block = blocks[n]!);
    if (analysis.merge[n] || analysis.loopHeader[n]) this.setFlag(CANON);
    const count = block.steps.length;
    if (n === 0 || analysis.loopHeader[n] || block.afterCall) {
      this.get(this.left);
      this.i32const(this.longest[n]!);
      this.byte(0x48); // i32.lt_s
      this.if();
      this.leaveTo(block.rip);
      this.end();
    }
    if (count > 0) {
      this.get(this.left);
      this.i32const(count);
      this.byte(0x6b);
      this.set(this.left);
    }
    this.remaining = count;
    for (const step of block.steps.slice(0, this.ends(block) ? -1 : undefined)) {
      this.lower(step.insn, step.summary.conditionalFlags, step.summary.helper);
      this.endInsn();
      this.remaining--;
    }
  }
  /** Whether the last instruction is the block's terminator. */
  private ends(block: Block): boolean {
    const last = block.steps[block.steps.length - 1];
    return last !== undefined && last.summary.ending !== "next";
  }

  private lower(insn: Insn, conditionalFlags: boolean, helper: boolean): void {
    this.insn = insn;
    this.form = insn.shape.form;
    this.norm = helper ? MEM : conditionalFlags ? CANON : undefined;
    this.normalise();
    insn.shape.definition!.lower(this, ...this.form.operands);
    this.normalise();
    this.norm = undefined;
  }
  private normalise(): void {
    if (this.norm === MEM) this.toMem();
    else if (this.norm === CANON) this.toCanon();
  }
  private endInsn(): void {
    this.settleHits(() => this.i64const(this.insn.rip + this.insn.length));
    this.releaseTemps();
  }

  terminator(n: number, edge: (k: number) => void): void {
    const block = this.region.blocks[n]!;
    for (const local of localsOf(this.flag)) this.leaked.add(local);
    const take = (k: number): void => {
      const e = block.edges[k];
      if (e === undefined) return;
      const j = this.region.edgeOf[n]!.indexOf(k);
      if (j < 0) this.tailTo(e);
      else edge(j);
    };
    if (!this.ends(block)) {
      take(0);
      return;
    }
    this.edgeOut = (k) => {
      this.edgeOut = undefined;
      this.norm = undefined;
      take(k);
    };
    const last = block.steps[block.steps.length - 1]!;
    this.remaining = 1;
    this.lower(last.insn, last.summary.conditionalFlags, last.summary.helper);
    // a trap that is not conditional, or a leave, has left; whatever else is the instruction's edge has been emitted by branch() and its kin
    this.releaseTemps();
    this.byte(0x00);
    this.barrier();
  }

  // ---- state block

  private word(opcode: number, offset: number): void {
    this.memarg(opcode, 0, this.links.state + offset);
  }
  private loadState(): void {
    for (let n = 0; n < 32; n++) {
      const local = this.home[n]!;
      if (local < 0) continue;
      this.i32const(0);
      this.loadHome(n);
      this.set(local);
    }
    this.i32const(0);
    this.word(0x28, ST_LEFT);
    this.set(this.left);
    this.barrier();
  }
  private loadHome(n: number): void {
    if (n < GPRS) this.word(0x29, 8 * n);
    else {
      this.simd(0);
      this.code.u32(0);
      this.code.u32(this.links.state + ST_XMM + 32 * (n - GPRS));
    }
  }
  private storeRegisters(): void {
    for (let n = 0; n < 32; n++) {
      if (!((this.region.written >>> n) & 1)) continue;
      this.i32const(0);
      this.get(this.home[n]!);
      if (n < GPRS) this.word(0x37, 8 * n);
      else {
        this.simd(11);
        this.code.u32(0);
        this.code.u32(this.links.state + ST_XMM + 32 * (n - GPRS));
      }
    }
  }
  private storeState(): void {
    this.storeRegisters();
    this.storeLeft(0);
  }
  private storeLeft(more: number): void {
    this.i32const(0);
    this.get(this.left);
    if (more !== 0) {
      this.i32const(more);
      this.byte(0x6a);
    }
    this.word(0x36, ST_LEFT);
  }
  private storeFlags(): void {
    const put = (local: number, opcode: number, offset: number): void => {
      this.i32const(0);
      this.get(local);
      this.word(opcode, offset);
    };
    put(this.fl.op, 0x36, ST_FL_OP);
    put(this.fl.res, 0x37, ST_FL_RES);
    put(this.fl.a, 0x37, ST_FL_A);
    put(this.fl.b, 0x37, ST_FL_B);
  }

  // ---- leaving

  /** Leaves with the address that `rip` puts on the stack; `uncount` instructions that are counted already will not be done. */
  private exitTo(rip: () => void, uncount: number): void {
    rip();
    this.set(this.out);
    this.barrier();
    if (uncount !== 0) {
      this.get(this.left);
      this.i32const(uncount);
      this.byte(0x6a);
      this.set(this.left);
      this.barrier();
    }
    const before = this.flag;
    const pins = [...this.pinned];
    if (this.flag.kind === "mem") {
      this.byte(0x0c);
      this.code.u32(this.depth - 1);
    } else {
      this.toCanon();
      this.byte(0x0c);
      this.code.u32(this.depth - 2);
    }
    this.barrier();
    this.flag = before;
    this.pinned.clear();
    for (const p of pins) this.pinned.add(p);
  }
  private exitNow(uncount: number): void {
    this.exitTo(() => this.i64const(-1), uncount);
  }
  protected emitFault(address: number, n: number, kind: number): void {
    this.i64const(this.insn.rip);
    this.get(address);
    this.i32const(n);
    this.i32const(kind);
    this.callImport("$fault");
    this.exitNow(this.remaining);
  }
  protected emitTrap(exit: number): void {
    this.hitsNow();
    this.setState(ST_RIP, this.thisRip());
    this.setState(ST_EXIT, exit);
    this.exitNow(this.remaining);
  }
  leave(exit: number): void {
    this.settleHitsSilently();
    this.setState(ST_RIP, this.nextRip());
    this.setState(ST_EXIT, this.i32(exit));
    this.exitNow(this.remaining - 1);
  }
  /** Everything to the state block: before another region runs. */
  private sync(): void {
    this.toMem();
    this.storeState();
  }
  private loadSlot(rip: number): void {
    this.i32const(0);
    this.memarg(0x28, 0, this.links.slotOf(rip));
  }
  /** Goes on at an address outside of the region: in its compiled code if there is any. */
  private tailTo(e: Edge): void {
    this.sync();
    this.loadSlot(e.rip);
    const slot = this.take("i32");
    this.tailSlot(slot, () => this.i64const(e.rip));
  }
  private tailSlot(slot: number, rip: () => void): void {
    this.get(slot);
    this.if();
    this.get(slot);
    this.byte(0x13); // return_call_indirect
    this.code.u32(this.links.regionType);
    this.code.u32(0);
    this.end();
    rip();
    this.byte(0x0f);
    this.barrier();
  }
  /** Table slot of the code at the address in `rip` by the jump table, or 0. */
  private probe(rip: number): number {
    this.get(rip);
    this.byte(0xa7);
    this.i32const(JUMP_ENTRIES - 1);
    this.byte(0x71);
    this.i32const(3);
    this.byte(0x74);
    const at = this.take("i32");
    this.get(at);
    this.memarg(0x28, 0, this.links.jumps + 4);
    this.i32const(0);
    this.get(at);
    this.memarg(0x35, 0, this.links.jumps); // i64.load32_u
    this.get(rip);
    this.byte(0x51);
    this.byte(0x1b); // select
    return this.take("i32");
  }
  jump(rip: number): void {
    this.settleHits(() => this.get(rip));
    this.sync();
    this.tailSlot(this.probe(rip), () => this.get(rip));
  }
  jumpRet(rip: number): void {
    this.settleHits(() => this.get(rip));
    this.sync();
    this.get(rip);
    this.byte(0x0f);
    this.barrier();
  }
  branch(_target: Operand, c?: number): void {
    this.settleHitsSilently();
    const edge = this.edgeOut!;
    if (c === undefined) {
      edge(0);
      return;
    }
    const flag = this.flag;
    this.get(c);
    this.if();
    this.releaseTemps();
    edge(0);
    this.else();
    this.setFlag(flag);
    edge(1);
    this.setFlag(flag);
    this.end();
  }
  branchCall(_target: Operand): void {
    const rip = (this.insn.immHi >>> 0) * 0x1_0000_0000 + (this.insn.immLo >>> 0);
    this.settleHits(() => this.i64const(rip));
    this.sync();
    this.loadSlot(rip);
    this.callSlot(this.take("i32"), () => this.i64const(rip));
  }
  jumpCall(rip: number): void {
    this.settleHits(() => this.get(rip));
    this.sync();
    this.callSlot(this.probe(rip), () => this.get(rip));
  }
  private callSlot(slot: number, rip: () => void): void {
    this.i32const(0);
    this.word(0x28, ST_DEPTH);
    const depth = this.take("i32");
    this.get(slot);
    this.byte(0x45);
    this.get(depth);
    this.i32const(MAX_DEPTH);
    this.byte(0x4e); // i32.ge_s
    this.byte(0x72);
    this.if();
    rip();
    this.byte(0x0f);
    this.end();
    this.i32const(0);
    this.get(depth);
    this.i32const(1);
    this.byte(0x6a);
    this.word(0x36, ST_DEPTH);
    this.get(slot);
    this.byte(0x11); // call_indirect
    this.code.u32(this.links.regionType);
    this.code.u32(0);
    this.set(this.out);
    this.i32const(0);
    this.get(depth);
    this.word(0x36, ST_DEPTH);
    this.get(this.out);
    this.i64const(this.insn.rip + this.insn.length);
    this.byte(0x52); // i64.ne
    this.if();
    this.get(this.out);
    this.byte(0x0f);
    this.end();
    this.loadState();
    this.setFlag(MEM);
    this.edgeOut!(0);
  }

  // ---- stores to code: noticed when the instruction is done

  protected override testCode(a: number, n: number): void {
    this.get(a);
    this.i32const(CODE_SHIFT);
    this.byte(0x76);
    this.memarg(0x2d, 0, this.links.codeMap);
    this.hits.push([this.take("i32"), a, n]);
    if (this.nest > 0) this.hitsNow();
  }
  protected emitCodeHit(): void {}
  /** Tells of hits so far, and remembers that there were some. */
  private hitsNow(): void {
    for (const [tested, a, n] of this.hits) {
      this.get(tested);
      this.if();
      this.get(a);
      this.i32const(n);
      this.callImport("$code_hit");
      this.i32const(1);
      this.set(this.hit);
      this.end();
      this.hitUsed = true;
    }
    this.hits = [];
  }
  /** The instruction is complete: if it has hit code, leaves, for the code that follows may be what it changed. */
  private settleHits(rip: () => void): void {
    if (this.hits.length > 1) this.hitsNow();
    const one = this.hits[0];
    if (one !== undefined) {
      this.get(one[0]);
      this.if();
      this.get(one[1]);
      this.i32const(one[2]);
      this.callImport("$code_hit");
      this.exitTo(rip, this.remaining - 1);
      this.end();
      this.hits = [];
    }
    if (this.hitUsed) {
      this.get(this.hit);
      this.if();
      this.exitTo(rip, this.remaining - 1);
      this.end();
      this.hitUsed = false;
    }
  }
  /** For endings that leave anyway, or that store nothing. */
  private settleHitsSilently(): void {
    this.hitsNow();
    this.hitUsed = false;
  }
  override check(address: number, n: number, write: boolean): void {
    this.hitsNow();
    super.check(address, n, write);
  }

  // ---- operands

  read(o: Operand): number {
    switch (o.kind) {
      case "reg": {
        const n = this.insn.reg[o.index]!;
        return n >= HIGH ? this.readHigh(n - HIGH) : this.reg(n, o.size);
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
    else if (o.kind === "mm") this.setState(ST_FPR + 16 * this.insn.reg[o.index]!, v);
    else {
      const n = this.insn.reg[o.index]!;
      if (n >= HIGH) this.writeHigh(n - HIGH, v);
      else this.setReg(n, o.size, v);
    }
  }
  private local(n: number): number {
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
  private readHigh(n: number): number {
    this.get(this.local(n));
    this.byte(0xa7);
    this.i32const(8);
    this.byte(0x76);
    this.i32const(0xff);
    this.byte(0x71);
    return this.take("i32");
  }
  private writeHigh(n: number, v: number): void {
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
  readAh(): number {
    return this.readHigh(0);
  }
  writeAh(v: number): void {
    this.writeHigh(0, v);
  }
  regX(n: number): number {
    this.get(this.local(GPRS + n));
    return this.take("v128");
  }
  setRegX(n: number, x: number): void {
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

  // ---- control within an instruction

  override when(c: number, yes: () => void, no?: () => void): void {
    this.nest++;
    super.when(
      c,
      () => {
        yes();
        this.hitsNow();
        this.normalise();
      },
      no && (() => {
        no();
        this.hitsNow();
        this.normalise();
      }),
    );
    this.nest--;
  }
  override loop(cond: () => number, body: () => void): void {
    this.nest++;
    this.open(0x02);
    this.open(0x03);
    this.get(cond());
    this.byte(0x45);
    this.byte(0x0d);
    this.byte(1);
    this.barrier();
    body();
    this.hitsNow();
    this.normalise();
    this.byte(0x0c);
    this.byte(0);
    this.end();
    this.end();
    this.nest--;
  }
  protected beforeHelper(): void {
    this.hitsNow();
    this.toMem();
    this.storeRegisters();
    this.storeLeft(this.remaining);
  }
  protected afterHelper(): void {
    this.get(this.left);
    const left = this.take("i32");
    this.loadState();
    this.get(left);
    this.set(this.left);
    this.setFlag(MEM);
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
  setFlags(which: number, image: number): void {
    let bits = this.and(image, this.i32(which));
    if (which !== STATUS_FLAGS) bits = this.or(bits, this.and(this.getFlags(), this.i32(STATUS_FLAGS & ~which)));
    this.setFlag({ kind: "bits", image: this.keep(bits) });
  }
  getFlags(): number {
    const f = this.flag;
    if (f.kind === "bits") return this.and(f.image, this.i32(STATUS_FLAGS));
    if (f.kind === "mem" || f.kind === "canon") return this.storedFlags();
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
  /** The six from the state block, where they are put first if need be. */
  private storedFlags(): number {
    if (this.flag.kind === "canon") this.storeFlags();
    this.callImport("$getflags");
    return this.take("i32");
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
      case "sub":
      case "add":
      case "adc":
      case "sbb":
        return bit4(this.xor(this.xor(f.x, f.y), f.r));
      default:
        return bit4(this.getFlags());
    }
  }
  private stepBack(kind: "inc" | "dec", r: number): number {
    const one = this.typeOf(r) === "i64" ? this.i64(1) : this.i32(1);
    return kind === "inc" ? this.sub(r, one) : this.add(r, one);
  }
  cond(cc: Condition): number {
    const n = CONDITIONS.indexOf(cc);
    const v = this.conditionOf(CONDITIONS[n & ~1]!, this.flag);
    return n & 1 ? this.eqz(v) : v;
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
      case "bits":
        return this.fromImage(cc, f.image);
      case "canon":
        return this.fromCanon(cc);
      case "mem":
        return this.fromImage(cc, this.storedFlags());
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
    const { op, res, a, b } = this.fl;
    const slow = (): number => this.fromImage(cc, this.storedFlags());
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
  private toCanon(): void {
    const f = this.flag;
    if (f.kind === "canon") return;
    const put = (local: number, v: number): void => {
      this.get(v);
      this.set(local);
      this.barrier();
    };
    const all = (op: number, res: number, a: number, b: number): void => {
      put(this.fl.res, res);
      put(this.fl.a, a);
      put(this.fl.b, b);
      put(this.fl.op, this.i32(op));
    };
    switch (f.kind) {
      case "mem":
        put(this.fl.op, this.getState(ST_FL_OP, "i32"));
        put(this.fl.res, this.getState(ST_FL_RES, "i64"));
        put(this.fl.a, this.getState(ST_FL_A, "i64"));
        put(this.fl.b, this.getState(ST_FL_B, "i64"));
        break;
      case "logic": {
        const r = this.wide(f.size, f.r);
        all(FL_SUB, r, r, this.i64(0));
        break;
      }
      case "inc":
      case "dec": {
        const c = this.zext(this.conditionOf("b", f.carry));
        all(f.kind === "inc" ? FL_INC : FL_DEC, this.wide(f.size, f.r), this.wide(f.size, this.stepBack(f.kind, f.r)), c);
        break;
      }
      case "explicit":
        all(FL_EXPLICIT, this.wide(f.size, f.r), this.zext(this.flagImage(f.c, f.o, f.a)), this.i64(0));
        break;
      case "bits":
        all(FL_BITS, this.i64(0), this.zext(f.image), this.i64(0));
        break;
      default:
        all(FLAG_KINDS[f.kind], this.wide(f.size, f.r), this.wide(f.size, f.x), this.wide(f.size, f.y));
    }
    this.setFlag(CANON);
  }
  private toMem(): void {
    if (this.flag.kind === "mem") return;
    this.toCanon();
    this.storeFlags();
    this.setFlag(MEM);
  }
}

/** Instructions on the longest way from each block to the next check, itself included. */
function longestWays(region: Region): number[] {
  const { analysis, succ, blocks } = region;
  const way = blocks.map((b) => b.steps.length);
  for (let i = analysis.order.length - 1; i >= 0; i--) {
    const n = analysis.order[i]!;
    let most = 0;
    succ[n]!.forEach((t, k) => {
      if (analysis.cut[n]![k] || analysis.rpo[t]! <= analysis.rpo[n]! || analysis.loopHeader[t] || blocks[t]!.afterCall) return;
      most = Math.max(most, way[t]!);
    });
    way[n] = way[n]! + most;
  }
  return way;
}
