// worker/cpu/jit/emit.ts — the compiled tier's builder: a region becomes one WebAssembly function, () → next rip.
//
// Guest registers that the region touches live in locals that always hold the current value, loaded at the entry and after whatever may
// change the state block; leaving stores those that the region writes. The function returns the address to continue at, with all state in the
// block, or -1 with ST_EXIT and ST_RIP set. A caller that gets the address it expects goes on; any other address it passes on: the
// dispatcher takes it from there. Instructions are counted at block starts, and checked at the entry, before control goes round, and behind
// calls, for the longest way to the next check; so no more than the budget is ever retired.
import type { Operand } from "../build/builder.ts";
import type { Bytes } from "../build/module.ts";
import type { Insn } from "../decode.ts";
import { lowerInto } from "../insn/define.ts";
import { ST_DEPTH, ST_EXIT, ST_RIP } from "../state.ts";
import { StateBuilder } from "./emit_state.ts";
import { factsAtStart, type Facts } from "./facts.ts";
import { CANON, MEM, type FlagRecord } from "./flag_record.ts";
import { JUMP_ENTRIES, type Links } from "./links.ts";
import { longestWays, type Block, type Edge, type JumpTable, type Region } from "./region.ts";
import type { Stride } from "./strides.ts";
import { emitStructured, type Emitter } from "./structure.ts";

/** Guest calls nested as WebAssembly calls: a worker's stack in Chromium holds some 3,300 frames. */
const MAX_DEPTH = 700;
/** Places that a jump through a table is thought to go to, from which on it is done by the index. */
const MIN_TABLE = 4;
export class RegionBuilder extends StateBuilder implements Emitter {
  private block!: Block;
  /** by block, if it is a dispatcher: the local that says which edge it is to take */
  private readonly choice: number[] = [];
  /** where flags must be in one form around the branches within an instruction */
  private norm: FlagRecord | undefined;
  /** the present instruction sets flags inside a branch, if that branch is not decided while compiling */
  private mayFlag = false;
  private edgeOut: ((k: number) => void) | undefined;
  /** by block, at its end */
  private readonly bytesAtEnd: number[][] = [];
  private readonly longest: number[];
  /** by header of a loop that has a look() around it: where that is, and the local that says when it comes again */
  private readonly looks: ({ readonly depth: number; readonly floor: number } | undefined)[] = [];
  /** the edge that is being followed goes round a loop */
  private back = false;
  /** blocks that are in a loop */
  private readonly looped = new Set<number>();
  /** what is known of xmm registers at the start of each block */
  private readonly atStart: readonly Readonly<Facts>[];

  constructor(links: Links, imports: Map<string, number>, region: Region) {
    super(links, imports, region);
    region.blocks.forEach((b, n) => b.dispatcher && (this.choice[n] = this.permanent("i32")));
    this.longest = longestWays(region);
    for (const body of region.loops.values()) for (const n of body) this.looped.add(n);
    this.atStart = factsAtStart(region.blocks, region.succ, region.analysis.order);
  }

  /** The body of the function, with its end; `types` are its locals. */
  compile(): Bytes {
    this.openWays();
    this.loadState(this.liveness.live[0]!);
    // not where block 0 begins: it may be a loop, and has its own look at the budget where that goes round
    this.checkBudget(0, () => this.leaveTo(this.region.entry));
    const start = this.code.len;
    emitStructured(this.region.succ, this.region.analysis, this);
    this.byte(0x00); // unreachable
    this.closeWays();
    this.byte(0x0b);
    this.insertVectors(start);
    return this.code;
  }

