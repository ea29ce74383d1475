// scripts/proof/page.ts — the page of `npm run proof -- --in=BROWSER`: runs the recorded vectors in workers, where the machine runs, too.
//
// A case of compiled code is a module of its own, and a browser gives none back before its worker goes or rests: of tens of thousands Firefox runs out of
// memory for code. So each worker does a few files and is ended.

import { EXECUTORS, TIERED } from "../../worker/cpu/vectors/executor.ts";
import { GROUPS } from "../../worker/cpu/vectors/shapes.ts";
import type { Job, Told } from "./worker.ts";

/** The report, for scripts/proof/browser.ts: the last line, and what was wrong. */
export interface Report {
  readonly line: string;
  readonly wrong: readonly string[];
}

/** Vector files that a worker which compiles does at most. */
const FILES = 3;
const log = document.getElementById("log")!;
const every = Number(new URLSearchParams(location.search).get("every") ?? "1");

const inWorker = (job: Job): Promise<Told> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onerror = (e) => reject(new Error(e.message));
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      worker.terminate();
      resolve(data);
    };
    worker.postMessage(job);
  });

async function prove(): Promise<Report> {
  const wrong: string[] = [];
  let cases = 0, instructions = 0;
  for (const [executor, { name, options }] of [...EXECUTORS, ...TIERED].entries()) {
    const files = executor >= EXECUTORS.length ? ["programs_hot"] : [...GROUPS.map((g) => g.name), "programs"];
    const each = options.jit === true ? FILES : files.length;
    let mine = 0;
    const before = wrong.length;
    for (let i = 0; i < files.length; i += each) {
      const told = await inWorker({ executor, names: files.slice(i, i + each), every });
      mine += told.cases;
      instructions += told.instructions;
      wrong.push(...told.wrong);
    }
    cases += mine;
    log.textContent += `${name}: ${mine} cases, ${wrong.length - before} disagree\n`;
  }
  return { line: `${navigator.userAgent}: ${cases} cases, ${instructions} instructions, ${wrong.length} disagree with the processor`, wrong };
}

(globalThis as unknown as { proof: Promise<Report> }).proof = prove();
