// fs/binfmt_script.ts — #! scripts.  cf. fs/binfmt_script.c
import { ENOEXEC } from "../include/uapi/errno.ts";
import { BINPRM_BUF_SIZE, type LinuxBinprm } from "./binprm.ts";

const blank = (c: number | undefined): boolean => c === 0x20 || c === 0x09;
const text = (bytes: Uint8Array): string => Array.from(bytes, (c) => String.fromCharCode(c)).join("");

/** Is it a script? */
export const is_script = (bprm: LinuxBinprm): boolean => bprm.buf[0] === 0x23 && bprm.buf[1] === 0x21;

/**
 * Takes the interpreter and its one argument from the first line and changes argv: interpreter, argument, path of the script, the
 * arguments but argv[0]. Returns the interpreter's path. Throws ENOEXEC.
 */
export function load_script(bprm: LinuxBinprm): string {
  const buf = bprm.buf;
  let end = buf.indexOf(10, 2);
  if (end < 0) end = buf.indexOf(0, 2);
  if (end < 0) {
    // the line is cut off: that is only good if the interpreter's name is whole
    end = Math.min(buf.length, BINPRM_BUF_SIZE);
    let p = 2;
    while (p < end && blank(buf[p])) p++;
    while (p < end && !blank(buf[p])) p++;
    if (p === end) throw ENOEXEC;
  }
  while (end > 2 && blank(buf[end - 1])) end--;
  let p = 2;
  while (p < end && blank(buf[p])) p++;
  if (p === end) throw ENOEXEC;
  let q = p;
  while (q < end && !blank(buf[q])) q++;
  const interpreter = text(buf.subarray(p, q));
  while (q < end && blank(buf[q])) q++;
  const args = q < end ? [text(buf.subarray(q, end))] : [];
  bprm.argv = [interpreter, ...args, bprm.filename, ...bprm.argv.slice(1)];
  return interpreter;
}
