// scripts/dev.ts — `npm run dev`: set-up, then vite's server, which reloads what changes.

import { spawnSync } from "node:child_process";
import { setup } from "./setup.ts";

setup("run");
process.exit(spawnSync("node_modules/.bin/vite", process.argv.slice(2), { stdio: "inherit" }).status ?? 1);
