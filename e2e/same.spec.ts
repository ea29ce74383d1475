// e2e/same.spec.ts — the machine in this browser and the machine in Node are the same, to the microsecond of the guest's clock, which counts instructions.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest } from "./guest.ts";

const LINE = `ubd0=nommu.ext4 ro mem=64m loglevel=7 printk.time=1 init=/bin/sh -- -c "mount -t proc proc /proc; ls -l /bin | md5sum; seq 1 3000 | sort -r | sha256sum; exec cat /proc/uptime"`;

/** What must not differ: what the programs printed, and the kernel's last words with their time and the registers. */
function words(console: string): string[] {
  return console.split("\n").map((l) => l.trim()).filter((l) => /^[0-9a-f]{32,64} {2}-$|^\d+\.\d\d \d+\.\d\d$|Kernel panic - not syncing|\] (RIP|RSP|RAX|RDX|RBP|R10|R13): /.test(l));
}

test("one command line does the same in Node and in Chromium", async ({ page }) => {
  test.setTimeout(240_000 * SLOW);
  const args = [...LINE.matchAll(/"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2]!);
  const node = spawnSync(process.execPath, ["--import", resolve("node_modules/tsx/dist/loader.mjs"), resolve("scripts/vmlinux.ts"), ...args], { cwd: ".cache/images", encoding: "utf8", timeout: 120_000 });
  const want = words(node.stdout);
  expect(want, node.stdout + node.stderr).toHaveLength(11);
  expect(want[3]).toMatch(/^\[ +\d+\.\d{6}\] Kernel panic/);

  const guest = new Guest(page);
  await guest.off();
  await page.getByLabel("Kernel command line").fill(LINE);
  await page.getByLabel("Scratch copy").check();
  await page.locator(".settings").getByRole("button", { name: "Start" }).click();
  await guest.shows(/Kernel panic - not syncing/);
  await expect.poll(async () => words(await guest.screen())).toEqual(want);
});
