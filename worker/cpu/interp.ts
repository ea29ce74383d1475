// worker/cpu/interp.ts — tier 0: decoded records in memory, a dispatch loop in wasm, shape functions compiled in batches.
//
// A block is a run of records ending where control surely goes elsewhere, or in a link record that goes on at another block. Blocks are
// found by guest address in a direct-mapped hash. Code that was written to loses its blocks: the function of each of their records looks
// its own address up anew, whoever comes there, even from inside the block. Dead blocks are kept for a while: if the same code
// comes back to the same address (exec does that), they live again without being decoded.

import { type Block, type Compiler, isSource } from "./block.ts";
import { CodeMap } from "./code_map.ts";
import type { Decoder, Shape } from "./decode.ts";
import { HIGH, Insn, MOVES_DISP, MOVES_IMM, NO_REG, UNMOVABLE } from "./decode.ts";
import { IMPORTS } from "./build/imports.ts";
import { CODE_SHIFT } from "./build/wasm.ts";
import type { WasmLayout } from "./build/wasm.ts";
import {
  REC_BASE, REC_CHAIN, REC_DISP, REC_FN, REC_HOT, REC_IMM, REC_INDEX, REC_NEXT, REC_OP, REC_OPERANDS, REC_RIP, REC_SCALE, REC_SEGMENT,
  REC_SIZE, ShapeBuilder, mmHome,
} from "./build/shape.ts";
import type { WasmType } from "./build/module.ts";
import { Bytes, ModuleWriter } from "./build/module.ts";
import { Assembler, hashSlot } from "./build/assembler.ts";
import { commonCode } from "./insn/common.ts";
import { EXIT_ADDRESS, EXIT_BUDGET, EXIT_PF, EXIT_UD } from "./exit.ts";
import {
  ST_CODE_HIT, ST_CUR, ST_EXIT, ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_FS_BASE, ST_GS_BASE, ST_LEFT, ST_RIP, ST_XMM, ST_ZERO,
} from "./state.ts";

/** Not for the outside: a jump has retired, and its target (rip) is not decoded. */
export const EXIT_MISS = 100;
/** The same, but nothing has retired. */
export const EXIT_MISS_LINK = 101;

/** The same: a branch was taken (and has retired) whose target, rip, is worth compiling. */
export const EXIT_HOT = 103;

const FN_LINK = 1, FN_FETCH = 2, FN_UD = 3, FN_FIRST = 8;
/** Slot of the function that enters compiled code: see jit/jit.ts. */
export const FN_ENTER = 4;
/** Slot of the function of records whose code was written to. */
const FN_DEAD = 5;
/** Dead blocks kept for one address. */
const KEPT = 4;
/** Blocks at different addresses that are kept for one beginning, to make copies of. */
const MODELS = 4;
const HASH_BITS = 16;
const TABLE_SIZE = 16384;
const MAX_BLOCK = 64;

/** Bytes that an interpreter takes above guest memory of `size` bytes, with `records` records. */
export function interpreterBytes(size: number, records: number): number {
  return (size >> CODE_SHIFT) + (size >= 0x80000000 ? 0x800000 : 0) + (8 << HASH_BITS) + records * REC_SIZE + 1024;
}

interface CoreExports {
  run(record: number): void;
}

/** Tables and generated code of tier 0. */
export class Interpreter {
  readonly layout: WasmLayout;
  private readonly decoder: Decoder;
  readonly imports: Record<string, WebAssembly.ImportValue>;
  readonly table: WebAssembly.Table;
  /** the compiled tier, if it is on */
  compiler: Compiler | undefined;
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
  /** table slot by shape id */
  private readonly slots: number[] = [];
  private nextSlot = FN_FIRST;
  /** from how many functions of shapes on they are all forgotten (less only in a test): immediates of shuffles make many */
  mostShapes = TABLE_SIZE - MAX_BLOCK;
  private readonly insn = new Insn();
  /** Counted for tests and benchmarks. */
  readonly counters = { decoded: 0, blocks: 0, shapes: 0, modules: 0, bytes: 0, flushes: 0, invalidated: 0, revived: 0, copied: 0, runs: 0 };

