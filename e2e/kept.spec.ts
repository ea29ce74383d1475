// e2e/kept.spec.ts — a visit begins at the prompt, booting is one click away; a machine that is kept goes on after a reload as if nothing had been.
import { expect, type Page, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest, PATIENCE } from "./guest.ts";

/** How many snapshots and events of sessions are stored. */
const stored = (page: Page): Promise<{ snapshots: number; events: number }> =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const open = indexedDB.open("pagezero");
        open.onsuccess = () => {
          const keys = open.result.transaction("sessions").objectStore("sessions").getAllKeys();
          keys.onsuccess = () => {
            open.result.close();
            const lengths = keys.result.map((k) => (k as unknown[]).length);
            resolve({ snapshots: lengths.filter((n) => n === 1).length, events: lengths.filter((n) => n === 2).length });
          };
        };
      }),
  );
/** How many events a machine would have that goes on with the session that is stored; and whether the last one is the Enter key, if it is stored by itself. */
const lastEvent = (page: Page): Promise<{ events: number; enter: boolean }> =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const open = indexedDB.open("pagezero");
        open.onsuccess = () => {
          const store = open.result.transaction("sessions").objectStore("sessions");
          const keys = store.getAllKeys();
          const values = store.getAll();
          values.onsuccess = () => {
            open.result.close();
            const stored = keys.result.map((k, i) => ({ n: (k as [string, number?])[1], value: values.result[i] as { events?: number; text?: string } }));
            const last = stored.findLast((s) => s.n !== undefined);
            const snapshot = stored.find((s) => s.n === undefined);
            resolve({ events: Math.max(snapshot?.value.events ?? 0, (last?.n ?? -1) + 1), enter: last === undefined || last.value.text === "\r" || last.value.text === "\n" });
          };
        };
      }),
  );

/** Types a line, until it shows what it is to show and all of it is stored, key by key or in a snapshot. */
async function typeAndStore(page: Page, guest: Guest, line: string, shows: RegExp): Promise<void> {
  const { events } = await lastEvent(page);
  await guest.type(line);
  await guest.shows(shows);
  await expect
    .poll(async () => {
      const now = await lastEvent(page);
      return now.events >= events + line.length && now.enter;
    }, { timeout: PATIENCE })
    .toBe(true);
}

test("a visit begins at the prompt; a machine that is kept goes on after a reload and after a crash", async ({ page: first }) => {
  test.setTimeout(300_000 * SLOW);
  let page = first;
  let guest = new Guest(page);
  await test.step("at the prompt, and a boot is one click away", async () => {
    await page.goto("/");
    await guest.prompt();
    await expect(page.getByText("Begun at the prompt")).toBeVisible();
    await guest.button("Watch it boot").click();
    await expect(page.getByText("Begun at the prompt")).toBeHidden();
    // who makes the window smaller, or types, before the machine is there is heard by it
    const whole = page.viewportSize()!;
    await page.setViewportSize({ width: whole.width, height: whole.height - 150 });
    await guest.type("ahead=typed\n");
    await guest.type("dmesg -n 1\n");
    expect(await guest.run("echo $ahead $((6*7))")).toBe("typed 42");
    await expect.poll(async () => Number((await guest.run("stty size")).split(" ")[0]), { timeout: PATIENCE }).toBe(await page.locator(".xterm-rows > div").count());
    await page.setViewportSize(whole);
  });
  await test.step("nothing is kept unless it is wanted", async () => {
    expect(await stored(page)).toEqual({ snapshots: 0, events: 0 });
    await guest.tab("Machine").click();
    await page.getByLabel("Go on after a reload").check();
  });
  await test.step("memory, processes and disk are as they were; what was typed last, too", async () => {
    await guest.run("x=remembered; sleep 100000 & echo synced > /root/kept; sync");
    await expect.poll(async () => (await stored(page)).snapshots, { timeout: PATIENCE }).toBe(1);
    await typeAndStore(page, guest, "y=typed-last; echo later > /root/late; sync; clear; echo done-$((1+1))\n", /done-2/);
    await page.reload();
    await expect(page.getByText("Your machine goes on where it was")).toBeVisible({ timeout: PATIENCE });
    await guest.prompt();
    // a note of where it began goes when somebody works
    await guest.type(" ");
    await expect(page.getByText("Your machine goes on where it was")).toBeHidden();
    expect(await guest.run("echo $x $y; cat /root/kept /root/late; kill -0 $! && echo alive")).toBe("remembered typed-last\nsynced\nlater\nalive");
    // the disk is right for whoever boots from it
    await guest.run("echo third > /root/third; sync");
  });
  await test.step("the tab's process dies in the middle: screen, history, memory and disk are as they were", async () => {
    const line = "z=in-the-middle; echo fourth > /root/fourth; sync; clear; echo died-$((3+4))\n";
    await typeAndStore(page, guest, line, /died-7/);
    const crashed = page.waitForEvent("crash");
    const cdp = await page.context().newCDPSession(page);
    void cdp.send("Page.crash").catch(() => undefined);
    await crashed;
    // a new tab, which knows nothing of the one that is gone
    const again = await page.context().newPage();
    expect(guest.errors).toEqual([]);
    page = again;
    guest = new Guest(page, 2000);
    await page.goto("/");
    await expect(page.getByText("A tab that is gone has left its machine")).toBeVisible({ timeout: PATIENCE });
    await guest.button("Go on with it").click();
    await expect(page.getByText("Your machine goes on where it was")).toBeVisible({ timeout: PATIENCE });
    await guest.shows(/died-7/);
    // what is typed while the machine is still on its way there waits
    expect(await guest.run("echo $x $y $z; cat /root/fourth; kill -0 $! && echo alive")).toBe("remembered typed-last in-the-middle\nfourth\nalive");
  });
  await test.step("a machine that is not wanted any more is forgotten; its disk is whole", async () => {
    await guest.tab("Machine").click();
    await page.getByLabel("Go on after a reload").uncheck();
    await expect.poll(async () => (await stored(page)).snapshots, { timeout: PATIENCE }).toBe(0);
    await page.reload();
    await guest.prompt();
    await guest.type("dmesg -n 1\n");
    expect(await guest.run("echo \"[$x]\"; cat /root/kept /root/late /root/third")).toBe("[]\nsynced\nlater\nthird");
  });
  expect(guest.errors).toEqual([]);
  expect(guest.foreign).toEqual([]);
});
