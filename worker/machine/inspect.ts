// machine/inspect.ts — what the page's panels look at: processes, memory, code, calls, registers. Reads the machine; only poke() changes it.
import type { SyscallObserver } from "../arch/um/do_syscall_64.ts";
import { syscall_table } from "../arch/um/syscall_64.ts";
import { KERNEL_VSYSCALL } from "../arch/um/trampoline.ts";
import type { TranslatedImage } from "../arch/um/zpoline.ts";
import type { Exit } from "../cpu/exit.ts";
import type { Iced } from "../cpu/iced.ts";
import { RSP } from "../cpu/state.ts";
import { get_task_state } from "../fs/proc/array.ts";
import { FILE_MAX } from "../fs/hostfs/hostfs_kern.ts";
import { d_path } from "../fs/dcache.ts";
import type { Task } from "../kernel/task.ts";
import type { Machine } from "../machine.ts";
import type { VmArea } from "../mm/mm_types.ts";
import { VM_EXEC } from "../mm/mm_types.ts";
import { PAGE_SIZE } from "../mm/page_alloc.ts";
import type { Breakpoint, CallRow, CheckSpec, CodeLine, Go, ImageRow, InspectorCalls, Look, MachineEvent, MemoryMap, MemoryRow, ProcessRow, RegionRow, Registers, SharedFiles, SiteCode, SiteRow, Trace } from "../protocol/inspect.ts";
import { CallLog, rowName } from "./call_log.ts";
import { Checks } from "./checks.ts";
import { Debugger } from "./debug.ts";
import { disassemble, disassembleAt, disassembleBefore, hexBytes } from "./disassemble.ts";
import { explain } from "./explain.ts";
import { WATCHED, Watch } from "./watch.ts";

/** in the order of the instruction encoding */
const NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"] as const;
const FLAGS = [[0, "CF"], [2, "PF"], [4, "AF"], [6, "ZF"], [7, "SF"], [10, "DF"], [11, "OF"]] as const;
/** instructions shown from rip on, words of the stack */
const LINES = 12;
const WORDS = 8;
/** bytes before a site that are looked at */
const AROUND = 40;

const toByteString = (s: string): string => Array.from(new TextEncoder().encode(s), (b) => String.fromCharCode(b)).join("");
/** What a person reads of a path, which is a byte string. */
export const fromByteString = (s: string): string => new TextDecoder().decode(Uint8Array.from(s, (c) => c.charCodeAt(0)));

/** Names of system calls by number. */
export function callNames(): (string | undefined)[] {
  return Array.from(syscall_table, rowName);
}

/** One observer for four. By name, and not a list: V8 then makes one function of it. */
class Observers implements SyscallObserver {
  private readonly watch: Watch;
  private readonly checks: Checks;
  private readonly debug: Debugger;
  log: CallLog | undefined;
  constructor(watch: Watch, checks: Checks, debug: Debugger) {
    this.watch = watch;
    this.checks = checks;
    this.debug = debug;
  }
  /** All calls while somebody looks at them; else those that say what becomes of processes. The debugger, when it wants calls, has compiled code left at each. */
  get wants(): ReadonlySet<number> | undefined {
    return this.log !== undefined || this.checks.calls ? undefined : WATCHED;
  }
  came(task: Task, nr: number): void {
    this.watch.came(task, nr);
  }
  enter(task: Task, nr: number): void {
    this.watch.enter(task, nr);
    this.checks.enter(task, nr);
    if (this.log !== undefined) this.log.enter(task, nr);
    // last: it may leave the entry by an exception
    this.debug.enter(task, nr);
  }
  exit(task: Task, nr: number, result: number): void {
    this.watch.exit(task, nr, result);
    this.checks.exit(task, nr, result);
    if (this.log !== undefined) this.log.exit(task, nr, result);
    this.debug.exit(task, nr, result);
  }
  fault(task: Task, exit: Exit): void {
    this.watch.fault(task, exit);
    this.debug.fault(task, exit);
  }
}

