// test/hostile_links.ts — links and bundles from somebody who means harm: made by rules, damaged at random, and what must hold whatever they are.
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { strToU8, zipSync, type Zippable } from "fflate";
import { toBase64url } from "../link/base64.ts";
import { BUNDLE_CAPS, readBundle } from "../link/bundle.ts";
import { formatLink, parseLink } from "../link/link.ts";
import type { Codec } from "../link/pack.ts";
import { commandLine } from "../link/recipe.ts";
import type { BootLink, Problem } from "../protocol/link.ts";

const codec: Codec = {
  deflate: (b) => Promise.resolve(deflateRawSync(b)),
  inflate: (b, limit) => Promise.resolve(inflateRawSync(b, { maxOutputLength: limit })),
};
const IMAGE = "nommu.ext4";

class Dice {
  private x: number;
  constructor(seed: number) {
    this.x = seed >>> 0 || 1;
  }
  below(n: number): number {
    this.x ^= this.x << 13;
    this.x ^= this.x >>> 17;
    this.x ^= this.x << 5;
    return (this.x >>> 0) % n;
  }
  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const NUMBERS = [0, -0, -1, 1, 0.5, 1e3, 255, 256, 1024, 1025, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 1e12, 1e12 + 1, 1e300, NaN, Infinity] as const;
const TEXTS = ["", "0", "-1", "1e9", "NaN", "../../etc/passwd", "/", "//", "/..", "/a/./b", "/a\0b", "\\..\\x", "a".repeat(100), "a".repeat(70_000), "\ud800", "\u202e\u0007\x1b[2J", "__proto__", "constructor", "ubd0=other rw", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "https://example.org/x~", `https://u:p@example.org:99999/~${"ab".repeat(32)}`, "%", "%00", "+", "nommu.ext4~zz", `nommu.ext4~${"0".repeat(64)}`] as const;
const KEYS = ["b", "i", "k", "m", "s", "t", "a", "c", "at", "u", "n", "fp", "src", "x", "v", "l", "p", "future", "__proto__", "", "%zz"] as const;

function anything(d: Dice, depth = 0): unknown {
  switch (d.below(depth > 3 ? 5 : 8)) {
    case 0:
      return d.of(NUMBERS);
    case 1:
      return d.of(TEXTS);
    case 2:
      return d.of([null, true, false, undefined]);
    case 3:
      return d.below(2 ** 20);
    case 4:
      return String(d.of(NUMBERS));
    case 5:
      return Array.from({ length: d.of(depth === 0 ? [0, 1, 3, 200] : [0, 1, 3]) }, () => anything(d, depth + 1));
    default:
      return Object.fromEntries(Array.from({ length: d.below(5) }, () => [d.of(["at", "ns", "text", "hex", "size", "line", "clock", "poke", "path", "command", "input", "files", "notes", "hash", "name", "url", "__proto__"]), anything(d, depth + 1)]));
  }
}
const event = (d: Dice): unknown => d.of([{ at: d.below(1000), text: "a" }, { at: d.of(NUMBERS), hex: d.of(["", "0", "zz", "00"]) }, { at: 5, size: [d.of(NUMBERS), d.of(NUMBERS)] }, { at: 5, poke: d.of(NUMBERS), hex: "00" }, { at: 5, line: d.of(NUMBERS), text: d.of(TEXTS) }, anything(d)]);
/** Few events, or more than may be: those are short, so that a round is. */
const events = (d: Dice): unknown[] => (d.below(12) === 0 ? Array.from({ length: 10_001 }, (_, at) => ({ at, text: "a" })) : Array.from({ length: d.of([1, 10]) }, () => event(d)));
/** JSON that is deeper than a stack, or broken off in its depth. */
const deep = (d: Dice): string => {
  const n = d.of([1, 100, 20_000, 200_000]), [open, close] = d.of([["[", "]"], ['{"a":', "}"], ['{"__proto__":', "}"], ['{"input":[', "]}"]] as const);
  return open.repeat(n) + (d.below(2) === 0 ? "0" : "") + (d.below(3) === 0 ? "" : close.repeat(n));
};
const extra = (d: Dice): unknown =>
  d.of([
    anything(d),
    { command: d.of(TEXTS), notes: d.of(TEXTS) },
    { input: events(d) },
    { files: Array.from({ length: d.of([1, 101]) }, () => ({ path: d.of(TEXTS), text: d.of(TEXTS).slice(0, 1000) })) },
  ]);
const field = (d: Dice): unknown => d.of<unknown>([d.of(NUMBERS), d.of(TEXTS), anything(d)]);

function hostileLink(d: Dice): string {
  const parts = Array.from({ length: 1 + d.below(10) }, () => {
    const key = d.of(KEYS);
    if (key === "b") return "b=1";
    if (key !== "x") return `${key}=${encodeURIComponent(String(field(d)).replaceAll(/[\ud800-\udfff]/g, "?"))}`;
    const bytes = d.below(8) === 0 ? new Uint8Array(2 << 20) : strToU8(d.below(12) === 0 ? deep(d) : (JSON.stringify(extra(d)) ?? ""));
    const text = toBase64url(deflateRawSync(bytes));
    return `x=${d.of(["1.", "1.", "1.", "2.", ""])}${d.below(4) === 0 ? text.slice(0, d.below(text.length + 1)) : text}`;
  });
  const text = `#/${d.of(["", "memory", "a/b", "<x>"])}?b=1&${parts.join("&")}`;
  if (d.below(3) > 0) return text;
  const chars = [...text];
  for (let k = d.below(6); k >= 0; k--) chars[d.below(chars.length)] = String.fromCharCode(d.below(0x180));
  return chars.join("");
}

function hostileBundle(d: Dice): Uint8Array {
  const files: Zippable = {};
  const boot = { format: 1, image: { name: IMAGE, hash: undefined }, ...Object.fromEntries(Array.from({ length: d.below(8) }, () => [d.of(["mem", "seed", "clock", "append", "line", "at", "ns", "title", "fingerprint", "source", "screen", "unknown", "image", "format", "extra"]), field(d)])) };
  files["boot.json"] = strToU8(d.below(12) === 0 ? deep(d) : d.below(6) === 0 ? (JSON.stringify(anything(d)) ?? "") : JSON.stringify(boot));
  for (let k = d.below(5); k > 0; k--) {
    const blocks = new Uint8Array(d.of([0, 1, 4100, 8200, 8199]));
    for (let i = 0; i + 4100 <= blocks.length; i += 4100) new DataView(blocks.buffer).setUint32(i, d.of([0, 7, 7, 2 ** 20, 2 ** 32 - 1]), true);
    const [name, content] = d.of<readonly [string, Uint8Array]>([
      ["input.jsonl", strToU8(d.below(12) === 0 ? deep(d) : events(d).map((e) => JSON.stringify(e) ?? "").join("\n"))],
      ["notes.md", new Uint8Array(d.of([0, 10, (1 << 20) + 1]))],
      [`overlay/${d.of([IMAGE, "other.ext4", "..", "a/b", "x".repeat(65)])}.blocks`, blocks],
      [d.of(["../evil", "/etc/passwd", "C:\\x", "boot.json/", "overlay/", "a\0b", "x".repeat(5000)]), strToU8("x")],
    ]);
    files[name] = content;
  }
  const zip = zipSync(files, { level: d.of([0, 6]) });
  const v = new DataView(zip.buffer, zip.byteOffset, zip.length);
  const end = zip.length - 22;
  switch (d.below(11)) {
    case 8: {
      // a directory that names the first file many times under other names: all of them are the same bytes
      const at = v.getUint32(end + 16, true);
      const entry = zip.slice(at, at + 46 + v.getUint16(at + 28, true) + v.getUint16(at + 30, true) + v.getUint16(at + 32, true));
      const times = d.of([2, 500, 1500]);
      const out = new Uint8Array(at + times * entry.length + 22);
      out.set(zip.subarray(0, at));
      for (let k = 0; k < times; k++) {
        entry[46] = d.of([0x62, 0x6f, 0x2f, 0xff]);
        out.set(entry, at + k * entry.length);
      }
      out.set(zip.subarray(end), at + times * entry.length);
      const w = new DataView(out.buffer, out.length - 22);
      w.setUint16(8, times, true);
      w.setUint16(10, times, true);
      w.setUint32(12, times * entry.length, true);
      return out;
    }
    case 9: {
      // another archive's end behind it, a comment that goes beyond the file, or bytes before the first file
      const more = new Uint8Array(zip.length + d.of([22, 1, 65_536]));
      more.set(d.below(2) === 0 ? zip : zip.subarray(end), d.below(2) === 0 ? 0 : more.length - zip.length);
      if (d.below(2) === 0) new DataView(more.buffer).setUint16(Math.min(more.length, zip.length) - 2, d.of([1, 22, 65_535]), true);
      return more;
    }
    case 0:
      return zip.slice(0, d.below(zip.length));
    case 1: // a count, a place or a size of the directory
      v.setUint16(end + d.of([8, 10]), d.of([0, 1, 2, 65535]), true);
      return zip;
    case 2:
      v.setUint32(end + 16, d.of([0, 1, zip.length - 5, 2 ** 32 - 1]), true);
      return zip;
    case 3: {
      // fields of the first file in the directory: CRC, sizes, lengths, place
      const at = v.getUint32(end + 16, true);
      const [place, size] = d.of([[16, 4], [20, 4], [24, 4], [28, 2], [30, 2], [32, 2], [42, 4], [8, 2], [10, 2]] as const);
      if (size === 4) v.setUint32(at + place, d.of([0, 1, 100, 1 << 28, 2 ** 32 - 1]), true);
      else v.setUint16(at + place, d.of([0, 1, 8, 9, 65535]), true);
      return zip;
    }
    case 4:
      for (let k = d.below(8); k >= 0; k--) zip[d.below(zip.length)] = d.below(256);
      return zip;
    default:
      return zip;
  }
}

/** What holds of whatever was read. Throws what does not. */
async function check(link: BootLink, problems: readonly Problem[]): Promise<void> {
  const must = (what: string, ok: boolean): void => {
    if (!ok) throw new Error(`${what}: ${JSON.stringify(link).slice(0, 1000)}`);
  };
  must("memory within its cap", Number.isInteger(link.mem) && link.mem >= 16 && link.mem <= 1024);
  must("a moment within its cap", link.at === undefined || (Number.isInteger(link.at) && link.at >= 0 && link.at <= 1e12));
  must("an image that is a name", /^[\w.+-]{1,64}$/.test(link.image.name));
  must("a source over the web", link.source === undefined || /^https?:\/\//.test(link.source.url));
  must("a title of a line", link.title.length <= 80);
  must("input within its cap", (link.extra.input?.length ?? 0) <= 10_000);
  must("files that stay below /", (link.extra.files ?? []).length <= 100 && (link.extra.files ?? []).every((f) => f.path.startsWith("/") && !f.path.split("/").includes("..") && !f.path.includes("\0")));
  must("a command line of one disk's machine", commandLine(link).length <= 2047 + 1024);
  must("problems in sentences", problems.every((p) => p.text.length > 8 && p.key.length <= 200));
  must("nothing that came by a prototype", !("polluted" in {}) && Object.getPrototypeOf(link) === Object.prototype);
  // what was taken can be given on, and is then taken without a complaint
  const again = await parseLink(await formatLink(link, codec), IMAGE, codec);
  must(`given on and read again (${JSON.stringify(again.problems).slice(0, 300)})`, again.problems.length === 0 || JSON.stringify(link.extra).length > 60_000);
}

/** `rounds` links and as many bundles. Returns how many were read without a complaint, with some, and not at all. */
export async function hostile(rounds: number, seed: number): Promise<{ clean: number; told: number; refused: number }> {
  const d = new Dice(seed);
  const out = { clean: 0, told: 0, refused: 0 };
  for (let i = 0; i < rounds; i++) {
    const { link, problems } = await parseLink(hostileLink(d), IMAGE, codec);
    await check(link, problems);
    out[problems.length === 0 ? "clean" : "told"]++;
    const read = readBundle(hostileBundle(d), IMAGE);
    if (read.bundle === undefined) {
      if (read.problems.length === 0) throw new Error("a bundle was refused without a word");
      out.refused++;
      continue;
    }
    await check(read.bundle.link, read.problems);
    const laid = read.bundle.overlays.reduce((n, o) => n + o.blocks.length * 4096, 0);
    if (laid > BUNDLE_CAPS.overlay) throw new Error(`a bundle brought ${laid} bytes of changes`);
    out[read.problems.length === 0 ? "clean" : "told"]++;
  }
  return out;
}
