// machine/inspect.ts — what the page's panels look at: processes, memory, system calls, registers. Reads the machine, changes nothing of it.
import type { SyscallObserver } from "../arch/um/do_syscall_64.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { KERNEL_VSYSCALL } from "../arch/um/trampoline.ts";
import type { Iced } from "../cpu/iced.ts";
import { R10, R8, R9, RDI, RDX, RSI } from "../cpu/state.ts";
import { get_task_state } from "../fs/proc/array.ts";
import { errnoByCode } from "../include/uapi/errno.ts";
import { formatSyscall } from "../kernel/strace.ts";
import type { Row } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import type { Machine } from "../machine.ts";
import type { VmArea } from "../mm/mm_types.ts";
import { VM_EXEC } from "../mm/mm_types.ts";
import type { CallRow, ImageRow, MemoryRow, ProcessRow, Registers } from "../protocol.ts";

/** rows that are kept for the page to fetch */
const KEPT = 2000;
const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9] as const;
/** in the order of the instruction encoding */
const NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const;
const FLAGS = [[0, "CF"], [2, "PF"], [4, "AF"], [6, "ZF"], [7, "SF"], [10, "DF"], [11, "OF"]] as const;
/** instructions shown from rip on */
const LINES = 10;

const rowName = (row: Row | undefined): string | undefined => (row === undefined ? undefined : row.state === "errno" ? row.name : row.call.name);

/** Names of system calls by number. */
export function callNames(): (string | undefined)[] {
  return Array.from(syscall_table, rowName);
}

/** Notes system calls as strace would write them. */
export class CallLog implements SyscallObserver {
  private readonly machine: Machine;
  private readonly rows: CallRow[] = [];
  private seq = 0;
  /** arguments of the calls under way, as they were at entry */
  private readonly entered = new Map<Task, number[]>();

  constructor(machine: Machine) {
    this.machine = machine;
  }
  enter(task: Task): void {
    const { state } = this.machine.cpu;
    this.entered.set(task, ARGUMENTS.map((r) => state.get_signed(r)));
  }
  exit(task: Task, nr: number, result: number): void {
    const raw = this.entered.get(task);
    this.entered.delete(task);
    const row = syscall_table[nr];
    const failed = result < 0 && result >= -4095;
    let text: string;
    if (row === undefined || row.state === "errno" || raw === undefined) text = `${rowName(row) ?? `syscall_${nr}`}(…) = ${failed ? this.error(row, -result) : result}`;
    else {
      const args = row.call.kinds.map((k, i) => {
        const v = raw[i]!;
        return k.width === "s32" ? v | 0 : k.width === "u32" ? v >>> 0 : k.width === "u64" && v < 0 ? v + 2 ** 64 : v;
      });
      text = formatSyscall(this.machine.kernel.mem, row.call, args, failed ? (errnoByCode.get(-result) ?? result) : result);
    }
    this.rows.push({ seq: ++this.seq, pid: task.pid, comm: task.comm, text, error: failed });
    if (this.rows.length > 2 * KEPT) this.rows.splice(0, this.rows.length - KEPT);
  }
  private error(row: Row | undefined, code: number): string {
    return `-1 ${row?.state === "errno" && row.errno.code === code ? row.errno.name : (errnoByCode.get(code)?.name ?? code)}`;
  }
  after(seq: number): CallRow[] {
    const first = this.rows[0]?.seq ?? 0;
    return this.rows.slice(Math.max(0, this.rows.length - KEPT, seq + 1 - first));
  }
}

export class Inspector {
  private readonly machine: Machine;
  private readonly iced: Iced;
  private log: CallLog | undefined;

  constructor(machine: Machine, iced: Iced) {
    this.machine = machine;
    this.iced = iced;
  }

  watchCalls(on: boolean): void {
    this.log = on ? (this.log ?? new CallLog(this.machine)) : undefined;
    this.machine.entry.observer = this.log;
  }
  calls(seq: number): CallRow[] {
    return this.log?.after(seq) ?? [];
  }

  processes(): ProcessRow[] {
    const { kernel } = this.machine;
    const parked = new Set<Task>();
    for (const t of kernel.tasks.values()) if (t.vfork_done !== undefined) parked.add(t.vfork_done);
    return [...kernel.tasks.values()].map((t) => ({
      pid: t.pid,
      ppid: t.real_parent?.pid ?? 0,
      comm: t.comm,
      state: get_task_state(t)[0],
      vfork: parked.has(t),
      memory: t.mm?.total_vm() ?? 0,
      instructions: t.utime,
      call: t.syscall_nr >= 0 ? rowName(syscall_table[t.syscall_nr]) : undefined,
    }));
  }

