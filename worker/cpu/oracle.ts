// worker/cpu/oracle.ts — runs the guest with the BigInt builder: the reference that the fast executors are compared with.

import type { Cpu } from "./cpu.ts";
import type { Decoder } from "./decode.ts";
import { Insn } from "./decode.ts";
import { refineFault } from "./fault.ts";
import { EvalBuilder, Leave } from "./build/eval.ts";
import { helpers } from "./build/all_helpers.ts";
import type { Exit } from "./exit.ts";
import { EXIT_BUDGET, EXIT_DB, EXIT_PF, EXIT_RECHECK, EXIT_UD } from "./exit.ts";
import { ST_EXIT_ADDR, ST_EXIT_FLAGS, ST_EXIT_VECTOR, ST_RFLAGS_SYS, TF } from "./state.ts";

/** Executes on a Cpu's state and memory, in its place. */
export class Oracle {
  private readonly cpu: Cpu;
  private readonly decoder: Decoder;
  private readonly builder: EvalBuilder;
  private readonly insn = new Insn();

  constructor(cpu: Cpu) {
    this.cpu = cpu;
    this.decoder = cpu.decoder;
    this.builder = new EvalBuilder(cpu, helpers);
  }

  /** As Cpu.run. */
  run(budget: number): Exit {
    for (let n = 0; n < budget; n++) {
      const exit = this.step();
      if (exit !== EXIT_BUDGET) return exit;
    }
    return EXIT_BUDGET;
  }

  private fault(exit: number, address: number, flags: number): Exit {
    this.cpu.exit_addr = address;
    this.cpu.exit_write = exit === EXIT_PF && (flags & 1) !== 0;
    this.cpu.exit_exec = exit === EXIT_PF && (flags & 2) !== 0;
    this.cpu.exit_vector = this.cpu.state.get32(ST_EXIT_VECTOR);
    return exit as Exit;
  }

  private step(): Exit {
    const { cpu, insn, builder } = this;
    const { state } = cpu;
    const single = (state.get32(ST_RFLAGS_SYS) & TF) !== 0;
    const rip = state.rip;
    if (rip >= cpu.mem.size) return this.fault(EXIT_PF, rip, 2);
    this.decoder.forget();
    this.decoder.decode(rip, insn);
    if (insn.length === 0) return this.fault(EXIT_PF, cpu.mem.size, 2);
    const { definition } = insn.shape;
    if (definition === undefined) return this.fault(EXIT_UD, 0, 0);
    builder.insn = insn;
    builder.target = undefined;
    let exit: Exit = EXIT_BUDGET;
    try {
      definition.lower(builder, ...insn.shape.form.operands);
    } catch (e) {
      if (!(e instanceof Leave)) throw e;
      if (!e.retired) return this.fault(refineFault(e.exit, state, this.decoder), state.get(ST_EXIT_ADDR >> 3), state.get32(ST_EXIT_FLAGS));
      if (e.exit !== EXIT_RECHECK) exit = e.exit as Exit;
    }
    cpu.retired++;
    if (builder.target === undefined) state.rip = rip + insn.length;
    else state.set64(16, builder.target);
    return exit === EXIT_BUDGET && single ? EXIT_DB : exit;
  }
}
