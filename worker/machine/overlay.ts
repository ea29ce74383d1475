// machine/overlay.ts — a disk as it is without being written to: what lies below, and blocks over it, which take all writes.
import type { BlockStore } from "../arch/um/os.ts";

const BLOCK = 4096;

/** Reads come from `below`, except where something was written here. Nothing below ever changes, and nothing here lasts. */
export class OverlayStore implements BlockStore {
  readonly name = "view";
  readonly size: number;
  readonly readonly = false;
  private readonly below: Pick<BlockStore, "size" | "read">;
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(below: Pick<BlockStore, "size" | "read">) {
    this.below = below;
    this.size = below.size;
  }
  private *parts(pos: number, len: number): Generator<{ block: number; from: number; at: number; n: number }> {
    for (let at = 0; at < len; ) {
      const block = Math.floor((pos + at) / BLOCK);
      const from = pos + at - block * BLOCK;
      const n = Math.min(BLOCK - from, len - at);
      yield { block, from, at, n };
      at += n;
    }
  }
  read(pos: number, buf: Uint8Array): void {
    this.below.read(pos, buf);
    if (this.blocks.size === 0) return;
    for (const { block, from, at, n } of this.parts(pos, buf.length)) {
      const over = this.blocks.get(block);
      if (over !== undefined) buf.set(over.subarray(from, from + n), at);
    }
  }
  write(pos: number, buf: Uint8Array): void {
    for (const { block, from, at, n } of this.parts(pos, buf.length)) {
      let over = this.blocks.get(block);
      if (over === undefined) {
        over = new Uint8Array(Math.min(BLOCK, this.size - block * BLOCK));
        this.below.read(block * BLOCK, over);
        this.blocks.set(block, over);
      }
      over.set(buf.subarray(at, at + n), from);
    }
  }
  flush(): undefined {}
  close(): void {}
}
