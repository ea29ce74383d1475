// worker/cpu/jit/emit_jumps.ts — the compiled tier's builder, continued: jumps, calls and returns.
import type { Operand } from "../build/builder.ts";
import type { Bytes } from "../build/module.ts";
import type { Insn } from "../decode.ts";
import { RSP, ST_DEPTH, ST_EXIT, ST_RIP } from "../state.ts";
import { StateBuilder } from "./emit_state.ts";
import { MEM } from "./flag_record.ts";
import { JUMP_ENTRIES } from "./links.ts";
import type { Block, Edge, JumpTable, Region } from "./region.ts";

/**
 * How deep guest calls may be nested as WebAssembly calls, in KiB of frames: a stack has nearly 1 MiB, and the kernel needs some. A frame is as large as all of a function's
 * locals (in what the engine compiles first): an interpreter's main loop has thousands.
 */
const MAX_DEPTH = 700, FRAME_UNIT = 1024;
/** Places that a jump through a table is thought to go to, from which on it is done by the index. */
const MIN_TABLE = 4;
export abstract class JumpBuilder extends StateBuilder {
  protected block!: Block;
  /** takes the k-th edge of the block, whose last instruction is being emitted */
  protected edgeOut: ((k: number) => void) | undefined;
  protected override beginRegion(region: Region, code: Bytes, imports: Map<string, number>): void {
    super.beginRegion(region, code, imports);
    this.index = -1;
    this.indexed = false;
    this.late = this.edgeOut = undefined;
  }

  /** where a jump's index is kept from the instruction on that reads the table; whether it is there */
  private index = -1;
  protected indexed = false;
  protected keepIndex(insn: Insn): void {
    if (this.index < 0) this.index = this.permanent("i32");
    this.pushIndex(insn);
    this.set(this.index);
    this.barrier();
  }
  private pushIndex({ index }: Insn): void {
    this.get(this.local(index));
    this.byte(0xa7); // i32.wrap_i64
  }

  leave(exit: number, rip?: number): void {
    this.setState(ST_RIP, rip ?? this.nextRip());
    this.setState(ST_EXIT, this.i32(exit));
    this.exitNow(this.remaining - 1);
  }
  kernel(): void {
    if (this.insn.rip !== this.links.door) {
      this.trap(); // #UD
      return;
    }
    this.setState(ST_RIP, this.nextRip());
    if (this.flag.kind !== "mem") this.toCanon();
    const { flag } = this;
    this.syncRegisters();
    this.passFlags();
    this.callImport("$door");
    this.seldom();
    this.if();
    this.i64const(-1);
    this.byte(0x0f);
    this.end();
    this.loadAt(0);
    // the kernel changes flags only together with rip
    this.setFlag(flag);
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
    this.memarg(0x28, this.links.slotOf(rip));
  }
  /** Goes on at an address outside of the region: in its compiled code if there is any. */
  protected tailTo(e: Edge): void {
    this.sync();
    this.loadSlot(e.rip);
    const slot = this.take("i32");
    this.tailSlot(slot, this.i64(e.rip));
  }
  private tailSlot(slot: number, rip: number): void {
    this.get(slot);
    this.if();
    this.get(slot);
    this.callImport("$region", 0x12); // return_call
    this.end();
    this.get(rip);
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
    this.memarg(0x28, this.links.jumps + 4);
    this.i32const(0);
    this.get(at);
    this.memarg(0x35, this.links.jumps); // i64.load32_u
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
    this.tailSlot(this.probe(rip), rip);
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
    this.callSlot(this.take("i32"), this.i64(rip), rip);
  }
  jumpCall(rip: number): void {
    const { inline } = this.block;
    if (inline === undefined) {
      this.sync();
      this.callSlot(this.probe(rip), rip);
      return;
    }
    const go = this.edgeOut!;
    this.expect(rip, inline.guess, () => {
      this.sync();
      this.edgeOut = () => go(1);
      this.callSlot(this.probe(this.out), this.out, -1, 1);
    });
  }
  /** The code is complete: each call knows now how large a frame is left beneath it. */
  protected settleFrames(): void {
    const bytes = this.types.reduce((n, t) => n + (t === "v128" ? 16 : 8), 0), units = 1 + Math.floor(bytes / FRAME_UNIT);
    for (const at of this.framesAt) {
      this.code.buf[at] = 0x80 | (units & 0x7f);
      this.code.buf[at + 1] = units >> 7;
    }
  }
  /** What has been called wants to go on elsewhere if what is on the stack is not zero: so does this region's caller, then. */
  private returnOutIf(): void {
    this.seldom();
    this.if();
    this.get(this.out);
    this.byte(0x0f);
    this.end();
  }
  private callSlot(slot: number, rip: number, known = -1, edge = 0): void {
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
    this.get(rip);
    this.byte(0x0f);
    this.end();
    this.i32const(0);
    this.get(depth);
    this.byte(0x41); // i32.const: see settleFrames
    this.framesAt.push(this.code.len);
    this.byte(0x80);
    this.byte(0);
    this.barrier();
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
      this.code.op(0x10, near - this.links.firstSlot);
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
    this.returnOutIf();
    // values.ts relies upon it
    this.i32const(0);
    this.loadHome(RSP);
    this.get(this.local(RSP));
    this.i64const(8);
    this.byte(0x7c); // i64.add
    this.byte(0x52);
    this.returnOutIf();
    this.loadAt(edge);
    this.setFlag(MEM);
    this.edgeOut!(0);
  }
}
