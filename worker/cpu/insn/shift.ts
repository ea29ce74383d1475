// worker/cpu/insn/shift.ts — SHL, SHR, SAR, ROL, ROR, RCL, RCR, SHLD, SHRD and the BMI2 shifts.  SDM Vol. 2.
//
// Where the manual leaves OF undefined (counts other than 1), it is what the development machine's CPU gives: as for a count of 1.

import type { Builder, Operand } from "../build/builder.ts";
import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { CF, OF } from "../state.ts";

export const shift: Definitions = [];

/** The count as an i32, masked as hardware does. */
function countOf<V, X>(b: Builder<V, X>, size: number, count: Operand): V {
  return b.and(b.trunc(b.read(count)), b.i32(size === 8 ? 63 : 31));
}

/** Bit n (an i32 or constant V of x's type) of x as i32 0 or 1. */
function bit<V, X>(b: Builder<V, X>, x: V, n: V): V {
  return b.and(b.trunc(b.shr(x, n)), b.i32(1));
}

insn(shift, ["shl", "sal"], (b, dst, count) => {
  const n = countOf(b, dst.size, count), bits = dst.size * 8;
  const x = b.read(dst);
  if (dst.size < 4) {
    // in 64 bits nothing is lost: the count is at most 31
    const wide = b.shl(b.zext(x), b.zext(n));
    const r = b.trunc(wide);
    b.write(dst, r);
    b.when(n, () => b.flagsLater(dst.size, r, [wide, r], ([w, result]) => {
      const c = bit(b, w!, b.i64(bits));
      return [c, b.xor(c, bit(b, result!, b.i32(bits - 1)))];
    }));
    return;
  }
  const k = b.fit(dst.size, n);
  const r = b.shl(x, k);
  b.write(dst, r);
  b.when(n, () => b.flagsLater(dst.size, r, [x, k, r], ([v, by, result]) => {
    const c = bit(b, v!, b.sub(b.imm(bits, dst.size), by!));
    return [c, b.xor(c, bit(b, result!, b.imm(bits - 1, dst.size)))];
  }));
});

insn(shift, "shr", (b, dst, count) => {
  const n = countOf(b, dst.size, count), bits = dst.size * 8;
  const x = b.read(dst), k = b.fit(dst.size, n);
  const r = b.shr(x, k);
  b.write(dst, r);
  b.when(n, () => b.flagsLater(dst.size, r, [x, k, r], ([v, by, result]) => [
    bit(b, v!, b.sub(by!, b.imm(1, dst.size))),
    // OF: the top bit changed. For a count of 1 that is the operand's top bit
    b.xor(bit(b, result!, b.imm(bits - 1, dst.size)), bit(b, result!, b.imm(bits - 2, dst.size))),
  ]));
});

insn(shift, "sar", (b, dst, count) => {
  const n = countOf(b, dst.size, count);
  const x = b.signed(dst.size, b.read(dst)), k = b.fit(dst.size, n);
  const r = b.sar(x, k);
  b.write(dst, r);
  b.when(n, () => b.flagsLater(dst.size, r, [x, k], ([v, by]) => [bit(b, b.sar(v!, b.sub(by!, b.imm(1, dst.size))), b.imm(0, dst.size))]));
});

insn(shift, ["rol", "ror"], (b, dst, count) => {
  const left = b.form.name === "rol", size = dst.size, bits = size * 8;
  const n = countOf(b, size, count);
  const x = b.read(dst);
  let r: typeof x;
  if (size >= 4) r = b.int(left ? "rotl" : "rotr", x, b.fit(size, n));
  else {
    const k = b.and(n, b.i32(bits - 1));
    const back = b.sub(b.i32(bits), k);
    r = b.mask(size, left ? b.or(b.shl(x, k), b.shr(x, back)) : b.or(b.shr(x, k), b.shl(x, back)));
  }
  b.write(dst, r);
  b.when(n, () => {
    const top = bit(b, r, b.imm(bits - 1, size));
    const c = left ? bit(b, r, b.imm(0, size)) : top;
    const o = left ? b.xor(top, c) : b.xor(top, bit(b, r, b.imm(bits - 2, size)));
    b.setFlags(CF | OF, b.or(c, b.shl(o, b.i32(11))));
  });
});

