// fs/names.ts — path names from user memory, with a cache of recent ones.  cf. fs/namei.c getname()
//
// A program opens the same few names over and over. A name that was seen lately is found by a hash of its bytes, and comes with its components
// already split into strings whose own hashes JavaScript has computed. What it caches is a function of bytes alone, so it never goes stale.
import { EFAULT, ENAMETOOLONG, ENOENT } from "../include/uapi/errno.ts";
import type { Memory } from "../kernel/uaccess.ts";

export const PATH_MAX = 4096;
export const NAME_MAX = 255;

/** A path name: text, and its components without empty ones ("." and ".." stay). */
export class Filename {
  readonly name: string;
  readonly parts: readonly string[];
  readonly absolute: boolean;
  /** ends with a slash: the last component must be a directory */
  readonly trailing: boolean;
  constructor(name: string) {
    this.name = name;
    this.parts = name.split("/").filter((p) => p !== "");
    this.absolute = name.startsWith("/");
    this.trailing = name.endsWith("/") && this.parts.length > 0;
  }
}

const SLOTS = 1024;

export class CachedName extends Filename {
  readonly bytes: Uint8Array;
  /** the same, four at a time, but for the last ones */
  private readonly words: Int32Array;
  /** of its bytes */
  private readonly hash: number;
  constructor(name: string, bytes: Uint8Array, hash: number) {
    super(name);
    this.bytes = bytes;
    this.hash = hash;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    this.words = Int32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getInt32(4 * i, true));
  }
  /** Is this what is at `addr`, whose hash is `hash`? */
  is({ u8, view }: Memory, addr: number, len: number, hash: number): boolean {
    const { bytes, words } = this;
    if (this.hash !== hash || bytes.length !== len) return false;
    for (let i = 0; i < words.length; i++) if (words[i] !== view.getInt32(addr + 4 * i, true)) return false;
    for (let i = 4 * words.length; i < len; i++) if (bytes[i] !== u8[addr + i]) return false;
    return true;
  }
}

export class NamesCache {
  private readonly slots: (CachedName | undefined)[] = [];
  constructor() {
    for (let i = 0; i < SLOTS; i++) this.slots.push(undefined);
  }

  /** The name at user address `addr`. Throws EFAULT, ENAMETOOLONG (4096 bytes without NUL), ENOENT when empty and `empty` is not set. */
  getname(m: Memory, addr: number, empty = false): Filename {
    if (!(addr >= 0x1000 && addr < m.size)) throw EFAULT;
    const { u8, view } = m;
    const end = Math.min(addr + PATH_MAX, m.size);
    // four bytes at a time, up to the word that holds the NUL
    const words = end - 4;
    let p = addr;
    let h = 0;
    for (; p <= words; p += 4) {
      const w = view.getInt32(p, true);
      if (((w - 0x01010101) & ~w & 0x80808080) !== 0) break;
      h = (Math.imul(h, 0x01000193) ^ w) | 0;
    }
    for (; p < end; p++) {
      const c = u8[p]!;
      if (c === 0) break;
      h = (Math.imul(h, 31) + c) | 0;
    }
    if (p === end) throw end === addr + PATH_MAX ? ENAMETOOLONG : EFAULT;
    const len = p - addr;
    if (len === 0 && !empty) throw ENOENT;
    const slot = (h ^ (h >>> 10) ^ (h >>> 20)) & (SLOTS - 1);
    const cached = this.slots[slot];
    if (cached !== undefined && cached.is(m, addr, len, h)) return cached;
    let s = "";
    for (let i = addr; i < p; i++) s += String.fromCharCode(u8[i]!);
    const filename = new CachedName(s, u8.slice(addr, p), h);
    this.slots[slot] = filename;
    return filename;
  }
}
