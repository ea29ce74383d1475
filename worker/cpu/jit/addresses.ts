// worker/cpu/jit/addresses.ts — what is known of addresses while compiling, so that one check does for many accesses.
//
// A value is a symbol plus a constant. A symbol stands for what one register (or one sum of two) held at one point of the code; it never
// changes, so what was checked of it stays true in all code that its block dominates. Which register holds which symbol is followed through
// a block; where ways meet, those keep theirs that are as they were in the immediate dominator (values.ts).
import { CODE_SHIFT } from "../build/wasm.ts";
import { RSP } from "../state.ts";
import type { Block, Region } from "./region.ts";
import type { Summary } from "./summary.ts";
import { OUT, PLUS, VALUES, valuesOf, type Values } from "./values.ts";

const REGS = 16;
/** How far back it is looked for what was checked. Further, it is taken for lost. */
const MAX_LOOK = 64;
/** The symbol of constants: zero. Registers are 1 + n at the entry. */
export const CONSTANT = 0;
/** Bytes that one check covers at most. */
const MAX_SPAN = 2048;
/** A store test looks at two bytes of the code map: so far apart may the first and the last byte be. At four bytes if it is the stack's. */
export const MAX_STORES = 257;
export const MAX_STACK = 769;
/** Bytes below rsp that are looked at with the first store there: for pushes and calls to come. */
const BELOW = 480;
/** Bytes of memory for one of the code map. */
const GRANULE = 1 << CODE_SHIFT;

/** [symbol + lo, symbol + hi) has been checked; and what was known before of this and other symbols. */
interface Checked {
  readonly symbol: number;
  /** may be read; may be written as far as its place goes; has no code in it; addresses that are a multiple of 16, by their low bits, or -1 */
  readonly read: Range;
  readonly write: Range;
  readonly clear: Range;
  readonly aligned: number;
  readonly before: Checked | undefined;
}
interface Range {
  readonly lo: number;
  readonly hi: number;
}
const NONE: Range = { lo: 0, hi: 0 };
const covers = (r: Range, lo: number, hi: number): boolean => r.lo <= lo && hi <= r.hi;
/** Both, if they are close enough for one check; else the second. */
function join(a: Range, b: Range, span: number): Range {
  if (a.lo === a.hi) return b;
  if (b.lo === b.hi) return a;
  const lo = Math.min(a.lo, b.lo), hi = Math.max(a.hi, b.hi);
  return hi - lo <= span ? { lo, hi } : b;
}

/** What a block, or what comes behind it, is going to do with a symbol. */
interface Hint {
  all: Range;
  stores: Range;
  /** the region writes there in several places, so that all is looked at in the first */
  often: boolean;
}

/** What is known at one point. */
interface Known {
  readonly symbols: readonly number[];
  readonly offsets: readonly number[];
  readonly checked: Checked | undefined;
}

/** What a check is to look at: ranges from the address on; undefined: nothing. `write`: writable memory. */
export interface Check {
  bounds?: Range & { readonly write: boolean };
  stores?: Range;
}

/** Follows addresses through a region that is being emitted, its blocks in an order in which dominators come first. */
export class Addresses {
  private readonly region: Region;
  /** by block, after its last instruction */
  private readonly after: Known[] = [];
  private readonly values: Values;
  /** by register: value = symbol + offset */
  private symbols: number[] = [];
  private offsets: number[] = [];
  private checked: Checked | undefined;
  private readonly sums = new Map<number, number>();
  private next = 1 + REGS;
  private hints = new Map<number, Hint>();
  /** symbols given to registers by steps of this block: step * REGS + register; what is less than `since`: none */
  private given = new Int32Array(16);
  private since = 0;
  private step = 0;

  constructor(region: Region) {
    this.region = region;
    this.values = valuesOf(region);
  }

  private fresh(): number {
    return this.next++;
  }

