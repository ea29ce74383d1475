// scripts/tiny.test.ts — the two programs that the page makes: a guest runs them, and they do what the page says of them.
import { expect, test } from "vitest";
import { elf, LOOKALIKE, PAST } from "../src/inspect/tiny.ts";
import { TestMachine } from "../worker/test/boot.ts";

test("a number past the sled faults; 0f 05 within a number is left alone", async () => {
  const m = await TestMachine.boot({ files: [{ path: "/root/past", bytes: elf(PAST) }, { path: "/root/lookalike", bytes: elf(LOOKALIKE) }] });
  expect(m.run("chmod +x /root/past /root/lookalike; /root/lookalike; echo $?")).toMatch(/^two numbers with 0f 05 in them: neither was touched\n0$/m);
  expect(m.run("/root/past; echo $?")).toMatch(/^139$/m);
  expect(m.run("dmesg | grep lookalike")).toContain("rewritten 2 syscalls; no section headers: linear sweep");
});
