// fs/binfmt_elf_fdpic.ts — loads position-independent ELF programs without an MMU.  cf. fs/binfmt_elf_fdpic.c
//
// Each file becomes one private block from its lowest address to its highest, readable, writable and executable as a whole: there is nothing that could
// protect parts of it. What x86 has no FDPIC ABI for (load maps in registers) is on the stack all the same, as Linux puts it.
import { E2BIG, EINVAL, ELIBBAD, ENOENT, ENOEXEC, ENOMEM } from "../include/uapi/errno.ts";
import {
  AT_BASE, AT_CLKTCK, AT_EGID, AT_ENTRY, AT_EUID, AT_EXECFN, AT_FLAGS, AT_GID, AT_HWCAP, AT_MINSIGSTKSZ, AT_NULL, AT_PAGESZ, AT_PHDR, AT_PHENT, AT_PHNUM,
  AT_PLATFORM, AT_RANDOM, AT_SECURE, AT_SYSINFO_EHDR, AT_UID, ELF_HEADER_SIZE, ELF_PHDR_SIZE, EM_X86_64, ET_DYN, ET_EXEC, PF_W, PF_X, PT_DYNAMIC, PT_GNU_EH_FRAME, PT_GNU_STACK, PT_INTERP, PT_LOAD,
} from "../include/uapi/elf.ts";
import type { ElfCode, ExecImage, ExecSegment } from "../kernel/arch.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { memparse } from "../kernel/params.ts";
import type { Task } from "../kernel/task.ts";
import type { Mm } from "../mm/mm_types.ts";
import { VM_EXEC, VM_MAYEXEC, VM_MAYREAD, VM_MAYWRITE, VM_READ, VM_WRITE, VmArea } from "../mm/mm_types.ts";
import { fixed_fits, map_fixed } from "../mm/fixed.ts";
import { owns } from "../mm/nommu.ts";
import { VmRegion } from "../mm/nommu_types.ts";
import { PAGE_ALIGN, PAGE_SIZE } from "../mm/page_alloc.ts";
import type { LinuxBinprm } from "./binprm.ts";
import type { File } from "./fs.ts";
import { memset } from "../lib/bytes.ts";

/** stack of a program that does not say how much it wants */
const DEFAULT_STACK = 131072;
/** nothing is loaded where page 0 and the kernel's entry are */
const LOWEST_SEGMENT = 0x1100;

interface Phdr {
  readonly p_type: number;
  readonly p_flags: number;
  readonly p_offset: number;
  readonly p_vaddr: number;
  readonly p_filesz: number;
  readonly p_memsz: number;
}

/** What is known of a file before anything is loaded. */
export interface ElfFile {
  readonly file: File;
  readonly name: string;
  readonly e_type: number;
  readonly e_entry: number;
  readonly e_phoff: number;
  readonly e_shoff: number;
  readonly e_shnum: number;
  readonly phdrs: readonly Phdr[];
  readonly stack_size: number;
}

function read_exact(task: Task, file: File, pos: number, len: number): Uint8Array | undefined {
  const buf = new Uint8Array(len);
  let n = 0;
  while (n < len) {
    const got = file.f_op.read(file, task, buf, n, len - n, pos + n);
    if (got === 0) return undefined;
    n += got;
  }
  return buf;
}

/** Reads and checks the headers. Throws what `is_elf` and elf_fdpic_fetch_phdrs() say; undefined: not such a file. */
export function fetch_elf(task: Task, file: File, name: string, head: Uint8Array): ElfFile | undefined {
  const v = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < ELF_HEADER_SIZE || v.getUint32(0) !== 0x7f454c46) return undefined;
  const u64 = (at: number): number => v.getUint32(at, true) + v.getUint32(at + 4, true) * 0x100000000;
  const e_type = v.getUint16(16, true);
  if ((e_type !== ET_EXEC && e_type !== ET_DYN) || v.getUint16(18, true) !== EM_X86_64 || head[4] !== 2) return undefined;
  if (file.f_op.mmap_capabilities === false) return undefined;
  const e_phoff = u64(32);
  const phnum = v.getUint16(56, true);
  if (v.getUint16(54, true) !== ELF_PHDR_SIZE || phnum > 65536 / ELF_PHDR_SIZE) throw ENOMEM;
  const raw = read_exact(task, file, e_phoff, phnum * ELF_PHDR_SIZE);
  if (raw === undefined) throw ENOEXEC;
  const pv = new DataView(raw.buffer);
  const p64 = (at: number): number => pv.getUint32(at, true) + pv.getUint32(at + 4, true) * 0x100000000;
  const phdrs: Phdr[] = [];
  let stack_size = 0;
  for (let i = 0, at = 0; i < phnum; i++, at += ELF_PHDR_SIZE) {
    const p = { p_type: pv.getUint32(at, true), p_flags: pv.getUint32(at + 4, true), p_offset: p64(at + 8), p_vaddr: p64(at + 16), p_filesz: p64(at + 32), p_memsz: p64(at + 40) };
    if (p.p_type === PT_GNU_STACK) stack_size = p.p_memsz;
    phdrs.push(p);
  }
  return { file, name, e_type, e_entry: u64(24), e_phoff, e_shoff: u64(40), e_shnum: v.getUint16(60, true), phdrs, stack_size };
}

