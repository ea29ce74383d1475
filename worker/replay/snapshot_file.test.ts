// replay/snapshot_file.test.ts — a machine saved at its prompt goes on in another one, which never booted; what is no snapshot is refused
import { expect, test } from "vitest";
import { image, TestMachine } from "../test/boot.ts";
import { Timeline } from "./timeline.ts";

const CMDLINE = "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init";

test("saved, and gone on with elsewhere", async () => {
  const bytes = image();
  const images = new Map([["disk", (pos: number, buf: Uint8Array): void => buf.set(bytes.subarray(pos, pos + buf.length))]]);
  const m = await TestMachine.create({ cmdline: CMDLINE });
  const t = new Timeline(m.machine);
  m.machine.boot();
  m.machine.resize(0, 80, 24);
  m.until(/# $/);
  m.run("echo kept > /root/f; cd /tmp");
  while (m.machine.run(1_000_000) !== "idle");
  const file = t.save(images);
  expect(file.length).toBeLessThan(3 << 20);

  const other = await TestMachine.create({ cmdline: CMDLINE });
  const again = new Timeline(other.machine);
  again.resume(file, images);
  expect(again.now).toEqual(t.now);
  expect(again.log).toEqual(t.log);
  expect(new TextDecoder().decode(other.machine.tap.lines[0]!.history())).toContain("cd /tmp");
  for (const x of [m, other]) {
    x.type("pwd; cat /root/f; ls / | wc -l; sync\n");
    while (x.machine.run(1_000_000) !== "idle");
  }
  expect(other.text).toMatch(/\/tmp\r\nkept\r\n\d+\r\n/);
  expect(m.text.endsWith(other.text)).toBe(true);
  expect(again.now).toEqual(t.now);
  expect(again.fingerprint()).toBe(t.fingerprint());

  const third = async (cmdline: string, change: (f: Uint8Array) => Uint8Array) => {
    const x = await TestMachine.create({ cmdline });
    return () => new Timeline(x.machine).resume(change(file.slice()), images);
  };
  expect(await third(CMDLINE, (f) => f.subarray(0, 1000))).toThrow(/no snapshot of this version, or it is damaged/);
  expect(await third(CMDLINE, (f) => f.subarray(0, f.length - 5000))).toThrow(/cut short/);
  expect(await third(CMDLINE.replace("64m", "65m"), (f) => f)).toThrow(/64 MiB/);
  expect(
    await third(CMDLINE, (f) => {
      f[f.length - 100]! ^= 1;
      return f;
    }),
  ).toThrow(/does not give the machine/);
});
