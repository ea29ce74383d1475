// worker/cpu/jit/facts.ts — what is known of xmm registers where a block begins: that they hold no denormal number.
//
// Such a fact saves the look at an operand that would have to raise the denormal exception. It is a must-analysis, forwards: what all ways
// into a block know. An instruction's own part (what it learns, which registers it writes) is in its summary.
import type { Block } from "./region.ts";
import type { Summary } from "./summary.ts";

/** Bit r: the low lane of xmm r is no denormal, as a double; bit 16 + r: as a single. `packed`: no lane is. */
export interface Facts {
  scalar: number;
  packed: number;
}

/** The fact with this name (see Builder.learn) about xmm r, as masks. */
export function factOf(name: string, r: number): Facts {
  const bit = 1 << (name.endsWith("8") ? r : 16 + r);
  return name.startsWith("packed") ? { scalar: bit, packed: bit } : { scalar: bit, packed: 0 };
}
/** xmm r is written: nothing is known of it. */
export function forget(f: Facts, r: number): void {
  f.scalar &= ~(0x10001 << r);
  f.packed &= ~(0x10001 << r);
}

function apply(f: Facts, { writes, helper, learns }: Summary): void {
  if (helper) {
    f.scalar = f.packed = 0;
    return;
  }
  const kill = writes >>> 16;
  f.scalar = (f.scalar & ~(kill | (kill << 16))) | learns.scalar;
  f.packed = (f.packed & ~(kill | (kill << 16))) | learns.packed;
}

export const NO_FACTS: Readonly<Facts> = { scalar: 0, packed: 0 };
function learnsAny(blocks: readonly Block[]): boolean {
  for (const { steps } of blocks) for (const { summary } of steps) if (summary.learns.scalar !== 0) return true;
  return false;
}

/** By block, what is known at its start. `succ` and `order` (reverse postorder) are those of the region. */
export function factsAtStart(blocks: readonly Block[], succ: readonly (readonly number[])[], order: readonly number[]): readonly Readonly<Facts>[] {
  if (!learnsAny(blocks)) return blocks.map(() => NO_FACTS);
  const all = (n: number): Facts => (n === 0 || blocks[n]!.afterCall ? { scalar: 0, packed: 0 } : { scalar: -1, packed: -1 });
  const start = blocks.map((_, n) => all(n));
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of order) {
      const f = { ...start[n]! };
      for (const step of blocks[n]!.steps) apply(f, step.summary);
      for (const t of succ[n]!) {
        const s = start[t]!, scalar = s.scalar & f.scalar, packed = s.packed & f.packed;
        if (scalar === s.scalar && packed === s.packed) continue;
        s.scalar = scalar;
        s.packed = packed;
        changed = true;
      }
    }
  }
  return start;
}
