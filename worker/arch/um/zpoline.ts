// arch/um/zpoline.ts — the rewriting: every `syscall` of a program and its interpreter becomes `call *%rax`.  cf. arch/x86/um/zpoline.c
//
// Code is decoded instruction by instruction, so that 0f 05 within another instruction is left alone. A site in a function that keeps data in
// its red zone is left too (the call would overwrite eight bytes of it): it stays a `syscall`, which traps. What was found is cached per file, so it is
// told by offsets in the file: execve, mmap and read put the same bytes at any address.
import type { Decoder } from "iced-x86";
import type { Iced } from "../../cpu/iced.ts";
import type { File, Inode } from "../../fs/fs.ts";
import { d_path } from "../../fs/dcache.ts";
import { elf_code } from "../../fs/binfmt_elf_fdpic.ts";
import { Errno } from "../../include/uapi/errno.ts";
import type { ElfCode, ExecImage } from "../../kernel/arch.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { PAGE_SIZE } from "../../mm/page_alloc.ts";
import { code_map, read_at, type CodeSource } from "./code_ranges.ts";

/** zpoline= on the command line: rewrite at execve, at first use, or never. */
export type HookMode = "1" | "lazy" | "0";

/** Why a `syscall` instruction was left. */
export type Reason = "red zone";

export interface Site {
  /** in the file */
  readonly offset: number;
  /** undefined: it is rewritten */
  readonly left: Reason | undefined;
}

/** What is known of a file's code. */
export class Translation {
  readonly sites: Site[];
  /** instructions decoded to find them */
  readonly instructions: number;
  /** bytes at which nothing could be decoded */
  readonly skipped: number;
  /** what told where its code is */
  readonly source: CodeSource;
  /** the file when it was read: a change makes all this worthless */
  readonly version: number;
  readonly size: number;
  readonly dev: number;
  readonly ino: number;
  constructor(sites: Site[], instructions: number, skipped: number, source: CodeSource, inode: Inode) {
    this.sites = sites;
    this.instructions = instructions;
    this.skipped = skipped;
    this.source = source;
    this.version = inode.i_version;
    this.size = inode.i_size;
    this.dev = inode.i_sb.s_dev;
    this.ino = inode.i_ino;
  }
  /** of the same file, unchanged? */
  same(o: Translation): boolean {
    return this.ino === o.ino && this.dev === o.dev && this.version === o.version && this.size === o.size;
  }
}

/** `len` bytes of a file from `offset` on, at `addr`. */
export interface Piece {
  readonly addr: number;
  readonly offset: number;
  readonly len: number;
}

/** One file as it was put into memory last, by an execve or (zpoline.scope=all) a mmap or read: for /proc/zpoline and the page. */
export class TranslatedImage {
  readonly name: string;
  readonly pid: number;
  readonly comm: string;
  readonly translation: Translation;
  readonly pieces: Piece[];
  constructor(name: string, task: Task, translation: Translation, pieces: Piece[]) {
    this.name = name;
    this.pid = task.pid;
    this.comm = task.comm;
    this.translation = translation;
    this.pieces = pieces;
  }
  /** the lowest address */
  get base(): number {
    return this.pieces.reduce((m, p) => Math.min(m, p.addr), Infinity);
  }
  /** Where a site is in memory; undefined: its part of the file is not there. */
  address(site: Site): number | undefined {
    const p = this.pieces.find((q) => q.offset <= site.offset && site.offset + 2 <= q.offset + q.len);
    return p && p.addr + site.offset - p.offset;
  }
}

