// arch/um/zpoline.test.ts — the translator on code that a careless one would spoil, and the trampoline.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile } from "../../../scripts/userspace/compile.ts";
import { loadIced } from "../../cpu/iced.ts";
import { elf_code } from "../../fs/binfmt_elf_fdpic.ts";
import type { File } from "../../fs/fs.ts";
import type { ExecImage } from "../../kernel/arch.ts";
import { FsKernel } from "../../test/fs_kernel.ts";
import { setup_zpoline_trampoline } from "./trampoline.ts";
import { code_map } from "./code_ranges.ts";
import { RewrittenSites, translate, Zpoline, zpoline_code_placed, zpoline_finalize_exec } from "./zpoline.ts";

const iced = await loadIced();
const BASE = 0x800000;
const PF_X = 1;

interface Section {
  readonly offset: number;
  readonly size: number;
  readonly exec: boolean;
}

/** An ELF-like file in memory and on disk: text, and section headers if `sections` are given. */
function image(k: FsKernel, text: number[], sections: readonly Section[] = [], path = "/prog"): ExecImage {
  const shoff = text.length;
  const file = new Uint8Array(text.length + 64 * sections.length);
  file.set(text);
  const v = new DataView(file.buffer);
  sections.forEach((s, i) => {
    const at = shoff + 64 * i;
    v.setUint32(at + 4, 1, true);
    v.setUint32(at + 8, s.exec ? 6 : 2, true);
    v.setUint32(at + 16, s.offset, true);
    v.setUint32(at + 24, s.offset, true);
    v.setUint32(at + 32, s.size, true);
  });
  k.write_file(path, String.fromCharCode(...file));
  k.kernel.mem.u8.set(text, BASE);
  const fd = k.sys("open", path, 0, 0) as number;
  const segment = { addr: BASE, p_vaddr: 0, p_offset: 0, p_filesz: text.length, p_memsz: text.length, p_flags: PF_X | 4 };
  return { file: k.init.files!.fget(fd), name: path, segments: [segment], e_shoff: sections.length > 0 ? shoff : 0, e_shnum: sections.length, eh_frame_hdr: undefined };
}
const sites = (text: number[], sections?: readonly Section[]): string[] => {
  const k = new FsKernel();
  return translate(iced, new WeakMap(), k.init, image(k, text, sections)).sites.map((s) => `${s.offset}${s.left === undefined ? "" : ` ${s.left}`}`);
};
const SYSCALL = [0x0f, 0x05];
const RET = 0xc3;

describe("the translator", () => {
  test("finds syscall and sysenter", () => {
    expect(sites([0xb8, 39, 0, 0, 0, ...SYSCALL, RET, 0x0f, 0x34, RET])).toEqual(["5", "8"]);
  });
  test("leaves their bytes alone within other instructions", () => {
    // mov $0x050f, %eax; lea 0x50f(%rip), %rax; add $0x0f, %al: movabs with the bytes in its immediate
    const text = [0xb8, ...SYSCALL, 0, 0, 0x48, 0x8d, 0x05, ...SYSCALL, 0, 0, 0x48, 0xb8, 1, 2, ...SYSCALL, 3, 4, 5, 6, ...SYSCALL, RET];
    expect(sites(text)).toEqual(["22"]);
  });
  test("leaves a site with prefixes", () => {
    expect(sites([0x48, ...SYSCALL, 0x66, ...SYSCALL, ...SYSCALL, RET])).toEqual(["6"]);
  });
  test("leaves a site in a function that uses its red zone", () => {
    const leaf = [0x89, 0x7c, 0x24, 0xf8, ...SYSCALL, 0x8b, 0x44, 0x24, 0xf8, RET, 0x90, 0x90, 0x90, 0x90, 0x90];
    expect(sites([...leaf, 0x0f, 0x1f, 0x00, ...SYSCALL, RET])).toEqual(["4 red zone", "19"]);
  });
  test("takes a site in a function that makes room on its stack", () => {
    // sub $0x20, %rsp; mov %edi, 8(%rsp)
    expect(sites([0x48, 0x83, 0xec, 0x20, 0x89, 0x7c, 0x24, 0x08, ...SYSCALL, 0x48, 0x83, 0xc4, 0x20, RET])).toEqual(["8"]);
  });
  test("does not look at data between sections of code", () => {
    const text = [...SYSCALL, RET, 0x90, ...SYSCALL, 1, 2, 3, 4, 5, 6, ...SYSCALL, RET];
    expect(sites(text, [{ offset: 0, size: 4, exec: true }, { offset: 4, size: 8, exec: false }, { offset: 12, size: 3, exec: true }])).toEqual(["0", "12"]);
  });
  test("without section headers sweeps the segment, and steps over what does not decode", () => {
    const k = new FsKernel();
    const t = translate(iced, new WeakMap(), k.init, image(k, [0x06, 0x07, ...SYSCALL, RET]));
    expect(t).toMatchObject({ source: "sweep", skipped: 2 });
    expect(t.sites.map((s) => s.offset)).toEqual([2]);
  });
});

