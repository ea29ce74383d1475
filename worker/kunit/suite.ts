// kunit/suite.ts — how a suite of KUnit cases is declared.  cf. struct kunit_suite, struct kunit_case
import type { KUnitTest } from "./test.ts";

export type Speed = "normal" | "slow" | "very_slow";

export interface KunitCase {
  readonly name: string;
  readonly run: (test: KUnitTest) => void;
  readonly speed: Speed;
  /** a parameterised case runs once for each */
  readonly params?: readonly { readonly desc: string; readonly value: unknown }[];
}

export interface KunitSuite {
  readonly name: string;
  /** what Linux calls the module: our source file without its suffix */
  readonly module: string;
  readonly cases: readonly KunitCase[];
  /** before and after each case */
  readonly init?: (test: KUnitTest) => void;
  readonly exit?: (test: KUnitTest) => void;
}

export const KUNIT_CASE = (name: string, run: (test: KUnitTest) => void): KunitCase => ({ name, run, speed: "normal" });
export const KUNIT_CASE_SLOW = (name: string, run: (test: KUnitTest) => void): KunitCase => ({ name, run, speed: "slow" });
export function KUNIT_CASE_PARAM<T>(
  name: string,
  params: readonly T[],
  desc: (value: T) => string,
  run: (test: KUnitTest, value: T) => void,
): KunitCase {
  return { name, speed: "normal", params: params.map((value) => ({ desc: desc(value), value })), run: (test) => run(test, test.param as T) };
}
