// link/hostile.test.ts — links and bundles that mean harm: within the caps, told in words, never thrown; and nothing but the scratch disk is written
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { fromLink, runHeadless } from "../../scripts/headless.ts";
import { IMAGE } from "../test/boot.ts";
import { hostile } from "../test/hostile_links.ts";
import { BLOCK_SIZE, readBundle, writeBundle } from "./bundle.ts";
import { defaultLink } from "./fields.ts";

test("made by rules and damaged at random (`npm run hostile` does it longer)", async () => {
  const { clean, told, refused } = await hostile(300, 6);
  expect(clean + told + refused).toBe(600);
  // the fuzzer reaches all three
  for (const n of [clean, told, refused]) expect(n).toBeGreaterThan(10);
});

test("a wrong CRC, a name that is there twice and a count that is too large are told", () => {
  const files = { "boot.json": strToU8(JSON.stringify(defaultLink("nommu.ext4"))), "notes.md": strToU8("notes") };
  const zip = (): { bytes: Uint8Array; v: DataView; directory: number } => {
    const bytes = zipSync(files, { level: 0 });
    const v = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return { bytes, v, directory: v.getUint32(bytes.length - 6, true) };
  };
  const said = (bytes: Uint8Array): string => readBundle(bytes, "nommu.ext4").problems.map((p) => `${p.key}: ${p.text}`).join("\n");
  const crc = zip();
  crc.v.setUint32(crc.directory + 16, 1, true);
  expect(said(crc.bytes)).toMatch(/^boot\.json: this file is damaged: its CRC-32/);
  const renamed = zipSync({ "boot.json": files["boot.json"], "boot.jsoN": strToU8("x") }, { level: 0 });
  const text = Buffer.from(renamed).toString("latin1");
  expect(said(Uint8Array.from(Buffer.from(text.replaceAll("boot.jsoN", "boot.json"), "latin1")))).toMatch(/boot\.json: this file is there twice/);
  const many = zip();
  many.v.setUint16(many.bytes.length - 12, 65535, true);
  expect(said(many.bytes)).toMatch(/it has 65535 files; 1000 are allowed/);
});

test("a bundle writes to its scratch disk and nowhere else", async () => {
  const state = (): string => [IMAGE, ...[".", ".cache/images", "worker/link/fixtures"].flatMap((d) => readdirSync(d).map((f) => `${d}/${f}`))].map((f) => `${f} ${statSync(f).isFile() ? `${statSync(f).mtimeMs} ${statSync(f).size}` : ""}`).join("\n") + createHash("sha256").update(readFileSync(IMAGE)).digest("hex");
  const before = state();
  const link = { ...defaultLink("nommu.ext4"), mem: 32, append: "quiet", extra: { files: [{ path: "/root/x", text: "x" }], input: [{ at: 10_000_000, text: "cat /root/x > /root/y; sync; poweroff -f\n" }] } };
  // a block that is there, changed to what it is: the superblock's
  const block = new Uint8Array(readFileSync(IMAGE).subarray(0, BLOCK_SIZE));
  const { bundle } = readBundle(writeBundle({ link, overlays: [{ disk: "nommu.ext4", blocks: [[0, block]] }] }), "nommu.ext4");
  await runHeadless(bundle!, { image: IMAGE, jit: true });
  for (const overlays of [[{ disk: "../../etc/passwd", blocks: [] }], [{ disk: "other.ext4", blocks: [[0, block] as const] }], [{ disk: "nommu.ext4", blocks: [[2 ** 32 - 1, block] as const] }]])
    await expect(runHeadless({ ...bundle!, overlays }, { image: IMAGE, jit: true })).rejects.toThrow(/^The bundle (has changes to a disk|changes block)/);
  await expect(runHeadless((await fromLink("#/?b=1&i=nommu.ext4&c=ubd0%3D%2Fetc%2Fpasswd%20rw%20mem%3D32m")).bundle, { image: IMAGE, jit: true })).resolves.toBeDefined();
  expect(state()).toBe(before);
});
