#!/usr/bin/env node
// e2e/slow.mjs — Chromium on a computer that is E2E_SLOW times slower: all of its processes stand still most of the time, and run in short bursts. It costs no CPU time.
import { spawn } from "node:child_process";

const slow = Number(process.env.E2E_SLOW ?? 4);
/** ms of a burst: from the least to the most, by chance */
const BURST = [4, 24];

const child = spawn(process.env.CHROMIUM ?? "/usr/bin/chromium", process.argv.slice(2), { stdio: ["inherit", "inherit", "inherit", "inherit", "inherit"], detached: true });
const signal = (name) => {
  try {
    // Chromium's other processes are of its group
    process.kill(-child.pid, name);
  } catch {
    // it is gone
  }
};
// the same bursts each time
let seed = Number(process.env.E2E_SEED ?? 1) >>> 0;
const chance = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
let timer;
const go = () => {
  signal("SIGCONT");
  const burst = BURST[0] + chance() * (BURST[1] - BURST[0]);
  timer = setTimeout(() => {
    signal("SIGSTOP");
    timer = setTimeout(go, burst * (slow - 1));
  }, burst);
};
const end = () => {
  clearTimeout(timer);
  signal("SIGCONT");
};
child.on("exit", (code) => {
  end();
  process.exit(code ?? 1);
});
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"])
  process.on(name, () => {
    end();
    signal("SIGKILL");
  });
go();
