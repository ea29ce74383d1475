// worker/cpu/jit/addresses.ts — what is known of addresses while compiling, so that one check does for many accesses.
//
// A value is a symbol plus a constant. A symbol stands for what one register (or one sum of two) held at one point of the code; it never
// changes, so what was checked of it stays true in all code that its block dominates. Which register holds which symbol is followed through
// a block; where ways meet, those keep theirs that are as they were in the immediate dominator (values.ts).
import { CODE_SHIFT } from "../build/wasm.ts";
import { RSP } from "../state.ts";
import type { Block, Region } from "./region.ts";
import type { Summary } from "./summary.ts";
import { OUT, PLUS, VALUES, Values } from "./values.ts";

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

/** [lo, hi) */
interface Range {
  readonly lo: number;
  readonly hi: number;
}
/** What is known at one point. */
interface Known {
  readonly symbols: Int32Array;
  readonly offsets: Float64Array;
  readonly checked: number;
}
/** In `ranges`, for each symbol that has been checked: may be read; may be written as far as its place goes; has no code in it. From where on, to where, each. */
const READ = 0, WRITE = 2, CLEAR = 4, RANGES = 6;
/** In `hints`, for each: what is accessed, what is written. */
const ACCESSED = 0, STORED = 2, HINTS = 4;

function accesses({ steps }: Block): boolean {
  for (let i = 0; i < steps.length; i++) {
    const { summary } = steps[i]!;
    if (summary.accesses.length > 0 || summary.hidden) return true;
  }
  return false;
}

/** Follows addresses through a region that is being emitted, its blocks in an order in which dominators come first. One does for many regions: nothing is made anew for a block. */
export class Addresses {
  private region!: Region;
  private readonly values = new Values();
  /** by block, after its last instruction: registers' symbols and offsets, what has been checked */
  private symbolsAfter = new Int32Array(64 * REGS);
  private offsetsAfter = new Float64Array(64 * REGS);
  private checkedAfter = new Int32Array(64);
  /** by register: value = symbol + offset */
  private readonly symbols = new Int32Array(REGS);
  private readonly offsets = new Float64Array(REGS);
  private readonly sums = new Map<number, number>();
  private next = 1 + REGS;

  // what has been checked: [symbol + lo, symbol + hi), and what was known before of this and other symbols
  private checked = -1;
  private checks = 0;
  private symbolChecked = new Int32Array(256);
  /** addresses that are a multiple of 16, by their low bits, or -1 */
  private alignedChecked = new Int32Array(256);
  private before = new Int32Array(256);
  private ranges = new Float64Array(256 * RANGES);

  // what a block, or what comes behind it, is going to do with symbols
  private hintCount = 0;
  private hintSymbol = new Int32Array(64);
  private hints = new Float64Array(64 * HINTS);
  /** the region writes there in several places, so that all is looked at in the first */
  private often = new Uint8Array(64);
  /** by symbol: where its hint is, if that has this symbol */
  private hintAt = new Int32Array(256);
  /** symbols given to registers by steps of this block: step * REGS + register; what is less than `since`: none */
  private given = new Int32Array(16);
  private since = 0;
  private step = 0;
  /** for look and transfer, which run ahead */
  private readonly symbolsAhead = new Int32Array(REGS);
  private readonly offsetsAhead = new Float64Array(REGS);
  private readonly symbolsBefore = new Int32Array(REGS);
  private readonly offsetsBefore = new Float64Array(REGS);

  reset(region: Region): void {
    this.region = region;
    this.values.find(region);
    const blocks = region.blocks.length;
    if (this.checkedAfter.length < blocks) {
      this.symbolsAfter = new Int32Array(2 * blocks * REGS);
      this.offsetsAfter = new Float64Array(2 * blocks * REGS);
      this.checkedAfter = new Int32Array(2 * blocks);
    }
    if (this.sums.size > 0) this.sums.clear();
    this.given.fill(0);
    this.next = 1 + REGS;
    this.checks = 0;
    this.checkedAtEntry = -1;
  }

  private fresh(): number {
    return this.next++;
  }

  /** what has been looked at where the region is entered */
  private checkedAtEntry = -1;
  /**
   * What to look at where the region is entered: of the stack, if nothing does before a loop in which there are stores. It is taken for checked from then on.
   */
  stackAtEntry(): Range | undefined {
    const { analysis, blocks, loops } = this.region, { values } = this, stack = values.numberOf(RSP);
    if (stack < 0 || values.writes[stack]! < 2 || loops.size === 0 || analysis.loopHeader[0]) return undefined;
    const below = { lo: -BELOW, hi: Math.max(0, values.to[stack]!) };
    if (below.hi - below.lo > MAX_STACK) return undefined;
    if (blocks[0]!.steps.some(({ summary: { accesses: a } }) => a.some((base, i) => i % 6 === 0 && base === RSP))) return undefined;
    const at = this.copy(1 + RSP, -1) * RANGES;
    this.setRange(at + WRITE, below.lo, below.hi);
    this.setRange(at + CLEAR, below.lo, below.hi);
    this.checked = -1;
    this.push();
    this.checkedAtEntry = this.checked;
    return below;
  }

