// worker/cpu/jit/region.ts — a region: the part of a guest function that is compiled as one WebAssembly function.
//
// From its entry it follows direct branches, and goes on behind calls; it ends at returns, indirect jumps, instructions that leave, code that
// is not known here, and its size limit. An exit is an address to continue at, for whoever called.
import { Finder, isNop, MAX_BLOCKS, MAX_INSNS, type Surroundings } from "./finder.ts";
import { unfold } from "./nest.ts";
import { rotate } from "./rotate.ts";
import type { Step, Steps } from "./steps.ts";
import { stridesOf, type Strides } from "./strides.ts";
import { analyse, loopBodies, makeReducible, type Analysis } from "./structure.ts";

/** Where an edge of a block leads: a block of the region, or out of it to an address. */
export interface Edge {
  readonly block: number;
  /** -1: that of the edge that the block, a dispatcher, is to take */
  readonly rip: number;
  /** dispatchers on the way, as [block, the number of the edge that it is to take] */
  readonly choices: readonly (readonly [number, number])[] | undefined;
}
export function edgeTo(block: number, rip: number, choices?: Edge["choices"]): Edge {
  return { block, rip, choices };
}

/** Where a jump goes, by an index, as far as is known; `load` reads the table, undefined: the jump itself does. The index is that instruction's index register. */
export interface JumpTable {
  readonly load: Step | undefined;
  readonly targets: readonly number[];
}

export interface Block {
  readonly rip: number;
  readonly steps: Step[];
  /** by what the last instruction does: [taken, not taken], [target], [behind the call] or none. A block without an ending goes to edges[0]. */
  edges: Edge[];
  /** the block begins behind a call that leaves the region */
  afterCall: boolean;
  /** and that call was the kernel's door */
  afterDoor: boolean;
  /**
   * The call at its end goes to a copy of the function in this region, edges[0]; through a register, if that has the address `guess`, else out of
   * the region and to edges[1]. A block that ends with a return and has an edge is in such a copy: that is where it returns to, most likely.
   */
  inline: { readonly guess: number } | undefined;
  /** the jump at its end goes through a table */
  table: JumpTable | undefined;
  /** no code of the guest: it goes to one of its edges, by their numbers; see makeReducible */
  dispatcher: boolean;
}
/** All blocks are made here: engines are quick with objects that have the same fields in the same order. */
export function blockOf(rip: number, steps: Step[] = [], edges: Edge[] = []): Block {
  return { rip, steps, edges, afterCall: false, afterDoor: false, inline: undefined, table: undefined, dispatcher: false };
}

export interface Region {
  readonly entry: number;
  readonly blocks: readonly Block[];
  readonly analysis: Analysis;
  /** by the block that a loop begins with: its blocks */
  readonly loops: ReadonlyMap<number, ReadonlySet<number>>;
  /** successors within the region, by block; edgeOf[b][k] is the edge of that successor */
  readonly succ: readonly (readonly number[])[];
  readonly edgeOf: readonly (readonly number[])[];
  readonly strides: Strides;
  /** registers that any instruction reads or writes */
  readonly used: number;
  /** xmm registers that are mostly used as a double, as a single */
  readonly doubles: number;
  readonly singles: number;
  /** some instruction looks at the control and status of SSE floats */
  readonly mxcsr: boolean;
  /** bytes of code, as [first, past the last] address of each instruction's run */
  readonly ranges: readonly (readonly [number, number])[];
  readonly insns: number;
}

/** How control flows through blocks, and what follows from that. */
export type Flow = Pick<Region, "analysis" | "loops" | "strides"> & { readonly succ: number[][]; readonly edgeOf: number[][] };
export function flowOf(blocks: readonly Block[], memory: number): Flow {
  const { succ, edgeOf } = edgesOf(blocks), analysis = analyse(succ), loops = loopBodies(succ, analysis);
  return { succ, edgeOf, analysis, loops, strides: stridesOf({ blocks, analysis, succ, loops }, memory) };
}

/** Successors of each block within the region, and which edges they are. */
export function edgesOf(blocks: readonly Block[]): { succ: number[][]; edgeOf: number[][] } {
  const succ: number[][] = [], edgeOf: number[][] = [];
  for (const { edges } of blocks) {
    const s: number[] = [], e: number[] = [];
    for (let k = 0; k < edges.length; k++) {
      if (edges[k]!.block < 0) continue;
      s.push(edges[k]!.block);
      e.push(k);
    }
    succ.push(s);
    edgeOf.push(e);
  }
  return { succ, edgeOf };
}

