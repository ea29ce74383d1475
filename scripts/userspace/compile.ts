// scripts/userspace/compile.ts — C programs for the guest, compiled once for each source and set of flags.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { globSync, hashFiles } from "../files.ts";

/** Where musl and its compiler wrapper are: `USERSPACE/bin/musl-gcc-nommu`. */
export const USERSPACE = ".cache/userspace";
const OUT = ".cache/guest";

/** Compiles `source` against the guest's musl unless that has been done; returns the result's path. @throws Error with gcc's words */
export function compile(source: string, ...flags: string[]): string {
  return compileWith(USERSPACE, source, flags);
}

/** The same with the user space in `place`, and with `libraries` (files) to link. */
export function compileWith(place: string, source: string, flags: readonly string[], libraries: readonly string[] = []): string {
  const folder = dirname(source);
  const args = ["-std=gnu11", "-O1", "-w", "-fno-asynchronous-unwind-tables", `-ffile-prefix-map=${process.cwd()}/=`, ...flags];
  const headers = globSync([folder], /\.h$/);
  const stamp = hashFiles([source, ...headers, ...libraries, join(place, "nommu.specs")], ...args.filter((arg) => !arg.includes(process.cwd()))).slice(0, 20);
  const binary = join(OUT, `${basename(source, ".c")}-${stamp}`);
  if (existsSync(binary)) return binary;
  mkdirSync(OUT, { recursive: true });
  const part = `${binary}.${process.pid}.part`;
  const done = spawnSync(join(place, "bin/musl-gcc-nommu"), [...args, "-I", folder, "-o", part, source, ...libraries, "-lm"], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${source} does not compile:\n${done.error?.message ?? ""}${done.stderr}`);
  renameSync(part, binary);
  return binary;
}
