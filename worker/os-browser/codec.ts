// worker/os-browser/codec.ts — deflate for boot links, as the browser has it.
import type { Codec } from "../link/pack.ts";

/** All of a stream, or an Error when it is more than `limit` bytes. */
async function all(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
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

const through = (bytes: Uint8Array, by: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> => new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(by);

export const codec: Codec = {
  deflate: (bytes) => all(through(bytes, new CompressionStream("deflate-raw")), Infinity),
  inflate: (bytes, limit) => all(through(bytes, new DecompressionStream("deflate-raw")), limit),
};
