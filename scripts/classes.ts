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

/** The file's text as it should be. Classes by name, not whole modules: a bundle leaves out what nobody uses, and no function gets a prototype that is only asked for here. */
export function classesFile(): string {
  const modules = kernelFiles()
    .map((path) => ({ path, classes: [...readFileSync(path, "utf8").matchAll(/^export (?:abstract )?class (\w+)/gm)].map(([, name]) => name!) }))
    .filter(({ classes }) => classes.length > 0)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, classes }) => {
      const name = path.replace(/^worker\//, "").replace(/\.ts$/, "");
      return { name, classes, id: name.replace(/[^A-Za-z0-9]/g, "_") };
    });
  return [
    "// machine/classes.ts — every class of the kernel by its module's name, for snapshots. Made by scripts/classes.ts: do not edit.",
    ...modules.map(({ name, classes, id }) => `import { ${classes.map((c) => `${c} as ${id}_${c}`).join(", ")} } from "../${name}.ts";`),
    'import { ClassTable } from "./graph.ts";',
    "",
    "export function kernelClasses(): ClassTable {",
    "  const t = new ClassTable();",
    ...modules.map(({ name, classes, id }) => `  t.add("${name}", { ${classes.map((c) => `${c}: ${id}_${c}`).join(", ")} });`),
    "  return t;",
    "}",
    "",
  ].join("\n");
}

if (process.argv[1]?.endsWith("classes.ts")) writeFileSync(TARGET, classesFile());
