// scripts/bench.ts — how fast the machine is in Node, against this host: boots, the seed's table of system calls, the CPU's kernels.
//
// Every row runs in the guest and natively, the same source by the same compiler, in turns; medians of the rounds are printed. The guest's own
// clock is virtual, so a row's time is the host's, from its @begin line to its @end line. Wants a machine that does nothing else.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { TestMachine, image } from "../worker/test/boot.ts";
import { build } from "./build.ts";
import { compile } from "./userspace/compile.ts";
import { setup } from "./setup.ts";
import { makeExt4 } from "./userspace/ext4.ts";
import { rootTree } from "./userspace/tree.ts";

const USAGE = `npm run bench -- boot|seed|cpu [ROW...] [--rounds=N] [--jit=off]

boot   from nothing to the shell's prompt, in Node and in Chromium: time, instructions
seed   the system calls of lmbench's table, ns each, beside the same program on this host
cpu    kernels of computation, ms each, beside the same program on this host`;

const BENCH = "scripts/bench/guest";
/** a measurement is long enough when it takes this many ms */
const ENOUGH = 200;

const args = process.argv.slice(2);
const option = (name: string, otherwise: string): string => args.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const [what, ...rows] = args.filter((a) => !a.startsWith("--"));
const rounds = Number(option("rounds", "5"));
const jit = option("jit", "on") !== "off";

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

async function boot(): Promise<void> {
  const times: number[] = [];
  let retired = 0;
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const m = await TestMachine.boot({ jit });
    times.push(performance.now() - start);
    retired = m.machine.retired;
  }
  console.log(`Node: boot to the prompt: ${median(times).toFixed(0)} ms (${times.map((t) => t.toFixed(0)).join(" ")}), ${(retired / 1e6).toFixed(2)} M instructions, ${(retired / median(times) / 1e3).toFixed(1)} M/s`);
  await bootInChromium();
}

/** From opening the page to the prompt on its console; the first visit is not counted. */
async function bootInChromium(): Promise<void> {
  if (!build()) throw new Error("the build failed");
  const port = 20000 + (process.pid % 20000);
  const server = spawn("node_modules/.bin/tsx", ["scripts/serve.ts", "--port", String(port), "--strict"], { stdio: ["ignore", "pipe", "inherit"] });
  const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
  try {
    await once(server.stdout, "data");
    const page = await browser.newPage();
    const times: number[] = [];
    for (let i = 0; i <= rounds; i++) {
      const start = performance.now();
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForFunction(() => /[#$]\s*$/.test([...document.querySelectorAll(".xterm-rows > div")].map((r) => (r.textContent ?? "").trimEnd()).join("\n").trimEnd()));
      if (i > 0) times.push(performance.now() - start);
    }
    console.log(`Chromium: from opening the page to the prompt: ${median(times).toFixed(0)} ms (${times.map((t) => t.toFixed(0)).join(" ")})`);
  } finally {
    await browser.close();
    server.kill();
  }
}

/** A booted machine that has the two programs in /bench. */
async function machine(): Promise<TestMachine> {
  const path = join(tmpdir(), `pagezero-bench-${process.pid}.ext4`);
  try {
    const programs = ["seed", "kernels"].map((name) => ({ path: `/bench/${name}`, type: "file" as const, mode: 0o755, content: readFileSync(compile(`${BENCH}/${name}.c`, "-O2")) }));
    makeExt4(path, [...rootTree(".cache/userspace"), ...programs], { size: 32 });
    return await TestMachine.boot({ disks: { disk: image(path) }, jit });
  } finally {
    rmSync(path, { force: true });
  }
}

/** ms between the two lines, on the host's clock. */
function guestRow(m: TestMachine, program: string, row: string, count: number): number {
  const from = m.text.length;
  m.type(`/bench/${program} ${row} ${count}\n`);
  m.until(/@begin [^\n]*\n|seed: |kernels: /, from, 20_000);
  const start = performance.now();
  const said = m.until(/@end [^\n]*\n|no row|: [A-Z][a-z]+ /, from, 5_000_000);
  const took = performance.now() - start;
  if (!/@end/.test(said)) throw new Error(`${program} ${row} in the guest:\n${said}`);
  m.until(/[#$] $/, from);
  return took;
}
function nativeRow(binary: string, row: string, count: number): number {
  const done = spawnSync(binary, [row, String(count)], { encoding: "utf8" });
  const end = /@end \S+ (\d+)/.exec(done.stdout ?? "");
  if (end === null) throw new Error(`${row} on the host: ${done.error?.message ?? ""}${done.stdout}${done.stderr}`);
  return Number(end[1]) / 1e6;
}
/** How many times a row must run to be long enough, and 1 if once is. */
function calibrate(run: (count: number) => number): number {
  for (let count = 1; ; count *= 4) {
    const ms = run(count);
    if (ms >= ENOUGH / 4) return Math.max(1, Math.round((count * ENOUGH) / ms));
  }
}

async function table(program: "seed" | "kernels", unit: "ns" | "ms"): Promise<void> {
  const m = await machine();
  const native = compile(`${BENCH}/${program}.c`, "-O2", "-static-pie");
  const names = rows.length > 0 ? rows : [...readFileSync(`${BENCH}/${program}.c`, "utf8").matchAll(/\{"([a-z0-9+/-]+)", \w+\}/g)].map((x) => x[1]!);
  const scale = unit === "ns" ? 1e6 : 1;
  const ratios: number[] = [];
  console.log(`${"row".padEnd(14)}${`guest ${unit}`.padStart(12)}${`native ${unit}`.padStart(12)}${"ratio".padStart(8)}`);
  for (const row of names) {
    const g = calibrate((n) => guestRow(m, program, row, n));
    const h = calibrate((n) => nativeRow(native, row, n));
    const guest: number[] = [];
    const host: number[] = [];
    for (let i = 0; i < rounds; i++) {
      guest.push((guestRow(m, program, row, g) / g) * scale);
      host.push((nativeRow(native, row, h) / h) * scale);
    }
    const ratio = median(guest) / median(host);
    ratios.push(ratio);
    console.log(`${row.padEnd(14)}${median(guest).toFixed(unit === "ns" ? 0 : 2).padStart(12)}${median(host).toFixed(unit === "ns" ? 0 : 2).padStart(12)}${ratio.toFixed(2).padStart(8)}`);
  }
  console.log(`geometric mean of the ratios: ${Math.exp(ratios.reduce((s, r) => s + Math.log(r), 0) / ratios.length).toFixed(2)}`);
}

if (what === undefined || args.includes("--help") || !["boot", "seed", "cpu"].includes(what) || !(rounds >= 1)) {
  console.error(USAGE);
  process.exitCode = args.includes("--help") ? 0 : 2;
} else if (!setup("test")) process.exitCode = 1;
else if (what === "boot") await boot();
else await table(what === "seed" ? "seed" : "kernels", what === "seed" ? "ns" : "ms");
