// worker/cpu/core.ts — tier 0's hand-written part: the dispatch loop, where it goes on, and what all shape functions call.

import { Assembler } from "./build/assembler.ts";
import type { ModuleWriter } from "./build/module.ts";
import { NEXT_BRANCH, NEXT_JUMP, NEXT_RETURN, NEXT_STOP, REC_CHAIN, REC_DISP, REC_FN, REC_HOT, REC_IMM, REC_RIP, REC_SIZE, SHAPE, ShapeBuilder } from "./build/shape.ts";
import type { WasmLayout } from "./build/wasm.ts";
import { EXIT_ADDRESS, EXIT_BUDGET, EXIT_PF, EXIT_UD } from "./exit.ts";
import { ST_CUR, ST_EXIT, ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_LEFT, ST_RIP } from "./state.ts";

/** Not for the outside: a jump has retired, and its target (rip) is not decoded. */
export const EXIT_MISS = 100;
/** The same, but nothing has retired. */
export const EXIT_MISS_LINK = 101;
/** The same: a branch was taken (and has retired) whose target, rip, has been reached as often as was waited for: see Interpreter.reached. */
export const EXIT_HOT = 103;

// Slots of functions of records that are no instructions; those of shapes begin at FN_FIRST.
export const FN_LINK = 1, FN_FETCH = 2, FN_UD = 3, FN_FIRST = 8;
/** enters compiled code: see jit/jit.ts */
export const FN_ENTER = 4;
/** the record's code was written to */
export const FN_DEAD = 5;

/** The hash of blocks has 2^HASH_BITS slots: address, first record. */
export const HASH_BITS = 16;

/** Of the core module. */
export interface CoreExports {
  /** Runs from a record: see Interpreter.run. */
  run(record: number): void;
}
/** What others import from it. */
export const CORE = ["$getflags", "$lookup_hot", "$fault"] as const;

