// os-node/cow.ts — a copy-on-write file over an image that never changes, in UML's format, version 3.  cf. arch/um/drivers/cow_user.c
//
//   0     big-endian header: magic "OOOM", version 3, the image's mtime (u32) and size (u64), sector size 512, alignment 4096, format 0,
//         the image's path (4096 bytes)
//   4128  bitmap: bit n set means that sector n is in this file
//   ...   at the next multiple of the alignment: the sectors, at their place in the image; the file is sparse
import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import type { BlockStore } from "../arch/um/os.ts";
import { lockFile } from "./lock.ts";

const MAGIC = 0x4f4f4f4d;
const VERSION = 3;
const SECTOR = 512;
const ALIGN = 4096;
const PATH = 4096;
const HEADER = 32 + PATH;

export class CowStore implements BlockStore {
  readonly name: string;
  readonly size: number;
  readonly readonly = false;
  private readonly cow: number;
  private readonly base: number;
  private readonly bitmap: Uint8Array;
  private readonly data: number;
  private readonly unlock: () => void;
  /** bytes of the bitmap that the file does not have yet: [from, to) */
  private dirty: [number, number] | undefined;

  /** Opens `file` over `backing`, or makes it if there is none. Throws a sentence. `print` takes UML's line about a new file. */
  constructor(file: string, backing: string, print: (line: string) => void) {
    if (!existsSync(backing)) throw new Error(`There is no file ${backing}.`);
    const st = statSync(backing);
    const mtime = Math.floor(st.mtimeMs / 1000) >>> 0;
    this.size = st.size;
    this.name = file;
    this.bitmap = new Uint8Array(Math.ceil(st.size / (SECTOR * 8)));
    this.data = Math.ceil((HEADER + this.bitmap.length) / ALIGN) * ALIGN;
    this.base = openSync(backing, "r");
    if (!existsSync(file)) {
      print(`Creating "${file}" as COW file for "${backing}"`);
      this.cow = openSync(file, "w+");
      const head = new Uint8Array(HEADER);
      const v = new DataView(head.buffer);
      [MAGIC, VERSION, mtime].forEach((x, i) => v.setUint32(4 * i, x));
      v.setBigUint64(12, BigInt(st.size));
      [SECTOR, ALIGN, 0].forEach((x, i) => v.setUint32(20 + 4 * i, x));
      head.set(new TextEncoder().encode(resolve(backing)).subarray(0, PATH - 1), 32);
      writeSync(this.cow, head, 0, HEADER, 0);
      ftruncateSync(this.cow, this.data + st.size);
      this.unlock = lockFile(file);
      return;
    }
    this.unlock = lockFile(file);
    this.cow = openSync(file, "r+");
    const head = new Uint8Array(HEADER);
    const n = readSync(this.cow, head, 0, HEADER, 0);
    const v = new DataView(head.buffer);
    if (n < HEADER || v.getUint32(0) !== MAGIC || v.getUint32(4) !== VERSION) throw new Error(`${file} is not a COW file of version 3.`);
    if (Number(v.getBigUint64(12)) !== st.size || v.getUint32(8) !== mtime)
      throw new Error(`${file} was made for another state of ${backing}: its size or time of change differ.`);
    readSync(this.cow, this.bitmap, 0, this.bitmap.length, HEADER);
  }
  private has(sector: number): boolean {
    return ((this.bitmap[sector >> 3]! >> (sector & 7)) & 1) !== 0;
  }
  read(pos: number, buf: Uint8Array): void {
    for (let n = 0; n < buf.length; ) {
      const sector = Math.floor((pos + n) / SECTOR);
      const there = this.has(sector);
      let end = (sector + 1) * SECTOR;
      while (end < pos + buf.length && this.has(end / SECTOR) === there) end += SECTOR;
      const len = Math.min(end - pos, buf.length) - n;
      const got = readSync(there ? this.cow : this.base, buf, n, len, there ? this.data + pos + n : pos + n);
      if (got < len) buf.fill(0, n + got, n + len);
      n += len;
    }
  }
  write(pos: number, buf: Uint8Array): void {
    // a sector that is written in part is copied first
    const first = Math.floor(pos / SECTOR) * SECTOR;
    const last = Math.ceil((pos + buf.length) / SECTOR) * SECTOR;
    let bytes = buf;
    if (first !== pos || last !== pos + buf.length) {
      bytes = new Uint8Array(last - first);
      this.read(first, bytes);
      bytes.set(buf, pos - first);
    }
    writeSync(this.cow, bytes, 0, bytes.length, this.data + first);
    for (let s = first / SECTOR; s < last / SECTOR; s++) this.bitmap[s >> 3]! |= 1 << (s & 7);
    const [from, to] = this.dirty ?? [Infinity, 0];
    this.dirty = [Math.min(from, first / SECTOR >> 3), Math.max(to, ((last / SECTOR - 1) >> 3) + 1)];
  }
  flush(): undefined {
    this.barrier();
  }
  /** The sectors first, then the bits that say they count. Until then a killed process leaves what was in the image there. */
  barrier(): void {
    fsyncSync(this.cow);
    if (this.dirty === undefined) return;
    const [from, to] = this.dirty;
    this.dirty = undefined;
    writeSync(this.cow, this.bitmap, from, to - from, HEADER + from);
    fsyncSync(this.cow);
  }
  close(): void {
    this.flush();
    closeSync(this.cow);
    closeSync(this.base);
    this.unlock();
  }
}
