// scripts/image.ts — `npm run image`: makes the guest's images; `-- --prove` builds everything again elsewhere and compares; `-- IN.tar[.gz]|DIR OUT.ext4` makes a disk of an archive or a directory.

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeExt4 } from "./userspace/ext4.ts";
import { tarToExt4 } from "./tar_image.ts";
import { buildImages, buildUserspace, IMAGE } from "./userspace/image.ts";
import { rootTree } from "./userspace/tree.ts";

const [source, target] = process.argv.slice(2).filter((a) => !a.startsWith("--"));
if (source !== undefined && target !== undefined) {
  tarToExt4(source, target);
  process.exit(0);
}
buildImages();
if (process.argv.includes("--prove")) {
  const elsewhere = mkdtempSync(join(tmpdir(), "pagezero-proof-"));
  const image = join(elsewhere, "again.ext4");
  makeExt4(image, rootTree(buildUserspace(join(elsewhere, "userspace"))), { size: 64 });
  const [first, second] = [IMAGE, image].map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"));
  rmSync(elsewhere, { recursive: true });
  console.log(`${first}  first build\n${second}  second build, in ${elsewhere}`);
  process.exit(first === second ? 0 : 1);
}
