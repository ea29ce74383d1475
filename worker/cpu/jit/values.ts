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

/** What a block does to registers, all at once: register, the one whose value it gets (-1: a new one), plus what; each. */
interface Effects {
  readonly moves: readonly number[];
  /** what it accesses through one register: the register as it was at the start, or REGS + one as it is at the end; from where on, size, whether it writes; each */
  readonly accesses: readonly number[];
}
const NOTHING: readonly number[] = [];

/** Finds what blocks do. */
class Finder {
  // by register that is written: whose value it has (-1: one that the block has made), plus what, the number of what was made
  private readonly from = new Array<number>(REGS).fill(0);
  private readonly plus = new Array<number>(REGS).fill(0);
  private readonly made = new Array<number>(REGS).fill(0);
  private readonly moved: number[] = [];
  /** accesses through values that the block has made: which one, from where on, size, whether it writes; each */
  private readonly inner: number[] = [];

  of({ steps }: Block): Effects {
    const { from, plus, made, moved, inner } = this;
    const accesses: number[] = [];
    let written = 0, count = 0;
    while (inner.length > 0) inner.pop();
    for (const { summary } of steps) {
      const a = summary.accesses;
      for (let i = 0; i < a.length; i += 6) {
        const base = a[i]!;
        if (base < 0 || a[i + 1]! >= 0) continue;
        const lo = a[i + 3]!, size = a[i + 4]!, write = a[i + 5]! & 1;
        if (((written >>> base) & 1) === 0) accesses.push(base, lo, size, write);
        else if (from[base]! >= 0) accesses.push(from[base]!, plus[base]! + lo, size, write);
        else inner.push(made[base]!, plus[base]! + lo, size, write);
      }
      const mask = summary.helper ? ALL : summary.writes & ALL;
      if (mask === 0) continue;
      const m = summary.helper ? NOTHING : summary.moves;
      while (moved.length > 0) moved.pop();
      for (let i = 0; i < m.length; i += 3) {
        const r = m[i + 1]!, old = ((written >>> r) & 1) === 0, by = (old ? 0 : plus[r]!) + m[i + 2]!;
        if (Math.abs(by) < MAX_PLUS) moved.push(m[i]!, old ? r : from[r]!, by, old ? -1 : made[r]!);
      }
      for (let r = 0, rest = mask; rest !== 0; r++, rest >>>= 1)
        if (rest & 1) {
          from[r] = -1;
          plus[r] = 0;
          made[r] = count++;
        }
      for (let i = 0; i < moved.length; i += 4) {
        const r = moved[i]!;
        from[r] = moved[i + 1]!;
        plus[r] = moved[i + 2]!;
        made[r] = moved[i + 3]!;
      }
      written |= mask;
    }
    if (written === 0) return { moves: NOTHING, accesses };
    const moves: number[] = [];
    for (let r = 0, rest = written; rest !== 0; r++, rest >>>= 1) {
      if ((rest & 1) === 0) continue;
      moves.push(r, from[r]!, from[r]! < 0 ? 0 : plus[r]!);
      if (from[r]! >= 0) continue;
      for (let i = 0; i < inner.length; i += 4) if (inner[i] === made[r]) accesses.push(REGS + r, inner[i + 1]! - plus[r]!, inner[i + 2]!, inner[i + 3]!);
    }
    return { moves, accesses };
  }
}

/** What all blocks of a region access through one value: [lo, hi) from it on. */
export interface Accessed {
  lo: number;
  hi: number;
  /** what of it is written, and in how many places */
  from: number;
  to: number;
  writes: number;
}

/** A register where a block begins or ends: value = what has that name, plus a constant. By block: REGS names where it begins, as many constants, the same where it ends. */
export interface Values {
  readonly at: Int32Array;
  /** by block, registers that may hold something else at its start than at the end of its immediate dominator, plus a constant, as masks */
  readonly changed: readonly number[];
  /** by name */
  readonly accessed: ReadonlyMap<number, Accessed>;
}
/** Numbers in `at` for a block; where in them constants are, and what is at the end. */
export const VALUES = 4 * REGS, PLUS = REGS, OUT = 2 * REGS;