  openBlock = (): void => this.open(0x02);
  openLoop(n: number): number {
    // behind a block, control comes from branches: what was emitted last says nothing
    const { merge } = this.region.analysis;
    if (merge[n] || !this.liveness.flagsBefore[n]) this.setFlag(CANON);
    else this.toCanon();
    if (merge[n]) this.owed = 0;
    else this.settleLeft();
    const stride = this.strides.loops.get(n);
    if (stride !== undefined) this.look(n, stride);
    this.open(0x03);
    return stride === undefined ? 1 : 2;
  }
  /** A loop around the loop of n, in which it is looked at what some rounds will access; how far `left` may go down by then is a local of its own. */
  private look(n: number, { groups, rounds, insns }: Stride): void {
    this.open(0x03);
    const floor = this.permanent("i32"), longest = this.longest[n]!;
    this.looks[n] = { depth: this.depth, floor };
    this.dirty = this.liveness.dirty[n]!;
    this.valid = this.liveness.live[n]!;
    this.open(0x02); // to here when all is done
    this.open(0x02); // to here if not all is well for so many rounds
    for (const g of groups)
      this.lookAt(g, (rounds - 1) * Math.abs(g.step), () => {
        this.seldom();
        this.byte(0x0d); // br_if
        this.byte(0);
        this.barrier();
      });
    this.get(this.left);
    this.i32const((rounds - 1) * insns);
    this.byte(0x6b);
    const until = this.take("i32");
    this.get(until);
    this.i32const(longest);
    this.get(until);
    this.i32const(longest);
    this.byte(0x4a); // i32.gt_s
    this.byte(0x1b); // select
    this.set(floor);
    this.byte(0x0c);
    this.byte(1);
    this.end();
    // for this one
    for (const g of groups)
      this.lookAt(g, 0, () => {
        this.seldom();
        this.if();
        this.leaveTo(this.region.blocks[n]!.rip);
        this.end();
      });
    this.get(this.left);
    this.set(floor);
    this.end();
    this.releaseTemps();
  }
  close(): void {
    this.end();
  }
  br(depth: number, target: number): void {
    this.settleLeft();
    if (this.liveness[this.back ? "flags" : "flagsBefore"][target]) this.toCanon();
    this.byte(0x0c);
    this.code.u32(depth);
    this.barrier();
  }
  leaveTo(rip: number): void {
    this.exitTo(() => this.i64const(rip), 0);
  }
  follow(n: number, k: number): void {
    const { analysis, succ } = this.region, to = succ[n]![k]!, { block, rip, choices } = this.edgeAt(n, k);
    for (const [dispatcher, choice] of choices ?? []) {
      this.i32const(choice);
      this.set(this.choice[dispatcher]!);
      this.barrier();
    }
    this.back = analysis.rpo[to]! <= analysis.rpo[n]!;
    if (analysis.cut[n]![k] || !this.back) return;
    this.settleLeft();
    const look = this.looks[to];
    if (look !== undefined) {
      this.get(this.left);
      this.get(look.floor);
      this.byte(0x48); // i32.lt_s
      this.seldom();
      this.if();
      this.checkBudget(to, () => this.leaveTo(rip));
      const { flag, canonToo } = this, pins = this.pinned.slice();
      this.toCanon();
      this.byte(0x0c);
      this.code.u32(this.depth - look.depth);
      this.barrier();
      this.flag = flag;
      this.canonToo = canonToo;
      this.pinned.length = 0;
      for (const p of pins) this.pinned.push(p);
      this.end();
      return;
    }
    // round again: the budget is looked at here, where what set the flags is known still
    this.checkBudget(to, () => {
      if (rip < 0) this.exitTo(() => this.chosen(block), 0);
      else this.leaveTo(rip);
    });
  }
  exitEdge(n: number, k: number): void {
    const e = this.edgeAt(n, k);
    if (e.rip < 0) this.exitTo(() => this.chosen(e.block), 0);
    else this.tailTo(e);
  }
  private edgeAt(n: number, k: number): Edge {
    return this.region.blocks[n]!.edges[this.region.edgeOf[n]![k]!]!;
  }
  /** Leaves unless the longest way from the start of block n to the next such check may be gone. */
  private checkBudget(n: number, leave: () => void): void {
    this.get(this.left);
    this.i32const(this.longest[n]! + this.owed);
    this.byte(0x48); // i32.lt_s
    this.seldom();
    this.if();
    leave();
    this.end();
  }

