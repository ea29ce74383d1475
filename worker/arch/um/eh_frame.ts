// arch/um/eh_frame.ts — where functions begin and end, as the unwinding tables of an ELF file tell it.
//
// The loader of exceptions finds .eh_frame through PT_GNU_EH_FRAME: this is left when section headers and symbols have been stripped. What compilers
// emit is read (addresses relative to their place, 32 bits: DW_EH_PE_pcrel | sdata4); a table in another encoding is no table.
// Source: Linux Standard Base, Core, chapter 10.6, "Exception Frames".

/** A function: [start, end), as virtual addresses of the file. */
export interface FrameRange {
  readonly start: number;
  readonly end: number;
}

const PCREL_SDATA4 = 0x1b;
const UDATA4 = 0x03;
const DATAREL_SDATA4 = 0x3b;

/** Reads `len` bytes at a virtual address of the file; undefined: there are none. */
export type ReadVirtual = (vaddr: number, len: number) => DataView | undefined;

/** Skips a LEB128 number. */
function leb128(v: DataView, at: number): number {
  while (v.getUint8(at) >= 0x80) at++;
  return at + 1;
}

/** How a CIE says that its FDEs write addresses; undefined: it can't be told. */
function pointer_encoding(cie: DataView): number | undefined {
  const version = cie.getUint8(8);
  let at = 9;
  let augmentation = "";
  for (let c = cie.getUint8(at++); c !== 0; c = cie.getUint8(at++)) augmentation += String.fromCharCode(c);
  if (!augmentation.startsWith("z")) return undefined;
  at = leb128(cie, leb128(cie, at)); // code and data alignment
  at = version === 1 ? at + 1 : leb128(cie, at); // return address register
  at = leb128(cie, at); // length of what follows
  for (const letter of augmentation.slice(1)) {
    if (letter === "R") return cie.getUint8(at);
    if (letter === "L") at++;
    else if (letter === "P") {
      if (![PCREL_SDATA4, UDATA4, 0x9b].includes(cie.getUint8(at))) return undefined;
      at += 5;
    } else if (letter !== "S") return undefined;
  }
  return undefined;
}

/** The functions that the table at `header` (virtual address of .eh_frame_hdr) lists, ascending; undefined: none can be read. */
export function eh_frame_ranges(read: ReadVirtual, header: number): FrameRange[] | undefined {
  const head = read(header, 12);
  if (head === undefined || head.getUint8(0) !== 1 || head.getUint8(2) !== UDATA4 || head.getUint8(3) !== DATAREL_SDATA4 || head.getUint8(1) !== PCREL_SDATA4) return undefined;
  const count = head.getUint32(8, true);
  const table = read(header + 12, count * 8);
  if (table === undefined) return undefined;
  const ranges: FrameRange[] = [];
  const encodings = new Map<number, number | undefined>();
  for (let i = 0; i < count; i++) {
    const start = header + table.getInt32(i * 8, true);
    const fde = header + table.getInt32(i * 8 + 4, true);
    const v = read(fde, 16);
    if (v === undefined || v.getUint32(0, true) >= 0xfffffff0) continue;
    const cie = fde + 4 - v.getUint32(4, true);
    if (!encodings.has(cie)) encodings.set(cie, encoding_of(read, cie));
    if (encodings.get(cie) !== PCREL_SDATA4 || fde + 8 + v.getInt32(8, true) !== start) continue;
    ranges.push({ start, end: start + v.getUint32(12, true) });
  }
  return ranges.length === 0 ? undefined : ranges.sort((a, b) => a.start - b.start);
}

function encoding_of(read: ReadVirtual, cie: number): number | undefined {
  const length = read(cie, 4)?.getUint32(0, true);
  if (length === undefined || length < 12 || length > 4096) return undefined;
  const v = read(cie, length + 4);
  try {
    return v && pointer_encoding(v);
  } catch {
    return undefined; // it ran past its end: not what it says it is
  }
}
