// scripts/zones.ts — who may import whom (DESIGN: "Who may import whom"), and a few style rules that no linter knows.

import { dirname, join, normalize } from "node:path";

/** What a zone may import. `types: "any"`: an `import type` may also look at the rest of the core. */
interface Zone {
  readonly may: readonly string[];
  readonly packages?: readonly string[];
  readonly types?: "any";
}

const KERNEL = ["include", "lib", "kernel", "arch/um/os"];
const CORE = [...KERNEL, "mm", "fs", "ipc", "block", "net", "security", "drivers"];

const zones: Record<string, Zone> = {
  include: { may: ["include"] },
  lib: { may: ["lib"], types: "any" },
  kernel: { may: KERNEL, types: "any" },
  mm: { may: [...KERNEL, "mm"], types: "any" },
  fs: { may: [...KERNEL, "mm", "fs"], types: "any" },
  ipc: { may: [...KERNEL, "mm", "fs", "ipc"], types: "any" },
  block: { may: [...KERNEL, "mm", "fs", "block"], types: "any" },
  security: { may: [...KERNEL, "mm", "fs", "security"], types: "any" },
  net: { may: [...KERNEL, "mm", "fs", "net"], types: "any" },
  drivers: { may: CORE, types: "any" },
  cpu: { may: ["cpu", "lib"], packages: ["iced-x86"] },
  "arch/um": { may: [...CORE, "cpu", "arch/um"], types: "any", packages: ["iced-x86"] },
  "arch/um/os": { may: ["arch/um/os"] },
  init: { may: [...CORE, "arch/um", "arch/um/os", "init", "kunit"], types: "any" },
  machine: { may: [...CORE, "cpu", "arch/um", "arch/um/os", "init", "machine", "protocol"], types: "any", packages: ["iced-x86"] },
  replay: { may: [...CORE, "cpu", "arch/um", "arch/um/os", "machine", "protocol", "link", "replay"], types: "any", packages: ["iced-x86"] },
  protocol: { may: ["lib", "protocol"] },
  kunit: { may: [...CORE, "arch/um", "arch/um/kunit", "init", "kunit"], types: "any" },
  "arch/um/kunit": { may: [...CORE, "cpu", "arch/um", "kunit"], types: "any" },
  link: { may: [...CORE, "protocol", "link"], types: "any", packages: ["fflate"] },
  "os-browser": { may: ["arch/um/os", "include", "lib", "protocol", "os-browser"], packages: ["comlink", "idb-keyval", "iced-x86", "fflate", "@noble/hashes/sha2.js"], types: "any" },
  "os-node": { may: ["arch/um/os", "include", "lib", "os-node"], packages: ["node:"], types: "any" },
  main: { may: [...CORE, "cpu", "arch/um", "arch/um/os", "init", "machine", "protocol", "link", "replay", "os-browser", "main"], packages: ["comlink", "idb-keyval", "iced-x86"], types: "any" },
  src: { may: ["src", "protocol"], packages: ["*"] },
  e2e: { may: ["e2e"], packages: ["node:", "@playwright/test", "@axe-core/playwright"] },
};

/** The zone of a repository path; undefined for files that may import anything (tests, scripts, configuration). */
export function zoneOf(path: string): string | undefined {
  if (/\.test\.tsx?$/.test(path) || path.startsWith("worker/test/")) return undefined;
  if (path.startsWith("src/")) return "src";
  if (path.startsWith("e2e/")) return "e2e";
  if (!path.startsWith("worker/")) return undefined;
  const inside = path.slice("worker/".length);
  // suites stand beside their subject, and use the framework
  if (/_kunit\.ts$/.test(inside)) return inside.startsWith("arch/um/") ? "arch/um/kunit" : "kunit";
  const host = /(?:^|\/)(os-browser|os-node)\//.exec(inside);
  if (host) return host[1];
  if (inside === "arch/um/os.ts") return "arch/um/os";
  if (inside.startsWith("arch/um/")) return "arch/um";
  if (/^main(_\w+)?\.ts$/.test(inside)) return "main";
  if (inside === "protocol.ts" || inside.startsWith("protocol/")) return "protocol";
  if (!inside.includes("/")) return "machine";
  return inside.slice(0, inside.indexOf("/"));
}

const IMPORT = /^\s*(import|export)\s+(type\s+)?(?:[\w*{}\s,$]*?\sfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

function checkImport(path: string, zoneName: string, zone: Zone, typeOnly: boolean, from: string): string | undefined {
  if (!from.startsWith(".") && !from.startsWith("/")) {
    const allowed = zone.packages?.some((p) => p === "*" || from === p || (p.endsWith(":") && from.startsWith(p)));
    return allowed || (typeOnly && from === "iced-x86") ? undefined : `${zoneName} may not import the package ${from}`;
  }
  if (from.endsWith(".css") || from.includes("?")) return zoneName === "src" ? undefined : `${zoneName} may not import ${from}`;
  if (!/\.(tsx?|json)$/.test(from)) return `write the extension: ${from}`;
  const target = normalize(join(dirname(path), from));
  const targetZone = zoneOf(target) ?? target;
  if (zone.may.includes(targetZone)) return undefined;
  if (typeOnly && zone.types === "any" && targetZone in zones && targetZone !== "src" && targetZone !== "e2e") return undefined;
  return `${zoneName} may not import ${targetZone} (${from})`;
}

/** The complaints about one file, as `path: sentence`. `text` is its content. */
export function checkFile(path: string, text: string): string[] {
  const complaints: string[] = [];
  const say = (line: number, what: string): number => complaints.push(`${path}:${line}: ${what}`);
  const first = text.slice(0, text.indexOf("\n"));
  if (!/^(?:\/\/|\/\*) (\S+) — \S/.test(first)) say(1, "the first line must be `// path — what it is`");
  else if (!path.endsWith(first.split(" ")[1] ?? "")) say(1, `the first line names another file: ${first.split(" ")[1]}`);
  const lines = text.split("\n").length - 1;
  if (lines > 700) say(700, `${lines} lines; 700 is the limit`);
  if (path.startsWith("worker/") && !/\.test\.ts$|os-browser|os-node|worker\/test\/|worker\/main(_\w+)?\.ts/.test(path)) {
    for (const m of text.matchAll(/^[^/*\n]*\b(Date\.now|Math\.random|performance\.now|new Date\(\))/gm))
      say(text.slice(0, m.index).split("\n").length, `${m[1]}: the machine is deterministic`);
    for (const m of text.matchAll(/^(?:export )?(?:let|var) (\w+)/gm))
      say(text.slice(0, m.index).split("\n").length, `module-level mutable state: ${m[1]}`);
  }
  const zoneName = zoneOf(path);
  if (zoneName === undefined) return complaints;
  const zone = zones[zoneName];
  if (!zone) {
    say(1, `no import zone for ${zoneName}: scripts/zones.ts lists them`);
    return complaints;
  }
  for (const m of text.matchAll(IMPORT)) {
    const from = m[3] ?? m[4] ?? "";
    const wrong = checkImport(path, zoneName, zone, m[2] !== undefined, from);
    if (wrong) say(text.slice(0, m.index).split("\n").length + (m[0].startsWith("\n") ? 1 : 0), wrong);
  }
  return complaints;
}
