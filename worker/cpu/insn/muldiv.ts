// worker/cpu/insn/muldiv.ts — MUL, IMUL, MULX, DIV, IDIV and the widenings of the accumulator.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import type { Builder } from "../build/builder.ts";
import { RAX, RDX } from "../state.ts";
import { EXIT_DE } from "../exit.ts";

export const muldiv: Definitions = [];

/** CF and OF say the same: the product does not fit. */
const both = <V>(c: V): [V, V] => [c, c];

insn(muldiv, "mul", (b, src) => {
  const size = src.size;
  if (size === 8) {
    const x = b.reg(RAX, 8), y = b.read(src);
    const lo = b.mul(x, y), hi = b.mulhU(x, y);
    b.setReg(RAX, 8, lo);
    b.setReg(RDX, 8, hi);
    b.flagsLater(8, lo, [hi], ([high]) => both(b.nez(high!)));
    return;
  }
  const p = b.mul(b.zext(b.reg(RAX, size)), b.zext(b.read(src)));
  const hi = b.trunc(b.shr(p, b.i64(size * 8))), lo = b.trunc(p);
  if (size === 1) b.setReg(RAX, 2, lo);
  else {
    b.setReg(RAX, size, lo);
    b.setReg(RDX, size, hi);
  }
  b.flagsLater(size, lo, [hi], ([high]) => both(b.nez(high!)));
});

insn(muldiv, "imul", (b, dst, src, factor) => {
  const size = dst.size;
  if (src === undefined) {
    if (size === 8) {
      const x = b.reg(RAX, 8), y = b.read(dst);
      const lo = b.mul(x, y), hi = b.mulhS(x, y);
      b.setReg(RAX, 8, lo);
      b.setReg(RDX, 8, hi);
      b.flagsLater(8, lo, [hi, lo], ([high, low]) => both(b.cmp("ne", high!, b.sar(low!, b.i64(63)))));
      return;
    }
    const p = b.mul(b.sext(b.signed(size, b.reg(RAX, size))), b.sext(b.signed(size, b.read(dst))));
    if (size === 1) b.setReg(RAX, 2, b.trunc(p));
    else {
      b.setReg(RAX, size, b.trunc(p));
      b.setReg(RDX, size, b.trunc(b.shr(p, b.i64(size * 8))));
    }
    b.flagsLater(size, b.trunc(p), [p], ([product]) => both(b.cmp("ne", product!, b.signed(size, product!))));
    return;
  }
  const x = b.read(factor === undefined ? dst : src), y = b.fit(size, b.read(factor ?? src));
  if (size === 8) {
    const lo = b.mul(x, y);
    b.write(dst, lo);
    b.flagsLater(8, lo, [x, y, lo], ([m, n, low]) => both(b.cmp("ne", b.mulhS(m!, n!), b.sar(low!, b.i64(63)))));
    return;
  }
  const p = b.mul(b.sext(b.signed(size, x)), b.sext(b.signed(size, y)));
  const lo = b.trunc(p);
  b.write(dst, lo);
  b.flagsLater(size, lo, [p], ([product]) => both(b.cmp("ne", product!, b.signed(size, product!))));
});

insn(muldiv, "mulx", (b, high, low, src) => {
  const x = b.reg(RDX, high.size), y = b.read(src);
  if (high.size === 8) {
    const hi = b.mulhU(x, y);
    b.write(low, b.mul(x, y));
    b.write(high, hi); // the high half wins where both are the same register
    return;
  }
  const p = b.mul(b.zext(x), b.zext(y));
  b.write(low, b.trunc(p));
  b.write(high, b.trunc(b.shr(p, b.i64(32))));
});

/** The remainder of n by d, q times d: an engine need not know that one division has both. */
const rest = <V, X>(b: Builder<V, X>, n: V, q: V, d: V): V => b.sub(n, b.mul(q, d));

