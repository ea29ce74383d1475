// scripts/bench/runners.ts — where a benchmark's rows run: the guest in Node or in Chromium, this host, and other emulators on this host.
//
// All run the same C source; in the guest and under qemu the same kind of binary. A row's time goes by the host's clock, from its @begin line to
// its @end line (natively and under qemu by the program's own, which is the host's).

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "@playwright/test";
import { TestMachine, image } from "../../worker/test/boot.ts";
import { build } from "../build.ts";
import { makeExt4 } from "../userspace/ext4.ts";
import { compile } from "../userspace/compile.ts";
import { rootTree } from "../userspace/tree.ts";

const GUEST = "scripts/bench/guest";
const END = /@end \S+ (\d+) ([0-9a-f]+)/;

/** Somewhere to run rows. */
export interface Runner {
  readonly name: string;
  /** what the last run computed, where that can be read */
  sum?: string | undefined;
  /** Runs `row` of the program `count` times; ms of the host. @throws Error with what was said instead */
  run(row: string, count: number): Promise<number>;
  close(): Promise<void>;
}

/** Rows of a program, as its table has them. */
export function rowsOf(program: string): string[] {
  return [...readFileSync(`${GUEST}/${program}.c`, "utf8").matchAll(/\{"([a-z0-9+/-]+)", \w+\}/g)].map((x) => x[1]!);
}

/** An image with the two programs in /bench, in a file that is the caller's to remove. */
function benchImage(): string {
  const path = join(mkdtempSync(join(tmpdir(), "pagezero-bench-")), "bench.ext4");
  const programs = ["seed", "kernels"].map((name) => ({ path: `/bench/${name}`, type: "file" as const, mode: 0o755, content: readFileSync(compile(`${GUEST}/${name}.c`, "-O2")) }));
  makeExt4(path, [...rootTree(".cache/userspace"), ...programs], { size: 32 });
  return path;
}

