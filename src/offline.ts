// src/offline.ts — whether the page works without a network, and whether a newer version waits. Nothing reloads by itself.
import { Store } from "./store.ts";

export interface Offline {
  /** no: `why` says what stands in the way; all else works all the same */
  readonly state: "unknown" | "preparing" | "ready" | "no";
  readonly why: string;
  /** a newer version is here, and waits */
  readonly update: boolean;
}
export const offline = new Store<Offline>({ state: "unknown", why: "", update: false });

const no = (why: string): void => offline.set({ state: "no", why });

let registration: ServiceWorkerRegistration | undefined;
let asked = false;

/** Asks the service worker whether it has every file: what has been promised is looked at, not believed. */
async function check(worker: ServiceWorker): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<{ files: number; found: number }>((resolve) => {
    port1.onmessage = (e: MessageEvent<{ files: number; found: number }>) => resolve(e.data);
  });
  worker.postMessage("check", [port2]);
  const { files, found } = await answer;
  port1.close();
  if (found === files) offline.set({ state: "ready", why: `${files} files are kept in this browser.` });
  else no(`Only ${found} of ${files} files are in this browser's cache: it may have run out of room.`);
}

/** Keeps the page for visits without a network, where the browser can. Called once the machine is there, so that it takes nothing from the start. */
export async function prepareOffline(): Promise<void> {
  if (offline.get().state !== "unknown") return;
  if (!import.meta.env.PROD) return no("This is the development server.");
  if (!isSecureContext) return no("This address is plain HTTP, where browsers keep no pages. Everything else works; come back while the server is there.");
  const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
  if (serviceWorker === undefined) return no("This browser keeps no pages in this window; a private window is the usual reason. Everything else works.");
  offline.set({ state: "preparing", why: "" });
  try {
    registration = await serviceWorker.register("sw.js");
    serviceWorker.addEventListener("controllerchange", () => {
      if (asked) location.reload();
    });
    const waits = (): void => {
      if (registration?.waiting && registration.active) offline.set({ update: true });
    };
    registration.addEventListener("updatefound", () => registration?.installing?.addEventListener("statechange", waits));
    waits();
    await check((await serviceWorker.ready).active!);
  } catch (e) {
    no(`It could not be kept: ${e instanceof Error ? e.message : String(e)}`);
  }
}

/** The person wants the newer version: it takes over, and the page starts anew. */
export function takeUpdate(): void {
  asked = true;
  registration?.waiting?.postMessage("go");
}
