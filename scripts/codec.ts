// scripts/codec.ts — deflate for boot links, as Node has it.
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Codec } from "../worker/link/pack.ts";

export const codec: Codec = {
  deflate: (bytes) => Promise.resolve(new Uint8Array(deflateRawSync(bytes, { level: 9 }))),
  inflate: (bytes, limit) => Promise.resolve(new Uint8Array(inflateRawSync(bytes, { maxOutputLength: limit }))),
};
