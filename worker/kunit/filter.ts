// kunit/filter.ts — which suites and cases run: kunit.filter_glob, kunit.filter, kunit.filter_action.  cf. lib/kunit/executor.c, attributes.c
import type { KunitCase, KunitSuite, Speed } from "./suite.ts";

/** Matches as lib/glob.c does: `*`, `?`, `[a-z]`, `[!x]`, `\` quotes. */
export function glob_match(pattern: string, text: string): boolean {
  let re = "";
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    const close = c === "[" ? pattern.indexOf("]", i + 2) : -1;
    if (c === "*") re += ".*";
    else if (c === "?") re += ".";
    else if (close > 0) {
      re += `[${pattern.slice(i + 1, close).replace(/^!/, "^").replace(/\\/g, "\\\\")}]`;
      i = close;
    } else re += (c === "\\" && i + 1 < pattern.length ? pattern[++i]! : c).replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  }
  return new RegExp(`^${re}$`, "s").test(text);
}

const SPEEDS: readonly Speed[] = ["very_slow", "slow", "normal"];

interface Condition {
  readonly attribute: "speed" | "module";
  readonly op: string;
  readonly value: string;
}

/** Parses kunit.filter ("speed>slow, module=nommu"). Throws a sentence on one that is not understood. */
export function parseFilter(text: string): Condition[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const m = /^(\w+)\s*(<=|>=|!=|=|<|>)\s*(\S+)$/.exec(part);
      if (!m) throw new Error(`kunit executor: filter "${part}" is not ATTRIBUTE OP VALUE`);
      const [, attribute, op, value] = m as unknown as [string, string, string, string];
      if (attribute === "speed") {
        if (!SPEEDS.includes(value as Speed)) throw new Error(`kunit executor: invalid filter value: ${value}`);
      } else if (attribute !== "module") throw new Error(`kunit executor: unknown attribute: ${attribute}`);
      else if (op !== "=" && op !== "!=") throw new Error(`kunit executor: module has no order: ${part}`);
      return { attribute, op, value };
    });
}

function holds(c: Condition, suite: KunitSuite, one: KunitCase): boolean {
  if (c.attribute === "module") return (suite.module === c.value) === (c.op === "=");
  const d = SPEEDS.indexOf(one.speed) - SPEEDS.indexOf(c.value as Speed);
  return { "=": d === 0, "!=": d !== 0, "<": d < 0, "<=": d <= 0, ">": d > 0, ">=": d >= 0 }[c.op]!;
}

export interface Selected {
  readonly suite: KunitSuite;
  /** `skip`: filtered out, but reported, as kunit.filter_action=skip asks */
  readonly cases: readonly { readonly one: KunitCase; readonly skip: boolean }[];
}

/** `glob` is "suite" or "suite.case"; suites without any case left are dropped. */
export function selectSuites(suites: readonly KunitSuite[], glob: string | undefined, filter: string | undefined, action: string | undefined): Selected[] {
  const conditions = parseFilter(filter ?? "");
  const dot = glob === undefined ? -1 : glob.indexOf(".");
  const suiteGlob = glob === undefined ? "*" : dot < 0 ? glob : glob.slice(0, dot);
  const caseGlob = glob === undefined || dot < 0 ? "*" : glob.slice(dot + 1);
  const out: Selected[] = [];
  for (const suite of suites) {
    if (!glob_match(suiteGlob, suite.name)) continue;
    const cases = suite.cases
      .filter((one) => glob_match(caseGlob, one.name))
      .map((one) => ({ one, skip: !conditions.every((c) => holds(c, suite, one)) }))
      .filter(({ skip }) => !skip || action === "skip");
    if (cases.length > 0) out.push({ suite, cases });
  }
  return out;
}
