// mm/nommu.test.ts — the decision table of mmap, and munmap, mremap, brk, as mm/nommu.c has them.
import { beforeEach, describe, expect, test } from "vitest";
import { FsKernel } from "../test/fs_kernel.ts";
import { Params } from "../kernel/params.ts";
import { Mm } from "./mm_types.ts";

const R = 1, W = 2, X = 4;
const SHARED = 1, PRIVATE = 2, FIXED = 0x10, ANON = 0x20, NOREPLACE = 0x100000;
const PAGE = 4096;
let k: FsKernel;
beforeEach(() => {
  k = new FsKernel();
  k.init.mm = new Mm();
});
const mmap = (addr: number, len: number, prot: number, flags: number, fd = -1, off = 0): number | string => k.sys("mmap", addr, len, prot, flags, fd, off)!;
const anon = (pages: number): number => mmap(0, pages * PAGE, R | W, PRIVATE | ANON) as number;
const open = (path: string, flags: number): number => k.sys("open", path, flags, 0o644) as number;
const free = (): number => k.kernel.pages.nr_free;

describe("mmap refuses", () => {
  test("MAP_FIXED, always", () => {
    const a = anon(4);
    expect(mmap(0x200000, PAGE, R, PRIVATE | ANON | FIXED)).toBe("EINVAL");
    expect(k.log).toEqual([]);
    // into the caller's own mapping: there is a parameter that allows it, which is told once
    for (let i = 0; i < 3; i++) expect(mmap(a, PAGE, R, PRIVATE | ANON | FIXED)).toBe("EINVAL");
    expect(k.log).toEqual(["init[1]: MAP_FIXED needs an MMU; nommu.map_fixed=own on the command line does without"]);
  });
  test("a mapping that is neither shared nor private", () => {
    for (const type of [0, 3, 4]) expect(mmap(0, PAGE, R, type | ANON)).toBe("EINVAL");
  });
  test("no length, too much length, a crooked offset, no file", () => {
    expect(mmap(0, 0, R, PRIVATE | ANON)).toBe("EINVAL");
    expect(mmap(0, 2 ** 48, R, PRIVATE | ANON)).toBe("ENOMEM");
    expect(mmap(0, PAGE, R, PRIVATE, 99, 0)).toBe("EBADF");
    expect(mmap(0, PAGE, R, PRIVATE | ANON, -1, 5)).toBe("EINVAL");
  });
  test("more than there is in one piece, and says so in the log", () => {
    expect(mmap(0, 64 << 20, R, PRIVATE | ANON)).toBe("ENOMEM");
    expect(k.log.join("\n")).toContain("nommu: Allocation of length 67108864 from process 1 (init) failed");
  });
  test("what has no mapping: a directory, a pipe; what is not open for reading", () => {
    k.sys("mkdir", "/d", 0o755);
    expect(mmap(0, PAGE, R, PRIVATE, open("/d", 0o200000))).toBe("ENODEV");
    const p = k.buf(8);
    k.sys("pipe2", p, 0);
    expect(mmap(0, PAGE, R, PRIVATE, k.kernel.mem.view.getInt32(p, true))).toBe("ENODEV");
    expect(mmap(0, PAGE, R, PRIVATE, open("/w", 0o101))).toBe("EACCES");
  });
  test("shared writing without the right to write", () => {
    k.write_file("/f", "x");
    expect(mmap(0, PAGE, R | W, SHARED, open("/f", 0))).toBe("EACCES");
    expect(mmap(0, PAGE, R, SHARED, open("/f", 0o2001 | 2))).toBe("EACCES");
  });
  test("/dev/zero shared", () => {
    k.sys("mknod", "/zero", 0o20666, 0x105);
    const fd = open("/zero", 2);
    expect(mmap(0, PAGE, R | W, SHARED, fd)).toBe("ENODEV");
    expect(mmap(0, PAGE, R | W, PRIVATE, fd)).toBeTypeOf("number");
  });
});

