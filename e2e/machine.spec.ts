// e2e/machine.spec.ts — the switches, the settings, the disks, and what can go wrong.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest, QUIET } from "./guest.ts";

test.setTimeout(240_000 * SLOW);

test("the command line is checked before the boot; a panic is shown", async ({ page }) => {
  const guest = new Guest(page);
  await guest.off();
  const line = page.getByLabel("Kernel command line");
  const start = page.locator(".settings").getByRole("button", { name: "Start" });
  await line.fill("ubd0=other rw mem=1m");
  await expect(page.getByText("mem=1m is out of range")).toBeVisible();
  await expect(page.getByText("names a disk that is not here")).toBeVisible();
  await expect(start).toBeDisabled();
  await line.fill(QUIET.replace("/sbin/init", "/nonexistent"));
  await start.click();
  await guest.shows(/Kernel panic - not syncing: Requested init \/nonexistent failed/);
  await expect(guest.state).toContainText("Crashed");
  await expect(page.getByText("The kernel panicked")).toContainText("134");
  // and out of it
  await line.fill(QUIET);
  await page.getByRole("button", { name: "Start again" }).click();
  await guest.prompt();
  expect(guest.errors).toEqual([]);
});

test("pause, stop, start; the guest switches itself off", async ({ page }) => {
  const guest = new Guest(page);
  await guest.boot();
  await guest.tab("CPU").click();
  const panel = page.getByRole("tabpanel");
  const recorded = async (): Promise<number> => Number(/([\d,]+) events recorded/.exec(await panel.innerText())?.[1]?.replaceAll(",", ""));
  await panel.getByRole("button", { name: "Pause" }).click();
  await expect(guest.state).toContainText("Paused");
  // it slept, so its clock went on: the last figures are of the moment at which it stands
  await expect
    .poll(async () => {
      const line = /([\d.,]+) s guest time/.exec(await page.getByRole("contentinfo", { name: "Figures" }).innerText())?.[1];
      return line !== undefined && /([\d.,]+) s of guest time/.exec(await panel.innerText())?.[1] === line;
    })
    .toBe(true);
  await expect.poll(recorded).toBeGreaterThanOrEqual(0);
  const before = await recorded();
  const line = "echo $((40+2))x\n";
  await guest.type(line);
  // it has come to the machine, and nothing comes of it
  await expect.poll(recorded).toBeGreaterThanOrEqual(before + line.length);
  expect(await guest.screen()).not.toContain("42x");
  await guest.button("Resume").click();
  await guest.shows(/^42x$/m);
  // what is to stop the next machine stops it, however soon that happens
  await panel.getByLabel("Which").fill("set_tid_address by init");
  await panel.getByRole("button", { name: "Add", exact: true }).click();
  await expect(panel.getByText("init calls set_tid_address")).toBeVisible();
  // what it prints in masses is not seen on the next one's screen
  await guest.type("yes before\n");
  await guest.shows(/^before$/m);
  await guest.button("Stop").click();
  await expect(guest.state).toContainText("Off");
  await page.getByRole("banner").getByRole("button", { name: "Start", exact: true }).click();
  await expect(guest.state).toContainText("Paused");
  await expect(panel.getByText(/there is a breakpoint on it/)).toBeVisible();
  await expect.poll(() => guest.screen()).not.toContain("before");
  await panel.getByRole("button", { name: "Remove: init calls set_tid_address" }).click();
  await guest.button("Resume").click();
  await guest.prompt();
  await guest.type("poweroff\n");
  await expect(guest.state).toContainText("Halted", { timeout: 60_000 * SLOW });
  await expect(page.getByText(/The machine was (powered off|halted)/)).toBeVisible();
  expect(guest.errors).toEqual([]);
});

