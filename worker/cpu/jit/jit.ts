// worker/cpu/jit/jit.ts — the compiled tier as a whole: what is compiled when, where it is found, and how it goes away.
//
// The interpreter counts how often branch targets are reached; one that is hot is compiled together with the functions that it calls, as
// one module. Compiled code is entered from the record of its first instruction ($enter) and finds other compiled code by
// a word per known target (its table slot, or 0) or, for indirect jumps, in a direct-mapped table by address. When bytes that a region was
// made from change, its words become 0: nobody enters it any more, and code that is inside leaves after the instruction.

import type { Decoder } from "../decode.ts";
import { Assembler } from "../build/assembler.ts";
import type { WasmType } from "../build/module.ts";
import { Bytes, ModuleWriter } from "../build/module.ts";
import { NEXT_STOP, REC_HOT, REC_RIP, SHAPE } from "../build/shape.ts";
import type { WasmLayout } from "../build/wasm.ts";
import { IMPORTS } from "../build/imports.ts";
import { CODE_SHIFT } from "../build/wasm.ts";
import type { CompiledCode, Compiler } from "../block.ts";
import type { Interpreter } from "../interp.ts";
import { FN_ENTER } from "../core.ts";
import { RSP, ST_DEPTH, ST_EXIT, ST_GPR, ST_LEFT } from "../state.ts";
import { RegionBuilder } from "./emit.ts";
import { settleFunction } from "./flag_record.ts";
import { Callees } from "./callees.ts";
import type { DoorLog } from "../door.ts";
import { Functions } from "./functions.ts";
import type { Links } from "./links.ts";
import { JUMP_ENTRIES } from "./links.ts";
import type { Surroundings } from "./finder.ts";
import type { Region } from "./region.ts";
import { discover } from "./region.ts";
import { Steps } from "./steps.ts";
import { Trail } from "./trail.ts";

/** Bit of ST_EXIT: compiled code has counted the instruction that left. */
export const EXIT_COUNTED = 0x1000;
/** Regions at a time. */
const MAX_REGIONS = 16384;
const WORDS = 65536;
/** Bytes of modules at a time: what the engine makes of them is several times that. */
const MAX_BYTES = 24 << 20;
/** Vectors that compiled loops keep in locals. */
const CONSTANTS = 64;
/** Regions and instructions in one module at most, beyond the first region. */
const BATCH_REGIONS = 12, BATCH_INSNS = 2000;
/** A function that is called is compiled along with its caller from so many times on that it was reached. */
const WARM = 1000;
/** A small function that is compiled elsewhere is compiled again in the module of a caller: calls within a module are quick. So often, and up to this size. */
const MAX_COPIES = 3, MAX_COPIED = 150;
/** A region is compiled once more with one that it goes through, if by now it calls what is called often: up to this size, and if it begins in the same 2^n bytes. */
const MAX_RENEWED = 1000, RENEWED_SHIFT = 12;
/** A function that was called so often is compiled from its beginning, if a place in it is hot: or so often, if that is part of a region by now. */
const OFTEN = 4000, CALLED = 250;
/** A place in the middle of a region has to be hot once more for each so many of its instructions before a region begins there. */
const PATIENCE = 64;
/** A region of less than that is not without what has not run yet, if it is less than twice that with it. */
const SMALL = 50;
/** Addresses that regions have left out and may take in, at most; places that wait. */
const MAX_NOTED = 16384;
/** Calls of a region, when it was compiled, of what was seldom called; its instructions. */
interface Cold {
  readonly calls: readonly number[];
  readonly insns: number;
}
/**
 * Times in a row that code may change soon after it was compiled, before it is left to the interpreter: SHORT_LIFE instructions later is soon.
 * A program that ran for longer and was replaced by another one's execve is nothing of that kind.
 */
const MAX_CHANGES = 10, SHORT_LIFE = 500_000;

/** The type of a region's function. */
const REGION = ModuleWriter.key([], ["i64"]);

