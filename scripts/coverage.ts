// scripts/coverage.ts — which instructions occur in real programs, and which of them are defined and recorded.
// Usage: npx tsx scripts/coverage.ts file…

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Decoder, type Shape } from "../worker/cpu/decode.ts";
import { Insn } from "../worker/cpu/decode.ts";
import { loadIced } from "../worker/cpu/iced.ts";
import { GROUPS } from "../worker/cpu/vectors/shapes.ts";
import { parseVectors } from "../worker/cpu/vectors/vectors.ts";

const iced = await loadIced();

/** Executable sections of an ELF file: [address, bytes]. */
function text(file: Buffer): [number, Buffer][] {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) return [];
  const shoff = Number(file.readBigUInt64LE(40)), size = file.readUInt16LE(58), n = file.readUInt16LE(60);
  const out: [number, Buffer][] = [];
  for (let i = 0; i < n; i++) {
    const s = shoff + i * size;
    if (file.readUInt32LE(s + 4) !== 1 || !(Number(file.readBigUInt64LE(s + 8)) & 4)) continue;
    const at = Number(file.readBigUInt64LE(s + 24)), len = Number(file.readBigUInt64LE(s + 32));
    out.push([Number(file.readBigUInt64LE(s + 16)), file.subarray(at, at + len)]);
  }
  return out;
}

/** Kinds and sizes only: that is what the interpreter makes a function of. */
const key = (s: Shape): string => `${["", "rep ", "repne "][s.form.rep]}${s.form.name} ${s.form.operands.map((o) => `${o.kind}${o.size}`).join(",")}`;

const recorded = new Set<string>();
const insn = new Insn();
function decodeAll(bytes: Uint8Array, each: (s: Shape) => void): void {
  const decoder = new Decoder(iced, bytes, bytes.length, () => false);
  for (let at = 0; at < bytes.length; at += insn.length || 1) {
    decoder.decode(at, insn);
    if (insn.length > 0) each(insn.shape);
  }
}
for (const g of GROUPS)
  for (const v of parseVectors(readFileSync(join(import.meta.dirname, "../worker/cpu/vectors", `${g.name}.txt`), "utf8")).vectors)
    if (v.seed === 0) decodeAll(v.code, (s) => recorded.add(key(s)));

const found = new Map<string, { count: number; defined: boolean }>();
let total = 0;
for (const path of process.argv.slice(2)) {
  for (const [, bytes] of text(readFileSync(path)))
    decodeAll(bytes, (s) => {
      total++;
      const k = s.form.name === "invalid" ? "invalid" : key(s);
      const f = found.get(k);
      if (f) f.count++;
      else found.set(k, { count: 1, defined: s.definition !== undefined });
    });
}
let covered = 0, shapes = 0;
const missing: string[] = [], unrecorded: string[] = [];
for (const [k, { count, defined }] of [...found].sort((a, b) => b[1].count - a[1].count)) {
  if (k === "invalid") continue;
  shapes++;
  if (recorded.has(k)) covered++;
  else unrecorded.push(`${k} ${count}`);
  if (!defined) missing.push(`${k} ${count}`);
}
console.log(`${total} instructions of ${shapes} shapes: ${covered} shapes recorded; ${found.get("invalid")?.count ?? 0} undecodable (data in text, or AVX)`);
console.log(`not defined: ${missing.join("; ")}`);
console.log(`not recorded: ${unrecorded.slice(0, 400).join("; ")}`);
