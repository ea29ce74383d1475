// scripts/bench/ui.ts — `npm run bench -- ui`: is the page quick while the guest is busy, and does looking slow the guest down? In Chromium, on this machine.
//
// A key is a key event, its echo the end of the frame in which the terminal first shows it. Main-thread tasks are the browser's own "longtask" entries. An update is a frame in which something in the
// panel has changed. Slowdown compares instructions a second with a panel open and closed, in turns; the guest spends them on system calls, which is what panels watch. The seconds are
// those that the machine's worker has had on a CPU, so that what else this host does is not counted; where the host does not tell (it does on Linux), they are those of the wall.
import { readdirSync, readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { launch, servePage } from "./runners.ts";

const LINE = "ubd0=nommu.ext4 rw mem=64m loglevel=4 init=/sbin/init";
/** keys for each panel; ms between two; ms of each count of instructions */
const KEYS = 25;
const BETWEEN = 90;
const COUNT_MS = 800;

export const GOALS = { echoMs: 50, taskMs: 50, updates: 15, slowdown: 5 } as const;

interface Seen {
  readonly echo: number[];
  readonly tasks: number[];
  readonly updates: number;
}

/** Put into the page: notes what happens from now on. */
function watch(): void {
  const echo: number[] = [];
  const tasks: number[] = [];
  let frames = 0;
  let changed = false;
  const began = performance.now();
  let pressed: number | undefined;
  const onKey = (e: KeyboardEvent): void => {
    pressed ??= e.timeStamp;
  };
  addEventListener("keydown", onKey, true);
  const rows = document.querySelector(".xterm-rows")!;
  const terminal = new MutationObserver(() => {
    if (pressed === undefined) return;
    const at = pressed;
    pressed = undefined;
    // the terminal draws in a frame's own callback: what it drew is in that frame, whose layout and painting end before a message comes that is sent now
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => echo.push(performance.now() - at);
    port2.postMessage(0);
  });
  terminal.observe(rows, { childList: true, subtree: true, characterData: true });
  const long = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((t) => t.duration)));
  long.observe({ entryTypes: ["longtask"] });
  const panel = document.querySelector(".panel .body");
  const inspector = new MutationObserver(() => {
    if (changed) return;
    changed = true;
    requestAnimationFrame(() => {
      frames++;
      changed = false;
    });
  });
  if (panel !== null) inspector.observe(panel, { childList: true, subtree: true, characterData: true, attributes: true });
  (globalThis as unknown as { seen: () => Seen }).seen = () => {
    for (const o of [terminal, inspector, long]) o.disconnect();
    removeEventListener("keydown", onKey, true);
    return { echo, tasks, updates: (frames * 1000) / (performance.now() - began) };
  };
}

const screen = (page: Page): Promise<string> => page.locator(".xterm-rows > div").allTextContents().then((r) => r.map((l) => l.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd());
async function shows(page: Page, what: RegExp): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (what.test(await screen(page))) return;
    await page.waitForTimeout(100);
  }
  throw new Error(`the console does not show ${what}`);
}

/** ms that threads of this name have run, of processes that descend from this one; undefined where /proc does not tell. */
function threadMs(name: string): number | undefined {
  try {
    const parent = new Map(readdirSync("/proc").filter((p) => /^\d+$/.test(p)).map((p) => [p, /^\d+ \(.*\) . (\d+)/s.exec(text(`/proc/${p}/stat`))?.[1]]));
    const ours = (pid: string | undefined): boolean => pid !== undefined && (pid === String(process.pid) || ours(parent.get(pid)));
    const threads = [...parent.keys()].filter(ours).flatMap((p) => readdirSync(`/proc/${p}/task`).map((t) => `/proc/${p}/task/${t}`));
    const ns = threads.filter((t) => text(`${t}/comm`).startsWith(name)).map((t) => Number(text(`${t}/schedstat`).split(" ")[0]));
    return ns.length === 0 ? undefined : ns.reduce((a, b) => a + b, 0) / 1e6;
  } catch {
    return undefined;
  }
}
/** A file; "" when it is gone. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
/** Instructions retired, at the moment when the status line says it anew. */
const retired = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const figure = document.querySelector(".status b")!;
    return new Promise<number>((resolve) => {
      const observer = new MutationObserver(() => {
        observer.disconnect();
        resolve(Number((figure.textContent ?? "").replace(/\D/g, "")));
      });
      observer.observe(figure, { childList: true, subtree: true, characterData: true });
    });
  });

