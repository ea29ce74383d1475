// scripts/bench/page_worker.ts — a worker with one machine to be measured.
import type { CpuStart } from "../../worker/cpu/remote.ts";
import { Session, type Measured, type Mode } from "./session.ts";

export type Ask = { readonly boot: Mode } | { readonly program: string; readonly row: string; readonly count: number };
export type Answer = { readonly measured?: Measured } | { readonly error: string };

function startCpu(start: CpuStart): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("../../worker/main_cpu.ts", import.meta.url), { type: "module" });
    worker.onmessage = () => resolve();
    worker.onerror = (e) => reject(new Error(e.message));
    worker.postMessage(start);
  });
}

async function answer(message: Ask, session: Session | undefined): Promise<{ session: Session; measured?: Measured }> {
  if ("boot" in message) {
    const image = new Uint8Array(await (await fetch("/bench-image")).arrayBuffer());
    return { session: await Session.boot(message.boot, image, startCpu) };
  }
  if (session === undefined) throw new Error("no machine was booted");
  return { session, measured: session.run(message.program, message.row, message.count) };
}

function serve(): void {
  let session: Session | undefined;
  addEventListener("message", ({ data }: MessageEvent<Ask>) => {
    answer(data, session).then(
      (done) => {
        session = done.session;
        postMessage({ measured: done.measured } satisfies Answer);
      },
      (e: unknown) => postMessage({ error: String(e) } satisfies Answer),
    );
  });
}
serve();
