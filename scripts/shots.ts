// scripts/shots.ts — `npm run shots [-- NAME…]`: pictures of every screen, in both themes, wide and phone, into shots/.
//
// The machine is seeded and stands still at the end of what was typed, so that two runs give the same pictures. Needs Chromium (CHROMIUM=path) and a build.
import { mkdirSync } from "node:fs";
import { chromium, type Browser, type Locator, type Page } from "@playwright/test";
import { build } from "./build.ts";
import { serve } from "./serve.ts";

const OUT = "shots";
const CMDLINE = "ubd0=nommu.ext4 rw mem=64m seed=1 loglevel=4 init=/sbin/init";
const PATIENCE = 120_000;

interface Shot {
  readonly name: string;
  /** brings the screen there, from a booted machine */
  readonly open: (page: Page) => Promise<void>;
}

/** The page shows one part at a time. */
const isPhone = (page: Page): boolean => (page.viewportSize()?.width ?? 0) < 900;
const shown = (page: Page, part: string): Locator => page.getByRole("navigation", { name: "What is shown" }).getByRole("button", { name: part });

const tab = async (page: Page, name: string): Promise<void> => {
  if (isPhone(page)) await shown(page, "Inspect").click();
  else if ((await page.getByRole("tab", { name }).count()) === 0) await page.getByRole("button", { name: "Inspect", exact: true }).click();
  await page.getByRole("tab", { name }).click();
};
async function type(page: Page, text: string, until: RegExp): Promise<void> {
  if (isPhone(page)) await shown(page, "Console").click();
  await page.locator(".screen").click();
  await page.keyboard.type(text);
  await page.waitForFunction(
    ([source]) => new RegExp(source!, "m").test([...document.querySelectorAll(".xterm-rows > div")].map((d) => (d.textContent ?? "").replaceAll("\u00a0", " ").trimEnd()).join("\n")),
    [until.source],
    { timeout: PATIENCE },
  );
}
async function lessons(page: Page): Promise<void> {
  await (isPhone(page) ? shown(page, "Text") : page.getByRole("button", { name: "Lessons", exact: true })).click();
}
const scrollTo = (page: Page, name: string): Promise<void> => page.locator(`section[aria-label="${name}"]`).evaluate((e) => e.scrollIntoView());

const SHOTS: readonly Shot[] = [
  { name: "console", open: async (page) => void (await page.getByRole("button", { name: "Close the panel" }).click().catch(() => undefined)) },
  { name: "page0", open: (page) => tab(page, "Page 0") },
  {
    name: "slow",
    open: async (page) => {
      await tab(page, "Page 0");
      await page.getByRole("button", { name: "Run getpid and record it" }).click();
      const slider = page.getByLabel("Step of the call");
      await slider.waitFor({ timeout: PATIENCE });
      await slider.fill("60");
      await scrollTo(page, "One call in slow motion");
    },
  },
  {
    name: "rewrite",
    open: async (page) => {
      await tab(page, "Page 0");
      await page.getByRole("button", { name: /ld-musl/ }).click();
      await page.locator(".twocode").waitFor();
      await scrollTo(page, "The rewriting");
    },
  },
  {
    name: "modes",
    open: async (page) => {
      await tab(page, "Page 0");
      await scrollTo(page, "Ways to catch a system call");
    },
  },
  {
    name: "calls",
    open: async (page) => {
      await tab(page, "Calls");
      await type(page, "ls /etc; nommu-demo map-fixed\n", /look: the musl/);
    },
  },
  { name: "processes", open: async (page) => {
    await tab(page, "Processes");
    await page.getByRole("button", { name: "sh", exact: true }).first().click();
  } },
  {
    name: "memory",
    open: async (page) => {
      await tab(page, "Memory");
      await page.locator(".hex").waitFor();
    },
  },
  {
    name: "cpu",
    open: async (page) => {
      await tab(page, "CPU");
      await page.getByLabel("Which").fill("getpid by getpid");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.locator(".list li").waitFor();
      if (isPhone(page)) await shown(page, "Console").click();
      await page.locator(".screen").click();
      await page.keyboard.type("/usr/libexec/nommu/getpid\n");
      if (isPhone(page)) await tab(page, "CPU");
      await page.locator(".stopped", { hasText: "breakpoint" }).waitFor({ timeout: PATIENCE });
    },
  },
  { name: "bench", open: (page) => tab(page, "Bench") },
  { name: "disks", open: (page) => tab(page, "Disks") },
  { name: "machine", open: (page) => tab(page, "Machine") },
  {
    name: "transcript",
    open: async (page) => {
      await type(page, "ls /etc; false; nommu-demo page0\n", /look: the panel/);
      await page.getByRole("button", { name: "Transcript", exact: true }).click();
    },
  },
  { name: "lessons", open: lessons },
  {
    name: "lesson",
    open: async (page) => {
      await lessons(page);
      await page.getByRole("button", { name: /^Tour/ }).click();
      await page.getByRole("button", { name: "Skip" }).click();
      await page.getByRole("button", { name: "Show me" }).click();
      await page.locator(".checks .green").nth(1).waitFor({ timeout: PATIENCE });
    },
  },
  { name: "help", open: async (page) => void (await page.getByRole("button", { name: "Help and keyboard" }).click()) },
  { name: "commands", open: async (page) => void (await page.getByRole("button", { name: "Search all commands" }).click()) },
];

