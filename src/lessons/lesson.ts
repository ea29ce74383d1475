// src/lessons/lesson.ts — a lesson: steps with text, a view, checks, hints and a solution, from one Markdown file. docs/lessons.md tells how to write one.
import type { Breakpoint, CheckSpec } from "../../worker/protocol/inspect.ts";
import { PANELS, type PanelName } from "../panels.ts";
import { type Block, parseArgs, parseBlocks } from "./markdown.ts";

export interface Check extends CheckSpec {
  /** what is asked for, as a person reads it */
  readonly label: string;
  /** kind "answer": what is accepted */
  readonly accept: readonly string[];
}

/** One line of a solution. */
export interface Deed {
  readonly verb: "type" | "boot" | "poke" | "go" | "break" | "record" | "answer" | "panel" | "screen";
  readonly text: string;
}

export interface Step {
  readonly title: string;
  readonly blocks: readonly Block[];
  readonly panel: PanelName | undefined;
  /** name of the process that panels are about */
  readonly focus: string | undefined;
  readonly address: string | undefined;
  readonly breakpoints: readonly Breakpoint[];
  /** words that must be on the kernel's command line; undefined: any machine will do, "": none of the lesson's */
  readonly boot: string | undefined;
  readonly checks: readonly Check[];
  readonly hints: readonly (readonly Block[])[];
  readonly solution: readonly Deed[];
}

export interface Lesson {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  readonly summary: string;
  readonly steps: readonly Step[];
}

/** Kinds of checks, with the words that each may have. */
export const KINDS: Readonly<Record<string, readonly string[]>> = {
  syscall: ["name", "by", "times", "result", "error", "text", "trapped"], process: ["name", "exit", "signal", "started"], screen: ["match"], stray: ["by", "name"], fault: ["by", "text"], poke: [], stop: ["text"],
  trace: ["name"], boot: ["has"], rewrite: ["file", "sites"], answer: ["accept"], view: ["panel"],
};
const VERBS = ["type", "boot", "poke", "go", "break", "record", "answer", "panel", "screen"] as const;

/** "call getpid by getpid, start ls, fault": breakpoints as a lesson writes them. @throws Error with a sentence */
export function parseBreakpoints(text: string): Breakpoint[] {
  return text
    .split(",")
    .map((t) => t.trim())
    .filter((t) => t !== "")
    .map((t): Breakpoint => {
      const [kind, what = "", word, by] = t.split(/\s+/);
      if (kind === "call" && what !== "") return word === "by" && by !== undefined ? { kind, name: what, by } : { kind, name: what };
      if (kind === "start") return { kind, comm: what };
      if (kind === "fault") return { kind };
      if (kind === "address" && /^[0-9a-f]+$/.test(what)) return { kind, address: Number.parseInt(what, 16) };
      throw new Error(`“${t}” is no breakpoint: write call NAME, call NAME by PROGRAM, start PROGRAM, address HEX, or fault`);
    });
}

