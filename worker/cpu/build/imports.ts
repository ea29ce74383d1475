// worker/cpu/build/imports.ts — what generated code imports beside helpers.
import type { WasmType } from "./module.ts";

/** Helpers that never write guest memory: whoever calls them need not ask whether code was hit. */
export const NO_STORE = /^(sse_|cpuid$|rdtsc$|rflags$|setRflags$|div128$|idiv128$|door$|rep_lods$|rep_cmps$|rep_scas$)/;

/** Helpers that go to registers or flags in the state block by themselves. */
export const STATEFUL = /^(rep_|enter$|rflags$|setRflags$|div128$|idiv128$|fxsave|fxrstor|xsave|xrstor|gather$|vzero)/;

/** Functions that generated code imports, with their types; helpers have none of either but a result i32. */
export const IMPORTS: Readonly<Record<string, readonly [readonly WasmType[], readonly WasmType[]]>> = {
  /** (rip, address, bytes, 1 write | 2 fetch | 4 misaligned): notes the fault */
  "$fault": [["i64", "i64", "i32", "i32"], []],
  /** (address, bytes): a store has hit decoded code */
  "$code_hit": [["i32", "i32"], []],
  /** rip → record, or 1 with EXIT_MISS noted */
  "$lookup": [["i64"], ["i32"]],
  /** rip → record, counted (REC_HOT), or 1 with EXIT_HOT or EXIT_MISS noted */
  "$lookup_hot": [["i64"], ["i32"]],
  /** slot of compiled code → where it wants to go on */
  "$region": [["i32"], ["i64"]],
  /**
   * Compiled code is at the door, everything is in the state block but for flags in canonical locals (as of `$settle`; op -1: these are, too): 0, and it goes on
   * behind it with the flags as they were, or ST_EXIT says why not, and all is in the state block. See door.ts
   */
  "$door": [["i32", "i64", "i64", "i64"], ["i32"]],
  "$kernel": [[], ["i32"]],
  "$quick": [["i32"], []],
  "$again": [[], ["i32"]],
  /** (op, result, first, second operand): flags of compiled code to the state block */
  "$settle": [["i32", "i64", "i64", "i64"], []],
  /** the six flags as in rflags */
  "$getflags": [[], ["i32"]],
};
