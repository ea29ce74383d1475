// worker/os-browser/image.ts — an image into memory: fetched or brought by the visitor, unpacked, checked.
import { crc32c } from "../lib/crc32c.ts";
import { isTar } from "../lib/tar.ts";
import { BAD_IMAGE, type ImageAbout, type ImageSource, type StoredImage } from "../protocol.ts";
import { checkChunkList, ChunkedImage, type ChunkStore } from "./chunks.ts";
import { sha256 } from "./codec.ts";
import { keepList, network, storedList, StoredChunks } from "./chunk_store.ts";
import { answer, change, get } from "./database.ts";
import { KeptView } from "./disk.ts";

/** A typed array cannot be longer everywhere. */
const LARGEST = 2 ** 31 - 1;
const SUPER = 1024;
const EXT4_MAGIC = 0xef53;

export type Progress = (what: string, done: number, total: number) => void;

export function badImage(sentence: string): Error {
  const e = new Error(sentence);
  e.name = BAD_IMAGE;
  return e;
}

const tooLarge = (name: string): Error => badImage(`${name} is larger than 2 GiB unpacked; that is more than a tab can hold.`);

const megabytes = (n: number): string => `${(n / 1e6).toFixed(1)} MB`;

/** The parts of a stream in one array; `size` is a guess. Throws when it is longer than `LARGEST`. */
async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, size: number, name: string, progress?: (done: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  // what is said of a size may be wrong, and a link may say anything
  let out = new Uint8Array(Math.min(LARGEST, Math.max(size, 1 << 16)));
  let n = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (n + value.length > LARGEST) throw tooLarge(name);
    if (n + value.length > out.length) {
      const more = new Uint8Array(Math.min(LARGEST, Math.max(out.length * 2, n + value.length)));
      more.set(out.subarray(0, n));
      out = more;
    }
    out.set(value, n);
    n += value.length;
    progress?.(n);
  }
  return n === out.length ? out : out.slice(0, n);
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Packers that a browser has no unpacker for: their first bytes. */
const PACKERS: readonly (readonly [name: string, ...start: number[]])[] = [
  ["xz", 0xfd, 0x37, 0x7a, 0x58, 0x5a],
  ["zstd", 0x28, 0xb5, 0x2f, 0xfd],
  ["bzip2", 0x42, 0x5a, 0x68],
  ["zip", 0x50, 0x4b, 0x03, 0x04],
  ["lz4", 0x04, 0x22, 0x4d, 0x18],
];
const packer = (bytes: Uint8Array): string | undefined => PACKERS.find(([, ...start]) => start.every((b, i) => bytes[i] === b))?.[0];

async function unpack(name: string, packed: Uint8Array<ArrayBuffer>, progress: Progress): Promise<Uint8Array<ArrayBuffer>> {
  // the last four bytes of gzip: size modulo 2^32
  const size = packed.length < 18 ? 0 : new DataView(packed.buffer, packed.byteOffset).getUint32(packed.length - 4, true);
  try {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await collect(stream as ReadableStream<Uint8Array<ArrayBuffer>>, Math.min(size, LARGEST), name, (done) => progress("unpacking the disk image", done, size));
  } catch (e) {
    if (e instanceof Error && e.name === BAD_IMAGE) throw e;
    throw badImage(`${name} is damaged: it begins as a gzip file, but cannot be unpacked.`);
  }
}

/** bytes packed at once */
const CHUNK = 1 << 20;

/** gzip of a disk, without a second copy of it in memory: the browser may keep what a Blob holds on disk. `progress` is told now and then; it may throw to end it. */
export async function pack(disk: { readonly size: number; read(pos: number, buf: Uint8Array): void }, progress?: (done: number) => void): Promise<Blob> {
  let pos = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      progress?.(pos);
      if (pos >= disk.size) return controller.close();
      const chunk = new Uint8Array(Math.min(CHUNK, disk.size - pos));
      disk.read(pos, chunk);
      pos += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return new Response(source.pipeThrough(new CompressionStream("gzip"))).blob();
}

