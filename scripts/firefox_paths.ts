// scripts/firefox_paths.ts — `npm run firefox`: the page's main paths in Debian's Firefox: a boot, a shell, every panel, one call recorded, a lesson's check, a file in and out, Tab.

import { build } from "./build.ts";
import { Firefox, SCREEN } from "./firefox.ts";
import { serve } from "./serve.ts";

if (!build()) throw new Error("the build failed");
const { server, port } = await serve("dist", 0, "127.0.0.1", true);
const firefox = await Firefox.launch();
const byText = (selector: string, text: string): string => `[...document.querySelectorAll(${JSON.stringify(selector)})].find((e) => e.textContent.trim() === ${JSON.stringify(text)})`;
const press = (selector: string, text: string): Promise<void> => firefox.until(`(() => { const e = ${byText(selector, text)}; e?.click(); return e !== undefined; })()`);
const has = (selector: string, text: string): Promise<void> => firefox.until(`[...document.querySelectorAll(${JSON.stringify(selector)})].some((e) => e.textContent.includes(${JSON.stringify(text)}))`);
const prompt = (): Promise<void> => firefox.until(`/[#$]$/.test(${SCREEN})`);
const PATIENCE_MS = 90_000;

async function step(what: string, act: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`${what}: did not happen within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  try {
    await Promise.race([act(), late]);
    console.log(`ok   ${what}`);
  } catch (e) {
    console.log(`FAIL ${what}: ${e instanceof Error ? e.message : String(e)}\n${await firefox.evaluate<string>(SCREEN).catch(() => "")}`);
    process.exitCode = 1;
  } finally {
    clearTimeout(timer);
  }
}

try {
  await firefox.viewport(1366, 800);
  await firefox.goto(`http://127.0.0.1:${port}/`);
  await step("the prompt", prompt);
  await step("a command", async () => {
    await firefox.click(".screen");
    await firefox.type("clear; echo $((6*7))y\n");
    await firefox.until(`/^42y$/m.test(${SCREEN})`);
  });
  for (const panel of ["Machine", "Disks", "Calls", "Processes", "Memory", "CPU", "Bench", "Page 0"])
    await step(`the panel ${panel}`, async () => {
      await press("[role=tab]", panel);
      await firefox.until(`document.querySelector("[role=tabpanel]").textContent.trim().length > 80`);
    });
  await step("one call in slow motion", async () => {
    await press("button", "Run getpid and record it");
    await has("[role=tabpanel]", "295 of them nops");
  });
  await step("a check of a lesson turns green", async () => {
    await press("button", "Lessons");
    await firefox.until(`(() => { const e = [...document.querySelectorAll(".lessonlist button")].find((b) => b.textContent.startsWith("zpoline")); e?.click(); return e !== undefined; })()`);
    await press(".lesson button", "Skip");
    await press(".lesson button", "Run");
    await has(".checks", "(done)");
  });
  await step("a file comes out", async () => {
    await firefox.click(".screen");
    await firefox.type("echo out > /mnt/host/out.txt\n");
    await has("[role=status]", "The guest has left out.txt");
  });
  await step("F6 leaves the console", async () => {
    await firefox.click(".screen");
    await firefox.type("\uE036");
    await firefox.until(`document.activeElement?.closest("[data-region=console]") === null`);
  });
  await step("the preflight page", async () => {
    await firefox.goto(`http://127.0.0.1:${port}/#/check`);
    await has("dialog", "There, with SIMD.");
  });
  for (const e of firefox.errors) {
    console.log(`FAIL the page said: ${e}`);
    process.exitCode = 1;
  }
} finally {
  await firefox.close();
  server.close();
}
