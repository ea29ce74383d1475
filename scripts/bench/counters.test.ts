// scripts/bench/counters.test.ts — how much is translated, into how much, and how often it is left: numbers without noise, held within bounds

import { expect, test } from "vitest";
import { type Counters, counters, raw } from "./counters.ts";
import { nodeGuest, rowsOf } from "./runners.ts";

/** What must not grow. Measured values stand beside; a change for the better may tighten a bound, one that breaks it has made something worse. */
const BOUNDS: Readonly<Record<"boot" | "rows", Partial<Counters>>> = {
  boot: { wasmBytesPerInsn: 58, wasmKilobytes: 36, modules: 8, insns: 650, exitsPerMillion: 2400 }, // 54, 27, 4, 503, 1414
  rows: { wasmBytesPerInsn: 54, wasmKilobytes: 154, modules: 40, insns: 3100, exitsPerMillion: 18 }, // 51, 141, 31, 2774, 9
};

test("a boot and the benchmark's kernels translate as little as they did, and stay in compiled code as long; exec keeps what there is", async () => {
  const guest = await nodeGuest("kernels", true);
  const boot = counters(guest.machine), from = raw(guest.machine);
  for (const row of rowsOf("kernels")) await guest.run(row, 5);
  const found = { boot, rows: counters(guest.machine, from) };
  expect(found.rows.regions).toBeGreaterThan(13);
  const broken = (["boot", "rows"] as const).flatMap((part) =>
    Object.entries(BOUNDS[part]).filter(([name, most]) => found[part][name as keyof Counters] > most).map(([name]) => `${part}: ${name}`));
  expect(broken, JSON.stringify(found)).toEqual([]);

  // what was translated survives exec: also where the program comes to lie elsewhere, as something else is in its place
  const decoded = (command: string): number => {
    const before = guest.machine.machine.cpu.interpreter.counters.decoded;
    expect(guest.machine.run(command)).toContain("etc");
    return guest.machine.machine.cpu.interpreter.counters.decoded - before;
  };
  expect(decoded("sh -c 'ls /'")).toBeGreaterThan(1000);
  expect(decoded("sh -c 'ls /'")).toBeLessThan(10); // 2
  expect(decoded("sleep 1000 & sh -c 'ls /'")).toBeLessThan(1000); // 425 of 16,500
}, 60_000);