export class Inspector implements InspectorCalls {
  private readonly machine: Machine;
  private readonly iced: Iced;
  private readonly observers: Observers;
  private readonly tell: (event: MachineEvent) => void;
  readonly debug: Debugger;
  private readonly checking: Checks;
  /** who writes into memory: the machine itself, or the timeline of a recorded run */
  poker: Pick<Machine, "poke" | "file">;
  /** whoever runs the machine is to run it on */
  onGo: () => void = () => undefined;

  constructor(machine: Machine, iced: Iced, tell: (event: MachineEvent) => void) {
    this.machine = machine;
    this.iced = iced;
    this.poker = machine;
    this.checking = new Checks(machine, tell);
    this.tell = (e) => {
      tell(e);
      this.checking.event(e);
    };
    this.debug = new Debugger(machine, iced);
    this.debug.ontrace = (t) => this.checking.traced(t);
    this.observers = new Observers(new Watch(machine, iced, this.tell), this.checking, this.debug);
    machine.entry.observer = this.observers;
  }

  /** Answers a question by name: what the page sends. */
  answer(what: keyof InspectorCalls, args: readonly unknown[]): unknown {
    const question = (this as unknown as Readonly<Record<string, unknown>>)[what];
    if (typeof question !== "function") throw new Error(`The machine knows no question ${what}.`);
    return (question as (...a: readonly unknown[]) => unknown).apply(this, args as unknown[]);
  }

  watchCalls(on: boolean, names?: readonly string[], pid?: number): void {
    this.observers.log = on ? new CallLog(this.machine, names, pid) : undefined;
  }
  calls(seq: number): CallRow[] {
    return this.observers.log?.after(seq) ?? [];
  }

  processes(): ProcessRow[] {
    const { kernel } = this.machine;
    const parked = new Map<Task, number>();
    for (const t of kernel.tasks.values()) if (t.vfork_done !== undefined) parked.set(t.vfork_done, t.pid);
    return [...kernel.tasks.values()].map((t) => ({
      pid: t.pid,
      ppid: t.real_parent?.pid ?? 0,
      comm: t.comm,
      state: get_task_state(t)[0],
      vfork: parked.get(t),
      memory: t.mm?.total_vm() ?? 0,
      instructions: t.utime,
      call: t.syscall_nr >= 0 ? rowName(syscall_table[t.syscall_nr]) : undefined,
      args: this.args(t),
      files: (t.files?.fds ?? []).flatMap((f, fd) => (f === undefined ? [] : [[fd, this.fileName(f)] as const])),
    }));
  }
  private args(t: Task): string {
    const { u8, size } = this.machine.kernel.mem;
    const { mm } = t;
    if (mm === undefined || mm.arg_end > size) return "";
    let s = "";
    for (let a = mm.arg_start; a < Math.min(mm.arg_end, mm.arg_start + 200); a++) s += u8[a] === 0 ? " " : String.fromCharCode(u8[a]!);
    return s.trim();
  }
  private fileName(f: NonNullable<NonNullable<Task["files"]>["fds"][number]>): string {
    const path = f.f_path;
    if (path === undefined) return "";
    const { root } = this.machine.kernel.tasks.get(1)?.fs ?? {};
    return root === undefined ? path.dentry.d_name : d_path(path, root).text;
  }

  private kindOf(task: Task, v: VmArea): MemoryRow["kind"] {
    const mm = task.mm!;
    if (v.vm_start <= mm.start_stack && mm.start_stack <= v.vm_end) return "stack";
    if (v.vm_start <= mm.start_brk && mm.start_brk < v.vm_end && mm.brk > mm.start_brk) return v.vm_flags & VM_EXEC ? "text" : "heap";
    if (v.vm_flags & VM_EXEC) return "text";
    return v.vm_file !== undefined ? "data" : "map";
  }
  /** All of the memory, in address order and without gaps. */
  memory(): MemoryMap {
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
    const { fixed } = kernel.regions;
    if (fixed !== undefined) rows.push({ start: fixed.vm_start, end: fixed.vm_end, kind: "other", owner: undefined, note: "kept for programs that are linked to fixed addresses" });
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
    const { state } = this.machine.cpu;
    const pointers = NAMES.map((n, i) => [n, state.get(i)] as const).filter(([n, a]) => a >= (n === "rsp" ? 0 : 0x1000) && a < size);
    return { size, rows: out, pointers: [["rip", state.rip], ...pointers] };
  }
  private rowAt(address: number): MemoryRow | undefined {
    return this.memory().rows.find((r) => r.start <= address && address < r.end);
  }

