// worker/cpu/jit/region.ts — a region: the part of a guest function that is compiled as one WebAssembly function.
//
// From its entry it follows direct branches, and goes on behind calls; it ends at returns, indirect jumps, instructions that leave, code that
// is not known here, and its size limit. An exit is an address to continue at, for whoever called.
import { Insn, type Decoder } from "../decode.ts";
import { analyse, type Analysis } from "./structure.ts";
import { summarise, type Summary } from "./summary.ts";

/** Instructions in one region at most: what V8 compiles in some ten milliseconds. */
const MAX_INSNS = 1500;
const MAX_BLOCKS = 300;

export interface Step {
  readonly insn: Insn;
  readonly summary: Summary;
}

/** Where an edge of a block leads: a block of the region, or out of it to an address. */
export interface Edge {
  readonly block: number;
  readonly rip: number;
}

export interface Block {
  readonly rip: number;
  readonly steps: Step[];
  /** by what the last instruction does: [taken, not taken], [target], [behind the call] or none. A block without an ending goes to edges[0]. */
  edges: Edge[];
  /** the block begins behind a call */
  afterCall: boolean;
  /** and that call was the kernel's door */
  afterDoor: boolean;
}

export interface Region {
  readonly entry: number;
  readonly blocks: readonly Block[];
  readonly analysis: Analysis;
  /** successors within the region, by block; edgeOf[b][k] is the edge of that successor */
  readonly succ: readonly (readonly number[])[];
  readonly edgeOf: readonly (readonly number[])[];
  /** registers that any instruction reads or writes, and those that one writes */
  readonly used: number;
  readonly written: number;
  /** bytes of code, as [first, past the last] address of each instruction's run */
  readonly ranges: readonly (readonly [number, number])[];
  readonly insns: number;
}

/** A displaced copy of an Insn: decode() reuses its argument. */
function decodeAt(decoder: Decoder, rip: number): Insn {
  const insn = new Insn();
  decoder.decode(rip, insn);
  return insn;
}

const target = (insn: Insn): number => (insn.immHi >>> 0) * 0x1_0000_0000 + (insn.immLo >>> 0);

