// scripts/proof/page.ts — the page of `npm run proof -- --in=BROWSER`: runs the recorded vectors in a worker, where the machine runs, too.

import type { Told } from "./worker.ts";

const log = document.getElementById("log")!;

/** Resolves to the lines of the report; scripts/proof/browser.ts waits for it. */
(globalThis as unknown as { proof: Promise<Told> }).proof = new Promise((resolve, reject) => {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onerror = (e) => reject(new Error(e.message));
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    log.textContent += `${data.line}\n`;
    if (data.done) resolve(data);
  };
  worker.postMessage(new URLSearchParams(location.search).get("every") ?? "1");
});
