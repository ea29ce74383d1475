// worker/test/glibc.test.ts — programs built for an ordinary Linux with glibc, position-independent and not, print here what they print on the host.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tarDisk } from "../machine/tar_disk.ts";
import { TestMachine } from "./boot.ts";

const folder = mkdtempSync(join(tmpdir(), "pagezero-glibc-"));
const root = join(folder, "root");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const OWN = "nommu.map_fixed=own nommu.fork=shadow";

/** The files that a program of the host is loaded with. */
function libraries(program: string): string[] {
  return [...execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g)].map((m) => m[1]!);
}
function put(file: string): void {
  const to = join(root, file);
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(file), to);
}

let image: Uint8Array;
beforeAll(() => {
  const source = join(import.meta.dirname, "glibc/ordinary.c");
  mkdirSync(join(root, "bin"), { recursive: true });
  for (const [name, flag] of [["pie", "-pie"], ["fixed", "-no-pie"]] as const) execFileSync("gcc", ["-O1", flag, "-fPIE", "-o", join(root, "bin", name), source, "-pthread", "-ldl"]);
  for (const library of new Set([...libraries("/bin/sh"), ...libraries("/bin/ls"), "/lib/x86_64-linux-gnu/libm.so.6"])) put(library);
  put("/bin/sh");
  for (const place of ["dev", "proc", "tmp"]) mkdirSync(join(root, place));
  const steps = tarDisk(new Uint8Array(execFileSync("tar", ["cf", "-", "-C", root, "."], { maxBuffer: 1 << 28 })));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return void (image = step.value.bytes);
  }
}, 60_000);

async function guest(parameters: string, program: string): Promise<string> {
  const m = await TestMachine.create({ disks: { disk: image.slice() }, cmdline: `ubd0=disk rw mem=256m loglevel=7 nommu.stack=1m ${parameters} init=/bin/sh -- -c "(${program}); echo status $?; read x"` });
  m.machine.boot();
  m.until(/^status \d+\r?$/m);
  return m.text.replaceAll("\r", "");
}

// the guest gets the host's own C library
describe.skipIf(process.platform !== "linux" || process.arch !== "x64" || spawnSync("ldd", ["/bin/sh"], { encoding: "utf8" }).stdout.includes("libc.so.6") === false)("glibc (skipped where the host has none)", () => {
  test.each(["pie", "fixed"])("%s: as on the host", async (name) => {
    const host = spawnSync("chroot", [root, `/bin/${name}`], { encoding: "utf8" });
    expect(host.status).toBe(0);
    const text = await guest(`${OWN} nommu.et_exec=16m`, `/bin/${name}`);
    expect(text).toContain(`${host.stdout}status 0\n`);
  });
  test("what is linked to a fixed address is refused without the parameter that makes room, which is told", async () => {
    const text = await guest(OWN, "/bin/fixed");
    expect(text).toContain("/bin/fixed: Exec format error\nstatus 126");
    expect(text).toContain("sh[2]: /bin/fixed: linked to a fixed address, which needs an MMU; nommu.fork=shadow nommu.et_exec=64m on the command line does without");
  });
});
