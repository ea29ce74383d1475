// worker/cpu/jit/guess.ts — where jumps and calls through registers may go, guessed from what stands before them. A wrong guess costs nothing but space.
import type { JumpTable } from "./region.ts";
import type { Step } from "./steps.ts";

/** Instructions before a jump or call through a register that are searched for the register's value. */
const BEFORE = 12;
/** Where `jmp *%r` or `call *%r` goes if `mov $address, %r` stands before it, else -1: the trampoline of page 0 ends like that, and is called like that. */
export function constantTarget(before: readonly Step[]): number {
  const jump = before[before.length - 1]!.insn;
  const operand = jump.shape.form.operands[0];
  if (operand?.kind !== "reg") return -1;
  const bit = 1 << jump.reg[operand.index]!;
  for (let i = before.length - 2; i >= Math.max(0, before.length - BEFORE); i--) {
    const { insn, summary } = before[i]!;
    if ((summary.writes & bit) === 0) continue;
    const { name, operands } = insn.shape.form;
    return name === "mov" && operands[1]!.kind === "imm" && operands[0]!.size >= 4 && insn.immHi === 0 ? insn.immLo >>> 0 : -1;
  }
  return -1;
}

/** Entries of a jump table at most, and how far from its jump its targets may lie. */
const MAX_TABLE = 128, TABLE_REACH = 0x10000;

/**
 * Where the indirect jump that ends `before` may go, guessed from how compilers write a switch: jmp *table(,%r,8), or a table of 32-bit offsets
 * from itself, lea table(%rip),%b; movslq (%b,%r,4),%x; add %b,%x; jmp *%x. A wrong guess costs nothing but space: compiled code compares.
 */
export function jumpTargets(before: readonly Step[], tables: readonly number[], memory: DataView, limit: number): JumpTable {
  const jump = before[before.length - 1]!.insn;
  let at = -1, size = 8, from: Step | undefined;
  if (jump.index >= 0 && jump.scale === 3 && jump.base < 0 && jump.dispHi === 0) at = jump.dispLo >>> 0;
  else if (jump.shape.memory < 0) {
    for (let i = before.length - 2; i >= Math.max(0, before.length - 8); i--) {
      const load = before[i]!.insn;
      if (load.shape.form.name !== "movsxd" || load.index < 0 || load.scale !== 2 || load.base < 0) continue;
      at = tables[load.base] ?? -1;
      size = 4;
      from = before[i];
      break;
    }
  }
  const targets: number[] = [], table = { load: from, targets };
  if (at < 0x1000 || at >= limit) return table;
  let most = MAX_TABLE;
  for (let i = before.length - 1; i >= Math.max(0, before.length - 14); i--) {
    const { shape, immLo } = before[i]!.insn;
    if (shape.form.name !== "cmp" || shape.form.operands[1]?.kind !== "imm") continue;
    most = Math.min(most, (immLo >>> 0) + 1);
    break;
  }
  for (let i = 0; i < most && at + (i + 1) * size <= limit; i++) {
    const entry = at + i * size;
    const to = size === 4 ? at + memory.getInt32(entry, true) : memory.getUint32(entry + 4, true) === 0 ? memory.getUint32(entry, true) : -1;
    if (Math.abs(to - jump.rip) > TABLE_REACH || to >= limit) break;
    targets.push(to);
  }
  return table;
}
