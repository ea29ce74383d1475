// worker/cpu/door.ts — what is noted of those who come to the door: the last ones, and how often with which rax.
//
// Compiled code notes itself ($door, a function of WebAssembly), so that of a call that nobody watches only its work is left for the kernel.
import { Assembler } from "./build/assembler.ts";
import type { Bytes, WasmType } from "./build/module.ts";
import type { GuestMemory } from "./memory.ts";
import { RAX, ST_CODE_HIT, ST_GPR, ST_LEFT, ST_RETIRED, ST_RFLAGS_SYS, ST_RIP, TF } from "./state.ts";

/** Visits that are remembered, with when they were; those that a snapshot has. */
const KEPT = 4096, SAVED = 16;
/** f64 count of retired instructions, i32 tag, i32 rax */
const ENTRY = 16;
/** What rax is counted for, and quick() is asked for: less than this. */
export const NUMBERS = 512;

// the words of a log, from its start
/** i32: what a visit costs, as if so many instructions had retired; 0: the kernel wants to be asked how to go on ($kernel). */
const COST = 0;
/** i32: what ST_LEFT was when the CPU last counted: less COST for each visit since */
const ENTERED = 4;
/** i32: what ST_LEFT was when the kernel was last told */
const TOLD = 8;
/** i32: noted with each visit */
const TAG = 12;
/** i64: visits so far */
const COUNT = 16;
/** i32: instructions before visits that $door has noted, and how many those were, since somebody accounted for them */
const INSNS = 24, CALLS = 28;
/** i32: not 0: the kernel is to be asked how to go on before anything else */
const ATTEND = 32;
const RING = 64, HISTOGRAM = RING + KEPT * ENTRY, BYTES = HISTOGRAM + 4 * NUMBERS;
/** Instead of a flag record's op: there is nothing to settle. */
const SETTLED = -1;

/** Bytes that a log takes above guest memory. */
export const doorBytes = (): number => BYTES + 64;

/** A log's last visits, as pairs of tag and rax, and its counters. */
export interface SavedDoorLog {
  readonly recent: Int32Array;
  readonly noted: number;
  readonly histogram: Uint32Array;
}

export class DoorLog {
  private readonly i32: Int32Array;
  private readonly base: number;
  private readonly word: number;
  private readonly at: Float64Array;
  /** by rax */
  readonly histogram: Uint32Array;
  /** the first visit whose moment is known */
  private first = 0;

  constructor(mem: GuestMemory) {
    this.base = mem.reserve(BYTES);
    this.word = this.base >>> 2;
    this.i32 = mem.i32;
    this.at = new Float64Array(mem.buffer, this.base + RING, KEPT * (ENTRY >> 3));
    this.histogram = new Uint32Array(mem.buffer, this.base + HISTOGRAM, NUMBERS);
  }

  private get(offset: number): number {
    return this.i32[this.word + (offset >> 2)]!;
  }
  private set(offset: number, value: number): void {
    this.i32[this.word + (offset >> 2)] = value;
  }
  /** ST_LEFT is `left`: all that retired has been counted, and nothing is to be done without asking. */
  begin(left: number): void {
    this.set(COST, 0);
    this.set(ENTERED, left);
    this.set(TOLD, left);
  }
  /** ST_LEFT is `left`, all has been counted and told; visits may be noted by $door now, if `cost` is not 0. */
  open(left: number, cost: number, tag: number): void {
    this.set(COST, cost);
    this.set(ENTERED, left);
    this.set(TOLD, left);
    this.set(TAG, tag);
    this.set(ATTEND, 0);
  }
  get entered(): number {
    return this.get(ENTERED);
  }
  /** Instructions that were counted neither before nor in `calls`. */
  get fresh(): number {
    return this.get(ENTERED) - this.get(TOLD);
  }
  /** Visits that $door has noted, and the instructions before them, since accounted(). */
  get calls(): number {
    return this.get(CALLS);
  }
  get insns(): number {
    return this.get(INSNS);
  }
  accounted(): void {
    this.set(CALLS, 0);
    this.set(INSNS, 0);
  }
  /** Whoever is at the door is to be told how to go on by again(). */
  attend(): void {
    this.set(ATTEND, 1);
  }
  /** Visits so far, through the door or not. */
  get noted(): number {
    return (this.get(COUNT) >>> 0) + this.get(COUNT + 4) * 0x1_0000_0000;
  }
  private set noted(n: number) {
    this.set(COUNT, n | 0);
    this.set(COUNT + 4, Math.floor(n / 0x1_0000_0000));
  }
  /** What $door does, for a visit that it did not see: when `at` instructions had retired, with `rax`. */
  note(at: number, tag: number, rax: number): void {
    const n = this.noted, slot = n % KEPT;
    this.at[2 * slot] = at;
    this.i32[this.word + ((RING + ENTRY * slot) >> 2) + 2] = tag;
    this.i32[this.word + ((RING + ENTRY * slot) >> 2) + 3] = rax;
    if (rax < NUMBERS) this.histogram[rax] = this.histogram[rax]! + 1;
    this.noted = n + 1;
  }
  /** The last visits, as pairs of tag and rax. */
  recent(): Int32Array {
    const n = this.noted, out = new Int32Array(2 * Math.min(n, SAVED));
    for (let i = 0; i < out.length; i++) out[i] = this.i32[this.word + ((RING + ENTRY * ((n - out.length / 2 + (i >> 1)) % KEPT)) >> 2) + 2 + (i & 1)]!;
    return out;
  }
  /** The last visit before instruction `at`: the count just before its own; undefined if it is not remembered. */
  before(at: number): number | undefined {
    const n = this.noted;
    for (let i = n - 1; i >= Math.max(this.first, n - KEPT); i--) if (this.at[2 * (i % KEPT)]! <= at) return this.at[2 * (i % KEPT)]! - 1;
    return undefined;
  }

