// link/bundle.ts — a boot bundle, name.umlboot: what a link says and more than it can hold, as a zip that any tool opens.
//
//   boot.json            the link's fields, spelled out, without input and notes
//   input.jsonl          one event a line (events.ts)
//   overlay/NAME.blocks  changes to the disk ubd0=NAME as the machine found it: block number (u32, little-endian) and 4096 bytes, each block once
//   notes.md             text
//
// A bundle may come from anybody: names that are not these are ignored and told, and nothing in it can take more memory than the caps say.
import { strFromU8, strToU8, zipSync, type Zippable } from "fflate";
import { checkEvents } from "./events.ts";
import type { BootLink, Problem } from "../protocol/link.ts";
import { CAPS, defaultLink, FIELDS } from "./fields.ts";
import { checkExtra } from "./pack.ts";
import { readZip } from "./zip.ts";

export const BUNDLE_CAPS = { file: 512 << 20, boot: 1 << 20, input: 64 << 20, notes: 1 << 20, overlay: 256 << 20 } as const;
export const BLOCK_SIZE = 4096;
const ENTRY = 4 + BLOCK_SIZE;

/** Changed blocks of one disk. */
export interface Overlay {
  readonly disk: string;
  readonly blocks: readonly (readonly [block: number, bytes: Uint8Array])[];
}
export interface Bundle {
  readonly link: BootLink;
  readonly overlays: readonly Overlay[];
}

const DISK = /^overlay\/([\w.+-]{1,64})\.blocks$/;

function capOf(name: string): number {
  if (name === "boot.json") return BUNDLE_CAPS.boot;
  if (name === "input.jsonl") return BUNDLE_CAPS.input;
  if (name === "notes.md") return BUNDLE_CAPS.notes;
  return DISK.test(name) ? BUNDLE_CAPS.overlay : 0;
}

/** Deterministic: the same bundle gives the same bytes. */
export function writeBundle({ link, overlays }: Bundle): Uint8Array {
  const { input, notes, ...extra } = link.extra;
  const files: Zippable = { "boot.json": strToU8(`${JSON.stringify({ ...link, extra }, null, 2)}\n`) };
  if (input !== undefined) files["input.jsonl"] = strToU8(input.map((e) => `${JSON.stringify(e)}\n`).join(""));
  if (notes !== undefined) files["notes.md"] = strToU8(notes);
  for (const { disk, blocks } of overlays) {
    const out = new Uint8Array(blocks.length * ENTRY);
    blocks.forEach(([block, bytes], i) => {
      new DataView(out.buffer).setUint32(i * ENTRY, block, true);
      out.set(bytes.subarray(0, BLOCK_SIZE), i * ENTRY + 4);
    });
    files[`overlay/${disk}.blocks`] = out;
  }
  return zipSync(files, { level: 6, mtime: "1980-01-01T00:00:00" });
}

/** Takes boot.json's fields through the same checks as a link's. */
function checkLink(v: unknown, image: string, bad: (key: string, text: string) => void): BootLink {
  const link = defaultLink(image);
  if (typeof v !== "object" || v === null || Array.isArray(v)) {
    bad("boot.json", "it is not an object");
    return link;
  }
  const given = v as Record<string, unknown>;
  if (given.format !== 1) bad("format", `this bundle is of form "${String(given.format).slice(0, 20)}"; this version knows form 1`);
  // written back as a link would write it, and read as a link is read
  const shaped = { ...defaultLink(image), ...given } as BootLink;
  for (const field of FIELDS) {
    let value: string | undefined;
    try {
      value = field.write(shaped);
    } catch {
      bad(field.key, `the ${field.label} is not of the right form`);
      continue;
    }
    if (value === undefined) continue;
    const text = typeof value === "string" ? field.parse(link, value) : `the ${field.label} is not of the right form`;
    if (text !== undefined) bad(field.key, text);
  }
  if (typeof given.screen === "string" && /^[\w/-]{0,40}$/.test(given.screen)) link.screen = given.screen;
  const hash = (given.image as { hash?: unknown } | undefined)?.hash;
  if (typeof hash === "string" && /^[0-9a-f]{12,64}$/.test(hash)) link.image.hash = hash;
  if (Array.isArray(given.unknown)) link.unknown = given.unknown.filter((p): p is [string, string] => Array.isArray(p) && p.length === 2 && p.every((s) => typeof s === "string" && s.length < 1000)).slice(0, 50);
  if (given.extra !== undefined) {
    const texts: string[] = [];
    link.extra = checkExtra(given.extra, texts);
    for (const t of texts) bad("extra", t);
  }
  return link;
}

