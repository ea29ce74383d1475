// fs/exec.test.ts — what execve refuses and with which errno; scripts; arguments; the stack of a new program.
import { beforeEach, describe, expect, test } from "vitest";
import type { Task } from "../kernel/task.ts";
import { FsKernel } from "../test/fs_kernel.ts";
import { Mm } from "../mm/mm_types.ts";

const PT_LOAD = 1, PT_DYNAMIC = 2, PT_INTERP = 3, PT_GNU_STACK = 0x6474e551;
const RX = 5, RW = 6;
interface Ph {
  readonly type: number;
  readonly flags?: number;
  readonly offset?: number;
  readonly vaddr?: number;
  readonly filesz?: number;
  readonly memsz?: number;
}
interface Elf {
  readonly type?: number;
  readonly machine?: number;
  readonly phentsize?: number;
  readonly phnum?: number;
  readonly cut?: number;
  readonly phdrs?: readonly Ph[];
  readonly text?: string;
}
const LOAD: Ph = { type: PT_LOAD, flags: RX, filesz: 0x200, memsz: 0x200 };

/** Bytes of an ELF file, as a byte string: headers, then `text` at 0x180. */
function elf(e: Elf = {}): string {
  const phdrs = e.phdrs ?? [LOAD];
  const b = new Uint8Array(0x200);
  const v = new DataView(b.buffer);
  b.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  v.setUint16(16, e.type ?? 3, true);
  v.setUint16(18, e.machine ?? 62, true);
  v.setUint32(24, 0x180, true);
  v.setUint32(32, 64, true);
  v.setUint16(54, e.phentsize ?? 56, true);
  v.setUint16(56, e.phnum ?? phdrs.length, true);
  phdrs.forEach((p, i) => {
    const at = 64 + 56 * i;
    v.setUint32(at, p.type, true);
    v.setUint32(at + 4, p.flags ?? 4, true);
    v.setUint32(at + 8, p.offset ?? 0, true);
    v.setUint32(at + 16, p.vaddr ?? 0, true);
    v.setUint32(at + 32, p.filesz ?? 0, true);
    v.setUint32(at + 40, p.memsz ?? p.filesz ?? 0, true);
  });
  [...(e.text ?? "")].forEach((c, i) => (b[0x180 + i] = c.charCodeAt(0)));
  return String.fromCharCode(...b.subarray(0, e.cut ?? b.length));
}

let k: FsKernel;
let started: { task: Task; ip: number; sp: number } | undefined;
beforeEach(() => {
  k = new FsKernel();
  k.init.mm = new Mm();
  started = undefined;
  Object.assign(k.kernel.arch, {
    elf_hwcap: 0x178bfbff, sysinfo_ehdr: 0, finalize_exec: (): void => {}, follows_code: false, code_placed: (): void => {},
    start_thread: (task: Task, ip: number, sp: number): void => {
      started = { task, ip, sp };
    },
  });
});
const put = (path: string, content: string, mode = 0o755): void => k.write_file(path, content, mode);
const vector = (...strings: string[]): number => {
  const at = strings.map((s) => k.str(s));
  const words = new Uint32Array([...at, 0].flatMap((a) => [a, 0]));
  return k.bytes(new Uint8Array(words.buffer));
};
const exec = (path: string, argv: string[] = [path], envp: string[] = []): number | string => k.sys("execve", k.str(path), vector(...argv), vector(...envp))!;
const u64 = (at: number): number => k.kernel.mem.view.getUint32(at, true) + k.kernel.mem.view.getUint32(at + 4, true) * 2 ** 32;
const cstring = (at: number): string => k.text(at, k.kernel.mem.u8.indexOf(0, at) - at);

