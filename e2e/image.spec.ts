// e2e/image.spec.ts — the image in chunks: a damaged one is told, the rest is kept, nothing is fetched twice, and a second visit fetches nothing.
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { Guest, keptChunks, PATIENCE } from "./guest.ts";

interface ChunkList {
  readonly hashes: readonly string[];
  readonly boot: readonly number[];
}

test("chunks: what is wrong with one is told by its number; what came is not fetched again", async ({ page, context }) => {
  const list = JSON.parse(readFileSync("public/images/nommu.ext4.chunks.json", "utf8")) as ChunkList;
  const bad = list.boot[4]!;
  const asked: string[] = [];
  let breaking = true;
  await context.route("**/images/chunks/*", async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1)!;
    asked.push(name);
    if (breaking && name === list.hashes[bad]) await route.fulfill({ status: 200, body: "this is no chunk" });
    else await route.continue();
  });
  const guest = new Guest(page);
  await page.goto("/");
  await expect(page.getByRole("alert")).toContainText(`chunk ${bad + 1} of ${list.hashes.length} (${list.hashes[bad]!.slice(0, 12)}…): it arrived damaged`, { timeout: PATIENCE });
  breaking = false;
  await guest.button("Start").first().click();
  await guest.prompt();
  const wanted = new Set(list.hashes.filter((h) => h !== ""));
  await expect.poll(() => new Set(asked).size, { timeout: PATIENCE }).toBe(wanted.size);
  // those under way when the bad one was given up may have been cut off: six at once, at most
  const twice = asked.filter((name, i) => name !== list.hashes[bad] && asked.indexOf(name) !== i);
  expect(twice.length).toBeLessThanOrEqual(6);

  await test.step("another visit: all is here", async () => {
    // what is fetched last is stored after it has come
    await expect.poll(() => keptChunks(page), { timeout: PATIENCE }).toBe(wanted.size);
    asked.length = 0;
    await page.reload();
    await guest.prompt();
    expect(await guest.run("echo again")).toBe("again");
    expect(asked).toEqual([]);
  });
});
