// worker/os-browser/chunks.ts — a published image in parts: each a file named by the SHA-256 of what is in it, fetched once, checked, and kept.
//
// What the boot reads is listed first and fetched first; the machine starts when that is there. A read of a part that has not come yet fetches it on the
// spot, and the machine stands still for it: the guest sees no difference.
import { inflateSync } from "fflate";
import { sha256 } from "@noble/hashes/sha2.js";

/** `npm run image` writes it beside the chunks. */
export interface ChunkList {
  readonly format: 1;
  /** of the whole image */
  readonly sha256: string;
  /** bytes of the image, and of a chunk */
  readonly size: number;
  readonly chunk: number;
  /** SHA-256 of each chunk as it is in the image; "": zeros, and no file */
  readonly hashes: readonly string[];
  /** bytes of each file (deflate) */
  readonly packed: readonly number[];
  /** the chunks that a boot to the prompt reads, in that order */
  readonly boot: readonly number[];
}

/** Where packed chunks are kept. */
export interface ChunkStore {
  get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  put(hash: string, packed: Uint8Array<ArrayBuffer>): Promise<void>;
}
/** The network. Both throw a few words, like "the server says 404". */
export interface ChunkFetcher {
  fetch(url: string): Promise<Uint8Array<ArrayBuffer>>;
  /** the same at once: the worker stands still */
  fetchNow(url: string): Uint8Array<ArrayBuffer>;
  /** Unpacked (at most `size` bytes) and its SHA-256, by the browser's own means, which are quicker and leave the worker's thread alone. Rejects where there are none. */
  unpack?(packed: Uint8Array<ArrayBuffer>, size: number): Promise<{ readonly bytes: Uint8Array; readonly sha256: string }>;
  sleep(ms: number): Promise<void>;
}

/** requests at once: before the boot, and in the background */
const BUSY = 6;
const QUIET = 2;
const TRIES = 3;
const PAUSE_MS = 400;
export const CHUNK_SIZES = { least: 4096, most: 4 << 20 } as const;

const isCount = (v: unknown, most: number): v is number => typeof v === "number" && Number.isInteger(v) && v >= 0 && v <= most;

