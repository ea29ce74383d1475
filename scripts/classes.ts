// scripts/classes.ts — writes worker/machine/classes.ts: every class of the kernel, so that a snapshot knows it by name. Run it when a class came or went.
import { readFileSync, writeFileSync } from "node:fs";
import { globSync } from "./files.ts";

/** Folders whose classes can be machine state. */
const FOLDERS = ["kernel", "mm", "fs", "ipc", "net", "drivers", "arch/um", "lib", "include"];
export const TARGET = "worker/machine/classes.ts";

/** The kernel's files, without tests. */
export function kernelFiles(): string[] {
  return globSync(FOLDERS.map((f) => `worker/${f}`), /\.ts$/).filter((p) => !/\.test\.ts$|_kunit\.ts$|\/testing\.ts$/.test(p));
}

/** The file's text as it should be. */
export function classesFile(): string {
  const modules = kernelFiles()
    .filter((p) => /^export (abstract )?class /m.test(readFileSync(p, "utf8")))
    .sort();
  const name = (p: string): string => p.replace(/^worker\//, "").replace(/\.ts$/, "");
  const id = (p: string): string => name(p).replace(/[^A-Za-z0-9]/g, "_");
  return [
    "// machine/classes.ts — every class of the kernel by its module's name, for snapshots. Made by scripts/classes.ts: do not edit.",
    ...modules.map((p) => `import * as ${id(p)} from "../${name(p)}.ts";`),
    'import { ClassTable } from "./graph.ts";',
    "",
    "export function kernelClasses(): ClassTable {",
    "  const t = new ClassTable();",
    ...modules.map((p) => `  t.add("${name(p)}", ${id(p)});`),
    "  return t;",
    "}",
    "",
  ].join("\n");
}

if (process.argv[1]?.endsWith("classes.ts")) writeFileSync(TARGET, classesFile());
