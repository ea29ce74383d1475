// worker/main_start.ts — where the machine's Web Worker begins. All else is imported late: engines keep an imported module compiled over visits, but not the script that a worker was
// made of (Chromium 156), and iced-x86 is on its way while that is read.
import type { Connect } from "./protocol.ts";

// first: as soon as it runs, its wasm is on its way
import("iced-x86").catch(() => undefined);
const main = import("./main.ts");
// as if it were in this script: the page hears of it
main.catch(reportError);
addEventListener("message", async (e: MessageEvent<Connect<MessagePort>>) => (await main).connect(e.data), { once: true });
