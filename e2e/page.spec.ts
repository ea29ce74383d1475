// e2e/page.spec.ts — the page itself: panels, keyboard, themes, small screens, a server without isolation headers.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest } from "./guest.ts";

test.setTimeout(180_000 * SLOW);

test("panels show the machine's inside", async ({ page }) => {
  const guest = new Guest(page);
  await guest.boot();
  const panel = page.getByRole("tabpanel");
  await guest.tab("Calls").click();
  // the machine has said that it notes them
  await expect(panel.getByRole("log")).toHaveText(/[^…]/);
  await guest.run("cat /proc/uptime");
  await expect(panel.getByRole("log")).toContainText('"/proc/uptime", O_RDONLY');
  await panel.getByLabel("Filter").fill("open uptime");
  await expect(panel.getByRole("log")).not.toContainText("close(");
  await expect(panel.getByRole("log")).toContainText("uptime");
  await guest.tab("Page 0").click();
  await panel.getByRole("button", { name: "Show as a table" }).click();
  await expect(panel.getByRole("row", { name: /^59 execve/ })).toBeVisible();
  await expect(panel.getByRole("row", { name: /ld-musl/ })).toBeVisible();
  await guest.tab("Memory").click();
  await expect(panel.getByRole("row", { name: /00000000 .*trampoline/ })).toBeVisible();
  await expect(panel.getByRole("grid")).toContainText("00000000  90 90 90 90");
  await expect(panel.getByRole("row", { name: /stack/ }).first()).toBeVisible();
  await guest.tab("CPU").click();
  await expect(panel).toContainText("rip");
  expect(guest.errors).toEqual([]);
});

test("the keyboard reaches every region and leaves the console", async ({ page }) => {
  const guest = new Guest(page);
  await guest.boot();
  const region = (): Promise<string | undefined> => page.evaluate(() => (document.activeElement?.closest("[data-region]") as HTMLElement | null)?.dataset["region"]);
  const frame = page.getByRole("group", { name: /^Console, running/ });
  await frame.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("echo $((20+3))y\n");
  await guest.shows(/^23y$/m);
  // Tab is the guest's inside the console
  await page.keyboard.press("Tab");
  expect(await region()).toBe("console");
  await page.keyboard.press("F6");
  expect(await region()).toBe("panel");
  await page.keyboard.press("F6");
  await page.keyboard.press("F6");
  await page.keyboard.press("F6");
  expect(await region()).toBe("console");
  await page.keyboard.press("Shift+F6");
  expect(await region()).toBe("bar");
  await page.keyboard.press("Control+Backquote");
  await page.keyboard.type("echo $((20+4))y\n");
  await guest.shows(/^24y$/m);
  await page.keyboard.press("Control+Backquote");
  expect(await region()).toBe("bar");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toContainText("F6");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
});

test("themes, and a phone's width", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  const guest = new Guest(page);
  // a part that does not come takes nothing else along, and can come later
  await page.route(/\/assets\/bench-/, (route) => route.abort());
  await guest.off();
  await guest.tab("Bench").click();
  await expect(page.getByRole("tabpanel").getByRole("alert")).toContainText("This part of the page did not come");
  await page.unroute(/\/assets\/bench-/);
  await page.getByRole("tabpanel").getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("tabpanel")).toContainText("lmbench");
  const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await guest.button("Use the light theme").click();
  expect(await ground()).not.toBe(dark);
  await page.reload();
  expect(await ground()).not.toBe(dark);
  await page.setViewportSize({ width: 360, height: 740 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await expect(guest.button("Start").first()).toBeVisible();
  // one part at a time
  const parts = page.getByRole("navigation", { name: "What is shown" });
  await parts.getByRole("button", { name: "Console" }).click();
  await expect(page.locator(".screen")).toBeVisible();
  await expect(page.getByRole("tabpanel")).toBeHidden();
  await parts.getByRole("button", { name: "Inspect" }).click();
  await expect(page.getByRole("tabpanel")).toBeVisible();
  await expect(page.locator(".screen")).toBeHidden();
  // a lesson opens a panel, and its text stays before one's eyes
  await parts.getByRole("button", { name: "Text" }).click();
  await page.getByRole("button", { name: /^Tour/ }).click();
  await expect(page.locator(".lessontext")).toBeVisible();
  await expect(page.getByRole("tabpanel")).toBeHidden();
});