  /** what has been looked at where the region is entered */
  private before: Checked | undefined;
  /**
   * What to look at where the region is entered: of the stack, if nothing does before a loop in which there are stores. It is taken for checked from then on.
   */
  stackAtEntry(): Range | undefined {
    const { analysis, blocks, loops } = this.region, stack = this.values.accessed.get(RSP), below = { lo: -BELOW, hi: Math.max(0, stack?.to ?? 0) };
    if (stack === undefined || stack.writes < 2 || loops.size === 0 || analysis.loopHeader[0] || below.hi - below.lo > MAX_STACK) return undefined;
    if (blocks[0]!.steps.some(({ summary: { accesses: a } }) => a.some((base, i) => i % 6 === 0 && base === RSP))) return undefined;
    this.before = { symbol: 1 + RSP, read: NONE, write: below, clear: below, aligned: -1, before: undefined };
    return below;
  }

  /** A block begins. */
  begin(n: number): void {
    const { analysis, blocks } = this.region;
    const block = blocks[n]!;
    if (n === 0) {
      for (let r = 0; r < REGS; r++) {
        this.symbols[r] = 1 + r;
        this.offsets[r] = 0;
      }
      this.checked = this.before;
    } else {
      const from = this.after[analysis.idom[n]!]!;
      this.symbols = from.symbols.slice();
      this.offsets = from.offsets.slice();
      this.checked = from.checked;
      const { changed, at } = this.values, here = VALUES * n + PLUS, there = VALUES * analysis.idom[n]! + OUT + PLUS;
      if (analysis.merge[n] || analysis.loopHeader[n] || block.afterCall) for (let r = 0; r < REGS; r++) this.offsets[r]! += at[here + r]! - at[there + r]!;
      this.forget(changed[n]!);
    }
    const most = block.steps.length * REGS;
    if (this.given.length < most) this.given = new Int32Array(2 * most);
    this.since = this.next;
    if (this.hints.size > 0) this.hints.clear();
    this.expectAll(VALUES * n, this.symbols, this.offsets);
    if (block.steps.length > 0) this.look(block, VALUES * n + OUT);
    this.step = 0;
  }
  /** Its instructions are done, or all but the last; what that does to registers is noted, too. */
  end(n: number): void {
    this.after[n] = { symbols: this.symbols, offsets: this.offsets, checked: this.checked };
  }
  /** The next instruction of the block. */
  advance(): void {
    this.step++;
  }
  /** Registers in the mask may hold anything. */
  forget(mask: number): void {
    for (let r = 0; r < REGS; r++)
      if ((mask >>> r) & 1) {
        this.symbols[r] = this.fresh();
        this.offsets[r] = 0;
      }
  }

  // ---- what a block is going to do

