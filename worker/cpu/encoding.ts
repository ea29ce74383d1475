// worker/cpu/encoding.ts — what the first bytes of an instruction say of it, kept: the library is asked about each such beginning once.
//
// Prefixes, opcode, ModRM and SIB say what an instruction is, which registers its operands are, how long it is, and where its displacement and its
// immediate lie behind them. Programs have thousands of such beginnings for millions of instructions. They are found byte by byte, in a tree.
import type { Insn, Shape } from "./decode.ts";
import type { Summary } from "./jit/summary.ts";

/** How an immediate becomes a number of 64 bits: its bytes, S: extended with its sign, REL: from the next instruction on. */
export const IMM_NONE = 0, IMM_8 = 1, IMM_16 = 2, IMM_32 = 3, IMM_64 = 4, IMM_S8 = 5, IMM_S8_TO_16 = 6, IMM_S32 = 7, IMM_REL8 = 8, IMM_REL32 = 9;

/** All instructions that begin with the same bytes: fields as in Insn. */
export interface Encoding {
  readonly id: number;
  readonly shape: Shape;
  readonly length: number;
  readonly reg: readonly number[];
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly segment: number;
  readonly moves: number;
  /** where the displacement lies, counted from the first byte; its bytes, 0: there is none; from the next instruction on */
  readonly dispAt: number;
  readonly dispSize: number;
  readonly relative: boolean;
  readonly immAt: number;
  /** IMM_NONE: it is `immLo` and `immHi` */
  readonly imm: number;
  readonly immLo: number;
  readonly immHi: number;
  /** The compiled tier's, see Steps: what all of them do; null: that depends on their constants. */
  summary: Summary | null | undefined;
}

/** Fills `insn` with the instruction at `rip`, which begins like that. Addresses of code are below 2^31, so what lies as far from it as 32 bits tell is below 2^32. */
export function fill(insn: Insn, rip: number, encoding: Encoding, memory: DataView): void {
  const { length } = encoding;
  insn.encoding = encoding;
  insn.rip = rip;
  insn.length = length;
  insn.shape = encoding.shape;
  insn.reg = encoding.reg;
  insn.base = encoding.base;
  insn.index = encoding.index;
  insn.scale = encoding.scale;
  insn.segment = encoding.segment;
  insn.moves = encoding.moves;
  insn.imm2 = 0;
  const dispAt = rip + encoding.dispAt, immAt = rip + encoding.immAt;
  let lo = 0, hi = 0;
  if (encoding.dispSize === 1) {
    lo = memory.getInt8(dispAt);
    hi = lo >> 31;
  } else if (encoding.dispSize === 4) {
    lo = memory.getInt32(dispAt, true);
    hi = lo >> 31;
    if (encoding.relative) {
      const to = rip + length + lo;
      lo = to | 0;
      hi = to < 0 ? -1 : 0;
    }
  } else if (encoding.dispSize === 8) {
    lo = memory.getInt32(dispAt, true);
    hi = memory.getInt32(dispAt + 4, true);
  }
  insn.dispLo = lo;
  insn.dispHi = hi;
  hi = 0;
  switch (encoding.imm) {
    case IMM_NONE:
      lo = encoding.immLo;
      hi = encoding.immHi;
      break;
    case IMM_8:
      lo = memory.getUint8(immAt);
      break;
    case IMM_16:
      lo = memory.getUint16(immAt, true);
      break;
    case IMM_32:
      lo = memory.getUint32(immAt, true);
      break;
    case IMM_64:
      lo = memory.getInt32(immAt, true);
      hi = memory.getInt32(immAt + 4, true);
      break;
    case IMM_S8_TO_16:
      lo = memory.getInt8(immAt) & 0xffff;
      break;
    case IMM_S8:
      lo = memory.getInt8(immAt);
      hi = lo >> 31;
      break;
    case IMM_S32:
      lo = memory.getInt32(immAt, true);
      hi = lo >> 31;
      break;
    default: {
      const to = rip + length + (encoding.imm === IMM_REL8 ? memory.getInt8(immAt) : memory.getInt32(immAt, true));
      lo = to | 0;
      hi = to < 0 ? -1 : 0;
    }
  }
  insn.immLo = lo;
  insn.immHi = hi;
}

/** log2 of the slots of the hash of edges: twice as many as there are edges at most, in all 256 KiB. */
const BITS = 15, MOST = 1 << (BITS - 1);

/** Those that are known, as leaves of a tree with a byte for each edge: node 0 is its root. */
export class Encodings {
  /** by slot: 1 + what it leads from, with the byte; the node that it leads to, or the complement of an encoding's number */
  private readonly edges = new Int32Array(2 << BITS);
  private readonly known: Encoding[] = [];
  private count = 0;

  /** The slot of an edge, or the free one where it belongs. */
  private slot(edge: number): number {
    const { edges } = this;
    let at = (Math.imul(edge, 0x9e3779b1) >>> (32 - BITS)) << 1;
    while (edges[at] !== edge && edges[at] !== 0) at = (at + 2) & ((2 << BITS) - 1);
    return at;
  }
  /** That which the bytes from `at` on begin with; undefined: it is not known. */
  find(bytes: Uint8Array, at: number): Encoding | undefined {
    for (let node = 0; ; at++) {
      const slot = this.slot(((node << 8) | bytes[at]!) + 1);
      if (this.edges[slot] === 0) return undefined;
      node = this.edges[slot + 1]!;
      if (node < 0) return this.known[~node];
    }
  }
  /** `count` bytes from `at` on, that nothing known begins with, say all this. */
  add(bytes: Uint8Array, at: number, count: number, encoding: Omit<Encoding, "id" | "summary">): Encoding {
    // each edge but the last of a beginning makes a node
    if (this.count + count > MOST) this.clear();
    const made = { id: this.known.length, ...encoding, summary: undefined };
    for (let i = 0, node = 0; i < count; i++) {
      const edge = ((node << 8) | bytes[at + i]!) + 1, slot = this.slot(edge);
      if (this.edges[slot] === 0) {
        this.edges[slot] = edge;
        this.edges[slot + 1] = ++this.count;
      }
      if (i === count - 1) this.edges[slot + 1] = ~made.id;
      node = this.edges[slot + 1]!;
    }
    this.known.push(made);
    return made;
  }
  get size(): number {
    return this.known.length;
  }
  clear(): void {
    this.edges.fill(0);
    this.known.length = this.count = 0;
  }
}