async function boot(page: Page): Promise<void> {
  await page.goto("#off");
  await tab(page, "Machine");
  await page.getByLabel("Kernel command line").fill(CMDLINE);
  await page.getByLabel("Scratch copy").check();
  await page.locator(".settings").getByRole("button", { name: "Start" }).click();
  await type(page, "", /# ?$/);
  await type(page, "dmesg -n 1; clear; cat /etc/motd; uname -a; ls /\n", /usr/);
}

async function take(browser: Browser, baseURL: string, wanted: readonly string[], themes: readonly ("light" | "dark")[], phone: boolean): Promise<void> {
  for (const shot of SHOTS) {
    if (wanted.length > 0 && !wanted.includes(shot.name)) continue;
    const context = await browser.newContext({
      baseURL, colorScheme: themes[0]!, reducedMotion: "reduce", viewport: phone ? { width: 390, height: 844 } : { width: 1440, height: 900 }, deviceScaleFactor: phone ? 2 : 1, hasTouch: phone,
    });
    const page = await context.newPage();
    await boot(page);
    await shot.open(page);
    const pause = page.getByRole("button", { name: "Pause", exact: true }).first();
    if (await pause.isEnabled().catch(() => false)) await pause.click().catch(() => undefined);
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await page.waitForTimeout(700);
      const file = `${OUT}/${shot.name}-${theme}-${phone ? "phone" : "wide"}.png`;
      await page.screenshot({ path: file, animations: "disabled" });
      console.log(file);
    }
    await context.close();
  }
}

const args = process.argv.slice(2);
const wanted = args.filter((a) => !a.startsWith("--"));
/** `--wide`, `--phone`, `--light`, `--dark`: only these; without one of a pair, both */
const only = (name: string): boolean => args.includes(`--${name}`) || !(["wide", "phone"].includes(name) ? ["--wide", "--phone"] : ["--light", "--dark"]).some((a) => args.includes(a));
if (!build()) process.exit(1);
mkdirSync(OUT, { recursive: true });
const { server, port } = await serve("dist", 8100, "127.0.0.1");
const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
try {
  for (const phone of [false, true]) {
    if (!only(phone ? "phone" : "wide")) continue;
    await take(browser, `http://127.0.0.1:${port}/`, wanted, (["dark", "light"] as const).filter(only), phone);
  }
} finally {
  await browser.close();
  server.close();
}
