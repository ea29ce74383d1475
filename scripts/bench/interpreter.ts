// scripts/bench/interpreter.ts — npm run bench -- interpreter: instructions a second of the interpreter alone, in Node.
//
// Boots, and what shells do. Each command runs in a machine of its own, several times, since code is joined into runs and the engine optimises them only
// while it runs. Time counts within generated code only: what the kernel does is not the interpreter's. It is the clock's; the host should do nothing else.

import type { Cpu } from "../../worker/cpu/cpu.ts";
import { TestMachine } from "../../worker/test/boot.ts";

const COMMANDS: Readonly<Record<string, string>> = {
  "shell loop": "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done",
  "awk": "seq 1 5000 | awk '{s+=$1} END {print s}'",
  "sort": "seq 1 5000 | sort -r | tail -1",
  "ls -lR": "for i in 1 2 3 4; do ls -lR / >/dev/null 2>&1; done",
  "sha256sum": "dd if=/bin/busybox bs=64k count=8 2>/dev/null | sha256sum",
};

interface InterpreterRow {
  readonly name: string;
  /** millions of instructions a second, the first time and the last */
  readonly first: number;
  readonly last: number;
  /** millions of instructions each time */
  readonly millions: number;
}

/** Counts the time in which generated code runs. */
function stopwatch(cpu: Cpu): () => number {
  const { interpreter } = cpu, run = interpreter.run.bind(interpreter);
  let inside = 0;
  interpreter.run = (record) => {
    const start = performance.now();
    run(record);
    inside += performance.now() - start;
  };
  return () => inside;
}

/** Prints a table, or with `json` one object. `rounds`: times that each is done. */
export async function benchInterpreter(rounds: number, say: (line: string) => void, json: boolean): Promise<void> {
  const rows: InterpreterRow[] = [];
  const row = (name: string, millions: number, times: readonly number[]): void => {
    rows.push({ name, millions, first: (millions / times[0]!) * 1000, last: (millions / times[times.length - 1]!) * 1000 });
  };
  // a boot is a machine of its own each time; the module cache of the engine is all that is warm
  const boots: number[] = [];
  let instructions = 0;
  for (let i = 0; i < rounds; i++) {
    const m = await TestMachine.create({ jit: false });
    const inside = stopwatch(m.machine.cpu);
    m.machine.boot();
    m.until(/[#$] $/);
    boots.push(inside());
    instructions = m.machine.retired;
  }
  row("boot", instructions / 1e6, boots);
  for (const [name, command] of Object.entries(COMMANDS)) {
    const m = await TestMachine.boot({ jit: false });
    const inside = stopwatch(m.machine.cpu), times: number[] = [];
    let millions = 0;
    for (let i = 0; i < rounds; i++) {
      const before = inside(), retired = m.machine.retired;
      m.run(command);
      times.push(inside() - before);
      millions = (m.machine.retired - retired) / 1e6;
    }
    row(name, millions, times);
  }
  for (const { name, millions, first, last } of rows) say(`${name.padEnd(12)} ${millions.toFixed(1).padStart(7)} M instructions   first ${first.toFixed(0).padStart(4)} M/s   last ${last.toFixed(0).padStart(4)} M/s`);
  if (json) console.log(JSON.stringify({ rows }));
}