  save(): SavedDoorLog {
    return { recent: this.recent(), noted: this.noted, histogram: this.histogram.slice() };
  }
  /** The machine is where `retired` instructions have retired, and this was saved there. */
  load({ recent, noted, histogram }: SavedDoorLog, retired: number): void {
    // when they were is known only if the machine has been here before
    const known = noted - this.first, seen = this.noted - noted;
    if (known <= 0 || seen < 0 || seen + 1 >= KEPT || this.at[2 * ((noted - 1) % KEPT)]! > retired || (seen > 0 && this.at[2 * (noted % KEPT)]! <= retired)) this.first = noted;
    this.noted = noted;
    this.histogram.set(histogram);
    for (let i = 0; i < recent.length; i++) this.i32[this.word + ((RING + ENTRY * ((noted - recent.length / 2 + (i >> 1)) % KEPT)) >> 2) + 2 + (i & 1)] = recent[i]!;
  }

  /**
   * $door: (op, result, first, second operand of flags that are not in the state block yet) → 0, and the program goes on behind its vmcall, or 1 and it is left.
   * `state`: address of the state block; functions by number: `settle` ($settle, before anybody can look), `kernel` ($kernel), `quick` (does the work of call
   * rax), `again` (asks how to go on, if that is not plain).
   */
  code(state: number, settle: number, kernel: number, quick: number, again: number): readonly [locals: WasmType[], body: Bytes] {
    const d = this.base, a = new Assembler();
    const [op, cost, nr, left, at, rip] = [0, 4, 5, 6, 7, 8];
    const settled = (): Assembler => a.get(op).const(SETTLED).op(0x47).if().get(op).get(1).get(2).get(3).call(settle).end();
    a.const(0).load64(state + ST_GPR + 8 * RAX).tee(rip).op(0xa7).set(nr); // i32.wrap
    a.const(0).load(d + COST).tee(cost).op(0x45).get(rip).const64(NUMBERS).op(0x5a, 0x72).if(); // i64.ge_u, or
    settled().call(kernel).return().end();
    // the entry of the ring
    a.const(0).load(d + COUNT).const(KEPT - 1).op(0x71).const(4).op(0x74).set(at);
    a.get(at);
    a.const(0).op(0x2b, 3).u32(state + ST_RETIRED); // f64.load
    a.const(0).load(d + ENTERED).const(0).load(state + ST_LEFT).tee(left).op(0x6b, 0xb7, 0xa0); // sub, f64.convert_i32_s, add
    a.op(0x39, 3).u32(d + RING); // f64.store
    a.get(at).const(0).load(d + TAG).store(d + RING + 8);
    a.get(at).get(nr).store(d + RING + 12);
    a.const(0).const(0).load64(d + COUNT).const64(1).op(0x7c).store64(d + COUNT);
    a.get(nr).const(2).op(0x74).tee(at).get(at).load(d + HISTOGRAM).const(1).op(0x6a).store(d + HISTOGRAM);
    // what waits to be accounted for, and what the visit costs
    a.const(0).const(0).load(d + INSNS).const(0).load(d + TOLD).get(left).op(0x6b, 0x6a).store(d + INSNS);
    a.const(0).const(0).load(d + CALLS).const(1).op(0x6a).store(d + CALLS);
    a.get(left).get(cost).op(0x6b).set(left);
    a.const(0).get(left).store(state + ST_LEFT).const(0).get(left).store(d + TOLD);
    a.const(0).const(0).load(d + ENTERED).get(cost).op(0x6b).store(d + ENTERED);
    a.const(0).const(0).store(state + ST_CODE_HIT).const(0).load64(state + ST_RIP).set(rip);
    settled().get(nr).call(quick);
    // something is to be seen to; or elsewhere now, or in other code, or single-stepping
    a.const(0).load(d + ATTEND).const(0).load64(state + ST_RIP).get(rip).op(0x52, 0x72);
    a.const(0).load(state + ST_CODE_HIT).op(0x72).const(0).load(state + ST_RFLAGS_SYS).const(TF).op(0x71, 0x72);
    a.get(left).const(1).op(0x48, 0x72).if(); // i32.lt_s
    a.call(again).return().end();
    a.const(0).op(0x0b);
    return [["i32", "i32", "i32", "i32", "i64"], a.take()];
  }
}
