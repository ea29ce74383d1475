// worker/cpu/jit/emit.ts — the compiled tier's builder: a region becomes one WebAssembly function, () → next rip.
//
// Guest registers that the region touches live in locals that always hold the current value, loaded at the entry and after whatever may
// change the state block; leaving stores those that the region writes. The function returns the address to continue at, with all state in the
// block, or -1 with ST_EXIT and ST_RIP set. A caller that gets the address it expects goes on; any other address it passes on: the
// dispatcher takes it from there. Instructions are counted at block starts, and checked at the entry, before control goes round, and behind
// calls, for the longest way to the next check; so no more than the budget is ever retired.
import type { Bytes } from "../build/module.ts";
import type { Insn } from "../decode.ts";
import { lowerInto } from "../insn/define.ts";
import { JumpBuilder } from "./emit_jumps.ts";
import { WIDE } from "./emit_operands.ts";
import { RSP } from "../state.ts";
import { factsAtStart, type Facts } from "./facts.ts";
import { CANON, MEM, type FlagRecord } from "./flag_record.ts";
import { longestWays, type Block, type Edge, type Region } from "./region.ts";
import type { Stride } from "./strides.ts";
import { emitStructured, type Emitter } from "./structure.ts";

/** The flags are stored before anything of the block sets or reads them: it leaves the region, for a call or for good. */
function storesFlags({ steps, edges, inline }: Block): boolean {
  for (const { summary } of steps) {
    if (summary.helper) return true;
    if (summary.touchesFlags || summary.ending === "branch") return false;
    if (summary.ending === "call") return inline === undefined;
    if (summary.ending !== "next") return edges.length === 0;
  }
  return edges.length === 1 && edges[0]!.block < 0;
}
export class RegionBuilder extends JumpBuilder implements Emitter {
  /** by block, if it is a dispatcher: the local that says which edge it is to take */
  private choice: number[] = [];
  /** where flags must be in one form around the branches within an instruction */
  private norm: FlagRecord | undefined;
  /** the present instruction sets flags inside a branch, if that branch is not decided while compiling */
  private mayFlag = false;
  /** by block, at its end */
  private readonly widthsAtEnd: number[] = [];
  private longest: number[] = [];
  /** by header of a loop that has a look() around it: where that is, and the local that says when it comes again */
  private looks: ({ readonly depth: number; readonly floor: number } | undefined)[] = [];
  /** the edge that is being followed goes round a loop */
  private back = false;
  /** blocks that are in a loop */
  private readonly looped = new Set<number>();
  /** by block: the flags that it begins with go to the state block */
  private storing: readonly boolean[] = [];
  /** what is known of xmm registers at the start of each block */
  private atStart: readonly Readonly<Facts>[] = [];

  /** A region begins. One builder does for all, one after the other: to make one takes longer than many a region. compile() is next. */
  override beginRegion(region: Region, code: Bytes, imports: Map<string, number>): void {
    super.beginRegion(region, code, imports);
    this.choice = [];
    this.looks = [];
    this.norm = undefined;
    this.looped.clear();
    region.blocks.forEach((b, n) => b.dispatcher && (this.choice[n] = this.permanent("i32")));
    this.longest = longestWays(region);
    this.storing = region.blocks.map((b, n) => !this.strides.loops.has(n) && storesFlags(b));
    for (const body of region.loops.values()) for (const n of body) this.looped.add(n);
    this.atStart = factsAtStart(region.blocks, region.succ, region.analysis.order);
  }

  /** Appends the body of the function, with its end, to the code; `types` are its locals. */
  compile(): void {
    this.openWays();
    this.loadState(this.liveness.live[0]!);
    // not where block 0 begins: it may be a loop, and has its own look at the budget where that goes round
    this.checkBudget(0, -1, this.region.entry);
    const stack = (this.liveness.live[0]! >>> RSP) & 1 ? this.addresses.stackAtEntry() : undefined;
    if (stack !== undefined) {
      this.lookAt({ base: RSP, index: -1, scale: 0, ...stack, write: true, aligned: -1, step: 0, clear: true }, 0, () => {
        this.seldom();
        this.if();
        this.leaveTo(this.region.entry);
        this.end();
      });
      this.releaseTemps();
    }
    const start = this.code.len;
    emitStructured(this.region.succ, this.region.analysis, this);
    this.byte(0x00); // unreachable
    this.closeWays();
    this.byte(0x0b);
    this.insertVectors(start);
    this.settleFrames();
  }

