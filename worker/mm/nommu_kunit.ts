// mm/nommu_kunit.ts — mmap's decision table, munmap and mremap of a machine without an MMU, errno by errno.
// cf. Documentation/admin-guide/mm/nommu-mmap.rst, tools/testing/selftests/mm/nommu
import { EACCES, EINVAL, ENODEV, ENOMEM, EPERM, type Errno } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { File, FileOperations } from "../fs/fs.ts";
import type { Task } from "../kernel/task.ts";
import { Mm } from "./mm_types.ts";
import { do_mmap, do_mremap, do_munmap, MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from "./nommu.ts";

const PAGE = 4096;
/** A file whose bytes are their position, on a file system that only copies (ext4) or maps nothing. */
class TestFops extends FileOperations {
  private readonly copies: boolean;
  constructor(copies: boolean) {
    super();
    this.copies = copies;
  }
  override get mmap_capabilities(): "copy" | false {
    return this.copies ? "copy" : false;
  }
  override read(_file: File, _task: Task, buf: Uint8Array, off: number, len: number, pos: number): number {
    const n = Math.max(0, Math.min(len, 6000 - pos));
    for (let i = 0; i < n; i++) buf[off + i] = (pos + i) & 255;
    return n;
  }
}
const testFile = (copies: boolean, flags: number): File => new File(undefined, undefined, flags, new TestFops(copies));
const RDONLY = 0;
const WRONLY = 1;
const RDWR = 2;

/** The current process with an address space of its own for the case. */
const common = {
  init: (test: KUnitTest): void => {
    test.kernel.current!.mm = new Mm();
  },
  exit: (test: KUnitTest): void => {
    const task = test.kernel.current!;
    task.mm!.put(test.kernel);
    task.mm = undefined;
  },
};
const anon = (test: KUnitTest, pages: number): number => do_mmap(test.kernel.current!, undefined, 0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);

interface Row {
  readonly what: string;
  readonly file?: File;
  readonly len?: number;
  readonly prot?: number;
  readonly flags: number;
  readonly gives: Errno | undefined;
}
const rows: Row[] = [
  { what: "MAP_FIXED", flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, gives: EINVAL },
  { what: "neither private nor shared", flags: MAP_ANONYMOUS, gives: EINVAL },
  { what: "MAP_SHARED_VALIDATE", flags: 3 | MAP_ANONYMOUS, gives: EINVAL },
  { what: "length 0", len: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS, gives: EINVAL },
  { what: "longer than the address space", len: 2 ** 47, flags: MAP_PRIVATE | MAP_ANONYMOUS, gives: ENOMEM },
  { what: "anonymous, private", flags: MAP_PRIVATE | MAP_ANONYMOUS, gives: undefined },
  { what: "anonymous, shared", flags: MAP_SHARED | MAP_ANONYMOUS, gives: undefined },
  { what: "PROT_NONE", prot: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS, gives: undefined },
  { what: "PROT_EXEC", prot: PROT_READ | PROT_EXEC, flags: MAP_PRIVATE | MAP_ANONYMOUS, gives: undefined },
  { what: "a file that cannot be mapped", file: testFile(false, RDONLY), flags: MAP_PRIVATE, gives: ENODEV },
  { what: "a file not open for reading", file: testFile(true, WRONLY), flags: MAP_PRIVATE, gives: EACCES },
  { what: "private of a file, read", file: testFile(true, RDONLY), prot: PROT_READ, flags: MAP_PRIVATE, gives: undefined },
  { what: "private of a read-only file, write", file: testFile(true, RDONLY), flags: MAP_PRIVATE, gives: undefined },
  { what: "shared of a file on a disk, read", file: testFile(true, RDONLY), prot: PROT_READ, flags: MAP_SHARED, gives: ENODEV },
  { what: "shared of a file on a disk, write", file: testFile(true, RDWR), flags: MAP_SHARED, gives: ENODEV },
  { what: "shared and writable of a read-only file", file: testFile(true, RDONLY), flags: MAP_SHARED, gives: EACCES },
];

export const nommuSuite: KunitSuite = {
  name: "nommu_mmap",
  module: "mm/nommu",
  ...common,
  cases: [
    KUNIT_CASE_PARAM("decision_table", rows, (r) => r.what, (test, r) => {
      const call = (): number => do_mmap(test.kernel.current!, r.file, 0, r.len ?? PAGE, r.prot ?? PROT_READ | PROT_WRITE, r.flags, 0);
      if (r.gives !== undefined) test.KUNIT_EXPECT_ERRNO(r.gives, call, "mmap");
      else test.KUNIT_EXPECT_EQ(call() % PAGE, 0, "offset in its page");
    }),
    KUNIT_CASE("zeroed", (test) => {
      const a = anon(test, 3);
      test.kernel.mem.u8.fill(1, a, a + 3 * PAGE);
      do_munmap(test.kernel.current!, a, 3 * PAGE);
      const b = anon(test, 3);
      test.KUNIT_EXPECT_EQ(b, a, "the same place");
      test.KUNIT_EXPECT_TRUE(test.kernel.mem.u8.subarray(b, b + 3 * PAGE).every((x) => x === 0), "all bytes zero");
    }),
    KUNIT_CASE("hints_are_ignored", (test) => {
      const a = do_mmap(test.kernel.current!, undefined, 0x40000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0);
      test.KUNIT_EXPECT_NE(a, 0x40000000);
    }),
    KUNIT_CASE("a_file_is_copied_and_its_last_page_filled_with_zeros", (test) => {
      const file = testFile(true, RDONLY);
      const a = do_mmap(test.kernel.current!, file, 0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
      const { u8 } = test.kernel.mem;
      test.KUNIT_EXPECT_EQ(u8[a + 5999], 5999 & 255);
      test.KUNIT_EXPECT_EQ(u8[a + 6000], 0);
      test.KUNIT_EXPECT_EQ(file.f_count, 3, "references while mapped");
      do_munmap(test.kernel.current!, a, 2 * PAGE);
      test.KUNIT_EXPECT_EQ(file.f_count, 1, "references after munmap");
    }),
    KUNIT_CASE("pages_come_back_when_the_process_goes", (test) => {
      const { pages } = test.kernel;
      const before = pages.nr_free;
      for (let i = 1; i < 20; i++) anon(test, i);
      test.KUNIT_EXPECT_EQ(pages.nr_free, before - 190);
      test.kernel.current!.mm!.put(test.kernel);
      test.KUNIT_EXPECT_EQ(pages.nr_free, before);
      test.kernel.current!.mm = new Mm();
    }),
  ],
};

export const munmapSuite: KunitSuite = {
  name: "nommu_munmap",
  module: "mm/nommu",
  ...common,
  cases: [
    KUNIT_CASE_PARAM("each_page_of_four_in_any_order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]], (o) => o.join(""), (test, order) => {
      const before = test.kernel.pages.nr_free;
      const a = anon(test, 4);
      for (const i of order) do_munmap(test.kernel.current!, a + i * PAGE, PAGE);
      test.KUNIT_EXPECT_EQ(test.kernel.pages.nr_free, before, "free pages");
      test.KUNIT_EXPECT_EQ(test.kernel.current!.mm!.vmas.length, 0, "mappings");
    }),
    KUNIT_CASE("across_two_mappings", (test) => {
      const a = anon(test, 1);
      const b = anon(test, 1);
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => do_munmap(test.kernel.current!, Math.min(a, b), 2 * PAGE), "munmap of two");
    }),
    KUNIT_CASE("nothing_there", (test) => test.KUNIT_EXPECT_ERRNO(EINVAL, () => do_munmap(test.kernel.current!, 0x100000, PAGE), "munmap of nothing")),
    KUNIT_CASE("a_file_only_as_a_whole", (test) => {
      const a = do_mmap(test.kernel.current!, testFile(true, RDONLY), 0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => do_munmap(test.kernel.current!, a + PAGE, PAGE), "munmap of its second page");
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => do_munmap(test.kernel.current!, a, PAGE), "munmap of its first page");
      do_munmap(test.kernel.current!, a, 2 * PAGE);
    }),
  ],
};

