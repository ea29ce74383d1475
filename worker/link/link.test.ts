// link/link.test.ts — what is written is what is read, and nothing that is read can harm
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import type { BootLink } from "../protocol/link.ts";
import { defaultLink } from "./fields.ts";
import { formatLink, isBootLink, lengthAdvice, parseLink } from "./link.ts";
import { fromBase64url, toBase64url } from "./base64.ts";
import type { Codec } from "./pack.ts";

const codec: Codec = {
  deflate: async (b) => deflateRawSync(b),
  inflate: async (b, limit) => inflateRawSync(b, { maxOutputLength: limit }),
};
const parse = (s: string) => parseLink(s, "nommu", codec);

const everything: BootLink = {
  ...defaultLink("nommu"),
  screen: "memory",
  image: { name: "alpine-3.20", hash: "7f3a9c0b5d2e" },
  engine: "0.4.2~91be",
  mem: 128,
  seed: "42",
  clock: 1_600_000_000,
  append: "zpoline=lazy loglevel=8",
  at: 41_203_118,
  ns: 999_888_777_666,
  title: "Where getpid lands — für alle",
  fingerprint: "3f9a21c700000000",
  source: { url: "https://example.org/a/b.ext4", hash: "ab".repeat(32), size: 12_345_678 },
  line: "ubd0=x rw mem=7m",
  extra: { command: "getpid\n", input: [{ at: 5, text: "ls\n" }, { at: 9, ns: 77, line: 1, text: "ü" }, { at: 9, ns: 78, hex: "ff00" }, { at: 10, size: [80, 24] }, { at: 10, clock: 5 }], files: [{ path: "/tmp/a", text: "x&y=z" }], notes: "n" },
  unknown: [["future", "a b&c"]],
};

test("what is written is what is read, unknown keys included", async () => {
  const text = await formatLink(everything, codec);
  const { link, problems } = await parse(text);
  expect(problems).toEqual([]);
  expect(link).toEqual(everything);
  expect(await formatLink(link, codec)).toBe(text);
});

test("defaults are left out, so that a plain link is short and readable", async () => {
  expect(await formatLink(defaultLink("nommu"), codec)).toBe("#/?b=1&i=nommu");
  expect((await parse("#/?b=1&i=nommu")).link).toEqual(defaultLink("nommu"));
});

test("each bad value is told by its key, and the rest is used", async () => {
  const { link, problems } = await parse("#/?b=7&i=../etc&m=9999&s=xyz&t=-1&a=ok&at=1e3&fp=12&src=ftp://x&n=fine&m=32&x=1.***&%zz=1");
  expect(problems.map((p) => p.key)).toEqual(["b", "i", "m", "s", "t", "at", "fp", "src", "m", "x", "%zz=1"]);
  for (const p of problems) expect(p.text).toMatch(/^[a-z].{20,}/);
  expect([link.append, link.title, link.mem]).toEqual(["ok", "fine", 256]);
});

test("a packed part cannot unpack to more than its cap, nor smuggle paths, huge or unordered input", async () => {
  const pack = (v: unknown) => `#/?b=1&x=1.${toBase64url(deflateRawSync(Buffer.from(JSON.stringify(v))))}`;
  expect((await parse(pack({ notes: "a".repeat(2 << 20) }))).problems[0]!.text).toMatch(/1 MiB/);
  expect((await parse(pack({ files: [{ path: "/a/../../b", text: "" }] }))).link.extra).toEqual({});
  expect((await parse(pack({ input: [{ at: 5, text: "a" }, { at: 4, text: "b" }] }))).link.extra).toEqual({});
  for (const e of [{ at: -1, text: "a" }, { at: 1 }, { at: 1, text: "a", hex: "00" }, { at: 1, text: "\ud800" }, { at: 1, hex: "0" }, { at: 1, size: [0, 1] }, { at: 1, line: 16, text: "a" }, null, 7])
    expect((await parse(pack({ input: [e] }))).link.extra).toEqual({});
  expect((await parse(pack([1]))).problems).toHaveLength(1);
});

test("random damage never throws", async () => {
  const text = await formatLink(everything, codec);
  let x = 12345;
  const rnd = (n: number): number => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) % n;
  for (let i = 0; i < 2000; i++) {
    const chars = [...text];
    for (let k = rnd(6) + 1; k > 0; k--) chars[rnd(chars.length)] = String.fromCharCode(rnd(0x180));
    await parse(chars.slice(0, rnd(chars.length)).join(""));
  }
});

test("base64url of every length comes back", () => {
  for (let n = 0; n < 40; n++) {
    const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37 + n) & 255);
    expect(fromBase64url(toBase64url(bytes))).toEqual(bytes);
  }
  expect(fromBase64url("a")).toBeUndefined();
});

test("a screen's address is no boot link; advice follows the length", () => {
  expect(isBootLink("#/memory")).toBe(false);
  expect(isBootLink("#/?b=1")).toBe(true);
  expect([100, 1000, 5000, 9000].map(lengthAdvice)).toEqual(["fits anywhere", "fits chat", "fits mail and notes", "too long for most places: use a file"]);
});
