// link/fixtures.test.ts — one link of each form that was ever published: it is read without a complaint, and boots, for ever
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { engine } from "../../scripts/engine.ts";
import { fromLink, runHeadless } from "../../scripts/headless.ts";
import { IMAGE } from "../test/boot.ts";

test("form 1", async () => {
  const { bundle, problems } = await fromLink(readFileSync("worker/link/fixtures/form1.txt", "utf8").trim());
  expect(problems).toEqual([]);
  const { link } = bundle;
  expect([link.image.name, link.mem, link.seed, link.append, link.title]).toEqual(["nommu.ext4", 32, "42", "quiet", "Hello from form 1"]);
  const same = createHash("sha256").update(readFileSync(IMAGE)).digest("hex").startsWith(link.image.hash!);
  let said = "";
  const write = (b: Uint8Array): void => void (said += new TextDecoder().decode(b));
  if (same && link.engine === engine()) {
    // the very emulator that made it, and the very image: the very machine
    expect((await runHeadless(bundle, { image: IMAGE, jit: true, write })).fingerprint).toBe(link.fingerprint);
    expect(said).toContain("hello 42");
  } else {
    // another one is not that machine (docs/links.md): it boots, with the link's files, and waits at its prompt
    const plain = { ...link, image: { name: link.image.name, hash: undefined }, at: undefined, ns: undefined, extra: { files: link.extra.files! } };
    await runHeadless({ ...bundle, link: plain }, { image: IMAGE, jit: true, write });
    expect(said).toMatch(/# $/);
  }
});
