// scripts/suite/applets.ts — command lines for busybox, run in a guest and on a host with the same programs; `npx tsx scripts/suite/applets.ts` records what the host says.
//
// The lines are scripts/suite/applets.txt, the recording applets.expected.txt beside it. The host's run is in a chroot with namespaces of its own, so that nothing outside
// it is seen or touched; it needs root.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Entry, makeExt4 } from "../userspace/ext4.ts";
import { USERSPACE } from "../userspace/compile.ts";
import { rootTree } from "../userspace/tree.ts";

const LINES = "scripts/suite/applets.txt";
export const APPLETS_EXPECTED = "scripts/suite/applets.expected.txt";

/** The lines of the list that match. */
export const appletLines = (which: RegExp): string[] => readFileSync(LINES, "utf8").split("\n").filter((l) => l !== "" && !l.startsWith("#") && which.test(l));

function entries(which: RegExp): Entry[] {
  const file = (path: string, from: string, mode: number): Entry => ({ path, type: "file", mode, content: readFileSync(from) });
  return [...rootTree(USERSPACE), file("/suite/init", "scripts/suite/applets.init", 0o755), { path: "/suite/applets.txt", type: "file", mode: 0o644, content: `${appletLines(which).join("\n")}\n` }];
}
/** A disk whose /suite/init runs the lines that match, and halts. */
export function appletsImage(which = /^/): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-applets-"));
  try {
    makeExt4(join(folder, "image"), entries(which), { size: 64, blockSize: 4096 });
    return new Uint8Array(readFileSync(join(folder, "image")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was said, by line, in order; without what a boot prints before. The last one is "end" if all were run. */
export function parseApplets(text: string): Map<string, string> {
  const said = new Map<string, string>();
  for (const part of text.replaceAll("\r", "").split(/^=== /m).slice(1)) {
    const eol = part.indexOf("\n");
    const line = part.slice(0, eol);
    said.set(line, line === "end" ? "" : part.slice(eol + 1));
  }
  return said;
}

/** The same on this host. */
function runOnHost(): string {
  const root = mkdtempSync(join(tmpdir(), "pagezero-applets-"));
  chmodSync(root, 0o755);
  try {
    for (const e of entries(/^/)) {
      const path = join(root, e.path);
      mkdirSync(dirname(path), { recursive: true });
      if ("major" in e) continue;
      if ("target" in e) {
        symlinkSync(e.target, path);
        continue;
      }
      if ("content" in e) writeFileSync(path, e.content);
      else mkdirSync(path, { recursive: true });
      chmodSync(path, e.mode);
      if (e.uid !== undefined) chownSync(path, e.uid, e.gid ?? 0);
    }
    for (const [name, major, minor] of [["null", 1, 3], ["zero", 1, 5], ["full", 1, 7], ["random", 1, 8], ["urandom", 1, 9], ["tty", 5, 0]] as const)
      spawnSync("mknod", ["-m", "666", join(root, "dev", name), "c", String(major), String(minor)]);
    const done = spawnSync("unshare", ["--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child", `--root=${root}`, "/suite/init"], { encoding: "utf8", timeout: 120_000, killSignal: "SIGKILL", env: {}, stdio: ["ignore", "pipe", "inherit"] });
    return done.stdout;
  } finally {
    rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const first = runOnHost();
  const second = parseApplets(runOnHost());
  const said = parseApplets(first);
  let good = said.has("end");
  for (const [line, text] of said)
    if (second.get(line) !== text) {
      good = false;
      console.log(`two runs differ: ${line}\n--1\n${text}--2\n${second.get(line)}`);
    }
  writeFileSync(APPLETS_EXPECTED, first.slice(first.indexOf("=== ")));
  console.log(`${said.size - 1} lines recorded${good ? "" : ", but not all are the same each time, or not all were run"}`);
  process.exit(good ? 0 : 1);
}
