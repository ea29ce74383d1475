// scripts/vite-offline.ts — a Vite plugin: sw.js, the service worker, told which files there are.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";
import { globSync } from "./files.ts";

const WORKER = "worker/main_offline.ts";

export function offline(): Plugin {
  return {
    name: "offline",
    apply: "build",
    buildStart() {
      this.emitFile({ type: "chunk", id: join(process.cwd(), WORKER), fileName: "sw.js" });
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const hash = createHash("sha256");
        const files: string[] = [];
        const add = (name: string, contents: string | Uint8Array): void => {
          files.push(name === "index.html" ? "./" : name);
          hash.update(name).update(contents);
        };
        for (const [name, file] of Object.entries(bundle).sort(([a], [b]) => (a < b ? -1 : 1)))
          if (name !== "sw.js" && !/\.(?:map|d\.ts)$/.test(name)) add(name, file.type === "chunk" ? file.code : file.source);
        // what the machine keeps itself is not kept twice
        for (const path of globSync(["public"], /./).sort()) if (!path.includes("/chunks/")) add(path.slice("public/".length), readFileSync(path));
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk" || worker.imports.length > 0 || !worker.code.includes("__OFFLINE__")) this.error("sw.js is not in one piece");
        worker.code = `const __OFFLINE__ = ${JSON.stringify({ version: hash.digest("hex").slice(0, 16), files })};\n${worker.code}`;
      },
    },
  };
}
