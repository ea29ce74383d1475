// scripts/userspace/image.ts — the guest's user space and its disk images, made when they are missing or out of date.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { globSync, hashFiles } from "../files.ts";
import { USERSPACE } from "./compile.ts";
import { noteImages, publish, writeWhole } from "./chunks.ts";
import { makeExt4 } from "./ext4.ts";
import { rootTree } from "./tree.ts";

/** The images for Node; the first is the one that the page boots. */
export const IMAGE = ".cache/images/nommu.ext4";
export const IMAGE_4K = ".cache/images/nommu-4k.ext4";

const PUBLIC = "public/images";
const BUILD = "scripts/userspace/build.sh";
const STAMP = ".cache/images/stamp";

const say = (text: string): void => console.log(`setup: ${text}`);

/** A folder of the user's own for what is worth sharing between clones; .cache where there is none. */
function sharedCache(): string {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "pagezero");
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    mkdirSync(".cache/shared", { recursive: true });
    return join(process.cwd(), ".cache/shared");
  }
}

function point(link: string, target: string): void {
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === target) return;
  rmSync(link, { recursive: true, force: true });
  symlinkSync(target, link);
}

/**
 * Builds musl and busybox unless that has been done by this build.sh, and makes `.cache/userspace` point to them.
 * `fresh` builds in a new place instead (to prove that the place does not matter) and returns it.
 */
export function buildUserspace(fresh?: string): string {
  const shared = sharedCache();
  const wanted = hashFiles([BUILD]).slice(0, 16);
  const place = fresh ?? join(shared, `userspace-${wanted}`);
  mkdirSync(".cache", { recursive: true });
  if (fresh !== undefined || !existsSync(join(place, "out/busybox.links"))) {
    const { status } = spawnSync("bash", [BUILD, place, join(shared, "sources")], { stdio: "inherit" });
    if (status !== 0) throw new Error("the guest's user space could not be built");
  }
  if (fresh === undefined) point(USERSPACE, place);
  return place;
}

const sources = (): string => hashFiles(globSync(["scripts/userspace", "scripts/bench/guest"], /./).filter((path) => !path.endsWith(".test.ts")));

/** Is the image for Node the one that was published? A machine that was started on it with `rw` has changed it. */
function unchanged(): boolean {
  const list = JSON.parse(readFileSync(join(PUBLIC, "manifest.json"), "utf8")) as { sha256: string }[];
  return createHash("sha256").update(readFileSync(IMAGE)).digest("hex") === list[0]?.sha256;
}

/** Whether the images are there, made from the files as they are. */
export function imagesCurrent(): boolean {
  const outputs = [IMAGE, IMAGE_4K, join(PUBLIC, "manifest.json"), join(PUBLIC, "nommu.ext4.chunks.json"), join(USERSPACE, "out/busybox.links")];
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === sources() && outputs.every((path) => existsSync(path)) && unchanged();
}

/** Makes the images unless they are current. @throws Error when the user space can't be built */
export function buildImages(): void {
  if (imagesCurrent()) return;
  buildUserspace();
  say("making the disk images");
  mkdirSync(".cache/images", { recursive: true });
  mkdirSync(PUBLIC, { recursive: true });
  const tree = rootTree(USERSPACE);
  makeExt4(IMAGE, tree, { size: 64 });
  makeExt4(IMAGE_4K, tree, { size: 64, blockSize: 4096 });
  const manifest = [publish(PUBLIC, IMAGE, "nommu.ext4", "musl and busybox, laid out like Alpine", "ubd0=nommu.ext4 rw mem=256m loglevel=8 init=/sbin/init")];
  rmSync(join(PUBLIC, "nommu.ext4.gz"), { force: true });
  noteImages(PUBLIC, manifest);
  writeWhole(STAMP, sources());
  say(`images made: ${manifest.map((m) => `${m.name} sha256 ${m.sha256.slice(0, 16)}…, ${(m.gzSize / 1e6).toFixed(1)} MB to download`).join("; ")}`);
}
