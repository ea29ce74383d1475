// scripts/kunit/ktap.ts — reads KTAP from a kernel's log, as tools/testing/kunit/kunit_parser.py does.

export type Status = "pass" | "fail" | "skip" | "crashed" | "error";

export interface Result {
  readonly name: string;
  status: Status;
  /** why it was skipped, or what is wrong with the report */
  note: string;
  /** diagnostics that came before the result */
  log: string[];
  children: Result[];
}

export interface Report {
  readonly suites: Result[];
  /** what is wrong with the whole: no KTAP at all, no plan, executor errors */
  readonly errors: string[];
}

const VERSION = /^(\s*(?:\[[^\]]*\]\s*)?)(KTAP version 1|TAP version 1[34])\s*$/;
const END = /reboot: System halted|List of all partitions:|Kernel panic - not syncing/;
const RESULT = /^(not ok|ok) (\d+) (?:- )?([^#]*?)(?: # (SKIP|TODO|XFAIL|TIMEOUT|ERROR)\s?(.*))?$/;

/** The lines of the report with the log's prefix taken off; undefined if there is none. */
function extract(text: string): string[] | undefined {
  const lines = text.replace(/\r/g, "").split("\n");
  const start = lines.findIndex((l) => VERSION.test(l));
  if (start < 0) return undefined;
  const width = VERSION.exec(lines[start]!)![1]!.length;
  const out: string[] = [];
  for (const l of lines.slice(start)) {
    if (END.test(l)) break;
    out.push(l.slice(width).trimEnd());
  }
  return out;
}

class Reader {
  readonly lines: string[];
  at = 0;
  constructor(lines: string[]) {
    this.lines = lines;
  }

  /** Reads the results of one level. `depth` counts levels of four spaces. */
  level(depth: number, where: string): { results: Result[]; errors: string[]; rest: string[] } {
    const pad = "    ".repeat(depth);
    const results: Result[] = [];
    const errors: string[] = [];
    let log: string[] = [];
    let children: Result[] = [];
    let plan: number | undefined;
    while (this.at < this.lines.length) {
      const line = this.lines[this.at]!;
      if (line !== "" && !line.startsWith(pad)) {
        // a result or a summary of the level above ends this one; anything else is the kernel's own log, which knows nothing of levels
        if (RESULT.test(line.trimStart()) || /^ *(# |1\.\.\d)/.test(line)) break;
        log.push(line);
        this.at++;
        continue;
      }
      const text = line.slice(pad.length);
      if (/^ {4}KTAP version 1$/.test(text)) {
        this.at++;
        const inner = this.level(depth + 1, where);
        children = inner.results;
        errors.push(...inner.errors);
        log.push(...inner.rest);
        continue;
      }
      this.at++;
      const planned = /^1\.\.(\d+)$/.exec(text);
      if (planned) {
        plan = Number(planned[1]);
        continue;
      }
      const m = RESULT.exec(text);
      if (!m) {
        if (text !== "" && !VERSION.test(text)) log.push(text);
        continue;
      }
      const [, ok, number, name, directive, note = ""] = m;
      const r: Result = { name: name!, status: ok === "ok" ? (directive === "SKIP" ? "skip" : "pass") : "fail", note, log, children };
      if (directive === "TIMEOUT" || directive === "ERROR") r.status = "error";
      results.push(r);
      if (Number(number) !== results.length) errors.push(`${where}${name}: numbered ${number}, expected ${results.length}`);
      log = [];
      children = [];
    }
    if (plan === undefined && depth < 2) errors.push(`${where || "report: "}missing plan`);
    if (plan !== undefined && results.length < plan) {
      errors.push(`${where || "report: "}${plan} planned, ${results.length} reported`);
      results.push({ name: "(no result)", status: "crashed", note: "the kernel stopped before it reported", log, children });
      log = [];
    }
    return { results, errors, rest: log };
  }
}

/** Parses everything that a kernel printed. */
export function parseKtap(text: string): Report {
  const lines = extract(text);
  if (!lines) return { suites: [], errors: ["no KTAP version line: did the kernel boot with kunit.enable=1?"] };
  const reader = new Reader(lines.slice(1));
  const { results, errors, rest } = reader.level(0, "");
  for (const l of rest) if (l.startsWith("kunit executor:")) errors.push(l);
  return { suites: results, errors };
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  crashed: number;
}

/** Counts cases: results without children of their own (a parameter counts as one). */
export function countResults(results: readonly Result[], totals: Totals = { passed: 0, failed: 0, skipped: 0, crashed: 0 }): Totals {
  for (const r of results) {
    if (r.children.length > 0) {
      countResults(r.children, totals);
      continue;
    }
    if (r.status === "pass") totals.passed++;
    else if (r.status === "skip") totals.skipped++;
    else if (r.status === "fail") totals.failed++;
    else totals.crashed++;
  }
  return totals;
}
