// worker/cpu/vectors/program.ts — random programs in Intel syntax: what a seed means in `npm run proof`
//
// rbx, rbp and rsp always point into the data page; r15 counts loops; rsi and rdi are set before each use. Where the manual
// leaves flags undefined a comparison follows, so that nothing undefined is ever looked at (AF apart, which nothing here reads).

import { Random } from "./generate.ts";
import { DATA } from "./state.ts";

const NAMES: Record<number, string[]> = {
  8: ["rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14"],
  4: ["eax", "ecx", "edx", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d"],
  2: ["ax", "cx", "dx", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w"],
  1: ["al", "cl", "dl", "ah", "ch", "dh", "al", "cl", "dl", "al"],
};
const EXTRA_BYTE = ["r8b", "r9b", "r10b", "r11b"];
const PTR: Record<number, string> = { 1: "byte", 2: "word", 4: "dword", 8: "qword", 10: "tbyte", 16: "xmmword" };
const CC = "o|no|b|ae|e|ne|be|a|s|ns|p|np|l|ge|le|g".split("|");

const SSE_PS = "addps|subps|mulps|divps|minps|maxps|sqrtps|andps|andnps|orps|xorps|unpcklps|unpckhps|addsubps|haddps|hsubps|movaps|movsldup|movshdup|addpd|subpd|mulpd|divpd|minpd|maxpd|sqrtpd|andpd|xorpd|unpcklpd|unpckhpd|haddpd|cvtdq2ps|cvttps2dq|cvtps2dq|cvtpd2ps|cvttpd2dq".split("|");
const SSE_SS = "addss|subss|mulss|divss|minss|maxss|sqrtss|cvtss2sd|ucomiss|comiss".split("|");
const SSE_SD = "addsd|subsd|mulsd|divsd|minsd|maxsd|sqrtsd|cvtsd2ss|ucomisd|comisd|addsd|mulsd".split("|");
const SSE_I = "paddb|paddw|paddd|paddq|paddsb|paddusw|psubb|psubw|psubd|psubq|psubusb|pmullw|pmulhw|pmulhuw|pmuludq|pmaddwd|pavgb|psadbw|pminub|pmaxsw|pcmpeqb|pcmpeqd|pcmpgtw|pand|pandn|por|pxor|packsswb|packuswb|punpcklbw|punpckhwd|punpckldq|psllw|psrld|psrlq|psraw|pshufb|phaddw|phsubd|pmaddubsw|pmulhrsw|psignb|pabsd|pmuldq|pmulld|pminsd|pmaxud|packusdw|pcmpeqq|pcmpgtq|movdqa".split("|");
const MMX = "paddb|paddw|paddd|paddq|psubb|pmullw|pmaddwd|pand|pxor|pcmpeqb|punpckhbw|psllw|psrlq|pshufb|movq".split("|");
const VEX3 = "addps|subps|mulps|minps|maxps|addpd|mulpd|divpd|andps|xorps|unpcklps|haddpd|paddb|paddd|psubq|pmullw|pmuludq|pmaddwd|pand|pxor|pcmpeqb|pcmpgtd|punpcklbw|packuswb|pshufb|psignw|pmaxsd|psllvd|psrlvq".split("|");
const X87 = ["fld1", "fldz", "fldpi", "fadd st, st(1)", "faddp", "fmul st, st(2)", "fmulp", "fsubp", "fsub st(1), st", "fdivp", "fdivr st, st(1)", "fxch st(2)", "fchs", "fabs", "fsqrt", "frndint", "fstp st(1)", "fld st(0)", "fcomi st, st(1)", "fucomip st, st(1)", "fnstsw ax", "fscale", "fcmovb st, st(1)"];

/** Where a hot program counts its rounds: nothing else in it goes there. */
const ROUNDS = DATA + 0xf80;

/** Makes the program of a seed: lines of assembly. Labels are local to it if `prefix` is. All of it is done `rounds` times. */
export function makeProgram(seed: number, length: number, prefix: string, rounds = 1): string[] {
  const r = new Random("program", seed);
  const out: string[] = [];
  const tail: string[] = [];
  let labels = 0;
  const label = (): string => `${prefix}_${labels++}`;
  /** Mostly one kind of instruction to a program. */
  const flavour = r.below(6);

  const reg = (size: number): string => (size === 1 && r.below(3) === 0 ? r.pick(EXTRA_BYTE) : r.pick(NAMES[size]!));
  const displacement = (size: number): number => (size >= 10 ? (r.below(32) - 16) * 16 : r.below(400) - 200);
  const mem = (size: number, align = size): string => {
    let at: string;
    const d = displacement(align);
    switch (r.below(align >= 10 ? 3 : 6)) {
      case 0: case 1: at = `[rbx${d < 0 ? d : `+${d}`}]`; break;
      case 2: at = `[rbp${d < 0 ? d : `+${d}`}]`; break;
      case 3: at = `[${DATA + 0x800 + d}]`; break;
      case 4: at = `[rsp+${Math.abs(d)}]`; break;
      default:
        out.push(`and r12d, ${r.below(32)}`);
        at = `[${r.pick(["rbx", "rbp"])}+r12*${r.pick([1, 2, 4, 8])}${d < 0 ? d : `+${d}`}]`;
    }
    return `${PTR[size]} ptr ${at}`;
  };
  const rm = (size: number): string => (r.below(3) ? reg(size) : mem(size));
  const imm = (size: number): string => String(r.below(3) ? r.below(256) - 128 : (r.next() | 0) >> (size === 1 ? 24 : size === 2 ? 16 : 0));
  const size = (): number => r.pick([1, 2, 4, 4, 4, 8, 8]);
  const define = (): void => void out.push(`cmp ${r.pick(NAMES[4]!)}, ${r.pick(NAMES[4]!)}`);
  const xmm = (): string => `xmm${r.below(16)}`;
  const xm = (bytes: number): string => (r.below(3) ? xmm() : mem(bytes, bytes === 16 ? 16 : bytes));
  // A high byte register does not go with a register that needs REX.
  const legal = (line: string): boolean => !/\b[acd]h\b/.test(line) || !(/\br(8|9|1[0-5])/.test(line) || /\br[abcds][xip]/.test(line.replace(/\[.*\]/, "")));
  const emit = (make: () => string): void => {
    for (;;) {
      const keep = out.length;
      const line = make();
      if (legal(line)) {
        out.push(line);
        return;
      }
      out.length = keep;
    }
  };

  const integer = (): void => {
    const s = size();
    switch (r.below(27)) {
      case 0: case 1: case 2: case 3: return emit(() => `${r.pick(["add", "adc", "sub", "sbb", "and", "or", "xor", "cmp"])} ${reg(s)}, ${rm(s)}`);
      case 4: return emit(() => `${r.pick(["add", "adc", "sub", "sbb", "and", "or", "xor", "cmp"])} ${mem(s)}, ${reg(s)}`);
      case 5: case 6: return emit(() => `${r.pick(["add", "adc", "sub", "sbb", "and", "or", "xor", "cmp", "test"])} ${rm(s)}, ${imm(s)}`);
      case 7: return emit(() => `${r.pick(["inc", "dec", "neg", "not"])} ${rm(s)}`);
      case 8: case 9: return emit(() => `mov ${r.below(2) ? `${reg(s)}, ${rm(s)}` : `${mem(s)}, ${reg(s)}`}`);
      case 10: return emit(() => `mov ${reg(s)}, ${imm(s)}`);
      case 11: {
        emit(() => `${r.pick(["shl", "shr", "sar", "rol", "ror", "rcl", "rcr"])} ${rm(s)}, ${r.pick(["cl", "1", String(r.below(64))])}`);
        return define();
      }
      case 12: {
        const w = r.pick([4, 8]);
        emit(() => `${r.pick(["shld", "shrd"])} ${rm(w)}, ${reg(w)}, ${r.pick(["cl", String(r.below(32))])}`);
        return define();
      }
      case 13: {
        emit(() => `${r.pick(["mul", "imul"])} ${rm(s)}`);
        return define();
      }
      case 14: {
        const w = Math.max(s, 2);
        emit(() => (r.below(2) ? `imul ${reg(w)}, ${rm(w)}` : `imul ${reg(w)}, ${rm(w)}, ${r.below(256) - 128}`));
        return define();
      }
      case 15: {
        const w = r.pick([4, 8]);
        out.push(w === 4 ? "mov edx, 0" : "mov edx, 5", `or r11, 16`);
        out.push(`${r.pick(["div", "idiv"])} ${w === 4 ? "r11d" : "r11"}`);
        return define();
      }
      case 16: return emit(() => `${r.pick(["movzx", "movsx"])} ${reg(r.pick([4, 8]))}, ${rm(r.pick([1, 2]))}`);
      case 17: return emit(() => `cmov${r.pick(CC)} ${reg(Math.max(s, 4))}, ${rm(Math.max(s, 4))}`);
      case 18: return emit(() => `set${r.pick(CC)} ${rm(1)}`);
      case 19: {
        const w = r.pick([2, 4, 8]);
        if (r.below(2)) emit(() => `${r.pick(["bt", "bts", "btr", "btc"])} ${reg(w)}, ${r.below(2) ? reg(w) : String(r.below(64))}`);
        else emit(() => `${r.pick(["bsf", "bsr", "popcnt", "tzcnt", "lzcnt"])} ${reg(w)}, ${rm(w)}`);
        return define();
      }
      case 20: return emit(() => `xchg ${reg(s)}, ${reg(s)}`);
      case 21: return emit(() => `lea ${reg(Math.max(s, 4))}, [${r.pick(NAMES[8]!)}+${r.pick(NAMES[8]!)}*${r.pick([1, 2, 4, 8])}${r.below(2) ? "+" : "-"}${r.below(0x10000)}]`);
      case 22: {
        if (r.below(2)) out.push(`push ${r.pick(NAMES[8]!)}`, `pop ${r.pick(NAMES[8]!)}`);
        else out.push(r.pick([`push ${r.below(1000) - 500}`, `push qword ptr [rbx+${r.below(64)}]`, "pushfq; and dword ptr [rsp], 0x8c5"]), r.pick([`pop ${r.pick(NAMES[8]!)}`, `pop qword ptr [rbx+${r.below(64)}]`]));
        return;
      }
      case 23: return emit(() => `${r.pick(["cmpxchg", "xadd"])} ${rm(s)}, ${reg(s)}`);
      case 24: return void out.push(r.pick(["cbw", "cwde", "cdqe", "cwd", "cdq", "cqo", "clc", "stc", "cmc", "bswap ecx", "bswap r9", "movsxd rdx, ecx"]));
      case 25: {
        emit(() => `${r.pick(["andn", "bzhi", "bextr"])} ${r.pick(["r8d, r9d, ecx", "r10, r11, rdx"])}`);
        return define();
      }
      default: {
        out.push(`lea rsi, [rbx+${r.below(64)}]`, `lea rdi, [rbp+${r.below(64)}]`, `mov ecx, ${r.below(8)}`);
        out.push(r.pick(["", "rep "]) + r.pick(["movsb", "movsw", "movsd", "movsq", "stosb", "stosd", "stosq", "lodsb"]));
        if (r.below(2)) out.push(`mov ecx, ${1 + r.below(8)}`, r.pick(["repe cmpsb", "repne scasb", "repe cmpsd"]));
      }
    }
  };
  const vector = (): void => {
    switch (r.below(10)) {
      case 0: case 1: return emit(() => `${r.pick(SSE_PS)} ${xmm()}, ${xm(16)}`);
      case 2: return emit(() => `${r.pick(SSE_SS)} ${xmm()}, ${xm(4)}`.replace(/(cvtsd2ss.*)dword/, "$1qword"));
      case 3: case 4: return emit(() => `${r.pick(SSE_SD)} ${xmm()}, ${xm(8)}`);
      case 5: case 6: return emit(() => `${r.pick(SSE_I)} ${xmm()}, ${xm(16)}`);
      case 7: return emit(() => r.pick([`movups ${xmm()}, ${mem(16, 8)}`, `movdqu ${mem(16, 8)}, ${xmm()}`, `movaps ${mem(16)}, ${xmm()}`, `movsd ${xmm()}, ${mem(8)}`, `movss ${mem(4)}, ${xmm()}`, `movq ${xmm()}, ${reg(8)}`, `movd ${reg(4)}, ${xmm()}`, `movhps ${xmm()}, ${mem(8)}`]));
      case 8: return emit(() => r.pick([`pshufd ${xmm()}, ${xm(16)}, ${r.below(256)}`, `shufps ${xmm()}, ${xm(16)}, ${r.below(256)}`, `palignr ${xmm()}, ${xm(16)}, ${r.below(20)}`, `psrldq ${xmm()}, ${r.below(18)}`, `pslld ${xmm()}, ${r.below(40)}`, `psraw ${xmm()}, ${r.below(20)}`, `cmpsd ${xmm()}, ${xmm()}, ${r.below(8)}`, `cmpps ${xmm()}, ${xmm()}, ${r.below(8)}`, `roundsd ${xmm()}, ${xmm()}, ${r.below(12)}`, `pblendw ${xmm()}, ${xmm()}, ${r.below(256)}`]));
      default: return emit(() => r.pick([`cvtsi2sd ${xmm()}, ${reg(r.pick([4, 8]))}`, `cvtsi2ss ${xmm()}, ${reg(r.pick([4, 8]))}`, `cvttsd2si ${reg(r.pick([4, 8]))}, ${xmm()}`, `cvtss2si ${reg(r.pick([4, 8]))}, ${xmm()}`, `pmovmskb ${reg(4)}, ${xmm()}`, `movmskpd ${reg(4)}, ${xmm()}`]));
    }
  };
  const x87 = (): void => {
    switch (r.below(6)) {
      case 0: return emit(() => `fld ${mem(r.pick([4, 8]))}`);
      case 1: return emit(() => `fld ${mem(10)}`);
      case 2: return emit(() => `fstp ${mem(r.pick([4, 8, 10]))}`);
      case 3: return emit(() => `${r.pick(["fild", "fistp", "fisttp"])} ${mem(r.pick([2, 4, 8]))}`);
      default: return void out.push(r.pick(X87));
    }
  };
  const mmx = (): void => {
    const m = `mm${r.below(8)}`;
    emit(() => (r.below(6) === 0 ? r.pick(["emms", `movd ${m}, ${reg(4)}`, `movq ${reg(8)}, ${m}`, `movq ${mem(8)}, ${m}`]) : `${r.pick(MMX)} ${m}, ${r.below(3) ? `mm${r.below(8)}` : mem(8)}`));
  };
  const avx = (): void => {
    const w = r.below(2) ? "x" : "y", bytes = w === "y" ? 32 : 16;
    const v = (n = w): string => `${n}mm${r.below(16)}`;
    const m = (): string => (r.below(3) ? v() : mem(16, 8).replace("xmmword", bytes === 32 ? "ymmword" : "xmmword"));
    switch (r.below(6)) {
      case 0: return emit(() => `v${r.pick(VEX3)} ${v()}, ${v()}, ${m()}`);
      case 1: return emit(() => `v${r.pick(VEX3)} ${v()}, ${v()}, ${v()}`);
      case 2: return emit(() => `v${r.pick(["addsd", "mulsd", "subsd", "divsd", "maxsd"])} ${v("x")}, ${v("x")}, ${r.below(2) ? v("x") : mem(8)}`);
      case 3: return emit(() => r.pick([`vmovups ${v()}, ${m()}`, `vmovdqu ${m()}, ${v()}`, `vpermq ${v("y")}, ${v("y")}, ${r.below(256)}`, `vextracti128 ${v("x")}, ${v("y")}, ${r.below(2)}`, `vinsertf128 ${v("y")}, ${v("y")}, ${v("x")}, ${r.below(2)}`, `vpbroadcastd ${v()}, ${v("x")}`, "vzeroupper", `vpsrldq ${v()}, ${v()}, ${r.below(18)}`]));
      case 4: return emit(() => `vf${r.pick(["m", "nm"])}${r.pick(["add", "sub"])}${r.pick(["132", "213", "231"])}${r.pick(["ps", "pd"])} ${v()}, ${v()}, ${v()}`);
      default: return vector();
    }
  };
  const plain = (): void => {
    const k = r.below(8);
    if (flavour === 5) return k < 6 ? avx() : integer();
    if (flavour === 0 || (flavour < 4 && k < 4)) integer();
    else if (flavour === 1 || flavour === 4) vector();
    else if (flavour === 2) (k < 6 ? x87 : mmx)();
    else r.pick([integer, vector, integer, x87, mmx])();
  };
  const some = (n: number): void => {
    for (let i = 0; i < n; i++) plain();
  };

  if (rounds > 1) out.push(`mov dword ptr [${ROUNDS}], ${rounds}`, `${prefix}_again:`);
  out.push("mov r15d, 1");
  while (out.length < length) {
    switch (r.below(10)) {
      case 0: {
        const l = label();
        out.push(`j${r.pick(CC)} ${l}`);
        some(1 + r.below(4));
        out.push(`${l}:`);
        break;
      }
      case 1: {
        // Only the innermost loop counts in r15, so loops do not nest.
        const l = label(), skip = label();
        out.push(`mov r15d, ${1 + r.below(r.below(8) ? 6 : 60)}`, `${l}:`);
        some(1 + r.below(6));
        out.push(`j${r.pick(CC)} ${skip}`);
        some(1 + r.below(3));
        out.push(`${skip}:`, "dec r15d", `jnz ${l}`);
        break;
      }
      case 2: {
        const f = label();
        const here = out.splice(0);
        out.push(`${f}:`);
        some(1 + r.below(4));
        tail.push(...out.splice(0), "ret");
        out.push(...here, r.pick([`call ${f}`, `lea r14, [rip+${f}]; call r14`, `lea r14, [rip+${f}]; mov [rbx+256], r14; call [rbx+256]`]));
        break;
      }
      case 3: {
        if (rounds > 1 && r.below(6) > 0) break; // rarely: code that changes all the time is not compiled for long
        // Changes an immediate of code that lies ahead, or around a loop behind.
        const l = label(), patch = label();
        out.push(`mov r15d, ${1 + r.below(4)}`, `${l}:`);
        const ahead = r.below(2) === 0;
        const store = `add byte ptr [rip+${patch}+${3 + r.below(4)}], ${r.below(256) - 128}`;
        if (ahead) out.push(store);
        some(r.below(3));
        out.push(`${patch}: add r10d, ${0x10000000 + r.below(0x10000000)}`); // 41 81 c2 imm32: the immediate begins at 3
        if (!ahead) out.push(store);
        some(r.below(2));
        out.push("dec r15d", `jnz ${l}`);
        break;
      }
      default: plain();
    }
  }
  if (rounds > 1) out.push(`dec dword ptr [${ROUNDS}]`, `jnz ${prefix}_again`);
  return [...out, "int3", ...tail];
}
