// worker/cpu/state.ts — the CPU state block: declared once, for wasm and for TypeScript.

import type { GuestMemory } from "./memory.ts";
import { getStatusFlags, setStatusFlags } from "./flags.ts";

/** General registers by x86's numbers. */
export const RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
export const R8 = 8, R9 = 9, R10 = 10, R11 = 11, R12 = 12, R13 = 13, R14 = 14, R15 = 15;

// Offsets from the start of the block. [0, THREAD_STATE_SIZE) belongs to a task: a switch copies exactly that.
/** 16 x u64 */
export const ST_GPR = 0;
/** u64 */
export const ST_RIP = 128;
/** u64 */
export const ST_FS_BASE = 136;
/** u64 */
export const ST_GS_BASE = 144;
/** i32: rflags without CF PF AF ZF SF OF DF, and without bit 1: that is TF, IF (always 1), NT, AC, ID */
export const ST_RFLAGS_SYS = 152;
/** i32: direction flag, 0 or 1 */
export const ST_DF = 156;
/** i32: what set the flags last, an FL_* number (flags.ts) */
export const ST_FL_OP = 160;
/** i64: its result, sign-extended from the operand's size */
export const ST_FL_RES = 168;
/** i64: its first operand, sign-extended; for FL_EXPLICIT and FL_BITS an image of flags */
export const ST_FL_A = 176;
/** i64: its second operand, sign-extended; for FL_INC and FL_DEC the carry flag */
export const ST_FL_B = 184;
/** 16 x 32 bytes: xmm in the lower 16, room for the upper half of ymm above */
export const ST_XMM = 192;
/** i32 */
export const ST_MXCSR = 704;
/** What Builder.odd looks at in it, and how that usually is: rounding to nearest, all masked, precision recorded, no DAZ or FTZ. */
export const MXCSR_LOOK = 0xffe0, MXCSR_USUAL = 0x1fa0;
/** u16 in an i32: control word */
export const ST_FCW = 708;
/** u16 in an i32: status word, with TOP in bits 11–13 */
export const ST_FSW = 712;
/** u16 in an i32: full tag word, 2 bits for each *physical* register (0 valid, 1 zero, 2 special, 3 empty) */
export const ST_FTW = 716;
/** u16 in an i32: opcode of the last x87 instruction */
export const ST_FOP = 720;
/** u64: address of the last x87 instruction; of its memory operand */
export const ST_FIP = 728;
export const ST_FDP = 736;
/** 8 x 16 bytes, by *physical* number: significand u64, then sign and exponent u16. mm0–7 are the significands. */
export const ST_FPR = 752;
/** i32: selectors of the segment registers that a user may load */
export const ST_ES = 880, ST_DS = 884, ST_FS = 888, ST_GS = 892;
/** Bytes of the block that belong to a task. */
export const THREAD_STATE_SIZE = 896;

// The rest belongs to the machine.
/** f64: instructions that had retired when compiled code was last told how many may follow a visit at the door */
export const ST_RETIRED = 896;
/** i64: instructions that may still retire in this run() */
export const ST_LEFT = 904;
/** i64: what ST_LEFT was at the start of this run() */
export const ST_BUDGET = 912;
/** i32: an EXIT_* number, or an internal one */
export const ST_EXIT = 920;
/** u64: faulting address */
export const ST_EXIT_ADDR = 928;
/** i32: bit 0 write, bit 1 fetch, bit 2 misaligned; from bit 8: bytes of the access */
export const ST_EXIT_FLAGS = 936;
/** i32 */
export const ST_EXIT_VECTOR = 940;
/** f64: what rdtsc adds to the count of retired instructions */
export const ST_TSC_BASE = 944;
/** i64 always zero: the home of a register that an operand does not have; one word to write to that nobody reads */
export const ST_ZERO = 952;
/** u32: the record at which a run of tier 0 stopped */
export const ST_CUR = 960;
/** i32: nesting of guest calls in compiled code */
export const ST_DEPTH = 964;
/** i32: not zero: compiled code has been written to since somebody cleared this */
export const ST_CODE_HIT = 968;
/** i64 x 8: arguments of a helper; i64 x 4: its results */
export const ST_ARG = 1024;
export const ST_RET = 1088;
/** 4 x 16 bytes: vector arguments; result */
export const ST_XARG = 1120;
export const ST_XRET = 1184;
export const STATE_SIZE = 1280;

/** Bits of rflags that instructions set as a result. */
export const CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
export const STATUS_FLAGS = CF | PF | AF | ZF | SF | OF;
export const TF = 0x100, IF = 0x200, DF = 0x400, NT = 0x4000, RF = 0x10000, AC = 0x40000, ID = 0x200000;
const SYS_FLAGS = TF | IF | NT | AC | ID;

/** Not a general register: for get_lo and its kin. */
export const REG_RIP = 16, REG_FS_BASE = 17, REG_GS_BASE = 18;

// as words, for undisturbed()
const RIP_WORD = ST_RIP >> 2, HIT_WORD = ST_CODE_HIT >> 2, SYS_WORD = ST_RFLAGS_SYS >> 2;

