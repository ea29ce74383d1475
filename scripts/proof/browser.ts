// scripts/proof/browser.ts — npm run proof -- --in=chromium|firefox: the vector suite in a real browser

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { build } from "vite";
import { Firefox } from "../firefox.ts";
import { serve } from "../serve.ts";
import { iced } from "../vite-iced.ts";
import type { Report } from "./page.ts";

/** Builds the page and the vectors into a folder. */
async function buildPage(folder: string): Promise<void> {
  const plugins = [iced()];
  await build({
    configFile: false, root: import.meta.dirname, base: "./", logLevel: "warn", plugins, worker: { format: "es", plugins: () => [iced()] },
    build: { outDir: folder, emptyOutDir: true, target: "es2023", chunkSizeWarningLimit: 4000 },
  });
  cpSync(join(import.meta.dirname, "../../worker/cpu/vectors"), join(folder, "vectors"), { recursive: true, filter: (f) => !/\.(ts|c|md)$/.test(f) });
}

async function inChromium(url: string): Promise<Report> {
  const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    return await page.evaluate<Report>("proof");
  } finally {
    await browser.close();
  }
}
async function inFirefox(url: string): Promise<Report> {
  const firefox = await Firefox.launch();
  try {
    await firefox.goto(url);
    return await firefox.evaluate<Report>("proof");
  } finally {
    await firefox.close();
  }
}

/** Every `every`-th case of each group, in every executor. Resolves to whether nothing disagreed. */
export async function proveIn(browser: string, every: number): Promise<boolean> {
  const run = { chromium: inChromium, firefox: inFirefox }[browser];
  if (run === undefined) throw new Error(`--in=${browser}: known are chromium and firefox`);
  const folder = mkdtempSync(join(tmpdir(), "pagezero-proof-"));
  try {
    await buildPage(folder);
    const { server, port } = await serve(folder, 0, "127.0.0.1", true);
    try {
      const told = await run(`http://127.0.0.1:${port}/?every=${every}`);
      for (const w of told.wrong) console.log(w);
      console.log(told.line);
      return told.wrong.length === 0;
    } finally {
      server.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
