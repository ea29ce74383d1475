// worker/cpu/jit/finder.ts — the blocks of a region: what is reached from its entry, and the small functions that are copied into it.
import type { Insn } from "../decode.ts";
import { constantTarget, jumpTargets } from "./guess.ts";
import { blockOf, edgeTo, type Block, type Edge, type JumpTable } from "./region.ts";
import type { Places } from "./places.ts";
import type { Step, Steps } from "./steps.ts";
import type { Trail } from "./trail.ts";

/** Instructions in one region at most: what V8 compiles in some ten milliseconds. */
export const MAX_INSNS = 1500;
export const MAX_BLOCKS = 300;

const target = (insn: Insn): number => insn.immLo >>> 0;

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
export const isNop = (insn: Insn): boolean => insn.shape.form.name === "nop";

/** Bits in Finder.marks: a block begins here; behind a call that leaves the region; behind the kernel's door. */
const LEADER = 1, AFTER_CALL = 2, AFTER_DOOR = 4;

/** What the search asks of its surroundings. */
export interface Surroundings {
  readonly memory: DataView;
  /** the end of guest memory */
  readonly limit: number;
  /** code at rip must not be compiled: it is known to change */
  stop(rip: number): boolean;
  /** how often the code at rip was reached */
  heat(rip: number): number;
  /** what has run, if that tells what will: nothing else is part of the region */
  readonly trail: Trail | undefined;
}

/** Finds the blocks of a region. Addresses are places: those of copies, by number. */
export class Finder {
  private readonly places: Places;
  /** by place: its instruction if it is reached; what follows it; where it branches to (-1: nowhere here) */
  readonly steps: (Step | undefined)[] = [];
  private readonly next: number[] = [];
  private readonly taken: number[] = [];
  private readonly marks: number[] = [];
  private leaders = 0;
  private readonly copies: Copy[];
  /** by place of the call: the copy that it calls; with the address that its register must have */
  private readonly calls = new Map<number, { copy: number; guess: number }>();
  /** targets of indirect jumps, by the jump's place; tables whose address a register was given, in the order of decoding */
  private readonly switches = new Map<number, JumpTable>();
  private readonly tables: number[];
  private readonly sizes = new Map<number, number>();
  /** instructions so far but for nops, of which nothing is left */
  weight = 0;
  /** where the function begins */
  private readonly entry: number;
  private readonly source: Steps;
  private readonly around: Surroundings;
  /** what registers may hold where they are called through: as at the entry, or moved from there */
  private readonly values: number[];

  /** `first`: the region's first address, another place that a block begins at. */
  constructor(source: Steps, entry: number, around: Surroundings, registers: readonly number[], first: number) {
    this.source = source;
    this.entry = entry;
    this.around = around;
    this.values = registers.slice();
    this.tables = registers.slice();
    this.copies = [{ entry, depth: 0, caller: -1, returnTo: -1 }];
    this.places = source.places;
    this.places.clear();
    this.leader(this.place(0, entry));
    this.leader(this.place(0, first));
  }

