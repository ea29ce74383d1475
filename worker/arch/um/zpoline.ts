// arch/um/zpoline.ts — the rewriting: every `syscall` of a program and its interpreter becomes `call *%rax`.  cf. arch/x86/um/zpoline.c
//
// Code is decoded instruction by instruction, so that 0f 05 within another instruction is left alone. A site in a function that keeps data in
// its red zone is left too (the call would overwrite eight bytes of it): it stays a `syscall`, which traps. What was found is cached per file.
import type { Decoder } from "iced-x86";
import type { Iced } from "../../cpu/iced.ts";
import type { Inode } from "../../fs/fs.ts";
import type { ExecImage } from "../../kernel/arch.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task.ts";
import { code_map, type CodeRange } from "./code_ranges.ts";

/** zpoline= on the command line: rewrite at execve, at first use, or never. */
export type HookMode = "1" | "lazy" | "0";

/** Why a `syscall` instruction was left. */
export type Reason = "red zone";

export interface Site {
  /** from the lowest address of the image */
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
  readonly swept: boolean;
  /** the file when it was read: a change makes all this worthless */
  readonly version: number;
  readonly size: number;
  readonly dev: number;
  readonly ino: number;
  constructor(sites: Site[], instructions: number, skipped: number, swept: boolean, inode: Inode) {
    this.sites = sites;
    this.instructions = instructions;
    this.skipped = skipped;
    this.swept = swept;
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

/** One file as it was put into memory by the last execve of it: for /proc/zpoline and the page. */
export class TranslatedImage {
  readonly name: string;
  readonly base: number;
  readonly pid: number;
  readonly comm: string;
  readonly translation: Translation;
  constructor(name: string, base: number, pid: number, comm: string, translation: Translation) {
    this.name = name;
    this.base = base;
    this.pid = pid;
    this.comm = comm;
    this.translation = translation;
  }
}

/** State and counters; plain data. */
export class Zpoline {
  mode: HookMode;
  /** zpoline.check=1: a call through page 0 must come from a rewritten site */
  check = false;
  /** files translated, newest last; by name */
  readonly images = new Map<string, TranslatedImage>();
  /** addresses of rewritten sites, for zpoline.check and lazy mode */
  readonly rewritten = new Set<number>();
  /** calls that came in through page 0, and by a trapped `syscall` */
  calls = 0;
  trapped = 0;
  /** sites that lazy mode rewrote */
  lazily = 0;
  /** by system call number */
  readonly histogram = new Uint32Array(512);
  constructor(mode: HookMode) {
    this.mode = mode;
  }
}

const BYTES = { syscall: [0x0f, 0x05], sysenter: [0x0f, 0x34], call_rax: [0xff, 0xd0] } as const;
/** rsp-relative displacements below it are beyond the red zone */
const RED_ZONE = 128;

/** Finds the sites in [start, end) of memory. */
function scan(iced: Iced, u8: Uint8Array, range: CodeRange, functions: ReadonlySet<number>, base: number, out: { sites: Site[]; instructions: number; skipped: number }): void {
  const K = iced.Code;
  const RSP = iced.Register.RSP;
  const MEMORY = iced.OpKind.Memory;
  const code = u8.slice(range.start, range.end);
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
    if (functions.has(range.start + at)) close();
    const c = insn.code;
    if (c === K.Syscall || c === K.Sysenter) {
      // a prefix would stand where the opcode's first byte is written: such a site is left
      if (insn.length === 2) open.push(range.start + at - base);
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
  scan(iced, code, { start: 0, end: code.length }, new Set(), 0, out);
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

/** Sites of an image, from the cache or by decoding. The cache is keyed by inode and only holds what a new decoding would find. */
export function translate_image(iced: Iced, cache: WeakMap<Inode, Translation>, task: Task, image: ExecImage): Translation {
  const inode = image.file.f_inode!;
  const known = cache.get(inode);
  if (known !== undefined && known.version === inode.i_version && known.size === inode.i_size) return known;
  const base = image_base(image);
  const { ranges, functions, swept } = code_map(task, image);
  const out = { sites: [] as Site[], instructions: 0, skipped: 0 };
  for (const r of ranges) scan(iced, task.kernel.mem.u8, r, functions, base, out);
  const t = new Translation(out.sites.sort((a, b) => a.offset - b.offset), out.instructions, out.skipped, swept, inode);
  cache.set(inode, t);
  return t;
}

export const image_base = (image: ExecImage): number => image.segments.reduce((m, s) => Math.min(m, s.addr), Infinity);

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

/** execve's hook: program and interpreter.  cf. elf_arch_finalize_exec() */
export function zpoline_finalize_exec(iced: Iced, cache: WeakMap<Inode, Translation>, z: Zpoline, task: Task, images: readonly ExecImage[]): void {
  const { kernel } = task;
  if (z.mode !== "1") return;
  for (const image of images) {
    const base = image_base(image);
    const t = translate_image(iced, cache, task, image);
    for (const s of t.sites) if (s.left === undefined && is_site(kernel, base + s.offset)) rewrite_site(kernel, z, base + s.offset);
    // told once for each file: every later execve does the same. (Not by the cache: a restored machine has an empty one.)
    if (![...z.images.values()].some((i) => i.translation.same(t))) kernel.printk.info(described(image.name, t));
    z.images.delete(image.name);
    z.images.set(image.name, new TranslatedImage(image.name, base, task.pid, task.comm, t));
  }
}

/** The log's line about a file. */
function described(name: string, t: Translation): string {
  const left = t.sites.filter((s) => s.left !== undefined).length;
  const why = left === 0 ? "" : `, left ${left} (red zone)`;
  const guess = t.swept ? "; no section headers: linear sweep" : "";
  const skipped = t.skipped === 0 ? "" : `; nothing decodes at ${t.skipped} bytes`;
  return `zpoline: ${name}: rewritten ${t.sites.length - left} syscalls${why}${guess}${skipped}`;
}
