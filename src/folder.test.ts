// src/folder.test.ts — the archive made of a folder: headers and padding as ustar has them, long names in a pax record. (e2e/disks.spec.ts has a guest unpack one.)
import { expect, test } from "vitest";
import { tarOf } from "./folder.ts";

test("files, directories, a long name", async () => {
  const long = `${"deep/".repeat(30)}file`;
  const at = { lastModified: 1_700_000_000_000 };
  const tar = new Uint8Array(await tarOf("root.tar", [["bin", undefined], ["bin/sh", new File(["#!x\n"], "sh", at)], [long, new File(["a".repeat(600)], "file", at)]]).arrayBuffer());
  const text = (from: number, length: number): string => new TextDecoder().decode(tar.subarray(from, from + length)).replace(/\0.*/s, "");
  const found: (readonly [string, string, string, number])[] = [];
  let end = 0;
  for (let n = 0; tar[n] !== 0; ) {
    const size = Number.parseInt(text(n + 124, 12), 8);
    const sum = tar.subarray(n, n + 512).reduce((a, b, i) => a + (i >= 148 && i < 156 ? 32 : b), 0);
    expect(Number.parseInt(text(n + 148, 8), 8)).toBe(sum);
    expect(text(n + 257, 6)).toBe("ustar");
    found.push([text(n, 100), text(n + 156, 1), text(n + 512, size), Number.parseInt(text(n + 136, 12), 8)]);
    n += 512 + Math.ceil(size / 512) * 512;
    end = n;
  }
  expect(found).toEqual([
    ["bin/", "5", "", 0],
    ["bin/sh", "0", "#!x\n", 1_700_000_000],
    ["pax", "x", `164 path=${long}\n`, 1_700_000_000],
    [long.slice(0, 100), "0", "a".repeat(600), 1_700_000_000],
  ]);
  // two blocks of zeros end it
  expect(tar.length).toBe(end + 1024);
});
