// src/link/check.ts — "check it": boots a link in a second worker, where nobody sees it, and compares the fingerprints.
import { wrap } from "comlink";
import type { MadeLink } from "../../worker/protocol/link.ts";
import { fingerprintAt } from "./guest.ts";
import type { BootRequest, Connect, ImageSource, MachineControl, ToPage } from "../../worker/protocol.ts";

export interface Check {
  /** the fingerprint that it got; rejects with a sentence */
  readonly result: Promise<string>;
  cancel(): void;
}

/** `cmdline` is the machine's own; `progress` is told instructions retired. */
export function checkLink(made: MadeLink, cmdline: string, source: ImageSource, progress: (retired: number) => void): Check {
  const worker = new Worker(new URL("../../worker/main_start.ts", import.meta.url), { type: "module", name: "check" });
  const control = new MessageChannel();
  const bytes = new MessageChannel();
  const connect: Connect<MessagePort> = { control: control.port2, bytes: bytes.port2 };
  worker.postMessage(connect, [control.port2, bytes.port2]);
  const { link } = made;
  const result = new Promise<string>((resolve, reject) => {
    worker.onerror = (e) => reject(new Error(e.message || "The second worker does not start."));
    bytes.port1.onmessage = (e: MessageEvent<ToPage>) => {
      const message = e.data;
      if (message.type === "output") bytes.port1.postMessage({ type: "shown", bytes: message.bytes.length });
      else if (message.type === "crashed") reject(new Error(message.why));
      else if (message.type === "status") {
        const got = fingerprintAt(message.status, link.at ?? 0);
        if (got !== undefined) {
          // it may tell of itself once more
          bytes.port1.close();
          resolve(got);
        } else progress(message.status.retired);
      }
    };
    const request: BootRequest = {
      cmdline,
      disk: { name: link.image.name, source, use: "scratch" },
      jit: true, cols: 80, rows: 24,
      replay: { clock: link.clock, events: link.extra.input ?? [], at: link.at ?? 0, ...(link.ns === undefined ? {} : { ns: link.ns }), speed: "full" },
    };
    wrap<MachineControl>(control.port1).boot(request).catch(reject);
  }).finally(() => worker.terminate());
  return { result, cancel: () => worker.terminate() };
}
