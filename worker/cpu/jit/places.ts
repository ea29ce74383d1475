// worker/cpu/jit/places.ts — addresses in copies of functions, numbered in the order in which they are met.

/** log2 of the slots of a hash that is more than twice as large as a region's number of addresses, mostly; it grows. */
const BITS = 11;

/** One is enough: each search begins with clear(). */
export class Places {
  private bits = BITS;
  /** 1 + the number of a place, or 0 */
  private slots = new Int32Array(1 << BITS);
  /** by number: the copy, and the address there */
  readonly copies: number[] = [];
  readonly rips: number[] = [];
  /** how many there are */
  count = 0;

  clear(): void {
    this.count = 0;
    this.slots.fill(0);
  }
  /** The number of an address, met before or not. */
  of(copy: number, rip: number): number {
    const { slots, rips, copies } = this, mask = slots.length - 1;
    let at = Math.imul(rip + copy * 0x3d4d51, 0x9e3779b1) >>> (32 - this.bits);
    for (; slots[at] !== 0; at = (at + 1) & mask) {
      const n = slots[at]! - 1;
      if (rips[n] === rip && copies[n] === copy) return n;
    }
    const n = this.count++;
    rips[n] = rip;
    copies[n] = copy;
    slots[at] = this.count;
    if (2 * this.count > slots.length) this.grow();
    return n;
  }
  private grow(): void {
    this.slots = new Int32Array(2 << this.bits++);
    const mask = this.slots.length - 1;
    for (let n = 0; n < this.count; n++) {
      let at = Math.imul(this.rips[n]! + this.copies[n]! * 0x3d4d51, 0x9e3779b1) >>> (32 - this.bits);
      while (this.slots[at] !== 0) at = (at + 1) & mask;
      this.slots[at] = n + 1;
    }
  }
}
