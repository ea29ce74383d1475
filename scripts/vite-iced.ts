// scripts/vite-iced.ts — a Vite plugin: iced-x86's Node build as an ES module that fetches its wasm, without what we do not use.

import { dirname, join } from "node:path";
import type { Plugin } from "vite";
import { ICED_NAMES } from "../worker/cpu/iced.ts";

const MODULE = /node_modules\/iced-x86\/iced_x86\.js(?:\?|$)/;

/**
 * An enum that counts from 0, written both ways round, as a list of names: what takes a browser longest of all this library is to read its two largest enums.
 * undefined: it is another one.
 */
function asList(entries: string): string | undefined {
  const text = entries.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");
  const names = text.split(",").filter((e) => e.trim() !== "").map((e) => e.trim());
  const list: string[] = [];
  for (let i = 0; i < names.length; i += 2) {
    const name = /^(\w+):\s*(\d+)$/.exec(names[i]!);
    if (name === null || Number(name[2]) !== i / 2 || names[i + 1]?.replaceAll(" ", "") !== `"${i / 2}":"${name[1]!}"`) return undefined;
    list.push(name[1]!);
  }
  return list.length > 100 ? `enumOf(${JSON.stringify(list.join(" "))})` : undefined;
}

/** Replaces the three lines of the package that need Node, and gives it ES exports. */
export function iced(): Plugin {
  return {
    name: "iced-x86-for-browsers",
    enforce: "pre",
    transform: {
      filter: { id: MODULE },
      handler(code, id) {
        const there = new Set([...code.matchAll(/^module\.exports\.(\w+) = /gm)].map((m) => m[1]!));
        for (const name of ICED_NAMES) if (!there.has(name)) this.error(`iced-x86 has no ${name} any more: scripts/vite-iced.ts must follow`);
        const wanted = (name: string): boolean => name.startsWith("__wb") || (ICED_NAMES as readonly string[]).includes(name);
        const body = code
          .replace(/^module\.exports\.(\w+) = Object\.freeze\(\{([^]*?)\}\);?$/gm, (whole, name: string, entries: string) => {
            if (!wanted(name)) return "";
            const list = asList(entries);
            return list === undefined ? whole : `module.exports.${name} = ${list};`;
          })
          .replace(/^module\.exports\.(\w+) = \1;$/gm, (whole, name: string) => (wanted(name) ? whole : ""))
          .replace(/^const \{ TextDecoder, TextEncoder \} = require.*$/m, "")
          .replace(/^const path = require\('path'\).*$/m, "")
          .replace(/^const bytes = require\('fs'\).*$/m, "")
          .replace(/^const wasmModule = .*$/m, "")
          .replace(/^const wasmInstance = .*$/m, "const { instance: wasmInstance } = await loadWasm();");
        if (/\brequire\(/.test(body.replace(/^\s*\*.*$/gm, ""))) this.error("iced-x86 has changed: scripts/vite-iced.ts must follow");
        return {
          code: `import wasmUrl from ${JSON.stringify(join(dirname(id), "iced_x86_bg.wasm?url"))};
const module = { exports: {} };
function enumOf(names) {
  const out = {};
  names.split(" ").forEach((name, i) => {
    out[name] = i;
    out[i] = name;
  });
  return out;
}
async function loadWasm() {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new Error(\`iced-x86: \${response.status} for \${wasmUrl}\`);
  // compiled while it comes, if the server says what it is
  if (response.headers.get("Content-Type") === "application/wasm") return WebAssembly.instantiateStreaming(response, imports);
  return WebAssembly.instantiate(await response.arrayBuffer(), imports);
}
${body}
const { ${ICED_NAMES.map((n) => `${n}: $${n}`).join(", ")} } = module.exports;
export { ${ICED_NAMES.map((n) => `$${n} as ${n}`).join(", ")} };
`,
          map: null,
        };
      },
    },
  };
}
