// scripts/start.ts — `npm start`: set-up, a production build if something changed, and a server for it.

import { build } from "./build.ts";
import { option, serve } from "./serve.ts";
import { setup } from "./setup.ts";

setup("run");
if (!build()) {
  console.error("setup: the build failed; what vite said stands above.");
  process.exit(1);
}
const host = option("host", "127.0.0.1");
const { port } = await serve("dist", Number(option("port", "8000")), host);
console.log(`\npagezero is at http://${host === "127.0.0.1" ? "localhost" : host}:${port}/   (^C stops it)\n`);
