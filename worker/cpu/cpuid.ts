// worker/cpu/cpuid.ts — what we advertise, by leaf.  SDM Vol. 2, CPUID.

/**
 * A vendor that programs know: glibc before 2.37 reads the features of no other, and then refuses to start. Family and model are those of the first
 * processor that had all of the level. That this is no Intel is said where it is looked for: by the hypervisor's leaves, and by the brand.
 */
const VENDOR = "GenuineIntel";
const HYPERVISOR = "PageZeroZero";
const BRAND = "pagezero virtual x86-64 without an MMU";

/** Of an ordinary processor; what the host's really are is not for the guest to see. Types: 1 data, 2 instructions, 3 both. */
const CACHES = [
  { type: 1, level: 1, ways: 8, size: 32 << 10 },
  { type: 2, level: 1, ways: 8, size: 32 << 10 },
  { type: 3, level: 2, ways: 8, size: 256 << 10 },
  { type: 3, level: 3, ways: 16, size: 8 << 20 },
] as const;

/** Feature levels for the boot parameter `cpu=`. Each has all of those before it. */
export const CPU_LEVELS = ["v1", "v2", "v2+", "v3"] as const;
export type CpuLevel = (typeof CPU_LEVELS)[number];

/** Level by instruction: what it needs beside v1. */
const NEEDS: Readonly<Record<string, CpuLevel>> = Object.fromEntries([
  ...["popcnt", "crc32", "cmpxchg16b", "lahf", "sahf",
    // SSE3, SSSE3
    "addsubps", "addsubpd", "haddps", "haddpd", "hsubps", "hsubpd", "lddqu", "movddup", "movshdup", "movsldup", "fisttp",
    "pshufb", "phaddw", "phaddd", "phaddsw", "phsubw", "phsubd", "phsubsw", "pmaddubsw", "pmulhrsw", "psignb", "psignw", "psignd", "pabsb", "pabsw", "pabsd", "palignr",
    // SSE4.1, SSE4.2
    "blendps", "blendpd", "blendvps", "blendvpd", "pblendw", "pblendvb", "dpps", "dppd", "extractps", "insertps", "movntdqa", "mpsadbw", "packusdw", "pcmpeqq", "pcmpgtq",
    "pextrb", "pextrd", "pextrq", "pinsrb", "pinsrd", "pinsrq", "phminposuw", "pmaxsb", "pmaxsd", "pmaxud", "pmaxuw", "pminsb", "pminsd", "pminud", "pminuw",
    "pmovsxbw", "pmovsxbd", "pmovsxbq", "pmovsxwd", "pmovsxwq", "pmovsxdq", "pmovzxbw", "pmovzxbd", "pmovzxbq", "pmovzxwd", "pmovzxwq", "pmovzxdq", "pmuldq", "pmulld", "ptest",
    "roundps", "roundpd", "roundss", "roundsd", "pcmpistri", "pcmpistrm", "pcmpestri", "pcmpestrm", "pcmpestri64", "pcmpestrm64"].map((n) => [n, "v2"] as const),
  ...["aesenc", "aesenclast", "aesdec", "aesdeclast", "aesimc", "aeskeygenassist", "pclmulqdq", "sha1rnds4", "sha1nexte", "sha1msg1", "sha1msg2", "sha256rnds2", "sha256msg1", "sha256msg2",
    "xgetbv", "xsetbv", "xsave", "xsave64", "xrstor", "xrstor64"].map((n) => [n, "v3"] as const),
  ...["tzcnt", "lzcnt", "andn", "bextr", "blsi", "blsr", "blsmsk", "bzhi", "pdep", "pext", "mulx", "rorx", "sarx", "shlx", "shrx", "movbe",
    "adcx", "adox", "rdfsbase", "rdgsbase", "wrfsbase", "wrgsbase", "rdpid"].map((n) => [n, "v2+"] as const),
]);

/** Mnemonics with a v that are not VEX. */
const OTHER_V = new Set(["verr", "verw", "vmcall", "vmlaunch", "vmresume", "vmxoff", "vmxon", "vmread", "vmwrite", "vmptrld", "vmptrst", "vmclear"]);

/** cpuid of one feature level. */
export class Cpuid {
  readonly level: CpuLevel;
  private readonly v2: boolean;
  private readonly plus: boolean;
  private readonly v3: boolean;

