// e2e/budgets.spec.ts — how large the page may be, by size and not by time: measured on the build.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";

const kB = (bytes: number): number => Math.round(bytes / 100) / 10;
const packed = (file: string): number => gzipSync(readFileSync(file), { level: 9 }).length;

test("the first route's scripts, the page itself, and all but the images stay within their budgets", () => {
  const html = readFileSync("dist/index.html", "utf8");
  const first = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map((m) => `dist/${m[1]!}`);
  expect(first.length).toBeGreaterThan(0);
  const all = readdirSync("dist/assets").filter((f) => !f.endsWith(".map")).map((f) => `dist/assets/${f}`);
  const sizes = { first: kB(first.reduce((n, f) => n + packed(f), 0)), html: kB(Buffer.byteLength(html)), all: kB(all.reduce((n, f) => n + packed(f), 0)) };
  console.log(`gzipped: ${sizes.first} kB of script on the first route, ${sizes.html} kB of HTML, ${sizes.all} kB in all but images`);
  expect(sizes.first).toBeLessThanOrEqual(260);
  expect(sizes.html).toBeLessThanOrEqual(14);
  expect(sizes.all).toBeLessThanOrEqual(1200);
});
