// lib/memory_store.ts — a disk in memory: for tests, tools, and whatever is to be thrown away.
import type { BlockStore } from "../arch/um/os.ts";

export class MemoryStore implements BlockStore {
  readonly name: string;
  readonly size: number;
  readonly readonly = false;
  readonly bytes: Uint8Array;
  /** Works on `bytes` themselves. */
  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
    this.size = bytes.length;
  }
  read(pos: number, buf: Uint8Array): void {
    buf.set(this.bytes.subarray(pos, pos + buf.length));
  }
  write(pos: number, buf: Uint8Array): void {
    this.bytes.set(buf, pos);
  }
  flush(): undefined {}
  close(): void {}
}
