// scripts/test.ts — `npm test`: every part with its duration, and in the end how many passed.

import { spawnSync } from "node:child_process";

const parts: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ["lint", "node_modules/.bin/tsx", "scripts/lint.ts"],
  ["unit tests", "node_modules/.bin/vitest", "run"],
  ["build", "node_modules/.bin/vite", "build"],
];

let passed = 0;
let failed = 0;
for (const [name, program, ...args] of parts) {
  console.log(`\n== ${name}`);
  const start = Date.now();
  const { status } = spawnSync(program, args, { stdio: "inherit" });
  console.log(`== ${name}: ${status === 0 ? "passed" : "FAILED"} in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  if (status === 0) passed++;
  else failed++;
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
