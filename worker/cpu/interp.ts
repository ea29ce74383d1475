// worker/cpu/interp.ts — tier 0: decoded records in memory, a dispatch loop in wasm, shape functions compiled in batches.
//
// A block is a run of records ending where control surely goes elsewhere, or in a link record that goes on at another block. Blocks are
// found by guest address in a direct-mapped hash. Code that was written to loses its blocks: the function of each of their records looks
// its own address up anew, whoever comes there, even from inside the block. Dead blocks are kept for a while: if the same code
// comes back to the same address (exec does that), they live again without being decoded.
//
// Instructions of blocks that are reached often are joined into runs: one function for all their shapes (build/shape.ts). Other blocks, with other operands,
// use the same functions.

import { type Block, type Compiler, isSource } from "./block.ts";
import { CodeMap } from "./code_map.ts";
import type { Decoder, Shape } from "./decode.ts";
import { HIGH, Insn, MOVES_DISP, MOVES_IMM, NO_REG, UNMOVABLE } from "./decode.ts";
import { IMPORTS } from "./build/imports.ts";
import { CODE_SHIFT } from "./build/wasm.ts";
import type { WasmLayout } from "./build/wasm.ts";
import {
  REC_BASE, REC_CHAIN, REC_DISP, REC_FN, REC_HOT, REC_IMM, REC_INDEX, REC_NEXT, REC_OP, REC_OPERANDS, REC_RIP, REC_SCALE, REC_SEGMENT,
  REC_SIZE, SHAPE, ShapeBuilder, mmHome,
} from "./build/shape.ts";
import type { WasmType } from "./build/module.ts";
import { Bytes, ModuleWriter } from "./build/module.ts";
import { hashSlot } from "./build/assembler.ts";
import { commonCode } from "./insn/common.ts";
import { CORE, type CoreExports, FN_DEAD, FN_ENTER, FN_FETCH, FN_FIRST, FN_LINK, FN_UD, HASH_BITS, writeCore } from "./core.ts";
import { ST_CODE_HIT, ST_FS_BASE, ST_GS_BASE, ST_XMM, ST_ZERO } from "./state.ts";

/** Dead blocks kept for one address. */
const KEPT = 4;
/** Blocks at different addresses that are kept for one beginning, to make copies of. */
const MODELS = 4;
const TABLE_SIZE = 16384, FIRST_SIZE = 1024;
const MAX_BLOCK = 64;
/** Instructions of a run; conditional jumps in what is joined of a block. */
const MAX_RUN = 24, MAX_JUMPS = 4;
/** So many blocks are joined at once, since a module costs half a millisecond; fewer when the first has waited: see tick(). */
const MAX_WAITING = 64;

/** Bytes that an interpreter takes above guest memory of `size` bytes, with `records` records. */
export function interpreterBytes(size: number, records: number): number {
  return (size >> CODE_SHIFT) + (size >= 0x80000000 ? 0x800000 : 0) + (8 << HASH_BITS) + records * REC_SIZE + 1024;
}

/** Tables and generated code of tier 0. */
export class Interpreter {
  readonly layout: WasmLayout;
  private readonly decoder: Decoder;
  readonly imports: Record<string, WebAssembly.ImportValue>;
  readonly table: WebAssembly.Table;
  /** the compiled tier, if it is on */
  compiler: Compiler | undefined;
  /** times that a block is reached before it is joined, and compiled; 0: never */
  private readonly warm: number;
  private readonly hot: number;
  private core: CoreExports;
  private readonly hash: number;
  private readonly records: number;
  private readonly recordsEnd: number;
  private next: number;
  /** where in memory blocks and compiled code come from */
  readonly code: CodeMap;
  /** living blocks by address: what the hash has lost to a collision is still here */
  private readonly blockAt = new Map<number, Block>();
  /** dead blocks by address: the same code may come back there, after an exec mostly */
  private readonly deadAt = new Map<number, Block[]>();
  /** blocks, dead or alive, by how they begin: the same code may be put elsewhere, as programs are that are loaded where there is room */
  private readonly models = new Map<number, Block[]>();
  /** nothing has been decoded yet: a machine that begins at a snapshot shows it first */
  private cold = true;
  /** table slot by shape id, and by the ids of a run */
  private readonly slots: number[] = [];
  private readonly runSlots = new Map<string, number>();
  /** by slot: the shape, or a run's first one */
  private readonly shapes: Shape[] = [];
  /** ids of shapes that may write memory in a helper: nothing comes behind them in a run */
  private readonly wild = new Set<number>();
  /** ids of shapes that set flags in a branch */
  private readonly perhaps = new Set<number>();
  /** blocks to be joined when there are more of them, or tick() comes */
  private toJoin: Block[] = [];
  private nextJoin = 0;
  private nextSlot = FN_FIRST;
  /** from how many functions of shapes on they are all forgotten (less only in a test): immediates of shuffles make many */
  mostShapes = TABLE_SIZE - MAX_BLOCK;
  private readonly insn = new Insn();
  /** Counted for tests and benchmarks. */
  readonly counters = { decoded: 0, blocks: 0, shapes: 0, modules: 0, bytes: 0, flushes: 0, invalidated: 0, revived: 0, copied: 0, runs: 0, joined: 0 };