function readOverlay(disk: string, bytes: Uint8Array): Overlay | string {
  if (bytes.length % ENTRY !== 0) return `the changes to ${disk} are cut short`;
  const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const blocks: [number, Uint8Array][] = [];
  const seen = new Set<number>();
  for (let at = 0; at < bytes.length; at += ENTRY) {
    const block = v.getUint32(at, true);
    if (seen.has(block)) return `the changes to ${disk} have block ${block} twice`;
    seen.add(block);
    blocks.push([block, bytes.slice(at + 4, at + ENTRY)]);
  }
  return { disk, blocks };
}

/** Reads a bundle. Never throws: what is wrong is told, the rest is used; undefined when there is no rest. `image`: the site's own. */
export function readBundle(bytes: Uint8Array, image: string): { readonly bundle: Bundle | undefined; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const bad = (key: string, text: string): void => {
    if (problems.length < 50) problems.push({ key: key.slice(0, 80), text });
  };
  if (bytes.length > BUNDLE_CAPS.file) {
    bad("", `the bundle has ${bytes.length} bytes; ${BUNDLE_CAPS.file} are allowed`);
    return { bundle: undefined, problems };
  }
  let files: ReadonlyMap<string, Uint8Array>;
  let overlay = 0;
  try {
    files = readZip(bytes, {
      cap: (name) => {
        const cap = capOf(name);
        return cap === 0 ? "this file is not known here and was ignored" : DISK.test(name) ? cap - overlay : cap;
      },
      unpacks: (name, size) => void (overlay += DISK.test(name) ? size : 0),
      bad,
    });
  } catch (e) {
    bad("", `this is not a bundle, or it is damaged: ${e instanceof Error ? e.message : String(e)}`);
    return { bundle: undefined, problems };
  }
  const text = (name: string): string | undefined => {
    const content = files.get(name);
    return content === undefined ? undefined : strFromU8(content);
  };
  const json = (name: string, s: string): unknown => {
    try {
      return JSON.parse(s);
    } catch {
      bad(name, "it is not JSON");
      return undefined;
    }
  };
  const boot = text("boot.json");
  if (boot === undefined) {
    bad("boot.json", "it is missing: this zip is no boot bundle");
    return { bundle: undefined, problems };
  }
  const parsed = json("boot.json", boot);
  if (parsed === undefined) return { bundle: undefined, problems };
  const link = checkLink(parsed, image, bad);
  const input = text("input.jsonl");
  if (input !== undefined) {
    const lines = input.split("\n").filter((l) => l.trim() !== "");
    if (lines.length > CAPS.input) bad("input.jsonl", `it has ${lines.length} events; ${CAPS.input} are allowed`);
    else {
      const events = checkEvents(lines.map((l) => json("input.jsonl", l)));
      if (typeof events === "string") bad("input.jsonl", events);
      else link.extra.input = events;
    }
  }
  const notes = text("notes.md");
  if (notes !== undefined) link.extra.notes = notes;
  const overlays: Overlay[] = [];
  for (const [name, content] of files) {
    const disk = DISK.exec(name)?.[1];
    if (disk === undefined) continue;
    const o = readOverlay(disk, content);
    if (typeof o === "string") bad(name, o);
    else overlays.push(o);
  }
  return { bundle: { link, overlays }, problems };
}