function parseStep(title: string, lines: readonly string[], first: number): Step {
  const blocks: Block[] = [];
  const checks: Check[] = [];
  const hints: Block[][] = [];
  const solution: Deed[] = [];
  let view: Readonly<Record<string, string>> = {};
  for (const b of parseBlocks(lines, first)) {
    const fail = (what: string): never => {
      throw new Error(`line ${b.type === "directive" ? b.line : first}: ${what}`);
    };
    if (b.type !== "directive" || b.name === "run") {
      blocks.push(b);
      continue;
    }
    switch (b.name) {
      case "view":
        view = b.args;
        for (const k of Object.keys(view)) if (!["panel", "focus", "address", "breakpoints", "boot"].includes(k)) fail(`a view has no ${k}`);
        break;
      case "hint":
        hints.push(parseBlocks(b.lines, b.line + 1));
        break;
      case "solve":
        for (const l of b.lines.filter((x) => x.trim() !== "")) {
          const m = /^\s*([a-z]+):\s?(.*)$/.exec(l);
          const verb = VERBS.find((v) => v === m?.[1]);
          if (verb === undefined) fail(`“${l.trim()}” is no deed: it begins with one of ${VERBS.join(", ")} and a colon`);
          else solution.push({ verb, text: m![2]!.trim() });
        }
        break;
      case "check": {
        const { id, kind, ...args } = b.args;
        if (id === undefined || kind === undefined) fail("a check needs an id and a kind");
        const known = KINDS[kind!];
        if (known === undefined) fail(`there is no check of the kind ${kind}: ${Object.keys(KINDS).join(", ")}`);
        for (const k of Object.keys(args)) if (!known!.includes(k)) fail(`a check of the kind ${kind} has no ${k}`);
        if (checks.some((c) => c.id === id)) fail(`two checks are called ${id}`);
        if (args["match"] !== undefined) new RegExp(args["match"], "m");
        checks.push({ id: id!, kind: kind!, args, label: b.lines.join(" ").trim(), accept: (args["accept"] ?? "").split("|") });
        break;
      }
      default:
        fail(`there is no directive ${b.name}: run, view, check, hint, solve`);
    }
  }
  const panel = PANELS.find((p) => p === view["panel"]);
  if (view["panel"] !== undefined && panel === undefined) throw new Error(`line ${first}: there is no panel “${view["panel"]}”: ${PANELS.join(", ")}`);
  return { title, blocks, panel, focus: view["focus"], address: view["address"], breakpoints: parseBreakpoints(view["breakpoints"] ?? ""), boot: view["boot"], checks, hints, solution };
}

/** A lesson from its file. @throws Error with a sentence that names the line */
export function parseLesson(id: string, text: string): Lesson {
  const lines = text.replaceAll("\r", "").split("\n");
  if (lines[0] !== "---") throw new Error("line 1: a lesson begins with --- and its title, minutes and summary");
  const end = lines.indexOf("---", 1);
  if (end < 0) throw new Error("line 1: the head of the lesson is not closed with ---");
  const head: Record<string, string> = {};
  lines.slice(1, end).forEach((l, i) => {
    const m = /^(\w+):\s*(.*)$/.exec(l);
    if (m === null) throw new Error(`line ${i + 2}: “${l}” is not of the form key: value`);
    head[m[1]!] = m[2]!;
  });
  if (head["title"] === undefined) throw new Error("line 1: the lesson has no title");
  const steps: Step[] = [];
  let at = end + 1;
  while (at < lines.length && !lines[at]!.startsWith("## ")) at++;
  while (at < lines.length) {
    let next = at + 1;
    let open = false;
    while (next < lines.length && (open || !lines[next]!.startsWith("## "))) {
      if (lines[next]!.startsWith(":::") || lines[next]!.startsWith("```")) open = !open;
      next++;
    }
    steps.push(parseStep(lines[at]!.slice(3).trim(), lines.slice(at + 1, next), at + 2));
    at = next;
  }
  if (steps.length === 0) throw new Error("the lesson has no steps: each begins with a line ## Title");
  return { id, title: head["title"], minutes: Number(head["minutes"] ?? 10), summary: head["summary"] ?? "", steps };
}

/** Words of a kernel command line that lessons set: exchanged for those that a step wants. */
export function bootLine(line: string, words: string): string {
  const [kernel = "", init] = line.split(/ -- (.*)/s);
  const wanted = words.split(/\s+/).filter((w) => w !== "");
  const names = new Set([...wanted.map((w) => w.split("=")[0]!), "zpoline", "zpoline.check", "zpoline.scope", "um", "nommu.fork", "nommu.map_fixed"]);
  const kept = kernel.split(/\s+/).filter((w) => w !== "" && !names.has(w.split("=")[0]!));
  return [...kept, ...wanted].join(" ") + (init === undefined ? "" : ` -- ${init}`);
}
/** Does a machine with this command line do for a step? */
export function bootsAs(line: string, words: string | undefined): boolean {
  return words === undefined || bootLine(line, words).split(/\s+/).toSorted().join(" ") === line.split(/\s+/).filter((w) => w !== "").toSorted().join(" ");
}
export { parseArgs };
