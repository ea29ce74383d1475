// src/lessons/course.ts — which lesson is open, what is green in it, and how far somebody got; and the page as the stage for solutions.
import type { Breakpoint, Go, MachineEvent } from "../../worker/protocol/inspect.ts";
import type { Session } from "../session.ts";
import { setSignal } from "../signal.ts";
import { Store } from "../store.ts";
import { openPanel, PANELS, showMemory, ui } from "../ui.ts";
import { bootLine, bootsAs, type Lesson, parseLesson, type Step } from "./lesson.ts";
import { accepted, playSolution, type Stage } from "./solve.ts";

/** An entry of public/lessons/index.json. */
export interface Entry {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  readonly summary: string;
}

export interface Course {
  readonly list: readonly Entry[];
  readonly lesson: Lesson | undefined;
  /** ids of checks of the open step that are green */
  readonly green: readonly string[];
  /** answers that were given, and were not right */
  readonly wrong: Readonly<Record<string, string>>;
  /** "lesson/step": done in this browser */
  readonly done: readonly string[];
  readonly problem: string | undefined;
  /** a solution is being shown */
  readonly showing: boolean;
}

const DONE = "pagezero.lessons";
/** ms between two deeds of a solution: at least, and at most while the machine works */
const FOLLOW_MS = 400;
const LONGEST_MS = 10_000;
const PROMPT = /[#$] $/;

function remembered(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(DONE) ?? "[]");
    return Array.isArray(list) ? list.filter((x) => typeof x === "string") : [];
  } catch {
    return [];
  }
}
const sentence = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** What somebody else's address holds. @throws Error with a sentence */
async function fetched(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(`${url} does not answer, or does not allow other sites to read it (Access-Control-Allow-Origin).`);
  }
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return response;
}

export class CourseOf implements Stage {
  readonly state = new Store<Course>({ list: [], lesson: undefined, green: [], wrong: {}, done: remembered(), problem: undefined, showing: false });
  private readonly session: Session;
  /** what the console printed since the step began, and who waits for more */
  private text = "";
  private wake: (() => void) | undefined;
  /** lessons from elsewhere: where each is */
  private readonly own = new Map<string, string | File>();

  constructor(session: Session) {
    this.session = session;
    session.listen((e) => this.event(e));
    session.hear((text) => {
      this.text = (this.text + text).slice(-20_000);
      this.wake?.();
    });
    let place = "";
    ui.subscribe(() => {
      const { lesson, panel } = ui.get();
      for (const c of this.step?.checks ?? []) if (c.kind === "view" && c.args["panel"] === panel) this.turn(c.id);
      const now = JSON.stringify(lesson);
      if (now === place) return;
      place = now;
      void this.opened();
    });
  }

  get step(): Step | undefined {
    const { lesson } = ui.get();
    const open = this.state.get().lesson;
    return typeof lesson === "object" && lesson.id === open?.id ? open.steps[lesson.step] : undefined;
  }
  private get key(): string {
    const { lesson } = ui.get();
    return typeof lesson === "object" ? `${lesson.id}/${lesson.step}` : "";
  }