  images(): ImageRow[] {
    return [...this.machine.arch.zpoline.images.values()].map((i) => {
      const { sites, instructions, skipped, source } = i.translation;
      const left = sites.filter((s) => s.left !== undefined).length;
      const { by, task } = this.present(i);
      return { name: i.name, comm: task?.comm ?? i.comm, pid: task?.pid ?? i.pid, base: i.base + by, sites: sites.length, rewritten: sites.length - left, left, instructions, skipped, source };
    });
  }
  /**
   * Where a file's code is now: `by` further on than where it was put last, in `task`. Whoever ran it last may be gone, while another process runs the same file: the loader of
   * programs is in each. 0 and nobody when no process has it.
   */
  private present(image: TranslatedImage): { readonly by: number; readonly task: Task | undefined } {
    const site = image.translation.sites.find((s) => s.left === undefined && image.address(s) !== undefined);
    const { kernel } = this.machine;
    const last = kernel.tasks.get(image.pid);
    if (site === undefined || (last?.mm !== undefined && last.mm.find_vma(image.base) !== undefined)) return { by: 0, task: last };
    const first = image.address(site)!;
    for (const task of kernel.tasks.values())
      for (const v of task.mm?.vmas ?? []) {
        const by = v.vm_start - (image.base - (image.base % PAGE_SIZE));
        if (first + by < v.vm_end && this.has(image, by)) return { by, task };
      }
    return { by: 0, task: undefined };
  }
  /** Are all of the file's rewritten sites there, `by` further on? */
  private has(image: TranslatedImage, by: number): boolean {
    const { rewritten } = this.machine.arch.zpoline;
    return image.translation.sites.every((s) => {
      const address = image.address(s);
      return s.left !== undefined || address === undefined || rewritten.has(address + by);
    });
  }
  sites(file: string): SiteRow[] {
    const { u8, view } = this.machine.kernel.mem;
    const image = this.machine.arch.zpoline.images.get(file);
    const rows: SiteRow[] = [];
    if (image === undefined) return rows;
    const { by } = this.present(image);
    for (const site of image.translation.sites) {
      const put = image.address(site);
      if (put === undefined) continue;
      const address = put + by;
      const here = this.isSite(address, site.left !== undefined);
      // mov $nr, %eax; or xor %eax, %eax
      const nr = !here ? undefined : u8[address - 5] === 0xb8 ? view.getUint32(address - 4, true) : u8[address - 2] === 0x31 && u8[address - 1] === 0xc0 ? 0 : undefined;
      rows.push({ address, nr, name: nr === undefined ? undefined : rowName(syscall_table[nr]), left: site.left, now: here ? hexBytes(u8.subarray(address, address + 2)) : undefined });
    }
    return rows;
  }
  /** Is the file's code still there, or has the memory become another's? */
  private isSite(address: number, left: boolean): boolean {
    const { u8 } = this.machine.kernel.mem;
    return left ? u8[address] === 0x0f && u8[address + 1] === 0x05 : this.machine.arch.zpoline.rewritten.has(address);
  }
  siteCode(file: string, address: number): SiteCode {
    const { u8, size } = this.machine.kernel.mem;
    const image = this.machine.arch.zpoline.images.get(file);
    if (image === undefined || address < AROUND || address + AROUND > size) return { before: [], after: [] };
    const { by } = this.present(image);
    const from = address - AROUND;
    const now = u8.slice(from, address + AROUND);
    const then = now.slice();
    // what was rewritten is known, so the file's own bytes are, too
    for (const s of image.translation.sites) {
      const at = (image.address(s) ?? Infinity) + by - from;
      if (s.left === undefined && at >= 0 && at + 2 <= then.length) then.set([0x0f, 0x05], at);
    }
    const lines = (code: Uint8Array): CodeLine[] => [...disassembleBefore(this.iced, code, from, address, 3), ...disassemble(this.iced, code.subarray(AROUND), address, 3)];
    return { before: lines(then), after: lines(now) };
  }