insn(shift, ["rcl", "rcr"], (b, dst, count) => {
  // one bit at a time, as rare as they are
  const left = b.form.name === "rcl", size = dst.size, bits = size * 8;
  const raw = countOf(b, size, count);
  const n = size === 1 ? b.int("rem_u", raw, b.i32(9)) : size === 2 ? b.int("rem_u", raw, b.i32(17)) : raw;
  const c = b.variable(b.cond("b"));
  const r = b.variable(b.read(dst)), left1 = b.variable(n);
  const top = b.imm(bits - 1, size), one = b.imm(1, size);
  b.loop(() => left1, () => {
    if (left) {
      const out = bit(b, r, top);
      b.assign(r, b.mask(size, b.or(b.shl(r, one), b.fit(size, c))));
      b.assign(c, out);
    } else {
      const out = bit(b, r, b.imm(0, size));
      b.assign(r, b.or(b.shr(r, one), b.shl(b.fit(size, c), top)));
      b.assign(c, out);
    }
    b.assign(left1, b.sub(left1, b.i32(1)));
  });
  b.write(dst, r);
  b.when(n, () => {
    const high = bit(b, r, top);
    const o = left ? b.xor(high, c) : b.xor(high, bit(b, r, b.imm(bits - 2, size)));
    b.setFlags(CF | OF, b.or(c, b.shl(o, b.i32(11))));
  });
});

insn(shift, ["shld", "shrd"], (b, dst, src, count) => {
  const left = b.form.name === "shld", size = dst.size, bits = size * 8;
  const n = countOf(b, size, count);
  const x = b.read(dst), y = b.read(src);
  if (size === 2) {
    // a count above 16 is undefined by the manual; the 48-bit value dst:src:dst is what the hardware shifts
    const k = b.zext(n), wx = b.zext(x), wy = b.zext(y);
    const both = left
      ? b.or(b.or(b.shl(wx, b.i64(32)), b.shl(wy, b.i64(16))), wx)
      : b.or(b.or(b.shl(wx, b.i64(32)), b.shl(wy, b.i64(16))), wx);
    const moved = left ? b.shl(both, k) : b.shr(both, k);
    const r = b.mask(2, b.trunc(left ? b.shr(moved, b.i64(32)) : moved));
    b.write(dst, r);
    b.when(n, () => {
      const c = left ? bit(b, moved, b.i64(48)) : bit(b, both, b.sub(k, b.i64(1)));
      const top = bit(b, r, b.i32(15));
      b.flagsFrom(2, r, c, left ? b.xor(top, c) : b.xor(top, bit(b, r, b.i32(14))));
    });
    return;
  }
  const k = b.fit(size, n), back = b.sub(b.imm(bits, size), k);
  // shifts count modulo the width: for n = 0 the other half must not come in
  const other = b.select(n, left ? b.shr(y, back) : b.shl(y, back), b.imm(0, size));
  const r = b.or(left ? b.shl(x, k) : b.shr(x, k), other);
  b.write(dst, r);
  b.when(n, () => {
    const c = left ? bit(b, x, back) : bit(b, x, b.sub(k, b.imm(1, size)));
    const top = bit(b, r, b.imm(bits - 1, size));
    b.flagsFrom(size, r, c, left ? b.xor(top, c) : b.xor(top, bit(b, r, b.imm(bits - 2, size))));
  });
});

insn(shift, ["shlx", "shrx", "sarx"], (b, dst, src, count) => {
  const x = b.read(src), n = b.read(count);
  b.write(dst, b.form.name === "shlx" ? b.shl(x, n) : b.form.name === "shrx" ? b.shr(x, n) : b.sar(x, n));
});

insn(shift, "rorx", (b, dst, src, count) => {
  b.write(dst, b.int("rotr", b.read(src), b.fit(dst.size, b.read(count))));
});
