// src/format.test.ts — numbers for people.
import { expect, test } from "vitest";
import { count, hex, seconds, size } from "./format.ts";

test("numbers for people", () => {
  expect(count(41203118)).toBe("41,203,118");
  expect([0, 1023, 1536, 16384, 64 << 20].map(size)).toEqual(["0 bytes", "1023 bytes", "1.5 KiB", "16 KiB", "64.0 MiB"]);
  expect(seconds(1_304_000_000)).toBe("1.30 s");
  expect(hex(0x1000)).toBe("00001000");
});
