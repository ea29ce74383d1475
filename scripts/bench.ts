// scripts/bench.ts — how fast the machine is, against this host: boots, the seed's table of system calls, the CPU's kernels, in Node and in Chromium.
//
// Every row runs in the guest and natively, the same source by the same compiler, in turns; medians of the rounds are printed. The guest's own
// clock is virtual, so a row's time is the host's, from its @begin line to its @end line. Wants a machine that does nothing else.

import { TestMachine } from "../worker/test/boot.ts";
import { setup } from "./setup.ts";
import { counters, raw } from "./bench/counters.ts";
import { seed, type Where } from "./bench/seed.ts";
import { MODES } from "./bench/session.ts";
import { benchUi } from "./bench/ui.ts";
import { benchReplay } from "./bench/replay.ts";
import { benchInterpreter } from "./bench/interpreter.ts";
import { benchTranslator } from "./bench/translator.ts";
import { chromiumGuest, hostRunner, launch, nodeGuest, qemu, rowsOf, type Runner, servePage, v86 } from "./bench/runners.ts";

const USAGE = `npm run bench -- boot|seed|cpu|interpreter|translator|replay|ui [ROW...] [--rounds=N] [--jit=off] [--in=node|chromium] [--mode=MODE,...] [--json]

boot   from nothing to the shell's prompt, in Node and in Chromium: time, instructions
seed   the system calls of lmbench's table, µs each, in the four ways into the kernel (${MODES.join(", ")}), in Node and in Chromium,
       beside the same program on this host and the published figures
cpu    kernels of computation, ms each, beside the same program on this host, under qemu-x86_64 (Debian's qemu-user) and in v86
       (its npm package, here or where the variable V86 says), if those are there
interpreter  instructions a second without the compiled tier: boots, and what shells do, in Node; --rounds=N times each, so that the last one is warm
translator how many instructions the compiled tier translates a second of processor time, in Node
replay what recording costs, snapshots, going back, beginning at one: processor time and bytes; --minutes=N of a session, 10
ui     the page with a busy guest, in Chromium, with each panel open, or with those of ROW (Calls, Memory …): key to echo, main-thread tasks, updates of the panels, what each panel costs the guest; fails when a goal is missed

--in     where the guest runs: Node or Chromium. Without it, seed takes both, cpu Node
--mode   seed: these ways only
--json   one object. interpreter: {rows: [{name, millions, first, last}]}. translator: {cold, first, warm, copies}, each {thousands, ms, perSecond}. seed: {rows: [{name, mode, where, us, native_us, ratio, spread, instructions}]}. cpu: {rows: [{name, ours, native, ratio}], geomean: {native, v86, qemu}, counters}. native: our time as a multiple of
         this host's; v86 and qemu: theirs as a multiple of ours, null if not there. counters: scripts/bench/counters.ts, of a machine in Node`;

/** a measurement is long enough when it takes this many ms */
const ENOUGH = 200;
/** runs whose sum is compared with the host's */
const SUMMED = 20;

const args = process.argv.slice(2);
const option = (name: string, otherwise: string): string => args.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const [what, ...rows] = args.filter((a) => !a.startsWith("--"));
const rounds = Number(option("rounds", "5"));
const jit = option("jit", "on") !== "off";
const inChromium = option("in", "node") === "chromium";
const json = args.includes("--json");
/** Those of `all` that --name= lists; all without it. */
function chosen<T extends string>(name: string, all: readonly T[]): T[] {
  const wanted = option(name, "");
  return all.filter((x) => wanted === "" || wanted.split(",").includes(x.toLowerCase()));
}
/** Where the table goes: stdout is the object's, if one is asked for. */
const say = (line: string): void => {
  (json ? process.stderr : process.stdout).write(`${line}\n`);
};

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

/** ms in which a browser has put a machine away */
const SETTLED = 1000;

