// kunit/executor.ts — runs suites in the booted kernel and reports in KTAP version 1.  cf. lib/kunit/{executor,test}.c
//
// A case runs as Linux's do: in kernel context, before init, with the kernel's own objects; what it changes it puts back.
import type { Kernel } from "../kernel/kernel.ts";
import { CASE_END, KUnitTest } from "./test.ts";
import { selectSuites, type Selected } from "./filter.ts";
import type { KunitCase, KunitSuite } from "./suite.ts";

/** Values of the boot parameters kunit.*; undefined where not given. */
export interface KunitParams {
  readonly filter_glob: string | undefined;
  readonly filter: string | undefined;
  readonly filter_action: string | undefined;
  /** "list" or "list_attr": print what would run */
  readonly action: string | undefined;
  /** kunit.stats_enabled: 0 never, 1 (default) where there is more than one result, 2 always */
  readonly stats_enabled: number;
}

class Stats {
  passed = 0;
  failed = 0;
  skipped = 0;
  add(result: "pass" | "fail" | "skip"): void {
    if (result === "pass") this.passed++;
    else if (result === "fail") this.failed++;
    else this.skipped++;
  }
  get total(): number {
    return this.passed + this.failed + this.skipped;
  }
  toString(): string {
    return `pass:${this.passed} fail:${this.failed} skip:${this.skipped} total:${this.total}`;
  }
}

type Print = (line: string) => void;
interface Outcome {
  readonly result: "pass" | "fail" | "skip";
  readonly reason: string;
}

const indent = (print: Print): Print => (line) => print(`    ${line}`);
const line = (o: Outcome, n: number, name: string): string =>
  `${o.result === "fail" ? "not ok" : "ok"} ${n} ${name}${o.result === "skip" ? ` # SKIP ${o.reason}` : ""}`;

function runOnce(kernel: Kernel, suite: KunitSuite, one: KunitCase, param: unknown, print: Print): Outcome {
  const test = new KUnitTest(kernel, one.name, param);
  const guarded = (run: ((t: KUnitTest) => void) | undefined): void => {
    try {
      run?.(test);
    } catch (e) {
      if (e === CASE_END) return;
      test.failed = true;
      const why = e instanceof Error ? (e.stack ?? e.message) : String(e);
      test.log.push(`# ${one.name}: ERROR: ${why.split("\n").slice(0, 6).join("\n")}`);
    }
  };
  guarded(suite.init);
  if (!test.failed && test.skipped === undefined) guarded(one.run);
  guarded(suite.exit);
  for (const entry of test.log) for (const text of entry.split("\n")) print(text);
  if (test.failed) return { result: "fail", reason: "" };
  return test.skipped === undefined ? { result: "pass", reason: "" } : { result: "skip", reason: test.skipped };
}

function runCase(kernel: Kernel, suite: KunitSuite, one: KunitCase, stats: number, totals: Stats, print: Print): Outcome {
  if (!one.params) {
    const o = runOnce(kernel, suite, one, undefined, print);
    totals.add(o.result);
    return o;
  }
  const inner = indent(print);
  const own = new Stats();
  inner("KTAP version 1");
  inner(`# Subtest: ${one.name}`);
  one.params.forEach((param, i) => {
    const o = runOnce(kernel, suite, one, param.value, inner);
    own.add(o.result);
    totals.add(o.result);
    inner(line(o, i + 1, param.desc));
  });
  if (stats === 2 || (stats === 1 && own.total > 1)) print(`# ${one.name}: ${own}`);
  return own.failed > 0 ? { result: "fail", reason: "" } : own.passed > 0 ? { result: "pass", reason: "" } : { result: "skip", reason: "every parameter was skipped" };
}

function runSuite(kernel: Kernel, { suite, cases }: Selected, stats: number, print: Print): Outcome {
  const inner = indent(print);
  const own = new Stats();
  const totals = new Stats();
  inner("KTAP version 1");
  inner(`# Subtest: ${suite.name}`);
  inner(`# module: ${suite.module}`);
  inner(`1..${cases.length}`);
  cases.forEach(({ one, skip }, i) => {
    const o: Outcome = skip ? { result: "skip", reason: "filtered out" } : runCase(kernel, suite, one, stats, totals, inner);
    if (skip) totals.add("skip");
    own.add(o.result);
    inner(line(o, i + 1, one.name));
  });
  if (stats === 2 || (stats === 1 && own.total > 1)) print(`# ${suite.name}: ${own}`);
  if (stats === 2 || (stats === 1 && totals.total > 1)) print(`# Totals: ${totals}`);
  return own.failed > 0 ? { result: "fail", reason: "" } : own.passed > 0 ? { result: "pass", reason: "" } : { result: "skip", reason: "" };
}

/** Runs or lists the selected suites, line by line through `print`. Returns whether none failed.  cf. kunit_run_all_tests() */
export function kunit_run_all_tests(kernel: Kernel, suites: readonly KunitSuite[], params: KunitParams, print: Print): boolean {
  let selected: Selected[];
  try {
    selected = selectSuites(suites, params.filter_glob, params.filter, params.filter_action);
  } catch (e) {
    print(e instanceof Error ? e.message : String(e));
    return false;
  }
  print("KTAP version 1");
  if (params.action !== undefined) {
    if (params.action !== "list" && params.action !== "list_attr") {
      print(`kunit executor: unknown action '${params.action}'`);
      return false;
    }
    for (const { suite, cases } of selected) {
      if (params.action === "list_attr") print(`# ${suite.name}.module: ${suite.module}`);
      for (const { one } of cases) {
        print(`${suite.name}.${one.name}`);
        if (params.action === "list_attr" && one.speed !== "normal") print(`# ${suite.name}.${one.name}.speed: ${one.speed}`);
      }
    }
    return true;
  }
  print(`1..${selected.length}`);
  let good = true;
  selected.forEach((s, i) => {
    const o = runSuite(kernel, s, params.stats_enabled, print);
    if (o.result === "fail") good = false;
    print(line(o, i + 1, s.suite.name));
  });
  return good;
}