describe("mmap gives", () => {
  test("zeros, wherever it likes: hints and MAP_FIXED_NOREPLACE do not count", () => {
    k.kernel.mem.u8.fill(0xaa, 0x400000, 0x800000);
    const a = mmap(0x123000, 3 * PAGE, 0, PRIVATE | ANON | NOREPLACE) as number;
    expect(a).not.toBe(0x123000);
    expect(a % PAGE).toBe(0);
    expect(k.kernel.mem.u8.subarray(a, a + 3 * PAGE).every((b) => b === 0)).toBe(true);
  });
  test("a private copy of a file: later writes on either side stay there", () => {
    k.write_file("/f", "hello");
    const a = mmap(0, 10, R | W | X, PRIVATE, open("/f", 0)) as number;
    expect(k.text(a, 6)).toBe("hello\0");
    k.kernel.mem.u8[a] = 72;
    expect(k.read_file("/f")).toBe("hello");
  });
  test("a ramfs file's own pages, when they lie in one piece", () => {
    const fd = open("/s", 0o102);
    k.sys("ftruncate", fd, 3 * PAGE);
    const a = mmap(0, 3 * PAGE, R | W, SHARED, fd) as number;
    k.kernel.mem.u8[a + 1] = 65;
    expect(k.read_file("/s").slice(0, 2)).toBe("\0A");
    const b = mmap(0, PAGE, R | W, SHARED, fd, PAGE);
    expect(b).toBe(a + PAGE);
    expect(mmap(0, 4 * PAGE, R | W, SHARED, fd)).toBe("ENODEV");
    // under a shared mapping it does not shrink
    expect(k.sys("ftruncate", fd, 0)).toBe("ETXTBSY");
  });
  test("nothing twice, and gives all back at the end", () => {
    const before = free();
    const a = anon(5);
    const b = anon(3);
    expect(Math.abs(a - b)).toBeGreaterThanOrEqual(3 * PAGE);
    expect(free()).toBe(before - 8);
    k.init.mm!.put(k.kernel);
    expect(free()).toBe(before);
  });
});

describe("munmap", () => {
  test("takes a mapping, its head, tail or middle", () => {
    const before = free();
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 0, 3], [2, 1, 3, 0]]) {
      const a = anon(4);
      for (const i of order) expect(k.sys("munmap", a + i * PAGE, PAGE)).toBe(0);
      expect(free()).toBe(before);
    }
  });
  test("lies within one mapping, on page boundaries", () => {
    const a = anon(4);
    expect(k.sys("munmap", a + 2 * PAGE, 8 * PAGE)).toBe("EINVAL");
    expect(k.sys("munmap", a + 100, PAGE)).toBe("EINVAL");
    expect(k.sys("munmap", a, 0)).toBe("EINVAL");
  });
  test("of nothing is an error, told five times", () => {
    for (let i = 0; i < 7; i++) expect(k.sys("munmap", 0xe00000, PAGE)).toBe("EINVAL");
    expect(k.log.filter((l) => l.startsWith("munmap of memory not mmapped by process 1 (init)"))).toHaveLength(5);
  });
  test("of a file takes all of it or nothing", () => {
    k.write_file("/f", "x".repeat(3 * PAGE));
    const a = mmap(0, 3 * PAGE, R | W, PRIVATE, open("/f", 0)) as number;
    expect(k.sys("munmap", a, PAGE)).toBe("EINVAL");
    expect(k.sys("munmap", a + PAGE, 2 * PAGE)).toBe("EINVAL");
    expect(k.sys("munmap", a, 3 * PAGE)).toBe(0);
  });
});

describe("mremap", () => {
  test("shrinks in place, grows back into what was allocated, never moves", () => {
    const a = anon(4);
    for (const [from, to] of [[4, 4], [4, 2], [2, 2], [2, 1], [1, 4]] as const) expect(k.sys("mremap", a, from * PAGE, to * PAGE, 1)).toBe(a);
    expect(k.sys("mremap", a, 4 * PAGE, 8 * PAGE, 1)).toBe("ENOMEM");
    expect(k.sys("mremap", a + PAGE, 3 * PAGE, PAGE, 1)).toBe("EINVAL");
    expect(k.sys("mremap", a, 2 * PAGE, PAGE, 1)).toBe("EINVAL");
    expect(k.sys("mremap", a, 4 * PAGE, 0, 1)).toBe("EINVAL");
    expect(k.sys("mremap", a + 1, 4 * PAGE, PAGE, 1)).toBe("EINVAL");
    expect(k.sys("mremap", a, 4 * PAGE, PAGE, 3, a + PAGE)).toBe("EINVAL");
  });
  test("does not touch what is shared: EPERM; a private writable file is not", () => {
    k.write_file("/f", "x".repeat(4 * PAGE));
    const fd = open("/f", 0);
    const ro = mmap(0, 4 * PAGE, R, PRIVATE, fd) as number;
    expect(k.sys("mremap", ro, 4 * PAGE, 4 * PAGE, 1)).toBe("EPERM");
    const rw = mmap(0, 4 * PAGE, R | W, PRIVATE, fd) as number;
    expect(k.sys("mremap", rw, 4 * PAGE, 4 * PAGE, 1)).toBe(rw);
    expect(k.sys("mremap", rw, 4 * PAGE, 8 * PAGE, 1)).toBe("ENOMEM");
  });
});