test("a machine whose code does not come is not waited for, and the next try may have it", async ({ page }) => {
  const html = readFileSync("dist/index.html", "utf8");
  const code = readdirSync("dist/assets").filter((f) => /^main-.*\.js$/.test(f) && !html.includes(f));
  expect(code).toHaveLength(1);
  const guest = new Guest(page);
  await page.route(`**/${code[0]!}`, (route) => route.abort());
  await page.goto("/");
  await expect(guest.state).toContainText("Crashed");
  await expect(page.getByText("The emulator itself failed: its code did not come from the server")).toBeVisible();
  await page.unroute(`**/${code[0]!}`);
  await page.getByRole("button", { name: "Start again" }).click();
  await guest.prompt();
});

test("200 % zoom, forced colours, no movement; Tab reaches every region and is not held by the console", async ({ page }) => {
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  // a laptop's window at 200 %
  await page.setViewportSize({ width: 683, height: 384 });
  const guest = new Guest(page);
  await page.goto("/#off");
  await expect(guest.button("Start").first()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(683);
  expect(await page.evaluate(() => [...document.getAnimations()].filter((a) => a.playState === "running").length)).toBe(0);
  // a page that was opened narrow begins without a panel
  await page.setViewportSize({ width: 1366, height: 768 });
  await guest.button("Inspect").click();
  await guest.button("Lessons").click();
  await expect(page.locator(".lessonlist button").first()).toBeVisible();
  const walk = async (key: string): Promise<readonly string[]> => {
    const seen = new Set<string>();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    for (let i = 0; i < 150; i++) {
      await page.keyboard.press(key);
      const at = await page.evaluate(() => (document.activeElement?.closest("[data-region]") as HTMLElement | null)?.dataset["region"]);
      if (at !== undefined) seen.add(at);
      else if (seen.size >= 4) break;
    }
    return [...seen].toSorted();
  };
  const all = ["bar", "console", "lesson", "panel"];
  expect(await walk("Tab")).toEqual(expect.arrayContaining(all));
  expect(await walk("Shift+Tab")).toEqual(expect.arrayContaining(all));
});

test("without isolation headers the same build runs, and says so", async ({ page }) => {
  await page.route("**/*", async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers() };
    for (const name of ["cross-origin-opener-policy", "cross-origin-embedder-policy"]) delete headers[name];
    await route.fulfill({ response, headers });
  });
  const guest = new Guest(page);
  await guest.boot();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
  await expect(page.getByText("not isolated")).toBeVisible();
  expect(await guest.run("echo $((6*7))")).toBe("42");
  expect(guest.errors).toEqual([]);
});

test("a machine in somebody's page: a frame that starts on a click, and a module that types and hears", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", (e) => errors.push(e.message));
  await page.goto("/embed-example.html");
  const frame = page.frameLocator("iframe");
  await expect(frame.getByRole("status", { name: "State of the machine" })).toHaveText("Off");
  await frame.getByRole("button", { name: "Start Linux in this page" }).click();
  await expect(frame.getByRole("status", { name: "State of the machine" })).toHaveText("Running", { timeout: 90_000 * SLOW });
  await page.getByRole("button", { name: "Ask it which kernel it is" }).click();
  await expect(page.locator("#answer")).toHaveText(/^Linux \d/, { timeout: 90_000 * SLOW });
  // out of sight it stands still
  await page.evaluate(() => (document.querySelector("iframe")!.style.marginTop = "3000px"));
  await expect(frame.getByRole("status", { name: "State of the machine" })).toHaveText("Paused");
  await page.evaluate(() => (document.querySelector("iframe")!.style.marginTop = "0"));
  await expect(frame.getByRole("status", { name: "State of the machine" })).toHaveText("Running");
  expect(errors).toEqual([]);
});
