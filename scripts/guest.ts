// scripts/guest.ts — builds the C programs of worker/test/guest; `npx tsx scripts/guest.ts [NAME…]` records what they say on this host.
//
// The recordings (worker/test/guest/expected) are what an ordinary Linux on real hardware answers; the tests compare the machine with
// them, not with whatever host the tests run on. Run the recorder as root: the guest's programs are root, too. A program called nommu_*
// shows what differs without an MMU; its recording is written by hand, after mm/nommu.c.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "./userspace/compile.ts";
import type { Entry } from "./userspace/ext4.ts";

export const GUEST = "worker/test/guest";
export const EXPECTED = "worker/test/guest/expected";

/** What one program said and how it ended: `exit 0`, `signal 11`, `timeout`. */
export interface Told {
  readonly output: string;
  readonly end: string;
}

/** The names of the guest programs, sorted. */
export function guestPrograms(): string[] {
  return readdirSync(GUEST)
    .filter((name) => name.endsWith(".c"))
    .map((name) => basename(name, ".c"))
    .sort();
}

/** The entries that put `programs` and the runner (as /guest/run) into a guest's image. */
export function guestEntries(programs: readonly string[]): Entry[] {
  const entries: Entry[] = programs.map((name) => ({ path: `/guest/${name}`, type: "file", mode: 0o755, content: readFileSync(compile(join(GUEST, `${name}.c`))) }));
  entries.push({ path: "/guest/run", type: "file", mode: 0o755, content: readFileSync(compile(join(GUEST, "runner/run.c"))) });
  entries.push({ path: "/guest/list", type: "file", mode: 0o644, content: programs.map((name) => `${name}\n`).join("") });
  return entries;
}

/** Runs the programs on the host, as static PIEs under the same runner. */
export function runOnHost(programs: readonly string[]): Map<string, Told> {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-guest-"));
  try {
    mkdirSync(join(folder, "guest"));
    for (const name of programs) symlinkSync(join(process.cwd(), compile(join(GUEST, `${name}.c`), "-static-pie")), join(folder, "guest", name));
    writeFileSync(join(folder, "guest/list"), programs.map((name) => `${name}\n`).join(""));
    const runner = compile(join(GUEST, "runner/run.c"), "-static-pie");
    const done = spawnSync(runner, [join(folder, "guest"), join(folder, "work")], { encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "inherit"] });
    return parseRun(done.stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a recording is written: what was said, then how it ended. */
export function recording(told: Told): string {
  return `${told.output === "" ? "" : `${told.output}\n`}--- ${told.end}\n`;
}

/** Reads the runner's output; lines before the first program (a boot log) are passed over. */
export function parseRun(text: string): Map<string, Told> {
  const told = new Map<string, Told>();
  let name: string | undefined;
  let lines: string[] = [];
  for (const line of text.replaceAll("\r", "").split("\n")) {
    const start = /^=== (\S+)$/.exec(line);
    const end = /^--- (.*)$/.exec(line);
    if (start) {
      if (name !== undefined) told.set(name, { output: lines.join("\n"), end: "never ended" });
      name = start[1] === "end" ? undefined : start[1];
      lines = [];
    } else if (end && name !== undefined) {
      told.set(name, { output: lines.join("\n"), end: end[1] ?? "" });
      name = undefined;
    } else if (name !== undefined) lines.push(line);
  }
  if (name !== undefined) told.set(name, { output: lines.join("\n"), end: "never ended" });
  return told;
}

/** Runs the programs twice and records those that said the same both times. */
function record(programs: readonly string[]): boolean {
  const first = runOnHost(programs);
  const second = runOnHost(programs);
  let good = true;
  mkdirSync(EXPECTED, { recursive: true });
  for (const name of programs) {
    const told = first.get(name);
    const text = told ? recording(told) : "";
    const again = second.get(name);
    if (!told || !again || text !== recording(again)) {
      good = false;
      console.log(`${name}: two runs differ; not recorded`);
    } else {
      const file = join(EXPECTED, `${name}.txt`);
      if (!existsSync(file) || readFileSync(file, "utf8") !== text) console.log(`${name}: recorded, ${told.end}`);
      writeFileSync(file, text);
    }
  }
  return good;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const named = process.argv.slice(2);
  process.exit(record(named.length > 0 ? named : guestPrograms().filter((name) => !name.startsWith("nommu_"))) ? 0 : 1);
}
