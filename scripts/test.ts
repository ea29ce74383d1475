// scripts/test.ts — `npm test`: set-up, lint, unit tests, build and end-to-end tests, each with its duration; last, how many passed.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { build } from "./build.ts";
import { setup } from "./setup.ts";

const VITEST = ".cache/test/vitest.json";
const PLAYWRIGHT = ".cache/test/playwright.json";

let passed = 0;
let failed = 0;
const summary: string[] = [];

/** Runs one part; its body returns how many tests passed and failed. */
function part(name: string, body: () => readonly [passed: number, failed: number]): boolean {
  console.log(`\n== ${name}`);
  const start = Date.now();
  const [good, bad] = body();
  const line = `== ${name}: ${good} passed, ${bad} failed in ${((Date.now() - start) / 1000).toFixed(1)} s`;
  console.log(line);
  summary.push(line);
  passed += good;
  failed += bad;
  return bad === 0;
}

const one = (ok: boolean): readonly [number, number] => (ok ? [1, 0] : [0, 1]);

function run(program: string, args: readonly string[], env: Record<string, string> = {}): boolean {
  return spawnSync(`node_modules/.bin/${program}`, args, { stdio: "inherit", env: { ...process.env, ...env } }).status === 0;
}

/** The counts in a report; a program that failed without one failed test has failed nevertheless. */
function counts(ok: boolean, file: string, read: (report: Record<string, unknown>) => readonly [number, number]): readonly [number, number] {
  try {
    const [good, bad] = read(JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>);
    return [good, ok ? bad : Math.max(bad, 1)];
  } catch {
    return one(false);
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}

rmSync(".cache/test", { recursive: true, force: true });
mkdirSync(".cache/test", { recursive: true });
const port = process.env["E2E_PORT"] ?? String(await freePort());

if (!part("set-up", () => one(setup("test")))) console.log("\nWhat needs it will fail below.");
part("lint", () => one(run("tsx", ["scripts/lint.ts"])));
part("KUnit", () => one(run("tsx", ["scripts/kunit.ts", "run"])));
part("unit tests", () =>
  counts(run("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${VITEST}`]), VITEST, (report) => [Number(report["numPassedTests"]), Number(report["numFailedTests"])]),
);
const built = part("build", () => one(build()));
if (built)
  part("end to end", () =>
    counts(run("playwright", ["test", "--reporter=list,json"], { E2E_PORT: port, PLAYWRIGHT_JSON_OUTPUT_NAME: PLAYWRIGHT }), PLAYWRIGHT, (report) => {
      const stats = report["stats"] as { expected: number; unexpected: number; flaky: number };
      return [stats.expected, stats.unexpected + stats.flaky];
    }),
  );

console.log(`\n${summary.join("\n")}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
