// worker/cpu/insn/system.ts — NOP, fences, CLD/STD, CPUID, RDTSC, XGETBV, fs and gs bases.  SDM Vol. 2.

import type { Definitions } from "./define.ts";
import { insn } from "./define.ts";
import { RAX, RBX, RCX, RDX, ST_DF, ST_FS_BASE, ST_GS_BASE } from "../state.ts";
import { EXIT_GP } from "../exit.ts";

export const system: Definitions = [];

insn(system, ["nop", "fnop", "endbr64", "endbr32", "pause", "prefetcht0", "prefetcht1", "prefetcht2", "prefetchnta", "prefetchw", "prefetch", "prefetchwt1", "reservednop",
  "rdsspd", "rdsspq", // there is no shadow stack: glibc asks
  "prefetchit0", "prefetchit1", "cldemote", // as all hints: nothing where they are not known
  "lfence", "sfence", "mfence"], () => {});

insn(system, ["clflush", "clflushopt", "clwb"], (b, line) => b.check(b.address(line), 1, false));

insn(system, "cld", (b) => b.setState(ST_DF, b.i32(0)));
insn(system, "std", (b) => b.setState(ST_DF, b.i32(1)));

insn(system, "cpuid", (b) => {
  b.call("cpuid", [b.reg(RAX, 4), b.reg(RCX, 4)]);
  b.setReg(RAX, 4, b.ret(0, "i32"));
  b.setReg(RBX, 4, b.ret(1, "i32"));
  b.setReg(RCX, 4, b.ret(2, "i32"));
  b.setReg(RDX, 4, b.ret(3, "i32"));
});

insn(system, ["rdtsc", "rdtscp"], (b) => {
  b.call("rdtsc");
  const t = b.ret(0, "i64");
  b.setReg(RAX, 4, b.trunc(t));
  b.setReg(RDX, 4, b.trunc(b.shr(t, b.i64(32))));
  if (b.form.name === "rdtscp") b.setReg(RCX, 4, b.i32(0)); // CPU 0, node 0
});

insn(system, "rdpid", (b, dst) => b.write(dst, b.imm(0, dst.size)));

insn(system, "xgetbv", (b) => {
  b.trapIf(b.reg(RCX, 4), EXIT_GP);
  b.setReg(RAX, 4, b.i32(7)); // x87, SSE, AVX
  b.setReg(RDX, 4, b.i32(0));
});

for (const [seg, offset] of [["fs", ST_FS_BASE], ["gs", ST_GS_BASE]] as const) {
  insn(system, `rd${seg}base`, (b, dst) => b.write(dst, b.fit(dst.size, b.getState(offset, "i64"))));
  insn(system, `wr${seg}base`, (b, src) => {
    const v = b.zext(b.read(src));
    // non-canonical
    b.trapIf(b.cmp("ne", v, b.sar(b.shl(v, b.i64(16)), b.i64(16))), EXIT_GP);
    b.setState(offset, v);
  });
}
