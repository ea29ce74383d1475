// arch/um/trampoline_kunit.ts — page 0 and the entry, byte by byte, as they stand in this machine's memory.
import { KUNIT_CASE, type KunitSuite } from "../../kunit/suite.ts";
import { KERNEL_VSYSCALL, NR_SYSCALLS } from "./trampoline.ts";
import { syscall_table } from "./syscall_64.ts";
import type { UmArch } from "./process.ts";

export const trampolineSuite: KunitSuite = {
  name: "zpoline_trampoline",
  module: "arch/um/trampoline",
  init: (test) => {
    if ((test.kernel.arch as UmArch).zpoline.mode === "0") test.kunit_skip("zpoline=0: there is no trampoline");
  },
  cases: [
    KUNIT_CASE("a_nop_for_each_number", (test) => {
      const { u8 } = test.kernel.mem;
      const other: number[] = [];
      for (let i = 0; i < NR_SYSCALLS; i++) if (u8[i] !== 0x90) other.push(i);
      test.KUNIT_EXPECT_MEMEQ(other, [214, 215]);
      test.KUNIT_EXPECT_EQ(NR_SYSCALLS, syscall_table.length, "numbers in the table");
    }),
    KUNIT_CASE("the_short_jump", (test) => test.KUNIT_EXPECT_MEMEQ(test.kernel.mem.u8.slice(214, 216), [0xeb, 0x7f])),
    KUNIT_CASE("the_tail", (test) => {
      const tail = test.kernel.mem.u8.slice(NR_SYSCALLS, NR_SYSCALLS + 14);
      test.KUNIT_EXPECT_MEMEQ(tail, [0x49, 0xbb, 0x00, 0x10, 0, 0, 0, 0, 0, 0, 0x59, 0x41, 0xff, 0xe3]);
    }),
    KUNIT_CASE("the_rest_of_the_page_is_zero", (test) => test.KUNIT_EXPECT_TRUE(test.kernel.mem.u8.subarray(NR_SYSCALLS + 14, 4096).every((b) => b === 0), "all zero")),
    KUNIT_CASE("the_entry", (test) => test.KUNIT_EXPECT_MEMEQ(test.kernel.mem.u8.slice(KERNEL_VSYSCALL, KERNEL_VSYSCALL + 5), [0x0f, 0x01, 0xc1, 0xff, 0xe1])),
  ],
};
