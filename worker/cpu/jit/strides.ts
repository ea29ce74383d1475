// worker/cpu/jit/strides.ts — accesses of innermost loops whose addresses change by a constant each round: checked for many rounds at once.
//
// A block of the loop that dominates all of its ends is run in every round. What such a block accesses at the value that a register had at the
// round's beginning, plus a constant, and what the register gains by a round, say where rounds to come will access. So it is enough to look before
// the loop, and again after so many rounds: the number is made part of the budget (emit.ts), so that a round costs nothing more.
import { GUEST_READ_MIN, GUEST_WRITE_MIN } from "../memory.ts";
import { MAX_STORES } from "./addresses.ts";
import type { Region } from "./region.ts";

/** [register + (index << scale) + lo, … + hi): accessed in every round; registers as they are where the round begins, -1: none. */
export interface Group {
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  lo: number;
  hi: number;
  /** some of it is written; addresses that must be multiples of 16 have these low bits in lo's place, -1: none must */
  write: boolean;
  aligned: number;
  /** what the address gains by a round */
  step: number;
  /** there is no code where the rounds that are looked at store */
  clear: boolean;
}

/** What is looked at before a loop. */
export interface Stride {
  readonly groups: readonly Group[];
  /** for so many rounds, of so many instructions each at least */
  readonly rounds: number;
  readonly insns: number;
}

/** What need not be looked at any more when a step is emitted, as bits: bounds, whether there is code, whether it is a multiple of 16. */
export const BOUNDS = 1, CLEAR = 2, ALIGNED = 4;
const ALL = BOUNDS | CLEAR | ALIGNED;

export interface Strides {
  /** by loop header */
  readonly loops: ReadonlyMap<number, Stride>;
  /** by block and step: BOUNDS and so on */
  readonly cover: readonly (readonly number[] | undefined)[];
}

/** Rounds that are looked at together; bytes that they may reach from where they begin; of the code map's, so many are sure to be within 8 of its bytes. */
const MAX_ROUNDS = 1024, REACH = 0x40000, CLEAR_REACH = 7 * 256;
/** So few rounds are not worth it. */
const MIN_ROUNDS = 16;
const MAX_GROUPS = 6;

/** The instruction cannot leave, as far as its accesses go. */
export function staysIn(strides: Strides, block: number, step: number): boolean {
  return strides.cover[block]?.[step] === ALL;
}

const NO_STRIDES: Strides = { loops: new Map(), cover: [] };

/** Finds them; `memory` is how much of it there is. */
export function stridesOf(region: Pick<Region, "blocks" | "analysis" | "succ" | "loops">, memory: number): Strides {
  let found: { loops: Map<number, Stride>; cover: number[][] } | undefined;
  for (const [header, body] of region.loops) {
    const made = strideOf(region, memory, header, body);
    if (made === undefined) continue;
    found ??= { loops: new Map(), cover: [] };
    found.loops.set(header, made.stride);
    for (const [block, cover] of made.cover) found.cover[block] = cover;
  }
  return found ?? NO_STRIDES;
}

/** An access of a step, in terms of registers where the round begins. */
interface Access {
  readonly group: Group;
  readonly block: number;
  readonly step: number;
  readonly write: boolean;
  readonly aligned: boolean;
}

