// scripts/proof/worker.ts — every executor against the recorded vectors, in a browser's worker

import { loadIced } from "../../worker/cpu/iced.ts";
import { EXECUTORS, makeExecutor, TIERED } from "../../worker/cpu/vectors/executor.ts";
import { GROUPS } from "../../worker/cpu/vectors/shapes.ts";
import { runPrograms, runVectors } from "../../worker/cpu/vectors/suite.ts";

/** A line of progress; with `done`, the last one. */
export interface Told {
  readonly line: string;
  readonly done: boolean;
  readonly wrong: readonly string[];
}

const read = async (name: string): Promise<string> => {
  const response = await fetch(new URL(`/vectors/${name}.txt`, location.href));
  if (!response.ok) throw new Error(`${response.status} for ${name}`);
  return response.text();
};

async function run(every: number): Promise<void> {
  const iced = await loadIced();
  const texts = new Map<string, string>();
  for (const name of [...GROUPS.map((g) => g.name), "programs", "programs_hot"]) texts.set(name, await read(name));
  const wrong: string[] = [];
  let cases = 0, instructions = 0;
  for (const executor of [...EXECUTORS, ...TIERED]) {
    const cpu = makeExecutor(executor, iced);
    let mine = 0;
    const before = wrong.length;
    for (const [name, text] of texts) {
      if (TIERED.includes(executor) !== (name === "programs_hot")) continue;
      const r = name.startsWith("programs") ? runPrograms(cpu, executor, text) : runVectors(cpu, executor, text, every);
      mine += r.cases;
      instructions += r.instructions;
      wrong.push(...r.wrong.map((w) => `${executor.name}: ${name}: ${w}`));
    }
    cases += mine;
    postMessage({ line: `${executor.name}: ${mine} cases, ${wrong.length - before} disagree`, done: false, wrong: [] } satisfies Told);
  }
  postMessage({ line: `${navigator.userAgent}: ${cases} cases, ${instructions} instructions, ${wrong.length} disagree with the processor`, done: true, wrong } satisfies Told);
}

onmessage = ({ data }: MessageEvent<string>) => {
  run(Number(data)).catch((e: unknown) => postMessage({ line: String(e), done: true, wrong: [String(e)] } satisfies Told));
};