/** Addresses that hold a `call *%rax` of ours, by page: pages are given back and used again. */
export class RewrittenSites {
  private readonly pages = new Map<number, Set<number>>();
  /** bit n: page n may have some. Each read(2) asks, and few pages do. */
  private marks = new Uint32Array(0);
  add(addr: number): void {
    this.in_page(Math.floor(addr / PAGE_SIZE)).add(addr);
  }
  /** The same of many: neighbours are next to each other. */
  add_all(addrs: readonly number[]): void {
    let page = -1, known: Set<number> | undefined;
    for (const addr of addrs) {
      const p = Math.floor(addr / PAGE_SIZE);
      if (known === undefined || p !== page) known = this.in_page((page = p));
      known.add(addr);
    }
  }
  /** Those of a page, which may have some from now on. */
  private in_page(page: number): Set<number> {
    let known = this.pages.get(page);
    const word = page >>> 5;
    if (word >= this.marks.length) {
      const more = new Uint32Array(2 * word + 1);
      more.set(this.marks);
      this.marks = more;
    }
    this.marks[word] = this.marks[word]! | (1 << (page & 31));
    if (known === undefined) this.pages.set(page, (known = new Set()));
    return known;
  }
  has(addr: number): boolean {
    return this.pages.get(Math.floor(addr / PAGE_SIZE))?.has(addr) ?? false;
  }
  /** The memory gets other contents. */
  forget(addr: number, len: number): void {
    const first = Math.floor(addr / PAGE_SIZE);
    const end = Math.ceil((addr + len) / PAGE_SIZE);
    if (end - first === 1 && ((this.marks[first >>> 5] ?? 0) & (1 << (first & 31))) === 0) return;
    if (end - first > this.pages.size) for (const page of [...this.pages.keys()]) this.forget_in(page, first, end, addr, len);
    else for (let page = first; page < end; page++) this.forget_in(page, first, end, addr, len);
  }
  private forget_in(page: number, first: number, end: number, addr: number, len: number): void {
    if (page < first || page >= end) return;
    if (page * PAGE_SIZE >= addr && (page + 1) * PAGE_SIZE <= addr + len) {
      this.pages.delete(page);
      this.unmark(page);
      return;
    }
    const known = this.pages.get(page);
    if (known === undefined) return;
    for (const a of known) if (a + 2 > addr && a < addr + len) known.delete(a);
    if (known.size > 0) return;
    this.pages.delete(page);
    this.unmark(page);
  }
  private unmark(page: number): void {
    const word = page >>> 5;
    if (word < this.marks.length) this.marks[word] = this.marks[word]! & ~(1 << (page & 31));
  }
  list(): number[] {
    return [...this.pages.values()].flatMap((known) => [...known]).sort((a, b) => a - b);
  }
}

/** zpoline.scope=: what is translated beside program and interpreter: nothing (the seed), or libraries too. */
export type Scope = "exec,interp" | "all";

/** State and counters; plain data. */
export class Zpoline {
  mode: HookMode;
  scope: Scope = "exec,interp";
  /** zpoline.check=1: a call through page 0 must come from a rewritten site */
  check = false;
  /** files translated, newest last; by name */
  readonly images = new Map<string, TranslatedImage>();
  readonly rewritten = new RewrittenSites();
  /** calls that came in by a trapped `syscall`; through page 0, but not from a site (zpoline.check=1) */
  trapped = 0;
  strays = 0;
  /** sites that lazy mode rewrote */
  lazily = 0;
  constructor(mode: HookMode) {
    this.mode = mode;
  }
}

const BYTES = { syscall: [0x0f, 0x05], sysenter: [0x0f, 0x34], call_rax: [0xff, 0xd0] } as const;
/** rsp-relative displacements below it are beyond the red zone */
const RED_ZONE = 128;