/** Path of the interpreter, undefined if it needs none. Throws ENOMEM, ENOENT, EIO-like ENOEXEC. */
export function elf_interpreter(task: Task, elf: ElfFile): string | undefined {
  const p = elf.phdrs.find((h) => h.p_type === PT_INTERP);
  if (p === undefined) return undefined;
  if (p.p_filesz > PAGE_SIZE) throw ENOMEM;
  if (p.p_filesz < 2) throw ENOENT;
  const bytes = read_exact(task, elf.file, p.p_offset, p.p_filesz);
  if (bytes === undefined) throw ENOEXEC;
  if (bytes[bytes.length - 1] !== 0) throw ENOENT;
  return Array.from(bytes.subarray(0, bytes.indexOf(0)), (c) => String.fromCharCode(c)).join("");
}

/** Can it be where it wants to be? One that can be anywhere can. */
export function elf_fits(task: Task, elf: ElfFile): boolean {
  const { base, top } = elf_span(elf);
  return elf.e_type === ET_DYN || fixed_fits(task.kernel, `${task.comm}[${task.pid}]: ${elf.name}`, base, PAGE_ALIGN(top));
}

/** Refuses what could not be loaded, before the old program is given up. */
export function check_elf(elf: ElfFile): void {
  const loads = elf.phdrs.filter((p) => p.p_type === PT_LOAD);
  if (loads.length === 0) throw ELIBBAD;
  const dynamic = elf.phdrs.find((p) => p.p_type === PT_DYNAMIC);
  if (dynamic !== undefined && dynamic.p_memsz % 16 !== 0) throw ELIBBAD;
}

interface Loaded extends ExecImage {
  readonly start: number;
  readonly end: number;
  readonly entry: number;
  readonly phdr: number;
  readonly header: number;
  readonly phnum: number;
}

function map_anonymous(kernel: Kernel, mm: Mm, len: number, flags: number): VmArea {
  const run = kernel.pages.alloc_run(len / PAGE_SIZE);
  if (run === undefined) throw ENOMEM;
  kernel.regions.mmap_pages_allocated += run.total;
  const vm_flags = flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
  const region = new VmRegion(vm_flags, run.addr, run.addr + len, run.addr + run.total * PAGE_SIZE, 0, undefined, false);
  const vma = new VmArea(run.addr, run.addr + len, vm_flags, 0, undefined, region);
  kernel.regions.all.add(region);
  kernel.arch.flush_icache_range(run.addr, run.total * PAGE_SIZE);
  mm.insert_vma(vma);
  return vma;
}

function eh_frame_hdr(elf: ElfFile): number | undefined {
  return elf.phdrs.find((p) => p.p_type === PT_GNU_EH_FRAME)?.p_vaddr;
}

/** What a file that was not loaded by execve tells of its code; undefined: it is no ELF file of ours. */
export function elf_code(task: Task, file: File, name: string): ElfCode | undefined {
  const head = read_exact(task, file, 0, ELF_HEADER_SIZE);
  const elf = head && fetch_elf(task, file, name, head);
  if (elf === undefined) return undefined;
  return { file, name, segments: elf.phdrs.filter((p) => p.p_type === PT_LOAD), e_shoff: elf.e_shoff, e_shnum: elf.e_shnum, eh_frame_hdr: eh_frame_hdr(elf) };
}

/** Where a file wants to be: for ET_EXEC addresses, the first on a page boundary; for ET_DYN only the distance counts. */
function elf_span(elf: ElfFile): { base: number; top: number } {
  const loads = elf.phdrs.filter((p) => p.p_type === PT_LOAD);
  const base = loads.reduce((m, p) => Math.min(m, p.p_vaddr), Infinity);
  return { base: elf.e_type === ET_EXEC ? base - (base % PAGE_SIZE) : base, top: loads.reduce((m, p) => Math.max(m, p.p_vaddr + p.p_memsz), 0) };
}

