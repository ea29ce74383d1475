// worker/cpu/insn/x87.ts — the x87 and EMMS: operands checked here, work done in x87.ts.  SDM Vol. 2

import type { Builder, Operand } from "../build/builder.ts";
import { ST_FCW, ST_FDP, ST_FIP, ST_FSW, STATUS_FLAGS } from "../state.ts";
import type { Condition } from "../flags.ts";
import { type Definitions, insn } from "./define.ts";

export const X87_INSN: Definitions = [];
const def = X87_INSN;

const st = (o: Operand | undefined): number => (o ? o.fixed : 1);

/** A memory operand that the helper reads or writes; remembered as the last data pointer. */
function memory<V, X>(b: Builder<V, X>, o: Operand, bytes: number, write: boolean): V {
  const at = b.address(o);
  b.check(at, bytes, write);
  return at;
}
/** After an instruction that is not a control instruction. */
function done<V, X>(b: Builder<V, X>, at?: V): void {
  b.setState(ST_FIP, b.thisRip());
  if (at !== undefined) b.setState(ST_FDP, at);
}

const floatKind = (o: Operand): string => (o.size === 4 ? "f32" : "f64");
const intKind = (o: Operand): string => (o.size === 2 ? "i16" : o.size === 4 ? "i32" : "i64");

for (const op of ["add", "mul", "sub", "subr", "div", "divr"]) {
  insn(def, "f" + op, (b, dst, src) => {
    if (dst.kind === "mem") {
      const at = memory(b, dst, dst.size, false);
      b.call(`f${op}_${floatKind(dst)}`, [at]);
      return done(b, at);
    }
    b.call(`f${op}_st`, [b.i32(st(dst)), b.i32(st(src))]);
    done(b);
  });
  insn(def, `f${op}p`, (b, dst, src) => {
    b.call(`f${op}p_st`, [b.i32(st(dst)), b.i32(src ? st(src) : 0)]);
    done(b);
  });
  insn(def, "fi" + op, (b, src) => {
    const at = memory(b, src, src.size, false);
    b.call(`f${op}_${intKind(src)}`, [at]);
    done(b, at);
  });
}

insn(def, "fld", (b, src) => {
  if (src.kind !== "mem") {
    b.call("fld_st", [b.i32(st(src))]);
    return done(b);
  }
  const at = memory(b, src, src.size, false);
  b.call(src.size === 10 ? "fld_m80" : `fld_${floatKind(src)}`, [at]);
  done(b, at);
});
for (const name of ["fst", "fstp"])
  insn(def, name, (b, dst) => {
    if (dst.kind !== "mem") {
      b.call(`${name}_st`, [b.i32(st(dst))]);
      return done(b);
    }
    const at = memory(b, dst, dst.size, true);
    b.call(dst.size === 10 ? "fstp_m80" : `${name}_${floatKind(dst)}`, [at]);
    done(b, at);
  });
// An undocumented encoding of fstp st(i), which does not mind an empty register.
insn(def, "fstpnce", (b, dst) => {
  b.call("fstpnce", [b.i32(st(dst))]);
  done(b);
});
insn(def, "fild", (b, src) => {
  const at = memory(b, src, src.size, false);
  b.call(`fld_${intKind(src)}`, [at]);
  done(b, at);
});
for (const [name, helper] of [["fist", "fst"], ["fistp", "fstp"], ["fisttp", "fisttp"]] as const)
  insn(def, name, (b, dst) => {
    const at = memory(b, dst, dst.size, true);
    b.call(`${helper}_${intKind(dst)}`, [at]);
    done(b, at);
  });
for (const [name, write] of [["fbld", false], ["fbstp", true]] as const)
  insn(def, name, (b, mem) => {
    const at = memory(b, mem, 10, write);
    b.call(name, [at]);
    done(b, at);
  });

for (const name of ["fld1", "fldz", "fldl2t", "fldl2e", "fldpi", "fldlg2", "fldln2", "fsqrt", "frndint", "f2xm1", "fyl2x", "fyl2xp1", "fpatan", "fscale",
  "fxtract", "ftst", "fxam", "fabs", "fchs", "fprem", "fprem1", "fsin", "fcos", "fsincos", "fptan", "fcompp", "fucompp", "fincstp", "fdecstp", "fnop"])
  insn(def, name, (b) => {
    b.call(name);
    done(b);
  });
insn(def, ["wait", "fwait"], (b) => b.call("fwait"));
for (const name of ["fninit", "fnclex", "emms"]) insn(def, name, (b) => b.call(name));
// What only the 8087 or the 287 needed.
insn(def, ["fneni", "fndisi", "fnsetpm"], () => {});

for (const name of ["fcom", "fcomp", "fucom", "fucomp"])
  insn(def, name, (b, ...operands) => {
    const src = operands.at(-1);
    if (src?.kind === "mem") {
      const at = memory(b, src, src.size, false);
      b.call(`${name}_${floatKind(src)}`, [at]);
      return done(b, at);
    }
    b.call(`${name}_st`, [b.i32(st(src))]);
    done(b);
  });
for (const [name, helper] of [["ficom", "fcom"], ["ficomp", "fcomp"]] as const)
  insn(def, name, (b, src) => {
    const at = memory(b, src, src.size, false);
    b.call(`${helper}_${intKind(src)}`, [at]);
    done(b, at);
  });
for (const name of ["fcomi", "fcomip", "fucomi", "fucomip"])
  insn(def, name, (b, ...operands) => {
    b.call(name, [b.i32(st(operands.at(-1)))]);
    b.setFlags(STATUS_FLAGS, b.ret(0, "i32"));
    done(b);
  });

for (const [name, cc] of [["fcmovb", "b"], ["fcmove", "e"], ["fcmovbe", "be"], ["fcmovu", "p"], ["fcmovnb", "ae"], ["fcmovne", "ne"], ["fcmovnbe", "a"], ["fcmovnu", "np"]] as [string, Condition][])
  insn(def, name, (b, ...operands) => {
    b.call("fcmov", [b.i32(st(operands.at(-1))), b.cond(cc)]);
    done(b);
  });
insn(def, "fxch", (b, ...operands) => {
  b.call("fxch", [b.i32(st(operands.at(-1)))]);
  done(b);
});
for (const name of ["ffree", "ffreep"])
  insn(def, name, (b, o) => {
    b.call(name, [b.i32(st(o))]);
    done(b);
  });

insn(def, "fldcw", (b, src) => b.call("fldcw", [memory(b, src, 2, false)]));
insn(def, "fnstcw", (b, dst) => b.write(dst, b.getState(ST_FCW, "i32")));
insn(def, "fnstsw", (b, dst) => b.write(dst, b.getState(ST_FSW, "i32")));

for (const [name, full, short, write] of [["fnstenv", 28, 14, true], ["fldenv", 28, 14, false], ["fnsave", 108, 94, true], ["frstor", 108, 94, false]] as const)
  insn(def, name, (b, mem) => {
    const wide = mem.size !== short;
    b.call(wide ? name : name + "16", [memory(b, mem, wide ? full : short, write)]);
  });
