// worker/cpu/insn/segment.ts — segment registers and what loads them: MOV, PUSH, POP, LFS and kin, LAR, LSL, VERR, VERW, far JMP, CALL, RET, IRET.  SDM Vol. 2.
//
// A 64-bit program on Linux sees a few descriptors, all of which begin at 0. Loading one changes what is read back, and the bases of fs and gs.
// Unlike hardware: 32-bit code is not there, so that going to its selector is #GP.

import type { Builder, Operand } from "../build/builder.ts";
import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { EXIT_GP, EXIT_RECHECK, EXIT_SELECTOR } from "../exit.ts";
import { NT, RSP, ST_DS, ST_ES, ST_EXIT_VECTOR, ST_FS, ST_FS_BASE, ST_GS, ST_GS_BASE, ST_RFLAGS_SYS, ZF } from "../state.ts";

export const segment: Definitions = [];
const ENDS = { ends: true };

/** By index: 32-bit code, data, code; the processor's number, which lsl reads. Sets of indices: may be loaded, may be written to. */
const CODE32 = 4, DATA = 5, CODE64 = 6, NUMBER = 15, NONE = 0;
const LOADABLE = (1 << NONE) | (1 << CODE32) | (1 << DATA) | (1 << CODE64) | (1 << NUMBER), READABLE = LOADABLE & ~1, WRITABLE = 1 << DATA;
/** Selectors at their privilege, which is the user's. */
export const USER_CS = (CODE64 << 3) | 3, USER_SS = (DATA << 3) | 3;

/** Where es, ds, fs and gs are kept, by number; the others do not change. */
const KEPT: readonly (number | undefined)[] = [ST_ES, undefined, undefined, ST_DS, ST_FS, ST_GS];
const BASES: readonly (number | undefined)[] = [undefined, undefined, undefined, undefined, ST_FS_BASE, ST_GS_BASE];

/** i32, not zero: the selector's index is in the set, and its table the global one. */
function among<V, X>(b: Builder<V, X>, selector: V, set: number): V {
  const index = b.shr(selector, b.i32(3)), inside = b.and(b.shr(b.i32(set), index), b.cmp("lt_u", index, b.i32(16)));
  return b.and(inside, b.eqz(b.and(selector, b.i32(4))));
}
/** A selector as it stands in a register or in memory. */
const selectorOf = <V, X>(b: Builder<V, X>, o: Operand): V => b.mask(2, b.trunc(b.zext(b.read(o))));

function readSegment<V, X>(b: Builder<V, X>, n: number): V {
  const at = KEPT[n];
  return at === undefined ? b.i32(n === 1 ? USER_CS : USER_SS) : b.getState(at, "i32");
}
/** #GP, with the selector as its error code. */
function refuse<V, X>(b: Builder<V, X>, selector: V, bad: V): void {
  b.setState(ST_EXIT_VECTOR, b.and(selector, b.i32(0xfffc)));
  b.trapIf(bad, EXIT_SELECTOR);
}
/** Refused unless the selector can be loaded into segment register n. */
function checkSegment<V, X>(b: Builder<V, X>, n: number, selector: V): void {
  refuse(b, selector, n === 2 ? b.cmp("ne", selector, b.i32(USER_SS)) : b.eqz(among(b, selector, LOADABLE)));
}
function setSegment<V, X>(b: Builder<V, X>, n: number, selector: V): void {
  const at = KEPT[n], base = BASES[n];
  if (at !== undefined) b.setState(at, selector);
  if (base !== undefined) b.setState(base, b.i64(0));
}

/** mov to and from a segment register: the rest of mov is in mov.ts. */
export function moveSegment<V, X>(b: Builder<V, X>, dst: Operand, src: Operand): void {
  if (src.kind === "seg") return b.write(dst, b.fit(dst.size, readSegment(b, src.fixed)));
  const v = selectorOf(b, src);
  checkSegment(b, dst.fixed, v);
  setSegment(b, dst.fixed, v);
}
/** push and pop of fs and gs: 8 bytes, or 2 with a prefix. */
export function pushSegment<V, X>(b: Builder<V, X>, src: Operand): void {
  const size = b.form.opsize || 8, sp = b.sub(b.reg(RSP, 8), b.i64(size));
  b.store(size, sp, b.fit(size, readSegment(b, src.fixed)));
  b.setReg(RSP, 8, sp);
}
export function popSegment<V, X>(b: Builder<V, X>, dst: Operand): void {
  const size = b.form.opsize || 8, sp = b.reg(RSP, 8);
  const v = b.mask(2, b.trunc(b.zext(b.load(size, sp))));
  checkSegment(b, dst.fixed, v);
  b.setReg(RSP, 8, b.add(sp, b.i64(size)));
  setSegment(b, dst.fixed, v);
}

for (const [name, n] of [["lss", 2], ["lfs", 4], ["lgs", 5]] as const)
  insn(segment, name, (b, dst, src) => {
    const at = b.address(src);
    b.check(at, dst.size + 2, false);
    const offset = b.load(dst.size, at), v = b.load(2, b.add(at, b.i64(dst.size)));
    checkSegment(b, n, v);
    setSegment(b, n, v);
    b.write(dst, offset);
  });

