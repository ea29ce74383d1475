// worker/cpu/iced.ts — iced-x86, loaded the same way in Node and in a browser.

import type * as iced from "iced-x86";

/** The library as a value: `iced.Decoder`, `iced.Code`, … */
export type Iced = typeof iced;

/**
 * Loads iced-x86 (1.3 MB of JavaScript and wasm), once per realm.
 *
 * The package is made for Node: it reads its wasm with `fs`. In a bundle, `scripts/vite-iced.ts` turns it into an
 * ES module that fetches the wasm instead, so a plain `import … from "iced-x86"` would do as well; this one loads late.
 */
export function loadIced(): Promise<Iced> {
  return import("iced-x86");
}
