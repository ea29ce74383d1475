// scripts/kunit.ts — `npm run kunit -- run [GLOB] [--json] [--jobs N] [--filter F] [--kconfig_add CONFIG_MMU=n]`: boots a kernel with its KUnit suites and reads the report.
//
// As tools/testing/kunit/kunit.py: prints what ran, and ends with 0 only if everything ran and nothing failed, crashed or went missing.
import { loadIced } from "../worker/cpu/iced.ts";
import { Machine } from "../worker/machine.ts";
import { NodeOs } from "../worker/os-node/os.ts";
import { countResults, parseKtap, type Result } from "./kunit/ktap.ts";

const USAGE = `usage: npm run kunit -- run [GLOB] [options]      runs the suites, or those that match SUITE or SUITE.CASE
       npm run kunit -- list [GLOB]               lists them
  --json               one object on standard output
  --raw                the kernel's log as it is
  --filter FILTER      kunit.filter, as "speed>slow"
  --kconfig_add K=V    CONFIG_MMU=n is what this kernel is; anything else is refused
  --jobs N             accepted for kunit.py's sake: a boot takes less time than a second one would save`;

interface Options {
  command: string;
  glob: string | undefined;
  filter: string | undefined;
  json: boolean;
  raw: boolean;
}

function fail(text: string): never {
  process.stderr.write(`kunit: ${text}\n`);
  process.exit(2);
}

function parse(args: string[]): Options {
  const o: Options = { command: "", glob: undefined, filter: undefined, json: false, raw: false };
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const value = (): string => arg.includes("=") && arg.startsWith("--") ? arg.slice(arg.indexOf("=") + 1) : (args[++i] ?? fail(`${arg} needs a value`));
    if (arg === "--json") o.json = true;
    else if (arg === "--raw" || arg === "--raw_output") o.raw = true;
    else if (arg === "--filter" || arg.startsWith("--filter=")) o.filter = value();
    else if (arg === "--jobs" || arg.startsWith("--jobs=")) {
      const n = value();
      if (!/^[1-9]\d*$/.test(n)) fail(`--jobs should be a number, not "${n}"`);
    } else if (arg === "--kconfig_add" || arg.startsWith("--kconfig_add=")) {
      const k = arg === "--kconfig_add" ? value() : arg.slice("--kconfig_add=".length);
      if (k !== "CONFIG_MMU=n") fail(`this kernel has no ${k}: it is built with CONFIG_MMU=n`);
    } else if (arg.startsWith("-")) fail(`there is no option ${arg}\n${USAGE}`);
    else rest.push(arg);
  }
  o.command = rest[0] ?? "run";
  o.glob = rest[1];
  if (o.command !== "run" && o.command !== "list") fail(`there is no command ${o.command}\n${USAGE}`);
  return o;
}

/** Boots with the suites; everything that was printed. */
async function boot(o: Options): Promise<string> {
  let text = "";
  const os = new NodeOs({
    print: (line) => (text += `${line}\n`),
    write: (_line, bytes) => (text += String.fromCharCode(...bytes)),
  });
  const cmdline = [
    "mem=64m", "console=tty", "loglevel=7", "kunit.enable=1", "kunit_shutdown=halt",
    ...(o.glob === undefined ? [] : [`kunit.filter_glob=${o.glob}`]),
    ...(o.filter === undefined ? [] : [`kunit.filter="${o.filter}"`]),
    ...(o.command === "list" ? ["kunit.action=list"] : []),
  ].join(" ");
  const machine = new Machine({ cmdline, os, iced: await loadIced(), shared: false, jit: false });
  try {
    machine.boot();
  } catch (e) {
    text += `\nkernel BUG: ${e instanceof Error ? e.stack : String(e)}\n`;
  }
  return text.replaceAll("\r", "");
}

const MARK = { pass: "[PASSED]", fail: "[FAILED]", skip: "[SKIPPED]", crashed: "[CRASHED]", error: "[ERROR]" } as const;

function show(results: readonly Result[], depth: number): void {
  for (const r of results) {
    if (depth === 0) {
      console.log(`============ ${r.name} (${r.children.length} subtest${r.children.length === 1 ? "" : "s"}) ============`);
      show(r.children, 1);
      console.log(`${"=".repeat(16)} ${MARK[r.status]} ${r.name} ${"=".repeat(16)}`);
      continue;
    }
    if (r.children.length > 0) show(r.children, depth + 1);
    console.log(`${"  ".repeat(depth - 1)}${MARK[r.status]} ${r.name}${r.note ? ` (${r.note})` : ""}`);
    if (r.status === "fail" || r.status === "crashed") for (const line of r.log) console.log(`    ${line}`);
  }
}

async function main(): Promise<void> {
  const o = parse(process.argv.slice(2));
  const text = await boot(o);
  if (o.command === "list") {
    const at = text.indexOf("KTAP version 1\n");
    process.stdout.write(text.slice(at + "KTAP version 1\n".length).replace(/reboot: System halted\n[\s\S]*/, ""));
    return;
  }
  const report = parseKtap(text);
  const totals = countResults(report.suites);
  if (o.glob !== undefined && report.suites.length === 0 && report.errors.length === 0) report.errors.push(`nothing matches ${o.glob}`);
  if (!/reboot: System halted/.test(text)) report.errors.push("the kernel did not get to its end");
  const ok = report.errors.length === 0 && totals.failed === 0 && totals.crashed === 0;
  if (o.json) console.log(JSON.stringify({ suites: report.suites, totals, errors: report.errors }));
  else {
    if (o.raw) process.stdout.write(text);
    else show(report.suites, 0);
    for (const e of report.errors) console.log(`[ERROR] ${e}`);
    const n = totals.passed + totals.failed + totals.skipped + totals.crashed;
    console.log(`Testing complete. Ran ${n} tests in ${report.suites.length} suites: passed: ${totals.passed}, failed: ${totals.failed}, crashed: ${totals.crashed}, skipped: ${totals.skipped}, errors: ${report.errors.length}`);
  }
  process.exit(ok ? 0 : 1);
}
await main();
