// scripts/userspace/snapshot.ts — a snapshot of the page's machine at its prompt, so that a visit begins there; checked against another boot.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { loadIced } from "../../worker/cpu/iced.ts";
import { Machine } from "../../worker/machine.ts";
import { MemoryStore } from "../../worker/lib/memory_store.ts";
import { NodeOs } from "../../worker/os-node/os.ts";
import { Timeline } from "../../worker/replay/timeline.ts";
import { engine, SNAPSHOT_OF, snapshotCurrent, type SnapshotEntry } from "../engine.ts";
import type { ManifestEntry } from "../../src/manifest.ts";
import { IMAGE } from "./image.ts";

const PUBLIC = "public/images";
const MANIFEST = `${PUBLIC}/manifest.json`;

async function create(cmdline: string, name: string, image: Uint8Array, jit: boolean): Promise<Timeline> {
  const os = new NodeOs({ disks: new Map([[name, new MemoryStore(name, image.slice())]]), scratch: true, write: () => undefined, print: () => undefined });
  return new Timeline(new Machine({ cmdline, os, iced: await loadIced(), shared: false, jit }));
}
/** Boots to where all sleep for the first time with something on the last line: the prompt. */
function toPrompt(t: Timeline): void {
  t.machine.boot();
  t.machine.resize(0, 80, 24);
  const decoder = new TextDecoder();
  for (let n = 0; n < 100_000; n++) {
    const reason = t.run(1_000_000);
    if (reason === "halted" || reason === "host") throw new Error(`the machine is ${reason} before there is a prompt`);
    if (reason !== "idle") continue;
    if (/[#$] $/.test(decoder.decode(t.machine.tap.lines[0]!.history().slice(-200)))) return;
    if (t.until() === Infinity) break;
    t.advance_idle(t.until());
  }
  throw new Error("there was no prompt");
}

const readManifest = (): (ManifestEntry & { snapshot?: SnapshotEntry })[] => JSON.parse(readFileSync(MANIFEST, "utf8")) as (ManifestEntry & { snapshot?: SnapshotEntry })[];

/** Makes it unless it is there, made by this emulator of this image. Throws when two boots differ: then nothing may be published. */
export async function buildSnapshot(): Promise<void> {
  const manifest = readManifest();
  const i = manifest.findIndex((e) => e.name === SNAPSHOT_OF);
  const entry = manifest[i];
  if (entry === undefined || snapshotCurrent()) return;
  const mark = engine();
  const file = `${entry.name}.snap.gz`;
  console.log("setup: making the snapshot at the prompt");
  const image = new Uint8Array(readFileSync(IMAGE));
  const images = new Map([[entry.name, (pos: number, buf: Uint8Array): void => buf.set(image.subarray(pos, pos + buf.length))]]);
  const first = await create(entry.cmdline, entry.name, image, true);
  toPrompt(first);
  const packed = gzipSync(first.save(images), { level: 9 });
  const fingerprint = first.fingerprint();
  const second = await create(entry.cmdline, entry.name, image, false);
  toPrompt(second);
  if (second.fingerprint() !== fingerprint) throw new Error("two boots of the image differ: the snapshot was not made");
  const resumed = await create(entry.cmdline, entry.name, image, true);
  resumed.resume(new Uint8Array(gunzipSync(packed)), images);
  writeFileSync(`${PUBLIC}/${file}.part`, packed);
  renameSync(`${PUBLIC}/${file}.part`, `${PUBLIC}/${file}`);
  manifest[i] = { ...entry, snapshot: { file, gzSize: packed.length, engine: mark, cmdline: entry.cmdline, at: first.now.at, fingerprint } };
  writeFileSync(`${MANIFEST}.part`, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(`${MANIFEST}.part`, MANIFEST);
  console.log(`setup: snapshot at instruction ${first.now.at}, fingerprint ${fingerprint}, ${(packed.length / 1e3).toFixed(0)} kB to download`);
}

if (process.argv[1]?.endsWith("userspace/snapshot.ts")) await buildSnapshot();
