// worker/cpu/jit/values.ts — which registers hold the same value in different blocks, as far as moves and additions of constants tell.
//
// A value is a name plus a constant. Names are given by whoever makes a value that is not such a sum, and by places where ways with different ones meet:
// then to all registers in doubt. So a register that is pushed and popped, or moved to and fro, is known to be as it was, also around a loop.
import { fromOutside } from "./liveness.ts";
import type { Block, Region } from "./region.ts";

const REGS = 16, ALL = 0xffff;
/** Times that it is gone through the blocks at most; then nothing is taken for known. */
const MAX_PASSES = 12;

/** What a block does to registers, all at once: register, the one whose value it gets (-1: a new one), plus what; each. */
function effects({ steps }: Block): readonly number[] {
  const from: number[] = [], plus: number[] = [];
  let written = 0;
  for (const { summary } of steps) {
    const mask = summary.helper ? ALL : summary.writes & ALL;
    if (mask === 0) continue;
    const m = summary.helper ? [] : summary.moves;
    const value = (r: number): [number, number] => ((written >>> r) & 1 ? [from[r]!, plus[r]!] : [r, 0]);
    const moved: number[] = [];
    for (let i = 0; i < m.length; i += 3) {
      const [f, p] = value(m[i + 1]!);
      moved.push(m[i]!, f, f < 0 ? m[i + 1]! : p + m[i + 2]!);
    }
    for (let r = 0; r < REGS; r++) if ((mask >>> r) & 1) from[r] = -1;
    for (let i = 0; i < moved.length; i += 3)
      if (moved[i + 1]! >= 0) {
        from[moved[i]!] = moved[i + 1]!;
        plus[moved[i]!] = moved[i + 2]!;
      }
    written |= mask;
  }
  const out: number[] = [];
  for (let r = 0; r < REGS; r++) if ((written >>> r) & 1) out.push(r, from[r]!, from[r]! < 0 ? 0 : plus[r]!);
  return out;
}

/** By block, general registers that may hold something else at its start than at the end of its immediate dominator, as masks. */
export function changedSinceDominator({ blocks, succ, edgeOf, analysis: { order, idom } }: Pick<Region, "blocks" | "succ" | "edgeOf" | "analysis">): Int32Array {
  const count = blocks.length, changed = new Int32Array(count);
  const does = blocks.map(effects), preds: number[][] = blocks.map(() => []), outside = new Array<boolean>(count).fill(false);
  for (const n of order)
    succ[n]!.forEach((t, k) => {
      preds[t]!.push(n);
      if (t === 0 || fromOutside(blocks[n]!, edgeOf[n]![k]!)) outside[t] = true;
    });
  outside[0] = true;
  // names: REGS * block + register where ways meet, and as many more for what blocks make
  const name = new Int32Array(count * REGS), plus = new Float64Array(count * REGS), nameOut = new Int32Array(count * REGS), plusOut = new Float64Array(count * REGS);
  const done = new Uint8Array(count), differ = new Int32Array(count);
  for (let again = true, pass = 0; again; pass++) {
    again = false;
    if (pass === MAX_PASSES) return changed.fill(ALL);
    for (const n of order) {
      const at = n * REGS;
      if (outside[n]) differ[n] = ALL;
      let mask = differ[n]!, first = true;
      for (const p of preds[n]!) {
        if (!done[p] || mask === ALL) continue;
        for (let r = 0, from = p * REGS; r < REGS; r++, from++) {
          if (first) {
            name[at + r] = nameOut[from]!;
            plus[at + r] = plusOut[from]!;
          } else if (name[at + r] !== nameOut[from] || plus[at + r] !== plusOut[from]) mask |= 1 << r;
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
      const d = does[n]!;
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
    for (let r = 0; r < REGS; r++) if (name[at + r] !== nameOut[from + r] || plus[at + r] !== plusOut[from + r]) changed[n]! |= 1 << r;
  }
  return changed;
}
