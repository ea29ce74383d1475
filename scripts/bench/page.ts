// scripts/bench/page.ts — the page of a benchmark in a browser: one worker for each machine, asked by whoever drives the page.
import type { Measured, Mode } from "./session.ts";
import type { Answer, Ask } from "./page_worker.ts";

const workers = new Map<Mode, Worker>();

function ask(worker: Worker, message: Ask): Promise<Measured | undefined> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => ("error" in data ? reject(new Error(data.error)) : resolve(data.measured));
    worker.onerror = (e) => reject(new Error(e.message));
    worker.postMessage(message);
  });
}

const bench = {
  async boot(mode: Mode): Promise<void> {
    const worker = new Worker(new URL("./page_worker.ts", import.meta.url), { type: "module" });
    workers.set(mode, worker);
    await ask(worker, { boot: mode });
  },
  run: (mode: Mode, program: string, row: string, count: number): Promise<Measured | undefined> => ask(workers.get(mode)!, { program, row, count }),
};
export type Bench = typeof bench;
Object.assign(globalThis, { bench });
