// worker/cpu/jit/steps.ts — instructions as the compiled tier sees them, decoded and summarised, kept for the next region that they are part of.
//
// Much of what is translated has been before: small functions are copied into their callers, and a loop is translated again wherever it is entered.
import { Insn, type Decoder } from "../decode.ts";
import { Places } from "./places.ts";
import { Summaries, type Summary } from "./summary.ts";

export interface Step {
  readonly insn: Insn;
  readonly summary: Summary;
}

/** log2 of how many are kept at most: each has one place, by its address. Half a KiB each. */
const BITS = 13;
/** In `since`: it is kept. */
const KEPT = -1;

/** Those that are kept are of code that compiled regions were made from, so that their end is noticed: see drop. */
export class Steps {
  private readonly decoder: Decoder;
  private readonly limit: number;
  private readonly slots: (Step | undefined)[] = new Array<Step | undefined>(1 << BITS).fill(undefined);
  /** by slot: KEPT, or the search in which it was decoded: it is good for no other */
  private readonly since = new Int32Array(1 << BITS);
  private search = 0;
  private readonly summaries = new Summaries();
  /** for whoever searches */
  readonly places = new Places();

  /** @param limit the end of guest memory */
  constructor(decoder: Decoder, limit: number) {
    this.decoder = decoder;
    this.limit = limit;
  }
  private slot(rip: number): number {
    return Math.imul(rip, 0x9e3779b1) >>> (32 - BITS);
  }
  /** A region is looked for: bytes may have changed since the last one was. */
  begin(): void {
    this.decoder.forget();
    this.search++;
  }
  /** The instruction at rip; undefined: there is none that can be compiled. */
  at(rip: number): Step | undefined {
    if (rip >= this.limit) return undefined;
    const slot = this.slot(rip), known = this.slots[slot], since = this.since[slot]!;
    if (known !== undefined && known.insn.rip === rip && (since === KEPT || since === this.search)) return known;
    const insn = new Insn();
    this.decoder.decode(rip, insn);
    if (insn.length === 0 || insn.shape.definition === undefined) return undefined;
    // a branch to where there cannot be memory: an address is a number here, which would not be exact
    if (insn.immHi !== 0 && insn.shape.form.operands[0]?.kind === "rel") return undefined;
    this.since[slot] = this.search;
    return (this.slots[slot] = { insn, summary: this.summaries.of(insn) });
  }
  /** These belong to a region that is told when its bytes change. */
  keep(steps: readonly Step[]): void {
    for (const step of steps) {
      const slot = this.slot(step.insn.rip);
      this.slots[slot] = step;
      this.since[slot] = KEPT;
    }
  }
  /** Bytes of such a region have changed. */
  drop(ranges: readonly (readonly [number, number])[]): void {
    for (const [start, end] of ranges)
      for (let rip = start; rip < end; rip++) {
        const slot = this.slot(rip);
        if (this.slots[slot]?.insn.rip === rip) this.slots[slot] = undefined;
      }
  }
  clear(): void {
    this.slots.fill(undefined);
    this.summaries.clear();
  }
  /** How many are kept. */
  get size(): number {
    let n = 0;
    for (let i = 0; i < this.slots.length; i++) if (this.slots[i] !== undefined && this.since[i] === KEPT) n++;
    return n;
  }
}
