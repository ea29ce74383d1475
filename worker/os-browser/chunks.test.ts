// worker/os-browser/chunks.test.ts — an image in parts: the order, what is fetched how often, what is wrong
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { checkChunkList, ChunkedImage, type ChunkFetcher, type ChunkList, MemoryChunks } from "./chunks.ts";

const CHUNK = 4096;
const N = 20;

/** expect() looks at each byte with care, which takes seconds */
const same = (a: Uint8Array, b: Uint8Array): void => expect(Buffer.compare(a, b)).toBe(0);

function make(): { image: Uint8Array; list: ChunkList; files: Map<string, Uint8Array<ArrayBuffer>> } {
  const image = new Uint8Array(CHUNK * N - 1000);
  for (let i = 0; i < image.length; i++) image[i] = Math.floor(i / CHUNK) % 5 === 4 ? 0 : (i * 7 + (i >> 11)) & 255;
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const hashes: string[] = [];
  const packed: number[] = [];
  for (let at = 0; at < image.length; at += CHUNK) {
    const bytes = image.subarray(at, at + CHUNK);
    const hash = bytes.every((b) => b === 0) ? "" : createHash("sha256").update(bytes).digest("hex");
    const file = Uint8Array.from(deflateRawSync(bytes));
    if (hash !== "") files.set(`chunks/${hash}`, file);
    hashes.push(hash);
    packed.push(hash === "" ? 0 : file.length);
  }
  return { image, files, list: { format: 1, sha256: createHash("sha256").update(image).digest("hex"), size: image.length, chunk: CHUNK, hashes, packed, boot: [3, 0, 7] } };
}

class Net implements ChunkFetcher {
  readonly asked: string[] = [];
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** of each address: how often it fails before it works */
  readonly failing = new Map<string, number>();
  constructor(files: Map<string, Uint8Array<ArrayBuffer>>) {
    this.files = files;
  }
  fetchNow(url: string): Uint8Array<ArrayBuffer> {
    this.asked.push(url);
    const left = this.failing.get(url) ?? 0;
    if (left > 0) {
      this.failing.set(url, left - 1);
      throw new Error("the server says 503");
    }
    return this.files.get(url)!;
  }
  fetch(url: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve) => resolve(this.fetchNow(url)));
  }
  sleep(): Promise<void> {
    return Promise.resolve();
  }
}

test("what the boot reads comes first, in its order, then the rest, each once; a second visit fetches nothing", async () => {
  const { image, list, files } = make();
  const net = new Net(files);
  const store = new MemoryChunks();
  const chunks = new ChunkedImage("a", list, "chunks/", store, net);
  const steps: [number, number][] = [];
  await chunks.first((_, done, total) => steps.push([done, total]));
  expect(net.asked).toEqual([3, 0, 7].map((n) => `chunks/${list.hashes[n]!}`));
  expect(steps.at(-1)![0]).toBe(steps.at(-1)![1]);
  expect(chunks.isComplete).toBe(false);
  // a read of what has not come, and a write over two parts
  chunks.need(10 * CHUNK + 5, 10);
  same(chunks.bytes.slice(10 * CHUNK, 11 * CHUNK), image.slice(10 * CHUNK, 11 * CHUNK));
  chunks.need(12 * CHUNK - 1, 2);
  expect(net.asked).toHaveLength(6);
  // what the guest wrote stays
  chunks.bytes[12 * CHUNK - 1] = image[12 * CHUNK - 1]! ^ 255;
  await Promise.all([chunks.rest(), chunks.complete()]);
  const whole = image.slice();
  whole[12 * CHUNK - 1]! ^= 255;
  same(chunks.bytes, whole);
  expect(chunks.isComplete).toBe(true);
  expect(new Set(net.asked).size).toBe(net.asked.length);
  expect(net.asked).toHaveLength(files.size);

  const later = new Net(new Map());
  const again = new ChunkedImage("a", list, "chunks/", store, later);
  await again.complete();
  same(again.bytes, image);
  expect(later.asked).toEqual([]);
});