/** A booted machine in this process. */
export async function nodeGuest(program: string, jit: boolean): Promise<Runner & { readonly machine: TestMachine }> {
  const path = benchImage();
  const disk = image(path);
  rmSync(dirname(path), { recursive: true });
  const m = await TestMachine.boot({ disks: { disk }, jit });
  const runner: Runner & { readonly machine: TestMachine } = {
    name: "Node",
    machine: m,
    async run(row, count) {
      const from = m.text.length;
      m.type(`/bench/${program} ${row} ${count}\n`);
      m.until(/@begin [^\n]*\n|seed: |kernels: /, from, 20_000);
      const start = performance.now();
      const said = m.until(/@end [^\n]*\n|no row|: [A-Z][a-z]+ /, from, 5_000_000);
      const took = performance.now() - start;
      if (!/@end/.test(said)) throw new Error(`${program} ${row} in the guest:\n${said}`);
      runner.sum = END.exec(said)?.[2];
      m.until(/[#$] $/, from);
      return took;
    },
    close: async () => {},
  };
  return runner;
}

/** Chromium, headless; on Linux as root it has no sandbox. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}
/** The built page, served. @throws Error if it cannot be built */
export async function servePage(): Promise<{ url: string; server: ChildProcess }> {
  if (!build()) throw new Error("the build failed");
  const port = 20000 + (process.pid % 20000);
  const server = spawn("node_modules/.bin/tsx", ["scripts/serve.ts", "--port", String(port), "--strict"], { stdio: ["ignore", "pipe", "inherit"] });
  await once(server.stdout!, "data");
  return { url: `http://127.0.0.1:${port}/`, server };
}

/** Text of the page's terminal. */
const SCREEN = `[...document.querySelectorAll(".xterm-rows > div")].map((r) => r.textContent ?? "").join("\\n").replaceAll("\\u00a0", " ").trimEnd()`;
/** In the page: ms from the frame that shows the row's @begin to the one that shows its @end. */
const STOPWATCH = `(row) => new Promise((resolve) => {
  let start;
  const look = () => {
    const text = ${SCREEN};
    if (start === undefined && text.includes("@begin " + row + " ")) start = performance.now();
    if (start !== undefined && text.includes("@end " + row + " ")) resolve(performance.now() - start);
    else requestAnimationFrame(look);
  };
  look();
})`;

/** The page with a booted machine in Chromium. */
export async function chromiumGuest(program: string): Promise<Runner & { readonly browser: Browser }> {
  const path = benchImage();
  const { url, server } = await servePage();
  const browser = await launch();
  const page = await browser.newPage();
  await page.goto(`${url}#off`);
  await page.getByRole("tab", { name: "Machine" }).click();
  await page.getByLabel("Image file").setInputFiles(path);
  await page.getByLabel("Kernel command line").fill("ubd0=bench.ext4 rw mem=128m loglevel=4 init=/sbin/init");
  await page.locator(".settings").getByRole("button", { name: "Start" }).click();
  const prompt = (): Promise<unknown> => page.waitForFunction(`/[#$]$/.test(${SCREEN})`, undefined, { timeout: 120_000 });
  await prompt();
  const runner: Runner & { readonly browser: Browser } = {
    name: "Chromium",
    browser,
    async run(row, count) {
      await page.locator(".screen").click();
      await page.keyboard.type("clear\n");
      await page.waitForFunction(`/^[^\\n]*[#$]$/.test(${SCREEN})`);
      await page.keyboard.type(`/bench/${program} ${row} ${count}`);
      const took = page.evaluate(`(${STOPWATCH})(${JSON.stringify(row)})`) as Promise<number>;
      await page.keyboard.press("Enter");
      const ms = await took;
      await prompt();
      runner.sum = END.exec((await page.evaluate(SCREEN)) as string)?.[2];
      return ms;
    },
    async close() {
      await browser.close();
      server.kill();
      rmSync(dirname(path), { recursive: true, force: true });
    },
  };
  return runner;
}

/** The program on this host, or under an emulator of user mode. */
export function hostRunner(name: string, command: readonly string[], program: string): Runner {
  const binary = compile(`${GUEST}/${program}.c`, "-O2", "-static-pie");
  const [first, ...rest] = [...command, binary];
  const runner: Runner = {
    name,
    async run(row, count) {
      const done = spawnSync(first!, [...rest, row, String(count)], { encoding: "utf8" });
      const end = END.exec(done.stdout ?? "");
      if (end === null) throw new Error(`${row} on ${name}: ${done.error?.message ?? ""}${done.stdout}${done.stderr}`);
      runner.sum = end[2];
      return Number(end[1]) / 1e6;
    },
    close: async () => {},
  };
  return runner;
}

/** Debian's qemu-user, if it is there. */
export function qemu(program: string): Runner | undefined {
  return spawnSync("qemu-x86_64", ["--version"]).status === 0 ? hostRunner("qemu", ["qemu-x86_64"], program) : undefined;
}

/** The folder of v86's npm package: of this project, or the one that V86 names. */
function v86Folder(): string | undefined {
  const given = process.env["V86"];
  if (given !== undefined) return existsSync(join(given, "build/libv86.mjs")) ? resolve(given) : undefined;
  try {
    return dirname(createRequire(import.meta.url).resolve("v86/package.json"));
  } catch {
    return undefined;
  }
}

/** The kernels as a kernel of their own for an i386. */
function v86Kernel(): string | undefined {
  const out = resolve(".cache/guest/v86-kernels");
  mkdirSync(dirname(out), { recursive: true });
  const flags = "-m32 -O2 -msse2 -mfpmath=sse -ffreestanding -fno-pic -no-pie -nostdlib -static -fno-stack-protector -fno-asynchronous-unwind-tables -w -Wl,-Ttext=0x100000,--build-id=none,-z,noexecstack,--section-start=.multiboot=0xff000";
  return spawnSync("gcc", [...flags.split(" "), "-o", out, "scripts/bench/v86/kernel.c"], { stdio: "ignore" }).status === 0 ? out : undefined;
}

/** Started by `new V86(...)` in either place: a line in, the time from its @begin to its @end out. */
const V86_SESSION = `(V86, wasm_path, kernel) => new Promise((ready) => {
  const e = new V86({ autostart: false, memory_size: 64 << 20, wasm_path, log_level: 0, disable_keyboard: true, disable_mouse: true, disable_speaker: true });
  let line = "", begin = 0, done;
  const run = (text) => new Promise((resolve) => {
    done = resolve;
    e.serial0_send(text + "\\n");
  });
  e.add_listener("serial0-output-byte", (byte) => {
    if (byte !== 10) return void (line += String.fromCharCode(byte));
    if (line.startsWith("@ready")) ready({ run, stop: () => e.destroy() });
    if (line.startsWith("@begin")) begin = performance.now();
    if (line.startsWith("@end")) done(performance.now() - begin);
    line = "";
  });
  e.add_listener("emulator-loaded", () => {
    e.v86.cpu.reset_cpu();
    e.v86.cpu.load_multiboot(kernel);
    e.run();
  });
})`;

/** v86, in Chromium if there is a browser, else in Node; undefined if its package, or a gcc for i386, is not there. */
export async function v86(browser: Browser | undefined): Promise<Runner | undefined> {
  const folder = v86Folder(), kernel = folder && v86Kernel();
  if (folder === undefined || kernel === undefined) return undefined;
  if (browser === undefined) {
    const { V86 } = (await import(pathToFileURL(join(folder, "build/libv86.mjs")).href)) as { V86: unknown };
    const bytes = readFileSync(kernel), buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    // eslint-disable-next-line no-eval
    const session = (await (0, eval)(V86_SESSION)(V86, join(folder, "build/v86.wasm"), buffer)) as { run(text: string): Promise<number>; stop(): void };
    return { name: "v86", run: (row, count) => session.run(`${row} ${count}`), close: async () => session.stop() };
  }
  const page = await browser.newPage();
  await page.route("http://v86.invalid/**", async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === "") return route.fulfill({ contentType: "text/html", body: `<script src="libv86.js"></script>` });
    const path = name === "kernel" ? kernel : join(folder, "build", name);
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(path)) chunks.push(chunk as Buffer);
    return route.fulfill({ contentType: name.endsWith(".js") ? "text/javascript" : name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream", body: Buffer.concat(chunks) });
  });
  await page.goto("http://v86.invalid/");
  await page.evaluate(`fetch("kernel").then((r) => r.arrayBuffer()).then((k) => (${V86_SESSION})(V86, "v86.wasm", k)).then((s) => { window.session = s; })`);
  return { name: "v86", run: (row, count) => runInPage(page, row, count), close: () => page.close() };
}
function runInPage(page: Page, row: string, count: number): Promise<number> {
  return page.evaluate(`window.session.run(${JSON.stringify(`${row} ${count}`)})`);
}
