// machine/debug.ts — stopping the machine where somebody wants it: steps, breakpoints, and one call recorded instruction by instruction.
//
// Breakpoints on calls and on the start of processes cost nothing: the system call entry tells of them. Those on an address or a write, steps, and
// recordings make the machine go one instruction at a time. What the guest does is the same in all cases; only where run() comes back differs.
import type { Exit } from "../cpu/exit.ts";
import { R11, RAX, RCX, RSP } from "../cpu/state.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import type { SyscallObserver } from "../arch/um/do_syscall_64.ts";
import { KERNEL_VSYSCALL } from "../arch/um/trampoline.ts";
import type { Iced } from "../cpu/iced.ts";
import type { Task } from "../kernel/task.ts";
import type { Machine, Reason } from "../machine.ts";
import type { Breakpoint, Go, Trace, TraceStep } from "../protocol/inspect.ts";
import { rowName } from "./call_log.ts";
import { disassembleAt, hexBytes } from "./disassemble.ts";

/** Thrown out of the system call entry, before the call has had any effect. */
const STOP = Symbol("stop");
/** instructions before a call that a recording keeps */
const BEFORE = 6;
/** steps that a recording has at most */
const LONGEST = 4000;
/** instructions one at a time in a slice: a few milliseconds */
const FINE_SLICE = 4000;
/** A step over a call gives up after so many instructions. */
const OVER = 200_000_000;

const EXECVE = 59;
const EXECVEAT = 322;
const hex = (n: number): string => `0x${n.toString(16)}`;

interface Raw {
  readonly task: Task;
  readonly rip: number;
  readonly rax: string;
  readonly rcx: string;
  readonly r11: string;
  readonly rsp: number;
  readonly top: string;
}

/** A call on its way into the recording. */
interface Recording {
  readonly nr: number | undefined;
  readonly by: string | undefined;
  before: Raw[];
  steps: Raw[] | undefined;
  task: Task | undefined;
  entered: number;
  page0: number;
  entry: number;
}

export class Debugger implements SyscallObserver {
  private readonly machine: Machine;
  private readonly iced: Iced;
  /** how compiled code calls the kernel without being left */
  private readonly knock: Machine["cpu"]["kernel"];
  private calls: { readonly name: string; readonly by?: string }[] = [];
  private starts: string[] = [];
  private readonly addresses = new Set<number>();
  private writes: { readonly address: number; readonly length: number; before: string }[] = [];
  private faults = false;
  private plan: Go = "run";
  /** where "over" ends */
  private over: { readonly task: Task; readonly rip: number; readonly rsp: number; left: number } | undefined;
  /** the address that the machine stands at, and that is not to stop it again */
  private passed: number | undefined;
  /** an execve is on its way that somebody waits for */
  private starting = false;
  private why: string | undefined;
  private recording: Recording | undefined;
  trace: Trace | undefined;
  /** who runs the machine: the machine itself, or the timeline of a recorded run */
  runner: { run(instructions: number): Reason | "end" };
  /** a recording is complete */
  ontrace: (trace: Trace) => void = () => undefined;

  constructor(machine: Machine, iced: Iced) {
    this.machine = machine;
    this.iced = iced;
    this.knock = machine.cpu.kernel;
    this.runner = machine;
  }

  set(list: readonly Breakpoint[]): void {
    this.calls = list.flatMap((b) => (b.kind === "call" ? [b] : []));
    this.starts = list.flatMap((b) => (b.kind === "start" ? [b.comm] : []));
    this.addresses.clear();
    for (const b of list) if (b.kind === "address") this.addresses.add(b.address);
    this.writes = list.flatMap((b) => (b.kind === "write" ? [{ address: b.address, length: b.length, before: this.bytes(b.address, b.length) }] : []));
    this.faults = list.some((b) => b.kind === "fault");
  }
  private bytes(address: number, length: number): string {
    return hexBytes(this.machine.kernel.mem.u8.subarray(address, address + length));
  }
  /** Goes on, with the next stop in mind. */
  go(how: Go): void {
    const { cpu, kernel } = this.machine;
    this.plan = how;
    this.why = undefined;
    this.passed = cpu.state.rip;
    this.over = undefined;
    const task = kernel.sched.loaded_task;
    if (how === "over" && task !== undefined) {
      const [line] = disassembleAt(this.iced, kernel.mem.u8, kernel.mem.size, cpu.state.rip, 1);
      if (line !== undefined && /^call/.test(line.text)) this.over = { task, rip: line.address + (line.bytes.length + 1) / 3, rsp: cpu.state.get(RSP), left: OVER };
      else this.plan = "step";
    }
  }
  record(nr: number | undefined, by: string | undefined): void {
    this.trace = undefined;
    this.recording = { nr, by, before: [], steps: undefined, task: undefined, entered: -1, page0: -1, entry: -1 };
  }