/** One block for the whole file, its segments read into place, the rest zero.  cf. elf_fdpic_map_file_constdisp_on_uclinux() */
function map_file(task: Task, mm: Mm, elf: ElfFile): Loaded {
  const kernel = task.kernel;
  const loads = elf.phdrs.filter((p) => p.p_type === PT_LOAD);
  const { base, top } = elf_span(elf);
  const vma = elf.e_type === ET_EXEC ? map_fixed(kernel, mm, base, PAGE_ALIGN(top)) : map_anonymous(kernel, mm, PAGE_ALIGN(top - base), VM_READ | VM_WRITE | VM_EXEC);
  if (vma.vm_start <= LOWEST_SEGMENT) throw EINVAL;
  const u8 = kernel.mem.u8;
  const segments: ExecSegment[] = [];
  // what no file's bytes come to is zero
  let zeroed = vma.vm_start;
  for (const p of loads) {
    const addr = vma.vm_start + p.p_vaddr - base;
    if (addr > zeroed) memset(u8, 0, zeroed, addr);
    let n = 0;
    while (n < p.p_filesz) {
      const got = elf.file.f_op.read(elf.file, task, u8, addr + n, p.p_filesz - n, p.p_offset + n);
      if (got === 0) break;
      n += got;
    }
    zeroed = Math.max(zeroed, addr + n);
    segments.push({ addr, p_vaddr: p.p_vaddr, p_offset: p.p_offset, p_filesz: p.p_filesz, p_memsz: p.p_memsz, p_flags: p.p_flags });
  }
  const end = elf.e_type === ET_EXEC ? vma.vm_end : vma.vm_region.vm_top;
  if (zeroed < end) memset(u8, 0, zeroed, end);
  if (elf.e_type === ET_DYN) vma.vm_region.writable = loads
    .filter((p) => (p.p_flags & PF_W) !== 0)
    .map((p) => [vma.vm_start + PAGE_SIZE * Math.floor((p.p_vaddr - base) / PAGE_SIZE), vma.vm_start + PAGE_ALIGN(p.p_vaddr + p.p_memsz - base)]);
  const at = (vaddr: number): number => vma.vm_start + vaddr - base;
  const holder = segments.find((s) => s.p_offset <= elf.e_phoff && elf.e_phoff + elf.phdrs.length * ELF_PHDR_SIZE <= s.p_offset + s.p_filesz);
  const header = segments.find((s) => s.p_offset === 0);
  return {
    file: elf.file, name: elf.name, segments, e_shoff: elf.e_shoff, e_shnum: elf.e_shnum, eh_frame_hdr: eh_frame_hdr(elf),
    start: vma.vm_start, end: vma.vm_end, entry: at(elf.e_entry), phnum: elf.phdrs.length,
    phdr: holder === undefined ? 0 : holder.addr + elf.e_phoff - holder.p_offset,
    header: header?.addr ?? 0,
  };
}

/** Bytes on the stack for the strings and tables of this exec, with some room for the loader itself. */
function stack_need(bprm: LinuxBinprm, phdrs: number): number {
  const strings = [bprm.filename, ...bprm.envp, ...bprm.argv].reduce((n, s) => n + s.length + 1, 0);
  return strings + 8 * (bprm.argv.length + bprm.envp.length + 3) + 24 * phdrs + 16 * 24 + 256;
}

/**
 * Size of the stack block: PT_GNU_STACK of the program, else of its interpreter, else 128 KiB. A stack does not grow without an MMU, and an ordinary Linux'
 * programs do not say how much they want: nommu.stack=SIZE does, which is not in Linux.
 */
export function exec_stack_size(kernel: Kernel, exec: ElfFile, interp: ElfFile | undefined): number {
  const size = exec.stack_size || interp?.stack_size || memparse(kernel.params.get("nommu.stack") ?? "") || DEFAULT_STACK;
  return Math.max(PAGE_ALIGN(size), 2 * PAGE_SIZE);
}

/**
 * Loads program and interpreter into `mm`, lays out the stack and starts `task` there. Throws an errno: then the process is lost (the old program
 * is gone). Unlike Linux, arguments that do not fit the stack block are E2BIG; there they run over what lies below.
 */
