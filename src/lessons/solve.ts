// src/lessons/solve.ts — plays a step's solution: on the page for “Show me”, headless for `npm run lessons`. The same deeds, on two stages.
import type { Breakpoint, Go } from "../../worker/protocol/inspect.ts";
import { type Lesson, parseBreakpoints, type Step } from "./lesson.ts";

/** What a solution acts on. */
export interface Stage {
  /** types a line at the prompt */
  type(text: string): Promise<void>;
  /** starts the machine anew with these words on its command line, and waits for the prompt */
  boot(words: string): Promise<void>;
  /** an address expression, and bytes */
  poke(address: string, bytes: readonly number[]): Promise<void>;
  go(how: Go): Promise<void>;
  breakpoints(list: readonly Breakpoint[]): Promise<void>;
  record(nr: number | undefined, by: string | undefined): Promise<void>;
  answer(id: string, text: string): Promise<void>;
  panel(name: string): Promise<void>;
  /** waits until what was printed since the step began matches; its groups */
  screen(pattern: RegExp): Promise<readonly string[]>;
}

/** Bytes as a lesson writes them: hexadecimal digits, or text in quotation marks. */
export function parseBytes(text: string): number[] {
  const quoted = /^"(.*)"$/.exec(text.trim());
  if (quoted !== null) return [...new TextEncoder().encode(quoted[1]!.replaceAll("\\0", "\0"))];
  return text.trim().split(/\s+/).map((w) => Number.parseInt(w, 16));
}

/** Does all of a step's solution, deed after deed. `$1` in a deed is what the last screen: has found. */
export async function playSolution(step: Step, stage: Stage): Promise<void> {
  let groups: readonly string[] = [];
  for (const { verb, text: raw } of step.solution) {
    const text = raw.replace(/\$(\d)/g, (all, n: string) => groups[Number(n)] ?? all);
    const [first = "", ...rest] = text.split(/\s+/);
    if (verb === "type") await stage.type(text);
    else if (verb === "boot") await stage.boot(text);
    else if (verb === "poke") await stage.poke(first, parseBytes(text.slice(first.length)));
    else if (verb === "go") await stage.go(text as Go);
    else if (verb === "break") await stage.breakpoints(parseBreakpoints(text));
    else if (verb === "record") await stage.record(first === "" ? undefined : Number(first), rest[0]);
    else if (verb === "answer") await stage.answer(first, rest.join(" "));
    else if (verb === "panel") await stage.panel(text);
    else groups = await stage.screen(new RegExp(text, "m"));
  }
}

/** Is an answer one of those that are accepted? Upper and lower case, blanks and a leading $ do not matter. */
export function accepted(text: string, accept: readonly string[]): boolean {
  const plain = (s: string): string => s.trim().toLowerCase().replace(/\s+/g, " ");
  return accept.some((a) => plain(a) === plain(text));
}

/** What stands between a lesson and being right, in sentences: steps whose checks nothing can turn green. */
export function lint(lesson: Lesson): string[] {
  return lesson.steps.flatMap((s, i) => {
    const where = `${lesson.id}, step ${i + 1} (${s.title})`;
    const out: string[] = [];
    if (s.checks.length > 0 && s.solution.length === 0) out.push(`${where}: it has checks and no solution`);
    if (s.checks.some((c) => c.label === "")) out.push(`${where}: a check has no words`);
    for (const c of s.checks.filter((x) => x.kind === "answer")) if (!s.solution.some((d) => d.verb === "answer" && d.text.startsWith(`${c.id} `))) out.push(`${where}: the solution does not answer ${c.id}`);
    return out;
  });
}
