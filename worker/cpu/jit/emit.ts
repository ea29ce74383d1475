// worker/cpu/jit/emit.ts — the compiled tier's builder: a region becomes one WebAssembly function, () → next rip.
//
// Guest registers that the region touches live in locals that always hold the current value, loaded at the entry and after whatever may
// change the state block; leaving stores those that the region writes. The function returns the address to continue at, with all state in the
// block, or -1 with ST_EXIT and ST_RIP set. A caller that gets the address it expects goes on; any other address it passes on: the
// dispatcher takes it from there. Instructions are counted at block starts, and checked where control can go round: at the entry, at loop
// headers and behind calls, for the longest way to the next check; so no more than the budget is ever retired.
import type { Operand } from "../build/builder.ts";
import { Bytes, type WasmType } from "../build/module.ts";
import { CODE_SHIFT } from "../build/wasm.ts";
import { GUEST_READ_MIN, GUEST_WRITE_MIN } from "../memory.ts";
import type { Insn } from "../decode.ts";
import {
  ST_CODE_HIT, ST_DEPTH, ST_EXIT, ST_LEFT, ST_RIP, ST_XMM,
} from "../state.ts";
import { GPRS, OperandBuilder } from "./emit_operands.ts";
import { CANON, localsOf, MEM, type FlagRecord } from "./flag_record.ts";
import { JUMP_ENTRIES, STATEFUL, type Links } from "./links.ts";
import { longestWays, type Block, type Edge, type Region } from "./region.ts";
import { emitStructured, type Emitter } from "./structure.ts";

/** Guest calls nested as WebAssembly calls: a worker's stack in Chromium holds some 3,300 frames. */
const MAX_DEPTH = 700;
/** Helpers that never write guest memory. */
const NO_STORE = /^(sse_|cpuid$|rdtsc$|rflags$|setRflags$|div128$|idiv128$|door$|rep_lods$|rep_cmps$|rep_scas$)/;

export class RegionBuilder extends OperandBuilder implements Emitter {
  private readonly region: Region;
  private block!: Block;
  private readonly left: number;
  private readonly out: number;
  private readonly hit: number;
  /** instructions of the block from the present one on, itself included: counted already */
  private remaining = 0;
  /** open blocks, loops and ifs */
  private depth = 0;
  /** where flags must be in one form around the branches within an instruction */
  private norm: FlagRecord | undefined;
  /** the present instruction sets flags inside a branch, if that branch is not decided while compiling */
  private mayFlag = false;
  private readonly temps: number[] = [];
  private readonly leaked = new Set<number>();
  private hitUsed = false;
  /** where in the code the number of a function in this module is to be filled in (five bytes), and its guest address */
  readonly nearCalls: [number, number][] = [];
  private edgeOut: ((k: number) => void) | undefined;
  private readonly longest: number[];

