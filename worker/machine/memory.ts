// machine/memory.ts — the one memory as the kernel sees it.
import { CODE_SHIFT } from "../cpu/build/wasm.ts";
import type { GuestMemory } from "../cpu/memory.ts";
import type { Memory } from "../kernel/uaccess.ts";

export class KernelMemory implements Memory {
  readonly buffer: ArrayBuffer;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
  readonly size: number;
  private readonly guest: GuestMemory;
  constructor(m: GuestMemory) {
    this.guest = m;
    this.buffer = m.buffer;
    this.u8 = m.u8;
    this.i32 = m.i32;
    this.u32 = m.u32;
    this.view = m.dv;
    this.size = m.size;
  }
  written(addr: number, len: number): void {
    const { u8, guest } = this;
    const last = guest.codeMap + ((addr + len - 1) >>> CODE_SHIFT);
    for (let g = guest.codeMap + (addr >>> CODE_SHIFT); g <= last; g++)
      if (u8[g] !== 0) {
        guest.code_changed(addr, len);
        return;
      }
  }
}