async function download(name: string, url: string, gzSize: number, progress: Progress): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(`The disk image ${name} could not be fetched: the server does not answer, or does not let pages of other sites read it (it would have to send Access-Control-Allow-Origin).`);
  }
  if (!response.ok || response.body === null) throw new Error(`The disk image ${name} could not be fetched: the server says ${response.status}.`);
  return collect(response.body, gzSize, name, (done) => progress("fetching the disk image", done, gzSize));
}

const WANTED = "Choose an ext4 image (.ext4, .img) or a tar archive of a root directory, as they are or packed with gzip.";

/** bytes at the beginning by which an image is judged, and that it has at least */
const HEAD = 65536;

/** Says in a sentence what is wrong with an image of `size` bytes, if anything is: it must be ext2/3/4, or have a partition table. `bytes`: its beginning at least. */
export function checkImage(name: string, bytes: Uint8Array, size = bytes.length): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size < HEAD) return `${name} is no disk image: it ${size === 0 ? "is empty" : `has only ${size} bytes`}. ${WANTED}`;
  if (view.getUint16(SUPER + 0x38, true) === EXT4_MAGIC) {
    const blocks = view.getUint32(SUPER + 4, true);
    const needed = blocks * (1024 << view.getUint32(SUPER + 0x18, true));
    if (needed > size) return `${name} is cut short: its ext4 file system has ${megabytes(needed)}, the file ${megabytes(size)}. Copy it again.`;
    return undefined;
  }
  if (view.getUint16(510, true) === 0xaa55) return undefined;
  const packed = packer(bytes);
  if (packed !== undefined) return `${name} is packed with ${packed}, which a browser cannot unpack: unpack it, or pack it with gzip instead.`;
  return `${name} is not an ext4 image: there is no ext4 superblock in it. ${WANTED}`;
}

/** Which image these bytes are: sha256 where the page may have it (not on plain HTTP), else a sum and the size. */
async function identify(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return (await sha256(bytes)) ?? `crc32c:${crc32c(0xffffffff, bytes).toString(16)}:${bytes.length}`;
}

/** Makes an ext4 disk of an archive; rejects with a sentence, without the archive's name. */
export type FromTar = (tar: Uint8Array, progress: (done: number) => void) => Promise<Uint8Array<ArrayBuffer>>;

/** What is stored of an image that a visitor brought. */
interface StoredFile {
  /** ext4, or gzip of it */
  readonly file: Blob;
  readonly about: ImageAbout;
}

export interface Image {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** which image it is, for the changes kept of it */
  readonly id: string;
  /** parts of `bytes` are still to come: ask it before they are read or written */
  readonly chunks?: ChunkedImage;
}

/** Loads the chunks that a boot reads, or all of them. */
async function loadChunks(db: IDBDatabase | undefined, memory: ChunkStore, name: string, { url, sha256 }: { readonly url: string; readonly sha256: string }, all: boolean, progress: Progress): Promise<Image> {
  let list = db === undefined ? undefined : await storedList(db, sha256);
  const fresh = list === undefined;
  if (list === undefined) {
    progress("fetching the list of the disk image's chunks", 0, 0);
    const text = new TextDecoder().decode(await download(name, url, 0, () => undefined));
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      throw badImage(`The disk image ${name} cannot be loaded: its list of chunks did not come whole. Start again; if it stays so, the server's copy is bad, and npm run image makes a new one.`);
    }
    const checked = checkChunkList(parsed);
    if (typeof checked === "string") throw badImage(`The disk image ${name} cannot be loaded: ${checked}.`);
    if (checked.sha256 !== sha256) throw badImage(`The disk image ${name} is another one than the list of images says: the server has parts of two versions. Reload the page.`);
    list = checked;
  }
  const chunks = new ChunkedImage(name, list, new URL("chunks/", url).href, db === undefined ? memory : new StoredChunks(db), network);
  // before the chunks, which nothing would keep otherwise
  if (db !== undefined && fresh) await keepList(db, name, list);
  if (all) await chunks.complete(progress);
  else await chunks.first(progress);
  chunks.need(0, 65536);
  return { bytes: chunks.bytes, id: sha256, chunks };
}

/** What stays the same from image to image. */
export interface ImageHost {
  readonly db: IDBDatabase | undefined;
  /** chunks, where there is no database */
  readonly memory: ChunkStore;
  readonly fromTar: FromTar;
}

