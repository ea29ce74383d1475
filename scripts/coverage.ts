// scripts/coverage.ts — which instructions occur in real programs, and which of them are defined and recorded.
// Usage: npx tsx scripts/coverage.ts [file…]; also printed by npm run proof.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Decoder, Insn, type Shape } from "../worker/cpu/decode.ts";
import { type Iced, loadIced } from "../worker/cpu/iced.ts";
import { GROUPS } from "../worker/cpu/vectors/shapes.ts";
import { parseVectors } from "../worker/cpu/vectors/vectors.ts";

/** Programs worth looking at, where this machine has them. */
const USUAL = ["/bin/bash", "/usr/bin/perl", "/usr/bin/python3", "/usr/bin/openssl", "/usr/bin/sqlite3", "/usr/bin/ffmpeg", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1",
  "/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", "/lib/ld-musl-x86_64.so.1"];

/** Executable sections of an ELF file. */
function text(file: Buffer): Buffer[] {
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2) return [];
  const shoff = Number(file.readBigUInt64LE(40)), size = file.readUInt16LE(58), n = file.readUInt16LE(60);
  const out: Buffer[] = [];
  for (let i = 0; i < n; i++) {
    const s = shoff + i * size;
    if (file.readUInt32LE(s + 4) !== 1 || !(Number(file.readBigUInt64LE(s + 8)) & 4)) continue;
    const at = Number(file.readBigUInt64LE(s + 24)), len = Number(file.readBigUInt64LE(s + 32));
    out.push(file.subarray(at, at + len));
  }
  return out;
}

/** Kinds and sizes only: that is what the interpreter makes a function of. */
const key = (s: Shape): string => `${["", "rep ", "repne "][s.form.rep]}${s.form.name} ${s.form.operands.map((o) => `${o.kind}${o.size}`).join(",")}`;

function decodeAll(iced: Iced, bytes: Uint8Array, each: (s: Shape) => void): void {
  const insn = new Insn(), decoder = new Decoder(iced, bytes, bytes.length, () => false);
  for (let at = 0; at < bytes.length; at += insn.length || 1) {
    decoder.decode(at, insn);
    if (insn.length > 0) each(insn.shape);
  }
}

/** A summary, and with `detail` what is missing. */
export function coverage(iced: Iced, files: readonly string[], detail: boolean): string {
  const recorded = new Set<string>();
  for (const g of GROUPS)
    for (const v of parseVectors(readFileSync(join(import.meta.dirname, "../worker/cpu/vectors", `${g.name}.txt`), "utf8")).vectors)
      if (v.seed === 0) decodeAll(iced, v.code, (s) => recorded.add(key(s)));
  const found = new Map<string, { count: number; defined: boolean }>();
  let total = 0, undecodable = 0;
  for (const path of files)
    for (const bytes of text(readFileSync(path)))
      decodeAll(iced, bytes, (s) => {
        if (s.form.name === "invalid" || s.form.name.endsWith("_evex")) {
          undecodable++;
          return;
        }
        total++;
        const k = key(s), f = found.get(k);
        if (f) f.count++;
        else found.set(k, { count: 1, defined: s.definition !== undefined });
      });
  const by = [...found].sort((a, b) => b[1].count - a[1].count);
  const withVectors = by.filter(([k]) => recorded.has(k));
  const share = withVectors.reduce((n, [, f]) => n + f.count, 0) / Math.max(total, 1);
  const missing = by.filter(([, f]) => !f.defined), unrecorded = by.filter(([k, f]) => f.defined && !recorded.has(k));
  const list = (l: typeof by): string => l.map(([k, f]) => `${k} (${f.count})`).join("; ");
  const lines = [
    `${files.length} programs, ${total} instructions of ${by.length} shapes: ${withVectors.length} shapes, ${(share * 100).toFixed(3)} % of the instructions, have vectors (${recorded.size} shapes recorded)`,
    `${missing.length} shapes are not defined (${missing.reduce((n, [, f]) => n + f.count, 0)} instructions, mostly data in text); ${undecodable} undecodable or AVX-512`,
  ];
  if (detail) lines.push(`not defined: ${list(missing)}`, `not recorded: ${list(unrecorded)}`);
  return lines.join("\n");
}

export const usualPrograms = (): string[] => USUAL.filter((f) => existsSync(f));

if (process.argv[1]?.endsWith("coverage.ts")) {
  const files = process.argv.slice(2);
  console.log(coverage(await loadIced(), files.length ? files : usualPrograms(), true));
}
