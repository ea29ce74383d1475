// src/lessons/progress.test.ts — codes are read as they were written, and damage is noticed
import { expect, test } from "vitest";
import { progressCode, readCode, readCodes } from "./progress.ts";

test("a code says what it was made of; a changed one says nothing", () => {
  const p = { lesson: "one-more", step: 12, done: [1, 2, 5, 12] };
  const code = progressCode(p);
  expect(readCode(code)).toEqual(p);
  expect(readCode(code.replace("12", "11"))).toBeUndefined();
  expect(readCode(code.slice(0, -1))).toBeUndefined();
  expect(readCode("hello")).toBeUndefined();
});

test("a pasted chat is a table, who is least far first", () => {
  const a = progressCode({ lesson: "tour", step: 3, done: [1, 2] });
  const b = progressCode({ lesson: "tour", step: 1, done: [] });
  expect(readCodes(`Ada: ${a}\nhello all\nBob - ${b}\n${a}x`).map((r) => [r.name, r.progress?.step])).toEqual([["", undefined], ["Bob", 1], ["Ada", 3]]);
});