  registers(): Registers {
    const { cpu, kernel } = this.machine;
    const { state } = cpu;
    const values: [string, string][] = NAMES.map((n, i) => [n, state.get64(i).toString(16).padStart(16, "0")]);
    const { rip } = state;
    values.push(["rip", rip.toString(16).padStart(16, "0")]);
    const flags = FLAGS.filter(([bit]) => (state.rflags >> bit) & 1).map(([, n]) => n);
    const task = kernel.sched.loaded_task;
    const { mem } = kernel;
    const rsp = state.get(RSP);
    const stack: [number, string, string][] = [];
    for (let i = 0; i < WORDS && rsp >= 0 && rsp + 8 * i + 8 <= mem.size; i++) {
      const at = rsp + 8 * i;
      const value = mem.view.getBigUint64(at, true);
      stack.push([at, value.toString(16).padStart(16, "0"), this.points(Number(value))]);
    }
    return { pid: task?.pid, comm: task?.comm ?? "", values, flags: flags.join(" "), rip, rsp, code: disassembleAt(this.iced, mem.u8, mem.size, rip, rip >= KERNEL_VSYSCALL && rip < KERNEL_VSYSCALL + 5 ? (rip === KERNEL_VSYSCALL ? 2 : 1) : LINES), stack };
  }
  /** Where an address is, in a few words. */
  private points(address: number): string {
    const { kernel } = this.machine;
    if (address < 0x1000 || address >= kernel.mem.size) return "";
    for (const t of kernel.tasks.values()) {
      const v = t.mm?.find_vma(address);
      if (v !== undefined) return `${t.comm}: ${v.vm_file?.f_path?.dentry.d_name ?? this.kindOf(t, v)}+0x${(address - v.vm_start).toString(16)}`;
    }
    return "";
  }

