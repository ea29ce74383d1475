// scripts/suite.ts — `npm run suite -- busybox|hush|applets [PATTERN]`: a public test suite in a booted guest, compared with the failures that docs/suites.md explains.
//
// The suites come with the sources that the guest's user space is built of. Ends with 0 only if all of it ran, everything that failed is in
// docs/suites.md, and everything there failed.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadIced } from "../worker/cpu/iced.ts";
import { Machine } from "../worker/machine.ts";
import { MemoryStore } from "../worker/lib/memory_store.ts";
import { NodeOs } from "../worker/os-node/os.ts";
import { APPLETS_EXPECTED, appletsImage, parseApplets } from "./suite/applets.ts";
import { type Entry, makeExt4 } from "./userspace/ext4.ts";
import { USERSPACE } from "./userspace/compile.ts";
import { buildUserspace } from "./userspace/image.ts";
import { rootTree } from "./userspace/tree.ts";

const USAGE = `usage: npm run suite -- busybox|hush [PATTERN] [--raw]
       npm run suite -- applets    command lines for busybox, compared with what a host said to them
  PATTERN    a shell pattern: of busybox's files of tests as 'sed', of hush's as 'hush-redir/*'
  --raw      everything the guest prints`;
const SUITES = ["busybox", "hush"] as const;
export type SuiteName = (typeof SUITES)[number];
const KNOWN = "docs/suites.md";
/** virtual time that one suite may take: a test that hangs must not hang the run */
const LIMIT_NS = 3_600e9;

export const OUTCOMES = ["PASS", "FAIL", "SKIPPED", "UNTESTED"] as const;
export interface Outcome {
  /** file or folder of tests, colon, name of the test */
  readonly test: string;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly said: string[];
}

/** Reads what scripts/suite/init prints. A test's name is made unique by a number where a suite uses one twice. */
export function parseSuite(text: string): { outcomes: Outcome[]; ended: boolean } {
  const outcomes: Outcome[] = [];
  const seen = new Map<string, number>();
  let file = "";
  let lines: string[] = [];
  let ended = false;
  for (const line of text.replaceAll("\r", "").split("\n")) {
    const start = /^=== (\S+)$/.exec(line);
    const result = /^(PASS|FAIL|SKIPPED|UNTESTED): (.*)$/.exec(line);
    if (start) {
      file = start[1]!;
      lines = [];
      if (file === "end") ended = true;
    } else if (result && file !== "") {
      const name = `${file}: ${result[2]!.trim()}`;
      const n = (seen.get(name) ?? 0) + 1;
      seen.set(name, n);
      lines = [];
      outcomes.push({ test: n === 1 ? name : `${name} (${n})`, outcome: result[1] as Outcome["outcome"], said: lines });
    } else lines.push(line);
  }
  return { outcomes, ended };
}

/** The tests of `suite` that docs/suites.md says fail: the rows `| suite | test | reason |` of its tables. */
export function knownFailures(markdown: string, suite: string): Map<string, string> {
  const known = new Map<string, string>();
  for (const line of markdown.split("\n")) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    if (cells.length === 5 && cells[1] === suite) known.set(cells[2]!.replace(/^`(.*)`$/, "$1"), cells[3]!);
  }
  return known;
}

function tree(from: string, to: string): Entry[] {
  return readdirSync(from, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(from, name)).isFile())
    .map((name) => ({ path: `${to}/${name}`, type: "file", mode: statSync(join(from, name)).mode & 0o100 ? 0o755 : 0o644, content: readFileSync(join(from, name)) }));
}

