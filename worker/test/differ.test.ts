// worker/test/differ.test.ts — short random sequences of system calls, line by line as a host answered them (npm run differ -- --record).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { EXPECTED, RECORDED, onMachine, recording } from "./differ.ts";

test("random sequences of calls are answered as on hardware", async () => {
  expect(recording(await onMachine(RECORDED)).split("\n")).toEqual(readFileSync(EXPECTED, "utf8").split("\n"));
}, 120_000);
