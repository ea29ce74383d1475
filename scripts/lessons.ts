// scripts/lessons.ts — `npm run lessons [-- NAME… | FILE.md…]`: plays the solution of every step on a fresh machine, and proves that its checks turn green by it and not before.
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Lesson, Step } from "../src/lessons/lesson.ts";
import { bootLine, parseLesson } from "../src/lessons/lesson.ts";
import { accepted, lint, playSolution, type Stage } from "../src/lessons/solve.ts";
import { plain } from "../src/format.ts";
import { loadIced } from "../worker/cpu/iced.ts";
import { Inspector } from "../worker/machine/inspect.ts";
import type { Breakpoint, Go } from "../worker/protocol/inspect.ts";
import { image, TestMachine } from "../worker/test/boot.ts";

const FOLDER = "public/lessons";
const LINE = "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init";
const SLICE = 500_000;
/** jumps to a next timer that a step may need */
const JUMPS = 400;
/** ns: a timer that is due sooner is waited for after a command */
const SOON = 500_000_000;

interface IndexEntry {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  readonly summary: string;
}

/** A machine as the stage for a solution. */
class Headless implements Stage {
  private readonly step: Step;
  private readonly bytes: Uint8Array;
  private machine!: TestMachine;
  private inspector!: Inspector;
  private from = 0;
  readonly green = new Set<string>();

  constructor(step: Step, bytes: Uint8Array) {
    this.step = step;
    this.bytes = bytes;
  }
  async boot(words: string): Promise<void> {
    this.machine = await TestMachine.create({ cmdline: bootLine(LINE, words), disks: { disk: this.bytes } });
    const { machine } = this.machine;
    const i = new Inspector(machine, await loadIced(), (e) => {
      if (e.type === "check") this.green.add(e.id);
    });
    this.inspector = i;
    const { tap } = machine;
    const write = tap.consoleWrite.bind(tap);
    tap.consoleWrite = (line, bytes) => {
      write(line, bytes);
      i.output(line, bytes);
    };
    machine.boot();
    i.checks(this.step.checks.filter((c) => c.kind !== "answer" && c.kind !== "view"));
    this.from = 0;
    this.until(() => /[#$] $/.test(this.text) || machine.kernel.halted !== undefined, "a prompt");
  }
  /** The step begins: what happened before does not count. */
  begin(): void {
    this.green.clear();
    this.from = this.machine.text.length;
    this.inspector.checks(this.step.checks.filter((c) => c.kind !== "answer" && c.kind !== "view"));
    this.inspector.breakpoints(this.step.breakpoints);
  }
  get text(): string {
    return plain(this.machine.text.slice(this.from));
  }
  /** One slice; "sleeps" when only a far timer would wake it. */
  private advance(patient: boolean): "ran" | "stop" | "sleeps" | "halted" {
    const { machine } = this.machine;
    const reason = this.inspector.debug.run(SLICE);
    if (reason === "stop") {
      this.inspector.stopped();
      return "stop";
    }
    if (reason === "halted") return "halted";
    if (reason !== "idle") return "ran";
    const until = machine.until();
    if (until === Infinity || (!patient && until - machine.kernel.time.monotonic() > SOON)) return "sleeps";
    machine.advance_idle(until);
    return "ran";
  }
  private settle(): void {
    for (let n = 0; n < 20_000; n++) if (this.advance(false) !== "ran") return;
  }
  private until(done: () => boolean, what: string): void {
    let jumps = 0;
    for (let n = 0; n < 20_000 && !done(); n++) {
      const how = this.advance(true);
      if (how === "stop" || how === "sleeps" || how === "halted") {
        if (done()) return;
        throw new Error(`the machine ${how === "stop" ? "was stopped by a breakpoint" : how === "halted" ? "has halted" : "sleeps for ever"}, and ${what} did not come; the console said:\n${this.text.slice(-600)}`);
      }
      if (++jumps > JUMPS * 50) break;
    }
    if (!done()) throw new Error(`${what} did not come; the console said:\n${this.text.slice(-600)}`);
  }
  /** Lets the machine run until all checks are green, or nothing more happens. */
  finish(): void {
    for (let n = 0; n < JUMPS && !this.step.checks.every((c) => this.green.has(c.id)); n++) if (this.advance(true) !== "ran") return;
  }

  async type(text: string): Promise<void> {
    this.machine.type(`${text}\n`);
    this.settle();
  }
  async poke(address: string, bytes: readonly number[]): Promise<void> {
    this.inspector.poke(this.inspector.address(address), bytes);
  }
  async go(how: Go): Promise<void> {
    this.inspector.go(how);
    this.settle();
  }
  async breakpoints(list: readonly Breakpoint[]): Promise<void> {
    this.inspector.breakpoints(list);
  }
  async record(nr: number | undefined, by: string | undefined): Promise<void> {
    this.inspector.record(nr, by);
  }
  async answer(id: string, text: string): Promise<void> {
    const check = this.step.checks.find((c) => c.id === id);
    if (check !== undefined && accepted(text, check.accept)) this.green.add(id);
  }
  async panel(name: string): Promise<void> {
    for (const c of this.step.checks) if (c.kind === "view" && c.args["panel"] === name) this.green.add(c.id);
  }
  async screen(pattern: RegExp): Promise<readonly string[]> {
    let found: RegExpExecArray | null = null;
    this.until(() => (found = pattern.exec(this.text)) !== null, `“${pattern.source}”`);
    return found ?? [];
  }
}

/** What is wrong with a step; undefined: its checks turn green by its solution, and not before. */
export async function proveStep(step: Step, bytes: Uint8Array): Promise<string | undefined> {
  if (step.checks.length === 0) return undefined;
  const stage = new Headless(step, bytes);
  await stage.boot(step.boot ?? "");
  stage.begin();
  stage.finish();
  if (stage.green.size > 0) return `green before anything was done: ${[...stage.green].join(", ")}`;
  stage.begin();
  try {
    await playSolution(step, stage);
    stage.finish();
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
  const red = step.checks.filter((c) => !stage.green.has(c.id)).map((c) => c.id);
  return red.length === 0 ? undefined : `not green after the solution: ${red.join(", ")}; the console said:\n${stage.text.slice(-600)}`;
}

export function readLessons(names: readonly string[] = []): Lesson[] {
  const index = JSON.parse(readFileSync(`${FOLDER}/index.json`, "utf8")) as IndexEntry[];
  const ids = names.length > 0 ? names : index.map((l) => l.id);
  return ids.map((id) => {
    const file = existsSync(id) && id.endsWith(".md") ? id : `${FOLDER}/${id}.md`;
    const lesson = parseLesson(basename(file, ".md"), readFileSync(file, "utf8"));
    const entry = index.find((l) => l.id === lesson.id);
    if (entry !== undefined && (entry.title !== lesson.title || entry.minutes !== lesson.minutes || entry.summary !== lesson.summary)) throw new Error(`${FOLDER}/index.json says something else about ${lesson.id} than its file`);
    return lesson;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const bytes = image();
  let bad = 0;
  for (const lesson of readLessons(process.argv.slice(2))) {
    for (const complaint of lint(lesson)) {
      bad++;
      console.log(complaint);
    }
    for (const [i, step] of lesson.steps.entries()) {
      const wrong = await proveStep(step, bytes);
      if (wrong !== undefined) bad++;
      console.log(`${wrong === undefined ? "ok  " : "FAIL"} ${lesson.id} ${i + 1} ${step.title}${wrong === undefined ? "" : `: ${wrong}`}`);
    }
  }
  process.exit(bad === 0 ? 0 : 1);
}
