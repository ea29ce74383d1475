// src/inspect/wasm_text.test.ts — a function of a wasm module as text.
import { expect, test } from "vitest";
import { wasmText } from "./wasm_text.ts";

test("a function with an import before it, locals, a block and constants", () => {
  const module = Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic, version
    1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f, // types: () -> (), () -> i32
    2, 7, 1, 1, 0x65, 1, 0x66, 0, 0, // import e.f
    3, 2, 1, 1, // one function of type 1
    7, 5, 1, 1, 0x37, 0, 1, // export "7"
    10, 20, 1, 18, 1, 2, 0x7e, 0x02, 0x40, 0x10, 0, 0x0b, 0x41, 0x7f, 0x41, 0x80, 0x20, 0x28, 2, 4, 0x6a, 0x0b,
  ]);
  expect(wasmText(module, "7")).toEqual(["local 2 × i64", "block", "  call 0", "end", "i32.const -1", "i32.const 0x1000", "i32.load offset=0x4", "i32.add", "end"]);
  expect(wasmText(module, "7", 3)).toEqual(["local 2 × i64", "block", "  call 0", "… 11 more bytes"]);
});
