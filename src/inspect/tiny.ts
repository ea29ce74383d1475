// src/inspect/tiny.ts — two programs of a few instructions, made here and handed to the guest: what page 0 does with a number it does not have, and what the translator leaves alone.

const BASE = 64 + 56;

/** A static position-independent program of this machine code: an ELF header, one segment, nothing else.  cf. elf(5) */
export function elf(code: readonly number[]): Uint8Array<ArrayBuffer> {
  const size = BASE + code.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  // 64 bits, little-endian
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // ET_DYN, x86-64, version, entry, where the program headers are
  view.setUint16(16, 3, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, BASE, true);
  view.setUint32(32, 64, true);
  // sizes of the two kinds of headers, and one of the second
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  // PT_LOAD, to be read and executed, all of the file
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setUint32(96, size, true);
  view.setUint32(104, size, true);
  view.setUint32(112, 4096, true);
  bytes.set(code, BASE);
  return bytes;
}
const u32 = (n: number): readonly number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255];
const text = (s: string): readonly number[] => [...new TextEncoder().encode(s)];

/** mov $600, %eax; call *%rax: past the nops and past the way in */
export const PAST: readonly number[] = [0xb8, ...u32(600), 0xff, 0xd0];

const SAYS = text("two numbers with 0f 05 in them: neither was touched\n");
const EXIT = [0xb8, ...u32(60), 0x0f, 0x05];
const WRITE_LENGTH = 5 + 5 + 7 + 5 + 2;
/** Counts from 0x050f to 0x0510: if these bytes were taken for a `syscall` and rewritten, the sum would be wrong. Then it says so, with a real one. */
export const LOOKALIKE: readonly number[] = [
  // mov $0x50f, %eax; add $1, %eax; cmp $0x510, %eax; mov $1, %edi; jne over the write
  0xb8, ...u32(0x50f), 0x83, 0xc0, 1, 0x3d, ...u32(0x510), 0xbf, ...u32(1), 0x75, WRITE_LENGTH,
  // write(1, SAYS): mov $1, %eax; mov $1, %edi; lea SAYS(%rip), %rsi; mov $length, %edx; syscall; then xor %edi, %edi
  0xb8, ...u32(1), 0xbf, ...u32(1), 0x48, 0x8d, 0x35, ...u32(5 + 2 + 2 + EXIT.length), 0xba, ...u32(SAYS.length), 0x0f, 0x05, 0x31, 0xff,
  ...EXIT,
  ...SAYS,
];
