// arch/um/process.ts — the port: registers of tasks, program start, what the kernel asks of the CPU.  cf. arch/x86/um/nommu/process.c
import type { Cpu } from "../../cpu/cpu.ts";
import type { Iced } from "../../cpu/iced.ts";
import {
  R10, R11, R12, R13, R14, R15, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, REG_FS_BASE, REG_GS_BASE, REG_RIP, RSI, RSP, ST_FS_BASE, ST_GPR, ST_GS_BASE, ST_RIP, TF, THREAD_STATE_SIZE,
} from "../../cpu/state.ts";
import { EFAULT, EINVAL, EPERM } from "../../include/uapi/errno.ts";
import type { File, Inode } from "../../fs/fs.ts";
import type { Arch, ExecImage, NotedCalls } from "../../kernel/arch.ts";
import { Int, Ptr, SYSCALL_DEFINE } from "../../kernel/syscall.ts";
import type { Task } from "../../kernel/task.ts";
import { put_user_u64 } from "../../kernel/uaccess.ts";
import { get_user_fpregs, get_user_regs, set_user_fpregs, set_user_regs } from "./ptrace.ts";
import { VSYSCALL_RETURN } from "./trampoline.ts";
import { zpoline_code_placed, zpoline_finalize_exec, type Translation, type Zpoline } from "./zpoline.ts";

const SHOWN = [
  ["RAX", RAX], ["RBX", RBX], ["RCX", RCX], ["RDX", RDX], ["RSI", RSI], ["RDI", RDI], ["RBP", RBP], ["R08", R8], ["R09", R9], ["R10", R10], ["R11", R11], ["R12", R12],
  ["R13", R13], ["R14", R14], ["R15", R15],
] as const;

const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9] as const;

function get64(bytes: Uint8Array, at: number): number {
  const v = new DataView(bytes.buffer, bytes.byteOffset);
  return v.getUint32(at, true) + v.getUint32(at + 4, true) * 0x100000000;
}
function put64(bytes: Uint8Array, at: number, value: number): void {
  const v = new DataView(bytes.buffer, bytes.byteOffset);
  v.setUint32(at, value >>> 0, true);
  v.setUint32(at + 4, Math.floor(value / 0x100000000) >>> 0, true);
}

export class UmArch implements Arch {
  readonly cpu: Cpu;
  /** set by the system call entry, which has the table */
  syscall_name: (nr: number) => string = String;
  zpoline: Zpoline;
  readonly thread_size = THREAD_STATE_SIZE;
  readonly elf_hwcap: number;
  readonly sysinfo_ehdr = 0;
  readonly iced: Iced;
  private readonly translations = new WeakMap<Inode, Translation>();

  constructor(cpu: Cpu, iced: Iced, zpoline: Zpoline) {
    this.cpu = cpu;
    this.iced = iced;
    this.zpoline = zpoline;
    this.elf_hwcap = cpu.cpuid(1, 0)[3] >>> 0;
  }

  /** What compiled code has noted. */
  get noted(): NotedCalls {
    return this.cpu.log;
  }
  set_exit_work(): void {
    this.cpu.attend();
  }

  /** Whether the CPU holds this task's registers. */
  private loaded(task: Task): boolean {
    return task.kernel.sched.loaded_task === task;
  }

  copy_thread(child: Task, parent: Task, stack: number, tls: number | undefined): void {
    const state = this.loaded(parent) ? this.cpu.state.save() : parent.thread.state.slice();
    put64(state, ST_GPR + 8 * RAX, 0);
    if (stack !== 0) put64(state, ST_GPR + 8 * RSP, stack);
    if (tls !== undefined) put64(state, ST_FS_BASE, tls);
    child.thread.state = state;
  }

  start_thread(task: Task, ip: number, sp: number): void {
    const { state } = this.cpu;
    const other = this.loaded(task) ? undefined : state.save();
    state.reset();
    state.rip = ip;
    state.set(RSP, sp);
    state.replaced();
    if (other === undefined) return;
    task.thread.state = state.save();
    state.load(other);
  }

  switch_to(prev: Task | undefined, next: Task): void {
    if (prev !== undefined) prev.thread.state = this.cpu.state.save();
    this.cpu.state.load(next.thread.state);
    const { kernel } = next;
    if (kernel.shadow !== undefined && next.mm !== undefined) kernel.shadow.swap_in(kernel, next.mm);
  }

  flush_icache_range(addr: number, len: number): void {
    this.zpoline.rewritten.forget(addr, len);
    this.cpu.code_changed(addr, len);
  }

  syscall_get_argument(task: Task, n: number): number {
    const reg = ARGUMENTS[n]!;
    return this.loaded(task) ? this.cpu.state.get(reg) : get64(task.thread.state, ST_GPR + 8 * reg);
  }

  finalize_exec(task: Task, images: readonly ExecImage[]): void {
    zpoline_finalize_exec(this.iced, this.translations, this.zpoline, task, images);
  }
  get follows_code(): boolean {
    return this.zpoline.mode === "1" && this.zpoline.scope === "all";
  }
  code_placed(task: Task, file: File, offset: number, addr: number, len: number): void {
    zpoline_code_placed(this.iced, this.translations, this.zpoline, task, file, { addr, offset, len });
  }

