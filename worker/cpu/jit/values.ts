// worker/cpu/jit/values.ts — which registers hold the same value in different blocks, as far as moves and additions of constants tell.
//
// A value is a name plus a constant. Names are given by whoever makes a value that is not such a sum, and by places where ways with different ones meet:
// then to all registers in doubt. So a register that is pushed and popped, or moved to and fro, is known to be as it was, also around a loop.
import { RSP } from "../state.ts";
import { fromOutside } from "./liveness.ts";
import type { Block, Region } from "./region.ts";

const REGS = 16, ALL = 0xffff;
/** Times that it is gone through the blocks at most; then nothing is taken for known. Constants are less than this, or not known either. */
const MAX_PASSES = 12, MAX_PLUS = 0x20000000;
/** Numbers in `at` for a block; where in them constants are, and what is at the end. */
export const VALUES = 4 * REGS, PLUS = REGS, OUT = 2 * REGS;
const NOTHING: readonly number[] = [];

/** Finds what blocks do to registers, all at once, and what they access. One block's after the other's is appended; one finder does for many regions. */
class Finder {
  /** register, the one whose value it gets (-1: a new one), plus what; each */
  readonly moves: number[] = [];
  movesEnd = 0;
  /** what is accessed through one register: the register as it was at the start, or REGS + one as it is at the end; from where on, size, whether it writes; each */
  readonly accesses: number[] = [];
  accessesEnd = 0;
  // by register that is written: whose value it has (-1: one that the block has made), plus what, the number of what was made
  private readonly from = new Int32Array(REGS);
  private readonly plus = new Int32Array(REGS);
  private readonly made = new Int32Array(REGS);
  private readonly moved = new Int32Array(4 * REGS);
  /** accesses through values that the block has made: which one, from where on, size, whether it writes; each */
  private readonly inner: number[] = [];

  private access(register: number, lo: number, size: number, write: number): void {
    const { accesses } = this;
    let n = this.accessesEnd;
    accesses[n++] = register;
    accesses[n++] = lo;
    accesses[n++] = size;
    accesses[n++] = write;
    this.accessesEnd = n;
  }
  add({ steps }: Block): void {
    const { from, plus, made, moved, inner, moves } = this;
    let written = 0, count = 0, inside = 0;
    for (let s = 0; s < steps.length; s++) {
      const { summary } = steps[s]!, a = summary.accesses;
      for (let i = 0; i < a.length; i += 6) {
        const base = a[i]!;
        if (base < 0 || a[i + 1]! >= 0) continue;
        const lo = a[i + 3]!, size = a[i + 4]!, write = a[i + 5]! & 1;
        if (((written >>> base) & 1) === 0) this.access(base, lo, size, write);
        else if (from[base]! >= 0) this.access(from[base]!, plus[base]! + lo, size, write);
        else {
          inner[inside++] = made[base]!;
          inner[inside++] = plus[base]! + lo;
          inner[inside++] = size;
          inner[inside++] = write;
        }
      }
      const mask = summary.helper ? ALL : summary.writes & ALL;
      if (mask === 0) continue;
      const m = summary.helper ? NOTHING : summary.moves;
      let move = 0;
      for (let i = 0; i < m.length; i += 3) {
        const r = m[i + 1]!, old = ((written >>> r) & 1) === 0, by = (old ? 0 : plus[r]!) + m[i + 2]!;
        if (Math.abs(by) >= MAX_PLUS) continue;
        moved[move++] = m[i]!;
        moved[move++] = old ? r : from[r]!;
        moved[move++] = by;
        moved[move++] = old ? -1 : made[r]!;
      }
      for (let r = 0, rest = mask; rest !== 0; r++, rest >>>= 1)
        if (rest & 1) {
          from[r] = -1;
          plus[r] = 0;
          made[r] = count++;
        }
      for (let i = 0; i < move; i += 4) {
        const r = moved[i]!;
        from[r] = moved[i + 1]!;
        plus[r] = moved[i + 2]!;
        made[r] = moved[i + 3]!;
      }
      written |= mask;
    }
    for (let r = 0, rest = written; rest !== 0; r++, rest >>>= 1) {
      if ((rest & 1) === 0) continue;
      let n = this.movesEnd;
      moves[n++] = r;
      moves[n++] = from[r]!;
      moves[n++] = from[r]! < 0 ? 0 : plus[r]!;
      this.movesEnd = n;
      if (from[r]! >= 0) continue;
      for (let i = 0; i < inside; i += 4) if (inner[i] === made[r]) this.access(REGS + r, inner[i + 1]! - plus[r]!, inner[i + 2]!, inner[i + 3]!);
    }
  }
}

