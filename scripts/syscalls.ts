// scripts/syscalls.ts — `npm run syscalls`: writes docs/syscalls.md from the table of system calls.

import { mkdirSync, writeFileSync } from "node:fs";
import { syscallsPage } from "./syscalls_page.ts";

mkdirSync("docs", { recursive: true });
writeFileSync("docs/syscalls.md", syscallsPage());
console.log("docs/syscalls.md written");
