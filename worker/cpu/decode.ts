// worker/cpu/decode.ts — bytes → Insn, with iced-x86. What is static about an instruction becomes a Shape, shared; the rest are plain numbers.
// What it has said of an instruction's first bytes is kept (encoding.ts), and it is not asked again.

import type * as iced from "iced-x86";
import type { InsnForm, Operand, OperandKind } from "./build/builder.ts";
import { type Encoding, Encodings, fill, IMM_16, IMM_32, IMM_64, IMM_8, IMM_NONE, IMM_REL32, IMM_REL8, IMM_S32, IMM_S8, IMM_S8_TO_16 } from "./encoding.ts";
import type { Iced } from "./iced.ts";
import type { Definition } from "./insn/define.ts";
import { definitions } from "./insn/all.ts";

/** What a definition may depend on, with what follows from it. */
export interface Shape {
  readonly id: number;
  readonly form: InsnForm;
  /** undefined: no such instruction here, #UD */
  readonly definition: Definition | undefined;
  /** Operand that is in memory, by number; -1 if none. */
  readonly memory: number;
  readonly hasBase: boolean;
  readonly hasIndex: boolean;
  readonly hasSegment: boolean;
}

/** No such register, in Insn.base, index and reg. */
export const NO_REG = -1;
/** Added to a register number in Insn.reg: ah, ch, dh, bh (of registers 0–3). */
export const HIGH = 16;

const NO_REGS: readonly number[] = [NO_REG, NO_REG, NO_REG, NO_REG];

/** One decoded instruction: plain numbers, no object of the decoder. May be reused for the next one. */
export class Insn {
  rip = 0;
  /** bytes; 0 if they could not all be fetched */
  length = 0;
  shape: Shape = undefined as unknown as Shape;
  /** by operand: register number (+ HIGH), of whatever file the operand's kind says; or NO_REG */
  reg: readonly number[] = NO_REGS;
  base = NO_REG;
  index = NO_REG;
  /** shift count of the index: 0–3 */
  scale = 0;
  /** 0 none, 1 fs, 2 gs */
  segment = 0;
  /** displacement, or absolute address if relative to rip: sign-extended to 64 bits */
  dispLo = 0;
  dispHi = 0;
  /** immediate, extended to 64 bits as the operand says; or branch target */
  immLo = 0;
  immHi = 0;
  /** second immediate (enter) */
  imm2 = 0;
  /** what differs for the same bytes elsewhere: MOVES_IMM, MOVES_DISP; UNMOVABLE: not as much as it lies away */
  moves = 0;
  /** what it has in common with others that begin like it, if that is kept */
  encoding: Encoding | undefined = undefined;
}
export const MOVES_IMM = 1, MOVES_DISP = 2, UNMOVABLE = 4;

/** A memory operand: where, whether through the stack's segment, whether it is read and then written. */
export interface Access {
  readonly address: bigint;
  readonly stack: boolean;
  readonly both: boolean;
}

interface CodeInfo {
  readonly name: string;
  readonly mnemonic: number;
  readonly opsize: number;
  /** has no memory operand, and yet an address size: loop */
  readonly addr32: boolean;
  readonly string: boolean;
  readonly fixedImm: boolean;
}

// Register classes of iced's Register numbers, worked out once: kind, size, number.
interface RegisterInfo {
  readonly kind: OperandKind;
  readonly size: number;
  readonly n: number;
}

const MAX_LENGTH = 15;
/** In place of the library's number of an instruction: there would be one here, were it not longer than that. */
const TOO_LONG = 1;
/** Bytes that are handed to the library at once: what comes next is known, mostly. */
const WINDOW = 64;
const STRING_INSNS = /^(movs|cmps|scas|lods|stos|ins|outs)[bwdq](_string)?$/;

