// machine/tap.ts — stands between the kernel and its host: what was printed (hashed, and kept for a redraw), and what was changed of the disks.
import type { BlockStore, Os } from "../arch/um/os.ts";
import { PageTree, type Page } from "./pages.ts";

/** bytes of a disk's block, as far as snapshots are concerned */
export const BLOCK = 4096;
/** bytes of output kept for each line */
const HISTORY = 1 << 20;
const LINES = 16;

/** What is to be known of a console line to go on from a snapshot. */
export interface LineState {
  /** bytes so far */
  readonly count: number;
  readonly a: number;
  readonly b: number;
  /** position in the history, which has the host's own lines too */
  readonly position: number;
}

/** A console line's output: a hash of all of it, and the last part itself. */
export class LineRecord {
  private count = 0;
  private a = 0x811c9dc5 | 0;
  private b = 0x9e3779b1 | 0;
  /** output by position, from `from` on; what lies past `to` is of a future that was left by going back, and may be gone back to */
  private bytes = new Uint8Array(4096);
  private from = 0;
  private to = 0;

  write(bytes: Uint8Array): void {
    let { a, b } = this;
    for (let i = 0; i < bytes.length; i++) {
      a = Math.imul(a ^ bytes[i]!, 0x01000193);
      b = Math.imul((b ^ bytes[i]!) + (a >>> 13), 0x85ebca77);
    }
    this.a = a;
    this.b = b;
    this.count += bytes.length;
    this.keep(bytes);
  }
  /** Shown, and not the guest's: no part of the hash. */
  keep(bytes: Uint8Array): void {
    const last = bytes.subarray(-HISTORY);
    this.to += bytes.length;
    if (this.to - this.from > 2 * HISTORY) {
      const from = Math.max(this.from, this.to - HISTORY);
      this.bytes.copyWithin(0, from - this.from);
      this.from = from;
    }
    if (this.to - this.from > this.bytes.length) {
      const more = new Uint8Array(Math.min(2 * HISTORY, 2 * (this.to - this.from)));
      more.set(this.bytes);
      this.bytes = more;
    }
    this.bytes.set(last, this.to - last.length - this.from);
  }
  save(): LineState {
    return { count: this.count, a: this.a, b: this.b, position: this.to };
  }
  load(s: LineState): void {
    this.count = s.count;
    this.a = s.a;
    this.b = s.b;
    this.to = s.position;
    if (s.position < this.from || s.position > this.from + this.bytes.length) this.from = s.position;
  }
  /** The output as far as it is kept: HISTORY bytes at least, if there were so many. */
  history(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.to - this.from);
  }
  /** Gives the history to a line that was just loaded in a new machine. */
  fill(history: Uint8Array): void {
    this.bytes = new Uint8Array(history);
    this.from = this.to - history.length;
  }
}

/** What the command line said of a disk. */
export interface Opened {
  readonly file: string;
  readonly backing: string | undefined;
  readonly flags: { readonly readonly: boolean; readonly sync: boolean; readonly shared?: boolean };
}

/** A disk whose changes are known: what each changed block was at first, and which have changed since the last snapshot. */
export class TrackedStore implements BlockStore {
  readonly size: number;
  readonly readonly: boolean;
  readonly name: string;
  /** how it was opened */
  readonly opened: Opened;
  private readonly inner: BlockStore;
  private readonly tap: Tap;
  /** changed blocks as of the last snapshot; a block that is not there is as at power-on */
  tree = new PageTree();
  /** blocks written since then */
  readonly dirty = new Set<number>();
  private readonly first = new Map<number, Uint8Array>();

  constructor(inner: BlockStore, tap: Tap, opened: Opened) {
    this.inner = inner;
    this.opened = opened;
    this.tap = tap;
    this.size = inner.size;
    this.readonly = inner.readonly;
    this.name = inner.name;
  }
  read(pos: number, buf: Uint8Array): void {
    this.inner.read(pos, buf);
  }
  write(pos: number, buf: Uint8Array): void {
    if (buf.length > 0) {
      const last = Math.floor((pos + buf.length - 1) / BLOCK);
      for (let n = Math.floor(pos / BLOCK); n <= last; n++) this.touch(n);
    }
    this.inner.write(pos, buf);
  }
  private touch(n: number): void {
    this.dirty.add(n);
    if (!this.first.has(n)) this.first.set(n, this.block(n));
  }
  /** A copy of a block as it is; the last may be short. */
  block(n: number): Uint8Array {
    const buf = new Uint8Array(Math.min(BLOCK, this.size - n * BLOCK));
    this.inner.read(n * BLOCK, buf);
    return buf;
  }
  /** Puts a block there: a copy, or undefined for what it was at power-on. */
  restore(n: number, data: Page): void {
    const bytes = data ?? this.first.get(n);
    if (bytes === undefined) return;
    if (!this.first.has(n)) this.first.set(n, this.block(n));
    this.inner.write(n * BLOCK, bytes);
  }
  /** What has been run before needs not be made durable again. */
  flush(): Promise<void> | undefined {
    return this.tap.replaying ? undefined : this.inner.flush();
  }
  barrier(): void {
    if (!this.tap.replaying) this.inner.barrier?.();
  }
  close(): void {
    this.inner.close();
  }
}

export class Tap implements Os {
  private readonly inner: Os;
  readonly lines = Array.from({ length: LINES }, () => new LineRecord());
  /** in the order in which they were opened */
  readonly stores: TrackedStore[] = [];
  /** what runs is known already: disks are not flushed */
  replaying = false;
  /** output is recorded, but the host does not hear of it */
  silent = false;

  constructor(inner: Os) {
    this.inner = inner;
  }
  openBlock(file: string, backing: string | undefined, flags: { readonly: boolean; sync: boolean; shared?: boolean }): BlockStore {
    const store = new TrackedStore(this.inner.openBlock(file, backing, flags), this, { file, backing, flags });
    this.stores.push(store);
    return store;
  }
  consoleWrite(line: number, bytes: Uint8Array): void {
    this.lines[line]?.write(bytes);
    if (!this.silent) this.inner.consoleWrite(line, bytes);
  }
  startTime(): number {
    return this.inner.startTime();
  }
  entropy(): Uint8Array {
    return this.inner.entropy();
  }
  hostFile(path: string, size: number): void {
    if (!this.silent && !this.replaying) this.inner.hostFile?.(path, size);
  }
  hostPrint(line: string): void {
    this.lines[0]!.keep(Uint8Array.from(`${line}\r\n`, (c) => c.charCodeAt(0) & 0xff));
    if (!this.silent) this.inner.hostPrint(line);
  }
}