  constructor(level: string) {
    const known = CPU_LEVELS.find((l) => l === level);
    if (known === undefined) throw new RangeError(`cpu=${level}: known are ${CPU_LEVELS.join(", ")}`);
    this.level = known;
    this.v2 = known !== "v1";
    this.plus = known === "v2+" || known === "v3";
    this.v3 = known === "v3";
  }

  /** Does the instruction belong to what this level does not advertise? */
  absent(name: string): boolean {
    const needs = NEEDS[name];
    if (name.startsWith("v") && !OTHER_V.has(name)) return this.level !== "v3"; // VEX
    return needs !== undefined && CPU_LEVELS.indexOf(needs) > CPU_LEVELS.indexOf(this.level);
  }

  /** eax, ebx, ecx, edx of a leaf. */
  leaf(leaf: number, subleaf: number): readonly [number, number, number, number] {
    const text = (s: string, at: number): number => {
      let v = 0;
      for (let i = 3; i >= 0; i--) v = (v << 8) | (at + i < s.length ? s.charCodeAt(at + i) : 0);
      return v;
    };
    switch (leaf) {
      case 0:
        return [this.v3 ? 0xd : 7, text(VENDOR, 0), text(VENDOR, 8), text(VENDOR, 4)];
      case 1: {
        // FPU TSC MSR CX8 SEP CMOV CLFSH MMX FXSR SSE SSE2
        const edx = 1 | (1 << 4) | (1 << 5) | (1 << 8) | (1 << 11) | (1 << 15) | (1 << 19) | (1 << 23) | (1 << 24) | (1 << 25) | (1 << 26);
        // SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT; MOVBE
        let ecx = 0;
        if (this.v2) ecx |= 1 | (1 << 9) | (1 << 13) | (1 << 19) | (1 << 20) | (1 << 23);
        if (this.plus) ecx |= 1 << 22;
        // PCLMULQDQ FMA AES XSAVE OSXSAVE AVX F16C
        if (this.v3) ecx |= (1 << 1) | (1 << 12) | (1 << 25) | (1 << 26) | (1 << 27) | (1 << 28) | (1 << 29);
        // family 6, model 0x1a (Nehalem) or 0x3c (Haswell); cache lines of 64 bytes, one processor; hypervisor present: that is the truth
        return [this.plus ? 0x000306c3 : 0x000106a5, 0x00010800, ecx | (1 << 31), edx];
      }
      case 2:
        return [0x00ff01, 0, 0, 0]; // caches: see leaf 4
      case 4: {
        // data, instructions, second and third level: copying programs choose by these
        const cache = CACHES[subleaf];
        return cache === undefined ? [0, 0, 0, 0] : [cache.type | (cache.level << 5) | (1 << 8), 63 | ((cache.ways - 1) << 22), cache.size / 64 / cache.ways - 1, 0];
      }
      case 7:
        // FSGSBASE BMI1 BMI2 ADX; RDPID; AVX2 SHA
        return subleaf === 0 && this.plus ? [0, 1 | (1 << 3) | (1 << 8) | (1 << 19) | (this.v3 ? (1 << 5) | (1 << 29) : 0), 1 << 22, 0] : [0, 0, 0, 0];
      case 0xd:
        // XSAVE: x87, SSE and AVX, in the standard format
        if (!this.v3) return [0, 0, 0, 0];
        return subleaf === 0 ? [7, 832, 832, 0] : subleaf === 2 ? [256, 576, 0, 0] : [0, 0, 0, 0];
      case 0x40000000:
        return [0x40000000, text(HYPERVISOR, 0), text(HYPERVISOR, 4), text(HYPERVISOR, 8)];
      case 0x80000000:
        return [0x80000008 | 0, text(VENDOR, 0), text(VENDOR, 8), text(VENDOR, 4)];
      case 0x80000001:
        // LAHF, LZCNT; SYSCALL NX RDTSCP LM
        return [0, 0, (this.v2 ? 1 : 0) | (this.plus ? 1 << 5 : 0), (1 << 11) | (1 << 20) | (1 << 27) | (1 << 29)];
      case 0x80000002:
      case 0x80000003:
      case 0x80000004: {
        const at = (leaf - 0x80000002) * 16;
        return [text(BRAND, at), text(BRAND, at + 4), text(BRAND, at + 8), text(BRAND, at + 12)];
      }
      case 0x80000008:
        return [0x3030, 0, 0, 0]; // 48 bits of address
      default:
        return [0, 0, 0, 0];
    }
  }
}