  private place(copy: number, rip: number): number {
    const p = this.places.of(copy, rip);
    if (p === this.marks.length) {
      this.marks.push(0);
      this.steps.push(undefined);
      this.next.push(-1);
      this.taken.push(-1);
    }
    return p;
  }
  private leader(p: number): void {
    if ((this.marks[p]! & LEADER) !== 0) return;
    this.marks[p]! |= LEADER;
    this.leaders++;
  }
  /** The instruction at rip, if it can be compiled. */
  private at(rip: number): Step | undefined {
    return this.around.stop(rip) ? undefined : this.source.at(rip);
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
  /** The copy that a call, the last of `run`, is to go to, if what it calls is worth one. */
  private copyFor(call: number, run: readonly Step[]): number {
    const { insn } = run[run.length - 1]!;
    const o = insn.shape.form.operands[0];
    if (o === undefined) return 0;
    const caller = this.places.copies[call]!, { depth } = this.copies[caller]!;
    const direct = o.kind === "rel", constant = direct ? -1 : constantTarget(run);
    const to = direct ? target(insn) : constant >= 0 ? constant : o.kind === "reg" ? (this.values[insn.reg[0]!] ?? -1) : -1;
    if (to < (constant >= 0 ? 0 : TRAMPOLINE_END) || to >= this.around.limit || (depth >= COPY_DEPTH && to >= TRAMPOLINE_END) || this.weight > COPY_TOTAL || this.around.heat(to) < COPY_HEAT || this.size(to) > (depth === 0 && to !== this.entry ? MAX_FIRST_COPY : MAX_COPY)) return 0;
    const copy = this.copies.push({ entry: to, depth: depth + 1, caller, returnTo: insn.rip + insn.length }) - 1;
    this.calls.set(call, { copy, guess: direct ? -1 : to });
    return copy;
  }

  /** All instructions reachable, and the leaders of blocks. */
  find(): void {
    const { steps, places, around: { limit, trail } } = this;
    const seen = (rip: number): boolean => trail === undefined || trail.begins(rip);
    const work = [0];
    const leader = (p: number): void => {
      this.leader(p);
      work.push(p);
    };
    const run: Step[] = [];
    while (work.length > 0 && this.weight < MAX_INSNS && this.leaders < MAX_BLOCKS) {
      let here = work.pop()!;
      const copy = places.copies[here]!;
      while (run.length > 0) run.pop();
      trail?.begin();
      while (steps[here] === undefined && this.weight < MAX_INSNS) {
        const step = this.at(places.rips[here]!);
        if (step === undefined) break;
        const { insn, summary } = step;
        steps[here] = step;
        if (!isNop(insn)) this.weight++;
        run.push(step);
        trail?.to(insn.rip);
        if (insn.shape.form.name === "lea" && insn.base < 0 && insn.index < 0 && insn.dispHi === 0) this.tables[insn.reg[0]!] = insn.dispLo >>> 0;
        const m = summary.moves;
        for (let i = 0; i < m.length; i += 3) if (m[i + 2] === 0) this.values[m[i]!] = this.values[m[i + 1]!]!;
        const next = (this.next[here] = this.place(copy, insn.rip + insn.length));
        if (summary.ending === "next") {
          here = next;
          continue;
        }
        if (summary.ending === "branch") {
          if (target(insn) < limit && seen(target(insn))) leader((this.taken[here] = this.place(copy, target(insn))));
          if (summary.conditional && (trail === undefined || trail.ranOn() || trail.begins(insn.rip + insn.length))) leader(next);
        } else if (summary.ending === "jump") {
          const constant = constantTarget(run);
          const table = constant < 0 ? jumpTargets(run, this.tables, this.around.memory, limit) : { load: undefined, targets: constant < limit ? [constant] : [] };
          if (table.targets.length > 0) this.switches.set(here, table);
          for (const to of table.targets) if (seen(to)) leader(this.place(copy, to));
        } else if (summary.ending === "call") {
          const called = this.copyFor(here, run);
          if (seen(insn.rip + insn.length)) leader(next);
          if (insn.shape.form.name === "vmcall") this.marks[next]! |= AFTER_DOOR;
          if (called > 0) leader(this.place(called, this.copies[called]!.entry));
          if (called === 0 || this.calls.get(here)!.guess >= 0) this.marks[next]! |= AFTER_CALL;
        }
        break;
      }
    }
  }
  /** Whether the instruction at this address of the function has been reached. */
  reached(rip: number): boolean {
    return this.steps[this.place(0, rip)] !== undefined;
  }

  /** The blocks, that of the entry first, the others by copy and address; with the addresses [first, past the last] of the code of each; and the number of that which begins at `first`. */
  blocks(first: number): { blocks: Block[]; ranges: [number, number][]; start: number } {
    const { steps, marks, places: { copies, rips } } = this;
    const starts: number[] = [];
    for (let p = 1; p < marks.length; p++) if ((marks[p]! & LEADER) !== 0 && steps[p] !== undefined) starts.push(p);
    starts.sort((a, b) => copies[a]! - copies[b]! || rips[a]! - rips[b]!);
    starts.unshift(0);
    /** by place: the block that begins there, or -1 */
    const index = new Int32Array(marks.length).fill(-1);
    starts.forEach((p, i) => (index[p] = i));
    const edge = (p: number): Edge => edgeTo(index[p] ?? -1, rips[p]!);
    const blocks: Block[] = [], ranges: [number, number][] = [];
    for (const start of starts) {
      const block = blockOf(rips[start]!);
      block.afterCall = (marks[start]! & AFTER_CALL) !== 0;
      block.afterDoor = (marks[start]! & AFTER_DOOR) !== 0;
      blocks.push(block);
      let p = start;
      for (;;) {
        const step = steps[p];
        if (step === undefined || (p !== start && index[p]! >= 0)) {
          block.edges = [edge(p)];
          ranges.push([block.rip, rips[p]!]);
          break;
        }
        block.steps.push(step);
        const here = p;
        p = this.next[here]!;
        if (step.summary.ending === "next") continue;
        block.edges = this.edges(block, here, step, edge);
        ranges.push([block.rip, rips[p]!]);
        break;
      }
    }
    return { blocks, ranges, start: index[this.place(0, first)]! };
  }
  /** Where the block goes whose last instruction ends it. */
  private edges(block: Block, here: number, { insn, summary: { ending, conditional } }: Step, edge: (p: number) => Edge): Edge[] {
    const copy = this.places.copies[here]!, next = this.next[here]!;
    if (ending === "branch") {
      const to = this.taken[here]!, taken = to < 0 ? edgeTo(-1, target(insn)) : edge(to);
      return conditional ? [taken, edge(next)] : [taken];
    }
    if (ending === "call") {
      const call = this.calls.get(here);
      const inner = call && edge(this.place(call.copy, this.copies[call.copy]!.entry));
      // what was not found for want of room is called as usual
      if (inner === undefined || inner.block < 0) return [edge(next)];
      block.inline = { guess: call!.guess };
      return call!.guess < 0 ? [inner] : [inner, edge(next)];
    }
    if (ending === "jump" && !(block.afterDoor && copy > 0)) {
      block.table = this.switches.get(here);
      return [...new Set(block.table?.targets)].sort((a, b) => a - b).map((to) => edge(this.place(copy, to))).filter((e) => e.block >= 0);
    }
    if ((ending === "ret" || ending === "jump") && copy > 0) {
      const { caller, returnTo } = this.copies[copy]!;
      return [edge(this.place(caller, returnTo))];
    }
    return [];
  }
}
