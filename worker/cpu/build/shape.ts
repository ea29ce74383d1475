// worker/cpu/build/shape.ts — tier 0's builder: a wasm function for a shape, or for a run of shapes, operand fields loaded from the decoded records.
//
// A shape function is (record, left) → (next record, left after it). `left`, at least 1, is how many instructions may still retire. The lowest bits of what it
// returns first may say that it is something else: NEXT_*.
//
// The function of a run executes several records in a row, whatever their operands are, and so saves the indirect calls between them: each is
// likely to be mispredicted, which costs more than most instructions. What happens within is as if they were executed one after the other.

import type { Shape } from "../decode.ts";
import { EXIT_KERNEL } from "../exit.ts";
import { ST_EXIT, ST_FPR, ST_LEFT, ST_RIP, ST_XMM } from "../state.ts";
import { lowerInto } from "../insn/define.ts";
import type { InsnForm, Operand } from "./builder.ts";
import { NO_STORE, STATEFUL } from "./imports.ts";
import type { WasmType } from "./module.ts";
import { NotedFlags } from "./shape_flags.ts";

// The decoded record: REC_SIZE bytes.
/** u32: table slot of the shape function */
export const REC_FN = 0;
/** u32: address of the instruction; of the next one */
export const REC_RIP = 4;
export const REC_NEXT = 8;
/** u32 x 3: addresses of the register homes of operands 0–2; a second immediate */
export const REC_OP = 12;
/** u32: addresses of the homes of base and index; shift count of the index; address of the home of the segment base */
export const REC_BASE = 24;
export const REC_INDEX = 28;
export const REC_SCALE = 32;
export const REC_SEGMENT = 36;
/** i64 */
export const REC_DISP = 40;
export const REC_IMM = 48;
/** u32: record of the branch target once known */
export const REC_CHAIN = 56;
/** i32: below 0: times that a branch may come here before $hot is asked; or compiled code's slot, with what the function was before; 0: nobody counts */
export const REC_HOT = 60;
export const REC_SIZE = 64;
/** Operands that a record has room for. */
export const REC_OPERANDS = 3;

/** Parameters, and results, of shape functions. */
export const SHAPE: readonly [WasmType[], WasmType[]] = [["i32", "i32"], ["i32", "i32"]];
// In place of the next record:
/** nothing more: see ST_EXIT; `left` is without an instruction that run() counts */
export const NEXT_STOP = 1;
/** + the record of a branch: it was taken */
export const NEXT_BRANCH = 2;
/** a jump or a call to ST_RIP; a return */
export const NEXT_JUMP = 4, NEXT_RETURN = 8;

export class ShapeBuilder extends NotedFlags {
  form: InsnForm = { name: "", operands: [], rep: 0, opsize: 0, addrsize: 8 };
  private shape: Shape | undefined;
  /** Of a run: which instruction this is, and how many there are. */
  private part = 0;
  private parts = 1;
  /** Local that says that a store has hit decoded code, once there is one; and whether this instruction may have set it */
  private hit = 0;
  private mayHit = false;
  /** The instruction may write memory without the builder's verbs for it. */
  wild = false;
  /** Starts a function; then comes the definition; then finish(). */
  begin(shape: Shape | undefined, params = 2): void {
    this.code.len = 0;
    this.releaseTemps();
    this.types = params === 2 ? ["i32", "i32"] : [];
    this.free.clear();
    this.barrier();
    this.shape = shape;
    if (shape !== undefined) this.form = shape.form;
    this.part = this.hit = this.depth = 0;
    this.parts = 1;
    this.wild = this.perhaps = this.notedHere = this.mayHit = false;
    this.noted = undefined;
    this.unlikelyAt.length = 0;
  }
  /** A shape's function. */
  single(shape: Shape): void {
    this.begin(shape);
    lowerInto(this, shape);
    this.finish();
  }
  /** A run's, of at least two. `perhaps`: ids of the shapes of which single() has said so. */
  run(shapes: readonly Shape[], perhaps: ReadonlySet<number>): void {
    this.begin(shapes[0]);
    this.parts = shapes.length;
    shapes.forEach((shape, i) => {
      this.part = i;
      this.shape = shape;
      this.form = shape.form;
      this.notedHere = false;
      if (perhaps.has(shape.id)) this.settle();
      lowerInto(this, shape);
      if (i < shapes.length - 1) this.between();
    });
    this.finish();
  }
  /** After an instruction that is not the last of its run: does the next one follow at once? */
  private between(): void {
    if (this.part === 0) {
      // for all of them
      this.byte(0x20);
      this.byte(1);
      this.i32const(this.parts);
      this.byte(0x48); // i32.lt_s
    }
    if (this.mayHit) {
      // it may not be what it was any more
      this.get(this.hit);
      if (this.part === 0) this.byte(0x72);
      this.mayHit = false;
    } else if (this.part > 0) return this.release();
    this.seldom();
    this.if();
    this.goOn(1);
    this.end();
    this.release();
  }
  /** After the definition: on to the next record. */
  finish(): void {
    this.goOn(1);
    this.byte(0x0b);
  }
  /** Returns the record of this instruction, or of the n-th after it, plus `what`; this instruction has retired. */
  private goOn(n: number, what = 0): void {
    this.storeFlags();
    this.byte(0x20);
    this.byte(0);
    if (this.part + n > 0 || what > 0) {
      this.i32const(REC_SIZE * (this.part + n) + what);
      this.byte(0x6a);
    }
    this.left(1);
    this.byte(0x0f); // return
  }
  /** Pushes how many may retire when this instruction (done: 1) has, or before. */
  private left(done: 0 | 1): void {
    this.byte(0x20);
    this.byte(1);
    if (this.part + done === 0) return;
    this.i32const(this.part + done);
    this.byte(0x6b);
  }
  /** The instruction has not retired, or run() counts it. */
  private stop(what = NEXT_STOP): void {
    this.storeFlags();
    this.i32const(what);
    this.left(0);
    this.byte(0x0f); // return
  }