/** The state block of the running task, seen from TypeScript. Register numbers: RAX…R15, REG_RIP, REG_FS_BASE, REG_GS_BASE. */
export class CpuState {
  /** Address of the block in the memory. */
  readonly base: number;
  readonly mem: GuestMemory;
  private readonly i32: Int32Array;
  private readonly dv: DataView;
  private readonly word: number;

  constructor(mem: GuestMemory) {
    this.mem = mem;
    this.base = mem.reserve(STATE_SIZE);
    this.i32 = mem.i32;
    this.dv = mem.dv;
    this.word = this.base / 4;
    this.reset();
  }

  /** As after execve: all zero but rflags, mxcsr and the x87 control words. */
  reset(): void {
    this.mem.u8.fill(0, this.base, this.base + THREAD_STATE_SIZE);
    this.resetFloats();
    this.set32(ST_RFLAGS_SYS, IF);
    this.rflags = 0x202;
  }
  /** x87 and vectors as a program finds them. */
  resetFloats(): void {
    this.mem.u8.fill(0, this.base + ST_XMM, this.base + ST_FPR + 128);
    this.set32(ST_MXCSR, 0x1f80);
    this.set32(ST_FCW, 0x37f);
    this.set32(ST_FTW, 0xffff);
  }

  /** A word of the block, by ST_* offset (a multiple of 4). */
  get32(offset: number): number {
    return this.i32[this.word + (offset >> 2)]!;
  }
  set32(offset: number, value: number): void {
    this.i32[this.word + (offset >> 2)] = value;
  }
  setF64(offset: number, value: number): void {
    this.dv.setFloat64(this.base + offset, value, true);
  }
  getF64(offset: number): number {
    return this.dv.getFloat64(this.base + offset, true);
  }

  /** Low half of a register, signed. */
  get_lo(reg: number): number {
    return this.i32[this.word + reg * 2]!;
  }
  /** High half of a register, signed. */
  get_hi(reg: number): number {
    return this.i32[this.word + reg * 2 + 1]!;
  }
  /** The register as an unsigned number: exact below 2^53. */
  get(reg: number): number {
    const i = this.word + reg * 2;
    const lo = this.i32[i]!, hi = this.i32[i + 1]!;
    // whole numbers of 31 bits need no object
    return hi === 0 && lo >= 0 ? lo : (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0);
  }
  /** The register as a signed number: exact from -2^53 to 2^53. */
  get_signed(reg: number): number {
    const i = this.word + reg * 2;
    return this.i32[i + 1]! * 0x1_0000_0000 + (this.i32[i]! >>> 0);
  }
  /** Sets all 64 bits; a negative number is sign-extended. */
  set(reg: number, value: number): void {
    const i = this.word + reg * 2;
    const lo = value | 0;
    if (lo === value) {
      this.i32[i] = lo;
      this.i32[i + 1] = lo >> 31;
      return;
    }
    this.i32[i] = value;
    this.i32[i + 1] = Math.floor(value / 0x1_0000_0000);
  }
  set_lo_hi(reg: number, lo: number, hi: number): void {
    const i = this.word + reg * 2;
    this.i32[i] = lo;
    this.i32[i + 1] = hi;
  }
  /** The kernel gave the program other flags, and perhaps the same rip: compiled code that is at the door does not go on with what it has. */
  replaced(): void {
    this.set32(ST_CODE_HIT, 1);
  }
  /** Is rip this, below 4 GiB, no code written to (ST_CODE_HIT), and no single-stepping on? */
  undisturbed(rip: number): boolean {
    const { i32, word } = this;
    return i32[word + RIP_WORD] === rip && i32[word + RIP_WORD + 1] === 0 && i32[word + HIT_WORD] === 0 && (i32[word + SYS_WORD]! & TF) === 0;
  }
  get64(reg: number): bigint {
    return this.dv.getBigUint64(this.base + reg * 8, true);
  }
  set64(reg: number, value: bigint): void {
    this.dv.setBigUint64(this.base + reg * 8, value, true);
  }

  get rip(): number {
    return this.get(REG_RIP);
  }
  set rip(value: number) {
    this.set(REG_RIP, value);
  }
  get fs_base(): number {
    return this.get(REG_FS_BASE);
  }
  set fs_base(value: number) {
    this.set(REG_FS_BASE, value);
  }
  get gs_base(): number {
    return this.get(REG_GS_BASE);
  }
  set gs_base(value: number) {
    this.set(REG_GS_BASE, value);
  }

  /** All of rflags, put together. */
  get rflags(): number {
    return 2 | getStatusFlags(this) | (this.get32(ST_DF) << 10) | this.get32(ST_RFLAGS_SYS);
  }
  /** As popf and sigreturn in user mode: what user mode cannot change stays. */
  set rflags(value: number) {
    setStatusFlags(this, value & STATUS_FLAGS);
    this.set32(ST_DF, (value >> 10) & 1);
    this.set32(ST_RFLAGS_SYS, (value & SYS_FLAGS) | IF);
  }

  /** A copy of what belongs to the task. */
  save(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.mem.u8.subarray(this.base, this.base + THREAD_STATE_SIZE));
  }
  /** Makes a copy from save() the running task's state. */
  load(bytes: Uint8Array): void {
    if (bytes.length !== THREAD_STATE_SIZE) throw new RangeError("not a saved CPU state");
    this.mem.u8.set(bytes, this.base);
  }
}
