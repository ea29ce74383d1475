// worker/cpu/cpuid.test.ts — a feature level: what cpuid says works, and nothing else

import { beforeAll, describe, expect, test } from "vitest";
import { Cpu, cpuBytes } from "./cpu.ts";
import { CPU_LEVELS, Cpuid } from "./cpuid.ts";
import { EXIT_BP, EXIT_UD } from "./exit.ts";
import type { Iced } from "./iced.ts";
import { loadIced } from "./iced.ts";
import { GuestMemory } from "./memory.ts";

let iced: Iced;
beforeAll(async () => {
  iced = await loadIced();
});

const SIZE = 2 << 20, CODE = 0x100000;

/** name: bytes, leaf, register (0 eax … 3 edx), bit */
const FEATURES: [string, number[], number, number, number][] = [
  ["SSE3 haddps", [0xf2, 0x0f, 0x7c, 0xc0], 1, 2, 0],
  ["PCLMULQDQ", [0x66, 0x0f, 0x3a, 0x44, 0xc0, 0], 1, 2, 1],
  ["SSSE3 pshufb", [0x66, 0x0f, 0x38, 0x00, 0xc0], 1, 2, 9],
  ["FMA vfmadd132ps", [0xc4, 0xe2, 0x79, 0x98, 0xc0], 1, 2, 12],
  ["SSE4.1 ptest", [0x66, 0x0f, 0x38, 0x17, 0xc0], 1, 2, 19],
  ["SSE4.2 pcmpgtq", [0x66, 0x0f, 0x38, 0x37, 0xc0], 1, 2, 20],
  ["MOVBE", [0x0f, 0x38, 0xf0, 0x04, 0x25, 0, 0, 0x10, 0], 1, 2, 22],
  ["POPCNT", [0xf3, 0x0f, 0xb8, 0xc0], 1, 2, 23],
  ["AES aesenc", [0x66, 0x0f, 0x38, 0xdc, 0xc0], 1, 2, 25],
  ["XSAVE xgetbv", [0x31, 0xc9, 0x0f, 0x01, 0xd0], 1, 2, 27],
  ["AVX vaddps", [0xc5, 0xf8, 0x58, 0xc0], 1, 2, 28],
  ["F16C vcvtph2ps", [0xc4, 0xe2, 0x79, 0x13, 0xc0], 1, 2, 29],
  ["RDRAND", [0x0f, 0xc7, 0xf0], 1, 2, 30],
  ["SSE2 paddq", [0x66, 0x0f, 0xd4, 0xc0], 1, 3, 26],
  ["BMI1 andn", [0xc4, 0xe2, 0x78, 0xf2, 0xc0], 7, 1, 3],
  ["AVX2 vpaddb ymm", [0xc5, 0xfd, 0xfc, 0xc0], 7, 1, 5],
  ["BMI2 pdep", [0xc4, 0xe2, 0x7b, 0xf5, 0xc0], 7, 1, 8],
  ["RDSEED", [0x0f, 0xc7, 0xf8], 7, 1, 18],
  ["ADX adcx", [0x66, 0x0f, 0x38, 0xf6, 0xc0], 7, 1, 19],
  ["SHA sha1msg1", [0x0f, 0x38, 0xc9, 0xc0], 7, 1, 29],
];

for (const level of CPU_LEVELS)
  describe(`cpu=${level}`, () => {
    for (const [name, bytes, leaf, register, bit] of FEATURES)
      test(`${name} works if cpuid says so, and else is #UD`, () => {
        const cpu = new Cpu(new GuestMemory(SIZE, cpuBytes(SIZE, 1024), false), { iced, records: 1024, cpu: level });
        cpu.mem.u8.set([...bytes, 0xcc], CODE);
        cpu.state.rip = CODE;
        const advertised = ((new Cpuid(level).leaf(leaf, 0)[register]! >> bit) & 1) === 1;
        expect(cpu.run(10)).toBe(advertised ? EXIT_BP : EXIT_UD);
      });
  });

test("the vendor is one whose features glibc reads; who it really is stands where hypervisors say it", () => {
  const text = (words: readonly number[]): string => Buffer.from(new Uint32Array(words).buffer).toString("latin1");
  const cpuid = new Cpuid("v2+");
  const [max, b, c, d] = cpuid.leaf(0, 0);
  expect([max, text([b, d, c])]).toEqual([7, "GenuineIntel"]);
  expect(cpuid.leaf(1, 0)[2]! >>> 31).toBe(1);
  expect(text(cpuid.leaf(0x40000000, 0).slice(1))).toBe("PageZeroZero");
  expect(text([0x80000002, 0x80000003, 0x80000004].flatMap((leaf) => [...cpuid.leaf(leaf, 0)]))).toContain("pagezero");
  // sets of a cache x ways x 64 bytes are its size
  const sizes = [0, 1, 2, 3, 4].map((i) => cpuid.leaf(4, i)).map(([eax, ebx, ecx]) => (eax === 0 ? 0 : ((ebx! >>> 22) + 1) * 64 * (ecx! + 1)));
  expect(sizes).toEqual([32 << 10, 32 << 10, 256 << 10, 8 << 20, 0]);
});
