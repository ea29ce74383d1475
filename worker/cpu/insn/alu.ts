// worker/cpu/insn/alu.ts — ADD, ADC, SUB, SBB, CMP, AND, OR, XOR, TEST, INC, DEC, NEG, NOT, and their atomic kin.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { CF, OF, RAX, RBX, RCX, RDX, ZF } from "../state.ts";
import { EXIT_GP } from "../exit.ts";

export const alu: Definitions = [];

insn(alu, "add", (b, dst, src) => {
  const x = b.read(dst), y = b.fit(dst.size, b.read(src));
  const r = b.add(x, y);
  b.write(dst, r); // may fault, so before the flags
  b.flags("add", dst.size, r, x, y);
});

insn(alu, "sub", (b, dst, src) => {
  const x = b.read(dst), y = b.fit(dst.size, b.read(src));
  const r = b.sub(x, y);
  b.write(dst, r);
  b.flags("sub", dst.size, r, x, y);
});

insn(alu, "cmp", (b, dst, src) => {
  const x = b.read(dst), y = b.fit(dst.size, b.read(src));
  b.flags("sub", dst.size, b.sub(x, y), x, y);
});

insn(alu, ["adc", "sbb"], (b, dst, src) => {
  const kind = b.form.name === "adc" ? "adc" : "sbb";
  const x = b.read(dst), y = b.fit(dst.size, b.read(src));
  const c = b.fit(dst.size, b.cond("b"));
  const r = kind === "adc" ? b.add(b.add(x, y), c) : b.sub(b.sub(x, y), c);
  b.write(dst, r);
  b.flags(kind, dst.size, r, x, y);
});

insn(alu, ["and", "or", "xor"], (b, dst, src) => {
  const x = b.read(dst), y = b.fit(dst.size, b.read(src));
  const r = b.int(b.form.name as "and" | "or" | "xor", x, y);
  b.write(dst, r);
  b.flags("logic", dst.size, r);
});

insn(alu, "test", (b, dst, src) => {
  b.flags("logic", dst.size, b.and(b.read(dst), b.fit(dst.size, b.read(src))));
});

insn(alu, ["inc", "dec"], (b, dst) => {
  const kind = b.form.name === "inc" ? "inc" : "dec";
  const x = b.read(dst), one = b.imm(1, dst.size);
  const r = kind === "inc" ? b.add(x, one) : b.sub(x, one);
  b.write(dst, r);
  b.flags(kind, dst.size, r);
});

insn(alu, "neg", (b, dst) => {
  const x = b.read(dst), zero = b.imm(0, dst.size);
  const r = b.sub(zero, x);
  b.write(dst, r);
  b.flags("sub", dst.size, r, zero, x);
});

insn(alu, "not", (b, dst) => {
  b.write(dst, b.xor(b.read(dst), b.imm(-1, dst.size)));
});

insn(alu, "xadd", (b, dst, src) => {
  const x = b.read(dst), y = b.read(src);
  const r = b.add(x, y);
  // the destination last: xadd %al,%al leaves the sum; but memory may fault, so it goes first
  if (dst.kind === "mem") {
    b.write(dst, r);
    b.write(src, x);
  } else {
    b.write(src, x);
    b.write(dst, r);
  }
  b.flags("add", dst.size, r, x, y);
});

insn(alu, "cmpxchg", (b, dst, src) => {
  const accumulator = b.reg(RAX, dst.size), x = b.read(dst), y = b.read(src);
  const same = b.cmp("eq", b.mask(dst.size, accumulator), b.mask(dst.size, x));
  // Memory is written either way, and faults either way; of two registers only one is, or its upper half would be cleared.
  if (dst.kind === "mem") {
    b.write(dst, b.select(same, y, x));
    b.when(b.eqz(same), () => b.setReg(RAX, dst.size, x));
  } else b.when(same, () => b.write(dst, y), () => b.setReg(RAX, dst.size, x));
  b.flags("sub", dst.size, b.sub(accumulator, x), accumulator, x);
});

insn(alu, "cmpxchg8b", (b, dst) => {
  const a = b.address(dst);
  b.check(a, 8, true);
  const old = b.load(8, a);
  const want = b.or(b.zext(b.reg(RAX, 4)), b.shl(b.zext(b.reg(RDX, 4)), b.i64(32)));
  const make = b.or(b.zext(b.reg(RBX, 4)), b.shl(b.zext(b.reg(RCX, 4)), b.i64(32)));
  const same = b.cmp("eq", old, want);
  b.store(8, a, b.select(same, make, old));
  b.when(b.eqz(same), () => {
    b.setReg(RAX, 4, b.trunc(old));
    b.setReg(RDX, 4, b.trunc(b.shr(old, b.i64(32))));
  });
  b.setFlags(ZF, b.shl(same, b.i32(6)));
});

insn(alu, "cmpxchg16b", (b, dst) => {
  const a = b.address(dst);
  b.trapIf(b.trunc(b.and(a, b.i64(15))), EXIT_GP);
  b.check(a, 16, true);
  const high = b.add(a, b.i64(8));
  const lo = b.load(8, a), hi = b.load(8, high);
  const same = b.and(b.cmp("eq", lo, b.reg(RAX, 8)), b.cmp("eq", hi, b.reg(RDX, 8)));
  b.store(8, a, b.select(same, b.reg(RBX, 8), lo));
  b.store(8, high, b.select(same, b.reg(RCX, 8), hi));
  b.when(b.eqz(same), () => {
    b.setReg(RAX, 8, lo);
    b.setReg(RDX, 8, hi);
  });
  b.setFlags(ZF, b.shl(same, b.i32(6)));
});

insn(alu, ["adcx", "adox"], (b, dst, src) => {
  const carry = b.form.name === "adcx";
  const x = b.read(dst), y = b.read(src);
  const c = b.fit(dst.size, b.cond(carry ? "b" : "o"));
  const r = b.add(b.add(x, y), c);
  b.write(dst, r);
  // carry out of the top bit: majority of x, y and not r
  const out = b.or(b.and(x, y), b.and(b.or(x, y), b.xor(r, b.imm(-1, dst.size))));
  const bit = b.trunc(b.shr(out, b.imm(dst.size * 8 - 1, dst.size)));
  b.setFlags(carry ? CF : OF, carry ? bit : b.shl(bit, b.i32(11)));
});
