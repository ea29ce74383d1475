// scripts/proof/worker.ts — every executor against the recorded vectors, in a browser's worker

import { loadIced } from "../../worker/cpu/iced.ts";
import { EXECUTORS, makeExecutor, TIERED } from "../../worker/cpu/vectors/executor.ts";
import { runPrograms, runVectors } from "../../worker/cpu/vectors/suite.ts";

/** What one worker does: an executor by number, the names of vector files, and of each file every which case. */
export interface Job {
  readonly executor: number;
  readonly names: readonly string[];
  readonly every: number;
}
/** What came out of a job. */
export interface Told {
  readonly cases: number;
  readonly instructions: number;
  readonly wrong: readonly string[];
}

const read = async (name: string): Promise<string> => {
  const response = await fetch(new URL(`/vectors/${name}.txt`, location.href));
  if (!response.ok) throw new Error(`${response.status} for ${name}`);
  return response.text();
};

async function run({ executor: n, names, every }: Job): Promise<Told> {
  const executor = [...EXECUTORS, ...TIERED][n]!, cpu = makeExecutor(executor, await loadIced());
  const wrong: string[] = [];
  let cases = 0, instructions = 0;
  for (const name of names) {
    const text = await read(name);
    const r = name.startsWith("programs") ? runPrograms(cpu, executor, text) : runVectors(cpu, executor, text, every);
    cases += r.cases;
    instructions += r.instructions;
    wrong.push(...r.wrong.map((w) => `${executor.name}: ${name}: ${w}`));
  }
  return { cases, instructions, wrong };
}

onmessage = ({ data }: MessageEvent<Job>) => {
  run(data).catch((e: unknown): Told => ({ cases: 0, instructions: 0, wrong: [`executor ${data.executor}: ${data.names.join()}: ${String(e)}`] })).then((told) => postMessage(told));
};
