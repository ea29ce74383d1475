// machine/memory.ts — the one memory as the kernel sees it.
import type { GuestMemory } from "../cpu/memory.ts";
import type { Memory } from "../kernel/uaccess.ts";

export class KernelMemory implements Memory {
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
  readonly size: number;
  constructor(m: GuestMemory) {
    this.buffer = m.buffer;
    this.u8 = m.u8;
    this.i32 = m.i32;
    this.u32 = m.u32;
    this.view = m.dv;
    this.size = m.size;
  }
}
