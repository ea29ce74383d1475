// scripts/same.ts — `npm run same [-- LINK]`: one boot link opened in every way there is, and whether all of them are the same machine.
//
// Without LINK it makes one, as a person does: opens the page in Chromium, types commands, changes a file, and takes what Share gives. Then the link is opened in a fresh profile of
// Chromium and in Firefox (Debian's firefox-esr), compiled and interpreted, in Node, and once more while all CPUs of this host are busy with something else.
import { spawn } from "node:child_process";
import { cpus } from "node:os";
import { Worker } from "node:worker_threads";
import type { Page } from "@playwright/test";
import { launch } from "./bench/runners.ts";
import { build } from "./build.ts";
import { Firefox, firefoxPath, SCREEN } from "./firefox.ts";
import { serve } from "./serve.ts";

const PATIENCE_MS = 180_000;
const COMMANDS = ["dmesg -n 1", "echo was here > /root/visitor; sync", "seq 1 4000 | sort -r | sha256sum", "ls -lR /etc | md5sum; date"];

/** What a page says of a link that it has opened, once it has compared; else undefined. */
const VERDICT = `[...document.querySelectorAll("[role=status], [role=alert]")].map((e) => e.textContent).find((t) => /Identical at instruction|Not the same machine/.test(t)) ?? null`;

interface Result {
  readonly way: string;
  /** the fingerprint, or why there is none */
  readonly says: string;
  readonly same: boolean;
}

async function makeLink(page: Page, url: string): Promise<string> {
  await page.goto(url);
  const prompt = (): Promise<unknown> => page.waitForFunction(`/[#$]$/.test(${SCREEN})`, undefined, { timeout: PATIENCE_MS });
  await prompt();
  await page.locator(".screen").click();
  for (const [i, command] of COMMANDS.entries()) {
    await page.keyboard.type(`clear; ${command}; echo "<$((${i}+70))>"\n`);
    await page.waitForFunction(`${SCREEN}.includes("<${i + 70}>")`, undefined, { timeout: PATIENCE_MS });
    await prompt();
  }
  await page.getByRole("button", { name: "Share", exact: true }).click();
  const link = page.getByRole("textbox", { name: "Link" });
  await page.waitForFunction(`/fp=[0-9a-f]{16}/.test(document.querySelector(".link-text")?.value ?? "")`, undefined, { timeout: PATIENCE_MS });
  return link.inputValue();
}

/** The verdict of a page as a Result. */
function judged(way: string, verdict: string, fingerprint: string): Result {
  return /^(?:✓ )?Identical at/.test(verdict.trim()) ? { way, says: fingerprint, same: true } : { way, says: verdict.trim(), same: false };
}

async function inChromium(way: string, link: string, fingerprint: string): Promise<Result> {
  // a browser of its own: a fresh profile, nothing cached
  const browser = await launch();
  try {
    const page = await browser.newPage({ viewport: { width: 900, height: 600 } });
    await page.goto(link);
    const verdict = await page.waitForFunction(VERDICT, undefined, { timeout: PATIENCE_MS });
    return judged(way, (await verdict.jsonValue()) as string, fingerprint);
  } finally {
    await browser.close();
  }
}
async function inFirefox(way: string, link: string, fingerprint: string): Promise<Result> {
  const firefox = await Firefox.launch();
  try {
    await firefox.viewport(1000, 640);
    await firefox.goto(link);
    await firefox.until(`(${VERDICT}) !== null`);
    return judged(way, await firefox.evaluate<string>(VERDICT), fingerprint);
  } finally {
    await firefox.close();
  }
}
function inNode(way: string, link: string, more: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", "scripts/vmlinux.ts", "--link", link, ...more], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    for (const s of [child.stdout, child.stderr]) s.on("data", (d: Buffer) => (out += d.toString()));
    child.on("close", (status) => resolve({ way, says: /\b[0-9a-f]{16}\b/.exec(out)?.[0] ?? out.trim(), same: status === 0 }));
  });
}

/** Keeps every CPU of this host busy, twice over, while `work` goes on. */
async function underLoad<T>(work: () => Promise<T>): Promise<T> {
  const busy = Array.from({ length: 2 * cpus().length }, () => new Worker("for (;;) Math.sqrt(2);", { eval: true }));
  try {
    return await work();
  } finally {
    await Promise.all(busy.map((w) => w.terminate()));
  }
}

if (!build()) throw new Error("the build failed");
const { server, port } = await serve("dist", 0, "127.0.0.1", true);
const base = `http://127.0.0.1:${port}/`;
try {
  let link = process.argv[2];
  if (link === undefined) {
    const browser = await launch();
    try {
      link = await makeLink(await browser.newPage(), base);
    } finally {
      await browser.close();
    }
  }
  const fragment = link.slice(link.indexOf("#"));
  const fingerprint = /[?&]fp=([0-9a-f]{16})/.exec(fragment)?.[1];
  if (fingerprint === undefined) throw new Error("the link names no fingerprint: take one from Share with “This moment”");
  console.log(`${link}\n\nfingerprint of the link ${fingerprint}, at instruction ${/[?&]at=(\d+)/.exec(fragment)?.[1] ?? "?"}`);
  const ways: (readonly [way: string, run: (way: string) => Promise<Result>])[] = [
    ["Chromium", (w) => inChromium(w, `${base}${fragment}`, fingerprint)],
    ["Chromium, jit=off", (w) => inChromium(w, `${base}?jit=off${fragment}`, fingerprint)],
    ["Chromium, host under load", (w) => underLoad(() => inChromium(w, `${base}${fragment}`, fingerprint))],
    ...(firefoxPath() === undefined
      ? []
      : ([
          ["Firefox", (w: string) => inFirefox(w, `${base}${fragment}`, fingerprint)],
          ["Firefox, jit=off", (w: string) => inFirefox(w, `${base}?jit=off${fragment}`, fingerprint)],
        ] as const)),
    ["Node", (w) => inNode(w, link, [])],
    ["Node, jit=off", (w) => inNode(w, link, ["jit=off"])],
    ["Node, host under load", (w) => underLoad(() => inNode(w, link, []))],
  ];
  let equal = 0;
  for (const [way, run] of ways) {
    const result = await run(way).catch((e: unknown): Result => ({ way, says: e instanceof Error ? e.message : String(e), same: false }));
    if (result.same) equal++;
    console.log(`${result.same ? "same " : "OTHER"} ${way.padEnd(28)} ${result.says}`);
  }
  console.log(equal === ways.length ? `All ${equal} fingerprints are equal.` : `${ways.length - equal} of ${ways.length} differ.`);
  if (firefoxPath() === undefined) console.log("Firefox is not installed here (Debian: apt install firefox-esr): it was not asked.");
  process.exitCode = equal === ways.length ? 0 : 1;
} finally {
  server.close();
}
