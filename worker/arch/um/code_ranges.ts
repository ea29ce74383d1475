// arch/um/code_ranges.ts — which bytes of an ELF file are code, as far as the file itself tells.
//
// Section headers say it exactly (SHF_EXECINSTR of SHT_PROGBITS), and they are in almost every file; where they were stripped, the frame
// descriptions of .eh_frame are not looked for: the whole executable segment is swept, as the seed does.
import type { ExecImage, ExecSegment } from "../../kernel/arch.ts";
import type { Task } from "../../kernel/task.ts";
import { PF_X } from "../../include/uapi/elf.ts";

/** [start, end), addresses in memory. */
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

function read_at(task: Task, image: ExecImage, pos: number, len: number): DataView | undefined {
  const raw = new Uint8Array(len);
  for (let n = 0; n < len; ) {
    const got = image.file.read(task, raw, n, len - n, pos + n);
    if (got === 0) return undefined;
    n += got;
  }
  return new DataView(raw.buffer);
}

function section_headers(task: Task, image: ExecImage): DataView | undefined {
  if (image.e_shoff === 0 || image.e_shnum === 0) return undefined;
  return read_at(task, image, image.e_shoff, image.e_shnum * SHDR);
}

/** Addresses in memory at which the symbol tables say that functions begin. */
function functions(task: Task, image: ExecImage, v: DataView, text: readonly ExecSegment[]): Set<number> {
  const out = new Set<number>();
  for (let at = 0; at < v.byteLength; at += SHDR) {
    const type = v.getUint32(at + 4, true);
    if (type !== SHT_DYNSYM && type !== SHT_SYMTAB) continue;
    const table = read_at(task, image, v.getUint32(at + 24, true), v.getUint32(at + 32, true));
    if (table === undefined) continue;
    for (let sym = 0; sym + SYM <= table.byteLength; sym += SYM) {
      if ((table.getUint8(sym + 4) & 15) !== STT_FUNC) continue;
      const value = table.getUint32(sym + 8, true) + table.getUint32(sym + 12, true) * 0x100000000;
      const s = text.find((t) => t.p_vaddr <= value && value < t.p_vaddr + t.p_filesz);
      if (s !== undefined) out.add(s.addr + value - s.p_vaddr);
    }
  }
  return out;
}

/** From the section headers; undefined if none of them is code. */
function from_sections(v: DataView, text: readonly ExecSegment[]): CodeRange[] | undefined {
  const ranges: CodeRange[] = [];
  for (let at = 0; at < v.byteLength; at += SHDR) {
    if (v.getUint32(at + 4, true) !== SHT_PROGBITS || (v.getUint32(at + 8, true) & SHF_EXECINSTR) === 0) continue;
    const addr = v.getUint32(at + 16, true) + v.getUint32(at + 20, true) * 0x100000000;
    const size = v.getUint32(at + 32, true);
    const s = text.find((t) => t.p_vaddr <= addr && addr + size <= t.p_vaddr + t.p_filesz);
    if (s !== undefined && size > 0) ranges.push({ start: s.addr + addr - s.p_vaddr, end: s.addr + addr - s.p_vaddr + size });
  }
  return ranges.length === 0 ? undefined : ranges.sort((a, b) => a.start - b.start);
}

export interface CodeMap {
  /** ascending */
  readonly ranges: readonly CodeRange[];
  /** where functions begin, as far as the file tells */
  readonly functions: ReadonlySet<number>;
  /** the ranges are a guess: whole segments */
  readonly swept: boolean;
}

export function code_map(task: Task, image: ExecImage): CodeMap {
  const text = image.segments.filter((s) => (s.p_flags & PF_X) !== 0);
  const headers = section_headers(task, image);
  const known = headers && from_sections(headers, text);
  if (headers !== undefined && known !== undefined) return { ranges: known, functions: functions(task, image, headers, text), swept: false };
  return { ranges: text.map((s) => ({ start: s.addr, end: s.addr + s.p_filesz })), functions: new Set(), swept: true };
}
