// worker/cpu/flags.ts — lazy flags: the last setter, and the six status flags worked out from it when somebody asks.
//
// An instruction that sets flags writes what it was (FL_*), its result and its operands, all sign-extended to 64 bits: sign extension
// keeps both the signed and the unsigned order, so no condition needs to know the size.

import type { CpuState } from "./state.ts";
import { ST_FL_A, ST_FL_B, ST_FL_OP, ST_FL_RES } from "./state.ts";

/** res = a - b. Zero, so that it is the first test a condition makes. */
export const FL_SUB = 0;
/** res = a + b */
export const FL_ADD = 1;
/** res = a + b + carry */
export const FL_ADC = 2;
/** res = a - b - carry */
export const FL_SBB = 3;
/** CF = OF = AF = 0 */
export const FL_LOGIC = 4;
/** res = a + 1; CF is in b */
export const FL_INC = 5;
/** res = a - 1; CF is in b */
export const FL_DEC = 6;
/** ZF, SF and PF from res; CF, AF and OF are bits of a, where they are in rflags */
export const FL_EXPLICIT = 7;
/** All six are bits of a */
export const FL_BITS = 8;

/** What an instruction may name as the setter of the flags. */
export type FlagKind = "sub" | "add" | "adc" | "sbb" | "logic" | "inc" | "dec";
export const FLAG_KINDS: Readonly<Record<FlagKind, number>> = {
  sub: FL_SUB, add: FL_ADD, adc: FL_ADC, sbb: FL_SBB, logic: FL_LOGIC, inc: FL_INC, dec: FL_DEC,
};

/** Conditions by x86's numbers: the low four bits of jcc, setcc and cmovcc. */
export const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** 1 for a byte with an even number of ones. */
function parity(byte: number): number {
  byte ^= byte >> 4;
  return ~(0x6996 >> (byte & 15)) & 1;
}

/** CF, PF, AF, ZF, SF and OF, where they are in rflags. */
export function getStatusFlags(state: Pick<CpuState, "get32">): number {
  const op = state.get32(ST_FL_OP);
  const alo = state.get32(ST_FL_A), ahi = state.get32(ST_FL_A + 4);
  if (op === FL_BITS) return alo & 0x8d5;
  const rlo = state.get32(ST_FL_RES), rhi = state.get32(ST_FL_RES + 4);
  const blo = state.get32(ST_FL_B), bhi = state.get32(ST_FL_B + 4);
  let flags = parity(rlo & 0xff) << 2;
  if ((rlo | rhi) === 0) flags |= 0x40;
  if (rhi < 0) flags |= 0x80;
  switch (op) {
    case FL_ADD:
    case FL_ADC:
      if (((ahi & bhi) | ((ahi | bhi) & ~rhi)) < 0) flags |= 1;
      if (((ahi ^ rhi) & (bhi ^ rhi)) < 0) flags |= 0x800;
      return flags | ((alo ^ blo ^ rlo) & 0x10);
    case FL_SUB:
    case FL_SBB:
      if (((~ahi & bhi) | ((~ahi | bhi) & rhi)) < 0) flags |= 1;
      if (((ahi ^ bhi) & (ahi ^ rhi)) < 0) flags |= 0x800;
      return flags | ((alo ^ blo ^ rlo) & 0x10);
    case FL_INC:
      if ((~ahi & rhi) < 0) flags |= 0x800;
      return flags | (blo & 1) | ((alo ^ rlo) & 0x10);
    case FL_DEC:
      if ((ahi & ~rhi) < 0) flags |= 0x800;
      return flags | (blo & 1) | ((alo ^ rlo) & 0x10);
    case FL_EXPLICIT:
      return flags | (alo & 0x811);
    default: // FL_LOGIC
      return flags;
  }
}

/** Sets all six. */
export function setStatusFlags(state: CpuState, flags: number): void {
  state.set32(ST_FL_OP, FL_BITS);
  state.set32(ST_FL_A, flags);
  state.set32(ST_FL_A + 4, 0);
  for (const at of [ST_FL_RES, ST_FL_B]) {
    state.set32(at, 0);
    state.set32(at + 4, 0);
  }
}
