// scripts/kunit/ktap.test.ts — reports that are whole, cut, prefixed and wrong
import { expect, test } from "vitest";
import { countResults, parseKtap } from "./ktap.ts";

const good = `Linux version 6.12
KTAP version 1
1..2
    KTAP version 1
    # Subtest: first
    # module: lib/first
    1..2
    ok 1 one
        KTAP version 1
        # Subtest: two
        ok 1 small
        ok 2 large # SKIP no room
    # two: pass:1 fail:0 skip:1 total:2
    ok 2 two
# first: pass:2 fail:0 skip:0 total:2
ok 1 first
    KTAP version 1
    # Subtest: second
    # module: lib/second
    1..1
    # it: EXPECTATION FAILED at lib/x_kunit.ts:3
    Expected value == 2 (0x2), but
        value == 1 (0x1)
    not ok 1 it
not ok 2 second
reboot: System halted
after`;

test("suites, parameters, skips and failures are counted, and a failure keeps its words", () => {
  const { suites, errors } = parseKtap(good);
  expect(errors).toEqual([]);
  expect(suites.map((s) => [s.name, s.status])).toEqual([["first", "pass"], ["second", "fail"]]);
  expect(countResults(suites)).toEqual({ passed: 2, failed: 1, skipped: 1, crashed: 0 });
  expect(suites[1]!.children[0]!.log.join("\n")).toContain("EXPECTATION FAILED at lib/x_kunit.ts:3");
});

test("a prefix of the log is taken off", () => {
  const { suites, errors } = parseKtap(good.split("\n").map((l) => (l === "" ? l : `[    0.10] ${l}`)).join("\n"));
  expect(errors).toEqual([]);
  expect(suites).toHaveLength(2);
});

test("lines of the kernel's log in the middle of a suite are no end of it", () => {
  const { suites, errors } = parseKtap(good.replace("    ok 1 one\n", "munmap of memory not mmapped by process 1 (swapper): 0x1-0x2\n    ok 1 one\n"));
  expect(errors).toEqual([]);
  expect(countResults(suites)).toEqual({ passed: 2, failed: 1, skipped: 1, crashed: 0 });
});

test("a kernel that stops in the middle is a crash, not a pass", () => {
  const cut = good.slice(0, good.indexOf("# Subtest: second"));
  const { suites, errors } = parseKtap(cut);
  expect(errors.length).toBeGreaterThan(0);
  expect(countResults(suites).crashed).toBe(1);
});

test("no report, and a report without a plan, are errors", () => {
  expect(parseKtap("Linux version 6.12\nhello").errors[0]).toMatch(/no KTAP/);
  expect(parseKtap(good.replace("1..2\n", "")).errors).toContain("report: missing plan");
});
