// scripts/vite-iced.ts — a Vite plugin: iced-x86's Node build as an ES module that fetches its wasm.

import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const MODULE = /node_modules\/iced-x86\/iced_x86\.js(?:\?|$)/;

/** Replaces the three lines of the package that need Node, and gives it ES exports. */
export function iced(): Plugin {
  return {
    name: "iced-x86-for-browsers",
    enforce: "pre",
    transform: {
      filter: { id: MODULE },
      handler(code, id) {
        const names = [...code.matchAll(/^module\.exports\.(\w+) = /gm)].map((m) => m[1] ?? "").filter((n) => !n.startsWith("__wb"));
        const body = code
          .replace(/^const \{ TextDecoder, TextEncoder \} = require.*$/m, "")
          .replace(/^const path = require\('path'\).*$/m, "")
          .replace(/^const bytes = require\('fs'\).*$/m, "")
          .replace(/^const wasmModule = .*$/m, "")
          .replace(/^const wasmInstance = .*$/m, "const { instance: wasmInstance } = await WebAssembly.instantiate(await loadWasm(), imports);");
        if (/\brequire\(/.test(body.replace(/^\s*\*.*$/gm, ""))) this.error("iced-x86 has changed: scripts/vite-iced.ts must follow");
        return {
          code: `import wasmUrl from ${JSON.stringify(join(dirname(id), "iced_x86_bg.wasm?url"))};
const module = { exports: {} };
async function loadWasm() {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(\`iced-x86: \${response.status} for \${wasmUrl}\`);
  return response.arrayBuffer();
}
${body}
const { ${names.map((n) => `${n}: $${n}`).join(", ")} } = module.exports;
export { ${names.map((n) => `$${n} as ${n}`).join(", ")} };
`,
          map: null,
        };
      },
    },
  };
}
