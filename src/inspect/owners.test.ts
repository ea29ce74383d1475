// src/inspect/owners.test.ts — colours of processes: different ones while there are enough, and the same one for life.
import { expect, test } from "vitest";
import { colour, share } from "./owners.ts";

test("processes that live at the same time have different colours, and keep them", () => {
  share([1, 16, 17, 18, 22]);
  const before = [1, 16, 17, 18, 22].map(colour);
  expect(new Set(before).size).toBe(5);
  share([1, 16, 22, 29]);
  expect([1, 16, 22].map(colour)).toEqual([before[0], before[1], before[4]]);
  expect(new Set([1, 16, 22, 29].map(colour)).size).toBe(4);
});

test("more processes than colours", () => {
  const many = Array.from({ length: 20 }, (_, i) => i + 1);
  share(many);
  expect(many.every((pid) => /^#/.test(colour(pid)))).toBe(true);
  expect(new Set(many.map(colour)).size).toBe(7);
});
