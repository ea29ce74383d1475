// worker/os-browser/codec.ts — deflate, gzip and SHA-256 as the browser has them.
import type { Codec } from "../link/pack.ts";

/** All of a stream, or an Error when it is more than `limit` bytes. */
async function all(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let n = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    n += value.length;
    if (n > limit) {
      await reader.cancel();
      throw new Error("more than it may be");
    }
    parts.push(value);
  }
  const out = new Uint8Array(n);
  n = 0;
  for (const p of parts) {
    out.set(p, n);
    n += p.length;
  }
  return out;
}

/** Written straight into it: a Blob's stream comes by way of another process, and takes three times as long. */
function through(bytes: Uint8Array, by: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> {
  const writer = by.writable.getWriter();
  // whoever reads is told what is wrong with them
  writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => undefined);
  writer.close().catch(() => undefined);
  return by.readable;
}

export const codec: Codec = {
  deflate: (bytes) => all(through(bytes, new CompressionStream("deflate-raw")), Infinity),
  inflate: (bytes, limit) => all(through(bytes, new DecompressionStream("deflate-raw")), limit),
};

export const gzip = (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => all(through(bytes, new CompressionStream("gzip")), Infinity);
export const gunzip = (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => all(through(bytes, new DecompressionStream("gzip")), Infinity);

/** undefined: there is no crypto.subtle on plain HTTP */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  if (crypto.subtle === undefined) return undefined;
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Of a chunk; rejects where the browser has no SHA-256. */
export async function unpackHashed(packed: Uint8Array<ArrayBuffer>, size: number): Promise<{ bytes: Uint8Array; sha256: string }> {
  if (crypto.subtle === undefined) throw new Error("no SHA-256 here");
  const bytes = await all(through(packed, new DecompressionStream("deflate-raw")), size);
  return { bytes, sha256: (await sha256(bytes))! };
}