/** Bytes that the compiled tier takes above guest memory. */
export function jitBytes(): number {
  return 4 * WORDS + 8 * JUMP_ENTRIES + 16 * CONSTANTS + 256;
}

/** What translating is made of, in this order. */
export const STAGES = ["find", "analyse", "emit", "module", "engine: module", "engine: instance", "link"] as const;
export type Stage = (typeof STAGES)[number];

/** What the compiled tier asks of its CPU. */
export interface JitHost {
  /** instructions retired so far, also while generated code runs */
  retiredNow(): number;
  readonly door: number;
  readonly log: DoorLog;
  /** `$kernel`, `$quick` and `$again` of IMPORTS */
  knock(): number;
  quick(rax: number): void;
  again(): number;
}

/** The same addresses in as few ranges as there can be, ascending: a region has many copies of some blocks, and most lie side by side. */
function united(ranges: Region["ranges"]): Region["ranges"] {
  const out: [number, number][] = [];
  for (const [start, end] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = out[out.length - 1];
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else if (end > start) out.push([start, end]);
  }
  return out;
}

/** A region's function: bytes [from, to) of the code of its module, its locals, and where in the code branches are seldom taken. */
interface Made {
  readonly region: Region;
  readonly from: number;
  readonly to: number;
  readonly locals: readonly WasmType[];
  readonly unlikely: readonly number[];
}

/** One region that has been compiled. */
class Compiled implements CompiledCode {
  readonly entry: number;
  readonly slot: number;
  private readonly jit: Jit;
  /** the code that it was made from, each byte once */
  readonly ranges: Region["ranges"];
  /** the module that it is in, for who wants to look at it */
  readonly module: Uint8Array<ArrayBuffer>;
  /** the code that it was made from, range after range */
  private readonly source: Uint8Array;
  dead = false;
  readonly copies: number;
  readonly insns: number;
  /** instructions that the machine had retired when this was compiled */
  readonly born: number;
  constructor(jit: Jit, region: Region, slot: number, memory: Uint8Array, copies: number, module: Uint8Array<ArrayBuffer>) {
    this.copies = copies;
    this.insns = region.insns;
    this.module = module;
    this.born = jit.host.retiredNow();
    this.jit = jit;
    this.entry = region.entry;
    this.slot = slot;
    this.ranges = united(region.ranges);
    this.source = new Uint8Array(this.ranges.reduce((n, [start, end]) => n + end - start, 0));
    let at = 0;
    for (const [start, end] of this.ranges) {
      this.source.set(memory.subarray(start, end), at);
      at += end - start;
    }
  }
  /** Is the code in memory what this was made from? */
  matches(memory: Uint8Array): boolean {
    let at = 0;
    for (const [start, end] of this.ranges)
      for (let a = start; a < end; a++) if (memory[a] !== this.source[at++]) return false;
    return true;
  }
  watch(interpreter: Interpreter): void {
    for (const [start, end] of this.ranges) interpreter.code.watch(start, end, this);
  }
  kill(): void {
    if (!this.dead) this.jit.remove(this);
  }
}

export class Jit implements Compiler {
  readonly host: JitHost;
  private readonly interpreter: Interpreter;
  private readonly steps: Steps;
  private readonly links: Links;
  private readonly table: WebAssembly.Table;
  private readonly words: number;
  private readonly constants: number;
  /** addresses of vectors that do not change, by their bytes */
  private readonly constantOf = new Map<string, number>();
  private readonly callees: Callees;
  private readonly wordOf = new Map<number, number>();
  private readonly regions = new Map<number, Compiled>();
  /** regions whose code has been written to, the last one of each entry: the same code may come back */
  private readonly old = new Map<number, Compiled>();
  private nextSlot = 1;
  /** bytes of modules since the last flush, and how many there may be (less only in a test) */
  bytes = 0;
  mostBytes = MAX_BYTES;
  private readonly functions: Functions;
  /** slots of the module being written, by entry */
  private readonly near = new Map<number, number>();
  /** by granule of guest memory: how often in a row compiled code there was written to soon */
  private readonly changes = new Map<number, number>();
  /** A benchmark's: told whenever a stage of translating is done. */
  lap: (stage: Stage) => void = () => {};
  /** Counted for tests and benchmarks. */
  readonly counters = { regions: 0, modules: 0, insns: 0, bytes: 0, removed: 0, revived: 0, flushes: 0, refused: 0 };

