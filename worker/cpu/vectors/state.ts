// worker/cpu/vectors/state.ts — a complete user-mode state, as record.c takes and gives it

/** Where code and data lie, natively and in the guest. Around DATA nothing is mapped natively. */
export const CODE = 0x1000000, DATA = 0x1100000;
export const CODE_SIZE = 4096, DATA_SIZE = 4096;

/** Bases of fs and gs. */
export const FS_BASE = DATA + 0x300, GS_BASE = DATA + 0x100;

export const IN_SIZE = 8 + 16 * 8 + 16 + 512 + 256 + CODE_SIZE + DATA_SIZE, OUT_SIZE = IN_SIZE + 16 + 16 + 16;

/** Layout of an FXSAVE image: fcw 0, fsw 2, abridged ftw 4, mxcsr 24, st0… at 32 each 16, xmm at 160. */
export interface State {
  gpr: BigUint64Array; // rax rcx rdx rbx rsp rbp rsi rdi r8 … r15
  rip: bigint;
  rflags: bigint;
  fx: Uint8Array;
  ymmh: Uint8Array;
  code: Uint8Array;
  data: Uint8Array;
  avx: boolean;
}

/** What a case led to: the state, and the trap that ended it (vector, error code, cr2). */
export interface Outcome extends State {
  trap: number;
  sig: number;
  err: number;
  cr2: bigint;
  fsBase: bigint;
  gsBase: bigint;
  /** es, cs, ss, ds, fs, gs */
  selectors: number[];
}

export function emptyState(): State {
  const fx = new Uint8Array(512);
  const v = new DataView(fx.buffer);
  v.setUint16(0, 0x37f, true);
  v.setUint32(24, 0x1f80, true);
  v.setUint32(28, 0xffff, true);
  return {
    gpr: new BigUint64Array(16), rip: BigInt(CODE), rflags: 0x202n, fx, ymmh: new Uint8Array(256),
    code: new Uint8Array(CODE_SIZE).fill(0xcc), data: new Uint8Array(DATA_SIZE), avx: false,
  };
}

export function writeState(s: State, to: Uint8Array, at: number): void {
  const v = new DataView(to.buffer, to.byteOffset + at, IN_SIZE);
  v.setUint32(0, CODE_SIZE, true);
  v.setUint32(4, s.avx ? 1 : 0, true);
  for (let i = 0; i < 16; i++) v.setBigUint64(8 + i * 8, s.gpr[i]!, true);
  v.setBigUint64(136, s.rip, true);
  v.setBigUint64(144, s.rflags, true);
  to.set(s.fx, at + 152);
  to.set(s.ymmh, at + 664);
  to.set(s.code, at + 920);
  to.set(s.data, at + 920 + CODE_SIZE);
}

export function readOutcome(from: Uint8Array, at: number): Outcome {
  const v = new DataView(from.buffer, from.byteOffset + at, OUT_SIZE);
  const gpr = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) gpr[i] = v.getBigUint64(24 + i * 8, true);
  return {
    trap: v.getUint32(0, true), sig: v.getUint32(4, true), err: Number(v.getBigUint64(8, true)), cr2: v.getBigUint64(16, true), gpr,
    rip: v.getBigUint64(152, true), rflags: v.getBigUint64(160, true),
    fx: from.slice(at + 168, at + 680), ymmh: from.slice(at + 680, at + 936),
    code: from.slice(at + 936, at + 936 + CODE_SIZE), data: from.slice(at + 936 + CODE_SIZE, at + 936 + CODE_SIZE + DATA_SIZE), avx: false,
    fsBase: v.getBigUint64(IN_SIZE + 16, true), gsBase: v.getBigUint64(IN_SIZE + 24, true), selectors: [0, 1, 2, 3, 4, 5].map((i) => v.getUint16(IN_SIZE + 32 + 2 * i, true)),
  };
}