test("a server that fails now and then is asked again; what had come before it failed for good is not", async () => {
  const { image, list, files } = make();
  const bad = `chunks/${list.hashes[7]!}`;
  const net = new Net(files);
  const store = new MemoryChunks();
  net.failing.set(`chunks/${list.hashes[0]!}`, 2);
  net.failing.set(bad, 3);
  await expect(new ChunkedImage("a.ext4", list, "chunks/", store, net).complete()).rejects.toThrow(/a\.ext4 .* chunk 8 of 20 \([0-9a-f]{12}…\): the server says 503\. Start again/);
  const had = new Set(net.asked.filter((url) => url !== bad));
  net.asked.length = 0;
  const again = new ChunkedImage("a.ext4", list, "chunks/", store, net);
  await again.complete();
  same(again.bytes, image);
  // those under way when it failed may have been cut off
  expect(net.asked.filter((url) => had.has(url)).length).toBeLessThanOrEqual(6);
});

test("a damaged chunk is told by its number, however it was fetched, and never used; a damaged copy here is fetched anew", async () => {
  const { image, list, files } = make();
  const url = `chunks/${list.hashes[3]!}`;
  const right = files.get(url)!;
  for (const wrong of [right.slice(0, 9), files.get(`chunks/${list.hashes[0]!}`)!, Uint8Array.from(deflateRawSync(new Uint8Array(1 << 20))), new Uint8Array(0)]) {
    files.set(url, wrong);
    const chunks = new ChunkedImage("a.ext4", list, "chunks/", new MemoryChunks(), new Net(files));
    await expect(chunks.first(() => undefined)).rejects.toThrow(/chunk 4 of 20 .*arrived damaged/);
    expect(() => chunks.need(3 * CHUNK, 1)).toThrow(/chunk 4 of 20 .*arrived damaged/);
    expect(chunks.bytes.subarray(3 * CHUNK, 4 * CHUNK).every((b) => b === 0)).toBe(true);
  }
  files.set(url, right);
  const store = new MemoryChunks();
  await store.put(list.hashes[3]!, Uint8Array.of(1, 2, 3));
  const chunks = new ChunkedImage("a.ext4", list, "chunks/", store, new Net(files));
  await chunks.complete();
  same(chunks.bytes, image);
  expect(await store.get(list.hashes[3]!)).toEqual(right);
});

test("a list that is none is told", () => {
  const { list } = make();
  expect(checkChunkList(JSON.parse(JSON.stringify(list)))).toEqual(list);
  const { hashes } = list;
  for (const v of [null, 7, [], {}, { ...list, format: 2 }, { ...list, size: -1 }, { ...list, size: 2 ** 40 }, { ...list, chunk: 0 }, { ...list, chunk: 5000 }, { ...list, hashes: hashes.slice(1) }, { ...list, hashes: hashes.with(2, "../../x") }, { ...list, packed: list.packed.with(0, 1e9) }, { ...list, boot: [N] }, { ...list, sha256: "x" }])
    expect(typeof checkChunkList(v)).toBe("string");
});

test("a failure is told when what had come is kept", async () => {
  const { list, files } = make();
  files.delete(`chunks/${list.hashes[7]!}`);
  const net = new Net(files);
  const kept: (() => void)[] = [];
  class Slow extends MemoryChunks {
    override put(hash: string, packed: Uint8Array<ArrayBuffer>): Promise<void> {
      return new Promise<void>((resolve) => kept.push(resolve)).then(() => super.put(hash, packed));
    }
  }
  const store = new Slow();
  const chunks = new ChunkedImage("a", list, "chunks/", store, net);
  let told = false;
  const failed = chunks.first(() => undefined).catch(() => {
    told = true;
  });
  while (net.asked.filter((url) => url.endsWith(list.hashes[7]!)).length < 3) await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(kept).toHaveLength(2);
  expect(told).toBe(false);
  for (const done of kept) done();
  await failed;
  expect(await store.get(list.hashes[3]!)).toBeDefined();
  expect(await store.get(list.hashes[0]!)).toBeDefined();
});