  /** A field of the record: i32, or i64 with opcode 0x29. */
  private field(offset: number, opcode = 0x28): void {
    this.byte(0x20);
    this.byte(0);
    this.memarg(opcode, REC_SIZE * this.part + offset);
  }
  private home(o: Operand): void {
    this.field(REC_OP + 4 * o.index);
  }

  read(o: Operand): number {
    switch (o.kind) {
      case "reg":
        this.home(o);
        this.memarg(o.size === 8 ? 0x29 : o.size === 4 ? 0x28 : o.size === 2 ? 0x2f : 0x2d, 0);
        return this.take(o.size === 8 ? "i64" : "i32");
      case "mem":
        return this.load(o.size, this.address(o));
      case "imm":
        if (this.secondImmediate(o)) this.home(o);
        else this.field(REC_IMM, o.size === 8 ? 0x29 : 0x28);
        return this.take(o.size === 8 ? "i64" : "i32");
      case "mm":
        this.home(o);
        this.memarg(0x29, 0);
        return this.take("i64");
      default:
        throw new Error(`${this.form.name}: read of ${o.kind}`);
    }
  }
  private secondImmediate(o: Operand): boolean {
    return this.form.operands.some((p) => p.kind === "imm" && p.index < o.index);
  }
  write(o: Operand, v: number): void {
    if (o.kind === "mem") {
      this.store(o.size, this.address(o), v);
      return;
    }
    if (o.kind !== "reg" && o.kind !== "mm") throw new Error(`${this.form.name}: write of ${o.kind}`);
    if (o.kind === "mm") {
      // the upper part of the x87 register that it lies in becomes all ones
      this.home(o);
      this.i32const(0xffff);
      this.memarg(0x3b, 8);
    }
    this.home(o);
    this.storeRegister(o.size, v);
  }
  /** Address of the home is on the stack. */
  private storeRegister(size: number, v: number, offset = 0): void {
    const wide = this.typeOf(v) === "i64";
    this.get(v);
    if (size === 8) this.memarg(0x37, offset);
    else if (size === 4) {
      if (wide) {
        this.byte(0xa7);
      }
      this.byte(0xad); // i64.extend_i32_u
      this.memarg(0x37, offset);
    } else if (size === 2) this.memarg(wide ? 0x3d : 0x3b, offset);
    else this.memarg(wide ? 0x3c : 0x3a, offset);
  }
  reg(n: number, size: number): number {
    this.i32const(0);
    this.memarg(size === 8 ? 0x29 : size === 4 ? 0x28 : size === 2 ? 0x2f : 0x2d, this.layout.state + 8 * n);
    return this.take(size === 8 ? "i64" : "i32");
  }
  setReg(n: number, size: number, v: number): void {
    this.i32const(0);
    this.storeRegister(size, v, this.layout.state + 8 * n);
  }
  readAh(): number {
    this.i32const(0);
    this.memarg(0x2d, this.layout.state + 1);
    return this.take("i32");
  }
  writeAh(v: number): void {
    this.i32const(0);
    this.storeRegister(1, v, this.layout.state + 1);
  }
  regX(n: number): number {
    this.i32const(0);
    this.simdAccess(0, this.layout.state + ST_XMM + 32 * n);
    return this.take("v128");
  }
  setRegX(n: number, x: number): void {
    this.i32const(0);
    this.get(x);
    this.simdAccess(11, this.layout.state + ST_XMM + 32 * n);
  }
  protected highHome(o: Operand): number {
    this.home(o);
    return 16;
  }
  protected readXmm(o: Operand): number {
    this.home(o);
    this.simdAccess(0, 0);
    return this.take("v128");
  }
  protected writeXmm(o: Operand, x: number): void {
    this.home(o);
    this.get(x);
    this.simdAccess(11, 0);
  }

