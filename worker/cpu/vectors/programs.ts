// worker/cpu/vectors/programs.ts — the state in which the program of a seed starts, and which outcomes can be compared

import { initialState } from "./generate.ts";
import { MEMORY_SIZE } from "./executor.ts";
import { CODE, DATA, type Outcome, type State } from "./state.ts";

export function programState(seed: number, code: Uint8Array): State {
  return initialState((["i", "s", "x", "d", "mmx"] as const)[seed % 5]!, "program", seed, code, true);
}

/**
 * False where the guest's memory differs from the recorder's: an access that faulted natively because nothing is mapped there,
 * and would not in the guest; a program that wrote or ran astray, or was stopped by the clock.
 */
export function comparable(native: Outcome): boolean {
  const rip = Number(native.rip);
  if (rip < CODE || rip >= CODE + 4096) return false;
  if (native.trap !== 14) return native.sig !== 26;
  return native.cr2 < 0x1000n || native.cr2 >= BigInt(MEMORY_SIZE) || native.cr2 >> 12n === BigInt(DATA) >> 12n;
}
