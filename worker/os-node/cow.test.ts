// os-node/cow.test.ts — the base never changes, the COW file holds what was written, and is refused for another base
import { mkdtempSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CowStore } from "./cow.ts";

function setup() {
  const dir = mkdtempSync(join(tmpdir(), "pagezero-cow-"));
  const base = join(dir, "base");
  const bytes = Uint8Array.from({ length: 64 * 512 }, (_, i) => (i * 7) & 255);
  writeFileSync(base, bytes);
  return { base, bytes, cow: join(dir, "cow") };
}

test("reads and writes of any alignment are those of one disk, across reopening", () => {
  const { base, bytes, cow } = setup();
  const lines: string[] = [];
  const model = bytes.slice();
  let store = new CowStore(cow, base, (l) => lines.push(l));
  let x = 1;
  const rnd = (n: number): number => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) % n;
  for (let i = 0; i < 300; i++) {
    const pos = rnd(bytes.length);
    const len = 1 + rnd(Math.min(2000, bytes.length - pos));
    const data = Uint8Array.from({ length: len }, () => rnd(256));
    store.write(pos, data);
    model.set(data, pos);
    if (i % 50 === 49) {
      store.close();
      store = new CowStore(cow, base, (l) => lines.push(l));
    }
    const back = new Uint8Array(Math.min(3000, bytes.length - pos));
    store.read(pos, back);
    expect(back).toEqual(model.slice(pos, pos + back.length));
  }
  store.close();
  expect(lines).toEqual([`Creating "${cow}" as COW file for "${base}"`]);
  expect(new Uint8Array(readFileSync(base))).toEqual(bytes);
  const head = readFileSync(cow);
  expect([head.readUInt32BE(0).toString(16), head.readUInt32BE(4), head.readUInt32BE(20), head.readUInt32BE(24)]).toEqual(["4f4f4f4d", 3, 512, 4096]);
});

test("a base that changed, and a file that is none, are refused with a sentence", () => {
  const { base, cow } = setup();
  new CowStore(cow, base, () => {}).close();
  utimesSync(base, 1, 1);
  expect(() => new CowStore(cow, base, () => {})).toThrow(/made for another state/);
  writeFileSync(cow, "nonsense");
  expect(() => new CowStore(cow, base, () => {})).toThrow(/not a COW file/);
  expect(() => new CowStore(cow, `${base}x`, () => {})).toThrow(/There is no file/);
});