test("the break does not move", () => {
  const mm = k.init.mm!;
  mm.start_brk = mm.brk = mm.end_brk = 0x500000;
  expect(k.sys("brk", 0)).toBe(0x500000);
  expect(k.sys("brk", 0x500001)).toBe(0x500000);
});

describe("nommu.map_fixed=own", () => {
  test("replaces what lies inside a mapping of the caller, and nothing else", () => {
    k.kernel.params = new Params("nommu.map_fixed=own");
    k.write_file("/f", "library");
    const a = anon(4);
    k.kernel.mem.u8.fill(1, a, a + 4 * PAGE);
    expect(mmap(a + PAGE, PAGE, R | X, PRIVATE | FIXED, open("/f", 0))).toBe(a + PAGE);
    expect(k.text(a + PAGE, 8)).toBe("library\0");
    expect(mmap(a + 2 * PAGE, PAGE, R | W, PRIVATE | ANON | FIXED)).toBe(a + 2 * PAGE);
    expect([a, a + 2 * PAGE, a + 3 * PAGE].map((at) => k.kernel.mem.u8[at])).toEqual([1, 0, 1]);
    expect(mmap(a + 3 * PAGE, 2 * PAGE, R, PRIVATE | ANON | FIXED)).toBe("EINVAL");
    expect(mmap(0x300000, PAGE, R, PRIVATE | ANON | FIXED)).toBe("EINVAL");
  });
  test("private mappings of a file that overlap: the second has a copy", () => {
    k.write_file("/f", "a".repeat(PAGE) + "b".repeat(PAGE) + "c".repeat(PAGE));
    const fd = open("/f", 0);
    k.kernel.params = new Params("nommu.map_fixed=own");
    const first = mmap(0, 2 * PAGE, R, PRIVATE, fd, 0) as number, second = mmap(0, 2 * PAGE, R, PRIVATE, fd, PAGE) as number;
    expect([k.text(first, 1), k.text(first + PAGE, 1), k.text(second, 1), k.text(second + PAGE, 1)]).toEqual(["a", "b", "b", "c"]);
  });
  test("mprotect and madvise, which are ENOSYS otherwise", () => {
    const a = anon(4);
    expect([k.sys("mprotect", a, PAGE, R), k.sys("madvise", a, PAGE, 4)]).toEqual(["ENOSYS", "ENOSYS"]);
    k.kernel.params = new Params("nommu.map_fixed=own");
    k.kernel.mem.u8.fill(1, a, a + 4 * PAGE);
    expect([k.sys("mprotect", a + PAGE, 100, R), k.sys("mprotect", a, 0, 0), k.sys("mprotect", a, 4 * PAGE, R | W | X)]).toEqual([0, 0, 0]);
    expect([k.sys("mprotect", a + 1, PAGE, R), k.sys("mprotect", a, 5 * PAGE, R), k.sys("mprotect", 0x300000, PAGE, R), k.sys("mprotect", a, PAGE, 0x100)]).toEqual(["EINVAL", "ENOMEM", "ENOMEM", "EINVAL"]);
    expect([k.sys("madvise", a + PAGE, PAGE, 4), k.sys("madvise", a, PAGE, 3), k.sys("madvise", a, PAGE, 1000), k.sys("madvise", a, 5 * PAGE, 0)]).toEqual([0, 0, "EINVAL", "ENOMEM"]);
    expect([0, 1, 2, 3].map((i) => k.kernel.mem.u8[a + i * PAGE])).toEqual([1, 0, 1, 1]);
  });
  test("mprotect for writing takes a file's mapping out of sharing", () => {
    k.kernel.params = new Params("nommu.map_fixed=own");
    k.write_file("/f", "library");
    const a = mmap(0, PAGE, R, PRIVATE, open("/f", 0)) as number;
    expect(mmap(0, PAGE, R, PRIVATE, open("/f", 0))).toBe(a);
    expect(k.sys("mprotect", a, PAGE, R | W)).toBe("EACCES");
    k.sys("munmap", a, PAGE);
    expect(k.sys("mprotect", a, PAGE, R | W)).toBe(0);
    expect(mmap(0, PAGE, R, PRIVATE, open("/f", 0))).not.toBe(a);
  });
});