  private kindOf(task: Task, v: VmArea): MemoryRow["kind"] {
    const mm = task.mm!;
    if (v.vm_start <= mm.start_stack && mm.start_stack <= v.vm_end) return "stack";
    if (v.vm_start <= mm.start_brk && mm.start_brk < v.vm_end && mm.brk > mm.start_brk) return v.vm_flags & VM_EXEC ? "text" : "heap";
    if (v.vm_flags & VM_EXEC) return "text";
    return v.vm_file !== undefined ? "data" : "map";
  }
  /** All of the memory, in address order and without gaps. */
  memory(): { size: number; rows: MemoryRow[] } {
    const { kernel } = this.machine;
    const { pages } = kernel;
    const rows: MemoryRow[] = [
      { start: 0, end: KERNEL_VSYSCALL, kind: "trampoline", owner: undefined, note: "one nop for each system call, then a jump to __kernel_vsyscall" },
      { start: KERNEL_VSYSCALL, end: pages.start_pfn * 4096, kind: "kernel", owner: undefined, note: "the kernel's entry, and what it keeps for itself" },
    ];
    const seen = new Set<number>();
    for (const t of kernel.tasks.values()) {
      for (const v of t.mm?.vmas ?? []) {
        if (seen.has(v.vm_start)) continue;
        seen.add(v.vm_start);
        const name = v.vm_file?.f_path?.dentry.d_name ?? "";
        const shared = v.vm_region.usage > 1 ? `, shared by ${v.vm_region.usage}` : "";
        rows.push({ start: v.vm_start, end: Math.max(v.vm_end, v.vm_region.vm_end === v.vm_end ? v.vm_region.vm_top : 0), kind: this.kindOf(t, v), owner: t.tgid, note: `${t.comm}${name === "" ? "" : ` · ${name}`}${shared}` });
      }
    }
    for (const [start, size] of pages.holes()) rows.push({ start, end: start + size, kind: "free", owner: undefined, note: "free" });
    rows.sort((a, b) => a.start - b.start);
    const out: MemoryRow[] = [];
    let at = 0;
    for (const r of rows) {
      if (r.end <= at) continue;
      if (r.start > at) out.push({ start: at, end: r.start, kind: "other", owner: undefined, note: "file cache and kernel" });
      out.push(r.start < at ? { ...r, start: at } : r);
      at = r.end;
    }
    const size = kernel.mem.size;
    if (at < size) out.push({ start: at, end: size, kind: "other", owner: undefined, note: "file cache and kernel" });
    return { size, rows: out };
  }

  images(): ImageRow[] {
    return [...this.machine.arch.zpoline.images.values()].map((i) => {
      const left = i.translation.sites.filter((s) => s.left !== undefined).length;
      return { name: i.name, comm: i.comm, base: i.base, sites: i.translation.sites.length, rewritten: i.translation.sites.length - left, left };
    });
  }

  registers(): Registers {
    const { cpu, kernel } = this.machine;
    const { state } = cpu;
    const values: [string, string][] = NAMES.map((n, i) => [n, state.get64(i).toString(16).padStart(16, "0")]);
    const rip = state.rip;
    values.push(["rip", rip.toString(16).padStart(16, "0")]);
    const flags = FLAGS.filter(([bit]) => (state.rflags >> bit) & 1).map(([, n]) => n);
    const code: [number, string, string][] = [];
    const { u8, size } = kernel.mem;
    if (rip >= 0 && rip < size) {
      const bytes = u8.slice(rip, Math.min(size, rip + 15 * LINES));
      const decoder = new this.iced.Decoder(64, bytes, this.iced.DecoderOptions.None);
      decoder.ip = BigInt(rip);
      const formatter = new this.iced.Formatter(this.iced.FormatterSyntax.Gas);
      const insn = new this.iced.Instruction();
      for (let i = 0; i < LINES && decoder.canDecode; i++) {
        const at = decoder.position;
        decoder.decodeOut(insn);
        code.push([rip + at, Array.from(bytes.subarray(at, decoder.position), (b) => b.toString(16).padStart(2, "0")).join(" "), formatter.format(insn)]);
      }
      insn.free();
      formatter.free();
      decoder.free();
    }
    const task = kernel.sched.loaded_task;
    return { pid: task?.pid, comm: task?.comm ?? "", values, flags: flags.join(" "), code };
  }

  peek(start: number, length: number): Uint8Array<ArrayBuffer> {
    const { u8, size } = this.machine.kernel.mem;
    return Uint8Array.from(u8.subarray(Math.max(0, start), Math.min(size, start + length)));
  }
}
