// worker/cpu/insn/stack.ts — PUSH, POP, ENTER, LEAVE, PUSHF, POPF.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { popSegment, pushSegment } from "./segment.ts";
import { RBP, RSP } from "../state.ts";
import { EXIT_RECHECK } from "../exit.ts";

export const stack: Definitions = [];

insn(stack, "push", (b, src) => {
  if (src.kind === "seg") return pushSegment(b, src);
  const size = src.size === 4 ? 8 : src.size;
  const v = src.kind === "imm" ? b.fit(size, b.read(src)) : b.read(src);
  const sp = b.sub(b.reg(RSP, 8), b.i64(size));
  b.store(size, sp, v);
  b.setReg(RSP, 8, sp);
});

insn(stack, "pop", (b, dst) => {
  if (dst.kind === "seg") return popSegment(b, dst);
  const size = dst.size;
  const sp = b.reg(RSP, 8);
  const v = b.load(size, sp);
  const up = b.add(sp, b.i64(size));
  if (dst.kind === "mem") {
    // an address that uses rsp uses the new one; a fault must find the old one
    b.setReg(RSP, 8, up);
    const a = b.address(dst);
    b.setReg(RSP, 8, sp);
    b.store(size, a, v);
    b.setReg(RSP, 8, up);
  } else {
    b.setReg(RSP, 8, up);
    b.write(dst, v); // pop %rsp: what was popped stays
  }
});

insn(stack, "leave", (b) => {
  const size = b.form.opsize === 2 ? 2 : 8;
  const bp = b.reg(RBP, 8);
  const v = b.load(size, bp);
  b.setReg(RSP, 8, b.add(bp, b.i64(size)));
  b.setReg(RBP, size, v);
});

insn(stack, "enter", (b, bytes, level) => {
  b.call("enter", [b.read(bytes), b.read(level), b.i32(b.form.opsize === 2 ? 2 : 8)]);
});

insn(stack, ["pushfq", "pushf"], (b) => {
  const size = b.form.name === "pushf" ? 2 : 8;
  b.call("rflags");
  const sp = b.sub(b.reg(RSP, 8), b.i64(size));
  b.store(size, sp, b.fit(size, b.ret(0, "i64")));
  b.setReg(RSP, 8, sp);
});

insn(stack, ["popfq", "popf"], (b) => {
  const size = b.form.name === "popf" ? 2 : 8;
  const sp = b.reg(RSP, 8);
  const v = b.load(size, sp);
  b.setReg(RSP, 8, b.add(sp, b.i64(size)));
  b.call("setRflags", [v, b.i32(size)]);
  b.leave(EXIT_RECHECK); // TF may be set now
}, { ends: true });