insn(segment, ["verr", "verw"], (b, src) => {
  const good = among(b, selectorOf(b, src), b.form.name === "verr" ? READABLE : WRITABLE);
  b.setFlags(ZF, b.mul(good, b.i32(ZF)));
});
/** Access rights, and the limit (for the processor's number: that and the node's, which are 0). */
const RIGHTS = new Map([[CODE32, 0xcffb00], [DATA, 0xcff300], [CODE64, 0xaffb00], [NUMBER, 0x40f500]]);
insn(segment, ["lar", "lsl"], (b, dst, src) => {
  const v = selectorOf(b, src), good = among(b, v, READABLE), index = b.shr(v, b.i32(3));
  let r = b.i32(0);
  for (const [i, rights] of RIGHTS) r = b.select(b.cmp("eq", index, b.i32(i)), b.i32(b.form.name === "lar" ? rights : i === NUMBER ? 0 : -1), r);
  b.when(good, () => b.write(dst, b.fit(dst.size, b.zext(r))));
  b.setFlags(ZF, b.mul(good, b.i32(ZF)));
});

/** Where a far transfer goes, by what it read: #GP unless that is the user's 64-bit code. `outward`: a return, which needs the privilege in the selector. */
function trapUnlessHere<V, X>(b: Builder<V, X>, selector: V, rip: V, outward: boolean): void {
  const s = b.mask(2, b.trunc(b.zext(selector)));
  refuse(b, s, b.cmp("ne", outward ? s : b.or(s, b.i32(3)), b.i32(USER_CS)));
  b.canonical(rip);
}

/** Offset and selector of a far pointer in memory. */
function farPointer<V, X>(b: Builder<V, X>, o: Operand): readonly [offset: V, selector: V] {
  const at = b.address(o), size = o.size - 2;
  b.check(at, o.size, false);
  return [b.zext(b.load(size, at)), b.load(2, b.add(at, b.i64(size)))];
}
insn(segment, "jmp_far", (b, target) => {
  const [to, selector] = farPointer(b, target);
  trapUnlessHere(b, selector, to, false);
  b.jump(to);
}, ENDS);
insn(segment, "call_far", (b, target) => {
  const size = target.size - 2, [to, selector] = farPointer(b, target);
  trapUnlessHere(b, selector, to, false);
  const sp = b.sub(b.reg(RSP, 8), b.i64(2 * size));
  b.check(b.add(sp, b.i64(size)), size, true);
  b.check(sp, size, true);
  b.store(size, b.add(sp, b.i64(size)), b.imm(USER_CS, size));
  b.store(size, sp, b.fit(size, b.nextRip()));
  b.setReg(RSP, 8, sp);
  b.jump(to);
}, ENDS);
insn(segment, "retf", (b, extra) => {
  const size = b.form.opsize, sp = b.reg(RSP, 8);
  const to = b.zext(b.load(size, sp)), selector = b.load(size, b.add(sp, b.i64(size)));
  trapUnlessHere(b, selector, to, true);
  let up = b.add(sp, b.i64(2 * size));
  if (extra !== undefined) up = b.add(up, b.zext(b.read(extra)));
  b.setReg(RSP, 8, up);
  b.jump(to);
}, ENDS);
insn(segment, ["iret", "iretd", "iretq"], (b) => {
  const size = b.form.opsize, sp = b.reg(RSP, 8);
  b.trapIf(b.and(b.getState(ST_RFLAGS_SYS, "i32"), b.i32(NT)), EXIT_GP); // a task to return to is not there
  const [to, selector, flags, newSp, ss] = [0, 1, 2, 3, 4].map((i) => b.load(size, b.add(sp, b.i64(i * size))));
  trapUnlessHere(b, selector!, b.zext(to!), true);
  const stack = b.mask(2, b.trunc(b.zext(ss!)));
  refuse(b, stack, b.cmp("ne", stack, b.i32(USER_SS)));
  b.setReg(RSP, 8, b.zext(newSp!));
  const rip = b.variable(b.zext(to!));
  b.call("setRflags", [b.zext(flags!), b.i32(size)]);
  b.leave(EXIT_RECHECK, rip); // TF may be set now
}, ENDS);

// What an operating system keeps from its users by UMIP, and answers in its stead: Linux's answers.
insn(segment, "str", (b, dst) => b.write(dst, b.imm(0x40, dst.size)));
insn(segment, "sldt", (b, dst) => b.write(dst, b.imm(0, dst.size)));
insn(segment, "smsw", (b, dst) => b.write(dst, b.imm(dst.size === 2 ? 0x33 : 0x80050033, dst.size)));
for (const [name, base] of [["sgdt", -0x20000], ["sidt", -0x10000]] as const)
  insn(segment, name, (b, dst) => {
    const at = b.address(dst);
    b.check(at, 10, true);
    b.store(2, at, b.i32(0));
    b.store(8, b.add(at, b.i64(2)), b.i64(base));
  });