  openBlock = (): void => this.open(0x02);
  openLoop(n: number): number {
    // behind a block, control comes from branches: what was emitted last says nothing
    const { merge } = this.region.analysis;
    if (merge[n] || !this.liveness.flagsBefore[n]) this.setFlag(this.flagsAt(n));
    else this.flagsTo(n);
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
    this.code.op(0x0c, 1);
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
  /** Where flags are at the start of a block that control meets at: in the state block if they have to go there anyway, before they are set again. */
  private flagsAt(n: number): FlagRecord {
    return this.storing[n] ? MEM : CANON;
  }
  private flagsTo(n: number): void {
    if (this.storing[n]) this.toMem();
    else this.toCanon();
  }
  close(): void {
    this.end();
  }
  br(depth: number, target: number): void {
    this.settleLeft();
    if (this.liveness[this.back ? "flags" : "flagsBefore"][target]) this.flagsTo(target);
    this.code.op(0x0c, depth);
    this.barrier();
  }
  leaveTo(rip: number): void {
    this.leaveAlong(-1, rip);
  }
  /** Leaves to where an edge to this block leads, at `rip`. */
  private leaveAlong(block: number, rip: number): void {
    if (rip < 0) this.chosen(block);
    else this.i64const(rip);
    this.exitTo(0);
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
      this.checkBudget(to, block, rip);
      const { flag, canonToo } = this, pins = this.pinned.slice();
      this.toCanon();
      this.code.op(0x0c, this.depth - look.depth);
      this.barrier();
      this.flag = flag;
      this.canonToo = canonToo;
      this.pinned.length = 0;
      for (const p of pins) this.pinned.push(p);
      this.end();
      return;
    }
    // round again: the budget is looked at here, where what set the flags is known still
    this.checkBudget(to, block, rip);
  }
  exitEdge(n: number, k: number): void {
    const e = this.edgeAt(n, k);
    if (e.rip < 0) this.leaveAlong(e.block, e.rip);
    else this.tailTo(e);
  }
  private edgeAt(n: number, k: number): Edge {
    return this.region.blocks[n]!.edges[this.region.edgeOf[n]![k]!]!;
  }
  /** Leaves, to where an edge to `block` leads, unless the longest way from the start of block n to the next such check may be gone. */
  private checkBudget(n: number, block: number, rip: number): void {
    this.get(this.left);
    this.i32const(this.longest[n]! + this.owed);
    this.byte(0x48); // i32.lt_s
    this.seldom();
    this.if();
    this.leaveAlong(block, rip);
    this.end();
  }

  body(n: number): void {
    const { analysis, blocks } = this.region;
    const block = (this.block = blocks[n]!);
    this.inLoop = this.looped.has(n);
    if (analysis.merge[n] || analysis.loopHeader[n]) this.setFlag(this.flagsAt(n));
    this.dirty = this.liveness.dirty[n]!;
    this.valid = this.liveness.live[n]!;
    const count = block.steps.length;
    if (analysis.merge[n]) this.owed = 0;
    if (block.afterCall) this.checkBudget(n, n, block.rip);
    this.remaining = count;
    this.owed += count;
    this.facts.scalar = this.atStart[n]!.scalar;
    this.facts.packed = this.atStart[n]!.packed;
    this.addresses.begin(n);
    this.setWidths(this.widthsAtStart(n));
    let indexed = block.table?.load === undefined;
    const straight = this.ends(block) ? count - 1 : count, cover = this.strides.cover[n];
    for (let i = 0; i < straight; i++) {
      const step = block.steps[i]!;
      if (step === block.table?.load) {
        this.keepIndex(step.insn);
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
  /** What is known of registers' sizes where a block begins that has one way in. */
  private widthsAtStart(n: number): number {
    const { analysis, loops } = this.region;
    return n === 0 || analysis.merge[n] || loops.has(n) || this.block.afterCall ? WIDE : this.widthsAtEnd[analysis.idom[n]!]!;
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
    this.widthsAtEnd[n] = this.widths;
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
      this.widthsAtEnd[n] = this.widths;
      take(k);
      this.block = from;
      this.insn = insn;
      this.form = form;
      this.dirty = dirty;
      this.valid = valid;
      this.owed = owed;
      this.remaining = 1;
      this.setWidths(WIDE);
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
    this.setWidths(WIDE);
    const known = this.addresses.save();
    this.open(0x02);
    this.open(0x03);
    this.get(cond());
    this.byte(0x45);
    this.code.op(0x0d, 1);
    this.barrier();
    body();
    this.normalise();
    this.code.op(0x0c, 0);
    this.end();
    this.end();
    this.addresses.restore(known);
    this.setWidths(WIDE);
    this.canonToo = canonToo;
  }
}
