// kunit/test.ts — what a KUnit case is given: expectations, assertions, skip.  cf. include/kunit/test.h
//
// Names are Linux's. An expectation that fails is noted and the case goes on; an assertion ends it. Failures name file and line and show
// both sides, worded as lib/kunit/assert.c words them.
import type { Kernel } from "../kernel/kernel.ts";
import { Errno } from "../include/uapi/errno.ts";

/** Thrown by assertions and kunit_skip to end a case. */
class CaseEnd {}
export const CASE_END = Object.freeze(new CaseEnd());

export type Value = number | bigint | string | boolean | undefined | null | object;

function show(v: Value): string {
  if (typeof v === "number" && Number.isInteger(v)) return `${v} (0x${(v < 0 ? v + 2 ** 32 : v).toString(16)})`;
  if (typeof v === "bigint") return `${v} (0x${v.toString(16)})`;
  if (typeof v === "object" && v !== null) return `[${v.constructor?.name ?? "object"}]`;
  return typeof v === "string" ? JSON.stringify(v) : String(v);
}

/** Where a test called an expectation: "mm/nommu_kunit.ts:12", from the stack, which is only looked at after a failure. */
function callSite(): string {
  for (const line of (new Error().stack ?? "").split("\n").slice(1)) {
    const at = /([\w./-]+_kunit\.ts)[^:]*:(\d+)/.exec(line);
    if (at) return `${at[1]!.replace(/^.*worker\//, "")}:${at[2]}`;
  }
  return "unknown";
}

/** One run of one case (struct kunit). */
export class KUnitTest {
  readonly kernel: Kernel;
  readonly name: string;
  /** of a parameterised case, its current parameter */
  readonly param: unknown;
  failed = false;
  skipped: string | undefined;
  /** lines for the log, without indentation */
  readonly log: string[] = [];

  constructor(kernel: Kernel, name: string, param: unknown) {
    this.kernel = kernel;
    this.name = name;
    this.param = param;
  }

  kunit_info(text: string): void {
    this.log.push(`# ${this.name}: ${text}`);
  }
  /** Ends the case as skipped. */
  kunit_skip(reason: string): never {
    this.skipped = reason;
    throw CASE_END;
  }
  KUNIT_FAIL(text: string): void {
    this.fail("EXPECTATION", text);
  }
  KUNIT_EXPECT_EQ(left: Value, right: Value, what = "value"): void {
    if (!Object.is(left, right)) this.compare("EXPECTATION", "==", left, right, what);
  }
  KUNIT_EXPECT_NE(left: Value, right: Value, what = "value"): void {
    if (Object.is(left, right)) this.compare("EXPECTATION", "!=", left, right, what);
  }
  KUNIT_EXPECT_LT(left: number, right: number, what = "value"): void {
    if (!(left < right)) this.compare("EXPECTATION", "<", left, right, what);
  }
  KUNIT_EXPECT_LE(left: number, right: number, what = "value"): void {
    if (!(left <= right)) this.compare("EXPECTATION", "<=", left, right, what);
  }
  KUNIT_EXPECT_TRUE(value: boolean, what = "condition"): void {
    if (!value) this.fail("EXPECTATION", `Expected ${what} to be true, but is false`);
  }
  KUNIT_EXPECT_FALSE(value: boolean, what = "condition"): void {
    if (value) this.fail("EXPECTATION", `Expected ${what} to be false, but is true`);
  }
  /** Bytes, or arrays of numbers, element by element. */
  KUNIT_EXPECT_MEMEQ(left: ArrayLike<number>, right: ArrayLike<number>, what = "bytes"): void {
    const n = Math.max(left.length, right.length);
    for (let i = 0; i < n; i++)
      if (left[i] !== right[i])
        return this.fail("EXPECTATION", `Expected ${what} to be equal, but [${i}] is ${show(left[i])}, not ${show(right[i])} (lengths ${left.length}, ${right.length})`);
  }
  /** `run` must throw this errno. */
  KUNIT_EXPECT_ERRNO(errno: Errno, run: () => unknown, what = "call"): void {
    let got: string;
    try {
      got = `returned ${String(run())}`;
    } catch (e) {
      if (e === errno) return;
      if (!(e instanceof Errno)) throw e;
      got = `gave ${e}`;
    }
    this.fail("EXPECTATION", `Expected ${what} to give ${errno}, but it ${got}`);
  }
  KUNIT_ASSERT_EQ(left: Value, right: Value, what = "value"): void {
    if (Object.is(left, right)) return;
    this.compare("ASSERTION", "==", left, right, what);
    throw CASE_END;
  }
  KUNIT_ASSERT_TRUE(value: boolean, what = "condition"): asserts value {
    if (value) return;
    this.fail("ASSERTION", `Expected ${what} to be true, but is false`);
    throw CASE_END;
  }
  KUNIT_ASSERT_NOT_NULL<T>(value: T | undefined | null, what = "value"): T {
    if (value !== undefined && value !== null) return value;
    this.fail("ASSERTION", `Expected ${what} is not null, but is`);
    throw CASE_END;
  }

  private compare(kind: string, op: string, left: Value, right: Value, what: string): void {
    this.fail(kind, `Expected ${what} ${op} ${show(right)}, but\n    ${what} == ${show(left)}`);
  }
  private fail(kind: string, text: string): void {
    this.failed = true;
    this.log.push(`# ${this.name}: ${kind} FAILED at ${callSite()}`, ...text.split("\n"));
  }
}
