// worker/test/fork.test.ts — nommu.fork=shadow: unmodified programs that fork have memory of their own, as on an ordinary Linux.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile, USERSPACE } from "../../scripts/userspace/compile.ts";
import { makeExt4 } from "../../scripts/userspace/ext4.ts";
import { rootTree } from "../../scripts/userspace/tree.ts";
import { TestMachine } from "./boot.ts";

/** What the program says on an ordinary Linux. */
const TOLD = `parent 1 2 0 parent's shared 400
child 100 200 300 child's 7
status 3
parent 5 parent's again
depth 12 data 5
signalled 4, here 0
threads 35 7
many 28 0
executed
exec 0
popen through a pipe
`;

function disk(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-fork-"));
  try {
    const file = join(folder, "image");
    const program = readFileSync(compile("worker/test/guest/fork/fork.c"));
    makeExt4(file, [...rootTree(USERSPACE), { path: "/bin/forks", type: "file", mode: 0o755, content: program }], { size: 32 });
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("fork gives a memory of one's own", { timeout: 120_000 }, async () => {
  const m = await TestMachine.boot({ disks: { disk: disk() }, cmdline: "ubd0=disk rw mem=128m loglevel=4 init=/sbin/init nommu.fork=shadow" });
  const free = m.run("cat /proc/buddyinfo");
  expect(m.run("forks")).toBe(TOLD);
  // nothing leaks: as many free pages as before
  const pages = (text: string): number => (text.match(/\d+/g) ?? []).slice(1).reduce((n, v, order) => n + Number(v) * 2 ** order, 0);
  expect(pages(m.run("cat /proc/buddyinfo"))).toBe(pages(free));
});
