// fs/ext4/mkfs.test.ts — file systems that we make ourselves: e2fsck is content, and an archive comes out as it went in.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BlockDevice, GenDisk } from "../../drivers/block/genhd.ts";
import { FsKernel } from "../../test/fs_kernel.ts";
import { e2fsck, inTemp, Mounted, RecordingStore } from "../../test/ext4.ts";
import type { Ext4Inode } from "./inode.ts";
import { mkfs, populateFromTar } from "./mkfs.ts";

function make(size: number, blockSize: number): RecordingStore {
  const store = new RecordingStore(new Uint8Array(size));
  const dev = new BlockDevice(new GenDisk("ubda", 98, 0, 16, store), 98 << 20, "ubda", 0, 0, size);
  mkfs(new FsKernel().kernel, dev, { blockSize, uuid: new Uint8Array(16).fill(0x5a), time: 1_700_000_000, label: "made here" });
  return store;
}

describe.each([1024, 4096])("blocks of %s bytes", (bs) => {
  test.each([4, 20, 40])("an empty file system of %s MiB is clean", { timeout: 300_000 }, (mb) => {
    const store = make(mb << 20, bs);
    expect(e2fsck(store.bytes)).toBeUndefined();
    expect(new Mounted(store.bytes).names(new Mounted(store.bytes).root)).toEqual(["lost+found"]);
  });
  test("an archive is unpacked into it", { timeout: 300_000 }, () => {
    inTemp((dir) => {
      const long = "directory-".repeat(9);
      mkdirSync(join(dir, "t", long, long), { recursive: true });
      writeFileSync(join(dir, "t", long, long, "file"), "content\n");
      writeFileSync(join(dir, "t", "big"), Buffer.alloc(300_000, "abc"));
      symlinkSync("big", join(dir, "t", "sym"));
      execFileSync("ln", [join(dir, "t", "big"), join(dir, "t", "hard")]);
      const tar = execFileSync("tar", ["cf", "-", "--format=pax", "--pax-option=SCHILY.xattr.user.note:=of the archive", "-C", join(dir, "t"), "."], { maxBuffer: 1 << 28 });
      const m = new Mounted(make(16 << 20, bs).bytes);
      const steps = populateFromTar(m.sb, new Uint8Array(tar));
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      expect(step.value).toBe(7);
      m.sb.put_super();
      expect(e2fsck(m.store.bytes)).toBeUndefined();
      const again = new Mounted(m.store.bytes);
      expect(Buffer.from(again.content(again.find(`${long}/${long}/file`) as Ext4Inode)).toString()).toBe("content\n");
      expect(Buffer.from(again.content(again.find("hard") as Ext4Inode)).equals(Buffer.alloc(300_000, "abc"))).toBe(true);
      expect(again.find("big")?.i_nlink).toBe(2);
      expect(Buffer.from((again.find("big") as Ext4Inode).getxattr("user.note")).toString()).toBe("of the archive");
      expect(again.find("sym")?.readlink(undefined)).toBe("big");
    });
  });
});
