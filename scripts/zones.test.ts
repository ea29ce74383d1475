// scripts/zones.test.ts — the import zones refuse what they should.

import { expect, test } from "vitest";
import { checkFile } from "./zones.ts";

const check = (path: string, body: string): string[] => checkFile(path, `// ${path} — a file.\n${body}\n`);

test("the kernel may not import the file systems, but may look at their types", () => {
  expect(check("worker/kernel/a.ts", 'import { x } from "../fs/b.ts";')).toHaveLength(1);
  expect(check("worker/kernel/a.ts", 'import type { X } from "../fs/b.ts";')).toEqual([]);
  expect(check("worker/fs/a.ts", 'import { x } from "../kernel/b.ts";')).toEqual([]);
});

test("the CPU knows nothing of Linux, not even its types", () => {
  expect(check("worker/cpu/a.ts", 'import type { X } from "../kernel/b.ts";')).toHaveLength(1);
  expect(check("worker/cpu/insn/a.ts", 'import { x } from "../../lib/b.ts";')).toEqual([]);
});

test("the page sees the protocol and nothing else of the worker", () => {
  expect(check("src/a.ts", 'import { x } from "../worker/machine.ts";')).toHaveLength(1);
  expect(check("src/a.ts", 'import { x } from "../worker/protocol.ts";')).toEqual([]);
});

test("the kernel imports no package and reads no clock", () => {
  expect(check("worker/kernel/a.ts", 'import { readFileSync } from "node:fs";')).toHaveLength(1);
  expect(check("worker/kernel/a.ts", "const t = Date.now();")).toHaveLength(1);
  expect(check("worker/kernel/a.ts", "let count = 0;")).toHaveLength(1);
});

test("an import over several lines is seen", () => {
  expect(check("worker/mm/a.ts", 'import {\n  x,\n  y,\n} from "../fs/b.ts";')).toHaveLength(1);
});