/** How often xmm registers are used as a whole, as a double, as a single. What only moves counts for nothing. */
function countLanes({ insn, summary }: Step, uses: Record<"whole" | "double" | "single", number[]>): void {
  const touched = (summary.reads | summary.writes) >>> 16;
  if (touched === 0 || /^(mov|pxor$|xorp)/.test(insn.shape.form.name)) return;
  for (let r = 0; r < 16; r++) {
    if (!((touched >>> r) & 1)) continue;
    const kind = (summary.doubles >>> (16 + r)) & 1 ? "double" : (summary.singles >>> (16 + r)) & 1 ? "single" : "whole";
    uses[kind][r]!++;
  }
}

/** Registers that are used as a double, or as a single, more often than otherwise, as a mask. */
function mostly(uses: Record<"whole" | "double" | "single", number[]>, kind: "double" | "single", other: "double" | "single"): number {
  let mask = 0;
  for (let r = 0; r < 16; r++) {
    const n = uses[kind][r]!;
    if (n > uses.whole[r]! && n >= uses[other][r]! && n > 0) mask |= 0x10000 << r;
  }
  return mask;
}

/**
 * Discovers the region that starts at `entry`; undefined if not even its first instruction can be compiled. `registers`: their values at `entry`, if it is
 * about to be entered. A loop whose jump table was addressed before it is found by them, and what is called through them. `start`: where the function
 * that it is in seems to begin.
 */
export function discover(steps: Steps, entry: number, around: Surroundings, registers: readonly number[] = [], start = entry): Region | undefined {
  steps.begin();
  for (const from of start === entry ? [entry] : [start, entry]) {
    const finder = new Finder(steps, from, around, registers, entry);
    finder.find();
    const region = regionOf(finder, from, entry, around.limit);
    if (region !== undefined) return region;
  }
  return undefined;
}

/** The region that begins at `first` in the function at `entry`; undefined: its beginning has not been found, or there is too much. */
function regionOf(finder: Finder, entry: number, first: number, limit: number): Region | undefined {
  if (!finder.reached(first) || (first !== entry && finder.weight >= MAX_INSNS)) return undefined;
  const found = finder.blocks(first);
  let { blocks, ranges } = found;
  if (first !== entry) {
    const nodes = unfold(edgesOf(blocks).succ, found.start, MAX_BLOCKS);
    if (nodes === undefined) return undefined;
    ranges = [...new Set(nodes.map(({ node }) => node))].map((n) => ranges[n]!);
    blocks = nodes.map(({ node, to }): Block => {
      let k = 0;
      const original = blocks[node]!;
      return { ...original, edges: original.edges.map((e) => (e.block < 0 ? e : edgeTo(to[k++]!, e.rip, e.choices))) };
    });
  }
  let flow = flowOf(blocks, limit);
  const turned = rotate(blocks, flow, MAX_BLOCKS);
  if (turned !== undefined) flow = flowOf((blocks = turned), limit);
  let used = 0, mxcsr = false, insns = 0;
  const uses = { whole: new Array<number>(16).fill(0), double: new Array<number>(16).fill(0), single: new Array<number>(16).fill(0) };
  for (const block of blocks)
    for (const step of block.steps) {
      used |= step.summary.reads | step.summary.writes;
      mxcsr ||= step.summary.mxcsr;
      if (!isNop(step.insn)) insns++;
      countLanes(step, uses);
    }
  if (first !== entry && insns > MAX_INSNS) return undefined;
  const { succ, edgeOf } = flow;
  const { analysis, dispatchers, redirected } = makeReducible(succ, flow.analysis);
  for (const places of dispatchers) {
    const block = blockOf(-1, [], places.map((n) => edgeTo(n, blocks[n]!.rip)));
    block.dispatcher = true;
    blocks.push(block);
    edgeOf.push(places.map((_, k) => k));
  }
  for (const { from, k, to, choice } of redirected) {
    const { edges } = blocks[from]!, at = edgeOf[from]![k]!, { rip, choices = [] } = edges[at]!;
    edges[at] = edgeTo(to, rip, [...choices, [to, choice]]);
  }
  const doubles = mostly(uses, "double", "single"), singles = mostly(uses, "single", "double") & ~doubles;
  if (dispatchers.length > 0) flow = flowOf(blocks, limit);
  return { entry: first, blocks, ...flow, analysis, used, doubles, singles, mxcsr, ranges, insns };
}

/** Instructions on the longest way from each block to the next check, itself included. */
export function longestWays(region: Region): number[] {
  const { analysis, succ, blocks } = region;
  const way = blocks.map((b) => b.steps.length);
  for (let i = analysis.order.length - 1; i >= 0; i--) {
    const n = analysis.order[i]!;
    let most = 0;
    succ[n]!.forEach((t, k) => {
      if (analysis.cut[n]![k] || analysis.rpo[t]! <= analysis.rpo[n]! || blocks[t]!.afterCall) return;
      most = Math.max(most, way[t]!);
    });
    way[n] = way[n]! + most;
  }
  return way;
}
