// scripts/bench/seed.ts — the seed's table: lmbench's rows and getpid, in all four ways into the kernel, in Node and in Chromium, and on this host.
//
// One row at a time; in each round the host runs it, and then every machine, so that a ratio is of two measurements that stand next to each other.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { createServer } from "vite";
import { SEED } from "../../src/bench/table.ts";
import { image } from "../../worker/test/boot.ts";
import { startCpu } from "../cpu_worker.ts";
import { compile } from "../userspace/compile.ts";
import { makeExt4 } from "../userspace/ext4.ts";
import { rootTree } from "../userspace/tree.ts";
import type { Bench } from "./page.ts";
import { type Measured, type Mode, MODES, Session } from "./session.ts";

const SOURCE = "scripts/bench/guest/seed.c";
/** a measurement is long enough when it takes this many ms */
const ENOUGH = 100;

export type Where = "Node" | "Chromium";

export const ROWS = Object.keys(SEED);

/** What --json prints a list of. */
export interface Row {
  readonly name: string;
  readonly mode: Mode;
  readonly where: Where;
  /** median, a call or process */
  readonly us: number;
  readonly native_us: number;
  /** median of the rounds' ratios */
  readonly ratio: number;
  /** lowest and highest of them */
  readonly spread: readonly [number, number];
  /** retired for each call, exact where it is whole */
  readonly instructions: number;
}

