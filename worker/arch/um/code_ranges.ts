// arch/um/code_ranges.ts — which bytes of an ELF file are code, as far as the file itself tells.
//
// Section headers say it exactly (SHF_EXECINSTR of SHT_PROGBITS), and they are in almost every file; where they were stripped, the frame
// descriptions of .eh_frame are not looked for: the whole executable segment is swept, as the seed does.
import type { ExecImage, ExecSegment } from "../../kernel/arch.ts";
import type { Task } from "../../kernel/task.ts";
import { PF_X } from "../../include/uapi/elf.ts";

/** Offsets into the loaded image: [start, end) addresses in memory. */
export interface CodeRange {
  readonly start: number;
  readonly end: number;
}

const SHT_PROGBITS = 1;
const SHF_EXECINSTR = 4;
const SHDR = 64;

/** From the section headers; undefined if there are none that can be read. */
function from_sections(task: Task, image: ExecImage, text: readonly ExecSegment[]): CodeRange[] | undefined {
  if (image.e_shoff === 0 || image.e_shnum === 0) return undefined;
  const raw = new Uint8Array(image.e_shnum * SHDR);
  for (let n = 0; n < raw.length; ) {
    const got = image.file.read(task, raw, n, raw.length - n, image.e_shoff + n);
    if (got === 0) return undefined;
    n += got;
  }
  const v = new DataView(raw.buffer);
  const ranges: CodeRange[] = [];
  for (let at = 0; at < raw.length; at += SHDR) {
    if (v.getUint32(at + 4, true) !== SHT_PROGBITS || (v.getUint32(at + 8, true) & SHF_EXECINSTR) === 0) continue;
    const addr = v.getUint32(at + 16, true) + v.getUint32(at + 20, true) * 0x100000000;
    const size = v.getUint32(at + 32, true);
    const s = text.find((t) => t.p_vaddr <= addr && addr + size <= t.p_vaddr + t.p_filesz);
    if (s !== undefined && size > 0) ranges.push({ start: s.addr + addr - s.p_vaddr, end: s.addr + addr - s.p_vaddr + size });
  }
  return ranges.length === 0 ? undefined : ranges.sort((a, b) => a.start - b.start);
}

/** Ranges of code, ascending, and whether they are a guess (the linear sweep over whole segments). */
export function code_ranges(task: Task, image: ExecImage): { ranges: CodeRange[]; swept: boolean } {
  const text = image.segments.filter((s) => (s.p_flags & PF_X) !== 0);
  const known = from_sections(task, image, text);
  if (known !== undefined) return { ranges: known, swept: false };
  return { ranges: text.map((s) => ({ start: s.addr, end: s.addr + s.p_filesz })), swept: true };
}