  /** A block begins. */
  begin(n: number): void {
    const { symbols, offsets, values } = this, { analysis, blocks } = this.region, block = blocks[n]!;
    if (n === 0) {
      for (let r = 0; r < REGS; r++) {
        symbols[r] = 1 + r;
        offsets[r] = 0;
      }
      this.checked = this.checkedAtEntry;
    } else {
      const from = analysis.idom[n]!, { symbolsAfter, offsetsAfter } = this, { at, changed } = values;
      for (let r = 0; r < REGS; r++) {
        symbols[r] = symbolsAfter[from * REGS + r]!;
        offsets[r] = offsetsAfter[from * REGS + r]!;
      }
      this.checked = this.checkedAfter[from]!;
      const here = VALUES * n + PLUS, there = VALUES * from + OUT + PLUS;
      if (analysis.merge[n] || analysis.loopHeader[n] || block.afterCall) for (let r = 0; r < REGS; r++) offsets[r]! += at[here + r]! - at[there + r]!;
      this.forget(changed[n]!);
    }
    const most = block.steps.length * REGS;
    if (this.given.length < most) this.given = new Int32Array(2 * most);
    this.since = this.next;
    this.hintCount = this.step = 0;
    // nobody asks for hints where nothing is accessed
    if (!accesses(block)) return;
    this.expectAll(VALUES * n, symbols, offsets);
    this.look(block, VALUES * n + OUT);
  }
  /** Its instructions are done, or all but the last and what that does to registers; may be said again, as more is known. */
  end(n: number): void {
    const { symbols, offsets, symbolsAfter, offsetsAfter } = this;
    for (let r = 0; r < REGS; r++) {
      symbolsAfter[n * REGS + r] = symbols[r]!;
      offsetsAfter[n * REGS + r] = offsets[r]!;
    }
    this.checkedAfter[n] = this.checked;
  }
  /** The next instruction of the block. */
  advance(): void {
    this.step++;
  }
  /** Registers in the mask may hold anything. */
  forget(mask: number): void {
    for (let r = 0, rest = mask; rest !== 0; r++, rest >>>= 1)
      if (rest & 1) {
        this.symbols[r] = this.fresh();
        this.offsets[r] = 0;
      }
  }

  // ---- what a block is going to do

