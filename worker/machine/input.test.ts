// machine/input.test.ts — the log of what came from outside takes little more than what came
import { setFlagsFromString } from "node:v8";
import { expect, test } from "vitest";
import { eventOf, KeptBytes, type Input } from "./input.ts";

const INPUTS: readonly (() => Input)[] = [
  () => ({ line: 0, bytes: Uint8Array.of(97) }),
  () => ({ line: 1, size: { cols: 80, rows: 24 } }),
  () => ({ clock: 5 }),
  () => ({ poke: { address: 4096, bytes: Uint8Array.of(1) } }),
  () => ({ file: { name: "f", bytes: Uint8Array.of(2) } }),
];

test("events have what came, and their moment; those of a kind share one description", () => {
  setFlagsFromString("--allow-natives-syntax");
  const same = new Function("a", "b", "return %HaveSameMap(a, b)") as (a: object, b: object) => boolean;
  for (const input of INPUTS) {
    expect(eventOf(input(), 1, 2)).toEqual({ ...input(), at: 1, ns: 2 });
    // moments beyond 2^31 are kept in another way than small numbers: once for all of them
    const events = Array.from({ length: 50 }, (_, i) => eventOf(input(), 2 ** 40 + i, 2 ** 41 + i));
    expect(events.slice(1).every((e) => same(e, events[1]!))).toBe(true);
  }
});

test("keys share buffers, and keep what was typed; what is long has its own", () => {
  const kept = new KeptBytes();
  const typed = Array.from({ length: 10_000 }, (_, i) => Uint8Array.of(i & 255, i >> 8));
  const copies = typed.map((bytes) => kept.copy(bytes));
  for (const bytes of typed) bytes.fill(0);
  expect(copies.every((bytes, i) => bytes.length === 2 && bytes[0] === (i & 255) && bytes[1] === i >> 8)).toBe(true);
  expect(new Set(copies.map((bytes) => bytes.buffer)).size).toBe(5);
  const long = new Uint8Array(1000).fill(7);
  expect(kept.copy(long)).toEqual(long);
  expect(kept.copy(long).buffer.byteLength).toBe(1000);
});
