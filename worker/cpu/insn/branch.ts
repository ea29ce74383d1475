// worker/cpu/insn/branch.ts — JMP, Jcc, CALL, RET, LOOP, and what leaves for the kernel.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { CONDITIONS } from "../flags.ts";
import { EXIT_BP, EXIT_DB, EXIT_GP, EXIT_INT, EXIT_OF, EXIT_SYSCALL, EXIT_UD } from "../exit.ts";
import { RCX, RSP, ST_EXIT_VECTOR } from "../state.ts";

export const branch: Definitions = [];
const ENDS = { ends: true };

insn(branch, "jmp", (b, target) => {
  if (target.kind === "rel") b.branch(target);
  else {
    const to = b.read(target);
    b.canonical(to);
    b.jump(to);
  }
}, ENDS);

for (const cc of CONDITIONS) insn(branch, `j${cc}`, (b, target) => b.branch(target, b.cond(cc)));

insn(branch, ["jrcxz", "jecxz"], (b, target) => b.branch(target, b.eqz(b.reg(RCX, b.form.name === "jecxz" ? 4 : 8))));

insn(branch, ["loop", "loope", "loopne"], (b, target) => {
  const size = b.form.addrsize;
  const n = b.sub(b.reg(RCX, size), b.imm(1, size));
  b.setReg(RCX, size, n);
  const go = b.nez(n);
  b.branch(target, b.form.name === "loop" ? go : b.and(go, b.cond(b.form.name === "loope" ? "e" : "ne")));
});

insn(branch, "call", (b, target) => {
  const to = target.kind === "rel" ? undefined : b.read(target);
  if (to !== undefined) b.canonical(to);
  const sp = b.sub(b.reg(RSP, 8), b.i64(8));
  b.store(8, sp, b.nextRip());
  b.setReg(RSP, 8, sp);
  if (to === undefined) b.branchCall(target);
  else b.jumpCall(to);
}, ENDS);

insn(branch, "ret", (b, extra) => {
  const sp = b.reg(RSP, 8);
  const to = b.load(8, sp);
  b.canonical(to);
  let up = b.add(sp, b.i64(8));
  if (extra !== undefined) up = b.add(up, b.zext(b.read(extra)));
  b.setReg(RSP, 8, up);
  b.jumpRet(to);
}, ENDS);

insn(branch, ["syscall", "sysenter"], (b) => b.leave(EXIT_SYSCALL), ENDS);
insn(branch, "int3", (b) => b.leave(EXIT_BP), ENDS);
insn(branch, "int1", (b) => b.leave(EXIT_DB), ENDS);
insn(branch, ["ud0", "ud1", "ud2", "monitor", "mwait"], (b) => b.trap(EXIT_UD), ENDS);
insn(branch, "int", (b, vector) => {
  // the gates of 3 and 4 are open to users
  if (vector.fixed === 3) return b.leave(EXIT_BP);
  if (vector.fixed === 4) return b.leave(EXIT_OF);
  b.setState(ST_EXIT_VECTOR, b.read(vector));
  b.trap(EXIT_INT);
}, { ends: true, fixedImm: true });
insn(branch, ["hlt", "cli", "sti", "in", "out", "insb", "insw", "insd", "outsb", "outsw", "outsd", "clts", "invd", "wbinvd", "rdmsr", "wrmsr",
  "swapgs", "sysret", "sysretq", "sysexit", "sysexitq", "lgdt", "lidt", "lldt", "ltr", "lmsw", "invlpg", "rdpmc", "mov_privileged", "xsetbv"], (b) => b.trap(EXIT_GP), ENDS);

// What the decoder calls more than 15 bytes.
insn(branch, "too_long", (b) => b.trap(EXIT_GP), ENDS);

insn(branch, "vmcall", (b) => b.kernel(), ENDS);
