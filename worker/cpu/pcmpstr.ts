// worker/cpu/pcmpstr.ts — PCMPESTRx and PCMPISTRx: comparison of packed strings.  SDM Vol. 2 section 4.1

import { arg32, argAddress, type HelperContext, setRet, xargAddress, xretAddress } from "./build/helpers.ts";
import { CF, OF, SF, ZF } from "./state.ts";

/** Arguments: imm8, length of a, length of b (i64); the two strings. Results: the index, the flags as in rflags; the mask as X. */
export function checkPcmp(cpu: HelperContext, explicit: boolean): number {
  const { dv, u8 } = cpu.mem;
  const imm = arg32(cpu, 0);
  const words = (imm & 1) !== 0, signed = (imm & 2) !== 0;
  const n = words ? 8 : 16;
  const at = [xargAddress(cpu, 0), xargAddress(cpu, 1)] as const;
  const element = (s: 0 | 1, i: number): number =>
    words ? (signed ? dv.getInt16(at[s] + 2 * i, true) : dv.getUint16(at[s] + 2 * i, true)) : signed ? dv.getInt8(at[s] + i) : dv.getUint8(at[s] + i);
  const length = (s: 0 | 1): number => {
    if (explicit) {
      const a = argAddress(cpu, 1 + s);
      const v = dv.getInt32(a + 4, true) * 0x1_0000_0000 + dv.getUint32(a, true);
      return Math.min(Math.abs(v), n);
    }
    for (let i = 0; i < n; i++) if (element(s, i) === 0) return i;
    return n;
  };
  const la = length(0), lb = length(1);
  let r = 0;
  for (let j = 0; j < n; j++) {
    let bit = false;
    switch ((imm >> 2) & 3) {
      case 0: // equal any
        for (let i = 0; i < la; i++) bit = bit || (j < lb && element(0, i) === element(1, j));
        break;
      case 1: // ranges
        for (let i = 0; i + 1 < la; i += 2) bit = bit || (j < lb && element(1, j) >= element(0, i) && element(1, j) <= element(0, i + 1));
        break;
      case 2: // equal each
        bit = j < la && j < lb ? element(0, j) === element(1, j) : j >= la && j >= lb;
        break;
      default: // equal ordered
        bit = true;
        for (let i = 0; i < la && j + i < n; i++) if (j + i >= lb || element(0, i) !== element(1, j + i)) bit = false;
    }
    if (bit) r |= 1 << j;
  }
  const all = (1 << n) - 1;
  if (imm & 0x10) r ^= imm & 0x20 ? (1 << lb) - 1 : all;
  let index = n;
  if (r !== 0) index = imm & 0x40 ? 31 - Math.clz32(r) : 31 - Math.clz32(r & -r);
  setRet(cpu, 0, index);
  setRet(cpu, 1, (r !== 0 ? CF : 0) | (lb < n ? ZF : 0) | (la < n ? SF : 0) | (r & 1 ? OF : 0));
  const to = xretAddress(cpu);
  u8.fill(0, to, to + 16);
  if (!(imm & 0x40)) dv.setUint16(to, r, true);
  else for (let j = 0; j < 16; j++) u8[to + j] = (r >> (words ? j >> 1 : j)) & 1 ? 0xff : 0;
  return 0;
}
