// worker/test/fuzz.test.ts — a little of `npm run fuzz`: no internal error, an end, a whole disk, and two runs that are the same.
import { expect, test } from "vitest";
import { fuzzImage, fuzzTwice } from "./fuzz.ts";

const image = fuzzImage();

test.each([4, 5])("random system calls of several processes, seed %i", async (seed) => {
  const { text } = await fuzzTwice(image, seed, 8000);
  expect(text).toMatch(/fuzz: \d+ processes exited, \d+ were killed/);
});