/** Where `jmp *%r` goes if `mov $address, %r` stands before it, else -1: the trampoline of page 0 ends like that. */
function constantTarget(before: readonly Insn[]): number {
  const jump = before[before.length - 1]!;
  const operand = jump.shape.form.operands[0]!;
  if (operand.kind !== "reg") return -1;
  const bit = 1 << jump.reg[operand.index]!;
  for (let i = before.length - 2; i >= Math.max(0, before.length - 4); i--) {
    const insn = before[i]!;
    if ((summarise(insn).writes & bit) === 0) continue;
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
function jumpTargets(before: readonly Insn[], tables: ReadonlyMap<number, number>, memory: DataView, limit: number): number[] {
  const jump = before[before.length - 1]!;
  let at = -1, size = 8;
  if (jump.index >= 0 && jump.scale === 3 && jump.base < 0 && jump.dispHi === 0) at = jump.dispLo >>> 0;
  else if (jump.shape.memory < 0) {
    for (let i = before.length - 2; i >= Math.max(0, before.length - 8); i--) {
      const load = before[i]!;
      if (load.shape.form.name !== "movsxd" || load.index < 0 || load.scale !== 2 || load.base < 0) continue;
      at = tables.get(load.base) ?? -1;
      size = 4;
      break;
    }
  }
  if (at < 0x1000 || at >= limit) return [];
  let most = MAX_TABLE;
  for (let i = before.length - 1; i >= Math.max(0, before.length - 14); i--) {
    const { shape, immLo } = before[i]!;
    if (shape.form.name !== "cmp" || shape.form.operands[1]?.kind !== "imm") continue;
    most = Math.min(most, (immLo >>> 0) + 1);
    break;
  }
  const found = new Set<number>();
  for (let i = 0; i < most && at + (i + 1) * size <= limit; i++) {
    const entry = at + i * size;
    const to = size === 4 ? at + memory.getInt32(entry, true) : memory.getUint32(entry + 4, true) === 0 ? memory.getUint32(entry, true) : -1;
    if (Math.abs(to - jump.rip) > TABLE_REACH || to >= limit) break;
    found.add(to);
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * Discovers the region that starts at `entry`; undefined if not even its first instruction can be compiled.
 * `memory` is the guest's; `limit` is the end of guest memory; `stop(rip)` says that code at rip must not be compiled (it is known to change).
 * `registers`: their values at `entry`, if it is about to be entered. A loop whose jump table was addressed before it is found by them.
 */
export function discover(decoder: Decoder, entry: number, memory: DataView, limit: number, stop: (rip: number) => boolean, registers: readonly number[] = []): Region | undefined {
  decoder.forget();
  // pass 1: all instructions reachable, and the leaders of blocks
  const steps = new Map<number, Step>();
  const leaders = new Set<number>([entry]);
  const afterCalls = new Set<number>();
  const afterDoors = new Set<number>();
  const work = [entry];
  /** targets of indirect jumps, by the jump's address; tables whose address a register was given, in the order of decoding */
  const switches = new Map<number, number[]>();
  const tables = new Map<number, number>(registers.entries());
  while (work.length > 0 && steps.size < MAX_INSNS && leaders.size < MAX_BLOCKS) {
    let rip = work.pop()!;
    const run: Insn[] = [];
    while (!steps.has(rip) && rip < limit && steps.size < MAX_INSNS && !stop(rip)) {
      const insn = decodeAt(decoder, rip);
      if (insn.length === 0 || insn.shape.definition === undefined) break;
      const summary = summarise(insn);
      steps.set(rip, { insn, summary });
      run.push(insn);
      if (insn.shape.form.name === "lea" && insn.base < 0 && insn.index < 0 && insn.dispHi === 0) tables.set(insn.reg[0]!, insn.dispLo >>> 0);
      const next = rip + insn.length;
      if (summary.ending === "next") {
        rip = next;
        continue;
      }
      if (summary.ending === "branch") {
        const to = target(insn);
        if (to < limit) {
          leaders.add(to);
          work.push(to);
        }
        if (summary.conditional) {
          leaders.add(next);
          work.push(next);
        }
      } else if (summary.ending === "jump") {
        const constant = constantTarget(run);
        const targets = constant < 0 ? jumpTargets(run, tables, memory, limit) : constant < limit ? [constant] : [];
        if (targets.length > 0) switches.set(insn.rip, targets);
        for (const to of targets) {
          leaders.add(to);
          work.push(to);
        }
      } else if (summary.ending === "call") {
        leaders.add(next);
        afterCalls.add(next);
        if (insn.shape.form.name === "vmcall") afterDoors.add(next);
        work.push(next);
      }
      break;
    }
  }
  if (!steps.has(entry)) return undefined;

  // pass 2: blocks, the entry first
  const index = new Map<number, number>();
  const starts = [entry, ...[...leaders].filter((rip) => rip !== entry && steps.has(rip)).sort((a, b) => a - b)];
  starts.forEach((rip, i) => index.set(rip, i));
  const edgeTo = (rip: number): Edge => ({ block: index.get(rip) ?? -1, rip });
  let used = 0;
  let written = 0;
  const ranges: [number, number][] = [];
  const blocks = starts.map((start): Block => {
    const block: Block = { rip: start, steps: [], edges: [], afterCall: afterCalls.has(start), afterDoor: afterDoors.has(start) };
    let rip = start;
    for (;;) {
      const step = steps.get(rip);
      if (step === undefined || (rip !== start && index.has(rip))) {
        block.edges = [edgeTo(rip)];
        break;
      }
      block.steps.push(step);
      used |= step.summary.reads | step.summary.writes;
      written |= step.summary.writes;
      rip += step.insn.length;
      const { ending, conditional } = step.summary;
      if (ending === "next") continue;
      if (ending === "branch") block.edges = conditional ? [edgeTo(target(step.insn)), edgeTo(rip)] : [edgeTo(target(step.insn))];
      else if (ending === "call") block.edges = [edgeTo(rip)];
      else if (ending === "jump") block.edges = (switches.get(step.insn.rip) ?? []).map(edgeTo).filter((e) => e.block >= 0);
      break;
    }
    ranges.push([start, rip]);
    return block;
  });
  const succ: number[][] = [];
  const edgeOf: number[][] = [];
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
  return { entry, blocks, analysis: analyse(succ), succ, edgeOf, used, written, ranges, insns: steps.size };
}

/** Instructions on the longest way from each block to the next check, itself included. */
export function longestWays(region: Region): number[] {
  const { analysis, succ, blocks } = region;
  const way = blocks.map((b) => b.steps.length);
  for (let i = analysis.order.length - 1; i >= 0; i--) {
    const n = analysis.order[i]!;
    let most = 0;
    succ[n]!.forEach((t, k) => {
      if (analysis.cut[n]![k] || analysis.rpo[t]! <= analysis.rpo[n]! || analysis.loopHeader[t] || blocks[t]!.afterCall) return;
      most = Math.max(most, way[t]!);
    });
    way[n] = way[n]! + most;
  }
  return way;
}
