// machine.ts — the machine: memory, CPU and kernel put together, and the loop that runs them.
//
// Everything is a function of image, command line and events: run() may be called with any slices, it retires the same instructions in the same
// order. What comes from outside (a key, a window's size) enters between two instructions and is logged with its moment.
import { cpuBytes, Cpu, type KernelDoor } from "./cpu/cpu.ts";
import { EXIT_BUDGET, EXIT_KERNEL, EXIT_SYSCALL } from "./cpu/exit.ts";
import type { Iced } from "./cpu/iced.ts";
import { GuestMemory } from "./cpu/memory.ts";
import { hasherBytes } from "./machine/hash.ts";
import { eventOf, KeptBytes, type Input, type InputEvent } from "./machine/input.ts";
import { RemoteCpu, type CpuStart } from "./cpu/remote.ts";
import { Entry64 } from "./arch/um/do_syscall_64.ts";
import type { Os } from "./arch/um/os.ts";
import { UmArch } from "./arch/um/process.ts";
import { KERNEL_VSYSCALL } from "./arch/um/trampoline.ts";
import { relay_signal } from "./arch/um/trap.ts";
import { Zpoline, type HookMode } from "./arch/um/zpoline.ts";
import type { BootFile } from "./init/files.ts";
import { kernel_init, mem_size, start_kernel, um_command_line } from "./init/main.ts";
import { Kernel } from "./kernel/kernel.ts";
import { SYSCALL_NSEC } from "./kernel/time/timekeeping.ts";
import { HALT, oops } from "./kernel/panic.ts";
import { Params } from "./kernel/params.ts";
import type { Task } from "./kernel/task.ts";
import { KernelMemory } from "./machine/memory.ts";
import { Tap } from "./machine/tap.ts";

/** The guest's clock at power-on, unless the host's is asked for: a constant, so that a boot is the same boot tomorrow. */
const POWER_ON = 1_700_000_000;

export interface MachineOptions {
  /** the kernel's command line, as a person writes it */
  readonly cmdline: string;
  readonly os: Os;
  readonly iced: Iced;
  /** SharedArrayBuffer, so that others can look at memory live */
  readonly shared: boolean;
  /** compiled tier; default on */
  readonly jit?: boolean;
  /** times that code is reached before it is compiled */
  readonly hot?: number;
  /** times that code is reached before the interpreter joins it into runs; see CpuOptions */
  readonly warm?: number;
  /** seconds since the epoch at power-on */
  readonly clock?: number;
  /** written to the root file system before init runs */
  readonly files?: readonly BootFile[];
  /** um=ptrace: starts a worker that makes a CpuServer of this and serves; resolves when it is ready */
  readonly startCpu?: (start: CpuStart) => Promise<void>;
}

/**
 * Why run() came back. slice: the instructions asked for have retired. idle: all tasks sleep; until() says when the next timer is due. host: await
 * kernel.host_work. halted: kernel.halted says how.
 */
export type Reason = "slice" | "idle" | "host" | "halted";

export class Machine implements KernelDoor {
  readonly kernel: Kernel;
  readonly cpu: Cpu;
  readonly arch: UmArch;
  readonly entry: Entry64;
  readonly cmdline: string;
  /** what the kernel has instead of the host */
  readonly tap: Tap;
  /** every event so far */
  readonly log: InputEvent[] = [];
  private readonly kept = new KeptBytes();
  /** came while the machine waited for its host: they enter at the next moment that is the same whatever the host does */
  private held: Input[] = [];
  /** seconds since the epoch at power-on */
  readonly clock: number;
  /** what was added to the root file system */
  readonly files: readonly BootFile[];
  /** run() ends when so many instructions have retired */
  private goal = 0;
  /** instructions that the CPU had retired when they were last accounted */
  private accounted = 0;
  /** KernelDoor: what is noted with the calls of the current task, its number; and what each costs, while nobody watches and sched.room() has been asked */
  tag = 0;
  cost = 0;
  /** whose calls are quick() */
  private caller: Task | undefined;
  private readonly startCpu: MachineOptions["startCpu"];
  /** um=ptrace: the way to the CPU's worker */
  readonly remote: RemoteCpu | undefined;

