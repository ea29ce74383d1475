// src/inspect/poll.test.ts — an answer keeps the parts of the last one that have not changed.
import { expect, test } from "vitest";
import { reuse } from "./poll.ts";

test("what is equal stays the same object, what is not is the new one", () => {
  const old = { size: 4, rows: [{ a: 1 }, { a: 2 }], bytes: Uint8Array.of(1, 2) };
  expect(reuse(old, structuredClone(old))).toBe(old);
  const next = reuse(old, { size: 4, rows: [{ a: 1 }, { a: 3 }], bytes: Uint8Array.of(1, 2) });
  expect(next).toEqual({ size: 4, rows: [{ a: 1 }, { a: 3 }], bytes: Uint8Array.of(1, 2) });
  expect(next.rows[0]).toBe(old.rows[0]);
  expect(next.bytes).toBe(old.bytes);
});

test("a part that came or went makes it another", () => {
  const old: { a?: number; list: number[] } = { a: 1, list: [1, 2] };
  expect(reuse(old, { list: [1, 2] })).not.toBe(old);
  expect(reuse(old, { a: 1, list: [1] }).list).toEqual([1]);
  expect(reuse(Uint8Array.of(1), Uint8Array.of(2))).toEqual(Uint8Array.of(2));
  expect(reuse([], {} as unknown)).toEqual({});
  expect(reuse(undefined, old)).toBe(old);
});
