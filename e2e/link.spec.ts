// e2e/link.spec.ts — boot links: made in one browser, opened in another, checked in Node: the same machine each time.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest } from "./guest.ts";

const packed = (extra: object): string => `1.${deflateRawSync(JSON.stringify(extra)).toString("base64url")}`;

test("a link to this moment is the same machine in a fresh profile, interpreted, and in Node", async ({ page, browser }) => {
  test.setTimeout(300_000 * SLOW);
  const guest = new Guest(page);
  await page.goto("/");
  await guest.prompt();
  await guest.type("dmesg -n 1\n");
  await guest.run("echo was here > /root/visitor; sync");
  await page.getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Title").fill("Was here");
  await expect(dialog.getByText("This moment")).toContainText(/fingerprint [0-9a-f]{4}-[0-9a-f]{4}/);
  const link = dialog.getByRole("textbox", { name: "Link" });
  await expect(link).toHaveValue(/k=\d+\.\d+\.\d+~[0-9a-f]{12}.*n=Was%20here.*fp=[0-9a-f]{16}/);
  const url = await link.inputValue();
  const fp = /fp=([0-9a-f]{16})/.exec(url)![1]!;

  await test.step("it checks itself in a second worker", async () => {
    await dialog.getByRole("button", { name: "Check it" }).click();
    await expect(dialog.getByText(/Same machine: identical at instruction/)).toBeVisible({ timeout: 60_000 * SLOW });
  });
  await test.step("as Markdown, and as a QR code", async () => {
    await dialog.getByLabel("Markdown").check();
    await expect(dialog.getByRole("textbox", { name: "Markdown" })).toHaveValue(`[Was here](${url})`);
    await dialog.getByLabel("QR code").check();
    await expect(dialog.getByRole("img", { name: "The link as a QR code" })).toBeVisible();
  });

  for (const jit of ["", "?jit=off"]) {
    await test.step(`in a fresh profile ${jit}`, async () => {
      const context = await browser.newContext({ viewport: { width: 900, height: 600 } });
      const other = await context.newPage();
      const visitor = new Guest(other, 2000);
      await other.goto(url.replace("/#", `/${jit}#`));
      await expect(other.getByRole("status").filter({ hasText: "Identical at instruction" })).toBeVisible({ timeout: 120_000 * SLOW });
      await expect(other.getByRole("contentinfo", { name: "Figures" })).toContainText(`fingerprint ${fp.slice(0, 4)}-${fp.slice(4, 8)}`);
      await other.getByRole("button", { name: "Run on from here" }).click();
      await expect(other.getByText("made by another version of this page")).toBeHidden();
      expect(await visitor.run("cat /root/visitor")).toBe("was here");
      expect(visitor.errors).toEqual([]);
      expect(visitor.foreign).toEqual([]);
      await context.close();
    });
  }
  await test.step("as a file, dropped on the page", async () => {
    const download = page.waitForEvent("download");
    await dialog.getByRole("button", { name: "Download as a file" }).click();
    const bytes = readFileSync(await (await download).path()).toString("base64");
    const context = await browser.newContext();
    const other = await context.newPage();
    const visitor = new Guest(other, 3000);
    await visitor.off();
    const data = await other.evaluateHandle((base64) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "was-here.umlboot"));
      return transfer;
    }, bytes);
    await other.dispatchEvent(".app", "drop", { dataTransfer: data });
    await expect(other.getByRole("status").filter({ hasText: "Identical at instruction" })).toBeVisible({ timeout: 120_000 * SLOW });
    expect(visitor.errors).toEqual([]);
    await context.close();
  });
  await test.step("in Node", () => {
    const done = spawnSync(process.execPath, ["--import", "tsx", "scripts/vmlinux.ts", "--link", url], { encoding: "utf8" });
    expect(`${done.stdout}${done.stderr}`).toContain(fp);
    expect(done.status).toBe(0);
  });
  expect(guest.errors).toEqual([]);
});

test("a link with mistakes says what is wrong, and boots anyway", async ({ page }) => {
  const guest = new Guest(page);
  await page.goto(`/#/?b=1&i=nommu.ext4&k=0.0.1~abcd&m=9999&s=xyz&n=Broken&future=1`);
  const banner = page.getByRole("region", { name: "Opened link" });
  await expect(banner).toContainText("Broken");
  await expect(banner).toContainText("made by another version of this page (0.0.1~abcd; this is ");
  await expect(banner).toContainText("the memory in MiB should be from 16 to 1024, not 9999");
  await expect(banner).toContainText('the seed should be up to 16 hexadecimal digits, not "xyz"');
  await expect(banner).toContainText("Made by a newer version; not understood here, and kept: future");
  await expect(guest.state).toContainText("Off");
  await banner.getByRole("button", { name: "Boot anyway" }).click();
  await guest.prompt();
});

test("a link's command waits for a person, and its files are on a scratch disk", async ({ page }) => {
  const guest = new Guest(page);
  const extra = { command: "cat /root/brought\n", files: [{ path: "/root/brought", text: "from the link\n" }], notes: "Look at **this**." };
  await page.goto(`/#/?b=1&i=nommu.ext4&a=loglevel%3D1&x=${packed(extra)}`);
  await guest.prompt();
  const banner = page.getByRole("region", { name: "Opened link" });
  await expect(banner).toContainText("It brings a command: cat /root/brought");
  await expect(banner).toContainText("Look at **this**.");
  expect(await guest.screen()).not.toContain("from the link");
  await banner.getByRole("button", { name: "Run it" }).click();
  await guest.shows(/^from the link$/m);
  // nothing of it is stored, even if the guest syncs
  await guest.run("echo more > /root/more; sync");
  const kept = await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const open = indexedDB.open("pagezero");
        open.onsuccess = () => {
          const t = open.result.transaction(["disks", "clusters", "sessions"]);
          const counts = ["disks", "clusters", "sessions"].map((name) => t.objectStore(name).count());
          t.oncomplete = () => {
            open.result.close();
            resolve(counts.map((c) => c.result));
          };
        };
      }),
  );
  expect(kept).toEqual([0, 0, 0]);
  await expect(page.getByRole("contentinfo", { name: "Figures" })).toContainText("scratch copy");
});

test("an image from elsewhere is asked about, and an unknown one explained", async ({ page }) => {
  const guest = new Guest(page);
  await page.goto(`/#/?b=1&i=other.ext4&src=https%3A%2F%2Fexample.org%2Fother.ext4~${"ab".repeat(32)}`);
  const banner = page.getByRole("region", { name: "Opened link" });
  await expect(banner).toContainText("Its disk image comes from example.org, not from here");
  await expect(banner.getByRole("button", { name: "Fetch and boot it" })).toBeEnabled();
  await expect(banner).toContainText("does not say how large it is");
  await page.goto(`/#/?b=1&i=other.ext4&src=https%3A%2F%2Fexample.org%2Fother.ext4~${"ab".repeat(32)}~12582912`);
  await expect(banner).toContainText("12.0 MiB");
  expect(guest.foreign).toEqual([]);
  await page.goto("/#/?b=1&i=missing.ext4");
  await expect(banner).toContainText("There is no such image here");
  await expect(banner.getByRole("button", { name: "Boot it" })).toBeDisabled();
  await banner.getByRole("button", { name: "Boot the usual machine" }).click();
  await guest.prompt();
});
