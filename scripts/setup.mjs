// scripts/setup.mjs — what `npm start` and `npm test` call: makes node_modules, then runs scripts/<command>.ts.
// Plain JavaScript without imports from npm, as it runs before there are any.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`pagezero needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Installs what package-lock.json says, unless that has been done. */
function packages() {
  const stamp = "node_modules/.pagezero-stamp";
  const wanted = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  for (let attempt = 1; attempt <= 3; attempt++) {
    console.log(`setup: npm ci${attempt > 1 ? ` (attempt ${attempt} of 3)` : ""}`);
    const { status } = spawnSync("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: "inherit" });
    if (status === 0) {
      mkdirSync("node_modules", { recursive: true });
      writeFileSync(stamp, wanted);
      return;
    }
  }
  console.error("setup: npm ci failed three times; what npm said stands above.");
  process.exit(1);
}

packages();
const [command = "start", ...args] = process.argv.slice(2);
const child = spawn("node_modules/.bin/tsx", [`scripts/${command}.ts`, ...args], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
// npm does not pass SIGTERM on: when it is gone, so are we.
const parent = process.ppid;
setInterval(() => process.ppid === parent || child.kill("SIGTERM"), 1000);
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