/** Finds the sites in `code`, which is at `start` in its file. */
function scan(iced: Iced, code: Uint8Array, start: number, functions: ReadonlySet<number>, out: { sites: Site[]; instructions: number; skipped: number }): void {
  const K = iced.Code;
  const RSP = iced.Register.RSP;
  const MEMORY = iced.OpKind.Memory;
  // most code has no site at all: a look at the bytes is cheaper than decoding
  if (!hasCandidate(code)) return;
  const decoder: Decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
  const insn = new iced.Instruction();
  /** sites of the function that the sweep is in, and whether it has used its red zone */
  let open: number[] = [];
  let red = false;
  let adjusted = false;
  const close = (): void => {
    for (const offset of open) out.sites.push({ offset, left: red ? "red zone" : undefined });
    open = [];
    red = false;
    adjusted = false;
  };
  while (decoder.canDecode) {
    const at = decoder.position;
    decoder.decodeOut(insn);
    if (insn.code === K.INVALID) {
      out.skipped++;
      decoder.position = at + 1;
      continue;
    }
    out.instructions++;
    if (functions.has(start + at)) close();
    const c = insn.code;
    if (c === K.Syscall || c === K.Sysenter) {
      // a prefix would stand where the opcode's first byte is written: such a site is left
      if (insn.length === 2) open.push(start + at);
      continue;
    }
    const flow = insn.flowControl;
    if (flow === iced.FlowControl.Return || flow === iced.FlowControl.UnconditionalBranch || flow === iced.FlowControl.IndirectBranch || c === K.Hlt || c === K.Ud2) {
      // functions end at a return or a jump that alignment or padding follows; one in the middle does not
      if (endsFunction(code, decoder.position)) close();
      else adjusted = false;
      continue;
    }
    // sub $n, %rsp and push make room: what is below rsp then is no red zone of a leaf function
    if (!adjusted && insn.op0Kind === iced.OpKind.Register && insn.op0Register === RSP) adjusted = true;
    else if (!adjusted && !red && insn.opCount > 0 && insn.memoryBase === RSP && usesMemory(insn, MEMORY)) {
      const d = BigInt.asIntN(64, insn.memoryDisplacement);
      if (d < 0n && d >= BigInt(-RED_ZONE)) red = true;
    }
  }
  close();
  insn.free();
  decoder.free();
}

/** The sites in a piece of code that is one range, without symbols: for tests. */
export function scan_bytes(iced: Iced, code: Uint8Array): Site[] {
  const out = { sites: [] as Site[], instructions: 0, skipped: 0 };
  scan(iced, code, 0, new Set(), out);
  return out.sites;
}

function usesMemory(insn: { op0Kind: number; op1Kind: number; op2Kind: number }, memory: number): boolean {
  return insn.op0Kind === memory || insn.op1Kind === memory || insn.op2Kind === memory;
}
function hasCandidate(code: Uint8Array): boolean {
  for (let i = code.indexOf(0x0f); i >= 0; i = code.indexOf(0x0f, i + 1)) if (code[i + 1] === 0x05 || code[i + 1] === 0x34) return true;
  return false;
}
/** Padding, or the 16-byte boundary that functions begin at. */
function endsFunction(code: Uint8Array, at: number): boolean {
  const b = code[at];
  return at >= code.length || at % 16 === 0 || b === 0x90 || b === 0xcc || b === 0x66 || (b === 0x0f && code[at + 1] === 0x1f) || (b === 0xf3 && code[at + 1] === 0x0f);
}

/** Sites of a file, from the cache or by decoding. The cache is keyed by inode and only holds what a new decoding would find. */
export function translate(iced: Iced, cache: WeakMap<Inode, Translation>, task: Task, elf: ElfCode): Translation {
  const inode = elf.file.f_inode!;
  const known = cache.get(inode);
  if (known !== undefined && known.version === inode.i_version && known.size === inode.i_size) return known;
  const { ranges, functions, source } = code_map(task, elf);
  const out = { sites: [] as Site[], instructions: 0, skipped: 0 };
  for (const r of ranges) {
    const code = read_at(task, elf, r.start, r.end - r.start);
    if (code !== undefined) scan(iced, new Uint8Array(code.buffer), r.start, functions, out);
  }
  const t = new Translation(out.sites.sort((a, b) => a.offset - b.offset), out.instructions, out.skipped, source, inode);
  cache.set(inode, t);
  return t;
}

/** Writes `call *%rax` over a site. */
export function rewrite_site(kernel: Kernel, z: Zpoline, addr: number): void {
  kernel.mem.u8.set(BYTES.call_rax, addr);
  kernel.arch.flush_icache_range(addr, 2);
  z.rewritten.add(addr);
}

