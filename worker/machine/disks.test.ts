// machine/disks.test.ts — disks made of archives, and what differs between two states of one
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MemoryStore } from "../lib/memory_store.ts";
import { e2fsck, inTemp, Mounted, ROOT } from "../test/ext4.ts";
import type { Ext4Inode } from "../fs/ext4/inode.ts";
import { diskDiff } from "./disk_diff.ts";
import { tarDisk } from "./tar_disk.ts";

function all<T>(steps: Generator<number, T>): { result: T; steps: number[] } {
  const seen: number[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { result: step.value, steps: seen };
    seen.push(step.value);
  }
}
const archive = (): Uint8Array =>
  inTemp((dir) => {
    const tree = join(dir, "t");
    mkdirSync(join(tree, "etc"), { recursive: true });
    mkdirSync(join(tree, "gone", "deep"), { recursive: true });
    writeFileSync(join(tree, "etc", "name"), "old\n");
    writeFileSync(join(tree, "etc", "same"), "same\n");
    writeFileSync(join(tree, "etc", "mode"), "mode\n");
    writeFileSync(join(tree, "gone", "deep", "file"), "x".repeat(100));
    writeFileSync(join(tree, "large"), Buffer.alloc(3 << 20, "abc"));
    symlinkSync("etc", join(tree, "link"));
    return new Uint8Array(execFileSync("tar", ["cf", "-", "--mtime=@1600000000", "--sort=name", "-C", tree, "."], { maxBuffer: 1 << 26 }));
  });

test("an archive becomes a disk in steps that a person can follow; the same archive becomes the same disk", { timeout: 60_000 }, () => {
  const tar = archive();
  const { result, steps } = all(tarDisk(tar));
  expect(result.entries).toBe(10);
  expect(e2fsck(result.bytes)).toBeUndefined();
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  // a large file is several steps
  expect(steps.length).toBeGreaterThan(result.entries + 1);
  expect(steps.at(-1)).toBeLessThanOrEqual(tar.length);
  expect(Buffer.compare(all(tarDisk(tar)).result.bytes, result.bytes)).toBe(0);
});

test("what is no archive, or is cut short, is refused in words", () => {
  expect(() => all(tarDisk(new Uint8Array(2048).fill(65)))).toThrow("not a tar archive");
  const tar = archive();
  expect(() => all(tarDisk(tar.subarray(0, tar.length >> 1)))).toThrow("cut short");
  // in the middle of a header
  expect(() => all(tarDisk(tar.subarray(0, 700)))).toThrow("cut short at byte 700");
});

test("added, changed and removed files are told with what is different; neither disk is touched", { timeout: 60_000 }, () => {
  const before = new MemoryStore("before", all(tarDisk(archive())).result.bytes);
  const m = new Mounted(before.bytes);
  const at = (path: string): Ext4Inode => m.find(path)!;
  m.write(at("etc/name"), 0, Buffer.from("newer\n"));
  at("etc/mode").setattr({ mode: 0o600 });
  m.unlink(at("gone/deep"), "file");
  const deep = at("gone/deep");
  at("gone").rmdir("deep", deep);
  deep.evict();
  const fresh = m.root.mkdir("fresh", 0o40755, ROOT) as Ext4Inode;
  m.write(fresh.create("file", 0o100644, ROOT) as Ext4Inode, 0, Buffer.from("12345"));
  m.unlink(m.root, "link");
  m.root.mkdir("link", 0o40755, ROOT);
  // not unmounted: its journal is full of all this
  m.sb.commit();
  const after = new MemoryStore("after", m.store.bytes.slice());
  const copies = [before.bytes.slice(), after.bytes.slice()];
  const { result } = all(diskDiff(before, after));
  expect(result.map((c) => `${c.kind} ${c.path} ${c.what} ${c.before} ${c.size}`)).toEqual([
    "changed /etc/mode mode 5 5",
    "changed /etc/name content 4 6",
    "added /fresh/  0 0",
    "added /fresh/file  0 5",
    "removed /gone/deep/  0 0",
    "removed /gone/deep/file  0 100",
    "removed /link  0 3",
    "added /link/  0 0",
  ]);
  expect(Buffer.compare(before.bytes, copies[0]!)).toBe(0);
  expect(Buffer.compare(after.bytes, copies[1]!)).toBe(0);
  expect(all(diskDiff(after, after)).result).toEqual([]);
  expect(() => all(diskDiff(before, new MemoryStore("none", new Uint8Array(1 << 20))))).toThrow("no ext4 file system on this disk");
});