/** Until the prompt is on the page's console: from opening the page in an empty tab, and again where it is open, when the browser has a machine to put away as well. The first visit is not counted. */
async function bootInChromium(): Promise<void> {
  const { url, server } = await servePage();
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const times: Record<"opening" | "opening again", number[]> = { opening: [], "opening again": [] };
    for (let i = 0; i <= rounds; i++)
      for (const way of ["opening", "opening again"] as const) {
        if (way === "opening") {
          await page.goto("about:blank");
          await page.waitForTimeout(SETTLED);
        }
        const start = performance.now();
        await page.goto(url);
        await page.waitForFunction(() => /[#$]\s*$/.test([...document.querySelectorAll(".xterm-rows > div")].map((r) => (r.textContent ?? "").trimEnd()).join("\n").trimEnd()));
        if (i > 0) times[way].push(performance.now() - start);
      }
    for (const [way, all] of Object.entries(times)) console.log(`Chromium: from ${way} the page to the prompt: ${median(all).toFixed(0)} ms (${all.map((t) => t.toFixed(0)).join(" ")})`);
  } finally {
    await browser.close();
    server.kill();
  }
}

/** How many times a row must run to be long enough; what is compiled while it runs has been by then. A moment in which something else ran says nothing. */
async function calibrate(runner: Runner, row: string): Promise<number> {
  for (let count = 1; ; count *= 4) {
    const ms = (await runner.run(row, count)) < ENOUGH / 4 ? 0 : await runner.run(row, count);
    if (ms >= ENOUGH / 4) return Math.max(1, Math.round((count * ENOUGH) / ms));
  }
}
/** Whoever is measured computes what the host does (v86 does not tell). @throws Error if not */
async function compareSums(all: readonly Runner[], native: Runner, row: string): Promise<void> {
  await native.run(row, SUMMED);
  for (const r of all) {
    await r.run(row, SUMMED);
    if (r.name !== "v86" && r.sum !== native.sum) throw new Error(`${row}: ${r.name} has computed ${r.sum}, and the host ${native.sum}`);
  }
}
const geomean = (list: readonly number[]): number => Math.exp(list.reduce((s, r) => s + Math.log(r), 0) / list.length);

interface Row {
  readonly name: string;
  readonly ours: number;
  readonly native: number;
  readonly ratio: number;
}

async function table(): Promise<void> {
  const program = "kernels";
  const inBrowser = inChromium ? await chromiumGuest(program) : undefined;
  const ours: Runner = inBrowser ?? (await nodeGuest(program, jit));
  const native = hostRunner("native", [], program);
  const peers = { qemu: qemu(program), v86: await v86(inBrowser?.browser) };
  for (const [name, runner] of Object.entries(peers)) if (runner === undefined) say(`${name} is not here, and left out`);
  const all = [ours, native, ...Object.values(peers).filter((r) => r !== undefined)];
  const names = rows.length > 0 ? rows : rowsOf(program);
  const results: Row[] = [];
  const factors = new Map<string, number[]>(all.slice(2).map((r) => [r.name, []]));
  try {
    say(`${"row".padEnd(14)}${`${ours.name} ms`.padStart(12)}${"native ms".padStart(12)}${"ratio".padStart(8)}${[...factors.keys()].map((n) => `${n} ms`.padStart(12)).join("")}`);
    for (const name of names) {
      const counts: number[] = [];
      for (const r of all) counts.push(await calibrate(r, name));
      await compareSums(all, native, name);
      const times: number[][] = all.map(() => []);
      for (let i = 0; i < rounds; i++) for (const [k, r] of all.entries()) times[k]!.push((await r.run(name, counts[k]!)) / counts[k]!);
      const [mine, host, ...others] = times.map(median) as [number, number, ...number[]];
      // of pairs: each round's two ran one after the other
      const ratio = median(times[0]!.map((t, i) => t / times[1]![i]!));
      others.forEach((t, k) => factors.get(all[k + 2]!.name)!.push(t / mine));
      results.push({ name, ours: mine, native: host, ratio });
      say(`${name.padEnd(14)}${mine.toFixed(2).padStart(12)}${host.toFixed(2).padStart(12)}${ratio.toFixed(2).padStart(8)}${others.map((t) => t.toFixed(2).padStart(12)).join("")}`);
    }
  } finally {
    for (const r of all.toReversed()) await r.close();
  }
  const native_ = geomean(results.map((r) => r.ratio));
  say(`geometric mean of the ratios: ${native_.toFixed(2)}`);
  for (const [name, list] of factors) say(`${name} takes ${geomean(list).toFixed(2)} times as long (geometric mean)`);
  if (!json) return;
  const peer = (name: string): number | null => (factors.has(name) ? geomean(factors.get(name)!) : null);
  console.log(JSON.stringify({ rows: results, geomean: { native: native_, v86: peer("v86"), qemu: peer("qemu") }, counters: await counted(program, names) }));
}

/** Counters of a boot, and of each of the rows once, in a machine of its own. */
async function counted(program: string, names: readonly string[]): Promise<unknown> {
  const guest = await nodeGuest(program, true);
  const boot = counters(guest.machine), from = raw(guest.machine);
  for (const name of names) await guest.run(name, 10);
  return { boot, rows: counters(guest.machine, from) };
}

if (what === undefined || args.includes("--help") || !["boot", "seed", "cpu", "interpreter", "translator", "replay", "ui"].includes(what) || !["node", "chromium"].includes(option("in", "node")) || !(rounds >= 1)) {
  console.error(USAGE);
  process.exitCode = args.includes("--help") ? 0 : 2;
} else if (!setup("test")) process.exitCode = 1;
else if (what === "boot") await boot();
else if (what === "ui") process.exitCode = (await benchUi(rounds, say, rows)) ? 0 : 1;
else if (what === "interpreter") await benchInterpreter(rounds, say, json);
else if (what === "translator") await benchTranslator(say, json);
else if (what === "replay") await benchReplay(Number(option("minutes", "10")));
else if (what === "seed") await seed({ rows, rounds, json, places: chosen<Where>("in", ["Node", "Chromium"]), modes: chosen("mode", MODES) });
else await table();