/** Those of iced's OpKind numbers that are asked for with each instruction: its own table is a large one, and slow. */
const kindsOf = (K: typeof iced.OpKind) => ({
  Register: K.Register, Memory: K.Memory, NearBranch16: K.NearBranch16, NearBranch64: K.NearBranch64,
  MemorySegSI: K.MemorySegSI, MemorySegESI: K.MemorySegESI, MemorySegEDI: K.MemorySegEDI, MemorySegRDI: K.MemorySegRDI, MemoryESEDI: K.MemoryESEDI, MemoryESRDI: K.MemoryESRDI,
  Immediate8: K.Immediate8, Immediate8_2nd: K.Immediate8_2nd, Immediate16: K.Immediate16, Immediate32: K.Immediate32, Immediate64: K.Immediate64,
  Immediate8to16: K.Immediate8to16, Immediate8to32: K.Immediate8to32, Immediate8to64: K.Immediate8to64, Immediate32to64: K.Immediate32to64,
});

/** Decodes 64-bit code. One per Cpu: it keeps the shapes met so far. */
export class Decoder {
  private readonly iced: Iced;
  private readonly kinds: ReturnType<typeof kindsOf>;
  private readonly names: { readonly rip: number; readonly eip: number; readonly fs: number; readonly gs: number };
  private readonly instruction: iced.Instruction;
  private decoder: iced.Decoder | undefined;
  private readonly bytes: Uint8Array;
  private readonly size: number;
  private readonly registers: (RegisterInfo | undefined)[] = [];
  private readonly codes: (CodeInfo | undefined)[] = [];
  private readonly byKey = new Map<number, Shape>();
  private readonly byText = new Map<string, Shape>();
  private readonly absent: (name: string) => boolean;
  private readonly encodings = new Encodings();
  private readonly view: DataView;
  /** All shapes, by id. */
  readonly shapes: Shape[] = [];
  /** First and last address that begin() covered. */
  private from = 0;
  private to = -1;
  /** what the library would decode next */
  private at = -1;
  /** how the immediate of the last instruction is extended, an IMM_ of encoding.ts */
  private imm = IMM_NONE;
  /** whether it has a displacement */
  private displaced = false;

