// replay/snapshot_file.ts — a snapshot as a file: to begin at the prompt, or to go on after a reload. Not packed: whoever stores it does that.
//
//   "pzsnap1\n", length of the header (u32), the header (JSON), then sections, each at a multiple of 8: see `Header`.
//
// A page that is also on a disk's image (the cache of a file, a program's text) is kept as its place there. A snapshot belongs to the version of the
// emulator that made it, class by class and field by field: whoever keeps one keeps that version's mark beside it.
import type { InputEvent } from "../machine/input.ts";
import type { Frozen } from "../machine/graph.ts";
import type { Snapshot, Snapshots } from "../machine/snapshot.ts";
import type { PageTree } from "../machine/pages.ts";
import type { LineState, Opened } from "../machine/tap.ts";
import { checkEvents, fromLinkEvents, toLinkEvents } from "../link/events.ts";
import type { LinkEvent } from "../protocol/link.ts";

const MAGIC = "pzsnap1\n";
const PAGE = 4096;
/** places of a page on an image are multiples of this */
const ALIGN = 1024;
/** instead of a place: it is in the file */
const INLINE = 0xffffffff;
/** or: nothing but zeros */
const ZEROS = 0xfffffffe;

/** Reads an image as it was before anything was changed. */
export type ImageReader = (pos: number, buf: Uint8Array) => void;

interface Header {
  readonly cmdline: string;
  readonly clock: number;
  readonly size: number;
  readonly retired: number;
  readonly ns: number;
  readonly noted: number;
  readonly fingerprint: string;
  readonly lines: readonly LineState[];
  readonly events: readonly LinkEvent[];
  readonly disks: readonly { readonly opened: Opened; readonly size: number; readonly blocks: number }[];
  readonly pages: number;
  /** bytes of each buffer of the graph */
  readonly buffers: readonly number[];
  readonly shapes: Frozen["shapes"];
  readonly strings: readonly string[];
  /** bytes of the sections: cpu, recent calls, calls by number, nodes, tags, values, each history, places of the buffers' pages; numbers and places of RAM pages, of each disk's blocks; bytes of inline pages */
  readonly sections: readonly number[];
}

const aligned = (n: number): number => (n + 7) & ~7;

/** Finds pages on an image. */
class Places {
  private readonly byHash = new Map<number, number[]>();
  private readonly read: ImageReader;
  private readonly size: number;
  private readonly buf = new Uint8Array(PAGE);

  constructor(read: ImageReader, size: number) {
    this.read = read;
    this.size = size;
    const part = new Uint8Array(1 << 20);
    for (let at = 0; at + PAGE <= size; at += part.length) {
      const n = Math.min(part.length, size - at);
      read(at, part.subarray(0, n));
      for (let i = 0; i + ALIGN <= n; i += ALIGN) {
        const h = this.hash(part, i);
        if (h === 0) continue;
        const list = this.byHash.get(h);
        if (list === undefined) this.byHash.set(h, [at + i]);
        else if (list.length < 8) list.push(at + i);
      }
    }
  }
  /** 0 for zeros */
  private hash(bytes: Uint8Array, at: number): number {
    let h = 0;
    for (let i = at; i < at + ALIGN; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193) ^ (h >>> 15);
    return h;
  }
  find(page: Uint8Array): number | undefined {
    if (page.length !== PAGE) return undefined;
    for (const at of this.byHash.get(this.hash(page, 0)) ?? []) {
      if (at + PAGE > this.size) continue;
      this.read(at, this.buf);
      if (this.buf.every((b, i) => b === page[i])) return at;
    }
    return undefined;
  }
}

/** pages between two yields */
const PART = 128;

/**
 * The file, made in parts: nobody has to wait for all of it, as a snapshot does not change. `log`: at least its events. `fingerprint`, `histories` (what
 * the consoles have printed, the last of it): of the same moment.
 */
