// worker/cpu/jit/steps.ts — instructions as the compiled tier sees them, decoded and summarised, kept for the next region that they are part of.
//
// Much of what is translated has been before: small functions are copied into their callers, and a loop is translated again wherever it is entered.
import { Insn, type Decoder } from "../decode.ts";
import { summarise, type Summary } from "./summary.ts";

export interface Step {
  readonly insn: Insn;
  readonly summary: Summary;
}

/** Kept at most; then all are forgotten. Half a KiB each. */
const MOST = 8192;

/** Those that are kept are of code that compiled regions were made from, so that their end is noticed: see drop. */
export class Steps {
  private readonly decoder: Decoder;
  private readonly limit: number;
  private readonly kept = new Map<number, Step>();

  /** @param limit the end of guest memory */
  constructor(decoder: Decoder, limit: number) {
    this.decoder = decoder;
    this.limit = limit;
  }
  /** A region is looked for: bytes may have changed since the last one was. */
  begin(): void {
    this.decoder.forget();
  }
  /** The instruction at rip; undefined: there is none that can be compiled. */
  at(rip: number): Step | undefined {
    if (rip >= this.limit) return undefined;
    const known = this.kept.get(rip);
    if (known !== undefined) return known;
    const insn = new Insn();
    this.decoder.decode(rip, insn);
    return insn.length !== 0 && insn.shape.definition !== undefined ? { insn, summary: summarise(insn) } : undefined;
  }
  /** These belong to a region that is told when its bytes change. */
  keep(steps: readonly Step[]): void {
    if (this.kept.size + steps.length > MOST) this.clear();
    for (const step of steps) this.kept.set(step.insn.rip, step);
  }
  /** Bytes of such a region have changed. */
  drop(ranges: readonly (readonly [number, number])[]): void {
    if (this.kept.size === 0) return;
    for (const [start, end] of ranges) for (let rip = start; rip < end; rip++) this.kept.delete(rip);
  }
  clear(): void {
    this.kept.clear();
  }
  get size(): number {
    return this.kept.size;
  }
}