  /** Runs over the block's summaries, notes the ranges, and which symbols registers will get. */
  private look(block: Block, end: number): void {
    const symbols = this.symbols.slice(), offsets = this.offsets.slice();
    let step = 0;
    for (const { summary } of block.steps) {
      const a = summary.accesses;
      for (let i = 0; i < a.length; i += 6) this.note(a, i, symbols, offsets);
      this.transfer(summary, step++, symbols, offsets);
    }
    this.expectAll(end, symbols, offsets);
  }
  /** What the region does with the values of registers: of more than is sure here, but of what is not far from what is. */
  private expectAll(from: number, symbols: readonly number[], offsets: readonly number[]): void {
    const { accessed, at } = this.values;
    if (accessed.size === 0) return;
    for (let r = 0; r < REGS; r++) {
      const a = accessed.get(at[from + r]!), symbol = symbols[r]!;
      if (a === undefined || symbol === CONSTANT || a.hi - a.lo > MAX_SPAN) continue;
      const by = offsets[r]! - at[from + PLUS + r]!, all = { lo: a.lo + by, hi: a.hi + by };
      const stores = a.writes === 0 || a.to - a.from > MAX_STORES ? NONE : { lo: a.from + by, hi: a.to + by }, hint = this.hints.get(symbol);
      if (hint === undefined) this.hints.set(symbol, { all, stores, often: a.writes > 1 });
      else {
        hint.all = join(hint.all, all, MAX_SPAN);
        hint.stores = join(hint.stores, stores, MAX_STORES);
        hint.often ||= a.writes > 1;
      }
    }
  }
  private note(a: readonly number[], i: number, symbols: number[], offsets: number[]): void {
    const base = a[i]!, index = a[i + 1]!, scale = a[i + 2]!, size = a[i + 4]!, write = (a[i + 5]! & 1) !== 0;
    let symbol = CONSTANT, at = a[i + 3]!;
    if (base >= 0) {
      symbol = symbols[base]!;
      at += offsets[base]!;
    }
    if (index >= 0) {
      symbol = this.sum(symbol, symbols[index]!, scale);
      at += offsets[index]! * (1 << scale);
    }
    if (symbol === CONSTANT) return;
    const range = { lo: at, hi: at + size };
    const hint = this.hints.get(symbol);
    if (hint === undefined) this.hints.set(symbol, { all: range, stores: write ? range : NONE, often: false });
    else {
      hint.all = join(hint.all, range, MAX_SPAN);
      if (write) hint.stores = join(hint.stores, range, MAX_STORES);
    }
  }
  private transfer(summary: Summary, step: number, symbols: number[], offsets: number[]): void {
    const mask = summary.helper ? 0xffff : summary.writes & 0xffff;
    if (mask === 0) return;
    const m = summary.moves;
    if (m.length === 3 && !summary.helper && mask === 1 << m[0]!) {
      // one register that becomes another one: the usual case
      const from = m[1]!;
      offsets[m[0]!] = offsets[from]! + m[2]!;
      symbols[m[0]!] = symbols[from]!;
      return;
    }
    // all of them from what was before
    const before = m.length > 0 ? { symbols: symbols.slice(), offsets: offsets.slice() } : undefined;
    for (let r = 0; r < REGS; r++)
      if ((mask >>> r) & 1) {
        symbols[r] = this.given[step * REGS + r] = this.fresh();
        offsets[r] = 0;
      }
    if (before === undefined || summary.helper) return;
    for (let i = 0; i < m.length; i += 3) {
      symbols[m[i]!] = before.symbols[m[i + 1]!]!;
      offsets[m[i]!] = before.offsets[m[i + 1]!]! + m[i + 2]!;
    }
  }

  // ---- values

  symbolOf(r: number): number {
    return this.symbols[r]!;
  }
  offsetOf(r: number): number {
    return this.offsets[r]!;
  }
  /** The symbol of a + (b << scale). */
  sum(a: number, b: number, scale: number): number {
    const key = (a * 0x200000 + b) * 4 + scale;
    let s = this.sums.get(key);
    if (s === undefined) this.sums.set(key, (s = this.fresh()));
    return s;
  }
  /** Register r is written: with symbol + offset, or (-1) with something else. */
  set(r: number, symbol: number, offset: number): void {
    if (symbol < 0) {
      const at = this.step * REGS + r;
      symbol = this.given[at]!;
      if (symbol < this.since) symbol = this.fresh();
      // a second value within one instruction is another one
      this.given[at] = 0;
      offset = 0;
    }
    this.symbols[r] = symbol;
    this.offsets[r] = offset;
  }
  /** Around code that may be left out: what is known before. */
  save(): Known {
    return { symbols: this.symbols.slice(), offsets: this.offsets.slice(), checked: this.checked };
  }
  /** That code is behind: what it did to registers is not known, what it checked may not have been. */
  restore(k: Known): void {
    for (let r = 0; r < REGS; r++)
      if (this.symbols[r] !== k.symbols[r] || this.offsets[r] !== k.offsets[r]) this.forget(1 << r);
    this.checked = k.checked;
  }

  // ---- checks