export function load_elf_fdpic(task: Task, mm: Mm, bprm: LinuxBinprm, exec: ElfFile, interp: ElfFile | undefined): void {
  const kernel = task.kernel;
  const size = exec_stack_size(kernel, exec, interp);
  if (stack_need(bprm, exec.phdrs.length + (interp?.phdrs.length ?? 0)) > size) throw E2BIG;
  const program = map_file(task, mm, exec);
  const ld = interp === undefined ? undefined : map_file(task, mm, interp);
  const code = program.segments.find((s) => (s.p_flags & PF_X) !== 0);
  const data = program.segments.find((s) => (s.p_flags & PF_X) === 0);
  mm.start_code = code?.addr ?? 0;
  mm.end_code = code === undefined ? 0 : code.addr + code.p_memsz;
  mm.start_data = data?.addr ?? 0;
  mm.end_data = data === undefined ? 0 : data.addr + data.p_memsz;

  const stack = map_anonymous(kernel, mm, size, VM_READ | VM_WRITE);
  memset(kernel.mem.u8, 0, stack.vm_start, stack.vm_region.vm_top);
  mm.start_brk = mm.brk = mm.end_brk = stack.vm_start;
  mm.stack_size = size;
  const sp = create_stack(task, mm, stack.vm_end, bprm, program, ld);
  mm.start_stack = sp;
  kernel.arch.finalize_exec(task, ld === undefined ? [program] : [program, ld]);
  kernel.arch.start_thread(task, (ld ?? program).entry, sp);
}

/** cf. create_elf_fdpic_tables() */
function create_stack(task: Task, mm: Mm, top: number, bprm: LinuxBinprm, program: Loaded, ld: Loaded | undefined): number {
  const { u8, view } = task.kernel.mem;
  let sp = top - 8;
  const push_string = (s: string): number => {
    sp -= s.length + 1;
    for (let i = 0; i < s.length; i++) u8[sp + i] = s.charCodeAt(i);
    u8[sp + s.length] = 0;
    return sp;
  };
  const execfn = push_string(bprm.filename);
  mm.env_end = sp;
  const envp = [...bprm.envp].reverse().map(push_string).reverse();
  mm.env_start = mm.arg_end = sp;
  const argv = [...bprm.argv].reverse().map(push_string).reverse();
  mm.arg_start = sp;
  sp -= sp % 16;
  const platform = push_string("x86_64");
  const { cred, kernel } = task;
  // This loader of Linux has no AT_RANDOM, and glibc reads where it points without asking. Whoever wants programs for an ordinary Linux gets binfmt_elf's.
  const own = owns(kernel);
  if (own) kernel.random.fill(u8, (sp -= 16), 16);
  const random = sp;
  sp -= sp % 8;
  const put32 = (at: number, v: number): void => view.setUint32(at, v, true);
  const put64 = (at: number, v: number): void => {
    put32(at, v >>> 0);
    put32(at + 4, Math.floor(v / 0x100000000));
  };
  for (const image of ld === undefined ? [program] : [program, ld]) {
    sp -= 8 + 24 * image.segments.length;
    put32(sp, image.segments.length << 16);
    put32(sp + 4, 0);
    image.segments.forEach((s, i) => {
      put64(sp + 8 + 24 * i, s.addr);
      put64(sp + 16 + 24 * i, s.p_vaddr);
      put32(sp + 24 + 24 * i, s.p_memsz);
      put32(sp + 28 + 24 * i, 0);
    });
  }
  const auxv: [number, number][] = [];
  if (kernel.arch.sysinfo_ehdr !== 0) auxv.push([AT_SYSINFO_EHDR, kernel.arch.sysinfo_ehdr]);
  auxv.push(
    [AT_MINSIGSTKSZ, 0], [AT_HWCAP, kernel.arch.elf_hwcap], [AT_PAGESZ, PAGE_SIZE], [AT_CLKTCK, 100], [AT_PHDR, program.phdr], [AT_PHENT, ELF_PHDR_SIZE],
    [AT_PHNUM, program.phnum], [AT_BASE, ld?.header ?? 0], [AT_FLAGS, 0], [AT_ENTRY, program.entry], [AT_UID, cred.uid], [AT_EUID, cred.euid], [AT_GID, cred.gid],
    [AT_EGID, cred.egid], [AT_SECURE, bprm.secureexec ? 1 : 0], ...(own ? [[AT_RANDOM, random] as [number, number]] : []), [AT_EXECFN, execfn], [AT_PLATFORM, platform], [AT_NULL, 0],
  );
  sp -= 16 * auxv.length + 8 * (envp.length + 1 + argv.length + 1 + 1);
  sp -= sp % 16;
  let at = sp;
  const word = (v: number): void => {
    put64(at, v);
    at += 8;
  };
  word(argv.length);
  for (const a of argv) word(a);
  word(0);
  for (const e of envp) word(e);
  word(0);
  mm.saved_auxv = auxv.flat();
  for (const v of mm.saved_auxv) word(v);
  return sp;
}
