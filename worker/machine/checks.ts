// machine/checks.ts — the checks of a lesson's step: looked at when something happens, never by asking again and again.
//
//   syscall name=getpid by=getpid times=3 result=>=0 error=ENOSYS text=… trapped=yes
//   process name=ls exit=0 | signal=SIGSEGV | started=yes
//   screen match=REGULAR_EXPRESSION              what the console printed since the step began
//   stray by=null-call name=getppid              a call through page 0 from where none was rewritten
//   fault by=page0 text=…                        an instruction faulted
//   poke                                         somebody wrote into memory from the page
//   stop text=…                                  a breakpoint or a step stopped the machine
//   trace name=getpid                            a call was recorded
//   boot has=zpoline=0                           the machine runs with this on its command line
//   rewrite file=busybox sites=1                 execve rewrote so many sites of a file, at least
import type { SyscallObserver } from "../arch/um/do_syscall_64.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { KERNEL_VSYSCALL } from "../arch/um/trampoline.ts";
import { errnoByCode } from "../include/uapi/errno.ts";
import { signal_name } from "../include/uapi/signal.ts";
import type { Task } from "../kernel/task.ts";
import type { Machine } from "../machine.ts";
import type { CheckSpec, MachineEvent, Trace } from "../protocol/inspect.ts";
import { describeCall, rawArguments, rowName } from "./call_log.ts";

/** console text that a screen check looks at */
const SCREEN = 20_000;

/** The kinds that the machine checks, and the words that each may have. `answer` and `view` are the page's. */
export const CHECK_KINDS: Readonly<Record<string, readonly string[]>> = {
  syscall: ["name", "by", "times", "result", "error", "text", "trapped"],
  process: ["name", "exit", "signal", "started"],
  screen: ["match"],
  stray: ["by", "name"],
  fault: ["by", "text"],
  poke: [],
  stop: ["text"],
  trace: ["name"],
  boot: ["has"],
  rewrite: ["file", "sites"],
};

/** What terminals are told, without what is no text. */
// eslint-disable-next-line no-control-regex
export const plain = (text: string): string => text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[@-_]|\r/g, "");

/** "5", ">=5", "<0": does `n` satisfy it? */
export function satisfies(n: number, wanted: string): boolean {
  const m = /^(>=|<=|>|<|=|)(-?\d+)$/.exec(wanted);
  if (m === null) return false;
  const v = Number(m[2]);
  return { ">=": n >= v, "<=": n <= v, ">": n > v, "<": n < v, "=": n === v, "": n === v }[m[1] as ">="];
}

/** A check that is not green yet. */
interface Open {
  readonly spec: CheckSpec;
  seen: number;
}

export class Checks implements SyscallObserver {
  private readonly machine: Machine;
  private readonly tell: (event: MachineEvent) => void;
  private open: Open[] = [];
  private text = "";
  /** calls under way that a check is about */
  private readonly entered = new Map<Task, { readonly raw: readonly number[]; readonly trapped: boolean }>();
  private readonly decoder = new TextDecoder();

  constructor(machine: Machine, tell: (event: MachineEvent) => void) {
    this.machine = machine;
    this.tell = tell;
  }
  set(list: readonly CheckSpec[]): void {
    this.open = list.map((spec) => ({ spec, seen: 0 }));
    this.text = "";
    this.entered.clear();
    this.now();
  }
  private green(c: Open): void {
    this.open = this.open.filter((o) => o !== c);
    this.tell({ type: "check", id: c.spec.id });
  }
  private each(kind: string, holds: (args: Readonly<Record<string, string>>, c: Open) => boolean): void {
    for (const c of this.open.slice()) if (c.spec.kind === kind && holds(c.spec.args, c)) this.green(c);
  }
  private static same(wanted: string | undefined, is: string): boolean {
    return wanted === undefined || wanted === is;
  }
  /** Those that are about how things stand, not about what happens. */
  private now(): void {
    this.each("boot", (a) => this.machine.cmdline.split(/\s+/).includes(a["has"] ?? ""));
    this.each("rewrite", (a) =>
      [...this.machine.arch.zpoline.images.values()].some((i) => (i.name === a["file"] || i.name.endsWith(`/${a["file"] ?? ""}`)) && i.translation.sites.filter((s) => s.left === undefined).length >= Number(a["sites"] ?? 1)),
    );
  }

  /** Is any check about calls? */
  get calls(): boolean {
    return this.open.some((c) => c.spec.kind === "syscall");
  }
  enter(task: Task, nr: number): void {
    if (!this.calls) return;
    const name = rowName(syscall_table[nr]) ?? String(nr);
    if (!this.open.some((c) => c.spec.kind === "syscall" && Checks.same(c.spec.args["name"], name))) return;
    this.entered.set(task, { raw: rawArguments(this.machine), trapped: this.machine.cpu.state.rip !== KERNEL_VSYSCALL + 3 });
  }
  exit(task: Task, nr: number, result: number): void {
    const e = this.entered.size === 0 ? undefined : this.entered.get(task);
    if (e === undefined) return;
    this.entered.delete(task);
    const name = rowName(syscall_table[nr]) ?? String(nr);
    this.each("syscall", (a, c) => {
      const hit =
        Checks.same(a["name"], name) && Checks.same(a["by"], task.comm) && (a["result"] === undefined || satisfies(result, a["result"])) &&
        Checks.same(a["error"], errnoByCode.get(-result)?.name ?? "") && (a["trapped"] === undefined || (a["trapped"] === "yes") === e.trapped) &&
        (a["text"] === undefined || describeCall(this.machine, nr, e.raw, result).includes(a["text"]));
      if (hit) c.seen++;
      return hit && satisfies(c.seen, a["times"] ?? ">=1");
    });
  }
  /** The machine printed something. */
  output(bytes: Uint8Array): void {
    if (!this.open.some((c) => c.spec.kind === "screen")) return;
    this.text = (this.text + plain(this.decoder.decode(Uint8Array.from(bytes), { stream: true }))).slice(-SCREEN);
    this.each("screen", (a) => new RegExp(a["match"] ?? "", "m").test(this.text));
  }
  event(e: MachineEvent): void {
    if (this.open.length === 0) return;
    if (e.type === "start") {
      this.each("process", (a) => a["started"] === "yes" && Checks.same(a["name"], e.comm));
      this.now();
    } else if (e.type === "end") {
      const signal = e.status & 0x7f;
      this.each(
        "process",
        (a) => a["started"] === undefined && Checks.same(a["name"], e.comm) && (a["exit"] === undefined || (signal === 0 && satisfies(e.status >> 8, a["exit"]))) && (a["signal"] === undefined || (signal !== 0 && signal_name(signal) === a["signal"])),
      );
    } else if (e.type === "stray") this.each("stray", (a) => Checks.same(a["by"], e.comm) && Checks.same(a["name"], e.name));
    else if (e.type === "fault") this.each("fault", (a) => Checks.same(a["by"], e.comm) && (a["text"] === undefined || e.words.includes(a["text"])));
  }
  poked(): void {
    this.each("poke", () => true);
  }
  stopped(why: string): void {
    this.each("stop", (a) => a["text"] === undefined || why.includes(a["text"]));
  }
  traced(t: Trace): void {
    this.each("trace", (a) => Checks.same(a["name"], t.name));
  }
}
