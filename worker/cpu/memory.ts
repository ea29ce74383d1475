// worker/cpu/memory.ts — the one WebAssembly.Memory: guest RAM below, the emulator's own tables above it.

const PAGE = 65536;

/** Lowest address that a guest may read. */
export const GUEST_READ_MIN = 0x1000;
/** Lowest address that a guest may write: below lie page 0 and the kernel's pages. */
export const GUEST_WRITE_MIN = 0x100000;
/** Most guest RAM there can be. */
export const GUEST_SIZE_MAX = 0x80000000;

/**
 * Guest address = offset in `memory`. Guest RAM is [0, size); whoever needs room that the guest cannot reach (the CPU's state
 * and code tables, rings of the console and the trace) takes it from `reserve`, before the machine runs.
 */
export class GuestMemory {
  readonly memory: WebAssembly.Memory;
  readonly buffer: ArrayBuffer;
  /** True if the buffer is a SharedArrayBuffer. */
  readonly shared: boolean;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly i32: Int32Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly dv: DataView<ArrayBuffer>;
  /** Bytes of guest RAM: a multiple of 64 KiB. */
  readonly size: number;
  /** Where the code map is (CodeLayout): one byte for each 2^CODE_SHIFT bytes of guest RAM; 0: no CPU has made one. */
  codeMap = 0;
  /** See Cpu.code_changed. */
  code_changed: (addr: number, len: number) => void = () => undefined;
  private next: number;
  private readonly end: number;

  /**
   * @param size bytes of guest RAM, at most GUEST_SIZE_MAX
   * @param above bytes for the emulator's own tables
   * @param memory one that was made so before (`of`)
   */
  constructor(size: number, above: number, shared: boolean, memory?: WebAssembly.Memory) {
    if (size <= GUEST_WRITE_MIN || size > GUEST_SIZE_MAX || size % PAGE !== 0)
      throw new RangeError(`guest memory of ${size} bytes: must be a multiple of 64 KiB, more than 1 MiB and at most 2 GiB`);
    const pages = size / PAGE + Math.ceil(above / PAGE);
    this.memory = memory ?? new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
    this.buffer = this.memory.buffer;
    this.shared = shared;
    this.u8 = new Uint8Array(this.buffer);
    this.i32 = new Int32Array(this.buffer);
    this.u32 = new Uint32Array(this.buffer);
    this.dv = new DataView(this.buffer);
    this.size = size;
    this.next = size;
    this.end = pages * PAGE;
  }

  /** The memory of another worker, with nothing reserved yet: whoever takes the same things in the same order gets the same places. */
  static of(memory: WebAssembly.Memory, size: number): GuestMemory {
    return new GuestMemory(size, memory.buffer.byteLength - size, true, memory);
  }

  /** Takes `bytes` above guest RAM, aligned to 64 and zero. */
  reserve(bytes: number): number {
    const at = this.next;
    this.next = (at + bytes + 63) & ~63;
    if (this.next < 0) this.next += 0x1_0000_0000;
    if (this.next > this.end) throw new RangeError("no room above guest memory");
    return at;
  }
}
