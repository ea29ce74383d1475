// scripts/pack.ts — `npm run pack`: a folder with the page, the images, the lessons and a server without dependencies, for a room without Internet: `node serve.mjs`.
import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build as bundle } from "vite";
import { build } from "./build.ts";
import { globSync } from "./files.ts";

const OUT = "pack";
const README = `pagezero: a Linux without an MMU, in a browser tab.

    node serve.mjs --host 0.0.0.0

serves this folder to the room (Node 18 or newer, nothing else) and prints the addresses to open. On plain HTTP browsers give pages less: no shared memory, no clipboard
API, no service worker. The page works without them, and says so in its status line.
`;

if (!build()) process.exit(1);
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
cpSync("dist", join(OUT, "dist"), { recursive: true, filter: (path) => !path.endsWith(".map") });
await bundle({ configFile: false, logLevel: "error", build: { ssr: "scripts/serve.ts", outDir: OUT, emptyOutDir: false, copyPublicDir: false, rolldownOptions: { output: { entryFileNames: "serve.mjs" } } } });
writeFileSync(join(OUT, "README"), README);
const size = globSync([OUT], /./).reduce((n, f) => n + statSync(f).size, 0);
console.log(`${OUT}/ is ready, ${(size / 1e6).toFixed(1)} MB. In it: node serve.mjs --host 0.0.0.0`);