/**
 * A register where a block begins or ends: value = what has that name, plus a constant. Names are REGS * block + register where ways meet, and as many more for what blocks make.
 * One of these does for one region after the other, so that it has nothing to make anew.
 */
export class Values {
  /** by block: REGS names where it begins, as many constants, the same where it ends */
  at = new Int32Array(64 * VALUES);
  /** by block, registers that may hold something else at its start than at the end of its immediate dominator, plus a constant, as masks */
  changed = new Int32Array(64);
  /** what all blocks access through one value, by its number: [lo, hi) from it on; what of it is written, [from, to), and in how many places */
  readonly lo: number[] = [];
  readonly hi: number[] = [];
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly writes: number[] = [];
  private names = new Int32Array(64 * 2 * REGS);
  /** by name: its number, if that has this name */
  private numbers = new Int32Array(64 * 2 * REGS);
  /** how many values are accessed */
  count = 0;
  private readonly does = new Finder();
  /** by block, where in `does` its part begins */
  private moves = new Int32Array(65);
  private accesses = new Int32Array(65);
  /** by block, where ways meet, registers that are in doubt; whether it has been met that it is entered, by edges: the block that it comes from (~ if from outside), the next one */
  private differ = new Int32Array(64);
  private entering = new Int32Array(64);
  private readonly source: number[] = [];
  private readonly next: number[] = [];

  /** The number of the value of this name, or -1 if nothing is accessed through it. */
  numberOf(name: number): number {
    const i = this.numbers[name]!;
    return i < this.count && this.names[i] === name ? i : -1;
  }
  private grow(blocks: number): void {
    if (this.changed.length >= blocks) return;
    this.at = new Int32Array(2 * blocks * VALUES);
    this.numbers = new Int32Array(2 * blocks * 2 * REGS);
    this.names = new Int32Array(2 * blocks * 2 * REGS);
    this.changed = new Int32Array(2 * blocks);
    this.differ = new Int32Array(2 * blocks);
    this.entering = new Int32Array(2 * blocks);
    this.moves = new Int32Array(2 * blocks + 1);
    this.accesses = new Int32Array(2 * blocks + 1);
  }

