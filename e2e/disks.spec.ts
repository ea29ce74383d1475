// e2e/disks.spec.ts — the browser's storage is full; and a server without TLS, where the browser has no locks: what the guest had synced stays, and two tabs never mix.
import { chromium, expect, test } from "@playwright/test";
import { browser as browserOf, SLOW } from "./browser.ts";
import { Guest, QUIET } from "./guest.ts";

test.setTimeout(300_000 * SLOW);

test("when the browser has no room the guest gets ENOSPC and the visitor a sentence; with room again all is stored", async ({ page, context, baseURL }) => {
  const guest = new Guest(page);
  const { origin } = new URL(baseURL!);
  const session = await context.newCDPSession(page);
  // from the beginning: Chromium remembers for half a minute how much room there was
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 8 << 20 });
  await guest.boot(QUIET, false);
  expect(await guest.run("echo before > /root/before; sync; echo ok")).toBe("ok");
  expect(await guest.run("dd if=/dev/urandom of=/root/big bs=1M count=12 conv=fsync 2>&1 | grep -v records; ls /root/before")).toMatch(/No space left on device[^]*\/root\/before$/);
  await expect(page.getByText("The browser has no room left for this disk")).toBeVisible();
  await expect(page.getByRole("button", { name: "Download now" })).toBeVisible();
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  expect(await guest.run("dd if=/dev/zero of=/root/small bs=1k count=1 conv=fsync 2>&1 | grep -c 'No space'; md5sum < /root/big > /root/sum; sync; echo stored")).toMatch(/^0\nstored$/);
  await page.goto("/#off");
  await page.reload();
  await guest.boot(QUIET, false);
  expect(await guest.run("cat /root/before; md5sum < /root/big | cmp - /root/sum && echo complete")).toBe("before\ncomplete");
});

test("without locks the tab that came last has the disk; the first is told, and stores nothing more", async ({ baseURL }) => {
  const browser = await chromium.launch(browserOf("--host-resolver-rules=MAP pagezero.test 127.0.0.1"));
  try {
    const context = await browser.newContext({ baseURL: baseURL!.replace("127.0.0.1", "pagezero.test") });
    const first = new Guest(await context.newPage());
    await first.boot(QUIET, false);
    expect(await first.page.evaluate(() => "locks" in navigator)).toBe(false);
    expect(await first.run("echo first > /root/who; sync; cat /root/who")).toBe("first");
    const second = new Guest(await context.newPage());
    await second.boot(QUIET, false);
    expect(await second.run("cat /root/who; echo second > /root/who; sync; cat /root/who")).toBe("first\nsecond");
    await first.page.bringToFront();
    expect(await first.run("dd if=/dev/zero of=/root/late bs=1k count=1 conv=fsync 2>&1 | grep -v records")).toContain("error");
    await expect(first.page.getByText("Another tab has taken this disk over")).toBeVisible();
    await first.page.close();
    await second.page.bringToFront();
    await second.page.reload();
    await second.boot(QUIET, false);
    expect(await second.run("cat /root/who; ls /root/late")).toMatch(/^second\n.*No such file/);
  } finally {
    await browser.close();
  }
});
