// machine/tar_disk.ts — an ext4 disk made of a tar archive, by the project's own file system: no root, no mke2fs, and in a browser too.
import { mkfs, populateFromTar } from "../fs/ext4/mkfs.ts";
import { crc32c } from "../lib/crc32c.ts";
import { MemoryStore } from "../lib/memory_store.ts";
import { readTar } from "../lib/tar.ts";
import { bareDevice, bareKernel, bareMount } from "./bare.ts";

/** when the file system was made, as it says itself: a constant, so that the same archive gives the same image */
const TIME = 1_700_000_000;
const STEP = 64 << 20;
/** a typed array cannot be longer everywhere */
const LARGEST = 2 ** 31 - STEP;
/** mkfs makes one inode for so many bytes */
const BYTES_PER_INODE = 8192;

/** Twice the room that the archive takes, and inodes for twice its entries: at least 64 MiB. Throws a sentence when no disk could be that large. */
function sizeFor(tar: Uint8Array): number {
  let entries = 0;
  for (const _ of readTar(tar)) entries++;
  const size = Math.ceil(Math.max(tar.length * 2, entries * 2 * BYTES_PER_INODE, STEP) / STEP) * STEP;
  // without room to spare it may fit nevertheless
  const least = Math.ceil(Math.max(tar.length * 1.1, entries * 1.1 * BYTES_PER_INODE) / STEP) * STEP;
  if (least > LARGEST) throw new Error(`the archive is too large: a disk for its ${entries} entries would have ${Math.round(least / 1e6)} MB, and ${Math.round(LARGEST / 1e6)} MB are possible`);
  return Math.min(size, LARGEST);
}

/** An identity for the file system of this archive: 16 bytes, the same for the same archive. */
function identity(tar: Uint8Array): Uint8Array {
  const half = tar.length >>> 1;
  const out = new DataView(new ArrayBuffer(16));
  [crc32c(0xffffffff, tar), crc32c(0xffffffff, tar, 0, half), crc32c(0xffffffff, tar, half), tar.length].forEach((x, i) => out.setUint32(4 * i, x >>> 0));
  // version and variant of a random UUID
  out.setUint8(6, (out.getUint8(6) & 0x0f) | 0x40);
  out.setUint8(8, (out.getUint8(8) & 0x3f) | 0x80);
  return new Uint8Array(out.buffer);
}

export interface TarDisk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly entries: number;
}

/**
 * The disk for an archive (not packed), a step at a time: gives how many bytes of the archive are done. The same archive gives the same disk. Throws an Error with a sentence
 * for what is no archive, is damaged, or does not fit.
 */
export function* tarDisk(tar: Uint8Array): Generator<number, TarDisk> {
  const size = sizeFor(tar);
  yield 0;
  const bytes = new Uint8Array(size);
  const store = new MemoryStore("image", bytes);
  const kernel = bareKernel(TIME);
  mkfs(kernel, bareDevice(store), { uuid: identity(tar), time: TIME });
  const sb = bareMount(kernel, store);
  const entries = yield* populateFromTar(sb, tar);
  sb.put_super();
  return { bytes, entries };
}