/** A list as it came from outside; a sentence if it is none. */
export function checkChunkList(v: unknown): ChunkList | string {
  const l = v as ChunkList | null;
  if (typeof l !== "object" || l === null || l.format !== 1) return "its list of chunks is of a form that this version does not know";
  const { size, chunk, hashes, packed, boot } = l;
  if (!isCount(size, 2 ** 31 - 1) || !isCount(chunk, CHUNK_SIZES.most) || chunk < CHUNK_SIZES.least || chunk % 4096 !== 0) return "its list of chunks is damaged: the sizes are wrong";
  const n = Math.ceil(size / chunk);
  if (![hashes, packed].every((a) => Array.isArray(a) && a.length === n) || !Array.isArray(boot)) return "its list of chunks is damaged: it is too short or too long";
  if (!/^[0-9a-f]{64}$/.test(l.sha256) || !hashes.every((h) => /^(?:[0-9a-f]{64})?$/.test(h)) || !packed.every((p) => isCount(p, chunk + 4096)) || !boot.every((b) => isCount(b, n - 1)))
    return "its list of chunks is damaged";
  return l;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const words = (e: unknown): string => (e instanceof Error ? e.message : String(e));

export class ChunkedImage {
  readonly name: string;
  readonly list: ChunkList;
  /** The image, zeros where a chunk has not come yet. A disk may write to it wherever need() was called before. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly have: Uint8Array;
  private readonly base: string;
  private readonly store: ChunkStore;
  private readonly net: ChunkFetcher;
  private missing: number;
  private readonly coming = new Map<number, Promise<void>>();
  /** on their way to where they are kept */
  private readonly keeping = new Set<Promise<void>>();

  /** `base`: the address that chunks' names are put behind. */
  constructor(name: string, list: ChunkList, base: string, store: ChunkStore, net: ChunkFetcher) {
    this.name = name;
    this.list = list;
    this.base = base;
    this.store = store;
    this.net = net;
    this.bytes = new Uint8Array(list.size);
    this.have = Uint8Array.from(list.hashes, (h) => (h === "" ? 1 : 0));
    this.missing = this.have.filter((h) => h === 0).length;
  }
  /** parts that a visit without a network would miss: not here, or not kept yet */
  get wanting(): number {
    return this.missing + this.keeping.size;
  }
  get isComplete(): boolean {
    return this.missing === 0;
  }

  private size(n: number): number {
    return Math.min(this.list.chunk, this.list.size - n * this.list.chunk);
  }
  private url(n: number): string {
    return `${this.base}${this.list.hashes[n]!}`;
  }
  private complaint(n: number, why: string): Error {
    return new Error(
      `The disk image ${this.name} could not be fetched: chunk ${n + 1} of ${this.list.hashes.length} (${this.list.hashes[n]!.slice(0, 12)}…): ${why}. Start again: what has come is kept, and only the rest is fetched.`,
    );
  }
  /** Unpacks, checks, takes. False: these are not the bytes that the list names. */
  private take(n: number, packed: Uint8Array): boolean {
    if (this.have[n] === 1) return true;
    let bytes: Uint8Array;
    try {
      bytes = inflateSync(packed, { out: new Uint8Array(this.size(n)) });
    } catch {
      return false;
    }
    return this.accept(n, bytes, hex(sha256(bytes)));
  }
  private accept(n: number, bytes: Uint8Array, hash: string): boolean {
    if (this.have[n] === 1) return true;
    if (bytes.length !== this.size(n) || hash !== this.list.hashes[n]) return false;
    this.bytes.set(bytes, n * this.list.chunk);
    this.have[n] = 1;
    this.missing--;
    return true;
  }

  /** The same for whom a turn of the event loop is no matter. */
  private async takeSoon(n: number, packed: Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (this.have[n] === 1) return true;
    // what cannot be unpacked that way is damaged, or the browser cannot: the other way tells
    const open = await this.net.unpack?.(packed, this.size(n)).catch(() => undefined);
    return open === undefined ? this.take(n, packed) : this.accept(n, open.bytes, open.sha256);
  }

  /** Sees to it that [pos, pos + length) is there before it returns. Throws a sentence. */
  need(pos: number, length: number): void {
    if (this.missing === 0 || length === 0) return;
    const last = Math.floor((pos + length - 1) / this.list.chunk);
    for (let n = Math.floor(pos / this.list.chunk); n <= last; n++) if (this.have[n] === 0) this.now(n);
  }
  private now(n: number): void {
    let why = "";
    for (let i = 0; i < TRIES; i++) {
      try {
        const packed = this.net.fetchNow(this.url(n));
        if (this.take(n, packed)) {
          this.keep(n, packed);
          return;
        }
        why = DAMAGED;
      } catch (e) {
        why = words(e);
      }
    }
    throw this.complaint(n, why);
  }

  /** Nobody waits for what is only kept for another time. */
  private keep(n: number, packed: Uint8Array<ArrayBuffer>): void {
    const keeping = this.store.put(this.list.hashes[n]!, packed).catch(() => undefined).finally(() => this.keeping.delete(keeping));
    this.keeping.add(keeping);
  }
  /** One chunk, from where it is kept or from the server. */
  private get(n: number): Promise<void> {
    if (this.have[n] === 1) return Promise.resolve();
    let coming = this.coming.get(n);
    if (coming === undefined) {
      coming = this.load(n).finally(() => this.coming.delete(n));
      this.coming.set(n, coming);
    }
    return coming;
  }
  private async load(n: number): Promise<void> {
    const hash = this.list.hashes[n]!;
    const kept = await this.store.get(hash);
    if (kept !== undefined && (await this.takeSoon(n, kept))) return;
    let why = "";
    for (let i = 0; i < TRIES && this.have[n] === 0; i++) {
      if (i > 0) await this.net.sleep(PAUSE_MS * 4 ** (i - 1));
      try {
        const packed = await this.net.fetch(this.url(n));
        if (await this.takeSoon(n, packed)) {
          this.keep(n, packed);
          return;
        }
        why = DAMAGED;
      } catch (e) {
        why = words(e);
      }
    }
    if (this.have[n] === 0) throw this.complaint(n, why);
  }
  private async all(wanted: readonly number[], atOnce: number, progress?: (what: string, done: number, total: number) => void): Promise<void> {
    const todo = [...new Set(wanted)].filter((n) => this.have[n] === 0);
    const total = todo.reduce((sum, n) => sum + this.list.packed[n]!, 0);
    let done = 0;
    let count = 0;
    const queue = todo.values();
    let failed = false;
    const work = async (): Promise<void> => {
      for (const n of queue) {
        if (failed) return;
        try {
          await this.get(n);
        } catch (e) {
          failed = true;
          throw e;
        }
        progress?.(`fetching the disk image, ${++count} of ${todo.length} chunks`, (done += this.list.packed[n]!), total);
      }
    };
    try {
      await Promise.all(Array.from({ length: atOnce }, work));
    } catch (e) {
      // what has come is kept: whoever hears of this may end the worker
      await Promise.all(this.keeping);
      throw e;
    }
  }

  /** What a boot reads. */
  first(progress: (what: string, done: number, total: number) => void): Promise<void> {
    return this.all(this.list.boot, BUSY, progress);
  }
  /** The parts that hold these places. */
  places(positions: Iterable<number>): Promise<void> {
    return this.all(Array.from(positions, (p) => Math.floor(p / this.list.chunk)).filter((n) => n < this.list.hashes.length), BUSY);
  }
  /** All that is missing, without haste. */
  rest(atOnce = QUIET): Promise<void> {
    return this.all([...this.have.keys()], atOnce);
  }
  /** All of it, soon. */
  complete(progress?: (what: string, done: number, total: number) => void): Promise<void> {
    return this.all([...this.have.keys()], BUSY, progress);
  }
}

const DAMAGED = "it arrived damaged (its SHA-256 is not what the list says; if that stays so, the server's copy is bad, and npm run image makes a new one)";

/** Chunks in memory: where the browser stores nothing. */
export class MemoryChunks implements ChunkStore {
  private readonly chunks = new Map<string, Uint8Array<ArrayBuffer>>();
  get(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return Promise.resolve(this.chunks.get(hash));
  }
  put(hash: string, packed: Uint8Array<ArrayBuffer>): Promise<void> {
    this.chunks.set(hash, packed);
    return Promise.resolve();
  }
}