  /** The page has opened a lesson already. */
  begin(): void {
    queueMicrotask(() => void this.opened());
  }
  private async opened(): Promise<void> {
    const { lesson } = ui.get();
    if (lesson === undefined) return this.session.setChecks([]);
    if (this.state.get().list.length === 0) await this.fetchList();
    if (lesson === "list") return;
    if (this.state.get().lesson?.id !== lesson.id) {
      try {
        this.state.set({ lesson: parseLesson(lesson.id, await this.read(lesson.id)), problem: undefined });
      } catch (e) {
        this.state.set({ lesson: undefined, problem: sentence(e) });
        return;
      }
    }
    this.enter();
  }
  private async fetchList(): Promise<void> {
    try {
      const response = await fetch("lessons/index.json");
      this.state.set({ list: (await response.json()) as Entry[], problem: undefined });
    } catch {
      this.state.set({ problem: "The list of lessons could not be loaded from this server." });
    }
  }
  private async read(id: string): Promise<string> {
    const own = this.own.get(id);
    if (own instanceof File) return own.text();
    if (own !== undefined) return (await fetched(own)).text();
    const response = await fetch(`lessons/${id}.md`);
    if (!response.ok) throw new Error(`There is no lesson called ${id} here.`);
    return response.text();
  }
  /** A folder of lessons, with its index.json: they are put behind those of the list. */
  async bringFolder(source: string | readonly File[]): Promise<void> {
    const own = (id: string): string => `own-${id.replace(/[^\w-]/g, "-")}`;
    try {
      const found: Entry[] = [];
      if (typeof source === "string") {
        const index = new URL("index.json", new URL(/\/$|\.json$/.test(source) ? source : `${source}/`, location.href));
        const response = await fetched(index.href);
        const list: unknown = await response.json();
        if (!Array.isArray(list)) throw new Error(`${index.href} is no list of lessons.`);
        for (const e of list as Partial<Entry>[]) {
          if (typeof e.id !== "string" || typeof e.title !== "string") throw new Error(`an entry of ${index.href} has no id or no title.`);
          found.push({ id: own(e.id), title: e.title, minutes: Number(e.minutes ?? 10), summary: String(e.summary ?? "") });
          this.own.set(own(e.id), new URL(`${e.id}.md`, index).href);
        }
      } else
        for (const f of source.filter((s) => s.name.endsWith(".md")).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
          const id = own(f.name.replace(/\.md$/, ""));
          const text = await f.text();
          if (!text.startsWith("---")) continue;
          const { title, minutes, summary } = parseLesson(id, text);
          found.push({ id, title, minutes, summary });
          this.own.set(id, f);
        }
      if (found.length === 0) throw new Error("there is no lesson in it.");
      this.state.set({ list: [...this.state.get().list.filter((l) => !found.some((f) => f.id === l.id)), ...found], problem: undefined });
    } catch (e) {
      this.state.set({ problem: `These are no lessons: ${sentence(e)}` });
    }
  }
  /** A lesson from somebody's file or address; an address of a folder brings all that are in it. */
  async bring(source: File | string): Promise<void> {
    if (typeof source === "string" && !/\.md(?:[?#].*)?$/.test(source)) return this.bringFolder(source);
    try {
      let text: string;
      let name: string;
      if (typeof source === "string") {
        const response = await fetched(source);
        text = await response.text();
        name = source.replace(/[?#].*$/, "").split("/").pop() ?? "lesson";
      } else {
        text = await source.text();
        name = source.name;
      }
      const id = `own-${name.replace(/\.md$/, "").replace(/[^\w-]/g, "-")}`;
      const lesson = parseLesson(id, text);
      this.own.set(id, source);
      const entry: Entry = { id, title: lesson.title, minutes: lesson.minutes, summary: lesson.summary };
      this.state.set({ lesson, problem: undefined, list: [...this.state.get().list.filter((l) => l.id !== id), entry] });
      ui.set({ lesson: { id, step: 0 } });
    } catch (e) {
      this.state.set({ problem: `This is no lesson: ${sentence(e)}` });
    }
  }

  /** A step begins: its view, its breakpoints, its checks. */
  private enter(): void {
    const { step } = this;
    if (step === undefined) return;
    this.state.set({ green: [], wrong: {}, problem: undefined });
    setSignal(undefined);
    this.text = "";
    // a phone goes on showing the text
    if (step.panel !== undefined) ui.set({ panel: step.panel });
    this.session.setBreakpoints(step.breakpoints);
    this.arm();
    const { session } = this;
    if (step.address !== undefined) void session.ask("address", step.address).then((address) => ui.set({ panel: "memory", address }), () => undefined);
    ui.set({ focus: undefined });
    if (step.focus !== undefined)
      void session.ask("processes").then(
        (rows) => ui.set({ focus: rows.findLast((r) => r.comm === step.focus)?.pid }),
        () => undefined,
      );
  }
  /** The machine is told what to look for; so is the next one, before it begins. */
  private arm(): void {
    const machine = (this.step?.checks ?? []).filter((c) => c.kind !== "answer" && c.kind !== "view");
    this.session.setChecks(machine.map(({ id, kind, args }) => ({ id, kind, args })));
  }
  /** Is the machine that runs one for this step? */
  get ready(): boolean {
    const { running } = this.session.state.get();
    return running !== undefined && bootsAs(running.line, this.step?.boot);
  }
  private event(e: MachineEvent): void {
    if (e.type === "check") this.turn(e.id);
  }
  private turn(id: string): void {
    const { step, state } = this;
    const { green, done } = state.get();
    if (step === undefined || green.includes(id) || !step.checks.some((c) => c.id === id)) return;
    const now = [...green, id];
    state.set({ green: now });
    if (step.checks.every((c) => now.includes(c.id))) this.finish(done);
    this.wake?.();
  }
  /** The open step is done. */
  finish(done = this.state.get().done): void {
    if (done.includes(this.key)) return;
    const list = [...done, this.key];
    this.state.set({ done: list });
    try {
      localStorage.setItem(DONE, JSON.stringify(list));
    } catch {
      // a window that keeps nothing
    }
  }

  /** Starts a machine as the step wants it, on a scratch copy of the disk. */
  async startFor(words = this.step?.boot ?? ""): Promise<void> {
    const { session } = this;
    session.setCommandLine(bootLine(session.state.get().cmdline, words));
    session.setKeep(false);
    this.text = "";
    await session.restart();
  }
  /** The step from its beginning: a fresh machine, nothing green. */
  async reset(): Promise<void> {
    this.enter();
    await this.startFor();
  }
  async show(): Promise<void> {
    const { step } = this;
    if (step === undefined) return;
    this.state.set({ showing: true });
    try {
      if (!this.ready) await this.boot(step.boot ?? "");
      await playSolution(step, this);
    } catch (e) {
      this.state.set({ problem: sentence(e) });
    } finally {
      this.state.set({ showing: false });
    }
  }
  giveAnswer(id: string, text: string): boolean {
    const check = this.step?.checks.find((c) => c.id === id);
    const right = check !== undefined && accepted(text, check.accept);
    const wrong = { ...this.state.get().wrong };
    if (right) delete wrong[id];
    else wrong[id] = text;
    this.state.set({ wrong });
    if (right) this.turn(id);
    return right;
  }

  // --- the page as a stage

  private async until<T>(found: () => T | undefined, what: string): Promise<T> {
    const end = performance.now() + 60_000;
    for (;;) {
      const t = found();
      if (t !== undefined) return t;
      const left = end - performance.now();
      if (left < 0) throw new Error(`The solution waited a minute for ${what}.`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 500));
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  /** Until the machine has done what there was to do, or stands still; not sooner than a person can follow, and not for ever. */
  private async settled(before: number): Promise<void> {
    const { figures, state } = this.session;
    const begun = performance.now();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const since = performance.now() - begun;
      const { status } = figures.get();
      const rests = state.get().power !== "running" || (status?.idle === true && status.retired > before);
      if ((rests && since >= FOLLOW_MS) || since >= LONGEST_MS) return;
    }
  }
  private get retired(): number {
    return this.session.figures.get().status?.retired ?? 0;
  }
  async type(text: string): Promise<void> {
    const before = this.retired;
    this.session.type(`${text}\n`);
    await this.settled(before);
  }
  async boot(words: string): Promise<void> {
    await this.startFor(words);
    await this.until(() => (PROMPT.test(this.text) || this.session.state.get().power === "crashed" ? true : undefined), "the prompt");
  }
  async poke(address: string, bytes: readonly number[]): Promise<void> {
    const at = await this.session.ask("address", address);
    showMemory(at);
    await this.session.ask("poke", at, bytes);
  }
  go(how: Go): Promise<void> {
    const before = this.retired;
    this.session.go(how);
    return this.settled(before);
  }
  async breakpoints(list: readonly Breakpoint[]): Promise<void> {
    this.session.setBreakpoints(list);
  }
  async record(nr: number | undefined, by: string | undefined): Promise<void> {
    await this.session.ask("record", nr, by);
  }
  async answer(id: string, text: string): Promise<void> {
    this.giveAnswer(id, text);
  }
  async panel(name: string): Promise<void> {
    const panel = PANELS.find((p) => p === name);
    if (panel !== undefined) openPanel(panel);
  }
  screen(pattern: RegExp): Promise<readonly string[]> {
    let before: string | undefined;
    const found = (): RegExpExecArray | undefined => {
      const { text } = this;
      const match = pattern.exec(text) ?? undefined;
      // what is at the end may be half of what is being printed: looked at again
      const whole = match !== undefined && (match.index + match[0].length < text.length || text === before);
      before = text;
      return whole ? match : undefined;
    };
    return this.until(found, `“${pattern.source}” on the console`);
  }
}
