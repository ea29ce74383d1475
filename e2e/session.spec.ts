// e2e/session.spec.ts — what a person does first: opens the page, gets a prompt, tries the shell, reloads, and finds the file that was written.
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest } from "./guest.ts";

test("a session at the shell, and the same disk after a reload", async ({ page }) => {
  test.setTimeout(300_000 * SLOW);
  const guest = new Guest(page);
  await page.goto("/");
  await expect(page).toHaveTitle(/pagezero/);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await guest.prompt();
  await expect(guest.state).toContainText("Running");
  // the kernel's log would stand between the lines of commands
  await guest.type("dmesg -n 1\n");

  await test.step("commands", async () => {
    expect(await guest.run("ls -l /")).toMatch(/drwx.* root .* bin\n[^]*drwx.* usr/);
    expect(await guest.run("cat /proc/version")).toContain("Linux version");
    expect(await guest.run("echo $((6*7))")).toBe("42");
    expect(await guest.run("printf 'b\\na\\nc\\n' | sort | head -n 2")).toBe("a\nb");
    expect(await guest.run("echo \"is $(echo nested | tr a-z A-Z)\"")).toBe("is NESTED");
    expect(await guest.run("(sleep 1; echo later) & wait; echo then")).toMatch(/later\n([^]*\n)?then$/);
  });

  await test.step("^C ends what runs", async () => {
    await guest.tab("Processes").click();
    const processes = page.getByRole("tabpanel");
    await guest.type("sleep 1000\n");
    const sleep = processes.getByRole("row", { name: /^\d+ sleep / });
    await expect(sleep).toContainText("nanosleep");
    await page.keyboard.press("Control+c");
    await expect(sleep).toBeHidden();
    expect(await guest.run("echo alive")).toBe("alive");
  });

  await test.step("vi opens, writes and quits", async () => {
    await guest.type("vi /root/note\n");
    await guest.shows(/^~\n[^]*\/root\/note/m);
    await page.keyboard.type("ikept in the browser");
    await guest.shows(/^kept in the browser/m);
    await page.keyboard.press("Escape");
    // a key right after Escape could be one sequence with it
    await guest.shows(/^- \/root\/note/m);
    await page.keyboard.type(":wq\n");
    await guest.prompt();
    expect(await guest.run("sync; cat /root/note")).toBe("kept in the browser");
  });

  await test.step("after a reload the file is there", async () => {
    await page.reload();
    await guest.prompt();
    await guest.type("dmesg -n 1\n");
    expect(await guest.run("cat /root/note")).toBe("kept in the browser");
  });

  // every system call of all that came through page 0
  await expect(page.getByRole("contentinfo", { name: "Figures" })).toContainText("calls through page 0");
  await expect(page.getByRole("contentinfo", { name: "Figures" })).not.toContainText("trapped");
  expect(guest.errors).toEqual([]);
  expect(guest.foreign).toEqual([]);
});
