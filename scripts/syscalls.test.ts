// scripts/syscalls.test.ts — docs/syscalls.md says what the table says.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { syscallsPage } from "./syscalls_page.ts";

test("docs/syscalls.md is current (npm run syscalls writes it)", () => {
  expect(readFileSync("docs/syscalls.md", "utf8")).toBe(syscallsPage());
});
