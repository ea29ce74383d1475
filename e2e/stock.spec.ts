// e2e/stock.spec.ts — a distribution's own files, as they are: an archive of Alpine's root directory is dropped on the page, becomes a disk, boots, and works.
import { existsSync, readFileSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest, PATIENCE, shellTools } from "./guest.ts";

const FOLDER = process.env["ALPINE"] ?? "../shared/data";
const NAME = "alpine-minirootfs-3.20.3-x86_64";
const ARCHIVE = `${FOLDER}/${NAME}.tar.gz`;

/**
 * This shell asks the terminal where the cursor is, each time before it reads a line, and the answer comes as if it were typed. Whoever types must wait for it, or it gets into
 * what reads next.
 */
class StockGuest extends Guest {
  private answers = 0;

  static async open(page: Page): Promise<StockGuest> {
    await page.addInitScript(() => {
      const post = MessagePort.prototype.postMessage;
      const counted = globalThis as { cursorReports?: number };
      counted.cursorReports = 0;
      MessagePort.prototype.postMessage = function (this: MessagePort, message: unknown, ...rest: unknown[]) {
        post.apply(this, [message, ...rest] as Parameters<typeof post>);
        const { type, bytes } = (message ?? {}) as { type?: string; bytes?: Uint8Array };
        if (type === "input" && bytes !== undefined && /\x1b\[\d+;\d+R/.test(String.fromCharCode(...bytes))) counted.cursorReports!++;
      } as typeof post;
    });
    return new StockGuest(page);
  }
  /** The page was loaded again, and counts from nothing. */
  reopened(): void {
    this.answers = 0;
  }
  /** The shell waits for a line: the prompt is there, and its question about the cursor was answered. */
  override async prompt(): Promise<void> {
    await super.prompt();
    let now = this.answers;
    await expect.poll(async () => (now = await this.page.evaluate(() => (globalThis as { cursorReports?: number }).cursorReports ?? 0)), { timeout: PATIENCE, message: "the shell should have asked where the cursor is" }).toBeGreaterThan(this.answers);
    this.answers = now;
  }
  /** A line that the shell goes on to read more after, and then waits for the next. */
  override async more(line: string): Promise<void> {
    await this.page.keyboard.type(`${line}\n`);
    const before = this.answers;
    await expect.poll(async () => (this.answers = await this.page.evaluate(() => (globalThis as { cursorReports?: number }).cursorReports ?? 0)), { timeout: PATIENCE }).toBeGreaterThan(before);
  }
}

test.skip(!existsSync(ARCHIVE), `${ARCHIVE} is not here (ALPINE says where it is)`);

test("the archive of Alpine's root directory becomes a disk, and its own shell works", async ({ page }) => {
  test.setTimeout(1_200_000 * SLOW);
  const guest = await StockGuest.open(page);
  await guest.off();
  await test.step("dropped on the page", async () => {
    const bytes = readFileSync(ARCHIVE).toString("base64");
    const transfer = await page.evaluateHandle(
      ([name, base64]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(base64!), (c) => c.charCodeAt(0))], name!, { type: "application/gzip" }));
        return transfer;
      },
      [`${NAME}.tar.gz`, bytes],
    );
    await page.dispatchEvent(".app", "dragover", { dataTransfer: transfer });
    await expect(page.getByText("Drop an ext4 image or a tar archive")).toBeVisible();
    await page.dispatchEvent(".app", "drop", { dataTransfer: transfer });
    await expect(page.getByLabel("Kernel command line")).toHaveValue(new RegExp(`ubd0=${NAME}\\.ext4 .*nommu\\.map_fixed=own nommu\\.fork=shadow`));
    await page.locator(".settings").getByRole("button", { name: "Start" }).click();
    await expect(guest.state).toContainText("Running", { timeout: PATIENCE });
    await guest.prompt();
  });
  expect(await guest.run("cat /etc/alpine-release")).toBe("3.20.3");
  await shellTools(guest);
  await test.step("its package manager", async () => {
    expect(await guest.run("apk --version")).toMatch(/^apk-tools 2\.14\.4/);
    const packages = (await guest.run("apk info 2>/dev/null")).split("\n");
    expect(packages).toHaveLength(14);
    expect(packages).toContain("busybox");
    expect(await guest.run("apk info -vv 2>/dev/null | sort | head -n 1")).toMatch(/^alpine-baselayout-3\.6\.5/);
    expect(await guest.run("ssl_client 2>&1 | head -n 1; echo $?")).toMatch(/0$/);
  });
  await test.step("the disk is kept, and boots again from what was stored", async () => {
    await guest.run("echo kept > /root/mine; sync");
    await page.goto("/#off");
    await page.reload();
    await guest.tab("Machine").click();
    await page.getByLabel(new RegExp(`^${NAME}`)).check();
    await expect(page.getByLabel("Kernel command line")).toHaveValue(/nommu\.fork=shadow/);
    await page.locator(".settings").getByRole("button", { name: "Start" }).click();
    guest.reopened();
    await guest.prompt();
    expect(await guest.run("cat /root/mine")).toBe("kept");
  });
  expect(guest.errors).toEqual([]);
  expect(guest.foreign).toEqual([]);
});

test("without the parameters it fails as on a machine without an MMU, and the log says what would help", async ({ page }) => {
  test.setTimeout(300_000 * SLOW);
  const guest = new Guest(page);
  await guest.off();
  await page.getByLabel("Image file").setInputFiles(ARCHIVE);
  const line = page.getByLabel("Kernel command line");
  await expect(line).toHaveValue(new RegExp(`ubd0=${NAME}`));
  await page.getByLabel("Scratch copy").check();
  await line.fill(`ubd0=${NAME}.ext4 rw loglevel=8 init=/bin/sh -- -c "ls | cat"`);
  await page.locator(".settings").getByRole("button", { name: "Start" }).click();
  await guest.shows(/can't fork: Invalid argument/);
  await guest.shows(/nommu\.fork=shadow on the command line does without/);
  await line.fill(`ubd0=${NAME}.ext4 rw loglevel=8 nommu.fork=shadow init=/bin/sh -- -c "apk --version >/dev/null 2>&1; exec sleep 1000"`);
  await page.getByRole("button", { name: "Start again" }).click();
  await guest.shows(/nommu\.map_fixed=own on the command line/);
});