/** Is there a `syscall` or `sysenter` at `addr`? */
export function is_site(kernel: Kernel, addr: number): boolean {
  const { u8 } = kernel.mem;
  return u8[addr] === BYTES.syscall[0] && (u8[addr + 1] === BYTES.syscall[1] || u8[addr + 1] === BYTES.sysenter[1]);
}

/** Is `addr` a site that was rewritten, and still is? (The program may have written something else there.) */
export function is_rewritten(kernel: Kernel, z: Zpoline, addr: number): boolean {
  const { u8 } = kernel.mem;
  return z.rewritten.has(addr) && u8[addr] === BYTES.call_rax[0] && u8[addr + 1] === BYTES.call_rax[1];
}

/** Rewrites the sites of a file in those parts of it that are in memory. */
function rewrite(kernel: Kernel, z: Zpoline, image: TranslatedImage, pieces: readonly Piece[]): void {
  const { u8 } = kernel.mem;
  for (const p of pieces) {
    const found: number[] = [];
    for (const s of image.translation.sites) {
      const addr = p.addr + s.offset - p.offset;
      if (s.left !== undefined || s.offset < p.offset || s.offset + 2 > p.offset + p.len || !is_site(kernel, addr)) continue;
      u8[addr] = BYTES.call_rax[0];
      u8[addr + 1] = BYTES.call_rax[1];
      found.push(addr);
    }
    if (found.length === 0) continue;
    // all at once: a file has hundreds
    kernel.arch.flush_icache_range(found[0]!, found[found.length - 1]! + 2 - found[0]!);
    z.rewritten.add_all(found);
  }
  // told once for each file: every later execve does the same. (Not by the cache: a restored machine has an empty one.)
  if (![...z.images.values()].some((i) => i.translation.same(image.translation))) kernel.printk.info(described(image.name, image.translation));
  z.images.delete(image.name);
  z.images.set(image.name, image);
}

/** execve's hook: program and interpreter.  cf. elf_arch_finalize_exec() */
export function zpoline_finalize_exec(iced: Iced, cache: WeakMap<Inode, Translation>, z: Zpoline, task: Task, images: readonly ExecImage[]): void {
  if (z.mode !== "1") return;
  for (const image of images) {
    const pieces = image.segments.map((s) => ({ addr: s.addr, offset: s.p_offset, len: s.p_filesz }));
    rewrite(task.kernel, z, new TranslatedImage(image.name, task, translate(iced, cache, task, image), pieces), pieces);
  }
}

/** zpoline.scope=all: a part of a file was mapped or read to where it may be executed, as dynamic linkers do with libraries. */
export function zpoline_code_placed(iced: Iced, cache: WeakMap<Inode, Translation>, z: Zpoline, task: Task, file: File, piece: Piece): void {
  const name = file.f_path === undefined ? "?" : d_path(file.f_path, undefined).text;
  let elf: ElfCode | undefined;
  try {
    elf = elf_code(task, file, name);
  } catch (e) {
    if (!(e instanceof Errno)) throw e;
  }
  if (elf === undefined) return;
  const translation = translate(iced, cache, task, elf);
  const known = z.images.get(name);
  const pieces = known !== undefined && known.pid === task.pid && known.translation === translation ? [...known.pieces, piece] : [piece];
  rewrite(task.kernel, z, new TranslatedImage(name, task, translation, pieces), [piece]);
}

const TOLD_BY: Record<CodeSource, string> = { sections: "", eh_frame: "; no section headers: functions by .eh_frame", sweep: "; no section headers: linear sweep" };

/** The log's line about a file. */
function described(name: string, t: Translation): string {
  const left = t.sites.filter((s) => s.left !== undefined).length;
  const why = left === 0 ? "" : `, left ${left} (red zone)`;
  const skipped = t.skipped === 0 ? "" : `; nothing decodes at ${t.skipped} bytes`;
  return `zpoline: ${name}: rewritten ${t.sites.length - left} syscalls${why}${TOLD_BY[t.source]}${skipped}`;
}
