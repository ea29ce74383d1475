// worker/cpu/block.ts — what is known of the guest's code: blocks of decoded instructions, compiled code, and where in memory both came from.

/** Instructions that were decoded together, or a piece of compiled code. */
export interface Block {
  /** first record */
  readonly at: number;
  /** records */
  count: number;
  /** guest addresses [start, end) */
  readonly start: number;
  end: number;
  dead: boolean;
  /** compiled code made from these bytes: no records, but told when they change */
  readonly compiled?: CompiledCode;
  /** the bytes */
  readonly source?: Uint8Array;
  /** of a block of records: how often a branch has come here when its counter (REC_HOT) is at 0 */
  goal: number;
  /** of a dead block: the functions of its records */
  functions?: Uint16Array;
  /** by record: what is different in a copy elsewhere (Insn.moves); undefined: there can be none */
  readonly moves?: Uint8Array;
}

/** Are the bytes that a block of records was made from in memory? */
export function isSource({ source, start }: Block, memory: Uint8Array): boolean {
  for (let i = 0; i < source!.length; i++) if (memory[start + i] !== source![i]) return false;
  return true;
}

/** 2^CODE_SHIFT bytes of guest memory with code that is known. */
export interface Granule {
  readonly number: number;
  blocks: Block[];
  /** its bytes at a moment when all blocks here were made from them, if no block has come since */
  image: Int32Array | undefined;
  /** the kernel has written to it since the guest ran */
  changed: boolean;
}

/** What the interpreter asks of the compiled tier. */
export interface CompiledCode {
  /** Nobody enters it. The same code may come back, and it with it. */
  readonly dead: boolean;
  /** Bytes that it was made from have changed. */
  kill(): void;
  /** Is the code in memory what it was made from? */
  matches(memory: Uint8Array): boolean;
}
export interface Compiler {
  /** Table slot of the compiled code that starts here, or 0. */
  slotAt(rip: number): number;
  /** The block at `rip` is going to be decoded: it is executed for the first time. */
  met(rip: number): void;
  /** All records are gone; compiled code goes as well. */
  flush(): void;
}

/** Is it nothing that a change of its bytes would matter to? Compiled code dies as a whole, and of that only one piece is told. */
export const isDead = (block: Block): boolean => block.dead || block.compiled?.dead === true;
