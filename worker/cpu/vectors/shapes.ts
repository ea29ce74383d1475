// worker/cpu/vectors/shapes.ts — which instructions are recorded, in Intel syntax, a group per vector file
//
// `a|b` in a line stands for both; %N stands for a register or memory operand of N bits as listed in OPERANDS. The
// pointers in every initial state: rbx, rbp, rsi, rdi, rsp (see generate.ts); rcx is a count where a group says so.

export interface Group {
  name: string;
  /** What operands look like: i integers, s f32, d f64, x 80-bit; "string": rcx small; "bits": rcx and r9 bit offsets. */
  kind: "i" | "s" | "d" | "x" | "string" | "bits" | "mmx";
  seeds: number;
  /** The upper halves of ymm registers are set and compared. */
  avx?: boolean;
  lines: string[];
}

const ALU_FORMS = [
  "cl, r9b", "ah, dl", "dh, ch", "al, 0x7f", "r10b, -128", "byte ptr [rbx], cl", "byte ptr [rbx], dh", "r8b, byte ptr [rbx+1]", "byte ptr [rbx], 0x80",
  "cx, r9w", "ax, 0x7fff", "dx, -3", "word ptr [rbx], cx", "r8w, word ptr [rbx+1]", "word ptr [rbx], 0x1234", "word ptr [rbx+2], -1",
  "ecx, r9d", "eax, 0x7fffffff", "edx, -3", "r11d, 0x12345678", "dword ptr [rbx], ecx", "r8d, dword ptr [rbx+1]", "dword ptr [rbx], 0x12345678", "dword ptr [rbx+2], 5", "edx, edx",
  "rcx, r9", "rax, -0x80000000", "rdx, -3", "r11, 0x12345678", "qword ptr [rbx], rcx", "r8, qword ptr [rbx+1]", "qword ptr [rbx], 0x12345678", "qword ptr [rbx+2], 5", "rdx, rdx",
];

const UNARY = ["cl", "ah", "r9b", "byte ptr [rbx]", "cx", "word ptr [rbx]", "r9d", "ecx", "dword ptr [rbx+3]", "rcx", "r10", "qword ptr [rbx+5]"];
const RM_WIDE = ["cx, r9w", "r8w, word ptr [rbx]", "ecx, r9d", "r8d, dword ptr [rbx+3]", "rcx, r9", "r8, qword ptr [rbx+5]"];
const SHIFTED = ["dl", "ah", "r9b", "byte ptr [rbx]", "dx", "word ptr [rbx]", "edx", "r9d", "dword ptr [rbx+3]", "rdx", "r9", "qword ptr [rbx+5]"];
const CC = "o|no|b|ae|e|ne|be|a|s|ns|p|np|l|ge|le|g".split("|");

const cross = (names: string, forms: readonly string[]): string[] => names.split("|").flatMap((n) => forms.map((f) => `${n} ${f}`));
/** xmm forms: register, aligned memory. */
const X = (names: string, mem = "xmmword"): string[] => names.split("|").flatMap((n) => [`${n} xmm1, xmm2`, `${n} xmm3, ${mem} ptr [rbx]`]);
const X9 = (names: string, mem = "xmmword"): string[] => [...X(names, mem), ...names.split("|").map((n) => `${n} xmm9, xmm14`)];
const XI = (names: string, imms: number[], mem = "xmmword"): string[] =>
  names.split("|").flatMap((n) => imms.flatMap((i, k) => (k % 3 === 2 ? [`${n} xmm3, ${mem} ptr [rbx], ${i}`] : [`${n} xmm1, xmm2, ${i}`])));

const FCMP = "eq|lt|le|unord|neq|nlt|nle|ord".split("|");

/** Three operands, both widths. */
const V = (names: string): string[] => names.split("|").flatMap((n) => [`${n} xmm1, xmm2, xmm3`, `${n} xmm1, xmm2, xmmword ptr [rbx+1]`, `${n} ymm1, ymm2, ymm3`, `${n} ymm3, ymm9, ymmword ptr [rbx]`]);
const FMA = ["fmadd", "fmsub", "fnmadd", "fnmsub", "fmaddsub", "fmsubadd"];

