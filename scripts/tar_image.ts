// scripts/tar_image.ts — a disk image of a tar archive or a directory, made by the project's own ext4 (no root, no mke2fs).
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { BlockDevice, GenDisk } from "../worker/drivers/block/genhd.ts";
import { mkfs, populateFromTar } from "../worker/fs/ext4/mkfs.ts";
import { Ext4FsType, Ext4SuperBlock } from "../worker/fs/ext4/super.ts";
import { MemoryStore } from "../worker/os-node/block.ts";
import { FsKernel } from "../worker/test/fs_kernel.ts";

/** Makes `target` from `source`: twice the room that the archive takes, at least 64 MiB. The same archive gives the same image. */
export function tarToExt4(source: string, target: string): void {
  let tar = new Uint8Array(statSync(source).isDirectory() ? execFileSync("tar", ["cf", "-", "-C", source, "."], { maxBuffer: 2 ** 31 - 1 }) : readFileSync(source));
  if (tar[0] === 0x1f && tar[1] === 0x8b) tar = new Uint8Array(gunzipSync(tar));
  const size = Math.max(64, Math.ceil((tar.length * 2) / (1 << 26)) * 64) << 20;
  const store = new MemoryStore("disk", new Uint8Array(size));
  const dev = new BlockDevice(new GenDisk("ubda", 98, 0, 16, store), 98 * 0x100000, "ubda", 0, 0, size);
  const { kernel } = new FsKernel();
  mkfs(kernel, dev, { uuid: new Uint8Array(createHash("sha256").update(tar).digest().subarray(0, 16)), time: 1_700_000_000 });
  const sb = new Ext4SuperBlock(kernel, new Ext4FsType("ext4"), dev, 0, "");
  const n = populateFromTar(sb, tar);
  sb.put_super();
  writeFileSync(target, store.bytes);
  console.log(`${target}: ${n} entries, ${size >> 20} MiB`);
}