  /** Why the machine stopped, once. */
  stopped(): string {
    const why = this.why ?? "Stopped.";
    this.why = undefined;
    this.plan = "run";
    this.over = undefined;
    return why;
  }

  // --- what the system call entry tells

  enter(task: Task, nr: number): void {
    if (this.recording?.task === task) this.recording.entered = nr;
    if ((nr === EXECVE || nr === EXECVEAT) && this.starts.length > 0) {
      this.starting = true;
      throw STOP;
    }
    if (this.plan !== "call" && this.calls.length === 0) return;
    const name = rowName(syscall_table[nr]) ?? String(nr);
    if (this.plan === "call") this.why = `Stopped because ${task.comm} (pid ${task.pid}) calls ${name}. The kernel has not done it yet.`;
    else if (this.calls.some((c) => c.name === name && (c.by === undefined || c.by === task.comm))) this.why = `Stopped because ${task.comm} (pid ${task.pid}) calls ${name}: there is a breakpoint on it. The kernel has not done it yet.`;
    if (this.why !== undefined) throw STOP;
  }
  exit(task: Task, nr: number, result: number): void {
    if (!this.starting || (nr !== EXECVE && nr !== EXECVEAT)) return;
    this.starting = false;
    if (result === 0 && this.starts.some((s) => s === "" || s === task.comm)) this.why = `Stopped because the process ${task.pid} starts ${task.comm}: its first instruction comes next.`;
  }
  fault(task: Task, _exit: Exit): void {
    if (this.faults) this.why = `Stopped because an instruction of ${task.comm} (pid ${task.pid}) faulted, at ${hex(this.machine.cpu.state.rip)}.`;
  }

  // --- running

  private get fine(): boolean {
    return this.starting || this.faults || this.plan === "step" || this.over !== undefined || this.addresses.size > 0 || this.writes.length > 0 || this.recording !== undefined;
  }
  /** As Machine.run(); "stop" where somebody wanted it to stop. */
  run(instructions: number): Reason | "end" | "stop" {
    // an exception must not go through compiled code: it is left at each call while one may be thrown
    this.machine.cpu.kernel = this.calls.length > 0 || this.starts.length > 0 || this.plan === "call" || this.fine ? undefined : this.knock;
    try {
      return this.fine ? this.slowly(Math.min(instructions, FINE_SLICE)) : this.runner.run(instructions);
    } catch (e) {
      if (e !== STOP) throw e;
      return this.why === undefined ? "slice" : "stop";
    }
  }
  private slowly(count: number): Reason | "end" | "stop" {
    const { machine } = this;
    const { sched } = machine.kernel;
    for (let i = 0; i < count; i++) {
      // what the kernel has to do, first: until an instruction comes next
      const reason = this.runner.run(0);
      if (this.why !== undefined) return "stop";
      if (reason !== "slice") return reason;
      const task = sched.loaded_task;
      if (task === undefined) continue;
      const rip = machine.cpu.state.rip;
      if (this.reached(task, rip)) return "stop";
      this.passed = undefined;
      if (this.recording !== undefined) this.note(this.recording, task, rip);
      const before = machine.retired;
      const after = this.runner.run(1);
      this.written(task, rip);
      if (this.plan === "step" && machine.retired > before) this.why ??= `One instruction of ${task.comm} (pid ${task.pid}) was executed.`;
      if (this.why !== undefined) return "stop";
      if (after !== "slice") return after;
      if (!this.fine) return "slice";
    }
    return "slice";
  }
  /** Is this where it is to stop? */
  private reached(task: Task, rip: number): boolean {
    const { over } = this;
    if (over !== undefined && ((task === over.task && rip === over.rip && this.machine.cpu.state.get(RSP) >= over.rsp) || --over.left <= 0)) {
      this.why = over.left <= 0 ? "Stopped: the call did not come back within 200 million instructions." : `The call came back, in ${task.comm} (pid ${task.pid}).`;
      return true;
    }
    if (this.addresses.has(rip) && rip !== this.passed) {
      this.why = `Stopped because ${task.comm} (pid ${task.pid}) reached ${hex(rip)}.`;
      return true;
    }
    return false;
  }
  private written(task: Task, rip: number): void {
    for (const w of this.writes) {
      const now = this.bytes(w.address, w.length);
      if (now === w.before) continue;
      this.why = `Stopped because ${task.comm} (pid ${task.pid}) changed the bytes at ${hex(w.address)} from ${w.before} to ${now}, with the instruction at ${hex(rip)}.`;
      w.before = now;
    }
  }

