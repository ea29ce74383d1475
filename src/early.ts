// src/early.ts — what is on its way before the page itself is read: the machine's worker and the list of images.
import type { ManifestEntry } from "./manifest.ts";

function create(): Worker {
  return new Worker(new URL("../worker/main_start.ts", import.meta.url), { type: "module", name: "machine" });
}
let early: Worker | undefined = create();
// nobody else listens yet: one whose code did not come would be waited for without an end
early.addEventListener("error", () => {
  early = undefined;
});
/** A machine's worker: the first one has begun already. */
export function machineWorker(): Worker {
  const worker = early ?? create();
  early = undefined;
  return worker;
}

/** What this server has to boot; rejects if that cannot be had. */
export const manifest: Promise<readonly ManifestEntry[]> = fetch("images/manifest.json").then((response) => {
  if (!response.ok) throw new Error(String(response.status));
  return response.json() as Promise<ManifestEntry[]>;
});
manifest.catch(() => undefined);
