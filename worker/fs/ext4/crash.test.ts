// fs/ext4/crash.test.ts — a machine that dies between any two writes, and a host whose power fails: the image is clean after recovery, and what was synced is complete.
import { describe, expect, test } from "vitest";
import { e2fsck, mke2fs, Mounted, random, ROOT } from "../../test/ext4.ts";
import type { Ext4Inode } from "./inode.ts";

/** points at which the machine dies, per image; CRASH_POINTS for the long version */
const POINTS = Number(process.env["CRASH_POINTS"] ?? 4);

function session(m: Mounted, rnd: (n: number) => number): { at: number; files: Map<string, Uint8Array> }[] {
  const synced: { at: number; files: Map<string, Uint8Array> }[] = [];
  const files = new Map<string, Uint8Array>();
  m.store.record();
  const dirs: Ext4Inode[] = [m.root];
  for (let i = 0; i < 300; i++) {
    const name = `file-${rnd(60)}`;
    const inode = m.root.lookup(name) as Ext4Inode | undefined;
    const op = rnd(12);
    if (op < 6) {
      const f = inode ?? (m.root.create(name, 0o100644, ROOT) as Ext4Inode);
      const old = files.get(name) ?? new Uint8Array(0);
      const pos = rnd(30000);
      const data = Uint8Array.from({ length: 1 + rnd(20000) }, () => rnd(256));
      m.write(f, pos, data);
      const next = new Uint8Array(Math.max(old.length, pos + data.length));
      next.set(old);
      next.set(data, pos);
      files.set(name, next);
    } else if (op < 8 && inode !== undefined) {
      m.unlink(m.root, name);
      files.delete(name);
    } else if (op === 8 && inode !== undefined) {
      const size = rnd(20000);
      inode.setattr({ size });
      const next = new Uint8Array(size);
      next.set((files.get(name) as Uint8Array).subarray(0, size));
      files.set(name, next);
    } else if (op === 9) {
      dirs.push(dirs[rnd(dirs.length)]!.mkdir(`dir-${i}`, 0o40755, ROOT) as Ext4Inode);
    } else if (op === 10) dirs[rnd(dirs.length)]!.symlink(`link-${i}`, "x".repeat(1 + rnd(100)), ROOT);
    if (rnd(20) === 0) {
      m.sb.commit();
      m.sb.bdev.flush();
      synced.push({ at: m.store.writes.length, files: new Map(files) });
    }
  }
  return synced;
}

describe.each([
  ["1 KiB blocks", ["-b", "1024"]],
  ["4 KiB blocks", ["-b", "4096"]],
  ["ext3's block map, no checksums", ["-b", "1024", "-O", "^extent,^metadata_csum,^64bit"]],
])("%s", (_what, args) => {
  test.each(["a process that is killed", "a host whose power fails"])("%s, after any write: clean after recovery, and what was synced is there", { timeout: 300_000 }, (how) => {
    const power = how.includes("power");
    const m = new Mounted(mke2fs("16M", ...args));
    const rnd = random(args.length * 77 + (power ? 1 : 0));
    const synced = session(m, rnd);
    const total = m.store.writes.length;
    for (let i = 0; i < POINTS; i++) {
      const n = rnd(total + 1);
      const image = power ? m.store.powerCut(n, rnd) : m.store.after(n);
      expect(e2fsck(image, true), `e2fsck after write ${n} of ${total}`).toBeUndefined();
      const again = new Mounted(image);
      again.sb.put_super();
      expect(e2fsck(again.store.bytes), `our recovery after write ${n} of ${total}`).toBeUndefined();
      const last = synced.filter((s) => s.at <= n).pop();
      // a file that was not touched after the sync is as it was then
      const next = synced.find((s) => s.at > n)?.files ?? new Map<string, Uint8Array>();
      for (const [name, want] of last?.files ?? []) {
        if (next.get(name) !== want) continue;
        const inode = again.find(name);
        expect(inode, name).toBeDefined();
        expect(Buffer.compare(again.content(inode as Ext4Inode), want), `${name} after write ${n}`).toBe(0);
      }
    }
  });
});
