// fs/ext4/block_map.ts — from a file's blocks to the disk's: what extent trees and indirect blocks have in common
import type { Run } from "./balloc.ts";

/**
 * The blocks of one inode. lookup() answers through fields, so that the hot path makes no object.
 * Data blocks are the caller's to allocate and free; the blocks of the map's own structure are the map's.
 */
export abstract class BlockMap {
  /** answer of lookup: physical block, 0 in a hole */
  m_p = 0;
  /** how many blocks from the one asked for on are mapped contiguously, or are a hole (Infinity: to the end) */
  m_n = 0;
  /** allocated but not written: reads as zeros */
  m_u = false;

  /** Finds `lblk`. */
  abstract lookup(lblk: number): void;
  /** Where a block for `lblk` would best be, 0 if nothing says. */
  abstract goal(lblk: number): number;
  /** Maps the hole [lblk, lblk+n) to blocks from p on. Throws ENOSPC and has changed nothing. */
  abstract insert(lblk: number, n: number, p: number, unwritten: boolean): void;
  /** Unmaps [lblk, lblk+n); what was mapped is appended to `freed`. Throws ENOSPC (an extent must be split) and has changed nothing. */
  abstract remove(lblk: number, n: number, freed: Run[]): void;
  /** Sets whether the mapped blocks of [lblk, lblk+n) count as written. Throws ENOSPC like remove. */
  abstract convert(lblk: number, n: number, unwritten: boolean): void;
  /** Writes the structure into the inode and its blocks' buffers: part of a commit. */
  abstract store(): void;
  /** largest block number that a file can have, plus one */
  abstract get maxBlocks(): number;
  /** Moves everything from `lblk` on by `by` blocks (collapse and insert range). Throws EOPNOTSUPP where there are no extents. */
  abstract shift(lblk: number, by: number): void;
  /** Mapped runs in order, for fiemap and tests: calls `each` until it returns false. */
  abstract forEach(from: number, each: (lblk: number, n: number, p: number, unwritten: boolean) => boolean): void;
}