  /**
   * @param helpers by name, as generated code imports them: () → status
   * @param codeHit a store of generated code has hit decoded code
   * @param hot times that a branch target is reached before it is worth compiling; 0: no compiled tier
   */
  constructor(layout: WasmLayout, decoder: Decoder, records: number, helpers: ReadonlyMap<string, () => number>, codeHit: (a: number, n: number) => void, hot: number) {
    this.hot = hot;
    this.layout = layout;
    this.decoder = decoder;
    const mem = layout.mem;
    this.hash = mem.reserve(8 << HASH_BITS);
    this.records = mem.reserve(records * REC_SIZE);
    this.recordsEnd = this.records + records * REC_SIZE;
    this.next = this.records;
    this.code = new CodeMap(mem, layout.codeMap, (block) => this.kill(block));
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: TABLE_SIZE, maximum: TABLE_SIZE });
    this.imports = { m: mem.memory, t: this.table, $code_hit: codeHit };
    for (const [name, f] of helpers) this.imports[name] = f;
    this.core = this.buildCore();
    this.warmUp();
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

  /** The dispatch loop and what all shape functions call. */
  private buildCore(): CoreExports {
    const imports = new Map<string, number>();
    const w = this.writeModule(imports);
    w.importTable("t", TABLE_SIZE);
    const s = this.layout.state;
    const shapeType = w.type(["i32", "i32"], ["i32"]);
    // $getflags
    const builder = new ShapeBuilder(this.layout, imports, 0);
    builder.begin(undefined, 0);
    builder.emitGetFlags();
    w.exportFunction("$getflags", w.addFunction(w.type([], ["i32"]), builder.types, builder.code));
    const a = new Assembler();
    // $lookup(rip i64) → record; locals: 1 slot, 2 record
    a.hashSlot(0, this.hash, HASH_BITS);
    a.set(1);
    a.get(1).load64u32(0).get(0).op(0x51).if(); // i64.eq
    a.get(1).load(4).tee(2).if().get(2).return().end().end();
    a.const(0).get(0).store64(s + ST_RIP);
    a.const(0).const(EXIT_MISS).store(s + ST_EXIT);
    a.const(1).op(0x0b);
    const lookup = w.addFunction(w.type(["i64"], ["i32"]), ["i32", "i32"], a.take());
    w.exportFunction("$lookup", lookup);
    // $link(record) → record of REC_IMM; local 1 target
    a.get(0).load64(REC_IMM).call(lookup).tee(1).const(1).op(0x47).if(); // i32.ne
    a.get(0).get(1).store(REC_CHAIN).end();
    a.get(1).op(0x0b);
    const link = w.addFunction(w.type(["i32"], ["i32"]), ["i32"], a.take());
    w.exportFunction("$link", link);
    // $hot(record) → record, or 1 if it is worth compiling: counts, unless it is compiled already; local 1 count
    a.get(0).load(REC_HOT).tee(1).const(this.hot).op(0x49).if(); // i32.lt_u
    a.get(0).get(1).const(1).op(0x6a).tee(1).store(REC_HOT);
    a.get(1).const(this.hot).op(0x46).if();
    a.const(0).get(0).load64u32(REC_RIP).store64(s + ST_RIP);
    a.const(0).const(EXIT_HOT).store(s + ST_EXIT).const(1).return().end().end();
    a.get(0).op(0x0b);
    const hot = w.addFunction(w.type(["i32"], ["i32"]), ["i32"], a.take());
    w.exportFunction("$hot", hot);
    // $lookup_hot(rip): for jumps and calls through registers and memory; local 1 record
    a.get(0).call(lookup).tee(1).const(1).op(0x46).if().const(1).return().end();
    a.get(1).call(hot).op(0x0b);
    w.exportFunction("$lookup_hot", w.addFunction(w.type(["i64"], ["i32"]), ["i32"], a.take()));
    // $fault(rip, address, n, kind); local 4
    const size = this.layout.mem.size;
    a.const(0).get(0).store64(s + ST_RIP);
    a.get(1).const64(16).op(0x86).const64(16).op(0x87).get(1).op(0x52); // (a << 16 >> 16) !== a
    a.get(3).const(4).op(0x71).op(0x72).if();
    a.const(0).const(EXIT_ADDRESS).store(s + ST_EXIT);
    a.const(0).get(1).store64(s + ST_EXIT_ADDR).op(0x05); // else
    a.const(0).const(EXIT_PF).store(s + ST_EXIT);
    // an access that straddles the end faults at the end
    a.const(0).const64(size).get(1);
    a.get(1).const64(size).op(0x54).get(1).get(2).op(0xad).op(0x7c).const64(size).op(0x56).op(0x71);
    a.op(0x1b).store64(s + ST_EXIT_ADDR).end();
    a.const(0).get(3).get(2).const(8).op(0x74).op(0x72).store(s + ST_EXIT_FLAGS).op(0x0b); // kind | n << 8
    const fault = w.addFunction(w.type(["i64", "i64", "i32", "i32"], []), [], a.take());
    w.exportFunction("$fault", fault);
    // link record: on to another block, without retiring; local 2 record
    a.get(0).load(REC_CHAIN).tee(2).op(0x45).if();
    a.get(0).call(link).tee(2).const(1).op(0x46).if();
    a.const(0).const(EXIT_MISS_LINK).store(s + ST_EXIT).const(1).return().end().end();
    a.get(2).get(1).get(2).load(REC_FN).callIndirect(shapeType).op(0x0b);
    w.element(FN_LINK, w.addFunction(shapeType, ["i32"], a.take()));
    // a record whose code was written to: its address is looked up anew; local 2 record
    a.get(0).load64u32(REC_RIP).call(lookup).tee(2).const(1).op(0x46).if();
    a.const(0).const(EXIT_MISS_LINK).store(s + ST_EXIT).const(1).return().end();
    a.get(2).get(1).get(2).load(REC_FN).callIndirect(shapeType).op(0x0b);
    w.element(FN_DEAD, w.addFunction(shapeType, ["i32"], a.take()));
    // the bytes cannot be fetched
    a.get(0).load64u32(REC_RIP).get(0).load64(REC_DISP).const(1).const(2).call(fault).const(1).op(0x0b);
    w.element(FN_FETCH, w.addFunction(shapeType, [], a.take()));
    // no such instruction
    a.const(0).get(0).load64u32(REC_RIP).store64(s + ST_RIP);
    a.const(0).const(EXIT_UD).store(s + ST_EXIT).const(1).op(0x0b);
    w.element(FN_UD, w.addFunction(shapeType, [], a.take()));
    // run(record): locals 1 left, 2 next
    a.const(0).load(s + ST_LEFT).set(1);
    a.loop().block().loop();
    a.get(1).op(0x45).if();
    a.const(0).const(EXIT_BUDGET).store(s + ST_EXIT);
    a.const(0).get(0).store(s + ST_CUR).const(0).const(0).store(s + ST_LEFT).return().end();
    a.get(0).get(1).get(0).load(REC_FN).callIndirect(shapeType).tee(2);
    a.const(1).op(0x71).brIf(1);
    a.get(1).const(1).op(0x6b).set(1).get(2).set(0).br(0).end().end();
    a.get(2).const(1).op(0x46).if();
    a.const(0).get(0).store(s + ST_CUR).const(0).get(1).store(s + ST_LEFT).return().end();
    // 3: compiled code ran, and cannot go on
    a.get(2).const(3).op(0x46).if().const(0).get(0).store(s + ST_CUR).return().end();
    // another odd record: compiled code ran, and ST_LEFT says what is left
    a.const(0).load(s + ST_LEFT).set(1).get(2).const(1).op(0x73).set(0).br(0).end().op(0x0b);
    w.exportFunction("run", w.addFunction(w.type(["i32"], []), ["i32", "i32"], a.take()));
    const exports = this.instantiate(w);
    for (const name of ["$getflags", "$lookup", "$lookup_hot", "$link", "$hot", "$fault"]) this.imports[name] = exports[name]!;
    return exports as unknown as CoreExports;
  }

  /** Compiles the functions of shapes that have none yet. */
  private compile(shapes: readonly Shape[]): void {
    const imports = new Map<string, number>();
    const builder = new ShapeBuilder(this.layout, imports, this.hot);
    const made: { slot: number; locals: WasmType[]; body: Bytes }[] = [];
    for (const shape of shapes) {
      if (this.slots[shape.id] !== undefined) continue;
      const slot = this.nextSlot++;
      if (slot >= TABLE_SIZE) throw new Error("more instruction shapes than the table has room for");
      builder.begin(shape);
      shape.definition!.lower(builder, ...shape.form.operands);
      builder.finish();
      const body = new Bytes(builder.code.len);
      body.bytes(builder.code.buf, builder.code.len);
      made.push({ slot, locals: builder.types.slice(2), body });
      this.slots[shape.id] = slot;
      this.counters.shapes++;
    }
    const w = this.writeModule(imports);
    const type = w.type(["i32", "i32"], ["i32"]);
    for (const f of made) w.exportFunction(String(f.slot), w.addFunction(type, f.locals, f.body));
    // only the core imports the table: V8 gives each instance that does a copy of the whole
    const exports = this.instantiate(w);
    for (const f of made) this.table.set(f.slot, exports[String(f.slot)]);
  }

  private warmUp(): void {
    this.compile(this.decoder.learn(commonCode()).filter((shape) => shape.definition !== undefined));
  }
  /** There are too many kinds of instructions: begins anew. */
  private forgetShapes(): void {
    this.flush();
    for (let i = FN_FIRST; i < this.nextSlot; i++) this.table.set(i, null);
    this.nextSlot = FN_FIRST;
    this.slots.length = 0;
    this.decoder.forgetShapes();
    this.warmUp();
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
    const block: Block = { at: first, count, start: rip, end, dead: false, source: this.layout.mem.u8.slice(rip, end), ...(movable ? { moves: moves.slice(0, count) } : {}) };
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
      let fn = model.functions?.[k] ?? u32[(from + REC_FN) >> 2]!;
      if (fn === FN_ENTER) fn = u32[(from + REC_HOT) >> 2]! >>> 16;
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
    this.add({ at: first, count: model.count, start: rip, end: model.end + by, dead: false, source: model.source!, moves: model.moves! });
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

  // ---- compiled code

  /** The block at `rip`, if there is one, enters compiled code from now on. */
  attach(rip: number, slot: number): void {
    const block = this.blockAt.get(rip);
    if (block === undefined) return;
    const { u32 } = this.layout.mem;
    let fn = u32[(block.at + REC_FN) >> 2]!;
    if (fn === FN_ENTER) fn = u32[(block.at + REC_HOT) >> 2]! >>> 16;
    if (fn < FN_FIRST) return;
    // what the record did before is in the upper half
    u32[(block.at + REC_HOT) >> 2] = (slot | (fn << 16)) >>> 0;
    u32[(block.at + REC_FN) >> 2] = FN_ENTER;
  }
  /** The block at `rip` is interpreted again. `never`: and is not to be compiled any more. */
  detach(rip: number, never: boolean): void {
    const block = this.blockAt.get(rip);
    if (block === undefined) return;
    const { u32 } = this.layout.mem;
    if (u32[(block.at + REC_FN) >> 2] === FN_ENTER) u32[(block.at + REC_FN) >> 2] = u32[(block.at + REC_HOT) >> 2]! >>> 16;
    u32[(block.at + REC_HOT) >> 2] = never ? this.hot : 0;
  }
  /** How often the block at `rip` was the target of a branch. */
  heat(rip: number): number {
    const block = this.blockAt.get(rip);
    return block === undefined ? 0 : Math.min(this.layout.mem.u32[(block.at + REC_HOT) >> 2]!, this.hot);
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
      let fn = u32[(at + REC_FN) >> 2]!;
      if (fn === FN_ENTER) {
        fn = u32[(at + REC_HOT) >> 2]! >>> 16;
        u32[(at + REC_HOT) >> 2] = 0;
      }
      functions[k] = fn;
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
    u32.fill(0, this.hash >> 2, (this.hash >> 2) + (2 << HASH_BITS));
    this.next = this.records;
    this.compiler?.flush();
  }
}
