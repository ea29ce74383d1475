// link/bundle.test.ts — a bundle comes back as it was, whatever is wrong in one is told, and nothing in it can harm
import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { type Bundle, BLOCK_SIZE, readBundle, writeBundle } from "./bundle.ts";
import { fromLinkEvents, toLinkEvents } from "./events.ts";
import { defaultLink } from "./fields.ts";
import { commandLine, fromCommandLine } from "./recipe.ts";

const bundle: Bundle = {
  link: {
    ...defaultLink("nommu.ext4"),
    image: { name: "nommu.ext4", hash: "ab".repeat(32) },
    mem: 64, seed: "42", append: "zpoline=lazy", at: 5_000_000, ns: 7, title: "für alle", fingerprint: "0123456789abcdef",
    extra: { command: "ls", input: [{ at: 3, ns: 5, text: "ls\n" }, { at: 9, ns: 10, hex: "ff" }, { at: 9, ns: 10, size: [80, 24] }], notes: "# Notes\n", files: [{ path: "/tmp/a", text: "b" }] },
  },
  overlays: [{ disk: "nommu.ext4", blocks: [[7, new Uint8Array(BLOCK_SIZE).fill(1)], [2 ** 20, new Uint8Array(BLOCK_SIZE).fill(2)]] }],
};
const read = (bytes: Uint8Array) => readBundle(bytes, "nommu.ext4");

test("what is written is what is read, and the same bundle is the same bytes", () => {
  const bytes = writeBundle(bundle);
  expect(read(bytes)).toEqual({ bundle, problems: [] });
  expect(writeBundle(read(bytes).bundle!)).toEqual(bytes);
});

test("wrong fields are told by name, and the rest is used", () => {
  const boot = { ...bundle.link, mem: 99_999, fingerprint: "xyz", clock: "now", title: "ok", extra: { command: 7, notes: "n" } };
  const { bundle: got, problems } = read(zipSync({ "boot.json": strToU8(JSON.stringify(boot)), "input.jsonl": strToU8('{"at":5,"text":"a"}\n{"at":4,"text":"b"}\n'), "../evil": strToU8("x") }));
  expect(problems.map((p) => p.key).sort()).toEqual(["../evil", "extra", "fp", "input.jsonl", "m", "t"]);
  expect([got!.link.title, got!.link.mem, got!.link.extra]).toEqual(["ok", 256, { notes: "n" }]);
});

test("what is no bundle is said to be none", () => {
  for (const bytes of [new Uint8Array(0), strToU8("hello"), zipSync({ a: strToU8("b") }), zipSync({ "boot.json": strToU8("{") })]) {
    const { bundle: got, problems } = read(bytes);
    expect(got).toBeUndefined();
    expect(problems.length).toBeGreaterThan(0);
  }
});

test("a file that unpacks to more than it may is not unpacked", () => {
  const bomb = zipSync({ "boot.json": strToU8(JSON.stringify(bundle.link)), "notes.md": new Uint8Array(64 << 20) }, { level: 9 });
  expect(read(bomb).problems[0]!.text).toMatch(/67108864 bytes unpacked/);
  // the same, with headers that lie about the size
  const view = new DataView(bomb.buffer, bomb.byteOffset, bomb.length);
  for (let i = 0; i + 4 < bomb.length; i++) if (view.getUint32(i, true) === 64 << 20) view.setUint32(i, 100, true);
  const lied = read(bomb);
  expect(lied.bundle?.link.extra.notes?.length ?? 0).toBeLessThan(1 << 20);
});

test("random damage never throws", () => {
  const bytes = writeBundle(bundle);
  let x = 99;
  const rnd = (n: number): number => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) % n;
  for (let i = 0; i < 2000; i++) {
    const broken = bytes.slice(0, i % 3 === 0 ? rnd(bytes.length) : bytes.length);
    for (let k = rnd(8); k > 0 && broken.length > 0; k--) broken[rnd(broken.length)] = rnd(256);
    read(broken);
  }
  // damage that a checksum would hide behind: in the JSON itself
  const json = JSON.stringify(bundle.link);
  for (let i = 0; i < 1000; i++) {
    const chars = [...json];
    for (let k = rnd(4) + 1; k > 0; k--) chars[rnd(chars.length)] = '{}[]":,0-9ae\\n'[rnd(14)]!;
    read(zipSync({ "boot.json": strToU8(chars.join("")) }, { level: 0 }));
  }
});

test("events come back as the machine had them; a command line is taken apart and put together", () => {
  const log = [{ at: 1, ns: 2, line: 0, bytes: Uint8Array.of(0x6c, 0xc3, 0xbc, 10) }, { at: 1, ns: 2, line: 3, bytes: Uint8Array.of(0xff, 0xfe) }, { at: 4, ns: 4, line: 0, size: { cols: 80, rows: 24 } }, { at: 5, ns: 6, clock: 99 }, { at: 6, ns: 7, poke: { address: 0x5000, bytes: Uint8Array.of(0, 65) } }];
  expect(fromLinkEvents(toLinkEvents(log))).toEqual(log);
  const usual = "ubd0=a.ext4 rw mem=256m loglevel=8 init=/sbin/init";
  const lines = [usual, `${usual} seed=abc`, `${usual} seed=7 zpoline=lazy quiet`, `${usual} zpoline=0`, "ubd0=a.ext4 mem=64m", `${usual} seed=0`, `${usual}  x`, usual.replace("256", "4096")];
  for (const line of lines) expect(commandLine({ ...defaultLink("a.ext4"), ...fromCommandLine(line, "a.ext4") })).toBe(line);
  expect(fromCommandLine(`${usual} seed=7 zpoline=lazy quiet`, "a.ext4")).toEqual({ mem: 256, seed: "7", append: "zpoline=lazy quiet", line: undefined });
});