describe("execve refuses", () => {
  const cases: [string, string | undefined, string][] = [
    ["what is not there", undefined, "ENOENT"],
    ["no known format", "just text\n", "ENOEXEC"],
    ["an empty file", "", "ENOEXEC"],
    ["a program for a fixed address", elf({ type: 2 }), "ENOEXEC"],
    ["an object file", elf({ type: 1 }), "ENOEXEC"],
    ["another machine's program", elf({ machine: 3 }), "ENOEXEC"],
    ["program headers of another size", elf({ phentsize: 32 }), "ENOMEM"],
    ["too many program headers", elf({ phnum: 1171 }), "ENOMEM"],
    ["headers that are cut off", elf({ cut: 100 }), "ENOEXEC"],
    ["a program with nothing to load", elf({ phdrs: [{ type: PT_GNU_STACK }] }), "ELIBBAD"],
    ["an interpreter that is not there", elf({ phdrs: [LOAD, { type: PT_INTERP, offset: 0x180, filesz: 8 }], text: "/no/ld\0\0" }), "ENOENT"],
    ["an interpreter without end", elf({ phdrs: [LOAD, { type: PT_INTERP, offset: 0x180, filesz: 4 }], text: "/lib" }), "ENOENT"],
    ["an interpreter's name without length", elf({ phdrs: [LOAD, { type: PT_INTERP, offset: 0x180, filesz: 1 }] }), "ENOENT"],
    ["an interpreter's name of a page and more", elf({ phdrs: [LOAD, { type: PT_INTERP, offset: 0x180, filesz: 4097 }] }), "ENOMEM"],
    ["an interpreter that is no program", elf({ phdrs: [LOAD, { type: PT_INTERP, offset: 0x180, filesz: 5 }], text: "/txt\0" }), "ELIBBAD"],
    ["a script without interpreter", "#!\n", "ENOEXEC"],
    ["a script whose interpreter is not there", "#!/no/such\n", "ENOENT"],
    ["scripts in a circle", "#!/prog\n", "ELOOP"],
  ];
  for (const [what, content, errno] of cases)
    test(`${what}: ${errno}`, () => {
      put("/txt", "text");
      if (content !== undefined) put("/prog", content);
      const mm = k.init.mm;
      expect(exec("/prog")).toBe(errno);
      // the old program is still there, and nothing is left open or locked
      expect(k.init.mm).toBe(mm);
      expect(started).toBeUndefined();
      if (content !== undefined) expect(k.sys("open", "/prog", 1, 0)).toBeTypeOf("number");
    });
  test("what may not be executed: EACCES", () => {
    put("/prog", elf(), 0o644);
    expect(exec("/prog")).toBe("EACCES");
    k.sys("mkdir", "/dir", 0o755);
    expect(exec("/dir")).toBe("EACCES");
  });
  test("a file that is open for writing: ETXTBSY", () => {
    put("/prog", elf());
    const fd = k.sys("open", "/prog", 1, 0) as number;
    expect(exec("/prog")).toBe("ETXTBSY");
    k.sys("close", fd);
    expect(exec("/prog")).toBe(0);
    expect(k.sys("open", "/prog", 1, 0)).toBe("ETXTBSY");
  });
  test("more than 128 KiB of arguments: E2BIG", () => {
    put("/prog", elf({ phdrs: [LOAD, { type: PT_GNU_STACK, flags: RW, memsz: 0x40000 }] }));
    const long = "x".repeat(4000);
    expect(exec("/prog", Array.from({ length: 33 }, () => long))).toBe("E2BIG");
    expect(exec("/prog", Array.from({ length: 30 }, () => long))).toBe(0);
  });
});

