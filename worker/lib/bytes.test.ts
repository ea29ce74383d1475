// lib/bytes.test.ts — memset does what fill does
import { expect, test } from "vitest";
import { memset } from "./bytes.ts";

test("memset sets just the bytes that are meant, in shared memory and in other", () => {
  for (const buffer of [new ArrayBuffer(400_000), new SharedArrayBuffer(400_000)]) {
    const bytes = new Uint8Array(buffer), model = new Uint8Array(400_000);
    for (const [value, from, to] of [[7, 0, 400_000], [0, 3, 3], [0, 5, 6], [1, 10, 521], [2, 10, 522], [3, 11, 1547], [0, 100, 611], [0, 100, 612], [0, 1, 65_537], [9, 1, 131_074], [0, 65_536, 399_999], [255, 77, 300_000]] as const) {
      memset(bytes, value, from, to);
      model.fill(value, from, to);
      expect(Buffer.compare(bytes, model), `${value} in [${from}, ${to})`).toBe(0);
    }
  }
});
