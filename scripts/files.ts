// scripts/files.ts — listing and hashing source files.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** All files under `folders` whose path matches, sorted, with `/` between components. */
export function globSync(folders: readonly string[], pattern: RegExp): string[] {
  const found: string[] = [];
  for (const folder of folders)
    if (existsSync(folder))
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
        if (entry.isFile()) {
          const path = join(entry.parentPath, entry.name);
          if (pattern.test(path)) found.push(path);
        }
  return found.sort();
}

/** sha256 over names and contents of files. */
export function hashFiles(paths: readonly string[], ...more: string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const bytes = readFileSync(path);
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  for (const text of more) hash.update(`\0${text}`);
  return hash.digest("hex");
}
