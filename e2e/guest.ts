// e2e/guest.ts — a person at the page: boots, types, reads what is on the screen.
//
// Everything waits for what can be seen; nothing depends on how fast the machine is.
import { expect, type Locator, type Page } from "@playwright/test";

/** how long a boot or a command may take on a loaded machine */
export const PATIENCE = 90_000;

/** Quiet enough that the kernel's lines do not stand between a command's. */
export const QUIET = "ubd0=nommu.ext4 rw mem=64m loglevel=4 init=/sbin/init";

export class Guest {
  readonly page: Page;
  readonly errors: string[] = [];
  /** requests to anywhere but our server */
  readonly foreign: string[] = [];
  private commands = 0;

  constructor(page: Page) {
    this.page = page;
    page.on("pageerror", (e) => this.errors.push(e.message));
    page.on("console", (m) => {
      if (m.type() === "error") this.errors.push(m.text());
    });
    page.on("request", (r) => {
      const url = new URL(r.url());
      if (url.protocol.startsWith("http") && url.hostname !== "127.0.0.1") this.foreign.push(r.url());
    });
  }

  get state(): Locator {
    return this.page.getByRole("status", { name: "State of the machine" });
  }
  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }
  tab(name: string): Locator {
    return this.page.getByRole("tab", { name });
  }

  /** What is on the terminal's screen, one line a row, without blanks at their ends. */
  async screen(): Promise<string> {
    const rows = await this.page.locator(".xterm-rows > div").allTextContents();
    return rows.map((r) => r.replaceAll("\u00a0", " ").trimEnd()).join("\n").trimEnd();
  }
  /** Waits until the screen shows `what`. */
  async shows(what: RegExp): Promise<void> {
    await expect.poll(() => this.screen(), { timeout: PATIENCE, message: `the console should show ${what}` }).toMatch(what);
  }
  /** Waits for the shell's prompt at the end. */
  prompt(): Promise<void> {
    return this.shows(/# ?$/);
  }

  /** Opens the page, with the machine off. */
  async off(): Promise<void> {
    await this.page.goto("/#off");
    await expect(this.page.getByLabel("Kernel command line")).toBeHidden();
    await this.tab("Machine").click();
    await expect(this.page.getByLabel("Kernel command line")).toHaveValue(/ubd0=/);
  }
  /** Opens the page and boots with `line`, to the prompt. */
  async boot(line = QUIET, scratch = true): Promise<void> {
    await this.off();
    await this.page.getByLabel("Kernel command line").fill(line);
    if (scratch) await this.page.getByLabel("Scratch copy").check();
    await this.page.locator(".settings").getByRole("button", { name: "Start" }).click();
    await expect(this.state).toContainText("Running", { timeout: PATIENCE });
    await this.prompt();
  }

  async type(text: string): Promise<void> {
    await this.page.locator(".screen").click();
    await this.page.keyboard.type(text);
  }
  /**
   * Runs a command and returns its output's lines. The markers around it are computed by the shell, so that the echo of the command is no match; whatever
   * else the terminal is told in between stands on the line of the echo.
   */
  async run(command: string): Promise<string> {
    const id = 1000 + ++this.commands;
    await this.type(`clear; echo "<$((${id}+0))<"; ${command}; echo ">$((${id}+0))>"\n`);
    let screen = "";
    await expect
      .poll(async () => (screen = await this.screen()).includes(`>${id}>`), { timeout: PATIENCE, message: `${command} should end` })
      .toBe(true);
    await this.prompt();
    return screen.slice(screen.indexOf(`<${id}<`) + `<${id}<`.length, screen.lastIndexOf(`>${id}>`)).trim();
  }
}
