// arch/um/zpoline_kunit.ts — the translator on byte strings that are out to trick it.
import { KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import type { KUnitTest } from "../../kunit/test.ts";
import type { UmArch } from "./process.ts";
import { scan_bytes } from "./zpoline.ts";

const hex = (s: string): Uint8Array => Uint8Array.from(s.trim().split(/\s+/), (b) => parseInt(b, 16));
function scan(test: KUnitTest, code: string): string {
  return scan_bytes((test.kernel.arch as UmArch).iced, hex(code))
    .map((s) => `${s.offset}${s.left === undefined ? "" : ` ${s.left}`}`)
    .join(", ");
}

/** what, bytes, offsets of the sites that are found (and why one is left) */
const cases: readonly (readonly [string, string, string])[] = [
  ["a plain call", "b8 27 00 00 00 0f 05 c3", "5"],
  ["sysenter", "0f 34 c3", "0"],
  ["two in a row", "0f 05 0f 05 c3", "0, 2"],
  ["in an immediate", "b8 0f 05 0f 05 c3", ""],
  ["in a 64-bit immediate", "48 b8 0f 05 0f 05 0f 05 0f 05 c3", ""],
  ["in a displacement", "48 8d 05 0f 05 00 00 c3", ""],
  ["in the distance of a call", "e8 0f 05 00 00 c3", ""],
  ["across two instructions", "b0 0f 05 01 02 03 04 c3", ""],
  ["after bytes that decode to nothing", "06 06 b8 01 00 00 00 0f 05 c3", "7"],
  ["with a prefix that stands where ff would go", "48 0f 05 c3", ""],
  ["a leaf function that keeps data below its stack pointer", "89 7c 24 f8 b8 01 00 00 00 0f 05 c3", "9 red zone"],
  ["data below the stack pointer after the call", "0f 05 8b 44 24 f0 c3", "0 red zone"],
  ["data beyond 128 bytes below is nobody's", "89 bc 24 00 ff ff ff 0f 05 c3", "7"],
  ["data above the stack pointer", "89 7c 24 08 0f 05 c3", "4"],
  ["a function after one with a red zone", "89 7c 24 f8 c3 90 90 90 90 90 90 90 90 90 90 90 0f 05 c3", "16"],
  ["nothing at all", "90 90 c3", ""],
];

export const zpolineSuite: KunitSuite = {
  name: "zpoline_translate",
  module: "arch/um/zpoline",
  cases: [KUNIT_CASE_PARAM("scan", cases, ([what]) => what, (test, [, code, want]) => test.KUNIT_EXPECT_EQ(scan(test, code), want, "sites"))],
};
