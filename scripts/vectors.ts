// scripts/vectors.ts — records worker/cpu/vectors/*.txt on this machine's CPU.  Usage: npx tsx scripts/vectors.ts [group…]

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { changes, format } from "../worker/cpu/vectors/compare.ts";
import { initialState } from "../worker/cpu/vectors/generate.ts";
import { GROUPS } from "../worker/cpu/vectors/shapes.ts";
import { assemble, buildRecorder, runNative } from "./native.ts";

const recorder = buildRecorder();
if (recorder === undefined) throw new Error("recording needs an x86-64 Linux with gcc and binutils");
const wanted = process.argv.slice(2);
for (const group of GROUPS) {
  if (wanted.length && !wanted.includes(group.name)) continue;
  const lines = [...new Set(group.lines)];
  const codes = assemble(lines);
  const cases = lines.flatMap((line, i) => Array.from({ length: group.seeds }, (_, seed) => initialState(group.kind, line, seed, Buffer.from(codes[i]!, "hex"), group.avx)));
  const outcomes = runNative(recorder, cases);
  const text: string[] = [`# ${group.name}: recorded on hardware by scripts/vectors.ts. kind ${group.kind}${group.avx ? " avx" : ""}`];
  lines.forEach((line, i) => {
    text.push(`= ${codes[i]} ${line}`);
    for (let seed = 0; seed < group.seeds; seed++) {
      const n = i * group.seeds + seed;
      text.push(`${seed} ${format(changes(cases[n]!, outcomes[n]!))}`);
    }
  });
  writeFileSync(join(import.meta.dirname, "../worker/cpu/vectors", `${group.name}.txt`), text.join("\n") + "\n");
  console.log(`${group.name}: ${lines.length} instructions, ${cases.length} cases`);
}
