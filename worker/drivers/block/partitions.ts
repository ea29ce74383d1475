// drivers/block/partitions.ts — partition tables: MBR with extended partitions, and GPT.  cf. block/partitions/{msdos,efi}.c

export interface Partition {
  readonly number: number;
  /** bytes from the start of the disk */
  readonly start: number;
  /** bytes */
  readonly size: number;
}

/** What a table is read from. */
export interface PartitionSource {
  readonly size: number;
  read(pos: number, buf: Uint8Array): void;
}

const SECTOR = 512;
const EXTENDED = new Set([0x05, 0x0f, 0x85]);
const GPT_PROTECTIVE = 0xee;
/** as many as a ubd has minors for */
const MAX = 15;

/** The partitions of a disk, none if it has no table (a file system on the whole disk, say). A table that makes no sense is none. */
export function readPartitions(disk: PartitionSource): Partition[] {
  if (disk.size < 2 * SECTOR) return [];
  const mbr = sector(disk, 0);
  if (mbr === undefined || mbr.getUint16(510, true) !== 0xaa55) return [];
  // A boot sector of a FAT file system ends in 55 aa too: the status bytes of a table are 00 or 80, those of code rarely are.
  for (let i = 0; i < 4; i++) if ((mbr.getUint8(446 + 16 * i) & 0x7f) !== 0) return [];
  for (let i = 0; i < 4; i++) if (mbr.getUint8(446 + 16 * i + 4) === GPT_PROTECTIVE) return gpt(disk);
  const found: Partition[] = [];
  let logical = 5;
  for (let i = 0; i < 4; i++) {
    const e = entry(mbr, i);
    if (e.type === 0 || e.sectors === 0) continue;
    if (!EXTENDED.has(e.type)) {
      add(found, disk, i + 1, e.first, e.sectors);
      continue;
    }
    // Linux shows an extended partition as a disk of two sectors, so that nobody writes over it by mistake.
    add(found, disk, i + 1, e.first, Math.min(2, e.sectors));
    logical = extended(disk, e.first, logical, found);
  }
  return found;
}

function sector(disk: PartitionSource, n: number): DataView | undefined {
  if ((n + 1) * SECTOR > disk.size) return undefined;
  const buf = new Uint8Array(SECTOR);
  disk.read(n * SECTOR, buf);
  return new DataView(buf.buffer);
}

function entry(table: DataView, i: number): { type: number; first: number; sectors: number } {
  const at = 446 + 16 * i;
  return { type: table.getUint8(at + 4), first: table.getUint32(at + 8, true), sectors: table.getUint32(at + 12, true) };
}

function add(found: Partition[], disk: PartitionSource, number: number, first: number, sectors: number): void {
  const start = first * SECTOR;
  if (start >= disk.size) return;
  found.push({ number, start, size: Math.min(sectors * SECTOR, disk.size - start) });
}

/** The chain of logical partitions. Returns the next free number. */
function extended(disk: PartitionSource, base: number, number: number, found: Partition[]): number {
  let at = base;
  for (let links = 0; links < MAX && number <= MAX; links++) {
    const table = sector(disk, at);
    if (table === undefined || table.getUint16(510, true) !== 0xaa55) break;
    const data = entry(table, 0);
    if (data.type !== 0 && data.sectors !== 0) add(found, disk, number++, at + data.first, data.sectors);
    const next = entry(table, 1);
    if (next.sectors === 0 || !EXTENDED.has(next.type)) break;
    at = base + next.first;
  }
  return number;
}

function gpt(disk: PartitionSource): Partition[] {
  const head = sector(disk, 1);
  // "EFI PART"
  if (head === undefined || head.getUint32(0, true) !== 0x20494645 || head.getUint32(4, true) !== 0x54524150) return [];
  const table = Number(head.getBigUint64(72, true));
  const count = Math.min(head.getUint32(80, true), MAX);
  const size = head.getUint32(84, true);
  if (size < 128 || size > 4096 || (table + 1) * SECTOR > disk.size) return [];
  const bytes = new Uint8Array(Math.min(Math.ceil((count * size) / SECTOR) * SECTOR, disk.size - table * SECTOR));
  disk.read(table * SECTOR, bytes);
  const view = new DataView(bytes.buffer);
  const found: Partition[] = [];
  for (let i = 0; (i + 1) * size <= bytes.length && i < count; i++) {
    const at = i * size;
    if (bytes.subarray(at, at + 16).every((b) => b === 0)) continue;
    const first = Number(view.getBigUint64(at + 32, true));
    const last = Number(view.getBigUint64(at + 40, true));
    if (last >= first) add(found, disk, i + 1, first, last - first + 1);
  }
  return found;
}