function suiteImage(): Uint8Array {
  const sources = join(USERSPACE, "busybox");
  const entries: Entry[] = [
    ...rootTree(USERSPACE),
    ...tree(join(sources, "testsuite"), "/suite/testsuite"),
    ...tree(join(sources, "shell/hush_test"), "/suite/hush_test"),
    { path: "/suite/busybox", type: "file", mode: 0o755, content: readFileSync(join(USERSPACE, "out/busybox")) },
    { path: "/suite/.config", type: "file", mode: 0o644, content: readFileSync(join(USERSPACE, "out/busybox.config")) },
    { path: "/suite/init", type: "file", mode: 0o755, content: readFileSync("scripts/suite/init") },
  ];
  const folder = mkdtempSync(join(tmpdir(), "pagezero-suite-"));
  try {
    mkdirSync(folder, { recursive: true });
    makeExt4(join(folder, "image"), entries, { size: 128, blockSize: 4096 });
    return new Uint8Array(readFileSync(join(folder, "image")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Boots a guest whose process 1 is `init`, which halts; everything it printed. */
async function runGuest(image: Uint8Array, init: string, print: (text: string) => void): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const add = (more: string): void => {
    text += more;
    print(more);
  };
  const os = new NodeOs({
    disks: new Map([["disk", new MemoryStore("disk", image)]]),
    print: (line) => add(`${line}\n`),
    write: (line, bytes) => {
      if (line === 0) add(decoder.decode(Uint8Array.from(bytes), { stream: true }));
    },
  });
  const machine = new Machine({ cmdline: `ubd0=disk rw mem=256m quiet init=${init}`, os, iced: await loadIced(), shared: false, jit: true });
  await machine.start();
  machine.boot();
  for (;;) {
    const reason = machine.run(5_000_000);
    if (reason === "halted") return text;
    if (reason === "host") await machine.host();
    if (reason === "idle") {
      if (machine.until() === Infinity) return `${text}\nthe machine sleeps for ever\n`;
      machine.advance_idle(machine.until());
    }
    if (machine.kernel.time.monotonic() > LIMIT_NS) return `${text}\nnot at its end after an hour of the guest's time\n`;
  }
}

export const runSuite = (suite: SuiteName, pattern: string, print: (text: string) => void): Promise<string> => runGuest(suiteImage(), `/suite/init -- ${suite} ${pattern}`, print);

/** The lines of scripts/suite/applets.txt against their recording. */
async function applets(): Promise<number> {
  buildUserspace();
  const said = parseApplets(await runGuest(appletsImage(), "/suite/init", () => {}));
  const expected = parseApplets(readFileSync(APPLETS_EXPECTED, "utf8"));
  let differ = 0;
  for (const [line, text] of expected) {
    if (said.get(line) === text) continue;
    differ++;
    console.log(`$ ${line}\n--- a host said\n${text}--- the guest said\n${said.get(line) ?? "(nothing: it was not run)\n"}`);
  }
  console.log(`applets: ${expected.size - 1} lines: ${differ} not as on a host`);
  return differ === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const raw = args.includes("--raw");
  const [suite, pattern = "*"] = args.filter((arg) => arg !== "--raw");
  if (suite === "applets") return applets();
  if (!SUITES.some((name) => name === suite) || /\s/.test(pattern)) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  buildUserspace();
  let line = "";
  const text = await runSuite(suite as SuiteName, pattern, (more) => {
    if (raw) process.stdout.write(more);
    else if (process.stderr.isTTY) {
      line = /=== (\S+)/.exec(more)?.[1] ?? line;
      process.stderr.write(`\r\x1b[K${line}`);
    }
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const { outcomes, ended } = parseSuite(text);
  const known = knownFailures(readFileSync(KNOWN, "utf8"), suite!);
  let bad = 0;
  const failed = new Set(outcomes.filter((o) => o.outcome === "FAIL").map((o) => o.test));
  for (const o of outcomes) {
    if (o.outcome !== "FAIL") continue;
    if (known.has(o.test)) console.log(`known: ${o.test} — ${known.get(o.test)}`);
    else {
      bad++;
      console.log(`FAIL: ${o.test}\n${o.said.map((said) => `    ${said}`).join("\n")}`);
    }
  }
  for (const o of outcomes) if (o.outcome === "SKIPPED" || o.outcome === "UNTESTED") console.log(`${o.outcome.toLowerCase()}: ${o.test}`);
  if (pattern === "*")
    for (const test of known.keys())
      if (!failed.has(test)) {
        bad++;
        console.log(`${KNOWN} says that this fails, and it did not: ${test}`);
      }
  const count = (what: Outcome["outcome"]): number => outcomes.filter((o) => o.outcome === what).length;
  console.log(`${suite}: ${outcomes.length} tests: ${count("PASS")} passed, ${count("FAIL")} failed (${count("FAIL") - [...failed].filter((test) => !known.has(test)).length} known), ${count("SKIPPED")} skipped, ${count("UNTESTED")} not built`);
  if (!ended) console.log(`it did not get to its end; the last it said:\n${text.slice(-1500)}`);
  return bad === 0 && ended && outcomes.length > 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exit(await main());