export function valuesOf({ blocks, succ, edgeOf, analysis: { order, idom, rpo } }: Pick<Region, "blocks" | "succ" | "edgeOf" | "analysis">): Values {
  const count = blocks.length, accessed = new Map<number, Accessed>(), finder = new Finder();
  const does = blocks.map((b) => finder.of(b)), preds: number[][] = blocks.map(() => []);
  /** where ways meet, registers that are in doubt */
  const differ = new Array<number>(count).fill(0), changed = new Array<number>(count).fill(0);
  let back = false;
  for (const n of order) {
    const to = succ[n]!;
    for (let k = 0; k < to.length; k++) {
      const t = to[k]!, outside = fromOutside(blocks[n]!, edgeOf[n]![k]!);
      preds[t]!.push(outside ? ~n : n);
      // compiled code compares the stack pointer when a call comes back, but not when the kernel does
      if (outside) differ[t]! |= blocks[t]!.afterDoor ? ALL : ALL & ~(1 << RSP);
      back ||= rpo[t]! <= rpo[n]!;
    }
  }
  differ[0] = ALL;
  // names: REGS * block + register where ways meet, and as many more for what blocks make
  const at = new Int32Array(count * VALUES);
  for (let again = true, pass = 0; again; pass++) {
    again = back && pass === 0;
    if (pass === MAX_PASSES) return { at, changed: changed.fill(ALL), accessed };
    for (const n of order) {
      const here = n * VALUES, from = preds[n]!;
      let mask = differ[n]!, first = true;
      for (let i = 0; i < from.length && mask !== ALL; i++) {
        const edge = from[i]!, p = edge < 0 ? ~edge : edge, there = p * VALUES + OUT;
        if (pass === 0 && rpo[p]! >= rpo[n]!) continue;
        if (first && edge >= 0) at.copyWithin(here, there, there + OUT);
        else
          for (let r = 0; r < REGS; r++) {
            // a return takes what the call has pushed
            const name = at[there + r]!, by = at[there + PLUS + r]! + (edge < 0 ? 8 : 0);
            if (first) {
              at[here + r] = name;
              at[here + PLUS + r] = by;
            } else if (at[here + r] !== name || at[here + PLUS + r] !== by) mask |= 1 << r;
          }
        first = false;
      }
      mask &= ALL;
      if (mask !== 0)
        for (let r = 0; r < REGS; r++)
          if ((mask >>> r) & 1) {
            at[here + r] = n * REGS + r;
            at[here + PLUS + r] = 0;
          }
      if (mask !== differ[n]) {
        again = true;
        differ[n] = mask;
      }
      at.copyWithin(here + OUT, here, here + OUT);
      const { moves } = does[n]!;
      for (let i = 0; i < moves.length; i += 3) {
        const r = moves[i]!, source = moves[i + 1]!, by = source < 0 ? 0 : at[here + PLUS + source]! + moves[i + 2]!, far = source < 0 || Math.abs(by) >= MAX_PLUS;
        at[here + OUT + r] = far ? (count + n) * REGS + r : at[here + source]!;
        at[here + OUT + PLUS + r] = far ? 0 : by;
      }
    }
  }
  for (const n of order) {
    const here = n * VALUES, from = idom[n]! * VALUES + OUT;
    for (let r = 0; r < REGS; r++) if (at[here + r] !== at[from + r]) changed[n]! |= 1 << r;
    const a = does[n]!.accesses;
    for (let i = 0; i < a.length; i += 4) {
      const r = a[i]!, of = r < REGS ? here + r : here + OUT + r - REGS;
      note(accessed, at[of]!, at[of + PLUS]! + a[i + 1]!, a[i + 2]!, a[i + 3] !== 0);
    }
  }
  return { at, changed, accessed };
}

function note(accessed: Map<number, Accessed>, name: number, lo: number, size: number, write: boolean): void {
  let a = accessed.get(name);
  if (a === undefined) accessed.set(name, (a = { lo, hi: lo + size, from: 0, to: 0, writes: 0 }));
  a.lo = Math.min(a.lo, lo);
  a.hi = Math.max(a.hi, lo + size);
  if (!write) return;
  a.from = a.writes === 0 ? lo : Math.min(a.from, lo);
  a.to = a.writes === 0 ? lo + size : Math.max(a.to, lo + size);
  a.writes++;
}