describe("a new program", () => {
  test("begins at its entry with argc, argv, envp and the auxiliary vector of the port on its stack", () => {
    put("/prog", elf({ phdrs: [LOAD, { type: PT_LOAD, flags: RW, offset: 0x180, vaddr: 0x2180, filesz: 0x80, memsz: 0x1000 }, { type: PT_GNU_STACK, flags: RW, memsz: 0x8000 }] }));
    expect(exec("/prog", ["prog", "one", ""], ["A=b"])).toBe(0);
    const { ip, sp } = started!;
    const mm = k.init.mm!;
    const [image, stack] = [mm.vmas.find((v) => v.vm_start <= ip && ip < v.vm_end)!, mm.vmas.find((v) => v.vm_start <= sp && sp < v.vm_end)!];
    expect(ip).toBe(image.vm_start + 0x180);
    // one block for the whole file, readable, writable and executable
    expect([image.vm_end - image.vm_start, image.vm_flags & 7]).toEqual([0x4000, 7]);
    expect(stack.vm_end - stack.vm_start).toBe(0x8000);
    expect([mm.brk, mm.start_brk]).toEqual([stack.vm_start, stack.vm_start]);
    expect(sp % 16).toBe(0);
    expect(u64(sp)).toBe(3);
    expect([8, 16, 24].map((o) => cstring(u64(sp + o)))).toEqual(["prog", "one", ""]);
    expect([u64(sp + 32), cstring(u64(sp + 40)), u64(sp + 48)]).toEqual([0, "A=b", 0]);
    const auxv = new Map<number, number>();
    const order: number[] = [];
    for (let at = sp + 56; ; at += 16) {
      order.push(u64(at));
      auxv.set(u64(at), u64(at + 8));
      if (u64(at) === 0) break;
    }
    // MINSIGSTKSZ HWCAP PAGESZ CLKTCK PHDR PHENT PHNUM BASE FLAGS ENTRY UID EUID GID EGID SECURE EXECFN PLATFORM NULL: no AT_RANDOM
    expect(order).toEqual([51, 16, 6, 17, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 23, 31, 15, 0]);
    expect([auxv.get(3), auxv.get(4), auxv.get(5), auxv.get(9), auxv.get(7)]).toEqual([image.vm_start + 64, 56, 3, ip, 0]);
    expect([cstring(auxv.get(31)!), cstring(auxv.get(15)!)]).toEqual(["/prog", "x86_64"]);
  });
  test("has 128 KiB of stack if it does not say, and at least two pages", () => {
    put("/a", elf());
    exec("/a");
    expect(k.init.mm!.stack_size).toBe(131072);
    put("/b", elf({ phdrs: [LOAD, { type: PT_GNU_STACK, memsz: 16 }] }));
    exec("/b");
    expect(k.init.mm!.stack_size).toBe(8192);
  });
  test("a dynamic section that does not end: ELIBBAD", () => {
    put("/d", elf({ phdrs: [LOAD, { type: PT_DYNAMIC, offset: 0x180, filesz: 24, memsz: 24 }] }));
    expect(exec("/d")).toBe("ELIBBAD");
  });
  test("closes what is marked, keeps the rest; its name is the file's", () => {
    put("/some-very-long-name", elf());
    put("/f", "x");
    const kept = k.sys("open", "/f", 0, 0) as number;
    const closed = k.sys("open", "/f", 0o2000000, 0) as number;
    exec("/some-very-long-name");
    expect(k.init.comm).toBe("some-very-long-");
    expect(k.sys("fcntl", kept, 1)).toBe(0);
    expect(k.sys("fcntl", closed, 1)).toBe("EBADF");
  });
  test("an empty argument vector becomes one empty string", () => {
    put("/prog", elf());
    exec("/prog", []);
    expect(u64(started!.sp)).toBe(1);
    expect(cstring(u64(started!.sp + 8))).toBe("");
  });
  test("gives back every page of the old one", () => {
    put("/prog", elf());
    exec("/prog");
    const free = k.kernel.pages.nr_free;
    for (let i = 0; i < 5; i++) exec("/prog");
    expect(k.kernel.pages.nr_free).toBe(free);
  });
});

test("scripts: the interpreter, its one argument, the script, the rest", () => {
  put("/bin-sh", elf());
  put("/script", "#! /bin-sh  -e  -x \nexit\n");
  expect(exec("/script", ["name", "a", "b"])).toBe(0);
  const { sp } = started!;
  expect(Array.from({ length: u64(sp) }, (_, i) => cstring(u64(sp + 8 + 8 * i)))).toEqual(["/bin-sh", "-e  -x", "/script", "a", "b"]);
  expect(k.init.comm).toBe("script");
});

describe("set-user-ID", () => {
  const DAC_OVERRIDE = 1;
  const become_user = (): void => {
    expect(k.sys("setresuid", 1000, 1000, 1000)).toBe(0);
    expect(k.init.cred.cap_effective.has(DAC_OVERRIDE)).toBe(false);
  };
  const setid = (path: string, content: string): void => {
    put(path, content);
    expect(k.sys("chmod", path, 0o4755)).toBe(0);
  };
  test("a program of root's runs as root, with root's capabilities", () => {
    setid("/prog", elf());
    become_user();
    expect(exec("/prog")).toBe(0);
    const { cred } = k.init;
    expect([cred.uid, cred.euid, cred.suid, cred.fsuid]).toEqual([1000, 0, 0, 0]);
    expect(cred.cap_effective.has(DAC_OVERRIDE)).toBe(true);
    expect(k.init.mm!.dumpable).toBe(0);
  });
  test("an ordinary program stays the user's; PR_SET_NO_NEW_PRIVS and scripts make the bit count for nothing", () => {
    put("/plain", elf());
    setid("/script", "#!/plain\n");
    setid("/prog", elf());
    become_user();
    for (const path of ["/plain", "/script"]) {
      expect(exec(path)).toBe(0);
      expect(k.init.cred.euid).toBe(1000);
      expect(k.init.mm!.dumpable).toBe(1);
    }
    expect(k.sys("prctl", 38, 1)).toBe(0);
    expect(exec("/prog")).toBe(0);
    expect(k.init.cred.euid).toBe(1000);
    expect(k.init.cred.cap_effective.has(DAC_OVERRIDE)).toBe(false);
  });
});
