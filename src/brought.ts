// src/brought.ts — what a file is that a visitor brings: by its first bytes, not by its name.
import type { ImageAbout } from "../worker/protocol.ts";
import { diskName } from "./cmdline.ts";

/** as many as the header of a tar archive has */
const HEAD = 512;

/**
 * What programs need that were made for an ordinary Linux: they fork, and their loader puts libraries at places of its own choice. A root directory from an archive has
 * nothing prepared, so its shell is the first program, with a terminal of its own.
 */
const ORDINARY = 'rw mem=256m loglevel=4 nommu.map_fixed=own nommu.fork=shadow init=/bin/sh -- -c "mount -t proc proc /proc; setsid -c sh -l; poweroff -f"';

/** The first bytes of a file, unpacked if it is gzip. */
async function head(file: Blob): Promise<Uint8Array> {
  const start = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  if (start[0] !== 0x1f || start[1] !== 0x8b) return start;
  const out = new Uint8Array(HEAD);
  let n = 0;
  const reader = file.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  while (n < HEAD) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, HEAD - n);
    out.set(part, n);
    n += part.length;
  }
  void reader.cancel().catch(() => undefined);
  return out.subarray(0, n);
}

/** A tar archive begins with a header whose checksum is right. */
function isTar(bytes: Uint8Array): boolean {
  if (bytes.length < HEAD || bytes[0] === 0) return false;
  const sum = bytes.reduce((n, b, i) => n + (i >= 148 && i < 156 ? 32 : b), 0);
  const said = String.fromCharCode(...bytes.subarray(148, 156)).replaceAll("\0", " ").trim();
  return /^[0-7]+$/.test(said) && Number.parseInt(said, 8) === sum;
}

/** What its disk is called, and what it will be stored with. A damaged file is found out later, by who reads all of it. */
export async function describe(file: File): Promise<{ readonly name: string; readonly about: ImageAbout }> {
  const start = await head(file).catch(() => new Uint8Array(0));
  if (!isTar(start)) return { name: diskName(file.name), about: { title: "your file", cmdline: "" } };
  const name = diskName(`${file.name.replace(/(\.tar)?(\.gz)?$|\.tgz$/i, "")}.ext4`);
  return { name, about: { title: `a disk made of ${file.name}`, cmdline: ORDINARY } };
}
