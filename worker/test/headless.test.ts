// test/headless.test.ts — a recording made into a link and a bundle is the same machine when they are run, and says so; what is not for it is refused
import { expect, test } from "vitest";
import { fromLink, runHeadless } from "../../scripts/headless.ts";
import { codec } from "../../scripts/codec.ts";
import { type Bundle, readBundle, writeBundle } from "../link/bundle.ts";
import { toLinkEvents } from "../link/events.ts";
import { defaultLink } from "../link/fields.ts";
import type { BootLink } from "../protocol/link.ts";
import { formatLink } from "../link/link.ts";
import { commandLine, fromCommandLine } from "../link/recipe.ts";
import { Timeline } from "../replay/timeline.ts";
import { TestMachine, IMAGE } from "./boot.ts";

const files = [{ path: "/opt/new/hello.sh", text: "#!/bin/sh\necho hello from the link\n" }];
const bare: BootLink = { ...defaultLink("nommu.ext4"), mem: 64, append: "loglevel=4", extra: { files } };

async function record(): Promise<BootLink> {
  const m = await TestMachine.create({ cmdline: commandLine(bare), diskName: "nommu.ext4", files: files.map((f) => ({ path: f.path, bytes: new TextEncoder().encode(f.text) })) });
  const t = new Timeline(m.machine);
  m.machine.boot();
  m.machine.resize(0, 90, 33);
  m.until(/# $/);
  expect(m.run("/opt/new/hello.sh; ls -l /opt/new/hello.sh | cut -c1-10")).toBe("hello from the link\n-rwxr-xr-x\n");
  m.run("echo changed > /etc/motd; sync; stty size");
  while (m.step() !== "idle");
  return { ...bare, ...fromCommandLine(m.machine.cmdline.replace(" root=98:0 console=tty0", ""), "nommu.ext4"), clock: m.machine.clock, at: t.now.at, ns: t.now.ns, fingerprint: t.fingerprint(), extra: { files, input: toLinkEvents(t.log) } };
}

test("a link, and a bundle, are the machine that they were made of", async () => {
  const link = await record();
  const url = `https://example.org/${await formatLink(link, codec)}`;
  const read = await fromLink(url);
  expect(read.problems).toEqual([]);
  expect(await runHeadless(read.bundle, { image: IMAGE, jit: true })).toEqual({ at: link.at, fingerprint: link.fingerprint, equal: true });
  const bundle: Bundle = readBundle(writeBundle({ link, overlays: [] }), "x").bundle!;
  expect(await runHeadless(bundle, { image: IMAGE, jit: false })).toEqual({ at: link.at, fingerprint: link.fingerprint, equal: true });
  // another machine is not that one
  const bare64 = { ...bundle, link: { ...link, extra: { files }, at: 1_000_000, ns: undefined } };
  expect((await runHeadless(bare64, { image: IMAGE, jit: true })).equal).toBe(false);
  await expect(runHeadless({ ...bundle, link: { ...link, extra: { files } } }, { image: IMAGE, jit: true })).rejects.toThrow(/sleeps for ever at instruction/);
});

test("what cannot be run is refused in a sentence", async () => {
  const run = (change: Partial<BootLink>, image = IMAGE) => runHeadless({ link: { ...bare, ...change }, overlays: [] }, { image, jit: true });
  await expect(run({ image: { name: "nommu.ext4", hash: "000000000000" } })).rejects.toThrow(/not the image that is asked for/);
  await expect(run({}, "/nowhere")).rejects.toThrow(/is not here/);
  await expect(run({ line: "mem=1k" })).rejects.toThrow(/mem= must be/);
  // a file of this host is no disk of such a machine
  let text = "";
  const write = (b: Uint8Array): void => void (text += new TextDecoder().decode(b));
  await runHeadless({ link: { ...bare, line: "mem=64m ubd0=/etc/passwd console=tty0 root=98:0" }, overlays: [] }, { image: IMAGE, jit: true, write });
  expect(text).toContain("there is no disk called /etc/passwd here");
  expect(text).toContain("Unable to mount root fs");
});