interface Runner {
  readonly mode: Mode;
  readonly where: Where;
  run(row: string, count: number): Promise<Measured>;
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

function benchImage(): Uint8Array {
  const path = join(tmpdir(), `pagezero-bench-${process.pid}.ext4`);
  try {
    makeExt4(path, [...rootTree(".cache/userspace"), { path: "/bench/seed", type: "file", mode: 0o755, content: readFileSync(compile(SOURCE, "-O2")) }], { size: 32 });
    return image(path);
  } finally {
    rmSync(path, { force: true });
  }
}

async function nodeRunners(disk: Uint8Array, modes: readonly Mode[]): Promise<{ runners: Runner[]; close: () => Promise<void> }> {
  const sessions = new Map<Mode, Session>();
  for (const mode of modes) sessions.set(mode, await Session.boot(mode, disk, startCpu));
  return {
    runners: [...sessions].map(([mode, s]) => ({ mode, where: "Node" as const, run: async (row, count) => s.run("seed", row, count) })),
    close: async () => sessions.forEach((s) => s.close()),
  };
}

async function chromiumRunners(disk: Uint8Array, modes: readonly Mode[]): Promise<{ runners: Runner[]; close: () => Promise<void>; version: string }> {
  const server = await createServer({
    configFile: "vite.config.ts",
    logLevel: "error",
    plugins: [{ name: "bench-image", configureServer: (s) => void s.middlewares.use("/bench-image", (_request, response) => response.end(disk)) }],
    server: { port: 20000 + (process.pid % 20000), strictPort: true, host: "127.0.0.1", hmr: false, watch: null },
  });
  await server.listen();
  const browser = await chromium.launch({ executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage();
    await page.goto(`${server.resolvedUrls!.local[0]}scripts/bench/page.html`);
    await page.waitForFunction("globalThis.bench !== undefined");
    const ask = <T>(body: (bench: Bench, args: readonly unknown[]) => Promise<T>, ...args: readonly unknown[]): Promise<T> =>
      page.evaluate(`(${body.toString()})(bench, ${JSON.stringify(args)})`) as Promise<T>;
    for (const mode of modes) await ask((bench, [m]) => bench.boot(m as Mode), mode);
    const runners = modes.map((mode) => ({
      mode,
      where: "Chromium" as const,
      run: async (row: string, count: number) => (await ask((bench, [m, r, n]) => bench.run(m as Mode, "seed", r as string, n as number), mode, row, count))!,
    }));
    return { runners, close, version: browser.version() };
  } catch (e) {
    await close();
    throw e;
  }
}

function hostRow(binary: string, row: string, count: number): number {
  const done = spawnSync(binary, [row, String(count)], { encoding: "utf8" });
  const end = /@end \S+ (\d+)/.exec(done.stdout ?? "");
  if (end === null) throw new Error(`${row} on the host: ${done.error?.message ?? ""}${done.stdout}${done.stderr}`);
  return Number(end[1]) / 1e6;
}

/** How many times a row must run to be long enough, twice in a row: by then what is compiled while it runs has been. */
async function calibrate(run: (count: number) => Promise<number>): Promise<number> {
  let count = 1, good = 0;
  for (;;) {
    const ms = await run(count);
    good = ms >= ENOUGH / 2 ? good + 1 : 0;
    if (good === 2) return count;
    if (good === 0) count = Math.max(count + 1, Math.ceil(count * Math.min(8, ENOUGH / ms)));
  }
}

async function measure(name: string, runners: readonly Runner[], binary: string, rounds: number): Promise<Row[]> {
  const host = await calibrate(async (n) => hostRow(binary, name, n));
  const counts: number[] = [];
  for (const r of runners) counts.push(await calibrate(async (n) => (await r.run(name, n)).ms));
  const native: number[] = [];
  const times: number[][] = runners.map(() => []);
  for (let i = 0; i < rounds; i++) {
    native.push((hostRow(binary, name, host) / host) * 1000);
    for (const [k, r] of runners.entries()) times[k]!.push(((await r.run(name, counts[k]!)).ms / counts[k]!) * 1000);
  }
  const rows: Row[] = [];
  for (const [k, r] of runners.entries()) {
    const ratios = times[k]!.map((t, i) => t / native[i]!).sort((a, b) => a - b);
    // what a run costs beside its calls is the same in both
    const few = (await r.run(name, 20)).instructions, many = (await r.run(name, 40)).instructions;
    const spread = [ratios[0]!, ratios[ratios.length - 1]!] as const;
    rows.push({ name, mode: r.mode, where: r.where, us: median(times[k]!), native_us: median(native), ratio: median(ratios), spread, instructions: (many - few) / 20 });
  }
  return rows;
}

const us = (n: number): string => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(3));

/** The tables, as Markdown. */
export function tables(rows: readonly Row[], places: readonly Where[]): string[] {
  const lines: string[] = [];
  for (const where of places) {
    lines.push("", `### ${where}: µs`, "", `| row | native here | ${MODES.join(" | ")} | zpoline=1 / native (lowest–highest) | target | seed: native | um | nommu | nommu / native |`, `|--|${"--:|".repeat(MODES.length + 7)}`);
    const here = rows.filter((r) => r.where === where);
    for (const name of ROWS) {
      const of = MODES.map((m) => here.find((r) => r.name === name && r.mode === m));
      const z = of[0], p = SEED[name]!;
      if (z === undefined) continue;
      const ratio = `**${z.ratio.toFixed(2)}** (${z.spread[0].toFixed(2)}–${z.spread[1].toFixed(2)})`;
      lines.push(`| ${name} | ${us(z.native_us)} | ${of.map((r) => (r === undefined ? "" : us(r.us))).join(" | ")} | ${ratio} | ${p.target} | ${p.native} | ${p.um} | ${p.nommu} | ${(p.nommu / p.native).toFixed(2)} |`);
    }
    const call = (mode: Mode): number | undefined => here.find((r) => r.name === "syscall" && r.mode === mode)?.us;
    const slow = call("um=ptrace"), quick = call("zpoline=1");
    if (slow !== undefined && quick !== undefined) lines.push("", `\`syscall\` under um=ptrace takes ${(slow / quick).toFixed(0)} times as long as under zpoline=1 (the seed: ${(26.8711 / 0.1037).toFixed(0)}).`);
  }
  lines.push("", "### Instructions that retire for each call or process", "", `| row | ${MODES.join(" | ")} |`, `|--|${"--:|".repeat(MODES.length)}`);
  for (const name of ROWS) {
    const of = MODES.map((m) => rows.find((r) => r.name === name && r.mode === m));
    if (of[0] !== undefined) lines.push(`| ${name} | ${of.map((r) => (r === undefined ? "" : r.instructions.toFixed(Number.isInteger(r.instructions) ? 0 : 1))).join(" | ")} |`);
  }
  return lines;
}

export interface SeedOptions {
  /** none: all */
  readonly rows: readonly string[];
  readonly rounds: number;
  readonly json: boolean;
  readonly places: readonly Where[];
  readonly modes: readonly Mode[];
}

/** `npm run bench -- seed` */
export async function seed(options: SeedOptions): Promise<void> {
  const say = (line: string): void => {
    (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  };
  const names = options.rows.length > 0 ? options.rows : ROWS;
  const unknown = names.find((n) => !(n in SEED));
  if (unknown !== undefined) throw new Error(`there is no row ${unknown}; there are ${ROWS.join(", ")}`);
  const disk = benchImage();
  const binary = compile(SOURCE, "-O2", "-static-pie");
  const places = [];
  if (options.places.includes("Node")) places.push(await nodeRunners(disk, options.modes));
  const browser = options.places.includes("Chromium") ? await chromiumRunners(disk, options.modes) : undefined;
  if (browser !== undefined) places.push(browser);
  try {
    say(`${new Date().toISOString().slice(0, 10)}; ${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}; Node ${process.versions.node}${browser === undefined ? "" : `, Chromium ${browser.version}`}; ${options.rounds} rounds`);
    const rows: Row[] = [];
    const runners = places.flatMap((p) => p.runners);
    for (const name of names) {
      const of = await measure(name, runners, binary, options.rounds);
      rows.push(...of);
      process.stderr.write(`${name.padEnd(12)} native ${us(of[0]!.native_us)} µs; ${of.map((r) => `${r.where} ${r.mode} ${us(r.us)}`).join(", ")}\n`);
    }
    for (const line of tables(rows, options.places)) say(line);
    if (options.json) console.log(JSON.stringify({ rows }));
  } finally {
    for (const p of places) await p.close();
  }
}