/** Writes the functions of the core module, which imports the memory and the table. `hash`: where the hash of blocks is. */
export function writeCore(w: ModuleWriter, layout: WasmLayout, hash: number): void {
  const s = layout.state;
  const shapeType = w.type(...SHAPE);
  // $getflags
  const builder = new ShapeBuilder(layout, new Map());
  builder.begin(undefined, 0);
  builder.emitGetFlags();
  w.exportFunction("$getflags", w.addFunction(w.type([], ["i32"]), builder.types, builder.code));
  const a = new Assembler();
  // $lookup(rip i64) → record; locals: 1 slot, 2 record
  a.hashSlot(0, hash, HASH_BITS);
  a.set(1);
  a.get(1).load64u32(0).get(0).op(0x51).if(); // i64.eq
  a.get(1).load(4).tee(2).if().get(2).return().end().end();
  a.const(0).get(0).store64(s + ST_RIP);
  a.const(0).const(EXIT_MISS).store(s + ST_EXIT);
  a.const(1).op(0x0b);
  const lookup = w.addFunction(w.type(["i64"], ["i32"]), ["i32", "i32"], a.take());
  // $link(record) → record of REC_IMM; local 1 target
  a.get(0).load64(REC_IMM).call(lookup).tee(1).const(1).op(0x47).if(); // i32.ne
  a.get(0).get(1).store(REC_CHAIN).end();
  a.get(1).op(0x0b);
  const link = w.addFunction(w.type(["i32"], ["i32"]), ["i32"], a.take());
  // $hot(record) → record, or 1 if what it was counted for has come; local 1 count
  a.get(0).load(REC_HOT).tee(1).const(0).op(0x48).if(); // i32.lt_s
  a.get(0).get(1).const(1).op(0x6a).tee(1).store(REC_HOT);
  a.get(1).op(0x45).if();
  a.const(0).get(0).load64u32(REC_RIP).store64(s + ST_RIP);
  a.const(0).const(EXIT_HOT).store(s + ST_EXIT).const(1).return().end().end();
  a.get(0).op(0x0b);
  const hot = w.addFunction(w.type(["i32"], ["i32"]), ["i32"], a.take());
  // $lookup_hot(rip): for jumps and calls through registers and memory; local 1 record
  a.get(0).call(lookup).tee(1).const(1).op(0x46).if().const(1).return().end();
  a.get(1).call(hot).op(0x0b);
  const lookupHot = w.addFunction(w.type(["i64"], ["i32"]), ["i32"], a.take());
  w.exportFunction("$lookup_hot", lookupHot);
  // $fault(rip, address, n, kind); local 4
  const size = layout.mem.size;
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
  const stop = (): Assembler => a.const(NEXT_STOP).get(1).return();
  // link record: on to another block, without retiring; local 2 record
  a.get(0).load(REC_CHAIN).tee(2).op(0x45).if();
  a.get(0).call(link).tee(2).const(1).op(0x46).if();
  a.const(0).const(EXIT_MISS_LINK).store(s + ST_EXIT);
  stop().end().end();
  a.get(2).get(1).op(0x0b);
  w.element(FN_LINK, w.addFunction(shapeType, ["i32"], a.take()));
  // a record whose code was written to: its address is looked up anew; local 2 record
  a.get(0).load64u32(REC_RIP).call(lookup).tee(2).const(1).op(0x46).if();
  a.const(0).const(EXIT_MISS_LINK).store(s + ST_EXIT);
  stop().end();
  a.get(2).get(1).op(0x0b);
  w.element(FN_DEAD, w.addFunction(shapeType, ["i32"], a.take()));
  // the bytes cannot be fetched
  a.get(0).load64u32(REC_RIP).get(0).load64(REC_DISP).const(1).const(2).call(fault);
  stop().op(0x0b);
  w.element(FN_FETCH, w.addFunction(shapeType, [], a.take()));
  // no such instruction
  a.const(0).get(0).load64u32(REC_RIP).store64(s + ST_RIP);
  a.const(0).const(EXIT_UD).store(s + ST_EXIT);
  stop().op(0x0b);
  w.element(FN_UD, w.addFunction(shapeType, [], a.take()));
  // run(record); locals 1 left, 2 next, 3 target's counter
  a.const(0).load(s + ST_LEFT).set(1);
  a.loop();
  a.get(0).get(1).get(0).load(REC_FN).callIndirect(shapeType).set(1).tee(2);
  a.const(REC_SIZE - 1).op(0x71).if();
  a.get(2).const(NEXT_BRANCH).op(0x71).if();
  a.get(2).const(NEXT_BRANCH).op(0x6b).load(REC_CHAIN).tee(0).if();
  // counts up to 0; there $hot decides
  a.get(0).load(REC_HOT).tee(3).const(-1).op(0x48).if(); // i32.lt_s
  a.get(0).get(3).const(1).op(0x6a).store(REC_HOT).op(0x05); // else
  a.get(0).call(hot).set(0).end().op(0x05);
  a.get(2).const(NEXT_BRANCH).op(0x6b).call(link).set(0).end();
  // the branch has retired, but if it has no target yet that is for run() to count
  a.get(1).get(0).const(1).op(0x46, 0x6a).set(1).op(0x05);
  a.get(2).const(NEXT_RETURN).op(0x46).if();
  a.const(0).load64(s + ST_RIP).call(lookup).set(0).op(0x05);
  a.get(2).const(NEXT_JUMP).op(0x46).if();
  a.const(0).load64(s + ST_RIP).call(lookupHot).set(0).op(0x05).const(1).set(0).end().end();
  a.get(1).get(0).const(1).op(0x47, 0x6b).set(1).end();
  a.get(0).const(1).op(0x46).if();
  a.const(0).get(1).store(s + ST_LEFT).return().end();
  a.op(0x05).get(2).set(0).end();
  a.get(1).brIf(0).end();
  a.const(0).const(EXIT_BUDGET).store(s + ST_EXIT);
  a.const(0).get(0).store(s + ST_CUR).const(0).const(0).store(s + ST_LEFT).op(0x0b);
  w.exportFunction("run", w.addFunction(w.type(["i32"], []), ["i32", "i32", "i32"], a.take()));
}
