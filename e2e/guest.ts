// e2e/guest.ts — a person at the page: boots, types, reads what is on the screen.
//
// Everything waits for what can be seen; nothing depends on how fast the machine is.
import { resolve } from "node:path";
import { expect, type Locator, type Page, test } from "@playwright/test";
import { SLOW } from "./browser.ts";

/** how long a boot or a command may take on a loaded machine */
export const PATIENCE = 90_000 * SLOW;

/** when the screen is looked at again, ms: most commands take a quarter of a second */
const LOOKS = [30, 50, 50, 100, 100, 200];

/** Quiet enough that the kernel's lines do not stand between a command's. */
export const QUIET = "ubd0=nommu.ext4 rw mem=64m loglevel=4 init=/sbin/init";

export class Guest {
  readonly page: Page;
  readonly errors: string[] = [];
  /** requests to anywhere but our server */
  readonly foreign: string[] = [];
  private commands: number;

  /** `first`: the number of its first command; another one than that of a session whose screen it sees */
  constructor(page: Page, first = 1000) {
    this.page = page;
    this.commands = first;
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
    await expect.poll(() => this.screen(), { timeout: PATIENCE, intervals: LOOKS, message: `the console should show ${what}` }).toMatch(what);
  }
  /** Waits for the shell's prompt at the end. */
  prompt(): Promise<void> {
    return this.shows(/# ?$/);
  }

  /** Types a line of a command that goes on, at the shell's second prompt. */
  async more(line: string): Promise<void> {
    await this.page.keyboard.type(`${line}\n`);
    await this.shows(/> ?$/);
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

  /** Drops files or folders of this repository onto the page, as a person's hand does it. */
  async drop(...paths: string[]): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    const data = { items: [], files: paths.map((p) => resolve(p)), dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"] as const) await session.send("Input.dispatchDragEvent", { type, x: 400, y: 300, data });
    await session.detach();
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
    const id = ++this.commands;
    await this.type(`clear; echo "<$((${id}+0))<"; ${command}; echo ">$((${id}+0))>"\n`);
    let screen = "";
    await expect
      .poll(async () => (screen = await this.screen()).includes(`>${id}>`), { timeout: PATIENCE, intervals: LOOKS, message: `${command} should end` })
      .toBe(true);
    await this.prompt();
    return screen.slice(screen.indexOf(`<${id}<`) + `<${id}<`.length, screen.lastIndexOf(`>${id}>`)).trim();
  }
}

/** What a person does at any shell of busybox: pipelines, subshells, here-documents, jobs, the usual tools, an editor. */
export async function shellTools(guest: Guest): Promise<void> {
  const { page } = guest;
  await test.step("pipelines, subshells, substitutions", async () => {
    expect(await guest.run("printf 'b\\na\\nc\\n' | sort | head -n 2 | tr '\\n' ' '")).toBe("a b");
    expect(await guest.run("(cd /etc; pwd; x=inner; echo $x); echo ${x-unset}; pwd")).toBe("/etc\ninner\nunset\n/");
    expect(await guest.run("echo \"is $(echo nested $(echo twice) | tr a-z A-Z)\"")).toBe("is NESTED TWICE");
    expect(await guest.run("for i in 1 2 3; do (echo $i; (echo $((i*i)) | cat)); done | paste -s -d ,")).toBe("1,1,2,4,3,9");
    expect(await guest.run("seq 1 900 | sort -rn | uniq | wc -l")).toBe("900");
    expect(await guest.run("false | true; echo $?; ! true; echo $?; (exit 7); echo $?")).toBe("0\n1\n7");
  });
  await test.step("a here-document", async () => {
    await guest.type("");
    await guest.more("cat > /tmp/here <<END; wc -l < /tmp/here");
    await guest.more("one $((1+1))");
    await guest.more("three");
    await page.keyboard.type("END\n");
    await guest.prompt();
    expect(await guest.run("cat /tmp/here")).toBe("one 2\nthree");
  });
  await test.step("jobs", async () => {
    expect(await guest.run("(sleep 1; echo later) & wait; echo then")).toMatch(/later\n([^]*\n)?then$/);
    await guest.type("sleep 1000\n");
    await guest.tab("Processes").click();
    const processes = page.getByRole("tabpanel");
    const sleep = processes.getByRole("row", { name: /^\d+ sleep / });
    await expect(sleep).toContainText("sleeping");
    await page.locator(".screen").click();
    await page.keyboard.press("Control+z");
    await guest.shows(/Stopped/);
    await guest.prompt();
    await expect(sleep).toContainText("stopped");
    expect(await guest.run("jobs")).toMatch(/^\[1\]\+ +Stopped +sleep 1000$/);
    // a stopped job goes on only when the terminal is its own
    await guest.type("fg\n");
    await expect(sleep).toContainText("sleeping");
    await page.keyboard.press("Control+z");
    await guest.prompt();
    await guest.type("bg\n");
    await guest.prompt();
    expect(await guest.run("jobs")).toMatch(/^\[1\]\+ +Running +sleep 1000$/);
    await guest.type("kill %1; wait\n");
    await expect(sleep).toBeHidden();
    await guest.prompt();
  });
  await test.step("tools", async () => {
    expect(await guest.run("awk 'BEGIN { for (i = 1; i <= 5; i++) s += i * 0.5; printf \"%.2f %s\\n\", s, toupper(\"ok\") }'")).toBe("7.50 OK");
    expect(await guest.run("sed -n 's/^root:\\([^:]*\\).*/<\\1>/p' /etc/passwd")).toBe("<x>");
    expect(await guest.run("printf '10\\n9\\n100\\n' | sort -n | tail -n 1")).toBe("100");
    expect(await guest.run("cd /tmp && mkdir -p a/b && seq 500 > a/b/f && ln -s b/f a/l && tar czf t.tgz a && rm -r a && tar xzf t.tgz && cat a/l | md5sum && seq 500 | md5sum; cd /")).toMatch(/^([0-9a-f]{32}) {2}-\n\1 {2}-$/);
    expect(await guest.run("seq 700 | gzip -9 | gzip -d | tail -n 1")).toBe("700");
    expect(await guest.run("find /tmp/a -type l -o -name f | sort")).toBe("/tmp/a/b/f\n/tmp/a/l");
    expect(await guest.run("top -b -n 1 | grep -c -E '^ +1 +0 '")).toBe("1");
  });
  await test.step("top and vi on the whole screen", async () => {
    await guest.type("top\n");
    await guest.shows(/^Mem: .*used/m);
    await page.keyboard.type("q");
    await guest.prompt();
    await guest.type("vi /root/note\n");
    await guest.shows(/^~\n[^]*\/root\/note/m);
    await page.keyboard.type("iwritten in vi");
    await guest.shows(/^written in vi/m);
    await page.keyboard.press("Escape");
    // a key right after Escape could be one sequence with it
    await guest.shows(/^- \/root\/note/m);
    await page.keyboard.type(":wq\n");
    await guest.prompt();
    expect(await guest.run("cat /root/note")).toBe("written in vi");
  });
}

/** How many chunks of images this browser keeps. */
export function keptChunks(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const open = indexedDB.open("pagezero");
        open.onsuccess = () => {
          const count = open.result.transaction("images").objectStore("images").count(IDBKeyRange.bound("chunk:", "chunk:\uffff"));
          count.onsuccess = () => {
            open.result.close();
            resolve(count.result);
          };
        };
      }),
  );
}
