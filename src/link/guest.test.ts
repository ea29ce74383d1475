// src/link/guest.test.ts — when a machine is compared with the link that it was booted from.
import { beforeEach, describe, expect, test } from "vitest";
import type { BootLink } from "../../worker/protocol/link.ts";
import { guest, judge } from "./guest.ts";

const FINGERPRINT = "0123456789abcdef";
const link: BootLink = {
  format: 1, screen: "", image: { name: "nommu.ext4", hash: undefined }, engine: undefined, mem: 256, seed: "0", clock: 0, append: "", line: undefined, at: 1000, ns: 20e9, title: "",
  fingerprint: FINGERPRINT, source: undefined, extra: {}, unknown: [],
};
const verdict = (): boolean | undefined => guest.get().opened?.verdict?.same;

describe("the verdict on an opened link", () => {
  beforeEach(() => guest.set({ opened: { link, problems: [], cmdline: "", overlay: [], from: "link", phase: "done", questions: [], verdict: undefined, armed: false } }));
  test("a machine that idles at the link's instruction, seconds before its moment, is not judged", () => {
    judge({ retired: 1000, live: false, fingerprint: "of the disk before the journal's commit" });
    expect(verdict()).toBeUndefined();
    judge({ retired: 1000, live: true, fingerprint: FINGERPRINT });
    expect(verdict()).toBe(true);
  });
  test("at the moment, with another fingerprint, it is another machine", () => {
    judge({ retired: 1000, live: true, fingerprint: "fedcba9876543210" });
    expect(verdict()).toBe(false);
  });
  test("neither is one that is on its way, or busy", () => {
    judge({ retired: 999, live: true, fingerprint: FINGERPRINT });
    judge({ retired: 1000, live: true, fingerprint: undefined });
    expect(verdict()).toBeUndefined();
  });
});
