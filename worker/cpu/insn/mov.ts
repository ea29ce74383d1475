// worker/cpu/insn/mov.ts — MOV, MOVZX, MOVSX, LEA, XCHG, BSWAP, MOVBE, CMOVcc, SETcc.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import type { Condition } from "../flags.ts";
import { CONDITIONS } from "../flags.ts";
import type { Builder } from "../build/builder.ts";
import { moveSegment } from "./segment.ts";
import { RAX, RBX } from "../state.ts";

export const mov: Definitions = [];

insn(mov, "mov", (b, dst, src) => {
  if (src.kind === "seg" || dst.kind === "seg") moveSegment(b, dst, src);
  else b.write(dst, b.fit(dst.size, b.read(src)));
});

insn(mov, "movzx", (b, dst, src) => b.write(dst, b.fit(dst.size, b.read(src))));
insn(mov, ["movsx", "movsxd"], (b, dst, src) => {
  const v = b.signed(src.size, b.read(src));
  b.write(dst, dst.size === 8 ? b.sext(v) : v);
});

insn(mov, "lea", (b, dst, src) => b.write(dst, b.fit(dst.size, b.offset(src))));

insn(mov, "xchg", (b, dst, src) => {
  const x = b.read(dst), y = b.read(src);
  b.write(dst, y); // iced puts the memory operand first
  b.write(src, x);
});

/** The bytes of a value of `size` bytes in the other order. */
function swap<V, X>(b: Builder<V, X>, size: number, v: V): V {
  if (size === 2) return b.or(b.shl(b.and(v, b.i32(0xff)), b.i32(8)), b.shr(b.mask(2, v), b.i32(8)));
  if (size === 4) {
    const even = b.and(v, b.i32(0x00ff00ff));
    return b.or(b.int("rotr", even, b.i32(8)), b.and(b.int("rotl", v, b.i32(8)), b.i32(0x00ff00ff)));
  }
  const low = swap(b, 4, b.trunc(v)), high = swap(b, 4, b.trunc(b.shr(v, b.i64(32))));
  return b.or(b.shl(b.zext(low), b.i64(32)), b.zext(high));
}

insn(mov, "bswap", (b, dst) => {
  // of 16 bits: undefined by the manual, zero on all hardware we know
  b.write(dst, dst.size === 2 ? b.i32(0) : swap(b, dst.size, b.read(dst)));
});
insn(mov, "movbe", (b, dst, src) => b.write(dst, swap(b, dst.size, b.read(src))));
insn(mov, "movnti", (b, dst, src) => b.write(dst, b.read(src)));

for (const cc of CONDITIONS) {
  const name: Condition = cc;
  insn(mov, `cmov${cc}`, (b, dst, src) => {
    const y = b.read(src); // read, and a fault taken, whatever the condition
    b.write(dst, b.select(b.cond(name), y, b.read(dst)));
  });
  insn(mov, `set${cc}`, (b, dst) => b.write(dst, b.cond(name)));
}

insn(mov, "xlatb", (b) => {
  const at = b.add(b.reg(RBX, 8), b.zext(b.reg(RAX, 1)));
  const short = b.form.addrsize === 4 ? b.zext(b.trunc(at)) : at;
  b.setReg(RAX, 1, b.load(1, b.add(short, b.segmentBase())));
});
