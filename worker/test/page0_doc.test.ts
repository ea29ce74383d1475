// worker/test/page0_doc.test.ts — docs/page0.md holds: its listing of page 0 is what is in memory, its counts are what a call takes.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { TestMachine } from "./boot.ts";

const RIP_LIMIT = 0x2000;
const text = readFileSync("docs/page0.md", "utf8");

test("docs/page0.md tells what a boot shows", async () => {
  const m = await TestMachine.boot({ jit: false });
  const { u8 } = m.machine.kernel.mem;
  const listing = [...text.matchAll(/^ {4}([0-9a-f]{8}) {2}((?:[0-9a-f]{2} )+)/gm)].map((l) => [parseInt(l[1]!, 16), l[2]!.trim().split(" ").map((b) => parseInt(b, 16))] as const);
  const page = listing.filter(([at]) => at < RIP_LIMIT);
  expect(page.length).toBeGreaterThan(10);
  for (const [at, bytes] of page) expect([at, ...u8.slice(at, at + bytes.length)]).toEqual([at, ...bytes]);

  m.type("/usr/libexec/nommu/getpid\n");
  const { images } = m.machine.arch.zpoline;
  while (!images.has("/usr/libexec/nommu/getpid")) m.step(1000);
  const image = images.get("/usr/libexec/nommu/getpid")!;
  const call = image.address(image.translation.sites[0]!)!;
  const { state } = m.machine.cpu;
  while (state.rip !== call - 5) m.machine.run(1);
  const path: number[] = [];
  while (state.rip !== call + 2) {
    path.push(state.rip);
    m.machine.run(1);
  }
  const nops = (from: number, to: number): number => path.filter((rip) => rip >= from && rip < to).length;
  expect(text).toContain(`${nops(39, 214)} nops, \`jmp\`, ${nops(0x157, 463)} nops`);
  expect(text).toContain(`${path.length} instructions in all`);
  const musl = images.get("/lib/ld-musl-x86_64.so.1")!.translation.sites;
  expect(text).toContain(`/lib/ld-musl-x86_64.so.1: rewritten ${musl.filter((s) => s.left === undefined).length} syscalls, left ${musl.filter((s) => s.left !== undefined).length} (red zone)`);
});