  /** Throws an Error with a sentence when the command line asks for what cannot be (mem=). */
  constructor(options: MachineOptions) {
    this.cmdline = um_command_line(options.cmdline);
    const size = mem_size(this.cmdline);
    if (!(size >= 8 << 20 && size <= 2 ** 31)) throw new Error(`mem= must be from 8M to 2048M, not "${new Params(this.cmdline).get("mem")}"`);
    const memory = new GuestMemory(size, cpuBytes(size) + hasherBytes(size) + (1 << 20), options.shared);
    const params = new Params(this.cmdline);
    const cpuOptions = { jit: options.jit ?? true, ...(options.hot === undefined ? {} : { hot: options.hot }), ...(options.warm === undefined ? {} : { warm: options.warm }), cpu: params.get("cpu") };
    this.cpu = new Cpu(memory, { ...cpuOptions, iced: options.iced });
    this.cpu.door = KERNEL_VSYSCALL;
    // plain UML: the guest runs elsewhere, every call stops it and is two handovers, and nothing is rewritten
    const ptrace = params.get("um") === "ptrace";
    if (ptrace && (!options.shared || options.startCpu === undefined)) throw new Error("um=ptrace needs memory that two workers share: this host does not have it");
    this.startCpu = options.startCpu;
    this.remote = ptrace ? new RemoteCpu(this.cpu, cpuOptions) : undefined;
    this.cpu.kernel = this;
    const mode = params.get("zpoline") ?? (ptrace ? "0" : "1");
    const zpoline = new Zpoline((mode === "0" || mode === "lazy" ? mode : "1") as HookMode);
    zpoline.check = params.get("zpoline.check") === "1";
    zpoline.scope = params.get("zpoline.scope") === "all" ? "all" : "exec,interp";
    this.arch = new UmArch(this.cpu, options.iced, zpoline);
    this.tap = new Tap(options.os);
    this.kernel = new Kernel(new KernelMemory(memory), this.arch, this.tap);
    this.entry = new Entry64(this.arch);
    this.files = options.files ?? [];
    this.clock = options.clock ?? (params.get("time") === "real" ? options.os.startTime() : POWER_ON);
  }

  /** What must be there before boot(): with um=ptrace the CPU's worker, otherwise nothing. */
  async start(): Promise<void> {
    if (this.remote === undefined || this.remote.attached) return;
    await this.startCpu!(this.remote.start);
    this.remote.attached = true;
  }
  /** The machine is done with: its CPU's worker ends, if it has one. */
  close(): void {
    this.remote?.end();
  }

  /** From power-on to a runnable init, or to a panic (then kernel.halted is set). */
  boot(): void {
    this.guard(() => {
      start_kernel(this.kernel, this.cmdline, this.clock);
      kernel_init(this.kernel, this.files);
    });
    this.settle();
  }

  /** Instructions retired since power-on. */
  get retired(): number {
    return this.kernel.time.retired;
  }
  /** Monotonic ns of the next timer, Infinity if none: how far an idle machine may jump. */
  until(): number {
    return this.kernel.time.next_expiry();
  }
  /** All tasks sleep: lets time pass to absolute `ns`, at most until(). */
  advance_idle(ns: number): void {
    // whole nanoseconds: a host's clock has fractions
    this.kernel.time.advance_idle(Math.min(Math.floor(ns), this.until()));
  }

  /**
   * Runs for at most `instructions`. After "slice" and "idle" the machine stands where all that could be done without a further instruction
   * is done: there events enter, and there a moment is named by the count alone.
   */
  run(instructions: number): Reason {
    const goal = this.kernel.halted === undefined ? this.retired + Math.floor(instructions) : 0;
    if (this.held.length > 0) {
      const reason = this.settle();
      if (reason === "host" || reason === "halted") return reason;
      const { held } = this;
      this.held = [];
      for (const input of held) this.enter(input);
    }
    return this.runTo(goal);
  }
  /** Does what can be done without a further instruction. */
  settle(): Reason {
    return this.runTo(this.kernel.halted === undefined ? this.retired : 0);
  }
  private runTo(goal: number): Reason {
    const { kernel, entry } = this;
    this.goal = goal;
    return this.guard((): Reason => {
      const { time, sched } = kernel;
      for (;;) {
        if (kernel.host_work !== undefined) return "host";
        time.run_timers();
        const task = sched.schedule();
        if (task === undefined) return "idle";
        if (task.syscall_nr >= 0) {
          entry.resume(task);
          continue;
        }
        if (task.sigpending || task.notify_resume) {
          entry.do_signal(task);
          continue;
        }
        const room = this.goal - time.retired;
        if (room <= 0) return "slice";
        this.step(task, Math.min(room, sched.budget()));
      }
    });
  }
  private step(task: Task, budget: number): void {
    const { cpu, entry } = this;
    this.accounted = cpu.retired;
    const exit = cpu.run(budget);
    // compiled code may have been here in the meantime
    const n = this.fresh();
    if (exit === EXIT_KERNEL) entry.door(task, n);
    else if (exit === EXIT_SYSCALL) entry.trapped(task, n);
    else {
      // it was left at the door, and called() has accounted for all: what the call's own time makes due is looked at after the next instruction, as if it had not been
      if (exit === EXIT_BUDGET && n === 0) return;
      this.kernel.sched.account(task, n);
      if (exit === EXIT_BUDGET) return;
      entry.observer?.fault?.(task, exit);
      relay_signal(task, exit);
    }
  }
  /**
   * Compiled code has come to the kernel: what step() and the loop around it would do, without leaving it. How many instructions may follow;
   * 0 if anything but going on in the same task comes next: the loop sees to that.
   */
  called(): number {
    const task = this.kernel.current!;
    this.entry.door(task, this.fresh());
    return this.follow(task);
  }
  again(): number {
    const task = this.kernel.current!;
    this.entry.attend(task);
    return this.follow(task);
  }
  private follow(task: Task): number {
    const { kernel, entry, cpu, goal } = this;
    const { time, sched } = kernel;
    this.accounted = cpu.retired;
    cpu.told = 0;
    if (task.syscall_nr >= 0 || task.sigpending || task.notify_resume || kernel.host_work !== undefined || !sched.stays(task)) return 0;
    const most = sched.room();
    this.tag = task.pid;
    this.caller = task;
    // its time comes off what is left as if it were instructions: it comes back too early rather than too late
    this.cost = entry.watches(task) || task.signal.cpu_timers ? 0 : SYSCALL_NSEC;
    return Math.min(most, goal - time.retired);
  }
  /** The same, of a call that nobody watches: its accounts wait (DoorLog), and so do all other questions, unless Arch.set_exit_work() asks for them: again(). */
  quick(nr: number): void {
    this.entry.quick(this.caller!, nr);
  }
  /** Instructions that have retired since they were last accounted. */
  private fresh(): number {
    const { cpu } = this;
    const n = cpu.retired - this.accounted - cpu.told;
    this.accounted = cpu.retired;
    cpu.told = 0;
    return n;
  }
  /** HALT ends whatever the kernel was doing. */
  private guard(work: () => Reason | void): Reason {
    if (this.kernel.halted !== undefined) return "halted";
    try {
      return work() ?? "slice";
    } catch (e) {
      // compiled code may have been left in the middle of a call
      this.cpu.count();
      this.kernel.sched?.settle();
      if (e === HALT) return "halted";
      // who watches ends a call before it begins (machine/debug.ts): nothing has failed
      if (typeof e !== "symbol") oops(this.kernel, e);
      throw e;
    }
  }