export const GROUPS: Group[] = [
  {
    name: "int_arith", kind: "i", seeds: 8,
    lines: [
      ...cross("add|adc|sub|sbb|cmp", ALU_FORMS), ...cross("inc|dec|neg", UNARY), ...cross("mul|imul", UNARY),
      ...cross("imul", RM_WIDE), "imul cx, r9w, 0x1234", "imul ecx, r9d, -7", "imul rcx, r9, 0x12345678", "imul r8d, dword ptr [rbx], 0x77777", "imul r8, qword ptr [rbx], -2",
      ...cross("xadd", ["cl, r9b", "cx, r9w", "ecx, r9d", "rcx, r9", "byte ptr [rbx], dl", "word ptr [rbx], dx", "dword ptr [rbx], edx", "qword ptr [rbx], rdx", "rcx, rcx", "ecx, ecx"]),
      ...cross("cmpxchg", ["cl, r9b", "cx, r9w", "ecx, r9d", "rcx, r9", "byte ptr [rbx], dl", "word ptr [rbx], dx", "dword ptr [rbx], edx", "qword ptr [rbx], rdx"]),
      ...cross("lock add|lock xor|lock sub", ["dword ptr [rbx], ecx", "qword ptr [rbx], rcx"]), "lock inc dword ptr [rbx]", "lock xadd qword ptr [rbx], rcx", "lock cmpxchg dword ptr [rbx], r9d",
      "cmpxchg8b [rbx]", "cmpxchg16b [rbx]", "lock cmpxchg16b [rbx]", ...cross("adcx|adox", ["ecx, r9d", "rcx, r9", "rcx, qword ptr [rbx]"]),
      "cbw", "cwde", "cdqe", "cwd", "cdq", "cqo", "clc", "stc", "cmc", "lahf", "sahf", "cld", "std",
      ".byte 0xf0, 0x01, 0xc1", // lock on a register: #UD
    ],
  },
  {
    name: "int_div", kind: "i", seeds: 24,
    lines: [...cross("div|idiv", UNARY), "mov ah, 0; div cl", "xor edx, edx; div r9d", "cdq; idiv ecx", "cqo; idiv r9", "xor edx, edx; div qword ptr [rbx]", "cwd; idiv cx", "cbw; idiv r9b"],
  },
  {
    name: "int_logic", kind: "i", seeds: 8,
    lines: [
      ...cross("and|or|xor", ALU_FORMS), ...cross("test", ["cl, r9b", "al, 0x7f", "byte ptr [rbx], 0x80", "ah, dl", "cx, r9w", "ax, 0x1234", "ecx, r9d", "edx, edx", "r9d, 0x1000", "dword ptr [rbx], ecx", "rcx, r9", "rax, 0x1000", "qword ptr [rbx], -1"]),
      ...cross("not", UNARY), ...cross("andn", ["ecx, r9d, edx", "rcx, r9, rdx", "rcx, r9, qword ptr [rbx]"]),
    ],
  },
  {
    name: "int_shift", kind: "i", seeds: 10,
    lines: [
      ...cross("shl|shr|sar|rol|ror|rcl|rcr", SHIFTED.flatMap((f) => [`${f}, cl`, `${f}, 1`, `${f}, 7`])),
      ...cross("shl|shr|sar|rol|ror|rcl|rcr", ["edx, 31", "edx, 0", "edx, 33", "rdx, 63", "rdx, 33", "dx, 16", "dx, 17", "dl, 9", "dl, 8"]),
      ...cross("shld|shrd", ["dx, r9w, 5", "edx, r9d, cl", "edx, r9d, 1", "edx, r9d, 31", "rdx, r9, cl", "rdx, r9, 33", "dword ptr [rbx], r9d, cl", "qword ptr [rbx], r9, 7", "word ptr [rbx], r9w, 3"]),
      ...cross("shlx|shrx|sarx", ["ecx, r9d, edx", "rcx, r9, rdx", "rcx, qword ptr [rbx], rdx"]), "rorx ecx, r9d, 5", "rorx rcx, r9, 45", "rorx rcx, qword ptr [rbx], 7",
    ],
  },
  {
    name: "int_bits", kind: "bits", seeds: 10,
    lines: [
      ...cross("bt|bts|btr|btc", ["dx, r9w", "edx, r9d", "rdx, r9", "dx, 5", "edx, 31", "rdx, 63", "edx, 40", "word ptr [rbx], cx", "dword ptr [rbx], ecx", "qword ptr [rbx], rcx", "dword ptr [rbx], 7", "qword ptr [rbx], 45", "word ptr [rbx], 77"]),
      ...cross("bsf|bsr|tzcnt|lzcnt|popcnt", RM_WIDE), ...cross("blsi|blsr|blsmsk", ["ecx, r9d", "rcx, r9", "rcx, qword ptr [rbx]"]),
      ...cross("bextr|bzhi", ["ecx, r9d, edx", "rcx, r9, rdx", "rcx, qword ptr [rbx], rdx"]), ...cross("pdep|pext", ["ecx, r9d, edx", "rcx, r9, rdx", "rcx, r9, qword ptr [rbx]"]),
      "mulx ecx, r9d, r10d", "mulx rcx, r9, r10", "mulx rcx, r9, qword ptr [rbx]", "mulx rcx, rcx, r10",
      "bswap ecx", "bswap r9", ...cross("movbe", ["cx, word ptr [rbx]", "ecx, dword ptr [rbx]", "rcx, qword ptr [rbx]", "word ptr [rbx], cx", "dword ptr [rbx], ecx", "qword ptr [rbx], rcx"]),
      ...cross("crc32", ["ecx, r9b", "ecx, r9w", "ecx, r9d", "rcx, r9b", "rcx, r9", "ecx, byte ptr [rbx]", "rcx, qword ptr [rbx]"]),
      ...CC.flatMap((c) => [`set${c} cl`, `set${c} byte ptr [rbx]`, `cmov${c} ecx, r9d`, `cmov${c} rcx, qword ptr [rbx]`, `cmov${c} cx, r9w`]), "sete ah", "setne r9b", "cmove ecx, dword ptr [rbx]",
    ],
  },
  {
    name: "int_move", kind: "i", seeds: 3,
    lines: [
      ...cross("mov", ["cl, r9b", "ah, dl", "dl, ch", "cl, 0x80", "ah, 5", "cx, r9w", "cx, 0x8000", "ecx, r9d", "ecx, 0x80000000", "rcx, r9", "rcx, -5", "byte ptr [rbx], dh", "byte ptr [rbx], 7", "word ptr [rbx], cx", "word ptr [rbx], 0x1234",
        "dword ptr [rbx], ecx", "dword ptr [rbx], -2", "qword ptr [rbx], r9", "qword ptr [rbx], -2", "r8b, byte ptr [rbx]", "ch, byte ptr [rbx]", "r8w, word ptr [rbx+1]", "r8d, dword ptr [rbx+1]", "r8, qword ptr [rbx+1]"]),
      "movabs rcx, 0x123456789abcdef0", "movabs al, ds:0x1100804", "movabs eax, ds:0x1100804", "movabs ds:0x1100804, rax", "movabs ds:0x1100804, ax",
      ...cross("movzx|movsx", ["cx, r9b", "ecx, r9b", "rcx, r9b", "ecx, ah", "ecx, r9w", "rcx, r9w", "r8d, byte ptr [rbx]", "r8, byte ptr [rbx]", "r8d, word ptr [rbx]", "r8, word ptr [rbx]"]), "movsxd rcx, r9d", "movsxd rcx, dword ptr [rbx]",
      ...cross("xchg", ["cl, r9b", "ah, dl", "cx, r9w", "ecx, r9d", "rcx, r9", "byte ptr [rbx], dl", "word ptr [rbx], dx", "dword ptr [rbx], edx", "qword ptr [rbx], rdx", "eax, ecx", "rax, rcx", "ax, cx"]), "nop", ".byte 0x90", "pause", "nop dword ptr [rax+rax]",
      ...cross("lea", ["cx, [rbx+r9*2+5]", "ecx, [rbx+r9*4-5]", "rcx, [rbx+r9*8+0x12345678]", "rcx, [r9+r9]", "rcx, [rsp+8]", "rcx, [rbp]", "rcx, [r13+r12]", "rcx, [rip+0x100]", "ecx, [r9d+r10d*4+3]", "rcx, [r9d+r10d*4+3]", "rcx, [r9*4]", "rcx, [0x1234]"]),
      "push rcx", "push r9", "push 5", "push -129", "push word ptr [rbx]", "push qword ptr [rbx]", "push rsp", "push cx", "pop rcx", "pop r9", "pop qword ptr [rbx]", "pop rsp", "pop cx", "pop qword ptr [rsp+8]", "pushfq; and dword ptr [rsp], 0xcd5", "and qword ptr [rsp], 0xcd5; popfq", "pushfw; and word ptr [rsp], 0xcd5", "and qword ptr [rsp], 0xcd5; popfw", "leave",
      "enter 16, 0", "enter 32, 1", "enter 8, 3", "mov ecx, dword ptr gs:[8]", "mov qword ptr gs:[16], rcx", "mov r8, qword ptr [rsp+8]", "mov r8d, dword ptr [ebx+4]", "mov r8d, dword ptr [0x1100810]",
      "movnti dword ptr [rbx], ecx", "movnti qword ptr [rbx], rcx", "lfence", "mfence", "sfence", "prefetcht0 [rbx]", "xlatb", "cpuid; mov ecx, 1; xor eax, eax; xor ebx, ebx; xor edx, edx; xor ecx, ecx", "clflush [rbx]",
    ],
  },
  {
    name: "more", kind: "bits", seeds: 4,
    lines: [
      ...CC.flatMap((c) => [`cmov${c} rcx, r9`, `cmov${c} r9d, dword ptr [rbx]`, `cmov${c} dx, word ptr [rbx]`]), "test dword ptr [rbx], 0x12345678", "test byte ptr [rbx], cl", "test word ptr [rbx], 0x1234", "test qword ptr [rbx], rdx", "test word ptr [rbx], dx",
      "movsxd rcx, dword ptr [rbx]", ".byte 0x63, 0xca", ".byte 0x48, 0x63, 0xca", "movsx dx, byte ptr [rbx]", "imul dx, word ptr [rbx], 0x1234", "shld dword ptr [rbx], r9d, 5",
      ".byte 0xd1, 0xf1", ".byte 0xc1, 0xf1, 0x05", ".byte 0xd3, 0xf2", ".byte 0x48, 0xd3, 0xf2", ".byte 0xc0, 0xf1, 0x03", ".byte 0xd2, 0x33", ".byte 0xc1, 0x33, 0x05", // sal
      "mov ecx, ds", "mov rcx, es", "mov word ptr [rbx], ds", "mov word ptr [rbx], cs", "nop word ptr [rax+rax]", ".byte 0xf3, 0x48, 0x0f, 0x1e, 0xc8", ".byte 0x0f, 0x19, 0xc1", ".byte 0x0f, 0x0d, 0x0b", "endbr64", "prefetchw [rbx]", "prefetchnta [rbx]",
      "push fs; mov word ptr [rsp], 0; pop rcx", "mov ecx, 2; repne stosd", "loop 1f; nop; 1: nop",
      "lea rcx, [rip+1f]; jmp rcx; 1: nop", "xor eax, eax; bsf ecx, eax", "xor eax, eax; bsr rcx, rax", "xor eax, eax; tzcnt ecx, eax", "xor eax, eax; lzcnt rcx, rax", "popcnt cx, word ptr [rbx]", ".byte 0xf3, 0x90", ".byte 0x66, 0x90", ".byte 0x66, 0x66, 0x48, 0x01, 0xd1",
    ],
  },
  {
    name: "x87_env", kind: "x", seeds: 12,
    lines: [
      "fnstenv [rbx]; mov qword ptr [rbx+12], 0; mov qword ptr [rbx+20], 0", "fnstenv [rbx]; fninit; fldenv [rbx]; mov qword ptr [rbx+12], 0; mov qword ptr [rbx+20], 0", "fnsave [rbx]; mov qword ptr [rbx+12], 0; mov qword ptr [rbx+20], 0", "fnsave [rbx]; mov dword ptr [rbx+12], 0; mov qword ptr [rbx+16], 0; mov dword ptr [rbx+24], 0; frstor [rbx]",
      "ffreep st(1)", ".byte 0xdd, 0xc8", ".byte 0xd9, 0xd8", "fld tbyte ptr [rbx]; fstp tbyte ptr [rbx+16]", "fldz; fldz; fdivp; fstp qword ptr [rbx]", "fld1; fldpi; fadd; fstp qword ptr [rbx]", "fild qword ptr [rbx]; fistp qword ptr [rbx+8]", "fld qword ptr [rbx]; fistp dword ptr [rbx+8]; fwait",
    ],
  },
  {
    name: "int_flow", kind: "i", seeds: 4,
    lines: [
      ...CC.map((c) => `j${c} 1f; mov ecx, 1; 1: mov edx, 2`), "jmp 1f; ud2; 1: nop", "jrcxz 1f; mov edx, 1; 1: nop", "jecxz 1f; mov edx, 1; 1: nop", "mov ecx, 3; 1: add edx, 5; loop 1b", "mov ecx, 5; cmp ecx, 5; 1: inc edx; loope 1b", "mov ecx, 5; 1: cmp ecx, 2; loopne 1b",
      "call 1f; ud2; 1: pop rcx", "lea rcx, [rip+1f]; call rcx; 1: pop rdx", "lea rcx, [rip+1f]; jmp rcx; ud2; 1: nop", "lea rcx, [rip+1f]; push rcx; ret; ud2; 1: nop", "lea rcx, [rip+1f]; push rcx; ret 16; ud2; 1: nop",
      "lea rcx, [rip+1f]; mov [rbx], rcx; jmp qword ptr [rbx]; ud2; 1: nop", "lea rcx, [rip+1f]; mov [rbx+8], rcx; call qword ptr [rbx+8]; ud2; 1: nop", "call 1f; jmp 2f; 1: inc edx; ret; 2: nop",
    ],
  },
  {
    name: "fault", kind: "i", seeds: 1,
    lines: [
      "ud2", "mov eax, dword ptr [0x10]", "mov dword ptr [0xff0], eax", "mov eax, dword ptr [rbx+0x7fffffff]", "xor ecx, ecx; mov al, byte ptr [rcx]", "xor ecx, ecx; mov byte ptr [rcx+8], al", "xor ecx, ecx; div ecx", "mov eax, 0x80000000; cdq; mov ecx, -1; idiv ecx",
      "movabs rcx, 0x8000000000000000; mov eax, dword ptr [rcx]", "movabs rcx, 0x7fffffffff000000; mov eax, dword ptr [rcx]", "movabs rcx, 0x7fffffffff000000; add qword ptr [rcx], 1", "xor esp, esp; push rax", "mov esp, 0x10; pop rax", "mov ecx, 0x7f000000; call rcx", "xor ecx, ecx; jmp qword ptr [rcx]",
      "movaps xmm0, xmmword ptr [rbx+8]", "movaps xmmword ptr [rbx+1], xmm0", "paddd xmm0, xmmword ptr [rbx+4]", "movups xmm0, xmmword ptr [rbx+4]", "lddqu xmm0, xmmword ptr [rbx+4]", "movntdq xmmword ptr [rbx+8], xmm1", "fxsave [rbx+8]", "hlt", "cli", "in al, dx", "int3",
      "mov ecx, 3; xor esi, esi; rep movsb", "xor edi, edi; mov ecx, 3; rep stosb", "rdmsr", "wrmsr", "lgdt [rbx]", "invlpg [rbx]", ".byte 0x06", ".byte 0x0f, 0x04", ".byte 0x0f, 0xff, 0xc0", 
      "movabs rcx, 0x8000000000000000; movaps xmm0, [rcx]", "movabs rcx, 0x8000000000000000; jmp rcx", "movabs rcx, 0x7fff000000000000; call rcx", "movabs rcx, 0x1234567800000000; push rcx; ret", "movabs rcx, 0xffff800000000000; jmp rcx", "movabs rcx, 0x8000000000000000; mov [rbx], rcx; jmp qword ptr [rbx]", "cmpxchg16b [rbx+8]", "fld dword ptr [0x20]", "movq mm0, qword ptr [0x20]", "ldmxcsr dword ptr [0x30]", "mov dword ptr [rbx], 0xffffffff; ldmxcsr [rbx]", "mov dword ptr [rbx], 0x1f00; ldmxcsr [rbx]; xorps xmm0, xmm0; divss xmm0, xmm0",
      "mov dword ptr [rbx], 0; fldcw [rbx]; fldz; fldz; fdivp; fwait; nop", "mov dword ptr [rbx], 0; fldcw [rbx]; fldz; fldz; fdivp; fnstsw ax; fld1",
    ],
  },
  {
    name: "string", kind: "string", seeds: 6,
    lines: ["", "rep "].flatMap((r) => ["b", "w", "d", "q"].flatMap((s) => ["movs", "stos", "lods"].map((m) => `${r}${m}${s}`)))
      .concat(["", "repe ", "repne "].flatMap((r) => ["b", "w", "d", "q"].flatMap((s) => ["cmps", "scas"].map((m) => `${r}${m}${s}`))), ["lea rdi, [rsi+1]; rep movsb", "lea rdi, [rsi+4]; rep movsq", "addr32 rep movsb", "addr32 lodsd", "addr32 repne scasb"]),
  },
  {
    name: "sse_float_ss", kind: "s", seeds: 60,
    lines: [
      ...X9("addss|subss|mulss|divss|sqrtss|minss|maxss|ucomiss|comiss", "dword"), ...X("addps|subps|mulps|divps|sqrtps|minps|maxps"),
      ...FCMP.flatMap((c) => [`cmp${c}ss xmm1, xmm2`, `cmp${c}ps xmm1, xmm2`]), "cmpltss xmm3, dword ptr [rbx]", "cmpeqps xmm3, xmmword ptr [rbx]",
      ...X("cvtss2sd", "dword"), ...X("cvtps2pd", "qword"), ...X("cvtps2dq|cvttps2dq"), ...cross("cvtss2si|cvttss2si", ["ecx, xmm1", "rcx, xmm1", "ecx, dword ptr [rbx]", "rcx, dword ptr [rbx]"]),
      ...X("addsubps|haddps|hsubps"), ...XI("roundss", [0, 1, 2, 3, 4, 8, 12, 11], "dword"), ...XI("roundps", [0, 1, 2, 3, 4, 8, 12]), ...XI("dpps", [0xff, 0x71, 0x3a]),
    ],
  },
  {
    name: "sse_float_sd", kind: "d", seeds: 60,
    lines: [
      ...X9("addsd|subsd|mulsd|divsd|sqrtsd|minsd|maxsd|ucomisd|comisd", "qword"), ...X("addpd|subpd|mulpd|divpd|sqrtpd|minpd|maxpd"),
      ...FCMP.flatMap((c) => [`cmp${c}sd xmm1, xmm2`, `cmp${c}pd xmm1, xmm2`]), "cmpltsd xmm3, qword ptr [rbx]", "cmpeqpd xmm3, xmmword ptr [rbx]",
      ...X("cvtsd2ss", "qword"), ...X("cvtpd2ps|cvtpd2dq|cvttpd2dq"), ...cross("cvtsd2si|cvttsd2si", ["ecx, xmm1", "rcx, xmm1", "ecx, qword ptr [rbx]", "rcx, qword ptr [rbx]"]),
      ...X("addsubpd|haddpd|hsubpd"), ...XI("roundsd", [0, 1, 2, 3, 4, 8, 12, 11], "qword"), ...XI("roundpd", [0, 1, 2, 3, 4, 8, 12]), ...XI("dppd", [0x33, 0x31, 0x12]),
    ],
  },
  {
    name: "sse_convert", kind: "i", seeds: 24,
    lines: [
      ...cross("cvtsi2ss|cvtsi2sd", ["xmm1, ecx", "xmm1, rcx", "xmm9, dword ptr [rbx]", "xmm1, qword ptr [rbx]"]), ...X("cvtdq2ps"), ...X("cvtdq2pd", "qword"), ...cross("cvtpi2ps|cvtpi2pd", ["xmm1, mm2", "xmm1, qword ptr [rbx]"]),
      "stmxcsr [rbx]", "mov dword ptr [rbx], 0x5fbf; ldmxcsr [rbx]",
    ],
  },
  { name: "sse_cvt_mmx", kind: "s", seeds: 30, lines: [...cross("cvtps2pi|cvttps2pi", ["mm1, xmm2", "mm1, qword ptr [rbx]"]), ...cross("cvtpd2pi|cvttpd2pi", ["mm1, xmm2", "mm1, xmmword ptr [rbx]"])] },
  {
    name: "sse_move", kind: "i", seeds: 4,
    lines: [
      ...X("movaps|movapd|movdqa|movups|movupd|movdqu"), ...cross("movaps|movapd|movdqa|movups|movupd|movdqu|movntps|movntpd|movntdq", ["xmmword ptr [rbx], xmm9"]), "movups xmm1, xmmword ptr [rbx+3]", "movdqu xmmword ptr [rbx+5], xmm1", "movntdqa xmm1, xmmword ptr [rbx]",
      "movss xmm1, xmm2", "movss xmm1, dword ptr [rbx+1]", "movss dword ptr [rbx+1], xmm9", "movsd xmm1, xmm2", "movsd xmm1, qword ptr [rbx+1]", "movsd qword ptr [rbx+1], xmm9",
      "movd xmm1, ecx", "movq xmm1, rcx", "movd ecx, xmm1", "movq rcx, xmm1", "movd xmm1, dword ptr [rbx]", "movd dword ptr [rbx], xmm1", "movq xmm1, xmm2", "movq xmm9, qword ptr [rbx+1]", "movq qword ptr [rbx+1], xmm9",
      ...cross("movlps|movlpd|movhps|movhpd", ["xmm1, qword ptr [rbx+1]", "qword ptr [rbx+1], xmm9"]), "movhlps xmm1, xmm2", "movlhps xmm1, xmm2", "movmskps ecx, xmm1", "movmskpd ecx, xmm1", "pmovmskb ecx, xmm9",
      ...X("unpcklps|unpckhps|unpcklpd|unpckhpd|movddup|movsldup|movshdup".replace("movddup|", "")), ...X("movddup", "qword"), ...XI("shufps|shufpd|pshufd|pshuflw|pshufhw", [0x1b, 0x4e, 0xd9, 0xff]), "shufps xmm1, xmm1, 0x39", "shufpd xmm1, xmm1, 1",
      "maskmovdqu xmm1, xmm2", "movdq2q mm1, xmm2", "movq2dq xmm1, mm2", "maskmovq mm1, mm2", "movntq qword ptr [rbx], mm1", "fxsave [rbx]; mov dword ptr [rbx+8], 0; mov dword ptr [rbx+12], 0; mov dword ptr [rbx+16], 0; mov dword ptr [rbx+20], 0; mov dword ptr [rbx+28], 0", "fxsave [rbx]; pxor xmm1, xmm1; fldz; fxrstor [rbx]; xor eax, eax; mov [rbx+8], rax; mov [rbx+16], rax; mov [rbx+28], eax",
      ...X("andps|andnps|orps|xorps|andpd|andnpd|orpd|xorpd"), "lddqu xmm1, xmmword ptr [rbx+1]", ...XI("blendps|blendpd|pblendw", [0x5, 0xa, 0x93]), ...X("blendvps|blendvpd|pblendvb"), ...XI("insertps", [0x1b, 0xe4], "dword"), "insertps xmm1, dword ptr [rbx], 0x50",
      "extractps ecx, xmm1, 2", "extractps dword ptr [rbx], xmm1, 1", "pextrb ecx, xmm1, 9", "pextrb byte ptr [rbx], xmm1, 3", "pextrw ecx, xmm1, 5", "pextrw word ptr [rbx], xmm1, 5", "pextrd ecx, xmm1, 3", "pextrq rcx, xmm1, 1", "pextrd dword ptr [rbx], xmm1, 2", "pextrq qword ptr [rbx], xmm1, 0",
      "pinsrb xmm1, ecx, 7", "pinsrb xmm1, byte ptr [rbx], 15", "pinsrw xmm1, ecx, 3", "pinsrw xmm1, word ptr [rbx], 6", "pinsrd xmm1, ecx, 2", "pinsrq xmm1, rcx, 1", "pinsrd xmm1, dword ptr [rbx], 1", "pinsrq xmm1, qword ptr [rbx], 0",
    ],
  },
  {
    name: "sse_int", kind: "i", seeds: 6,
    lines: [
      ...X("paddb|paddw|paddd|paddq|paddsb|paddsw|paddusb|paddusw|psubb|psubw|psubd|psubq|psubsb|psubsw|psubusb|psubusw|pmullw|pmulhw|pmulhuw|pmuludq|pmaddwd|pavgb|pavgw|psadbw|pminub|pmaxub|pminsw|pmaxsw"),
      ...X("pcmpeqb|pcmpeqw|pcmpeqd|pcmpgtb|pcmpgtw|pcmpgtd|pand|pandn|por|pxor|packsswb|packssdw|packuswb|punpcklbw|punpcklwd|punpckldq|punpcklqdq|punpckhbw|punpckhwd|punpckhdq|punpckhqdq"), "pxor xmm1, xmm1", "pcmpeqd xmm1, xmm1", "psubb xmm9, xmm14",
      ...X("psllw|pslld|psllq|psrlw|psrld|psrlq|psraw|psrad"), ...cross("psllw|psrlw|psraw", ["xmm1, 3", "xmm1, 15", "xmm1, 16", "xmm1, 255"]), ...cross("pslld|psrld|psrad", ["xmm1, 3", "xmm1, 31", "xmm1, 32", "xmm1, 0"]), ...cross("psllq|psrlq", ["xmm1, 3", "xmm1, 63", "xmm1, 64"]), ...cross("pslldq|psrldq", ["xmm1, 0", "xmm1, 3", "xmm1, 8", "xmm1, 15", "xmm1, 16"]),
      "mov ecx, 5; movd xmm2, ecx; psllw xmm1, xmm2; psrlq xmm3, xmm2; psrad xmm4, xmm2",
      ...X("pshufb|phaddw|phaddd|phaddsw|phsubw|phsubd|phsubsw|pmaddubsw|pmulhrsw|psignb|psignw|psignd|pabsb|pabsw|pabsd"), ...XI("palignr", [0, 3, 5, 16, 20, 33]),
      ...X("pmuldq|pmulld|pminsb|pmaxsb|pminuw|pmaxuw|pminud|pmaxud|pminsd|pmaxsd|packusdw|pcmpeqq|pcmpgtq|ptest|phminposuw"), ...X("pmovsxbw|pmovsxwd|pmovsxdq|pmovzxbw|pmovzxwd|pmovzxdq", "qword"), ...X("pmovsxbd|pmovsxwq|pmovzxbd|pmovzxwq", "dword"), ...X("pmovsxbq|pmovzxbq", "word"), ...XI("mpsadbw", [0, 1, 5, 7]),
    ],
  },
  {
    name: "sse_string", kind: "string", seeds: 6,
    lines: XI("pcmpistri|pcmpistrm|pcmpestri|pcmpestrm", [0x00, 0x02, 0x04, 0x08, 0x0c, 0x0e, 0x12, 0x18, 0x1a, 0x24, 0x38, 0x3a, 0x40, 0x44, 0x4c, 0x58, 0x71, 0x7e]),
  },
  {
    name: "mmx", kind: "mmx", seeds: 5,
    lines: [
      ..."paddb|paddw|paddd|paddq|paddsb|paddsw|paddusb|paddusw|psubb|psubw|psubd|psubq|psubsb|psubsw|psubusb|psubusw|pmullw|pmulhw|pmulhuw|pmuludq|pmaddwd|pavgb|pavgw|psadbw|pminub|pmaxub|pminsw|pmaxsw|pcmpeqb|pcmpeqw|pcmpeqd|pcmpgtb|pcmpgtw|pcmpgtd|pand|pandn|por|pxor|packsswb|packssdw|packuswb|punpckhbw|punpckhwd|punpckhdq|psllw|pslld|psllq|psrlw|psrld|psrlq|psraw|psrad|pshufb|phaddw|phaddd|phaddsw|phsubw|phsubd|phsubsw|pmaddubsw|pmulhrsw|psignb|psignw|psignd|pabsb|pabsw|pabsd"
        .split("|").flatMap((n) => [`${n} mm1, mm2`, `${n} mm3, qword ptr [rbx]`]),
      ...cross("punpcklbw|punpcklwd|punpckldq", ["mm1, mm2", "mm3, dword ptr [rbx]"]), ...cross("psllw|psrlw|psraw|pslld|psrld|psrad|psllq|psrlq", ["mm1, 3", "mm1, 16", "mm1, 64"]),
      "movd mm1, ecx", "movd ecx, mm1", "movq mm1, rcx", "movq rcx, mm1", "movq mm1, mm2", "movq mm1, qword ptr [rbx]", "movq qword ptr [rbx], mm1", "movd mm1, dword ptr [rbx]", "movd dword ptr [rbx], mm1", "pmovmskb ecx, mm1", "pshufw mm1, mm2, 0x1b", "pinsrw mm1, ecx, 2", "pextrw ecx, mm1, 3", "palignr mm1, mm2, 3", "palignr mm1, mm2, 11", "emms",
    ],
  },
  {
    name: "crypto", kind: "i", seeds: 6,
    lines: [
      ...X("aesenc|aesenclast|aesdec|aesdeclast|aesimc|sha1nexte|sha1msg1|sha1msg2|sha256msg1|sha256msg2|sha256rnds2"), ...XI("aeskeygenassist", [0, 1, 0x36]), ...XI("pclmulqdq", [0, 1, 0x10, 0x11]), ...XI("sha1rnds4", [0, 1, 2, 3]),
    ],
  },
  {
    name: "x87_arith", kind: "x", seeds: 100,
    lines: [
      ...cross("fadd|fsub|fsubr|fmul|fdiv|fdivr", ["st, st(1)", "st(2), st", "dword ptr [rbx]", "qword ptr [rbx]"]), ...cross("faddp|fsubp|fsubrp|fmulp|fdivp|fdivrp", ["st(1), st", "st(3), st"]), ...cross("fiadd|fisub|fisubr|fimul|fidiv|fidivr", ["word ptr [rbx]", "dword ptr [rbx]"]),
      "fsqrt", "frndint", "fscale", "fxtract", "fprem", "fprem1", "fabs", "fchs",
    ],
  },
  { name: "x87_trans", kind: "x", seeds: 16, lines: ["f2xm1", "fyl2x", "fyl2xp1", "fpatan", "fsin", "fcos", "fsincos", "fptan"] },
  {
    name: "x87_move", kind: "x", seeds: 40,
    lines: [
      ...cross("fld", ["st(0)", "st(3)", "dword ptr [rbx]", "qword ptr [rbx]", "tbyte ptr [rbx]"]), ...cross("fst", ["st(2)", "dword ptr [rbx]", "qword ptr [rbx]"]), ...cross("fstp", ["st(0)", "st(1)", "st(3)", "dword ptr [rbx]", "qword ptr [rbx]", "tbyte ptr [rbx]"]),
      ...cross("fild", ["word ptr [rbx]", "dword ptr [rbx]", "qword ptr [rbx]"]), ...cross("fist", ["word ptr [rbx]", "dword ptr [rbx]"]), ...cross("fistp|fisttp", ["word ptr [rbx]", "dword ptr [rbx]", "qword ptr [rbx]"]), "fbld tbyte ptr [rbx]", "fbstp tbyte ptr [rbx]",
      "fld1", "fldz", "fldpi", "fldl2e", "fldl2t", "fldlg2", "fldln2", "fxch st(1)", "fxch st(3)", "ffree st(1)", "fincstp", "fdecstp", "fnop", "fwait", "fninit", "fnclex", "fnstcw [rbx]", "fldcw [rbx]", "fnstsw ax", "fnstsw [rbx]",
      ...cross("fcmovb|fcmove|fcmovbe|fcmovu|fcmovnb|fcmovne|fcmovnbe|fcmovnu", ["st, st(2)"]),
    ],
  },
  {
    name: "x87_compare", kind: "x", seeds: 60,
    lines: [...cross("fcom|fcomp|fucom|fucomp", ["st(1)", "st(3)"]), ...cross("fcom|fcomp", ["dword ptr [rbx]", "qword ptr [rbx]"]), ...cross("ficom|ficomp", ["word ptr [rbx]", "dword ptr [rbx]"]), "fcompp", "fucompp", ...cross("fcomi|fcomip|fucomi|fucomip", ["st, st(1)", "st, st(3)"]), "ftst", "fxam"],
  },
  {
    name: "avx_int", kind: "i", seeds: 3, avx: true,
    lines: [
      ...V("vpaddb|vpaddw|vpaddd|vpaddq|vpaddsb|vpaddsw|vpaddusb|vpaddusw|vpsubb|vpsubw|vpsubd|vpsubq|vpsubsb|vpsubsw|vpsubusb|vpsubusw|vpmullw|vpmulhw|vpmulhuw|vpmuludq|vpmaddwd|vpavgb|vpavgw|vpsadbw|vpminub|vpmaxub|vpminsw|vpmaxsw|vpcmpeqb|vpcmpeqw|vpcmpeqd|vpcmpgtb|vpcmpgtw|vpcmpgtd|vpand|vpandn|vpor|vpxor|vpacksswb|vpackssdw|vpackuswb|vpackusdw|vpunpcklbw|vpunpcklwd|vpunpckldq|vpunpcklqdq|vpunpckhbw|vpunpckhwd|vpunpckhdq|vpunpckhqdq|vpshufb|vphaddw|vphaddd|vphaddsw|vphsubw|vphsubd|vphsubsw|vpmaddubsw|vpmulhrsw|vpsignb|vpsignw|vpsignd|vpmuldq|vpmulld|vpminsb|vpmaxsb|vpminuw|vpmaxuw|vpminud|vpmaxud|vpminsd|vpmaxsd|vpcmpeqq|vpcmpgtq|vpsllvd|vpsrlvd|vpsravd|vpsllvq|vpsrlvq|vandps|vandpd|vandnpd|vorps|vorpd|vxorps|vxorpd|vunpcklps|vunpckhps|vunpcklpd|vunpckhpd|vpermilps|vpermilpd"),
      ..."vpsllw|vpslld|vpsllq|vpsrlw|vpsrld|vpsrlq|vpsraw|vpsrad".split("|").flatMap((n) => [`${n} xmm1, xmm2, xmm3`, `${n} ymm1, ymm2, xmm3`, `${n} ymm1, ymm2, 5`, `${n} xmm1, xmm2, 77`, `${n} ymm1, ymm2, xmmword ptr [rbx+1]`, `mov ecx, 3; vmovd xmm3, ecx; ${n} ymm1, ymm2, xmm3`]),
      ..."vpslldq|vpsrldq".split("|").flatMap((n) => [`${n} ymm1, ymm2, 3`, `${n} xmm1, xmm2, 9`]),
      ..."vpabsb|vpabsw|vpabsd|vmovaps|vmovdqa|vmovups|vmovdqu|vmovsldup|vmovshdup|vmovddup".split("|").flatMap((n) => [`${n} ymm1, ymm2`, `${n} xmm1, xmm2`, `${n} ymm9, ymmword ptr [rbx]`]),
      ..."vmovups|vmovdqu|vmovaps|vmovntps|vmovntdq".split("|").flatMap((n) => [`${n} ymmword ptr [rbx], ymm2`, `${n} xmmword ptr [rbx], xmm2`]), "vmovups ymmword ptr [rbx+3], ymm2", "vmovaps ymmword ptr [rbx+16], ymm2", "vmovaps ymm1, ymmword ptr [rbx+16]", "vpaddd ymm1, ymm2, ymmword ptr [rbx+1]", "vlddqu ymm1, ymmword ptr [rbx+1]",
      "vmovss xmm1, xmm2, xmm3", "vmovsd xmm1, xmm2, xmm3", "vmovss xmm1, dword ptr [rbx]", "vmovsd xmm1, qword ptr [rbx]", "vmovss dword ptr [rbx], xmm1", "vmovsd qword ptr [rbx], xmm1", "vmovd xmm1, ecx", "vmovq xmm1, rcx", "vmovd ecx, xmm1", "vmovq rcx, xmm1", "vmovq xmm1, xmm2", "vmovq xmm1, qword ptr [rbx]", "vmovq qword ptr [rbx], xmm1",
      "vmovlps xmm1, xmm2, qword ptr [rbx]", "vmovhps xmm1, xmm2, qword ptr [rbx]", "vmovhpd qword ptr [rbx], xmm1", "vmovlpd qword ptr [rbx], xmm1", "vmovhlps xmm1, xmm2, xmm3", "vmovlhps xmm1, xmm2, xmm3", "vmovmskps ecx, ymm1", "vmovmskpd ecx, ymm1", "vpmovmskb ecx, ymm1", "vpmovmskb ecx, xmm1",
      "vbroadcastss ymm1, xmm2", "vbroadcastss xmm1, dword ptr [rbx]", "vbroadcastsd ymm1, xmm2", "vbroadcastf128 ymm1, xmmword ptr [rbx]", "vbroadcasti128 ymm1, xmmword ptr [rbx]", "vpbroadcastb ymm1, xmm2", "vpbroadcastw xmm1, word ptr [rbx]", "vpbroadcastd ymm1, xmm2", "vpbroadcastq ymm1, qword ptr [rbx]",
      ...[0, 1].flatMap((i) => [`vinsertf128 ymm1, ymm2, xmm3, ${i}`, `vinserti128 ymm1, ymm2, xmmword ptr [rbx], ${i}`, `vextractf128 xmm1, ymm2, ${i}`, `vextracti128 xmmword ptr [rbx], ymm2, ${i}`]), ...[0x20, 0x31, 0x02, 0x13, 0x80, 0x08, 0x1b].flatMap((i) => [`vperm2f128 ymm1, ymm2, ymm3, ${i}`, `vperm2i128 ymm1, ymm2, ymmword ptr [rbx], ${i}`]),
      ...[0x1b, 0xe4, 0x4e, 0x93].flatMap((i) => [`vpermq ymm1, ymm2, ${i}`, `vpermpd ymm1, ymmword ptr [rbx], ${i}`, `vpermilps ymm1, ymm2, ${i}`, `vpermilpd ymm1, ymm2, ${i & 15}`, `vpshufd ymm1, ymm2, ${i}`, `vpshuflw ymm1, ymm2, ${i}`, `vpshufhw xmm1, xmm2, ${i}`, `vshufps ymm1, ymm2, ymm3, ${i}`, `vshufpd ymm1, ymm2, ymm3, ${i & 3}`, `vblendps ymm1, ymm2, ymm3, ${i & 15}`, `vpblendw ymm1, ymm2, ymm3, ${i}`, `vpblendd ymm1, ymm2, ymmword ptr [rbx], ${i}`, `vpalignr ymm1, ymm2, ymm3, ${i & 31}`, `vmpsadbw ymm1, ymm2, ymm3, ${i & 63}`]),
      "vpermd ymm1, ymm2, ymm3", "vpermps ymm1, ymm2, ymmword ptr [rbx]", "vblendvps ymm1, ymm2, ymm3, ymm4", "vblendvpd xmm1, xmm2, xmm3, xmm4", "vpblendvb ymm1, ymm2, ymmword ptr [rbx], ymm9", "vzeroupper", "vzeroall", "vptest ymm1, ymm2", "vptest xmm1, xmmword ptr [rbx]", "vtestps ymm1, ymm2", "vtestpd xmm1, xmm2",
      "vmaskmovps ymm1, ymm2, ymmword ptr [rbx]", "vmaskmovpd xmmword ptr [rbx], xmm1, xmm2", "vpmaskmovd ymmword ptr [rbx], ymm1, ymm2", "vpmaskmovq ymm1, ymm2, ymmword ptr [rbx]", ..."bw|bd|bq|wd|wq|dq".split("|").flatMap((t) => [`vpmovsx${t} ymm1, xmm2`, `vpmovzx${t} xmm1, xmm2`, `vpmovzx${t} ymm1, [rbx]`]),
      "vpinsrb xmm1, xmm2, ecx, 3", "vpinsrw xmm1, xmm2, ecx, 3", "vpinsrd xmm1, xmm2, dword ptr [rbx], 3", "vpinsrq xmm1, xmm2, rcx, 1", "vpextrb ecx, xmm1, 3", "vpextrw ecx, xmm1, 3", "vpextrd ecx, xmm1, 3", "vpextrq rcx, xmm1, 1", "vextractps ecx, xmm1, 2", "vinsertps xmm1, xmm2, xmm3, 0x1b", "vphminposuw xmm1, xmm2", "vaesenc xmm1, xmm2, xmm3", "vaesimc xmm1, xmm2", "vaesdec xmm1, xmm2, xmm3", "vaesenclast xmm1, xmm2, xmm3", "vaesdeclast xmm1, xmm2, xmmword ptr [rbx]", "vmovapd xmm1, xmm2", "vmovapd xmm1, xmmword ptr [rbx]", "vmovups xmm1, xmmword ptr [rbx+1]", "vmovdqu xmm1, xmmword ptr [rbx+1]", "vmovdqa xmm1, xmmword ptr [rbx]", "vmovdqa xmmword ptr [rbx], xmm1", "vmovdqa ymmword ptr [rbx], ymm1", "vmovd xmm1, dword ptr [rbx]", "vmovd dword ptr [rbx], xmm1", "vpalignr xmm1, xmm2, xmm3, 5", "vpshufd xmm1, xmm2, 27", "vpshufd xmm1, xmmword ptr [rbx], 27", "vpermilpd xmm1, xmm2, 1", "vpblendd ymm1, ymm2, ymm3, 0x5a", "vinserti128 ymm1, ymm2, xmm3, 1", "vextracti128 xmm1, ymm2, 1", "vperm2i128 ymm1, ymm2, ymm3, 0x21", "vpbroadcastq ymm1, xmm2", "vpbroadcastd ymm1, dword ptr [rbx]", "vpbroadcastb xmm1, xmm2", "vextractps dword ptr [rbx], xmm1, 1", "vpclmulqdq xmm1, xmm2, xmm3, 1", "vaeskeygenassist xmm1, xmm2, 1",
      "vpxor xmm2, xmm2, xmm2; vpcmpeqd ymm3, ymm3, ymm3; vpgatherdd ymm1, [rbx+ymm2*4], ymm3", "mov ecx, 5; vmovd xmm2, ecx; vpgatherdq ymm1, [rbx+xmm2*8], ymm3", "mov ecx, 7; vmovd xmm2, ecx; vpgatherqd xmm1, [rbx+ymm2*4+8], xmm3", "mov ecx, 7; vmovd xmm2, ecx; vgatherqpd xmm1, [rbx+xmm2*2], xmm3", "vpgatherdd xmm1, [rbx+xmm1*4], xmm3",
      "paddd xmm1, xmm2", "pxor xmm1, xmm1", "vstmxcsr [rbx]", "vmovntdqa ymm1, ymmword ptr [rbx]", "vpcmpistri xmm1, xmm2, 0x18", "vpcmpistrm xmm1, xmm2, 0x18",
    ],
  },
  {
    name: "avx_ps", kind: "s", seeds: 8, avx: true,
    lines: [
      ...V("vaddps|vsubps|vmulps|vdivps|vminps|vmaxps|vaddsubps|vhaddps|vhsubps"), ..."vaddss|vsubss|vmulss|vdivss|vminss|vmaxss|vsqrtss".split("|").flatMap((n) => [`${n} xmm1, xmm2, xmm3`, `${n} xmm1, xmm2, dword ptr [rbx]`]), "vsqrtps ymm1, ymm2", "vsqrtps xmm1, xmm2", "vroundps ymm1, ymm2, 1", "vroundss xmm1, xmm2, xmm3, 4",
      ...Array.from({ length: 32 }, (_, i) => `vcmpps ymm1, ymm2, ymm3, ${i}`), ...Array.from({ length: 32 }, (_, i) => `vcmpss xmm1, xmm2, xmm3, ${i}`), "vucomiss xmm1, xmm2", "vcomiss xmm1, dword ptr [rbx]", "vcvtss2sd xmm1, xmm2, xmm3", "vcvtps2pd ymm1, xmm2", "vcvtps2pd xmm1, xmm2", "vcvtps2dq ymm1, ymm2", "vcvttps2dq ymm1, ymm2", "vcvttss2si rcx, xmm1", "vcvtsi2ss xmm1, xmm2, rcx", "vcvtdq2ps ymm1, ymm2", "vdpps ymm1, ymm2, ymm3, 0xf1", "vcvtps2ph xmm1, ymm2, 0", "vcvtps2ph qword ptr [rbx], xmm2, 4", "vcvtph2ps ymm1, xmm2", "vcvtph2ps xmm1, qword ptr [rbx]",
      ...FMA.flatMap((n) => ["132", "213", "231"].flatMap((o) => [`v${n}${o}ps ymm1, ymm2, ymm3`, ...(n.length > 7 ? [] : [`v${n}${o}ss xmm1, xmm2, dword ptr [rbx]`, `v${n}${o}ss xmm1, xmm2, xmm3`])])),
    ],
  },
  {
    name: "avx_pd", kind: "d", seeds: 8, avx: true,
    lines: [
      ...V("vaddpd|vsubpd|vmulpd|vdivpd|vminpd|vmaxpd|vaddsubpd|vhaddpd|vhsubpd"), ..."vaddsd|vsubsd|vmulsd|vdivsd|vminsd|vmaxsd|vsqrtsd".split("|").flatMap((n) => [`${n} xmm1, xmm2, xmm3`, `${n} xmm1, xmm2, qword ptr [rbx]`]), "vsqrtpd ymm1, ymm2", "vroundpd ymm1, ymm2, 2", "vroundsd xmm1, xmm2, xmm3, 4",
      ...[0, 1, 3, 8, 12, 17, 29].flatMap((i) => [`vcmppd ymm1, ymm2, ymm3, ${i}`, `vcmpsd xmm1, xmm2, xmm3, ${i}`]), "vucomisd xmm1, xmm2", "vcomisd xmm1, xmm2", "vucomisd xmm1, qword ptr [rbx]", "vcvttsd2si ecx, xmm1", "vcomisd xmm1, qword ptr [rbx]", "vcvtsd2ss xmm1, xmm2, xmm3", "vcvtpd2ps xmm1, ymm2", "vcvtpd2ps xmm1, xmm2", "vcvtpd2dq xmm1, ymm2", "vcvttpd2dq xmm1, ymmword ptr [rbx]", "vcvttsd2si rcx, xmm1", "vcvtsi2sd xmm1, xmm2, ecx", "vcvtdq2pd ymm1, xmm2", "vdppd xmm1, xmm2, xmm3, 0x31",
      ...FMA.flatMap((n) => ["132", "213", "231"].flatMap((o) => [`v${n}${o}pd ymm1, ymm2, ymm3`, ...(n.length > 7 ? [] : [`v${n}${o}sd xmm1, xmm2, qword ptr [rbx]`, `v${n}${o}sd xmm1, xmm2, xmm3`])])),
    ],
  },
  {
    // shapes of real binaries that none of the groups above has: see scripts/coverage.ts
    name: "avx_rest", kind: "i", seeds: 3, avx: true,
    lines: [
      ...V("vaesenc|vaesenclast|vaesdec|vaesdeclast|vandnps|vmovhlps|vmovlhps".split("|").slice(0, 5).join("|")), ...["xmm1, xmm2, xmmword ptr [rbx]", "ymm1, ymm2, ymm3", "ymm1, ymm2, ymmword ptr [rbx]"].flatMap((f) => [0, 0x11].map((i) => `vpclmulqdq ${f}, ${i}`)),
      ...[["b", "byte"], ["w", "word"], ["d", "dword"], ["q", "qword"]].flatMap(([t, m]) => ["xmm1", "ymm1"].flatMap((d) => [`vpbroadcast${t} ${d}, xmm2`, `vpbroadcast${t} ${d}, ${m} ptr [rbx]`])),
      "vbroadcastss xmm1, xmm2", "vbroadcastss ymm1, dword ptr [rbx]", "vbroadcastsd ymm1, qword ptr [rbx]", "mov dword ptr [rbx], 0x3f80; vldmxcsr [rbx]", "mov dword ptr [rbx], 0x10000; vldmxcsr [rbx]",
      ...["sx", "zx"].flatMap((x) => "bw|bd|bq|wd|wq|dq".split("|").flatMap((t) => ["xmm1, xmm2", "xmm1, [rbx]", "ymm1, xmm2", "ymm1, [rbx]"].map((f) => `vpmov${x}${t} ${f}`))),
      ...cross("vmovapd|vmovupd|vmovaps|vmovups|vmovdqa|vmovdqu", ["xmm1, xmm2", "ymm1, ymm2", "xmm1, xmmword ptr [rbx]", "ymm1, ymmword ptr [rbx]", "xmmword ptr [rbx], xmm1", "ymmword ptr [rbx], ymm1"]), ...cross("vmovntps|vmovntpd|vmovntdq", ["xmmword ptr [rbx], xmm1", "ymmword ptr [rbx], ymm1"]),
      "vpermd ymm1, ymm2, ymmword ptr [rbx]", "vpermps ymm1, ymm2, ymm3", "vpermq ymm1, ymmword ptr [rbx], 0x1b", "vpermpd ymm1, ymm2, 0x4b", ...cross("vmovhps|vmovlps|vmovhpd|vmovlpd", ["xmm1, xmm2, qword ptr [rbx]", "qword ptr [rbx], xmm1"]),
      ...["xmm1, xmm2", "xmm1, xmmword ptr [rbx]", "ymm1, ymm2", "ymm1, ymmword ptr [rbx]"].flatMap((f) => [`vpshuflw ${f}, 0x1b`, `vpshufhw ${f}, 0x72`, `vpshufd ${f}, 0x39`, `vptest ${f}`, `vtestps ${f}`, `vtestpd ${f}`, `vpermilps ${f}, 0x1b`, `vpermilpd ${f}, 5`, `vmovddup ${f.replace("xmmword", "qword")}`, `vmovsldup ${f}`, `vmovshdup ${f}`, `vpabsb ${f}`, `vpabsw ${f}`, `vpabsd ${f}`]),
      ...["xmm1, xmm2, xmm3", "xmm1, xmm2, xmmword ptr [rbx]", "ymm1, ymm2, ymm3", "ymm1, ymm2, ymmword ptr [rbx]"].flatMap((f) => [...cross("vpblendvb|vblendvps|vblendvpd", [`${f}, ${f[0]}mm4`]), `vblendps ${f}, 0x6`, `vblendpd ${f}, 0x2`, `vpblendw ${f}, 0x5a`, `vpblendd ${f}, 0x9`, `vshufps ${f}, 0x4b`, `vshufpd ${f}, 0x6`, `vpalignr ${f}, 7`, `vmpsadbw ${f}, 0x2b`]),
      ...[["b", "ecx", "byte"], ["w", "ecx", "word"], ["d", "ecx", "dword"], ["q", "rcx", "qword"]].flatMap(([t, r, m]) => [`vpextr${t} ${r}, xmm1, 1`, `vpextr${t} ${m} ptr [rbx], xmm1, 1`, `vpinsr${t} xmm1, xmm2, ${r}, 1`, `vpinsr${t} xmm1, xmm2, ${m} ptr [rbx], 1`]), "vinsertps xmm1, xmm2, dword ptr [rbx], 0x2a", "vextractps ecx, xmm1, 3", "vextractps dword ptr [rbx], xmm1, 2",
      "vinsertf128 ymm1, ymm2, xmmword ptr [rbx], 1", "vextractf128 xmmword ptr [rbx], ymm2, 1", "vperm2f128 ymm1, ymm2, ymmword ptr [rbx], 0x21", "vperm2i128 ymm1, ymm2, ymmword ptr [rbx], 0x21", ...cross("vmovmskps|vmovmskpd|vpmovmskb", ["ecx, xmm1", "ecx, ymm1", "rcx, xmm1", "rcx, ymm1"]),
      ..."vpsllw|vpslld|vpsllq|vpsrlw|vpsrld|vpsrlq|vpsraw|vpsrad".split("|").flatMap((n) => [`${n} xmm1, xmm2, xmmword ptr [rbx]`, `${n} xmm1, xmm2, 3`, `mov qword ptr [rbx], 5; ${n} ymm1, ymm2, xmmword ptr [rbx]`]),
      ...cross("vpmaskmovd|vpmaskmovq|vmaskmovps|vmaskmovpd", ["xmm1, xmm2, xmmword ptr [rbx]", "ymm1, ymm2, ymmword ptr [rbx]", "xmmword ptr [rbx], xmm1, xmm2", "ymmword ptr [rbx], ymm1, ymm2"]),
      ...["vpgatherdd ymm1, [rbx+ymm2*4], ymm3", "vgatherdps ymm1, [rbx+ymm2*4], ymm3", "vgatherdps xmm1, [rbx+xmm2*4], xmm3", "vpgatherdd xmm1, [rbx+xmm2*2], xmm3", "vgatherdpd ymm1, [rbx+xmm2*8], ymm3", "vgatherdpd xmm1, [rbx+xmm2*8], xmm3", "vpgatherdq xmm1, [rbx+xmm2*8], xmm3", "vpgatherdq ymm1, [rbx+xmm2], ymm3",
        "vgatherqps xmm1, [rbx+xmm2*4], xmm3", "vgatherqps xmm1, [rbx+ymm2*4], xmm3", "vpgatherqd xmm1, [rbx+xmm2*4], xmm3", "vgatherqpd ymm1, [rbx+ymm2*8], ymm3", "vpgatherqq ymm1, [rbx+ymm2*8-8], ymm3", "vpgatherqq xmm1, [rbx+xmm2*8], xmm3"].map((g) => `mov ecx, 0x04030201; vmovd xmm2, ecx; vpmovzxb${/q[dqp]/.test(g.split(" ")[0]!.slice(5)) && !/gatherd/.test(g) ? "q" : "d"} ymm2, xmm2; ${g}`),
      "vpcmpistri xmm1, xmmword ptr [rbx], 0x0c", "vpcmpistrm xmm1, xmmword ptr [rbx], 0x4c", "mov eax, 5; mov edx, 7; vpcmpestri xmm1, xmm2, 0x0c", ...["0x61", "0x60"].flatMap((op) => ["0xca", "0x0b"].map((rm) => `movabs rax, 0x100000005; mov edx, 7; .byte 0xc4, 0xe3, 0xf9, ${op}, ${rm}, 0x0c`)), "mov eax, 5; mov edx, 7; vpcmpestrm xmm1, xmmword ptr [rbx], 0x0c",
      "palignr mm1, qword ptr [rbx], 3", "pshufw mm1, qword ptr [rbx], 0x1b", "pinsrw mm1, word ptr [rbx], 2", "pextrw rcx, xmm1, 3", "movmskps rcx, xmm1", "movmskpd rcx, xmm1", "pmovmskb rcx, xmm1", "vmovq xmm1, xmm2", "vlddqu xmm1, xmmword ptr [rbx+1]", "vmovntdqa xmm1, xmmword ptr [rbx]", "vphminposuw xmm1, xmmword ptr [rbx]", "vaesimc xmm1, xmmword ptr [rbx]", "vaeskeygenassist xmm1, xmmword ptr [rbx], 3",
    ],
  },
  {
    name: "avx_ps_rest", kind: "s", seeds: 6, avx: true,
    lines: [
      ...["xmm1, xmm2", "xmm1, xmmword ptr [rbx]", "ymm1, ymm2", "ymm1, ymmword ptr [rbx]"].flatMap((f) => [...cross("vcvtdq2ps|vcvtps2dq|vcvttps2dq|vsqrtps|vrcpps|vrsqrtps", [f]), `vroundps ${f}, 2`]), ...cross("vcvtss2si|vcvttss2si", ["ecx, xmm1", "rcx, xmm1", "ecx, dword ptr [rbx]", "rcx, dword ptr [rbx]"]), ...cross("vcvtsi2ss", ["xmm1, xmm2, ecx", "xmm1, xmm2, rcx", "xmm1, xmm2, dword ptr [rbx]", "xmm1, xmm2, qword ptr [rbx]"]),
      ...["vucomiss", "vcomiss"].flatMap((n) => [`${n} xmm1, xmm2`, `${n} xmm1, dword ptr [rbx]`]), "vcmpps xmm1, xmm2, xmm3, 1", "vcmpps xmm1, xmm2, xmmword ptr [rbx], 13", "vcmpps ymm1, ymm2, ymmword ptr [rbx], 29", "vcmpss xmm1, xmm2, dword ptr [rbx], 6", "vcvtss2sd xmm1, xmm2, dword ptr [rbx]", "vcvtps2pd ymm1, xmmword ptr [rbx]", "vcvtps2pd xmm1, qword ptr [rbx]", "vroundss xmm1, xmm2, dword ptr [rbx], 1", "vdpps xmm1, xmm2, xmmword ptr [rbx], 0x7f", "vcvtps2ph xmmword ptr [rbx], ymm2, 1", "vcvtps2ph xmm1, xmm2, 3", "vcvtph2ps ymm1, xmmword ptr [rbx]", "vcvtph2ps xmm1, xmm2", "vrcpss xmm1, xmm2, xmm3", "vrsqrtss xmm1, xmm2, dword ptr [rbx]",
      ...FMA.flatMap((n) => ["132", "213", "231"].flatMap((o) => [...["xmm1, xmm2, xmm3", "xmm1, xmm2, xmmword ptr [rbx]", "ymm1, ymm2, ymmword ptr [rbx]"].map((f) => `v${n}${o}ps ${f}`)])),
    ],
  },
  {
    name: "avx_pd_rest", kind: "d", seeds: 6, avx: true,
    lines: [
      ...cross("vcvtdq2pd", ["xmm1, xmm2", "ymm1, xmm2", "xmm1, qword ptr [rbx]", "ymm1, xmmword ptr [rbx]"]), ...["xmm1, xmm2", "xmm1, xmmword ptr [rbx]", "ymm1, ymm2", "ymm1, ymmword ptr [rbx]"].flatMap((f) => [`vsqrtpd ${f}`, `vroundpd ${f}, 1`]), ...["xmm1, xmm2", "xmm1, ymm2", "xmm1, xmmword ptr [rbx]", "xmm1, ymmword ptr [rbx]"].flatMap((f) => cross("vcvtpd2dq|vcvttpd2dq|vcvtpd2ps", [f])),
      ...cross("vcvtsd2si|vcvttsd2si", ["ecx, xmm1", "rcx, xmm1", "ecx, qword ptr [rbx]", "rcx, qword ptr [rbx]"]), ...cross("vcvtsi2sd", ["xmm1, xmm2, ecx", "xmm1, xmm2, rcx", "xmm1, xmm2, dword ptr [rbx]", "xmm1, xmm2, qword ptr [rbx]"]),
      "vcmppd xmm1, xmm2, xmm3, 1", "vcmppd xmm1, xmm2, xmmword ptr [rbx], 13", "vcmppd ymm1, ymm2, ymmword ptr [rbx], 29", "vcmpsd xmm1, xmm2, qword ptr [rbx], 6", "vcvtsd2ss xmm1, xmm2, qword ptr [rbx]", "vroundsd xmm1, xmm2, qword ptr [rbx], 1", "vdppd xmm1, xmm2, xmmword ptr [rbx], 0x13", "vucomisd xmm1, xmm2",
      ...FMA.flatMap((n) => ["132", "213", "231"].flatMap((o) => [...["xmm1, xmm2, xmm3", "xmm1, xmm2, xmmword ptr [rbx]", "ymm1, ymm2, ymmword ptr [rbx]"].map((f) => `v${n}${o}pd ${f}`)])),
    ],
  },
  {
    name: "sse_approximate", kind: "s", seeds: 24,
    lines: [...X("rcpps|rsqrtps"), ...X("rcpss|rsqrtss", "dword")],
  },
  {
    name: "rest", kind: "i", seeds: 2,
    lines: [
      ...cross("prefetcht0|prefetcht1|prefetcht2|prefetchnta", ["byte ptr [rbx]"]), "rorx ecx, dword ptr [rbx], 9", ...cross("shlx|shrx|sarx", ["ecx, dword ptr [rbx], edx", "rcx, qword ptr [rbx], rdx"]), "andn ecx, r9d, dword ptr [rbx]", ".byte 0x63, 0x0b", // movsxd ecx, [rbx]
      ".byte 0xc0, 0x33, 0x05", ".byte 0xd3, 0x33", ".byte 0xd2, 0xf1", ".byte 0x48, 0xd3, 0x33", ".byte 0x48, 0xc1, 0x33, 0x05", ".byte 0xd0, 0xf1", // sal
      "mov word ptr [rbx], 0; mov es, word ptr [rbx]", "mov word ptr [rbx], 0x2b; mov ds, word ptr [rbx]", "mov word ptr [rbx], 0x2b; mov ss, word ptr [rbx]", "xor ecx, ecx; mov es, ecx", "xor ecx, ecx; mov ds, rcx", "mov ecx, 0x33; mov es, ecx", "mov ecx, 0x777; mov ds, ecx", "mov rcx, ds", "mov r9, cs", ".byte 0x8e, 0xc9", // mov cs, ecx: #UD
      "rdtsc; xor eax, eax; xor edx, edx", "rdtscp; xor eax, eax; xor edx, edx; xor ecx, ecx", "xor ecx, ecx; xgetbv; and eax, 7", "mov ecx, 99; xgetbv", ".byte 0x66, 0x68, 0x34, 0x12", ".byte 0x0f, 0x19, 0x0b", ".byte 0xdb, 0xe0", ".byte 0xdb, 0xe1", ".byte 0xdb, 0xe4", // pushw; nop; fneni, fndisi, fnsetpm
      "mov ecx, 3; .byte 0xf2, 0xac", "mov ecx, 3; .byte 0xf2, 0xad", "mov ecx, 3; .byte 0xf2, 0xa5", "mov ecx, 3; .byte 0xf2, 0xa4", "mov ecx, 3; .byte 0xf2, 0xaa", // repne before lods, movs, stos
    ],
  },
  {
    name: "privileged", kind: "i", seeds: 1,
    lines: [
      "in al, 5", "in ax, 5", "in eax, 5", "in al, dx", "in ax, dx", "in eax, dx", "out 5, al", "out 5, ax", "out 5, eax", "out dx, al", "out dx, ax", "out dx, eax", ...["", "mov ecx, 2; rep ", "mov ecx, 2; repne "].flatMap((r) => ["insb", "insw", "insd", "outsb", "outsw", "outsd"].map((n) => r + n)),
      "sti", "clts", "invd", "wbinvd", "int 0x33", "int 0xff", ".byte 0xcd, 0x03; nop", "int 4; nop", "iretd", "iretq", ".byte 0x66, 0xcf", "retf", "retf 8", "rex.w retf", "jmp fword ptr [rbx]", "call fword ptr [rbx]", "rex.w jmp fword ptr [rbx]", "ud1 ecx, dword ptr [rbx]", "ud0 ecx, dword ptr [rbx]", "ud1 rcx, r9",
      "mov rax, cr0", "mov cr0, rax", "mov rcx, cr2", "mov rcx, cr3", "mov cr3, rcx", "mov rcx, cr4", "mov rax, cr8", "mov cr8, rax", ".byte 0x0f, 0x20, 0xc8", ".byte 0x0f, 0x20, 0xe9", "mov rax, db0", "mov db7, rax", "mov rax, db3", "lidt [rbx]", "lldt cx", "ltr cx", "lmsw cx", "rdpmc", "swapgs", "sysretq", "monitor", "mwait", "xsetbv", "vmlaunch", "vmread rax, rcx", "rsm", "getsec",
    ],
  },
  {
    // segment registers, far transfers within the user's own segments, and encodings at the limits
    name: "segment", kind: "i", seeds: 2,
    lines: [
      ...["ds", "es", "fs", "gs"].flatMap((r) => [0, 1, 3, 0x28, 0x2b, 0x30, 0x33, 0x23, 0x7b, 4, 0x10, 0x2f, 0x43, 0x53, 0x83, 0xffff].map((v) => `mov ecx, ${v}; mov ${r}, ecx; mov r9, ${r}; mov word ptr [rbx], ${r}`)), ...[0x2b, 0x28, 0x33, 0, 3].map((v) => `mov ecx, ${v}; mov ss, ecx; mov r9, ss`),
      "push fs; pop rcx", "push gs; pop rcx", "pushw fs; popw cx", ...["fs", "gs"].flatMap((r) => [0, 0x2b, 0x33, 0x10].map((v) => `push ${v}; pop ${r}; mov ecx, ${r}; mov rdx, qword ptr ${r}:[rbx]`)), ".byte 0x66, 0x6a, 0x2b, 0x66, 0x0f, 0xa1; mov ecx, fs", "mov ecx, 0x2b; mov gs, ecx; push gs; pop rdx; rdgsbase r9",
      ...["lfs", "lgs", "lss"].flatMap((n) => [0x2b, 0x33, 0, 0x10].flatMap((v) => [`mov word ptr [rbx+4], ${v}; ${n} ecx, fword ptr [rbx]`, `mov word ptr [rbx+2], ${v}; ${n} cx, dword ptr [rbx]`])), "lfs ecx, fword ptr [0x20]",
      ...["lar", "lsl"].flatMap((n) => [0, 3, 0x23, 0x2b, 0x28, 0x33, ...(n === "lar" ? [0x7b] : []), 0x10, 0x43, 0x2f, 0x8b, 0xffff].flatMap((v) => [`mov edx, ${v}; ${n} ecx, edx`, `mov word ptr [rbx], ${v}; ${n} cx, word ptr [rbx]`])), ...["verr", "verw"].flatMap((n) => [0, 3, 0x23, 0x2b, 0x28, 0x33, 0x7b, 0x10, 0x43, 0x2f, 0x8b, 0xffff].flatMap((v) => [`mov edx, ${v}; ${n} dx`, `mov word ptr [rbx], ${v}; ${n} word ptr [rbx]`])),
      ...[0x33, 0x30, 0x2b, 0, 0x10].flatMap((v) => ["", " 16"].flatMap((n) => [`push ${v}; lea rcx, [rip+1f]; push rcx; rex.w retf${n}; ud2; 1: nop`, `sub rsp, 8; lea ecx, [rip+1f]; mov dword ptr [rsp], ecx; mov dword ptr [rsp+4], ${v}; retf${n}; ud2; 1: nop`])), "push 0x33; movabs rcx, 0x8000000000000000; push rcx; rex.w retf",
      ...[0x33, 0x30, 0x2b, 0, 0x10].flatMap((v) => [`lea ecx, [rip+1f]; mov dword ptr [rbx], ecx; mov word ptr [rbx+4], ${v}; jmp fword ptr [rbx]; ud2; 1: nop`, `lea ecx, [rip+1f]; mov dword ptr [rbx], ecx; mov word ptr [rbx+4], ${v}; call fword ptr [rbx]; ud2; 1: nop`]), "jmp fword ptr [0x20]", "call fword ptr [0x20]", "lea ecx, [rip+1f]; mov dword ptr [rbx], ecx; mov word ptr [rbx+4], 0x33; mov esp, 0x20; call fword ptr [rbx]; 1: nop",
      ...[[0x33, 0x2b], [0x30, 0x2b], [0x33, 0x28], [0x33, 0], [0x2b, 0x2b], [0x10, 0x18]].flatMap(([cs, ss]) => [`mov rcx, rsp; push ${ss}; lea rdx, [rsp-64]; push rdx; push 0xcd7; push ${cs}; lea rdx, [rip+1f]; push rdx; iretq; ud2; 1: nop`, `sub rsp, 20; lea ecx, [rip+1f]; mov dword ptr [rsp], ecx; mov dword ptr [rsp+4], ${cs}; mov dword ptr [rsp+8], 0x8d7; lea ecx, [rsp+40]; mov dword ptr [rsp+12], ecx; mov dword ptr [rsp+16], ${ss}; iretd; ud2; 1: nop`]),
      "push 0x2b; push rsp; push 0x302; push 0x33; lea rdx, [rip+1f]; push rdx; iretq; ud2; 1: nop; inc ecx", "push 0x4002; popfq; push 0x2b; push rsp; push 2; push 0x33; lea rdx, [rip+1f]; push rdx; iretq; 1: nop",
      ...["0x90", "0x00, 0x03", "0x0f, 0x0b", "0x06", "0x0f, 0x38, 0xff"].flatMap((op) => (op === "0x06" ? [12, 13] : [12, 13, 14]).map((n) => `.byte ${Array.from({ length: n }, () => "0x3e").join(", ")}, ${op}`)), `.byte ${Array.from({ length: 15 }, () => "0x66").join(", ")}, 0x90`, `.byte ${Array.from({ length: 10 }, () => "0x3e").join(", ")}, 0xb9, 1, 2, 3, 4`, `.byte ${Array.from({ length: 11 }, () => "0x3e").join(", ")}, 0xb9, 1, 2, 3, 4`,
      ...["e0", "e1", "e2", "e3"].flatMap((op) => ["0x100000001", "0x100000002", "0x500000000"].map((v) => `movabs rcx, ${v}; .byte 0x67, 0x${op}, 2; ud2; nop`)),
      ...["bt", "bts", "btr", "btc"].flatMap((n) => [`mov ecx, 0x80000000; ${n} dword ptr [ebx], ecx`, `mov ecx, 133; ${n} dword ptr [ebx], ecx`, `mov rcx, -77; ${n} qword ptr [ebx+4], rcx`, `mov ecx, 33; ${n} word ptr gs:[ebx-0x1100000], cx`]),
      ...["sha1nexte", "sha1msg1", "sha1msg2", "sha256msg1", "sha256msg2", "sha256rnds2"].map((n) => `${n} xmm1, xmmword ptr [rbx+1]`), "sha1rnds4 xmm1, xmmword ptr [rbx+1], 2", "aesenc xmm1, xmmword ptr [rbx+1]",
      ".byte 0x0f, 0x18, 0x3b", ".byte 0x0f, 0x18, 0x3d, 0, 0, 0, 0", ".byte 0x0f, 0x18, 0x35, 0, 0, 0, 0", ".byte 0x0f, 0x1c, 0x03", ".byte 0x0f, 0x1c, 0xc3", ".byte 0x0f, 0x1e, 0x43, 0x08", "movabs rcx, 0x8000000000000000; clflush [rcx]", "clflush [0x20]", "movabs rbp, 0x8000000000000000; clflush [rbp]", ".byte 0x0f, 0x01, 0xe8", // serialize: not advertised
    ],
  },
  {
    // the stack's segment: #SS where others give #GP, by base register and by push and pop
    name: "stack_fault", kind: "i", seeds: 1,
    lines: [
      ..."rsp|rbp".split("|").flatMap((r) => ["mov eax, dword ptr [R]", "mov dword ptr [R], eax", "add dword ptr [R+8], eax", "movups xmm0, [R]", "movaps xmm0, [R]", "mov eax, dword ptr [R+rcx]", "lock inc qword ptr [R]", "fld qword ptr [R]", "movsd xmm0, qword ptr [R]", "prefetcht0 [R]", "fxsave [R]", "cmpxchg16b [R]", "xchg byte ptr [R], al", "bts dword ptr [R], eax", "jmp qword ptr [R]", "vmovups ymm0, [R]", "push qword ptr [R]"].map((l) => `xor ecx, ecx; movabs ${r}, 0x8000000000000000; ${l.replace("R", r)}`)),
      ...["push rax", "pop rax", "call 1f; 1: nop", "ret", "pushfq", "popfq", "leave", "enter 8, 0", "push 5", "pop qword ptr [rbx]", "ret 8", "lea rax, [rsp]", "mov eax, dword ptr [rbp]"].map((l) => `movabs rsp, 0x8000000000000000; movabs rbp, 0x9000000000000000; ${l}`),
      ..."rbx|r12|r13|rax|r8".split("|").map((r) => `movabs ${r}, 0x8000000000000000; mov ecx, dword ptr [${r}]`), "movabs rbp, 0x8000000000000000; mov ecx, dword ptr [rax*1+rbp]", "movabs rbp, 0x8000000000000000; mov ecx, dword ptr [rbx+rbp*1]", "movabs rbp, 0x8000000000000000; mov ecx, dword ptr ds:[rbp]", "movabs rbp, 0x8000000000000000; mov ecx, dword ptr gs:[rbp]", "movabs rsi, 0x8000000000000000; movsb", "movabs rdi, 0x8000000000000000; stosb", "mov rsp, -4; push rax", "mov rsp, 8; push rax", "mov rsp, -8; pop rax",
      "movabs rsp, 0x800000000004; push rax", "movabs rsp, 0x800000000000; push rax", "movabs rsp, 0x7ffffffffffc; pop rax", "mov esp, 0x10; call 1f; 1: nop", ...["add dword ptr [0x20], 1", "adc byte ptr [0x20], cl", "cmpxchg dword ptr [0x20], ecx", "xadd qword ptr [0x20], rcx", "inc word ptr [0x20]", "bts dword ptr [0x20], 3", "bt dword ptr [0x20], 3", "xchg qword ptr [0x20], rcx", "not byte ptr [0x20]", "shl dword ptr [0x20], 3", "cmpxchg8b [0x20]", "cmpxchg16b [0x20]", "lock dec qword ptr [0x20]", "rcr dword ptr [0x20], cl", "sete byte ptr [0x20]", "pop qword ptr [0x20]", "cmp dword ptr [0x20], 1", "test dword ptr [0x20], 1", "shld dword ptr [0x20], ecx, 3", "neg word ptr [0x20]", "sbb qword ptr [0x20], 1", "xor ecx, ecx; shl dword ptr [0x20], cl", "push qword ptr [0x20]", "xor ecx, ecx; btc [rcx+0x20], eax"], "xor esi, esi; movsb", "xor edi, edi; movsb", "xor esi, esi; cmpsb", "fstp qword ptr [0x20]", "fiadd word ptr [0x20]", "movabs rsp, 0xffff800000000000; pop rax", "movabs rsp, 0xffff800000000004; push rax",
    ],
  },
];
