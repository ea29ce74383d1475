// scripts/lint.ts — `npm run lint`: types of each zone, import zones, style. Exits non-zero on any complaint.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { globSync } from "./files.ts";
import { checkFile } from "./zones.ts";

/** Runs a program of node_modules; resolves to whether it was content. */
function run(program: string, ...args: string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(`node_modules/.bin/${program}`, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stdout.on("data", (d: Buffer) => (said += d.toString()));
    child.stderr.on("data", (d: Buffer) => (said += d.toString()));
    child.on("error", (e) => resolve((console.error(String(e)), false)));
    child.on("close", (code) => {
      if (code !== 0) process.stdout.write(said);
      resolve(code === 0);
    });
  });
}

const projects = ["core", "browser", "node", "page"].map((zone) => `tsconfig.${zone}.json`);
const types = run("tsc", "-b", ...projects);
const style = run("oxlint", "--quiet", "--deny-warnings");

const complaints = globSync(["src", "worker", "scripts", "e2e"], /\.tsx?$/).flatMap((path) => checkFile(path, readFileSync(path, "utf8")));
for (const complaint of complaints) console.log(complaint);

const content = (await Promise.all([types, style])).every(Boolean) && complaints.length === 0;
process.exit(content ? 0 : 1);
