// worker/cpu/iced.ts — iced-x86, loaded the same way in Node and in a browser.

import type * as iced from "iced-x86";

/** What we use of it; the browser gets nothing else (scripts/vite-iced.ts). */
export const ICED_NAMES = ["Code", "Decoder", "DecoderError", "DecoderOptions", "FlowControl", "Formatter", "FormatterSyntax", "Instruction", "InstructionInfoFactory", "MemorySizeExt", "Mnemonic", "OpAccess", "OpKind", "Register"] as const;

/** The library as a value: `iced.Decoder`, `iced.Code`, … */
export type Iced = Pick<typeof iced, (typeof ICED_NAMES)[number]>;

/**
 * Loads iced-x86 (1 MB of JavaScript and wasm), once per realm.
 *
 * The package is made for Node: it reads its wasm with `fs`. In a bundle, `scripts/vite-iced.ts` turns it into an
 * ES module that fetches the wasm instead, so a plain `import … from "iced-x86"` would do as well; this one loads late.
 */
export function loadIced(): Promise<Iced> {
  return import("iced-x86");
}