function strideOf({ blocks, analysis, succ }: Pick<Region, "blocks" | "analysis" | "succ">, memory: number, header: number, body: ReadonlySet<number>): { stride: Stride; cover: Map<number, number[]> } | undefined {
  const { rpo, idom, loopHeader, order, cut } = analysis;
  // the last block that all ends of the loop have in common, and what dominates it, down to the header
  let last = -1;
  const common = (a: number, b: number): number => {
    while (a !== b) {
      while (rpo[a]! > rpo[b]!) a = idom[a]!;
      while (rpo[b]! > rpo[a]!) b = idom[b]!;
    }
    return a;
  };
  for (const n of body) {
    const b = blocks[n]!;
    if ((loopHeader[n] && n !== header) || b.dispatcher || (b.afterCall && n !== header)) return undefined;
    for (const { summary } of b.steps) if (summary.helper || (summary.ending === "call" && (b.inline === undefined || b.inline.guess >= 0))) return undefined;
    succ[n]!.forEach((t, k) => {
      if (t === header && !cut[n]![k]) last = last < 0 ? n : common(last, n);
    });
  }
  if (last < 0) return undefined;
  const chain: number[] = [];
  for (let n = last; ; n = idom[n]!) {
    // what the header does not dominate: a loop that is entered elsewhere, too
    if (rpo[n]! < rpo[header]!) return undefined;
    chain.push(n);
    if (n === header) break;
  }
  chain.reverse();
  const sure = new Set(chain);
  /** by register: which one's value it is plus what, where the round begins; -1: something else */
  const from = Array.from({ length: 16 }, (_, r) => r), plus = new Array<number>(16).fill(0);
  const forget = (mask: number): void => {
    for (let r = 0; r < 16; r++) if ((mask >>> r) & 1) from[r] = -1;
  };
  /** written by blocks that are not run in each round */
  let seldom = 0;
  const accesses: Access[] = [], groups: Group[] = [];
  // a constant address that is there needs no look, but for code
  const fixed: Group = { base: -1, index: -1, scale: 0, lo: 0, hi: 0, write: false, aligned: 0, step: 0, clear: true };
  const note = (a: readonly number[], i: number, block: number, step: number): void => {
    let base = a[i]!, index = a[i + 1]!;
    const scale = a[i + 2]!, size = a[i + 4]!, write = (a[i + 5]! & 1) !== 0, aligned = (a[i + 5]! & 2) !== 0;
    let lo = a[i + 3]!;
    if (base >= 0) {
      lo += plus[base]!;
      base = from[base]!;
      if (base < 0) return;
    }
    if (index >= 0) {
      lo += plus[index]! * (1 << scale);
      index = from[index]!;
      if (index < 0) return;
    }
    if (base < 0 && index < 0) {
      if (lo < (write ? GUEST_WRITE_MIN : GUEST_READ_MIN) || lo + size > memory || (aligned && lo % 16 !== 0)) return;
      if (!write) {
        accesses.push({ group: fixed, block, step, write, aligned });
        return;
      }
    } else if (Math.abs(lo) > REACH) return;
    let group = groups.find((g) => g.base === base && g.index === index && g.scale === scale && (base >= 0 || index >= 0 || g.lo === lo));
    if (group === undefined) groups.push((group = { base, index, scale, lo, hi: lo + size, write, aligned: -1, step: 0, clear: false }));
    group.lo = Math.min(group.lo, lo);
    group.hi = Math.max(group.hi, lo + size);
    group.write ||= write;
    const low = ((lo % 16) + 16) % 16;
    if (aligned) group.aligned = group.aligned < 0 || group.aligned === low ? low : 16;
    accesses.push({ group, block, step, write, aligned });
  };
  let insns = 0;
  for (let c = 0; c < chain.length; c++) {
    const n = chain[c]!;
    if (c > 0) {
      let mask = 0;
      for (let i = rpo[chain[c - 1]!]! + 1; i < rpo[n]!; i++) if (body.has(order[i]!)) mask |= writesOf(blocks[order[i]!]!);
      forget(mask);
    }
    insns += blocks[n]!.steps.length;
    blocks[n]!.steps.forEach(({ summary }, step) => {
      const { accesses: a, moves: m } = summary;
      for (let i = 0; i < a.length; i += 6) note(a, i, n, step);
      const mask = summary.writes & 0xffff;
      if (mask === 0) return;
      const before = from.slice(), offsets = plus.slice();
      forget(mask);
      for (let i = 0; i < m.length; i += 3) {
        from[m[i]!] = before[m[i + 1]!]!;
        plus[m[i]!] = offsets[m[i + 1]!]! + m[i + 2]!;
      }
    });
  }
  for (const n of body) if (!sure.has(n)) seldom |= writesOf(blocks[n]!);
  const gain = (r: number): number => (r < 0 ? 0 : ((seldom >>> r) & 1) === 0 && from[r] === r ? plus[r]! : NaN);
  const taken: Group[] = [];
  let rounds = MAX_ROUNDS;
  for (const g of groups) {
    g.step = gain(g.base) + gain(g.index) * (1 << g.scale);
    const far = Math.abs(g.step);
    if (!(far * MIN_ROUNDS <= REACH) || g.hi - g.lo > REACH) continue;
    if (g.aligned > 15 || g.step % 16 !== 0) g.aligned = -1;
    g.clear = g.write && g.step >= 0 && g.hi - g.lo <= MAX_STORES && g.step * MIN_ROUNDS + g.hi - g.lo <= CLEAR_REACH;
    taken.push(g);
    if (far > 0) rounds = Math.min(rounds, Math.floor(REACH / far));
    if (g.clear && far > 0) rounds = Math.min(rounds, Math.floor((CLEAR_REACH - (g.hi - g.lo)) / far));
  }
  if (taken.length === 0 || taken.length > MAX_GROUPS || insns === 0) return undefined;
  const cover = new Map<number, number[]>();
  for (const n of chain) {
    const list = blocks[n]!.steps.map(({ summary }) => (summary.hidden ? 0 : ALL));
    cover.set(n, list);
    // of several accesses all must be known
    blocks[n]!.steps.forEach(({ summary }, step) => {
      const known = accesses.filter((a) => a.block === n && a.step === step && (a.group === fixed || taken.includes(a.group)));
      if (known.length < summary.accesses.length / 6) list[step] = 0;
      for (const { group, write, aligned } of known) {
        if (write && !group.clear) list[step]! &= ~CLEAR;
        if (aligned && group.aligned < 0) list[step]! &= ~ALIGNED;
      }
    });
  }
  return { stride: { groups: taken, rounds, insns }, cover };
}

function writesOf({ steps }: Region["blocks"][number]): number {
  let mask = 0;
  for (const { summary } of steps) mask |= summary.writes & 0xffff;
  return mask;
}
