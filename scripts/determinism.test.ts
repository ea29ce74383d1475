// scripts/determinism.test.ts — a difference that was put there on purpose is found at its very instruction, and named; where there is none, none is found
import { expect, test } from "vitest";
import { loadIced } from "../worker/cpu/iced.ts";
import type { Machine } from "../worker/machine.ts";
import { image } from "../worker/test/boot.ts";
import { boot, compare, type Mark, markOf, type Session, slice, type Way } from "./determinism.ts";

const way = (jit: boolean, length: number, fault?: Way["fault"]): Way => ({ name: "", jit, hot: 100, slice: () => length, ...(fault && { fault }) });
const FIRST = (): Way => way(false, 50_000);

/** A short session: something is typed in the middle of the boot, and at its end. Marks every so often, and close together around `at`. */
async function session(at: number): Promise<{ session: Session; marks: Mark[] }> {
  const start = { iced: await loadIced(), disk: image(), cmdline: "ubd0=disk rw mem=16m loglevel=4 init=/bin/sh" };
  const t = boot(start, FIRST());
  const marks: Mark[] = [];
  for (const goal of [at / 2, at - 2, at + 1]) {
    while (t.now.at < goal) if (slice(t, FIRST(), goal - t.now.at) === "idle") t.advance_idle(t.until());
    marks.push(markOf(t));
    if (marks.length === 1) t.input(0, new TextEncoder().encode("x"));
  }
  return { session: { ...start, log: t.log, end: t.end }, marks };
}

test("the same machine, compiled and in short slices, does not differ; one that is changed at an instruction differs from that one on", async () => {
  const at = 200_000;
  const { session: s, marks } = await session(at);
  expect(s.log).toHaveLength(1);
  expect(compare(s, marks, FIRST, () => way(true, 777))).toBeUndefined();
  // a byte of memory that nobody looks at
  const address = 0x100010;
  const memory = compare(s, marks, FIRST, () => way(true, 7001, { at, happen: ({ kernel: { mem } }: Machine) => void (mem.u8[address]! ^= 0x40) }));
  expect(memory?.at).toBe(at);
  expect(memory?.words).toMatch(new RegExp(`^they differ from instruction ${at} on: at 0x[0-9a-f]+ in sh: \\w+.*\n  memory at 0x100010: 0x[0-9a-f]{8} and 0x[0-9a-f]{8}$`));
});