  // --- recording

  private raw(task: Task, rip: number): Raw {
    const { state } = this.machine.cpu;
    const { u8, size } = this.machine.kernel.mem;
    const word = (r: number): string => state.get64(r).toString(16).padStart(16, "0");
    const rsp = state.get(RSP);
    const top = rsp >= 0 && rsp + 8 <= size ? Array.from(u8.subarray(rsp, rsp + 8), (b) => b.toString(16).padStart(2, "0")).reverse().join("") : "";
    return { task, rip, rax: word(RAX), rcx: word(RCX), r11: word(R11), rsp, top };
  }
  private note(r: Recording, task: Task, rip: number): void {
    if (r.steps === undefined) {
      const wanted = (r.nr === undefined || rip === r.nr) && (r.by === undefined || r.by === task.comm);
      const last = r.before.at(-1);
      if (rip < KERNEL_VSYSCALL && wanted && last?.task === task && last.rip >= KERNEL_VSYSCALL) {
        r.task = task;
        r.steps = r.before.filter((b) => b.task === task);
        r.page0 = r.steps.length;
      } else if ((r.by === undefined || r.by === task.comm) && this.trapping(r, rip)) {
        r.task = task;
        r.steps = r.before.filter((b) => b.task === task);
      } else {
        r.before.push(this.raw(task, rip));
        if (r.before.length > BEFORE) r.before.shift();
        return;
      }
    }
    if (task !== r.task) return;
    if (rip === KERNEL_VSYSCALL && r.entry < 0) r.entry = r.steps.length;
    r.steps.push(this.raw(task, rip));
    const done = r.entered >= 0 && rip > KERNEL_VSYSCALL + 16;
    if (done || r.steps.length > LONGEST) this.finish(r, r.steps);
  }
  /** A `syscall` that is still one, with the number that is waited for. */
  private trapping(r: Recording, rip: number): boolean {
    const { u8 } = this.machine.kernel.mem;
    return u8[rip] === 0x0f && u8[rip + 1] === 0x05 && (r.nr === undefined || this.machine.cpu.state.get(RAX) === r.nr);
  }
  private finish(r: Recording, steps: readonly Raw[]): void {
    const { u8, size } = this.machine.kernel.mem;
    this.recording = undefined;
    const made: TraceStep[] = steps.map(({ rip, rax, rcx, r11, rsp, top }) => {
      const [line] = disassembleAt(this.iced, u8, size, rip, 1);
      return { rip, bytes: line?.bytes ?? "", text: line?.text ?? "", rax, rcx, r11, rsp, top };
    });
    const nr = r.entered;
    this.trace = {
      at: this.machine.retired,
      pid: r.task?.pid ?? 0, comm: r.task?.comm ?? "", nr, name: rowName(syscall_table[nr]) ?? String(nr), steps: made, call: r.page0 >= 0 ? r.page0 - 1 : made.findIndex((s) => s.text === "syscall"),
      page0: r.page0, entry: r.entry, back: made.length - 1, nops: made.filter((s) => s.rip < KERNEL_VSYSCALL && s.text === "nop").length,
    };
    this.ontrace(this.trace);
  }
}
