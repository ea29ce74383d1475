// worker/test/guest.test.ts — the C programs of worker/test/guest in a booted machine: each must say what an ordinary Linux said on hardware.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { EXPECTED, guestEntries, guestPrograms, parseRun, recording, type Told } from "../../scripts/guest.ts";
import { makeExt4 } from "../../scripts/userspace/ext4.ts";
import { USERSPACE } from "../../scripts/userspace/compile.ts";
import { rootTree } from "../../scripts/userspace/tree.ts";
import { TestMachine } from "./boot.ts";

/** those that need nommu.fork=shadow run in a machine of their own, which has AVX */
const forking = guestPrograms().filter((name) => name.startsWith("shadow_") || name === "sig_fpu");
const programs = guestPrograms().filter((name) => !name.startsWith("shadow_"));

function guestImage(programs: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "pagezero-guest-"));
  try {
    const file = join(folder, "image");
    makeExt4(file, [...rootTree(USERSPACE), ...guestEntries(programs)], { size: 64, blockSize: 4096 });
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("guest programs", () => {
  let told = new Map<string, Told>();
  let trapped = -1;
  beforeAll(async () => {
    const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=256m quiet init=/guest/run", disks: { disk: guestImage(programs) } });
    m.machine.boot();
    m.finish();
    told = parseRun(m.text);
    trapped = m.machine.arch.zpoline.trapped;
  }, 300_000);

  for (const name of programs)
    test(name, () => {
      const got = told.get(name);
      expect(got === undefined ? "it was not run" : recording(got)).toBe(readFileSync(join(EXPECTED, `${name}.txt`), "utf8"));
    });
  test("no call of theirs came by any way but page 0", () => {
    expect(trapped).toBe(0);
  });
});

describe("programs that fork", () => {
  const run = async (options: string): Promise<TestMachine> => {
    const m = await TestMachine.create({ cmdline: `ubd0=disk rw mem=256m quiet ${options} init=/guest/run`, disks: { disk: guestImage(forking) } });
    m.machine.boot();
    m.finish();
    return m;
  };
  test("nommu.fork=shadow cpu=v3: as on Linux with an MMU", async () => {
    const told = parseRun((await run("nommu.fork=shadow cpu=v3")).text);
    for (const name of forking) expect(told.has(name) ? recording(told.get(name)!) : "it was not run").toBe(readFileSync(join(EXPECTED, `${name}.txt`), "utf8"));
  }, 120_000);
  test("without it fork is EINVAL, and the log names the parameter", async () => {
    const m = await run("loglevel=7");
    expect(parseRun(m.text).get("shadow_fork")?.output).toContain("fork: EINVAL");
    expect(m.text).toContain("nommu.fork=shadow on the command line");
  }, 120_000);
});