insn(muldiv, "div", (b, src) => {
  const size = src.size;
  if (size === 8) {
    const d = b.read(src);
    b.trapIf(b.eqz(d), EXIT_DE);
    b.when(b.eqz(b.reg(RDX, 8)), () => {
      const x = b.reg(RAX, 8), q = b.int("div_u", x, d);
      b.setReg(RAX, 8, q);
      b.setReg(RDX, 8, rest(b, x, q, d));
    }, () => {
      b.call("div128", [d]);
      b.setReg(RAX, 8, b.ret(0, "i64"));
      b.setReg(RDX, 8, b.ret(1, "i64"));
    });
    return;
  }
  const d = b.zext(b.read(src));
  b.trapIf(b.eqz(d), EXIT_DE);
  const n = size === 1 ? b.zext(b.reg(RAX, 2)) : b.or(b.shl(b.zext(b.reg(RDX, size)), b.i64(size * 8)), b.zext(b.reg(RAX, size)));
  const q = b.int("div_u", n, d), r = rest(b, n, q, d);
  b.trapIf(b.nez(b.shr(q, b.i64(size * 8))), EXIT_DE);
  if (size === 1) b.setReg(RAX, 2, b.or(b.trunc(q), b.shl(b.trunc(r), b.i32(8))));
  else {
    b.setReg(RAX, size, b.trunc(q));
    b.setReg(RDX, size, b.trunc(r));
  }
});

insn(muldiv, "idiv", (b, src) => {
  const size = src.size;
  if (size === 8) {
    const d = b.read(src);
    b.trapIf(b.eqz(d), EXIT_DE);
    const x = b.reg(RAX, 8);
    // the plain case: rdx is the sign of rax, and it is not the one quotient that does not fit
    const plain = b.and(b.cmp("eq", b.reg(RDX, 8), b.sar(x, b.i64(63))), b.cmp("ne", d, b.i64(-1)));
    b.when(plain, () => {
      const q = b.int("div_s", x, d);
      b.setReg(RAX, 8, q);
      b.setReg(RDX, 8, rest(b, x, q, d));
    }, () => {
      b.call("idiv128", [d]);
      b.setReg(RAX, 8, b.ret(0, "i64"));
      b.setReg(RDX, 8, b.ret(1, "i64"));
    });
    return;
  }
  const d = b.sext(b.signed(size, b.read(src)));
  b.trapIf(b.eqz(d), EXIT_DE);
  const n = size === 1 ? b.sext(b.signed(2, b.reg(RAX, 2)))
    : size === 2 ? b.sext(b.or(b.shl(b.reg(RDX, 2), b.i32(16)), b.reg(RAX, 2)))
    : b.or(b.shl(b.zext(b.reg(RDX, 4)), b.i64(32)), b.zext(b.reg(RAX, 4)));
  // the most negative dividend by -1 would trap in the host as well: the quotient does not fit
  b.trapIf(b.and(b.cmp("eq", n, b.i64(-0x8000000000000000n)), b.cmp("eq", d, b.i64(-1))), EXIT_DE);
  const q = b.int("div_s", n, d), r = rest(b, n, q, d);
  b.trapIf(b.cmp("ne", q, b.signed(size, q)), EXIT_DE);
  if (size === 1) b.setReg(RAX, 2, b.or(b.and(b.trunc(q), b.i32(0xff)), b.shl(b.trunc(r), b.i32(8))));
  else {
    b.setReg(RAX, size, b.trunc(q));
    b.setReg(RDX, size, b.trunc(r));
  }
});

insn(muldiv, "cbw", (b) => b.setReg(RAX, 2, b.signed(1, b.reg(RAX, 1))));
insn(muldiv, "cwde", (b) => b.setReg(RAX, 4, b.signed(2, b.reg(RAX, 2))));
insn(muldiv, "cdqe", (b) => b.setReg(RAX, 8, b.sext(b.reg(RAX, 4))));
insn(muldiv, "cwd", (b) => b.setReg(RDX, 2, b.sar(b.signed(2, b.reg(RAX, 2)), b.i32(15))));
insn(muldiv, "cdq", (b) => b.setReg(RDX, 4, b.sar(b.reg(RAX, 4), b.i32(31))));
insn(muldiv, "cqo", (b) => b.setReg(RDX, 8, b.sar(b.reg(RAX, 8), b.i64(63))));
