// fs/binfmt_elf_fdpic_kunit.ts — what the loader refuses, and the stack it gives.
import { ELIBBAD, ENOENT, ENOEXEC, ENOMEM } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import type { Task } from "../kernel/task.ts";
import { check_elf, elf_interpreter, exec_stack_size, fetch_elf, type ElfFile } from "./binfmt_elf_fdpic.ts";
import { File, FileOperations } from "./fs.ts";

class Bytes extends FileOperations {
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    super();
    this.bytes = bytes;
  }
  override get mmap_capabilities(): "copy" {
    return "copy";
  }
  override read(_file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const n = Math.max(0, Math.min(len, this.bytes.length - pos));
    buf.set(this.bytes.subarray(pos, pos + n), off);
    return n;
  }
}
interface Phdr {
  readonly type: number;
  readonly off?: number;
  readonly filesz?: number;
  readonly memsz?: number;
}
/** A file with these program headers; `patch` changes bytes of the ELF header. */
function elf(phdrs: readonly Phdr[], patch: (v: DataView) => void = () => {}): Uint8Array {
  const b = new Uint8Array(512);
  const v = new DataView(b.buffer);
  b.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  v.setUint16(16, 3, true);
  v.setUint16(18, 62, true);
  v.setUint32(32, 64, true);
  v.setUint16(54, 56, true);
  v.setUint16(56, phdrs.length, true);
  phdrs.forEach((p, i) => {
    const at = 64 + 56 * i;
    v.setUint32(at, p.type, true);
    v.setUint32(at + 8, p.off ?? 0, true);
    v.setUint32(at + 32, p.filesz ?? 0, true);
    v.setUint32(at + 40, p.memsz ?? 0, true);
  });
  b.set(Array.from("/lib/ld.so\0", (c) => c.charCodeAt(0)), 400);
  patch(v);
  return b;
}
const fetch = (test: KUnitTest, b: Uint8Array): ElfFile | undefined => fetch_elf(test.kernel.current!, new File(undefined, undefined, 0, new Bytes(b)), "x", b.slice(0, 256));
const LOAD = { type: 1, memsz: 16 };
const STACK = 0x6474e551;

export const elfSuite: KunitSuite = {
  name: "elf_loader",
  module: "fs/binfmt_elf_fdpic",
  cases: [
    KUNIT_CASE_PARAM(
      "not_an_elf_of_ours",
      [["magic", (v) => v.setUint8(0, 0)], ["32 bit", (v) => v.setUint8(4, 1)], ["relocatable", (v) => v.setUint16(16, 1, true)], ["i386", (v) => v.setUint16(18, 3, true)]] as [string, (v: DataView) => void][],
      ([what]) => what,
      (test, [, patch]) => test.KUNIT_EXPECT_TRUE(fetch(test, elf([LOAD], patch)) === undefined, "nothing recognised"),
    ),
    KUNIT_CASE("size_of_headers_is_ENOMEM", (test) => test.KUNIT_EXPECT_ERRNO(ENOMEM, () => fetch(test, elf([LOAD], (v) => v.setUint16(54, 55, true))), "fetch")),
    KUNIT_CASE("too_many_headers_is_ENOMEM", (test) => test.KUNIT_EXPECT_ERRNO(ENOMEM, () => fetch(test, elf([LOAD], (v) => v.setUint16(56, 2000, true))), "fetch")),
    KUNIT_CASE("headers_past_the_end_are_ENOEXEC", (test) => test.KUNIT_EXPECT_ERRNO(ENOEXEC, () => fetch(test, elf([LOAD], (v) => v.setUint32(32, 500, true))), "fetch")),
    KUNIT_CASE("nothing_to_load_is_ELIBBAD", (test) => test.KUNIT_EXPECT_ERRNO(ELIBBAD, () => check_elf(fetch(test, elf([{ type: 4 }]))!), "check")),
    KUNIT_CASE("a_broken_dynamic_section_is_ELIBBAD", (test) => test.KUNIT_EXPECT_ERRNO(ELIBBAD, () => check_elf(fetch(test, elf([LOAD, { type: 2, memsz: 17 }]))!), "check")),
    KUNIT_CASE("interpreter", (test) => {
      const name = (off: number, filesz: number): string | undefined => elf_interpreter(test.kernel.current!, fetch(test, elf([{ type: 3, off, filesz }]))!);
      test.KUNIT_EXPECT_EQ(name(400, 11), "/lib/ld.so");
      test.KUNIT_EXPECT_ERRNO(ENOENT, () => name(400, 1), "a name of one byte");
      test.KUNIT_EXPECT_ERRNO(ENOENT, () => name(400, 10), "a name without its end");
      test.KUNIT_EXPECT_ERRNO(ENOMEM, () => name(400, 5000), "a name of 5000 bytes");
      test.KUNIT_EXPECT_ERRNO(ENOEXEC, () => name(508, 11), "a name past the end");
      test.KUNIT_EXPECT_EQ(elf_interpreter(test.kernel.current!, fetch(test, elf([LOAD]))!), undefined);
    }),
    KUNIT_CASE_PARAM(
      "stack",
      [[0, undefined, 131072], [0, 65536, 65536], [300000, 65536, 303104], [1, undefined, 8192]] as const,
      ([a, b]) => `program ${a}, interpreter ${b}`,
      (test, [own, interp, want]) => {
        const of = (n: number): ElfFile => fetch(test, elf([LOAD, { type: STACK, memsz: n }]))!;
        test.KUNIT_EXPECT_EQ(exec_stack_size(test.kernel, of(own), interp === undefined ? undefined : of(interp)), want);
      },
    ),
  ],
};
