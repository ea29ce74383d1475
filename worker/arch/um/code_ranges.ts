// arch/um/code_ranges.ts — which bytes of an ELF file are code, as far as the file itself tells.
//
// Section headers say it exactly (SHF_EXECINSTR of SHT_PROGBITS), and they are in almost every file. Where they were stripped, the unwinding tables list
// the functions. Where there are none either, the executable segments are swept from end to end, as the seed does. All in offsets of the file.
import { PF_X } from "../../include/uapi/elf.ts";
import type { ElfCode, ElfCodeSegment } from "../../kernel/arch.ts";
import type { Task } from "../../kernel/task.ts";
import { eh_frame_ranges } from "./eh_frame.ts";

/** [start, end), offsets in the file. */
export interface CodeRange {
  readonly start: number;
  readonly end: number;
}

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHF_EXECINSTR = 4;
const SHDR = 64;
const SYM = 24;
const STT_FUNC = 2;

const u64 = (v: DataView, at: number): number => v.getUint32(at, true) + v.getUint32(at + 4, true) * 0x100000000;

/** `len` bytes of the file from `pos` on; undefined: it is shorter. */
export function read_at(task: Task, elf: ElfCode, pos: number, len: number): DataView | undefined {
  const size = elf.file.f_inode?.i_size ?? 0;
  if (!(len >= 0 && pos + len <= size)) return undefined; // what a broken header asks for is not allocated
  const raw = new Uint8Array(len);
  for (let n = 0; n < len; ) {
    const got = elf.file.f_op.read(elf.file, task, raw, n, len - n, pos + n);
    if (got === 0) return undefined;
    n += got;
  }
  return new DataView(raw.buffer);
}

function section_headers(task: Task, elf: ElfCode): DataView | undefined {
  if (elf.e_shoff === 0 || elf.e_shnum === 0) return undefined;
  return read_at(task, elf, elf.e_shoff, elf.e_shnum * SHDR);
}

/** Where a virtual address is in the file, if it is in one of the segments. */
function offset_of(segments: readonly ElfCodeSegment[], vaddr: number, size = 1): number | undefined {
  const s = segments.find((t) => t.p_vaddr <= vaddr && vaddr + size <= t.p_vaddr + t.p_filesz);
  return s && s.p_offset + vaddr - s.p_vaddr;
}

/** Adds where the symbol tables say that functions begin. */
function symbols(task: Task, elf: ElfCode, v: DataView, text: readonly ElfCodeSegment[], out: Set<number>): void {
  for (let at = 0; at < v.byteLength; at += SHDR) {
    const type = v.getUint32(at + 4, true);
    if (type !== SHT_DYNSYM && type !== SHT_SYMTAB) continue;
    const table = read_at(task, elf, u64(v, at + 24), u64(v, at + 32));
    if (table === undefined) continue;
    for (let sym = 0; sym + SYM <= table.byteLength; sym += SYM) {
      const offset = (table.getUint8(sym + 4) & 15) === STT_FUNC ? offset_of(text, u64(table, sym + 8)) : undefined;
      if (offset !== undefined) out.add(offset);
    }
  }
}

/** From the section headers; undefined if none of them is code. */
function from_sections(v: DataView, text: readonly ElfCodeSegment[]): CodeRange[] | undefined {
  const ranges: CodeRange[] = [];
  for (let at = 0; at < v.byteLength; at += SHDR) {
    if (v.getUint32(at + 4, true) !== SHT_PROGBITS || (v.getUint32(at + 8, true) & SHF_EXECINSTR) === 0) continue;
    const size = u64(v, at + 32);
    const start = offset_of(text, u64(v, at + 16), size);
    if (start !== undefined && size > 0) ranges.push({ start, end: start + size });
  }
  return ranges.length === 0 ? undefined : ranges.sort((a, b) => a.start - b.start);
}

/** From the unwinding tables; undefined if there are none. */
function from_frames(task: Task, elf: ElfCode, text: readonly ElfCodeSegment[]): CodeRange[] | undefined {
  if (elf.eh_frame_hdr === undefined) return undefined;
  const read = (vaddr: number, len: number): DataView | undefined => {
    const at = offset_of(elf.segments, vaddr, len);
    return at === undefined ? undefined : read_at(task, elf, at, len);
  };
  const ranges: CodeRange[] = [];
  for (const f of eh_frame_ranges(read, elf.eh_frame_hdr) ?? []) {
    const start = offset_of(text, f.start, f.end - f.start);
    if (start !== undefined) ranges.push({ start, end: start + f.end - f.start });
  }
  return ranges.length === 0 ? undefined : ranges;
}

/** What told where the code is: section headers, unwinding tables, or nothing but the segments (linear sweep). */
export type CodeSource = "sections" | "eh_frame" | "sweep";

export interface CodeMap {
  /** ascending */
  readonly ranges: readonly CodeRange[];
  /** where functions begin, as far as the file tells */
  readonly functions: ReadonlySet<number>;
  readonly source: CodeSource;
}

export function code_map(task: Task, elf: ElfCode): CodeMap {
  const text = elf.segments.filter((s) => (s.p_flags & PF_X) !== 0);
  const frames = from_frames(task, elf, text);
  const functions = new Set(frames?.map((f) => f.start));
  const headers = section_headers(task, elf);
  const sections = headers && from_sections(headers, text);
  if (headers !== undefined && sections !== undefined) {
    symbols(task, elf, headers, text, functions);
    return { ranges: sections, functions, source: "sections" };
  }
  if (frames !== undefined) return { ranges: frames, functions, source: "eh_frame" };
  return { ranges: text.map((s) => ({ start: s.p_offset, end: s.p_offset + s.p_filesz })), functions, source: "sweep" };
}
