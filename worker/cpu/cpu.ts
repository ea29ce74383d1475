// worker/cpu/cpu.ts — the CPU: run(budget) until something happened. Knows nothing of Linux.

import type { Iced } from "./iced.ts";
import type { Exit } from "./exit.ts";
import { EXIT_BP, EXIT_BUDGET, EXIT_CALLED, EXIT_DB, EXIT_KERNEL, EXIT_OF, EXIT_PF, EXIT_RECHECK, EXIT_SYSCALL } from "./exit.ts";
import type { GuestMemory } from "./memory.ts";
import { CpuState, STATE_SIZE, ST_CUR, ST_CODE_HIT, ST_EXIT, ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_EXIT_VECTOR, ST_LEFT, ST_RETIRED, ST_RFLAGS_SYS, TF } from "./state.ts";
import { Decoder } from "./decode.ts";
import { DoorLog, doorBytes } from "./door.ts";
import { refineFault } from "./fault.ts";
import { EXIT_HOT, EXIT_MISS, EXIT_MISS_LINK } from "./core.ts";
import { Interpreter, interpreterBytes } from "./interp.ts";
import { CODE_SHIFT } from "./build/wasm.ts";
import { REC_RIP } from "./build/shape.ts";
import type { HelperContext } from "./build/helpers.ts";
import { helpers } from "./build/all_helpers.ts";
import { SseFloat } from "./sse.ts";
import { X87 } from "./x87.ts";
import { EXIT_COUNTED, Jit, jitBytes } from "./jit/jit.ts";
import { Cpuid } from "./cpuid.ts";

/** Decoded instructions that are kept: 16 MiB of records. */
const RECORDS = 1 << 18;
/** Default of CpuOptions.hot. */
const HOT = 16000;
/** Default of CpuOptions.warm. */
const WARM = 2000;
/** run() counts in i32. */
const SLICE = 0x40000000;
/** Compiled loops are left after so many instructions, so that they come back in what the engine has made of them by then. */
const COMPILED_SLICE = 1 << 22;

/** Bytes of vmcall. */
const VMCALL = 3;

/** How a CPU is made. */
export interface CpuOptions {
  /** iced-x86, loaded: see loadIced */
  readonly iced: Iced;
  /** compiled tier on */
  readonly jit?: boolean;
  /** times that a branch target is reached before it is compiled (at least 2) */
  readonly hot?: number;
  /** times that a branch target is reached before its instructions are joined into runs: see interp.ts */
  readonly warm?: number;
  /** feature level: see cpuid.ts; default v2+ */
  readonly cpu?: string;
  /** decoded instructions that are kept */
  readonly records?: number;
}

/** What compiled code does at the door, instead of being left. */
export interface KernelDoor {
  /**
   * The kernel's work, with rip behind the vmcall, which has retired. How many instructions may follow until run() must come back;
   * 0 or less: it comes back now, with EXIT_BUDGET, though less has retired.
   */
  called(): number;
  /** What a visit costs as if it were instructions, if the next one may be quick(); noted with `tag`. 0: called() again. */
  readonly cost: number;
  readonly tag: number;
  /**
   * The work of call `rax`, below NUMBERS of door.ts. Going on is all that follows, with so many instructions less, but for Cpu.attend().
   * The log has the call and the instructions before it: DoorLog.calls, .insns.
   */
  quick(rax: number): void;
  /** After quick(), if not: how many may follow, as called() says it. */
  again(): number;
}

/** Bytes that a Cpu takes above guest memory of `size` bytes. */
export function cpuBytes(size: number, records = RECORDS): number {
  return STATE_SIZE + doorBytes() + interpreterBytes(size, records) + jitBytes() + 4096;
}

/** One x86-64 CPU in user mode, on a GuestMemory. */
export class Cpu implements HelperContext {
  readonly mem: GuestMemory;
  readonly state: CpuState;
  /** Instructions retired since the machine started. */
  retired = 0;
  /** Details of the last fault: #PF's address; whether it was a write, a fetch; the vector of int n. */
  exit_addr = 0;
  exit_write = false;
  exit_exec = false;
  exit_vector = 0;
  /** The one address where vmcall is legal: it calls the kernel. */
  door = 0xffffffff;
  /** Instructions since this was last set to 0 that are in DoorLog.insns. */
  told = 0;
  /** Who answers when compiled code comes to the door; undefined: it is left there, with EXIT_KERNEL. */
  kernel: KernelDoor | undefined;
  /** Tier 0, for tests and panels. */
  readonly interpreter: Interpreter;
  readonly decoder: Decoder;
  /** Tier 1, if it is on. */
  readonly jit: Jit | undefined;
  readonly fpu: X87;
  readonly sse: SseFloat;
  /** who came to the door */
  readonly log: DoorLog;
  private readonly features: Cpuid;
  private readonly codeMap: number;
  /** what ST_LEFT was when `left` was right */
  private slice = 0;
  /** of run()'s budget, but for what the present run of generated code has taken */
  private left = 0;

  constructor(mem: GuestMemory, options: CpuOptions) {
    this.mem = mem;
    this.state = new CpuState(mem);
    this.log = new DoorLog(mem);
    this.fpu = new X87(this.state);
    this.sse = new SseFloat(this.state);
    this.features = new Cpuid(options.cpu ?? "v2+");
    this.codeMap = mem.codeMap = mem.reserve((mem.size >>> CODE_SHIFT) + 1);
    mem.code_changed = (addr, len) => this.code_changed(addr, len);
    this.decoder = new Decoder(options.iced, mem.u8, mem.size, (name) => this.features.absent(name));
    const bound = new Map<string, () => number>();
    for (const [name, helper] of Object.entries(helpers)) bound.set(name, () => helper(this));
    const layout = { mem, state: this.state.base, codeMap: this.codeMap };
    this.interpreter = new Interpreter(layout, this.decoder, options.records ?? RECORDS, bound, (a, n) => this.code_written(a >>> 0, n), options.warm ?? WARM, options.jit === true ? options.hot ?? HOT : 0);
    this.jit = options.jit === true ? new Jit(layout, this.interpreter, this.decoder, this) : undefined;
  }

