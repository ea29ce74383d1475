// machine/watch.ts — what happens in the machine and concerns a person: processes start, end and fault, calls come from where none was rewritten.
//
// Listens at a few system calls, looks where each comes from, and listens at faults; costs nothing between them. How a process ended is known when somebody collects it: wait4's answer
// has the kernel's own status.
import { EXIT_DE, EXIT_GP, EXIT_PF, EXIT_UD, type Exit } from "../cpu/exit.ts";
import { R10, RAX, RCX, RDI, RSI, RSP } from "../cpu/state.ts";
import type { SyscallObserver } from "../arch/um/do_syscall_64.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { KERNEL_VSYSCALL } from "../arch/um/trampoline.ts";
import type { CpuState } from "../cpu/state.ts";
import type { Iced } from "../cpu/iced.ts";
import type { Task } from "../kernel/task.ts";
import type { Machine } from "../machine.ts";
import type { MachineEvent } from "../protocol/inspect.ts";
import { rowName } from "./call_log.ts";
import { disassembleAt } from "./disassemble.ts";

const EXECVE = 59;
const WAIT4 = 61;
const EXECVEAT = 322;
/** The calls that it listens at. */
export const WATCHED: ReadonlySet<number> = new Set([EXECVE, WAIT4, EXECVEAT]);
/** Places behind rewritten sites that were seen are kept by the lowest bits of their addresses. */
const SEEN = 64;
/** An import is read from its module each time; this is a constant of the machine code. */
const CX = RCX;
const hex = (n: number): string => `0x${n.toString(16)}`;

/** The name of the file that a process runs. */
export function programOf(task: Task): string {
  return task.mm?.exe_file?.dentry.d_name ?? task.comm;
}

export class Watch implements SyscallObserver {
  private readonly machine: Machine;
  private readonly state: CpuState;
  private readonly iced: Iced;
  private readonly tell: (event: MachineEvent) => void;
  /** pid → name, of processes that may be collected */
  private readonly names = new Map<number, string>();
  /** where wait4 writes the status */
  private readonly waiting = new Map<number, number>();
  /** where rewritten sites that were seen come back to; one that is not known is where it cannot be found */
  private readonly good = new Int32Array(SEEN);

  constructor(machine: Machine, iced: Iced, tell: (event: MachineEvent) => void) {
    this.machine = machine;
    this.state = machine.cpu.state;
    this.forget();
    this.iced = iced;
    this.tell = tell;
  }
  private forget(): void {
    for (let i = 0; i < SEEN; i++) this.good[i] = i + 1;
  }
  enter(task: Task, nr: number): void {
    if (nr !== WAIT4) return;
    this.waiting.set(task.pid, this.machine.cpu.state.get(RSI));
    for (const child of task.children) this.names.set(child.pid, child.comm);
  }
  came(task: Task, nr: number): void {
    const { state } = this;
    const back = state.get_lo(CX);
    if (this.good[back & (SEEN - 1)] === back && state.get_hi(CX) === 0) return;
    const z = this.machine.arch.zpoline;
    // through page 0, but not from a place that execve rewrote
    if (z.mode !== "1" || state.rip !== KERNEL_VSYSCALL + 3) return;
    const from = state.get(RCX) - 2;
    if (z.rewritten.has(from)) this.good[back & (SEEN - 1)] = back;
    else this.tell({ type: "stray", pid: task.pid, comm: task.comm, from, name: rowName(syscall_table[nr]) ?? String(nr) });
  }
  exit(task: Task, nr: number, result: number): void {
    if ((nr === EXECVE || nr === EXECVEAT) && result === 0) {
      this.forget();
      this.names.set(task.pid, task.comm);
      this.tell({ type: "start", pid: task.pid, comm: task.comm, path: programOf(task) });
    } else if (nr === WAIT4) {
      const at = this.waiting.get(task.pid);
      this.waiting.delete(task.pid);
      if (result <= 0 || at === undefined || at === 0) return;
      const status = this.machine.kernel.mem.view.getInt32(at, true);
      // stopped or continued is no end
      if ((status & 0xff) === 0x7f || status === 0xffff) return;
      this.tell({ type: "end", pid: result, comm: this.names.get(result) ?? "", status, parent: task.pid, shell: task.signal.leader && task.signal.tty?.index === 0 });
      this.names.delete(result);
    }
  }
  fault(task: Task, exit: Exit): void {
    const { cpu, kernel, arch } = this.machine;
    const { state } = cpu;
    const { rip } = state;
    const { u8, size } = kernel.mem;
    const registers = ([["rip", rip], ["rax", state.get(RAX)], ["rdi", state.get(RDI)], ["rsi", state.get(RSI)], ["r10", state.get(R10)], ["rsp", state.get(RSP)]] as const).map(([n, v]) => [n, hex(v)] as const);
    const calls = arch.show_regs(undefined).map((l) => l.replace(/^Last system calls: /, ""));
    const [line] = disassembleAt(this.iced, u8, size, rip, 1);
    this.tell({ type: "fault", pid: task.pid, comm: task.comm, words: this.words(task, exit, line?.text ?? ""), rip, code: disassembleAt(this.iced, u8, size, rip, 4), registers, calls });
  }
  /** One sentence about a fault. */
  private words(task: Task, exit: Exit, insn: string): string {
    const { cpu, kernel } = this.machine;
    const { rip } = cpu.state;
    const who = `${task.comm} (pid ${task.pid})`;
    if (exit === EXIT_UD) return `${who} came to bytes at ${hex(rip)} that are no instruction.`;
    if (exit === EXIT_DE) return `${who} divided by zero, or the quotient did not fit: ${insn} at ${hex(rip)}.`;
    if (exit === EXIT_GP) return `${who} used an address that cannot be, or an instruction that is the kernel's: ${insn} at ${hex(rip)}.`;
    if (exit !== EXIT_PF) return `${who} faulted at ${hex(rip)}: ${insn}.`;
    const at = cpu.exit_addr;
    if (cpu.exit_exec) return `${who} jumped to ${hex(at)}, where there is no memory.`;
    const did = cpu.exit_write ? "wrote to" : "read from";
    if (rip < KERNEL_VSYSCALL) return `${who} jumped into page 0 behind its last instruction, at ${hex(rip)}: there is nothing that leads into the kernel.`;
    if (at < KERNEL_VSYSCALL) return `${who} ${did} address ${hex(at)}, in page 0. It holds the way into the kernel and can only be executed${at === 0 ? "; a NULL pointer points there" : ""}.`;
    if (at >= kernel.mem.size) return `${who} ${did} ${hex(at)}, which is beyond the end of memory (${hex(kernel.mem.size)}).`;
    return `${who} ${did} ${hex(at)}: ${insn} at ${hex(rip)}.`;
  }
}
