// worker/test/applets.test.ts — command lines of busybox say in a guest what they said on a host with the same programs: those that ask most of the kernel.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { APPLETS_EXPECTED, appletLines, appletsImage, parseApplets } from "../../scripts/suite/applets.ts";
import { TestMachine } from "./boot.ts";

/** `npm run suite -- applets` runs all. */
const WHICH = /setuidgid|su nobody|mount -|chattr|setfattr|flock|mkfifo|\/proc\/self|ulimit|trap|chroot|full/;

test("the same words, the same status", async () => {
  const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=64m quiet init=/suite/init", disks: { disk: appletsImage(WHICH) } });
  m.machine.boot();
  m.finish();
  const expected = parseApplets(readFileSync(APPLETS_EXPECTED, "utf8"));
  const wanted = appletLines(WHICH);
  expect(wanted.length).toBeGreaterThan(15);
  const said = parseApplets(m.text);
  expect(said.has("end")).toBe(true);
  for (const line of wanted) expect(said.get(line), line).toBe(expected.get(line));
});