  /** Waits for what the kernel asked of the host (Reason "host"). */
  async host(): Promise<void> {
    const work = this.kernel.host_work;
    await work;
    if (this.kernel.host_work === work) this.kernel.host_work = undefined;
  }

  /** Something comes from outside: it is logged with its moment. */
  private enter(input: Input): void {
    if (this.kernel.halted !== undefined) return;
    const reason = this.kernel.host_work === undefined ? this.settle() : "host";
    if (reason === "halted") return;
    if (reason === "host") {
      this.held.push(input);
      return;
    }
    const event = eventOf(input, this.retired, this.kernel.time.monotonic());
    this.log.push(event);
    this.apply(event);
  }
  /** What an event does, without logging it. */
  apply(event: Input): void {
    const { kernel } = this;
    this.guard(() => {
      if ("bytes" in event) kernel.console.input(event.line, event.bytes);
      else if ("size" in event) kernel.console.resize(event.line, event.size.cols, event.size.rows);
      else if ("poke" in event) {
        const { address, bytes } = event.poke;
        kernel.mem.u8.set(bytes, address);
        this.arch.flush_icache_range(address, bytes.length);
      } else if ("file" in event) kernel.vfs.hostfs.sb.put(event.file.name, event.file.bytes);
      else kernel.time.advance(Math.max(0, event.clock - kernel.time.monotonic()));
    });
  }
  /** Keys arrive at console `line`. */
  input(line: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.enter({ line, bytes: this.kept.copy(bytes) });
  }
  /** The window of console `line` has a new size. */
  resize(line: number, cols: number, rows: number): void {
    this.enter({ line, size: { cols, rows } });
  }
  /** time=real: the host's clock has gone on to monotonic `ns` while the machine was busy. */
  tick(ns: number): void {
    this.enter({ clock: Math.floor(ns) });
  }
  /** Writes into memory, as a stray store of any process would: page 0 cannot be written. @throws Error with a sentence */
  poke(address: number, bytes: Uint8Array): void {
    const { mem } = this.kernel;
    if (this.kernel.halted !== undefined) throw new Error("The machine has stopped.");
    if (!(address >= KERNEL_VSYSCALL && address + bytes.length <= mem.size)) throw new Error(`Only memory from 0x${KERNEL_VSYSCALL.toString(16)} to 0x${mem.size.toString(16)} can be written.`);
    this.enter({ poke: { address, bytes: this.kept.copy(bytes) } });
  }

  /** Hands a file to the guest: it is in the directory of hostfs, `name` (a byte string) without a path. @throws Error with a sentence */
  file(name: string, bytes: Uint8Array): void {
    const { pages, halted } = this.kernel;
    if (halted !== undefined) throw new Error("The machine has stopped.");
    const free = pages.nr_free_pages() * 4096;
    if (bytes.length > free) throw new Error(`The file has ${(bytes.length / 1e6).toFixed(1)} MB, and the guest has ${(free / 1e6).toFixed(1)} MB of memory free: start it with a larger mem=, or use the file as a disk.`);
    this.enter({ file: { name, bytes: bytes.slice() } });
  }

  /** UML's exit status: 134 after a panic (abort), else what /proc/exitcode holds. */
  get exit_status(): number {
    return this.kernel.halted === "panic" ? 134 : this.kernel.exitcode & 0xff;
  }
}
