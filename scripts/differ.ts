// scripts/differ.ts — `npm run differ -- [SEEDS] [FAMILY…] [--from=SEED] [--steps=N] [--fs=ext4|ramfs] [--all]`: random sequences of system calls, on this host and in a machine.
//
// Each sequence that differs is shown with its last ten calls and both answers; a sequence that differs is tried on the host a second time, for a host that is
// busy may be late. Run it as root. --all shows the whole sequence as the machine told it. `--record` writes down what this host says to the sequences of npm test.
import { writeFileSync } from "node:fs";
import { EXPECTED, RECORDED, differences, families, onHost, onMachine, recording, type Sequence } from "../worker/test/differ.ts";

const option = (name: string, otherwise: string): string => process.argv.find((a) => a.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise;
const words = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const seeds = Number(words.find((a) => /^\d+$/.test(a)) ?? 5);
const named = words.filter((a) => !/^\d+$/.test(a));
const from = Number(option("from", "1")), steps = Number(option("steps", "300")), only = option("fs", "");
const started = Date.now();

const sequences: Sequence[] = [];
for (const { name, files } of families())
  if (named.length === 0 || named.includes(name))
    for (let seed = from; seed < from + seeds; seed++)
      for (const fs of files ? (["ext4", "ramfs"] as const) : (["ramfs"] as const)) if (only === "" || only === fs) sequences.push({ family: name, seed, steps, fs });

if (process.argv.includes("--record")) {
  const told = onHost(RECORDED);
  if (recording(told) !== recording(onHost(RECORDED))) throw new Error("two runs differ; not recorded");
  writeFileSync(EXPECTED, recording(told));
  process.exit(0);
}
let host = onHost(sequences);
const here = await onMachine(sequences);
let found = differences(sequences, host, here);
if (found.length > 0) {
  const again = onHost(sequences);
  for (const { sequence } of differences(sequences, host, again)) console.log(`${sequence.family} ${sequence.seed} ${sequence.fs}: two runs on the host differ`);
  host = again;
  found = found.filter((d) => differences([d.sequence], host, here).length > 0);
}
for (const { sequence, before, host: a, here: b } of found) console.log(`\n=== ${sequence.family} ${sequence.seed} ${sequence.fs}\n${before.join("\n")}\nhost ${a}\nhere ${b}`);
if (process.argv.includes("--all")) for (const [name, lines] of here) console.log(`=== ${name}\n${lines.join("\n")}`);
const lines = [...host.values()].reduce((n, l) => n + l.length, 0);
console.log(`${sequences.length} sequences, ${lines} lines: ${found.length} differ; ${((Date.now() - started) / 1000).toFixed(0)} s`);
process.exitCode = found.length > 0 ? 1 : 0;