  constructor(layout: WasmLayout, interpreter: Interpreter, decoder: Decoder, host: JitHost) {
    this.host = host;
    this.interpreter = interpreter;
    this.steps = new Steps(decoder, layout.mem.size);
    this.words = layout.mem.reserve(4 * WORDS);
    const jumps = layout.mem.reserve(8 * JUMP_ENTRIES);
    this.functions = new Functions(layout.mem);
    this.constants = layout.mem.reserve(16 * CONSTANTS);
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: MAX_REGIONS, maximum: MAX_REGIONS });
    const firstSlot = (): number => this.nextSlot;
    this.links = { mem: layout.mem, state: layout.state, codeMap: layout.codeMap, jumps, get door() { return host.door; }, constant: (bytes) => this.constant(bytes), slotOf: (rip) => this.word(rip), nearSlot: (rip) => this.near.get(rip) ?? 0, get firstSlot() { return firstSlot(); }, typeOf: (name) => this.callees.type(name) };
    this.builder = new RegionBuilder(this.links);
    this.clearJumps();
    this.callees = new Callees(layout.mem.memory, { ...interpreter.imports, ...this.buildEntry() });
    interpreter.compiler = this;
  }

  private clearJumps(): void {
    // a guest address that cannot be
    this.links.mem.u32.fill(0xffffffff, this.links.jumps >>> 2, (this.links.jumps >>> 2) + 2 * JUMP_ENTRIES);
    for (let i = 0; i < JUMP_ENTRIES; i++) this.links.mem.u32[(this.links.jumps >>> 2) + 2 * i + 1] = 0;
  }
  private word(rip: number): number {
    let w = this.wordOf.get(rip);
    if (w === undefined) {
      w = this.words + 4 * this.wordOf.size;
      this.wordOf.set(rip, w);
    }
    return w;
  }

  private constant(bytes: readonly number[]): number {
    const key = bytes.join();
    let at = this.constantOf.get(key) ?? 0;
    if (at === 0 && this.constantOf.size < CONSTANTS) {
      at = this.constants + 16 * this.constantOf.size;
      this.links.mem.u8.set(bytes, at);
      this.constantOf.set(key, at);
    }
    return at;
  }

  /** the functions of the module being written, one after the other; and what puts it together */
  private readonly code = new Bytes(1 << 16);
  private readonly builder: RegionBuilder;
  private readonly module = new ModuleWriter(1 << 16);
  private writer(w = new ModuleWriter()): ModuleWriter {
    const { mem } = this.links;
    w.importMemory("m", mem.buffer.byteLength / 65536, mem.shared);
    return w;
  }
  private instantiate(bytes: Uint8Array<ArrayBuffer>, imports: Record<string, WebAssembly.ImportValue>): WebAssembly.Exports {
    this.counters.modules++;
    this.counters.bytes += bytes.length;
    const module = new WebAssembly.Module(bytes);
    this.lap("engine: module");
    const { exports } = new WebAssembly.Instance(module, { e: imports });
    this.lap("engine: instance");
    return exports;
  }

  /**
   * The function of records that enter compiled code: (record, left) → next record, as any shape function; and $region. Only this instance
   * imports the tables: V8 gives each one that does a copy of the whole, and goes through all of them at each change.
   */
  private buildEntry(): WebAssembly.Exports {
    const w = this.writer();
    w.importTable("t", this.interpreter.table.length);
    w.importTable("r", MAX_REGIONS);
    const lookup = w.importFunction("$lookup_hot", ["i64"], ["i32"]);
    const [kernel, quick, again] = (["$kernel", "$quick", "$again"] as const).map((name) => w.importFunction(name, ...IMPORTS[name]!));
    const shape = w.type(...SHAPE);
    const s = this.links.state;
    const a = new Assembler();
    // locals: 2 rip after, 3 next record
    a.const(0).get(1).store(s + ST_LEFT).const(0).const(0).store(s + ST_EXIT).const(0).const(0).store(s + ST_DEPTH);
    a.get(0).load(REC_HOT).const(0xffff).op(0x71).callIndirect(w.type([], ["i64"]), 1).set(2);
    a.get(2).get(0).load64u32(REC_RIP).op(0x51).const(0).load(s + ST_LEFT).get(1).op(0x46, 0x71).if();
    // too little left for a whole block: one instruction at a time
    a.get(0).get(1).get(0).load(REC_HOT).const(16).op(0x76).returnCallIndirect(shape).end();
    const counted = (): Assembler => a.const(0).const(0).load(s + ST_EXIT).const(EXIT_COUNTED).op(0x72).store(s + ST_EXIT).const(NEXT_STOP).const(0).load(s + ST_LEFT).return();
    a.get(2).const64(-1).op(0x51).const(0).load(s + ST_EXIT).const(0).op(0x47, 0x71).if();
    counted().end();
    // where it leaves to is a branch's target like any other: it may become hot. What left has been counted.
    a.get(2).call(lookup).tee(3).const(1).op(0x46).if();
    counted().end();
    a.get(3).const(0).load(s + ST_LEFT).op(0x0b);
    w.element(FN_ENTER, w.addFunction(shape, ["i64", "i32"], a.take()));
    // code that goes on in other code must not leave a frame here
    a.get(0).returnCallIndirect(w.type([], ["i64"]), 1).op(0x0b);
    w.exportFunction("$region", w.addFunction(w.type(["i32"], ["i64"]), [], a.take()));
    const settle = w.addFunction(w.type(...IMPORTS["$settle"]!), ["i64"], settleFunction(s));
    w.exportFunction("$settle", settle);
    const { host } = this;
    w.exportFunction("$door", w.addFunction(w.type(...IMPORTS["$door"]!), ...host.log.code(s, settle, kernel!, quick!, again!)));
    const door = { $kernel: () => host.knock(), $quick: (rax: number) => host.quick(rax), $again: () => host.again() };
    return this.instantiate(w.finish(), { ...this.interpreter.imports, ...door, t: this.interpreter.table, r: this.table });
  }

  met(rip: number): void {
    const { mem, state } = this.links;
    this.functions.met(rip, Number(mem.dv.getBigUint64(state + ST_GPR + 8 * RSP, true)));
  }
  slotAt(rip: number): number {
    const c = this.regions.get(rip);
    if (c !== undefined) return c.slot;
    // a program that comes back to where it was, with the same code: exec, mostly
    const old = this.old.get(rip);
    if (old === undefined || !old.matches(this.links.mem.u8)) return 0;
    this.old.delete(rip);
    old.dead = false;
    this.counters.revived++;
    this.enter(old);
    return old.slot;
  }
  /** Makes a region known. */
  private enter(c: Compiled): void {
    const { u32 } = this.links.mem;
    this.regions.set(c.entry, c);
    u32[this.word(c.entry) >>> 2] = c.slot;
    const j = (this.links.jumps >>> 2) + 2 * (c.entry & (JUMP_ENTRIES - 1));
    u32[j] = c.entry;
    u32[j + 1] = c.slot;
    c.watch(this.interpreter);
  }

  /** Code at `rip` is hot. */
  reached(rip: number): void {
    const left = this.leftBy(rip);
    if (left.length > 0) {
      this.interpreter.detach(rip, false);
      this.translate(left, false);
      return;
    }
    const start = this.insteadOf(rip);
    if (start === rip) this.compile(rip);
    else {
      this.interpreter.detach(rip, false);
      if (start >= 0) this.compile(start, false);
    }
  }
  /**
   * Where compiled code is to begin, as `rip` is hot; -1: nowhere, for now. Many places of a function become hot at the same time, and each of them is the beginning of a region as large
   * as what is left of the function. So it is its beginning, if it is called often enough; and what regions have in their middle has to show for longer that they are not entered where they begin.
   */
  private insteadOf(rip: number): number {
    const start = this.functions.of(rip), { interpreter } = this, covered = interpreter.code.compiledAt(rip) as Compiled | undefined;
    if (start !== rip && !this.regions.has(start) && interpreter.heat(start) >= (covered === undefined ? OFTEN : CALLED)) return start;
    if (start === rip || covered === undefined || this.outdated(rip).length > 0) return rip;
    const n = this.waited.get(rip) ?? 0;
    if (n >= covered.insns / PATIENCE) {
      this.waited.delete(rip);
      return rip;
    }
    if (this.waited.size > MAX_NOTED) this.waited.clear();
    this.waited.set(rip, n + 1);
    return -1;
  }
  /** by address in the middle of regions: how often it has been hot */
  private readonly waited = new Map<number, number>();
  /** Compiles what begins at `rip`; `now`: where the guest is. */
  compile(rip: number, now = true): void {
    const slot = this.slotAt(rip);
    if (slot !== 0) {
      this.interpreter.attach(rip, slot);
      return;
    }
    if (!this.translate([rip], now)) {
      this.counters.refused++;
      this.interpreter.detach(rip, true);
    }
  }
  /** Whether there was anything to translate. */
  private translate(entries: readonly number[], now: boolean): boolean {
    if (this.nextSlot + BATCH_REGIONS + 1 > MAX_REGIONS || this.wordOf.size + 4096 > WORDS || this.bytes > this.mostBytes) this.flush();
    const batch = this.collect(entries, now);
    this.lap("find");
    if (batch.length === 0) return false;
    const imports = new Map<string, number>();
    this.near.clear();
    batch.forEach((region, i) => this.near.set(region.entry, this.nextSlot + i));
    const { code, builder } = this;
    code.len = 0;
    const made = batch.map((region): Made => {
      const from = code.len;
      builder.beginRegion(region, code, imports);
      this.lap("analyse");
      builder.compile();
      this.lap("emit");
      return { region, from, to: code.len, locals: builder.types, unlikely: builder.unlikelyAt };
    });
    this.link(made, [...imports.keys()]);
    return true;
  }

  private link(made: readonly Made[], callees: readonly string[]): void {
    this.module.reset();
    const w = this.writer(this.module);
    this.callees.declare(w, callees);
    const first = this.nextSlot;
    const type = w.type([], ["i64"], REGION);
    for (const { from, to, locals, unlikely } of made) w.exportFunction(String(this.nextSlot++), w.addFunction(type, locals, this.code, unlikely, from, to));
    const bytes = w.finish();
    this.bytes += bytes.length;
    const compiled = made.map(({ region }, i) => new Compiled(this, region, first + i, this.links.mem.u8, (this.regions.get(region.entry)?.copies ?? 0) + 1, bytes));
    this.lap("module");
    const exports = this.instantiate(bytes, this.callees.imports);
    for (const c of compiled) this.table.set(c.slot, exports[String(c.slot)]);
    compiled.forEach((c, i) => {
      this.enter(c);
      this.interpreter.attach(c.entry, c.slot);
      this.counters.regions++;
      this.counters.insns += made[i]!.region.insns;
      for (const block of made[i]!.region.blocks) this.steps.keep(block.steps);
    });
    this.lap("link");
  }

  /** General registers as they are now, as far as they may be addresses. */
  private registers(): number[] {
    const { u32 } = this.links.mem, at = (this.links.state + ST_GPR) >>> 2, out: number[] = [];
    for (let r = 0; r < 16; r++) out.push(u32[at + 2 * r + 1]! * 0x1_0000_0000 + u32[at + 2 * r]!);
    return out;
  }
  /** Regions that left out what is at `rip`, because nothing had come there by then, and may be compiled once more. */
  private leftBy(rip: number): number[] {
    const entries = this.left.get(rip);
    if (entries === undefined) return [];
    this.left.delete(rip);
    return entries.filter((entry) => (this.regions.get(entry)?.copies ?? MAX_COPIES) < MAX_COPIES);
  }
  /** by address that nothing had come to: regions that left it out */
  private readonly left = new Map<number, number[]>();
  private leaves(entry: number, blocks: Region["blocks"]): void {
    if (this.left.size > MAX_NOTED) this.left.clear();
    for (const { edges } of blocks)
      for (const { block, rip } of edges) {
        if (block >= 0 || this.interpreter.block(rip) !== undefined) continue;
        const entries = this.left.get(rip);
        if (entries === undefined) this.left.set(rip, [entry]);
        else if (!entries.includes(entry)) entries.push(entry);
      }
  }
  /** The regions at `entries`, which are to be new even if there are such, and those of functions that they call which are not compiled yet. `now`: the guest is at the only one. */
  private collect(entries: readonly number[], now: boolean): Region[] {
    const { size } = this.links.mem;
    const batch: Region[] = [];
    const met = new Set(entries), renewed = new Set(entries.filter((entry) => this.regions.has(entry)));
    const { interpreter } = this, trail = new Trail({ mem: this.links.mem, block: (at) => interpreter.block(at), step: (at) => this.steps.at(at) });
    const whole: Surroundings = {
      memory: this.links.mem.dv,
      limit: size,
      stop: (at) => this.changes.size > 0 && (this.changes.get(at >>> CODE_SHIFT) ?? 0) > MAX_CHANGES,
      heat: (at) => interpreter.heat(at),
      trail: undefined,
    };
    const seen: Surroundings = { ...whole, trail };
    let insns = 0;
    for (const entry of met) {
      if (batch.length > 0 && (batch.length >= BATCH_REGIONS || insns >= BATCH_INSNS)) break;
      const known = this.regions.get(entry);
      if (known !== undefined && known.copies >= MAX_COPIES) continue;
      const again = renewed.has(entry);
      const root = entries.includes(entry), registers = root && now ? this.registers() : [], start = root || again ? this.functions.of(entry) : entry;
      const find = (around: Surroundings): Region | undefined => discover(this.steps, entry, around, registers, start);
      const ran = (known !== undefined || interpreter.heat(entry) >= WARM) ? find(seen) : undefined;
      const all = ran === undefined || ran.insns < SMALL ? find(whole) : undefined;
      const region = ran === undefined || (all !== undefined && all.insns < 2 * SMALL) ? all : ran;
      if (region === undefined || (known !== undefined && region.insns > (again ? MAX_RENEWED : MAX_COPIED))) continue;
      // not if it has become less: what registers were then has told where jumps go
      if (again && region.insns <= (this.coldNear(entry)?.get(entry)?.insns ?? 0)) continue;
      batch.push(region);
      insns += region.insns;
      const cold: number[] = [];
      for (const block of region.blocks) {
        const last = block.steps[block.steps.length - 1];
        if (last?.summary.ending !== "call" || block.inline !== undefined || last.insn.shape.form.operands[0]?.kind !== "rel") continue;
        const to = (last.insn.immHi >>> 0) * 0x1_0000_0000 + (last.insn.immLo >>> 0);
        if (to >= size) continue;
        if (this.interpreter.heat(to) >= WARM) met.add(to);
        else cold.push(to);
      }
      this.setCold(entry, cold.length > 0 ? { calls: cold, insns: region.insns } : undefined);
      if (region === ran) this.leaves(entry, region.blocks);
      if (!root || again) continue;
      for (const outdated of this.outdated(entry)) {
        renewed.add(outdated);
        met.add(outdated);
      }
    }
    return batch;
  }
  /** by the place of a region's entry, and entry */
  private readonly cold = new Map<number, Map<number, Cold>>();
  private coldNear(rip: number): Map<number, Cold> | undefined {
    return this.cold.get(rip >>> RENEWED_SHIFT);
  }
  private setCold(entry: number, cold: Cold | undefined): void {
    const near = this.coldNear(entry);
    if (cold === undefined) {
      if (near?.delete(entry) && near.size === 0) this.cold.delete(entry >>> RENEWED_SHIFT);
    } else if (near === undefined) this.cold.set(entry >>> RENEWED_SHIFT, new Map([[entry, cold]]));
    else near.set(entry, cold);
  }
  /** Entries of regions that go through the code at `rip`, and were compiled before what they call was called often: as a loop was hot before the one at `rip` ran. */
  private outdated(rip: number): number[] {
    const found: number[] = [];
    for (const [entry, { calls }] of this.coldNear(rip) ?? []) {
      if (entry === rip || !calls.some((at) => this.interpreter.heat(at) >= WARM)) continue;
      if (this.regions.get(entry)?.ranges.some(([from, to]) => from <= rip && rip < to)) found.push(entry);
    }
    return found;
  }

  /** What is compiled now, for who wants to look at it. */
  list(): { entry: number; ranges: readonly (readonly [number, number])[]; slot: number; guestBytes: number; wasmBytes: number; module: number }[] {
    const modules = new Map<Uint8Array, number>();
    return [...this.regions.values()].map((c) => {
      const module = modules.get(c.module) ?? modules.size;
      modules.set(c.module, module);
      return { entry: c.entry, ranges: c.ranges, slot: c.slot, guestBytes: c.ranges.reduce((n, [a, b]) => n + b - a, 0), wasmBytes: c.module.length, module };
    });
  }
  /** The wasm module that the region at `entry` is in. */
  moduleOf(entry: number): Uint8Array<ArrayBuffer> | undefined {
    return this.regions.get(entry)?.module;
  }

  /** For Compiled: nobody is to enter it any more. */
  remove(c: Compiled): void {
    c.dead = true;
    this.steps.drop(c.ranges);
    this.counters.removed++;
    this.old.set(c.entry, c);
    if (this.regions.get(c.entry) !== c) return; // a copy took its place
    this.regions.delete(c.entry);
    this.setCold(c.entry, undefined);
    const { u32 } = this.links.mem;
    u32[this.word(c.entry) >>> 2] = 0;
    const j = (this.links.jumps >>> 2) + 2 * (c.entry & (JUMP_ENTRIES - 1));
    if (u32[j] === c.entry) {
      u32[j] = 0xffffffff;
      u32[j + 1] = 0;
    }
    this.interpreter.detach(c.entry, false);
    const granule = c.entry >>> CODE_SHIFT;
    if (this.host.retiredNow() - c.born < SHORT_LIFE) this.changes.set(granule, (this.changes.get(granule) ?? 0) + 1);
    else this.changes.delete(granule);
  }

  /** How much is kept at present, for tests and panels: regions, dead ones that may come back, words, places that changed soon, instructions, pages with regions that may be renewed, addresses left out, places that wait. */
  held(): { regions: number; old: number; words: number; changes: number; steps: number; cold: number; left: number; waited: number } {
    return { regions: this.regions.size, old: this.old.size, words: this.wordOf.size, changes: this.changes.size, steps: this.steps.size, cold: this.cold.size, left: this.left.size, waited: this.waited.size };
  }

  /** Forgets all compiled code. */
  flush(): void {
    this.counters.flushes++;
    for (const c of this.regions.values()) {
      c.dead = true;
      this.interpreter.detach(c.entry, false);
    }
    this.regions.clear();
    this.old.clear();
    this.cold.clear();
    this.steps.clear();
    this.links.mem.u32.fill(0, this.words >>> 2, (this.words >>> 2) + WORDS);
    this.wordOf.clear();
    this.changes.clear();
    this.waited.clear();
    this.left.clear();
    this.functions.clear();
    this.clearJumps();
    this.interpreter.code.unwatch();
    this.bytes = 0;
    for (let i = 1; i < this.nextSlot; i++) this.table.set(i, null);
    this.nextSlot = 1;
  }
}