export const mremapSuite: KunitSuite = {
  name: "nommu_mremap",
  module: "mm/nommu",
  ...common,
  cases: [
    KUNIT_CASE("shrink_and_grow_back_in_place", (test) => {
      const task = test.kernel.current!;
      const a = anon(test, 4);
      for (const [from, to] of [[4, 4], [4, 2], [2, 2], [2, 1], [1, 4]] as const) test.KUNIT_EXPECT_EQ(do_mremap(task, a, from * PAGE, to * PAGE, 0, 0), a, `${from} -> ${to} pages`);
    }),
    KUNIT_CASE("never_moves", (test) => {
      const a = anon(test, 4);
      test.KUNIT_EXPECT_ERRNO(ENOMEM, () => do_mremap(test.kernel.current!, a, 4 * PAGE, 64 * PAGE, 1, 0), "growing with MREMAP_MAYMOVE");
    }),
    KUNIT_CASE_PARAM(
      "refused",
      [["old length is wrong", PAGE, 2 * PAGE, 0], ["old length 0", 0, PAGE, 0], ["new length 0", 4 * PAGE, 0, 0], ["MREMAP_FIXED elsewhere", 4 * PAGE, PAGE, 2]] as const,
      ([what]) => what,
      (test, [, from, to, flags]) => {
        const a = anon(test, 4);
        test.KUNIT_EXPECT_ERRNO(EINVAL, () => do_mremap(test.kernel.current!, a, from, to, flags, a + PAGE), "mremap");
      },
    ),
    KUNIT_CASE("a_read_only_file_is_EPERM", (test) => {
      const a = do_mmap(test.kernel.current!, testFile(true, RDONLY), 0, 4 * PAGE, PROT_READ, MAP_PRIVATE, 0);
      test.KUNIT_EXPECT_ERRNO(EPERM, () => do_mremap(test.kernel.current!, a, 4 * PAGE, 4 * PAGE, 0, 0), "the same size");
      test.KUNIT_EXPECT_ERRNO(EPERM, () => do_mremap(test.kernel.current!, a, 4 * PAGE, 8 * PAGE, 0, 0), "growing");
    }),
    KUNIT_CASE("a_writable_private_file_can_stay_not_grow", (test) => {
      const a = do_mmap(test.kernel.current!, testFile(true, RDWR), 0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
      test.KUNIT_EXPECT_EQ(do_mremap(test.kernel.current!, a, 4 * PAGE, 4 * PAGE, 0, 0), a);
      test.KUNIT_EXPECT_ERRNO(ENOMEM, () => do_mremap(test.kernel.current!, a, 4 * PAGE, 8 * PAGE, 0, 0), "growing");
    }),
  ],
};