export function* writingSnapshot(s: Snapshot, log: readonly InputEvent[], histories: readonly Uint8Array[], fingerprint: string, images: ReadonlyMap<string, ImageReader>): Generator<undefined, Uint8Array<ArrayBuffer>> {
  const sections: Uint8Array[] = [];
  const inline: Uint8Array[] = [];
  let pages = 0;
  const add = (a: { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly byteLength: number }): void =>
    void sections.push(new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  // places are in units of ALIGN on the first disk: that is where programs come from
  const first = s.disks[0];
  const reader = first === undefined ? undefined : images.get(first.opened.file);
  const places = first === undefined || reader === undefined ? undefined : new Places(reader, first.size);
  const tree = function* (t: PageTree): Generator<undefined, number> {
    const list: number[] = [];
    for (const [page, bytes] of t.entries()) {
      const at = places?.find(bytes);
      list.push(page, at === undefined ? INLINE : at / ALIGN);
      if (at === undefined) inline.push(bytes);
      if (++pages % PART === 0) yield;
    }
    add(Uint32Array.from(list));
    return list.length / 2;
  };
  add(s.cpu);
  add(s.calls.recent);
  add(s.calls.histogram);
  add(s.graph.nodes);
  add(s.graph.tags);
  add(s.graph.values);
  for (const h of histories) add(h);
  // what the kernel has read of a disk is found there again
  const parts: number[] = [];
  for (const b of s.graph.buffers) {
    for (let at = 0; at < b.byteLength; at += PAGE) {
      const part = new Uint8Array(b, at, Math.min(PAGE, b.byteLength - at));
      const place = isZero(part) ? ZEROS : (places?.find(part) ?? INLINE * ALIGN) / ALIGN;
      parts.push(place);
      if (place === INLINE) inline.push(part);
      if (++pages % PART === 0) yield;
    }
  }
  add(Uint32Array.from(parts));
  const ram = yield* tree(s.ram);
  const disks: Header["disks"][number][] = [];
  for (const d of s.disks) disks.push({ opened: d.opened, size: d.size, blocks: yield* tree(d.blocks) });
  const inlined = inline.reduce((n, p) => n + p.length, 0);
  const header: Header = {
    cmdline: s.cmdline, clock: s.clock, size: s.size, retired: s.retired, ns: s.ns, noted: s.calls.noted, fingerprint, lines: s.lines, events: toLinkEvents(log.slice(0, s.events)),
    disks, pages: ram, buffers: s.graph.buffers.map((b) => b.byteLength), shapes: s.graph.shapes, strings: s.graph.strings, sections: [...sections.map((x) => x.length), inlined],
  };
  const head = new TextEncoder().encode(JSON.stringify(header));
  yield;
  const start = aligned(MAGIC.length + 4 + head.length);
  const out = new Uint8Array(start + sections.reduce((n, x) => n + aligned(x.length), 0) + aligned(inlined));
  out.set(new TextEncoder().encode(MAGIC));
  new DataView(out.buffer).setUint32(MAGIC.length, head.length, true);
  out.set(head, MAGIC.length + 4);
  let at = start;
  for (const x of sections) {
    out.set(x, at);
    at += aligned(x.length);
  }
  for (const p of inline) {
    out.set(p, at);
    at += p.length;
    if (++pages % PART === 0) yield;
  }
  return out;
}
function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

export interface SnapshotFile {
  readonly snapshot: Snapshot;
  readonly log: InputEvent[];
  readonly histories: readonly Uint8Array[];
  readonly fingerprint: string;
}

/** The command line, clock and fingerprint of a file. Throws a sentence if it is none. */
export function snapshotHeader(file: Uint8Array): Header {
  const bad = new Error("this is no snapshot of this version, or it is damaged");
  if (file.length < 16 || new TextDecoder().decode(file.subarray(0, MAGIC.length)) !== MAGIC) throw bad;
  const length = new DataView(file.buffer, file.byteOffset).getUint32(MAGIC.length, true);
  try {
    return JSON.parse(new TextDecoder().decode(file.subarray(MAGIC.length + 4, MAGIC.length + 4 + length))) as Header;
  } catch {
    throw bad;
  }
}

/** Throws a sentence if it is none. What is in it is trusted: it comes from where the page comes from, or from this browser's own storage. */
export function readSnapshot(file: Uint8Array, taker: Snapshots, images: ReadonlyMap<string, ImageReader>): SnapshotFile {
  const header = snapshotHeader(file);
  const events = checkEvents(header.events);
  if (typeof events === "string") throw new Error(`the snapshot is damaged: ${events}`);
  let at = aligned(MAGIC.length + 4 + new DataView(file.buffer, file.byteOffset).getUint32(MAGIC.length, true));
  let n = 0;
  /** the next section, in a buffer of its own */
  const next = (): Uint8Array<ArrayBuffer> => {
    const length = header.sections[n++] ?? 0;
    if (at + length > file.length) throw new Error("the snapshot is cut short");
    const bytes = new Uint8Array(file.subarray(at, at + length));
    at += aligned(length);
    return bytes;
  };
  const cpu = next();
  const recent = new Int32Array(next().buffer);
  const histogram = new Uint32Array(next().buffer);
  const nodes = new Int32Array(next().buffer);
  const tags = next();
  const values = new Float64Array(next().buffer);
  const histories = Array.from({ length: header.lines.length }, next);
  const parts = new Uint32Array(next().buffer);
  const lists = Array.from({ length: 1 + header.disks.length }, () => new Uint32Array(next().buffer));
  const inline = next();
  let used = 0;
  const reader = images.get(header.disks[0]?.opened.file ?? "");
  const page = (place: number, length: number): Uint8Array => {
    if (place === ZEROS) return new Uint8Array(length);
    if (place === INLINE) return inline.slice(used, (used += length));
    if (reader === undefined) throw new Error("the snapshot needs a disk image that is not here");
    const bytes = new Uint8Array(length);
    reader(place * ALIGN, bytes);
    return bytes;
  };
  let part = 0;
  const buffers = header.buffers.map((length) => {
    const bytes = new Uint8Array(length);
    for (let to = 0; to < length; to += PAGE) bytes.set(page(parts[part++]!, Math.min(PAGE, length - to)), to);
    return bytes.buffer;
  });
  const tree = (list: Uint32Array, limit: number): PageTree =>
    taker.tree(Array.from({ length: list.length / 2 }, (_, i): readonly [number, Uint8Array] => [list[2 * i]!, page(list[2 * i + 1]!, Math.min(PAGE, limit - list[2 * i]! * PAGE))]));
  const ram = tree(lists[0]!, header.size);
  const disks = header.disks.map((d, i) => ({ opened: d.opened, size: d.size, blocks: tree(lists[i + 1]!, d.size) }));
  const { cmdline, clock, size, retired, ns, noted, lines, shapes, strings, fingerprint } = header;
  const graph: Frozen = { shapes, nodes, tags, values, strings, buffers };
  const snapshot: Snapshot = { cmdline, clock, size, retired, ns, events: events.length, ram, cpu, calls: { recent, noted, histogram }, lines, disks, graph, own: file.length };
  return { snapshot, log: fromLinkEvents(events), histories, fingerprint };
}
