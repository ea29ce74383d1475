// worker/cpu/insn/string.ts — MOVS, STOS, LODS, CMPS, SCAS.  SDM Vol. 2.
//
// One without a prefix is builder verbs; a repeated one is a helper: it counts as one instruction, and a fault within leaves the registers
// where they were when the faulting element was reached.

import type { Builder } from "../build/builder.ts";
import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { RAX, RDI, RSI, ST_DF } from "../state.ts";

export const string: Definitions = [];

const SIZES: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, q: 8 };

/** Address in rsi (with the segment that overrides ds) or rdi. */
function place<V, X>(b: Builder<V, X>, reg: number): V {
  const v = b.form.addrsize === 4 ? b.zext(b.reg(reg, 4)) : b.reg(reg, 8);
  return reg === RSI ? b.add(v, b.segmentBase()) : v;
}
/** Moves rsi or rdi by one element, in the direction of DF. */
function advance<V, X>(b: Builder<V, X>, reg: number, size: number): void {
  const width = b.form.addrsize;
  const step = b.sub(b.imm(size, width), b.fit(width, b.mul(b.getState(ST_DF, "i32"), b.i32(2 * size))));
  b.setReg(reg, width, b.add(b.reg(reg, width), step));
}

for (const [letter, size] of Object.entries(SIZES)) {
  /** name of the mnemonic: movsd and cmpsd are also SSE's */
  const named = (stem: string): string => stem + letter + (letter === "d" && (stem === "movs" || stem === "cmps") ? "_string" : "");
  const repeated = <V, X>(b: Builder<V, X>, helper: string): boolean => {
    if (b.form.rep === 0) return false;
    b.call(helper, [b.i32(size), b.i32(b.form.addrsize), b.i32(b.form.rep), b.segmentBase()]);
    return true;
  };

  insn(string, named("movs"), (b) => {
    if (repeated(b, "rep_movs")) return;
    b.store(size, place(b, RDI), b.load(size, place(b, RSI)));
    advance(b, RSI, size);
    advance(b, RDI, size);
  });
  insn(string, named("stos"), (b) => {
    if (repeated(b, "rep_stos")) return;
    b.store(size, place(b, RDI), b.reg(RAX, size));
    advance(b, RDI, size);
  });
  insn(string, named("lods"), (b) => {
    if (repeated(b, "rep_lods")) return;
    b.setReg(RAX, size, b.load(size, place(b, RSI)));
    advance(b, RSI, size);
  });
  insn(string, named("cmps"), (b) => {
    if (b.form.rep !== 0) {
      repeated(b, "rep_cmps");
      b.when(b.ret(2, "i32"), () => {
        const x = b.fit(size, b.ret(0, "i64")), y = b.fit(size, b.ret(1, "i64"));
        b.flags("sub", size, b.sub(x, y), x, y);
      });
      return;
    }
    const x = b.load(size, place(b, RSI)), y = b.load(size, place(b, RDI));
    advance(b, RSI, size);
    advance(b, RDI, size);
    b.flags("sub", size, b.sub(x, y), x, y);
  });
  insn(string, named("scas"), (b) => {
    if (b.form.rep !== 0) {
      repeated(b, "rep_scas");
      b.when(b.ret(2, "i32"), () => {
        const x = b.fit(size, b.ret(0, "i64")), y = b.fit(size, b.ret(1, "i64"));
        b.flags("sub", size, b.sub(x, y), x, y);
      });
      return;
    }
    const x = b.reg(RAX, size), y = b.load(size, place(b, RDI));
    advance(b, RDI, size);
    b.flags("sub", size, b.sub(x, y), x, y);
  });
}
