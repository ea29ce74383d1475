// worker/cpu/jit/values.ts — which registers hold the same value in different blocks, as far as moves and additions of constants tell.
//
// A value is a name plus a constant. Names are given by whoever makes a value that is not such a sum, and by places where ways with different ones meet:
// then to all registers in doubt. So a register that is pushed and popped, or moved to and fro, is known to be as it was, also around a loop.
import { RSP } from "../state.ts";
import { fromOutside } from "./liveness.ts";
import type { Block, Region } from "./region.ts";

const REGS = 16, ALL = 0xffff;
/** Times that it is gone through the blocks at most; then nothing is taken for known. */
const MAX_PASSES = 12;

/** What a block does to registers, all at once: register, the one whose value it gets (-1: a new one), plus what; each. */
interface Effects {
  readonly moves: readonly number[];
  /** what it accesses through one register: the register as it was at the start, or REGS + one as it is at the end; from where on, size, whether it writes; each */
  readonly accesses: readonly number[];
}

function effectsOf({ steps }: Block): Effects {
  const from: number[] = [], plus: number[] = [], made: number[] = [], accesses: number[] = [];
  /** accesses through values that the block has made: which one, from where on, size, whether it writes; each */
  const inner: number[] = [];
  let written = 0, count = 0;
  for (const { summary } of steps) {
    const a = summary.accesses;
    for (let i = 0; i < a.length; i += 6) {
      const base = a[i]!;
      if (base < 0 || a[i + 1]! >= 0) continue;
      const old = ((written >>> base) & 1) === 0, write = a[i + 5]! & 1;
      if (old) accesses.push(base, a[i + 3]!, a[i + 4]!, write);
      else if (from[base]! >= 0) accesses.push(from[base]!, plus[base]! + a[i + 3]!, a[i + 4]!, write);
      else inner.push(made[base]!, plus[base]! + a[i + 3]!, a[i + 4]!, write);
    }
    const mask = summary.helper ? ALL : summary.writes & ALL;
    if (mask === 0) continue;
    const m = summary.helper ? [] : summary.moves;
    const moved: number[] = [];
    for (let i = 0; i < m.length; i += 3) {
      const r = m[i + 1]!, old = ((written >>> r) & 1) === 0;
      moved.push(m[i]!, old ? r : from[r]!, (old ? 0 : plus[r]!) + m[i + 2]!, old ? -1 : made[r]!);
    }
    for (let r = 0; r < REGS; r++)
      if ((mask >>> r) & 1) {
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
  const moves: number[] = [];
  for (let r = 0; r < REGS; r++) {
    if (!((written >>> r) & 1)) continue;
    moves.push(r, from[r]!, from[r]! < 0 ? 0 : plus[r]!);
    if (from[r]! >= 0) continue;
    for (let i = 0; i < inner.length; i += 4) if (inner[i] === made[r]) accesses.push(REGS + r, inner[i + 1]! - plus[r]!, inner[i + 2]!, inner[i + 3]!);
  }
  return { moves, accesses };
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

/** By block and register (REGS * block + register): value = what has that name, plus a constant. */
export interface Values {
  readonly name: Int32Array;
  readonly plus: Float64Array;
  readonly nameOut: Int32Array;
  readonly plusOut: Float64Array;
  /** by block, registers that may hold something else at its start than at the end of its immediate dominator, plus a constant, as masks */
  readonly changed: Int32Array;
  /** by name */
  readonly accessed: ReadonlyMap<number, Accessed>;
}

export function valuesOf({ blocks, succ, edgeOf, analysis: { order, idom } }: Pick<Region, "blocks" | "succ" | "edgeOf" | "analysis">): Values {
  const count = blocks.length, changed = new Int32Array(count), accessed = new Map<number, Accessed>();
  const does = blocks.map(effectsOf), preds: number[][] = blocks.map(() => []);
  /** where ways meet, registers that are in doubt */
  const differ = new Int32Array(count);
  for (const n of order)
    succ[n]!.forEach((t, k) => {
      const outside = fromOutside(blocks[n]!, edgeOf[n]![k]!);
      preds[t]!.push(outside ? ~n : n);
      // compiled code compares the stack pointer when a call comes back, but not when the kernel does
      if (outside) differ[t]! |= blocks[t]!.afterDoor ? ALL : ALL & ~(1 << RSP);
    });
  differ[0] = ALL;
  // names: REGS * block + register where ways meet, and as many more for what blocks make
  const name = new Int32Array(count * REGS), plus = new Float64Array(count * REGS), nameOut = new Int32Array(count * REGS), plusOut = new Float64Array(count * REGS);
  const done = new Uint8Array(count);
  for (let again = true, pass = 0; again; pass++) {
    again = false;
    if (pass === MAX_PASSES) {
      changed.fill(ALL);
      return { name, plus, nameOut, plusOut, changed, accessed };
    }
    for (const n of order) {
      const at = n * REGS;
      let mask = differ[n]!, first = true;
      for (const edge of preds[n]!) {
        const p = edge < 0 ? ~edge : edge;
        if (!done[p] || mask === ALL) continue;
        for (let r = 0, from = p * REGS; r < REGS; r++, from++) {
          if ((mask >>> r) & 1) continue;
          // a return takes what the call has pushed
          const by = plusOut[from]! + (edge < 0 ? 8 : 0);
          if (first) {
            name[at + r] = nameOut[from]!;
            plus[at + r] = by;
          } else if (name[at + r] !== nameOut[from] || plus[at + r] !== by) mask |= 1 << r;
        }
        first = false;
      }
      for (let r = 0; r < REGS; r++)
        if ((mask >>> r) & 1) {
          name[at + r] = at + r;
          plus[at + r] = 0;
        }
      if (mask !== differ[n]) again = true;
      differ[n] = mask;
      const d = does[n]!.moves;
      let i = 0;
      for (let r = 0; r < REGS; r++) {
        let to = name[at + r]!, by = plus[at + r]!;
        if (d[i] === r) {
          const from = d[i + 1]!;
          to = from < 0 ? (count + n) * REGS + r : name[at + from]!;
          by = from < 0 ? 0 : plus[at + from]! + d[i + 2]!;
          i += 3;
        }
        if (nameOut[at + r] === to && plusOut[at + r] === by) continue;
        nameOut[at + r] = to;
        plusOut[at + r] = by;
        again = true;
      }
      done[n] = 1;
    }
  }
  for (const n of order) {
    const at = n * REGS, from = idom[n]! * REGS;
    for (let r = 0; r < REGS; r++) if (name[at + r] !== nameOut[from + r]) changed[n]! |= 1 << r;
    const a = does[n]!.accesses;
    for (let i = 0; i < a.length; i += 4) {
      const r = a[i]!, end = r >= REGS;
      note(accessed, end ? nameOut[at + r - REGS]! : name[at + r]!, (end ? plusOut[at + r - REGS]! : plus[at + r]!) + a[i + 1]!, a[i + 2]!, a[i + 3] !== 0);
    }
  }
  return { name, plus, nameOut, plusOut, changed, accessed };
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
