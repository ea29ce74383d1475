// scripts/endurance/browser.ts — Chromium with a profile that outlives its tabs, for runs of many minutes: boots the page, types, reads the screen, kills the tab.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "@playwright/test";
import { build } from "../build.ts";
import { serve } from "../serve.ts";

const PATIENCE = 120_000;
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Tab {
  readonly context: BrowserContext;
  readonly address: string;
  page!: Page;
  private constructor(context: BrowserContext, address: string) {
    this.context = context;
    this.address = address;
  }
  /** Builds and serves the page, and starts a browser. */
  static async start(): Promise<Tab> {
    if (!build()) throw new Error("the page cannot be built");
    const { port } = await serve("dist", 18_000, "127.0.0.1");
    const root = process.getuid?.() === 0;
    const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "pagezero-profile-")), {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [...(root ? ["--no-sandbox"] : []), "--disable-background-networking", "--disable-component-update", "--no-first-run"],
    });
    return new Tab(context, `http://127.0.0.1:${port}/`);
  }
  /** A new tab with the machine off. */
  async open(path = "#off"): Promise<void> {
    this.page = await this.context.newPage();
    await this.page.goto(this.address + path);
  }
  /** Boots a kept disk with this command line. */
  async boot(line: string): Promise<void> {
    await this.open();
    await this.page.getByRole("tab", { name: "Machine" }).click();
    await this.page.getByLabel("Kernel command line").fill(line);
    await this.page.locator(".settings").getByRole("button", { name: "Start" }).click();
  }
  async screen(): Promise<string> {
    const rows = await this.page.locator(".xterm-rows > div").allTextContents();
    return rows.map((r) => r.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd();
  }
  /** Waits until the screen shows `what`. */
  async shows(what: RegExp, patience = PATIENCE): Promise<string> {
    for (const end = Date.now() + patience; Date.now() < end; await pause(20)) {
      const text = await this.screen();
      if (what.test(text)) return text;
    }
    throw new Error(`the console does not show ${what}:\n${await this.screen()}`);
  }
  async type(text: string): Promise<void> {
    await this.page.locator(".screen").click();
    await this.page.keyboard.type(text);
  }
  /** Kills the processes of all tabs, as the kernel does when memory runs out. */
  async kill(): Promise<void> {
    const session = await this.context.browser()?.newBrowserCDPSession();
    const own = session ?? (await this.context.newCDPSession(this.page));
    const { processInfo } = (await own.send("SystemInfo.getProcessInfo")) as { processInfo: { type: string; id: number }[] };
    const crashed = new Promise((resolve) => this.page.once("crash", resolve));
    for (const p of processInfo) if (p.type === "renderer") process.kill(p.id, "SIGKILL");
    await crashed;
    await this.page.close().catch(() => undefined);
  }
  /** What is kept of a disk: bytes of its clusters by number. Looked at from a page of the same origin on which no machine is. */
  async kept(disk: string): Promise<Map<number, Buffer>> {
    await this.open("images/manifest.json");
    // as text: what runs this file gives functions helpers that the page does not have
    const found = (await this.page.evaluate(`(async () => {
      const answer = (r) => new Promise((resolve, reject) => {
        r.onsuccess = () => resolve(r.result);
        r.onerror = () => reject(r.error);
      });
      const db = await answer(indexedDB.open("pagezero"));
      const range = IDBKeyRange.bound([${JSON.stringify(disk)}, 0], [${JSON.stringify(disk)}, Infinity]);
      const store = db.transaction("clusters").objectStore("clusters");
      const [keys, values] = await Promise.all([answer(store.getAllKeys(range)), answer(store.getAll(range))]);
      db.close();
      return keys.map((key, i) => {
        let text = "";
        for (let at = 0; at < values[i].length; at += 8192) text += String.fromCharCode(...values[i].subarray(at, at + 8192));
        return [key[1], btoa(text)];
      });
    })()`)) as [number, string][];
    await this.page.close();
    return new Map(found.map(([n, text]) => [n, Buffer.from(text, "base64")]));
  }
}
