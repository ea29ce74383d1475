// scripts/build.ts — the production build, made only when something in it has changed.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { globSync, hashFiles } from "./files.ts";

const STAMP = ".cache/build.stamp";

/** Builds dist/ unless it is up to date. Returns whether it is now. */
export function build(): boolean {
  const sources = [...globSync(["src", "worker"], /\.(?:tsx?|css|json|svg|wgsl)$/).filter((path) => !/\.test\.|^worker\/test\//.test(path)), ...globSync(["public"], /./)];
  const wanted = hashFiles([...sources, "index.html", "embed.html", "vite.config.ts", "scripts/vite-iced.ts", "scripts/vite-preload.ts", "scripts/vite-embed.ts", "scripts/vite-offline.ts", "package-lock.json"]);
  if (existsSync("dist/index.html") && existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return true;
  console.log("setup: building the page");
  rmSync(STAMP, { force: true });
  const { status } = spawnSync("node_modules/.bin/vite", ["build", "--logLevel", "warn"], { stdio: "inherit" });
  if (status !== 0) return false;
  mkdirSync(".cache", { recursive: true });
  writeFileSync(STAMP, wanted);
  return true;
}
