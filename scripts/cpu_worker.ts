// scripts/cpu_worker.ts — um=ptrace in Node: starts the worker thread that runs the guest; and, in that thread, runs it.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { loadIced } from "../worker/cpu/iced.ts";
import { CpuServer, type CpuStart } from "../worker/cpu/remote.ts";

/** Resolves when the thread is ready to be asked. */
export function startCpu(start: CpuStart): Promise<void> {
  return new Promise((resolve, reject) => {
    // a thread does not inherit the loader of TypeScript
    const tsx = import.meta.resolve("tsx/esm/api");
    const code = `import(${JSON.stringify(tsx)}).then(({ register }) => (register(), import(${JSON.stringify(import.meta.url)})))`;
    const worker = new Worker(code, { eval: true, workerData: start });
    worker.once("message", () => {
      worker.unref();
      resolve();
    });
    worker.once("error", reject);
  });
}

if (!isMainThread && parentPort !== null) {
  const server = new CpuServer(workerData as CpuStart, await loadIced());
  parentPort.postMessage("ready");
  server.serve();
}