/** Instructions a ms between two moments. */
async function speed(page: Page): Promise<number> {
  const now = (): number => threadMs("DedicatedWorker") ?? performance.now();
  const from = await retired(page);
  const start = now();
  await page.waitForTimeout(COUNT_MS);
  const to = await retired(page);
  return (to - from) / (now() - start);
}
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const p95 = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)] ?? 0;

/** Of these panels, or of all. Returns whether all goals are met. */
export async function benchUi(rounds: number, say: (line: string) => void, only: readonly string[] = []): Promise<boolean> {
  const { url, server } = await servePage();
  const browser = await launch();
  const echo: number[] = [];
  const tasks: number[] = [];
  let updates = 0;
  const slow: { readonly panel: string; readonly percent: number }[] = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    // tsx keeps the names of functions by a helper that pages do not have
    await page.addInitScript("globalThis.__name = (f) => f");
    await page.goto(`${url}#off`);
    await page.getByRole("tab", { name: "Machine" }).click();
    await page.getByLabel("Kernel command line").fill(LINE);
    await page.getByLabel("Scratch copy").check();
    await page.locator(".settings").getByRole("button", { name: "Start" }).click();
    await shows(page, /# ?$/);
    const panels = (await page.getByRole("tab").allTextContents()).filter((t) => t !== "Bench" && (only.length === 0 || only.includes(t)));
    if (panels.length === 0) throw new Error(`there is no panel ${only.join(", ")}`);
    await page.locator(".screen").click();
    await page.keyboard.type("yes > /dev/null &\n");
    await shows(page, /# ?$/);
    await page.waitForTimeout(2000);
    const close = page.getByRole("button", { name: "Close the panel" });
    const inspect = page.getByRole("button", { name: "Inspect", exact: true });
    say(`${"panel".padEnd(12)}${"echo p95 ms".padStart(12)}${"longest task".padStart(14)}${"updates/s".padStart(11)}${"guest slower".padStart(14)}`);
    for (const panel of panels) {
      const ratios: number[] = [];
      for (let i = 0; i < rounds; i++) {
        if (await close.isVisible()) await close.click();
        await page.waitForTimeout(300);
        const without = await speed(page);
        await inspect.click();
        await page.getByRole("tab", { name: panel, exact: true }).click();
        await page.waitForTimeout(700);
        ratios.push((await speed(page)) / without);
      }
      // keys, with this panel open
      await page.locator(".screen").click();
      await page.evaluate(watch);
      for (let i = 0; i < KEYS; i++) {
        await page.keyboard.press("x");
        await page.waitForTimeout(BETWEEN + (i % 5) * 7);
      }
      const here = await page.evaluate(() => (globalThis as unknown as { seen: () => Seen }).seen());
      await page.keyboard.press("Control+u");
      const percent = (1 - median(ratios)) * 100;
      slow.push({ panel, percent });
      echo.push(...here.echo);
      tasks.push(...here.tasks);
      updates = Math.max(updates, here.updates);
      say(`${panel.padEnd(12)}${p95(here.echo).toFixed(1).padStart(12)}${(here.tasks.length === 0 ? "under 50" : Math.max(...here.tasks).toFixed(0)).padStart(14)}${here.updates.toFixed(1).padStart(11)}${`${percent.toFixed(1)} %`.padStart(14)}`);
    }
  } finally {
    await browser.close();
    server.kill();
  }
  const worst = Math.max(...slow.map((s) => s.percent));
  const rows = [
    ["input to echo, 95th percentile", `${p95(echo).toFixed(1)} ms of ${echo.length} keys`, p95(echo) <= GOALS.echoMs, `${GOALS.echoMs} ms`],
    ["longest main-thread task", tasks.length === 0 ? "none of 50 ms" : `${Math.max(...tasks).toFixed(0)} ms`, tasks.every((t) => t <= GOALS.taskMs), `${GOALS.taskMs} ms`],
    ["updates of a panel", `${updates.toFixed(1)} a second at most`, updates <= GOALS.updates, `${GOALS.updates}`],
    ["guest slower with a panel open", `${worst.toFixed(1)} % at most`, worst <= GOALS.slowdown, `${GOALS.slowdown} %`],
  ] as const;
  for (const [what, is, good, goal] of rows) say(`${good ? "ok  " : "MISS"} ${what}: ${is} (goal: ${goal})`);
  return rows.every((r) => r[2]);
}
