// worker/main_cpu.ts — um=ptrace: the second Web Worker, in which the guest runs while the kernel waits in the first (worker/main.ts).
import { loadIced } from "./cpu/iced.ts";
import { CpuServer, type CpuStart } from "./cpu/remote.ts";

addEventListener(
  "message",
  (e: MessageEvent<CpuStart>) => {
    loadIced().then((iced) => {
      const server = new CpuServer(e.data, iced);
      postMessage("ready");
      server.serve();
      close();
      // the kernel's worker hears of errors, not of promises
    }, reportError);
  },
  { once: true },
);