test("a disk is kept, downloaded and reset; a second tab gets a scratch copy", async ({ page, context }) => {
  const guest = new Guest(page);
  await guest.boot(QUIET, false);
  expect(await guest.run("echo mine > /root/mine; sync; cat /root/mine")).toBe("mine");

  await guest.tab("Disks").click();
  const disk = page.getByRole("article", { name: "nommu.ext4" });

  await test.step("what was changed", async () => {
    await expect(disk).toContainText("kept in this browser");
    await disk.getByRole("button", { name: "Changes" }).click();
    await expect(disk.getByRole("row", { name: "added /root/mine 5 bytes" })).toBeVisible();
    await guest.run("echo longer > /etc/hostname; chmod 600 /etc/motd; rm /etc/shells; sync");
    await disk.getByRole("button", { name: "Changes" }).click();
    await expect(disk.getByRole("row", { name: /^changed: content \/etc\/hostname .* → 7 bytes$/ })).toBeVisible();
    await expect(disk.getByRole("row", { name: /^changed: mode \/etc\/motd/ })).toBeVisible();
    await expect(disk.getByRole("row", { name: /^removed \/etc\/shells/ })).toBeVisible();
    await expect(disk).toContainText("2 added, 2 changed, 1 removed.");
  });

  await test.step("download", async () => {
    const arriving = page.waitForEvent("download");
    await disk.getByRole("button", { name: "Download" }).click();
    const download = await arriving;
    expect(download.suggestedFilename()).toBe("nommu.ext4.gz");
    const image = gunzipSync(readFileSync(await download.path()));
    expect(image.readUInt16LE(1024 + 0x38)).toBe(0xef53);
    expect(image.includes("mine\n")).toBe(true);
  });

  await test.step("a second tab", async () => {
    const second = new Guest(await context.newPage());
    await second.page.goto("/");
    await expect(second.page.getByRole("alert")).toContainText("in use in another tab", { timeout: 60_000 * SLOW });
    await second.page.getByRole("button", { name: "Start on a scratch copy" }).click();
    await second.prompt();
    await second.type("dmesg -n 1\n");
    expect(await second.run("ls /root/mine")).toContain("No such file");
    // the same, with what the first has stored
    await second.page.reload();
    await second.page.getByRole("button", { name: "Start on a copy with its changes" }).click();
    await second.prompt();
    await second.type("dmesg -n 1\n");
    expect(await second.run("cat /root/mine; rm /root/mine; sync; ls /root/mine")).toMatch(/^mine\n.*No such file/);
    await second.page.close();
  });

  await test.step("reset", async () => {
    await disk.getByRole("button", { name: "Reset…" }).click();
    await page.getByRole("button", { name: "Keep my changes" }).click();
    expect(await guest.run("cat /root/mine")).toBe("mine");
    await disk.getByRole("button", { name: "Reset…" }).click();
    await page.getByRole("button", { name: "Reset it" }).click();
    await expect(guest.state).toContainText("Running", { timeout: 60_000 * SLOW });
    await guest.prompt();
    expect(await guest.run("ls /root/mine")).toContain("No such file");
  });
  expect(guest.errors).toEqual([]);
});

test("a further disk, made of an archive; the guest mounts it, and sees two", async ({ page }) => {
  const guest = new Guest(page);
  await guest.off();
  const line = page.getByLabel("Kernel command line");
  await line.fill(QUIET);
  await page.getByLabel("Scratch copy").check();
  await guest.tab("Disks").click();
  const folder = mkdtempSync(join(tmpdir(), "pagezero-e2e-"));
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "data", "letter"), "from outside\n");
  execFileSync("tar", ["czf", join(folder, "more.tgz"), "-C", folder, "data"]);
  await page.getByLabel("File for a further disk").setInputFiles(join(folder, "more.tgz"));
  const more = page.getByRole("article", { name: "more.ext4" });
  await expect(more).toContainText("a disk made of more.tgz");
  await expect(more).toContainText("a further disk");
  await guest.tab("Machine").click();
  await expect(line).toHaveValue(/^ubd0=nommu\.ext4 ubd1=more\.ext4 rw/);
  await page.locator(".settings").getByRole("button", { name: "Start" }).click();
  await guest.prompt();
  expect(await guest.run("mount -t ext4 /dev/ubdb /mnt && cat /mnt/data/letter && grep -c ubd /proc/partitions")).toBe("from outside\n2");
  expect(guest.errors).toEqual([]);
});

test("what is no image is refused in a sentence", async ({ page }) => {
  const guest = new Guest(page);
  await guest.off();
  const file = page.getByLabel("Image file");
  const start = page.locator(".settings").getByRole("button", { name: "Start" });
  await file.setInputFiles({ name: "letter.txt", mimeType: "text/plain", buffer: Buffer.alloc(100_000, "Dear kernel, ") });
  await expect(page.getByLabel("Kernel command line")).toHaveValue(/ubd0=letter\.txt/);
  await start.click();
  await expect(page.getByRole("alert")).toContainText("letter.txt is not an ext4 image");
  await file.setInputFiles({ name: "broken.ext4.gz", mimeType: "application/gzip", buffer: Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(70_000, 0x55)]) });
  await start.click();
  await expect(page.getByRole("alert")).toContainText("broken.ext4.gz is damaged");
  await expect(guest.state).toContainText("Off");
});

test("an image file of one's own boots, and is there after a reload", async ({ page }) => {
  const guest = new Guest(page);
  await guest.off();
  await page.getByLabel("Image file").setInputFiles({ name: "my disk.ext4.gz", mimeType: "application/gzip", buffer: gzipSync(readFileSync(".cache/images/nommu.ext4")) });
  await expect(page.getByLabel("Kernel command line")).toHaveValue(/ubd0=my_disk\.ext4\.gz/);
  await page.locator(".settings").getByRole("button", { name: "Start" }).click();
  await guest.prompt();
  await page.goto("/");
  await page.reload();
  await guest.tab("Machine").click();
  await expect(page.getByLabel(/my_disk\.ext4\.gz/)).toBeVisible();
  expect(guest.errors).toEqual([]);
});
