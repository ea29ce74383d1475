// worker/test/asm.ts — assembles a few lines with the host's `as`, for tests of the CPU. What was assembled once is kept in .cache/asm.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Machine code of AT&T-syntax `source`, linked to run at `address`. */
export function assemble(source: string, address = 0x100000): Uint8Array {
  const cache = join(import.meta.dirname, "../../.cache/asm");
  const name = createHash("sha256").update(`${address}\n${source}`).digest("hex").slice(0, 24);
  const at = join(cache, name);
  if (!existsSync(at)) {
    mkdirSync(cache, { recursive: true });
    const dir = mkdtempSync(join(cache, "tmp-"));
    writeFileSync(join(dir, "a.s"), `${source}\n`);
    execFileSync("as", ["--64", "-o", join(dir, "a.o"), join(dir, "a.s")]);
    execFileSync("ld", ["-Ttext", `0x${address.toString(16)}`, "--oformat", "binary", "-o", join(dir, "a.bin"), "-e", "0", join(dir, "a.o")]);
    renameSync(join(dir, "a.bin"), at);
    rmSync(dir, { recursive: true });
  }
  return new Uint8Array(readFileSync(at));
}
