// test/image_with.ts — the guest's image with one program more, for tests
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, USERSPACE } from "../../scripts/userspace/compile.ts";
import { makeExt4 } from "../../scripts/userspace/ext4.ts";
import { rootTree } from "../../scripts/userspace/tree.ts";

/** The image with the C program `source` at `path`. */
export function imageWith(path: string, source: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-image-"));
  try {
    const file = join(folder, "image");
    makeExt4(file, [...rootTree(USERSPACE), { path, type: "file", mode: 0o755, content: readFileSync(compile(source)) }], { size: 32 });
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
