// scripts/userspace/chunks.ts — an image for the page: cut into chunks, each a file named by what is in it, with a list and an entry in the manifest.

import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import type { ManifestEntry } from "../../src/manifest.ts";
import type { ChunkList } from "../../worker/os-browser/chunks.ts";

export const CHUNK = 256 << 10;

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export function writeWhole(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
}

/** The chunks that a boot reads up to the prompt, in that order. */
function bootOrder(image: string, cmdline: string): number[] {
  const { status, stdout } = spawnSync("node_modules/.bin/tsx", ["scripts/userspace/boot_order.ts", image, cmdline, String(CHUNK)], { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" });
  if (status !== 0) throw new Error("the image could not be booted to see what a boot reads");
  return JSON.parse(stdout) as number[];
}

/** Writes the chunks of the file `image` and their list into `folder`. The same image gives the same files. */
export function publish(folder: string, image: string, name: string, title: string, cmdline: string): ManifestEntry {
  const bytes = readFileSync(image);
  mkdirSync(join(folder, "chunks"), { recursive: true });
  const hashes: string[] = [];
  const packed: number[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const chunk = bytes.subarray(at, at + CHUNK);
    if (chunk.every((b) => b === 0)) {
      hashes.push("");
      packed.push(0);
      continue;
    }
    const hash = sha256(chunk);
    const file = deflateRawSync(chunk, { level: 9 });
    hashes.push(hash);
    packed.push(file.length);
    if (!existsSync(join(folder, "chunks", hash))) writeWhole(join(folder, "chunks", hash), file);
  }
  const list: ChunkList = { format: 1, sha256: sha256(bytes), size: bytes.length, chunk: CHUNK, hashes, packed, boot: bootOrder(image, cmdline) };
  const chunks = `${name}.chunks.json`;
  writeWhole(join(folder, chunks), `${JSON.stringify(list)}\n`);
  return { name, title, sha256: list.sha256, size: bytes.length, gzSize: packed.reduce((n, p) => n + p, 0), chunks, cmdline };
}

/** Notes entries in a folder's manifest, instead of those of the same names; chunks that no list names any more are deleted. */
export function noteImages(folder: string, entries: readonly ManifestEntry[]): void {
  const path = join(folder, "manifest.json");
  const before = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ManifestEntry[]) : [];
  const manifest = [...before.filter((b) => b.chunks !== undefined && !entries.some((e) => e.name === b.name)), ...entries];
  writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`);
  const wanted = new Set(manifest.flatMap((m) => (JSON.parse(readFileSync(join(folder, m.chunks), "utf8")) as ChunkList).hashes));
  for (const file of readdirSync(join(folder, "chunks"))) if (!wanted.has(file)) rmSync(join(folder, "chunks", file));
}
