// machine/fingerprint.ts — what a fingerprint is made of. Changing anything here changes every fingerprint: docs/links.md says what then.
//
// Count of retired instructions, all that was printed, the registers of all tasks, all pages of RAM, all changed blocks of the disks. Not in it: the
// clock (an idle machine's moves on with the wall's), and what is only a cache of the emulator.
import { getStatusFlags } from "../cpu/flags.ts";
import { ST_FL_B, ST_FL_OP, ST_RFLAGS_SYS, THREAD_STATE_SIZE } from "../cpu/state.ts";
import type { Machine } from "../machine.ts";
import type { Hasher } from "./hash.ts";
import type { PageTree } from "./pages.ts";

/** A task's registers as every executor has them: flags worked out, not how they were set. */
export function canonicalRegisters(saved: Uint8Array): Uint8Array {
  const out = new Uint8Array(saved);
  const v = new DataView(out.buffer);
  const flags = getStatusFlags({ get32: (at) => v.getInt32(at, true) });
  out.fill(0, ST_FL_OP, ST_FL_B + 8);
  v.setInt32(ST_RFLAGS_SYS, v.getInt32(ST_RFLAGS_SYS, true) | flags, true);
  return out;
}

/** Registers by task, in the order of creation. */
export function taskRegisters(machine: Machine): { readonly pid: number; readonly registers: Uint8Array }[] {
  const { kernel, cpu } = machine;
  return [...kernel.tasks.values()].map((t) => ({ pid: t.pid, registers: canonicalRegisters(kernel.sched.loaded_task === t ? cpu.state.save() : t.thread.state) }));
}

/** Numbers and hashes of a disk's changed blocks. */
function blockList(tree: PageTree): Int32Array {
  const out: number[] = [];
  for (const [block, , { lo, hi }] of tree.entries()) out.push(block, lo, hi);
  return Int32Array.from(out);
}

export function fingerprintBytes(machine: Machine, hasher: Hasher): Uint8Array {
  const tasks = taskRegisters(machine);
  const lines = machine.tap.lines.map((l) => l.save());
  const { stores } = machine.tap;
  const out = new Uint8Array(16 + 16 * lines.length + 8 + tasks.length * (8 + THREAD_STATE_SIZE) + 8 * stores.length);
  const v = new DataView(out.buffer);
  let at = 0;
  const double = (n: number): void => v.setFloat64((at += 8) - 8, n, true);
  const word = (n: number): void => v.setInt32((at += 4) - 4, n, true);
  double(machine.retired);
  for (const { count, a, b } of lines) {
    double(count);
    word(a);
    word(b);
  }
  double(tasks.length);
  for (const { pid, registers } of tasks) {
    double(pid);
    out.set(registers, at);
    at += THREAD_STATE_SIZE;
  }
  const ram = hasher.root();
  word(ram.lo);
  word(ram.hi);
  for (const store of stores) {
    const { lo, hi } = hasher.bytes(new Uint8Array(blockList(store.tree).buffer));
    word(lo);
    word(hi);
  }
  return out;
}

/** As it is shown: the first and the last four digits of eight. */
export const shortFingerprint = (hex: string): string => `${hex.slice(0, 4)}-${hex.slice(4, 8)}`;