  body(n: number): void {
    const { analysis, blocks } = this.region;
    const block = (this.block = blocks[n]!);
    this.inLoop = this.looped.has(n);
    if (analysis.merge[n] || analysis.loopHeader[n]) this.setFlag(CANON);
    this.dirty = this.liveness.dirty[n]!;
    this.valid = this.liveness.live[n]!;
    const count = block.steps.length;
    if (analysis.merge[n]) this.owed = 0;
    if (block.afterCall) this.checkBudget(n, () => this.leaveTo(block.rip));
    this.remaining = count;
    this.owed += count;
    this.facts.scalar = this.atStart[n]!.scalar;
    this.facts.packed = this.atStart[n]!.packed;
    this.addresses.begin(n);
    this.setBytes(this.bytesAtStart(n));
    let indexed = block.table?.load === undefined;
    const straight = this.ends(block) ? count - 1 : count, cover = this.strides.cover[n];
    for (let i = 0; i < straight; i++) {
      const step = block.steps[i]!;
      if (step === block.table?.load) {
        if (this.index < 0) this.index = this.permanent("i32");
        this.pushIndex(step.insn);
        this.set(this.index);
        this.barrier();
        indexed = true;
      }
      this.cover = cover?.[i] ?? 0;
      this.lower(step.insn, step.summary.conditionalFlags, step.summary.helper);
      this.endInsn();
      this.remaining--;
      this.addresses.advance();
    }
    this.cover = 0;
    this.indexed = indexed;
  }
  /** where a jump's index is kept from the instruction on that reads the table; whether it is there */
  private index = -1;
  private indexed = false;
  private pushIndex({ index }: Insn): void {
    this.get(this.local(index));
    this.byte(0xa7); // i32.wrap_i64
  }
  /** What is known of registers' sizes where a block begins that has one way in. */
  private bytesAtStart(n: number): readonly number[] | undefined {
    const { analysis, loops } = this.region;
    return analysis.merge[n] || loops.has(n) || this.block.afterCall ? undefined : this.bytesAtEnd[analysis.idom[n]!];
  }
  /** Pushes the address that a dispatcher goes to next. */
  private chosen(n: number): void {
    const push = (e: Edge): void => (e.rip < 0 ? this.chosen(e.block) : this.i64const(e.rip));
    this.region.blocks[n]!.edges.forEach((e, i) => {
      push(e);
      if (i === 0) return;
      this.get(this.choice[n]!);
      this.i32const(i);
      this.byte(0x47); // i32.ne
      this.byte(0x1b); // select
    });
  }
  /** A dispatcher's way on: a search by halves. */
  private dispatch(n: number, take: (k: number) => void): void {
    const flag = this.flag;
    const search = (from: number, to: number): void => {
      if (to - from === 1) {
        this.owed = 0;
        take(from);
        return;
      }
      const middle = (from + to) >> 1;
      this.get(this.choice[n]!);
      this.i32const(middle);
      this.byte(0x49); // i32.lt_u
      this.if();
      search(from, middle);
      this.else();
      this.setFlag(flag);
      search(middle, to);
      this.setFlag(flag);
      this.end();
    };
    search(0, this.region.blocks[n]!.edges.length);
    this.byte(0x00);
    this.barrier();
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
    lowerInto(this, insn.shape);
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
      this.seldom();
      this.if();
      this.leaveAt(this.insn.rip + this.insn.length, this.remaining - 1);
      this.end();
    }
    this.releaseTemps();
  }

  terminator(n: number, edge: (k: number) => void): void {
    const block = this.region.blocks[n]!;
    this.addresses.end(n);
    this.bytesAtEnd[n] = this.regBytes.slice();
    for (const local of this.pinned) this.leaked[local] = true;
    const take = (k: number): void => {
      const e = block.edges[k];
      if (e === undefined) return;
      const j = this.region.edgeOf[n]!.indexOf(k);
      if (j < 0) this.tailTo(e);
      else edge(j);
    };
    if (block.dispatcher) {
      this.dispatch(n, take);
      return;
    }
    if (!this.ends(block)) {
      take(0);
      return;
    }
    let first = true;
    this.edgeOut = (k) => {
      this.edgeOut = undefined;
      this.norm = undefined;
      // the target's code may be emitted right here
      this.cover = 0;
      const { block: from, insn, form, dirty, valid, owed } = this;
      if (first) this.addresses.end(n);
      first = false;
      this.bytesAtEnd[n] = this.regBytes.slice();
      take(k);
      this.block = from;
      this.insn = insn;
      this.form = form;
      this.dirty = dirty;
      this.valid = valid;
      this.owed = owed;
      this.remaining = 1;
      this.setBytes(undefined);
    };
    const last = block.steps[block.steps.length - 1]!;
    this.remaining = 1;
    this.cover = this.strides.cover[n]?.[block.steps.length - 1] ?? 0;
    this.lower(last.insn, last.summary.conditionalFlags, last.summary.helper);
    // a trap that is not conditional, or a leave, has left; whatever else is the instruction's edge has been emitted by branch() and its kin
    this.releaseTemps();
    this.byte(0x00);
    this.barrier();
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
    this.callImport("$door");
    this.seldom();
    this.if();
    this.i64const(-1);
    this.byte(0x0f);
    this.end();
    this.loadAt(0);
    this.setFlag(MEM);
    this.edgeOut!(0);
  }
  /** Control comes from outside, and takes the k-th edge of the block. */
  private loadAt(k: number): void {
    const to = this.block.edges[k]!.block;
    this.owed = 0;
    this.loadState(to < 0 ? 0 : this.liveness.live[to]!);
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
  /** The target of the jump that comes now is looked at only if it is none of those that are thought of; until then registers are not set. */
  override canonical(to: number): void {
    const { edges, steps } = this.block;
    if (edges.length > 0 && steps[steps.length - 1]!.summary.ending !== "call") this.late = [];
    else super.canonical(to);
  }
  /** what is to be set at the jump: register, value, each */
  private late: number[] | undefined;
  override setReg(n: number, size: number, v: number): void {
    if (this.late === undefined) super.setReg(n, size, v);
    else {
      const local = this.keep(v);
      // still needed where something else has been emitted that needs locals
      this.leaked[local] = true;
      this.late.push(n, local);
    }
  }
  jump(rip: number): void {
    // back from the kernel, to whoever came to the door
    if (this.block.afterDoor) {
      this.jumpRet(rip);
      return;
    }
    if (this.block.edges.length > 0) {
      this.late = undefined;
      this.choose(rip, this.block.edges);
      rip = this.out;
      super.canonical(rip);
    }
    this.sync();
    this.tailSlot(this.probe(rip), () => this.get(rip));
  }
  /** An indirect jump that is thought to go to these places of the region: a search by halves; whoever is not found falls through. */
  private choose(rip: number, edges: readonly Edge[]): void {
    if (edges.length === 0) return;
    const go = this.edgeOut!, flag = this.flag, { table } = this.block;
    this.get(rip);
    this.set(this.out);
    this.barrier();
    this.releaseTemps();
    if (table !== undefined && this.indexed && edges.length >= MIN_TABLE) {
      this.chooseByIndex(edges, table);
      return;
    }
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
  /** The same by the index into the table that the address in `out` came from: then there is one comparison, whatever the table holds by now. */
  private chooseByIndex(edges: readonly Edge[], { load, targets }: JumpTable): void {
    const go = this.edgeOut!, { flag, insn } = this, most = edges.length;
    const edgeOf = new Map(edges.map((e, k) => [e.rip, k]));
    for (let k = 0; k <= most; k++) this.open(0x02); // the outermost: to here if it is none of them
    if (load === undefined) this.pushIndex(insn);
    else this.get(this.index);
    this.byte(0x0e); // br_table
    this.code.u32(targets.length);
    for (const to of targets) this.code.u32(edgeOf.get(to) ?? most);
    this.code.u32(most);
    this.barrier();
    for (let k = 0; k < most; k++) {
      this.end();
      this.get(this.out);
      this.i64const(edges[k]!.rip);
      this.byte(0x52); // i64.ne
      this.seldom();
      this.byte(0x0d); // br_if
      this.code.u32(most - 1 - k);
      this.barrier();
      go(k);
      this.setFlag(flag);
    }
    this.end();
  }
  jumpRet(rip: number): void {
    const back = this.block.edges[0];
    const giveBack = (to: number): void => {
      this.sync();
      this.get(to);
      this.byte(0x0f);
      this.barrier();
    };
    if (back === undefined) giveBack(rip);
    else this.expect(rip, back.rip, () => giveBack(this.out));
  }
  /** Takes the block's first edge if `rip` is what it is thought to be; or else, with rip in `out`. */
  private expect(rip: number, wanted: number, otherwise: () => void): void {
    const go = this.edgeOut!, { flag, late } = this;
    this.late = undefined;
    this.get(rip);
    this.set(this.out);
    this.get(this.out);
    this.i64const(wanted);
    this.byte(0x51); // i64.eq
    this.if();
    if (late !== undefined) for (let i = 0; i < late.length; i += 2) this.setReg(late[i]!, 8, late[i + 1]!);
    this.releaseTemps();
    go(0);
    this.else();
    this.setFlag(flag);
    if (late !== undefined) {
      super.canonical(this.out);
      for (let i = 0; i < late.length; i += 2) this.setLate(late[i]!, late[i + 1]!);
    }
    otherwise();
    this.end();
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
    if (this.block.inline) {
      this.releaseTemps();
      this.edgeOut!(0);
      return;
    }
    this.sync();
    this.loadSlot(rip);
    this.callSlot(this.take("i32"), () => this.i64const(rip), rip);
  }
  jumpCall(rip: number): void {
    const { inline } = this.block;
    if (inline === undefined) {
      this.sync();
      this.callSlot(this.probe(rip), () => this.get(rip));
      return;
    }
    const go = this.edgeOut!;
    this.expect(rip, inline.guess, () => {
      this.sync();
      this.edgeOut = () => go(1);
      this.callSlot(this.probe(this.out), () => this.get(this.out), -1, 1);
    });
  }
  private callSlot(slot: number, rip: () => void, known = -1, edge = 0): void {
    this.i32const(0);
    this.word(0x28, ST_DEPTH);
    const depth = this.take("i32");
    this.get(slot);
    this.byte(0x45);
    this.get(depth);
    this.i32const(MAX_DEPTH);
    this.byte(0x4e); // i32.ge_s
    this.byte(0x72);
    this.seldom();
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
      this.code.u32(near - this.links.firstSlot);
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
    this.seldom();
    this.if();
    this.get(this.out);
    this.byte(0x0f);
    this.end();
    this.loadAt(edge);
    this.setFlag(MEM);
    this.edgeOut!(0);
  }

  // ---- control within an instruction

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
    // what it does to registers is not known before
    this.addresses.forget(0xffff);
    this.setBytes(undefined);
    const known = this.addresses.save();
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
    this.addresses.restore(known);
    this.setBytes(undefined);
    this.canonToo = canonToo;
  }
}
