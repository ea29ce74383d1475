// e2e/offline.spec.ts — a second visit without a network; the preflight page says what there is; a newer version waits until somebody asks for it.
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest, keptChunks, PATIENCE } from "./guest.ts";

test.setTimeout(300_000 * SLOW);
test.use({ serviceWorkers: "allow" });

test("the page works without a network once it has said so, and a newer version is offered", async ({ page, context }) => {
  const wanted = new Set((JSON.parse(readFileSync("public/images/nommu.ext4.chunks.json", "utf8")) as { hashes: string[] }).hashes.filter((h) => h !== ""));
  const guest = new Guest(page);
  await page.goto("/#/check");
  const check = page.getByRole("dialog", { name: "Is this browser ready?" });
  await expect(check).toContainText("Ready. Works without a network.", { timeout: PATIENCE });
  await expect(check).toContainText("There, with SIMD.");
  await check.getByRole("textbox", { name: "Keyboard" }).fill("~|\\/$#{}[]<>*&`'\"");
  await expect(check).toContainText("All there.");
  await check.getByRole("button", { name: "Close" }).click();
  await guest.prompt();
  // the machine keeps its image itself, chunk by chunk: all of them are there when the page says so
  expect(await keptChunks(page)).toBe(wanted.size);
  await context.setOffline(true);
  await page.goto("/?again");
  await guest.prompt();
  expect(await guest.run("echo $((6*7))")).toBe("42");
  await guest.button("Lessons").click();
  await page.getByRole("button", { name: /^Tour/ }).click();
  await expect(page.locator(".lessontext")).toContainText("Linux");
  await context.setOffline(false);

  await test.step("a newer version", async () => {
    const before = readFileSync("dist/sw.js", "utf8");
    try {
      writeFileSync("dist/sw.js", before.replace(/"version":"\w+"/, '"version":"ffff"'));
      await page.goto("/?new");
      await guest.prompt();
      const offer = page.getByRole("status").filter({ hasText: "A new version of this page is here" });
      await expect(offer).toBeVisible({ timeout: PATIENCE });
      await offer.getByRole("button", { name: "Reload" }).click();
      await expect(offer).toBeHidden();
      await guest.prompt();
      await expect.poll(() => page.evaluate(() => caches.keys()), { timeout: PATIENCE }).toEqual(["pagezero ffff"]);
    } finally {
      writeFileSync("dist/sw.js", before);
    }
  });
  expect(guest.foreign).toEqual([]);
});