describe("execve's hook", () => {
  const text = [0xb8, 39, 0, 0, 0, ...SYSCALL, RET];
  test("rewrites memory, not the file", () => {
    const k = new FsKernel();
    const z = new Zpoline("1");
    zpoline_finalize_exec(iced, new WeakMap(), z, k.init, [image(k, text)]);
    expect([...k.kernel.mem.u8.slice(BASE, BASE + 8)]).toEqual([0xb8, 39, 0, 0, 0, 0xff, 0xd0, RET]);
    expect(z.rewritten.list()).toEqual([BASE + 5]);
    expect(k.read_file("/prog")).toBe(String.fromCharCode(...text));
  });
  test("does nothing in the other modes", () => {
    for (const mode of ["0", "lazy"] as const) {
      const k = new FsKernel();
      zpoline_finalize_exec(iced, new WeakMap(), new Zpoline(mode), k.init, [image(k, text)]);
      expect([...k.kernel.mem.u8.slice(BASE, BASE + 8)]).toEqual(text);
    }
  });
  test("translates a file once, and again when it has changed", () => {
    const k = new FsKernel();
    const cache = new WeakMap();
    const first = translate(iced, cache, k.init, image(k, text));
    expect(translate(iced, cache, k.init, image(k, text, [], "/prog"))).not.toBe(first);
    const again = image(k, [...text, ...text]);
    const second = translate(iced, cache, k.init, again);
    expect(second.sites).toHaveLength(2);
    expect(translate(iced, cache, k.init, again)).toBe(second);
  });
});

describe("a library with a system call of its own", () => {
  const binary = new Uint8Array(readFileSync(compile("scripts/userspace/demo/parts/libsite.c", "-shared", "-fPIC", "-fasynchronous-unwind-tables", "-Wl,--eh-frame-hdr")));
  /** The library on disk, without its section headers if `stripped`. */
  const library = (k: FsKernel, stripped: boolean): File => {
    const bytes = binary.slice();
    if (stripped) bytes.fill(0, 40, 48).fill(0, 60, 64); // e_shoff; e_shnum, e_shstrndx
    k.write_file("/lib.so", String.fromCharCode(...bytes));
    return k.init.files!.fget(k.sys("open", "/lib.so", 0, 0) as number);
  };
  test("its functions are found by .eh_frame where section headers are missing", () => {
    const k = new FsKernel();
    const whole = code_map(k.init, elf_code(k.init, library(k, false), "lib")!);
    expect(whole.source).toBe("sections");
    const stripped = elf_code(k.init, library(k, true), "lib")!;
    const frames = code_map(k.init, stripped);
    expect(frames.source).toBe("eh_frame");
    // all that the symbol table calls a function of ours is there, and within code
    for (const f of frames.functions) expect(whole.ranges.some((r) => r.start <= f && f < r.end)).toBe(true);
    expect(translate(iced, new WeakMap(), k.init, stripped).sites).toHaveLength(1);
  });
  test("a part of it that is read to where it may run is translated", () => {
    const k = new FsKernel();
    const file = library(k, false);
    const z = new Zpoline("1");
    const [site] = translate(iced, new WeakMap(), k.init, elf_code(k.init, file, "lib")!).sites;
    const from = site!.offset - 100;
    for (const len of [101, 102, 200]) {
      k.kernel.mem.u8.set(binary.subarray(from, from + len), BASE);
      zpoline_code_placed(iced, new WeakMap(), z, k.init, file, { addr: BASE, offset: from, len });
      // one byte of it is not enough
      expect(z.rewritten.has(BASE + 100)).toBe(len >= 102);
    }
    expect([...k.kernel.mem.u8.slice(BASE + 100, BASE + 102)]).toEqual([0xff, 0xd0]);
    expect(z.images.get("/lib.so")!.address(site!)).toBe(BASE + 100);
  });
  test("what is no ELF file is left alone", () => {
    const k = new FsKernel();
    k.write_file("/data", String.fromCharCode(...SYSCALL));
    const file = k.init.files!.fget(k.sys("open", "/data", 0, 0) as number);
    const z = new Zpoline("1");
    zpoline_code_placed(iced, new WeakMap(), z, k.init, file, { addr: BASE, offset: 0, len: 2 });
    expect(z.images.size).toBe(0);
  });
});

test("the record of rewritten sites forgets memory that gets other contents", () => {
  const r = new RewrittenSites();
  for (const addr of [0x5000, 0x5ffe, 0x6000, 0x9000]) r.add(addr);
  r.add(0x5000);
  r.forget(0x5001, 1); // half of a site
  expect(r.list()).toEqual([0x5ffe, 0x6000, 0x9000]);
  r.forget(0x5000, 0x1000);
  expect(r.list()).toEqual([0x6000, 0x9000]);
  r.forget(0, 0x10000000);
  expect(r.list()).toEqual([]);
});

test("the trampoline: nops, the short jump, and the tail that pops the return address", () => {
  const k = new FsKernel();
  setup_zpoline_trampoline(k.kernel.mem);
  const { u8 } = k.kernel.mem;
  const decoder = new iced.Decoder(64, u8.slice(0, 4096), 0);
  const formatter = new iced.Formatter(iced.FormatterSyntax.Gas);
  const at = (offset: number): string => {
    decoder.position = offset;
    decoder.ip = BigInt(offset);
    return formatter.format(decoder.decode());
  };
  expect([0, 1, 213].map(at)).toEqual(["nop", "nop", "nop"]);
  expect(at(214)).toMatch(/^jmp .*157$/);
  expect([463, 473, 474].map(at)).toEqual([expect.stringMatching(/^mov(abs)? \$0x1000,%r11$/), "pop %rcx", "jmp *%r11"]);
});
