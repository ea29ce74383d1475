// machine/compare.ts — where two machines differ first, in words: for the search for what made them differ.
import { REG_FS_BASE, REG_GS_BASE, REG_RIP, ST_FPR, ST_RFLAGS_SYS, ST_XMM } from "../cpu/state.ts";
import type { Machine } from "../machine.ts";
import { taskRegisters } from "./fingerprint.ts";

const NAMES = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];
const hex = (n: number, digits = 0): string => `0x${n.toString(16).padStart(digits, "0")}`;

/** What lies at an offset of a task's registers. */
function registerName(at: number): string {
  const word = at >> 3;
  if (word < 16) return NAMES[word]!;
  if (word === REG_RIP) return "rip";
  if (word === REG_FS_BASE) return "fs base";
  if (word === REG_GS_BASE) return "gs base";
  if (at >= ST_RFLAGS_SYS && at < ST_RFLAGS_SYS + 8) return "rflags";
  if (at >= ST_FPR) return `st/mm ${(at - ST_FPR) >> 4}`;
  return at >= ST_XMM && at < ST_XMM + 512 ? `xmm${(at - ST_XMM) >> 5}` : "the floating-point state";
}
const firstByte = (a: Uint8Array, b: Uint8Array): number => a.findIndex((x, i) => x !== b[i]);
const word = (bytes: Uint8Array, at: number): string => Array.from(bytes.subarray(at & ~7, (at & ~7) + 8)).reverse().map((x) => x.toString(16).padStart(2, "0")).join("");

/** The first difference, or undefined: of counts, registers, memory, console, disks, in that order. Both stand still. */
export function firstDifference(a: Machine, b: Machine): string | undefined {
  if (a.retired !== b.retired) return `instructions retired: ${a.retired} and ${b.retired}`;
  const ta = taskRegisters(a), tb = taskRegisters(b);
  const pids = [ta, tb].map((t) => t.map((x) => x.pid).join(" "));
  if (pids[0] !== pids[1]) return `tasks: ${pids[0]} and ${pids[1]}`;
  for (const [i, { pid, registers }] of ta.entries()) {
    const at = firstByte(registers, tb[i]!.registers);
    if (at >= 0) return `${registerName(at)} of process ${pid}: ${word(registers, at)} and ${word(tb[i]!.registers, at)}`;
  }
  const ma = a.cpu.mem, mb = b.cpu.mem;
  if (ma.size !== mb.size) return `bytes of memory: ${ma.size} and ${mb.size}`;
  for (let w = 0; w < ma.size >>> 2; w++) {
    if (ma.i32[w] === mb.i32[w]) continue;
    return `memory at ${hex(4 * w)}: ${hex(ma.u32[w]!, 8)} and ${hex(mb.u32[w]!, 8)}`;
  }
  for (const [n, line] of a.tap.lines.entries()) {
    const x = line.save(), y = b.tap.lines[n]!.save();
    if (x.count !== y.count || x.a !== y.a || x.b !== y.b) return `console ${n}: ${x.count} and ${y.count} bytes were printed${x.count === y.count ? ", not the same ones" : ""}`;
  }
  for (const [i, store] of a.tap.stores.entries()) {
    const other = b.tap.stores[i];
    if (other === undefined) return `disk ${store.name}: only one machine has it`;
    for (const block of new Set([...store.tree.differing(other.tree), ...store.dirty, ...other.dirty])) {
      const at = firstByte(store.block(block), other.block(block));
      if (at >= 0) return `disk ${store.name}, byte ${block * 4096 + at}`;
    }
  }
  const clocks = [a, b].map((m) => m.kernel.time.monotonic());
  return clocks[0] === clocks[1] ? undefined : `clock: ${clocks[0]} and ${clocks[1]} ns`;
}
