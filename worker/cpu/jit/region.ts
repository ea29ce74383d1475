// worker/cpu/jit/region.ts — a region: the part of a guest function that is compiled as one WebAssembly function.
//
// From its entry it follows direct branches, and goes on behind calls; it ends at returns, indirect jumps, instructions that leave, code that
// is not known here, and its size limit. An exit is an address to continue at, for whoever called.
import type { Insn } from "../decode.ts";
import { unfold } from "./nest.ts";
import { rotate } from "./rotate.ts";
import type { Step, Steps } from "./steps.ts";
import { loopBodies, makeReducible, type Analysis } from "./structure.ts";

/** Instructions in one region at most: what V8 compiles in some ten milliseconds. */
const MAX_INSNS = 1500;
const MAX_BLOCKS = 300;

/** Where an edge of a block leads: a block of the region, or out of it to an address. */
export interface Edge {
  readonly block: number;
  /** -1: that of the edge that the block, a dispatcher, is to take */
  readonly rip: number;
  /** dispatchers on the way, as [block, the number of the edge that it is to take] */
  readonly choices?: readonly (readonly [number, number])[];
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
  inline?: { readonly guess: number };
  /** the jump at its end goes through a table */
  table?: JumpTable;
  /** no code of the guest: it goes to one of its edges, by their numbers; see makeReducible */
  dispatcher?: true;
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

const target = (insn: Insn): number => (insn.immHi >>> 0) * 0x1_0000_0000 + (insn.immLo >>> 0);

/** Instructions before a jump or call through a register that are searched for the register's value. */
const BEFORE = 12;
/** Where `jmp *%r` or `call *%r` goes if `mov $address, %r` stands before it, else -1: the trampoline of page 0 ends like that, and is called like that. */
function constantTarget(before: readonly Step[]): number {
  const jump = before[before.length - 1]!.insn;
  const operand = jump.shape.form.operands[0];
  if (operand?.kind !== "reg") return -1;
  const bit = 1 << jump.reg[operand.index]!;
  for (let i = before.length - 2; i >= Math.max(0, before.length - BEFORE); i--) {
    const { insn, summary } = before[i]!;
    if ((summary.writes & bit) === 0) continue;
    const { name, operands } = insn.shape.form;
    return name === "mov" && operands[1]!.kind === "imm" && operands[0]!.size >= 4 && insn.immHi === 0 ? insn.immLo >>> 0 : -1;
  }
  return -1;
}

/** Entries of a jump table at most, and how far from its jump its targets may lie. */
const MAX_TABLE = 128, TABLE_REACH = 0x10000;

/**
 * Where the indirect jump that ends `before` may go, guessed from how compilers write a switch: jmp *table(,%r,8), or a table of 32-bit offsets
 * from itself, lea table(%rip),%b; movslq (%b,%r,4),%x; add %b,%x; jmp *%x. A wrong guess costs nothing but space: compiled code compares.
 */
function jumpTargets(before: readonly Step[], tables: ReadonlyMap<number, number>, memory: DataView, limit: number): JumpTable {
  const jump = before[before.length - 1]!.insn;
  let at = -1, size = 8, from: Step | undefined;
  if (jump.index >= 0 && jump.scale === 3 && jump.base < 0 && jump.dispHi === 0) at = jump.dispLo >>> 0;
  else if (jump.shape.memory < 0) {
    for (let i = before.length - 2; i >= Math.max(0, before.length - 8); i--) {
      const load = before[i]!.insn;
      if (load.shape.form.name !== "movsxd" || load.index < 0 || load.scale !== 2 || load.base < 0) continue;
      at = tables.get(load.base) ?? -1;
      size = 4;
      from = before[i];
      break;
    }
  }
  const targets: number[] = [], table = { load: from, targets };
  if (at < 0x1000 || at >= limit) return table;
  let most = MAX_TABLE;
  for (let i = before.length - 1; i >= Math.max(0, before.length - 14); i--) {
    const { shape, immLo } = before[i]!.insn;
    if (shape.form.name !== "cmp" || shape.form.operands[1]?.kind !== "imm") continue;
    most = Math.min(most, (immLo >>> 0) + 1);
    break;
  }
  for (let i = 0; i < most && at + (i + 1) * size <= limit; i++) {
    const entry = at + i * size;
    const to = size === 4 ? at + memory.getInt32(entry, true) : memory.getUint32(entry + 4, true) === 0 ? memory.getUint32(entry, true) : -1;
    if (Math.abs(to - jump.rip) > TABLE_REACH || to >= limit) break;
    targets.push(to);
  }
  return table;
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

/**
 * Discovers the region that starts at `entry`; undefined if not even its first instruction can be compiled.
 * `memory` is the guest's; `limit` is the end of guest memory; `stop(rip)` says that code at rip must not be compiled (it is known to change).
 * `registers`: their values at `entry`, if it is about to be entered. A loop whose jump table was addressed before it is found by them, and what
 * is called through them. `heat(rip)`: how often the code at rip was reached. `start`: where the function that it is in seems to begin.
 */
export function discover(steps: Steps, entry: number, memory: DataView, limit: number, stop: (rip: number) => boolean, registers: readonly number[] = [], heat: (rip: number) => number = () => 0, start = entry): Region | undefined {
  steps.begin();
  for (const from of start === entry ? [entry] : [start, entry]) {
    const finder = new Finder(steps, from, memory, limit, stop, registers, heat, entry);
    finder.find();
    const region = finder.region();
    if (region !== undefined) return region;
  }
  return undefined;
}

/** A copy of a function that is part of a region; 0 is the region's own. */
interface Copy {
  readonly entry: number;
  readonly depth: number;
  /** the copy that calls it, and where it returns to there */
  readonly caller: number;
  readonly returnTo: number;
}
/**
 * What is called here is copied if it has so few instructions (the second number: where the region itself calls it), is called so often, and
 * is so deep at most; and while the region has so few.
 */
const MAX_COPY = 60, MAX_FIRST_COPY = 300, COPY_HEAT = 500, COPY_DEPTH = 4, COPY_TOTAL = 500;
/** Calls below go to the trampoline of page 0, which is copied like a function: its nops are counted, and cost nothing. */
const TRAMPOLINE_END = 0x1000;
/** An address in a copy, as one number. */
const COPY = 0x1_0000_0000;
const isNop = (insn: Insn): boolean => insn.shape.form.name === "nop";

/** Successors of each block within the region, and which edges they are. */
function edgesOf(blocks: readonly Block[]): { succ: number[][]; edgeOf: number[][] } {
  const succ: number[][] = [], edgeOf: number[][] = [];
  for (const b of blocks) {
    const s: number[] = [];
    const e: number[] = [];
    b.edges.forEach((edge, k) => {
      if (edge.block < 0) return;
      s.push(edge.block);
      e.push(k);
    });
    succ.push(s);
    edgeOf.push(e);
  }
  return { succ, edgeOf };
}

/** Finds the blocks of a region. Addresses are those of copies: copy * COPY + rip. */
class Finder {
  readonly steps = new Map<number, Step>();
  /** null: there is none that can be compiled */
  private readonly decoded = new Map<number, Step | null>();
  private readonly leaders: Set<number>;
  private readonly afterCalls = new Set<number>();
  private readonly afterDoors = new Set<number>();
  private readonly copies: Copy[];
  /** by address of the call: the copy that it calls; with the address that its register must have */
  private readonly calls = new Map<number, { copy: number; guess: number }>();
  /** targets of indirect jumps, by the jump's address; tables whose address a register was given, in the order of decoding */
  private readonly switches = new Map<number, JumpTable>();
  private readonly tables: Map<number, number>;
  private readonly sizes = new Map<number, number>();
  /** instructions so far but for nops, of which nothing is left */
  private weight = 0;
  /** where the function begins, and the region */
  private readonly entry: number;
  private readonly first: number;
  private readonly source: Steps;
  private readonly memory: DataView;
  private readonly limit: number;
  private readonly stop: (rip: number) => boolean;
  /** what registers may hold where they are called through: as at the entry, or moved from there */
  private readonly values: number[];
  private readonly heat: (rip: number) => number;

  constructor(source: Steps, entry: number, memory: DataView, limit: number, stop: (rip: number) => boolean, registers: readonly number[], heat: (rip: number) => number, first: number) {
    this.source = source;
    this.first = first;
    this.entry = entry;
    this.memory = memory;
    this.limit = limit;
    this.stop = stop;
    this.values = [...registers];
    this.heat = heat;
    this.leaders = new Set([entry, first]);
    this.copies = [{ entry, depth: 0, caller: -1, returnTo: -1 }];
    this.tables = new Map(registers.entries());
  }

  /** The instruction at rip, if it can be compiled. */
  private at(rip: number): Step | undefined {
    const known = this.decoded.get(rip);
    if (known !== undefined) return known ?? undefined;
    const step = this.stop(rip) ? undefined : this.source.at(rip);
    this.decoded.set(rip, step ?? null);
    return step;
  }
  /**
   * Instructions of the function at rip, nops left out, if they are few and it has no jumps through registers or memory; else Infinity. A jump to a constant
   * address, and from the kernel's door back to where it was called, are none.
   */
  private size(rip: number): number {
    const known = this.sizes.get(rip);
    if (known !== undefined) return known;
    const seen = new Set<number>(), work = [rip];
    let weight = 0;
    while (work.length > 0 && weight <= MAX_FIRST_COPY) {
      const run: Step[] = [];
      let door = false;
      for (let at = work.pop()!; !seen.has(at) && weight <= MAX_FIRST_COPY; ) {
        const step = this.at(at);
        if (step !== undefined) run.push(step);
        const to = step?.summary.ending === "jump" && !door ? constantTarget(run) : -1;
        if (step === undefined || (step.summary.ending === "jump" && !door && to < 0)) {
          this.sizes.set(rip, Infinity);
          return Infinity;
        }
        seen.add(at);
        if (!isNop(step.insn)) weight++;
        if (to >= 0) work.push(to);
        if (step.summary.ending === "jump") break;
        door = step.insn.shape.form.name === "vmcall";
        const { ending, conditional } = step.summary;
        if (ending === "branch") work.push(target(step.insn));
        if (ending === "ret" || ending === "leave" || (ending === "branch" && !conditional)) break;
        at += step.insn.length;
      }
    }
    const n = weight > MAX_FIRST_COPY ? Infinity : weight;
    this.sizes.set(rip, n);
    return n;
  }
  /** The copy that a call is to go to, if what it calls is worth one. */
  private copyFor(call: number, run: readonly Step[]): number {
    const { insn } = run[run.length - 1]!;
    const o = insn.shape.form.operands[0];
    if (o === undefined) return 0;
    const caller = Math.floor(call / COPY), { depth } = this.copies[caller]!;
    const direct = o.kind === "rel", constant = direct ? -1 : constantTarget(run);
    const to = direct ? target(insn) : constant >= 0 ? constant : o.kind === "reg" ? (this.values[insn.reg[0]!] ?? -1) : -1;
    if (to < (constant >= 0 ? 0 : TRAMPOLINE_END) || to >= this.limit || (depth >= COPY_DEPTH && to >= TRAMPOLINE_END) || this.weight > COPY_TOTAL || this.heat(to) < COPY_HEAT || this.size(to) > (depth === 0 && to !== this.entry ? MAX_FIRST_COPY : MAX_COPY)) return 0;
    const copy = this.copies.push({ entry: to, depth: depth + 1, caller, returnTo: (call % COPY) + insn.length }) - 1;
    this.calls.set(call, { copy, guess: direct ? -1 : to });
    return copy;
  }

  /** All instructions reachable, and the leaders of blocks. */
  find(): void {
    const { steps, leaders, limit } = this;
    const work = [this.entry];
    const leader = (at: number): void => {
      leaders.add(at);
      work.push(at);
    };
    while (work.length > 0 && this.weight < MAX_INSNS && leaders.size < MAX_BLOCKS) {
      let at = work.pop()!;
      const copy = Math.floor(at / COPY) * COPY;
      const run: Step[] = [];
      while (!steps.has(at) && this.weight < MAX_INSNS) {
        const step = this.at(at - copy);
        if (step === undefined) break;
        const { insn, summary } = step;
        steps.set(at, step);
        if (!isNop(insn)) this.weight++;
        run.push(step);
        if (insn.shape.form.name === "lea" && insn.base < 0 && insn.index < 0 && insn.dispHi === 0) this.tables.set(insn.reg[0]!, insn.dispLo >>> 0);
        const m = summary.moves;
        for (let i = 0; i < m.length; i += 3) if (m[i + 2] === 0) this.values[m[i]!] = this.values[m[i + 1]!]!;
        const here = at;
        at += insn.length;
        if (summary.ending === "next") continue;
        if (summary.ending === "branch") {
          if (target(insn) < limit) leader(copy + target(insn));
          if (summary.conditional) leader(at);
        } else if (summary.ending === "jump") {
          const constant = constantTarget(run);
          const table = constant < 0 ? jumpTargets(run, this.tables, this.memory, limit) : { load: undefined, targets: constant < limit ? [constant] : [] };
          if (table.targets.length > 0) this.switches.set(here, table);
          for (const to of table.targets) leader(copy + to);
        } else if (summary.ending === "call") {
          const called = this.copyFor(here, run);
          leader(at);
          if (insn.shape.form.name === "vmcall") this.afterDoors.add(at);
          if (called > 0) leader(called * COPY + this.copies[called]!.entry);
          if (called === 0 || this.calls.get(here)!.guess >= 0) this.afterCalls.add(at);
        }
        break;
      }
    }
  }

  /** Undefined: the region's beginning has not been found, or there is too much. */
  region(): Region | undefined {
    const { steps, entry, first, switches } = this;
    if (!steps.has(first) || (first !== entry && this.weight >= MAX_INSNS)) return undefined;
    const index = new Map<number, number>();
    const starts = [entry, ...[...this.leaders].filter((at) => at !== entry && steps.has(at)).sort((a, b) => a - b)];
    starts.forEach((at, i) => index.set(at, i));
    const edgeTo = (at: number): Edge => ({ block: index.get(at) ?? -1, rip: at % COPY });
    const ends: number[] = [];
    let blocks = starts.map((start): Block => {
      const block: Block = { rip: start % COPY, steps: [], edges: [], afterCall: this.afterCalls.has(start), afterDoor: this.afterDoors.has(start) };
      const copy = start - (start % COPY);
      let at = start;
      for (;;) {
        const step = steps.get(at);
        if (step === undefined || (at !== start && index.has(at))) {
          block.edges = [edgeTo(at)];
          break;
        }
        block.steps.push(step);
        const here = at;
        at += step.insn.length;
        const { ending, conditional } = step.summary;
        if (ending === "next") continue;
        if (ending === "branch") block.edges = conditional ? [edgeTo(copy + target(step.insn)), edgeTo(at)] : [edgeTo(copy + target(step.insn))];
        else if (ending === "call") {
          const call = this.calls.get(here);
          const inner = call && edgeTo(call.copy * COPY + this.copies[call.copy]!.entry);
          // what was not found for want of room is called as usual
          if (inner !== undefined && inner.block >= 0) {
            block.inline = { guess: call!.guess };
            block.edges = call!.guess < 0 ? [inner] : [inner, edgeTo(at)];
          } else block.edges = [edgeTo(at)];
        } else if (ending === "jump" && !(block.afterDoor && copy > 0)) {
          const table = switches.get(here);
          if (table !== undefined) {
            block.table = table;
            block.edges = [...new Set(table.targets)].sort((a, b) => a - b).map((to) => edgeTo(copy + to)).filter((e) => e.block >= 0);
          }
        }
        else if ((ending === "ret" || ending === "jump") && copy > 0) {
          const { caller, returnTo } = this.copies[copy / COPY]!;
          block.edges = [edgeTo(caller * COPY + returnTo)];
        }
        break;
      }
      ends.push(at % COPY);
      return block;
    });
    let ranges = blocks.map(({ rip }, n): [number, number] => [rip, ends[n]!]);
    let { succ, edgeOf } = edgesOf(blocks);
    if (first !== entry) {
      const nodes = unfold(succ, index.get(first)!, MAX_BLOCKS);
      if (nodes === undefined) return undefined;
      ranges = [...new Set(nodes.map(({ node }) => node))].map((n) => ranges[n]!);
      blocks = nodes.map(({ node, to }): Block => {
        let k = 0;
        return { ...blocks[node]!, edges: blocks[node]!.edges.map((e) => (e.block < 0 ? e : { ...e, block: to[k++]! })) };
      });
      ({ succ, edgeOf } = edgesOf(blocks));
    }
    blocks = rotate(blocks, succ, this.limit, MAX_BLOCKS);
    ({ succ, edgeOf } = edgesOf(blocks));
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
    const { analysis, dispatchers, redirected } = makeReducible(succ);
    for (const places of dispatchers) {
      blocks.push({ rip: -1, steps: [], edges: places.map((block) => ({ block, rip: blocks[block]!.rip })), afterCall: false, afterDoor: false, dispatcher: true });
      edgeOf.push(places.map((_, k) => k));
    }
    for (const { from, k, to, choice } of redirected) {
      const { edges } = blocks[from]!, at = edgeOf[from]![k]!, { rip, choices = [] } = edges[at]!;
      edges[at] = { block: to, rip, choices: [...choices, [to, choice]] };
    }
    const mostly = (kind: "double" | "single", other: "double" | "single"): number =>
      uses[kind].reduce((mask, n, r) => (n > uses.whole[r]! && n >= uses[other][r]! && n > 0 ? mask | (0x10000 << r) : mask), 0);
    const doubles = mostly("double", "single"), singles = mostly("single", "double") & ~doubles;
    return { entry: first, blocks, analysis, loops: loopBodies(succ, analysis), succ, edgeOf, used, doubles, singles, mxcsr, ranges, insns };
  }
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