  find({ blocks, succ, edgeOf, analysis: { order, idom, rpo } }: Pick<Region, "blocks" | "succ" | "edgeOf" | "analysis">): void {
    const count = blocks.length;
    this.grow(count);
    const { at, does, differ, changed, entering, source, next } = this;
    does.movesEnd = does.accessesEnd = 0;
    for (let n = 0; n < count; n++) {
      this.moves[n] = does.movesEnd;
      this.accesses[n] = does.accessesEnd;
      does.add(blocks[n]!);
      differ[n] = changed[n] = 0;
      entering[n] = -1;
    }
    this.moves[count] = does.movesEnd;
    this.accesses[count] = does.accessesEnd;
    this.count = 0;
    let back = false, edges = 0;
    for (let i = 0; i < order.length; i++) {
      const n = order[i]!, to = succ[n]!;
      for (let k = 0; k < to.length; k++) {
        const t = to[k]!, outside = fromOutside(blocks[n]!, edgeOf[n]![k]!);
        source[edges] = outside ? ~n : n;
        next[edges] = entering[t]!;
        entering[t] = edges++;
        // compiled code compares the stack pointer when a call comes back, but not when the kernel does
        if (outside) differ[t]! |= blocks[t]!.afterDoor ? ALL : ALL & ~(1 << RSP);
        back ||= rpo[t]! <= rpo[n]!;
      }
    }
    differ[0] = ALL;
    for (let again = true, pass = 0; again; pass++) {
      again = back && pass === 0;
      if (pass === MAX_PASSES) {
        changed.fill(ALL, 0, count);
        return;
      }
      for (let i = 0; i < order.length; i++) {
        const n = order[i]!, mask = this.meet(n, pass === 0, rpo);
        if (mask !== differ[n]) {
          again = true;
          differ[n] = mask;
        }
        this.pass(n, count);
      }
    }
    for (let i = 0; i < order.length; i++) {
      const n = order[i]!, here = n * VALUES, from = idom[n]! * VALUES + OUT;
      let mask = 0;
      for (let r = 0; r < REGS; r++) if (at[here + r] !== at[from + r]) mask |= 1 << r;
      changed[n] = mask;
      const a = does.accesses;
      for (let k = this.accesses[n]!, end = this.accesses[n + 1]!; k < end; k += 4) {
        const r = a[k]!, of = r < REGS ? here + r : here + OUT + r - REGS;
        this.note(at[of]!, at[of + PLUS]! + a[k + 1]!, a[k + 2]!, a[k + 3] !== 0);
      }
    }
  }
  /** Where block n begins: what all ways say, and names of its own for registers in doubt, which it returns. `first`: ways back say nothing yet. */
  private meet(n: number, first: boolean, rpo: ArrayLike<number>): number {
    const { at, source, next } = this, here = n * VALUES;
    let mask = this.differ[n]!, known = false;
    for (let e = this.entering[n]!; e >= 0 && mask !== ALL; e = next[e]!) {
      const edge = source[e]!, p = edge < 0 ? ~edge : edge, there = p * VALUES + OUT;
      if (first && rpo[p]! >= rpo[n]!) continue;
      // a return takes what the call has pushed
      const by = edge < 0 ? 8 : 0;
      if (known) {
        for (let r = 0; r < REGS; r++) if (at[here + r] !== at[there + r] || at[here + PLUS + r] !== at[there + PLUS + r]! + by) mask |= 1 << r;
      } else
        for (let r = 0; r < REGS; r++) {
          at[here + r] = at[there + r]!;
          at[here + PLUS + r] = at[there + PLUS + r]! + by;
        }
      known = true;
    }
    for (let r = 0, rest = mask; rest !== 0; r++, rest >>>= 1)
      if (rest & 1) {
        at[here + r] = n * REGS + r;
        at[here + PLUS + r] = 0;
      }
    return mask;
  }
  /** From where block n begins to where it ends. */
  private pass(n: number, count: number): void {
    const { at } = this, { moves } = this.does, here = n * VALUES;
    for (let r = 0; r < OUT; r++) at[here + OUT + r] = at[here + r]!;
    for (let i = this.moves[n]!, end = this.moves[n + 1]!; i < end; i += 3) {
      const r = moves[i]!, source = moves[i + 1]!, by = source < 0 ? 0 : at[here + PLUS + source]! + moves[i + 2]!, far = source < 0 || Math.abs(by) >= MAX_PLUS;
      at[here + OUT + r] = far ? (count + n) * REGS + r : at[here + source]!;
      at[here + OUT + PLUS + r] = far ? 0 : by;
    }
  }
  private note(name: number, lo: number, size: number, write: boolean): void {
    let i = this.numberOf(name);
    if (i < 0) {
      i = this.count++;
      this.numbers[name] = i;
      this.names[i] = name;
      this.lo[i] = lo;
      this.hi[i] = lo + size;
      this.from[i] = this.to[i] = this.writes[i] = 0;
    }
    this.lo[i] = Math.min(this.lo[i]!, lo);
    this.hi[i] = Math.max(this.hi[i]!, lo + size);
    if (!write) return;
    const first = this.writes[i] === 0;
    this.from[i] = first ? lo : Math.min(this.from[i]!, lo);
    this.to[i] = first ? lo + size : Math.max(this.to[i]!, lo + size);
    this.writes[i]!++;
  }
}