  peek(start: number, length: number): Uint8Array<ArrayBuffer> {
    const { u8, size } = this.machine.kernel.mem;
    return Uint8Array.from(u8.subarray(Math.max(0, start), Math.min(size, start + length)));
  }
  look(start: number, length: number): Look {
    const { u8, size } = this.machine.kernel.mem;
    const row = this.rowAt(start);
    const code = row?.kind === "text" || row?.kind === "trampoline" || (row?.kind === "kernel" && start < 0x1010) ? disassembleAt(this.iced, u8, size, start, 6) : [];
    return { start, bytes: this.peek(start, length), row, words: explain(u8, size, start, (a) => this.points(a), row?.kind), code };
  }
  poke(address: number, bytes: readonly number[]): void {
    this.poker.poke(address, Uint8Array.from(bytes));
    this.checking.poked();
  }
  address(expression: string): number {
    const m = /^\s*(?:pid:(\d+)\.(text|data|heap|stack|map)|%?(r\w+)|(?:0x)?([0-9a-f]+))\s*(?:([+-])\s*(?:0x)?([0-9a-f]+))?\s*$/i.exec(expression);
    if (m === null) throw new Error(`“${expression}” is no address: write hexadecimal digits, a register such as rsp+20, or pid:1.stack.`);
    const [, pid, kind, register, digits, sign, more] = m;
    let at: number;
    if (pid !== undefined) {
      const row = this.memory().rows.find((r) => r.owner === Number(pid) && r.kind === kind);
      if (row === undefined) throw new Error(`The process ${pid} has no ${kind}.`);
      at = row.start;
    } else if (register !== undefined) {
      const i = NAMES.findIndex((n) => n === register.toLowerCase());
      if (i < 0 && register.toLowerCase() !== "rip") throw new Error(`There is no register ${register}.`);
      at = i < 0 ? this.machine.cpu.state.rip : this.machine.cpu.state.get(i);
    } else at = Number.parseInt(digits!, 16);
    if (more !== undefined) at += (sign === "-" ? -1 : 1) * Number.parseInt(more, 16);
    if (!(at >= 0 && at < this.machine.kernel.mem.size)) throw new Error(`0x${at.toString(16)} is outside of memory, which ends at 0x${this.machine.kernel.mem.size.toString(16)}.`);
    return at;
  }
  disassemble(start: number, count: number): CodeLine[] {
    const { u8, size } = this.machine.kernel.mem;
    return disassembleAt(this.iced, u8, size, start, count);
  }
  takes(name: string, size: number): void {
    if (size > FILE_MAX) throw new Error(`${name} has ${(size / 1e6).toFixed(1)} MB; a file that is handed over may have ${FILE_MAX / (1 << 20)} MiB. Pack it into a tar archive, and use that as a disk.`);
  }
  giveFile(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.takes(name, bytes.length);
    const bytesOfName = toByteString(name);
    this.poker.file(bytesOfName, bytes);
    const { kernel } = this.machine;
    // in the past, or while the host is waited for, it enters later
    if (kernel.host_work === undefined && kernel.vfs.hostfs.sb.contents(bytesOfName) === undefined) throw new Error(`The guest could not take ${name}: its memory has no room, or there is a directory of that name.`);
  }
  sharedFiles(): SharedFiles {
    const { kernel } = this.machine;
    const sb = kernel.vfs.hostfs.sb;
    const mnt = kernel.vfs.mounts.find((m) => m.mnt_sb === sb);
    const { root } = kernel.tasks.get(1)?.fs ?? {};
    return { where: mnt === undefined || root === undefined ? undefined : d_path({ mnt, dentry: mnt.mnt_root }, root).text, files: sb.files().map(({ path, size }) => ({ path: fromByteString(path), size })) };
  }
  takeFile(path: string): Uint8Array<ArrayBuffer> {
    const { kernel } = this.machine;
    const bytes = kernel.vfs.hostfs.sb.contents(toByteString(path));
    if (bytes === undefined) throw new Error(`There is no file ${path} in the shared directory any more.`);
    return bytes;
  }
  callNames(): (string | undefined)[] {
    return callNames();
  }
  callNotes(): (readonly [string, string])[] {
    return syscall_table.flatMap((row) => (row === undefined || row.state === "full" ? [] : row.state === "errno" ? [[row.name, `${row.errno.name}: ${row.why}`] as const] : [[row.call.name, `partly: ${row.missing}`] as const]));
  }

  breakpoints(list: readonly Breakpoint[]): void {
    this.debug.set(list);
  }
  go(how: Go): void {
    this.debug.go(how);
    this.onGo();
  }
  record(nr: number | undefined, by?: string): void {
    this.debug.record(nr, by);
  }
  recorded(): Trace | undefined {
    return this.debug.trace;
  }
  /** The machine has stopped because of the debugger: why. */
  stopped(): string {
    const why = this.debug.stopped();
    this.checking.stopped(why);
    return why;
  }
  regions(): RegionRow[] {
    const { jit } = this.machine.cpu;
    return (jit?.list() ?? []).map((r) => ({ ...r, owner: this.points(r.entry) }));
  }
  regionModule(entry: number): Uint8Array<ArrayBuffer> | undefined {
    return this.machine.cpu.jit?.moduleOf(entry);
  }
  checks(list: readonly CheckSpec[]): void {
    this.checking.set(list);
  }
  /** Console `line` printed something. */
  output(line: number, bytes: Uint8Array): void {
    if (line === 0) this.checking.output(bytes);
  }
}
