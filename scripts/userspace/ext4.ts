// scripts/userspace/ext4.ts — makes an ext4 image from a list of entries; the same list gives the same bytes anywhere.
//
// mke2fs makes the empty file system, debugfs fills it. Unlike `mke2fs -d` this needs no root, and it depends neither on
// the order in which a host directory happens to list its names nor on the change times of the host's files.

import { spawnSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export type Entry =
  | { readonly path: string; readonly type: "dir"; readonly mode: number; readonly uid?: number; readonly gid?: number }
  | { readonly path: string; readonly type: "file"; readonly mode: number; readonly content: Uint8Array | string; readonly uid?: number; readonly gid?: number }
  | { readonly path: string; readonly type: "link"; readonly target: string }
  | { readonly path: string; readonly type: "char" | "block"; readonly mode: number; readonly major: number; readonly minor: number };

export interface ImageOptions {
  /** Size of the image in MiB. */
  readonly size: number;
  /** Bytes per block; mke2fs chooses when it is not given: 1024 below 512 MiB, 4096 above. */
  readonly blockSize?: number;
  readonly label?: string;
  /** More arguments for mke2fs, for example ["-O", "^has_journal"]. */
  readonly features?: readonly string[];
}

/** The time of every file in an image, and its identifiers: fixed, so that images can be compared. */
const TIME = 1700000000;
const UUID = "6e6f6d6d-7500-4000-8000-706167657a65";
const HASH_SEED = "7a65726f-0000-4000-8000-6e6f6d6d7565";

const FORMAT: Record<Entry["type"], number> = { dir: 0o040000, file: 0o100000, link: 0o120000, char: 0o020000, block: 0o060000 };

function tool(program: string, args: readonly string[], input?: string): string {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const done = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: 1 << 28, env: { ...process.env, PATH: path, LC_ALL: "C", TZ: "UTC", E2FSPROGS_FAKE_TIME: String(TIME), MKE2FS_SKIP_PROGRESS: "1" } });
  if (done.error) throw new Error(`${program}: ${done.error.message}`);
  if (done.status !== 0) throw new Error(`${program} ${args.join(" ")}: status ${done.status}\n${done.stderr}${done.stdout}`);
  return done.stderr;
}

const quote = (name: string): string => {
  if (/["\n\\]/.test(name)) throw new Error(`debugfs cannot take the name ${JSON.stringify(name)}`);
  return `"${name}"`;
};

/**
 * Writes an ext4 image with Debian mke2fs's default features.
 *
 * Parents that are not listed are made (mode 0755). The result appears at `image` when it is complete.
 * @throws Error with the tool's words when mke2fs or debugfs fails, or the entries do not fit
 */
export function makeExt4(image: string, entries: readonly Entry[], options: ImageOptions): void {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    for (let parent = dirname(entry.path); parent !== "/" && !all.has(parent); parent = dirname(parent)) all.set(parent, { path: parent, type: "dir", mode: 0o755 });
    all.set(entry.path, entry);
  }
  const work = mkdtempSync(join(tmpdir(), "pagezero-image-"));
  const part = `${image}.part`;
  try {
    rmSync(part, { force: true });
    const block = options.blockSize === undefined ? [] : ["-b", String(options.blockSize)];
    tool("mke2fs", ["-q", "-F", "-t", "ext4", ...block, "-U", UUID, "-E", `hash_seed=${HASH_SEED},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0`, "-L", options.label ?? "nommu-root", ...(options.features ?? []), part, `${options.size}M`]);
    const commands: string[] = [];
    let file = 0;
    for (const entry of [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const folder = dirname(entry.path);
      const name = quote(entry.path.slice(entry.path.lastIndexOf("/") + 1));
      commands.push(`cd ${quote(folder)}`);
      if (entry.type === "dir") commands.push(`mkdir ${name}`);
      else if (entry.type === "link") commands.push(`symlink ${name} ${quote(entry.target)}`);
      else if (entry.type === "file") {
        const source = join(work, `f${file++}`);
        writeFileSync(source, entry.content);
        commands.push(`write ${source} ${name}`);
      } else commands.push(`mknod ${name} ${entry.type === "char" ? "c" : "b"} ${entry.major} ${entry.minor}`);
      const mode = FORMAT[entry.type] | (entry.type === "link" ? 0o777 : entry.mode);
      commands.push(`sif ${name} mode 0${mode.toString(8)}`);
      commands.push(`sif ${name} uid ${"uid" in entry ? (entry.uid ?? 0) : 0}`, `sif ${name} gid ${"gid" in entry ? (entry.gid ?? 0) : 0}`);
      for (const field of ["atime", "mtime", "ctime", "crtime"]) commands.push(`sif ${name} ${field} @${TIME}`, `sif ${name} ${field}_extra 0`);
      commands.push(`sif ${name} generation 0`);
    }
    const script = join(work, "commands");
    writeFileSync(script, `${commands.join("\n")}\n`);
    const said = tool("debugfs", ["-w", "-f", script, part])
      .split("\n")
      .filter((line) => line !== "" && !/^debugfs \d/.test(line));
    if (said.length > 0) throw new Error(`debugfs: ${said.slice(0, 10).join("\n")}`);
    tool("e2fsck", ["-fn", part]);
    renameSync(part, image);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(part, { force: true });
  }
}
