// scripts/engine.ts — the emulator's mark: which sources make a machine what it is. Snapshots belong to one, links name theirs.
import { existsSync, readFileSync } from "node:fs";
import { globSync, hashFiles } from "./files.ts";

/** version~hash */
export function engine(): string {
  const sources = globSync(["worker"], /\.ts$/).filter((path) => !/\.test\.ts$|_kunit\.ts$|^worker\/(?:test|os-node|protocol)\//.test(path));
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  return `${version}~${hashFiles(sources).slice(0, 12)}`;
}

/** What public/images/manifest.json says of an image's snapshot. */
export interface SnapshotEntry {
  /** gzip, beside the manifest */
  readonly file: string;
  readonly gzSize: number;
  /** whose it is: another one cannot use it */
  readonly engine: string;
  readonly cmdline: string;
  readonly at: number;
  readonly fingerprint: string;
}

/** the image that the page boots if nobody chooses */
export const SNAPSHOT_OF = "nommu.ext4";

/** Whether the published image has a snapshot made by this emulator. */
export function snapshotCurrent(folder = "public/images"): boolean {
  const entry = (JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")) as { name: string; cmdline: string; snapshot?: SnapshotEntry }[]).find((e) => e.name === SNAPSHOT_OF);
  return entry === undefined || (entry.snapshot?.engine === engine() && entry.snapshot.cmdline === entry.cmdline && existsSync(`${folder}/${entry.snapshot.file}`));
}
