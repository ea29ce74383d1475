// scripts/setup.ts — what the machine must have before pagezero builds, runs or is tested: Debian packages and the guest's image.
//
// Quick when nothing is to do. What can't be had is said in one sentence, and how to get it in one line.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { snapshotCurrent } from "./engine.ts";
import { buildImages, imagesCurrent } from "./userspace/image.ts";

/** Something a Debian package provides: a program on the path, or a file. */
interface Need {
  readonly what: string;
  readonly debian: string;
}

const BUILD: readonly Need[] = [
  { what: "gcc", debian: "gcc" },
  { what: "make", debian: "make" },
  { what: "/usr/include/stdlib.h", debian: "libc6-dev" },
  { what: "/usr/include/linux/types.h", debian: "linux-libc-dev" },
  { what: "dpkg-source", debian: "dpkg-dev" },
  { what: "patch", debian: "patch" },
  { what: "xz", debian: "xz-utils" },
  { what: "bzip2", debian: "bzip2" },
  { what: "mke2fs", debian: "e2fsprogs" },
];
const TEST: readonly Need[] = [...BUILD, { what: "/usr/bin/chromium", debian: "chromium" }];

const say = (text: string): void => console.log(`setup: ${text}`);

function there(what: string): boolean {
  if (what.startsWith("/")) return existsSync(what);
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, what)));
}

function attempts(program: string, ...args: string[]): boolean {
  for (let attempt = 1; attempt <= 3; attempt++) {
    say(`${program} ${args.join(" ")}${attempt > 1 ? ` (attempt ${attempt} of 3)` : ""}`);
    const { status } = spawnSync(program, args, { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    if (status === 0) return true;
    spawnSync("sleep", [String(2 * attempt)]);
  }
  return false;
}

/** Installs the missing packages. Returns a sentence saying what is missing, or undefined when all is there. */
function packages(needs: readonly Need[]): string | undefined {
  const missing = needs.filter((need) => !there(need.what));
  if (missing.length === 0) return undefined;
  const names = [...new Set(missing.map((need) => need.debian))];
  if (!there("apt-get")) return `missing: ${missing.map((need) => need.what).join(", ")}. This is no Debian, so please install what provides them (Debian's packages: ${names.join(" ")}).`;
  if (process.getuid?.() !== 0) return `missing: ${missing.map((need) => need.what).join(", ")}. Please type:\n\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(" ")}\n`;
  if (attempts("apt-get", "-q", "update") && attempts("apt-get", "-q", "install", "-y", "--no-install-recommends", ...names)) return undefined;
  return `apt-get could not install ${names.join(" ")}; what it said stands above.`;
}

/** The snapshot that a visit begins with; without it the page boots. */
function snapshot(): void {
  if (snapshotCurrent()) return;
  const { status } = spawnSync("node_modules/.bin/tsx", ["scripts/userspace/snapshot.ts"], { stdio: "inherit" });
  if (status !== 0) say("there is no snapshot of the machine at its prompt; the page will boot instead.");
}

/**
 * Sets the machine up for `use`. Returns whether all is there; if not, it has said what is missing.
 * To run, an image is enough; the tests also compile guest programs, check file systems and need a browser.
 */
export function setup(use: "run" | "test"): boolean {
  const images = imagesCurrent();
  if (use === "run" && images) {
    snapshot();
    return true;
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    say(`the guest's image is built on Linux on x86-64, and this is ${process.platform} on ${process.arch}. The page will ask for an image file.`);
    return false;
  }
  const missing = packages(use === "test" ? TEST : BUILD);
  if (missing !== undefined) {
    say(missing);
    if (use === "run" && !images) say("until then there is no guest image. The page will ask for an image file.");
    return false;
  }
  try {
    buildImages();
    snapshot();
    return true;
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}. Without it the page will ask for an image file.`);
    return false;
  }
}