  constructor(links: Links, imports: Map<string, number>, region: Region) {
    super(links, imports);
    this.region = region;
    this.code = new Bytes(4096);
    for (let n = 0; n < 32; n++) if ((region.used >>> n) & 1) this.home[n] = this.permanent(n < GPRS ? "i64" : "v128");
    this.left = this.permanent("i32");
    this.out = this.permanent("i64");
    this.hit = this.permanent("i32");
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
  openBlock = (): void => this.open(0x02);
  openLoop(n: number): void {
    // behind a block, control comes from branches: what was emitted last says nothing
    if (this.region.analysis.merge[n]) this.setFlag(CANON);
    else this.toCanon();
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
    this.facts.clear();
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
    this.norm = helper ? MEM : undefined;
    this.mayFlag = conditionalFlags;
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
    if (this.hitUsed) {
      // a helper has written to code: what follows may be new
      this.hitUsed = false;
      this.alsoCanon();
      this.get(this.hit);
      this.if();
      this.leaveAt(this.insn.rip + this.insn.length, this.remaining - 1);
      this.end();
    }
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
    const before = this.flag, canonToo = this.canonToo;
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
    this.canonToo = canonToo;
    this.pinned.clear();
    for (const p of pins) this.pinned.add(p);
  }
  private exitNow(uncount: number): void {
    this.exitTo(() => this.i64const(-1), uncount);
  }
  leave(exit: number): void {
    this.setState(ST_RIP, this.nextRip());
    this.setState(ST_EXIT, this.i32(exit));
    this.exitNow(this.remaining - 1);
  }
  kernel(): void {
    if (this.insn.rip !== this.links.door) {
      this.trap(); // #UD
      return;
    }
    this.setState(ST_RIP, this.nextRip());
    this.sync();
    this.callImport("$kernel");
    this.if();
    this.i64const(-1);
    this.byte(0x0f);
    this.end();
    this.loadState();
    this.setFlag(MEM);
    this.edgeOut!(0);
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
    this.callImport("$region", 0x12); // return_call
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
    // back from the kernel, to whoever came to the door
    if (this.block.afterDoor) {
      this.jumpRet(rip);
      return;
    }
    if (this.block.edges.length > 0) {
      this.choose(rip, this.block.edges);
      rip = this.out;
    }
    this.sync();
    this.tailSlot(this.probe(rip), () => this.get(rip));
  }
  /** An indirect jump that is thought to go to these places of the region: a search by halves; whoever is not found falls through. */
  private choose(rip: number, edges: readonly Edge[]): void {
    if (edges.length === 0) return;
    const go = this.edgeOut!, flag = this.flag;
    this.get(rip);
    this.set(this.out);
    this.barrier();
    this.releaseTemps();
    const search = (from: number, to: number): void => {
      const middle = (from + to) >> 1;
      this.get(this.out);
      this.i64const(edges[middle]!.rip);
      if (to - from === 1) {
        this.byte(0x51); // i64.eq
        this.if();
        go(from);
      } else {
        this.byte(0x54); // i64.lt_u
        this.if();
        search(from, middle);
        this.else();
        search(middle, to);
      }
      this.setFlag(flag);
      this.end();
    };
    search(0, edges.length);
  }
  jumpRet(rip: number): void {
    this.sync();
    this.get(rip);
    this.byte(0x0f);
    this.barrier();
  }
  branch(_target: Operand, c?: number): void {
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
    this.sync();
    this.loadSlot(rip);
    this.callSlot(this.take("i32"), () => this.i64const(rip), rip);
  }
  jumpCall(rip: number): void {
    this.sync();
    this.callSlot(this.probe(rip), () => this.get(rip));
  }
  private callSlot(slot: number, rip: () => void, known = -1): void {
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
    const near = this.links.nearSlot(known);
    if (near !== 0) {
      // most likely it is still the one in this module
      this.get(slot);
      this.i32const(near);
      this.byte(0x46);
      this.byte(0x04); // if, with an i64
      this.byte(0x7e);
      this.barrier();
      this.byte(0x10);
      this.nearCalls.push([this.code.len, known]);
      for (const b of [0x80, 0x80, 0x80, 0x80, 0x00]) this.byte(b);
      this.byte(0x05);
    }
    this.get(slot);
    this.callImport("$region");
    if (near !== 0) this.byte(0x0b);
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

  // ---- checks: what does not pass leaves before the instruction, and the interpreter executes it: it faults, or notices the store

  /** Leaves before the present instruction, of which nothing has happened. Emitted inside an `if`; flags are canonical. */
  private leaveHere(): void {
    this.leaveAt(this.insn.rip, this.remaining);
  }
  private leaveAt(rip: number, uncount: number): void {
    this.atLastCanon();
    this.i64const(rip);
    this.set(this.out);
    this.barrier();
    this.get(this.left);
    this.i32const(uncount);
    this.byte(0x6a);
    this.set(this.left);
    this.barrier();
    this.byte(0x0c);
    this.code.u32(this.depth - (this.flag.kind === "mem" ? 1 : 2));
    this.barrier();
  }
  override check(address: number, n: number, write: boolean): void {
    const min = write ? GUEST_WRITE_MIN : GUEST_READ_MIN;
    this.alsoCanon();
    this.get(address);
    this.i64const(min);
    this.byte(0x7d); // i64.sub
    this.i64const(this.layout.mem.size - n - min);
    this.byte(0x56); // i64.gt_u
    this.if();
    this.leaveHere();
    this.end();
    if (!write) return;
    this.get(address);
    this.byte(0xa7);
    this.i32const(CODE_SHIFT);
    this.byte(0x76); // i32.shr_u
    this.memarg(0x2d, 0, this.links.codeMap);
    this.if();
    this.leaveHere();
    this.end();
  }
  protected override testCode(): void {
    // done by check
  }
  protected emitCodeHit(): void {}
  protected override checkAligned(address: number, n: number): void {
    this.alsoCanon();
    super.checkAligned(address, n);
  }
  protected emitFault(): void {
    this.leaveHere();
  }
  override trapIf(c: number): void {
    this.alsoCanon();
    this.get(c);
    this.if();
    this.leaveHere();
    this.end();
  }
  override trap(): void {
    this.alsoCanon();
    this.leaveHere();
  }
  protected emitTrap(): void {
    this.leaveHere();
  }

  // ---- control within an instruction

  override unlikely(bad: readonly number[], _slow: () => void, excuse?: () => number): void {
    this.alsoCanon();
    if (excuse === undefined) {
      for (const c of bad) {
        this.get(c);
        this.if();
        this.leaveHere();
        this.end();
      }
      return;
    }
    this.open(0x02); // to here if all is well
    this.open(0x02); // to here if something is bad
    for (const c of bad) {
      this.get(c);
      this.byte(0x0d);
      this.byte(0);
      this.barrier();
    }
    this.byte(0x0c);
    this.byte(1);
    this.end();
    this.get(this.eqz(excuse()));
    this.if();
    this.leaveHere();
    this.end();
    this.end();
  }

  /** Before a branch: flags that it may set must have the same form with and without it. */
  private meet(): void {
    if (!this.mayFlag || this.norm !== undefined) return;
    this.norm = CANON;
    this.normalise();
  }
  override when(c: number, yes: () => void, no?: () => void): void {
    if (this.constantOf(c) !== undefined) {
      super.when(c, yes, no);
      return;
    }
    this.meet();
    const canonToo = this.canonToo;
    super.when(
      c,
      () => {
        yes();
        this.normalise();
        this.canonToo = canonToo;
      },
      no && (() => {
        no();
        this.normalise();
        this.canonToo = canonToo;
      }),
    );
  }
  override loop(cond: () => number, body: () => void): void {
    this.meet();
    const canonToo = this.canonToo;
    this.open(0x02);
    this.open(0x03);
    this.get(cond());
    this.byte(0x45);
    this.byte(0x0d);
    this.byte(1);
    this.barrier();
    body();
    this.normalise();
    this.byte(0x0c);
    this.byte(0);
    this.end();
    this.end();
    this.canonToo = canonToo;
  }
  protected beforeHelper(name: string): void {
    if (!NO_STORE.test(name)) this.setState(ST_CODE_HIT, this.i32(0));
    if (STATEFUL.test(name)) {
      this.toMem();
      this.storeRegisters();
    } else this.alsoCanon(); // a status that is not 0 leaves
    if (name === "rdtsc") this.storeLeft(this.remaining);
  }
  protected afterHelper(name: string): void {
    if (STATEFUL.test(name)) {
      this.get(this.left);
      const left = this.take("i32");
      this.loadState();
      this.facts.clear();
      this.get(left);
      this.set(this.left);
      this.setFlag(MEM);
    }
    if (!NO_STORE.test(name)) {
      this.get(this.hit);
      this.get(this.getState(ST_CODE_HIT, "i32"));
      this.byte(0x72);
      this.set(this.hit);
      this.barrier();
      this.hitUsed = true;
    }
  }
}
