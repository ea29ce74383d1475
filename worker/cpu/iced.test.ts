// worker/cpu/iced.test.ts — iced-x86 is there and decodes.

import { expect, test } from "vitest";
import { loadIced } from "./iced.ts";

test("loadIced decodes a syscall instruction with its length and mnemonic", async () => {
  const { Code, Decoder, DecoderOptions, Mnemonic } = await loadIced();
  const decoder = new Decoder(64, Uint8Array.of(0x0f, 0x05, 0xff, 0xd0), DecoderOptions.None);
  decoder.ip = 0x1000n;
  const first = decoder.decode();
  expect(first.code).toBe(Code.Syscall);
  expect(first.length).toBe(2);
  const second = decoder.decode();
  expect(second.mnemonic).toBe(Mnemonic.Call);
  expect(second.ip).toBe(0x1002n);
  second.free();
  first.free();
  decoder.free();
});
