// worker/cpu/jit/functions.ts — where the guest's functions begin, as far as calls have shown: a guess, which only speed depends on.
import type { GuestMemory } from "../memory.ts";

/** How far behind its beginning code is still looked for in a function; beginnings that are remembered. */
const REACH = 0x8000, MOST = 1 << 16;

export class Functions {
  private readonly mem: GuestMemory;
  /** ascending */
  private readonly starts: number[] = [];
  private lastStack = -1;
  private lastReturn = -1;

  constructor(mem: GuestMemory) {
    this.mem = mem;
  }

  /** Code at `rip` is executed for the first time, with the stack pointer `rsp`: has it been called just now? */
  met(rip: number, rsp: number): void {
    const { dv, u8, size } = this.mem;
    if (!(rsp >= 0 && rsp + 8 <= size) || dv.getUint32(rsp + 4, true) !== 0) return;
    const to = dv.getUint32(rsp, true);
    // what follows within one function finds the same on the stack, if that function pushes nothing
    if (to < 16 || to >= size || (rsp === this.lastStack && to === this.lastReturn)) return;
    let called = u8[to - 5] === 0xe8;
    for (let n = 2; n <= 7; n++) called ||= u8[to - n] === 0xff && (u8[to - n + 1]! & 0x38) === 0x10;
    if (!called) return;
    this.lastStack = rsp;
    this.lastReturn = to;
    if (this.starts.length >= MOST) this.clear();
    const at = this.after(rip);
    if (this.starts[at - 1] !== rip) this.starts.splice(at, 0, rip);
  }
  /** The first start above rip, as an index. */
  private after(rip: number): number {
    let low = 0, high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= rip) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** Where the function that `rip` is in may begin; `rip` itself if nothing is known. */
  of(rip: number): number {
    const start = this.starts[this.after(rip) - 1];
    return start !== undefined && rip - start < REACH ? start : rip;
  }
  get size(): number {
    return this.starts.length;
  }
  clear(): void {
    this.starts.length = 0;
    this.lastStack = this.lastReturn = -1;
  }
}
