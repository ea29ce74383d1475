// machine/explain.ts — bytes of memory in plain sentences: what they would be as numbers, text, a pointer, a known structure.

const byte = (n: number): string => n.toString(16).padStart(2, "0");
const grouped = (n: number): string => n.toLocaleString("en-US");

/** The NUL-terminated printable text at `at`, if there is one of at least three characters. */
function text(u8: Uint8Array, size: number, at: number): string | undefined {
  let s = "";
  for (let a = at; a < Math.min(size, at + 200); a++) {
    const c = u8[a]!;
    if (c === 0) break;
    if (c !== 9 && c !== 10 && (c < 32 || c > 126)) return undefined;
    s += String.fromCharCode(c);
  }
  return s.length >= 3 ? s : undefined;
}

/** Sentences about the bytes at `at`. `points` names what lies at an address. */
export function explain(u8: Uint8Array, size: number, at: number, points: (address: number) => string, kind: string | undefined): string[] {
  if (at + 8 > size) return [];
  const view = new DataView(u8.buffer, u8.byteOffset);
  const out: string[] = [];
  const b = (i: number): number => u8[at + i]!;
  if (b(0) === 0x7f && b(1) === 0x45 && b(2) === 0x4c && b(3) === 0x46) {
    const type = view.getUint16(at + 16, true);
    out.push(`The header of an ELF file: ${b(4) === 2 ? "64" : "32"} bits, type ${type === 3 ? "DYN (it can be loaded anywhere)" : type === 2 ? "EXEC (it wants one fixed address)" : String(type)}, entry at +0x${view.getUint32(at + 24, true).toString(16)}.`);
  }
  if (kind === "trampoline") {
    if (b(0) === 0x90) out.push(`nop. A call of address ${at} is system call ${at}: from here it slides to the jump at the end of the page's code.`);
    else if (b(0) === 0xeb) out.push("A short jump over the rest of the nops, so that small numbers slide less.");
    else if (b(0) === 0x49 && b(1) === 0xbb) out.push("The end of the slide: mov $__kernel_vsyscall, %r11; pop %rcx takes the return address off the stack; jmp *%r11.");
    else if (b(0) === 0) out.push("Nothing: no instruction of the trampoline. Who jumps here faults.");
    return out;
  }
  if (b(0) === 0xff && b(1) === 0xd0) out.push("ff d0 is call *%rax: it may be a system call that execve rewrote.");
  if (b(0) === 0x0f && b(1) === 0x05) out.push("0f 05 is syscall: executed here it traps.");
  const s = text(u8, size, at);
  if (s !== undefined) out.push(`Text: “${s.replaceAll("\n", "⏎")}”`);
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  out.push(`As numbers: byte ${b(0)}, 16 bits ${grouped(view.getUint16(at, true))}, 32 bits ${grouped(low)}${view.getInt32(at, true) < 0 ? ` or ${grouped(view.getInt32(at, true))}` : ""} (0x${low.toString(16)}).`);
  const pointed = high === 0 ? points(low) : "";
  if (pointed !== "") out.push(`As a pointer: 0x${low.toString(16)} is in ${pointed}.`);
  const double = view.getFloat64(at, true);
  if (Number.isFinite(double) && Math.abs(double) > 1e-6 && Math.abs(double) < 1e15) out.push(`As a double: ${double}.`);
  if (u8.subarray(at, at + 8).every((x) => x === 0)) return ["Eight zero bytes: nothing has been written here, or zero was."];
  if (out.length === 0) out.push(`Byte 0x${byte(b(0))}.`);
  return out;
}
