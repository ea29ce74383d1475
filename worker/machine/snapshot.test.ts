// machine/snapshot.test.ts — every page that was written to is found, also where nobody has been given memory, and is put back; in parts it is the same
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

test("taken in parts it is the same snapshot; one that is broken off has not been", async () => {
  const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init" });
  const s = new Snapshots(m.machine);
  m.machine.boot();
  m.until(/# $/);
  m.run("ls -l / > /root/list; cat /root/list /proc/meminfo > /dev/null");
  // one part of it, and then the machine goes on
  const broken = s.begin();
  expect(broken.step(() => true)).toBeUndefined();
  m.run("echo more >> /root/list; ls /bin | sort -r | tail -n 1");
  const taking = s.begin();
  expect(() => broken.step(() => true)).toThrow("must be begun again");
  let parts = 1;
  let snapshot = taking.step(() => true);
  for (; snapshot === undefined; parts++) snapshot = taking.step(() => true);
  expect(parts).toBeGreaterThan(50);
  const fingerprint = s.fingerprint();
  expect(s.verify()).toBe(true);
  // the same as in one piece, by somebody who remembers nothing
  const whole = new Snapshots(m.machine).take();
  expect(snapshot.graph.nodes).toEqual(whole.graph.nodes);
  expect(snapshot.graph.buffers).toEqual(whole.graph.buffers);
  expect(m.run("rm /root/list; echo $?")).toBe("0\n");
  s.restore(snapshot);
  expect(s.fingerprint()).toBe(fingerprint);
  expect(s.verify()).toBe(true);
  expect(m.run("tail -n 1 /root/list")).toBe("more\n");
});

test("whatever changes a file's cached pages counts: copies are right without looking", async () => {
  const m = await TestMachine.create({ cmdline: "ubd0=disk rw mem=64m loglevel=4 init=/sbin/init" });
  const s = new Snapshots(m.machine);
  m.machine.boot();
  m.until(/# $/);
  const lines = [
    "seq 5000 > /root/f", "echo x >> /root/f", "printf hi | dd of=/root/f bs=1 seek=5000 conv=notrunc 2> /dev/null", "truncate -s 9000 /root/f", "truncate -s 20001 /root/f",
    "fallocate -l 30000 /root/f; fallocate -p -o 100 -l 9000 /root/f", "cp /root/f /root/g; sync", "cat /bin/busybox | wc -c", "echo 3 > /proc/sys/vm/drop_caches; wc -c /root/f", "mv /root/g /root/f; echo y >> /root/f",
  ];
  for (const line of lines) {
    m.run(`${line}; true`);
    expect(s.verify(), line).toBe(true);
  }
  const before = s.take();
  m.run("printf changed | dd of=/root/f bs=1 conv=notrunc 2> /dev/null");
  expect(s.take().graph.buffers.filter((b, i) => b !== before.graph.buffers[i]).length).toBeGreaterThan(0);
  s.restore(before);
  expect(m.run("head -n 2 /root/f")).toBe("1\n2\n");
});
