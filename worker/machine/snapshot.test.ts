// machine/snapshot.test.ts — every page that was written to is found, also where nobody has been given memory; and is put back
import { expect, test } from "vitest";
import { TestMachine } from "../test/boot.ts";
import { imageWith } from "../test/image_with.ts";
import { Snapshots } from "./snapshot.ts";

for (const jit of [true, false])
  test(`wild stores are seen by fingerprints and undone by going back (compiled tier ${jit ? "on" : "off"})`, async () => {
    const m = await TestMachine.create({ disks: { disk: imageWith("/bin/wild", "worker/test/guest/replay/wild.c") }, cmdline: "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init", jit });
    const s = new Snapshots(m.machine);
    m.machine.boot();
    m.until(/# $/);
    const before = s.take();
    const fingerprint = s.fingerprint();
    expect(s.verify()).toBe(true);
    expect(m.run("wild")).toBe("written\n");
    const { u8 } = m.machine.cpu.mem;
    const bytes = (): number[] => [u8[0x3000000]!, u8[0x3010000]!, u8[0x3020000]!, u8[0x3800fff]!, u8[0x3801003]!, u8[0x3801004]!];
    expect(bytes()).toEqual([1, 2, 3, 255, 255, 0]);
    const after = s.take();
    const second = s.fingerprint();
    expect(s.verify()).toBe(true);
    s.restore(before);
    expect(bytes()).toEqual([0, 0, 0, 0, 0, 0]);
    expect(s.fingerprint()).toBe(fingerprint);
    expect(s.verify()).toBe(true);
    s.restore(after);
    expect(bytes()).toEqual([1, 2, 3, 255, 255, 0]);
    expect(s.fingerprint()).toBe(second);
  });