  leave_entry(task: Task): void {
    const { state } = this.cpu;
    if (this.loaded(task) && state.rip === VSYSCALL_RETURN) state.rip = state.get(RCX);
  }
  /** Lets `work` see the registers of any task in the CPU. */
  with_state<T>(task: Task, work: () => T): T {
    if (this.loaded(task)) return work();
    const { state } = this.cpu;
    const mine = state.save();
    state.load(task.thread.state);
    try {
      return work();
    } finally {
      task.thread.state = state.save();
      state.load(mine);
    }
  }
  get_regs(task: Task): Uint8Array {
    return this.with_state(task, () => get_user_regs(this.cpu.state, task));
  }
  set_regs(task: Task, regs: Uint8Array): void {
    this.with_state(task, () => set_user_regs(this.cpu.state, task, regs));
  }
  get_fpregs(task: Task): Uint8Array {
    return this.with_state(task, () => get_user_fpregs(this.cpu));
  }
  set_fpregs(task: Task, regs: Uint8Array): void {
    this.with_state(task, () => set_user_fpregs(this.cpu, regs));
  }
  user_single_step(task: Task, on: boolean): void {
    const { state } = this.cpu;
    this.with_state(task, () => (state.rflags = on ? state.rflags | TF : state.rflags & ~TF));
  }
  arch_prctl(task: Task, option: number, arg: number): number {
    return do_arch_prctl(this, task, option, arg);
  }
  syscall_argument_bytes(task: Task, n: number): Uint8Array {
    const bytes = new Uint8Array(8);
    const v = new DataView(bytes.buffer);
    this.with_state(task, () => {
      v.setInt32(0, this.cpu.state.get_lo(ARGUMENTS[n]!), true);
      v.setInt32(4, this.cpu.state.get_hi(ARGUMENTS[n]!), true);
    });
    return bytes;
  }

  ip(task: Task): number {
    return this.loaded(task) ? this.cpu.state.get(REG_RIP) : get64(task.thread.state, ST_RIP);
  }
  sp(task: Task): number {
    return this.loaded(task) ? this.cpu.state.get(RSP) : get64(task.thread.state, ST_GPR + 8 * RSP);
  }
  /** Calls that came in through page 0. */
  get page0_calls(): number {
    return this.cpu.log.noted - this.zpoline.trapped + this.zpoline.strays;
  }
  show_regs(task: Task | undefined): string[] {
    const lines: string[] = [];
    if (task !== undefined && this.loaded(task)) {
      const { state } = this.cpu;
      const hex = (hi: number, lo: number): string => (hi >>> 0).toString(16).padStart(8, "0") + (lo >>> 0).toString(16).padStart(8, "0");
      const reg = (r: number): string => hex(state.get_hi(r), state.get_lo(r));
      const { release } = task.kernel.uts;
      lines.push("Modules linked in:", `Pid: ${task.pid}, comm: ${task.comm} Not tainted ${release}`, `RIP: 0033:0x${state.rip.toString(16)}`, `RSP: ${reg(RSP)}  EFLAGS: ${state.rflags.toString(16).padStart(8, "0")}`);
      for (let i = 0; i < SHOWN.length; i += 3) lines.push(SHOWN.slice(i, i + 3).map(([name, r]) => `${name}: ${reg(r)}`).join(" "));
    }
    const calls: string[] = [];
    const recent = this.cpu.log.recent();
    for (let i = 0; i < recent.length; i += 2) calls.push(`[${recent[i]!}] ${this.syscall_name(recent[i + 1]!)}`);
    if (calls.length > 0) lines.push(`Last system calls: ${calls.join(", ")}`);
    return lines;
  }
  /** FS or GS base of any task. */
  base(task: Task, which: "fs" | "gs"): number {
    if (this.loaded(task)) return this.cpu.state.get(which === "fs" ? REG_FS_BASE : REG_GS_BASE);
    return get64(task.thread.state, which === "fs" ? ST_FS_BASE : ST_GS_BASE);
  }
}

const ARCH_SET_GS = 0x1001;
const ARCH_SET_FS = 0x1002;
const ARCH_GET_FS = 0x1003;
const ARCH_GET_GS = 0x1004;

function do_arch_prctl(arch: UmArch, task: Task, option: number, arg: number): number {
  switch (option) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
      if (arg >= 2 ** 47) throw EPERM;
      arch.with_state(task, () => arch.cpu.state.set(option === ARCH_SET_FS ? REG_FS_BASE : REG_GS_BASE, arg));
      return 0;
    case ARCH_GET_FS:
    case ARCH_GET_GS:
      if (arg === 0) throw EFAULT;
      put_user_u64(task.kernel.mem, arg, arch.base(task, option === ARCH_GET_FS ? "fs" : "gs"));
      return 0;
    default:
      throw EINVAL;
  }
}

/** arch_prctl(2) */
export const sys_arch_prctl = SYSCALL_DEFINE("arch_prctl", [Int, Ptr], (task, option, arg) => do_arch_prctl(task.kernel.arch as UmArch, task, option, arg));
