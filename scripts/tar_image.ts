// scripts/tar_image.ts — a disk image of a tar archive or a directory, made by the project's own ext4 (no root, no mke2fs).
import { execFileSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { tarDisk } from "../worker/machine/tar_disk.ts";

/** Makes `target` from `source`. The same archive gives the same image. */
export function tarToExt4(source: string, target: string): void {
  let tar = new Uint8Array(statSync(source).isDirectory() ? execFileSync("tar", ["cf", "-", "-C", source, "."], { maxBuffer: 2 ** 31 - 1 }) : readFileSync(source));
  if (tar[0] === 0x1f && tar[1] === 0x8b) tar = new Uint8Array(gunzipSync(tar));
  const steps = tarDisk(tar);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const { bytes, entries } = step.value;
  writeFileSync(target, bytes);
  console.log(`${target}: ${entries} entries, ${bytes.length >> 20} MiB`);
}