  /** See HelperContext: only valid inside a helper. */
  retiredNow(): number {
    return this.retired + this.log.entered - this.state.get32(ST_LEFT);
  }
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number] {
    return this.features.leaf(leaf, subleaf);
  }

  /** Guest memory [addr, addr + len) was written by someone else than the guest's instructions: decoded code there goes. */
  code_written(addr: number, len: number): void {
    this.interpreter.code.written(addr, len);
  }

  /** The same, from outside of run(), or from `kernel`: if the bytes come out as they were, the code there stays. */
  code_changed(addr: number, len: number): void {
    const { code } = this.interpreter;
    code.rewritten(addr, len);
    if (code.unsettled) this.attend();
  }

  /** Forgets all decoded code. It changes nothing that a guest can see. */
  flush(): void {
    this.interpreter.flush();
  }

  /**
   * Runs until `budget` more instructions have retired, or something happened; never more.
   * rip and registers are then as exit.ts says for the exit returned.
   */
  run(budget: number): Exit {
    const { state } = this;
    this.interpreter.code.settle();
    this.interpreter.tick(this.retired);
    this.left = budget;
    let exit = EXIT_BUDGET as number;
    let record = 0;
    while (this.left > 0) {
      const single = (state.get32(ST_RFLAGS_SYS) & TF) !== 0;
      if (record === 0) {
        const rip = state.rip;
        if (rip >= this.mem.size) return this.fetchFault(rip);
        record = this.interpreter.find(rip) || this.interpreter.decode(rip);
      }
      const slice = single ? 1 : Math.min(this.left, this.jit === undefined ? SLICE : COMPILED_SLICE);
      state.set32(ST_LEFT, slice);
      this.log.begin(slice);
      this.slice = slice;
      this.interpreter.run(record);
      exit = state.get32(ST_EXIT);
      const counted = (exit & EXIT_COUNTED) !== 0;
      exit &= ~EXIT_COUNTED;
      let more = 0;
      record = 0;
      switch (exit) {
        case EXIT_BUDGET:
          state.rip = this.mem.u32[(state.get32(ST_CUR) + REC_RIP) >>> 2]!;
          break;
        case EXIT_KERNEL:
        case EXIT_SYSCALL:
        case EXIT_BP:
        case EXIT_OF:
        case EXIT_DB:
        case EXIT_MISS:
        case EXIT_HOT:
        case EXIT_RECHECK:
          if (!counted) more = 1;
          break;
        default: // a fault
      }
      const done = this.count() + more;
      this.retired += more;
      this.left -= more;
      if (exit === EXIT_CALLED) return EXIT_BUDGET;
      if (exit === EXIT_HOT && this.interpreter.reached(state.rip, this.retired)) this.jit!.reached(state.rip);
      if (exit === EXIT_BUDGET || exit === EXIT_HOT || exit === EXIT_MISS || exit === EXIT_RECHECK || exit === EXIT_MISS_LINK) {
        if (single && done > 0) return EXIT_DB;
        exit = EXIT_BUDGET;
        continue;
      }
      exit = refineFault(exit, state, this.decoder);
      this.exit_addr = state.get(ST_EXIT_ADDR >> 3);
      const flags = exit === EXIT_PF ? state.get32(ST_EXIT_FLAGS) : 0;
      this.exit_write = (flags & 1) !== 0;
      this.exit_exec = (flags & 2) !== 0;
      this.exit_vector = state.get32(ST_EXIT_VECTOR);
      return exit as Exit;
    }
    return EXIT_BUDGET;
  }

  /** Counts what generated code has retired since it was entered or this was last asked. How much that is. */
  count(): number {
    const { state, log } = this;
    const left = state.get32(ST_LEFT);
    const done = log.entered - left;
    this.retired += done;
    this.told += log.fresh;
    this.left -= this.slice - left;
    this.slice = left;
    log.begin(left);
    return done;
  }
  /** For compiled code at the door: `$kernel` of IMPORTS. */
  knock(): number {
    const { state, kernel } = this;
    if (kernel === undefined) return this.leave(EXIT_KERNEL);
    this.count();
    state.set32(ST_CODE_HIT, 0);
    return this.follow(kernel.called());
  }
  /** `$quick` */
  quick(rax: number): void {
    this.kernel!.quick(rax);
  }
  /** Something has come up: the program does not go on before kernel.again() has said so. */
  attend(): void {
    this.log.attend();
  }
  /** `$again` */
  again(): number {
    this.count();
    return this.follow(this.kernel!.again());
  }
  private follow(budget: number): number {
    const { state, kernel } = this;
    this.interpreter.code.settle();
    // elsewhere now, or in other code: whoever called must not go on as if nothing had been
    if (budget <= 0 || !state.undisturbed(this.door + VMCALL)) return this.leave(EXIT_CALLED);
    this.left = budget;
    const slice = Math.min(budget, COMPILED_SLICE);
    this.slice = slice;
    state.set32(ST_LEFT, slice);
    state.setF64(ST_RETIRED, this.retired);
    this.log.open(slice, kernel!.cost, kernel!.tag);
    return 0;
  }
  private leave(exit: number): number {
    this.state.set32(ST_EXIT, exit);
    return 1;
  }

  private fetchFault(rip: number): Exit {
    this.exit_addr = rip;
    this.exit_write = false;
    this.exit_exec = true;
    return EXIT_PF;
  }
}