  offset(_o: Operand): number {
    const s = this.shape!;
    this.field(REC_DISP, 0x29);
    if (s.hasBase) {
      this.field(REC_BASE);
      this.memarg(0x29, 0);
      this.byte(0x7c);
    }
    if (s.hasIndex) {
      this.field(REC_INDEX);
      this.memarg(0x29, 0);
      this.field(REC_SCALE, 0x35); // i64.load32_u
      this.byte(0x86);
      this.byte(0x7c);
    }
    if (this.form.addrsize === 4) {
      this.byte(0xa7);
      this.byte(0xad);
    }
    return this.take("i64");
  }
  address(o: Operand): number {
    const a = this.offset(o);
    return this.shape!.hasSegment ? this.addSegment(a) : a;
  }
  /** For string instructions, whose registers are not in the record. */
  segmentBase(): number {
    if (!this.shape!.hasSegment) return this.i64(0);
    this.field(REC_SEGMENT);
    this.memarg(0x29, 0);
    return this.take("i64");
  }
  private addSegment(a: number): number {
    return this.add(a, this.segmentBase());
  }

  nextRip(): number {
    this.field(REC_NEXT, 0x35);
    return this.take("i64");
  }
  thisRip(): number {
    this.field(REC_RIP, 0x35);
    return this.take("i64");
  }

  protected emitFault(address: number, n: number, kind: number): void {
    this.field(REC_RIP, 0x35);
    this.get(address);
    this.i32const(n);
    this.i32const(kind);
    this.callImport("$fault");
    this.stop();
  }
  protected emitCodeHit(address32: number, n: number): void {
    this.get(address32);
    this.i32const(n);
    this.callImport("$code_hit");
    if (this.part === this.parts - 1) return;
    if (this.hit === 0) this.hit = this.permanent("i32");
    this.i32const(1);
    this.set(this.hit);
    this.barrier();
    this.mayHit = true;
  }
  protected emitTrap(exit: number): void {
    this.setState(ST_RIP, this.thisRip());
    this.setState(ST_EXIT, exit);
    this.stop();
  }
  leave(exit: number, rip?: number): void {
    this.setState(ST_RIP, rip ?? this.nextRip());
    this.setState(ST_EXIT, this.i32(exit));
    this.stop();
  }
  kernel(): void {
    this.call("door", [this.thisRip()]);
    this.leave(EXIT_KERNEL);
  }
  jump(rip: number): void {
    this.setState(ST_RIP, rip);
    this.stop(NEXT_JUMP);
  }
  jumpCall(rip: number): void {
    this.jump(rip);
  }
  jumpRet(rip: number): void {
    this.setState(ST_RIP, rip);
    this.stop(NEXT_RETURN);
  }
  branch(_target: Operand, c?: number): void {
    if (c !== undefined) {
      this.get(c);
      this.if();
    }
    this.goOn(0, NEXT_BRANCH);
    if (c !== undefined) this.end();
  }
  branchCall(target: Operand): void {
    this.branch(target);
  }

  protected beforeHelper(name: string): void {
    if (!NO_STORE.test(name)) this.wild = true;
    if (STATEFUL.test(name)) {
      if (this.depth > 0) this.perhaps = true;
      this.settle();
    }
    this.i32const(0);
    this.left(0);
    this.memarg(0x36, this.layout.state + ST_LEFT);
  }
  protected afterHelper(_name: string): void {
    // registers are in the state block: nothing to reload
  }
}

/** Where mm registers are: offset of the home in the state block. */
export function mmHome(n: number): number {
  return ST_FPR + 16 * n;
}
