// e2e/play.spec.ts — the playground: what is seen of one call, steps and breakpoints, a poke, a lesson, the palette, the transcript; nothing serious for axe in either theme.
import { readFileSync } from "node:fs";
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "@playwright/test";
import { SLOW } from "./browser.ts";
import { Guest, PATIENCE } from "./guest.ts";

test.setTimeout(300_000 * SLOW);

test("one call recorded, a breakpoint, steps, a poke, the transcript", async ({ page }) => {
  const guest = new Guest(page);
  await guest.boot();
  const panel = page.getByRole("tabpanel");

  await test.step("getpid in slow motion", async () => {
    await guest.tab("Page 0").click();
    await panel.getByRole("button", { name: "Run getpid and record it" }).click();
    const slider = panel.getByLabel("Step of the call");
    await expect(slider).toBeVisible({ timeout: PATIENCE });
    await expect(panel).toContainText("295 of them nops");
    await slider.fill(await slider.evaluate((e: HTMLInputElement) => e.max));
    await expect(panel.getByText(/^Back in getpid/)).toBeVisible();
    await guest.prompt();
  });

  await test.step("a breakpoint on a call, and one instruction", async () => {
    await guest.tab("CPU").click();
    await panel.getByLabel("Which").fill("nosuch");
    await panel.getByRole("button", { name: "Add", exact: true }).click();
    await expect(panel.getByRole("alert")).toContainText("no system call");
    await panel.getByLabel("Which").fill("uname by uname");
    await panel.getByRole("button", { name: "Add", exact: true }).click();
    await expect(panel.getByText("uname calls uname")).toBeVisible();
    await guest.type("uname\n");
    await expect(panel.getByText(/there is a breakpoint on it/)).toBeVisible({ timeout: PATIENCE });
    await expect(guest.state).toContainText("Paused");
    await panel.getByRole("button", { name: "Step", exact: true }).click();
    await expect(panel.getByText(/^One instruction of uname/)).toBeVisible({ timeout: PATIENCE });
    // long words go on below, instead of beyond the panel's edge
    await expect(panel.locator(".code.words .plain").first()).toHaveCSS("white-space", "normal");
    await panel.getByRole("button", { name: /^Remove/ }).click();
    await guest.button("Resume").click();
    await guest.prompt();
  });

  await test.step("typing in the past makes a branch; nothing is lost, and both can be gone back to", async () => {
    const time = page.getByRole("region", { name: "Time" });
    const count = /: instruction ([\d,]+) of \1,/;
    expect(await guest.run("echo first-$((1+1))")).toBe("first-2");
    // once the machine sleeps: what the status line and the panel say of it is the same then, and neither may have said it yet
    const figures = page.getByRole("contentinfo", { name: "Figures" });
    let at = "";
    await expect
      .poll(async () => {
        const line = await figures.innerText();
        at = /^([\d,]+) instructions/.exec(line)?.[1] ?? "";
        return line.includes("idle") && (await time.innerText()).includes(`The present: instruction ${at} of ${at},`);
      }, { timeout: PATIENCE })
      .toBe(true);
    await guest.type("echo one-way-$((2+2))\n");
    await guest.shows(/^one-way-4$/m);
    await expect(time).not.toContainText(`instruction ${at} of`);
    await expect(time).toContainText(count);
    await time.getByLabel("Instruction").fill("a lot");
    await time.getByRole("button", { name: "Go there" }).click();
    await expect(time.getByRole("alert")).toContainText("Write a count of instructions from 0 to");
    await time.getByLabel("Instruction").fill(at);
    await time.getByRole("button", { name: "Go there" }).click();
    await expect(panel.getByText(`At instruction ${at}.`)).toBeVisible({ timeout: PATIENCE });
    await expect(page.getByText(/^going there/)).toBeHidden();
    await guest.shows(/first-2[^]*# ?$/);
    expect(await guest.screen()).not.toContain("one-way");
    // the machine stands still there; whoever types goes on from there
    await guest.type("echo other-way-$((3+3))\n");
    await guest.shows(/^other-way-6$/m);
    await expect(guest.state).toContainText("Running");
    const branches = time.getByRole("list", { name: "Branches" }).getByRole("listitem");
    await expect(branches).toHaveCount(2);
    await expect(branches.nth(1)).toContainText(`left at instruction ${at}`);
    await branches.nth(0).getByRole("button", { name: "Go to its end" }).click();
    await guest.shows(/^one-way-4$/m);
    expect(await guest.screen()).not.toContain("other-way");
    await branches.nth(1).getByRole("button", { name: "Go to its end" }).click();
    await guest.shows(/^other-way-6$/m);
    expect(await guest.screen()).not.toContain("one-way");
    await guest.button("Resume").click();
    await guest.prompt();
  });

  await test.step("a byte of somebody else's memory", async () => {
    await guest.type("/usr/libexec/nommu/visited &\n");
    let address = "";
    await expect.poll(async () => (address = /untouched", at 0x([0-9a-f]+)/.exec(await guest.screen())?.[1] ?? ""), { timeout: PATIENCE }).not.toBe("");
    await guest.tab("Memory").click();
    await panel.getByRole("button", { name: "With an MMU it would be" }).click();
    await expect(panel.locator(".mmu li")).not.toHaveCount(0);
    await panel.getByLabel("address").fill(address);
    await panel.getByRole("button", { name: "Show", exact: true }).click();
    await expect(panel.getByRole("status", { name: "What these bytes are" })).toContainText("untouched");
    await panel.getByLabel("Bytes to write").fill('"hello"');
    await panel.getByRole("button", { name: "Poke" }).click();
    await guest.shows(/somebody wrote "helloched"/);
  });

  await test.step("a file goes in, and another comes out", async () => {
    await guest.tab("Disks").click();
    const chooser = page.waitForEvent("filechooser");
    await panel.getByRole("button", { name: "Put files into the guest…" }).click();
    await (await chooser).setFiles({ name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("from outside\n") });
    await expect(panel.getByRole("table", { name: "Shared files" })).toContainText("note.txt");
    expect(await guest.run("tr a-z A-Z < /mnt/host/note.txt | tee /mnt/host/loud.txt")).toContain("FROM OUTSIDE");
    const download = page.waitForEvent("download");
    await page.getByRole("status").filter({ hasText: "The guest has left loud.txt" }).getByRole("button", { name: "Download" }).click();
    expect(readFileSync(await (await download).path(), "utf8")).toBe("FROM OUTSIDE\n");
  });

  await test.step("a folder is dropped: the guest gets an archive of it", async () => {
    await guest.drop("public/lessons");
    const question = page.getByRole("dialog", { name: "lessons.tar" });
    await question.getByRole("button", { name: "Put it into the guest as a file" }).click();
    await expect(page.getByRole("status").filter({ hasText: "The guest has lessons.tar in /mnt/host now" })).toBeVisible();
    expect(await guest.run("tar tf /mnt/host/lessons.tar | grep -c '\\.md$'; tar xOf /mnt/host/lessons.tar tour.md | head -n 2 | tail -n 1")).toBe("11\ntitle: Tour");
  });

  await test.step("con1 has a shell of its own", async () => {
    await guest.button("con1").click();
    await guest.prompt();
    await guest.type("echo $((40+2))y; tty; stty size\n");
    // a window of its own, too
    await guest.shows(new RegExp(`^42y\n/dev/tty1\n${await page.locator(".xterm-rows > div").count()} \\d+$`, "m"));
    await guest.button("con0").click();
  });

  await test.step("the palette and the transcript", async () => {
    await page.keyboard.press("Control+Shift+P");
    await page.getByRole("combobox", { name: "Search commands" }).fill("transcript");
    await page.keyboard.press("Enter");
    const log = page.getByRole("log", { name: "Transcript" });
    await expect(log).toContainText("uname: exit 0");
  });
  expect(guest.errors).toEqual([]);
  expect(guest.foreign).toEqual([]);
});

test("a lesson: what it asks for turns green when it happens", async ({ page }) => {
  const guest = new Guest(page);
  await guest.boot();
  await guest.button("Lessons").click();
  const lesson = page.getByRole("complementary", { name: "Lesson" });
  await lesson.getByRole("button", { name: /^zpoline: two bytes/ }).click();
  await lesson.getByRole("button", { name: "Skip" }).click();
  await expect(lesson.getByRole("heading", { name: "What is in memory" })).toBeVisible();
  const checks = lesson.getByRole("list", { name: "Checks" });
  await expect(checks).not.toContainText("(done)");
  await lesson.getByRole("button", { name: "Run" }).click();
  await expect(checks.getByText("(done)")).toHaveCount(1, { timeout: PATIENCE });
  await checks.getByLabel(/^Answer/).fill("0f 05");
  await checks.getByRole("button", { name: "Check" }).click();
  await expect(checks).toContainText("Not “0f 05”");
  await checks.getByLabel(/^Answer/).fill("FF D0");
  await checks.getByRole("button", { name: "Check" }).click();
  await expect(checks.getByText("(done)")).toHaveCount(2);
  // the same step from its beginning: a fresh machine, and nothing is green
  await lesson.getByRole("button", { name: "Reset this step" }).click();
  await expect(checks).not.toContainText("(done)");
  await guest.prompt();
  await lesson.getByRole("button", { name: "⚑ Stuck" }).click();
  await expect(page).toHaveTitle(/^⚑ stuck/);
  await lesson.getByRole("button", { name: "Next" }).click();
  await expect(page).not.toHaveTitle(/stuck/);
  await expect(lesson.getByRole("heading", { name: "Why that address is there" })).toBeVisible();
  expect(guest.errors).toEqual([]);
});

test("every lesson opens, step after step", async ({ page }) => {
  const guest = new Guest(page);
  await guest.off();
  await test.step("what is dropped and cannot be a disk", async () => {
    await guest.drop("package.json");
    await expect(page.getByRole("alert")).toContainText("The machine is off. Start it, then drop files");
    await page.getByRole("alert").getByRole("button", { name: "Close" }).click();
  });
  await guest.button("Lessons").click();
  const lesson = page.getByRole("complementary", { name: "Lesson" });
  const list = lesson.locator(".lessonlist button");
  await expect(list).toHaveCount(11);
  for (let i = 0; i < 11; i++) {
    await list.nth(i).click();
    for (;;) {
      await expect(lesson.locator(".lessontext p").first()).toBeVisible();
      const next = lesson.locator(".lessonnav button").last();
      const last = /Finish|list/.test((await next.textContent()) ?? "");
      await next.click();
      if (last) break;
    }
    await expect(list).toHaveCount(11);
  }
  expect(guest.errors).toEqual([]);
});

test("axe finds nothing serious, in either theme", async ({ page }) => {
  const theme = async (colorScheme: "light" | "dark"): Promise<void> => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // the page hears of it with the next frame
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  };
  await theme("light");
  const guest = new Guest(page);
  await guest.boot();
  const look = async (what: string): Promise<void> => {
    const axe = (): AxeBuilder => new AxeBuilder({ page }).exclude(".xterm");
    const light = await axe().options({ resultTypes: ["violations"] }).analyze();
    await theme("dark");
    // all that a theme can change
    const dark = await axe().options({ resultTypes: ["violations"], runOnly: ["color-contrast", "link-in-text-block"] }).analyze();
    await theme("light");
    const serious = [...light.violations, ...dark.violations].filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(" | ")}`);
    expect(serious, what).toEqual([]);
  };
  for (const tab of ["Machine", "Disks", "Page 0", "Calls", "Processes", "Memory", "CPU", "Bench"]) {
    await guest.tab(tab).click();
    await expect(page.getByRole("tabpanel").getByText("…", { exact: true })).toBeHidden();
    await look(tab);
  }
  await guest.button("Lessons").click();
  await page.getByRole("button", { name: /^Tour/ }).click();
  await expect(page.locator(".lessontext")).toBeVisible();
  await look("a lesson");
  await page.getByRole("button", { name: "Transcript", exact: true }).click();
  await look("the transcript");
  await guest.button("Search all commands").click();
  await look("the palette");
  await page.keyboard.press("Escape");
  await guest.button("Help and keyboard").click();
  await expect(page.getByRole("heading", { name: /An x86-64 CPU/ })).toBeInViewport();
  await look("the help");
  await page.keyboard.press("Escape");
  await guest.button("Share").click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await look("the share dialog");
  await page.keyboard.press("Escape");
  await page.goto("/#/check");
  await expect(page.getByRole("dialog", { name: "Is this browser ready?" })).toContainText("WebAssembly");
  await look("the preflight page");
  await page.goto("/embed.html");
  await expect(page.getByRole("button", { name: "Start Linux in this page" })).toBeVisible();
  await expect(page.locator(".message")).toBeHidden();
  await look("the embedded machine");
});