/** Loads what `source` names; `all`: nothing of it may be still to come. Without a database nothing is stored, and all else works. Throws Errors with sentences. */
export async function loadImage({ db, memory, fromTar }: ImageHost, name: string, source: ImageSource, progress: Progress, all: boolean): Promise<Image> {
  if (source.kind === "published" && source.chunked === true) {
    const image = await loadChunks(db, memory, name, source, all, progress);
    const wrong = checkImage(name, image.bytes);
    if (wrong !== undefined) throw badImage(wrong);
    return image;
  }
  if (source.kind === "published") {
    const key = `sha256:${source.sha256}`;
    const stored = db === undefined ? undefined : await get<Uint8Array<ArrayBuffer>>(db, "images", key).catch(() => undefined);
    const packed = stored ?? (await download(name, source.url, source.gzSize, progress));
    const bytes = isGzip(packed) ? await unpack(name, packed, progress) : packed;
    if (stored === undefined) {
      progress("checking the disk image", 0, 0);
      const sum = await sha256(bytes);
      if (sum !== undefined && sum !== source.sha256) throw badImage(`The disk image ${name} arrived damaged: its checksum is wrong. Reload the page to fetch it again.`);
      // a cache: no room is no failure
      if (db !== undefined && sum !== undefined) await change(db, ["images"], (t) => t.objectStore("images").put(packed, key)).catch(() => undefined);
    }
    const wrong = checkImage(name, bytes);
    if (wrong !== undefined) throw badImage(wrong);
    return { bytes, id: source.sha256 };
  }
  let file: Blob;
  if (source.kind === "file") file = source.file as Blob;
  else {
    const stored = db === undefined ? undefined : await get<StoredFile>(db, "images", `file:${name}`);
    if (stored === undefined) throw new Error(`The image ${name} is no longer stored in this browser. Choose the file again.`);
    file = stored.file;
  }
  let raw: Uint8Array<ArrayBuffer>;
  try {
    // before gigabytes are read of what is none
    const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
    const wrong = isGzip(head) || isTar(head) ? undefined : checkImage(name, head, file.size);
    if (wrong !== undefined) throw badImage(wrong);
    if (file.size > LARGEST) throw tooLarge(name);
    raw = await collect(file.stream() as ReadableStream<Uint8Array<ArrayBuffer>>, file.size, name, (done) => progress("reading the image file", done, file.size));
  } catch (e) {
    if (e instanceof Error && e.name === BAD_IMAGE) throw e;
    throw badImage(`${name} cannot be read: ${e instanceof Error ? e.message : String(e)}`);
  }
  let bytes = isGzip(raw) ? await unpack(name, raw, progress) : raw;
  if (isTar(bytes)) {
    const tar = bytes;
    try {
      bytes = await fromTar(tar, (done) => progress("making a disk of the archive", done, tar.length));
    } catch (e) {
      throw badImage(`No disk can be made of ${name}: ${e instanceof Error ? e.message : String(e)}.`);
    }
    progress("packing the disk for storage", 0, 0);
    // what is stored is the disk, so that changes kept of it stay right whatever makes disks of archives later
    if (db !== undefined && source.kind === "file") file = await pack(new KeptView(bytes, new Map()));
  }
  const wrong = checkImage(name, bytes);
  if (wrong !== undefined) throw badImage(wrong);
  if (source.kind === "file" && db !== undefined) {
    progress("storing the image file", 0, 0);
    await change(db, ["images"], (t) => t.objectStore("images").put({ file, about: source.about } satisfies StoredFile, `file:${name}`)).catch(() => {
      throw new Error(`${name} does not fit into this browser's storage. Boot it as a scratch copy instead.`);
    });
  }
  return { bytes, id: await identify(bytes) };
}

/** The visitor's images that are stored here. */
export async function storedImages(db: IDBDatabase): Promise<StoredImage[]> {
  const store = db.transaction("images").objectStore("images");
  const range = IDBKeyRange.bound("file:", "file:\uffff");
  const [keys, values] = await Promise.all([answer(store.getAllKeys(range)), answer(store.getAll(range)) as Promise<StoredFile[]>]);
  return keys.map((key, i) => ({ name: String(key).slice("file:".length), size: values[i]!.file.size, about: values[i]!.about }));
}