  /**
   * @param helpers by name, as generated code imports them: () → status
   * @param codeHit a store of generated code has hit decoded code
   * @param warm times that a branch target is reached before its instructions are joined; 0: never
   * @param hot times that it is reached before it is worth compiling; 0: no compiled tier
   */
  constructor(layout: WasmLayout, decoder: Decoder, records: number, helpers: ReadonlyMap<string, () => number>, codeHit: (a: number, n: number) => void, warm: number, hot: number) {
    this.warm = warm;
    this.hot = hot;
    this.layout = layout;
    this.decoder = decoder;
    const mem = layout.mem;
    this.hash = mem.reserve(8 << HASH_BITS);
    this.records = mem.reserve(records * REC_SIZE);
    this.recordsEnd = this.records + records * REC_SIZE;
    this.next = this.records;
    this.code = new CodeMap(mem, layout.codeMap, (block) => this.kill(block));
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: FIRST_SIZE, maximum: TABLE_SIZE });
    this.imports = { m: mem.memory, t: this.table, $code_hit: codeHit };
    for (const [name, f] of helpers) this.imports[name] = f;
    const w = this.writeModule(new Map());
    w.importTable("t", FIRST_SIZE);
    writeCore(w, layout, this.hash);
    const exports = this.instantiate(w);
    for (const name of CORE) this.imports[name] = exports[name]!;
    this.core = exports as unknown as CoreExports;
  }

  /** Runs from a record until something stops it: see ST_EXIT, ST_RIP, ST_CUR and ST_LEFT. */
  run(record: number): void {
    this.counters.runs++;
    this.core.run(record);
  }

  /** A module that imports the memory and these functions, numbered as in the map. */
  private writeModule(imports: ReadonlyMap<string, number>): ModuleWriter {
    const w = new ModuleWriter();
    const mem = this.layout.mem;
    w.importMemory("m", mem.buffer.byteLength / 65536, mem.shared);
    for (const name of imports.keys()) {
      const [params, results] = IMPORTS[name] ?? [[], ["i32"]];
      w.importFunction(name, params, results);
    }
    return w;
  }

  private instantiate(w: ModuleWriter): WebAssembly.Exports {
    const bytes = w.finish();
    this.counters.modules++;
    this.counters.bytes += bytes.length;
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: this.imports }).exports;
  }

  /** Compiles the functions of shapes that have none yet; the first time those of most code with them, in one module. */
  private compile(shapes: Shape[]): void {
    if (this.cold) {
      this.cold = false;
      shapes = [...new Set([...shapes, ...this.decoder.learn(commonCode()).filter((shape) => shape.definition !== undefined)])];
    }
    this.addFunctions(shapes.filter((shape) => this.slots[shape.id] === undefined), (builder, shape, slot) => {
      builder.single(shape);
      if (builder.wild) this.wild.add(shape.id);
      if (builder.perhaps) this.perhaps.add(shape.id);
      this.slots[shape.id] = slot;
      this.shapes[slot] = shape;
      this.counters.shapes++;
    });
  }
  /** One function of the table for each of these, all in one module. */
  private addFunctions<T>(whole: readonly T[], build: (builder: ShapeBuilder, of: T, slot: number) => void): void {
    const imports = new Map<string, number>();
    const builder = new ShapeBuilder(this.layout, imports);
    const made: { slot: number; locals: WasmType[]; body: Bytes; unlikely: number[] }[] = [];
    for (const one of whole) {
      const slot = this.nextSlot++;
      if (slot >= TABLE_SIZE) throw new Error("more instruction shapes than the table has room for");
      if (slot >= this.table.length) this.table.grow(this.table.length);
      build(builder, one, slot);
      const body = new Bytes(builder.code.len);
      body.bytes(builder.code.buf, builder.code.len);
      made.push({ slot, locals: builder.types.slice(2), body, unlikely: [...builder.unlikelyAt] });
    }
    if (made.length === 0) return;
    const w = this.writeModule(imports);
    const type = w.type(...SHAPE);
    for (const f of made) w.exportFunction(String(f.slot), w.addFunction(type, f.locals, f.body, f.unlikely));
    const exports = this.instantiate(w);
    for (const f of made) this.table.set(f.slot, exports[String(f.slot)]);
  }

  /** There are too many kinds of instructions: begins anew. */
  private forgetShapes(): void {
    this.flush();
    for (let i = FN_FIRST; i < this.nextSlot; i++) this.table.set(i, null);
    this.nextSlot = FN_FIRST;
    this.slots.length = this.shapes.length = 0;
    this.runSlots.clear();
    this.wild.clear();
    this.perhaps.clear();
    this.decoder.forgetShapes();
    this.cold = true;
  }

  /** The record of the block at `rip`, if there is one; else 0. */
  find(rip: number): number {
    const block = this.blockAt.get(rip);
    if (block === undefined) return 0;
    this.enter(block);
    return block.at;
  }
  /** Puts a block into the hash. */
  private enter(block: Block): void {
    const i = this.slotOf(block.start) >> 2;
    const u32 = this.layout.mem.u32;
    u32[i] = block.start;
    u32[i + 1] = block.at;
  }
  private slotOf(rip: number): number {
    return this.hash + hashSlot(rip, HASH_BITS);
  }

  /** Decodes the block at `rip` and returns its first record. */
  decode(rip: number): number {
    if (this.nextSlot > this.mostShapes) this.forgetShapes();
    this.compiler?.met(rip);
    const again = this.revive(rip);
    if (again !== 0) return again;
    if (this.next + (MAX_BLOCK + 2) * REC_SIZE > this.recordsEnd) this.flush();
    const copied = this.copy(rip);
    if (copied !== 0) return copied;
    const { u32, size } = { u32: this.layout.mem.u32, size: this.layout.mem.size };
    this.decoder.forget();
    const first = this.next;
    const insn = this.insn;
    let missing: Shape[] | undefined;
    let at = first, here = rip, count = 0, open = true;
    const fix: number[] = [];
    const moves = new Uint8Array(MAX_BLOCK + 1);
    let movable = true;
    for (; open && count < MAX_BLOCK; count++) {
      if (here >= size) {
        this.plain(at, FN_FETCH, here, here);
        open = movable = false;
      } else if (count > 0 && this.blockAt.has(here)) {
        break;
      } else {
        this.decoder.decode(here, insn);
        this.counters.decoded++;
        const shape = insn.shape;
        if (insn.length === 0) {
          this.plain(at, FN_FETCH, here, size);
          open = movable = false;
        } else if (shape.definition === undefined) {
          this.plain(at, FN_UD, here, 0);
          open = false;
        } else {
          let slot = this.slots[shape.id];
          if (slot === undefined) {
            (missing ??= []).push(shape);
            fix.push(at, shape.id);
            slot = 0;
          }
          this.record(at, slot, insn);
          moves[count] = insn.moves;
          if ((insn.moves & UNMOVABLE) !== 0) movable = false;
          if (shape.definition.ends) open = false;
        }
        here += insn.length;
      }
      at += REC_SIZE;
    }
    if (open) {
      this.plain(at, FN_LINK, here, 0);
      u32[(at + REC_IMM) >> 2] = here;
      u32[(at + REC_IMM + 4) >> 2] = 0;
      moves[count] = MOVES_IMM;
      at += REC_SIZE;
      count++;
    }
    this.next = at;
    if (missing !== undefined) {
      this.compile(missing);
      for (let i = 0; i < fix.length; i += 2) u32[(fix[i]! + REC_FN) >> 2] = this.slots[fix[i + 1]!]!;
    }
    this.counters.blocks++;
    const end = Math.max(here, rip + 1);
    const block: Block = { at: first, count, start: rip, end, dead: false, goal: 0, source: this.layout.mem.u8.slice(rip, end), ...(movable ? { moves: moves.slice(0, count) } : {}) };
    this.expect(block, this.nextGoal(0));
    this.add(block);
    if (movable) this.model(block);
    return first;
  }

  /** How code begins: its first bytes, and where in a page it lies, which is where it will lie in another. */
  private beginning(rip: number): number {
    return (this.layout.mem.dv.getUint32(rip, true) & 0xfffff) * 4096 + (rip & 4095);
  }
  /** Others may be made from it. */
  private model(block: Block): void {
    if (block.start + 4 > this.layout.mem.size) return;
    const key = this.beginning(block.start), known = this.models.get(key);
    if (known === undefined) this.models.set(key, [block]);
    else if (known.length < MODELS) known.push(block);
  }
  /** Makes the block at `rip` from one of the same bytes somewhere else, without decoding; its first record, or 0. */
  private copy(rip: number): number {
    const { u8, u32, size } = this.layout.mem;
    // what is near the end of memory cannot all be fetched
    if (rip + MAX_BLOCK * 16 > size) return 0;
    const model = this.models.get(this.beginning(rip))?.find(({ source }) => {
      for (let i = 0; i < source!.length; i++) if (u8[rip + i] !== source![i]) return false;
      return true;
    });
    if (model === undefined) return 0;
    const by = rip - model.start;
    const first = this.next;
    const move = (at: number): void => {
      const to = (u32[(at + 4) >> 2]! | 0) * 0x1_0000_0000 + u32[at >> 2]! + by;
      u32[at >> 2] = to;
      u32[(at + 4) >> 2] = Math.floor(to / 0x1_0000_0000);
    };
    for (let k = 0, from = model.at, at = first; k < model.count; k++, from += REC_SIZE, at += REC_SIZE) {
      const fn = model.functions?.[k] ?? this.functionOf(from);
      u32.copyWithin(at >> 2, from >> 2, (from + REC_SIZE) >> 2);
      u32[(at + REC_FN) >> 2] = fn;
      u32[(at + REC_RIP) >> 2]! += by;
      u32[(at + REC_NEXT) >> 2]! += by;
      u32[(at + REC_CHAIN) >> 2] = 0;
      u32[(at + REC_HOT) >> 2] = 0;
      const moves = model.moves![k]!;
      if ((moves & MOVES_IMM) !== 0) move(at + REC_IMM);
      if ((moves & MOVES_DISP) !== 0) move(at + REC_DISP);
    }
    this.next = first + model.count * REC_SIZE;
    this.counters.copied++;
    const block: Block = { at: first, count: model.count, start: rip, end: model.end + by, dead: false, goal: 0, source: model.source!, moves: model.moves! };
    this.expect(block, this.nextGoal(0));
    this.add(block);
    return first;
  }

  /** A record that is no instruction. */
  private plain(at: number, fn: number, rip: number, disp: number): void {
    const u32 = this.layout.mem.u32;
    for (let i = 0; i < REC_SIZE; i += 4) u32[(at + i) >> 2] = 0;
    u32[(at + REC_FN) >> 2] = fn;
    u32[(at + REC_RIP) >> 2] = rip;
    u32[(at + REC_NEXT) >> 2] = rip;
    u32[(at + REC_DISP) >> 2] = disp;
  }

  private record(at: number, slot: number, insn: Insn): void {
    const u32 = this.layout.mem.u32;
    const state = this.layout.state;
    const zero = state + ST_ZERO;
    const w = at >> 2;
    u32[w + (REC_FN >> 2)] = slot;
    u32[w + (REC_RIP >> 2)] = insn.rip;
    u32[w + (REC_NEXT >> 2)] = insn.rip + insn.length;
    const operands = insn.shape.form.operands;
    for (let n = 0; n < operands.length && n < REC_OPERANDS; n++) {
      const kind = operands[n]!.kind, reg = insn.reg[n]!;
      u32[w + (REC_OP >> 2) + n] =
        kind === "reg" ? state + (reg >= HIGH ? 8 * (reg - HIGH) + 1 : 8 * reg)
        : kind === "xmm" ? state + ST_XMM + 32 * reg
        : kind === "mm" ? state + mmHome(reg)
        : kind === "imm" && n > 0 ? insn.imm2
        : zero;
    }
    u32[w + (REC_BASE >> 2)] = insn.base === NO_REG ? zero : state + 8 * insn.base;
    u32[w + (REC_INDEX >> 2)] = insn.index === NO_REG ? zero : state + 8 * insn.index;
    u32[w + (REC_SCALE >> 2)] = insn.scale;
    u32[w + (REC_SEGMENT >> 2)] = insn.segment === 0 ? zero : state + (insn.segment === 1 ? ST_FS_BASE : ST_GS_BASE);
    u32[w + (REC_DISP >> 2)] = insn.dispLo;
    u32[w + (REC_DISP >> 2) + 1] = insn.dispHi;
    u32[w + (REC_IMM >> 2)] = insn.immLo;
    u32[w + (REC_IMM >> 2) + 1] = insn.immHi;
    u32[w + (REC_CHAIN >> 2)] = 0;
    u32[w + (REC_HOT >> 2)] = 0;
  }

  // ---- code that is reached often

  /** For how often a block may be reached, more than `times`, before something is done: it is to be joined, or compiled; 0: nothing is. */
  private nextGoal(times: number): number {
    for (const goal of [this.warm, this.hot]) if (goal > times) return this.hot > 0 ? Math.min(goal, this.hot) : goal;
    return 0;
  }
  /** The block's counter goes on up to `goal`. */
  private expect(block: Block, goal: number): void {
    const u32 = this.layout.mem.u32, at = (block.at + REC_HOT) >> 2;
    u32[at] = goal === 0 ? 0 : block.goal - goal;
    if (goal !== 0) block.goal = goal;
  }
  /** A branch has come to the block at `rip` as often as was waited for, `retired` instructions after the machine began. Is it worth compiling now? */
  reached(rip: number, retired: number): boolean {
    const block = this.blockAt.get(rip);
    if (block === undefined) return false;
    const times = block.goal;
    if (this.hot > 0 && times >= this.hot) return true;
    this.toJoin.push(block);
    this.tick(retired);
    this.expect(block, this.nextGoal(times));
    return false;
  }
  /** How often the block at `rip` was the target of a branch. */
  heat(rip: number): number {
    const block = this.blockAt.get(rip);
    if (block === undefined) return 0;
    const count = this.layout.mem.u32[(block.at + REC_HOT) >> 2]! | 0;
    return count < 0 ? block.goal + count : Math.max(block.goal, this.hot);
  }

  /** `retired` instructions after the machine began: are there blocks to be joined that have waited long enough for others? */
  tick(retired: number): void {
    const waiting = this.toJoin.length;
    if (waiting === 0 || (waiting < MAX_WAITING && retired < this.nextJoin)) return;
    // a million instructions, by default; next to none if a test wants runs at once
    this.nextJoin = retired + (this.warm * this.warm >> 2);
    this.joinAll();
  }
  /** Joins the instructions at `rip` now. */
  join(rip: number): void {
    if (this.find(rip) === 0) this.decode(rip);
    this.toJoin.push(this.blockAt.get(rip)!);
    this.joinAll();
  }
  /** Joins the instructions of all blocks that are waiting for it, and of those that they go on in. */
  private joinAll(): void {
    const missing = new Map<string, Shape[]>(), places: { at: number; key: string }[] = [];
    const met = new Set(this.toJoin);
    this.toJoin = [];
    for (const block of met) {
      if (block.dead) continue;
      const next = this.runsOf(block, (at, run) => {
        const key = run.map((shape) => shape.id).join();
        if (!this.runSlots.has(key)) missing.set(key, run);
        places.push({ at, key });
      });
      const after = next === undefined ? undefined : this.blockAt.get(next);
      if (after !== undefined) met.add(after);
    }
    if (this.nextSlot + missing.size > this.mostShapes) return;
    this.addFunctions([...missing], (builder, [key, run], slot) => {
      builder.run(run, this.perhaps);
      this.runSlots.set(key, slot);
      this.shapes[slot] = run[0]!;
      this.counters.joined++;
    });
    for (const { at, key } of places) this.setFunction(at, this.runSlots.get(key)!);
  }
  /** Tells of the runs in a block: their first records, and shapes. The address at which the program goes on after the block, if it is in its code. */
  private runsOf(block: Block, tell: (at: number, run: Shape[]) => void): number | undefined {
    const { u32 } = this.layout.mem;
    const end = block.at + block.count * REC_SIZE;
    for (let at = block.at, jumps = 0; at < end && jumps <= MAX_JUMPS; ) {
      const run: Shape[] = [], first = at;
      let shape: Shape | undefined;
      for (; at < end && run.length < MAX_RUN; at += REC_SIZE) {
        const fn = this.functionOf(at);
        if (fn === FN_LINK) break;
        shape = this.shapes[fn];
        if (shape === undefined) return undefined;
        run.push(shape);
        if (shape.form.operands[0]?.kind === "rel") jumps++;
        if (shape.definition!.ends || this.wild.has(shape.id)) {
          at += REC_SIZE;
          break;
        }
      }
      if (run.length > 1) tell(first, run);
      if (at === end) return shape?.form.name === "call" ? u32[(at - REC_SIZE + REC_NEXT) >> 2]! : undefined;
      if (this.functionOf(at) === FN_LINK) return u32[(at + REC_IMM) >> 2]!;
    }
    return undefined;
  }
  /** The function of a record, also where compiled code is entered instead. */
  private functionOf(at: number): number {
    const { u32 } = this.layout.mem;
    const fn = u32[(at + REC_FN) >> 2]!;
    return fn === FN_ENTER ? u32[(at + REC_HOT) >> 2]! >>> 16 : fn;
  }
  private setFunction(at: number, fn: number): void {
    const { u32 } = this.layout.mem;
    if (u32[(at + REC_FN) >> 2] === FN_ENTER) u32[(at + REC_HOT) >> 2] = (u32[(at + REC_HOT) >> 2]! & 0xffff) | (fn << 16);
    else u32[(at + REC_FN) >> 2] = fn;
  }

  // ---- compiled code

  /** The block at `rip`, if there is one, enters compiled code from now on. */
  attach(rip: number, slot: number): void {
    const block = this.blockAt.get(rip);
    if (block === undefined) return;
    const { u32 } = this.layout.mem;
    const fn = this.functionOf(block.at);
    if (fn < FN_FIRST) return;
    // what the record did before is in the upper half
    u32[(block.at + REC_HOT) >> 2] = slot | (fn << 16);
    u32[(block.at + REC_FN) >> 2] = FN_ENTER;
    block.goal = Math.max(block.goal, this.hot);
  }
  /** The block at `rip` is interpreted again. `never`: and is not to be compiled any more. */
  detach(rip: number, never: boolean): void {
    const block = this.blockAt.get(rip);
    if (block === undefined) return;
    this.layout.mem.u32[(block.at + REC_FN) >> 2] = this.functionOf(block.at);
    if (!never) block.goal = 0;
    this.expect(block, never ? 0 : this.hot);
  }
  /** The block at `rip`, if there is one: something has come there. */
  block(rip: number): Block | undefined {
    return this.blockAt.get(rip);
  }
  private kill(block: Block): void {
    const u32 = this.layout.mem.u32;
    block.dead = true;
    if (block.compiled !== undefined) {
      u32[(this.layout.state + ST_CODE_HIT) >> 2] = 1;
      block.compiled.kill();
      return;
    }
    this.blockAt.delete(block.start);
    this.counters.invalidated++;
    const functions = new Uint16Array(block.count);
    for (let k = 0, at = block.at; k < block.count; k++, at += REC_SIZE) {
      functions[k] = this.functionOf(at);
      if (u32[(at + REC_FN) >> 2] === FN_ENTER) {
        block.goal = 0;
        this.expect(block, this.hot);
      }
      u32[(at + REC_FN) >> 2] = FN_DEAD;
    }
    block.functions = functions;
    const dead = this.deadAt.get(block.start);
    if (dead === undefined) this.deadAt.set(block.start, [block]);
    else if (dead.push(block) > KEPT) dead.shift();
    const i = this.slotOf(block.start) >> 2;
    if (u32[i + 1] === block.at) u32[i] = u32[i + 1] = 0;
  }

  /** A block that was at `rip` before, with the code that is there now, lives again; its first record, or 0. */
  private revive(rip: number): number {
    const dead = this.deadAt.get(rip);
    if (dead === undefined) return 0;
    const { u32 } = this.layout.mem;
    const found = dead.findIndex((b) => isSource(b, this.layout.mem.u8));
    if (found < 0) return 0;
    const block = dead.splice(found, 1)[0]!;
    block.functions!.forEach((fn, k) => (u32[(block.at + k * REC_SIZE + REC_FN) >> 2] = fn));
    block.dead = false;
    this.counters.revived++;
    this.add(block);
    return block.at;
  }
  private add(block: Block): void {
    this.enter(block);
    this.blockAt.set(block.start, block);
    this.code.register(block);
    const slot = this.compiler?.slotAt(block.start) ?? 0;
    if (slot !== 0) this.attach(block.start, slot);
  }

  /** Forgets all decoded code. No record is valid after this. */
  flush(): void {
    const { u32 } = this.layout.mem;
    this.counters.flushes++;
    this.code.clear();
    this.blockAt.clear();
    this.deadAt.clear();
    this.models.clear();
    this.toJoin = [];
    this.nextJoin = 0;
    u32.fill(0, this.hash >> 2, (this.hash >> 2) + (2 << HASH_BITS));
    this.next = this.records;
    this.compiler?.flush();
  }
}
