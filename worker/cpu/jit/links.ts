// worker/cpu/jit/links.ts — what a region needs to know of the rest of the compiled tier.
import type { WasmLayout } from "../build/wasm.ts";

/** The jump table: direct-mapped pairs of u32 [guest address, table slot]. */
export const JUMP_ENTRIES = 4096;

/** What a region needs to know of the rest of the compiled tier. */
export interface Links extends WasmLayout {
  /** where these 16 bytes are in memory, for good; 0: there is no room for them */
  constant(bytes: readonly number[]): number;
  /** address of the jump table */
  readonly jumps: number;
  /** address of the word that holds the table slot of the code at `rip`, or 0 while there is none */
  slotOf(rip: number): number;
  /** where vmcall is legal */
  readonly door: number;
  /** the slot that the code at `rip` will have if it is in the module being written, else 0; that of its first function */
  nearSlot(rip: number): number;
  readonly firstSlot: number;
  /** the type that a function outside of the module has in it */
  typeOf(name: string): number;
}
