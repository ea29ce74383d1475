// worker/cpu/jit/trail.ts — which code has run at all, as far as the interpreter's records tell.
//
// Where a branch was taken to, there is a block; what a branch that was not taken falls into is part of the same block, and has run if any branch
// behind it was taken. Of code that ends with a return or a jump through a register nothing can be said.
import type { Block } from "../block.ts";
import { REC_CHAIN, REC_RIP, REC_SIZE } from "../build/shape.ts";
import type { GuestMemory } from "../memory.ts";
import type { Step } from "./steps.ts";

/** What it asks of the interpreter and of who decodes. */
export interface Records {
  readonly mem: GuestMemory;
  block(rip: number): Block | undefined;
  step(rip: number): Step | undefined;
}

/** Follows instructions that lie behind each other through the blocks that they are in. */
export class Trail {
  private readonly records: Records;
  /** the records of the present instruction, of each block that it is in, and the number in its block */
  private readonly blocks: Block[] = [];
  private readonly numbers: number[] = [];

  constructor(records: Records) {
    this.records = records;
  }
  /** The next instruction is at `rip`, behind the last one or not. */
  to(rip: number): void {
    const { blocks, numbers, records } = this, { u32 } = records.mem;
    let kept = 0;
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]!, n = numbers[i]! + 1;
      if (n >= block.count || u32[(block.at + n * REC_SIZE + REC_RIP) >>> 2] !== rip) continue;
      blocks[kept] = block;
      numbers[kept++] = n;
    }
    blocks.length = numbers.length = kept;
    const starts = records.block(rip);
    if (starts === undefined || blocks.includes(starts)) return;
    blocks.push(starts);
    numbers.push(0);
  }
  /** A block begins at `rip`: something has come there. */
  begins(rip: number): boolean {
    return this.records.block(rip) !== undefined;
  }
  /** What comes next is behind nothing. */
  begin(): void {
    this.blocks.length = this.numbers.length = 0;
  }
  /** Whether what lies behind the present instruction, a branch, may have run. */
  ranOn(): boolean {
    for (let i = 0; i < this.blocks.length; i++) if (this.ran(this.blocks[i]!, this.numbers[i]! + 1)) return true;
    return this.blocks.length === 0;
  }
  /** The same from the n-th record of a block on. */
  private ran(block: Block, n: number): boolean {
    const { mem, step } = this.records, { u32 } = mem;
    for (let k = n; k < block.count; k++) if (u32[(block.at + k * REC_SIZE + REC_CHAIN) >>> 2] !== 0) return true;
    if (n >= block.count) return true;
    const rip = u32[(block.at + (block.count - 1) * REC_SIZE + REC_RIP) >>> 2]!;
    // a record that goes on at another block
    if (rip >= block.end) return false;
    const last = step(rip);
    if (last === undefined) return true;
    const { ending } = last.summary;
    return !((ending === "branch" || ending === "call") && last.insn.shape.form.operands[0]?.kind === "rel");
  }
}
