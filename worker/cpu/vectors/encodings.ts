// worker/cpu/vectors/encodings.ts — instruction bytes, likely or not: all opcodes with all prefixes, for `npm run proof -- --encodings`

import { initialState, type Random } from "./generate.ts";
import { CODE, DATA, type State } from "./state.ts";

const LEGACY = [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65];
/** Trap flag: a case is one instruction, whatever follows it. */
const TF = 0x100n;

/** Bytes behind an opcode: mod, reg and rm by chance, then an index, displacement and immediate that are mostly small, so that operands lie where memory is. */
function operands(r: Random, out: number[]): void {
  out.push(r.below(256));
  const small = r.below(3) > 0;
  while (out.length < 20) out.push(small ? (r.below(4) > 0 ? 0 : r.below(32)) : r.below(256));
}

/** 15 bytes that begin like an instruction of one of the opcode maps, with prefixes in any order and number. */
export function randomEncoding(r: Random): Uint8Array {
  const out: number[] = [];
  const prefixes = r.below(16) === 0 ? r.below(15) : r.below(4) === 0 ? r.below(4) : r.below(2);
  for (let i = 0; i < prefixes; i++) out.push(r.below(6) === 0 ? 0x40 + r.below(16) : r.pick(LEGACY));
  if (r.below(3) === 0) out.push(0x40 + r.below(16));
  switch (r.below(10)) {
    case 0: case 1:
      out.push(r.below(256));
      break;
    case 2: case 3: case 4:
      out.push(0x0f, r.below(256));
      break;
    case 5:
      out.push(0x0f, 0x38, r.below(256));
      break;
    case 6:
      out.push(0x0f, 0x3a, r.below(256));
      break;
    case 7:
      out.push(0xc5, r.below(256), r.below(256));
      break;
    case 8:
      out.push(0xc4, (r.below(8) << 5) | (r.below(16) === 0 ? r.below(32) : 1 + r.below(3)), r.below(4) > 0 ? r.below(256) | 0x78 : r.below(256), r.below(256));
      break;
    default:
      out.push(r.pick([0x8f, 0x62, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xff, 0xc7, 0xf6, 0xf7, 0x80, 0xc0]));
  }
  operands(r, out);
  return Uint8Array.from(out.slice(0, 15));
}

/** Every opcode of the maps with each mandatory prefix, W, L and reg, from memory and from a register. */
export function* everyEncoding(r: Random): Generator<Uint8Array> {
  for (const map of [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]])
    for (let op = 0; op < 256; op++)
      for (const prefix of [[], [0x66], [0xf2], [0xf3]])
        for (const rex of [[], [0x48]])
          for (let reg = 0; reg < 8; reg++)
            for (const modrm of [0x03, 0xc0 | r.below(8)]) yield padded(r, [...prefix, ...rex, ...map, op, (reg << 3) | modrm]);
  for (const map of [1, 2, 3])
    for (let op = 0; op < 256; op++)
      for (let last = 0; last < 16; last++) // W, L and pp
        for (const v of [0x78, 0x68])
          for (const reg of map === 3 ? [1] : [0, 1, 2, 3, 4, 6, 7])
            for (const modrm of [0x03, 0xc2]) yield padded(r, [0xc4, 0xe0 | map, v | ((last & 8) << 4) | (last & 7), op, (reg << 3) | modrm]);
}
function padded(r: Random, bytes: number[]): Uint8Array {
  while (bytes.length < 15) bytes.push(r.below(3) > 0 ? 0 : r.below(32));
  return Uint8Array.from(bytes.slice(0, 15));
}

/** The state before a case: registers that are mostly addresses of data, single-stepping on. */
export function encodingState(r: Random, seed: number, bytes: Uint8Array, once: boolean): State {
  const s = initialState(r.pick(["i", "s", "d", "x", "mmx"] as const), "encoding", seed, bytes, true);
  const spread = r.below(3);
  for (let i = 0; i < 16; i++)
    if (spread > 0 || (i >= 3 && i <= 7)) s.gpr[i] = BigInt(DATA + 0x400 + 64 * r.below(32));
  if (spread === 2) for (const i of [0, 1, 2, 8, 9]) s.gpr[i] = BigInt(r.below(64));
  // a repeated instruction is stopped after each round when it is single-stepped natively
  if (once) s.gpr[1] = BigInt(r.below(2));
  s.rflags |= TF;
  return s;
}
export { CODE };
