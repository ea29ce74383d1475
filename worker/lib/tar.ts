// lib/tar.ts — reads tar archives: ustar, with the long names of pax and GNU.  cf. tar(5), POSIX pax

export interface TarEntry {
  /** byte strings */
  readonly name: string;
  readonly target: string;
  readonly type: "file" | "dir" | "symlink" | "link" | "node";
  /** permission bits */
  readonly mode: number;
  /** S_IFCHR, S_IFBLK or S_IFIFO of a node */
  readonly format: number;
  /** major * 2^20 + minor */
  readonly rdev: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  readonly data: Uint8Array;
  /** extended attributes: names and values, byte strings */
  readonly xattrs: readonly (readonly [name: string, value: string])[];
}

const BLOCK = 512;
/** what pax archives call an extended attribute, before its name */
const XATTR = "SCHILY.xattr.";
const TYPES: Record<string, TarEntry["type"]> = { "0": "file", "\0": "file", "7": "file", "1": "link", "2": "symlink", "3": "node", "4": "node", "5": "dir", "6": "node" };
const FORMATS: Record<string, number> = { "3": 0o020000, "4": 0o060000, "6": 0o010000 };

function text(b: Uint8Array, at: number, len: number): string {
  let s = "";
  for (let i = at; i < at + len && b[i] !== 0; i++) s += String.fromCharCode(b[i]);
  return s;
}
function number(b: Uint8Array, at: number, len: number): number {
  if ((b[at] & 0x80) !== 0) {
    let x = b[at] & 0x7f;
    for (let i = 1; i < len; i++) x = x * 256 + b[at + i];
    return x;
  }
  return Number.parseInt(text(b, at, len).trim() || "0", 8) || 0;
}
/** `LEN KEY=VALUE\n` records. */
function pax(data: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  const all = text(data, 0, data.length);
  for (let at = 0; at < all.length; ) {
    const len = Number.parseInt(all.slice(at), 10);
    if (!(len > 0)) break;
    const record = all.slice(all.indexOf(" ", at) + 1, at + len - 1);
    found.set(record.slice(0, record.indexOf("=")), record.slice(record.indexOf("=") + 1));
    at += len;
  }
  return found;
}

function checksum(h: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : h[i];
  return sum;
}
/** Do these bytes begin as a tar archive? */
export function isTar(bytes: Uint8Array): boolean {
  const h = bytes.subarray(0, BLOCK);
  return h.length === BLOCK && h[0] !== 0 && checksum(h) === number(h, 148, 8);
}

/** The entries of an archive in order. Throws an Error with a sentence for what is none. */
export function* readTar(tar: Uint8Array): Generator<TarEntry> {
  let more = new Map<string, string>();
  for (let at = 0; at < tar.length; ) {
    if (at + BLOCK > tar.length) throw new Error(`the tar archive is cut short at byte ${tar.length}`);
    const h = tar.subarray(at, at + BLOCK);
    if (h.every((b) => b === 0)) return;
    if (checksum(h) !== number(h, 148, 8)) throw new Error(`not a tar archive: the header at byte ${at} has a wrong checksum`);
    const size = more.has("size") ? Number(more.get("size")) : number(h, 124, 12);
    const data = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (data.length < size) throw new Error(`the tar archive is cut short at byte ${tar.length}`);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const flag = String.fromCharCode(h[156]);
    if (flag === "x") {
      for (const [k, v] of pax(data)) more.set(k, v);
      continue;
    }
    if (flag === "L" || flag === "K") {
      more.set(flag === "L" ? "path" : "linkpath", text(data, 0, data.length));
      continue;
    }
    const type = TYPES[flag];
    if (type !== undefined) {
      const prefix = text(h, 257, 6) === "ustar" ? text(h, 345, 155) : "";
      const name = more.get("path") ?? (prefix === "" ? "" : `${prefix}/`) + text(h, 0, 100);
      yield {
        name,
        target: more.get("linkpath") ?? text(h, 157, 100),
        type,
        mode: number(h, 100, 8) & 0o7777,
        format: FORMATS[flag] ?? 0,
        rdev: number(h, 329, 8) * 0x100000 + number(h, 337, 8),
        uid: Number(more.get("uid") ?? number(h, 108, 8)),
        gid: Number(more.get("gid") ?? number(h, 116, 8)),
        mtime: Math.floor(Number(more.get("mtime") ?? number(h, 136, 12))),
        data: type === "file" ? data : data.subarray(0, 0),
        xattrs: [...more].filter(([k]) => k.startsWith(XATTR)).map(([k, v]) => [k.slice(XATTR.length), v]),
      };
    }
    more = new Map<string, string>();
  }
}
