// worker/cpu/remote.ts — a CPU in a worker of its own: run() is a handover there and one back, through Atomics on shared memory.
//
// Both sides make a Cpu on the same GuestMemory in the same way, so that state block and tables lie at the same addresses. The one that asks
// never decodes: it tells what it has written to memory, and the other forgets the code there before it runs on.
import { Cpu, type CpuOptions } from "./cpu.ts";
import type { Exit } from "./exit.ts";
import type { Iced } from "./iced.ts";
import { GuestMemory } from "./memory.ts";

/** What the other worker needs to begin. Can be posted. */
export interface CpuStart {
  readonly memory: WebAssembly.Memory;
  /** bytes of guest RAM */
  readonly size: number;
  readonly control: SharedArrayBuffer;
  readonly door: number;
  readonly options: Omit<CpuOptions, "iced">;
}

// the control block, in i32
const TURN = 0;
const EXIT = 1;
const WRITE = 2;
const EXEC = 3;
const VECTOR = 4;
const WRITTEN = 5;
/** pairs of address and length */
const RANGES = 32;
const MAX_RANGES = 1024;
const SIZE = 4 * (RANGES + 2 * MAX_RANGES);
// in f64, from byte 64
const BUDGET = 8;
const RETIRED = 9;
const ADDR = 10;

const ASKING = 0;
const RUNNING = 1;
const ENDED = 2;
/** more was written than there is room to tell */
const EVERYTHING = -1;

/** The side that asks: takes over run() and the notes of writes of `cpu`. */
export class RemoteCpu {
  readonly start: CpuStart;
  /** the other side runs, and waits to be asked */
  attached = false;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  private readonly cpu: Cpu;
  /** handovers so far, there and back counted as one */
  handovers = 0;

  constructor(cpu: Cpu, options: Omit<CpuOptions, "iced">) {
    const control = new SharedArrayBuffer(SIZE);
    this.cpu = cpu;
    this.i32 = new Int32Array(control);
    this.f64 = new Float64Array(control);
    this.start = { memory: cpu.mem.memory, size: cpu.mem.size, control, door: cpu.door, options };
    cpu.run = (budget) => this.run(budget);
    cpu.code_written = cpu.code_changed = (addr, len) => this.written(addr, len);
    cpu.flush = () => {
      this.i32[WRITTEN] = EVERYTHING;
    };
  }

  private written(addr: number, len: number): void {
    const { i32 } = this;
    const n = i32[WRITTEN]!;
    if (n === EVERYTHING || len <= 0) return;
    if (n === MAX_RANGES) {
      i32[WRITTEN] = EVERYTHING;
      return;
    }
    i32[RANGES + 2 * n] = addr;
    i32[RANGES + 2 * n + 1] = len;
    i32[WRITTEN] = n + 1;
  }

  private run(budget: number): Exit {
    if (!this.attached) throw new Error("um=ptrace: the CPU's worker was not started (Machine.start)");
    const { i32, f64, cpu } = this;
    f64[BUDGET] = budget;
    f64[RETIRED] = cpu.retired;
    this.handovers++;
    Atomics.store(i32, TURN, RUNNING);
    Atomics.notify(i32, TURN);
    while (Atomics.load(i32, TURN) === RUNNING) Atomics.wait(i32, TURN, RUNNING);
    if (Atomics.load(i32, TURN) === ENDED) throw new Error("the CPU's worker has ended");
    cpu.retired = f64[RETIRED]!;
    cpu.exit_addr = f64[ADDR]!;
    cpu.exit_write = i32[WRITE] === 1;
    cpu.exit_exec = i32[EXEC] === 1;
    cpu.exit_vector = i32[VECTOR]!;
    return i32[EXIT] as Exit;
  }
  /** The other side returns from serveCpu. */
  end(): void {
    Atomics.store(this.i32, TURN, ENDED);
    Atomics.notify(this.i32, TURN);
  }
}

/** The side that runs: what its worker does once it has said that it is ready. Returns when the machine is done with it. */
export class CpuServer {
  private readonly cpu: Cpu;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;
  constructor(start: CpuStart, iced: Iced) {
    this.cpu = new Cpu(GuestMemory.of(start.memory, start.size), { ...start.options, iced });
    this.cpu.door = start.door;
    this.i32 = new Int32Array(start.control);
    this.f64 = new Float64Array(start.control);
  }
  serve(): void {
    const { i32, f64, cpu } = this;
    try {
      for (;;) {
        Atomics.wait(i32, TURN, ASKING);
        const turn = Atomics.load(i32, TURN);
        if (turn === ENDED) return;
        if (turn === ASKING) continue;
        const n = i32[WRITTEN]!;
        if (n === EVERYTHING) cpu.flush();
        else for (let i = 0; i < n; i++) cpu.code_changed(i32[RANGES + 2 * i]! >>> 0, i32[RANGES + 2 * i + 1]!);
        i32[WRITTEN] = 0;
        cpu.retired = f64[RETIRED]!;
        i32[EXIT] = cpu.run(f64[BUDGET]!);
        f64[RETIRED] = cpu.retired;
        f64[ADDR] = cpu.exit_addr;
        i32[WRITE] = cpu.exit_write ? 1 : 0;
        i32[EXEC] = cpu.exit_exec ? 1 : 0;
        i32[VECTOR] = cpu.exit_vector;
        Atomics.store(i32, TURN, ASKING);
        Atomics.notify(i32, TURN);
      }
    } finally {
      // whoever waits must not wait for ever
      Atomics.store(i32, TURN, ENDED);
      Atomics.notify(i32, TURN);
    }
  }
}
