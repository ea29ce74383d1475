// scripts/userspace/ext4.test.ts — images are what e2fsck calls clean, hold what they were given, and are the same each time.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Entry, makeExt4 } from "./ext4.ts";

const folder = mkdtempSync(join(tmpdir(), "pagezero-ext4-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const debugfs = (image: string, command: string): string => execFileSync("/usr/sbin/debugfs", ["-R", command, image], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

const entries: readonly Entry[] = [
  { path: "/a/b/name with spaces", type: "file", mode: 0o640, content: "hello\n", uid: 3, gid: 4 },
  { path: "/big", type: "file", mode: 0o755, content: new Uint8Array(300_000).fill(7) },
  { path: "/link", type: "link", target: "a/b" },
  { path: "/null", type: "char", mode: 0o666, major: 1, minor: 3 },
  ...Array.from({ length: 300 }, (_, i): Entry => ({ path: `/many/file-${i}`, type: "file", mode: 0o644, content: `${i}` })),
];

test.each([1024, 4096])("an image with blocks of %d bytes has what was put in, and is the same when it is made again", (blockSize) => {
  const image = join(folder, `${blockSize}.ext4`);
  makeExt4(image, entries, { size: 16, blockSize });
  expect(debugfs(image, 'cat "/a/b/name with spaces"')).toBe("hello\n");
  expect(debugfs(image, 'stat "/a/b/name with spaces"')).toMatch(/Type: regular\s+Mode:\s+0640[\s\S]*User:\s+3\s+Group:\s+4/);
  expect(debugfs(image, "stat /link")).toContain('Fast link dest: "a/b"');
  expect(debugfs(image, "stat /null")).toContain("Type: character special");
  expect(debugfs(image, "cat /many/file-299")).toBe("299");
  expect(execFileSync("/usr/sbin/debugfs", ["-R", "cat /big", image], { stdio: ["ignore", "pipe", "ignore"] }).every((b) => b === 7)).toBe(true);
  const first = readFileSync(image);
  makeExt4(image, entries, { size: 16, blockSize });
  expect(readFileSync(image).equals(first)).toBe(true);
});

test("what does not fit is refused with the tool's words, and leaves no image", () => {
  const image = join(folder, "full.ext4");
  expect(() => makeExt4(image, [{ path: "/f", type: "file", mode: 0o644, content: new Uint8Array(6 << 20).fill(1) }], { size: 4 })).toThrow(/debugfs|space/);
  expect(() => readFileSync(image)).toThrow(/ENOENT/);
});
