// scripts/syscalls_page.ts — the text of docs/syscalls.md, made from worker/arch/um/syscall_64.ts.

import { syscall_table } from "../worker/arch/um/syscall_64.ts";
import type { Row } from "../worker/kernel/syscall.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

function line(nr: number, row: Row): string {
  switch (row.state) {
    case "full":
      return `| ${nr} | ${row.call.name} | full | |`;
    case "partial":
      return `| ${nr} | ${row.call.name} | partial | ${cell(row.missing)} |`;
    case "errno":
      return `| ${nr} | ${row.name} | ${row.errno.name} | ${cell(row.why)} |`;
  }
}

export function syscallsPage(): string {
  const rows = syscall_table.flatMap((row, nr) => (row === undefined ? [] : [{ nr, row }]));
  const count = (state: Row["state"]): number => rows.filter(({ row }) => row.state === state).length;
  return `# System calls

Every call of the x86-64 table. Made by \`npm run syscalls\` from \`worker/arch/um/syscall_64.ts\`; do not edit.

${count("full")} are complete, ${count("partial")} lack something, ${count("errno")} fail with the errno given here. A number that is not listed is ENOSYS.

| nr | name | state | what is missing, or why |
| --- | --- | --- | --- |
${rows.map(({ nr, row }) => line(nr, row)).join("\n")}
`;
}
