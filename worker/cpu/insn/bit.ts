// worker/cpu/insn/bit.ts — BT and its kin, BSF, BSR, TZCNT, LZCNT, POPCNT, BMI1 and BMI2 (but shifts), CRC32.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { CF } from "../state.ts";

export const bit: Definitions = [];

insn(bit, ["bt", "bts", "btr", "btc"], (b, dst, src) => {
  const size = dst.size, bits = size * 8, name = b.form.name;
  const n = b.fit(size, b.read(src));
  const low = b.and(n, b.imm(bits - 1, size));
  const one = b.imm(1, size);
  let x: typeof n;
  let at: typeof n | undefined;
  if (dst.kind === "mem" && src.kind === "reg") {
    // a register's whole value counts: bits lie before and behind the operand
    const words = size === 8 ? b.sar(n, b.i64(6)) : b.sext(b.sar(b.signed(size, n), b.i32(size === 4 ? 5 : 4)));
    const by = b.shl(words, b.i64(size === 8 ? 3 : size === 4 ? 2 : 1));
    at = b.form.addrsize === 4 ? b.add(b.zext(b.trunc(b.add(b.offset(dst), by))), b.segmentBase()) : b.add(b.address(dst), by);
    x = b.load(size, at);
  } else x = b.read(dst);
  const c = b.trunc(b.and(b.shr(x, low), one));
  if (name !== "bt") {
    const mask = b.shl(one, low);
    const r = name === "bts" ? b.or(x, mask) : name === "btc" ? b.xor(x, mask) : b.and(x, b.xor(mask, b.imm(-1, size)));
    if (at === undefined) b.write(dst, r);
    else b.store(size, at, r);
  }
  b.setFlags(CF, c);
});

// A zero source leaves the destination alone (AMD documents it, Intel's hardware does it).
insn(bit, ["bsf", "bsr"], (b, dst, src) => {
  const x = b.read(src);
  const zero = b.eqz(x);
  const n = b.form.name === "bsf" ? b.op(dst.size === 8 ? "i64.ctz" : "i32.ctz", x)
    : b.sub(b.imm(dst.size === 8 ? 63 : 31, dst.size), b.op(dst.size === 8 ? "i64.clz" : "i32.clz", x));
  b.when(b.eqz(zero), () => b.write(dst, n));
  b.flagsFrom(dst.size, x); // ZF by the source
});

insn(bit, ["tzcnt", "lzcnt"], (b, dst, src) => {
  const x = b.read(src), bits = dst.size * 8;
  const is64 = dst.size === 8;
  let n: typeof x;
  if (b.form.name === "tzcnt") n = b.op(is64 ? "i64.ctz" : "i32.ctz", dst.size === 2 ? b.or(x, b.i32(0x10000)) : x);
  else {
    n = b.op(is64 ? "i64.clz" : "i32.clz", x);
    if (dst.size === 2) n = b.sub(n, b.i32(16));
  }
  b.write(dst, n);
  b.flagsFrom(dst.size, n, b.cmp("eq", n, b.imm(bits, dst.size)));
});

insn(bit, "popcnt", (b, dst, src) => {
  const x = b.read(src);
  b.write(dst, b.op(dst.size === 8 ? "i64.popcnt" : "i32.popcnt", x));
  b.setFlags(0x8d5, b.shl(b.eqz(x), b.i32(6)));
});

insn(bit, "andn", (b, dst, not, src) => {
  const r = b.and(b.xor(b.read(not), b.imm(-1, dst.size)), b.read(src));
  b.write(dst, r);
  b.flags("logic", dst.size, r);
});

insn(bit, ["blsi", "blsr", "blsmsk"], (b, dst, src) => {
  const x = b.read(src), less = b.sub(x, b.imm(1, dst.size)), name = b.form.name;
  const r = name === "blsi" ? b.and(x, b.sub(b.imm(0, dst.size), x)) : name === "blsr" ? b.and(x, less) : b.xor(x, less);
  b.write(dst, r);
  const zero = b.eqz(x);
  b.flagsFrom(dst.size, r, name === "blsi" ? b.eqz(zero) : zero);
});

insn(bit, "bextr", (b, dst, src, control) => {
  const size = dst.size, bits = size * 8;
  const k = b.trunc(b.read(control)), x = b.read(src);
  const start = b.and(k, b.i32(0xff)), length = b.and(b.shr(k, b.i32(8)), b.i32(0xff));
  const zero = b.imm(0, size);
  const moved = b.select(b.cmp("lt_u", start, b.i32(bits)), b.shr(x, b.fit(size, start)), zero);
  const mask = b.sub(b.shl(b.imm(1, size), b.fit(size, length)), b.imm(1, size));
  const r = b.select(b.cmp("lt_u", length, b.i32(bits)), b.and(moved, mask), moved);
  b.write(dst, r);
  b.flagsFrom(size, r);
});

insn(bit, "bzhi", (b, dst, src, index) => {
  const size = dst.size, bits = size * 8;
  const n = b.and(b.trunc(b.read(index)), b.i32(0xff)), x = b.read(src);
  const inside = b.cmp("lt_u", n, b.i32(bits));
  const mask = b.sub(b.shl(b.imm(1, size), b.fit(size, n)), b.imm(1, size));
  const r = b.select(inside, b.and(x, mask), x);
  b.write(dst, r);
  b.flagsFrom(size, r, b.eqz(inside));
});

insn(bit, ["pdep", "pext"], (b, dst, src, maskOperand) => {
  const size = dst.size, one = b.imm(1, size), deposit = b.form.name === "pdep";
  const x = b.variable(b.read(src)), mask = b.variable(b.read(maskOperand));
  const r = b.variable(b.imm(0, size)), k = b.variable(b.imm(0, size));
  b.loop(() => b.nez(mask), () => {
    const low = b.and(mask, b.sub(b.imm(0, size), mask));
    if (deposit) b.assign(r, b.or(r, b.select(b.nez(b.and(b.shr(x, k), one)), low, b.imm(0, size))));
    else b.assign(r, b.or(r, b.shl(b.fit(size, b.nez(b.and(x, low))), k)));
    b.assign(k, b.add(k, one));
    b.assign(mask, b.xor(mask, low));
  });
  b.write(dst, r);
});

insn(bit, "crc32", (b, dst, src) => {
  // the Castagnoli polynomial, bit by bit, reflected
  const crc = b.variable(b.trunc(b.read(dst)));
  const x = b.zext(b.read(src));
  for (let at = 0; at < src.size * 8; at += 8) {
    b.assign(crc, b.xor(crc, b.and(b.trunc(b.shr(x, b.i64(at))), b.i32(0xff))));
    for (let i = 0; i < 8; i++) {
      const odd = b.sub(b.i32(0), b.and(crc, b.i32(1)));
      b.assign(crc, b.xor(b.shr(crc, b.i32(1)), b.and(odd, b.i32(0x82f63b78 | 0))));
    }
  }
  b.write(dst, b.fit(dst.size, crc));
});

insn(bit, "clc", (b) => b.setFlags(CF, b.i32(0)));
insn(bit, "stc", (b) => b.setFlags(CF, b.i32(1)));
insn(bit, "cmc", (b) => b.setFlags(CF, b.xor(b.cond("b"), b.i32(1))));
insn(bit, "sahf", (b) => b.setFlags(0xd5, b.readAh()));
insn(bit, "lahf", (b) => b.writeAh(b.or(b.and(b.getFlags(), b.i32(0xd5)), b.i32(2))));
