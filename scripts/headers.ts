// scripts/headers.ts — the two headers that make a page cross-origin isolated, and so give it shared memory.

export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