  /** Runs over the block's summaries, notes the ranges, and which symbols registers will get. */
  private look({ steps }: Block, end: number): void {
    const { symbolsAhead, offsetsAhead } = this;
    symbolsAhead.set(this.symbols);
    offsetsAhead.set(this.offsets);
    for (let step = 0; step < steps.length; step++) {
      const { summary } = steps[step]!, a = summary.accesses;
      for (let i = 0; i < a.length; i += 6) this.note(a, i, symbolsAhead, offsetsAhead);
      this.transfer(summary, step, symbolsAhead, offsetsAhead);
    }
    this.expectAll(end, symbolsAhead, offsetsAhead);
  }
  /** What the region does with the values of registers: of more than is sure here, but of what is not far from what is. */
  private expectAll(from: number, symbols: Int32Array, offsets: Float64Array): void {
    const { values } = this, { at } = values;
    if (values.count === 0) return;
    for (let r = 0; r < REGS; r++) {
      const a = values.numberOf(at[from + r]!), symbol = symbols[r]!;
      if (a < 0 || symbol === CONSTANT || values.hi[a]! - values.lo[a]! > MAX_SPAN) continue;
      const by = offsets[r]! - at[from + PLUS + r]!, writes = values.writes[a]!, lo = values.from[a]! + by, hi = values.to[a]! + by;
      const stores = writes > 0 && hi - lo <= MAX_STORES;
      this.expect(symbol, values.lo[a]! + by, values.hi[a]! + by, stores ? lo : 0, stores ? hi : 0, writes > 1);
    }
  }
  private note(a: readonly number[], i: number, symbols: Int32Array, offsets: Float64Array): void {
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
    if (symbol !== CONSTANT) this.expect(symbol, at, at + size, write ? at : 0, write ? at + size : 0, false);
  }
  /** Where in `hints` that of a symbol is, or -1. */
  private hintOf(symbol: number): number {
    if (symbol >= this.hintAt.length) return -1;
    const i = this.hintAt[symbol]!;
    return i < this.hintCount && this.hintSymbol[i] === symbol ? i * HINTS : -1;
  }
  /** [lo, hi) will be accessed, [from, to) written, if that is not empty. */
  private expect(symbol: number, lo: number, hi: number, from: number, to: number, often: boolean): void {
    const known = this.hintOf(symbol), h = known < 0 ? this.newHint(symbol) : known;
    this.joinHint(h + ACCESSED, lo, hi, MAX_SPAN);
    this.joinHint(h + STORED, from, to, MAX_STORES);
    if (often) this.often[h / HINTS] = 1;
  }
  private newHint(symbol: number): number {
    const i = this.hintCount++, h = i * HINTS;
    if (i === this.often.length) {
      this.often = grown(this.often, 2 * i);
      this.hintSymbol = grown(this.hintSymbol, 2 * i);
      this.hints = grown(this.hints, 2 * i * HINTS);
    }
    if (symbol >= this.hintAt.length) this.hintAt = grown(this.hintAt, 2 * symbol);
    this.hintAt[symbol] = i;
    this.hintSymbol[i] = symbol;
    this.often[i] = 0;
    for (let k = 0; k < HINTS; k++) this.hints[h + k] = 0;
    return h;
  }
  /** That range becomes both, if they are close enough for one check; else the second, unless that is empty. */
  private joinHint(at: number, lo: number, hi: number, span: number): void {
    const { hints } = this, oldLo = hints[at]!, oldHi = hints[at + 1]!;
    if (lo === hi && oldLo !== oldHi) return;
    const from = Math.min(oldLo, lo), to = Math.max(oldHi, hi), both = oldLo !== oldHi && to - from <= span;
    hints[at] = both ? from : lo;
    hints[at + 1] = both ? to : hi;
  }
  private transfer({ helper, writes, moves: m }: Summary, step: number, symbols: Int32Array, offsets: Float64Array): void {
    const mask = helper ? 0xffff : writes & 0xffff;
    if (mask === 0) return;
    if (m.length === 3 && !helper && mask === 1 << m[0]!) {
      // one register that becomes another one: the usual case
      const from = m[1]!;
      offsets[m[0]!] = offsets[from]! + m[2]!;
      symbols[m[0]!] = symbols[from]!;
      return;
    }
    // all of them from what was before
    const { symbolsBefore, offsetsBefore } = this, moved = m.length > 0 && !helper;
    if (moved) {
      symbolsBefore.set(symbols);
      offsetsBefore.set(offsets);
    }
    for (let r = 0, rest = mask; rest !== 0; r++, rest >>>= 1)
      if (rest & 1) {
        symbols[r] = this.given[step * REGS + r] = this.fresh();
        offsets[r] = 0;
      }
    if (!moved) return;
    for (let i = 0; i < m.length; i += 3) {
      symbols[m[i]!] = symbolsBefore[m[i + 1]!]!;
      offsets[m[i]!] = offsetsBefore[m[i + 1]!]! + m[i + 2]!;
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
  restore({ symbols, offsets, checked }: Known): void {
    for (let r = 0; r < REGS; r++) if (this.symbols[r] !== symbols[r] || this.offsets[r] !== offsets[r]) this.forget(1 << r);
    this.checked = checked;
  }

  // ---- checks

  /** What check() has found is to be looked at, if anything: a range relative to the address; `write`: writable memory. */
  readonly bounds = { needed: false, lo: 0, hi: 0, write: false };
  readonly stores = { needed: false, lo: 0, hi: 0 };

  /** Where what has been checked of a symbol was noted last, or -1. */
  private find(symbol: number): number {
    const { before, symbolChecked } = this;
    let far = 0;
    for (let c = this.checked; c >= 0 && far < MAX_LOOK; c = before[c]!, far++) if (symbolChecked[c] === symbol) return c;
    return -1;
  }
  /** The constant addresses [lo, hi) have been looked up in the code map. */
  private isClear(lo: number, hi: number): boolean {
    let far = 0;
    for (let c = this.checked; c >= 0 && far < MAX_LOOK; c = this.before[c]!, far++) if (this.symbolChecked[c] === CONSTANT && this.covers(c * RANGES + CLEAR, lo, hi)) return true;
    return false;
  }
  private covers(range: number, lo: number, hi: number): boolean {
    return this.ranges[range]! <= lo && hi <= this.ranges[range + 1]!;
  }
  private setRange(range: number, lo: number, hi: number): void {
    this.ranges[range] = lo;
    this.ranges[range + 1] = hi;
  }
  /** What is known of a symbol, by `known` (-1: nothing), is put down once more, to be changed. Its number; nobody finds it before push(). */
  private copy(symbol: number, known: number): number {
    const i = this.checks;
    if (i === this.before.length) {
      this.before = grown(this.before, 2 * i);
      this.symbolChecked = grown(this.symbolChecked, 2 * i);
      this.alignedChecked = grown(this.alignedChecked, 2 * i);
      this.ranges = grown(this.ranges, 2 * i * RANGES);
    }
    this.symbolChecked[i] = symbol;
    this.alignedChecked[i] = known < 0 ? -1 : this.alignedChecked[known]!;
    for (let k = 0; k < RANGES; k++) this.ranges[i * RANGES + k] = known < 0 ? 0 : this.ranges[known * RANGES + k]!;
    return i;
  }
  private push(): void {
    this.before[this.checks] = this.checked;
    this.checked = this.checks++;
  }
  /** What is left to check before `size` bytes at symbol + offset are read or written, in `bounds` and `stores`; it is taken for checked from then on. */
  check(symbol: number, offset: number, size: number, write: boolean): void {
    const { bounds, stores } = this, lo = offset, hi = offset + size;
    const at = this.copy(symbol, this.find(symbol)) * RANGES, { hints } = this, hint = this.hintOf(symbol);
    bounds.needed = stores.needed = false;
    // the stack is writable, and a little more of it will be written soon
    const sp = this.offsets[RSP]!, stack = symbol === this.symbols[RSP] && symbol !== CONSTANT && Math.abs(lo - sp) < MAX_STORES;
    /** what will be written, if any is */
    const later = hint < 0 ? 0 : hints[hint + STORED]!, end = hint < 0 ? 0 : hints[hint + STORED + 1]!;
    if (!this.covers(at + WRITE, lo, hi) && (write || !this.covers(at + READ, lo, hi))) {
      let from = lo, to = hi;
      if (hint >= 0 && hints[hint]! !== hints[hint + 1]!) {
        const first = Math.min(hints[hint]!, lo), last = Math.max(hints[hint + 1]!, hi);
        if (last - first <= MAX_SPAN) {
          from = first;
          to = last;
        }
      }
      if (stack && to - (sp - BELOW) <= MAX_SPAN) from = Math.min(sp - BELOW, from);
      // a block that also writes close by wants it writable at once
      const forWrite = write || stack || (later !== end && from <= later && end <= to);
      bounds.needed = true;
      bounds.lo = from - offset;
      bounds.hi = to - offset;
      bounds.write = forWrite;
      this.setRange(at + (forWrite ? WRITE : READ), from, to);
    }
    // what is written in several places later on is looked at here, if the check is for writing anyway
    const early = !write && bounds.needed && bounds.write && hint >= 0 && this.often[hint / HINTS] !== 0 && this.covers(at + WRITE, later, end);
    if (write && symbol === CONSTANT) {
      // the place is known, so what the map says of it is known for all of its granule
      const start = Math.floor(lo / GRANULE) * GRANULE, all = hi <= start + GRANULE;
      if (!this.isClear(lo, hi)) this.clear(at, offset, lo, hi, all ? start : lo, all ? start + GRANULE : hi);
    } else if (early && !this.covers(at + CLEAR, later, end)) this.clear(at, offset, later, end, later, end);
    else if (write && !this.covers(at + CLEAR, lo, hi)) {
      let from = lo, to = hi;
      if (later !== end) {
        const first = Math.min(later, lo), last = Math.max(end, hi);
        if (last - first <= MAX_STORES && this.covers(at + WRITE, first, last)) {
          from = first;
          to = last;
        }
      }
      if (stack) {
        const first = Math.min(sp - BELOW, from);
        if (to - first <= MAX_STACK && this.covers(at + WRITE, first, to)) from = first;
      }
      this.clear(at, offset, from, to, from, to);
    }
    if (bounds.needed || stores.needed) this.push();
  }
  /** [lo, hi) is to be looked up in the code map; then there is no code in [from, to). */
  private clear(at: number, offset: number, lo: number, hi: number, from: number, to: number): void {
    this.stores.needed = true;
    this.stores.lo = lo - offset;
    this.stores.hi = hi - offset;
    this.setRange(at + CLEAR, from, to);
  }
  /** Whether symbol + offset is known to be a multiple of 16; from then on it is. */
  align(symbol: number, offset: number): boolean {
    const known = this.find(symbol), low = ((offset % 16) + 16) % 16;
    if (known >= 0 && this.alignedChecked[known] === low) return true;
    this.alignedChecked[this.copy(symbol, known)] = low;
    this.push();
    return false;
  }
}

/** The same with room for so many. */
function grown<T extends Int32Array | Float64Array | Uint8Array>(list: T, length: number): T {
  const bigger = new (list.constructor as new (length: number) => T)(length);
  bigger.set(list);
  return bigger;
}
