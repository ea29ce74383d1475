// e2e/isolation.spec.ts — the page that our server sends is isolated, so that it may share memory with its worker.

import { expect, test } from "@playwright/test";

test("the page opens, is cross-origin isolated and logs no error", async ({ page }) => {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto("/");
  await expect(page).toHaveTitle(/pagezero/);
  await expect(page.locator("#root")).not.toBeEmpty();
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  expect(errors).toEqual([]);
});
