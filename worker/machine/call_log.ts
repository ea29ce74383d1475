// machine/call_log.ts — system calls noted as strace would write them, for the page to fetch.
//
// Writing a line takes longer than a short system call. So only so many are written down between two looks; runs of calls beyond that
// are counted by name and become one row each. A list that nobody could read does not slow the machine down.
import type { SyscallObserver } from "../arch/um/do_syscall_64.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { R10, R8, R9, RDI, RDX, RSI } from "../cpu/state.ts";
import { errnoByCode } from "../include/uapi/errno.ts";
import { formatAbsent, formatSyscall } from "../kernel/strace.ts";
import type { Row } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import type { Machine } from "../machine.ts";
import type { CallRow } from "../protocol/inspect.ts";

/** rows that are kept for the page to fetch */
const KEPT = 2000;
/** lines that may be written at once, and how many more after each look: a burst (an `ls`) is written whole, a stream is not */
const BURST = 500;
const STREAM = 100;
const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9] as const;

export const rowName = (row: Row | undefined): string | undefined => (row === undefined ? undefined : row.state === "errno" ? row.name : row.call.name);

/** The arguments of the call that the loaded task is about to make. */
export function rawArguments(machine: Machine): number[] {
  return ARGUMENTS.map((r) => machine.cpu.state.get_signed(r));
}

/** A finished call as one line. `raw`: what rawArguments() gave at its entry. */
export function describeCall(machine: Machine, nr: number, raw: readonly number[], result: number): string {
  const row = syscall_table[nr];
  const failed = result < 0 && result >= -4095;
  const errno = errnoByCode.get(-result);
  const { mem } = machine.kernel;
  if (row === undefined || row.state === "errno") return formatAbsent(mem, rowName(row) ?? `syscall_${nr}`, raw, row?.state === "errno" && row.errno.code === -result ? row.errno : (errno ?? result));
  const args = row.call.kinds.map((k, i) => {
    const v = raw[i]!;
    return k.width === "s32" ? v | 0 : k.width === "u32" ? v >>> 0 : k.width === "u64" && v < 0 ? v + 2 ** 64 : v;
  });
  return formatSyscall(mem, row.call, args, failed ? (errno ?? result) : result);
}

interface Entered {
  readonly raw: readonly number[];
  readonly at: number;
  readonly spent: number;
}

export class CallLog implements SyscallObserver {
  private readonly machine: Machine;
  private readonly names: ReadonlySet<string> | undefined;
  private readonly pid: number | undefined;
  private readonly rows: CallRow[] = [];
  private seq = 0;
  private room = BURST;
  /** calls under way, as they were at entry */
  private readonly entered = new Map<Task, Entered>();
  /** instructions retired in a task at its last call */
  private readonly last = new WeakMap<Task, number>();
  /** calls that were only counted */
  private readonly counted = new Map<string, { row: CallRow; n: number }>();

  constructor(machine: Machine, names: readonly string[] | undefined, pid: number | undefined) {
    this.machine = machine;
    this.names = names === undefined || names.length === 0 ? undefined : new Set(names);
    this.pid = pid;
  }
  enter(task: Task, nr: number): void {
    const spent = task.utime - (this.last.get(task) ?? task.utime);
    this.last.set(task, task.utime);
    if (this.pid !== undefined && task.tgid !== this.pid) return;
    const name = rowName(syscall_table[nr]);
    if (this.names !== undefined && !this.names.has(name ?? "")) return;
    if (this.room <= 0) {
      const known = this.counted.get(name ?? "");
      if (known !== undefined) {
        known.n++;
        return;
      }
    }
    this.entered.set(task, { raw: rawArguments(this.machine), at: this.machine.kernel.time.monotonic(), spent });
  }
  exit(task: Task, nr: number, result: number): void {
    const e = this.entered.get(task);
    if (e === undefined) return;
    this.entered.delete(task);
    const failed = result < 0 && result >= -4095;
    const name = rowName(syscall_table[nr]) ?? `syscall_${nr}`;
    const text = describeCall(this.machine, nr, e.raw, result);
    const made: CallRow = { seq: ++this.seq, pid: task.pid, comm: task.comm, name, text, error: failed, at: e.at, took: this.machine.kernel.time.monotonic() - e.at, spent: e.spent };
    if (this.room-- <= 0) {
      this.counted.set(name, { row: made, n: 1 });
      return;
    }
    this.push(made);
  }
  private push(row: CallRow): void {
    this.rows.push(row);
    if (this.rows.length > 2 * KEPT) this.rows.splice(0, this.rows.length - KEPT);
  }
  after(seq: number): CallRow[] {
    this.room = Math.min(BURST, Math.max(0, this.room) + STREAM);
    for (const { row, n } of this.counted.values()) this.push({ ...row, seq: ++this.seq, text: n === 1 ? row.text : `${row.text}   … and ${n - 1} more like it, too quick to write down` });
    this.counted.clear();
    const first = this.rows[0]?.seq ?? 0;
    return this.rows.slice(Math.max(0, this.rows.length - KEPT, seq + 1 - first));
  }
}
