// scripts/classes.test.ts — the list of classes for snapshots is current
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { classesFile, kernelFiles, TARGET } from "./classes.ts";

test("worker/machine/classes.ts names every class of the kernel (npx tsx scripts/classes.ts makes it)", () => {
  expect(readFileSync(TARGET, "utf8")).toBe(classesFile());
});

test("no class of the kernel is hidden in its module: a snapshot could not name it", () => {
  const hidden = kernelFiles().filter((p) => /^(abstract )?class /m.test(readFileSync(p, "utf8")));
  expect(hidden).toEqual([]);
});
