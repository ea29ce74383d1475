// link/zip.ts — reads a zip from anybody: its directory is believed in nothing, and each file is checked against its CRC-32.
//
// Source: APPNOTE.TXT of PKWARE, 4.3. Not known: Zip64, encryption, other packers than deflate.
import { inflateSync, strFromU8 } from "fflate";

const END = 0x06054b50;
const END_SIZE = 22;
const CENTRAL = 0x02014b50;
const CENTRAL_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
/** the end's comment is at most so long */
const COMMENT = 65535;
/** deflate makes nothing shorter than by this */
const RATIO = 1032;
/** files of which a zip may have so many that they are looked at */
const MOST = 1000;

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});
/** CRC-32 as of IEEE 802.3, which zip and gzip have. */
function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = TABLE[(c ^ bytes[i]!) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

export interface ZipRules {
  /** bytes that a file of this name may have unpacked; a sentence: it is not wanted, and why */
  cap(name: string): number | string;
  /** a file is about to be unpacked to so many bytes, be it whole or not: work, too, has a cap */
  unpacks(name: string, size: number): void;
  /** what is wrong with a file */
  bad(name: string, text: string): void;
}

/** The wanted files of a zip by name. Throws a sentence for what is no zip; what is wrong with a file is told, and the others are read. */
export function readZip(bytes: Uint8Array, { cap, unpacks, bad }: ZipRules): Map<string, Uint8Array> {
  const out = new Map<string, Uint8Array>();
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let end = bytes.length - END_SIZE;
  while (end >= 0 && end >= bytes.length - END_SIZE - COMMENT && v.getUint32(end, true) !== END) end--;
  if (end < 0 || v.getUint32(end, true) !== END) throw new Error("it has no directory at its end, as a zip has");
  const count = v.getUint16(end + 10, true);
  if (count > MOST) throw new Error(`it has ${count} files; ${MOST} are allowed`);
  const seen = new Set<string>();
  for (let at = v.getUint32(end + 16, true), i = 0; i < count; i++) {
    if (at + CENTRAL_SIZE > end || v.getUint32(at, true) !== CENTRAL) throw new Error("its directory is damaged");
    const flags = v.getUint16(at + 8, true);
    const method = v.getUint16(at + 10, true);
    const crc = v.getUint32(at + 16, true);
    const packed = v.getUint32(at + 20, true);
    const size = v.getUint32(at + 24, true);
    const nameLength = v.getUint16(at + 28, true);
    const local = v.getUint32(at + 42, true);
    const next = at + CENTRAL_SIZE + nameLength + v.getUint16(at + 30, true) + v.getUint16(at + 32, true);
    if (next > end) throw new Error("its directory is damaged");
    const name = strFromU8(bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength), (flags & 0x800) === 0);
    at = next;
    const most = cap(name);
    if (typeof most === "string") bad(name, most);
    else if (seen.has(name)) bad(name, "this file is there twice; the first is used");
    else if ((flags & 1) !== 0) bad(name, "this file is encrypted");
    else if (method !== 0 && method !== 8) bad(name, "this file is packed in a way that is not known here");
    else if (size > most) bad(name, `this file has ${size} bytes unpacked; ${most} are allowed`);
    else {
      unpacks(name, size);
      const content = unpack(bytes, v, local, packed, size, method);
      if (content === undefined) bad(name, "this file is damaged: it cannot be unpacked");
      else if (crc32(content) !== crc) bad(name, "this file is damaged: its CRC-32 is not what the zip says");
      else out.set(name, content);
    }
    seen.add(name);
  }
  return out;
}

/** undefined: it does not unpack to just so many bytes. */
function unpack(bytes: Uint8Array, v: DataView, local: number, packed: number, size: number, method: number): Uint8Array | undefined {
  if (local + LOCAL_SIZE > bytes.length || v.getUint32(local, true) !== LOCAL) return undefined;
  const from = local + LOCAL_SIZE + v.getUint16(local + 26, true) + v.getUint16(local + 28, true);
  if (from + packed > bytes.length) return undefined;
  const data = bytes.subarray(from, from + packed);
  if (size > RATIO * packed + 64) return undefined;
  if (method === 0) return packed === size ? data.slice() : undefined;
  try {
    // what would be longer than it says is cut off there: the array does not grow
    const content = inflateSync(data, { out: new Uint8Array(size) });
    return content.length === size ? content : undefined;
  } catch {
    return undefined;
  }
}
