// worker/cpu/jit/liveness.ts — which registers have to be loaded where a region is entered, and stored where it is left.
//
// A register is dirty where its local may hold something else than the state block: it has been written since the entry, or since control last
// came back from outside. It is live where its local must be right: it may be read before it is written, or a way out may store it, as it is
// dirty there. Any instruction may leave, so what is dirty is live. Only what is live is loaded; only what is dirty is stored.
import type { Block } from "./region.ts";
import { staysIn, type Strides } from "./strides.ts";
import type { Analysis } from "./structure.ts";

/** By block, masks of registers (as in summaries) at its start. */
export interface Liveness {
  readonly dirty: Int32Array;
  readonly live: Int32Array;
  /** the flags at its start may be read, or stored by a way out, before they are all set */
  readonly flags: readonly boolean[];
  /** the same where control comes to it other than by going round */
  readonly flagsBefore: readonly boolean[];
}

/** The edge from block n to its k-th successor comes from outside: everything was stored before and is loaded behind it. */
export function fromOutside(block: Block, edge: number): boolean {
  const last = block.steps[block.steps.length - 1];
  return last?.summary.ending === "call" && (block.inline === undefined || edge === 1);
}

/** `edgeOf[n][k]` is the edge of n's k-th successor. */
export function livenessOf(blocks: readonly Block[], succ: readonly (readonly number[])[], edgeOf: readonly (readonly number[])[], analysis: Analysis, strides: Strides): Liveness {
  const count = blocks.length, { order } = analysis;
  const dirty = new Int32Array(count), live = new Int32Array(count);
  const writes = new Int32Array(count), reads = new Int32Array(count);
  for (const n of order) {
    let written = 0, read = 0;
    for (const { summary } of blocks[n]!.steps) {
      read |= summary.reads & ~written;
      written |= summary.writes;
    }
    writes[n] = written;
    reads[n] = read;
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of order) {
      const out = dirty[n]! | writes[n]!, to = succ[n]!;
      for (let k = 0; k < to.length; k++) {
        if (fromOutside(blocks[n]!, edgeOf[n]![k]!) || (dirty[to[k]!]! | out) === dirty[to[k]!]!) continue;
        dirty[to[k]!]! |= out;
        changed = true;
      }
    }
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const n = order[i]!, to = succ[n]!;
      let behind = 0;
      for (let k = 0; k < to.length; k++) if (!fromOutside(blocks[n]!, edgeOf[n]![k]!)) behind |= live[to[k]!]!;
      // what the block itself makes dirty has been written by it
      const mask = dirty[n]! | reads[n]! | (behind & ~writes[n]!);
      if (mask === live[n]!) continue;
      live[n] = mask;
      changed = true;
    }
  }
  const flags = flagsLive(blocks, succ, analysis, strides);
  return { dirty, live, flags, flagsBefore: flags.map((f, n) => f || strides.loops.has(n)) };
}

/** By block: the flags at its start may be read, or stored by a way out, before they are all set. */
export function flagsLive(blocks: readonly Block[], succ: readonly (readonly number[])[], { order, rpo, cut }: Analysis, strides: Strides): boolean[] {
  const live = blocks.map(() => false);
  /** by block: decided by itself */
  const own = blocks.map((block, n): boolean | undefined => {
    // the budget is looked at: a way out
    if (block.afterCall) return true;
    for (let i = 0; i < block.steps.length; i++) {
      const { summary } = block.steps[i]!, flags = staysIn(strides, n, i) ? summary.flagsApart : summary.flags;
      if (flags !== "keeps") return flags === "needs";
    }
    if (block.edges.some((e) => e.block < 0) || succ[n]!.some((t, k) => cut[n]![k] || rpo[t]! <= rpo[n]!)) return true;
    return undefined;
  });
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const n = order[i]!;
      if (live[n] || own[n] === false || !(own[n] ?? succ[n]!.some((t) => live[t] || strides.loops.has(t)))) continue;
      live[n] = changed = true;
    }
  }
  return live;
}
