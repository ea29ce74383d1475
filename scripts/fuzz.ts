// scripts/fuzz.ts — `npm run fuzz -- [MINUTES] [--from=SEED] [--calls=N]`: random system calls from several processes in whole machines, each machine run twice in different ways.
//
// What must not be: an internal error, a machine that does not end, a disk that e2fsck does not like, two runs that differ. A seed that fails is printed, and
// `--from=SEED 0` runs it alone.
import { fuzzImage, fuzzTwice } from "../worker/test/fuzz.ts";

const option = (name: string, otherwise: number): number => Number(process.argv.find((a) => a.startsWith(`--${name}=`))?.split("=")[1] ?? otherwise);
const minutes = Number(process.argv.slice(2).find((a) => /^\d+(\.\d+)?$/.test(a)) ?? 60);
const from = option("from", 1), calls = option("calls", 20_000);
const started = Date.now();
const image = fuzzImage();
let failures = 0, instructions = 0, seed = from;
do {
  // every third machine has a fork, the others refuse it
  const options = seed % 3 === 0 ? "nommu.fork=shadow nommu.map_fixed=own" : "";
  try {
    const r = await fuzzTwice(image, seed, calls, options);
    instructions += r.instructions;
    const said = /fuzz: .*|Kernel panic.*/.exec(r.text)?.[0] ?? "it said nothing";
    console.log(`seed ${seed}: ${said}; ${(r.instructions / 1e6).toFixed(1)} M instructions`);
  } catch (e) {
    failures++;
    console.log(`seed ${seed} FAILED: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`);
  }
  seed++;
} while (Date.now() - started < minutes * 60_000);
console.log(`${seed - from} machines of ${calls} calls, each twice: ${failures} failed; ${(instructions / 1e6).toFixed(0)} M instructions, ${((Date.now() - started) / 60_000).toFixed(1)} min`);
process.exitCode = failures > 0 ? 1 : 0;
