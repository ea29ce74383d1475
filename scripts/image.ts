// scripts/image.ts — `npm run image`: makes the guest's images; `-- --prove` builds everything again elsewhere and compares; `-- IN OUT` makes one of anything:
//
//   IN    a tar archive (also .gz), a directory, or an ext4 image
//   OUT   NAME.ext4: a disk image; or a folder, such as public/images: chunks, a list of them and an entry in manifest.json, for the page

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { noteImages, publish } from "./userspace/chunks.ts";
import { makeExt4 } from "./userspace/ext4.ts";
import { tarToExt4 } from "./tar_image.ts";
import { buildImages, buildUserspace, IMAGE } from "./userspace/image.ts";
import { buildSnapshot } from "./userspace/snapshot.ts";
import { rootTree } from "./userspace/tree.ts";

/** What the shell's programs need of a kernel that they were not built for is said when the page is told of the image. */
const LINE = "rw mem=256m loglevel=8 nommu.map_fixed=own nommu.fork=shadow init=/sbin/init";

function makeImage(source: string, target: string): void {
  const isExt4 = (path: string): boolean => statSync(path).isFile() && readFileSync(path).readUInt16LE(1024 + 0x38) === 0xef53;
  if (/\.(?:ext4|img)$/.test(target)) return tarToExt4(source, target);
  const folder = mkdtempSync(join(tmpdir(), "pagezero-image-"));
  const name = `${basename(source).replace(/(?:\.tar)?(?:\.gz)?$|\.tgz$|\.ext4$/, "").replaceAll(/[^\w.+-]/g, "_")}.ext4`;
  let image = source;
  if (!isExt4(source)) tarToExt4(source, (image = join(folder, name)));
  mkdirSync(target, { recursive: true });
  const entry = publish(target, image, name, name.replace(/\.ext4$/, ""), `ubd0=${name} ${LINE}`);
  noteImages(target, [entry]);
  rmSync(folder, { recursive: true });
  console.log(`${target}: ${name}, SHA-256 ${entry.sha256.slice(0, 16)}…, ${(entry.gzSize / 1e6).toFixed(1)} MB in chunks`);
}

const [source, target] = process.argv.slice(2).filter((a) => !a.startsWith("--"));
if (source !== undefined && target !== undefined) {
  makeImage(source, target);
  process.exit(0);
}
buildImages();
await buildSnapshot();
if (process.argv.includes("--prove")) {
  const elsewhere = mkdtempSync(join(tmpdir(), "pagezero-proof-"));
  const image = join(elsewhere, "again.ext4");
  makeExt4(image, rootTree(buildUserspace(join(elsewhere, "userspace"))), { size: 64 });
  const [first, second] = [IMAGE, image].map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"));
  rmSync(elsewhere, { recursive: true });
  console.log(`${first}  first build\n${second}  second build, in ${elsewhere}`);
  process.exit(first === second ? 0 : 1);
}