  private find(symbol: number): Checked | undefined {
    let far = 0;
    for (let c = this.checked; c !== undefined && far < MAX_LOOK; c = c.before, far++) if (c.symbol === symbol) return c;
    return undefined;
  }
  /** The constant addresses [lo, hi) have been looked up in the code map. */
  private isClear(lo: number, hi: number): boolean {
    let far = 0;
    for (let c = this.checked; c !== undefined && far < MAX_LOOK; c = c.before, far++) if (c.symbol === CONSTANT && covers(c.clear, lo, hi)) return true;
    return false;
  }
  /** What is left to check before `size` bytes at symbol + offset are read or written; it is taken for checked from then on. Ranges are relative to the address. */
  check(symbol: number, offset: number, size: number, write: boolean): Check {
    const lo = offset, hi = offset + size, out: Check = {};
    const c = this.find(symbol), hint = this.hints.get(symbol);
    let { read, write: writable, clear } = c ?? { read: NONE, write: NONE, clear: NONE };
    const here = { lo, hi };
    // the stack is writable, and a little more of it will be written soon
    const stack = symbol === this.symbols[RSP] && symbol !== CONSTANT && Math.abs(lo - this.offsets[RSP]!) < MAX_STORES, below = this.offsets[RSP]! - BELOW;
    if (!covers(writable, lo, hi) && (write || !covers(read, lo, hi))) {
      // a block that also writes close by wants it writable at once
      const stores = hint !== undefined && hint.stores.lo !== hint.stores.hi;
      let range = here;
      if (hint !== undefined) {
        const all = join(hint.all, here, MAX_SPAN);
        if (covers(all, lo, hi)) range = all;
      }
      if (stack && range.hi - below <= MAX_SPAN) range = { lo: Math.min(below, range.lo), hi: range.hi };
      const forWrite = write || stack || (stores && covers(range, hint.stores.lo, hint.stores.hi));
      out.bounds = { lo: range.lo - offset, hi: range.hi - offset, write: forWrite };
      if (forWrite) writable = range;
      else read = range;
    }
    // what is written in several places later on is looked at here, if the check is for writing anyway
    const early = !write && out.bounds?.write === true && hint?.often === true && covers(writable, hint.stores.lo, hint.stores.hi);
    if (write && symbol === CONSTANT) {
      // the place is known, so what the map says of it is known for all of its granule
      const start = Math.floor(lo / GRANULE) * GRANULE;
      if (!this.isClear(lo, hi)) {
        out.stores = { lo: 0, hi: size };
        clear = hi <= start + GRANULE ? { lo: start, hi: start + GRANULE } : here;
      }
    } else if (early && !covers(clear, hint.stores.lo, hint.stores.hi)) {
      out.stores = { lo: hint.stores.lo - offset, hi: hint.stores.hi - offset };
      clear = hint.stores;
    } else if (write && !covers(clear, lo, hi)) {
      let range = here;
      if (hint !== undefined) {
        const all = join(hint.stores, here, MAX_STORES);
        if (covers(all, lo, hi) && (covers(writable, all.lo, all.hi))) range = all;
      }
      if (stack) {
        const all = { lo: Math.min(below, range.lo), hi: range.hi };
        if (all.hi - all.lo <= MAX_STACK && covers(writable, all.lo, all.hi)) range = all;
      }
      out.stores = { lo: range.lo - offset, hi: range.hi - offset };
      clear = range;
    }
    if (out.bounds !== undefined || out.stores !== undefined)
      this.checked = { symbol, read, write: writable, clear, aligned: c?.aligned ?? -1, before: this.checked };
    return out;
  }
  /** Whether symbol + offset is known to be a multiple of 16; from then on it is. */
  align(symbol: number, offset: number): boolean {
    const c = this.find(symbol), low = ((offset % 16) + 16) % 16;
    if (c?.aligned === low) return true;
    this.checked = { symbol, read: c?.read ?? NONE, write: c?.write ?? NONE, clear: c?.clear ?? NONE, aligned: low, before: this.checked };
    return false;
  }
}
