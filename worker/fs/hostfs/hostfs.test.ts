// fs/hostfs/hostfs.test.ts — what a person hands over is in /mnt/host, what the guest leaves there can be taken; and a replay has it at the same instruction.
import { expect, test } from "vitest";
import { loadIced } from "../../cpu/iced.ts";
import { checkEvents, fromLinkEvents, toLinkEvents } from "../../link/events.ts";
import { Inspector } from "../../machine/inspect.ts";
import { Timeline } from "../../replay/timeline.ts";
import { TestMachine } from "../../test/boot.ts";

test("files go in and out, and a replay of the log is the same machine", async () => {
  const m = await TestMachine.boot();
  const { machine } = m;
  const told: string[] = [];
  machine.tap.hostFile = (path, size) => void told.push(`${path} ${size}`);
  const i = new Inspector(machine, await loadIced(), () => undefined);
  expect(i.sharedFiles()).toEqual({ where: "/mnt/host", files: [] });
  // absent first: the dcache must not keep that
  expect(m.run("ls /mnt/host; cat /mnt/host/grüße.txt; stat -f -c %t /mnt/host")).toBe("cat: can't open '/mnt/host/grüße.txt': No such file or directory\nc0ffee\n");
  const big = Uint8Array.from({ length: 200_000 }, (_, n) => (n * 7) % 251);
  i.giveFile("grüße.txt", new TextEncoder().encode("hello\n"));
  i.giveFile("big", big);
  expect(m.run("cd /mnt/host; cat gr*.txt; wc -c < big; cp big copy; cmp big copy; mkdir -p d; head -c 3 gr*.txt > d/three; cd /")).toBe("hello\n200000\n");
  expect(told).toEqual(["copy 200000", "d/three 3"]);
  expect(i.takeFile("copy")).toEqual(big);
  expect(new TextDecoder().decode(i.takeFile("d/three"))).toBe("hel");
  // one of the same name takes its place; who has the old one open goes on with it
  m.run("exec 3< /mnt/host/grüße.txt");
  i.giveFile("grüße.txt", new TextEncoder().encode("again\n"));
  expect(m.run("cat <&3; cat /mnt/host/grüße.txt; exec 3<&-")).toBe("hello\nagain\n");
  expect(() => i.giveFile("d", new Uint8Array(1))).toThrow(/directory of that name/);
  expect(() => i.giveFile("a/b", new Uint8Array(1))).toThrow();
  expect(() => i.giveFile("huge", new Uint8Array(33 << 20))).toThrow(/32 MiB/);
  expect(m.run("umount /mnt/host; ls /mnt/host | wc -l; mount -t hostfs none /mnt/host && ls /mnt/host | wc -l")).toBe("0\n4\n");
  expect(() => i.takeFile("gone")).toThrow(/no file gone/);

  const log = checkEvents(JSON.parse(JSON.stringify(toLinkEvents(machine.log))));
  if (typeof log === "string") throw new Error(log);
  const t = new Timeline(machine);
  const end = t.now;
  const again = await TestMachine.create();
  const u = new Timeline(again.machine);
  again.machine.boot();
  u.snapshot();
  u.load(fromLinkEvents(log), end);
  await u.seek(end);
  expect(u.fingerprint()).toBe(t.fingerprint());
});
