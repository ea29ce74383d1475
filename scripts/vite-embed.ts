// scripts/vite-embed.ts — a Vite plugin: pagezero.js keeps its name and its exports, and gets its types, pagezero.d.ts, beside it.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plugin } from "vite";

const MODULE = "src/embed/pagezero.ts";

export function embed(): Plugin {
  return {
    name: "embedding-module",
    apply: "build",
    buildStart() {
      this.emitFile({ type: "chunk", id: join(process.cwd(), MODULE), fileName: "pagezero.js", preserveSignature: "strict" });
    },
    generateBundle() {
      const out = mkdtempSync(join(tmpdir(), "pagezero-types-"));
      const { status, stdout } = spawnSync("node_modules/.bin/tsc", ["--ignoreConfig", "--declaration", "--emitDeclarationOnly", "--strict", "--target", "es2023", "--module", "esnext", "--lib", "es2023,dom", "--types", "", "--outDir", out, MODULE], { encoding: "utf8" });
      if (status !== 0) this.error(`the types of ${MODULE} could not be made: ${stdout}`);
      this.emitFile({ type: "asset", fileName: "pagezero.d.ts", source: readFileSync(join(out, "pagezero.d.ts"), "utf8") });
      rmSync(out, { recursive: true });
    },
  };
}
