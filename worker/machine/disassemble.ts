// machine/disassemble.ts — instructions as text, for the panels.
import type { Iced } from "../cpu/iced.ts";
import type { CodeLine } from "../protocol/inspect.ts";

/** longest instruction, bytes */
const LONGEST = 15;

export const hexBytes = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");

/** Up to `count` instructions from the beginning of `code`, which lies at `ip`. */
export function disassemble(iced: Iced, code: Uint8Array, ip: number, count: number): CodeLine[] {
  const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
  decoder.ip = BigInt(ip);
  const formatter = new iced.Formatter(iced.FormatterSyntax.Gas);
  const insn = new iced.Instruction();
  const out: CodeLine[] = [];
  while (out.length < count && decoder.canDecode) {
    const at = decoder.position;
    decoder.decodeOut(insn);
    out.push({ address: ip + at, bytes: hexBytes(code.subarray(at, decoder.position)), text: insn.code === iced.Code.INVALID ? "(bad)" : formatter.format(insn) });
  }
  insn.free();
  formatter.free();
  decoder.free();
  return out;
}

/** `count` instructions from `start` on. */
export function disassembleAt(iced: Iced, u8: Uint8Array, size: number, start: number, count: number): CodeLine[] {
  if (!(start >= 0 && start < size)) return [];
  return disassemble(iced, u8.slice(start, Math.min(size, start + LONGEST * count)), start, count);
}

/**
 * The last `count` instructions before `at`. x86 cannot be read backwards: of the places to begin, the farthest one is taken from which decoding arrives
 * exactly at `at`.
 */
export function disassembleBefore(iced: Iced, code: Uint8Array, ip: number, at: number, count: number): CodeLine[] {
  for (let start = Math.max(0, at - ip - 8 * count); start < at - ip; start++) {
    const lines = disassemble(iced, code.subarray(start, at - ip), ip + start, 64);
    if (lines.every((l) => l.text !== "(bad)") && lines.reduce((n, l) => n + (l.bytes.length + 1) / 3, 0) === at - ip - start) return lines.slice(-count);
  }
  return [];
}
