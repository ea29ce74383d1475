// scripts/bench/session.ts — a booted machine that runs rows of a benchmark and stops the time of each. In Node and in a browser's worker alike.
import type { Os } from "../../worker/arch/um/os.ts";
import type { CpuStart } from "../../worker/cpu/remote.ts";
import { loadIced } from "../../worker/cpu/iced.ts";
import { MemoryStore } from "../../worker/lib/memory_store.ts";
import { Machine } from "../../worker/machine.ts";

/** The ways into the kernel, as the command line names them. */
export const MODES = ["zpoline=1", "zpoline=lazy", "zpoline=0", "um=ptrace"] as const;
export type Mode = (typeof MODES)[number];

export interface Measured {
  /** of the host, from the write of the @begin line to that of the @end line */
  readonly ms: number;
  /** that retired between the two; exact */
  readonly instructions: number;
}

/** instructions between two looks at what was printed */
const SLICE = 5_000_000;

export class Session {
  private machine!: Machine;
  private text = "";
  private marks: { at: number; instructions: number }[] = [];

  /** A machine at its first prompt, with the programs of `image` in /bench. */
  static async boot(mode: Mode, image: Uint8Array, startCpu: (start: CpuStart) => Promise<void>): Promise<Session> {
    const session = new Session();
    const disk = new MemoryStore("disk", image.slice());
    const os: Os = {
      openBlock: () => disk,
      consoleWrite: (line, bytes) => {
        if (line === 0) session.printed(String.fromCharCode(...bytes));
      },
      startTime: () => 0,
      entropy: () => new Uint8Array(32),
      hostPrint: () => {},
    };
    const machine = new Machine({ cmdline: `ubd0=disk rw mem=64m loglevel=4 init=/sbin/init ${mode}`, os, iced: await loadIced(), shared: true, startCpu });
    session.machine = machine;
    await machine.start();
    machine.boot();
    session.until(/[#$] $/);
    return session;
  }
  private printed(text: string): void {
    this.text += text;
    if (text.startsWith("@begin ") || text === "@end ") this.marks.push({ at: performance.now(), instructions: this.machine.retired });
  }
  private until(pattern: RegExp): void {
    const { machine } = this;
    while (!pattern.test(this.text)) {
      const reason = machine.run(SLICE);
      if (reason === "idle" && machine.until() < Infinity) machine.advance_idle(machine.until());
      else if (reason !== "slice" && !pattern.test(this.text)) throw new Error(`the machine is ${reason} where ${pattern} was expected:\n${this.text}`);
    }
  }
  /** Runs `row` of `program` `count` times. @throws Error with what was said instead */
  run(program: string, row: string, count: number): Measured {
    this.text = "";
    this.marks = [];
    this.machine.input(0, new TextEncoder().encode(`/bench/${program} ${row} ${count}; echo "<$?>"\n`));
    this.until(/<\d+>\r?\n[^]*[#$] $/);
    const [begin, end] = this.marks;
    if (begin === undefined || end === undefined || !this.text.includes("<0>")) throw new Error(`${program} ${row} in the guest:\n${this.text}`);
    return { ms: end.at - begin.at, instructions: end.instructions - begin.instructions };
  }
  close(): void {
    this.machine.close();
  }
}