  /**
   * @param bytes guest memory from address 0
   * @param size bytes of it
   * @param absent whether cpuid does not advertise what the mnemonic needs: then #UD, or the older meaning of the bytes
   */
  constructor(library: Iced, bytes: Uint8Array, size: number, absent: (name: string) => boolean) {
    this.iced = library;
    this.instruction = new library.Instruction();
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset);
    this.size = size;
    this.absent = absent;
    const R = library.Register;
    this.kinds = kindsOf(library.OpKind);
    this.names = { rip: R.RIP, eip: R.EIP, fs: R.FS, gs: R.GS };
    const range = (first: number, last: number, kind: OperandKind, bytesEach: number, start = 0): void => {
      for (let r = first; r <= last; r++) this.registers[r] = { kind, size: bytesEach, n: start + r - first };
    };
    range(R.AL, R.BL, "reg", 1);
    range(R.AH, R.BH, "reg", 1, HIGH);
    range(R.SPL, R.R15L, "reg", 1, 4);
    range(R.AX, R.R15W, "reg", 2);
    range(R.EAX, R.R15D, "reg", 4);
    range(R.RAX, R.R15, "reg", 8);
    range(R.ES, R.GS, "seg", 2);
    range(R.XMM0, R.XMM15, "xmm", 16);
    range(R.YMM0, R.YMM15, "xmm", 32);
    range(R.MM0, R.MM7, "mm", 8);
    range(R.ST0, R.ST7, "st", 10);
    range(R.CR0, R.CR15, "seg", 8);
    range(R.DR0, R.DR15, "seg", 8);
  }

  /** Bytes may have changed. */
  forget(): void {
    this.to = this.at = -1;
  }

  /** Nobody holds a shape any more: numbers begin anew. */
  forgetShapes(): void {
    this.byKey.clear();
    this.byText.clear();
    this.encodings.clear();
    this.shapes.length = 0;
  }

  /** Decodes what is at `rip` (below the size of memory) into `insn`. */
  decode(rip: number, insn: Insn): void {
    const known = rip + MAX_LENGTH <= this.size ? this.encodings.find(this.bytes, rip) : undefined;
    if (known !== undefined) fill(insn, rip, known, this.view);
    else if (this.ask(rip, insn)) this.keep(rip, insn);
  }

  /** The same by the library; whether it is a whole instruction. */
  ask(rip: number, insn: Insn): boolean {
    if (rip < this.from || rip + MAX_LENGTH > this.to || this.decoder === undefined) {
      this.decoder?.free();
      this.from = rip;
      this.to = Math.min(this.from + WINDOW, this.size);
      this.decoder = new this.iced.Decoder(64, this.bytes.subarray(this.from, this.to), this.iced.DecoderOptions.None);
      this.at = -1;
    }
    if (this.at !== rip) {
      this.decoder.position = rip - this.from;
      this.decoder.ip = BigInt(rip);
    }
    const i = this.instruction;
    this.decoder.decodeOut(i);
    insn.rip = rip;
    insn.length = i.length;
    this.at = rip + insn.length;
    const code = i.code;
    if (code === 0) {
      // cut off by the end of memory, too long, or not an instruction
      if (rip + MAX_LENGTH > this.size) {
        if (this.decoder.lastError === this.iced.DecoderError.NoMoreBytes) insn.length = 0;
      } else if (this.wantsMore(rip)) {
        insn.shape = this.shapeOf(TOO_LONG, i, insn);
        return false;
      }
    }
    insn.shape = this.shapeOf(code, i, insn);
    return code !== 0;
  }

  /** Keeps what the library has just said of the instruction at `rip`, if each of its bytes either determines all the others, or is part of one constant. */
  private keep(rip: number, insn: Insn): void {
    const { definition, form } = insn.shape;
    // an address of 32 bits, or of a branch of 16: constants that are cut
    if (definition === undefined || form.addrsize === 4 || (insn.moves & UNMOVABLE) !== 0) return;
    const { length } = insn;
    let dispAt = 0, dispSize = 0, immAt = 0, immSize = 0;
    if (this.displaced || this.imm !== IMM_NONE) {
      const offsets = this.decoder!.getConstantOffsets(this.instruction);
      dispAt = offsets.displacementOffset;
      dispSize = offsets.displacementSize;
      immAt = offsets.immediateOffset;
      immSize = offsets.immediateSize;
      offsets.free();
    }
    // one that the shape depends on is no constant
    if (definition.fixedImm) immAt = immSize = 0;
    const imm = immSize === 0 ? IMM_NONE : this.imm === IMM_REL32 && immSize === 1 ? IMM_REL8 : this.imm;
    const first = dispSize > 0 ? dispAt : immSize > 0 ? immAt : length;
    if (first + dispSize + immSize !== length) return;
    insn.encoding = this.encodings.add(this.bytes, rip, first, {
      shape: insn.shape, length, reg: insn.reg, base: insn.base, index: insn.index, scale: insn.scale, segment: insn.segment, moves: insn.moves,
      dispAt, dispSize, relative: (insn.moves & MOVES_DISP) !== 0, immAt, imm, immLo: insn.immLo, immHi: insn.immHi,
    });
  }

  /** Is what the 15 bytes at `rip` have begun not at its end there? Then it begins with a prefix, without which the library would read on. */
  private wantsMore(rip: number): boolean {
    const decoder = new this.iced.Decoder(64, this.bytes.subarray(rip + 1, rip + 1 + MAX_LENGTH), this.iced.DecoderOptions.None);
    decoder.decodeOut(this.instruction);
    const more = decoder.position >= MAX_LENGTH;
    decoder.free();
    return more;
  }

  /** What the instruction at `rip` does with memory, explicitly and implicitly. `get`: a general register by number. */
  accesses(rip: number, get: (n: number) => bigint, segments: readonly [fs: bigint, gs: bigint]): Access[] {
    const { Decoder: Bytes, InstructionInfoFactory, Register, OpAccess } = this.iced;
    const decoder = new Bytes(64, this.bytes.subarray(rip, Math.min(rip + MAX_LENGTH, this.size)), this.iced.DecoderOptions.None);
    decoder.ip = BigInt(rip);
    const instruction = decoder.decode(), factory = new InstructionInfoFactory(), info = factory.info(instruction);
    const out = info.usedMemory().map((m): Access => {
      const base = this.registers[m.base], index = this.registers[m.index];
      let a = m.displacement;
      if (base?.kind === "reg") a += get(base.n);
      if (index?.kind === "reg") a += get(index.n) * BigInt(m.scale);
      if ((base ?? index)?.size === 4) a &= 0xffffffffn;
      if (m.segment === Register.FS) a += segments[0];
      if (m.segment === Register.GS) a += segments[1];
      // other prefixes of segments mean nothing
      const stack = base?.kind === "reg" && (base.n === 4 || base.n === 5) && m.segment !== Register.FS && m.segment !== Register.GS;
      const access = { address: BigInt.asUintN(64, a), stack, both: m.access === OpAccess.ReadWrite || m.access === OpAccess.ReadCondWrite };
      m.free();
      return access;
    });
    for (const used of [info, factory, instruction, decoder]) used.free();
    return out;
  }

  /** Makes known the shapes of the instructions in `code`, which has nothing but instructions. */
  learn(code: Uint8Array): Shape[] {
    const first = this.shapes.length;
    this.decoder?.free();
    this.decoder = new this.iced.Decoder(64, code, this.iced.DecoderOptions.None);
    const insn = new Insn();
    while (this.decoder.canDecode) {
      this.decoder.decodeOut(this.instruction);
      this.shapeOf(this.instruction.code, this.instruction, insn);
    }
    this.forget();
    return this.shapes.slice(first);
  }

  private codeInfo(code: number, i: iced.Instruction): CodeInfo {
    let info = this.codes[code];
    if (info === undefined) {
      const text = this.iced.Code[code]!;
      let name = this.iced.Mnemonic[i.mnemonic]!.toLowerCase();
      if (text === "Movsd_m32_m32" || text === "Cmpsd_m32_m32") name += "_string";
      if (/^(?:Jmp|Call)_(?:m16|ptr16)/.test(text)) name += "_far";
      if (/^Mov_(r64_[cd]r|[cd]r_r64)$/.test(text)) name = "mov_privileged";
      if (/^(EVEX|XOP|MVEX|D3NOW)_/.test(text)) name = `${name}_evex`; // none of these are there
      if (code === TOO_LONG) name = "too_long";
      const suffix = /^(?:Push|Pop|Enter|Leave|Iret|Ret[nf]|Pushf|Popf|Call|Jmp)(w|d|q)(?:_|$)/.exec(text)?.[1];
      info = {
        name, mnemonic: i.mnemonic, opsize: suffix === "w" ? 2 : suffix === "d" ? 4 : suffix === "q" ? 8 : 0,
        addr32: /_ECX$/.test(text), string: STRING_INSNS.test(name), fixedImm: definitions.get(name)?.fixedImm === true,
      };
      this.codes[code] = info;
    }
    return info;
  }

  private setImm(insn: Insn, lo: number, hi: number): void {
    insn.immLo = lo;
    insn.immHi = hi;
  }
  private setImm64(insn: Insn, v: bigint): void {
    const n = Number(BigInt.asIntN(64, v));
    if (Number.isSafeInteger(n)) this.setImm(insn, n | 0, Math.floor(n / 0x1_0000_0000));
    else this.setImm(insn, Number(BigInt.asIntN(32, v)), Number(BigInt.asIntN(32, v >> 32n)));
  }

  /** Fills the operands of `insn` and finds its shape. */
  private shapeOf(code: number, i: iced.Instruction, insn: Insn): Shape {
    const { kinds: K, names } = this;
    const info = this.codeInfo(code, i);
    let key = code * 4096;
    const count = code === 0 ? 0 : i.opCount;
    const reg = [NO_REG, NO_REG, NO_REG, NO_REG];
    insn.reg = reg;
    insn.base = insn.index = NO_REG;
    insn.scale = insn.segment = insn.moves = insn.imm2 = 0;
    insn.dispLo = insn.dispHi = insn.immLo = insn.immHi = 0;
    insn.encoding = undefined;
    this.imm = IMM_NONE;
    this.displaced = false;
    let memory = -1, addr32 = false, immediates = 0, gather = -1;
    for (let n = 0; n < count; n++) {
      const kind = n === 0 ? i.op0Kind : n === 1 ? i.op1Kind : n === 2 ? i.op2Kind : n === 3 ? i.op3Kind : i.op4Kind;
      if (kind === K.Register) {
        const register = n === 0 ? i.op0Register : n === 1 ? i.op1Register : n === 2 ? i.op2Register : i.op3Register;
        const r = this.registers[register];
        if (r === undefined) {
          key = -1; // a register file that is not there: ymm, control registers …
          continue;
        }
        reg[n] = r.n;
        if (n === 3) key += (r.n + 1) * 0x40000000000; // a record has no room for a fourth: it is part of the shape
        if (r.kind === "st") key += r.n * (n === 0 ? 64 : 512);
        else if (r.kind === "seg") key += r.n * 64;
      } else if (kind === K.Memory) {
        memory = n;
        const base = i.memoryBase, index = i.memoryIndex, size = i.memoryDisplSize;
        if (base === names.rip || base === names.eip) {
          addr32 = base === names.eip;
          insn.moves |= addr32 ? UNMOVABLE : MOVES_DISP;
        } else {
          if (base !== 0) {
            insn.base = this.registers[base]!.n;
            addr32 = this.registers[base]!.size === 4;
          }
          if (index !== 0) {
            const r = this.registers[index], s = i.memoryIndexScale;
            insn.scale = s === 8 ? 3 : s >> 1;
            if (r === undefined) key = -1;
            else if (r.kind === "xmm") gather = r.n | (insn.scale << 12) | (r.size === 32 ? 0x10000 : 0);
            else {
              insn.index = r.n;
              addr32 = r.size === 4;
            }
          }
          if (base === 0 && index === 0) addr32 = size === 4;
        }
        if (size !== 0) {
          this.displaced = true;
          const d = i.memoryDisplacement, near = Number(BigInt.asIntN(64, d)), safe = Number.isSafeInteger(near);
          insn.dispLo = safe ? near | 0 : Number(BigInt.asIntN(32, d));
          insn.dispHi = safe ? Math.floor(near / 0x1_0000_0000) : Number(BigInt.asIntN(32, d >> 32n));
        }
        const seg = i.memorySegment;
        insn.segment = seg === names.fs ? 1 : seg === names.gs ? 2 : 0;
      } else if (kind >= K.MemorySegSI && kind <= K.MemoryESRDI) {
        // of a string instruction: the definition knows the registers
        memory = memory < 0 ? n : memory;
        addr32 = kind === K.MemorySegESI || kind === K.MemorySegEDI || kind === K.MemoryESEDI;
        if (kind <= K.MemorySegRDI) {
          const seg = i.memorySegment;
          insn.segment = seg === names.fs ? 1 : seg === names.gs ? 2 : 0;
        }
      } else if (kind >= K.NearBranch16 && kind <= K.NearBranch64) {
        insn.moves |= kind === K.NearBranch64 ? MOVES_IMM : UNMOVABLE;
        this.imm = IMM_REL32;
        this.setImm64(insn, i.nearBranchTarget);
      } else if (immediates++ > 0) {
        insn.imm2 = kind === K.Immediate8_2nd ? i.immediate8_2nd : Number(i.immediate(n));
      } else {
        switch (kind) {
          case K.Immediate8:
            this.imm = IMM_8;
            this.setImm(insn, i.immediate8, 0);
            break;
          case K.Immediate16:
            this.imm = IMM_16;
            this.setImm(insn, i.immediate16, 0);
            break;
          case K.Immediate32:
            this.imm = IMM_32;
            this.setImm(insn, i.immediate32, 0);
            break;
          case K.Immediate8to16:
          case K.Immediate8to32:
          case K.Immediate8to64: {
            const v = (i.immediate8 << 24) >> 24, cut = kind === K.Immediate8to16;
            this.imm = cut ? IMM_S8_TO_16 : IMM_S8;
            if (cut) this.setImm(insn, v & 0xffff, 0);
            else this.setImm(insn, v, v >> 31);
            break;
          }
          case K.Immediate32to64: {
            const v = Number(BigInt.asIntN(32, i.immediate32to64));
            this.imm = IMM_S32;
            this.setImm(insn, v, v >> 31);
            break;
          }
          case K.Immediate64: {
            this.imm = IMM_64;
            this.setImm64(insn, i.immediate64);
            break;
          }
          default:
            key = -1; // far branches
        }
      }
    }
    if (key < 0) return this.shapeOf(0, i, insn);
    if (gather >= 0) this.setImm(insn, gather | (insn.reg[0]! << 4) | (insn.reg[2]! << 8), 0);
    if (info.addr32) addr32 = true;
    if (memory >= 0) key += 1;
    if (insn.base >= 0) key += 2;
    if (insn.index >= 0) key += 4;
    if (insn.segment > 0) key += 8;
    if (addr32) key += 16;
    if (info.fixedImm && immediates > 0) key += ((insn.immLo & 0xff) + 1) * 0x40000000000;
    let rep: 0 | 1 | 2 = 0;
    if (info.string) {
      if (i.hasRepPrefix || i.hasRepePrefix) rep = 1;
      else if (i.hasRepnePrefix) rep = 2;
      key += rep * 0x20000000000;
    }
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const shape = this.newShape(code, i, insn, info, memory, addr32, rep);
    this.byKey.set(key, shape);
    return shape;
  }

  /** The slow path of shapeOf: a code not met before. */
  private newShape(code: number, i: iced.Instruction, insn: Insn, info: CodeInfo, memory: number, addr32: boolean, rep: 0 | 1 | 2): Shape {
    const K = this.iced.OpKind;
    const operands: Operand[] = [];
    for (let n = 0; n < (code === 0 ? 0 : i.opCount); n++) {
      const kind = i.opKind(n);
      if (kind === K.Register) {
        const r = this.registers[i.opRegister(n)]!;
        operands.push({ kind: r.kind, size: r.size, index: n, fixed: r.kind === "st" || r.kind === "seg" || n === 3 ? r.n : -1 });
      } else if (kind === K.Memory || (kind >= K.MemorySegSI && kind <= K.MemoryESRDI)) {
        operands.push({ kind: "mem", size: this.iced.MemorySizeExt.size(i.memorySize), index: n, fixed: -1 });
      } else if (kind >= K.NearBranch16 && kind <= K.NearBranch64) {
        operands.push({ kind: "rel", size: 8, index: n, fixed: -1 });
      } else {
        const size = kind === K.Immediate8 || kind === K.Immediate8_2nd ? 1
          : kind === K.Immediate16 || kind === K.Immediate8to16 ? 2
          : kind === K.Immediate32 || kind === K.Immediate8to32 ? 4 : 8;
        operands.push({ kind: "imm", size, index: n, fixed: info.fixedImm ? insn.immLo & 0xff : -1 });
      }
    }
    let name = code === 0 ? "invalid" : info.name;
    if (/^vp?gather/.test(name)) operands.push({ kind: "imm", size: 4, index: operands.length, fixed: -1 }); // which registers: see shapeOf
    let definition = definitions.get(name);
    // the same text, but one that engines compare by its address
    name = definition?.name ?? name;
    if (definition !== undefined && this.absent(name)) {
      // f3 0f bc and f3 0f bd were bsf and bsr with an idle prefix before there was tzcnt and lzcnt
      name = name === "tzcnt" ? "bsf" : name === "lzcnt" ? "bsr" : "invalid";
      definition = definitions.get(name);
    }
    const form: InsnForm = { name, operands, rep, opsize: info.opsize, addrsize: addr32 ? 4 : 8 };
    const hasBase = insn.base >= 0, hasIndex = insn.index >= 0, hasSegment = insn.segment > 0;
    const text = JSON.stringify([form, hasBase, hasIndex, hasSegment]);
    let shape = this.byText.get(text);
    if (shape === undefined) {
      shape = { id: this.shapes.length, form, definition, memory, hasBase, hasIndex, hasSegment };
      this.shapes.push(shape);
      this.byText.set(text, shape);
    }
    return shape;
  }
}
